/*
 * The time that is given to the engine.
 *
 * Delays are served by time, so whoever sets the clock forward ends them
 * all.  Hence time is the wall clock's, but never more than a minute beyond
 * what the monotonic clock says has passed, and never back: going back holds
 * the last value (H2).  What is beyond that waits for an operator
 * (COMMAND_CLOCK).
 *
 * Pure: readings come from the caller.  CLOCK_BOOTTIME counts while the
 * machine sleeps, which is what is wanted.
 */
#ifndef ENGINE_CLOCK_H
#define ENGINE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* How far the wall clock may run ahead of the monotonic one. */
#define CLOCK_AHEAD_MS	INT64_C(60000)
/*
 * At a start the monotonic clock cannot help: it does not span a reboot.
 * Then the wall clock is believed as far ahead of the journal's last time as
 * this; beyond it the chain's median time (of 11 blocks, older than two hours
 * 2.0 % of the time and than four 3e-6) may vouch for it.
 */
#define CLOCK_START_MS	INT64_C(21600000)

struct clock {
	int64_t	 now_ms;	/* given last */
	int64_t	 anchor_ms;	/* the time that was believed, */
	int64_t	 anchor_boot_ms;	/* and when: the minute is counted
				 * from there, not for each reading */
	int64_t	 refused_ms;	/* the wall clock, if it was too far ahead
				 * to be believed; else 0 */
};

/*
 * A start: `last_ms` is the journal's last time; `chain_ms` the chain's
 * median time, -1 when no node says.
 */
void clock_start(struct clock *c, int64_t last_ms, int64_t wall_ms,
    int64_t boot_ms, int64_t chain_ms);

/* The time now. */
int64_t clock_now(struct clock *c, int64_t wall_ms, int64_t boot_ms);

/* An operator says that the wall clock is right. */
void clock_accept(struct clock *c, int64_t wall_ms, int64_t boot_ms);

#endif
