#include "tests/check.h"

#include <openssl/hmac.h>
#include <stdlib.h>

#include "bitcoin/hash.h"
#include "bitcoin/test/vectors.h"

#define OTHERS "../shared/vectors/"

static void
check_hex(const unsigned char *got, size_t len, const char *hex)
{
	unsigned char	 want[SHA512_LEN];

	CHECK_INT(vectors_hex(want, sizeof(want), hex), len);
	if (!CHECK(memcmp(got, want, len) == 0))
		printf("#   not %s\n", hex);
}

static void
test_ripemd160(void)
{
	/* The digests that RIPEMD-160's authors publish. */
	static const struct {
		const char	*text, *hex;
	} cases[] = {
		{ "", "9c1185a5c5e9fc54612808977ee8f548b2258d31" },
		{ "a", "0bdc9d2d256b3ee9daae347be6f4dc835a467ffe" },
		{ "abc", "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc" },
		{ "message digest",
		    "5d0689ef49d2fae572b881b123a85ffa21595f36" },
		{ "abcdefghijklmnopqrstuvwxyz",
		    "f71c27109c692c1b56bbdceb5b9d2865b3708dbc" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		    "12a053384a9c0c88e405a06c27dcf49ada62eb2b" },
	};
	static unsigned char million[1000000];
	unsigned char	 out[HASH160_LEN];
	size_t		 i;

	check_case("RIPEMD-160");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ripemd160(out, cases[i].text, strlen(cases[i].text));
		check_hex(out, sizeof(out), cases[i].hex);
	}
	memset(million, 'a', sizeof(million));
	ripemd160(out, million, sizeof(million));
	check_hex(out, sizeof(out),
	    "52783243c1697bdbe16d37f97f68f08325dc1528");
}

static void
test_double(void)
{
	unsigned char	 out[SHA256_LEN], out160[HASH160_LEN];
	struct sha256	 h;

	check_case("SHA-256 twice, and RIPEMD-160 of SHA-256");
	hash256(out, "hello", 5);
	check_hex(out, sizeof(out), "9595c9df90075148eb06860365df3358"
	    "4b75bff782a510c6cd4883a419833d50");
	memset(out, 0, sizeof(out));
	sha256_begin(&h);
	sha256_add(&h, "he", 2);
	sha256_add(&h, "llo", 3);
	hash256_end(&h, out);
	check_hex(out, sizeof(out), "9595c9df90075148eb06860365df3358"
	    "4b75bff782a510c6cd4883a419833d50");
	hash160(out160, "hello", 5);
	check_hex(out160, sizeof(out160),
	    "b6a9c8c230722b7c748331a8b450f05566dc7d0f");
	/* In place: the input may be the output. */
	memcpy(out, "hello", 5);
	hash256(out, out, 5);
	CHECK_INT(out[0], 0x95);
}

static void
test_hmac(void)
{
	unsigned char	 out[SHA512_LEN], want[SHA512_LEN], key[131], data[64];
	struct hmac512	 h;
	size_t		 n;

	check_case("HMAC-SHA-512, RFC 4231");
	hmac_sha512(out, "Jefe", 4, "what do ya want for nothing?", 28);
	check_hex(out, sizeof(out), "164b7a7bfcf819e2e395fbe73b56e0a3"
	    "87bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6f"
	    "dcaeab1a34d4a6b4b636e070a38bce737");
	memset(key, 0x0b, 20);
	hmac_sha512(out, key, 20, "Hi There", 8);
	check_hex(out, sizeof(out), "87aa7cdea5ef619d4ff0b4241a1d6cb0"
	    "2379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e"
	    "4be9d914eeb61f1702e696c203a126854");
	/* A key longer than a block is hashed first. */
	memset(key, 0xaa, sizeof(key));
	n = (size_t)snprintf((char *)data, sizeof(data), "%s",
	    "Test Using Larger Than Block-Size Key - Hash Key First");
	hmac_sha512(out, key, sizeof(key), data, n);
	check_hex(out, sizeof(out), "80b24263c7c1a3ebb71493c1dd7be8b4"
	    "9b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e5"
	    "295e64f73f63f0aec8b915a985d786598");
	/* One key twice: it stays as it is. */
	hmac512_key(&h, "Jefe", 4);
	for (n = 0; n < 2; n++) {
		hmac512(out, &h, "what do ya want for nothing?", 28);
		check_hex(out, 8, "164b7a7bfcf819e2");
	}
	/* A key of one block is not hashed. */
	memset(key, 0x5a, 128);
	hmac_sha512(out, key, 128, "", 0);
	CHECK(HMAC(EVP_sha512(), key, 128, want, 0, want, NULL) == want);
	CHECK(memcmp(out, want, sizeof(want)) == 0);
}

static void
test_hmac_others(void)
{
	static const char *path = OTHERS "rfc/rfc4231-hmac.json";
	unsigned char	 out[SHA512_LEN], key[256], data[256];
	json_t		*cases = vectors_read(path), *c;
	size_t		 i, key_len, len;
	const char	*want;

	if (cases == NULL) {
		vectors_skip("RFC 4231's table", path);
		return;
	}
	check_case("RFC 4231's table");
	json_array_foreach(cases, i, c) {
		key_len = vectors_hex(key, sizeof(key), vectors_text(c, "key"));
		len = vectors_hex(data, sizeof(data),
		    vectors_text(c, "data"));
		want = vectors_text(c, "hmac_sha512");
		hmac_sha512(out, key, key_len, data, len);
		check_hex(out, strlen(want) / 2, want);
	}
}

static void
test_tagged(void)
{
	unsigned char	 key[32], out[SHA256_LEN];
	struct sha256	 h;

	check_case("BIP340's tagged hash");
	/* BIP341's first test vector: the tweak of an internal key. */
	(void)vectors_hex(key, sizeof(key), "d6889cb081036e0faefa3a35157ad710"
	    "86b123b2b144b649798b494c300a961d");
	tagged_begin(&h, "TapTweak");
	sha256_add(&h, key, sizeof(key));
	sha256_end(&h, out);
	check_hex(out, sizeof(out), "b86e7be8f39bab32a6f2c0443abbc210"
	    "f0edac0e2c53d501b36b64437d9c6c70");
}

static void
test_text(void)
{
	static const char shown[] = "000000000019d6689c085ae165831e93"
	    "4ff763ae46a2a6c172b3f1b60a8ce26f";
	unsigned char	 hash[SHA256_LEN], again[SHA256_LEN];
	char		 text[65], bad[65];
	size_t		 i;

	check_case("hashes as they are shown, back to front");
	CHECK(hash_of_text(hash, shown, 64));
	CHECK_INT(hash[0], 0x6f);
	CHECK_INT(hash[1], 0xe2);
	CHECK_INT(hash[31], 0);
	hash_text(text, hash);
	CHECK_STR(text, shown);
	CHECK(!hash_of_text(again, shown, 63));
	CHECK(!hash_of_text(again, shown, 65));
	CHECK(!hash_of_text(again, shown, 0));
	for (i = 0; i < 64; i++) {
		memcpy(bad, shown, sizeof(bad));
		bad[i] = 'g';
		CHECK(!hash_of_text(again, bad, 64));
		bad[i] = 'A';
		CHECK(!hash_of_text(again, bad, 64));
		bad[i] = '\0';
		CHECK(!hash_of_text(again, bad, 64));
	}
}

int
main(void)
{
	test_ripemd160();
	test_double();
	test_hmac();
	test_hmac_others();
	test_tagged();
	test_text();
	return check_done();
}
