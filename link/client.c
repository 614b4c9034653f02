/*
 * The command line's end of the local socket: one question at a time, and a
 * limit to how long its answer is waited for.
 */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "link/channel.h"

#define ANSWER_MS	60000	/* beside what the question itself waits */

struct channel_client {
	int		 fd;
	unsigned char	*buf;
	size_t		 room;
	size_t		 at, end;
};

static int64_t
now_ms(void)
{
	struct timespec	 t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static enum rc
wait_for(int fd, short events, int64_t until_ms, struct err *e)
{
	struct pollfd	 p = { .fd = fd, .events = events };
	int64_t		 left;
	int		 n;

	for (;;) {
		left = until_ms - now_ms();
		if (left <= 0)
			return err_set(e, "drawbridged does not answer");
		n = poll(&p, 1, left > 60000 ? 60000 : (int)left);
		if (n > 0)
			return RC_OK;
		if (n < 0 && errno != EINTR)
			return err_set(e, "poll: %s", strerror(errno));
	}
}

static enum rc
send_one(struct channel_client *c, const struct message *m, int64_t until_ms,
    struct err *e)
{
	size_t		 len, at = 0;
	ssize_t		 n;
	unsigned char	*frame = malloc(message_room(m));
	enum rc		 rc = RC_OK;

	if (frame == NULL)
		return err_set(e, "no memory");
	len = message_pack(m, frame);
	if (len > MESSAGE_MAX)
		rc = err_set(e, "larger than %zu MiB", MESSAGE_MAX >> 20);
	while (rc == RC_OK && at < len) {
		n = send(c->fd, frame + at, len - at,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n >= 0)
			at += (size_t)n;
		else if (errno == EAGAIN || errno == EWOULDBLOCK)
			rc = wait_for(c->fd, POLLOUT, until_ms, e);
		else if (errno != EINTR)
			rc = err_set(e, "drawbridged: %s", strerror(errno));
	}
	free(frame);
	return rc;
}

static enum rc
read_more(struct channel_client *c, int64_t until_ms, struct err *e)
{
	size_t		 left = c->end - c->at, room;
	unsigned char	*bigger;
	ssize_t		 n;

	memmove(c->buf, c->buf + c->at, left);
	c->at = 0;
	c->end = left;
	if (c->end == c->room) {
		room = c->room * 2;
		if ((bigger = realloc(c->buf, room)) == NULL)
			return err_set(e, "no memory");
		c->buf = bigger;
		c->room = room;
	}
	if (wait_for(c->fd, POLLIN, until_ms, e) != RC_OK)
		return RC_FAILED;
	n = recv(c->fd, c->buf + c->end, c->room - c->end, MSG_DONTWAIT);
	if (n < 0 && (errno == EINTR || errno == EAGAIN ||
	    errno == EWOULDBLOCK))
		return RC_OK;
	if (n < 0)
		return err_set(e, "drawbridged: %s", strerror(errno));
	if (n == 0)
		return err_set(e, "drawbridged hung up");
	c->end += (size_t)n;
	return RC_OK;
}

static enum rc
read_one(struct channel_client *c, struct message *out, int64_t until_ms,
    struct err *e)
{
	const unsigned char	*p;
	size_t			 len;

	for (;;) {
		if (message_len(&len, c->buf + c->at, c->end - c->at, e) !=
		    RC_OK)
			return RC_FAILED;
		if (len > 0 && len <= c->end - c->at)
			break;
		if (read_more(c, until_ms, e) != RC_OK)
			return RC_FAILED;
	}
	p = c->buf + c->at;
	c->at += len;
	if (!message_allowed((enum message_type)p[4], ROOM_CONSOLE, ROOM_CLI))
		return err_set(e, "drawbridged may not say `%s`",
		    message_text((enum message_type)p[4]));
	return message_unpack(out, p, len, e);
}

static enum rc
greet(struct channel_client *c, struct err *e)
{
	struct message	 m;
	int64_t		 until_ms = now_ms() + ANSWER_MS;

	message_clear(&m, MESSAGE_SPOKEN, 0);
	m.number = MESSAGE_VERSION;
	if (send_one(c, &m, until_ms, e) != RC_OK ||
	    read_one(c, &m, until_ms, e) != RC_OK)
		return RC_FAILED;
	if (m.type != MESSAGE_SPOKEN || m.number != MESSAGE_VERSION)
		return err_set(e, "drawbridged is of another version");
	return RC_OK;
}

enum rc
channel_connect(struct channel_client **out, const char *path, struct err *e)
{
	struct sockaddr_un	 a = { .sun_family = AF_UNIX };
	struct channel_client	*c;
	enum rc			 rc = RC_OK;

	assert(*out == NULL);
	if (strlen(path) >= sizeof(a.sun_path))
		return err_set(e, "%s: longer than a socket's path may be",
		    path);
	memcpy(a.sun_path, path, strlen(path));
	if ((c = calloc(1, sizeof(*c))) == NULL ||
	    (c->buf = malloc(65536)) == NULL) {
		free(c);
		return err_set(e, "no memory");
	}
	c->room = 65536;
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd == -1 || connect(c->fd, (struct sockaddr *)&a,
	    sizeof(a)) != 0)
		rc = err_set(e, "%s", strerror(errno));
	if (rc == RC_OK)
		rc = greet(c, e);
	if (rc != RC_OK) {
		channel_disconnect(&c);
		return err_wrap(e, rc, "%s", path);
	}
	*out = c;
	return RC_OK;
}

void
channel_disconnect(struct channel_client **cp)
{
	struct channel_client	*c = *cp;

	*cp = NULL;
	if (c == NULL)
		return;
	if (c->fd != -1)
		(void)close(c->fd);
	free(c->buf);
	free(c);
}

enum rc
channel_call(struct channel_client *c, const struct message *ask,
    struct message *out, struct err *e)
{
	int64_t	 until_ms = now_ms() + ANSWER_MS +
	    (ask->wait_ms > 0 ? ask->wait_ms : 0);

	assert(message_allowed(ask->type, ROOM_CLI, ROOM_CONSOLE));
	if (send_one(c, ask, until_ms, e) != RC_OK)
		return RC_FAILED;
	/* The answer to a question that was given up may come first. */
	do {
		if (read_one(c, out, until_ms, e) != RC_OK)
			return RC_FAILED;
	} while (out->tag != ask->tag);
	return RC_OK;
}
