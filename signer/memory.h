/*
 * What was ever signed, in memory: ids, transactions, the outpoints they
 * spend, and change of ours that is therefore known (H9).  Made from the
 * journal's records; about 150 bytes a withdrawal, for ever (safety.md names
 * the reason: a restored engine asks again years later).
 */
#ifndef SIGNER_MEMORY_H
#define SIGNER_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bitcoin/tx.h"
#include "lib/err.h"
#include "lib/text.h"
#include "signer/journal.h"

struct memory;

/* Pointers to what is in it are good until the next memory_reserve(). */
struct memory_tx {
	unsigned char	txid[32];
	unsigned char	spent_hash[32];
	uint64_t	seq;		/* of its record */
	uint32_t	first_in;	/* its outpoints: memory_in() */
	uint32_t	n_in;
};

struct memory_id {
	unsigned char	key[32];	/* SHA-256 of the id */
	unsigned char	commitment[32];	/* zero: of none yet */
	bool		burned;
	bool		written_off;	/* at least once: above a floor (C4) */
	/* The transactions that carry it and still bind: numbers of
	 * memory_tx, linked: memory_next_carrier(). */
	uint32_t	first;		/* UINT32_MAX: none */
};

enum rc memory_new(struct memory **out, struct err *e) MUST_CHECK;
void memory_free(struct memory **m);

/* Grow so that memory_add() of this record cannot fail: before the journal. */
enum rc memory_reserve(struct memory *m, const struct record *rec,
    struct err *e) MUST_CHECK;
/*
 * SIGNED, BURNED, WRITTEN_OFF; after memory_reserve() it cannot fail.  A
 * txid that is known stays as it is, and carries what it did not yet.  A
 * write-off unbinds the transactions that conflict_kills(), and makes an id
 * known that was not.
 */
void memory_add(struct memory *m, const struct record *rec);

const struct memory_tx *memory_find_tx(const struct memory *m,
    const unsigned char txid[32]);
const struct memory_tx *memory_tx_at(const struct memory *m, uint32_t n);
uint32_t memory_tx_number(const struct memory *m, const struct memory_tx *t);
size_t memory_n_tx(const struct memory *m);
const struct outpoint *memory_in(const struct memory *m,
    const struct memory_tx *t);
const struct memory_id *memory_find_id(const struct memory *m,
    struct text id);
/* The transactions carrying an id, newest first; UINT32_MAX at the end.
 * *link_io: 0 before the first call. */
uint32_t memory_next_carrier(const struct memory *m,
    const struct memory_id *id, size_t *link_io);
/* Is this outpoint change of ours that we made?  Its amount, branch, index. */
const struct record_change *memory_change(const struct memory *m,
    const struct outpoint *o);
/* Was this receipt sequence used by another id?  (A rewritten journal.) */
bool memory_seq_taken(const struct memory *m, uint64_t receipt_seq,
    struct text id);
/* An engine was adopted: its events are numbered anew from where it stands,
 * and people know. */
void memory_forget_seqs(struct memory *m);

/*
 * The rule (safety: "Paying twice is impossible by construction").  Do these
 * two conflict: they, or ancestors that we signed, are two different
 * transactions that spend one outpoint?  `in` are the new one's.
 */
struct conflict;
/*
 * The new one with its ancestors, ready to be compared with many.  `in`, and
 * what is in the memory, stay as they are until conflict_free().
 */
enum rc conflict_begin(struct conflict **out, const struct memory *m,
    const unsigned char txid[32], const struct outpoint *in, size_t n_in,
    struct err *e) MUST_CHECK;
/* The same transaction is no conflict: that it was signed before is found by
 * its txid. */
bool conflict_with(struct conflict *c, const struct memory_tx *t);
void conflict_free(struct conflict **c);
/*
 * A write-off: would `o`, spent by the transaction `txid` for good, make t
 * impossible?  It does if t or an ancestor of it spends `o` and is another.
 */
bool conflict_kills(const struct memory *m, const struct memory_tx *t,
    const struct outpoint *o, const unsigned char txid[32]);
/* How far ancestors are followed, and how many of them at most: what lies
 * beyond does not help a transaction to be allowed. */
#define CONFLICT_DEPTH		32
#define CONFLICT_ANCESTORS	512

#endif
