/*
 * A snapshot's head and the encryption of its pieces.
 */
#include <assert.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/keyring.h"
#include "db/row.h"
#include "db/snapshot_inner.h"
#include "lib/sha256.h"
#include "wire/bytes.h"

#define NONCE_MAX	24
#define NONCE_GCM	12

struct snapshot_crypt {
	enum snapshot_cipher cipher;
	EVP_CIPHER_CTX	*evp;		/* AES */
	unsigned char	 key[SNAPSHOT_KEY_LEN];
};

enum snapshot_cipher snapshot_cipher;

static const unsigned char magic[8] = "DBsnapsh";

enum rc
snapshot_name(char out[PATH_MAX], const char *folder, uint64_t seq,
    struct err *e)
{
	int	 n = snprintf(out, PATH_MAX, "%s/%020" PRIu64 SNAPSHOT_SUFFIX,
		    folder, seq);

	/* Room for ".tmp", too. */
	if (n < 0 || n >= PATH_MAX - 4)
		return err_set(e, "%s: the name is too long", folder);
	return RC_OK;
}

void
snapshot_head_put(unsigned char *p, const struct snapshot_head *h,
    enum snapshot_cipher cipher)
{
	memset(p, 0, SNAPSHOT_HEAD_LEN);
	memcpy(p, magic, sizeof(magic));
	put_le32(p + 8, SNAPSHOT_VERSION);
	put_le32(p + 12, (uint32_t)cipher);
	put_le32(p + 16, h->semantics);
	put_le32(p + 20, h->layout);
	put_le64(p + 24, h->seq);
	put_le64(p + 32, (uint64_t)h->t_ms);
	put_le32(p + 40, h->month);
	put_le32(p + 44, (uint32_t)SNAPSHOT_PIECE);
	memcpy(p + 48, h->row_hash, 32);
	memcpy(p + 80, h->policy, 32);
	put_le64(p + 112, h->policy_seq);
	put_le64(p + 120, h->bytes);
	memcpy(p + 128, h->state_hash, 32);
}

enum rc
snapshot_head_get(struct snapshot_head *h, enum snapshot_cipher *cipher_out,
    const unsigned char *p, const char *name, struct err *e)
{
	unsigned char	 sum[32];
	uint32_t	 version = get_le32(p + 8), cipher = get_le32(p + 12);

	if (memcmp(p, magic, sizeof(magic)) != 0)
		return err_set(e, "%s: is not a snapshot", name);
	if (version > SNAPSHOT_VERSION)
		return err_set(e, "%s: is a snapshot of version %" PRIu32
		    ", newer than this program, which knows %d", name,
		    version, SNAPSHOT_VERSION);
	sha256(sum, p, SNAPSHOT_SUM_AT);
	if (memcmp(sum, p + SNAPSHOT_SUM_AT, sizeof(sum)) != 0 ||
	    version != SNAPSHOT_VERSION ||
	    get_le32(p + 44) != SNAPSHOT_PIECE ||
	    (cipher != CIPHER_AES_GCM && cipher != CIPHER_XCHACHA))
		return err_set(e, "%s: is damaged: its head does not match "
		    "its hash", name);
	*cipher_out = (enum snapshot_cipher)cipher;
	h->semantics = get_le32(p + 16);
	h->layout = get_le32(p + 20);
	h->seq = get_le64(p + 24);
	h->t_ms = (int64_t)get_le64(p + 32);
	h->month = get_le32(p + 40);
	memcpy(h->row_hash, p + 48, 32);
	memcpy(h->policy, p + 80, 32);
	h->policy_seq = get_le64(p + 112);
	h->bytes = get_le64(p + 120);
	memcpy(h->state_hash, p + 128, 32);
	return RC_OK;
}

void
snapshot_wrap(unsigned char *head, const unsigned char file_key[32],
    const unsigned char month_key[32])
{
	unsigned char	*nonce = head + SNAPSHOT_WRAP_AT;
	unsigned char	 own[KEYRING_KEY_LEN];
	int		 bad;

	keyring_subkey(own, month_key, KEY_SNAPSHOT);
	randombytes_buf(nonce, SNAPSHOT_WRAP_NONCE);
	bad = crypto_aead_xchacha20poly1305_ietf_encrypt(
	    nonce + SNAPSHOT_WRAP_NONCE, NULL, file_key, SNAPSHOT_KEY_LEN,
	    head, SNAPSHOT_WRAP_AT, NULL, nonce, own);
	assert(bad == 0);
	sodium_memzero(own, sizeof(own));
	sha256(head + SNAPSHOT_SUM_AT, head, SNAPSHOT_SUM_AT);
}

bool
snapshot_unwrap(unsigned char file_key[32], const unsigned char *head,
    const unsigned char month_key[32])
{
	const unsigned char	*nonce = head + SNAPSHOT_WRAP_AT;
	unsigned char		 own[KEYRING_KEY_LEN];
	int			 bad;

	keyring_subkey(own, month_key, KEY_SNAPSHOT);
	bad = crypto_aead_xchacha20poly1305_ietf_decrypt(file_key, NULL, NULL,
	    nonce + SNAPSHOT_WRAP_NONCE, SNAPSHOT_KEY_LEN + SNAPSHOT_TAG,
	    head, SNAPSHOT_WRAP_AT, nonce, own);
	sodium_memzero(own, sizeof(own));
	return bad == 0;
}

enum rc
snapshot_crypt_new(struct snapshot_crypt **out, enum snapshot_cipher cipher,
    bool encrypt, const unsigned char key[32], struct err *e)
{
	struct snapshot_crypt	*c;

	assert(*out == NULL);
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return err_set(e, "no memory");
	c->cipher = cipher;
	switch (cipher) {
	case CIPHER_AES_GCM:
		/* The nonce is 12 bytes by default. */
		c->evp = EVP_CIPHER_CTX_new();
		if (c->evp == NULL || EVP_CipherInit_ex(c->evp,
		    EVP_aes_256_gcm(), NULL, key, NULL, encrypt) != 1) {
			snapshot_crypt_free(&c);
			return err_set(e, "AES-256-GCM does not start");
		}
		break;
	case CIPHER_XCHACHA:
		memcpy(c->key, key, sizeof(c->key));
		break;
	}
	*out = c;
	return RC_OK;
}

void
snapshot_crypt_free(struct snapshot_crypt **c)
{
	if (*c == NULL)
		return;
	EVP_CIPHER_CTX_free((*c)->evp);		/* Wipes. */
	sodium_memzero((*c)->key, sizeof((*c)->key));
	free(*c);
	*c = NULL;
}

static void
nonce_put(unsigned char nonce[NONCE_MAX], uint64_t number, bool last)
{
	memset(nonce, 0, NONCE_MAX);
	put_le64(nonce, number);
	put_le32(nonce + 8, last);
}

void
snapshot_encrypt(struct snapshot_crypt *c, unsigned char *out,
    const unsigned char *in, size_t len, uint64_t number, bool last)
{
	unsigned char	 nonce[NONCE_MAX];
	int		 n = 0, good = 0;

	assert(len <= SNAPSHOT_PIECE);
	nonce_put(nonce, number, last);
	switch (c->cipher) {
	case CIPHER_AES_GCM:
		good = EVP_EncryptInit_ex(c->evp, NULL, NULL, NULL, nonce) ==
		    1 && (len == 0 || EVP_EncryptUpdate(c->evp, out, &n, in,
		    (int)len) == 1) &&
		    EVP_EncryptFinal_ex(c->evp, out + n, &n) == 1 &&
		    EVP_CIPHER_CTX_ctrl(c->evp, EVP_CTRL_AEAD_GET_TAG,
		    (int)SNAPSHOT_TAG, out + len) == 1;
		break;
	case CIPHER_XCHACHA:
		good = crypto_aead_xchacha20poly1305_ietf_encrypt_detached(
		    out, out + len, NULL, in, len, NULL, 0, NULL, nonce,
		    c->key) == 0;
		break;
	}
	assert(good == 1);
}

bool
snapshot_decrypt(struct snapshot_crypt *c, unsigned char *out,
    const unsigned char *in, size_t len, uint64_t number, bool last)
{
	unsigned char	 nonce[NONCE_MAX], tag[SNAPSHOT_TAG], none;
	bool		 good = false;
	int		 n = 0;

	assert(len <= SNAPSHOT_PIECE);
	nonce_put(nonce, number, last);
	memcpy(tag, in + len, sizeof(tag));
	switch (c->cipher) {
	case CIPHER_AES_GCM:
		good = EVP_DecryptInit_ex(c->evp, NULL, NULL, NULL, nonce) ==
		    1 && EVP_CIPHER_CTX_ctrl(c->evp, EVP_CTRL_AEAD_SET_TAG,
		    (int)SNAPSHOT_TAG, tag) == 1 &&
		    (len == 0 || EVP_DecryptUpdate(c->evp, out, &n, in,
		    (int)len) == 1) &&
		    EVP_DecryptFinal_ex(c->evp, &none, &n) == 1;
		break;
	case CIPHER_XCHACHA:
		good = crypto_aead_xchacha20poly1305_ietf_decrypt_detached(
		    out, NULL, in, len, tag, NULL, 0, nonce, c->key) == 0;
		break;
	}
	/* GCM decrypts before it knows. */
	if (!good && len > 0)
		sodium_memzero(out, len);
	return good;
}
