/*
 * A slot of a program for people: its name as the policy writes it, and what
 * it held.
 */
#ifndef POLICY_SLOT_H
#define POLICY_SLOT_H

#include <stddef.h>
#include <stdint.h>

#include "lib/json.h"
#include "policy/print.h"
#include "policy/program.h"

#define SLOT_TEXT_MAX	(PRINT_TEXT_MAX + 64)

/* Both return buf. */
/* "sum asked by account in 24h", "normal of count ...", "age of key" */
char *slot_name(const struct program *p, char *buf, size_t buf_len,
    int slot);
/*
 * "1.5 btc", "3", "30d 2h", "yes", "2.500"; "unknown" for a normal that is not
 * learnt, "more than can be counted" for a counter that is full.
 */
char *slot_value(const struct program *p, char *buf, size_t buf_len,
    int slot, int64_t value);

/* The same as a member of the object that is open. */
void slot_json(const struct program *p, struct json *j, int slot,
    int64_t value);
/* ... which is not known: null. */
void slot_json_unknown(const struct program *p, struct json *j, int slot);

#endif
