/*
 * BIP32: hierarchical keys, and their texts (xpub, xprv; tpub, tprv on the
 * other networks).
 */
#ifndef BITCOIN_BIP32_H
#define BITCOIN_BIP32_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bitcoin/address.h"
#include "lib/err.h"
#include "lib/text.h"

#define BIP32_HARD	0x80000000u
#define BIP32_TEXT_MAX	113	/* with a NUL */
#define BIP32_PATH_MAX	16	/* steps; deeper ones are refused */
#define BIP32_PATH_TEXT_MAX	(BIP32_PATH_MAX * 12 + 2)

struct bip32_key {
	bool		test;		/* tpub rather than xpub */
	bool		has_secret;
	uint8_t		depth;
	unsigned char	parent[4];	/* fingerprint */
	uint32_t	child;
	unsigned char	chain[32];
	unsigned char	public[33];
	unsigned char	secret[32];	/* if there: the caller wipes it */
};

/* Fails when the seed (16 to 64 bytes) gives no key: one in 2^127. */
enum rc bip32_of_seed(struct bip32_key *out, enum network net,
    const unsigned char *seed, size_t len, struct err *e) MUST_CHECK;
/* Strict: checksum, version, key on the curve, depth 0 with zero parent and
 * child.  The text never gets into e: it may be private.  On failure *out is
 * zeros. */
enum rc bip32_parse(struct bip32_key *out, const char *text, size_t len,
    struct err *e) MUST_CHECK;
/* With secret if it has one and `private`. */
void bip32_print(char out[BIP32_TEXT_MAX], const struct bip32_key *k,
    bool private);
/* Child i; BIP32_HARD needs the secret.  On failure *out is as it was; it may
 * be the parent itself. */
enum rc bip32_child(struct bip32_key *out, const struct bip32_key *k,
    uint32_t i, struct err *e) MUST_CHECK;
enum rc bip32_derive(struct bip32_key *out, const struct bip32_key *k,
    const uint32_t *path, size_t n, struct err *e) MUST_CHECK;
void bip32_forget_secret(struct bip32_key *k);
/* The first four bytes of HASH160 of its public key. */
void bip32_fingerprint(unsigned char out[4], const struct bip32_key *k);

/*
 * One step at the head of *t, which moves behind it: digits without zeros in
 * front, below 2^31, then perhaps one of the characters of `hard`.
 */
bool bip32_step_parse(uint32_t *out, struct text *t, const char *hard);
/* "84h/0h/0h/0/5", with or without m/ in front, h, H or ' for hardened. */
enum rc bip32_path_parse(uint32_t path[BIP32_PATH_MAX], size_t *n,
    struct text t, struct err *e) MUST_CHECK;
/* With h, without m/. */
void bip32_path_print(char out[BIP32_PATH_TEXT_MAX], const uint32_t *path,
    size_t n);

#endif
