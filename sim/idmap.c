#include "sim/idmap.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_MIN	1024

void
idmap_free(struct idmap *m)
{
	free(m->slots);
	memset(m, 0, sizeof(*m));
}

/* The slot that holds the id, or the free one where it belongs. */
static struct idmap_entry *
find(const struct idmap *m, struct ident id)
{
	size_t	 mask = m->n_slots - 1, i = id.lo & mask;

	while (!ident_none(m->slots[i].id) &&
	    !ident_equal(m->slots[i].id, id))
		i = (i + 1) & mask;
	return &m->slots[i];
}

uint64_t *
idmap_get(const struct idmap *m, struct ident id)
{
	struct idmap_entry	*s;

	if (m->n_slots == 0)
		return NULL;
	s = find(m, id);
	return ident_none(s->id) ? NULL : &s->value;
}

static bool
grow(struct idmap *m)
{
	struct idmap	 bigger = { 0 };
	size_t		 i;

	bigger.n_slots = m->n_slots > 0 ? m->n_slots * 2 : SLOTS_MIN;
	bigger.count = m->count;
	bigger.slots = calloc(bigger.n_slots, sizeof(*bigger.slots));
	if (bigger.slots == NULL)
		return false;
	for (i = 0; i < m->n_slots; i++) {
		if (!ident_none(m->slots[i].id))
			*find(&bigger, m->slots[i].id) = m->slots[i];
	}
	free(m->slots);
	*m = bigger;
	return true;
}

uint64_t *
idmap_put(struct idmap *m, struct ident id, bool *new_out)
{
	struct idmap_entry	*s;

	/* At most three quarters full. */
	if ((m->count + 1) * 4 > m->n_slots * 3 && !grow(m))
		return NULL;
	s = find(m, id);
	*new_out = ident_none(s->id);
	if (*new_out) {
		s->id = id;
		m->count++;
	}
	return &s->value;
}
