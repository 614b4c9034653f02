#include "api/route.h"

#include <stdint.h>
#include <string.h>

#define SLOTS	256	/* a power of two, and four times the paths */

struct slot {
	const char	*path;
	size_t		 len;
	enum endpoint	 first;	/* with this path; others come after it */
};

static struct slot	 slots[SLOTS];
static bool		 made;

/* FNV-1a: the paths are ours, and a stranger's finds a slot or does not. */
static uint32_t
hash(const char *p, size_t len)
{
	uint32_t	 h = 2166136261u;

	for (; len > 0; len--)
		h = (h ^ (unsigned char)*p++) * 16777619u;
	return h ^ h >> 15;
}

static struct slot *
find(const char *p, size_t len)
{
	uint32_t	 at = hash(p, len) % SLOTS;

	while (slots[at].path != NULL && (slots[at].len != len ||
	    memcmp(slots[at].path, p, len) != 0))
		at = (at + 1) % SLOTS;
	return &slots[at];
}

static void
put(const char *path, enum endpoint e)
{
	struct slot	*s;

	if (path == NULL || strchr(path, '*') != NULL)
		return;
	s = find(path, strlen(path));
	if (s->path != NULL)
		return;
	s->path = path;
	s->len = strlen(path);
	s->first = e;
}

static void
make(void)
{
	int	 i;

	_Static_assert(ENDPOINT__COUNT * 2 < SLOTS, "room for all");
	for (i = 1; i < ENDPOINT__COUNT; i++) {
		put(endpoints[i].path, (enum endpoint)i);
		put(endpoints[i].alias, (enum endpoint)i);
	}
	made = true;
}

enum endpoint
route_find(struct text method, struct text path, struct text *part_out,
    bool *known_out)
{
	const struct slot	*s;

	if (!made)
		make();
	s = find(path.p, path.len);
	if (s->path != NULL &&
	    text_equal(text_of(endpoints[s->first].method), method)) {
		part_out->p = NULL;
		part_out->len = 0;
		*known_out = true;
		return s->first;
	}
	return endpoint_find(method, path, part_out, known_out);
}
