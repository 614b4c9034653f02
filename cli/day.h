/*
 * Days on the command line: "2026-01-31", the beginning of it in UTC.
 */
#ifndef CLI_DAY_H
#define CLI_DAY_H

#include <stdbool.h>
#include <stdint.h>

bool day_parse(int64_t *ms_out, const char *text);

/* "36h", "2d", "0": a wait in whole hours or days. */
bool day_wait(int64_t *ms_out, const char *text);

/* A day, or the number of an event: the other of the two is left alone. */
bool day_or_event(int64_t *ms_out, uint64_t *seq_out, const char *text);

/* "2026-01" of row_month(). */
#define DAY_MONTH_MAX	16
char *day_month(char buf[DAY_MONTH_MAX], uint32_t month);

#endif
