/*
 * Weights of accounts: each its own, a minute long.
 */
#include <stdio.h>

#include "auth/weights.h"
#include "tests/check.h"

#define ACCOUNTS	1000
#define MINUTE		INT64_C(60000000)	/* some minute's start */

/* How many of `times` for each account, all mixed, were let through. */
static int
let_through(struct weights *w, int times, int64_t ms)
{
	char	 name[16];
	int64_t	 used;
	int	 i, j, n = 0;

	for (i = 0; i < times; i++) {
		for (j = 0; j < ACCOUNTS; j++) {
			(void)snprintf(name, sizeof(name), "account-%d", j);
			n += weights_take(w, text_of(name), ENDPOINT_APPLY,
			    ms, &used) == 0;
		}
	}
	return n;
}

int
main(void)
{
	struct weights	*w = NULL;
	struct err	 e;
	int64_t		 used;
	int		 i, most = WEIGHTS_UID_MAX /
			    endpoints[ENDPOINT_APPLY].weight;

	if (weights_new(&w, &e) != RC_OK)
		return 1;
	check_case("what an account may, it may whoever else asks");
	CHECK_INT(let_through(w, most, MINUTE), (int64_t)most * ACCOUNTS);
	check_case("and no more");
	CHECK_INT(let_through(w, 3, MINUTE + 59000), 0);
	check_case("and says until when");
	CHECK_INT(weights_take(w, text_of("account-1"), ENDPOINT_APPLY,
	    MINUTE + 50000, &used), 11);
	check_case("a minute later again");
	CHECK_INT(let_through(w, 2, MINUTE + 60000), 2 * ACCOUNTS);
	check_case("history so often a second, and a minute");
	for (i = 0; i < WEIGHTS_HISTORY_S; i++)
		CHECK_INT(weights_take(w, text_of("account-1"),
		    ENDPOINT_WITHDRAW_HISTORY, MINUTE, &used), 0);
	CHECK_INT(weights_take(w, text_of("account-1"),
	    ENDPOINT_WITHDRAW_HISTORY, MINUTE, &used), 1);
	CHECK_INT(weights_take(w, text_of("account-1"),
	    ENDPOINT_WITHDRAW_HISTORY, MINUTE + 1000, &used), 60);
	weights_free(&w);
	return check_done();
}
