/*
 * The ceilings over time (C9, H7): one counter, inputs minus what verifiably
 * comes back, nothing ever given back.
 *
 * A cost leaves the short window when as many blocks *and* as much running
 * time of the signer's own have passed as the window is long.  The long one
 * is a period: it begins with a re-arming, ends when its blocks *or* its
 * running time have passed, and then nothing is signed until a custodian
 * re-arms.  A re-arming given before the end begins when both have passed,
 * whenever that is noticed; one given after it begins at once.
 */
#ifndef SIGNER_WINDOW_H
#define SIGNER_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "wire/sign_settings.h"

struct window_cost {
	uint32_t	height;
	int64_t		running_ms;
	int64_t		cost_sat;
};

struct windows {
	struct window_cost *cost;	/* a ring, oldest first */
	size_t		first, n, room;
	int64_t		short_sat;	/* sum of the ring */
	bool		armed;
	bool		rearm_waits;
	uint64_t	armed_seq;	/* record; what a re-arming answers */
	uint32_t	armed_height;
	int64_t		armed_running_ms;
	int64_t		long_sat;	/* spent in this period */
};

void windows_free(struct windows *w);
/* Room for one more cost. */
enum rc windows_reserve(struct windows *w, struct err *e) MUST_CHECK;
/* Let go what has passed, end the period, begin one that waits.  To be called
 * before any of the calls below. */
void windows_advance(struct windows *w, const struct sign_settings *s,
    uint32_t height, int64_t running_ms);
void windows_add(struct windows *w, uint32_t height, int64_t running_ms,
    int64_t cost_sat);
void windows_rearm(struct windows *w, uint64_t seq, uint32_t height,
    int64_t running_ms);
/* After a recovery: short window full, period over.  Needs room for a cost;
 * which record a re-arming answers, the caller says in armed_seq. */
void windows_all_spent(struct windows *w, const struct sign_settings *s,
    uint32_t height, int64_t running_ms);

/*
 * The height: the highest locktime signed (C3).  May it go to `claimed` when
 * the signer has run so long?  *accounted: the running time that then counts
 * as used.  Time in which nothing was claimed is not saved up once something
 * is, but for an hour.
 */
bool height_possible(uint32_t now, int64_t accounted_ms, uint32_t claimed,
    int64_t running_ms, uint8_t network, int64_t *accounted_out);
/* The highest that could be claimed. */
uint32_t height_limit(uint32_t now, int64_t accounted_ms, int64_t running_ms,
    uint8_t network);

#endif
