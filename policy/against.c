/*
 * Two policies side by side, statement by statement (S48).
 */
#include "policy/against.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/civil.h"
#include "policy/against_in.h"
#include "policy/print.h"

const char *
against_text(enum against a)
{
	switch (a) {
	case AGAINST_NEUTRAL:
		return "neutral";
	case AGAINST_TIGHTENS:
		return "tightens";
	case AGAINST_LOOSENS:
		return "loosens";
	}
	return "?";
}

void
against_say(struct against_walk *w, enum against direction,
    const char *fmt, ...)
{
	struct against_change change = { .direction = direction };
	va_list		 ap;

	va_start(ap, fmt);
	(void)vsnprintf(change.reason, sizeof(change.reason), fmt, ap);
	va_end(ap);
	(void)policy_where(w->of_old ? w->old : w->new, w->pos, change.where,
	    sizeof(change.where));
	memcpy(change.subject, w->subject, sizeof(change.subject));
	switch (direction) {
	case AGAINST_NEUTRAL:
		w->counts.neutral++;
		break;
	case AGAINST_TIGHTENS:
		w->counts.tightens++;
		break;
	case AGAINST_LOOSENS:
		w->counts.loosens++;
		break;
	}
	if (w->emit != NULL)
		w->emit(w->ctx, &change);
}

static void __attribute__((format(printf, 4, 5)))
subject(struct against_walk *w, struct pos pos, bool of_old, const char *fmt,
    ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	(void)vsnprintf(w->subject, sizeof(w->subject), fmt, ap);
	va_end(ap);
	w->pos = pos;
	w->of_old = of_old;
	w->through = NULL;
	w->unsure = false;
	w->accuses = true;
}

/* --- settings ---------------------------------------------------------- */

/* A number that counts the more the smaller it is; 0 stands for none. */
static void
smaller_tightens(struct against_walk *w, const char *name, int64_t was,
    int64_t is, bool zero_is_none)
{
	struct pos	 top = { 0, 1, 1, 0 };

	if (was == is)
		return;
	subject(w, top, false, "set %s", name);
	if (zero_is_none && (was == 0 || is == 0))
		against_say(w, was == 0 ? AGAINST_TIGHTENS : AGAINST_LOOSENS,
		    was == 0 ? "it is new" : "it is gone");
	else
		against_say(w, is < was ? AGAINST_TIGHTENS : AGAINST_LOOSENS,
		    is < was ? "smaller" : "larger");
}

static void
any_loosens(struct against_walk *w, const char *name, bool differs)
{
	struct pos	 top = { 0, 1, 1, 0 };

	if (!differs)
		return;
	subject(w, top, false, "set %s", name);
	against_say(w, AGAINST_LOOSENS, "changed");
}

static void
compare_settings(struct against_walk *w)
{
	const struct settings *a = &w->old->set, *b = &w->new->set;

	smaller_tightens(w, "expiry of holds", a->hold_expiry_ms,
	    b->hold_expiry_ms, false);
	smaller_tightens(w, "expiry of codes", a->code_expiry_ms,
	    b->code_expiry_ms, false);
	smaller_tightens(w, "exemptions", a->exemptions_ppm,
	    b->exemptions_ppm, false);
	smaller_tightens(w, "growth", a->growth_ppm, b->growth_ppm, false);
	smaller_tightens(w, "hot", a->hot_max_sat, b->hot_max_sat, true);
	smaller_tightens(w, "trust listed, until", a->trust_listed_day,
	    b->trust_listed_day, false);
	smaller_tightens(w, "trust listed, upto", a->trust_listed_sat,
	    b->trust_listed_sat, false);
	any_loosens(w, "ledger", a->ledger_external != b->ledger_external);
	/* Fewer buckets are longer ones, and count longer (S15); but none
	 * written is a different number for each scope. */
	if (a->buckets != 0 && b->buckets != 0)
		smaller_tightens(w, "buckets", a->buckets, b->buckets, false);
	else
		any_loosens(w, "buckets", a->buckets != b->buckets);
	any_loosens(w, "buckets for", a->n_buckets_for != b->n_buckets_for ||
	    memcmp(a->buckets_for, b->buckets_for,
	    sizeof(a->buckets_for)) != 0);
	/* What is forgotten when a pool is full may accuse or excuse. */
	any_loosens(w, "capacity", a->cap_accounts != b->cap_accounts ||
	    a->cap_keys != b->cap_keys || a->cap_pairs != b->cap_pairs ||
	    a->cap_destinations != b->cap_destinations ||
	    a->cap_waiting != b->cap_waiting ||
	    a->cap_withdrawals != b->cap_withdrawals ||
	    a->cap_networks != b->cap_networks ||
	    a->cap_groups != b->cap_groups);
}

static struct pos
stmt_pos(const struct policy *p, enum stmt_kind kind)
{
	struct pos	 top = { 0, 1, 1, 0 };
	int		 i;

	for (i = 0; i < p->n_stmts; i++)
		if (p->stmts[i].kind == kind)
			return p->stmts[i].pos;
	return top;
}

/* How much of what is asked for is decided in earnest. */
static void
compare_mode(struct against_walk *w)
{
	const struct policy *a = w->old, *b = w->new;
	bool	 tighter;

	if (a->mode == b->mode && a->enforce_above_sat == b->enforce_above_sat)
		return;
	subject(w, stmt_pos(b, STMT_MODE), false, "mode");
	/* enforce < advise < observe in words; fewer below `above`. */
	tighter = b->mode < a->mode || (b->mode == a->mode &&
	    b->enforce_above_sat < a->enforce_above_sat);
	if (b->mode == MODE_ENFORCE && b->enforce_above_sat != 0 &&
	    a->mode == MODE_ADVISE)
		tighter = false;	/* Below it only observes now. */
	against_say(w, tighter ? AGAINST_TIGHTENS : AGAINST_LOOSENS,
	    tighter ? "more is enforced" : "less is enforced");
}

static void
compare_default(struct against_walk *w)
{
	if (w->old->dflt == w->new->dflt)
		return;
	subject(w, stmt_pos(w->new, STMT_DEFAULT), false, "default");
	against_say(w, w->new->dflt > w->old->dflt ? AGAINST_TIGHTENS :
	    AGAINST_LOOSENS, "%s, was %s", verdict_text(w->new->dflt),
	    verdict_text(w->old->dflt));
}

/* --- facts ------------------------------------------------------------- */

static void
compare_unknown(struct against_walk *w)
{
	int	 i;

	for (i = 0; i < FACT__COUNT; i++) {
		if (w->old->unknown[i] == w->new->unknown[i])
			continue;
		subject(w, stmt_pos(w->new, STMT_UNKNOWN), false,
		    "unknown %s", word_of((enum fact)i)->text);
		/* Unsaid is the most suspicious value (S21). */
		against_say(w, !w->new->unknown_given[i] ? AGAINST_TIGHTENS :
		    AGAINST_LOOSENS, "an absent one is taken otherwise");
	}
}

static void
compare_declared(struct against_walk *w)
{
	const struct declared *a, *b;
	int	 i, k;

	for (i = 0; i < w->new->n_declared; i++) {
		b = &w->new->declared[i];
		for (k = 0; k < w->old->n_declared && strcmp(
		    w->old->declared[k].name, b->name) != 0; k++)
			continue;
		if (k == w->old->n_declared)
			continue;
		a = &w->old->declared[k];
		if (a->type == b->type && a->unknown == b->unknown)
			continue;
		subject(w, b->pos, false, "declare %s", b->name);
		against_say(w, AGAINST_LOOSENS, "an unknown one is taken "
		    "otherwise");
	}
}

static void
compare_trust(struct against_walk *w)
{
	const struct trust *a = &w->old->trust, *b = &w->new->trust;

	if (!a->given && !b->given)
		return;
	subject(w, b->given ? b->pos : a->pos, !b->given, "trust");
	if (a->given != b->given) {
		against_say(w, b->given ? AGAINST_LOOSENS : AGAINST_TIGHTENS,
		    b->given ? "it is new" : "it is gone");
		return;
	}
	if (a->after_ms != b->after_ms)
		against_say(w, b->after_ms > a->after_ms ? AGAINST_TIGHTENS :
		    AGAINST_LOOSENS, "ripens later or earlier");
	if (a->full_ms != b->full_ms)
		against_say(w, b->full_ms > a->full_ms ? AGAINST_TIGHTENS :
		    AGAINST_LOOSENS, "is ripe later or earlier");
	if (a->used_ms != b->used_ms)
		against_say(w, b->used_ms > a->used_ms ? AGAINST_TIGHTENS :
		    AGAINST_LOOSENS, "is used up for longer or shorter");
	if (a->upto_ppm != b->upto_ppm && (a->upto_ppm == 0 ||
	    b->upto_ppm == 0))
		against_say(w, AGAINST_LOOSENS, "its cap is another kind");
	else if (a->upto_ppm != b->upto_ppm || a->upto_sat != b->upto_sat)
		against_say(w, b->upto_ppm < a->upto_ppm ||
		    b->upto_sat < a->upto_sat ? AGAINST_TIGHTENS :
		    AGAINST_LOOSENS, "its cap is another");
}

/* --- rules ------------------------------------------------------------- */

/* Does `to` owe all that `from` owed, and more? */
static bool
verdict_tightens(const struct rule *a, const struct rule *b)
{
	enum verdict	 from = a->verdict, to = b->verdict;


	/* A code for a wait is not more (S2); people may lift a halt's own
	 * withdrawal but never a denial (S4). */
	if (from == VERDICT_DELAY && to == VERDICT_STEP_UP)
		return false;
	if (from == VERDICT_DENY)
		return false;
	/* What a halt holds needs one person. */
	if (from == VERDICT_HOLD && to == VERDICT_HALT && a->people > 1)
		return false;
	return to > from;
}

static void
compare_verdicts(struct against_walk *w, const struct rule *a,
    const struct rule *b)
{
	char	 was[64], is[64];

	if (a->verdict != b->verdict) {
		against_say(w, verdict_tightens(a, b) ?
		    AGAINST_TIGHTENS : AGAINST_LOOSENS, "%s, was %s",
		    verdict_text(b->verdict), verdict_text(a->verdict));
		return;
	}
	if (a->verdict == VERDICT_DELAY && a->delay_ms != b->delay_ms)
		against_say(w, b->delay_ms > a->delay_ms ? AGAINST_TIGHTENS :
		    AGAINST_LOOSENS, "delay %s, was %s", print_duration(is,
		    sizeof(is), b->delay_ms), print_duration(was, sizeof(was),
		    a->delay_ms));
	if (a->verdict == VERDICT_HOLD && a->people != b->people)
		against_say(w, b->people > a->people ? AGAINST_TIGHTENS :
		    AGAINST_LOOSENS, "by %d, was %d", b->people, a->people);
}

/* A lot spares most of what matches. */
static void
compare_lots(struct against_walk *w, const struct rule *a,
    const struct rule *b)
{
	bool	 wider;

	if (a->lot == b->lot && a->lot == LOT_PER) {
		if (b->verdict == VERDICT_ALLOW)
			any_loosens(w, "lot of an allow", a->lot_per.value !=
			    b->lot_per.value || a->lot_per.ppm !=
			    b->lot_per.ppm);
		else
			against_limit(w, "lot 1 per ", &a->lot_per,
			    &b->lot_per);
		return;
	}
	if (a->lot == b->lot && (a->lot == LOT_NONE || a->lot_in == b->lot_in))
		return;
	if (a->lot != LOT_NONE && b->lot != LOT_NONE && a->lot != b->lot) {
		against_say(w, AGAINST_LOOSENS, "another kind of lot");
		return;
	}
	wider = b->lot == LOT_NONE || (a->lot != LOT_NONE &&
	    b->lot_in < a->lot_in);
	against_say(w, wider == w->accuses ? AGAINST_TIGHTENS :
	    AGAINST_LOOSENS, wider ? "fewer are spared by the lot" :
	    "more are spared by the lot");
}

static void
compare_until(struct against_walk *w, int64_t was, int64_t is)
{
	char	 text[64];

	if (was == is)
		return;
	against_say(w, (is > was) == w->accuses ? AGAINST_TIGHTENS :
	    AGAINST_LOOSENS, "until %s", is == INT64_MAX ? "for ever" :
	    print_date(text, sizeof(text), is));
}

static void
compare_rule(struct against_walk *w, const struct rule *a,
    const struct rule *b)
{
	if (a->shadow && b->shadow)
		return;
	w->accuses = b->verdict != VERDICT_ALLOW;
	if (a->shadow != b->shadow) {
		against_say(w, b->shadow != w->accuses ? AGAINST_TIGHTENS :
		    AGAINST_LOOSENS, b->shadow ? "only a shadow now" :
		    "no shadow any more");
		return;
	}
	compare_verdicts(w, a, b);
	/* From allow to anything else its condition has another meaning. */
	if ((a->verdict == VERDICT_ALLOW) != (b->verdict == VERDICT_ALLOW))
		return;
	compare_lots(w, a, b);
	compare_until(w, a->until_day, b->until_day);
	against_cond(w, a->cond, b->cond, false);
}

static void
rule_subject(struct against_walk *w, const struct policy *p, int r)
{
	char	 name[128];

	subject(w, p->rules[r].pos, p == w->old, "rule \"%.100s\"",
	    policy_rule_name(p, r, name, sizeof(name)));
}

static void
rule_alone(struct against_walk *w, const struct policy *p, int r)
{
	const struct rule *rule = &p->rules[r];
	bool	 come = p == w->new;

	rule_subject(w, p, r);
	if (rule->shadow)
		against_say(w, AGAINST_NEUTRAL, "%s, but only a shadow",
		    come ? "new" : "gone");
	else
		against_say(w, come == (rule->verdict != VERDICT_ALLOW) ?
		    AGAINST_TIGHTENS : AGAINST_LOOSENS, "%s: %s", come ?
		    "new" : "gone", verdict_text(rule->verdict));
}

static bool
same_spelling(struct against_walk *w, const struct rule *a,
    const struct rule *b)
{
	char	 was[PRINT_TEXT_MAX], is[PRINT_TEXT_MAX];

	if (a->verdict != b->verdict || (a->cond == NULL) != (b->cond == NULL))
		return false;
	return a->cond == NULL || strcmp(print_cond(w->old, was, sizeof(was),
	    a->cond), print_cond(w->new, is, sizeof(is), b->cond)) == 0;
}

/* By name; those without by what they say. */
static int
find_rule(struct against_walk *w, const struct rule *a, const bool *taken)
{
	const struct rule *b;
	int	 i;

	for (i = 0; i < w->new->n_rules; i++) {
		b = &w->new->rules[i];
		if (taken[i] || (a->name == NULL) != (b->name == NULL))
			continue;
		if (a->name != NULL ? strcmp(a->name, b->name) == 0 :
		    same_spelling(w, a, b))
			return i;
	}
	return -1;
}

static void
compare_rules(struct against_walk *w)
{
	bool	 taken[RULES_MAX] = { false };
	int	 i, k;

	for (i = 0; i < w->old->n_rules; i++) {
		k = find_rule(w, &w->old->rules[i], taken);
		if (k < 0) {
			rule_alone(w, w->old, i);
			continue;
		}
		taken[k] = true;
		rule_subject(w, w->new, k);
		compare_rule(w, &w->old->rules[i], &w->new->rules[k]);
	}
	for (i = 0; i < w->new->n_rules; i++)
		if (!taken[i])
			rule_alone(w, w->new, i);
}

/* --- exemptions -------------------------------------------------------- */

static bool
names_rule(const struct policy *p, const struct exempt *x, const char *name)
{
	int	 i;

	for (i = 0; i < x->n_rules; i++)
		if (p->rules[x->rules[i]].name != NULL &&
		    strcmp(p->rules[x->rules[i]].name, name) == 0)
			return true;
	return false;
}

static void
compare_exempt(struct against_walk *w, const struct exempt *a,
    const struct exempt *b)
{
	const char	*name;
	int		 i;

	subject(w, b->pos, false, "exempt \"%.100s\"", b->name);
	w->accuses = false;
	for (i = 0; i < a->n_rules; i++)
		if ((name = w->old->rules[a->rules[i]].name) != NULL &&
		    !names_rule(w->new, b, name))
			against_say(w, AGAINST_TIGHTENS,
			    "no more from \"%.100s\"", name);
	for (i = 0; i < b->n_rules; i++)
		if ((name = w->new->rules[b->rules[i]].name) != NULL &&
		    !names_rule(w->old, a, name))
			against_say(w, AGAINST_LOOSENS,
			    "also from \"%.100s\"", name);
	if (a->upto_sat != b->upto_sat)
		against_say(w, b->upto_sat < a->upto_sat ? AGAINST_TIGHTENS :
		    AGAINST_LOOSENS, "upto more or less");
	if (a->upto_ms != b->upto_ms)
		against_say(w, b->upto_ms > a->upto_ms ? AGAINST_TIGHTENS :
		    AGAINST_LOOSENS, "over a longer or shorter window");
	if (a->count != b->count)
		against_say(w, a->count == 0 || (b->count != 0 &&
		    b->count < a->count) ? AGAINST_TIGHTENS : AGAINST_LOOSENS,
		    "so many of them");
	else if (a->count != 0 && a->count_ms != b->count_ms)
		against_say(w, b->count_ms > a->count_ms ? AGAINST_TIGHTENS :
		    AGAINST_LOOSENS, "counted longer or shorter");
	compare_until(w, a->until_day, b->until_day);
	against_cond(w, a->cond, b->cond, false);
}

static const struct exempt *
find_exempt(const struct policy *p, const char *name)
{
	int	 i;

	for (i = 0; i < p->n_exempts; i++)
		if (strcmp(p->exempts[i].name, name) == 0)
			return &p->exempts[i];
	return NULL;
}

static void
compare_exempts(struct against_walk *w)
{
	const struct exempt *a, *b;
	int	 i;

	for (i = 0; i < w->old->n_exempts; i++) {
		a = &w->old->exempts[i];
		if (find_exempt(w->new, a->name) != NULL)
			continue;
		subject(w, a->pos, true, "exempt \"%.100s\"", a->name);
		against_say(w, AGAINST_TIGHTENS, "gone");
	}
	for (i = 0; i < w->new->n_exempts; i++) {
		b = &w->new->exempts[i];
		if ((a = find_exempt(w->old, b->name)) != NULL) {
			compare_exempt(w, a, b);
			continue;
		}
		subject(w, b->pos, false, "exempt \"%.100s\"", b->name);
		against_say(w, AGAINST_LOOSENS, "new");
	}
}

/* --- ceilings ---------------------------------------------------------- */

static void
compare_ceilings(struct against_walk *w)
{
	const struct ceiling *a, *b;
	int	 i, n = w->old->n_ceilings < w->new->n_ceilings ?
	    w->old->n_ceilings : w->new->n_ceilings;

	for (i = 0; i < n; i++) {
		a = &w->old->ceilings[i];
		b = &w->new->ceilings[i];
		subject(w, b->pos, false, "ceiling");
		against_limit(w, "", &a->limit, &b->limit);
		if (a->window_ms != b->window_ms)
			against_say(w, b->window_ms > a->window_ms ?
			    AGAINST_TIGHTENS : AGAINST_LOOSENS,
			    "over a longer or shorter window");
		if (a->each_sat != b->each_sat)
			against_say(w, b->each_sat != 0 && (a->each_sat == 0 ||
			    b->each_sat < a->each_sat) ? AGAINST_TIGHTENS :
			    AGAINST_LOOSENS, "each more or less");
	}
	for (i = n; i < w->old->n_ceilings; i++) {
		subject(w, w->old->ceilings[i].pos, true, "ceiling");
		against_say(w, AGAINST_LOOSENS, "gone");
	}
	for (i = n; i < w->new->n_ceilings; i++) {
		subject(w, w->new->ceilings[i].pos, false, "ceiling");
		against_say(w, AGAINST_TIGHTENS, "new");
	}
}

/* --- all of it --------------------------------------------------------- */

void
against_compare(const struct policy *old, const struct policy *new,
    void (*emit)(void *ctx, const struct against_change *change), void *ctx,
    struct against_counts *counts_out)
{
	struct against_walk *w = calloc(1, sizeof(*w));

	if (w == NULL)
		abort();
	w->old = old;
	w->new = new;
	w->emit = emit;
	w->ctx = ctx;
	compare_default(w);
	compare_mode(w);
	compare_settings(w);
	compare_unknown(w);
	compare_declared(w);
	compare_trust(w);
	compare_rules(w);
	compare_exempts(w);
	compare_ceilings(w);
	*counts_out = w->counts;
	free(w);
}

static void
print_change(void *ctx, const struct against_change *c)
{
	fprintf(ctx, "%-8s %s: %s: %s\n", against_text(c->direction), c->where,
	    c->subject, c->reason);
}

void
against_print(const struct policy *old, const struct policy *new, FILE *out,
    struct against_counts *n)
{
	against_compare(old, new, print_change, out, n);
	if (n->loosens > 0)
		fprintf(out, "%d loosen%s, %d tighten%s: waits, and needs a "
		    "second person\n", n->loosens, n->loosens == 1 ? "s" : "",
		    n->tightens, n->tightens == 1 ? "s" : "");
	else if (n->tightens > 0)
		fprintf(out, "nothing loosens, %d tighten%s: in force at "
		    "once\n", n->tightens, n->tightens == 1 ? "s" : "");
	else
		fprintf(out, "no change in what is decided\n");
}
