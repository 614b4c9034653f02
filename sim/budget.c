#include "sim/budget.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/amount.h"
#include "lib/civil.h"

#define THRESHOLDS_MAX	512
#define BUSY_MOST	8		/* S38: busy lies between 1 and 8 */

enum source_kind {
	SOURCE_RULE,		/* one comparison of it is left */
	SOURCE_DISTINCT,	/* the same, with what an account may */
	SOURCE_EXEMPT,		/* nothing is left: it holds */
	SOURCE_CLASS,		/* a class says "not above" */
	SOURCE_ACCOUNT,		/* a class says what an account may */
	SOURCE_CEILING,
};

/* Where a budget comes from: equal ones are the same budget. */
struct source {
	enum source_kind	 kind;
	int			 index;		/* rule, variable, ceiling */
	const struct cond	*test;
	int			 var, cut;	/* what one account may */
};

struct entry {
	struct source	 source;
	struct budget	 budget;
};

/* A severe rule's alternatives. */
struct severe {
	int			 rule;
	struct alternatives	*alts;
};

struct budgets {
	const struct policy		*p;
	const struct exposure_state	*s;
	struct cases			*c;
	int64_t				 horizon_ms;
	int64_t				 wait_ms;
	struct severe			 severe[RULES_MAX];
	int				 n_severe;
	struct entry			 all[COVER_THINGS];
	int				 n;
	/* Thresholds of comparisons that were asked for. */
	struct { const struct cond *test; int64_t v; } known[THRESHOLDS_MAX];
	int				 n_known;
	int64_t				 habits_sat[2];	/* -1: unknown */
};

int64_t
budgets_wait_ms(const struct policy *p)
{
	const struct rule	*r;
	int64_t			 most = 0, wait;
	int			 i;

	for (i = 0; i < p->n_rules; i++) {
		r = &p->rules[i];
		wait = r->shadow ? 0 : r->verdict == VERDICT_DELAY ?
		    r->delay_ms : r->verdict == VERDICT_STEP_UP ?
		    p->set.code_expiry_ms : 0;
		if (wait > most)
			most = wait;
	}
	return most;
}

static int64_t
windows(int64_t span_ms, int64_t window_ms)
{
	return (span_ms + window_ms - 1) / window_ms;
}

/* How long things are asked for, released, ... that leave in the horizon. */
static int64_t
span_ms(const struct budgets *b, enum agg_stage stage)
{
	return b->horizon_ms + (stage == STAGE_ASKED ? b->wait_ms : 0);
}

/* The value of a constant or a share now; -1 when it is neither. */
static int64_t
fixed_value(const struct budgets *b, const struct quantity *q)
{
	int64_t	 v;

	q = cases_resolve(b->p, q, &v);
	if (q->kind == Q_CONST)
		return muldiv(q->value, v, 1);
	if (q->kind == Q_SHARE && (!q->of_fund || b->s->fund_sat >= 0))
		return muldiv(muldiv(q->of_fund ? b->s->fund_sat :
		    b->s->hot_sat, q->ppm, 1000000), v, 1);
	return -1;
}

/* Rounded down. */
static int64_t
root(int64_t n)
{
	int64_t	 r = 0, bit = INT64_C(1) << 31;

	for (; bit > 0; bit >>= 1)
		if ((r + bit) <= n / (r + bit))
			r += bit;
	return r;
}

/* The most that a line allows, whatever the hour and however busy. */
static int64_t
line_value(const struct budgets *b, const struct line *l,
    const struct agg *agg)
{
	int64_t	 n = -1, plus = 0;

	if (b->s->normal != NULL)
		n = b->s->normal(b->s->ctx, agg, b->horizon_ms + b->wait_ms);
	if (n < 0)
		return fixed_value(b, &l->learnt);
	if (l->busy)
		n = muldiv(n, BUSY_MOST, 1);
	if (l->has_plus && (plus = fixed_value(b, &l->plus)) < 0)
		return -1;
	/* One more for what was rounded: n is rounded down. */
	plus = amount_add_saturate(plus, muldiv(n, l->by_ppm, 1000000) + 1);
	if (agg->what != AGG_SUM)
		plus = amount_add_saturate(plus, 3 * root(n));
	return amount_add_saturate(n, plus);
}

/* What `agg` is not above, given that comparison; -1 when unknown. */
static int64_t
threshold(struct budgets *b, const struct cond *t, const struct agg *agg)
{
	int64_t	 v;
	int	 i;

	for (i = 0; i < b->n_known; i++)
		if (b->known[i].test == t)
			return b->known[i].v;
	v = t->is_line ? line_value(b, &t->line, agg) :
	    fixed_value(b, &t->right);
	if (b->n_known < THRESHOLDS_MAX) {
		b->known[b->n_known].test = t;
		b->known[b->n_known++].v = v;
	}
	return v;
}

/* `N x limit of account`, `N x habit`: the sum over the accounts, or -1. */
static int64_t
each_sat(const struct budgets *b, const struct quantity *q)
{
	int64_t	 times, sum;

	q = cases_resolve(b->p, q, &times);
	if (q->kind != Q_FACT)
		return -1;
	if (q->fact == FACT_LIMIT)
		sum = b->s->limits_sat;
	else if (q->fact == FACT_HABIT || q->fact == FACT_HABIT_UNPROVEN)
		sum = b->habits_sat[q->fact == FACT_HABIT_UNPROVEN];
	else
		return -1;
	return sum < 0 ? -1 : muldiv(sum, times, 1);
}

/*
 * What a comparison that is not true leaves within the horizon, -1 when
 * nothing is known.  `most` is what one account may in `most_window_ms`, -1
 * when unknown.
 */
static int64_t
left_sat(struct budgets *b, const struct cond *t, int64_t most,
    int64_t most_window_ms)
{
	int64_t			 times, v, n, least, one;
	const struct quantity	*q = cases_resolve(b->p, &t->left, &times);
	const struct agg	*a = &q->agg;

	if (q->kind != Q_AGG || times < 1 || !cases_in_class(b->c, a) ||
	    a->stage == STAGE_BLOCKED || a->stage == STAGE_CONFIRMED ||
	    (a->scope != SCOPE_PLATFORM && a->scope != SCOPE_ACCOUNT))
		return -1;
	n = windows(span_ms(b, a->stage), a->window_ms);
	if (a->what == AGG_SUM && a->scope == SCOPE_ACCOUNT && !t->is_line &&
	    (v = each_sat(b, &t->right)) >= 0)
		return muldiv(v / times, n, 1);
	if ((v = threshold(b, t, a)) < 0)
		return -1;
	v = muldiv(v / times, n, 1);
	if (a->scope == SCOPE_ACCOUNT)
		v = muldiv(v, b->s->accounts, 1);
	cases_amount(b->c, &least, &one);
	switch (a->what) {
	case AGG_SUM:
		return v;
	case AGG_COUNT:
		return one == INT64_MAX ? -1 : muldiv(v, one, 1);
	case AGG_DISTINCT:
		if (a->thing != THING_ACCOUNTS || most < 0 ||
		    a->scope != SCOPE_PLATFORM)
			return -1;
		return muldiv(v, muldiv(most, windows(a->window_ms,
		    most_window_ms), 1), 1);
	}
	return -1;
}

static bool
same_source(const struct source *a, const struct source *b)
{
	return a->kind == b->kind && a->index == b->index &&
	    a->test == b->test && a->var == b->var && a->cut == b->cut;
}

/* That budget holds this case too, at this price.  *fresh: it is new, and
 * still to be described; else NULL. */
static void
note(struct budgets *b, struct cover_set *set, const struct source *s,
    int64_t sat, struct exposure_part **fresh)
{
	struct entry	*x;
	int		 i;

	*fresh = NULL;
	for (i = 0; i < b->n && !same_source(&b->all[i].source, s); i++)
		continue;
	if (i == COVER_THINGS)
		return;
	x = &b->all[i];
	if (i == b->n) {
		b->n++;
		memset(x, 0, sizeof(*x));
		x->source = *s;
		x->budget.sat = -1;
		*fresh = &x->budget.part;
	}
	if (sat > x->budget.sat)
		x->budget.sat = x->budget.part.sat = sat;
	cover_put(set, i);
}

static void
describe(char *buf, size_t len, const struct agg *a, const struct policy *p)
{
	static const char *const scope[] = { "by account", "by key",
		"by network", "by network", "by partner", "by group",
		"by group", "to destination", "on platform" };
	static const char *const what[] = { "sum", "count",
		"distinct accounts" };
	char	 window[CIVIL_TEXT_MAX];

	(void)snprintf(buf, len, "%s %s %s in %s%s%s%s", what[a->what],
	    stage_text(a->stage), scope[a->scope],
	    duration_format(window, a->window_ms), a->cls >= 0 ? " of " : "",
	    a->cls >= 0 && a->cls_not ? "not " : "",
	    a->cls >= 0 ? p->classes[a->cls].name : "");
}

/* A rule's or a class's name, its place, and the sum that bounds. */
static void
name_part(const struct budgets *b, struct exposure_part *part,
    const struct source *s)
{
	char		 name[sizeof(part->rule)];
	struct pos	 pos = { 0 };
	int64_t		 times;

	if (part == NULL)
		return;
	if (s->kind == SOURCE_CLASS) {
		(void)snprintf(part->rule, sizeof(part->rule), "a class");
		pos = s->test->pos;
	} else {
		(void)snprintf(part->rule, sizeof(part->rule), "%s",
		    policy_rule_name(b->p, s->index, name, sizeof(name)));
		pos = b->p->rules[s->index].pos;
	}
	(void)policy_where(b->p, pos, part->where, sizeof(part->where));
	if (s->test != NULL)
		describe(part->what, sizeof(part->what), &cases_resolve(b->p,
		    &s->test->left, &times)->agg, b->p);
	else
		(void)snprintf(part->what, sizeof(part->what),
		    "what is exempted from it");
}

static bool
is_distinct(const struct budgets *b, const struct cond *t)
{
	int64_t			 times;
	const struct quantity	*q = cases_resolve(b->p, &t->left, &times);

	return q->kind == Q_AGG && q->agg.what == AGG_DISTINCT;
}

/* By a comparison that is not true: of a rule, or of a class. */
static void
note_left(struct budgets *b, struct cover_set *set, struct source s,
    int64_t exempt_sat)
{
	struct exposure_part	*fresh;
	const struct agg	*a;
	int64_t			 sat, most;

	if (!is_distinct(b, s.test)) {
		if ((sat = left_sat(b, s.test, -1, 1)) < 0)
			return;
		note(b, set, &s, amount_add_saturate(sat, exempt_sat),
		    &fresh);
		name_part(b, fresh, &s);
		return;
	}
	if (s.kind == SOURCE_RULE)
		s.kind = SOURCE_DISTINCT;
	for (s.var = 0; s.var < cases_vars(b->c); s.var++) {
		s.cut = -1;
		while (cases_account_most(b->c, s.var, &a, &most, &s.cut)) {
			sat = left_sat(b, s.test, most, a->window_ms);
			if (sat < 0)
				continue;
			note(b, set, &s, amount_add_saturate(sat,
			    exempt_sat), &fresh);
			name_part(b, fresh, &s);
		}
	}
}

/* The same at the release as at asking, and unlike the present. */
static bool
lasts(const struct policy *p, const struct cond *t)
{
	const struct quantity	*l, *r;
	int64_t			 times;

	if (t->kind == COND_CLASS)
		return true;
	if ((t->kind != COND_FLAG && t->kind != COND_COMPARE) || t->is_line)
		return false;
	l = cases_resolve(p, &t->left, &times);
	if (l->kind != Q_FACT || !word_of(l->fact)->frozen)
		return false;
	if (t->kind == COND_FLAG)
		return true;
	r = cases_resolve(p, &t->right, &times);
	return r->kind == Q_CONST;
}

/* A sum of what was released sees nothing that waits: it bounds when it is
 * asked for again at the release, and then everything else must hold. */
static bool
speaks_at_release(const struct budgets *b, const struct alternative *alt,
    const struct cond *left)
{
	int64_t			 times;
	const struct quantity	*q = cases_resolve(b->p, &left->left, &times);
	int			 i;

	if (q->kind != Q_AGG || q->agg.stage != STAGE_RELEASED ||
	    b->wait_ms == 0)
		return true;
	if (q->agg.scope != SCOPE_PLATFORM)
		return false;
	for (i = 0; i < alt->n; i++)
		if (alt->test[i] != left && !lasts(b->p, alt->test[i]))
			return false;
	return true;
}

static void
note_rule(struct budgets *b, struct cover_set *set, int rule,
    const struct alternative *alt)
{
	struct exposure_part	*fresh;
	struct source		 s = { .kind = SOURCE_RULE, .index = rule };
	int64_t			 exempt_sat;

	if (!cases_one_left(b->c, alt, &s.test))
		return;
	exempt_sat = cases_exempt_sat(b->p, rule, b->horizon_ms);
	if (s.test == NULL) {
		s.kind = SOURCE_EXEMPT;
		note(b, set, &s, exempt_sat, &fresh);
		name_part(b, fresh, &s);
	} else if (speaks_at_release(b, alt, s.test))
		note_left(b, set, s, exempt_sat);
}

/* What they say of one account: times the accounts. */
static void
note_account(struct budgets *b, struct cover_set *set, int var)
{
	struct exposure_part	*fresh;
	struct source		 s = { .kind = SOURCE_ACCOUNT, .index = var,
		.cut = -1 };
	const struct agg	*a;
	int64_t			 sat;
	char			 text[AMOUNT_TEXT_MAX];

	while (cases_account_most(b->c, var, &a, &sat, &s.cut)) {
		note(b, set, &s, muldiv(muldiv(sat, b->s->accounts, 1),
		    windows(span_ms(b, a->stage), a->window_ms), 1), &fresh);
		if (fresh == NULL)
			continue;
		(void)snprintf(fresh->rule, sizeof(fresh->rule),
		    "%s an account", amount_format_short(text, sat));
		(void)snprintf(fresh->where, sizeof(fresh->where),
		    "%" PRId64 " accounts", b->s->accounts);
		describe(fresh->what, sizeof(fresh->what), a, b->p);
	}
}

/* What the classes say by themselves. */
static void
note_classes(struct budgets *b, struct cover_set *set)
{
	struct source		 s;
	int64_t			 times;
	int			 i;

	for (i = 0; i < cases_vars(b->c); i++) {
		s = (struct source){ .kind = SOURCE_CLASS, .index = i,
			.test = cases_not_above(b->c, i) };
		if (s.test != NULL && cases_resolve(b->p, &s.test->left,
		    &times)->agg.stage != STAGE_RELEASED)
			note_left(b, set, s, 0);
		note_account(b, set, i);
	}
}

static void
note_ceilings(struct budgets *b, struct cover_set *set)
{
	const struct ceiling	*x;
	struct exposure_part	*fresh;
	struct source		 s = { .kind = SOURCE_CEILING };
	struct agg		 a = { .what = AGG_SUM, .cls = -1,
		.stage = STAGE_RELEASED, .scope = SCOPE_PLATFORM };
	int64_t			 v;

	for (s.index = 0; s.index < b->p->n_ceilings; s.index++) {
		x = &b->p->ceilings[s.index];
		if ((v = fixed_value(b, &x->limit)) < 0)
			continue;
		note(b, set, &s, muldiv(v, windows(b->horizon_ms,
		    x->window_ms), 1), &fresh);
		if (fresh == NULL)
			continue;
		a.window_ms = x->window_ms;
		(void)snprintf(fresh->rule, sizeof(fresh->rule), "ceiling");
		(void)policy_where(b->p, x->pos, fresh->where,
		    sizeof(fresh->where));
		describe(fresh->what, sizeof(fresh->what), &a, b->p);
	}
}

bool
budgets_of_case(struct budgets *b, struct cover_set *out)
{
	int	 i, j;

	memset(out, 0, sizeof(*out));
	for (i = 0; i < b->n_severe; i++)
		for (j = 0; j < b->severe[i].alts->n; j++)
			note_rule(b, out, b->severe[i].rule,
			    &b->severe[i].alts->alt[j]);
	note_classes(b, out);
	note_ceilings(b, out);
	for (i = 0; i < COVER_WORDS; i++)
		if (out->w[i] != 0)
			return true;
	return false;
}

int
budgets_count(const struct budgets *b)
{
	return b->n;
}

const struct budget *
budgets_at(const struct budgets *b, int i)
{
	return &b->all[i].budget;
}

enum rc
budgets_new(struct budgets **out, const struct policy *p,
    const struct exposure_state *s, struct cases *c, int64_t horizon_ms,
    struct err *e)
{
	struct budgets		*b;
	struct alternatives	*alts;
	int			 i;

	if ((b = calloc(1, sizeof(*b))) == NULL)
		return err_set(e, "out of memory");
	b->p = p;
	b->s = s;
	b->c = c;
	b->horizon_ms = horizon_ms;
	b->wait_ms = budgets_wait_ms(p);
	for (i = 0; i < 2; i++)
		b->habits_sat[i] = s->habits == NULL ? -1 :
		    s->habits(s->ctx, i == 1, horizon_ms + b->wait_ms);
	for (i = 0; i < p->n_rules; i++) {
		if (!cases_rule_stops(&p->rules[i]))
			continue;
		if ((alts = malloc(sizeof(*alts))) == NULL) {
			budgets_free(&b);
			return err_set(e, "out of memory");
		}
		/* What does not fit bounds nothing. */
		if (!alternatives_of(p->rules[i].cond, alts)) {
			free(alts);
			continue;
		}
		b->severe[b->n_severe++] = (struct severe){ i, alts };
	}
	*out = b;
	return RC_OK;
}

void
budgets_free(struct budgets **b)
{
	int	 i;

	for (i = 0; *b != NULL && i < (*b)->n_severe; i++)
		free((*b)->severe[i].alts);
	free(*b);
	*b = NULL;
}
