/*
 * Reading beside applying: a thread reads rows, checks the chain, unpacks
 * commands and makes inputs of them, so that whoever has the engine only
 * applies.
 */
#ifndef ENGINE_PREPARE_H
#define ENGINE_PREPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"
#include "engine/history.h"
#include "lib/err.h"

struct prepared {
	struct history_event ev;
	struct input	in;
	bool		taken;		/* `in` is for the engine */
	bool		believed;	/* its row is of another version, or its
					 * personal data is destroyed */
	const unsigned char *policy;	/* the row's */
	/* The row's hash, at its last event; else NULL. */
	const unsigned char *row_hash;
};

struct prepared_batch {
	struct prepared	*events;
	size_t		 n;
	bool		 last;		/* nothing follows */
	enum rc		 rc;		/* not RC_OK: what follows is bad */
};

struct prepare;

/*
 * Begin after event `after`, end with event `until` (0: all).  The history is
 * borrowed and belongs to the thread until prepare_free(); so does `policy`
 * (for declared facts; may be NULL before the first one).
 */
enum rc prepare_new(struct prepare **out, struct history *h, uint64_t after,
    uint64_t until, const struct ident_key *ids, const struct policy *policy,
    struct err *e) MUST_CHECK;
void prepare_free(struct prepare **p);

/* The next batch, good until the next call.  After the last one, never. */
const struct prepared_batch *prepare_next(struct prepare *p);
/* Why the batch with rc != RC_OK was one. */
const struct err *prepare_why(const struct prepare *p);

/*
 * After an event COMMAND_POLICY, which is always the last of its batch: what
 * follows is made under this policy.  Before the next prepare_next().
 */
void prepare_policy(struct prepare *p, const struct policy *policy);

#endif
