/*
 * Every event of a journal judged by this program, whatever version decided
 * it: what would have come out differently.
 *
 * Two engines go through the journal.  One follows what was recorded.  The
 * other decides; where it decides otherwise, the difference is told, and it
 * goes on from its own decision until it is set to what was recorded again,
 * which is done as soon as it costs no more than what was judged meanwhile.
 * Differences in between may only follow from the first: they are told apart.
 *
 * An engine that followed an event without its personal data knows less than
 * the one that decided: where a key may be used from, which networks an
 * account came from.  What it decides otherwise from then on is `unsure`.
 */
#ifndef SIM_JUDGE_H
#define SIM_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "db/db.h"
#include "db/keyring.h"
#include "lib/err.h"
#include "wire/command.h"

struct judge_difference {
	uint64_t	seq;
	int64_t		t_ms;
	const struct command *c;	/* the event; its `id` may be absent */
	const char	*recorded;	/* "decided, allow, released" */
	const char	*here;
	bool		after;		/* it may follow from an earlier one */
	bool		unsure;		/* or from what is forgotten */
};

struct judge_result {
	uint64_t	events;
	uint64_t	judged;		/* events for the engine, decided */
	uint64_t	followed;	/* without their personal data */
	uint64_t	decisions;	/* of withdrawals, recorded */
	uint64_t	differences;	/* events, without those after one */
	uint64_t	unsure;		/* of `differences`: what came before
					 * was in part only followed */
	uint64_t	after;
	uint64_t	policies;
	uint32_t	semantics_min, semantics_max;	/* of the rows */
};

struct judge_options {
	enum rc	(*difference)(void *ctx, const struct judge_difference *d,
		    struct err *e);
	void	(*progress)(void *ctx, uint64_t done, uint64_t total);
	void	*ctx;
};

enum rc judge_run(struct judge_result *out, struct db *db,
    const struct keyring *keys, const struct judge_options *o,
    struct err *e) MUST_CHECK;

#endif
