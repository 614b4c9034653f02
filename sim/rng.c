#include "sim/rng.h"

#include <assert.h>

/* 2^(i/16) and 2^(i/256), times 2^31. */
static const uint32_t exp2_16[16] = {
	2147483648, 2242560872, 2341847524, 2445529972, 2553802834,
	2666869345, 2784941738, 2908241642, 3037000500, 3171459999,
	3311872529, 3458501653, 3611622603, 3771522796, 3938502376,
	4112874773,
};
static const uint32_t exp2_256[16] = {
	2147483648, 2153306067, 2159144272, 2164998306, 2170868212,
	2176754033, 2182655811, 2188573592, 2194507417, 2200457330,
	2206423375, 2212405596, 2218404036, 2224418739, 2230449750,
	2236497113,
};
#define LN2_Q46		INT64_C(744261118)	/* ln 2 / 65536, times 2^46 */
#define LOG2E_Q16	INT64_C(94548)

/* 2^(f / 65536) times 2^31, for f in 0 .. 65535. */
static uint64_t
exp2_fraction(uint32_t f)
{
	uint64_t	 m;

	m = (uint64_t)exp2_16[f >> 12] * exp2_256[f >> 8 & 15] >> 31;
	/* The rest is below 2^(1/256): one term of the series is enough. */
	return m + (m * ((f & 255) * (uint64_t)LN2_Q46 >> 15) >> 31);
}

int64_t
rng_exp2(int64_t x_q16)
{
	uint64_t	 m;
	int64_t		 whole = x_q16 >> 16;

	if (x_q16 < 0)
		return 0;
	if (whole >= 62)
		return INT64_C(1) << 62;
	m = exp2_fraction((uint32_t)(x_q16 & 0xffff));
	return (int64_t)(whole >= 31 ? m << (whole - 31) : m >> (31 - whole));
}

int64_t
rng_times_exp2(int64_t value, int64_t x_q16)
{
	int64_t		 whole = x_q16 >> 16;
	unsigned __int128 p;

	assert(value >= 0);
	p = (unsigned __int128)(uint64_t)value *
	    exp2_fraction((uint32_t)(x_q16 & 0xffff));
	if (whole >= 31)
		p = whole - 31 > 30 ? p << 30 : p << (whole - 31);
	else
		p = 31 - whole > 127 ? 0 : p >> (31 - whole);
	return p > (unsigned __int128)INT64_MAX ? INT64_MAX : (int64_t)p;
}

int64_t
rng_log2(uint64_t x)
{
	int64_t		 whole, fraction = 0;
	uint64_t	 m;
	int		 i;

	assert(x > 0);
	whole = 63 - __builtin_clzll(x);
	m = whole >= 31 ? x >> (whole - 31) : x << (31 - whole);
	for (i = 0; i < 16; i++) {
		m = m * m >> 31;
		fraction <<= 1;
		if (m >> 32 != 0) {
			m >>= 1;
			fraction |= 1;
		}
	}
	return whole * Q16 + fraction;
}

uint64_t
rng_isqrt(uint64_t x)
{
	uint64_t	 root = 0, bit = UINT64_C(1) << 62;

	while (bit > x)
		bit >>= 2;
	for (; bit != 0; bit >>= 2) {
		if (x >= root + bit) {
			x -= root + bit;
			root = (root >> 1) + bit;
		} else
			root >>= 1;
	}
	return root;
}

int64_t
rng_normal_q16(struct rng *r)
{
	int64_t		 sum = 0;
	uint64_t	 bits;
	int		 i;

	for (i = 0; i < 3; i++) {
		bits = rng_next(r);
		sum += (int64_t)((bits & 0xffff) + (bits >> 16 & 0xffff) +
		    (bits >> 32 & 0xffff) + (bits >> 48));
	}
	return sum - 6 * 65535;
}

int64_t
rng_exponent_q16(uint64_t bits)
{
	return 64 * Q16 - rng_log2(bits | 1);
}

int64_t
rng_poisson_bits(uint64_t bits, int64_t mean_ppm)
{
	int64_t		 k;
	uint64_t	 u = bits >> 24, p, sum;		/* 40 bits */

	assert(mean_ppm >= 0 && mean_ppm <= 12 * PPM);
	p = (uint64_t)rng_times_exp2(INT64_C(1) << 40,
	    -(mean_ppm * LOG2E_Q16 / PPM));
	sum = p;
	for (k = 0; u >= sum && k < 100; k++) {
		p = p * (uint64_t)mean_ppm / (uint64_t)((k + 1) * PPM);
		sum += p;
		if (p == 0)
			break;
	}
	return k;
}

int64_t
rng_poisson(struct rng *r, int64_t mean_ppm)
{
	int64_t		 n;

	if (mean_ppm <= 0)
		return 0;
	if (mean_ppm <= 12 * PPM)
		return rng_poisson_bits(rng_next(r), mean_ppm);
	/* Near enough to normal from here on. */
	n = (mean_ppm + (int64_t)rng_isqrt((uint64_t)mean_ppm) * 1000 / 64 *
	    rng_normal_q16(r) / 1024 + PPM / 2) / PPM;
	return n < 0 ? 0 : n;
}

int
rng_pick(struct rng *r, const int *weights, int n)
{
	uint64_t	 sum = 0, x;
	int		 i;

	for (i = 0; i < n; i++)
		sum += (uint64_t)weights[i];
	x = rng_below(r, sum);
	for (i = 0; i < n - 1; i++) {
		if (x < (uint64_t)weights[i])
			break;
		x -= (uint64_t)weights[i];
	}
	return i;
}

uint64_t
rng_zipf(uint64_t bits, uint64_t n)
{
	int64_t		 top = rng_log2(n + 1);
	uint64_t	 rank;

	/* 1 .. n + 1 with a uniform logarithm, kept to 16 more bits. */
	rank = (uint64_t)rng_exp2((int64_t)rng_scale(bits,
	    (uint64_t)top + 1) + 16 * Q16) >> 16;
	if (rank > n)
		rank = n;
	return rank == 0 ? 0 : rank - 1;
}
