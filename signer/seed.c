/*
 * The sealed seed: 128 bytes on disk, of no use without the passphrase.
 *
 *	 0	"drawbridge seed 1\n", zero up to 24 bytes
 *	24	salt, 16
 *	40	Argon2id's passes, le64
 *	48	Argon2id's memory, le64, bytes
 *	56	nonce, 24
 *	80	XChaCha20-Poly1305 of the seed, 48; bytes 0 to 55 are
 *		authenticated with it
 *
 * The cost is the file's: who writes a smaller one into it has changed the
 * key and the header, and nothing opens.  Who writes a larger one must not
 * take the host's memory: no more than libsodium's SENSITIVE (1 GiB).
 */
#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "lib/secret.h"
#include "signer/keys.h"
#include "wire/bytes.h"

#define SALT_AT		24
#define PASSES_AT	40
#define MEMORY_AT	48
#define NONCE_AT	56
#define BOX_AT		80
#define KEY_LEN		crypto_aead_xchacha20poly1305_ietf_KEYBYTES

static const char magic[SALT_AT] = "drawbridge seed 1\n";

_Static_assert(crypto_pwhash_argon2id_SALTBYTES == PASSES_AT - SALT_AT, "");
_Static_assert(crypto_aead_xchacha20poly1305_ietf_NPUBBYTES ==
    BOX_AT - NONCE_AT, "");
_Static_assert(SEED_LEN + crypto_aead_xchacha20poly1305_ietf_ABYTES ==
    SEED_FILE_LEN - BOX_AT, "");

/* The key that the passphrase and the file's head make. */
static enum rc
stretch(unsigned char *key, const unsigned char *file, struct text passphrase,
    struct err *e)
{
	uint64_t	 passes = get_le64(file + PASSES_AT);
	uint64_t	 memory = get_le64(file + MEMORY_AT);

	if (passphrase.len == 0)
		return err_set(e, "the passphrase is empty");
	if (passes < crypto_pwhash_argon2id_OPSLIMIT_MIN ||
	    passes > crypto_pwhash_argon2id_OPSLIMIT_SENSITIVE ||
	    memory < crypto_pwhash_argon2id_MEMLIMIT_MIN ||
	    memory > crypto_pwhash_argon2id_MEMLIMIT_SENSITIVE)
		return err_set(e, "the cost in its head is not sane");
	if (crypto_pwhash_argon2id(key, KEY_LEN, passphrase.p, passphrase.len,
	    file + SALT_AT, passes, (size_t)memory,
	    crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0)
		return err_set(e, "no memory for Argon2id (%ju MiB)",
		    (uintmax_t)(memory >> 20));
	return RC_OK;
}

enum rc
seed_seal(unsigned char out[SEED_FILE_LEN],
    const unsigned char seed[SEED_LEN], struct text passphrase, bool cheap,
    struct err *e)
{
	unsigned char	*key = secret_new(KEY_LEN);
	enum rc		 rc;

	if (key == NULL)
		return err_set(e, "no memory for secrets");
	memcpy(out, magic, SALT_AT);
	randombytes_buf(out + SALT_AT, PASSES_AT - SALT_AT);
	put_le64(out + PASSES_AT, cheap ? crypto_pwhash_argon2id_OPSLIMIT_MIN :
	    crypto_pwhash_argon2id_OPSLIMIT_MODERATE);
	put_le64(out + MEMORY_AT, cheap ? crypto_pwhash_argon2id_MEMLIMIT_MIN :
	    crypto_pwhash_argon2id_MEMLIMIT_MODERATE);
	randombytes_buf(out + NONCE_AT, BOX_AT - NONCE_AT);
	if ((rc = stretch(key, out, passphrase, e)) == RC_OK)
		(void)crypto_aead_xchacha20poly1305_ietf_encrypt(out + BOX_AT,
		    NULL, seed, SEED_LEN, out, NONCE_AT, NULL, out + NONCE_AT,
		    key);
	secret_free(key, KEY_LEN);
	return rc;
}

enum rc
seed_open(unsigned char seed[SEED_LEN],
    const unsigned char in[SEED_FILE_LEN], struct text passphrase,
    struct err *e)
{
	unsigned char	*key;
	enum rc		 rc;

	if (memcmp(in, magic, SALT_AT) != 0)
		return err_set(e, "not a sealed seed");
	if ((key = secret_new(KEY_LEN)) == NULL)
		return err_set(e, "no memory for secrets");
	rc = stretch(key, in, passphrase, e);
	if (rc == RC_OK &&
	    crypto_aead_xchacha20poly1305_ietf_decrypt(seed, NULL, NULL,
	    in + BOX_AT, SEED_FILE_LEN - BOX_AT, in, NONCE_AT, in + NONCE_AT,
	    key) != 0)
		rc = err_set(e, "wrong passphrase, or the file is damaged");
	secret_free(key, KEY_LEN);
	return rc;
}
