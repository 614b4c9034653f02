/*
 * Rooms as children, and our ends of links to them.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/config.h"
#include "link/process.h"
#include "tests/redteam/redteam.h"

#define FILE_MAX	((size_t)64 << 10)
#define CONTROL_FD	3

static struct {
	pid_t	 pid;
	int	 control;
} rooms[ROOM__COUNT];
static const char	*program;
static char		 config_text[FILE_MAX];

static void
die(const char *what)
{
	(void)printf("not ok %s: %s\n", what, strerror(errno));
	exit(1);
}

void
rooms_begin(const char *path, const char *conf, const char *data)
{
	static char	 bytes[FILE_MAX];
	struct config	 c;
	struct err	 e;
	FILE		*f = fopen(conf, "r");
	size_t		 len;

	if (f == NULL)
		die(conf);
	len = fread(bytes, 1, sizeof(bytes), f);
	(void)fclose(f);
	if (config_parse(&c, conf, bytes, len, &e) != RC_OK) {
		(void)printf("not ok configuration: %s\n", e.text);
		exit(1);
	}
	(void)snprintf(c.data, sizeof(c.data), "%s", data);
	if (config_print(&c, config_text, sizeof(config_text)) < 0)
		die("config_print");
	program = path;
}

static void
tell(enum room r, const struct message *m, int fd)
{
	unsigned char	*frame = malloc(message_room(m));
	union {
		struct cmsghdr	 align;
		char		 buf[CMSG_SPACE(sizeof(int))];
	}		 space;
	struct iovec	 v = { frame, 0 };
	struct msghdr	 h = { .msg_iov = &v, .msg_iovlen = 1 };
	struct cmsghdr	*cm;

	v.iov_len = message_pack(m, frame);
	if (fd != -1) {
		memset(&space, 0, sizeof(space));
		h.msg_control = space.buf;
		h.msg_controllen = sizeof(space.buf);
		cm = CMSG_FIRSTHDR(&h);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(cm), &fd, sizeof(fd));
	}
	/* A room that has died is seen elsewhere. */
	(void)sendmsg(rooms[r].control, &h, MSG_NOSIGNAL);
	free(frame);
}

static void
become(enum room r, int control)
{
	char	*argv[] = { NULL, NULL, NULL, NULL, NULL };
	char	*env[] = { NULL };
	char	 name[32], flag[] = "--room", fd[] = "3", self[] =
		 "drawbridged";

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)snprintf(name, sizeof(name), "%s", room_text(r));
	argv[0] = self;
	argv[1] = flag;
	argv[2] = name;
	argv[3] = fd;
	if (dup2(control, CONTROL_FD) == -1 ||
	    dup2(STDERR_FILENO, STDOUT_FILENO) == -1)
		_exit(1);
	(void)fcntl(CONTROL_FD, F_SETFD, 0);
	(void)close_range(CONTROL_FD + 1, ~0U, 0);
	(void)execve(program, argv, env);
	_exit(1);
}

void
rooms_start(enum room r)
{
	struct message	 m;
	int		 fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		die("socketpair");
	(void)fflush(stdout);
	if ((rooms[r].pid = fork()) == 0)
		become(r, fds[1]);
	(void)close(fds[1]);
	rooms[r].control = fds[0];
	message_clear(&m, MESSAGE_CONFIG, 0);
	m.body = text_of(config_text);
	tell(r, &m, -1);
}

static void
send_link(enum room r, enum room peer, int fd)
{
	struct message	 m;

	message_clear(&m, MESSAGE_SOCKET, 0);
	m.status = SOCKET_LINK;
	m.number = peer;
	tell(r, &m, fd);
	(void)close(fd);
}

void
rooms_link(enum room a, enum room b)
{
	int	 fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		die("socketpair");
	send_link(a, b, fds[0]);
	send_link(b, a, fds[1]);
}

bool
rooms_alive(void)
{
	char	 junk[4096];
	bool	 good = true;
	int	 r, status;

	for (r = 0; r < ROOM__COUNT; r++) {
		if (rooms[r].pid == 0)
			continue;
		while (recv(rooms[r].control, junk, sizeof(junk),
		    MSG_DONTWAIT) > 0)
			;
		if (waitpid(rooms[r].pid, &status, WNOHANG) != rooms[r].pid)
			continue;
		rooms[r].pid = 0;
		(void)printf("# %s ended: %s %d\n", room_text((enum room)r),
		    WIFSIGNALED(status) ? "signal" : "status",
		    WIFSIGNALED(status) ? WTERMSIG(status) :
		    WEXITSTATUS(status));
		good = false;
	}
	return good;
}

bool
rooms_stop(void)
{
	static const enum room	 order[] = { ROOM_AUTH, ROOM_ENGINE };
	struct message		 m;
	bool			 good = true;
	int			 status, i;

	for (i = 0; i < 2; i++) {
		if (rooms[order[i]].pid == 0)
			continue;
		message_clear(&m, MESSAGE_STOP, 0);
		tell(order[i], &m, -1);
		if (waitpid(rooms[order[i]].pid, &status, 0) == -1 ||
		    status != 0)
			good = false;
		rooms[order[i]].pid = 0;
	}
	return good;
}

long
rooms_rss_kb(enum room r)
{
	char	 path[64], line[256];
	long	 kb = -1;
	FILE	*f;

	(void)snprintf(path, sizeof(path), "/proc/%d/status",
	    (int)rooms[r].pid);
	if ((f = fopen(path, "r")) == NULL)
		return -1;
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, "VmHWM:", 6) == 0)
			kb = strtol(line + 6, NULL, 10);
	}
	(void)fclose(f);
	return kb;
}

/* Ends */

bool
end_open(struct end *d, enum room as, enum room to, bool speak)
{
	struct message	 m;
	int		 fds[2];

	end_close(d);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		die("socketpair");
	(void)fcntl(fds[0], F_SETFL, O_NONBLOCK);
	send_link(to, as, fds[1]);
	d->fd = fds[0];
	d->as = as;
	d->to = to;
	d->in_len = 0;
	if (d->in == NULL && (d->in = malloc(MESSAGE_MAX)) == NULL)
		die("memory");
	if (!speak)
		return true;
	message_clear(&m, MESSAGE_SPOKEN, 0);
	m.number = MESSAGE_VERSION;
	return end_say(d, &m) && end_hear(d, &m, 30000) &&
	    m.type == MESSAGE_SPOKEN;
}

void
end_close(struct end *d)
{
	if (d->fd != -1)
		(void)close(d->fd);
	d->fd = -1;
	d->in_len = 0;
}

/* What is there; false: cut off. */
static bool
take_in(struct end *d)
{
	ssize_t	 n;

	if (d->in_len == MESSAGE_MAX)
		return true;
	n = recv(d->fd, d->in + d->in_len, MESSAGE_MAX - d->in_len,
	    MSG_DONTWAIT);
	if (n > 0)
		d->in_len += (size_t)n;
	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return true;
	(void)close(d->fd);
	d->fd = -1;
	return false;
}

bool
end_send(struct end *d, const void *bytes, size_t len)
{
	const char	*p = bytes;
	struct pollfd	 f;
	ssize_t		 n;
	int		 idle = 0;

	while (len > 0) {
		if (d->fd == -1)
			return false;
		n = send(d->fd, p, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0) {
			p += n;
			len -= (size_t)n;
			idle = 0;
			continue;
		}
		if (errno != EAGAIN && errno != EINTR) {
			end_close(d);
			return false;
		}
		f = (struct pollfd){ d->fd, POLLOUT, 0 };
		/* Nobody reads us for as long as nobody reads them. */
		if (poll(&f, 1, 200) == 0 && ++idle > 100)
			return false;
		if (idle > 0 && !take_in(d))
			return false;
	}
	return true;
}

bool
end_say(struct end *d, const struct message *m)
{
	unsigned char	*frame = malloc(message_room(m));
	bool		 good;

	if (frame == NULL)
		die("memory");
	good = end_send(d, frame, message_pack(m, frame));
	free(frame);
	return good;
}

bool
end_hear(struct end *d, struct message *m, int wait_ms)
{
	static unsigned char	*last;
	int64_t			 until = wall_ms() + wait_ms, left;
	struct pollfd		 f;
	struct err		 e;
	size_t			 len;

	for (;;) {
		if (message_len(&len, d->in, d->in_len, &e) != RC_OK)
			die("a frame of theirs");
		if (len > 0 && len <= d->in_len)
			break;
		left = until - wall_ms();
		f = (struct pollfd){ d->fd, POLLIN, 0 };
		if (d->fd == -1 || left < 0 || poll(&f, 1, (int)left) <= 0 ||
		    !take_in(d))
			return false;
	}
	free(last);
	if ((last = malloc(len)) == NULL)
		die("memory");
	memcpy(last, d->in, len);
	memmove(d->in, d->in + len, d->in_len - len);
	d->in_len -= len;
	if (message_unpack(m, last, len, &e) != RC_OK ||
	    !message_allowed(m->type, d->to, d->as))
		die("a message of theirs");
	return true;
}

void
end_drain(struct end *d, int wait_ms)
{
	struct message	 m;

	while (end_hear(d, &m, wait_ms))
		;
}
