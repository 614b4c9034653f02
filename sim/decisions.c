#include "sim/decisions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/json.h"
#include "policy/print.h"

/* A line: at most every rule and every slot, each with its name. */
#define LINE_ROOM	(256 * 1024)

struct decisions {
	const struct program *p;
	char		*path;
	char		*tmp_path;	/* NULL: a device or a pipe */
	FILE		*spool;
	FILE		*out;
	char		*line;
	/* Rules that the line speaks of, and the slots that they read. */
	uint64_t	 slots[SLOTS_MAX / 64];
	uint64_t	 classes;
	bool		 hot, fund;
	uint32_t	*seen;		/* a test: the last round it was in */
	uint32_t	 round;
	int		*stack;
	int		 n_stack;
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
	    (d->line = malloc(LINE_ROOM)) == NULL ||
	    (d->seen = calloc((size_t)p->n_tests + 1, sizeof(*d->seen))) ==
	    NULL ||
	    (d->stack = calloc((size_t)p->n_tests + 1, sizeof(*d->stack))) ==
	    NULL) {
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
	free(d->seen);
	free(d->stack);
	free(d);
}

/* Which facts a rule asked for */

/* One test more to look at, unless it was or is no test but a verdict. */
static void
visit(struct decisions *d, int test)
{
	if (test < 0 || d->seen[test] == d->round)
		return;
	d->seen[test] = d->round;
	d->stack[d->n_stack++] = test;
}

static void
note_slot(struct decisions *d, int slot)
{
	if (slot >= 0)
		d->slots[slot / 64] |= UINT64_C(1) << slot % 64;
}

static void
note_operand(struct decisions *d, const struct operand *o)
{
	switch (o->kind) {
	case OPERAND_CONST:
		break;
	case OPERAND_SLOT:
		note_slot(d, o->index);
		break;
	case OPERAND_HOT:
		d->hot = true;
		break;
	case OPERAND_FUND:
		d->fund = true;
		break;
	case OPERAND_LINE:
		note_slot(d, d->p->lines[o->index].normal_slot);
		note_slot(d, d->p->lines[o->index].busy_slot);
		break;
	}
}

/* All tests that can be come to from START, those of classes included. */
static void
note_tests(struct decisions *d, int start)
{
	const struct prog_test	*t;

	visit(d, start);
	while (d->n_stack > 0) {
		t = &d->p->tests[d->stack[--d->n_stack]];
		visit(d, t->if_true);
		visit(d, t->if_false);
		switch (t->kind) {
		case TEST_CLASS:
			d->classes |= UINT64_C(1) << t->cls;
			visit(d, d->p->classes[t->cls].start);
			break;
		case TEST_COMPARE:
			note_operand(d, &t->left);
			note_operand(d, &t->right);
			break;
		case TEST_SLOT:
			note_operand(d, &t->left);
			break;
		}
	}
}

/* Facts */

static void
put_typed(struct json *j, const char *name, enum type type, int64_t v)
{
	switch (type) {
	case TYPE_AMOUNT:
		json_put_sat(j, name, v);
		break;
	case TYPE_COUNT:
	case TYPE_TIME:
		json_put_int(j, name, v);
		break;
	case TYPE_FLAG:
		json_put_bool(j, name, v != 0);
		break;
	}
}

static enum type
agg_type(const struct program *p, int agg)
{
	return p->aggs[agg].def.what == AGG_SUM ? TYPE_AMOUNT : TYPE_COUNT;
}

static void
put_slot(const struct decisions *d, struct json *j, int slot, int64_t v)
{
	static const char *const	 subjects[] = { "destination",
		"account", "ip", "group" };
	const struct prog_slot		*s = &d->p->slots[slot];
	const struct policy		*pol = d->p->policy;
	char				 agg[PRINT_TEXT_MAX];
	char				 name[PRINT_TEXT_MAX + 64];

	switch (s->kind) {
	case SLOT_FACT:
		put_typed(j, word_of((enum fact)s->index)->text,
		    word_of((enum fact)s->index)->type, v);
		break;
	case SLOT_DECLARED:
		put_typed(j, pol->declared[s->index].name,
		    pol->declared[s->index].type, v);
		break;
	case SLOT_AGG:
		put_typed(j, print_agg(pol, agg, sizeof(agg),
		    &d->p->aggs[s->index].def), agg_type(d->p, s->index), v);
		break;
	case SLOT_NORMAL:
		(void)snprintf(name, sizeof(name), "normal of %s",
		    print_agg(pol, agg, sizeof(agg),
		    &d->p->aggs[s->index].def));
		if (v < 0)
			json_put_null(j, name);
		else
			put_typed(j, name, agg_type(d->p, s->index), v);
		break;
	case SLOT_BUSY:
		(void)snprintf(name, sizeof(name), "busy in %s",
		    print_duration(agg, sizeof(agg),
		    d->p->busy_windows[s->index]));
		json_put_ratio(j, name, v, 1000, 3);
		break;
	case SLOT_FRAUD:
		(void)snprintf(name, sizeof(name), "confirmed fraud in %s",
		    print_duration(agg, sizeof(agg),
		    d->p->fraud_windows[s->index]));
		json_put_bool(j, name, v != 0);
		break;
	case SLOT_IN_TABLE:
		(void)snprintf(name, sizeof(name), "%s in <%s>",
		    subjects[s->index % 4], pol->tables[s->index / 4].name);
		json_put_bool(j, name, v != 0);
		break;
	}
}

/* The facts that were read for the noted rules, by their written names. */
static void
put_facts(const struct decisions *d, struct json *j,
    const struct eval_env *env)
{
	uint64_t	 bits;
	int		 i, c, slot;

	for (bits = d->classes; bits != 0; bits &= bits - 1) {
		c = __builtin_ctzll(bits);
		/* `proven` and the internal one are facts, if at all. */
		if (c >= CLASS_FIRST || c == CLASS_PROVEN)
			json_put_bool(j, d->p->policy->classes[c].name,
			    env->classes >> c & 1);
	}
	for (i = 0; i < SLOTS_MAX / 64; i++) {
		bits = d->slots[i] & env->known[i];
		for (; bits != 0; bits &= bits - 1) {
			slot = i * 64 + __builtin_ctzll(bits);
			if (d->p->slots[slot].kind == SLOT_FACT &&
			    d->p->slots[slot].index == FACT_PROVEN &&
			    (d->classes >> CLASS_PROVEN & 1))
				continue;
			put_slot(d, j, slot, env->value[slot]);
		}
	}
	if (d->hot && env->hot_sat >= 0)
		json_put_sat(j, "hot", env->hot_sat);
	if (d->fund && env->fund_sat >= 0)
		json_put_sat(j, "fund", env->fund_sat);
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
	int	 i;

	memset(d->slots, 0, sizeof(d->slots));
	d->classes = 0;
	d->hot = d->fund = false;
	d->round++;
	json_open_array(j, "rules");
	if (o->why != WHY_NONE)
		put_rule(j, why_text(o->why), NULL);
	if (o->joined != NULL) {
		for (i = 0; i < d->p->n_rules; i++) {
			if (!speaks(d, o, i))
				continue;
			put_rule(j, d->p->rules[i].name,
			    d->p->rules[i].where);
			note_tests(d, d->p->rules[i].start);
		}
		if (o->joined->by_default)
			put_default(d, j);
		if (o->joined->error != EVAL_OK)
			put_rule(j, "builtin:error", NULL);
	}
	json_close(j);
	json_open_object(j, "facts");
	if (o->joined != NULL && o->env != NULL)
		put_facts(d, j, o->env);
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
