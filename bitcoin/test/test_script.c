#include "tests/check.h"

#include <stdlib.h>

#include "bitcoin/script.h"
#include "bitcoin/test/hostile.h"
#include "bitcoin/test/vectors.h"

#define OTHERS "../shared/vectors/"

static struct text
text_at(const unsigned char *p, size_t len)
{
	struct text	 t = { (const char *)p, len };

	return t;
}

static struct text
text_of_hex(unsigned char *buf, size_t room, const char *hex)
{
	size_t	 len = vectors_hex(buf, room, hex);

	return text_at(buf, len);
}

static void
check_bytes(const unsigned char *got, size_t len, const char *hex)
{
	unsigned char	 want[MULTISIG_SCRIPT_MAX];

	if (!CHECK(vectors_hex(want, sizeof(want), hex) == len &&
	    memcmp(got, want, len) == 0))
		printf("#   not %s\n", hex);
}

static void
test_forms(void)
{
	unsigned char	 out[ADDRESS_SCRIPT_MAX], h[32];
	size_t		 i;

	check_case("the forms that money is sent to");
	for (i = 0; i < sizeof(h); i++)
		h[i] = (unsigned char)(i + 1);
	check_bytes(out, script_p2pkh(out, h), "76a914"
	    "0102030405060708090a0b0c0d0e0f101112131488ac");
	check_bytes(out, script_p2sh(out, h), "a914"
	    "0102030405060708090a0b0c0d0e0f101112131487");
	check_bytes(out, script_p2wpkh(out, h), "0014"
	    "0102030405060708090a0b0c0d0e0f1011121314");
	check_bytes(out, script_p2wsh(out, h), "0020"
	    "0102030405060708090a0b0c0d0e0f10"
	    "1112131415161718191a1b1c1d1e1f20");
	check_bytes(out, script_p2tr(out, h), "5120"
	    "0102030405060708090a0b0c0d0e0f10"
	    "1112131415161718191a1b1c1d1e1f20");
}

static void
make_keys(unsigned char keys[][PUBLIC_KEY_LEN], unsigned n)
{
	unsigned	 i;

	for (i = 0; i < n; i++) {
		memset(keys[i], (int)i, PUBLIC_KEY_LEN);
		keys[i][0] = i % 2 == 0 ? 0x02 : 0x03;
	}
}

/* An m-of-n comes back as one, and no part or extension of it does. */
static void
check_multisig(unsigned m, unsigned n)
{
	unsigned char	 keys[MULTISIG_MAX][PUBLIC_KEY_LEN];
	unsigned char	 s[MULTISIG_SCRIPT_MAX + 1], *p;
	struct multisig	 ms;
	size_t		 len, cut;
	unsigned	 i;

	make_keys(keys, n);
	len = script_multisig(s, m, (const void *)keys, n);
	CHECK_INT(len, 3 + n * 34);
	p = hostile_place(s, len);
	if (!CHECK(script_is_multisig(&ms, text_at(p, len))))
		return;
	CHECK_INT(ms.m, m);
	CHECK_INT(ms.n, n);
	for (i = 0; i < n; i++)
		CHECK(memcmp(ms.keys[i], keys[i], PUBLIC_KEY_LEN) == 0);
	for (cut = 0; cut < len; cut++) {
		p = hostile_place(s, cut);
		CHECK(!script_is_multisig(&ms, text_at(p, cut)));
	}
	s[len] = s[len - 1];
	CHECK(!script_is_multisig(&ms, text_at(s, len + 1)));
}

static void
test_multisig(void)
{
	unsigned char	 keys[MULTISIG_MAX + 1][PUBLIC_KEY_LEN];
	unsigned char	 s[MULTISIG_SCRIPT_MAX + 34], was;
	struct multisig	 ms;
	size_t		 len, i, at;
	unsigned	 m, n, b;

	check_case("multisig there and back");
	for (n = 1; n <= MULTISIG_MAX; n++)
		for (m = 1; m <= n; m++)
			check_multisig(m, n);
	make_keys(keys, MULTISIG_MAX + 1);
	CHECK_INT(script_multisig(s, 0, (const void *)keys, 2), 0);
	CHECK_INT(script_multisig(s, 3, (const void *)keys, 2), 0);
	CHECK_INT(script_multisig(s, 0, (const void *)keys, 0), 0);
	CHECK_INT(script_multisig(s, 1, (const void *)keys, 17), 0);

	check_case("multisig: nothing else passes for it");
	len = script_multisig(s, 2, (const void *)keys, 3);
	for (i = 0; i < len; i++) {
		was = s[i];
		at = i == 0 || i >= len - 2 ? 0 : (i - 1) % 34;
		for (b = 0; b < 256; b++) {
			s[i] = (unsigned char)b;
			if (s[i] == was || at >= 2 ||
			    (i == 0 && b >= OP_1 && b <= OP_1 + 2) ||
			    (i > 0 && i < len - 2 && at == 1 &&
			    (b == 2 || b == 3)))
				continue;
			if (!CHECK(!script_is_multisig(&ms,
			    text_at(s, len))))
				printf("#   byte %zu = %u\n", i, b);
		}
		s[i] = was;
	}
	CHECK(script_is_multisig(&ms, text_at(s, len)));
	/* What would count 17, if that could be counted so. */
	(void)script_multisig(s, 2, (const void *)keys, 16);
	len = 3 + 17 * 34;
	memcpy(s + 1 + 16 * 34, s + 1, 34);
	s[len - 2] = OP_16 + 1;
	s[len - 1] = OP_CHECKMULTISIG;
	CHECK(!script_is_multisig(&ms, text_at(s, len)));
}

static void
test_sort(void)
{
	unsigned char	 keys[MULTISIG_MAX][PUBLIC_KEY_LEN];
	unsigned	 n, i, round, seed = 1;

	check_case("keys in BIP67's order");
	for (round = 0; round < 200; round++) {
		n = round % (MULTISIG_MAX + 1);
		for (i = 0; i < n; i++) {
			seed = seed * 1103515245 + 12345;
			memset(keys[i], (int)(seed >> 16 & 7),
			    PUBLIC_KEY_LEN);
			keys[i][PUBLIC_KEY_LEN - 1] =
			    (unsigned char)(seed >> 20);
		}
		script_sort_keys(keys, n);
		for (i = 1; i < n; i++)
			CHECK(memcmp(keys[i - 1], keys[i],
			    PUBLIC_KEY_LEN) <= 0);
	}
}

static void
test_sort_others(void)
{
	static const char *path = OTHERS "misc-core/bip67-sorted-multisig.json";
	unsigned char	 keys[MULTISIG_MAX][PUBLIC_KEY_LEN];
	unsigned char	 s[MULTISIG_SCRIPT_MAX];
	json_t		*cases = vectors_read(path), *c, *k;
	size_t		 i, j;
	unsigned	 n;

	if (cases == NULL) {
		vectors_skip("BIP67's vectors", path);
		return;
	}
	check_case("BIP67's vectors");
	json_array_foreach(cases, i, c) {
		n = 0;
		json_array_foreach(json_object_get(c, "keys"), j, k)
			(void)vectors_hex(keys[n++], PUBLIC_KEY_LEN,
			    json_string_value(k));
		script_sort_keys(keys, n);
		check_bytes(s, script_multisig(s, 2, (const void *)keys, n),
		    vectors_text(c, "script"));
	}
}

static void
test_witness(void)
{
	unsigned char	 s[64], *p;
	struct text	 program;
	unsigned	 version, op, len;
	bool		 is;

	check_case("witness programs: versions 0 to 16, of 2 to 40 bytes");
	for (op = 0; op < 256; op++) {
		for (len = 0; len < 50; len++) {
			memset(s, 0xab, sizeof(s));
			s[0] = (unsigned char)op;
			s[1] = (unsigned char)len;
			p = hostile_place(s, 2 + len);
			is = script_is_witness(&version, &program,
			    text_at(p, 2 + len));
			CHECK(is == ((op == OP_0 || (op >= OP_1 &&
			    op <= OP_16)) && len >= 2 && len <= 40));
			if (!is)
				continue;
			CHECK_INT(version, op == 0 ? 0 : op - 0x50);
			CHECK(program.len == len &&
			    program.p == (const char *)p + 2);
			/* A byte more or less is not what the push says. */
			CHECK(!script_is_witness(&version, &program,
			    text_at(s, 1 + len)));
			CHECK(!script_is_witness(&version, &program,
			    text_at(s, 3 + len)));
		}
	}
	p = hostile_place(s, 0);
	CHECK(!script_is_witness(&version, &program, text_at(p, 0)));
}

static void
test_dust(void)
{
	static unsigned char long_script[SCRIPT_MAX + 1];
	unsigned char	 s[64];
	unsigned char	 h[32] = { 0 };

	check_case("dust, as Bitcoin Core has it");
	CHECK_INT(script_dust_sat(text_at(s, script_p2pkh(s, h))), 546);
	CHECK_INT(script_dust_sat(text_at(s, script_p2sh(s, h))), 540);
	CHECK_INT(script_dust_sat(text_at(s, script_p2wpkh(s, h))), 294);
	CHECK_INT(script_dust_sat(text_at(s, script_p2wsh(s, h))), 330);
	CHECK_INT(script_dust_sat(text_at(s, script_p2tr(s, h))), 330);
	CHECK_INT(script_dust_sat(text_of_hex(s, sizeof(s), "51024e73")),
	    240);
	CHECK_INT(script_dust_sat(text_of_hex(s, sizeof(s), "6a0101")), 0);
	CHECK_INT(script_dust_sat(text_at(s, 0)), 3 * (8 + 1 + 148));
	memset(long_script, OP_1, sizeof(long_script));
	CHECK_INT(script_dust_sat(text_at(long_script, SCRIPT_MAX)),
	    3 * (8 + 3 + SCRIPT_MAX + 148));
	CHECK_INT(script_dust_sat(text_at(long_script, SCRIPT_MAX + 1)), 0);
}

/*
 * Walk a script and write down what was found; whether the walk came to the
 * end, and then the copy must be the script.
 */
static bool
walks(struct text script)
{
	static unsigned char copy[1 << 16];
	struct text	 rest = script, data;
	unsigned	 op, size, i;
	size_t		 n = 0;

	while (script_next(&op, &data, &rest)) {
		copy[n++] = (unsigned char)op;
		CHECK((data.p != NULL) == (op <= OP_PUSHDATA4));
		size = op < OP_PUSHDATA1 || op > OP_PUSHDATA4 ? 0 :
		    1u << (op - OP_PUSHDATA1);
		for (i = 0; i < size; i++)
			copy[n++] = (unsigned char)(data.len >> 8 * i);
		if (data.len > 0)
			memcpy(copy + n, data.p, data.len);
		n += data.len;
	}
	CHECK(n + rest.len == script.len);
	CHECK(n == 0 || memcmp(copy, script.p, n) == 0);
	return rest.len == 0;
}

static void
test_next(void)
{
	static const struct {
		const char	*hex;
		bool		 whole;
	} cases[] = {
		{ "", true },
		{ "00", true },
		{ "01", false },
		{ "0101", true },
		{ "4b01", false },
		{ "4c", false },
		{ "4c00", true },
		{ "4c01", false },
		{ "4c0101", true },
		{ "4d00", false },
		{ "4d0000", true },
		{ "4d0100ff", true },
		{ "4d0101ff", false },
		{ "4e000000", false },
		{ "4e00000000", true },
		{ "4e01000000aa51", true },
		{ "4effffffffaa51", false },
		{ "76a9ac88ae6aff", true },
	};
	unsigned char	 buf[64], *p;
	struct text	 t;
	size_t		 i, cut;

	check_case("a script, operation by operation");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		t = text_of_hex(buf, sizeof(buf), cases[i].hex);
		p = hostile_place(buf, t.len);
		if (!CHECK(walks(text_at(p, t.len)) == cases[i].whole))
			printf("#   %s\n", cases[i].hex);
		for (cut = 0; cut < t.len; cut++) {
			p = hostile_place(buf, cut);
			(void)walks(text_at(p, cut));
		}
	}
	t.p = NULL;
	t.len = 0;
	CHECK(walks(t));
}

/* Every question about a script, asked of one that ends where memory does. */
static bool
ask_everything(const unsigned char *bytes, size_t len)
{
	unsigned char	*p = hostile_place(bytes, len);
	struct text	 program, t = text_at(p, len);
	struct multisig	 ms;
	unsigned	 version;

	(void)script_is_multisig(&ms, t);
	(void)script_is_witness(&version, &program, t);
	CHECK(script_dust_sat(t) >= 0);
	return walks(t);
}

static void
test_core(void)
{
	static const char *path = OTHERS "core-script/script-tests.json";
	static unsigned char buf[20000];
	json_t		*cases = vectors_read(path), *c;
	size_t		 i, len, cut, whole = 0;
	const char	*keys[] = { "script_pubkey", "script_sig" };
	int		 k;

	if (cases == NULL) {
		vectors_skip("Bitcoin Core's scripts", path);
		return;
	}
	check_case("Bitcoin Core's scripts, and every truncation");
	json_array_foreach(cases, i, c) {
		for (k = 0; k < 2; k++) {
			len = vectors_hex(buf, sizeof(buf),
			    vectors_text(c, keys[k]));
			if (ask_everything(buf, len))
				whole++;
			/* What runs to its end has an end. */
			else
				CHECK(strcmp(vectors_text(c, "result"),
				    "OK") != 0);
			for (cut = 0; cut < len && len < 1500; cut++)
				(void)ask_everything(buf, cut);
		}
	}
	CHECK(whole > json_array_size(cases));
}

static void
test_bip341(void)
{
	static const char *path = OTHERS "bip341/script-pubkey.json";
	unsigned char	 key[XONLY_LEN], s[ADDRESS_SCRIPT_MAX];
	char		 text[ADDRESS_TEXT_MAX];
	json_t		*cases = vectors_read(path), *c, *expected;
	size_t		 i, len;

	if (cases == NULL) {
		vectors_skip("BIP341's scripts", path);
		return;
	}
	check_case("BIP341's scripts");
	json_array_foreach(cases, i, c) {
		expected = json_object_get(c, "expected");
		(void)vectors_hex(key, sizeof(key), vectors_text(
		    json_object_get(c, "intermediary"), "tweakedPubkey"));
		len = script_p2tr(s, key);
		check_bytes(s, len, vectors_text(expected, "scriptPubKey"));
		CHECK(address_encode(text, NETWORK_MAIN, s, len));
		CHECK_STR(text, vectors_text(expected, "bip350Address"));
	}
}

int
main(void)
{
	test_forms();
	test_multisig();
	test_sort();
	test_sort_others();
	test_witness();
	test_dust();
	test_next();
	test_core();
	test_bip341();
	return check_done();
}
