#include "engine/decide.h"

#include "engine/ask.h"
#include "engine/facts.h"
#include "engine/follow.h"
#include "engine/layout.h"
#include "engine/records.h"
#include "engine/taint.h"
#include "engine/withdrawal.h"

/* A rule that spoke taints its window (S28).  One that only repeats what
 * taint told it does not: taint must not feed on itself. */
static void
mark_taints(struct decision *d)
{
	const struct joined *j = &d->joined;
	uint64_t	 bits;
	int		 i, r;

	for (i = 0; i < RULES_MAX / 64; i++) {
		bits = j->matched[i] | j->shadowed[i] | j->exempted[i];
		for (; bits != 0; bits &= bits - 1) {
			r = i * 64 + __builtin_ctzll(bits);
			if (d->env.when != EVAL_MATURING || !taint_hit(d, r))
				taint_mark(d, r);
		}
	}
}

/* `enforce above A`: what is below A is only observed (S49). */
bool
decide_enforced(const struct decision *d)
{
	const struct policy *pol = d->e->pol;

	switch (pol->mode) {
	case MODE_ENFORCE:
		return d->w->amount_sat >= pol->enforce_above_sat;
	case MODE_ADVISE:
	case MODE_OBSERVE:
		return false;
	}
	assert(0);
	return true;
}

void
decide_judge(struct decision *d, enum eval_when when)
{
	struct joined	*j = &d->joined;

	d->env.when = when;
	eval(d->e->p, &d->env, j);
	if (when == EVAL_ASKING)
		d->w->classes = d->env.classes;
	mark_taints(d);
	d->w->would = (uint8_t)j->called;
	d->w->verdict = (uint8_t)j->called;
	if (!decide_enforced(d)) {
		d->w->verdict = VERDICT_ALLOW;
		j->deny = j->halt = j->code = false;
		j->people = 0;
		j->delay_ms = 0;
	}
	if (d->e->follow != NULL)
		follow_judged(d);
}

/* The rule that trips a halt, for the record. */
static int
halting_rule(const struct decision *d)
{
	int		 r;

	for (r = 0; r < d->e->p->n_rules; r++)
		if (d->e->p->rules[r].verdict == VERDICT_HALT &&
		    (d->joined.matched[r / 64] >> r % 64 & 1) != 0)
			return r;
	return -1;
}

static bool
code_unmet(const struct decision *d)
{
	if (!d->joined.code)
		return false;
	if (d->k != NULL)
		return (d->k->flags & K_CODE) == 0;
	return d->in == NULL || d->in->code != TRI_YES;
}

static enum plan
plan_of(const struct decision *d)
{
	const struct joined *j = &d->joined;

	if (j->deny)
		return PLAN_DENY;
	if (j->halt || j->people > 0)
		return PLAN_HOLD;
	if (code_unmet(d) || d->w->asked_ms + j->delay_ms > d->t_ms)
		return PLAN_WAIT;
	return PLAN_RELEASE;
}

enum plan
decide_plan(const struct decision *d)
{
	enum plan	 plan = plan_of(d);

	return d->e->follow == NULL ? plan : follow_plan(d, plan);
}

static void
wait_until(struct decision *d, int64_t delay_ms, int64_t code_ms)
{
	if (d->e->follow != NULL)
		follow_wait(d, &delay_ms, &code_ms);
	withdrawal_wait(d, delay_ms, code_ms);
}

/*
 * Carry the plan out.  A code is awaited from when it was first asked for:
 * `from_ms`.
 */
void
decide_carry_out(struct decision *d, enum plan plan, int64_t from_ms)
{
	const struct joined *j = &d->joined;
	int64_t		 code_ms = 0;

	switch (plan) {
	case PLAN_RELEASE:
		withdrawal_release(d);
		break;
	case PLAN_WAIT:
		if (code_unmet(d))
			code_ms = from_ms + d->e->pol->set.code_expiry_ms;
		wait_until(d, d->w->asked_ms + j->delay_ms, code_ms);
		break;
	case PLAN_HOLD:
		withdrawal_hold(d, j->people > 0 ? j->people : 1);
		break;
	case PLAN_DENY:
		withdrawal_end(d, STATE_DENIED);
		break;
	}
}

/* After its outcome was told: what a halt rule asked for. */
void
decide_maybe_halt(struct decision *d, enum cause cause)
{
	int		 rule;

	if (d->e->follow != NULL) {
		rule = halting_rule(d);
		if (follow_halts(d->e, cause, &rule))
			decide_halt(d->e, rule, cause);
	} else if (d->joined.halt && d->e->v.halted == 0)
		decide_halt(d->e, halting_rule(d), cause);
}

/* The values that were frozen at asking (S27), or at a resume only those
 * that are of the request: the rest is taken afresh. */
static void
thaw(struct decision *d, enum eval_when when)
{
	const struct engine *e = d->e;
	const int64_t	*frozen = layout_frozen(e, d->k);
	const struct prog_slot *s;
	int		 i, slot;

	for (i = 0; i < e->n_frozen; i++) {
		slot = e->frozen[i];
		s = &e->p->slots[slot];
		if (when != EVAL_MATURING && (s->kind == SLOT_AGG ||
		    (s->kind == SLOT_FACT && s->index > FACT_WEEKDAY)))
			continue;
		/* "Beyond everything" may have been an error. */
		if (s->kind == SLOT_AGG && frozen[i] == INT64_MAX &&
		    d->rec[e->counters[s->index].place] == FULL)
			continue;
		d->env.value[slot] = frozen[i];
		d->env.known[slot / 64] |= UINT64_C(1) << slot % 64;
	}
}

/* A delay that is served, a code that came. */
static void
judge_waiting(struct decision *d, enum cause cause)
{
	int64_t		 old_delay_ms = d->k->delay_until_ms;
	int64_t		 old_code_ms = d->k->code_until_ms;
	int64_t		 delay_ms, code_ms = 0;
	enum plan	 plan;

	thaw(d, EVAL_MATURING);
	decide_judge(d, EVAL_MATURING);
	plan = decide_plan(d);
	/* It can only go out or get worse, and never earlier than it was
	 * told: what is still unserved stays due. */
	if (plan == PLAN_RELEASE && d->e->follow == NULL &&
	    (old_delay_ms > d->t_ms || old_code_ms != 0))
		plan = PLAN_WAIT;
	if (plan != PLAN_WAIT) {
		decide_carry_out(d, plan, d->t_ms);
	} else {
		delay_ms = d->w->asked_ms + d->joined.delay_ms;
		if (delay_ms < old_delay_ms)
			delay_ms = old_delay_ms;
		if (old_code_ms != 0)
			code_ms = old_code_ms;
		else if (code_unmet(d))
			code_ms = d->t_ms + d->e->pol->set.code_expiry_ms;
		wait_until(d, delay_ms, code_ms);
	}
	withdrawal_emit_judged(d, OUTCOME_REDECIDED, cause);
	decide_maybe_halt(d, cause);
}

void
decide_again(struct engine *e, uint32_t waiting, enum cause cause)
{
	judge_waiting(withdrawal_again(e, waiting, e->v.now_ms), cause);
}

/* One entry of e->due. */
static void
fall_due(struct engine *e, uint32_t n, int64_t t_ms)
{
	struct decision	*d = withdrawal_again(e, n, t_ms);

	if (d->w->state == STATE_HELD || d->k->code_until_ms != 0) {
		withdrawal_end(d, STATE_EXPIRED);
		withdrawal_emit(d, OUTCOME_MOVED, CAUSE_EXPIRED);
		return;
	}
	assert(d->w->state == STATE_WAITING);
	if (e->v.halted != 0) {
		withdrawal_stop(d);
		withdrawal_emit(d, OUTCOME_MOVED, CAUSE_HALT);
		return;
	}
	judge_waiting(d, CAUSE_MATURED);
}

void
decide_due(struct engine *e, int64_t t_ms)
{
	struct due_entry entry;
	int64_t		 due_ms;

	while (due_pop(&e->due, t_ms, &entry)) {
		/* Never back: a code may come after its delay was served. */
		due_ms = entry.due_ms > e->v.now_ms ? entry.due_ms :
		    e->v.now_ms;
		ask_turn_hours(e, due_ms);
		e->v.now_ms = due_ms;
		fall_due(e, entry.handle, due_ms);
	}
}

bool
decide_release(struct decision *d)
{
	if (d->e->follow != NULL)
		return follow_release(d);
	d->env.when = EVAL_RELEASING;
	eval(d->e->p, &d->env, &d->joined);
	return !d->joined.deny && d->joined.error == EVAL_OK;
}

/* People had released it while everything was stopped. */
static void
resume_by_people(struct decision *d)
{
	if (!decide_release(d)) {
		d->k->flags &= ~(uint32_t)K_PEOPLE;
		d->w->why = WHY_CEILING;
		withdrawal_hold(d, 1);
		withdrawal_emit(d, OUTCOME_MOVED, CAUSE_RESUMED);
		d->w->why = WHY_NONE;
		return;
	}
	withdrawal_release(d);
	withdrawal_emit(d, OUTCOME_MOVED, CAUSE_PEOPLE);
}

/*
 * Everything is taken afresh, the classes too: two that were proven by the
 * same credit while all was stopped cannot both be so now.  It entered
 * `asked` once, and now enters what it newly belongs to.
 */
void
decide_resume(struct engine *e, uint32_t n)
{
	struct decision	*d = withdrawal_again(e, n, e->v.now_ms);
	uint64_t	 before = d->w->classes;

	if ((d->k->flags & K_PEOPLE) != 0) {
		resume_by_people(d);
		return;
	}
	thaw(d, EVAL_RESUMING);
	ask_classes(d);
	decide_judge(d, EVAL_RESUMING);
	ask_count_new(d, before);
	decide_carry_out(d, decide_plan(d), d->t_ms);
	withdrawal_emit_judged(d, OUTCOME_REDECIDED, CAUSE_RESUMED);
	decide_maybe_halt(d, CAUSE_RESUMED);
}

void
decide_stopped(struct engine *e)
{
	struct due_entry entry;

	if (e->follow != NULL) {
		follow_stopped(e);
		return;
	}
	while (e->v.halted == 0 && due_pop(&e->stopped, INT64_MAX, &entry))
		decide_resume(e, entry.handle);
}

void
decide_halt(struct engine *e, int rule, enum cause cause)
{
	struct outcome	 o = {
		.type = OUTCOME_HALTED, .cause = cause, .t_ms = e->v.now_ms,
		.released_ms = -1, .due_ms = INT64_MAX, .halt_rule = rule,
		.verdict = VERDICT_HALT, .would = VERDICT_HALT,
	};
	struct due_entry entry;
	struct decision	*d;

	e->v.halted = 1;
	e->v.halt_rule = rule;
	e->sink->emit(e->sink->ctx, &o);
	if (e->follow != NULL) {
		follow_taken_back(e);
		return;
	}
	while (due_pop(&e->unreceipted, INT64_MAX, &entry)) {
		d = withdrawal_again(e, entry.handle, e->v.now_ms);
		withdrawal_take_back(d);
		withdrawal_emit(d, OUTCOME_MOVED, CAUSE_HALT);
	}
}
