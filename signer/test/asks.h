/*
 * The requests that are not payments, for tests on top of rig.h; and the
 * state as a text, so that two of them can be compared.
 */
#ifndef SIGNER_TEST_ASKS_H
#define SIGNER_TEST_ASKS_H

#include "signer/take.h"
#include "signer/test/rig.h"
#include "wire/bytes.h"

#define ASKS_STATE_MAX	8192

/* Approvals of one statement, by those whose bit is set in `who`. */
struct asks_list {
	unsigned char	bytes[16 * SIGN_APPROVAL_LEN];
	size_t		n;
};

static inline void
asks_statement(const struct rig *r, struct sign_statement *st,
    enum sign_purpose purpose, uint64_t answers)
{
	memset(st, 0, sizeof(*st));
	st->purpose = purpose;
	memcpy(st->deployment, r->set.deployment, sizeof(st->deployment));
	st->network = r->set.network;
	memcpy(st->signer, keys_id(r->s->keys), sizeof(st->signer));
	st->answers = answers;
}

static inline void
asks_approve(const struct rig *r, struct asks_list *l, unsigned who,
    struct sign_statement *st)
{
	struct sign_approval	 a;
	size_t			 i;

	for (i = 0; i < RIG_OPERATORS; i++) {
		if ((who >> i & 1) == 0)
			continue;
		st->by = text_of(rig_names[i]);
		st->expires_ms = r->now.now_ms + 60000;
		a.by = st->by;
		a.expires_ms = st->expires_ms;
		sign_statement_sign(a.signature, st, r->who[i].secret);
		sign_approval_pack(&a, l->bytes +
		    l->n++ * SIGN_APPROVAL_LEN);
	}
}

#define ALICE	1u
#define BOB	2u
#define CAROL	4u

static inline void
asks_give(struct sign_message *m, const struct asks_list *l)
{
	m->approvals.p = (const char *)l->bytes;
	m->approvals.len = l->n * SIGN_APPROVAL_LEN;
}

static inline void
asks_known(const struct rig *r, struct sign_message *m)
{
	if (!r->has_known)
		return;
	m->known.p = (const char *)r->known;
	m->known.len = SIGN_HEAD_LEN;
}

static inline enum sign_refusal
asks_plain(struct rig *r, enum sign_type type)
{
	struct sign_message	 m;

	sign_message_clear(&m, type, 3);
	return rig_ask(r, &m, true);
}

static inline enum sign_refusal
asks_halt(struct rig *r, const char *why)
{
	struct sign_message	 m;

	sign_message_clear(&m, SIGN_HALT, 3);
	m.reason = text_of(why);
	return rig_ask(r, &m, false);
}

static inline enum sign_refusal
asks_resume(struct rig *r, uint64_t answers, unsigned who)
{
	struct sign_statement	 st;
	struct asks_list	 l = { .n = 0 };
	struct sign_message	 m;

	asks_statement(r, &st, SIGN_FOR_RESUME, answers);
	asks_approve(r, &l, who, &st);
	sign_message_clear(&m, SIGN_RESUME, 3);
	asks_give(&m, &l);
	return rig_ask(r, &m, false);
}

static inline enum sign_refusal
asks_rearm(struct rig *r, uint64_t answers, unsigned who)
{
	struct sign_statement	 st;
	struct asks_list	 l = { .n = 0 };
	struct sign_message	 m;

	asks_statement(r, &st, SIGN_FOR_REARM, answers);
	asks_approve(r, &l, who, &st);
	sign_message_clear(&m, SIGN_REARM, 3);
	asks_give(&m, &l);
	return rig_ask(r, &m, true);
}

static inline enum sign_refusal
asks_settings(struct rig *r, const struct sign_settings *next, unsigned who)
{
	char			 text[SIGN_SETTINGS_MAX];
	struct sign_statement	 st;
	struct asks_list	 l = { .n = 0 };
	struct sign_message	 m;

	asks_statement(r, &st, SIGN_FOR_SETTINGS, r->s->settings_seq);
	sign_settings_hash(st.hash, next);
	sign_settings_hash(st.replaces, &r->s->now);
	asks_approve(r, &l, who, &st);
	sign_message_clear(&m, SIGN_SETTINGS, 3);
	asks_give(&m, &l);
	m.body.p = text;
	m.body.len = sign_settings_print(next, text, sizeof(text));
	return rig_ask(r, &m, true);
}

static inline enum sign_refusal
asks_epoch(struct rig *r, uint32_t epoch, const unsigned char key[32],
    unsigned who)
{
	struct sign_statement	 st;
	struct asks_list	 l = { .n = 0 };
	struct sign_message	 m;

	asks_statement(r, &st, SIGN_FOR_EPOCH, 0);
	st.number = epoch;
	memcpy(st.hash, key, 32);
	asks_approve(r, &l, who, &st);
	sign_message_clear(&m, SIGN_EPOCH, 3);
	m.number = epoch;
	m.key.p = (const char *)key;
	m.key.len = 32;
	asks_give(&m, &l);
	return rig_ask(r, &m, false);
}

/* The engine stands where it stands, and has booked up to `booked`. */
static inline enum sign_refusal
asks_adopt(struct rig *r, uint64_t booked, unsigned who)
{
	unsigned char		 standing[RECEIPT_LEN];
	struct sign_statement	 st;
	struct asks_list	 l = { .n = 0 };
	struct sign_message	 m;

	rig_standing(r, standing);
	asks_statement(r, &st, SIGN_FOR_ADOPT, 0);
	st.number = r->engine_seq;
	st.booked = booked;
	asks_approve(r, &l, who, &st);
	sign_message_clear(&m, SIGN_ADOPT, 3);
	m.standing.p = (const char *)standing;
	m.standing.len = RECEIPT_LEN;
	m.number = booked;
	asks_give(&m, &l);
	return rig_ask(r, &m, false);
}

static inline enum sign_refusal
asks_write_off(struct rig *r, const char *id, const struct outpoint *o,
    const unsigned char spent_by[32], unsigned who)
{
	unsigned char		 out[36], block[32];
	struct sign_statement	 st;
	struct asks_list	 l = { .n = 0 };
	struct sign_message	 m;

	rig_hash(block, "block", 1);
	asks_statement(r, &st, SIGN_FOR_WRITE_OFF, 0);
	st.id = text_of(id);
	memcpy(st.outpoint_txid, o->txid, 32);
	st.outpoint_vout = o->vout;
	memcpy(st.txid, spent_by, 32);
	memcpy(st.hash, block, 32);
	asks_approve(r, &l, who, &st);
	sign_message_clear(&m, SIGN_WRITE_OFF, 3);
	m.id = st.id;
	memcpy(out, o->txid, 32);
	put_le32(out + 32, o->vout);
	m.outpoint.p = (const char *)out;
	m.outpoint.len = sizeof(out);
	m.txid.p = (const char *)spent_by;
	m.txid.len = 32;
	m.block.p = (const char *)block;
	m.block.len = sizeof(block);
	asks_give(&m, &l);
	return rig_ask(r, &m, false);
}

/* One receipt, of whatever kind. */
static inline enum sign_refusal
asks_burn(struct rig *r, const unsigned char receipt[RECEIPT_LEN])
{
	struct sign_message	 m;

	sign_message_clear(&m, SIGN_BURN, 3);
	asks_known(r, &m);
	m.receipts.p = (const char *)receipt;
	m.receipts.len = RECEIPT_LEN;
	return rig_ask(r, &m, false);
}

/* A burn of an id that was for a stranger, released by event `seq`. */
static inline enum sign_refusal
asks_burn_id(struct rig *r, const char *id, uint64_t stranger,
    int64_t amount_sat, uint64_t seq)
{
	unsigned char	 script[ADDRESS_SCRIPT_MAX], bytes[RECEIPT_LEN];
	struct receipt	 rc;

	rig_receipt_begin(r, &rc, RECEIPT_BURN, seq);
	rc.id = text_of(id);
	rc.script.len = rig_stranger(script, stranger);
	rc.script.p = (const char *)script;
	rc.amount_sat = amount_sat;
	rig_receipt_sign(r, &rc, bytes);
	return asks_burn(r, bytes);
}

static inline enum sign_refusal
asks_load(struct rig *r, const struct rig_tx *t)
{
	unsigned char		 standing[RECEIPT_LEN];
	struct sign_message	 m;

	rig_standing(r, standing);
	sign_message_clear(&m, SIGN_LOAD, 3);
	asks_known(r, &m);
	m.standing.p = (const char *)standing;
	m.standing.len = RECEIPT_LEN;
	m.receipts.p = (const char *)t->receipts;
	m.receipts.len = t->n_receipts * RECEIPT_LEN;
	if (t->n_approvals > 0) {
		m.approvals.p = (const char *)t->approvals;
		m.approvals.len = t->n_approvals * SIGN_APPROVAL_LEN;
	}
	return rig_ask(r, &m, false);
}

/* A payment of one withdrawal out of one coin, with its change. */
static inline void
asks_one(struct rig *r, struct rig_tx *t, const char *id, uint64_t stranger,
    int64_t amount_sat, uint32_t locktime)
{
	rig_tx_begin(t);
	t->locktime = locktime;
	(void)rig_spend(r, t, 0, 0, amount_sat + SAT_PER_BTC);
	rig_pay(r, t, id, stranger, amount_sat);
	rig_change(r, t, 1, 0, SAT_PER_BTC - RIG_FEE_SAT);
}

/* A line of the status: its value, or "". */
static inline const char *
asks_status(struct rig *r, const char *name, char out[512])
{
	const char	*p, *end;
	size_t		 len = strlen(name), n;

	out[0] = '\0';
	if (asks_plain(r, SIGN_STATUS) != SIGN_REFUSE_NONE)
		return out;
	p = r->answer.body.p;
	end = p + r->answer.body.len;
	while (p < end) {
		n = (size_t)((const char *)memchr(p, '\n',
		    (size_t)(end - p)) - p);
		if (n > len && memcmp(p, name, len) == 0 && p[len] == ' ')
			(void)snprintf(out, 512, "%.*s", (int)(n - len - 1),
			    p + len + 1);
		p += n + 1;
	}
	return out;
}

/* What time alone brings about is brought about first, at the time of the
 * newest record: so two signers of one journal say the same. */
static inline void
asks_state(struct rig *r, char out[ASKS_STATE_MAX])
{
	struct signer	*s = r->s;
	unsigned char	 hash[32], next[32];
	char		 a[65], b[65], c[65];
	size_t		 i, n = 0;

	state_settle(s, s->recorded_ms);
	journal_hash(s->journal, hash);
	(void)sodium_bin2hex(a, sizeof(a), hash, 32);
	sign_settings_hash(hash, &s->settings);
	(void)sodium_bin2hex(b, sizeof(b), hash, 32);
	memset(next, 0, sizeof(next));
	if (s->waits)
		sign_settings_hash(next, &s->next);
	(void)sodium_bin2hex(c, sizeof(c), next, 32);
	n = (size_t)snprintf(out, ASKS_STATE_MAX, "seq %ju %s\nin force %s "
	    "waits %d %ju %u %jd %s\nsettings %ju height %u %jd\nengine %ju "
	    "floor %ju behind %d halted %ju %s\nfresh %d signed %ju index %u "
	    "recorded %jd\nwindows %zu %jd armed %d %d %ju %u %jd long %jd\n"
	    "reached %u txs %zu free %ju\n",
	    (uintmax_t)journal_seq(s->journal), a, b,
	    s->waits, s->waits ? (uintmax_t)s->waits_seq : 0,
	    s->waits ? s->waits_height : 0,
	    s->waits ? (intmax_t)s->waits_running_ms : 0, c,
	    (uintmax_t)s->settings_seq, s->height,
	    (intmax_t)s->height_running_ms, (uintmax_t)s->engine_seq,
	    (uintmax_t)s->floor, s->behind, (uintmax_t)s->halted_seq,
	    s->halted_why, s->fresh, (uintmax_t)s->signed_seq, s->index_max,
	    (intmax_t)s->recorded_ms, s->windows.n,
	    (intmax_t)s->windows.short_sat, s->windows.armed,
	    s->windows.rearm_waits, (uintmax_t)s->windows.armed_seq,
	    s->windows.armed_height, (intmax_t)s->windows.armed_running_ms,
	    (intmax_t)s->windows.long_sat, keys_reached(s->keys),
	    memory_n_tx(s->memory), (uintmax_t)s->free_records);
	for (i = 0; i < s->windows.n && n + 80 < ASKS_STATE_MAX; i++)
		n += (size_t)snprintf(out + n, ASKS_STATE_MAX - n,
		    "cost %u %jd %jd\n", s->windows.cost[(s->windows.first +
		    i) % s->windows.room].height, (intmax_t)
		    s->windows.cost[(s->windows.first + i) %
		    s->windows.room].running_ms, (intmax_t)
		    s->windows.cost[(s->windows.first + i) %
		    s->windows.room].cost_sat);
}

/* A start changes nothing. */
static inline void
asks_same_after_start(struct rig *r, int line)
{
	char	 before[ASKS_STATE_MAX], after[ASKS_STATE_MAX];

	asks_state(r, before);
	rig_restart(r);
	asks_state(r, after);
	if (!check_that(strcmp(before, after) == 0,
	    "the state is the same after a start", __FILE__, line))
		printf("# before\n%s# after\n%s", before, after);
}
#define ASKS_SAME(r)	asks_same_after_start(r, __LINE__)
#define ASKS_DONE(r, got) \
	rig_expect(r, got, SIGN_REFUSE_NONE, #got, __FILE__, __LINE__)
#define ASKS_NOT(r, got, why) \
	rig_expect(r, got, why, #got " is " #why, __FILE__, __LINE__)

#endif
