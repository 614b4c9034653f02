/*
 * drawbridge policy: a new one, proposed and approved.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/proposed.h"
#include "policy/bundle.h"
#include "policy/program.h"

static const struct option	 names[] = {
	ACTING_OPTIONS,
	{ NULL, 0, NULL, 0 }
};

static const struct table_column	 columns[] = {
	{ "event", "seq", TABLE_TEXT },
	{ "since", "t_ms", TABLE_TIME },
	{ "by", "by", TABLE_TEXT },
	{ "reason", "reason", TABLE_TEXT },
	{ "hash", "hash", TABLE_TEXT },
	{ NULL, NULL, TABLE_TEXT }
};

/* Everything that it consists of, its tables too. */
static int
propose(struct acting *a, const char *path)
{
	unsigned char	*bundle = NULL;
	struct policy	*p = NULL;
	struct command	 c;
	struct err	 e;
	size_t		 len;
	int		 status;

	command_clear(&c, COMMAND_POLICY, 0);
	if (policy_load(&p, path, stderr, &e) != RC_OK ||
	    policy_bundle(&bundle, &len, p, &e) != RC_OK) {
		policy_free(&p);
		return acting_failed("policy", &e);
	}
	c.body.p = (const char *)bundle;
	c.body.len = len;
	policy_bundle_hash(c.hash, bundle, len);
	status = acting_run(a, &c, "in force");
	free(bundle);
	policy_free(&p);
	return status;
}

int
cmd_policy(int argc, char **argv)
{
	const struct message	 q = acting_question(ENDPOINT_LOCAL_POLICIES);
	struct acting		 acting;
	const char		*what;
	int			 option, status;

	acting_begin(&acting);
	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (!acting_option(&acting, option, "policy", &status))
			return status;
	}
	what = optind < argc ? argv[optind++] : "";
	if (strcmp(what, "history") == 0 && optind == argc)
		return acting_list(&acting, "policy", &q, columns,
		    "no policy is in force");
	if (argc - optind != 1)
		return usage("policy");
	if (strcmp(what, "propose") == 0)
		return propose(&acting, argv[optind]);
	if (strcmp(what, "approve") == 0)
		return proposed_approve(&acting, "policy", argv[optind]);
	return usage("policy");
}
