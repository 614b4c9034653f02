/*
 * What a policy watches, and what may leave unwatched.
 *
 * A watch is a comparison inside a rule that is true above a threshold of an
 * aggregate: `sum committed on platform in 24h of large > 2 % of hot`.  It is
 * a budget when the threshold is coins or a share, a line when it follows a
 * normal.  The warnings, `check --cost` and `exposure` ask about them.
 */
#ifndef POLICY_WATCH_H
#define POLICY_WATCH_H

#include "policy/ast.h"

#define WATCHES_MAX	512

struct watch {
	int		 rule;
	const struct cond *atom;	/* in the rule's own condition */
	struct agg	 agg;
	bool		 line;
	/* The threshold: all zero when it is neither constant nor share. */
	int64_t		 limit;		/* satoshi or a count */
	int64_t		 hot_ppm;
	int64_t		 fund_ppm;
	int64_t		 less_ppm;
};

/*
 * All watches of rules that are not `shadow` and not `allow`.  For a line
 * the threshold is what holds until it is learnt.  Returns how many.
 */
int watch_list(const struct policy *p, struct watch *out, int max);

/* A quantity as constant or share; false when it is neither. */
bool watch_limit(const struct policy *p, const struct quantity *q,
    struct watch *out);

/*
 * Does it watch everything in `region`: whenever a withdrawal of the region
 * crosses the threshold the rule speaks, and all of the region is counted?
 */
bool watch_covers(const struct policy *p, const struct watch *w,
    const struct cond *region);

/* Nothing of the region leaves without people: some rule always holds it,
 * or no `allow` can match.  A NULL region is every withdrawal. */
bool watch_held(const struct policy *p, const struct cond *region);

/* The classes that a condition itself names, a bit each; NULL: none. */
uint64_t watch_classes(const struct cond *c);

/* How many of its windows a day may use up. */
int watch_windows_a_day(int64_t window_ms);

/* At least as severe; people and delays counted. */
bool watch_as_severe(const struct rule *a, const struct rule *b);

/*
 * W13, the number in the promise: what can leave within 24h with no line
 * crossed and nobody asked.  Every withdrawal falls into a cell (which
 * classes it is in, which not); a cell from which something can leave at
 * once must be covered by some budget of the platform, and the cheapest set
 * of budgets that covers all cells is the bound.  Lines are asked only where
 * budgets do not reach.  A policy of more cells than can be gone through is
 * cut into coarser ones: by the classes that the rules of budgets over all
 * that is not proven speak of.
 *
 * What is proven stands apart: it goes where as much went before and stayed
 * unchallenged, to each pair of account and destination at most the trust's
 * cap (S30, S31).  The ceiling is over both.
 */
struct promise_bound {
	bool		 bounded;
	int64_t		 sat;		/* the sum of coins and shares */
	int64_t		 hot_ppm;
	int64_t		 fund_ppm;
	int		 rules[16];	/* what bounds it */
	int		 n_rules;
};

struct promise {
	/* Of what is not proven. */
	struct promise_bound all;
	int64_t		 exempt_sat;	/* of all.sat, through exemptions */
	/*
	 * Budgets alone do not bound it, a line is in it: it may grow.  Then
	 * `gap` is what all withdrawals that only a line bounds have in
	 * common ("not settled"; may be empty), and `rest` the bound of the
	 * others, which needs no line.
	 */
	bool		 by_line;
	char		 gap[200];
	struct promise_bound rest;
	/* The widest door: a cell that nothing covers, or, if there is none,
	 * the one whose cheapest budget is the largest. */
	char		 cell[200];
	/* Proven withdrawals may leave without any sum of the platform. */
	bool		 proven_open;
	/* The ceilings' bound over everything, in 24h. */
	bool		 has_ceiling;
	int64_t		 ceiling_sat;
	int64_t		 ceiling_hot_ppm;
};

/* "5 btc + 2 % of hot, by "a", "b"".  Returns buf. */
char *watch_bound_text(const struct policy *p, const struct promise_bound *b,
    char *buf, size_t buf_len);

/* hot_sat weighs shares against coins; -1: as if 10,000 btc. */
void watch_promise(const struct policy *p, int64_t hot_sat,
    struct promise *out);

#endif
