/*
 * Random policies, random worlds to judge them in, and a naive reading.
 *
 * Trees are made here, not parsed, and read by a recursive evaluator in
 * Kleene's three values that shares nothing with the compiler: no jumps, no
 * De Morgan, no short circuit.  All is a function of rng_state and of the
 * world's seed.
 */
#ifndef POLICY_TEST_RANDOM_H
#define POLICY_TEST_RANDOM_H

#pragma GCC diagnostic ignored "-Wunused-function"

#include <stdlib.h>

#include "lib/amount.h"
#include "policy/program.h"
#include "tests/check.h"

#define RULES		12
#define LETS		6
#define CLASSES		8
#define DAY		INT64_C(20000)

static uint64_t	 rng_state;
static char	 pool[1 << 20];
static size_t	 pool_used;

static uint64_t
mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static int
below(int n)
{
	rng_state = mix(rng_state);
	return (int)(rng_state % (uint64_t)n);
}

static void *
take(size_t size)
{
	void	*p = pool + pool_used;

	pool_used += (size + 15) & ~(size_t)15;
	if (pool_used > sizeof(pool))
		abort();
	memset(p, 0, size);
	return p;
}

/* The world: a value for every question, from a hash of the question. */
struct world {
	uint64_t	 seed;
	int		 errors_per_64;
	bool		 taint;
	/* No two channels at once, longer windows count more, and so on:
	 * what imply.h takes for granted. */
	bool		 consistent;
	const struct program *program;
	struct eval_env	*env;
};

static enum eval_error
answer(const struct world *w, uint64_t question, int64_t *out)
{
	uint64_t	 h = mix(w->seed ^ mix(question));

	*out = 0;
	if ((int)(h >> 32 & 63) < w->errors_per_64)
		return (enum eval_error)(1 + h % 3);
	*out = (int64_t)(h % 6);
	return EVAL_OK;
}

static uint64_t
agg_question(const struct agg *a)
{
	uint64_t	 q = 7;

	q = mix(q ^ (uint64_t)a->what) + (uint64_t)a->thing;
	q = mix(q ^ (uint64_t)a->stage) + (uint64_t)a->scope;
	q = mix(q ^ (uint64_t)a->window_ms) + (uint64_t)(a->cls + 1);
	return mix(q ^ (uint64_t)a->cls_not);
}

/* The same, but sums grow with the window and shrink with a class. */
static int64_t
consistent_agg(const struct world *w, const struct agg *a)
{
	struct agg	 base = *a;
	uint64_t	 h;
	int64_t		 v;

	base.window_ms = 0;
	base.cls = -1;
	base.cls_not = false;
	if (a->stage == STAGE_RELEASED)
		base.stage = STAGE_COMMITTED;
	h = mix(w->seed ^ agg_question(&base));
	v = (int64_t)(h % 3) + (a->window_ms > 3600000 ? (h >> 8) % 3 : 0) +
	    (a->stage == STAGE_COMMITTED ? (h >> 16) % 2 : 0);
	if (a->cls >= 0 && mix(h ^ (uint64_t)(2 * a->cls + a->cls_not)) % 3 ==
	    0)
		return 0;
	return v;
}

static enum eval_error
world_agg(const struct world *w, const struct agg *a, int64_t *out)
{
	if (!w->consistent)
		return answer(w, agg_question(a), out);
	*out = consistent_agg(w, a);
	return EVAL_OK;
}

#define ASK_FACT	UINT64_C(1000)
#define ASK_TABLE	UINT64_C(2000)
#define ASK_FRAUD	UINT64_C(1) << 40
#define ASK_NORMAL	UINT64_C(1) << 41
#define ASK_BUSY	UINT64_C(1) << 42

static enum eval_error
world_fact(const struct world *w, int fact, int64_t *out)
{
	enum eval_error	 error;

	error = answer(w, ASK_FACT + (uint64_t)fact, out);
	if (!w->consistent || word_of((enum fact)fact)->type != TYPE_FLAG)
		return error;
	*out = *out % 2;
	if (fact >= FACT_VIA_API && fact <= FACT_VIA_INTERNAL)
		*out = (uint64_t)(fact - FACT_VIA_API) == mix(w->seed) % 4;
	return error;
}

static enum eval_error
world_normal(const struct world *w, const struct agg *a, int64_t *out)
{
	enum eval_error	 error;

	error = answer(w, agg_question(a) ^ ASK_NORMAL, out);
	if (error == EVAL_OK)
		*out -= 1;		/* -1: not learnt yet */
	return error;
}

static enum eval_error
world_busy(const struct world *w, int64_t window_ms, int64_t *out)
{
	enum eval_error	 error;

	error = answer(w, (uint64_t)window_ms ^ ASK_BUSY, out);
	*out = 1000 + 500 * *out;
	return error;
}

/* A longer look back sees no less. */
static enum eval_error
world_fraud(const struct world *w, int64_t window_ms, int64_t *out)
{
	if (!w->consistent)
		return answer(w, (uint64_t)window_ms ^ ASK_FRAUD, out);
	*out = (int64_t)(mix(w->seed ^ ASK_FRAUD) % 4) * 1000 < window_ms;
	return EVAL_OK;
}

static enum eval_error
fetch(void *ctx, int slot, int64_t *out)
{
	const struct world *w = ctx;
	const struct prog_slot *s = &w->program->slots[slot];
	const struct agg *a;

	*out = 0;
	switch (s->kind) {
	case SLOT_FACT:
		return world_fact(w, s->index, out);
	case SLOT_DECLARED:
		break;
	case SLOT_AGG:
		a = &w->program->aggs[s->index].def;
		return world_agg(w, a, out);
	case SLOT_NORMAL:
		return world_normal(w, &w->program->aggs[s->index].def, out);
	case SLOT_BUSY:
		return world_busy(w, w->program->busy_windows[s->index], out);
	case SLOT_FRAUD:
		return world_fraud(w, w->program->fraud_windows[s->index],
		    out);
	case SLOT_IN_TABLE:
		return answer(w, ASK_TABLE + (uint64_t)s->index, out);
	}
	return EVAL_UNKNOWN;
}

static bool
draw(void *ctx, int rule)
{
	const struct world *w = ctx;

	return mix(w->program->rules[rule].label_hash ^ w->seed) % 2 == 0;
}

static uint32_t
shade(void *ctx, int rule)
{
	(void)ctx;
	(void)rule;
	return UINT32_C(1) << 31;
}

static bool
tainted(void *ctx, int rule)
{
	const struct world *w = ctx;

	(void)rule;
	return w->taint;
}

/* --- making trees ------------------------------------------------------ */

static struct agg
random_agg(int n_classes)
{
	static const enum agg_scope scopes[] = { SCOPE_ACCOUNT, SCOPE_KEY,
		SCOPE_PLATFORM, SCOPE_DESTINATION };
	struct agg	 a = { .what = (enum agg_what)below(3), .table = -1,
		.stage = (enum agg_stage)below(3), .scope = scopes[below(4)],
		.window_ms = 3600000 * (1 + below(2)), .cls = -1 };

	if (a.what == AGG_DISTINCT)
		a.thing = THING_ACCOUNTS;
	if (n_classes > 0 && below(2) == 0) {
		a.cls = below(n_classes);
		a.cls_not = below(2) == 0;
	}
	return a;
}

static struct quantity
random_quantity(int n_lets, int n_classes)
{
	struct quantity	 q = { .times = 1 + below(2) };

	switch (below(n_lets > 0 ? 6 : 5)) {
	case 0:
		q.kind = Q_CONST;
		q.value = below(6);
		break;
	case 1:
		q.kind = Q_SHARE;
		q.ppm = 100000 * below(6);
		q.of_fund = below(2) == 0;
		break;
	case 2:
	case 3:
		q.kind = Q_FACT;
		q.fact = (enum fact)(FACT_AGE_ACCOUNT + below(8));
		break;
	case 4:
		q.kind = Q_AGG;
		q.agg = random_agg(n_classes);
		break;
	case 5:
		q.kind = Q_NAME;
		q.index = below(n_lets);
		break;
	}
	return q;
}

static void
random_test(struct cond *c, int n_lets, int n_classes)
{
	switch (below(n_classes > 0 ? 6 : 5)) {
	case 0:
		c->kind = COND_FLAG;
		c->left.kind = Q_FACT;
		c->left.times = 1;
		c->left.fact = (enum fact)(FACT_VIA_API + below(6));
		break;
	case 1:
		c->kind = below(2) == 0 ? COND_IN : COND_FRAUD;
		c->index = below(3);
		c->subject = (enum in_subject)below(4);
		c->window_ms = 1000 * (1 + below(2));
		break;
	case 5:
		c->kind = COND_CLASS;
		c->index = below(n_classes);
		break;
	default:
		c->kind = COND_COMPARE;
		c->rel = (enum relop)below(5);
		c->left = random_quantity(n_lets, n_classes);
		c->right = random_quantity(n_lets, n_classes);
		c->less_ppm = below(4) == 0 ? 500000 : 0;
		if (c->left.kind == Q_AGG && below(2) == 0) {
			c->less_ppm = 0;
			c->is_line = true;
			c->line.busy = below(2) == 0;
			c->line.by_ppm = 500000 * below(3);
			c->line.has_plus = below(2) == 0;
			c->line.plus = (struct quantity){ .kind = Q_CONST,
				.times = 1, .value = below(3) };
			c->line.learnt = (struct quantity){ .kind = Q_SHARE,
				.times = 1, .ppm = 100000 * below(6) };
		}
	}
}

static struct cond *
random_cond(int depth, int n_lets, int n_classes)
{
	struct cond	*c = take(sizeof(*c));
	int		 i;

	if (depth == 0 || below(3) == 0) {
		random_test(c, n_lets, n_classes);
		return c;
	}
	c->kind = (enum cond_kind)(COND_OR + below(3));
	c->n_kids = c->kind == COND_NOT ? 1 : 2 + below(2);
	c->kids = take(sizeof(c->kids[0]) * 3);
	for (i = 0; i < c->n_kids; i++)
		c->kids[i] = random_cond(depth - 1, n_lets, n_classes);
	return c;
}

static char *
numbered(const char *word, int i)
{
	char	*name = take(32);

	snprintf(name, 32, "%s %d", word, i);
	return name;
}

static void
random_rule(struct rule *r, int i)
{
	static const enum lot_kind lots[] = { LOT_NONE, LOT_NONE, LOT_IN };

	r->verdict = (enum verdict)below(VERDICT__COUNT);
	r->delay_ms = 60000 * (1 + below(5));
	r->people = 1 + below(3);
	r->lot = lots[below(3)];
	r->lot_in = 2;
	r->shadow = below(8) == 0;
	r->cond = below(16) == 0 ? NULL : random_cond(3, LETS, CLASSES);
	r->until_day = below(8) == 0 ? DAY + below(3) - 1 : INT64_MAX;
	r->name = numbered("rule", i);
}

static void
random_policy(struct policy *p)
{
	static const enum verdict dflts[] = { VERDICT_ALLOW, VERDICT_HOLD,
		VERDICT_DENY };
	static char	 file_name[] = "random.policy";
	static char	*files[] = { file_name };
	int	 i;

	memset(p, 0, sizeof(*p));
	p->files = files;
	p->n_files = 1;
	p->dflt = dflts[below(3)];
	p->lets = take(sizeof(*p->lets) * LETS);
	p->classes = take(sizeof(*p->classes) * CLASSES);
	p->rules = take(sizeof(*p->rules) * (RULES + 1));
	for (i = 0; i < LETS; i++) {
		p->lets[i].q = random_quantity(i, 0);
		p->lets[i].name = numbered("let", i);
	}
	for (i = 0; i < CLASSES; i++) {
		p->classes[i].name = numbered("class", i);
		if (i >= CLASS_FIRST)
			p->classes[i].cond = random_cond(2, LETS, i);
	}
	p->tables = take(sizeof(*p->tables) * 3);
	for (i = 0; i < 3; i++) {
		p->tables[i].name = numbered("table", i);
		p->tables[i].n_rows = 1;
	}
	p->n_tables = 3;
	for (i = 0; i < RULES + 1; i++)
		random_rule(&p->rules[i], i);
	p->n_lets = LETS;
	p->n_classes = CLASSES;
	p->n_rules = RULES;
}

/* --- the naive reading ------------------------------------------------- */

enum kleene { NO, YES, MAYBE };

struct reading {
	const struct policy *p;
	const struct world *w;
	const struct eval_env *env;
	uint64_t	 classes;
	bool		 in_rule;
	bool		 negated;	/* for taint: what the atom means */
};

static enum kleene
kleene_not(enum kleene k)
{
	return k == MAYBE ? MAYBE : k == YES ? NO : YES;
}

static bool
naive_value(const struct reading *r, const struct quantity *q, int64_t *out)
{
	bool		 good = true;

	switch (q->kind) {
	case Q_CONST:
		*out = q->value;
		break;
	case Q_SHARE:
		*out = q->of_fund ? r->env->fund_sat : r->env->hot_sat;
		if (*out < 0)
			return false;
		*out = *out * q->ppm * q->times / 1000000;
		return true;
	case Q_FACT:
		good = world_fact(r->w, (int)q->fact, out) == EVAL_OK;
		break;
	case Q_AGG:
		good = world_agg(r->w, &q->agg, out) == EVAL_OK;
		break;
	case Q_NAME:
		/* A share multiplied is rounded once, at the end. */
		if (r->p->lets[q->index].q.kind == Q_SHARE) {
			struct quantity	 s = r->p->lets[q->index].q;

			s.times *= q->times;
			return naive_value(r, &s, out);
		}
		if (r->p->lets[q->index].q.kind == Q_NAME) {
			struct quantity	 n = r->p->lets[q->index].q;

			n.times *= q->times;
			return naive_value(r, &n, out);
		}
		good = naive_value(r, &r->p->lets[q->index].q, out);
		break;
	case Q_DECLARED:
		return false;
	}
	*out *= q->times;
	return good;
}

static bool
naive_line(const struct reading *r, const struct cond *c, int64_t *out)
{
	const struct agg *a = &c->left.agg;
	int64_t	 n, busy, plus = 0, root = 0;

	if (world_normal(r->w, a, &n) != EVAL_OK)
		return false;
	if (n < 0)
		return naive_value(r, &c->line.learnt, out);
	if (c->line.busy) {
		if (world_busy(r->w, a->window_ms, &busy) != EVAL_OK)
			return false;
		n = n * busy / 1000;
	}
	if (c->line.has_plus)
		plus = c->line.plus.value;
	while ((root + 1) * (root + 1) <= n)
		root++;
	*out = n * (1000000 + c->line.by_ppm) / 1000000 + plus;
	if (a->what != AGG_SUM)
		*out += 3 * root;
	return true;
}

static const struct agg *
shared_agg(const struct reading *r, const struct quantity *q)
{
	while (q->kind == Q_NAME)
		q = &r->p->lets[q->index].q;
	if (q->kind == Q_AGG && (q->agg.scope == SCOPE_PLATFORM ||
	    q->agg.scope == SCOPE_DESTINATION))
		return &q->agg;
	return NULL;
}

static bool
asks_asked(const struct reading *r, const struct quantity *q)
{
	while (q->kind == Q_NAME)
		q = &r->p->lets[q->index].q;
	return q->kind == Q_AGG && q->agg.stage == STAGE_ASKED;
}

static enum kleene
naive_compare(const struct reading *r, const struct cond *c)
{
	int64_t	 x, y;

	if (r->in_rule && r->env->when == EVAL_MATURING &&
	    (shared_agg(r, &c->left) != NULL ||
	    (!c->is_line && shared_agg(r, &c->right) != NULL))) {
		/* S28: what the whole condition says, not what the atom. */
		if (r->w->taint)
			return r->negated ? NO : YES;
		if (asks_asked(r, &c->left) ||
		    (!c->is_line && asks_asked(r, &c->right)))
			return r->negated ? YES : NO;
	}
	if (!naive_value(r, &c->left, &x))
		return MAYBE;
	if (!(c->is_line ? naive_line(r, c, &y) :
	    naive_value(r, &c->right, &y)))
		return MAYBE;
	if (c->less_ppm != 0)
		y -= y / 2 / 2;
	switch (c->rel) {
	case REL_GT:
		return x > y ? YES : NO;
	case REL_GE:
		return x >= y ? YES : NO;
	case REL_LT:
		return x < y ? YES : NO;
	case REL_LE:
		return x <= y ? YES : NO;
	case REL_EQ:
		return x == y ? YES : NO;
	}
	return MAYBE;
}

static enum kleene
naive_flag(const struct reading *r, uint64_t question)
{
	int64_t	 x;

	if (answer(r->w, question, &x) != EVAL_OK)
		return MAYBE;
	return x != 0 ? YES : NO;
}

static enum kleene
naive(struct reading *r, const struct cond *c)
{
	enum kleene	 k, all;
	int64_t		 x;
	int		 i;

	switch (c->kind) {
	case COND_OR:
	case COND_AND:
		all = c->kind == COND_AND ? YES : NO;
		for (i = 0; i < c->n_kids; i++) {
			k = naive(r, c->kids[i]);
			if (k == (c->kind == COND_AND ? NO : YES))
				all = k;
			else if (k == MAYBE && all ==
			    (c->kind == COND_AND ? YES : NO))
				all = MAYBE;
		}
		return all;
	case COND_NOT:
		r->negated = !r->negated;
		k = kleene_not(naive(r, c->kids[0]));
		r->negated = !r->negated;
		return k;
	case COND_COMPARE:
		return naive_compare(r, c);
	case COND_FLAG:
		if (world_fact(r->w, (int)c->left.fact, &x) != EVAL_OK)
			return MAYBE;
		return x != 0 ? YES : NO;
	case COND_IN:
		return naive_flag(r, ASK_TABLE + (uint64_t)c->index * 4 +
		    (uint64_t)c->subject);
	case COND_CLASS:
		return (r->classes >> c->index & 1) != 0 ? YES : NO;
	case COND_FRAUD:
		if (world_fraud(r->w, c->window_ms, &x) != EVAL_OK)
			return MAYBE;
		return x != 0 ? YES : NO;
	}
	return MAYBE;
}

/* Class bits as the naive reader sees them; proven is given. */
static uint64_t
naive_classes(struct reading *r, const struct program *g)
{
	int64_t	 x = 0;
	int	 c;

	r->in_rule = false;
	r->classes = 0;
	if (g->classes[CLASS_PROVEN].start != JUMP_FALSE &&
	    answer(r->w, ASK_FACT + FACT_PROVEN, &x) == EVAL_OK && x != 0)
		r->classes |= 1;
	if (g->n_busy_windows != 0 && (r->classes & 1) != 0 &&
	    answer(r->w, ASK_FACT + FACT_AGE_ACCOUNT, &x) == EVAL_OK &&
	    x >= 90 * INT64_C(86400000))
		r->classes |= 2;
	for (c = CLASS_FIRST; c < r->p->n_classes; c++)
		if (naive(r, r->p->classes[c].cond) == YES)
			r->classes |= UINT64_C(1) << c;
	r->in_rule = true;
	return r->classes;
}

/* --- judging ----------------------------------------------------------- */

static bool
bit(const uint64_t *bits, int i)
{
	return (bits[i / 64] >> (i % 64) & 1) != 0;
}

static void
prepare(struct eval_env *env, struct world *w, const struct program *g,
    enum eval_when when)
{
	memset(env, 0, sizeof(*env));
	w->program = g;
	w->env = env;
	env->ctx = w;
	env->fetch = fetch;
	env->draw = draw;
	env->shade = shade;
	env->tainted = tainted;
	env->when = when;
	env->t_ms = DAY * 86400000 + 5;
	env->hot_sat = mix(w->seed) % 8 == 0 && w->errors_per_64 > 0 ? -1 : 7;
	env->fund_sat = 9;
	/* Shares come out whole: imply.h takes them as not rounded. */
	if (w->consistent)
		env->hot_sat = env->fund_sat = 10;
}

static bool
not_milder(const struct joined *more, const struct joined *less)
{
	return more->called >= less->called &&
	    more->delay_ms >= less->delay_ms && more->code >= less->code &&
	    more->people >= less->people && more->deny >= less->deny &&
	    more->halt >= less->halt;
}

static struct joined
judge(const struct policy *p, struct world *w, enum eval_when when)
{
	struct program	*g = NULL;
	struct eval_env	 env;
	struct joined	 j;

	if (program_new(&g, p, NULL) != RC_OK)
		abort();
	prepare(&env, w, g, when);
	env.classes = mix(w->seed) & 255;
	eval(g, &env, &j);
	program_free(&g);
	return j;
}

#endif
