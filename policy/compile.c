/*
 * From the tree to the program: names are looked up once, here.
 *
 * A condition becomes a chain of tests, each with two jump targets.  `not`
 * is pushed down to the tests (De Morgan), so that every test that remains
 * speaks for the condition: then "true when tainted" (S28) and "false when
 * unknown" (S7) mean the same everywhere.  The tests of a condition are made
 * from its last to its first, since each must know where it jumps to.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/civil.h"
#include "lib/ident.h"
#include "policy/build.h"
#include "policy/interval.h"
#include "policy/reads.h"

/* Parentheses inside one another; policy_load() stops long before. */
#define DEPTH_MAX	256

#define BUSY_AGE_MS	(90 * MS_PER_DAY)

static int compile_cond(struct build *, const struct cond *, bool, int, int,
    int);

static int
emit(struct build *b, const struct prog_test *test)
{
	struct program	*g = b->prog;
	void		*more;

	more = build_grow(b, g->tests, g->n_tests, sizeof(*g->tests));
	if (more == NULL)
		return JUMP_FALSE;
	g->tests = more;
	g->tests[g->n_tests] = *test;
	return g->n_tests++;
}

/* Notes a platform-, group- or destination-wide aggregate (S28). */
static bool
note_shared(struct build *b, const struct quantity *q)
{
	int64_t	 times;

	q = build_resolve(b, q, &times);
	if (q->kind != Q_AGG || !build_scope_shared(q->agg.scope))
		return false;
	if (q->agg.window_ms > b->shared_ms)
		b->shared_ms = q->agg.window_ms;
	if (q->agg.scope == SCOPE_DESTINATION)
		b->shared_destination = true;
	else
		b->shared_wide = true;
	return true;
}

static int
compile_compare(struct build *b, const struct cond *c, bool negate, int if_true,
    int if_false)
{
	struct prog_test t = { .kind = TEST_COMPARE, .rel = c->rel,
		.less_ppm = c->less_ppm, .if_true = if_true,
		.if_false = if_false };

	t.left = build_operand(b, &c->left);
	t.shared = note_shared(b, &c->left);
	if (c->is_line)
		t.right = build_line(b, &c->line, &c->left);
	else {
		t.right = build_operand(b, &c->right);
		t.shared |= note_shared(b, &c->right);
	}
	if (!negate)
		return emit(b, &t);
	if (c->rel == REL_EQ) {
		/* Not equal: below, or else above. */
		t.rel = REL_GT;
		t.if_false = emit(b, &t);
		t.if_false = b->failed ? JUMP_FALSE : t.if_false;
		t.rel = REL_LT;
		return emit(b, &t);
	}
	t.rel = relop_opposite(c->rel);
	return emit(b, &t);
}

/* A slot that is 0 or not.  `not` of it is a comparison with 0. */
static int
compile_slot(struct build *b, struct operand o, bool negate, int if_true,
    int if_false)
{
	struct prog_test t = { .kind = negate ? TEST_COMPARE : TEST_SLOT,
		.rel = REL_EQ, .left = o, .right = { OPERAND_CONST, 0, 0 },
		.if_true = if_true, .if_false = if_false };

	return emit(b, &t);
}

static int
compile_class(struct build *b, int cls, bool negate, int if_true,
    int if_false)
{
	struct prog_test t = { .kind = TEST_CLASS, .cls = cls,
		.if_true = negate ? if_false : if_true,
		.if_false = negate ? if_true : if_false };

	if (cls == CLASS_PROVEN)
		b->uses_proven = true;
	return emit(b, &t);
}

static int
compile_flag(struct build *b, const struct quantity *q, bool negate,
    int if_true, int if_false)
{
	int64_t	 times;

	q = build_resolve(b, q, &times);
	if (q->kind == Q_FACT && q->fact == FACT_PROVEN)
		return compile_class(b, CLASS_PROVEN, negate, if_true,
		    if_false);
	return compile_slot(b, build_operand(b, q), negate, if_true, if_false);
}

/* `and` and `or`: the targets of each kid are the beginnings of the next. */
static int
compile_kids(struct build *b, const struct cond *c, bool negate, int if_true,
    int if_false, int depth)
{
	bool	 all = (c->kind == COND_AND) != negate;
	int	 i, start = all ? if_true : if_false;

	assert(c->n_kids > 0);
	for (i = c->n_kids - 1; i >= 0; i--)
		start = compile_cond(b, c->kids[i], negate,
		    all ? start : if_true, all ? if_false : start, depth + 1);
	return start;
}

/* Returns where the condition begins. */
static int
compile_cond(struct build *b, const struct cond *c, bool negate, int if_true,
    int if_false, int depth)
{
	struct operand	 o = { OPERAND_SLOT, 0, 1 };
	struct program	*g = b->prog;
	bool		 fresh;

	if (depth > DEPTH_MAX) {
		build_fail(b, "a condition is nested too deeply");
		return JUMP_FALSE;
	}
	switch (c->kind) {
	case COND_OR:
	case COND_AND:
		return compile_kids(b, c, negate, if_true, if_false, depth);
	case COND_NOT:
		return compile_cond(b, c->kids[0], !negate, if_true, if_false,
		    depth + 1);
	case COND_COMPARE:
		return compile_compare(b, c, negate, if_true, if_false);
	case COND_FLAG:
		return compile_flag(b, &c->left, negate, if_true, if_false);
	case COND_IN:
		o.index = build_slot(b, SLOT_IN_TABLE,
		    c->index * 4 + (int)c->subject);
		return compile_slot(b, o, negate, if_true, if_false);
	case COND_CLASS:
		return compile_class(b, c->index, negate, if_true, if_false);
	case COND_FRAUD:
		o.index = build_slot(b, SLOT_FRAUD, build_window(b,
		    &g->fraud_windows, &g->n_fraud_windows, c->window_ms,
		    &fresh));
		return compile_slot(b, o, negate, if_true, if_false);
	}
	return JUMP_FALSE;
}

static int
compile_whole(struct build *b, const struct cond *c)
{
	b->shared_ms = 0;
	b->shared_wide = false;
	b->shared_destination = false;
	if (c == NULL)
		return JUMP_TRUE;
	return compile_cond(b, c, false, JUMP_TRUE, JUMP_FALSE, 0);
}

/* `until` names the last day on which it holds, in UTC. */
static int64_t
until_ms(int64_t day)
{
	if (day >= INT64_MAX / MS_PER_DAY - 1)
		return INT64_MAX;
	return (day + 1) * MS_PER_DAY;
}

/* As much of a text as fits; for records, where a long name may be cut. */
static void
copy_text(char *buf, size_t buf_len, const char *text)
{
	size_t	 len = strnlen(text, buf_len - 1);

	memcpy(buf, text, len);
	buf[len] = '\0';
}

static uint64_t
hash_text(const char *text, size_t len)
{
	static const struct ident_key public_key = { "drawbridge rule" };

	return ident_prf(&public_key, text, len);
}

static void
compile_rule(struct build *b, int r)
{
	const struct rule *from = &b->p->rules[r];
	struct prog_rule *to = &b->prog->rules[r];

	to->verdict = from->verdict;
	to->shadow = from->shadow;
	to->delay_ms = from->verdict == VERDICT_DELAY ? from->delay_ms : 0;
	to->people = from->verdict == VERDICT_HOLD ?
	    (from->people > 1 ? from->people : 1) : 0;
	to->lot = from->lot;
	to->lot_in = from->lot_in;
	if (from->lot == LOT_PER)
		to->lot_per = build_operand(b, &from->lot_per);
	to->until_ms = until_ms(from->until_day);
	to->start = compile_whole(b, from->cond);
	to->taint_ms = b->shared_ms;
	to->taint_destination = b->shared_destination && !b->shared_wide;
	to->ast_rule = r;
	(void)policy_where(b->p, from->pos, to->where, sizeof(to->where));
	copy_text(to->name, sizeof(to->name),
	    from->name != NULL ? from->name : to->where);
	to->label_hash = hash_text(to->name, strlen(to->name));
	if (to->delay_ms > b->prog->longest_delay_ms && !to->shadow)
		b->prog->longest_delay_ms = to->delay_ms;
}

/* One rule `left > limit`, which denies and binds people too (S45).  It is
 * not `shared`: taint does not touch it. */
static void
ceiling_rule(struct build *b, const struct ceiling *c,
    const struct prog_test *test)
{
	struct prog_rule *to = &b->prog->rules[b->prog->n_rules++];

	to->verdict = VERDICT_DENY;
	to->ceiling = true;
	to->until_ms = INT64_MAX;
	to->start = emit(b, test);
	to->ast_rule = -1;
	copy_text(to->name, sizeof(to->name), "ceiling");
	(void)policy_where(b->p, c->pos, to->where, sizeof(to->where));
	to->label_hash = hash_text(to->name, strlen(to->name));
}

static void
compile_ceiling(struct build *b, const struct ceiling *c)
{
	struct agg	 released = { .what = AGG_SUM, .stage = STAGE_RELEASED,
		.scope = SCOPE_PLATFORM, .table = -1,
		.window_ms = c->window_ms, .cls = -1 };
	struct prog_test t = { .kind = TEST_COMPARE, .rel = REL_GT,
		.left = { OPERAND_SLOT, 0, 1 }, .if_true = JUMP_TRUE,
		.if_false = JUMP_FALSE };

	t.left.index = build_slot(b, SLOT_AGG, build_agg(b, &released));
	t.right = build_operand(b, &c->limit);
	ceiling_rule(b, c, &t);
	if (c->each_sat != 0) {
		t.left.index = build_slot(b, SLOT_FACT, FACT_AMOUNT);
		t.right = (struct operand){ OPERAND_CONST, 0, c->each_sat };
		ceiling_rule(b, c, &t);
	}
}

/* Only what a person or a wait could have lifted anyway (S43). */
static bool
may_exempt(const struct rule *r)
{
	return r->name != NULL && (r->verdict == VERDICT_DELAY ||
	    r->verdict == VERDICT_STEP_UP || r->verdict == VERDICT_HOLD);
}

static void
compile_exempt(struct build *b, int i)
{
	const struct exempt *from = &b->p->exempts[i];
	struct prog_exempt *to = &b->prog->exempts[i];
	struct agg	 used = { .what = AGG_SUM, .stage = STAGE_COMMITTED,
		.scope = SCOPE_PLATFORM, .table = -1,
		.window_ms = from->upto_ms, .cls = b->p->n_classes + i };
	int		 k;

	to->cls = used.cls;
	b->prog->classes[to->cls].start = compile_whole(b, from->cond);
	to->sum_slot = build_slot(b, SLOT_AGG, build_agg(b, &used));
	to->upto_sat = from->upto_sat;
	to->count_slot = -1;
	to->count = from->count;
	if (from->count != 0) {
		used.what = AGG_COUNT;
		used.window_ms = from->count_ms;
		to->count_slot = build_slot(b, SLOT_AGG, build_agg(b, &used));
	}
	to->until_ms = until_ms(from->until_day);
	for (k = 0; k < from->n_rules; k++)
		if (may_exempt(&b->p->rules[from->rules[k]]))
			b->prog->rules[from->rules[k]].exempt |=
			    UINT64_C(1) << i;
}

/* The two classes that no file writes. */
static void
compile_builtin_classes(struct build *b)
{
	struct program	*g = b->prog;
	struct operand	 o = { OPERAND_SLOT, 0, 1 };
	struct prog_test old = { .kind = TEST_COMPARE, .rel = REL_GE,
		.right = { OPERAND_CONST, 0, BUSY_AGE_MS },
		.if_true = JUMP_TRUE, .if_false = JUMP_FALSE };

	g->classes[CLASS_PROVEN].start = JUMP_FALSE;
	g->classes[CLASS_BUSY].start = JUMP_FALSE;
	if (g->n_busy_windows != 0) {
		o.index = build_slot(b, SLOT_FACT, FACT_AGE_ACCOUNT);
		old.left = o;
		g->classes[CLASS_BUSY].start = compile_class(b, CLASS_PROVEN,
		    false, emit(b, &old), JUMP_FALSE);
	}
	if (b->uses_proven || b->p->trust.given) {
		o.index = build_slot(b, SLOT_FACT, FACT_PROVEN);
		g->classes[CLASS_PROVEN].start = compile_slot(b, o, false,
		    JUMP_TRUE, JUMP_FALSE);
	}
}

/* Of the canonical text and of the tables that it only names. */
static void
digest(struct build *b)
{
	char	*text = NULL;
	size_t	 len = 0;
	FILE	*f = open_memstream(&text, &len);
	int	 i;

	if (f == NULL) {
		build_fail(b, "out of memory");
		return;
	}
	policy_print(b->p, f);
	for (i = 0; i < b->p->n_tables; i++)
		fprintf(f, "%s %016llx\n", b->p->tables[i].name,
		    (unsigned long long)b->p->tables[i].digest);
	if (fclose(f) != 0)
		build_fail(b, "out of memory");
	else
		b->prog->digest = hash_text(text, len);
	free(text);
}

static void
compile_all(struct build *b)
{
	const struct policy *p = b->p;
	struct program	*g = b->prog;
	int		 i;

	g->n_classes = p->n_classes + p->n_exempts;
	g->n_rules = p->n_rules;
	g->n_exempts = p->n_exempts;
	if (g->n_classes > CLASSES_MAX) {
		build_fail(b, "more than 64 classes and exemptions");
		return;
	}
	if (p->n_rules + 2 * p->n_ceilings > RULES_MAX) {
		build_fail(b, "more than 256 rules and ceilings");
		return;
	}
	g->classes = calloc(CLASSES_MAX, sizeof(*g->classes));
	g->rules = calloc(RULES_MAX, sizeof(*g->rules));
	g->exempts = calloc((size_t)g->n_exempts + 1, sizeof(*g->exempts));
	g->slots = calloc(SLOTS_MAX, sizeof(*g->slots));
	if (g->classes == NULL || g->rules == NULL || g->exempts == NULL ||
	    g->slots == NULL) {
		build_fail(b, "out of memory");
		return;
	}
	for (i = CLASS_FIRST; i < p->n_classes; i++)
		g->classes[i].start = compile_whole(b, p->classes[i].cond);
	for (i = 0; i < p->n_rules; i++)
		compile_rule(b, i);
	for (i = 0; i < p->n_ceilings; i++)
		compile_ceiling(b, &p->ceilings[i]);
	for (i = 0; i < p->n_exempts; i++)
		compile_exempt(b, i);
	compile_builtin_classes(b);
	digest(b);
}

/* The tests of classes that stand first and must all come out one way. */
static struct prog_gate
gate_of(const struct program *g, int start)
{
	struct prog_gate gate = { 0, 0 };
	const struct prog_test *t;
	int		 at = start;

	/* Jumps go forward only. */
	while (at >= 0) {
		t = &g->tests[at];
		if (t->kind != TEST_CLASS)
			break;
		if (t->if_false == JUMP_FALSE) {
			gate.all |= UINT64_C(1) << t->cls;
			at = t->if_true;
		} else if (t->if_true == JUMP_FALSE) {
			gate.none |= UINT64_C(1) << t->cls;
			at = t->if_false;
		} else {
			break;
		}
	}
	return gate;
}

static void
compile_gates(struct program *g)
{
	int		 i;

	for (i = 0; i < g->n_rules; i++)
		g->rules[i].gate = gate_of(g, g->rules[i].start);
	for (i = 0; i < g->n_classes; i++)
		g->classes[i].gate = gate_of(g, g->classes[i].start);
}

enum rc
program_new(struct program **out, const struct policy *p, struct err *e)
{
	struct build	 b = { .p = p, .e = e };

	assert(*out == NULL);
	assert(p->n_classes >= CLASS_FIRST);
	if ((b.prog = calloc(1, sizeof(*b.prog))) == NULL)
		return err_set(e, "out of memory");
	b.prog->policy = p;
	compile_all(&b);
	if (b.failed) {
		program_free(&b.prog);
		return RC_FAILED;
	}
	compile_gates(b.prog);
	if (reads_fill(b.prog, e) != RC_OK) {
		program_free(&b.prog);
		return RC_FAILED;
	}
	*out = b.prog;
	return RC_OK;
}

void
program_free(struct program **pp)
{
	struct program	*g = *pp;

	if (g == NULL)
		return;
	free(g->slots);
	free(g->aggs);
	free(g->lines);
	free(g->tests);
	free(g->classes);
	free(g->rules);
	free(g->exempts);
	free(g->busy_windows);
	free(g->fraud_windows);
	free(g->busy_aggs);
	free(g->reads);
	free(g);
	*pp = NULL;
}
