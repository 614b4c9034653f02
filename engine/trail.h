/*
 * The outcomes of one input, packed one behind the other as they come out of
 * the engine.
 */
#ifndef ENGINE_TRAIL_H
#define ENGINE_TRAIL_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/engine.h"
#include "engine/outcome.h"
#include "lib/err.h"

struct trail {
	unsigned char	*bytes;
	size_t		 len;
	size_t		 room;
	bool		 failed;	/* out of memory: some are missing */
	const struct input *in;
	const struct program *program;
	const struct engine_sink *also;	/* told, too; may be NULL */
};

void trail_free(struct trail *t);

/*
 * Apply one input and pack what comes of it.  RC_FAILED: out of memory after
 * the engine has changed; it is of no use any more.
 */
enum rc trail_apply(struct trail *t, struct engine *en,
    const struct input *in, const struct program *p,
    const struct engine_sink *also, struct err *e) MUST_CHECK;

#endif
