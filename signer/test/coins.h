/*
 * Transactions as the signer's memory knows them, made of small numbers.
 */
#ifndef SIGNER_TEST_COINS_H
#define SIGNER_TEST_COINS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "signer/memory.h"
#include "tests/check.h"

#define COINS_IN	8
#define COINS_IDS	4

/* Output `vout` of transaction `tx`; coins that were there before have
 * numbers from 1000 on. */
struct coin {
	unsigned	tx, vout;
};

struct trial {
	unsigned	tx;
	struct coin	in[COINS_IN];
	size_t		n_in;
	const char	*ids[COINS_IDS];
	size_t		n_ids;
};

static inline void
coins_txid(unsigned char out[32], unsigned tx)
{
	memset(out, 0x5a, 32);
	out[0] = (unsigned char)tx;
	out[1] = (unsigned char)(tx >> 8);
	out[2] = (unsigned char)(tx >> 16);
}

static inline struct outpoint
coins_outpoint(struct coin c)
{
	struct outpoint	 o;

	coins_txid(o.txid, c.tx);
	o.vout = c.vout;
	return o;
}

/* The outpoints stay until the next call. */
static inline const struct outpoint *
coins_in(const struct trial *t)
{
	static struct outpoint in[COINS_IN];
	size_t		 i;

	for (i = 0; i < t->n_in; i++)
		in[i] = coins_outpoint(t->in[i]);
	return in;
}

/* Reserve and add. */
static inline void
coins_add(struct memory *m, const struct record *rec)
{
	struct err	 e;

	CHECK(memory_reserve(m, rec, &e) == RC_OK);
	memory_add(m, rec);
}

static inline void
coins_sign(struct memory *m, const struct trial *t)
{
	struct record_id ids[COINS_IDS];
	struct record	 rec;
	size_t		 i;

	memset(&rec, 0, sizeof(rec));
	memset(ids, 0, sizeof(ids));
	rec.kind = RECORD_SIGNED;
	rec.seq = t->tx;
	coins_txid(rec.txid, t->tx);
	for (i = 0; i < t->n_ids; i++) {
		ids[i].id = text_of(t->ids[i]);
		memset(ids[i].commitment, 0xcc, 32);
		ids[i].receipt_seq = (uint64_t)t->ids[i][0];
	}
	rec.in = coins_in(t);
	rec.n_in = t->n_in;
	rec.ids = ids;
	rec.n_ids = t->n_ids;
	coins_add(m, &rec);
}

/* What the rule says of it: conflict_check() without a signer around it. */
static inline bool
coins_may(const struct memory *m, const struct trial *t)
{
	unsigned char	 txid[32];
	const struct memory_id *id;
	struct conflict	*c = NULL;
	struct err	 e;
	size_t		 i, link;
	uint32_t	 n;
	bool		 may = true;

	coins_txid(txid, t->tx);
	if (conflict_begin(&c, m, txid, coins_in(t), t->n_in, &e) != RC_OK)
		return false;
	for (i = 0; i < t->n_ids; i++) {
		if ((id = memory_find_id(m, text_of(t->ids[i]))) == NULL)
			continue;
		may &= !id->burned;
		link = 0;
		while ((n = memory_next_carrier(m, id, &link)) != UINT32_MAX)
			may &= conflict_with(c, memory_tx_at(m, n));
	}
	conflict_free(&c);
	return may;
}

static inline void
coins_write_off(struct memory *m, const char *id, struct coin c,
    unsigned spent_by)
{
	struct record	 rec;

	memset(&rec, 0, sizeof(rec));
	rec.kind = RECORD_WRITTEN_OFF;
	rec.id = text_of(id);
	rec.outpoint = coins_outpoint(c);
	coins_txid(rec.txid, spent_by);
	coins_add(m, &rec);
}

static inline struct memory *
coins_memory(void)
{
	struct memory	*m = NULL;
	struct err	 e;

	if (memory_new(&m, &e) != RC_OK)
		exit(2);
	return m;
}

#endif
