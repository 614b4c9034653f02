/*
 * The book of a backtest: what became of each withdrawal on both sides, and
 * what that adds up to.
 */
#ifndef SIM_BACKTEST_BOOK_H
#define SIM_BACKTEST_BOOK_H

#include "engine/engine.h"
#include "engine/outcome.h"
#include "lib/ident.h"
#include "sim/backtest.h"
#include "sim/idmap.h"

enum { SIDE_WAS, SIDE_IS, SIDES };

/* Rules by name, ascending numbers of struct backtest_rule. */
struct spoken {
	uint16_t	*rules;		/* owned; NULL: none */
	uint16_t	 n;
};

struct item_side {
	int64_t		released_ms;	/* -1: not */
	enum score_key	key;		/* the most severe until it ended */
	enum state	state;
	bool		ended;
	bool		judged;		/* `spoken` is known */
	struct spoken	spoken;
};

/* A withdrawal that has not ended on both sides. */
struct item {
	struct ident	id;		/* none: the slot is free */
	struct ident	account;
	uint64_t	seq;
	int64_t		sat;
	int64_t		t_ms;
	struct item_side sides[SIDES];
	bool		counted;
	bool		fraud;
	bool		wants_end;	/* the supposed person waits for the
					 * end in reality */
	bool		wants_code;	/* so does the supposed code */
	bool		paid;		/* in reality */
};

struct book;

enum rc book_new(struct book **out, const struct backtest_options *o,
    struct err *e) MUST_CHECK;
void book_free(struct book **b);
/* The result, which the book owns until book_take(). */
struct backtest *book_result(struct book *b);
struct backtest *book_take(struct book *b);

/* The rules of a policy that was in force; those of the new one are known. */
enum rc book_policy(struct book *b, const struct program *p, struct err *e)
    MUST_CHECK;

/* NULL: not here, or ended on both sides. */
struct item *book_find(struct book *b, struct ident id);
/* The same, made if it is new; NULL: out of memory.  Good until the next
 * one is made or ended. */
struct item *book_make(struct book *b, struct ident id, struct ident account,
    uint64_t seq, int64_t t_ms, int64_t sat);

/* What happened to it on one side. */
struct happened {
	enum outcome_type type;
	enum verdict	verdict;
	enum state	state;
	int64_t		t_ms;
	int64_t		released_ms;
	bool		judged;
};
/* *rules: numbers in the side's program, which spoke. */
enum rc book_happened(struct book *b, struct item *i, int side,
    const struct happened *h, const uint16_t *rules, size_t n_rules,
    struct err *e) MUST_CHECK;

/* Found to be fraud, whether it has ended or not. */
void book_fraud(struct book *b, struct ident id);

/* Ended on both sides: counted and let go. */
enum rc book_end(struct book *b, struct item *i, struct err *e) MUST_CHECK;
/* The journal is over: count what waits. */
enum rc book_end_all(struct book *b, struct err *e) MUST_CHECK;

#endif
