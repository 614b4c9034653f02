#include "tests/check.h"

#include "lib/civil.h"

static bool
leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Walk a calendar kept by hand through 400 years and more. */
static void
test_walk(void)
{
	static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30,
		31, 30, 31 };
	int64_t	 days = -25567, got;	/* 1900-01-01, a Monday */
	int	 year, month, day, last, y, m, d;

	check_case("every day from 1900 to 2399");
	for (year = 1900; year < 2400; year++) {
		for (month = 1; month <= 12; month++) {
			last = lengths[month - 1] +
			    (month == 2 && leap(year));
			for (day = 1; day <= last; day++, days++) {
				got = -1;
				CHECK(civil_days(&got, year, month, day));
				CHECK_INT(got, days);
				civil_date(days, &y, &m, &d);
				CHECK(y == year && m == month && d == day);
				if (days >= 0)
					CHECK_INT(civil_weekday(days *
					    MS_PER_DAY), (days + 25567) % 7 +
					    1);
			}
			CHECK(!civil_days(&got, year, month, last + 1));
			CHECK(!civil_days(&got, year, month, 0));
		}
		CHECK(!civil_days(&got, year, 13, 1));
		CHECK(!civil_days(&got, year, 0, 1));
	}
}

static void
test_known(void)
{
	static const struct {
		int64_t		 t_ms;
		const char	*text;
		int		 weekday;
	} known[] = {
		{ 0, "1970-01-01 00:00:00", 4 },
		/* The first block, and the theft. */
		{ INT64_C(1231006505000), "2009-01-03 18:15:05", 6 },
		{ INT64_C(1557249324000), "2019-05-07 17:15:24", 2 },
		{ INT64_C(951782400000), "2000-02-29 00:00:00", 2 },
		{ INT64_C(4107542399999), "2100-02-28 23:59:59", 7 },
		{ INT64_C(4107542400000), "2100-03-01 00:00:00", 1 },
		{ INT64_C(253402300799999), "9999-12-31 23:59:59", 5 },
	};
	char	 b[CIVIL_TEXT_MAX];
	size_t	 i;

	check_case("known moments");
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		CHECK_STR(civil_format(b, known[i].t_ms), known[i].text);
		CHECK_INT(civil_weekday(known[i].t_ms), known[i].weekday);
	}
	CHECK_INT(civil_hour(INT64_C(1557249324000)), 17);
	CHECK_INT(civil_hour(MS_PER_DAY - 1), 23);
	CHECK_INT(civil_hour(MS_PER_DAY), 0);
	check_case("moments outside the calendar stay numbers");
	CHECK_STR(civil_format(b, -1), "-1ms");
	CHECK_STR(civil_format(b, INT64_MAX), "9223372036854775807ms");
}

static void
test_durations(void)
{
	char	 b[CIVIL_TEXT_MAX];

	check_case("durations");
	CHECK_STR(duration_format(b, 0), "0s");
	CHECK_STR(duration_format(b, 90 * MS_PER_S), "1m 30s");
	CHECK_STR(duration_format(b, 6 * MS_PER_HOUR), "6h");
	CHECK_STR(duration_format(b, 36 * MS_PER_HOUR), "1d 12h");
	CHECK_STR(duration_format(b, MS_PER_DAY + MS_PER_MIN), "1d");
	CHECK_STR(duration_format(b, 59 * MS_PER_S + 999), "59s");
}

int
main(void)
{
	test_walk();
	test_known();
	test_durations();
	return check_done();
}
