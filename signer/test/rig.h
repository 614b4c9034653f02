/*
 * A whole signer on two files in memory, and the world around it: an engine
 * that signs receipts, operators, coins with the transactions that made them.
 *
 * To be included by one file of a program.  What a helper cannot do is a bug
 * of the test: it says so and ends.
 */
#ifndef SIGNER_TEST_RIG_H
#define SIGNER_TEST_RIG_H

#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bitcoin/curve.h"
#include "bitcoin/descriptor.h"
#include "bitcoin/psbt.h"
#include "bitcoin/script.h"
#include "lib/amount.h"
#include "lib/secret.h"
#include "signer/found.h"
#include "signer/inner.h"
#include "tests/check.h"

#define RIG_PASSPHRASE	"correct horse"
#define RIG_IN_MAX	256
#define RIG_OUT_MAX	64
#define RIG_OPERATORS	3
#define RIG_NOW_MS	INT64_C(1800000000000)
#define RIG_FEE_SAT	2000

static struct err rig_e;

#define RIG_MUST(call) do {						\
	if ((call) != RC_OK) {						\
		printf("not ok rig: %s: %s (line %d)\n", #call,		\
		    rig_e.text, __LINE__);				\
		exit(1);						\
	}								\
} while (0)

#define RIG_SCRIPTS	64
struct rig_scripts {
	struct descriptor_output out[2][RIG_SCRIPTS];
	bool		there[2][RIG_SCRIPTS];
};

struct rig {
	int		seed_fd, journal_fd;
	unsigned char	seed[SEED_LEN];
	struct sign_settings set;
	struct signer	*s;
	struct signer_clock now;
	unsigned char	engine_secret[64];
	struct {
		unsigned char	public[32], secret[64];
	} who[RIG_OPERATORS];		/* alice, bob approve; carol keeps */
	uint64_t	engine_seq;	/* where the engine stands */
	bool		has_known;
	unsigned char	known[SIGN_HEAD_LEN];
	struct descriptor wallet[2];
	struct rig_scripts *scripts;	/* derived before */
	uint64_t	coins;		/* made so far */
	/* The last answer. */
	unsigned char	*frame;
	struct sign_message answer;
};

static const char *const rig_names[RIG_OPERATORS] = {
	"alice", "bob", "carol" };

/* One coin or one output. */
struct rig_in {
	struct outpoint	prev;
	unsigned char	script[ADDRESS_SCRIPT_MAX];
	size_t		script_len;
	int64_t		amount_sat;
	uint32_t	sequence;
	unsigned	branch;
	uint32_t	index;
	unsigned char	parent[256];
	size_t		parent_len;
};

struct rig_out {
	unsigned char	script[ADDRESS_SCRIPT_MAX];
	size_t		script_len;
	int64_t		amount_sat;
};

/* What to leave out of the PSBT, or put into it. */
enum {
	RIG_NO_PARENT = 1 << 0,
	RIG_NO_WITNESS_UTXO = 1 << 1,
	RIG_NO_PATHS = 1 << 2,
	RIG_NO_SCRIPT = 1 << 3,
	RIG_V2 = 1 << 4,
};

struct rig_tx {
	uint32_t	version, locktime;
	unsigned	flags;
	struct rig_in	in[RIG_IN_MAX];
	size_t		n_in;
	struct rig_out	out[RIG_OUT_MAX];
	size_t		n_out;
	/* Receipts to send with it. */
	unsigned char	receipts[RIG_OUT_MAX][RECEIPT_LEN];
	size_t		n_receipts;
	unsigned char	approvals[RIG_OUT_MAX * SIGN_APPROVAL_LEN];
	size_t		n_approvals;
};

static inline void
rig_hash(unsigned char out[32], const char *label, uint64_t n)
{
	char	 text[64];
	int	 len = snprintf(text, sizeof(text), "%s %ju", label,
		    (uintmax_t)n);

	sha256(out, text, (size_t)len);
}

/* ---- making and restarting ---- */

/* Settings that a test may change before rig_found(). */
static inline void
rig_begin(struct rig *r, enum sign_wallet wallet)
{
	static bool	 begun;
	unsigned char	 b[32], public[32];
	struct sign_settings *s = &r->set;
	size_t		 i;

	if (!begun) {
		RIG_MUST(secret_begin(&rig_e));
		RIG_MUST(curve_begin(&rig_e));
		begun = true;
	}
	memset(r, 0, sizeof(*r));
	r->now.now_ms = RIG_NOW_MS;
	r->now.boot_ms = 1000;
	rig_hash(r->seed, "seed", 0);
	sign_settings_clear(s);
	s->network = NETWORK_REGTEST;
	rig_hash(b, "deployment", 0);
	memcpy(s->deployment, b, sizeof(s->deployment));
	rig_hash(b, "engine", 0);
	(void)crypto_sign_seed_keypair(s->engine_key, r->engine_secret, b);
	s->wallet = wallet;
	s->tx_max_sat = 50 * SAT_PER_BTC;
	s->short_max_sat = 100 * SAT_PER_BTC;
	s->long_max_sat = 500 * SAT_PER_BTC;
	s->fee_max_sat = SAT_PER_BTC / 100;
	s->spike_fee_max_sat = SAT_PER_BTC / 10;
	s->approve_above_sat = 10 * SAT_PER_BTC;
	for (i = 0; i < RIG_OPERATORS; i++) {
		rig_hash(b, rig_names[i], 0);
		(void)crypto_sign_seed_keypair(public, r->who[i].secret, b);
		memcpy(r->who[i].public, public, 32);
		memcpy(s->operators[i].key, public, 32);
		(void)snprintf(s->operators[i].name,
		    sizeof(s->operators[i].name), "%s", rig_names[i]);
		s->operators[i].approve = i < 2;
		s->operators[i].custodian = i == 2;
	}
	s->n_operators = RIG_OPERATORS;
	r->engine_seq = 100;
	r->seed_fd = memfd_create("seed", 0);
	r->journal_fd = memfd_create("journal", 0);
}

/* The account key of a co-signer whose seed is "seed n". */
static inline void
rig_cosigner(char *out, size_t room, struct bip32_key *account, uint64_t n)
{
	static const uint32_t path[] = { BIP32_HARD | 48, BIP32_HARD | 1,
		BIP32_HARD, BIP32_HARD | 2 };
	unsigned char	 seed[32], f[4];
	char		 text[BIP32_TEXT_MAX];
	struct bip32_key master;

	rig_hash(seed, "seed", n);
	RIG_MUST(bip32_of_seed(&master, NETWORK_REGTEST, seed, 32, &rig_e));
	bip32_fingerprint(f, &master);
	RIG_MUST(bip32_derive(account, &master, path, 4, &rig_e));
	bip32_print(text, account, false);
	(void)snprintf(out, room, "[%02x%02x%02x%02x/48h/1h/0h/2h]%s", f[0],
	    f[1], f[2], f[3], text);
}

static inline void
rig_wsh(struct rig *r)
{
	struct bip32_key account;

	r->set.m = 2;
	r->set.n = 3;
	r->set.n_cosigners = 2;
	rig_cosigner(r->set.cosigners[0], SIGN_KEY_TEXT_MAX, &account, 1);
	rig_cosigner(r->set.cosigners[1], SIGN_KEY_TEXT_MAX, &account, 2);
}

static inline void
rig_start(struct rig *r)
{
	RIG_MUST(signer_new(&r->s, r->journal_fd, r->seed_fd, &r->now,
	    &rig_e));
	RIG_MUST(signer_unlock(r->s, text_of(RIG_PASSPHRASE), &r->now,
	    &rig_e));
}

static inline void
rig_found(struct rig *r)
{
	char		 text[2][DESCRIPTOR_TEXT_MAX];
	struct bip32_key master;
	unsigned	 b;

	r->scripts = calloc(1, sizeof(*r->scripts));
	if (r->set.wallet == SIGN_WSH && r->set.n_cosigners == 0)
		rig_wsh(r);
	RIG_MUST(signer_found(r->seed_fd, r->journal_fd, r->seed,
	    text_of(RIG_PASSPHRASE), &r->set, 0, r->engine_seq, &rig_e));
	RIG_MUST(signer_master(&master, r->seed_fd, text_of(RIG_PASSPHRASE),
	    r->set.network, &rig_e));
	RIG_MUST(signer_descriptors(text[0], text[1], &master, &r->set,
	    false, &rig_e));
	for (b = 0; b < 2; b++)
		RIG_MUST(descriptor_parse(&r->wallet[b], text_of(text[b]),
		    true, false, &rig_e));
	rig_start(r);
}

static inline void
rig_new(struct rig *r, enum sign_wallet wallet)
{
	rig_begin(r, wallet);
	rig_found(r);
}

/* As after a crash; what was answered is forgotten too. */
static inline void
rig_restart(struct rig *r)
{
	signer_free(&r->s);
	rig_start(r);
}

static inline void
rig_end(struct rig *r)
{
	signer_free(&r->s);
	free(r->frame);
	free(r->scripts);
	(void)close(r->seed_fd);
	(void)close(r->journal_fd);
}

/* ---- asking ---- */

/* Called around the signer's own work: for what shall fail only there. */
static void (*rig_before)(void);
static void (*rig_after)(void);

/* SIGN_REFUSE_NONE: done.  The answer is in r->answer. */
static inline enum sign_refusal
rig_ask(struct rig *r, const struct sign_message *m, bool custodian)
{
	unsigned char	*frame = malloc(sign_message_room(m));
	struct text	 t, got;

	t.p = (const char *)frame;
	t.len = sign_message_pack(m, frame);
	if (rig_before != NULL)
		rig_before();
	got = signer_take(r->s, t, custodian, &r->now);
	if (rig_after != NULL)
		rig_after();
	free(frame);
	free(r->frame);
	r->frame = malloc(got.len);
	memcpy(r->frame, got.p, got.len);
	RIG_MUST(sign_message_unpack(&r->answer, r->frame, got.len, &rig_e));
	if (r->answer.head.p != NULL) {
		memcpy(r->known, r->answer.head.p, SIGN_HEAD_LEN);
		r->has_known = true;
	}
	return r->answer.type == SIGN_DONE ? SIGN_REFUSE_NONE :
	    r->answer.refusal;
}

static inline void
rig_receipt_sign(const struct rig *r, struct receipt *rc,
    unsigned char out[RECEIPT_LEN])
{
	unsigned char	 message[RECEIPT_MESSAGE_LEN];

	receipt_pack(rc, out);
	receipt_message(message, out);
	(void)crypto_sign_detached(rc->signature, NULL, message,
	    sizeof(message), r->engine_secret);
	receipt_pack(rc, out);
}

static inline void
rig_receipt_begin(const struct rig *r, struct receipt *rc,
    enum receipt_purpose purpose, uint64_t seq)
{
	memset(rc, 0, sizeof(*rc));
	rc->purpose = purpose;
	memcpy(rc->deployment, r->set.deployment, sizeof(rc->deployment));
	rc->network = r->set.network;
	rc->epoch = r->set.epoch;
	rc->seq = seq;
	rc->expires_ms = r->now.now_ms + 600000;
	rc->id.p = "";
	rc->script.p = "";
}

static inline void
rig_standing(const struct rig *r, unsigned char out[RECEIPT_LEN])
{
	struct receipt	 rc;

	rig_receipt_begin(r, &rc, RECEIPT_STANDING, r->engine_seq);
	rig_receipt_sign(r, &rc, out);
}

/* A withdrawal is released: the engine goes on by one. */
static inline void
rig_release(struct rig *r, struct receipt *rc, const char *id,
    const unsigned char *script, size_t len, int64_t amount_sat)
{
	rig_receipt_begin(r, rc, RECEIPT_PAY_OWN, ++r->engine_seq);
	rc->id = text_of(id);
	rc->script.p = (const char *)script;
	rc->script.len = len;
	rc->amount_sat = amount_sat;
	rc->fee_max_sat = 100000;
	rig_hash(rc->head, "head", rc->seq);
}

/* ---- transactions ---- */

static inline void
rig_script(const struct rig *r, unsigned branch, uint32_t index,
    struct descriptor_output *out)
{
	if (index < RIG_SCRIPTS && r->scripts->there[branch][index]) {
		*out = r->scripts->out[branch][index];
		return;
	}
	RIG_MUST(descriptor_derive(out, &r->wallet[branch], branch, index,
	    &rig_e));
	if (index < RIG_SCRIPTS) {
		r->scripts->out[branch][index] = *out;
		r->scripts->there[branch][index] = true;
	}
}

/* The transaction that made a coin: one input, one output. */
static inline void
rig_make_parent(struct rig *r, struct rig_in *in)
{
	struct tx_in	 from;
	struct tx_out	 to;
	struct tx	 t = { .version = 2, .in = &from, .n_in = 1,
	    .out = &to, .n_out = 1 };

	memset(&from, 0, sizeof(from));
	rig_hash(from.prev.txid, "coin", r->coins++);
	from.script_sig.p = "";
	from.sequence = 0xfffffffd;
	to.amount_sat = in->amount_sat;
	to.script.p = (const char *)in->script;
	to.script.len = in->script_len;
	in->parent_len = tx_write(&t, false, in->parent);
	tx_txid(&t, in->prev.txid);
	in->prev.vout = 0;
}

static inline void
rig_tx_begin(struct rig_tx *t)
{
	memset(t, 0, sizeof(*t));
	t->version = 2;
}

/* A new coin of ours, spent by t. */
static inline struct rig_in *
rig_spend(struct rig *r, struct rig_tx *t, unsigned branch, uint32_t index,
    int64_t amount_sat)
{
	struct rig_in	*in = &t->in[t->n_in++];
	struct descriptor_output o;

	rig_script(r, branch, index, &o);
	memcpy(in->script, o.script, o.script_len);
	in->script_len = o.script_len;
	in->amount_sat = amount_sat;
	in->sequence = 0xfffffffd;
	in->branch = branch;
	in->index = index;
	rig_make_parent(r, in);
	return in;
}

static inline struct rig_out *
rig_output(struct rig_tx *t, const unsigned char *script, size_t len,
    int64_t amount_sat)
{
	struct rig_out	*o = &t->out[t->n_out++];

	memcpy(o->script, script, len);
	o->script_len = len;
	o->amount_sat = amount_sat;
	return o;
}

static inline void
rig_change(struct rig *r, struct rig_tx *t, unsigned branch, uint32_t index,
    int64_t amount_sat)
{
	struct descriptor_output o;

	rig_script(r, branch, index, &o);
	(void)rig_output(t, o.script, o.script_len, amount_sat);
}

/* A stranger's script. */
static inline size_t
rig_stranger(unsigned char *script, uint64_t n)
{
	unsigned char	 hash[32];

	rig_hash(hash, "stranger", n);
	return script_p2wpkh(script, hash);
}

/* An output to a stranger with its receipt. */
static inline void
rig_pay(struct rig *r, struct rig_tx *t, const char *id, uint64_t stranger,
    int64_t amount_sat)
{
	unsigned char	 script[ADDRESS_SCRIPT_MAX];
	size_t		 len = rig_stranger(script, stranger);
	struct receipt	 rc;

	(void)rig_output(t, script, len, amount_sat);
	rig_release(r, &rc, id, script, len, amount_sat);
	rig_receipt_sign(r, &rc, t->receipts[t->n_receipts++]);
}

/* The PSBT's derivation of branch and index, by every key of the wallet. */
static inline void
rig_put_paths(const struct rig *r, struct psbt *p, enum psbt_where where,
    size_t at, unsigned branch, uint32_t index)
{
	const struct descriptor *d = &r->wallet[branch];
	struct descriptor_output o;
	unsigned char	 b[64];
	struct text	 key, value = { (const char *)b, 0 };
	unsigned char	*v;
	unsigned	 i, k;

	rig_script(r, branch, index, &o);
	for (i = 0; i < d->n; i++) {
		key.p = (const char *)o.keys[i];
		key.len = 33;
		v = b;
		if (d->kind == DESCRIPTOR_TR) {
			key.p++;
			key.len--;
			*v++ = 0;
		}
		memcpy(v, d->keys[i].origin, 4);
		v += 4;
		for (k = 0; k < d->keys[i].n_origin; k++, v += 4)
			memcpy(v, &d->keys[i].origin_path[k], 4);
		memcpy(v, &(uint32_t){ branch }, 4);
		memcpy(v + 4, &index, 4);
		value.len = (size_t)(v + 8 - b);
		RIG_MUST(psbt_put(p, where, at, where == PSBT_IN ?
		    d->kind == DESCRIPTOR_TR ? PSBT_IN_TAP_BIP32_DERIVATION :
		    PSBT_IN_BIP32_DERIVATION : d->kind == DESCRIPTOR_TR ?
		    PSBT_OUT_TAP_BIP32_DERIVATION : PSBT_OUT_BIP32_DERIVATION,
		    key, value, &rig_e));
	}
}

static inline void
rig_put_in(const struct rig *r, struct psbt *p, const struct rig_tx *t,
    size_t i)
{
	const struct rig_in *in = &t->in[i];
	struct descriptor_output o;
	unsigned char	 utxo[9 + ADDRESS_SCRIPT_MAX];
	struct text	 none = { NULL, 0 };
	struct text	 value = { (const char *)in->parent, in->parent_len };

	if ((t->flags & RIG_NO_PARENT) == 0 && in->parent_len > 0)
		RIG_MUST(psbt_put(p, PSBT_IN, i, PSBT_IN_NON_WITNESS_UTXO,
		    none, value, &rig_e));
	memcpy(utxo, &in->amount_sat, 8);
	utxo[8] = (unsigned char)in->script_len;
	memcpy(utxo + 9, in->script, in->script_len);
	value.p = (const char *)utxo;
	value.len = 9 + in->script_len;
	if ((t->flags & RIG_NO_WITNESS_UTXO) == 0)
		RIG_MUST(psbt_put(p, PSBT_IN, i, PSBT_IN_WITNESS_UTXO, none,
		    value, &rig_e));
	if ((t->flags & RIG_NO_PATHS) == 0)
		rig_put_paths(r, p, PSBT_IN, i, in->branch, in->index);
	if (r->set.wallet != SIGN_WSH || (t->flags & RIG_NO_SCRIPT) != 0)
		return;
	rig_script(r, in->branch, in->index, &o);
	value.p = (const char *)o.inner;
	value.len = o.inner_len;
	RIG_MUST(psbt_put(p, PSBT_IN, i, PSBT_IN_WITNESS_SCRIPT, none, value,
	    &rig_e));
}

/* As the transaction is now; the caller frees it. */
static inline struct psbt *
rig_psbt(const struct rig *r, const struct rig_tx *t)
{
	struct tx_in	 in[RIG_IN_MAX];
	struct tx_out	 out[RIG_OUT_MAX];
	struct tx	 tx = { .version = t->version,
	    .locktime = t->locktime, .in = in, .n_in = t->n_in, .out = out,
	    .n_out = t->n_out };
	struct psbt	*p = NULL;
	size_t		 i;

	memset(in, 0, sizeof(in));
	memset(out, 0, sizeof(out));
	for (i = 0; i < t->n_in; i++) {
		in[i].prev = t->in[i].prev;
		in[i].script_sig.p = "";
		in[i].sequence = t->in[i].sequence;
	}
	for (i = 0; i < t->n_out; i++) {
		out[i].amount_sat = t->out[i].amount_sat;
		out[i].script.p = (const char *)t->out[i].script;
		out[i].script.len = t->out[i].script_len;
	}
	RIG_MUST(psbt_new(&p, (t->flags & RIG_V2) != 0 ? 2 : 0, &tx,
	    &rig_e));
	for (i = 0; i < t->n_in; i++)
		rig_put_in(r, p, t, i);
	return p;
}

/* ---- the whole request ---- */

static inline enum sign_refusal
rig_send(struct rig *r, const struct rig_tx *t, const struct psbt *p,
    enum sign_type type)
{
	size_t		 len = psbt_size(p);
	unsigned char	*bytes = malloc(len), standing[RECEIPT_LEN];
	struct sign_message m;
	enum sign_refusal why;

	len = psbt_write(p, bytes);
	rig_standing(r, standing);
	sign_message_clear(&m, type, 7);
	if (r->has_known) {
		m.known.p = (const char *)r->known;
		m.known.len = SIGN_HEAD_LEN;
	}
	m.standing.p = (const char *)standing;
	m.standing.len = RECEIPT_LEN;
	m.psbt.p = (const char *)bytes;
	m.psbt.len = len;
	if (type == SIGN_PAY) {
		m.receipts.p = (const char *)t->receipts;
		m.receipts.len = t->n_receipts * RECEIPT_LEN;
	}
	if (t->n_approvals > 0) {
		m.approvals.p = (const char *)t->approvals;
		m.approvals.len = t->n_approvals * SIGN_APPROVAL_LEN;
	}
	why = rig_ask(r, &m, false);
	free(bytes);
	return why;
}

static inline enum sign_refusal
rig_sign(struct rig *r, const struct rig_tx *t)
{
	struct psbt	*p = rig_psbt(r, t);
	enum sign_refusal why = rig_send(r, t, p, SIGN_PAY);

	psbt_free(&p);
	return why;
}

/* Does the answer's PSBT finish?  So all its signatures are there. */
static inline bool
rig_finishes(const struct rig *r)
{
	struct psbt	*p = NULL;
	unsigned char	*bytes = NULL;
	size_t		 len;
	bool		 good;

	good = r->answer.psbt.p != NULL &&
	    psbt_parse(&p, (const unsigned char *)r->answer.psbt.p,
	    r->answer.psbt.len, &rig_e) == RC_OK &&
	    psbt_finalize(p, &rig_e) == RC_OK &&
	    psbt_extract(&bytes, &len, p, &rig_e) == RC_OK;
	free(bytes);
	psbt_free(&p);
	return good;
}

/* One operator's approval, the next of t's. */
static inline void
rig_approve(const struct rig *r, struct rig_tx *t, size_t who,
    struct sign_statement *st)
{
	struct sign_approval a;

	st->by = text_of(rig_names[who]);
	st->expires_ms = r->now.now_ms + 60000;
	a.by = st->by;
	a.expires_ms = st->expires_ms;
	sign_statement_sign(a.signature, st, r->who[who].secret);
	sign_approval_pack(&a,
	    t->approvals + t->n_approvals++ * SIGN_APPROVAL_LEN);
}

/* What one request says, with the reason when it is another. */
static inline void
rig_expect(struct rig *r, enum sign_refusal got, enum sign_refusal want,
    const char *what, const char *file, int line)
{
	if (check_that(got == want, what, file, line))
		return;
	printf("#   got %s (%.*s), want %s\n", sign_refusal_text(got),
	    (int)r->answer.reason.len, r->answer.reason.len > 0 ?
	    r->answer.reason.p : "", sign_refusal_text(want));
}
#define RIG_SIGNS(r, t) \
	rig_expect(r, rig_sign(r, t), SIGN_REFUSE_NONE, "signs", __FILE__, \
	    __LINE__)
#define RIG_REFUSES(r, t, why) \
	rig_expect(r, rig_sign(r, t), why, "refuses: " #why, __FILE__, \
	    __LINE__)

#endif
