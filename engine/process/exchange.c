/*
 * The exchange's door: withdrawals, what became of them, what tightens.
 */
#include "engine/process/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "book/door.h"
#include "engine/process/memory.h"
#include "engine/receipts.h"
#include "engine/take.h"
#include "lib/json.h"
#include "lib/log.h"

#define ANSWER_MAX	16384
#define REASONS_MAX	24	/* rules; as the book keeps them */

enum rc
exchange_new(struct exchange **out, struct err *e)
{
	if ((*out = calloc(1, sizeof(**out))) == NULL)
		return err_set(e, "no memory");
	(*out)->hot_sat = (*out)->fund_sat = -1;
	return RC_OK;
}

/* Answers */

void
exchange_fail(struct keeper *k, struct channel *to, uint64_t tag, int status,
    const char *why)
{
	char		 body[2048], field[64];
	const char	*end;
	struct json	 j;

	json_to_memory(&j, body, sizeof(body));
	json_open_object(&j, NULL);
	json_put_text(&j, "error", why);
	end = why[0] == '`' ? strchr(why + 1, '`') : NULL;
	if (end != NULL && end - why < (ptrdiff_t)sizeof(field)) {
		(void)snprintf(field, sizeof(field), "%.*s",
		    (int)(end - why - 1), why + 1);
		json_put_text(&j, "field", field);
	}
	json_close(&j);
	keeper_answer(k, to, tag, status, json_end(&j) == RC_OK ?
	    text_of(body) : text_of("{\"error\":\"refused\"}"), 0);
}

int
exchange_refused(enum why w, struct err *why)
{
	switch (w) {
	case WHY_UNKNOWN_ID:
		(void)err_set(why, "no such withdrawal");
		return 404;
	case WHY_ACCOUNT:
		(void)err_set(why, "no such account");
		return 404;
	case WHY_KEY:
		(void)err_set(why, "no such key");
		return 404;
	case WHY_STATE:
		(void)err_set(why, "too late: its state does not allow that");
		return 409;
	case WHY_CONFLICT:
		(void)err_set(why, "`id`: was used for another withdrawal");
		return 409;
	case WHY_FULL_ACCOUNTS:
	case WHY_FULL_KEYS:
	case WHY_FULL_PAIRS:
	case WHY_FULL_DESTINATIONS:
	case WHY_FULL_WAITING:
	case WHY_FULL_WITHDRAWALS:
	case WHY_FULL_NETWORKS:
	case WHY_FULL_GROUPS:
		(void)err_set(why, "the engine is full: %s", why_text(w));
		return 503;
	case WHY_NONE:
	case WHY_BALANCE:
	case WHY_FROZEN:
	case WHY_CEILING:
	case WHY_CLOCK:
	case WHY_AMOUNT:
	case WHY_OVERFLOW:
	case WHY_HALTED:
	case WHY_READING:
	case WHY__COUNT:
		break;
	}
	(void)err_set(why, "%s", why_text(w));
	return 409;
}

/* From the book, as it is now. */
static void
show(struct keeper *k, struct channel *from, const struct message *m,
    struct text id)
{
	struct message	 q;

	message_clear(&q, MESSAGE_QUERY, m->tag);
	q.endpoint = ENDPOINT_V1_WITHDRAWAL;
	q.id = id;
	reads_query(k, from, &q);
}

/* Receipts */

static struct ident
ident(const struct keeper *k, struct text name)
{
	return take_ident(&keyring_secrets(keeper_keyring(k))->ids, name);
}

/* For one of this amount: `enforce above` only observes what is less. */
static enum policy_mode
mode_of(const struct keeper *k, int64_t amount_sat)
{
	const struct policy	*p = keeper_state(k)->policy;

	return p->mode == MODE_ENFORCE && amount_sat < p->enforce_above_sat ?
	    MODE_OBSERVE : p->mode;
}

static const char *
mode_text(enum policy_mode m)
{
	static const char *const	 modes[] = { "enforce", "advise",
		"observe" };

	return modes[m];
}

bool
exchange_may_pay(const struct keeper *k, int64_t amount_sat)
{
	return mode_of(k, amount_sat) == MODE_ENFORCE &&
	    !engine_halted(keeper_state(k)->engine);
}

void
exchange_now(struct keeper *k, struct book_now *n, const struct message *m)
{
	struct engine_withdrawal	 w;

	if (m->endpoint == ENDPOINT_V1_HEALTH || m->endpoint ==
	    ENDPOINT_V1_WITHDRAWAL)
		journal_durable_hash(k->journal, n->head);
	n->signer_ms = k->custody.heard_ms;
	if (m->endpoint != ENDPOINT_V1_WITHDRAWAL || !engine_withdrawal(
	    keeper_state(k)->engine, ident(k, m->id), &w))
		return;
	n->mode = mode_text(mode_of(k, w.amount_sat));
	custody_now(k, n, m, &w, exchange_may_pay(k, w.amount_sat));
}

static const char *
receipt(struct keeper *k, const struct command *c, const struct taken *t,
    char out[RECEIPT_BASE64_MAX])
{
	const struct rebuilt	*s = keeper_state(k);
	struct receipt		 r = { .network = s->genesis.network,
		.seq = t->seq, .id = c->id,
		.script = c->script, .amount_sat = c->amount_sat,
		.fee_max_sat = keeper_config(k)->fee_max_sat };

	if (t->state != STATE_RELEASED || c->history ||
	    !exchange_may_pay(k, c->amount_sat) ||
	    !custody_purpose(k, &r.purpose))
		return NULL;
	/* It has an event of its own: this one may have released others. */
	if (r.purpose == RECEIPT_PAY_OWN && !custody_issue(k, c->id, &r.seq))
		return NULL;
	r.expires_ms = t->t_ms + custody_receipt_ms(k, r.purpose);
	memcpy(r.policy, s->policy_hash, sizeof(r.policy));
	journal_durable_hash(k->journal, r.head);
	k->figures.receipts++;
	return receipts_sign(out, &r, c->account, keeper_keyring(k));
}

/* Withdrawals */

static bool
is_full(enum why w)
{
	return w >= WHY_FULL_ACCOUNTS && w <= WHY_FULL_GROUPS;
}

static void
reasons(const struct keeper *k, struct door_answer *d, const struct taken *t)
{
	const struct program	*p = keeper_state(k)->program;
	int			 i;

	for (i = 0; t->judged && i < t->n_rules && i < REASONS_MAX; i++) {
		if (t->rules[i] < p->n_rules)
			door_reason(d, text_of(p->rules[t->rules[i]].name),
			    p->rules[t->rules[i]].where);
	}
	if (t->judged && t->by_default)
		door_reason(d, text_of("default"), NULL);
	if (t->judged && t->error)
		door_reason(d, text_of("builtin:error"), NULL);
	if (t->why != WHY_NONE)
		door_reason(d, text_of(why_text(t->why)), NULL);
}

static void
decided(struct keeper *k, struct channel *from, const struct message *m,
    const struct command *c, const struct taken *t)
{
	static struct door_answer	 d;
	static struct json		 j;
	char				 body[ANSWER_MAX];
	char				 text[RECEIPT_BASE64_MAX];

	memset(&d, 0, sizeof(d));
	d.id = c->id;
	d.seq = t->seq;
	d.mode = mode_text(mode_of(k, c->amount_sat));
	d.state = t->state;
	d.verdict = door_verdict(t->state, t->verdict);
	d.would = t->would;
	d.until_ms = t->due_ms != INT64_MAX ? t->due_ms : -1;
	d.vout = -1;
	reasons(k, &d, t);
	d.receipt = receipt(k, c, t, text);
	json_to_memory(&j, body, sizeof(body));
	door_put(&j, &d);
	if (json_end(&j) == RC_OK)
		keeper_answer(k, from, m->tag, 200, text_of(body), 0);
	else
		show(k, from, m, c->id);
}

static void
withdraw(struct keeper *k, struct channel *from, const struct message *m,
    struct command *c)
{
	struct taken	 t;
	struct err	 e;

	if (keeper_take(k, c, &t, &e) != RC_OK) {
		exchange_fail(k, from, m->tag, 400, e.text);
		return;
	}
	if (is_full(t.why)) {
		k->figures.full++;
		log_event(LOG_BROKEN, "full", "id", 't', c->id, "why", 's',
		    why_text(t.why), NULL);
	}
	if (t.why == WHY_CONFLICT || t.type == OUTCOME_REFUSED)
		exchange_fail(k, from, m->tag, exchange_refused(t.why, &e),
		    e.text);
	else if (t.type == OUTCOME_REPEATED)
		show(k, from, m, c->id);
	else
		decided(k, from, m, c, &t);
}

static enum state
state_of(enum paid p)
{
	switch (p) {
	case PAID_PAID:
		return STATE_PAID;
	case PAID_FAILED:
		return STATE_FAILED;
	case PAID_CANCELLED:
		return STATE_CANCELLED;
	case PAID_DENIED:
		return STATE_DENIED;
	}
	return STATE_FAILED;
}

/*
 * What is known already is not taken again; but for `denied`, which says that
 * it was theft and counts whatever the state is.  No outcome gives money back
 * (S11, C1): a receipt that was issued may still be paid.
 */
int
exchange_outcome(struct keeper *k, const struct command *c, struct err *why)
{
	struct engine_withdrawal	 w;

	if (c->paid == PAID_DENIED || !engine_withdrawal(
	    keeper_state(k)->engine, ident(k, c->id), &w))
		return 0;
	if (w.state == state_of(c->paid))
		return 200;
	if (w.state != STATE_PAID)
		return 0;
	(void)err_set(why, "`state`: it was paid");
	return 409;
}

static void
move(struct keeper *k, struct channel *from, const struct message *m,
    struct command *c)
{
	struct taken	 t;
	struct err	 e;
	int		 status = c->type == COMMAND_OUTCOME ?
	    exchange_outcome(k, c, &e) : 0;

	if (status == 200) {
		show(k, from, m, c->id);
		return;
	}
	if (status == 0 && keeper_take(k, c, &t, &e) != RC_OK)
		status = 400;
	else if (status == 0 && t.type == OUTCOME_REFUSED)
		status = exchange_refused(t.why, &e);
	if (status != 0)
		exchange_fail(k, from, m->tag, status, e.text);
	else
		show(k, from, m, c->id);
}

/* What tightens */

static void
tighten(struct keeper *k, struct channel *from, const struct message *m,
    struct command *c)
{
	char		 body[128];
	struct taken	 t;
	struct err	 e;
	bool		 halt = c->type == COMMAND_HALT;

	if (keeper_take(k, c, &t, &e) != RC_OK) {
		exchange_fail(k, from, m->tag, 400, e.text);
		return;
	}
	if (t.type == OUTCOME_REFUSED && !(halt && t.why == WHY_HALTED)) {
		exchange_fail(k, from, m->tag, exchange_refused(t.why, &e),
		    e.text);
		return;
	}
	(void)snprintf(body, sizeof(body), "{\"seq\":%ju,\"state\":\"%s\"}",
	    (uintmax_t)t.seq, halt ? "halted" : "frozen");
	keeper_answer(k, from, m->tag, 200, text_of(body), 0);
}

/* Which */

/* auth has checked it; it is not alone in the service. */
static bool
fits(enum endpoint e, enum command_type t)
{
	if (e == ENDPOINT_V1_WITHDRAW)
		return t == COMMAND_WITHDRAW;
	if (e == ENDPOINT_V1_CANCEL)
		return t == COMMAND_CANCEL;
	if (e == ENDPOINT_V1_OUTCOME)
		return t == COMMAND_OUTCOME;
	if (e == ENDPOINT_V1_HALT)
		return t == COMMAND_HALT;
	return (e == ENDPOINT_V1_FREEZE_ACCOUNT ||
	    e == ENDPOINT_V1_FREEZE_KEY) && t == COMMAND_FREEZE;
}

void
exchange_take(struct keeper *k, struct channel *from,
    const struct message *m, struct command *c)
{
	if (!fits(m->endpoint, c->type) || c->history ||
	    !exchange_is_doors(c)) {
		log_event(LOG_ODD, "does_not_fit", "endpoint", 's',
		    endpoints[m->endpoint].name, "command", 's',
		    command_type_text(c->type), NULL);
		exchange_fail(k, from, m->tag, 400, "not what this endpoint "
		    "takes");
	} else if (c->type == COMMAND_WITHDRAW) {
		withdraw(k, from, m, c);
	} else if (c->type == COMMAND_CANCEL || c->type == COMMAND_OUTCOME) {
		move(k, from, m, c);
	} else {
		tighten(k, from, m, c);
	}
}
