/*
 * Who may act: signatures, rights, proposals and approvals.
 */
#include <assert.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bitcoin/address.h"
#include "engine/process/direction.h"
#include "engine/process/inner.h"
#include "engine/process/policies.h"
#include "engine/take.h"
#include "lib/civil.h"
#include "lib/json.h"
#include "lib/log.h"
#include "policy/bundle.h"
#include "wire/approval.h"
#include "wire/rights.h"

/* A signature lives for ten minutes of the engine's clock, which whoever
 * signs asks for. */
#define SIGNED_FOR_MS	600000
#define PROPOSAL_MS	(7 * MS_PER_DAY)

/* One ACT under way. */
struct act {
	struct keeper	*k;
	struct channel	*from;
	const struct message *m;
	struct command	*c;
	struct operators *o;
	struct operator	*by;		/* NULL: not signed */
	enum way	 way;
	struct err	 why;
};

static void
answer(struct act *a, int status, const char *fmt, ...) PRINTF(3, 4);

static void
answer(struct act *a, int status, const char *fmt, ...)
{
	char	 body[512];
	va_list	 ap;

	va_start(ap, fmt);
	(void)vsnprintf(body, sizeof(body), fmt, ap);
	va_end(ap);
	keeper_answer(a->k, a->from, a->m->tag, status, text_of(body), 0);
}

static void
refuse(struct act *a, int status)
{
	char		 body[2048];
	struct json	 j;

	log_event(LOG_INFO_, "act_refused", "command", 's',
	    command_type_text(a->c->type), "by", 't', a->m->by, "from", 't',
	    a->m->name, "why", 's', a->why.text, NULL);
	json_to_memory(&j, body, sizeof(body));
	json_open_object(&j, NULL);
	json_put_text(&j, "error", a->why.text);
	json_close(&j);
	keeper_answer(a->k, a->from, a->m->tag, status,
	    json_end(&j) == RC_OK ? text_of(body) :
	    text_of("{\"error\":\"refused\"}"), 0);
}

static bool
regtest(const struct keeper *k)
{
	return keeper_state(k)->genesis.network == NETWORK_REGTEST;
}

/*
 * What was used before the start is not remembered: no signature of then is
 * taken, and of who releases up to an amount it counts as if he had released
 * all of it just now (C7 d).
 */
static void
begin(struct operators *o, int64_t now_ms)
{
	int	 i;

	if (o->start_ms != 0)
		return;
	o->start_ms = now_ms;
	for (i = 0; i < o->n; i++) {
		if (o->of[i].release_sat > 0)
			memory_released(&o->of[i], o->of[i].release_sat,
			    now_ms);
	}
}

/* Who signed */

/* What the engine itself holds of the withdrawal: a text with another script
 * or amount does not verify. */
static enum rc
withdrawal_of(struct act *a, struct approval *p, struct command *c)
{
	struct engine_withdrawal	 w;

	if (c->type != COMMAND_RELEASE && c->type != COMMAND_DENY)
		return RC_OK;
	if (!engine_withdrawal(keeper_state(a->k)->engine, take_ident(
	    &keyring_secrets(keeper_keyring(a->k))->ids, c->id), &w))
		return err_set(&a->why, "no such withdrawal");
	p->amount_sat = w.amount_sat;
	/* The engine keeps a fingerprint; the script came with the message
	 * and must have it. */
	p->script = a->m->query;
	if (p->script.p == NULL || !ident_equal(w.script, take_ident(
	    &keyring_secrets(keeper_keyring(a->k))->ids, p->script)))
		return err_set(&a->why, "the address signed is not that of "
		    "the withdrawal");
	return RC_OK;
}

static enum rc
check_times(struct act *a)
{
	int64_t	 now = keeper_now_ms(a->k), until = a->m->t_ms;

	if (until < now)
		return err_set(&a->why, "the signature has expired");
	if (until > now + SIGNED_FOR_MS)
		return err_set(&a->why, "a signature may be good for ten "
		    "minutes at most");
	/* Signatures that were used are remembered in memory alone. */
	if (until - SIGNED_FOR_MS <= a->o->start_ms)
		return err_set(&a->why, "signed before the service started; "
		    "sign again");
	return RC_OK;
}

static enum rc
check_signature(struct act *a, struct command *c,
    enum approval_purpose purpose)
{
	const struct rebuilt	*s = keeper_state(a->k);
	struct approval		 p = { .purpose = purpose, .amount_sat = -1,
		.network = s->genesis.network, .by = a->m->by,
		.answers = a->m->number, .expires_ms = a->m->t_ms,
		.command = c };

	/* Their private keys lie about (C7 a). */
	if (s->genesis.demo && !regtest(a->k))
		return err_set(&a->why, "a demonstration's keys are good on "
		    "regtest alone");
	if ((a->by = memory_operator(a->o, a->m->by)) == NULL)
		return err_set(&a->why, "no operator %.*s",
		    (int)a->m->by.len, a->m->by.p);
	if (a->m->signature.len != 64 || a->m->number < 0 ||
	    a->m->t_ms < 0)
		return err_set(&a->why, "not a signature");
	memcpy(p.deployment, s->genesis.deployment, sizeof(p.deployment));
	memcpy(p.replaces, s->policy_hash, sizeof(p.replaces));
	if (check_times(a) != RC_OK || withdrawal_of(a, &p, c) != RC_OK)
		return RC_FAILED;
	if (!approval_verify(&p, a->by->key,
	    (const unsigned char *)a->m->signature.p))
		return err_set(&a->why, "the signature is not %s's for this",
		    a->by->name);
	if (!memory_spend(a->o, (const unsigned char *)a->m->signature.p,
	    a->m->t_ms, keeper_now_ms(a->k)))
		return err_set(&a->why, "this signature was used already");
	return RC_OK;
}

/* What he may */

static uint32_t
right_for(const struct command *c, enum way way)
{
	if (c->type == COMMAND_RELEASE)
		return RIGHT_RELEASE;
	if (c->type == COMMAND_OPERATOR || c->type == COMMAND_QUORUM)
		return RIGHT_OPERATORS;
	return way == WAY_TIGHTENS ? RIGHT_TIGHTEN : RIGHT_LOOSEN;
}

static enum rc
check_release(struct act *a)
{
	struct engine_withdrawal	 w;

	if (a->c->type != COMMAND_RELEASE ||
	    (a->by->rights & RIGHT_RELEASE_ANY) != 0)
		return RC_OK;
	if (!engine_withdrawal(keeper_state(a->k)->engine, take_ident(
	    &keyring_secrets(keeper_keyring(a->k))->ids, a->c->id), &w))
		return err_set(&a->why, "no such withdrawal");
	/* All his releases of a day together (C7 d). */
	if (w.amount_sat > memory_may_release(a->by, keeper_now_ms(a->k)))
		return err_set(&a->why, "more than %s may release in a day",
		    a->by->name);
	return RC_OK;
}

static enum rc
check_rights(struct act *a)
{
	uint32_t	 right = right_for(a->c, a->way);

	if (a->by == NULL)
		return a->way == WAY_TIGHTENS ? RC_OK : err_set(&a->why,
		    "this needs an operator's signature (--as NAME)");
	if ((a->by->rights & right) == 0)
		return err_set(&a->why, "%s may not do that", a->by->name);
	return check_release(a);
}

/* People who can restart must stay (C7 b). */
static enum rc
check_people(struct act *a)
{
	const struct operators	*o = a->o;
	int			 leads = 0, i;

	if (a->c->type == COMMAND_QUORUM)
		return a->c->count >= 1 && a->c->count <= o->n ? RC_OK :
		    err_set(&a->why, "there are %d operators", o->n);
	if (a->c->type != COMMAND_OPERATOR ||
	    (a->c->roles & RIGHT_LOOSEN) != 0)
		return RC_OK;
	for (i = 0; i < o->n; i++) {
		if (!text_equal(text_of(o->of[i].name), a->c->name))
			leads += (o->of[i].rights & RIGHT_LOOSEN) != 0;
	}
	if (leads >= o->quorum)
		return RC_OK;
	return err_set(&a->why, "then only %d would be left for a quorum of "
	    "%" PRId64 ", which never falls by itself", leads, o->quorum);
}

/* Things that only make sense under conditions. */
static enum rc
check_sense(struct act *a)
{
	const struct command	*c = a->c;
	const struct operators	*o = a->o;

	if (c->type == COMMAND_RESUME && a->by != NULL && o->halt_seq >= 0 &&
	    a->m->number != o->halt_seq)
		return err_set(&a->why, "this resume answers another halt");
	if (c->type == COMMAND_KEY && c->withdraw && c->n_cidrs == 0 &&
	    !keeper_config(a->k)->keys_without_ips)
		return err_set(&a->why, "a key that may withdraw needs a "
		    "list of networks (--ip); `keys-without-ips yes` in the "
		    "configuration allows it without");
	if (c->type == COMMAND_DEPOSIT && c->order.p != NULL &&
	    memory_deposit(o, c->order))
		return err_set(&a->why, "a deposit with this id was credited "
		    "already");
	if (c->type == COMMAND_OPERATOR && c->blob.p != NULL &&
	    c->blob.len != 32)
		return err_set(&a->why, "a public key of 32 bytes is wanted");
	return RC_OK;
}

static bool
may_be_told(enum command_type t)
{
	return t != COMMAND_TICK && t != COMMAND_GENESIS &&
	    t != COMMAND_RESTORED && t != COMMAND_WITHDRAW &&
	    t != COMMAND_CODE && t != COMMAND_CODE_USED &&
	    t != COMMAND_RECEIPT && t != COMMAND_BURNED &&
	    t != COMMAND_PROPOSAL && t != COMMAND_APPROVAL &&
	    t != COMMAND_SIGNER_HEAD;
}

/* Doing it */

/* Of a policy: loaded from its files, which came with it. */
static enum rc
do_policy(struct keeper *k, const struct command *c, struct err *e)
{
	struct policy	*p = NULL;
	enum rc		 rc;

	rc = policy_load_bundle(&p, (const unsigned char *)c->body.p,
	    c->body.len, NULL, e);
	if (rc == RC_OK) {
		log_event(LOG_INFO_, "policy", "what", 's', "follows the "
		    "journal; nothing is decided meanwhile", NULL);
		rc = journal_policy_loaded(keeper_journal(k), &p, c, e);
	}
	policy_free(&p);
	return rc;
}

static enum rc
do_it(struct keeper *k, struct command *c, struct taken *t, struct err *e)
{
	enum rc	 rc;

	if (c->type != COMMAND_POLICY)
		return keeper_take(k, c, t, e);
	memset(t, 0, sizeof(*t));
	t->type = OUTCOME_TAKEN;
	c->t_ms = keeper_now_ms(k);
	rc = do_policy(k, c, e);
	t->seq = keeper_state(k)->seq;
	return rc;
}

static const char *
refused_text(enum why why)
{
	if (why == WHY_STATE)
		return "the withdrawal is not in a state that allows this";
	if (why == WHY_UNKNOWN_ID)
		return "no such withdrawal";
	if (why == WHY_ACCOUNT)
		return "no such account";
	if (why == WHY_KEY)
		return "no such key";
	if (why == WHY_CEILING)
		return "a ceiling of the policy stands against it";
	if (why == WHY_HALTED)
		return "it is so already";
	return why_text(why);
}

static void
act_now(struct act *a)
{
	struct engine_withdrawal	 w = { .amount_sat = 0 };
	struct taken			 t;

	/* Looked up before: afterwards it may be gone. */
	if (a->c->type == COMMAND_RELEASE)
		(void)engine_withdrawal(keeper_state(a->k)->engine,
		    take_ident(&keyring_secrets(keeper_keyring(
		    a->k))->ids, a->c->id), &w);
	if (do_it(a->k, a->c, &t, &a->why) != RC_OK) {
		refuse(a, 400);
		return;
	}
	if (t.type == OUTCOME_REFUSED) {
		(void)err_set(&a->why, "%s", refused_text(t.why));
		refuse(a, 409);
		return;
	}
	if (a->c->type == COMMAND_RELEASE && a->by != NULL)
		memory_released(a->by, w.amount_sat, t.t_ms);
	answer(a, 200, "{\"seq\":%ju,\"state\":\"done\"}", (uintmax_t)t.seq);
}

/* Proposals */

static int64_t
persons_for(const struct keeper *k, const struct operators *o,
    const struct command *c)
{
	/* It makes a balance out of nothing. */
	if (c->type == COMMAND_DEPOSIT && !regtest(k) && o->quorum < 2)
		return 2;
	return o->quorum;
}

static enum rc
put_proposal(struct keeper *k, const struct command *inner,
    struct text by, struct text reason, struct text proof, int64_t *seq_out,
    struct err *e)
{
	struct command	 bare = *inner, c;
	unsigned char	*body;
	struct taken	 t;
	size_t		 len;
	enum rc		 rc;

	bare.t_ms = 0;
	bare.proof = text_of(NULL);
	bare.answers = -1;
	if (command_check(&bare, e) != RC_OK)
		return RC_FAILED;
	if ((body = memory_body(&bare, &len)) == NULL)
		return err_set(e, "no memory");
	command_clear(&c, COMMAND_PROPOSAL, 0);
	c.by = by;
	c.reason = reason;
	c.proof = proof;
	c.body.p = (const char *)body;
	c.body.len = len;
	c.expires_ms = keeper_now_ms(k) + PROPOSAL_MS;
	if ((rc = keeper_take(k, &c, &t, e)) == RC_OK)
		*seq_out = (int64_t)t.seq;
	free(body);
	return rc;
}

/* The same again changes nothing: a policy's file at every start. */
static int64_t
proposed_already(struct operators *o, const struct command *c)
{
	struct command	 bare = *c;
	unsigned char	*body;
	int64_t		 seq = 0;
	size_t		 len;
	int		 i;

	bare.t_ms = 0;
	if (command_check(&bare, NULL) != RC_OK ||
	    (body = memory_body(&bare, &len)) == NULL)
		return 0;
	for (i = 0; i < PROPOSALS_MAX; i++) {
		if (o->proposals[i].seq != 0 &&
		    o->proposals[i].body_len == len &&
		    memcmp(o->proposals[i].body, body, len) == 0)
			seq = o->proposals[i].seq;
	}
	free(body);
	return seq;
}

enum rc
operators_propose(struct keeper *k, const struct command *c,
    int64_t *seq_out, struct err *e)
{
	struct operators	*o = keeper_operators(k);

	if ((*seq_out = proposed_already(o, c)) != 0)
		return RC_OK;
	return put_proposal(k, c, text_of("service"), c->reason,
	    text_of(NULL), seq_out, e);
}

bool
operators_loosens(struct keeper *k, const struct command *c)
{
	/* A customer's own words that loosen nothing of ours. */
	if (c->type == COMMAND_CODE || c->type == COMMAND_CODE_USED ||
	    c->type == COMMAND_SECRET || c->type == COMMAND_ADDRESS_ADD ||
	    c->type == COMMAND_LOGIN || c->type == COMMAND_SECURITY_CHANGE)
		return false;
	return direction_of(keeper_operators(k), c, regtest(k)) ==
	    WAY_LOOSENS;
}

static void
waits_for(char *buf, size_t room, const struct keeper *k,
    const struct operators *o, const struct proposal *p,
    const struct command *c)
{
	int64_t	 more = persons_for(k, o, c) - p->n_persons;

	if (more > 0)
		(void)snprintf(buf, room, "%" PRId64 " more %s%s", more,
		    more == 1 ? "person" : "people", o->wait_ms > 0 ?
		    ", and time" : "");
	else
		(void)snprintf(buf, room, "time");
}

static void
propose(struct act *a, struct text proof)
{
	char		 what[64];
	struct proposal	*p;
	int64_t		 seq;

	if (put_proposal(a->k, a->c, a->m->by, a->c->reason, proof, &seq,
	    &a->why) != RC_OK) {
		refuse(a, 400);
		return;
	}
	if ((p = memory_proposal(a->o, seq)) == NULL) {
		(void)err_set(&a->why, "too many proposals are open");
		refuse(a, 503);
		return;
	}
	p->seen_boot_ms = keeper_boot_ms();
	waits_for(what, sizeof(what), a->k, a->o, p, a->c);
	answer(a, 202, "{\"proposal\":%" PRId64 ",\"waits_for\":\"%s\"}",
	    seq, what);
}

static bool
is_due(const struct keeper *k, const struct operators *o,
    const struct proposal *p, const struct command *c, int64_t now_ms)
{
	/* The engine's time, and our own clock's: whoever can turn one of
	 * them cannot turn both. */
	return p->n_persons >= persons_for(k, o, c) &&
	    now_ms - p->proposed_ms >= o->wait_ms &&
	    keeper_boot_ms() - p->seen_boot_ms >= o->wait_ms;
}

static void
discard(struct keeper *k, int64_t seq, const char *why)
{
	struct command	 c;
	struct taken	 t;
	struct err	 e;

	command_clear(&c, COMMAND_DISCARD, 0);
	c.answers = seq;
	c.by = text_of("service");
	c.reason = text_of(why);
	if (keeper_take(k, &c, &t, &e) != RC_OK)
		log_event(LOG_BROKEN, "discard", "why", 's', e.text, NULL);
}

/*
 * What was true when it was proposed may be no more: another halt, another
 * policy in force (H6), the same deposit credited, people gone (C7 b).
 */
static enum rc
check_still(struct keeper *k, struct command *c, int64_t seq, struct err *e)
{
	struct operators	*o = keeper_operators(k);
	struct act		 a = { .k = k, .c = c, .o = o };
	enum rc			 rc;

	if (c->type == COMMAND_RESUME && o->halt_seq > seq)
		return err_set(e, "there was another halt after it was "
		    "proposed");
	if (c->type == COMMAND_POLICY &&
	    (int64_t)keeper_state(k)->policy_seq > seq)
		return err_set(e, "another policy came into force after it "
		    "was proposed");
	if ((rc = check_people(&a)) != RC_OK || (rc = check_sense(&a)) !=
	    RC_OK)
		*e = a.why;
	return rc;
}

/* A proposal that has all it needs is done. */
static enum rc
carry_out(struct keeper *k, struct proposal *p, struct taken *t,
    struct err *e)
{
	static struct command_lists	 lists;
	struct command			 c;
	struct proposal			 copy = *p;
	int64_t				 seq = p->seq;
	enum rc				 rc;

	/* The proposal is forgotten as soon as it is taken, and what it
	 * says is still read. */
	if ((copy.body = malloc(p->body_len)) == NULL)
		return err_set(e, "no memory");
	memcpy(copy.body, p->body, p->body_len);
	rc = memory_proposed(&c, &lists, &copy, e);
	if (rc == RC_OK && (rc = check_still(k, &c, seq, e)) == RC_OK) {
		c.answers = seq;
		rc = do_it(k, &c, t, e);
		if (rc == RC_OK && t->type == OUTCOME_REFUSED)
			rc = err_set(e, "%s", refused_text(t->why));
	}
	free(copy.body);
	if (rc != RC_OK)
		log_event(LOG_ODD, "proposal", "number", 'd', seq, "why",
		    's', e->text, NULL);
	/* A policy's command does not close it; nor one that failed. */
	if (memory_proposal(keeper_operators(k), seq) != NULL)
		discard(k, seq, rc == RC_OK ? "done" : "it could not be "
		    "done");
	return rc;
}

void
operators_due(struct keeper *k)
{
	static struct command_lists	 lists;
	struct operators		*o = keeper_operators(k);
	int64_t				 now = keeper_now_ms(k);
	struct proposal			*p;
	struct command			 c;
	struct taken			 t;
	struct err			 e;
	int				 i;

	begin(o, now);
	for (i = 0; i < PROPOSALS_MAX; i++) {
		p = &o->proposals[i];
		if (p->seq == 0)
			continue;
		if (p->seen_boot_ms == 0)
			p->seen_boot_ms = keeper_boot_ms();
		if (now > p->expires_ms)
			discard(k, p->seq, "nobody approved it in time");
		else if (memory_proposed(&c, &lists, p, &e) == RC_OK &&
		    is_due(k, o, p, &c, now))
			(void)carry_out(k, p, &t, &e);
	}
}

/* Approving */

static void
approve(struct act *a)
{
	static struct command_lists	 lists;
	struct proposal			*p = memory_proposal(a->o,
	    a->m->number);
	struct command			 proposed, c;
	struct taken			 t;
	char				 what[64];
	int64_t				 seq = a->m->number;

	if (p == NULL || memory_proposed(&proposed, &lists, p, &a->why) !=
	    RC_OK) {
		(void)err_set(&a->why, "no proposal %" PRId64, a->m->number);
		refuse(a, 404);
		return;
	}
	if (check_signature(a, &proposed, APPROVAL_APPROVE) != RC_OK) {
		refuse(a, 403);
		return;
	}
	if ((a->by->rights & right_for(&proposed, WAY_LOOSENS)) == 0)
		(void)err_set(&a->why, "%s may not approve that",
		    a->by->name);
	else if (memory_has_approved(p, a->m->by))
		(void)err_set(&a->why, "%s has approved it already; persons "
		    "are counted", a->by->name);
	else
		a->why.text[0] = '\0';
	command_clear(&c, COMMAND_APPROVAL, 0);
	c.by = a->m->by;
	c.answers = seq;
	c.proof = a->m->signature;
	if (a->why.text[0] != '\0' ||
	    keeper_take(a->k, &c, &t, &a->why) != RC_OK) {
		refuse(a, 403);
		return;
	}
	waits_for(what, sizeof(what), a->k, a->o, p, &proposed);
	if (!is_due(a->k, a->o, p, &proposed, keeper_now_ms(a->k)))
		answer(a, 202, "{\"proposal\":%" PRId64 ",\"waits_for\":"
		    "\"%s\"}", seq, what);
	else if (carry_out(a->k, p, &t, &a->why) != RC_OK)
		refuse(a, 409);
	else
		answer(a, 200, "{\"seq\":%ju,\"state\":\"done\"}",
		    (uintmax_t)t.seq);
}

/* The way in */

static enum rc
check(struct act *a)
{
	if (!may_be_told(a->c->type))
		return err_set(&a->why, "`%s` is not for operators to say",
		    command_type_text(a->c->type));
	if (a->m->signature.p == NULL &&
	    keeper_room(a->k, a->from) != ROOM_CONSOLE)
		return err_set(&a->why, "not signed");
	if (a->m->signature.p != NULL && (check_signature(a, a->c,
	    APPROVAL_ACT) != RC_OK || !text_equal(a->c->by, a->m->by)))
		return a->why.text[0] != '\0' ? RC_FAILED :
		    err_set(&a->why, "signed for somebody else");
	a->way = policies_way(a->k, a->c, direction_of(a->o, a->c,
	    regtest(a->k)));
	if (check_rights(a) != RC_OK || check_people(a) != RC_OK)
		return RC_FAILED;
	return check_sense(a);
}

void
operators_act(struct keeper *k, struct channel *from,
    const struct message *m, struct command *c)
{
	struct act	 a = { .k = k, .from = from, .m = m, .c = c,
		.o = keeper_operators(k) };
	struct text	 proof = m->signature;

	begin(a.o, keeper_now_ms(k));
	if (m->state == 1) {
		approve(&a);
		return;
	}
	if (check(&a) != RC_OK) {
		refuse(&a, a.by == NULL && m->signature.p == NULL ? 403 :
		    400);
		return;
	}
	log_event(LOG_INFO_, "act", "command", 's',
	    command_type_text(c->type), "by", 't', c->by, "from", 't',
	    m->name, NULL);
	/* Nobody is named by whoever only could open the socket. */
	c->by = a.by != NULL ? m->by : text_of("socket");
	c->proof = proof;
	if (m->number > 0 && c->type == COMMAND_RESUME)
		c->answers = m->number;
	if (a.way == WAY_LOOSENS && (persons_for(k, a.o, c) > 1 ||
	    a.o->wait_ms > 0))
		propose(&a, proof);
	else
		act_now(&a);
}
