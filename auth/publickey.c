/*
 * OpenSSL reads the DER; what it is lenient about is checked by writing it
 * again.
 */
#include "auth/publickey.h"

#include <openssl/core_names.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <sodium.h>
#include <string.h>

static const char	 begin[] = "-----BEGIN PUBLIC KEY-----";
static const char	 end[] = "-----END PUBLIC KEY-----";

static const unsigned char	 ed25519_prefix[12] = { 0x30, 0x2a, 0x30,
	0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00 };

static struct text
trimmed(struct text t)
{
	while (t.len > 0 && strchr(" \t\r\n", t.p[0]) != NULL) {
		t.p++;
		t.len--;
	}
	while (t.len > 0 && strchr(" \t\r\n", t.p[t.len - 1]) != NULL)
		t.len--;
	return t;
}

static enum rc
unarmour(unsigned char *der, size_t *len_out, struct text pem,
    struct err *e)
{
	struct text	 t = trimmed(pem);

	if (memchr(t.p, '\0', t.len) != NULL || t.len < sizeof(begin) +
	    sizeof(end) || memcmp(t.p, begin, sizeof(begin) - 1) != 0 ||
	    memcmp(t.p + t.len - (sizeof(end) - 1), end, sizeof(end) - 1) !=
	    0)
		return err_set(e, "not a public key in PEM (SPKI): it begins "
		    "with \"%s\"", begin);
	t.p += sizeof(begin) - 1;
	t.len -= sizeof(begin) + sizeof(end) - 2;
	if (sodium_base642bin(der, PUBLICKEY_DER_MAX, t.p, t.len, " \t\r\n",
	    len_out, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
		return err_set(e, "not a public key: its base64 is wrong or "
		    "too long");
	return RC_OK;
}

/* With a small one a signature is a root of almost anything. */
static bool
good_exponent(const EVP_PKEY *key)
{
	BIGNUM	*n = NULL;
	bool	 good;

	good = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &n) == 1 &&
	    BN_is_odd(n) && BN_num_bits(n) > 16 && BN_num_bits(n) <= 64;
	BN_free(n);
	return good;
}

enum rc
publickey_rsa(EVP_PKEY **out, struct text spki, struct err *e)
{
	const unsigned char	*p = (const unsigned char *)spki.p;
	unsigned char		*again = NULL;
	EVP_PKEY		*key = d2i_PUBKEY(NULL, &p, (long)spki.len);
	int			 len, bits;
	enum rc			 rc = RC_OK;

	if (key == NULL || EVP_PKEY_base_id(key) != EVP_PKEY_RSA ||
	    p != (const unsigned char *)spki.p + spki.len) {
		EVP_PKEY_free(key);
		return err_set(e, "not an RSA public key");
	}
	bits = EVP_PKEY_bits(key);
	len = i2d_PUBKEY(key, &again);
	if (bits < 2048 || bits > 4096)
		rc = err_set(e, "an RSA key of %d bits; 2048 to 4096 are "
		    "wanted", bits);
	else if (!good_exponent(key))
		rc = err_set(e, "an RSA key whose exponent is not odd and "
		    "from 65537 on");
	else if (len < 0 || (size_t)len != spki.len ||
	    memcmp(again, spki.p, spki.len) != 0)
		rc = err_set(e, "an RSA public key that is not in DER");
	OPENSSL_free(again);
	if (rc != RC_OK)
		EVP_PKEY_free(key);
	else
		*out = key;
	return rc;
}

enum rc
publickey_ed25519(unsigned char out[32], struct text spki, struct err *e)
{
	if (spki.len != sizeof(ed25519_prefix) + 32 ||
	    memcmp(spki.p, ed25519_prefix, sizeof(ed25519_prefix)) != 0)
		return err_set(e, "not an Ed25519 public key (44 bytes of "
		    "SPKI)");
	memcpy(out, spki.p + sizeof(ed25519_prefix), 32);
	/* A point of small order verifies signatures of anything. */
	if (crypto_core_ed25519_is_valid_point(out) != 1)
		return err_set(e, "an Ed25519 key that is no point of the "
		    "main subgroup");
	return RC_OK;
}

enum rc
publickey_pem(unsigned char der[PUBLICKEY_DER_MAX], size_t *len_out,
    struct text pem, bool want_rsa, struct err *e)
{
	unsigned char	 point[32];
	struct text	 spki;
	EVP_PKEY	*rsa = NULL;
	enum rc		 rc;

	if ((rc = unarmour(der, len_out, pem, e)) != RC_OK)
		return rc;
	spki.p = (const char *)der;
	spki.len = *len_out;
	rc = want_rsa ? publickey_rsa(&rsa, spki, e) :
	    publickey_ed25519(point, spki, e);
	EVP_PKEY_free(rsa);
	return rc;
}
