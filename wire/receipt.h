/*
 * A receipt: the engine's word that one withdrawal may be paid, once.
 *
 * Fixed bytes, so that whoever pays (the signer, an exchange's own wallet)
 * needs no parser worth attacking.  Issuing one is the point of no return
 * (C1): after it the debit is final.  Numbers little-endian:
 *
 *	 0	version, 1
 *	 1	purpose, enum receipt_purpose
 *	 2	deployment, 16
 *	18	network
 *	19	epoch, le32: of the engine that led
 *	23	sequence, le64: of the event that released it
 *	31	head, 32: hash of the newest journal row that was durable when
 *		this was made: whoever keeps it can show which past it had
 *	63	policy, 32: its hash
 *	95	id: length, a byte; 64 bytes, filled up with zero
 *	160	account tag, 16: a keyed fingerprint, no name
 *	176	script: length, a byte; 42 bytes, filled up with zero
 *	219	amount, le64, satoshi
 *	227	maximum fee, le64, satoshi
 *	235	expires, le64, ms since 1970
 *	243	Ed25519 over "drawbridge receipt 1\n" and bytes 0 to 242
 */
#ifndef WIRE_RECEIPT_H
#define WIRE_RECEIPT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/text.h"

#define RECEIPT_LEN	307
#define RECEIPT_SIGNED	243
#define RECEIPT_BASE64_MAX	416	/* with a NUL */

enum receipt_purpose {
	RECEIPT_PAY = 1,		/* others' signer: expires soon */
	RECEIPT_PAY_OWN = 2,		/* our own signer */
	/* To our own signer, never to be paid on. */
	RECEIPT_BURN = 3,		/* never sign this id (C1): with the
					 * script and amount it was for */
	RECEIPT_STANDING = 4,		/* seq, head: where the engine's journal
					 * stands now; id, account tag, script,
					 * amount, fee are zero, the expiry may
					 * be */
};
/* "pay", "pay-own", "burn", "standing". */
const char *receipt_purpose_text(enum receipt_purpose p);

struct receipt {
	enum receipt_purpose purpose;
	unsigned char	deployment[16];
	uint8_t		network;
	uint32_t	epoch;
	uint64_t	seq;
	unsigned char	head[32];
	unsigned char	policy[32];
	struct text	id;		/* unpacked: points into the bytes */
	unsigned char	account_tag[16];
	struct text	script;
	int64_t		amount_sat;
	int64_t		fee_max_sat;
	int64_t		expires_ms;
	unsigned char	signature[64];
};

/* `out` has RECEIPT_LEN bytes; the signature as it is in r. */
void receipt_pack(const struct receipt *r, unsigned char out[RECEIPT_LEN]);
/* Strict: canonical, padding zero, what its purpose has and no more. */
enum rc receipt_unpack(struct receipt *out,
    const unsigned char in[RECEIPT_LEN], struct err *e) MUST_CHECK;
/* What is signed, RECEIPT_SIGNED plus the prefix: for sign and verify. */
#define RECEIPT_MESSAGE_LEN	(21 + RECEIPT_SIGNED)
void receipt_message(unsigned char out[RECEIPT_MESSAGE_LEN],
    const unsigned char in[RECEIPT_LEN]);
/* As base64, with its NUL, and back: the one way to write it. */
char *receipt_text(char out[RECEIPT_BASE64_MAX],
    const unsigned char in[RECEIPT_LEN]);
enum rc receipt_of_text(unsigned char out[RECEIPT_LEN], struct text t,
    struct err *e) MUST_CHECK;
/* By this engine's public key? */
bool receipt_verify(const unsigned char in[RECEIPT_LEN],
    const unsigned char engine_key[32]);

#endif
