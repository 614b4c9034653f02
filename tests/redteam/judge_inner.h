/*
 * What the judge's files share: its memory, and how it reads and hashes.
 */
#ifndef TESTS_REDTEAM_JUDGE_INNER_H
#define TESTS_REDTEAM_JUDGE_INNER_H

#include <assert.h>
#include <secp256k1.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "tests/redteam/judge.h"

#define KEY_MAX		64
#define SCRIPT_ROOM	64
#define INNER_ROOM	128
#define IN_MAX		64
#define OUT_MAX		128
#define RECEIPT_BYTES	307
#define NONE		UINT32_MAX

/* ---- a table: some bytes, a number ---- */

struct entry {
	unsigned char	key[KEY_MAX];
	uint32_t	len, value;
};

struct table {
	struct entry	*e;
	size_t		n, room;	/* a power of two */
};

/* NONE: it is not there. */
uint32_t judge_get(const struct table *t, const void *key, size_t len);
void judge_put(struct table *t, const void *key, size_t len, uint32_t value);

/* ---- what is known ---- */

struct own {
	unsigned	branch;		/* 2: cold */
	uint32_t	index;
	unsigned char	key[33];
	unsigned char	inner[INNER_ROOM];
	size_t		inner_len;
};

struct coin {
	int64_t		amount_sat;
	unsigned char	script[SCRIPT_ROOM];
	size_t		len;
};

struct in {
	unsigned char	prev[36];	/* txid and vout, as they are */
	uint32_t	sequence;
	unsigned char	sig[80];
	size_t		sig_len;	/* 0: none of ours */
	int64_t		claimed_sat;	/* witness_utxo */
	const unsigned char *claimed_script;
	size_t		claimed_len;
};

struct out {
	int64_t		amount_sat;
	const unsigned char *script;
	size_t		len;
	uint32_t	receipt;	/* that pays it; NONE */
};

struct parsed {
	const unsigned char *tx;
	size_t		tx_len;
	uint32_t	version, locktime;
	struct in	in[IN_MAX];
	size_t		n_in;
	struct out	out[OUT_MAX];
	size_t		n_out;
	unsigned char	txid[32];
};

struct signed_tx {
	unsigned char	txid[32];
	unsigned char	(*prev)[36];
	size_t		n_in;
	unsigned char	sigs[32];	/* hash of all of them */
	unsigned char	types[32];	/* and of their lengths: with or
					 * without a type (BIP341) */
	uint32_t	*ids;
	size_t		n_ids;
	uint32_t	height;		/* highest claimed so far */
	int64_t		running_ms;
	int64_t		cost_sat;
	uint32_t	stamp;
};

struct id {
	unsigned char	bound[32];	/* hash of script and amount */
	bool		burned;
	bool		counted;	/* its value is in some cost */
	int64_t		approved_sat;	/* 0: not */
	uint32_t	*carriers;
	size_t		n, room;
};

#define LIST(type) struct { struct type *p; size_t n, room; }
#define LIST_ADD(l) ((l)->n == (l)->room ? ((l)->room = (l)->room * 2 + 64, \
	(l)->p = realloc((l)->p, (l)->room * sizeof(*(l)->p)),	\
	assert((l)->p != NULL)) : (void)0,				\
	memset(&(l)->p[(l)->n], 0, sizeof(*(l)->p)), &(l)->p[(l)->n++])

struct judge {
	struct judge_rules rules;
	secp256k1_context *ctx;
	struct table	own_by_script, coin_by_outpoint, tx_by_txid, id_by_name;
	struct table	killed;
	LIST(own)	own;
	LIST(coin)	coin;
	LIST(signed_tx)	tx;
	LIST(id)	id;
	uint32_t	height, index_max, stamp;
	uint64_t	periods;
	int64_t		cost_sat;
	bool		halted, behind;
	char		complaint[512];
};

/* Keeps the first one; always false. */
bool judge_no(struct judge *j, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- judge_read.c ---- */

/* The answer as a transaction, with what is claimed and signed. */
bool judge_read(struct judge *j, struct parsed *t, const unsigned char *psbt,
    size_t len);
/* Every input ours and signed, rightly.  *worthless: signed over amounts that
 * are not true, so that no node takes it. */
bool judge_signatures(struct judge *j, struct parsed *t, bool *worthless,
    int64_t *in_sat);
const struct own *judge_own_of(const struct judge *j,
    const unsigned char *script, size_t len);

/* ---- reading ---- */

struct reader {
	const unsigned char *p, *end;
	bool		bad;
};

static inline const unsigned char *
take(struct reader *r, size_t n)
{
	const unsigned char	*p = r->p;

	if (r->bad || (size_t)(r->end - r->p) < n) {
		r->bad = true;
		return NULL;
	}
	r->p += n;
	return p;
}

static inline uint64_t
take_le(struct reader *r, size_t n)
{
	const unsigned char	*p = take(r, n);
	uint64_t		 v = 0;

	while (p != NULL && n-- > 0)
		v = v << 8 | p[n];
	return v;
}

/* ---- hashing ---- */

struct hasher {
	crypto_hash_sha256_state s;
};

static inline void
add(struct hasher *h, const void *p, size_t len)
{
	(void)crypto_hash_sha256_update(&h->s, p, len);
}

static inline void
add_le(struct hasher *h, uint64_t v, size_t n)
{
	unsigned char	 b[8];
	size_t		 i;

	for (i = 0; i < n; i++)
		b[i] = (unsigned char)(v >> 8 * i);
	add(h, b, n);
}

static inline void
begin(struct hasher *h)
{
	(void)crypto_hash_sha256_init(&h->s);
}

static inline void
end(struct hasher *h, unsigned char out[32])
{
	(void)crypto_hash_sha256_final(&h->s, out);
}

#endif
