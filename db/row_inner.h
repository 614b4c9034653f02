/* What reading and making rows share. */
#ifndef DB_ROW_INNER_H
#define DB_ROW_INNER_H

#include <stddef.h>

#include "db/row.h"

#define ROW_MAGIC	UINT32_C(0x316a4244)	/* "DBj1" */
#define ROW_LEN_MIN	(ROW_HEAD_LEN + 3 + ROW_HASH_LEN)
#define ROW_NONCE_LEN	24
#define ROW_TAG_LEN	16

/* SHA-256 over `before` (32 bytes) and len bytes. */
void row_hash(unsigned char out[ROW_HASH_LEN],
    const unsigned char *before, const void *bytes, size_t len);

/*
 * The nonce under which a row's plain bytes are sealed: of a whole row up to
 * the end of its open part, and of the plain bytes.
 */
void row_nonce(unsigned char out[ROW_NONCE_LEN],
    const unsigned char month_key[ROW_KEY_LEN], const unsigned char *row,
    size_t row_len, const unsigned char *plain, size_t plain_len);

#endif
