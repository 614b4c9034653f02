#include "engine/hot.h"
#include "lib/civil.h"
#include "tests/check.h"

static int64_t
at(int64_t day, int64_t hour)
{
	return (18000 + day) * MS_PER_DAY + hour * MS_PER_HOUR;
}

int
main(void)
{
	struct hot	 h;
	int64_t		 d;

	check_case("unknown until told");
	hot_init(&h, INT64_MAX);
	hot_pay(&h, at(0, 0), 5);
	CHECK_INT(hot_read(&h, at(0, 0), 0), -1);
	check_case("S26: falls at once");
	hot_set(&h, at(0, 1), 1000);
	CHECK_INT(hot_read(&h, at(0, 1), 0), 1000);
	CHECK_INT(hot_read(&h, at(0, 1), 300), 700);
	CHECK_INT(hot_read(&h, at(0, 1), 3000), 0);
	hot_pay(&h, at(0, 2), 100);
	CHECK_INT(hot_read(&h, at(0, 2), 0), 900);
	CHECK_INT(hot_read(&h, at(9, 2), 0), 900);
	check_case("S26: a refill does not undo today's low");
	hot_set(&h, at(0, 3), 1000);
	CHECK_INT(hot_read(&h, at(0, 4), 0), 900);
	hot_set(&h, at(1, 0), 5000);
	/* Of the lows of two days, 900 and 1000, the lower. */
	CHECK_INT(hot_read(&h, at(1, 1), 0), 900);
	hot_set(&h, at(1, 2), 900);
	check_case("S26, H1: ten times the balance reported, no change today");
	hot_set(&h, at(10, 5), 9000);
	CHECK_INT(hot_read(&h, at(10, 5), 0), 900);
	CHECK_INT(hot_read(&h, at(10, 5), 8500), 500);
	for (d = 10; d < 14; d++) {
		CHECK_INT(hot_read(&h, at(d, 6), 0), 900);
		hot_set(&h, at(d, 7), 9000);
	}
	/* Days 11 to 14 never fell below: four of seven. */
	CHECK_INT(hot_read(&h, at(14, 0), 0), 9000);
	check_case("a low lasts no longer than the days that it is in");
	hot_set(&h, at(15, 0), 10);
	CHECK_INT(hot_read(&h, at(15, 0), 0), 10);
	hot_set(&h, at(15, 1), 9000);
	CHECK_INT(hot_read(&h, at(15, 1), 0), 9000);
	CHECK_INT(hot_read(&h, at(400, 1), 0), 9000);
	check_case("paying more than is there leaves nothing");
	hot_pay(&h, at(401, 1), 90000);
	CHECK_INT(hot_read(&h, at(401, 1), 0), 0);
	check_case("H1: the stated maximum");
	hot_init(&h, 500);
	hot_set(&h, at(0, 1), 1000);
	CHECK_INT(hot_read(&h, at(0, 1), 0), 500);
	CHECK_INT(hot_read(&h, at(0, 1), 600), 400);
	return check_done();
}
