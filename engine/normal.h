/*
 * What one of the platform's counters usually reads at this hour (S35, S37).
 *
 * Learned from the counter's own readings: the highest in each hour.  Days
 * close at midnight UTC and enter when three whole days have passed since;
 * a day marked bad by then (confirmed fraud in it) is not learnt, nor is the
 * first, which is not whole, nor those before a whole window has passed: a
 * window that is still filling reads too low.  The first is the one in which
 * the counter first read more than nothing.
 *
 * Level: the median of the day means (each by its weekday's weight) of the
 * first seven learned days; then each day
 *	level += (clip(median of the last 7, level/2 .. 2 level) - level) / 8
 * but at most + growth a day; until 28 days are learned a quarter of the
 * difference and fifteen times the growth: a platform that has just begun
 * grows, or learns whom to trust, faster than any thief could boil it.  It
 * falls by a quarter of the difference, at most 10 % a day: the line of a
 * platform that calms down must not stay where its busy youth drew it, and
 * to fall fast costs only friction.  The clip is winsorising (Huber 1964),
 * the median instead of the mean is Hampel's (1974).  So n days of fraud,
 * sustained and unreported, raise the level at most (1 + growth)^n; who keeps
 * to one hour of one weekday gains 1/16 a week on each of its two weights
 * (below) as well, at the other hours' expense.
 *
 * A day on which the counter read next to nothing (a 32nd of its level) is
 * hollow: the platform stood still, or its class was switched off (`and not
 * rush`).  Hollow days, and those in which the window fills again, are not
 * learnt and lower nothing, and the level goes back to where it was before
 * the window began to empty.  Otherwise the end of a long rush would find
 * lines that had sunk to nothing.
 *
 * Profile: 24 weights for the hours times 7 for the weekdays, multiplicative
 * seasonality (Winters 1960), made separable because a small platform has
 * too few people for 168.  Begun from the first seven days shrunk halfway to
 * flat; once a week each weight moves at most 1/16 of itself towards what
 * the last seven learned days show (by the median of the seven for an hour),
 * is clipped to 1/8 .. 4, and all are scaled to mean 1.  Windows of three
 * days and more stay flat, and their level stands after three learned days.
 *
 * Spread: the median over the hours of the last learned day of
 * |reading - expected| / expected (MAD), likewise clipped and slow.
 *
 * All integers.  The normal is evidence *for* a withdrawal: it rounds down.
 */
#ifndef ENGINE_NORMAL_H
#define ENGINE_NORMAL_H

#include <stdbool.h>
#include <stdint.h>

#define NORMAL_DAYS	7	/* learnt from */
#define NORMAL_DELAY	4	/* today and the three days before */
#define NORMAL_GROWTH_PPM 10000	/* a day, unless `set growth` */
#define NORMAL_YOUNG_DAYS 28	/* learned, until when it may grow .. */
#define NORMAL_YOUNG_GROWTH 15	/* .. so many times as fast */
#define NORMAL_LONG_DAYS 3	/* windows from here on: flat, and learnt
				 * from so many days */
#define NORMAL_LEVELS	16	/* days for which the level is remembered */

/* Flat; a normal of zeros must go through normal_init(). */
struct normal {
	int64_t		growth_ppm;
	int64_t		fill_days;	/* until the window is full */
	int64_t		first_day;	/* that is learnt from */
	int64_t		hour;		/* being observed, since 1970; -1 */
	int64_t		hour_max;
	int64_t		last;		/* the last reading given */
	int64_t		day;		/* of delay[0]; since 1970 */
	int64_t		delay[NORMAL_DELAY][24];
	int64_t		delay_bad[NORMAL_DELAY];	/* not to be learnt */
	int64_t		delay_hollow[NORMAL_DELAY];	/* said nothing */
	int64_t		full_day;	/* hollow until then */
	int64_t		levels_q10[NORMAL_LEVELS];	/* before each day */
	int64_t		learned[NORMAL_DAYS][24];	/* newest first */
	int64_t		learned_day[NORMAL_DAYS];
	int64_t		n_learned;	/* ever */
	int64_t		level_q10;	/* 1/1024; -1: not learnt */
	int64_t		recent_q10;	/* the highest of the last days */
	int64_t		spread_ppm;	/* -1: not learnt */
	int64_t		hour_q10[24];
	int64_t		weekday_q10[7];	/* Monday first */
};

/* window_ms: of the counter that is to be observed. */
void normal_init(struct normal *n, int64_t growth_ppm, int64_t window_ms);

/*
 * The counter reads `reading` at t.  Call it whenever the counter changes or
 * is read, and, before anything else that happens in a new hour, once for
 * every hour's turn that passed:
 *
 *	while (normal_turn_ms(n) <= t_ms)
 *		normal_observe(n, normal_turn_ms(n), <reading then>);
 *
 * (windows can be read at any time not before their last change).  An hour
 * skipped takes the last reading given.  INT64_MAX is taken for "very many".
 */
void normal_observe(struct normal *n, int64_t t_ms, int64_t reading);

/* The next turn of an hour not yet observed; INT64_MAX before the first
 * observation. */
int64_t normal_turn_ms(const struct normal *n);

/* Something in the counter on t's day was confirmed fraud. */
void normal_mark(struct normal *n, int64_t t_ms);

/*
 * Levels learnt from the last seven days at once, without the bounds: two
 * persons and a wait (S37).
 */
void normal_rebase(struct normal *n);

/*
 * The usual reading at t; -1 until learnt.  Never more than the highest of
 * the last whole days (three for windows of several days, else seven) would
 * lead one to expect: these are not old enough to raise a line, but a thief
 * gains nothing from a platform that grew quiet.
 */
int64_t normal_now(const struct normal *n, int64_t t_ms);

/* How far readings usually lie from that, in ppm of it; -1 until learnt. */
int64_t normal_spread_ppm(const struct normal *n);

#endif
