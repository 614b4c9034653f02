/*
 * secp256k1: ECDSA as Bitcoin wants it, Schnorr (BIP340), keys and tweaks
 * (BIP32, BIP341), all by libsecp256k1.
 *
 * Signatures are deterministic: the same key and message give the same bytes
 * (RFC 6979; BIP340 with auxiliary data of zeros), so that a signer that died
 * between its journal and its answer can answer again.
 */
#ifndef BITCOIN_CURVE_H
#define BITCOIN_CURVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/text.h"

#define CURVE_DER_MAX	72	/* without the sighash byte */

/* libsecp256k1's own form of a public key: quicker to use again than to
 * decompress. */
struct curve_point {
	unsigned char	opaque[64];
};

/* Once, before anything else: makes the context, blinded by randomness. */
enum rc curve_begin(struct err *e) MUST_CHECK;

bool curve_secret_ok(const unsigned char secret[32]);
bool curve_point_of_secret(struct curve_point *out,
    const unsigned char secret[32]);
/* 33 bytes, compressed; 65 are taken as well. */
bool curve_point_parse(struct curve_point *out, const unsigned char *bytes,
    size_t len);
void curve_point_write(unsigned char out[33], const struct curve_point *p);
/* secret + tweak, point + tweak * G; false when the sum is no key. */
bool curve_secret_add(unsigned char secret[32], const unsigned char tweak[32]);
bool curve_point_add(struct curve_point *p, const unsigned char tweak[32]);

/* The x coordinate alone (BIP340). */
void curve_point_xonly(unsigned char out[32], const struct curve_point *p);
/*
 * BIP341: the output key of an internal key and a merkle root (NULL: key path
 * only), and the secret for it.
 */
bool curve_tap_output(unsigned char out[32], const unsigned char internal[32],
    const unsigned char *merkle_root);
/* The same where the internal key's point is at hand. */
bool curve_tap_output_of(unsigned char out[32],
    const struct curve_point *internal, const unsigned char *merkle_root);
bool curve_tap_secret(unsigned char out[32], const unsigned char secret[32],
    const unsigned char *merkle_root);
/* Likewise, in a tenth of the time. */
bool curve_tap_secret_of(unsigned char out[32], const unsigned char secret[32],
    const struct curve_point *internal, const unsigned char *merkle_root);

/* DER, low S, low R (as Bitcoin Core grinds: 71 bytes at most); its length. */
size_t curve_ecdsa_sign(unsigned char out[CURVE_DER_MAX],
    const unsigned char hash[32], const unsigned char secret[32]);
/* Is it strict DER (BIP66, without its last byte, the sighash type)?  The
 * library is as strict; this does not depend on that. */
bool curve_der_strict(struct text der);
/* Strict DER and low S, or it does not verify. */
bool curve_ecdsa_verify(struct text der, const unsigned char hash[32],
    const struct curve_point *p);
void curve_schnorr_sign(unsigned char out[64], const unsigned char hash[32],
    const unsigned char secret[32]);
/* The same, verified: false if that fails, or if the secret is not the one
 * of the key `xonly`.  Quicker than the two calls. */
bool curve_schnorr_sign_as(unsigned char out[64],
    const unsigned char hash[32], const unsigned char secret[32],
    const unsigned char xonly[32]) MUST_CHECK;
/* As curve_schnorr_sign() with the auxiliary data of BIP340's vectors. */
void curve_schnorr_sign_aux(unsigned char out[64], const void *msg,
    size_t len, const unsigned char secret[32], const unsigned char aux[32]);
bool curve_schnorr_verify(const unsigned char sig[64], const void *msg,
    size_t len, const unsigned char xonly[32]);

#endif
