#include "auth/vault.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "auth/vault_key.h"
#include "lib/secret.h"

#define VERSION		1
#define CONTEXT		"dbvault1"	/* crypto_kdf: 8 bytes */
#define PURPOSE		"drawbridge vault 1\n"
#define NONCE_LEN	crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_LEN		crypto_aead_xchacha20poly1305_ietf_ABYTES
#define HEAD_LEN	(1 + VAULT_ID_LEN + NONCE_LEN)
#define MAC_SUBKEY	100		/* beside the kinds */

_Static_assert(HEAD_LEN + TAG_LEN == VAULT_OVERHEAD, "overhead of a blob");
_Static_assert(crypto_kdf_KEYBYTES == VAULT_KEY_LEN, "master key");
_Static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == VAULT_KEY_LEN,
    "subkey");

/* Everything that a master key gives, in locked memory; not itself. */
struct keys {
	unsigned char	id[VAULT_ID_LEN];
	unsigned char	kind[VAULT__END][VAULT_KEY_LEN];
	unsigned char	mac[VAULT_KEY_LEN];
};

struct vault {
	struct keys	*newest;
	struct keys	*older;		/* NULL: there is one */
};

enum vault_kind
vault_kind_of(enum secret_kind secret)
{
	switch (secret) {
	case SECRET_NONE:
		break;
	case SECRET_TOTP:
		return VAULT_TOTP;
	case SECRET_RECOVERY:
		return VAULT_RECOVERY;
	case SECRET_CONTACT:
		return VAULT_CONTACT;
	case SECRET_PASSWORD:
		return VAULT_PASSWORD;
	case SECRET_LINKS:
		return VAULT_LINKS;
	}
	abort();
}

static void
subkey(unsigned char out[VAULT_KEY_LEN], uint64_t which,
    const unsigned char *master)
{
	(void)crypto_kdf_derive_from_key(out, VAULT_KEY_LEN, which, CONTEXT,
	    master);
}

/* `where` NULL: the text is the line itself. */
static enum rc
keys_read(struct keys **out, const char *where, const char *params_path,
    struct text passphrase, struct err *e)
{
	unsigned char	*master = secret_new(VAULT_KEY_LEN);
	struct keys	*k = secret_new(sizeof(*k));
	enum rc		 rc;
	int		 i;

	if (master == NULL || k == NULL)
		rc = err_set(e, "no locked memory for it");
	else if (where == NULL)
		rc = vault_key_line(master, passphrase, e);
	else
		rc = vault_key_read(master, where, params_path, passphrase,
		    e);
	if (rc == RC_OK) {
		vault_key_id(k->id, master);
		for (i = 0; i < VAULT__END; i++)
			subkey(k->kind[i], (uint64_t)i, master);
		subkey(k->mac, MAC_SUBKEY, master);
		*out = k;
		k = NULL;
	}
	secret_free(master, VAULT_KEY_LEN);
	secret_free(k, sizeof(*k));
	return err_wrap(e, rc, "master key");
}

enum rc
vault_new(struct vault **out, const char *where, const char *params_path,
    struct text passphrase, struct err *e)
{
	struct vault	*v = calloc(1, sizeof(*v));
	enum rc		 rc;

	assert(*out == NULL);
	if (v == NULL)
		return err_set(e, "master key: no memory");
	rc = keys_read(&v->newest, where, params_path, passphrase, e);
	if (rc == RC_OK)
		*out = v;
	else
		free(v);
	return rc;
}

void
vault_free(struct vault **v)
{
	if (*v == NULL)
		return;
	vault_drop(*v);
	secret_free((*v)->newest, sizeof(*(*v)->newest));
	free(*v);
	*v = NULL;
}

enum rc
vault_add(struct vault *v, const char *where, const char *params_path,
    struct text passphrase, struct err *e)
{
	struct keys	*k = NULL;
	enum rc		 rc;

	if (v->older != NULL)
		return err_set(e, "master key: there are two already");
	if ((rc = keys_read(&k, where, params_path, passphrase, e)) != RC_OK)
		return rc;
	if (memcmp(k->id, v->newest->id, VAULT_ID_LEN) == 0) {
		secret_free(k, sizeof(*k));
		return err_set(e, "master key: it is the one in use");
	}
	v->older = v->newest;
	v->newest = k;
	return RC_OK;
}

enum rc
vault_add_line(struct vault *v, struct text line, struct err *e)
{
	return vault_add(v, NULL, NULL, line, e);
}

bool
vault_is_newest(const struct vault *v, struct text line)
{
	struct keys	*k = NULL;
	struct err	 e;
	bool		 same = false;

	if (keys_read(&k, NULL, NULL, line, &e) == RC_OK)
		same = memcmp(k->id, v->newest->id, VAULT_ID_LEN) == 0;
	secret_free(k, sizeof(*k));
	return same;
}

void
vault_drop(struct vault *v)
{
	secret_free(v->older, sizeof(*v->older));
	v->older = NULL;
}

bool
vault_two(const struct vault *v)
{
	return v->older != NULL;
}

static unsigned char *
put(unsigned char *p, const void *bytes, size_t len)
{
	if (len > 0)
		memcpy(p, bytes, len);
	return p + len;
}

static unsigned char *
put_le64(unsigned char *p, uint64_t n)
{
	int	 i;

	for (i = 0; i < 8; i++)
		*p++ = (unsigned char)(n >> 8 * i);
	return p;
}

/*
 * The place as bytes, every part with its length: no two places have the
 * same.  Hashed, so that the length of names does not matter.
 */
static void
place(unsigned char out[crypto_generichash_BYTES],
    const struct vault_about *a)
{
	crypto_generichash_state	 h;
	unsigned char			 head[64], *p = head;

	p = put(p, PURPOSE, strlen(PURPOSE));
	*p++ = VERSION;
	p = put_le64(p, (uint64_t)a->kind);
	p = put_le64(p, (uint64_t)a->version);
	p = put_le64(p, a->account.len);
	p = put_le64(p, a->key.len);
	(void)crypto_generichash_init(&h, NULL, 0, crypto_generichash_BYTES);
	(void)crypto_generichash_update(&h, head, (size_t)(p - head));
	(void)crypto_generichash_update(&h,
	    (const unsigned char *)a->account.p, a->account.len);
	(void)crypto_generichash_update(&h, (const unsigned char *)a->key.p,
	    a->key.len);
	(void)crypto_generichash_final(&h, out, crypto_generichash_BYTES);
}

void
vault_seal(const struct vault *v, unsigned char *blob,
    const unsigned char *plain, size_t len, const struct vault_about *about)
{
	unsigned char		 aad[crypto_generichash_BYTES];
	unsigned char		*nonce = blob + 1 + VAULT_ID_LEN;

	assert(about->kind > 0 && about->kind < VAULT__END);
	place(aad, about);
	blob[0] = VERSION;
	memcpy(blob + 1, v->newest->id, VAULT_ID_LEN);
	randombytes_buf(nonce, NONCE_LEN);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(blob + HEAD_LEN,
	    NULL, plain, len, aad, sizeof(aad), NULL, nonce,
	    v->newest->kind[about->kind]);
}

/* NULL: not ours, or of a master key that is not here. */
static const struct keys *
keys_for(const struct vault *v, const unsigned char *blob, size_t len)
{
	if (len < VAULT_OVERHEAD || blob[0] != VERSION)
		return NULL;
	if (memcmp(blob + 1, v->newest->id, VAULT_ID_LEN) == 0)
		return v->newest;
	if (v->older != NULL &&
	    memcmp(blob + 1, v->older->id, VAULT_ID_LEN) == 0)
		return v->older;
	return NULL;
}

enum rc
vault_open(const struct vault *v, unsigned char *plain,
    const unsigned char *blob, size_t len, const struct vault_about *about,
    struct err *e)
{
	const struct keys	*k;
	unsigned char		 aad[crypto_generichash_BYTES];

	assert(about->kind > 0 && about->kind < VAULT__END);
	if (len < VAULT_OVERHEAD || blob[0] != VERSION)
		return err_set(e, "not a sealed secret");
	sodium_memzero(plain, len - VAULT_OVERHEAD);
	if ((k = keys_for(v, blob, len)) == NULL)
		return err_set(e, "sealed under another master key");
	place(aad, about);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL,
	    blob + HEAD_LEN, len - HEAD_LEN, aad, sizeof(aad),
	    blob + 1 + VAULT_ID_LEN, k->kind[about->kind]) == 0)
		return RC_OK;
	sodium_memzero(plain, len - VAULT_OVERHEAD);
	return err_set(e, "a sealed secret was changed, or is another's");
}

bool
vault_old(const struct vault *v, const unsigned char *blob, size_t len)
{
	return v->older != NULL && keys_for(v, blob, len) == v->older;
}

enum rc
vault_reseal(const struct vault *v, unsigned char *out,
    const unsigned char *blob, size_t len, const struct vault_about *about,
    int64_t version, struct err *e)
{
	struct vault_about	 next = *about;
	unsigned char		*plain;
	size_t			 n;
	enum rc			 rc;

	if (len < VAULT_OVERHEAD)
		return err_set(e, "not a sealed secret");
	n = len - VAULT_OVERHEAD;
	if ((plain = secret_new(n)) == NULL)
		return err_set(e, "no locked memory for a secret");
	next.version = version;
	if ((rc = vault_open(v, plain, blob, len, about, e)) == RC_OK)
		vault_seal(v, out, plain, n, &next);
	secret_free(plain, n);
	return rc;
}

bool
vault_mac(const struct vault *v, size_t nth,
    unsigned char out[VAULT_MAC_LEN], const void *bytes, size_t len)
{
	const struct keys	*k = nth == 0 ? v->newest :
	    nth == 1 ? v->older : NULL;

	if (k == NULL)
		return false;
	(void)crypto_generichash(out, VAULT_MAC_LEN, bytes, len, k->mac,
	    VAULT_KEY_LEN);
	return true;
}
