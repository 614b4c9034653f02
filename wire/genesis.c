/*
 * The first command of a journal, in bytes: the fields of struct genesis one
 * after the other.
 */
#include <string.h>

#include "wire/command.h"

#define NETWORKS	4	/* enum network */

/* Of the byte of flags. */
#define FLAG_DEMO	1
#define FLAG_RECEIPT	2	/* at release */

_Static_assert(GENESIS_LEN == sizeof(((struct genesis *)0)->deployment) +
    sizeof(((struct genesis *)0)->engine_key) + 2 +
    sizeof(((struct genesis *)0)->keys_tag), "every field");

void
genesis_pack(const struct genesis *g, unsigned char out[GENESIS_LEN])
{
	memcpy(out, g->deployment, 16);
	memcpy(out + 16, g->engine_key, 32);
	out[48] = g->network;
	out[49] = (unsigned char)((g->demo ? FLAG_DEMO : 0) |
	    (g->receipt_at_release ? FLAG_RECEIPT : 0));
	memcpy(out + 50, g->keys_tag, 16);
}

enum rc
genesis_unpack(struct genesis *out, struct text body, struct err *e)
{
	const unsigned char	*p = (const unsigned char *)body.p;

	if (body.p == NULL || body.len != GENESIS_LEN)
		return err_set(e, "a genesis has %d bytes, not %zu",
		    GENESIS_LEN, body.len);
	if (p[48] >= NETWORKS)
		return err_set(e, "a genesis of no known network (%d)", p[48]);
	if ((p[49] & ~(FLAG_DEMO | FLAG_RECEIPT)) != 0)
		return err_set(e, "a genesis with flags of no known meaning "
		    "(%d)", p[49]);
	memcpy(out->deployment, p, 16);
	memcpy(out->engine_key, p + 16, 32);
	out->network = p[48];
	out->demo = (p[49] & FLAG_DEMO) != 0;
	out->receipt_at_release = (p[49] & FLAG_RECEIPT) != 0;
	memcpy(out->keys_tag, p + 50, 16);
	return RC_OK;
}
