/*
 * Memory for secrets: locked, left out of core dumps, guarded, wiped.
 */
#ifndef LIB_SECRET_H
#define LIB_SECRET_H

#include <stddef.h>

#include "lib/err.h"

/* Once, before any secret: libsodium, no core dumps, not dumpable. */
enum rc secret_begin(struct err *e) MUST_CHECK;

/*
 * `len` bytes; NULL when there is none, or when it cannot be locked
 * (RLIMIT_MEMLOCK).  Thousands of small ones share pages: for 64 bytes and
 * less a whole guarded page each would be too much.
 */
void *secret_new(size_t len);
/* Wiped first; NULL is fine. */
void secret_free(void *p, size_t len);

#endif
