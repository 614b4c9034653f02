/*
 * The cases into which a policy divides all withdrawals, for exposure.
 *
 * A case fixes everything that the classes and the allow rules ask about the
 * withdrawal itself (flags, and between which two thresholds each quantity
 * lies), and what a class asks about everybody (`class rush when distinct
 * accounts asked on platform ... > normal ...`): a class is frozen at asking,
 * so each withdrawal is on one side of it, and a thief may choose which.
 * What a case does not fix is undecided, and a thief may have it either way.
 */
#ifndef SIM_CASES_H
#define SIM_CASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "policy/ast.h"
#include "sim/alternatives.h"

/* What is known beforehand, the same for every withdrawal. */
struct cases_facts {
	int64_t	hot_sat;
	int64_t	fund_sat;		/* -1: unknown */
	bool	limits_known;		/* every account has a limit above 0 */
	int64_t	platform_age_ms;	/* -1: unknown */
	int64_t	span_ms;		/* for so long something is asked */
	bool	no_credit;		/* nothing ripens in that time */
};

struct cases;

/* Fails when the policy makes more than 1,048,576 cases. */
enum rc cases_new(struct cases **out, const struct policy *p,
    const struct cases_facts *f, struct err *e) MUST_CHECK;
void cases_free(struct cases **c);
size_t cases_count(const struct cases *c);

/* From here on, what the functions below say is about case k. */
void cases_select(struct cases *c, size_t k);

/*
 * Could it be released without people, were every counter empty?  What only
 * a rule with an exemption holds may be.
 */
bool cases_may_leave(const struct cases *c);

/* Is it a case of `proven` withdrawals? */
bool cases_proven(const struct cases *c);

/* Is every withdrawal of this case counted by that aggregate? */
bool cases_in_class(const struct cases *c, const struct agg *a);

/* What divides the cases: 0 .. cases_vars() - 1. */
int cases_vars(const struct cases *c);

/*
 * Does the case itself say what one account asks for or commits to at most:
 * `outlay < 0.5 btc`?  Then the sum, what it stays at or below in the sum's
 * window, and in *cut the number of that threshold among the variable's.
 * *cut is -1 to begin with; called again, it goes on to the next, higher
 * threshold, which bounds more cases together.
 */
bool cases_account_most(const struct cases *c, int var,
    const struct agg **agg_out, int64_t *sat_out, int *cut);

/* The comparison of that variable, when the case says that its left side is
 * not above its right one; else NULL. */
const struct cond *cases_not_above(const struct cases *c, int var);

/* Between which the amount of a withdrawal of this case lies. */
void cases_amount(const struct cases *c, int64_t *least_out,
    int64_t *most_out);

/* "small and rush (outlay below 0.5)". */
void cases_describe(const struct cases *c, char *buf, size_t len);

/*
 * Is all of the alternative certain but for at most one comparison, without
 * which its left side is not above its right one?  *left_out is that, or
 * NULL when everything is certain.  False when something in it is false, or
 * more than one test is undecided.
 */
bool cases_one_left(const struct cases *c, const struct alternative *alt,
    const struct cond **left_out);

/* The quantity behind names, and the product of all `N x` on the way. */
const struct quantity *cases_resolve(const struct policy *p,
    const struct quantity *q, int64_t *times_out);

/* A rule that can bound anything: severe, in force, for ever, no lot. */
bool cases_rule_stops(const struct rule *r);

/* What exemptions may take past that rule in one horizon; 0 for none. */
int64_t cases_exempt_sat(const struct policy *p, int rule,
    int64_t horizon_ms);

#endif
