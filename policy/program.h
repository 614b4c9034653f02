/*
 * A policy made ready to run: flat arrays and jump targets, no names to look
 * up, every aggregate a numbered set of counters, every quantity a slot.
 *
 * The engine owns the counters and gives slot values; eval() walks the rules
 * and joins what they ask for (S1, S2).  eval() is pure and does not
 * allocate.
 */
#ifndef POLICY_PROGRAM_H
#define POLICY_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "policy/ast.h"
#include "policy/words.h"

#define SLOTS_MAX	192

enum slot_kind {
	SLOT_FACT,		/* index: enum fact */
	SLOT_DECLARED,		/* index: declared fact */
	SLOT_AGG,		/* index: aggs[]; includes this one (S9) */
	SLOT_NORMAL,		/* index: aggs[]; its usual reading now, -1
				 * until learnt (S37, S40) */
	SLOT_BUSY,		/* index: busy_windows[]; in 1/1000, 1000 to
				 * 8000 (S38) */
	SLOT_FRAUD,		/* index: fraud_windows[]; 0 or 1 */
	SLOT_IN_TABLE,		/* index: table * 4 + enum in_subject */
};

struct prog_slot {
	enum slot_kind	kind;
	int		index;
	/*
	 * Kept in the withdrawal's record as it was at asking: request facts,
	 * and `asked` aggregates per account, key, network or partner.
	 */
	bool		frozen;
};

struct prog_agg {
	struct agg	def;
	int		buckets;	/* B; B + 1 are kept (S15) */
	int		cap;		/* distinct: resolved */
	bool		learn;		/* some line speaks of its normal */
};

enum operand_kind {
	OPERAND_CONST,
	OPERAND_SLOT,		/* times x slot */
	OPERAND_HOT,		/* ppm of hot, rounded down */
	OPERAND_FUND,
	OPERAND_LINE,		/* lines[index] */
};

struct operand {
	enum operand_kind kind;
	int		index;
	int64_t		value;		/* constant, times or ppm */
};

struct prog_line {
	int		normal_slot;
	int		busy_slot;	/* -1 without `busy` */
	int64_t		by_ppm;
	struct operand	plus;		/* constant or share */
	struct operand	learnt;
	bool		root;		/* counts: + 3 isqrt(n); money: not */
};

enum test_kind { TEST_COMPARE, TEST_SLOT /* non-zero */, TEST_CLASS };

/* Jump targets: a test's index, or one of these. */
#define JUMP_TRUE	(-1)
#define JUMP_FALSE	(-2)

struct prog_test {
	enum test_kind	kind;
	enum relop	rel;
	struct operand	left;
	struct operand	right;
	int64_t		less_ppm;	/* S42 */
	int		cls;		/* TEST_CLASS */
	bool		shared;		/* left is an aggregate of platform,
					 * group or destination: S28 */
	int		if_true;
	int		if_false;
};

/*
 * The classes that a condition asks for before anything else: when one of
 * `all` is not there, or one of `none` is, it is false without a look.
 */
struct prog_gate {
	uint64_t	all;
	uint64_t	none;
};

struct prog_class {
	int		start;		/* first test; JUMP_TRUE: always */
	struct prog_gate gate;
};

struct prog_rule {
	struct prog_gate gate;
	enum verdict	verdict;
	bool		shadow;
	bool		ceiling;	/* binds people too (S45) */
	int64_t		delay_ms;
	int		people;
	enum lot_kind	lot;
	int64_t		lot_in;
	struct operand	lot_per;
	/* It speaks while t < until_ms: `until` names its last day (UTC).
	 * INT64_MAX: for ever. */
	int64_t		until_ms;
	int		start;		/* first test; JUMP_TRUE: always */
	/* S28: the longest window of its shared aggregates; 0: no taint.
	 * Ceilings have none: they are judged afresh, or one absurd request
	 * would deny everything that waits. */
	int64_t		taint_ms;
	bool		taint_destination;	/* else platform or group */
	uint64_t	exempt;		/* bit i: exemption i silences it */
	uint64_t	label_hash;	/* separates the lots (S41, S42) */
	int		ast_rule;	/* index into policy.rules, -1 if made
					 * here (ceilings) */
	char		name[64];	/* for records; never empty */
	char		where[96];	/* "default.policy:42" */
};

struct prog_exempt {
	int		cls;		/* implicit class: its condition */
	int		sum_slot;
	int64_t		upto_sat;
	int		count_slot;	/* -1 for none */
	int64_t		count;
	int64_t		until_ms;
};

/* What a rule may read, its classes' tests included (policy/reads.h). */
struct prog_reads {
	uint64_t	slots[SLOTS_MAX / 64];
	uint64_t	classes;
	bool		hot;
	bool		fund;
};

struct program {
	const struct policy *policy;	/* borrowed: outlives the program */
	struct prog_slot *slots;	int n_slots;
	struct prog_agg	*aggs;		int n_aggs;
	struct prog_line *lines;	int n_lines;
	struct prog_test *tests;	int n_tests;
	struct prog_class *classes;	int n_classes;
	struct prog_rule *rules;	int n_rules;
	struct prog_exempt *exempts;	int n_exempts;
	int64_t		*busy_windows;	int n_busy_windows;
	int64_t		*fraud_windows;	int n_fraud_windows;
	/* busy_aggs[i]: distinct accounts asked on platform in
	 * busy_windows[i] of CLASS_BUSY. */
	int		*busy_aggs;
	bool		uses_fact[FACT__COUNT];
	struct prog_reads *reads;	/* of each rule */
	uint64_t	fallible[SLOTS_MAX / 64]; /* slots whose value may be
						   * an error */
	int		amount_slot;	/* -1: nobody asks */
	int64_t		longest_delay_ms;
	uint64_t	digest;		/* of the canonical text and tables */
};

/* Never fails on a policy that policy_load() accepted, but for memory. */
enum rc program_new(struct program **out, const struct policy *p,
    struct err *e) MUST_CHECK;
void program_free(struct program **p);

/* Everything in it, one line each, for tests and for debugging. */
void program_dump(const struct program *p, FILE *out);

/* The cap that a `distinct` has when none is written (S17), or what is. */
int program_cap(const struct agg *def);

/* B of S15: `set buckets` or what the scope has by itself. */
int program_buckets(const struct settings *set, const struct agg *def);

/* Why a value could not be had (S7). */
enum eval_error {
	EVAL_OK = 0,
	EVAL_UNKNOWN,		/* a reading that was never given */
	EVAL_FULL,		/* a table is full */
	EVAL_OVERFLOW,
};

enum eval_when {
	EVAL_ASKING,
	EVAL_MATURING,		/* S27, S28: at the end of a delay */
	EVAL_RESUMING,		/* S29: everything fresh, taint ignored */
	EVAL_RELEASING,		/* by people: ceilings only (S45) */
};

/*
 * What the engine lends for one evaluation.  value[] is a cache that eval()
 * fills through fetch(); `known` has a bit for each slot fetched.
 */
struct eval_env {
	void		*ctx;
	enum eval_error	 (*fetch)(void *ctx, int slot, int64_t *value_out);
	bool		 (*draw)(void *ctx, int rule);
	/* 0..1 in 2^-32: the day's secret share for `less up to` (S42).
	 * rule is -1 for one that stands in a class. */
	uint32_t	 (*shade)(void *ctx, int rule);
	bool		 (*tainted)(void *ctx, int rule);
	enum eval_when	 when;
	int64_t		 t_ms;
	int64_t		 hot_sat;	/* -1: unknown, any share is an error */
	int64_t		 fund_sat;	/* -1: unknown */
	uint64_t	 classes;	/* set by eval() at EVAL_ASKING; given
					 * otherwise */
	int64_t		 value[SLOTS_MAX];
	uint64_t	 known[SLOTS_MAX / 64];
};

/* What all the rules together ask for (S2). */
struct joined {
	enum verdict	 called;	/* its most severe part */
	bool		 allowed;	/* some allow matched (S5) */
	int64_t		 delay_ms;	/* the longest; 0: none */
	bool		 code;
	int		 people;	/* 0: no hold */
	bool		 deny;
	bool		 halt;
	bool		 by_default;	/* the default was joined in */
	enum eval_error	 error;		/* joined a hold (S7) */
	uint64_t	 matched[RULES_MAX / 64];
	uint64_t	 shadowed[RULES_MAX / 64];	/* shadow rules */
	uint64_t	 exempted[RULES_MAX / 64];	/* would have spoken */
	uint64_t	 failed[RULES_MAX / 64];	/* asked what nobody
							 * knows: see error */
};

/*
 * Judge one withdrawal.  *out is written whole.  At EVAL_ASKING the classes
 * are evaluated first, in order, and env->classes grows bit by bit, so that
 * fetch() may look at the bits of earlier classes (S9, S14).
 *
 * A value that cannot be had makes its test false and joins a hold (S7);
 * conditions are kept free of `not`, so that a rule which matches all the
 * same would have matched whatever the value was.  An `allow` that met an
 * error does not match; a shadow rule's error is dropped with it; one inside
 * an exemption means no exemption.
 */
void eval(const struct program *p, struct eval_env *env, struct joined *out);

/* One class alone, for the engine's own use and for tests: true when it is
 * true whatever the values are that could not be had. */
bool eval_class(const struct program *p, struct eval_env *env, int cls);

#endif
