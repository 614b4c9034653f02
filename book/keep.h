/*
 * What is in force, as it was packed: for those who load it (book_load()).
 */
#ifndef BOOK_KEEP_H
#define BOOK_KEEP_H

#include "book/project.h"

/* Of one event that was not refused. */
void keep_in_force(struct project *p, const struct history_event *ev);
/* The newest step that a code was good for, whatever came of the event. */
void keep_step(struct project *p, const struct history_event *ev);
/* The highest number that a source of facts gave. */
void keep_source(struct project *p, const struct command *c);

#endif
