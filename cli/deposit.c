/*
 * drawbridge deposit: credit an account by hand.  Two operators, except on
 * regtest: it makes a balance out of nothing.
 */
#include <stdio.h>
#include <string.h>

#include "cli/acting.h"
#include "cli/commands.h"
#include "lib/amount.h"

enum { OPT_ID = 256 };

static const struct option	 names[] = {
	{ "id", required_argument, NULL, OPT_ID },
	ACTING_OPTIONS,
	{ NULL, 0, NULL, 0 }
};

int
cmd_deposit(int argc, char **argv)
{
	struct acting	 acting;
	struct command	 c;
	struct err	 e;
	int		 option, status;

	acting_begin(&acting);
	command_clear(&c, COMMAND_DEPOSIT, 0);
	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (option == OPT_ID)
			c.order = text_of(optarg);
		else if (!acting_option(&acting, option, "deposit", &status))
			return status;
	}
	/* Without an id a repeat would be a second deposit. */
	if (argc - optind != 2 || c.order.p == NULL)
		return usage("deposit");
	c.account = text_of(argv[optind]);
	if (amount_parse(&c.amount_sat, argv[optind + 1],
	    strlen(argv[optind + 1]), &e) != RC_OK) {
		(void)err_wrap(&e, RC_FAILED, "%s", argv[optind + 1]);
		return acting_failed("deposit", &e);
	}
	return acting_run(&acting, &c, "credited");
}
