/*
 * The second opinion: llhttp reads the head that we took.
 */
#ifndef API_AGREE_H
#define API_AGREE_H

#include <stdbool.h>
#include <stddef.h>

#include "api/head.h"

/* Did llhttp understand the same?  `p` holds h->len bytes. */
bool agree(const struct head *h, const char *p);

#endif
