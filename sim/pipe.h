/*
 * Reading beside deciding: a thread reads and scans one or two scenario
 * files, merged by time, and hands over batches of items ready to apply.
 *
 * A file is only as good as its last line: a batch is handed over as soon as
 * it is full, and what the caller makes of it must be undone when a later one
 * says that the file is bad.
 */
#ifndef SIM_PIPE_H
#define SIM_PIPE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"
#include "sim/feed.h"

#define PIPE_BATCH	512

struct pipe_batch {
	struct feed_item items[PIPE_BATCH];
	size_t		 n;
	int		 permille;	/* of the scenario; -1 not known */
	bool		 last;		/* nothing follows */
	enum rc		 rc;		/* not RC_OK: the files are bad */
	char		*arena;		/* owned; texts and networks */
	size_t		 used;
};

struct pipe;

/*
 * Start reading PATH and, unless NULL, HISTORY, whose lines come first at
 * equal times and whose withdrawals are history.  The feed is borrowed and
 * belongs to the thread until pipe_free().
 */
enum rc pipe_new(struct pipe **out, struct feed *f, const char *path,
    const char *history, struct err *e) MUST_CHECK;

/* The next batch, good until the next call.  After the last one, never. */
const struct pipe_batch *pipe_next(struct pipe *p);

/* Why the batch with rc != RC_OK was one. */
const struct err *pipe_why(const struct pipe *p);

/* Stops the thread, even in the middle of a file. */
void pipe_free(struct pipe **p);

#endif
