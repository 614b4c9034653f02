#include "link/dial.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "link/pinned.h"
#include "link/stream.h"

#define CONNECT_MS	10000
#define ANSWER_MS	150000
#define ROOM_FIRST	((size_t)64 << 10)

struct dial {
	struct stream	 s;
	SSL_CTX		*ctx;
	struct pinned_keys pins;
	int64_t		 answer_ms;
	uint64_t	 tag;
	bool		 failed;	/* out of step: no more questions */
	unsigned char	*buf;
	size_t		 room;
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
			return err_set(e, "it does not answer in time");
		n = poll(&p, 1, left > 60000 ? 60000 : (int)left);
		if (n > 0)
			return RC_OK;
		if (n < 0 && errno != EINTR)
			return err_set(e, "poll: %s", strerror(errno));
	}
}

/* Connecting */

static enum rc
connect_to(int *out, const struct sockaddr *to, socklen_t len,
    int64_t until_ms, struct err *e)
{
	int		 one = 1, fd, why = 0;
	socklen_t	 why_len = sizeof(why);
	bool		 local = to->sa_family == AF_UNIX;
	int64_t		 left_ms = until_ms - now_ms();
	struct timeval	 limit = { left_ms / 1000, left_ms % 1000 * 1000 };

	fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC |
	    (local ? 0 : SOCK_NONBLOCK), 0);
	if (fd == -1)
		return err_set(e, "a socket: %s", strerror(errno));
	/* A local one that may not wait does not get into a full queue. */
	if (local && left_ms > 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit,
		    sizeof(limit));
	if (connect(fd, to, len) != 0) {
		why = errno;
		if (why == EINPROGRESS) {
			why = 0;
			if (wait_for(fd, POLLOUT, until_ms, e) != RC_OK) {
				(void)close(fd);
				return RC_FAILED;
			}
			if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &why,
			    &why_len) != 0)
				why = errno;
		}
	}
	if (why != 0) {
		(void)close(fd);
		return err_set(e, "%s", strerror(why));
	}
	if (!local)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one,
		    sizeof(one));
	*out = fd;
	return RC_OK;
}

static enum rc
connect_local(int *out, const char *path, int64_t until_ms, struct err *e)
{
	struct sockaddr_un	 a = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(a.sun_path))
		return err_set(e, "longer than a socket's path may be");
	memcpy(a.sun_path, path, strlen(path));
	return connect_to(out, (struct sockaddr *)&a, sizeof(a), until_ms, e);
}

static enum rc
connect_host(int *out, const char *where, int64_t until_ms, struct err *e)
{
	struct addrinfo	 hints, *list = NULL, *a;
	const char	*colon = strrchr(where, ':');
	char		 host[256];
	bool		 v6 = where[0] == '[';
	size_t		 len;
	int		 n;
	enum rc		 rc = RC_FAILED;

	len = colon != NULL ? (size_t)(colon - where) : 0;
	if (len < (v6 ? 3 : 1) || len >= sizeof(host) ||
	    (v6 && where[len - 1] != ']'))
		return err_set(e, "neither a path (with a `/`) nor "
		    "HOST:PORT");
	memset(host, 0, sizeof(host));
	memcpy(host, where + v6, len - (v6 ? 2 : 0));
	memset(&hints, 0, sizeof(hints));
	hints.ai_socktype = SOCK_STREAM;
	if ((n = getaddrinfo(host, colon + 1, &hints, &list)) != 0)
		return err_set(e, "%s", gai_strerror(n));
	for (a = list; rc != RC_OK && a != NULL; a = a->ai_next)
		rc = connect_to(out, a->ai_addr, a->ai_addrlen, until_ms, e);
	freeaddrinfo(list);
	return rc;
}

static enum rc
shake(struct dial *d, int64_t until_ms, struct err *e)
{
	int	 n;

	while ((n = stream_shake(&d->s, e)) == 0) {
		if (wait_for(d->s.fd, d->s.wants, until_ms, e) != RC_OK)
			return RC_FAILED;
	}
	return n == 1 ? RC_OK : RC_FAILED;
}

static enum rc
open_dial(struct dial *d, const struct dial_config *c, struct err *e)
{
	int64_t	 until_ms = now_ms() +
	    (c->connect_ms > 0 ? c->connect_ms : CONNECT_MS);
	int	 fd = -1;

	d->answer_ms = c->answer_ms > 0 ? c->answer_ms : ANSWER_MS;
	if ((d->buf = malloc(ROOM_FIRST)) == NULL)
		return err_set(e, "no memory");
	d->room = ROOM_FIRST;
	if (strchr(c->where, '/') != NULL) {
		if (connect_local(&fd, c->where, until_ms, e) != RC_OK)
			return RC_FAILED;
		return stream_begin(&d->s, fd, NULL, false, e);
	}
	if (c->identity == NULL || c->pin == NULL)
		return err_set(e, "a signer elsewhere needs our identity and "
		    "its pin");
	if (!pinned_parse(d->pins.hash[0], c->pin))
		return err_set(e, "a pin is %d hexadecimal digits",
		    PINNED_HEX);
	d->pins.n = 1;
	(void)signal(SIGPIPE, SIG_IGN);
	if (pinned_context(&d->ctx, false, c->identity, &d->pins, e) !=
	    RC_OK || connect_host(&fd, c->where, until_ms, e) != RC_OK ||
	    stream_begin(&d->s, fd, d->ctx, false, e) != RC_OK)
		return RC_FAILED;
	return shake(d, until_ms, e);
}

enum rc
dial_open(struct dial **out, const struct dial_config *c, struct err *e)
{
	struct dial	*d = calloc(1, sizeof(*d));
	enum rc		 rc;

	assert(*out == NULL);
	if (d == NULL)
		return err_set(e, "no memory");
	d->s.fd = -1;
	if ((rc = open_dial(d, c, e)) != RC_OK) {
		dial_close(&d);
		return err_wrap(e, rc, "%s", c->where);
	}
	*out = d;
	return RC_OK;
}

void
dial_close(struct dial **dp)
{
	struct dial	*d = *dp;

	*dp = NULL;
	if (d == NULL)
		return;
	stream_end(&d->s);
	SSL_CTX_free(d->ctx);
	if (d->buf != NULL)
		explicit_bzero(d->buf, d->room);
	free(d->buf);
	free(d);
}

/* Asking */

/* A question may hold a passphrase: what is left behind is wiped. */
static enum rc
reserve(struct dial *d, size_t room, size_t kept, struct err *e)
{
	unsigned char	*bigger;

	if (room <= d->room)
		return RC_OK;
	if ((bigger = malloc(room)) == NULL)
		return err_set(e, "no memory for %zu bytes", room);
	memcpy(bigger, d->buf, kept);
	explicit_bzero(d->buf, d->room);
	free(d->buf);
	d->buf = bigger;
	d->room = room;
	return RC_OK;
}

static enum rc
send_all(struct dial *d, size_t len, int64_t until_ms, struct err *e)
{
	size_t	 at = 0;
	ssize_t	 n;

	while (at < len) {
		n = stream_write(&d->s, d->buf + at, len - at, e);
		if (n < 0)
			return RC_FAILED;
		at += (size_t)n;
		if (n == 0 && wait_for(d->s.fd, d->s.wants, until_ms, e) !=
		    RC_OK)
			return RC_FAILED;
	}
	return RC_OK;
}

static enum rc
receive(struct dial *d, size_t *len_out, int64_t until_ms, struct err *e)
{
	size_t	 len = 0, want = 0;
	ssize_t	 n;

	for (;;) {
		if (sign_message_len(&want, d->buf, len, e) != RC_OK)
			return RC_FAILED;
		if (want > 0 && len == want)
			break;
		/* Not because its head says so: as the bytes come. */
		if (len == d->room && reserve(d, d->room * 2, len, e) !=
		    RC_OK)
			return RC_FAILED;
		n = stream_read(&d->s, d->buf + len, want == 0 ? 4 - len :
		    (want < d->room ? want : d->room) - len, e);
		if (n < 0)
			return RC_FAILED;
		len += (size_t)n;
		if (n == 0 && wait_for(d->s.fd, d->s.wants, until_ms, e) !=
		    RC_OK)
			return RC_FAILED;
	}
	*len_out = len;
	return RC_OK;
}

static enum rc
converse(struct dial *d, const struct sign_message *ask,
    struct sign_message *out, struct err *e)
{
	int64_t	 until_ms = now_ms() + d->answer_ms;
	size_t	 len = sign_message_pack(ask, d->buf);

	if (send_all(d, len, until_ms, e) != RC_OK ||
	    receive(d, &len, until_ms, e) != RC_OK ||
	    sign_message_unpack(out, d->buf, len, e) != RC_OK)
		return RC_FAILED;
	if (out->tag != ask->tag || (out->type != SIGN_DONE &&
	    out->type != SIGN_REFUSED))
		return err_set(e, "an answer to another question");
	return RC_OK;
}

enum rc
dial_call(struct dial *d, const struct sign_message *ask,
    struct sign_message *out, struct err *e)
{
	struct sign_message	 mine = *ask;

	mine.tag = ++d->tag;
	if (d->failed)
		return err_set(e, "the signer's connection is closed");
	if (sign_message_room(&mine) > SIGN_MAX)
		return err_set(e, "more than the %zu MiB that the signer "
		    "takes", SIGN_MAX >> 20);
	if (reserve(d, sign_message_room(&mine), 0, e) != RC_OK)
		return RC_FAILED;
	if (converse(d, &mine, out, e) == RC_OK)
		return RC_OK;
	d->failed = true;
	stream_end(&d->s);
	return err_wrap(e, RC_UNCERTAIN, "the signer");
}
