#include "engine/counters.h"

/* Members that are not there: all of them count as one and the same. */
#define MEMBER_UNKNOWN	(UINT32_MAX - 2)

/* A sum on the platform that reads "more than anything": 2,000 times all the
 * coins there will ever be. */
#define SUM_FULL	(INT64_C(1) << 62)

static unsigned char *
counter_at(const struct engine *e, const struct counter *c, uint32_t rec)
{
	return (unsigned char *)store_at(&e->places[c->place].store, rec) +
	    c->off;
}

static bool
belongs(const struct agg *def, uint64_t classes)
{
	if (def->cls < 0)
		return true;
	return (classes >> def->cls & 1) != (uint64_t)def->cls_not;
}

static uint32_t
member_of(const struct decision *d, enum agg_thing thing)
{
	uint32_t	 m = NONE;

	switch (thing) {
	case THING_NONE:
		break;
	case THING_ACCOUNTS:
		m = d->account;
		break;
	case THING_DESTINATIONS:
		m = d->destination;
		break;
	case THING_IPS:
		m = d->ip;
		break;
	case THING_KEYS:
		m = d->w->key;
		break;
	}
	return m >= MEMBER_UNKNOWN ? MEMBER_UNKNOWN : m;
}

static int64_t
distinct_read(const struct counter *c, const unsigned char *at,
    uint32_t member, bool with, int64_t t_ms)
{
	const uint32_t	*few = (const uint32_t *)(const void *)at;

	if (c->wide)
		return with ?
		    members_many_count_with(&c->members, at, member, t_ms) :
		    members_many_count(&c->members, at, t_ms);
	return with ? members_count_with(&c->members, few, member, t_ms) :
	    members_count(&c->members, few, t_ms);
}

static int64_t
sum_read(const struct counter *c, const unsigned char *at, int64_t t_ms)
{
	int64_t		 waiting = 0, sum;

	if (c->committed) {
		memcpy(&waiting, at, sizeof(waiting));
		at += sizeof(waiting);
	}
	if (c->wide) {
		sum = committed_wide_read(&c->shape,
		    (const uint64_t *)(const void *)at, waiting, t_ms);
		return sum >= SUM_FULL ? INT64_MAX : sum;
	}
	return committed_read(&c->shape, (const uint32_t *)(const void *)at,
	    waiting, t_ms);
}

/*
 * Is this withdrawal to be added to the reading?  Blocked and confirmed do
 * not count it: it is judged as if allowed.
 */
static bool
include_own(const struct decision *d, const struct prog_agg *a,
    const struct counter *c)
{
	if (!belongs(&a->def, d->env.classes))
		return false;
	switch (a->def.stage) {
	case STAGE_ASKED:
		/* It stands there since it was asked for, unless that is
		 * longer ago than the window, or a resume found it in
		 * another class. */
		return !d->in_asked || !belongs(&a->def, d->asked_classes) ||
		    (!c->distinct &&
		    d->t_ms - d->w->asked_ms > c->shape.window_ms);
	case STAGE_COMMITTED:
		return !d->in_committed;
	case STAGE_RELEASED:
		return true;
	case STAGE_BLOCKED:
	case STAGE_CONFIRMED:
		return false;
	}
	assert(0);
	return true;
}

enum eval_error
counters_value(struct decision *d, int agg, int64_t *value_out)
{
	const struct prog_agg *a = &d->e->p->aggs[agg];
	const struct counter *c = &d->e->counters[agg];
	uint32_t	 rec = d->rec[c->place];
	bool		 own = include_own(d, a, c);
	const unsigned char *at;
	int64_t		 add;

	if (rec == FULL)
		return EVAL_FULL;
	add = !own ? 0 : c->shape.money ? d->w->amount_sat : 1;
	if (rec == NONE) {
		/* Alone in his own: nothing but itself, and it is in it. */
		*value_out = !belongs(&a->def, d->env.classes) ||
		    a->def.stage > STAGE_RELEASED ? 0 :
		    c->shape.money ? d->w->amount_sat : 1;
		return EVAL_OK;
	}
	at = counter_at(d->e, c, rec);
	if (c->distinct)
		/* A member that aged out of `asked` is included again. */
		*value_out = distinct_read(c, at,
		    member_of(d, a->def.thing), own ||
		    (a->def.stage == STAGE_ASKED &&
		    belongs(&a->def, d->env.classes)), d->t_ms);
	else
		*value_out = amount_add_saturate(sum_read(c, at, d->t_ms),
		    add);
	return EVAL_OK;
}

int64_t
counters_platform(const struct engine *e, int agg, int64_t t_ms)
{
	const struct counter *c = &e->counters[agg];
	const unsigned char *at = counter_at(e, c, 0);

	assert(c->place == PLACE_PLATFORM);
	if (c->distinct)
		return distinct_read(c, at, 0, false, t_ms);
	return sum_read(c, at, t_ms);
}

/* Tell the counter's normal what it reads now. */
static void
observe(struct engine *e, int agg, int64_t t_ms)
{
	const struct counter *c = &e->counters[agg];

	if (c->normal < 0 || c->place != PLACE_PLATFORM)
		return;
	normal_observe(&e->normals[c->normal], t_ms,
	    counters_platform(e, agg, t_ms));
}

static void
distinct_touch(const struct counter *c, unsigned char *at, uint32_t member,
    int64_t t_ms)
{
	if (c->wide)
		members_many_touch(&c->members, at, member, t_ms);
	else
		members_touch(&c->members, (uint32_t *)(void *)at, member,
		    t_ms);
}

static void
sum_add(const struct counter *c, unsigned char *at, int64_t amount,
    int64_t t_ms)
{
	uint64_t	*wide;
	int64_t		 full;

	if (c->committed)
		at += sizeof(int64_t);
	wide = (uint64_t *)(void *)at;
	if (c->wide && wide[1] > SUM_FULL / 2) {
		/* S16: who claims to move a thousand times all coins makes
		 * the counter full, he does not make it wrong. */
		full = window_wide_read(&c->shape, wide, t_ms);
		if (amount > SUM_FULL - full)
			amount = SUM_FULL - full;
	}
	if (c->wide)
		window_wide_add(&c->shape, wide, t_ms, amount);
	else
		window_add(&c->shape, (uint32_t *)(void *)at, t_ms, amount);
}

static void
add_one(struct decision *d, int agg)
{
	const struct counter *c = &d->e->counters[agg];
	uint32_t	 rec = d->rec[c->place];
	unsigned char	*at;

	if (rec >= FULL)
		return;
	at = counter_at(d->e, c, rec);
	if (c->distinct)
		distinct_touch(c, at, member_of(d,
		    d->e->p->aggs[agg].def.thing), d->t_ms);
	else
		sum_add(c, at, c->shape.money ? d->w->amount_sat : 1,
		    d->t_ms);
	observe(d->e, agg, d->t_ms);
}

void
counters_add(struct decision *d, enum agg_stage stage)
{
	const struct member_of_stage *m = d->e->by_stage[stage];
	const struct member_of_stage *end = m + d->e->n_by_stage[stage];

	for (; m < end; m++)
		if ((d->w->classes & m->mask) == m->want)
			add_one(d, m->agg);
}

void
counters_add_new(struct decision *d, enum agg_stage stage, uint64_t before)
{
	const struct member_of_stage *m = d->e->by_stage[stage];
	const struct member_of_stage *end = m + d->e->n_by_stage[stage];

	for (; m < end; m++)
		if ((d->w->classes & m->mask) == m->want &&
		    (before & m->mask) != m->want)
			add_one(d, m->agg);
}

enum move { MOVE_RESERVE, MOVE_DROP, MOVE_RELEASE };

static void
move_distinct(const struct counter *c, unsigned char *at, uint32_t member,
    enum move move, int64_t t_ms)
{
	uint32_t	*few = (uint32_t *)(void *)at;

	switch (move) {
	case MOVE_RESERVE:
		if (c->wide)
			members_many_reserve(&c->members, at, member, t_ms);
		else
			members_reserve(&c->members, few, member, t_ms);
		break;
	case MOVE_DROP:
		if (c->wide)
			members_many_drop(&c->members, at, member, t_ms);
		else
			members_drop(&c->members, few, member, t_ms);
		break;
	case MOVE_RELEASE:
		if (c->wide)
			members_many_move(&c->members, at, member, t_ms);
		else
			members_move(&c->members, few, member, t_ms);
		break;
	}
}

static void
move_sum(const struct counter *c, unsigned char *at, int64_t amount,
    enum move move, int64_t t_ms)
{
	int64_t		*waiting = (int64_t *)(void *)at;

	switch (move) {
	case MOVE_RESERVE:
		committed_reserve(waiting, amount);
		break;
	case MOVE_DROP:
		committed_drop(waiting, amount);
		break;
	case MOVE_RELEASE:
		committed_drop(waiting, amount);
		sum_add(c, at, amount, t_ms);
		break;
	}
}

/* All counters of `committed` in which it belongs. */
static void
move_all(struct decision *d, enum move move)
{
	const struct engine *e = d->e;
	const struct counter *c;
	unsigned char	*at;
	uint32_t	 rec;
	int		 i, agg;

	for (i = 0; i < e->n_by_stage[STAGE_COMMITTED]; i++) {
		agg = e->by_stage[STAGE_COMMITTED][i].agg;
		c = &e->counters[agg];
		rec = d->rec[c->place];
		if (rec >= FULL ||
		    !belongs(&e->p->aggs[agg].def, d->w->classes))
			continue;
		at = counter_at(e, c, rec);
		if (c->distinct)
			move_distinct(c, at, member_of(d,
			    e->p->aggs[agg].def.thing), move, d->t_ms);
		else
			move_sum(c, at, c->shape.money ? d->w->amount_sat : 1,
			    move, d->t_ms);
		observe(d->e, agg, d->t_ms);
	}
}

void
counters_reserve(struct decision *d)
{
	assert(!d->in_committed);
	move_all(d, MOVE_RESERVE);
	d->in_committed = true;
}

void
counters_drop(struct decision *d)
{
	assert(d->in_committed);
	move_all(d, MOVE_DROP);
	d->in_committed = false;
}

void
counters_release(struct decision *d)
{
	if (d->in_committed)
		move_all(d, MOVE_RELEASE);
	else
		counters_add(d, STAGE_COMMITTED);
	d->in_committed = false;
	counters_add(d, STAGE_RELEASED);
}

/* What left a window of the platform is let go once an hour, or every
 * reading of a counter that is seldom added to would step over it. */
static void
forget(struct engine *e, int agg, int64_t t_ms)
{
	const struct counter *c = &e->counters[agg];
	unsigned char	*at;

	if (!c->wide)
		return;
	at = counter_at(e, c, 0);
	if (c->distinct)
		members_many_forget(&c->members, at, t_ms);
	else
		window_wide_forget(&c->shape, (uint64_t *)(void *)
		    (c->committed ? at + sizeof(int64_t) : at), t_ms);
}

void
counters_turn_hours(struct engine *e, int64_t t_ms)
{
	struct normal	*n;
	int		 i;

	for (i = 0; i < e->p->n_aggs; i++) {
		if (e->counters[i].normal < 0 ||
		    e->counters[i].place != PLACE_PLATFORM)
			continue;
		n = &e->normals[e->counters[i].normal];
		while (normal_turn_ms(n) <= t_ms) {
			forget(e, i, normal_turn_ms(n));
			observe(e, i, normal_turn_ms(n));
		}
	}
}

bool
counters_empty(const struct engine *e, int place, const void *record,
    int64_t t_ms)
{
	const struct counter *c;
	const unsigned char *at;
	int		 i;

	for (i = 0; i < e->p->n_aggs; i++) {
		c = &e->counters[i];
		if (c->place != place)
			continue;
		assert(!c->wide);
		at = (const unsigned char *)record + c->off;
		if (c->distinct ? !members_empty(&c->members,
		    (const uint32_t *)(const void *)at, t_ms) :
		    sum_read(c, at, t_ms) != 0)
			return false;
	}
	return true;
}
