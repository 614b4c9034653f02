/*
 * What a policy costs: memory, work and looks; and what the signer is told.
 *
 * The bytes are those of the engine's records for this very policy.  The
 * engine lies above this folder, so its sizes are repeated in cost.c;
 * engine_usage() tells the true ones.
 */
#ifndef POLICY_COST_H
#define POLICY_COST_H

#include "policy/program.h"

#define COST_STORES_MAX	32
#define COST_TEXT_MAX	200

struct cost_store {
	char		 name[48];	/* "account", "network ip/24" */
	int64_t		 record_bytes;	/* what each has anyway */
	int64_t		 window_bytes;	/* for this policy's counters */
	int64_t		 index_bytes;
	int64_t		 capacity;	/* `set capacity` or the default */
	char		 flood[COST_TEXT_MAX];	/* what fills it */
};

struct cost {
	struct cost_store stores[COST_STORES_MAX];
	int		 n_stores;
	int64_t		 total_bytes;	/* with every pool full */
	int		 n_tests;	/* of all rules and classes */
	int		 n_reads;	/* counters read, at most */
	int		 n_writes;	/* counters written by one that is
					 * asked for and released at once */
};

void cost_compute(const struct program *p, struct cost *out);

/*
 * The tables for people: bytes a store, work a decision, the looks a day
 * that lots cost, what a stranger pays to trip each platform-wide rule
 * (W11), and the number in the promise (W13).  hot_sat -1: not known.
 */
void cost_print(const struct program *p, int64_t hot_sat, FILE *out);

/* One line for the signer (S45). */
struct cost_signer {
	char		 what[64];	/* "value", "output", "approvals" */
	char		 text[COST_TEXT_MAX];
	int64_t		 sat;		/* -1: a share of a wallet that was
					 * not told */
	int64_t		 blocks;	/* 0: does not apply */
	int		 people;
};

/*
 * The signer's lines that this policy's ceilings ask for; at most max.  The
 * signer must not refuse what the engine may release, so its window in
 * blocks is given what may leave while those blocks last.
 */
int cost_signer(const struct policy *p, int64_t hot_sat,
    struct cost_signer *out, int max);

void cost_signer_print(const struct policy *p, int64_t hot_sat, FILE *out);

#endif
