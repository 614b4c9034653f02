/*
 * Every warning once, and beside it a policy that just misses it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/imply.h"
#include "policy/warn.h"
#include "tests/check.h"

#define TODAY	20000		/* 2024-10-04 */

/* Put before every case: enough that nothing else is said of it. */
static const char quiet[] = "policy 1\n"
    "default hold\n"
    "set exemptions upto 50 % of hot\n"
    "trust proven after 3d full at 10d used in 10d upto 1 btc\n"
    "table <t> of accounts { \"a\" }\n"
    "let outlay = sum asked by account in 24h of not proven\n"
    "class small when not proven and outlay < 1 btc\n"
    "class rest when not proven and not small\n"
    "allow when age of account > 1s\n";

struct w {
	const char	*name;
	const char	*hits;		/* warns */
	const char	*misses;	/* does not */
	const char	*what;		/* the beginning of the warning */
	int		 line;		/* of the case's own; 0: of the file */
};

#define PREAMBLE	9		/* lines */
#define BUDGET	"hold \"b\" when sum committed on platform in 24h of not " \
		"proven > 100 btc less up to 20 %\n"

static const struct w cases[] = {
	{ "W1 interval", "hold when amount > 2 btc and amount < 1 btc\n",
	    "hold when amount > 1 btc and amount < 2 btc\n", "W1", 1 },
	{ "W1 whole numbers", "hold when amount > 1 sat and amount < 2 sat\n",
	    "hold when amount > 1 sat and amount < 3 sat\n", "W1", 1 },
	{ "W1 share of the same",
	    "hold when amount > 2 % of hot and amount <= 1 % of hot\n",
	    "hold when amount > 1 % of hot and amount <= 2 % of hot\n",
	    "W1", 1 },
	{ "W1 multiples of the same",
	    "hold when outlay > 3 x habit and outlay < 2 x habit\n",
	    "hold when outlay > 2 x habit and outlay < 3 x habit\n",
	    "W1", 1 },
	{ "W1 classes exclude each other", "hold when small and rest\n",
	    "hold when small or rest\n", "W1", 1 },
	{ "W1 one channel", "hold when via web and via api\n",
	    "hold when via web or via api\n", "W1", 1 },
	{ "W1 the sum holds this one (S9)",
	    "hold when not proven and amount > 5 btc and outlay < 5 btc\n",
	    "hold when amount > 5 btc and outlay < 5 btc\n", "W1", 1 },
	{ "W1 longer windows count more",
	    "hold when sum asked by key in 1h > 5 btc and "
	    "sum asked by key in 24h < 5 btc\n",
	    "hold when sum asked by key in 24h > 5 btc and "
	    "sum asked by key in 1h < 5 btc\n", "W1", 1 },
	{ "W1 weekday", "hold when weekday > 7\n", "hold when weekday >= 7\n",
	    "W1", 1 },
	{ "W1 class", "class never when amount > 2 btc and amount < 1 btc\n",
	    "class ever when amount > 1 btc and amount < 2 btc\n", "W1", 1 },
	{ "W1 empty table", "table <e> of accounts { }\n"
	    "hold when account in <e>\n", "hold when account in <t>\n",
	    "W1", 2 },
	{ "W1 passed", "hold when amount > 1 btc until 2024-10-03\n",
	    "hold when amount > 1 btc until 2024-10-04\n", "W1", 1 },
	{ "W2", "hold \"a\" when amount > 2 btc\nhold when amount > 1 btc\n",
	    "hold by 2 \"a\" when amount > 2 btc\nhold when amount > 1 btc\n",
	    "W2", 1 },
	{ "W2 the shorter delay is dead",
	    "delay 1h when rest\ndelay 2h when not proven\n",
	    "delay 3h when rest\ndelay 2h when not proven\n", "W2", 1 },
	{ "W2 not by a code", "deny when rest\nstep-up when rest\n",
	    "step-up when rest\ndelay 1h when rest\n", "W2", 2 },
	{ "W2 not by a lot", "hold when rest\nhold when not proven\n",
	    "hold when rest\nhold by lot 1 in 2 when not proven\n",
	    "W2", 1 },
	{ "W2 twice the same: the later", "deny when rest\ndeny when rest\n",
	    "deny when rest\ndeny when small\n", "W2", 2 },
	{ "W2 less up to",
	    "hold when amount > 5 btc\nhold when amount > 5 btc less up to "
	    "20 %\n",
	    "hold when amount > 4.5 btc\nhold when amount > 5 btc less up "
	    "to 20 %\n", "W2", 1 },
	{ "W2 many at once", "hold \"all\" when not proven\nhold \"a\" when "
	    "rest\nhold \"b\" when small\nhold \"c\" when rest and via web\n"
	    "hold \"d\" when small and via web\n", "hold \"all\" when not "
	    "proven\nhold \"a\" when rest\nhold \"b\" when small\nhold \"c\" "
	    "when rest and via web\n", "W2: 4 rules are shadowed by this "
	    "one, which speaks at least as severely whenever they do: \"a\", "
	    "\"b\", \"c\", ...", 1 },
	{ "W3", "ceiling 10 btc in 24h, 5 btc each\n"
	    "hold when amount > 5 btc\n", "ceiling 10 btc in 24h, 5 btc each\n"
	    "hold when amount >= 5 btc\n", "W3", 2 },
	{ "W3 exemptions", "ceiling 10 btc in 24h\nhold \"l\" when rest\n"
	    "exempt \"x\" from l when account in <t> upto 6 btc in 12h until "
	    "2030-01-01\n", "ceiling 12 btc in 24h\nhold \"l\" when rest\n"
	    "exempt \"x\" from l when account in <t> upto 6 btc in 12h until "
	    "2030-01-01\n", "W3", 1 },
	{ "W4", "delay 2d when rest\nhold when rest and count blocked by "
	    "account in 1d > 2\n", "delay 1d when rest\nhold when rest and "
	    "count blocked by account in 1d > 2\n", "W4", 1 },
	{ "W5 no budget", "class c when via web\nhold when via web and sum "
	    "asked on platform in 6h of c > normal by 50 % until learnt 9 "
	    "btc\n", "class c when via web\nhold when via web and sum asked "
	    "on platform in 6h of c > normal by 50 % until learnt 9 btc\n"
	    "hold when c and sum committed on platform in 7d of c > 1 % of "
	    "hot less up to 5 %\n", "W5", 1 },
	{ "W5 no line", "class c when via web\nhold when c and sum committed "
	    "on platform in 7d of c > 1 % of hot less up to 5 %\n",
	    "class c when via web\nhold when c and sum committed on platform "
	    "in 7d of c > 1 % of hot less up to 5 %\nhold when c and count "
	    "asked on platform in 6h of c > normal by 50 % until learnt 9\n",
	    "W5", 1 },
	{ "W5 a budget where its line is asked",
	    "class c when via web\nhold when age of account > 2d and c and "
	    "sum asked on platform in 6h of c > normal by 50 % until learnt "
	    "9 btc\nhold when age of account > 3d and sum committed on "
	    "platform in 24h > 5 btc\n",
	    "class c when via web\nhold when age of account > 2d and c and "
	    "sum asked on platform in 6h of c > normal by 50 % until learnt "
	    "9 btc\nhold when age of account > 1d and sum committed on "
	    "platform in 24h > 5 btc\n", "W5", 1 },
	{ "W5 what is refused is no budget", "class c when via web\nhold "
	    "when c and count asked on platform in 6h of c > normal by 50 % "
	    "until learnt 9\nhold when c and sum blocked on platform in 7d "
	    "of c > 1 % of hot less up to 5 %\n", "class c when via web\n"
	    "hold when c and count asked on platform in 6h of c > normal by "
	    "50 % until learnt 9\nhold when c and sum asked on platform in "
	    "7d of c > 1 % of hot less up to 5 %\n", "W5", 1 },
	{ "W6", "class c when via web\ndelay 1h when c\n",
	    "class c when via web\ndelay 1h when c\nceiling 1 % of hot in "
	    "24h\n", "W6", 1 },
	{ "W6 not one that is held", "class c when via web\ndelay 1h when "
	    "c\n", "class c when via web\ndelay 1h when c\nhold when c\n",
	    "W6", 1 },
	{ "W6 not one that no rule reads",
	    "class c when via web\ndelay 1h when c\n",
	    "class c when via web\ndelay 1h when via web\n", "W6", 1 },
	{ "W6 what is proven stands apart",
	    "class c when via web\ndelay 1h when c\n",
	    "class c when via web\ndelay 1h when c\n" BUDGET, "W6", 1 },
	{ "W6 not a circumstance",
	    "class old when age of account >= 9d\ndelay 1h when old\n",
	    "class old when age of platform >= 9d\ndelay 1h when old\n",
	    "W6", 1 },
	{ "W7 useless", "allow when amount < 1 btc\nallow when amount < 2 "
	    "btc\n", "allow when amount < 1 btc\nallow when via web\n",
	    "W7", 1 },
	{ "W8", "hold when via web or via api and amount > 1 btc\n",
	    "hold when via web or (via api and amount > 1 btc)\n", "W8", 1 },
	{ "W9 exemption", BUDGET "exempt \"x\" from b when account in <t> "
	    "upto 101 btc in 24h until 2030-01-01\n", BUDGET "exempt \"x\" "
	    "from b when account in <t> upto 100 btc in 24h until "
	    "2030-01-01\n", "W9", 2 },
	{ "W10", "hold when age of listing < 24h\n",
	    "hold when age of listing < 24h and amount > 1 btc\n", "W10", 1 },
	{ "W10 chain", "hold when destination new to chain\n",
	    "hold when destination new to chain and rest\n", "W10", 1 },
	{ "W11 S46 heads cost nothing",
	    "halt when count asked on platform in 1h > 50\n",
	    "halt when sum committed on platform in 1h > 1 % of hot less up "
	    "to 5 %\n", "W11", 1 },
	{ "W11 S46 one account", "halt when amount > 5 btc\n",
	    "halt when amount > 1 % of hot\n", "W11", 1 },
	{ "W11 S46 all must be met: the dearest",
	    "halt when sum confirmed on platform in 2h > 0.09 % of hot and "
	    "distinct accounts confirmed on platform in 2h > 2\n",
	    "halt when sum confirmed on platform in 2h > 0.1 % of hot and "
	    "distinct accounts confirmed on platform in 2h > 2\n",
	    "W11: a stranger stops everything with 3 accounts and 0.09 % of "
	    "hot in hand", 1 },
	{ "W11 S46 one is enough: the cheapest",
	    "halt when sum confirmed on platform in 2h > 0.1 % of hot or "
	    "distinct accounts confirmed on platform in 2h > 2\n",
	    "halt when sum confirmed on platform in 2h > 0.1 % of hot or "
	    "sum committed on platform in 2h > 0.2 % of hot\n",
	    "W11: a stranger stops everything with 3 accounts and 0.00000003 "
	    "btc in hand", 1 },
	{ "W12 not what is refused",
	    "hold when sum committed on platform in 1d > 9 btc\n",
	    "hold when sum confirmed on platform in 1d > 9 btc\n", "W12",
	    1 },
	{ "W12 not behind a ceiling",
	    "hold when sum committed on platform in 1h > 2 % of hot\n"
	    "ceiling 48 % of hot in 24h\n",
	    "hold when sum committed on platform in 1h > 2 % of hot\n"
	    "ceiling 47 % of hot in 24h\n", "W12", 1 },
	{ "W12 not behind a tighter one",
	    "hold when sum committed on platform in 1h > 1 btc\n"
	    "hold when sum committed on platform in 1d > 24 btc less up to "
	    "1 %\n",
	    "hold when sum committed on platform in 1h > 1 btc\n"
	    "hold when sum committed on platform in 1d > 23 btc less up to "
	    "1 %\n", "W12", 1 },
	{ "W12", "hold when rest and sum committed on platform in 1d of rest "
	    "> 9 btc\n", "hold when rest and sum committed on platform in 1d "
	    "of rest > 9 btc less up to 10 %\n", "W12", 1 },
	{ "W12 a lot", "hold when rest and sum committed on platform in 1d "
	    "of rest > 9 btc\nhold by lot 1 in 9 when small\n", "hold when "
	    "rest and sum committed on platform in 1d of rest > 9 btc\nhold "
	    "by lot 1 in 9 when not proven\n", "W12", 1 },
	{ "W13", "hold when via web\n", "hold when via web\n" BUDGET, "W13",
	    0 },
	{ "W13 a line may be stretched", "hold \"l\" when sum committed on "
	    "platform in 24h of not proven > normal by 50 % until learnt 9 "
	    "btc\n", BUDGET, "W13: only a line that a normal can stretch "
	    "bounds what can leave in 24h (\"l\", normal by 50 % until learnt "
	    "9 btc)", 0 },
	{ "W13 while", "class old when age of platform > 9d\nhold \"h\" when "
	    "old and not proven and sum committed on platform in 24h of not "
	    "proven > 7 btc\nhold \"l\" when sum committed on platform in "
	    "24h of not proven > normal by 50 % until learnt 9 btc\n", BUDGET,
	    "W13: while `not old`, only a line that a normal can stretch "
	    "bounds what can leave in 24h (\"l\", normal by 50 % until learnt "
	    "9 btc); otherwise 7 btc, by \"h\"", 0 },
	{ "W14", "hold when sum asked by account in 24h < 5 btc and via web\n",
	    "hold when sum asked by account in 24h < 5 btc and via web\n"
	    "deny when sum asked by account in 24h >= 5 btc\n", "W14", 1 },
	{ "W14 through a class", "class c when received by destination < 1 "
	    "btc\ndeny when c\n", "class c when received by destination < 1 "
	    "btc\ndelay 1h when c\nhold when not c\n", "W14", 2 },
};

/* The line of the first such warning from line `from`, 0 for none. */
static int
warned(const char *text, const char *what, int from)
{
	struct policy	*p = NULL;
	struct diag	*d;
	struct err	 e;
	const struct diag_item *it;
	char		 whole[4096];
	int		 i, line = 0;

	snprintf(whole, sizeof(whole), "%s%s", quiet, text);
	if (policy_load_text(&p, "t", whole, strlen(whole), stdout, &e) !=
	    RC_OK) {
		printf("# %s\n", text);
		return -1000;
	}
	d = diag_new(p);
	warn_check(p, d, TODAY, -1);
	for (i = 0; i < diag_warnings(d) && line == 0; i++) {
		it = diag_get(d, i);
		if (strncmp(it->text, what, strlen(what)) == 0 &&
		    (strlen(what) > 3 || it->text[strlen(what)] == ':') &&
		    it->pos.line >= from)
			line = it->pos.line;
	}
	diag_free(&d);
	policy_free(&p);
	return line;
}

/* n classes, each made of two before it: more cases than can be seen. */
static int
tangled(int n)
{
	char		 text[8192], two[64];
	size_t		 len;
	struct policy	*p = NULL;
	struct diag	*d;
	struct err	 e;
	int		 i, said = 0;

	len = (size_t)snprintf(text, sizeof(text), "policy 1\ndefault hold\n"
	    "class c0 when amount > 1 btc or hour > 3\n"
	    "class c1 when not c0 or hour > 4\n");
	for (i = 2; i < n; i++) {
		snprintf(two, sizeof(two), "c%d or c%d", i - 1, i / 2);
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "class c%d when (%s) and (age of account > %dd or "
		    "idle > %dd)\n", i, i == 2 ? "c0 or c1" : two, i, i);
	}
	for (i = 0; i < n; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "hold when c%d and sum asked on platform in %dh of c%d > "
		    "%d %% of hot\n", i, i + 1, i, i + 1);
	CHECK(len < sizeof(text));
	if (policy_load_text(&p, "t", text, len, stdout, &e) != RC_OK)
		return -1;
	d = diag_new(p);
	warn_check(p, d, TODAY, -1);
	for (i = 0; i < diag_warnings(d); i++)
		said += strstr(diag_get(d, i)->text, "too tangled") != NULL;
	diag_free(&d);
	policy_free(&p);
	return said;
}

int
main(void)
{
	size_t	 i;
	int	 from;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		check_case(cases[i].name);
		/* The preamble's own lines may be warned about. */
		from = cases[i].line > 0 ? PREAMBLE + 1 : 1;
		CHECK_INT(warned(cases[i].hits, cases[i].what, from),
		    from == 1 ? 1 : PREAMBLE + cases[i].line);
		CHECK_INT(warned(cases[i].misses, cases[i].what, from), 0);
	}
	check_case("W7 default allow");
	{
		static const char text[] = "policy 1\ndefault allow\n"
		    "allow when via web\n";
		struct policy	*p = NULL;
		struct diag	*d;
		struct err	 e;
		int		 n = 0;

		CHECK(policy_load_text(&p, "t", text, sizeof(text) - 1, stdout,
		    &e) == RC_OK);
		d = diag_new(p);
		warn_check(p, d, TODAY, -1);
		for (int k = 0; k < diag_warnings(d); k++)
			n += strncmp(diag_get(d, k)->text, "W7:", 3) == 0;
		CHECK_INT(n, 2);
		diag_free(&d);
		policy_free(&p);
	}
	check_case("classes made of classes come to an end");
	CHECK_INT(tangled(4), 0);
	CHECK_INT(tangled(50), 1);
	CHECK(!imply_spent());
	return check_done();
}
