/*
 * Two transactions that cannot both confirm.
 *
 * If a transaction confirms, so have all that it spends from.  So look at
 * each with its ancestors: where they hold two different transactions that
 * spend one outpoint, at most one side can confirm.  Only ancestors that the
 * signer signed are known, so no word from a node is needed, and what is not
 * known makes fewer conflicts: it can only refuse more.
 */
#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "signer/memory.h"

#define FAMILY_MAX	(CONFLICT_ANCESTORS + 1)
#define SEEN		2048	/* slots for them, a power of two */
/* Inputs looked at for one new transaction, over all comparisons. */
#define LOOKS_MAX	((uint64_t)1 << 24)

/* Transactions, breadth first; numbers of memory_tx. */
struct family {
	uint32_t	tx[FAMILY_MAX];
	uint8_t		depth[FAMILY_MAX];
	size_t		n, max;
	uint32_t	seen[SEEN];	/* number plus one; 0: free */
};

struct spend {
	const struct outpoint *what;	/* NULL: free */
	const unsigned char *by;	/* txid */
};

enum known { UNKNOWN, CONFLICTS, DOES_NOT };

struct conflict {
	const struct memory *m;
	unsigned char	key[crypto_shorthash_KEYBYTES];
	unsigned char	txid[32];	/* of the new one */
	struct spend	*spends;	/* by it and its ancestors */
	size_t		room;		/* power of two */
	unsigned char	*known;		/* enum known of each memory_tx */
	uint64_t	looks_left;
	struct family	family;		/* of whom it is compared with */
};

static void
family_add(struct family *f, uint32_t n, unsigned depth)
{
	size_t		 i = (n * UINT32_C(2654435761)) >> 21;

	if (depth > CONFLICT_DEPTH || f->n == f->max)
		return;
	for (; f->seen[i] != 0; i = (i + 1) % SEEN)
		if (f->seen[i] == n + 1)
			return;
	f->seen[i] = n + 1;
	f->depth[f->n] = (uint8_t)depth;
	f->tx[f->n++] = n;
}

/* Whose outputs these inputs spend, as far as we signed them. */
static void
family_add_parents(struct family *f, const struct memory *m,
    const struct outpoint *in, size_t n_in, unsigned depth)
{
	const struct memory_tx *parent;
	size_t		 i;

	if (depth > CONFLICT_DEPTH)
		return;
	for (i = 0; i < n_in && f->n < f->max; i++) {
		if (i > 0 && memcmp(in[i].txid, in[i - 1].txid, 32) == 0)
			continue;
		if ((parent = memory_find_tx(m, in[i].txid)) != NULL)
			family_add(f, memory_tx_number(m, parent), depth);
	}
}

static void
family_begin(struct family *f, size_t max)
{
	f->n = 0;
	f->max = max;
	memset(f->seen, 0, sizeof(f->seen));
}

bool
conflict_kills(const struct memory *m, const struct memory_tx *t,
    const struct outpoint *o, const unsigned char txid[32])
{
	const struct memory_tx *a;
	struct family	 f;
	size_t		 i;
	uint32_t	 k;

	family_begin(&f, FAMILY_MAX);
	family_add(&f, memory_tx_number(m, t), 0);
	for (i = 0; i < f.n; i++) {
		a = memory_tx_at(m, f.tx[i]);
		for (k = 0; k < a->n_in; k++)
			if (outpoint_equal(&memory_in(m, a)[k], o) &&
			    memcmp(a->txid, txid, 32) != 0)
				return true;
		family_add_parents(&f, m, memory_in(m, a), a->n_in,
		    f.depth[i] + 1u);
	}
	return false;
}

static size_t
slot_of(const struct conflict *c, const struct outpoint *o)
{
	unsigned char	 out[crypto_shorthash_BYTES];
	uint64_t	 h;

	(void)crypto_shorthash(out, (const unsigned char *)o, sizeof(*o),
	    c->key);
	memcpy(&h, out, sizeof(h));
	return (size_t)h & (c->room - 1);
}

/* Two may spend one outpoint: then the new one cannot confirm at all. */
static void
spends_add(struct conflict *c, const struct outpoint *in, size_t n_in,
    const unsigned char *by)
{
	size_t		 i, at;

	for (i = 0; i < n_in; i++) {
		at = slot_of(c, &in[i]);
		while (c->spends[at].what != NULL)
			at = (at + 1) & (c->room - 1);
		c->spends[at].what = &in[i];
		c->spends[at].by = by;
	}
}

/* Does another one on the new one's side spend it? */
static bool
spent_otherwise(const struct conflict *c, const struct outpoint *o,
    const unsigned char *by)
{
	size_t		 at = slot_of(c, o);

	for (; c->spends[at].what != NULL; at = (at + 1) & (c->room - 1))
		if (outpoint_equal(c->spends[at].what, o) &&
		    memcmp(c->spends[at].by, by, 32) != 0)
			return true;
	return false;
}

/* Its ancestors into c->family; how many outpoints all of them spend. */
static size_t
find_ancestors(struct conflict *c, const struct outpoint *in, size_t n_in)
{
	const struct memory_tx *a;
	struct family	*f = &c->family;
	size_t		 i, total = n_in;

	family_begin(f, CONFLICT_ANCESTORS);
	family_add_parents(f, c->m, in, n_in, 1);
	for (i = 0; i < f->n; i++) {
		a = memory_tx_at(c->m, f->tx[i]);
		total += a->n_in;
		family_add_parents(f, c->m, memory_in(c->m, a), a->n_in,
		    f->depth[i] + 1u);
	}
	return total;
}

enum rc
conflict_begin(struct conflict **out, const struct memory *m,
    const unsigned char txid[32], const struct outpoint *in, size_t n_in,
    struct err *e)
{
	const struct memory_tx *a;
	struct conflict	*c;
	size_t		 i, total;

	assert(*out == NULL);
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return err_set(e, "no memory to compare transactions");
	c->m = m;
	c->looks_left = LOOKS_MAX;
	memcpy(c->txid, txid, sizeof(c->txid));
	randombytes_buf(c->key, sizeof(c->key));
	total = find_ancestors(c, in, n_in);
	for (c->room = 64; c->room < total * 2; c->room *= 2)
		;
	c->spends = calloc(c->room, sizeof(*c->spends));
	c->known = calloc(memory_n_tx(m) + 1, 1);
	if (c->spends == NULL || c->known == NULL) {
		conflict_free(&c);
		return err_set(e, "no memory to compare transactions");
	}
	spends_add(c, in, n_in, c->txid);
	for (i = 0; i < c->family.n; i++) {
		a = memory_tx_at(m, c->family.tx[i]);
		spends_add(c, memory_in(m, a), a->n_in, a->txid);
	}
	*out = c;
	return RC_OK;
}

bool
conflict_with(struct conflict *c, const struct memory_tx *t)
{
	const struct memory_tx *a;
	const struct outpoint *in;
	struct family	*f = &c->family;
	uint32_t	 number = memory_tx_number(c->m, t), k;
	size_t		 i;

	if (c->known[number] != UNKNOWN)
		return c->known[number] == CONFLICTS;
	c->known[number] = DOES_NOT;
	family_begin(f, FAMILY_MAX);
	family_add(f, number, 0);
	for (i = 0; i < f->n; i++) {
		a = memory_tx_at(c->m, f->tx[i]);
		in = memory_in(c->m, a);
		if (a->n_in > c->looks_left)
			return false;
		c->looks_left -= a->n_in;
		for (k = 0; k < a->n_in; k++)
			if (spent_otherwise(c, &in[k], a->txid)) {
				c->known[number] = CONFLICTS;
				return true;
			}
		family_add_parents(f, c->m, in, a->n_in, f->depth[i] + 1u);
	}
	return false;
}

void
conflict_free(struct conflict **c)
{
	if (*c == NULL)
		return;
	free((*c)->spends);
	free((*c)->known);
	free(*c);
	*c = NULL;
}
