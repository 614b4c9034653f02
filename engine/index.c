#include <assert.h>
#include <string.h>

#include "engine/index.h"

/*
 * The tag's product with the number of slots, by 2^32, is the home slot: an
 * even spread over any number of slots, and what stands in a slot is enough
 * to find its home again, so that neither deletion nor growth reads records.
 */
static inline size_t
home_of(const struct index *ix, uint32_t tag)
{
	return (size_t)((uint64_t)tag * ix->n_slots >> 32);
}

static inline uint32_t
tag_of(struct ident key)
{
	/* Already a keyed hash. */
	return (uint32_t)key.lo;
}

static inline uint32_t
tag_of_pair(const struct index *ix, uint32_t account, uint32_t destination)
{
	uint64_t	 x = (uint64_t)account << 32 | destination;
	unsigned __int128 p;

	/* Multiply and fold twice with secret numbers; the point is only
	 * that nobody outside can tell which pairs meet. */
	p = (unsigned __int128)(x ^ ix->seed[0]) * (ix->seed[1] | 1);
	x = (uint64_t)p ^ (uint64_t)(p >> 64) ^ ix->seed[1];
	p = (unsigned __int128)x * UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)((uint64_t)p ^ (uint64_t)(p >> 64));
}

static size_t
slots_for(size_t count_max)
{
	return count_max + count_max * 3 / 7 + 2;
}

static enum rc
make(struct index *ix, size_t count_max, const struct store *store,
    size_t key_offset, struct err *e)
{
	void	*slots = NULL;

	*ix = (struct index){
		.store = store,
		.key_offset = key_offset,
		.count_max = count_max,
		.n_slots = slots_for(count_max),
	};
	if (count_max == 0 || count_max >= INDEX_NONE)
		return err_set(e, "an index of %zu keys", count_max);
	if (store_map(&slots, ix->n_slots * sizeof(*ix->slots), "index",
	    e) != RC_OK)
		return RC_FAILED;
	ix->slots = slots;
	return RC_OK;
}

enum rc
index_new(struct index *ix, size_t count_max, const struct store *store,
    size_t key_offset, struct err *e)
{
	return make(ix, count_max, store, key_offset, e);
}

enum rc
index_new_pairs(struct index *ix, size_t count_max,
    const struct store *store, size_t key_offset,
    const struct ident_key *secret, struct err *e)
{
	if (make(ix, count_max, store, key_offset, e) != RC_OK)
		return RC_FAILED;
	ix->seed[0] = ident_prf(secret, "index pairs 0", 13);
	ix->seed[1] = ident_prf(secret, "index pairs 1", 13);
	return RC_OK;
}

void
index_free(struct index *ix)
{
	store_unmap(ix->slots, ix->n_slots * sizeof(*ix->slots));
	*ix = (struct index){ 0 };
}

/*
 * The slot of the key, or the free slot at which its run ends.
 */
static size_t
probe_ident(const struct index *ix, struct ident key)
{
	uint32_t	 tag = tag_of(key);
	size_t		 i = home_of(ix, tag);
	struct ident	 here;

	for (; ix->slots[i].record != 0; i = i + 1 < ix->n_slots ? i + 1 : 0) {
		if (ix->slots[i].tag != tag)
			continue;
		memcpy(&here, (const unsigned char *)store_at(ix->store,
		    ix->slots[i].record - 1) + ix->key_offset, sizeof(here));
		if (ident_equal(here, key))
			break;
	}
	return i;
}

static size_t
probe_pair(const struct index *ix, uint32_t account, uint32_t destination)
{
	uint32_t	 tag = tag_of_pair(ix, account, destination), here[2];
	size_t		 i = home_of(ix, tag);

	for (; ix->slots[i].record != 0; i = i + 1 < ix->n_slots ? i + 1 : 0) {
		if (ix->slots[i].tag != tag)
			continue;
		memcpy(here, (const unsigned char *)store_at(ix->store,
		    ix->slots[i].record - 1) + ix->key_offset, sizeof(here));
		if (here[0] == account && here[1] == destination)
			break;
	}
	return i;
}

uint32_t
index_find(const struct index *ix, struct ident key)
{
	/* A free slot holds 0, which comes out as INDEX_NONE. */
	return ix->slots[probe_ident(ix, key)].record - 1;
}

uint32_t
index_guess(const struct index *ix, struct ident key)
{
	uint32_t	 tag = tag_of(key);
	size_t		 i = home_of(ix, tag);

	while (ix->slots[i].record != 0 && ix->slots[i].tag != tag)
		i = i + 1 < ix->n_slots ? i + 1 : 0;
	return ix->slots[i].record - 1;
}

uint32_t
index_guess_pair(const struct index *ix, uint32_t account,
    uint32_t destination)
{
	uint32_t	 tag = tag_of_pair(ix, account, destination);
	size_t		 i = home_of(ix, tag);

	while (ix->slots[i].record != 0 && ix->slots[i].tag != tag)
		i = i + 1 < ix->n_slots ? i + 1 : 0;
	return ix->slots[i].record - 1;
}

uint32_t
index_find_pair(const struct index *ix, uint32_t account,
    uint32_t destination)
{
	return ix->slots[probe_pair(ix, account, destination)].record - 1;
}

static bool
enter(struct index *ix, uint32_t tag, uint32_t record)
{
	size_t	 i = home_of(ix, tag);

	assert(record < INDEX_NONE);
	if (ix->count == ix->count_max)
		return false;
	while (ix->slots[i].record != 0)
		i = i + 1 < ix->n_slots ? i + 1 : 0;
	ix->slots[i].tag = tag;
	ix->slots[i].record = record + 1;
	ix->count++;
	return true;
}

bool
index_add(struct index *ix, struct ident key, uint32_t record)
{
	return enter(ix, tag_of(key), record);
}

bool
index_add_pair(struct index *ix, uint32_t account, uint32_t destination,
    uint32_t record)
{
	return enter(ix, tag_of_pair(ix, account, destination), record);
}

/*
 * Empty slot `hole` and move back whatever would no longer be found: an
 * entry whose home does not lie in the cyclic stretch (hole, its slot].
 */
static bool
close_hole(struct index *ix, size_t hole)
{
	size_t	 i, home, n = ix->n_slots;

	if (ix->slots[hole].record == 0)
		return false;
	for (i = hole;;) {
		i = i + 1 < n ? i + 1 : 0;
		if (ix->slots[i].record == 0)
			break;
		home = home_of(ix, ix->slots[i].tag);
		if (hole < i ? home > hole && home <= i :
		    home > hole || home <= i)
			continue;
		ix->slots[hole] = ix->slots[i];
		hole = i;
	}
	ix->slots[hole] = (struct index_slot){ 0 };
	ix->count--;
	return true;
}

bool
index_remove(struct index *ix, struct ident key)
{
	return close_hole(ix, probe_ident(ix, key));
}

bool
index_remove_pair(struct index *ix, uint32_t account, uint32_t destination)
{
	return close_hole(ix, probe_pair(ix, account, destination));
}

void
index_prefetch(const struct index *ix, struct ident key)
{
	__builtin_prefetch(&ix->slots[home_of(ix, tag_of(key))]);
}

void
index_prefetch_pair(const struct index *ix, uint32_t account,
    uint32_t destination)
{
	__builtin_prefetch(&ix->slots[home_of(ix,
	    tag_of_pair(ix, account, destination))]);
}

size_t
index_pack(const struct index *ix, size_t *at, struct index_slot *out,
    size_t max)
{
	size_t		 n = 0, i;

	for (i = *at; i < ix->n_slots && n < max; i++)
		if (ix->slots[i].record != 0)
			out[n++] = ix->slots[i];
	*at = i;
	return n;
}

bool
index_unpack(struct index *ix, const struct index_slot *slots, size_t n)
{
	size_t		 i;

	for (i = 0; i < n; i++)
		if (slots[i].record == 0 || slots[i].record > ix->store->top ||
		    !enter(ix, slots[i].tag, slots[i].record - 1))
			return false;
	return true;
}

enum rc
index_grow(struct index *ix, size_t count_max, struct err *e)
{
	struct index	 bigger;
	size_t		 i;
	bool		 fits;

	if (count_max <= ix->count_max)
		return RC_OK;
	if (make(&bigger, count_max, ix->store, ix->key_offset, e) != RC_OK)
		return RC_FAILED;
	bigger.seed[0] = ix->seed[0];
	bigger.seed[1] = ix->seed[1];
	for (i = 0; i < ix->n_slots; i++) {
		if (ix->slots[i].record == 0)
			continue;
		fits = enter(&bigger, ix->slots[i].tag,
		    ix->slots[i].record - 1);
		assert(fits);
	}
	index_free(ix);
	*ix = bigger;
	return RC_OK;
}
