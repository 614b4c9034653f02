/*
 * drawbridge status: one screen.
 */
#include <stdio.h>
#include <string.h>

#include "cli/acting.h"
#include "cli/commands.h"
#include "lib/term.h"

static const struct option	 names[] = {
	{ "json", no_argument, NULL, ACTING_JSON },
	{ "help", no_argument, NULL, ACTING_HELP },
	{ NULL, 0, NULL, 0 }
};

static const struct table_column	 columns[] = {
	{ "mode", "mode", TABLE_TEXT },
	{ "network", "network", TABLE_TEXT },
	{ "halted since", "halted_since_ms", TABLE_TIME },
	{ "by", "halted_by", TABLE_TEXT },
	{ "because", "halted_why", TABLE_TEXT },
	{ "held, waiting for people", "held", TABLE_TEXT },
	{ "oldest of them", "oldest_held_ms", TABLE_TIME },
	{ "waiting for time or a code", "waiting", TABLE_TEXT },
	{ "stopped", "stopped", TABLE_TEXT },
	{ "released today", "released_24h", TABLE_SAT },
	{ "withdrawals today", "withdrawals_24h", TABLE_TEXT },
	{ "hot wallet", "hot_sat", TABLE_SAT },
	{ "proposals open", "proposals", TABLE_TEXT },
	{ "accounts", "accounts", TABLE_TEXT },
	{ "journal's last event", "seq", TABLE_TEXT },
	{ "policy", "policy", TABLE_TEXT },
	{ "deployment", "deployment", TABLE_TEXT },
	{ NULL, NULL, TABLE_TEXT }
};

static void
headline(const json_t *j)
{
	struct term	 t = term_of(stdout);
	bool		 halted = json_is_true(json_object_get(j, "halted"));

	(void)printf("%s%s%s%s\n", term_style(&t, halted ? STYLE_BAD :
	    STYLE_GOOD), halted ? "STOPPED: nothing leaves" : "running",
	    term_style(&t, STYLE_PLAIN),
	    json_is_true(json_object_get(j, "demo")) ?
	    "  (demo: keys made for trying)" : "");
}

int
cmd_status(int argc, char **argv)
{
	struct service	*s = NULL;
	struct acting	 acting;
	struct err	 e;
	json_t		*j;
	int		 option, status;

	acting_begin(&acting);
	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (!acting_option(&acting, option, "status", &status))
			return status;
	}
	if (optind != argc)
		return usage("status");
	if (service_open(&s, &e) != RC_OK)
		return acting_failed("status", &e);
	j = service_get(s, ENDPOINT_LOCAL_STATUS, NULL, NULL, &e);
	service_close(&s);
	if (j == NULL)
		return acting_failed("status", &e);
	if (acting.json) {
		acting_print(j);
	} else {
		headline(j);
		table_print_one(j, columns);
	}
	json_decref(j);
	return STATUS_DONE;
}
