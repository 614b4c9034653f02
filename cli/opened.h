/*
 * A journal opened by a tool: to read, beside the engine that may be using
 * it, or a copy that nobody uses.  It ends where it ended then.
 */
#ifndef CLI_OPENED_H
#define CLI_OPENED_H

#include <stdbool.h>

#include "db/db.h"
#include "db/keyring.h"
#include "lib/err.h"

struct opened {
	struct db	*db;
	struct keyring	*keys;		/* NULL: there is none, or it was not
					 * wanted */
};

/*
 * `url`: --db, or $DRAWBRIDGE_DATA/journal.db when NULL.  Without a keyring
 * beside it only what needs none can be done: `need_keys` makes that an
 * error.
 */
enum rc opened_new(struct opened *out, const char *url, bool need_keys,
    struct err *e) MUST_CHECK;
void opened_free(struct opened *o);

/* The path that NULL stands for; NULL when the variable is not set. */
const char *opened_url(const char *url, char *buf, size_t room);

#endif
