/*
 * H2: time is the wall clock's as far as the monotonic clock agrees.
 */
#include "engine/clock.h"
#include "tests/check.h"

#define T0	INT64_C(1700000000000)
#define HOUR	INT64_C(3600000)

int
main(void)
{
	struct clock	 c;
	int64_t		 i;

	check_case("H2: it follows the wall clock");
	clock_start(&c, T0, T0 + 5, 100, -1);
	CHECK(c.now_ms == T0 + 5 && c.refused_ms == 0);
	CHECK(clock_now(&c, T0 + 1005, 1100) == T0 + 1005);
	CHECK(clock_now(&c, T0 + 31005, 1100) == T0 + 31005);

	check_case("H2: never more than a minute ahead of what passed");
	CHECK(clock_now(&c, T0 + 24 * HOUR, 1100) == T0 + 5 + 1000 + 60000);
	CHECK(c.refused_ms == T0 + 24 * HOUR);
	/* Asking again and again gains nothing. */
	for (i = 0; i < 1000; i++)
		(void)clock_now(&c, c.now_ms + 59000, 1100);
	CHECK(c.now_ms == T0 + 5 + 1000 + 60000);
	CHECK(clock_now(&c, T0 + 24 * HOUR, 11100) == T0 + 5 + 11000 + 60000);

	check_case("H2: going back holds the last value");
	CHECK(clock_now(&c, T0, 12100) == T0 + 5 + 11000 + 60000);
	CHECK(c.refused_ms == 0);
	CHECK(clock_now(&c, T0, 50) == T0 + 5 + 11000 + 60000);

	check_case("H2: an operator may say that it is right");
	clock_accept(&c, T0 + 24 * HOUR, 12100);
	CHECK(clock_now(&c, T0 + 24 * HOUR + 7, 12107) ==
	    T0 + 24 * HOUR + 7);

	check_case("H2: a start believes six hours, or what the chain says");
	clock_start(&c, T0, T0 + 6 * HOUR, 0, -1);
	CHECK(c.now_ms == T0 + 6 * HOUR && c.refused_ms == 0);
	clock_start(&c, T0, T0 + 6 * HOUR + 1, 0, -1);
	CHECK(c.now_ms == T0 && c.refused_ms == T0 + 6 * HOUR + 1);
	clock_start(&c, T0, T0 + 100 * HOUR, 0, T0 + 95 * HOUR);
	CHECK(c.now_ms == T0 + 100 * HOUR);
	clock_start(&c, T0, T0 + 100 * HOUR, 0, T0 + 93 * HOUR);
	CHECK(c.now_ms == T0 && c.refused_ms != 0);
	/* The chain vouches for no time that is behind the journal's. */
	clock_start(&c, T0, T0 - HOUR, 0, T0 - 2 * HOUR);
	CHECK(c.now_ms == T0);
	return check_done();
}
