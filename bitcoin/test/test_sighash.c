#include "tests/check.h"

#include <stdlib.h>

#include "bitcoin/hash.h"
#include "bitcoin/sighash.h"
#include "bitcoin/test/vectors.h"

#define OURS	"tests/vectors/"
#define OTHERS	"../shared/vectors/"

#define HEX_MAX	((size_t)1 << 16)
#define INS_MAX	64

/* A transaction of a vector, and the bytes that it points into. */
struct given {
	unsigned char	bytes[HEX_MAX];
	unsigned char	more[HEX_MAX];
	struct tx	tx;
	struct tx_out	spent[INS_MAX];
	struct sighash	s;
};

static struct given	 g;

static bool
give(const char *hex)
{
	size_t		 len = vectors_hex(g.bytes, HEX_MAX, hex), used;
	struct err	 e;

	memset(g.spent, 0, sizeof(g.spent));
	if (!CHECK(tx_parse_at(&g.tx, &used, false, g.bytes, len, &e) ==
	    RC_OK && used == len))
		return false;
	return CHECK(g.tx.n_in <= INS_MAX);
}

static struct text
give_more(const char *hex)
{
	struct text	 t = { (char *)g.more,
			    vectors_hex(g.more, HEX_MAX, hex) };

	return t;
}

/* back_to_front: as Bitcoin Core prints hashes. */
static void
same_hash(const unsigned char got[32], const char *hex, bool back_to_front)
{
	unsigned char	 want[32];
	char		 text[65];

	if (back_to_front) {
		hash_text(text, got);
		CHECK_STR(text, hex);
		return;
	}
	CHECK_INT(vectors_hex(want, sizeof(want), hex), 32);
	CHECK(memcmp(got, want, 32) == 0);
}

static int64_t
number(json_t *c, const char *key)
{
	return (int64_t)json_integer_value(json_object_get(c, key));
}

/* BIP143's, and ours of the same form. */
static void
run_v0(const char *path, size_t want, const char *tx_key)
{
	json_t		*cases = vectors_read(path), *c;
	unsigned char	 got[32];
	struct text	 code;
	size_t		 i, in;

	check_case(path);
	if (cases == NULL) {
		vectors_skip(path, path);
		check_case_name = NULL;
		return;
	}
	json_array_foreach(cases, i, c) {
		if (!give(vectors_text(c, tx_key)))
			return;
		in = (size_t)number(c, "input_index");
		if (!CHECK(in < g.tx.n_in))
			return;
		g.spent[in].amount_sat = number(c, "amount");
		code = give_more(vectors_text(c, "script_code"));
		sighash_begin(&g.s, &g.tx, g.spent);
		sighash_v0(got, &g.s, in, code,
		    (uint32_t)number(c, "hash_type"));
		same_hash(got, vectors_text(c, "sighash"), false);
		tx_free(&g.tx);
	}
	CHECK_INT(i, want);
}

/* What an array of {amount, script} says was spent. */
static void
give_spent(json_t *prevouts, const char *amount, const char *script)
{
	unsigned char	*p = g.more;
	json_t		*one;
	size_t		 i;

	json_array_foreach(prevouts, i, one) {
		g.spent[i].amount_sat = number(one, amount);
		g.spent[i].script.p = (char *)p;
		g.spent[i].script.len = vectors_hex(p,
		    HEX_MAX - (size_t)(p - g.more), vectors_text(one, script));
		p += g.spent[i].script.len;
	}
	CHECK_INT(i, g.tx.n_in);
}

static void
test_v1(void)
{
	json_t		*cases = vectors_read(OURS "bip341-keypath.json"), *c;
	unsigned char	 got[32];
	size_t		 i;

	check_case(OURS "bip341-keypath.json");
	json_array_foreach(cases, i, c) {
		if (!give(vectors_text(c, "unsigned_tx")))
			return;
		give_spent(json_object_get(c, "prevouts"), "amount",
		    "script_pubkey");
		sighash_begin(&g.s, &g.tx, g.spent);
		CHECK(sighash_v1(got, &g.s,
		    (size_t)number(c, "input_index"),
		    (uint8_t)number(c, "hash_type")));
		same_hash(got, vectors_text(c, "sighash"), false);
		tx_free(&g.tx);
	}
	CHECK_INT(i, 60);
}

/* BIP341's own: one transaction, and a hash of each kind for its inputs. */
static void
test_bip341(void)
{
	static const char *path = OTHERS "bip341/keypath-inputs.json";
	json_t		*doc = json_load_file(path, 0, NULL);
	json_t		*given = json_object_get(doc, "given"), *c;
	json_t		*mid = json_object_get(doc, "intermediary");
	unsigned char	 got[32];
	size_t		 i;

	check_case(path);
	if (doc == NULL) {
		vectors_skip(path, path);
		check_case_name = NULL;
		return;
	}
	if (!give(vectors_text(given, "rawUnsignedTx")))
		return;
	give_spent(json_object_get(given, "utxosSpent"), "amountSats",
	    "scriptPubKey");
	sighash_begin(&g.s, &g.tx, g.spent);
	same_hash(g.s.amounts, vectors_text(mid, "hashAmounts"), false);
	same_hash(g.s.outputs, vectors_text(mid, "hashOutputs"), false);
	same_hash(g.s.prevouts, vectors_text(mid, "hashPrevouts"), false);
	same_hash(g.s.scripts, vectors_text(mid, "hashScriptPubkeys"), false);
	same_hash(g.s.sequences, vectors_text(mid, "hashSequences"), false);
	json_array_foreach(json_object_get(doc, "cases"), i, c) {
		json_t	*in = json_object_get(c, "given");

		if (in == NULL)
			in = c;
		CHECK(sighash_v1(got, &g.s, (size_t)number(in, "txinIndex"),
		    (uint8_t)number(in, "hashType")));
		same_hash(got, vectors_text(json_object_get(c,
		    "intermediary") != NULL ? json_object_get(c,
		    "intermediary") : c, "sigHash"), false);
	}
	CHECK_INT(i, 5);
	tx_free(&g.tx);
	json_decref(doc);
}

/* Types that taproot does not have, and SINGLE without its output. */
static void
test_v1_types(void)
{
	struct tx_in	 in[3];
	struct tx_out	 out[2], spent[3];
	struct tx	 tx = { 2, 0, in, 3, out, 2, false };
	struct sighash	 s;
	unsigned char	 got[32];
	unsigned	 type, good = 0;
	size_t		 i;

	check_case("taproot has seven types, SINGLE needs its output");
	memset(in, 0, sizeof(in));
	memset(out, 0, sizeof(out));
	memset(spent, 0, sizeof(spent));
	for (i = 0; i < 3; i++)
		spent[i].script = text_of("x");
	sighash_begin(&s, &tx, spent);
	for (type = 0; type < 256; type++)
		good += sighash_v1(got, &s, 1, (uint8_t)type);
	CHECK_INT(good, 7);
	CHECK(!sighash_v1(got, &s, 2, SIGHASH_SINGLE));
	CHECK(!sighash_v1(got, &s, 2, SIGHASH_SINGLE | SIGHASH_ANYONECANPAY));
	CHECK(!sighash_v1(got, &s, 0, SIGHASH_ANYONECANPAY));
	CHECK(sighash_v1(got, &s, 2, SIGHASH_NONE));
}

static void
test_legacy(void)
{
	static const char *path = OTHERS "core-sighash/legacy-sighash.json";
	json_t		*cases = vectors_read(path), *c;
	unsigned char	 got[32];
	struct text	 code;
	struct err	 e;
	size_t		 i;

	check_case(path);
	if (cases == NULL) {
		vectors_skip(path, path);
		check_case_name = NULL;
		return;
	}
	json_array_foreach(cases, i, c) {
		if (!give(vectors_text(c, "tx")))
			return;
		code = give_more(vectors_text(c, "script"));
		CHECK(sighash_legacy(got, &g.tx,
		    (size_t)number(c, "input_index"), code,
		    (uint32_t)number(c, "hash_type"), &e) == RC_OK);
		same_hash(got, vectors_text(c, "sighash"), true);
		tx_free(&g.tx);
	}
	CHECK_INT(i, 334);
}

/* A hash of the number one would be a signature of everything. */
static void
test_legacy_single(void)
{
	struct tx_in	 in[2];
	struct tx_out	 out;
	struct tx	 tx = { 1, 0, in, 2, &out, 1, false };
	unsigned char	 got[32];
	struct err	 e;

	check_case("before segwit, SINGLE without its output is refused");
	memset(in, 0, sizeof(in));
	memset(&out, 0, sizeof(out));
	CHECK(sighash_legacy(got, &tx, 0, text_of("x"), SIGHASH_SINGLE, &e)
	    == RC_OK);
	CHECK(sighash_legacy(got, &tx, 1, text_of("x"), SIGHASH_SINGLE, &e)
	    == RC_FAILED);
	CHECK_STR(e.text, "input 1: SIGHASH_SINGLE without an output of that "
	    "number");
	CHECK(sighash_legacy(got, &tx, 1, text_of("x"), SIGHASH_SINGLE |
	    SIGHASH_ANYONECANPAY, NULL) == RC_FAILED);
}

/* OP_CODESEPARATOR goes where it is an instruction, not where it is data, and
 * a push that is cut short stands as it is. */
static void
test_codeseparator(void)
{
	static const struct {
		struct text	 with, without;
	} t[] = {
		{ { "\xab\x51\xab\x52\xab", 5 }, { "\x51\x52", 2 } },
		{ { "\x01\xab\x51", 3 }, { "\x01\xab\x51", 3 } },
		{ { "\xab\x4c\x01\xab\xab", 5 }, { "\x4c\x01\xab", 3 } },
		{ { "\xab\x05\xab\xab", 4 }, { "\x05\xab\xab", 3 } },
		{ { "\x4d\x01", 2 }, { "\x4d\x01", 2 } },
		{ { "\xab", 1 }, { NULL, 0 } },
	};
	struct tx_in	 in;
	struct tx_out	 out;
	struct tx	 tx = { 1, 0, &in, 1, &out, 1, false };
	unsigned char	 a[32], b[32];
	struct err	 e;
	size_t		 i;

	check_case("OP_CODESEPARATOR is taken out");
	memset(&in, 0, sizeof(in));
	memset(&out, 0, sizeof(out));
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		CHECK(sighash_legacy(a, &tx, 0, t[i].with, 1, &e) == RC_OK &&
		    sighash_legacy(b, &tx, 0, t[i].without, 1, &e) == RC_OK);
		CHECK(memcmp(a, b, 32) == 0);
	}
	CHECK(sighash_legacy(a, &tx, 0, text_of("a"), 1, &e) == RC_OK);
	CHECK(memcmp(a, b, 32) != 0);
}

int
main(void)
{
	run_v0(OURS "bip143-sighash.json", 120, "unsigned_tx");
	run_v0(OTHERS "bip143/sighash.json", 9, "unsigned_tx");
	test_v1();
	test_bip341();
	test_v1_types();
	test_legacy();
	test_legacy_single();
	test_codeseparator();
	return check_done();
}
