/*
 * drawbridge tell: one line of drawbridge.scenario(5), taken live, as an
 * operator's: what the hot wallet holds, a fact, an address in a book.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/acting.h"
#include "cli/commands.h"
#include "sim/command.h"
#include "sim/scenario.h"

static const struct option	 names[] = {
	ACTING_OPTIONS,
	{ NULL, 0, NULL, 0 }
};

/* `t` is the service's to give: lines are written without it. */
static char *
with_time(const char *line)
{
	const char	*brace = strchr(line, '{');
	size_t		 room = strlen(line) + 16;
	char		*out;

	if (brace == NULL || strstr(line, "\"t\"") != NULL ||
	    (out = malloc(room)) == NULL)
		return NULL;
	(void)snprintf(out, room, "{\"t\":0,%s", brace + 1);
	return out;
}

static enum rc
send_line(const struct acting *a, const char *line, int *status_out,
    struct err *e)
{
	struct scenario_parser	*p = NULL;
	struct scenario_event	 ev;
	struct command_room	 room;
	struct service_facts	 f;
	struct service		*s = NULL;
	struct command		 c;
	char			*timed = with_time(line);
	bool			 any = false;
	enum rc			 rc;

	if (timed == NULL)
		return err_set(e, "one JSON object, without `t`");
	if ((rc = service_open(&s, e)) == RC_OK &&
	    (rc = service_facts(s, &f, e)) == RC_OK &&
	    (rc = scenario_parser_new(&p, e)) == RC_OK &&
	    (rc = scenario_parse(p, timed, strlen(timed), &ev, e)) == RC_OK)
		rc = command_of_event(&c, &any, &room, &ev,
		    (enum network)f.network, false, e);
	if (rc == RC_OK && (!any || c.type == COMMAND_WITHDRAW))
		rc = err_set(e, "`type`: not one to tell");
	if (rc == RC_OK)
		*status_out = acting_send(a, s, &c, "done", NULL);
	scenario_parser_free(&p);
	service_close(&s);
	free(timed);
	return rc;
}

int
cmd_tell(int argc, char **argv)
{
	struct acting	 acting;
	struct err	 e;
	int		 option, status = STATUS_FAILED;

	acting_begin(&acting);
	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (!acting_option(&acting, option, "tell", &status))
			return status;
	}
	if (argc - optind != 1)
		return usage("tell");
	if (send_line(&acting, argv[optind], &status, &e) != RC_OK)
		return acting_failed("tell", &e);
	return status;
}
