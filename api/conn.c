/*
 * Sockets are polled, and read and written with plain recv() and sendmsg():
 * no allocation a request, one system call in and one out, and the poll
 * handle of a kept connection is set once.
 */
#include "api/conn.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "api/bounds.h"
#include "api/client.h"
#include "api/conn_inner.h"
#include "api/proxy.h"
#include "lib/log.h"

#define TOLD_A_SECOND	20

static int64_t
now_us(void)
{
	struct timespec	 t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Rings of connections, by phase */

static void
unlink_conn(struct conn *c)
{
	if (c->next == NULL)
		return;
	c->prev->next = c->next;
	c->next->prev = c->prev;
	c->prev = c->next = NULL;
	c->of->in_phase[c->phase]--;
}

void
conn_phase(struct conn *c, enum phase phase, int64_t ms)
{
	struct conn	*ring = &c->of->lists[phase];

	unlink_conn(c);
	c->phase = phase;
	c->since_ms = c->of->now_ms;
	c->until_ms = c->of->now_ms + ms;
	c->prev = ring->prev;
	c->next = ring;
	ring->prev->next = c;
	ring->prev = c;
	c->of->in_phase[phase]++;
}

/* Buffers */

static bool
take_buffer(struct conn *c)
{
	struct conns	*cs = c->of;

	if (c->buf != NULL)
		return true;
	c->buf = cs->n_spare > 0 ? cs->spare[--cs->n_spare] :
	    malloc(BUFFER_SIZE);
	c->room = BUFFER_SIZE;
	c->len = 0;
	return c->buf != NULL;
}

static void
give_buffer(struct conn *c)
{
	struct conns	*cs = c->of;

	if (c->buf == NULL)
		return;
	if (c->room > BUFFER_SIZE)
		cs->long_bytes -= (int64_t)c->room;
	if (c->room == BUFFER_SIZE && cs->n_spare < BUFFERS_KEPT)
		cs->spare[cs->n_spare++] = c->buf;
	else
		free(c->buf);
	c->buf = NULL;
	c->len = c->room = 0;
}

/* Twice the room, as the bytes come, not as they are announced. */
static bool
grow_buffer(struct conn *c)
{
	struct conns	*cs = c->of;
	size_t		 whole = intake_len(&c->in), room = c->room * 2;
	char		*bigger;

	/* One more byte, so that what comes behind is seen. */
	if (room > whole + 1)
		room = whole + 1;
	if (room <= BUFFER_SIZE)
		room = BUFFER_SIZE + 1;
	if (cs->long_bytes + (int64_t)room > LONG_BYTES_MAX ||
	    (bigger = malloc(room)) == NULL)
		return false;
	memcpy(bigger, c->buf, c->len);
	intake_moved(&c->in, bigger);
	if (c->room > BUFFER_SIZE)
		cs->long_bytes -= (int64_t)c->room;
	free(c->buf);
	cs->long_bytes += (int64_t)room;
	c->buf = bigger;
	c->room = room;
	return true;
}

static void
drop_out(struct conn *c)
{
	if (c->out == NULL)
		return;
	c->of->long_bytes -= (int64_t)c->out_len;
	free(c->out);
	c->out = NULL;
	c->out_at = c->out_len = 0;
}

/* Ends */

static void
conn_gone(uv_handle_t *h)
{
	struct conn	*c = h->data;
	struct conns	*cs = c->of;

	cs->free_places[cs->n_free++] = c->index;
}

void
conn_close(struct conn *c)
{
	struct conns	*cs = c->of;

	if (c->phase == PHASE_CLOSED)
		return;
	unlink_conn(c);
	c->phase = PHASE_CLOSED;
	if (c->counted)
		rates_leave(cs->rates, c->ip);
	c->counted = false;
	give_buffer(c);
	drop_out(c);
	cs->open -= !c->metrics;
	cs->open_metrics -= c->metrics;
	uv_close((uv_handle_t *)&c->poll, conn_gone);
	(void)close(c->fd);
	c->fd = -1;
}

void
conn_tell(struct conn *c, enum refused reason, const char *why)
{
	struct conns	*cs = c->of;
	char		 ip[CLIENT_TEXT_MAX];

	figures_refused(reason);
	if (cs->told_second != cs->now_ms / 1000) {
		if (cs->untold > 0)
			log_event(LOG_INFO_, "refused_too", "n", 'd',
			    cs->untold, NULL);
		cs->told_second = cs->now_ms / 1000;
		cs->told = 0;
		cs->untold = 0;
	}
	if (cs->told++ >= TOLD_A_SECOND) {
		cs->untold++;
		return;
	}
	log_event(LOG_INFO_, "refused", "ip", 's', client_text(ip, c->client),
	    "for", 's', refused_text(reason), "why", 's', why, NULL);
}

/* Writing */

static void
set_events(struct conn *c)
{
	int	 want = UV_READABLE, failed;

	if (c->phase == PHASE_CLOSED)
		return;
	if (c->phase == PHASE_WRITE)
		want = UV_WRITABLE;
	else if (c->half)
		want = 0;
	if (want == c->events)
		return;
	c->events = want;
	failed = want != 0 ? uv_poll_start(&c->poll, want, conn_ready) :
	    uv_poll_stop(&c->poll);
	assert(failed == 0);
}

/* The answer has left. */
static void
answered(struct conn *c)
{
	memset(&c->in, 0, sizeof(c->in));
	give_buffer(c);
	drop_out(c);
	if (c->keep && !c->half && !c->of->stopping) {
		conn_phase(c, PHASE_IDLE, bounds.idle_ms);
	} else if (c->half) {
		conn_close(c);
	} else {
		/* An immediate close() could take the answer back: a reset
		 * overtakes what the client has not read. */
		(void)shutdown(c->fd, SHUT_WR);
		c->dropped = 0;
		conn_phase(c, PHASE_LINGER, bounds.linger_ms);
	}
	set_events(c);
}

/* What one sendmsg() did not take. */
static void
keep_rest(struct conn *c, const struct iovec iov[2], size_t sent)
{
	size_t	 all = iov[0].iov_len + iov[1].iov_len, at = 0, skip;
	int	 i;

	c->out_len = all - sent;
	c->out_at = 0;
	if (c->of->long_bytes + (int64_t)c->out_len > LONG_BYTES_MAX ||
	    (c->out = malloc(c->out_len)) == NULL) {
		c->out = NULL;
		conn_tell(c, REFUSED_MEMORY, "no memory for its answer");
		conn_close(c);
		return;
	}
	c->of->long_bytes += (int64_t)c->out_len;
	for (i = 0; i < 2; i++) {
		skip = sent < iov[i].iov_len ? sent : iov[i].iov_len;
		sent -= skip;
		if (iov[i].iov_len > skip)
			memcpy(c->out + at, (const char *)iov[i].iov_base +
			    skip, iov[i].iov_len - skip);
		at += iov[i].iov_len - skip;
	}
	conn_phase(c, PHASE_WRITE, bounds.write_ms);
	set_events(c);
}

static void
write_all(struct conn *c, struct iovec iov[2])
{
	struct msghdr	 m = { .msg_iov = iov, .msg_iovlen = 2 };
	ssize_t		 n;

	do {
		n = sendmsg(c->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
		conn_close(c);
		return;
	}
	if (n == (ssize_t)(iov[0].iov_len + iov[1].iov_len))
		answered(c);
	else
		keep_rest(c, iov, n < 0 ? 0 : (size_t)n);
}

void
conn_flush(struct conn *c)
{
	ssize_t	 n;

	n = send(c->fd, c->out + c->out_at, c->out_len - c->out_at,
	    MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0) {
		if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
			conn_close(c);
		return;
	}
	c->out_at += (size_t)n;
	if (c->out_at == c->out_len)
		answered(c);
}

void
conn_reply(struct conn *c, struct reply *r)
{
	char		 head[REPLY_HEAD_MAX], ip[CLIENT_TEXT_MAX];
	struct iovec	 iov[2];
	int64_t		 us = now_us() - c->start_us;

	if (c->phase == PHASE_CLOSED)
		return;
	if (r->close || c->no_body || c->of->stopping)
		c->keep = false;
	r->close = !c->keep;
	iov[0].iov_base = head;
	iov[0].iov_len = reply_head(head, r);
	iov[1].iov_base = (void *)(uintptr_t)r->body.p;
	iov[1].iov_len = c->no_body ? 0 : r->body.len;
	if (!c->metrics)
		figures_request(c->endpoint, r->status, us);
	if (log_wanted(LOG_DEBUG_))
		log_event(LOG_DEBUG_, "request", "ip", 's', client_text(ip,
		    c->client), "endpoint", 's', endpoints[c->endpoint].name,
		    "status", 'd', (int64_t)r->status, "us", 'd', us, NULL);
	write_all(c, iov);
}

void
conn_refuse(struct conn *c, int status, int code, const char *why,
    enum refused reason, int64_t retry_s)
{
	char		 buf[REPLY_ERROR_MAX];
	struct reply	 r = { .status = status, .endpoint = c->endpoint,
		.used = c->used, .retry_s = retry_s };

	conn_tell(c, reason, why);
	r.body = reply_error(buf, code, why);
	r.close = reason != REFUSED_RATE && reason != REFUSED_AWAY &&
	    reason != REFUSED_LATE;
	conn_reply(c, &r);
}

/* A request is taken */

static void
begin_request(struct conn *c)
{
	c->start_us = now_us();
	c->endpoint = c->in.state == INTAKE_WHOLE ? c->in.endpoint :
	    ENDPOINT_NONE;
	c->used = -1;
	memcpy(c->client, c->ip, 16);
	c->keep = c->in.state == INTAKE_WHOLE && c->in.head.keep;
	c->no_body = c->in.state != INTAKE_HEAD && c->in.head.method.len == 4
	    && memcmp(c->in.head.method.p, "HEAD", 4) == 0;
}

static void
bad_request(struct conn *c)
{
	const struct refusal	*no = &c->in.no;

	begin_request(c);
	/* Behind a proxy it was not the proxy. */
	if (!c->proxy && !c->metrics)
		rates_blame(c->of->rates, c->ip, 1, c->of->now_ms);
	conn_refuse(c, no->status, -1100, no->why, no->forwarded ?
	    REFUSED_FORWARDED : no->status == 400 ? REFUSED_HEAD :
	    REFUSED_LONG, -1);
}

/* All that is there. */
static void
take_bytes(struct conn *c)
{
	const struct config	*conf = &c->of->config;
	enum phase		 was = c->phase;
	int64_t			 ms;

	if (was == PHASE_IDLE)
		conn_phase(c, PHASE_HEAD, bounds.head_ms);
	switch (intake_read(&c->in, c->buf, c->len, c->proxy &&
	    !c->metrics && conf->proxy_header[0] != '\0' ?
	    conf->proxy_header : NULL)) {
	case INTAKE_HEAD:
		return;
	case INTAKE_BODY:
		if (was == PHASE_BODY)
			return;
		ms = 5000 + (int64_t)c->in.head.body_len * 1000 /
		    bounds.body_rate;
		conn_phase(c, PHASE_BODY, ms < bounds.body_ms ? ms :
		    bounds.body_ms);
		return;
	case INTAKE_BAD:
		bad_request(c);
		return;
	case INTAKE_WHOLE:
		begin_request(c);
		c->of->hooks.request(c->of->hooks.ctx, c);
		return;
	}
}

/* The PROXY header is whole: whose connection is it? */
static void
greet(struct conn *c)
{
	unsigned char		 ip[16];
	bool			 known;
	size_t			 len;
	enum proxy_state	 s;

	s = proxy_parse(ip, &known, &len, (const unsigned char *)c->buf,
	    c->len);
	if (s == PROXY_MORE)
		return;
	if (s == PROXY_BAD) {
		conn_tell(c, REFUSED_PROXY, "no PROXY header of version 2");
		conn_close(c);
		return;
	}
	c->greeted = true;
	if (known) {
		memcpy(c->ip, ip, 16);
		memcpy(c->client, ip, 16);
		c->counted = rates_enter(c->of->rates, ip,
		    conns_of_address(c->of), c->of->now_ms);
		if (!c->counted) {
			conn_tell(c, REFUSED_ADDRESS, "too many connections "
			    "of one address");
			conn_close(c);
			return;
		}
	}
	c->len -= len;
	memmove(c->buf, c->buf + len, c->len);
	if (c->len > 0)
		take_bytes(c);
}

/* Reading */

/* While a request is under way: nothing may come. */
static void
read_none(struct conn *c)
{
	char	 byte;
	ssize_t	 n = recv(c->fd, &byte, 1, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK ||
	    errno == EINTR))
		return;
	if (n == 0) {
		c->half = true;
		set_events(c);
		return;
	}
	/* The answer to the first cannot be told from a refusal of the
	 * second, so there is none. */
	if (n > 0)
		conn_tell(c, REFUSED_HEAD, "bytes behind a request that is "
		    "not answered yet");
	conn_close(c);
}

static void
read_away(struct conn *c)
{
	static char	 sink[16 << 10];
	ssize_t		 n = recv(c->fd, sink, sizeof(sink), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK ||
	    errno == EINTR))
		return;
	c->dropped += n > 0 ? (size_t)n : 0;
	if (n <= 0 || c->dropped > LINGER_BYTES_MAX)
		conn_close(c);
}

static void
read_some(struct conn *c)
{
	ssize_t	 n;

	if (!take_buffer(c) || (c->len == c->room && !grow_buffer(c))) {
		begin_request(c);
		conn_refuse(c, 503, -1008, "no memory for more", REFUSED_MEMORY,
		    1);
		return;
	}
	n = recv(c->fd, c->buf + c->len, c->room - c->len, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK ||
	    errno == EINTR)) {
		if (c->len == 0)
			give_buffer(c);
		return;
	}
	if (n <= 0) {
		conn_close(c);
		return;
	}
	c->len += (size_t)n;
	if (c->greeted)
		take_bytes(c);
	else
		greet(c);
}

void
conn_ready(uv_poll_t *h, int status, int events)
{
	struct conn	*c = h->data;

	(void)events;
	c->of->now_ms = (int64_t)uv_now(c->of->loop);
	if (status < 0) {
		conn_close(c);
		return;
	}
	switch (c->phase) {
	case PHASE_HEAD:
	case PHASE_IDLE:
	case PHASE_BODY:
		read_some(c);
		return;
	case PHASE_WAIT:
		read_none(c);
		return;
	case PHASE_WRITE:
		conn_flush(c);
		return;
	case PHASE_LINGER:
		read_away(c);
		return;
	case PHASE_CLOSED:
	case PHASE__COUNT:
		return;
	}
}

uint64_t
conn_tag(const struct conn *c)
{
	return (uint64_t)(c->serial + 1) << 32 | c->index;
}

void
conn_wait(struct conn *c, int64_t ms)
{
	c->serial++;
	memset(&c->in, 0, sizeof(c->in));
	give_buffer(c);
	conn_phase(c, PHASE_WAIT, ms);
}

void
conn_start(struct conn *c)
{
	conn_phase(c, PHASE_HEAD, bounds.head_ms);
	set_events(c);
}
