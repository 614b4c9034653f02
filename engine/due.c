#include <assert.h>
#include <string.h>

#include "engine/due.h"
#include "engine/store.h"

enum rc
due_new(struct due *d, size_t capacity, struct err *e)
{
	void	*heap = NULL, *place = NULL;

	*d = (struct due){ 0 };
	if (capacity == 0 || capacity >= STORE_NONE)
		return err_set(e, "a queue of %zu entries", capacity);
	if (store_map(&heap, capacity * sizeof(*d->heap), "queue", e) !=
	    RC_OK)
		return RC_FAILED;
	if (store_map(&place, capacity * sizeof(*d->place), "queue", e) !=
	    RC_OK) {
		store_unmap(heap, capacity * sizeof(*d->heap));
		return RC_FAILED;
	}
	d->heap = heap;
	d->place = place;
	d->capacity = capacity;
	return RC_OK;
}

void
due_free(struct due *d)
{
	store_unmap(d->heap, d->capacity * sizeof(*d->heap));
	store_unmap(d->place, d->capacity * sizeof(*d->place));
	*d = (struct due){ 0 };
}

static inline bool
before(const struct due_entry *a, const struct due_entry *b)
{
	if (a->due_ms != b->due_ms)
		return a->due_ms < b->due_ms;
	return a->seq < b->seq;
}

static inline void
put(struct due *d, size_t i, struct due_entry x)
{
	d->heap[i] = x;
	d->place[x.handle] = (uint32_t)i + 1;
}

/* Place x at i or wherever above it belongs. */
static void
rise(struct due *d, size_t i, struct due_entry x)
{
	size_t	 up;

	for (; i > 0; i = up) {
		up = (i - 1) / 2;
		if (!before(&x, &d->heap[up]))
			break;
		put(d, i, d->heap[up]);
	}
	put(d, i, x);
}

/* Place x at i or wherever below it belongs. */
static void
sink(struct due *d, size_t i, struct due_entry x)
{
	size_t	 down;

	for (; (down = 2 * i + 1) < d->count; i = down) {
		if (down + 1 < d->count &&
		    before(&d->heap[down + 1], &d->heap[down]))
			down++;
		if (!before(&d->heap[down], &x))
			break;
		put(d, i, d->heap[down]);
	}
	put(d, i, x);
}

void
due_add(struct due *d, uint32_t handle, int64_t due_ms, uint64_t seq)
{
	assert(handle < d->capacity && d->count < d->capacity);
	assert(d->place[handle] == 0);
	rise(d, d->count++, (struct due_entry){ due_ms, seq, handle, 0 });
}

bool
due_remove(struct due *d, uint32_t handle)
{
	struct due_entry	 last;
	size_t			 i;

	assert(handle < d->capacity);
	if (d->place[handle] == 0)
		return false;
	i = d->place[handle] - 1;
	d->place[handle] = 0;
	last = d->heap[--d->count];
	/* Beyond the end lie only zeros. */
	d->heap[d->count] = (struct due_entry){ 0 };
	if (i == d->count)
		return true;
	if (i > 0 && before(&last, &d->heap[(i - 1) / 2]))
		rise(d, i, last);
	else
		sink(d, i, last);
	return true;
}

bool
due_pop(struct due *d, int64_t t_ms, struct due_entry *out)
{
	if (d->count == 0 || d->heap[0].due_ms > t_ms)
		return false;
	*out = d->heap[0];
	return due_remove(d, out->handle);
}

enum rc
due_grow(struct due *d, size_t capacity, struct err *e)
{
	struct due	 bigger;

	if (capacity <= d->capacity)
		return RC_OK;
	if (due_new(&bigger, capacity, e) != RC_OK)
		return RC_FAILED;
	memcpy(bigger.heap, d->heap, d->count * sizeof(*d->heap));
	memcpy(bigger.place, d->place, d->capacity * sizeof(*d->place));
	bigger.count = d->count;
	due_free(d);
	*d = bigger;
	return RC_OK;
}
