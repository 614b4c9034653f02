#include "sim/cases.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/amount.h"
#include "lib/civil.h"

#define VARS_MAX	24
#define CUTS_MAX	16
#define LEAVES_MAX	2048
#define CASES_MAX	1048576
#define NESTING_MAX	64

enum truth { NO, YES, MAYBE };

enum var_kind {
	VAR_PLAIN,	/* yes or no: a flag, or no constant to the right */
	VAR_CUT,	/* value v: cut[v - 1] <= quantity < cut[v] */
	VAR_SHARED,	/* yes or no: one class's test of what others do */
};

struct var {
	enum var_kind		 kind;
	const struct cond	*test;		/* where it was first seen */
	const struct quantity	*q;		/* resolved left, or NULL */
	int64_t			 times;		/* of q on the left */
	int64_t			 cut[CUTS_MAX];
	int			 n_cuts;
};

/* A test somewhere in the policy, and what decides it. */
struct leaf {
	const struct cond	*test;
	enum truth		 known;		/* or MAYBE: ask var */
	int			 var;
	int			 cut;		/* VAR_CUT: yes from there on */
	bool			 flip;		/* yes is no */
};

struct cases {
	const struct policy	*p;
	struct cases_facts	 f;
	struct var		 vars[VARS_MAX];
	int			 n_vars;
	struct leaf		*leaves;	/* by address of the test */
	size_t			 n_leaves;
	size_t			 n;
	int			 value[VARS_MAX];	/* the case selected */
	enum truth		 cls[CLASSES_MAX];
};

const struct quantity *
cases_resolve(const struct policy *p, const struct quantity *q,
    int64_t *times_out)
{
	int64_t	 times = q->times;

	while (q->kind == Q_NAME) {
		q = &p->lets[q->index].q;
		times = muldiv(times, q->times, 1);
	}
	*times_out = times;
	return q;
}

int64_t
cases_exempt_sat(const struct policy *p, int rule, int64_t horizon_ms)
{
	const struct exempt	*x;
	int64_t			 sum = 0;
	int			 i, j;

	for (i = 0; i < p->n_exempts; i++) {
		x = &p->exempts[i];
		for (j = 0; j < x->n_rules && x->rules[j] != rule; j++)
			continue;
		if (j < x->n_rules)
			sum = amount_add_saturate(sum, muldiv(x->upto_sat,
			    (horizon_ms + x->upto_ms - 1) / x->upto_ms, 1));
	}
	return sum;
}

bool
cases_rule_stops(const struct rule *r)
{
	return !r->shadow && r->lot == LOT_NONE &&
	    r->until_day == INT64_MAX && r->verdict >= VERDICT_HOLD;
}

static bool
same_agg(const struct agg *a, const struct agg *b)
{
	return a->what == b->what && a->thing == b->thing &&
	    a->stage == b->stage && a->scope == b->scope &&
	    a->prefix == b->prefix && a->table == b->table &&
	    a->window_ms == b->window_ms && a->cls == b->cls &&
	    a->cls_not == b->cls_not;
}

static bool
same_quantity(const struct cases *c, const struct quantity *a,
    const struct quantity *b)
{
	int64_t	 ta, tb;

	a = cases_resolve(c->p, a, &ta);
	b = cases_resolve(c->p, b, &tb);
	if (a->kind != b->kind || ta != tb)
		return false;
	switch (a->kind) {
	case Q_CONST:
		return a->value == b->value;
	case Q_SHARE:
		return a->ppm == b->ppm && a->of_fund == b->of_fund;
	case Q_FACT:
		return a->fact == b->fact;
	case Q_DECLARED:
	case Q_NAME:
		return a->index == b->index;
	case Q_AGG:
		return same_agg(&a->agg, &b->agg);
	}
	return false;
}

/* A constant or a share as a number; false for anything else. */
static bool
fixed(const struct cases *c, const struct quantity *q, int64_t *out)
{
	int64_t	 times;

	q = cases_resolve(c->p, q, &times);
	if (q->kind == Q_CONST)
		*out = muldiv(q->value, times, 1);
	else if (q->kind == Q_SHARE && (!q->of_fund || c->f.fund_sat >= 0))
		*out = muldiv(muldiv(q->of_fund ? c->f.fund_sat :
		    c->f.hot_sat, q->ppm, 1000000), times, 1);
	else
		return false;
	return true;
}

/* Can a case fix this test?  Not what depends on what others do. */
static bool
own_test(const struct cases *c, const struct cond *t)
{
	const struct quantity	*q;
	int64_t			 times;

	if (t->kind == COND_FLAG || t->kind == COND_IN)
		return true;
	if (t->kind != COND_COMPARE || t->is_line || t->less_ppm != 0)
		return false;
	q = cases_resolve(c->p, &t->left, &times);
	if (q->kind == Q_AGG && q->agg.scope != SCOPE_ACCOUNT)
		return false;
	q = cases_resolve(c->p, &t->right, &times);
	return q->kind != Q_AGG;
}

static enum truth
truth_of(bool b)
{
	return b ? YES : NO;
}

static enum truth
truth_not(enum truth t)
{
	return t == MAYBE ? MAYBE : t == YES ? NO : YES;
}

/* Is yes "the left is larger"? */
static bool
above_rel(enum relop rel)
{
	return rel == REL_GT || rel == REL_GE;
}

/* Where a comparison cuts its quantity: values below, values from here. */
static int64_t
cut_of(enum relop rel, int64_t right)
{
	return rel == REL_GT || rel == REL_LE ?
	    amount_add_saturate(right, 1) : right;
}

/* Nothing was paid long enough ago: credit is 0, and amounts are not. */
static enum truth
without_credit(const struct cases *c, const struct cond *t)
{
	const struct quantity	*l, *r;
	int64_t			 times;

	l = cases_resolve(c->p, &t->left, &times);
	r = cases_resolve(c->p, &t->right, &times);
	if (l->kind != Q_FACT || r->kind != Q_FACT)
		return MAYBE;
	if (l->fact == FACT_CREDIT && r->fact == FACT_AMOUNT)
		return truth_of(t->rel == REL_LT || t->rel == REL_LE);
	if (l->fact == FACT_AMOUNT && r->fact == FACT_CREDIT)
		return truth_of(above_rel(t->rel));
	return MAYBE;
}

/* What is the same for every withdrawal that a thief can ask for. */
static enum truth
known_truth(const struct cases *c, const struct cond *t)
{
	const struct quantity	*q;
	int64_t			 right, times, at;

	if (t->kind != COND_COMPARE || t->is_line || t->less_ppm != 0)
		return MAYBE;
	if (c->f.no_credit && without_credit(c, t) != MAYBE)
		return without_credit(c, t);
	q = cases_resolve(c->p, &t->left, &times);
	if (q->kind != Q_FACT || times != 1 || t->rel == REL_EQ ||
	    !fixed(c, &t->right, &right))
		return MAYBE;
	at = cut_of(t->rel, right);
	if (q->fact == FACT_LIMIT && c->f.limits_known && at <= 1)
		return truth_of(above_rel(t->rel));
	if (q->fact == FACT_AGE_PLATFORM && c->f.platform_age_ms >= 0) {
		if (c->f.platform_age_ms >= at)
			return truth_of(above_rel(t->rel));
		if (amount_add_saturate(c->f.platform_age_ms,
		    c->f.span_ms) < at)
			return truth_of(!above_rel(t->rel));
	}
	return MAYBE;
}

/* Two tests of one variable? */
static bool
same_var(const struct cases *c, const struct var *v, const struct cond *t,
    enum var_kind kind)
{
	if (v->kind != kind || v->test->kind != t->kind)
		return false;
	if (kind == VAR_SHARED)
		return v->test == t;
	if (t->kind == COND_IN)
		return v->test->subject == t->subject &&
		    v->test->index == t->index;
	if (!same_quantity(c, &v->test->left, &t->left))
		return false;
	if (t->kind == COND_FLAG || kind == VAR_CUT)
		return true;
	return same_quantity(c, &v->test->right, &t->right) &&
	    (v->test->rel == REL_EQ) == (t->rel == REL_EQ) &&
	    (cut_of(v->test->rel, 0) == cut_of(t->rel, 0));
}

static enum var_kind
kind_of(const struct cases *c, const struct cond *t)
{
	int64_t	 right;

	if (!own_test(c, t))
		return VAR_SHARED;
	return t->kind == COND_COMPARE && t->rel != REL_EQ &&
	    fixed(c, &t->right, &right) ? VAR_CUT : VAR_PLAIN;
}

/* The variable of a test, -1 when there is none. */
static int
find_var(const struct cases *c, const struct cond *t)
{
	int	 i;

	for (i = 0; i < c->n_vars; i++)
		if (same_var(c, &c->vars[i], t, kind_of(c, t)))
			return i;
	return -1;
}

static struct var *
make_var(struct cases *c, const struct cond *t)
{
	struct var	*v;
	int		 i = find_var(c, t);

	if (i >= 0)
		return &c->vars[i];
	if (c->n_vars == VARS_MAX)
		return NULL;
	v = &c->vars[c->n_vars++];
	v->kind = kind_of(c, t);
	v->test = t;
	v->q = t->kind == COND_COMPARE ?
	    cases_resolve(c->p, &t->left, &v->times) : NULL;
	return v;
}

static void
note_test(struct cases *c, const struct cond *t)
{
	struct var	*v;
	int64_t		 right, at;
	int		 i;

	if (known_truth(c, t) != MAYBE || (v = make_var(c, t)) == NULL ||
	    v->kind != VAR_CUT || !fixed(c, &t->right, &right))
		return;
	at = cut_of(t->rel, right);
	for (i = 0; i < v->n_cuts && v->cut[i] < at; i++)
		continue;
	if ((i < v->n_cuts && v->cut[i] == at) || v->n_cuts == CUTS_MAX)
		return;
	memmove(&v->cut[i + 1], &v->cut[i],
	    (size_t)(v->n_cuts - i) * sizeof(v->cut[0]));
	v->cut[i] = at;
	v->n_cuts++;
}

/* Which tests of a condition make variables. */
enum noting {
	NOTE_CLASS,	/* all of them */
	NOTE_ALLOW,	/* not what others do: that is not frozen */
	NOTE_SEVERE,	/* amounts and sums against constants */
};

static bool
worth_noting(const struct cases *c, const struct cond *t, enum noting what)
{
	const struct quantity	*q;
	int64_t			 times, right;

	if (t->kind == COND_CLASS)
		return false;
	if (what == NOTE_CLASS)
		return true;
	if (!own_test(c, t))
		return false;
	if (what == NOTE_ALLOW)
		return true;
	if (t->kind != COND_COMPARE || !fixed(c, &t->right, &right))
		return false;
	q = cases_resolve(c->p, &t->left, &times);
	return q->kind == Q_AGG ||
	    (q->kind == Q_FACT && q->fact == FACT_AMOUNT);
}

/* Bounded by the parser's own bound on parentheses. */
static void
note_cond(struct cases *c, const struct cond *t, enum noting what, int depth)
{
	int	 i;

	if (t == NULL || depth > NESTING_MAX)
		return;
	for (i = 0; i < t->n_kids; i++)
		note_cond(c, t->kids[i], what, depth + 1);
	if (t->n_kids == 0 && worth_noting(c, t, what))
		note_test(c, t);
}

/* How this test is decided, once the variables are complete. */
static struct leaf
leaf_of(const struct cases *c, const struct cond *t)
{
	struct leaf	 l = { .test = t, .known = known_truth(c, t) };
	const struct var *v;
	int64_t		 right, at;

	if (l.known != MAYBE)
		return l;
	if ((l.var = find_var(c, t)) < 0)
		return l;
	v = &c->vars[l.var];
	if (t->kind == COND_COMPARE && v->kind == VAR_CUT) {
		(void)fixed(c, &t->right, &right);
		at = cut_of(t->rel, right);
		while (l.cut < v->n_cuts && v->cut[l.cut] != at)
			l.cut++;
		if (l.cut == v->n_cuts)
			l.var = -1;	/* there were too many */
		l.cut++;
		l.flip = !above_rel(t->rel);
	} else if (t->kind == COND_COMPARE && v->kind == VAR_PLAIN) {
		l.flip = v->test->rel != t->rel;
	}
	return l;
}

static bool
add_leaves(struct cases *c, const struct cond *t, int depth)
{
	int	 i;

	if (t == NULL || depth > NESTING_MAX)
		return true;
	for (i = 0; i < t->n_kids; i++)
		if (!add_leaves(c, t->kids[i], depth + 1))
			return false;
	if (t->n_kids > 0 || t->kind == COND_CLASS)
		return true;
	if (c->n_leaves == LEAVES_MAX)
		return false;
	c->leaves[c->n_leaves++] = leaf_of(c, t);
	return true;
}

static int
by_address(const void *a, const void *b)
{
	const struct leaf	*x = a, *y = b;

	return x->test < y->test ? -1 : x->test > y->test;
}

static enum truth
leaf_truth(const struct cases *c, const struct cond *t)
{
	struct leaf	 key = { .test = t };
	struct leaf	*l = bsearch(&key, c->leaves, c->n_leaves,
	    sizeof(key), by_address);
	bool		 yes;

	if (l == NULL)
		return MAYBE;
	if (l->known != MAYBE || l->var < 0)
		return l->known;
	yes = c->vars[l->var].kind == VAR_CUT ?
	    c->value[l->var] >= l->cut : c->value[l->var] == 1;
	return truth_of(yes != l->flip);
}

static enum truth
cond_truth(const struct cases *c, const struct cond *t, int depth)
{
	enum truth	 all, one;
	int		 i;

	if (t == NULL)
		return YES;
	if (depth > NESTING_MAX)
		return MAYBE;
	switch (t->kind) {
	case COND_NOT:
		return truth_not(cond_truth(c, t->kids[0], depth + 1));
	case COND_AND:
	case COND_OR:
		all = truth_of(t->kind == COND_AND);
		for (i = 0; i < t->n_kids; i++) {
			one = cond_truth(c, t->kids[i], depth + 1);
			if (one == truth_of(t->kind == COND_OR))
				return one;
			if (one == MAYBE)
				all = MAYBE;
		}
		return all;
	case COND_CLASS:
		return c->cls[t->index];
	case COND_COMPARE:
	case COND_FLAG:
	case COND_IN:
	case COND_FRAUD:
		return leaf_truth(c, t);
	}
	return MAYBE;
}

/* `proven` is always the first variable, whether or not it is asked for. */
static const struct cond	 proven_test = { .kind = COND_FLAG,
	.left = { .kind = Q_FACT, .times = 1, .fact = FACT_PROVEN } };

static int
radix(const struct var *v)
{
	return v->kind == VAR_CUT ? v->n_cuts + 1 : 2;
}

static void
find_vars(struct cases *c)
{
	const struct policy	*p = c->p;
	int			 i;

	c->vars[c->n_vars++].test = &proven_test;
	for (i = CLASS_FIRST; i < p->n_classes; i++)
		note_cond(c, p->classes[i].cond, NOTE_CLASS, 0);
	for (i = 0; i < p->n_rules; i++)
		if (p->rules[i].verdict == VERDICT_ALLOW &&
		    !p->rules[i].shadow)
			note_cond(c, p->rules[i].cond, NOTE_ALLOW, 0);
	for (i = 0; i < p->n_rules; i++)
		if (cases_rule_stops(&p->rules[i]))
			note_cond(c, p->rules[i].cond, NOTE_SEVERE, 0);
}

static enum rc
find_leaves(struct cases *c, struct err *e)
{
	const struct policy	*p = c->p;
	bool			 good = true;
	int			 i;

	if ((c->leaves = calloc(LEAVES_MAX, sizeof(*c->leaves))) == NULL)
		return err_set(e, "out of memory");
	for (i = CLASS_FIRST; i < p->n_classes; i++)
		good = good && add_leaves(c, p->classes[i].cond, 0);
	for (i = 0; i < p->n_rules; i++)
		good = good && add_leaves(c, p->rules[i].cond, 0);
	if (!good)
		return err_set(e, "the conditions have more than %d tests",
		    LEAVES_MAX);
	qsort(c->leaves, c->n_leaves, sizeof(*c->leaves), by_address);
	return RC_OK;
}

enum rc
cases_new(struct cases **out, const struct policy *p,
    const struct cases_facts *f, struct err *e)
{
	struct cases	*c;
	enum rc		 rc;
	int		 i;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return err_set(e, "out of memory");
	c->p = p;
	c->f = *f;
	find_vars(c);
	rc = find_leaves(c, e);
	c->n = 1;
	for (i = 0; i < c->n_vars && rc == RC_OK; i++) {
		c->n *= (size_t)radix(&c->vars[i]);
		if (c->n > CASES_MAX)
			rc = err_set(e, "the classes divide withdrawals "
			    "into more than %d cases", CASES_MAX);
	}
	if (rc != RC_OK) {
		cases_free(&c);
		return rc;
	}
	cases_select(c, 0);
	*out = c;
	return RC_OK;
}

void
cases_free(struct cases **c)
{
	if (*c != NULL)
		free((*c)->leaves);
	free(*c);
	*c = NULL;
}

size_t
cases_count(const struct cases *c)
{
	return c->n;
}

void
cases_select(struct cases *c, size_t k)
{
	int	 i;

	assert(k < c->n);
	for (i = 0; i < c->n_vars; i++) {
		c->value[i] = (int)(k % (size_t)radix(&c->vars[i]));
		k /= (size_t)radix(&c->vars[i]);
	}
	c->cls[CLASS_PROVEN] = truth_of(c->value[0] == 1);
	c->cls[CLASS_BUSY] = MAYBE;
	/* A class speaks of earlier ones alone (S14). */
	for (i = CLASS_FIRST; i < c->p->n_classes; i++)
		c->cls[i] = cond_truth(c, c->p->classes[i].cond, 0);
}

bool
cases_proven(const struct cases *c)
{
	return c->value[0] == 1;	/* proven_test is the first */
}

bool
cases_in_class(const struct cases *c, const struct agg *a)
{
	return a->cls < 0 || c->cls[a->cls] == truth_of(!a->cls_not);
}

int
cases_vars(const struct cases *c)
{
	return c->n_vars;
}

bool
cases_account_most(const struct cases *c, int var,
    const struct agg **agg_out, int64_t *sat_out, int *cut)
{
	const struct var	*v = &c->vars[var];
	int			 at = *cut < 0 ? c->value[var] : *cut + 1;

	if (v->kind != VAR_CUT || v->q->kind != Q_AGG ||
	    v->q->agg.what != AGG_SUM || v->q->agg.scope != SCOPE_ACCOUNT ||
	    (v->q->agg.stage != STAGE_ASKED &&
	    v->q->agg.stage != STAGE_COMMITTED) || at >= v->n_cuts ||
	    v->times < 1 || !cases_in_class(c, &v->q->agg))
		return false;
	*agg_out = &v->q->agg;
	*sat_out = (v->cut[at] - 1) / v->times;
	*cut = at;
	return true;
}

const struct cond *
cases_not_above(const struct cases *c, int var)
{
	const struct var	*v = &c->vars[var];

	if (v->kind == VAR_CUT || v->test->kind != COND_COMPARE ||
	    v->test->rel == REL_EQ ||
	    (c->value[var] == 1) == above_rel(v->test->rel))
		return NULL;
	return v->test;
}

void
cases_amount(const struct cases *c, int64_t *least_out, int64_t *most_out)
{
	const struct var	*v;
	int			 i, at;

	*least_out = 0;
	*most_out = INT64_MAX;
	for (i = 0; i < c->n_vars; i++) {
		v = &c->vars[i];
		at = c->value[i];
		if (v->kind != VAR_CUT || v->q->kind != Q_FACT ||
		    v->q->fact != FACT_AMOUNT || v->times != 1)
			continue;
		if (at > 0)
			*least_out = v->cut[at - 1];
		if (at < v->n_cuts)
			*most_out = v->cut[at] - 1;
	}
}

static bool
impossible(const struct cases *c)
{
	const struct agg	*a;
	int64_t			 least, most;
	int			 i, cut;

	cases_amount(c, &least, &most);
	if (cases_proven(c) && (c->f.no_credit || !c->p->trust.given))
		return true;
	for (i = 0; i < c->n_vars; i++) {
		/* Nothing is negative. */
		if (c->vars[i].kind == VAR_CUT &&
		    c->value[i] < c->vars[i].n_cuts &&
		    c->vars[i].cut[c->value[i]] <= 0)
			return true;
		/* A sum includes this withdrawal (S9). */
		cut = -1;
		if (cases_account_most(c, i, &a, &most, &cut) && most < least)
			return true;
	}
	return false;
}

bool
cases_may_leave(const struct cases *c)
{
	const struct rule	*r;
	enum truth		 allowed = truth_of(
	    c->p->dflt == VERDICT_ALLOW), t;
	int			 i;

	if (impossible(c))
		return false;
	for (i = 0; i < c->p->n_rules; i++) {
		r = &c->p->rules[i];
		if (r->shadow)
			continue;
		t = cond_truth(c, r->cond, 0);
		if (r->verdict == VERDICT_ALLOW && t != NO)
			allowed = YES;
		if (cases_rule_stops(r) && t == YES &&
		    cases_exempt_sat(c->p, i, 1) == 0)
			return false;
	}
	return allowed == YES;
}

bool
cases_one_left(const struct cases *c, const struct alternative *alt,
    const struct cond **left_out)
{
	const struct cond	*x;
	enum truth		 t;
	int			 i;

	*left_out = NULL;
	for (i = 0; i < alt->n; i++) {
		x = alt->test[i];
		t = cond_truth(c, x, 0);
		if (alt->negated[i])
			t = truth_not(t);
		if (t == NO)
			return false;
		if (t == YES)
			continue;
		if (*left_out != NULL || x->kind != COND_COMPARE ||
		    x->rel == REL_EQ || above_rel(x->rel) == alt->negated[i])
			return false;
		*left_out = x;
	}
	return true;
}

static void __attribute__((format(printf, 4, 5)))
append(char *buf, size_t len, size_t *at, const char *format, ...)
{
	va_list	 args;
	int	 n;

	if (*at + 1 >= len)
		return;
	va_start(args, format);
	n = vsnprintf(buf + *at, len - *at, format, args);
	va_end(args);
	if (n > 0)
		*at += (size_t)n;
}

static void
describe_var(const struct cases *c, int i, char *buf, size_t len, size_t *at,
    const char *before)
{
	const struct var	*v = &c->vars[i];
	const char		*what = "a sum";
	char			 lo[AMOUNT_TEXT_MAX], hi[AMOUNT_TEXT_MAX];
	bool			 low, high;

	low = c->value[i] > 0 && v->cut[c->value[i] - 1] > 1;
	high = c->value[i] < v->n_cuts;
	if (v->test->left.kind == Q_NAME)
		what = c->p->lets[v->test->left.index].name;
	else if (v->test->left.kind == Q_FACT)
		what = word_of(v->test->left.fact)->text;
	append(buf, len, at, "%s%s%s%s%s%s", before, what,
	    low ? " from " : "",
	    low ? amount_format_short(lo, v->cut[c->value[i] - 1]) : "",
	    high ? " below " : low ? " on" : " whatever it is",
	    high ? amount_format_short(hi, v->cut[c->value[i]]) : "");
}

void
cases_describe(const struct cases *c, char *buf, size_t len)
{
	const char	*before = "";
	size_t		 at = 0;
	int		 i;

	buf[0] = '\0';
	for (i = 0; i < c->p->n_classes; i++) {
		if (c->cls[i] != YES)
			continue;
		append(buf, len, &at, "%s%s", before, c->p->classes[i].name);
		before = " and ";
	}
	if (at == 0)
		append(buf, len, &at, "what is of no class");
	before = " (";
	for (i = 0; i < c->n_vars; i++) {
		if (c->vars[i].kind != VAR_CUT ||
		    c->vars[i].test->left.type != TYPE_AMOUNT)
			continue;
		describe_var(c, i, buf, len, &at, before);
		before = ", ";
	}
	if (strcmp(before, ", ") == 0)
		append(buf, len, &at, ")");
}
