/*
 * Bech32 (BIP173) and Bech32m (BIP350): a human-readable part, '1', values
 * of five bits, six of them a checksum that finds any four wrong characters.
 *
 * The two differ in one constant.  Which of them an address must use is for
 * the caller to say (bitcoin/address.h); here both are recognised.
 */
#ifndef BITCOIN_BECH32_H
#define BITCOIN_BECH32_H

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

#define BECH32_TEXT_MAX	90	/* BIP173 guarantees detection up to here */

enum bech32_spec {
	BECH32,
	BECH32M,
};

struct bech32 {
	enum bech32_spec spec;
	size_t		hrp_len;
	char		hrp[BECH32_TEXT_MAX];	/* lower case, no NUL */
	size_t		len;			/* without the checksum */
	uint8_t		values[BECH32_TEXT_MAX];	/* 0..31 */
};

/*
 * Read a text.  Upper or lower case, never both.  The part in front may be
 * anything that BIP173 allows.
 */
enum rc bech32_decode(struct bech32 *out, const char *text, size_t len,
    struct err *e) MUST_CHECK;

/*
 * Write hrp (lower case), values and checksum and a NUL to buf; returns the
 * length, or 0 when that would be more than BECH32_TEXT_MAX.
 */
size_t bech32_encode(char buf[BECH32_TEXT_MAX + 1], enum bech32_spec spec,
    const char *hrp, size_t hrp_len, const uint8_t *values, size_t len);

/*
 * Regroup values of five bits into bytes.  Padding must be fewer than five
 * bits and zero (BIP173).  Room for len * 5 / 8 bytes.
 */
enum rc bech32_to_bytes(unsigned char *out, size_t *len_out,
    const uint8_t *values, size_t len, struct err *e) MUST_CHECK;

/* And back, padded with zeros; returns the number of values. */
size_t bech32_from_bytes(uint8_t *values, const unsigned char *bytes,
    size_t len);

#endif
