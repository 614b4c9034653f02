/* Public keys: what a customer may register. */
#include <sodium.h>
#include <stdlib.h>

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "auth/publickey.h"
#include "tests/check.h"

#define ED	"MCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="
#define BEGIN	"-----BEGIN PUBLIC KEY-----\n"
#define END	"-----END PUBLIC KEY-----\n"

static bool
takes(const char *pem, bool rsa)
{
	unsigned char	 der[PUBLICKEY_DER_MAX];
	size_t		 len;
	struct err	 e;

	return publickey_pem(der, &len, text_of(pem), rsa, &e) == RC_OK;
}

static void
test_ed25519(void)
{
	static const unsigned char	 prefix[12] = { 0x30, 0x2a, 0x30,
		0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00 };
	unsigned char			 spki[45] = { 0 }, point[32];
	struct text			 t = { (const char *)spki, 44 };
	struct err			 e;

	check_case("Ed25519 in PEM");
	CHECK(takes(BEGIN ED "\n" END, false));
	CHECK(takes("\r\n" BEGIN ED "\r\n" END "\n\n", false));
	CHECK(!takes(BEGIN ED "\n" END, true));
	CHECK(!takes(ED, false));
	CHECK(!takes("", false));
	CHECK(!takes(BEGIN END, false));
	CHECK(!takes(BEGIN ED "\n" END BEGIN ED "\n" END, false));
	CHECK(!takes("x" BEGIN ED "\n" END, false));
	CHECK(!takes(BEGIN ED "AAAA\n" END, false));
	CHECK(!takes(BEGIN "MCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1f"
	    "HdyGZBJVMbh=\n" END, false));
	check_case("Ed25519: points of small order, and what is no point");
	memcpy(spki, prefix, sizeof(prefix));
	CHECK(publickey_ed25519(point, t, &e) != RC_OK);
	spki[12] = 1;
	CHECK(publickey_ed25519(point, t, &e) != RC_OK);
	memset(spki + 12, 0xff, 32);
	CHECK(publickey_ed25519(point, t, &e) != RC_OK);
	t.len = 45;
	CHECK(publickey_ed25519(point, t, &e) != RC_OK);
	t.len = 12;
	CHECK(publickey_ed25519(point, t, &e) != RC_OK);
}

static int
rsa_der(unsigned char **out, unsigned bits, unsigned long exponent)
{
	EVP_PKEY_CTX	*c = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, NULL);
	EVP_PKEY	*key = NULL;
	BIGNUM		*e = BN_new();
	int		 len = -1;

	*out = NULL;
	if (c != NULL && e != NULL && BN_set_word(e, exponent) == 1 &&
	    EVP_PKEY_keygen_init(c) == 1 &&
	    EVP_PKEY_CTX_set_rsa_keygen_bits(c, (int)bits) == 1 &&
	    EVP_PKEY_CTX_set1_rsa_keygen_pubexp(c, e) == 1 &&
	    EVP_PKEY_keygen(c, &key) == 1)
		len = i2d_PUBKEY(key, out);
	BN_free(e);
	EVP_PKEY_free(key);
	EVP_PKEY_CTX_free(c);
	return len;
}

static bool
takes_der(const unsigned char *der, int len)
{
	struct text	 spki = { (const char *)der, (size_t)len };
	EVP_PKEY	*key = NULL;
	struct err	 e;
	bool		 good = publickey_rsa(&key, spki, &e) == RC_OK;

	EVP_PKEY_free(key);
	return good;
}

static void
test_rsa(void)
{
	static const struct {
		unsigned	bits;
		unsigned long	exponent;
		bool		good;
	} t[] = {
		{ 2048, 65537, true }, { 3072, 65537, true },
		{ 1024, 65537, false }, { 2047, 65537, false },
		{ 2048, 3, false }, { 2048, 17, false },
	};
	unsigned char	*der, more[1024];
	size_t		 i;
	int		 len, k;

	check_case("RSA: how many bits, and which exponent");
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		len = rsa_der(&der, t[i].bits, t[i].exponent);
		if (CHECK(len > 0))
			CHECK_INT(takes_der(der, len), t[i].good);
		OPENSSL_free(der);
	}
	check_case("RSA: DER alone, to its last byte");
	len = rsa_der(&der, 2048, 65537);
	if (!CHECK(len > 0 && len < 1000))
		return;
	memcpy(more, der, (size_t)len);
	more[len] = 0;
	CHECK(takes_der(more, len));
	CHECK(!takes_der(more, len + 1));
	for (k = 0; k < len; k++)
		CHECK(!takes_der(more, k));
	OPENSSL_free(der);
}

int
main(void)
{
	if (sodium_init() < 0)
		return 2;
	test_ed25519();
	test_rsa();
	return check_done();
}
