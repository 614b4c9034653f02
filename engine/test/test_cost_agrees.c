/*
 * `check --cost` repeats the sizes of the engine's records, which lie above
 * it; here they are compared.
 */
#include <stdlib.h>

#include "engine/engine.h"
#include "policy/cost.h"
#include "tests/check.h"

#define TRUST	"trust proven after 3d full at 10d used in 10d upto 9 btc\n"

static const char *const policies[] = {
	"",
	TRUST "hold when not proven and sum asked by account in 24h of not "
	    "proven > 3 x habit unproven\n",
	"declare kyc number unknown is 0\ndeclare aml flag unknown is yes\n"
	    "hold when kyc < 2 and aml and tier of account < 3\n"
	    "hold when idle > 90d and age of login < 1h\n"
	    "hold when sum committed to destination in 7d > 1 % of hot\n"
	    "hold when distinct accounts asked by ip/24 in 1h > 4\n"
	    "hold when distinct keys committed by account in 1d > 4\n"
	    "hold when sum committed by partner in 24h > 5 btc\n"
	    "hold when count asked by key in 24h > 5\n"
	    "deny when sum committed by account in 24h > limit of account\n",
	"table <g> of groups { \"a b\", \"c\" }\n"
	    "hold when count asked by group of <g> in 24h > 5\n"
	    "hold when count asked by group in 24h > 5\n",
};

static int64_t
record(const struct cost *c, const char *name)
{
	int	 i;

	for (i = 0; i < c->n_stores; i++)
		if (strcmp(c->stores[i].name, name) == 0)
			return c->stores[i].record_bytes +
			    c->stores[i].window_bytes;
	return -1;
}

static void
check_one(const char *text)
{
	struct engine_config config = { .accounts = 50 };
	static struct cost c;
	struct engine_usage usage;
	struct policy	*p = NULL;
	struct program	*g = NULL;
	struct engine	*e = NULL;
	struct err	 err;
	char		 whole[2048];

	check_case("cost and engine agree");
	snprintf(whole, sizeof(whole), "policy 1\ndefault allow\n%s", text);
	if (policy_load_text(&p, "t", whole, strlen(whole), stdout, &err) !=
	    RC_OK || program_new(&g, p, &err) != RC_OK ||
	    engine_new(&e, g, &config, &err) != RC_OK) {
		printf("# %s\n", err.text);
		exit(1);
	}
	engine_usage(e, &usage);
	cost_compute(g, &c);
	CHECK_INT(record(&c, "account"), usage.bytes_account);
	CHECK_INT(record(&c, "pair"), usage.bytes_pair);
	CHECK_INT(record(&c, "destination"), usage.bytes_destination);
	CHECK_INT(record(&c, "waiting"), usage.bytes_waiting);
	engine_free(&e);
	program_free(&g);
	policy_free(&p);
}

int
main(void)
{
	size_t	 i;

	for (i = 0; i < sizeof(policies) / sizeof(policies[0]); i++)
		check_one(policies[i]);
	return check_done();
}
