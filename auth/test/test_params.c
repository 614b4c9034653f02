/* Parameters: what is taken, what is refused, and what may have been
 * signed. */
#include <stdlib.h>

#include "auth/params.h"
#include "tests/check.h"

static struct params	 p;

static int
read_it(const char *query, const char *body)
{
	struct params_error	 e = { 0, { NULL, 0 } };

	return params_read(&p, text_of(query), text_of(body), &e) ? 0 :
	    e.code;
}

static bool
is(struct text t, const char *want)
{
	return text_equal(t, text_of(want));
}

static void
test_split(void)
{
	check_case("split and decode");
	CHECK_INT(read_it("", ""), 0);
	CHECK_INT(p.n, 0);
	CHECK_INT(read_it("a=1&b=&signature=ab", ""), 0);
	CHECK(is(params_value(&p, "a"), "1"));
	CHECK(is(params_value(&p, "b"), ""));
	CHECK(params_value(&p, "c").p == NULL);
	CHECK(params_value(&p, "signature").p == NULL);
	CHECK(is(p.signature, "ab"));
	CHECK(params_unread(&p).p == NULL);
	CHECK_INT(read_it("name=My+wallet%2f%C3%A9", ""), 0);
	CHECK(is(params_unread(&p), "name"));
	CHECK(is(params_value(&p, "name"), "My wallet/\xc3\xa9"));
	/* An official sample: parameters in the query, and the signature
	 * alone in the body. */
	CHECK_INT(read_it("a=1", "signature=ab"), 0);
	CHECK(is(p.signature, "ab"));
}

static void
test_refused(void)
{
	static const struct {
		const char	*query, *body;
		int		 code;
	} bad[] = {
		{ "a=1&a=1", "", -1101 },
		{ "", "a=1&a=2", -1101 },
		{ "a=1", "a=1", -1101 },
		{ "a=1", "b=1", -1101 },
		{ "signature=a", "a=1&signature=a", -1101 },
		{ "signature=a&signature=a", "", -1101 },
		/* Spelled otherwise, it is the same name. */
		{ "amount=1&amoun%74=2", "", -1101 },
		{ "signature=a&signatur%65=b", "", -1101 },
		{ "a=%", "", -1100 },
		{ "a=%4", "", -1100 },
		{ "a=%4g", "", -1100 },
		{ "a=%00", "", -1100 },
		{ "a%00=1", "", -1100 },
		{ "=1", "", -1100 },
		{ "a=1&&b=1", "", -1100 },
		{ "a=1&", "", -1100 },
		{ "&a=1", "", -1100 },
	};
	char	 many[PARAMS_BYTES + 16];
	size_t	 i;

	check_case("what is refused");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_INT(read_it(bad[i].query, bad[i].body), bad[i].code);
	memset(many, 'a', sizeof(many));
	many[1] = '=';
	many[PARAMS_BYTES] = '\0';
	CHECK_INT(read_it(many, ""), 0);
	CHECK_INT(read_it(many, "b"), -1101);
	for (i = 0; i <= PARAMS_MAX; i++)
		(void)snprintf(many + 4 * i, 5, "%c%c=&", (int)('a' + i / 26),
		    (int)('a' + i % 26));
	many[4 * PARAMS_MAX - 1] = '\0';
	CHECK_INT(read_it(many, ""), 0);
	many[4 * PARAMS_MAX - 1] = '&';
	many[4 * PARAMS_MAX + 3] = '\0';
	CHECK_INT(read_it(many, ""), -1101);
}

static const char *
candidate(int which)
{
	static char	 out[3 * PARAMS_BYTES];
	int		 n;

	n = which == 1 ? params_received(&p, out, sizeof(out)) :
	    which == 2 ? params_canonical(&p, out, sizeof(out)) :
	    params_decoded(&p, out, sizeof(out));
	if (n < 0)
		return "none";
	out[n] = '\0';
	return out;
}

static void
test_signed(void)
{
	static const char *const	 ambiguous[] = { "a=1%26amount=9",
		"a=1%2525", "a=1%2b", "a%3d1=2", "a%26=2" };
	char				 small[8];
	size_t				 i;

	check_case("what may have been signed");
	/* wallet and nba: `+` sent, %20 signed. */
	CHECK_INT(read_it("coin=BTC&signature=x&name=My+wallet~!%27", ""), 0);
	CHECK_STR(candidate(1), "coin=BTC&name=My+wallet~!%27");
	CHECK_STR(candidate(2), "coin=BTC&name=My%20wallet~!'");
	CHECK_STR(candidate(3), "coin=BTC&name=My wallet~!'");
	/* ccxt: everything bare. */
	CHECK_INT(read_it("", "address=a:b/c d\xc3\xa9&signature=x"), 0);
	CHECK_STR(candidate(1), "address=a:b/c d\xc3\xa9");
	CHECK_STR(candidate(2), "address=a%3Ab%2Fc%20d%C3%A9");
	/* pb: signed unencoded. */
	CHECK_INT(read_it("", "address=bitcoincash%3Aq&amount=1e-05"), 0);
	CHECK_STR(candidate(3), "address=bitcoincash:q&amount=1e-05");
	CHECK_INT(read_it("a=%7e%2d&signature=x", ""), 0);
	CHECK_STR(candidate(2), "a=~-");
	for (i = 0; i < sizeof(ambiguous) / sizeof(ambiguous[0]); i++) {
		CHECK_INT(read_it(ambiguous[i], ""), 0);
		CHECK_STR(candidate(3), "none");
	}
	CHECK_INT(read_it("a=12345678", ""), 0);
	CHECK_INT(params_received(&p, small, sizeof(small)), -1);
	CHECK_INT(params_canonical(&p, small, sizeof(small)), -1);
	CHECK_INT(params_decoded(&p, small, sizeof(small)), -1);
}

static void
test_amount(void)
{
	static const struct {
		const char	*text;
		int		 code;
		int64_t		 sat;
	} t[] = {
		{ "1", 0, 100000000 },
		{ "0.5", 0, 50000000 },
		{ ".5", 0, 50000000 },
		{ "5.", 0, 500000000 },
		{ "1e-05", 0, 1000 },
		{ "1e-7", 0, 10 },
		{ "1E-8", 0, 1 },
		{ "0.0000001", 0, 10 },
		{ "1.5e1", 0, 1500000000 },
		{ "1.5E+1", 0, 1500000000 },
		{ "0.000000010", 0, 1 },
		{ "10e-9", 0, 1 },
		{ "0", 0, 0 },
		{ "0e99", 0, 0 },
		{ "20999999.99999999", 0, 2099999999999999 },
		{ "21000000", 0, 2100000000000000 },
		{ "1e-9", -1111, 0 },
		{ "0.000000001", -1111, 0 },
		{ "0.123456789", -1111, 0 },
		{ "1e-99", -1111, 0 },
		{ "21000000.00000001", -4023, 0 },
		{ "1e99", -4023, 0 },
		{ "9e18", -4023, 0 },
		{ "", -1100, 0 },
		{ ".", -1100, 0 },
		{ "e1", -1100, 0 },
		{ ".e1", -1100, 0 },
		{ "1e", -1100, 0 },
		{ "1e-", -1100, 0 },
		{ "1e+", -1100, 0 },
		{ "1e1.5", -1100, 0 },
		{ "1e1e1", -1100, 0 },
		{ "1e100", -1100, 0 },
		{ "-1", -1100, 0 },
		{ "+1", -1100, 0 },
		{ "1,5", -1100, 0 },
		{ "1.5.5", -1100, 0 },
		{ " 1", -1100, 0 },
		{ "1 ", -1100, 0 },
		{ "0x1", -1100, 0 },
		{ "NaN", -1100, 0 },
		{ "Infinity", -1100, 0 },
		{ "\xef\xbc\x91", -1100, 0 },
	};
	int64_t	 sat;
	size_t	 i;

	check_case("amounts");
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		sat = 0;
		if (params_amount(&sat, text_of(t[i].text)) != t[i].code ||
		    (t[i].code == 0 && sat != t[i].sat))
			check_that(false, t[i].text, __FILE__, __LINE__);
	}
}

static void
test_values(void)
{
	int64_t	 n;
	bool	 flag;

	check_case("numbers, flags, windows");
	CHECK(params_number(&n, text_of("0")) && n == 0);
	CHECK(params_number(&n, text_of("1700000000000000")));
	CHECK_INT(n, 1700000000000000);
	CHECK(!params_number(&n, text_of("")));
	CHECK(!params_number(&n, text_of("-1")));
	CHECK(!params_number(&n, text_of("1.0")));
	CHECK(!params_number(&n, text_of("1234567890123456789")));
	CHECK(params_flag(&flag, text_of("true")) && flag);
	CHECK(params_flag(&flag, text_of("True")) && flag);
	CHECK(params_flag(&flag, text_of("FALSE")) && !flag);
	CHECK(!params_flag(&flag, text_of("1")));
	CHECK(!params_flag(&flag, text_of("")));
	/* 0x54 | 0x20 is `t`; so is 0x74: but 0x14 is not. */
	CHECK(!params_flag(&flag, text_of("\x14rue")));
	CHECK(params_window(&n, text_of("5000")) && n == 5000000);
	CHECK(params_window(&n, text_of("0.001")) && n == 1);
	CHECK(params_window(&n, text_of("6000.346")) && n == 6000346);
	CHECK(!params_window(&n, text_of("0.0001")));
	CHECK(!params_window(&n, text_of("1e3")));
	CHECK(!params_window(&n, text_of("-1")));
	CHECK(!params_window(&n, text_of("")));
	CHECK(params_is_plain(text_of("bc1q")));
	CHECK(!params_is_plain(text_of("a b")));
	CHECK(!params_is_plain(text_of("a\tb")));
	CHECK(!params_is_plain(text_of("a\x7f")));
}

int
main(void)
{
	test_split();
	test_refused();
	test_signed();
	test_amount();
	test_values();
	return check_done();
}
