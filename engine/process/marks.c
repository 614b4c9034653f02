#include "engine/process/marks.h"

#include <stdlib.h>
#include <string.h>

#include "lib/log.h"

#define ROOM_MIN	1024

static struct mark *
slot(const struct marks *m, struct ident id)
{
	size_t	 i = (size_t)id.lo;

	for (;; i++) {
		i &= m->room - 1;
		if (ident_none(m->slots[i].id) ||
		    ident_equal(m->slots[i].id, id))
			return &m->slots[i];
	}
}

int64_t
marks_get(const struct marks *m, struct ident id, int64_t none)
{
	const struct mark	*s;

	if (m->room == 0)
		return none;
	s = slot(m, id);
	return ident_none(s->id) ? none : s->value;
}

static void
grow(struct marks *m)
{
	struct marks	 old = *m;
	size_t		 i;

	m->room = old.room > 0 ? 2 * old.room : ROOM_MIN;
	if ((m->slots = calloc(m->room, sizeof(*m->slots))) == NULL) {
		log_event(LOG_BROKEN, "memory", NULL);
		abort();
	}
	for (i = 0; i < old.room; i++) {
		if (!ident_none(old.slots[i].id))
			*slot(m, old.slots[i].id) = old.slots[i];
	}
	free(old.slots);
}

void
marks_raise(struct marks *m, struct ident id, int64_t value)
{
	struct mark	*s;

	if (2 * (m->n + 1) > m->room)
		grow(m);
	s = slot(m, id);
	if (ident_none(s->id)) {
		s->id = id;
		s->value = value;
		m->n++;
	} else if (value > s->value) {
		s->value = value;
	}
}

void
marks_free(struct marks *m)
{
	free(m->slots);
	memset(m, 0, sizeof(*m));
}
