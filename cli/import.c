/*
 * drawbridge import: teach a journal what happened before it began (S34).
 */
#include "cli/commands.h"
#include "cli/playing.h"

int
cmd_import(int argc, char **argv)
{
	return playing("import", true, argc, argv);
}
