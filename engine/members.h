/*
 * How many different ones were seen in a window: `distinct` (S17).
 *
 * Members are interned numbers (of accounts, destinations, networks, keys),
 * never hashes, so that nobody can make two look like one.  Time is cut into
 * buckets as in window.h: a member counts for W to W + W/B after it was seen
 * last.  Exact up to the cap.  Beyond it the member seen longest ago makes
 * room and the reading is "more than anything", INT64_MAX, until that one
 * would have aged out: so the reading is INT64_MAX exactly while more than
 * `cap` were seen.
 *
 * For stage `committed` a member that has withdrawals waiting does not age.
 *
 * Two layouts, both flat and both valid and empty when all zero:
 *
 *  few	  up to MEMBERS_FEW_MAX inside the caller's record, read by
 *	  looking at each;
 *  many  up to MEMBERS_MANY_MAX in a block of its own: a hash table and a
 *	  list a bucket, so that every step is O(1) amortised.
 *
 * Reading never changes anything.  Times never go back.
 */
#ifndef ENGINE_MEMBERS_H
#define ENGINE_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/window.h"

#define MEMBERS_FEW_MAX		64
#define MEMBERS_MANY_MAX	65536

struct members_shape {
	struct window_shape window;	/* its `money` is not used */
	uint32_t	cap;
	bool		waiting;	/* stage committed: keeps counts of
					 * what waits for each member */
};

/*
 * Few: `m` are members_words(s) uint32_t in the caller's record.
 */
size_t members_words(const struct members_shape *s);

/* `member` is seen at t. */
void members_touch(const struct members_shape *s, uint32_t *m,
    uint32_t member, int64_t t_ms);
/* How many; INT64_MAX for more than the cap. */
int64_t members_count(const struct members_shape *s, const uint32_t *m,
    int64_t t_ms);
bool members_contains(const struct members_shape *s, const uint32_t *m,
    uint32_t member, int64_t t_ms);
/* How many with this one (S9). */
int64_t members_count_with(const struct members_shape *s, const uint32_t *m,
    uint32_t member, int64_t t_ms);

/*
 * One withdrawal of `member` begins to wait, stops waiting without a release,
 * or is released (S10).  Only for shapes with `waiting`; none of them can
 * fail: a reservation for which there is no room makes the count INT64_MAX
 * until it ends.
 */
void members_reserve(const struct members_shape *s, uint32_t *m,
    uint32_t member, int64_t t_ms);
void members_drop(const struct members_shape *s, uint32_t *m,
    uint32_t member, int64_t t_ms);
void members_move(const struct members_shape *s, uint32_t *m,
    uint32_t member, int64_t t_ms);

/* True when nothing in it counts at t: the record may be dropped. */
bool members_empty(const struct members_shape *s, const uint32_t *m,
    int64_t t_ms);

/*
 * Many: `m` is members_many_bytes(s) bytes, aligned to 8, all zero at first.
 * The same meanings.
 */
size_t members_many_bytes(const struct members_shape *s);
void members_many_touch(const struct members_shape *s, void *m,
    uint32_t member, int64_t t_ms);
/* Let go of what has left the window, so that reading need not step over
 * it.  Changes nothing that is read at t or later. */
void members_many_forget(const struct members_shape *s, void *m,
    int64_t t_ms);
int64_t members_many_count(const struct members_shape *s, const void *m,
    int64_t t_ms);
bool members_many_contains(const struct members_shape *s, const void *m,
    uint32_t member, int64_t t_ms);
int64_t members_many_count_with(const struct members_shape *s, const void *m,
    uint32_t member, int64_t t_ms);
void members_many_reserve(const struct members_shape *s, void *m,
    uint32_t member, int64_t t_ms);
void members_many_drop(const struct members_shape *s, void *m,
    uint32_t member, int64_t t_ms);
void members_many_move(const struct members_shape *s, void *m,
    uint32_t member, int64_t t_ms);

#endif
