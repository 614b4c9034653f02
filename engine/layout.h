/*
 * Record layouts, computed from the program: which facts an account must
 * remember, which windows each kind of place has and where they stand.
 */
#ifndef ENGINE_LAYOUT_H
#define ENGINE_LAYOUT_H

#include "engine/inner.h"

/*
 * Fills e->places (sizes only), e->counters, e->by_stage, e->opt, e->frozen
 * and the offsets; e->p and e->pol are set.  Fails on a program with more
 * aggregates or places than fit.
 */
enum rc layout_compute(struct engine *e, struct err *err) MUST_CHECK;

/* A moment in an account's record, NULL when this policy keeps none. */
static inline uint32_t *
layout_u32(const struct engine *e, struct account *a, enum opt o)
{
	if (e->opt[o] == 0)
		return NULL;
	return (uint32_t *)(void *)((unsigned char *)a + e->opt[o]);
}

static inline int64_t *
layout_i64(const struct engine *e, struct account *a, enum opt o)
{
	if (e->opt[o] == 0)
		return NULL;
	return (int64_t *)(void *)((unsigned char *)a + e->opt[o]);
}

/* Of a waiting record. */
static inline uint32_t *
layout_places(const struct engine *e, struct waiting *k)
{
	return (uint32_t *)(void *)((unsigned char *)k + e->off_places);
}

static inline int64_t *
layout_declared(const struct engine *e, struct waiting *k)
{
	return (int64_t *)(void *)((unsigned char *)k + e->off_declared);
}

static inline int64_t *
layout_frozen(const struct engine *e, struct waiting *k)
{
	return (int64_t *)(void *)((unsigned char *)k + e->off_frozen);
}

#endif
