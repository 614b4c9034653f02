/*
 * The account's holder: signed with his key as at the exchange's door, over
 * method, target, time and the body's hash.
 *
 * The code in Drawbridge-Code is not under the signature: who owns api could
 * drop it or put it with another request of the same holder, and he has all
 * of those already.
 */
#include "auth/self.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "lib/json.h"
#include "lib/secret.h"

#define WINDOW_MS	30000
/* So far ahead a message may be; what was signed within as much of a start
 * is not taken, for what was taken before it is forgotten. */
#define AHEAD_MS	1000
#define TIME_LEN_MAX	15

void
self_refuse(const struct self *s, const char *why)
{
	secrets_why(s->r->a, text_of(s->r->key->account), why);
	auth_error(s->r, 400, -1130, why);
}

/* Commands */

void
self_begin(struct self *s, struct command *c, enum command_type t)
{
	command_clear(c, t, 0);
	(void)snprintf(s->reason, sizeof(s->reason), "self-service, key %s",
	    s->r->key_id);
	c->reason = text_of(s->reason);
	if (t != COMMAND_CODE && t != COMMAND_CANCEL &&
	    t != COMMAND_KEY_REVOKE)
		c->account = text_of(s->acc->name);
}

static bool
sound(struct self *s, const struct command *c)
{
	struct err	 e;

	if (command_check(c, &e) == RC_OK)
		return true;
	self_refuse(s, e.text);
	return false;
}

void
self_take(struct self *s, const struct command *c)
{
	if (sound(s, c))
		(void)auth_take(s->r->a, ROOM_API, s->r->m->tag, s->r->used,
		    s->r->m->endpoint, text_of(s->acc->name), c);
}

void
self_tell(struct self *s, const struct command *c)
{
	(void)awaited_tell(s->r->a, s->r->m->endpoint, text_of(s->acc->name),
	    c);
}

void
self_take_with(struct self *s, const struct command *c, char *extra,
    size_t room)
{
	struct awaited	 w = { .tag = s->r->m->tag, .link = s->r->link,
		.extra = extra, .extra_room = room };

	if (sound(s, c))
		awaited_take(s->r->a, &w, s->r->m->endpoint,
		    text_of(s->acc->name), c);
	else
		secret_free(extra, room);
}

/* The body */

static bool
wrong_type(const struct self *s, const char *name, const char *what)
{
	char	 why[96];

	(void)snprintf(why, sizeof(why), "`%s`: %s is wanted", name, what);
	self_refuse(s, why);
	return false;
}

bool
self_text(const struct self *s, const char *name, struct text *out)
{
	json_t	*v = json_object_get(s->body, name);

	if (v == NULL)
		return true;
	if (!json_is_string(v) || json_string_length(v) > 8192)
		return wrong_type(s, name, "a text");
	out->p = json_string_value(v);
	out->len = json_string_length(v);
	return true;
}

bool
self_flag(const struct self *s, const char *name, bool *out)
{
	json_t	*v = json_object_get(s->body, name);

	if (v == NULL)
		return true;
	if (!json_is_boolean(v))
		return wrong_type(s, name, "true or false");
	*out = json_is_true(v);
	return true;
}

bool
self_number(const struct self *s, const char *name, int64_t *out)
{
	json_t	*v = json_object_get(s->body, name);

	if (v == NULL)
		return true;
	if (!json_is_integer(v))
		return wrong_type(s, name, "a whole number");
	*out = json_integer_value(v);
	return true;
}

static bool
is_among(const char *names, const char *name)
{
	size_t		 len = strlen(name);
	const char	*p = names;

	while (len > 0 && (p = strstr(p, name)) != NULL) {
		if ((p == names || p[-1] == ' ') &&
		    (p[len] == '\0' || p[len] == ' '))
			return true;
		p += len;
	}
	return false;
}

bool
self_only(const struct self *s, const char *names)
{
	const char	*name;
	json_t		*v;
	char		 why[128];

	json_object_foreach(s->body, name, v) {
		if (is_among(names, name))
			continue;
		(void)snprintf(why, sizeof(why), "`%.64s`: not expected",
		    name);
		self_refuse(s, why);
		return false;
	}
	return true;
}

/* The second factor */

bool
self_factor(struct self *s, struct text what)
{
	struct request	*r = s->r;
	enum secret_kind kind;
	int64_t		 step;

	if (r->m->code.p == NULL && secrets_any(r->a, s->acc)) {
		auth_error(r, 401, -4004, "A second factor is wanted "
		    "(Drawbridge-Code).");
		return false;
	}
	switch (secrets_try(r->a, s->acc, r->m->code, what,
	    text_of(r->key->id), &kind, &step)) {
	case SECRETS_GOOD:
		if (kind == SECRET_TOTP)
			secrets_used(r->a, s->acc, step);
		return true;
	case SECRETS_NONE:
		auth_error(r, 401, -4004, "A second factor is wanted, and "
		    "none is enrolled or was sent.");
		return false;
	case SECRETS_WRONG:
		auth_error(r, 401, -4005, "The code is wrong.");
		return false;
	case SECRETS_USED:
		auth_error(r, 401, -4005, "The code was used already.");
		return false;
	case SECRETS_LOCKED:
		break;
	}
	auth_error(r, 429, -1003, "Too many wrong codes.");
	return false;
}

/* Withdrawals */

static bool
id_of(struct self *s, struct command *c)
{
	static char	 id[COMMAND_NAME_MAX + 1];
	int		 len = params_unescape(id, sizeof(id), s->r->m->id);

	if (len < 1 || len > COMMAND_NAME_MAX) {
		self_refuse(s, "the path: an id has 1 to 64 bytes");
		return false;
	}
	c->id.p = id;
	c->id.len = (size_t)len;
	return true;
}

/* It tightens: what a thief could do by it is nothing to what he could do
 * by not doing it. */
static void
cancel(struct self *s)
{
	struct command	 c;

	self_begin(s, &c, COMMAND_CANCEL);
	if (self_only(s, "not_me") && self_flag(s, "not_me", &c.not_me) &&
	    id_of(s, &c))
		self_take(s, &c);
}

void
self_code(struct self *s)
{
	struct command	 c;

	self_begin(s, &c, COMMAND_CODE);
	if (!self_only(s, "") || !id_of(s, &c) || !self_factor(s, c.id))
		return;
	c.secret = SECRET_TOTP;
	self_take(s, &c);
}

static void
freeze(struct self *s)
{
	struct command	 c;

	self_begin(s, &c, COMMAND_FREEZE);
	c.by = text_of("owner");
	if (self_only(s, ""))
		self_take(s, &c);
}

/* The address book */

static bool
script_of(struct self *s, struct command *c, struct address *to,
    struct text t)
{
	struct err	 e;

	if (t.p == NULL || address_parse(to, s->r->a->network, t.p, t.len,
	    &e) != RC_OK) {
		self_refuse(s, "`address`: not an address of this network");
		return false;
	}
	c->script.p = (const char *)to->script;
	c->script.len = to->len;
	return true;
}

static void
address_add(struct self *s)
{
	struct text	 t = { NULL, 0 };
	struct address	 to;
	struct command	 c;

	self_begin(s, &c, COMMAND_ADDRESS_ADD);
	if (self_only(s, "address label") && self_text(s, "address", &t) &&
	    self_text(s, "label", &c.name) && script_of(s, &c, &to, t) &&
	    self_factor(s, text_of(SECRETS_SELF)))
		self_take(s, &c);
}

static void
address_remove(struct self *s)
{
	struct address	 to;
	struct command	 c;

	self_begin(s, &c, COMMAND_ADDRESS_REMOVE);
	if (self_only(s, "") && script_of(s, &c, &to, s->r->m->id) &&
	    self_factor(s, text_of(SECRETS_SELF)))
		self_take(s, &c);
}

/* Reads */

static void
ask(struct self *s)
{
	struct message	 q;
	struct command	 c;

	message_clear(&q, MESSAGE_QUERY, 0);
	q.endpoint = s->r->m->endpoint;
	q.account = text_of(s->acc->name);
	if (q.endpoint == ENDPOINT_SELF_WITHDRAWAL) {
		if (!id_of(s, &c))
			return;
		q.id = c.id;
	}
	(void)auth_query(s->r->a, ROOM_API, s->r->m->tag, s->r->used, &q);
}

/* Newest first. */
static void
why(struct self *s)
{
	static struct json	 j;
	char			 body[4096];
	int			 rows = (int)(sizeof(s->acc->why) /
				    sizeof(s->acc->why[0]));
	int			 i, n;

	json_to_memory(&j, body, sizeof(body));
	json_open_array(&j, NULL);
	for (i = s->acc->n_why - 1; i >= 0 && i >= s->acc->n_why - rows;
	    i--) {
		n = i % rows;
		json_open_object(&j, NULL);
		json_put_int(&j, "t_ms", s->acc->why_ms[n]);
		json_put_text(&j, "why", s->acc->why[n]);
		json_close(&j);
	}
	json_close(&j);
	if (json_end(&j) == RC_OK)
		auth_answer(s->r->a, s->r->m->tag, 200, text_of(body), 0);
	else
		auth_error(s->r, 500, -1000, "An unknown error occurred.");
}

static self_handler	*const handlers[ENDPOINT__COUNT] = {
	[ENDPOINT_SELF_KEYS] = ask,
	[ENDPOINT_SELF_KEY_CREATE] = self_key_create,
	[ENDPOINT_SELF_KEY_CHANGE] = self_key_change,
	[ENDPOINT_SELF_KEY_REVOKE] = self_key_revoke,
	[ENDPOINT_SELF_TOTP] = self_totp,
	[ENDPOINT_SELF_TOTP_CONFIRM] = self_totp_confirm,
	[ENDPOINT_SELF_CODE] = self_code,
	[ENDPOINT_SELF_SEND_CODE] = self_send_code,
	[ENDPOINT_SELF_WITHDRAWAL] = ask,
	[ENDPOINT_SELF_CANCEL] = cancel,
	[ENDPOINT_SELF_ADDRESSES] = ask,
	[ENDPOINT_SELF_ADDRESS_ADD] = address_add,
	[ENDPOINT_SELF_ADDRESS_REMOVE] = address_remove,
	[ENDPOINT_SELF_FREEZE] = freeze,
	[ENDPOINT_SELF_CONTACT] = self_contact,
	[ENDPOINT_SELF_WHY] = why,
};

/* The way in */

static bool
in_time(struct request *r)
{
	int64_t		 now = auth_now_ms(r->a), t = 0;
	struct text	 when = r->m->when;
	size_t		 i;

	for (i = 0; when.p != NULL && i < when.len && i < TIME_LEN_MAX; i++) {
		if (when.p[i] < '0' || when.p[i] > '9')
			break;
		t = t * 10 + when.p[i] - '0';
	}
	if (when.p != NULL && i == when.len && i > 0 && when.p[0] != '0' &&
	    t <= now + AHEAD_MS && t >= now - WINDOW_MS &&
	    t >= r->a->start_ms + AHEAD_MS)
		return true;
	auth_error(r, 400, -1021, "Drawbridge-Time is not within the last "
	    "30 s of the service's clock, or before it started.");
	return false;
}

static bool
read_body(struct self *s)
{
	struct text	 t = s->r->m->body;
	json_error_t	 je;

	s->body = t.len == 0 ? json_object() : json_loadb(t.p, t.len,
	    JSON_REJECT_DUPLICATES, &je);
	if (json_is_object(s->body))
		return true;
	json_decref(s->body);
	self_refuse(s, "the body is not an object of JSON, each member "
	    "once");
	return false;
}

static void
verified(struct request *r, bool good)
{
	struct self	 s = { .r = r };

	if (!good) {
		auth_error(r, 400, -1022, "Signature for this request is not "
		    "valid.");
		return;
	}
	/* Again: verifying may have waited for a thread. */
	if (!request_find_key(r) || !in_time(r) || !request_may(r))
		return;
	request_hash(r, r->verify.message[0], (size_t)r->verify.len[0]);
	if (!request_once(r))
		return;
	if ((s.acc = accounts_get(r->a->accounts,
	    text_of(r->key->account))) == NULL) {
		auth_error(r, 503, -1008, "No memory.");
		return;
	}
	if (r->m->query.len > 0) {
		self_refuse(&s, "a query is not expected here");
		return;
	}
	if (!read_body(&s))
		return;
	r->a->figures.accepted++;
	request_used(r);
	if (handlers[r->m->endpoint] != NULL)
		handlers[r->m->endpoint](&s);
	json_decref(s.body);
}

void
self_request(struct auth *a, const struct message *m)
{
	static struct request	 r;
	unsigned char		 hash[SHA256_LEN];
	char			 hex[2 * SHA256_LEN + 1];
	char			 text[VERIFY_MAX];
	int			 len;

	r.a = a;
	r.m = m;
	r.link = a->link[ROOM_API];
	r.used = -1;
	if (!request_find_key(&r) || !in_time(&r))
		return;
	sha256(hash, m->body.p, m->body.len);
	(void)sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
	len = snprintf(text, sizeof(text), "%s\n%.*s\n%.*s\n%s",
	    endpoints[m->endpoint].method, (int)m->target.len, m->target.p,
	    (int)m->when.len, m->when.p, hex);
	if (len < 0 || (size_t)len >= sizeof(text) || !verify_one(&r.verify,
	    r.key, text, (size_t)len, m->signature))
		verified(&r, false);
	else if (r.key->type == KEY_TYPE_HMAC)
		verified(&r, verify_hmac(&r.verify, r.key));
	else
		request_slow(&r, verified);
}
