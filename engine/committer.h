/*
 * The thread that makes rows durable while the next one fills.
 */
#ifndef ENGINE_COMMITTER_H
#define ENGINE_COMMITTER_H

#include <stdbool.h>
#include <stdint.h>

#include "db/db.h"
#include "db/row.h"
#include "lib/err.h"

struct committer;

/*
 * The db is the committer's from now on until committer_free().  `hash`: of
 * the last row.  `durable` (may be NULL) is called from the thread.
 */
enum rc committer_new(struct committer **out, struct db *db,
    const unsigned char hash[ROW_HASH_LEN],
    void (*durable)(void *ctx, uint64_t seq), void *ctx, struct err *e)
    MUST_CHECK;
/* Does not flush. */
void committer_free(struct committer **c);

/*
 * Hand over a filled row, whose last event is `last`, and get an empty maker
 * for it.  Waits while the row before is being synced.  `key` as in
 * row_finish(); it must outlive the commit.  Once a commit has failed, so
 * does this and everything else, with the reason of the first.
 */
enum rc committer_push(struct committer *c, struct row_maker **maker,
    const unsigned char *key, uint64_t first, uint64_t last, struct err *e)
    MUST_CHECK;

/* Wait until all is durable; *hash_out (may be NULL): of the last row. */
enum rc committer_flush(struct committer *c,
    unsigned char hash_out[ROW_HASH_LEN], struct err *e) MUST_CHECK;

/* Of the newest row that is durable; from the caller's thread, cheap. */
void committer_durable(struct committer *c,
    unsigned char hash_out[ROW_HASH_LEN]);

#endif
