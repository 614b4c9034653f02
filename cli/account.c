/*
 * drawbridge account: customers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bitcoin/address.h"
#include "cli/acting.h"
#include "cli/commands.h"
#include "cli/factor.h"
#include "lib/amount.h"

enum { OPT_LIMIT = 256, OPT_TIER, OPT_GROUP, OPT_DEPOSIT, OPT_QR, OPT_REMOVE,
	OPT_MAIL, OPT_PHONE };

static const struct option	 names[] = {
	{ "limit-24h", required_argument, NULL, OPT_LIMIT },
	{ "tier", required_argument, NULL, OPT_TIER },
	{ "group", required_argument, NULL, OPT_GROUP },
	{ "deposit-address", required_argument, NULL, OPT_DEPOSIT },
	{ "qr", required_argument, NULL, OPT_QR },
	{ "remove", no_argument, NULL, OPT_REMOVE },
	{ "mail", required_argument, NULL, OPT_MAIL },
	{ "phone", required_argument, NULL, OPT_PHONE },
	ACTING_OPTIONS,
	{ NULL, 0, NULL, 0 }
};

static const struct table_column	 columns[] = {
	{ "account", "account", TABLE_TEXT },
	{ "limit 24h", "limit_24h", TABLE_SAT },
	{ "tier", "tier", TABLE_TEXT },
	{ "group", "group", TABLE_TEXT },
	{ "frozen", "frozen", TABLE_TEXT },
	{ "deposit address", "deposit_address", TABLE_TEXT },
	{ "opened", "opened_ms", TABLE_TIME },
	{ NULL, NULL, TABLE_TEXT }
};

struct asked {
	struct acting	 acting;
	struct command	 c;
	const char	*deposit;
	struct factor_ask factor;
	struct address	 address;
};

static enum rc
tier_of(int64_t *out, const char *text, struct err *e)
{
	char	*end;

	*out = strtoll(text, &end, 10);
	if (*text == '\0' || *end != '\0' || *out < 0)
		return err_set(e, "--tier %s: a number, not negative", text);
	return RC_OK;
}

static bool
take(struct asked *a, int option, int *status_out)
{
	struct err	 e;

	switch (option) {
	case OPT_LIMIT:
		if (amount_parse(&a->c.limit_sat, optarg, strlen(optarg),
		    &e) == RC_OK)
			return true;
		(void)err_wrap(&e, RC_FAILED, "--limit-24h");
		break;
	case OPT_TIER:
		if (tier_of(&a->c.tier, optarg, &e) == RC_OK)
			return true;
		break;
	case OPT_GROUP:
		a->c.group = text_of(optarg);
		return true;
	case OPT_DEPOSIT:
		a->deposit = optarg;
		return true;
	case OPT_QR:
		a->factor.qr = optarg;
		return true;
	case OPT_REMOVE:
		a->factor.remove = true;
		return true;
	case OPT_MAIL:
		a->factor.mail = optarg;
		return true;
	case OPT_PHONE:
		a->factor.phone = optarg;
		return true;
	case ACTING_AS:
	case ACTING_REASON:
	case ACTING_JSON:
	case ACTING_YES:
	case ACTING_HELP:
	case '?':
		return acting_option(&a->acting, option, "account",
		    status_out);
	}
	*status_out = acting_failed("account", &e);
	return false;
}

static int
open_or_change(struct asked *a)
{
	struct service_facts	 f;
	struct service		*s = NULL;
	struct err		 e;
	int			 status;

	if (service_open(&s, &e) != RC_OK)
		return acting_failed("account", &e);
	if (a->deposit != NULL) {
		if (service_facts(s, &f, &e) != RC_OK ||
		    address_parse(&a->address, (enum network)f.network,
		    a->deposit, strlen(a->deposit), &e) != RC_OK) {
			service_close(&s);
			return acting_failed("account", &e);
		}
		a->c.script.p = (const char *)a->address.script;
		a->c.script.len = a->address.len;
	}
	status = acting_send(&a->acting, s, &a->c, "done", NULL);
	service_close(&s);
	return status;
}

static int
freeze(struct asked *a, enum command_type type)
{
	struct text	 account = a->c.account;

	command_clear(&a->c, type, 0);
	a->c.account = account;
	return acting_run(&a->acting, &a->c, type == COMMAND_FREEZE ?
	    "frozen" : "no longer frozen");
}

int
cmd_account(int argc, char **argv)
{
	struct message	 q = acting_question(ENDPOINT_LOCAL_ACCOUNTS);
	struct asked	 a = { .deposit = NULL };
	const char	*what;
	int		 option, status;

	acting_begin(&a.acting);
	command_clear(&a.c, COMMAND_ACCOUNT, 0);
	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (!take(&a, option, &status))
			return status;
	}
	what = optind < argc ? argv[optind++] : "";
	if (strcmp(what, "list") == 0 && argc - optind <= 1) {
		q.account = text_of(argv[optind]);
		return acting_list(&a.acting, "account", &q, columns,
		    "no accounts");
	}
	if (argc - optind != 1)
		return usage("account");
	a.c.account = text_of(argv[optind]);
	if (strcmp(what, "create") == 0 || strcmp(what, "set") == 0)
		return open_or_change(&a);
	a.factor.account = argv[optind];
	if (strcmp(what, "totp") == 0)
		return factor_totp(&a.acting, &a.factor);
	if (strcmp(what, "contact") == 0)
		return factor_contact(&a.acting, &a.factor);
	if (strcmp(what, "freeze") == 0)
		return freeze(&a, COMMAND_FREEZE);
	if (strcmp(what, "unfreeze") == 0)
		return freeze(&a, COMMAND_UNFREEZE);
	return usage("account");
}
