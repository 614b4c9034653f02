/*
 * Outcomes as they stand in a journal row, beside the command they came of.
 *
 * Small, and lossless for everything that people or a later engine ask:
 * which withdrawal, what was decided and why, which rules spoke and what the
 * facts were that they read.  Left out is what follows from the rest: `ref`
 * and `account`.  Packing is canonical, so that an engine that decides the
 * same gives the same bytes: that is how a start compares.
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
 * the input being applied: ids and times are kept relative to it.
 */
unsigned char *outcome_pack(unsigned char *p, const struct outcome *o,
    const struct input *in, const struct program *program);

#define OUTCOME_RULES_MAX	64	/* the rest is only counted */
#define OUTCOME_FACTS_MAX	SLOTS_MAX

/* The fact behind a rule: a slot of the program and what it held. */
struct outcome_fact {
	int		slot;
	bool		known;		/* false: an error, or never given */
	int64_t		value;
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
	/* Judged by the policy; else what follows is zero. */
	bool		judged;
	bool		deny, halt, code;
	int		people;
	int64_t		delay_ms;
	int64_t		hot_sat, fund_sat;	/* -1: unknown, or no rule
						 * asked */
	int		n_rules;	/* spoke: numbers in the program */
	uint16_t	rules[OUTCOME_RULES_MAX];
	/* What each did: matched, only reported, was silenced. */
	enum { RULE_MATCHED, RULE_SHADOWED, RULE_EXEMPTED }
			did[OUTCOME_RULES_MAX];
	int		n_facts;
	struct outcome_fact facts[OUTCOME_FACTS_MAX];
};

/*
 * Read one from [*p, end) and move *p behind it; strict.  `id`, `amount` and
 * `t` are the command's: what outcomes are relative to.
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
