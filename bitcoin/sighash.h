/*
 * What a signature of an input signs: BIP143 (witness version 0), BIP341
 * (taproot's key path), and the one before them.
 */
#ifndef BITCOIN_SIGHASH_H
#define BITCOIN_SIGHASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bitcoin/tx.h"
#include "lib/err.h"
#include "lib/text.h"

#define SIGHASH_DEFAULT		0	/* taproot only: ALL, one byte less */
#define SIGHASH_ALL		1
#define SIGHASH_NONE		2
#define SIGHASH_SINGLE		3
#define SIGHASH_ANYONECANPAY	0x80

/* What all inputs of a transaction have in common, hashed once. */
struct sighash {
	const struct tx	*tx;
	const struct tx_out *spent;	/* of each input: amount and script */
	/* BIP341: hashed once. */
	unsigned char	prevouts[32], sequences[32], outputs[32];
	unsigned char	amounts[32], scripts[32];
	/* BIP143: twice. */
	unsigned char	prevouts2[32], sequences2[32], outputs2[32];
};

/* `spent` has tx->n_in entries, and both outlive `s`. */
void sighash_begin(struct sighash *s, const struct tx *tx,
    const struct tx_out *spent);
/* BIP143: script_code without its length. */
void sighash_v0(unsigned char out[32], const struct sighash *s, size_t in,
    struct text script_code, uint32_t type);
/* BIP341, key path, without annex; false for a type that it does not have,
 * or SINGLE without its output. */
bool sighash_v1(unsigned char out[32], const struct sighash *s, size_t in,
    uint8_t type);
/* Before segwit; the script as it stands, OP_CODESEPARATORs taken out.  Fails
 * for SINGLE without its output: what the network takes for the hash there
 * is the same for every transaction. */
enum rc sighash_legacy(unsigned char out[32], const struct tx *tx, size_t in,
    struct text script_code, uint32_t type, struct err *e) MUST_CHECK;

#endif
