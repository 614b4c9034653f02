/*
 * Two generations: the older one is dropped when the newer is as old as an
 * entry must live.
 */
#include "auth/repeat.h"

#include <stdlib.h>
#include <string.h>

struct generation {
	unsigned char	(*slots)[16];
	size_t		 room;		/* a power of two */
	size_t		 n;
	int64_t		 since_ms;
};

struct repeat {
	struct generation now, before;
};

static const unsigned char	 none[16];

static bool
generation_new(struct generation *g, size_t room, int64_t ms)
{
	g->slots = calloc(room, sizeof(*g->slots));
	g->room = room;
	g->n = 0;
	g->since_ms = ms;
	return g->slots != NULL;
}

enum rc
repeat_new(struct repeat **out, struct err *e)
{
	struct repeat	*r = calloc(1, sizeof(*r));

	if (r == NULL || !generation_new(&r->now, 1024, 0) ||
	    !generation_new(&r->before, 16, 0)) {
		repeat_free(&r);
		return err_set(e, "no memory");
	}
	*out = r;
	return RC_OK;
}

void
repeat_free(struct repeat **r)
{
	if (*r != NULL) {
		free((*r)->now.slots);
		free((*r)->before.slots);
	}
	free(*r);
	*r = NULL;
}

/* Where it is, or where it would be. */
static unsigned char *
slot(const struct generation *g, const unsigned char hash[16])
{
	size_t	 i;

	memcpy(&i, hash, sizeof(i));
	for (;; i++) {
		i &= g->room - 1;
		if (memcmp(g->slots[i], none, 16) == 0 ||
		    memcmp(g->slots[i], hash, 16) == 0)
			return g->slots[i];
	}
}

static bool
grow(struct generation *g)
{
	struct generation	 big;
	size_t			 i;

	if (!generation_new(&big, 2 * g->room, g->since_ms))
		return false;
	for (i = 0; i < g->room; i++) {
		if (memcmp(g->slots[i], none, 16) != 0)
			memcpy(slot(&big, g->slots[i]), g->slots[i], 16);
	}
	big.n = g->n;
	free(g->slots);
	*g = big;
	return true;
}

static bool
turn(struct repeat *r, int64_t ms)
{
	struct generation	 next;

	if (ms - r->now.since_ms < REPEAT_KEPT_MS)
		return true;
	/* Nothing came for long: nothing is worth keeping. */
	if (!generation_new(&next, 1024, ms))
		return false;
	free(r->before.slots);
	r->before = r->now;
	r->now = next;
	return true;
}

void
repeat_expect(const struct repeat *r, const unsigned char hash[32])
{
	size_t	 i;

	memcpy(&i, hash, sizeof(i));
	__builtin_prefetch(r->before.slots[i & (r->before.room - 1)]);
	__builtin_prefetch(r->now.slots[i & (r->now.room - 1)], 1);
}

enum repeat_said
repeat_take(struct repeat *r, const unsigned char hash[32], int64_t mono_ms)
{
	unsigned char	*s;

	if (!turn(r, mono_ms))
		return REPEAT_FULL;
	if (memcmp(slot(&r->before, hash), hash, 16) == 0)
		return REPEAT_AGAIN;
	s = slot(&r->now, hash);
	if (memcmp(s, hash, 16) == 0)
		return REPEAT_AGAIN;
	if (r->now.n >= REPEAT_MAX)
		return REPEAT_FULL;
	if (2 * (r->now.n + 1) > r->now.room) {
		if (!grow(&r->now))
			return REPEAT_FULL;
		s = slot(&r->now, hash);
	}
	memcpy(s, hash, 16);
	r->now.n++;
	return REPEAT_NEW;
}
