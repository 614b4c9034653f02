/*
 * A child's side of its control: a stream socket to drawbridged, over which
 * frames and open sockets come.
 *
 * Whoever is at the other end started us and may do what he likes, so what
 * comes is read strictly, but there is nobody to refuse it to: a mistake is
 * a bug, and this process ends and is started again.
 */
#include "link/process.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"

#define CONTROL_ROOM	((size_t)64 << 10)	/* a configuration fits */
#define SOCKETS_MAX	16	/* that came and whose frame is not read */
#define ALIVE_MS	1000

struct process_inner {
	uv_loop_t	 loop;
	uv_poll_t	 poll;
	uv_timer_t	 alive;
	const struct process_hooks *hooks;
	bool		 begun;		/* the configuration came */
	bool		 ended;
	int		 status;
	unsigned char	 in[CONTROL_ROOM];
	size_t		 in_end;
	int		 fds[SOCKETS_MAX];
	int		 n_fds;
};

static int
first_fd(struct process_inner *in)
{
	int	 fd = in->fds[0];

	in->n_fds--;
	memmove(in->fds, in->fds + 1, (size_t)in->n_fds * sizeof(in->fds[0]));
	return fd;
}

/* What arrives */

static enum rc
take_config(struct process *p, const struct message *m, struct err *e)
{
	if (p->inner->begun)
		return err_set(e, "a configuration for the second time");
	p->only_reads = m->number == 1;
	p->inner->begun = true;
	return config_parse(&p->config, "configuration", m->body.p,
	    m->body.len, e);
}

static enum rc
take_socket(struct process *p, const struct message *m, struct err *e)
{
	const struct process_hooks	*h = p->inner->hooks;
	int				 fd;

	if (p->inner->n_fds == 0)
		return err_set(e, "a socket that did not come");
	if (m->status < SOCKET_LINK || m->status > SOCKET_LOCAL)
		return err_set(e, "a socket for nothing that we know");
	if (m->status == SOCKET_LINK &&
	    (m->number <= ROOM_PARENT || m->number >= ROOM__COUNT))
		return err_set(e, "a link to nobody");
	fd = first_fd(p->inner);
	h->socket(h->ctx, (enum process_socket)m->status,
	    m->status == SOCKET_LINK ? (enum room)m->number : ROOM_PARENT,
	    fd);
	return RC_OK;
}

static enum rc
take_reload(struct process *p, const struct message *m, struct err *e)
{
	const struct process_hooks	*h = p->inner->hooks;
	struct config			 c;

	if (config_parse(&c, "configuration", m->body.p, m->body.len, e) !=
	    RC_OK)
		return RC_FAILED;
	p->config = c;
	if (h->reload != NULL)
		h->reload(h->ctx, &p->config);
	return RC_OK;
}

static void
take_stop(struct process *p)
{
	const struct process_hooks	*h = p->inner->hooks;

	if (h->stop != NULL)
		h->stop(h->ctx);
	else
		process_end(p, 0);
}

static enum rc
take(struct process *p, const unsigned char *frame, size_t len, struct err *e)
{
	enum message_type	 type = (enum message_type)frame[4];
	struct message		 m;

	if (!message_allowed(type, ROOM_PARENT, p->self))
		return err_set(e, "may not say `%s` (%d)", message_text(type),
		    (int)type);
	if (!p->inner->begun && type != MESSAGE_CONFIG)
		return err_set(e, "`%s` before a configuration",
		    message_text(type));
	if (message_unpack(&m, frame, len, e) != RC_OK)
		return RC_FAILED;
	if (type == MESSAGE_CONFIG)
		return take_config(p, &m, e);
	if (type == MESSAGE_SOCKET)
		return take_socket(p, &m, e);
	if (type == MESSAGE_RELOAD)
		return take_reload(p, &m, e);
	if (type == MESSAGE_STOP) {
		take_stop(p);
		return RC_OK;
	}
	return err_set(e, "`%s` is not expected here", message_text(type));
}

/* Whole frames.  Before there are hooks only the first is taken. */
static enum rc
take_frames(struct process *p, struct err *e)
{
	struct process_inner	*in = p->inner;
	size_t			 at = 0, len = 0;
	enum rc			 rc = RC_OK;

	while (rc == RC_OK && !in->ended &&
	    (!in->begun || in->hooks != NULL)) {
		rc = message_len(&len, in->in + at, in->in_end - at, e);
		if (rc != RC_OK || len == 0 || len > in->in_end - at)
			break;
		rc = take(p, in->in + at, len, e);
		at += len;
	}
	if (rc == RC_OK && len > sizeof(in->in))
		rc = err_set(e, "a message of %zu bytes", len);
	memmove(in->in, in->in + at, in->in_end - at);
	in->in_end -= at;
	return rc;
}

static enum rc
take_fds(struct process_inner *in, struct msghdr *h, struct err *e)
{
	struct cmsghdr	*c;
	size_t		 n, i;
	enum rc		 rc = RC_OK;
	int		 fd;

	for (c = CMSG_FIRSTHDR(h); c != NULL; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int),
			    sizeof(fd));
			if (in->n_fds < SOCKETS_MAX) {
				in->fds[in->n_fds++] = fd;
				continue;
			}
			(void)close(fd);
			rc = err_set(e, "too many sockets at once");
		}
	}
	if ((h->msg_flags & MSG_CTRUNC) != 0)
		rc = err_set(e, "sockets got lost");
	return rc;
}

/* One read; *more_out false: nothing is there. */
static enum rc
read_control(struct process *p, int flags, bool *more_out, struct err *e)
{
	struct process_inner	*in = p->inner;
	union {
		struct cmsghdr	 align;
		char		 buf[CMSG_SPACE(4 * sizeof(int))];
	}			 space;
	struct iovec		 v = { in->in + in->in_end,
				    sizeof(in->in) - in->in_end };
	struct msghdr		 h = { .msg_iov = &v, .msg_iovlen = 1,
				    .msg_control = space.buf,
				    .msg_controllen = sizeof(space.buf) };
	ssize_t			 n;

	*more_out = false;
	do
		n = recvmsg(p->control, &h, flags | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return RC_OK;
	if (n < 0)
		return err_set(e, "%s", strerror(errno));
	if (n == 0)
		return err_set(e, "it is gone");
	in->in_end += (size_t)n;
	*more_out = true;
	return take_fds(in, &h, e);
}

static void
control_cb(uv_poll_t *h, int status, int events)
{
	struct process	*p = h->data;
	struct err	 e = { "" };
	bool		 more = true;
	enum rc		 rc = RC_OK;

	(void)events;
	(void)status;	/* what reading says is more exact */
	while (rc == RC_OK && more && !p->inner->ended) {
		rc = read_control(p, MSG_DONTWAIT, &more, &e);
		if (rc == RC_OK && more)
			rc = take_frames(p, &e);
	}
	if (rc == RC_OK)
		return;
	/* Alone nobody would stop us, nor start what we need. */
	log_event(LOG_BROKEN, "ends", "why", 's', e.text, "at", 's',
	    "control", NULL);
	process_end(p, 1);
}

/* What is said */

static void
say(struct process *p, enum message_type type)
{
	unsigned char	 frame[1024];
	struct message	 m;
	size_t		 len;
	ssize_t		 n;

	message_clear(&m, type, 0);
	assert(message_room(&m) <= sizeof(frame));
	len = message_pack(&m, frame);
	n = send(p->control, frame, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	/* Full: drawbridged is stuck and will hear enough of them later.  A
	 * part of a frame would be a mistake for ever, but a socket of its
	 * size takes one this small whole or not at all. */
	if (n < 0 && errno != EAGAIN && errno != EPIPE)
		log_event(LOG_ODD, "unheard", "why", 's', strerror(errno),
		    NULL);
}

static void
alive_cb(uv_timer_t *t)
{
	say(t->data, MESSAGE_ALIVE);
}

void
process_ready(struct process *p)
{
	say(p, MESSAGE_READY);
}

void
process_alive(struct process *p)
{
	say(p, MESSAGE_ALIVE);
}

/* Begin, run, end */

/* A terminal's ^C goes to every process of its group, but only drawbridged
 * decides in which order they stop. */
static void
ignore_signals(void)
{
	static const int	 ignored[] = { SIGPIPE, SIGINT, SIGTERM,
				    SIGHUP };
	size_t			 i;

	for (i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		(void)signal(ignored[i], SIG_IGN);
}

static enum rc
begin(struct process *p, enum room self, int control, struct err *e)
{
	struct process_inner	*in = calloc(1, sizeof(*in));
	bool			 more;
	int			 failed;

	if (in == NULL)
		return err_set(e, "no memory");
	p->self = self;
	p->control = control;
	p->inner = in;
	p->loop = &in->loop;
	(void)fcntl(control, F_SETFD, FD_CLOEXEC);
	if ((failed = uv_loop_init(&in->loop)) != 0)
		return err_set(e, "a loop: %s", uv_strerror(failed));
	while (!in->begun) {
		if (read_control(p, 0, &more, e) != RC_OK ||
		    take_frames(p, e) != RC_OK)
			return err_wrap(e, RC_FAILED, "control");
	}
	return RC_OK;
}

enum rc
process_begin(struct process *p, enum room self, int control, struct err *e)
{
	memset(p, 0, sizeof(*p));
	log_begin(room_text(self), LOG_INFO_);
	ignore_signals();
	if (begin(p, self, control, e) == RC_OK)
		return RC_OK;
	log_event(LOG_BROKEN, "ends", "why", 's', e->text, NULL);
	return RC_FAILED;
}

int
process_run(struct process *p, const struct process_hooks *h)
{
	struct process_inner	*in = p->inner;
	struct err		 e = { "" };
	int			 failed;

	in->hooks = h;
	failed = uv_poll_init(&in->loop, &in->poll, p->control);
	assert(failed == 0);
	failed = uv_timer_init(&in->loop, &in->alive);
	assert(failed == 0);
	in->poll.data = in->alive.data = p;
	failed = uv_poll_start(&in->poll, UV_READABLE, control_cb);
	assert(failed == 0);
	failed = uv_timer_start(&in->alive, alive_cb, 0, ALIVE_MS);
	assert(failed == 0);
	/* Behind the configuration more may have been read already. */
	if (take_frames(p, &e) != RC_OK) {
		log_event(LOG_BROKEN, "ends", "why", 's', e.text, "at", 's',
		    "control", NULL);
		process_end(p, 1);
	}
	if (!in->ended)
		(void)uv_run(&in->loop, UV_RUN_DEFAULT);
	return in->status;
}

void
process_end(struct process *p, int status)
{
	p->inner->ended = true;
	p->inner->status = status;
	uv_stop(&p->inner->loop);
}
