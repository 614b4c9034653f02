/*
 * Sending what an operator wants, and saying what came of it.
 */
#include "cli/acting.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/commands.h"

void
acting_begin(struct acting *a)
{
	const struct acting	 none = { .act.amount_sat = -1 };

	*a = none;
}

bool
acting_option(struct acting *a, int option, const char *command,
    int *status_out)
{
	switch (option) {
	case ACTING_AS:
		a->act.as = optarg;
		return true;
	case ACTING_REASON:
		a->act.reason = optarg;
		return true;
	case ACTING_JSON:
		a->json = true;
		return true;
	case ACTING_YES:
		a->act.yes = true;
		return true;
	case ACTING_HELP:
		*status_out = help(command);
		return false;
	}
	*status_out = usage(command);
	return false;
}

int
acting_failed(const char *command, const struct err *e)
{
	(void)fprintf(stderr, "drawbridge %s: %s\n", command, e->text);
	return STATUS_FAILED;
}

void
acting_print(const json_t *j)
{
	(void)json_dumpf(j, stdout, isatty(STDOUT_FILENO) ? JSON_INDENT(2) :
	    JSON_COMPACT);
	(void)putchar('\n');
}

/* "waits as proposal 17: one more person", from the service's answer. */
static void
say_waiting(const json_t *answer)
{
	const json_t	*n = json_object_get(answer, "proposal");
	const char	*what = json_string_value(json_object_get(answer,
	    "waits_for"));

	(void)printf("waits");
	if (json_is_integer(n))
		(void)printf(" as proposal %" JSON_INTEGER_FORMAT,
		    json_integer_value(n));
	(void)printf("%s%s\n", what != NULL ? ": " : "",
	    what != NULL ? what : "");
}

int
acting_send(const struct acting *a, struct service *s, struct command *c,
    const char *done, json_t **answer_out)
{
	json_t		*answer = NULL;
	struct err	 e;
	bool		 waiting;

	if (service_act(s, c, &a->act, &waiting, &answer, &e) != RC_OK)
		return acting_failed(command_type_text(c->type), &e);
	if (a->json)
		acting_print(answer);
	else if (waiting)
		say_waiting(answer);
	else if (done != NULL)
		(void)puts(done);
	if (answer_out != NULL)
		*answer_out = answer;
	else
		json_decref(answer);
	return waiting ? STATUS_WAITING : STATUS_DONE;
}

int
acting_run(const struct acting *a, struct command *c, const char *done)
{
	struct service	*s = NULL;
	struct err	 e;
	int		 status;

	if (service_open(&s, &e) != RC_OK)
		return acting_failed(command_type_text(c->type), &e);
	status = acting_send(a, s, c, done, NULL);
	service_close(&s);
	return status;
}

struct message
acting_question(enum endpoint of)
{
	struct message	 q;

	message_clear(&q, MESSAGE_QUERY, 0);
	q.endpoint = of;
	return q;
}

int
acting_list(const struct acting *a, const char *command,
    const struct message *q, const struct table_column *columns,
    const char *none)
{
	struct service	*s = NULL;
	struct err	 e;
	json_t		*j;

	if (service_open(&s, &e) != RC_OK)
		return acting_failed(command, &e);
	j = service_query(s, q, &e);
	service_close(&s);
	if (j == NULL)
		return acting_failed(command, &e);
	if (a->json)
		acting_print(j);
	else if (json_is_array(j))
		table_print(j, columns, none);
	else
		table_print_one(j, columns);
	json_decref(j);
	return STATUS_DONE;
}
