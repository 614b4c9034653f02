#include "engine/habit.h"
#include "engine/test/rng.h"
#include "lib/amount.h"
#include "lib/civil.h"
#include "tests/check.h"

#define BTC SAT_PER_BTC
static const int64_t day0 = 18000 * MS_PER_DAY;

static int64_t
on_day(int day)
{
	return day0 + day * MS_PER_DAY;
}

/* n days of `amount` each, from day `from`; the next day. */
static int
days_of(struct habit *h, int from, int n, int64_t amount)
{
	int	 i;

	for (i = 0; i < n; i++)
		habit_add(h, HABIT_SAT, on_day(from + i) + 5, amount);
	return from + n;
}

static void
test_begin(void)
{
	struct habit	 h = { 0 };

	check_case("S36: one or two days: the smaller, three days late");
	CHECK_INT(habit_read(&h, HABIT_SAT, day0), 0);
	days_of(&h, 0, 1, 40 * BTC);
	CHECK_INT(habit_read(&h, HABIT_SAT, on_day(4) - 1), 0);
	CHECK(habit_read(&h, HABIT_SAT, on_day(4)) > 28 * BTC);
	days_of(&h, 1, 1, BTC);
	CHECK(habit_read(&h, HABIT_SAT, on_day(5)) <= BTC);
	h = (struct habit){ 0 };
	check_case("S36: what three days reached, three days late");
	days_of(&h, 0, 3, 10 * BTC);
	CHECK_INT(habit_read(&h, HABIT_SAT, on_day(3)), 0);
	CHECK(habit_read(&h, HABIT_SAT, on_day(6)) > 7 * BTC);
	CHECK(habit_read(&h, HABIT_SAT, on_day(6)) <= 10 * BTC);
	/* Idle days do not count, and nothing is forgotten over them. */
	CHECK(habit_read(&h, HABIT_SAT, on_day(3000)) > 7 * BTC);
	check_case("one day's total is one entry, however it is sliced");
	h = (struct habit){ 0 };
	for (int i = 0; i < 300; i++)
		habit_add(&h, HABIT_SAT, on_day(i / 100) + i % 100, BTC / 10);
	CHECK(habit_read(&h, HABIT_SAT, on_day(6)) > 7 * BTC);
	CHECK(habit_read(&h, HABIT_SAT, on_day(6)) <= 10 * BTC);
}

static void
test_undo(void)
{
	struct habit	 h = { 0 }, g;
	int		 d;

	check_case("what was reported in time does not enter");
	d = days_of(&h, 0, 5, 10 * BTC);
	g = h;
	d = days_of(&g, d, 3, 15 * BTC);
	CHECK(habit_read(&g, HABIT_SAT, on_day(d + 4)) > 10 * BTC);
	g = h;
	d = days_of(&g, 5, 3, 15 * BTC);
	/* Reported on the third day after: 5 of each. */
	habit_undo(&g, HABIT_SAT, on_day(8), on_day(5) + 5, 5 * BTC);
	habit_undo(&g, HABIT_SAT, on_day(8), on_day(6) + 5, 5 * BTC);
	habit_undo(&g, HABIT_SAT, on_day(8), on_day(7) + 5, 5 * BTC);
	CHECK(habit_read(&g, HABIT_SAT, on_day(d + 4)) <= 10 * BTC);
	/* Too late. */
	habit_undo(&g, HABIT_SAT, on_day(12), on_day(5) + 5, 500 * BTC);
	CHECK(habit_read(&g, HABIT_SAT, on_day(13)) > 7 * BTC);
	/* Today. */
	habit_add(&g, HABIT_SAT, on_day(13), BTC);
	habit_undo(&g, HABIT_SAT, on_day(13) + 1, on_day(13), BTC);
	CHECK_INT(g.today, 0);
}

/*
 * S36: against n ordinary days it takes more than n/9, and at least three,
 * surprising days to double the habit.
 */
static void
test_patience(void)
{
	struct habit	 h;
	int64_t		 before;
	int		 n, k, d;

	check_case("S36: days that a thief needs to double a habit");
	for (n = 3; n <= 15; n++) {
		h = (struct habit){ 0 };
		d = days_of(&h, 0, n, BTC);
		before = habit_read(&h, HABIT_SAT, on_day(d + 3));
		CHECK(before > 0);
		for (k = 1; k < 20; k++) {
			d = days_of(&h, d, 1, 1000 * BTC);
			if (habit_read(&h, HABIT_SAT, on_day(d + 3)) >
			    before)
				break;
		}
		CHECK(k >= 3 && k * 9 > n);
		/* One octave and no more, but for rounding. */
		CHECK(habit_read(&h, HABIT_SAT, on_day(d + 3)) <=
		    2 * before + 2000);
	}
}

/* Ten days of each of four neighbouring totals: three are not a tenth. */
static void
test_tenth(void)
{
	static const int64_t	 totals[] = { 100, 150, 210, 300 };
	struct habit		 h = { 0 };
	int64_t			 before;
	int			 i, d;

	check_case("S36: three days are too few among forty");
	for (i = 0, d = 0; i < 4; i++)
		d = days_of(&h, d, 10, totals[i] * BTC / 100);
	before = habit_read(&h, HABIT_SAT, on_day(d + 4));
	d = days_of(&h, d + 4, 3, 500 * BTC);
	CHECK_INT(habit_read(&h, HABIT_SAT, on_day(d + 4)), before);
	d = days_of(&h, d + 4, 3, 500 * BTC);
	CHECK(habit_read(&h, HABIT_SAT, on_day(d + 4)) > before);
}

/* Never above the day that ranks so in the true list, while few enough. */
static void
test_rank(void)
{
	struct rng	 r = { 3 };
	struct habit	 h;
	int64_t		 total[14], got, amount, up;
	int		 round, i, k, n, above, active;

	check_case("rounds down: at least three days reached it");
	for (round = 0; round < 3000; round++) {
		h = (struct habit){ 0 };
		n = 3 + (int)rng_below(&r, 12);
		for (i = 0; i < n; i++) {
			total[i] = 0;
			for (k = 0; k < 3; k++) {
				up = INT64_C(1) << rng_below(&r, 36);
				amount = (int64_t)rng_below(&r,
				    (uint64_t)up);
				total[i] += amount;
				habit_add(&h, HABIT_SAT, on_day(i), amount);
			}
		}
		got = habit_read(&h, HABIT_SAT, on_day(n + 4));
		/* Three parts rounded down may lose a day below 3,000 sat. */
		for (above = 0, active = 0, i = 0; i < n; i++) {
			above += total[i] >= got;
			active += total[i] >= 3000;
		}
		CHECK(got == 0 || ((above >= 3 || above >= active) &&
		    above * 10 > active));
	}
}

static void
test_counts(void)
{
	struct habit	 h = { 0 };
	int		 i, k;

	check_case("numbers: small ones are exact or one below");
	for (k = 1; k <= 6; k++) {
		h = (struct habit){ 0 };
		for (i = 0; i < 4; i++)
			habit_add(&h, HABIT_COUNT, on_day(i), k);
		CHECK(habit_read(&h, HABIT_COUNT, on_day(9)) <= k);
		CHECK(habit_read(&h, HABIT_COUNT, on_day(9)) >=
		    (k + 1) * 2 / 3);
	}
	check_case("a full cell lets all fade; the habit stays");
	h = (struct habit){ 0 };
	for (i = 0; i < 400; i++) {
		habit_add(&h, HABIT_COUNT, on_day(i), i % 4 == 0 ? 8 : 4);
		if (i > 40)
			CHECK_INT(habit_read(&h, HABIT_COUNT, on_day(i)), 8);
	}
	check_case("larger than any cell");
	h = (struct habit){ 0 };
	for (i = 0; i < 5; i++)
		habit_add(&h, HABIT_SAT, on_day(i), AMOUNT_SAT_MAX);
	CHECK(habit_read(&h, HABIT_SAT, on_day(20)) > 500 * BTC);
}

int
main(void)
{
	test_begin();
	test_undo();
	test_patience();
	test_tenth();
	test_rank();
	test_counts();
	return check_done();
}
