/*
 * W5, W6 and W10 to W14: what nobody watches, and what watching costs.
 */
#include <stdlib.h>
#include <string.h>

#include "policy/imply.h"
#include "policy/print.h"
#include "policy/side.h"
#include "policy/warn_in.h"

/* --- W5, W6: lines and budgets ----------------------------------------- */

static bool
is_budget(const struct policy *p, const struct watch *t)
{
	return !t->line && t->agg.what == AGG_SUM &&
	    p->rules[t->rule].verdict >= VERDICT_HOLD;
}

static void
w5_class(const struct warn *w, const struct class *c, int cls)
{
	struct cond	 region = { .kind = COND_CLASS, .index = cls };
	bool		 line = false, budget = false, sum = false;
	int		 i;

	if (watch_held(w->p, &region))
		return;
	for (i = 0; i < w->n_watches; i++) {
		const struct watch *t = &w->watches[i];

		if (t->agg.scope != SCOPE_PLATFORM ||
		    !watch_covers(w->p, t, &region))
			continue;
		line = line || t->line;
		budget = budget || is_budget(w->p, t);
		sum = sum || t->agg.what == AGG_SUM;
	}
	if (line && !budget)
		diag_warning(w->d, c->pos, NULL, "W5: class `%s` has a line "
		    "but no budget: whoever raises the line slowly is never "
		    "stopped", c->name);
	if (budget && !line)
		diag_warning(w->d, c->pos, NULL, "W5: class `%s` has a budget "
		    "but no line: a busy day starves it, and a theft below "
		    "it rings no bell", c->name);
	if (!sum && w->p->n_ceilings == 0)
		diag_warning(w->d, c->pos, NULL, "W6: nobody watches class "
		    "`%s` on the platform: no sum over all accounts bounds "
		    "what leaves", c->name);
}

static void
w6_nobody(const struct warn *w)
{
	struct pos	 pos = { 0, 1, 1, 0 };
	int		 i;

	for (i = CLASS_FIRST; i < w->p->n_classes; i++)
		if (w->p->classes[i].cond != NULL)
			w5_class(w, &w->p->classes[i], i);
	if (w->p->n_classes > CLASS_FIRST || w->p->n_ceilings > 0 ||
	    watch_held(w->p, NULL))
		return;
	for (i = 0; i < w->n_watches; i++)
		if (w->watches[i].agg.scope == SCOPE_PLATFORM &&
		    w->watches[i].agg.what == AGG_SUM &&
		    watch_covers(w->p, &w->watches[i], NULL))
			return;
	diag_warning(w->d, pos, NULL, "W6: nobody watches the platform: no "
	    "sum over all accounts bounds what leaves");
}

/* --- W10: patience ----------------------------------------------------- */

/* Facts that a thief can change by waiting, or by paying himself before. */
static bool
is_patience(enum fact f)
{
	return f == FACT_AGE_LISTING || f == FACT_AGE_DESTINATION_CHAIN ||
	    f == FACT_PAYERS_DESTINATION || f == FACT_DESTINATION_NEW_CHAIN;
}

static bool
patience_quantity(const struct policy *p, const struct quantity *q,
    bool *seen)
{
	while (q->kind == Q_NAME)
		q = &p->lets[q->index].q;
	if (q->kind == Q_CONST)
		return true;
	if (q->kind != Q_FACT)
		return false;
	*seen = *seen || is_patience(q->fact);
	return is_patience(q->fact) || q->fact == FACT_AGE_DESTINATION ||
	    q->fact == FACT_DESTINATION_NEW_ACCOUNT ||
	    q->fact == FACT_DESTINATION_NEW_PLATFORM;
}

/* Nothing but such facts?  Classes are not looked into: they say more. */
static bool
only_patience(const struct policy *p, const struct cond *c, bool *seen)
{
	bool	 all = true;
	int	 i;

	switch (c->kind) {
	case COND_OR:
	case COND_AND:
	case COND_NOT:
		for (i = 0; i < c->n_kids; i++)
			all = only_patience(p, c->kids[i], seen) && all;
		return all;
	case COND_COMPARE:
		return !c->is_line && patience_quantity(p, &c->left, seen) &&
		    patience_quantity(p, &c->right, seen);
	case COND_FLAG:
		return patience_quantity(p, &c->left, seen);
	case COND_IN:
	case COND_CLASS:
	case COND_FRAUD:
		return false;
	}
	return false;
}

static void
w10_patience(const struct warn *w)
{
	bool	 seen;
	int	 i;

	for (i = 0; i < w->p->n_rules; i++) {
		seen = false;
		if (w->p->rules[i].cond != NULL &&
		    w->p->rules[i].verdict != VERDICT_ALLOW &&
		    only_patience(w->p, w->p->rules[i].cond, &seen) && seen)
			diag_warning(w->d, w->p->rules[i].pos, NULL, "W10: "
			    "this rule asks only how long an address is "
			    "known: patience buys it");
	}
}

/* --- W11: the price of an alarm ---------------------------------------- */

struct least {
	int64_t		 sat;
	int64_t		 ppm;
};

static bool
see_least(void *ctx, const struct imply_case *c)
{
	struct least	*l = ctx;
	int64_t		 sat, ppm;

	imply_case_spend(c, &sat, &ppm);
	if (sat < l->sat)
		l->sat = sat;
	if (ppm < l->ppm)
		l->ppm = ppm;
	return true;
}

/* The least that one account needs for a condition to be true. */
static struct least
least_spend(const struct policy *p, const struct cond *c)
{
	struct least	 l = { INT64_MAX, INT64_MAX };
	struct imply_term term = { c, false, NULL };

	if (!imply_cases(p, &term, 1, see_least, &l) || l.sat == INT64_MAX)
		return (struct least){ 1, 0 };
	return l;
}

void
warn_price(const struct warn *w, const struct watch *t, int64_t *accounts_out,
    struct watch *coins_out)
{
	struct least	 each = least_spend(w->p, w->p->rules[t->rule].cond);

	*accounts_out = 1;
	memset(coins_out, 0, sizeof(*coins_out));
	if (t->agg.what == AGG_SUM) {
		*coins_out = *t;
		return;
	}
	if (t->agg.what == AGG_DISTINCT && t->agg.thing == THING_ACCOUNTS)
		*accounts_out = t->limit + 1;
	/* Shares do not add up to coins; the larger demand is the price. */
	if (each.ppm != 0)
		coins_out->hot_ppm = muldiv(each.ppm, t->limit + 1, 1);
	else
		coins_out->limit = muldiv(each.sat, t->limit + 1, 1);
}

/* Below 0.1 % of hot: certainly, or as far as it can be told. */
static bool
is_cheap(const struct warn *w, const struct watch *coins, bool *known)
{
	*known = true;
	if (coins->fund_ppm != 0)
		return false;
	if (coins->limit == 0)
		return coins->hot_ppm < 1000;
	if (w->hot_sat >= 0)
		return warn_worth(w, coins) < w->hot_sat / 1000;
	*known = false;
	return true;
}

static void
w11_rule(const struct warn *w, int r)
{
	struct watch	 coins, best = { 0 };
	int64_t		 accounts, best_accounts = 1;
	bool		 known, any = false, counts = false;
	char		 text[PRINT_TEXT_MAX];
	int		 i;

	for (i = 0; i < w->n_watches; i++) {
		if (w->watches[i].rule != r)
			continue;
		warn_price(w, &w->watches[i], &accounts, &coins);
		/* What has to be paid for all is paid for the dearest. */
		if (!any || warn_larger(w, &coins, &best) ||
		    accounts > best_accounts) {
			best = coins;
			best_accounts = accounts;
		}
		any = true;
		counts = counts || w->watches[i].agg.what != AGG_SUM ||
		    w->watches[i].agg.stage == STAGE_ASKED;
	}
	if (!any) {
		struct least	 each = least_spend(w->p,
		    w->p->rules[r].cond);

		best.hot_ppm = each.ppm;
		best.limit = each.ppm != 0 ? 0 : each.sat;
	}
	if (!is_cheap(w, &best, &known) || (!known && any && !counts))
		return;
	if (best.limit == 0)
		print_percent(text, sizeof(text), best.hot_ppm);
	else
		print_amount(text, sizeof(text), best.limit);
	diag_warning(w->d, w->p->rules[r].pos, "let a halt rest on coins "
	    "committed", "W11: a stranger stops everything with %lld "
	    "account%s and %s%s in hand", (long long)best_accounts,
	    best_accounts == 1 ? "" : "s", text,
	    best.limit == 0 ? " of hot" : "");
}

static void
w11_price(const struct warn *w)
{
	int	 i;

	for (i = 0; i < w->p->n_rules; i++)
		if (w->p->rules[i].verdict == VERDICT_HALT &&
		    !w->p->rules[i].shadow && w->p->rules[i].cond != NULL &&
		    !warn_is_dead(w, i))
			w11_rule(w, i);
}

/* --- W12: a sharp edge ------------------------------------------------- */

/* Is there a lot over all that the rest of the rule's condition says? */
static bool
has_lot(const struct warn *w, const struct watch *t)
{
	const struct cond *c = w->p->rules[t->rule].cond;
	struct cond	 rest = { .kind = COND_AND };
	struct cond	*kids[64];
	const struct cond *region = NULL;
	int		 i;

	if (c->kind == COND_AND && c->n_kids <= 64) {
		rest.kids = kids;
		for (i = 0; i < c->n_kids; i++)
			if (c->kids[i] != t->atom)
				kids[rest.n_kids++] = c->kids[i];
		if (rest.n_kids > 0)
			region = &rest;
	}
	for (i = 0; i < w->p->n_rules; i++)
		if (w->p->rules[i].lot != LOT_NONE &&
		    !w->p->rules[i].shadow &&
		    w->p->rules[i].verdict >= VERDICT_HOLD &&
		    imply_implies(w->p, region, w->p->rules[i].cond))
			return true;
	return false;
}

static void
w12_edge(const struct warn *w)
{
	char	 text[PRINT_TEXT_MAX];
	int	 i, a_day;

	for (i = 0; i < w->n_watches; i++) {
		const struct watch *t = &w->watches[i];

		if (!is_budget(w->p, t) || t->less_ppm != 0 ||
		    t->agg.scope != SCOPE_PLATFORM ||
		    (t->limit == 0 && t->hot_ppm == 0) || has_lot(w, t))
			continue;
		a_day = watch_windows_a_day(t->agg.window_ms);
		if (t->limit == 0)
			print_percent(text, sizeof(text), t->hot_ppm * a_day);
		else
			print_amount(text, sizeof(text),
			    muldiv(t->limit, a_day, 1));
		diag_warning(w->d, t->atom->pos, "`less up to 20 %`, or a "
		    "lot over the same class", "W12: whoever has read this "
		    "stands just under it: %s%s a day", text,
		    t->limit == 0 ? " of hot" : "");
	}
}

/* --- W13: the number in the promise ------------------------------------ */

static void
w13_promise(const struct warn *w)
{
	struct pos	 pos = { 0, 1, 1, 0 };
	struct promise	 q;

	watch_promise(w->p, w->hot_sat, &q);
	if (q.bounded || q.has_ceiling)
		return;
	diag_warning(w->d, pos, NULL, "W13: nothing bounds what can leave in "
	    "24h with no line crossed%s%s", q.cell[0] != '\0' ?
	    "; the open door: " : "", q.cell);
}

/* --- W14: silenced by rounding ----------------------------------------- */

struct silenced {
	const struct warn *w;
	int		 rule;
	const struct cond *atom;	/* found: nobody hears above it */
	unsigned char	 seen[CLASSES_MAX];
};

/* Does some rule as severe speak on the other side of the atom? */
static bool
heard_above(const struct silenced *s, const struct cond *atom)
{
	const struct policy *p = s->w->p;
	struct imply_term terms[2] = {
		{ p->rules[s->rule].cond, false, atom }, { 0 } };
	int	 i;

	if (!imply_possible(p, terms, 1))
		return true;
	for (i = 0; i < p->n_rules; i++) {
		if (i == s->rule || p->rules[i].shadow ||
		    p->rules[i].lot != LOT_NONE ||
		    p->rules[i].verdict == VERDICT_ALLOW ||
		    !watch_as_severe(&p->rules[i], &p->rules[s->rule]))
			continue;
		terms[1].cond = p->rules[i].cond;
		if (imply_possible(p, terms, 2))
			return true;
	}
	return false;
}

/* Tests that a value rounded up makes false. */
static void
w14_find(struct silenced *s, const struct cond *c, bool negate)
{
	const struct policy *p = s->w->p;
	bool	 below;
	int	 i;

	if (s->atom != NULL)
		return;
	switch (c->kind) {
	case COND_OR:
	case COND_AND:
	case COND_NOT:
		for (i = 0; i < c->n_kids; i++)
			w14_find(s, c->kids[i],
			    c->kind == COND_NOT ? !negate : negate);
		return;
	case COND_COMPARE:
		if (c->rel == REL_EQ)
			return;
		below = (c->rel == REL_LT || c->rel == REL_LE) != negate;
		if (side_of(p, below || c->is_line ? &c->left : &c->right) ==
		    SIDE_AGAINST && (below || !c->is_line) &&
		    !heard_above(s, c))
			s->atom = c;
		return;
	case COND_CLASS:
		if (c->index < CLASS_FIRST ||
		    (s->seen[c->index] & (1 << negate)) != 0)
			return;
		s->seen[c->index] |= (unsigned char)(1 << negate);
		w14_find(s, p->classes[c->index].cond, negate);
		return;
	case COND_FLAG:
	case COND_IN:
	case COND_FRAUD:
		return;
	}
}

static void
w14_silenced(const struct warn *w)
{
	struct silenced	 s;
	char		 text[PRINT_TEXT_MAX];

	for (int i = 0; i < w->p->n_rules; i++) {
		if (w->p->rules[i].shadow || w->p->rules[i].cond == NULL ||
		    w->p->rules[i].verdict == VERDICT_ALLOW ||
		    warn_is_dead(w, i))
			continue;
		memset(&s, 0, sizeof(s));
		s.w = w;
		s.rule = i;
		w14_find(&s, w->p->rules[i].cond, false);
		if (s.atom != NULL)
			diag_warning(w->d, w->p->rules[i].pos, NULL, "W14: "
			    "rounding up silences it: no rule as severe "
			    "speaks where `%s` does not hold",
			    print_cond(w->p, text, sizeof(text), s.atom));
	}
}

void
warn_watched(const struct warn *w)
{
	w6_nobody(w);
	w10_patience(w);
	w11_price(w);
	w12_edge(w);
	w13_promise(w);
	w14_silenced(w);
}
