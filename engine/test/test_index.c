#include <stdlib.h>

#include "engine/index.h"
#include "engine/test/rng.h"
#include "tests/check.h"

struct rec {
	uint32_t	 note;
	uint32_t	 pair[2];
	uint32_t	 zero;
	struct ident	 id;
};

static struct ident
ident_nr(uint64_t n)
{
	const struct ident_key	 key = { { 7 } };

	return ident_of(&key, &n, sizeof(n));
}

static void
test_store(void)
{
	struct store	 s;
	struct err	 e;
	uint32_t	 n, i;
	struct rec	*r;

	check_case("store: numbers, full, removed ones come back zeroed");
	CHECK(store_new(&s, 0, 8, &e) == RC_FAILED);
	CHECK(store_new(&s, SIZE_MAX / 8, 64, &e) == RC_FAILED);
	CHECK(store_new(&s, 3, sizeof(*r), &e) == RC_OK);
	for (i = 0; i < 3; i++) {
		CHECK(store_add(&s, &n));
		CHECK_INT(n, i);
		r = store_at(&s, n);
		r->note = 100 + n;
		r->id.hi = 9;
	}
	CHECK(store_full(&s) && !store_add(&s, &n));
	CHECK_INT(store_bytes(&s), 3 * sizeof(*r));
	store_remove(&s, 1);
	store_remove(&s, 0);
	CHECK(store_add(&s, &n));
	CHECK_INT(n, 0);
	CHECK(store_add(&s, &n));
	CHECK_INT(n, 1);
	r = store_at(&s, n);
	CHECK_INT(r->note, 0);
	CHECK_INT(r->id.hi, 0);
	CHECK(!store_add(&s, &n));
	CHECK(store_grow(&s, 100000, &e) == RC_OK);
	CHECK(store_add(&s, &n));
	CHECK_INT(n, 3);
	CHECK_INT(((struct rec *)store_at(&s, 2))->note, 102);
	store_free(&s);
}

/* Every key that should be found is, and none else: against a plain array
 * of which of `keys` possible ones are in. */
static void
churn(bool pairs, size_t capacity, uint32_t keys, int steps, uint64_t seed)
{
	const struct ident_key	 secret = { { 1, 2, 3 } };
	struct rng		 r = { seed };
	struct index		 ix;
	struct store		 s;
	struct err		 e;
	struct rec		*rec;
	uint32_t		*in, k, n, a, d;
	int			 i;

	in = malloc(keys * sizeof(*in));
	memset(in, 0xff, keys * sizeof(*in));
	CHECK(store_new(&s, capacity, sizeof(struct rec), &e) == RC_OK);
	if (pairs)
		CHECK(index_new_pairs(&ix, capacity, &s,
		    offsetof(struct rec, pair), &secret, &e) == RC_OK);
	else
		CHECK(index_new(&ix, capacity, &s, offsetof(struct rec, id),
		    &e) == RC_OK);
	for (i = 0; i < steps; i++) {
		k = (uint32_t)rng_below(&r, keys);
		a = k / 16, d = k % 16;
		n = pairs ? index_find_pair(&ix, a, d) :
		    index_find(&ix, ident_nr(k));
		if (!CHECK(n == in[k]))
			break;
		if (n != INDEX_NONE) {
			CHECK(pairs ? index_remove_pair(&ix, a, d) :
			    index_remove(&ix, ident_nr(k)));
			store_remove(&s, n);
			in[k] = INDEX_NONE;
		} else if (store_add(&s, &n)) {
			rec = store_at(&s, n);
			rec->id = ident_nr(k);
			rec->pair[0] = a;
			rec->pair[1] = d;
			CHECK(pairs ? index_add_pair(&ix, a, d, n) :
			    index_add(&ix, ident_nr(k), n));
			in[k] = n;
		} else {
			CHECK(pairs ? !index_add_pair(&ix, a, d, 0) :
			    !index_add(&ix, ident_nr(k), 0));
			CHECK(pairs ? !index_remove_pair(&ix, a, d) :
			    !index_remove(&ix, ident_nr(k)));
		}
		CHECK(ix.count == s.live);
	}
	CHECK(index_grow(&ix, capacity * 3, &e) == RC_OK);
	for (k = 0; k < keys; k++)
		CHECK((pairs ? index_find_pair(&ix, k / 16, k % 16) :
		    index_find(&ix, ident_nr(k))) == in[k]);
	index_free(&ix);
	store_free(&s);
	free(in);
}

/* Equal tags must be told apart by the key, also across the table's end. */
static void
test_same_tag(void)
{
	struct index	 ix;
	struct store	 s;
	struct err	 e;
	struct ident	 k;
	struct rec	*rec;
	uint32_t	 i, n;

	check_case("index: keys with equal tags, wrapped round the end");
	CHECK(store_new(&s, 20, sizeof(struct rec), &e) == RC_OK);
	CHECK(index_new(&ix, 20, &s, offsetof(struct rec, id), &e) == RC_OK);
	for (i = 0; i < 20; i++) {
		k = (struct ident){ UINT32_MAX, i };
		CHECK(store_add(&s, &n));
		rec = store_at(&s, n);
		rec->id = k;
		CHECK(index_add(&ix, k, n));
	}
	for (i = 0; i < 20; i += 3)
		CHECK(index_remove(&ix, (struct ident){ UINT32_MAX, i }));
	for (i = 0; i < 20; i++)
		CHECK(index_find(&ix, (struct ident){ UINT32_MAX, i }) ==
		    (i % 3 == 0 ? INDEX_NONE : i));
	index_free(&ix);
	store_free(&s);
}

/* How far from home things lie at full load, in all and at worst. */
static void
test_length(void)
{
	const struct ident_key	 secret = { { 9 } };
	struct index	 ix;
	struct store	 s;
	struct err	 e;
	struct rec	*rec;
	size_t		 i, home, far, sum = 0, worst = 0;
	uint32_t	 n, count = 70000;

	check_case("index: sequential pairs spread evenly at full load");
	CHECK(store_new(&s, count, sizeof(struct rec), &e) == RC_OK);
	CHECK(index_new_pairs(&ix, count, &s, offsetof(struct rec, pair),
	    &secret, &e) == RC_OK);
	for (i = 0; i < count; i++) {
		CHECK(store_add(&s, &n));
		rec = store_at(&s, n);
		rec->pair[0] = n / 7;
		rec->pair[1] = n;
		CHECK(index_add_pair(&ix, n / 7, n, n));
	}
	for (i = 0; i < ix.n_slots; i++) {
		if (ix.slots[i].record == 0)
			continue;
		home = (size_t)((uint64_t)ix.slots[i].tag * ix.n_slots >> 32);
		far = i >= home ? i - home : i + ix.n_slots - home;
		sum += far;
		worst = far > worst ? far : worst;
	}
	/* Knuth: (1 + 1/(1 - 0.7))/2 - 1 = 1.17 on average. */
	CHECK(sum * 10 < (size_t)count * 14);
	CHECK(worst < 200);
	index_free(&ix);
	store_free(&s);
}

int
main(void)
{
	test_store();
	check_case("index: half a million steps by fingerprint");
	churn(false, 700, 1000, 500000, 1);
	churn(false, 1, 3, 1000, 2);
	check_case("index: half a million steps by pair");
	churn(true, 700, 1000, 500000, 3);
	test_same_tag();
	test_length();
	return check_done();
}
