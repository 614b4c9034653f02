#include "sim/cases.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/amount.h"
#include "lib/civil.h"

#define VARS_MAX	24
#define CUTS_MAX	16
#define CASES_MAX	65536
#define NESTING_MAX	64

enum truth { NO, YES, MAYBE };

/*
 * A quantity cut at thresholds, or (right != NULL, or a flag) a plain
 * yes/no.  Value v of a cut quantity: cut[v - 1] <= q < cut[v].
 */
struct var {
	const struct cond	*test;		/* where it was first seen */
	const struct quantity	*q;		/* resolved left, or NULL */
	bool			 cuts_only;
	int64_t			 cut[CUTS_MAX];
	int			 n_cuts;
};

struct cases {
	const struct policy	*p;
	int64_t			 hot_sat, fund_sat;
	bool			 limits_known;
	struct var		 vars[VARS_MAX];
	int			 n_vars;
	size_t			 n;
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

bool
cases_is_limit(const struct policy *p, const struct quantity *q,
    int64_t *times_out)
{
	q = cases_resolve(p, q, times_out);
	return q->kind == Q_FACT && q->fact == FACT_LIMIT;
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
	else if (q->kind == Q_SHARE && (!q->of_fund || c->fund_sat >= 0))
		*out = muldiv(muldiv(q->of_fund ? c->fund_sat : c->hot_sat,
		    q->ppm, 1000000), times, 1);
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
	return q->kind != Q_AGG || q->agg.scope == SCOPE_ACCOUNT;
}

/* Where a comparison cuts its quantity: values below, values from here. */
static int64_t
cut_of(enum relop rel, int64_t right)
{
	return rel == REL_GT || rel == REL_LE ?
	    amount_add_saturate(right, 1) : right;
}

static struct var *
find_var(struct cases *c, const struct cond *t)
{
	struct var	*v;
	int64_t		 times, right;
	bool		 cuts = t->kind == COND_COMPARE && t->rel != REL_EQ &&
	    fixed(c, &t->right, &right);
	int		 i;

	for (i = 0; i < c->n_vars; i++) {
		v = &c->vars[i];
		if (v->test->kind != t->kind || v->cuts_only != cuts)
			continue;
		if (t->kind == COND_IN) {
			if (v->test->subject == t->subject &&
			    v->test->index == t->index)
				return v;
			continue;
		}
		if (!same_quantity(c, &v->test->left, &t->left))
			continue;
		if (t->kind == COND_FLAG || cuts)
			return v;
		if (same_quantity(c, &v->test->right, &t->right) &&
		    (v->test->rel == REL_EQ) == (t->rel == REL_EQ) &&
		    cut_of(v->test->rel, 0) == cut_of(t->rel, 0))
			return v;
	}
	if (c->n_vars == VARS_MAX)
		return NULL;
	v = &c->vars[c->n_vars++];
	memset(v, 0, sizeof(*v));
	v->test = t;
	v->cuts_only = cuts;
	v->q = t->kind == COND_COMPARE ?
	    cases_resolve(c->p, &t->left, &times) : NULL;
	return v;
}

static void
note_test(struct cases *c, const struct cond *t)
{
	struct var	*v;
	int64_t		 right, at;
	int		 i;

	if (!own_test(c, t) || (v = find_var(c, t)) == NULL || !v->cuts_only ||
	    !fixed(c, &t->right, &right))
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

/* Bounded by the parser's own bound on parentheses. */
static void
note_cond(struct cases *c, const struct cond *t, bool amounts_only, int depth)
{
	const struct quantity	*q;
	int64_t			 times, right;
	int			 i;

	if (t == NULL || depth > NESTING_MAX)
		return;
	for (i = 0; i < t->n_kids; i++)
		note_cond(c, t->kids[i], amounts_only, depth + 1);
	if (t->n_kids > 0)
		return;
	if (amounts_only) {
		if (t->kind != COND_COMPARE || !fixed(c, &t->right, &right))
			return;
		q = cases_resolve(c->p, &t->left, &times);
		if (q->kind != Q_AGG &&
		    !(q->kind == Q_FACT && q->fact == FACT_AMOUNT))
			return;
	}
	note_test(c, t);
}

static int
radix(const struct var *v)
{
	return v->cuts_only ? v->n_cuts + 1 : 2;
}

static int
value_of(const struct cases *c, size_t k, int var)
{
	int	 i;

	for (i = 0; i < var; i++)
		k /= (size_t)radix(&c->vars[i]);
	return (int)(k % (size_t)radix(&c->vars[var]));
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

/* A comparison with a constant, when the interval of the case decides it. */
static enum truth
compare_cut(const struct var *v, int value, const struct cond *t,
    int64_t right)
{
	int64_t	 at = cut_of(t->rel, right);
	bool	 above;
	int	 i;

	for (i = 0; i < v->n_cuts && v->cut[i] != at; i++)
		continue;
	if (i == v->n_cuts)
		return MAYBE;
	above = value > i;
	return truth_of(t->rel == REL_GT || t->rel == REL_GE ? above :
	    !above);
}

static enum truth
test_truth(const struct cases *c, size_t k, const struct cond *t)
{
	const struct var	*v;
	int64_t			 right, times;
	int			 i;

	if (t->kind == COND_COMPARE && c->limits_known &&
	    cases_is_limit(c->p, &t->left, &times) &&
	    fixed(c, &t->right, &right) && right == 0)
		return truth_of(t->rel == REL_GT || t->rel == REL_GE);
	if (!own_test(c, t))
		return MAYBE;
	for (i = 0; i < c->n_vars; i++) {
		v = &c->vars[i];
		if (v->test->kind != t->kind)
			continue;
		if (t->kind == COND_IN) {
			if (v->test->subject == t->subject &&
			    v->test->index == t->index)
				return truth_of(value_of(c, k, i) == 1);
			continue;
		}
		if (!same_quantity(c, &v->test->left, &t->left))
			continue;
		if (t->kind == COND_FLAG)
			return truth_of(value_of(c, k, i) == 1);
		if (v->cuts_only && t->rel != REL_EQ &&
		    fixed(c, &t->right, &right))
			return compare_cut(v, value_of(c, k, i), t, right);
		if (!v->cuts_only &&
		    same_quantity(c, &v->test->right, &t->right)) {
			if (v->test->rel == t->rel)
				return truth_of(value_of(c, k, i) == 1);
			if (v->test->rel != REL_EQ && t->rel != REL_EQ &&
			    cut_of(v->test->rel, 0) == cut_of(t->rel, 0))
				return truth_of(value_of(c, k, i) == 0);
		}
	}
	return MAYBE;
}

static enum truth
cond_truth(const struct cases *c, size_t k, const struct cond *t, int depth)
{
	enum truth	 all, one;
	int		 i;

	if (t == NULL)
		return YES;
	if (depth > NESTING_MAX)
		return MAYBE;
	switch (t->kind) {
	case COND_NOT:
		return truth_not(cond_truth(c, k, t->kids[0], depth + 1));
	case COND_AND:
	case COND_OR:
		all = truth_of(t->kind == COND_AND);
		for (i = 0; i < t->n_kids; i++) {
			one = cond_truth(c, k, t->kids[i], depth + 1);
			if (one == truth_of(t->kind == COND_OR))
				return one;
			if (one == MAYBE)
				all = MAYBE;
		}
		return all;
	case COND_CLASS:
		if (c->p->classes[t->index].cond == NULL) {
			for (i = 0; i < c->n_vars; i++)
				if (c->vars[i].test->kind == COND_CLASS &&
				    c->vars[i].test->index == t->index)
					return truth_of(
					    value_of(c, k, i) == 1);
			return MAYBE;
		}
		return cond_truth(c, k, c->p->classes[t->index].cond,
		    depth + 1);
	case COND_COMPARE:
	case COND_FLAG:
	case COND_IN:
		return test_truth(c, k, t);
	case COND_FRAUD:
		return MAYBE;
	}
	return MAYBE;
}

/* `proven` wherever it stands is one yes/no of its own. */
static const struct cond	 proven_test = { .kind = COND_CLASS,
	.index = CLASS_PROVEN };

enum rc
cases_new(struct cases **out, const struct policy *p, int64_t hot_sat,
    int64_t fund_sat, bool limits_known, struct err *e)
{
	struct cases	*c;
	int		 i;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return err_set(e, "out of memory");
	c->p = p;
	c->hot_sat = hot_sat;
	c->fund_sat = fund_sat;
	c->limits_known = limits_known;
	c->vars[c->n_vars++].test = &proven_test;
	for (i = CLASS_FIRST; i < p->n_classes; i++)
		note_cond(c, p->classes[i].cond, false, 0);
	for (i = 0; i < p->n_rules; i++)
		if (p->rules[i].verdict == VERDICT_ALLOW)
			note_cond(c, p->rules[i].cond, false, 0);
	for (i = 0; i < p->n_rules; i++)
		note_cond(c, p->rules[i].cond, true, 0);
	c->n = 1;
	for (i = 0; i < c->n_vars; i++) {
		c->n *= (size_t)radix(&c->vars[i]);
		if (c->n > CASES_MAX) {
			cases_free(&c);
			return err_set(e, "the classes divide withdrawals "
			    "into more than %d cases", CASES_MAX);
		}
	}
	*out = c;
	return RC_OK;
}

void
cases_free(struct cases **c)
{
	free(*c);
	*c = NULL;
}

size_t
cases_count(const struct cases *c)
{
	return c->n;
}

static bool
impossible(const struct cases *c, size_t k)
{
	/* A cut at zero or below cannot be undercut: nothing is negative. */
	int	 i, v;

	for (i = 0; i < c->n_vars; i++) {
		v = value_of(c, k, i);
		if (c->vars[i].cuts_only && v < c->vars[i].n_cuts &&
		    c->vars[i].cut[v] <= 0)
			return true;
	}
	return false;
}

bool
cases_may_leave(const struct cases *c, size_t k)
{
	const struct rule	*r;
	enum truth		 allowed = truth_of(
	    c->p->dflt == VERDICT_ALLOW), t;
	int			 i;

	if (impossible(c, k))
		return false;
	for (i = 0; i < c->p->n_rules; i++) {
		r = &c->p->rules[i];
		if (r->shadow || r->lot != LOT_NONE ||
		    r->until_day != INT64_MAX)
			continue;
		t = cond_truth(c, k, r->cond, 0);
		if (r->verdict == VERDICT_ALLOW && t != NO)
			allowed = YES;
		if ((r->verdict == VERDICT_HOLD || r->verdict == VERDICT_DENY ||
		    r->verdict == VERDICT_HALT) && t == YES &&
		    cases_exempt_sat(c->p, i, 1) == 0)
			return false;
	}
	return allowed == YES;
}

bool
cases_proven(const struct cases *c, size_t k)
{
	return value_of(c, k, 0) == 1;	/* proven_test is the first */
}

bool
cases_in_class(const struct cases *c, size_t k, const struct agg *a)
{
	struct cond	 t = { .kind = COND_CLASS, .index = a->cls };

	if (a->cls < 0)
		return true;
	return cond_truth(c, k, &t, 0) == truth_of(!a->cls_not);
}

int64_t
cases_account_day_sat(const struct cases *c, size_t k)
{
	const struct var	*v;
	int64_t			 best = -1;
	int			 i, value;

	for (i = 0; i < c->n_vars; i++) {
		v = &c->vars[i];
		value = value_of(c, k, i);
		if (!v->cuts_only || v->q->kind != Q_AGG ||
		    v->q->agg.what != AGG_SUM || v->test->left.times != 1 ||
		    v->q->agg.window_ms < MS_PER_DAY ||
		    value == v->n_cuts || !cases_in_class(c, k, &v->q->agg))
			continue;
		if (best < 0 || v->cut[value] - 1 < best)
			best = v->cut[value] - 1;
	}
	return best;
}

static bool
push(struct alternatives *out, const struct alternative *a)
{
	if (out->n == ALTERNATIVES_MAX)
		return false;
	out->alt[out->n++] = *a;
	return true;
}

/* out = every pair of one of `out` and one of `more`, joined. */
static bool
multiply(struct alternatives *out, const struct alternatives *more)
{
	struct alternatives	*was;
	struct alternative	 a;
	int			 i, j, l;
	bool			 good = true;

	if ((was = malloc(sizeof(*was))) == NULL)
		return false;
	*was = *out;
	out->n = 0;
	for (i = 0; i < was->n && good; i++)
		for (j = 0; j < more->n && good; j++) {
			a = was->alt[i];
			good = a.n + more->alt[j].n <= LITERALS_MAX;
			for (l = 0; good && l < more->alt[j].n; l++) {
				a.test[a.n] = more->alt[j].test[l];
				a.negated[a.n++] = more->alt[j].negated[l];
			}
			good = good && push(out, &a);
		}
	free(was);
	return good;
}

static bool
expand(const struct cond *t, bool negate, struct alternatives *out, int depth)
{
	struct alternatives	*one;
	bool			 good = true, conj;
	int			 i, j;

	if (depth > NESTING_MAX)
		return false;
	if (t->kind == COND_NOT)
		return expand(t->kids[0], !negate, out, depth + 1);
	if (t->kind != COND_AND && t->kind != COND_OR) {
		out->n = 1;
		out->alt[0].n = 1;
		out->alt[0].test[0] = t;
		out->alt[0].negated[0] = negate;
		return true;
	}
	if ((one = malloc(sizeof(*one))) == NULL)
		return false;
	conj = (t->kind == COND_AND) != negate;
	out->n = conj ? 1 : 0;
	out->alt[0].n = 0;
	for (i = 0; i < t->n_kids && good; i++) {
		good = expand(t->kids[i], negate, one, depth + 1);
		if (good && conj)
			good = multiply(out, one);
		else
			for (j = 0; good && j < one->n; j++)
				good = push(out, &one->alt[j]);
	}
	free(one);
	return good;
}

bool
cases_alternatives(const struct cond *cond, struct alternatives *out)
{
	if (cond != NULL)
		return expand(cond, false, out, 0);
	out->n = 1;
	out->alt[0].n = 0;
	return true;
}

bool
cases_one_left(const struct cases *c, size_t k, const struct alternative *alt,
    const struct cond **left_out)
{
	enum truth	 t;
	int		 i;

	*left_out = NULL;
	for (i = 0; i < alt->n; i++) {
		t = cond_truth(c, k, alt->test[i], 0);
		if (alt->negated[i])
			t = truth_not(t);
		if (t == NO)
			return false;
		if (t == YES)
			continue;
		if (*left_out != NULL || alt->negated[i] ||
		    alt->test[i]->kind != COND_COMPARE)
			return false;
		*left_out = alt->test[i];
	}
	return true;
}

static void
describe_quantity(const struct cases *c, const struct cond *t, char *buf,
    size_t len)
{
	if (t->left.kind == Q_NAME)
		(void)snprintf(buf, len, "%s", c->p->lets[t->left.index].name);
	else if (t->left.kind == Q_FACT)
		(void)snprintf(buf, len, "%s", word_of(t->left.fact)->text);
	else
		(void)snprintf(buf, len, "a sum");
}

void
cases_describe(const struct cases *c, size_t k, char *buf, size_t len)
{
	const struct var	*v;
	char			 what[64], lo[AMOUNT_TEXT_MAX],
	    hi[AMOUNT_TEXT_MAX];
	size_t			 at = 0;
	int			 i, n, value;

	buf[0] = '\0';
	for (i = 0; i < c->n_vars && at + 1 < len; i++) {
		v = &c->vars[i];
		value = value_of(c, k, i);
		if (v->test->kind == COND_CLASS) {
			n = snprintf(buf + at, len - at, "%sproven",
			    value == 1 ? "" : "not ");
		} else if (v->cuts_only && v->test->left.type == TYPE_AMOUNT) {
			describe_quantity(c, v->test, what, sizeof(what));
			n = snprintf(buf + at, len - at, "%s%s from %s to %s",
			    at > 0 ? ", " : "", what, value > 0 ?
			    amount_format_short(lo, v->cut[value - 1]) : "0",
			    value < v->n_cuts ? amount_format_short(hi,
			    v->cut[value]) : "anything");
		} else
			continue;
		if (n > 0)
			at += (size_t)n;
	}
}
