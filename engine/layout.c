#include "engine/layout.h"

#include <stddef.h>
#include <stdlib.h>

static size_t
align8(size_t n)
{
	return (n + 7) / 8 * 8;
}

static bool
trusting(const struct engine *e)
{
	return e->pol->trust.given;
}

/* What an account must remember beyond struct account, small ones first so
 * that little is lost to alignment. */
static size_t
account_options(struct engine *e)
{
	const bool	*uses = e->p->uses_fact;
	size_t		 off = offsetof(struct account, more);
	bool		 groups = false;
	int		 i;

	for (i = 0; i < e->p->n_aggs; i++)
		groups |= e->p->aggs[i].def.scope == SCOPE_GROUP;
	const struct { enum opt opt; bool wanted; size_t size; } list[] = {
		{ OPT_GROUP, groups, 4 },
		{ OPT_TIER, uses[FACT_TIER], 4 },
		{ OPT_LIMIT_RAISED, uses[FACT_AGE_LIMIT], 4 },
		{ OPT_CREDENTIALS, uses[FACT_AGE_CREDENTIALS], 4 },
		{ OPT_RESTART, trusting(e), 4 },
		{ OPT_LOGIN, uses[FACT_AGE_LOGIN], 4 },
		{ OPT_RELEASED, uses[FACT_IDLE], 4 },
		{ OPT_HABIT, uses[FACT_HABIT], sizeof(struct habit) },
		{ OPT_HABIT_UNPROVEN, uses[FACT_HABIT_UNPROVEN],
		    sizeof(struct habit) },
		{ OPT_HABIT_COUNT, uses[FACT_HABIT_COUNT],
		    sizeof(struct habit) },
		{ OPT_HABIT_DESTINATIONS, uses[FACT_HABIT_DESTINATIONS],
		    sizeof(struct habit) },
	};
	for (i = 0; i < (int)(sizeof(list) / sizeof(list[0])); i++)
		if (list[i].wanted) {
			e->opt[list[i].opt] = (uint16_t)off;
			off += list[i].size;
		}
	/* `age of limit` needs the limit, to see that it was raised. */
	if (uses[FACT_LIMIT] || uses[FACT_AGE_LIMIT]) {
		off = align8(off);
		e->opt[OPT_LIMIT] = (uint16_t)off;
		off += 8;
	}
	if (e->pol->n_declared > 0) {
		off = align8(off);
		e->opt[OPT_DECLARED] = (uint16_t)off;
		off += 8 + 8 * (size_t)e->pol->n_declared;
	}
	return off;
}

/* The place that an aggregate's scope belongs to; made when it is new. */
static int
place_of(struct engine *e, const struct agg *def)
{
	struct place	*pl;
	int		 i;

	switch (def->scope) {
	case SCOPE_PLATFORM:
		return PLACE_PLATFORM;
	case SCOPE_ACCOUNT:
		return PLACE_ACCOUNT;
	case SCOPE_DESTINATION:
		return PLACE_DESTINATION;
	case SCOPE_KEY:
		return PLACE_KEY;
	case SCOPE_IP:
	case SCOPE_IP6:
	case SCOPE_PARTNER:
	case SCOPE_GROUP:
	case SCOPE_GROUP_TABLE:
		break;
	}
	for (i = PLACE_OTHER; i < e->n_places; i++) {
		pl = &e->places[i];
		if (pl->scope == def->scope && pl->prefix == def->prefix &&
		    pl->table == def->table)
			return i;
	}
	if (e->n_places == PLACES_MAX)
		return -1;
	pl = &e->places[e->n_places];
	pl->scope = def->scope;
	pl->prefix = def->prefix;
	pl->table = def->table;
	pl->size = sizeof(struct other);
	pl->full = def->scope == SCOPE_IP || def->scope == SCOPE_IP6 ?
	    WHY_FULL_NETWORKS : WHY_FULL_GROUPS;
	return e->n_places++;
}

/* How many bytes the counter takes, and its shape. */
static size_t
counter_shape(struct counter *c, const struct prog_agg *a)
{
	size_t		 size;

	c->wide = c->place == PLACE_PLATFORM;
	c->committed = a->def.stage == STAGE_COMMITTED;
	c->distinct = a->def.what == AGG_DISTINCT;
	c->shape = window_shape(a->def.window_ms, (uint32_t)a->buckets,
	    a->def.what == AGG_SUM);
	if (!c->distinct) {
		size = c->wide ? window_wide_words(&c->shape) * 8 :
		    window_words(&c->shape) * 4;
		return size + (c->committed ? 8 : 0);
	}
	c->members.window = c->shape;
	c->members.waiting = c->committed;
	c->members.cap = (uint32_t)a->cap;
	if (c->wide)
		return members_many_bytes(&c->members);
	/* A smaller cap reads "more than anything" sooner: the safe side. */
	if (c->members.cap > MEMBERS_FEW_MAX)
		c->members.cap = MEMBERS_FEW_MAX;
	return members_words(&c->members) * 4;
}

static struct member_of_stage
stage_member(const struct engine *e, int agg)
{
	const struct agg *def = &e->p->aggs[agg].def;
	uint64_t	 bit;

	if (def->cls < 0)
		return (struct member_of_stage){ .agg = agg };
	bit = UINT64_C(1) << def->cls;
	return (struct member_of_stage){ .agg = agg, .mask = bit,
		.want = def->cls_not ? 0 : bit };
}

static enum rc
counters_place(struct engine *e, struct err *err)
{
	struct counter	*c;
	struct place	*pl;
	int64_t		 keep_ms;
	enum agg_stage	 stage;
	int		 i;

	for (i = 0; i < e->p->n_aggs; i++) {
		c = &e->counters[i];
		c->place = place_of(e, &e->p->aggs[i].def);
		if (c->place < 0)
			return err_set(err, "more than %d kinds of networks "
			    "and groups", PLACES_MAX - PLACE_OTHER);
		pl = &e->places[c->place];
		pl->size = align8(pl->size);
		c->off = (uint32_t)pl->size;
		pl->size += counter_shape(c, &e->p->aggs[i]);
		keep_ms = (c->shape.buckets + 1) * c->shape.width_ms;
		if (keep_ms > pl->keep_ms)
			pl->keep_ms = keep_ms;
		c->normal = e->p->aggs[i].learn ? e->n_normals++ : -1;
		stage = e->p->aggs[i].def.stage;
		e->by_stage[stage][e->n_by_stage[stage]++] =
		    stage_member(e, i);
	}
	return RC_OK;
}

/* The aggregate that an operand reads, NULL when none. */
static const struct prog_agg *
operand_agg(const struct engine *e, const struct operand *o)
{
	const struct prog_slot *s;

	if (o->kind != OPERAND_SLOT)
		return NULL;
	s = &e->p->slots[o->index];
	return s->kind == SLOT_AGG ? &e->p->aggs[s->index] : NULL;
}

/*
 * Where a rule's taint lies: with the destination or the group when all its
 * shared aggregates are of one such place, else on the platform.  Tests jump
 * only to tests made before them, so one pass downwards meets all.
 */
static int
rule_taint_place(struct engine *e, int rule, bool *reached)
{
	const struct prog_test *t;
	const struct prog_agg *aggs[2];
	int		 i, k, at, place = -1;

	memset(reached, 0, (size_t)e->p->n_tests * sizeof(*reached));
	if (e->p->rules[rule].start < 0)
		return PLACE_PLATFORM;
	reached[e->p->rules[rule].start] = true;
	for (i = e->p->rules[rule].start; i >= 0; i--) {
		if (!reached[i])
			continue;
		t = &e->p->tests[i];
		assert(t->if_true < i && t->if_false < i);
		if (t->if_true >= 0)
			reached[t->if_true] = true;
		if (t->if_false >= 0)
			reached[t->if_false] = true;
		if (!t->shared)
			continue;
		aggs[0] = operand_agg(e, &t->left);
		aggs[1] = operand_agg(e, &t->right);
		for (k = 0; k < 2; k++) {
			if (aggs[k] == NULL)
				continue;
			at = place_of(e, &aggs[k]->def);
			if (place >= 0 && at != place)
				return PLACE_PLATFORM;
			place = at;
		}
	}
	return place == PLACE_DESTINATION || place >= PLACE_OTHER ? place :
	    PLACE_PLATFORM;
}

/* An interval of two moments for each rule that taints a place's record. */
static enum rc
taints_place(struct engine *e, struct err *err)
{
	struct place	*pl;
	bool		*reached;
	int		 i;

	reached = calloc((size_t)e->p->n_tests + 1, sizeof(*reached));
	if (reached == NULL)
		return err_set(err, "out of memory");
	for (i = 0; i < e->p->n_rules; i++) {
		if (e->p->rules[i].taint_ms <= 0)
			continue;
		e->taint_place[i] = rule_taint_place(e, i, reached);
		pl = &e->places[e->taint_place[i]];
		e->taint_slot[i] = pl->n_taints++;
	}
	free(reached);
	for (i = PLACE_DESTINATION; i < e->n_places; i++) {
		pl = &e->places[i];
		if (pl->n_taints == 0)
			continue;
		pl->size = align8(pl->size);
		pl->off_taint = (uint32_t)pl->size;
		pl->size += (size_t)pl->n_taints * 2 * sizeof(uint32_t);
	}
	return RC_OK;
}

/* What the program freezes, and the IP tables, which are of the request. */
static bool
slot_frozen(const struct prog_slot *s)
{
	if (s->kind == SLOT_IN_TABLE && s->index % 4 == IN_IP)
		return true;
	return s->frozen;
}

enum rc
layout_compute(struct engine *e, struct err *err)
{
	size_t		 off;
	enum rc		 rc;
	int		 i;

	if (e->p->n_aggs > AGGS_MAX || e->p->n_slots > SLOTS_MAX ||
	    e->p->n_rules > RULES_MAX)
		return err_set(err, "the policy has too many aggregates");
	e->n_places = PLACE_OTHER;
	e->places[PLACE_PLATFORM].size = 8;
	e->places[PLACE_ACCOUNT].size = account_options(e);
	e->places[PLACE_DESTINATION].size = sizeof(struct destination);
	e->places[PLACE_KEY].size = sizeof(struct key);
	if ((rc = counters_place(e, err)) != RC_OK)
		return rc;
	if ((rc = taints_place(e, err)) != RC_OK)
		return rc;
	for (i = 0; i < e->n_places; i++)
		e->places[i].size = align8(e->places[i].size);
	for (i = 0; i < e->p->n_slots; i++)
		if (slot_frozen(&e->p->slots[i]))
			e->frozen[e->n_frozen++] = i;
	off = align8(sizeof(struct waiting));
	e->off_places = (uint32_t)off;
	off = align8(off + (size_t)e->n_places * sizeof(uint32_t));
	e->off_declared = (uint32_t)off;
	off += (size_t)e->pol->n_declared * 8;
	e->off_frozen = (uint32_t)off;
	return RC_OK;
}
