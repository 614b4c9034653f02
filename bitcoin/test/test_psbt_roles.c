/* Combiner, Finalizer and Extractor. */
#include "tests/check.h"

#include <stdlib.h>

#include "bitcoin/curve.h"
#include "bitcoin/hash.h"
#include "bitcoin/psbt.h"
#include "bitcoin/script.h"
#include "bitcoin/sighash.h"
#include "bitcoin/test/vectors.h"
#define HOSTILE_ALLOC
#include "bitcoin/test/hostile.h"

#define OTHERS	"../shared/vectors/psbt/"

static struct psbt *
read64(const char *text)
{
	struct psbt	*p = NULL;
	struct err	 e = { "" };

	if (!CHECK(psbt_of_base64(&p, text_of(text), &e) == RC_OK))
		printf("#   %s\n", e.text);
	return p;
}

static bool
same_map(const struct psbt_map *a, const struct psbt_map *b)
{
	struct text	 data;
	size_t		 i;

	for (i = 0; i < a->n; i++) {
		data.p = a->r[i].key.p + 1;
		data.len = a->r[i].key.len - 1;
		if (!text_equal(psbt_get(b, (uint8_t)a->r[i].key.p[0], data),
		    a->r[i].value))
			return false;
	}
	return a->n == b->n;
}

/* The same records, in whatever order. */
static bool
same_psbt(const struct psbt *a, const struct psbt *b)
{
	size_t	 i;

	if (a->tx.n_in != b->tx.n_in || a->tx.n_out != b->tx.n_out ||
	    !same_map(&a->global, &b->global))
		return false;
	for (i = 0; i < a->tx.n_in; i++)
		if (!same_map(&a->in[i].map, &b->in[i].map))
			return false;
	for (i = 0; i < a->tx.n_out; i++)
		if (!same_map(&a->out[i].map, &b->out[i].map))
			return false;
	return true;
}

/* What is typed is what a reader of the written bytes would have. */
static void
check_reread(const struct psbt *p)
{
	char		*text = psbt_base64(p), *again;
	struct psbt	*q = read64(text);
	size_t		 i;

	if (q == NULL)
		return;
	CHECK(same_psbt(p, q));
	again = psbt_base64(q);
	CHECK_STR(again, text);
	for (i = 0; i < p->tx.n_in; i++) {
		CHECK(text_equal(p->in[i].final_witness,
		    q->in[i].final_witness) &&
		    text_equal(p->in[i].final_script_sig,
		    q->in[i].final_script_sig) &&
		    p->in[i].n_sigs == q->in[i].n_sigs &&
		    p->in[i].n_paths == q->in[i].n_paths &&
		    p->in[i].has_sighash == q->in[i].has_sighash &&
		    p->in[i].has_witness_utxo == q->in[i].has_witness_utxo &&
		    text_equal(p->in[i].non_witness_utxo,
		    q->in[i].non_witness_utxo));
	}
	free(again);
	free(text);
	psbt_free(&q);
}

static void
run_combiner(json_t *c)
{
	json_t		*list = json_object_get(c, "combine"), *one;
	struct psbt	*into = NULL, *from, *want;
	struct err	 e;
	size_t		 i;

	if (list == NULL)
		list = json_object_get(c, "psbts");
	json_array_foreach(list, i, one) {
		from = read64(json_string_value(one));
		if (into == NULL) {
			into = from;
			continue;
		}
		CHECK(psbt_combine(into, from, &e) == RC_OK);
		psbt_free(&from);
	}
	want = read64(vectors_text(c, "result"));
	CHECK(same_psbt(into, want));
	check_reread(into);
	/* Again changes nothing. */
	CHECK(psbt_combine(into, want, &e) == RC_OK);
	CHECK(same_psbt(into, want));
	psbt_free(&into);
	psbt_free(&want);
}

/* libwally's `flags` 1 keeps what BIP174 would clear: then only what is
 * final is compared. */
static void
run_finalizer(json_t *c)
{
	const char	*given = vectors_text(c, "psbt");
	bool		 kept = json_integer_value(json_object_get(c,
			    "flags")) == 1;
	struct psbt	*p, *want = read64(vectors_text(c, "result"));
	struct err	 e = { "" };
	size_t		 i;

	if (*given == '\0')
		given = vectors_text(c, "finalize");
	p = read64(given);
	if (!CHECK(psbt_finalize(p, &e) == RC_OK))
		printf("#   %s %s\n", vectors_text(c, "id"), e.text);
	for (i = 0; i < p->tx.n_in; i++)
		CHECK(text_equal(p->in[i].final_witness,
		    want->in[i].final_witness) &&
		    text_equal(p->in[i].final_script_sig,
		    want->in[i].final_script_sig));
	if (!kept && !CHECK(same_psbt(p, want)))
		printf("#   %s\n", vectors_text(c, "id"));
	check_reread(p);
	psbt_free(&p);
	psbt_free(&want);
}

static void
run_extractor(json_t *c)
{
	static unsigned char want[1 << 16];
	const char	*given = vectors_text(c, "psbt");
	unsigned char	*got = NULL;
	struct psbt	*p;
	struct err	 e;
	size_t		 len, want_len;

	if (*given == '\0')
		given = vectors_text(c, "extract");
	p = read64(given);
	want_len = vectors_hex(want, sizeof(want), vectors_text(c, "result"));
	if (CHECK(psbt_extract(&got, &len, p, &e) == RC_OK))
		CHECK(len == want_len && memcmp(got, want, len) == 0);
	free(got);
	psbt_free(&p);
}

/*
 * What libwally finalizes and we do not: a checked signature and then a
 * multisig, which it calls optimized; and inputs that do not say what they
 * spend, where no signature can be verified.
 */
static bool
is_not_ours(json_t *c)
{
	const char	*why;
	struct psbt	*p;
	struct err	 e = { "" };
	bool		 other;

	if (strstr(vectors_text(c, "comment"), "optimized") != NULL)
		why = "no multisig of compressed keys";
	else if (strcmp(vectors_text(c, "id"), "6420f8909a8f") == 0)
		why = "does not say, or not rightly, what it spends";
	else
		return false;
	p = read64(vectors_text(c, "psbt"));
	other = psbt_finalize(p, &e) != RC_OK;
	CHECK(strstr(e.text, why) != NULL);
	psbt_free(&p);
	return other;
}

static void
run_roles(const char *path, size_t combiners, size_t finalizers,
    size_t extractors, size_t others)
{
	json_t		*cases = vectors_read(path), *c;
	const char	*role;
	size_t		 i, n[4] = { 0, 0, 0, 0 };

	check_case(path);
	if (cases == NULL) {
		vectors_skip(path, path);
		check_case_name = NULL;
		return;
	}
	json_array_foreach(cases, i, c) {
		role = vectors_text(c, "role");
		if (strcmp(role, "combiner") == 0) {
			n[0]++;
			run_combiner(c);
		} else if (strcmp(role, "extractor") == 0) {
			n[2]++;
			run_extractor(c);
		} else if (strcmp(role, "finalizer") == 0) {
			if (is_not_ours(c)) {
				n[3]++;
			} else {
				n[1]++;
				run_finalizer(c);
			}
		}
	}
	CHECK_INT(n[0], combiners);
	CHECK_INT(n[1], finalizers);
	CHECK_INT(n[2], extractors);
	CHECK_INT(n[3], others);
}

/*
 * One transaction that spends an output of each kind, of one parent.  Keys
 * are made from small secrets.
 */
enum kind { P2PKH, P2WPKH, P2SH_P2WPKH, P2WSH, P2SH_P2WSH, P2SH, P2TR, KINDS };

#define KEYS	3
#define SIGNERS	2

static struct {
	unsigned char	secret[KEYS][32];
	unsigned char	key[KEYS][PUBLIC_KEY_LEN];
	unsigned char	xonly[32], tap_secret[32];
	unsigned char	multisig[MULTISIG_SCRIPT_MAX];
	size_t		multisig_len;
	unsigned char	redeem[KINDS][ADDRESS_SCRIPT_MAX];
	size_t		redeem_len[KINDS];
	unsigned char	script[KINDS][ADDRESS_SCRIPT_MAX];
	struct tx_out	out[KINDS];	/* of the parent */
	unsigned char	parent[1024];
	size_t		parent_len;
	struct tx_in	in[KINDS];
	struct tx_out	pays[2];
	struct tx	tx;
} w;

static struct text
bytes(const void *p, size_t len)
{
	struct text	 t = { p, len };

	return t;
}

static void
make_keys(void)
{
	struct curve_point p;
	int		 i;

	for (i = 0; i < KEYS; i++) {
		w.secret[i][31] = (unsigned char)(i + 1);
		CHECK(curve_point_of_secret(&p, w.secret[i]));
		curve_point_write(w.key[i], &p);
	}
	CHECK(curve_tap_output(w.xonly, w.key[0] + 1, NULL));
	CHECK(curve_tap_secret(w.tap_secret, w.secret[0], NULL));
	w.multisig_len = script_multisig(w.multisig, SIGNERS,
	    (const unsigned char (*)[PUBLIC_KEY_LEN])w.key, KEYS);
}

static void
make_scripts(void)
{
	unsigned char	 of_key[HASH160_LEN], h[SHA256_LEN];
	size_t		 len[KINDS];
	int		 k;

	hash160(of_key, w.key[0], PUBLIC_KEY_LEN);
	sha256(h, w.multisig, w.multisig_len);
	len[P2PKH] = script_p2pkh(w.script[P2PKH], of_key);
	len[P2WPKH] = script_p2wpkh(w.script[P2WPKH], of_key);
	len[P2WSH] = script_p2wsh(w.script[P2WSH], h);
	len[P2TR] = script_p2tr(w.script[P2TR], w.xonly);
	w.redeem_len[P2SH_P2WPKH] = script_p2wpkh(w.redeem[P2SH_P2WPKH],
	    of_key);
	w.redeem_len[P2SH_P2WSH] = script_p2wsh(w.redeem[P2SH_P2WSH], h);
	hash160(of_key, w.redeem[P2SH_P2WPKH], w.redeem_len[P2SH_P2WPKH]);
	len[P2SH_P2WPKH] = script_p2sh(w.script[P2SH_P2WPKH], of_key);
	hash160(of_key, w.redeem[P2SH_P2WSH], w.redeem_len[P2SH_P2WSH]);
	len[P2SH_P2WSH] = script_p2sh(w.script[P2SH_P2WSH], of_key);
	hash160(of_key, w.multisig, w.multisig_len);
	len[P2SH] = script_p2sh(w.script[P2SH], of_key);
	for (k = 0; k < KINDS; k++) {
		w.out[k].amount_sat = 1000 + k;
		w.out[k].script = bytes(w.script[k], len[k]);
	}
}

static void
make_world(void)
{
	struct tx_in	 from = { .sequence = 1 };
	struct tx	 parent = { 2, 0, &from, 1, w.out, KINDS, false };
	int		 k;

	make_keys();
	make_scripts();
	w.parent_len = tx_write(&parent, false, w.parent);
	for (k = 0; k < KINDS; k++) {
		tx_txid(&parent, w.in[k].prev.txid);
		w.in[k].prev.vout = (uint32_t)k;
		w.in[k].sequence = 0xfffffffd;
	}
	w.pays[0].amount_sat = 3000;
	w.pays[0].script = w.out[P2WPKH].script;
	w.pays[1].amount_sat = 1;
	w.tx.version = 2;
	w.tx.locktime = 100;
	w.tx.in = w.in;
	w.tx.n_in = KINDS;
	w.tx.out = w.pays;
	w.tx.n_out = 2;
}

/* Updater: what each input spends, and its scripts. */
static void
update(struct psbt *p)
{
	struct err	 e;
	size_t		 k;

	for (k = 0; k < KINDS; k++) {
		CHECK(psbt_put(p, PSBT_IN, k, PSBT_IN_NON_WITNESS_UTXO,
		    bytes(NULL, 0), bytes(w.parent, w.parent_len), &e) ==
		    RC_OK);
		if (w.redeem_len[k] > 0)
			CHECK(psbt_put(p, PSBT_IN, k, PSBT_IN_REDEEM_SCRIPT,
			    bytes(NULL, 0), bytes(w.redeem[k],
			    w.redeem_len[k]), &e) == RC_OK);
		if (k == P2SH)
			CHECK(psbt_put(p, PSBT_IN, k, PSBT_IN_REDEEM_SCRIPT,
			    bytes(NULL, 0), bytes(w.multisig, w.multisig_len),
			    &e) == RC_OK);
		if (k == P2WSH || k == P2SH_P2WSH)
			CHECK(psbt_put(p, PSBT_IN, k, PSBT_IN_WITNESS_SCRIPT,
			    bytes(NULL, 0), bytes(w.multisig, w.multisig_len),
			    &e) == RC_OK);
	}
}

/* The hash that a key of input k signs, with SIGHASH_ALL. */
static void
hash_of(unsigned char out[32], const struct sighash *s, size_t k)
{
	struct text	 multisig = bytes(w.multisig, w.multisig_len);
	struct err	 e;

	switch ((enum kind)k) {
	case P2PKH:
		CHECK(sighash_legacy(out, &w.tx, k, w.out[P2PKH].script, 1,
		    &e) == RC_OK);
		break;
	case P2SH:
		CHECK(sighash_legacy(out, &w.tx, k, multisig, 1, &e) ==
		    RC_OK);
		break;
	case P2WPKH:
	case P2SH_P2WPKH:
		sighash_v0(out, s, k, w.out[P2PKH].script, 1);
		break;
	case P2WSH:
	case P2SH_P2WSH:
		sighash_v0(out, s, k, multisig, 1);
		break;
	case P2TR:
		CHECK(sighash_v1(out, s, k, SIGHASH_DEFAULT));
		break;
	case KINDS:
		break;
	}
}

/* Key `who` signs what it is in. */
static void
sign(struct psbt *p, int who)
{
	unsigned char	 hash[32], sig[CURVE_DER_MAX + 1];
	struct sighash	 s;
	struct err	 e;
	size_t		 k, len;

	sighash_begin(&s, &w.tx, w.out);
	for (k = 0; k < KINDS; k++) {
		hash_of(hash, &s, k);
		if (k == P2TR && who == 0) {
			curve_schnorr_sign(sig, hash, w.tap_secret);
			CHECK(psbt_put(p, PSBT_IN, k, PSBT_IN_TAP_KEY_SIG,
			    bytes(NULL, 0), bytes(sig, 64), &e) == RC_OK);
		} else if (k != P2TR && (who == 0 || k == P2WSH ||
		    k == P2SH_P2WSH || k == P2SH)) {
			len = curve_ecdsa_sign(sig, hash, w.secret[who]);
			sig[len++] = SIGHASH_ALL;
			CHECK(psbt_put(p, PSBT_IN, k, PSBT_IN_PARTIAL_SIG,
			    bytes(w.key[who], PUBLIC_KEY_LEN), bytes(sig,
			    len), &e) == RC_OK);
		}
	}
}

static struct psbt *
make_signed(uint32_t version, int signers)
{
	struct psbt	*p = NULL;
	struct err	 e;
	int		 who;

	CHECK(psbt_new(&p, version, &w.tx, &e) == RC_OK);
	update(p);
	/* The last first: the order is the script's, not theirs. */
	for (who = signers - 1; who >= 0; who--)
		sign(p, who == 1 ? 2 : who);
	return p;
}

/* Items of a witness and bytes of a scriptSig, by kind. */
static const struct {
	uint32_t	items;
	size_t		script_sig;
} shapes[KINDS] = {
	[P2PKH] = { 0, 107 }, [P2WPKH] = { 2, 0 }, [P2SH_P2WPKH] = { 2, 23 },
	[P2WSH] = { 4, 0 }, [P2SH_P2WSH] = { 4, 35 }, [P2SH] = { 0, 253 },
	[P2TR] = { 1, 0 },
};

static void
test_each_kind(uint32_t version)
{
	struct psbt	*p = make_signed(version, SIGNERS);
	unsigned char	*raw = NULL, a[32], b[32];
	struct tx	 t;
	struct err	 e = { "" };
	size_t		 len, k;

	check_case(version == 0 ? "each kind of output is finalized, v0" :
	    "each kind of output is finalized, v2");
	CHECK(psbt_extract(&raw, &len, p, &e) == RC_FAILED);
	CHECK_STR(e.text, "psbt: input 0 is not final");
	if (!CHECK(psbt_finalize(p, &e) == RC_OK))
		printf("#   %s\n", e.text);
	check_reread(p);
	if (CHECK(psbt_extract(&raw, &len, p, &e) == RC_OK) &&
	    CHECK(tx_parse(&t, raw, len, &e) == RC_OK)) {
		tx_txid(&t, a);
		CHECK(t.n_in == KINDS);
		for (k = 0; k < KINDS; k++) {
			CHECK_INT(t.in[k].n_witness, shapes[k].items);
			/* A signature may be a byte or two shorter. */
			CHECK(t.in[k].script_sig.len <= shapes[k].script_sig
			    && t.in[k].script_sig.len + 4 >=
			    shapes[k].script_sig);
			t.in[k].script_sig.len = 0;
		}
		tx_txid(&t, a);
		tx_txid(&w.tx, b);
		CHECK(memcmp(a, b, 32) == 0);
		tx_free(&t);
	}
	/* Once more is no change; signatures and scripts are gone. */
	CHECK(psbt_finalize(p, &e) == RC_OK);
	for (k = 0; k < KINDS; k++)
		CHECK(p->in[k].n_sigs == 0 && p->in[k].redeem_script.p == NULL
		    && p->in[k].witness_script.p == NULL &&
		    p->in[k].tap_key_sig.p == NULL &&
		    p->in[k].non_witness_utxo.p != NULL);
	free(raw);
	psbt_free(&p);
}

/* With a bit of one signature changed, its input lacks one. */
static void
test_wrong_signatures(void)
{
	unsigned char	 sig[CURVE_DER_MAX + 1];
	struct psbt	*p;
	struct err	 e;
	struct text	 was;
	size_t		 k, other, at;
	char		 want[64];

	check_case("a signature that does not verify is none");
	for (k = 0; k < KINDS; k++) {
		p = make_signed(0, SIGNERS);
		was = k == P2TR ? p->in[k].tap_key_sig : p->in[k].sigs[0].sig;
		memcpy(sig, was.p, was.len);
		at = k == P2TR ? 40 : was.len - 4;
		sig[at] ^= 1;
		CHECK(psbt_put(p, PSBT_IN, k, k == P2TR ?
		    PSBT_IN_TAP_KEY_SIG : PSBT_IN_PARTIAL_SIG, k == P2TR ?
		    bytes(NULL, 0) : p->in[k].sigs[0].key, bytes(sig,
		    was.len), &e) == RC_OK);
		CHECK(psbt_finalize(p, &e) == RC_FAILED);
		snprintf(want, sizeof(want), "psbt: input %zu lacks a "
		    "signature that verifies", k);
		CHECK_STR(e.text, want);
		/* The others are ready all the same. */
		for (other = 0; other < KINDS; other++)
			CHECK((p->in[other].final_script_sig.p != NULL ||
			    p->in[other].final_witness.p != NULL) ==
			    (other != k));
		psbt_free(&p);
	}
}

/* One of two signers: single keys are ready, multisig is not. */
static void
test_too_few(void)
{
	struct psbt	*p = make_signed(0, 1);
	struct err	 e;

	check_case("one of two signers is not enough");
	CHECK(psbt_finalize(p, &e) == RC_FAILED);
	CHECK_STR(e.text, "psbt: input 3 lacks a signature that verifies");
	CHECK(p->in[P2TR].final_witness.p != NULL &&
	    p->in[P2SH].final_script_sig.p == NULL);
	psbt_free(&p);
}

static void
refuse_with(enum kind k, uint8_t type, struct text value, const char *why)
{
	struct psbt	*p = make_signed(0, SIGNERS);
	struct err	 e = { "" };

	CHECK(psbt_put(p, PSBT_IN, k, type, bytes(NULL, 0), value, &e) ==
	    RC_OK);
	CHECK(psbt_finalize(p, &e) == RC_FAILED);
	CHECK(strstr(e.text, why) != NULL);
	psbt_free(&p);
}

static void
test_what_is_asked(void)
{
	static const char *lacks = "lacks a signature";

	check_case("scripts and types that do not fit");
	refuse_with(P2WPKH, PSBT_IN_SIGHASH_TYPE, bytes("\x02\0\0\0", 4),
	    lacks);
	refuse_with(P2TR, PSBT_IN_SIGHASH_TYPE, bytes("\x01\0\0\0", 4),
	    lacks);
	refuse_with(P2SH_P2WPKH, PSBT_IN_REDEEM_SCRIPT,
	    w.out[P2PKH].script, "redeem script is another");
	refuse_with(P2SH_P2WSH, PSBT_IN_REDEEM_SCRIPT, w.out[P2WPKH].script,
	    "redeem script is another");
	refuse_with(P2SH, PSBT_IN_REDEEM_SCRIPT, bytes("", 0),
	    "no redeem script");
	refuse_with(P2WSH, PSBT_IN_WITNESS_SCRIPT, bytes("\x51", 1),
	    "witness script is another");
	refuse_with(P2WSH, PSBT_IN_WITNESS_SCRIPT, bytes("", 0),
	    "no witness script");
}

static void
test_combine(void)
{
	struct psbt	*a = make_signed(0, 0), *b = make_signed(0, 0);
	struct psbt	*c = make_signed(2, SIGNERS), *want;
	struct err	 e;

	check_case("two signers' work is combined");
	sign(a, 0);
	sign(b, 2);
	CHECK(psbt_put(b, PSBT_GLOBAL, 0, 0xf0, text_of("x"), text_of("y"),
	    &e) == RC_OK);
	CHECK(psbt_put(b, PSBT_OUT, 1, 0xf0, text_of("x"), text_of("y"),
	    &e) == RC_OK);
	CHECK(psbt_put(a, PSBT_OUT, 1, 0xf0, text_of("x"), text_of("z"),
	    &e) == RC_OK);
	CHECK(psbt_combine(a, b, &e) == RC_OK);
	CHECK(text_equal(psbt_get(&a->global, 0xf0, text_of("x")),
	    text_of("y")));
	CHECK(text_equal(psbt_get(&a->out[1].map, 0xf0, text_of("x")),
	    text_of("z")));
	CHECK_INT(a->in[P2WSH].n_sigs, 2);
	check_reread(a);
	want = make_signed(0, SIGNERS);
	CHECK(same_map(&a->in[P2WSH].map, &want->in[P2WSH].map));
	CHECK(psbt_finalize(a, &e) == RC_OK);
	CHECK(psbt_combine(b, c, &e) == RC_FAILED);
	CHECK_STR(e.text, "psbt: version 0 cannot be combined with "
	    "version 2");
	w.tx.locktime++;
	psbt_free(&c);
	c = make_signed(0, 0);
	w.tx.locktime--;
	CHECK(psbt_combine(b, c, &e) == RC_FAILED);
	CHECK_STR(e.text, "psbt: it is of another transaction");
	psbt_free(&a);
	psbt_free(&b);
	psbt_free(&c);
	psbt_free(&want);
}

/* Version 2: a field more would be another locktime by BIP370's rule. */
static void
test_combine_locktime(void)
{
	static const char a64[] = "cHNidP8BAgQCAAAAAQQBAQEFAQEB+wQCAAAAAAEO"
	    "IAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ8EAAAAAAERBADKmjsA"
	    "AQMIAQAAAAAAAAABBAFRAA==";
	static const char b64[] = "cHNidP8BAgQCAAAAAQMEAMqaOwEEAQEBBQEBAfsE"
	    "AgAAAAABDiABAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEPBAAAAAAA"
	    "AQMIAQAAAAAAAAABBAFRAA==";
	struct psbt	*a = read64(a64), *b = read64(b64);
	struct err	 e;

	check_case("combining leaves the locktime alone");
	if (a == NULL || b == NULL)
		return;
	CHECK_INT(a->tx.locktime, 1000000000);
	CHECK(psbt_combine(b, a, &e) == RC_OK);
	CHECK_INT(b->tx.locktime, 1000000000);
	CHECK_INT(b->in[0].map.n, 2);
	check_reread(b);
	psbt_free(&a);
	psbt_free(&b);
}

static void
test_no_memory(void)
{
	struct psbt	*from = make_signed(0, SIGNERS), *into;
	unsigned char	*raw = NULL;
	struct err	 e;
	enum rc		 rc;
	size_t		 len;
	unsigned long	 k;
	long		 live;

	check_case("each allocation fails in turn: combine, finalize, "
	    "extract");
	for (k = 1;; k++) {
		live = hostile_live;
		into = make_signed(0, 1);
		raw = NULL;
		hostile_fail(k);
		rc = psbt_combine(into, from, &e);
		if (rc == RC_OK)
			rc = psbt_finalize(into, &e);
		if (rc == RC_OK)
			rc = psbt_extract(&raw, &len, into, &e);
		psbt_free(&into);
		free(raw);
		CHECK(hostile_live == live);
		if (!hostile_end())
			break;
		CHECK(rc == RC_FAILED && raw == NULL);
		CHECK(strstr(e.text, "no memory") != NULL);
	}
	CHECK(rc == RC_OK && k > 20);
	psbt_free(&from);
}

int
main(void)
{
	struct err	 e;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (curve_begin(&e) != RC_OK)
		return 1;
	run_roles(OTHERS "core-roles.json", 1, 1, 1, 0);
	run_roles(OTHERS "wally-roles.json", 2, 14, 2, 4);
	make_world();
	test_each_kind(0);
	test_each_kind(2);
	test_wrong_signatures();
	test_too_few();
	test_what_is_asked();
	test_combine();
	test_combine_locktime();
	test_no_memory();
	return check_done();
}
