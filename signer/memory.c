/*
 * Arrays that only grow, and tables of numbers into them.
 *
 * The tables are found by a keyed hash: ids are chosen by customers and
 * transaction ids by whoever builds transactions, and neither shall be able
 * to make look-ups slow.  The key is chance, and nothing that is answered
 * depends on it.
 */
#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sha256.h"
#include "signer/memory.h"

#define NONE	UINT32_MAX
#define SPREAD	16		/* bytes of a hash that spread it: nobody finds
				 * many that are alike in so many */

/* One id in one transaction.  Twenty bytes: there is one for each withdrawal
 * there ever was, and twenty-four would be padding. */
struct link {
	uint32_t	seq[2];		/* of the receipt: low, high */
	uint32_t	tx;
	uint32_t	id;
	uint32_t	next;		/* link of the same id, older */
};

/* What the public struct does not show: its change. */
struct tx_more {
	uint32_t	first_change;
	uint32_t	n_change;
};

/* A table of numbers plus one; 0: free.  At most 3/4 full. */
struct table {
	uint32_t	*slot;
	size_t		room;		/* power of two */
	size_t		n;
};

struct array {
	void		*p;
	size_t		n, room;
};

struct memory {
	unsigned char	key[crypto_shorthash_KEYBYTES];
	struct array	txs, more, in, ids, links, change;
	struct table	by_txid, by_id, by_seq;
};

static struct memory_tx *
tx_at(const struct memory *m, size_t n)
{
	return (struct memory_tx *)m->txs.p + n;
}

static struct memory_id *
id_at(const struct memory *m, size_t n)
{
	return (struct memory_id *)m->ids.p + n;
}

static struct link *
link_at(const struct memory *m, size_t n)
{
	return (struct link *)m->links.p + n;
}

static uint64_t
seq_of(const struct link *l)
{
	return l->seq[0] | (uint64_t)l->seq[1] << 32;
}

static size_t
hash(const struct memory *m, const void *p, size_t len)
{
	unsigned char	 out[crypto_shorthash_BYTES];
	uint64_t	 h;

	(void)crypto_shorthash(out, p, len, m->key);
	memcpy(&h, out, sizeof(h));
	return (size_t)h;
}

enum rc
memory_new(struct memory **out, struct err *e)
{
	struct memory	*m;

	assert(*out == NULL);
	if ((m = calloc(1, sizeof(*m))) == NULL)
		return err_set(e, "no memory");
	randombytes_buf(m->key, sizeof(m->key));
	*out = m;
	return RC_OK;
}

void
memory_free(struct memory **m)
{
	if (*m == NULL)
		return;
	free((*m)->txs.p);
	free((*m)->more.p);
	free((*m)->in.p);
	free((*m)->ids.p);
	free((*m)->links.p);
	free((*m)->change.p);
	free((*m)->by_txid.slot);
	free((*m)->by_id.slot);
	free((*m)->by_seq.slot);
	free(*m);
	*m = NULL;
}

/* ---- growing ---- */

static enum rc
array_reserve(struct array *a, size_t more, size_t size, struct err *e)
{
	size_t		 room = a->room == 0 ? 64 : a->room;
	void		*bigger;

	/* Numbers have 32 bits, and one of them means none. */
	if (more > NONE - 1 - a->n)
		return err_set(e, "more was signed than can be remembered");
	if (a->n + more <= a->room)
		return RC_OK;
	while (room < a->n + more)
		room *= 2;
	if ((bigger = reallocarray(a->p, room, size)) == NULL)
		return err_set(e, "no memory for what was signed");
	a->p = bigger;
	a->room = room;
	return RC_OK;
}

typedef size_t hash_fn(const struct memory *m, uint32_t n);

static size_t
hash_of_tx(const struct memory *m, uint32_t n)
{
	return hash(m, tx_at(m, n)->txid, SPREAD);
}

static size_t
hash_of_id(const struct memory *m, uint32_t n)
{
	return hash(m, id_at(m, n)->key, SPREAD);
}

static size_t
hash_of_link(const struct memory *m, uint32_t n)
{
	uint64_t	 seq = seq_of(link_at(m, n));

	return hash(m, &seq, sizeof(seq));
}

static void
table_put(struct table *t, size_t h, uint32_t n)
{
	size_t		 i = h & (t->room - 1);

	assert(t->n < t->room);
	while (t->slot[i] != 0)
		i = (i + 1) & (t->room - 1);
	t->slot[i] = n + 1;
	t->n++;
}

static enum rc
table_reserve(const struct memory *m, struct table *t, size_t more,
    hash_fn *hash_of, struct err *e)
{
	struct table	 bigger = { NULL, t->room == 0 ? 64 : t->room, 0 };
	size_t		 i;

	while (bigger.room / 4 * 3 < t->n + more)
		bigger.room *= 2;
	if (bigger.room == t->room)
		return RC_OK;
	bigger.slot = calloc(bigger.room, sizeof(*bigger.slot));
	if (bigger.slot == NULL)
		return err_set(e, "no memory for what was signed");
	for (i = 0; i < t->room; i++)
		if (t->slot[i] != 0)
			table_put(&bigger, hash_of(m, t->slot[i] - 1),
			    t->slot[i] - 1);
	free(t->slot);
	*t = bigger;
	return RC_OK;
}

enum rc
memory_reserve(struct memory *m, const struct record *rec, struct err *e)
{
	bool		 tx = rec->kind == RECORD_SIGNED;
	size_t		 ids = tx ? rec->n_ids : 1;
	enum rc		 rc;

	if (!tx && rec->kind != RECORD_BURNED &&
	    rec->kind != RECORD_WRITTEN_OFF)
		return RC_OK;
	if ((rc = array_reserve(&m->ids, ids, sizeof(struct memory_id),
	    e)) != RC_OK ||
	    (rc = table_reserve(m, &m->by_id, ids, hash_of_id, e)) != RC_OK ||
	    !tx)
		return rc;
	if ((rc = array_reserve(&m->txs, 1, sizeof(struct memory_tx),
	    e)) != RC_OK ||
	    (rc = array_reserve(&m->more, 1, sizeof(struct tx_more),
	    e)) != RC_OK ||
	    (rc = array_reserve(&m->in, rec->n_in, sizeof(struct outpoint),
	    e)) != RC_OK ||
	    (rc = array_reserve(&m->links, ids, sizeof(struct link),
	    e)) != RC_OK ||
	    (rc = array_reserve(&m->change, rec->n_change,
	    sizeof(struct record_change), e)) != RC_OK ||
	    (rc = table_reserve(m, &m->by_txid, 1, hash_of_tx,
	    e)) != RC_OK)
		return rc;
	return table_reserve(m, &m->by_seq, ids, hash_of_link, e);
}

/* ---- looking up ---- */

/* Numbers in the table's slots for this hash, one after the other; *i: 0
 * before the first call. */
static uint32_t
table_next(const struct table *t, size_t h, size_t *i)
{
	if (t->room == 0)
		return NONE;
	return t->slot[(h + (*i)++) & (t->room - 1)] - 1;
}

static uint32_t
find_tx(const struct memory *m, const unsigned char txid[32])
{
	size_t		 h = hash(m, txid, SPREAD), i = 0;
	uint32_t	 n;

	while ((n = table_next(&m->by_txid, h, &i)) != NONE)
		if (memcmp(tx_at(m, n)->txid, txid, 32) == 0)
			break;
	return n;
}

static uint32_t
find_id(const struct memory *m, const unsigned char key[32])
{
	size_t		 h = hash(m, key, SPREAD), i = 0;
	uint32_t	 n;

	while ((n = table_next(&m->by_id, h, &i)) != NONE)
		if (memcmp(id_at(m, n)->key, key, 32) == 0)
			break;
	return n;
}

static uint32_t
find_seq(const struct memory *m, uint64_t receipt_seq)
{
	size_t		 h = hash(m, &receipt_seq, sizeof(receipt_seq)), i = 0;
	uint32_t	 n;

	while ((n = table_next(&m->by_seq, h, &i)) != NONE)
		if (seq_of(link_at(m, n)) == receipt_seq)
			break;
	return n;
}

const struct memory_tx *
memory_find_tx(const struct memory *m, const unsigned char txid[32])
{
	uint32_t	 n = find_tx(m, txid);

	return n == NONE ? NULL : tx_at(m, n);
}

const struct memory_tx *
memory_tx_at(const struct memory *m, uint32_t n)
{
	assert(n < m->txs.n);
	return tx_at(m, n);
}

uint32_t
memory_tx_number(const struct memory *m, const struct memory_tx *t)
{
	return (uint32_t)(t - tx_at(m, 0));
}

size_t
memory_n_tx(const struct memory *m)
{
	return m->txs.n;
}

const struct outpoint *
memory_in(const struct memory *m, const struct memory_tx *t)
{
	return (const struct outpoint *)m->in.p + t->first_in;
}

const struct memory_id *
memory_find_id(const struct memory *m, struct text id)
{
	unsigned char	 key[32];
	uint32_t	 n;

	sha256(key, id.p, id.len);
	n = find_id(m, key);
	return n == NONE ? NULL : id_at(m, n);
}

uint32_t
memory_next_carrier(const struct memory *m, const struct memory_id *id,
    size_t *link_io)
{
	uint32_t	 n;

	/* 0: from the beginning; else the link to come, plus one. */
	n = *link_io == 0 ? id->first : (uint32_t)(*link_io - 1);
	if (n == NONE) {
		*link_io = (size_t)NONE + 1;
		return NONE;
	}
	*link_io = (size_t)link_at(m, n)->next + 1;
	return link_at(m, n)->tx;
}

const struct record_change *
memory_change(const struct memory *m, const struct outpoint *o)
{
	const struct record_change *c = m->change.p;
	const struct tx_more *more = m->more.p;
	uint32_t	 n = find_tx(m, o->txid), i;

	if (n == NONE)
		return NULL;
	for (i = 0; i < more[n].n_change; i++)
		if (c[more[n].first_change + i].vout == o->vout)
			return &c[more[n].first_change + i];
	return NULL;
}

bool
memory_seq_taken(const struct memory *m, uint64_t receipt_seq,
    struct text id)
{
	unsigned char	 key[32];
	uint32_t	 n = find_seq(m, receipt_seq);

	if (n == NONE)
		return false;
	sha256(key, id.p, id.len);
	return memcmp(id_at(m, link_at(m, n)->id)->key, key, 32) != 0;
}

void
memory_forget_seqs(struct memory *m)
{
	if (m->by_seq.room > 0)
		memset(m->by_seq.slot, 0, m->by_seq.room *
		    sizeof(*m->by_seq.slot));
	m->by_seq.n = 0;
}

/* ---- adding ---- */

static void *
array_next(struct array *a, size_t size)
{
	assert(a->n < a->room);
	return (char *)a->p + size * a->n++;
}

/* The id, as it is or new. */
static uint32_t
add_id(struct memory *m, struct text id, const unsigned char commitment[32])
{
	static const unsigned char nothing[32];
	unsigned char	 key[32];
	struct memory_id *i;
	uint32_t	 n;

	sha256(key, id.p, id.len);
	if ((n = find_id(m, key)) == NONE) {
		n = (uint32_t)m->ids.n;
		i = array_next(&m->ids, sizeof(*i));
		memset(i, 0, sizeof(*i));
		memcpy(i->key, key, sizeof(i->key));
		i->first = NONE;
		table_put(&m->by_id, hash_of_id(m, n), n);
	}
	i = id_at(m, n);
	if (memcmp(i->commitment, nothing, sizeof(nothing)) == 0)
		memcpy(i->commitment, commitment, sizeof(i->commitment));
	return n;
}

static uint32_t
add_tx(struct memory *m, const struct record *rec)
{
	uint32_t	 n = find_tx(m, rec->txid);
	struct memory_tx *t;
	struct tx_more	*more;
	size_t		 i;

	if (n != NONE)
		return n;
	n = (uint32_t)m->txs.n;
	t = array_next(&m->txs, sizeof(*t));
	more = array_next(&m->more, sizeof(*more));
	memset(t, 0, sizeof(*t));
	memcpy(t->txid, rec->txid, sizeof(t->txid));
	memcpy(t->spent_hash, rec->hash, sizeof(t->spent_hash));
	t->seq = rec->seq;
	t->first_in = (uint32_t)m->in.n;
	t->n_in = (uint32_t)rec->n_in;
	for (i = 0; i < rec->n_in; i++)
		*(struct outpoint *)array_next(&m->in,
		    sizeof(struct outpoint)) = rec->in[i];
	more->first_change = (uint32_t)m->change.n;
	more->n_change = (uint32_t)rec->n_change;
	for (i = 0; i < rec->n_change; i++)
		*(struct record_change *)array_next(&m->change,
		    sizeof(struct record_change)) = rec->change[i];
	table_put(&m->by_txid, hash_of_tx(m, n), n);
	return n;
}

/* Carried by it already? */
static bool
linked(const struct memory *m, uint32_t id, uint32_t tx)
{
	uint32_t	 n;

	for (n = id_at(m, id)->first; n != NONE; n = link_at(m, n)->next)
		if (link_at(m, n)->tx == tx)
			return true;
	return false;
}

static void
add_link(struct memory *m, const struct record_id *id, uint32_t tx)
{
	uint32_t	 its = add_id(m, id->id, id->commitment), n;
	struct link	*l;

	if (linked(m, its, tx))
		return;
	n = (uint32_t)m->links.n;
	l = array_next(&m->links, sizeof(*l));
	l->seq[0] = (uint32_t)id->receipt_seq;
	l->seq[1] = (uint32_t)(id->receipt_seq >> 32);
	l->tx = tx;
	l->id = its;
	l->next = id_at(m, its)->first;
	id_at(m, its)->first = n;
	/* Who used it first has it. */
	if (find_seq(m, id->receipt_seq) == NONE)
		table_put(&m->by_seq, hash_of_link(m, n), n);
}

/* Those that it kills bind no longer. */
static void
write_off(struct memory *m, const struct record *rec)
{
	uint32_t	 id = add_id(m, rec->id, rec->commitment), n, *at;

	id_at(m, id)->written_off = true;
	at = &id_at(m, id)->first;
	while ((n = *at) != NONE) {
		if (conflict_kills(m, tx_at(m, link_at(m, n)->tx),
		    &rec->outpoint, rec->txid))
			*at = link_at(m, n)->next;
		else
			at = &link_at(m, n)->next;
	}
}

void
memory_add(struct memory *m, const struct record *rec)
{
	uint32_t	 tx;
	size_t		 i;

	if (rec->kind == RECORD_SIGNED) {
		tx = add_tx(m, rec);
		for (i = 0; i < rec->n_ids; i++)
			add_link(m, &rec->ids[i], tx);
	} else if (rec->kind == RECORD_BURNED)
		id_at(m, add_id(m, rec->id, rec->commitment))->burned = true;
	else if (rec->kind == RECORD_WRITTEN_OFF)
		write_off(m, rec);
}
