#include "sim/treasury.h"

#include <string.h>

#include "lib/amount.h"
#include "lib/civil.h"

/* Among the purposes of traffic.c. */
#define USE_TREASURY	103

void
treasury_init(struct treasury *y, const struct world *w)
{
	memset(y, 0, sizeof(*y));
	y->hot_sat = w->hot_sat;
	y->refill_ms = -1;
}

void
treasury_day(struct treasury *y, const struct world *w, int64_t day)
{
	int64_t		 from_ms = w->start_ms + day * MS_PER_DAY;
	int64_t		 n = w->p.treasury_per_day, i;

	y->n = n;
	y->at = 0;
	rng_start(&y->r, rng_mix(w->key + USE_TREASURY), (uint64_t)day, 0);
	for (i = 0; i < n; i++)
		y->times[i] = from_ms + i * (MS_PER_DAY / n) +
		    rng_range(&y->r, 0, MS_PER_DAY / n - 1);
}

static const struct item *
treasury_sets(struct treasury *y, int64_t t_ms, int64_t sat)
{
	y->hot_sat = sat;
	y->item = item_of(SCENARIO_HOT_BALANCE, t_ms, 0);
	y->item.amount_sat = sat;
	return &y->item;
}

const struct item *
treasury_next(struct treasury *y, const struct world *w,
    const struct item *it)
{
	int64_t		 level = w->hot_sat, t_ms;

	while (y->at < y->n && y->times[y->at] <= it->t_ms) {
		t_ms = y->times[y->at++];
		if (rng_chance(&y->r, 800000))
			return treasury_sets(y, t_ms, muldiv(level,
			    rng_range(&y->r, 900, 1100), 1000));
	}
	if (y->refill_ms >= 0 && y->refill_ms <= it->t_ms) {
		/* Not before what has been handed on already. */
		t_ms = it->t_ms;
		y->refill_ms = -1;
		return treasury_sets(y, t_ms, muldiv(level,
		    rng_range(&y->r, 850, 1000), 1000));
	}
	if (it->type != SCENARIO_WITHDRAW)
		return NULL;
	/* A lump larger than what is there waits for coins, which is to say
	 * that they are there when it goes. */
	if (y->hot_sat - it->amount_sat < level * 15 / 100)
		return treasury_sets(y, it->t_ms, level + it->amount_sat);
	y->hot_sat -= it->amount_sat;
	if (y->hot_sat < level * 45 / 100 && y->refill_ms < 0)
		y->refill_ms = it->t_ms + rng_range(&y->r, 10 * MS_PER_MIN,
		    30 * MS_PER_MIN);
	return NULL;
}
