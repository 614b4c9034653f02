/*
 * The engine's process as a child of a test, which plays drawbridged and
 * auth: a folder with a journal, a process that is started and killed, and
 * one link to it.
 */
#ifndef ENGINE_PROCESS_TEST_ROOM_H
#define ENGINE_PROCESS_TEST_ROOM_H

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine/journal.h"
#include "link/process.h"
#include "wire/command.h"
#include "wire/message.h"

struct tried {
	char		 dir[64];
	pid_t		 pid;
	int		 control;
	int		 link;		/* we are `as` */
	enum room	 as;
	uint64_t	 tags;
	unsigned char	 in[(size_t)4 << 20];
	size_t		 in_at, in_end;
};

static inline void
room_fail(const char *what)
{
	printf("not ok %s: %s\n", what, strerror(errno));
	exit(1);
}

static inline int64_t
room_now_ms(void)
{
	struct timespec	 t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static inline void
room_write(int fd, const void *bytes, size_t len)
{
	const char	*p = bytes;
	ssize_t		 n;

	for (; len > 0; p += n, len -= (size_t)n) {
		if ((n = send(fd, p, len, MSG_NOSIGNAL)) < 0)
			room_fail("writing");
	}
}

/* One frame; `fd` is an open socket with it, or -1. */
static inline void
room_put(int to, const struct message *m, int fd)
{
	unsigned char	*frame = malloc(message_room(m));
	union {
		struct cmsghdr	 align;
		char		 buf[CMSG_SPACE(sizeof(int))];
	}		 space = { .buf = "" };
	struct iovec	 v = { frame, 0 };
	struct msghdr	 h = { .msg_iov = &v, .msg_iovlen = 1 };
	struct cmsghdr	*c;

	if (frame == NULL)
		room_fail("memory");
	v.iov_len = message_pack(m, frame);
	if (fd == -1) {
		room_write(to, frame, v.iov_len);
		free(frame);
		return;
	}
	h.msg_control = space.buf;
	h.msg_controllen = sizeof(space.buf);
	c = CMSG_FIRSTHDR(&h);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	if (sendmsg(to, &h, MSG_NOSIGNAL) != (ssize_t)v.iov_len)
		room_fail("sending a socket");
	free(frame);
}

static inline void
room_speak(struct tried *r)
{
	struct message	 m;

	message_clear(&m, MESSAGE_SPOKEN, 0);
	m.number = MESSAGE_VERSION;
	room_put(r->link, &m, -1);
}

/* A new link, as whoever we are. */
static inline void
room_link(struct tried *r, enum room as)
{
	struct message	 m;
	int		 fds[2];

	if (r->link != -1)
		(void)close(r->link);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		room_fail("socketpair");
	message_clear(&m, MESSAGE_SOCKET, 0);
	m.status = SOCKET_LINK;
	m.number = as;
	room_put(r->control, &m, fds[1]);
	(void)close(fds[1]);
	r->link = fds[0];
	r->as = as;
	r->in_at = r->in_end = 0;
	room_speak(r);
}

/* Its configuration: the folder, and `more` lines. */
static inline void
room_start(struct tried *r, const char *more, bool only_reads)
{
	struct message	 m;
	char		 conf[512];
	int		 fds[2];

	(void)fflush(stdout);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0 ||
	    (r->pid = fork()) == -1)
		room_fail("fork");
	if (r->pid == 0) {
		(void)close(fds[0]);
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(engine_main(fds[1]));
	}
	(void)close(fds[1]);
	r->control = fds[0];
	r->link = -1;
	message_clear(&m, MESSAGE_CONFIG, 0);
	m.number = only_reads ? 1 : 0;
	(void)snprintf(conf, sizeof(conf), "data %s\nnetwork regtest\n"
	    "policy %s/policy\n%s", r->dir, r->dir, more);
	m.body = text_of(conf);
	room_put(r->control, &m, -1);
	room_link(r, ROOM_AUTH);
}

/* How it ended, as waitpid() says. */
static inline int
room_wait(struct tried *r)
{
	int	 status = -1;

	(void)waitpid(r->pid, &status, 0);
	(void)close(r->control);
	(void)close(r->link);
	r->control = r->link = -1;
	r->pid = 0;
	return status;
}

static inline int
room_kill(struct tried *r)
{
	(void)kill(r->pid, SIGKILL);
	return room_wait(r);
}

static inline int
room_stop(struct tried *r)
{
	struct message	 m;

	message_clear(&m, MESSAGE_STOP, 0);
	room_put(r->control, &m, -1);
	return room_wait(r);
}

/*
 * The next frame within `ms`; false: none came, or it is gone.  Texts are
 * good until the next call.
 */
static inline bool
room_get(struct tried *r, struct message *m, int ms)
{
	struct pollfd	 p = { r->link, POLLIN, 0 };
	struct err	 e;
	ssize_t		 n;
	size_t		 len;

	for (;;) {
		if (message_len(&len, r->in + r->in_at, r->in_end - r->in_at,
		    &e) != RC_OK)
			room_fail(e.text);
		if (len != 0 && len <= r->in_end - r->in_at)
			break;
		memmove(r->in, r->in + r->in_at, r->in_end - r->in_at);
		r->in_end -= r->in_at;
		r->in_at = 0;
		if (poll(&p, 1, ms) != 1 || (n = recv(r->link, r->in +
		    r->in_end, sizeof(r->in) - r->in_end, 0)) <= 0)
			return false;
		r->in_end += (size_t)n;
	}
	if (message_unpack(m, r->in + r->in_at, len, &e) != RC_OK)
		room_fail(e.text);
	r->in_at += len;
	return true;
}

/* The next frame of a type; what comes before it is dropped. */
static inline bool
room_get_type(struct tried *r, struct message *m, enum message_type type,
    int ms)
{
	while (room_get(r, m, ms)) {
		if (m->type == type)
			return true;
	}
	return false;
}

/* A message that carries a command, appended to *buf; returns its length. */
static inline size_t
room_pack(struct tried *r, unsigned char *buf, enum message_type type,
    enum endpoint endpoint, const struct command *c)
{
	static unsigned char	 open[65536], sealed[65536];
	struct message		 m;
	size_t			 open_len, sealed_len;

	command_pack(c, open, &open_len, sealed, &sealed_len);
	message_clear(&m, type, ++r->tags);
	m.endpoint = endpoint;
	m.account = c->account;
	m.open.p = (const char *)open;
	m.open.len = open_len;
	m.sealed.p = (const char *)sealed;
	m.sealed.len = sealed_len;
	return message_pack(&m, buf);
}

/* Ask and await the answer. */
static inline bool
room_take(struct tried *r, struct message *out, enum endpoint endpoint,
    const struct command *c)
{
	static unsigned char	 frame[262144];

	room_write(r->link, frame, room_pack(r, frame, MESSAGE_TAKE,
	    endpoint, c));
	while (room_get_type(r, out, MESSAGE_ANSWER, 20000)) {
		if (out->tag == r->tags)
			return true;
	}
	return false;
}

/* The journal itself, while nobody has it. */
static inline struct journal *
room_journal(struct tried *r, bool create, int64_t t_ms)
{
	char			 url[128], policy[128];
	struct journal_config	 cfg = { .url = url, .policy_path = policy,
		.create = create, .network = 3, .t_ms = t_ms,
		.receipt_at_release = true };
	struct journal		*j;
	struct err		 e;

	(void)snprintf(url, sizeof(url), "%s/journal.db", r->dir);
	(void)snprintf(policy, sizeof(policy), "%s/policy", r->dir);
	if (journal_open(&j, &cfg, &e) != RC_OK)
		room_fail(e.text);
	return j;
}

static inline void
room_ignore(void *ctx, const struct outcome *o)
{
	(void)ctx;
	(void)o;
}

static inline void
room_tell(struct journal *j, const struct command *c)
{
	struct engine_sink	 sink = { room_ignore, NULL };
	struct err		 e;
	uint64_t		 seq;

	if (journal_take(j, c, &sink, &seq, &e) != RC_OK)
		room_fail(e.text);
}

static inline void
room_close(struct journal *j)
{
	struct err	 e;

	if (journal_close(&j, &e) != RC_OK)
		room_fail(e.text);
}

#endif
