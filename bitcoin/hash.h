/*
 * The hashes of Bitcoin.  None allocates, none fails.
 */
#ifndef BITCOIN_HASH_H
#define BITCOIN_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/sha256.h"

#define HASH160_LEN	20
#define SHA512_LEN	64

/* SHA-256 of SHA-256: transaction ids, block hashes. */
void hash256(unsigned char out[SHA256_LEN], const void *bytes, size_t len);
/* What sha256_end() gives, hashed once more. */
void hash256_end(struct sha256 *h, unsigned char out[SHA256_LEN]);
/* RIPEMD-160 of SHA-256: of public keys and scripts. */
void hash160(unsigned char out[HASH160_LEN], const void *bytes, size_t len);
void ripemd160(unsigned char out[HASH160_LEN], const void *bytes, size_t len);
/* HMAC-SHA-512 (RFC 4231), as BIP32 uses it. */
void hmac_sha512(unsigned char out[SHA512_LEN], const void *key,
    size_t key_len, const void *bytes, size_t len);
/* The same under one key many times: what depends on the key alone is hashed
 * once.  As secret as the key. */
struct hmac512 {
	uint64_t	inner[27], outer[27];
};
void hmac512_key(struct hmac512 *h, const void *key, size_t key_len);
void hmac512(unsigned char out[SHA512_LEN], const struct hmac512 *h,
    const void *bytes, size_t len);

/*
 * BIP340's tagged hash: SHA-256(SHA-256(tag) || SHA-256(tag) || bytes).
 * Begin, then sha256_add() and sha256_end().
 */
void tagged_begin(struct sha256 *h, const char *tag);

/* Transaction ids and block hashes are shown back to front: 64 characters of
 * lower-case hex and a NUL; and read so. */
void hash_text(char out[65], const unsigned char hash[SHA256_LEN]);
bool hash_of_text(unsigned char out[SHA256_LEN], const char *text, size_t len);

#endif
