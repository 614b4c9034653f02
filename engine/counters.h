/*
 * The counters of all aggregates, and how withdrawals move through them
 * (S8 to S13).  A counter is named by the aggregate's number and by the
 * record of its place; NONE for a place means "alone in his own" (S18).
 */
#ifndef ENGINE_COUNTERS_H
#define ENGINE_COUNTERS_H

#include "engine/inner.h"

/*
 * What aggregate `agg` reads for this decision, the withdrawal itself
 * included exactly once if it belongs to the class (S9).
 */
enum eval_error counters_value(struct decision *d, int agg,
    int64_t *value_out);

/* The bare reading of one on the platform. */
int64_t counters_platform(const struct engine *e, int agg, int64_t t_ms);

/* One withdrawal enters the counters of a stage at d->t_ms.  `only` limits
 * it to the aggregates whose class holds now and did not under `before`. */
void counters_add(struct decision *d, enum agg_stage stage);
void counters_add_new(struct decision *d, enum agg_stage stage,
    uint64_t before);

/* The life of a reservation in `committed` (S10). */
void counters_reserve(struct decision *d);
void counters_drop(struct decision *d);
/* It is released: counted as committed and released from now on. */
void counters_release(struct decision *d);

/* The windows are read at each turn of an hour up to t (normal.h). */
void counters_turn_hours(struct engine *e, int64_t t_ms);

/* True when no window of the record counts anything at t. */
bool counters_empty(const struct engine *e, int place, const void *record,
    int64_t t_ms);

#endif
