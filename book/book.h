/*
 * The book: what customers and operators read.
 *
 * The journal projected into tables of an SQLite database of its own
 * (DATA/book.db), which can be deleted and is then made again from the
 * journal: withdrawals with their states and reasons, accounts, keys, address
 * books, deposits, operators, proposals, policies; and the newest command of
 * each key, secret and operator as it was packed, for those who load them.
 *
 * It follows the journal as a standby would, by rows, on a thread of its own,
 * and keeps its place in the same transaction.  A question is answered when
 * the book has come as far as the journal was durable when it was asked: who
 * was answered reads what he was answered.
 */
#ifndef BOOK_BOOK_H
#define BOOK_BOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "db/keyring.h"
#include "lib/err.h"
#include "wire/message.h"
#include "wire/receipt.h"

struct book;

/* How many of the signer's heads are loaded, besides the first. */
#define BOOK_HEADS	256

/* What only the engine's own state knows, read as the question came. */
struct book_now {
	int64_t		t_ms;
	int64_t		balance_sat;	/* of the account asked about: free;
					 * -1: it has no ledger */
	int64_t		hot_sat;	/* -1: unknown */
	int64_t		fund_sat;
	bool		halted;
	const char	*mode;		/* "observe", "advise", "enforce" */
	/* V1_WITHDRAWAL: what the engine has released under that id and may
	 * be paid now, or burned; 0: nothing.  Then what stands in its
	 * receipt; what was released by an event up to `payers_seq` may have
	 * a receipt for another payer, and gets none. */
	int64_t		payable_sat;
	enum receipt_purpose purpose;
	uint64_t	payers_seq;
	int64_t		receipt_ms;
	int64_t		fee_max_sat;
	unsigned char	head[32];
	int64_t		signer_ms;	/* V1_HEALTH: when our signer's newest
					 * head came; 0: there is none */
};

struct book_config {
	const char	*path;		/* DATA/book.db; made if missing */
	const char	*journal;	/* url, read */
	const struct keyring *keys;	/* borrowed; NULL: addresses of clients
					 * stay unknown */
	uint8_t		network;
	/* The last resort: where the journal is damaged, what is in the book
	 * is read as it is. */
	bool		as_it_is;
	/*
	 * From the book's thread: an answer; body is good until it returns.
	 */
	void		(*answered)(void *ctx, uint64_t ticket, int status,
			    struct text body);
	/* From the book's thread, for book_load(): one command; then one with
	 * open.p NULL. */
	void		(*loaded)(void *ctx, uint64_t ticket, uint64_t seq,
			    struct text open, struct text sealed);
	/* It cannot go on (disk, damage): reads fail from now on. */
	void		(*failed)(void *ctx, const struct err *why);
	void		*ctx;
};

/* Opens and starts the thread; it catches up to `seq` in the background. */
enum rc book_open(struct book **out, const struct book_config *c,
    struct err *e) MUST_CHECK;
void book_close(struct book **b);

/* Everything up to seq is durable: follow.  From any thread, cheap. */
void book_wake(struct book *b, uint64_t seq);
uint64_t book_seq(struct book *b);	/* how far it is */

/*
 * Ask: any endpoint that is answered in JSON from the book (SIGNED reads,
 * V1_WITHDRAWAL, V1_EVENTS, SELF_*, LOCAL_*).  The message is copied.
 * Answered once `seq` is in the book.
 */
void book_ask(struct book *b, uint64_t ticket, uint64_t seq,
    const struct message *q, const struct book_now *now);

/*
 * What the command line reads from LOCAL_STATUS, besides what a person
 * wants to see: "deployment" (32 hex digits), "network" ("regtest", ...),
 * "demo", "t_ms", "seq", "mode", "halted", "halt_seq" (the event that halted,
 * or null), "policy" (hash in force, hex), "waiting", "held", "stopped"
 * (counts), "hot_sat", "fund_sat".
 */

/* Everything that is in force: keys, secrets, door keys, operators, the
 * quorum, open proposals and their approvals; in order of their numbers. */
void book_load(struct book *b, uint64_t ticket, uint64_t seq);

/* A key was used from there: kept in the book alone, in batches. */
void book_used(struct book *b, struct text key, const unsigned char ip[16],
    bool has_ip, int64_t t_ms);

#endif
