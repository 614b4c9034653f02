/*
 * An unfriendly machine, for the tests of parsers: memory that ends where
 * the input ends, and allocations that fail.
 *
 * To be included by one file of a program.  For allocations, link it with
 * `hostile_args` of bitcoin/meson.build (-Wl,--wrap=malloc and so on), and
 * define HOSTILE_ALLOC before the include.
 */
#ifndef BITCOIN_TEST_HOSTILE_H
#define BITCOIN_TEST_HOSTILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * A copy of the bytes, the last of them before a page that is not mapped:
 * reading one too many dies.  Writable, so that it can be changed; it lives
 * until the next call.
 */
static inline unsigned char *
hostile_place(const void *bytes, size_t len)
{
	static unsigned char *map;
	static size_t	 room;
	size_t		 page = (size_t)sysconf(_SC_PAGESIZE);

	if (map == NULL || room < len) {
		if (map != NULL)
			(void)munmap(map, room + page);
		room = (len / page + 1) * page;
		map = mmap(NULL, room + page, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (map == MAP_FAILED ||
		    mprotect(map + room, page, PROT_NONE) != 0) {
			perror("mmap");
			exit(2);
		}
	}
	if (len > 0)
		memcpy(map + room - len, bytes, len);
	return map + room - len;
}

#ifdef HOSTILE_ALLOC

/*
 * hostile_fail(k): the k'th allocation from now returns NULL, once.
 * hostile_live counts what was allocated and not freed: equal before and
 * after, or something leaks.  Only calls from this program's own objects
 * count, not those inside shared libraries.
 *
 *	for (k = 1;; k++) {
 *		live = hostile_live;
 *		hostile_fail(k);
 *		rc = thing_parse(&t, ...);
 *		if (!hostile_end())
 *			break;			// all have failed in turn
 *		CHECK(rc != RC_OK);
 *		CHECK(hostile_live == live);
 *	}
 */
static unsigned long hostile_fail_at;
static bool hostile_failed;
static long hostile_live;

static inline void
hostile_fail(unsigned long k)
{
	hostile_fail_at = k;
	hostile_failed = false;
}

/* Back to normal; whether one failed since. */
static inline bool
hostile_end(void)
{
	hostile_fail_at = 0;
	return hostile_failed;
}

static inline bool
hostile_refuses(void)
{
	if (hostile_fail_at == 0 || --hostile_fail_at > 0)
		return false;
	hostile_failed = true;
	return true;
}

void *__real_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__real_realloc(void *, size_t);
void *__real_reallocarray(void *, size_t, size_t);
void __real_free(void *);
void *__wrap_malloc(size_t);
void *__wrap_calloc(size_t, size_t);
void *__wrap_realloc(void *, size_t);
void *__wrap_reallocarray(void *, size_t, size_t);
void __wrap_free(void *);

void *
__wrap_malloc(size_t n)
{
	void	*p = hostile_refuses() ? NULL : __real_malloc(n);

	hostile_live += p != NULL;
	return p;
}

void *
__wrap_calloc(size_t n, size_t size)
{
	void	*p = hostile_refuses() ? NULL : __real_calloc(n, size);

	hostile_live += p != NULL;
	return p;
}

void *
__wrap_realloc(void *old, size_t n)
{
	void	*p = hostile_refuses() ? NULL : __real_realloc(old, n);

	hostile_live += old == NULL && p != NULL;
	return p;
}

void *
__wrap_reallocarray(void *old, size_t n, size_t size)
{
	void	*p;

	p = hostile_refuses() ? NULL : __real_reallocarray(old, n, size);
	hostile_live += old == NULL && p != NULL;
	return p;
}

void
__wrap_free(void *p)
{
	hostile_live -= p != NULL;
	__real_free(p);
}

#endif /* HOSTILE_ALLOC */

#endif
