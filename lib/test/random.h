/* Numbers for property tests: SplitMix64, the same on every machine. */
#ifndef LIB_TEST_RANDOM_H
#define LIB_TEST_RANDOM_H

#include <stdint.h>

struct random {
	uint64_t	 state;
};

static inline uint64_t
random_next(struct random *r)
{
	uint64_t	 z = (r->state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

#endif
