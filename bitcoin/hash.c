#define OPENSSL_SUPPRESS_DEPRECATED
#include "bitcoin/hash.h"

#include <openssl/ripemd.h>
#include <openssl/sha.h>
#include <sodium.h>
#include <string.h>

_Static_assert(HASH160_LEN == RIPEMD160_DIGEST_LENGTH, "a digest");
_Static_assert(SHA512_LEN == SHA512_DIGEST_LENGTH, "a digest");
_Static_assert(sizeof(SHA512_CTX) == sizeof(uint64_t[27]),
    "half of a struct hmac512");

void
hash256_end(struct sha256 *h, unsigned char out[SHA256_LEN])
{
	sha256_end(h, out);
	sha256(out, out, SHA256_LEN);
}

void
hash256(unsigned char out[SHA256_LEN], const void *bytes, size_t len)
{
	sha256(out, bytes, len);
	sha256(out, out, SHA256_LEN);
}

/* As in lib/sha256.c: the newer interface allocates, and has RIPEMD-160 only
 * where a file that OpenSSL reads says so. */
void
ripemd160(unsigned char out[HASH160_LEN], const void *bytes, size_t len)
{
	RIPEMD160_CTX	 h;

	(void)RIPEMD160_Init(&h);
	(void)RIPEMD160_Update(&h, bytes, len);
	(void)RIPEMD160_Final(out, &h);
}

void
hash160(unsigned char out[HASH160_LEN], const void *bytes, size_t len)
{
	unsigned char	 inner[SHA256_LEN];

	sha256(inner, bytes, len);
	ripemd160(out, inner, sizeof(inner));
}

/* One half of the key's: a block of the key filled up, each byte with `pad`. */
static void
hmac512_half(uint64_t state[27], const unsigned char *key, size_t key_len,
    unsigned char pad)
{
	unsigned char	 block[SHA512_CBLOCK];
	SHA512_CTX	 h;
	size_t		 i;

	memset(block, pad, sizeof(block));
	for (i = 0; i < key_len; i++)
		block[i] ^= key[i];
	(void)SHA512_Init(&h);
	(void)SHA512_Update(&h, block, sizeof(block));
	memcpy(state, &h, sizeof(h));
	sodium_memzero(block, sizeof(block));
	sodium_memzero(&h, sizeof(h));
}

void
hmac512_key(struct hmac512 *h, const void *key, size_t key_len)
{
	unsigned char	 hashed[SHA512_LEN];
	SHA512_CTX	 c;

	if (key_len > SHA512_CBLOCK) {
		(void)SHA512_Init(&c);
		(void)SHA512_Update(&c, key, key_len);
		(void)SHA512_Final(hashed, &c);
		sodium_memzero(&c, sizeof(c));
		key = hashed;
		key_len = sizeof(hashed);
	}
	hmac512_half(h->inner, key, key_len, 0x36);
	hmac512_half(h->outer, key, key_len, 0x5c);
	sodium_memzero(hashed, sizeof(hashed));
}

void
hmac512(unsigned char out[SHA512_LEN], const struct hmac512 *h,
    const void *bytes, size_t len)
{
	SHA512_CTX	 c;

	memcpy(&c, h->inner, sizeof(c));
	(void)SHA512_Update(&c, bytes, len);
	(void)SHA512_Final(out, &c);
	memcpy(&c, h->outer, sizeof(c));
	(void)SHA512_Update(&c, out, SHA512_LEN);
	(void)SHA512_Final(out, &c);
	sodium_memzero(&c, sizeof(c));
}

void
hmac_sha512(unsigned char out[SHA512_LEN], const void *key, size_t key_len,
    const void *bytes, size_t len)
{
	struct hmac512	 h;

	hmac512_key(&h, key, key_len);
	hmac512(out, &h, bytes, len);
	sodium_memzero(&h, sizeof(h));	/* The key was a chain code, or more. */
}

void
tagged_begin(struct sha256 *h, const char *tag)
{
	unsigned char	 inner[SHA256_LEN];

	sha256(inner, tag, strlen(tag));
	sha256_begin(h);
	sha256_add(h, inner, sizeof(inner));
	sha256_add(h, inner, sizeof(inner));
}

void
hash_text(char out[65], const unsigned char hash[SHA256_LEN])
{
	static const char digits[] = "0123456789abcdef";
	size_t		 i;

	for (i = 0; i < SHA256_LEN; i++) {
		out[2 * i] = digits[hash[SHA256_LEN - 1 - i] >> 4];
		out[2 * i + 1] = digits[hash[SHA256_LEN - 1 - i] & 15];
	}
	out[2 * SHA256_LEN] = '\0';
}

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

bool
hash_of_text(unsigned char out[SHA256_LEN], const char *text, size_t len)
{
	size_t	 i;
	int	 high, low;

	if (len != (size_t)2 * SHA256_LEN)
		return false;
	for (i = 0; i < SHA256_LEN; i++) {
		high = digit(text[2 * i]);
		low = digit(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		out[SHA256_LEN - 1 - i] = (unsigned char)(high << 4 | low);
	}
	return true;
}
