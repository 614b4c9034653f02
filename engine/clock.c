#include "engine/clock.h"

/* From here on the monotonic clock says how much time may pass. */
static void
anchor(struct clock *c, int64_t boot_ms)
{
	c->anchor_ms = c->now_ms;
	c->anchor_boot_ms = boot_ms;
}

void
clock_start(struct clock *c, int64_t last_ms, int64_t wall_ms,
    int64_t boot_ms, int64_t chain_ms)
{
	int64_t	 most_ms = last_ms + CLOCK_START_MS;

	if (chain_ms >= 0 && chain_ms + CLOCK_START_MS > most_ms)
		most_ms = chain_ms + CLOCK_START_MS;
	c->refused_ms = wall_ms > most_ms ? wall_ms : 0;
	/* Too far is not believed at all, rather than in part: nothing says
	 * that any time has passed. */
	c->now_ms = c->refused_ms == 0 && wall_ms > last_ms ? wall_ms :
	    last_ms;
	anchor(c, boot_ms);
}

int64_t
clock_now(struct clock *c, int64_t wall_ms, int64_t boot_ms)
{
	int64_t	 passed_ms = boot_ms - c->anchor_boot_ms;
	int64_t	 most_ms = c->anchor_ms + (passed_ms > 0 ? passed_ms : 0) +
	    CLOCK_AHEAD_MS;

	c->refused_ms = wall_ms > most_ms ? wall_ms : 0;
	if (wall_ms > most_ms)
		wall_ms = most_ms;
	if (wall_ms > c->now_ms)
		c->now_ms = wall_ms;
	return c->now_ms;
}

void
clock_accept(struct clock *c, int64_t wall_ms, int64_t boot_ms)
{
	c->refused_ms = 0;
	if (wall_ms > c->now_ms)
		c->now_ms = wall_ms;
	anchor(c, boot_ms);
}
