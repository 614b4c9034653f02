/*
 * Thresholds found in rules, and what they cover.
 */
#include "policy/watch.h"

#include <string.h>

#include "lib/amount.h"
#include "lib/civil.h"
#include "policy/imply.h"

struct walk {
	const struct policy *p;
	struct watch	*out;
	int		 max;
	int		 n;
	int		 rule;
};

static const struct quantity *
resolve(const struct policy *p, const struct quantity *q, int64_t *times)
{
	*times = q->times;
	while (q->kind == Q_NAME) {
		q = &p->lets[q->index].q;
		*times *= q->times;
	}
	return q;
}

bool
watch_limit(const struct policy *p, const struct quantity *q,
    struct watch *out)
{
	int64_t	 times;

	out->limit = out->hot_ppm = out->fund_ppm = 0;
	q = resolve(p, q, &times);
	if (q->kind == Q_CONST)
		out->limit = muldiv(q->value, times, 1);
	else if (q->kind == Q_SHARE && q->of_fund)
		out->fund_ppm = muldiv(q->ppm, times, 1);
	else if (q->kind == Q_SHARE)
		out->hot_ppm = muldiv(q->ppm, times, 1);
	else
		return false;
	return true;
}

static void
note(struct walk *w, const struct cond *c)
{
	const struct quantity *q;
	struct watch	*to = &w->out[w->n];
	int64_t		 times;

	if (w->n == w->max || (c->rel != REL_GT && c->rel != REL_GE))
		return;
	q = resolve(w->p, &c->left, &times);
	if (q->kind != Q_AGG || times < 1)
		return;
	memset(to, 0, sizeof(*to));
	to->rule = w->rule;
	to->atom = c;
	to->agg = q->agg;
	to->line = c->is_line;
	to->less_ppm = c->less_ppm;
	(void)watch_limit(w->p, c->is_line ? &c->line.learnt : &c->right, to);
	/* 2 x sum > T is sum > T / 2. */
	to->limit /= times;
	to->hot_ppm /= times;
	to->fund_ppm /= times;
	w->n++;
}

/* As deep as the parser allows. */
static void
find(struct walk *w, const struct cond *c, bool negate)
{
	int	 i;

	switch (c->kind) {
	case COND_OR:
	case COND_AND:
	case COND_NOT:
		for (i = 0; i < c->n_kids; i++)
			find(w, c->kids[i],
			    c->kind == COND_NOT ? !negate : negate);
		return;
	case COND_COMPARE:
		if (!negate)
			note(w, c);
		return;
	case COND_FLAG:
	case COND_IN:
	case COND_CLASS:
	case COND_FRAUD:
		return;
	}
}

int
watch_list(const struct policy *p, struct watch *out, int max)
{
	struct walk	 w = { .p = p, .out = out, .max = max };

	for (w.rule = 0; w.rule < p->n_rules; w.rule++)
		if (!p->rules[w.rule].shadow && p->rules[w.rule].cond != NULL &&
		    p->rules[w.rule].verdict != VERDICT_ALLOW)
			find(&w, p->rules[w.rule].cond, false);
	return w.n;
}

bool
watch_covers(const struct policy *p, const struct watch *w,
    const struct cond *region)
{
	const struct rule *r = &p->rules[w->rule];
	struct cond	 crossed = *w->atom;
	struct imply_term terms[3] = { { region, false, NULL },
		{ &crossed, false, NULL }, { r->cond, true, NULL } };

	/* The whole threshold, or it would not be the same one twice. */
	crossed.less_ppm = 0;
	if (r->lot != LOT_NONE)
		return false;
	if (w->agg.cls >= 0 &&
	    !imply_class(p, region, w->agg.cls, !w->agg.cls_not))
		return false;
	return !imply_possible(p, terms, 3);
}

bool
watch_as_severe(const struct rule *a, const struct rule *b)
{
	if (a->verdict != b->verdict)
		return a->verdict > b->verdict;
	if (a->verdict == VERDICT_DELAY)
		return a->delay_ms >= b->delay_ms;
	if (a->verdict == VERDICT_HOLD)
		return a->people >= b->people;
	return true;
}

bool
watch_held(const struct policy *p, const struct cond *region)
{
	struct imply_term terms[2] = { { region, false, NULL }, { 0 } };
	const struct rule *r;
	bool		 allowed = p->dflt == VERDICT_ALLOW;
	int		 i;

	for (i = 0; i < p->n_rules; i++) {
		r = &p->rules[i];
		if (r->shadow)
			continue;
		if (r->verdict == VERDICT_ALLOW && !allowed) {
			terms[1].cond = r->cond;
			allowed = imply_possible(p, terms, 2);
		} else if (r->verdict >= VERDICT_HOLD &&
		    r->lot == LOT_NONE && r->until_day == INT64_MAX &&
		    imply_implies(p, region, r->cond))
			return true;
	}
	return !allowed;
}

/* As deep as the parser allows. */
uint64_t
watch_classes(const struct cond *c)
{
	uint64_t	 by = 0;
	int		 i;

	if (c == NULL)
		return 0;
	if (c->kind == COND_CLASS)
		by |= UINT64_C(1) << c->index;
	for (i = 0; i < c->n_kids; i++)
		by |= watch_classes(c->kids[i]);
	return by;
}

int
watch_windows_a_day(int64_t window_ms)
{
	if (window_ms >= MS_PER_DAY)
		return 1;
	return (int)((MS_PER_DAY + window_ms - 1) / window_ms);
}
