/*
 * The numbers themselves: golden, because every scenario hangs on them, and
 * their distributions, within what chance allows for fixed seeds.
 */
#include "sim/rng.h"

#include "tests/check.h"

static void
golden(void)
{
	struct rng	 r;

	check_case("golden numbers");
	/* The first four and the last were also computed by another program. */
	rng_start(&r, 1, 2, 3);
	CHECK_INT(rng_next(&r) >> 1, INT64_C(1354058840226769446));
	CHECK_INT(rng_next(&r) >> 1, INT64_C(4486169809125675189));
	CHECK_INT(rng_below(&r, 1000000), 885129);
	CHECK_INT(rng_normal_q16(&r), -67338);
	CHECK_INT(rng_poisson(&r, 3500000), 4);
	CHECK_INT(rng_poisson(&r, 40000000), 37);
	CHECK_INT(rng_hash(7, 8, 9) >> 1, INT64_C(2663402488989212));
}

static void
powers(void)
{
	int64_t	 x, y, worst = 0;

	check_case("powers and logarithms of two");
	CHECK_INT(rng_exp2(0), 1);
	CHECK_INT(rng_exp2(10 * Q16), 1024);
	CHECK_INT(rng_exp2(61 * Q16), INT64_C(1) << 61);
	CHECK_INT(rng_exp2(-1), 0);
	CHECK_INT(rng_exp2(200 * Q16), INT64_C(1) << 62);
	/* sqrt(2) and 2^(1/3), times 2^30 */
	CHECK_INT(rng_exp2(30 * Q16 + Q16 / 2) / 1000, 1518500);
	CHECK_INT(rng_exp2(30 * Q16 + Q16 / 3) / 10000, 135282);
	CHECK_INT(rng_log2(1), 0);
	CHECK_INT(rng_log2(UINT64_C(1) << 63), 63 * Q16);
	CHECK_INT(rng_log2(UINT64_MAX), 64 * Q16 - 1);
	CHECK_INT(rng_log2(10), 217705);
	CHECK_INT(rng_times_exp2(1000, -Q16), 500);
	CHECK_INT(rng_times_exp2(1000, -200 * Q16), 0);
	CHECK_INT(rng_times_exp2(INT64_MAX / 2, 40 * Q16), INT64_MAX);
	for (x = 0; x < 60 * Q16; x += 12347) {
		y = rng_log2((uint64_t)rng_exp2(x + Q16)) - x - Q16;
		if (x > 20 * Q16 && (y < 0 ? -y : y) > worst)
			worst = y < 0 ? -y : y;
	}
	CHECK(worst <= 2);
}

static void
roots(void)
{
	check_case("square roots");
	CHECK_INT(rng_isqrt(0), 0);
	CHECK_INT(rng_isqrt(15), 3);
	CHECK_INT(rng_isqrt(16), 4);
	CHECK_INT(rng_isqrt(UINT64_MAX), 4294967295);
}

#define DRAWS 200000

static void
normals(void)
{
	struct rng	 r;
	int64_t		 sum = 0, squares = 0, z, beyond = 0;
	int		 i;

	check_case("normal");
	rng_start(&r, 5, 0, 0);
	for (i = 0; i < DRAWS; i++) {
		z = rng_normal_q16(&r);
		sum += z;
		squares += z * z / Q16;
		beyond += z > 2 * Q16 || z < -2 * Q16;
	}
	CHECK(sum / DRAWS > -Q16 / 100 && sum / DRAWS < Q16 / 100);
	CHECK(squares / DRAWS > Q16 * 98 / 100 &&
	    squares / DRAWS < Q16 * 102 / 100);
	/* 4.55 % lie beyond two sigma */
	CHECK(beyond > DRAWS * 42 / 1000 && beyond < DRAWS * 49 / 1000);
}

static void
poisson_mean(int64_t mean_ppm)
{
	struct rng	 r;
	int64_t		 sum = 0, squares = 0, n, mean;
	int		 i;

	rng_start(&r, 6, (uint64_t)mean_ppm, 0);
	for (i = 0; i < DRAWS; i++) {
		n = rng_poisson(&r, mean_ppm);
		sum += n;
		squares += n * n;
	}
	mean = sum * 1000000 / DRAWS;
	CHECK(mean > mean_ppm * 97 / 100 - 1000);
	CHECK(mean < mean_ppm * 103 / 100 + 1000);
	/* The variance is the mean. */
	n = squares * 1000000 / DRAWS - mean * (mean / 1000) / 1000;
	CHECK(n > mean_ppm * 95 / 100 - 2000);
	CHECK(n < mean_ppm * 105 / 100 + 2000);
}

static void
poissons(void)
{
	struct rng	 r;
	uint64_t	 bits;
	int		 i;

	check_case("Poisson");
	CHECK_INT(rng_poisson(NULL, 0), 0);
	poisson_mean(28000);
	poisson_mean(1000000);
	poisson_mean(11900000);
	poisson_mean(12100000);
	poisson_mean(90000000);
	check_case("Poisson: small bits give none");
	rng_start(&r, 8, 0, 0);
	for (i = 0; i < 10000; i++) {
		bits = rng_next(&r);
		if ((int64_t)rng_scale(~bits, PPM) >= 300000)
			CHECK(rng_poisson_bits(bits, 300000) == 0);
	}
}

static void
zipf(void)
{
	struct rng	 r;
	uint64_t	 k;
	int		 count[100] = { 0 }, i;

	check_case("Zipf");
	rng_start(&r, 9, 0, 0);
	for (i = 0; i < DRAWS; i++) {
		k = rng_zipf(rng_next(&r), 100);
		if (!CHECK(k < 100))
			return;
		count[k]++;
	}
	CHECK(count[0] > count[1] && count[1] > count[3]);
	CHECK(count[3] > count[9] && count[9] > count[99]);
	CHECK(count[99] > 0);
	/* Half as often at twice the rank. */
	CHECK(count[9] * 10 > count[19] * 16 && count[9] * 10 <
	    count[19] * 24);
	CHECK_INT(rng_zipf(UINT64_MAX, 1), 0);
}

static void
picks(void)
{
	static const int weights[] = { 1, 0, 3 };
	struct rng	 r;
	int		 count[3] = { 0 }, i;

	check_case("weights");
	rng_start(&r, 10, 0, 0);
	for (i = 0; i < DRAWS; i++)
		count[rng_pick(&r, weights, 3)]++;
	CHECK_INT(count[1], 0);
	CHECK(count[0] > DRAWS * 24 / 100 && count[0] < DRAWS * 26 / 100);
}

int
main(void)
{
	golden();
	powers();
	roots();
	normals();
	poissons();
	zipf();
	picks();
	return check_done();
}
