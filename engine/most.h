/*
 * The most that what has been learnt may allow within a time, whatever
 * happens meanwhile: for `drawbridge exposure`.
 */
#ifndef ENGINE_MOST_H
#define ENGINE_MOST_H

#include <stdbool.h>
#include <stdint.h>

struct engine;

/*
 * The highest that the normal of an aggregate reads from now until then, at
 * any hour of any weekday, with all the growth that is possible and with the
 * profile learnt once more if its time comes.  -1: not learnt by now.
 */
int64_t most_normal(const struct engine *e, int agg, int64_t span_ms);

/* The sum of the accounts' daily limits; -1 when one has none or 0, or when
 * the policy does not ask for them and they are not kept. */
int64_t most_limits_sat(const struct engine *e);

/*
 * The sum over all accounts of the highest that `habit` (or `habit
 * unproven`) reads from now until then.  A day enters three whole days late,
 * so for a shorter time all that can enter is known; -1 for a longer one, or
 * when the policy does not ask for it and it is not kept.
 */
int64_t most_habits_sat(const struct engine *e, bool unproven,
    int64_t span_ms);

/* The most that `hot` reads while nothing is filled in; -1 unknown. */
int64_t most_hot_sat(const struct engine *e);

/* Since its first withdrawal, rounded down; 0 before it. */
int64_t most_platform_age_ms(const struct engine *e);

#endif
