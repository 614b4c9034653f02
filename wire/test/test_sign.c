/*
 * Frames of the signer: there and back, every harm to their bytes, who may
 * say what, and a word and a meaning for every refusal.
 */
#include "wire/sign.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/check.h"
#include "wire/bytes.h"
#include "wire/receipt.h"

static const enum sign_type	 types[] = {
	SIGN_STATUS, SIGN_DESCRIPTORS, SIGN_HALT, SIGN_RESUME, SIGN_PAY,
	SIGN_LOAD, SIGN_COSIGN, SIGN_BURN, SIGN_WRITE_OFF, SIGN_SIGNED,
	SIGN_EPOCH, SIGN_ADOPT, SIGN_UNLOCK, SIGN_LOCK, SIGN_REARM,
	SIGN_SETTINGS, SIGN_DONE, SIGN_REFUSED
};
#define N_TYPES	(sizeof(types) / sizeof(types[0]))

static struct err	 why;
static char		 bytes[4096];	/* what the fields hold */

static struct text
some(size_t len)
{
	struct text	 t = { bytes, len };

	return t;
}

/* All that the type may have. */
static void
whole(struct sign_message *m, enum sign_type t)
{
	sign_message_clear(m, t, 0x0102030405060708u);
	if (t < SIGN_DONE) {
		m->known = some(SIGN_HEAD_LEN);
		m->standing = some(RECEIPT_LEN);
	}
	if (t == SIGN_PAY || t == SIGN_COSIGN || t == SIGN_DONE)
		m->psbt = some(99);
	if (t == SIGN_PAY || t == SIGN_LOAD || t == SIGN_BURN)
		m->receipts = some(3 * RECEIPT_LEN);
	if (t == SIGN_RESUME || t == SIGN_PAY || t == SIGN_LOAD ||
	    t == SIGN_COSIGN || t == SIGN_WRITE_OFF || t == SIGN_EPOCH ||
	    t == SIGN_ADOPT || t == SIGN_REARM || t == SIGN_SETTINGS)
		m->approvals = some(2 * SIGN_APPROVAL_LEN);
	if (t == SIGN_WRITE_OFF) {
		m->id = some(64);
		m->outpoint = some(36);
		m->txid = m->block = some(32);
	}
	if (t == SIGN_EPOCH)
		m->key = some(32);
	if (t == SIGN_EPOCH || t == SIGN_ADOPT || t == SIGN_SIGNED ||
	    t == SIGN_DONE)
		m->number = UINT64_MAX;
	if (t == SIGN_UNLOCK)
		m->secret = some(12);
	if (t == SIGN_HALT || t >= SIGN_DONE)
		m->reason = some(7);
	if (t >= SIGN_DONE)
		m->head = some(SIGN_HEAD_LEN);
	if (t == SIGN_SETTINGS || t == SIGN_DONE)
		m->body = some(500);
	if (t == SIGN_REFUSED)
		m->refusal = SIGN_REFUSE_FAILED;
}

static size_t
pack(unsigned char **out, const struct sign_message *m)
{
	size_t	 len;

	*out = malloc(sign_message_room(m));
	if (*out == NULL)
		exit(1);
	len = sign_message_pack(m, *out);
	CHECK(len <= sign_message_room(m));
	return len;
}

static bool
reads(const struct sign_message *m)
{
	struct sign_message	 got;
	unsigned char		*p;
	size_t			 len = pack(&p, m);
	bool			 good;

	good = sign_message_unpack(&got, p, len, &why) == RC_OK;
	free(p);
	return good;
}

static void
test_round(void)
{
	struct sign_message	 m, got;
	unsigned char		*p, *again;
	size_t			 i, len, n;

	check_case("every type packed, read, packed");
	for (i = 0; i < N_TYPES; i++) {
		whole(&m, types[i]);
		len = pack(&p, &m);
		CHECK(sign_message_len(&n, p, len, &why) == RC_OK);
		CHECK_INT(n, len);
		CHECK(sign_message_unpack(&got, p, len, &why) == RC_OK);
		CHECK(got.type == types[i] && got.tag == m.tag &&
		    got.number == m.number && got.refusal == m.refusal);
		n = pack(&again, &got);
		CHECK(n == len && memcmp(p, again, len) == 0);
		free(p);
		free(again);
	}
	check_case("absent differs from empty");
	sign_message_clear(&m, SIGN_DONE, 1);
	m.body = some(0);
	len = pack(&p, &m);
	CHECK(sign_message_unpack(&got, p, len, &why) == RC_OK);
	CHECK(got.body.p != NULL && got.body.len == 0 && got.psbt.p == NULL);
	free(p);
}

/* Right before memory that nobody may read. */
static void
test_cut(void)
{
	size_t			 page = (size_t)sysconf(_SC_PAGESIZE), len;
	size_t			 room = 4 * page, i, k, n;
	struct sign_message	 m, got;
	unsigned char		*p, *wall;
	unsigned		 taken = 0;

	check_case("every truncation of every type, before a wall");
	wall = mmap(NULL, room + page, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(wall != MAP_FAILED &&
	    mprotect(wall + room, page, PROT_NONE) == 0);
	for (i = 0; i < N_TYPES; i++) {
		whole(&m, types[i]);
		len = pack(&p, &m);
		for (k = 0; k < len; k++) {
			memcpy(wall + room - k, p, k);
			taken += sign_message_unpack(&got, wall + room - k, k,
			    &why) == RC_OK;
			/* And as if it had been meant so. */
			if (k < SIGN_FRAME_HEAD)
				continue;
			put_le32(wall + room - k, (uint32_t)(k - 4));
			CHECK(sign_message_len(&n, wall + room - k, k,
			    &why) == RC_OK && n == k);
			if (sign_message_unpack(&got, wall + room - k, k,
			    &why) == RC_OK)
				CHECK(sign_message_room(&got) >= k);
		}
		free(p);
	}
	CHECK_INT(taken, 0);
	(void)munmap(wall, room + page);
}

static void
test_fields(void)
{
	struct sign_message	 m;
	size_t			 i;

	check_case("what a type needs");
	for (i = 0; i < N_TYPES; i++) {
		sign_message_clear(&m, types[i], 1);
		CHECK(reads(&m) == (types[i] == SIGN_STATUS ||
		    types[i] == SIGN_DESCRIPTORS || types[i] == SIGN_HALT ||
		    types[i] == SIGN_SIGNED || types[i] == SIGN_LOCK ||
		    types[i] == SIGN_DONE));
	}
	check_case("what it does not have");
	for (i = 0; i < N_TYPES; i++) {
		whole(&m, types[i]);
		CHECK(reads(&m));
		if (types[i] != SIGN_UNLOCK) {
			m.secret = some(3);
			CHECK(!reads(&m));
			m.secret.p = NULL;
		}
		if (types[i] < SIGN_DONE) {
			m.head = some(SIGN_HEAD_LEN);
			CHECK(!reads(&m));
		}
	}
	check_case("lengths");
	whole(&m, SIGN_PAY);
	m.receipts.len--;
	CHECK(!reads(&m));
	whole(&m, SIGN_PAY);
	m.approvals.len++;
	CHECK(!reads(&m));
	whole(&m, SIGN_PAY);
	m.known.len--;
	CHECK(!reads(&m));
	m.known.len = 0;
	CHECK(!reads(&m));
	whole(&m, SIGN_WRITE_OFF);
	m.id.len = 65;
	CHECK(!reads(&m));
	m.id.len = 0;
	CHECK(!reads(&m));
	m.id.len = 64;
	m.outpoint.len = 35;
	CHECK(!reads(&m));
}

static void
test_strict(void)
{
	static const unsigned char	 done[] = { 0, 0, 0, 0, SIGN_DONE,
		1, 0, 0, 0, 0, 0, 0, 0 };
	unsigned char			 b[64];
	struct sign_message		 m;
	size_t				 n;

	check_case("the one form");
#define FRAME(...) do {							\
	static const unsigned char more[] = { __VA_ARGS__ };		\
	memcpy(b, done, sizeof(done));					\
	memcpy(b + sizeof(done), more, sizeof(more));			\
	n = sizeof(done) + sizeof(more);				\
	put_le32(b, (uint32_t)(n - 4));					\
} while (0)
	FRAME(14, 1, 'x', 16, 0);
	CHECK(sign_message_unpack(&m, b, n, &why) == RC_OK);
	FRAME(16, 0, 14, 1, 'x');		/* order */
	CHECK(sign_message_unpack(&m, b, n, &why) != RC_OK);
	FRAME(14, 1, 'x', 14, 1, 'x');		/* twice */
	CHECK(sign_message_unpack(&m, b, n, &why) != RC_OK);
	FRAME(14, 0x81, 0, 'x');		/* a longer length */
	CHECK(sign_message_unpack(&m, b, n, &why) != RC_OK);
	FRAME(17, 0);				/* no such field */
	CHECK(sign_message_unpack(&m, b, n, &why) != RC_OK);
	FRAME(0, 0);
	CHECK(sign_message_unpack(&m, b, n, &why) != RC_OK);
	FRAME(1, 8, 0, 0, 0, 0, 0, 0, 0, 0);	/* zero written */
	CHECK(sign_message_unpack(&m, b, n, &why) != RC_OK);
	FRAME(1, 8, 0, 0, 0, 0, 0, 0, 0, 1);
	CHECK(sign_message_unpack(&m, b, n, &why) == RC_OK);
	CHECK(m.number == UINT64_C(1) << 56);
	FRAME(1, 7, 0, 0, 0, 0, 0, 0, 1);
	CHECK(sign_message_unpack(&m, b, n, &why) != RC_OK);
	b[4] = SIGN_REFUSED;
	FRAME(2, 8, SIGN_REFUSE__COUNT, 0, 0, 0, 0, 0, 0, 0);
	b[4] = SIGN_REFUSED;
	CHECK(sign_message_unpack(&m, b, n, &why) != RC_OK);
	check_case("types and lengths that are none");
	memcpy(b, done, sizeof(done));
	put_le32(b, sizeof(done) - 4);
	CHECK(sign_message_unpack(&m, b, sizeof(done), &why) == RC_OK);
	b[4] = 0;
	CHECK(sign_message_unpack(&m, b, sizeof(done), &why) != RC_OK);
	b[4] = 99;
	CHECK(sign_message_unpack(&m, b, sizeof(done), &why) != RC_OK);
	CHECK(sign_message_len(&n, b, 3, &why) == RC_OK && n == 0);
	put_le32(b, SIGN_FRAME_HEAD - 5);
	CHECK(sign_message_len(&n, b, 4, &why) != RC_OK);
	put_le32(b, SIGN_MAX - 4);
	CHECK(sign_message_len(&n, b, 4, &why) == RC_OK && n == SIGN_MAX);
	put_le32(b, SIGN_MAX - 3);
	CHECK(sign_message_len(&n, b, 4, &why) != RC_OK);
	put_le32(b, UINT32_MAX);
	CHECK(sign_message_len(&n, b, 4, &why) != RC_OK);
}

static void
test_allowed(void)
{
	unsigned	 t, either = 0, own = 0;

	check_case("the custodian's own cannot be said by others");
	for (t = 0; t < 256; t++) {
		either += sign_allowed((enum sign_type)t, false);
		own += sign_allowed((enum sign_type)t, true);
		if (sign_allowed((enum sign_type)t, false))
			CHECK(sign_allowed((enum sign_type)t, true));
	}
	CHECK_INT(either, 12);
	CHECK_INT(own, 16);
	CHECK(!sign_allowed(SIGN_UNLOCK, false) &&
	    !sign_allowed(SIGN_LOCK, false) &&
	    !sign_allowed(SIGN_REARM, false) &&
	    !sign_allowed(SIGN_SETTINGS, false));
	CHECK(sign_allowed(SIGN_HALT, false) && sign_allowed(SIGN_PAY, true));
	CHECK(!sign_allowed(SIGN_DONE, true) &&
	    !sign_allowed(SIGN_REFUSED, true));
}

static void
test_words(void)
{
	unsigned	 i, k;

	check_case("each refusal has its word and its meaning");
	for (i = 0; i < SIGN_REFUSE__COUNT; i++) {
		CHECK(sign_refusal_text((enum sign_refusal)i) != NULL &&
		    sign_refusal_meaning((enum sign_refusal)i) != NULL);
		for (k = 0; k < i; k++)
			CHECK(strcmp(sign_refusal_text((enum sign_refusal)i),
			    sign_refusal_text((enum sign_refusal)k)) != 0);
	}
	CHECK_STR(sign_refusal_text(SIGN_REFUSE_INPUT_FOREIGN),
	    "input-foreign");
	CHECK_STR(sign_refusal_text((enum sign_refusal)9999), "unknown");
	CHECK_STR(sign_type_text(SIGN_WRITE_OFF), "write-off");
	CHECK_STR(sign_type_text((enum sign_type)200), "unknown");
}

int
main(void)
{
	size_t	 i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 131 + 7);
	test_round();
	test_cut();
	test_fields();
	test_strict();
	test_allowed();
	test_words();
	return check_done();
}
