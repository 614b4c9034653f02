/*
 * drawbridge queue: what waits for a person, the oldest first.
 */
#include "cli/acting.h"
#include "cli/commands.h"

static const struct option	 names[] = {
	{ "json", no_argument, NULL, ACTING_JSON },
	{ "help", no_argument, NULL, ACTING_HELP },
	{ NULL, 0, NULL, 0 }
};

static const struct table_column	 columns[] = {
	{ "since", "asked_ms", TABLE_TIME },
	{ "id", "id", TABLE_TEXT },
	{ "account", "account", TABLE_TEXT },
	{ "amount", "amount", TABLE_SAT },
	{ "address", "address", TABLE_TEXT },
	{ "people", "people", TABLE_TEXT },
	{ "so far", "approvals", TABLE_TEXT },
	{ "because", "rules", TABLE_LIST },
	{ NULL, NULL, TABLE_TEXT }
};

int
cmd_queue(int argc, char **argv)
{
	const struct message	 q = acting_question(ENDPOINT_LOCAL_QUEUE);
	struct acting		 acting;
	int			 option, status;

	acting_begin(&acting);
	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (!acting_option(&acting, option, "queue", &status))
			return status;
	}
	if (optind != argc)
		return usage("queue");
	return acting_list(&acting, "queue", &q, columns,
	    "nothing waits for a person");
}
