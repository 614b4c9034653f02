#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "engine/store.h"

/* Below this huge pages would only waste: the kernel clears a whole one when
 * a byte of it is touched. */
#define HUGE_FROM_BYTES	((size_t)64 << 20)

enum rc
store_map(void **out, size_t bytes, const char *what, struct err *e)
{
	void	*p;

	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return err_set(e, "%s: cannot reserve %zu bytes: %s", what,
		    bytes, strerror(errno));
	/* Only advice: a kernel without huge pages works as well. */
	if (bytes >= HUGE_FROM_BYTES)
		(void)madvise(p, bytes, MADV_HUGEPAGE);
	*out = p;
	return RC_OK;
}

void
store_unmap(void *p, size_t bytes)
{
	int	 rc;

	if (p == NULL)
		return;
	rc = munmap(p, bytes);
	assert(rc == 0);
}

void
store_populate(void *p, size_t bytes)
{
#ifdef MADV_POPULATE_WRITE
	if (p == NULL)
		return;
	(void)madvise(p, bytes, MADV_HUGEPAGE);
	/* Else it comes as it is touched, or is missing then as now. */
	(void)madvise(p, bytes, MADV_POPULATE_WRITE);
#else
	(void)p;
	(void)bytes;
#endif
}

enum rc
store_new(struct store *s, size_t count_max, size_t record_size,
    struct err *e)
{
	void	*base = NULL;
	size_t	 bytes;

	assert(record_size >= 4 && record_size % 4 == 0);
	*s = (struct store){ .free_first = STORE_NONE };
	if (count_max == 0 || count_max >= STORE_NONE)
		return err_set(e, "a store of %zu records", count_max);
	if (__builtin_mul_overflow(count_max, record_size, &bytes))
		return err_set(e, "a store of %zu records of %zu bytes",
		    count_max, record_size);
	if (store_map(&base, bytes, "records", e) != RC_OK)
		return RC_FAILED;
	s->base = base;
	s->record_size = record_size;
	s->count_max = count_max;
	s->mapped_bytes = bytes;
	return RC_OK;
}

void
store_free(struct store *s)
{
	store_unmap(s->base, s->mapped_bytes);
	*s = (struct store){ .free_first = STORE_NONE };
}

bool
store_add(struct store *s, uint32_t *n_out)
{
	unsigned char	*record;

	if (s->free_first != STORE_NONE) {
		*n_out = s->free_first;
		record = store_at(s, s->free_first);
		memcpy(&s->free_first, record, sizeof(s->free_first));
		memset(record, 0, sizeof(s->free_first));
	} else {
		if (s->top == s->count_max)
			return false;
		*n_out = s->top++;
	}
	s->live++;
	return true;
}

void
store_remove(struct store *s, uint32_t n)
{
	unsigned char	*record = store_at(s, n);

	assert(s->live > 0);
	/* Zeros, so that equal histories leave equal bytes. */
	memset(record, 0, s->record_size);
	memcpy(record, &s->free_first, sizeof(s->free_first));
	s->free_first = n;
	s->live--;
}

enum rc
store_grow(struct store *s, size_t count_max, struct err *e)
{
	size_t	 bytes;
	void	*p;

	if (count_max <= s->count_max)
		return RC_OK;
	if (count_max >= STORE_NONE ||
	    __builtin_mul_overflow(count_max, s->record_size, &bytes))
		return err_set(e, "a store of %zu records of %zu bytes",
		    count_max, s->record_size);
	p = mremap(s->base, s->mapped_bytes, bytes, MREMAP_MAYMOVE);
	if (p == MAP_FAILED)
		return err_set(e, "records: cannot grow to %zu bytes: %s",
		    bytes, strerror(errno));
	s->base = p;
	s->mapped_bytes = bytes;
	s->count_max = count_max;
	return RC_OK;
}
