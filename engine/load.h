/*
 * The engine's state in a snapshot file and out of it.
 */
#ifndef ENGINE_LOAD_H
#define ENGINE_LOAD_H

#include <stdint.h>

#include "db/db.h"
#include "db/keyring.h"
#include "db/snapshot.h"
#include "engine/engine.h"
#include "lib/err.h"

/* How many snapshots are kept at most, and looked at. */
#define LOAD_MAX	16

/* The head of snapshot SEQ, if this program can read its bytes. */
enum rc load_head(struct snapshot_head *out, const struct db *db,
    uint64_t seq, struct err *e) MUST_CHECK;

/* The state of the snapshot of head *s into a new engine; the hash must be
 * the recorded one. */
enum rc load_state(struct engine *en, const struct db *db,
    const struct keyring *keys, const struct snapshot_head *s,
    struct err *e) MUST_CHECK;

/* The other way round: a file, whole or not there. */
enum rc load_write(const struct engine *en, const struct db *db,
    const struct snapshot_head *s, const unsigned char *key, struct err *e)
    MUST_CHECK;

#endif
