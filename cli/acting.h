/*
 * What all commands have that do something to the running service: who, why,
 * and what came of it.
 */
#ifndef CLI_ACTING_H
#define CLI_ACTING_H

#include <getopt.h>
#include <stdbool.h>

#include "cli/service.h"
#include "cli/table.h"

struct acting {
	struct service_act act;		/* --as, --reason, --yes */
	bool		json;		/* --json */
};

/* Options of every acting command, from 512 on: put ACTING_OPTIONS into its
 * table, and what acting_option() knows is done. */
enum { ACTING_AS = 512, ACTING_REASON, ACTING_JSON, ACTING_YES, ACTING_HELP };
#define ACTING_OPTIONS							\
	{ "as", required_argument, NULL, ACTING_AS },			\
	{ "reason", required_argument, NULL, ACTING_REASON },		\
	{ "json", no_argument, NULL, ACTING_JSON },			\
	{ "yes", no_argument, NULL, ACTING_YES },			\
	{ "help", no_argument, NULL, ACTING_HELP }

/* Begin; then for each option that is not the command's own. */
void acting_begin(struct acting *a);
/* False: --help or not known; then the command returns *status_out. */
bool acting_option(struct acting *a, int option, const char *command,
    int *status_out);

/*
 * Send, and say what came of it: `done` is one line ("halted"), printed when
 * it is done at once; when it waits, for whom.  Returns the status.
 */
int acting_run(const struct acting *a, struct command *c, const char *done);
/* The same with a service that is open; *answer_out is the caller's, may be
 * NULL. */
int acting_send(const struct acting *a, struct service *s, struct command *c,
    const char *done, json_t **answer_out);

/* Ask and print: a list under columns, or JSON as it came. */
int acting_list(const struct acting *a, const char *command,
    const struct message *q, const struct table_column *columns,
    const char *none);
/* A question of that kind. */
struct message acting_question(enum endpoint of);

/* "drawbridge COMMAND: WHY" on standard error; STATUS_FAILED. */
int acting_failed(const char *command, const struct err *e);
/* A JSON value as it is, one line or indented on a terminal. */
void acting_print(const json_t *j);

#endif
