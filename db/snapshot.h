/*
 * Snapshot files: the engine's state after one event, so that a start need
 * not begin at the first.
 *
 * FOLDER/SEQ.snapshot, SEQ in 20 digits.  A file appears whole or not at
 * all: written under another name, synced, renamed, the folder synced.  It is
 * encrypted in pieces (AES-256-GCM where the processor has it is libsodium's
 * condition; else XChaCha20-Poly1305) under the key of its month, so that
 * `forget` takes old snapshots with it, and every piece is bound to its
 * place, its file and the journal row that it stands on.
 */
#ifndef DB_SNAPSHOT_H
#define DB_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

struct snapshot_head {
	uint32_t	semantics;	/* of the engine that made it */
	uint32_t	layout;		/* ENGINE_LAYOUT: what the bytes mean */
	uint64_t	seq;		/* the last event that is in it */
	int64_t		t_ms;		/* the engine's time */
	uint32_t	month;		/* whose key encrypts it */
	unsigned char	row_hash[32];	/* of the row that ends with seq */
	unsigned char	policy[32];
	uint64_t	policy_seq;	/* the event that brought the policy */
	unsigned char	state_hash[32];	/* engine_state_hash() */
	uint64_t	bytes;		/* of the state */
};

struct snapshot_writer;
enum rc snapshot_create(struct snapshot_writer **out, const char *folder,
    const struct snapshot_head *h, const unsigned char key[32],
    struct err *e) MUST_CHECK;
enum rc snapshot_write(struct snapshot_writer *w, const void *bytes,
    size_t len, struct err *e) MUST_CHECK;
/* Into place; frees.  state_hash and bytes are known only now. */
enum rc snapshot_commit(struct snapshot_writer **w,
    const unsigned char state_hash[32], struct err *e) MUST_CHECK;
void snapshot_discard(struct snapshot_writer **w);

/* The snapshots of a folder, the newest first; *n_out at most max. */
enum rc snapshot_list(const char *folder, uint64_t *seqs, size_t max,
    size_t *n_out, struct err *e) MUST_CHECK;

/* The head alone needs no key; it is checked against its own hash. */
enum rc snapshot_read_head(struct snapshot_head *out, const char *folder,
    uint64_t seq, struct err *e) MUST_CHECK;
struct snapshot_reader;
enum rc snapshot_open(struct snapshot_reader **out, const char *folder,
    uint64_t seq, const unsigned char key[32], struct snapshot_head *h,
    struct err *e) MUST_CHECK;
/* Exactly len bytes, decrypted and authentic, straight into `bytes`. */
enum rc snapshot_read(struct snapshot_reader *r, void *bytes, size_t len,
    struct err *e) MUST_CHECK;
/* All was read? */
enum rc snapshot_end(struct snapshot_reader **r, struct err *e) MUST_CHECK;
void snapshot_reader_free(struct snapshot_reader **r);

/* Remove all but the newest `keep`, and those whose month is before
 * `month` (0: none); names of unfinished ones go too. */
enum rc snapshot_prune(const char *folder, size_t keep, uint32_t month,
    struct err *e) MUST_CHECK;

#endif
