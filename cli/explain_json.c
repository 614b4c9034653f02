/*
 * The story of one withdrawal as JSON.
 */
#include <string.h>

#include "cli/explain.h"
#include "lib/json.h"
#include "sim/facts_json.h"

struct page {
	struct json	 j;
	struct story	*s;
	const struct story_event *ev;
	const char	*now;		/* the state after the last one */
};

static void
put_rule(struct json *j, const struct outcome_record *r, int i,
    const struct program *p)
{
	const struct prog_rule	*rule = &p->rules[r->rules[i]];
	char			 text[RULE_TEXT_MAX], asks[TOLD_MAX];

	json_open_object(j, NULL);
	json_put_text(j, "rule", rule->name);
	json_put_text(j, "at", rule->where);
	json_put_text(j, "asks", rule_asks(asks, p, r->rules[i]));
	json_put_text(j, "did", rule_did_text((enum outcome_did)r->did[i]));
	json_put_text(j, "text", rule_text(text, p, r->rules[i]));
	json_close(j);
}

static void
put_default(struct json *j, const struct program *p)
{
	char	 where[256];

	json_open_object(j, NULL);
	json_put_text(j, "rule", "default");
	if (rule_default_where(where, sizeof(where), p) != NULL)
		json_put_text(j, "at", where);
	else
		json_put_null(j, "at");
	json_put_text(j, "asks", verdict_text(p->policy->dflt));
	json_put_text(j, "did", "matched");
	json_close(j);
}

static void
put_judged(struct json *j, const struct outcome_record *r,
    const struct program *p)
{
	int	 i;

	json_open_array(j, "rules");
	for (i = 0; i < r->n_rules; i++)
		if (rule_spoke(r, i, p))
			put_rule(j, r, i, p);
	if (r->by_default)
		put_default(j, p);
	if (r->error != EVAL_OK) {
		json_open_object(j, NULL);
		json_put_text(j, "rule", "builtin:error");
		json_close(j);
	}
	json_close(j);
	json_open_object(j, "facts");
	facts_json_record(j, p, r);
	json_close(j);
}

static enum rc
put_outcome(void *ctx, const struct command *c,
    const struct outcome_record *r, struct err *e)
{
	struct page			*pg = ctx;
	const struct story_policy	*p = NULL;
	enum rc				 rc;

	(void)c;
	json_open_object(&pg->j, NULL);
	told_outcome_json(&pg->j, r);
	if (r->type != OUTCOME_TAKEN && r->type != OUTCOME_REFUSED)
		pg->now = state_text(r->state);
	if (r->judged) {
		if ((rc = story_policy(&p, pg->s, pg->ev, e)) != RC_OK)
			return rc;
		if (p != NULL && p->program != NULL)
			put_judged(&pg->j, r, p->program);
	}
	json_close(&pg->j);
	return RC_OK;
}

static void
put_hash(struct json *j, const char *key, const unsigned char hash[32])
{
	char	 hex[65];
	size_t	 i;

	for (i = 0; i < 32; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", hash[i]);
	json_put_text(j, key, hex);
}

static enum rc
put_event(struct page *pg, const struct story_event *ev, struct err *e)
{
	struct command	 c;
	enum rc		 rc;

	pg->ev = ev;
	if ((rc = story_command(&c, pg->s, ev, e)) != RC_OK)
		return rc;
	json_open_object(&pg->j, NULL);
	json_put_uint(&pg->j, "seq", ev->seq);
	json_open_object(&pg->j, "command");
	told_command_json(&pg->j, &c, &pg->s->told);
	json_close(&pg->j);
	json_put_uint(&pg->j, "semantics", ev->semantics);
	put_hash(&pg->j, "policy", ev->policy);
	json_open_array(&pg->j, "outcomes");
	rc = story_outcomes(pg->s, ev, put_outcome, pg, e);
	json_close(&pg->j);
	json_close(&pg->j);
	return rc;
}

enum rc
explain_json(struct story *s, FILE *f, struct err *e)
{
	struct page	 pg = { .s = s };
	size_t		 i;
	enum rc		 rc;

	json_to_file(&pg.j, f, true);
	json_open_object(&pg.j, NULL);
	json_put_bytes(&pg.j, "id", s->id.p, s->id.len);
	json_put_uint(&pg.j, "searched", s->searched);
	json_put_bool(&pg.j, "keyring", s->keys);
	json_open_array(&pg.j, "events");
	for (i = 0; i < s->n; i++)
		if ((rc = put_event(&pg, &s->events[i], e)) != RC_OK)
			return rc;
	json_close(&pg.j);
	/* Without the keys later turns cannot be recognised. */
	if (s->keys && pg.now != NULL)
		json_put_text(&pg.j, "now", pg.now);
	else
		json_put_null(&pg.j, "now");
	json_close(&pg.j);
	return json_end(&pg.j) == RC_OK ? RC_OK : err_set(e,
	    "standard output cannot be written");
}
