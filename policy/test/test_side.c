/*
 * E-SIDE (S22, S24): each way of excusing by a rounded value, and beside it
 * the one that is allowed.
 */
#include <stdlib.h>

#include "policy/ast.h"
#include "tests/check.h"

static const char preamble[] = "policy 1\ndefault hold\n"
    "set exemptions upto 50 % of hot\n"
    "trust proven after 3d full at 10d used in 10d upto 1 btc\n"
    "table <t> of accounts { \"a\" }\n"
    "let spent = sum asked by account in 24h\n"
    "class small when spent < 1 btc\n"
    "class trusted when proven\n"
    "hold \"r\" when amount > 1 btc\n";

struct s {
	const char	*bad;
	const char	*good;
	const char	*col;		/* where the error stands */
};

#define EXEMPT(cond)	"exempt \"x\" from r when account in <t> and " cond \
	" upto 1 btc in 24h until 2030-01-01"

static const struct s cases[] = {
	{ "allow when sum released by account in 30d > 5 btc",
	    "allow when sum released by account in 30d < 5 btc", "10:12" },
	{ "allow when spent >= 1 btc", "allow when spent <= 1 btc",
	    "10:12" },
	{ "allow when not spent < 1 btc", "allow when not spent > 1 btc",
	    "10:16" },
	{ "allow when 5 btc < spent", "allow when 5 btc > spent", NULL },
	{ "allow when credit < 5 btc", "allow when credit > 5 btc",
	    "10:12" },
	{ "allow when amount > habit", "allow when amount < habit",
	    "10:21" },
	{ "allow when amount > 1 % of hot",
	    "allow when amount < 1 % of hot", "10:21" },
	{ "allow when spent = 1 btc", "allow when amount = 1 btc",
	    "10:12" },
	{ "allow when not proven", "allow when proven", NULL },
	{ "allow when not trusted", "allow when trusted", NULL },
	{ "allow when not small", "allow when small", NULL },
	{ "allow when idle > 5d", "allow when idle < 5d", "10:12" },
	{ "allow when confirmed fraud in 24h",
	    "allow when not confirmed fraud in 24h", NULL },
	{ "allow when age of destination on chain > 90d",
	    "hold when age of destination on chain < 90d", "10:12" },
	{ "allow when not destination new to chain",
	    "hold when destination new to chain", NULL },
	{ "allow when count asked on platform in 1h > normal by 10 % until "
	    "learnt 5", "allow when count asked on platform in 1h < normal "
	    "by 10 % until learnt 5", "10:12" },
	{ EXEMPT("spent > 1 btc"), EXEMPT("spent < 1 btc"), NULL },
	{ EXEMPT("not small"), EXEMPT("small"), NULL },
	/* A shadow allow allows nothing. */
	{ "allow when spent > 1 btc", "shadow allow when spent > 1 btc",
	    "10:12" },
	/* What accuses may be bounded either way. */
	{ "allow when spent > 1 btc", "deny when spent < 1 btc", NULL },
};

static bool
loads(const char *text, char **said)
{
	struct policy	*p = NULL;
	char		 whole[4096];
	size_t		 len;
	FILE		*f = open_memstream(said, &len);
	struct err	 e;
	bool		 good;

	snprintf(whole, sizeof(whole), "%s%s\n", preamble, text);
	good = policy_load_text(&p, "t", whole, strlen(whole), f, &e) ==
	    RC_OK;
	fclose(f);
	policy_free(&p);
	return good;
}

/* Classes that name one another twice, 60 deep: must end at once. */
static void
check_deep(void)
{
	char	 text[8192], *said;
	size_t	 at;
	int	 i;

	check_case("S22 classes upon classes end");
	at = (size_t)snprintf(text, sizeof(text),
	    "class c0 when spent < 1 btc\n");
	for (i = 1; i < 58; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at,
		    "class c%d when c%d or not c%d\n", i, i - 1, i - 1);
	snprintf(text + at, sizeof(text) - at, "allow when c57\n");
	CHECK(!loads(text, &said));
	CHECK(strstr(said, "E-SIDE") != NULL);
	free(said);
}

int
main(void)
{
	char	*said, where[32], names[2][200];
	size_t	 i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		/* The name of the case before is still in use. */
		snprintf(names[i % 2], sizeof(names[0]), "%s %s",
		    strstr(cases[i].bad, "chain") != NULL ? "S24" : "S22",
		    cases[i].bad);
		check_case(names[i % 2]);
		CHECK(!loads(cases[i].bad, &said));
		CHECK(strstr(said, "E-SIDE") != NULL);
		snprintf(where, sizeof(where), "t:%s: error", cases[i].col !=
		    NULL ? cases[i].col : "");
		if (cases[i].col != NULL && !CHECK(strstr(said, where) !=
		    NULL))
			printf("# %s\n", said);
		free(said);
		CHECK(loads(cases[i].good, &said));
		if (said[0] != '\0')
			printf("# %s\n", said);
		free(said);
	}
	check_deep();
	return check_done();
}
