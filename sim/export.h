/*
 * A journal's commands as a scenario file, from which a replay under the
 * same policy and keys makes the same decisions.
 *
 * Left out, since they changed nothing: what the engine refused, and the
 * repeats of a withdrawal.  Left out, and counted since they did: what
 * scenario files have no line for, what was forgotten, and what an account
 * asked for that was never opened, which a scenario may not hold.  Labels
 * were never in the journal.
 */
#ifndef SIM_EXPORT_H
#define SIM_EXPORT_H

#include <stdint.h>

#include "db/db.h"
#include "db/keyring.h"
#include "lib/err.h"
#include "wire/command.h"

struct export_options {
	const char	*output;	/* as scenario_writer_open() takes it */
	/* Withdrawals from before the journal began, and the lines among
	 * which they stand: for `replay --history`.  NULL: if there are any,
	 * nothing is exported. */
	const char	*history;
	/* What was decided, as in the decisions file of a replay but without
	 * what became of it; NULL: not wanted.  Needs from <= 1. */
	const char	*decisions;
	uint64_t	from;		/* the first event; 0: of all */
	uint64_t	until;		/* the last one; 0: all there are */
	void		(*progress)(void *ctx, uint64_t done, uint64_t total);
	void		*ctx;
};

struct export_counts {
	uint64_t	events;		/* looked at */
	uint64_t	lines;		/* of the scenario */
	uint64_t	history_lines;
	uint64_t	history;	/* withdrawals from before */
	uint64_t	withdrawals;	/* live ones */
	uint64_t	forgotten;	/* events whose sealed part is gone */
	uint64_t	refused;
	uint64_t	strangers;	/* denied: of accounts never opened */
	uint64_t	policies;	/* after the first one in range */
	uint64_t	policy_seq;	/* the first of those */
	uint64_t	no_line[COMMAND__END];	/* codes, receipts, ... */
};

/* All files come into place, or none. */
enum rc export_journal(struct export_counts *out, struct db *db,
    const struct keyring *keys, const struct export_options *o,
    struct err *e) MUST_CHECK;

#endif
