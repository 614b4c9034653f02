/*
 * The relay's line with a clock of the test's: what waits for how long, who
 * gives way, and what of two ends that write what they like gets through.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/secret.h"
#include "link/pinned.h"
#include "signer/relay/line.h"
#include "tests/check.h"
#include "wire/bytes.h"
#include "wire/sign.h"

#define SECOND_MS	1000

static struct line	*line;
static int		 listener, port;	/* TCP, of the loopback */
static int		 far = -1;		/* our end of the other end */
static int64_t		 now_ms;
static unsigned char	 room[SIGN_MAX];

static void
must(bool good, const char *what)
{
	if (good)
		return;
	printf("not ok %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Everything that can be done without waiting. */
static void
run(void)
{
	struct pollfd	 p[LINE_FDS];
	int		 i;

	for (i = 0; i < 100; i++) {
		(void)line_turn(line, now_ms);
		line_fds(line, p);
		if (poll(p, LINE_FDS, 0) > 0)
			line_serve(line, p, now_ms);
	}
}

static void
after(int64_t ms)
{
	now_ms += ms;
	run();
}

static void
begin(bool probe, bool custodian, struct ssl_ctx_st *tls)
{
	struct line_config	 c = { .name = "test", .listener = listener,
				    .probe = probe, .custodian = custodian,
				    .tls = tls };
	struct err		 e;

	now_ms = 1000000;
	must(line_new(&line, &c, &e) == RC_OK, "a line");
}

static void
connect_far(void)
{
	int	 pair[2];

	if (far != -1)
		(void)close(far);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "a pair");
	far = pair[1];
	must(fcntl(far, F_SETFL, O_NONBLOCK) == 0, "nonblocking");
	must(fcntl(pair[0], F_SETFL, O_NONBLOCK) == 0, "nonblocking");
	line_upstream(line, pair[0], now_ms);
	run();
}

static void
end(void)
{
	line_free(&line);
	if (far != -1)
		(void)close(far);
	far = -1;
}

static int
client(void)
{
	struct sockaddr_in	 to = { .sin_family = AF_INET,
				    .sin_port = htons((uint16_t)port) };
	int			 fd = socket(AF_INET, SOCK_STREAM, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(fd != -1 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0,
	    "a client");
	must(fcntl(fd, F_SETFL, O_NONBLOCK) == 0, "nonblocking");
	run();
	return fd;
}

static size_t
pack(unsigned char *out, enum sign_type type, uint64_t tag)
{
	struct sign_message	 m;

	sign_message_clear(&m, type, tag);
	return sign_message_pack(&m, out);
}

static void
say(int fd, enum sign_type type, uint64_t tag)
{
	unsigned char	 frame[64];
	size_t		 len = pack(frame, type, tag);

	must(write(fd, frame, len) == (ssize_t)len, "write");
	run();
}

/* A frame that has come; false: none, or half of one. */
static bool
hear(int fd, struct sign_message *m)
{
	struct err	 e;
	ssize_t		 n;

	run();
	n = recv(fd, room, sizeof(room), MSG_DONTWAIT);
	return n > 0 && sign_message_unpack(m, room, (size_t)n, &e) == RC_OK;
}

static bool
is_cut(int fd)
{
	char	 byte;
	ssize_t	 n;

	run();
	n = recv(fd, &byte, 1, MSG_DONTWAIT);
	return n == 0 || (n < 0 && errno == ECONNRESET);
}

static bool
refused(int fd, enum sign_refusal want, const char *why)
{
	struct sign_message	 m;

	return hear(fd, &m) && m.type == SIGN_REFUSED && m.refusal == want &&
	    m.reason.p != NULL &&
	    memmem(m.reason.p, m.reason.len, why, strlen(why)) != NULL;
}

/* Cases */

static void
test_tags(void)
{
	struct sign_message	 m, n;
	int			 a, b;

	check_case("an answer goes to who asked, under his tag");
	begin(false, false, NULL);
	connect_far();
	a = client();
	b = client();
	say(a, SIGN_STATUS, 7);
	say(b, SIGN_HALT, 7);
	CHECK(hear(far, &m) && m.type == SIGN_STATUS && m.tag == 1);
	CHECK(!hear(far, &n));
	say(far, SIGN_DONE, 1);
	CHECK(hear(a, &m) && m.type == SIGN_DONE && m.tag == 7);
	CHECK(hear(far, &m) && m.type == SIGN_HALT && m.tag == 2);
	check_case("one who left gets none, nor anybody else");
	(void)close(b);
	run();
	say(a, SIGN_DESCRIPTORS, 9);
	say(far, SIGN_REFUSED, 2);
	CHECK(hear(far, &m) && m.type == SIGN_DESCRIPTORS && m.tag == 3);
	CHECK(!hear(a, &n));
	say(far, SIGN_DONE, 3);
	CHECK(hear(a, &m) && m.tag == 9);
	(void)close(a);
	end();
	check_end_case();
}

static void
test_types(void)
{
	struct sign_message	 m;
	unsigned char		 frame[SIGN_FRAME_HEAD];
	int			 fd, type, custodian;
	bool			 good = true;

	for (custodian = 0; custodian < 2; custodian++) {
		check_case(custodian ? "a custodian may say what he may" :
		    "a client may say what he may");
		begin(false, custodian, NULL);
		connect_far();
		fd = client();
		for (type = 0; type < 256; type++) {
			put_le32(frame, SIGN_FRAME_HEAD - 4);
			frame[4] = (unsigned char)type;
			put_le64(frame + 5, 77);
			must(write(fd, frame, sizeof(frame)) ==
			    SIGN_FRAME_HEAD, "write");
			run();
			if (!sign_allowed((enum sign_type)type, custodian)) {
				good = good && refused(fd,
				    SIGN_REFUSE_PERMISSION, "may not") &&
				    recv(far, room, 1, MSG_DONTWAIT) < 0;
				continue;
			}
			good = good && recv(far, room, sizeof(room),
			    MSG_DONTWAIT) == SIGN_FRAME_HEAD &&
			    room[4] == type;
			say(far, SIGN_DONE, get_le64(room + 5));
			good = good && hear(fd, &m) && m.tag == 77;
		}
		CHECK(good);
		(void)close(fd);
		end();
	}
	check_end_case();
}

static void
test_times(void)
{
	struct sign_message	 m;
	unsigned char		 frame[64];
	size_t			 i, len = pack(frame, SIGN_STATUS, 1);
	ssize_t			 n;
	int			 fd, pair[2];

	check_case("half a question: 30 s");
	begin(false, false, NULL);
	connect_far();
	fd = client();
	after(3600 * SECOND_MS);
	CHECK(!is_cut(fd));
	must(write(fd, frame, 5) == 5, "write");
	after(0);
	after(30 * SECOND_MS);
	CHECK(!is_cut(fd));
	after(2);
	CHECK(is_cut(fd));
	(void)close(fd);
	check_case("a byte every 29 s: 5 minutes");
	fd = client();
	for (i = 0; i < len - 1 && !is_cut(fd); i++) {
		must(write(fd, frame + i, 1) == 1, "write");
		run();
		after(29 * SECOND_MS);
	}
	CHECK_INT(i, 11);
	(void)close(fd);
	check_case("an answer that is not read: 30 s");
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "a pair");
	line_join(line, pair[0], now_ms);
	fd = pair[1];
	say(fd, SIGN_STATUS, 1);
	CHECK(hear(far, &m));
	memset(room, 0, sizeof(room));
	put_le32(room, SIGN_MAX - 4);
	room[4] = SIGN_DONE;
	put_le64(room + 5, m.tag);
	for (i = 0; i < SIGN_MAX; run()) {
		if ((n = write(far, room + i, SIGN_MAX - i)) > 0)
			i += (size_t)n;
	}
	after(30 * SECOND_MS);
	after(2);
	/* What is on its way comes, and then the end of it. */
	for (i = 0; (n = recv(fd, room, sizeof(room), 0)) > 0; i += (size_t)n)
		;
	CHECK(i < SIGN_MAX && (n == 0 || errno == ECONNRESET));
	(void)close(fd);
	end();
	check_end_case();
}

static void
test_other_end(void)
{
	struct sign_message	 m;
	struct err		 why;
	int			 fd;

	check_case("it is asked for its status first, however long it takes");
	begin(true, false, NULL);
	fd = client();
	connect_far();
	say(fd, SIGN_HALT, 5);
	CHECK(!line_ready(line) && hear(far, &m) && m.type == SIGN_STATUS);
	after(3600 * SECOND_MS);
	CHECK(!line_broken(line, &why) && !line_ready(line));
	say(far, SIGN_DONE, m.tag);
	CHECK(line_ready(line) && hear(far, &m) && m.type == SIGN_HALT);
	check_case("later ten minutes are enough");
	after(600 * SECOND_MS);
	CHECK(!line_broken(line, &why));
	after(2);
	CHECK(line_broken(line, &why) && !line_broken(line, &why));
	CHECK(strstr(why.text, "no answer") != NULL);
	CHECK(refused(fd, SIGN_REFUSE_FAILED, "ask the same again"));
	check_case("nobody there: 20 s, then a question is refused");
	say(fd, SIGN_STATUS, 6);
	after(20 * SECOND_MS);
	CHECK(!hear(fd, &m));
	after(2);
	CHECK(refused(fd, SIGN_REFUSE_FAILED, "does not run"));
	check_case("one that waits is asked of the next");
	connect_far();
	CHECK(hear(far, &m));
	say(far, SIGN_DONE, m.tag);
	(void)close(far);
	far = -1;
	run();
	say(fd, SIGN_STATUS, 7);
	connect_far();
	CHECK(!line_broken(line, &why));
	CHECK(hear(far, &m) && m.type == SIGN_STATUS);
	say(far, SIGN_DONE, m.tag);
	CHECK(hear(far, &m) && m.type == SIGN_STATUS);
	say(far, SIGN_DONE, m.tag);
	CHECK(hear(fd, &m) && m.tag == 7);
	check_case("it speaks unasked");
	say(far, SIGN_DONE, 100);
	CHECK(line_broken(line, &why) && !line_connected(line));
	(void)close(fd);
	end();
	check_end_case();
}

static void
test_places(void)
{
	struct sign_message	 m;
	int			 fds[LINE_CLIENTS], one, i;

	check_case("the one that was silent longest gives way");
	begin(false, false, NULL);
	connect_far();
	for (i = 0; i < LINE_CLIENTS; i++) {
		fds[i] = client();
		after(SECOND_MS);
	}
	/* The first spoke since, and the second has half a question. */
	say(fds[0], SIGN_STATUS, 1);
	CHECK(hear(far, &m));
	say(far, SIGN_DONE, m.tag);
	CHECK(hear(fds[0], &m));
	must(write(fds[1], "\x09", 1) == 1, "write");
	run();
	one = client();
	CHECK(!is_cut(fds[0]) && !is_cut(fds[1]) && is_cut(fds[2]) &&
	    !is_cut(fds[3]));
	(void)close(one);
	for (i = 0; i < LINE_CLIENTS; i++)
		(void)close(fds[i]);
	run();
	check_case("none of those with questions does");
	for (i = 0; i < LINE_CLIENTS; i++) {
		fds[i] = client();
		say(fds[i], SIGN_STATUS, (uint64_t)i + 1);
	}
	one = client();
	CHECK(is_cut(one));
	(void)close(one);
	for (i = 0; i < LINE_CLIENTS; i++) {
		CHECK(hear(far, &m));
		say(far, SIGN_DONE, m.tag);
		CHECK(hear(fds[i], &m) && m.tag == (uint64_t)i + 1);
		(void)close(fds[i]);
	}
	end();
	check_end_case();
}

/* More questions than are held, and an answer as large as they may be. */
static void
test_crowd(void)
{
	struct sign_message	 m;
	struct err		 why;
	ssize_t			 n;
	size_t			 len;
	int			 fds[8], pair[2], i, cut = 0;

	check_case("questions do not crowd an answer out");
	begin(false, false, NULL);
	connect_far();
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "a pair");
	must(fcntl(pair[1], F_SETFL, O_NONBLOCK) == 0, "nonblocking");
	line_join(line, pair[0], now_ms);
	say(pair[1], SIGN_STATUS, 5);
	CHECK(hear(far, &m));
	memset(room, 0, sizeof(room));
	put_le32(room, SIGN_MAX - 4);
	room[4] = SIGN_PAY;
	for (i = 0; i < 8; i++) {
		after(1);
		fds[i] = client();
		for (len = 0; len < SIGN_MAX - 1; run()) {
			n = write(fds[i], room + len, SIGN_MAX - 1 - len);
			if (n < 0 && errno != EAGAIN)
				break;
			len += n > 0 ? (size_t)n : 0;
		}
	}
	for (i = 0; i < 8; i++)
		cut += is_cut(fds[i]);
	CHECK(cut >= 4 && cut < 8 && is_cut(fds[0]) && !is_cut(fds[7]));
	room[4] = SIGN_DONE;
	put_le64(room + 5, m.tag);
	for (len = 0; len < SIGN_MAX; run()) {
		if ((n = write(far, room + len, SIGN_MAX - len)) > 0)
			len += (size_t)n;
		else if (errno != EAGAIN)
			break;
	}
	CHECK(len == SIGN_MAX && !line_broken(line, &why));
	for (len = 0; len < SIGN_MAX; run()) {
		if ((n = read(pair[1], room, sizeof(room))) > 0)
			len += (size_t)n;
		else if (n == 0 || errno != EAGAIN)
			break;
	}
	CHECK_INT(len, SIGN_MAX);
	for (i = 0; i < 8; i++)
		(void)close(fds[i]);
	(void)close(pair[1]);
	end();
	check_end_case();
}

static void
test_handshakes(void)
{
	char			 name[] = "/tmp/test-line-XXXXXX";
	char			 path[64];
	static struct pinned_keys none;
	struct ssl_ctx_st	*ctx = NULL;
	struct err		 e;
	int			 fds[LINE_CLIENTS], one, i;

	must(mkdtemp(name) != NULL, "a folder");
	(void)snprintf(path, sizeof(path), "%s/identity", name);
	must(pinned_make(path, &e) == RC_OK &&
	    pinned_context(&ctx, true, path, &none, &e) == RC_OK, "TLS");
	(void)unlink(path);
	(void)rmdir(name);
	check_case("a handshake that does not come: 10 s");
	begin(false, false, ctx);
	connect_far();
	one = client();
	after(10 * SECOND_MS);
	CHECK(!is_cut(one));
	after(2);
	CHECK(is_cut(one));
	(void)close(one);
	check_case("whoever is not known yet gives way, the oldest first");
	for (i = 0; i < LINE_CLIENTS; i++) {
		fds[i] = client();
		after(100);
	}
	one = client();
	CHECK(is_cut(fds[0]) && !is_cut(fds[1]) && !is_cut(one));
	for (i = 0; i < LINE_CLIENTS; i++)
		(void)close(fds[i]);
	(void)close(one);
	end();
	SSL_CTX_free(ctx);
	check_end_case();
}

static void
test_joined(void)
{
	struct sign_message	 m;
	int			 pair[2], next[2], fds[LINE_CLIENTS + 1], i;

	check_case("one that joined gives way to nobody but the next");
	begin(false, false, NULL);
	connect_far();
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 &&
	    socketpair(AF_UNIX, SOCK_STREAM, 0, next) == 0, "a pair");
	line_join(line, pair[0], now_ms);
	for (i = 0; i <= LINE_CLIENTS; i++) {
		after(SECOND_MS);
		fds[i] = client();
	}
	CHECK(is_cut(fds[0]));
	say(pair[1], SIGN_STATUS, 3);
	CHECK(hear(far, &m));
	line_join(line, next[0], now_ms);
	CHECK(is_cut(pair[1]));
	say(far, SIGN_DONE, m.tag);
	CHECK(!hear(next[1], &m));
	say(next[1], SIGN_STATUS, 4);
	CHECK(hear(far, &m));
	say(far, SIGN_DONE, m.tag);
	CHECK(hear(next[1], &m) && m.tag == 4);
	for (i = 0; i <= LINE_CLIENTS; i++)
		(void)close(fds[i]);
	(void)close(pair[1]);
	(void)close(next[1]);
	end();
	check_end_case();
}

int
main(void)
{
	struct sockaddr_in	 at = { .sin_family = AF_INET };
	socklen_t		 len = sizeof(at);
	struct err		 e;

	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	(void)signal(SIGPIPE, SIG_IGN);
	log_begin("test", LOG_BROKEN);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(secret_begin(&e) == RC_OK, "secrets");
	must((listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)) !=
	    -1 && bind(listener, (struct sockaddr *)&at, sizeof(at)) == 0 &&
	    listen(listener, 64) == 0 &&
	    getsockname(listener, (struct sockaddr *)&at, &len) == 0,
	    "a listener");
	port = ntohs(at.sin_port);
	test_tags();
	test_types();
	test_times();
	test_other_end();
	test_places();
	test_crowd();
	test_handshakes();
	test_joined();
	return check_done();
}
