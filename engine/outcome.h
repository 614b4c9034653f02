/*
 * Outcomes as they stand in a journal row, beside the command they came of.
 *
 * Small, and lossless for everything that people or a later engine ask:
 * which withdrawal, what was decided and why, which rules spoke and what the
 * facts were that they read.  Packing is canonical, so that an engine that
 * decides the same gives the same bytes: that is how a start compares.
 *
 * Left out is what follows from the rest or stands beside it:
 *
 *  - `ref` and `account`;
 *  - the fact `amount`: it is amount_sat;
 *  - what an `allow` read when something else asked for more;
 *  - hot and fund where only an `allow` read them: most of a journal is
 *    withdrawals that are let through, and these would double their size.
 *    An engine rebuilt up to there knows them.
 *
 * One outcome, numbers as in wire/bytes.h:
 *
 *	head	a byte: 0-2 type, 3 judged, 4 shape, 5 id, 6 more
 *	shape	a byte: cause, 16 x state; a byte: verdict, 8 x would,
 *		64: a byte `why` follows.  Absent: what is usual for the type
 *	id	16 bytes; absent: the command's (none for HALTED, RESUMED)
 *	more	a byte says which follow, each other than expected:
 *		1	t_ms, less the command's, signed
 *		2	amount_sat, signed; expected: the command's
 *		4	due_ms less t_ms, signed; expected: none
 *		8	released_ms less t_ms, signed; expected: t_ms when
 *			RELEASED by a decision or move, else -1
 *		16	halt_rule; expected: -1
 *	judged	varint: 1 classes, 2 extras, 4 facts, 8 x rules that spoke
 *		rules	each: 8 x (number less the one before, less 1) + how
 *		classes	of those that the rules asked for: which held
 *		extras	varint: 1 by default, 2 code, 4 deny, 8 people, 16
 *			delay, 32 hot, 64 fund, 128 halt, 256 error; then
 *			people, delay_ms, hot_sat + 1, fund_sat + 1, error
 *		facts	how many; each 4 x (slot less the one before, less
 *			1) + 0: its value, signed; 1: amount_sat, 2: zero,
 *			3: could not be had
 */
#ifndef ENGINE_OUTCOME_H
#define ENGINE_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"
#include "lib/err.h"

/* Room that one outcome needs at most. */
#define OUTCOME_ROOM	4096

/*
 * Append one to `p`, which has OUTCOME_ROOM bytes; returns the end.  `in` is
 * the input being applied: ids and times are kept relative to it.  The same
 * engine and input give the same bytes, whatever ran before.
 */
unsigned char *outcome_pack(unsigned char *p, const struct outcome *o,
    const struct input *in, const struct program *program);

#define OUTCOME_RULES_MAX	RULES_MAX
#define OUTCOME_FACTS_MAX	SLOTS_MAX

/* The fact behind a rule: a slot of the program and what it held. */
struct outcome_fact {
	int64_t		value;		/* 0 when not known */
	uint16_t	slot;
	bool		known;		/* false: it may be the error that
					 * made a rule fail (S7) */
};

/* What a rule did. */
enum outcome_did {
	RULE_MATCHED,
	RULE_SHADOWED,		/* only reported */
	RULE_EXEMPTED,		/* was silenced */
	RULE_FAILED,		/* asked what nobody knows: see error */
};

/* One outcome, unpacked. */
struct outcome_record {
	enum outcome_type type;
	enum cause	cause;
	enum why	why;
	int64_t		t_ms;
	struct ident	id;		/* none: of no withdrawal */
	int64_t		amount_sat;
	enum verdict	verdict;
	enum verdict	would;
	enum state	state;
	int64_t		due_ms;		/* INT64_MAX: none */
	int64_t		released_ms;	/* -1: not */
	int		halt_rule;
	/* Judged by the policy; else what follows is zero (hot and fund
	 * -1). */
	bool		judged;
	bool		deny, halt, code;
	bool		by_default;	/* the default was joined in */
	int		people;
	int64_t		delay_ms;
	enum eval_error	error;		/* joined a hold (S7) */
	bool		hot_read, fund_read;	/* by a rule that asked for
						 * something */
	int64_t		hot_sat, fund_sat;	/* -1: unknown, or not read */
	uint64_t	classes;	/* held, of those that the rules
					 * asked for */
	int		n_rules;	/* spoke: numbers in the program,
					 * ascending */
	uint16_t	rules[OUTCOME_RULES_MAX];
	uint8_t		did[OUTCOME_RULES_MAX];	/* enum outcome_did */
	/* RULE_FAILED, or matched or exempted whatever it could not have
	 * had. */
	bool		failed[OUTCOME_RULES_MAX];
	int		n_facts;	/* slots ascending */
	struct outcome_fact facts[OUTCOME_FACTS_MAX];
};

/* Are facts of rules[i] in the record?  Not of one that only failed, and of
 * an `allow` only when that was the verdict. */
bool outcome_tells(const struct outcome_record *r, int i,
    const struct program *p);

/*
 * Read one from [*p, end) and move *p behind it; strict.  `id`, `amount` and
 * `t` are the command's: what outcomes are relative to.  Whatever is read
 * is what packing would have written.  No memory is taken.
 */
struct outcome_of {
	struct ident	id;
	int64_t		amount_sat;
	int64_t		t_ms;
};
enum rc outcome_unpack(struct outcome_record *out, const unsigned char **p,
    const unsigned char *end, const struct outcome_of *of, struct err *e)
    MUST_CHECK;

#endif
