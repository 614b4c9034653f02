/*
 * Programs that take a notice.
 */
#include "notify/run.h"
#include "tests/check.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char	 folder[] = "/tmp/drawbridge-run-XXXXXX";
static struct err	 why;

static const char *
program(const char *name, const char *script)
{
	static char	 path[128];
	FILE		*f;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	(void)fprintf(f, "#!/bin/sh\n%s\n", script);
	(void)fclose(f);
	(void)chmod(path, 0700);
	return path;
}

static void
test_gets(void)
{
	char	 script[512], line[256] = "", path[128];
	FILE	*f;

	check_case("the recipient, the subject and the text, as they are");
	(void)snprintf(script, sizeof(script),
	    "{ printf '%%s|%%s|%%s|%%s|' \"$1\" \"$2\" \"$HOME\" \"$#\"; "
	    "cat; } >%s/got", folder);
	CHECK(run_program(program("take", script), "a b;$(id)", "`x`",
	    "the text", &why) == RC_OK);
	(void)snprintf(path, sizeof(path), "%s/got", folder);
	f = fopen(path, "r");
	CHECK(f != NULL && fgets(line, sizeof(line), f) != NULL);
	if (f != NULL)
		(void)fclose(f);
	CHECK_STR(line, "a b;$(id)|`x`||2|the text");
}

static void
test_fails(void)
{
	check_case("a program that fails, or is not there");
	CHECK(run_program(program("bad", "exit 3"), "a", "b", "c", &why) ==
	    RC_FAILED);
	CHECK(strstr(why.text, "status 3") != NULL);
	CHECK(run_program("/nonexistent/program", "a", NULL, "c", &why) ==
	    RC_FAILED);
	CHECK(strstr(why.text, "/nonexistent/program") != NULL);

	check_case("one that reads nothing does not hold us");
	CHECK(run_program(program("deaf", "exit 0"), "a", "b",
	    "some text", &why) == RC_OK);
}

int
main(void)
{
	if (mkdtemp(folder) == NULL)
		return 1;
	/* A program that reads nothing breaks the pipe. */
	(void)signal(SIGPIPE, SIG_IGN);
	test_gets();
	test_fails();
	return check_done();
}
