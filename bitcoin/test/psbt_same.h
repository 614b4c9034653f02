/* Two PSBTs are the same. */
#ifndef BITCOIN_TEST_PSBT_SAME_H
#define BITCOIN_TEST_PSBT_SAME_H

#include "tests/check.h"

#include <stdlib.h>

#include "bitcoin/psbt.h"

static inline struct psbt *
read64(const char *text)
{
	struct psbt	*p = NULL;
	struct err	 e = { "" };

	if (!CHECK(psbt_of_base64(&p, text_of(text), &e) == RC_OK))
		printf("#   %s\n", e.text);
	return p;
}

static inline bool
same_map(const struct psbt_map *a, const struct psbt_map *b)
{
	struct text	 data;
	size_t		 i;

	for (i = 0; i < a->n; i++) {
		data.p = a->r[i].key.p + 1;
		data.len = a->r[i].key.len - 1;
		if (!text_equal(psbt_get(b, (uint8_t)a->r[i].key.p[0], data),
		    a->r[i].value))
			return false;
	}
	return a->n == b->n;
}

/* The same records, in whatever order. */
static inline bool
same_psbt(const struct psbt *a, const struct psbt *b)
{
	size_t	 i;

	if (a->tx.n_in != b->tx.n_in || a->tx.n_out != b->tx.n_out ||
	    !same_map(&a->global, &b->global))
		return false;
	for (i = 0; i < a->tx.n_in; i++)
		if (!same_map(&a->in[i].map, &b->in[i].map))
			return false;
	for (i = 0; i < a->tx.n_out; i++)
		if (!same_map(&a->out[i].map, &b->out[i].map))
			return false;
	return true;
}

/* What is typed is what a reader of the written bytes would have. */
static inline void
check_reread(const struct psbt *p)
{
	char		*text = psbt_base64(p), *again;
	struct psbt	*q = read64(text);
	size_t		 i;

	if (q == NULL)
		return;
	CHECK(same_psbt(p, q));
	again = psbt_base64(q);
	CHECK_STR(again, text);
	for (i = 0; i < p->tx.n_in; i++) {
		CHECK(text_equal(p->in[i].final_witness,
		    q->in[i].final_witness) &&
		    text_equal(p->in[i].final_script_sig,
		    q->in[i].final_script_sig) &&
		    p->in[i].n_sigs == q->in[i].n_sigs &&
		    p->in[i].n_paths == q->in[i].n_paths &&
		    p->in[i].has_sighash == q->in[i].has_sighash &&
		    p->in[i].has_witness_utxo == q->in[i].has_witness_utxo &&
		    text_equal(p->in[i].non_witness_utxo,
		    q->in[i].non_witness_utxo));
	}
	free(again);
	free(text);
	psbt_free(&q);
}

#endif
