#include "sim/decided.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/json.h"
#include "policy/bundle.h"
#include "policy/program.h"
#include "sim/facts_json.h"

struct decided {
	struct policy	*policy;
	struct program	*program;
	FILE		*f;
	char		*path;
	char		*tmp_path;	/* NULL: a device or a pipe */
	struct json	 json;
};

static enum rc
io_failed(const struct decided *d, struct err *e)
{
	return err_set(e, "%s: %s", d->path, strerror(errno));
}

enum rc
decided_new(struct decided **out, const char *path, struct err *e)
{
	struct decided	*d = calloc(1, sizeof(*d));
	size_t		 room = strlen(path) + 32;
	struct stat	 st;
	enum rc		 rc = RC_OK;

	*out = NULL;
	if (d == NULL || (d->path = strdup(path)) == NULL ||
	    (d->tmp_path = malloc(room)) == NULL) {
		decided_free(&d);
		return err_set(e, "out of memory");
	}
	(void)snprintf(d->tmp_path, room, "%s.tmp.%ld", path, (long)getpid());
	/* Nothing takes the place of a device or a pipe. */
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		free(d->tmp_path);
		d->tmp_path = NULL;
	}
	if ((d->f = fopen(d->tmp_path != NULL ? d->tmp_path : path, "we")) ==
	    NULL) {
		rc = io_failed(d, e);
		decided_free(&d);
		return rc;
	}
	json_to_file(&d->json, d->f, false);
	*out = d;
	return RC_OK;
}

void
decided_free(struct decided **dp)
{
	struct decided	*d = *dp;

	*dp = NULL;
	if (d == NULL)
		return;
	if (d->f != NULL) {
		(void)fclose(d->f);
		if (d->tmp_path != NULL)
			(void)unlink(d->tmp_path);
	}
	program_free(&d->program);
	policy_free(&d->policy);
	free(d->path);
	free(d->tmp_path);
	free(d);
}

static bool
of_command(enum outcome_type t)
{
	return t == OUTCOME_DECIDED || t == OUTCOME_REPEATED ||
	    t == OUTCOME_REFUSED;
}

enum rc
decided_own(struct outcome_record *out, const struct history_event *ev,
    struct err *e)
{
	const unsigned char	*p = ev->outcomes;
	const unsigned char	*end = p + ev->outcomes_len;
	const struct outcome_of	 of = {
		.id = { 1, 1 },		/* stands for the command's own */
		.amount_sat = ev->c.amount_sat,
		.t_ms = ev->c.t_ms,
	};
	enum rc			 rc;

	while (p < end) {
		if ((rc = outcome_unpack(out, &p, end, &of, e)) != RC_OK)
			return rc;
		if (of_command(out->type))
			return RC_OK;
	}
	memset(out, 0, sizeof(*out));
	out->type = OUTCOME_TAKEN;
	return RC_OK;
}

/* Policies */

static enum rc
take_policy(struct decided *d, const struct command *c, struct err *e)
{
	enum rc	 rc;

	program_free(&d->program);
	policy_free(&d->policy);
	if ((rc = policy_load_bundle(&d->policy,
	    (const unsigned char *)c->body.p, c->body.len, NULL, e)) != RC_OK)
		return rc;
	return program_new(&d->program, d->policy, e);
}

/* Withdrawals */

static void
put_rule(struct json *j, const char *rule, const char *at)
{
	json_open_object(j, NULL);
	json_put_text(j, "rule", rule);
	if (at != NULL)
		json_put_text(j, "at", at);
	else
		json_put_null(j, "at");
	json_close(j);
}

static void
put_default(const struct decided *d, struct json *j)
{
	char	 where[256];
	int	 i;

	for (i = 0; i < d->policy->n_stmts; i++) {
		if (d->policy->stmts[i].kind == STMT_DEFAULT) {
			put_rule(j, "default", policy_where(d->policy,
			    d->policy->stmts[i].pos, where, sizeof(where)));
			return;
		}
	}
	put_rule(j, "default", NULL);
}

static void
put_rules(const struct decided *d, struct json *j,
    const struct outcome_record *r)
{
	const struct program	*g = d->program;
	int			 i, rule;

	json_open_array(j, "rules");
	if (r->why != WHY_NONE)
		put_rule(j, why_text(r->why), NULL);
	for (i = 0; i < r->n_rules; i++) {
		rule = r->rules[i];
		/* An allow speaks only when nothing asked for more. */
		if (rule < g->n_rules && r->did[i] == RULE_MATCHED &&
		    (g->rules[rule].verdict != VERDICT_ALLOW ||
		    r->would == VERDICT_ALLOW))
			put_rule(j, g->rules[rule].name,
			    g->rules[rule].where);
	}
	if (r->by_default)
		put_default(d, j);
	if (r->judged && r->error != EVAL_OK)
		put_rule(j, "builtin:error", NULL);
	json_close(j);
}

enum rc
decided_event(struct decided *d, const struct history_event *ev,
    struct err *e)
{
	struct outcome_record	 r;
	struct json		*j = &d->json;
	enum rc			 rc;

	if (ev->c.type == COMMAND_POLICY)
		return err_wrap(e, take_policy(d, &ev->c, e), "event %ju",
		    (uintmax_t)ev->seq);
	if (ev->c.type != COMMAND_WITHDRAW || ev->c.history)
		return RC_OK;
	if ((rc = decided_own(&r, ev, e)) != RC_OK)
		return err_wrap(e, rc, "event %ju", (uintmax_t)ev->seq);
	if (r.type != OUTCOME_DECIDED)
		return RC_OK;
	json_open_object(j, NULL);
	json_put_bytes(j, "id", ev->c.id.p, ev->c.id.len);
	json_put_int(j, "t", r.t_ms);
	json_put_text(j, "verdict", verdict_text(r.state == STATE_STOPPED ?
	    VERDICT_HALT : r.verdict));
	put_rules(d, j, &r);
	json_open_object(j, "facts");
	if (r.judged && d->program != NULL)
		facts_json_record(j, d->program, &r);
	json_close(j);
	json_close(j);
	json_line(j);
	return RC_OK;
}

enum rc
decided_close(struct decided **dp, struct err *e)
{
	struct decided	*d = *dp;
	enum rc		 rc = RC_OK;

	if (json_end(&d->json) != RC_OK)
		rc = err_set(e, "%s cannot be written", d->path);
	else if (d->tmp_path != NULL && rename(d->tmp_path, d->path) != 0)
		rc = io_failed(d, e);
	if (rc == RC_OK) {
		if (fclose(d->f) != 0)
			rc = io_failed(d, e);
		d->f = NULL;
	}
	decided_free(dp);
	return rc;
}
