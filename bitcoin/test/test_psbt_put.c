/* Making, putting and asking; large maps. */
#include "tests/check.h"

#include <stdlib.h>

#include "bitcoin/hash.h"
#include "bitcoin/psbt.h"
#define HOSTILE_ALLOC
#include "bitcoin/test/hostile.h"

static const struct text none;

static struct text
bytes(const void *p, size_t len)
{
	struct text	 t = { p, len };

	return t;
}

/* Two parents of an output each, and what spends both. */
static struct {
	struct tx_in	coinbase;
	struct tx_out	coin[2];
	struct tx	parent;
	unsigned char	raw[2][256];
	size_t		raw_len[2];
	struct tx_in	in[2];
	struct tx_out	out[2];
	struct tx	tx;
} w;

static void
make_world(void)
{
	static const unsigned char witness[] = { 2, 3, 1, 2, 3, 1, 9 };
	int		 i;

	w.coinbase.script_sig = text_of("coin");
	w.parent.in = &w.coinbase;
	w.parent.n_in = 1;
	w.parent.out = w.coin;
	w.parent.n_out = 2;
	w.coin[0].amount_sat = 5000;
	w.coin[0].script = text_of("a script of its own");
	w.coin[1].amount_sat = 7000;
	w.coin[1].script = text_of("another");
	for (i = 0; i < 2; i++) {
		/* The second has a witness: its id is without it. */
		if (i == 1) {
			w.parent.has_witness = true;
			w.coinbase.witness = bytes(witness, sizeof(witness));
			w.coinbase.n_witness = 2;
		}
		w.raw_len[i] = tx_write(&w.parent, true, w.raw[i]);
		tx_txid(&w.parent, w.in[i].prev.txid);
		w.in[i].prev.vout = (uint32_t)i;
		w.in[i].sequence = 0xfffffffd;
	}
	w.out[0].amount_sat = 11000;
	w.out[0].script = text_of("to somebody");
	w.tx.version = 2;
	w.tx.locktime = 800000;
	w.tx.in = w.in;
	w.tx.n_in = 2;
	w.tx.out = w.out;
	w.tx.n_out = 2;
}

static struct psbt *
make(uint32_t version)
{
	struct psbt	*p = NULL;
	struct err	 e = { "" };

	if (!CHECK(psbt_new(&p, version, &w.tx, &e) == RC_OK))
		printf("#   %s\n", e.text);
	return p;
}

static bool
same_tx(const struct tx *a, const struct tx *b)
{
	unsigned char	 x[32], y[32];

	tx_txid(a, x);
	tx_txid(b, y);
	return memcmp(x, y, 32) == 0;
}

static bool
same_paths(const struct psbt_path *a, size_t n_a, const struct psbt_path *b,
    size_t n_b)
{
	size_t	 i;

	for (i = 0; i < n_a && i < n_b; i++)
		if (!text_equal(a[i].key, b[i].key) ||
		    a[i].n_leaves != b[i].n_leaves || a[i].n != b[i].n ||
		    memcmp(a[i].fingerprint, b[i].fingerprint, 4) != 0 ||
		    memcmp(a[i].path, b[i].path, a[i].n * 4) != 0)
			return false;
	return n_a == n_b;
}

static void
check_same_in(const struct psbt_in *a, const struct psbt_in *b)
{
	size_t	 i;

	CHECK(text_equal(a->non_witness_utxo, b->non_witness_utxo) &&
	    a->has_witness_utxo == b->has_witness_utxo &&
	    a->witness_utxo.amount_sat == b->witness_utxo.amount_sat &&
	    text_equal(a->witness_utxo.script, b->witness_utxo.script) &&
	    a->has_sighash == b->has_sighash && a->sighash == b->sighash);
	CHECK(text_equal(a->redeem_script, b->redeem_script) &&
	    text_equal(a->witness_script, b->witness_script) &&
	    text_equal(a->final_script_sig, b->final_script_sig) &&
	    text_equal(a->final_witness, b->final_witness) &&
	    text_equal(a->tap_key_sig, b->tap_key_sig) &&
	    text_equal(a->tap_internal_key, b->tap_internal_key) &&
	    text_equal(a->tap_merkle_root, b->tap_merkle_root) &&
	    a->has_tap_scripts == b->has_tap_scripts);
	CHECK(same_paths(a->paths, a->n_paths, b->paths, b->n_paths));
	if (!CHECK(a->n_sigs == b->n_sigs))
		return;
	for (i = 0; i < a->n_sigs; i++)
		CHECK(text_equal(a->sigs[i].key, b->sigs[i].key) &&
		    text_equal(a->sigs[i].sig, b->sigs[i].sig));
}

/* Written and read, it is what it was. */
static void
check_reread(const struct psbt *p)
{
	unsigned char	*a = malloc(psbt_size(p)), *b;
	struct psbt	*q = NULL;
	struct tx_out	 x, y;
	struct err	 e = { "" };
	size_t		 len = psbt_write(p, a), i;
	bool		 px, py;
	enum rc		 rc;

	CHECK_INT(len, psbt_size(p));
	if (!CHECK(psbt_parse(&q, a, len, &e) == RC_OK)) {
		printf("#   %s\n", e.text);
		free(a);
		return;
	}
	b = malloc(len);
	CHECK(psbt_write(q, b) == len && memcmp(a, b, len) == 0);
	CHECK(p->version == q->version && same_tx(&p->tx, &q->tx));
	for (i = 0; i < p->tx.n_in; i++) {
		check_same_in(&p->in[i], &q->in[i]);
		rc = psbt_spent(&x, &px, p, i, &e);
		CHECK(rc == psbt_spent(&y, &py, q, i, &e));
		if (rc == RC_OK)
			CHECK(px == py && x.amount_sat == y.amount_sat &&
			    text_equal(x.script, y.script));
	}
	for (i = 0; i < p->tx.n_out; i++)
		CHECK(same_paths(p->out[i].paths, p->out[i].n_paths,
		    q->out[i].paths, q->out[i].n_paths) &&
		    text_equal(p->out[i].redeem_script,
		    q->out[i].redeem_script) &&
		    text_equal(p->out[i].witness_script,
		    q->out[i].witness_script) &&
		    text_equal(p->out[i].tap_internal_key,
		    q->out[i].tap_internal_key) &&
		    text_equal(p->out[i].tap_tree, q->out[i].tap_tree));
	psbt_free(&q);
	free(a);
	free(b);
}

static void
test_new(uint32_t version)
{
	struct psbt	*p = make(version);
	struct err	 e = { "" };

	check_case(version == 0 ? "a new one, v0" : "a new one, v2");
	CHECK(same_tx(&p->tx, &w.tx));
	check_reread(p);
	psbt_free(&p);
	w.in[1].script_sig = text_of("x");
	CHECK(psbt_new(&p, version, &w.tx, &e) == RC_FAILED && p == NULL);
	CHECK_STR(e.text, "psbt: input 1 has a scriptSig");
	w.in[1].script_sig = none;
	CHECK(psbt_new(&p, version, &w.parent, &e) == RC_FAILED);
	CHECK_STR(e.text, "psbt: the transaction has witnesses");
	w.out[0].amount_sat = TX_MONEY_MAX_SAT + 1;
	CHECK(psbt_new(&p, version, &w.tx, &e) == RC_FAILED);
	w.out[0].amount_sat = 11000;
	psbt_free(&p);
}

/* One of each, of the least form that is good. */
static const struct {
	enum psbt_where	where;
	uint8_t		type;
	size_t		key_len;	/* of bytes 02 */
	const char	*value;
	size_t		len;
} puts_[] = {
	{ PSBT_GLOBAL, 0xf0, 2, "x", 1 },
	{ PSBT_GLOBAL, 0xf0, 1, "", 0 },
	{ PSBT_IN, PSBT_IN_WITNESS_UTXO, 0, "\1\0\0\0\0\0\0\0\1x", 10 },
	{ PSBT_IN, PSBT_IN_PARTIAL_SIG, 33, "\x30\6\2\1\1\2\1\1\1", 9 },
	{ PSBT_IN, PSBT_IN_PARTIAL_SIG, 33, "\x30\6\2\1\2\2\1\2\1", 9 },
	{ PSBT_IN, PSBT_IN_SIGHASH_TYPE, 0, "\1\0\0\0", 4 },
	{ PSBT_IN, PSBT_IN_REDEEM_SCRIPT, 0, "r", 1 },
	{ PSBT_IN, PSBT_IN_WITNESS_SCRIPT, 0, "ww", 2 },
	{ PSBT_IN, PSBT_IN_BIP32_DERIVATION, 33, "\1\2\3\4\5\0\0\x80", 8 },
	{ PSBT_IN, PSBT_IN_BIP32_DERIVATION, 33, "\1\2\3\4\6\0\0\x80", 8 },
	{ PSBT_IN, PSBT_IN_FINAL_SCRIPTSIG, 0, "f", 1 },
	{ PSBT_IN, PSBT_IN_FINAL_SCRIPTWITNESS, 0, "\1\1x", 3 },
	{ PSBT_IN, PSBT_IN_TAP_LEAF_SCRIPT, 33, "x\xc0", 2 },
	{ PSBT_IN, PSBT_IN_TAP_BIP32_DERIVATION, 32, "\0\1\2\3\4", 5 },
	{ PSBT_OUT, PSBT_OUT_REDEEM_SCRIPT, 0, "r", 1 },
	{ PSBT_OUT, PSBT_OUT_WITNESS_SCRIPT, 0, "ww", 2 },
	{ PSBT_OUT, PSBT_OUT_BIP32_DERIVATION, 33, "\1\2\3\4\5\0\0\0", 8 },
	{ PSBT_OUT, PSBT_OUT_TAP_TREE, 0, "\0\xc0\1x", 4 },
	{ PSBT_OUT, PSBT_OUT_TAP_BIP32_DERIVATION, 32, "\0\1\2\3\4", 5 },
	{ PSBT_OUT, PSBT_OUT_REDEEM_SCRIPT, 0, "rrr", 3 },
};

static void
test_put(uint32_t version)
{
	static const char key[33] = { 2, 2, 2 };
	struct psbt	*p = make(version);
	struct err	 e = { "" };
	size_t		 i, n;

	check_case(version == 0 ? "put, written and read, v0" :
	    "put, written and read, v2");
	for (i = 0; i < sizeof(puts_) / sizeof(puts_[0]); i++) {
		if (!CHECK(psbt_put(p, puts_[i].where, 1, puts_[i].type,
		    bytes(key, puts_[i].key_len), bytes(puts_[i].value,
		    puts_[i].len), &e) == RC_OK))
			printf("#   %s\n", e.text);
		check_reread(p);
	}
	for (i = 0; i < 2; i++)
		CHECK(psbt_put(p, PSBT_IN, i, PSBT_IN_NON_WITNESS_UTXO, none,
		    bytes(w.raw[i], w.raw_len[i]), &e) == RC_OK);
	check_reread(p);
	/* What was put twice is there once, as it was put last. */
	CHECK_INT(p->in[1].n_sigs, 1);
	CHECK_INT(p->in[1].n_paths, 2);
	CHECK_INT(p->in[1].paths[0].path[0], BIP32_HARD | 6);
	CHECK_INT(p->out[1].redeem_script.len, 3);
	CHECK(p->in[1].sigs[0].sig.p[4] == 2);
	CHECK_INT(p->in[0].n_sigs, 0);
	/* A path too deep to be listed takes the place of one that was. */
	n = p->in[1].map.n;
	CHECK(psbt_put(p, PSBT_IN, 1, PSBT_IN_BIP32_DERIVATION, bytes(key,
	    33), bytes((char [72]){ 0 }, 72), &e) == RC_OK);
	CHECK(p->in[1].map.n == n && p->in[1].n_paths == 1);
	check_reread(p);
	psbt_free(&p);
}

/* Refused, and nothing changed. */
static void
test_put_refused(uint32_t version)
{
	static const struct {
		enum psbt_where	where;
		uint8_t		type;
	} tx[] = {
		{ PSBT_GLOBAL, 0x00 }, { PSBT_GLOBAL, 0x02 },
		{ PSBT_GLOBAL, 0x03 }, { PSBT_GLOBAL, 0x04 },
		{ PSBT_GLOBAL, 0x05 }, { PSBT_GLOBAL, 0xfb },
		{ PSBT_IN, 0x0e }, { PSBT_IN, 0x0f }, { PSBT_IN, 0x10 },
		{ PSBT_IN, 0x11 }, { PSBT_IN, 0x12 }, { PSBT_OUT, 0x03 },
		{ PSBT_OUT, 0x04 },
	};
	struct psbt	*p = make(version);
	unsigned char	 a[2048], b[2048];
	size_t		 len = psbt_write(p, a), i;
	struct err	 e;

	check_case(version == 0 ? "what may not be put, v0" :
	    "what may not be put, v2");
	for (i = 0; i < sizeof(tx) / sizeof(tx[0]); i++) {
		CHECK(psbt_put(p, tx[i].where, 0, tx[i].type, none,
		    bytes("\0\0\0\0", 4), &e) == RC_FAILED);
		CHECK(strstr(e.text, "stays what it is") != NULL);
	}
	CHECK(psbt_put(p, PSBT_IN, 0, PSBT_IN_SIGHASH_TYPE, none,
	    text_of("x"), &e) == RC_FAILED);
	CHECK_STR(e.text, "input 0: key type 03: the value has 1 bytes, or "
	    "the wrong ones");
	CHECK(psbt_put(p, PSBT_OUT, 1, PSBT_OUT_BIP32_DERIVATION, none,
	    text_of("aaaa"), &e) == RC_FAILED);
	CHECK_STR(e.text, "output 1: key type 02: the key has 0 bytes, or "
	    "the wrong ones");
	if (version == 0) {
		CHECK(psbt_put(p, PSBT_GLOBAL, 0, PSBT_GLOBAL_TX_MODIFIABLE,
		    none, text_of("x"), &e) == RC_FAILED);
		CHECK_STR(e.text, "global: key type 06: version 0 has no "
		    "such field");
	}
	CHECK(psbt_write(p, b) == len && memcmp(a, b, len) == 0);
	CHECK(!p->in[0].has_sighash && p->out[1].n_paths == 0);
	psbt_free(&p);
}

static void
test_spent(uint32_t version)
{
	static const char other[] = "\x88\x13\0\0\0\0\0\0\1x";
	unsigned char	 own[64] = { 0 };
	struct psbt	*p = make(version);
	struct tx_out	 out;
	struct err	 e;
	bool		 proved;

	check_case(version == 0 ? "H9: what an input spends, v0" :
	    "H9: what an input spends, v2");
	CHECK(psbt_spent(&out, &proved, p, 0, &e) == RC_FAILED);
	CHECK_STR(e.text, "input 0: it does not say what it spends");
	CHECK(psbt_put(p, PSBT_IN, 0, PSBT_IN_WITNESS_UTXO, none,
	    bytes(other, 10), &e) == RC_OK);
	CHECK(psbt_spent(&out, &proved, p, 0, &e) == RC_OK && !proved);
	CHECK_INT(out.amount_sat, 5000);
	CHECK(psbt_put(p, PSBT_IN, 0, PSBT_IN_NON_WITNESS_UTXO, none,
	    bytes(w.raw[0], w.raw_len[0]), &e) == RC_OK);
	/* The amount is right, the script is not. */
	CHECK(psbt_spent(&out, &proved, p, 0, &e) == RC_FAILED && !proved);
	CHECK_STR(e.text, "input 0: witness_utxo is not the output of "
	    "non_witness_utxo");
	own[0] = 0x88;
	own[1] = 0x13;
	own[8] = (unsigned char)w.coin[0].script.len;
	memcpy(own + 9, w.coin[0].script.p, own[8]);
	CHECK(psbt_put(p, PSBT_IN, 0, PSBT_IN_WITNESS_UTXO, none, bytes(own,
	    9 + (size_t)own[8]), &e) == RC_OK);
	CHECK(psbt_spent(&out, &proved, p, 0, &e) == RC_OK && proved);
	own[0]++;
	CHECK(psbt_put(p, PSBT_IN, 0, PSBT_IN_WITNESS_UTXO, none, bytes(own,
	    9 + (size_t)own[8]), &e) == RC_OK);
	CHECK(psbt_spent(&out, &proved, p, 0, &e) == RC_FAILED);
	/* With a witness, whose bytes are not of the id. */
	CHECK(psbt_put(p, PSBT_IN, 1, PSBT_IN_NON_WITNESS_UTXO, none,
	    bytes(w.raw[1], w.raw_len[1]), &e) == RC_OK);
	CHECK(psbt_spent(&out, &proved, p, 1, &e) == RC_OK && proved);
	CHECK(out.amount_sat == 7000 && text_equal(out.script,
	    w.coin[1].script));
	w.raw[1][w.raw_len[1] - 5] ^= 1;
	CHECK(psbt_put(p, PSBT_IN, 1, PSBT_IN_NON_WITNESS_UTXO, none,
	    bytes(w.raw[1], w.raw_len[1]), &e) == RC_OK);
	CHECK(psbt_spent(&out, &proved, p, 1, &e) == RC_OK && proved);
	w.raw[1][w.raw_len[1] - 5] ^= 1;
	w.raw[1][w.raw_len[1] - 1] ^= 1;
	CHECK(psbt_put(p, PSBT_IN, 1, PSBT_IN_NON_WITNESS_UTXO, none,
	    bytes(w.raw[1], w.raw_len[1]), &e) == RC_OK);
	CHECK(psbt_spent(&out, &proved, p, 1, &e) == RC_FAILED && !proved);
	CHECK_STR(e.text, "input 1: non_witness_utxo is another transaction "
	    "than the one it spends from");
	w.raw[1][w.raw_len[1] - 1] ^= 1;
	psbt_free(&p);
}

static void
test_spent_no_output(void)
{
	struct psbt	*p;
	struct tx_out	 out;
	struct err	 e;
	bool		 proved;

	check_case("H9: an output that there is not");
	w.in[0].prev.vout = 2;
	p = make(0);
	CHECK(psbt_put(p, PSBT_IN, 0, PSBT_IN_NON_WITNESS_UTXO, none,
	    bytes(w.raw[0], w.raw_len[0]), &e) == RC_OK);
	CHECK(psbt_spent(&out, &proved, p, 0, &e) == RC_FAILED && !proved);
	CHECK_STR(e.text, "input 0: non_witness_utxo has no output 2");
	w.in[0].prev.vout = 0;
	psbt_free(&p);
}

/* A map of n unknown records; the keys count down, so that they are not
 * sorted.  `twice`: number of a key that is that of the first. */
static unsigned char *
make_large(size_t n, size_t twice, size_t *len)
{
	static const unsigned char head[] = "psbt\xff\x01\x00\x0a\x02\0\0\0"
	    "\0\0\0\0\0\0";
	unsigned char	*b = malloc(sizeof(head) + n * 6), *p;
	size_t		 i, v;

	memcpy(b, head, sizeof(head) - 1);
	p = b + sizeof(head) - 1;
	for (i = 0; i < n; i++) {
		v = n - 1 - (i == twice ? 0 : i);
		*p++ = 4;
		*p++ = 0xf0;
		*p++ = (unsigned char)(v >> 16);
		*p++ = (unsigned char)(v >> 8);
		*p++ = (unsigned char)v;
		*p++ = 0;
	}
	*p++ = 0;
	*len = (size_t)(p - b);
	return b;
}

static void
test_large_maps(void)
{
	static const size_t	 sizes[] = { 2, 15, 16, 17, 18, 1000, 400000 };
	struct psbt		*p = NULL;
	struct err		 e;
	unsigned char		*b;
	size_t			 i, len;

	check_case("keys that come twice are found in maps of any size");
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		b = make_large(sizes[i], sizes[i], &len);
		CHECK(psbt_parse(&p, b, len, &e) == RC_OK);
		CHECK(p != NULL && p->global.n == sizes[i] + 1 &&
		    psbt_size(p) == len);
		psbt_free(&p);
		free(b);
		b = make_large(sizes[i], sizes[i] - 1, &len);
		CHECK(psbt_parse(&p, b, len, &e) == RC_FAILED);
		CHECK_STR(e.text, "psbt: global: a key comes twice");
		free(b);
	}
}

/* Two PSBTs, each of half of many records. */
static void
test_large_combine(void)
{
	struct psbt	*p = NULL, *q = NULL;
	struct err	 e;
	unsigned char	*b;
	size_t		 len;

	check_case("large maps are combined");
	b = make_large(200000, 200000, &len);
	CHECK(psbt_parse(&p, b, len, &e) == RC_OK);
	free(b);
	b = make_large(400000, 400000, &len);
	CHECK(psbt_parse(&q, b, len, &e) == RC_OK);
	free(b);
	CHECK(psbt_combine(p, q, &e) == RC_OK);
	CHECK_INT(p->global.n, 400001);
	CHECK(psbt_size(p) == len);
	psbt_free(&p);
	psbt_free(&q);
}

static void
test_too_long(void)
{
	struct psbt	*p = NULL;
	struct err	 e;
	char		*text;

	check_case("a PSBT has at most 32 MiB");
	CHECK(psbt_parse(&p, (const unsigned char *)"", PSBT_BYTES_MAX + 1,
	    &e) == RC_FAILED);
	CHECK_STR(e.text, "psbt: 33554433 bytes; at most 33554432");
	text = calloc(1, PSBT_BYTES_MAX / 3 * 4 + 8);
	CHECK(psbt_of_base64(&p, bytes(text, PSBT_BYTES_MAX / 3 * 4 + 8),
	    &e) == RC_FAILED);
	free(text);
	CHECK(psbt_of_base64(&p, text_of("cHNidP8=\n"), &e) == RC_FAILED);
	CHECK_STR(e.text, "psbt: it is no base64");
	CHECK(psbt_of_base64(&p, text_of("cHNidP8"), &e) == RC_FAILED);
	CHECK_STR(e.text, "psbt: it is no base64");
	CHECK(psbt_of_base64(&p, text_of("cHNidP\xaf\x2f"), &e) == RC_FAILED);
	CHECK_STR(e.text, "psbt: it is no base64");
}

static void
test_no_memory(uint32_t version)
{
	static const char key[33] = { 2 };
	struct psbt	*p;
	struct err	 e;
	enum rc		 rc;
	unsigned long	 k;
	long		 live;
	size_t		 i;

	check_case(version == 0 ? "each allocation fails: new, put, v0" :
	    "each allocation fails: new, put, v2");
	for (k = 1;; k++) {
		live = hostile_live;
		p = NULL;
		hostile_fail(k);
		rc = psbt_new(&p, version, &w.tx, &e);
		/* More than the arena has to begin with. */
		for (i = 0; i < 200 && rc == RC_OK; i++)
			rc = psbt_put(p, PSBT_IN, i % 2,
			    PSBT_IN_NON_WITNESS_UTXO, none, bytes(w.raw[i % 2],
			    w.raw_len[i % 2]), &e);
		if (rc == RC_OK)
			rc = psbt_put(p, PSBT_IN, 0,
			    PSBT_IN_BIP32_DERIVATION, bytes(key, 33),
			    bytes("\1\2\3\4", 4), &e);
		if (!hostile_end()) {
			CHECK(rc == RC_OK);
			check_reread(p);
			psbt_free(&p);
			break;
		}
		CHECK(rc == RC_FAILED && strstr(e.text, "no memory") != NULL);
		if (p != NULL)
			check_reread(p);
		psbt_free(&p);
		CHECK(hostile_live == live);
	}
	CHECK(k > 6);
}

int
main(void)
{
	uint32_t	 version;

	setvbuf(stdout, NULL, _IOLBF, 0);
	make_world();
	for (version = 0; version <= 2; version += 2) {
		test_new(version);
		test_put(version);
		test_put_refused(version);
		test_spent(version);
		test_no_memory(version);
	}
	test_spent_no_output();
	test_large_maps();
	test_large_combine();
	test_too_long();
	return check_done();
}
