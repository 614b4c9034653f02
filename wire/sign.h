/*
 * What is said to the signer, and what it says.
 *
 * It hears two pipes.  On the first come requests, from whoever builds the
 * transactions: it believes none of them.  On the second comes its custodian,
 * who sits at its own host.  A request is one frame, the answer is one frame
 * with the same tag, and the next request is read after that.
 *
 *	frame	le32: bytes that follow; type, a byte; le64: tag; then fields,
 *		each: number (enum in sign.c), a byte; varint: length; bytes
 *
 * Fields come in the order of their numbers, each at most once; numbers are
 * le64, and zero is left out.  Reading is strict: only fields that the type
 * has (`known` and `standing` every request), the ones that it needs, lengths
 * that can be.  SIGN_MAX bounds a frame, and so a transaction:
 * two thousand outputs with their receipts, or some hundred inputs that bring
 * large parents, fit.
 */
#ifndef WIRE_SIGN_H
#define WIRE_SIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/text.h"

#define SIGN_VERSION	1
#define SIGN_MAX	((size_t)16 << 20)
#define SIGN_FRAME_HEAD	13

enum sign_type {
	/* On either pipe. */
	SIGN_STATUS = 1,	/* body: "name value" lines */
	SIGN_DESCRIPTORS,	/* body: descriptors with checksum, a line each:
				 * external, internal; public keys only */
	SIGN_HALT,		/* reason: sign nothing from now on */
	SIGN_RESUME,		/* approvals, of the halt in force */
	SIGN_PAY,		/* known, standing, psbt, receipts, approvals */
	SIGN_LOAD,		/* known, standing, receipts, approvals: keep
				 * them for a PSBT that comes without (H8) */
	SIGN_COSIGN,		/* known, standing, psbt, approvals (of its
				 * fee): outputs by what was loaded, by script
				 * and amount */
	SIGN_BURN,		/* receipt (RECEIPT_BURN) in `receipts`: never
				 * sign this id. body: struct sign_burned */
	SIGN_WRITE_OFF,		/* id, outpoint, txid, block, approvals */
	SIGN_SIGNED,		/* number: what was signed after this sequence
				 * of the signer's journal; body: SIGN_ENTRY_LEN
				 * bytes each, at most SIGN_ENTRIES_MAX */
	SIGN_EPOCH,		/* number, key: the next epoch and its engine's
				 * key; approvals */
	SIGN_ADOPT,		/* standing, approvals: this engine's journal
				 * went back, and it has booked all up to
				 * `number` of the signer's (C5) */
	/* On the custodian's only. */
	SIGN_UNLOCK = 32,	/* secret: the passphrase */
	SIGN_LOCK,		/* forget the keys */
	SIGN_REARM,		/* approvals, of a custodian: next period */
	SIGN_SETTINGS,		/* body: wire/sign_settings.h as text;
				 * approvals of custodians.  What tightens is in
				 * force at once, what loosens waits */
	/* Answers. */
	SIGN_DONE = 64,		/* psbt or body; head, unless it is locked, was
				 * put back, or cannot write its journal */
	SIGN_REFUSED,		/* refusal, reason; head as above */
};

/* Why not.  The text in `reason` says which input, output or id. */
enum sign_refusal {
	SIGN_REFUSE_NONE,
	SIGN_REFUSE_MALFORMED,		/* of the frame, its fields, the PSBT */
	SIGN_REFUSE_PERMISSION,		/* not on this pipe */
	SIGN_REFUSE_LOCKED,
	SIGN_REFUSE_PASSPHRASE,
	SIGN_REFUSE_HALTED,
	SIGN_REFUSE_UNARMED,		/* the long period ended */
	SIGN_REFUSE_BEHIND,		/* our journal is older than what we
					 * said once: it was put back (C4) */
	SIGN_REFUSE_FORKED,		/* same sequence, another journal */
	SIGN_REFUSE_STORE,		/* the journal cannot be written */
	SIGN_REFUSE_TOO_MANY,		/* inputs, outputs, loaded, burns */
	SIGN_REFUSE_INPUT_TWICE,
	SIGN_REFUSE_INPUT_FOREIGN,	/* not of our keys */
	SIGN_REFUSE_INPUT_INDEX,
	SIGN_REFUSE_AMOUNT_UNPROVED,	/* H9 */
	SIGN_REFUSE_SIGHASH,
	SIGN_REFUSE_SEQUENCE,		/* 0xffffffff: no locktime (C3) */
	SIGN_REFUSE_LOCKTIME,		/* a time, or zero where it counts */
	SIGN_REFUSE_HEIGHT,		/* ahead of what can be by now (C3) */
	SIGN_REFUSE_TX_VERSION,
	SIGN_REFUSE_OUTPUT_UNKNOWN,	/* neither receipt nor ours */
	SIGN_REFUSE_OUTPUT_DUST,
	SIGN_REFUSE_CHANGE_BRANCH,	/* C2 */
	SIGN_REFUSE_CHANGE_INDEX,	/* H10 */
	SIGN_REFUSE_CHANGE_MANY,
	SIGN_REFUSE_RECEIPT_UNUSED,
	SIGN_REFUSE_RECEIPT_BAD,	/* bytes or signature */
	SIGN_REFUSE_RECEIPT_PURPOSE,
	SIGN_REFUSE_RECEIPT_FOREIGN,	/* deployment, network (H5) */
	SIGN_REFUSE_RECEIPT_EPOCH,
	SIGN_REFUSE_RECEIPT_EXPIRED,
	SIGN_REFUSE_RECEIPT_TWICE,	/* one id, two receipts or outputs */
	SIGN_REFUSE_RECEIPT_AHEAD,	/* sequence jumps too far (H5) */
	SIGN_REFUSE_ENGINE_BACK,	/* its journal went back */
	SIGN_REFUSE_ID_CHANGED,		/* other script or amount than before */
	SIGN_REFUSE_ID_BURNED,
	SIGN_REFUSE_ID_FLOOR,		/* at or below the floor (C4) */
	SIGN_REFUSE_ID_SIGNED,		/* burn: too late; reason: its txids */
	SIGN_REFUSE_NO_CONFLICT,	/* could confirm beside another */
	SIGN_REFUSE_TX_CHANGED,		/* same txid, other amounts claimed */
	SIGN_REFUSE_FEE,		/* absolute, or above the receipts' */
	SIGN_REFUSE_FEE_RATE,
	SIGN_REFUSE_CEILING_TX,
	SIGN_REFUSE_CEILING_SHORT,
	SIGN_REFUSE_CEILING_LONG,
	SIGN_REFUSE_APPROVALS,		/* too few */
	SIGN_REFUSE_APPROVAL_BAD,	/* unknown, expired, wrong, twice */
	SIGN_REFUSE_EPOCH,
	SIGN_REFUSE_SETTINGS,
	SIGN_REFUSE_FAILED,		/* ours: reason says what */
	SIGN_REFUSE__COUNT
};
/* "input-foreign"; and what it means, a sentence for a person. */
const char *sign_refusal_text(enum sign_refusal r);
const char *sign_refusal_meaning(enum sign_refusal r);
const char *sign_type_text(enum sign_type t);
/* May it come on this pipe?  False for answers and unknown numbers. */
bool sign_allowed(enum sign_type t, bool custodian);

/*
 * The signer's word on its own journal, in every answer: whoever gets the
 * newest sends it back with every request (C4).
 */
#define SIGN_HEAD_LEN	160
struct sign_head {
	unsigned char	signer[16];	/* its id: sign_id_of_key() */
	unsigned char	deployment[16];
	uint64_t	seq;		/* records in its journal */
	unsigned char	hash[32];	/* of the newest */
	uint64_t	height;		/* remembered */
	uint64_t	engine_seq;	/* highest that an engine stood at */
	uint64_t	epoch;
	unsigned char	signature[64];	/* Ed25519, the signer's own key,
					 * over "drawbridge signer head 1\n"
					 * and the 96 bytes before it */
};
void sign_head_pack(const struct sign_head *h,
    unsigned char out[SIGN_HEAD_LEN]);
void sign_head_unpack(struct sign_head *h,
    const unsigned char in[SIGN_HEAD_LEN]);
bool sign_head_verify(const struct sign_head *h, const unsigned char key[32]);
void sign_head_sign(struct sign_head *h, const unsigned char secret[64]);
/* The first 16 bytes of SHA-256 of the signer's public key. */
void sign_id_of_key(unsigned char out[16], const unsigned char key[32]);

/* The signer's word that an id will never be signed (C1). */
#define SIGN_BURNED_LEN	241
struct sign_burned {
	unsigned char	signer[16];
	unsigned char	deployment[16];
	uint64_t	seq;		/* of the signer's journal */
	struct text	id;		/* length, a byte, and 64 filled up */
	unsigned char	commitment[32];	/* sign_commitment(); zero: any */
	unsigned char	account_tag[16];
	uint64_t	t_ms;
	/* 16 zero bytes */
	unsigned char	signature[64];	/* over "drawbridge burned 1\n", rest */
};
void sign_burned_pack(const struct sign_burned *b,
    unsigned char out[SIGN_BURNED_LEN]);
enum rc sign_burned_unpack(struct sign_burned *b,
    const unsigned char in[SIGN_BURNED_LEN], struct err *e) MUST_CHECK;
bool sign_burned_verify(const unsigned char in[SIGN_BURNED_LEN],
    const unsigned char key[32]);
void sign_burned_sign(unsigned char in_out[SIGN_BURNED_LEN],
    const unsigned char secret[64]);

/* What an id is bound to at first sight: SHA-256("drawbridge payment 1\n",
 * le64 amount, script). */
void sign_commitment(unsigned char out[32], struct text script,
    int64_t amount_sat);

/* One of SIGN_SIGNED: le64 sequence, id (1 + 64), account tag 16, le64 amount,
 * le64 sequence of its receipt, txid 32. */
#define SIGN_ENTRY_LEN	137
#define SIGN_ENTRIES_MAX 4096
struct sign_entry {
	uint64_t	seq;
	struct text	id;
	unsigned char	account_tag[16];
	int64_t		amount_sat;
	uint64_t	receipt_seq;
	unsigned char	txid[32];
};
void sign_entry_pack(const struct sign_entry *n,
    unsigned char out[SIGN_ENTRY_LEN]);
enum rc sign_entry_unpack(struct sign_entry *n,
    const unsigned char in[SIGN_ENTRY_LEN], struct err *e) MUST_CHECK;

/*
 * The lines of SIGN_STATUS, `name value`, in this order; names are only
 * added.  Money is in satoshi, time in ms, hashes in hex.  Those from `behind`
 * on are there only when it is not locked.
 *
 *	version			SIGN_VERSION
 *	locked			yes or no
 *	halted			yes or no; if yes:
 *	halt-sequence		the record that a resume answers
 *	halt-reason
 *	behind			its journal was put back: recover
 *	journal-failed		a write failed: start it again
 *	signer public-key deployment network epoch engine quorum
 *	sequence journal	records in its journal, hash of the newest
 *	signed-sequence		the newest that signed or burned
 *	height height-limit	believed; the highest that could be claimed
 *	running			how long it ran, over all runs
 *	engine-sequence floor
 *	loaded			receipts kept for co-signing
 *	per-transaction		its ceilings, and what is spent of them
 *	short-spent short-max short-blocks
 *	armed			a period runs
 *	armed-sequence		the record that a re-arming answers
 *	armed-height armed-running rearm-waits
 *	long-spent long-max long-blocks fee-max approve-above
 *	settings-sequence	the record that new settings answer
 *	settings		hash of what they replace
 *	settings-wait		yes or no; if yes:
 *	waiting-sequence waiting
 *	waiting-until-height waiting-until-running	both must be reached
 */

/* Approvals of several statements come in the order of the statements: of
 * the first receipt that needs any, of the next, of the fee. */
/* One operator's approval in `approvals`: name (1 + 32, filled up), le64
 * expires, signature. */
#define SIGN_APPROVAL_LEN 105
#define SIGN_APPROVALS_MAX 4096
struct sign_approval {
	struct text	by;
	int64_t		expires_ms;
	unsigned char	signature[64];
};
void sign_approval_pack(const struct sign_approval *a,
    unsigned char out[SIGN_APPROVAL_LEN]);
enum rc sign_approval_unpack(struct sign_approval *a,
    const unsigned char in[SIGN_APPROVAL_LEN], struct err *e) MUST_CHECK;

/*
 * What they sign (H6), one text for one purpose:
 *
 *	drawbridge signer 1
 *	purpose: pay
 *	deployment: HEX
 *	network: regtest
 *	signer: HEX
 *	operator: alice
 *	answers: 17		record of the signer's journal: the halt that a
 *				resume ends, the period or the settings that are
 *				replaced; else 0
 *	expires: 1795344397777
 *
 * and the lines of its purpose.  Transactions and blocks stand there as people
 * write them (back to front), amounts in BTC with eight decimals, keys and
 * heads in hex as they are.
 */
enum sign_purpose {
	SIGN_FOR_PAY = 1,	/* id, script, amount, fee-max */
	SIGN_FOR_FEE,		/* txid, fee: above the first fee ceiling */
	SIGN_FOR_RESUME,
	SIGN_FOR_WRITE_OFF,	/* id, outpoint, spent-by, block */
	SIGN_FOR_EPOCH,		/* epoch, engine */
	SIGN_FOR_ADOPT,		/* engine-sequence, engine-head, booked */
	SIGN_FOR_REARM,
	SIGN_FOR_SETTINGS,	/* hash, replaces */
};
struct sign_statement {
	enum sign_purpose purpose;
	unsigned char	deployment[16];
	uint8_t		network;
	unsigned char	signer[16];
	struct text	by;
	uint64_t	answers;
	int64_t		expires_ms;
	struct text	id;
	struct text	script;
	int64_t		amount_sat;	/* pay; fee: the fee */
	int64_t		fee_max_sat;
	unsigned char	txid[32];	/* fee; write-off: what spent it */
	unsigned char	outpoint_txid[32];
	uint32_t	outpoint_vout;
	unsigned char	hash[32];	/* block, engine's key or head, ... */
	unsigned char	replaces[32];
	uint64_t	number;		/* epoch; engine's sequence */
	uint64_t	booked;
};
#define SIGN_STATEMENT_MAX 1024
/* Returns its length; ids longer than 64 bytes are a bug. */
size_t sign_statement_text(char out[SIGN_STATEMENT_MAX],
    const struct sign_statement *s);
bool sign_statement_verify(const struct sign_statement *s,
    const unsigned char key[32], const unsigned char signature[64]);
void sign_statement_sign(unsigned char signature[64],
    const struct sign_statement *s, const unsigned char secret[64]);

/* Nothing in here is owned; absent texts have p NULL. */
struct sign_message {
	enum sign_type	type;
	uint64_t	tag;
	enum sign_refusal refusal;
	uint64_t	number;
	struct text	known;		/* SIGN_HEAD_LEN, or absent */
	struct text	standing;	/* RECEIPT_LEN */
	struct text	psbt;
	struct text	receipts;	/* RECEIPT_LEN each */
	struct text	approvals;	/* SIGN_APPROVAL_LEN each */
	struct text	id;
	struct text	outpoint;	/* txid, le32 vout */
	struct text	txid;		/* 32 */
	struct text	block;		/* 32 */
	struct text	key;		/* 32 */
	struct text	secret;
	struct text	reason;
	struct text	head;		/* SIGN_HEAD_LEN */
	struct text	body;
};
void sign_message_clear(struct sign_message *m, enum sign_type t,
    uint64_t tag);
size_t sign_message_room(const struct sign_message *m);
size_t sign_message_pack(const struct sign_message *m, unsigned char *out);
/* As message_len() of wire/message.h. */
enum rc sign_message_len(size_t *out, const unsigned char *p, size_t len,
    struct err *e) MUST_CHECK;
enum rc sign_message_unpack(struct sign_message *out, const unsigned char *p,
    size_t len, struct err *e) MUST_CHECK;

#endif
