/*
 * Numbers by fingerprint, in memory: what the exchange's door remembers.
 */
#ifndef ENGINE_PROCESS_MARKS_H
#define ENGINE_PROCESS_MARKS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/ident.h"

struct marks {
	struct mark {
		struct ident	id;	/* none: free */
		int64_t		value;
	} *slots;
	size_t		room;		/* a power of two */
	size_t		n;
};

/* `none` when there is none. */
int64_t marks_get(const struct marks *m, struct ident id, int64_t none);
/* Set it, if it is more than it was.  No memory: ends the process, for what
 * is remembered keeps promises. */
void marks_raise(struct marks *m, struct ident id, int64_t value);
void marks_free(struct marks *m);

#endif
