/*
 * Budgets: what bounds the sum of some of a policy's cases over a horizon.
 *
 *  - `sum asked/committed on platform in W > T` in a severe rule, where the
 *    case makes all else in the rule certain: T in each W;
 *  - the same by account: T, or N x its limit, times the accounts;
 *  - `count ...`: T times the most that one withdrawal is;
 *  - `distinct accounts ...`: T times what one account may, by a class;
 *  - a class: `outlay < 0.5 btc`, times the accounts; "not rush";
 *  - a rule that holds a case as a whole, for what is exempted from it;
 *  - a ceiling.
 *
 * For `asked` the horizon is longer by the longest wait: what was asked for
 * before it may leave within it.  `released` bounds only where the rule is
 * asked again, with the same answers, at the release.
 */
#ifndef SIM_BUDGET_H
#define SIM_BUDGET_H

#include "sim/cases.h"
#include "sim/cover.h"
#include "sim/exposure.h"

struct budget {
	int64_t			 sat;	/* within the horizon */
	struct exposure_part	 part;
};

struct budgets;

/* *c and *s are borrowed. */
enum rc budgets_new(struct budgets **out, const struct policy *p,
    const struct exposure_state *s, struct cases *c, int64_t horizon_ms,
    struct err *e) MUST_CHECK;
void budgets_free(struct budgets **b);

/* Which budgets hold the case that is selected; false: none does. */
bool budgets_of_case(struct budgets *b, struct cover_set *out);

/* When all cases were asked for: how many there are, and each. */
int budgets_count(const struct budgets *b);
const struct budget *budgets_at(const struct budgets *b, int i);

/* The longest that something waits before it leaves by itself. */
int64_t budgets_wait_ms(const struct policy *p);

#endif
