/*
 * W13: the cheapest set of budgets that covers all that can leave at once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/amount.h"
#include "lib/civil.h"
#include "policy/imply.h"
#include "policy/print.h"
#include "policy/watch.h"

#define CELLS_MAX	256
#define BUDGETS_MAX	12		/* all their subsets are tried */
#define PROVEN		(UINT64_C(1) << CLASS_PROVEN)
#define HOT_ASSUMED_SAT	(INT64_C(10000) * SAT_PER_BTC)

struct cell {
	uint64_t	 yes;
	uint64_t	 no;
	uint32_t	 covered;	/* by which budgets */
};

/* A condition made of class literals, for one cell. */
struct cell_cond {
	struct cond	 all;
	struct cond	 lits[2 * CLASSES_MAX];
	struct cond	*kids[CLASSES_MAX];
	struct cond	*nots[CLASSES_MAX];
};

struct work {
	const struct policy *p;
	uint64_t	 by;		/* classes that make the cells */
	struct cell	 cells[CELLS_MAX];
	int		 n_cells;
	bool		 too_many;
	struct watch	 watches[WATCHES_MAX];
	int		 n_watches;
	int		 budgets[BUDGETS_MAX];
	int		 n_budgets;
	uint32_t	 hard;		/* those that are no lines */
	int64_t		 hot_sat;
};

static bool
add_cell(void *ctx, const struct imply_case *c)
{
	struct work	*w = ctx;
	struct cell	*to;
	uint64_t	 yes, no;
	int		 i;

	imply_case_classes(c, &yes, &no);
	yes &= w->by;
	no &= w->by;
	if ((yes & PROVEN) != 0 && !w->p->trust.given)
		return true;
	for (i = 0; i < w->n_cells; i++)
		if (w->cells[i].yes == yes && w->cells[i].no == no)
			return true;
	if (w->n_cells == CELLS_MAX) {
		w->too_many = true;
		return false;
	}
	to = &w->cells[w->n_cells++];
	*to = (struct cell){ yes, no, 0 };
	return true;
}

static const struct cond *
cell_cond(const struct policy *p, const struct cell *cell,
    struct cell_cond *out)
{
	int	 c, n = 0;

	memset(out, 0, sizeof(*out));
	out->all.kind = COND_AND;
	out->all.kids = out->kids;
	for (c = 0; c < p->n_classes; c++) {
		uint64_t	 bit = UINT64_C(1) << c;

		if (((cell->yes | cell->no) & bit) == 0)
			continue;
		out->lits[n].kind = COND_CLASS;
		out->lits[n].index = c;
		out->kids[n] = &out->lits[n];
		if ((cell->no & bit) != 0) {
			out->nots[n] = &out->lits[n];
			out->lits[CLASSES_MAX + n].kind = COND_NOT;
			out->lits[CLASSES_MAX + n].kids = &out->nots[n];
			out->lits[CLASSES_MAX + n].n_kids = 1;
			out->kids[n] = &out->lits[CLASSES_MAX + n];
		}
		n++;
	}
	out->all.n_kids = n;
	return n == 0 ? NULL : &out->all;
}

/* All ways in which the classes can be true and false together. */
static void
find_cells(struct work *w)
{
	struct imply_term terms[CLASSES_MAX];
	struct cond	*conds = calloc(4 * CLASSES_MAX, sizeof(*conds));
	struct cond	*(*kids)[3] = calloc(CLASSES_MAX, sizeof(*kids));
	int		 c, n = 0;

	if (conds == NULL || kids == NULL)
		abort();
	for (c = 0; c < w->p->n_classes; c++) {
		struct cond	*is = &conds[4 * n];

		if ((w->by >> c & 1) == 0)
			continue;
		/* It is of the class, or it is not. */
		is[0] = (struct cond){ .kind = COND_CLASS, .index = c };
		kids[n][0] = kids[n][2] = &is[0];
		kids[n][1] = &is[1];
		is[1] = (struct cond){ .kind = COND_NOT,
			.kids = &kids[n][2], .n_kids = 1 };
		is[2] = (struct cond){ .kind = COND_OR, .kids = kids[n],
			.n_kids = 2 };
		terms[n] = (struct imply_term){ &is[2], false, NULL };
		n++;
	}
	if (!imply_cases(w->p, terms, n, add_cell, w))
		w->too_many = true;
	free(conds);
	free(kids);
}

static int64_t
worth_sat(const struct work *w, const struct watch *b)
{
	int64_t	 sat = b->limit;

	sat = amount_add_saturate(sat, muldiv(w->hot_sat, b->hot_ppm,
	    1000000));
	sat = amount_add_saturate(sat, muldiv(w->hot_sat, b->fund_ppm,
	    1000000));
	return muldiv(sat, watch_windows_a_day(b->agg.window_ms), 1);
}

static bool
is_budget(const struct policy *p, const struct watch *b)
{
	const struct rule *r = &p->rules[b->rule];

	return b->agg.scope == SCOPE_PLATFORM && b->agg.what == AGG_SUM &&
	    (b->agg.stage == STAGE_ASKED || b->agg.stage == STAGE_COMMITTED ||
	    b->agg.stage == STAGE_RELEASED) && r->verdict >= VERDICT_HOLD &&
	    r->until_day == INT64_MAX &&
	    (b->limit != 0 || b->hot_ppm != 0 || b->fund_ppm != 0);
}

/* Over all that is not proven, and not over a class of the policy? */
static bool
is_global(const struct watch *b)
{
	return b->agg.cls < 0 || (b->agg.cls == CLASS_PROVEN && b->agg.cls_not);
}

/* The widest first, and budgets before lines: there is room for a few. */
static void
pick_budgets(struct work *w)
{
	const struct watch *b;
	int	 pass, i;

	w->n_watches = watch_list(w->p, w->watches, WATCHES_MAX);
	for (pass = 0; pass < 4; pass++)
		for (i = 0; i < w->n_watches; i++) {
			b = &w->watches[i];
			if (w->n_budgets == BUDGETS_MAX ||
			    !is_budget(w->p, b) || is_global(b) !=
			    (pass < 2) || b->line != ((pass & 1) != 0))
				continue;
			if (!b->line)
				w->hard |= UINT32_C(1) << w->n_budgets;
			w->budgets[w->n_budgets++] = i;
		}
}

static void
cover_cells(struct work *w)
{
	struct cell_cond *cond = calloc(1, sizeof(*cond));
	const struct cond *region;
	int		 i, k, n;

	if (cond == NULL)
		abort();
	for (i = 0, n = 0; i < w->n_cells; i++) {
		region = cell_cond(w->p, &w->cells[i], cond);
		if (watch_held(w->p, region))
			continue;
		for (k = 0; k < w->n_budgets; k++)
			if (watch_covers(w->p, &w->watches[w->budgets[k]],
			    region))
				w->cells[i].covered |= UINT32_C(1) << k;
		w->cells[n++] = w->cells[i];
	}
	w->n_cells = n;
	free(cond);
}

/* Cells, fine ones or, where those are too many, coarse ones. */
static void
make_cells(struct work *w)
{
	const struct watch *b;
	int	 i;

	w->by = ~(UINT64_C(1) << CLASS_BUSY);
	find_cells(w);
	if (!w->too_many)
		return;
	w->by = PROVEN;
	for (i = 0; i < w->n_budgets; i++) {
		b = &w->watches[w->budgets[i]];
		if (is_global(b))
			w->by |= watch_classes(w->p->rules[b->rule].cond);
	}
	w->n_cells = 0;
	w->too_many = false;
	find_cells(w);
}

/*
 * Does the set cover what is not proven?  With `only`, of that only what
 * those cover that are in it.
 */
static bool
covers_all(const struct work *w, uint32_t set, uint32_t only)
{
	int	 i;

	for (i = 0; i < w->n_cells; i++)
		if ((w->cells[i].yes & PROVEN) == 0 &&
		    (w->cells[i].covered & set) == 0 &&
		    (only == 0 || (w->cells[i].covered & only) != 0))
			return false;
	return true;
}

/* What the cheapest budget lets out of one cell. */
static int64_t
cell_worth(const struct work *w, const struct cell *cell)
{
	int64_t	 best = INT64_MAX, worth;
	int	 k;

	for (k = 0; k < w->n_budgets; k++) {
		if ((cell->covered >> k & 1) == 0)
			continue;
		worth = worth_sat(w, &w->watches[w->budgets[k]]);
		if (worth < best)
			best = worth;
	}
	return best;
}

/* The classes of a cell in words. */
static void
name_classes(const struct policy *p, uint64_t yes, uint64_t no, char *out,
    size_t out_len)
{
	size_t	 at = 0;
	int	 c;

	out[0] = '\0';
	for (c = 0; c < p->n_classes; c++) {
		uint64_t	 bit = UINT64_C(1) << c;

		if (((yes | no) & bit) == 0 || at + 80 > out_len ||
		    (c == CLASS_PROVEN && !p->trust.given))
			continue;
		at += (size_t)snprintf(out + at, out_len - at, "%s%s%.60s",
		    at > 0 ? " and " : "", (no & bit) != 0 ? "not " : "",
		    p->classes[c].name);
	}
}

static void
name_cell(const struct work *w, struct promise *out)
{
	const struct cell *widest = NULL;
	int	 i;

	for (i = 0; i < w->n_cells; i++)
		if ((w->cells[i].yes & PROVEN) == 0 && (widest == NULL ||
		    cell_worth(w, &w->cells[i]) > cell_worth(w, widest)))
			widest = &w->cells[i];
	if (widest == NULL)
		return;
	name_classes(w->p, widest->yes, widest->no, out->cell,
	    sizeof(out->cell));
	if (out->cell[0] == '\0')
		snprintf(out->cell, sizeof(out->cell), "every withdrawal");
}

/* What all cells that no budget covers have in common. */
static void
name_gap(const struct work *w, struct promise *out)
{
	uint64_t	 yes = ~PROVEN, no = ~PROVEN;
	int		 i;

	for (i = 0; i < w->n_cells; i++) {
		if ((w->cells[i].yes & PROVEN) != 0 ||
		    (w->cells[i].covered & w->hard) != 0)
			continue;
		yes &= w->cells[i].yes;
		no &= w->cells[i].no;
	}
	name_classes(w->p, yes, no, out->gap, sizeof(out->gap));
}

/* The cheapest set of those that are `of`, of cells as in covers_all(). */
static void
choose(const struct work *w, uint32_t of, uint32_t only,
    struct promise_bound *out)
{
	uint32_t	 set, best = 0;
	int64_t		 cost, best_cost = INT64_MAX;
	const struct watch *b;
	int		 k, n;

	out->bounded = !w->too_many && covers_all(w, of, only);
	if (!out->bounded)
		return;
	for (set = 0; set < UINT32_C(1) << w->n_budgets; set++) {
		if ((set & ~of) != 0)
			continue;
		for (k = 0, cost = 0; k < w->n_budgets; k++)
			if ((set >> k & 1) != 0)
				cost = amount_add_saturate(cost, worth_sat(w,
				    &w->watches[w->budgets[k]]));
		if (cost < best_cost && covers_all(w, set, only)) {
			best = set;
			best_cost = cost;
		}
	}
	for (k = 0; k < w->n_budgets; k++) {
		if ((best >> k & 1) == 0)
			continue;
		b = &w->watches[w->budgets[k]];
		n = watch_windows_a_day(b->agg.window_ms);
		out->sat += muldiv(b->limit, n, 1);
		out->hot_ppm += muldiv(b->hot_ppm, n, 1);
		out->fund_ppm += muldiv(b->fund_ppm, n, 1);
		if (out->n_rules < 16)
			out->rules[out->n_rules++] = b->rule;
	}
}

/* Budgets first; lines only where they do not reach. */
static void
bound(const struct work *w, struct promise *out)
{
	choose(w, w->hard, 0, &out->all);
	if (out->all.bounded)
		return;
	choose(w, ~UINT32_C(0), 0, &out->all);
	out->by_line = out->all.bounded;
	if (!out->by_line)
		return;
	name_gap(w, out);
	if (w->hard != 0)
		choose(w, w->hard, w->hard, &out->rest);
	if (out->rest.n_rules == 0)
		out->rest.bounded = false;
}

/* What exemptions let past in a day, and ceilings stop. */
static void
adjust(const struct work *w, struct promise *out)
{
	const struct policy *p = w->p;
	struct watch	 as = { .agg = { .window_ms = MS_PER_DAY } };
	int64_t		 worth, best = INT64_MAX;
	int		 i, n;

	for (i = 0; i < p->n_exempts; i++) {
		n = watch_windows_a_day(p->exempts[i].upto_ms);
		out->exempt_sat = amount_add_saturate(out->exempt_sat,
		    muldiv(p->exempts[i].upto_sat, n, 1));
	}
	out->all.sat = amount_add_saturate(out->all.sat, out->exempt_sat);
	for (i = 0; i < w->n_cells; i++)
		if ((w->cells[i].yes & PROVEN) != 0 &&
		    w->cells[i].covered == 0)
			out->proven_open = true;
	for (i = 0; i < p->n_ceilings; i++) {
		if (!watch_limit(p, &p->ceilings[i].limit, &as))
			continue;
		as.agg.window_ms = p->ceilings[i].window_ms;
		if ((worth = worth_sat(w, &as)) >= best)
			continue;
		best = worth;
		out->has_ceiling = true;
		n = watch_windows_a_day(as.agg.window_ms);
		out->ceiling_sat = muldiv(as.limit, n, 1);
		out->ceiling_hot_ppm = muldiv(as.hot_ppm, n, 1);
	}
}

/* Cut when it does not fit. */
static size_t
put_part(char *buf, size_t buf_len, size_t at, const char *before,
    const char *text, const char *after)
{
	int	 n = snprintf(buf + at, buf_len - at, "%s%s%s", before, text,
	    after);

	return n < 0 || at + (size_t)n >= buf_len ? buf_len - 1 :
	    at + (size_t)n;
}

char *
watch_bound_text(const struct policy *p, const struct promise_bound *b,
    char *buf, size_t buf_len)
{
	char	 text[PRINT_TEXT_MAX];
	size_t	 at = 0;
	int	 i;

	snprintf(buf, buf_len, "no sum of the platform bounds it");
	if (!b->bounded)
		return buf;
	buf[0] = '\0';
	if (b->sat > 0 || (b->hot_ppm == 0 && b->fund_ppm == 0))
		at = put_part(buf, buf_len, at, "", print_amount(text,
		    sizeof(text), b->sat), "");
	if (b->hot_ppm > 0)
		at = put_part(buf, buf_len, at, at > 0 ? " + " : "",
		    print_percent(text, sizeof(text), b->hot_ppm), " of hot");
	if (b->fund_ppm > 0)
		at = put_part(buf, buf_len, at, at > 0 ? " + " : "",
		    print_percent(text, sizeof(text), b->fund_ppm),
		    " of fund");
	for (i = 0; i < b->n_rules; i++)
		at = put_part(buf, buf_len, at, i == 0 ? ", by \"" : ", \"",
		    policy_rule_name(p, b->rules[i], text, sizeof(text)),
		    "\"");
	return buf;
}

void
watch_promise(const struct policy *p, int64_t hot_sat, struct promise *out)
{
	struct work	*w = calloc(1, sizeof(*w));

	if (w == NULL)
		abort();
	memset(out, 0, sizeof(*out));
	w->p = p;
	w->hot_sat = hot_sat >= 0 ? hot_sat : HOT_ASSUMED_SAT;
	pick_budgets(w);
	make_cells(w);
	cover_cells(w);
	bound(w, out);
	name_cell(w, out);
	adjust(w, out);
	free(w);
}
