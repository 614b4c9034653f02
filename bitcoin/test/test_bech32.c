#include "tests/check.h"

#include "bitcoin/bech32.h"
#include "bitcoin/test/vectors.h"
#include "lib/test/random.h"

#define OTHERS "../shared/vectors/bech32/"

/* Values of every length there and back, in both spellings. */
static void
test_round_trip(void)
{
	struct bech32	 b;
	struct err	 e;
	uint8_t		 values[BECH32_TEXT_MAX];
	char		 text[BECH32_TEXT_MAX + 1];
	size_t		 len, i, n;
	int		 spec;

	check_case("bech32 of every length there and back");
	for (len = 0; len <= 81; len++) {
		for (spec = BECH32; spec <= BECH32M; spec++) {
			for (i = 0; i < len; i++)
				values[i] = (i * 7 + len) % 32;
			n = bech32_encode(text, (enum bech32_spec)spec, "bc",
			    2, values, len);
			CHECK_INT(n, 2 + 1 + len + 6);
			CHECK(bech32_decode(&b, text, n, &e) == RC_OK);
			CHECK_INT(b.spec, spec);
			CHECK(b.len == len &&
			    memcmp(b.values, values, len) == 0);
			for (i = 0; i < n; i++)
				if (text[i] >= 'a' && text[i] <= 'z')
					text[i] -= 0x20;
			CHECK(bech32_decode(&b, text, n, &e) == RC_OK);
			CHECK(b.hrp_len == 2 && memcmp(b.hrp, "bc", 2) == 0);
		}
	}
	CHECK_INT(bech32_encode(text, BECH32, "bc", 2, values, 82), 0);
}

/*
 * The code's promise: any error in up to four characters is found.  Drawn,
 * not enumerated; a wrong polynomial fails it within a few hundred.
 */
static void
test_four_errors(void)
{
	static const char	 alphabet[] =
	    "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
	struct random		 r = { 7 };
	struct bech32		 b;
	uint8_t			 values[81];
	char			 text[BECH32_TEXT_MAX + 1], bad[sizeof(text)];
	size_t			 n, i, len, at;
	int			 round, errors;

	check_case("any four wrong characters are found");
	for (round = 0; round < 200000; round++) {
		len = random_next(&r) % 82;
		for (i = 0; i < len; i++)
			values[i] = random_next(&r) % 32;
		n = bech32_encode(text, random_next(&r) % 2 == 0 ? BECH32 :
		    BECH32M, "bc", 2, values, len);
		memcpy(bad, text, n + 1);
		for (errors = 1 + round % 4; errors > 0; errors--) {
			at = 3 + random_next(&r) % (n - 3);
			bad[at] = alphabet[random_next(&r) % 32];
		}
		if (strcmp(bad, text) != 0)
			CHECK(bech32_decode(&b, bad, n, NULL) != RC_OK);
	}
}

/* BIP173: padding of five bits or more, or not zero, is an error. */
static void
test_padding(void)
{
	static const uint8_t	 zero_full[] = { 0, 0, 0 };
	static const uint8_t	 one_left[] = { 0, 1 };
	unsigned char		 bytes[8];
	uint8_t			 values[16];
	size_t			 n;

	check_case("padding");
	CHECK(bech32_to_bytes(bytes, &n, zero_full, 2, NULL) == RC_OK);
	CHECK_INT(n, 1);
	CHECK(bech32_to_bytes(bytes, &n, zero_full, 1, NULL) != RC_OK);
	CHECK(bech32_to_bytes(bytes, &n, zero_full, 3, NULL) != RC_OK);
	CHECK(bech32_to_bytes(bytes, &n, one_left, 2, NULL) != RC_OK);
	n = bech32_from_bytes(values, (const unsigned char *)"\xff", 1);
	CHECK_INT(n, 2);
	CHECK_INT(values[0], 31);
	CHECK_INT(values[1], 28);
}

static void
test_bips(void)
{
	static const struct {
		const char	*file;
		bool		 good;
		enum bech32_spec spec;
	} files[] = {
		{ OTHERS "bip173-bech32-valid.json", true, BECH32 },
		{ OTHERS "bip350-bech32m-valid.json", true, BECH32M },
		{ OTHERS "bip173-bech32-invalid.json", false, BECH32 },
		{ OTHERS "bip350-bech32m-invalid.json", false, BECH32M },
	};
	struct bech32	 b;
	struct err	 e;
	unsigned char	 raw[256];
	json_t		*cases, *c;
	size_t		 f, i, len;
	bool		 good;

	if (vectors_read(files[0].file) == NULL) {
		vectors_skip("BIP173's and BIP350's strings", files[0].file);
		return;
	}
	check_case("BIP173's and BIP350's strings");
	for (f = 0; f < sizeof(files) / sizeof(files[0]); f++) {
		cases = vectors_read(files[f].file);
		CHECK(json_array_size(cases) > 0);
		json_array_foreach(cases, i, c) {
			len = vectors_hex(raw, sizeof(raw),
			    vectors_text(c, "string_hex"));
			good = bech32_decode(&b, (const char *)raw, len,
			    &e) == RC_OK && b.spec == files[f].spec;
			if (!CHECK(good == files[f].good))
				printf("#   %s\n", vectors_text(c, "string"));
		}
	}
}

int
main(void)
{
	test_round_trip();
	test_four_errors();
	test_padding();
	test_bips();
	return check_done();
}
