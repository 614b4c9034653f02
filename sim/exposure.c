#include "sim/exposure.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/amount.h"
#include "lib/civil.h"
#include "sim/cases.h"

/* One budget: these cases lose at most `sat` within the horizon. */
struct budget {
	uint64_t	*cases;		/* bitset */
	int64_t		 sat;
	struct exposure_part part;
};

struct work {
	const struct policy		*p;
	const struct exposure_state	*s;
	int64_t				 horizon_ms;
	int64_t				 delay_ms;	/* the longest */
	struct cases			*c;
	size_t				 words;	/* of a bitset */
	uint64_t			*open;	/* cases that may leave */
	struct budget			*budgets;
	int				 n_budgets, cap_budgets;
};

#define BUDGETS_MAX	256
#define BUSY_MOST	8		/* S38: busy lies between 1 and 8 */

static bool
bit(const uint64_t *set, size_t i)
{
	return (set[i / 64] >> (i % 64) & 1) != 0;
}

/* `sat` in each window of `window_ms`, over the horizon: rounded up. */
static int64_t
times_windows(const struct work *w, int64_t sat, int64_t window_ms,
    enum agg_stage stage)
{
	int64_t	 span = w->horizon_ms;

	/* What is asked for may leave a delay later. */
	if (stage == STAGE_ASKED)
		span += w->delay_ms;
	return muldiv(sat, (span + window_ms - 1) / window_ms, 1);
}

/* The value of a constant or a share now; -1 when it is neither. */
static int64_t
fixed_value(const struct work *w, const struct quantity *q)
{
	int64_t	 v;

	q = cases_resolve(w->p, q, &v);
	if (q->kind == Q_CONST)
		return muldiv(q->value, v, 1);
	if (q->kind == Q_SHARE && (!q->of_fund || w->s->fund_sat >= 0))
		return muldiv(muldiv(q->of_fund ? w->s->fund_sat :
		    w->s->hot_sat, q->ppm, 1000000), v, 1);
	return -1;
}

static int64_t
isqrt(int64_t n)
{
	int64_t	 r = 0, b = INT64_C(1) << 30;

	for (; b > 0; b >>= 1)
		if ((r + b) <= n / (r + b))
			r += b;
	return r;
}

/* The most that a line allows, whatever the hour and however busy. */
static int64_t
line_value(const struct work *w, const struct line *l, const struct agg *agg)
{
	int64_t	 n = -1, learnt, plus = 0;

	if (w->s->normal != NULL)
		n = w->s->normal(w->s->ctx, agg, w->horizon_ms);
	learnt = fixed_value(w, &l->learnt);
	if (n < 0)
		return learnt;
	if (l->busy)
		n = muldiv(n, BUSY_MOST, 1);
	if (l->has_plus)
		plus = fixed_value(w, &l->plus);
	if (plus < 0)
		return -1;
	n = amount_add_saturate(n, muldiv(n, l->by_ppm, 1000000));
	if (agg->what != AGG_SUM)
		n = amount_add_saturate(n, 3 * isqrt(n));
	return amount_add_saturate(n, plus);
}

/* What a test `agg > right` allows at most; -1 when it bounds nothing. */
static int64_t
threshold(const struct work *w, const struct cond *t, const struct agg *agg)
{
	if (t->rel != REL_GT && t->rel != REL_GE)
		return -1;
	return t->is_line ? line_value(w, &t->line, agg) :
	    fixed_value(w, &t->right);
}

static void
describe(char *buf, size_t len, const struct agg *a, const struct policy *p)
{
	static const char *const scope[] = { "by account", "by key",
		"by network", "by network", "by partner", "by group",
		"by group", "to destination", "on platform" };
	static const char *const what[] = { "sum", "count", "distinct" };
	char	 window[CIVIL_TEXT_MAX];

	(void)snprintf(buf, len, "%s %s %s in %s%s%s%s", what[a->what],
	    stage_text(a->stage), scope[a->scope],
	    duration_format(window, a->window_ms), a->cls >= 0 ? " of " : "",
	    a->cls >= 0 && a->cls_not ? "not " : "",
	    a->cls >= 0 ? p->classes[a->cls].name : "");
}

static bool
add_budget(struct work *w, const uint64_t *cases, int64_t sat,
    const char *rule, const char *where, const struct agg *agg)
{
	struct budget	*b;
	size_t		 i;
	bool		 any = false;

	for (i = 0; i < w->words; i++)
		any = any || (cases[i] & w->open[i]) != 0;
	if (!any || w->n_budgets == BUDGETS_MAX)
		return true;
	b = &w->budgets[w->n_budgets];
	memset(b, 0, sizeof(*b));
	if ((b->cases = calloc(w->words, sizeof(*b->cases))) == NULL)
		return false;
	for (i = 0; i < w->words; i++)
		b->cases[i] = cases[i] & w->open[i];
	b->sat = sat;
	(void)snprintf(b->part.rule, sizeof(b->part.rule), "%s", rule);
	(void)snprintf(b->part.where, sizeof(b->part.where), "%s", where);
	if (agg != NULL)
		describe(b->part.what, sizeof(b->part.what), agg, w->p);
	b->part.sat = sat;
	w->n_budgets++;
	return true;
}

/* What one account can take of a case in `window_ms`; -1 when unknown. */
static int64_t
account_most(const struct work *w, size_t k, int64_t window_ms)
{
	int64_t	 high = cases_account_day_sat(w->c, k);

	if (high < 0)
		return -1;
	return muldiv(high, (window_ms + MS_PER_DAY - 1) / MS_PER_DAY, 1);
}

/*
 * The budget that one rule's alternative makes, when in a case nothing of it
 * is undecided but one aggregate.  Sums over the platform bound directly;
 * per account times the accounts; distinct accounts times what one can take.
 */
static int64_t
budget_sat(const struct work *w, const struct cond *t, size_t k)
{
	int64_t			 times, v, most;
	const struct quantity	*q = cases_resolve(w->p, &t->left, &times);
	const struct agg	*a = &q->agg;

	if (q->kind != Q_AGG || times != 1 || !cases_in_class(w->c, k, a) ||
	    a->stage == STAGE_BLOCKED || a->stage == STAGE_CONFIRMED)
		return -1;
	if (a->what == AGG_SUM && a->scope == SCOPE_ACCOUNT &&
	    t->rel != REL_EQ && !t->is_line &&
	    cases_is_limit(w->p, &t->right, &times) && w->s->limits_sat >= 0)
		return times_windows(w, muldiv(w->s->limits_sat, times, 1),
		    a->window_ms, a->stage);
	if ((v = threshold(w, t, a)) < 0)
		return -1;
	if (a->what == AGG_SUM && a->scope == SCOPE_PLATFORM)
		return times_windows(w, v, a->window_ms, a->stage);
	if (a->what == AGG_SUM && a->scope == SCOPE_ACCOUNT)
		return times_windows(w, muldiv(v, w->s->accounts, 1),
		    a->window_ms, a->stage);
	if (a->what == AGG_DISTINCT && a->thing == THING_ACCOUNTS &&
	    a->scope == SCOPE_PLATFORM &&
	    (most = account_most(w, k, a->window_ms)) >= 0)
		return times_windows(w, muldiv(v, most, 1), a->window_ms,
		    a->stage);
	return -1;
}

static bool
add_rule_budgets(struct work *w, int rule, const struct alternative *alt)
{
	uint64_t		*set;
	const struct cond	*t, *found = NULL;
	int64_t			 sat, worst = -1, times;
	char			 where[96], name[64];
	size_t			 k;
	bool			 good = true, any = false;

	if ((set = calloc(w->words, sizeof(*set))) == NULL)
		return false;
	for (k = 0; k < cases_count(w->c); k++) {
		if (!bit(w->open, k) ||
		    !cases_one_left(w->c, k, alt, &t) || t == NULL ||
		    (sat = budget_sat(w, t, k)) < 0)
			continue;
		if (found != NULL && found != t)
			continue;
		found = t;
		any = true;
		worst = sat > worst ? sat : worst;
		set[k / 64] |= UINT64_C(1) << (k % 64);
	}
	if (any)
		good = add_budget(w, set, amount_add_saturate(worst,
		    cases_exempt_sat(w->p, rule, w->horizon_ms)),
		    policy_rule_name(w->p, rule, name, sizeof(name)),
		    policy_where(w->p, w->p->rules[rule].pos, where,
		    sizeof(where)),
		    &cases_resolve(w->p, &found->left, &times)->agg);
	free(set);
	return good;
}

static bool
add_ceilings(struct work *w)
{
	const struct ceiling	*c;
	uint64_t		*all;
	struct agg		 agg = { .what = AGG_SUM,
		.stage = STAGE_RELEASED, .scope = SCOPE_PLATFORM, .cls = -1 };
	char			 where[96];
	int64_t			 v;
	bool			 good = true;
	int			 i;

	if ((all = malloc(w->words * sizeof(*all))) == NULL)
		return false;
	memset(all, 0xff, w->words * sizeof(*all));
	for (i = 0; i < w->p->n_ceilings && good; i++) {
		c = &w->p->ceilings[i];
		if ((v = fixed_value(w, &c->limit)) < 0)
			continue;
		agg.window_ms = c->window_ms;
		good = add_budget(w, all, times_windows(w, v, c->window_ms,
		    STAGE_RELEASED),
		    "ceiling", policy_where(w->p, c->pos, where,
		    sizeof(where)), &agg);
	}
	free(all);
	return good;
}

/* Cases bounded by their own definition: `outlay < 0.5 btc`, an account. */
static bool
add_account_budgets(struct work *w)
{
	struct agg	 agg = { .what = AGG_SUM, .stage = STAGE_ASKED,
		.scope = SCOPE_ACCOUNT, .window_ms = MS_PER_DAY, .cls = -1 };
	uint64_t	*set;
	int64_t		 level, sat;
	size_t		 k, i;
	bool		 good = true;
	char		 text[64], amount[AMOUNT_TEXT_MAX];

	if ((set = calloc(w->words, sizeof(*set))) == NULL)
		return false;
	/* One budget a distinct bound: all cases at or below that bound. */
	for (k = 0; k < cases_count(w->c) && good; k++) {
		level = bit(w->open, k) ? cases_account_day_sat(w->c, k) : -1;
		if (level < 0)
			continue;
		memset(set, 0, w->words * sizeof(*set));
		for (i = 0; i < cases_count(w->c); i++) {
			sat = cases_account_day_sat(w->c, i);
			if (sat >= 0 && sat <= level)
				set[i / 64] |= UINT64_C(1) << (i % 64);
		}
		for (i = 0; i < (size_t)w->n_budgets; i++)
			if (strcmp(w->budgets[i].part.where, "class") == 0 &&
			    w->budgets[i].part.sat == times_windows(w,
			    muldiv(level, w->s->accounts, 1), MS_PER_DAY,
			    STAGE_ASKED))
				break;
		if (i < (size_t)w->n_budgets)
			continue;
		(void)snprintf(text, sizeof(text), "%s btc an account a day",
		    amount_format_short(amount, level));
		good = add_budget(w, set, times_windows(w,
		    muldiv(level, w->s->accounts, 1), MS_PER_DAY,
		    STAGE_ASKED), text,
		    "class", &agg);
	}
	free(set);
	return good;
}

static bool
gather(struct work *w)
{
	const struct rule	*r;
	struct alternatives	 alts;
	int			 i, j;
	bool			 good = true;

	for (i = 0; i < w->p->n_rules && good; i++) {
		r = &w->p->rules[i];
		if (r->shadow || r->lot != LOT_NONE ||
		    r->until_day != INT64_MAX || (r->verdict != VERDICT_HOLD &&
		    r->verdict != VERDICT_DENY && r->verdict != VERDICT_HALT))
			continue;
		if (!cases_alternatives(r->cond, &alts))
			continue;
		for (j = 0; j < alts.n && good; j++)
			good = add_rule_budgets(w, i, &alts.alt[j]);
	}
	return good && add_ceilings(w) && add_account_budgets(w);
}

/* The cheapest cover: depth-first with the best so far as the bound. */
struct search {
	const struct work	*w;
	const uint64_t		*cases;		/* to be covered */
	bool			 used[BUDGETS_MAX];
	bool			 best[BUDGETS_MAX];
	int64_t			 best_sat;
	bool			 found;
	size_t			 hole;		/* a case nothing bounds */
	int			 steps;
};

#define STEPS_MAX	200000

static bool
covered(const struct search *x, size_t k)
{
	int	 i;

	for (i = 0; i < x->w->n_budgets; i++)
		if (x->used[i] && bit(x->w->budgets[i].cases, k))
			return true;
	return false;
}

/* The depth is at most the number of budgets: each level uses one more. */
static void
cover(struct search *x, int64_t sat)
{
	const struct work	*w = x->w;
	size_t			 k, n = cases_count(w->c);
	int			 i, none = 1;

	if (x->steps++ > STEPS_MAX || (x->found && sat >= x->best_sat))
		return;
	for (k = 0; k < n && (!bit(x->cases, k) || covered(x, k)); k++)
		continue;
	if (k == n) {
		memcpy(x->best, x->used, sizeof(x->best));
		x->best_sat = sat;
		x->found = true;
		return;
	}
	for (i = 0; i < w->n_budgets; i++) {
		if (!bit(w->budgets[i].cases, k))
			continue;
		none = 0;
		x->used[i] = true;
		cover(x, amount_add_saturate(sat, w->budgets[i].sat));
		x->used[i] = false;
	}
	if (none)
		x->hole = k;
}

static void
search(struct search *x, const struct work *w, const uint64_t *cases)
{
	memset(x, 0, sizeof(*x));
	x->w = w;
	x->cases = cases;
	cover(x, 0);
}

static int
by_price(const void *a, const void *b)
{
	const struct budget	*x = a, *y = b;

	if (x->sat != y->sat)
		return x->sat < y->sat ? -1 : 1;
	return strcmp(x->part.where, y->part.where);
}

static void
take_parts(struct exposure *out, const struct search *x)
{
	int	 i;

	for (i = 0; i < x->w->n_budgets; i++)
		if (x->best[i] && out->n_parts < EXPOSURE_PARTS_MAX)
			out->parts[out->n_parts++] = x->w->budgets[i].part;
}

/*
 * Trust opens nothing to somebody who begins now: an address of his must
 * first be paid unproven, ripens from Q on, and then takes at most as much
 * again (S30).  So what is proven costs at most what is unproven, and
 * nothing in a horizon shorter than Q.
 */
static void
add_trust(struct exposure *out, const struct work *w, int64_t unproven_sat)
{
	struct exposure_part	*part;

	if (!w->p->trust.given || w->horizon_ms <= w->p->trust.after_ms ||
	    out->n_parts == EXPOSURE_PARTS_MAX)
		return;
	part = &out->parts[out->n_parts++];
	memset(part, 0, sizeof(*part));
	(void)snprintf(part->rule, sizeof(part->rule), "trust");
	(void)policy_where(w->p, w->p->trust.pos, part->where,
	    sizeof(part->where));
	(void)snprintf(part->what, sizeof(part->what),
	    "as much again, to addresses that ripened");
	part->sat = unproven_sat;
}

static void
answer(struct work *w, struct exposure *out)
{
	struct search	 all, unproven;
	uint64_t	*set;
	size_t		 k;
	int64_t		 sat;
	int		 i;

	out->horizon_ms = w->horizon_ms;
	qsort(w->budgets, (size_t)w->n_budgets, sizeof(*w->budgets), by_price);
	search(&all, w, w->open);
	if ((set = calloc(w->words, sizeof(*set))) == NULL)
		set = w->open;		/* the larger set: still a bound */
	for (k = 0; set != w->open && k < cases_count(w->c); k++)
		if (bit(w->open, k) && !cases_proven(w->c, k))
			set[k / 64] |= UINT64_C(1) << (k % 64);
	search(&unproven, w, set);
	if (set != w->open)
		free(set);
	if (!unproven.found) {
		out->unbounded = true;
		out->sat = w->s->hot_sat;
		cases_describe(w->c, unproven.hole, out->hole,
		    sizeof(out->hole));
		return;
	}
	take_parts(out, &unproven);
	add_trust(out, w, unproven.best_sat);
	for (sat = 0, i = 0; i < out->n_parts; i++)
		sat = amount_add_saturate(sat, out->parts[i].sat);
	if (all.found && all.best_sat < sat) {
		out->n_parts = 0;
		take_parts(out, &all);
		sat = all.best_sat;
	}
	out->capped = sat > w->s->hot_sat;
	out->sat = out->capped ? w->s->hot_sat : sat;
}

enum rc
exposure_compute(struct exposure *out, const struct policy *p,
    const struct exposure_state *s, int64_t horizon_ms, struct err *e)
{
	struct work	 w;
	enum rc		 rc = RC_FAILED;
	size_t		 k;
	int		 i;

	memset(out, 0, sizeof(*out));
	memset(&w, 0, sizeof(w));
	w.p = p;
	w.s = s;
	w.horizon_ms = horizon_ms;
	for (i = 0; i < p->n_rules; i++)
		if (p->rules[i].delay_ms > w.delay_ms)
			w.delay_ms = p->rules[i].delay_ms;
	if ((rc = cases_new(&w.c, p, s->hot_sat, s->fund_sat,
	    s->limits_sat >= 0, e)) != RC_OK)
		return rc;
	w.words = cases_count(w.c) / 64 + 1;
	w.open = calloc(w.words, sizeof(*w.open));
	w.budgets = calloc(BUDGETS_MAX, sizeof(*w.budgets));
	rc = RC_OK;
	if (w.open != NULL && w.budgets != NULL) {
		for (k = 0; k < cases_count(w.c); k++)
			if (cases_may_leave(w.c, k))
				w.open[k / 64] |= UINT64_C(1) << (k % 64);
		if (gather(&w))
			answer(&w, out);
		else
			rc = err_set(e, "out of memory");
	} else
		rc = err_set(e, "out of memory");
	for (i = 0; i < w.n_budgets; i++)
		free(w.budgets[i].cases);
	free(w.budgets);
	free(w.open);
	cases_free(&w.c);
	return rc;
}
