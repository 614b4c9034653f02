/*
 * An engine made again from its journal.
 *
 * The policy comes out of the journal as well, so a rebuilt engine owns all
 * that it stands on.  Two ways to go through rows:
 *
 *  judge   apply each command and compare what comes out with what was
 *	    recorded; the first difference is an error that names the event.
 *	    The way of every start.
 *  follow  take what was recorded for decided, and let all counters see it.
 *	    For rows of another semantic version that no snapshot covers, and
 *	    for a policy other than the one that decided (S47: new counters
 *	    start from the journal, not from zero).
 */
#ifndef ENGINE_REBUILD_H
#define ENGINE_REBUILD_H

#include <stdbool.h>
#include <stdint.h>

#include "db/db.h"
#include "db/keyring.h"
#include "engine/engine.h"
#include "engine/history.h"
#include "lib/err.h"
#include "policy/program.h"

struct rebuilt {
	struct policy	*policy;
	struct program	*program;
	struct engine	*engine;	/* NULL before the first policy */
	unsigned char	policy_hash[32];
	uint64_t	policy_seq;	/* event that brought it; 0: none */
	struct genesis	genesis;
	uint64_t	seq;		/* the last event applied */
	int64_t		t_ms;		/* the time of the engine */
	unsigned char	row_hash[ROW_HASH_LEN];	/* of its row */
	/*
	 * Events that were followed.  From the first one on, all are: the
	 * state may differ from that of the engine that judged them.
	 */
	uint64_t	followed;
	uint64_t	snapshot_seq;	/* began from; 0: from the first */
};

struct rebuild_options {
	/* Begin at the newest snapshot that can be used; else at the first
	 * event. */
	bool		snapshots;
	/* The last event wanted; 0: all there are. */
	uint64_t	until;
	/* Make the engine for this policy and follow; NULL: the journal's
	 * own, judged.  Borrowed. */
	const struct program *as;
	/*
	 * Called after every event was applied; may be NULL.  `out` is what
	 * the engine made of it here, packed; when following, what the record
	 * says came of it is in *ev.
	 */
	enum rc		(*on_event)(void *ctx, const struct history_event *ev,
			    const struct rebuilt *now, struct err *e);
	/* Called now and then. */
	void		(*progress)(void *ctx, uint64_t done, uint64_t total);
	void		*ctx;
};

/* *out need not be initialised; on failure it is empty. */
enum rc rebuild(struct rebuilt *out, struct db *db,
    const struct keyring *keys, const struct rebuild_options *o,
    struct err *e) MUST_CHECK;
void rebuilt_free(struct rebuilt *r);

/*
 * Write a snapshot of it beside the database; seq must be the last event of
 * a row.  `key`: of the month of r->t_ms.
 */
enum rc rebuilt_snapshot(const struct rebuilt *r, const struct db *db,
    const unsigned char *key, struct err *e) MUST_CHECK;

/* The engine of a policy, as every journal has it. */
enum rc rebuilt_engine(struct engine **out, const struct program *p,
    const struct keyring *keys, bool receipt_at_release, struct err *e)
    MUST_CHECK;

#endif
