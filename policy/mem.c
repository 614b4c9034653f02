#include "policy/mem.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE	(16 * 1024)
#define ALIGN		16

struct chunk {
	struct chunk	*next;
	size_t		 size;
	size_t		 used;
	size_t		 pad;		/* keeps bytes[] aligned */
	unsigned char	 bytes[];
};

struct arena {
	struct chunk	*chunks;
};

void *
mem_must(void *p)
{
	if (p == NULL) {
		(void)fprintf(stderr, "policy: out of memory\n");
		abort();
	}
	return p;
}

struct arena *
arena_new(void)
{
	return mem_must(calloc(1, sizeof(struct arena)));
}

void
arena_free(struct arena **a)
{
	struct chunk	*c, *next;

	if (*a == NULL)
		return;
	for (c = (*a)->chunks; c != NULL; c = next) {
		next = c->next;
		free(c);
	}
	free(*a);
	*a = NULL;
}

void *
arena_alloc(struct arena *a, size_t size)
{
	struct chunk	*c = a->chunks;
	size_t		 room;
	void		*p;

	assert(size < SIZE_MAX / 4);
	size = (size + ALIGN - 1) / ALIGN * ALIGN;
	if (c == NULL || c->size - c->used < size) {
		room = size > CHUNK_SIZE ? size : CHUNK_SIZE;
		c = mem_must(calloc(1, sizeof(*c) + room));
		c->size = room;
		c->next = a->chunks;
		a->chunks = c;
	}
	p = c->bytes + c->used;
	c->used += size;
	return p;
}

char *
arena_strndup(struct arena *a, const char *text, size_t len)
{
	char	*s = arena_alloc(a, len + 1);

	if (len > 0)
		memcpy(s, text, len);
	return s;
}

void *
arena_grow(struct arena *a, void *array, size_t n, size_t size)
{
	void	*bigger;

	if (n != 0 && (n & (n - 1)) != 0)
		return array;
	assert(n < SIZE_MAX / 8 / size);
	bigger = arena_alloc(a, (n == 0 ? 1 : 2 * n) * size);
	if (n > 0)
		memcpy(bigger, array, n * size);
	return bigger;
}
