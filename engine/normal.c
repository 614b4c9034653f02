#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "engine/normal.h"
#include "lib/amount.h"
#include "lib/civil.h"

#define HOURS		24
#define ONE_Q10		1024
#define WEIGHT_LEAST	(ONE_Q10 / 8)
#define WEIGHT_MOST	(ONE_Q10 * 4)
#define FALL_PPM		100000
#define HOLLOW			32
#define SPREAD_LEAST_PPM 10000
#define SPREAD_MOST_PPM	4000000
#define MILLION		1000000
/* More than all coins; a saturated counter is taken for this. */
#define READING_MAX	(INT64_C(1) << 52)

void
normal_init(struct normal *n, int64_t growth_ppm, int64_t window_ms)
{
	int	 i;

	assert(growth_ppm >= 0 && growth_ppm <= MILLION);
	*n = (struct normal){
		.growth_ppm = growth_ppm,
		.fill_days = window_ms / MS_PER_DAY,
		.hour = -1,
		.level_q10 = -1,
		.spread_ppm = -1,
	};
	for (i = 0; i < HOURS; i++)
		n->hour_q10[i] = ONE_Q10;
	for (i = 0; i < 7; i++)
		n->weekday_q10[i] = ONE_Q10;
}

static int64_t
clip(int64_t x, int64_t least, int64_t most)
{
	return x < least ? least : x > most ? most : x;
}

static void
sort(int64_t *x, int n)
{
	int64_t	 v;
	int	 i, j;

	for (i = 1; i < n; i++) {
		v = x[i];
		for (j = i; j > 0 && x[j - 1] > v; j--)
			x[j] = x[j - 1];
		x[j] = v;
	}
}

/* The lower one of two.  Reorders x. */
static int64_t
median(int64_t *x, int n)
{
	sort(x, n);
	return x[(n - 1) / 2];
}

/* 0 is Monday. */
static int
weekday_of(int64_t day)
{
	return civil_weekday(day * MS_PER_DAY) - 1;
}

/* Of 24 hours, in 1/1024. */
static int64_t
day_mean_q10(const int64_t hours[HOURS])
{
	int64_t	 sum = 0;
	int	 i;

	for (i = 0; i < HOURS; i++)
		sum += hours[i];
	return muldiv(sum, ONE_Q10, HOURS);
}

/* A day's mean as it would have been on an average weekday. */
static int64_t
flat_mean_q10(const struct normal *n, const int64_t hours[HOURS], int64_t day)
{
	return muldiv(day_mean_q10(hours), ONE_Q10,
	    n->weekday_q10[weekday_of(day)]);
}

/*
 * The median of the last seven learned days, each as it would have been on
 * an average weekday: else a quiet Sunday, which the median does not see but
 * the mean of the weights does, would lift all other days.
 */
static int64_t
median_day_q10(const struct normal *n)
{
	int64_t	 means[NORMAL_DAYS];
	int	 i, days = (int)clip(n->n_learned, 1, NORMAL_DAYS);

	for (i = 0; i < days; i++)
		means[i] = flat_mean_q10(n, n->learned[i], n->learned_day[i]);
	return median(means, days);
}

/* Scale weights to mean 1. */
static void
renormalise(int64_t *w, int n)
{
	int64_t	 sum = 0;
	int	 i;

	for (i = 0; i < n; i++)
		sum += w[i];
	for (i = 0; i < n; i++)
		w[i] = clip(w[i] * ONE_Q10 * n / sum, WEIGHT_LEAST,
		    WEIGHT_MOST);
}

/*
 * What the last seven learned days say an hour weighs: the median over the
 * days of that hour by its day's mean.  -1 when they say nothing.
 */
static int64_t
hour_shown_q10(const struct normal *n, int hour)
{
	int64_t	 ratio[NORMAL_DAYS], mean;
	int	 i, k = 0;

	for (i = 0; i < NORMAL_DAYS; i++) {
		if ((mean = day_mean_q10(n->learned[i])) == 0)
			continue;
		ratio[k++] = muldiv(n->learned[i][hour], ONE_Q10 * ONE_Q10,
		    mean);
	}
	return k == 0 ? -1 : median(ratio, k);
}

/* The same for a weekday: its day by the mean of the seven. */
static int64_t
weekday_shown_q10(const struct normal *n, int weekday)
{
	int64_t	 all = 0, sum = 0, mean;
	int	 i, k = 0;

	for (i = 0; i < NORMAL_DAYS; i++) {
		mean = day_mean_q10(n->learned[i]);
		all += mean / NORMAL_DAYS;
		if (weekday_of(n->learned_day[i]) != weekday)
			continue;
		sum += mean;
		k++;
	}
	return k == 0 || all == 0 ? -1 : muldiv(sum / k, ONE_Q10, all);
}

/*
 * One step of a weight towards what was shown: halfway the first time, by at
 * most a sixteenth afterwards.
 */
static void
weight_move(int64_t *w, int64_t shown, bool first)
{
	int64_t	 most = *w / 16;

	if (shown < 0)
		return;
	shown = clip(shown, WEIGHT_LEAST, WEIGHT_MOST);
	if (first)
		*w = (ONE_Q10 + shown) / 2;
	else
		*w += clip(shown - *w, -most, most);
}

static void
learn_profile(struct normal *n, bool first)
{
	int	 i;

	for (i = 0; i < HOURS; i++)
		weight_move(&n->hour_q10[i], hour_shown_q10(n, i), first);
	renormalise(n->hour_q10, HOURS);
	for (i = 0; i < 7; i++)
		weight_move(&n->weekday_q10[i], weekday_shown_q10(n, i),
		    first);
	renormalise(n->weekday_q10, 7);
}

/* The level's day: clipped before, bounded after (S35). */
static void
learn_level(struct normal *n)
{
	int64_t	 level = n->level_q10, target, step;
	bool	 young = n->n_learned < NORMAL_YOUNG_DAYS;

	target = clip(median_day_q10(n), level / 2, 2 * level);
	step = (target - level) / (target > level && !young ? 8 : 4);
	step = clip(step, -muldiv(level, FALL_PPM, MILLION),
	    muldiv(level, n->growth_ppm * (young ? NORMAL_YOUNG_GROWTH : 1),
	    MILLION));
	n->level_q10 = level + step;
}

/* What an hour of a weekday should read, in 1/1024. */
static int64_t
expected_q10(const struct normal *n, int weekday, int hour)
{
	int64_t	 level = n->level_q10;

	if (n->recent_q10 < level)
		level = n->recent_q10;
	return muldiv(level,
	    n->hour_q10[hour] * n->weekday_q10[weekday], ONE_Q10 * ONE_Q10);
}

static void
learn_spread(struct normal *n)
{
	int64_t	 off[HOURS], want, got, day, most;
	int	 i, k = 0;

	for (i = 0; i < HOURS; i++) {
		want = expected_q10(n, weekday_of(n->learned_day[0]), i);
		if (want == 0)
			continue;
		got = n->learned[0][i] * ONE_Q10;
		off[k++] = muldiv(got > want ? got - want : want - got,
		    MILLION, want);
	}
	if (k == 0)
		return;
	day = clip(median(off, k), SPREAD_LEAST_PPM, SPREAD_MOST_PPM);
	if (n->spread_ppm < 0) {
		n->spread_ppm = day;
		return;
	}
	most = n->spread_ppm / 16;
	day = clip(day, n->spread_ppm / 2, 2 * n->spread_ppm);
	n->spread_ppm = clip(n->spread_ppm + clip((day - n->spread_ppm) / 8,
	    -most, most), SPREAD_LEAST_PPM, SPREAD_MOST_PPM);
}

/*
 * A window of several days reads much the same whatever the hour, and three
 * readings of it speak of a week and more already.
 */
static bool
long_window(const struct normal *n)
{
	return n->fill_days >= NORMAL_LONG_DAYS;
}

static int
days_needed(const struct normal *n)
{
	return long_window(n) ? NORMAL_LONG_DAYS : NORMAL_DAYS;
}

/* A whole day, old enough and not bad, is learnt. */
static void
learn(struct normal *n, int64_t day, const int64_t hours[HOURS])
{
	memmove(n->learned[1], n->learned[0],
	    (NORMAL_DAYS - 1) * sizeof(n->learned[0]));
	memmove(&n->learned_day[1], &n->learned_day[0],
	    (NORMAL_DAYS - 1) * sizeof(n->learned_day[0]));
	memcpy(n->learned[0], hours, sizeof(n->learned[0]));
	n->learned_day[0] = day;
	n->n_learned++;
	if (n->n_learned < days_needed(n))
		return;
	if (n->level_q10 < 0) {
		/* A level of 0 could never grow: such a series has taught
		 * nothing yet. */
		if (median_day_q10(n) == 0)
			return;
		if (!long_window(n))
			learn_profile(n, true);
		n->level_q10 = median_day_q10(n);
		return;
	}
	learn_spread(n);
	learn_level(n);
	if (!long_window(n) && n->n_learned % NORMAL_DAYS == 0)
		learn_profile(n, false);
}

/* At midnight, when delay[1..3] are the last three whole days. */
static void
note_recent(struct normal *n)
{
	int64_t	 mean, most = -1;
	int	 i;

	for (i = 1; i < NORMAL_DELAY; i++) {
		if (n->delay_hollow[i] != 0)
			continue;
		mean = flat_mean_q10(n, n->delay[i], n->day - i);
		most = mean > most ? mean : most;
	}
	for (i = 0; i < NORMAL_DAYS - (NORMAL_DELAY - 1) &&
	    !long_window(n); i++) {
		mean = flat_mean_q10(n, n->learned[i], n->learned_day[i]);
		most = mean > most ? mean : most;
	}
	/* All hollow: they bound nothing. */
	n->recent_q10 = most < 0 ? INT64_MAX : most;
}

/*
 * The window was emptying since `from`: what was learnt from then on is
 * forgotten, the oldest day stands in its place.
 */
static void
unlearn(struct normal *n, int64_t from)
{
	int	 i, k;

	for (k = 0; k < NORMAL_DAYS - 1 && n->learned_day[k] >= from; k++)
		continue;
	for (i = 0; k > 0 && i < NORMAL_DAYS; i++) {
		memcpy(n->learned[i], n->learned[i + k < NORMAL_DAYS ? i + k :
		    NORMAL_DAYS - 1], sizeof(n->learned[i]));
		n->learned_day[i] = n->learned_day[i + k < NORMAL_DAYS ?
		    i + k : NORMAL_DAYS - 1];
	}
}

/* Today is over: did it say anything?  See normal.h. */
static void
note_hollow(struct normal *n)
{
	int64_t	 then;
	int	 i;

	if (n->level_q10 > 0 &&
	    day_mean_q10(n->delay[0]) < n->level_q10 / HOLLOW) {
		i = (int)clip(n->fill_days + NORMAL_DELAY, 0,
		    NORMAL_LEVELS - 1);
		then = n->levels_q10[i];
		if (then > n->level_q10)
			n->level_q10 = then;
		n->full_day = n->day + 1 + n->fill_days;
		/* The days before it, still to be learnt, tell of emptying. */
		for (i = 0; i < NORMAL_DELAY; i++)
			if (i <= n->fill_days)
				n->delay_hollow[i] = 1;
		unlearn(n, n->day - n->fill_days);
	} else
		n->delay_hollow[0] = n->day < n->full_day;
	memmove(&n->levels_q10[1], &n->levels_q10[0],
	    (NORMAL_LEVELS - 1) * sizeof(n->levels_q10[0]));
	n->levels_q10[0] = n->level_q10;
}

/* Midnight: delay[0] becomes yesterday. */
static void
close_day(struct normal *n)
{
	const int	 last = NORMAL_DELAY - 1;

	note_hollow(n);
	if (n->delay_bad[last] == 0 && n->delay_hollow[last] == 0 &&
	    n->day - last >= n->first_day)
		learn(n, n->day - last, n->delay[last]);
	memmove(n->delay[1], n->delay[0],
	    (NORMAL_DELAY - 1) * sizeof(n->delay[0]));
	memmove(&n->delay_bad[1], &n->delay_bad[0],
	    (NORMAL_DELAY - 1) * sizeof(n->delay_bad[0]));
	memmove(&n->delay_hollow[1], &n->delay_hollow[0],
	    (NORMAL_DELAY - 1) * sizeof(n->delay_hollow[0]));
	memset(n->delay[0], 0, sizeof(n->delay[0]));
	n->delay_bad[0] = 0;
	n->delay_hollow[0] = 0;
	n->day++;
	note_recent(n);
}

/* The hour being observed is over; its successor begins at `last`. */
static void
close_hour(struct normal *n)
{
	n->delay[0][n->hour % HOURS] = n->hour_max;
	n->hour++;
	n->hour_max = n->last;
	if (n->hour / HOURS > n->day)
		close_day(n);
}

static void
begin(struct normal *n, int64_t hour)
{
	int	 i;

	n->hour = hour;
	n->day = hour / HOURS;
	n->first_day = n->day + 1 + n->fill_days;
	/* Neither today, which is not whole, nor what was before it. */
	for (i = 0; i < NORMAL_DELAY; i++)
		n->delay_bad[i] = 1;
}

void
normal_observe(struct normal *n, int64_t t_ms, int64_t reading)
{
	int64_t	 hour = t_ms / MS_PER_HOUR;

	assert(reading >= 0);
	if (reading > READING_MAX)
		reading = READING_MAX;
	if (n->hour < 0) {
		if (reading == 0)
			return;
		begin(n, hour);
		n->hour_max = reading;
	}
	assert(hour >= n->hour);
	if (hour > n->hour) {
		while (n->hour < hour)
			close_hour(n);
		/* This is its first reading; the last one is past. */
		n->hour_max = reading;
	}
	if (reading > n->hour_max)
		n->hour_max = reading;
	n->last = reading;
}

int64_t
normal_turn_ms(const struct normal *n)
{
	return n->hour < 0 ? INT64_MAX : (n->hour + 1) * MS_PER_HOUR;
}

void
normal_mark(struct normal *n, int64_t t_ms)
{
	int64_t	 ago = n->day - t_ms / MS_PER_DAY;

	if (n->hour >= 0 && ago >= 0 && ago < NORMAL_DELAY)
		n->delay_bad[ago] = 1;
}

void
normal_rebase(struct normal *n)
{
	int64_t	 level;

	if (n->n_learned < days_needed(n) || (level = median_day_q10(n)) == 0)
		return;
	n->level_q10 = level;
}

int64_t
normal_now(const struct normal *n, int64_t t_ms)
{
	int64_t	 from_ms, before, after, part;

	if (n->level_q10 < 0)
		return -1;
	/* Between the middles of two hours. */
	from_ms = t_ms < MS_PER_HOUR / 2 ? 0 : t_ms - MS_PER_HOUR / 2;
	part = from_ms % MS_PER_HOUR;
	before = expected_q10(n, civil_weekday(from_ms) - 1,
	    civil_hour(from_ms));
	from_ms += MS_PER_HOUR;
	after = expected_q10(n, civil_weekday(from_ms) - 1,
	    civil_hour(from_ms));
	return (before + muldiv(after - before, part, MS_PER_HOUR)) / ONE_Q10;
}

int64_t
normal_spread_ppm(const struct normal *n)
{
	return n->spread_ppm;
}
