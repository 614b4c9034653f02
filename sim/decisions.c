#include "sim/decisions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/json.h"
#include "policy/reads.h"
#include "sim/facts_json.h"

/* A line: at most every rule and every slot, each with its name. */
#define LINE_ROOM	(256 * 1024)

struct decisions {
	const struct program *p;
	char		*path;
	char		*tmp_path;	/* NULL: a device or a pipe */
	FILE		*spool;
	FILE		*out;
	char		*line;
};

/* In front of each spooled line. */
struct head {
	uint32_t	ref;
	uint32_t	len;
};

static enum rc
io_failed(const struct decisions *d, struct err *e)
{
	return err_set(e, "%s: %s", d->path, strerror(errno));
}

static enum rc
open_out(struct decisions *d, struct err *e)
{
	size_t		 room = strlen(d->path) + 32;
	struct stat	 st;

	/* Nothing takes the place of a device or a pipe. */
	if (stat(d->path, &st) != 0 || S_ISREG(st.st_mode)) {
		if ((d->tmp_path = malloc(room)) == NULL)
			return err_set(e, "out of memory");
		(void)snprintf(d->tmp_path, room, "%s.tmp.%ld", d->path,
		    (long)getpid());
	}
	d->out = fopen(d->tmp_path != NULL ? d->tmp_path : d->path, "we");
	if (d->out == NULL || (d->spool = tmpfile()) == NULL)
		return io_failed(d, e);
	return RC_OK;
}

enum rc
decisions_new(struct decisions **out, const char *path,
    const struct program *p, struct err *e)
{
	struct decisions	*d = calloc(1, sizeof(*d));

	if (d == NULL)
		return err_set(e, "out of memory");
	d->p = p;
	if ((d->path = strdup(path)) == NULL ||
	    (d->line = malloc(LINE_ROOM)) == NULL) {
		decisions_free(&d);
		return err_set(e, "out of memory");
	}
	if (open_out(d, e) != RC_OK) {
		decisions_free(&d);
		return RC_FAILED;
	}
	*out = d;
	return RC_OK;
}

void
decisions_free(struct decisions **dp)
{
	struct decisions	*d = *dp;

	*dp = NULL;
	if (d == NULL)
		return;
	if (d->out != NULL) {
		(void)fclose(d->out);
		if (d->tmp_path != NULL)
			(void)unlink(d->tmp_path);
	}
	if (d->spool != NULL)
		(void)fclose(d->spool);
	free(d->path);
	free(d->tmp_path);
	free(d->line);
	free(d);
}

/* Rules */

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
put_default(const struct decisions *d, struct json *j)
{
	const struct policy	*pol = d->p->policy;
	char			 where[256];
	int			 i;

	for (i = 0; i < pol->n_stmts; i++) {
		if (pol->stmts[i].kind == STMT_DEFAULT) {
			put_rule(j, "default", policy_where(pol,
			    pol->stmts[i].pos, where, sizeof(where)));
			return;
		}
	}
	put_rule(j, "default", NULL);
}

/* Those that made the verdict: allows only when nothing asked for more. */
static bool
speaks(const struct decisions *d, const struct outcome *o, int rule)
{
	return (o->joined->matched[rule / 64] >> rule % 64 & 1) &&
	    (d->p->rules[rule].verdict != VERDICT_ALLOW ||
	    o->joined->called == VERDICT_ALLOW);
}

static void
put_rules(struct decisions *d, struct json *j, const struct outcome *o)
{
	struct prog_reads	 reads = { .classes = 0 };
	int			 i;

	json_open_array(j, "rules");
	if (o->why != WHY_NONE)
		put_rule(j, why_text(o->why), NULL);
	if (o->joined != NULL) {
		for (i = 0; i < d->p->n_rules; i++) {
			if (!speaks(d, o, i))
				continue;
			put_rule(j, d->p->rules[i].name,
			    d->p->rules[i].where);
			reads_add(&reads, &d->p->reads[i]);
		}
		if (o->joined->by_default)
			put_default(d, j);
		if (o->joined->error != EVAL_OK)
			put_rule(j, "builtin:error", NULL);
	}
	json_close(j);
	json_open_object(j, "facts");
	if (o->joined != NULL && o->env != NULL)
		facts_json_env(j, d->p, &reads, o->env);
	json_close(j);
}

enum rc
decisions_asked(struct decisions *d, const struct feed_item *item,
    const struct outcome *o, struct err *e)
{
	struct json	 j;
	struct head	 head = { o->ref, 0 };

	json_to_memory(&j, d->line, LINE_ROOM);
	json_open_object(&j, NULL);
	json_put_bytes(&j, "id", item->id.p, item->id.len);
	json_put_int(&j, "t", item->in.t_ms);
	/* While all is stopped it is the halt that answers. */
	json_put_text(&j, "verdict", verdict_text(
	    o->state == STATE_STOPPED ? VERDICT_HALT : o->verdict));
	put_rules(d, &j, o);
	json_close(&j);
	if (json_end(&j) != RC_OK)
		return err_set(e, "%s: a decision is too long", d->path);
	head.len = (uint32_t)strlen(d->line);
	/* Its end is added later. */
	while (head.len > 0 && d->line[head.len - 1] != '}')
		head.len--;
	head.len--;
	if (fwrite(&head, sizeof(head), 1, d->spool) != 1 ||
	    fwrite(d->line, 1, head.len, d->spool) != head.len)
		return io_failed(d, e);
	return RC_OK;
}

static const char *
worst(const struct tally_entry *entry)
{
	static const enum verdict	 verdicts[SCORE__KEYS] = {
		[SCORE_AT_ONCE] = VERDICT_ALLOW,
		[SCORE_DELAYED] = VERDICT_DELAY,
		[SCORE_STEPPED_UP] = VERDICT_STEP_UP,
		[SCORE_STOPPED] = VERDICT_HALT,
		[SCORE_HELD] = VERDICT_HOLD,
		[SCORE_DENIED] = VERDICT_DENY,
	};

	return verdict_text(entry->tripped ? VERDICT_HALT :
	    verdicts[entry->key]);
}

enum rc
decisions_write(struct decisions *d, const struct tally *t, struct err *e)
{
	struct tally_entry	 entry;
	struct head		 head;

	if (fflush(d->spool) != 0 || fseek(d->spool, 0, SEEK_SET) != 0)
		return io_failed(d, e);
	while (fread(&head, sizeof(head), 1, d->spool) == 1) {
		if (head.len >= LINE_ROOM ||
		    fread(d->line, 1, head.len, d->spool) != head.len)
			return err_set(e, "%s: the spool is short", d->path);
		entry = tally_entry(t, head.ref);
		(void)fwrite(d->line, 1, head.len, d->out);
		(void)fprintf(d->out, ",\"worst\":\"%s\",\"released_at\":",
		    worst(&entry));
		if (entry.released_ms >= 0)
			(void)fprintf(d->out, "%lld",
			    (long long)entry.released_ms);
		else
			(void)fputs("null", d->out);
		(void)fprintf(d->out, ",\"final\":\"%s\"}\n",
		    score_final_text(entry.final));
	}
	if (ferror(d->spool) || fflush(d->out) != 0 || ferror(d->out))
		return io_failed(d, e);
	return RC_OK;
}

enum rc
decisions_keep(struct decisions *d, struct err *e)
{
	if (d->tmp_path != NULL && rename(d->tmp_path, d->path) != 0)
		return io_failed(d, e);
	if (fclose(d->out) != 0) {
		d->out = NULL;
		return io_failed(d, e);
	}
	d->out = NULL;
	return RC_OK;
}
