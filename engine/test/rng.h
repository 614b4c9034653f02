/*
 * A small generator of pseudo-random numbers for tests (xorshift64*, Vigna,
 * https://arxiv.org/abs/1402.6246): the same seed, the same test.
 */
#ifndef ENGINE_TEST_RNG_H
#define ENGINE_TEST_RNG_H

#include <stdint.h>

struct rng {
	uint64_t x;
};

static inline uint64_t
rng_next(struct rng *r)
{
	r->x ^= r->x >> 12;
	r->x ^= r->x << 25;
	r->x ^= r->x >> 27;
	return r->x * UINT64_C(2685821657736338717);
}

/* 0 .. n - 1 */
static inline uint64_t
rng_below(struct rng *r, uint64_t n)
{
	return (uint64_t)((unsigned __int128)rng_next(r) * n >> 64);
}

#endif
