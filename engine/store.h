/*
 * A growing array of records of one size that never moves.
 *
 * Address space for count_max records is reserved at once; memory is taken
 * by the kernel page by page as records are added, so that a capacity of ten
 * million accounts costs nothing until there are accounts.  A record is
 * named by its number, a uint32_t from 0; everything in the engine refers to
 * records by number, so that the bytes from record 0 on are the whole state
 * and a snapshot is a copy of them.
 *
 * Records that were removed are given out again, the last removed first.
 * While it is free a record's first four bytes hold the number of the next
 * free one, the rest is zero.
 */
#ifndef ENGINE_STORE_H
#define ENGINE_STORE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

/* No record. */
#define STORE_NONE	UINT32_MAX

struct store {
	unsigned char	*base;
	size_t		 record_size;
	size_t		 count_max;
	size_t		 mapped_bytes;
	uint32_t	 top;		/* records ever used: 0 .. top - 1 */
	uint32_t	 live;		/* of them not removed */
	uint32_t	 free_first;	/* STORE_NONE: none removed */
};

/*
 * Reserve room for count_max records of record_size bytes each; record_size
 * is a multiple of 4, so that what lies in a record is aligned to 4 (to 8
 * when it is a multiple of 8).  *s need not be initialised.
 */
enum rc store_new(struct store *s, size_t count_max, size_t record_size,
    struct err *e) MUST_CHECK;

/* Give everything back.  A store of zeros is left alone. */
void store_free(struct store *s);

/* A record that exists. */
static inline void *
store_at(const struct store *s, uint32_t n)
{
	assert(n < s->top);
	return s->base + (size_t)n * s->record_size;
}

/* Ask for a record's first cache line ahead of use. */
static inline void
store_prefetch(const struct store *s, uint32_t n)
{
	__builtin_prefetch(s->base + (size_t)n * s->record_size);
}

/* A new record of zeros; false, and nothing happens, when it is full. */
bool store_add(struct store *s, uint32_t *n_out) MUST_CHECK;

/* Take a record out; its number will be given out again. */
void store_remove(struct store *s, uint32_t n);

static inline bool
store_full(const struct store *s)
{
	return s->live == s->count_max;
}

/* Bytes of all records ever used, whether free now or not. */
static inline size_t
store_bytes(const struct store *s)
{
	return (size_t)s->top * s->record_size;
}

/*
 * For tools only: raise the capacity.  The records may move; every pointer
 * into the store is void afterwards.
 */
enum rc store_grow(struct store *s, size_t count_max, struct err *e)
    MUST_CHECK;

/*
 * Zeroed memory from the kernel, taken as it is touched; for the other flat
 * arrays here.  `what` names it in the error.
 */
enum rc store_map(void **out, size_t bytes, const char *what, struct err *e)
    MUST_CHECK;
void store_unmap(void *p, size_t bytes);
/* Have the kernel give all of it now, where it can (Linux 5.14). */
void store_populate(void *p, size_t bytes);

#endif
