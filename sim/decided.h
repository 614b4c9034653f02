/*
 * What a journal recorded of each withdrawal when it was asked for, one JSON
 * line each: "id", "t", "verdict", "rules" and "facts" as in the decisions
 * file of a replay (drawbridge.scenario(5)).
 */
#ifndef SIM_DECIDED_H
#define SIM_DECIDED_H

#include "engine/history.h"
#include "engine/outcome.h"
#include "lib/err.h"

struct decided;

enum rc decided_new(struct decided **out, const char *path, struct err *e)
    MUST_CHECK;
/* An unfinished file is removed. */
void decided_free(struct decided **d);

/* Every event of the journal in order, from the first: policies as well. */
enum rc decided_event(struct decided *d, const struct history_event *ev,
    struct err *e) MUST_CHECK;

/* Into place. */
enum rc decided_close(struct decided **d, struct err *e) MUST_CHECK;

/*
 * The outcome of the command itself, without those of what fell due before
 * it or came of it: DECIDED, REPEATED or REFUSED; TAKEN when there is none of
 * these.  Needs no keys.
 */
enum rc decided_own(struct outcome_record *out,
    const struct history_event *ev, struct err *e) MUST_CHECK;

#endif
