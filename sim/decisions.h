/*
 * The decisions file of a replay: one JSON line a withdrawal, in order of
 * asking.  What is known when it is asked for is spooled to a file without a
 * name; what becomes of it is added at the end, when the spool is copied to
 * the real file.  So memory stays small however long the scenario is, and a
 * scenario that turns out to be bad leaves nothing behind.
 */
#ifndef SIM_DECISIONS_H
#define SIM_DECISIONS_H

#include "engine/engine.h"
#include "lib/err.h"
#include "policy/program.h"
#include "sim/feed.h"
#include "sim/score.h"

struct decisions;

enum rc decisions_new(struct decisions **out, const char *path,
    const struct program *p, struct err *e) MUST_CHECK;
/* Removes what is unfinished. */
void decisions_free(struct decisions **d);

/* A withdrawal was decided when it was asked for: OUTCOME_DECIDED. */
enum rc decisions_asked(struct decisions *d, const struct feed_item *item,
    const struct outcome *o, struct err *e) MUST_CHECK;

/* All lines with their ends, under a temporary name. */
enum rc decisions_write(struct decisions *d, const struct tally *t,
    struct err *e) MUST_CHECK;

/* Put the file into place. */
enum rc decisions_keep(struct decisions *d, struct err *e) MUST_CHECK;

#endif
