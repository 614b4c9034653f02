#include "engine/most.h"

#include "engine/engine.h"
#include "engine/habit.h"
#include "engine/layout.h"
#include "engine/normal.h"
#include "engine/records.h"
#include "lib/amount.h"
#include "lib/civil.h"

#define ONE_Q10		1024
#define HABIT_LATE_DAYS	3

static int64_t
largest(const int64_t *w, int n)
{
	int64_t	 most = 0;
	int	 i;

	for (i = 0; i < n; i++)
		if (w[i] > most)
			most = w[i];
	return most;
}

int64_t
most_normal(const struct engine *e, int agg, int64_t span_ms)
{
	const struct counter	*c;
	const struct normal	*n;
	int64_t			 level, weight, i;
	int64_t			 days = span_ms / MS_PER_DAY + 1;

	if (agg < 0 || agg >= e->p->n_aggs)
		return -1;
	c = &e->counters[agg];
	if (c->normal < 0 || c->place != PLACE_PLATFORM)
		return -1;
	n = &e->normals[c->normal];
	if ((level = n->level_q10) < 0)
		return -1;
	/* A hollow day may put it back to where it was. */
	if (largest(n->levels_q10, NORMAL_LEVELS) > level)
		level = largest(n->levels_q10, NORMAL_LEVELS);
	for (i = 0; i < days; i++)
		level = amount_add_saturate(level, muldiv(level,
		    n->growth_ppm * (n->n_learned + i < NORMAL_YOUNG_DAYS ?
		    NORMAL_YOUNG_GROWTH : 1), 1000000) + 1);
	weight = muldiv(largest(n->hour_q10, 24),
	    largest(n->weekday_q10, 7), ONE_Q10);
	/* Each weight moves by a sixteenth at most, and so may their sum,
	 * by which they are divided then: 17/16 by 15/16, for both. */
	if (n->fill_days < NORMAL_LONG_DAYS && n->n_learned / NORMAL_DAYS !=
	    (n->n_learned + days) / NORMAL_DAYS)
		weight = muldiv(weight, 17 * 17, 15 * 15) + 1;
	return muldiv(level, weight, (int64_t)ONE_Q10 * ONE_Q10) + 1;
}

int64_t
most_limits_sat(const struct engine *e)
{
	const struct store	*s = &e->places[PLACE_ACCOUNT].store;
	struct account		*a;
	const int64_t		*limit;
	int64_t			 sum = 0;
	uint32_t		 i;

	for (i = 0; i < s->top; i++) {
		a = store_at(s, i);
		limit = layout_i64(e, a, OPT_LIMIT);
		if (limit == NULL || (a->flags & ACCOUNT_LIMIT) == 0 ||
		    *limit <= 0)
			return -1;
		sum = amount_add_saturate(sum, *limit);
	}
	return sum;
}

/* One account's highest, as its past days enter. */
static int64_t
habit_most(const struct habit *h, int64_t now_ms)
{
	int64_t	 most = 0, v;
	int	 i;

	for (i = 0; i <= HABIT_LATE_DAYS; i++) {
		v = habit_read(h, HABIT_SAT, now_ms + i * MS_PER_DAY);
		if (v > most)
			most = v;
	}
	return most;
}

int64_t
most_habits_sat(const struct engine *e, bool unproven, int64_t span_ms)
{
	const struct store	*s = &e->places[PLACE_ACCOUNT].store;
	uint32_t		 at = e->opt[unproven ? OPT_HABIT_UNPROVEN :
	    OPT_HABIT];
	int64_t			 sum = 0;
	uint32_t		 i;

	if (at == 0 || span_ms >= HABIT_LATE_DAYS * MS_PER_DAY)
		return -1;
	for (i = 0; i < s->top; i++)
		sum = amount_add_saturate(sum, habit_most(
		    (const struct habit *)(const void *)((unsigned char *)
		    store_at(s, i) + at), e->v.now_ms));
	return sum;
}

int64_t
most_platform_age_ms(const struct engine *e)
{
	return e->v.first_s == 0 ? 0 : records_age_ms(e->v.first_s,
	    e->v.now_ms);
}

int64_t
most_hot_sat(const struct engine *e)
{
	return e->hot.max_sat < e->hot.now_sat ? e->hot.max_sat :
	    e->hot.now_sat;
}
