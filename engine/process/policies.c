/*
 * Which way the file goes, and what that means.
 */
#include "engine/process/policies.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "policy/against.h"
#include "policy/bundle.h"
#include "policy/shipped.h"

static enum rc
make(const char *path, struct err *e)
{
	int	 fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	bool	 ok;

	if (fd == -1)
		return errno == EEXIST ? RC_OK : err_set(e, "%s: %s", path,
		    strerror(errno));
	ok = write(fd, policy_shipped, policy_shipped_len) ==
	    (ssize_t)policy_shipped_len && fsync(fd) == 0;
	if (!ok)
		(void)err_set(e, "%s: %s", path, strerror(errno));
	(void)close(fd);
	return ok ? RC_OK : RC_FAILED;
}

enum rc
policies_path(const struct config *c, char *buf, size_t room, struct err *e)
{
	if (c->policy[0] != '\0') {
		(void)snprintf(buf, room, "%s", c->policy);
		return RC_OK;
	}
	(void)snprintf(buf, room, "%s/policy", c->data);
	return make(buf, e);
}

void
policies_folder(char *path)
{
	char	*slash = strrchr(path, '/');

	if (slash == path)
		path[1] = '\0';
	else if (slash != NULL)
		*slash = '\0';
	else
		(void)snprintf(path, 2, ".");
}

/* It loosens: everything it consists of, as a command that waits. */
static void
propose(struct keeper *k, const struct policy *p)
{
	unsigned char	*bundle = NULL;
	struct command	 c;
	struct err	 e;
	int64_t		 seq;
	size_t		 len;
	enum rc		 rc;

	command_clear(&c, COMMAND_POLICY, 0);
	rc = policy_bundle(&bundle, &len, p, &e);
	if (rc == RC_OK) {
		c.body.p = (const char *)bundle;
		c.body.len = len;
		policy_bundle_hash(c.hash, bundle, len);
		c.reason = text_of("the policy's file");
		rc = operators_propose(k, &c, &seq, &e);
	}
	if (rc == RC_OK)
		log_event(LOG_ODD, "policy_waits", "proposal", 'd', seq, NULL);
	else
		log_event(LOG_ODD, "policy", "why", 's', e.text, NULL);
	free(bundle);
}

static void
tighten(struct keeper *k, struct policy **p)
{
	struct command	 by;
	struct err	 e;

	command_clear(&by, COMMAND_POLICY, keeper_now_ms(k));
	by.reason = text_of("the policy's file only tightens");
	log_event(LOG_INFO_, "policy", "what", 's', "follows the journal; "
	    "nothing is decided meanwhile", NULL);
	if (journal_policy_loaded(keeper_journal(k), p, &by, &e) == RC_OK)
		log_event(LOG_INFO_, "policy_in_force", NULL);
	else
		log_event(LOG_ODD, "policy", "why", 's', e.text, NULL);
}

void
policies_propose(struct keeper *k)
{
	struct against_counts	 n;
	struct policy		*p = NULL;
	unsigned char		 hash[32], *bundle = NULL;
	char			 path[512];
	struct err		 e;
	size_t			 len;

	if (policies_path(keeper_config(k), path, sizeof(path), &e) !=
	    RC_OK || policy_load(&p, path, NULL, &e) != RC_OK ||
	    policy_bundle(&bundle, &len, p, &e) != RC_OK) {
		log_event(LOG_ODD, "policy_file", "path", 's', path, "why",
		    's', e.text, NULL);
		policy_free(&p);
		return;
	}
	policy_bundle_hash(hash, bundle, len);
	free(bundle);
	if (memcmp(hash, keeper_state(k)->policy_hash, sizeof(hash)) != 0) {
		against_compare(keeper_state(k)->policy, p, NULL, NULL, &n);
		if (n.loosens == 0)
			tighten(k, &p);
		else
			propose(k, p);
	}
	policy_free(&p);
}

enum way
policies_way(struct keeper *k, const struct command *c, enum way way)
{
	struct against_counts	 n;
	struct policy		*p = NULL;
	struct err		 e;

	if (c->type != COMMAND_POLICY || policy_load_bundle(&p,
	    (const unsigned char *)c->body.p, c->body.len, NULL, &e) !=
	    RC_OK)
		return way;
	against_compare(keeper_state(k)->policy, p, NULL, NULL, &n);
	policy_free(&p);
	return n.loosens == 0 ? WAY_TIGHTENS : WAY_LOOSENS;
}
