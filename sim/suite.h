/*
 * A suite: policies played over many scenarios in process, and what came of
 * it: how much the thieves got, and what the honest customers paid for it.
 *
 * A scene is a platform of one size and one seed.  Its traffic is made once
 * and kept in memory, and so is each attack's own part.  A policy plays a
 * scene once without an attack and once with each kind of attack.  Because
 * most of a scene is the same whatever the attack, one process plays the
 * traffic, and where an attack begins it forks: the child goes on with the
 * attack and writes its result into shared memory, the parent goes on
 * without.  What a child decides is what a run from the beginning would
 * have decided; nothing of the engine has to know about it.
 *
 * The same options give the same results, however many processes there are.
 */
#ifndef SIM_SUITE_H
#define SIM_SUITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "policy/program.h"
#include "sim/replay.h"

#define SUITE_SIZES_MAX	4
#define SUITE_KINDS_MAX	96
#define SUITE_SETS_MAX	32
#define SUITE_HONEST	(-1)		/* the kind "no attack" */

struct suite_options {
	const char	*sizes[SUITE_SIZES_MAX];	/* presets' names */
	int		 n_sizes;
	int64_t		 first_seed;
	int		 n_seeds;
	const char	*kinds[SUITE_KINDS_MAX];	/* attacks' names */
	int		 n_kinds;		/* 0: no attacks */
	int64_t		 days;			/* 0: the preset's */
	int64_t		 owners_ppm;	/* thefts their owners notice */
	int64_t		 settle_days;	/* play on so long after an attack's
					 * last event; 0: to the end */
	/*
	 * So many days before the others are imported as history: learnt
	 * from, neither judged nor scored (S34).  What the thieves do and one
	 * crash stay where they are without, counted from the days after.
	 */
	int64_t		 history_days;
	int64_t		 warmup_days;	/* then judged and not scored */
	const char	*sets[SUITE_SETS_MAX];	/* "name=value" of params.h */
	int		 n_sets;
	int		 jobs;			/* processes at once */
};

struct suite_part {
	int64_t		count;
	int64_t		sat;
};

/* What honest withdrawals met: each counts under the most severe. */
struct suite_price {
	struct suite_part all;
	struct suite_part delayed;
	struct suite_part stepped;	/* asked for a code */
	struct suite_part stopped;
	struct suite_part held;
	struct suite_part denied;
	int64_t		delay_median_ms;
};

struct suite_hits {
	uint32_t	honest;		/* withdrawals it spoke on */
	uint32_t	attack;
	int64_t		honest_sat;
	int64_t		attack_sat;
};

/* One policy, one scene, one attack or none. */
struct suite_result {
	int		size;		/* index into options.sizes */
	int64_t		seed;
	int		kind;		/* index into options.kinds */
	bool		done;
	struct err	why;		/* not done: the reason */
	struct suite_price honest;
	int64_t		asked_sat;	/* by the thieves */
	int64_t		loss_sat;
	int64_t		hot_sat;	/* -1: never given */
	int64_t		loss_ppm;	/* of hot; -1 unknown */
	int64_t		alarm_ms;	/* -1: none */
	int		halts;
	int		false_halts;	/* before any theft */
	int64_t		reviews;
	int64_t		withdrawals;
	struct suite_hits rules[RULES_MAX];
};

struct suite;

/* Checks the options.  They are copied, their texts borrowed. */
enum rc suite_new(struct suite **out, const struct suite_options *o,
    struct err *e) MUST_CHECK;
void suite_free(struct suite **s);

/*
 * From now on play only the first n_scenes scenes and the kinds whose bit is
 * set (bit i: options.kinds[i]); results keep their places, those not played
 * stay as they are.  At first: everything.
 */
void suite_narrow(struct suite *s, size_t n_scenes, const bool *kinds);

/* Results of one policy: scenes times kinds (and one more, no attack). */
size_t suite_count(const struct suite *s);

/*
 * Play a policy over all scenes; results[suite_count()], in order of size,
 * seed and kind, no attack first.  Scenes are made when first wanted and
 * kept.  `done` (may be NULL) is called as results come in, with how many.
 */
enum rc suite_run(struct suite *s, const struct program *p,
    const struct replay_reviewer *reviewer, struct suite_result *results,
    void (*done)(void *ctx, size_t n), void *ctx, struct err *e) MUST_CHECK;

/* Sums over results. */
struct suite_sum {
	int64_t		scenes;		/* attacks summed up */
	int64_t		loss_mean_ppm;	/* of hot, millionths */
	int64_t		loss_worst_ppm;
	int		worst_kind;	/* -1: none */
	int		worst_size;
	int64_t		asked_ppm;	/* of hot: mean */
	int64_t		loss_share_ppm;	/* of what the thieves asked: mean */
	struct suite_price honest;	/* summed; the largest median */
	int64_t		false_halts;
	int64_t		unalarmed;	/* attacks that nothing noticed */
	int64_t		alarm_worst_ms;	/* of those noticed */
	int64_t		reviews;
};

/*
 * Sum the attacks (or, with `honest`, the runs without one) whose size and
 * kind are these; -1 for all.
 */
void suite_sum(struct suite_sum *out, const struct suite_result *results,
    size_t n, bool honest, int size, int kind);

#endif
