/*
 * Intervals between fractions, for imply.c.
 */
#ifndef POLICY_INTERVAL_H
#define POLICY_INTERVAL_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/words.h"

/* Numerator and denominator of any bound are at most this. */
#define INTERVAL_NUM_MAX	(INT64_C(1) << 62)

/* num/den; den 0: no bound on that side. */
struct bound {
	int64_t		 num;
	int64_t		 den;
	bool		 strict;
};

/* X between lo and hi times Y; both are numbers of bases (imply.c). */
struct range {
	int		 x;
	int		 y;
	struct bound	 lo;
	struct bound	 hi;
};

/* Negative, 0 or positive: a/b against c/d. */
int interval_cmp(int64_t a, int64_t b, int64_t c, int64_t d);

/* num/den reduced; false when it does not fit. */
bool interval_fraction(__int128 num, __int128 den, struct bound *out);

bool interval_empty(const struct range *r);

/* Against a constant the values are whole: > 1 is >= 2. */
void interval_whole(struct bound *b, bool is_lo);

void interval_raise(struct range *r, struct bound lo);
void interval_lower(struct range *r, struct bound hi);

/* `a > b` is `b < a`. */
enum relop relop_mirror(enum relop rel);
/* Not `>` is `<=`; = stays, as its opposite is two tests. */
enum relop relop_opposite(enum relop rel);
/* Of the sign of a comparison. */
bool relop_holds(int cmp, enum relop rel);

#endif
