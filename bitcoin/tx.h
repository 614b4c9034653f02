/*
 * Transactions (BIP144's serialisation, and the one before it).
 *
 * Parsing is strict: the whole input, TX_BYTES_MAX at most, shortest compact
 * sizes, amounts of 0 to 21 million BTC each and together, at least one input
 * and one output, no witness part that is empty, nothing allocated before the
 * bytes that call for it are there.  Not looked at: what only a chain can
 * tell, and whether an outpoint comes twice.   What is parsed points into the
 * bytes, which the caller keeps; the arrays belong to the struct.  After a
 * failure *out is empty.
 */
#ifndef BITCOIN_TX_H
#define BITCOIN_TX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/text.h"

#define TX_MONEY_MAX_SAT	INT64_C(2100000000000000)
#define TX_BYTES_MAX		((size_t)4000000)
#define TX_LOCKTIME_TIME	500000000	/* from here on it is a time */
#define TX_SEQUENCE_FINAL	0xffffffffu	/* locktime means nothing */

struct outpoint {
	unsigned char	txid[32];	/* as hashed, not as shown */
	uint32_t	vout;
};

struct tx_in {
	struct outpoint	prev;
	struct text	script_sig;
	uint32_t	sequence;
	/* The witness as it stands: count and items; .p NULL: none. */
	struct text	witness;
	uint32_t	n_witness;
};

struct tx_out {
	int64_t		amount_sat;
	struct text	script;
};

struct tx {
	uint32_t	version;
	uint32_t	locktime;
	struct tx_in	*in;
	size_t		n_in;
	struct tx_out	*out;
	size_t		n_out;
	bool		has_witness;
};

enum rc tx_parse(struct tx *out, const unsigned char *bytes, size_t len,
    struct err *e) MUST_CHECK;
/*
 * The first of several, as in a block; *used says how long it was.  `bare`:
 * never read as having a witness (a PSBT's unsigned transaction, which may
 * also have no inputs or outputs).
 */
enum rc tx_parse_at(struct tx *out, size_t *used, bool bare,
    const unsigned char *bytes, size_t len, struct err *e) MUST_CHECK;
/* Its arrays; leaves it empty.  Harmless when empty. */
void tx_free(struct tx *t);

/* Item k of an input's witness; absent when there are fewer. */
struct text tx_witness_item(const struct tx_in *in, uint32_t k);

size_t tx_size(const struct tx *t, bool with_witness);
/* Exactly tx_size() bytes; returns how many. */
size_t tx_write(const struct tx *t, bool with_witness, unsigned char *out);
void tx_txid(const struct tx *t, unsigned char out[32]);
void tx_wtxid(const struct tx *t, unsigned char out[32]);
/* BIP141. */
size_t tx_weight(const struct tx *t);
size_t tx_vsize(const struct tx *t);

bool outpoint_equal(const struct outpoint *a, const struct outpoint *b);

/* Compact sizes (1, 3, 5 or 9 bytes). */
size_t compact_len(uint64_t n);
unsigned char *put_compact(unsigned char *p, uint64_t n);

#endif
