#include "tests/check.h"

#include "lib/amount.h"
#include "lib/test/random.h"

static enum rc
parse(int64_t *sat, const char *text, struct err *e)
{
	return amount_parse(sat, text, strlen(text), e);
}

static void
test_parse(void)
{
	static const struct {
		const char	*text;
		int64_t		 sat;
	} good[] = {
		{ "0", 0 },
		{ "0.00000001", 1 },
		{ "1", SAT_PER_BTC },
		{ "1.5", 150000000 },
		{ "007", 7 * SAT_PER_BTC },
		{ "7074.18104234", INT64_C(707418104234) },
		{ "20999999.99999999", AMOUNT_SAT_MAX - 1 },
		{ "21000000", AMOUNT_SAT_MAX },
		{ "21000000.00000000", AMOUNT_SAT_MAX },
	};
	static const char *const bad[] = { "", ".", "1.", ".5", "-1", "+1",
		" 1", "1 ", "1e3", "1,000", "0x10", "1.123456789",
		"1.000000000", "21000000.00000001", "21000001",
		"9223372036854775808", "99999999999999999999999999", "1.2.3",
		"NaN", "1.0a", "\xd9\xa1" };
	struct err	 e;
	int64_t		 sat;
	size_t		 i;

	check_case("amounts that are taken");
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		sat = -1;
		CHECK(parse(&sat, good[i].text, &e) == RC_OK);
		CHECK_INT(sat, good[i].sat);
	}
	check_case("amounts that are refused leave the output alone");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		sat = 12345;
		e.text[0] = '\0';
		if (!CHECK(parse(&sat, bad[i], &e) == RC_FAILED))
			printf("#   %s\n", bad[i]);
		CHECK_INT(sat, 12345);
		CHECK(e.text[0] != '\0');
	}
	CHECK(parse(&sat, "1.123456789", &e) == RC_FAILED);
	CHECK_STR(e.text, "9 decimals; a bitcoin has 8");
	check_case("an amount ends where its length says");
	CHECK(amount_parse(&sat, "12", 1, &e) == RC_OK);
	CHECK_INT(sat, SAT_PER_BTC);
}

static void
test_round_trip(void)
{
	char		 text[AMOUNT_TEXT_MAX], plain[AMOUNT_TEXT_MAX];
	struct random	 r = { 1 };
	struct err	 e;
	int64_t		 sat, back;
	size_t		 i, n;
	int		 round;

	check_case("any amount there and back, both spellings");
	for (round = 0; round < 100000; round++) {
		/* All magnitudes alike, not only the largest. */
		sat = (int64_t)(random_next(&r) >> (random_next(&r) % 64)) &
		    INT64_MAX;
		if (sat > AMOUNT_SAT_MAX)
			sat %= AMOUNT_SAT_MAX + 1;
		CHECK(parse(&back, amount_format(text, sat), &e) == RC_OK);
		CHECK_INT(back, sat);
		(void)amount_format_short(text, sat);
		for (i = n = 0; text[i] != '\0'; i++)
			if (text[i] != ',')
				plain[n++] = text[i];
		plain[n] = '\0';
		CHECK(parse(&back, plain, &e) == RC_OK);
		CHECK_INT(back, sat);
	}
}

static void
test_format(void)
{
	char	 b[AMOUNT_TEXT_MAX];

	check_case("how amounts are written");
	CHECK_STR(amount_format(b, 0), "0.00000000");
	CHECK_STR(amount_format(b, -1), "-0.00000001");
	CHECK_STR(amount_format(b, AMOUNT_SAT_MAX), "21000000.00000000");
	CHECK_STR(amount_format(b, INT64_MIN), "-92233720368.54775808");
	CHECK_STR(amount_format_short(b, 0), "0");
	CHECK_STR(amount_format_short(b, SAT_PER_BTC), "1");
	CHECK_STR(amount_format_short(b, 10 * SAT_PER_BTC), "10");
	CHECK_STR(amount_format_short(b, 123400010000), "1,234.0001");
	CHECK_STR(amount_format_short(b, 999 * SAT_PER_BTC), "999");
	CHECK_STR(amount_format_short(b, 1000000 * SAT_PER_BTC), "1,000,000");
	CHECK_STR(amount_format_short(b, 1), "0.00000001");
	CHECK_STR(amount_format_short(b, -150000000), "-1.5");
	CHECK_STR(amount_format_short(b, INT64_MIN),
	    "-92,233,720,368.54775808");
}

static void
test_sums(void)
{
	struct random	 r = { 2 };
	int64_t		 a, b, sum;
	__int128	 want;
	int		 round;

	check_case("sums are checked against wider ones");
	for (round = 0; round < 100000; round++) {
		a = (int64_t)random_next(&r) >> (random_next(&r) % 64);
		b = (int64_t)random_next(&r) >> (random_next(&r) % 64);
		want = (__int128)a + b;
		sum = 77;
		if (want >= INT64_MIN && want <= INT64_MAX) {
			CHECK(amount_add(&sum, a, b) == RC_OK);
			CHECK(sum == (int64_t)want);
			CHECK(amount_add_saturate(a, b) == sum);
		} else {
			CHECK(amount_add(&sum, a, b) == RC_FAILED);
			CHECK_INT(sum, 77);
			CHECK(amount_add_saturate(a, b) == INT64_MAX);
		}
	}
}

static void
test_muldiv(void)
{
	struct random	 r = { 3 };
	int64_t		 v, num, den;
	__int128	 want;
	int		 round;

	check_case("muldiv is the floor of the wide product");
	CHECK_INT(muldiv(AMOUNT_SAT_MAX, 1000000, 1000000), AMOUNT_SAT_MAX);
	CHECK_INT(muldiv(7, 1, 2), 3);
	CHECK_INT(muldiv(INT64_MAX, INT64_MAX, 1), INT64_MAX);
	CHECK_INT(muldiv(INT64_MAX, 2, 3), INT64_C(6148914691236517204));
	for (round = 0; round < 100000; round++) {
		v = (int64_t)(random_next(&r) >> (1 + random_next(&r) % 63));
		num = (int64_t)(random_next(&r) >> (1 + random_next(&r) % 63));
		den = 1 + (int64_t)(random_next(&r) >>
		    (2 + random_next(&r) % 62));
		want = (__int128)v * num / den;
		CHECK_INT(muldiv(v, num, den),
		    want > INT64_MAX ? INT64_MAX : (int64_t)want);
	}
}

int
main(void)
{
	test_parse();
	test_round_trip();
	test_format();
	test_sums();
	test_muldiv();
	return check_done();
}
