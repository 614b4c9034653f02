#include "tests/check.h"

#include <openssl/evp.h>

#include "bitcoin/base58.h"
#include "bitcoin/bip32.h"
#include "bitcoin/curve.h"
#include "bitcoin/test/hostile.h"
#include "bitcoin/test/vectors.h"
#include "lib/test/random.h"

#define OTHERS "../shared/vectors/bip32/"

/* The text at the end of what is mapped. */
static bool
parses(const char *text, size_t len, struct bip32_key *k, struct err *e)
{
	memset(e, 0, sizeof(*e));
	return bip32_parse(k, (const char *)hostile_place(text, len), len,
	    e) == RC_OK;
}

static bool
zeroed(const struct bip32_key *k)
{
	static const struct bip32_key zero;

	return memcmp(k, &zero, sizeof(zero)) == 0;
}

/* Refused, with a reason that has nothing of the text in it. */
static void
check_refused(const char *text, size_t len)
{
	struct bip32_key k;
	struct err	 e;
	size_t		 i;
	char		 part[9] = { 0 };

	if (!CHECK(!parses(text, len, &k, &e)))
		printf("#   %.*s\n", (int)len, text);
	CHECK(zeroed(&k));
	CHECK(strlen(e.text) > 10);
	for (i = 0; i + 8 <= len; i++) {
		memcpy(part, text + i, 8);
		CHECK(strstr(e.text, part) == NULL);
	}
}

static void
check_text(const struct bip32_key *k, bool private, const char *want)
{
	struct bip32_key back;
	struct err	 e;
	char		 text[BIP32_TEXT_MAX];

	bip32_print(text, k, private);
	CHECK_STR(text, want);
	CHECK(parses(want, strlen(want), &back, &e));
	CHECK(back.has_secret == (private && k->has_secret));
	CHECK(memcmp(back.public, k->public, 33) == 0);
	CHECK(memcmp(back.chain, k->chain, 32) == 0);
	bip32_print(text, &back, true);
	CHECK_STR(text, want);
}

/* The seed's key at the path; false, and said so, when there is none. */
static bool
at_path(struct bip32_key *out, enum network net, json_t *c)
{
	struct bip32_key root;
	struct err	 e;
	unsigned char	 seed[64];
	uint32_t	 path[BIP32_PATH_MAX];
	size_t		 len, n;
	const char	*text = vectors_text(c, "path");

	len = vectors_hex(seed, sizeof(seed), vectors_text(c, "seed"));
	return CHECK(bip32_of_seed(&root, net, seed, len, &e) == RC_OK) &&
	    CHECK(bip32_path_parse(path, &n, text_of(text), &e) == RC_OK) &&
	    CHECK(bip32_derive(out, &root, path, n, &e) == RC_OK);
}

static void
check_fingerprint(const struct bip32_key *k, const char *hex)
{
	unsigned char	 want[4], got[4];

	CHECK_INT(vectors_hex(want, 4, hex), 4);
	bip32_fingerprint(got, k);
	CHECK(memcmp(got, want, 4) == 0);
}

static void
test_own(void)
{
	struct bip32_key k;
	json_t		*cases, *c;
	size_t		 i;

	check_case("seeds and paths of our own, on both networks");
	cases = vectors_read("tests/vectors/bip32-derive.json");
	CHECK_INT(json_array_size(cases), 60);
	json_array_foreach(cases, i, c) {
		if (at_path(&k, NETWORK_MAIN, c)) {
			check_text(&k, true, vectors_text(c, "xprv"));
			check_text(&k, false, vectors_text(c, "xpub"));
			check_fingerprint(&k, vectors_text(c, "fingerprint"));
		}
		if (at_path(&k, NETWORK_SIGNET, c)) {
			check_text(&k, true, vectors_text(c, "tprv"));
			bip32_forget_secret(&k);
			check_text(&k, true, vectors_text(c, "tpub"));
		}
	}
}

static void
test_bip(void)
{
	const char	*path = OTHERS "derive.json";
	struct bip32_key k;
	struct err	 e;
	unsigned char	 seed[64];
	json_t		*cases, *c;
	size_t		 i, len;

	if ((cases = vectors_read(path)) == NULL) {
		vectors_skip("BIP32's and others' vectors", path);
		return;
	}
	check_case("BIP32's vectors");
	CHECK_INT(json_array_size(cases), 12);
	json_array_foreach(cases, i, c) {
		if (!at_path(&k, NETWORK_MAIN, c))
			continue;
		check_text(&k, true, vectors_text(c, "xprv"));
		check_text(&k, false, vectors_text(c, "xpub"));
	}
	check_case("masters of seeds (python-mnemonic's)");
	cases = vectors_read(OTHERS "seed-to-master.json");
	CHECK_INT(json_array_size(cases), 16);
	json_array_foreach(cases, i, c) {
		len = vectors_hex(seed, 64, vectors_text(c, "seed"));
		CHECK(bip32_of_seed(&k, NETWORK_MAIN, seed, len, &e) ==
		    RC_OK);
		check_text(&k, true, vectors_text(c, "xprv"));
	}
}

static void
test_bitcoinjs(void)
{
	const char	*path = OTHERS "nodes-bitcoinjs.json";
	struct bip32_key k;
	struct err	 e;
	unsigned char	 want[33];
	uint32_t	 steps[BIP32_PATH_MAX];
	json_t		*cases, *c;
	size_t		 i, n, ours = 0, others = 0;
	const char	*text;

	if ((cases = vectors_read(path)) == NULL) {
		vectors_skip("bitcoinjs's nodes", path);
		return;
	}
	check_case("bitcoinjs's nodes; those of another coin refused");
	json_array_foreach(cases, i, c) {
		text = vectors_text(c, "master_xprv");
		if (strcmp(vectors_text(c, "network"), "bitcoin") != 0) {
			check_refused(text, strlen(text));
			others++;
			continue;
		}
		ours++;
		CHECK(parses(text, strlen(text), &k, &e));
		CHECK(bip32_path_parse(steps, &n,
		    text_of(vectors_text(c, "path")), &e) == RC_OK);
		CHECK(bip32_derive(&k, &k, steps, n, &e) == RC_OK);
		check_text(&k, true, vectors_text(c, "base58Priv"));
		check_text(&k, false, vectors_text(c, "base58"));
		check_fingerprint(&k, vectors_text(c, "fingerprint"));
		CHECK_INT(vectors_hex(want, 33, vectors_text(c, "pubKey")),
		    33);
		CHECK(memcmp(k.public, want, 33) == 0);
		CHECK_INT(vectors_hex(want, 32, vectors_text(c, "privKey")),
		    32);
		CHECK(memcmp(k.secret, want, 32) == 0);
	}
	CHECK_INT(ours, 10);
	CHECK_INT(others, 2);
}

/* Their seeds are words without a passphrase (BIP39). */
static void
test_hwi(void)
{
	const char	*path = OTHERS "nodes-hwi.json";
	static const char salt[] = "mnemonic";
	const char	*words, *last = "";
	struct bip32_key root, k;
	struct err	 e;
	unsigned char	 seed[64];
	uint32_t	 steps[BIP32_PATH_MAX];
	json_t		*cases, *c;
	size_t		 i, n;

	if ((cases = vectors_read(path)) == NULL) {
		vectors_skip("HWI's nodes", path);
		return;
	}
	check_case("HWI's nodes");
	CHECK_INT(json_array_size(cases), 160);
	json_array_foreach(cases, i, c) {
		words = vectors_text(c, "mnemonic");
		if (strcmp(words, last) != 0)
			CHECK(PKCS5_PBKDF2_HMAC(words, (int)strlen(words),
			    (const unsigned char *)salt, sizeof(salt) - 1,
			    2048, EVP_sha512(), 64, seed) == 1);
		last = words;
		CHECK(bip32_of_seed(&root, NETWORK_MAIN, seed, 64, &e) ==
		    RC_OK);
		CHECK(bip32_path_parse(steps, &n, text_of("44h/0h/0h"),
		    &e) == RC_OK);
		CHECK(bip32_derive(&k, &root, steps, n, &e) == RC_OK);
		check_text(&k, false, vectors_text(c, "master_xpub"));
		CHECK(bip32_path_parse(steps, &n,
		    text_of(vectors_text(c, "path")), &e) == RC_OK);
		CHECK(bip32_derive(&k, &root, steps, n, &e) == RC_OK);
		check_text(&k, false, vectors_text(c, "xpub"));
	}
}

static void
test_invalid(void)
{
	const char	*path = OTHERS "invalid-extended-keys.json";
	json_t		*cases, *c;
	const char	*text;
	size_t		 i;

	if ((cases = vectors_read(path)) == NULL) {
		vectors_skip("invalid keys of BIP32 and bitcoinjs", path);
		return;
	}
	check_case("invalid keys of BIP32 and bitcoinjs");
	CHECK_INT(json_array_size(cases), 11);
	json_array_foreach(cases, i, c) {
		text = vectors_text(c, "key");
		check_refused(text, strlen(text));
	}
	cases = vectors_read(OTHERS "invalid-base58-bitcoinjs.json");
	CHECK_INT(json_array_size(cases), 9);
	json_array_foreach(cases, i, c) {
		text = vectors_text(c, "string");
		check_refused(text, strlen(text));
	}
}

/* What each of those is refused for, made here. */
static void
test_reasons(void)
{
	static const struct {
		size_t		 at;
		unsigned char	 byte;
		const char	*want;
	} cases[] = {
		{ 3, 0x1f, "version" },
		{ 5, 1, "parent" },
		{ 12, 1, "child" },
		{ 45, 4, "curve" },
	};
	struct bip32_key k;
	struct err	 e;
	unsigned char	 b[BASE58_BYTES_MAX], bad[BASE58_BYTES_MAX];
	unsigned char	 seed[16] = { 0 };
	char		 text[BIP32_TEXT_MAX], spoilt[BASE58_TEXT_MAX + 2];
	size_t		 i, n;

	check_case("an error says what is wrong");
	CHECK(bip32_of_seed(&k, NETWORK_MAIN, seed, 16, &e) == RC_OK);
	bip32_print(text, &k, false);
	CHECK(base58_decode_check(b, &n, text, strlen(text), &e) == RC_OK);
	CHECK_INT(n, 78);
	for (i = 0; i < 4; i++) {
		memcpy(bad, b, n);
		bad[cases[i].at] = cases[i].byte;
		(void)base58_encode_check(spoilt, bad, n);
		CHECK(!parses(spoilt, strlen(spoilt), &k, &e));
		CHECK(strstr(e.text, cases[i].want) != NULL);
	}
	for (i = n - 1; i <= n + 1; i += 2) {
		memcpy(bad, b, n);
		bad[n] = 0;
		(void)base58_encode_check(spoilt, bad, i);
		CHECK(!parses(spoilt, strlen(spoilt), &k, &e));
		CHECK(strstr(e.text, "bytes, not 78") != NULL);
	}
	text[50] = text[50] == '2' ? '3' : '2';
	CHECK(!parses(text, strlen(text), &k, &e));
	CHECK(strstr(e.text, "checksum") != NULL);
	/* A private key that is none: 0, and the order of the group. */
	CHECK(bip32_of_seed(&k, NETWORK_MAIN, seed, 16, &e) == RC_OK);
	memset(k.secret, 0, 32);
	bip32_print(text, &k, true);
	CHECK(!parses(text, strlen(text), &k, &e));
	CHECK(strstr(e.text, "private key is 0") != NULL);
	memset(k.secret, 0xff, 32);
	bip32_print(text, &k, true);
	check_refused(text, strlen(text));
}

static void
test_cuts(void)
{
	struct bip32_key k;
	struct err	 e;
	json_t		*cases, *c;
	char		 text[BIP32_TEXT_MAX + 1];
	size_t		 i, len, n;
	int		 ch;

	check_case("every cut of a key and every character turned");
	cases = vectors_read("tests/vectors/bip32-derive.json");
	json_array_foreach(cases, i, c) {
		const char *good = vectors_text(c, i % 2 ? "xprv" : "tpub");

		len = strlen(good);
		for (n = 0; n < len; n++)
			check_refused(good, n);
		(void)snprintf(text, sizeof(text), "%s1", good);
		check_refused(text, len + 1);
		(void)snprintf(text, sizeof(text), "1%s", good);
		check_refused(text, len + 1);
		(void)snprintf(text, sizeof(text), "%s", good);
		if (i > 5)
			continue;
		for (n = 0; n < len; n++) {
			for (ch = 1; ch < 256; ch++) {
				text[n] = (char)ch;
				if (text[n] != good[n])
					CHECK(!parses(text, len, &k, &e));
			}
			text[n] = good[n];
		}
	}
}

/* The public side finds what the private side has. */
static void
test_both_sides(void)
{
	struct bip32_key root, pub, a, b;
	struct random	 r = { 5 };
	struct err	 e;
	unsigned char	 seed[64];
	uint32_t	 step;
	int		 i;

	check_case("public and private derivation agree");
	memset(seed, 7, sizeof(seed));
	CHECK(bip32_of_seed(&root, NETWORK_TEST, seed, 64, &e) == RC_OK);
	pub = root;
	bip32_forget_secret(&pub);
	CHECK(!pub.has_secret);
	for (i = 0; i < 32; i++)
		CHECK_INT(pub.secret[i], 0);
	for (i = 0; i < 200; i++) {
		step = (uint32_t)random_next(&r) & ~BIP32_HARD;
		CHECK(bip32_child(&a, &root, step, &e) == RC_OK);
		CHECK(bip32_child(&b, &pub, step, &e) == RC_OK);
		bip32_forget_secret(&a);
		CHECK(memcmp(&a, &b, sizeof(a)) == 0);
	}

	check_case("hardened children need the secret, and are left alone");
	a = root;
	CHECK(bip32_child(&a, &pub, BIP32_HARD | 5, &e) != RC_OK);
	CHECK_STR(e.text, "child 5h is hardened: only the private key has "
	    "it");
	CHECK(memcmp(&a, &root, sizeof(a)) == 0);
	CHECK(bip32_derive(&a, &pub, (uint32_t[]){ 1, BIP32_HARD }, 2, &e) !=
	    RC_OK);
	CHECK(memcmp(&a, &root, sizeof(a)) == 0);

	check_case("no children below depth 255");
	for (a = root, i = 0; i < 255; i++)
		CHECK(bip32_child(&a, &a, 0, &e) == RC_OK);
	CHECK_INT(a.depth, 255);
	CHECK(bip32_child(&a, &a, 0, &e) != RC_OK);
	CHECK(strstr(e.text, "depth 255") != NULL);
}

static void
test_seeds(void)
{
	struct bip32_key k;
	struct err	 e;
	unsigned char	 seed[65] = { 0 };
	size_t		 n;

	check_case("seeds have 16 to 64 bytes");
	for (n = 0; n <= 65; n++)
		CHECK((bip32_of_seed(&k, NETWORK_MAIN,
		    hostile_place(seed, n), n, &e) == RC_OK) ==
		    (n >= 16 && n <= 64));
	CHECK(zeroed(&k));
}

static void
test_paths(void)
{
	static const struct {
		const char	*text;
		const char	*want;	/* NULL: refused */
	} cases[] = {
		{ "", "" }, { "m", "" }, { "0", "0" }, { "m/0", "0" },
		{ "m/84h/0'/0H/0/5", "84h/0h/0h/0/5" },
		{ "2147483647h/2147483647", "2147483647h/2147483647" },
		{ "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16",
		    "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16" },
		{ "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17", NULL },
		{ "2147483648", NULL }, { "4294967296", NULL },
		{ "99999999999999999999999", NULL }, { "m/", NULL },
		{ "/", NULL }, { "/0", NULL }, { "0/", NULL }, { "0//1", NULL },
		{ "00", NULL }, { "01", NULL }, { "-1", NULL }, { "+1", NULL },
		{ " 1", NULL }, { "1 ", NULL }, { "0hh", NULL },
		{ "0h'", NULL }, { "h", NULL }, { "M/0", NULL },
		{ "mm/0", NULL }, { "m0", NULL }, { "0x1", NULL },
		{ "*", NULL }, { "0/*", NULL }, { "1a", NULL },
	};
	uint32_t	 path[BIP32_PATH_MAX];
	char		 got[BIP32_PATH_TEXT_MAX];
	struct text	 t;
	struct err	 e;
	size_t		 i, n, len;
	bool		 good;

	check_case("paths: what is taken, how it is written");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		len = strlen(cases[i].text);
		t.p = (const char *)hostile_place(cases[i].text, len);
		t.len = len;
		good = bip32_path_parse(path, &n, t, &e) == RC_OK;
		if (!CHECK(good == (cases[i].want != NULL)))
			printf("#   %s\n", cases[i].text);
		if (!good || cases[i].want == NULL) {
			CHECK_INT(n, 0);
			continue;
		}
		bip32_path_print(got, path, n);
		CHECK_STR(got, cases[i].want);
	}
	/* The longest there is has room. */
	for (n = 0; n < BIP32_PATH_MAX; n++)
		path[n] = UINT32_MAX;
	bip32_path_print(got, path, BIP32_PATH_MAX);
	CHECK_INT(strlen(got), BIP32_PATH_MAX * 12 - 1);
	CHECK(bip32_path_parse(path, &n, text_of(got), &e) == RC_OK);
	CHECK_INT(n, BIP32_PATH_MAX);
	/* A NUL in it is a character like others, and none of a path's. */
	t.p = "0\0h";
	t.len = 2;
	CHECK(bip32_path_parse(path, &n, t, &e) != RC_OK);
}

int
main(void)
{
	struct err	 e;

	if (curve_begin(&e) != RC_OK)
		return 2;
	test_own();
	test_bip();
	test_bitcoinjs();
	test_hwi();
	test_invalid();
	test_reasons();
	test_cuts();
	test_both_sides();
	test_seeds();
	test_paths();
	return check_done();
}
