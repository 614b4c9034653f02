#include "lib/ident.h"

#include <sodium.h>
#include <string.h>

_Static_assert(crypto_shorthash_siphashx24_KEYBYTES ==
    sizeof(struct ident_key), "key size");
_Static_assert(crypto_shorthash_siphashx24_BYTES == sizeof(struct ident),
    "fingerprint size");

/* Read little-endian, so that every machine gets the same numbers. */
static uint64_t
le64(const unsigned char *p)
{
	uint64_t	 v = 0;
	int		 i;

	for (i = 7; i >= 0; i--)
		v = v << 8 | p[i];
	return v;
}

struct ident
ident_of(const struct ident_key *key, const void *bytes, size_t len)
{
	unsigned char	 out[crypto_shorthash_siphashx24_BYTES];
	struct ident	 id;

	(void)crypto_shorthash_siphashx24(out, bytes, len, key->bytes);
	id.lo = le64(out);
	id.hi = le64(out + 8);
	if (ident_none(id))
		id.lo = 1;
	return id;
}

uint64_t
ident_prf(const struct ident_key *key, const void *bytes, size_t len)
{
	unsigned char	 out[crypto_shorthash_siphash24_BYTES];

	(void)crypto_shorthash_siphash24(out, bytes, len, key->bytes);
	return le64(out);
}
