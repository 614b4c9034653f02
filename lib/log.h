/*
 * Logs: one event a line on standard error, which the journal of systemd, or
 * whoever started the service, keeps.
 *
 *	2026-11-25T08:14:17.123Z info auth id=7c0a… refused why="wrong code"
 *
 * The time is left out where JOURNAL_STREAM says that systemd adds its own;
 * then a <N> priority stands first.  Values with blanks or quotes are
 * quoted; bytes that are not printable become \xNN: a line stays a line
 * whatever a client sent.  No secrets: callers give none.
 */
#ifndef LIB_LOG_H
#define LIB_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/text.h"

enum log_level { LOG_DEBUG_, LOG_INFO_, LOG_ODD, LOG_BROKEN };

/* Is it worth making the values for? */
bool log_wanted(enum log_level l);

/* Once, at the start of a process: its room's name. */
void log_begin(const char *room, enum log_level least);

/*
 * One event.  `verb` is fixed text; then triples of a name, a kind letter
 * and a value, ended by NULL:
 *	log_event(LOG_INFO_, "accepted", "id", 't', text, "amount", 'd',
 *	    (int64_t)n, NULL)
 * Kinds: 's' const char *, 't' struct text, 'd' int64_t, 'x' uint64_t hex.
 */
void log_event(enum log_level l, const char *verb, ...);

#endif
