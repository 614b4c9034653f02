/*
 * Scripts: the forms that money is sent to, and multisig.  No interpreter:
 * a script is recognised as one of these or it is none of ours.
 */
#ifndef BITCOIN_SCRIPT_H
#define BITCOIN_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bitcoin/address.h"
#include "bitcoin/hash.h"
#include "lib/text.h"

#define PUBLIC_KEY_LEN	33	/* compressed */
#define XONLY_LEN	32	/* BIP340 */
#define MULTISIG_MAX	16	/* keys that OP_1..OP_16 can count */
#define MULTISIG_SCRIPT_MAX	(3 + MULTISIG_MAX * (1 + PUBLIC_KEY_LEN))
/* What Bitcoin Core relays as standard in one output. */
#define SCRIPT_MAX	10000

/* The operations that these forms are made of, and a few more. */
enum {
	OP_0 = 0x00,
	OP_PUSHDATA1 = 0x4c,
	OP_PUSHDATA2 = 0x4d,
	OP_PUSHDATA4 = 0x4e,
	OP_1 = 0x51,
	OP_16 = 0x60,
	OP_RETURN = 0x6a,
	OP_DUP = 0x76,
	OP_EQUAL = 0x87,
	OP_EQUALVERIFY = 0x88,
	OP_HASH160 = 0xa9,
	OP_CODESEPARATOR = 0xab,
	OP_CHECKSIG = 0xac,
	OP_CHECKMULTISIG = 0xae,
};

/* Each writes at most ADDRESS_SCRIPT_MAX bytes and returns how many. */
size_t script_p2pkh(unsigned char *out, const unsigned char hash[20]);
size_t script_p2sh(unsigned char *out, const unsigned char hash[20]);
size_t script_p2wpkh(unsigned char *out, const unsigned char hash[20]);
size_t script_p2wsh(unsigned char *out, const unsigned char hash[32]);
size_t script_p2tr(unsigned char *out, const unsigned char key[32]);

/*
 * m-of-n with the keys in the order given (BIP67's order is for the caller:
 * script_sort_keys()).  Room MULTISIG_SCRIPT_MAX; 0 when m or n is not sane
 * (1 <= m <= n <= 16).
 */
size_t script_multisig(unsigned char *out, unsigned m,
    const unsigned char keys[][PUBLIC_KEY_LEN], unsigned n);
/* Lexicographic, as BIP67 and sortedmulti() have it. */
void script_sort_keys(unsigned char keys[][PUBLIC_KEY_LEN], unsigned n);

struct multisig {
	unsigned	m, n;
	const unsigned char *keys[MULTISIG_MAX];	/* into the script */
};
/* Exactly OP_m, n compressed keys, OP_n, OP_CHECKMULTISIG; else false. */
bool script_is_multisig(struct multisig *out, struct text script);

/*
 * One operation off the front of *rest: its code, and the bytes that a push
 * carries (absent for every other).  False at the end, when *rest is empty,
 * and when a push says more than there is, when it is not.
 */
bool script_next(unsigned *op, struct text *data, struct text *rest);

/* The witness program of a script (BIP141): version 0 to 16, and its 2 to 40
 * bytes, where they lie.  Not whether that version knows such a length. */
bool script_is_witness(unsigned *version, struct text *program,
    struct text script);

/*
 * The least amount that nodes relay in an output of this script, satoshi:
 * three times what spending it costs at 1 sat/vB (Bitcoin Core's
 * GetDustThreshold at the default 3,000 sat/kvB).
 */
int64_t script_dust_sat(struct text script);

#endif
