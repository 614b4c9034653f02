/*
 * The personal data of a row, if its key is still there.
 */
#ifndef ENGINE_UNSEAL_H
#define ENGINE_UNSEAL_H

#include <stddef.h>

#include "db/keyring.h"
#include "db/row.h"
#include "lib/err.h"

/* Zeros to begin with; grows to the longest. */
struct unseal {
	unsigned char	*plain;
	size_t		 room;
};
void unseal_free(struct unseal *u);

enum unsealed {
	UNSEALED_NOTHING,	/* nothing in the row is sealed */
	UNSEALED_PLAIN,		/* in u->plain */
	UNSEALED_UNREAD,	/* there is no keyring */
	UNSEALED_DESTROYED,	/* the key is */
};

/*
 * Open a parsed row.  Fails when it does not open under its month's key, or
 * when the keyring never had that one: it is another journal's, or older.
 */
enum rc unseal(struct unseal *u, enum unsealed *what_out,
    const struct keyring *keys, const struct row_head *h,
    const unsigned char *row, size_t len, struct err *e) MUST_CHECK;

#endif
