/*
 * All connections: accepting them, making room, and their time.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "api/bounds.h"
#include "api/client.h"
#include "api/conn_inner.h"
#include "lib/log.h"

#define TICK_MS		100
#define SPARE_PLACES	(ACCEPT_AT_ONCE * 4)	/* of those being closed */
#define HEAD_OLD_MS	1000

int64_t
conns_of_address(const struct conns *cs)
{
	int64_t	 n = cs->max / bounds.address_part;

	return n > bounds.address_least ? n : bounds.address_least;
}

/* Time */

static void
out_of_time(struct conn *c)
{
	switch (c->phase) {
	case PHASE_WAIT:
		c->of->hooks.late(c->of->hooks.ctx, c);
		return;
	case PHASE_HEAD:
	case PHASE_BODY:
		if (c->greeted && c->len > 0) {
			c->endpoint = ENDPOINT_NONE;
			c->used = -1;
			conn_refuse(c, 408, -1100, "the request came too "
			    "slowly", REFUSED_SLOW, -1);
			return;
		}
		figures_refused(REFUSED_SLOW);
		conn_close(c);
		return;
	case PHASE_IDLE:
	case PHASE_WRITE:
	case PHASE_LINGER:
		conn_close(c);
		return;
	case PHASE_CLOSED:
	case PHASE__COUNT:
		return;
	}
}

static void
check_times(struct conns *cs)
{
	bool		 crowded = cs->open * 4 >= cs->max * 3;
	struct conn	*c, *next, *ring;
	int		 i;

	for (i = 0; i < PHASE_CLOSED; i++) {
		ring = &cs->lists[i];
		for (c = ring->next; c != ring; c = next) {
			next = c->next;
			if (c->until_ms <= cs->now_ms || (crowded &&
			    i == PHASE_IDLE && c->since_ms +
			    bounds.crowded_ms <= cs->now_ms))
				out_of_time(c);
		}
	}
}

static void
tell_time(struct conns *cs)
{
	struct timespec	 t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	if (t.tv_sec == cs->last_second)
		return;
	cs->last_second = t.tv_sec;
	reply_clock((int64_t)t.tv_sec * 1000);
}

static void
tick(uv_timer_t *t)
{
	struct conns	*cs = t->data;

	cs->now_ms = (int64_t)uv_now(cs->loop);
	tell_time(cs);
	check_times(cs);
}

/* Room */

static struct conn *
longest(struct conns *cs, enum phase phase, int64_t least_ms)
{
	struct conn	*c = cs->lists[phase].next;

	if (c == &cs->lists[phase] || cs->now_ms - c->since_ms < least_ms)
		return NULL;
	return c;
}

/* An honest head is whole in less than a second. */
static bool
make_room(struct conns *cs)
{
	struct conn	*c;

	if (cs->open < cs->max)
		return true;
	if ((c = longest(cs, PHASE_HEAD, HEAD_OLD_MS)) == NULL &&
	    (c = longest(cs, PHASE_LINGER, 0)) == NULL &&
	    (c = longest(cs, PHASE_IDLE, 0)) == NULL &&
	    (c = longest(cs, PHASE_BODY, 2 * HEAD_OLD_MS)) == NULL &&
	    (c = longest(cs, PHASE_HEAD, 0)) == NULL)
		return false;
	figures_refused(REFUSED_FULL);
	conn_close(c);
	return true;
}

/* Accepting */

static void
turn_away(struct conns *cs, int fd, const unsigned char ip[16],
    enum refused reason, const char *why)
{
	struct conn	 c = { .of = cs };

	memcpy(c.client, ip, 16);
	conn_tell(&c, reason, why);
	(void)close(fd);
}

static bool
admit(struct conns *cs, int fd, bool metrics, const unsigned char ip[16],
    bool proxy)
{
	if (metrics ? cs->open_metrics >= METRICS_CONNECTIONS :
	    !make_room(cs)) {
		turn_away(cs, fd, ip, REFUSED_FULL, "too many connections");
		return false;
	}
	if (cs->n_free == 0) {
		turn_away(cs, fd, ip, REFUSED_FULL, "too many connections");
		return false;
	}
	if (!metrics && !proxy && !rates_enter(cs->rates, ip,
	    conns_of_address(cs), cs->now_ms)) {
		turn_away(cs, fd, ip, REFUSED_ADDRESS, "too many connections "
		    "of one address");
		return false;
	}
	return true;
}

/* `serial` goes on: an answer to the place's last request is not for the
 * next. */
static void
clear(struct conn *c)
{
	struct conns	*of = c->of;
	uint32_t	 index = c->index, serial = c->serial;

	memset(c, 0, sizeof(*c));
	c->of = of;
	c->index = index;
	c->serial = serial;
}

static void
enter(struct conns *cs, int fd, bool metrics,
    const struct sockaddr_storage *a)
{
	unsigned char	 ip[16];
	struct conn	*c;
	bool		 proxy;
	int		 one = 1;

	client_of(ip, a);
	proxy = client_is_proxy(&cs->config, ip);
	if (!admit(cs, fd, metrics, ip, proxy))
		return;
	c = &cs->places[cs->free_places[--cs->n_free]];
	clear(c);
	c->fd = fd;
	c->metrics = metrics;
	c->proxy = proxy;
	c->counted = !metrics && !proxy;
	c->greeted = metrics || !proxy || !cs->config.proxy_protocol;
	memcpy(c->ip, ip, 16);
	memcpy(c->client, ip, 16);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c->phase = PHASE_HEAD;
	if (uv_poll_init(cs->loop, &c->poll, fd) != 0) {
		if (c->counted)
			rates_leave(cs->rates, ip);
		cs->free_places[cs->n_free++] = c->index;
		(void)close(fd);
		return;
	}
	c->poll.data = c;
	cs->open += !metrics;
	cs->open_metrics += metrics;
	figures_accepted();
	conn_start(c);
}

/* Without a descriptor accept() fails and the connection stays: the loop
 * would turn for ever.  One is set free, and the connection turned away. */
static void
out_of_files(struct conns *cs, int listening)
{
	int	 fd;

	figures_refused(REFUSED_ACCEPT);
	(void)close(cs->reserve);
	fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
	if (fd != -1)
		(void)close(fd);
	cs->reserve = fcntl(uv_backend_fd(cs->loop), F_DUPFD_CLOEXEC, 0);
}

static void
accept_some(uv_poll_t *h, int status, int events)
{
	struct conns		*cs = h->data;
	bool			 metrics = h == &cs->listen[1];
	struct sockaddr_storage	 a;
	socklen_t		 len;
	int			 i, fd;

	(void)events;
	cs->now_ms = (int64_t)uv_now(cs->loop);
	for (i = 0; status == 0 && i < ACCEPT_AT_ONCE && !cs->stopping; i++) {
		memset(&a, 0, sizeof(a));
		len = sizeof(a);
		fd = accept4(cs->listen_fd[metrics], (struct sockaddr *)&a,
		    &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd != -1) {
			enter(cs, fd, metrics, &a);
			continue;
		}
		if (errno == EINTR || errno == ECONNABORTED)
			continue;
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
		    errno == ENOMEM)
			out_of_files(cs, cs->listen_fd[metrics]);
		return;
	}
}

static void
stop_listening(struct conns *cs, int i)
{
	if (!cs->listening[i])
		return;
	(void)uv_poll_stop(&cs->listen[i]);
	uv_close((uv_handle_t *)&cs->listen[i], NULL);
	(void)close(cs->listen_fd[i]);
	cs->listening[i] = false;
}

enum rc
conns_listen(struct conns *cs, int fd, bool metrics, struct err *e)
{
	int	 flags = fcntl(fd, F_GETFL), failed;

	/* A second socket for the same is a mistake of the parent's. */
	if (cs->listening[metrics]) {
		(void)close(fd);
		return err_set(e, "listening already");
	}
	if (flags == -1 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1 ||
	    listen(fd, LISTEN_BACKLOG) == -1) {
		(void)err_set(e, "listening: %s", strerror(errno));
		(void)close(fd);
		return RC_FAILED;
	}
	failed = uv_poll_init(cs->loop, &cs->listen[metrics], fd);
	if (failed != 0) {
		(void)close(fd);
		return err_set(e, "listening: %s", uv_strerror(failed));
	}
	cs->listen[metrics].data = cs;
	cs->listen_fd[metrics] = fd;
	cs->listening[metrics] = true;
	failed = uv_poll_start(&cs->listen[metrics], UV_READABLE,
	    accept_some);
	assert(failed == 0);
	return RC_OK;
}

/* Beginning and end */

static enum rc
make_places(struct conns *cs, struct err *e)
{
	uint32_t	 i;

	cs->n_places = (uint32_t)cs->max + SPARE_PLACES;
	cs->places = calloc(cs->n_places, sizeof(*cs->places));
	cs->free_places = calloc(cs->n_places, sizeof(*cs->free_places));
	cs->rates = rates_new(cs->max * 4 > 32768 ? cs->max * 4 : 32768);
	if (cs->places == NULL || cs->free_places == NULL ||
	    cs->rates == NULL)
		return err_set(e, "no memory for %lld connections",
		    (long long)cs->max);
	for (i = 0; i < cs->n_places; i++) {
		cs->places[i].index = i;
		cs->places[i].of = cs;
		cs->places[i].phase = PHASE_CLOSED;
		cs->free_places[i] = cs->n_places - 1 - i;
	}
	cs->n_free = cs->n_places;
	return RC_OK;
}

enum rc
conns_begin(struct conns *cs, uv_loop_t *loop, const struct config *c,
    const struct conns_hooks *hooks, struct err *e)
{
	int	 i, failed;

	_Static_assert(BUFFERS_KEPT == sizeof(cs->spare) /
	    sizeof(cs->spare[0]), "as bounds.h says");
	memset(cs, 0, sizeof(*cs));
	cs->loop = loop;
	cs->config = *c;
	cs->hooks = *hooks;
	/* Not of a socket that listens: it would go on listening. */
	cs->reserve = fcntl(uv_backend_fd(loop), F_DUPFD_CLOEXEC, 0);
	cs->max = c->connections_max;
	for (i = 0; i < PHASE__COUNT; i++)
		cs->lists[i].prev = cs->lists[i].next = &cs->lists[i];
	if (make_places(cs, e) != RC_OK)
		return RC_FAILED;
	cs->now_ms = (int64_t)uv_now(loop);
	tell_time(cs);
	failed = uv_timer_init(loop, &cs->tick);
	assert(failed == 0);
	cs->tick.data = cs;
	failed = uv_timer_start(&cs->tick, tick, TICK_MS, TICK_MS);
	assert(failed == 0);
	return RC_OK;
}

void
conns_reload(struct conns *cs, const struct config *c)
{
	int64_t	 places = (int64_t)cs->n_places - SPARE_PLACES;

	cs->config = *c;
	/* More than at the start wants a restart: the limits of the process
	 * were set then. */
	cs->max = c->connections_max < places ? c->connections_max : places;
}

void
conns_stop(struct conns *cs)
{
	struct conn	*ring = &cs->lists[PHASE_IDLE];

	cs->stopping = true;
	stop_listening(cs, 0);
	stop_listening(cs, 1);
	while (ring->next != ring)
		conn_close(ring->next);
}

bool
conns_busy(const struct conns *cs)
{
	return cs->in_phase[PHASE_HEAD] + cs->in_phase[PHASE_BODY] +
	    cs->in_phase[PHASE_WAIT] + cs->in_phase[PHASE_WRITE] > 0;
}

struct conn *
conns_find(struct conns *cs, uint64_t tag)
{
	uint32_t	 index = (uint32_t)tag;
	struct conn	*c;

	if (index >= cs->n_places)
		return NULL;
	c = &cs->places[index];
	return c->phase == PHASE_WAIT && c->serial == tag >> 32 ? c : NULL;
}

struct conn *
conns_waiting(struct conns *cs)
{
	return longest(cs, PHASE_WAIT, 0);
}
