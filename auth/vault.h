/*
 * The master key, and small secrets sealed under it.
 *
 * What auth knows of customers (the secrets of HMAC keys, TOTP seeds,
 * recovery codes, addresses for notices) lies in the journal, which is
 * engine's.  So it lies there sealed, and each blob is bound to its place: it
 * opens only as the same kind of secret, of the same account and key id, in
 * the same version (H11).  Whoever holds the journal can lose a blob; it
 * cannot put one in another's place, nor an old one in a new one's.
 *
 *	blob	1 | id of the master key (8) | nonce (24) | XChaCha20-Poly1305
 *	key	one for each kind: crypto_kdf of the master key
 *	authenticated	"drawbridge vault 1\n", then kind, account, key id and
 *		version, each with its length before it
 *	id	crypto_kdf under another number: tells which master key, and
 *		nothing about it
 *
 * For rotation there are two master keys at once: vault_add() the new one,
 * vault_reseal() every blob and journal it, vault_drop() the old one.
 *
 * A master key is kept in one of three places, `master_key` in the
 * configuration:
 *	file:PATH	one line, "dbm_..." of auth/apikey.h; a regular file
 *			that only its owner, who is root or us, may read
 *	credential:NAME	of systemd, the same line
 *	passphrase	Argon2id makes it; salt and parameters lie in a file
 *			beside the journal, with the id, so that a wrong one is
 *			told at once
 *
 * All functions but vault_add() and vault_drop() may be called from several
 * threads at once.
 */
#ifndef AUTH_VAULT_H
#define AUTH_VAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/text.h"
#include "wire/words.h"

/* These numbers choose the subkey: none is ever renumbered. */
enum vault_kind {
	VAULT_KEY = 1,		/* the secret of an HMAC API key */
	VAULT_TOTP,
	VAULT_RECOVERY,
	VAULT_CONTACT,
	VAULT_PASSWORD,
	VAULT_LINKS,
	VAULT__END
};
/* `secret` is not SECRET_NONE. */
enum vault_kind vault_kind_of(enum secret_kind secret);

/* The place of a blob.  Texts: absent counts as empty. */
struct vault_about {
	enum vault_kind	kind;
	struct text	account;
	struct text	key;		/* the API key's id; else absent */
	int64_t		version;	/* of COMMAND_KEY: 0 */
};

#define VAULT_OVERHEAD	49	/* a blob is so much longer */

struct vault;

/*
 * Make a new master key for `drawbridge init`: a file, mode 0600, which was
 * not there; or, the other, the file of parameters to this passphrase
 * (MODERATE: 256 MiB, half a second).  On disk when they return.
 */
enum rc vault_make_file(const char *path, struct err *e) MUST_CHECK;
enum rc vault_make_passphrase(const char *params_path, struct text passphrase,
    struct err *e) MUST_CHECK;

/*
 * Get the master key: `where` as in the configuration.  `params_path` and
 * `passphrase` count only for "passphrase"; it is read here, before the
 * sandbox, whose limit of memory Argon2id would not fit into.
 */
enum rc vault_new(struct vault **out, const char *where,
    const char *params_path, struct text passphrase, struct err *e)
    MUST_CHECK;
/* Wipes; NULL inside is fine. */
void vault_free(struct vault **v);

/*
 * One more master key, which seals from now on; what the one before sealed
 * still opens.  Fails when there are two already (vault_drop() first) or when
 * it is the same key; then nothing has changed.
 */
enum rc vault_add(struct vault *v, const char *where, const char *params_path,
    struct text passphrase, struct err *e) MUST_CHECK;
/* The same with the line of a file, for a process that can open none. */
enum rc vault_add_line(struct vault *v, struct text line, struct err *e)
    MUST_CHECK;
/* Is it the line of the newest? */
bool vault_is_newest(const struct vault *v, struct text line);
/* How `drawbridge master rotate` hands it over: sealed under the key before
 * it, as if it were an API key's secret of this place. */
#define VAULT_NEXT_ACCOUNT	"drawbridge"
#define VAULT_NEXT_KEY		"next master key"
/* Forget the old one, if there is one. */
void vault_drop(struct vault *v);
bool vault_two(const struct vault *v);

/* `blob` has room for len + VAULT_OVERHEAD bytes. */
void vault_seal(const struct vault *v, unsigned char *blob,
    const unsigned char *plain, size_t len, const struct vault_about *about);

/*
 * `plain` (of secret_new()) has room for len - VAULT_OVERHEAD bytes, and that
 * is how many come.  Fails, all bytes 0, when the blob is not the one that
 * was sealed for this very place, or under a master key that is not here.
 */
enum rc vault_open(const struct vault *v, unsigned char *plain,
    const unsigned char *blob, size_t len, const struct vault_about *about,
    struct err *e) MUST_CHECK;

/* Is this sealed under the older of two master keys? */
bool vault_old(const struct vault *v, const unsigned char *blob, size_t len);

/*
 * The same secret, same place, sealed under the newest master key: `out` has
 * room for len bytes and may be `blob`.  A new version of the place is given
 * in `version`; pass about->version to keep it.
 */
enum rc vault_reseal(const struct vault *v, unsigned char *out,
    const unsigned char *blob, size_t len, const struct vault_about *about,
    int64_t version, struct err *e) MUST_CHECK;

/*
 * A keyed hash for tokens that we hand out and get back (auth/links.h): under
 * master key NTH, 0 being the newest; false: there is no such key.
 */
#define VAULT_MAC_LEN	32
bool vault_mac(const struct vault *v, size_t nth,
    unsigned char out[VAULT_MAC_LEN], const void *bytes, size_t len);

#endif
