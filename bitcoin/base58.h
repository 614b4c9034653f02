/*
 * Base58 and Base58Check, the spelling of addresses before 2017
 * (https://en.bitcoin.it/wiki/Base58Check_encoding).
 *
 * Nothing here allocates.  Texts are at most BASE58_TEXT_MAX bytes long,
 * which holds an extended key (82 bytes with its checksum) with room.
 */
#ifndef BITCOIN_BASE58_H
#define BITCOIN_BASE58_H

#include <stddef.h>

#include "lib/err.h"

#define BASE58_TEXT_MAX		128
#define BASE58_BYTES_MAX	94	/* what 128 characters can hold */

/*
 * The bytes that `text` stands for.  *len_out is their number, at most
 * BASE58_BYTES_MAX.  The empty text is no bytes.  Blanks are not skipped.
 */
enum rc base58_decode(unsigned char out[BASE58_BYTES_MAX], size_t *len_out,
    const char *text, size_t len, struct err *e) MUST_CHECK;

/*
 * The same, then the last four bytes are compared with the first four of
 * the double SHA-256 of the others.  *len_out excludes them.
 */
enum rc base58_decode_check(unsigned char out[BASE58_BYTES_MAX],
    size_t *len_out, const char *text, size_t len, struct err *e) MUST_CHECK;

/*
 * Write the text of len bytes (at most BASE58_BYTES_MAX) and a NUL to buf,
 * which has room for BASE58_TEXT_MAX + 2 characters; returns its length.
 */
size_t base58_encode(char buf[BASE58_TEXT_MAX + 2],
    const unsigned char *bytes, size_t len);

/* The same with a checksum behind; len is at most BASE58_BYTES_MAX - 4. */
size_t base58_encode_check(char buf[BASE58_TEXT_MAX + 2],
    const unsigned char *bytes, size_t len);

#endif
