/*
 * The line that a transaction passes, from a request to signatures: ceilings
 * (C9), fees, the journal before the key, and the conditions of paying twice.
 */
#define _GNU_SOURCE
#define HOSTILE_ALLOC
#include "signer/test/rig.h"

#include "bitcoin/test/hostile.h"
#include "bitcoin/sighash.h"

static struct rig r;
static struct rig_tx t;

/* One coin, one payment, the rest as change. */
static void
simple(const char *id, int64_t coin_sat, int64_t pay_sat, int64_t fee_sat)
{
	rig_tx_begin(&t);
	(void)rig_spend(&r, &t, 0, (uint32_t)(r.coins % 100), coin_sat);
	rig_pay(&r, &t, id, r.coins, pay_sat);
	if (coin_sat > pay_sat + fee_sat)
		rig_change(&r, &t, 1, (uint32_t)(r.coins % 100),
		    coin_sat - pay_sat - fee_sat);
}

static void
test_wallet(enum sign_wallet w, const char *name)
{
	unsigned	 flags;

	check_case(name);
	for (flags = 0; flags <= RIG_V2; flags += RIG_V2) {
		rig_new(&r, w);
		rig_tx_begin(&t);
		t.flags = flags;
		(void)rig_spend(&r, &t, 0, 0, SAT_PER_BTC);
		(void)rig_spend(&r, &t, 1, 7, SAT_PER_BTC);
		(void)rig_spend(&r, &t, 0, 1000, SAT_PER_BTC);
		rig_pay(&r, &t, "w-1", 1, SAT_PER_BTC);
		rig_pay(&r, &t, "w-2", 2, SAT_PER_BTC / 2);
		rig_change(&r, &t, 1, 8, SAT_PER_BTC);
		t.out[2].amount_sat += SAT_PER_BTC / 2 - RIG_FEE_SAT;
		RIG_SIGNS(&r, &t);
		CHECK(r.answer.tag == 7);
		if (w != SIGN_WSH)
			CHECK(rig_finishes(&r));
		CHECK_INT(r.s->windows.short_sat,
		    SAT_PER_BTC + SAT_PER_BTC / 2 + RIG_FEE_SAT);
		rig_end(&r);
	}
}

/* ---- 2 of 3: two others signed before ---- */

/* The secret of co-signer n at branch and index. */
static void
cosigner_secret(struct bip32_key *key, uint64_t n, unsigned branch,
    uint32_t index)
{
	char		 text[SIGN_KEY_TEXT_MAX];
	uint32_t	 path[2] = { branch, index };

	rig_cosigner(text, sizeof(text), key, n);
	RIG_MUST(bip32_derive(key, key, path, 2, &rig_e));
}

static void
cosign(struct psbt *p, size_t i, uint64_t n, uint8_t type)
{
	struct tx_out	 spent[RIG_IN_MAX];
	struct bip32_key key;
	struct sighash	 h;
	unsigned char	 hash[32], sig[CURVE_DER_MAX + 1];
	struct text	 k, v = { (const char *)sig, 0 };
	bool		 proved;
	size_t		 j;

	for (j = 0; j < p->tx.n_in; j++)
		RIG_MUST(psbt_spent(&spent[j], &proved, p, j, &rig_e));
	cosigner_secret(&key, n, t.in[i].branch, t.in[i].index);
	sighash_begin(&h, &p->tx, spent);
	sighash_v0(hash, &h, i, p->in[i].witness_script, type);
	v.len = curve_ecdsa_sign(sig, hash, key.secret);
	sig[v.len++] = type;
	k.p = (const char *)key.public;
	k.len = 33;
	RIG_MUST(psbt_put(p, PSBT_IN, i, PSBT_IN_PARTIAL_SIG, k, v, &rig_e));
}

static void
test_multisig(void)
{
	struct psbt	*p;
	enum sign_refusal why;

	check_case("wsh: our signature beside two foreign ones");
	rig_new(&r, SIGN_WSH);
	simple("w-1", SAT_PER_BTC, SAT_PER_BTC / 2, RIG_FEE_SAT);
	p = rig_psbt(&r, &t);
	cosign(p, 0, 1, SIGHASH_ALL);
	cosign(p, 0, 2, SIGHASH_ALL);
	why = rig_send(&r, &t, p, SIGN_PAY);
	rig_expect(&r, why, SIGN_REFUSE_NONE, "signs", __FILE__,
	    __LINE__);
	psbt_free(&p);
	RIG_MUST(psbt_parse(&p, (const unsigned char *)r.answer.psbt.p,
	    r.answer.psbt.len, &rig_e));
	CHECK_INT(p->in[0].n_sigs, 3);
	CHECK(rig_finishes(&r));
	psbt_free(&p);
	/* Ours and one of theirs suffice. */
	simple("w-2", SAT_PER_BTC, SAT_PER_BTC / 2, RIG_FEE_SAT);
	p = rig_psbt(&r, &t);
	cosign(p, 0, 2, SIGHASH_ALL);
	CHECK(rig_send(&r, &t, p, SIGN_PAY) == SIGN_REFUSE_NONE);
	CHECK(rig_finishes(&r));
	psbt_free(&p);

	check_case("section 2, 1: a foreign signature of less than all");
	simple("w-3", SAT_PER_BTC, SAT_PER_BTC / 2, RIG_FEE_SAT);
	p = rig_psbt(&r, &t);
	cosign(p, 0, 1, SIGHASH_ALL | SIGHASH_ANYONECANPAY);
	CHECK(rig_send(&r, &t, p, SIGN_PAY) == SIGN_REFUSE_SIGHASH);
	psbt_free(&p);
	rig_end(&r);
}

/* ---- fees ---- */

static void
approve_fee(int64_t fee_sat)
{
	struct sign_statement st;
	struct psbt	*p = rig_psbt(&r, &t);

	approve_begin(r.s, &st, SIGN_FOR_FEE, 0);
	tx_txid(&p->tx, st.txid);
	st.amount_sat = fee_sat;
	rig_approve(&r, &t, 0, &st);
	rig_approve(&r, &t, 1, &st);
	psbt_free(&p);
}

/* A consolidation, whose fee no receipt limits. */
static void
move(int64_t fee_sat)
{
	rig_tx_begin(&t);
	(void)rig_spend(&r, &t, 0, 3, SAT_PER_BTC);
	rig_change(&r, &t, 1, 3, SAT_PER_BTC - fee_sat);
}

static void
test_fee(void)
{
	const int64_t	 vsize = 110;	/* of move(): 109.5 by Bitcoin Core */

	check_case("a fee above the ceiling");
	rig_begin(&r, SIGN_WPKH);
	r.set.fee_max_sat = 10000;
	r.set.spike_fee_max_sat = 30000;
	r.set.fee_rate_max = r.set.spike_rate_max = 1000 * 1000;
	rig_found(&r);
	move(10000);
	RIG_SIGNS(&r, &t);
	move(10001);
	RIG_REFUSES(&r, &t, SIGN_REFUSE_APPROVALS);
	approve_fee(10001);
	RIG_SIGNS(&r, &t);
	/* The approval is of this fee and transaction alone (H6). */
	move(10001);
	approve_fee(10000);
	RIG_REFUSES(&r, &t, SIGN_REFUSE_APPROVAL_BAD);
	move(30000);
	approve_fee(30000);
	RIG_SIGNS(&r, &t);
	move(30001);
	approve_fee(30001);
	RIG_REFUSES(&r, &t, SIGN_REFUSE_FEE);
	rig_end(&r);

	check_case("a fee rate above the ceiling");
	rig_begin(&r, SIGN_WPKH);
	r.set.fee_rate_max = 20 * 1000;
	r.set.spike_rate_max = 50 * 1000;
	rig_found(&r);
	move(20 * (vsize - 1));
	RIG_SIGNS(&r, &t);
	move(20 * (vsize + 1));
	RIG_REFUSES(&r, &t, SIGN_REFUSE_APPROVALS);
	approve_fee(20 * (vsize + 1));
	RIG_SIGNS(&r, &t);
	move(50 * (vsize + 1));
	approve_fee(50 * (vsize + 1));
	RIG_REFUSES(&r, &t, SIGN_REFUSE_FEE_RATE);
	rig_end(&r);
}

static void
test_receipts_fee(void)
{
	check_case("a fee above what the receipts allow");
	rig_begin(&r, SIGN_WPKH);
	r.set.fee_rate_max = r.set.spike_rate_max = 10000 * 1000;
	rig_found(&r);
	/* rig_release(): 100,000 each. */
	simple("w-1", SAT_PER_BTC, SAT_PER_BTC / 2, 100000);
	RIG_SIGNS(&r, &t);
	simple("w-2", SAT_PER_BTC, SAT_PER_BTC / 2, 100001);
	RIG_REFUSES(&r, &t, SIGN_REFUSE_APPROVALS);
	approve_fee(100001);
	RIG_SIGNS(&r, &t);
	simple("w-3", 2 * SAT_PER_BTC, SAT_PER_BTC, 200000);
	rig_pay(&r, &t, "w-4", 9, SAT_PER_BTC / 2);
	t.out[1].amount_sat -= SAT_PER_BTC / 2;
	RIG_SIGNS(&r, &t);
	check_case("outputs above the inputs");
	simple("w-5", SAT_PER_BTC, SAT_PER_BTC + 1, 0);
	RIG_REFUSES(&r, &t, SIGN_REFUSE_FEE);
	rig_end(&r);
}

static void
test_weight(void)
{
	static const enum sign_wallet wallets[] = { SIGN_WPKH, SIGN_TR };
	struct psbt	*p;
	unsigned char	*bytes;
	struct tx	 tx;
	size_t		 len, w;
	int64_t		 rate;

	check_case("the rate is that of the finished transaction, or above");
	for (w = 0; w < 2; w++) {
		rig_new(&r, wallets[w]);
		simple("w-1", SAT_PER_BTC, SAT_PER_BTC / 2, RIG_FEE_SAT);
		(void)rig_spend(&r, &t, 0, 5, 5000);
		t.out[1].amount_sat += 5000;
		RIG_SIGNS(&r, &t);
		p = NULL;
		bytes = NULL;
		RIG_MUST(psbt_parse(&p,
		    (const unsigned char *)r.answer.psbt.p,
		    r.answer.psbt.len, &rig_e));
		RIG_MUST(psbt_finalize(p, &rig_e));
		RIG_MUST(psbt_extract(&bytes, &len, p, &rig_e));
		RIG_MUST(tx_parse(&tx, bytes, len, &rig_e));
		rate = (int64_t)tx_vsize(&tx);
		tx_free(&tx);
		free(bytes);
		psbt_free(&p);
		rig_end(&r);

		/* At a ceiling of just this it passes by a hair or not. */
		rig_begin(&r, wallets[w]);
		r.set.fee_rate_max = RIG_FEE_SAT * 1000 / rate - 1;
		r.set.spike_rate_max = r.set.fee_rate_max;
		rig_found(&r);
		r.engine_seq = 200;
		RIG_REFUSES(&r, &t, SIGN_REFUSE_FEE_RATE);
		rig_end(&r);
		rig_begin(&r, wallets[w]);
		r.set.fee_rate_max = RIG_FEE_SAT * 1000 / rate +
		    RIG_FEE_SAT / 100 * 10;
		r.set.spike_rate_max = r.set.fee_rate_max;
		rig_found(&r);
		r.engine_seq = 200;
		RIG_SIGNS(&r, &t);
		rig_end(&r);
	}
}

/* ---- ceilings ---- */

static void
test_ceilings(void)
{
	check_case("C9: per transaction, fees included");
	rig_begin(&r, SIGN_WPKH);
	r.set.tx_max_sat = SAT_PER_BTC;
	r.set.short_max_sat = 2 * SAT_PER_BTC;
	r.set.long_max_sat = 3 * SAT_PER_BTC;
	r.set.short_blocks = 10;
	r.set.long_blocks = 100;
	rig_found(&r);
	simple("w-1", 3 * SAT_PER_BTC, SAT_PER_BTC, RIG_FEE_SAT);
	RIG_REFUSES(&r, &t, SIGN_REFUSE_CEILING_TX);
	simple("w-2", 3 * SAT_PER_BTC, SAT_PER_BTC - RIG_FEE_SAT,
	    RIG_FEE_SAT);
	t.locktime = 1;
	RIG_SIGNS(&r, &t);
	check_case("C9: per short window");
	simple("w-3", 3 * SAT_PER_BTC, SAT_PER_BTC - RIG_FEE_SAT,
	    RIG_FEE_SAT);
	t.locktime = 2;
	RIG_SIGNS(&r, &t);
	simple("w-4", SAT_PER_BTC, 1000, RIG_FEE_SAT);
	t.locktime = 10;
	RIG_REFUSES(&r, &t, SIGN_REFUSE_CEILING_SHORT);
	/* Counted after a start as before, and the height believed is not
	 * what a refused request said. */
	CHECK_INT(r.s->height, 2);
	rig_restart(&r);
	RIG_REFUSES(&r, &t, SIGN_REFUSE_CEILING_SHORT);
	/* What was signed at height 1 has left at 11. */
	t.locktime = 11;
	RIG_SIGNS(&r, &t);
	check_case("C9: per long period, however it is spread");
	simple("w-5", 3 * SAT_PER_BTC, SAT_PER_BTC - RIG_FEE_SAT,
	    RIG_FEE_SAT);
	t.locktime = 50;
	RIG_REFUSES(&r, &t, SIGN_REFUSE_CEILING_LONG);
	simple("w-6", SAT_PER_BTC, 1000, RIG_FEE_SAT);
	t.locktime = 101;
	RIG_REFUSES(&r, &t, SIGN_REFUSE_UNARMED);
	CHECK_INT(r.s->height, 11);
	rig_end(&r);
}

static void
test_self_transfers(void)
{
	int	 n;

	check_case("C9: transfers of nothing at the top fee run out");
	rig_begin(&r, SIGN_WPKH);
	r.set.fee_max_sat = SAT_PER_BTC / 100;
	r.set.fee_rate_max = r.set.spike_rate_max = 100000 * 1000;
	r.set.tx_max_sat = SAT_PER_BTC / 50;
	r.set.short_max_sat = SAT_PER_BTC / 10;
	r.set.long_max_sat = SAT_PER_BTC;
	rig_found(&r);
	for (n = 0; n < 10; n++) {
		move(r.set.fee_max_sat);
		RIG_SIGNS(&r, &t);
	}
	move(r.set.fee_max_sat);
	RIG_REFUSES(&r, &t, SIGN_REFUSE_CEILING_SHORT);
	move(1000);
	RIG_REFUSES(&r, &t, SIGN_REFUSE_CEILING_SHORT);
	rig_end(&r);
}

static void
test_bump(void)
{
	struct rig_in	 coin;
	int64_t		 cost;

	check_case("C9: an id's value counts once, every fee in full");
	rig_begin(&r, SIGN_WPKH);
	r.set.tx_max_sat = SAT_PER_BTC;
	r.set.short_max_sat = SAT_PER_BTC + 100000;
	rig_found(&r);
	simple("w-1", SAT_PER_BTC, SAT_PER_BTC * 3 / 4, RIG_FEE_SAT);
	coin = t.in[0];
	RIG_SIGNS(&r, &t);
	cost = SAT_PER_BTC * 3 / 4 + RIG_FEE_SAT;
	CHECK_INT(r.s->windows.short_sat, cost);
	t.out[1].amount_sat -= 1000;
	RIG_SIGNS(&r, &t);
	cost += RIG_FEE_SAT + 1000;
	CHECK_INT(r.s->windows.short_sat, cost);
	/* With another that is new, whose value counts. */
	t.in[0] = coin;
	t.out[1].amount_sat -= SAT_PER_BTC / 8;
	rig_pay(&r, &t, "w-2", 2, SAT_PER_BTC / 8);
	RIG_SIGNS(&r, &t);
	cost += RIG_FEE_SAT + 1000 + SAT_PER_BTC / 8;
	CHECK_INT(r.s->windows.short_sat, cost);
	CHECK_INT(r.s->windows.long_sat, cost);
	rig_restart(&r);
	CHECK_INT(r.s->windows.short_sat, cost);
	/* A transaction is as large as it is. */
	r.s->settings.tx_max_sat = SAT_PER_BTC / 2;
	t.out[1].amount_sat -= 1000;
	RIG_REFUSES(&r, &t, SIGN_REFUSE_CEILING_TX);
	rig_end(&r);
}

/* ---- paying twice ---- */

static void
test_again(enum sign_wallet w, const char *name)
{
	static struct rig_tx old;
	unsigned char	 first[8192];
	size_t		 len;
	uint64_t	 seq;
	int64_t		 sat;

	check_case(name);
	rig_new(&r, w);
	simple("w-1", SAT_PER_BTC, SAT_PER_BTC / 2, RIG_FEE_SAT);
	RIG_SIGNS(&r, &t);
	len = r.answer.psbt.len;
	memcpy(first, r.answer.psbt.p, len);
	seq = journal_seq(r.s->journal);
	sat = r.s->windows.short_sat;
	old = t;
	RIG_SIGNS(&r, &t);
	CHECK(r.answer.psbt.len == len &&
	    memcmp(r.answer.psbt.p, first, len) == 0);
	/* As if the answer had been lost with the process. */
	rig_restart(&r);
	CHECK_INT(r.s->windows.short_sat, sat);
	/* Years later, without its receipts, over every ceiling. */
	r.now.now_ms += INT64_C(100000000000);
	t.n_receipts = 0;
	r.s->settings.tx_max_sat = 1;
	RIG_SIGNS(&r, &t);
	CHECK(r.answer.psbt.len == len &&
	    memcmp(r.answer.psbt.p, first, len) == 0);
	CHECK_INT(journal_seq(r.s->journal), seq);
	CHECK_INT(r.s->windows.short_sat, sat);
	/* The height went on since, where its locktime was none. */
	r.s->settings.tx_max_sat = r.set.tx_max_sat;
	simple("w-2", SAT_PER_BTC, SAT_PER_BTC / 2, RIG_FEE_SAT);
	t.locktime = 10;
	RIG_SIGNS(&r, &t);
	t = old;
	RIG_SIGNS(&r, &t);
	CHECK(r.answer.psbt.len == len &&
	    memcmp(r.answer.psbt.p, first, len) == 0);
	rig_end(&r);
}

static void
receipt_for(const char *id, size_t out, struct receipt *rc)
{
	rig_release(&r, rc, id, t.out[out].script, t.out[out].script_len,
	    t.out[out].amount_sat);
}

static void
test_conditions(void)
{
	struct receipt	 rc;
	struct rig_in	 coin;

	check_case("section 2, 2: the same id with another amount");
	rig_new(&r, SIGN_WPKH);
	simple("w-1", SAT_PER_BTC, SAT_PER_BTC / 2, RIG_FEE_SAT);
	coin = t.in[0];
	RIG_SIGNS(&r, &t);
	simple("w-1", SAT_PER_BTC, SAT_PER_BTC / 4, RIG_FEE_SAT);
	t.in[0] = coin;
	RIG_REFUSES(&r, &t, SIGN_REFUSE_ID_CHANGED);

	check_case("section 2, 3: one receipt, two outputs");
	simple("w-2", SAT_PER_BTC, SAT_PER_BTC / 4, RIG_FEE_SAT);
	t.out[1] = t.out[0];
	RIG_REFUSES(&r, &t, SIGN_REFUSE_OUTPUT_UNKNOWN);
	check_case("section 2, 3: two receipts, one output");
	simple("w-3", SAT_PER_BTC, SAT_PER_BTC / 4, RIG_FEE_SAT);
	receipt_for("w-4", 0, &rc);
	rig_receipt_sign(&r, &rc, t.receipts[t.n_receipts++]);
	RIG_REFUSES(&r, &t, SIGN_REFUSE_RECEIPT_UNUSED);
	check_case("section 2, 3: two receipts, two equal outputs");
	t.out[1] = t.out[0];
	t.in[0].amount_sat = SAT_PER_BTC / 2 + RIG_FEE_SAT;
	rig_make_parent(&r, &t.in[0]);
	RIG_SIGNS(&r, &t);
	CHECK(memory_find_id(r.s->memory, text_of("w-3")) != NULL);
	CHECK(memory_find_id(r.s->memory, text_of("w-4")) != NULL);
	rig_end(&r);
}

/* An id's receipt, anew: the engine answers a second time. */
static void
pay_again(const char *id, uint64_t stranger, int64_t sat)
{
	t.n_receipts = 0;
	t.n_out = 0;
	rig_pay(&r, &t, id, stranger, sat);
}

static void
test_twice(void)
{
	struct rig_in	 a, b, c;

	check_case("section 2: T4 carries w2 and spends only a");
	rig_new(&r, SIGN_WPKH);
	rig_tx_begin(&t);
	a = *rig_spend(&r, &t, 0, 0, SAT_PER_BTC);
	b = *rig_spend(&r, &t, 0, 1, SAT_PER_BTC);
	c = *rig_spend(&r, &t, 0, 2, SAT_PER_BTC);
	t.n_in = 2;
	rig_pay(&r, &t, "w1", 1, SAT_PER_BTC / 2);
	rig_pay(&r, &t, "w2", 2, SAT_PER_BTC / 2);
	rig_change(&r, &t, 1, 0, SAT_PER_BTC - RIG_FEE_SAT);
	RIG_SIGNS(&r, &t);		/* T1 {w1, w2: a, b} */
	r.engine_seq = 100;
	rig_tx_begin(&t);
	t.in[t.n_in++] = a;
	pay_again("w1", 1, SAT_PER_BTC / 2);
	rig_change(&r, &t, 1, 1, SAT_PER_BTC / 2 - RIG_FEE_SAT);
	r.engine_seq = 102;
	RIG_SIGNS(&r, &t);		/* T2 {w1: a} */
	rig_tx_begin(&t);
	t.in[t.n_in++] = b;
	r.engine_seq = 101;
	pay_again("w2", 2, SAT_PER_BTC / 2);
	rig_change(&r, &t, 1, 2, SAT_PER_BTC / 2 - RIG_FEE_SAT);
	RIG_SIGNS(&r, &t);		/* T3 {w2: b} */
	rig_tx_begin(&t);
	t.in[t.n_in++] = a;
	r.engine_seq = 100;
	rig_pay(&r, &t, "w1", 1, SAT_PER_BTC / 2);
	rig_pay(&r, &t, "w2", 2, SAT_PER_BTC / 2);
	t.out[1].amount_sat = SAT_PER_BTC / 2;
	t.in[0].amount_sat = SAT_PER_BTC;
	t.in[t.n_in++] = c;
	rig_change(&r, &t, 1, 3, SAT_PER_BTC - RIG_FEE_SAT);
	RIG_REFUSES(&r, &t, SIGN_REFUSE_NO_CONFLICT);	/* T4 {w1, w2: a, c} */

	check_case("section 2: another coin pays it a second time");
	rig_tx_begin(&t);
	t.in[t.n_in++] = c;
	r.engine_seq = 101;
	pay_again("w2", 2, SAT_PER_BTC / 2);
	rig_change(&r, &t, 1, 4, SAT_PER_BTC / 2 - RIG_FEE_SAT);
	RIG_REFUSES(&r, &t, SIGN_REFUSE_NO_CONFLICT);
	rig_restart(&r);
	RIG_REFUSES(&r, &t, SIGN_REFUSE_NO_CONFLICT);
	rig_end(&r);
}

static void
test_expiry(void)
{
	struct rig_in	 coin;

	check_case("section 2, 6: expiry limits the first signature");
	rig_new(&r, SIGN_WPKH);
	simple("w-1", SAT_PER_BTC, SAT_PER_BTC / 2, RIG_FEE_SAT);
	coin = t.in[0];
	r.now.now_ms += 600001;
	RIG_REFUSES(&r, &t, SIGN_REFUSE_RECEIPT_EXPIRED);
	r.now.now_ms -= 600001;
	RIG_SIGNS(&r, &t);
	/* The same withdrawal at a better fee, long after. */
	t.out[1].amount_sat -= 1000;
	r.now.now_ms += 86400000;
	t.in[0] = coin;
	RIG_SIGNS(&r, &t);
	rig_end(&r);
}

/* ---- the journal before the key ---- */

static void
test_journal_fails(void)
{
	check_case("the journal cannot be written: nothing is signed");
	rig_begin(&r, SIGN_WPKH);
	(void)close(r.journal_fd);
	r.journal_fd = memfd_create("journal", MFD_ALLOW_SEALING);
	rig_found(&r);
	simple("w-1", SAT_PER_BTC, SAT_PER_BTC / 2, RIG_FEE_SAT);
	RIG_SIGNS(&r, &t);
	CHECK(fcntl(r.journal_fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_WRITE) ==
	    0);
	simple("w-2", SAT_PER_BTC, SAT_PER_BTC / 2, RIG_FEE_SAT);
	RIG_REFUSES(&r, &t, SIGN_REFUSE_STORE);
	CHECK(r.answer.psbt.p == NULL);
	/* Never tried again, whatever is asked. */
	simple("w-3", SAT_PER_BTC, SAT_PER_BTC / 2, RIG_FEE_SAT);
	RIG_REFUSES(&r, &t, SIGN_REFUSE_STORE);
	CHECK(memory_find_id(r.s->memory, text_of("w-2")) == NULL);
	rig_end(&r);
}

/* ---- no memory ---- */

static unsigned long fail_at;
static bool	 failed;

static void
begin_failing(void)
{
	if (fail_at > 0)
		hostile_fail(fail_at);
}

static void
end_failing(void)
{
	failed = hostile_end();
}

static void
test_no_memory(enum sign_wallet w, const char *name)
{
	static char	 id[32];
	enum sign_refusal why;
	int64_t		 before, cost = SAT_PER_BTC / 100 + RIG_FEE_SAT;
	unsigned long	 n, refused = 0;
	long		 live = 0;

	check_case(name);
	rig_begin(&r, w);
	r.set.approve_above_sat = 10 * SAT_PER_BTC;
	rig_found(&r);
	rig_before = begin_failing;
	rig_after = end_failing;
	for (n = 1;; n++) {
		(void)snprintf(id, sizeof(id), "w-%lu", n);
		simple(id, SAT_PER_BTC, SAT_PER_BTC / 100, RIG_FEE_SAT);
		/* New indices of change: look-ups must reach farther. */
		t.n_out = 1;
		rig_change(&r, &t, 1, (uint32_t)n * 5,
		    SAT_PER_BTC - SAT_PER_BTC / 100 - RIG_FEE_SAT);
		before = r.s->windows.short_sat;
		fail_at = n;
		why = rig_sign(&r, &t);
		fail_at = 0;
		CHECK(failed == (why != SIGN_REFUSE_NONE) || failed);
		if (!failed)
			break;
		if (why != SIGN_REFUSE_NONE) {
			refused++;
			CHECK(r.answer.psbt.p == NULL);
		}
		/* Asked again, it is signed, and counted once. */
		RIG_SIGNS(&r, &t);
		CHECK_INT(r.s->windows.short_sat - before, cost);
		/* What stays is only what grows. */
		if (n == 1)
			live = hostile_live;
	}
	CHECK(refused > 5);
	CHECK(hostile_live - live < 8);
	rig_before = rig_after = NULL;
	rig_restart(&r);
	CHECK_INT(r.s->windows.short_sat, (int64_t)n * cost);
	rig_end(&r);
}

static void
test_halted(void)
{
	struct sign_message m;

	check_case("halted: not even what was signed before");
	rig_new(&r, SIGN_WPKH);
	simple("w-1", SAT_PER_BTC, SAT_PER_BTC / 2, RIG_FEE_SAT);
	RIG_SIGNS(&r, &t);
	sign_message_clear(&m, SIGN_HALT, 8);
	m.reason = text_of("drill");
	CHECK(rig_ask(&r, &m, false) == SIGN_REFUSE_NONE);
	RIG_REFUSES(&r, &t, SIGN_REFUSE_HALTED);
	rig_end(&r);
}

static void
test_malformed(void)
{
	struct sign_message m;
	unsigned char	 standing[RECEIPT_LEN];

	check_case("a request without a PSBT, or with none that is one");
	rig_new(&r, SIGN_WPKH);
	rig_standing(&r, standing);
	sign_message_clear(&m, SIGN_PAY, 8);
	m.standing.p = (const char *)standing;
	m.standing.len = sizeof(standing);
	CHECK(rig_ask(&r, &m, false) == SIGN_REFUSE_MALFORMED);
	m.psbt = text_of("psbt\xff");
	CHECK(rig_ask(&r, &m, false) == SIGN_REFUSE_MALFORMED);
	rig_end(&r);
}

int
main(void)
{
	test_wallet(SIGN_WPKH, "wpkh: PSBT versions 0 and 2");
	test_wallet(SIGN_TR, "tr: PSBT versions 0 and 2");
	test_wallet(SIGN_WSH, "wsh: PSBT versions 0 and 2");
	test_multisig();
	test_fee();
	test_receipts_fee();
	test_weight();
	test_ceilings();
	test_self_transfers();
	test_bump();
	test_again(SIGN_WPKH, "section 2, 4: wpkh, asked again");
	test_again(SIGN_TR, "section 2, 4: tr, asked again");
	test_again(SIGN_WSH, "section 2, 4: wsh, asked again");
	test_conditions();
	test_twice();
	test_expiry();
	test_journal_fails();
	test_no_memory(SIGN_WPKH, "wpkh: no memory, at each allocation");
	test_no_memory(SIGN_TR, "tr: no memory, at each allocation");
	test_no_memory(SIGN_WSH, "wsh: no memory, at each allocation");
	test_halted();
	test_malformed();
	return check_done();
}
