/*
 * A small table: operators are few, and wait for one answer each.
 */
#include "console/pending.h"

#include <assert.h>
#include <stddef.h>

uint64_t
pending_add(struct pending *p, void *client, uint64_t theirs, int to)
{
	uint64_t	 tag;
	int		 i;

	if (p->n == PENDING_MAX)
		return 0;
	/* Its place follows from the tag, so that an answer finds it. */
	do {
		tag = ++p->last;
		i = (int)(tag % PENDING_MAX);
	} while (p->of[i].tag != 0);
	p->of[i].tag = tag;
	p->of[i].theirs = theirs;
	p->of[i].client = client;
	p->of[i].to = to;
	p->n++;
	return tag;
}

static void
take(struct pending *p, int i, void **client_out, uint64_t *theirs_out)
{
	assert(p->n > 0);
	*client_out = p->of[i].client;
	*theirs_out = p->of[i].theirs;
	p->of[i].tag = 0;
	p->of[i].client = NULL;
	p->n--;
}

bool
pending_take(struct pending *p, uint64_t tag, int from, void **client_out,
    uint64_t *theirs_out)
{
	int	 i = (int)(tag % PENDING_MAX);

	if (tag == 0 || p->of[i].tag != tag || p->of[i].to != from)
		return false;
	take(p, i, client_out, theirs_out);
	return true;
}

void
pending_forget(struct pending *p, const void *client)
{
	uint64_t	 theirs;
	void		*gone;
	int		 i;

	for (i = 0; i < PENDING_MAX; i++) {
		if (p->of[i].tag != 0 && p->of[i].client == client)
			take(p, i, &gone, &theirs);
	}
}

bool
pending_lost(struct pending *p, int to, void **client_out,
    uint64_t *theirs_out)
{
	int	 i;

	for (i = 0; i < PENDING_MAX; i++) {
		if (p->of[i].tag != 0 && p->of[i].to == to) {
			take(p, i, client_out, theirs_out);
			return true;
		}
	}
	return false;
}
