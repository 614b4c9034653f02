/*
 * The journal's store, whatever keeps it: rows in order, each durable before
 * db_append() returns.
 *
 * An implementation is a struct db_ops; SQLite is the one that is always
 * there.  Everything that makes a journal trustworthy (chain, seals,
 * sequence) is above this and the same for all: an implementation keeps
 * bytes under ascending numbers and says the truth about durability.
 */
#ifndef DB_DB_H
#define DB_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

struct db;

enum db_mode {
	DB_READ,	/* a tool: changes nothing, disturbs nobody */
	DB_WRITE,	/* the engine: one at a time, others are told */
	DB_CREATE,	/* the same; must not exist yet */
};

/*
 * `url`: a path, or later "postgresql://...".  What can be wrong is one
 * sentence each, and nothing is changed: it does not exist, is empty, is of
 * another program, of a newer version, damaged, may not be read or written,
 * is in use by another engine (whose process number is named).
 */
enum rc db_open(struct db **out, const char *url, enum db_mode mode,
    struct err *e) MUST_CHECK;
/* Waits for the checkpoint that runs; leaves no log behind when it was the
 * last one to use the database.  Safe after a failure. */
void db_close(struct db **db);

/* As it was opened: a second walk needs a second db. */
const char *db_url(const struct db *db);
/* Where the keyring and the snapshots of this database lie. */
const char *db_keyring_path(const struct db *db);
const char *db_snapshot_folder(const struct db *db);

/*
 * Append one row whose first event is number `seq`, and wait until it is
 * durable.
 *
 * RC_OK: it is.  Anything else is RC_UNCERTAIN when it may be there or not
 * (a failed fsync, a full disk in the middle), RC_FAILED when it certainly
 * is not.  After either this db takes no more rows, ever: what the kernel
 * forgot after a failed fsync cannot be asked for again (Rebello et al., "Can
 * Applications Recover from fsync Failures?", USENIX ATC 2020).  The process
 * must end and start over.
 */
enum rc db_append(struct db *db, uint64_t seq, const unsigned char *row,
    size_t len, struct err *e) MUST_CHECK;

/* The last row's number and length; *seq_out 0 when there is none. */
enum rc db_last(struct db *db, uint64_t *seq_out, struct err *e) MUST_CHECK;

/* The number of the row that holds event `seq`: the last that begins at or
 * before it; 0: none. */
enum rc db_find(struct db *db, uint64_t seq, uint64_t *row_out,
    struct err *e) MUST_CHECK;

/*
 * Walk rows in order from the one numbered `from` (or the next after it).
 * Reading happens in short steps, so that a walk of an hour holds up neither
 * the engine nor its checkpoints; rows appended meanwhile are walked too.
 * Two walks at a time need two dbs.  *row_out is good until the next call;
 * NULL at the end.
 */
enum rc db_walk(struct db *db, uint64_t from, struct err *e) MUST_CHECK;
enum rc db_next(struct db *db, uint64_t *seq_out,
    const unsigned char **row_out, size_t *len_out, struct err *e)
    MUST_CHECK;

/*
 * From now on this db ends with row `row`, whatever is appended; 0: with the
 * last again.  For a tool, whose keyring has the keys of the months that
 * there were when it began, and which is to end while an engine goes on.
 */
void db_stop_at(struct db *db, uint64_t row);
uint64_t db_stops_at(const struct db *db);

/* About how many bytes all rows have, for progress. */
uint64_t db_bytes(struct db *db);

/*
 * Copy the rows, as they are at one moment, to a new database at `path`,
 * while the engine goes on; synced.  progress may be NULL.
 */
enum rc db_copy(struct db *db, const char *path,
    void (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
    struct err *e) MUST_CHECK;

/* What the engine's owner wants to know. */
struct db_stats {
	uint64_t	appends;
	uint64_t	checkpoints;
	uint64_t	log_bytes;	/* of the WAL now */
};
void db_stats(struct db *db, struct db_stats *out);

#endif
