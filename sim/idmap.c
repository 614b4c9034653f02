#include "sim/idmap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define SLOTS_MIN	1024
#define HUGE_PAGE	((size_t)2 * 1024 * 1024)

void
idmap_free(struct idmap *m)
{
	free(m->slots);
	memset(m, 0, sizeof(*m));
}

static inline uint64_t
tag_of(struct ident id)
{
	return id.lo != 0 ? id.lo : 1;
}

/* The slot that holds the tag, or the free one where it belongs. */
static struct idmap_entry *
find(const struct idmap *m, uint64_t tag)
{
	size_t	 mask = m->n_slots - 1, i = tag & mask;

	while (m->slots[i].tag != 0 && m->slots[i].tag != tag)
		i = (i + 1) & mask;
	return &m->slots[i];
}

uint64_t *
idmap_get(const struct idmap *m, struct ident id)
{
	struct idmap_entry	*s;

	if (m->n_slots == 0)
		return NULL;
	s = find(m, tag_of(id));
	return s->tag == 0 ? NULL : &s->value;
}

/* Zeroes; in huge pages when it is worth it, since every access to a large
 * map is to another page. */
static void *
slots_new(size_t bytes)
{
	void	*p;

	if (bytes < HUGE_PAGE)
		return calloc(1, bytes);
	if ((p = aligned_alloc(HUGE_PAGE, bytes)) == NULL)
		return NULL;
	(void)madvise(p, bytes, MADV_HUGEPAGE);
	return memset(p, 0, bytes);
}

static bool
grow(struct idmap *m)
{
	struct idmap	 bigger = { 0 };
	size_t		 i;

	bigger.n_slots = m->n_slots > 0 ? m->n_slots * 2 : SLOTS_MIN;
	bigger.count = m->count;
	bigger.slots = slots_new(bigger.n_slots * sizeof(*bigger.slots));
	if (bigger.slots == NULL)
		return false;
	for (i = 0; i < m->n_slots; i++) {
		if (m->slots[i].tag != 0)
			*find(&bigger, m->slots[i].tag) = m->slots[i];
	}
	free(m->slots);
	*m = bigger;
	return true;
}

uint64_t *
idmap_put(struct idmap *m, struct ident id, bool *new_out)
{
	struct idmap_entry	*s;

	/* At most half full: runs stay short. */
	if ((m->count + 1) * 2 > m->n_slots && !grow(m))
		return NULL;
	s = find(m, tag_of(id));
	*new_out = s->tag == 0;
	if (*new_out) {
		s->tag = tag_of(id);
		m->count++;
	}
	return &s->value;
}
