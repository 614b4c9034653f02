/*
 * The exchange's door: signed over method, target, time and the body's hash,
 * so that one signature is one request.
 */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/auth.h"
#include "auth/v1_read.h"
#include "lib/json.h"
#include "lib/log.h"
#include "wire/bytes.h"
#include "wire/rights.h"

#define WINDOW_MS	30000
/* A message that is taken may be so far ahead: as much as the start of this
 * process makes up for, when what was taken before is forgotten. */
#define AHEAD_MS	1000
#define SIGNATURE_LEN	88		/* 64 bytes as base64 */
#define TIME_LEN_MAX	15
#define WAIT_MAX_S	25
#define EVENTS_MAX	1000
#define BY_MAX		(COMMAND_NAME_MAX + 1)

static struct v1_read	*reader;

/* Answers */

static void
fail(const struct request *r, int status, const char *why)
{
	char		 body[2048], field[64];
	const char	*end;
	struct json	 j;

	if (r->link != r->a->link[ROOM_API])
		return;
	r->a->figures.refused++;
	json_to_memory(&j, body, sizeof(body));
	json_open_object(&j, NULL);
	json_put_text(&j, "error", why);
	end = why[0] == '`' ? strchr(why + 1, '`') : NULL;
	if (end != NULL && end - why - 1 < (ptrdiff_t)sizeof(field)) {
		(void)snprintf(field, sizeof(field), "%.*s",
		    (int)(end - why - 1), why + 1);
		json_put_text(&j, "field", field);
	}
	json_close(&j);
	auth_answer(r->a, r->m->tag, status, json_end(&j) == RC_OK ?
	    text_of(body) : text_of("{\"error\":\"refused\"}"),
	    status == 503 ? 1 : 0);
}

static void
refuse(const struct request *r, int status, const char *why)
{
	log_event(LOG_INFO_, "rejected", "key", 's', r->key_id, "endpoint",
	    's', endpoints[r->m->endpoint].name, "why", 's', why, NULL);
	fail(r, status, why);
}

/* Who, when, once */

static bool
find_key(struct request *r)
{
	struct text	 id = r->m->key;

	r->key_id[0] = '\0';
	if (id.p != NULL && id.len > 0 && id.len <= COMMAND_NAME_MAX &&
	    params_is_plain(id)) {
		memcpy(r->key_id, id.p, id.len);
		r->key_id[id.len] = '\0';
		r->key = keys_find(r->a->keys, id);
	}
	if (r->key != NULL && r->key->door &&
	    r->key->type == KEY_TYPE_ED25519 && (r->key->expires_ms < 0 ||
	    r->key->expires_ms > auth_now_ms(r->a)))
		return true;
	refuse(r, 401, "Drawbridge-Key: no such key, or it was revoked or has "
	    "expired");
	return false;
}

static bool
in_time(struct request *r)
{
	int64_t		 now = auth_now_ms(r->a), t = 0;
	struct text	 when = r->m->when;
	size_t		 i;

	for (i = 0; when.p != NULL && i < when.len; i++) {
		if (when.p[i] < '0' || when.p[i] > '9' || i == TIME_LEN_MAX)
			break;
		t = t * 10 + when.p[i] - '0';
	}
	if (when.p == NULL || when.len == 0 || i < when.len ||
	    when.p[0] == '0') {
		refuse(r, 401, "Drawbridge-Time: milliseconds since 1970 are "
		    "wanted");
		return false;
	}
	if (t > now + AHEAD_MS || t < now - WINDOW_MS ||
	    t < r->a->start_ms) {
		refuse(r, 401, "Drawbridge-Time: not within the last 30 s of "
		    "the service's clock, or before it started");
		return false;
	}
	return true;
}

/* METHOD "\n" TARGET "\n" TIME "\n" hex(SHA-256(body)); -1: too long. */
static int
message_of(const struct message *m, char *out, size_t room)
{
	unsigned char	 hash[SHA256_LEN];
	char		 hex[2 * SHA256_LEN + 1];
	int		 len;

	sha256(hash, m->body.p, m->body.len);
	(void)sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
	len = snprintf(out, room, "%s\n%.*s\n%.*s\n%s",
	    endpoints[m->endpoint].method, (int)m->target.len, m->target.p,
	    (int)m->when.len, m->when.p, hex);
	return len > 0 && (size_t)len < room ? len : -1;
}

/* There is one way to write a signature. */
static bool
is_canonical(struct text t)
{
	unsigned char	 bytes[64];
	char		 again[SIGNATURE_LEN + 1];
	size_t		 len = 0;

	return t.p != NULL && t.len == SIGNATURE_LEN && sodium_base642bin(
	    bytes, sizeof(bytes), t.p, t.len, NULL, &len, NULL,
	    sodium_base64_VARIANT_ORIGINAL) == 0 && len == sizeof(bytes) &&
	    memcmp(sodium_bin2base64(again, sizeof(again), bytes,
	    sizeof(bytes), sodium_base64_VARIANT_ORIGINAL), t.p, t.len) == 0;
}

static bool
once(struct request *r)
{
	request_hash(r, r->verify.message[0], (size_t)r->verify.len[0]);
	switch (repeat_take(r->a->repeat, r->hash, auth_mono_ms())) {
	case REPEAT_NEW:
		return true;
	case REPEAT_AGAIN:
		r->a->figures.replayed++;
		refuse(r, 401, "this request was received already: sign "
		    "again, with another time");
		return false;
	case REPEAT_FULL:
		break;
	}
	refuse(r, 503, "too many requests to remember");
	return false;
}

static uint32_t
roles_for(enum endpoint e)
{
	if (e == ENDPOINT_V1_WITHDRAW || e == ENDPOINT_V1_CANCEL)
		return DOOR_DECIDE;
	if (e == ENDPOINT_V1_OUTCOME)
		return DOOR_REPORT;
	if (e == ENDPOINT_V1_FACTS)
		return DOOR_FEED | DOOR_DECIDE | DOOR_REPORT | DOOR_TIGHTEN;
	if (e == ENDPOINT_V1_HALT || e == ENDPOINT_V1_FREEZE_ACCOUNT ||
	    e == ENDPOINT_V1_FREEZE_KEY)
		return DOOR_TIGHTEN;
	/* Whoever asked reads what came of it. */
	if (e == ENDPOINT_V1_WITHDRAWAL)
		return DOOR_READ | DOOR_DECIDE | DOOR_REPORT;
	if (e == ENDPOINT_V1_HEALTH)
		return DOOR_READ | DOOR_DECIDE | DOOR_REPORT | DOOR_FEED |
		    DOOR_TIGHTEN;
	return DOOR_READ;
}

static bool
has_role(struct request *r)
{
	char	 names[RIGHTS_TEXT_MAX], why[160];

	if ((r->key->roles & roles_for(r->m->endpoint)) != 0)
		return true;
	(void)snprintf(why, sizeof(why), "this key's roles do not suffice; "
	    "one of %s is wanted", door_roles_text(names,
	    roles_for(r->m->endpoint)));
	refuse(r, 403, why);
	return false;
}

/* Commands */

static struct text
by_of(const struct request *r, char buf[BY_MAX])
{
	(void)snprintf(buf, BY_MAX, "door:%.*s", COMMAND_NAME_MAX - 5,
	    r->key_id);
	return text_of(buf);
}

/* For those who check afterwards who asked: wire/command.h. */
static struct text
proof(const struct request *r, unsigned char *buf)
{
	struct text	 sig = { (const char *)r->verify.signature,
		    r->verify.signature_len };
	struct text	 t = { (const char *)buf, 0 };
	unsigned char	*p = buf;

	*p++ = KEY_TYPE_ED25519;
	p = put_text(p, sig);
	memcpy(p, r->verify.message[0], (size_t)r->verify.len[0]);
	t.len = (size_t)(p - buf) + (size_t)r->verify.len[0];
	return t;
}

static void
send_on(struct request *r, struct command *c)
{
	unsigned char	 bytes[COMMAND_PROOF_MAX];
	char		 by[BY_MAX];
	struct err	 e;

	c->by = by_of(r, by);
	c->proof = proof(r, bytes);
	if (command_check(c, &e) != RC_OK) {
		fail(r, 400, e.text);
		return;
	}
	(void)auth_take(r->a, ROOM_API, r->m->tag, -1, r->m->endpoint,
	    c->account, c);
}

static void
withdraw(struct request *r)
{
	struct command	 c;
	struct err	 e;

	if (v1_read_withdraw(reader, &c, r->m->body, &e) != RC_OK)
		fail(r, 400, e.text);
	else
		send_on(r, &c);
}

static void
small(struct request *r)
{
	struct command	 c;
	struct err	 e;
	char		 by[BY_MAX];

	if (v1_read_small(reader, &c, r->m->endpoint, r->m->id, r->m->body,
	    by_of(r, by), &e) != RC_OK)
		fail(r, 400, e.text);
	else
		send_on(r, &c);
}

/* Facts */

struct packed {
	unsigned char	*bytes;
	size_t		 len;
	size_t		 room;
};

static void
put_part(struct packed *p, const unsigned char *bytes, size_t len)
{
	struct text	 t = { (const char *)bytes, len };

	p->len = (size_t)(put_text(p->bytes + p->len, t) - p->bytes);
}

static void
pack(struct packed *p, const struct command *c)
{
	size_t		 open_room = command_open_room(c);
	size_t		 sealed_room = command_sealed_room(c);
	size_t		 open_len, sealed_len;
	unsigned char	*open = malloc(open_room + sealed_room);

	if (p->room - p->len < open_room + sealed_room + 2 * VARINT_MAX) {
		p->room = 2 * p->room + open_room + sealed_room + 4096;
		p->bytes = realloc(p->bytes, p->room);
	}
	if (open == NULL || p->bytes == NULL)
		abort();
	command_pack(c, open, &open_len, open + open_room, &sealed_len);
	put_part(p, open, open_len);
	put_part(p, open + open_room, sealed_len);
	free(open);
}

/* 0, or the status. */
static int
take_line(struct request *r, struct packed *p, struct text line,
    struct text by, struct err *e)
{
	struct command	 c;
	uint32_t	 who;

	if (v1_read_line(reader, &c, line, e) != RC_OK)
		return 400;
	who = v1_read_roles(c.type);
	if ((r->key->roles & who) == 0) {
		(void)err_set(e, "`type`: %s is not for %s",
		    command_type_text(c.type), who == 0 ? "this door" :
		    "this key's roles");
		return 403;
	}
	c.by = by;
	if (command_check(&c, e) != RC_OK)
		return 400;
	pack(p, &c);
	return 0;
}

/* All lines are read before any is taken. */
static int
take_lines(struct request *r, struct packed *p, struct err *e)
{
	struct text	 left = r->m->body, line, by;
	const char	*end;
	char		 name[BY_MAX];
	int		 n = 0, at = 0, status;

	by = by_of(r, name);
	for (; left.len > 0; left.p += line.len + (end != NULL),
	    left.len -= line.len + (end != NULL)) {
		end = memchr(left.p, '\n', left.len);
		line.p = left.p;
		line.len = end != NULL ? (size_t)(end - left.p) : left.len;
		at++;
		if (line.len == 0)
			continue;
		if (++n > V1_LINES_MAX) {
			(void)err_set(e, "more than %d lines", V1_LINES_MAX);
			return 413;
		}
		if ((status = take_line(r, p, line, by, e)) != 0) {
			(void)err_set(e, "%s; line %d", e->text, at);
			return status;
		}
	}
	if (n > 0)
		return 0;
	(void)err_set(e, "no lines");
	return 400;
}

static void
facts(struct request *r)
{
	struct packed	 p = { NULL, 0, 0 };
	struct message	 m;
	struct err	 e;
	int		 status = take_lines(r, &p, &e);

	if (status != 0) {
		fail(r, status, e.text);
	} else {
		message_clear(&m, MESSAGE_TAKE_LINES, 0);
		m.endpoint = ENDPOINT_V1_FACTS;
		m.key = text_of(r->key_id);
		m.body.p = (const char *)p.bytes;
		m.body.len = p.len;
		(void)auth_query(r->a, ROOM_API, r->m->tag, -1, &m);
	}
	free(p.bytes);
}

/* Reads */

static bool
number(struct request *r, const char *name, int64_t *out, int64_t max)
{
	struct text	 t = params_value(&r->params, name);
	char		 why[64];

	if (t.p == NULL || (params_number(out, t) && *out <= max))
		return true;
	(void)snprintf(why, sizeof(why), "`%s`: must be a whole number up to "
	    "%" PRId64, name, max);
	fail(r, 400, why);
	return false;
}

static bool
read_query(struct request *r, struct message *q)
{
	struct params_error	 pe;
	char			 why[128];
	struct text		 t;
	int64_t			 wait_s = 0;

	if (!params_read(&r->params, r->m->query, text_of(""), &pe)) {
		fail(r, 400, "the query cannot be read");
		return false;
	}
	q->seq = 0;
	if (q->endpoint == ENDPOINT_V1_EVENTS && (!number(r, "after",
	    &q->seq, INT64_MAX) || !number(r, "wait", &wait_s, WAIT_MAX_S) ||
	    !number(r, "limit", &q->limit, EVENTS_MAX)))
		return false;
	q->wait_ms = wait_s > 0 ? wait_s * 1000 : -1;
	t = params_unread(&r->params);
	if (t.p == NULL && r->params.signature.p == NULL)
		return true;
	(void)snprintf(why, sizeof(why), "`%.*s`: not expected",
	    t.p != NULL && t.len < 64 ? (int)t.len : 9,
	    t.p != NULL ? t.p : "signature");
	fail(r, 400, why);
	return false;
}

static void
ask(struct request *r)
{
	char		 id[COMMAND_NAME_MAX + 1];
	struct message	 q;
	int		 len;

	message_clear(&q, MESSAGE_QUERY, 0);
	q.endpoint = r->m->endpoint;
	q.key = text_of(r->key_id);
	if (r->m->body.len > 0) {
		fail(r, 400, "a question has no body");
		return;
	}
	if (!read_query(r, &q))
		return;
	if (q.endpoint == ENDPOINT_V1_WITHDRAWAL) {
		len = params_unescape(id, sizeof(id), r->m->id);
		if (len < 1 || len > COMMAND_NAME_MAX) {
			fail(r, 400, "the path: an id has 1 to 64 bytes");
			return;
		}
		q.id.p = id;
		q.id.len = (size_t)len;
		q.seq = -1;
	}
	(void)auth_query(r->a, ROOM_API, r->m->tag, -1, &q);
}

static void
dispatch(struct request *r)
{
	enum endpoint	 e = r->m->endpoint;

	if (strcmp(endpoints[e].method, "GET") == 0)
		ask(r);
	else if (r->m->query.len > 0)
		fail(r, 400, "a query is not expected here");
	else if (e == ENDPOINT_V1_WITHDRAW)
		withdraw(r);
	else if (e == ENDPOINT_V1_FACTS)
		facts(r);
	else
		small(r);
}

/* The way in */

static void
verified(struct request *r, bool good)
{
	if (!good) {
		refuse(r, 401, "Drawbridge-Signature: not this key's for "
		    "this request");
		return;
	}
	/* Verifying waited for a thread: the key, and the time, anew. */
	r->key = NULL;
	if (!find_key(r) || !in_time(r) || !once(r) || !has_role(r))
		return;
	r->a->figures.accepted++;
	dispatch(r);
}

void
v1_request(struct auth *a, const struct message *m)
{
	static struct request	 r;
	char			 text[VERIFY_MAX];
	struct err		 e;
	int			 len;

	r.a = a;
	r.m = m;
	r.link = a->link[ROOM_API];
	r.used = -1;
	r.key = NULL;
	r.key_id[0] = '\0';
	if (reader == NULL && v1_read_new(&reader, a->network, &e) !=
	    RC_OK) {
		fail(&r, 503, e.text);
		return;
	}
	if (endpoints[m->endpoint].security == SECURITY_OPERATOR) {
		v1_act_request(a, m);
		return;
	}
	if (!find_key(&r) || !in_time(&r))
		return;
	len = message_of(m, text, sizeof(text));
	if (len < 0 || !is_canonical(m->signature) ||
	    !verify_one(&r.verify, r.key, text, (size_t)len, m->signature)) {
		verified(&r, false);
		return;
	}
	request_slow(&r, verified);
}
