/*
 * Exposure: small policies whose answer is known by hand.  The wallet holds
 * 1,000 btc, there are 10 accounts, unless a case says otherwise.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/amount.h"
#include "lib/civil.h"
#include "policy/ast.h"
#include "sim/cover.h"
#include "sim/exposure.h"
#include "tests/check.h"

#define BTC		SAT_PER_BTC
#define OPEN		(-1)		/* unbounded */

static const int64_t horizons_ms[3] = { MS_PER_HOUR, MS_PER_DAY,
	MS_PER_WEEK };

static struct exposure_state
plain_state(void)
{
	struct exposure_state	 s = { .hot_sat = 1000 * BTC,
		.fund_sat = -1, .accounts = 10, .limits_sat = -1,
		.platform_age_ms = -1 };

	return s;
}

static struct policy *
load(const char *text)
{
	struct policy	*p = NULL;
	struct err	 e;

	if (policy_load_text(&p, "t.policy", text, strlen(text), stdout,
	    &e) != RC_OK) {
		printf("not ok load: %s\n", e.text);
		exit(1);
	}
	return p;
}

/* In satoshi, OPEN for unbounded; x: the last horizon's. */
static void
want(const char *text, const struct exposure_state *s, int64_t hour_sat,
    int64_t day_sat, int64_t week_sat, struct exposure *x)
{
	const int64_t	 wanted[3] = { hour_sat, day_sat, week_sat };
	struct policy	*p = load(text);
	struct err	 e;
	int		 i;

	for (i = 0; i < 3; i++) {
		if (!CHECK(exposure_compute(x, p, s, horizons_ms[i], &e) ==
		    RC_OK))
			printf("#   %s\n", e.text);
		CHECK_INT(x->unbounded ? OPEN : x->sat, wanted[i]);
		if (x->unbounded)
			CHECK(x->hole[0] != '\0');
	}
	policy_free(&p);
}

static void
want_plain(const char *text, int64_t hour_sat, int64_t day_sat,
    int64_t week_sat)
{
	const struct exposure_state	 s = plain_state();
	struct exposure			 x;

	want(text, &s, hour_sat, day_sat, week_sat, &x);
}

#define ALLOW	"policy 1\ndefault allow\n"
#define HOLD	"policy 1\ndefault hold\n"

static void
test_nothing(void)
{
	struct exposure_state	 s = plain_state();
	struct exposure		 x;

	check_case("nothing bounds");
	want_plain(ALLOW, OPEN, OPEN, OPEN);
	check_case("nothing leaves");
	want_plain(HOLD, 0, 0, 0);
	want_plain("policy 1\ndefault deny\n", 0, 0, 0);
	check_case("what is always held does not leave");
	want_plain(ALLOW "hold \"all\" when amount >= 0 btc\n", 0, 0, 0);
	check_case("a mode that does not enforce bounds nothing");
	want_plain(HOLD "mode observe\n", OPEN, OPEN, OPEN);
	want_plain(HOLD "mode advise\n", OPEN, OPEN, OPEN);
	want(HOLD "mode enforce above 2 btc\n", &s, OPEN, OPEN, OPEN, &x);
	CHECK(strstr(x.hole, "2 btc") != NULL);
	check_case("a lot, a shadow, a date and a delay bound nothing");
	want_plain(ALLOW "hold by lot 1 in 2 \"look\" when amount > 0 btc\n",
	    OPEN, OPEN, OPEN);
	want_plain(ALLOW "shadow hold \"all\" when amount > 0 btc\n", OPEN,
	    OPEN, OPEN);
	want_plain(ALLOW "hold \"all\" when amount > 0 btc until 2099-01-01\n",
	    OPEN, OPEN, OPEN);
	want_plain(ALLOW "delay 6h \"all\" when sum committed on platform in "
	    "24h > 3 btc\n", OPEN, OPEN, OPEN);
}

static void
test_budgets(void)
{
	struct exposure_state	 s = plain_state();
	struct exposure		 x;

	check_case("a window longer than the horizon, and shorter");
	want_plain(ALLOW "hold \"day\" when sum committed on platform in 24h "
	    "> 30 btc\n", 30 * BTC, 30 * BTC, 210 * BTC);
	want_plain(ALLOW "hold \"hour\" when sum committed on platform in 1h "
	    "> 2 btc\n", 2 * BTC, 48 * BTC, 336 * BTC);
	want_plain(ALLOW "hold \"5h\" when sum committed on platform in 5h "
	    "> 2 btc\n", 2 * BTC, 10 * BTC, 68 * BTC);
	check_case("the cheaper of two");
	want_plain(ALLOW "hold \"day\" when sum committed on platform in 24h "
	    "> 30 btc\nhalt \"hour\" when sum committed on platform in 1h "
	    ">= 2 btc\n", 2 * BTC, 30 * BTC, 210 * BTC);
	check_case("a multiple of a sum");
	want_plain(ALLOW "hold \"day\" when 3 x sum committed on platform in "
	    "24h > 30 btc\n", 10 * BTC, 10 * BTC, 70 * BTC);
	check_case("a share of the wallet, and of the fund");
	want_plain(ALLOW "deny \"day\" when sum committed on platform in 24h "
	    "> 4 % of hot less up to 25 %\n", 40 * BTC, 40 * BTC, 280 * BTC);
	want_plain(ALLOW "deny \"day\" when sum committed on platform in 24h "
	    "> 50 % of fund\n", OPEN, OPEN, OPEN);
	s.fund_sat = 60 * BTC;
	want(ALLOW "deny \"day\" when sum committed on platform in 24h > "
	    "50 % of fund\n", &s, 30 * BTC, 30 * BTC, 210 * BTC, &x);
	CHECK_INT(x.n_parts, 1);
	CHECK_STR(x.parts[0].rule, "day");
	CHECK_STR(x.parts[0].where, "t.policy:3");
	CHECK_STR(x.parts[0].what, "sum committed on platform in 1d");
	check_case("a ceiling");
	want_plain(ALLOW "ceiling 30 btc in 24h\n", 30 * BTC, 30 * BTC,
	    210 * BTC);
	check_case("more than the wallet");
	s = plain_state();
	want(ALLOW "ceiling 900 btc in 24h\n", &s, 900 * BTC, 900 * BTC,
	    6300 * BTC, &x);
	CHECK(x.capped);
}

static void
test_classes(void)
{
	struct exposure_state	 s = plain_state();
	struct exposure		 x;

	check_case("a budget on a class leaves the rest open");
	want(ALLOW "class big when amount >= 2 btc\n"
	    "hold \"b\" when big and sum committed on platform in 24h of big "
	    "> 30 btc\n", &s, OPEN, OPEN, OPEN, &x);
	CHECK(strstr(x.hole, "amount below 2") != NULL);
	check_case("the sum over classes");
	want_plain(ALLOW "class big when amount >= 2 btc\n"
	    "class rest when not big\n"
	    "hold \"b\" when big and sum committed on platform in 24h of big "
	    "> 30 btc\n"
	    "hold \"r\" when rest and sum committed on platform in 24h of "
	    "rest > 5 btc\n", 35 * BTC, 35 * BTC, 245 * BTC);
	check_case("a rule without its class covers all, but counts a part");
	want_plain(ALLOW "class big when amount >= 2 btc\n"
	    "hold \"b\" when sum committed on platform in 24h of big > 30 "
	    "btc\n", OPEN, OPEN, OPEN);
	check_case("a rule guarded by what is undecided");
	want_plain(ALLOW "hold \"d\" when age of credentials < 7d and "
	    "sum committed on platform in 24h > 30 btc\n", OPEN, OPEN, OPEN);
	check_case("either way leads to the same rule");
	want_plain(ALLOW "class night when hour < 6\n"
	    "hold \"n\" when night and sum committed on platform in 24h > 30 "
	    "btc\n"
	    "hold \"d\" when not night and sum committed on platform in 24h "
	    "> 20 btc\n", 50 * BTC, 50 * BTC, 350 * BTC);
	check_case("or");
	want_plain(ALLOW "hold \"x\" when amount > 5 btc or sum committed on "
	    "platform in 24h > 30 btc\n", 30 * BTC, 30 * BTC, 210 * BTC);
	check_case("only an allow opens");
	want_plain(HOLD "allow \"small\" when amount < 2 btc\n"
	    "class small when amount < 2 btc\n"
	    "hold \"s\" when small and sum committed on platform in 24h of "
	    "small > 7 btc\n", 7 * BTC, 7 * BTC, 49 * BTC);
	check_case("a flag in a class");
	want_plain(ALLOW "class api when via api\n"
	    "hold \"a\" when api\n"
	    "hold \"o\" when not api and sum committed on platform in 24h of "
	    "not api > 3 btc\n", 3 * BTC, 3 * BTC, 21 * BTC);
}

static void
test_accounts(void)
{
	struct exposure_state	 s = plain_state();
	struct exposure		 x;

	check_case("an account's sum times the accounts");
	want_plain(ALLOW "deny \"a\" when sum committed by account in 24h "
	    "> 2 btc\n", 20 * BTC, 20 * BTC, 140 * BTC);
	check_case("limits");
	want_plain(ALLOW "deny \"l\" when sum committed by account in 24h "
	    "> limit of account and limit of account > 0 btc\n", OPEN, OPEN,
	    OPEN);
	s.limits_sat = 55 * BTC;
	want(ALLOW "deny \"l\" when sum committed by account in 24h "
	    "> 2 x limit of account and limit of account > 0 btc\n", &s,
	    110 * BTC, 110 * BTC, 770 * BTC, &x);
	check_case("a class says what an account may");
	want_plain(HOLD "let outlay = sum asked by account in 24h\n"
	    "class small when outlay < 2 btc\n"
	    "allow \"s\" when small\n", 20 * BTC - 10, 20 * BTC - 10,
	    140 * BTC - 70);
	check_case("two levels of one sum: the higher is all");
	want_plain(HOLD "let outlay = sum asked by account in 24h\n"
	    "class small when outlay <= 2 btc\n"
	    "class more when not small and outlay <= 5 btc\n"
	    "allow \"s\" when outlay <= 5 btc\n", 50 * BTC, 50 * BTC,
	    350 * BTC);
	want_plain(HOLD "let outlay = sum asked by account in 24h\n"
	    "class small when outlay <= 2 btc\n"
	    "class more when not small and outlay <= 5 btc\n"
	    "allow \"s\" when outlay <= 5 btc\n"
	    "hold \"m\" when more and sum asked on platform in 24h of more "
	    "> 8 btc\n", 28 * BTC, 28 * BTC, 196 * BTC);
	check_case("two classes with sums of their own: both");
	want_plain(HOLD "class big when amount >= 1 btc\n"
	    "class a when big and sum asked by account in 24h of big <= 2 "
	    "btc\n"
	    "class b when not big and sum asked by account in 24h of not big "
	    "<= 3 btc\n"
	    "allow \"s\" when a or b\n", 50 * BTC, 50 * BTC, 350 * BTC);
	check_case("released sees nothing that waits");
	want_plain(ALLOW "deny \"a\" when sum released by account in 24h > 2 "
	    "btc\n", OPEN, OPEN, OPEN);
	want_plain(ALLOW "hold \"p\" when sum released on platform in 24h > 2 "
	    "btc\n", 2 * BTC, 2 * BTC, 14 * BTC);
	want_plain(ALLOW "delay 1h \"w\" when amount > 0 btc\n"
	    "class large when amount >= 5 btc\nhold \"l\" when large\n"
	    "hold \"p\" when not large and sum released on platform in 24h "
	    "> 2 btc\n", 2 * BTC, 2 * BTC, 14 * BTC);
	check_case("unless the rule may no longer speak at the release");
	want_plain(ALLOW "delay 1h \"w\" when amount > 0 btc\n"
	    "let outlay = sum asked by account in 24h\n"
	    "hold \"o\" when outlay > 5 btc\n"
	    "hold \"p\" when outlay <= 5 btc and sum released on platform "
	    "in 24h > 2 btc\n", 50 * BTC, 100 * BTC, 400 * BTC);
	check_case("a count times the largest");
	want_plain(HOLD "allow \"s\" when amount <= 2 btc\n"
	    "hold \"c\" when count committed on platform in 24h > 10\n",
	    20 * BTC, 20 * BTC, 140 * BTC);
}

static void
test_crowds(void)
{
	check_case("accounts bound only with what each may");
	want_plain(ALLOW "hold \"crowd\" when distinct accounts asked on "
	    "platform in 24h > 3\n", OPEN, OPEN, OPEN);
	want_plain(ALLOW "let outlay = sum asked by account in 24h\n"
	    "class over when outlay > 2 btc\nhold \"over\" when over\n"
	    "hold \"crowd\" when distinct accounts asked on platform in 24h "
	    "> 3\n", 6 * BTC, 6 * BTC, 42 * BTC);
	check_case("in seven days an account may seven times");
	want_plain(ALLOW "let outlay = sum asked by account in 24h\n"
	    "class over when outlay > 2 btc\nhold \"over\" when over\n"
	    "hold \"crowd\" when distinct accounts asked on platform in 7d "
	    "> 1\n", 14 * BTC, 14 * BTC, 14 * BTC);
}

static void
test_waiting(void)
{
	check_case("asked: what waited leaves within the horizon too");
	want_plain(ALLOW "delay 6h \"w\" when amount > 1 btc\n"
	    "hold \"h\" when sum asked on platform in 1h > 2 btc\n",
	    14 * BTC, 60 * BTC, 348 * BTC);
	check_case("a code waits as well; a shadow does not");
	want_plain(ALLOW "step-up \"c\" when amount > 1 btc\n"
	    "shadow delay 6h \"w\" when amount > 1 btc\n"
	    "hold \"h\" when sum asked on platform in 1h > 2 btc\n",
	    4 * BTC, 50 * BTC, 338 * BTC);
	check_case("committed counts what waits");
	want_plain(ALLOW "delay 6h \"w\" when amount > 1 btc\n"
	    "hold \"h\" when sum committed on platform in 1h > 2 btc\n",
	    2 * BTC, 48 * BTC, 336 * BTC);
}

struct fixed_normal {
	int64_t	normal;
};

static int64_t
fixed_normal(void *ctx, const struct agg *agg, int64_t horizon_ms)
{
	const struct fixed_normal	*f = ctx;

	CHECK(agg->scope == SCOPE_PLATFORM && horizon_ms >= MS_PER_HOUR);
	return f->normal;
}

static void
test_lines(void)
{
	static const char	 money[] = ALLOW
	    "hold \"l\" when sum committed on platform in 24h "
	    "> normal by 50 % plus 3 btc until learnt 40 btc\n";
	static const char	 busy[] = ALLOW "hold \"l\" when sum committed "
	    "on platform in 24h > busy normal by 50 % plus 0.3 % of hot "
	    "until learnt 4 % of hot\n";
	static const char	 crowd[] = ALLOW
	    "let outlay = sum asked by account in 24h\n"
	    "class over when outlay > 2 btc\nhold \"over\" when over\n"
	    "hold \"l\" when distinct accounts asked on platform in 24h "
	    "> normal by 50 % plus 3 until learnt 9\n";
	struct exposure_state	 s = plain_state();
	struct fixed_normal	 f = { 10 * BTC };
	struct exposure		 x;

	check_case("a line that is not learnt");
	want_plain(money, 40 * BTC, 40 * BTC, 280 * BTC);
	s.normal = fixed_normal;
	s.ctx = &f;
	check_case("a line that is: one more for rounding");
	want(money, &s, 18 * BTC + 1, 18 * BTC + 1, 126 * BTC + 7, &x);
	check_case("eight times as busy");
	want(busy, &s, 123 * BTC + 1, 123 * BTC + 1, 861 * BTC + 7, &x);
	check_case("people: three roots more");
	s.accounts = 1000;
	f.normal = 16;
	/* 16 + 8 + 1 + 3 x 4 + 3 = 40 accounts, 2 btc each. */
	want(crowd, &s, 80 * BTC, 80 * BTC, 560 * BTC, &x);
	check_case("not learnt, though others are");
	f.normal = -1;
	want(crowd, &s, 18 * BTC, 18 * BTC, 126 * BTC, &x);
}

#define RUSH	"class rush when distinct accounts asked on platform in 3h " \
    "> normal by 100 % until learnt 9\n"

static void
test_undecided_classes(void)
{
	struct exposure_state	 s = plain_state();
	struct exposure		 x;

	check_case("a class under a line: the thief may choose");
	want(ALLOW RUSH "class calm when not rush\n"
	    "hold \"c\" when calm and sum committed on platform in 24h of "
	    "calm > 5 btc\n", &s, OPEN, OPEN, OPEN, &x);
	CHECK(strstr(x.hole, "rush") != NULL);
	check_case("a budget for each side");
	want_plain(ALLOW RUSH "class calm when not rush\n"
	    "hold \"c\" when calm and sum committed on platform in 24h of "
	    "calm > 5 btc\n"
	    "hold \"r\" when rush and sum committed on platform in 24h of "
	    "rush > 8 btc\n", 13 * BTC, 13 * BTC, 91 * BTC);
	check_case("one over both is cheaper");
	want_plain(ALLOW RUSH "class calm when not rush\n"
	    "hold \"c\" when calm and sum committed on platform in 24h of "
	    "calm > 5 btc\n"
	    "hold \"r\" when rush and sum committed on platform in 24h of "
	    "rush > 8 btc\n"
	    "hold \"both\" when sum committed on platform in 24h > 12 btc\n",
	    12 * BTC, 12 * BTC, 84 * BTC);
	check_case("not in a rush: what the class itself bounds");
	s.accounts = 1000;
	want(ALLOW "let outlay = sum asked by account in 24h\n"
	    "class over when outlay > 2 btc\nhold \"over\" when over\n"
	    RUSH "hold \"r\" when rush\n", &s, 18 * BTC, 18 * 8 * BTC,
	    18 * 56 * BTC, &x);
	check_case("a class of a sum");
	want_plain(ALLOW "class much when sum asked on platform in 24h > 6 "
	    "btc\nhold \"m\" when much\n", 6 * BTC, 6 * BTC, 42 * BTC);
}

static void
test_exemptions(void)
{
	static const char	 head[] = ALLOW
	    "set exemptions upto 15 % of hot\n"
	    "table <ours> of accounts { \"a\" }\n";
	char			 text[1024];

	check_case("an exemption adds what it may take");
	(void)snprintf(text, sizeof(text), "%s%s", head,
	    "hold \"day\" when sum committed on platform in 24h > 30 btc\n"
	    "exempt \"x\" from day when account in <ours> upto 5 btc in 12h "
	    "until 2099-01-01\n");
	want_plain(text, 35 * BTC, 40 * BTC, 280 * BTC);
	check_case("and past what always holds it is all there is");
	(void)snprintf(text, sizeof(text), "%s%s", head,
	    "hold \"all\" when amount >= 0 btc\n"
	    "exempt \"x\" from all when account in <ours> upto 5 btc in 7d "
	    "until 2099-01-01\n");
	want_plain(text, 5 * BTC, 5 * BTC, 5 * BTC);
}

static void
test_trust(void)
{
	static const char	 body[] =
	    "allow \"r\" when proven or amount < 100 btc\n"
	    "hold \"d\" when not proven and sum committed on platform in 24h "
	    "of not proven > 10 btc\n";
	struct exposure_state	 s = plain_state();
	struct exposure		 x;
	char			 text[1024];

	check_case("trust: nothing until Q, then what ripens");
	/* U = 70 in a week; (7 - 3)/(10 - 3) of it, and of what that was at
	 * 4 days, 1/7: P(4d) = 10, P(7d) = 40 + 10 / 7, rounded up. */
	(void)snprintf(text, sizeof(text), "%strust proven after 3d full at "
	    "10d used in 10d upto 500 btc\n%s", HOLD, body);
	want(text, &s, 10 * BTC, 10 * BTC, 70 * BTC + 40 * BTC + 1 +
	    (10 * BTC + 1) / 7 + 1, &x);
	CHECK_STR(x.parts[x.n_parts - 1].rule, "trust");
	check_case("trust that is forgotten soon grows");
	/* Ripe after a day, and forgotten then.  In units of U, until 30 h
	 * it is 1; until 53 h, 1 + 1 and 1 for the day before; 7 until 76 h,
	 * then 15, 31, 63 and 127, and what was paid unproven itself. */
	(void)snprintf(text, sizeof(text), "%strust proven after 23h full at "
	    "24h used in 24h upto 500 btc\n%s", HOLD, body);
	want(text, &s, 10 * BTC, 20 * BTC, 128 * 70 * BTC, &x);
	CHECK(x.capped);
	check_case("credit is nothing to who begins now");
	want_plain(HOLD "trust proven after 3d full at 10d used in 10d upto "
	    "500 btc\n"
	    "class paid when not proven and 2 x credit >= amount\n"
	    "class fresh when not proven and not paid\n"
	    "allow \"r\" when amount >= 0 btc\n"
	    "hold \"d\" when fresh and sum committed on platform in 24h of "
	    "fresh > 10 btc\n", 10 * BTC, 10 * BTC,
	    OPEN);
}

static void
test_platform_age(void)
{
	static const char	 text[] = ALLOW
	    "class settled when age of platform >= 10d\n"
	    "hold \"d\" when settled and sum committed on platform in 24h of "
	    "settled > 10 btc\n";
	struct exposure_state	 s = plain_state();
	struct exposure		 x;

	check_case("the platform's age, when it is known");
	want_plain(text, OPEN, OPEN, OPEN);
	s.platform_age_ms = 20 * MS_PER_DAY;
	want(text, &s, 10 * BTC, 10 * BTC, 70 * BTC, &x);
	s.platform_age_ms = 5 * MS_PER_DAY;
	want(text, &s, OPEN, OPEN, OPEN, &x);
}

static int64_t
fixed_habits(void *ctx, bool unproven, int64_t horizon_ms)
{
	(void)ctx;
	return horizon_ms > 3 * MS_PER_DAY ? -1 : unproven ? 6 * BTC : 9 * BTC;
}

static void
test_habits(void)
{
	struct exposure_state	 s = plain_state();
	struct exposure		 x;

	check_case("within thrice everybody's habit");
	s.habits = fixed_habits;
	want(HOLD "class usual when sum asked by account in 24h <= 3 x habit "
	    "unproven\nallow \"u\" when usual\n", &s, 18 * BTC, 18 * BTC,
	    OPEN, &x);
}

/* What is chosen hits every set, and is the cheapest of all choices. */
static void
test_cover(void)
{
	struct cover_set	 s, chosen;
	struct cover		 c;
	struct err		 e;
	int64_t			 prices[8], sum, best;
	uint64_t		 sets[12], rnd = 12345;
	int			 round, i, k, n;

	check_case("the cheapest cover");
	for (round = 0; round < 300; round++) {
		memset(&c, 0, sizeof(c));
		n = 1 + round % 12;
		for (i = 0; i < 8; i++) {
			rnd = rnd * 6364136223846793005u + 1442695040888963407u;
			prices[i] = (int64_t)(rnd >> 60);
		}
		for (k = 0; k < n; k++) {
			rnd = rnd * 6364136223846793005u + 1442695040888963407u;
			sets[k] = (rnd >> 40 & rnd >> 50 & 0xff) | 1u <<
			    (rnd >> 33 & 7);
			memset(&s, 0, sizeof(s));
			s.w[0] = sets[k];
			CHECK(cover_add(&c, &s, &e) == RC_OK);
		}
		sum = cover_cheapest(&c, prices, 8, &chosen);
		for (k = 0; k < n; k++)
			CHECK((chosen.w[0] & sets[k]) != 0);
		for (best = INT64_MAX, i = 0; i < 256; i++) {
			int64_t	 price = 0;

			for (k = 0; k < n && (sets[k] & (uint64_t)i) != 0; k++)
				continue;
			if (k < n)
				continue;
			for (k = 0; k < 8; k++)
				price += (i >> k & 1) != 0 ? prices[k] : 0;
			best = price < best ? price : best;
		}
		CHECK_INT(sum, best);
		cover_free(&c);
	}
}

int
main(void)
{
	test_nothing();
	test_budgets();
	test_classes();
	test_accounts();
	test_crowds();
	test_waiting();
	test_lines();
	test_undecided_classes();
	test_exemptions();
	test_trust();
	test_platform_age();
	test_habits();
	test_cover();
	return check_done();
}
