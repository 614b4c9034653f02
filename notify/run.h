/*
 * A program of the operators' that takes a notice: mail or SMS.  It gets the
 * recipient and the subject as arguments and the text on its standard input,
 * an empty environment but PATH, and half a minute.
 */
#ifndef NOTIFY_RUN_H
#define NOTIFY_RUN_H

#include <uv.h>

#include "lib/err.h"

#define RUN_TIMEOUT_MS	30000

/* Blocks; on a worker thread.  `subject` may be NULL.  Fails when it cannot
 * be started, does not end in time (it is killed) or ends with another
 * status than 0. */
enum rc run_program(const char *program, const char *to, const char *subject,
    const char *text, struct err *e) MUST_CHECK;

#endif
