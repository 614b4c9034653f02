/*
 * Partially signed transactions, versions 0 and 2 (BIP174, 370, 371).
 *
 * Strict: each key once, keys and values of the right length, fields only in
 * the version that has them, the whole input.  What is not known is kept, in
 * its place: what was parsed and not changed is written byte for byte as it
 * came.  The bytes are copied; all pointers here point into the struct's own
 * memory and live as long as it does.
 *
 * What is parsed is not thereby true: amounts are what somebody says.
 */
#ifndef BITCOIN_PSBT_H
#define BITCOIN_PSBT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bitcoin/bip32.h"
#include "bitcoin/tx.h"
#include "lib/err.h"
#include "lib/text.h"

#define PSBT_BYTES_MAX	((size_t)32 << 20)

/* Key types. */
enum {
	PSBT_GLOBAL_UNSIGNED_TX = 0x00,
	PSBT_GLOBAL_XPUB = 0x01,
	PSBT_GLOBAL_TX_VERSION = 0x02,
	PSBT_GLOBAL_FALLBACK_LOCKTIME = 0x03,
	PSBT_GLOBAL_INPUT_COUNT = 0x04,
	PSBT_GLOBAL_OUTPUT_COUNT = 0x05,
	PSBT_GLOBAL_TX_MODIFIABLE = 0x06,
	PSBT_GLOBAL_VERSION = 0xfb,
	PSBT_IN_NON_WITNESS_UTXO = 0x00,
	PSBT_IN_WITNESS_UTXO = 0x01,
	PSBT_IN_PARTIAL_SIG = 0x02,
	PSBT_IN_SIGHASH_TYPE = 0x03,
	PSBT_IN_REDEEM_SCRIPT = 0x04,
	PSBT_IN_WITNESS_SCRIPT = 0x05,
	PSBT_IN_BIP32_DERIVATION = 0x06,
	PSBT_IN_FINAL_SCRIPTSIG = 0x07,
	PSBT_IN_FINAL_SCRIPTWITNESS = 0x08,
	PSBT_IN_PREVIOUS_TXID = 0x0e,
	PSBT_IN_OUTPUT_INDEX = 0x0f,
	PSBT_IN_SEQUENCE = 0x10,
	PSBT_IN_TIME_LOCKTIME = 0x11,
	PSBT_IN_HEIGHT_LOCKTIME = 0x12,
	PSBT_IN_TAP_KEY_SIG = 0x13,
	PSBT_IN_TAP_SCRIPT_SIG = 0x14,
	PSBT_IN_TAP_LEAF_SCRIPT = 0x15,
	PSBT_IN_TAP_BIP32_DERIVATION = 0x16,
	PSBT_IN_TAP_INTERNAL_KEY = 0x17,
	PSBT_IN_TAP_MERKLE_ROOT = 0x18,
	PSBT_OUT_REDEEM_SCRIPT = 0x00,
	PSBT_OUT_WITNESS_SCRIPT = 0x01,
	PSBT_OUT_BIP32_DERIVATION = 0x02,
	PSBT_OUT_AMOUNT = 0x03,
	PSBT_OUT_SCRIPT = 0x04,
	PSBT_OUT_TAP_INTERNAL_KEY = 0x05,
	PSBT_OUT_TAP_TREE = 0x06,
	PSBT_OUT_TAP_BIP32_DERIVATION = 0x07,
};

struct psbt_record {
	struct text	key;		/* type and key data */
	struct text	value;
};

struct psbt_map {
	struct psbt_record *r;		/* as they came, added ones last */
	size_t		n;
};

/* BIP174's, or with a key of 32 bytes and leaf hashes BIP371's. */
struct psbt_path {
	struct text	key;
	size_t		n_leaves;	/* leaf hashes, BIP371 */
	unsigned char	fingerprint[4];
	uint32_t	path[BIP32_PATH_MAX];
	size_t		n;
};

struct psbt_sig {
	struct text	key;
	struct text	sig;		/* DER and sighash type */
};

struct psbt_in {
	struct psbt_map	map;
	struct text	non_witness_utxo;	/* absent: .p NULL */
	bool		has_witness_utxo;
	struct tx_out	witness_utxo;
	bool		has_sighash;
	uint32_t	sighash;
	struct text	redeem_script;
	struct text	witness_script;
	struct text	final_script_sig;
	struct text	final_witness;
	struct psbt_path *paths;	/* both kinds; deeper than
					 * BIP32_PATH_MAX: only in map */
	size_t		n_paths;
	struct psbt_sig	*sigs;
	size_t		n_sigs;
	struct text	tap_key_sig;
	struct text	tap_internal_key;
	struct text	tap_merkle_root;
	bool		has_tap_scripts;	/* leaf scripts, script sigs */
};

struct psbt_out {
	struct psbt_map	map;
	struct text	redeem_script;
	struct text	witness_script;
	struct psbt_path *paths;
	size_t		n_paths;
	struct text	tap_internal_key;
	struct text	tap_tree;
};

struct psbt {
	uint32_t	version;	/* 0 or 2 */
	struct psbt_map	global;
	/* The unsigned transaction: version 0's, or what version 2's fields
	 * make (BIP370's rule for the locktime). */
	struct tx	tx;
	struct psbt_in	*in;		/* tx.n_in */
	struct psbt_out	*out;		/* tx.n_out */
	struct psbt_memory *memory;
};

enum rc psbt_parse(struct psbt **out, const unsigned char *bytes, size_t len,
    struct err *e) MUST_CHECK;
enum rc psbt_of_base64(struct psbt **out, struct text t, struct err *e)
    MUST_CHECK;
/* Frees and leaves NULL; NULL inside is fine. */
void psbt_free(struct psbt **p);

/* Creator: version 0 or 2 of a transaction without signatures. */
enum rc psbt_new(struct psbt **out, uint32_t version, const struct tx *t,
    struct err *e) MUST_CHECK;
size_t psbt_size(const struct psbt *p);
size_t psbt_write(const struct psbt *p, unsigned char *out);
/* With a NUL; the caller frees it.  NULL: no memory. */
char *psbt_base64(const struct psbt *p);

/*
 * Put a record into the global map, an input's or an output's, or replace it;
 * the typed fields above follow.  The bytes are copied.  What makes the
 * transaction (unsigned_tx, and version 2's fields for it) is refused: it
 * stays what it is.
 */
enum psbt_where { PSBT_GLOBAL, PSBT_IN, PSBT_OUT };
enum rc psbt_put(struct psbt *p, enum psbt_where where, size_t at,
    uint8_t type, struct text key_data, struct text value, struct err *e)
    MUST_CHECK;
/* The value, or absent. */
struct text psbt_get(const struct psbt_map *m, uint8_t type,
    struct text key_data);

/*
 * What the input spends: from non_witness_utxo, whose id must be the input's
 * and whose output must be the witness_utxo if both are there; else from
 * witness_utxo.  *proved: the former.
 */
enum rc psbt_spent(struct tx_out *out, bool *proved, const struct psbt *p,
    size_t in, struct err *e) MUST_CHECK;

/*
 * BIP174's Combiner: what `from` has more; the same transaction only.  Of
 * two values for a key the first stays.  Without memory `into` may be left
 * half done, for psbt_free() alone.
 */
enum rc psbt_combine(struct psbt *into, const struct psbt *from,
    struct err *e) MUST_CHECK;
/*
 * Finalizer: P2PKH, P2WPKH (also in P2SH), multisig in P2WSH, P2SH-P2WSH and
 * P2SH, P2TR key path.  Each input that is complete is finalized; RC_FAILED
 * names the first that lacks a signature.  One that does not verify counts as
 * none (curve_begin() first).
 */
enum rc psbt_finalize(struct psbt *p, struct err *e) MUST_CHECK;
/* Extractor: the transaction's bytes, which the caller frees. */
enum rc psbt_extract(unsigned char **out, size_t *len, const struct psbt *p,
    struct err *e) MUST_CHECK;

#endif
