/*
 * Numbers that look random and are the same everywhere.
 *
 * Counter-based: a number is a hash of (seed, purpose, index), so that any
 * of them can be had without the ones before.  Everything is integer
 * arithmetic: no floating point, no libm, so that gcc and clang, 32 and 64
 * bits, agree on every byte.  The mixer is the finalizer of SplitMix64
 * (Steele, Lea, Flood, "Fast splittable pseudorandom number generators",
 * OOPSLA 2014).  Good enough for scenarios, of no use for secrets.
 *
 * Fixed point: `_q16` is a number times 65536.
 */
#ifndef SIM_RNG_H
#define SIM_RNG_H

#include <stdbool.h>
#include <stdint.h>

#define RNG_GOLDEN	UINT64_C(0x9e3779b97f4a7c15)
#define Q16		INT64_C(65536)
#define PPM		INT64_C(1000000)

/* A sequence: the n-th number is a hash of key and n. */
struct rng {
	uint64_t	key;
	uint64_t	n;
};

static inline uint64_t
rng_mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/* A hash of three numbers; for attributes that need no sequence. */
static inline uint64_t
rng_hash(uint64_t key, uint64_t a, uint64_t b)
{
	return rng_mix(rng_mix(key + (a + 1) * RNG_GOLDEN) +
	    (b + 1) * UINT64_C(0xd1b54a32d192ed03));
}

/* The sequence of a purpose: differing (a, b) give unrelated sequences. */
static inline void
rng_start(struct rng *r, uint64_t key, uint64_t a, uint64_t b)
{
	r->key = rng_hash(key, a, b);
	r->n = 0;
}

static inline uint64_t
rng_next(struct rng *r)
{
	return rng_mix(r->key + ++r->n * RNG_GOLDEN);
}

/* Scale 64 random bits into 0 .. below - 1; below > 0. */
static inline uint64_t
rng_scale(uint64_t bits, uint64_t below)
{
	return (uint64_t)(((unsigned __int128)bits * below) >> 64);
}

static inline uint64_t
rng_below(struct rng *r, uint64_t below)
{
	return rng_scale(rng_next(r), below);
}

/* lo .. hi, both included; lo <= hi. */
static inline int64_t
rng_range(struct rng *r, int64_t lo, int64_t hi)
{
	return lo + (int64_t)rng_below(r, (uint64_t)(hi - lo) + 1);
}

/* True in ppm of a million cases. */
static inline bool
rng_chance(struct rng *r, int64_t ppm)
{
	return (int64_t)rng_below(r, PPM) < ppm;
}

/* 2^(x / 65536), rounded down; 0 below 0, saturating at 2^62. */
int64_t rng_exp2(int64_t x_q16);

/* log2(x) in q16, rounded down; x > 0. */
int64_t rng_log2(uint64_t x);

/* value * 2^(x / 65536): also for x < 0.  value >= 0. */
int64_t rng_times_exp2(int64_t value, int64_t x_q16);

/* floor(sqrt(x)). */
uint64_t rng_isqrt(uint64_t x);

/* Standard normal, by the sum of twelve uniforms: never beyond 6. */
int64_t rng_normal_q16(struct rng *r);

/* -log2(u) for u in (0, 1]: exponential with mean 1/ln 2, from 64 bits. */
int64_t rng_exponent_q16(uint64_t bits);

/*
 * Poisson with a mean given in millionths, at most 12 of them, from 64
 * random bits: large bits give large numbers, and those below 1 - mean of
 * their range give 0.
 */
int64_t rng_poisson_bits(uint64_t bits, int64_t mean_ppm);

/* The same with any mean. */
int64_t rng_poisson(struct rng *r, int64_t mean_ppm);

/* Index drawn with the given weights (their sum may not be 0). */
int rng_pick(struct rng *r, const int *weights, int n);

/*
 * 0 .. n - 1, small ones oftener: the rank's logarithm is uniform, which is
 * Zipf's law with exponent 1.  n > 0.
 */
uint64_t rng_zipf(uint64_t bits, uint64_t n);

#endif
