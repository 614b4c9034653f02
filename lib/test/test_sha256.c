/*
 * SHA-256 against the examples of NIST and against another implementation.
 */
#include <sodium.h>

#include "lib/sha256.h"
#include "tests/check.h"

static void
test_examples(void)
{
	unsigned char	 out[32];
	char		 hex[65];

	check_case("the examples of FIPS 180-4");
	sha256(out, "abc", 3);
	CHECK_STR(sodium_bin2hex(hex, sizeof(hex), out, 32),
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	sha256(out, "", 0);
	CHECK_STR(sodium_bin2hex(hex, sizeof(hex), out, 32),
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void
test_pieces(void)
{
	unsigned char	 text[1000], once[32], other[32];
	struct sha256	 h;
	size_t		 len, cut;

	check_case("any length in any pieces, as libsodium says");
	for (len = 0; len < sizeof(text); len++)
		text[len] = (unsigned char)(len * 7);
	for (len = 0; len <= sizeof(text); len += 13) {
		for (cut = 0; cut <= len; cut += 97) {
			sha256_begin(&h);
			sha256_add(&h, text, cut);
			sha256_add(&h, text + cut, len - cut);
			sha256_end(&h, once);
			(void)crypto_hash_sha256(other, text, len);
			CHECK(memcmp(once, other, 32) == 0);
		}
	}
}

static void
test_hmac(void)
{
	unsigned char	 key[32], text[200], ours[32], other[32];
	struct sha256	 h;
	size_t		 len;

	check_case("HMAC under a key of 32 bytes, as libsodium says");
	for (len = 0; len < sizeof(text); len++) {
		text[len] = (unsigned char)(len * 5);
		memset(key, (int)len, sizeof(key));
		key[31] = 0x80;
		sha256_hmac_begin(&h, key);
		sha256_add(&h, text, len / 3);
		sha256_add(&h, text + len / 3, len - len / 3);
		sha256_hmac_end(&h, key, ours);
		(void)crypto_auth_hmacsha256(other, text, len, key);
		CHECK(memcmp(ours, other, 32) == 0);
	}
}

int
main(void)
{
	test_examples();
	test_pieces();
	test_hmac();
	return check_done();
}
