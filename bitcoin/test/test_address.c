#include "tests/check.h"

#include <strings.h>

#include "bitcoin/address.h"
#include "bitcoin/base58.h"
#include "bitcoin/test/vectors.h"

#define OTHERS "../shared/vectors/"

static bool
parses(enum network net, const char *text, struct address *a, struct err *e)
{
	memset(e, 0, sizeof(*e));
	return address_parse(a, net, text, strlen(text), e) == RC_OK;
}

/* Every network but those that spell it alike must refuse, naming why. */
static void
check_networks(enum network net, const char *text)
{
	struct address	 a;
	struct err	 e;
	bool		 base58 = strchr("123mn", text[0]) != NULL;
	int		 n;

	for (n = NETWORK_MAIN; n <= NETWORK_REGTEST; n++) {
		if (n == (int)net || (net != NETWORK_MAIN &&
		    n != NETWORK_MAIN && (base58 || (n != NETWORK_REGTEST &&
		    net != NETWORK_REGTEST))))
			continue;
		if (!CHECK(!parses((enum network)n, text, &a, &e)))
			printf("#   %s on %s\n", text,
			    network_text((enum network)n));
		CHECK(strstr(e.text, "not of") != NULL);
	}
}

static void
check_valid(enum network net, const char *text, const char *hex)
{
	unsigned char	 script[64];
	char		 again[ADDRESS_TEXT_MAX];
	struct address	 a;
	struct err	 e;
	size_t		 len;

	len = vectors_hex(script, sizeof(script), hex);
	if (!CHECK(parses(net, text, &a, &e))) {
		printf("#   %s: %s\n", text, e.text);
		return;
	}
	CHECK(a.len == len && memcmp(a.script, script, len) == 0);
	CHECK(address_encode(again, net, a.script, a.len));
	if (strcmp(again, text) != 0)	/* Upper case means the same. */
		CHECK(strcasecmp(again, text) == 0 && text[1] == 'C');
	check_networks(net, text);
}

static void
test_own_valid(void)
{
	enum network	 net = NETWORK_MAIN;
	struct address	 a;
	struct err	 e;
	json_t		*cases, *c;
	const char	*form;
	size_t		 i;

	check_case("valid addresses of every form and network");
	cases = vectors_read("tests/vectors/address-valid.json");
	CHECK_INT(json_array_size(cases), 120);
	json_array_foreach(cases, i, c) {
		CHECK(network_of(&net, vectors_text(c, "network"),
		    strlen(vectors_text(c, "network"))));
		check_valid(net, vectors_text(c, "address"),
		    vectors_text(c, "script_pubkey"));
		form = vectors_text(c, "type");
		if (strcmp(form, "future") == 0)
			form = "other";
		if (parses(net, vectors_text(c, "address"), &a, &e))
			CHECK_STR(address_form_text(a.form), form);
	}
}

static void
test_own_invalid(void)
{
	enum network	 net = NETWORK_MAIN;
	struct address	 a;
	struct err	 e;
	json_t		*cases, *c;
	size_t		 i;

	check_case("invalid addresses, each for a reason");
	cases = vectors_read("tests/vectors/address-invalid.json");
	CHECK_INT(json_array_size(cases), 78);
	json_array_foreach(cases, i, c) {
		CHECK(network_of(&net, vectors_text(c, "network"),
		    strlen(vectors_text(c, "network"))));
		if (!CHECK(!parses(net, vectors_text(c, "address"), &a, &e)))
			printf("#   %s\n", vectors_text(c, "address"));
		CHECK(strlen(e.text) > 10);
	}
}

/* Each place by each of the 94 printable characters but itself. */
static void
mutate(enum network net, const char *text)
{
	struct address	 a;
	struct err	 e;
	char		 buf[ADDRESS_TEXT_MAX];
	size_t		 len = strlen(text), i;
	int		 ch;

	memcpy(buf, text, len + 1);
	for (i = 0; i < len; i++) {
		for (ch = 33; ch < 127; ch++) {
			buf[i] = (char)ch;
			if (buf[i] != text[i] &&
			    !CHECK(!parses(net, buf, &a, &e)))
				printf("#   %s\n", buf);
		}
		buf[i] = text[i];
	}
}

/* One character less, one doubled, two neighbours swapped, wrong ends. */
static void
mutilate(enum network net, const char *text)
{
	struct address	 a;
	struct err	 e;
	char		 buf[ADDRESS_TEXT_MAX + 2];
	size_t		 len = strlen(text), i;

	for (i = 0; i < len; i++) {
		(void)snprintf(buf, sizeof(buf), "%.*s%s", (int)i, text,
		    text + i + 1);
		CHECK(!parses(net, buf, &a, &e));
		(void)snprintf(buf, sizeof(buf), "%.*s%c%s", (int)i, text,
		    text[i], text + i);
		CHECK(!parses(net, buf, &a, &e));
		if (i + 1 < len && text[i] != text[i + 1]) {
			memcpy(buf, text, len + 1);
			buf[i] = text[i + 1];
			buf[i + 1] = text[i];
			CHECK(!parses(net, buf, &a, &e));
		}
	}
	(void)snprintf(buf, sizeof(buf), " %s", text);
	CHECK(!parses(net, buf, &a, &e));
	(void)snprintf(buf, sizeof(buf), "%s\n", text);
	CHECK(!parses(net, buf, &a, &e));
}

static void
test_mutations(void)
{
	enum network	 net = NETWORK_MAIN;
	json_t		*cases, *c;
	size_t		 i;

	check_case("no mutation of a valid address is one");
	cases = vectors_read("tests/vectors/address-valid.json");
	json_array_foreach(cases, i, c) {
		if (!network_of(&net, vectors_text(c, "network"),
		    strlen(vectors_text(c, "network"))))
			continue;
		mutate(net, vectors_text(c, "address"));
		mutilate(net, vectors_text(c, "address"));
	}
}

/* Any witness program, there and back. */
static void
test_round_trip(void)
{
	struct address	 a;
	struct err	 e;
	unsigned char	 script[ADDRESS_SCRIPT_MAX];
	char		 text[ADDRESS_TEXT_MAX];
	unsigned	 version, len, i;

	check_case("every witness version and length there and back");
	for (version = 0; version <= 16; version++) {
		for (len = 0; len <= 40; len++) {
			bool good = len >= 2 && (version > 0 || len == 20 ||
			    len == 32);

			script[0] = (unsigned char)(version == 0 ? 0 :
			    0x50 + version);
			script[1] = (unsigned char)len;
			for (i = 0; i < len; i++)
				script[2 + i] = (unsigned char)(i * 37 +
				    version * 11 + len);
			CHECK_INT(address_encode(text, NETWORK_REGTEST,
			    script, len + 2), good);
			if (!good)
				continue;
			CHECK(parses(NETWORK_REGTEST, text, &a, &e));
			CHECK(a.len == len + 2 &&
			    memcmp(a.script, script, a.len) == 0);
		}
	}
	CHECK(!address_encode(text, NETWORK_MAIN,
	    (const unsigned char *)"\x6a\x02hi", 4));
	CHECK_STR(text, "");
}

static void
test_errors(void)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "empty" },
		{ "bc1", "too short" },
		{ "3AM9CGUjCCVigK4ePBo1dYcwkdR41c5Wqm", "checksum" },
		{ "3AM9CGUjCCVigK4ePBo1dYcwkdR41c5Wq0", "character 34" },
		{ "bc1qp766sm3zle7pntz9ag8jn7e2mtss6katx62gvb", "character" },
		{ "bc1qp766sm3zle7pntz9ag8jn7e2mtss6katx62gvq", "checksum" },
		{ "bc1qp766sm3zle7pntz9ag8jn7e2mtss6katx62gvA", "case" },
		{ "0x52908400098527886E0F7030069857D2E4169EE7",
		    "not a bitcoin address" },
		{ "pay me", "not a bitcoin address" },
	};
	unsigned char	 key[33] = { 0x80, 1, 2, 3 };
	char		 wif[BASE58_TEXT_MAX + 2];
	struct address	 a;
	struct err	 e;
	size_t		 i;

	check_case("an error says what is wrong");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHECK(!parses(NETWORK_MAIN, cases[i].text, &a, &e));
		if (!CHECK(strstr(e.text, cases[i].want) != NULL))
			printf("#   %s: %s\n", cases[i].text, e.text);
	}

	check_case("a private key is recognised and never repeated");
	(void)base58_encode_check(wif, key, sizeof(key));
	CHECK(!parses(NETWORK_MAIN, wif, &a, &e));
	CHECK(strstr(e.text, "private key") != NULL);
	CHECK(strstr(e.text, wif) == NULL);
}

static void
test_key_io(void)
{
	const char	*good = OTHERS "address/key-io-valid.json";
	const char	*bad = OTHERS "address/key-io-invalid.json";
	enum network	 net = NETWORK_MAIN;
	struct address	 a;
	struct err	 e;
	json_t		*cases, *c;
	const char	*chain, *text;
	size_t		 i;
	int		 n;

	if ((cases = vectors_read(good)) == NULL) {
		vectors_skip("bitcoind's key_io vectors", good);
		return;
	}
	check_case("bitcoind's key_io vectors");
	json_array_foreach(cases, i, c) {
		chain = vectors_text(c, "chain");
		if (strcmp(chain, "testnet4") == 0)
			chain = "test";
		text = vectors_text(c, "string");
		CHECK(network_of(&net, chain, strlen(chain)));
		if (json_is_true(json_object_get(c, "isPrivkey")))
			CHECK(!parses(net, text, &a, &e));
		else
			check_valid(net, text,
			    vectors_text(c, "script_pubkey"));
	}
	cases = vectors_read(bad);
	CHECK(json_array_size(cases) > 0);
	json_array_foreach(cases, i, c) {
		for (n = NETWORK_MAIN; n <= NETWORK_REGTEST; n++)
			CHECK(!parses((enum network)n,
			    vectors_text(c, "string"), &a, &e));
	}
}

static void
test_bips(void)
{
	const char	*good =
	    OTHERS "bech32/bip350-bech32m-address-valid.json";
	const char	*bad[] = {
		OTHERS "bech32/bip350-bech32m-address-invalid.json",
		OTHERS "bech32/bip173-bech32-address-invalid.json",
	};
	struct address	 a;
	struct err	 e;
	json_t		*cases, *c;
	const char	*text;
	unsigned char	 raw[128];
	size_t		 i, k, len;
	int		 n;

	if ((cases = vectors_read(good)) == NULL) {
		vectors_skip("BIP173's and BIP350's addresses", good);
		return;
	}
	check_case("BIP173's and BIP350's addresses");
	json_array_foreach(cases, i, c) {
		text = vectors_text(c, "address");
		check_valid((text[0] | 0x20) == 'b' ? NETWORK_MAIN :
		    NETWORK_TEST, text, vectors_text(c, "script_pubkey"));
	}
	for (k = 0; k < 2; k++) {
		cases = vectors_read(bad[k]);
		CHECK(json_array_size(cases) > 0);
		json_array_foreach(cases, i, c) {
			len = vectors_hex(raw, sizeof(raw),
			    vectors_text(c, "string_hex"));
			for (n = NETWORK_MAIN; n <= NETWORK_REGTEST; n++)
				CHECK(address_parse(&a, (enum network)n,
				    (const char *)raw, len, &e) != RC_OK);
		}
	}
}

static void
test_base58(void)
{
	const char	*path = OTHERS "address/base58-encode-decode.json";
	unsigned char	 want[BASE58_BYTES_MAX], got[BASE58_BYTES_MAX];
	char		 text[BASE58_TEXT_MAX + 2];
	json_t		*cases, *c;
	size_t		 i, k, len, n;

	check_case("base58 of every length there and back");
	for (len = 0; len <= BASE58_BYTES_MAX; len++) {
		for (k = 0; k <= len; k += 7) {
			/* k zeros in front, then large digits. */
			memset(want, 0, sizeof(want));
			memset(want + k, 0xff, len - k);
			n = base58_encode(text, want, len);
			if (n > BASE58_TEXT_MAX)
				continue;
			CHECK(base58_decode(got, &n, text, n, NULL) == RC_OK);
			CHECK(n == len && memcmp(got, want, len) == 0);
		}
	}
	memset(text, 'z', BASE58_TEXT_MAX);
	CHECK(base58_decode(got, &n, text, BASE58_TEXT_MAX, NULL) ==
	    RC_OK);
	CHECK(base58_decode(got, &n, text, BASE58_TEXT_MAX + 1, NULL) !=
	    RC_OK);
	memset(text, '1', BASE58_TEXT_MAX);
	CHECK(base58_decode(got, &n, text, BASE58_TEXT_MAX, NULL) != RC_OK);

	if ((cases = vectors_read(path)) == NULL) {
		vectors_skip("base58 vectors", path);
		return;
	}
	check_case("base58 vectors");
	json_array_foreach(cases, i, c) {
		const char *b58 = vectors_text(c, "base58");

		len = vectors_hex(want, sizeof(want), vectors_text(c, "hex"));
		if (strlen(vectors_text(c, "hex")) > 2 * sizeof(want))
			continue;	/* Longer than anything we read. */
		CHECK(base58_decode(got, &n, b58, strlen(b58), NULL) ==
		    RC_OK && n == len && memcmp(got, want, n) == 0);
		(void)base58_encode(text, want, len);
		CHECK_STR(text, b58);
	}
}

int
main(void)
{
	test_own_valid();
	test_own_invalid();
	test_mutations();
	test_round_trip();
	test_errors();
	test_key_io();
	test_bips();
	test_base58();
	return check_done();
}
