/*
 * The links of notices, as pages for a browser: link_pages.c.  No script, and
 * nothing is loaded from anywhere; api adds the rules that see to it.
 */
#ifndef AUTH_PAGES_H
#define AUTH_PAGES_H

#include "auth/auth.h"
#include "auth/links.h"

#define PAGES_LIFE_MS	INT64_C(604800000)	/* a link is good so long */

/* What became of it, as the engine answered. */
void pages_done(struct auth *a, uint64_t tag, const char *done,
    const struct message *m);

#endif
