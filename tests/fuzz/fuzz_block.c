/*
 * Blocks from outside: what is taken is its header, its count and its
 * transactions, byte for byte; and each of them can be proved to be in it,
 * unless its tree is not to be believed.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bitcoin/block.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TX_MAX	512

static struct tx txs[TX_MAX];
static unsigned char ids[TX_MAX][32], scratch[TX_MAX][32];
static size_t n_txs;

static bool
walk(const uint8_t *data, size_t size)
{
	struct block_walk w;
	struct err	 e;
	size_t		 sum;
	struct tx	 t;
	bool		 got = true;

	n_txs = 0;
	e.text[0] = '\0';
	if (block_begin(&w, data, size, &e) != RC_OK) {
		if (e.text[0] == '\0')
			abort();
		return false;
	}
	(void)block_header_works(&w.header);
	sum = BLOCK_HEADER_LEN + compact_len(w.n_tx);
	while (block_next(&w, &t, &got, &e) == RC_OK && got) {
		sum += tx_size(&t, true);
		if (n_txs == TX_MAX) {
			tx_free(&t);
			return false;
		}
		tx_txid(&t, ids[n_txs]);
		txs[n_txs++] = t;
	}
	if (w.next != w.n_tx || w.p != w.end) {
		if (e.text[0] == '\0')
			abort();
		return false;
	}
	if (got || n_txs != w.n_tx || sum != size)
		abort();
	return true;
}

static void
prove(void)
{
	unsigned char	 branch[MERKLE_DEPTH_MAX][32], root[32];
	size_t		 i, depth;
	bool		 mutated, proved;

	memcpy(scratch, ids, n_txs * sizeof(ids[0]));
	merkle_root(root, scratch, n_txs, &mutated);
	for (i = 0; i < n_txs; i += n_txs / 8 + 1) {
		memcpy(scratch, ids, n_txs * sizeof(ids[0]));
		depth = merkle_branch(branch, scratch, n_txs, i);
		proved = merkle_proves(root, &txs[i], (const void *)branch,
		    depth, i);
		if (tx_size(&txs[i], false) == 64 ? proved :
		    !proved && !mutated)
			abort();
		txs[i].version ^= 1;
		if (merkle_proves(root, &txs[i], (const void *)branch, depth,
		    i))
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (walk(data, size))
		prove();
	while (n_txs > 0)
		tx_free(&txs[--n_txs]);
	return 0;
}
