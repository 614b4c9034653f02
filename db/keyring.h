/*
 * The keys that must be possible to destroy, in a file of their own beside
 * the database: never in the database, whose pages, logs, archives and
 * backups keep what was once in them.
 *
 * The file (PATH of the database + ".keys", mode 0600) has a header with the
 * deployment's own secrets and one slot a month.  A slot is destroyed by
 * overwriting it in place and syncing; nothing is ever written elsewhere.
 * Checksums tell a torn slot from a whole one.  A file system that never
 * overwrites in place (btrfs, ZFS, snapshots of a volume) and a flash disk
 * may keep what was there: only encryption below, or a disk that erases,
 * helps against who has those.
 *
 * A file that everybody may read or write is refused.
 *
 * In memory the keys lie in locked pages that are left out of core dumps
 * (sodium_malloc).
 *
 * Any number of threads may read at once; make, destroy and reread want to be
 * alone.  Two processes may have one file open: each change is made under a
 * lock, on what the file says then.
 */
#ifndef DB_KEYRING_H
#define DB_KEYRING_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/ident.h"

struct keyring;

/* Secrets that last as long as the deployment. */
struct keyring_secrets {
	struct ident_key ids;		/* fingerprints of names */
	struct ident_key lots;		/* the secret lot (S41, S42) */
	unsigned char	deployment[16];	/* random, no secret */
	unsigned char	engine_seed[32]; /* Ed25519: signs heads, receipts */
};

/* Make one with fresh secrets; the file must not exist. */
enum rc keyring_create(struct keyring **out, const char *path,
    struct err *e) MUST_CHECK;
/* `writable`: the engine's, and `forget`'s. */
enum rc keyring_open(struct keyring **out, const char *path, bool writable,
    struct err *e) MUST_CHECK;
void keyring_free(struct keyring **k);

/* Borrowed; in locked memory, as long as the keyring lives. */
const struct keyring_secrets *keyring_secrets(const struct keyring *k);
/* The public half of engine_seed. */
void keyring_engine_key(const struct keyring *k, unsigned char out[32]);
/* What GENESIS keeps to recognise this keyring: no secret. */
void keyring_tag(const struct keyring *k, unsigned char out[16]);

enum keyring_state {
	KEY_NEVER,		/* no row of this month was ever sealed */
	KEY_THERE,
	KEY_DESTROYED,
};
/*
 * The key of a month (row_month()); *key_out is borrowed, NULL unless
 * KEY_THERE.
 */
enum keyring_state keyring_get(const struct keyring *k, uint32_t month,
    const unsigned char **key_out);
/* The same, made durably first if it never was; fails on a destroyed one. */
enum rc keyring_make(struct keyring *k, uint32_t month,
    const unsigned char **key_out, struct err *e) MUST_CHECK;
/* Destroy all before `month`; *n_out: how many there were.  Only when it is
 * on disk does it return RC_OK.  A running engine's keyring, another
 * process's, finds out by keyring_reread(). */
enum rc keyring_destroy_before(struct keyring *k, uint32_t month, int *n_out,
    struct err *e) MUST_CHECK;
enum rc keyring_reread(struct keyring *k, struct err *e) MUST_CHECK;

/*
 * A month's key is never used itself: each use has one of its own, so that
 * what one primitive gives away says nothing about another.
 */
enum keyring_use {
	KEY_SEAL = 1,		/* the sealed part of a row */
	KEY_NONCE,		/* the nonce of that */
	KEY_SNAPSHOT,		/* a snapshot's own key */
};
#define KEYRING_KEY_LEN	32
void keyring_subkey(unsigned char out[KEYRING_KEY_LEN],
    const unsigned char month_key[KEYRING_KEY_LEN], enum keyring_use use);

/* Copy to another file, whole, mode 0600, synced: for backup. */
enum rc keyring_copy(const struct keyring *k, const char *to, struct err *e)
    MUST_CHECK;

/* Sign and verify with the engine's key: heads now, receipts later. */
void keyring_sign(const struct keyring *k, unsigned char sig[64],
    const void *bytes, size_t len);

#endif
