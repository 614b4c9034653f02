#include "engine/due.h"
#include "engine/test/rng.h"
#include "tests/check.h"

#define HANDLES 300

/* The truth: what each handle is due at, -1 for not in. */
static int64_t	due_at[HANDLES];
static uint64_t	seq_of[HANDLES];

static int
first_of_all(void)
{
	int	 i, best = -1;

	for (i = 0; i < HANDLES; i++) {
		if (due_at[i] < 0)
			continue;
		if (best < 0 || due_at[i] < due_at[best] ||
		    (due_at[i] == due_at[best] && seq_of[i] < seq_of[best]))
			best = i;
	}
	return best;
}

static void
test_order(void)
{
	struct due		 d;
	struct due_entry	 x;
	struct err		 e;

	check_case("first by time, then by order of asking; only when due");
	CHECK(due_new(&d, 3, &e) == RC_OK);
	CHECK(due_next_ms(&d) == INT64_MAX && due_first(&d) == NULL);
	due_add(&d, 2, 500, 9);
	due_add(&d, 0, 500, 8);
	due_add(&d, 1, 499, 10);
	CHECK(!due_pop(&d, 498, &x));
	CHECK(due_pop(&d, 499, &x));
	CHECK_INT(x.handle, 1);
	CHECK(!due_pop(&d, 499, &x));
	CHECK(due_pop(&d, 10000, &x));
	CHECK_INT(x.handle, 0);
	CHECK(due_has(&d, 2) && !due_has(&d, 0));
	CHECK(due_remove(&d, 2) && !due_remove(&d, 2));
	CHECK_INT(d.count, 0);
	due_free(&d);
}

static void
test_random(void)
{
	struct rng		 r = { 5 };
	struct due		 d;
	struct due_entry	 x;
	struct err		 e;
	uint64_t		 seq = 0;
	uint32_t		 h;
	int			 i, best;

	check_case("two hundred thousand random steps");
	for (h = 0; h < HANDLES; h++)
		due_at[h] = -1;
	CHECK(due_new(&d, HANDLES / 2, &e) == RC_OK);
	CHECK(due_grow(&d, HANDLES, &e) == RC_OK);
	for (i = 0; i < 200000; i++) {
		h = (uint32_t)rng_below(&r, HANDLES);
		best = first_of_all();
		if (!CHECK(due_next_ms(&d) ==
		    (best < 0 ? INT64_MAX : due_at[best])))
			break;
		if (rng_below(&r, 4) == 0 && best >= 0) {
			CHECK(due_pop(&d, INT64_MAX, &x));
			if (!CHECK((int)x.handle == best))
				break;
			due_at[best] = -1;
		} else if (due_at[h] >= 0) {
			CHECK(due_has(&d, h) && due_remove(&d, h));
			due_at[h] = -1;
		} else {
			due_at[h] = (int64_t)rng_below(&r, 50);
			/* Not in order of adding. */
			seq_of[h] = seq++ ^ 5;
			due_add(&d, h, due_at[h], seq_of[h]);
		}
	}
	due_free(&d);
}

int
main(void)
{
	test_order();
	test_random();
	return check_done();
}
