#define HOSTILE_ALLOC
#include "tests/check.h"

#include <stdlib.h>

#include "bitcoin/cursor.h"
#include "bitcoin/hash.h"
#include "bitcoin/test/hostile.h"
#include "bitcoin/test/vectors.h"
#include "bitcoin/tx.h"

#define OTHERS	"../shared/vectors/"
#define ROOM	(1 << 18)

/* One input of no script, one output of 1 satoshi to no script. */
#define OUTPOINT "11111111111111111111111111111111" \
    "11111111111111111111111111111111" "00000000"
#define INPUT	OUTPOINT "00" "ffffffff"
#define OUTPUT	"0100000000000000" "00"

static bool
parses(struct tx *t, const unsigned char *bytes, size_t len, struct err *e)
{
	memset(e, 0, sizeof(*e));
	return tx_parse(t, bytes, len, e) == RC_OK;
}

/* What was parsed is written as it was. */
static void
check_round_trip(const struct tx *t, const unsigned char *bytes, size_t len)
{
	static unsigned char again[ROOM];
	unsigned char	 id[32], wid[32], want[32];
	struct tx	 bare;
	struct err	 e;
	size_t		 n;

	CHECK_INT(tx_size(t, true), len);
	CHECK_INT(tx_write(t, true, again), len);
	CHECK(memcmp(again, bytes, len) == 0);
	tx_wtxid(t, wid);
	hash256(want, bytes, len);
	CHECK(memcmp(wid, want, sizeof(want)) == 0);
	tx_txid(t, id);
	n = tx_write(t, false, again);
	CHECK_INT(n, tx_size(t, false));
	CHECK((n == len) == !t->has_witness);
	hash256(want, again, n);
	CHECK(memcmp(id, want, sizeof(want)) == 0);
	CHECK_INT(tx_weight(t), 3 * n + len);
	CHECK_INT(tx_vsize(t), (3 * n + len + 3) / 4);
	/* Without its witnesses it is the same transaction. */
	if (!CHECK(parses(&bare, again, n, &e)))
		return;
	tx_txid(&bare, want);
	CHECK(memcmp(id, want, sizeof(want)) == 0);
	CHECK(!bare.has_witness);
	tx_free(&bare);
}

static void
check_text(struct text t, const char *hex)
{
	static unsigned char want[ROOM];
	size_t		 n = vectors_hex(want, sizeof(want), hex);

	CHECK(t.p != NULL && t.len == n &&
	    (n == 0 || memcmp(t.p, want, n) == 0));
}

static long long
number(json_t *c, const char *key)
{
	return json_integer_value(json_object_get(c, key));
}

static void
check_in(const struct tx_in *in, json_t *c)
{
	json_t		*items = json_object_get(c, "witness"), *item;
	char		 text[65];
	size_t		 k;

	hash_text(text, in->prev.txid);
	CHECK_STR(text, vectors_text(c, "txid"));
	CHECK_INT(in->prev.vout, number(c, "vout"));
	CHECK_INT(in->sequence, number(c, "sequence"));
	check_text(in->script_sig, vectors_text(c, "script_sig"));
	CHECK_INT(in->n_witness, json_array_size(items));
	CHECK((in->witness.p != NULL) == (in->n_witness > 0));
	json_array_foreach(items, k, item)
		check_text(tx_witness_item(in, (uint32_t)k),
		    json_string_value(item));
	CHECK(tx_witness_item(in, in->n_witness).p == NULL);
	CHECK(tx_witness_item(in, UINT32_MAX).p == NULL);
}

static void
check_fields(const struct tx *t, json_t *c)
{
	json_t		*ins = json_object_get(c, "inputs");
	json_t		*outs = json_object_get(c, "outputs"), *o;
	unsigned char	 id[32];
	char		 text[65];
	size_t		 i;

	tx_txid(t, id);
	hash_text(text, id);
	CHECK_STR(text, vectors_text(c, "txid"));
	tx_wtxid(t, id);
	hash_text(text, id);
	CHECK_STR(text, vectors_text(c, "wtxid"));
	CHECK_INT(tx_weight(t), number(c, "weight"));
	CHECK_INT(tx_vsize(t), number(c, "vsize"));
	CHECK_INT(t->version, number(c, "version"));
	CHECK_INT(t->locktime, number(c, "locktime"));
	if (!CHECK(t->n_in == json_array_size(ins) &&
	    t->n_out == json_array_size(outs)))
		return;
	for (i = 0; i < t->n_in; i++)
		check_in(&t->in[i], json_array_get(ins, i));
	json_array_foreach(outs, i, o) {
		CHECK_INT(t->out[i].amount_sat, number(o, "amount_sat"));
		check_text(t->out[i].script, vectors_text(o, "script"));
	}
}

/* No beginning of a transaction is one, and none is read beyond. */
static void
check_cuts(const unsigned char *bytes, size_t len)
{
	unsigned char	*p;
	struct tx	 t;
	struct err	 e;
	size_t		 cut, used;
	long		 live = hostile_live;

	for (cut = 0; cut < len; cut++) {
		p = hostile_place(bytes, cut);
		if (!CHECK(!parses(&t, p, cut, &e)))
			printf("#   the first %zu bytes\n", cut);
		CHECK(e.text[0] != '\0' && t.in == NULL && t.n_in == 0);
		if (tx_parse_at(&t, &used, true, p, cut, &e) == RC_OK)
			tx_free(&t);
	}
	CHECK_INT(hostile_live, live);
}

static void
check_allocations(const unsigned char *bytes, size_t len)
{
	unsigned long	 k;
	struct tx	 t;
	struct err	 e;
	long		 live = hostile_live;
	bool		 good;

	for (k = 1;; k++) {
		hostile_fail(k);
		good = parses(&t, bytes, len, &e);
		if (!hostile_end())
			break;
		CHECK(!good && t.in == NULL && t.out == NULL);
		CHECK(strstr(e.text, "no memory") != NULL);
		CHECK_INT(hostile_live, live);
	}
	CHECK_INT(k, 3);	/* Inputs and outputs. */
	tx_free(&t);
	CHECK_INT(hostile_live, live);
}

/* Each bit the other way: refused, or another one that comes out as is. */
static void
check_bits(const unsigned char *bytes, size_t len)
{
	static unsigned char again[ROOM];
	unsigned char	*p = hostile_place(bytes, len);
	struct tx	 t;
	struct err	 e;
	size_t		 i;

	for (i = 0; i < len * 8; i++) {
		p[i / 8] ^= (unsigned char)(1u << i % 8);
		if (parses(&t, p, len, &e)) {
			CHECK_INT(tx_size(&t, true), len);
			(void)tx_write(&t, true, again);
			CHECK(memcmp(again, p, len) == 0);
			tx_free(&t);
		}
		p[i / 8] ^= (unsigned char)(1u << i % 8);
	}
}

/* Everything that goes for every transaction. */
static void
check_whole(const unsigned char *bytes, size_t len)
{
	static unsigned char longer[ROOM];
	unsigned char	*p = hostile_place(bytes, len);
	struct tx	 t;
	struct err	 e;
	size_t		 used;
	long		 live = hostile_live;

	if (!CHECK(parses(&t, p, len, &e))) {
		printf("#   %s\n", e.text);
		return;
	}
	check_round_trip(&t, bytes, len);
	tx_free(&t);
	tx_free(&t);
	memcpy(longer, bytes, len);
	longer[len] = 0;
	CHECK(!parses(&t, longer, len + 1, &e));
	CHECK_STR(e.text, "1 bytes follow it");
	CHECK(t.in == NULL && t.n_in == 0);
	CHECK_INT(hostile_live, live);
	CHECK(tx_parse_at(&t, &used, false, longer, len + 1, &e) == RC_OK);
	CHECK_INT(used, len);
	tx_free(&t);
	check_cuts(bytes, len);
	check_allocations(bytes, len);
}

static void
test_own(void)
{
	static unsigned char buf[ROOM];
	json_t		*cases, *c;
	struct tx	 t;
	struct err	 e;
	size_t		 i, len;

	check_case("transactions taken apart, cut, put together again");
	cases = vectors_read("tests/vectors/transactions.json");
	CHECK_INT(json_array_size(cases), 33);
	json_array_foreach(cases, i, c) {
		len = vectors_hex(buf, sizeof(buf), vectors_text(c, "hex"));
		CHECK_INT(len, number(c, "size"));
		check_whole(buf, len);
		check_bits(buf, len);
		if (CHECK(parses(&t, buf, len, &e))) {
			check_fields(&t, c);
			tx_free(&t);
		}
	}
}

static void
check_refused(const char *hex, const char *why)
{
	unsigned char	 buf[1024], *p;
	struct tx	 t;
	struct err	 e;
	size_t		 len = vectors_hex(buf, sizeof(buf), hex);

	p = hostile_place(buf, len);
	if (!CHECK(!parses(&t, p, len, &e))) {
		printf("#   %s\n", hex);
		tx_free(&t);
		return;
	}
	if (!CHECK(strstr(e.text, why) != NULL))
		printf("#   %s: %s\n", e.text, hex);
}

static void
check_taken(const char *hex)
{
	unsigned char	 buf[1024];

	check_whole(buf, vectors_hex(buf, sizeof(buf), hex));
}

static void
test_counts(void)
{
	check_case("at least one input and one output");
	check_taken("01000000" "01" INPUT "01" OUTPUT "00000000");
	check_taken("ffffffff" "01" INPUT "01" OUTPUT "ffffffff");
	check_refused("01000000" "00" "00" "00000000", "no inputs");
	check_refused("01000000" "00" "0001" "01" OUTPUT "00" "00000000",
	    "no inputs");
	check_refused("01000000" "0001" "00" "01" OUTPUT "00000000",
	    "no inputs");
	check_refused("01000000" "01" INPUT "00" "00000000", "no outputs");

	check_case("nothing is allocated for a count beyond the bytes");
	check_refused("01000000" "02" INPUT "01" OUTPUT "00000000", "short");
	check_refused("01000000" "01" INPUT "02" OUTPUT "00000000", "short");
	check_refused("01000000" "feffffff7f" INPUT "01" OUTPUT "00000000",
	    "short");
	check_refused("01000000" "ffffffffffffffffff" INPUT "01" OUTPUT
	    "00000000", "short");
	check_refused("01000000" "01" INPUT "ffffffffffffffffff" OUTPUT
	    "00000000", "short");
	check_refused("01000000" "01" OUTPOINT "ffffffffffffffffff"
	    "ffffffff" "01" OUTPUT "00000000", "short");
	check_refused("01000000" "0001" "01" INPUT "01" OUTPUT
	    "ffffffffffffffffff" "00000000", "short");
	check_refused("01000000" "0001" "01" INPUT "01" OUTPUT
	    "01ffffffffffffffffff" "00000000", "short");
}

static void
check_shortest(size_t n_in, size_t n_out)
{
	static unsigned char buf[10 + 200 * (41 + 9)];
	size_t		 len = 10 + n_in * 41 + n_out * 9;
	struct tx	 t;
	struct err	 e;

	memset(buf, 0, sizeof(buf));
	buf[4] = (unsigned char)n_in;
	buf[5 + n_in * 41] = (unsigned char)n_out;
	if (CHECK(parses(&t, buf, len, &e)))
		check_round_trip(&t, buf, len);
	tx_free(&t);
}

/* As short as they can be, and so many that nothing else fills the bytes. */
static void
test_shortest(void)
{
	check_case("inputs and outputs of the least length");
	check_shortest(1, 1);
	check_shortest(200, 1);
	check_shortest(1, 200);
	check_shortest(200, 200);
}

static void
test_compact_rules(void)
{
	check_case("compact sizes in their shortest form only");
	check_refused("01000000" "fd0100" INPUT "01" OUTPUT "00000000",
	    "short");
	check_refused("01000000" "fe01000000" INPUT "01" OUTPUT "00000000",
	    "short");
	check_refused("01000000" "ff0100000000000000" INPUT "01" OUTPUT
	    "00000000", "short");
	check_refused("01000000" "01" INPUT "fd0100" OUTPUT "00000000",
	    "short");
	check_refused("01000000" "01" OUTPOINT "fd0000" "ffffffff" "01"
	    OUTPUT "00000000", "short");
	check_refused("01000000" "01" INPUT "01" "0100000000000000" "fd0000"
	    "00000000", "short");
	check_refused("01000000" "0001" "01" INPUT "01" OUTPUT "fd0100" "00"
	    "00000000", "short");
	check_refused("01000000" "0001" "01" INPUT "01" OUTPUT "01" "fd0000"
	    "00000000", "short");
}

static void
test_amounts(void)
{
	check_case("amounts of 0 to 21 million, each and together");
	check_taken("01000000" "01" INPUT "01" "0000000000000000" "00"
	    "00000000");
	check_taken("01000000" "01" INPUT "01" "0040075af0750700" "00"
	    "00000000");
	check_refused("01000000" "01" INPUT "01" "0140075af0750700" "00"
	    "00000000", "output 0: more money");
	check_refused("01000000" "01" INPUT "01" "ffffffffffffffff" "00"
	    "00000000", "output 0: more money");
	check_refused("01000000" "01" INPUT "01" "0000000000000080" "00"
	    "00000000", "output 0: more money");
	check_refused("01000000" "01" INPUT "02" "0040075af0750700" "00"
	    OUTPUT "00000000", "output 1: more money");
	/* A sum that goes round: 1 + (2^64 - 1) = 0. */
	check_refused("01000000" "01" INPUT "02" OUTPUT "ffffffffffffffff"
	    "00" "00000000", "output 1: more money");
}

static void
test_witness_rules(void)
{
	check_case("witnesses: the one flag, and not all of them empty");
	check_taken("01000000" "0001" "01" INPUT "01" OUTPUT "01" "00"
	    "00000000");
	check_taken("01000000" "0001" "02" INPUT INPUT "01" OUTPUT "00"
	    "02" "01aa" "00" "00000000");
	check_refused("01000000" "0001" "01" INPUT "01" OUTPUT "00"
	    "00000000", "has none");
	check_refused("01000000" "0002" "01" INPUT "01" OUTPUT "01" "00"
	    "00000000", "flags");
	check_refused("01000000" "0003" "01" INPUT "01" OUTPUT "01" "00"
	    "00000000", "flags");
	check_refused("01000000" "0001" "01" INPUT "01" OUTPUT "01000000",
	    "short");
}

static void
test_bare(void)
{
	unsigned char	 buf[256], again[256];
	struct tx	 t;
	struct err	 e;
	size_t		 len, used;

	check_case("bare: what has no inputs or outputs, never a witness");
	len = vectors_hex(buf, sizeof(buf), "02000000" "00" "00" "00000000");
	CHECK(tx_parse_at(&t, &used, true, buf, len, &e) == RC_OK);
	CHECK_INT(used, len);
	CHECK(t.n_in == 0 && t.n_out == 0 && !t.has_witness);
	CHECK_INT(tx_write(&t, true, again), len);
	CHECK(memcmp(again, buf, len) == 0);
	tx_free(&t);
	len = vectors_hex(buf, sizeof(buf), "02000000" "00" "01" OUTPUT
	    "00000000");
	CHECK(tx_parse_at(&t, &used, true, buf, len, &e) == RC_OK);
	CHECK(t.n_in == 0 && t.n_out == 1 && used == len);
	tx_free(&t);
	len = vectors_hex(buf, sizeof(buf), "02000000" "01" INPUT "00"
	    "00000000");
	CHECK(tx_parse_at(&t, &used, true, buf, len, &e) == RC_OK);
	CHECK(t.n_in == 1 && t.n_out == 0 && used == len);
	tx_free(&t);
	/* A witness begins like no inputs and one output, and then fails. */
	len = vectors_hex(buf, sizeof(buf), "01000000" "0001" "01" INPUT "01"
	    OUTPUT "01" "00" "00000000");
	CHECK(tx_parse_at(&t, &used, true, buf, len, &e) == RC_FAILED);
	CHECK_INT(used, 0);
}

static void
test_too_long(void)
{
	unsigned char	*big = calloc(1, TX_BYTES_MAX + 1);
	struct tx	 t;
	struct err	 e;
	size_t		 head, script = TX_BYTES_MAX - 64, used;

	/* 60 bytes and a script whose length takes 5. */
	check_case("four million bytes, and not one more");
	if (!CHECK(big != NULL))
		return;
	big[4] = 1;
	big[46] = 1;
	head = (size_t)(put_compact(big + 55, script) - big);
	CHECK_INT(head + script + 4, TX_BYTES_MAX);
	CHECK(parses(&t, big, TX_BYTES_MAX, &e));
	CHECK_INT(t.out[0].script.len, script);
	tx_free(&t);
	CHECK(tx_parse_at(&t, &used, false, big, TX_BYTES_MAX + 1, &e) ==
	    RC_OK);
	tx_free(&t);
	(void)put_compact(big + 55, script + 1);
	CHECK(!parses(&t, big, TX_BYTES_MAX + 1, &e));
	CHECK(tx_parse_at(&t, &used, false, big, TX_BYTES_MAX + 1, &e) ==
	    RC_FAILED);
	free(big);
}

static void
test_compact(void)
{
	static const struct {
		uint64_t	 n;
		const char	*hex;
	} cases[] = {
		{ 0, "00" },
		{ 0xfc, "fc" },
		{ 0xfd, "fdfd00" },
		{ 0xffff, "fdffff" },
		{ 0x10000, "fe00000100" },
		{ 0xffffffff, "feffffffff" },
		{ UINT64_C(0x100000000), "ff0000000001000000" },
		{ UINT64_MAX, "ffffffffffffffffff" },
	};
	unsigned char	 buf[16], want[16];
	size_t		 i, n;

	check_case("compact sizes");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		n = vectors_hex(want, sizeof(want), cases[i].hex);
		CHECK_INT(compact_len(cases[i].n), n);
		CHECK_INT(put_compact(buf, cases[i].n) - buf, n);
		CHECK(memcmp(buf, want, n) == 0);
	}
}

static void
test_cursor(void)
{
	static const struct {
		const char	*hex;
		bool		 good;
	} cases[] = {
		{ "", false },
		{ "fd", false },
		{ "fdfd", false },
		{ "fdfc00", false },
		{ "fdfd00", true },
		{ "feffff00", false },
		{ "feffff0000", false },
		{ "fe00000100", true },
		{ "ffffffffff00000000", false },
		{ "ff00000000010000", false },
		{ "ff0000000001000000", true },
	};
	unsigned char	 buf[16], *p, out[4];
	struct cursor	 c;
	size_t		 i, n;

	check_case("a cursor stops at the first mistake, and stays there");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		n = vectors_hex(buf, sizeof(buf), cases[i].hex);
		p = hostile_place(buf, n);
		c = cursor_of(p, n);
		if (!CHECK((cursor_compact(&c) > 0) == cases[i].good))
			printf("#   %s\n", cases[i].hex);
		CHECK(c.bad == !cases[i].good);
		CHECK_INT(cursor_left(&c), 0);
	}
	p = hostile_place("\1\2\3\4\5", 5);
	c = cursor_of(p, 5);
	CHECK_INT(cursor_le(&c, 2), 0x201);
	CHECK_INT(cursor_left(&c), 3);
	memset(out, 0xff, sizeof(out));
	cursor_copy(&c, out, 4);
	CHECK(c.bad && out[0] == 0 && out[3] == 0);
	CHECK(cursor_bytes(&c, 0).p == NULL);
	CHECK_INT(cursor_byte(&c), 0);
	CHECK_INT(cursor_left(&c), 0);
	c = cursor_of(p, 5);
	CHECK(cursor_bytes(&c, UINT64_MAX).p == NULL && c.bad);
	c = cursor_of(p, 5);
	CHECK(cursor_bytes(&c, 5).p == (const char *)p && !c.bad);
	CHECK(cursor_bytes(&c, 0).p != NULL && !c.bad);
	CHECK_INT(cursor_le64(&c), 0);
	CHECK(c.bad);
}

static void
test_outpoints(void)
{
	struct outpoint	 a, b;
	size_t		 i;

	check_case("outpoints are equal in every byte or not at all");
	memset(&a, 0x11, sizeof(a));
	b = a;
	CHECK(outpoint_equal(&a, &b));
	b.vout++;
	CHECK(!outpoint_equal(&a, &b));
	for (i = 0; i < sizeof(a.txid); i++) {
		b = a;
		b.txid[i] ^= 1;
		CHECK(!outpoint_equal(&a, &b));
	}
}

static void
test_core_valid(void)
{
	static const char *path = OTHERS "core-tx/tx-valid.json";
	static unsigned char buf[ROOM];
	json_t		*cases = vectors_read(path), *c;
	size_t		 i;

	if (cases == NULL) {
		vectors_skip("Bitcoin Core's valid transactions", path);
		return;
	}
	check_case("Bitcoin Core's valid transactions");
	json_array_foreach(cases, i, c)
		check_whole(buf, vectors_hex(buf, sizeof(buf),
		    vectors_text(c, "tx")));
}

/* Most are wrong for what only scripts or the chain can tell; those that
 * have no outputs or too much money are for the parser. */
static void
test_core_invalid(void)
{
	static const char *path = OTHERS "core-tx/tx-invalid.json";
	static unsigned char buf[ROOM];
	json_t		*cases = vectors_read(path), *c;
	struct tx	 t;
	struct err	 e;
	size_t		 i, len, refused = 0;

	if (cases == NULL) {
		vectors_skip("Bitcoin Core's invalid transactions", path);
		return;
	}
	check_case("Bitcoin Core's invalid transactions");
	json_array_foreach(cases, i, c) {
		len = vectors_hex(buf, sizeof(buf), vectors_text(c, "tx"));
		check_cuts(buf, len);
		if (!parses(&t, hostile_place(buf, len), len, &e)) {
			CHECK_STR(vectors_text(c, "minimum_flags"), "BADTX");
			refused++;
			continue;
		}
		check_round_trip(&t, buf, len);
		tx_free(&t);
	}
	CHECK_INT(refused, 2);
}

static void
check_decoded(const unsigned char *buf, size_t len, json_t *c)
{
	json_t		*want = json_object_get(c, "decoded");
	unsigned char	 id[32];
	char		 text[65];
	struct tx	 t;
	struct err	 e;
	size_t		 used;
	bool		 bare;

	bare = json_array_size(json_object_get(want, "vin")) == 0 ||
	    json_array_size(json_object_get(want, "vout")) == 0;
	CHECK(parses(&t, buf, len, &e) == !bare);
	tx_free(&t);
	if (!CHECK(tx_parse_at(&t, &used, bare, buf, len, &e) == RC_OK)) {
		printf("#   %s: %s\n", vectors_text(c, "name"), e.text);
		return;
	}
	CHECK_INT(used, len);
	tx_txid(&t, id);
	hash_text(text, id);
	CHECK_STR(text, vectors_text(want, "txid"));
	tx_wtxid(&t, id);
	hash_text(text, id);
	CHECK_STR(text, vectors_text(want, "hash"));
	CHECK_INT(tx_size(&t, true), number(want, "size"));
	CHECK_INT(tx_vsize(&t), number(want, "vsize"));
	CHECK_INT(tx_weight(&t), number(want, "weight"));
	CHECK_INT(t.locktime, number(want, "locktime"));
	CHECK_INT(t.version, number(want, "version"));
	tx_free(&t);
}

static void
test_core_decoded(void)
{
	static const char *path = OTHERS "misc-core/tx-decode.json";
	static unsigned char buf[ROOM];
	json_t		*cases = vectors_read(path), *c;
	size_t		 i;

	if (cases == NULL) {
		vectors_skip("transactions as Bitcoin Core shows them", path);
		return;
	}
	check_case("transactions as Bitcoin Core shows them");
	json_array_foreach(cases, i, c)
		check_decoded(buf, vectors_hex(buf, sizeof(buf),
		    vectors_text(c, "hex")), c);
}

int
main(void)
{
	test_own();
	test_counts();
	test_shortest();
	test_compact_rules();
	test_amounts();
	test_witness_rules();
	test_bare();
	test_too_long();
	test_compact();
	test_cursor();
	test_outpoints();
	test_core_valid();
	test_core_invalid();
	test_core_decoded();
	return check_done();
}
