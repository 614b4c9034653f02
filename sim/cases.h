/*
 * The cases into which a policy divides all withdrawals, for exposure.
 *
 * A case fixes everything that the classes and the allow rules ask about the
 * withdrawal itself (flags, and between which two thresholds each quantity
 * lies).  What a case does not fix is undecided, and a thief may have it
 * either way.
 */
#ifndef SIM_CASES_H
#define SIM_CASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "policy/ast.h"

struct cases;

/* Shares become amounts at these sizes; fund_sat -1: unknown.  Fails when
 * the policy makes more than 65,536 cases. */
enum rc cases_new(struct cases **out, const struct policy *p,
    int64_t hot_sat, int64_t fund_sat, bool limits_known, struct err *e)
    MUST_CHECK;
void cases_free(struct cases **c);
size_t cases_count(const struct cases *c);

/* Could this case be released without people, were every counter empty? */
bool cases_may_leave(const struct cases *c, size_t k);

/* Is it a case of `proven` withdrawals? */
bool cases_proven(const struct cases *c, size_t k);

/* Is every withdrawal of this case counted by that aggregate? */
bool cases_in_class(const struct cases *c, size_t k, const struct agg *a);

/*
 * The most that one account can send within this case in 24 hours, when the
 * case itself bounds a sum that it belongs to; -1 otherwise.
 */
int64_t cases_account_day_sat(const struct cases *c, size_t k);

/* "not proven, outlay from 0.5 btc to 20 btc". */
void cases_describe(const struct cases *c, size_t k, char *buf, size_t len);

#define LITERALS_MAX		32
#define ALTERNATIVES_MAX	64

/* A condition as "or" of "and"s of tests, `not` pushed down to the tests. */
struct alternative {
	const struct cond	*test[LITERALS_MAX];
	bool			 negated[LITERALS_MAX];
	int			 n;
};

struct alternatives {
	struct alternative	 alt[ALTERNATIVES_MAX];
	int			 n;
};

/* False when it does not fit; NULL is "always": one empty alternative. */
bool cases_alternatives(const struct cond *cond, struct alternatives *out);

/*
 * In case k, is all of the alternative certain but for at most one test?
 * *left_out is that test, or NULL when everything is certain.  False when
 * something in it is false, or more than one test is undecided.
 */
bool cases_one_left(const struct cases *c, size_t k,
    const struct alternative *alt, const struct cond **left_out);

/* The quantity behind names, and the product of all `N x` on the way. */
const struct quantity *cases_resolve(const struct policy *p,
    const struct quantity *q, int64_t *times_out);

/* Is this `N x limit of account`?  *times_out is N. */
bool cases_is_limit(const struct policy *p, const struct quantity *q,
    int64_t *times_out);

/* What exemptions may take past that rule in one horizon; 0 for none. */
int64_t cases_exempt_sat(const struct policy *p, int rule,
    int64_t horizon_ms);

#endif
