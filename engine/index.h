/*
 * From a key to the number of the record that carries it.
 *
 * An open-addressing hash table with linear probing and at most 7 slots of
 * 10 in use.  A slot is 8 bytes: 32 bits of hash and the record's number.
 * The key itself is read from the record, where it lies at a fixed offset,
 * and only when the 32 bits agree; so a lookup costs one cache miss here and
 * one in the record that the caller wants anyway.  Deletion shifts back what
 * follows (Knuth, TAOCP 3, 6.4, algorithm R), so there are no tombstones and
 * the table does not rot.
 *
 * Two flavours: by struct ident, whose bits are a keyed hash already, and by
 * a pair of record numbers (account, destination), which are mixed with a
 * secret seed, since a customer chooses which pairs exist.
 *
 * The order of the slots depends on the key, so nothing here offers to walk
 * them.
 */
#ifndef ENGINE_INDEX_H
#define ENGINE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/store.h"
#include "lib/err.h"
#include "lib/ident.h"

#define INDEX_NONE	STORE_NONE

struct index_slot {
	uint32_t	tag;		/* hash; gives the home slot, too */
	uint32_t	record;		/* number + 1; 0: free */
};

struct index {
	struct index_slot *slots;
	size_t		n_slots;
	size_t		count;
	size_t		count_max;
	const struct store *store;	/* where the records lie */
	size_t		key_offset;	/* of the key in a record */
	uint64_t	seed[2];	/* pairs only */
};

/*
 * For up to count_max records of `store` (borrowed: it outlives the index),
 * each of which carries its key at key_offset: a struct ident, or for pairs
 * two uint32_t, first the account, then the destination.
 */
enum rc index_new(struct index *ix, size_t count_max,
    const struct store *store, size_t key_offset, struct err *e) MUST_CHECK;
enum rc index_new_pairs(struct index *ix, size_t count_max,
    const struct store *store, size_t key_offset,
    const struct ident_key *secret, struct err *e) MUST_CHECK;
void index_free(struct index *ix);

/* The record's number, or INDEX_NONE. */
uint32_t index_find(const struct index *ix, struct ident key);
uint32_t index_find_pair(const struct index *ix, uint32_t account,
    uint32_t destination);

/*
 * Enter a record, whose key is in it already and is not in the index yet.
 * False when the index is full.
 */
bool index_add(struct index *ix, struct ident key, uint32_t record)
    MUST_CHECK;
bool index_add_pair(struct index *ix, uint32_t account, uint32_t destination,
    uint32_t record) MUST_CHECK;

/* Take a key out, before its record is removed; false when it is not in. */
bool index_remove(struct index *ix, struct ident key);
bool index_remove_pair(struct index *ix, uint32_t account,
    uint32_t destination);

/*
 * The number of the first record whose hash agrees, without a look at the
 * record: good enough to ask for its memory ahead, and for nothing else.
 */
uint32_t index_guess(const struct index *ix, struct ident key);
uint32_t index_guess_pair(const struct index *ix, uint32_t account,
    uint32_t destination);

/* Ask for the slot ahead of index_find(). */
void index_prefetch(const struct index *ix, struct ident key);
void index_prefetch_pair(const struct index *ix, uint32_t account,
    uint32_t destination);

/*
 * For a snapshot: the slots in use, from *at on, at most `max` of them; the
 * number written, 0 when there are no more.  *at is 0 at first.
 */
size_t index_pack(const struct index *ix, size_t *at, struct index_slot *out,
    size_t max);
/*
 * Enter such slots into an index of the same key, of any size; in the order
 * in which they were packed that goes straight through memory.  False when
 * one is of no record of the store, or the index is full.
 */
bool index_unpack(struct index *ix, const struct index_slot *slots,
    size_t n) MUST_CHECK;

/* For tools only: raise the capacity and place everything anew. */
enum rc index_grow(struct index *ix, size_t count_max, struct err *e)
    MUST_CHECK;

#endif
