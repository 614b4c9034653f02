#include "bitcoin/psbt_inner.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* An allocation beyond what was reserved is at least so large. */
#define CHUNK_MIN	((size_t)16 << 10)
#define ALIGN		16

struct psbt_chunk {
	struct psbt_chunk *next;
	size_t		 used, room;
	_Alignas(ALIGN) unsigned char bytes[];
};

struct whole {
	struct psbt	 p;	/* first: it is what is freed */
	struct psbt_memory memory;
};

struct psbt *
psbt_empty(void)
{
	struct whole	*w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->p.memory = &w->memory;
	return &w->p;
}

void
psbt_free(struct psbt **p)
{
	struct psbt_chunk *c, *next;

	if (*p == NULL)
		return;
	if ((*p)->memory->tx_apart)
		tx_free(&(*p)->tx);
	for (c = (*p)->memory->chunks; c != NULL; c = next) {
		next = c->next;
		free(c);
	}
	free(*p);
	*p = NULL;
}

bool
psbt_reserve(struct psbt *p, size_t size)
{
	struct psbt_chunk *c = p->memory->chunks;

	if (c != NULL && c->room - c->used >= size)
		return true;
	if (size < CHUNK_MIN)
		size = CHUNK_MIN;
	if (size > SIZE_MAX - sizeof(*c) ||
	    (c = malloc(sizeof(*c) + size)) == NULL)
		return false;
	c->next = p->memory->chunks;
	c->used = 0;
	c->room = size;
	p->memory->chunks = c;
	return true;
}

void *
psbt_take(struct psbt *p, size_t size)
{
	struct psbt_chunk *c;
	void		*room;

	if (size > SIZE_MAX - ALIGN)
		return NULL;
	size = (size + ALIGN - 1) / ALIGN * ALIGN;
	if (!psbt_reserve(p, size))
		return NULL;
	c = p->memory->chunks;
	room = c->bytes + c->used;
	c->used += size;
	return room;
}

struct psbt_map *
psbt_map_of(struct psbt *p, enum psbt_where where, size_t at)
{
	switch (where) {
	case PSBT_GLOBAL:
		return &p->global;
	case PSBT_IN:
		assert(at < p->tx.n_in);
		return &p->in[at].map;
	case PSBT_OUT:
		assert(at < p->tx.n_out);
		return &p->out[at].map;
	}
	abort();
}

enum rc
psbt_wrap(struct err *e, enum rc rc, enum psbt_where where, size_t at,
    struct text key)
{
	static const char *const names[] = {
		[PSBT_GLOBAL] = "global", [PSBT_IN] = "input",
		[PSBT_OUT] = "output",
	};

	if (rc == RC_OK)
		return RC_OK;
	if (key.len > 0)
		rc = err_wrap(e, rc, "key type %02x", (unsigned char)*key.p);
	return where == PSBT_GLOBAL ? err_wrap(e, rc, "%s", names[where]) :
	    err_wrap(e, rc, "%s %zu", names[where], at);
}

static struct psbt_record *
find(const struct psbt_map *m, uint8_t type, struct text key_data)
{
	struct psbt_record *r;

	for (r = m->r; r < m->r + m->n; r++)
		if (r->key.len == 1 + key_data.len &&
		    (unsigned char)r->key.p[0] == type &&
		    (key_data.len == 0 || memcmp(r->key.p + 1, key_data.p,
		    key_data.len) == 0))
			return r;
	return NULL;
}

struct text
psbt_get(const struct psbt_map *m, uint8_t type, struct text key_data)
{
	const struct psbt_record *r = m->n == 0 ? NULL :
				    find(m, type, key_data);
	struct text	 none = { NULL, 0 };

	return r != NULL ? r->value : none;
}

bool
psbt_is_of_tx(enum psbt_where where, uint8_t type)
{
	switch (where) {
	case PSBT_GLOBAL:
		return type == PSBT_GLOBAL_UNSIGNED_TX ||
		    (type >= PSBT_GLOBAL_TX_VERSION &&
		    type <= PSBT_GLOBAL_OUTPUT_COUNT) ||
		    type == PSBT_GLOBAL_VERSION;
	case PSBT_IN:
		return type >= PSBT_IN_PREVIOUS_TXID &&
		    type <= PSBT_IN_HEIGHT_LOCKTIME;
	case PSBT_OUT:
		return type == PSBT_OUT_AMOUNT || type == PSBT_OUT_SCRIPT;
	}
	abort();
}

bool
psbt_copy(struct psbt *p, struct psbt_record *out, uint8_t type,
    struct text key_data, struct text value)
{
	unsigned char	*key, *copy;

	if (key_data.len > PSBT_BYTES_MAX || value.len > PSBT_BYTES_MAX ||
	    (key = psbt_take(p, 1 + key_data.len)) == NULL ||
	    (copy = psbt_take(p, value.len)) == NULL)
		return false;
	key[0] = type;
	if (key_data.len > 0)
		memcpy(key + 1, key_data.p, key_data.len);
	if (value.len > 0)
		memcpy(copy, value.p, value.len);
	out->key.p = (char *)key;
	out->key.len = 1 + key_data.len;
	out->value.p = (char *)copy;
	out->value.len = value.len;
	return true;
}

enum rc
psbt_put(struct psbt *p, enum psbt_where where, size_t at, uint8_t type,
    struct text key_data, struct text value, struct err *e)
{
	struct psbt_map	*m = psbt_map_of(p, where, at);
	struct psbt_record *old = m->n == 0 ? NULL : find(m, type, key_data);
	struct psbt_record *records = NULL, new;
	struct text	 key = { (char *)&type, 1 };
	enum rc		 rc;

	if (psbt_is_of_tx(where, type))
		return psbt_wrap(e, err_set(e, "the transaction stays what "
		    "it is"), where, at, key);
	/* Everything that may fail comes before anything that is seen. */
	if (!psbt_copy(p, &new, type, key_data, value) ||
	    (old == NULL && (records = psbt_take(p, (m->n + 1) *
	    sizeof(*records))) == NULL))
		return psbt_wrap(e, err_set(e, "no memory"), where, at, key);
	if ((rc = psbt_field(p, where, at, &new, true, e)) != RC_OK)
		return rc;
	if (old != NULL) {
		*old = new;
		return RC_OK;
	}
	if (m->n > 0)
		memcpy(records, m->r, m->n * sizeof(*records));
	records[m->n] = new;
	m->r = records;
	m->n++;
	return RC_OK;
}

enum rc
psbt_spent(struct tx_out *out, bool *proved, const struct psbt *p, size_t in,
    struct err *e)
{
	const struct psbt_in *i;
	const struct psbt_utxo *u;
	const struct tx_in *t;

	assert(in < p->tx.n_in);
	i = &p->in[in];
	u = &p->memory->utxos[in];
	t = &p->tx.in[in];
	*proved = false;
	if (i->non_witness_utxo.p == NULL) {
		if (!i->has_witness_utxo)
			return err_set(e, "input %zu: it does not say what "
			    "it spends", in);
		*out = i->witness_utxo;
		return RC_OK;
	}
	if (memcmp(u->txid, t->prev.txid, sizeof(u->txid)) != 0)
		return err_set(e, "input %zu: non_witness_utxo is another "
		    "transaction than the one it spends from", in);
	if (!u->has_out)
		return err_set(e, "input %zu: non_witness_utxo has no output "
		    "%u", in, (unsigned)t->prev.vout);
	if (i->has_witness_utxo &&
	    (i->witness_utxo.amount_sat != u->out.amount_sat ||
	    !text_equal(i->witness_utxo.script, u->out.script)))
		return err_set(e, "input %zu: witness_utxo is not the output "
		    "of non_witness_utxo", in);
	*out = u->out;
	*proved = true;
	return RC_OK;
}
