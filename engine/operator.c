/*
 * What people, customers and payments do to one withdrawal.
 */
#include "engine/ask.h"
#include "engine/decide.h"
#include "engine/handlers.h"
#include "engine/layout.h"
#include "engine/ledger.h"
#include "engine/records.h"
#include "engine/withdrawal.h"

/* The withdrawal that the input names, NULL and refused if none. */
static struct decision *
named(struct engine *e, const struct input *in)
{
	uint32_t	 n = withdrawal_find(e, in->id);

	if (n == NONE) {
		engine_refused(e, in, WHY_UNKNOWN_ID);
		return NULL;
	}
	return withdrawal_done(e, n, e->v.now_ms);
}

/* The same, still undecided. */
static struct decision *
named_open(struct engine *e, const struct input *in)
{
	struct decision	*d = named(e, in);

	if (d != NULL && d->w->state > STATE_HELD) {
		engine_refused(e, in, WHY_STATE);
		return NULL;
	}
	return d;
}

/*
 * One more person says yes; true when there are enough.  An input without a
 * name says that its sender has counted the people himself.
 */
static bool
approve(struct decision *d, struct ident by)
{
	struct waiting	*k = d->k;
	uint32_t	 tag = (uint32_t)by.lo, i, needed = k->people;

	if (needed > APPROVALS_MAX)
		needed = APPROVALS_MAX;
	if (ident_none(by) || needed <= 1)
		return true;
	for (i = 0; i < k->n_approvals; i++)
		if (k->approvals[i] == tag)
			return false;
	k->approvals[k->n_approvals++] = tag;
	return k->n_approvals >= needed;
}

/*
 * S4, S45: lifts hold, delay and code, but no ceiling.  While everything is
 * stopped it is remembered and paid at the resume.
 */
void
operator_release(struct engine *e, const struct input *in)
{
	struct decision	*d = named_open(e, in);

	if (d == NULL)
		return;
	if ((d->k->flags & K_PEOPLE) != 0) {
		engine_refused(e, in, WHY_STATE);
		return;
	}
	if (!decide_release(d)) {
		engine_refused(e, in, d->joined.deny ? WHY_CEILING :
		    WHY_READING);
		return;
	}
	if (d->w->state == STATE_HELD && !approve(d, in->by)) {
		engine_taken(e, in);
		return;
	}
	if (e->v.halted != 0) {
		d->k->flags |= K_PEOPLE;
		withdrawal_stop(d);
	} else
		withdrawal_release(d);
	withdrawal_emit(d, OUTCOME_MOVED, CAUSE_PEOPLE);
}

void
operator_deny(struct engine *e, const struct input *in)
{
	struct decision	*d = named_open(e, in);

	if (d == NULL)
		return;
	withdrawal_confirm_fraud(d);
	withdrawal_end(d, STATE_DENIED);
	withdrawal_emit(d, OUTCOME_MOVED, CAUSE_PEOPLE);
}

/* Without a receipt a release can be taken back, with one it cannot (C1). */
static bool
cancellable(const struct decision *d)
{
	return d->w->state <= STATE_HELD ||
	    (d->w->state == STATE_RELEASED && d->k != NULL);
}

/*
 * "It was not me": whatever has become of it, the account is frozen and it
 * counts as fraud.
 */
static void
cancel_not_me(struct engine *e, struct decision *d, const struct input *in)
{
	uint32_t	 account = d->account;
	bool		 could = cancellable(d);

	if (d->a == NULL) {
		engine_refused(e, in, WHY_STATE);
		return;
	}
	withdrawal_confirm_fraud(d);
	d->a->flags |= ACCOUNT_FROZEN;
	if (could) {
		withdrawal_end(d, STATE_CANCELLED);
		withdrawal_emit(d, OUTCOME_MOVED, CAUSE_CUSTOMER);
	} else
		engine_taken(e, in);
	stop_deny_waiting(e, account, NONE);
}

void
operator_cancel(struct engine *e, const struct input *in)
{
	struct decision	*d = named(e, in);

	if (d == NULL)
		return;
	if (in->not_me) {
		cancel_not_me(e, d, in);
		return;
	}
	if (!cancellable(d)) {
		engine_refused(e, in, WHY_STATE);
		return;
	}
	withdrawal_end(d, STATE_CANCELLED);
	withdrawal_emit(d, OUTCOME_MOVED, CAUSE_CUSTOMER);
}

/* S3: it fulfils the code obligation and nothing else. */
void
operator_code(struct engine *e, const struct input *in)
{
	struct decision	*d = named_open(e, in);
	uint32_t	 n;

	if (d == NULL)
		return;
	n = d->w->waiting;
	d->k->flags |= K_CODE;
	if (d->w->state != STATE_WAITING || d->k->code_until_ms == 0) {
		engine_taken(e, in);
		return;
	}
	d->k->code_until_ms = 0;
	if (d->k->delay_until_ms > d->t_ms) {
		withdrawal_wait(d, d->k->delay_until_ms, 0);
		withdrawal_emit(d, OUTCOME_MOVED, CAUSE_CODE);
	} else if (e->v.halted != 0) {
		withdrawal_stop(d);
		withdrawal_emit(d, OUTCOME_MOVED, CAUSE_HALT);
	} else
		decide_again(e, n, CAUSE_CODE);
}

void
operator_receipt(struct engine *e, const struct input *in)
{
	struct decision	*d = named(e, in);

	if (d == NULL)
		return;
	if (d->w->state != STATE_RELEASED) {
		engine_refused(e, in, WHY_STATE);
		return;
	}
	withdrawal_receipt(d);
	d->w->flags |= W_ISSUED;
	engine_taken(e, in);
}

/* C1: only the signer's word that it will never sign gives the money back.
 * What was counted stays counted (S11). */
void
operator_burned(struct engine *e, const struct input *in)
{
	struct decision	*d = named(e, in);

	if (d == NULL)
		return;
	if ((d->w->state != STATE_RELEASED && d->w->state != STATE_FAILED) ||
	    (d->w->flags & W_BURNED) != 0) {
		engine_refused(e, in, WHY_STATE);
		return;
	}
	withdrawal_receipt(d);
	d->w->flags |= W_BURNED;
	if (d->a != NULL)
		ledger_give_back(e, d->a, d->w);
	d->w->state = STATE_FAILED;
	withdrawal_emit(d, OUTCOME_MOVED, CAUSE_PAYMENT);
}

/*
 * `denied` is the platform's own people saying that it was theft, `failed`
 * a payment that did not happen: no budget refunds (S11), and no balance
 * either until it is burned (C1).
 */
void
operator_outcome(struct engine *e, const struct input *in)
{
	struct decision	*d = named(e, in);
	enum state	 state;

	if (d == NULL)
		return;
	if (in->paid == PAID_DENIED)
		withdrawal_confirm_fraud(d);
	state = (enum state)d->w->state;
	if (state == STATE_RELEASED &&
	    (in->paid == PAID_PAID || in->paid == PAID_FAILED)) {
		withdrawal_receipt(d);
		d->w->state = in->paid == PAID_PAID ? STATE_PAID :
		    STATE_FAILED;
		withdrawal_emit(d, OUTCOME_MOVED, CAUSE_PAYMENT);
	} else if (state <= STATE_HELD && (in->paid == PAID_DENIED ||
	    in->paid == PAID_CANCELLED)) {
		withdrawal_end(d, in->paid == PAID_DENIED ? STATE_DENIED :
		    STATE_CANCELLED);
		withdrawal_emit(d, OUTCOME_MOVED, CAUSE_PEOPLE);
	} else
		engine_taken(e, in);
}
