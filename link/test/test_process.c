/*
 * A child, forked, and this test as its drawbridged.
 */
#include "link/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/check.h"

/* The child: what it lives through is told on a pipe, a line each. */

static struct process	 self;
static int		 tell_fd;

static void
tell(const char *what, int64_t n)
{
	char	 line[200];
	int	 len = snprintf(line, sizeof(line), "%s %lld\n", what,
	    (long long)n);

	if (write(tell_fd, line, (size_t)len) != len)
		_exit(9);
}

static void
on_socket(void *ctx, enum process_socket what, enum room peer, int fd)
{
	(void)ctx;
	tell("socket", what * 100 + peer);
	/* It is the one that was sent: what it is written to is read. */
	if (write(fd, "x", 1) != 1 ||
	    (fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0)
		_exit(9);
	(void)close(fd);
}

static void
on_reload(void *ctx, const struct config *c)
{
	(void)ctx;
	tell("reload", c->snapshot_every);
}

static void
on_stop(void *ctx)
{
	(void)ctx;
	tell("stop", 0);
	process_end(&self, 7);
}

static void __attribute__((noreturn))
child(int control)
{
	struct process_hooks	 h = { on_socket, on_reload, on_stop, NULL };
	struct err		 e;

	/* What it logs is not for the test's reader. */
	(void)dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
	if (process_begin(&self, ROOM_AUTH, control, &e) != RC_OK)
		_exit(8);
	tell("config", self.config.snapshot_every);
	tell("only_reads", self.only_reads);
	process_ready(&self);
	_exit(process_run(&self, &h));
}

/* The test's side */

struct run {
	pid_t	 pid;
	int	 control;
	int	 told;
};

static struct run
begin(void)
{
	struct run	 r;
	int		 control[2], told[2];

	fflush(stdout);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, control) != 0 ||
	    pipe(told) != 0 || (r.pid = fork()) == -1)
		abort();
	if (r.pid == 0) {
		(void)close(control[0]);
		(void)close(told[0]);
		tell_fd = told[1];
		child(control[1]);
	}
	(void)close(control[1]);
	(void)close(told[1]);
	r.control = control[0];
	r.told = told[0];
	return r;
}

static void
put(int fd, const void *p, size_t len, int pass)
{
	union {
		struct cmsghdr	 align;
		char		 buf[CMSG_SPACE(sizeof(int))];
	}		 space;
	char		 bytes[4096];
	struct iovec	 v = { bytes, len };
	struct msghdr	 h = { .msg_iov = &v, .msg_iovlen = 1 };
	struct cmsghdr	*c;

	memcpy(bytes, p, len);
	if (pass != -1) {
		memset(&space, 0, sizeof(space));
		h.msg_control = space.buf;
		h.msg_controllen = sizeof(space.buf);
		c = CMSG_FIRSTHDR(&h);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(pass));
		memcpy(CMSG_DATA(c), &pass, sizeof(pass));
	}
	if (sendmsg(fd, &h, MSG_NOSIGNAL) != (ssize_t)len)
		printf("# not sent: %s\n", strerror(errno));
}

static size_t
frame(unsigned char *out, enum message_type type, const char *body,
    int64_t status, int64_t number)
{
	struct message	 m;

	message_clear(&m, type, 0);
	if (body != NULL)
		m.body = text_of(body);
	m.status = status;
	m.number = number;
	return message_pack(&m, out);
}

static void
say(const struct run *r, enum message_type type, const char *body,
    int64_t number)
{
	unsigned char	 f[4096];

	put(r->control, f, frame(f, type, body, -1, number), -1);
}

static void
give(const struct run *r, int64_t what, int64_t peer, int fd)
{
	unsigned char	 f[4096];

	put(r->control, f, frame(f, MESSAGE_SOCKET, NULL, what, peer), fd);
}

/* The next line that it tells, or "" at the end. */
static const char *
line(const struct run *r)
{
	static char	 buf[200];
	size_t		 n = 0;
	struct pollfd	 p = { r->told, POLLIN, 0 };

	while (n < sizeof(buf) - 1 && poll(&p, 1, 5000) == 1 &&
	    read(r->told, buf + n, 1) == 1 && buf[n] != '\n')
		n++;
	buf[n] = '\0';
	return buf;
}

static int
end(struct run *r)
{
	int	 status;

	if (waitpid(r->pid, &status, 0) != r->pid)
		return -1;
	(void)close(r->control);
	(void)close(r->told);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static bool
heard(const struct run *r, enum message_type type)
{
	unsigned char	 want[4096], got[64];
	size_t		 len = frame(want, type, NULL, -1, -1);
	struct pollfd	 p = { r->control, POLLIN, 0 };

	return poll(&p, 1, 5000) == 1 &&
	    recv(r->control, got, len, MSG_WAITALL) == (ssize_t)len &&
	    memcmp(want, got, len) == 0;
}

static struct run
begun(void)
{
	struct run	 r = begin();

	say(&r, MESSAGE_CONFIG, "snapshot-every 12345\n", -1);
	CHECK_STR(line(&r), "config 12345");
	CHECK_STR(line(&r), "only_reads 0");
	CHECK(heard(&r, MESSAGE_READY));
	CHECK(heard(&r, MESSAGE_ALIVE));
	return r;
}

/* Cases */

static void
test_life(void)
{
	struct run	 r;
	int		 p[2];
	char		 c;

	check_case("configuration, sockets, reload, alive, stop");
	r = begun();
	CHECK(pipe(p) == 0);
	give(&r, SOCKET_LINK, ROOM_ENGINE, p[1]);
	CHECK_STR(line(&r), "socket 3");
	CHECK(read(p[0], &c, 1) == 1);
	give(&r, SOCKET_HTTP, -1, p[1]);
	CHECK_STR(line(&r), "socket 100");
	say(&r, MESSAGE_RELOAD, "snapshot-every 777\n", -1);
	CHECK_STR(line(&r), "reload 777");
	/* Every second that its loop turns. */
	CHECK(heard(&r, MESSAGE_ALIVE));
	say(&r, MESSAGE_STOP, NULL, -1);
	CHECK_STR(line(&r), "stop 0");
	CHECK_INT(end(&r), 7);
	(void)close(p[0]);
	(void)close(p[1]);
}

/* All at once, and byte by byte: sockets stay with their frames. */
static void
test_pieces(void)
{
	unsigned char	 f[4096];
	struct run	 r = begin();
	size_t		 len, i;
	int		 p[2], n;
	char		 c;

	check_case("sent at once before it looks, and in pieces");
	CHECK(pipe(p) == 0);
	say(&r, MESSAGE_CONFIG, "snapshot-every 999\n", 1);
	for (n = ROOM_API; n <= ROOM_NOTIFY; n++)
		give(&r, SOCKET_LINK, n, p[1]);
	CHECK_STR(line(&r), "config 999");
	CHECK_STR(line(&r), "only_reads 1");
	for (n = ROOM_API; n <= ROOM_NOTIFY; n++) {
		(void)snprintf((char *)f, sizeof(f), "socket %d", n);
		CHECK_STR(line(&r), (char *)f);
	}
	len = frame(f, MESSAGE_SOCKET, NULL, SOCKET_LINK, ROOM_API);
	for (i = 0; i < len; i++) {
		put(r.control, f + i, 1, i == 0 ? p[1] : -1);
		(void)poll(NULL, 0, 2);
	}
	CHECK_STR(line(&r), "socket 1");
	for (n = 0; n < 6; n++)
		CHECK(read(p[0], &c, 1) == 1);
	say(&r, MESSAGE_STOP, NULL, -1);
	CHECK_STR(line(&r), "stop 0");
	CHECK_INT(end(&r), 7);
	(void)close(p[0]);
	(void)close(p[1]);
}

static void
test_ends(void)
{
	struct run	 r;
	int		 p[2];

	check_case("its parent goes: it ends by itself");
	r = begun();
	(void)shutdown(r.control, SHUT_RDWR);
	CHECK_INT(end(&r), 1);

	check_case("a signal that is for its parent");
	r = begun();
	(void)kill(r.pid, SIGTERM);
	(void)kill(r.pid, SIGINT);
	(void)kill(r.pid, SIGHUP);
	say(&r, MESSAGE_STOP, NULL, -1);
	CHECK_STR(line(&r), "stop 0");
	CHECK_INT(end(&r), 7);

	check_case("something else than a configuration first");
	r = begin();
	say(&r, MESSAGE_STOP, NULL, -1);
	(void)shutdown(r.control, SHUT_WR);
	CHECK_INT(end(&r), 8);

	check_case("a configuration that is none");
	r = begin();
	say(&r, MESSAGE_CONFIG, "hello\n", -1);
	CHECK_INT(end(&r), 8);

	check_case("a socket that did not come");
	r = begun();
	give(&r, SOCKET_HTTP, -1, -1);
	CHECK_INT(end(&r), 1);

	check_case("a socket for nothing, a link to nobody");
	CHECK(pipe(p) == 0);
	r = begun();
	give(&r, 17, -1, p[1]);
	CHECK_INT(end(&r), 1);
	r = begun();
	give(&r, SOCKET_LINK, 99, p[1]);
	CHECK_INT(end(&r), 1);
	(void)close(p[0]);
	(void)close(p[1]);

	check_case("a type that is not for it");
	r = begun();
	say(&r, MESSAGE_TAKE, NULL, -1);
	CHECK_INT(end(&r), 1);

	check_case("a frame of 16 MiB");
	r = begun();
	put(r.control, "\0\0\xff\0", 4, -1);
	CHECK_INT(end(&r), 1);
}

int
main(void)
{
	test_life();
	test_pieces();
	test_ends();
	return check_done();
}
