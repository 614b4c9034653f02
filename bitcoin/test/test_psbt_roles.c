/* Combiner, Finalizer and Extractor. */
#include "tests/check.h"

#include <stdlib.h>

#include "bitcoin/curve.h"
#include "bitcoin/hash.h"
#include "bitcoin/psbt.h"
#include "bitcoin/script.h"
#include "bitcoin/sighash.h"
#include "bitcoin/test/psbt_same.h"
#include "bitcoin/test/vectors.h"
#define HOSTILE_ALLOC
#include "bitcoin/test/hostile.h"

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
			/* CHECKMULTISIG takes one element too many. */
			CHECK(k != P2SH || t.in[k].script_sig.p[0] == 0);
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

/* A PSBT with one input, which spends `script` and has one more record. */
static void
refuse_script(const unsigned char *script, size_t len, uint8_t type,
    struct text value, const char *why)
{
	unsigned char	 coin[64] = { 1 };
	struct tx	 t = w.tx;
	struct psbt	*p = NULL;
	struct err	 e = { "" };

	t.n_in = 1;
	coin[8] = (unsigned char)len;
	memcpy(coin + 9, script, len);
	CHECK(psbt_new(&p, 0, &t, &e) == RC_OK);
	CHECK(psbt_put(p, PSBT_IN, 0, PSBT_IN_WITNESS_UTXO, bytes(NULL, 0),
	    bytes(coin, 9 + len), &e) == RC_OK);
	CHECK(psbt_put(p, PSBT_IN, 0, type, bytes(NULL, 0), value, &e) ==
	    RC_OK);
	CHECK(psbt_finalize(p, &e) == RC_FAILED);
	if (!CHECK(strstr(e.text, why) != NULL))
		printf("#   %s\n", e.text);
	psbt_free(&p);
}

/* Scripts that nobody can spend, or that are none of ours. */
static void
test_what_cannot_be(void)
{
	static const unsigned char one[] = { OP_1 };
	unsigned char	 keys[MULTISIG_MAX][PUBLIC_KEY_LEN], h[SHA256_LEN];
	unsigned char	 redeem[MULTISIG_SCRIPT_MAX];
	unsigned char	 script[ADDRESS_SCRIPT_MAX];
	size_t		 len;
	int		 i;

	check_case("scripts that are not finalized");
	refuse_script(one, 1, PSBT_IN_SIGHASH_TYPE, bytes("\1\0\0\0", 4),
	    "a script of no kind");
	for (i = 0; i < MULTISIG_MAX; i++)
		memcpy(keys[i], w.key[0], PUBLIC_KEY_LEN);
	/* It is longer than an element of a script may be. */
	len = script_multisig(redeem, 1,
	    (const unsigned char (*)[PUBLIC_KEY_LEN])keys, MULTISIG_MAX);
	hash160(h, redeem, len);
	refuse_script(script, script_p2sh(script, h), PSBT_IN_REDEEM_SCRIPT,
	    bytes(redeem, len), "cannot be spent");
	/* Taproot in P2SH is not taproot (BIP341). */
	hash160(h, w.script[P2TR], w.out[P2TR].script.len);
	refuse_script(script, script_p2sh(script, h), PSBT_IN_REDEEM_SCRIPT,
	    w.out[P2TR].script, "a witness program of no kind");
	sha256(h, w.script[P2PKH], w.out[P2PKH].script.len);
	refuse_script(script, script_p2wsh(script, h),
	    PSBT_IN_WITNESS_SCRIPT, w.out[P2PKH].script, "no multisig");
}

/* BIP143: a witness has compressed keys, whatever was paid to. */
static void
sign_uncompressed(struct psbt *p)
{
	/* Of the secret 1: the generator. */
	static const char hex[] =
	    "0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f817"
	    "98483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4"
	    "b8";
	unsigned char	 key[65], hash[32], sig[CURVE_DER_MAX + 1];
	unsigned char	 of_key[HASH160_LEN], coin[31] = { 1 }, code[25];
	struct tx_out	 spent = { 1, { NULL, 0 } };
	struct sighash	 s;
	struct err	 e;
	size_t		 len;

	CHECK(vectors_hex(key, sizeof(key), hex) == sizeof(key));
	hash160(of_key, key, sizeof(key));
	coin[8] = (unsigned char)script_p2wpkh(coin + 9, of_key);
	sighash_begin(&s, &p->tx, &spent);
	sighash_v0(hash, &s, 0, bytes(code, script_p2pkh(code, of_key)), 1);
	len = curve_ecdsa_sign(sig, hash, w.secret[0]);
	sig[len++] = SIGHASH_ALL;
	CHECK(psbt_put(p, PSBT_IN, 0, PSBT_IN_WITNESS_UTXO, bytes(NULL, 0),
	    bytes(coin, sizeof(coin)), &e) == RC_OK);
	CHECK(psbt_put(p, PSBT_IN, 0, PSBT_IN_PARTIAL_SIG, bytes(key,
	    sizeof(key)), bytes(sig, len), &e) == RC_OK);
}

/* Inputs that do not say what they spend: theirs and, for taproot, all. */
static void
test_not_said(void)
{
	struct psbt	*p = make_signed(0, SIGNERS);
	struct tx	 t = w.tx;
	struct err	 e = { "" };

	check_case("no signature without what it spends");
	CHECK(psbt_put(p, PSBT_IN, P2PKH, PSBT_IN_WITNESS_UTXO,
	    bytes(NULL, 0), bytes("\1\0\0\0\0\0\0\0\0", 9), &e) == RC_OK);
	CHECK(psbt_finalize(p, &e) == RC_FAILED);
	CHECK_STR(e.text, "psbt: input 0: it does not say, or not rightly, "
	    "what it spends");
	CHECK(p->in[P2WPKH].final_witness.p != NULL);
	CHECK(p->in[P2TR].final_witness.p == NULL);
	CHECK(psbt_finalize(p, &e) == RC_FAILED);
	psbt_free(&p);
	/* The same, with the other input of no interest: it is final. */
	p = make_signed(0, SIGNERS);
	CHECK(psbt_put(p, PSBT_IN, P2PKH, PSBT_IN_FINAL_SCRIPTSIG,
	    bytes(NULL, 0), bytes("x", 1), &e) == RC_OK);
	CHECK(psbt_put(p, PSBT_IN, P2PKH, PSBT_IN_WITNESS_UTXO,
	    bytes(NULL, 0), bytes("\1\0\0\0\0\0\0\0\0", 9), &e) == RC_OK);
	CHECK(psbt_finalize(p, &e) == RC_FAILED);
	CHECK_STR(e.text, "psbt: input 6: another input does not say what it "
	    "spends");
	psbt_free(&p);
	t.n_in = 1;
	CHECK(psbt_new(&p, 0, &t, &e) == RC_OK);
	sign_uncompressed(p);
	CHECK(psbt_finalize(p, &e) == RC_FAILED);
	CHECK_STR(e.text, "psbt: input 0 lacks a signature that verifies");
	psbt_free(&p);
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
	psbt_free(&a);
	psbt_free(&b);
	psbt_free(&c);
	psbt_free(&want);
}

static void
refuse_other(const struct psbt *mine)
{
	struct psbt	*p = NULL;
	struct err	 e = { "" };

	CHECK(psbt_new(&p, 0, &w.tx, &e) == RC_OK);
	CHECK(psbt_combine(p, mine, &e) == RC_FAILED);
	CHECK_STR(e.text, "psbt: it is of another transaction");
	psbt_free(&p);
}

static void
test_combine_others(void)
{
	struct psbt	*p = make_signed(0, 1);

	check_case("another transaction is not combined");
	w.tx.version++;
	refuse_other(p);
	w.tx.version--;
	w.tx.locktime++;
	refuse_other(p);
	w.tx.locktime--;
	w.tx.n_out--;
	refuse_other(p);
	w.tx.n_out++;
	w.tx.n_in--;
	refuse_other(p);
	w.tx.n_in++;
	w.in[2].sequence++;
	refuse_other(p);
	w.in[2].sequence--;
	w.in[2].prev.vout++;
	refuse_other(p);
	w.in[2].prev.vout--;
	w.in[2].prev.txid[31] ^= 1;
	refuse_other(p);
	w.in[2].prev.txid[31] ^= 1;
	w.pays[1].amount_sat++;
	refuse_other(p);
	w.pays[1].amount_sat--;
	w.pays[0].script = w.out[P2TR].script;
	refuse_other(p);
	w.pays[0].script = w.out[P2WPKH].script;
	psbt_free(&p);
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
	make_world();
	test_each_kind(0);
	test_each_kind(2);
	test_wrong_signatures();
	test_too_few();
	test_what_is_asked();
	test_combine();
	test_combine_others();
	test_what_cannot_be();
	test_not_said();
	test_combine_locktime();
	test_no_memory();
	return check_done();
}
