/*
 * The wallet's keys: derived from the seed, kept in locked memory, looked up
 * by script.
 *
 * The wallet is one descriptor with two branches, 0 external (deposits) and 1
 * internal (change), at m/84h/C/0h (wpkh), m/86h/C/0h (tr) or m/48h/C/0h/2h
 * (wsh of sortedmulti), C 0 on mainnet and 1 elsewhere.  Scripts up to
 * KEYS_AHEAD beyond the highest used index are derived ahead, so that
 * recognising one is a look-up.
 */
#ifndef SIGNER_KEYS_H
#define SIGNER_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bitcoin/descriptor.h"
#include "bitcoin/psbt.h"
#include "bitcoin/sighash.h"
#include "lib/err.h"
#include "signer/found.h"
#include "wire/sign_settings.h"

#define KEYS_AHEAD	1000	/* the wallet's look-ahead (H10) */

struct key_ref {
	uint8_t		branch;		/* 0, 1; 2 + k: cold descriptor k */
	uint32_t	index;
};

/*
 * What the seed gives besides: the journal's key, and the pair that signs
 * heads and burns: HMAC-SHA-256(secret of the master key, label).
 *
 * `s` may be NULL: the settings are in the journal, whose key is here.  Then
 * only those can be asked for until keys_settings().
 */
struct keys;
enum rc keys_make(struct keys **out, const unsigned char seed[SEED_LEN],
    const struct sign_settings *s, struct err *e) MUST_CHECK;
/*
 * The first time: network and wallet, and look-ups reach KEYS_AHEAD.  Later:
 * only the cold descriptors, which are replaced.  On failure all is as it was.
 */
enum rc keys_settings(struct keys *k, const struct sign_settings *s,
    struct err *e) MUST_CHECK;
void keys_wipe(struct keys **k);	/* wiped */
const unsigned char *keys_journal(const struct keys *k);	/* 32 */
const unsigned char *keys_signing_secret(const struct keys *k);	/* 64 */
const unsigned char *keys_signing_public(const struct keys *k);	/* 32 */
const unsigned char *keys_id(const struct keys *k);		/* 16 */

/*
 * Make look-ups reach `highest` + KEYS_AHEAD on both branches and of cold
 * descriptors; never less than before, and never more than KEYS_TABLE_MAX
 * scripts a branch (KEYS_COLD_MAX of a cold descriptor): whoever moves the
 * look-ahead on purpose must not fill the memory, or make every start last
 * for minutes.  Beyond that our own keys are found by what the PSBT claims.
 */
#define KEYS_TABLE_MAX	65536
#define KEYS_COLD_MAX	16384
enum rc keys_reach(struct keys *k, uint32_t highest, struct err *e)
    MUST_CHECK;
uint32_t keys_reached(const struct keys *k);	/* highest index looked up */
/* Ours, or a cold descriptor's?  By script alone. */
bool keys_look_up(struct key_ref *out, const struct keys *k,
    struct text script);
/*
 * The same for an index beyond what is derived ahead, as a PSBT's derivation
 * claims it: derived, and compared with the script.  *claimed is what it
 * claims, if the fingerprint and path are of our wallet.
 */
bool keys_claimed(struct key_ref *claimed, const struct keys *k,
    const struct psbt_path *path);
bool keys_matches(const struct keys *k, const struct key_ref *ref,
    struct text script);
/* Is this our own public key there: 33 bytes, or for tr 32? */
bool keys_is(const struct keys *k, const struct key_ref *ref,
    struct text key);

/*
 * Sign input `in` of the PSBT with the key of `ref`, verify the signature,
 * and put it in.  `sighash_type`: ALL, or DEFAULT for taproot.
 */
enum rc keys_sign(struct keys *k, struct psbt *p, size_t in,
    const struct key_ref *ref, const struct sighash *s, uint8_t type,
    struct err *e) MUST_CHECK;
/*
 * The wallet's descriptor of a branch, with checksum; with the private key if
 * `private`, which takes a master that has it.  The caller wipes buf then.
 */
enum rc keys_print(char *buf, size_t room, const struct bip32_key *master,
    const struct sign_settings *s, unsigned branch, bool private,
    struct err *e) MUST_CHECK;
/* The key pair that signs heads and burns: secret 64, public 32. */
void keys_pair(unsigned char secret[64], unsigned char public[32],
    const struct bip32_key *master);
/* Descriptor with checksum, public. */
enum rc keys_descriptor(const struct keys *k, unsigned branch, char *buf,
    size_t room, struct err *e) MUST_CHECK;

/*
 * seed.c: the sealed file: magic, salt, Argon2id's cost, nonce, box.  `cheap`:
 * Argon2id's least cost, for tests, instead of libsodium's MODERATE (256 MiB,
 * most of a second).  The cost stands in the file and is authenticated.
 */
#define SEED_FILE_LEN	128
enum rc seed_seal(unsigned char out[SEED_FILE_LEN],
    const unsigned char seed[SEED_LEN], struct text passphrase, bool cheap,
    struct err *e) MUST_CHECK;
enum rc seed_open(unsigned char seed[SEED_LEN],
    const unsigned char in[SEED_FILE_LEN], struct text passphrase,
    struct err *e) MUST_CHECK;

#endif
