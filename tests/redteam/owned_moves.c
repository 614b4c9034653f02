/*
 * What he tries, a function each.
 */
#define _GNU_SOURCE
#include "tests/redteam/owned_engine.h"

#include <assert.h>

/* ---- honest, and nearly ---- */

static void
move_honest(struct world *w)
{
	struct past	*p = world_slot(w);

	world_honest(w, p);
	if (once_in(4))
		p->tx.flags |= RIG_NO_PATHS;
	(void)world_pay(w, p);
}

/* With whatever goes with it bent. */
static void
move_bent(struct world *w)
{
	struct past	*p = world_slot(w);
	struct psbt	*psbt;

	world_honest(w, p);
	psbt = rig_psbt(&w->rig, &p->tx);
	(void)world_send(w, p, psbt, SIGN_PAY,
	    (enum bend)(1 + dice_below(BEND__COUNT - 1)));
	psbt_free(&psbt);
}

/* The same transaction: the same signatures, counted once. */
static void
move_same(struct world *w)
{
	struct past	*p = world_old(w);

	if (p == NULL)
		return;
	if (once_in(3))
		p->tx.flags ^= RIG_NO_PATHS;
	if (once_in(2))
		world_reissue(w, p);
	(void)world_pay(w, p);
}

static struct past *
copy_old(struct world *w)
{
	const struct past	*old = world_old(w);
	struct past		*p;

	if (old == NULL || old->n_ids > IDS)
		return NULL;
	p = world_slot(w);
	if (p != old)
		*p = *old;
	p->done = false;
	p->tx.locktime = w->height;
	p->tx.n_approvals = 0;
	return p;
}

/* Only its withdrawals: inputs and change are to be made. */
static void
keep_payments(struct past *p)
{
	p->tx.n_out = p->n_ids;
	p->tx.n_in = 0;
	p->tx.flags = 0;
	p->change = 0;
}

static int64_t
paid_sat(const struct past *p)
{
	int64_t	 sum = 0;
	size_t	 i;

	for (i = 0; i < p->n_ids; i++)
		sum += p->tx.out[i].amount_sat;
	return sum;
}

/* All inputs, more fee: what an honest chain does. */
static void
move_replace(struct world *w)
{
	struct past	*p = copy_old(w);

	if (p == NULL)
		return;
	p->tx.n_out = p->n_ids;
	if (once_in(3))
		(void)world_coin(w, &p->tx, SAT_PER_BTC / 20);
	world_change(w, p, RIG_FEE_SAT + (int64_t)dice_below(20000));
	world_reissue(w, p);
	(void)world_pay(w, p);
}

/* ---- paid twice? ---- */

/* The same withdrawals from other coins. */
static void
move_disjoint(struct world *w)
{
	struct past	*p = copy_old(w);

	if (p == NULL)
		return;
	keep_payments(p);
	(void)world_coin(w, &p->tx, paid_sat(p) + SAT_PER_BTC / 50);
	world_change(w, p, RIG_FEE_SAT);
	world_reissue(w, p);
	(void)world_pay(w, p);
}

/* Some of the inputs, some of the withdrawals. */
static void
move_subset(struct world *w)
{
	struct past	*p = copy_old(w);
	size_t		 k;

	if (p == NULL || p->n_ids == 0)
		return;
	if (p->n_ids > 1 && once_in(2)) {
		k = dice_below(p->n_ids);
		memmove(&p->tx.out[k], &p->tx.out[k + 1],
		    (p->n_ids - k - 1) * sizeof(p->tx.out[0]));
		memmove(p->ids[k], p->ids[k + 1],
		    (p->n_ids - k - 1) * sizeof(p->ids[0]));
		p->n_ids--;
	}
	p->tx.n_out = p->n_ids;
	if (p->tx.n_in > 1) {
		k = dice_below(p->tx.n_in--);
		p->tx.in[k] = p->tx.in[p->tx.n_in];
	}
	(void)world_coin(w, &p->tx, paid_sat(p) + SAT_PER_BTC / 50);
	world_change(w, p, RIG_FEE_SAT);
	world_reissue(w, p);
	(void)world_pay(w, p);
}

/* T4: the withdrawals of two, inputs of one (or of both, which is good). */
static void
move_merge(struct world *w)
{
	const struct past	*b = world_old(w);
	struct past		*p = copy_old(w);
	size_t			 i;
	bool			 both = once_in(2);

	if (p == NULL || b == NULL || b == p || p->n_ids + b->n_ids > IDS)
		return;
	p->tx.n_out = p->n_ids;
	for (i = 0; i < b->n_ids; i++) {
		p->tx.out[p->tx.n_out++] = b->tx.out[i];
		memcpy(p->ids[p->n_ids++], b->ids[i], sizeof(p->ids[0]));
	}
	for (i = 0; both && i < b->tx.n_in; i++)
		p->tx.in[p->tx.n_in++] = b->tx.in[i];
	(void)world_coin(w, &p->tx, paid_sat(p) + SAT_PER_BTC / 50);
	world_change(w, p, RIG_FEE_SAT);
	world_reissue(w, p);
	(void)world_pay(w, p);
}

/* A child that carries what its parent carries: both can confirm. */
static void
move_child(struct world *w)
{
	const struct past	*old = world_old(w);
	struct past		 parent, *p;

	if (old == NULL || old->change == 0)
		return;
	parent = *old;
	p = world_slot(w);
	if (once_in(2)) {
		world_honest(w, p);
		p->tx.n_in = 0;
		p->tx.n_out = p->n_ids;
	} else {
		*p = parent;
		p->done = false;
		keep_payments(p);
		world_reissue(w, p);
	}
	world_spend_change(&p->tx, &parent);
	if (p->tx.in[0].amount_sat < paid_sat(p) + RIG_FEE_SAT)
		(void)world_coin(w, &p->tx, paid_sat(p) + SAT_PER_BTC / 50);
	world_change(w, p, RIG_FEE_SAT);
	(void)world_pay(w, p);
}

/* Recall, and pay again from what came home: good, by the ancestor. */
static void
move_recall(struct world *w)
{
	const struct past	*old = world_old(w);
	struct past		 first, *recall, *p;

	if (old == NULL || old->n_ids == 0)
		return;
	first = *old;
	recall = world_slot(w);
	*recall = first;
	recall->done = false;
	recall->n_ids = recall->tx.n_receipts = recall->tx.n_out = 0;
	recall->tx.locktime = w->height;
	world_change(w, recall, 3 * RIG_FEE_SAT);
	if (recall->change == 0 && recall->tx.n_out == 0)
		return;
	if (world_pay(w, recall) != SIGN_REFUSE_NONE)
		return;
	first.tx.locktime = w->height;
	p = world_slot(w);
	*p = first;
	p->done = false;
	keep_payments(p);
	/* Or from elsewhere, which is not. */
	if (once_in(3))
		(void)world_coin(w, &p->tx, paid_sat(p) + SAT_PER_BTC / 50);
	else
		world_spend_change(&p->tx, recall);
	world_change(w, p, RIG_FEE_SAT);
	world_reissue(w, p);
	(void)world_pay(w, p);
}

/* The same withdrawals from whatever change there is: of a parent that was
 * replaced, of its replacement, of nothing to do with them, of both. */
static void
move_anywhere(struct world *w)
{
	const struct past	*from = world_old(w), *also = world_old(w);
	struct past		 a, b, *p;

	if (from == NULL || also == NULL || from->change == 0)
		return;
	a = *from;
	b = *also;
	if ((p = copy_old(w)) == NULL)
		return;
	keep_payments(p);
	world_spend_change(&p->tx, &a);
	if (b.change != 0 && once_in(3) && memcmp(a.txid, b.txid, 32) != 0)
		world_spend_change(&p->tx, &b);
	if (p->tx.in[0].amount_sat < paid_sat(p) + 2 * RIG_FEE_SAT)
		(void)world_coin(w, &p->tx, paid_sat(p) + SAT_PER_BTC / 50);
	world_change(w, p, RIG_FEE_SAT);
	world_reissue(w, p);
	(void)world_pay(w, p);
}

/* Two parents that spend one coin, one after the other: the signer cannot
 * see it, and must not believe it. */
static void
move_parent_replaced(struct world *w)
{
	struct past	*p = world_slot(w), *again;
	struct past	 first;

	world_honest(w, p);
	if (world_pay(w, p) != SIGN_REFUSE_NONE)
		return;
	first = *p;
	again = world_slot(w);
	*again = first;
	again->done = false;
	again->tx.in[0].amount_sat += 1;
	w->rig.coins--;
	rig_make_parent(&w->rig, &again->tx.in[0]);
	w->rig.coins++;
	judge_coin(w->judge, again->tx.in[0].prev.txid, 0,
	    again->tx.in[0].amount_sat, again->tx.in[0].script,
	    again->tx.in[0].script_len);
	again->tx.n_in = 1;
	again->tx.n_out = again->n_ids;
	world_change(w, again, RIG_FEE_SAT);
	world_reissue(w, again);
	(void)world_pay(w, again);
}

static void
move_other_payment(struct world *w)
{
	struct past	*p = copy_old(w);
	size_t		 k;

	if (p == NULL || p->n_ids == 0)
		return;
	k = dice_below(p->n_ids);
	if (once_in(2))
		p->tx.out[k].amount_sat -= 1 + (int64_t)dice_below(1000);
	else
		p->tx.out[k].script_len = rig_stranger(p->tx.out[k].script,
		    w->strangers++);
	world_reissue(w, p);
	(void)world_pay(w, p);
}

/* ---- amounts, change, fees ---- */

static void
move_withheld(struct world *w)
{
	struct past	*p = world_slot(w);
	size_t		 k;

	world_honest(w, p);
	k = dice_below(p->tx.n_in);
	if (once_in(2))
		p->tx.in[k].amount_sat += (int64_t)dice_below(SAT_PER_BTC) -
		    SAT_PER_BTC / 2;
	if (p->tx.in[k].amount_sat <= 0)
		p->tx.in[k].amount_sat = 1;
	if (once_in(2))
		p->tx.flags |= RIG_NO_PARENT;
	if (once_in(3))
		p->tx.flags |= RIG_NO_WITNESS_UTXO;
	(void)world_pay(w, p);
}

static void
move_change(struct world *w)
{
	static const uint32_t	 far[] = { 999, 1000, 1001, 1002, 2000, 5000,
		0x7fffffff, 0x7ffffffe };
	struct descriptor_output o;
	struct past		*p = world_slot(w);
	unsigned		 branch = (unsigned)dice_below(2);
	size_t			 change;
	struct psbt		*psbt;
	uint32_t		 index;
	int64_t			 amount;

	world_honest(w, p);
	if ((change = p->change) == 0)
		return;
	index = once_in(2) ? far[dice_below(8)] : (uint32_t)dice_below(60);
	world_own(w, branch, index, &o);
	amount = p->tx.out[p->change].amount_sat;
	p->tx.n_out = p->change;
	if (once_in(4)) {
		while (p->tx.n_out < p->change + 6)
			(void)rig_output(&p->tx, o.script, o.script_len,
			    amount / 6);
	} else
		(void)rig_output(&p->tx, o.script, o.script_len, amount);
	p->change = 0;
	psbt = rig_psbt(&w->rig, &p->tx);
	/* Whose it is, said: or another's. */
	if (once_in(2))
		rig_put_paths(&w->rig, psbt, PSBT_OUT, change,
		    once_in(4) ? 1 - branch : branch, index);
	(void)world_send(w, p, psbt, SIGN_PAY, BEND_NONE);
	psbt_free(&psbt);
}

/* Nothing leaves but the fee, and that again and again (C9). */
static void
move_burn_fees(struct world *w)
{
	struct past	*p = world_slot(w);
	int64_t		 fee = w->rig.set.fee_max_sat;
	size_t		 n = 1 + dice_below(4);

	while (n-- > 0)
		(void)world_coin(w, &p->tx, SAT_PER_BTC / 10);
	if (once_in(4))
		fee += 1 + (int64_t)dice_below(fee);
	world_change(w, p, fee);
	(void)world_pay(w, p);
}

static void
move_fee(struct world *w)
{
	struct past	*p = world_slot(w);

	world_honest(w, p);
	if (p->change == 0)
		return;
	if (once_in(3))
		p->tx.out[p->change].amount_sat += 2 * RIG_FEE_SAT;
	else
		p->tx.out[p->change].amount_sat /= 1 +
		    (int64_t)dice_below(20);
	p->change = 0;
	(void)world_pay(w, p);
}

/* ---- the transaction's own fields ---- */

static void
move_heights(struct world *w)
{
	static const uint32_t	 odd[] = { 0, 499999999, 500000000,
		1700000000, UINT32_MAX };
	struct past		*p = world_slot(w);
	bool			 timed = w->rules.block_min_ms > 0;

	world_honest(w, p);
	switch (dice_below(6)) {
	case 0:
		p->tx.locktime = w->height + 1;
		break;
	case 1:
		p->tx.locktime = w->height > 1 ? w->height - 1 : 1;
		break;
	case 2:
		p->tx.locktime = w->height + 1 + (uint32_t)dice_below(timed ?
		    300 : 30);
		if (timed && once_in(4))
			p->tx.locktime = w->height + 1000;
		break;
	case 3:
		/* Where blocks take no time this would be believed, and the
		 * rest of this world were dull. */
		p->tx.locktime = odd[timed ? dice_below(5) : 2 +
		    dice_below(3)];
		break;
	case 4:
		p->tx.in[dice_below(p->tx.n_in)].sequence = 0xffffffff;
		break;
	case 5:
		p->tx.in[dice_below(p->tx.n_in)].sequence =
		    (uint32_t)dice();
		break;
	}
	if (world_pay(w, p) == SIGN_REFUSE_NONE && p->tx.locktime > w->height)
		w->height = p->tx.locktime;
}

static void
move_sighash(struct world *w)
{
	static const uint32_t	 types[] = { 0x81, 2, 3, 0x82, 0x83, 0, 1,
		0x80, 0x101 };
	struct past		*p = world_slot(w);
	unsigned char		 le[4];
	struct text		 none = { NULL, 0 };
	struct text		 value = { (const char *)le, 4 };
	struct psbt		*psbt;

	world_honest(w, p);
	psbt = rig_psbt(&w->rig, &p->tx);
	put_le32(le, types[dice_below(9)]);
	RIG_MUST(psbt_put(psbt, PSBT_IN, dice_below(p->tx.n_in),
	    PSBT_IN_SIGHASH_TYPE, none, value, &rig_e));
	(void)world_send(w, p, psbt, SIGN_PAY, BEND_NONE);
	psbt_free(&psbt);
}

static void
move_twice(struct world *w)
{
	struct past	*p = world_slot(w);

	world_honest(w, p);
	switch (dice_below(5)) {
	case 0:
		memcpy(p->tx.receipts[p->tx.n_receipts++],
		    p->tx.receipts[0], RECEIPT_LEN);
		break;
	case 1:
		p->tx.out[p->tx.n_out++] = p->tx.out[0];
		break;
	case 2:
		p->tx.in[p->tx.n_in++] = p->tx.in[0];
		break;
	case 3:
		p->tx.n_receipts--;
		break;
	case 4:
		p->tx.version = (uint32_t)dice_below(5);
		break;
	}
	(void)world_pay(w, p);
}

/* ---- receipts ---- */

/* What is ours, and yet a payment: it is counted, and no change. */
static void
move_own_receipt(struct world *w)
{
	struct descriptor_output o;
	struct past		*p = world_slot(w);
	size_t			 k;

	world_honest(w, p);
	k = dice_below(p->n_ids);
	world_own(w, (unsigned)dice_below(2), (uint32_t)dice_below(60), &o);
	memcpy(p->tx.out[k].script, o.script, o.script_len);
	p->tx.out[k].script_len = o.script_len;
	/* Once without its receipt. */
	if (!once_in(4))
		world_reissue(w, p);
	(void)world_pay(w, p);
}

static void
bend_receipt(struct world *w, struct receipt *rc)
{
	switch (dice_below(9)) {
	case 0:
		rc->deployment[dice_below(16)] ^= 1;
		break;
	case 1:
		rc->network = (uint8_t)dice_below(4);
		break;
	case 2:
		rc->epoch += once_in(2) ? 1 : UINT32_MAX;
		break;
	case 3:
		rc->purpose = once_in(2) ? RECEIPT_PAY : RECEIPT_BURN;
		break;
	case 4:
		rc->expires_ms = w->rig.now.now_ms;
		break;
	case 5:
		rc->seq = w->rig.engine_seq + 1 + dice_below(3);
		break;
	case 6:
		rc->seq = UINT64_MAX;
		break;
	case 7:
		rc->seq = dice_below(rc->seq);
		break;
	case 8:
		rc->amount_sat += 1;
		break;
	}
}

static void
move_receipt(struct world *w)
{
	struct past	*p = world_slot(w);
	struct receipt	 rc;
	size_t		 k;

	world_honest(w, p);
	k = dice_below(p->n_ids);
	rig_release(&w->rig, &rc, p->ids[k], p->tx.out[k].script,
	    p->tx.out[k].script_len, p->tx.out[k].amount_sat);
	bend_receipt(w, &rc);
	rig_receipt_sign(&w->rig, &rc, p->tx.receipts[k]);
	if (once_in(9))
		p->tx.receipts[k][dice_below(RECEIPT_LEN)] ^=
		    (unsigned char)(1u << dice_below(8));
	(void)world_pay(w, p);
}

/* Two ids by one event. */
static void
move_sequence(struct world *w)
{
	const struct past	*old = world_old(w);
	struct past		*p;
	struct receipt		 rc, before;

	if (old == NULL || old->tx.n_receipts == 0 || receipt_unpack(&before,
	    old->tx.receipts[0], &rig_e) != RC_OK)
		return;
	p = world_slot(w);
	world_honest(w, p);
	rig_release(&w->rig, &rc, p->ids[0], p->tx.out[0].script,
	    p->tx.out[0].script_len, p->tx.out[0].amount_sat);
	rc.seq = before.seq;
	rig_receipt_sign(&w->rig, &rc, p->tx.receipts[0]);
	(void)world_pay(w, p);
}

static void
burn(struct world *w, const struct past *p, size_t k)
{
	unsigned char	 bytes[RECEIPT_LEN];
	struct receipt	 rc;

	rig_release(&w->rig, &rc, p->ids[k], p->tx.out[k].script,
	    p->tx.out[k].script_len, p->tx.out[k].amount_sat);
	rc.purpose = RECEIPT_BURN;
	rig_receipt_sign(&w->rig, &rc, bytes);
	if (asks_burn(&w->rig, bytes) == SIGN_REFUSE_NONE)
		judge_burned(w->judge, p->ids[k]);
	world_count(w, w->rig.answer.refusal);
}

/* Burned and then paid, or paid and then burned: one of them. */
static void
move_burn(struct world *w)
{
	struct past	*p = once_in(2) ? world_old(w) : NULL;

	if (p == NULL) {
		p = world_slot(w);
		world_honest(w, p);
	}
	if (p->n_ids == 0)
		return;
	burn(w, p, dice_below(p->n_ids));
	world_reissue(w, p);
	if (once_in(2) && p->tx.n_out > p->n_ids)
		p->tx.out[p->n_ids].amount_sat -= 1000;
	(void)world_pay(w, p);
}

/* ---- co-signing ---- */

static void
keep_loaded(struct world *w, const struct past *p)
{
	struct rig_tx	*l = &w->loaded;
	size_t		 i;

	for (i = 0; i < p->tx.n_receipts; i++)
		memcpy(l->receipts[l->n_receipts++ % RIG_OUT_MAX],
		    p->tx.receipts[i], RECEIPT_LEN);
	if (l->n_receipts > RIG_OUT_MAX)
		l->n_receipts = RIG_OUT_MAX;
}

static void
move_cosign(struct world *w)
{
	struct past	*p = world_slot(w);
	struct psbt	*psbt;

	world_honest(w, p);
	if (!once_in(5)) {
		if (asks_load(&w->rig, &p->tx) == SIGN_REFUSE_NONE)
			keep_loaded(w, p);
		world_count(w, w->rig.answer.refusal);
	}
	if (once_in(4))
		p->tx.out[dice_below(p->n_ids)].amount_sat--;
	psbt = rig_psbt(&w->rig, &p->tx);
	(void)world_send(w, p, psbt, SIGN_COSIGN, BEND_NONE);
	psbt_free(&psbt);
}

/* ---- operators' part ---- */

/* Without their keys: their old frames, or his own. */
static void
move_as_operator(struct world *w)
{
	unsigned char		 standing[RECEIPT_LEN], approval[105];
	struct sign_message	 m;
	struct text		 t, got;

	if (once_in(2) && w->replay_len > 0) {
		t.p = (const char *)w->replay;
		t.len = w->replay_len;
		got = signer_take(w->rig.s, t, false, &w->rig.now);
		RIG_MUST(sign_message_unpack(&m, (const unsigned char *)
		    got.p, got.len, &rig_e));
		w->why[m.type == SIGN_DONE ? 0 : m.refusal]++;
		return;
	}
	sign_message_clear(&m, (enum sign_type)(SIGN_RESUME +
	    dice_below(34)), 1);
	memset(approval, 0, sizeof(approval));
	approval[0] = 5;
	memcpy(approval + 1, "alice", 5);
	m.approvals.p = (const char *)approval;
	m.approvals.len = sizeof(approval);
	rig_standing(&w->rig, standing);
	if (m.type == SIGN_ADOPT) {
		m.standing.p = (const char *)standing;
		m.standing.len = sizeof(standing);
		m.number = w->rig.s->signed_seq;
	}
	if (m.type == SIGN_EPOCH) {
		m.number = w->rig.set.epoch + 1;
		m.key.p = (const char *)w->rig.who[0].public;
		m.key.len = 32;
	}
	if (m.type > SIGN_ADOPT && m.type < SIGN_UNLOCK)
		m.type = SIGN_RESUME;
	world_count(w, rig_ask(&w->rig, &m, false));
}

static void
move_garbage(struct world *w)
{
	unsigned char	 bytes[256];
	size_t		 len = dice_below(sizeof(bytes)), i;
	struct text	 t = { (const char *)bytes, len }, got;
	struct sign_message m;

	for (i = 0; i < len; i++)
		bytes[i] = (unsigned char)dice();
	if (len > 13) {
		put_le32(bytes, (uint32_t)len - 4);
		bytes[4] = (unsigned char)dice_below(70);
	}
	got = signer_take(w->rig.s, t, false, &w->rig.now);
	RIG_MUST(sign_message_unpack(&m, (const unsigned char *)got.p,
	    got.len, &rig_e));
	w->why[m.type == SIGN_DONE ? 0 : m.refusal]++;
}

void
world_move(struct world *w)
{
	static const struct {
		void		(*move)(struct world *);
		unsigned	 weight;
	} moves[] = {
		{ move_honest, 20 }, { move_bent, 16 }, { move_same, 10 },
		{ move_replace, 12 }, { move_disjoint, 10 },
		{ move_subset, 10 }, { move_merge, 8 }, { move_child, 10 },
		{ move_recall, 8 }, { move_anywhere, 14 },
		{ move_parent_replaced, 4 },
		{ move_other_payment, 6 }, { move_withheld, 8 },
		{ move_change, 8 }, { move_burn_fees, 6 }, { move_fee, 6 },
		{ move_heights, 10 }, { move_sighash, 6 }, { move_twice, 6 },
		{ move_own_receipt, 5 }, { move_receipt, 10 },
		{ move_sequence, 3 }, { move_burn, 6 }, { move_cosign, 8 },
		{ move_as_operator, 6 }, { move_garbage, 4 },
	};
	size_t		 i, n = sizeof(moves) / sizeof(moves[0]);
	uint64_t	 sum = 0, at;

	for (i = 0; i < n; i++)
		sum += moves[i].weight;
	at = dice_below(sum);
	for (i = 0; at >= moves[i].weight; i++)
		at -= moves[i].weight;
	moves[i].move(w);
}
