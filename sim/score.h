/*
 * Scoring a replay: what happened to honest and to thieves' withdrawals.
 *
 * Each withdrawal counts under exactly one key: the most severe that it met
 * before it was released or the file ended.  Met is what the policy (or a
 * built-in refusal) answered; what people do moves nothing.
 */
#ifndef SIM_SCORE_H
#define SIM_SCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "policy/program.h"
#include "sim/scenario.h"

/* From mild to severe. */
enum score_key {
	SCORE_AT_ONCE,		/* released_at_once */
	SCORE_DELAYED,
	SCORE_STEPPED_UP,
	SCORE_STOPPED,
	SCORE_HELD,
	SCORE_DENIED,
	SCORE__KEYS
};
const char *score_key_text(enum score_key k);	/* "released_at_once" */

/* Where a withdrawal is at the end. */
enum score_final {
	FINAL_WAITING,		/* delayed, awaiting a code, or stopped */
	FINAL_HELD,
	FINAL_RELEASED,
	FINAL_DENIED,
	FINAL_REFUSED,		/* no code or no answer in time */
	FINAL_CANCELLED,
};
const char *score_final_text(enum score_final f);

struct score_cell {
	uint64_t	count;
	int64_t		sat;
};

/* One label. */
struct score_side {
	struct score_cell all;
	struct score_cell keys[SCORE__KEYS];
	/* Of those that count as delayed and were released: lower median and
	 * 99th percentile by nearest rank, 0 if none. */
	int64_t		median_ms;
	int64_t		p99_ms;
	uint64_t	code_refused;	/* of the stepped up: no code came */
	struct score_cell released;	/* at once or later */
};

struct score_halt {
	int64_t		t_ms;
	int64_t		until_ms;	/* -1: never resumed */
	int		rule;		/* -1: by people */
	char		by[SCENARIO_ID_MAX + 1];	/* by people */
};

/* What a rule spoke on, when asked or later. */
struct score_rule {
	struct score_cell sides[3];	/* by enum scenario_label */
};

#define SCORE_LOSSES_MAX	5

/* One of the biggest attack withdrawals that were released. */
struct score_loss {
	char		id[SCENARIO_ID_MAX + 1];
	char		account[SCENARIO_ID_MAX + 1];
	char		address[129];
	int64_t		sat;
	int64_t		asked_ms;
	int64_t		released_ms;
	enum score_key	key;
};

struct score {
	uint64_t	withdrawals;	/* scored */
	struct score_side sides[3];	/* by enum scenario_label */
	int64_t		loss_sat;
	int64_t		hot_sat;	/* when the first attack withdrawal
					 * came; -1: never given */
	int64_t		first_attack_ms;	/* -1: none */
	int64_t		alarm_ms;	/* after it; -1: none */
	struct score_halt *halts;	/* owned */
	size_t		n_halts;
	uint64_t	reviews;
	uint64_t	events;		/* all lines applied */
	int64_t		first_ms;	/* first and last withdrawal scored; */
	int64_t		last_ms;	/* -1: none */
	struct score_rule rules[RULES_MAX];	/* by the program's number */
	struct score_rule dflt;		/* the default was joined in */
	struct score_loss losses[SCORE_LOSSES_MAX];
	int		n_losses;
};

/*
 * The one that keeps the score while a replay runs: about 40 bytes a
 * withdrawal.
 */
struct tally;
struct feed_item;
struct outcome;

enum rc tally_new(struct tally **out, int64_t from_ms, struct err *e)
    MUST_CHECK;
void tally_free(struct tally **t);

/* Whatever happens from now on comes of this item; NULL: of time passing
 * or of the reviewer. */
void tally_item(struct tally *t, const struct feed_item *item);

/* One outcome.  RC_FAILED: out of memory. */
enum rc tally_outcome(struct tally *t, const struct outcome *o) MUST_CHECK;

/* One withdrawal, as far as it has come. */
struct tally_entry {
	bool		scored;
	enum scenario_label label;
	enum score_key	key;
	enum score_final final;
	bool		tripped;	/* it tripped a halt */
	int64_t		released_ms;	/* -1: not */
};
/* By its number in the engine; it must have been asked for. */
struct tally_entry tally_entry(const struct tally *t, uint32_t ref);
/* All numbers are below this one. */
uint32_t tally_end(const struct tally *t);

/* Add everything up.  The score is the tally's. */
enum rc tally_finish(struct tally *t, uint64_t reviews, uint64_t events,
    const struct score **out, struct err *e) MUST_CHECK;

#endif
