/*
 * PSBTs from outside: what reads is written as it came; what is put into it,
 * combined, finalized and extracted reads again.
 */
#include <stdlib.h>
#include <string.h>

#include "bitcoin/curve.h"
#include "bitcoin/psbt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool good)
{
	if (!good)
		abort();
}

/* A copy by way of its bytes. */
static struct psbt *
reread(const struct psbt *p)
{
	size_t		 len = psbt_size(p);
	unsigned char	*a = malloc(len), *b = malloc(len);
	struct psbt	*q = NULL;

	must(a != NULL && b != NULL && psbt_write(p, a) == len);
	must(psbt_parse(&q, a, len, NULL) == RC_OK);
	must(psbt_size(q) == len && psbt_write(q, b) == len &&
	    memcmp(a, b, len) == 0);
	free(a);
	free(b);
	return q;
}

static void
look_at(const struct psbt *p)
{
	struct tx_out	 out;
	bool		 proved;
	size_t		 i;

	for (i = 0; i < p->tx.n_in; i++) {
		must(p->in[i].n_paths <= p->in[i].map.n &&
		    p->in[i].n_sigs <= p->in[i].map.n);
		if (psbt_spent(&out, &proved, p, i, NULL) == RC_OK)
			must(out.amount_sat >= 0 && out.amount_sat <=
			    TX_MONEY_MAX_SAT);
	}
	for (i = 0; i < p->tx.n_out; i++)
		must(p->tx.out[i].amount_sat >= 0 &&
		    p->tx.out[i].amount_sat <= TX_MONEY_MAX_SAT);
}

static void
work_on(struct psbt *p)
{
	static const struct text	 none, value = { "\1\0\0\0", 4 };
	struct psbt			*q = reread(p);
	unsigned char			*raw = NULL;
	struct tx			 t;
	size_t				 len, i;

	for (i = 0; i < p->tx.n_in; i++)
		must(psbt_put(p, PSBT_IN, i, PSBT_IN_SIGHASH_TYPE, none,
		    value, NULL) == RC_OK);
	for (i = 0; i < p->tx.n_out; i++)
		must(psbt_put(p, PSBT_OUT, i, PSBT_OUT_REDEEM_SCRIPT, none,
		    value, NULL) == RC_OK);
	must(psbt_combine(q, p, NULL) == RC_OK);
	must(psbt_combine(p, q, NULL) == RC_OK);
	if (psbt_finalize(q, NULL) == RC_OK &&
	    psbt_extract(&raw, &len, q, NULL) == RC_OK) {
		/* What a final field says may be too long for one. */
		if (tx_parse(&t, raw, len, NULL) == RC_OK)
			tx_free(&t);
		free(raw);
	}
	psbt_free(&q);
	q = reread(p);
	psbt_free(&q);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct psbt	*p = NULL;
	unsigned char	*again;
	char		*text;
	struct text	 t = { (const char *)data, size };

	must(curve_begin(NULL) == RC_OK);
	if (psbt_of_base64(&p, t, NULL) == RC_OK) {
		text = psbt_base64(p);
		must(text != NULL && strlen(text) == size &&
		    memcmp(text, data, size) == 0);
		free(text);
		psbt_free(&p);
	}
	if (psbt_parse(&p, data, size, NULL) != RC_OK)
		return 0;
	must(psbt_size(p) == size);
	again = malloc(size);
	must(again != NULL && psbt_write(p, again) == size &&
	    memcmp(again, data, size) == 0);
	free(again);
	look_at(p);
	work_on(p);
	look_at(p);
	psbt_free(&p);
	return 0;
}
