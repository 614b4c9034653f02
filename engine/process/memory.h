/*
 * What the process must remember beside the engine, to know which way a
 * command goes and who may give it: operators, the quorum, proposals, the
 * limits of accounts and the permissions of keys.  Made again at every start
 * from what the book says is in force.
 */
#ifndef ENGINE_PROCESS_MEMORY_H
#define ENGINE_PROCESS_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/text.h"
#include "wire/command.h"

#define OPERATORS_MAX	64
#define PROPOSALS_MAX	256
#define SPENT_MAX	4096

/* A person. */
struct operator {
	char		name[COMMAND_NAME_MAX + 1];
	unsigned char	key[32];
	uint32_t	rights;
	int64_t		release_sat;	/* a day; -1: no limit of his own */
	/* What he released, in the hour that it was (C7 d). */
	int64_t		released_hour[25];
	int64_t		released_sat[25];
};

struct proposal {
	int64_t		seq;		/* 0: free */
	char		by[COMMAND_NAME_MAX + 1];
	int64_t		proposed_ms;
	int64_t		seen_boot_ms;	/* of our own clock */
	int64_t		expires_ms;
	unsigned char	*body;		/* open and sealed, as texts */
	size_t		body_len;
	int		n_persons;
	char		persons[OPERATORS_MAX][COMMAND_NAME_MAX + 1];
};

struct memory_account;
struct memory_key;

struct operators {
	struct operator	of[OPERATORS_MAX];
	int		n;
	int64_t		quorum;
	int64_t		wait_ms;
	struct proposal	proposals[PROPOSALS_MAX];
	int64_t		halt_seq;	/* that halted; -1: not known */
	/* Signatures that were good for something (H6), until they expire. */
	struct {
		unsigned char	hash[16];
		int64_t		until_ms;
	} spent[SPENT_MAX];
	int		n_spent;
	int64_t		start_ms;	/* what was signed before is refused */
	struct memory_table *accounts;
	struct memory_table *keys;
	struct memory_table *deposits;
};

/* A record of a name, opaque bytes; NULL when there is none. */
struct memory_table;
struct memory_account {
	int64_t		limit_sat;	/* -1: none */
	int64_t		tier;
	char		group[COMMAND_NAME_MAX + 1];
};
struct memory_key {
	char		account[COMMAND_NAME_MAX + 1];
	bool		door;
	bool		revoked;
	bool		withdraw;
	int64_t		roles;		/* of a door's */
	int64_t		expires_ms;
	int		n_cidrs;
	struct cidr	*cidrs;
};
struct memory_account *memory_account(const struct operators *o,
    struct text name);
struct memory_key *memory_key(const struct operators *o, struct text name);
bool memory_deposit(const struct operators *o, struct text order);

struct operator *memory_operator(struct operators *o, struct text name);
struct proposal *memory_proposal(struct operators *o, int64_t seq);
bool memory_has_approved(const struct proposal *p, struct text name);
/* The proposed command; texts point into the proposal. */
enum rc memory_proposed(struct command *out, struct command_lists *lists,
    const struct proposal *p, struct err *e) MUST_CHECK;

/* What he may still release now; INT64_MAX: anything. */
/* He released it. */
void memory_released(struct operator *op, int64_t sat, int64_t t_ms);
int64_t memory_may_release(struct operator *op, int64_t t_ms);

/*
 * A signature that is used now: false when it was before, or cannot be
 * remembered.
 */
bool memory_spend(struct operators *o, const unsigned char signature[64],
    int64_t until_ms, int64_t now_ms);

/* A proposal's body and back: the two parts as texts. */
unsigned char *memory_body(const struct command *c, size_t *len_out);

#endif
