/*
 * Extended keys and paths from outside.  The first byte chooses: a path, a
 * text, or the bytes below the checksum, which no fuzzer finds.  What is
 * taken must come out again, and the children of both sides must agree.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "bitcoin/base58.h"
#include "bitcoin/bip32.h"
#include "bitcoin/curve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_key(const struct bip32_key *k, const char *text, size_t len)
{
	struct bip32_key pub = *k, a, b;
	char		 again[BIP32_TEXT_MAX];
	uint32_t	 i = (uint32_t)k->chain[0] << 8 | k->chain[1];

	bip32_print(again, k, true);
	if (strlen(again) != len || memcmp(again, text, len) != 0)
		abort();
	bip32_forget_secret(&pub);
	if ((bip32_child(&a, k, i, NULL) == RC_OK) !=
	    (bip32_child(&b, &pub, i, NULL) == RC_OK))
		abort();
	if (k->depth < UINT8_MAX) {
		bip32_forget_secret(&a);
		if (memcmp(&a, &b, sizeof(a)) != 0)
			abort();
	}
	if (bip32_child(&b, &pub, i | BIP32_HARD, NULL) == RC_OK)
		abort();
}

static void
try_key(const char *text, size_t len)
{
	struct bip32_key k;
	struct err	 e = { "" };

	if (bip32_parse(&k, text, len, &e) == RC_OK)
		check_key(&k, text, len);
	else if (e.text[0] == '\0' || k.has_secret)
		abort();
}

static void
try_path(struct text t)
{
	uint32_t	 path[BIP32_PATH_MAX], again[BIP32_PATH_MAX];
	char		 text[BIP32_PATH_TEXT_MAX];
	struct err	 e = { "" };
	size_t		 n, n2;

	if (bip32_path_parse(path, &n, t, &e) != RC_OK) {
		if (e.text[0] == '\0')
			abort();
		return;
	}
	bip32_path_print(text, path, n);
	if (bip32_path_parse(again, &n2, text_of(text), NULL) != RC_OK ||
	    n2 != n || (n > 0 && memcmp(path, again, n * 4) != 0))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text	 t = { (const char *)data + 1, size - 1 };
	char		 b58[BASE58_TEXT_MAX + 2];

	if (size == 0 || curve_begin(NULL) != RC_OK)
		return 0;
	if (data[0] % 3 == 0)
		try_path(t);
	else if (data[0] % 3 == 1)
		try_key(t.p, t.len);
	else if (t.len <= 80)
		try_key(b58, base58_encode_check(b58, data + 1, t.len));
	return 0;
}
