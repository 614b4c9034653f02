/*
 * Signatures: three messages at most, compared in constant time.
 */
#include "auth/verify.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

/* Percent-encoded never, once or twice; then strictly base64. */
static bool
base64(struct verify *v, struct text s)
{
	char	 once[1024], twice[1024];
	int	 n, m;

	if ((n = params_unescape(once, sizeof(once), s)) < 0)
		return false;
	s.p = once;
	s.len = (size_t)n;
	if ((m = params_unescape(twice, sizeof(twice), s)) >= 0) {
		s.p = twice;
		s.len = (size_t)m;
	}
	return sodium_base642bin(v->signature, sizeof(v->signature), s.p,
	    s.len, NULL, &v->signature_len, NULL,
	    sodium_base64_VARIANT_ORIGINAL) == 0;
}

static bool
hex(struct verify *v, struct text s)
{
	return s.len == 64 && sodium_hex2bin(v->signature,
	    sizeof(v->signature), s.p, s.len, NULL, &v->signature_len,
	    NULL) == 0 && v->signature_len == 32;
}

static bool
read_signature(struct verify *v, const struct key *k, struct text s)
{
	v->type = k->type;
	v->rsa = NULL;
	if (s.p == NULL || s.len > 1000)
		return false;
	switch (k->type) {
	case KEY_TYPE_HMAC:
		return hex(v, s);
	case KEY_TYPE_ED25519:
		memcpy(v->ed25519, k->ed25519, sizeof(v->ed25519));
		return base64(v, s) && v->signature_len == 64;
	case KEY_TYPE_RSA:
		if (k->rsa == NULL || !base64(v, s) ||
		    v->signature_len != (size_t)EVP_PKEY_size(k->rsa))
			return false;
		v->rsa = k->rsa;
		return EVP_PKEY_up_ref(k->rsa) == 1;
	case KEY_TYPE_NONE:
		break;
	}
	return false;
}

bool
verify_begin(struct verify *v, const struct params *p, const struct key *k,
    bool decoded)
{
	int	 i, j;

	if (!read_signature(v, k, p->signature))
		return false;
	v->len[0] = params_received(p, v->message[0], VERIFY_MAX);
	v->len[1] = params_canonical(p, v->message[1], VERIFY_MAX);
	v->len[2] = decoded ? params_decoded(p, v->message[2], VERIFY_MAX) :
	    -1;
	/* The same twice need not be tried twice. */
	for (i = 1; i < 3; i++) {
		for (j = 0; j < i; j++) {
			if (v->len[i] >= 0 && v->len[i] == v->len[j] &&
			    memcmp(v->message[i], v->message[j],
			    (size_t)v->len[i]) == 0)
				v->len[i] = -1;
		}
	}
	return true;
}

bool
verify_one(struct verify *v, const struct key *k, const char *message,
    size_t len, struct text signature)
{
	if (len > VERIFY_MAX || !read_signature(v, k, signature))
		return false;
	memcpy(v->message[0], message, len);
	v->len[0] = (int)len;
	v->len[1] = v->len[2] = -1;
	return true;
}

void
verify_end(struct verify *v)
{
	EVP_PKEY_free(v->rsa);
	v->rsa = NULL;
}

bool
verify_hmac(const struct verify *v, const struct key *k)
{
	unsigned char	 mac[SHA256_LEN];
	bool		 good = false;
	int		 i;

	if (k->hmac == NULL || v->type != KEY_TYPE_HMAC)
		return false;
	for (i = 0; i < 3; i++) {
		if (v->len[i] < 0)
			continue;
		keys_hmac(mac, k->hmac, v->message[i], (size_t)v->len[i]);
		good |= sodium_memcmp(mac, v->signature, sizeof(mac)) == 0;
	}
	sodium_memzero(mac, sizeof(mac));
	return good;
}

static bool
rsa(const struct verify *v, int i)
{
	EVP_MD_CTX	*c = EVP_MD_CTX_new();
	bool		 good;

	good = c != NULL && EVP_DigestVerifyInit(c, NULL, EVP_sha256(), NULL,
	    v->rsa) == 1 && EVP_DigestVerify(c, v->signature,
	    v->signature_len, (const unsigned char *)v->message[i],
	    (size_t)v->len[i]) == 1;
	EVP_MD_CTX_free(c);
	return good;
}

bool
verify_slow(const struct verify *v)
{
	bool	 good = false;
	int	 i;

	for (i = 0; i < 3 && !good; i++) {
		if (v->len[i] < 0)
			continue;
		if (v->type == KEY_TYPE_ED25519)
			good = crypto_sign_verify_detached(v->signature,
			    (const unsigned char *)v->message[i],
			    (unsigned long long)v->len[i], v->ed25519) == 0;
		else if (v->rsa != NULL)
			good = rsa(v, i);
	}
	return good;
}
