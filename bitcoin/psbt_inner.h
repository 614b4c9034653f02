/*
 * The parts of bitcoin/psbt.h: memory and maps (psbt.c), the meaning of each
 * field (psbt_fields.c), reading (psbt_read.c), writing (psbt_write.c), and
 * the last roles (psbt_combine.c, psbt_final.c).
 *
 * All memory of a PSBT is one arena, freed at once.  What is replaced is left
 * where it lies: a PSBT lives as long as a request.
 */
#ifndef BITCOIN_PSBT_INNER_H
#define BITCOIN_PSBT_INNER_H

#include "bitcoin/psbt.h"

/* "psbt", a byte that no text has. */
#define PSBT_MAGIC	"psbt\xff"
#define PSBT_MAGIC_LEN	5

/* Key types that nobody outside asks for. */
enum {
	PSBT_IN_OWNERSHIP = 0x09,	/* BIP127 */
	PSBT_IN_RIPEMD160 = 0x0a,
	PSBT_IN_SHA256 = 0x0b,
	PSBT_IN_HASH160 = 0x0c,
	PSBT_IN_HASH256 = 0x0d,
	PSBT_IN_MUSIG_KEYS = 0x1a,	/* BIP373 */
	PSBT_IN_MUSIG_NONCE = 0x1b,
	PSBT_IN_MUSIG_SIG = 0x1c,
};

struct psbt_chunk;

/* Of an input's non_witness_utxo: its id, and the output that is spent. */
struct psbt_utxo {
	unsigned char	txid[32];
	bool		has_out;
	struct tx_out	out;
};

struct psbt_memory {
	struct psbt_chunk *chunks;	/* the first is the one in use */
	struct psbt_utxo *utxos;	/* tx.n_in */
	bool		tx_apart;	/* tx_free() for its arrays */
};

/* Empty, with a memory. */
struct psbt *psbt_empty(void);
/* Make sure that the next `size` bytes are one allocation. */
bool psbt_reserve(struct psbt *p, size_t size);
/* Aligned for anything here, not cleared; NULL: no memory. */
void *psbt_take(struct psbt *p, size_t size);

/* A record with bytes of its own; false: no memory. */
bool psbt_copy(struct psbt *p, struct psbt_record *out, uint8_t type,
    struct text key_data, struct text value);
/* Is it the unsigned transaction, or what version 2 has in its place? */
bool psbt_is_of_tx(enum psbt_where where, uint8_t type);
struct psbt_map *psbt_map_of(struct psbt *p, enum psbt_where where,
    size_t at);
/* What record i of a map was, "input 3: witness_utxo", around a reason. */
enum rc psbt_wrap(struct err *e, enum rc rc, enum psbt_where where,
    size_t at, struct text key);

/*
 * Check a record and set the typed field that it is for; nothing is changed
 * on failure.  `put`: not from psbt_fill(), which made room in the lists and
 * knows that no key comes twice.
 */
enum rc psbt_field(struct psbt *p, enum psbt_where where, size_t at,
    const struct psbt_record *r, bool put, struct err *e) MUST_CHECK;
/* All of a map, from nothing. */
enum rc psbt_fill(struct psbt *p, enum psbt_where where, size_t at,
    struct err *e) MUST_CHECK;

/* The order of keys by which repeated ones are found. */
int psbt_key_order(struct text a, struct text b);
/* A map's records in that order, which the caller frees; NULL: no memory,
 * unless the map is empty. */
const struct psbt_record **psbt_sorted(const struct psbt_map *m);

#endif
