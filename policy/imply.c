/*
 * The tableau behind imply.h.
 *
 * A comparison is brought into the form X rel r * Y with X and Y taken from
 * a list of bases (one, hot, fund, facts, sums, lines) and r a fraction; a
 * case keeps one interval for each pair (X, Y) that was compared.  Flags,
 * tables and lines are bases with values 0 and 1.
 */
#include "policy/imply.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/amount.h"
#include "policy/interval.h"

#define BASES_MAX	256
#define RANGES_MAX	96
#define PENDING_MAX	256
#define DEPTH_MAX	96		/* branches inside one another */
#define CASES_MAX	20000		/* branches in one question */

/* What all questions of this thread together may still take. */
static _Thread_local int64_t allowance = INT64_MAX;

enum base_kind { BASE_ONE, BASE_HOT, BASE_FUND, BASE_FACT, BASE_DECLARED,
	BASE_AGG, BASE_TABLE, BASE_FRAUD, BASE_LINE };

struct base {
	enum base_kind	 kind;
	int		 index;		/* fact, declared, table * 4 + what */
	int64_t		 window_ms;	/* fraud */
	struct agg	 agg;		/* sums and lines */
	struct line	 line;
	bool		 strict;	/* lines: > and not >= */
};

struct item {
	const struct cond *cond;
	bool		 negate;
	const struct cond *flip;
};

struct tableau {
	const struct policy *p;
	struct base	 bases[BASES_MAX];
	int		 n_bases;
	bool		 (*each)(void *ctx, const struct imply_case *c);
	void		*ctx;
	int		 budget;
	bool		 gave_up;
	bool		 stopped;
};

struct imply_case {
	struct tableau	*t;
	struct range	 ranges[RANGES_MAX];
	int		 n_ranges;
	struct item	 pending[PENDING_MAX];
	int		 n_pending;
	uint64_t	 yes;
	uint64_t	 no;
};

/* --- bases ------------------------------------------------------------- */

static bool
agg_same_kind(const struct agg *a, const struct agg *b)
{
	return a->what == b->what && a->thing == b->thing &&
	    a->scope == b->scope && a->prefix == b->prefix &&
	    (a->scope != SCOPE_GROUP_TABLE || a->table == b->table);
}

static bool
agg_same(const struct agg *a, const struct agg *b)
{
	return agg_same_kind(a, b) && a->cap == b->cap &&
	    a->stage == b->stage && a->window_ms == b->window_ms &&
	    a->cls == b->cls && (a->cls < 0 || a->cls_not == b->cls_not);
}

static bool
small_same(const struct quantity *a, const struct quantity *b)
{
	return a->kind == b->kind && a->times == b->times &&
	    a->index == b->index && a->value == b->value && a->ppm == b->ppm &&
	    a->of_fund == b->of_fund;
}

static bool
line_same(const struct line *a, const struct line *b)
{
	return a->busy == b->busy && a->by_ppm == b->by_ppm &&
	    a->has_plus == b->has_plus &&
	    (!a->has_plus || small_same(&a->plus, &b->plus)) &&
	    small_same(&a->learnt, &b->learnt);
}

static bool
base_same(const struct base *a, const struct base *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case BASE_ONE:
	case BASE_HOT:
	case BASE_FUND:
		return true;
	case BASE_FACT:
	case BASE_DECLARED:
	case BASE_TABLE:
		return a->index == b->index;
	case BASE_FRAUD:
		return a->window_ms == b->window_ms;
	case BASE_AGG:
		return agg_same(&a->agg, &b->agg);
	case BASE_LINE:
		return a->strict == b->strict && agg_same(&a->agg, &b->agg) &&
		    line_same(&a->line, &b->line);
	}
	return false;
}

/* -1 when there is no room: then nothing is known about it. */
static int
base_of(struct tableau *t, const struct base *want)
{
	int	 i;

	for (i = 0; i < t->n_bases; i++)
		if (base_same(&t->bases[i], want))
			return i;
	if (t->n_bases == BASES_MAX)
		return -1;
	t->bases[t->n_bases] = *want;
	return t->n_bases++;
}

/* A quantity as num/den times a base; false: not to be reasoned about. */
static bool
split(struct tableau *t, const struct quantity *q, int *base_out,
    __int128 *num_out, int64_t *den_out)
{
	struct base	 b = { .kind = BASE_ONE };
	__int128	 num = q->times;

	*den_out = 1;
	while (q->kind == Q_NAME) {
		q = &t->p->lets[q->index].q;
		num *= q->times;
		if (num > INTERVAL_NUM_MAX)
			return false;
	}
	switch (q->kind) {
	case Q_CONST:
		num *= q->value;
		break;
	case Q_SHARE:
		b.kind = q->of_fund ? BASE_FUND : BASE_HOT;
		num *= q->ppm;
		*den_out = 1000000;
		break;
	case Q_FACT:
		b.kind = q->fact == FACT_HOT ? BASE_HOT :
		    q->fact == FACT_FUND ? BASE_FUND : BASE_FACT;
		b.index = b.kind == BASE_FACT ? (int)q->fact : 0;
		break;
	case Q_DECLARED:
		b.kind = BASE_DECLARED;
		b.index = q->index;
		break;
	case Q_AGG:
		b.kind = BASE_AGG;
		b.agg = q->agg;
		break;
	case Q_NAME:
		return false;
	}
	if (num > INTERVAL_NUM_MAX)
		return false;
	*num_out = num;
	*base_out = base_of(t, &b);
	return *base_out >= 0;
}

/* What any value of this base lies between. */
static void
domain(const struct base *b, struct range *r)
{
	int64_t	 hi = -1;

	r->lo = (struct bound){ 0, 1, false };
	if (b->kind == BASE_TABLE || b->kind == BASE_FRAUD ||
	    b->kind == BASE_LINE)
		hi = 1;
	if (b->kind == BASE_FACT) {
		if (word_of((enum fact)b->index)->type == TYPE_FLAG)
			hi = 1;
		if (b->index == FACT_HOUR)
			hi = 23;
		if (b->index == FACT_WEEKDAY) {
			hi = 7;
			r->lo.num = 1;
		}
		/* No withdrawal asks for nothing. */
		if (b->index == FACT_AMOUNT)
			r->lo.num = 1;
	}
	if (hi >= 0)
		r->hi = (struct bound){ hi, 1, false };
}

/* --- intervals --------------------------------------------------------- */

static struct range *
range_of(struct imply_case *c, int x, int y)
{
	struct range	*r;
	int		 i;

	for (i = 0; i < c->n_ranges; i++)
		if (c->ranges[i].x == x && c->ranges[i].y == y)
			return &c->ranges[i];
	if (c->n_ranges == RANGES_MAX)
		return NULL;
	r = &c->ranges[c->n_ranges++];
	memset(r, 0, sizeof(*r));
	r->x = x;
	r->y = y;
	if (c->t->bases[y].kind == BASE_ONE)
		domain(&c->t->bases[x], r);
	return r;
}

/* X rel b * Y goes into the case; false when that empties an interval. */
static bool
constrain(struct imply_case *c, int x, int y, enum relop rel, struct bound b)
{
	bool		 whole = c->t->bases[y].kind == BASE_ONE;
	struct range	*r = range_of(c, x, y);

	if (r == NULL)
		return true;
	b.strict = rel == REL_GT || rel == REL_LT;
	if (rel == REL_GT || rel == REL_GE || rel == REL_EQ) {
		struct bound	 lo = b;

		if (whole)
			interval_whole(&lo, true);
		interval_raise(r, lo);
	}
	if (rel == REL_LT || rel == REL_LE || rel == REL_EQ) {
		struct bound	 hi = b;

		if (whole)
			interval_whole(&hi, false);
		interval_lower(r, hi);
	}
	return !interval_empty(r);
}

/* A base that is 0 or 1. */
static bool
constrain_flag(struct imply_case *c, const struct base *b, bool value)
{
	struct base	 one = { .kind = BASE_ONE }, other = *b;
	int		 x = base_of(c->t, b), y = base_of(c->t, &one), first;
	struct bound	 is = { value, 1, false }, zero = { 0, 1, false };

	if (x < 0 || y < 0)
		return true;
	if (!constrain(c, x, y, REL_EQ, is))
		return false;
	if (!value || b->kind != BASE_FACT)
		return true;
	/* One channel and one form at a time. */
	if (b->index >= FACT_VIA_API && b->index <= FACT_VIA_INTERNAL)
		first = FACT_VIA_API;
	else if (b->index >= FACT_FORM_P2PKH && b->index <= FACT_FORM_P2TR)
		first = FACT_FORM_P2PKH;
	else
		return true;
	for (other.index = first; other.index <= (first == FACT_VIA_API ?
	    (int)FACT_VIA_INTERNAL : (int)FACT_FORM_P2TR); other.index++) {
		if (other.index == b->index)
			continue;
		if ((x = base_of(c->t, &other)) >= 0 &&
		    !constrain(c, x, y, REL_EQ, zero))
			return false;
	}
	return true;
}

/* --- tests ------------------------------------------------------------- */

static bool
add_line(struct imply_case *c, const struct cond *k, bool negate)
{
	struct base	 b = { .kind = BASE_LINE, .line = k->line };
	const struct quantity *q = &k->left;
	bool		 plain = q->times == 1;

	while (q->kind == Q_NAME) {
		q = &c->t->p->lets[q->index].q;
		plain = plain && q->times == 1;
	}
	/* Twice a sum above a line is another question. */
	if (q->kind != Q_AGG || !plain || k->rel == REL_EQ)
		return true;
	b.agg = q->agg;
	b.strict = k->rel == REL_GT || k->rel == REL_LE;
	/* True means above the line. */
	return constrain_flag(c, &b,
	    (k->rel == REL_GT || k->rel == REL_GE) != negate);
}

/* How much of the right side's threshold is certain (S42). */
static int64_t
certain_ppm(const struct cond *k, enum relop rel)
{
	if (k->less_ppm == 0 || rel == REL_LT || rel == REL_LE)
		return 1000000;
	return 1000000 - k->less_ppm;
}

/* Of two bases the one of lower rank stands on the right: constants, then
 * the wallet and the fund. */
static int
rank(const struct tableau *t, int base)
{
	return t->bases[base].kind <= BASE_FUND ? (int)t->bases[base].kind :
	    (int)BASE_FUND + 1 + base;
}

static bool
add_compare(struct imply_case *c, const struct cond *k, bool negate)
{
	enum relop	 rel = negate ? relop_opposite(k->rel) : k->rel;
	struct bound	 b = { 0 };
	__int128	 xn, yn, swap;
	int64_t		 xd, yd, ppm;
	int		 x, y;

	if (k->is_line)
		return add_line(c, k, negate);
	if ((negate && k->rel == REL_EQ) ||
	    !split(c->t, &k->left, &x, &xn, &xd) ||
	    !split(c->t, &k->right, &y, &yn, &yd))
		return true;
	ppm = certain_ppm(k, rel);
	if (k->less_ppm != 0 && rel == REL_EQ)
		return true;
	/* xn/xd X rel yn/yd ppm Y, with constants on the right. */
	xn *= yd;
	yn *= xd;
	if (ppm != 1000000) {
		xn *= 1000000;
		yn *= ppm;
	}
	if (rank(c->t, x) < rank(c->t, y)) {
		int	 s = x;

		x = y;
		y = s;
		swap = xn;
		xn = yn;
		yn = swap;
		rel = relop_mirror(rel);
	}
	if (x == y) {
		if (c->t->bases[x].kind == BASE_ONE || xn == yn)
			return relop_holds(xn < yn ? -1 : xn > yn, rel);
		return true;
	}
	if (xn == 0 || !interval_fraction(yn, xn, &b))
		return true;
	return constrain(c, x, y, rel, b);
}

static bool
push(struct imply_case *c, const struct cond *k, bool negate,
    const struct cond *flip)
{
	if (k == NULL)
		return !negate;
	if (c->n_pending == PENDING_MAX) {
		c->t->gave_up = true;
		return true;
	}
	c->pending[c->n_pending++] = (struct item){ k, negate, flip };
	return true;
}

static bool
add_class(struct imply_case *c, int cls, bool value, const struct cond *flip)
{
	uint64_t	 bit = UINT64_C(1) << cls;

	/* With one of its tests turned it is no longer that class. */
	if (flip != NULL && cls >= CLASS_FIRST)
		return push(c, c->t->p->classes[cls].cond, !value, flip);
	if (((value ? c->no : c->yes) & bit) != 0)
		return false;
	if (((value ? c->yes : c->no) & bit) != 0)
		return true;
	if (value)
		c->yes |= bit;
	else
		c->no |= bit;
	if (cls < CLASS_FIRST || c->t->p->classes[cls].cond == NULL)
		return true;
	return push(c, c->t->p->classes[cls].cond, !value, flip);
}

/* A test goes into the case; false when the case is impossible. */
static bool
add_test(struct imply_case *c, const struct item *it)
{
	const struct cond *k = it->cond;
	const struct quantity *q = &k->left;
	struct base	 b = { .kind = BASE_FACT };
	bool		 value = !it->negate;

	switch (k->kind) {
	case COND_COMPARE:
		return add_compare(c, k, it->negate);
	case COND_FLAG:
		while (q->kind == Q_NAME)
			q = &c->t->p->lets[q->index].q;
		if (q->kind == Q_FACT && q->fact == FACT_PROVEN)
			return add_class(c, CLASS_PROVEN, value, it->flip);
		if (q->kind == Q_DECLARED) {
			b.kind = BASE_DECLARED;
			b.index = q->index;
		} else
			b.index = (int)q->fact;
		return constrain_flag(c, &b, value);
	case COND_IN:
		b.kind = BASE_TABLE;
		b.index = k->index * 4 + (int)k->subject;
		/* Nothing is in an empty table. */
		if (value && c->t->p->tables[k->index].n_rows == 0)
			return false;
		return constrain_flag(c, &b, value);
	case COND_CLASS:
		return add_class(c, k->index, value, it->flip);
	case COND_FRAUD:
		b.kind = BASE_FRAUD;
		b.window_ms = k->window_ms;
		return constrain_flag(c, &b, value);
	case COND_OR:
	case COND_AND:
	case COND_NOT:
		break;
	}
	return true;
}

/* --- what is known without being written ------------------------------- */

static bool
counts_this(const struct imply_case *c, const struct agg *a)
{
	uint64_t	 bit;

	if (a->stage == STAGE_BLOCKED || a->stage == STAGE_CONFIRMED)
		return false;
	if (a->cls < 0)
		return true;
	bit = UINT64_C(1) << a->cls;
	return ((a->cls_not ? c->no : c->yes) & bit) != 0;
}

/* Does b certainly count all that a counts? */
static bool
counts_more(const struct agg *b, const struct agg *a)
{
	return agg_same_kind(a, b) && b->window_ms >= a->window_ms &&
	    (a->stage == b->stage || (a->stage == STAGE_RELEASED &&
	    b->stage == STAGE_COMMITTED)) &&
	    (b->cls < 0 || (b->cls == a->cls && b->cls_not == a->cls_not));
}

/* Does the lower bound of one exceed the upper of the other? */
static bool
crosses(const struct range *small, const struct range *large)
{
	int	 cmp;

	if (small->lo.den == 0 || large->hi.den == 0 || small->y != large->y)
		return false;
	cmp = interval_cmp(small->lo.num, small->lo.den, large->hi.num,
	    large->hi.den);
	return cmp > 0 || (cmp == 0 && (small->lo.strict || large->hi.strict));
}

static bool
consistent(const struct imply_case *c)
{
	const struct base *bi, *bk;
	int	 i, k;

	for (i = 0; i < c->n_ranges; i++) {
		bi = &c->t->bases[c->ranges[i].x];
		for (k = 0; k < c->n_ranges; k++) {
			bk = &c->t->bases[c->ranges[k].x];
			if (i == k || bk->kind != BASE_AGG ||
			    !crosses(&c->ranges[i], &c->ranges[k]))
				continue;
			if (bi->kind == BASE_FACT && bi->index == FACT_AMOUNT &&
			    bk->agg.what == AGG_SUM &&
			    counts_this(c, &bk->agg))
				return false;
			if (bi->kind == BASE_AGG &&
			    counts_more(&bk->agg, &bi->agg))
				return false;
		}
	}
	return true;
}

/* --- the search -------------------------------------------------------- */

/* Is it a branch, seen with its sign? */
static bool
branches(const struct item *it)
{
	return (it->cond->kind == COND_OR && !it->negate) ||
	    (it->cond->kind == COND_AND && it->negate) ||
	    (it->cond->kind == COND_COMPARE && it->cond->rel == REL_EQ &&
	    it->negate);
}

/* Take what does not branch first, so that cases die early. */
static struct item
pop(struct imply_case *c)
{
	struct item	 it;
	int		 i = c->n_pending - 1;

	while (i > 0 && branches(&c->pending[i]))
		i--;
	it = c->pending[i];
	c->pending[i] = c->pending[--c->n_pending];
	if (it.flip == it.cond) {
		it.negate = !it.negate;
		it.flip = NULL;
	}
	return it;
}

static void search(struct imply_case *, int);

/* A case with as much of its arrays as is in use: they are large. */
static struct imply_case *
copy_of(const struct imply_case *c)
{
	struct imply_case *copy = malloc(sizeof(*copy));

	if (copy == NULL)
		return NULL;
	copy->t = c->t;
	copy->n_ranges = c->n_ranges;
	copy->n_pending = c->n_pending;
	copy->yes = c->yes;
	copy->no = c->no;
	memcpy(copy->ranges, c->ranges,
	    (size_t)c->n_ranges * sizeof(c->ranges[0]));
	memcpy(copy->pending, c->pending,
	    (size_t)c->n_pending * sizeof(c->pending[0]));
	return copy;
}

static bool
afford(struct tableau *t)
{
	if (t->budget == 0 || allowance == 0)
		return false;
	t->budget--;
	allowance -= allowance != INT64_MAX;
	return true;
}

static void
search_kid(const struct imply_case *c, const struct cond *kid, bool negate,
    const struct cond *flip, int depth)
{
	struct imply_case *copy;

	if (c->t->stopped || c->t->gave_up)
		return;
	if (depth == DEPTH_MAX || !afford(c->t) ||
	    (copy = copy_of(c)) == NULL) {
		c->t->gave_up = true;
		return;
	}
	if (push(copy, kid, negate, flip))
		search(copy, depth + 1);
	free(copy);
}

/* Not equal is below or above. */
static void
search_unequal(const struct imply_case *c, const struct cond *k, int depth)
{
	struct cond	 side = *k;

	side.rel = REL_LT;
	search_kid(c, &side, false, NULL, depth);
	side.rel = REL_GT;
	search_kid(c, &side, false, NULL, depth);
}

static void
search(struct imply_case *c, int depth)
{
	struct item	 it;
	int		 i;

	while (c->n_pending > 0) {
		it = pop(c);
		if (branches(&it)) {
			if (it.cond->kind == COND_COMPARE)
				search_unequal(c, it.cond, depth);
			for (i = 0; i < it.cond->n_kids; i++)
				search_kid(c, it.cond->kids[i], it.negate,
				    it.flip, depth);
			return;
		}
		if (it.cond->kind == COND_NOT) {
			if (!push(c, it.cond->kids[0], !it.negate, it.flip))
				return;
		} else if (it.cond->kind == COND_AND ||
		    it.cond->kind == COND_OR) {
			for (i = 0; i < it.cond->n_kids; i++)
				if (!push(c, it.cond->kids[i], it.negate,
				    it.flip))
					return;
		} else if (!add_test(c, &it))
			return;
	}
	if (consistent(c) && !c->t->each(c->t->ctx, c))
		c->t->stopped = true;
}

void
imply_allow(int64_t cases)
{
	assert(cases > 0);
	allowance = cases;
}

bool
imply_spent(void)
{
	return allowance == 0;
}

bool
imply_cases(const struct policy *p, const struct imply_term *terms,
    int n_terms, bool (*each)(void *ctx, const struct imply_case *c),
    void *ctx)
{
	struct tableau	*t = calloc(1, sizeof(*t));
	struct imply_case *c = calloc(1, sizeof(*c));
	bool		 good = true;
	int		 i;

	assert(t != NULL && c != NULL);
	t->p = p;
	t->each = each;
	t->ctx = ctx;
	t->budget = CASES_MAX;
	c->t = t;
	for (i = 0; i < n_terms; i++)
		good = good && push(c, terms[i].cond, terms[i].negate,
		    terms[i].flip);
	if (good)
		search(c, 0);
	good = !t->gave_up;
	free(c);
	free(t);
	return good;
}

static bool
see_one(void *ctx, const struct imply_case *c)
{
	(void)c;
	*(bool *)ctx = true;
	return false;
}

bool
imply_possible(const struct policy *p, const struct imply_term *terms,
    int n_terms)
{
	bool	 seen = false;

	if (!imply_cases(p, terms, n_terms, see_one, &seen))
		return true;
	return seen;
}

bool
imply_implies(const struct policy *p, const struct cond *a,
    const struct cond *b)
{
	struct imply_term terms[2] = { { a, false, NULL }, { b, true, NULL } };

	return !imply_possible(p, terms, 2);
}

bool
imply_class(const struct policy *p, const struct cond *a, int cls, bool value)
{
	struct cond	 k = { .kind = COND_CLASS, .index = cls };
	struct imply_term terms[2] = { { a, false, NULL },
		{ &k, value, NULL } };

	return !imply_possible(p, terms, 2);
}

void
imply_case_classes(const struct imply_case *c, uint64_t *yes_out,
    uint64_t *no_out)
{
	*yes_out = c->yes;
	*no_out = c->no;
}

/* The interval of a quantity against a base, NULL when there is none. */
static const struct range *
case_range(const struct imply_case *c, const struct quantity *q,
    enum base_kind against)
{
	struct base	 other = { .kind = against };
	__int128	 num;
	int64_t		 den;
	int		 x, y, i;

	if (!split(c->t, q, &x, &num, &den) || den != 1 || num != 1 ||
	    (y = base_of(c->t, &other)) < 0)
		return NULL;
	for (i = 0; i < c->n_ranges; i++)
		if (c->ranges[i].x == x && c->ranges[i].y == y)
			return &c->ranges[i];
	return NULL;
}

void
imply_case_range(const struct imply_case *c, const struct quantity *q,
    int64_t *lo_out, int64_t *hi_out)
{
	const struct range *r = case_range(c, q, BASE_ONE);

	*lo_out = 0;
	*hi_out = INT64_MAX;
	if (r != NULL && r->lo.den != 0)
		*lo_out = r->lo.num;
	if (r != NULL && r->hi.den != 0)
		*hi_out = r->hi.num;
}

/* A lower bound on what one account asks for, in this range? */
static bool
is_spend(const struct base *x)
{
	if (x->kind == BASE_FACT)
		return x->index == FACT_AMOUNT;
	return x->kind == BASE_AGG && x->agg.what == AGG_SUM &&
	    x->agg.scope == SCOPE_ACCOUNT;
}

void
imply_case_spend(const struct imply_case *c, int64_t *sat_out,
    int64_t *hot_ppm_out)
{
	const struct range *r;
	int64_t	 ppm;
	int	 i;

	*sat_out = 1;
	*hot_ppm_out = 0;
	for (i = 0; i < c->n_ranges; i++) {
		r = &c->ranges[i];
		if (r->lo.den == 0 || !is_spend(&c->t->bases[r->x]))
			continue;
		if (c->t->bases[r->y].kind == BASE_ONE) {
			if (r->lo.num > *sat_out)
				*sat_out = r->lo.num;
		} else if (c->t->bases[r->y].kind == BASE_HOT) {
			ppm = muldiv(r->lo.num, 1000000, r->lo.den);
			if (ppm > *hot_ppm_out)
				*hot_ppm_out = ppm;
		}
	}
}
