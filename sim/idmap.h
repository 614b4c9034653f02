/*
 * A growing map from fingerprints to a number, for what a replay must
 * remember of every account, key and id: 16 bytes a slot.
 *
 * A fingerprint is keyed and uniform, so half of it serves: as the slot and
 * as what is compared.  Two are taken for one once in 2^64 pairs, which
 * nobody can bring about on purpose.
 */
#ifndef SIM_IDMAP_H
#define SIM_IDMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/ident.h"

struct idmap_entry {
	uint64_t	tag;		/* 0: free */
	uint64_t	value;
};

/* All zero is an empty map. */
struct idmap {
	struct idmap_entry *slots;	/* owned */
	size_t		 n_slots;	/* a power of two, or 0 */
	size_t		 count;
};

void idmap_free(struct idmap *m);

/* Ask for the memory that the id's entry would need. */
static inline void
idmap_prefetch(const struct idmap *m, struct ident id)
{
	if (m->n_slots > 0)
		__builtin_prefetch(&m->slots[id.lo & (m->n_slots - 1)]);
}

/* The value's place, or NULL; good until the next idmap_put(). */
uint64_t *idmap_get(const struct idmap *m, struct ident id);

/*
 * The value's place, made (as 0) when the id is new, which *new_out tells.
 * NULL: out of memory.
 */
uint64_t *idmap_put(struct idmap *m, struct ident id, bool *new_out);

#endif
