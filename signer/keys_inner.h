/*
 * What keys.c and keys_sign.c share.
 */
#ifndef SIGNER_KEYS_INNER_H
#define SIGNER_KEYS_INNER_H

#include "bitcoin/curve.h"
#include "bitcoin/descriptor.h"
#include "bitcoin/hash.h"
#include "bitcoin/script.h"
#include "signer/keys.h"

#define OWN_SCRIPT_MAX	34	/* P2WSH, P2TR */

/* A branch's key, of ourselves or a co-signer. */
struct parent {
	struct hmac512	chain;		/* ready with the chain code */
	unsigned char	public[PUBLIC_KEY_LEN];
	struct curve_point point;
};

struct ours {
	struct curve_point point;	/* of our own key; tr: internal */
	unsigned char	script[OWN_SCRIPT_MAX];
	uint8_t		len;
};

/* One beyond the table, as it was derived last: a transaction's keys are
 * needed to recognise its inputs and again to sign them. */
struct far {
	struct ours	one;
	unsigned	branch;		/* from 1; 0: empty */
	uint32_t	index;
};
#define FAR_ROOM	4096

struct theirs {
	unsigned char	script[OWN_SCRIPT_MAX];
	uint8_t		len;
};

struct cold {
	struct descriptor d;
	bool		range;
	struct theirs	*out;
	size_t		n, room;
};

/* Where a script is, by its bytes; branch counted from 1, 0: empty. */
struct slot {
	uint32_t	branch;
	uint32_t	index;
};

struct secrets {
	struct bip32_key master;	/* until the settings are known */
	struct bip32_key key;		/* scratch */
	unsigned char	branch[2][32];
	unsigned char	child[32];	/* scratch */
	unsigned char	tap[32];	/* scratch */
	unsigned char	journal[32];
	unsigned char	signing[64];
};

struct keys {
	struct secrets	*secret;
	unsigned char	signing_public[32];
	unsigned char	id[16];
	bool		has_wallet;
	enum sign_wallet wallet;
	unsigned	m, n, ours;	/* ours: number among n */
	unsigned char	fingerprint[4];
	uint32_t	path[4];	/* to the account */
	size_t		n_path;
	struct parent	of[2][MULTISIG_MAX];
	char		text[2][DESCRIPTOR_TEXT_MAX];
	struct ours	*own[2];	/* by index; n_own on each branch */
	size_t		n_own, own_room;
	struct far	*far;		/* FAR_ROOM, by branch and index */
	struct cold	*cold[SIGN_COLD_MAX];
	size_t		n_cold;
	struct slot	*slots;
	size_t		n_slots, slots_room, slots_used;
};

/* keys_make() of a master key instead of its seed. */
enum rc keys_of_master(struct keys **out, const struct bip32_key *master,
    const struct sign_settings *s, struct err *e) MUST_CHECK;
bool keys_derive_one(const struct keys *k, struct ours *out, unsigned branch,
    uint32_t index);
/* From the table, or derived; NULL: no such key.  Good until the next call. */
const struct ours *keys_one(const struct keys *k, const struct key_ref *ref);
/* Its length. */
size_t keys_account_path(uint32_t path[4], const struct sign_settings *s);
void keys_journal_key(unsigned char out[32], const struct bip32_key *master);

#endif
