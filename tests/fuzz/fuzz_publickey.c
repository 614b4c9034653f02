/*
 * Public keys that customers register: what is taken as PEM is taken again
 * from its DER, in bounds.
 *
 * Input: a byte, odd for RSA, then the PEM.
 */
#include <sodium.h>
#include <stdlib.h>

#include "auth/publickey.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char	 der[PUBLICKEY_DER_MAX], point[32];
	struct text	 pem, spki = { (const char *)der, 0 };
	EVP_PKEY	*rsa = NULL;
	struct err	 e;

	if (size == 0 || sodium_init() < 0)
		return 0;
	pem.p = (const char *)data + 1;
	pem.len = size - 1;
	if (publickey_pem(der, &spki.len, pem, (data[0] & 1) != 0, &e) !=
	    RC_OK)
		return 0;
	if ((data[0] & 1) == 0) {
		if (publickey_ed25519(point, spki, &e) != RC_OK)
			abort();
		return 0;
	}
	if (publickey_rsa(&rsa, spki, &e) != RC_OK ||
	    EVP_PKEY_bits(rsa) < 2048 || EVP_PKEY_bits(rsa) > 4096)
		abort();
	EVP_PKEY_free(rsa);
	return 0;
}
