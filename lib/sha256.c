#define OPENSSL_SUPPRESS_DEPRECATED
#include "lib/sha256.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>

_Static_assert(sizeof(SHA256_CTX) <= sizeof(struct sha256),
    "OpenSSL's context fits");
_Static_assert(SHA256_LEN == SHA256_DIGEST_LENGTH, "a digest");

static SHA256_CTX *
context(struct sha256 *h)
{
	return (SHA256_CTX *)(void *)h->opaque;
}

void
sha256_begin(struct sha256 *h)
{
	(void)SHA256_Init(context(h));
}

void
sha256_add(struct sha256 *h, const void *bytes, size_t len)
{
	(void)SHA256_Update(context(h), bytes, len);
}

void
sha256_end(struct sha256 *h, unsigned char out[SHA256_LEN])
{
	(void)SHA256_Final(out, context(h));
}

/* A block of the key filled up, each byte with `pad`. */
static void
add_key(struct sha256 *h, const unsigned char key[32], unsigned char pad)
{
	unsigned char	 block[SHA256_CBLOCK];
	size_t		 i;

	memset(block, pad, sizeof(block));
	for (i = 0; i < 32; i++)
		block[i] ^= key[i];
	sha256_begin(h);
	sha256_add(h, block, sizeof(block));
	OPENSSL_cleanse(block, sizeof(block));
}

void
sha256_hmac_begin(struct sha256 *h, const unsigned char key[32])
{
	add_key(h, key, 0x36);
}

void
sha256_hmac_end(struct sha256 *h, const unsigned char key[32],
    unsigned char out[SHA256_LEN])
{
	unsigned char	 inner[SHA256_LEN];

	sha256_end(h, inner);
	add_key(h, key, 0x5c);
	sha256_add(h, inner, sizeof(inner));
	sha256_end(h, out);
	OPENSSL_cleanse(h, sizeof(*h));
}

void
sha256(unsigned char out[SHA256_LEN], const void *bytes, size_t len)
{
	struct sha256	 h;

	sha256_begin(&h);
	sha256_add(&h, bytes, len);
	sha256_end(&h, out);
}
