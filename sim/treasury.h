/*
 * Who fills and sweeps the hot wallet of a simulated platform.
 *
 * A few times a day the wallet is brought near its level.  When it runs low
 * coins are ordered from cold storage and come within half an hour.  The
 * treasury looks at honest withdrawals only: of thefts it does not know.
 */
#ifndef SIM_TREASURY_H
#define SIM_TREASURY_H

#include <stdint.h>

#include "sim/item.h"
#include "sim/world.h"

#define TREASURY_TIMES_MAX 48

struct treasury {
	int64_t		 hot_sat;
	int64_t		 refill_ms;	/* ordered for then; -1: none */
	int64_t		 times[TREASURY_TIMES_MAX];	/* of today */
	int64_t		 n, at;
	struct rng	 r;
	struct item	 item;
};

/* The wallet at its level. */
void treasury_init(struct treasury *y, const struct world *w);

/* A day begins. */
void treasury_day(struct treasury *y, const struct world *w, int64_t day);

/*
 * What the treasury does before an item: a hot_balance, good until the next
 * call; call again for the same item until NULL.
 */
const struct item *treasury_next(struct treasury *y, const struct world *w,
    const struct item *it);

#endif
