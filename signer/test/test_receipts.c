/*
 * Receipts: whose they are, which output each serves, which id they speak of
 * (H5, H8, section 2's second, third and sixth condition), where the engine
 * stands (C5), and what is loaded for co-signing.
 */
#define _GNU_SOURCE
#include "signer/test/asks.h"

static struct rig	 rig;
static struct rig_tx	 tx, before;

/* The transaction's only receipt, changed by `change`, signed again. */
static enum sign_refusal
with_receipt(void (*change)(struct receipt *rc))
{
	struct receipt	 rc;

	asks_one(&rig, &tx, "w-x", 1, SAT_PER_BTC, 1);
	RIG_MUST(receipt_unpack(&rc, tx.receipts[0], &rig_e));
	change(&rc);
	rig_receipt_sign(&rig, &rc, tx.receipts[0]);
	return rig_sign(&rig, &tx);
}

static void
other_deployment(struct receipt *rc)
{
	rc->deployment[3] ^= 1;
}

static void
other_network(struct receipt *rc)
{
	rc->network = 0;
}

static void
old_epoch(struct receipt *rc)
{
	rc->epoch--;
}

static void
next_epoch(struct receipt *rc)
{
	rc->epoch++;
}

static void
for_others(struct receipt *rc)
{
	rc->purpose = RECEIPT_PAY;
}

static void
for_burning(struct receipt *rc)
{
	rc->purpose = RECEIPT_BURN;
}

static void
expired(struct receipt *rc)
{
	rc->expires_ms = rig.now.now_ms;
}

static void
just_good(struct receipt *rc)
{
	rc->expires_ms = rig.now.now_ms + 1;
}

static void
ahead(struct receipt *rc)
{
	rc->seq = rig.engine_seq + 1;
}

static void
other_amount(struct receipt *rc)
{
	rc->amount_sat++;
}

static void
other_script(struct receipt *rc)
{
	rc->script.len--;
}

static void
test_one(void)
{
	size_t	 i;

	check_case("H5: a receipt of another deployment, network, epoch, "
	    "purpose");
	rig_new(&rig, SIGN_WPKH);
	asks_one(&rig, &tx, "w-0", 1, SAT_PER_BTC, 1);
	RIG_SIGNS(&rig, &tx);
	ASKS_NOT(&rig, with_receipt(other_deployment),
	    SIGN_REFUSE_RECEIPT_FOREIGN);
	ASKS_NOT(&rig, with_receipt(other_network),
	    SIGN_REFUSE_RECEIPT_FOREIGN);
	ASKS_NOT(&rig, with_receipt(old_epoch), SIGN_REFUSE_RECEIPT_EPOCH);
	ASKS_NOT(&rig, with_receipt(next_epoch), SIGN_REFUSE_RECEIPT_EPOCH);
	ASKS_NOT(&rig, with_receipt(for_others),
	    SIGN_REFUSE_RECEIPT_PURPOSE);
	ASKS_NOT(&rig, with_receipt(for_burning),
	    SIGN_REFUSE_RECEIPT_PURPOSE);
	ASKS_NOT(&rig, with_receipt(expired), SIGN_REFUSE_RECEIPT_EXPIRED);
	ASKS_NOT(&rig, with_receipt(ahead), SIGN_REFUSE_RECEIPT_AHEAD);
	ASKS_NOT(&rig, with_receipt(other_amount),
	    SIGN_REFUSE_RECEIPT_UNUSED);
	ASKS_NOT(&rig, with_receipt(other_script),
	    SIGN_REFUSE_RECEIPT_UNUSED);
	/* Any bit of it, and of its signature. */
	asks_one(&rig, &before, "w-x", 1, SAT_PER_BTC, 1);
	for (i = 0; i < RECEIPT_LEN; i++) {
		tx = before;
		tx.receipts[0][i] ^= (unsigned char)(1u << i % 8);
		if (!CHECK(rig_sign(&rig, &tx) != SIGN_REFUSE_NONE))
			printf("#   byte %zu\n", i);
	}
	CHECK(memory_find_id(rig.s->memory, text_of("w-x")) == NULL);
	ASKS_DONE(&rig, with_receipt(just_good));
	rig_end(&rig);
}

static void
test_match(void)
{
	size_t	 i;

	check_case("3: one receipt serves one output, and one output uses up "
	    "one receipt");
	rig_new(&rig, SIGN_TR);
	/* The same to the same, twice: two ids. */
	rig_tx_begin(&tx);
	tx.locktime = 1;
	(void)rig_spend(&rig, &tx, 0, 0, 3 * SAT_PER_BTC);
	for (i = 0; i < 4; i++)
		rig_pay(&rig, &tx, i == 0 ? "a" : i == 1 ? "b" : i == 2 ?
		    "c" : "d", 1, SAT_PER_BTC / 2 + (int64_t)(i / 3));
	rig_change(&rig, &tx, 1, 0, SAT_PER_BTC - RIG_FEE_SAT - 1);
	before = tx;
	/* One receipt too few: then one output is nobody's. */
	tx.n_receipts--;
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_OUTPUT_UNKNOWN);
	tx = before;
	memcpy(tx.receipts[1], tx.receipts[0], RECEIPT_LEN);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_RECEIPT_TWICE);
	/* One too many. */
	tx = before;
	tx.out[3] = tx.out[4];
	tx.n_out--;
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_RECEIPT_UNUSED);
	/* More than there are outputs. */
	tx = before;
	tx.out[0] = tx.out[4];
	tx.n_out = 1;
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_RECEIPT_UNUSED);
	/* In any order. */
	tx = before;
	for (i = 0; i < 2; i++) {
		memcpy(tx.receipts[i], before.receipts[3 - i], RECEIPT_LEN);
		memcpy(tx.receipts[3 - i], before.receipts[i], RECEIPT_LEN);
	}
	RIG_SIGNS(&rig, &tx);
	CHECK(rig_finishes(&rig));
	ASKS_DONE(&rig, asks_plain(&rig, SIGN_SIGNED));
	CHECK_INT(rig.answer.body.len, 4 * SIGN_ENTRY_LEN);
	rig_end(&rig);
}

/* A customer who gives our own deposit address. */
static void
test_ours(void)
{
	struct descriptor_output o;
	struct receipt		 rc;
	unsigned		 branch;

	check_case("3: what is authorised is the payment, also to a script "
	    "of ours");
	rig_new(&rig, SIGN_WPKH);
	for (branch = 0; branch < 2; branch++) {
		asks_one(&rig, &tx, branch == 0 ? "w-1" : "w-2", 1,
		    SAT_PER_BTC, 1);
		rig_script(&rig, branch, 7, &o);
		memcpy(tx.out[0].script, o.script, o.script_len);
		RIG_REFUSES(&rig, &tx, SIGN_REFUSE_RECEIPT_UNUSED);
		rig_release(&rig, &rc, branch == 0 ? "w-1" : "w-2",
		    o.script, o.script_len, SAT_PER_BTC);
		rig_receipt_sign(&rig, &rc, tx.receipts[0]);
		RIG_SIGNS(&rig, &tx);
		/* It costs what it pays: it is no change. */
		CHECK_INT(rig.s->windows.short_sat, (branch + 1) *
		    (SAT_PER_BTC + RIG_FEE_SAT));
	}
	/* And is not taken for change that we made. */
	CHECK(memory_change(rig.s->memory, &(struct outpoint){ .vout = 0 })
	    == NULL);
	rig_end(&rig);
}

static void
test_ids(void)
{
	struct receipt	 rc;
	uint64_t	 seq;

	check_case("2: an id is bound to its first script and amount");
	rig_new(&rig, SIGN_WPKH);
	asks_one(&rig, &before, "w-1", 1, SAT_PER_BTC, 1);
	RIG_SIGNS(&rig, &before);
	asks_one(&rig, &tx, "w-1", 1, SAT_PER_BTC + 1, 1);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_ID_CHANGED);
	asks_one(&rig, &tx, "w-1", 2, SAT_PER_BTC, 1);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_ID_CHANGED);
	ASKS_SAME(&rig);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_ID_CHANGED);

	check_case("C5: one event released one id");
	RIG_MUST(receipt_unpack(&rc, before.receipts[0], &rig_e));
	seq = rc.seq;
	asks_one(&rig, &tx, "w-2", 2, SAT_PER_BTC, 1);
	RIG_MUST(receipt_unpack(&rc, tx.receipts[0], &rig_e));
	rc.seq = seq;
	rig_receipt_sign(&rig, &rc, tx.receipts[0]);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_ENGINE_BACK);
	/* Nor two in one request. */
	rig_tx_begin(&tx);
	tx.locktime = 1;
	(void)rig_spend(&rig, &tx, 0, 0, 3 * SAT_PER_BTC);
	rig_pay(&rig, &tx, "w-3", 3, SAT_PER_BTC);
	rig_pay(&rig, &tx, "w-4", 4, SAT_PER_BTC);
	RIG_MUST(receipt_unpack(&rc, tx.receipts[1], &rig_e));
	rc.seq--;
	rig_receipt_sign(&rig, &rc, tx.receipts[1]);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_RECEIPT_TWICE);

	check_case("6: an expired receipt bumps what was signed, and signs "
	    "nothing new");
	rig.now.now_ms += 3600000;
	asks_one(&rig, &tx, "w-5", 5, SAT_PER_BTC, 1);
	rig.now.now_ms += 3600000;
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_RECEIPT_EXPIRED);
	tx = before;
	tx.out[1].amount_sat -= 500;
	RIG_SIGNS(&rig, &tx);
	rig_end(&rig);
}

static void
test_dust(void)
{
	check_case("a payment that nodes do not relay");
	rig_new(&rig, SIGN_WPKH);
	asks_one(&rig, &tx, "w-1", 1, 293, 1);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_OUTPUT_DUST);
	asks_one(&rig, &tx, "w-1", 1, 294, 1);
	RIG_SIGNS(&rig, &tx);
	rig_end(&rig);
}

/* ---- where the engine stands ---- */

static enum sign_refusal
with_standing(void (*change)(struct receipt *rc), bool flip)
{
	unsigned char		 standing[RECEIPT_LEN], bytes[8192];
	struct sign_message	 m;
	struct receipt		 rc;
	struct psbt		*p;

	rig_receipt_begin(&rig, &rc, RECEIPT_STANDING, rig.engine_seq);
	change(&rc);
	rig_receipt_sign(&rig, &rc, standing);
	if (flip)
		standing[40] ^= 1;
	p = rig_psbt(&rig, &tx);
	sign_message_clear(&m, SIGN_PAY, 1);
	asks_known(&rig, &m);
	m.psbt.p = (const char *)bytes;
	m.psbt.len = psbt_write(p, bytes);
	psbt_free(&p);
	m.standing.p = (const char *)standing;
	m.standing.len = RECEIPT_LEN;
	m.receipts.p = (const char *)tx.receipts;
	m.receipts.len = tx.n_receipts * RECEIPT_LEN;
	return rig_ask(&rig, &m, false);
}

static void
nothing(struct receipt *rc)
{
	(void)rc;
}

static void
no_expiry(struct receipt *rc)
{
	rc->expires_ms = 0;
}

static void
back_by_one(struct receipt *rc)
{
	rc->seq = rig.s->engine_seq - 1;
}

static void
one_too_far(struct receipt *rc)
{
	rc->seq = rig.s->engine_seq + rig.set.sequence_jump + 1;
}

static void
to_the_end(struct receipt *rc)
{
	rc->seq = UINT64_MAX;
}

static void
just_so_far(struct receipt *rc)
{
	rc->seq = rig.s->engine_seq + rig.set.sequence_jump;
}

static void
test_standing(void)
{
	struct sign_message	 m;

	check_case("C5, H5: where the engine stands");
	rig_new(&rig, SIGN_WPKH);
	asks_one(&rig, &tx, "w-1", 1, SAT_PER_BTC, 1);
	RIG_SIGNS(&rig, &tx);
	asks_one(&rig, &tx, "w-2", 1, SAT_PER_BTC, 1);
	ASKS_NOT(&rig, with_standing(expired, false),
	    SIGN_REFUSE_RECEIPT_EXPIRED);
	ASKS_NOT(&rig, with_standing(no_expiry, false),
	    SIGN_REFUSE_RECEIPT_EXPIRED);
	ASKS_NOT(&rig, with_standing(back_by_one, false),
	    SIGN_REFUSE_ENGINE_BACK);
	ASKS_NOT(&rig, with_standing(one_too_far, false),
	    SIGN_REFUSE_RECEIPT_AHEAD);
	ASKS_NOT(&rig, with_standing(to_the_end, false),
	    SIGN_REFUSE_RECEIPT_AHEAD);
	ASKS_NOT(&rig, with_standing(old_epoch, false),
	    SIGN_REFUSE_RECEIPT_EPOCH);
	ASKS_NOT(&rig, with_standing(other_deployment, false),
	    SIGN_REFUSE_RECEIPT_FOREIGN);
	ASKS_NOT(&rig, with_standing(nothing, true),
	    SIGN_REFUSE_RECEIPT_BAD);
	/* A receipt of another kind says nothing of where it stands. */
	sign_message_clear(&m, SIGN_COSIGN, 1);
	asks_known(&rig, &m);
	m.psbt = text_of("x");
	ASKS_NOT(&rig, rig_ask(&rig, &m, false), SIGN_REFUSE_RECEIPT_BAD);
	m.standing.p = (const char *)tx.receipts[0];
	m.standing.len = RECEIPT_LEN;
	ASKS_NOT(&rig, rig_ask(&rig, &m, false),
	    SIGN_REFUSE_RECEIPT_PURPOSE);
	ASKS_DONE(&rig, with_standing(just_so_far, false));
	ASKS_SAME(&rig);
	/* From where it jumped to, there is no way back without people. */
	asks_one(&rig, &tx, "w-3", 1, SAT_PER_BTC, 1);
	ASKS_NOT(&rig, with_standing(nothing, false),
	    SIGN_REFUSE_ENGINE_BACK);
	rig_end(&rig);
}

/* ---- loaded for a PSBT that comes alone ---- */

static enum sign_refusal
cosign(const struct rig_tx *t)
{
	struct psbt		*p = rig_psbt(&rig, t);
	enum sign_refusal	 why = rig_send(&rig, t, p, SIGN_COSIGN);

	psbt_free(&p);
	return why;
}

static void
test_load(void)
{
	struct rig_tx	 first;
	char		 value[512];

	check_case("H8: co-signing needs receipts too");
	rig_new(&rig, SIGN_WSH);
	asks_one(&rig, &tx, "w-1", 1, SAT_PER_BTC, 1);
	tx.in[0].index = 0;
	ASKS_NOT(&rig, cosign(&tx), SIGN_REFUSE_OUTPUT_UNKNOWN);
	ASKS_DONE(&rig, asks_load(&rig, &tx));
	CHECK_INT(rig.answer.number, 1);
	/* The same again takes no more room. */
	ASKS_DONE(&rig, asks_load(&rig, &tx));
	CHECK_INT(rig.answer.number, 1);
	CHECK_STR(asks_status(&rig, "loaded", value), "1");
	ASKS_DONE(&rig, cosign(&tx));
	first = tx;
	/* Asked again, the same; from other coins, not. */
	ASKS_DONE(&rig, cosign(&tx));
	rig_tx_begin(&tx);
	tx.locktime = 1;
	(void)rig_spend(&rig, &tx, 0, 1, 2 * SAT_PER_BTC);
	tx.out[tx.n_out++] = first.out[0];
	ASKS_NOT(&rig, cosign(&tx), SIGN_REFUSE_OUTPUT_UNKNOWN);
	/* What does not come from receipts is change. */
	rig_tx_begin(&tx);
	tx.locktime = 1;
	(void)rig_spend(&rig, &tx, 0, 1, 2 * SAT_PER_BTC);
	rig_change(&rig, &tx, 1, 3, 2 * SAT_PER_BTC - RIG_FEE_SAT);
	ASKS_DONE(&rig, cosign(&tx));
	ASKS_SAME(&rig);
	/* Kept in memory alone. */
	CHECK_INT(rig.s->n_loaded, 0);
	rig_end(&rig);
}

/* Two receipts that pay the same: which one is meant? */
static void
test_alike(void)
{
	const struct memory_id	*a, *b;
	struct rig_tx		 first, second, bump;

	check_case("H8: of two that pay the same, the one that the "
	    "transaction replaces, or a new one");
	rig_new(&rig, SIGN_WSH);
	asks_one(&rig, &first, "a", 1, SAT_PER_BTC, 1);
	asks_one(&rig, &second, "b", 1, SAT_PER_BTC, 1);
	ASKS_DONE(&rig, asks_load(&rig, &first));
	ASKS_DONE(&rig, asks_load(&rig, &second));
	ASKS_DONE(&rig, cosign(&first));
	ASKS_DONE(&rig, cosign(&second));
	a = memory_find_id(rig.s->memory, text_of("a"));
	b = memory_find_id(rig.s->memory, text_of("b"));
	CHECK(a != NULL && b != NULL);
	/* A third is neither's. */
	asks_one(&rig, &tx, "c", 1, SAT_PER_BTC, 1);
	ASKS_NOT(&rig, cosign(&tx), SIGN_REFUSE_OUTPUT_UNKNOWN);
	/* More fee for the second one. */
	bump = second;
	bump.out[1].amount_sat -= 700;
	ASKS_DONE(&rig, cosign(&bump));
	ASKS_DONE(&rig, asks_plain(&rig, SIGN_SIGNED));
	CHECK_INT(rig.answer.body.len, 3 * SIGN_ENTRY_LEN);
	/* Its entry says `b`: a length, and the text. */
	CHECK_INT(rig.answer.body.p[2 * SIGN_ENTRY_LEN + 8], 1);
	CHECK_INT(rig.answer.body.p[2 * SIGN_ENTRY_LEN + 9], 'b');
	rig_end(&rig);
}

static void
test_load_checks(void)
{
	unsigned char	 key[32], secret[64], seed[32];
	struct receipt	 rc;
	size_t		 i;

	check_case("H8: what is loaded is looked at, then and later");
	rig_new(&rig, SIGN_WSH);
	rig_tx_begin(&tx);
	ASKS_NOT(&rig, asks_load(&rig, &tx), SIGN_REFUSE_TOO_MANY);
	asks_one(&rig, &tx, "w-1", 1, SAT_PER_BTC, 1);
	RIG_MUST(receipt_unpack(&rc, tx.receipts[0], &rig_e));
	rc.epoch++;
	rig_receipt_sign(&rig, &rc, tx.receipts[0]);
	ASKS_NOT(&rig, asks_load(&rig, &tx), SIGN_REFUSE_RECEIPT_EPOCH);
	asks_one(&rig, &tx, "w-1", 1, SAT_PER_BTC, 1);
	memcpy(tx.receipts[1], tx.receipts[0], RECEIPT_LEN);
	tx.n_receipts = 2;
	ASKS_NOT(&rig, asks_load(&rig, &tx), SIGN_REFUSE_RECEIPT_TWICE);
	tx.n_receipts = 1;
	ASKS_DONE(&rig, asks_load(&rig, &tx));
	/* Burned meanwhile. */
	ASKS_DONE(&rig, asks_burn_id(&rig, "w-1", 1, SAT_PER_BTC,
	    rig.engine_seq));
	ASKS_NOT(&rig, cosign(&tx), SIGN_REFUSE_OUTPUT_UNKNOWN);
	/* Expired meanwhile; and then it makes room. */
	asks_one(&rig, &tx, "w-2", 1, SAT_PER_BTC, 1);
	ASKS_DONE(&rig, asks_load(&rig, &tx));
	rig.now.now_ms += 3600000;
	ASKS_NOT(&rig, cosign(&tx), SIGN_REFUSE_RECEIPT_EXPIRED);
	asks_one(&rig, &tx, "w-3", 1, SAT_PER_BTC, 1);
	ASKS_DONE(&rig, asks_load(&rig, &tx));
	CHECK_INT(rig.s->n_loaded, 1);
	/* With a new epoch none of the old one's are left. */
	rig_hash(seed, "engine", 2);
	(void)crypto_sign_seed_keypair(key, secret, seed);
	ASKS_DONE(&rig, asks_epoch(&rig, 2, key, ALICE));
	CHECK_INT(rig.s->n_loaded, 0);
	rig.set.epoch = 2;
	memcpy(rig.engine_secret, secret, sizeof(secret));
	/* Full. */
	rig_tx_begin(&tx);
	for (i = 0; i < 64; i++) {
		char	 id[16];

		(void)snprintf(id, sizeof(id), "w-%zu", 100 + i);
		rig_pay(&rig, &tx, id, i, SAT_PER_BTC);
	}
	ASKS_DONE(&rig, asks_load(&rig, &tx));
	CHECK_INT(rig.s->n_loaded, 64);
	/* As if the rest were there already. */
	rig.s->n_loaded = LOADED_MAX - 1;
	for (i = 64; i < LOADED_MAX - 1; i++)
		rig.s->loaded[i] = rig.s->loaded[0];
	for (i = 64; i < LOADED_MAX - 1; i++)
		memcpy(rig.s->loaded_bytes + i * RECEIPT_LEN,
		    rig.s->loaded_bytes, RECEIPT_LEN);
	asks_one(&rig, &tx, "w-1000", 1, SAT_PER_BTC, 1);
	ASKS_DONE(&rig, asks_load(&rig, &tx));
	asks_one(&rig, &tx, "w-1001", 1, SAT_PER_BTC, 1);
	ASKS_NOT(&rig, asks_load(&rig, &tx), SIGN_REFUSE_TOO_MANY);
	CHECK_INT(rig.s->n_loaded, LOADED_MAX);
	rig_end(&rig);
}

int
main(void)
{
	test_one();
	test_match();
	test_ours();
	test_ids();
	test_dust();
	test_standing();
	test_load();
	test_alike();
	test_load_checks();
	return check_done();
}
