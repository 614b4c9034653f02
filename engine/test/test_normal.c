#include <stdlib.h>

#include "engine/normal.h"
#include "engine/test/rng.h"
#include "lib/civil.h"
#include "tests/check.h"

/* A Monday. */
static const int64_t day0 = 18000 - 18000 % 7 + 4;

/* A day with a rhythm: quiet at night, Sundays a quarter. */
static int64_t
rhythm(int64_t level, int64_t day, int hour)
{
	level = hour < 8 ? level / 2 : level * 5 / 4;
	return (day - day0) % 7 == 6 ? level / 4 : level;
}

static int64_t
at(int64_t day, int hour)
{
	return (day0 + day) * MS_PER_DAY + hour * MS_PER_HOUR;
}

/* Observe days [from, to). */
static void
days(struct normal *n, int from, int to, int64_t base, bool flat)
{
	int	 d, h;

	for (d = from; d < to; d++) {
		for (h = 0; h < 24; h++)
			normal_observe(n, at(d, h) + 5, flat ? base :
			    rhythm(base, day0 + d, h));
	}
}

/* The mean over a week of what it says, so that the profile drops out. */
static int64_t
week_mean(const struct normal *n, int day)
{
	int64_t	 sum = 0;
	int	 h;

	for (h = 0; h < 168; h++)
		sum += normal_now(n, at(day, h) + MS_PER_HOUR / 2);
	return sum / 168;
}

static void
test_begin(void)
{
	struct normal	 n;

	check_case("-1 until seven whole days, three days late");
	normal_init(&n, NORMAL_GROWTH_PPM, 0);
	CHECK_INT(normal_now(&n, at(0, 0)), -1);
	CHECK(normal_turn_ms(&n) == INT64_MAX);
	normal_observe(&n, at(-1, 12), 500);
	CHECK_INT(normal_turn_ms(&n), at(-1, 13));
	days(&n, 0, 10, 1000, true);
	CHECK_INT(normal_now(&n, at(9, 23)), -1);
	normal_observe(&n, at(10, 0), 1000);
	CHECK_INT(normal_now(&n, at(10, 0)), 1000);
	CHECK_INT(normal_now(&n, at(13, 17)), 1000);
	check_case("nothing but zeros teaches nothing");
	normal_init(&n, NORMAL_GROWTH_PPM, 0);
	days(&n, 0, 40, 0, true);
	CHECK_INT(normal_now(&n, at(40, 0)), -1);
}

static void
test_weekly(void)
{
	struct normal	 n;
	int64_t		 want, got, h, off = 0, first = 0;

	check_case("S37: learns the rhythm of day and week");
	normal_init(&n, NORMAL_GROWTH_PPM, 0);
	days(&n, 0, 15, 100000, false);
	for (h = 0; h < 168; h++) {
		want = rhythm(100000, day0 + h / 24, (int)(h % 24));
		got = normal_now(&n, at(14, (int)h) + MS_PER_HOUR / 2);
		first += labs(got - want);
	}
	days(&n, 15, 150, 100000, false);
	for (h = 0; h < 168; h++) {
		want = rhythm(100000, day0 + h / 24, (int)(h % 24));
		got = normal_now(&n, at(147, (int)h) + MS_PER_HOUR / 2);
		off += labs(got - want);
		CHECK(got > want * 9 / 10 && got < want * 11 / 10);
	}
	CHECK(off < first / 4);
	check_case("interpolates between hours");
	got = normal_now(&n, at(147, 8));
	CHECK(got > normal_now(&n, at(147, 7) + MS_PER_HOUR / 2));
	CHECK(got < normal_now(&n, at(147, 8) + MS_PER_HOUR / 2));
	CHECK(normal_spread_ppm(&n) < 60000);
}

/* From day 45 on everything is `times` as much, unreported. */
static void
frog(int64_t times, int64_t growth_ppm)
{
	struct normal	 n;
	__int128	 bound;
	int64_t		 before;
	int		 d;

	normal_init(&n, growth_ppm, 0);
	days(&n, 0, 45, 1000000, false);
	before = week_mean(&n, 46);
	bound = before;
	for (d = 45; d < 135; d++) {
		days(&n, d, d + 1, 1000000 * times, false);
		/* Enters three days late: the bound is for days learnt. */
		if (d >= 49)
			bound = bound * (1000000 + growth_ppm) / 1000000;
		if (d % 10 == 0 && !CHECK(week_mean(&n, d + 1) <=
		    bound * 1005 / 1000 + 10))
			break;
	}
	/* But it does follow a shop that grows. */
	CHECK(week_mean(&n, 135) > before * 3 / 2);
}

/* The first 28 days that are learnt may rise five times as fast. */
static void
test_young(void)
{
	struct normal	 n;
	int64_t		 before;

	check_case("S37: a young platform grows faster, but not at once");
	normal_init(&n, NORMAL_GROWTH_PPM, 0);
	days(&n, 0, 12, 1000000, false);
	before = week_mean(&n, 12);
	days(&n, 12, 22, 3000000, false);
	/* Seven days of it have been learnt, the median saw it in four. */
	CHECK(week_mean(&n, 22) <= before * 160 / 100);
	CHECK(week_mean(&n, 22) >= before * 130 / 100);
}

/* A class is switched off for a month, and comes back. */
static void
test_hollow(void)
{
	struct normal	 n;
	int64_t		 d, h, before, week = 7 * MS_PER_DAY, reading;

	check_case("hollow days lower nothing: a window of a day");
	normal_init(&n, NORMAL_GROWTH_PPM, MS_PER_DAY);
	days(&n, 0, 40, 1000000, false);
	before = week_mean(&n, 40);
	days(&n, 40, 70, 0, false);
	CHECK(week_mean(&n, 70) >= before * 90 / 100);
	days(&n, 70, 80, 1000000, false);
	CHECK(week_mean(&n, 80) >= before * 90 / 100);
	CHECK(week_mean(&n, 80) <= before * 110 / 100);
	check_case("hollow days lower nothing: a window that empties and "
	    "fills");
	normal_init(&n, NORMAL_GROWTH_PPM, week);
	for (d = 0; d < 90; d++)
		for (h = 0; h < 24; h++) {
			reading = 7000;
			if (d >= 40)
				reading = d < 47 ? 7000 - (d - 39) * 1000 : 0;
			if (d >= 70)
				reading = d < 76 ? (d - 69) * 1000 : 7000;
			normal_observe(&n, d * MS_PER_DAY + h * MS_PER_HOUR,
			    reading);
			/* Whoever fills it again meets no sunken line. */
			if (d >= 70)
				CHECK(normal_now(&n, d * MS_PER_DAY +
				    h * MS_PER_HOUR) >= 5500);
		}
}

static void
test_crash(void)
{
	struct normal	 n;
	int64_t		 before, after;

	check_case("one day of five times as much hardly moves it");
	normal_init(&n, NORMAL_GROWTH_PPM, 0);
	days(&n, 0, 30, 1000000, false);
	before = week_mean(&n, 28);
	days(&n, 30, 31, 5000000, false);
	days(&n, 31, 40, 1000000, false);
	after = week_mean(&n, 42);
	CHECK(after <= before * 102 / 100);
	CHECK(after >= before * 97 / 100);
	check_case("falls to what the last seven days show, and comes back");
	days(&n, 40, 44, 1000000, false);
	before = week_mean(&n, 42);
	days(&n, 44, 50, 500000, false);
	/* The seventh day back is still a full one. */
	CHECK(week_mean(&n, 52) >= before * 80 / 100);
	days(&n, 50, 52, 500000, false);
	after = week_mean(&n, 54);
	CHECK(after <= before * 55 / 100);
	CHECK(after >= before * 45 / 100);
	days(&n, 52, 54, 1000000, false);
	CHECK(week_mean(&n, 56) >= before * 60 / 100);
}

static void
test_filling(void)
{
	struct normal	 n;
	int64_t		 d, h, week = 7 * MS_PER_DAY;

	check_case("a window that still fills is not learnt from");
	normal_init(&n, NORMAL_GROWTH_PPM, week);
	for (d = 0; d < 13; d++)
		for (h = 0; h < 24; h++)
			normal_observe(&n, d * MS_PER_DAY + h * MS_PER_HOUR,
			    d < 7 ? 100 * d : 700);
	CHECK_INT(normal_now(&n, 13 * MS_PER_DAY), -1);
	for (d = 13; d < 16; d++)
		for (h = 0; h < 24; h++)
			normal_observe(&n, d * MS_PER_DAY + h * MS_PER_HOUR,
			    700);
	CHECK(normal_now(&n, 16 * MS_PER_DAY) >= 690);
	CHECK(normal_now(&n, 16 * MS_PER_DAY) <= 700);
}

static void
test_marked(void)
{
	struct normal	 n, m;
	int		 d;

	check_case("a day marked in time is not learnt");
	normal_init(&n, NORMAL_GROWTH_PPM, 0);
	days(&n, 0, 30, 1000000, true);
	m = n;
	for (d = 30; d < 60; d++) {
		days(&n, d, d + 1, 3000000, true);
		days(&m, d, d + 1, 3000000, true);
		normal_mark(&m, at(d - 2, 5));
	}
	CHECK(normal_now(&n, at(60, 0)) > 1200000);
	/* Days 26 and 27, before the first mark, had been ordinary. */
	CHECK(normal_now(&m, at(60, 0)) <= 1000000);
	CHECK(normal_now(&m, at(60, 0)) > 980000);
	check_case("people may base it anew");
	normal_rebase(&n);
	CHECK(normal_now(&n, at(60, 0)) > 2900000);
}

/* Random readings at random times: no assertion, same bytes twice. */
static void
test_random(void)
{
	struct normal	*a = malloc(sizeof(*a)), *b = malloc(sizeof(*b));
	struct normal	*x;
	struct rng	 r;
	int64_t		 t, now;
	int		 k, i;

	check_case("any readings, any gaps: same bytes twice, never below 0");
	for (k = 0; k < 2; k++) {
		x = k == 0 ? a : b;
		normal_init(x, 20000, 0);
		r = (struct rng){ 77 };
		t = at(0, 3);
		for (i = 0; i < 20000; i++) {
			t += (int64_t)rng_below(&r, rng_below(&r, 500) == 0 ?
			    90 * MS_PER_DAY : MS_PER_HOUR);
			if (rng_below(&r, 100) == 0)
				normal_mark(x, t);
			normal_observe(x, t, rng_below(&r, 200) == 0 ?
			    INT64_MAX : (int64_t)rng_below(&r, 1 << 20));
			now = normal_now(x, t);
			CHECK(now >= -1);
		}
	}
	CHECK(memcmp(a, b, sizeof(*a)) == 0);
	free(a);
	free(b);
}

int
main(void)
{
	test_begin();
	test_weekly();
	check_case("S37: the boiling frog");
	frog(2, NORMAL_GROWTH_PPM);
	frog(100, NORMAL_GROWTH_PPM);
	frog(100, 30000);
	test_crash();
	test_filling();
	test_young();
	test_hollow();
	test_marked();
	test_random();
	return check_done();
}
