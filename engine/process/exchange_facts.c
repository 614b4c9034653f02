/*
 * /v1/facts: lines in order, each once, none that loosens (C8).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/process/exchange.h"
#include "engine/process/memory.h"
#include "engine/take.h"
#include "lib/json.h"
#include "lib/log.h"
#include "wire/bytes.h"

/* Proposals that came from lines and are open: whoever has a feed's key must
 * not be able to fill the list that people decide from. */
#define OPEN_MAX	64

static struct ident
ident(const struct keeper *k, struct text name)
{
	return take_ident(&keyring_secrets(keeper_keyring(k))->ids, name);
}

/* What is known */

bool
exchange_is_doors(const struct command *c)
{
	return c->by.len > sizeof(DOOR_BY) - 1 && memcmp(c->by.p, DOOR_BY,
	    sizeof(DOOR_BY) - 1) == 0;
}

void
exchange_told(struct keeper *k, const struct command *c)
{
	struct exchange	*x = k->exchange;

	if (c->source.p != NULL && c->n <= INT64_MAX)
		marks_raise(&x->sources, ident(k, c->source), (int64_t)c->n);
	if (c->type == COMMAND_KEY && c->blob.p != NULL)
		marks_raise(&x->ours, ident(k, c->account), 1);
	/* What was proposed by a line and agreed to has an answer. */
	if (exchange_is_doors(c) && c->answers <= 0)
		return;
	if (c->type == COMMAND_HOT_BALANCE)
		x->hot_sat = c->amount_sat;
	else if (c->type == COMMAND_FUND)
		x->fund_sat = c->amount_sat;
}

/* Which way */

static int64_t
larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static bool
is_ours(const struct keeper *k, struct text account)
{
	return marks_get(&k->exchange->ours, ident(k, account), 0) != 0;
}

/* One of the exchange's own customers has a new key: he may have it, if it
 * is bound to networks; what a new key may do is the policy's matter. */
static bool
key_loosens(struct keeper *k, const struct command *c)
{
	if (memory_key(k->operators, c->key) != NULL)
		return operators_loosens(k, c);
	return c->withdraw && c->n_cidrs == 0 &&
	    !keeper_config(k)->keys_without_ips;
}

static bool
loosens(struct keeper *k, const struct command *c)
{
	const struct rebuilt	*s = keeper_state(k);
	const struct exchange	*x = k->exchange;

	switch (c->type) {
	case COMMAND_KEY:
		return key_loosens(k, c);
	case COMMAND_ACCOUNT:
		return operators_loosens(k, c);
	/* H1: budgets are shares of it. */
	case COMMAND_HOT_BALANCE:
		return s->policy->set.hot_max_sat == 0 && c->amount_sat >
		    larger(x->hot_sat, engine_hot_sat(s->engine));
	case COMMAND_FUND:
		return c->amount_sat > larger(x->fund_sat,
		    engine_fund_sat(s->engine));
	/* It only ever makes an address older than one never seen. */
	case COMMAND_CHAIN_SEEN:
		return true;
	/* The exchange keeps its own customers' books; ours are ours. */
	case COMMAND_DEPOSIT:
	case COMMAND_ADDRESS_ADD:
		return is_ours(k, c->account);
	case COMMAND_BALANCE:
		return is_ours(k, c->account) && c->amount_sat >
		    engine_account_balance_sat(s->engine,
		    ident(k, c->account));
	case COMMAND_KEY_REVOKE:
	case COMMAND_SECURITY_CHANGE:
	case COMMAND_LOGIN:
	case COMMAND_FACT:
	case COMMAND_ADDRESS_REMOVE:
	case COMMAND_CANCEL:
	case COMMAND_OUTCOME:
		return false;
	case COMMAND_TICK:
	case COMMAND_GENESIS:
	case COMMAND_POLICY:
	case COMMAND_RESTORED:
	case COMMAND_CLOCK:
	case COMMAND_WITHDRAW:
	case COMMAND_CODE:
	case COMMAND_RECEIPT:
	case COMMAND_BURNED:
	case COMMAND_RELEASE:
	case COMMAND_DENY:
	case COMMAND_FREEZE:
	case COMMAND_UNFREEZE:
	case COMMAND_HALT:
	case COMMAND_RESUME:
	case COMMAND_SECRET:
	case COMMAND_CODE_USED:
	case COMMAND_DOOR_KEY:
	case COMMAND_OPERATOR:
	case COMMAND_QUORUM:
	case COMMAND_PROPOSAL:
	case COMMAND_APPROVAL:
	case COMMAND_DISCARD:
	case COMMAND_SIGNER_HEAD:
	case COMMAND__END:
		break;
	}
	return true;
}

/* Types that no line may have, whoever let it through. */
static bool
may_come(enum command_type t)
{
	return t == COMMAND_ACCOUNT || t == COMMAND_KEY ||
	    t == COMMAND_KEY_REVOKE || t == COMMAND_SECURITY_CHANGE ||
	    t == COMMAND_LOGIN || t == COMMAND_FACT ||
	    t == COMMAND_DEPOSIT || t == COMMAND_BALANCE ||
	    t == COMMAND_HOT_BALANCE || t == COMMAND_FUND ||
	    t == COMMAND_CHAIN_SEEN || t == COMMAND_ADDRESS_ADD ||
	    t == COMMAND_ADDRESS_REMOVE || t == COMMAND_CANCEL ||
	    t == COMMAND_OUTCOME;
}

/* Taking */

struct lines {
	struct keeper	*k;
	int64_t		 taken, repeated;
	struct json	*proposed, *refused;
};

static int
open_proposals(const struct operators *o)
{
	int	 i, n = 0;

	for (i = 0; i < PROPOSALS_MAX; i++)
		n += o->proposals[i].seq != 0 &&
		    strcmp(o->proposals[i].by, "service") == 0;
	return n;
}

static void
refuse(struct lines *l, const struct command *c, const char *why)
{
	json_open_object(l->refused, NULL);
	json_put_uint(l->refused, "n", c->n);
	json_put_text(l->refused, "error", why);
	json_close(l->refused);
}

static void
propose(struct lines *l, const struct command *c)
{
	struct err	 e;
	int64_t		 seq;

	if (open_proposals(l->k->operators) >= OPEN_MAX)
		(void)err_set(&e, "it loosens, and too many proposals are "
		    "open");
	else if (operators_propose(l->k, c, &seq, &e) == RC_OK) {
		json_open_object(l->proposed, NULL);
		json_put_uint(l->proposed, "n", c->n);
		json_put_int(l->proposed, "proposal", seq);
		json_close(l->proposed);
		/* The proposal's own event has no source: remembered here,
		 * and after a start the same one is found again. */
		marks_raise(&l->k->exchange->sources, ident(l->k, c->source),
		    (int64_t)c->n);
		return;
	}
	refuse(l, c, e.text);
}

static void
take_one(struct lines *l, struct command *c)
{
	struct taken	 t;
	struct err	 e;
	int		 status = 0;

	if (c->type == COMMAND_OUTCOME)
		status = exchange_outcome(l->k, c, &e);
	if (status == 0 && keeper_take(l->k, c, &t, &e) != RC_OK)
		status = 400;
	else if (status == 0 && t.type == OUTCOME_REFUSED)
		status = exchange_refused(t.why, &e);
	if (status == 0 || status == 200)
		l->taken++;
	else
		refuse(l, c, e.text);
}

/* One line that can be read. */
static void
line(struct lines *l, struct command *c)
{
	if (!may_come(c->type) || !exchange_is_doors(c) ||
	    c->source.p == NULL || c->n > INT64_MAX ||
	    c->answers > 0 || c->blob.p != NULL)
		refuse(l, c, "not a line for this door");
	else if (marks_get(&l->k->exchange->sources, ident(l->k, c->source),
	    0) >= (int64_t)c->n)
		l->repeated++;
	else if (loosens(l->k, c))
		propose(l, c);
	else
		take_one(l, c);
}

static bool
all(struct lines *l, struct text body)
{
	static struct command_lists	 lists;
	struct bytes			 b = bytes_of(
	    (const unsigned char *)body.p, body.len);
	struct text			 open, sealed;
	struct command			 c;
	struct err			 e;

	while (bytes_left(&b) > 0) {
		open = get_text(&b, MESSAGE_MAX);
		sealed = get_text(&b, MESSAGE_MAX);
		if (b.bad || command_unpack(&c, &lists,
		    (const unsigned char *)open.p, open.len,
		    (const unsigned char *)sealed.p, sealed.len, &e) !=
		    RC_OK)
			return false;
		line(l, &c);
	}
	return !b.bad;
}

/* The two lists are written while lines are taken, and joined. */
static void
answer(struct lines *l, struct channel *from, const struct message *m,
    const char *proposed, const char *refused)
{
	struct text	 body;
	char		*text = NULL;
	size_t		 len = 0;
	FILE		*f = open_memstream(&text, &len);

	if (f == NULL)
		abort();
	(void)fprintf(f, "{\"seq\":%ju,\"taken\":%" PRId64 ",\"repeated\":%"
	    PRId64 ",\"proposed\":%s,\"refused\":%s}",
	    (uintmax_t)keeper_state(l->k)->seq, l->taken, l->repeated,
	    proposed, refused);
	(void)fclose(f);
	body.p = text;
	body.len = len;
	keeper_answer(l->k, from, m->tag, 200, body, 0);
	free(text);
}

static void
cut(char *text)
{
	text[strcspn(text, "\n")] = '\0';
}

void
exchange_lines(struct keeper *k, struct channel *from,
    const struct message *m)
{
	static struct json	 proposed, refused;
	struct lines		 l = { k, 0, 0, &proposed, &refused };
	char			*p = NULL, *r = NULL;
	size_t			 p_len, r_len;
	FILE			*pf = open_memstream(&p, &p_len);
	FILE			*rf = open_memstream(&r, &r_len);
	bool			 good;

	if (pf == NULL || rf == NULL)
		abort();
	json_to_file(&proposed, pf, false);
	json_to_file(&refused, rf, false);
	json_open_array(&proposed, NULL);
	json_open_array(&refused, NULL);
	good = m->endpoint == ENDPOINT_V1_FACTS && all(&l, m->body);
	json_close(&proposed);
	json_close(&refused);
	good &= json_end(&proposed) == RC_OK && json_end(&refused) == RC_OK;
	(void)fclose(pf);
	(void)fclose(rf);
	cut(p);
	cut(r);
	if (good) {
		answer(&l, from, m, p, r);
	} else {
		log_event(LOG_ODD, "unreadable", "from", 's', "auth", NULL);
		exchange_fail(k, from, m->tag, 500, "lines that cannot be "
		    "read");
	}
	free(p);
	free(r);
}
