/*
 * drawbridge policy: a new one, proposed and approved.
 */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/proposed.h"
#include "policy/against.h"
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

/* The policy that is in force, as the service has it. */
static enum rc
in_force(struct policy **out, struct service *s, struct err *e)
{
	json_t		*j = service_get(s, ENDPOINT_LOCAL_POLICIES, NULL,
	    "in-force", e);
	const char	*hex = json_string_value(json_object_get(j,
	    "bundle"));
	unsigned char	*bundle = NULL;
	size_t		 len = 0;
	enum rc		 rc;

	if (j == NULL)
		return RC_FAILED;
	if (hex == NULL || (bundle = malloc(strlen(hex) / 2 + 1)) == NULL ||
	    sodium_hex2bin(bundle, strlen(hex) / 2 + 1, hex, strlen(hex),
	    NULL, &len, NULL) != 0)
		rc = err_set(e, "the service does not say what is in force");
	else
		rc = policy_load_bundle(out, bundle, len, stderr, e);
	free(bundle);
	json_decref(j);
	return rc;
}

/* What a proposal (0: the newest) would change. */
static enum rc
compare(int64_t id, struct err *e)
{
	struct against_counts	 n;
	struct proposed		*p = calloc(1, sizeof(*p));
	struct policy		*old = NULL, *new = NULL;
	struct service		*s = NULL;
	int64_t			 found;
	enum rc			 rc;

	if (p == NULL)
		return err_set(e, "no memory");
	if ((rc = service_open(&s, e)) == RC_OK &&
	    (rc = in_force(&old, s, e)) == RC_OK &&
	    (rc = proposed_load(p, s, id, &found, e)) == RC_OK) {
		if (p->c.type != COMMAND_POLICY)
			rc = err_set(e, "proposal %" PRId64 " is not of a "
			    "policy", found);
		else
			rc = policy_load_bundle(&new,
			    (const unsigned char *)p->c.body.p,
			    p->c.body.len, stderr, e);
	}
	if (rc == RC_OK)
		against_print(old, new, stdout, &n);
	service_close(&s);
	policy_free(&old);
	policy_free(&new);
	proposed_free(p);
	free(p);
	return rc;
}

static int
diff(const char *id)
{
	struct err	 e;
	int64_t		 number = 0;

	if (id != NULL && !proposed_number(&number, id))
		return usage("policy");
	return compare(number, &e) == RC_OK ? STATUS_DONE :
	    acting_failed("policy", &e);
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
	if (strcmp(what, "diff") == 0 && argc - optind <= 1)
		return diff(argv[optind]);
	if (argc - optind != 1)
		return usage("policy");
	if (strcmp(what, "propose") == 0)
		return propose(&acting, argv[optind]);
	if (strcmp(what, "approve") == 0)
		return proposed_approve(&acting, "policy", argv[optind]);
	return usage("policy");
}
