/*
 * The engine's process: it alone has the journal, and decides.
 *
 * Commands come from auth (customers and exchanges, signatures verified) and
 * console (operators).  Each is given the time, taken, and its answer made at
 * once, from the state as it is; all answers wait until everything taken
 * before them is durable (group commit), so that nobody is told what could
 * still be lost.
 *
 *	main.c		the process: loop, links, sandbox, stop
 *	keeper.c	take, hold answers, commit, time, what falls due
 *	customers.c	answers of the customers' door
 *	exchange.c	answers of /v1, receipts, the feed
 *	custody.c	our own signer: standing, receipts, burns, heads
 *	operators.c	who may act, proposals, approvals
 *	reads.c		questions to the book
 *	notices.c	what an account's owner hears of
 */
#ifndef ENGINE_PROCESS_KEEPER_H
#define ENGINE_PROCESS_KEEPER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"
#include "engine/journal.h"
#include "lib/config.h"
#include "lib/err.h"
#include "link/channel.h"
#include "policy/program.h"
#include "wire/command.h"
#include "wire/message.h"

struct keeper;

/* What came of a command: its own outcome, copied. */
struct taken {
	uint64_t	seq;		/* of the event */
	int64_t		t_ms;		/* of the engine */
	enum outcome_type type;		/* TAKEN when it has none of its own */
	enum cause	cause;
	enum why	why;
	enum verdict	verdict;
	enum verdict	would;
	enum state	state;
	int64_t		due_ms;
	int64_t		released_ms;	/* -1: not */
	bool		judged;		/* what follows is there */
	bool		code;		/* a code is asked for */
	bool		by_default;	/* no rule spoke */
	bool		error;		/* a rule asked what nobody knows */
	int		people;
	int		n_rules;	/* those that spoke */
	uint16_t	rules[RULES_MAX];
	uint8_t		did[RULES_MAX];	/* enum outcome_did */
	/* How long the address has been in the account's address book, if a
	 * rule asked: 0 never; -1: none did. */
	int64_t		listed_ms;
	/* It stopped everything: the rule, -1 by people, -2: it did not. */
	int		halt_rule;
};

/*
 * Take one command now, at the engine's time (c->t_ms is overwritten).
 * RC_FAILED: it was bad, nothing happened, and the reason can be told; if the
 * journal is dead the process ends by itself.
 */
enum rc keeper_take(struct keeper *k, struct command *c, struct taken *out,
    struct err *e) MUST_CHECK;

/*
 * Answer; held until all that was taken before is durable.  `body` is
 * copied.  `to` may be gone by then.
 */
void keeper_answer(struct keeper *k, struct channel *to, uint64_t tag,
    int status, struct text body, int64_t retry_s);

/* To read. */
struct journal *keeper_journal(struct keeper *k);
const struct rebuilt *keeper_state(const struct keeper *k);
const struct config *keeper_config(const struct keeper *k);
const struct keyring *keeper_keyring(const struct keeper *k);
int64_t keeper_now_ms(struct keeper *k);	/* the engine's clock, H2 */
uint64_t keeper_durable(const struct keeper *k);
/* Binance-, /v1- and operators' part, each kept by its file. */
struct operators *keeper_operators(struct keeper *k);
struct book *keeper_book(struct keeper *k);

/*
 * The parts.  Each handles one message whose sender is allowed to send it,
 * and answers through keeper_answer(), at once or later.
 */
/* TAKE with an endpoint of the customers' door, the self-service or links. */
void customers_take(struct keeper *k, struct channel *from,
    const struct message *m, struct command *c);
/* TAKE and TAKE_LINES with an endpoint of /v1. */
void exchange_take(struct keeper *k, struct channel *from,
    const struct message *m, struct command *c);
void exchange_lines(struct keeper *k, struct channel *from,
    const struct message *m);
/* What only the engine knows of a question of /v1. */
struct book_now;
void exchange_now(struct keeper *k, struct book_now *n,
    const struct message *m);
/* Every command that was taken, or is in force: as operators_told(). */
void exchange_told(struct keeper *k, const struct command *c);
struct exchange;
enum rc exchange_new(struct exchange **out, struct err *e) MUST_CHECK;
/* ACT. */
void operators_act(struct keeper *k, struct channel *from,
    const struct message *m, struct command *c);
/* Every command that was taken, whoever sent it, after it was: operators,
 * proposals and what else is kept beside the engine are brought up to date
 * here, live and while loading alike. */
void operators_told(struct operators *o, const struct command *c,
    uint64_t seq);
/*
 * A command that loosens and comes without the persons it needs (a fact that
 * raises a limit, /v1; a policy file): it becomes a proposal.  *seq_out is
 * its number.
 */
enum rc operators_propose(struct keeper *k, const struct command *c,
    int64_t *seq_out, struct err *e) MUST_CHECK;
/* Would it loosen, with what is in force now?  What is not known loosens. */
bool operators_loosens(struct keeper *k, const struct command *c);
/* Proposals whose wait is over are done, expired ones discarded. */
void operators_due(struct keeper *k);
enum rc operators_new(struct operators **out, struct err *e) MUST_CHECK;
void operators_free(struct operators **o);

#endif
