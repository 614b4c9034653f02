/*
 * Amounts of bitcoin.
 *
 * An amount is an int64_t whose name ends in `_sat`: integer satoshi, never
 * a float.  21 million BTC are 2.1e15 sat, so a sum of 4,000 total supplies
 * still fits; every addition of amounts that came from outside is checked
 * all the same.
 */
#ifndef LIB_AMOUNT_H
#define LIB_AMOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

#define SAT_PER_BTC	INT64_C(100000000)
/* No amount larger than all the coins there will ever be is believed. */
#define AMOUNT_SAT_MAX	(INT64_C(21000000) * SAT_PER_BTC)
/* Room for "-21000000.00000000" and its NUL, with some to spare. */
#define AMOUNT_TEXT_MAX	32

/*
 * Read a decimal number of BTC: digits, optionally a point and one to eight
 * digits.  No sign, blanks, exponent, commas or leading point.  A ninth
 * decimal is an error even when it is zero, as is anything above
 * AMOUNT_SAT_MAX.  On failure *sat_out is unchanged and e says why.
 */
enum rc amount_parse(int64_t *sat_out, const char *text, size_t len,
    struct err *e) MUST_CHECK;

/* "12.00000000": always eight decimals.  Returns buf. */
char *amount_format(char buf[AMOUNT_TEXT_MAX], int64_t sat);

/* "12", "0.5", "1,234.0001": as people write it.  Returns buf. */
char *amount_format_short(char buf[AMOUNT_TEXT_MAX], int64_t sat);

/* *sum_out = a + b, or RC_FAILED when that does not fit. */
enum rc amount_add(int64_t *sum_out, int64_t a_sat, int64_t b_sat) MUST_CHECK;

/* a + b, but INT64_MAX where it does not fit: for values that accuse. */
static inline int64_t
amount_add_saturate(int64_t a, int64_t b)
{
	int64_t	 sum;

	if (__builtin_add_overflow(a, b, &sum))
		return INT64_MAX;
	return sum;
}

/*
 * value * num / den over a 128-bit product, rounded towards zero (down, for
 * what is not negative); saturates at INT64_MAX.  den > 0.
 */
static inline int64_t
muldiv(int64_t value, int64_t num, int64_t den)
{
	__int128	 p;
	int64_t		 small;

	/* A division of 128 bits costs ten times one of 64. */
	if (!__builtin_mul_overflow(value, num, &small))
		return small / den;
	p = (__int128)value * num / den;
	if (p > INT64_MAX)
		return INT64_MAX;
	if (p < -INT64_MAX)
		return -INT64_MAX;
	return (int64_t)p;
}

#endif
