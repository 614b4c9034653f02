/*
 * What the signer's files share.
 */
#ifndef SIGNER_INNER_H
#define SIGNER_INNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bitcoin/psbt.h"
#include "lib/err.h"
#include "signer/journal.h"
#include "signer/keys.h"
#include "signer/memory.h"
#include "signer/signer.h"
#include "signer/window.h"
#include "wire/receipt.h"
#include "wire/sign.h"
#include "wire/sign_settings.h"

#define INPUTS_MAX	2000
#define OUTPUTS_MAX	4000
#define LOADED_MAX	4096	/* receipts kept for co-signing */

/*
 * A refusal on its way out: which, and the reason's text in `e`.  Every check
 * returns true when it has nothing against it.
 */
struct refusal {
	enum sign_refusal why;
	struct err	e;
};
/* Sets it; always false, so that a check can `return refuse(...)`. */
bool refuse(struct refusal *r, enum sign_refusal why, const char *fmt, ...)
    PRINTF(3, 4);

struct signer {
	struct journal	*journal;	/* NULL: locked */
	int		journal_fd, seed_fd;
	struct keys	*keys;		/* NULL: locked */
	struct memory	*memory;
	struct windows	windows;
	struct sign_settings settings;	/* in force: the stricter of these */
	struct sign_settings now;	/* and of what waits */
	struct sign_settings next;
	bool		waits;
	uint64_t	settings_seq;	/* record that set `now` */
	uint64_t	waits_seq;
	uint32_t	waits_height;	/* when it was asked for: both must */
	int64_t		waits_running_ms; /* have passed by delay_blocks */
	/* What the chain and the engine are believed to be at. */
	uint32_t	height;
	int64_t		height_running_ms; /* time that it accounts for */
	uint64_t	engine_seq;
	uint64_t	floor;		/* of receipts' sequences (C4) */
	bool		behind;		/* our journal was put back: sticky */
	uint64_t	halted_seq;	/* record of the halt; 0: not halted */
	char		halted_why[256];
	bool		halted_locked;	/* halted while locked: in the file,
					 * not yet in the chain */
	bool		fresh;		/* no record but the founding one */
	bool		broken;		/* a write failed, or the state did not
					 * take a record: start again */
	uint64_t	signed_seq;	/* newest that signed or burned */
	uint64_t	free_records;	/* that cost the asker nothing */
	uint32_t	index_max;	/* highest index of ours signed */
	/* How long it has run, over all runs. */
	int64_t		running_before_ms;	/* runs that ended */
	int64_t		boot_began_ms;
	int64_t		recorded_ms;	/* of the newest record */
	struct receipt	*loaded;	/* for co-signing; texts point to */
	unsigned char	*loaded_bytes;
	size_t		n_loaded;
	unsigned char	*answer;	/* the last one */
	size_t		answer_room;
};

int64_t signer_running_ms(const struct signer *s,
    const struct signer_clock *now);
/* The head as it is now, signed. */
void signer_head(const struct signer *s, unsigned char out[SIGN_HEAD_LEN]);
/* A record into the journal, then into the state: both or neither.  The one
 * way that state changes, at run as at start. */
bool signer_record(struct signer *s, const struct record *rec,
    struct refusal *r);
/* state.c: what a record means for the state. */
enum rc signer_apply(struct signer *s, const struct record *rec,
    struct err *e) MUST_CHECK;

/* ---- one transaction on its way through the checks ---- */

enum output_kind { OUTPUT_NONE, OUTPUT_PAYMENT, OUTPUT_CHANGE, OUTPUT_COLD };

struct pay_in {
	struct key_ref	key;		/* whose it is: keys.h */
	int64_t		amount_sat;
};

struct pay_out {
	enum output_kind kind;
	size_t		receipt;	/* payment: number in receipts */
	struct key_ref	key;		/* change: branch, index */
};

struct pay {
	const struct sign_message *m;
	const struct signer_clock *now;
	int64_t		running_ms;
	struct psbt	*psbt;
	const struct tx	*tx;		/* psbt's */
	unsigned char	txid[32];
	struct tx_out	*spent;		/* of each input, believed */
	struct pay_in	*in;
	struct pay_out	*out;
	struct receipt	*receipts;	/* made by receipts_check(); pay_take()
					 * frees it */
	const unsigned char *receipt_bytes;
	size_t		n_receipts;
	uint64_t	standing_seq;
	unsigned char	spent_hash[32];	/* over all of `spent`: what a txid
					 * does not say */
	int64_t		in_sat, back_sat;	/* back: change and cold */
	int64_t		cost_sat;	/* in - back: what may leave */
	/* The same without what its ids were counted for before: what the
	 * windows count. */
	int64_t		counted_sat;
	int64_t		fee_sat;
	bool		spike;		/* fee_check(): above the first fee
					 * ceilings, not above the second */
	/* This txid was signed before: after inputs_check() no other check is
	 * made, the signatures are the same. */
	const struct memory_tx *again;
};

/*
 * In this order; each in the file of its name.  receipts_check() makes outputs
 * payments, change_check() what is then left.
 */
bool inputs_check(struct signer *s, struct pay *p, struct refusal *r);
bool height_check(struct signer *s, struct pay *p, struct refusal *r);
bool receipts_check(struct signer *s, struct pay *p, struct refusal *r);
bool change_check(struct signer *s, struct pay *p, struct refusal *r);
bool fee_check(struct signer *s, struct pay *p, struct refusal *r);
bool approve_check(struct signer *s, struct pay *p, struct refusal *r);
bool conflict_check(struct signer *s, struct pay *p, struct refusal *r);
bool ceilings_check(struct signer *s, struct pay *p, struct refusal *r);

/* fee_check() refuses what is above the ceilings for spikes; between them and
 * the first ones approve_check() asks for approvals of the fee. */

/* pay.c: SIGN_PAY and SIGN_COSIGN; the answer's psbt in *out, to be freed. */
bool pay_take(struct signer *s, const struct sign_message *m,
    const struct signer_clock *now, unsigned char **out, size_t *len,
    struct refusal *r);

/* standing.c: known head (known_check() is that alone) and engine's standing,
 * before anything else of a request; *seq: where the engine stands. */
bool known_check(struct signer *s, const struct sign_message *m,
    const struct signer_clock *now, struct refusal *r);
bool standing_check(struct signer *s, const struct sign_message *m,
    const struct signer_clock *now, uint64_t *seq, struct refusal *r);
/* receipts.c: one receipt's bytes: signature, deployment, network, epoch,
 * purpose. */
bool receipt_read(const struct signer *s, struct receipt *out,
    const unsigned char bytes[RECEIPT_LEN], enum receipt_purpose purpose,
    struct refusal *r);
/*
 * approve.c: one list may be for several statements: those of the first come
 * first.  Take the approvals of `st` (its by and expires are theirs) off the
 * head of *rest; true when at least `need` persons who may approve, or
 * custodians, gave one.  Unknown, expired or twice refuses, whatever the
 * number.
 */
bool approve_next(const struct signer *s, struct text *rest,
    struct sign_statement *st, bool custodians, unsigned need,
    const struct signer_clock *now, struct refusal *r);
/* None may be left: what is left is of no statement, or wrong. */
bool approve_end(struct text rest, struct refusal *r);
/* Both, for one statement. */
bool approve_count(const struct signer *s, struct text approvals,
    struct sign_statement *st, bool custodians, unsigned need,
    const struct signer_clock *now, struct refusal *r);
/* A statement with the fields that are the same in all. */
void approve_begin(const struct signer *s, struct sign_statement *st,
    enum sign_purpose purpose, uint64_t answers);

#endif
