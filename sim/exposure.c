#include "sim/exposure.h"

#include <stdlib.h>
#include <string.h>

#include "lib/amount.h"
#include "lib/civil.h"
#include "sim/budget.h"
#include "sim/cases.h"
#include "sim/cover.h"

#define GENERATIONS_MAX	255

struct work {
	const struct policy		*p;
	const struct exposure_state	*s;
	int64_t				 horizon_ms;
	struct cases			*c;
	struct budgets			*b;
	struct cover			 all;		/* every case */
	struct cover			 unproven;	/* without trust */
	bool				 proven_hole;
	int64_t				*prices;
};

/* Is trust of use only to who was paid unproven first? */
static bool
trust_is_earned(const struct work *w)
{
	return w->p->trust.given && w->p->trust.after_ms > 0;
}

/* What nothing bounds ends it; false then. */
static bool
sort_case(struct work *w, struct exposure *out, enum rc *rc, struct err *e)
{
	struct cover_set	 set;
	bool			 proven = cases_proven(w->c);

	if (!cases_may_leave(w->c))
		return true;
	if (!budgets_of_case(w->b, &set)) {
		if (proven && trust_is_earned(w)) {
			w->proven_hole = true;
			return true;
		}
		out->unbounded = true;
		cases_describe(w->c, out->hole, sizeof(out->hole));
		return false;
	}
	*rc = cover_add(&w->all, &set, e);
	if (*rc == RC_OK && !(proven && trust_is_earned(w)))
		*rc = cover_add(&w->unproven, &set, e);
	return *rc == RC_OK;
}

static void
take_parts(struct exposure *out, const struct work *w,
    const struct cover_set *chosen)
{
	struct exposure_part	*last;
	int			 i;

	for (i = 0; i < budgets_count(w->b); i++) {
		if (!cover_has(chosen, i))
			continue;
		if (out->n_parts < EXPOSURE_PARTS_MAX) {
			out->parts[out->n_parts++] = budgets_at(w->b,
			    i)->part;
			continue;
		}
		last = &out->parts[EXPOSURE_PARTS_MAX - 1];
		(void)snprintf(last->rule, sizeof(last->rule), "all others");
		last->where[0] = last->what[0] = '\0';
		last->sat = amount_add_saturate(last->sat,
		    budgets_at(w->b, i)->sat);
	}
}

/* S30: value . ripe(age), rounded up. */
static int64_t
ripe(const struct trust *t, int64_t sat, int64_t age_ms)
{
	int64_t	 full = t->full_ms > t->after_ms ? t->full_ms - t->after_ms :
	    1;
	int64_t	 part = age_ms - t->after_ms;

	return part >= full ? sat : part <= 0 ? 0 :
	    amount_add_saturate(muldiv(sat, part, full), 1);
}

/*
 * Trust opens nothing to somebody who begins now: an address of his must
 * first be paid unproven, and what was paid, proven or not, ripens from Q
 * on (S30).  With U paid unproven, until x there is credit for at most
 *	ripe(x) U + ripe(x - Q) P(x - Q)
 * and that much may go out on trust in the time in which what is used is
 * remembered; P, all that goes out on trust, is the sum of it over these
 * times, and 0 until Q.  P is found at the end and in steps of Q before it;
 * between two steps it is at most what it is at the later one.
 */
static int64_t
trusted_sat(const struct work *w, int64_t unproven_sat)
{
	const struct trust	*t = &w->p->trust;
	int64_t			 p[GENERATIONS_MAX + 1] = { 0 };
	int64_t			 x, y, sum, q = t->after_ms, k;

	if (w->horizon_ms / q > GENERATIONS_MAX || t->used_ms <= 0)
		return INT64_MAX;
	/* p[k]: until k times Q before the end. */
	for (k = w->horizon_ms / q; k >= 0; k--) {
		sum = 0;
		for (x = w->horizon_ms - k * q; x > q; x -= t->used_ms) {
			y = x - q;
			sum = amount_add_saturate(sum,
			    ripe(t, unproven_sat, x));
			if (y > q)
				sum = amount_add_saturate(sum, ripe(t,
				    p[(w->horizon_ms - y) / q], y));
		}
		p[k] = sum;
	}
	return p[0];
}

static void
add_trust(struct exposure *out, const struct work *w, int64_t sat)
{
	struct exposure_part	*part;

	if (sat == 0)
		return;
	part = &out->parts[out->n_parts < EXPOSURE_PARTS_MAX ?
	    out->n_parts++ : EXPOSURE_PARTS_MAX - 1];
	memset(part, 0, sizeof(*part));
	(void)snprintf(part->rule, sizeof(part->rule), "trust");
	(void)policy_where(w->p, w->p->trust.pos, part->where,
	    sizeof(part->where));
	(void)snprintf(part->what, sizeof(part->what),
	    "what was paid unproven and has ripened, again");
	part->sat = sat;
}

static void
answer(struct work *w, struct exposure *out)
{
	struct cover_set	 of_all, of_unproven;
	int64_t			 all, unproven, trusted = 0;
	int			 i;

	for (i = 0; i < budgets_count(w->b); i++)
		w->prices[i] = budgets_at(w->b, i)->sat;
	all = w->proven_hole ? INT64_MAX : cover_cheapest(&w->all, w->prices,
	    budgets_count(w->b), &of_all);
	unproven = cover_cheapest(&w->unproven, w->prices,
	    budgets_count(w->b), &of_unproven);
	if (trust_is_earned(w))
		trusted = trusted_sat(w, unproven);
	out->sat = amount_add_saturate(unproven, trusted);
	if (all < out->sat) {
		out->sat = all;
		take_parts(out, w, &of_all);
	} else {
		take_parts(out, w, &of_unproven);
		add_trust(out, w, trusted);
	}
	out->unbounded = out->sat == INT64_MAX;
	if (out->unbounded)
		(void)snprintf(out->hole, sizeof(out->hole), "%s",
		    w->p->classes[CLASS_PROVEN].name);
	out->capped = out->sat >= w->s->hot_sat;
}

/* The case whose cheapest budget is the dearest. */
static void
widest(struct work *w, struct exposure *out)
{
	struct cover_set	 set;
	int64_t			 best, most = -1;
	size_t			 k;
	int			 i;

	for (k = 0; k < cases_count(w->c); k++) {
		cases_select(w->c, k);
		if (!cases_may_leave(w->c) || (cases_proven(w->c) &&
		    trust_is_earned(w)) || !budgets_of_case(w->b, &set))
			continue;
		best = INT64_MAX;
		for (i = 0; i < budgets_count(w->b); i++)
			if (cover_has(&set, i) && w->prices[i] < best)
				best = w->prices[i];
		if (best <= most)
			continue;
		most = best;
		cases_describe(w->c, out->door, sizeof(out->door));
	}
}

/* A policy that only watches bounds nothing; false then. */
static bool
enforces(const struct policy *p, struct exposure *out)
{
	char	 amount[AMOUNT_TEXT_MAX];

	if (p->mode == MODE_ENFORCE && p->enforce_above_sat == 0)
		return true;
	out->unbounded = true;
	if (p->mode != MODE_ENFORCE)
		(void)snprintf(out->hole, sizeof(out->hole),
		    "anything: the policy does not enforce");
	else
		(void)snprintf(out->hole, sizeof(out->hole),
		    "amounts up to %s btc: the policy enforces above that",
		    amount_format_short(amount, p->enforce_above_sat));
	return false;
}

static enum rc
compute(struct work *w, struct exposure *out, struct err *e)
{
	struct cases_facts	 f = { .hot_sat = w->s->hot_sat,
		.fund_sat = w->s->fund_sat,
		.limits_known = w->s->limits_sat >= 0,
		.platform_age_ms = w->s->platform_age_ms,
		.span_ms = w->horizon_ms };
	enum rc			 rc;
	size_t			 k;

	/* Nothing ripens: no address of his was paid Q ago. */
	f.no_credit = trust_is_earned(w) &&
	    w->horizon_ms <= w->p->trust.after_ms;
	if ((rc = cases_new(&w->c, w->p, &f, e)) != RC_OK ||
	    (rc = budgets_new(&w->b, w->p, w->s, w->c, w->horizon_ms, e)) !=
	    RC_OK)
		return rc;
	for (k = 0; k < cases_count(w->c); k++) {
		cases_select(w->c, k);
		if (!sort_case(w, out, &rc, e))
			return rc;
	}
	w->prices = calloc(COVER_THINGS, sizeof(*w->prices));
	if (w->prices == NULL)
		return err_set(e, "out of memory");
	answer(w, out);
	widest(w, out);
	return RC_OK;
}

enum rc
exposure_compute(struct exposure *out, const struct policy *p,
    const struct exposure_state *s, int64_t horizon_ms, struct err *e)
{
	struct work	 w = { .p = p, .s = s, .horizon_ms = horizon_ms };
	enum rc		 rc = RC_OK;

	memset(out, 0, sizeof(*out));
	out->horizon_ms = horizon_ms;
	if (enforces(p, out))
		rc = compute(&w, out, e);
	cover_free(&w.all);
	cover_free(&w.unproven);
	free(w.prices);
	budgets_free(&w.b);
	cases_free(&w.c);
	if (out->unbounded)
		out->sat = INT64_MAX;
	return rc;
}
