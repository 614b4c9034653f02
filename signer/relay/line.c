#define _GNU_SOURCE
#include "signer/relay/line.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/secret.h"
#include "link/pinned.h"
#include "link/stream.h"
#include "wire/bytes.h"
#include "wire/sign.h"

#define JOINED		LINE_CLIENTS		/* its place */
#define PLACES		(LINE_CLIENTS + 1)
#define ROOM_FIRST	((size_t)2048)		/* lib/secret.h's largest */
#define SHAKE_MS	10000			/* a handshake */
#define STALL_MS	30000			/* without a byte */
#define FRAME_MS	300000			/* a whole frame */
#define ABSENT_MS	20000			/* nobody at the other end */
#define SILENT_MS	600000			/* no answer: to be unlocked it
						 * reads its whole journal */
#define ACCEPTS		8			/* a turn */

/* Bytes of a frame that comes or goes. */
struct buffer {
	unsigned char	*p;
	size_t		 room;
	size_t		 len;		/* that are there */
	size_t		 at;		/* of them written */
	bool		 secret;	/* in locked memory */
};

enum client_state {
	CLIENT_NONE,
	CLIENT_SHAKING,
	CLIENT_READING,
	CLIENT_QUEUED,
	CLIENT_ASKED,
	CLIENT_ANSWERING,
};

struct client {
	enum client_state state;
	struct stream	 s;
	struct buffer	 b;
	uint64_t	 tag;		/* its own */
	uint64_t	 queued;	/* its number in the queue */
	int64_t		 began_ms;	/* this frame, or this connection */
	int64_t		 moved_ms;	/* the last byte */
};

enum far_state { FAR_NONE, FAR_IDLE, FAR_ASKING, FAR_ANSWERING };

struct line {
	struct line_config conf;
	struct client	 clients[PLACES];
	size_t		 held;		/* bytes of all clients' buffers */
	uint64_t	 queue_end;
	/* The other end. */
	enum far_state	 far;
	int		 fd;
	struct buffer	 b;
	struct client	*asks;		/* NULL: it is gone, or the probe */
	uint64_t	 tag;
	int64_t		 asked_ms;
	bool		 probing;	/* at its start it may take long */
	int64_t		 absent_ms;	/* since when there is nobody */
	bool		 ready;
	bool		 is_broken;
	struct err	 why;
};

/* Buffers: each is wiped when it goes, and small ones of a custodian, which
 * may hold a passphrase, are locked in memory. */

static void
buffer_free(struct line *l, struct buffer *b)
{
	l->held -= b->room;
	if (b->secret) {
		secret_free(b->p, b->room);
	} else if (b->p != NULL) {
		explicit_bzero(b->p, b->room);
		free(b->p);
	}
	memset(b, 0, sizeof(*b));
}

static bool
buffer_reserve(struct line *l, struct buffer *b, size_t room)
{
	struct buffer	 next = { .room = room, .len = b->len, .at = b->at };

	if (room <= b->room)
		return true;
	next.secret = l->conf.custodian && room <= ROOM_FIRST;
	next.p = next.secret ? secret_new(room) : malloc(room);
	if (next.p == NULL)
		return false;
	if (b->len > 0)
		memcpy(next.p, b->p, b->len);
	l->held += room;
	buffer_free(l, b);
	*b = next;
	return true;
}

static void	 client_end(struct line *l, struct client *c,
    const char *why);

/* Is there so much left?  At the cost of whoever is in the middle of a frame
 * and has not moved for longest, if need be. */
static bool
have_left(struct line *l, size_t more, size_t max, const struct client *but)
{
	struct client	*c, *worst;
	size_t		 i;

	while (l->held + more > max) {
		worst = NULL;
		for (i = 0; i < PLACES; i++) {
			c = &l->clients[i];
			if (c != but && c->b.room > ROOM_FIRST &&
			    (c->state == CLIENT_READING ||
			    c->state == CLIENT_ANSWERING) && (worst == NULL ||
			    c->moved_ms < worst->moved_ms))
				worst = c;
		}
		if (worst == NULL)
			return false;
		client_end(l, worst, "too much is held for all");
	}
	return true;
}

/*
 * Room for more of a frame of `want` bytes (0: not known yet): as the bytes
 * come, not because its head says so.  `c` NULL: the other end's.
 */
static bool
buffer_more(struct line *l, struct buffer *b, size_t want,
    const struct client *c)
{
	size_t	 room = b->room == 0 ? ROOM_FIRST : b->room * 2;

	if (b->len < b->room)
		return true;
	if (want > 0 && room > want)
		room = want;
	return have_left(l, room, c != NULL ? LINE_ASKED_MAX :
	    LINE_BYTES_MAX, c) && buffer_reserve(l, b, room);
}

/*
 * The next bytes of one frame and none of the next one's.  1: it is whole; 0:
 * later; -1: no frame, gone, or no room.
 */
static int
frame_read(struct line *l, struct buffer *b, struct stream *s,
    const struct client *c, bool *moved, struct err *why)
{
	size_t	 want, room;
	ssize_t	 n;

	for (;;) {
		if (sign_message_len(&want, b->p, b->len, why) != RC_OK)
			return -1;
		if (want > 0 && b->len == want)
			return 1;
		if (!buffer_more(l, b, want, c)) {
			(void)err_set(why, "too much is held already");
			return -1;
		}
		room = (want > 0 ? want : 4) - b->len;
		if (room > b->room - b->len)
			room = b->room - b->len;
		n = stream_read(s, b->p + b->len, room, why);
		if (n <= 0)
			return (int)n;
		b->len += (size_t)n;
		*moved = true;
	}
}

/* 1: all is written. */
static int
frame_write(struct buffer *b, struct stream *s, bool *moved, struct err *why)
{
	ssize_t	 n;

	while (b->at < b->len) {
		n = stream_write(s, b->p + b->at, b->len - b->at, why);
		if (n <= 0)
			return (int)n;
		b->at += (size_t)n;
		*moved = true;
	}
	return 1;
}

/* Clients */

static void
client_end(struct line *l, struct client *c, const char *why)
{
	if (c->state == CLIENT_NONE)
		return;
	if (why != NULL)
		log_event(LOG_INFO_, "cut", "line", 's', l->conf.name, "why",
		    's', why, NULL);
	if (l->asks == c)
		l->asks = NULL;
	stream_end(&c->s);
	buffer_free(l, &c->b);
	memset(c, 0, sizeof(*c));
	c->s.fd = -1;
}

static void
client_write(struct line *l, struct client *c, int64_t now_ms)
{
	struct err	 why;
	bool		 moved = false;
	int		 n = frame_write(&c->b, &c->s, &moved, &why);

	if (moved)
		c->moved_ms = now_ms;
	if (n < 0) {
		client_end(l, c, why.text);
	} else if (n == 1) {
		buffer_free(l, &c->b);
		c->state = CLIENT_READING;
		c->s.wants = POLLIN;
		c->began_ms = now_ms;
	}
}

static void
client_answer(struct line *l, struct client *c, int64_t now_ms)
{
	c->state = CLIENT_ANSWERING;
	c->s.wants = POLLOUT;
	c->began_ms = c->moved_ms = now_ms;
	client_write(l, c, now_ms);
}

static void
client_refuse(struct line *l, struct client *c, enum sign_refusal refusal,
    const char *why, int64_t now_ms)
{
	struct sign_message	 m;

	sign_message_clear(&m, SIGN_REFUSED, c->tag);
	m.refusal = refusal;
	m.reason = text_of(why);
	buffer_free(l, &c->b);
	if (!buffer_reserve(l, &c->b, sign_message_room(&m))) {
		client_end(l, c, "no memory");
		return;
	}
	c->b.len = sign_message_pack(&m, c->b.p);
	client_answer(l, c, now_ms);
}

/* A whole frame is there. */
static void
client_ask(struct line *l, struct client *c, int64_t now_ms)
{
	enum sign_type	 type = (enum sign_type)c->b.p[4];
	char		 why[128];

	c->tag = get_le64(c->b.p + 5);
	if (!sign_allowed(type, l->conf.custodian)) {
		const char	*name = sign_type_text(type);

		(void)snprintf(why, sizeof(why), "`%s` (%d) may not be said "
		    "here", name != NULL ? name : "?", (int)type);
		client_refuse(l, c, SIGN_REFUSE_PERMISSION, why, now_ms);
		return;
	}
	c->state = CLIENT_QUEUED;
	c->queued = ++l->queue_end;
	c->began_ms = now_ms;
}

static void
client_read(struct line *l, struct client *c, int64_t now_ms)
{
	struct err	 why;
	bool		 moved = false, first = c->b.len == 0;
	int		 n = frame_read(l, &c->b, &c->s, c, &moved, &why);

	if (moved) {
		c->moved_ms = now_ms;
		if (first)
			c->began_ms = now_ms;
	}
	if (n < 0)
		client_end(l, c, c->b.len == 0 ? NULL : why.text);
	else if (n == 1)
		client_ask(l, c, now_ms);
}

static void
client_shake(struct line *l, struct client *c, int64_t now_ms)
{
	char		 hex[PINNED_HEX + 1];
	struct err	 why;
	int		 n = stream_shake(&c->s, &why);

	if (n == 0)
		return;
	if (n < 0) {
		client_end(l, c, why.text);
		return;
	}
	if (!pinned_peer(hex, c->s.ssl)) {
		client_end(l, c, "no certificate");
		return;
	}
	log_event(LOG_INFO_, "connected", "line", 's', l->conf.name, "pin",
	    's', hex, NULL);
	c->state = CLIENT_READING;
	c->began_ms = c->moved_ms = now_ms;
	client_read(l, c, now_ms);
}

/* Of those who have said nothing the one who has been silent longest; first
 * of all one who is not known yet. */
static struct client *
make_place(struct line *l)
{
	struct client	*c, *worst = NULL;
	size_t		 i;

	for (i = 0; i < LINE_CLIENTS; i++) {
		c = &l->clients[i];
		if (c->state == CLIENT_NONE)
			return c;
		if (c->state != CLIENT_SHAKING && (c->state !=
		    CLIENT_READING || c->b.len > 0))
			continue;
		if (worst == NULL || (c->state == CLIENT_SHAKING &&
		    worst->state != CLIENT_SHAKING) ||
		    (c->state == worst->state && c->moved_ms <
		    worst->moved_ms))
			worst = c;
	}
	if (worst != NULL)
		client_end(l, worst, "another came, and there is no more "
		    "room");
	return worst;
}

static void
client_begin(struct line *l, struct client *c, int fd, int64_t now_ms)
{
	struct err	 why;

	if (stream_begin(&c->s, fd, l->conf.tls, true, &why) != RC_OK) {
		log_event(LOG_ODD, "not-taken", "line", 's', l->conf.name,
		    "why", 's', why.text, NULL);
		return;
	}
	c->state = c->s.ssl != NULL ? CLIENT_SHAKING : CLIENT_READING;
	c->began_ms = c->moved_ms = now_ms;
}

static void
accept_some(struct line *l, int64_t now_ms)
{
	struct client	*c;
	int		 fd, i, one = 1;

	for (i = 0; i < ACCEPTS; i++) {
		fd = accept4(l->conf.listener, NULL, NULL, SOCK_NONBLOCK |
		    SOCK_CLOEXEC);
		if (fd == -1)
			return;
		if ((c = make_place(l)) == NULL) {
			(void)close(fd);
			continue;
		}
		if (l->conf.tls != NULL) {
			(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one,
			    sizeof(one));
			(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one,
			    sizeof(one));
		}
		client_begin(l, c, fd, now_ms);
	}
}

void
line_join(struct line *l, int fd, int64_t now_ms)
{
	struct client	*c = &l->clients[JOINED];

	client_end(l, c, NULL);
	client_begin(l, c, fd, now_ms);
}

/* The other end */

static void
far_end(struct line *l, int64_t now_ms, const char *told)
{
	struct client	*c = l->asks;

	if (l->fd == -1)
		return;
	(void)close(l->fd);
	l->fd = -1;
	l->far = FAR_NONE;
	l->ready = false;
	l->absent_ms = now_ms;
	l->asks = NULL;
	buffer_free(l, &l->b);
	if (c != NULL)
		client_refuse(l, c, SIGN_REFUSE_FAILED, told, now_ms);
}

static void PRINTF(3, 4)
far_break(struct line *l, int64_t now_ms, const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	(void)vsnprintf(l->why.text, sizeof(l->why.text), fmt, ap);
	va_end(ap);
	l->is_broken = true;
	far_end(l, now_ms, "the signer failed before it answered; what was "
	    "asked may be counted: ask the same again");
}

static struct stream
far_stream(const struct line *l)
{
	struct stream	 s = { .fd = l->fd, .ssl = NULL, .wants = 0 };

	return s;
}

static void	 far_next(struct line *l, int64_t now_ms);

static void
far_write(struct line *l, int64_t now_ms)
{
	struct stream	 s = far_stream(l);
	struct err	 why;
	bool		 moved;
	int		 n = frame_write(&l->b, &s, &moved, &why);

	if (n < 0) {
		far_end(l, now_ms, "the signer ended; ask again");
	} else if (n == 1) {
		buffer_free(l, &l->b);
		l->far = FAR_ANSWERING;
	}
}

static void
far_ask(struct line *l, struct client *c, int64_t now_ms)
{
	put_le64(l->b.p + 5, ++l->tag);
	l->asks = c;
	l->asked_ms = now_ms;
	l->far = FAR_ASKING;
	far_write(l, now_ms);
}

/* Whose turn it is. */
static void
far_next(struct line *l, int64_t now_ms)
{
	struct client	*c, *next = NULL;
	size_t		 i;

	if (l->far != FAR_IDLE)
		return;
	for (i = 0; i < PLACES; i++) {
		c = &l->clients[i];
		if (c->state == CLIENT_QUEUED && (next == NULL ||
		    c->queued < next->queued))
			next = c;
	}
	if (next == NULL)
		return;
	l->b = next->b;
	l->b.at = 0;
	memset(&next->b, 0, sizeof(next->b));
	next->state = CLIENT_ASKED;
	far_ask(l, next, now_ms);
}

static void
far_answered(struct line *l, int64_t now_ms)
{
	struct client	*c = l->asks;
	enum sign_type	 type = (enum sign_type)l->b.p[4];

	if ((type != SIGN_DONE && type != SIGN_REFUSED) ||
	    get_le64(l->b.p + 5) != l->tag) {
		far_break(l, now_ms, "an answer (%d) to nothing that was "
		    "asked", (int)type);
		return;
	}
	l->far = FAR_IDLE;
	l->ready = true;
	l->probing = false;
	l->asks = NULL;
	if (c == NULL) {
		buffer_free(l, &l->b);
	} else {
		put_le64(l->b.p + 5, c->tag);
		c->b = l->b;
		c->b.at = 0;
		memset(&l->b, 0, sizeof(l->b));
		client_answer(l, c, now_ms);
	}
	far_next(l, now_ms);
}

static void
far_read(struct line *l, int64_t now_ms)
{
	struct stream	 s = far_stream(l);
	struct err	 why;
	bool		 moved;
	char		 byte;
	int		 n;

	if (l->far != FAR_ANSWERING) {
		/* Nobody asked: its end, or noise. */
		n = (int)recv(l->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
		if (n > 0)
			far_break(l, now_ms, "it speaks unasked");
		else if (n == 0 || (errno != EAGAIN && errno != EINTR))
			far_end(l, now_ms, "the signer ended; ask again");
		return;
	}
	n = frame_read(l, &l->b, &s, NULL, &moved, &why);
	if (n == 1)
		far_answered(l, now_ms);
	else if (n < 0 && strcmp(why.text, "gone") == 0)
		far_end(l, now_ms, "the signer ended before it answered; "
		    "what was asked may be counted: ask the same again");
	else if (n < 0)
		far_break(l, now_ms, "%s", why.text);
}

void
line_upstream(struct line *l, int fd, int64_t now_ms)
{
	struct sign_message	 m;

	far_end(l, now_ms, "the signer was started anew; ask again");
	l->fd = fd;
	l->far = FAR_IDLE;
	l->is_broken = false;
	if (!l->conf.probe) {
		l->ready = true;
		far_next(l, now_ms);
		return;
	}
	sign_message_clear(&m, SIGN_STATUS, 0);
	if (!buffer_reserve(l, &l->b, sign_message_room(&m))) {
		far_break(l, now_ms, "no memory");
		return;
	}
	l->b.len = sign_message_pack(&m, l->b.p);
	l->probing = true;
	far_ask(l, NULL, now_ms);
}

bool
line_ready(const struct line *l)
{
	return l->ready;
}

bool
line_connected(const struct line *l)
{
	return l->fd != -1;
}

bool
line_broken(struct line *l, struct err *why)
{
	if (!l->is_broken)
		return false;
	l->is_broken = false;
	*why = l->why;
	return true;
}

/* The whole */

enum rc
line_new(struct line **out, const struct line_config *c, struct err *e)
{
	struct line	*l = calloc(1, sizeof(*l));
	size_t		 i;

	assert(*out == NULL);
	if (l == NULL)
		return err_set(e, "no memory");
	l->conf = *c;
	l->fd = -1;
	for (i = 0; i < PLACES; i++)
		l->clients[i].s.fd = -1;
	*out = l;
	return RC_OK;
}

void
line_free(struct line **lp)
{
	struct line	*l = *lp;
	size_t		 i;

	*lp = NULL;
	if (l == NULL)
		return;
	for (i = 0; i < PLACES; i++)
		client_end(l, &l->clients[i], NULL);
	if (l->fd != -1)
		(void)close(l->fd);
	buffer_free(l, &l->b);
	free(l);
}

void
line_fds(const struct line *l, struct pollfd *p)
{
	size_t	 i;

	memset(p, 0, LINE_FDS * sizeof(*p));
	for (i = 0; i < PLACES; i++) {
		const struct client	*c = &l->clients[i];

		p[i].fd = c->s.fd;
		/* One whose question waits is only watched for its end. */
		if (c->state != CLIENT_QUEUED && c->state != CLIENT_ASKED)
			p[i].events = c->s.wants;
	}
	p[PLACES].fd = l->conf.listener;
	p[PLACES].events = POLLIN;
	p[PLACES + 1].fd = l->fd;
	p[PLACES + 1].events = l->far == FAR_ASKING ? POLLIN | POLLOUT :
	    POLLIN;
}

static void
client_serve(struct line *l, struct client *c, short came, int64_t now_ms)
{
	if (came == 0)
		return;
	switch (c->state) {
	case CLIENT_NONE:
		break;
	case CLIENT_SHAKING:
		client_shake(l, c, now_ms);
		break;
	case CLIENT_READING:
		client_read(l, c, now_ms);
		break;
	case CLIENT_QUEUED:
	case CLIENT_ASKED:
		if ((came & (POLLHUP | POLLERR)) != 0)
			client_end(l, c, "gone before its answer");
		break;
	case CLIENT_ANSWERING:
		client_write(l, c, now_ms);
		break;
	}
}

void
line_serve(struct line *l, const struct pollfd *p, int64_t now_ms)
{
	const struct pollfd	*far = &p[PLACES + 1];
	size_t			 i;

	if (far->revents != 0 && far->fd == l->fd && l->fd != -1) {
		if (l->far == FAR_ASKING && (far->revents & POLLOUT) != 0)
			far_write(l, now_ms);
		if (l->fd != -1 && (far->revents & (POLLIN | POLLHUP |
		    POLLERR)) != 0)
			far_read(l, now_ms);
	}
	for (i = 0; i < PLACES; i++) {
		if (p[i].fd != -1 && p[i].fd == l->clients[i].s.fd)
			client_serve(l, &l->clients[i], p[i].revents,
			    now_ms);
	}
	if (p[PLACES].revents != 0)
		accept_some(l, now_ms);
	far_next(l, now_ms);
}

/* What this client has too long not done; NULL: nothing. */
static const char *
too_long(const struct client *c, int64_t now_ms)
{
	switch (c->state) {
	case CLIENT_NONE:
	case CLIENT_QUEUED:
	case CLIENT_ASKED:
		return NULL;
	case CLIENT_SHAKING:
		return now_ms - c->began_ms > SHAKE_MS ?
		    "its handshake takes too long" : NULL;
	case CLIENT_READING:
		if (c->b.len == 0)
			return NULL;
		return now_ms - c->moved_ms > STALL_MS ||
		    now_ms - c->began_ms > FRAME_MS ?
		    "its question takes too long" : NULL;
	case CLIENT_ANSWERING:
		return now_ms - c->moved_ms > STALL_MS ||
		    now_ms - c->began_ms > FRAME_MS ?
		    "it does not read its answer" : NULL;
	}
	return NULL;
}

int
line_turn(struct line *l, int64_t now_ms)
{
	bool	 busy = l->far == FAR_ASKING || l->far == FAR_ANSWERING;
	bool	 more = false;
	size_t	 i;

	/* With many before us in another queue it may be long; who measures
	 * is who asks the signer itself. */
	if (busy && l->conf.probe && !l->probing &&
	    now_ms - l->asked_ms > SILENT_MS)
		far_break(l, now_ms, "no answer in %d s", SILENT_MS / 1000);
	for (i = 0; i < PLACES; i++) {
		struct client	*c = &l->clients[i];
		const char	*why = too_long(c, now_ms);

		if (why != NULL) {
			client_end(l, c, why);
		} else if (c->state == CLIENT_READING &&
		    stream_pending(&c->s)) {
			/* TLS has it already: the socket would not tell. */
			client_read(l, c, now_ms);
			more = true;
		} else if (c->state == CLIENT_QUEUED && l->fd == -1 &&
		    now_ms - l->absent_ms > ABSENT_MS) {
			client_refuse(l, c, SIGN_REFUSE_FAILED, "the signer "
			    "does not run", now_ms);
		}
		busy = busy || (c->state != CLIENT_NONE &&
		    (c->state != CLIENT_READING || c->b.len > 0));
	}
	far_next(l, now_ms);
	return more ? 0 : busy ? 1000 : 60000;
}
