/*
 * What a signer is founded with, and its ceilings: a text of `name value`
 * lines that a person writes, the custodian signs and the signer's journal
 * holds.
 *
 *	network regtest			founded, never changes
 *	deployment HEX
 *	engine HEX			Ed25519; changes with the epoch alone
 *	epoch 1
 *	wallet wpkh			tr, wsh 2 of 3
 *	cosigner [FP/48h/1h/0h/2h]XPUB	wsh: each other key, account level
 *	cold DESCRIPTOR			may be paid without a receipt
 *	operator alice HEX approve	or custodian, or approve,custodian
 *	quorum 2
 *	per-transaction 50 BTC
 *	short-window 144 blocks 100 BTC
 *	long-window 2016 blocks 500 BTC
 *	fee 0.01 BTC			of one transaction
 *	fee-rate 200 sat/vB
 *	spike-fee 0.1 BTC		with `quorum` approvals, at once
 *	spike-fee-rate 2000 sat/vB
 *	approve-above 10 BTC		one withdrawal; quorum approvals
 *	change-outputs 16
 *	delay 144 blocks		until what loosens is in force
 *	sequence-jump 1000000
 */
#ifndef WIRE_SIGN_SETTINGS_H
#define WIRE_SIGN_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/text.h"

#define SIGN_SETTINGS_MAX	16384	/* bytes of the text */
#define SIGN_OPERATORS_MAX	16
#define SIGN_COSIGNERS_MAX	15
#define SIGN_COLD_MAX		4
#define SIGN_KEY_TEXT_MAX	384
#define SIGN_DESCRIPTOR_MAX	1024

enum sign_wallet { SIGN_WPKH, SIGN_TR, SIGN_WSH };

struct sign_operator {
	char		name[33];
	unsigned char	key[32];
	bool		approve;
	bool		custodian;
};

struct sign_settings {
	uint8_t		network;	/* enum network of bitcoin/address.h */
	unsigned char	deployment[16];
	unsigned char	engine_key[32];
	uint32_t	epoch;
	enum sign_wallet wallet;
	unsigned	m, n;		/* wsh; m > n / 2 (C4) */
	char		cosigners[SIGN_COSIGNERS_MAX][SIGN_KEY_TEXT_MAX];
	size_t		n_cosigners;	/* n - 1 */
	char		cold[SIGN_COLD_MAX][SIGN_DESCRIPTOR_MAX];
	size_t		n_cold;
	struct sign_operator operators[SIGN_OPERATORS_MAX];
	size_t		n_operators;
	unsigned	quorum;
	int64_t		tx_max_sat;
	uint32_t	short_blocks;
	int64_t		short_max_sat;
	uint32_t	long_blocks;
	int64_t		long_max_sat;
	int64_t		fee_max_sat;
	int64_t		fee_rate_max;	/* satoshi per 1000 vbytes */
	int64_t		spike_fee_max_sat;
	int64_t		spike_rate_max;
	int64_t		approve_above_sat;
	uint32_t	change_max;
	uint32_t	delay_blocks;
	uint64_t	sequence_jump;
};

/* Ceilings that a small wallet can live with; keys and names empty. */
void sign_settings_clear(struct sign_settings *s);
/* Errors: "NAME:LINE: ...".  Complete and sane, or it fails: quorum at most the
 * number who may approve, at least one custodian, per-transaction <= short <=
 * long, m <= n / 2 refused, names and keys of operators different.  Any order
 * of lines, `#` before a word begins a comment; ceilings left out are those
 * of sign_settings_clear().  That a cosigner or a descriptor can be read is
 * for the caller to find out. */
enum rc sign_settings_parse(struct sign_settings *s, const char *name,
    struct text t, struct err *e) MUST_CHECK;
/* The canonical text, which parse takes back; its length, 0: no room. */
size_t sign_settings_print(const struct sign_settings *s, char *buf,
    size_t room);
/* SHA-256 of the canonical text. */
void sign_settings_hash(unsigned char out[32], const struct sign_settings *s);

/*
 * May `next` follow `now`?  RC_FAILED names what was founded and cannot
 * change; the engine and the epoch, too, must be those of `now`: an epoch that
 * begins while `next` waits must be put into it.  *loosens: some part lets
 * more through than before, or nobody can tell: a ceiling up, a window
 * shorter, a delay shorter, the quorum down, an operator or a cold descriptor
 * added, an approval threshold up, a custodian removed.
 */
enum rc sign_settings_compare(const struct sign_settings *now,
    const struct sign_settings *next, bool *loosens, struct err *e)
    MUST_CHECK;
/* The stricter of the two in every part: in force while `next` waits.  Who
 * approves must be in both; custodians are those of `now`.  The quorum may be
 * more than are left. */
void sign_settings_stricter(struct sign_settings *out,
    const struct sign_settings *now, const struct sign_settings *next);
/* How long a block is taken to last at least / nominally, ms: 300,000 and
 * 600,000; 0 on regtest. */
int64_t sign_block_min_ms(uint8_t network);
int64_t sign_block_ms(uint8_t network);

#endif
