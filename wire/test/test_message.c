/*
 * Messages there and back, harm to their bytes, and who may say what.
 */
#include "wire/message.h"

#include <stdlib.h>
#include <string.h>

#include "tests/check.h"
#include "wire/bytes.h"

static struct err	 why;

static uint64_t	 dice = 88172645463325252u;

static uint64_t
roll(uint64_t n)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return (dice >> 11) % n;
}

static char	 text_room[64 * 64];
static size_t	 text_used;

static struct text
maybe_text(void)
{
	struct text	 t = { NULL, 0 };
	size_t		 i;

	if (roll(2) == 0)
		return t;
	t.p = text_room + text_used;
	t.len = roll(50);
	for (i = 0; i < t.len; i++)
		text_room[text_used++] = (char)roll(256);
	return t;
}

static int64_t
maybe_number(void)
{
	switch (roll(5)) {
	case 0:
		return INT64_MIN;
	case 1:
		return INT64_MAX;
	case 2:
		return (int64_t)roll(1000) - 500;
	}
	return -1;
}

static void
any_message(struct message *m)
{
	struct text	*texts[] = { &m->key, &m->when, &m->signature,
			    &m->code, &m->target, &m->query, &m->body,
			    &m->account, &m->id, &m->ids, &m->order,
			    &m->name, &m->reason, &m->by, &m->open,
			    &m->sealed };
	int64_t		*numbers[] = { &m->status, &m->number, &m->t_ms,
			    &m->seq, &m->used, &m->limit, &m->offset,
			    &m->from_ms, &m->to_ms, &m->state, &m->retry_s,
			    &m->wait_ms };
	size_t		 i;

	message_clear(m, (enum message_type)(1 + roll(MESSAGE__END - 1)),
	    roll(3) == 0 ? UINT64_MAX : roll(100));
	text_used = 0;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		*texts[i] = maybe_text();
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		*numbers[i] = maybe_number();
	m->endpoint = (enum endpoint)roll(ENDPOINT__COUNT);
	m->key_type = (enum key_type)roll(KEY_TYPE_ED25519 + 1);
	m->secret = (enum secret_kind)roll(SECRET_LINKS + 1);
	m->has_ip = roll(2) == 0;
	for (i = 0; m->has_ip && i < 16; i++)
		m->ip[i] = (unsigned char)roll(256);
}

static bool
same(const struct message *a, const struct message *b)
{
	return a->type == b->type && a->tag == b->tag &&
	    a->endpoint == b->endpoint && a->has_ip == b->has_ip &&
	    memcmp(a->ip, b->ip, 16) == 0 && a->status == b->status &&
	    a->number == b->number && a->t_ms == b->t_ms &&
	    a->seq == b->seq && a->used == b->used && a->limit == b->limit &&
	    a->offset == b->offset && a->from_ms == b->from_ms &&
	    a->to_ms == b->to_ms && a->state == b->state &&
	    a->retry_s == b->retry_s && a->wait_ms == b->wait_ms &&
	    a->key_type == b->key_type && a->secret == b->secret &&
	    text_equal(a->key, b->key) && text_equal(a->when, b->when) &&
	    text_equal(a->signature, b->signature) &&
	    text_equal(a->code, b->code) &&
	    text_equal(a->target, b->target) &&
	    text_equal(a->query, b->query) && text_equal(a->body, b->body) &&
	    text_equal(a->account, b->account) && text_equal(a->id, b->id) &&
	    text_equal(a->ids, b->ids) && text_equal(a->order, b->order) &&
	    text_equal(a->name, b->name) &&
	    text_equal(a->reason, b->reason) && text_equal(a->by, b->by) &&
	    text_equal(a->open, b->open) && text_equal(a->sealed, b->sealed);
}

static void
test_random(void)
{
	static unsigned char	 frame[65536];
	struct message		 m, back;
	size_t			 len, whole;
	int			 i;

	check_case("random messages, there and back");
	for (i = 0; i < 20000; i++) {
		any_message(&m);
		len = message_pack(&m, frame);
		CHECK(len <= message_room(&m));
		CHECK(message_len(&whole, frame, len, &why) == RC_OK &&
		    whole == len);
		CHECK(message_unpack(&back, frame, len, &why) == RC_OK);
		CHECK(same(&m, &back));
	}
}

static int	 taken, refused;

static void
harmed(const unsigned char *p, size_t len)
{
	static unsigned char	 again[65536];
	unsigned char		*copy = malloc(len + 1);
	struct message		 m;

	memcpy(copy, p, len);
	why.text[0] = '\0';
	if (message_unpack(&m, copy, len, &why) == RC_OK) {
		taken++;
		CHECK(message_pack(&m, again) == len &&
		    memcmp(again, copy, len) == 0);
	} else {
		refused++;
		CHECK(why.text[0] != '\0');
	}
	free(copy);
}

static void
test_harm(void)
{
	static unsigned char	 frame[65536];
	struct message		 m;
	size_t			 len, k;
	int			 i;

	check_case("cut off, longer, or a bit flipped: refused or canonical");
	for (i = 0; i < 200; i++) {
		any_message(&m);
		len = message_pack(&m, frame);
		taken = 0;
		for (k = 0; k < len; k++)
			harmed(frame, k);
		frame[len] = 0;
		harmed(frame, len + 1);
		CHECK_INT(taken, 0);
		for (k = 0; k < len * 8; k++) {
			frame[k / 8] ^= (unsigned char)(1 << k % 8);
			harmed(frame, len);
			frame[k / 8] ^= (unsigned char)(1 << k % 8);
		}
	}
	CHECK(refused > 10000);
}

static void
test_golden(void)
{
	/* length, type, tag; which fields: status, number; 200, -2 */
	static const unsigned char	 want[] = { 15, 0, 0, 0, 8, 5, 0, 0,
	    0, 0, 0, 0, 0, 0x84, 0x80, 0x20, 0x90, 0x03, 0x03 };
	unsigned char			 frame[1024];
	struct message			 m;
	size_t				 len;

	check_case("bytes of an answer");
	message_clear(&m, MESSAGE_ANSWER, 5);
	m.status = 200;
	m.number = -2;
	len = message_pack(&m, frame);
	CHECK_INT(len, sizeof(want));
	CHECK(memcmp(frame, want, len) == 0);

	check_case("lengths");
	CHECK(message_len(&len, frame, 3, &why) == RC_OK && len == 0);
	put_le32(frame, 9);
	CHECK(message_len(&len, frame, 4, &why) == RC_FAILED);
	put_le32(frame, 10);
	CHECK(message_len(&len, frame, 4, &why) == RC_OK && len == 14);
	put_le32(frame, MESSAGE_MAX - 4);
	CHECK(message_len(&len, frame, 4, &why) == RC_OK &&
	    len == MESSAGE_MAX);
	put_le32(frame, MESSAGE_MAX - 3);
	CHECK(message_len(&len, frame, 4, &why) == RC_FAILED);
}

/* All ways of a type, as "api>auth auth>api". */
static const char *
ways(enum message_type t)
{
	static char	 buf[1024];
	size_t		 n = 0;
	int		 a, b;

	buf[0] = '\0';
	for (a = 0; a < ROOM__COUNT; a++) {
		for (b = 0; b < ROOM__COUNT; b++) {
			if (message_allowed(t, (enum room)a, (enum room)b))
				n += (size_t)snprintf(buf + n, sizeof(buf) - n,
				    "%s%s>%s", n > 0 ? " " : "",
				    room_text((enum room)a),
				    room_text((enum room)b));
		}
	}
	return buf;
}

static void
test_ways(void)
{
	int	 t, a;

	check_case("who may say what that matters most");
	CHECK_STR(ways(MESSAGE_REQUEST), "api>auth");
	CHECK_STR(ways(MESSAGE_TAKE), "auth>engine");
	CHECK_STR(ways(MESSAGE_TAKE_LINES), "auth>engine");
	CHECK_STR(ways(MESSAGE_TOLD), "engine>auth");
	CHECK_STR(ways(MESSAGE_ACT), "auth>engine console>engine "
	    "cli>console");
	CHECK_STR(ways(MESSAGE_CUSTODY), "console>engine cli>console");
	CHECK_STR(ways(MESSAGE_PREPARE), "console>auth cli>console");
	CHECK_STR(ways(MESSAGE_PREPARED), "auth>console console>cli");
	CHECK_STR(ways(MESSAGE_SEND), "auth>notify");
	CHECK_STR(ways(MESSAGE_ALIVE), "api>parent auth>parent engine>parent "
	    "console>parent notify>parent");
	CHECK_STR(ways(MESSAGE_SOCKET), "parent>api parent>auth "
	    "parent>engine parent>console parent>notify");

	check_case("api speaks to nobody but auth and parent");
	for (t = 1; t < MESSAGE__END; t++) {
		for (a = 0; a < ROOM__COUNT; a++) {
			if (a != ROOM_AUTH && a != ROOM_PARENT)
				CHECK(!message_allowed((enum message_type)t,
				    ROOM_API, (enum room)a));
		}
	}

	check_case("every type has a name and a way");
	for (t = 1; t < MESSAGE__END; t++) {
		CHECK(message_text((enum message_type)t) != NULL);
		CHECK(ways((enum message_type)t)[0] != '\0');
	}
	CHECK(!message_allowed((enum message_type)0, ROOM_API, ROOM_AUTH));
	CHECK(!message_allowed(MESSAGE__END, ROOM_API, ROOM_AUTH));
	CHECK(!message_allowed((enum message_type)255, ROOM_API, ROOM_AUTH));
	CHECK_STR(message_text((enum message_type)255), "unknown");
}

/* A corpus for the fuzz target: `test_message FOLDER`. */
static int
write_corpus(const char *folder)
{
	unsigned char	 frame[65536];
	struct message	 m;
	char		 path[4096];
	size_t		 len;
	FILE		*f;
	int		 t, a, b, way;

	for (t = 1; t < MESSAGE__END; t++) {
		any_message(&m);
		m.type = (enum message_type)t;
		frame[0] = 0;
		for (way = 63; way >= 0; way--) {
			a = way / 8;
			b = way % 8;
			if (a < ROOM__COUNT && b < ROOM__COUNT &&
			    message_allowed(m.type, (enum room)a,
			    (enum room)b))
				frame[0] = (unsigned char)way;
		}
		len = message_pack(&m, frame + 1);
		(void)snprintf(path, sizeof(path), "%s/%s", folder,
		    message_text(m.type));
		if ((f = fopen(path, "wb")) == NULL ||
		    fwrite(frame, 1, len + 1, f) != len + 1 ||
		    fclose(f) != 0)
			return 1;
	}
	return 0;
}

int
main(int argc, char *argv[])
{
	if (argc == 2)
		return write_corpus(argv[1]);
	test_golden();
	test_random();
	test_harm();
	test_ways();
	return check_done();
}
