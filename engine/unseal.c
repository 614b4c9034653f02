#include "engine/unseal.h"

#include <stdlib.h>

void
unseal_free(struct unseal *u)
{
	free(u->plain);
	u->plain = NULL;
	u->room = 0;
}

static enum rc
grow(struct unseal *u, size_t room, struct err *e)
{
	unsigned char	*more;

	if (room <= u->room)
		return RC_OK;
	if ((more = realloc(u->plain, room)) == NULL)
		return err_set(e, "out of memory");
	u->plain = more;
	u->room = room;
	return RC_OK;
}

enum rc
unseal(struct unseal *u, enum unsealed *what_out, const struct keyring *keys,
    const struct row_head *h, const unsigned char *row, size_t len,
    struct err *e)
{
	const unsigned char	*key = NULL;
	enum rc			 rc;

	*what_out = h->sealed_len == 0 ? UNSEALED_NOTHING : keys == NULL ?
	    UNSEALED_UNREAD : UNSEALED_PLAIN;
	if (*what_out != UNSEALED_PLAIN)
		return RC_OK;
	switch (keyring_get(keys, h->month, &key)) {
	case KEY_DESTROYED:
		*what_out = UNSEALED_DESTROYED;
		return RC_OK;
	case KEY_NEVER:
		return err_set(e, "the keyring never had the key of its "
		    "month, %04u-%02u", h->month / 12, h->month % 12 + 1);
	case KEY_THERE:
		break;
	}
	if ((rc = grow(u, h->sealed_len, e)) != RC_OK)
		return rc;
	return row_unseal(u->plain, row, len, key, e);
}
