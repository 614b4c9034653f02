/*
 * W10 to W14: what watching costs, and what it lets through.
 */
#include <stdlib.h>
#include <string.h>

#include "policy/imply.h"
#include "policy/print.h"
#include "policy/side.h"
#include "policy/warn_in.h"

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

/* What has to be in hand: both, since a share may be of an unknown hot. */
struct price {
	int64_t		 accounts;
	int64_t		 sat;
	int64_t		 hot_ppm;
	int64_t		 fund_ppm;
};

static int64_t
larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static struct price
dearer(struct price a, struct price b)
{
	return (struct price){ larger(a.accounts, b.accounts),
		larger(a.sat, b.sat), larger(a.hot_ppm, b.hot_ppm),
		larger(a.fund_ppm, b.fund_ppm) };
}

/* To weigh a share against coins where hot is not known. */
static int64_t
hot_of(const struct warn *w)
{
	return w->hot_sat >= 0 ? w->hot_sat : 10000 * SAT_PER_BTC;
}

static bool
is_cheaper(const struct warn *w, struct price a, struct price b)
{
	int64_t	 va = larger(a.sat, muldiv(hot_of(w), a.hot_ppm, 1000000));
	int64_t	 vb = larger(b.sat, muldiv(hot_of(w), b.hot_ppm, 1000000));

	return a.fund_ppm != b.fund_ppm ? a.fund_ppm < b.fund_ppm : va < vb;
}

/*
 * What it takes to make a condition true: where all must be met, the
 * dearest; where one is enough, the cheapest.  As deep as the parser allows.
 */
static struct price
price_of(const struct warn *w, int r, const struct cond *c)
{
	struct price	 price = { 1, 0, 0, 0 }, kid;
	struct watch	 coins;
	int64_t		 accounts;
	int		 i;

	if (c->kind == COND_AND || c->kind == COND_OR) {
		for (i = 0; i < c->n_kids; i++) {
			kid = price_of(w, r, c->kids[i]);
			if (c->kind == COND_AND)
				price = dearer(price, kid);
			else if (i == 0 || is_cheaper(w, kid, price))
				price = kid;
		}
		return price;
	}
	for (i = 0; i < w->n_watches; i++) {
		if (w->watches[i].rule != r || w->watches[i].atom != c)
			continue;
		warn_price(w, &w->watches[i], &accounts, &coins);
		return (struct price){ accounts, coins.limit, coins.hot_ppm,
			coins.fund_ppm };
	}
	return price;
}

/* Below 0.1 % of hot: certainly, or as far as it can be told. */
static bool
is_cheap(const struct warn *w, struct price price, bool *known)
{
	*known = true;
	if (price.fund_ppm != 0 || price.hot_ppm >= 1000)
		return false;
	if (price.sat == 0)
		return true;
	if (w->hot_sat >= 0)
		return price.sat < w->hot_sat / 1000;
	*known = false;
	return true;
}

/* Does it rest on heads or on what was merely asked for? */
static bool
rests_on_asking(const struct warn *w, int r, bool *any)
{
	bool	 asking = false;
	int	 i;

	*any = false;
	for (i = 0; i < w->n_watches; i++) {
		if (w->watches[i].rule != r)
			continue;
		*any = true;
		asking = asking || w->watches[i].agg.what != AGG_SUM ||
		    w->watches[i].agg.stage == STAGE_ASKED;
	}
	return asking;
}

static void
w11_rule(const struct warn *w, int r)
{
	struct least	 each = least_spend(w->p, w->p->rules[r].cond);
	struct price	 price = price_of(w, r, w->p->rules[r].cond);
	bool		 asking, any, known, share;
	char		 text[PRINT_TEXT_MAX];

	asking = rests_on_asking(w, r, &any);
	/* One account must at least ask for this (S9). */
	price = dearer(price, (struct price){ 1, each.ppm != 0 ? 0 : each.sat,
		each.ppm, 0 });
	if (!is_cheap(w, price, &known) || (!known && any && !asking) ||
	    imply_spent())
		return;
	share = price.sat < muldiv(hot_of(w), price.hot_ppm, 1000000);
	if (share)
		print_percent(text, sizeof(text), price.hot_ppm);
	else
		print_amount(text, sizeof(text), price.sat);
	diag_warning(w->d, w->p->rules[r].pos, "let a halt rest on coins "
	    "committed", "W11: a stranger stops everything with %lld "
	    "account%s and %s%s in hand", (long long)price.accounts,
	    price.accounts == 1 ? "" : "s", text, share ? " of hot" : "");
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
	struct cond	*kids[WARN_KIDS];
	struct cond	 rest;
	int		 i;

	warn_rest(w->p, t, &rest, kids);
	for (i = 0; i < w->p->n_rules; i++)
		if (w->p->rules[i].lot != LOT_NONE &&
		    !w->p->rules[i].shadow &&
		    w->p->rules[i].verdict >= VERDICT_HOLD &&
		    imply_implies(w->p, &rest, w->p->rules[i].cond))
			return true;
	return false;
}

/* A threshold as what it allows in a day. */
static struct watch
in_a_day(const struct watch *t)
{
	struct watch	 day = *t;
	int		 n = watch_windows_a_day(t->agg.window_ms);

	day.limit = muldiv(t->limit, n, 1);
	day.hot_ppm = muldiv(t->hot_ppm, n, 1);
	return day;
}

/* Does a ceiling, or another budget over the same, stop it earlier in the
 * day? */
static bool
is_behind(const struct warn *w, const struct watch *t)
{
	struct cond	*kids[WARN_KIDS], *other_kids[WARN_KIDS];
	struct cond	 rest, other;
	struct watch	 a, b;
	int		 i;

	a = in_a_day(t);
	for (i = 0; i < w->p->n_ceilings; i++) {
		memset(&b, 0, sizeof(b));
		b.agg.window_ms = w->p->ceilings[i].window_ms;
		if (!watch_limit(w->p, &w->p->ceilings[i].limit, &b))
			continue;
		b = in_a_day(&b);
		if (warn_larger(w, &a, &b))
			return true;
	}
	warn_rest(w->p, t, &rest, kids);
	for (i = 0; i < w->n_watches; i++) {
		b = in_a_day(&w->watches[i]);
		if (!warn_is_budget(w->p, &b) || b.agg.cls != t->agg.cls ||
		    b.agg.cls_not != t->agg.cls_not ||
		    b.agg.scope != SCOPE_PLATFORM || !warn_larger(w, &a, &b))
			continue;
		warn_rest(w->p, &b, &other, other_kids);
		if (imply_implies(w->p, &rest, &other))
			return true;
	}
	return false;
}

static void
w12_edge(const struct warn *w)
{
	char	 text[PRINT_TEXT_MAX];
	int	 i;

	for (i = 0; i < w->n_watches; i++) {
		const struct watch *t = &w->watches[i];
		struct watch	 day;

		if (!warn_is_budget(w->p, t) || t->less_ppm != 0 ||
		    t->agg.scope != SCOPE_PLATFORM ||
		    (t->limit == 0 && t->hot_ppm == 0) || has_lot(w, t) ||
		    is_behind(w, t) || imply_spent())
			continue;
		day = in_a_day(t);
		if (t->limit == 0)
			print_percent(text, sizeof(text), day.hot_ppm);
		else
			print_amount(text, sizeof(text), day.limit);
		diag_warning(w->d, t->atom->pos, "`less up to 20 %`, or a "
		    "lot over the same class", "W12: whoever has read this "
		    "stands just under it: %s%s a day", text,
		    t->limit == 0 ? " of hot" : "");
	}
}

/* --- W13: the number in the promise ------------------------------------ */

/* The line of one of the rules that bound it, in words. */
static const char *
promise_line(const struct warn *w, const struct promise *q, char *buf,
    size_t buf_len)
{
	char	 line[PRINT_TEXT_MAX], name[NAME_MAX_TEXT];
	int	 i, k;

	for (i = 0; i < q->all.n_rules; i++)
		for (k = 0; k < w->n_watches; k++) {
			if (w->watches[k].rule != q->all.rules[i] ||
			    !w->watches[k].line)
				continue;
			snprintf(buf, buf_len, "\"%s\", %s",
			    policy_rule_name(w->p, q->all.rules[i], name,
			    sizeof(name)), print_line(w->p, line,
			    sizeof(line), &w->watches[k].atom->line));
			return buf;
		}
	return "";
}

static void
w13_promise(const struct warn *w)
{
	struct pos	 pos = { 0, 1, 1, 0 };
	struct promise	 q;
	char		 line[PRINT_TEXT_MAX + NAME_MAX_TEXT + 8];
	char		 rest[PRINT_TEXT_MAX] = "";

	watch_promise(w->p, w->hot_sat, &q);
	if (q.has_ceiling || (q.all.bounded && !q.by_line) || imply_spent())
		return;
	if (!q.all.bounded) {
		diag_warning(w->d, pos, NULL, "W13: nothing bounds what can "
		    "leave in 24h with no line crossed%s%s",
		    q.cell[0] != '\0' ? "; the open door: " : "", q.cell);
		return;
	}
	if (q.rest.bounded && q.gap[0] != '\0')
		(void)watch_bound_text(w->p, &q.rest, rest, sizeof(rest));
	diag_warning(w->d, pos, NULL, "W13: %s%s%sonly a line that a normal "
	    "can stretch bounds what can leave in 24h (%s)%s%s",
	    q.gap[0] != '\0' ? "while `" : "", q.gap,
	    q.gap[0] != '\0' ? "`, " : "",
	    promise_line(w, &q, line, sizeof(line)),
	    rest[0] != '\0' ? "; otherwise " : "", rest);
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
	warn_classes(w);
	w10_patience(w);
	w11_price(w);
	w12_edge(w);
	w13_promise(w);
	w14_silenced(w);
}
