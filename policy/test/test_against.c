/*
 * One change at a time: the line that `check --against` says of it.
 */
#include <stdlib.h>

#include "policy/against.h"
#include "tests/check.h"

static const char preamble[] = "policy 1\ndefault hold\n"
    "set exemptions upto 50 % of hot\n";

struct a {
	const char	*name;
	const char	*old;
	const char	*new;
	const char	*want;		/* "-": no change; parts, | between */
};

#define LET	"let xx = sum asked by account in 24h\n"
#define CLASS	"class big when amount > 5 btc\n"
#define DIRECT	"hold \"r\" when big\n"
#define TRUST	"trust proven after 3d full at 10d used in 10d upto 9 btc\n"
#define EX	"hold \"l\" when amount > 1 btc\n" \
		"table <t> of accounts { \"a\" }\n"

static const struct a cases[] = {
	{ "the same", LET "hold when xx > 1 btc\n",
	    LET "hold when xx > 1 btc\n", "-" },
	{ "a rule more", "", "hold \"r\" when amount > 1 btc\n",
	    "tightens rule \"r\": new: hold" },
	{ "a rule less", "hold \"r\" when amount > 1 btc\n", "",
	    "loosens rule \"r\": gone: hold" },
	{ "an allow more", "", "allow \"r\" when amount < 1 btc\n",
	    "loosens rule \"r\": new: allow" },
	{ "an allow less", "allow \"r\" when amount < 1 btc\n", "",
	    "tightens rule \"r\": gone: allow" },
	{ "a shadow more", "", "shadow deny \"r\" when amount < 1 btc\n",
	    "neutral rule \"r\": new, but only a shadow" },
	{ "out of the shadow", "shadow deny \"r\" when amount < 1 btc\n",
	    "deny \"r\" when amount < 1 btc\n",
	    "tightens rule \"r\": no shadow any more" },
	{ "into the shadow", "deny \"r\" when amount < 1 btc\n",
	    "shadow deny \"r\" when amount < 1 btc\n",
	    "loosens rule \"r\": only a shadow now" },
	{ "an allow into the shadow", "allow \"r\" when amount < 1 btc\n",
	    "shadow allow \"r\" when amount < 1 btc\n",
	    "tightens rule \"r\": only a shadow now" },
	{ "another name", "hold \"r\" when amount > 1 btc\n",
	    "hold \"s\" when amount > 1 btc\n",
	    "loosens rule \"r\": gone: hold|tightens rule \"s\": new: hold" },
	{ "threshold lower", "hold \"r\" when amount > 2 btc\n",
	    "hold \"r\" when amount > 1 btc\n",
	    "tightens rule \"r\": 1 btc, was 2 btc" },
	{ "threshold higher", "hold \"r\" when amount > 1 btc\n",
	    "hold \"r\" when amount > 2 btc\n",
	    "loosens rule \"r\": 2 btc, was 1 btc" },
	{ "for-threshold higher", "hold \"r\" when age of key < 7d\n",
	    "hold \"r\" when age of key < 8d\n",
	    "tightens rule \"r\": 8d, was 7d" },
	{ "under a not", "hold \"r\" when not age of key > 7d\n",
	    "hold \"r\" when not age of key > 8d\n",
	    "tightens rule \"r\": 8d, was 7d" },
	{ "an allow's threshold", "allow \"r\" when amount < 2 btc\n",
	    "allow \"r\" when amount < 1 btc\n",
	    "tightens rule \"r\": 1 btc, was 2 btc" },
	{ "equal too", "hold \"r\" when amount > 2 btc\n",
	    "hold \"r\" when amount >= 2 btc\n",
	    "tightens rule \"r\": >=, was >" },
	{ "another unit", "hold \"r\" when amount > 2 btc\n",
	    "hold \"r\" when amount > 1 % of hot\n",
	    "loosens rule \"r\": 1 % of hot, was 2 btc" },
	{ "times", "hold \"r\" when amount > 3 x habit\n",
	    "hold \"r\" when amount > 2 x habit\n",
	    "tightens rule \"r\": 2 x habit, was 3 x habit" },
	{ "an equality", "hold \"r\" when hour = 3\n",
	    "hold \"r\" when hour = 4\n",
	    "loosens rule \"r\": hour = 4, was hour = 3" },
	{ "a let", LET "let y = 2 btc\nhold \"r\" when xx > y\n",
	    LET "let y = 1 btc\nhold \"r\" when xx > y\n",
	    "tightens rule \"r\": 1 btc, was 2 btc" },
	{ "a let that both read",
	    "let y = 2 btc\nhold \"r\" when amount > y\n"
	    "allow \"a\" when amount < y\n",
	    "let y = 1 btc\nhold \"r\" when amount > y\n"
	    "allow \"a\" when amount < y\n",
	    "tightens rule \"r\": 1 btc, was 2 btc|"
	    "tightens rule \"a\": 1 btc, was 2 btc" },
	{ "window longer", "hold \"r\" when sum asked by account in 1h > 2 "
	    "btc\n", "hold \"r\" when sum asked by account in 2h > 2 btc\n",
	    "tightens rule \"r\": window 2h, was 1h" },
	{ "window longer in an allow", "allow \"r\" when sum asked by account "
	    "in 1h < 2 btc\n", "allow \"r\" when sum asked by account in 2h < "
	    "2 btc\n", "tightens rule \"r\": window 2h, was 1h" },
	{ "window longer, against a smaller one", "hold \"r\" when amount > "
	    "sum asked by account in 1h\n", "hold \"r\" when amount > sum "
	    "asked by account in 2h\n",
	    "loosens rule \"r\": window 2h, was 1h" },
	{ "another scope", "hold \"r\" when sum asked by account in 1h > 2 "
	    "btc\n", "hold \"r\" when sum asked by key in 1h > 2 btc\n",
	    "loosens rule \"r\": sum asked by key in 1h, was sum asked by "
	    "account in 1h" },
	{ "committed for released", "hold \"r\" when sum released by account "
	    "in 1h > 2 btc\n", "hold \"r\" when sum committed by account in "
	    "1h > 2 btc\n", "tightens rule \"r\": committed, was released" },
	{ "counts all", CLASS "hold \"r\" when sum asked by account in 1h of "
	    "big > 2 btc\n", CLASS "hold \"r\" when sum asked by account in "
	    "1h > 2 btc\n", "tightens rule \"r\": counts all, was big" },
	{ "a line's share", "hold \"r\" when count asked on platform in 1h > "
	    "normal by 50 % until learnt 9\n", "hold \"r\" when count asked "
	    "on platform in 1h > normal by 60 % until learnt 9\n",
	    "loosens rule \"r\": normal by 60 %, was 50 %" },
	{ "a line's plus", "hold \"r\" when count asked on platform in 1h > "
	    "normal by 50 % plus 3 until learnt 9\n", "hold \"r\" when count "
	    "asked on platform in 1h > normal by 50 % until learnt 9\n",
	    "tightens rule \"r\": `plus` is gone" },
	{ "a line until learnt", "hold \"r\" when count asked on platform in "
	    "1h > normal by 50 % until learnt 9\n", "hold \"r\" when count "
	    "asked on platform in 1h > normal by 50 % until learnt 8\n",
	    "tightens rule \"r\": 8, was 9" },
	{ "a line's window", "hold \"r\" when count asked on platform in 1h "
	    "> normal by 50 % until learnt 9\n", "hold \"r\" when count asked "
	    "on platform in 2h > normal by 50 % until learnt 9\n",
	    "loosens rule \"r\": count asked on platform in 2h > normal by "
	    "50 % until learnt 9, was count asked on platform in 1h > normal "
	    "by 50 % until learnt 9" },
	{ "a class under a line", CLASS "hold \"r\" when count asked on "
	    "platform in 1h of big > normal by 50 % until learnt 9\n",
	    "class big when amount > 4 btc\nhold \"r\" when count asked on "
	    "platform in 1h of big > normal by 50 % until learnt 9\n",
	    "loosens rule \"r\": through `big`: 4 btc, was 5 btc" },
	{ "busy", TRUST "hold \"r\" when count asked on platform in 1h > "
	    "normal by 50 % until learnt 9\n", TRUST "hold \"r\" when count "
	    "asked on platform in 1h > busy normal by 50 % until learnt 9\n",
	    "loosens rule \"r\": scaled by `busy`" },
	{ "less up to", "hold \"r\" when amount > 5 btc\n",
	    "hold \"r\" when amount > 5 btc less up to 10 %\n",
	    "tightens rule \"r\": less up to 10 %, was 0 %" },
	{ "one more and", "hold \"r\" when via web\n",
	    "hold \"r\" when via web and amount > 1 btc\n",
	    "loosens rule \"r\": `and amount > 1 btc` is new" },
	{ "one less and", "hold \"r\" when via web and amount > 1 btc\n",
	    "hold \"r\" when via web\n",
	    "tightens rule \"r\": `and amount > 1 btc` is gone" },
	{ "one more or", "hold \"r\" when via web\n",
	    "hold \"r\" when amount > 1 btc or via web\n",
	    "tightens rule \"r\": `or amount > 1 btc` is new" },
	{ "one more or in an allow", "allow \"r\" when via web\n",
	    "allow \"r\" when via web or amount < 1 btc\n",
	    "loosens rule \"r\": `or amount < 1 btc` is new" },
	{ "order of and", "hold \"r\" when via web and amount > 1 btc\n",
	    "hold \"r\" when amount > 1 btc and via web\n", "-" },
	{ "another test", "hold \"r\" when via web\n",
	    "hold \"r\" when via api\n",
	    "loosens rule \"r\": via api, was via web" },
	{ "a class wider", CLASS DIRECT,
	    "class big when amount > 4 btc\n" DIRECT,
	    "tightens rule \"r\": through `big`: 4 btc, was 5 btc" },
	{ "a class wider for an allow", CLASS "allow \"r\" when not big\n",
	    "class big when amount > 4 btc\nallow \"r\" when not big\n",
	    "tightens rule \"r\": through `big`: 4 btc, was 5 btc" },
	{ "a class that both read", CLASS DIRECT "hold \"s\" when not big\n",
	    "class big when amount > 4 btc\n" DIRECT
	    "hold \"s\" when not big\n",
	    "tightens rule \"r\": through `big`: 4 btc, was 5 btc|"
	    "loosens rule \"s\": through `big`: 4 btc, was 5 btc" },
	{ "a class read plainly and under a line", CLASS DIRECT "hold \"s\" "
	    "when count asked on platform in 1h of big > normal by 50 % until "
	    "learnt 9\n", "class big when amount > 4 btc\n" DIRECT "hold "
	    "\"s\" when count asked on platform in 1h of big > normal by 50 % "
	    "until learnt 9\n",
	    "tightens rule \"r\": through `big`: 4 btc, was 5 btc|"
	    "loosens rule \"s\": through `big`: 4 btc, was 5 btc" },
	{ "a class counted", CLASS "hold \"r\" when sum asked by account in "
	    "1h of not big > 2 btc\n", "class big when amount > 4 btc\nhold "
	    "\"r\" when sum asked by account in 1h of not big > 2 btc\n",
	    "loosens rule \"r\": through `big`: 4 btc, was 5 btc" },
	{ "a denying table longer", "table <t> of accounts { \"a\" }\n"
	    "deny \"r\" when account in <t>\n", "table <t> of accounts { "
	    "\"a\", \"b\" }\ndeny \"r\" when account in <t>\n",
	    "tightens rule \"r\": table <t> is longer by 1" },
	{ "a denying table shorter", "table <t> of accounts { \"a\", \"b\" }\n"
	    "deny \"r\" when account in <t>\n", "table <t> of accounts { "
	    "\"a\" }\ndeny \"r\" when account in <t>\n",
	    "loosens rule \"r\": table <t> is without 1" },
	{ "an allowing table", "table <t> of accounts { \"a\" }\n"
	    "allow \"r\" when account in <t>\n", "table <t> of accounts { "
	    "\"b\" }\nallow \"r\" when account in <t>\n",
	    "loosens rule \"r\": table <t> is longer by 1|"
	    "tightens rule \"r\": table <t> is without 1" },
	{ "delay longer", "delay 1h \"r\" when via web\n",
	    "delay 2h \"r\" when via web\n",
	    "tightens rule \"r\": delay 2h, was 1h" },
	{ "a code for a delay", "delay 1h \"r\" when via web\n",
	    "step-up \"r\" when via web\n",
	    "loosens rule \"r\": step-up, was delay" },
	{ "a halt for a denial", "deny \"r\" when via web\n",
	    "halt \"r\" when via web\n", "loosens rule \"r\": halt, was deny" },
	{ "more people", "hold \"r\" when via web\n",
	    "hold by 2 \"r\" when via web\n",
	    "tightens rule \"r\": by 2, was 1" },
	{ "a smaller lot", "hold by lot 1 in 60 \"r\" when via web\n",
	    "hold by lot 1 in 30 \"r\" when via web\n",
	    "tightens rule \"r\": fewer are spared by the lot" },
	{ "a lot", "hold \"r\" when via web\n",
	    "hold by lot 1 in 30 \"r\" when via web\n",
	    "loosens rule \"r\": more are spared by the lot" },
	{ "a lot by value", "hold by lot 1 per 2 btc \"r\" when via web\n",
	    "hold by lot 1 per 1 btc \"r\" when via web\n",
	    "tightens rule \"r\": lot 1 per 1 btc, was 2 btc" },
	{ "until", "hold \"r\" when via web\n",
	    "hold \"r\" when via web until 2030-01-01\n",
	    "loosens rule \"r\": until 2030-01-01" },
	{ "ceiling", "ceiling 5 btc in 24h\n", "ceiling 4 btc in 24h\n",
	    "tightens ceiling: 4 btc, was 5 btc" },
	{ "ceiling gone", "ceiling 5 btc in 24h\n", "",
	    "loosens ceiling: gone" },
	{ "ceiling each", "ceiling 5 btc in 24h\n",
	    "ceiling 5 btc in 24h, 1 btc each\n",
	    "tightens ceiling: each more or less" },
	{ "ceiling window", "ceiling 5 btc in 24h\n", "ceiling 5 btc in 12h\n",
	    "loosens ceiling: over a longer or shorter window" },
	{ "trust", "", TRUST, "loosens trust: it is new" },
	{ "trust upto", TRUST, "trust proven after 3d full at 10d used in 10d "
	    "upto 8 btc\n", "tightens trust: its cap is another" },
	{ "trust after", TRUST, "trust proven after 2d full at 10d used in "
	    "10d upto 9 btc\n", "loosens trust: ripens later or earlier" },
	{ "exempt", EX, EX "exempt \"x\" from l when account in <t> upto 1 btc "
	    "in 24h until 2030-01-01\n", "loosens exempt \"x\": new" },
	{ "exempt upto", EX "exempt \"x\" from l when account in <t> upto 1 "
	    "btc in 24h until 2030-01-01\n", EX "exempt \"x\" from l when "
	    "account in <t> upto 2 btc in 24h until 2030-01-01\n",
	    "loosens exempt \"x\": upto more or less" },
	{ "exempt until", EX "exempt \"x\" from l when account in <t> upto 1 "
	    "btc in 24h until 2030-01-01\n", EX "exempt \"x\" from l when "
	    "account in <t> upto 1 btc in 24h until 2029-01-01\n",
	    "tightens exempt \"x\": until 2029-01-01" },
	{ "exempt when", EX "exempt \"x\" from l when account in <t> upto 1 "
	    "btc in 24h until 2030-01-01\n", EX "exempt \"x\" from l when "
	    "account in <t> and via web upto 1 btc in 24h until 2030-01-01\n",
	    "tightens exempt \"x\": `and via web` is new" },
	{ "growth", "", "set growth 2 %\n", "loosens set growth: larger" },
	{ "expiry of holds", "", "set expiry of holds 3d\n",
	    "tightens set expiry of holds: smaller" },
	{ "hot", "", "set hot at most 100 btc\n",
	    "tightens set hot: it is new" },
	{ "capacity", "", "set capacity pairs 1000\n",
	    "loosens set capacity: changed" },
	{ "mode", "", "mode advise\n", "loosens mode: less is enforced" },
	{ "enforce above", "mode enforce above 5 btc\n", "",
	    "tightens mode: more is enforced" },
	{ "unknown", "", "unknown device is known\n",
	    "loosens unknown device new: an absent one is taken otherwise" },
	{ "unknown no more", "unknown device is known\n", "", "tightens "
	    "unknown device new: an absent one is taken otherwise" },
	{ "declared", "declare k number unknown is 0\nhold \"r\" when k < 2\n",
	    "declare k number unknown is 3\nhold \"r\" when k < 2\n",
	    "loosens declare k: an unknown one is taken otherwise" },
};

static void
collect(void *ctx, const struct against_change *c)
{
	FILE	*out = ctx;

	fprintf(out, "%s%s %s: %s", ftell(out) > 0 ? "|" : "",
	    against_text(c->direction), c->subject, c->reason);
}

static struct policy *
load(const char *head, const char *text)
{
	struct policy	*p = NULL;
	struct err	 e;
	char		 whole[4096];

	snprintf(whole, sizeof(whole), "%s%s", head, text);
	if (policy_load_text(&p, "t", whole, strlen(whole), stdout, &e) !=
	    RC_OK)
		exit(1);
	return p;
}

static void
check_one(const struct a *a)
{
	struct policy	*old = load(preamble, a->old);
	struct policy	*new = load(preamble, a->new);
	struct against_counts n;
	char		*got = NULL;
	size_t		 len;
	FILE		*out = open_memstream(&got, &len);
	static char	 names[2][100];
	static int	 n_names;
	char		*name = names[n_names++ % 2];

	/* The name of the case before is still in use. */
	snprintf(name, sizeof(names[0]), "S48 %s", a->name);
	check_case(name);
	against_compare(old, new, collect, out, &n);
	fclose(out);
	CHECK_STR(len > 0 ? got : "-", a->want);
	free(got);
	policy_free(&old);
	policy_free(&new);
}

static void
check_default(void)
{
	struct policy	*hold = load("policy 1\ndefault hold\n", "");
	struct policy	*deny = load("policy 1\ndefault deny\n", "");
	struct against_counts n;

	check_case("S48 default");
	against_compare(hold, deny, NULL, NULL, &n);
	CHECK_INT(n.tightens, 1);
	CHECK_INT(n.loosens, 0);
	against_compare(deny, hold, NULL, NULL, &n);
	CHECK_INT(n.tightens, 0);
	CHECK_INT(n.loosens, 1);
	policy_free(&hold);
	policy_free(&deny);
}

int
main(void)
{
	size_t	 i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_one(&cases[i]);
	check_default();
	return check_done();
}
