/*
 * Frames over a stream socket, on a poll handle of libuv and plain send() and
 * recv(): no allocation a message, no queue of requests.
 *
 * What is sent is packed behind what waits already; an idle handle, which
 * runs once a turn and keeps the loop from sleeping meanwhile, writes it all
 * at once.  What arrives is read into one buffer that is used again.
 */
#include "link/channel.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_MIN	((size_t)16 << 10)	/* from a command line */
#define READ_ROOM	((size_t)256 << 10)
#define WRITE_KEPT	((size_t)1 << 20)	/* not given back */

struct channel {
	struct channel_config conf;
	uv_poll_t	 poll;
	uv_idle_t	 idle;
	int		 events;	/* that the poll handle is set to */
	int		 handles;	/* that are not closed yet */
	bool		 cut;		/* nothing is read or written more */
	bool		 freed;		/* by its owner */
	bool		 paused;
	bool		 spoken;	/* the peer's version is known */
	bool		 was_full;	/* above the mark: say when empty */
	unsigned char	*in;
	size_t		 in_room;
	size_t		 in_at, in_end;	/* what was read and not taken */
	unsigned char	*out;
	size_t		 out_room;
	size_t		 out_at, out_end;
};

static void	 poll_cb(uv_poll_t *h, int status, int events);
static void	 idle_cb(uv_idle_t *h);

static bool
with_parent(const struct channel *c)
{
	return c->conf.self == ROOM_PARENT || c->conf.peer == ROOM_PARENT;
}

/* Ends */

static void
handle_closed(uv_handle_t *h)
{
	struct channel	*c = h->data;

	if (--c->handles == 0 && c->freed) {
		free(c->in);
		free(c->out);
		free(c);
	}
}

static void
hang_up(struct channel *c)
{
	if (c->cut)
		return;
	c->cut = true;
	uv_close((uv_handle_t *)&c->poll, handle_closed);
	uv_close((uv_handle_t *)&c->idle, handle_closed);
	(void)close(c->conf.fd);
	c->conf.fd = -1;
}

static void
cut_off(struct channel *c, struct err *why)
{
	if (c->cut)
		return;
	hang_up(c);
	(void)err_wrap(why, RC_FAILED, "%s", room_text(c->conf.peer));
	if (!c->freed && c->conf.closed != NULL)
		c->conf.closed(c->conf.ctx, c, why);
}

void
channel_free(struct channel **cp)
{
	struct channel	*c = *cp;

	*cp = NULL;
	if (c == NULL)
		return;
	hang_up(c);
	c->freed = true;
	/* Cut off some turns ago: its handles are gone already. */
	if (c->handles == 0) {
		free(c->in);
		free(c->out);
		free(c);
	}
}

/* What the poll handle looks for now. */
static void
set_events(struct channel *c)
{
	int	 want = 0, failed;

	if (!c->paused)
		want |= UV_READABLE;
	if (c->out_at < c->out_end && !uv_is_active((uv_handle_t *)&c->idle))
		want |= UV_WRITABLE;
	if (c->cut || want == c->events)
		return;
	c->events = want;
	failed = want != 0 ? uv_poll_start(&c->poll, want, poll_cb) :
	    uv_poll_stop(&c->poll);
	assert(failed == 0);
}

static void
wake(struct channel *c)
{
	int	 failed = uv_idle_start(&c->idle, idle_cb);

	assert(failed == 0);
}

/* Writing */

/* Room for `more` bytes behind what waits. */
static void
out_reserve(struct channel *c, size_t more)
{
	size_t	 waiting = c->out_end - c->out_at, room;

	if (c->out_room - c->out_end >= more)
		return;
	if (c->out_at > 0) {
		memmove(c->out, c->out + c->out_at, waiting);
		c->out_at = 0;
		c->out_end = waiting;
	}
	if (c->out_room - c->out_end >= more)
		return;
	room = c->out_room != 0 ? c->out_room : READ_MIN;
	while (room - waiting < more)
		room *= 2;
	/* A message that cannot be sent can be neither lost nor refused. */
	c->out = realloc(c->out, room);
	if (c->out == NULL)
		abort();
	c->out_room = room;
}

/* `len` more bytes were put behind what waits. */
static void
appended(struct channel *c, size_t len)
{
	/* The peer would cut us off: whoever sends knows his limits. */
	assert(len <= MESSAGE_MAX);
	c->out_end += len;
	if (c->out_end - c->out_at > CHANNEL_MARK)
		c->was_full = true;
	wake(c);
}

static void
append(struct channel *c, const struct message *m)
{
	out_reserve(c, message_room(m));
	appended(c, message_pack(m, c->out + c->out_end));
}

void
channel_send(struct channel *c, const struct message *m)
{
	assert(message_allowed(m->type, c->conf.self, c->conf.peer));
	if (!c->cut)
		append(c, m);
}

void
channel_send_packed(struct channel *c, const unsigned char *frame,
    size_t len)
{
	assert(len > MESSAGE_HEAD && message_allowed(
	    (enum message_type)frame[4], c->conf.self, c->conf.peer));
	if (c->cut)
		return;
	out_reserve(c, len);
	memcpy(c->out + c->out_end, frame, len);
	appended(c, len);
}

size_t
channel_waiting(const struct channel *c)
{
	return c->out_end - c->out_at;
}

static void
all_left(struct channel *c)
{
	c->out_at = c->out_end = 0;
	if (c->out_room > WRITE_KEPT) {
		free(c->out);
		c->out = NULL;
		c->out_room = 0;
	}
	if (c->was_full) {
		c->was_full = false;
		if (c->conf.drained != NULL)
			c->conf.drained(c->conf.ctx, c);
	}
}

static void
flush(struct channel *c)
{
	struct err	 why;
	ssize_t		 n;

	while (!c->cut && c->out_at < c->out_end) {
		n = send(c->conf.fd, c->out + c->out_at,
		    c->out_end - c->out_at, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n >= 0) {
			c->out_at += (size_t)n;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return;
		(void)err_set(&why, "sending: %s", strerror(errno));
		cut_off(c, &why);
		return;
	}
	if (!c->cut && c->out_end > 0)
		all_left(c);
}

/* Reading */

/*
 * The first thing that is looked at is whether this peer may say such a
 * thing to us at all.
 */
static enum rc
dispatch(struct channel *c, const unsigned char *p, size_t len,
    struct err *why)
{
	enum message_type	 type = (enum message_type)p[4];
	struct message		 m;
	channel_handler		*handler;

	if (!message_allowed(type, c->conf.peer, c->conf.self))
		return err_set(why, "may not say `%s` (%d)",
		    message_text(type), (int)type);
	if (!c->spoken) {
		if (type != MESSAGE_SPOKEN)
			return err_set(why, "`%s` before its version",
			    message_text(type));
		if (message_unpack(&m, p, len, why) != RC_OK)
			return RC_FAILED;
		if (m.number != MESSAGE_VERSION)
			return err_set(why, "speaks version %lld, not %d",
			    (long long)m.number, MESSAGE_VERSION);
		c->spoken = true;
		return RC_OK;
	}
	handler = c->conf.handlers[type];
	if (handler == NULL)
		return err_set(why, "`%s` is not expected here",
		    message_text(type));
	if (message_unpack(&m, p, len, why) != RC_OK)
		return RC_FAILED;
	handler(c->conf.ctx, c, &m);
	return RC_OK;
}

/* Every whole frame that is there, until a handler pauses or frees. */
static void
take_frames(struct channel *c)
{
	struct err	 why;
	size_t		 len, left;
	bool		 any = false;

	while (!c->cut && !c->paused) {
		left = c->in_end - c->in_at;
		if (message_len(&len, c->in + c->in_at, left, &why) != RC_OK) {
			cut_off(c, &why);
			return;
		}
		if (len == 0 || len > left)
			break;
		c->in_at += len;
		any = true;
		if (dispatch(c, c->in + c->in_at - len, len, &why) != RC_OK) {
			cut_off(c, &why);
			return;
		}
	}
	if (any && !c->cut && c->conf.batch != NULL)
		c->conf.batch(c->conf.ctx, c);
}

/*
 * Room for another read.  The buffer doubles as the bytes of a long frame
 * come in, not because its first four say that they will.
 */
static enum rc
in_reserve(struct channel *c, struct err *why)
{
	size_t		 least, left = c->in_end - c->in_at, room;
	unsigned char	*bigger;

	if (c->in_at > 0) {
		memmove(c->in, c->in + c->in_at, left);
		c->in_at = 0;
		c->in_end = left;
	}
	if (left < c->in_room)
		return RC_OK;
	least = c->conf.peer == ROOM_CLI ? READ_MIN : READ_ROOM;
	room = c->in_room == 0 ? least : c->in_room * 2;
	bigger = realloc(c->in, room);
	if (bigger == NULL)
		return err_set(why, "no memory for a message");
	c->in = bigger;
	c->in_room = room;
	return RC_OK;
}

/* A long message came: its memory is not kept for ever. */
static void
in_shrink(struct channel *c)
{
	if (c->in_at == c->in_end && c->in_room > READ_ROOM) {
		free(c->in);
		c->in = NULL;
		c->in_at = c->in_end = c->in_room = 0;
	}
}

static void
read_once(struct channel *c)
{
	struct err	 why;
	ssize_t		 n;

	if (in_reserve(c, &why) != RC_OK) {
		cut_off(c, &why);
		return;
	}
	n = recv(c->conf.fd, c->in + c->in_end, c->in_room - c->in_end,
	    MSG_DONTWAIT);
	if (n < 0 && (errno == EINTR || errno == EAGAIN ||
	    errno == EWOULDBLOCK))
		return;
	if (n <= 0) {
		if (n == 0)
			(void)err_set(&why, "gone%s", c->in_end > c->in_at ?
			    ", amidst a message" : "");
		else
			(void)err_set(&why, "receiving: %s", strerror(errno));
		cut_off(c, &why);
		return;
	}
	c->in_end += (size_t)n;
	take_frames(c);
	if (!c->cut)
		in_shrink(c);
}

void
channel_pause(struct channel *c, bool pause)
{
	if (c->cut || c->paused == pause)
		return;
	c->paused = pause;
	/* What was read and not taken comes with the next turn: handlers are
	 * never called from within a call of their owner's. */
	if (!pause && c->in_at < c->in_end)
		wake(c);
	set_events(c);
}

/* The loop */

static void
idle_cb(uv_idle_t *h)
{
	struct channel	*c = h->data;

	(void)uv_idle_stop(h);
	if (!c->paused && c->in_at < c->in_end)
		take_frames(c);
	/* What was answered just now leaves at once, too. */
	if (!c->cut) {
		(void)uv_idle_stop(h);
		flush(c);
	}
	if (!c->cut)
		set_events(c);
}

static void
poll_cb(uv_poll_t *h, int status, int events)
{
	struct channel	*c = h->data;

	/* The loop has stopped the handle: the peer hung up with something
	 * of ours unread.  What it said before is there all the same, and
	 * the end of it says why. */
	if (status < 0) {
		c->events = 0;
		events = UV_READABLE;
	}
	if ((events & UV_WRITABLE) != 0)
		flush(c);
	if (!c->cut && (events & UV_READABLE) != 0 && !c->paused)
		read_once(c);
	if (!c->cut)
		set_events(c);
}

static enum rc
start(struct channel *c, struct err *e)
{
	int	 flags = fcntl(c->conf.fd, F_GETFL), failed;

	if (flags == -1 || fcntl(c->conf.fd, F_SETFL,
	    flags | O_NONBLOCK) == -1)
		return err_set(e, "%s: its socket: %s",
		    room_text(c->conf.peer), strerror(errno));
	if ((failed = uv_poll_init(c->conf.loop, &c->poll, c->conf.fd)) != 0)
		return err_set(e, "%s: its socket: %s",
		    room_text(c->conf.peer), uv_strerror(failed));
	failed = uv_idle_init(c->conf.loop, &c->idle);
	assert(failed == 0);
	c->poll.data = c;
	c->idle.data = c;
	c->handles = 2;
	return RC_OK;
}

enum rc
channel_new(struct channel **out, const struct channel_config *conf,
    struct err *e)
{
	struct channel	*c = calloc(1, sizeof(*c));
	struct message	 m;

	assert(*out == NULL);
	if (c == NULL) {
		(void)close(conf->fd);
		return err_set(e, "no memory for a channel");
	}
	c->conf = *conf;
	if (start(c, e) != RC_OK) {
		(void)close(conf->fd);
		free(c);
		return RC_FAILED;
	}
	c->spoken = with_parent(c);
	if (!c->spoken) {
		message_clear(&m, MESSAGE_SPOKEN, 0);
		m.number = MESSAGE_VERSION;
		append(c, &m);
	}
	set_events(c);
	*out = c;
	return RC_OK;
}
