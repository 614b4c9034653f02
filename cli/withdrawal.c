/*
 * drawbridge withdrawal: what customers asked for, and what people decide.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bitcoin/address.h"
#include "cli/acting.h"
#include "cli/commands.h"
#include "lib/amount.h"

enum { OPT_ACCOUNT = 256, OPT_STATE, OPT_LIMIT, OPT_NOT_ME };

static const struct option	 names[] = {
	{ "account", required_argument, NULL, OPT_ACCOUNT },
	{ "state", required_argument, NULL, OPT_STATE },
	{ "limit", required_argument, NULL, OPT_LIMIT },
	{ "not-me", no_argument, NULL, OPT_NOT_ME },
	ACTING_OPTIONS,
	{ NULL, 0, NULL, 0 }
};

static const struct table_column	 columns[] = {
	{ "asked", "asked_ms", TABLE_TIME },
	{ "id", "id", TABLE_TEXT },
	{ "account", "account", TABLE_TEXT },
	{ "amount", "amount", TABLE_SAT },
	{ "address", "address", TABLE_TEXT },
	{ "state", "state", TABLE_TEXT },
	{ "verdict", "verdict", TABLE_TEXT },
	{ "until", "due_ms", TABLE_TIME },
	{ "because", "rules", TABLE_LIST },
	{ NULL, NULL, TABLE_TEXT }
};

static const struct table_column	 all[] = {
	{ "id", "id", TABLE_TEXT },
	{ "account", "account", TABLE_TEXT },
	{ "amount", "amount", TABLE_SAT },
	{ "address", "address", TABLE_TEXT },
	{ "state", "state", TABLE_TEXT },
	{ "verdict", "verdict", TABLE_TEXT },
	{ "would be", "would", TABLE_TEXT },
	{ "because", "rules", TABLE_LIST },
	{ "the customer reads", "reason", TABLE_TEXT },
	{ "asked", "asked_ms", TABLE_TIME },
	{ "until", "due_ms", TABLE_TIME },
	{ "released", "released_ms", TABLE_TIME },
	{ "done", "done_ms", TABLE_TIME },
	{ "via", "via", TABLE_TEXT },
	{ "key", "key", TABLE_TEXT },
	{ "customer's own id", "order", TABLE_TEXT },
	{ "people needed", "people", TABLE_TEXT },
	{ "people so far", "approvals", TABLE_TEXT },
	{ "transaction", "txid", TABLE_TEXT },
	{ NULL, NULL, TABLE_TEXT }
};

struct asked {
	struct acting	 acting;
	struct message	 q;
	bool		 not_me;
};

static bool
take(struct asked *a, int option, int *status_out)
{
	switch (option) {
	case OPT_ACCOUNT:
		a->q.account = text_of(optarg);
		return true;
	case OPT_STATE:
		a->q.name = text_of(optarg);
		return true;
	case OPT_LIMIT:
		a->q.limit = strtoll(optarg, NULL, 10);
		return true;
	case OPT_NOT_ME:
		a->not_me = true;
		return true;
	case ACTING_AS:
	case ACTING_REASON:
	case ACTING_JSON:
	case ACTING_YES:
	case ACTING_HELP:
	case '?':
		return acting_option(&a->acting, option, "withdrawal",
		    status_out);
	}
	return true;
}

/*
 * Whoever releases or denies signs the address and the amount as well, and
 * is shown them: an approval of one thing cannot be used for another (H6).
 */
static enum rc
look(struct asked *a, struct service *s, struct address *to, const char *id,
    struct err *e)
{
	struct service_facts	 f;
	const char		*address, *amount;
	json_t			*j;
	enum rc			 rc;

	if (service_facts(s, &f, e) != RC_OK || (j = service_get(s,
	    ENDPOINT_LOCAL_WITHDRAWAL, NULL, id, e)) == NULL)
		return RC_FAILED;
	address = json_string_value(json_object_get(j, "address"));
	amount = json_string_value(json_object_get(j, "amount"));
	if (address == NULL || amount == NULL)
		rc = err_set(e, "the service does not say where it goes");
	else if ((rc = address_parse(to, (enum network)f.network, address,
	    strlen(address), e)) == RC_OK && (rc = amount_parse(
	    &a->acting.act.amount_sat, amount, strlen(amount), e)) == RC_OK) {
		a->acting.act.script.p = (const char *)to->script;
		a->acting.act.script.len = to->len;
		(void)fprintf(stderr, "%s BTC to %s\n", amount, address);
	}
	json_decref(j);
	return rc;
}

static int
decide(struct asked *a, enum command_type type, const char *id,
    const char *done)
{
	struct service	*s = NULL;
	struct address	 to;
	struct command	 c;
	struct err	 e;
	int		 status;

	command_clear(&c, type, 0);
	c.id = text_of(id);
	c.not_me = a->not_me;
	if (service_open(&s, &e) != RC_OK)
		return acting_failed("withdrawal", &e);
	if (a->acting.act.as != NULL && type != COMMAND_CANCEL &&
	    look(a, s, &to, id, &e) != RC_OK)
		status = acting_failed("withdrawal", &e);
	else
		status = acting_send(&a->acting, s, &c, done, NULL);
	service_close(&s);
	return status;
}

int
cmd_withdrawal(int argc, char **argv)
{
	struct asked	 a = { .not_me = false };
	const char	*what;
	int		 option, status;

	acting_begin(&a.acting);
	a.q = acting_question(ENDPOINT_LOCAL_WITHDRAWALS);
	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (!take(&a, option, &status))
			return status;
	}
	what = optind < argc ? argv[optind++] : "";
	if (strcmp(what, "list") == 0 && optind == argc)
		return acting_list(&a.acting, "withdrawal", &a.q, columns,
		    "no withdrawals");
	if (argc - optind != 1)
		return usage("withdrawal");
	if (strcmp(what, "show") == 0) {
		a.q = acting_question(ENDPOINT_LOCAL_WITHDRAWAL);
		a.q.id = text_of(argv[optind]);
		return acting_list(&a.acting, "withdrawal", &a.q, all, "");
	}
	if (strcmp(what, "release") == 0)
		return decide(&a, COMMAND_RELEASE, argv[optind], "released");
	if (strcmp(what, "deny") == 0)
		return decide(&a, COMMAND_DENY, argv[optind], "denied");
	if (strcmp(what, "cancel") == 0)
		return decide(&a, COMMAND_CANCEL, argv[optind], "cancelled");
	return usage("withdrawal");
}
