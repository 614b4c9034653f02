/*
 * The world, and how a request is sent in it.
 */
#define _GNU_SOURCE
#include "tests/redteam/owned_engine.h"

#include <assert.h>

/* ---- chance: splitmix64 ---- */

static uint64_t	 state;

void
dice_seed(uint64_t seed)
{
	state = seed;
}

uint64_t
dice(void)
{
	uint64_t	 z = state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint64_t
dice_below(uint64_t n)
{
	return dice() % n;
}

bool
once_in(uint64_t n)
{
	return dice_below(n) == 0;
}

/* ---- a world ---- */

static void
tell_judge(struct world *w)
{
	const struct sign_settings	*s = &w->rig.set;
	struct judge_rules		*j = &w->rules;

	memset(j, 0, sizeof(*j));
	j->wallet = s->wallet == SIGN_WPKH ? JUDGE_WPKH :
	    s->wallet == SIGN_TR ? JUDGE_TR : JUDGE_WSH;
	memcpy(j->engine, s->engine_key, 32);
	memcpy(j->deployment, s->deployment, 16);
	j->network = s->network;
	j->epoch = s->epoch;
	j->tx_max_sat = s->tx_max_sat;
	j->short_blocks = s->short_blocks;
	j->short_max_sat = s->short_max_sat;
	j->long_max_sat = s->long_max_sat;
	j->fee_max_sat = s->fee_max_sat;
	j->approve_above_sat = s->approve_above_sat;
	/* Said here again, not asked. */
	j->block_min_ms = s->network == NETWORK_REGTEST ? 0 : 300000;
	j->block_ms = s->network == NETWORK_REGTEST ? 0 : 600000;
	w->judge = judge_new(j);
}

/* Of the rig's own master key. */
static const unsigned char *
fingerprint_of(const struct rig *r)
{
	static unsigned char	 f[4];
	struct bip32_key	 master;

	RIG_MUST(signer_master_of_seed(&master, r->seed, r->set.network,
	    &rig_e));
	bip32_fingerprint(f, &master);
	return f;
}

void
world_new(struct world *w, uint64_t seed, unsigned kind)
{
	static const enum sign_wallet	 wallets[] = { SIGN_WPKH, SIGN_TR,
		SIGN_WSH };
	struct sign_settings		*s = &w->rig.set;

	memset(w, 0, sizeof(*w));
	dice_seed(seed);
	w->past = calloc(PAST, sizeof(*w->past));
	assert(w->past != NULL);
	rig_begin(&w->rig, wallets[kind % 3]);
	s->network = kind / 3 % 2 == 0 ? NETWORK_REGTEST : NETWORK_SIGNET;
	s->tx_max_sat = 4 * SAT_PER_BTC;
	s->short_blocks = 24;
	s->short_max_sat = 40 * SAT_PER_BTC;
	s->long_blocks = 240;
	s->long_max_sat = 110 * SAT_PER_BTC;
	s->fee_max_sat = SAT_PER_BTC / 100;
	/* So that it is the fee itself that is limited. */
	s->fee_rate_max = s->spike_rate_max = 100000000;
	s->approve_above_sat = 2 * SAT_PER_BTC;
	s->change_max = 4;
	rig_found(&w->rig);
	tell_judge(w);
	for (w->ours = 0; w->ours + 1 < w->rig.wallet[0].n &&
	    memcmp(w->rig.wallet[0].keys[w->ours].origin,
	    fingerprint_of(&w->rig), 4) != 0; w->ours++)
		;
	w->first_len = (size_t)lseek(w->rig.journal_fd, 0, SEEK_END);
	rig_standing(&w->rig, w->old_standing);
	rig_tx_begin(&w->loaded);
	/* An hour has passed. */
	w->rig.now.boot_ms += 3600000;
	w->height = s->network == NETWORK_REGTEST ? 1 : 6;
}

void
world_end(struct world *w)
{
	judge_free(&w->judge);
	rig_end(&w->rig);
	free(w->past);
}

void
world_own(struct world *w, unsigned branch, uint32_t index,
    struct descriptor_output *o)
{
	const unsigned char	*key;

	rig_script(&w->rig, branch, index, o);
	key = w->rules.wallet == JUDGE_TR ? o->output_key : o->keys[w->ours];
	judge_own(w->judge, o->script, o->script_len, branch, index, key,
	    o->inner, w->rules.wallet == JUDGE_WSH ? o->inner_len : 0);
}

struct rig_in *
world_coin(struct world *w, struct rig_tx *t, int64_t amount_sat)
{
	struct descriptor_output o;
	uint32_t	 index = (uint32_t)dice_below(40);
	struct rig_in	*in;

	world_own(w, 0, index, &o);
	in = rig_spend(&w->rig, t, 0, index, amount_sat);
	judge_coin(w->judge, in->prev.txid, in->prev.vout, amount_sat,
	    in->script, in->script_len);
	return in;
}

void
world_change(struct world *w, struct past *p, int64_t fee_sat)
{
	struct descriptor_output o;
	int64_t		 left = -fee_sat;
	size_t		 i;

	p->change = 0;
	for (i = 0; i < p->tx.n_in; i++)
		left += p->tx.in[i].amount_sat;
	for (i = 0; i < p->tx.n_out; i++)
		left -= p->tx.out[i].amount_sat;
	if (left < 1000)
		return;
	p->change_index = (uint32_t)dice_below(60);
	world_own(w, 1, p->change_index, &o);
	(void)rig_output(&p->tx, o.script, o.script_len, left);
	p->change = p->tx.n_out - 1;
}

void
world_spend_change(struct rig_tx *t, const struct past *from)
{
	const struct rig_out	*o = &from->tx.out[from->change];
	struct rig_in		*in = &t->in[t->n_in++];

	memset(in, 0, sizeof(*in));
	memcpy(in->prev.txid, from->txid, 32);
	in->prev.vout = (uint32_t)from->change;
	memcpy(in->script, o->script, o->script_len);
	in->script_len = o->script_len;
	in->amount_sat = o->amount_sat;
	in->sequence = 0xfffffffd;
	in->branch = 1;
	/* No parent with it: the signer made it, and remembers. */
	in->index = from->change_index;
}

struct past *
world_slot(struct world *w)
{
	struct past	*p = &w->past[w->n_past++ % PAST];

	p->done = false;
	p->n_ids = 0;
	p->change = 0;
	rig_tx_begin(&p->tx);
	p->tx.locktime = w->height;
	return p;
}

struct past *
world_old(struct world *w)
{
	size_t		 n = w->n_past < PAST ? w->n_past : PAST, i;
	struct past	*p;

	for (i = 0; n > 0 && i < 16; i++) {
		p = &w->past[dice_below(n)];
		if (p->done)
			return p;
	}
	return NULL;
}

/* Mostly small; now and then one that people must approve. */
static int64_t
draw_amount(void)
{
	if (once_in(12))
		return SAT_PER_BTC + (int64_t)dice_below(2 * SAT_PER_BTC);
	return 100000 + (int64_t)dice_below(SAT_PER_BTC / 4);
}

void
world_honest(struct world *w, struct past *p)
{
	size_t		 n = 1 + dice_below(3), i;
	int64_t		 amount, sum = 0;

	for (i = 0; i < n; i++) {
		amount = draw_amount();
		sum += amount;
		(void)snprintf(p->ids[p->n_ids], sizeof(p->ids[0]), "w-%ju",
		    (uintmax_t)w->ids++);
		rig_pay(&w->rig, &p->tx, p->ids[p->n_ids++],
		    w->strangers++, amount);
	}
	(void)world_coin(w, &p->tx, sum + SAT_PER_BTC / 50);
	if (once_in(2))
		(void)world_coin(w, &p->tx, SAT_PER_BTC / 10);
	world_change(w, p, RIG_FEE_SAT);
}

void
world_reissue(struct world *w, struct past *p)
{
	struct receipt	 rc;
	size_t		 i;

	p->tx.n_receipts = 0;
	for (i = 0; i < p->n_ids; i++) {
		rig_release(&w->rig, &rc, p->ids[i], p->tx.out[i].script,
		    p->tx.out[i].script_len, p->tx.out[i].amount_sat);
		rig_receipt_sign(&w->rig, &rc,
		    p->tx.receipts[p->tx.n_receipts++]);
	}
}

/* ---- sending ---- */

static void
bend_head(struct world *w, struct sign_message *m, unsigned char *head,
    enum bend bend)
{
	if (bend == BEND_HEAD_ABSENT) {
		m->known.p = NULL;
		return;
	}
	asks_known(&w->rig, m);
	if (bend == BEND_HEAD_OLD && w->n_heads > 0)
		memcpy(head, w->heads[dice_below(w->n_heads < HEADS ?
		    w->n_heads : HEADS)], SIGN_HEAD_LEN);
	else if (w->rig.has_known)
		memcpy(head, w->rig.known, SIGN_HEAD_LEN);
	else
		return;
	if (bend == BEND_HEAD_FORGED)
		head[dice_below(SIGN_HEAD_LEN)] ^=
		    (unsigned char)(1u << dice_below(8));
	m->known.p = (const char *)head;
}

static void
bend_standing(struct world *w, unsigned char *out, enum bend bend)
{
	struct receipt	 rc;

	rig_receipt_begin(&w->rig, &rc, RECEIPT_STANDING,
	    w->rig.engine_seq);
	if (bend == BEND_STANDING_BACK)
		rc.seq = dice_below(rc.seq);
	else if (bend == BEND_STANDING_JUMP)
		rc.seq = once_in(2) ? UINT64_MAX : rc.seq + 1000001 +
		    dice_below(1000);
	else if (bend == BEND_STANDING_STALE)
		rc.expires_ms = w->rig.now.now_ms - (int64_t)dice_below(9);
	rig_receipt_sign(&w->rig, &rc, out);
	if (bend == BEND_STANDING_OLD)
		memcpy(out, w->old_standing, RECEIPT_LEN);
	else if (once_in(50))
		memcpy(w->old_standing, out, RECEIPT_LEN);
}

/* Approvals that he cannot have: made up, or of somebody else's. */
static void
bend_approvals(struct world *w, struct past *p)
{
	struct sign_statement	 st;

	memset(&st, 0, sizeof(st));
	st.purpose = SIGN_FOR_PAY;
	memcpy(st.deployment, w->rig.set.deployment, 16);
	st.network = w->rig.set.network;
	st.id = text_of(p->n_ids > 0 ? p->ids[0] : "w");
	st.script.p = "";
	st.amount_sat = p->tx.n_out > 0 ? p->tx.out[0].amount_sat : 1;
	p->tx.n_approvals = 0;
	rig_approve(&w->rig, &p->tx, dice_below(RIG_OPERATORS), &st);
	rig_approve(&w->rig, &p->tx, dice_below(RIG_OPERATORS), &st);
	if (once_in(2))
		p->tx.approvals[dice_below(SIGN_APPROVAL_LEN)] ^= 1;
}

static void
keep_head(struct world *w)
{
	if (w->rig.answer.head.p != NULL && once_in(8))
		memcpy(w->heads[w->n_heads++ % HEADS],
		    w->rig.answer.head.p, SIGN_HEAD_LEN);
}

/* What came out goes to the judge, whatever was asked. */
static void
to_judge(struct world *w, const struct rig_tx *t, bool loaded)
{
	const struct sign_message	*a = &w->rig.answer;

	keep_head(w);
	if (a->type != SIGN_DONE || a->psbt.p == NULL)
		return;
	w->signed_n++;
	(void)judge_signed(w->judge, (const unsigned char *)a->psbt.p,
	    a->psbt.len, loaded ? w->loaded.receipts[0] : t->receipts[0],
	    loaded ? w->loaded.n_receipts : t->n_receipts, loaded,
	    signer_running_ms(w->rig.s, &w->rig.now));
}

void
world_count(struct world *w, enum sign_refusal why)
{
	w->why[why]++;
	keep_head(w);
}

enum sign_refusal
world_ask(struct world *w, const struct sign_message *m, bool custodian)
{
	enum sign_refusal	 why = rig_ask(&w->rig, m, custodian);

	world_count(w, why);
	if (m->approvals.p != NULL && once_in(2) &&
	    sign_message_room(m) <= sizeof(w->replay))
		w->replay_len = sign_message_pack(m, w->replay);
	return why;
}

/* A frame as bytes, some of them changed. */
static enum sign_refusal
send_bent(struct world *w, const struct sign_message *m, enum bend bend)
{
	unsigned char	*frame = malloc(sign_message_room(m)), *copy;
	size_t		 len = sign_message_pack(m, frame), n;
	struct text	 t, got;

	if (bend == BEND_CUT)
		len = dice_below(len);
	else
		for (n = 1 + dice_below(3); n > 0; n--)
			frame[dice_below(len)] ^=
			    (unsigned char)(1u << dice_below(8));
	t.p = (const char *)frame;
	t.len = len;
	got = signer_take(w->rig.s, t, once_in(20), &w->rig.now);
	copy = malloc(got.len);
	assert(copy != NULL);
	memcpy(copy, got.p, got.len);
	free(w->rig.frame);
	free(frame);
	w->rig.frame = copy;
	RIG_MUST(sign_message_unpack(&w->rig.answer, copy, got.len, &rig_e));
	if (w->rig.answer.head.p != NULL)
		memcpy(w->rig.known, w->rig.answer.head.p, SIGN_HEAD_LEN);
	return w->rig.answer.type == SIGN_DONE ? SIGN_REFUSE_NONE :
	    w->rig.answer.refusal;
}

static enum sign_refusal
send_message(struct world *w, const struct sign_message *m, enum bend bend)
{
	enum sign_refusal	 why;

	why = bend == BEND_FLIP || bend == BEND_CUT ?
	    send_bent(w, m, bend) : rig_ask(&w->rig, m, false);
	w->why[why]++;
	return why;
}

enum sign_refusal
world_send(struct world *w, struct past *p, struct psbt *psbt,
    enum sign_type type, enum bend bend)
{
	unsigned char		 standing[RECEIPT_LEN], head[SIGN_HEAD_LEN];
	size_t			 len = psbt_size(psbt);
	unsigned char		*bytes = malloc(len);
	struct sign_message	 m;
	enum sign_refusal	 why;

	assert(bytes != NULL);
	sign_message_clear(&m, type, dice());
	m.psbt.p = (const char *)bytes;
	m.psbt.len = psbt_write(psbt, bytes);
	bend_head(w, &m, head, bend);
	bend_standing(w, standing, bend);
	m.standing.p = (const char *)standing;
	m.standing.len = RECEIPT_LEN;
	if (bend == BEND_STANDING_KIND && p->tx.n_receipts > 0)
		m.standing.p = (const char *)p->tx.receipts[0];
	if (bend == BEND_APPROVALS)
		bend_approvals(w, p);
	if (type == SIGN_PAY) {
		m.receipts.p = (const char *)p->tx.receipts;
		m.receipts.len = p->tx.n_receipts * RECEIPT_LEN;
		if (p->tx.n_approvals > 0) {
			m.approvals.p = (const char *)p->tx.approvals;
			m.approvals.len = p->tx.n_approvals *
			    SIGN_APPROVAL_LEN;
		}
	}
	why = send_message(w, &m, bend);
	free(bytes);
	to_judge(w, &p->tx, type == SIGN_COSIGN);
	if (why == SIGN_REFUSE_NONE && !p->done) {
		tx_txid(&psbt->tx, p->txid);
		p->done = true;
	}
	return why;
}

enum sign_refusal
world_pay(struct world *w, struct past *p)
{
	struct psbt		*psbt = rig_psbt(&w->rig, &p->tx);
	enum sign_refusal	 why;

	why = world_send(w, p, psbt, SIGN_PAY, BEND_NONE);
	psbt_free(&psbt);
	return why;
}

void
world_attempt(struct world *w)
{
	w->attempts++;
	if (once_in(400))
		world_restart(w);
	if (once_in(2500))
		world_rollback(w);
	if (once_in(40))
		world_people(w);
	world_move(w);
}
