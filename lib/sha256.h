/*
 * SHA-256 (FIPS 180-4) with the processor's own instructions.
 *
 * OpenSSL's compression function, called directly: its newer interface
 * allocates, and cannot be trusted to fail cleanly when there is no memory.
 * Nothing here fails.
 */
#ifndef LIB_SHA256_H
#define LIB_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_LEN	32

struct sha256 {
	uint64_t	opaque[16];
};

void sha256_begin(struct sha256 *h);
void sha256_add(struct sha256 *h, const void *bytes, size_t len);
void sha256_end(struct sha256 *h, unsigned char out[SHA256_LEN]);

/*
 * HMAC-SHA-256 (RFC 2104) under a key of 32 bytes, several times as fast as
 * libsodium's: begin, sha256_add() the message, end with the same key.
 */
void sha256_hmac_begin(struct sha256 *h, const unsigned char key[32]);
void sha256_hmac_end(struct sha256 *h, const unsigned char key[32],
    unsigned char out[SHA256_LEN]);

/* Of len bytes. */
void sha256(unsigned char out[SHA256_LEN], const void *bytes, size_t len);

#endif
