/*
 * drawbridge clock: the machine's clock is right.
 *
 * A service that was away for more than six hours does not believe it by
 * itself, since whoever sets it forward would end every delay (H2).
 */
#include <stdio.h>
#include <time.h>

#include "cli/acting.h"
#include "cli/commands.h"
#include "lib/civil.h"

static const struct option	 names[] = {
	ACTING_OPTIONS,
	{ NULL, 0, NULL, 0 }
};

/* Both times, before anything is signed; read from this machine. */
static void
show(int64_t service_ms)
{
	char		 wall[CIVIL_TEXT_MAX], theirs[CIVIL_TEXT_MAX];
	struct timespec	 t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	(void)fprintf(stderr, "this machine has %s UTC, the service %s\n",
	    civil_format(wall, t.tv_sec * MS_PER_S),
	    civil_format(theirs, service_ms));
}

int
cmd_clock(int argc, char **argv)
{
	struct service_facts	 f;
	struct service		*s = NULL;
	struct acting		 acting;
	struct command		 c;
	struct err		 e;
	int			 option, status;

	acting_begin(&acting);
	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (!acting_option(&acting, option, "clock", &status))
			return status;
	}
	if (optind != argc)
		return usage("clock");
	command_clear(&c, COMMAND_CLOCK, 0);
	if (service_open(&s, &e) != RC_OK)
		return acting_failed("clock", &e);
	if (service_facts(s, &f, &e) != RC_OK)
		status = acting_failed("clock", &e);
	else {
		if (!acting.act.yes)
			show(f.t_ms);
		status = acting_send(&acting, s, &c, "the machine's clock is "
		    "believed", NULL);
	}
	service_close(&s);
	return status;
}
