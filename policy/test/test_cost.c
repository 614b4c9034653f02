/*
 * The figures of `check --cost` and the number in the promise, on policies
 * small enough to work them out by hand.
 */
#include <stdlib.h>

#include "lib/amount.h"
#include "policy/cost.h"
#include "policy/watch.h"
#include "tests/check.h"

static struct policy *
load(const char *text)
{
	struct policy	*p = NULL;
	struct err	 e;

	if (policy_load_text(&p, "t", text, strlen(text), stdout, &e) !=
	    RC_OK)
		exit(1);
	return p;
}

static struct promise
promise(const char *text)
{
	struct policy	*p = load(text);
	struct promise	 q;

	watch_promise(p, -1, &q);
	policy_free(&p);
	return q;
}

#define HEAD	"policy 1\ndefault allow\n"
#define TRUST	"trust proven after 3d full at 10d used in 10d upto 9 btc\n"
#define BTC(n)	((n) * SAT_PER_BTC)

static void
check_promise(void)
{
	struct promise	 q;

	check_case("W13 nothing bounds it");
	q = promise(HEAD);
	CHECK(!q.all.bounded && !q.has_ceiling);

	check_case("W13 one budget; shorter windows come several times a day");
	q = promise(HEAD "hold \"a\" when sum committed on platform in 24h > "
	    "7 btc\n");
	CHECK(q.all.bounded);
	CHECK_INT(q.all.sat, BTC(7));
	q = promise(HEAD "hold \"a\" when sum committed on platform in 5h > "
	    "7 btc\n");
	CHECK_INT(q.all.sat, BTC(35));
	q = promise(HEAD "hold \"a\" when sum committed on platform in 7d > "
	    "2 % of hot\n");
	CHECK_INT(q.all.hot_ppm, 20000);
	CHECK_INT(q.all.sat, 0);

	check_case("W13 a delay, a lot, a count, another scope bound nothing");
	CHECK(!promise(HEAD "delay 1h when sum committed on platform in 24h > "
	    "7 btc\n").all.bounded);
	CHECK(!promise(HEAD "hold by lot 1 in 2 when sum committed on "
	    "platform in 24h > 7 btc\n").all.bounded);
	CHECK(!promise(HEAD "hold when count committed on platform in 24h > "
	    "7\n").all.bounded);
	CHECK(!promise(HEAD "hold when sum committed by account in 24h > 7 "
	    "btc\n").all.bounded);
	CHECK(!promise(HEAD "shadow hold when sum committed on platform in "
	    "24h > 7 btc\n").all.bounded);
	CHECK(!promise(HEAD "hold when via web and sum committed on platform "
	    "in 24h > 7 btc\n").all.bounded);

	check_case("W13 two classes need two budgets; the cheapest set");
	q = promise(HEAD "class big when amount > 1 btc\n"
	    "hold \"b\" when big and sum committed on platform in 24h of big "
	    "> 5 btc\n"
	    "hold \"s\" when not big and sum committed on platform in 24h of "
	    "not big > 3 btc\n"
	    "hold \"all\" when sum committed on platform in 24h > 9 btc\n");
	CHECK_INT(q.all.sat, BTC(8));
	CHECK_INT(q.all.n_rules, 2);
	q = promise(HEAD "class big when amount > 1 btc\n"
	    "hold \"b\" when big and sum committed on platform in 24h of big "
	    "> 5 btc\n");
	CHECK(!q.all.bounded);
	CHECK_STR(q.cell, "not big");

}

static void
check_promise_more(void)
{
	struct promise	 q;

	check_case("W13 what is held anyway needs no budget");
	q = promise(HEAD "class big when amount > 1 btc\nhold when not big\n"
	    "hold when big and sum committed on platform in 24h of big > 5 "
	    "btc\n");
	CHECK(q.all.bounded);
	CHECK_INT(q.all.sat, BTC(5));

	check_case("W13 proven and ceilings stand apart");
	q = promise(HEAD TRUST "hold when not proven and sum committed on "
	    "platform in 24h of not proven > 5 btc\nceiling 10 % of hot in "
	    "24h\n");
	CHECK(q.all.bounded && q.proven_open && q.has_ceiling);
	CHECK_INT(q.all.sat, BTC(5));
	CHECK_INT(q.ceiling_hot_ppm, 100000);

	check_case("W13 exemptions add");
	q = promise(HEAD "set exemptions upto 50 % of hot\n"
	    "table <t> of accounts { \"a\" }\n"
	    "hold \"a\" when sum committed on platform in 24h > 7 btc\n"
	    "exempt \"x\" from a when account in <t> upto 2 btc in 12h until "
	    "2030-01-01\n");
	CHECK_INT(q.all.sat, BTC(11));
	CHECK_INT(q.exempt_sat, BTC(4));

	check_case("W13 a line may grow");
	q = promise(HEAD "hold when sum asked on platform in 24h > normal by "
	    "50 % until learnt 7 btc\n");
	CHECK(q.all.bounded && q.by_line);
	CHECK_INT(q.all.sat, BTC(7));
}

static void
check_promise_lines(void)
{
	struct promise	 q;
	char		 text[8192];
	int		 i, n;

	check_case("W13 a budget is asked before a line");
	q = promise(HEAD "hold \"b\" when sum committed on platform in 24h > "
	    "9 btc\nhold \"l\" when sum committed on platform in 24h > normal "
	    "by 50 % until learnt 7 btc\n");
	CHECK(q.all.bounded && !q.by_line);
	CHECK_INT(q.all.sat, BTC(9));
	CHECK_STR(q.gap, "");

	check_case("W13 where only a line bounds it, and the rest");
	n = snprintf(text, sizeof(text), "%s%sclass old when age of platform "
	    ">= 14d\nhold \"b\" when old and not proven and sum committed on "
	    "platform in 24h of not proven > 9 btc\n"
	    "halt \"l\" when sum committed on platform in 24h of not proven > "
	    "normal by 50 %% until learnt 70 btc\n", HEAD, TRUST);
	q = promise(text);
	CHECK(q.all.bounded && q.by_line && q.rest.bounded);
	CHECK_INT(q.all.sat, BTC(70));
	CHECK_STR(q.gap, "not old");
	CHECK_INT(q.rest.sat, BTC(9));
	CHECK_INT(q.rest.n_rules, 1);

	check_case("W13 more classes than their cells can be counted");
	for (i = 0; i < 9; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "declare "
		    "d%d number unknown is 0\nclass c%d when d%d > 1\n"
		    "hold when c%d and sum committed on platform in 24h of "
		    "c%d > 1 btc\n", i, i, i, i, i);
	q = promise(text);
	CHECK(q.all.bounded && q.by_line && q.rest.bounded);
	CHECK_STR(q.gap, "not old");
	CHECK_INT(q.rest.sat, BTC(9));
}

static void
check_cost(void)
{
	struct policy	*p = load(HEAD "set capacity accounts 1000\n"
	    "set capacity destinations 5000\n"
	    "hold when sum asked by account in 24h > 1 btc\n"
	    "hold when sum committed to destination in 5d > 1 btc\n"
	    "hold when count asked by ip/24 in 24h > 9\n");
	struct program	*g = NULL;
	static struct cost c;

	check_case("bytes of the stores");
	if (program_new(&g, p, NULL) != RC_OK)
		exit(1);
	cost_compute(g, &c);
	CHECK_STR(c.stores[0].name, "account");
	CHECK_INT(c.stores[0].capacity, 1000);
	/* 8 buckets of 4 bytes, the one that ages, the epoch. */
	CHECK_INT(c.stores[0].window_bytes, 40);
	CHECK_STR(c.stores[3].name, "destination");
	/* And 8 for what waits, 8 for the rule's taint. */
	CHECK_INT(c.stores[3].window_bytes, 56);
	CHECK_STR(c.stores[3].flood, "888 new addresses a day for 5d 15h");
	CHECK_STR(c.stores[4].name, "network ip/24");
	CHECK_INT(c.n_tests, 3);
	CHECK_INT(c.n_reads, 3);
	program_free(&g);
	policy_free(&p);
}

static void
check_prices(void)
{
	struct policy	*p = load(HEAD
	    "hold \"n\" when amount > 2 btc and count asked on platform in "
	    "1h > 9\n"
	    "hold \"crowd\" when amount > 2 btc and distinct accounts asked "
	    "on platform in 1h > 9\n"
	    "hold \"c\" when sum committed on platform in 1h > 2 % of hot\n");
	struct program	*g = NULL;
	char		*said = NULL;
	size_t		 len = 0;
	FILE		*out = open_memstream(&said, &len);

	check_case("S19 one account asks often; a crowd needs accounts");
	if (program_new(&g, p, NULL) != RC_OK || out == NULL)
		exit(1);
	cost_print(g, -1, out);
	(void)fclose(out);
	CHECK(strstr(said, "price of hold \"n\": 1 account and 20.0000001 btc "
	    "in hand") != NULL);
	CHECK(strstr(said, "price of hold \"crowd\": 10 accounts and "
	    "20.0000001 btc in hand") != NULL);
	CHECK(strstr(said, "price of hold \"c\": 1 account and 2 % of hot in "
	    "hand") != NULL);
	free(said);
	program_free(&g);
	policy_free(&p);
}

static void
check_signer(void)
{
	struct policy	*p = load(HEAD "hold by 2 when amount >= 50 btc\n"
	    "ceiling 240 btc in 24h, 100 btc each\nceiling 10 % of hot in "
	    "7d\n");
	struct cost_signer s[8];

	check_case("S45 the signer's lines");
	CHECK_INT(cost_signer(p, -1, s, 8), 4);
	CHECK_INT(s[0].sat, BTC(310));
	CHECK_INT(s[0].blocks, 144);
	CHECK_STR(s[1].text, "output: at most 100 btc each");
	CHECK_INT(s[2].sat, -1);
	CHECK_INT(s[3].people, 2);
	CHECK_INT(s[3].sat, BTC(50));
	CHECK_INT(cost_signer(p, BTC(2400), s, 8), 4);
	CHECK_INT(s[2].sat, BTC(310));
	policy_free(&p);
}

int
main(void)
{
	check_promise();
	check_promise_more();
	check_promise_lines();
	check_cost();
	check_prices();
	check_signer();
	return check_done();
}
