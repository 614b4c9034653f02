/*
 * What one account has earned with one destination (S30 to S33).
 *
 * credit = the sum over past releases of v * ripe(age), where ripe is 0
 * before `quiet` (Q), then rises linearly to 1 at `full` (F).  A withdrawal
 * is proven when what went out *on trust* to that destination within `used`
 * (U), what waits and this one included, is at most min(credit, C).
 *
 * The record keeps less than the formula needs and rounds down: payments are
 * put into cells of F/3 on a fixed grid, each cell ripens by the age of the
 * youngest that it could hold, and what is older than F is one total.  What
 * went out on trust is kept in cells of U/3, of which four are kept, and
 * rounds up.  All times are kept in whole seconds, all amounts in units of
 * 1,000 sat.
 *
 * Trust is taken back lazily: the account carries the time of its last
 * security change, denial by a person or fraud report, the destination the
 * time of its last confirmed fraud, and each call here compares them with
 * the time at which the pair was last written.  Both are given as 0 when it
 * never happened.
 */
#ifndef ENGINE_TRUST_H
#define ENGINE_TRUST_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/amount.h"

#define TRUST_UNIT_SAT	1000
/* No credit is believed above this; it keeps every cell within 32 bits. */
#define TRUST_SAT_MAX	(INT64_C(42000) * SAT_PER_BTC)

/* The policy's line, made ready by trust_terms(). */
struct trust_terms {
	int64_t	quiet_s;	/* Q */
	int64_t	full_s;		/* F > Q */
	int64_t	green_s;	/* width of a green cell: ceil(F / 3) */
	int64_t	use_s;		/* width of a use cell: ceil(U / 3) */
	int64_t	upto_sat;	/* C */
};

/*
 * From the policy's durations, each rounded up to whole seconds.
 * 0 <= quiet < full, used > 0.
 */
struct trust_terms trust_terms(int64_t quiet_ms, int64_t full_ms,
    int64_t used_ms, int64_t upto_sat);

/*
 * A pair.  All zero but for the two numbers is a pair without credit.
 */
struct trust_pair {
	uint32_t	account;	/* index.h: the key of a pair */
	uint32_t	destination;
	uint32_t	at_s;		/* last written; cells end here */
	uint32_t	listed_s;	/* in the address book since; 0: not */
	uint32_t	green[4];	/* by cell number mod 4 */
	uint32_t	ripe;		/* older than F */
	uint32_t	use[4];		/* by cell number mod 4 */
	uint32_t	use_waiting;	/* on trust, waiting */
};
_Static_assert(sizeof(struct trust_pair) == 56, "a pair is 56 bytes");

/* When trust was taken back; 0: never. */
struct trust_resets {
	int64_t	restart_ms;	/* of the account: ripens anew from here */
	int64_t	zero_ms;	/* of the destination: all credit is gone */
};

/* S30's credit at t, at most TRUST_SAT_MAX; never above the formula. */
int64_t trust_credit_sat(const struct trust_terms *s,
    const struct trust_pair *p, struct trust_resets r, int64_t t_ms);

/*
 * What went out on trust within U at t, and what waits; never below the
 * truth.
 */
int64_t trust_used_sat(const struct trust_terms *s, const struct trust_pair *p,
    int64_t t_ms);

/*
 * Is a withdrawal of this amount proven?  `waiting` says that it is itself
 * reserved already (S27), so that it is not counted twice.
 */
bool trust_proven(const struct trust_terms *s, const struct trust_pair *p,
    struct trust_resets r, int64_t t_ms, int64_t amount_sat, bool waiting);

/* A proven withdrawal begins to wait, or stops waiting without a release. */
void trust_use_reserve(struct trust_pair *p, int64_t amount_sat);
void trust_use_drop(struct trust_pair *p, int64_t amount_sat);

/* A proven withdrawal is released (after trust_use_drop() if it waited). */
void trust_use(const struct trust_terms *s, struct trust_pair *p,
    struct trust_resets r, int64_t t_ms, int64_t amount_sat);

/* Any withdrawal, proven or not, is released: credit begins to ripen. */
void trust_pay(const struct trust_terms *s, struct trust_pair *p,
    struct trust_resets r, int64_t t_ms, int64_t amount_sat);

/*
 * All that was ever paid and not taken back, ripe or not, in sat: 0 means
 * that this account never paid this destination.  When the pool of pairs is
 * full, the one with the least is forgotten (S33).
 */
int64_t trust_paid_sat(const struct trust_pair *p, struct trust_resets r);

#endif
