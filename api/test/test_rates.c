/* Budgets of addresses, bans, and a table that does not grow. */
#include "api/bounds.h"
#include "api/rates.h"
#include "tests/check.h"

static unsigned char	 ip[16];

static void
set_four(uint32_t n)
{
	memset(ip, 0, sizeof(ip));
	ip[10] = ip[11] = 0xff;
	ip[12] = (unsigned char)(n >> 24);
	ip[13] = (unsigned char)(n >> 16);
	ip[14] = (unsigned char)(n >> 8);
	ip[15] = (unsigned char)n;
}

static struct rates_answer
take(struct rates *r, enum endpoint e, int64_t now_ms)
{
	struct rates_answer	 a;

	rates_take(r, &a, ip, e, now_ms);
	return a;
}

static void
test_budgets(void)
{
	struct rates		*r = rates_new(1024);
	struct rates_answer	 a;
	int			 i;

	set_four(1);
	check_case("/api shares one budget");
	for (i = 0; i < 300; i++) {
		a = take(r, ENDPOINT_ACCOUNT, 60000);
		CHECK_INT(a.rate, RATE_OK);
	}
	CHECK_INT(a.used, 6000);
	a = take(r, ENDPOINT_PING, 60500);
	CHECK_INT(a.rate, RATE_MUCH);
	CHECK_INT(a.retry_s, 60);
	CHECK_INT(take(r, ENDPOINT_NONE, 119000).retry_s, 1);
	CHECK_INT(take(r, ENDPOINT_PING, 120000).rate, RATE_OK);

	check_case("each of /sapi has its own");
	for (i = 0; i < 1200; i++)
		CHECK_INT(take(r, ENDPOINT_COINS, 180000).rate, RATE_OK);
	CHECK_INT(take(r, ENDPOINT_COINS, 180000).rate, RATE_MUCH);
	CHECK_INT(take(r, ENDPOINT_QUOTA, 180000).rate, RATE_OK);

	check_case("accounts and the exchange are not counted here");
	for (i = 0; i < 20000; i++) {
		CHECK_INT(take(r, ENDPOINT_APPLY, 240000).rate, RATE_OK);
		CHECK_INT(take(r, ENDPOINT_V1_WITHDRAW, 240000).used, -1);
	}

	check_case("the history, ten a second");
	for (i = 0; i < 10; i++)
		CHECK_INT(take(r, ENDPOINT_WITHDRAW_HISTORY, 300001).rate,
		    RATE_OK);
	a = take(r, ENDPOINT_WITHDRAW_HISTORY, 300900);
	CHECK_INT(a.rate, RATE_MUCH);
	CHECK_INT(a.retry_s, 1);
	CHECK_INT(take(r, ENDPOINT_WITHDRAW_HISTORY, 301000).rate, RATE_OK);

	check_case("wrong keys stop what is not counted");
	for (i = 0; i < 601; i++)
		rates_blame(r, ip, RATE_BAD_KEY, 360000);
	CHECK_INT(take(r, ENDPOINT_APPLY, 360000).rate, RATE_MUCH);
	CHECK_INT(take(r, ENDPOINT_APPLY, 420000).rate, RATE_OK);
	rates_free(&r);
}

/* Goes on after 429 until it is banned; the ban's length. */
static int64_t
provoke(struct rates *r, int64_t now_ms)
{
	struct rates_answer	 a;
	int			 i;

	for (i = 0; i < 1000; i++) {
		a = take(r, ENDPOINT_EXCHANGE_INFO, now_ms);
		if (a.rate == RATE_BANNED)
			return a.banned_now ? a.retry_s : -1;
	}
	return -2;
}

static void
test_bans(void)
{
	struct rates	*r = rates_new(1024);
	int64_t		 now = 600000, s;

	set_four(2);
	check_case("a ban of two minutes, then twice as long");
	CHECK_INT(provoke(r, now), 120);
	CHECK_INT(take(r, ENDPOINT_APPLY, now + 60000).rate, RATE_BANNED);
	CHECK_INT(take(r, ENDPOINT_APPLY, now + 60000).retry_s, 60);
	CHECK_INT(take(r, ENDPOINT_PING, now + 120000).rate, RATE_OK);
	CHECK_INT(rates_banned(r, now), 1);
	CHECK_INT(rates_banned(r, now + 120000), 0);
	now += 180000;
	CHECK_INT(provoke(r, now), 240);

	check_case("never longer than three days");
	s = 240;
	while (s < 259200) {
		now += (s + 60) * 1000;
		s = provoke(r, now);
		if (!CHECK(s > 0))
			break;
	}
	CHECK_INT(s, 259200);

	check_case("forgotten after three quiet days");
	now += INT64_C(2) * 259201000;
	CHECK_INT(provoke(r, now), 120);
	rates_free(&r);
}

static void
test_table(void)
{
	struct rates	*r = rates_new(1024);
	int64_t		 before;
	uint32_t	 i;

	check_case("a million addresses, one table");
	set_four(7);
	CHECK_INT(provoke(r, 60000), 120);
	set_four(8);
	CHECK(rates_enter(r, ip, 2, 60000));
	for (i = 0; i < 1000000; i++) {
		set_four(0x0a000000 + i);
		CHECK(take(r, ENDPOINT_PING, 60001 + i / 100000).rate ==
		    RATE_OK);
	}
	before = rates_known(r);
	CHECK(before <= 1024);
	set_four(7);
	CHECK_INT(take(r, ENDPOINT_PING, 70000).rate, RATE_BANNED);

	check_case("connections of an address");
	set_four(8);
	CHECK(rates_enter(r, ip, 2, 70000));
	CHECK(!rates_enter(r, ip, 2, 70000));
	rates_leave(r, ip);
	CHECK(rates_enter(r, ip, 2, 70000));
	rates_leave(r, ip);
	rates_leave(r, ip);

	check_case("a /64 of IPv6 is one address");
	memset(ip, 0, sizeof(ip));
	ip[0] = 0x20;
	ip[15] = 1;
	CHECK(rates_enter(r, ip, 1, 70000));
	ip[8] = 9;
	CHECK(!rates_enter(r, ip, 1, 70000));
	ip[7] = 1;
	CHECK(rates_enter(r, ip, 1, 70000));
	rates_free(&r);
}

int
main(void)
{
	test_budgets();
	test_bans();
	test_table();
	return check_done();
}
