/*
 * Memory that is freed all at once.
 *
 * A policy is many small pieces with one owner and one end.  They are taken
 * from an arena, so that a parse error anywhere leaks nothing.  Memory comes
 * zeroed.  When there is none left the process ends: a policy loads whole or
 * not at all, and the one who restarts us keeps everything closed meanwhile.
 */
#ifndef POLICY_MEM_H
#define POLICY_MEM_H

#include <stddef.h>

/* p itself, when it is not NULL. */
void *mem_must(void *p);

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena **a);

/* Never NULL, zeroed, aligned for anything. */
void *arena_alloc(struct arena *a, size_t size);
char *arena_strndup(struct arena *a, const char *text, size_t len);

/*
 * Room for one more element behind n: returns the array, moved when n is
 * 0 or a power of two, with element n zeroed.  n grows by one each time.
 */
void *arena_grow(struct arena *a, void *array, size_t n, size_t size);

#endif
