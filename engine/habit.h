/*
 * What is usual for one account on one day (S35, S36).
 *
 * A histogram of the account's day totals over 40 half octaves of 4 bits,
 * all of which fade by a quarter when one fills.  Only days with something
 * in them enter.  A day enters when three whole days have passed since it
 * ended; what was denied or reported by then has been taken out.  A day
 * above the habit enters at most one octave above it.
 *
 * The habit is the lower edge of the highest cell at or above which lie more
 * than a tenth of the active days, and at least three of them; all of them
 * while there are one or two: then it is the smaller.  Most customers of a
 * young history have no third day; to know nothing of them would make every
 * one of their payments a surprise.  Everything rounds down.
 *
 * The same for money (units of 1,000 sat, cells from 0.001 BTC to 524 BTC)
 * and for numbers (cells from 1 to 524,288).  All zero is a habit that knows
 * nothing.
 */
#ifndef ENGINE_HABIT_H
#define ENGINE_HABIT_H

#include <stdint.h>

#define HABIT_CELLS	40

enum habit_unit {
	HABIT_SAT,
	HABIT_COUNT,
};

struct habit {
	uint8_t		cells[HABIT_CELLS / 2];	/* two a byte, low first */
	uint32_t	today;		/* the total of `day`, in units */
	uint16_t	past[3];	/* of day - 1, -2, -3: 5 bits of
					 * exponent, 11 of mantissa */
	uint16_t	day;		/* since 1970; 0: never used */
};
_Static_assert(sizeof(struct habit) == 32, "a habit is 32 bytes");

/*
 * Add to the day of t.  Give what was released, not what was asked for:
 * asking costs a thief nothing.  Times never go back.
 */
void habit_add(struct habit *h, enum habit_unit u, int64_t t_ms,
    int64_t amount);

/*
 * At t it turns out that `amount`, added at added_ms, was not the owner's:
 * take it out if its day has not entered yet.
 */
void habit_undo(struct habit *h, enum habit_unit u, int64_t t_ms,
    int64_t added_ms, int64_t amount);

/* The habit at t: sat, or a number. */
int64_t habit_read(const struct habit *h, enum habit_unit u, int64_t t_ms);

#endif
