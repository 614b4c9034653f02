/*
 * The signer's core: what it does with one request.
 *
 * It believes nobody.  An answer is a function of its own state, the request
 * and the clock that the caller reads; before a key is touched the journal
 * holds, durably, what the signature may cost.  Whatever fails refuses.
 *
 * Where to begin reading: take.c (one handler a type), pay.c (the line of
 * checks that a transaction passes), and then a file an idea:
 *
 *	journal.c	its own file: records, each authenticated with the one
 *			before; what survives a crash
 *	memory.c	what was ever signed: ids, transactions, outpoints
 *	conflict.c	the rule that makes paying twice impossible
 *	height.c	which height is believed (C3)
 *	window.c	the ceilings per short and long window
 *	standing.c	which engine, and where its journal must stand
 *	receipts.c	receipts, and which output each serves
 *	inputs.c	whose inputs these are, and what they are worth (H9)
 *	change.c	outputs that come back to us (C2, H10)
 *	approve.c	operators' signatures
 *	seed.c		the sealed seed
 *	keys.c		keys derived from it, and signing with them
 *	found.c		a new signer, or a new journal for an old one
 */
#ifndef SIGNER_SIGNER_H
#define SIGNER_SIGNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/text.h"

struct signer;

struct signer_clock {
	int64_t		boot_ms;	/* CLOCK_BOOTTIME */
	int64_t		now_ms;		/* CLOCK_REALTIME: for expiries only */
};

/*
 * A locked signer on two open files, which it does not close.  It reads the
 * journal's frames; whether they are its own is only known when the keys
 * are.  RC_FAILED: a file is not what it should be, or there is no memory.
 */
enum rc signer_new(struct signer **out, int journal_fd, int seed_fd,
    const struct signer_clock *now, struct err *e) MUST_CHECK;
/* Wipes the keys.  NULL inside is fine. */
void signer_free(struct signer **s);

/* Open the seed, then read the journal.  A wrong passphrase, or a journal
 * that is not this seed's, is RC_FAILED and leaves it locked. */
enum rc signer_unlock(struct signer *s, struct text passphrase,
    const struct signer_clock *now, struct err *e) MUST_CHECK;

/*
 * One frame of wire/sign.h in, one frame out.  The answer belongs to the
 * signer until the next call.  Never fails: what cannot be done is a
 * SIGN_REFUSED.  A frame that cannot be read gives one with the tag
 * of its head, or 0 when it has none.
 */
struct text signer_take(struct signer *s, struct text frame, bool custodian,
    const struct signer_clock *now);

/* From time to time: writes down how long it has run (C3). */
void signer_tick(struct signer *s, const struct signer_clock *now);

#endif
