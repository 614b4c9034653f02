/*
 * W1 to W4 and W7 to W9: what can never matter, or not as it is written.
 * The others are in warn_watch.c.
 */
#include "policy/warn.h"

#include <stdlib.h>

#include "lib/civil.h"
#include "policy/imply.h"
#include "policy/print.h"
#include "policy/warn_in.h"
#include "policy/watch.h"

#define W2_MANY		4		/* shadowed by one, said at once */

static void
quote_rule(const struct warn *w, int r, char buf[NAME_MAX_TEXT])
{
	char	 where[100];

	if (w->p->rules[r].name != NULL)
		snprintf(buf, NAME_MAX_TEXT, "\"%.80s\" (line %d)",
		    w->p->rules[r].name, w->p->rules[r].pos.line);
	else
		snprintf(buf, NAME_MAX_TEXT, "the rule at %s",
		    policy_where(w->p, w->p->rules[r].pos, where,
		    sizeof(where)));
}

/* All questions of what can never matter, and of who watches what: well
 * under a second each. */
#define CASES_ALLOWED	2000000

/* --- W1: dead ---------------------------------------------------------- */

static void
w1_one(const struct warn *w, struct pos pos, const struct cond *c,
    int64_t until, const char *what)
{
	struct imply_term term = { c, false, NULL };

	if (until < w->today)
		diag_warning(w->d, pos, NULL,
		    "W1: dead: its last day has passed");
	else if (!imply_possible(w->p, &term, 1))
		diag_warning(w->d, pos, NULL,
		    "W1: dead: the condition of this %s can never be true",
		    what);
}

static void
w1_dead(const struct warn *w)
{
	const struct policy *p = w->p;
	int	 i;

	for (i = CLASS_FIRST; i < p->n_classes; i++)
		w1_one(w, p->classes[i].pos, p->classes[i].cond, INT64_MAX,
		    "class");
	for (i = 0; i < p->n_rules; i++)
		w1_one(w, p->rules[i].pos, p->rules[i].cond,
		    p->rules[i].until_day, "rule");
	for (i = 0; i < p->n_exempts; i++)
		w1_one(w, p->exempts[i].pos, p->exempts[i].cond,
		    p->exempts[i].until_day, "exemption");
}

bool
warn_is_dead(const struct warn *w, int r)
{
	struct imply_term term = { w->p->rules[r].cond, false, NULL };

	return w->p->rules[r].until_day < w->today ||
	    !imply_possible(w->p, &term, 1);
}

/* --- W2: shadowed ------------------------------------------------------ */

static bool
is_exempted(const struct policy *p, int r)
{
	int	 i, k;

	for (i = 0; i < p->n_exempts; i++)
		for (k = 0; k < p->exempts[i].n_rules; k++)
			if (p->exempts[i].rules[k] == r)
				return true;
	return false;
}

/* Does rule b always speak for rule a? */
static bool
speaks_for(const struct warn *w, int b, int a)
{
	const struct rule *ra = &w->p->rules[a], *rb = &w->p->rules[b];

	if (a == b || rb->shadow || rb->verdict == VERDICT_ALLOW ||
	    rb->lot != LOT_NONE || rb->until_day < ra->until_day ||
	    is_exempted(w->p, b) || !watch_as_severe(rb, ra))
		return false;
	/* A code is not met by waiting, nor the reverse (S2). */
	if (ra->verdict == VERDICT_DELAY && rb->verdict == VERDICT_STEP_UP)
		return false;
	/* Of two that say the same the later one is too much. */
	if (b > a && watch_as_severe(ra, rb) && ra->lot == LOT_NONE &&
	    imply_implies(w->p, rb->cond, ra->cond))
		return false;
	return imply_implies(w->p, ra->cond, rb->cond);
}

/* The rule that speaks for rule a, -1 for none. */
static int
shadow_of(const struct warn *w, int a)
{
	int	 b;

	if (w->p->rules[a].shadow ||
	    w->p->rules[a].verdict == VERDICT_ALLOW || warn_is_dead(w, a))
		return -1;
	for (b = 0; b < w->p->n_rules; b++)
		if (speaks_for(w, b, a))
			return b;
	return -1;
}

/* One rule that speaks for many, as in a policy for the day after a theft
 * that includes the everyday one: said once. */
static void
w2_many(const struct warn *w, int b, const int *by, int n)
{
	const struct policy *p = w->p;
	char	 names[3 * NAME_MAX_TEXT] = "", name[NAME_MAX_TEXT];
	size_t	 at = 0;
	int	 a, named = 0;

	for (a = 0; a < p->n_rules && named < 3; a++) {
		if (by[a] != b)
			continue;
		at += (size_t)snprintf(names + at, sizeof(names) - at,
		    "%s\"%.80s\"", named++ > 0 ? ", " : "",
		    policy_rule_name(p, a, name, sizeof(name)));
	}
	diag_warning(w->d, p->rules[b].pos, NULL, "W2: %d rules are shadowed "
	    "by this one, which speaks at least as severely whenever they do: "
	    "%s, ...", n, names);
}

static void
w2_shadowed(const struct warn *w)
{
	const struct policy *p = w->p;
	char	 name[NAME_MAX_TEXT];
	int	*by = calloc((size_t)p->n_rules + 1, sizeof(*by));
	int	*n = calloc((size_t)p->n_rules + 1, sizeof(*n));
	int	 a;

	if (by == NULL || n == NULL)
		abort();
	for (a = 0; a < p->n_rules; a++)
		if ((by[a] = shadow_of(w, a)) >= 0)
			n[by[a]]++;
	for (a = 0; a < p->n_rules; a++) {
		if (n[a] >= W2_MANY)
			w2_many(w, a, by, n[a]);
		if (by[a] < 0 || n[by[a]] >= W2_MANY)
			continue;
		quote_rule(w, by[a], name);
		diag_warning(w->d, p->rules[a].pos, NULL, "W2: shadowed: "
		    "whenever it speaks, %s speaks at least as severely",
		    name);
	}
	free(by);
	free(n);
}

/* --- W3: behind a ceiling ---------------------------------------------- */

/* The conditions "not above this ceiling", made from two comparisons. */
struct ceiling_conds {
	struct cond	 sum;
	struct cond	 each;
};

static int
ceiling_terms(const struct policy *p, struct ceiling_conds *c,
    struct imply_term *terms)
{
	int	 i, n = 0;

	for (i = 0; i < p->n_ceilings && i < 8; i++, c++) {
		c->sum = (struct cond){ .kind = COND_COMPARE, .rel = REL_LE,
			.left = { .kind = Q_AGG, .times = 1, .agg = {
			.what = AGG_SUM, .stage = STAGE_RELEASED,
			.scope = SCOPE_PLATFORM, .table = -1, .cls = -1,
			.window_ms = p->ceilings[i].window_ms } },
			.right = p->ceilings[i].limit };
		terms[n++] = (struct imply_term){ &c->sum, false, NULL };
		if (p->ceilings[i].each_sat == 0)
			continue;
		c->each = (struct cond){ .kind = COND_COMPARE, .rel = REL_LE,
			.left = { .kind = Q_FACT, .times = 1,
			.fact = FACT_AMOUNT }, .right = { .kind = Q_CONST,
			.times = 1, .value = p->ceilings[i].each_sat } };
		terms[n++] = (struct imply_term){ &c->each, false, NULL };
	}
	return n;
}

static void
w3_ceiling(const struct warn *w)
{
	struct ceiling_conds conds[8];
	struct imply_term terms[17];
	const struct policy *p = w->p;
	int64_t	 exempt;
	int	 i, k, n = ceiling_terms(p, conds, terms);

	for (i = 0; n > 0 && i < p->n_rules; i++) {
		terms[n] = (struct imply_term){ p->rules[i].cond, false,
			NULL };
		if (p->rules[i].verdict != VERDICT_ALLOW &&
		    !warn_is_dead(w, i) && !imply_possible(p, terms, n + 1))
			diag_warning(w->d, p->rules[i].pos, NULL, "W3: "
			    "unreachable: a ceiling denies before this rule "
			    "can speak");
	}
	for (i = 0; i < p->n_ceilings; i++) {
		struct watch	 limit = { 0 };

		if (!watch_limit(p, &p->ceilings[i].limit, &limit) ||
		    (limit.hot_ppm != 0 && w->hot_sat < 0))
			continue;
		for (k = 0, exempt = 0; k < p->n_exempts; k++)
			exempt = amount_add_saturate(exempt,
			    warn_scale(p->exempts[k].upto_sat,
			    p->exempts[k].upto_ms, p->ceilings[i].window_ms));
		if (exempt > warn_worth(w, &limit))
			diag_warning(w->d, p->ceilings[i].pos, NULL,
			    "W3: this ceiling is below the sum of all "
			    "exemptions");
	}
}

/* --- W4: a delay longer than what should see it ------------------------ */

static void
w4_delay(const struct warn *w)
{
	const struct policy *p = w->p;
	struct watch	*list = warn_watches(w);
	char		 name[NAME_MAX_TEXT], text[PRINT_TEXT_MAX];
	int		 i, k;

	for (i = 0; i < p->n_rules; i++) {
		struct imply_term terms[2] = { { p->rules[i].cond, false,
			NULL }, { 0 } };

		if (p->rules[i].verdict != VERDICT_DELAY ||
		    p->rules[i].shadow)
			continue;
		for (k = 0; k < w->n_watches; k++) {
			if ((list[k].agg.scope != SCOPE_ACCOUNT &&
			    list[k].agg.scope != SCOPE_KEY) ||
			    list[k].agg.stage == STAGE_COMMITTED ||
			    list[k].agg.window_ms >= p->rules[i].delay_ms ||
			    p->rules[list[k].rule].verdict < VERDICT_HOLD)
				continue;
			terms[1].cond = p->rules[list[k].rule].cond;
			if (!imply_possible(p, terms, 2))
				continue;
			quote_rule(w, list[k].rule, name);
			diag_warning(w->d, p->rules[i].pos, NULL, "W4: this "
			    "delay is longer than the %s that %s looks back",
			    print_duration(text, sizeof(text),
			    list[k].agg.window_ms), name);
			break;
		}
	}
}

/* --- W7: the default and allow ----------------------------------------- */

static void
w7_default(const struct warn *w)
{
	const struct policy *p = w->p;
	char	 name[NAME_MAX_TEXT];
	int	 i, k;

	for (i = 0; i < p->n_stmts && p->dflt == VERDICT_ALLOW; i++)
		if (p->stmts[i].kind == STMT_DEFAULT)
			diag_warning(w->d, p->stmts[i].pos, NULL, "W7: with "
			    "`default allow`, what no rule thought of "
			    "leaves at once");
	for (i = 0; i < p->n_rules; i++) {
		if (p->rules[i].verdict != VERDICT_ALLOW)
			continue;
		if (p->dflt == VERDICT_ALLOW) {
			diag_warning(w->d, p->rules[i].pos, NULL, "W7: with "
			    "`default allow` an `allow` changes nothing");
			continue;
		}
		for (k = 0; k < p->n_rules; k++) {
			if (k == i || p->rules[k].verdict != VERDICT_ALLOW ||
			    p->rules[k].shadow || p->rules[k].lot != LOT_NONE ||
			    p->rules[k].until_day < p->rules[i].until_day ||
			    !imply_implies(p, p->rules[i].cond,
			    p->rules[k].cond))
				continue;
			if (k > i && imply_implies(p, p->rules[k].cond,
			    p->rules[i].cond))
				continue;
			quote_rule(w, k, name);
			diag_warning(w->d, p->rules[i].pos, NULL, "W7: "
			    "useless: %s allows all that it allows", name);
			break;
		}
	}
}

/* --- W8: and, or ------------------------------------------------------- */

/* As deep as the parser allows. */
static void
w8_cond(const struct warn *w, const struct cond *c)
{
	int	 i;

	if (c == NULL)
		return;
	for (i = 0; i < c->n_kids; i++) {
		if (c->kind == COND_OR && c->kids[i]->kind == COND_AND &&
		    !c->kids[i]->parens)
			diag_warning(w->d, c->kids[i]->pos,
			    "`and` binds tighter; say so",
			    "W8: `and` and `or` without parentheses");
		w8_cond(w, c->kids[i]);
	}
}

static void
w8_parentheses(const struct warn *w)
{
	int	 i;

	for (i = CLASS_FIRST; i < w->p->n_classes; i++)
		w8_cond(w, w->p->classes[i].cond);
	for (i = 0; i < w->p->n_rules; i++)
		w8_cond(w, w->p->rules[i].cond);
	for (i = 0; i < w->p->n_exempts; i++)
		w8_cond(w, w->p->exempts[i].cond);
}

/* --- W9: larger than what it evades ------------------------------------ */

static void
w9_exempt(const struct warn *w, const struct exempt *x)
{
	const struct watch *list = warn_watches(w);
	char	 name[NAME_MAX_TEXT];
	int	 i, k;

	for (i = 0; i < w->n_watches; i++) {
		for (k = 0; k < x->n_rules && x->rules[k] != list[i].rule; k++)
			continue;
		if (k == x->n_rules || list[i].agg.what != AGG_SUM ||
		    list[i].agg.scope < SCOPE_PARTNER ||
		    !warn_known(w, &list[i]) || list[i].line ||
		    warn_scale(x->upto_sat, x->upto_ms,
		    list[i].agg.window_ms) <= warn_worth(w, &list[i]))
			continue;
		quote_rule(w, list[i].rule, name);
		diag_warning(w->d, x->pos, NULL, "W9: this exemption lets "
		    "more past %s than its whole budget", name);
		return;
	}
}

static void
w9_trust(const struct warn *w)
{
	const struct policy *p = w->p;
	const struct watch *list = warn_watches(w);
	struct watch	 cap = { .limit = p->trust.upto_sat,
		.hot_ppm = p->trust.upto_ppm };
	char		 name[NAME_MAX_TEXT];
	int		 i;

	if (!p->trust.given)
		return;
	if (cap.hot_ppm != 0)
		cap.limit = 0;
	for (i = 0; i < w->n_watches; i++) {
		/* Only a budget that proven withdrawals do not touch. */
		if (list[i].agg.what != AGG_SUM || list[i].line ||
		    list[i].agg.scope != SCOPE_PLATFORM ||
		    list[i].agg.cls < 0 || !warn_larger(w, &cap, &list[i]))
			continue;
		quote_rule(w, list[i].rule, name);
		diag_warning(w->d, p->trust.pos, NULL, "W9: what one pair may "
		    "be trusted with is more than the whole budget of %s",
		    name);
		return;
	}
}

static void
w9_larger(const struct warn *w)
{
	int	 i;

	for (i = 0; i < w->p->n_exempts; i++)
		w9_exempt(w, &w->p->exempts[i]);
	w9_trust(w);
}

/* --- all of them ------------------------------------------------------- */

int64_t
warn_scale(int64_t sat, int64_t from_ms, int64_t to_ms)
{
	if (from_ms <= 0 || to_ms <= from_ms)
		return sat;
	return muldiv(sat, (to_ms + from_ms - 1) / from_ms, 1);
}

int64_t
warn_worth(const struct warn *w, const struct watch *t)
{
	int64_t	 hot = w->hot_sat >= 0 ? w->hot_sat : 0;

	return amount_add_saturate(t->limit, muldiv(hot, t->hot_ppm,
	    1000000));
}

bool
warn_known(const struct warn *w, const struct watch *t)
{
	if (t->fund_ppm != 0)
		return false;
	return t->hot_ppm == 0 ? t->limit != 0 : w->hot_sat >= 0;
}

bool
warn_larger(const struct warn *w, const struct watch *a,
    const struct watch *b)
{
	if (warn_known(w, a) && warn_known(w, b))
		return warn_worth(w, a) > warn_worth(w, b);
	return a->limit == 0 && b->limit == 0 && a->fund_ppm == 0 &&
	    b->fund_ppm == 0 && b->hot_ppm != 0 && a->hot_ppm > b->hot_ppm;
}

struct watch *
warn_watches(const struct warn *w)
{
	return w->watches;
}

void
warn_check(const struct policy *p, struct diag *d, int64_t today,
    int64_t hot_sat)
{
	struct warn	 w = { .p = p, .d = d, .today = today,
		.hot_sat = hot_sat };
	struct pos	 top = { 0, 1, 1, 0 };
	bool		 spent;

	if ((w.watches = calloc(WATCHES_MAX, sizeof(*w.watches))) == NULL)
		abort();
	w.n_watches = watch_list(p, w.watches, WATCHES_MAX);
	imply_allow(CASES_ALLOWED);
	w1_dead(&w);
	w2_shadowed(&w);
	w3_ceiling(&w);
	w4_delay(&w);
	w7_default(&w);
	w8_parentheses(&w);
	w9_larger(&w);
	spent = imply_spent();
	imply_allow(CASES_ALLOWED);
	warn_watched(&w);
	if (spent || imply_spent())
		diag_warning(d, top, NULL, "the classes of this policy are "
		    "too tangled to be gone through: there may be more to "
		    "warn of");
	imply_allow(INT64_MAX);
	free(w.watches);
}
