/*
 * Exposure: for a policy and the present state, the most that somebody with
 * every customer's credentials can take in a given time, and which rules
 * bound it.
 *
 * How.  The facts that the classes and the rules ask about divide all
 * possible withdrawals into finitely many cases (`small and not proven`,
 * `outlay between 0.5 and 20 btc`, ...).  A thief chooses his case freely.
 * A case in which some hold, deny or halt speaks whatever the counters are,
 * or in which no allow does, lets nothing leave without people.  For every
 * other case each rule of the shape `... and sum committed on platform in W
 * of CLASS > T` is a budget: together, the cases that belong to it lose at
 * most T in any W.  The answer is the cheapest set of budgets that covers
 * every case: a sum of numbers, each with the rule it comes from.
 *
 * It is an upper bound by construction: what is not understood (a lot, a
 * chance, a second aggregate in the same rule) counts as no protection.
 * Releases by people are not in it: they are bounded by the ceilings.
 */
#ifndef SIM_EXPOSURE_H
#define SIM_EXPOSURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/err.h"
#include "policy/ast.h"

struct exposure_state {
	int64_t	hot_sat;
	int64_t	fund_sat;	/* -1: unknown */
	int64_t	accounts;	/* how many customers there are */
	int64_t	limits_sat;	/* sum of their daily limits, -1 unknown */
	/*
	 * The highest that the normal of an aggregate may read within the
	 * horizon, -1 when not learnt.  NULL: nothing is learnt.
	 */
	int64_t	(*normal)(void *ctx, const struct agg *agg,
	    int64_t horizon_ms);
	void	*ctx;
};

#define EXPOSURE_PARTS_MAX	32

struct exposure_part {
	char	rule[64];	/* "budget day", "ceiling", "outlay" */
	char	where[96];	/* "default.policy:42" */
	char	what[96];	/* "sum committed on platform in 24h" */
	int64_t	sat;		/* its share of the answer */
};

struct exposure {
	int64_t	horizon_ms;
	bool	unbounded;
	char	hole[256];	/* unbounded: the case that nothing bounds */
	int64_t	sat;		/* never above hot_sat */
	bool	capped;		/* the parts sum to more than the wallet */
	struct exposure_part parts[EXPOSURE_PARTS_MAX];
	int	n_parts;
};

enum rc exposure_compute(struct exposure *out, const struct policy *p,
    const struct exposure_state *s, int64_t horizon_ms, struct err *e)
    MUST_CHECK;

#endif
