/*
 * The journal's events as JSON: what was asked, and what came of it.
 */
#ifndef BOOK_EVENTS_H
#define BOOK_EVENTS_H

#include "book/answers.h"
#include "engine/history.h"

/* One object.  Personal data, secrets and proofs are left out. */
enum rc events_put(struct answering *a, const struct project *p,
    const struct history_event *ev, struct err *e) MUST_CHECK;

#endif
