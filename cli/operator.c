/*
 * drawbridge operator: the people who may act, and their keys.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/acting.h"
#include "cli/commands.h"
#include "cli/day.h"
#include "lib/amount.h"
#include "wire/rights.h"

enum { OPT_KEY = 256, OPT_ROLES, OPT_UP_TO, OPT_WAIT };

static const struct option	 names[] = {
	{ "key", required_argument, NULL, OPT_KEY },
	{ "roles", required_argument, NULL, OPT_ROLES },
	{ "release-up-to", required_argument, NULL, OPT_UP_TO },
	{ "wait", required_argument, NULL, OPT_WAIT },
	ACTING_OPTIONS,
	{ NULL, 0, NULL, 0 }
};

static const struct table_column	 columns[] = {
	{ "name", "name", TABLE_TEXT },
	{ "roles", "roles", TABLE_TEXT },
	{ "releases a day", "release_up_to", TABLE_SAT },
	{ "public key", "public_key", TABLE_TEXT },
	{ NULL, NULL, TABLE_TEXT }
};

struct asked {
	struct acting	 acting;
	struct command	 c;
	struct keyfile	 key;
};

static bool
take(struct asked *a, int option, int *status_out)
{
	struct err	 e;
	uint32_t	 rights;
	enum rc		 rc = RC_OK;

	switch (option) {
	case OPT_KEY:
		rc = keyfile_public(&a->key, optarg, &e);
		a->c.blob.p = (const char *)a->key.public_key;
		a->c.blob.len = sizeof(a->key.public_key);
		break;
	case OPT_ROLES:
		if (rights_of(&rights, text_of(optarg)))
			a->c.roles = rights;
		else
			rc = err_set(&e, "--roles %s: of support, reviewer, "
			    "lead, on-call, custodian, auditor", optarg);
		break;
	case OPT_UP_TO:
		rc = err_wrap(&e, amount_parse(&a->c.limit_sat, optarg,
		    strlen(optarg), &e), "--release-up-to %s", optarg);
		break;
	case OPT_WAIT:
		if (!day_wait(&a->c.wait_ms, optarg))
			rc = err_set(&e, "--wait %s: like 24h or 2d", optarg);
		break;
	case ACTING_AS:
	case ACTING_REASON:
	case ACTING_JSON:
	case ACTING_YES:
	case ACTING_HELP:
	case '?':
		return acting_option(&a->acting, option, "operator",
		    status_out);
	}
	if (rc != RC_OK)
		*status_out = acting_failed("operator", &e);
	return rc == RC_OK;
}

/* On the operator's own machine: the service never sees the private half. */
static int
keygen(const char *path)
{
	struct err	 e;

	if (keyfile_make(path, false, &e) != RC_OK)
		return acting_failed("operator", &e);
	(void)printf("%s is the key: keep it; %s.pub is for the service\n",
	    path, path);
	return STATUS_DONE;
}

/* A demonstration's keys lie about; only regtest may have them (C7). */
static int
add(struct asked *a, const char *name)
{
	struct service_facts	 f;
	struct service		*s = NULL;
	struct err		 e;
	enum rc			 rc;
	int			 status;

	a->c.name = text_of(name);
	if (a->c.blob.p == NULL || a->c.roles <= 0)
		return usage("operator");
	if (service_open(&s, &e) != RC_OK)
		return acting_failed("operator", &e);
	if ((rc = service_facts(s, &f, &e)) == RC_OK && a->key.demo &&
	    !f.demo)
		rc = err_set(&e, "this key was made for trying; only a "
		    "service of init --demo takes it");
	status = rc != RC_OK ? acting_failed("operator", &e) :
	    acting_send(&a->acting, s, &a->c, "added", NULL);
	service_close(&s);
	return status;
}

/* How many must agree to what loosens, and how long it waits. */
static int
quorum(struct asked *a, const char *number)
{
	int64_t	 wait_ms = a->c.wait_ms;
	char	*end;

	command_clear(&a->c, COMMAND_QUORUM, 0);
	a->c.count = strtoll(number, &end, 10);
	a->c.wait_ms = wait_ms;
	if (end == number || *end != '\0' || a->c.count < 1 || wait_ms < 0)
		return usage("operator");
	return acting_run(&a->acting, &a->c, "done");
}

int
cmd_operator(int argc, char **argv)
{
	const struct message	 q = acting_question(ENDPOINT_LOCAL_OPERATORS);
	struct asked		 a = { .acting.json = false };
	const char		*what;
	int			 option, status;

	acting_begin(&a.acting);
	command_clear(&a.c, COMMAND_OPERATOR, 0);
	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (!take(&a, option, &status))
			return status;
	}
	what = optind < argc ? argv[optind++] : "";
	if (strcmp(what, "list") == 0 && optind == argc)
		return acting_list(&a.acting, "operator", &q, columns,
		    "no operators");
	if (argc - optind != 1)
		return usage("operator");
	if (strcmp(what, "keygen") == 0)
		return keygen(argv[optind]);
	if (strcmp(what, "quorum") == 0)
		return quorum(&a, argv[optind]);
	if (strcmp(what, "add") == 0)
		return add(&a, argv[optind]);
	if (strcmp(what, "remove") != 0)
		return usage("operator");
	a.c.name = text_of(argv[optind]);
	a.c.roles = 0;
	return acting_run(&a.acting, &a.c, "removed");
}
