/*
 * Reading a journal: rows in order, each checked against the one before,
 * events unpacked.  What the start, the tools and a standby share.
 *
 * Memory is bounded by the longest row.
 */
#ifndef ENGINE_HISTORY_H
#define ENGINE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/db.h"
#include "db/keyring.h"
#include "db/row.h"
#include "engine/outcome.h"
#include "lib/err.h"
#include "wire/command.h"

struct history;

/*
 * Both borrowed; `keys` NULL: nothing sealed can be read, commands come as
 * forgotten.  The walk is the db's: one history a db at a time.
 */
enum rc history_new(struct history **out, struct db *db,
    const struct keyring *keys, struct err *e) MUST_CHECK;
void history_free(struct history **h);

/*
 * Go to the row that holds event `seq` (1: the beginning).  The chain is
 * checked from there on: against the hash of the row before, which is read
 * for it.
 */
enum rc history_seek(struct history *h, uint64_t seq, struct err *e)
    MUST_CHECK;

/* A row, checked; its events follow by history_event(). */
struct history_row {
	struct row_head	head;
	unsigned char	hash[ROW_HASH_LEN];	/* its own */
	size_t		len;
	bool		forgotten;	/* its sealed part cannot be read */
};
/*
 * The next row; *more_out false at the end of what is there now.  Errors
 * name the row: "row 17: its hash does not follow from the row before".
 */
enum rc history_row(struct history *h, struct history_row *out,
    bool *more_out, struct err *e) MUST_CHECK;

/* Of the row read last; good until the next call. */
struct history_event {
	uint64_t	seq;
	struct command	c;
	const unsigned char *outcomes;	/* packed */
	size_t		outcomes_len;
};
enum rc history_event(struct history *h, struct history_event *out,
    bool *more_out, struct err *e) MUST_CHECK;

/* The two halves of history_event(): the bytes, and what they say.  What
 * *out points to is what *raw points to, and *lists. */
enum rc history_raw(struct history *h, struct row_event *out, bool *more_out,
    struct err *e) MUST_CHECK;
enum rc history_unpack(struct history_event *out, struct command_lists *lists,
    const struct row_event *raw, struct err *e) MUST_CHECK;

#endif
