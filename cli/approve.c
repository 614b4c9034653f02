/*
 * drawbridge approve: the second person.
 */
#include "cli/proposed.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"

static const struct option	 names[] = {
	ACTING_OPTIONS,
	{ NULL, 0, NULL, 0 }
};

static const struct table_column	 columns[] = {
	{ "proposal", "proposal", TABLE_TEXT },
	{ "command", "command", TABLE_TEXT },
	{ "by", "by", TABLE_TEXT },
	{ "reason", "reason", TABLE_TEXT },
	{ "since", "t_ms", TABLE_TIME },
	{ "until", "expires_ms", TABLE_TIME },
	{ "approved by", "approved_by", TABLE_LIST },
	{ "state", "state", TABLE_TEXT },
	{ NULL, NULL, TABLE_TEXT }
};

bool
proposed_number(int64_t *out, const char *text)
{
	char	*end;

	errno = 0;
	*out = strtoll(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' && *out > 0;
}

static unsigned char *
bytes_of_hex(const char *hex, size_t hex_len, size_t *len_out)
{
	unsigned char	*out = malloc(hex_len / 2 + 1);

	if (out != NULL && hex_len > 0 && sodium_hex2bin(out, hex_len / 2 + 1,
	    hex, hex_len, NULL, len_out, NULL) == 0)
		return out;
	if (out != NULL && hex_len == 0) {
		*len_out = 0;
		return out;
	}
	free(out);
	return NULL;
}

static enum rc
unpack(struct proposed *p, const char *packed, struct err *e)
{
	const char	*blank = strchr(packed, ' ');
	size_t		 open_len = 0, sealed_len = 0;

	if (blank == NULL || (p->open = bytes_of_hex(packed,
	    (size_t)(blank - packed), &open_len)) == NULL || (p->sealed =
	    bytes_of_hex(blank + 1, strlen(blank + 1), &sealed_len)) == NULL)
		return err_set(e, "the service's proposal cannot be read");
	return command_unpack(&p->c, &p->lists, p->open, open_len, p->sealed,
	    sealed_len, e);
}

static bool
is_it(const json_t *row, int64_t id)
{
	const char	*state = json_string_value(json_object_get(row,
	    "state"));
	const char	*command = json_string_value(json_object_get(row,
	    "command"));

	if (state == NULL || strcmp(state, "open") != 0)
		return false;
	if (id != 0)
		return json_integer_value(json_object_get(row,
		    "proposal")) == id;
	return command != NULL && strcmp(command, "policy") == 0;
}

enum rc
proposed_load(struct proposed *p, struct service *s, int64_t id,
    int64_t *id_out, struct err *e)
{
	json_t		*rows, *row, *found = NULL;
	const char	*packed;
	char		 which[24];
	size_t		 i;
	enum rc		 rc;

	memset(p, 0, sizeof(*p));
	/* In the list stand only short ones in full. */
	(void)snprintf(which, sizeof(which), "%" PRId64, id);
	rows = service_get(s, ENDPOINT_LOCAL_PROPOSALS, NULL, id != 0 ? which :
	    NULL, e);
	if (rows == NULL)
		return RC_FAILED;
	json_array_foreach(rows, i, row) {
		if (found == NULL && is_it(row, id))
			found = row;
	}
	packed = json_string_value(json_object_get(found, "packed"));
	*id_out = json_integer_value(json_object_get(found, "proposal"));
	if (found != NULL && packed == NULL && id == 0) {
		id = *id_out;
		json_decref(rows);
		return proposed_load(p, s, id, id_out, e);
	}
	if (found == NULL)
		rc = err_set(e, "no such proposal is open");
	else if (packed == NULL)
		rc = err_set(e, "the service does not say what is proposed");
	else
		rc = unpack(p, packed, e);
	json_decref(rows);
	return rc;
}

void
proposed_free(struct proposed *p)
{
	free(p->open);
	free(p->sealed);
	p->open = p->sealed = NULL;
}

int
proposed_approve(struct acting *a, const char *command, const char *id)
{
	struct proposed	*p = calloc(1, sizeof(*p));
	struct service	*s = NULL;
	struct err	 e;
	int64_t		 number, found;
	enum rc		 rc;
	int		 status;

	if (!proposed_number(&number, id) || p == NULL) {
		free(p);
		return usage(command);
	}
	if (a->act.as == NULL)
		rc = err_set(&e, "an approval is signed: --as NAME");
	else if ((rc = service_open(&s, &e)) == RC_OK)
		rc = proposed_load(p, s, number, &found, &e);
	a->act.approve = true;
	a->act.answers = number;
	status = rc != RC_OK ? acting_failed(command, &e) :
	    acting_send(a, s, &p->c, "approved, and done", NULL);
	service_close(&s);
	proposed_free(p);
	free(p);
	return status;
}

/* It will not be done: whoever may tighten says so. */
static int
discard(struct acting *a, const char *id)
{
	struct command	 c;

	command_clear(&c, COMMAND_DISCARD, 0);
	if (!proposed_number(&c.answers, id))
		return usage("approve");
	return acting_run(a, &c, "discarded");
}

int
cmd_approve(int argc, char **argv)
{
	const struct message	 q = acting_question(ENDPOINT_LOCAL_PROPOSALS);
	struct acting		 acting;
	int			 option, status;

	acting_begin(&acting);
	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (!acting_option(&acting, option, "approve", &status))
			return status;
	}
	if (argc - optind == 2 && strcmp(argv[optind], "discard") == 0)
		return discard(&acting, argv[optind + 1]);
	if (argc - optind != 1)
		return usage("approve");
	if (strcmp(argv[optind], "list") == 0)
		return acting_list(&acting, "approve", &q, columns,
		    "nothing is proposed");
	return proposed_approve(&acting, "approve", argv[optind]);
}
