/*
 * A key that nobody knows may be one that was made this moment: its maker
 * was answered by the engine, and what the engine told us of it may lie
 * unread in another link.  So such a request waits a breath and is looked at
 * once more.  It makes guessing keys slower, too.
 */
#ifndef AUTH_LATER_H
#define AUTH_LATER_H

#include <stdbool.h>

#include "auth/auth.h"

#define LATER_MS	25
#define LATER_MAX	256		/* at once; more are answered now */

/* True: it will be given to `again` later, and nothing is to be done now. */
bool later_wait(struct auth *a, const struct message *m,
    void (*again)(struct auth *a, const struct message *m));

#endif
