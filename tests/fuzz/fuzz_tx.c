/*
 * Transactions from outside.  What is taken must be written byte for byte as
 * it came, weigh what BIP141 says, and be the same without its witnesses.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bitcoin/hash.h"
#include "bitcoin/tx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_amounts(const struct tx *t)
{
	int64_t	 sum_sat = 0;
	size_t	 i;

	for (i = 0; i < t->n_out; i++) {
		if (t->out[i].amount_sat < 0 ||
		    t->out[i].amount_sat > TX_MONEY_MAX_SAT - sum_sat)
			abort();
		sum_sat += t->out[i].amount_sat;
	}
}

static void
check_items(const struct tx *t)
{
	struct text	 item;
	size_t		 i, sum;
	uint32_t	 k;

	for (i = 0; i < t->n_in; i++) {
		const struct tx_in *in = &t->in[i];

		sum = in->n_witness > 0 ? compact_len(in->n_witness) : 0;
		/* Quadratic: a look at some will do. */
		for (k = 0; k < in->n_witness && k < 64; k++) {
			item = tx_witness_item(in, k);
			if (item.p == NULL)
				abort();
			sum += compact_len(item.len) + item.len;
		}
		if (in->n_witness <= 64 && sum != in->witness.len)
			abort();
		if (tx_witness_item(in, in->n_witness).p != NULL)
			abort();
	}
}

/* Written with or without witnesses, it is the one that was read. */
static void
check_written(const struct tx *t, bool with_witness, bool bare,
    const uint8_t *data)
{
	unsigned char	*buf = malloc(tx_size(t, with_witness));
	unsigned char	 id[32], again_id[32];
	struct tx	 again;
	size_t		 n, used;

	if (buf == NULL)
		abort();
	n = tx_write(t, with_witness, buf);
	if (n != tx_size(t, with_witness) ||
	    (with_witness && memcmp(buf, data, n) != 0))
		abort();
	if (tx_parse_at(&again, &used, bare, buf, n, NULL) != RC_OK ||
	    used != n)
		abort();
	tx_txid(t, id);
	tx_txid(&again, again_id);
	if (memcmp(id, again_id, sizeof(id)) != 0 ||
	    (!with_witness && again.has_witness))
		abort();
	tx_free(&again);
	free(buf);
}

static void
try(bool bare, const uint8_t *data, size_t size)
{
	struct tx	 t;
	struct err	 e;
	size_t		 used;

	e.text[0] = '\0';
	if (tx_parse_at(&t, &used, bare, data, size, &e) != RC_OK) {
		if (e.text[0] == '\0' || t.in != NULL || t.out != NULL)
			abort();
		return;
	}
	if (used > size || tx_size(&t, true) != used ||
	    (!bare && (t.n_in == 0 || t.n_out == 0)) ||
	    (bare && t.has_witness))
		abort();
	if (tx_weight(&t) != 3 * tx_size(&t, false) + used)
		abort();
	check_amounts(&t);
	check_items(&t);
	check_written(&t, true, bare, data);
	check_written(&t, false, bare, data);
	tx_free(&t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tx	 t;

	try(false, data, size);
	try(true, data, size);
	if (tx_parse(&t, data, size, NULL) == RC_OK) {
		if (tx_size(&t, true) != size)
			abort();
		tx_free(&t);
	}
	return 0;
}
