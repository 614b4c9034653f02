/*
 * drawbridge record: play a scenario live into a journal, as the service
 * will be sent it.
 */
#include "cli/commands.h"
#include "cli/playing.h"

int
cmd_record(int argc, char **argv)
{
	return playing("record", false, argc, argv);
}
