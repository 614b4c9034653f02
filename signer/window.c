/*
 * The short window is a ring of costs, the long one a period with a sum.
 *
 * A ring gives its oldest up first.  Should a later cost have a lower height
 * than the one before it, it waits behind that one: counted too long, never
 * too short.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "signer/window.h"

/* Have so many blocks passed since `then`? */
static bool
blocks_passed(uint32_t then, uint32_t now, uint32_t blocks)
{
	return (uint64_t)now >= (uint64_t)then + blocks;
}

/* And as much of the signer's own time?  Nothing on regtest. */
static bool
time_passed(int64_t then_ms, int64_t now_ms, uint32_t blocks, uint8_t network)
{
	return now_ms - then_ms >= (int64_t)blocks * sign_block_ms(network);
}

void
windows_free(struct windows *w)
{
	free(w->cost);
	memset(w, 0, sizeof(*w));
}

enum rc
windows_reserve(struct windows *w, struct err *e)
{
	struct window_cost *bigger;
	size_t		 i, room;

	if (w->n < w->room)
		return RC_OK;
	room = w->room == 0 ? 64 : w->room * 2;
	bigger = reallocarray(NULL, room, sizeof(*bigger));
	if (bigger == NULL)
		return err_set(e, "no memory for the ceilings' costs");
	for (i = 0; i < w->n; i++)
		bigger[i] = w->cost[(w->first + i) % w->room];
	free(w->cost);
	w->cost = bigger;
	w->room = room;
	w->first = 0;
	return RC_OK;
}

static void
begin_period(struct windows *w, uint32_t height, int64_t running_ms)
{
	w->armed = true;
	w->rearm_waits = false;
	w->armed_height = height;
	w->armed_running_ms = running_ms;
	w->long_sat = 0;
}

static void
let_go(struct windows *w, const struct sign_settings *s, uint32_t height,
    int64_t running_ms)
{
	const struct window_cost *oldest;

	while (w->n > 0) {
		oldest = &w->cost[w->first];
		if (!blocks_passed(oldest->height, height, s->short_blocks) ||
		    !time_passed(oldest->running_ms, running_ms,
		    s->short_blocks, s->network))
			break;
		w->short_sat -= oldest->cost_sat;
		w->first = (w->first + 1) % w->room;
		w->n--;
	}
	assert(w->short_sat >= 0 && (w->n > 0 || w->short_sat == 0));
}

/* Ends the period that is over; whether blocks and time both say so. */
static bool
end_period(struct windows *w, const struct sign_settings *s, uint32_t height,
    int64_t running_ms)
{
	bool		 blocks, time;

	blocks = blocks_passed(w->armed_height, height, s->long_blocks);
	time = time_passed(w->armed_running_ms, running_ms, s->long_blocks,
	    s->network);
	/* Where blocks take no time, time ends nothing. */
	if (blocks || (time && sign_block_ms(s->network) > 0))
		w->armed = false;
	return blocks && time;
}

void
windows_advance(struct windows *w, const struct sign_settings *s,
    uint32_t height, int64_t running_ms)
{
	let_go(w, s, height, running_ms);
	if (!end_period(w, s, height, running_ms) || !w->rearm_waits)
		return;
	/*
	 * It began when the one before was over, not now: or it would depend
	 * on when somebody looked, and be another after a restart.  It may
	 * have ended since.
	 */
	begin_period(w, w->armed_height + s->long_blocks,
	    w->armed_running_ms + (int64_t)s->long_blocks *
	    sign_block_ms(s->network));
	(void)end_period(w, s, height, running_ms);
}

void
windows_add(struct windows *w, uint32_t height, int64_t running_ms,
    int64_t cost_sat)
{
	struct window_cost *c;
	bool		 over;

	assert(w->n < w->room && cost_sat >= 0);
	c = &w->cost[(w->first + w->n) % w->room];
	c->height = height;
	c->running_ms = running_ms;
	c->cost_sat = cost_sat;
	w->n++;
	over = __builtin_add_overflow(w->short_sat, cost_sat, &w->short_sat);
	over |= __builtin_add_overflow(w->long_sat, cost_sat, &w->long_sat);
	assert(!over);
}

void
windows_rearm(struct windows *w, uint64_t seq, uint32_t height,
    int64_t running_ms)
{
	w->armed_seq = seq;
	if (w->armed)
		w->rearm_waits = true;
	else
		begin_period(w, height, running_ms);
}

void
windows_all_spent(struct windows *w, const struct sign_settings *s,
    uint32_t height, int64_t running_ms)
{
	windows_add(w, height, running_ms, s->short_max_sat);
	w->long_sat = s->long_max_sat;
	w->armed = false;
	w->rearm_waits = false;
	w->armed_height = height;
	w->armed_running_ms = running_ms;
}
