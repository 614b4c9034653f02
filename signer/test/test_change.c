/*
 * Outputs that no receipt names: change of ours on the internal branch (C2)
 * where a wallet looks for it (H10), a cold descriptor's, or refused.
 */
#define _GNU_SOURCE
#include "signer/keys_inner.h"
#include "signer/test/rig.h"

static struct rig r;
static struct rig_tx t;

/* A coin and a payment; what comes back is the caller's. */
static void
begin(int64_t rest_sat)
{
	static char	 id[16];

	(void)snprintf(id, sizeof(id), "w-%ju", (uintmax_t)r.coins);
	rig_tx_begin(&t);
	(void)rig_spend(&r, &t, 0, 1, SAT_PER_BTC + rest_sat + RIG_FEE_SAT);
	rig_pay(&r, &t, id, 1, SAT_PER_BTC);
}

static void
with_change(unsigned branch, uint32_t index)
{
	begin(SAT_PER_BTC);
	rig_change(&r, &t, branch, index, SAT_PER_BTC);
}

/* The same with a claim about output 1. */
static enum sign_refusal
claiming(unsigned branch, uint32_t index, const unsigned char *fingerprint)
{
	struct psbt	*p = rig_psbt(&r, &t);
	struct descriptor saved = r.wallet[branch];
	enum sign_refusal why;
	unsigned	 i;

	for (i = 0; fingerprint != NULL && i < saved.n; i++)
		memcpy(r.wallet[branch].keys[i].origin, fingerprint, 4);
	rig_put_paths(&r, p, PSBT_OUT, 1, branch, index);
	r.wallet[branch] = saved;
	why = rig_send(&r, &t, p, SIGN_PAY);
	psbt_free(&p);
	return why;
}

static void
test_branch(enum sign_wallet w, const char *name)
{
	check_case(name);
	rig_new(&r, w);
	with_change(0, 5);
	RIG_REFUSES(&r, &t, SIGN_REFUSE_CHANGE_BRANCH);
	CHECK(claiming(0, 5, NULL) == SIGN_REFUSE_CHANGE_BRANCH);
	/* Saying that it is the other branch's does not help. */
	CHECK(claiming(1, 5, NULL) == SIGN_REFUSE_CHANGE_BRANCH);
	with_change(1, 5);
	CHECK(claiming(1, 5, NULL) == SIGN_REFUSE_NONE);
	with_change(1, 6);
	RIG_SIGNS(&r, &t);
	rig_end(&r);
}

/* Condition 3: a customer pays our deposit address, or even our change. */
static void
test_authorised(void)
{
	struct descriptor_output o;
	struct receipt	 rc;
	int64_t		 before;
	unsigned	 branch;

	check_case("section 2, 3: an authorised output of ours is a payment");
	rig_new(&r, SIGN_WPKH);
	for (branch = 0; branch < 2; branch++) {
		begin(SAT_PER_BTC);
		rig_script(&r, branch, 9, &o);
		(void)rig_output(&t, o.script, o.script_len, SAT_PER_BTC);
		rig_release(&r, &rc, branch == 0 ? "to-us" : "to-change",
		    o.script, o.script_len, SAT_PER_BTC);
		rig_receipt_sign(&r, &rc, t.receipts[t.n_receipts++]);
		before = r.s->windows.short_sat;
		RIG_SIGNS(&r, &t);
		CHECK_INT(r.s->windows.short_sat - before,
		    2 * SAT_PER_BTC + RIG_FEE_SAT);
	}
	CHECK(memory_find_id(r.s->memory, text_of("to-us")) != NULL);
	rig_end(&r);
}

static void
test_index(enum sign_wallet w, const char *name)
{
	check_case(name);
	rig_new(&r, w);
	with_change(1, 0x7fffffff);
	RIG_REFUSES(&r, &t, SIGN_REFUSE_OUTPUT_UNKNOWN);
	CHECK(claiming(1, 0x7fffffff, NULL) == SIGN_REFUSE_CHANGE_INDEX);
	with_change(1, 1001);
	CHECK(claiming(1, 1001, NULL) == SIGN_REFUSE_CHANGE_INDEX);
	/* A lie about the index of a true one far out. */
	CHECK(claiming(1, 1000, NULL) == SIGN_REFUSE_OUTPUT_UNKNOWN);
	/* However far look-ups reach. */
	RIG_MUST(keys_reach(r.s->keys, 500, &rig_e));
	with_change(1, 1001);
	RIG_REFUSES(&r, &t, SIGN_REFUSE_CHANGE_INDEX);
	with_change(1, 1000);
	CHECK(claiming(1, 1000, NULL) == SIGN_REFUSE_NONE);
	/* The look-ahead goes on from what is used. */
	CHECK_INT(r.s->index_max, 1000);
	with_change(1, 2001);
	CHECK(claiming(1, 2001, NULL) == SIGN_REFUSE_CHANGE_INDEX);
	rig_restart(&r);
	CHECK(claiming(1, 2001, NULL) == SIGN_REFUSE_CHANGE_INDEX);
	with_change(1, 2000);
	RIG_SIGNS(&r, &t);
	rig_end(&r);
}

static void
test_stranger_moves(void)
{
	int	 n;

	check_case("H10: a coin far out moves the look-ahead by its length");
	rig_new(&r, SIGN_WPKH);
	for (n = 1; n <= 3; n++) {
		rig_tx_begin(&t);
		(void)rig_spend(&r, &t, 1, 0x70000000, SAT_PER_BTC);
		rig_change(&r, &t, 1, 0, SAT_PER_BTC - RIG_FEE_SAT);
		RIG_SIGNS(&r, &t);
		CHECK_INT(r.s->index_max, n * KEYS_AHEAD);
	}
	rig_restart(&r);
	CHECK_INT(r.s->index_max, 3 * KEYS_AHEAD);
	with_change(1, 4000);
	RIG_SIGNS(&r, &t);
	rig_end(&r);
}

static void
test_table_end(void)
{
	const uint32_t	 far = KEYS_TABLE_MAX + 500;

	check_case("H10: the look-ahead fills no memory");
	rig_new(&r, SIGN_WPKH);
	RIG_MUST(keys_reach(r.s->keys, 0x70000000, &rig_e));
	CHECK_INT(keys_reached(r.s->keys), KEYS_TABLE_MAX - 1);
	check_case("H10: beyond the table change is what the PSBT claims");
	r.s->index_max = KEYS_TABLE_MAX;
	with_change(1, far);
	RIG_REFUSES(&r, &t, SIGN_REFUSE_OUTPUT_UNKNOWN);
	CHECK(claiming(1, far - 1, NULL) == SIGN_REFUSE_OUTPUT_UNKNOWN);
	with_change(0, far);
	CHECK(claiming(0, far, NULL) == SIGN_REFUSE_CHANGE_BRANCH);
	with_change(1, KEYS_TABLE_MAX + KEYS_AHEAD + 1);
	CHECK(claiming(1, KEYS_TABLE_MAX + KEYS_AHEAD + 1, NULL) ==
	    SIGN_REFUSE_CHANGE_INDEX);
	with_change(1, far);
	CHECK(claiming(1, far, NULL) == SIGN_REFUSE_NONE);
	CHECK_INT(r.s->index_max, far);
	rig_end(&r);
}

static void
test_refused_moves_nothing(void)
{
	check_case("H10: what is refused moves no look-ahead");
	rig_begin(&r, SIGN_WPKH);
	r.set.tx_max_sat = 1000000;
	rig_found(&r);
	with_change(1, 1000);
	RIG_REFUSES(&r, &t, SIGN_REFUSE_CEILING_TX);
	with_change(1, 1001);
	CHECK(claiming(1, 1001, NULL) == SIGN_REFUSE_CHANGE_INDEX);
	CHECK_INT(r.s->index_max, 0);
	rig_end(&r);
}

static void
test_claims(enum sign_wallet w, const char *name)
{
	static const unsigned char other[4] = { 1, 2, 3, 4 };
	struct descriptor_output o;
	struct psbt	*p, *again = NULL;
	struct text	 key, value;
	size_t		 i;

	check_case(name);
	rig_new(&r, w);
	with_change(1, 5);
	CHECK(claiming(1, 6, NULL) == SIGN_REFUSE_OUTPUT_UNKNOWN);
	CHECK(claiming(0, 5, NULL) == SIGN_REFUSE_OUTPUT_UNKNOWN);
	CHECK(claiming(1, 0x7fffffff, NULL) == SIGN_REFUSE_OUTPUT_UNKNOWN);
	CHECK(claiming(1, 5, other) == SIGN_REFUSE_OUTPUT_UNKNOWN);
	/* The right path, another key. */
	p = rig_psbt(&r, &t);
	rig_script(&r, 1, 6, &o);
	rig_put_paths(&r, p, PSBT_OUT, 1, 1, 5);
	value = p->out[1].map.r[0].value;
	for (i = 0; i < p->out[1].map.n; i++)
		if (memcmp(p->out[1].map.r[i].value.p + (w == SIGN_TR),
		    r.s->keys->fingerprint, 4) == 0)
			value = p->out[1].map.r[i].value;
	psbt_free(&again);
	again = rig_psbt(&r, &t);
	key.p = (const char *)o.keys[0] + (w == SIGN_TR);
	key.len = w == SIGN_TR ? 32 : 33;
	RIG_MUST(psbt_put(again, PSBT_OUT, 1, w == SIGN_TR ?
	    PSBT_OUT_TAP_BIP32_DERIVATION : PSBT_OUT_BIP32_DERIVATION, key,
	    value, &rig_e));
	CHECK(rig_send(&r, &t, again, SIGN_PAY) ==
	    SIGN_REFUSE_OUTPUT_UNKNOWN);
	psbt_free(&again);
	psbt_free(&p);
	/* Ours, claimed, but another's script. */
	begin(SAT_PER_BTC);
	(void)rig_output(&t, t.out[0].script, t.out[0].script_len,
	    SAT_PER_BTC);
	CHECK(claiming(1, 5, NULL) == SIGN_REFUSE_OUTPUT_UNKNOWN);
	rig_end(&r);
}

static void
test_many(void)
{
	uint32_t i;

	check_case("H10: so many outputs come back, and no more");
	rig_begin(&r, SIGN_WPKH);
	r.set.change_max = 3;
	rig_found(&r);
	begin(0);
	for (i = 0; i < 4; i++)
		rig_change(&r, &t, 1, i, SAT_PER_BTC);
	t.in[0].amount_sat += 4 * SAT_PER_BTC;
	rig_make_parent(&r, &t.in[0]);
	RIG_REFUSES(&r, &t, SIGN_REFUSE_CHANGE_MANY);
	t.n_out--;
	t.in[0].amount_sat -= SAT_PER_BTC;
	rig_make_parent(&r, &t.in[0]);
	RIG_SIGNS(&r, &t);
	rig_end(&r);
}

static void
test_unknown(void)
{
	static const unsigned char data[] = { OP_RETURN, 2, 'h', 'i' };
	static const unsigned char anyone[] = { OP_1 };

	check_case("no output without a receipt that is not ours");
	rig_new(&r, SIGN_WPKH);
	with_change(1, 1);
	t.out[1].script_len = rig_stranger(t.out[1].script, 7);
	RIG_REFUSES(&r, &t, SIGN_REFUSE_OUTPUT_UNKNOWN);
	with_change(1, 1);
	(void)rig_output(&t, data, sizeof(data), 0);
	RIG_REFUSES(&r, &t, SIGN_REFUSE_OUTPUT_UNKNOWN);
	with_change(1, 1);
	(void)rig_output(&t, anyone, sizeof(anyone), 1000);
	t.out[1].amount_sat -= 1000;
	RIG_REFUSES(&r, &t, SIGN_REFUSE_OUTPUT_UNKNOWN);
	/* The same program under another version. */
	with_change(1, 1);
	t.out[1].script[0] = OP_1;
	RIG_REFUSES(&r, &t, SIGN_REFUSE_OUTPUT_UNKNOWN);

	check_case("dust, ours and theirs");
	begin(293);
	rig_change(&r, &t, 1, 1, 293);
	RIG_REFUSES(&r, &t, SIGN_REFUSE_OUTPUT_DUST);
	begin(294);
	rig_change(&r, &t, 1, 1, 294);
	RIG_SIGNS(&r, &t);
	begin(293);
	rig_pay(&r, &t, "small", 8, 293);
	RIG_REFUSES(&r, &t, SIGN_REFUSE_OUTPUT_DUST);
	rig_end(&r);
}

/* ---- cold ---- */

static struct descriptor cold;

static void
cold_descriptor(char *out, size_t room, uint64_t n)
{
	unsigned char	 seed[32];
	char		 text[256], key[BIP32_TEXT_MAX];
	struct bip32_key master;

	rig_hash(seed, "cold", n);
	RIG_MUST(bip32_of_seed(&master, NETWORK_REGTEST, seed, 32, &rig_e));
	bip32_print(key, &master, false);
	(void)snprintf(text, sizeof(text), "tr(%s/0/*)", key);
	RIG_MUST(descriptor_parse(&cold, text_of(text), false, false,
	    &rig_e));
	RIG_MUST(descriptor_print(out, room, &cold, false, &rig_e));
}

static void
to_cold(uint32_t index)
{
	struct descriptor_output o;

	begin(SAT_PER_BTC);
	RIG_MUST(descriptor_derive(&o, &cold, 0, index, &rig_e));
	(void)rig_output(&t, o.script, o.script_len, SAT_PER_BTC);
}

static void
test_cold(void)
{
	int64_t	 before;

	check_case("a cold descriptor needs no receipt, and costs nothing");
	rig_begin(&r, SIGN_WPKH);
	cold_descriptor(r.set.cold[0], SIGN_DESCRIPTOR_MAX, 1);
	r.set.n_cold = 1;
	rig_found(&r);
	to_cold(0);
	before = r.s->windows.short_sat;
	RIG_SIGNS(&r, &t);
	CHECK_INT(r.s->windows.short_sat - before, SAT_PER_BTC + RIG_FEE_SAT);
	check_case("H10: within the look-ahead");
	to_cold(1002);
	RIG_REFUSES(&r, &t, SIGN_REFUSE_OUTPUT_UNKNOWN);
	to_cold(1000);
	RIG_SIGNS(&r, &t);
	rig_restart(&r);
	to_cold(2000);
	RIG_SIGNS(&r, &t);

	check_case("a cold coin is not ours to spend");
	to_cold(3);
	memcpy(t.in[0].script, t.out[1].script, t.out[1].script_len);
	t.in[0].script_len = t.out[1].script_len;
	rig_make_parent(&r, &t.in[0]);
	RIG_REFUSES(&r, &t, SIGN_REFUSE_INPUT_FOREIGN);
	rig_end(&r);
}

int
main(void)
{
	test_branch(SIGN_WPKH, "C2: wpkh: change to a deposit address");
	test_branch(SIGN_TR, "C2: tr: change to a deposit address");
	test_branch(SIGN_WSH, "C2: wsh: change to a deposit address");
	test_authorised();
	test_index(SIGN_WPKH, "H10: wpkh: change within the look-ahead");
	test_index(SIGN_TR, "H10: tr: change within the look-ahead");
	test_index(SIGN_WSH, "H10: wsh: change within the look-ahead");
	test_stranger_moves();
	test_table_end();
	test_refused_moves_nothing();
	test_claims(SIGN_WPKH, "wpkh: a lie about change is no change");
	test_claims(SIGN_TR, "tr: a lie about change is no change");
	test_claims(SIGN_WSH, "wsh: a lie about change is no change");
	test_many();
	test_unknown();
	test_cold();
	return check_done();
}
