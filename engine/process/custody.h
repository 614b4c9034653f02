/*
 * Our own signer, from the engine's side.
 *
 * The signer and the engine are two journals that look after one another
 * (C4, C5).  The engine says where it stands, gives out receipts to pay
 * (issuing one is the point of no return, C1) and to burn, and gives money
 * back only on the signer's word that it will never sign.  It keeps the
 * newest head of the signer's journal in its own: a signer that forked or
 * went back stops everything.
 *
 * MESSAGE_CUSTODY, by its `name`; every answer is JSON, and waits until what
 * it says is durable:
 *
 *	standing	{"standing": RECEIPT_STANDING, good for five minutes,
 *			"seq", "head": the newest of the signer that is known,
 *			or null, "record": its number}
 *	receipt	id	as V1_WITHDRAWAL, with a RECEIPT_PAY_OWN, if it was
 *			released and may be paid now
 *	burn	id	the same, with a RECEIPT_BURN, if its money is gone
 *	burned	body	struct sign_burned: {"id", "state": "burned", "seq"}
 *	behind	body	struct sign_entry, any number: {"record": the last,
 *			"behind": those that are not known here as paid out:
 *			[{"record", "id", "amount", "state": here, or
 *			"unknown", or "amount" if it was another,
 *			"account" or null}]}
 *	head	body	struct sign_head: {"state": "newer", "known" or "older",
 *			"record", "head": the newest}
 *
 * Receipts are base64 as /v1 has them, heads base64 of SIGN_HEAD_LEN bytes.
 *
 * After a restore (C5) the signer is heard before anybody is paid.  When its
 * head says that it was told of events which this journal lost, everything
 * stops, and nobody is paid until a later head shows that the signer adopted
 * this journal; receipts then have numbers beyond those that are lost, for the
 * signer remembers whose they were.
 *
 * Who pays is decided once.  Where the configuration has a `signer-key` and
 * the journal no head of that signer yet, nobody gets a receipt; what was
 * released before the first head may have one for others, and never gets one
 * for our signer; and where the journal knows a signer that the configuration
 * does not name, nobody gets one.  So no withdrawal has receipts for two.
 */
#ifndef ENGINE_PROCESS_CUSTODY_H
#define ENGINE_PROCESS_CUSTODY_H

#include <stdbool.h>
#include <stdint.h>

#include "book/book.h"
#include "link/channel.h"
#include "wire/command.h"
#include "wire/message.h"
#include "wire/receipt.h"
#include "wire/sign.h"

struct keeper;
struct engine_withdrawal;

struct custody {
	bool		known;		/* a head is in the journal */
	uint64_t	since_seq;	/* the event of the first */
	struct sign_head newest;
	uint64_t	heard_seq;	/* the event of the newest */
	int64_t		heard_ms;
	uint64_t	restored_seq;	/* the last COMMAND_RESTORED; 0: none */
	uint64_t	lost_seq;	/* the signer heard of this event, and
					 * the journal lost it; 0: of none */
	/* Heads as they came, by their number: what tells a fork. */
	struct {
		uint64_t	seq;
		unsigned char	hash[32];
	}		heads[BOOK_HEADS];
};

/* MESSAGE_CUSTODY. */
void custody_asked(struct keeper *k, struct channel *from,
    const struct message *m);
/* Every command that was taken or is in force, as operators_told(). */
void custody_told(struct custody *c, const struct command *cmd,
    uint64_t seq);
/* All that is in force is known, or the configuration is another: say what
 * follows from it. */
void custody_begin(struct keeper *k);

/* Whom receipts are for: RECEIPT_PAY or RECEIPT_PAY_OWN; false: for nobody. */
bool custody_purpose(const struct keeper *k, enum receipt_purpose *out);
/* How long they are good for. */
int64_t custody_receipt_ms(const struct keeper *k, enum receipt_purpose p);
/* The event that issues the first receipt for our signer.  False: refused. */
bool custody_issue(struct keeper *k, struct text id, uint64_t *seq_out);
/* What the book must know to make the receipt that the message asks for. */
void custody_now(struct keeper *k, struct book_now *n,
    const struct message *m, const struct engine_withdrawal *w,
    bool may_pay);

#endif
