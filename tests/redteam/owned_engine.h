/*
 * Who owns engine and chain completely, against the signer's core in process.
 *
 * He has the engine's key, makes whatever coins, receipts and transactions he
 * likes, knows every rule, and remembers all that was ever said.  He has
 * neither an operator's key nor the custodian's.  Honest people take part:
 * they halt and resume, re-arm, approve a few withdrawals, write off what is
 * dead; the machine stops and starts between any two requests.
 */
#ifndef TESTS_REDTEAM_OWNED_ENGINE_H
#define TESTS_REDTEAM_OWNED_ENGINE_H

#include "signer/test/asks.h"
#include "tests/redteam/judge.h"

#define PAST		96	/* transactions that he comes back to */
#define IDS		8	/* withdrawals in one, at most */
#define HEADS		32

struct past {
	struct rig_tx	tx;
	char		ids[IDS][24];
	size_t		n_ids;
	unsigned char	txid[32];
	bool		done;		/* the signer signed it */
	size_t		change;		/* its last output; 0: none */
	uint32_t	change_index;
};

/* A message and who sends it; what is tried besides honesty. */
struct world {
	struct rig	 rig;
	struct judge	*judge;
	struct judge_rules rules;
	struct past	*past;		/* PAST, a ring */
	size_t		 n_past;
	unsigned	 ours;		/* which key of the wallet's */
	uint64_t	 ids, strangers;
	uint32_t	 height;	/* what he last claimed */
	unsigned char	 heads[HEADS][SIGN_HEAD_LEN];
	size_t		 n_heads;
	unsigned char	 old_standing[RECEIPT_LEN];
	struct rig_tx	 loaded;	/* only its receipts */
	unsigned char	 replay[1024];	/* an operator's frame, seen before */
	size_t		 replay_len;
	size_t		 first_len;	/* of the journal, when it was new */
	bool		 lossy;		/* a weak signer: a start may differ */
	/* How it went. */
	uint64_t	 attempts, signed_n, restarts;
	uint64_t	 why[SIGN_REFUSE__COUNT];
};

/* A new signer in a new world; `kind` chooses wallet and network. */
void world_new(struct world *w, uint64_t seed, unsigned kind);
void world_end(struct world *w);

uint64_t dice(void);
uint64_t dice_below(uint64_t n);
void dice_seed(uint64_t seed);
/* One time in n. */
bool once_in(uint64_t n);

/* Tells the judge of a script of ours, and puts it into an output. */
void world_own(struct world *w, unsigned branch, uint32_t index,
    struct descriptor_output *o);
/* A new transaction of new withdrawals, as an honest chain would make it. */
void world_honest(struct world *w, struct past *p);
/* New receipts for the ids that it carries. */
void world_reissue(struct world *w, struct past *p);
/* Change that takes what is left; the last output there will be. */
void world_change(struct world *w, struct past *p, int64_t fee_sat);
/* A coin that somebody paid to us. */
struct rig_in *world_coin(struct world *w, struct rig_tx *t,
    int64_t amount_sat);
/* The change of `from` as an input. */
void world_spend_change(struct rig_tx *t, const struct past *from);
/* A slot of the ring; one that was signed, NULL: none. */
struct past *world_slot(struct world *w);
struct past *world_old(struct world *w);
/* A message that is no payment; its frame may be sent again some day. */
enum sign_refusal world_ask(struct world *w, const struct sign_message *m,
    bool custodian);
void world_count(struct world *w, enum sign_refusal why);

/* The request with all that goes with it.  `bend`: what of it he changes. */
enum bend {
	BEND_NONE,
	BEND_HEAD_ABSENT,
	BEND_HEAD_OLD,
	BEND_HEAD_FORGED,
	BEND_STANDING_OLD,
	BEND_STANDING_BACK,
	BEND_STANDING_JUMP,
	BEND_STANDING_STALE,
	BEND_STANDING_KIND,
	BEND_FLIP,
	BEND_CUT,
	BEND_APPROVALS,
	BEND__COUNT
};
enum sign_refusal world_send(struct world *w, struct past *p,
    struct psbt *psbt, enum sign_type type, enum bend bend);
/* Builds its PSBT and sends it. */
enum sign_refusal world_pay(struct world *w, struct past *p);

/* One attempt, of whatever kind. */
void world_attempt(struct world *w);
/* owned_moves.c: one move of the attacker, drawn at random. */
void world_move(struct world *w);
/* owned_people.c: what honest people do, and what happens to the machine. */
void world_people(struct world *w);
void world_restart(struct world *w);
/* Yesterday's disk, and the newest head is shown. */
void world_rollback(struct world *w);

#endif
