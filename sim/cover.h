/*
 * The cheapest choice of priced things such that every one of some sets has
 * at least one of them (a hitting set).  Exact as far as a bounded search
 * goes; what it returns always hits every set.
 */
#ifndef SIM_COVER_H
#define SIM_COVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

#define COVER_WORDS	16
#define COVER_THINGS	(COVER_WORDS * 64)

struct cover_set {
	uint64_t	w[COVER_WORDS];
};

static inline void
cover_put(struct cover_set *s, int thing)
{
	s->w[thing / 64] |= UINT64_C(1) << (thing % 64);
}

static inline bool
cover_has(const struct cover_set *s, int thing)
{
	return (s->w[thing / 64] >> (thing % 64) & 1) != 0;
}

/* Sets of which none contains another: who hits these hits all added. */
struct cover {
	struct cover_set	*sets;
	size_t			 n;
	size_t			 cap;
};

/* s must not be empty. */
enum rc cover_add(struct cover *c, const struct cover_set *s, struct err *e)
    MUST_CHECK;
void cover_free(struct cover *c);

/* prices[0 .. n_things - 1] >= 0.  Returns the sum of what is chosen; equal
 * prices are taken in order of number. */
int64_t cover_cheapest(const struct cover *c, const int64_t *prices,
    int n_things, struct cover_set *chosen_out);

#endif
