#include "tests/check.h"

#include "bitcoin/curve.h"
#include "bitcoin/test/hostile.h"
#include "bitcoin/test/vectors.h"
#include "lib/sha256.h"
#include "lib/test/random.h"

#define OTHERS "../shared/vectors/"

/* The order of the group: the first number that is no secret. */
#define ORDER "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"

/* At the end of what is mapped. */
static struct text
at_page_end(const unsigned char *bytes, size_t len)
{
	struct text	 t = { (const char *)hostile_place(bytes, len), len };

	return t;
}

static size_t
field(unsigned char *out, size_t room, json_t *c, const char *key)
{
	return vectors_hex(out, room, vectors_text(c, key));
}

static void
draw(struct random *r, unsigned char out[32])
{
	uint64_t	 n;
	size_t		 i;

	for (i = 0; i < 32; i += sizeof(n)) {
		n = random_next(r);
		memcpy(out + i, &n, sizeof(n));
	}
}

static void
test_secrets(void)
{
	struct curve_point	 p;
	unsigned char		 n[32], zero[32] = { 0 }, one[32] = { 0 };
	unsigned char		 s[32], got[33], want[33];

	check_case("what is a secret and what is not");
	one[31] = 1;
	(void)vectors_hex(n, 32, ORDER);
	CHECK(!curve_secret_ok(zero));
	CHECK(!curve_secret_ok(n));
	CHECK(!curve_point_of_secret(&p, zero));
	CHECK(!curve_point_of_secret(&p, n));
	CHECK(curve_secret_ok(one));
	n[31]--;
	CHECK(curve_secret_ok(n));

	check_case("sums that are no key are refused");
	memcpy(s, n, 32);
	CHECK(!curve_secret_add(s, one));	/* -1 + 1 */
	CHECK(curve_point_of_secret(&p, n));
	CHECK(!curve_point_add(&p, one));
	n[31]++;
	memcpy(s, one, 32);
	CHECK(!curve_secret_add(s, n));		/* A tweak of the order. */
	CHECK(curve_point_of_secret(&p, one));
	CHECK(!curve_point_add(&p, n));
	memcpy(s, one, 32);
	CHECK(curve_secret_add(s, zero) && memcmp(s, one, 32) == 0);

	check_case("the generator, and sums on both sides");
	CHECK(curve_point_of_secret(&p, one));
	curve_point_write(got, &p);
	(void)vectors_hex(want, 33, "0279be667ef9dcbbac55a06295ce870b07029bf"
	    "cdb2dce28d959f2815b16f81798");
	CHECK(memcmp(got, want, 33) == 0);
	curve_point_xonly(got, &p);
	CHECK(memcmp(got, want + 1, 32) == 0);
	memcpy(s, one, 32);
	CHECK(curve_secret_add(s, want + 1) && curve_point_add(&p, want + 1));
	curve_point_write(got, &p);
	CHECK(curve_point_of_secret(&p, s));
	curve_point_write(want, &p);
	CHECK(memcmp(got, want, 33) == 0);
}

static void
test_points(void)
{
	static const char	 full[] = "0479be667ef9dcbbac55a06295ce870b"
	    "07029bfcdb2dce28d959f2815b16f81798483ada7726a3c4655da4fbfc0e1108"
	    "a8fd17b448a68554199c47d08ffb10d4b8";
	struct curve_point	 p;
	unsigned char		 b[65], got[33];
	struct text		 t;
	size_t			 len;

	check_case("points: the forms taken, every length and first byte");
	CHECK_INT(vectors_hex(b, sizeof(b), full), 65);
	for (len = 0; len <= 65; len++) {
		t = at_page_end(b, len);
		CHECK(curve_point_parse(&p, (const unsigned char *)t.p,
		    len) == (len == 65));
	}
	CHECK(curve_point_parse(&p, b, 65));
	curve_point_write(got, &p);
	CHECK(got[0] == 2 && memcmp(got + 1, b + 1, 32) == 0);
	for (b[0] = 0; b[0] < 255; b[0]++) {
		t = at_page_end(b, 65);
		CHECK(curve_point_parse(&p, (const unsigned char *)t.p, 65) ==
		    (b[0] == 4));
		for (len = 32; len <= 34; len++) {
			t = at_page_end(b, len);
			CHECK(curve_point_parse(&p,
			    (const unsigned char *)t.p, len) ==
			    (len == 33 && (b[0] == 2 || b[0] == 3)));
		}
	}
	/* Off the curve: 5 has no square root there; y of another x. */
	memset(b, 0, sizeof(b));
	b[0] = 2;
	b[32] = 5;
	CHECK(!curve_point_parse(&p, b, 33));
	CHECK_INT(vectors_hex(b, sizeof(b), full), 65);
	b[64] ^= 1;
	CHECK(!curve_point_parse(&p, b, 65));
	memset(b + 1, 0xff, 32);	/* x above the field */
	b[0] = 2;
	CHECK(!curve_point_parse(&p, b, 33));
}

/* Every cut, one byte more, each bit turned: none of them verifies. */
static void
spoil(const unsigned char *der, size_t len, const unsigned char hash[32],
    const struct curve_point *p)
{
	unsigned char	 b[CURVE_DER_MAX + 1];
	size_t		 i;

	for (i = 0; i < len; i++)
		CHECK(!curve_ecdsa_verify(at_page_end(der, i), hash, p));
	memcpy(b, der, len);
	b[len] = 0;
	CHECK(!curve_ecdsa_verify(at_page_end(b, len + 1), hash, p));
	for (i = 0; i < 8 * len; i++) {
		b[i / 8] ^= (unsigned char)(1 << i % 8);
		CHECK(!curve_ecdsa_verify(at_page_end(b, len), hash, p));
		b[i / 8] ^= (unsigned char)(1 << i % 8);
	}
}

static void
test_low_r(void)
{
	struct curve_point	 p;
	unsigned char		 secret[32], hash[32], want[73], got[73];
	unsigned char		 key[33];
	json_t			*cases, *c;
	size_t			 i, len, n;

	check_case("ECDSA: RFC 6979, low R by a counter, byte for byte");
	cases = vectors_read("tests/vectors/ecdsa-low-r.json");
	CHECK_INT(json_array_size(cases), 48);
	json_array_foreach(cases, i, c) {
		CHECK_INT(field(secret, 32, c, "secret_key"), 32);
		CHECK_INT(field(hash, 32, c, "message"), 32);
		n = field(want, sizeof(want), c, "signature");
		len = curve_ecdsa_sign(got, hash, secret);
		CHECK(len == n && memcmp(got, want, n) == 0);
		CHECK_INT(field(key, 33, c, "public_key"), 33);
		CHECK(curve_point_parse(&p, key, 33));
		CHECK(curve_ecdsa_verify(at_page_end(got, len), hash, &p));
		if (i < 8)
			spoil(got, len, hash, &p);
		hash[0] ^= 1;
		CHECK(!curve_ecdsa_verify(at_page_end(got, len), hash, &p));
	}
}

/* What Bitcoin Core's src/test/key_tests.cpp has its keys sign. */
static void
test_core(void)
{
	static const struct {
		const char	*secret, *sig;
	} cases[] = {
		{ "12b004fff7f4b69ef8650e767f18f11ede158148b425660723b9f9a66"
		    "e61f747",
		    "304402205dbbddda71772d95ce91cd2d14b592cfbc1dd0aabd6a394b"
		    "6c2d377bbe59d31d022014ddda21494a4e221f0824f0b8b924c43fa4"
		    "3c0ad57dccdaa11f81a6bd4582f6" },
		{ "b524c28b61c9b2c49b2c7dd4c2d75887abb78768c054bd7c01af4029f"
		    "6c0d117",
		    "3044022052d8a32079c11e79db95af63bb9600c5b04f21a9ca33dc12"
		    "9c2bfa8ac9dc1cd5022061d8ae5e0f6c1a16bde3719c64c2fd70e404"
		    "b6428ab9a69566962e8771b5944d" },
	};
	static const char	 text[] = "Very deterministic message";
	unsigned char		 secret[32], hash[32], want[73], got[73];
	size_t			 i, len, n;

	check_case("ECDSA: the signatures of Bitcoin Core's tests");
	sha256(hash, text, sizeof(text) - 1);
	sha256(hash, hash, sizeof(hash));
	for (i = 0; i < 2; i++) {
		(void)vectors_hex(secret, 32, cases[i].secret);
		n = vectors_hex(want, sizeof(want), cases[i].sig);
		len = curve_ecdsa_sign(got, hash, secret);
		CHECK(len == n && memcmp(got, want, n) == 0);
	}
}

static void
test_many(void)
{
	struct random		 r = { 11 };
	struct curve_point	 p;
	unsigned char		 secret[32], hash[32], der[73], again[73];
	size_t			 len, shorter = 0;
	int			 i;

	check_case("ECDSA: 70 bytes at most, and the same ones each time");
	for (i = 0; i < 500; i++) {
		draw(&r, secret);
		draw(&r, hash);
		CHECK(curve_point_of_secret(&p, secret));
		len = curve_ecdsa_sign(der, hash, secret);
		CHECK(len <= 70);
		shorter += len < 70;
		CHECK_INT(curve_ecdsa_sign(again, hash, secret), len);
		CHECK(memcmp(der, again, len) == 0);
		CHECK(curve_ecdsa_verify(at_page_end(der, len), hash, &p));
	}
	CHECK(shorter > 0);
}

/* What BIP66 leaves out, each thing alone. */
static void
test_strict(void)
{
	static const struct {
		const char	*hex;
		bool		 good;
	} cases[] = {
		{ "3006020101020101", true },
		{ "3006020100020100", true },	/* 0 is strict, but no r */
		{ "30080202008002020080", true },
		{ "300702020001020101", false },	/* a zero too many */
		{ "300702010102020001", false },
		{ "3006020181020101", false },		/* r is negative */
		{ "3006020101020181", false },
		{ "30050200020101", false },		/* r is empty */
		{ "3006020002020101", false },
		{ "3006020102020200", false },		/* s is empty */
		{ "3106020101020101", false },	/* not a sequence */
		{ "3006030101020101", false },	/* not an integer */
		{ "3006020101030101", false },
		{ "3007020101020101", false },	/* lengths */
		{ "3005020101020101", false },
		{ "30810602010102010100", false },
		{ "3081060201010201", false },
		{ "300602010102010100", false },	/* one byte more */
		{ "300702010102010100", false },
		{ "3080020101020101", false },
		{ "3006020101020200", false },	/* s goes on after the end */
		{ "3006020101020201", false },
		{ "3006020401020101", false },	/* r does */
		{ "300602ff01020101", false },
		{ "3006020101020100", true },
		{ "30060201010201", false },
	};
	unsigned char	 b[CURVE_DER_MAX + 2] = { 0x30, 0, 0x02 };
	size_t		 i, n;

	check_case("ECDSA: strict DER or nothing");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		n = vectors_hex(b, sizeof(b), cases[i].hex);
		if (!CHECK(curve_der_strict(at_page_end(b, n)) ==
		    cases[i].good))
			printf("#   %s\n", cases[i].hex);
	}
	/* Integers of 33 bytes and of 34. */
	for (n = 33; n <= 34; n++) {
		memset(b, 0, sizeof(b));
		b[0] = 0x30;
		b[1] = (unsigned char)(2 + n + 3);
		b[2] = b[4 + n] = 0x02;
		b[3] = (unsigned char)n;
		b[5] = 0x80;
		b[5 + n] = b[6 + n] = 1;
		CHECK(curve_der_strict(at_page_end(b, 7 + n)) == (n == 33));
		b[4] = 1;
		CHECK(curve_der_strict(at_page_end(b, 7 + n)) == (n == 33));
	}
}

/* The other s, order - s, is as good to the curve and not to Bitcoin. */
static void
test_low_s(void)
{
	struct curve_point	 p;
	unsigned char		 secret[32] = { 1 }, hash[32], order[32];
	unsigned char		 der[CURVE_DER_MAX + 1], high[73] = { 0 };
	size_t			 len, r_len, i;
	int			 left, borrow;

	check_case("ECDSA: low S or nothing");
	CHECK_INT(vectors_hex(order, 32, ORDER), 32);
	CHECK(curve_point_of_secret(&p, secret));
	for (hash[31] = 0; hash[31] < 64; hash[31]++) {
		memset(hash, 0x5a, 31);
		len = curve_ecdsa_sign(der, hash, secret);
		r_len = der[3];
		if (der[5 + r_len] != 32)
			continue;
		memcpy(high, der, 6 + r_len);
		high[1]++;
		high[5 + r_len] = 33;
		high[6 + r_len] = 0;
		for (borrow = 0, i = 32; i > 0; i--) {
			left = order[i - 1] - der[5 + r_len + i] - borrow;
			borrow = left < 0;
			high[6 + r_len + i] = (unsigned char)left;
		}
		CHECK_INT(len, 38 + r_len);
		CHECK((high[7 + r_len] & 0x80) != 0);
		CHECK(curve_der_strict(at_page_end(high, len + 1)));
		CHECK(!curve_ecdsa_verify(at_page_end(high, len + 1), hash,
		    &p));
		CHECK(curve_ecdsa_verify(at_page_end(der, len), hash, &p));
	}
}

static void
test_wycheproof(void)
{
	const char	*path =
	    OTHERS "wycheproof/ecdsa_secp256k1_sha256_bitcoin_test.json";
	struct curve_point p;
	unsigned char	 key[65], msg[4096], hash[32], sig[2048];
	json_error_t	 je;
	json_t		*doc, *groups, *tests, *g, *c;
	size_t		 i, k, n, good = 0, bad = 0;
	bool		 want;

	if ((doc = json_load_file(path, JSON_ALLOW_NUL, &je)) == NULL) {
		vectors_skip("ECDSA: Wycheproof's for Bitcoin", path);
		return;
	}
	check_case("ECDSA: Wycheproof's for Bitcoin");
	groups = json_object_get(doc, "testGroups");
	json_array_foreach(groups, i, g) {
		CHECK_INT(field(key, 65, json_object_get(g, "publicKey"),
		    "uncompressed"), 65);
		CHECK(curve_point_parse(&p, key, 65));
		tests = json_object_get(g, "tests");
		json_array_foreach(tests, k, c) {
			n = field(msg, sizeof(msg), c, "msg");
			sha256(hash, msg, n);
			n = field(sig, sizeof(sig), c, "sig");
			want = strcmp(vectors_text(c, "result"), "valid") == 0;
			good += want;
			bad += !want;
			if (!CHECK(curve_ecdsa_verify(at_page_end(sig, n),
			    hash, &p) == want))
				printf("#   %s\n", vectors_text(c, "comment"));
		}
	}
	CHECK_INT(good, 112);
	CHECK_INT(bad, 197);
	json_decref(doc);
}

static void
schnorr_case(json_t *c)
{
	struct curve_point p;
	unsigned char	 secret[32], aux[32], msg[256], key[32], sig[64];
	unsigned char	 got[64], own[32];
	struct text	 t;
	size_t		 n;
	bool		 want = json_is_true(json_object_get(c, "valid"));

	n = field(msg, sizeof(msg), c, "message");
	CHECK_INT(field(key, 32, c, "public_key"), 32);
	CHECK_INT(field(sig, 64, c, "signature"), 64);
	t = at_page_end(msg, n);
	if (!CHECK(curve_schnorr_verify(sig, t.p, n, key) == want))
		printf("#   %s\n", vectors_text(c, "comment"));
	if (field(secret, 32, c, "secret_key") == 0)
		return;
	CHECK_INT(field(aux, 32, c, "aux_rand"), 32);
	curve_schnorr_sign_aux(got, t.p, n, secret, aux);
	CHECK(memcmp(got, sig, 64) == 0);
	CHECK(curve_point_of_secret(&p, secret));
	curve_point_xonly(own, &p);
	CHECK(memcmp(own, key, 32) == 0);
	if (n != 32)
		return;
	/* Ours are those with auxiliary data of zeros. */
	memset(aux, 0, sizeof(aux));
	curve_schnorr_sign_aux(got, msg, 32, secret, aux);
	curve_schnorr_sign(sig, msg, secret);
	CHECK(memcmp(got, sig, 64) == 0);
	CHECK(curve_schnorr_verify(sig, msg, 32, key));
	sig[40] ^= 1;
	CHECK(!curve_schnorr_verify(sig, msg, 32, key));
	CHECK(curve_schnorr_sign_as(sig, msg, secret, key));
	CHECK(memcmp(got, sig, 64) == 0);
	/* Another key's, and no key at all. */
	key[31] ^= 1;
	CHECK(!curve_schnorr_sign_as(sig, msg, secret, key));
	key[31] ^= 1;
	memset(aux, 0xff, sizeof(aux));
	CHECK(!curve_schnorr_sign_as(sig, msg, aux, key));
}

static void
test_schnorr(void)
{
	const char	*path = OTHERS "bip340/schnorr.json";
	json_t		*cases, *c;
	size_t		 i;

	check_case("BIP340: our own vectors");
	cases = vectors_read("tests/vectors/bip340-schnorr.json");
	CHECK_INT(json_array_size(cases), 80);
	json_array_foreach(cases, i, c)
		schnorr_case(c);
	if ((cases = vectors_read(path)) == NULL) {
		vectors_skip("BIP340: its vectors", path);
		return;
	}
	check_case("BIP340: its vectors");
	CHECK_INT(json_array_size(cases), 13);
	json_array_foreach(cases, i, c)
		schnorr_case(c);
}

static void
test_tap_both(void)
{
	struct random		 r = { 13 };
	struct curve_point	 p;
	unsigned char		 secret[32], root[32], inner[32], outer[32];
	unsigned char		 tweaked[32], own[32], n[32];
	int			 i;

	check_case("BIP341: the secret of the output key, both ways");
	for (i = 0; i < 200; i++) {
		draw(&r, secret);
		draw(&r, root);
		CHECK(curve_point_of_secret(&p, secret));
		curve_point_xonly(inner, &p);
		CHECK(curve_tap_output(outer, inner, i % 2 ? root : NULL));
		CHECK(curve_tap_output_of(own, &p, i % 2 ? root : NULL));
		CHECK(memcmp(own, outer, 32) == 0);
		CHECK(curve_tap_secret(tweaked, secret, i % 2 ? root : NULL));
		CHECK(curve_tap_secret_of(own, secret, &p,
		    i % 2 ? root : NULL));
		CHECK(memcmp(own, tweaked, 32) == 0);
		CHECK(curve_point_of_secret(&p, tweaked));
		curve_point_xonly(own, &p);
		CHECK(memcmp(own, outer, 32) == 0);
	}
	(void)vectors_hex(n, 32, ORDER);
	CHECK(!curve_tap_secret(tweaked, n, NULL));
	memset(n, 0xff, 32);
	CHECK(!curve_tap_output(outer, n, NULL));
}

static void
test_tap_own(void)
{
	unsigned char	 in[32], root[32], want[32], got[32];
	json_t		*cases, *c;
	size_t		 i;

	check_case("BIP341: secrets of our own vectors");
	cases = vectors_read("tests/vectors/bip341-keypath.json");
	CHECK_INT(json_array_size(cases), 60);
	json_array_foreach(cases, i, c) {
		CHECK_INT(field(in, 32, c, "internal_privkey"), 32);
		CHECK_INT(field(want, 32, c, "tweaked_privkey"), 32);
		CHECK(curve_tap_secret(got, in, field(root, 32, c,
		    "merkle_root") == 32 ? root : NULL));
		CHECK(memcmp(got, want, 32) == 0);
		/* In place as well. */
		CHECK(curve_tap_secret(in, in, field(root, 32, c,
		    "merkle_root") == 32 ? root : NULL));
		CHECK(memcmp(in, want, 32) == 0);
	}
}

static void
test_tap_bip(void)
{
	const char	*pubs = OTHERS "bip341/script-pubkey.json";
	const char	*keys = OTHERS "bip341/keypath-inputs.json";
	unsigned char	 in[32], root[32], want[32], got[32];
	json_t		*cases, *c, *given, *mid;
	size_t		 i;

	if ((cases = vectors_read(pubs)) == NULL) {
		vectors_skip("BIP341: its vectors", pubs);
		return;
	}
	check_case("BIP341: its vectors");
	CHECK(json_array_size(cases) > 0);
	json_array_foreach(cases, i, c) {
		given = json_object_get(c, "given");
		mid = json_object_get(c, "intermediary");
		CHECK_INT(field(in, 32, given, "internalPubkey"), 32);
		CHECK_INT(field(want, 32, mid, "tweakedPubkey"), 32);
		CHECK(curve_tap_output(got, in, field(root, 32, mid,
		    "merkleRoot") == 32 ? root : NULL));
		CHECK(memcmp(got, want, 32) == 0);
	}
	cases = vectors_read(keys);
	CHECK(json_array_size(cases) > 0);
	json_array_foreach(cases, i, c) {
		given = json_object_get(c, "given");
		mid = json_object_get(c, "intermediary");
		CHECK_INT(field(in, 32, given, "internalPrivkey"), 32);
		CHECK_INT(field(want, 32, mid, "tweakedPrivkey"), 32);
		CHECK(curve_tap_secret(got, in, field(root, 32, given,
		    "merkleRoot") == 32 ? root : NULL));
		CHECK(memcmp(got, want, 32) == 0);
	}
}

int
main(void)
{
	struct err	 e;

	check_case("the context, once and again");
	CHECK(curve_begin(&e) == RC_OK);
	CHECK(curve_begin(&e) == RC_OK);
	test_secrets();
	test_points();
	test_low_r();
	test_core();
	test_many();
	test_strict();
	test_low_s();
	test_wycheproof();
	test_schnorr();
	test_tap_both();
	test_tap_own();
	test_tap_bip();
	return check_done();
}
