#include "tests/check.h"

#include "bitcoin/curve.h"
#include "bitcoin/descriptor.h"
#include "bitcoin/test/descriptors.h"
#include "bitcoin/test/vectors.h"

#define OTHERS "../shared/vectors/descriptors/"

/* Is this one that we read?  Told from its text alone. */
static bool
is_ours(const char *text)
{
	if (strstr(text, WIF) != NULL)
		return false;
	if (strncmp(text, "tr(", 3) == 0)
		return strchr(text, ',') == NULL;
	return strncmp(text, "wpkh(", 5) == 0 ||
	    strncmp(text, "sh(wpkh(", 8) == 0 ||
	    strncmp(text, "wsh(sortedmulti(", 16) == 0;
}

/* Refused for what it is: the name of its kind is in the reason. */
static void
check_unsupported(const char *text)
{
	struct descriptor d;
	struct err	 e;
	char		 kind[64];
	const char	*inner;
	size_t		 n = strcspn(text, "(");

	CHECK(!parses(text, strlen(text), false, true, &d, &e));
	inner = strchr(text, '(');
	if (strncmp(text, "wpkh(" WIF, 5 + 52) == 0 ||
	    strncmp(text, "tr(" WIF, 3 + 52) == 0)
		(void)snprintf(kind, sizeof(kind), "(WIF)");
	else if (strncmp(text, "tr(", 3) == 0)
		(void)snprintf(kind, sizeof(kind), "tr() with scripts");
	else if ((n == 2 || n == 3) && text[n - 2] == 's' && inner != NULL)
		(void)snprintf(kind, sizeof(kind), "%.*s(%.*s()", (int)n,
		    text, (int)strcspn(inner + 1, "("), inner + 1);
	else
		(void)snprintf(kind, sizeof(kind), "%.*s()", (int)n, text);
	if (!CHECK(strstr(e.text, kind) != NULL &&
	    strstr(e.text, "not supported") != NULL))
		printf("#   %s: %s (%s)\n", text, e.text, kind);
}

static void
check_script(const struct descriptor *d, uint32_t index, const char *hex)
{
	struct descriptor_output o;
	struct err	 e;
	unsigned char	 want[64];
	size_t		 n = vectors_hex(want, sizeof(want), hex);

	if (!CHECK(descriptor_derive(&o, d, 0, index, &e) == RC_OK)) {
		printf("#   %s\n", e.text);
		return;
	}
	CHECK(o.script_len == n && memcmp(o.script, want, n) == 0);
}

static void
test_own(void)
{
	struct descriptor d;
	struct descriptor_output o;
	struct err	 e;
	enum network	 net = NETWORK_MAIN;
	char		 address[ADDRESS_TEXT_MAX];
	json_t		*cases, *c, *v;
	const char	*text, *key;
	size_t		 i, ours = 0, others = 0;

	check_case("descriptors of our own: scripts, addresses, texts");
	cases = vectors_read("tests/vectors/descriptors.json");
	json_array_foreach(cases, i, c) {
		text = vectors_text(c, "descriptor");
		if (!is_ours(text)) {
			check_unsupported(text);
			others++;
			continue;
		}
		ours++;
		CHECK(parses(text, strlen(text), true, false, &d, &e));
		check_print(&d, text);
		CHECK(descriptor_is_range(&d) && !descriptor_has_pair(&d));
		json_object_foreach(json_object_get(c, "scripts"), key, v) {
			check_script(&d, (uint32_t)strtoul(key, NULL, 10),
			    json_string_value(v));
		}
		key = vectors_text(c, "network");
		CHECK(network_of(&net, key, strlen(key)));
		CHECK_INT(d.keys[0].test, net != NETWORK_MAIN);
		json_object_foreach(json_object_get(c, "addresses"), key, v) {
			CHECK(descriptor_derive(&o, &d, 0,
			    (uint32_t)strtoul(key, NULL, 10), &e) == RC_OK);
			CHECK(address_encode(address, net, o.script,
			    o.script_len));
			CHECK_STR(address, json_string_value(v));
		}
	}
	CHECK_INT(ours, 25);
	CHECK_INT(others, 15);
}

static void
test_bip_valid(void)
{
	const char	*path = OTHERS "valid.json";
	struct descriptor d;
	json_t		*cases, *c, *scripts, *v;
	const char	*text;
	size_t		 i, k, ours = 0, others = 0;

	if ((cases = vectors_read(path)) == NULL) {
		vectors_skip("BIP381 to 387: valid", path);
		return;
	}
	check_case("BIP381 to 387: valid; what is not supported by name");
	json_array_foreach(cases, i, c) {
		text = vectors_text(c, "descriptor");
		if (!is_ours(text)) {
			check_unsupported(text);
			others++;
			continue;
		}
		ours++;
		if (!reads(text, &d))
			continue;
		check_print(&d, text);
		scripts = json_object_get(c, "scripts");
		CHECK(json_array_size(scripts) > 0);
		json_array_foreach(scripts, k, v)
			check_script(&d, (uint32_t)k, json_string_value(v));
	}
	CHECK_INT(ours, 4);
	CHECK_INT(others, 35);
}

/* All of a file's: refused, for some reason; how many. */
static size_t
refuse_file(const char *path, const char *key)
{
	struct descriptor d;
	struct err	 e;
	json_t		*cases = vectors_read(path), *c;
	const char	*text;
	size_t		 i;

	json_array_foreach(cases, i, c) {
		text = vectors_text(c, key);
		if (!CHECK(!parses(text, strlen(text), false, true, &d, &e)))
			printf("#   %s\n", text);
		CHECK(strncmp(e.text, "descriptor: ", 12) == 0);
	}
	return json_array_size(cases);
}

static void
test_bip_invalid(void)
{
	if (vectors_read(OTHERS "invalid.json") == NULL) {
		vectors_skip("invalid descriptors", OTHERS "invalid.json");
		return;
	}
	check_case("invalid descriptors of the BIPs and of bcoin");
	CHECK_INT(refuse_file(OTHERS "invalid.json", "descriptor"), 26);
	CHECK_INT(refuse_file(OTHERS "bcoin-desc-invalid.json", "input"), 27);
	CHECK_INT(refuse_file(OTHERS "multipath-invalid.json",
	    "descriptor"), 6);
}

static void
test_bip_keys(void)
{
	struct descriptor d;
	struct err	 e;
	json_t		*cases, *c;
	const char	*key;
	char		 text[DESCRIPTOR_TEXT_MAX];
	size_t		 i, wif = 0;

	cases = vectors_read(OTHERS "key-valid.json");
	if (cases == NULL) {
		vectors_skip("BIP380: keys", OTHERS "key-valid.json");
		return;
	}
	check_case("BIP380: keys, in wpkh()");
	CHECK_INT(json_array_size(cases), 14);
	json_array_foreach(cases, i, c) {
		key = vectors_text(c, "key");
		(void)snprintf(text, sizeof(text), "wpkh(%s)", key);
		if (strncmp(vectors_text(c, "comment"), "WIF", 3) == 0) {
			wif++;
			CHECK(!parses(text, strlen(text), false, true, &d,
			    &e));
			CHECK(strstr(e.text, "(WIF) is not supported") !=
			    NULL);
		} else if (reads(text, &d))
			check_print(&d, text);
	}
	CHECK_INT(wif, 2);
	cases = vectors_read(OTHERS "key-invalid.json");
	CHECK_INT(json_array_size(cases), 11);
	json_array_foreach(cases, i, c) {
		(void)snprintf(text, sizeof(text), "wpkh(%s)",
		    vectors_text(c, "key"));
		if (!CHECK(!parses(text, strlen(text), false, true, &d, &e)))
			printf("#   %s\n", text);
	}
}

static void
test_bip_checksum(void)
{
	struct descriptor d;
	struct err	 e;
	json_t		*cases, *c;
	const char	*text;
	size_t		 i;
	bool		 good, none;

	cases = vectors_read(OTHERS "checksum.json");
	if (cases == NULL) {
		vectors_skip("BIP380: checksums", OTHERS "checksum.json");
		return;
	}
	check_case("BIP380: checksums");
	CHECK_INT(json_array_size(cases), 6);
	json_array_foreach(cases, i, c) {
		text = vectors_text(c, "descriptor");
		good = json_is_true(json_object_get(c, "checksum_ok"));
		none = json_is_true(json_object_get(c, "no_checksum"));
		/* All of raw(): with a good sum that is what is wrong. */
		CHECK(!parses(text, strlen(text), false, false, &d, &e));
		CHECK((strstr(e.text, "raw()") != NULL) == (good || none));
		CHECK(!parses(text, strlen(text), true, false, &d, &e));
		CHECK((strstr(e.text, "raw()") != NULL) == good);
	}
}

/* A text of another kind, as one that we have of the same keys. */
static void
as_ours(char out[DESCRIPTOR_TEXT_MAX], const char *text)
{
	const char	*inside = strchr(text, '(') + 1;
	size_t		 len = strcspn(inside, ")");

	if (strncmp(text, "multi(", 6) == 0)
		(void)snprintf(out, DESCRIPTOR_TEXT_MAX,
		    "wsh(sortedmulti(%.*s))", (int)len, inside);
	else
		(void)snprintf(out, DESCRIPTOR_TEXT_MAX, "wpkh(%.*s)",
		    (int)len, inside);
}

static void
check_branches(const struct descriptor *d, json_t *want)
{
	struct descriptor one, other;
	struct descriptor_output a, b;
	struct err	 e;
	char		 text[DESCRIPTOR_TEXT_MAX];
	unsigned	 branch;

	CHECK_INT(json_array_size(want), 2);
	for (branch = 0; branch < 2; branch++) {
		as_ours(text, json_string_value(json_array_get(want,
		    branch)));
		if (!reads(text, &other))
			continue;
		one = *d;
		descriptor_take_branch(&one, branch);
		CHECK(!descriptor_has_pair(&one));
		check_print(&one, text);
		CHECK(descriptor_derive(&a, d, branch, 7, &e) == RC_OK);
		CHECK(descriptor_derive(&b, &other, 0, 7, &e) == RC_OK);
		CHECK(memcmp(&a, &b, sizeof(a)) == 0);
	}
}

static void
test_bip_pairs(void)
{
	struct descriptor d;
	json_t		*cases, *c;
	const char	*text;
	char		 ours[DESCRIPTOR_TEXT_MAX];
	size_t		 i;

	cases = vectors_read(OTHERS "multipath-valid.json");
	if (cases == NULL) {
		vectors_skip("BIP389: pairs", OTHERS "multipath-valid.json");
		return;
	}
	check_case("BIP389: pairs, in kinds that we have");
	CHECK_INT(json_array_size(cases), 4);
	json_array_foreach(cases, i, c) {
		text = vectors_text(c, "descriptor");
		if (!is_ours(text))
			check_unsupported(text);
		as_ours(ours, text);
		if (!reads(ours, &d))
			continue;
		CHECK(descriptor_has_pair(&d));
		check_print(&d, ours);
		check_branches(&d, json_object_get(c, "expands_to"));
	}
}

static void
test_bcoin(void)
{
	struct descriptor d;
	struct descriptor_output o;
	struct err	 e;
	enum network	 net;
	char		 got[ADDRESS_TEXT_MAX];
	json_t		*cases, *c, *v;
	const char	*text;
	size_t		 i, k, ours = 0, others = 0;

	cases = vectors_read(OTHERS "bcoin-desc-addresses.json");
	if (cases == NULL) {
		vectors_skip("bcoin's addresses", OTHERS "bcoin-*.json");
		return;
	}
	check_case("bcoin's addresses");
	json_array_foreach(cases, i, c) {
		text = vectors_text(c, "input");
		if (!is_ours(text)) {
			check_unsupported(text);
			others++;
			continue;
		}
		ours++;
		net = strcmp(vectors_text(c, "network"), "testnet") == 0 ?
		    NETWORK_TEST : NETWORK_MAIN;
		/* One is of a range, but no range may be behind its key. */
		if (!reads(text, &d))
			continue;
		check_print(&d, text);
		json_array_foreach(json_object_get(c, "addresses"), k, v) {
			CHECK(descriptor_derive(&o, &d, 0, (uint32_t)k,
			    &e) == RC_OK);
			CHECK(address_encode(got, net, o.script,
			    o.script_len));
			CHECK_STR(got, json_string_value(v));
		}
	}
	CHECK_INT(ours, 4);
	CHECK_INT(others, 32);

	check_case("bcoin's valid ones");
	ours = others = 0;
	cases = vectors_read(OTHERS "bcoin-desc-valid.json");
	json_array_foreach(cases, i, c) {
		text = vectors_text(c, "input");
		if (!is_ours(text)) {
			check_unsupported(text);
			others++;
			continue;
		}
		ours++;
		if (!reads(text, &d))
			continue;
		check_print(&d, text);
		CHECK(descriptor_is_range(&d) ==
		    json_is_true(json_object_get(c, "isrange")));
	}
	CHECK_INT(ours, 4);
	CHECK_INT(others, 34);
}

/* BIP67: the order of the keys in the script. */
static void
test_bip67(void)
{
	const char	*path =
	    "../shared/vectors/misc-core/bip67-sorted-multisig.json";
	struct descriptor d;
	struct descriptor_output o;
	struct err	 e;
	unsigned char	 want[MULTISIG_SCRIPT_MAX], key[33];
	char		 text[DESCRIPTOR_TEXT_MAX];
	json_t		*cases, *c, *v;
	size_t		 i, k, n;

	if ((cases = vectors_read(path)) == NULL) {
		vectors_skip("BIP67: sorted keys", path);
		return;
	}
	check_case("BIP67: sorted keys");
	CHECK_INT(json_array_size(cases), 3);
	json_array_foreach(cases, i, c) {
		(void)snprintf(text, sizeof(text), "wsh(sortedmulti(2");
		json_array_foreach(json_object_get(c, "keys"), k, v)
			(void)snprintf(text + strlen(text),
			    sizeof(text) - strlen(text), ",%s",
			    json_string_value(v));
		(void)snprintf(text + strlen(text),
		    sizeof(text) - strlen(text), "))");
		if (!reads(text, &d))
			continue;
		CHECK(descriptor_derive(&o, &d, 0, 0, &e) == RC_OK);
		n = vectors_hex(want, sizeof(want), vectors_text(c,
		    "script"));
		CHECK(o.inner_len == n && memcmp(o.inner, want, n) == 0);
		/* The keys themselves stay in the order of the text. */
		json_array_foreach(json_object_get(c, "keys"), k, v) {
			CHECK_INT(vectors_hex(key, 33, json_string_value(v)),
			    33);
			CHECK(memcmp(key, o.keys[k], 33) == 0);
		}
	}
}

int
main(void)
{
	struct err	 e;

	if (curve_begin(&e) != RC_OK)
		return 2;
	test_own();
	test_bip_valid();
	test_bip_invalid();
	test_bip_keys();
	test_bip_checksum();
	test_bip_pairs();
	test_bcoin();
	test_bip67();
	return check_done();
}
