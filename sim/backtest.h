/*
 * What another policy would have decided over a real journal.
 *
 * Its engine runs free from the first event on, in a copy of the world: the
 * same customers ask the same things at the same times, and its own releases
 * fill its budgets.  People's decisions are taken where they still fit (a
 * release of what it does not hold is left out).  Where the two part, nobody
 * knows what would have happened next, so it is supposed:
 *
 *  - what it holds is looked at after `review_ms`, by somebody who decides
 *    as it ended in reality, and who waits for that end if it is not known
 *    yet: released if it was released, denied otherwise;
 *  - a code that it asks for comes at once if it was released, or when that
 *    comes; else never;
 *  - a halt of its own is ended after `review_ms`, or when reality is
 *    resumed if that is stopped then;
 *  - a payment that was made follows the release whenever that comes.
 *
 * Memory: the engine's; a record for each withdrawal that waits on either
 * side; 16 bytes for each that ended in the last BACKTEST_KEEP_MS, so that
 * what is found to be fraud later is counted.
 */
#ifndef SIM_BACKTEST_H
#define SIM_BACKTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/db.h"
#include "db/keyring.h"
#include "lib/civil.h"
#include "lib/err.h"
#include "policy/program.h"
#include "sim/score.h"
#include "wire/command.h"

/* At least so long after its end a withdrawal may be called fraud. */
#define BACKTEST_KEEP_MS	(90 * MS_PER_DAY)
#define BACKTEST_EXAMPLES	5
#define BACKTEST_HALTS		8

struct backtest_options {
	const struct program *program;	/* the new policy; borrowed */
	int64_t		review_ms;
	/* Only what is asked for from then on is counted; 0: all. */
	uint64_t	from_seq;
	int64_t		from_ms;
	/* The last event, and the first time that is too late; 0: none. */
	uint64_t	until_seq;
	int64_t		until_ms;
	/* Called now and then; may be NULL. */
	void		(*progress)(void *ctx, uint64_t done, uint64_t total);
	void		*ctx;
};

/* A rule by its name: of the new policy, of the recorded ones, or both. */
struct backtest_rule {
	char		name[64];
	char		where[96];
	bool		is_new;		/* the new policy has it */
	bool		is_old;		/* one that was in force had it */
	bool		shadow;		/* the new policy only reports it */
	struct score_cell both;		/* spoke on these in both */
	struct score_cell only_new;
	struct score_cell only_old;
	uint64_t	accounts_new;	/* of only_new */
	uint64_t	accounts_old;
	/* What those withdrawals waited longer and shorter, where both sides
	 * released them in the end; one that two rules spoke on counts with
	 * both. */
	int64_t		added_ms;
	int64_t		saved_ms;
};

/* What was found to be fraud, on one side. */
struct backtest_fraud {
	struct score_cell keys[SCORE__KEYS];	/* the most severe it met */
	struct score_cell lost;		/* released in the end all the same */
};

struct backtest_example {
	uint64_t	seq;		/* the event that asked for it */
	int64_t		t_ms;
	int64_t		sat;
	enum score_key	was;		/* in reality */
	enum score_key	is;		/* under the new policy */
	int		rule;		/* that spoke only there; -1: none */
	char		id[COMMAND_NAME_MAX + 1];
	char		account[COMMAND_NAME_MAX + 1];
};

struct backtest_halt {
	int64_t		t_ms;
	int64_t		until_ms;	/* -1: never */
	int		rule;		/* of the program */
};

struct backtest {
	uint64_t	events;
	uint64_t	forgotten;	/* without their personal data */
	int64_t		first_ms, last_ms;	/* counted; -1: none */
	struct score_cell all;		/* counted withdrawals */
	/* By the most severe that each met: in reality, under the new one. */
	struct score_cell keys[SCORE__KEYS][SCORE__KEYS];
	uint64_t	accounts_sterner, accounts_milder;
	/* Released in reality, not under the new policy; the other way. */
	struct score_cell kept, let_go;
	int64_t		added_ms, saved_ms;
	struct backtest_fraud was, is;
	struct score_cell fraud;
	uint64_t	halts;		/* by rules of the new policy */
	uint64_t	halts_was;	/* by rules, in reality */
	struct backtest_halt first_halts[BACKTEST_HALTS];
	uint64_t	supposed_looks;	/* of the supposed person */
	uint64_t	supposed_codes;
	uint64_t	full;		/* held because a table was full */
	bool		enforces;	/* the new policy does */
	struct backtest_rule *rules;	/* owned */
	size_t		n_rules;
	/* The largest that were decided more severely, and less. */
	struct backtest_example sterner[BACKTEST_EXAMPLES];
	struct backtest_example milder[BACKTEST_EXAMPLES];
	int		n_sterner, n_milder;
};

/* `db` is walked; *out is owned by the caller: backtest_free(). */
enum rc backtest_run(struct backtest **out, struct db *db,
    const struct keyring *keys, const struct backtest_options *o,
    struct err *e) MUST_CHECK;
void backtest_free(struct backtest **b);

#endif
