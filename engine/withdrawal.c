#include "engine/withdrawal.h"

#include "engine/counters.h"
#include "engine/facts.h"
#include "engine/layout.h"
#include "engine/learn.h"
#include "engine/ledger.h"
#include "engine/records.h"

uint32_t
withdrawal_find(const struct engine *e, struct ident id)
{
	return index_find(&e->withdrawals_ix, id);
}

/* What every decision has, wherever it comes from. */
static struct decision *
prepare(struct engine *e, struct withdrawal *w, int64_t t_ms)
{
	struct decision	*d = &e->d;

	d->e = e;
	d->in = NULL;
	d->w = w;
	d->k = NULL;
	d->account = w->account;
	d->a = w->account == NONE ? NULL : records_account(e, w->account);
	d->destination = w->destination;
	d->d = w->destination >= FULL ? NULL :
	    records_destination(e, w->destination);
	if (d->d != NULL && (uint32_t)d->d->id.lo != w->script_tag) {
		d->d = NULL;
		d->destination = NONE;
	}
	d->key = w->key == NONE ? NULL :
	    store_at(&e->places[PLACE_KEY].store, w->key);
	d->pair = NULL;
	d->pair_looked = false;
	d->in_asked = (w->flags & W_ASKED) != 0;
	d->asked_classes = w->classes;
	d->in_committed = false;
	d->t_ms = t_ms;
	memset(d->env.known, 0, sizeof(d->env.known));
	d->env.ctx = d;
	d->env.fetch = facts_fetch;
	d->env.draw = facts_draw;
	d->env.shade = facts_shade;
	d->env.tainted = facts_tainted;
	d->env.t_ms = t_ms;
	d->env.hot_sat = facts_hot_sat(e, t_ms);
	d->env.fund_sat = e->v.fund_sat;
	d->env.classes = w->classes;
	return d;
}

struct decision *
withdrawal_again(struct engine *e, uint32_t waiting, int64_t t_ms)
{
	struct waiting	*k = records_waiting(e, waiting);
	struct decision	*d = prepare(e, records_withdrawal(e, k->w), t_ms);

	d->k = k;
	d->script = k->script;
	d->ip = k->ip;
	d->use = NONE;
	d->ip_since_s = k->ip_since_s;
	d->has_ip = (k->flags & K_IP) != 0;
	memcpy(d->address, k->address, sizeof(d->address));
	memcpy(d->rec, layout_places(e, k),
	    (size_t)e->n_places * sizeof(d->rec[0]));
	d->in_committed = (k->flags & K_RESERVED) != 0;
	/* Its own reservation does not make the wallet smaller for itself. */
	if (d->in_committed)
		d->env.hot_sat = hot_read(&e->hot, t_ms,
		    e->v.waiting_sat - d->w->amount_sat);
	return d;
}

struct decision *
withdrawal_done(struct engine *e, uint32_t w, int64_t t_ms)
{
	struct withdrawal *wd = records_withdrawal(e, w);
	struct decision	*d;
	int		 i;

	if (wd->waiting != NONE)
		return withdrawal_again(e, wd->waiting, t_ms);
	d = prepare(e, wd, t_ms);
	d->script = (struct ident){ 0, 0 };
	d->ip = d->use = NONE;
	d->ip_since_s = 0;
	d->has_ip = false;
	/* Where it came from is forgotten; the rest is known. */
	for (i = 0; i < e->n_places; i++)
		d->rec[i] = NONE;
	d->rec[PLACE_PLATFORM] = 0;
	d->rec[PLACE_ACCOUNT] = wd->account;
	d->rec[PLACE_DESTINATION] = d->destination;
	d->rec[PLACE_KEY] = wd->key;
	return d;
}

/* Every frozen slot as it is now (S13, S27). */
static void
freeze_slots(struct decision *d)
{
	const struct engine *e = d->e;
	int64_t		*frozen = layout_frozen(e, d->k);
	int		 i, slot;

	for (i = 0; i < e->n_frozen; i++) {
		slot = e->frozen[i];
		if ((d->env.known[slot / 64] >> slot % 64 & 1) != 0)
			frozen[i] = d->env.value[slot];
		else if (facts_fetch(d, slot, &frozen[i]) != EVAL_OK)
			/* Only counters can fail here, and "beyond
			 * everything" is their suspicious value. */
			frozen[i] = INT64_MAX;
	}
}

/* What was declared with the request stays with it. */
static void
keep_facts(struct decision *d)
{
	const struct input *in = d->in;
	size_t		 i;

	for (i = 0; in != NULL && i < in->n_facts; i++) {
		if (in->facts[i].declared < 0 ||
		    in->facts[i].declared >= d->e->pol->n_declared)
			continue;
		d->k->declared_known |= UINT64_C(1) << in->facts[i].declared;
		layout_declared(d->e, d->k)[in->facts[i].declared] =
		    in->facts[i].value;
	}
}

static void
list_add(struct decision *d, uint32_t n)
{
	d->k->prev = NONE;
	d->k->next = d->a->waiting == 0 ? NONE : d->a->waiting - 1;
	if (d->k->next != NONE)
		records_waiting(d->e, d->k->next)->prev = n;
	d->a->waiting = n + 1;
}

static void
list_remove(struct decision *d)
{
	struct waiting	*k = d->k;

	if (k->prev != NONE)
		records_waiting(d->e, k->prev)->next = k->next;
	else
		d->a->waiting = k->next == NONE ? 0 : k->next + 1;
	if (k->next != NONE)
		records_waiting(d->e, k->next)->prev = k->prev;
}

bool
withdrawal_park(struct decision *d)
{
	struct engine	*e = d->e;
	uint32_t	 n;
	int		 i;

	if (d->k != NULL)
		return true;
	if (!store_add(&e->waiting, &n))
		return false;
	d->k = store_at(&e->waiting, n);
	d->k->w = (uint32_t)(((unsigned char *)d->w - e->withdrawals.base) /
	    e->withdrawals.record_size);
	d->k->ip = d->ip;
	d->k->ip_since_s = d->ip_since_s;
	d->k->script = d->script;
	d->k->flags = d->has_ip ? K_IP : 0;
	if (d->in != NULL && d->in->code == TRI_YES)
		d->k->flags |= K_CODE;
	memcpy(d->k->address, d->address, sizeof(d->address));
	memcpy(layout_places(e, d->k), d->rec,
	    (size_t)e->n_places * sizeof(d->rec[0]));
	keep_facts(d);
	freeze_slots(d);
	for (i = PLACE_DESTINATION; i < e->n_places; i++)
		records_pin(e, i, d->rec[i]);
	list_add(d, n);
	d->w->waiting = n;
	return true;
}

/* It waits no more: the record is given back. */
static void
unpark(struct decision *d)
{
	struct engine	*e = d->e;
	uint32_t	 n = d->w->waiting;
	int		 i;

	if (d->k == NULL)
		return;
	assert(!d->in_committed);
	(void)due_remove(&e->due, n);
	(void)due_remove(&e->stopped, n);
	(void)due_remove(&e->unreceipted, n);
	for (i = PLACE_DESTINATION; i < e->n_places; i++)
		records_unpin(e, i, d->rec[i]);
	list_remove(d);
	store_remove(&e->waiting, n);
	d->w->waiting = NONE;
	d->k = NULL;
}

static bool
is_proven(const struct decision *d)
{
	return (d->w->classes >> CLASS_PROVEN & 1) != 0;
}

/* The reservation: in `committed`, in the wallet, in trust. */
static void
reserve(struct decision *d)
{
	struct trust_pair *p;

	if (d->in_committed)
		return;
	counters_reserve(d);
	d->k->flags |= K_RESERVED;
	d->e->v.waiting_sat += d->w->amount_sat;
	if (is_proven(d) && (p = facts_pair(d)) != NULL)
		trust_use_reserve(p, d->w->amount_sat);
}

static void
unreserve(struct decision *d)
{
	struct trust_pair *p;

	if (!d->in_committed)
		return;
	counters_drop(d);
	d->k->flags &= ~(uint32_t)K_RESERVED;
	d->e->v.waiting_sat -= d->w->amount_sat;
	if (is_proven(d) && (p = facts_pair(d)) != NULL)
		trust_use_drop(p, d->w->amount_sat);
}

void
withdrawal_blocked(struct decision *d)
{
	if ((d->w->flags & W_BLOCKED) != 0)
		return;
	d->w->flags |= W_BLOCKED;
	counters_add(d, STAGE_BLOCKED);
}

static void
due_at(struct decision *d, struct due *due, int64_t t_ms)
{
	struct engine	*e = d->e;
	uint32_t	 n = d->w->waiting;

	(void)due_remove(&e->due, n);
	(void)due_remove(&e->stopped, n);
	(void)due_remove(&e->unreceipted, n);
	due_add(due, n, t_ms, d->w->ref);
}

void
withdrawal_wait(struct decision *d, int64_t delay_until_ms,
    int64_t code_until_ms)
{
	reserve(d);
	d->k->delay_until_ms = delay_until_ms;
	d->k->code_until_ms = code_until_ms;
	d->w->state = STATE_WAITING;
	due_at(d, &d->e->due, code_until_ms != 0 ? code_until_ms :
	    delay_until_ms);
}

void
withdrawal_hold(struct decision *d, int people)
{
	unreserve(d);
	withdrawal_blocked(d);
	d->k->people = (uint32_t)people;
	d->w->state = STATE_HELD;
	due_at(d, &d->e->due, d->t_ms + d->e->pol->set.hold_expiry_ms);
}

void
withdrawal_stop(struct decision *d)
{
	unreserve(d);
	d->w->state = STATE_STOPPED;
	due_at(d, &d->e->stopped, d->w->ref);
}

void
withdrawal_end(struct decision *d, enum state state)
{
	unreserve(d);
	if (state == STATE_DENIED)
		withdrawal_blocked(d);
	if (d->a != NULL)
		ledger_give_back(d->e, d->a, d->w);
	d->w->state = (uint8_t)state;
	unpark(d);
}

/* The destination's record may have found no room when it was asked for. */
static void
find_destination(struct decision *d)
{
	struct engine	*e = d->e;
	uint32_t	 n;

	if (d->d != NULL || ident_none(d->script))
		return;
	n = records_get(e, PLACE_DESTINATION, d->script, d->t_ms);
	if (n == FULL)
		return;
	d->destination = n;
	d->d = records_destination(e, n);
	d->w->destination = n;
	if (d->k != NULL) {
		records_pin(e, PLACE_DESTINATION, n);
		layout_places(e, d->k)[PLACE_DESTINATION] = n;
	}
	d->rec[PLACE_DESTINATION] = n;
	d->pair_looked = false;
}

void
withdrawal_release(struct decision *d)
{
	struct engine	*e = d->e;
	struct trust_pair *p;

	find_destination(d);
	if (d->in_committed) {
		e->v.waiting_sat -= d->w->amount_sat;
		d->k->flags &= ~(uint32_t)K_RESERVED;
		if (is_proven(d) && (p = facts_pair(d)) != NULL)
			trust_use_drop(p, d->w->amount_sat);
	}
	counters_release(d);
	if ((d->w->flags & W_HISTORY) == 0)
		hot_pay(&e->hot, d->t_ms, d->w->amount_sat);
	learn_release(d);
	ledger_pay(e, d->w);
	d->w->state = STATE_RELEASED;
	d->w->released_ms = d->t_ms;
	if (e->cfg.receipt_at_release || d->k == NULL) {
		d->w->flags |= W_RECEIPT;
		unpark(d);
	} else
		due_at(d, &e->unreceipted, d->w->ref);
}

void
withdrawal_receipt(struct decision *d)
{
	d->w->flags |= W_RECEIPT;
	unpark(d);
}

/*
 * Budgets do not refund (S11): it stays counted where it was, and counts
 * again should it leave a second time.
 */
void
withdrawal_take_back(struct decision *d)
{
	assert(d->k != NULL && (d->w->flags & W_RECEIPT) == 0);
	ledger_unpay(d->e, d->w);
	d->w->released_ms = -1;
	withdrawal_stop(d);
}

void
withdrawal_confirm_fraud(struct decision *d)
{
	/* What was refused before it was judged is evidence of nothing. */
	if ((d->w->flags & W_CONFIRMED) != 0 ||
	    (d->w->flags & W_ASKED) == 0)
		return;
	d->w->flags |= W_CONFIRMED;
	counters_add(d, STAGE_CONFIRMED);
	d->e->v.confirmed_ms = d->t_ms > 0 ? d->t_ms : 1;
	learn_fraud(d);
}

static void
emit(struct decision *d, enum outcome_type type, enum cause cause,
    bool judged)
{
	const struct engine *e = d->e;
	const struct withdrawal *w = d->w;
	struct outcome	 o = {
		.type = type, .cause = cause, .why = (enum why)w->why,
		.t_ms = d->t_ms, .id = w->id, .ref = w->ref,
		.amount_sat = w->amount_sat,
		.verdict = (enum verdict)w->verdict,
		.would = (enum verdict)w->would,
		.state = (enum state)w->state, .due_ms = INT64_MAX,
		.released_ms = w->released_ms, .halt_rule = -1,
		.joined = judged ? &d->joined : NULL,
		.env = judged ? &d->env : NULL,
	};

	if (d->a != NULL)
		o.account = d->a->id;
	else if (d->in != NULL)
		o.account = d->in->account;
	if (d->k != NULL && w->state == STATE_WAITING)
		o.due_ms = d->k->code_until_ms != 0 ? d->k->code_until_ms :
		    d->k->delay_until_ms;
	e->sink->emit(e->sink->ctx, &o);
}

void
withdrawal_emit(struct decision *d, enum outcome_type type, enum cause cause)
{
	emit(d, type, cause, false);
}

void
withdrawal_emit_judged(struct decision *d, enum outcome_type type,
    enum cause cause)
{
	emit(d, type, cause, true);
}
