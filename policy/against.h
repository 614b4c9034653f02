/*
 * Which changes of a policy tighten and which loosen (S48, safety C7).
 *
 * Mechanical: the two trees are walked side by side and every difference has
 * a direction from a table; what the table does not know loosens.  A name is
 * followed to all that reads it: a class that a `hold` reads and that became
 * wider tightens, the same class read by an `allow` loosens, and both is
 * said twice.  What tightens may be in force at once; one loosening makes
 * the whole policy wait for a second person.
 */
#ifndef POLICY_AGAINST_H
#define POLICY_AGAINST_H

#include "policy/ast.h"

enum against {
	AGAINST_NEUTRAL,	/* nobody reads it */
	AGAINST_TIGHTENS,
	AGAINST_LOOSENS,
};

struct against_change {
	enum against	 direction;
	/* In the new policy; in the old one for what is gone. */
	char		 where[128];
	char		 subject[128];	/* rule "pile-up" */
	char		 reason[400];	/* window 6h, was 24h */
};

struct against_counts {
	int		 neutral;
	int		 tightens;
	int		 loosens;
};

const char *against_text(enum against a);	/* "tightens" */

/* emit() hears every change, in the order of the walk; NULL for none. */
void against_compare(const struct policy *old, const struct policy *new,
    void (*emit)(void *ctx, const struct against_change *change), void *ctx,
    struct against_counts *counts_out);

/* A line a change and a line that sums up. */
void against_print(const struct policy *old, const struct policy *new,
    FILE *out, struct against_counts *counts_out);

#endif
