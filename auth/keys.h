/*
 * Who may sign: the API keys of customers and of exchanges, as the journal
 * has them, with their secrets open in locked memory.
 */
#ifndef AUTH_KEYS_H
#define AUTH_KEYS_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>

#include "auth/vault.h"
#include "lib/err.h"
#include "lib/sha256.h"
#include "wire/command.h"
#include "wire/words.h"

/* The halves of HMAC-SHA-256 that the secret decides: in locked memory. */
struct keys_hmac {
	struct sha256	inner;
	struct sha256	outer;
};

struct key {
	char		id[COMMAND_NAME_MAX + 1];
	char		account[COMMAND_NAME_MAX + 1];
	enum key_type	type;
	bool		door;		/* of /v1 */
	bool		revoked;
	bool		withdraw;
	uint32_t	roles;		/* door: enum door_role */
	int64_t		expires_ms;	/* -1: never */
	struct keys_hmac *hmac;
	EVP_PKEY	*rsa;
	unsigned char	ed25519[32];
	struct cidr	*cidrs;
	int		n_cidrs;
	uint64_t	seq;		/* of the command that it is from */
	/* Sealed, as it came: for a change of the master key. */
	unsigned char	*blob;
	size_t		blob_len;
};

struct keys;

enum rc keys_new(struct keys **out, struct err *e) MUST_CHECK;
void keys_free(struct keys **k);

/* NULL: there is none, or it was revoked. */
struct key *keys_find(const struct keys *k, struct text id);

/*
 * KEY, KEY_REVOKE, DOOR_KEY.  Fails when a secret does not open: then the
 * key is there and nobody can sign with it.
 */
enum rc keys_told(struct keys *k, const struct command *c, uint64_t seq,
    const struct vault *vault, struct err *e) MUST_CHECK;

/* Is this public key (SPKI) registered already, with any key? */
bool keys_has_public(const struct keys *k, struct text spki);

/* In turn; NULL at the end.  *at begins at 0. */
struct key *keys_each(const struct keys *k, size_t *at);

void keys_hmac(unsigned char out[SHA256_LEN], const struct keys_hmac *h,
    const void *bytes, size_t len);
void keys_hmac_begin(struct keys_hmac *h, const void *secret, size_t len);

/* May it be used from there? */
bool keys_from(const struct key *k, bool has_ip, const unsigned char ip[16]);

#endif
