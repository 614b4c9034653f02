/*
 * Two ends of a socket: one a channel, the other raw bytes or a channel.
 */
#include "link/channel.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/check.h"
#include "wire/bytes.h"

static uv_loop_t	 loop;

/* What one end has lived through. */
struct seen {
	struct channel	*c;
	int		 n;		/* messages */
	int		 batches;
	int		 drained;
	int		 closed;
	int		 pause_at;	/* after so many; 0: never */
	int		 free_at;
	bool		 in_order;
	uint64_t	 last;
	size_t		 body_len;
	char		 why[1024];
};

static void
on_query(void *ctx, struct channel *c, const struct message *m)
{
	struct seen	*s = ctx;

	s->n++;
	s->in_order = s->in_order && m->tag == s->last + 1;
	s->last = m->tag;
	s->body_len = m->body.len;
	if (s->n == s->pause_at)
		channel_pause(c, true);
	if (s->n == s->free_at)
		channel_free(&s->c);
}

static void
on_closed(void *ctx, struct channel *c, const struct err *why)
{
	struct seen	*s = ctx;

	(void)c;
	s->closed++;
	(void)snprintf(s->why, sizeof(s->why), "%s", why->text);
	channel_free(&s->c);
}

static void
on_batch(void *ctx, struct channel *c)
{
	(void)c;
	((struct seen *)ctx)->batches++;
}

static void
on_drained(void *ctx, struct channel *c)
{
	(void)c;
	((struct seen *)ctx)->drained++;
}

static channel_handler *const handlers[MESSAGE__END] = {
	[MESSAGE_QUERY] = on_query,
};

static void
open_end(struct seen *s, int fd, enum room self, enum room peer)
{
	struct channel_config	 c = { &loop, fd, self, peer, handlers,
				    on_closed, on_drained, on_batch, s };
	struct err		 e;

	memset(s, 0, sizeof(*s));
	s->in_order = true;
	CHECK(channel_new(&s->c, &c, &e) == RC_OK);
}

static void
pair(int fds[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
		abort();
}

/* Turns until nothing happens any more. */
static void
turn(int turns)
{
	while (turns-- > 0)
		(void)uv_run(&loop, UV_RUN_NOWAIT);
}

static size_t
frame_of(unsigned char *out, enum message_type type, uint64_t tag,
    int64_t number)
{
	struct message	 m;

	message_clear(&m, type, tag);
	m.number = number;
	return message_pack(&m, out);
}

static void
put_raw(int fd, const void *p, size_t len)
{
	if (send(fd, p, len, MSG_NOSIGNAL) != (ssize_t)len)
		abort();
}

static void
greet(int fd)
{
	unsigned char	 frame[1024];

	put_raw(fd, frame, frame_of(frame, MESSAGE_SPOKEN, 0,
	    MESSAGE_VERSION));
}

/* An engine that hears raw bytes from auth, which said its version. */
static int
raw_auth(struct seen *s)
{
	int	 fds[2];

	pair(fds);
	open_end(s, fds[0], ROOM_ENGINE, ROOM_AUTH);
	greet(fds[1]);
	return fds[1];
}

static void
finish(struct seen *s, int raw)
{
	channel_free(&s->c);
	turn(3);
	if (raw != -1)
		(void)close(raw);
}

/* Cases */

static void
test_cut_off(const char *name, const void *bytes, size_t len,
    const char *want)
{
	struct seen	 s;
	char		 byte;
	int		 fd;

	check_case(name);
	fd = raw_auth(&s);
	put_raw(fd, bytes, len);
	turn(5);
	CHECK_INT(s.closed, 1);
	CHECK_INT(s.n, 0);
	CHECK_STR(s.why, want);
	/* The peer sees it, too: what it was greeted with, then the end. */
	while (recv(fd, &byte, 1, MSG_DONTWAIT) == 1)
		;
	CHECK(recv(fd, &byte, 1, MSG_DONTWAIT) <= 0);
	finish(&s, fd);
}

static void
test_bad_frames(void)
{
	unsigned char	 frame[1024];
	size_t		 len;

	test_cut_off("a frame that is too short", "\1\0\0\0\x13", 5,
	    "auth: a message of 5 bytes");
	test_cut_off("a frame that is too long", "\xff\xff\xff\xff", 4,
	    "auth: a message of 4294967299 bytes");
	len = frame_of(frame, MESSAGE_ANSWER, 1, 5);
	test_cut_off("what auth may not say to engine", frame, len,
	    "auth: may not say `answer` (8)");
	len = frame_of(frame, MESSAGE_QUERY, 1, 5);
	frame[4] = 200;
	test_cut_off("a type that there is not", frame, len,
	    "auth: may not say `unknown` (200)");
	len = frame_of(frame, MESSAGE_TAKE, 1, 5);
	test_cut_off("a type that is not expected", frame, len,
	    "auth: `take` is not expected here");
	len = frame_of(frame, MESSAGE_QUERY, 1, 5);
	frame[len - 1] = 0x80;
	test_cut_off("a field that is cut off", frame, len,
	    "auth: query: `number`: cut off or not in the one form");
	len = frame_of(frame, MESSAGE_QUERY, 1, 5);
	frame[len] = 0;
	put_le32(frame, (uint32_t)(len - 4 + 1));
	test_cut_off("a byte too many", frame, len + 1,
	    "auth: query: cut off, or bytes too many");
}

static void
test_versions(void)
{
	unsigned char	 frame[1024];
	struct seen	 s;
	int		 fds[2];

	check_case("another version");
	pair(fds);
	open_end(&s, fds[0], ROOM_ENGINE, ROOM_AUTH);
	put_raw(fds[1], frame, frame_of(frame, MESSAGE_SPOKEN, 0,
	    MESSAGE_VERSION + 1));
	turn(3);
	CHECK_INT(s.closed, 1);
	CHECK_STR(s.why, "auth: speaks version 3, not 2");
	finish(&s, fds[1]);

	check_case("something before its version");
	pair(fds);
	open_end(&s, fds[0], ROOM_ENGINE, ROOM_AUTH);
	put_raw(fds[1], frame, frame_of(frame, MESSAGE_QUERY, 1, -1));
	turn(3);
	CHECK_INT(s.closed, 1);
	CHECK_STR(s.why, "auth: `query` before its version");
	finish(&s, fds[1]);

	check_case("a version for the second time");
	fds[1] = raw_auth(&s);
	greet(fds[1]);
	turn(3);
	CHECK_INT(s.closed, 1);
	finish(&s, fds[1]);
}

static void
test_byte_by_byte(void)
{
	unsigned char	 frame[1024];
	struct seen	 s;
	size_t		 len, i;
	int		 fd, n;

	check_case("byte by byte");
	fd = raw_auth(&s);
	for (n = 1; n <= 3; n++) {
		len = frame_of(frame, MESSAGE_QUERY, (uint64_t)n, 77);
		for (i = 0; i < len; i++) {
			put_raw(fd, frame + i, 1);
			turn(2);
			CHECK_INT(s.n, n - 1 + (i == len - 1));
		}
	}
	CHECK_INT(s.closed, 0);
	/* The greeting was one, too. */
	CHECK_INT(s.batches, 4);
	finish(&s, fd);
}

static void
test_many_in_a_read(void)
{
	unsigned char	 frames[100 * 32];
	struct seen	 s;
	size_t		 len = 0;
	int		 fd, i;

	check_case("many frames in a read are one batch");
	fd = raw_auth(&s);
	for (i = 1; i <= 100; i++)
		len += frame_of(frames + len, MESSAGE_QUERY, (uint64_t)i, i);
	turn(2);
	s.batches = 0;
	put_raw(fd, frames, len);
	turn(2);
	CHECK_INT(s.n, 100);
	CHECK(s.in_order);
	CHECK_INT(s.batches, 1);
	finish(&s, fd);
}

static void
send_query(struct channel *c, uint64_t tag, const char *body, size_t len)
{
	unsigned char	 frame[512];
	struct message	 m;

	message_clear(&m, MESSAGE_QUERY, tag);
	m.body.p = body;
	m.body.len = len;
	/* Packed here or there: the same. */
	if (tag % 2 == 0 && message_room(&m) <= sizeof(frame))
		channel_send_packed(c, frame, message_pack(&m, frame));
	else
		channel_send(c, &m);
}

static void
test_many(void)
{
	struct seen	 a, b;
	int		 fds[2], i;

	check_case("100,000 messages");
	pair(fds);
	open_end(&a, fds[0], ROOM_AUTH, ROOM_ENGINE);
	open_end(&b, fds[1], ROOM_ENGINE, ROOM_AUTH);
	for (i = 1; i <= 100000; i++)
		send_query(a.c, (uint64_t)i, "0123456789abcdef0123456789abcdef"
		    "0123456789abcdef", 48);
	CHECK(channel_waiting(a.c) > CHANNEL_MARK);
	for (i = 0; i < 100000 && b.n < 100000; i++)
		turn(1);
	CHECK_INT(b.n, 100000);
	CHECK(b.in_order);
	CHECK_INT(a.drained, 1);
	CHECK_INT(channel_waiting(a.c), 0);
	CHECK_INT(a.closed + b.closed, 0);
	/* Far fewer reads than messages. */
	CHECK(b.batches < 1000);
	channel_free(&a.c);
	turn(3);
	CHECK_INT(b.closed, 1);
	CHECK_STR(b.why, "auth: gone");
	finish(&b, -1);
}

static void
test_large(void)
{
	struct seen	 a, b;
	char		*body = calloc(1, MESSAGE_MAX);
	int		 fds[2], i;

	check_case("a message of almost the most");
	pair(fds);
	open_end(&a, fds[0], ROOM_AUTH, ROOM_ENGINE);
	open_end(&b, fds[1], ROOM_ENGINE, ROOM_AUTH);
	send_query(a.c, 1, body, MESSAGE_MAX - 100);
	send_query(a.c, 2, body, 10);
	for (i = 0; i < 100000 && b.n < 2; i++)
		turn(1);
	CHECK_INT(b.n, 2);
	CHECK_INT(b.body_len, 10);
	CHECK_INT(b.closed, 0);
	free(body);
	finish(&a, -1);
	finish(&b, -1);
}

static void
test_pause(void)
{
	struct seen	 a, b;
	int		 fds[2], i;

	check_case("a pause is at once, and loses nothing");
	pair(fds);
	open_end(&a, fds[0], ROOM_AUTH, ROOM_ENGINE);
	open_end(&b, fds[1], ROOM_ENGINE, ROOM_AUTH);
	b.pause_at = 10;
	for (i = 1; i <= 30; i++)
		send_query(a.c, (uint64_t)i, NULL, 0);
	turn(10);
	CHECK_INT(b.n, 10);
	channel_pause(b.c, false);
	/* Never from within the call. */
	CHECK_INT(b.n, 10);
	turn(3);
	CHECK_INT(b.n, 30);
	channel_pause(b.c, true);
	send_query(a.c, 31, NULL, 0);
	turn(10);
	CHECK_INT(b.n, 30);
	/* The peer's end is heard after all that it said. */
	channel_free(&a.c);
	turn(5);
	CHECK_INT(b.closed, 0);
	channel_pause(b.c, false);
	turn(5);
	CHECK_INT(b.n, 31);
	CHECK_INT(b.closed, 1);
	CHECK(b.in_order);
	finish(&b, -1);
}

static void
test_free_inside(void)
{
	unsigned char	 frames[30 * 32];
	struct seen	 s;
	size_t		 len = 0;
	int		 fd, i;

	check_case("freed by its own handler");
	fd = raw_auth(&s);
	s.free_at = 5;
	for (i = 1; i <= 30; i++)
		len += frame_of(frames + len, MESSAGE_QUERY, (uint64_t)i, i);
	put_raw(fd, frames, len);
	turn(5);
	CHECK_INT(s.n, 5);
	CHECK_INT(s.closed, 0);
	finish(&s, fd);
}

static void
test_peer_dies(void)
{
	struct seen	 s;
	int		 fds[2], i;

	check_case("a peer that dies with unread bytes");
	pair(fds);
	open_end(&s, fds[0], ROOM_AUTH, ROOM_ENGINE);
	for (i = 0; i < 100; i++)
		send_query(s.c, 1, NULL, 0);
	turn(2);
	(void)close(fds[1]);
	turn(3);
	CHECK_INT(s.closed, 1);
	CHECK_STR(s.why, "engine: receiving: Connection reset by peer");
	finish(&s, -1);

	check_case("sending to nobody");
	pair(fds);
	open_end(&s, fds[0], ROOM_AUTH, ROOM_ENGINE);
	turn(2);
	channel_pause(s.c, true);
	(void)close(fds[1]);
	send_query(s.c, 1, NULL, 0);
	turn(3);
	CHECK_INT(s.closed, 1);
	finish(&s, -1);
}

int
main(void)
{
	if (uv_loop_init(&loop) != 0)
		abort();
	test_bad_frames();
	test_versions();
	test_byte_by_byte();
	test_many_in_a_read();
	test_many();
	test_large();
	test_pause();
	test_free_inside();
	test_peer_dies();
	check_case("the loop is empty at the end");
	turn(3);
	CHECK_INT(uv_loop_close(&loop), 0);
	return check_done();
}
