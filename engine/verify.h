/*
 * Is a journal whole?  Every row is read, chained to the one before, opened
 * and unpacked to the last byte; the first one that is wrong is named.
 *
 * What a row can be asked alone (verify_row.c: its hash over the stored hash
 * of the row before, its seal, its events) is asked on several threads; what
 * depends on all rows before (the policy in force, that time goes forward)
 * is asked in order.  Memory is bounded: a few batches of rows, and the
 * longest row.
 *
 * A chain proves that nothing was changed inside.  That nothing was cut off
 * its end, only a head that was kept elsewhere proves: engine/heads.h.
 */
#ifndef ENGINE_VERIFY_H
#define ENGINE_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/db.h"
#include "db/keyring.h"
#include "db/row.h"
#include "lib/err.h"
#include "wire/command.h"

/* What one row says. */
struct verify_row {
	uint64_t	seq;		/* the number under which it is kept */
	bool		parsed;		/* the head is a row's */
	struct row_head	head;
	unsigned char	hash[ROW_HASH_LEN];
	size_t		len;
	int64_t		first_ms;	/* the command's time of the first */
	int64_t		max_ms;		/* the latest of its commands */
	bool		forgotten;	/* sealed, and the key destroyed */
	bool		unread;		/* sealed, and there is no keyring */
	uint32_t	policies;	/* events that bring one */
	unsigned char	policy[32];	/* the last of them */
	bool		has_genesis;
	struct genesis	genesis;
};

/* One thread's tools. */
struct verifier;
/* `keys` NULL: nothing sealed is opened. */
enum rc verifier_new(struct verifier **out, const struct keyring *keys,
    struct err *e) MUST_CHECK;
void verifier_free(struct verifier **v);
/*
 * Check one row, kept under number `seq`, that must begin with event `next`
 * and follow from the hash `before`.  RC_FAILED: it is wrong, and why.
 */
enum rc verifier_row(struct verifier *v, struct verify_row *out,
    uint64_t seq, const unsigned char *row, size_t len, uint64_t next,
    const unsigned char before[ROW_HASH_LEN], struct err *e) MUST_CHECK;

/* What is whole so far, and the first thing that is not. */
struct verified {
	uint64_t	from;		/* the first event checked */
	uint64_t	rows;
	uint64_t	events;
	uint64_t	bytes;
	uint64_t	seq;		/* the last good event; 0: none */
	int64_t		first_ms;
	int64_t		t_ms;		/* the time it has come to */
	unsigned char	hash[ROW_HASH_LEN];
	uint64_t	sealed_rows;
	uint64_t	forgotten_rows;	/* their key is destroyed */
	uint64_t	unread_rows;	/* there is no keyring */
	uint64_t	policies;
	unsigned char	policy[32];	/* in force */
	uint32_t	semantics_min, semantics_max;
	bool		has_genesis;
	struct genesis	genesis;
	bool		wrong;
	struct verify_row at;		/* wrong: which row */
	struct err	why;
};

/* In order: does the row follow from those before?  Then it is counted. */
enum rc verified_row(struct verified *s, const struct verify_row *r,
    struct err *e) MUST_CHECK;

struct verify_options {
	uint64_t	from;		/* event; 0: the first */
	int		threads;	/* 0: as many as there are processors */
	/* After each good row, in order; may be NULL. */
	void		(*on_row)(void *ctx, const struct verify_row *r);
	void		(*progress)(void *ctx, uint64_t done, uint64_t total);
	void		*ctx;
};

/*
 * RC_FAILED: it could not be done.  A wrong row is out->wrong.  The genesis
 * is read whatever `from` is.  Rows that are appended meanwhile are not.
 */
enum rc verify(struct verified *out, struct db *db,
    const struct keyring *keys, const struct verify_options *o,
    struct err *e) MUST_CHECK;

/* "row 17 (events 1601-1700, 2026-03-01 10:00:00 UTC)": the wrong one. */
#define VERIFY_NAME_MAX	160
char *verified_name(char buf[VERIFY_NAME_MAX], const struct verified *s);

#endif
