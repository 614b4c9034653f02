/*
 * Freezing an account or a key; halting and resuming everything.
 */
#include "engine/decide.h"
#include "engine/handlers.h"
#include "engine/records.h"
#include "engine/withdrawal.h"

/* Freezing alone says nothing about fraud: only a person's denial does. */
void
stop_deny_waiting(struct engine *e, uint32_t account, uint32_t key)
{
	const struct account *a = records_account(e, account);
	struct decision	*d;
	uint32_t	 n, next;

	for (n = a->waiting == 0 ? NONE : a->waiting - 1; n != NONE;
	    n = next) {
		next = records_waiting(e, n)->next;
		d = withdrawal_again(e, n, e->v.now_ms);
		if (key != NONE && d->w->key != key)
			continue;
		withdrawal_end(d, STATE_DENIED);
		d->w->why = WHY_FROZEN;
		withdrawal_emit(d, OUTCOME_MOVED, CAUSE_FROZEN);
	}
}

static struct key *
find_key(struct engine *e, const struct input *in, uint32_t *n_out)
{
	*n_out = records_find(e, PLACE_KEY, in->key);
	if (*n_out == NONE) {
		engine_refused(e, in, WHY_KEY);
		return NULL;
	}
	return store_at(&e->places[PLACE_KEY].store, *n_out);
}

void
stop_freeze(struct engine *e, const struct input *in)
{
	uint32_t	 n;
	struct key	*k;

	if (!ident_none(in->key)) {
		if ((k = find_key(e, in, &n)) == NULL)
			return;
		k->flags |= KEY_FROZEN;
		engine_taken(e, in);
		if (k->account != NONE)
			stop_deny_waiting(e, k->account, n);
		return;
	}
	if ((n = records_find(e, PLACE_ACCOUNT, in->account)) == NONE) {
		engine_refused(e, in, WHY_ACCOUNT);
		return;
	}
	records_account(e, n)->flags |= ACCOUNT_FROZEN;
	engine_taken(e, in);
	stop_deny_waiting(e, n, NONE);
}

void
stop_unfreeze(struct engine *e, const struct input *in)
{
	uint32_t	 n;
	struct key	*k;

	if (!ident_none(in->key)) {
		if ((k = find_key(e, in, &n)) == NULL)
			return;
		k->flags &= ~(uint32_t)KEY_FROZEN;
	} else {
		n = records_find(e, PLACE_ACCOUNT, in->account);
		if (n == NONE) {
			engine_refused(e, in, WHY_ACCOUNT);
			return;
		}
		records_account(e, n)->flags &= ~(uint32_t)ACCOUNT_FROZEN;
	}
	engine_taken(e, in);
}

void
stop_halt(struct engine *e, const struct input *in)
{
	if (e->v.halted != 0) {
		engine_refused(e, in, WHY_HALTED);
		return;
	}
	decide_halt(e, -1, CAUSE_PEOPLE);
}

void
stop_resume(struct engine *e, const struct input *in)
{
	struct outcome	 o = {
		.type = OUTCOME_RESUMED, .cause = CAUSE_PEOPLE,
		.t_ms = e->v.now_ms, .released_ms = -1, .due_ms = INT64_MAX,
		.halt_rule = -1,
	};

	if (e->v.halted == 0) {
		engine_refused(e, in, WHY_HALTED);
		return;
	}
	e->v.halted = 0;
	e->v.halt_rule = -1;
	e->sink->emit(e->sink->ctx, &o);
	decide_stopped(e);
}

void
stop_tick(struct engine *e, const struct input *in)
{
	engine_taken(e, in);
}

/*
 * C5: what happened after the backup is unknown: a key may have been revoked
 * and money may have left.  People look, say of every key again what it may
 * do (it is young then, S23), and resume.
 */
void
stop_restored(struct engine *e, const struct input *in)
{
	key_disarm_all(e);
	if (e->v.halted == 0)
		decide_halt(e, -1, CAUSE_PEOPLE);
	/* Whatever rule it was: now only people know when it is over. */
	e->v.halt_rule = -1;
	engine_taken(e, in);
}

bool
engine_halted(const struct engine *e)
{
	return e->v.halted != 0;
}
