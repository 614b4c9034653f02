/*
 * What customers are answered: at the customers' door, in the self-service,
 * and by the links of notices.
 *
 * An apply that was taken is answered with its id, whatever became of it:
 * nobody waits for a person here.  Refused at once, it is an error with the
 * code that says most; which rule spoke is nobody's business.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/process/inner.h"
#include "engine/process/memory.h"
#include "engine/process/refusals.h"
#include "engine/take.h"
#include "lib/json.h"
#include "lib/log.h"

#define ANSWER_MAX	512

static void
refuse(struct keeper *k, struct channel *to, uint64_t tag,
    const struct refusal *r)
{
	char	 body[ANSWER_MAX];

	(void)snprintf(body, sizeof(body), "{\"code\":%d,\"msg\":\"%s\"}",
	    r->code, r->msg);
	keeper_answer(k, to, tag, r->status, text_of(body), 0);
}

static void
bad(struct keeper *k, struct channel *to, uint64_t tag, const char *why)
{
	char		 body[2048];
	struct json	 j;

	json_to_memory(&j, body, sizeof(body));
	json_open_object(&j, NULL);
	json_put_int(&j, "code", -1130);
	json_put_text(&j, "msg", why);
	json_close(&j);
	keeper_answer(k, to, tag, 400, json_end(&j) == RC_OK ?
	    text_of(body) : text_of("{\"code\":-1130,\"msg\":\"invalid\"}"),
	    0);
}

/* What people or time denied later was taken, and stands in the history:
 * whoever asks again gets its id again. */
static bool
is_refused(const struct taken *t)
{
	if (t->type == OUTCOME_REFUSED || t->why == WHY_CONFLICT)
		return true;
	return t->state == STATE_DENIED && (t->type != OUTCOME_REPEATED ||
	    t->verdict == VERDICT_DENY || t->why != WHY_NONE);
}

/* A client that lost an answer asks anew: the policy is told (again.h).  The
 * very same message is no new withdrawal, and its content may not change. */
static void
note_again(struct keeper *k, struct command *c, struct command_fact *fact)
{
	const struct ident_key	*ids =
	    &keyring_secrets(keeper_keyring(k))->ids;
	struct engine_withdrawal w;

	if (c->n_facts > 0 || !again_is(&k->again, ids, c,
	    keeper_now_ms(k)) || engine_withdrawal(keeper_state(k)->engine,
	    take_ident(ids, c->id), &w))
		return;
	memset(fact, 0, sizeof(*fact));
	fact->name = text_of(AGAIN_FACT);
	fact->kind = VALUE_FLAG;
	fact->value = 1;
	c->facts = fact;
	c->n_facts = 1;
}

/* The customers' door: one withdrawal. */
static void
apply(struct keeper *k, struct channel *from, const struct message *m,
    struct command *c)
{
	char		 body[ANSWER_MAX];
	struct command_fact fact;
	struct taken	 t;
	struct err	 e;

	note_again(k, c, &fact);
	if (keeper_take(k, c, &t, &e) != RC_OK) {
		bad(k, from, m->tag, e.text);
		return;
	}
	/* Without a name of the customer's the id is the message's: this very
	 * message was taken before (H3). */
	if (t.type == OUTCOME_REPEATED && c->order.p == NULL) {
		refuse(k, from, m->tag, &refusal_replayed);
		return;
	}
	if (is_refused(&t)) {
		refuse(k, from, m->tag, refusals_of(
		    keeper_state(k)->program, &t));
		return;
	}
	again_told(&k->again, &keyring_secrets(keeper_keyring(k))->ids, c);
	(void)snprintf(body, sizeof(body), "{\"id\":\"%.*s\"}",
	    (int)c->id.len, c->id.p);
	keeper_answer(k, from, m->tag, 200, text_of(body), 0);
}

/* The self-service */

static bool
needs_ips(const struct keeper *k, const struct command *c)
{
	return c->type == COMMAND_KEY && c->withdraw && c->n_cidrs == 0 &&
	    !keeper_config(k)->keys_without_ips;
}

static void
propose(struct keeper *k, struct channel *from, const struct message *m,
    const struct command *c)
{
	char		 body[ANSWER_MAX];
	struct err	 e;
	int64_t		 seq;

	if (operators_propose(k, c, &seq, &e) != RC_OK) {
		bad(k, from, m->tag, e.text);
		return;
	}
	(void)snprintf(body, sizeof(body), "{\"state\":\"waiting\","
	    "\"proposal\":%" PRId64 "}", seq);
	keeper_answer(k, from, m->tag, 200, text_of(body), 0);
}

/* What an account's holder may say at all: whatever auth has been made to
 * believe, nothing of others' comes this way. */
static bool
is_for_self(enum command_type t)
{
	return t == COMMAND_KEY || t == COMMAND_KEY_REVOKE ||
	    t == COMMAND_SECRET || t == COMMAND_SECURITY_CHANGE ||
	    t == COMMAND_CODE || t == COMMAND_CODE_USED ||
	    t == COMMAND_LOGIN || t == COMMAND_CANCEL ||
	    t == COMMAND_ADDRESS_ADD || t == COMMAND_ADDRESS_REMOVE ||
	    t == COMMAND_FREEZE;
}

/* A key that is there keeps its account, and only its holder turns it. */
static bool
is_own_key(struct keeper *k, const struct message *m,
    const struct command *c)
{
	const struct memory_key	*key = memory_key(keeper_operators(k),
	    c->key);

	if (c->type == COMMAND_FREEZE && c->key.p == NULL)
		return true;
	if (c->type != COMMAND_KEY && c->type != COMMAND_KEY_REVOKE &&
	    c->type != COMMAND_FREEZE)
		return true;
	if (key == NULL)
		return c->type == COMMAND_KEY;
	return !key->door && text_equal(text_of(key->account), m->account);
}

/* One's own withdrawals only; another's are as unknown as those that are
 * not there. */
static bool
is_own(const struct keeper *k, const struct message *m,
    const struct command *c)
{
	const struct ident_key	*ids =
	    &keyring_secrets(keeper_keyring(k))->ids;
	struct engine_withdrawal w;

	if (c->id.p == NULL)
		return true;
	return m->account.p != NULL && engine_withdrawal(
	    keeper_state(k)->engine, take_ident(ids, c->id), &w) &&
	    ident_equal(w.account, take_ident(ids, m->account));
}

/* Nothing but the sealed secret differs: which only auth can open, and so
 * only it can say whether that is the same. */
static bool
is_resealed(struct keeper *k, const struct command *c)
{
	const struct memory_key	*key;
	struct command		 bare = *c;

	if (c->type != COMMAND_KEY || c->blob.p == NULL ||
	    !text_equal(c->by, text_of(COMMAND_BY_RESEAL)))
		return false;
	key = memory_key(keeper_operators(k), c->key);
	bare.blob = text_of(NULL);
	return key != NULL && key->withdraw == c->withdraw &&
	    key->n_cidrs == (int)c->n_cidrs && !operators_loosens(k, &bare);
}

static void
self(struct keeper *k, struct channel *from, const struct message *m,
    struct command *c)
{
	struct taken	 t;
	struct err	 e;

	if (!is_for_self(c->type) || m->account.p == NULL ||
	    (c->account.p != NULL && !text_equal(c->account, m->account))) {
		log_event(LOG_ODD, "not_self", "command", 's',
		    command_type_text(c->type), "account", 't', m->account,
		    NULL);
		bad(k, from, m->tag, "not for an account's holder to say");
		return;
	}
	if (!is_own(k, m, c) || !is_own_key(k, m, c)) {
		bad(k, from, m->tag, c->id.p != NULL ? "no such withdrawal" :
		    "no such key");
		return;
	}
	if (needs_ips(k, c) && !is_resealed(k, c)) {
		bad(k, from, m->tag, "a key that may withdraw needs a list "
		    "of networks");
		return;
	}
	if (operators_loosens(k, c) && !is_resealed(k, c)) {
		propose(k, from, m, c);
		return;
	}
	if (keeper_take(k, c, &t, &e) != RC_OK) {
		bad(k, from, m->tag, e.text);
		return;
	}
	if (t.type == OUTCOME_REFUSED) {
		bad(k, from, m->tag, t.why == WHY_STATE ?
		    "too late for that" : t.why == WHY_UNKNOWN_ID ?
		    "no such withdrawal" : why_text(t.why));
		return;
	}
	keeper_answer(k, from, m->tag, 200, text_of("{\"state\":\"done\"}"),
	    0);
}

void
customers_take(struct keeper *k, struct channel *from,
    const struct message *m, struct command *c)
{
	if (m->endpoint == ENDPOINT_APPLY && c->type == COMMAND_WITHDRAW)
		apply(k, from, m, c);
	else if (c->type == COMMAND_WITHDRAW)
		bad(k, from, m->tag, "not the endpoint of a withdrawal");
	else
		self(k, from, m, c);
}
