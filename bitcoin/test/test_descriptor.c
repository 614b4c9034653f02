#include "tests/check.h"

#define HOSTILE_ALLOC
#include "bitcoin/curve.h"
#include "bitcoin/descriptor.h"
#include "bitcoin/test/descriptors.h"
#include "bitcoin/test/vectors.h"

/* BIP32's first two vectors and two of its children. */
#define XPUB_A "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ" \
    "29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8"
#define XPRV_A "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiCh" \
    "kVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi"
#define XPUB_B "xpub69H7F5d8KSRgmmdJg2KhpAK8SR3DjMwAdkxj3ZuxV27CprR9LgpeyGmXU" \
    "bC6wb7ERfvrnKZjXoUmmDznezpbZb7ap6r1D3tgFxHmwMkQTPH"
#define TPUB "tpubD6NzVbkrYhZ4WaWSyoBvQwbpLkojyoTZPRsgXELWz3Popb3qkjcJyJUGLnL" \
    "4qHHoQvao8ESaAstxYSnhyswJ76uZPStJRJCTKvosUCJZL5B"
#define KEY "02e493dbf1c10d80f3581e4904930b1404cc6c13900ee0758474fa94abe8c4cd13"
#define KEY_2 \
    "02f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9"
#define LONG_KEY "04a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c" \
    "540c5bd5b8dec5235a0fa8722476c7709c02559e3aa73aa03918ba2d492eea75abea23" \
    "5"

static const struct {
	const char	*text, *want;
} refused[] = {
	{ "", "none of" },
	{ "wpkh", "none of" },
	{ KEY, "none of" },
	{ "wpkh()", "neither an extended key" },
	{ "wpkh(" KEY, "after its key there is no )" },
	{ "wpkh(" KEY "))", "goes on" },
	{ "wpkh(" KEY ") ", "goes on" },
	{ " wpkh(" KEY ")", "none of" },
	{ "wpkh( " KEY ")", "neither" },
	{ "WPKH(" KEY ")", "none of" },
	{ "wpkh(" KEY "," KEY_2 ")", "after its key" },
	{ "wpkh(" KEY "/0)", "only an extended key" },
	{ "wpkh(" KEY "/*)", "only an extended key" },
	{ "wpkh(" LONG_KEY ")", "uncompressed" },
	{ "sh(wpkh(" LONG_KEY "))", "uncompressed" },
	{ "tr(" LONG_KEY ")", "uncompressed" },
	{ "wsh(sortedmulti(1," LONG_KEY "))", "uncompressed" },
	{ "wpkh(02" "00000000000000000000000000000000"
	    "00000000000000000000000000000005)", "not on the curve" },
	{ "tr(" "00000000000000000000000000000000"
	    "00000000000000000000000000000005)", "not on the curve" },
	{ "wpkh(" "a34b99f22c790c4e36b2b3c2c35a36db"
	    "06226e41c692fc82b8b56ac1c540c5bd)", "only for tr()" },
	{ "wpkh(" WIF ")", "(WIF) is not supported" },
	{ "wpkh(musig(" KEY "," KEY_2 "))", "musig() is not supported" },
	{ "tr(musig(" KEY "," KEY_2 "))", "musig() is not supported" },
	{ "tr(" KEY ",pk(" KEY_2 "))", "tr() with scripts" },
	{ "rawtr(" KEY ")", "rawtr() is not supported" },
	{ "sh(wsh(sortedmulti(1," KEY ")))", "sh(wsh()) is not supported" },
	{ "wsh(multi(1," KEY "))", "wsh(multi()) is not supported" },
	{ "wsh(and_v(v:pk(" KEY "),older(9)))", "wsh(and_v()) is not" },
	{ "wsh(c:pk_k(" KEY "))", "wsh() is not supported of what" },
	{ "wpkh([deadbeef/0h" KEY ")", "origin does not end" },
	{ "wpkh([deadbee]" KEY ")", "8 digits" },
	{ "wpkh([deadbeef/]" KEY ")", "step 1 of its origin" },
	{ "wpkh([deadbeef/0/01]" KEY ")", "step 2 of its origin" },
	{ "wpkh([deadbeef/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17]" KEY ")",
	    "more than 16 steps" },
	{ "wpkh(" XPUB_A "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17)",
	    "more than 16 steps" },
	{ "wpkh(" XPUB_A "/)", "step 1" },
	{ "wpkh(" XPUB_A "//0)", "step 1" },
	{ "wpkh(" XPUB_A "/0H)", "else than /" },
	{ "wpkh(" XPUB_A "/2147483648)", "step 1" },
	{ "wpkh(" XPUB_A "/00)", "step 1" },
	{ "wpkh(" XPUB_A "/*/0)", "after the *" },
	{ "wpkh(" XPUB_A "/**)", "after the *" },
	{ "wpkh(" XPUB_A "/*hh)", "after the *" },
	{ "wpkh(" XPUB_A "*)", "character 112" },
	{ "wpkh(" XPUB_A "/<0;1>/<0;1>)", "more than one" },
	{ "wpkh(" XPUB_A "/<0;1;2>/*)", "more than two is not supported" },
	{ "wpkh(" XPUB_A "/<0;0>/*)", "the same" },
	{ "wpkh(" XPUB_A "/<0>/*)", "not two numbers" },
	{ "wpkh(" XPUB_A "/<0;1/*)", "does not end" },
	{ "wpkh(" XPUB_A "/<0;*>)", "not two numbers" },
	{ "wpkh(" XPUB_A "/<0;1>1)", "else than /" },
	{ "wpkh(xpub)", "neither" },
	{ "wpkh(zpub661MyMwAqRbcF/0)", "neither" },
	{ "wsh(sortedmulti(0," KEY "))", "0 signatures of 1 keys" },
	{ "wsh(sortedmulti(2," KEY "))", "2 signatures of 1 keys" },
	{ "wsh(sortedmulti(3," KEY "," KEY_2 "))", "3 signatures of 2 keys" },
	{ "wsh(sortedmulti(01," KEY "))", "does not begin with a number" },
	{ "wsh(sortedmulti(1))", "does not begin with a number" },
	{ "wsh(sortedmulti(1,))", "neither" },
	{ "wsh(sortedmulti(" KEY "))", "does not begin with a number" },
	{ "wsh(sortedmulti(1," KEY ")", "after its key there is no ))" },
	{ "wsh(sortedmulti(1," KEY "," KEY "))", "1 and 2 are the same" },
	{ "wsh(sortedmulti(1," XPUB_A "/*," KEY "," XPUB_A "/*))",
	    "keys 1 and 3 are the same" },
	/* At one branch only. */
	{ "wsh(sortedmulti(1," XPUB_A "/<0;1>/*," XPUB_A "/0/*))",
	    "keys 1 and 2 are the same" },
	{ "wsh(sortedmulti(1," XPUB_A "/<0;1>/*," XPUB_A "/1/*))",
	    "keys 1 and 2 are the same" },
	{ "wsh(sortedmulti(1," XPUB_A "/0," XPRV_A "/0))",
	    "keys 1 and 2 are the same" },
	{ "wsh(sortedmulti(1," XPUB_A "/*," TPUB "/*))",
	    "keys 1 and 2 are of different networks" },
	{ "wsh(sortedmulti(1," TPUB "/*," KEY "," XPUB_A "/*))",
	    "keys 1 and 3 are of different networks" },
	{ "wpkh(" KEY ")#", "0 characters, not 8" },
	{ "wpkh(" KEY ")#qqqqqqqq", "checksum is wrong" },
	{ "wpkh(" KEY ")\n", "a character that no descriptor has" },
};

static void
test_refused(void)
{
	struct descriptor d;
	struct err	 e;
	char		 text[2 * DESCRIPTOR_TEXT_MAX];
	size_t		 i;

	check_case("what is refused, and that the error says why");
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		CHECK(!parses(refused[i].text, strlen(refused[i].text), false,
		    true, &d, &e));
		if (!CHECK(strstr(e.text, refused[i].want) != NULL))
			printf("#   %s: %s\n", refused[i].text, e.text);
		CHECK_INT(d.n, 0);
	}
	CHECK(!parses("wpkh(" KEY ")", 72, true, true, &d, &e));
	CHECK(strstr(e.text, "checksum is missing") != NULL);
	/* A NUL is no character of a sum. */
	normal_form(text, "wpkh(" KEY ")");
	CHECK(!parses(text, strlen(text) + 1, true, true, &d, &e));
	CHECK(strstr(e.text, "9 characters, not 8") != NULL);
	memset(text, 'a', sizeof(text));
	CHECK(!parses(text, DESCRIPTOR_TEXT_MAX, false, true, &d, &e));
	CHECK(strstr(e.text, "at most 4095") != NULL);

	check_case("a private key only where one is wanted");
	CHECK(!parses("wpkh(" XPRV_A "/0)", 119, false, false, &d, &e));
	CHECK(strstr(e.text, "it is private") != NULL);
}

/* The key of a seed below `depth` steps. */
static void
deep_key(char text[BIP32_TEXT_MAX], unsigned char seed_byte, int depth)
{
	struct bip32_key k;
	struct err	 e;
	unsigned char	 seed[16];

	memset(seed, seed_byte, sizeof(seed));
	CHECK(bip32_of_seed(&k, NETWORK_MAIN, seed, 16, &e) == RC_OK);
	while (depth-- > 0)
		CHECK(bip32_child(&k, &k, 0, &e) == RC_OK);
	bip32_print(text, &k, false);
}

static void
test_limits(void)
{
	struct descriptor d;
	struct descriptor_output o;
	struct err	 e;
	char		 key[BIP32_TEXT_MAX], text[DESCRIPTOR_TEXT_MAX];
	unsigned	 n, i;

	check_case("16 keys, not 17");
	for (n = 16; n <= 17; n++) {
		(void)snprintf(text, sizeof(text), "wsh(sortedmulti(16");
		for (i = 0; i < n; i++) {
			deep_key(key, (unsigned char)i, 0);
			(void)snprintf(text + strlen(text),
			    sizeof(text) - strlen(text), ",%s/<0;1>/*", key);
		}
		(void)snprintf(text + strlen(text),
		    sizeof(text) - strlen(text), "))");
		if (n == 16 && reads(text, &d)) {
			check_print(&d, text);
			CHECK(descriptor_derive(&o, &d, 1, 2, &e) == RC_OK);
			CHECK_INT(o.inner_len, MULTISIG_SCRIPT_MAX);
		} else if (n == 17) {
			CHECK(!parses(text, strlen(text), false, true, &d,
			    &e));
			CHECK(strstr(e.text, "more than 16 keys") != NULL);
		}
	}

	check_case("16 steps, and depth 255");
	reads("wpkh(" XPUB_A "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/<1;2>/*)",
	    &d);
	CHECK(descriptor_derive(&o, &d, 1, 0, &e) == RC_OK);
	deep_key(key, 1, 253);
	(void)snprintf(text, sizeof(text), "wpkh(%s/1/*)", key);
	if (reads(text, &d))
		CHECK(descriptor_derive(&o, &d, 0, 0, &e) == RC_OK);
	(void)snprintf(text, sizeof(text), "wpkh(%s/1/2/*)", key);
	CHECK(!parses(text, strlen(text), false, true, &d, &e));
	CHECK(strstr(e.text, "depth 255") != NULL);
	(void)snprintf(text, sizeof(text), "wpkh(%s/1/2/3)", key);
	CHECK(!parses(text, strlen(text), false, true, &d, &e));
}

static void
test_hardened(void)
{
	struct descriptor d;
	struct descriptor_output o, o2;
	struct bip32_key k;
	struct err	 e;
	uint32_t	 path[] = { BIP32_HARD | 3, BIP32_HARD | 9 };

	check_case("hardened steps are derived with the secret only");
	if (reads("wpkh(" XPUB_A "/*h)", &d)) {
		CHECK(descriptor_derive(&o, &d, 0, 5, &e) != RC_OK);
		CHECK_STR(e.text, "descriptor: key 1: child 5h is hardened: "
		    "only the private key has it");
	}
	if (reads("wsh(sortedmulti(1," KEY "," XPUB_A "/3h/*))", &d)) {
		CHECK(descriptor_derive(&o, &d, 0, 5, &e) != RC_OK);
		CHECK(strstr(e.text, "key 2: child 3h is") != NULL);
	}
	if (reads("wpkh(" XPRV_A "/3h/*')", &d)) {
		CHECK(descriptor_derive(&o, &d, 0, 9, &e) == RC_OK);
		CHECK(bip32_derive(&k, &d.keys[0].key, path, 2, &e) == RC_OK);
		CHECK(memcmp(o.keys[0], k.public, 33) == 0);
		/* Without the secret its text is still one. */
		bip32_forget_secret(&d.keys[0].key);
		check_print(&d, "wpkh(" XPUB_A "/3h/*h)");
	}

	check_case("an index is below 2^31, and is nothing without a range");
	reads("wpkh(" XPUB_A "/*)", &d);
	CHECK(descriptor_derive(&o, &d, 0, BIP32_HARD, &e) != RC_OK);
	CHECK(strstr(e.text, "2147483648 is not below") != NULL);
	reads("wpkh(" XPUB_A "/4)", &d);
	CHECK(descriptor_derive(&o, &d, 0, 3, &e) == RC_OK);
	CHECK(descriptor_derive(&o2, &d, 1, BIP32_HARD, &e) == RC_OK);
	CHECK(memcmp(&o, &o2, sizeof(o)) == 0);
}

static void
test_pairs(void)
{
	static const char *const whole = "wsh(sortedmulti(2,[00000001/7h]"
	    XPRV_A "/5/<3h;4>/2/*," XPUB_B "/<8;9>/*," KEY "," XPUB_B
	    "/7))";
	static const char *const parts[] = {
		"wsh(sortedmulti(2,[00000001/7h]" XPRV_A "/5/3h/2/*," XPUB_B
		    "/8/*," KEY "," XPUB_B "/7))",
		"wsh(sortedmulti(2,[00000001/7h]" XPRV_A "/5/4/2/*," XPUB_B
		    "/9/*," KEY "," XPUB_B "/7))",
	};
	struct descriptor d, one, other;
	struct descriptor_output a, b, c;
	struct err	 e;
	unsigned	 branch;

	check_case("pairs: each branch is what it would be alone");
	if (!reads(whole, &d))
		return;
	check_print(&d, whole);
	for (branch = 0; branch < 2; branch++) {
		if (!reads(parts[branch], &other))
			continue;
		one = d;
		descriptor_take_branch(&one, branch);
		check_print(&one, parts[branch]);
		CHECK(descriptor_derive(&a, &d, branch, 6, &e) == RC_OK);
		CHECK(descriptor_derive(&b, &one, 0, 6, &e) == RC_OK);
		CHECK(descriptor_derive(&c, &other, 1, 6, &e) == RC_OK);
		CHECK(memcmp(&a, &b, sizeof(a)) == 0);
		CHECK(memcmp(&a, &c, sizeof(a)) == 0);
	}
}

/* Keys that are written differently and meet at one index. */
static void
test_meeting(void)
{
	struct descriptor d;
	struct descriptor_output o;
	struct err	 e;

	check_case("keys that meet are refused when they do");
	if (!reads("wsh(sortedmulti(1," XPUB_A "/0/*," XPUB_A "/0/5))", &d))
		return;
	CHECK(descriptor_derive(&o, &d, 0, 4, &e) == RC_OK);
	CHECK(descriptor_derive(&o, &d, 0, 5, &e) != RC_OK);
	CHECK_STR(e.text, "descriptor: two of its keys are the same");
}

/* What else an output has. */
static void
test_outputs(void)
{
	struct descriptor d;
	struct descriptor_output o;
	struct err	 e;
	enum address_form form;

	check_case("redeem scripts, output keys");
	reads("sh(wpkh(" KEY "))", &d);
	CHECK(descriptor_derive(&o, &d, 0, 0, &e) == RC_OK);
	CHECK(address_form_of(&form, o.inner, o.inner_len) &&
	    form == ADDRESS_P2WPKH);
	CHECK(address_form_of(&form, o.script, o.script_len) &&
	    form == ADDRESS_P2SH);
	reads("tr([00000000/1]" KEY ")", &d);
	CHECK(!d.keys[0].xonly);
	CHECK(descriptor_derive(&o, &d, 0, 0, &e) == RC_OK);
	CHECK_INT(o.script_len, 34);
	CHECK(memcmp(o.script + 2, o.output_key, 32) == 0);
	CHECK_INT(o.inner_len, 0);
	reads("tr(" "a34b99f22c790c4e36b2b3c2c35a36db"
	    "06226e41c692fc82b8b56ac1c540c5bd)", &d);
	CHECK(d.keys[0].xonly && !d.keys[0].extended);
	CHECK(!descriptor_is_range(&d) && !descriptor_has_pair(&d));
	CHECK(descriptor_derive(&o, &d, 0, 0, &e) == RC_OK);
	CHECK(address_form_of(&form, o.script, o.script_len) &&
	    form == ADDRESS_P2TR);
}

#define PRIVATE "wsh(sortedmulti(2,[deadbeef/48h/0h/0h/2h]" XPRV_A \
    "/<0;1>/*," XPUB_B "/1/*h," KEY "))"

/* No eight characters of the private key in a reason. */
static void
check_silent(const struct err *e)
{
	char	 part[9] = { 0 };
	size_t	 i;

	for (i = 4; i + 8 < sizeof(XPRV_A); i++) {
		memcpy(part, &XPRV_A[i], 8);
		CHECK(strstr(e->text, part) == NULL);
	}
}

static void
test_cuts(void)
{
	struct descriptor d;
	struct err	 e;
	char		 text[DESCRIPTOR_TEXT_MAX], bad[DESCRIPTOR_TEXT_MAX];
	size_t		 len, i, body;
	int		 ch;

	check_case("every cut and every other character of a descriptor");
	normal_form(text, PRIVATE);
	len = strlen(text);
	body = len - 1 - DESCRIPTOR_CHECKSUM_LEN;
	CHECK(parses(text, len, true, true, &d, &e));
	for (i = 0; i < len; i++) {
		CHECK(!parses(text, i, true, true, &d, &e));
		check_silent(&e);
		CHECK(parses(text, i, false, true, &d, &e) == (i == body));
		check_silent(&e);
	}
	memcpy(bad, text, len + 1);
	for (i = 0; i < len; i++) {
		for (ch = 0; ch < 256; ch++) {
			bad[i] = (char)ch;
			if (bad[i] == text[i])
				continue;
			CHECK(!parses(bad, len, true, true, &d, &e));
			check_silent(&e);
			/* And as if nobody had made a sum. */
			if (i < body && !parses(bad, body, false, true, &d,
			    &e))
				check_silent(&e);
		}
		bad[i] = text[i];
	}

	check_case("every cut of our own vectors");
	json_t *cases = vectors_read("tests/vectors/descriptors.json"), *c;
	size_t k;
	json_array_foreach(cases, k, c) {
		const char *s = vectors_text(c, "descriptor");

		len = strlen(s);
		for (i = 0; i < len; i++)
			CHECK(!parses(s, i, true, true, &d, &e));
	}
}

static void
test_room(void)
{
	struct descriptor d;
	struct err	 e;
	char		 want[DESCRIPTOR_TEXT_MAX];
	unsigned char	*at;
	size_t		 len, n, i, left;

	check_case("a text fits or is not there at all");
	normal_form(want, PRIVATE);
	len = strlen(want);
	if (!reads(PRIVATE, &d))
		return;
	for (n = 0; n <= len + 1; n++) {
		at = hostile_place(want, n);
		memset(at, 'x', n);
		if (n == len + 1) {
			CHECK(descriptor_print((char *)at, n, &d, true, &e) ==
			    RC_OK);
			CHECK(memcmp(at, want, n) == 0);
			continue;
		}
		CHECK(descriptor_print((char *)at, n, &d, true, &e) != RC_OK);
		for (left = 0, i = 0; i < n; i++)
			left += at[i] != 0;
		CHECK_INT(left, 0);
	}
	descriptor_wipe(&d);
	for (i = 0; i < sizeof(d); i++)
		CHECK_INT(((const unsigned char *)&d)[i], 0);
}

/* There is no allocation to fail: not one call reaches malloc(). */
static void
test_memory(void)
{
	struct descriptor d;
	struct descriptor_output o;
	struct err	 e;
	char		 text[DESCRIPTOR_TEXT_MAX];
	struct text	 t = text_of("wsh(sortedmulti(2," XPRV_A "/<0;1>/*,"
	    XPUB_B "/1/*," KEY "))");

	check_case("nothing here asks for memory");
	hostile_fail(1);
	CHECK(descriptor_parse(&d, t, false, true, &e) == RC_OK);
	CHECK(descriptor_derive(&o, &d, 1, 9, &e) == RC_OK);
	CHECK(descriptor_print(text, sizeof(text), &d, true, &e) == RC_OK);
	CHECK(descriptor_parse(&d, text_of(WIF), false, true, &e) != RC_OK);
	CHECK(!hostile_end());
}

int
main(void)
{
	struct err	 e;

	if (curve_begin(&e) != RC_OK)
		return 2;
	test_refused();
	test_limits();
	test_hardened();
	test_pairs();
	test_meeting();
	test_outputs();
	test_cuts();
	test_room();
	test_memory();
	return check_done();
}
