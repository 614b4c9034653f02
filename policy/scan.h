/*
 * The scanner: bytes to tokens.
 *
 * A line that begins with blanks continues the one above, so the end of a
 * statement is a token that depends on the line below.  Words that belong
 * together (`age of account`, `by lot`) are one token: the longest phrase
 * wins.  After `set` a few more words are known, between braces the items of
 * a table are taken as they stand.
 */
#ifndef POLICY_SCAN_H
#define POLICY_SCAN_H

#include <stddef.h>

#include "policy/parse.h"

struct scan *scan_new(struct parse *ps, int file, const char *text,
    size_t len);

/* The nearest word of the language or name of the file; NULL when none is
 * near.  Lives as long as the policy. */
const char *scan_nearest(struct parse *ps, const char *word);

/* False when text is not UTF-8 or holds a NUL: an error has been said. */
bool scan_check_text(struct parse *ps, int file, const char *text,
    size_t len);

#endif
