/*
 * Every field by its name in drawbridge.scenario(5).
 */
#include "book/events.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "engine/take.h"
#include "wire/command_fields.h"

static bool
is_amount(enum command_field f)
{
	return f == F_AMOUNT || f == F_PAYABLE || f == F_RECEIVED ||
	    f == F_LIMIT;
}

static const char *
word(enum command_field f, unsigned w)
{
	static const char *const	 vias[] = { "api", "web", "mobile",
		"internal" };
	static const char *const	 paids[] = { "paid", "failed",
		"cancelled", "denied" };
	static const char *const	 types[] = { "none", "hmac", "rsa",
		"ed25519" };
	static const char *const	 whats[] = { "password", "2fa",
		"email", "phone" };
	static const char *const	 secrets[] = { "none", "totp",
		"recovery", "contact", "password", "links" };

	if (f == F_VIA)
		return vias[w & 3];
	if (f == F_PAID)
		return paids[w & 3];
	if (f == F_KEY_TYPE)
		return types[w & 3];
	if (f == F_WHAT)
		return whats[w & 3];
	return w < 6 && f == F_SECRET ? secrets[w] : NULL;
}

static void
fact(struct json *j, const char *key, const struct command_fact *f)
{
	switch (f->kind) {
	case VALUE_TEXT:
		json_put_bytes(j, key, f->text.p, f->text.len);
		return;
	case VALUE_INTEGER:
		json_put_int(j, key, f->value);
		return;
	case VALUE_FLAG:
		json_put_bool(j, key, f->value != 0);
		return;
	}
	assert(!"a kind of value");
}

static void
facts(struct json *j, const struct command *c)
{
	char	 name[COMMAND_NAME_MAX + 1];
	size_t	 i;

	json_open_object(j, "facts");
	for (i = 0; i < c->n_facts; i++) {
		(void)snprintf(name, sizeof(name), "%.*s",
		    (int)c->facts[i].name.len, c->facts[i].name.p);
		fact(j, name, &c->facts[i]);
	}
	json_close(j);
}

static void
number(struct json *j, enum command_field f, const char *name, int64_t v)
{
	if (is_amount(f))
		json_put_sat(j, name, v);
	else
		json_put_int(j, name, v);
}

static void
field(struct answering *a, const struct command *c, enum command_field f)
{
	const struct command_field_def	*d = &command_fields[f];
	const void			*at = command_at(c, d);
	const struct text		*t = at;
	struct json			*j = a->j;
	unsigned			 w;
	int64_t				 v;

	switch (d->kind) {
	case KIND_TEXT:
		json_put_bytes(j, d->name, t->p, t->len);
		return;
	case KIND_NUMBER:
		memcpy(&v, at, sizeof(v));
		number(j, f, d->name, v);
		return;
	case KIND_WORD:
		memcpy(&w, at, sizeof(w));
		if (f == F_CODE)
			json_put_bool(j, d->name, w == TRI_YES);
		else if (word(f, w) != NULL)
			json_put_text(j, d->name, word(f, w));
		return;
	case KIND_FLAG:
		json_put_bool(j, d->name, true);
		return;
	case KIND_SOURCE:
		json_put_bytes(j, "source", c->source.p, c->source.len);
		json_put_uint(j, "n", c->n);
		return;
	case KIND_FACT:
		json_put_bytes(j, "name", c->fact.name.p, c->fact.name.len);
		fact(j, "value", &c->fact);
		return;
	case KIND_FACTS:
		facts(j, c);
		return;
	case KIND_BYTES:
		if (f == F_SCRIPT)
			answers_address(a, d->name, *t);
		return;
	case KIND_HASH:
	case KIND_IP:
	case KIND_CIDRS:
		return;
	}
	assert(!"a kind");
}

static void
put_id(struct answering *a, const struct outcome_record *r,
    struct ident own, struct text own_id)
{
	struct text	 ident = { (const char *)&r->id, sizeof(r->id) };
	sqlite3_stmt	*q;

	if (ident_none(r->id))
		return;
	if (own_id.p != NULL && ident_equal(r->id, own)) {
		json_put_bytes(a->j, "id", own_id.p, own_id.len);
		return;
	}
	q = store_ask(a->s, "select id from withdrawal where ident = ?", "b",
	    ident);
	if (q != NULL)
		answers_text(a->j, "id", q, 0);
	store_done(q);
}

static const char *
type_text(enum outcome_type t)
{
	static const char *const	 texts[] = { "decided", "repeated",
		"decided_again", "moved", "halted", "resumed", "taken",
		"refused" };

	return texts[t];
}

static void
outcome(struct answering *a, uint64_t seq, const struct outcome_record *r,
    struct ident own, struct text own_id)
{
	struct json	*j = a->j;
	char		 name[PROJECT_RULE_MAX];
	int		 i;

	json_open_object(j, NULL);
	json_put_text(j, "what", type_text(r->type));
	put_id(a, r, own, own_id);
	json_put_int(j, "t", r->t_ms);
	if (r->type == OUTCOME_DECIDED || r->type == OUTCOME_REDECIDED ||
	    r->type == OUTCOME_MOVED || r->type == OUTCOME_REPEATED) {
		json_put_text(j, "state", state_text(r->state));
		json_put_text(j, "verdict", verdict_text(r->verdict));
		json_put_text(j, "would", verdict_text(r->would));
	}
	if (r->why != WHY_NONE)
		json_put_text(j, "why", why_text(r->why));
	if (r->due_ms != INT64_MAX)
		json_put_int(j, "until", r->due_ms);
	if (r->judged) {
		json_open_array(j, "rules");
		for (i = 0; i < r->n_rules; i++)
			if ((r->did[i] == RULE_MATCHED ||
			    r->did[i] == RULE_FAILED) &&
			    project_rule(a->s, seq, r->rules[i], name))
				json_put_text(j, NULL, name);
		if (r->by_default)
			json_put_text(j, NULL, "default");
		json_close(j);
	}
	json_close(j);
}

static enum rc
outcomes(struct answering *a, const struct project *p,
    const struct history_event *ev, struct err *e)
{
	const unsigned char		*at = ev->outcomes;
	const unsigned char		*end = at + ev->outcomes_len;
	const struct outcome_of		 of = {
		.id = take_ident(&p->ids, ev->c.id),
		.amount_sat = ev->c.amount_sat, .t_ms = ev->c.t_ms };
	static struct outcome_record	 r;

	json_open_array(a->j, "outcomes");
	while (at < end) {
		if (outcome_unpack(&r, &at, end, &of, e) != RC_OK)
			return RC_FAILED;
		outcome(a, ev->seq, &r, of.id, ev->c.id);
	}
	json_close(a->j);
	return RC_OK;
}

enum rc
events_put(struct answering *a, const struct project *p,
    const struct history_event *ev, struct err *e)
{
	const struct command_type_def	*def = &command_types[ev->c.type];
	uint64_t			 fields = def->must |
	    command_present(&ev->c, def->may | def->one_of);
	enum rc				 rc;

	json_open_object(a->j, NULL);
	json_put_uint(a->j, "seq", ev->seq);
	json_put_int(a->j, "t", ev->c.t_ms);
	json_put_text(a->j, "type", command_type_text(ev->c.type));
	for (; fields != 0; fields &= fields - 1)
		field(a, &ev->c, (enum command_field)__builtin_ctzll(fields));
	rc = outcomes(a, p, ev, e);
	json_close(a->j);
	return rc;
}
