/*
 * The handlers of requests: take.c has the table.
 */
#ifndef SIGNER_TAKE_H
#define SIGNER_TAKE_H

#include "signer/inner.h"

/* What is answered besides the head. */
struct reply {
	struct text	psbt;
	struct text	body;
	uint64_t	number;
	unsigned char	*owned;		/* freed when it is packed */
};

/* One request and what is known of its moment. */
struct ask {
	const struct sign_message *m;
	const struct signer_clock *now;
	int64_t		running_ms;
};

/* True: done.  False: refused, and nothing has happened but what the journal
 * says. */
typedef bool signer_handler(struct signer *s, const struct ask *a,
    struct reply *out, struct refusal *r);

/* halt.c */
signer_handler	halt_take, resume_take;
/* burn.c */
signer_handler	burn_take;
/* write_off.c */
signer_handler	write_off_take;
/* load.c */
signer_handler	load_take;
/* custody.c */
signer_handler	unlock_take, lock_up_take, rearm_take, settings_take;
/* engine.c */
signer_handler	epoch_take, adopt_take;
/* tell.c */
signer_handler	status_take, descriptors_take, signed_take;

/* state.c: open the seed and the journal. */
bool state_unlock(struct signer *s, struct text passphrase,
    const struct signer_clock *now, struct refusal *r);
/* Forget all of it but the clock. */
void state_lock(struct signer *s, const struct signer_clock *now);
/* What only time brings about: settings that waited, costs that leave. */
void state_settle(struct signer *s, int64_t running_ms);
/*
 * May one more be written that costs the asker nothing (a burn, a halt of what
 * is halted)?  They stay for ever: who owns the engine must not be able to
 * fill disk and memory with them.
 */
bool state_free_record(const struct signer *s, int64_t running_ms);
#define FREE_RECORDS	65536	/* at once; then one a second of running */
/* A record with its moment, all else empty. */
void record_begin(struct record *rec, enum record_kind kind,
    const struct ask *a);

/* receipts.c: may this one be signed now?  Its id, age, sequence. */
bool receipt_usable(const struct signer *s, const struct receipt *rc,
    uint64_t standing_seq, const struct signer_clock *now,
    struct refusal *r);
/* No id and no sequence twice among them. */
bool receipts_differ(const struct receipt *rc, size_t n, struct refusal *r);
/* approve.c: those of n payments that need it, off the head of *rest. */
bool approve_payments(const struct signer *s, struct text *rest,
    const struct receipt *rc, size_t n, const struct signer_clock *now,
    struct refusal *r);
/* "`w-17`", for reasons: printable, whatever it is.  Returns buf. */
#define ID_TEXT_MAX	(64 * 4 + 3)
const char *id_text(char buf[ID_TEXT_MAX], struct text id);

#endif
