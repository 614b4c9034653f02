/*
 * Heads that were kept elsewhere, held against a journal: they show that
 * nothing was cut off its end, that it is no older copy, and that it was not
 * written anew with a chain of its own.
 */
#ifndef ENGINE_HEADS_H
#define ENGINE_HEADS_H

#include <stddef.h>
#include <stdint.h>

#include "engine/head.h"
#include "engine/verify.h"
#include "lib/err.h"

enum heads_state {
	HEADS_BEYOND,		/* the journal ends before: it was cut off */
	HEADS_HOLDS,
	HEADS_DIFFERS,		/* that row has another hash */
	HEADS_INSIDE,		/* no row ends there */
	HEADS_EARLIER,		/* before what was checked */
	HEADS_FOREIGN,		/* of another deployment */
	HEADS_FORGED,		/* not signed by this journal's engine */
};
/* "holds", "cut off", ... */
const char *heads_state_text(enum heads_state s);

struct heads_one {
	struct head	head;
	int		line;		/* of the file, from 1 */
	enum heads_state state;
};

struct heads {
	struct heads_one *list;		/* by seq */
	size_t		 n;
	size_t		 at;		/* the next to be met */
};

/* A head, or lines of them; blank lines and those that begin with `#` are
 * none.  Errors name the line.  heads_free() whatever comes of it. */
enum rc heads_parse(struct heads *out, const char *text, size_t len,
    struct err *e) MUST_CHECK;
void heads_free(struct heads *h);

/* Rows in order, each whole: those heads that speak of it are settled. */
void heads_row(struct heads *h, const struct verify_row *r);
/* The rest: who signed them, and of which journal.  After the last row. */
void heads_settle(struct heads *h, const struct genesis *g);

/*
 * The first that does not hold, NULL when all do.  `wrong`: the rows were
 * not read to their end, so that what lies beyond is not known.
 */
const struct heads_one *heads_first_bad(const struct heads *h, bool wrong);
/* Why, as a sentence: "cut off: the head says 12,345 events, ...". */
void heads_why(const struct heads_one *one, uint64_t last, struct err *e);

#endif
