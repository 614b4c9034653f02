#include "engine/follow.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "engine/decide.h"
#include "engine/handlers.h"
#include "engine/records.h"
#include "engine/withdrawal.h"

/* More people than any policy asks for. */
#define PEOPLE_MAX	1000

static void __attribute__((format(printf, 3, 4)))
fail(const struct engine *e, struct ident id, const char *fmt, ...)
{
	struct follow	*f = e->follow;
	char		 why[256];
	va_list		 ap;

	if (f->failed)
		return;
	f->failed = true;
	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	if (ident_none(id))
		(void)err_set(f->err, "outcome %zu of %zu: %s", f->i + 1,
		    f->n, why);
	else
		(void)err_set(f->err, "outcome %zu of %zu, withdrawal "
		    "%016" PRIx64 "%016" PRIx64 ": %s", f->i + 1, f->n,
		    id.hi, id.lo, why);
}

/* The next record, NULL when there is none or something went wrong. */
static const struct outcome_record *
next(const struct engine *e)
{
	const struct follow *f = e->follow;

	return f->failed || f->i == f->n ? NULL : &f->records[f->i];
}

/* The next record, which must speak of this withdrawal. */
static const struct outcome_record *
next_of(const struct decision *d)
{
	const struct outcome_record *r = next(d->e);

	if (r != NULL && ident_equal(r->id, d->w->id))
		return r;
	fail(d->e, d->w->id, r == NULL ? "nothing is recorded of it" :
	    "the record speaks of another");
	return NULL;
}

static bool
is(const struct outcome_record *r, enum outcome_type type, enum cause cause)
{
	return r != NULL && r->type == type && r->cause == cause;
}

static const char *
type_text(enum outcome_type t)
{
	switch (t) {
	case OUTCOME_DECIDED:
		return "decided";
	case OUTCOME_REPEATED:
		return "repeated";
	case OUTCOME_REDECIDED:
		return "decided again";
	case OUTCOME_MOVED:
		return "moved";
	case OUTCOME_HALTED:
		return "halted";
	case OUTCOME_RESUMED:
		return "resumed";
	case OUTCOME_TAKEN:
		return "taken";
	case OUTCOME_REFUSED:
		return "refused";
	}
	return "?";
}

static bool
of_withdrawal(enum outcome_type t)
{
	return t == OUTCOME_DECIDED || t == OUTCOME_REPEATED ||
	    t == OUTCOME_REDECIDED || t == OUTCOME_MOVED;
}

/* Both say the same, as far as they must. */
static bool
agrees(const struct outcome *o, const struct outcome_record *r)
{
	if (o->type != r->type || o->cause != r->cause || o->why != r->why)
		return false;
	return !of_withdrawal(o->type) ||
	    (ident_equal(o->id, r->id) && o->state == r->state);
}

/* Everything that comes out goes by the records, and then on. */
static void
check(void *ctx, const struct outcome *o)
{
	const struct engine *e = ctx;
	struct follow	*f = e->follow;
	const struct outcome_record *r = next(e);

	if (r == NULL)
		fail(e, o->id, "nothing more is recorded, and here: %s, %s, "
		    "%s", type_text(o->type), state_text(o->state),
		    why_text(o->why));
	else if (!agrees(o, r))
		fail(e, o->id, "recorded: %s, %s, %s; here: %s, %s, %s",
		    type_text(r->type), state_text(r->state),
		    why_text(r->why), type_text(o->type),
		    state_text(o->state), why_text(o->why));
	else
		f->i++;
	f->sink->emit(f->sink->ctx, o);
}

/* The record's own words, of something that changes nothing. */
static void
say(struct engine *e, const struct outcome_record *r)
{
	static const struct ident none;
	uint32_t	 n = withdrawal_find(e, r->id);
	const struct withdrawal *w;
	struct outcome	 o = {
		.type = r->type, .cause = r->cause, .why = r->why,
		.t_ms = e->v.now_ms, .id = r->id,
		.account = e->follow->in->account, .ref = NONE,
		.amount_sat = r->amount_sat, .verdict = r->verdict,
		.would = r->would, .state = r->state, .due_ms = r->due_ms,
		.released_ms = r->released_ms, .halt_rule = -1,
	};

	if (n != NONE && (r->type == OUTCOME_REPEATED ||
	    r->why == WHY_CONFLICT)) {
		w = records_withdrawal(e, n);
		o.ref = w->ref;
		o.account = w->account == NONE ? none :
		    records_account(e, w->account)->id;
	}
	e->sink->emit(e->sink->ctx, &o);
}

/*
 * The waiting record of the withdrawal that the record names, which must be
 * in this state; NONE, and failed, when there is none.
 */
static uint32_t
parked(struct engine *e, const struct outcome_record *r, enum state state)
{
	uint32_t	 n = withdrawal_find(e, r->id);
	const struct withdrawal *w;

	if (n == NONE) {
		fail(e, r->id, "it is not known here");
		return NONE;
	}
	w = records_withdrawal(e, n);
	if (w->waiting == NONE || w->state != state) {
		fail(e, r->id, "recorded: %s, and here it is %s",
		    type_text(r->type), state_text((enum state)w->state));
		return NONE;
	}
	return w->waiting;
}

enum why
follow_builtin(struct decision *d, enum why why)
{
	const struct outcome_record *r = next_of(d);

	if (r == NULL)
		return why;
	if (!r->judged && r->state == STATE_DENIED &&
	    r->why != WHY_NONE && r->why != WHY_FULL_WAITING)
		return r->why;
	/* Keys and balances were somebody else's to judge. */
	if (why != WHY_AMOUNT && why != WHY_OVERFLOW && d->a != NULL)
		return WHY_NONE;
	fail(d->e, d->w->id, "recorded: %s, and here %s",
	    state_text(r->state), why_text(why));
	return why;
}

bool
follow_renew(struct engine *e, uint32_t w)
{
	struct withdrawal *wd = records_withdrawal(e, w);

	if (wd->waiting != NONE) {
		fail(e, wd->id, "asked for anew, and here it is %s",
		    state_text((enum state)wd->state));
		return false;
	}
	(void)index_remove(&e->withdrawals_ix, wd->id);
	store_remove(&e->withdrawals, w);
	return true;
}

bool
follow_park(struct decision *d)
{
	const struct outcome_record *r = next_of(d);

	if (r != NULL && !r->judged && r->why == WHY_FULL_WAITING)
		return false;
	if (withdrawal_park(d))
		return true;
	fail(d->e, d->w->id, "%s", why_text(WHY_FULL_WAITING));
	return false;
}

void
follow_judged(struct decision *d)
{
	const struct outcome_record *r = next_of(d);
	struct joined	*j = &d->joined;

	if (r == NULL || (!r->judged && r->why == WHY_FULL_WAITING))
		return;
	if (!r->judged || r->delay_ms < 0 || r->people < 0 ||
	    r->delay_ms > ENGINE_TIME_MAX_MS || r->people > PEOPLE_MAX) {
		fail(d->e, d->w->id, !r->judged ? "recorded without a "
		    "judgement, and here it needs one" :
		    "a delay or hold beyond all bounds");
		return;
	}
	j->called = r->would;
	j->deny = r->deny;
	j->halt = r->halt;
	j->code = r->code;
	j->people = r->people;
	j->delay_ms = r->delay_ms;
	d->w->verdict = (uint8_t)r->verdict;
	d->w->would = (uint8_t)r->would;
	d->w->why = (uint8_t)r->why;
}

enum plan
follow_plan(const struct decision *d, enum plan own)
{
	const struct outcome_record *r = next_of(d);

	if (r == NULL)
		return own;
	if (!r->judged && r->why == WHY_FULL_WAITING)
		return PLAN_WAIT;
	switch (r->state) {
	case STATE_WAITING:
		return PLAN_WAIT;
	case STATE_HELD:
		return PLAN_HOLD;
	case STATE_RELEASED:
		return PLAN_RELEASE;
	case STATE_DENIED:
		return PLAN_DENY;
	case STATE_STOPPED:
	case STATE_CANCELLED:
	case STATE_EXPIRED:
	case STATE_FAILED:
	case STATE_PAID:
		break;
	}
	fail(d->e, d->w->id, "no judgement makes it %s",
	    state_text(r->state));
	return own;
}

void
follow_wait(struct decision *d, int64_t *delay_until_ms,
    int64_t *code_until_ms)
{
	const struct outcome_record *r = next_of(d);

	if (r == NULL || r->due_ms == INT64_MAX)
		return;
	if (*code_until_ms != 0)
		*code_until_ms = r->due_ms;
	else
		*delay_until_ms = r->due_ms;
}

bool
follow_release(const struct decision *d)
{
	const struct outcome_record *r = next(d->e);

	return !is(r, OUTCOME_MOVED, CAUSE_RESUMED);
}

bool
follow_halts(const struct engine *e, enum cause cause, int *rule)
{
	const struct outcome_record *r = next(e);

	if (!is(r, OUTCOME_HALTED, cause))
		return false;
	/* The number may be one in another program. */
	if (*rule < 0 && r->halt_rule >= 0 && r->halt_rule < e->p->n_rules &&
	    e->p->rules[r->halt_rule].verdict == VERDICT_HALT)
		*rule = r->halt_rule;
	return true;
}

void
follow_taken_back(struct engine *e)
{
	const struct outcome_record *r;
	struct decision	*d;
	uint32_t	 n;

	while (is(r = next(e), OUTCOME_MOVED, CAUSE_HALT)) {
		n = withdrawal_find(e, r->id);
		/* Else it fell due after the halt. */
		if (n == NONE || records_withdrawal(e, n)->state !=
		    STATE_RELEASED)
			return;
		if ((n = parked(e, r, STATE_RELEASED)) == NONE)
			return;
		d = withdrawal_again(e, n, e->v.now_ms);
		withdrawal_take_back(d);
		withdrawal_emit(d, OUTCOME_MOVED, CAUSE_HALT);
	}
}

void
follow_stopped(struct engine *e)
{
	const struct outcome_record *r;
	uint32_t	 n;

	while (e->v.halted == 0 && (r = next(e)) != NULL) {
		if ((n = parked(e, r, STATE_STOPPED)) == NONE)
			return;
		decide_resume(e, n);
	}
	if (e->v.halted == 0 && e->stopped.count > 0)
		fail(e, (struct ident){ 0, 0 }, "resumed, and of %zu that "
		    "are stopped nothing is recorded", e->stopped.count);
}

void
follow_facts(struct engine *e)
{
	const struct outcome_record *r;
	uint32_t	 n;

	while (is(r = next(e), OUTCOME_REDECIDED, CAUSE_FACT)) {
		if ((n = parked(e, r, STATE_WAITING)) == NONE)
			return;
		decide_again(e, n, CAUSE_FACT);
	}
}

/* Did this come of time alone?  The input's own outcomes stand last, and
 * there is at least one. */
static bool
of_time(const struct follow *f, const struct outcome_record *r)
{
	if (is(r, OUTCOME_REDECIDED, CAUSE_MATURED) ||
	    is(r, OUTCOME_MOVED, CAUSE_EXPIRED))
		return true;
	if (!is(r, OUTCOME_MOVED, CAUSE_HALT))
		return false;
	/* A code can be the last thing that one waits for in a halt. */
	return f->in->type != INPUT_CODE || f->i + 1 < f->n;
}

static void
expire(struct engine *e, const struct outcome_record *r)
{
	uint32_t	 w = withdrawal_find(e, r->id), n;
	struct decision	*d;

	n = parked(e, r, w != NONE && records_withdrawal(e, w)->state ==
	    STATE_HELD ? STATE_HELD : STATE_WAITING);
	if (n == NONE)
		return;
	d = withdrawal_again(e, n, e->v.now_ms);
	withdrawal_end(d, STATE_EXPIRED);
	withdrawal_emit(d, OUTCOME_MOVED, CAUSE_EXPIRED);
}

/* One thing fell due. */
static void
fall_due(struct engine *e, const struct outcome_record *r)
{
	struct decision	*d;
	uint32_t	 n;

	if (r->type == OUTCOME_MOVED && r->cause == CAUSE_EXPIRED) {
		expire(e, r);
		return;
	}
	if ((n = parked(e, r, STATE_WAITING)) == NONE)
		return;
	if (r->type == OUTCOME_REDECIDED) {
		decide_again(e, n, CAUSE_MATURED);
		return;
	}
	d = withdrawal_again(e, n, e->v.now_ms);
	withdrawal_stop(d);
	withdrawal_emit(d, OUTCOME_MOVED, CAUSE_HALT);
}

static void
pass(struct engine *e, int64_t t_ms)
{
	ask_turn_hours(e, t_ms);
	e->v.now_ms = t_ms;
}

/* Everything that is recorded to have fallen due, and nothing else. */
static void
follow_due(struct engine *e, int64_t t_ms)
{
	const struct outcome_record *r;

	while ((r = next(e)) != NULL && of_time(e->follow, r)) {
		if (r->t_ms > t_ms) {
			fail(e, r->id, "due after the input");
			return;
		}
		pass(e, r->t_ms > e->v.now_ms ? r->t_ms : e->v.now_ms);
		fall_due(e, r);
	}
}

/* A fact may be one that this policy does not know, or know alone. */
static bool
fact_is_of_something(const struct engine *e, const struct input *in)
{
	uint32_t	 n;

	if (ident_none(in->id))
		return records_find(e, PLACE_ACCOUNT, in->account) != NONE;
	n = withdrawal_find(e, in->id);
	return n != NONE && records_withdrawal(e, n)->waiting != NONE;
}

static void
follow_input(struct engine *e, const struct input *in)
{
	const struct outcome_record *r = next(e);

	if (r == NULL) {
		fail(e, in->id, "nothing is recorded of the input");
	} else if (r->type == OUTCOME_REFUSED ||
	    r->type == OUTCOME_REPEATED || (r->type == OUTCOME_DECIDED &&
	    r->why == WHY_FULL_WITHDRAWALS)) {
		say(e, r);
	} else if (in->type == INPUT_FACT && r->type == OUTCOME_TAKEN &&
	    !fact_is_of_something(e, in)) {
		say(e, r);
		follow_facts(e);
	} else {
		engine_handle(e, in);
		/* What this policy did not ask for. */
		if (in->type == INPUT_FACT)
			follow_facts(e);
	}
}

enum rc
engine_follow(struct engine *e, const struct input *in,
    const struct outcome_record *records, size_t n,
    const struct engine_sink *sink, struct err *err)
{
	struct follow	 f = { .in = in, .records = records, .n = n,
		.err = err, .sink = sink };
	struct engine_sink checked = { check, e };

	assert(in->type < INPUT__COUNT);
	e->follow = &f;
	e->sink = &checked;
	if (n > 0 && records[0].type == OUTCOME_REFUSED &&
	    records[0].why == WHY_CLOCK) {
		say(e, &records[0]);
	} else if (in->t_ms > ENGINE_TIME_MAX_MS) {
		fail(e, in->id, "%s", why_text(WHY_CLOCK));
	} else {
		follow_due(e, in->t_ms > e->v.now_ms ? in->t_ms :
		    e->v.now_ms);
		if (in->t_ms > e->v.now_ms)
			pass(e, in->t_ms);
		follow_input(e, in);
	}
	if (f.i < f.n)
		fail(e, records[f.i].id, "recorded: %s, and here nothing "
		    "more", type_text(records[f.i].type));
	e->follow = NULL;
	e->sink = NULL;
	return f.failed ? RC_FAILED : RC_OK;
}
