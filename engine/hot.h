/*
 * What the hot wallet holds, for the purpose of shares of it (S26, H1).
 *
 * The smallest of: what it holds now less all commitments; the median of the
 * daily lows of the last seven days, today included (of as many as there
 * are, the lower of two); and the operators' stated maximum.  So it falls at
 * once and rises only over days: neither a deposit nor a lie about the
 * balance widens a budget today.  Unknown until a balance was given.
 */
#ifndef ENGINE_HOT_H
#define ENGINE_HOT_H

#include <stdint.h>

#define HOT_DAYS	7

struct hot {
	int64_t	max_sat;		/* stated; INT64_MAX: none */
	int64_t	now_sat;		/* -1: unknown */
	int64_t	day;			/* of low_sat[0]; since 1970 */
	int64_t	n_days;			/* of low_sat in use */
	int64_t	low_sat[HOT_DAYS];	/* today first */
	int64_t	median_sat;		/* of them */
};

/* max_sat: INT64_MAX for none. */
void hot_init(struct hot *h, int64_t max_sat);

/* The wallet holds this now (>= 0). */
void hot_set(struct hot *h, int64_t t_ms, int64_t balance_sat);

/* A released withdrawal leaves; no effect while unknown.  Never below 0. */
void hot_pay(struct hot *h, int64_t t_ms, int64_t amount_sat);

/*
 * The value for shares at t, given what waits and will leave (committed,
 * not yet released), >= 0; -1 unknown.
 */
int64_t hot_read(const struct hot *h, int64_t t_ms, int64_t waiting_sat);

#endif
