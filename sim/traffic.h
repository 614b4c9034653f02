/*
 * Honest traffic of a simulated platform, one item after the other.
 *
 * First the years before the start: accounts are opened, keys issued,
 * addresses listed.  Then, at the start, a reading of every balance, of the
 * wallet and the fund, and what the chain knows of the shared destinations.
 * Then day after day.  One day's items and 40 bytes an account are all that
 * is in memory.
 *
 * Honest customers are never refused for their balance: whoever lacks coins
 * deposits some before he withdraws.  Nor for their limit, counted over two
 * calendar days, which covers any 24 hours.
 *
 * Every hot_balance is the treasury filling or sweeping the wallet to that
 * level; the treasury does not know of thefts.  Between two of them the
 * wallet falls by what is released.
 */
#ifndef SIM_TRAFFIC_H
#define SIM_TRAFFIC_H

#include "lib/err.h"
#include "sim/item.h"
#include "sim/world.h"

struct traffic;

/* w is borrowed and must live as long. */
enum rc traffic_new(struct traffic **out, const struct world *w,
    struct err *e) MUST_CHECK;
void traffic_free(struct traffic **tr);

/* The next item, good until the next call; NULL after the last. */
const struct item *traffic_next(struct traffic *tr);

#endif
