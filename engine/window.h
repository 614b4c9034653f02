/*
 * Rolling sums and counts that never forget too early (S15, S16).
 *
 * A window of W ms in B buckets has buckets of ceil(W/B) ms on a grid fixed
 * to 1970, and keeps B + 1 of them.  An event counts for at least W (one that
 * is exactly W old is still inside) and for less than (B + 1) * ceil(W/B).
 *
 * Two layouts, both flat, both valid and empty when all zero:
 *
 *  narrow  in accounts, keys, networks, groups, destinations; uint32_t
 *	    words: the newest bucket's number (mod 2^32), then B + 1 cells.
 *	    Money is kept in units of 1,000 sat, each event rounded up.  A
 *	    full cell stays full and the window then reads INT64_MAX.
 *  wide    for the platform; uint64_t words: the newest bucket's number,
 *	    the running total, then B + 1 cells.  Exact: units of 1 sat.
 *
 * Times given to one window never go back; wide ones assert it.
 *
 * Reading never changes a window.
 */
#ifndef ENGINE_WINDOW_H
#define ENGINE_WINDOW_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/amount.h"

/* What a narrow window counts money in. */
#define WINDOW_UNIT_SAT	1000
#define WINDOW_BUCKETS_MAX 1024

struct window_shape {
	int64_t		window_ms;
	int64_t		width_ms;	/* of a bucket: ceil(window / B) */
	uint32_t	buckets;	/* B */
	bool		money;		/* else counts */
};

/* window_ms > 0, 1 <= buckets <= WINDOW_BUCKETS_MAX. */
struct window_shape window_shape(int64_t window_ms, uint32_t buckets,
    bool money);

/* The bucket in which t lies. */
static inline int64_t
window_bucket(const struct window_shape *s, int64_t t_ms)
{
	return t_ms / s->width_ms;
}

/* Narrow: `w` are window_words(s) words in the caller's record. */
static inline size_t
window_words(const struct window_shape *s)
{
	return (size_t)s->buckets + 2;
}
void window_add(const struct window_shape *s, uint32_t *w, int64_t t_ms,
    int64_t amount);
int64_t window_read(const struct window_shape *s, const uint32_t *w,
    int64_t t_ms);
/* True when nothing in it counts at t: the record may be dropped. */
bool window_empty(const struct window_shape *s, const uint32_t *w,
    int64_t t_ms);

/* Wide: `w` are window_wide_words(s) words. */
static inline size_t
window_wide_words(const struct window_shape *s)
{
	return (size_t)s->buckets + 3;
}
void window_wide_add(const struct window_shape *s, uint64_t *w, int64_t t_ms,
    int64_t amount);
/* Let go of what has left the window, so that reading need not step over
 * it.  Changes nothing that is read at t or later. */
void window_wide_forget(const struct window_shape *s, uint64_t *w,
    int64_t t_ms);
int64_t window_wide_read(const struct window_shape *s, const uint64_t *w,
    int64_t t_ms);

/*
 * Stage `committed`: what was released in the window plus all that waits
 * now, however long ago it was asked for (S8, S10).  What waits is one exact
 * sum (or count) beside the window; it is reserved when the verdict is to
 * wait, dropped when that ends without a release, and moved into the window
 * when it is released.  Whoever is released at once is window_add()ed.
 */
static inline void
committed_reserve(int64_t *waiting, int64_t amount)
{
	bool	 over;

	/* All coins are 2^51 sat; a store of 2^32 waiting cannot get there
	 * but by a bug. */
	over = __builtin_add_overflow(*waiting, amount, waiting);
	assert(!over && amount >= 0);
}

static inline void
committed_drop(int64_t *waiting, int64_t amount)
{
	assert(amount >= 0 && *waiting >= amount);
	*waiting -= amount;
}

static inline void
committed_move(const struct window_shape *s, uint32_t *w, int64_t *waiting,
    int64_t t_ms, int64_t amount)
{
	committed_drop(waiting, amount);
	window_add(s, w, t_ms, amount);
}

static inline void
committed_wide_move(const struct window_shape *s, uint64_t *w,
    int64_t *waiting, int64_t t_ms, int64_t amount)
{
	committed_drop(waiting, amount);
	window_wide_add(s, w, t_ms, amount);
}

static inline int64_t
committed_read(const struct window_shape *s, const uint32_t *w,
    int64_t waiting, int64_t t_ms)
{
	return amount_add_saturate(window_read(s, w, t_ms), waiting);
}

static inline int64_t
committed_wide_read(const struct window_shape *s, const uint64_t *w,
    int64_t waiting, int64_t t_ms)
{
	return amount_add_saturate(window_wide_read(s, w, t_ms), waiting);
}

#endif
