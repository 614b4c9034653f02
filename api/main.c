/*
 * The room `api`: HTTP, and nothing secret.  It answers what is public
 * itself; all else goes to auth as it was received, and the answer back.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "api/bounds.h"
#include "api/client.h"
#include "api/conn.h"
#include "api/route.h"
#include "lib/log.h"
#include "lib/sandbox.h"
#include "lib/secret.h"
#include "link/channel.h"
#include "link/process.h"

struct bounds	 bounds = {
	.head_ms = 10000,
	.body_ms = 20000,
	.body_rate = 4096,
	.idle_ms = 60000,
	.crowded_ms = 5000,
	.write_ms = 20000,
	.answer_ms = 10000,
	.events_ms = 75000,
	.linger_ms = 1000,
	.stop_ms = 5000,
	.address_part = 4,
	.address_least = 64,
};

struct api {
	struct process	 process;
	struct conns	 conns;
	struct channel	*auth;
	uv_timer_t	 stop;		/* how long it may take */
	int64_t		 stop_ms;	/* since; 0: not stopping */
};

/* Public answers */

static int64_t
real_ms(void)
{
	struct timespec	 t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool
all_there(const struct api *a)
{
	return a->auth != NULL && figures_engine_up();
}

static void
answer_public(struct api *a, struct conn *c)
{
	char		 buf[160];
	struct reply	 r = { .status = 200, .endpoint = c->endpoint,
		.used = c->used, .retry_s = -1 };

	if (c->endpoint == ENDPOINT_TIME)
		(void)snprintf(buf, sizeof(buf), "{\"serverTime\":%" PRId64
		    "}", real_ms());
	else if (c->endpoint == ENDPOINT_EXCHANGE_INFO)
		(void)snprintf(buf, sizeof(buf), "{\"timezone\":\"UTC\","
		    "\"serverTime\":%" PRId64 ",\"rateLimits\":[],"
		    "\"exchangeFilters\":[],\"symbols\":[]}", real_ms());
	else if (c->endpoint == ENDPOINT_SYSTEM_STATUS)
		(void)snprintf(buf, sizeof(buf), all_there(a) ?
		    "{\"status\":0,\"msg\":\"normal\"}" :
		    "{\"status\":1,\"msg\":\"system maintenance\"}");
	else
		(void)snprintf(buf, sizeof(buf), "%s",
		    c->endpoint == ENDPOINT_PING ? "{}" :
		    c->endpoint == ENDPOINT_FAPI_INFO ||
		    c->endpoint == ENDPOINT_DAPI_INFO ?
		    "{\"symbols\":[]}" : "[]");
	r.body = text_of(buf);
	conn_reply(c, &r);
}

/* Which methods does the path take, if not this one? */
static const char *
allowed(struct text path)
{
	struct text	 part;
	bool		 known, get, post;

	get = route_find(text_of("GET"), path, &part, &known) !=
	    ENDPOINT_NONE;
	post = route_find(text_of("POST"), path, &part, &known) !=
	    ENDPOINT_NONE;
	return get && post ? "GET, POST" : get ? "GET" : "POST";
}

static void
answer_nowhere(struct conn *c)
{
	char		 buf[REPLY_ERROR_MAX];
	struct reply	 r = { .endpoint = ENDPOINT_NONE, .used = -1,
		.retry_s = -1 };

	r.status = c->in.known ? 405 : 404;
	if (c->in.known)
		r.allow = allowed(c->in.head.path);
	r.body = reply_error(buf, -1020, c->in.known ?
	    "This path takes another method." : "There is no such path.");
	conn_reply(c, &r);
}

/* The metrics' port */

static void
answer_metrics(struct api *a, struct conn *c)
{
	const struct conns	*cs = &a->conns;
	struct figures_now	 now = {
		.connections = cs->open,
		.waiting = cs->in_phase[PHASE_WAIT],
		.idle = cs->in_phase[PHASE_IDLE],
		.long_bytes = cs->long_bytes,
		.banned = rates_banned(cs->rates, cs->now_ms),
		.addresses = rates_known(cs->rates),
		.auth = a->auth != NULL,
		.link_bytes = a->auth != NULL ?
		    (int64_t)channel_waiting(a->auth) : 0,
	};
	struct reply		 r = { .status = 200, .used = -1,
		.retry_s = -1,
		.type = text_of("text/plain; version=0.0.4; charset=utf-8") };

	if (text_equal(c->in.head.path, text_of("/metrics")) &&
	    text_equal(c->in.head.method, text_of("GET"))) {
		r.body = figures_print(&now);
		conn_reply(c, &r);
		return;
	}
	c->in.known = text_equal(c->in.head.path, text_of("/metrics"));
	answer_nowhere(c);
}

/* To auth */

/* May it have been done although there is no answer? */
static bool
may_be_done(enum endpoint e)
{
	return endpoints[e].method != NULL &&
	    strcmp(endpoints[e].method, "GET") != 0 &&
	    e != ENDPOINT_USER_ASSET && e != ENDPOINT_FUNDING_ASSET;
}

/* Nothing was passed on. */
static void
refuse_away(struct conn *c)
{
	conn_refuse(c, 503, -1008, "The service cannot take requests now; "
	    "nothing was done. Try again later.", REFUSED_AWAY, 1);
}

/* It was. */
static void
refuse_unknown(struct conn *c, enum refused reason)
{
	if (may_be_done(c->endpoint))
		conn_refuse(c, 503, -1000, "The outcome is unknown: ask the "
		    "history before you try again.", reason, -1);
	else
		conn_refuse(c, 503, -1008, "No answer in time. Try again "
		    "later.", reason, 1);
}

static struct text
or_empty(struct text t)
{
	return t.p != NULL ? t : text_of("");
}

static void
pass_on(struct api *a, struct conn *c)
{
	const struct head	*h = &c->in.head;
	struct message		 m;

	message_clear(&m, MESSAGE_REQUEST, 0);
	m.endpoint = c->endpoint;
	m.has_ip = true;
	memcpy(m.ip, c->client, sizeof(m.ip));
	m.key = h->key.p != NULL ? h->key : h->mbx_key;
	m.when = h->when;
	m.signature = h->signature;
	m.code = h->code;
	m.target = h->target;
	m.query = or_empty(h->query);
	m.id = c->in.part;
	m.body.p = h->method.p + h->len;
	m.body.len = h->body_len;
	/* The tag first: conn_wait() gives the buffer back. */
	m.tag = conn_tag(c);
	channel_send(a->auth, &m);
	conn_wait(c, c->endpoint == ENDPOINT_V1_EVENTS ? bounds.events_ms :
	    bounds.answer_ms);
}

/* Whose request is it? */
static bool
find_client(struct api *a, struct conn *c)
{
	struct text	 said = c->in.head.client;

	if (!c->proxy || a->conns.config.proxy_header[0] == '\0')
		return true;
	if (said.p != NULL)
		return client_last(c->client, said);
	/* Its own health checks ask for what is public. */
	return endpoints[c->endpoint].security == SECURITY_NONE;
}

static bool
within_rates(struct api *a, struct conn *c)
{
	struct rates_answer	 ra;

	rates_take(a->conns.rates, &ra, c->client, c->endpoint,
	    a->conns.now_ms);
	c->used = ra.used;
	if (ra.rate == RATE_OK)
		return true;
	if (ra.banned_now)
		conn_tell(c, REFUSED_BAN, "banned from now on");
	if (ra.rate == RATE_BANNED)
		conn_refuse(c, 418, -1003, "This address is banned: it went "
		    "on after 429.", REFUSED_BAN, ra.retry_s);
	else
		conn_refuse(c, 429, -1003, "Too many requests.",
		    REFUSED_RATE, ra.retry_s);
	return false;
}

static void
on_request(void *ctx, struct conn *c)
{
	struct api	*a = ctx;

	if (c->metrics) {
		answer_metrics(a, c);
		return;
	}
	if (!find_client(a, c)) {
		conn_refuse(c, 400, -1100, "the listed proxy does not say in "
		    "its header whose request this is", REFUSED_PROXY, -1);
		return;
	}
	if (!within_rates(a, c))
		return;
	if (c->endpoint == ENDPOINT_NONE)
		answer_nowhere(c);
	else if (endpoints[c->endpoint].security == SECURITY_NONE)
		answer_public(a, c);
	else if (a->auth == NULL || channel_waiting(a->auth) > CHANNEL_MARK)
		refuse_away(c);
	else
		pass_on(a, c);
}

static void
on_late(void *ctx, struct conn *c)
{
	(void)ctx;
	refuse_unknown(c, REFUSED_LATE);
}

/* From auth */

static void
on_answer(void *ctx, struct channel *ch, const struct message *m)
{
	struct api	*a = ctx;
	struct conn	*c = conns_find(&a->conns, m->tag);
	struct reply	 r = { .status = (int)m->status };

	(void)ch;
	a->conns.now_ms = (int64_t)uv_now(a->process.loop);
	/* The client is gone, or was told that it is late. */
	if (c == NULL)
		return;
	if (m->status < 200 || m->status > 599) {
		log_event(LOG_BROKEN, "answer_without_status", "endpoint",
		    's', endpoints[c->endpoint].name, NULL);
		refuse_unknown(c, REFUSED_AWAY);
		return;
	}
	r.endpoint = c->endpoint;
	r.type = m->name;
	r.body = or_empty(m->body);
	r.used = endpoints[c->endpoint].weigh == WEIGH_UID ? m->used :
	    c->used;
	r.retry_s = m->retry_s;
	/* A stolen address list is tried out by somebody. */
	if (m->status == 401)
		rates_blame(a->conns.rates, c->client, RATE_BAD_KEY,
		    a->conns.now_ms);
	conn_reply(c, &r);
}

static void
on_stats(void *ctx, struct channel *c, const struct message *m)
{
	(void)ctx;
	(void)c;
	figures_tell(m->body);
}

static channel_handler	*const auth_says[MESSAGE__END] = {
	[MESSAGE_ANSWER] = on_answer,
	[MESSAGE_STATS] = on_stats,
};

/* Those that wait will get no answer any more. */
static void
forget_auth(struct api *a)
{
	struct conn	*c;

	channel_free(&a->auth);
	figures_forget();
	while ((c = conns_waiting(&a->conns)) != NULL)
		refuse_unknown(c, REFUSED_AWAY);
}

static void
on_closed(void *ctx, struct channel *c, const struct err *why)
{
	struct api	*a = ctx;

	(void)c;
	log_event(LOG_INFO_, "link_lost", "room", 's', "auth", "why", 's',
	    why->text, NULL);
	forget_auth(a);
}

/* The process */

static enum rc
take_socket(struct api *a, enum process_socket what, enum room peer, int fd,
    struct err *e)
{
	struct channel_config	 cfg = { a->process.loop, fd, ROOM_API,
		ROOM_AUTH, auth_says, on_closed, NULL, NULL, a };
	enum rc			 rc;

	if (what == SOCKET_METRICS)
		return conns_listen(&a->conns, fd, true, e);
	if (what == SOCKET_HTTP) {
		rc = conns_listen(&a->conns, fd, false, e);
		if (rc == RC_OK)
			process_ready(&a->process);
		return rc;
	}
	if (what != SOCKET_LINK || peer != ROOM_AUTH) {
		(void)close(fd);
		return err_set(e, "a socket that is not for us");
	}
	forget_auth(a);
	return channel_new(&a->auth, &cfg, e);
}

static void
on_socket(void *ctx, enum process_socket what, enum room peer, int fd)
{
	struct api	*a = ctx;
	struct err	 e;

	if (take_socket(a, what, peer, fd, &e) == RC_OK)
		return;
	log_event(LOG_BROKEN, "ends", "why", 's', e.text, NULL);
	process_end(&a->process, 1);
}

static void
on_reload(void *ctx, const struct config *c)
{
	struct api	*a = ctx;

	conns_reload(&a->conns, c);
}

static void
check_stopped(uv_timer_t *t)
{
	struct api	*a = t->data;

	if (!conns_busy(&a->conns) ||
	    (int64_t)uv_now(a->process.loop) - a->stop_ms > bounds.stop_ms)
		process_end(&a->process, 0);
}

static void
on_stop(void *ctx)
{
	struct api	*a = ctx;
	int		 failed;

	if (a->stop_ms != 0)
		return;
	a->stop_ms = (int64_t)uv_now(a->process.loop);
	conns_stop(&a->conns);
	failed = uv_timer_start(&a->stop, check_stopped, 0, 20);
	assert(failed == 0);
}

static enum rc
begin(struct api *a, struct err *e)
{
	const struct config	*c = &a->process.config;
	const struct conns_hooks hooks = { on_request, on_late, a };
	struct sandbox		 s = { .kind = SANDBOX_ACCEPT };

	/* Hashes are keyed with chance that must be there before the doors
	 * close. */
	if (secret_begin(e) != RC_OK)
		return RC_FAILED;
	(void)uv_timer_init(a->process.loop, &a->stop);
	a->stop.data = a;
	s.user = c->user[0] != '\0' ? c->user : NULL;
	s.files_max = (int)c->connections_max + METRICS_CONNECTIONS + 64;
	if (conns_begin(&a->conns, a->process.loop, c, &hooks, e) != RC_OK)
		return RC_FAILED;
	return sandbox_enter(&s, e);
}

int
api_main(int control)
{
	static struct api		 a;
	const struct process_hooks	 hooks = { on_socket, on_reload,
		on_stop, &a };
	struct err			 e;

	if (process_begin(&a.process, ROOM_API, control, &e) != RC_OK)
		return 1;
	if (begin(&a, &e) != RC_OK) {
		log_event(LOG_BROKEN, "start", "why", 's', e.text, NULL);
		return 1;
	}
	return process_run(&a.process, &hooks);
}
