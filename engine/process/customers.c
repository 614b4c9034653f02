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
#include "engine/take.h"
#include "lib/json.h"

#define ANSWER_MAX	512

struct refusal {
	int		 status;
	int		 code;
	const char	*msg;
};

static const struct refusal	 used = { 400, -1022,
	"Signature for this request was used already." };
static const struct refusal	 by_policy = { 400, -4015,
	"Withdrawal is limited. Please try again later." };

static struct refusal
refusal_of(const struct taken *t)
{
	static const struct refusal	 key = { 401, -2015, "Invalid API-key, "
		"IP, or permissions for action." };
	static const struct refusal	 balance = { 400, -4026,
		"The user has insufficient balance available." };
	static const struct refusal	 account = { 400, -4001,
		"This account cannot withdraw." };
	static const struct refusal	 conflict = { 400, -4001,
		"withdrawOrderId was used for another withdrawal." };
	static const struct refusal	 amount = { 400, -4023,
		"The amount is not one that can be withdrawn." };

	switch (t->why) {
	case WHY_KEY:
		return key;
	case WHY_BALANCE:
		return balance;
	case WHY_ACCOUNT:
	case WHY_FROZEN:
		return account;
	case WHY_CONFLICT:
		return conflict;
	case WHY_AMOUNT:
	case WHY_OVERFLOW:
		return amount;
	case WHY_NONE:
	case WHY_UNKNOWN_ID:
	case WHY_STATE:
	case WHY_CEILING:
	case WHY_FULL_ACCOUNTS:
	case WHY_FULL_KEYS:
	case WHY_FULL_PAIRS:
	case WHY_FULL_DESTINATIONS:
	case WHY_FULL_WAITING:
	case WHY_FULL_WITHDRAWALS:
	case WHY_FULL_NETWORKS:
	case WHY_FULL_GROUPS:
	case WHY_CLOCK:
	case WHY_HALTED:
	case WHY_READING:
	case WHY__COUNT:
		break;
	}
	return by_policy;
}

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

/* The customers' door: one withdrawal. */
static void
apply(struct keeper *k, struct channel *from, const struct message *m,
    struct command *c)
{
	char		 body[ANSWER_MAX];
	struct refusal	 r;
	struct taken	 t;
	struct err	 e;

	if (keeper_take(k, c, &t, &e) != RC_OK) {
		bad(k, from, m->tag, e.text);
		return;
	}
	/* Without a name of the customer's the id is the message's: this very
	 * message was taken before (H3). */
	if (t.type == OUTCOME_REPEATED && c->order.p == NULL) {
		refuse(k, from, m->tag, &used);
		return;
	}
	if (t.state == STATE_DENIED || t.why == WHY_CONFLICT ||
	    t.type == OUTCOME_REFUSED) {
		r = refusal_of(&t);
		refuse(k, from, m->tag, &r);
		return;
	}
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

static void
self(struct keeper *k, struct channel *from, const struct message *m,
    struct command *c)
{
	struct taken	 t;
	struct err	 e;

	if (!is_own(k, m, c)) {
		bad(k, from, m->tag, "no such withdrawal");
		return;
	}
	if (needs_ips(k, c)) {
		bad(k, from, m->tag, "a key that may withdraw needs a list "
		    "of networks");
		return;
	}
	if (operators_loosens(k, c)) {
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
