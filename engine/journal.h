/*
 * The engine and its memory: take a command, decide, write it down, and only
 * when it is on disk may anybody be told.
 *
 * Two threads: the caller's applies commands and fills a row; the committer
 * syncs the row before while the next one fills (group commit).  A commit
 * that fails ends everything: no command is taken any more, and the process
 * must end.
 */
#ifndef ENGINE_JOURNAL_H
#define ENGINE_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"
#include "engine/rebuild.h"
#include "lib/err.h"
#include "wire/command.h"

struct journal;

struct journal_config {
	const char	*url;
	/* Make a new one if there is none, of this network, under this policy
	 * file. */
	bool		create;
	uint8_t		network;
	bool		demo;
	const char	*policy_path;	/* create: must be given */
	int64_t		t_ms;		/* create: the time of its birth */
	/* Write a snapshot every so many events and at the stop; 0: only at
	 * the stop. */
	uint64_t	snapshot_every;
	bool		receipt_at_release;	/* create */
	/* Restart, and another policy: how far re-applying has come. */
	void		(*progress)(void *ctx, uint64_t done, uint64_t total);
	/* From the committer's thread: all events up to seq are durable. */
	void		(*durable)(void *ctx, uint64_t seq);
	void		*ctx;
};

/* Open or create, rebuild, be ready. */
enum rc journal_open(struct journal **out, const struct journal_config *c,
    struct err *e) MUST_CHECK;

/*
 * Apply one command; what comes of it goes to the sink now and may be told
 * to nobody before its number is durable.  RC_FAILED with the journal still
 * alive: the command was bad and nothing happened.  journal_alive() tells.
 */
enum rc journal_take(struct journal *j, const struct command *c,
    const struct engine_sink *sink, uint64_t *seq_out, struct err *e)
    MUST_CHECK;

/* Hand what was taken to the committer; waits only while two rows are
 * under way. */
enum rc journal_commit(struct journal *j, struct err *e) MUST_CHECK;
/* The same, and wait until everything is durable. */
enum rc journal_flush(struct journal *j, struct err *e) MUST_CHECK;
bool journal_alive(const struct journal *j);

/*
 * Put another policy in force: built from the journal by following, then
 * journaled.  The caller has checked that this person may (S48).
 */
enum rc journal_policy(struct journal *j, const char *path,
    const struct command *by, struct err *e) MUST_CHECK;
/* The same of one that is loaded: what was checked is what comes into force,
 * whatever the file says by now.  *policy becomes NULL, or stays the
 * caller's. */
enum rc journal_policy_loaded(struct journal *j, struct policy **policy,
    const struct command *by, struct err *e) MUST_CHECK;

/* Write a snapshot now, in the background; one at a time. */
enum rc journal_snapshot(struct journal *j, struct err *e) MUST_CHECK;

/* The state, to read: with all that was taken, durable or not. */
const struct rebuilt *journal_state(const struct journal *j);
/* Its keys, borrowed. */
const struct keyring *journal_keyring(const struct journal *j);
/* The store's figures. */
void journal_stats(const struct journal *j, struct db_stats *out);

/*
 * The newest durable row, signed (H4): flushes, so that nothing is newer.
 * head.h.
 */
struct head;
enum rc journal_head(struct journal *j, struct head *out, struct err *e)
    MUST_CHECK;

/* The hash of the newest row that is durable: for receipts. */
void journal_durable_hash(const struct journal *j,
    unsigned char out[ROW_HASH_LEN]);

/* Flush, write a snapshot, close.  *j becomes NULL whatever happens. */
enum rc journal_close(struct journal **j, struct err *e) MUST_CHECK;

#endif
