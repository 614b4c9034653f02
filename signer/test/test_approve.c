/*
 * Operators' approvals: one text for one purpose, persons and not keys, each
 * for the statement it signed (H6); a batch, a fee spike, a bump.
 */
#define _GNU_SOURCE
#include "signer/test/asks.h"

static struct rig	 rig;
static struct rig_tx	 tx;

#define BIG	(20 * SAT_PER_BTC)

/* The statement that a payment of the k'th output needs. */
static void
pay_statement(struct sign_statement *st, const struct rig_tx *t, size_t k,
    struct receipt *rc)
{
	RIG_MUST(receipt_unpack(rc, t->receipts[k], &rig_e));
	asks_statement(&rig, st, SIGN_FOR_PAY, 0);
	st->id = rc->id;
	st->script = rc->script;
	st->amount_sat = rc->amount_sat;
	st->fee_max_sat = rc->fee_max_sat;
}

static void
approve(size_t k, size_t who)
{
	struct sign_statement	 st;
	struct receipt		 rc;

	pay_statement(&st, &tx, k, &rc);
	rig_approve(&rig, &tx, who, &st);
}

static void
begin(const char *id)
{
	asks_one(&rig, &tx, id, 1, BIG, 1);
}

static void
test_threshold(void)
{
	check_case("H6: above the threshold a quorum, at it nobody");
	rig_new(&rig, SIGN_WPKH);
	asks_one(&rig, &tx, "w-0", 1, rig.set.approve_above_sat, 1);
	RIG_SIGNS(&rig, &tx);
	asks_one(&rig, &tx, "w-1", 1, rig.set.approve_above_sat + 1, 1);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_APPROVALS);
	approve(0, 0);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_APPROVALS);
	approve(0, 1);
	RIG_SIGNS(&rig, &tx);
	ASKS_SAME(&rig);
	rig_end(&rig);
}

static void
test_persons(void)
{
	struct sign_statement	 st;
	struct sign_approval	 a;
	struct receipt		 rc;
	unsigned char		*last;

	check_case("H6: persons who may, once each, not expired");
	rig_new(&rig, SIGN_WPKH);
	begin("w-1");
	approve(0, 0);
	approve(0, 0);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_APPROVAL_BAD);
	/* A custodian is not one of them. */
	begin("w-1");
	approve(0, 0);
	approve(0, 2);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_APPROVAL_BAD);
	/* Nobody's. */
	begin("w-1");
	approve(0, 0);
	approve(0, 1);
	last = tx.approvals + SIGN_APPROVAL_LEN;
	last[1] = 'm';
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_APPROVAL_BAD);
	/* Alice signed for Bob: his key did not. */
	begin("w-1");
	approve(0, 0);
	pay_statement(&st, &tx, 0, &rc);
	st.by = text_of("bob");
	st.expires_ms = rig.now.now_ms + 1000;
	a.by = st.by;
	a.expires_ms = st.expires_ms;
	sign_statement_sign(a.signature, &st, rig.who[0].secret);
	sign_approval_pack(&a, tx.approvals + SIGN_APPROVAL_LEN);
	tx.n_approvals++;
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_APPROVAL_BAD);
	/* Good until the millisecond before. */
	sign_statement_sign(a.signature, &st, rig.who[1].secret);
	sign_approval_pack(&a, tx.approvals + SIGN_APPROVAL_LEN);
	rig.now.now_ms += 1000;
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_APPROVAL_BAD);
	rig.now.now_ms -= 1;
	RIG_SIGNS(&rig, &tx);
	rig_end(&rig);
}

/* Two names of one key are one person. */
static void
test_one_key(void)
{
	struct sign_statement	 st;
	struct sign_approval	 a;
	struct receipt		 rc;

	check_case("H6: one key under two names is counted once");
	rig_new(&rig, SIGN_WPKH);
	memcpy(rig.s->settings.operators[1].key, rig.who[0].public, 32);
	begin("w-1");
	approve(0, 0);
	pay_statement(&st, &tx, 0, &rc);
	st.by = a.by = text_of("bob");
	st.expires_ms = a.expires_ms = rig.now.now_ms + 1000;
	sign_statement_sign(a.signature, &st, rig.who[0].secret);
	sign_approval_pack(&a, tx.approvals + SIGN_APPROVAL_LEN);
	tx.n_approvals++;
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_APPROVAL_BAD);
	rig_end(&rig);
}

/* Each part of the text, wrong in turn. */
static void
test_text(void)
{
	static const char *const	 parts[] = { "nothing", "purpose",
		"deployment", "network", "signer", "answers", "id", "script",
		"amount", "fee" };
	unsigned char			 script[42];
	struct sign_statement		 st;
	struct receipt			 rc;
	size_t				 i, who;

	check_case("H6: an approval of anything else is none");
	rig_new(&rig, SIGN_WPKH);
	for (i = 10; i-- > 0;) {
		begin("w-1");
		for (who = 0; who < 2; who++) {
			pay_statement(&st, &tx, 0, &rc);
			switch (i) {
			case 1:
				st.purpose = SIGN_FOR_FEE;
				break;
			case 2:
				st.deployment[0] ^= 1;
				break;
			case 3:
				st.network = 0;
				break;
			case 4:
				st.signer[0] ^= 1;
				break;
			case 5:
				st.answers = 1;
				break;
			case 6:
				st.id = text_of("w-2");
				break;
			case 7:
				memcpy(script, st.script.p, st.script.len);
				script[st.script.len - 1] ^= 1;
				st.script.p = (const char *)script;
				break;
			case 8:
				st.amount_sat--;
				break;
			case 9:
				st.fee_max_sat++;
				break;
			}
			rig_approve(&rig, &tx, who, &st);
		}
		if (!CHECK((rig_sign(&rig, &tx) == SIGN_REFUSE_NONE) ==
		    (i == 0)))
			printf("#   with another %s\n", parts[i]);
	}
	rig_end(&rig);
}

static void
test_batch(void)
{
	struct rig_tx	 whole;

	check_case("H6: a batch, in the order of its receipts; none left over");
	rig_begin(&rig, SIGN_TR);
	rig.set.tx_max_sat = 100 * SAT_PER_BTC;
	rig_found(&rig);
	rig_tx_begin(&tx);
	tx.locktime = 1;
	(void)rig_spend(&rig, &tx, 0, 0, 2 * BIG + 3 * SAT_PER_BTC);
	rig_pay(&rig, &tx, "a", 1, BIG);
	rig_pay(&rig, &tx, "small", 2, SAT_PER_BTC);
	rig_pay(&rig, &tx, "b", 3, BIG);
	rig_change(&rig, &tx, 1, 0, 2 * SAT_PER_BTC - RIG_FEE_SAT);
	whole = tx;
	approve(0, 0);
	approve(0, 1);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_APPROVALS);
	approve(2, 1);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_APPROVALS);
	approve(2, 0);
	/* One more of something else. */
	approve(1, 0);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_APPROVAL_BAD);
	tx.n_approvals--;
	RIG_SIGNS(&rig, &tx);
	/* In another order they are of the wrong one. */
	whole.in[0].prev.vout = 0;
	tx = whole;
	tx.out[3].amount_sat -= 400;
	approve(2, 0);
	approve(2, 1);
	approve(0, 0);
	approve(0, 1);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_APPROVAL_BAD);
	/* More fee for what was approved once needs no approval again, and
	 * those of then do no harm. */
	tx.n_approvals = 0;
	RIG_SIGNS(&rig, &tx);
	tx.out[3].amount_sat -= 400;
	approve(0, 0);
	approve(2, 1);
	RIG_SIGNS(&rig, &tx);
	ASKS_SAME(&rig);
	rig_end(&rig);
}

static void
fee_approval(size_t who, int64_t fee_sat)
{
	struct sign_statement	 st;
	struct psbt		*p = rig_psbt(&rig, &tx);

	asks_statement(&rig, &st, SIGN_FOR_FEE, 0);
	tx_txid(&p->tx, st.txid);
	psbt_free(&p);
	st.amount_sat = fee_sat;
	rig_approve(&rig, &tx, who, &st);
}

static void
test_spike(void)
{
	int64_t	 fee;

	check_case("a fee above the first ceiling: a quorum, at once, and up "
	    "to the second");
	rig_begin(&rig, SIGN_WPKH);
	rig.set.fee_max_sat = 5000;
	rig.set.spike_fee_max_sat = 9000;
	rig.set.fee_rate_max = 200000;
	rig.set.spike_rate_max = 200000;
	rig_found(&rig);
	fee = 7000;
	asks_one(&rig, &tx, "w-1", 1, SAT_PER_BTC, 1);
	tx.out[1].amount_sat -= fee - RIG_FEE_SAT;
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_APPROVALS);
	fee_approval(0, fee);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_APPROVALS);
	fee_approval(1, fee - 1);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_APPROVAL_BAD);
	tx.n_approvals--;
	fee_approval(1, fee);
	RIG_SIGNS(&rig, &tx);
	/* The same people's word for that one is none for another. */
	tx.out[1].amount_sat -= 1;
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_APPROVAL_BAD);
	tx.out[1].amount_sat -= 3000;
	tx.n_approvals = 0;
	fee_approval(0, fee + 3001);
	fee_approval(1, fee + 3001);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_FEE);
	rig_end(&rig);
}

/* Both in one: the payment's first, then the fee's. */
static void
test_payment_and_spike(void)
{
	check_case("H6: a payment and its fee, both approved");
	rig_begin(&rig, SIGN_WPKH);
	rig.set.fee_max_sat = 5000;
	rig.set.spike_fee_max_sat = 9000;
	rig_found(&rig);
	begin("w-1");
	tx.out[1].amount_sat -= 6000 - RIG_FEE_SAT;
	fee_approval(0, 6000);
	fee_approval(1, 6000);
	approve(0, 0);
	approve(0, 1);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_APPROVAL_BAD);
	tx.n_approvals = 0;
	approve(0, 0);
	approve(0, 1);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_APPROVALS);
	fee_approval(0, 6000);
	fee_approval(1, 6000);
	RIG_SIGNS(&rig, &tx);
	rig_end(&rig);
}

static void
test_loaded(void)
{
	struct psbt	*p;

	check_case("H8: approved when it is loaded");
	rig_new(&rig, SIGN_WSH);
	begin("w-1");
	ASKS_NOT(&rig, asks_load(&rig, &tx), SIGN_REFUSE_APPROVALS);
	approve(0, 1);
	ASKS_NOT(&rig, asks_load(&rig, &tx), SIGN_REFUSE_APPROVALS);
	approve(0, 0);
	ASKS_DONE(&rig, asks_load(&rig, &tx));
	tx.n_approvals = 0;
	p = rig_psbt(&rig, &tx);
	ASKS_DONE(&rig, rig_send(&rig, &tx, p, SIGN_COSIGN));
	psbt_free(&p);
	rig_end(&rig);
}

static void
test_id_text(void)
{
	char	 buf[ID_TEXT_MAX];

	check_case("an id in a reason is one line of printable characters");
	CHECK_STR(id_text(buf, text_of("w-1")), "`w-1`");
	CHECK_STR(id_text(buf, text_of("a\nb\\ \xff")),
	    "`a\\x0ab\\x5c\\x20\\xff`");
	CHECK_STR(id_text(buf, text_of("")), "``");
}

int
main(void)
{
	test_threshold();
	test_persons();
	test_one_key();
	test_text();
	test_batch();
	test_spike();
	test_payment_and_spike();
	test_loaded();
	test_id_text();
	return check_done();
}
