/*
 * A growing map from fingerprints to a number, for what a replay must
 * remember of every account, key and id.  Keyed fingerprints are uniform and
 * cannot be chosen by whoever wrote the file, so their low bits serve as the
 * slot.
 */
#ifndef SIM_IDMAP_H
#define SIM_IDMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/ident.h"

struct idmap_entry {
	struct ident	id;		/* none: free */
	uint64_t	value;
};

/* All zero is an empty map. */
struct idmap {
	struct idmap_entry *slots;	/* owned */
	size_t		 n_slots;	/* a power of two, or 0 */
	size_t		 count;
};

void idmap_free(struct idmap *m);

/* The value's place, or NULL; good until the next idmap_put(). */
uint64_t *idmap_get(const struct idmap *m, struct ident id);

/*
 * The value's place, made (as 0) when the id is new, which *new_out tells.
 * NULL: out of memory.
 */
uint64_t *idmap_put(struct idmap *m, struct ident id, bool *new_out);

#endif
