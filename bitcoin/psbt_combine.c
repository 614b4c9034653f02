/*
 * Combiner and Extractor (BIP174).
 */
#include "bitcoin/psbt_inner.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "bitcoin/cursor.h"

static const struct text no_key;

static bool
same_tx(const struct tx *a, const struct tx *b)
{
	size_t	 i;

	if (a->version != b->version || a->locktime != b->locktime ||
	    a->n_in != b->n_in || a->n_out != b->n_out)
		return false;
	for (i = 0; i < a->n_in; i++)
		if (!outpoint_equal(&a->in[i].prev, &b->in[i].prev) ||
		    a->in[i].sequence != b->in[i].sequence)
			return false;
	for (i = 0; i < a->n_out; i++)
		if (a->out[i].amount_sat != b->out[i].amount_sat ||
		    !text_equal(a->out[i].script, b->out[i].script))
			return false;
	return true;
}

/*
 * Of two lists in the order of their keys, what only the second has, moved to
 * its front; how many.  What makes the transaction is not wanted: it is the
 * same, and version 2 could come to another locktime by a field more.
 */
static size_t
only_second(const struct psbt_record **a, size_t n_a,
    const struct psbt_record **b, size_t n_b, enum psbt_where where)
{
	size_t	 i = 0, k, n = 0;
	int	 d = 1;

	for (k = 0; k < n_b; k++) {
		while (i < n_a && (d = psbt_key_order(a[i]->key,
		    b[k]->key)) < 0)
			i++;
		if ((i == n_a || d != 0) && !psbt_is_of_tx(where,
		    (uint8_t)b[k]->key.p[0]))
			b[n++] = b[k];
	}
	return n;
}

static enum rc
append(struct psbt *p, struct psbt_map *m, const struct psbt_record **more,
    size_t n, struct err *e)
{
	struct psbt_record *r = psbt_take(p, (m->n + n) * sizeof(*r));
	struct text	 data;
	size_t		 i;

	if (r == NULL)
		return err_set(e, "no memory");
	if (m->n > 0)
		memcpy(r, m->r, m->n * sizeof(*r));
	for (i = 0; i < n; i++) {
		data.p = more[i]->key.p + 1;
		data.len = more[i]->key.len - 1;
		if (!psbt_copy(p, &r[m->n + i], (uint8_t)more[i]->key.p[0],
		    data, more[i]->value))
			return err_set(e, "no memory");
	}
	m->r = r;
	m->n += n;
	return RC_OK;
}

static enum rc
combine_map(struct psbt *into, const struct psbt_map *from,
    enum psbt_where where, size_t at, struct err *e)
{
	struct psbt_map	*m = psbt_map_of(into, where, at);
	const struct psbt_record **a, **b;
	enum rc		 rc = RC_FAILED;
	size_t		 n;

	if (from->n == 0)
		return RC_OK;
	a = psbt_sorted(m);
	b = psbt_sorted(from);
	if ((a == NULL && m->n > 0) || b == NULL) {
		rc = psbt_wrap(e, err_set(e, "no memory"), where, at, no_key);
	} else {
		n = only_second(a, m->n, b, from->n, where);
		rc = n == 0 ? RC_OK : psbt_wrap(e, append(into, m, b, n, e),
		    where, at, no_key);
		if (rc == RC_OK && n > 0)
			rc = psbt_fill(into, where, at, e);
	}
	free(a);
	free(b);
	return rc;
}

enum rc
psbt_combine(struct psbt *into, const struct psbt *from, struct err *e)
{
	size_t	 i;

	if (into->version != from->version)
		return err_set(e, "psbt: version %u cannot be combined with "
		    "version %u", (unsigned)into->version,
		    (unsigned)from->version);
	if (!same_tx(&into->tx, &from->tx))
		return err_set(e, "psbt: it is of another transaction");
	if (combine_map(into, &from->global, PSBT_GLOBAL, 0, e) != RC_OK)
		return err_wrap(e, RC_FAILED, "psbt");
	for (i = 0; i < into->tx.n_in; i++)
		if (combine_map(into, &from->in[i].map, PSBT_IN, i, e) !=
		    RC_OK)
			return err_wrap(e, RC_FAILED, "psbt");
	for (i = 0; i < into->tx.n_out; i++)
		if (combine_map(into, &from->out[i].map, PSBT_OUT, i, e) !=
		    RC_OK)
			return err_wrap(e, RC_FAILED, "psbt");
	return RC_OK;
}

/* An input with what its final fields say; false when there are none. */
static bool
make_final(struct tx_in *out, const struct psbt_in *in)
{
	struct cursor	 c = cursor_of_text(in->final_witness);

	if (in->final_script_sig.p == NULL && in->final_witness.p == NULL)
		return false;
	out->script_sig = in->final_script_sig;
	if (in->final_witness.p == NULL)
		return true;
	out->n_witness = (uint32_t)cursor_compact(&c);
	if (out->n_witness > 0)
		out->witness = in->final_witness;
	return true;
}

enum rc
psbt_extract(unsigned char **out, size_t *len, const struct psbt *p,
    struct err *e)
{
	struct tx	 t = p->tx;
	enum rc		 rc = RC_OK;
	size_t		 i;

	assert(*out == NULL);
	if (t.n_in == 0 || t.n_out == 0)
		return err_set(e, "psbt: a transaction without inputs or "
		    "outputs");
	if ((t.in = calloc(t.n_in, sizeof(*t.in))) == NULL)
		return err_set(e, "psbt: no memory");
	for (i = 0; i < t.n_in && rc == RC_OK; i++) {
		t.in[i] = p->tx.in[i];
		if (!make_final(&t.in[i], &p->in[i]))
			rc = err_set(e, "psbt: input %zu is not final", i);
		t.has_witness |= t.in[i].n_witness > 0;
	}
	if (rc == RC_OK) {
		*len = tx_size(&t, true);
		if ((*out = malloc(*len)) == NULL)
			rc = err_set(e, "psbt: no memory");
		else
			(void)tx_write(&t, true, *out);
	}
	free(t.in);
	return rc;
}
