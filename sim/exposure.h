/*
 * Exposure: for a policy and the present state, the most that somebody with
 * every customer's credentials can take in a given time, and which rules
 * bound it.
 *
 * How.  The facts that the classes and the rules ask about divide all
 * possible withdrawals into finitely many cases (`small and not proven`,
 * `outlay between 0.5 and 20 btc`, ...: cases.h).  A thief chooses his case
 * freely.  A case in which some hold, deny or halt speaks whatever the
 * counters are, or in which no allow does, lets nothing leave without
 * people.  For every other case, budget.h says what is a budget: together,
 * the cases that belong to it lose at most so much.  The answer is the
 * cheapest set of budgets that covers every case: a sum of numbers, each
 * with the rule it comes from.
 *
 * It is an upper bound by construction: what is not understood (a lot, a
 * chance, a second aggregate in the same rule) counts as no protection.
 * What people let go is not in it, by a release or by ending a halt: the
 * ceilings alone bound that.  Neither is what somebody made ready who began
 * earlier: addresses of his that have ripened already.
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
	int64_t	hot_sat;	/* the most it will read meanwhile */
	int64_t	fund_sat;	/* -1: unknown */
	int64_t	accounts;	/* the thief's own included */
	int64_t	limits_sat;	/* sum of their daily limits; -1: unknown,
				 * or somebody has none */
	int64_t	platform_age_ms;	/* -1: unknown */
	/*
	 * The highest that the normal of an aggregate may read within the
	 * horizon, -1 when not learnt.  NULL: nothing is learnt.
	 */
	int64_t	(*normal)(void *ctx, const struct agg *agg,
	    int64_t horizon_ms);
	/* The sum of all accounts' `habit` (or `habit unproven`) at its
	 * highest within the horizon, -1 unknown.  NULL: unknown. */
	int64_t	(*habits)(void *ctx, bool unproven, int64_t horizon_ms);
	void	*ctx;
};

#define EXPOSURE_PARTS_MAX	32

struct exposure_part {
	char	rule[96];	/* "budget day", "ceiling" */
	char	where[96];	/* "default.policy:42" */
	char	what[160];	/* "sum committed on platform in 24h" */
	int64_t	sat;		/* its share of the answer */
};

struct exposure {
	int64_t	horizon_ms;
	bool	unbounded;
	char	hole[256];	/* unbounded: the case that nothing bounds */
	int64_t	sat;		/* what the rules bound it to */
	char	door[256];	/* bounded: the case through which most may
				 * leave, by what bounds it best */
	bool	capped;		/* that is no less than the wallet holds: all
				 * of it, and what is filled in meanwhile */
	struct exposure_part parts[EXPOSURE_PARTS_MAX];
	int	n_parts;	/* when there were too many, the last is
				 * the sum of the rest */
};

enum rc exposure_compute(struct exposure *out, const struct policy *p,
    const struct exposure_state *s, int64_t horizon_ms, struct err *e)
    MUST_CHECK;

#endif
