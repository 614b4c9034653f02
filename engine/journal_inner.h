/*
 * The journal from inside: for journal*.c alone.
 */
#ifndef ENGINE_JOURNAL_INNER_H
#define ENGINE_JOURNAL_INNER_H

#include <sys/types.h>

#include "db/db.h"
#include "db/keyring.h"
#include "db/row.h"
#include "engine/committer.h"
#include "engine/journal.h"
#include "engine/trail.h"

struct journal {
	struct db	*db;		/* the committer's while it lives */
	struct keyring	*keys;
	struct committer *committer;
	struct row_maker *maker;	/* the row that fills */
	struct rebuilt	 state;
	struct trail	 trail;
	struct input_fact facts[COMMAND_FACTS_MAX];
	uint64_t	 first;		/* of the row that fills */
	uint32_t	 month;		/* its month */
	const unsigned char *key;	/* its month's; NULL: nothing sealed */
	bool		 dead;
	struct err	 why;		/* dead: the first reason */
	char		*url;
	void		(*progress)(void *ctx, uint64_t done, uint64_t total);
	void		*ctx;		/* of progress */
	uint64_t	 snapshot_every;
	uint64_t	 snapshot_seq;	/* the last one begun */
	pid_t		 snapshot_pid;	/* being written; 0: none */
};

/* The state is ahead of what can be made durable: nothing may follow. */
enum rc journal_die(struct journal *j, enum rc rc, struct err *e);

/* journal_snapshot.c: after a row, when one is due; and the last one. */
enum rc journal_snapshot_maybe(struct journal *j, struct err *e) MUST_CHECK;
enum rc journal_snapshot_last(struct journal *j, struct err *e) MUST_CHECK;
/* Wait for the one that is being written; its failure is no failure of the
 * journal. */
void journal_snapshot_wait(struct journal *j);

#endif
