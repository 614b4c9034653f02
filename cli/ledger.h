/*
 * The ledger of who pays: receipts that were redeemed, in a file that only
 * grows.  An id is redeemed once, for ever, whatever receipt is brought for
 * it (C10).
 *
 *	drawbridge-ledger-1 DEPLOYMENT NETWORK
 *	ID SHA256 T_MS			in hex, of the receipt's bytes; ms
 *
 * A line counts when it ends.  A last one that does not was being written as
 * the machine or the program died: nobody was told that it was good, and it
 * is cut off.  Any other line that cannot be read stops everything.
 */
#ifndef CLI_LEDGER_H
#define CLI_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "wire/receipt.h"

enum ledger_said {
	LEDGER_REDEEMED,	/* now, durably, for the first time */
	LEDGER_BEFORE,		/* this id was redeemed before */
};

/*
 * Remember it.  The file is locked meanwhile, written and synced before this
 * returns.  `make`: it may be missing, and is made; else a ledger that is
 * gone would let everything be paid again.
 */
enum rc ledger_redeem(enum ledger_said *out, const char *path, bool make,
    const struct receipt *r, const unsigned char bytes[RECEIPT_LEN],
    int64_t t_ms, struct err *e) MUST_CHECK;

#endif
