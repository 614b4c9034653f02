/*
 * The signer's own journal: one file, only appended to.
 *
 *	file	"drawbridge signer journal 1\n", zero up to 32 bytes; records
 *	record	le32: bytes that follow; kind, a byte; le64: sequence, from 1
 *		(or from first_seq after a recovery) without a gap; le64:
 *		running time, ms; payload; 32 bytes: HMAC-SHA-256 under a key
 *		made from the seed, over the one before (or zeros) and all of
 *		this record in front of it
 *
 * A record that was cut off at the end of the file, or of which whole sectors
 * never reached the disk (frame.h), was never answered: it is dropped.  That
 * is safe: whoever can make the end look so can as well cut the file at a
 * record.  Anything else that does not fit is RC_FAILED and names the record.
 * That the file is older than it was once, it cannot know: heads say so (C4).
 *
 * RECORD_HALT_LOCKED is written without a key while locked, with sequence 0
 * and zeros instead of the HMAC; it is not part of the chain.  Whoever can
 * write the file can stop the signer: no more than by deleting it.
 */
#ifndef SIGNER_JOURNAL_H
#define SIGNER_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bitcoin/tx.h"
#include "lib/err.h"
#include "lib/text.h"

enum record_kind {
	RECORD_FOUNDED = 1,	/* settings' text in body; height; number: the
				 * engine's sequence */
	RECORD_RECOVERED,	/* the same; floor in number; all is spent */
	RECORD_RUNNING,		/* only its time */
	RECORD_SIGNED,
	RECORD_BURNED,		/* id, commitment, account_tag */
	RECORD_WRITTEN_OFF,	/* id, outpoint, txid (what spent it), hash */
	RECORD_HALTED,		/* body: why */
	RECORD_RESUMED,
	RECORD_REARMED,		/* the next long period */
	RECORD_SETTINGS,	/* body: text; what loosens waits from here */
	RECORD_EPOCH,		/* number; hash: the engine's key */
	RECORD_ADOPTED,		/* number: the engine's sequence now */
	RECORD_BEHIND,		/* somebody showed a newer head */
	RECORD_HALT_LOCKED,	/* body: why */
};

struct record_id {
	struct text	id;
	unsigned char	commitment[32];
	unsigned char	account_tag[16];
	int64_t		amount_sat;
	uint64_t	receipt_seq;
};

struct record_change {
	uint32_t	vout;
	int64_t		amount_sat;
	uint8_t		branch;		/* 2 + k: cold descriptor k */
	uint32_t	index;
};

/* Which fields count depends on the kind (the table in record.c); the others
 * are zero, which is asserted.  Nothing is owned. */
struct record {
	enum record_kind kind;
	uint64_t	seq;		/* set by journal_append */
	int64_t		running_ms;
	uint64_t	number;
	uint32_t	height;
	unsigned char	txid[32];
	unsigned char	hash[32];	/* signed: of what it spends */
	int64_t		cost_sat;	/* in the windows */
	int64_t		fee_sat;
	uint64_t	engine_seq;	/* standing with the request */
	uint32_t	index_max;	/* signed: how far change is known */
	struct outpoint	outpoint;
	struct text	id;
	unsigned char	commitment[32];
	unsigned char	account_tag[16];
	struct text	body;
	const struct outpoint *in;	/* signed */
	size_t		n_in;
	const struct record_id *ids;
	size_t		n_ids;
	const struct record_change *change;
	size_t		n_change;
};

struct journal;

/* Writes the head of the file and its first record, durably: founding. */
enum rc journal_create(int fd, const unsigned char key[32],
    const struct record *first, uint64_t first_seq, struct err *e) MUST_CHECK;
/* Only the frames, without a key: how many records, and whether a
 * RECORD_HALT_LOCKED is behind the last resume that a reader could see. */
enum rc journal_peek(int fd, uint64_t *records, bool *halted_locked,
    struct err *e) MUST_CHECK;
/*
 * Read all of it, calling `each` for every record in order; records' memory
 * is the reader's, for the length of the call.
 */
enum rc journal_load(struct journal **out, int fd,
    const unsigned char key[32],
    enum rc (*each)(void *arg, const struct record *rec, struct err *e),
    void *arg, struct err *e) MUST_CHECK;
void journal_free(struct journal **j);

/*
 * Append and sync.  rec->seq is set.  After RC_FAILED or RC_UNCERTAIN nothing
 * more is appended in this life of the process (a failed sync is never tried
 * again): the caller refuses everything, and a restart finds out what is
 * there.
 */
enum rc journal_append(struct journal *j, struct record *rec, struct err *e)
    MUST_CHECK;
/* While locked. */
enum rc journal_halt_locked(int fd, struct text why, struct err *e)
    MUST_CHECK;

uint64_t journal_seq(const struct journal *j);
/* The HMAC of the newest record, and of an older one (false: not here). */
void journal_hash(const struct journal *j, unsigned char out[32]);
bool journal_hash_at(const struct journal *j, uint64_t seq,
    unsigned char out[32], struct err *e);
/* Records after `seq`, as journal_load() gives them, until `each` fails. */
enum rc journal_walk(struct journal *j, uint64_t seq,
    enum rc (*each)(void *arg, const struct record *rec, struct err *e),
    void *arg, struct err *e) MUST_CHECK;

#endif
