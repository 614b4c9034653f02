/*
 * Rows of the journal: what was decided together and made durable together.
 *
 * A row is the same bytes in every store.  It holds the events of one commit
 * in order; an event is an input and what came of it, packed by whoever
 * knows them (wire/command.h, engine/outcome.h); here they are bytes.
 *
 *	offset	bytes
 *	0	4	"DBj1"
 *	4	4	semantics: ENGINE_SEMANTICS of the engine that decided
 *	8	8	seq: number of the first event, from 1 without a gap
 *	16	8	t_ms: the time of the first event
 *	24	4	events: how many
 *	28	4	month: 12 * year + month - 1 of t_ms (UTC); an event of
 *			another month begins a new row
 *	32	32	policy: the hash of the policy that decided; zeros
 *			before the first one
 *	64	4	open_len
 *	68	4	sealed_len: 0, or the plain length + 40
 *	72		the open part, open_len bytes; for every event:
 *			varint length and the command's open bytes,
 *			varint length of its plain sealed bytes,
 *			varint length and the outcomes' bytes
 *	...		the sealed part: a nonce of 24 bytes, the commands'
 *			sealed bytes in order under XChaCha20-Poly1305 (RFC
 *			8439 with the draft's longer nonce), a tag of 16.
 *			The header and the open part are authenticated with
 *			it.  The nonce is a keyed BLAKE2b of all that, so that
 *			writing a row again after a crash never gives two
 *			texts one nonce
 *	end-32	32	SHA-256 over the hash of the row before (32 zeros
 *			for the first) and all bytes above
 *
 * Sealing and nonces each have a key of their own, derived from the month's
 * (keyring_subkey()).  Numbers are little-endian.  A destroyed key
 * makes the sealed part noise and leaves the chain whole.
 */
#ifndef DB_ROW_H
#define DB_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

#define ROW_HEAD_LEN	72
#define ROW_HASH_LEN	32
#define ROW_SEAL_EXTRA	40
#define ROW_KEY_LEN	32
/* Largest row; a policy with its tables is one event. */
#define ROW_LEN_MAX	((size_t)320 << 20)
#define ROW_EVENTS_MAX	65536
/* One event's bytes that stand in any row. */
#define ROW_EVENT_HEAD_MAX	30

struct row_head {
	uint32_t	semantics;
	uint64_t	seq;
	int64_t		t_ms;
	uint32_t	events;
	uint32_t	month;
	unsigned char	policy[32];
	uint32_t	open_len;
	uint32_t	sealed_len;
};

/* 12 * year + month - 1 of a time; defined for every number. */
uint32_t row_month(int64_t t_ms);

/*
 * Making one: begin, add events, finish.  The buffers grow and are kept for
 * the next row.
 */
struct row_maker;
enum rc row_maker_new(struct row_maker **out, struct err *e) MUST_CHECK;
void row_maker_free(struct row_maker **m);
void row_begin(struct row_maker *m, uint32_t semantics, uint64_t seq,
    const unsigned char policy[32]);
/* How many events are in it, and about how long it will be. */
uint32_t row_events(const struct row_maker *m);
size_t row_len(const struct row_maker *m);
/*
 * Room for one event; then put it: the lengths that were really used.  Fails
 * when the row would be longer than ROW_LEN_MAX or have more than
 * ROW_EVENTS_MAX events: finish it first.
 */
enum rc row_room(struct row_maker *m, size_t open, size_t sealed,
    size_t outcomes, unsigned char **open_out, unsigned char **sealed_out,
    unsigned char **outcomes_out, struct err *e) MUST_CHECK;
/*
 * t_ms counts for the first event only.  An event of another month than the
 * row's must not be put (asserted): finish the row first.
 */
void row_put(struct row_maker *m, int64_t t_ms, size_t open_len,
    size_t sealed_len, size_t outcomes_len);
/*
 * Seal under the month's key (NULL: nothing in it may be sealed, asserted),
 * chain to `hash` and replace it by the row's own.  *row_out is good until
 * the next row_begin().
 */
void row_finish(struct row_maker *m, const unsigned char *key,
    unsigned char hash[ROW_HASH_LEN], const unsigned char **row_out,
    size_t *len_out);

/*
 * Reading one.  row_parse() checks everything but chain, seal and events:
 * lengths, magic, month.  row_check() checks the chain: RC_FAILED says that
 * hash differs; otherwise `hash` becomes the row's.  `seq` is which event
 * must come first (0: any).
 */
enum rc row_parse(struct row_head *out, const unsigned char *row, size_t len,
    uint64_t seq, struct err *e) MUST_CHECK;
enum rc row_check(const unsigned char *row, size_t len,
    unsigned char hash[ROW_HASH_LEN], struct err *e) MUST_CHECK;
/*
 * Open the sealed part of a parsed row into `plain` (sealed_len -
 * ROW_SEAL_EXTRA bytes).  RC_FAILED: not under this key.
 */
enum rc row_unseal(unsigned char *plain, const unsigned char *row,
    size_t len, const unsigned char key[ROW_KEY_LEN], struct err *e)
    MUST_CHECK;

/* One event of a row, where it lies. */
struct row_event {
	uint64_t	seq;
	const unsigned char *open;	size_t open_len;
	/* NULL: destroyed, and sealed_len is what it was; or 0, and there
	 * was nothing. */
	const unsigned char *sealed;	size_t sealed_len;
	const unsigned char *outcomes;	size_t outcomes_len;
};

/* Walking the events of a parsed row. */
struct row_walk {
	const unsigned char *p, *end;
	const unsigned char *plain;
	size_t		sealed_left;
	uint64_t	seq;
	uint32_t	left;
};
/* `plain` NULL: the sealed part is destroyed, or there is none. */
void row_walk(struct row_walk *w, const struct row_head *h,
    const unsigned char *row, const unsigned char *plain);
/*
 * *more_out false: all were there and nothing was left over.  Lengths must
 * add up to the last byte, those of a destroyed part too.
 */
enum rc row_next(struct row_walk *w, struct row_event *out, bool *more_out,
    struct err *e) MUST_CHECK;

#endif
