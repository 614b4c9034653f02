/*
 * A hash table of keys by their id.
 */
#include "auth/keys.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "auth/publickey.h"
#include "lib/ident.h"
#include "lib/secret.h"
#include "wire/cidr.h"

#define BLOCK	64		/* of SHA-256 */

struct keys {
	struct ident_key by;
	struct key	**slots;
	size_t		room;		/* a power of two */
	size_t		n;
};

void
keys_hmac_begin(struct keys_hmac *h, const void *secret, size_t len)
{
	unsigned char	 pad[BLOCK] = { 0 };
	size_t		 i;

	if (len > BLOCK)
		sha256(pad, secret, len);
	else if (len > 0)
		memcpy(pad, secret, len);
	for (i = 0; i < BLOCK; i++)
		pad[i] ^= 0x36;
	sha256_begin(&h->inner);
	sha256_add(&h->inner, pad, BLOCK);
	for (i = 0; i < BLOCK; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	sha256_begin(&h->outer);
	sha256_add(&h->outer, pad, BLOCK);
	sodium_memzero(pad, sizeof(pad));
}

void
keys_hmac(unsigned char out[SHA256_LEN], const struct keys_hmac *h,
    const void *bytes, size_t len)
{
	struct keys_hmac	 now = *h;

	sha256_add(&now.inner, bytes, len);
	sha256_end(&now.inner, out);
	sha256_add(&now.outer, out, SHA256_LEN);
	sha256_end(&now.outer, out);
	sodium_memzero(&now, sizeof(now));
}

enum rc
keys_new(struct keys **out, struct err *e)
{
	struct keys	*k = calloc(1, sizeof(*k));

	if (k == NULL ||
	    (k->slots = calloc(256, sizeof(*k->slots))) == NULL) {
		free(k);
		return err_set(e, "no memory");
	}
	k->room = 256;
	randombytes_buf(&k->by, sizeof(k->by));
	*out = k;
	return RC_OK;
}

static void
wipe(struct key *k)
{
	secret_free(k->hmac, sizeof(*k->hmac));
	k->hmac = NULL;
	EVP_PKEY_free(k->rsa);
	k->rsa = NULL;
	free(k->blob);
	k->blob = NULL;
	k->blob_len = 0;
}

void
keys_free(struct keys **kp)
{
	struct keys	*k = *kp;
	size_t		 i;

	*kp = NULL;
	if (k == NULL)
		return;
	for (i = 0; i < k->room; i++) {
		if (k->slots[i] == NULL)
			continue;
		wipe(k->slots[i]);
		free(k->slots[i]->cidrs);
		free(k->slots[i]);
	}
	free(k->slots);
	free(k);
}

static struct key **
slot(const struct keys *k, struct text id)
{
	size_t	 i = (size_t)ident_of(&k->by, id.p, id.len).lo;

	for (;; i++) {
		i &= k->room - 1;
		if (k->slots[i] == NULL ||
		    text_equal(text_of(k->slots[i]->id), id))
			return &k->slots[i];
	}
}

struct key *
keys_find(const struct keys *k, struct text id)
{
	struct key	*found;

	if (id.p == NULL || id.len == 0 || id.len > COMMAND_NAME_MAX)
		return NULL;
	found = *slot(k, id);
	return found != NULL && !found->revoked ? found : NULL;
}

struct key *
keys_each(const struct keys *k, size_t *at)
{
	while (*at < k->room) {
		if (k->slots[(*at)++] != NULL)
			return k->slots[*at - 1];
	}
	return NULL;
}

static bool
grow(struct keys *k)
{
	struct key	**old = k->slots;
	size_t		 i, room = k->room;

	if ((k->slots = calloc(2 * room, sizeof(*k->slots))) == NULL) {
		k->slots = old;
		return false;
	}
	k->room = 2 * room;
	for (i = 0; i < room; i++) {
		if (old[i] != NULL)
			*slot(k, text_of(old[i]->id)) = old[i];
	}
	free(old);
	return true;
}

static struct key *
make(struct keys *k, struct text id)
{
	struct key	**s;

	if (2 * (k->n + 1) > k->room && !grow(k))
		return NULL;
	s = slot(k, id);
	if (*s == NULL) {
		if ((*s = calloc(1, sizeof(**s))) == NULL)
			return NULL;
		memcpy((*s)->id, id.p, id.len);
		(*s)->expires_ms = -1;
		k->n++;
	}
	return *s;
}

/* Secrets */

static enum rc
open_hmac(struct key *k, const struct vault *vault, struct err *e)
{
	struct vault_about	 about = { .kind = VAULT_KEY,
		.account = text_of(k->account), .key = text_of(k->id) };
	size_t			 len = k->blob_len;
	unsigned char		*plain;
	enum rc			 rc;

	if (len <= VAULT_OVERHEAD)
		return err_set(e, "key %s: no secret", k->id);
	len -= VAULT_OVERHEAD;
	if ((plain = secret_new(len)) == NULL || (k->hmac = secret_new(
	    sizeof(*k->hmac))) == NULL) {
		secret_free(plain, len);
		return err_set(e, "no locked memory");
	}
	rc = vault_open(vault, plain, k->blob, k->blob_len, &about, e);
	if (rc == RC_OK) {
		keys_hmac_begin(k->hmac, plain, len);
	} else {
		secret_free(k->hmac, sizeof(*k->hmac));
		k->hmac = NULL;
	}
	secret_free(plain, len);
	return err_wrap(e, rc, "key %s", k->id);
}

static enum rc
open_secret(struct key *k, const struct vault *vault, struct err *e)
{
	struct text	 spki = { (const char *)k->blob, k->blob_len };

	switch (k->type) {
	case KEY_TYPE_HMAC:
		return open_hmac(k, vault, e);
	case KEY_TYPE_RSA:
		return publickey_rsa(&k->rsa, spki, e);
	case KEY_TYPE_ED25519:
		return publickey_ed25519(k->ed25519, spki, e);
	case KEY_TYPE_NONE:
		break;
	}
	return err_set(e, "key %s: of no type", k->id);
}

static enum rc
take_secret(struct key *k, const struct command *c, enum key_type type,
    const struct vault *vault, struct err *e)
{
	wipe(k);
	k->type = type;
	if ((k->blob = malloc(c->blob.len)) == NULL)
		return err_set(e, "no memory");
	memcpy(k->blob, c->blob.p, c->blob.len);
	k->blob_len = c->blob.len;
	return open_secret(k, vault, e);
}

static enum rc
take_cidrs(struct key *k, const struct command *c, struct err *e)
{
	free(k->cidrs);
	k->cidrs = NULL;
	k->n_cidrs = 0;
	if (c->n_cidrs == 0)
		return RC_OK;
	k->cidrs = malloc(c->n_cidrs * sizeof(*k->cidrs));
	if (k->cidrs == NULL)
		return err_set(e, "no memory");
	memcpy(k->cidrs, c->cidrs, c->n_cidrs * sizeof(*k->cidrs));
	k->n_cidrs = (int)c->n_cidrs;
	return RC_OK;
}

static enum rc
told_key(struct key *k, const struct command *c, const struct vault *vault,
    struct err *e)
{
	if (c->account.len > COMMAND_NAME_MAX)
		return err_set(e, "an account's name that is too long");
	memset(k->account, 0, sizeof(k->account));
	memcpy(k->account, c->account.p, c->account.len);
	k->door = false;
	k->revoked = false;
	k->withdraw = c->withdraw;
	k->expires_ms = c->expires_ms;
	if (take_cidrs(k, c, e) != RC_OK)
		return RC_FAILED;
	/* Only what a key that can withdraw has been forgotten of. */
	if (c->forgotten)
		k->withdraw = false;
	return c->blob.p == NULL ? RC_OK :
	    take_secret(k, c, c->key_type, vault, e);
}

static enum rc
told_door(struct key *k, const struct command *c, struct err *e)
{
	k->door = true;
	k->roles = (uint32_t)c->roles;
	k->revoked = c->roles == 0;
	k->expires_ms = c->expires_ms;
	return c->blob.p == NULL ? RC_OK :
	    take_secret(k, c, KEY_TYPE_ED25519, NULL, e);
}

enum rc
keys_told(struct keys *keys, const struct command *c, uint64_t seq,
    const struct vault *vault, struct err *e)
{
	struct key	*k;

	if (c->type != COMMAND_KEY && c->type != COMMAND_KEY_REVOKE &&
	    c->type != COMMAND_DOOR_KEY)
		return RC_OK;
	if ((k = make(keys, c->key)) == NULL)
		return err_set(e, "no memory");
	/* Rows of a load may be older than what was told meanwhile. */
	if (seq < k->seq)
		return RC_OK;
	k->seq = seq;
	if (c->type == COMMAND_KEY)
		return told_key(k, c, vault, e);
	if (c->type == COMMAND_DOOR_KEY)
		return told_door(k, c, e);
	k->revoked = true;
	wipe(k);
	return RC_OK;
}

bool
keys_has_public(const struct keys *keys, struct text spki)
{
	struct key	*k;
	size_t		 at = 0;

	while ((k = keys_each(keys, &at)) != NULL) {
		if (!k->revoked && k->type != KEY_TYPE_HMAC &&
		    k->blob_len == spki.len &&
		    memcmp(k->blob, spki.p, spki.len) == 0)
			return true;
	}
	return false;
}

bool
keys_from(const struct key *k, bool has_ip, const unsigned char ip[16])
{
	int	 i;

	if (k->n_cidrs == 0)
		return true;
	for (i = 0; has_ip && i < k->n_cidrs; i++) {
		if (cidr_holds(&k->cidrs[i], ip))
			return true;
	}
	return false;
}
