/*
 * Inputs: whose they are, what they are worth (H9), and from which height on
 * the transaction is good (C3).
 */
#define _GNU_SOURCE
#include "signer/test/rig.h"

#include "bitcoin/sighash.h"

static struct rig r;
static struct rig_tx t;

static void
simple(void)
{
	static char	 id[16];

	(void)snprintf(id, sizeof(id), "w-%ju", (uintmax_t)r.coins);
	rig_tx_begin(&t);
	(void)rig_spend(&r, &t, 0, 1, SAT_PER_BTC);
	rig_pay(&r, &t, id, 1, SAT_PER_BTC / 2);
	rig_change(&r, &t, 1, 1, SAT_PER_BTC / 2 - RIG_FEE_SAT);
}

/* ---- C3 ---- */

static void
test_sequence(void)
{
	check_case("C3: a sequence of 0xffffffff on any input");
	rig_new(&r, SIGN_WPKH);
	simple();
	(void)rig_spend(&r, &t, 0, 2, 5000);
	t.out[1].amount_sat += 5000;
	t.in[1].sequence = 0xffffffff;
	RIG_REFUSES(&r, &t, SIGN_REFUSE_SEQUENCE);
	t.in[1].sequence = 0xfffffffe;
	RIG_SIGNS(&r, &t);
	rig_end(&r);
}

static void
test_locktime(void)
{
	check_case("C3: a locktime that is a time");
	rig_new(&r, SIGN_WPKH);
	simple();
	t.locktime = 500000000;
	RIG_REFUSES(&r, &t, SIGN_REFUSE_LOCKTIME);
	t.locktime = 1700000000;
	RIG_REFUSES(&r, &t, SIGN_REFUSE_LOCKTIME);
	check_case("C3: locktime 0 only where there is no height");
	t.locktime = 0;
	RIG_SIGNS(&r, &t);
	simple();
	t.locktime = 7;
	RIG_SIGNS(&r, &t);
	CHECK_INT(r.s->height, 7);
	simple();
	RIG_REFUSES(&r, &t, SIGN_REFUSE_LOCKTIME);
	check_case("C3: a lower locktime does not lower the height");
	t.locktime = 3;
	RIG_SIGNS(&r, &t);
	CHECK_INT(r.s->height, 7);
	rig_restart(&r);
	CHECK_INT(r.s->height, 7);
	rig_end(&r);
}

/* On a network where time counts. */
static void
test_height(void)
{
	check_case("C3: the height goes no faster than running time");
	rig_begin(&r, SIGN_WPKH);
	r.set.network = NETWORK_TEST;
	rig_found(&r);
	simple();
	RIG_REFUSES(&r, &t, SIGN_REFUSE_LOCKTIME);
	t.locktime = 1;
	RIG_REFUSES(&r, &t, SIGN_REFUSE_HEIGHT);
	r.now.boot_ms += 299999;
	RIG_REFUSES(&r, &t, SIGN_REFUSE_HEIGHT);
	r.now.boot_ms += 1;
	t.locktime = 2;
	RIG_REFUSES(&r, &t, SIGN_REFUSE_HEIGHT);
	t.locktime = 499999999;
	RIG_REFUSES(&r, &t, SIGN_REFUSE_HEIGHT);
	t.locktime = 1;
	RIG_SIGNS(&r, &t);
	/* Over a restart: that time is used up. */
	rig_restart(&r);
	simple();
	t.locktime = 2;
	RIG_REFUSES(&r, &t, SIGN_REFUSE_HEIGHT);
	CHECK_INT(r.s->height, 1);
	rig_end(&r);
}

/* ---- whose ---- */

static void
test_foreign(void)
{
	struct psbt	*p;
	size_t		 len;

	check_case("an input that is not of our keys");
	rig_new(&r, SIGN_WPKH);
	simple();
	(void)rig_spend(&r, &t, 0, 2, 5000);
	len = rig_stranger(t.in[1].script, 3);
	CHECK(len == t.in[1].script_len);
	rig_make_parent(&r, &t.in[1]);
	t.out[1].amount_sat += 5000;
	RIG_REFUSES(&r, &t, SIGN_REFUSE_INPUT_FOREIGN);
	t.flags = RIG_NO_PATHS;
	RIG_REFUSES(&r, &t, SIGN_REFUSE_INPUT_FOREIGN);

	check_case("one outpoint twice");
	simple();
	t.in[t.n_in++] = t.in[0];
	t.in[t.n_in++] = t.in[0];
	t.in[1].prev.txid[0] ^= 1;
	/* Psbt_spent() would find the wrong parent; this comes first. */
	RIG_REFUSES(&r, &t, SIGN_REFUSE_INPUT_TWICE);

	check_case("signatures need no derivation within the look-ahead");
	simple();
	t.flags = RIG_NO_PATHS;
	RIG_SIGNS(&r, &t);

	check_case("no transaction of version 3, 0 or 2^32-1");
	simple();
	t.version = 3;
	RIG_REFUSES(&r, &t, SIGN_REFUSE_TX_VERSION);
	t.version = 0;
	RIG_REFUSES(&r, &t, SIGN_REFUSE_TX_VERSION);
	t.version = UINT32_MAX;
	RIG_REFUSES(&r, &t, SIGN_REFUSE_TX_VERSION);
	t.version = 1;
	RIG_SIGNS(&r, &t);

	check_case("finished inputs, signed inputs, scripts that are not ours");
	simple();
	p = rig_psbt(&r, &t);
	RIG_MUST(psbt_put(p, PSBT_IN, 0, PSBT_IN_FINAL_SCRIPTWITNESS,
	    (struct text){ NULL, 0 }, (struct text){ "\1\1x", 3 }, &rig_e));
	CHECK(rig_send(&r, &t, p, SIGN_PAY) == SIGN_REFUSE_MALFORMED);
	psbt_free(&p);
	p = rig_psbt(&r, &t);
	RIG_MUST(psbt_put(p, PSBT_IN, 0, PSBT_IN_REDEEM_SCRIPT,
	    (struct text){ NULL, 0 }, (struct text){ "x", 1 }, &rig_e));
	CHECK(rig_send(&r, &t, p, SIGN_PAY) == SIGN_REFUSE_MALFORMED);
	psbt_free(&p);
	RIG_SIGNS(&r, &t);
	RIG_MUST(psbt_parse(&p, (const unsigned char *)r.answer.psbt.p,
	    r.answer.psbt.len, &rig_e));
	CHECK(rig_send(&r, &t, p, SIGN_PAY) == SIGN_REFUSE_MALFORMED);
	psbt_free(&p);
	rig_end(&r);
}

static void
test_far(enum sign_wallet w, const char *name)
{
	uint32_t	 before;

	check_case(name);
	rig_new(&r, w);
	rig_tx_begin(&t);
	(void)rig_spend(&r, &t, 0, 1001, SAT_PER_BTC);
	(void)rig_spend(&r, &t, 1, 0x7fffffff, SAT_PER_BTC);
	rig_pay(&r, &t, "w-1", 1, SAT_PER_BTC);
	rig_change(&r, &t, 1, 1, SAT_PER_BTC - RIG_FEE_SAT);
	t.flags = RIG_NO_PATHS;
	RIG_REFUSES(&r, &t, SIGN_REFUSE_INPUT_FOREIGN);
	t.flags = 0;
	/* A claim of another key than the script's. */
	t.in[0].index = 1002;
	RIG_REFUSES(&r, &t, SIGN_REFUSE_INPUT_FOREIGN);
	t.in[0].index = 1001;
	before = r.s->index_max;
	RIG_SIGNS(&r, &t);
	if (w != SIGN_WSH)
		CHECK(rig_finishes(&r));
	/* H10: it does not carry the look-ahead along. */
	CHECK(r.s->index_max - before <= KEYS_AHEAD);
	rig_end(&r);
}

static void
test_many(void)
{
	static struct tx_in in[INPUTS_MAX + 1];
	struct tx_out	 out = { .amount_sat = 1000 };
	struct tx	 tx = { .version = 2, .in = in, .out = &out,
	    .n_out = 1 };
	struct psbt	*p = NULL;
	unsigned char	 script[ADDRESS_SCRIPT_MAX];
	uint32_t	 i;

	check_case("2000 inputs, and no more");
	rig_new(&r, SIGN_WPKH);
	out.script.len = rig_stranger(script, 1);
	out.script.p = (const char *)script;
	for (i = 0; i <= INPUTS_MAX; i++) {
		in[i].prev.vout = i;
		in[i].script_sig.p = "";
		in[i].sequence = 1;
	}
	rig_tx_begin(&t);
	tx.n_in = INPUTS_MAX + 1;
	RIG_MUST(psbt_new(&p, 0, &tx, &rig_e));
	CHECK(rig_send(&r, &t, p, SIGN_PAY) == SIGN_REFUSE_TOO_MANY);
	psbt_free(&p);
	tx.n_in = INPUTS_MAX;
	RIG_MUST(psbt_new(&p, 0, &tx, &rig_e));
	CHECK(rig_send(&r, &t, p, SIGN_PAY) == SIGN_REFUSE_AMOUNT_UNPROVED);
	psbt_free(&p);
	rig_end(&r);
}

/* ---- H9 ---- */

static void
test_unproved(enum sign_wallet w, const char *name)
{
	check_case(name);
	rig_new(&r, w);
	simple();
	t.flags = RIG_NO_PARENT;
	RIG_REFUSES(&r, &t, SIGN_REFUSE_AMOUNT_UNPROVED);
	t.flags = RIG_NO_PARENT | RIG_NO_WITNESS_UTXO;
	RIG_REFUSES(&r, &t, SIGN_REFUSE_AMOUNT_UNPROVED);
	t.flags = RIG_NO_WITNESS_UTXO;
	RIG_SIGNS(&r, &t);
	simple();
	t.in[0].prev.txid[31] ^= 1;
	RIG_REFUSES(&r, &t, SIGN_REFUSE_AMOUNT_UNPROVED);
	simple();
	t.in[0].amount_sat++;
	RIG_REFUSES(&r, &t, SIGN_REFUSE_AMOUNT_UNPROVED);
	simple();
	t.in[0].prev.vout = 1;
	RIG_REFUSES(&r, &t, SIGN_REFUSE_AMOUNT_UNPROVED);
	rig_end(&r);
}

/* The change of the last request, as a coin. */
static void
spend_change(struct rig_tx *next, const struct rig_tx *of, size_t vout,
    uint32_t index)
{
	struct psbt	*p = rig_psbt(&r, of);
	struct rig_in	*in = rig_spend(&r, next, 1, index,
			    of->out[vout].amount_sat);

	tx_txid(&p->tx, in->prev.txid);
	in->prev.vout = (uint32_t)vout;
	psbt_free(&p);
}

static void
test_remembered(void)
{
	static struct rig_tx first;

	check_case("H9: change that we signed needs no parent");
	rig_new(&r, SIGN_WPKH);
	simple();
	first = t;
	RIG_SIGNS(&r, &t);
	rig_restart(&r);
	rig_tx_begin(&t);
	spend_change(&t, &first, 1, 1);
	rig_pay(&r, &t, "w-next", 5, t.in[0].amount_sat - RIG_FEE_SAT);
	t.flags = RIG_NO_PARENT;
	check_case("H9: nor is it believed to be worth more or less");
	t.in[0].amount_sat++;
	RIG_REFUSES(&r, &t, SIGN_REFUSE_AMOUNT_UNPROVED);
	t.in[0].amount_sat -= 2;
	RIG_REFUSES(&r, &t, SIGN_REFUSE_AMOUNT_UNPROVED);
	t.in[0].amount_sat++;
	RIG_SIGNS(&r, &t);
	/* The payment beside it is not ours, whoever says so. */
	rig_tx_begin(&t);
	spend_change(&t, &first, 0, 1);
	rig_pay(&r, &t, "w-more", 5, t.in[0].amount_sat - RIG_FEE_SAT);
	t.flags = RIG_NO_PARENT;
	RIG_REFUSES(&r, &t, SIGN_REFUSE_AMOUNT_UNPROVED);
	rig_end(&r);
}

static void
test_taproot(void)
{
	check_case("H9: tr: witness_utxo is enough");
	rig_new(&r, SIGN_TR);
	simple();
	t.flags = RIG_NO_PARENT;
	RIG_SIGNS(&r, &t);
	CHECK(rig_finishes(&r));

	check_case("H9: tr: one transaction, two sets of amounts");
	simple();
	t.flags = RIG_NO_PARENT;
	/* It says that only the change and the fee go in. */
	RIG_SIGNS(&r, &t);
	t.in[0].amount_sat += 1000;
	RIG_REFUSES(&r, &t, SIGN_REFUSE_TX_CHANGED);
	rig_restart(&r);
	RIG_REFUSES(&r, &t, SIGN_REFUSE_TX_CHANGED);
	t.in[0].amount_sat -= 1000;
	RIG_SIGNS(&r, &t);
	check_case("H9: tr: amounts that are more than there is");
	simple();
	t.flags = RIG_NO_PARENT;
	(void)rig_spend(&r, &t, 0, 2, TX_MONEY_MAX_SAT);
	RIG_REFUSES(&r, &t, SIGN_REFUSE_AMOUNT_UNPROVED);
	rig_end(&r);
}

/* ---- section 2, condition 1 ---- */

static void
put_type(struct psbt *p, size_t i, uint32_t type)
{
	unsigned char	 b[4];
	struct text	 none = { NULL, 0 }, v = { (const char *)b, 4 };

	memcpy(b, &type, 4);
	RIG_MUST(psbt_put(p, PSBT_IN, i, PSBT_IN_SIGHASH_TYPE, none, v,
	    &rig_e));
}

static enum sign_refusal
with_type(uint32_t type)
{
	struct psbt	*p;
	enum sign_refusal why;

	simple();
	(void)rig_spend(&r, &t, 0, 2, 5000);
	t.out[1].amount_sat += 5000;
	p = rig_psbt(&r, &t);
	put_type(p, 1, type);
	why = rig_send(&r, &t, p, SIGN_PAY);
	psbt_free(&p);
	return why;
}

/* How long the answer's are: what is ALL says so in a 65th byte. */
static void
check_tap_sigs(size_t first, size_t second)
{
	struct psbt	*p = NULL;

	RIG_MUST(psbt_parse(&p, (const unsigned char *)r.answer.psbt.p,
	    r.answer.psbt.len, &rig_e));
	CHECK_INT(p->in[0].tap_key_sig.len, first);
	CHECK_INT(p->in[1].tap_key_sig.len, second);
	/* And sent again, signed as it is. */
	CHECK(rig_send(&r, &t, p, SIGN_PAY) == SIGN_REFUSE_MALFORMED);
	psbt_free(&p);
	p = rig_psbt(&r, &t);
	put_type(p, 1, second == 64 ? SIGHASH_DEFAULT : SIGHASH_ALL);
	CHECK(rig_send(&r, &t, p, SIGN_PAY) == SIGN_REFUSE_NONE);
	psbt_free(&p);
}

static void
test_sighash(enum sign_wallet w, const char *name)
{
	static const uint32_t bad[] = { SIGHASH_NONE, SIGHASH_SINGLE,
		SIGHASH_ALL | SIGHASH_ANYONECANPAY,
		SIGHASH_NONE | SIGHASH_ANYONECANPAY,
		SIGHASH_SINGLE | SIGHASH_ANYONECANPAY,
		SIGHASH_ANYONECANPAY, 4, 0x101, 0x80000001 };
	size_t	 i;

	check_case(name);
	rig_new(&r, w);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(with_type(bad[i]) == SIGN_REFUSE_SIGHASH);
	CHECK(with_type(SIGHASH_DEFAULT) == (w == SIGN_TR ?
	    SIGN_REFUSE_NONE : SIGN_REFUSE_SIGHASH));
	if (w == SIGN_TR)
		check_tap_sigs(64, 64);
	CHECK(with_type(SIGHASH_ALL) == SIGN_REFUSE_NONE);
	if (w == SIGN_TR)
		check_tap_sigs(64, 65);
	if (w != SIGN_WSH)
		CHECK(rig_finishes(&r));
	rig_end(&r);
}

static void
test_witness_script(void)
{
	struct psbt	*p;
	struct descriptor_output o;
	struct text	 none = { NULL, 0 }, v;

	check_case("wsh: no witness script, or another one");
	rig_new(&r, SIGN_WSH);
	simple();
	t.flags = RIG_NO_SCRIPT;
	RIG_REFUSES(&r, &t, SIGN_REFUSE_MALFORMED);
	p = rig_psbt(&r, &t);
	rig_script(&r, 0, 2, &o);
	v.p = (const char *)o.inner;
	v.len = o.inner_len;
	RIG_MUST(psbt_put(p, PSBT_IN, 0, PSBT_IN_WITNESS_SCRIPT, none, v,
	    &rig_e));
	CHECK(rig_send(&r, &t, p, SIGN_PAY) == SIGN_REFUSE_MALFORMED);
	psbt_free(&p);
	t.flags = 0;
	RIG_SIGNS(&r, &t);
	rig_end(&r);
}

int
main(void)
{
	test_sequence();
	test_locktime();
	test_height();
	test_foreign();
	test_far(SIGN_WPKH, "wpkh: coins beyond the look-ahead are ours");
	test_far(SIGN_TR, "tr: coins beyond the look-ahead are ours");
	test_far(SIGN_WSH, "wsh: coins beyond the look-ahead are ours");
	test_many();
	test_unproved(SIGN_WPKH, "H9: wpkh: the parent must be shown");
	test_unproved(SIGN_WSH, "H9: wsh: the parent must be shown");
	test_remembered();
	test_taproot();
	test_sighash(SIGN_WPKH, "section 2, 1: wpkh: all, nothing less");
	test_sighash(SIGN_WSH, "section 2, 1: wsh: all, nothing less");
	test_sighash(SIGN_TR, "section 2, 1: tr: all, nothing less");
	test_witness_script();
	return check_done();
}
