#include <stdlib.h>

#include "engine/test/rng.h"
#include "engine/window.h"
#include "tests/check.h"

#define EVENTS_MAX 4096

/* The truth: every event of the recent past, in a ring. */
struct exact {
	int64_t	t_ms[EVENTS_MAX];
	int64_t	amount[EVENTS_MAX];
	size_t	first, n;
};

static void
exact_add(struct exact *x, int64_t t_ms, int64_t amount)
{
	size_t	 i = (x->first + x->n) % EVENTS_MAX;

	x->t_ms[i] = t_ms;
	x->amount[i] = amount;
	x->n++;
}

/* Sums over [t - span, t] and over (t - longer, t]; forgets the rest. */
static void
exact_read(struct exact *x, int64_t t_ms, int64_t span, int64_t longer,
    int64_t *sum, int64_t *sum_longer, int64_t *n_longer)
{
	size_t	 k, i;

	while (x->n > 0 && x->t_ms[x->first] <= t_ms - longer) {
		x->first = (x->first + 1) % EVENTS_MAX;
		x->n--;
	}
	*sum = 0, *sum_longer = 0, *n_longer = (int64_t)x->n;
	for (k = 0; k < x->n; k++) {
		i = (x->first + k) % EVENTS_MAX;
		*sum_longer += x->amount[i];
		if (x->t_ms[i] >= t_ms - span)
			*sum += x->amount[i];
	}
}

/* A step in time: often none, sometimes exactly one window or bucket. */
static int64_t
step(struct rng *r, const struct window_shape *s)
{
	switch (rng_below(r, 12)) {
	case 0: case 1: case 2: case 3:
		return 0;
	case 4:
		return 1;
	case 5:
		return s->width_ms;
	case 6:
		return rng_below(r, 20) == 0 ? s->window_ms : 1;
	case 7:
		return rng_below(r, 40) == 0 ?
		    (int64_t)rng_below(r, (uint64_t)s->window_ms * 9) : 0;
	default:
		return (int64_t)rng_below(r, (uint64_t)s->width_ms + 2);
	}
}

static void
against_exact(int64_t window_ms, uint32_t buckets, bool money, int steps,
    uint64_t seed)
{
	struct window_shape	 s = window_shape(window_ms, buckets, money);
	struct rng		 r = { seed };
	struct exact		*x = calloc(1, sizeof(*x));
	uint32_t		*w = calloc(window_words(&s), sizeof(*w));
	uint64_t		*wide = calloc(window_wide_words(&s),
				    sizeof(*wide));
	int64_t			 t = 1000 + (int64_t)rng_below(&r, 1 << 30);
	int64_t			 longer, sum, sum_longer, n, amount, got;
	int			 i;

	longer = s.width_ms * (buckets + 1);
	CHECK(longer <= window_ms + window_ms / buckets + buckets + 1);
	for (i = 0; i < steps; i++) {
		t += step(&r, &s);
		exact_read(x, t, window_ms, longer, &sum, &sum_longer, &n);
		if (x->n < EVENTS_MAX && rng_below(&r, 3) != 0) {
			amount = money ? (int64_t)rng_below(&r, 5000000) : 1;
			exact_add(x, t, amount);
			window_add(&s, w, t, amount);
			window_wide_add(&s, wide, t, amount);
			sum += amount, sum_longer += amount, n++;
		}
		got = window_read(&s, w, t);
		if (!CHECK(got >= sum))
			break;
		if (!CHECK(got <= sum_longer +
		    (money ? n * (WINDOW_UNIT_SAT - 1) : 0)))
			break;
		CHECK(window_empty(&s, w, t) == (got == 0));
		got = window_wide_read(&s, wide, t);
		if (!CHECK(got >= sum && got <= sum_longer))
			break;
	}
	free(x);
	free(w);
	free(wide);
}

static void
test_edges(void)
{
	struct window_shape	 s = window_shape(80, 8, false);
	uint32_t		 w[10] = { 0 };

	check_case("an event exactly W old is inside, W + W/B is out");
	CHECK_INT(window_words(&s), 10);
	window_add(&s, w, 1000, 1);
	CHECK_INT(window_read(&s, w, 1000), 1);
	CHECK_INT(window_read(&s, w, 1080), 1);
	CHECK_INT(window_read(&s, w, 1089), 1);
	CHECK_INT(window_read(&s, w, 1090), 0);
	window_add(&s, w, 1009, 1);
	CHECK_INT(window_read(&s, w, 1089), 2);
	CHECK_INT(window_read(&s, w, 1090), 0);
	/* Reading late did not change it. */
	CHECK_INT(window_read(&s, w, 1010), 2);
}

static void
test_saturated(void)
{
	struct window_shape	 s = window_shape(3600000, 8, true);
	uint32_t		 w[10] = { 0 };

	check_case("money rounds up; a full cell reads INT64_MAX");
	window_add(&s, w, 0, 1);
	CHECK_INT(window_read(&s, w, 0), 1000);
	window_add(&s, w, 0, 1001);
	CHECK_INT(window_read(&s, w, 0), 3000);
	window_add(&s, w, 0, INT64_C(4294967292) * 1000);
	CHECK(window_read(&s, w, 0) == INT64_MAX);
	window_add(&s, w, 0, 1);
	CHECK(window_read(&s, w, 3600000) == INT64_MAX);
	CHECK_INT(window_read(&s, w, 4050000), 0);
	memset(w, 0, sizeof(w));
	window_add(&s, w, 0, AMOUNT_SAT_MAX);
	CHECK(window_read(&s, w, 1) == INT64_MAX);
}

/* The number of the newest bucket passes 2^32 while things are inside. */
static void
test_wrap(void)
{
	struct window_shape	 s = window_shape(16, 8, false);
	uint32_t		 w[10] = { 0 };
	int64_t			 edge = INT64_C(2) << 32, t;

	check_case("bucket numbers beyond 32 bits");
	for (t = edge - 16; t <= edge + 40; t++) {
		window_add(&s, w, t, 1);
		CHECK(window_read(&s, w, t) >= (t < edge ? t - edge + 17 :
		    17));
		CHECK(window_read(&s, w, t) <= 18);
	}
}

static void
test_committed(void)
{
	struct window_shape	 s = window_shape(1000, 4, true);
	uint32_t		 w[6] = { 0 };
	uint64_t		 wide[7] = { 0 };
	int64_t			 waiting = 0, waiting_wide = 0;

	check_case("committed: what waits counts, however old");
	committed_reserve(&waiting, 5000);
	committed_reserve(&waiting, 7000);
	committed_reserve(&waiting_wide, 12000);
	CHECK_INT(committed_read(&s, w, waiting, 99999), 12000);
	CHECK_INT(committed_wide_read(&s, wide, waiting_wide, 99999), 12000);
	committed_drop(&waiting, 5000);
	committed_move(&s, w, &waiting, 100000, 7000);
	committed_wide_move(&s, wide, &waiting_wide, 100000, 12000);
	CHECK_INT(waiting, 0);
	CHECK_INT(committed_read(&s, w, waiting, 101000), 7000);
	CHECK_INT(committed_read(&s, w, waiting, 101250), 0);
	CHECK_INT(committed_wide_read(&s, wide, waiting_wide, 101000), 12000);
	CHECK_INT(committed_wide_read(&s, wide, waiting_wide, 101250), 0);
}

int
main(void)
{
	static const uint32_t	 buckets[] = { 1, 2, 7, 8, 12, 16, 64 };
	size_t			 i;

	test_edges();
	test_saturated();
	test_wrap();
	test_committed();
	check_case("never under the closed window, never over W + W/B");
	for (i = 0; i < sizeof(buckets) / sizeof(buckets[0]); i++) {
		against_exact(86400000, buckets[i], true, 60000, i + 1);
		against_exact(1000, buckets[i], true, 60000, i + 11);
		against_exact(997, buckets[i], false, 60000, i + 21);
		against_exact(3, buckets[i], false, 60000, i + 31);
	}
	return check_done();
}
