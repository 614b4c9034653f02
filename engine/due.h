/*
 * What falls due, in order of (due_ms, seq).
 *
 * A binary heap with room for a fixed number of entries, each named by a
 * handle from 0 to capacity - 1 (the number of the waiting withdrawal).  The
 * heap knows where each handle stands, so an entry is taken out in O(log n)
 * when its withdrawal is cancelled.  At most one entry a handle.
 */
#ifndef ENGINE_DUE_H
#define ENGINE_DUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

struct due_entry {
	int64_t		due_ms;
	uint64_t	seq;		/* order of asking; unique */
	uint32_t	handle;
	uint32_t	zero;		/* so that no byte is undefined */
};

struct due {
	struct due_entry *heap;
	uint32_t	*place;		/* by handle: index + 1, 0: not in */
	size_t		 count;
	size_t		 capacity;
};

enum rc due_new(struct due *d, size_t capacity, struct err *e) MUST_CHECK;
void due_free(struct due *d);

/* Enter a handle that is not in. */
void due_add(struct due *d, uint32_t handle, int64_t due_ms, uint64_t seq);

/* Take a handle out; false when it was not in. */
bool due_remove(struct due *d, uint32_t handle);

static inline bool
due_has(const struct due *d, uint32_t handle)
{
	return d->place[handle] != 0;
}

/* The first to fall due, or NULL; good until the next change. */
static inline const struct due_entry *
due_first(const struct due *d)
{
	return d->count == 0 ? NULL : &d->heap[0];
}

/* When the first falls due, INT64_MAX if none. */
static inline int64_t
due_next_ms(const struct due *d)
{
	return d->count == 0 ? INT64_MAX : d->heap[0].due_ms;
}

/* Take the first out if it is due at t; false when none is. */
bool due_pop(struct due *d, int64_t t_ms, struct due_entry *out);

/* For tools only: raise the capacity. */
enum rc due_grow(struct due *d, size_t capacity, struct err *e) MUST_CHECK;

#endif
