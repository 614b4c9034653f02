/*
 * The judge of what a signer signed: a simple model of its own, made from the
 * rules and not from the signer's code.
 *
 * It reads PSBTs, receipts and transactions itself, hashes what signatures
 * sign itself, and asks libsecp256k1.  Nothing here is quick or clever: for
 * every id it looks at every two transactions that carry it, with all their
 * ancestors.
 */
#ifndef TESTS_REDTEAM_JUDGE_H
#define TESTS_REDTEAM_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum judge_wallet { JUDGE_WPKH, JUDGE_TR, JUDGE_WSH };

struct judge_rules {
	enum judge_wallet wallet;
	unsigned char	engine[32];	/* Ed25519 */
	unsigned char	deployment[16];
	uint8_t		network;
	uint32_t	epoch;
	int64_t		tx_max_sat;
	uint32_t	short_blocks;
	int64_t		short_max_sat;
	int64_t		long_max_sat;
	int64_t		fee_max_sat;	/* nobody approves more */
	int64_t		approve_above_sat;
	uint32_t	height;		/* at the beginning */
	int64_t		block_min_ms;	/* 0: any height is possible */
	int64_t		block_ms;
};

struct judge;

struct judge *judge_new(const struct judge_rules *rules);
void judge_free(struct judge **j);

/* ---- what is true, said by whoever makes the world ---- */

/* A script of the wallet's: whose signature counts, and for witness version 0
 * what it signs besides (NULL: P2WPKH of that key). */
void judge_own(struct judge *j, const unsigned char *script, size_t len,
    unsigned branch, uint32_t index, const unsigned char *key,
    const unsigned char *inner, size_t inner_len);
/* A cold script. */
void judge_cold(struct judge *j, const unsigned char *script, size_t len);
void judge_coin(struct judge *j, const unsigned char txid[32], uint32_t vout,
    int64_t amount_sat, const unsigned char *script, size_t len);
/* Can never be spent by a transaction of ours any more. */
void judge_killed(struct judge *j, const unsigned char txid[32],
    uint32_t vout);

/* ---- what honest people allowed ---- */

void judge_approved(struct judge *j, const char *id, int64_t amount_sat);
void judge_rearmed(struct judge *j);
void judge_halted(struct judge *j, bool halted);
/* This disk is yesterday's, and the newest head was shown. */
void judge_behind(struct judge *j, bool behind);
void judge_epoch(struct judge *j, uint32_t epoch,
    const unsigned char engine[32]);
/* The signer gave its word. */
void judge_burned(struct judge *j, const char *id);

/*
 * The signer answered with this PSBT, while its own clock said running_ms;
 * `receipts` are those that it had: of the request, or loaded.  False: it
 * broke a rule.
 */
bool judge_signed(struct judge *j, const unsigned char *psbt, size_t len,
    const unsigned char *receipts, size_t n_receipts, bool loaded,
    int64_t running_ms);

/* What was wrong first; NULL: nothing yet. */
const char *judge_complaint(const struct judge *j);
/* How many different transactions can confirm, and what they cost. */
uint64_t judge_count(const struct judge *j);
int64_t judge_cost_sat(const struct judge *j);

#endif
