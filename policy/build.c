/*
 * Values and counters of a program: each different one once.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "policy/build.h"

#define BUCKETS_PLATFORM	64
#define BUCKETS_GROUP		16
#define BUCKETS_ELSE		8
#define CAP_PLATFORM		65536
#define CAP_ELSE		8

void
build_fail(struct build *b, const char *what)
{
	if (!b->failed)
		(void)err_set(b->e, "%s: %s", b->p->files[0], what);
	b->failed = true;
}

/* Room for one more behind the n there are; NULL (and failed) if none. */
void *
build_grow(struct build *b, void *array, int n, size_t size)
{
	void	*more;

	/* Full exactly when n is 0 or a power of two from 16. */
	if (n != 0 && (n < 16 || (n & (n - 1)) != 0))
		return array;
	more = reallocarray(array, n == 0 ? 16 : (size_t)n * 2, size);
	if (more == NULL)
		build_fail(b, "out of memory");
	return more;
}

int
program_cap(const struct agg *def)
{
	if (def->what != AGG_DISTINCT)
		return 0;
	if (def->cap != 0)
		return def->cap;
	return def->scope == SCOPE_PLATFORM ? CAP_PLATFORM : CAP_ELSE;
}

int
program_buckets(const struct settings *set, const struct agg *def)
{
	int	 i;

	for (i = 0; i < set->n_buckets_for; i++)
		if (set->buckets_for[i].window_ms == def->window_ms)
			return set->buckets_for[i].n;
	if (set->buckets != 0)
		return set->buckets;
	if (def->scope == SCOPE_PLATFORM)
		return BUCKETS_PLATFORM;
	if (def->scope == SCOPE_GROUP || def->scope == SCOPE_GROUP_TABLE)
		return BUCKETS_GROUP;
	return BUCKETS_ELSE;
}

static bool
agg_equal(const struct agg *x, const struct agg *y)
{
	return x->what == y->what && x->thing == y->thing &&
	    x->cap == y->cap && x->stage == y->stage &&
	    x->scope == y->scope && x->prefix == y->prefix &&
	    x->table == y->table && x->window_ms == y->window_ms &&
	    x->cls == y->cls && x->cls_not == y->cls_not;
}

/* Fields that do not matter are set alike, so that equal means equal. */
static struct agg
agg_canonical(const struct agg *def)
{
	struct agg	 a = *def;

	a.cap = program_cap(def);
	if (a.what != AGG_DISTINCT)
		a.thing = THING_NONE;
	if (a.scope != SCOPE_IP && a.scope != SCOPE_IP6)
		a.prefix = 0;
	if (a.scope != SCOPE_GROUP_TABLE)
		a.table = -1;
	if (a.cls < 0) {
		a.cls = -1;
		a.cls_not = false;
	}
	return a;
}

int
build_agg(struct build *b, const struct agg *def)
{
	struct program	*g = b->prog;
	struct agg	 a = agg_canonical(def);
	struct prog_agg	*to;
	void		*more;
	int		 i;

	for (i = 0; i < g->n_aggs; i++)
		if (agg_equal(&g->aggs[i].def, &a))
			return i;
	more = build_grow(b, g->aggs, g->n_aggs, sizeof(*g->aggs));
	if (more == NULL)
		return 0;
	g->aggs = more;
	to = &g->aggs[g->n_aggs];
	memset(to, 0, sizeof(*to));
	to->def = a;
	to->buckets = program_buckets(&b->p->set, &a);
	to->cap = a.cap;
	if (a.cls == CLASS_PROVEN || a.cls == CLASS_BUSY)
		b->uses_proven = true;
	return g->n_aggs++;
}

bool
build_scope_shared(enum agg_scope scope)
{
	switch (scope) {
	case SCOPE_PLATFORM:
	case SCOPE_GROUP:
	case SCOPE_GROUP_TABLE:
	case SCOPE_DESTINATION:
		return true;
	case SCOPE_ACCOUNT:
	case SCOPE_KEY:
	case SCOPE_IP:
	case SCOPE_IP6:
	case SCOPE_PARTNER:
		return false;
	}
	return false;
}

/*
 * S27.  Of what a slot reads, the request's own facts stay as they were
 * asked.  A table is read anew (a stolen address may have been listed since)
 * but for the IP, which the engine does not keep.
 */
static bool
slot_frozen(const struct build *b, enum slot_kind kind, int index)
{
	const struct agg *a;

	switch (kind) {
	case SLOT_FACT:
		return word_of((enum fact)index)->frozen;
	case SLOT_AGG:
		/* It could not be made; the failure is remembered. */
		if (index >= b->prog->n_aggs)
			return false;
		a = &b->prog->aggs[index].def;
		return a->stage == STAGE_ASKED && !build_scope_shared(a->scope);
	case SLOT_IN_TABLE:
		return index % 4 == IN_IP;
	case SLOT_DECLARED:
	case SLOT_NORMAL:
	case SLOT_BUSY:
	case SLOT_FRAUD:
		return false;
	}
	return false;
}

int
build_slot(struct build *b, enum slot_kind kind, int index)
{
	struct program	*g = b->prog;
	int		 i;

	for (i = 0; i < g->n_slots; i++)
		if (g->slots[i].kind == kind && g->slots[i].index == index)
			return i;
	if (g->n_slots == SLOTS_MAX) {
		build_fail(b, "more different facts and sums than one policy "
		    "may ask about (192)");
		return 0;
	}
	if (kind == SLOT_FACT) {
		g->uses_fact[index] = true;
		if (index == FACT_HABIT_UNPROVEN)
			b->uses_proven = true;
	}
	g->slots[g->n_slots].kind = kind;
	g->slots[g->n_slots].index = index;
	g->slots[g->n_slots].frozen = slot_frozen(b, kind, index);
	return g->n_slots++;
}

/* The number of a window in a short list of windows; adds it. */
int
build_window(struct build *b, int64_t **windows, int *n, int64_t window_ms,
    bool *new_out)
{
	void	*more;
	int	 i;

	*new_out = false;
	for (i = 0; i < *n; i++)
		if ((*windows)[i] == window_ms)
			return i;
	if ((more = build_grow(b, *windows, *n, sizeof(**windows))) == NULL)
		return 0;
	*windows = more;
	(*windows)[*n] = window_ms;
	*new_out = true;
	return (*n)++;
}

static int64_t
times_of(int64_t a, int64_t b)
{
	int64_t	 product;

	if (__builtin_mul_overflow(a, b, &product))
		return INT64_MAX;
	return product;
}

/* What stands behind a name, with all its factors multiplied. */
const struct quantity *
build_resolve(const struct build *b, const struct quantity *q,
    int64_t *times_out)
{
	int	 hops = 0;

	*times_out = q->times;
	while (q->kind == Q_NAME) {
		assert(hops++ <= b->p->n_lets);
		q = &b->p->lets[q->index].q;
		*times_out = times_of(*times_out, q->times);
	}
	return q;
}

struct operand
build_operand(struct build *b, const struct quantity *q)
{
	struct operand	 o = { OPERAND_SLOT, 0, 1 };

	q = build_resolve(b, q, &o.value);
	switch (q->kind) {
	case Q_CONST:
		o.kind = OPERAND_CONST;
		o.value = times_of(o.value, q->value);
		break;
	case Q_SHARE:
		o.kind = q->of_fund ? OPERAND_FUND : OPERAND_HOT;
		o.value = times_of(o.value, q->ppm);
		b->prog->uses_fact[q->of_fund ? FACT_FUND : FACT_HOT] = true;
		break;
	case Q_FACT:
		if (q->fact == FACT_HOT || q->fact == FACT_FUND) {
			/* The whole of it: no slot, one place for errors. */
			o.kind = q->fact == FACT_HOT ? OPERAND_HOT :
			    OPERAND_FUND;
			o.value = times_of(o.value, 1000000);
			b->prog->uses_fact[q->fact] = true;
			break;
		}
		o.index = build_slot(b, SLOT_FACT, (int)q->fact);
		break;
	case Q_DECLARED:
		o.index = build_slot(b, SLOT_DECLARED, q->index);
		break;
	case Q_AGG:
		o.index = build_slot(b, SLOT_AGG, build_agg(b, &q->agg));
		break;
	case Q_NAME:
		assert(!"a name that stands for nothing");
	}
	return o;
}

/* `busy normal by P %` of the aggregate on the left (S38, S39). */
struct operand
build_line(struct build *b, const struct line *line,
    const struct quantity *left)
{
	static const struct operand nothing = { OPERAND_CONST, 0, 0 };
	struct program	*g = b->prog;
	struct operand	 o = { OPERAND_LINE, 0, 1 };
	struct prog_line *to;
	int64_t		 times;
	void		*more;
	int		 agg, w;
	bool		 fresh;

	left = build_resolve(b, left, &times);
	assert(left->kind == Q_AGG);
	agg = build_agg(b, &left->agg);
	more = build_grow(b, g->lines, g->n_lines, sizeof(*g->lines));
	if (more == NULL)
		return o;
	g->lines = more;
	o.index = g->n_lines++;
	to = &g->lines[o.index];
	memset(to, 0, sizeof(*to));
	g->aggs[agg].learn = true;
	to->normal_slot = build_slot(b, SLOT_NORMAL, agg);
	to->busy_slot = -1;
	to->by_ppm = line->by_ppm;
	to->plus = line->has_plus ? build_operand(b, &line->plus) : nothing;
	to->learnt = build_operand(b, &line->learnt);
	to->root = left->agg.what != AGG_SUM;
	if (!line->busy)
		return o;
	w = build_window(b, &g->busy_windows, &g->n_busy_windows,
	    left->agg.window_ms, &fresh);
	to->busy_slot = build_slot(b, SLOT_BUSY, w);
	if (fresh && (more = build_grow(b, g->busy_aggs, w,
	    sizeof(*g->busy_aggs))) != NULL) {
		struct agg	 crowd = { .what = AGG_DISTINCT,
			.thing = THING_ACCOUNTS, .stage = STAGE_ASKED,
			.scope = SCOPE_PLATFORM, .table = -1,
			.window_ms = left->agg.window_ms, .cls = CLASS_BUSY };

		g->busy_aggs = more;
		g->busy_aggs[w] = build_agg(b, &crowd);
		g->aggs[g->busy_aggs[w]].learn = true;
	}
	return o;
}
