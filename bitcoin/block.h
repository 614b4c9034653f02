/*
 * Blocks: headers, their transactions one after the other, and the proof
 * that a transaction is in one.
 */
#ifndef BITCOIN_BLOCK_H
#define BITCOIN_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bitcoin/tx.h"
#include "lib/err.h"

#define BLOCK_HEADER_LEN	80
#define MERKLE_DEPTH_MAX	32

struct block_header {
	uint32_t	version;
	unsigned char	prev[32];
	unsigned char	merkle_root[32];
	uint32_t	time_s;
	uint32_t	bits;
	uint32_t	nonce;
	unsigned char	hash[32];
};

void block_header_parse(struct block_header *out,
    const unsigned char bytes[BLOCK_HEADER_LEN]);
/* Does its hash meet the target in `bits`?  False for bits that no network
 * allows (negative, zero, too large). */
bool block_header_works(const struct block_header *h);

/* A walk through a block's transactions; holds nothing. */
struct block_walk {
	struct block_header header;
	uint64_t	n_tx;		/* as the block says */
	uint64_t	next;		/* number of the one to come */
	const unsigned char *p, *end;
};
enum rc block_begin(struct block_walk *w, const unsigned char *bytes,
    size_t len, struct err *e) MUST_CHECK;
/* *got false after the last; trailing bytes are an error.  The caller frees
 * each transaction. */
enum rc block_next(struct block_walk *w, struct tx *out, bool *got,
    struct err *e) MUST_CHECK;

/*
 * The root over n txids (n >= 1), which is used up as scratch.  *mutated:
 * two equal neighbours were hashed (CVE-2012-2459): the list is not to be
 * believed.
 */
void merkle_root(unsigned char out[32], unsigned char (*txids)[32], size_t n,
    bool *mutated);

/*
 * Is this transaction in a block with this root?  `branch` are the siblings
 * from the leaf up, `position` its number in the block.  A transaction of 64
 * bytes (without witness) is refused: it may be an inner node
 * (CVE-2017-12842); and so is the position of the copy that an odd last
 * transaction is paired with.
 */
bool merkle_proves(const unsigned char root[32], const struct tx *t,
    const unsigned char (*branch)[32], size_t depth, uint64_t position);
/* The branch of txid number `position`; returns its depth, at most
 * MERKLE_DEPTH_MAX.  txids are used up. */
size_t merkle_branch(unsigned char branch[MERKLE_DEPTH_MAX][32],
    unsigned char (*txids)[32], size_t n, size_t position);

#endif
