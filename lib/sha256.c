#define OPENSSL_SUPPRESS_DEPRECATED
#include "lib/sha256.h"

#include <openssl/sha.h>

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

void
sha256(unsigned char out[SHA256_LEN], const void *bytes, size_t len)
{
	struct sha256	 h;

	sha256_begin(&h);
	sha256_add(&h, bytes, len);
	sha256_end(&h, out);
}
