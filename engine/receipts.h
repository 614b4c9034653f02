/*
 * Receipts made: wire/receipt.h signed by the engine's key.
 */
#ifndef ENGINE_RECEIPTS_H
#define ENGINE_RECEIPTS_H

#include "db/keyring.h"
#include "wire/receipt.h"

/* There is one engine; another one that takes over gets the next number. */
#define RECEIPTS_EPOCH	1

/*
 * Sign, from any thread.  The deployment, the epoch, the account's tag (of
 * its name) and the signature are put into *r, whose other fields the caller
 * has set; `out` is base64.  A standing is nobody's and gets no tag.
 */
char *receipts_sign(char out[RECEIPT_BASE64_MAX], struct receipt *r,
    struct text account, const struct keyring *keys);

/* 16 bytes that tell accounts apart and name none. */
void receipts_tag(unsigned char out[16], struct text account,
    const struct keyring *keys);

#endif
