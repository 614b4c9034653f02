/*
 * drawbridge halt, drawbridge resume: everything stops, and goes on.
 */
#include "cli/acting.h"
#include "cli/commands.h"

static const struct option	 names[] = {
	ACTING_OPTIONS,
	{ NULL, 0, NULL, 0 }
};

static bool
options(struct acting *a, int argc, char **argv, const char *command,
    int *status_out)
{
	int	 option;

	acting_begin(a);
	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (!acting_option(a, option, command, status_out))
			return false;
	}
	if (optind == argc)
		return true;
	*status_out = usage(command);
	return false;
}

int
cmd_halt(int argc, char **argv)
{
	struct acting	 acting;
	struct command	 c;
	int		 status;

	if (!options(&acting, argc, argv, "halt", &status))
		return status;
	command_clear(&c, COMMAND_HALT, 0);
	return acting_run(&acting, &c, "halted");
}

int
cmd_resume(int argc, char **argv)
{
	struct service_facts	 f;
	struct service		*s = NULL;
	struct acting		 acting;
	struct command		 c;
	struct err		 e;
	int			 status;

	if (!options(&acting, argc, argv, "resume", &status))
		return status;
	command_clear(&c, COMMAND_RESUME, 0);
	if (service_open(&s, &e) != RC_OK)
		return acting_failed("resume", &e);
	if (service_facts(s, &f, &e) != RC_OK)
		status = acting_failed("resume", &e);
	else {
		/* It is good for this halt alone, not for the next (H6). */
		acting.act.answers = f.halt_seq > 0 ? f.halt_seq : 0;
		status = acting_send(&acting, s, &c, "resumed", NULL);
	}
	service_close(&s);
	return status;
}
