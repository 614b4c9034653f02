#include <assert.h>
#include <string.h>

#include "engine/window.h"

struct window_shape
window_shape(int64_t window_ms, uint32_t buckets, bool money)
{
	assert(window_ms > 0);
	assert(buckets >= 1 && buckets <= WINDOW_BUCKETS_MAX);
	return (struct window_shape){
		.window_ms = window_ms,
		/* Rounded up: B buckets never cover less than W. */
		.width_ms = (window_ms + buckets - 1) / buckets,
		.buckets = buckets,
		.money = money,
	};
}

/*
 * Narrow: only 32 bits of the newest bucket's number are kept.  Those that
 * are missing come from the present: the window is taken to be less than
 * 2^32 buckets old.  Where that is wrong (17 years, for buckets of 125 ms),
 * old events count again, which is the safe side.
 */
static inline uint32_t
age_of(const uint32_t *w, int64_t now)
{
	return (uint32_t)now - w[0];
}

/* An amount in cell units, rounded up; a full cell has no upper end. */
static inline uint32_t
narrow_units(const struct window_shape *s, int64_t amount)
{
	assert(amount >= 0);
	if (s->money)
		amount = amount / WINDOW_UNIT_SAT +
		    (amount % WINDOW_UNIT_SAT != 0);
	return amount > UINT32_MAX ? UINT32_MAX : (uint32_t)amount;
}

void
window_add(const struct window_shape *s, uint32_t *w, int64_t t_ms,
    int64_t amount)
{
	int64_t		 now = window_bucket(s, t_ms);
	uint32_t	 cells = s->buckets + 1, age = age_of(w, now);
	uint32_t	 at = (uint32_t)(now % cells), units;
	uint32_t	*cell = &w[1 + at];

	if (age >= cells) {
		memset(&w[1], 0, cells * sizeof(*w));
	} else {
		/* The cells from the newest bucket's to now's are to be
		 * used anew. */
		for (; age > 0; age--) {
			w[1 + at] = 0;
			at = at == 0 ? cells - 1 : at - 1;
		}
	}
	w[0] = (uint32_t)now;
	units = narrow_units(s, amount);
	if (__builtin_add_overflow(*cell, units, cell))
		*cell = UINT32_MAX;
}

int64_t
window_read(const struct window_shape *s, const uint32_t *w, int64_t t_ms)
{
	int64_t		 now = window_bucket(s, t_ms), sum = 0;
	uint32_t	 cells = s->buckets + 1, age = age_of(w, now);
	uint32_t	 at, left, cell;

	if (age >= cells)
		return 0;
	/* From the newest back, as many as still count. */
	at = (uint32_t)((now - age) % cells);
	for (left = cells - age; left > 0; left--) {
		cell = w[1 + at];
		if (cell == UINT32_MAX)
			return INT64_MAX;
		sum += cell;
		at = at == 0 ? cells - 1 : at - 1;
	}
	return s->money ? sum * WINDOW_UNIT_SAT : sum;
}

bool
window_empty(const struct window_shape *s, const uint32_t *w, int64_t t_ms)
{
	return window_read(s, w, t_ms) == 0;
}

/* Wide: [0] newest bucket, [1] total, then the cells. */
static inline int64_t
wide_age(const uint64_t *w, int64_t now)
{
	int64_t	 age = now - (int64_t)w[0];

	assert(age >= 0);
	return age;
}

/* What the cells hold that are out of the window at `now`. */
static uint64_t
wide_gone(const struct window_shape *s, const uint64_t *w, int64_t now,
    int64_t age)
{
	uint32_t	 cells = s->buckets + 1;
	uint32_t	 at = (uint32_t)(now % cells);
	uint64_t	 gone = 0;

	for (; age > 0; age--) {
		gone += w[2 + at];
		at = at == 0 ? cells - 1 : at - 1;
	}
	return gone;
}

/* The newest bucket is now's. */
static void
wide_advance(const struct window_shape *s, uint64_t *w, int64_t now)
{
	int64_t		 age = wide_age(w, now);
	uint32_t	 cells = s->buckets + 1, at;

	if (age == 0)
		return;
	if (age >= cells) {
		memset(&w[1], 0, (cells + 1) * sizeof(*w));
	} else {
		at = (uint32_t)(now % cells);
		for (; age > 0; age--) {
			w[1] -= w[2 + at];
			w[2 + at] = 0;
			at = at == 0 ? cells - 1 : at - 1;
		}
	}
	w[0] = (uint64_t)now;
}

void
window_wide_forget(const struct window_shape *s, uint64_t *w, int64_t t_ms)
{
	wide_advance(s, w, window_bucket(s, t_ms));
}

void
window_wide_add(const struct window_shape *s, uint64_t *w, int64_t t_ms,
    int64_t amount)
{
	int64_t		 now = window_bucket(s, t_ms);
	uint64_t	*cell = &w[2 + now % (s->buckets + 1)];
	bool		 over = false;

	assert(amount >= 0);
	wide_advance(s, w, now);
	/* 2^64 sat are 8,800 times all coins; only a bug gets there. */
	over |= __builtin_add_overflow(*cell, (uint64_t)amount, cell);
	over |= __builtin_add_overflow(w[1], (uint64_t)amount, &w[1]);
	assert(!over);
}

int64_t
window_wide_read(const struct window_shape *s, const uint64_t *w,
    int64_t t_ms)
{
	int64_t		 now = window_bucket(s, t_ms);
	int64_t		 age = wide_age(w, now);
	uint64_t	 total;

	if (age > s->buckets)
		return 0;
	if (age == 0)
		return w[1] > INT64_MAX ? INT64_MAX : (int64_t)w[1];
	total = w[1] - wide_gone(s, w, now, age);
	return total > INT64_MAX ? INT64_MAX : (int64_t)total;
}
