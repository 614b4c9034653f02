#include <stdlib.h>

#include "engine/members.h"
#include "engine/test/rng.h"
#include "tests/check.h"

#define NAIVE_MAX 400

/* The truth: when each possible member was last seen and what waits. */
struct naive {
	int64_t		bucket[NAIVE_MAX];	/* -1: never */
	uint32_t	waiting[NAIVE_MAX];
	uint32_t	n;
};

static bool
naive_contains(const struct naive *v, const struct members_shape *s,
    uint32_t i, int64_t t_ms)
{
	int64_t	 now = window_bucket(&s->window, t_ms);

	return v->waiting[i] > 0 || (v->bucket[i] >= 0 &&
	    now - v->bucket[i] <= s->window.buckets);
}

static int64_t
naive_count(const struct naive *v, const struct members_shape *s,
    int64_t t_ms)
{
	int64_t		 n = 0;
	uint32_t	 i;

	for (i = 0; i < v->n; i++)
		n += naive_contains(v, s, i, t_ms);
	return n;
}

/* Both layouts behind one face. */
struct both {
	struct members_shape s;
	uint32_t	*few;		/* NULL: cap too large */
	void		*many;
};

static struct both
both_new(uint32_t cap, uint32_t buckets, int64_t window_ms, bool waiting)
{
	struct both	 b = { .few = NULL };

	b.s = (struct members_shape){
		.window = window_shape(window_ms, buckets, false),
		.cap = cap,
		.waiting = waiting,
	};
	if (cap <= MEMBERS_FEW_MAX)
		b.few = calloc(members_words(&b.s), sizeof(*b.few));
	b.many = calloc(1, members_many_bytes(&b.s));
	return b;
}

static void
both_free(struct both *b)
{
	free(b->few);
	free(b->many);
}

enum act { TOUCH, RESERVE, DROP, MOVE };

static void
both_do(struct both *b, enum act act, uint32_t i, int64_t t)
{
	static void	(*const few[])(const struct members_shape *,
			    uint32_t *, uint32_t, int64_t) = {
		members_touch, members_reserve, members_drop, members_move,
	};
	static void	(*const many[])(const struct members_shape *,
			    void *, uint32_t, int64_t) = {
		members_many_touch, members_many_reserve, members_many_drop,
		members_many_move,
	};

	if (b->few != NULL)
		few[act](&b->s, b->few, i, t);
	many[act](&b->s, b->many, i, t);
}

static void
naive_do(struct naive *v, const struct members_shape *s, enum act act,
    uint32_t i, int64_t t)
{
	if (act == RESERVE)
		v->waiting[i]++;
	if (act == DROP || act == MOVE)
		v->waiting[i]--;
	if (act == TOUCH || act == MOVE)
		v->bucket[i] = window_bucket(&s->window, t);
}

/*
 * With no waiting: exact up to the cap and INT64_MAX exactly above it.
 * With waiting: never below the truth; exact while nobody was ever too many.
 */
static bool
agrees(const struct both *b, const struct naive *v, int64_t got,
    int64_t want, bool was_full)
{
	if (want > b->s.cap)
		return CHECK(got == INT64_MAX);
	if (b->s.waiting && was_full)
		return CHECK(got >= want);
	(void)v;
	if (got != want)
		printf("# got %lld want %lld cap %u\n", (long long)got,
		    (long long)want, b->s.cap);
	return CHECK(got == want);
}

static bool
compare(const struct both *b, const struct naive *v, uint32_t i, int64_t t,
    bool was_full)
{
	int64_t	 want = naive_count(v, &b->s, t);
	int64_t	 with = want + !naive_contains(v, &b->s, i, t);
	bool	 in = naive_contains(v, &b->s, i, t);
	bool	 good = true;

	good &= agrees(b, v, members_many_count(&b->s, b->many, t), want,
	    was_full);
	good &= agrees(b, v, members_many_count_with(&b->s, b->many, i, t),
	    with, was_full || want > b->s.cap);
	if (!was_full)
		good &= CHECK(members_many_contains(&b->s, b->many, i, t) ==
		    in);
	if (b->few == NULL)
		return good;
	good &= agrees(b, v, members_count(&b->s, b->few, t), want, was_full);
	good &= agrees(b, v, members_count_with(&b->s, b->few, i, t), with,
	    was_full || want > b->s.cap);
	if (!was_full)
		good &= CHECK(members_contains(&b->s, b->few, i, t) == in);
	return good;
}

static void
against_naive(uint32_t cap, uint32_t n, uint32_t buckets, bool waiting,
    int steps, uint64_t seed)
{
	struct rng	 r = { seed };
	struct both	 b = both_new(cap, buckets, 10000, waiting);
	struct naive	*v = calloc(1, sizeof(*v));
	int64_t		 t = (int64_t)rng_below(&r, 100000);
	bool		 was_full = false;
	uint32_t	 i;
	int		 k;

	v->n = n;
	memset(v->bucket, 0xff, sizeof(v->bucket));
	for (k = 0; k < steps; k++) {
		if (rng_below(&r, 3) == 0)
			t += (int64_t)rng_below(&r, rng_below(&r, 50) == 0 ?
			    25000 : 60000 / n);
		i = (uint32_t)rng_below(&r, n);
		if (!compare(&b, v, i, t, was_full))
			break;
		if (waiting && v->waiting[i] > 0 && rng_below(&r, 4) != 0) {
			enum act act = rng_below(&r, 2) ? DROP : MOVE;

			both_do(&b, act, i, t);
			naive_do(v, &b.s, act, i, t);
		} else if (waiting && rng_below(&r, 3) == 0) {
			both_do(&b, RESERVE, i, t);
			naive_do(v, &b.s, RESERVE, i, t);
		} else {
			both_do(&b, TOUCH, i, t);
			naive_do(v, &b.s, TOUCH, i, t);
		}
		if (naive_count(v, &b.s, t) > cap)
			was_full = true;
		if (!compare(&b, v, i, t, was_full))
			break;
	}
	/* Everything ends: nothing may be left over. */
	for (i = 0; i < n; i++)
		for (; v->waiting[i] > 0; v->waiting[i]--)
			both_do(&b, DROP, i, t);
	t += 25000;
	CHECK_INT(members_many_count(&b.s, b.many, t), 0);
	if (b.few != NULL)
		CHECK(members_empty(&b.s, b.few, t));
	both_free(&b);
	free(v);
}

static void
test_full(void)
{
	struct both	 b = both_new(3, 10, 1000, false);
	uint32_t	 i;

	check_case("full: more than anything until the oldest ages out");
	for (i = 0; i < 3; i++)
		both_do(&b, TOUCH, i, 1000 + 100 * i);
	CHECK_INT(members_count(&b.s, b.few, 1250), 3);
	CHECK(members_count_with(&b.s, b.few, 7, 1250) == INT64_MAX);
	CHECK_INT(members_count_with(&b.s, b.few, 1, 1250), 3);
	both_do(&b, TOUCH, 3, 1300);
	CHECK(members_count(&b.s, b.few, 1300) == INT64_MAX);
	CHECK(members_many_count(&b.s, b.many, 1300) == INT64_MAX);
	/* Member 0 was seen in [1000, 1100): gone from 2100 on. */
	CHECK(members_count(&b.s, b.few, 2099) == INT64_MAX);
	CHECK_INT(members_count(&b.s, b.few, 2100), 3);
	CHECK_INT(members_many_count(&b.s, b.many, 2100), 3);
	both_free(&b);
}

static void
test_no_room(void)
{
	struct both	 b = both_new(2, 4, 1000, true);
	uint32_t	 i;

	check_case("reservations beyond the cap: more than anything");
	for (i = 0; i < 4; i++)
		both_do(&b, RESERVE, i, 1000);
	CHECK(members_count(&b.s, b.few, 90000) == INT64_MAX);
	CHECK(members_many_count(&b.s, b.many, 90000) == INT64_MAX);
	both_do(&b, DROP, 3, 90000);
	both_do(&b, MOVE, 2, 90000);
	/* Now 0 and 1 wait, 2 was seen and there was no room for it. */
	CHECK(members_count(&b.s, b.few, 90000) == INT64_MAX);
	CHECK(members_many_count(&b.s, b.many, 90000) == INT64_MAX);
	CHECK_INT(members_count(&b.s, b.few, 92000), 2);
	CHECK_INT(members_many_count(&b.s, b.many, 92000), 2);
	both_do(&b, MOVE, 0, 92000);
	both_do(&b, DROP, 1, 92000);
	CHECK_INT(members_count(&b.s, b.few, 92000), 1);
	CHECK_INT(members_many_count(&b.s, b.many, 92000), 1);
	CHECK_INT(members_count(&b.s, b.few, 94000), 0);
	both_free(&b);
}

static void
test_large(void)
{
	struct both	 b = both_new(65536, 64, 86400000, false);
	uint32_t	 i;
	int64_t		 t = INT64_C(1557249324000);

	check_case("65,536 members, one too many, all gone a day later");
	for (i = 0; i < 65536; i++)
		both_do(&b, TOUCH, i * 77, t + i);
	CHECK_INT(members_many_count(&b.s, b.many, t + 65536), 65536);
	both_do(&b, TOUCH, 3, t + 65536);
	CHECK(members_many_count(&b.s, b.many, t + 65536) == INT64_MAX);
	t += 86400000 + 86400000 / 64 + 65536;
	CHECK_INT(members_many_count(&b.s, b.many, t), 0);
	both_do(&b, TOUCH, 3, t);
	CHECK_INT(members_many_count(&b.s, b.many, t), 1);
	both_free(&b);
}

int
main(void)
{
	uint64_t	 i;

	test_full();
	test_no_room();
	test_large();
	check_case("distinct seen: as a naive model says");
	for (i = 1; i <= 8; i++) {
		against_naive(8, 7 + (uint32_t)i, 8, false, 40000, i);
		against_naive(64, 60 + 3 * (uint32_t)i, 16, false, 10000, i);
		against_naive(300, 380, 64, false, 5000, i);
		against_naive(1, 3, 1, false, 10000, i);
	}
	check_case("distinct committed: never below a naive model");
	for (i = 1; i <= 8; i++) {
		against_naive(8, 8, 8, true, 40000, i);
		against_naive(8, 9 + (uint32_t)i, 8, true, 40000, i);
		against_naive(200, 190, 64, true, 5000, i);
		against_naive(150, 380, 64, true, 5000, i);
	}
	return check_done();
}
