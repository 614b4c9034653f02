/*
 * What against.c and against_cond.c share.
 */
#ifndef POLICY_AGAINST_IN_H
#define POLICY_AGAINST_IN_H

#include "lib/err.h"
#include "policy/against.h"

/* What a change does to how often a condition is true. */
enum width { WIDTH_WIDER, WIDTH_NARROWER, WIDTH_UNKNOWN };

struct against_walk {
	const struct policy *old;
	const struct policy *new;
	void		 (*emit)(void *, const struct against_change *);
	void		*ctx;
	struct against_counts counts;
	/* Of what is being compared. */
	char		 subject[128];
	struct pos	 pos;
	bool		 of_old;	/* pos is in the old policy */
	/* A wider condition accuses more; else it excuses more. */
	bool		 accuses;
	const char	*through;	/* the class or table, or NULL */
	/* Inside something whose two sides move together: any difference
	 * there is of unknown direction. */
	bool		 unsure;
	/* Walked already: a bit for `negate` and `unsure`, by `accuses`. */
	unsigned char	 seen_class[CLASSES_MAX][2];
	unsigned char	 seen_table[TABLES_MAX][2];
};

void against_say(struct against_walk *w, enum against direction,
    const char *fmt, ...) PRINTF(3, 4);

/*
 * Two conditions of the same subject; NULL is always true.  `negate`: they
 * stand under an odd number of `not`.
 */
void against_cond(struct against_walk *w, const struct cond *old,
    const struct cond *new, bool negate);

/*
 * A limit that counts the more the smaller it is: tightens when lower.
 * Shares and coins cannot be compared: loosens.
 */
void against_limit(struct against_walk *w, const char *what,
    const struct quantity *old, const struct quantity *new);

#endif
