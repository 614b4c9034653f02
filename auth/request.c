/*
 * A request at the customers' door: whose, when, signed, once, allowed.
 */
#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/auth.h"
#include "auth/secrets.h"
#include "auth/weights.h"
#include "lib/json.h"
#include "lib/log.h"

#define WINDOW_US	INT64_C(5000000)	/* recvWindow, if not given */
#define WINDOW_MAX_US	INT64_C(60000000)
#define AHEAD_MS	1000

static const char	 rejected[] = "Invalid API-key, IP, or permissions "
	"for action.";

/* Answers */

void
auth_answer(struct auth *a, uint64_t tag, int status, struct text body,
    int64_t retry_s)
{
	struct message	 m;

	if (a->to[ROOM_API] == NULL)
		return;
	message_clear(&m, MESSAGE_ANSWER, tag);
	m.status = status;
	m.body = body;
	m.retry_s = retry_s > 0 ? retry_s : -1;
	channel_send(a->to[ROOM_API], &m);
}

static void
error_with(const struct request *r, int status, int code, const char *msg,
    int64_t retry_s)
{
	char		 body[1024];
	struct json	 j;

	/* Another api would not know the tag. */
	if (r->link != r->a->link[ROOM_API])
		return;
	r->a->figures.refused++;
	json_to_memory(&j, body, sizeof(body));
	json_open_object(&j, NULL);
	json_put_int(&j, "code", code);
	json_put_text(&j, "msg", msg);
	json_close(&j);
	if (json_end(&j) == RC_OK)
		auth_answer(r->a, r->m->tag, status, text_of(body), retry_s);
}

void
auth_error(const struct request *r, int status, int code, const char *msg)
{
	error_with(r, status, code, msg, 0);
}

void
auth_named_error(const struct request *r, int code, const char *msg,
    struct text name)
{
	char	 text[256];

	(void)snprintf(text, sizeof(text), "%s '%.*s'.", msg,
	    name.len < 64 ? (int)name.len : 64, name.p != NULL ? name.p :
	    "");
	error_with(r, 400, code, text, 0);
}

/* The wire says one thing; the log, and the account's owner, the true one. */
void
request_reject(const struct request *r, const char *why)
{
	if (r->key != NULL)
		secrets_why(r->a, text_of(r->key->account), why);
	log_event(LOG_INFO_, "rejected", "key", 's', r->key_id, "account",
	    's', r->key != NULL ? r->key->account : "", "endpoint", 's',
	    endpoints[r->m->endpoint].name, "why", 's', why, NULL);
	error_with(r, 401, -2015, rejected, 0);
}

/* Time */

static bool
read_time(struct request *r)
{
	struct text	 t = params_value(&r->params, "timestamp");
	struct text	 w = params_value(&r->params, "recvWindow");

	r->window_us = WINDOW_US;
	if (t.p == NULL || !params_number(&r->timestamp_us, t)) {
		auth_error(r, 400, -1102, "Mandatory parameter 'timestamp' "
		    "was not sent, was empty/null, or malformed.");
		return false;
	}
	/* Microseconds, if it is too large for milliseconds. */
	if (r->timestamp_us < INT64_C(100000000000000))
		r->timestamp_us *= 1000;
	if (w.p == NULL)
		return true;
	if (!params_window(&r->window_us, w)) {
		auth_error(r, 400, -1102, "Mandatory parameter 'recvWindow' "
		    "was not sent, was empty/null, or malformed.");
		return false;
	}
	if (r->window_us > WINDOW_MAX_US) {
		auth_error(r, 400, -1131, "recvWindow must be less than "
		    "60000");
		return false;
	}
	return true;
}

static bool
in_time(struct request *r)
{
	int64_t	 now_us = auth_now_ms(r->a) * 1000;

	if (r->timestamp_us >= now_us + AHEAD_MS * 1000) {
		auth_error(r, 400, -1021, "Timestamp for this request was "
		    "1000ms ahead of the server's time.");
		return false;
	}
	/* What was taken before this start is not remembered. */
	if (now_us - r->timestamp_us > r->window_us ||
	    r->timestamp_us < r->a->start_ms * 1000) {
		auth_error(r, 400, -1021, "Timestamp for this request is "
		    "outside of the recvWindow.");
		return false;
	}
	return true;
}

/* Once */

void
request_hash(struct request *r, const char *message, size_t len)
{
	unsigned char	 head[COMMAND_NAME_MAX + 3] = { 0 };
	struct sha256	 h;

	/* Method and path are not signed in that protocol. */
	head[0] = (unsigned char)r->m->endpoint;
	memcpy(head + 1, r->key_id, strlen(r->key_id));
	sha256_begin(&h);
	sha256_add(&h, head, sizeof(head));
	sha256_add(&h, message, len);
	sha256_end(&h, r->hash);
}

bool
request_once(struct request *r)
{
	switch (repeat_take(r->a->repeat, r->hash, auth_mono_ms())) {
	case REPEAT_NEW:
		return true;
	case REPEAT_AGAIN:
		r->a->figures.replayed++;
		auth_error(r, 400, -1022, "Signature for this request was "
		    "used already.");
		return false;
	case REPEAT_FULL:
		break;
	}
	error_with(r, 503, -1008, "Server is currently overloaded.", 1);
	return false;
}

/* Whose */

bool
request_find_key(struct request *r)
{
	struct text	 id = r->m->key;

	r->key = NULL;
	r->key_id[0] = '\0';
	if (id.p == NULL || id.len == 0 || id.len > COMMAND_NAME_MAX ||
	    !params_is_plain(id)) {
		auth_error(r, 401, -2014, "API-key format invalid.");
		return false;
	}
	memcpy(r->key_id, id.p, id.len);
	r->key_id[id.len] = '\0';
	r->key = keys_find(r->a->keys, id);
	if (r->key == NULL || r->key->door) {
		request_reject(r, "no such key");
		return false;
	}
	return true;
}

/* What the key may, after it is clear that it is the key. */
bool
request_may(struct request *r)
{
	const struct key	*k = r->key;

	if (k->expires_ms >= 0 && k->expires_ms <= auth_now_ms(r->a)) {
		request_reject(r, "the key has expired");
		return false;
	}
	if (!keys_from(k, r->m->has_ip, r->m->ip)) {
		request_reject(r, "not from a network of the key's list");
		return false;
	}
	if (endpoints[r->m->endpoint].security == SECURITY_WITHDRAW &&
	    !k->withdraw) {
		request_reject(r, "the key may not withdraw");
		return false;
	}
	return true;
}

static bool
within_rates(struct request *r)
{
	int	 wait = weights_take(r->a->weights, text_of(r->key->account),
	    r->m->endpoint, auth_mono_ms(), &r->used);

	if (wait == 0)
		return true;
	error_with(r, 429, -1003, "Too many requests of this account.",
	    wait);
	return false;
}

void
request_used(struct request *r)
{
	struct message	 m;

	if (r->a->to[ROOM_ENGINE] == NULL)
		return;
	message_clear(&m, MESSAGE_USED, 0);
	m.key = text_of(r->key->id);
	m.has_ip = r->m->has_ip;
	memcpy(m.ip, r->m->ip, sizeof(m.ip));
	m.t_ms = auth_now_ms(r->a);
	channel_send(r->a->to[ROOM_ENGINE], &m);
}

void
request_accepted(struct request *r)
{
	char	 canonical[VERIFY_MAX];
	int	 len = params_canonical(&r->params, canonical,
	    sizeof(canonical));

	assert(len >= 0);
	/* Checked again: verifying may have waited for a thread. */
	r->key = keys_find(r->a->keys, text_of(r->key_id));
	if (r->key == NULL) {
		request_reject(r, "revoked meanwhile");
		return;
	}
	request_hash(r, canonical, (size_t)len);
	repeat_expect(r->a->repeat, r->hash);
	/* Once before the weights: whoever sends a captured message again
	 * must not use up what its owner may ask. */
	if (!in_time(r) || !request_may(r) || !request_once(r) ||
	    !within_rates(r))
		return;
	r->a->figures.accepted++;
	if (r->m->endpoint == ENDPOINT_APPLY) {
		apply_request(r);
		return;
	}
	request_used(r);
	queries_request(r);
}

static void
verified(struct request *r, bool good)
{
	if (!good) {
		log_event(LOG_INFO_, "signature", "key", 's', r->key_id,
		    NULL);
		auth_error(r, 400, -1022, "Signature for this request is not "
		    "valid.");
		return;
	}
	request_accepted(r);
}

/* On another thread */

struct slow {
	struct request	 r;
	struct message	 m;
	void		(*then)(struct request *r, bool good);
	bool		 good;
	uv_work_t	 work;
	unsigned char	 bytes[];
};

static void
work(uv_work_t *w)
{
	struct slow	*s = w->data;

	s->good = verify_slow(&s->r.verify);
}

static void
worked(uv_work_t *w, int status)
{
	struct slow	*s = w->data;

	s->r.a->slow--;
	if (status == 0 && s->r.link == s->r.a->link[ROOM_API])
		s->then(&s->r, s->good);
	verify_end(&s->r.verify);
	free(s);
}

/* Everything that points into the request must point into the copy. */
static bool
copy(struct slow *s, const struct request *r, size_t len)
{
	struct params_error	 pe;
	struct err		 e;
	int			 i;

	if (message_unpack(&s->m, s->bytes, len, &e) != RC_OK)
		return false;
	s->r = *r;
	s->r.m = &s->m;
	if (endpoints[s->m.endpoint].security == SECURITY_DOOR ||
	    endpoints[s->m.endpoint].security == SECURITY_SELF)
		return true;
	if (!params_read(&s->r.params, s->m.query, s->m.body, &pe))
		return false;
	/* What was read of it before still is. */
	for (i = 0; i < r->params.n; i++)
		s->r.params.p[i].asked = r->params.p[i].asked;
	return true;
}

void
request_slow(struct request *r, void (*then)(struct request *r, bool good))
{
	struct slow	*s = NULL;
	size_t		 len;

	if (r->a->slow < SLOW_MAX)
		s = malloc(sizeof(*s) + message_room(r->m));
	if (s == NULL) {
		verify_end(&r->verify);
		error_with(r, 503, -1008, "Server is currently overloaded.",
		    1);
		return;
	}
	len = message_pack(r->m, s->bytes);
	if (!copy(s, r, len)) {
		verify_end(&r->verify);
		free(s);
		auth_error(r, 500, -1000, "An unknown error occurred.");
		return;
	}
	s->then = then;
	s->work.data = s;
	r->a->slow++;
	r->a->figures.slow++;
	if (uv_queue_work(r->a->process.loop, &s->work, work, worked) != 0)
		assert(!"a loop that runs");
}

/* The way in */

void
request_begin(struct auth *a, const struct message *m)
{
	static struct request	 r;
	struct params_error	 pe;

	r.a = a;
	r.m = m;
	r.link = a->link[ROOM_API];
	r.used = -1;
	if (!request_find_key(&r))
		return;
	if (!params_read(&r.params, m->query, m->body, &pe)) {
		auth_named_error(&r, pe.code, pe.code == -1101 ? "Too many "
		    "parameters; duplicate or mixed values for" : "Illegal "
		    "characters found in parameter", pe.name);
		return;
	}
	if (r.params.signature.p == NULL || r.params.signature.len == 0) {
		auth_error(&r, 400, -1102, "Mandatory parameter 'signature' "
		    "was not sent, was empty/null, or malformed.");
		return;
	}
	if (!read_time(&r) || !in_time(&r))
		return;
	if (!verify_begin(&r.verify, &r.params, r.key,
	    a->process.config.decoded_signatures)) {
		verified(&r, false);
		return;
	}
	if (r.key->type == KEY_TYPE_HMAC)
		verified(&r, verify_hmac(&r.verify, r.key));
	else
		request_slow(&r, verified);
}
