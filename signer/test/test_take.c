/*
 * The core as whoever talks to it sees it: frames, who may ask what in which
 * state, memory and disks that fail, and how time is written down (C3).
 */
#define _GNU_SOURCE
#define HOSTILE_ALLOC
#include "bitcoin/test/hostile.h"
#include "signer/test/asks.h"
#include "signer/test/faults.h"

static struct rig	 rig;
static struct rig_tx	 tx;

/* A frame of a payment, to be sent as it is. */
static unsigned char *
pay_frame(const struct rig_tx *t, size_t *len)
{
	static unsigned char	 bytes[16384], standing[RECEIPT_LEN];
	struct psbt		*p = rig_psbt(&rig, t);
	unsigned char		*frame;
	struct sign_message	 m;

	sign_message_clear(&m, SIGN_PAY, 77);
	m.psbt.p = (const char *)bytes;
	m.psbt.len = psbt_write(p, bytes);
	psbt_free(&p);
	rig_standing(&rig, standing);
	m.standing.p = (const char *)standing;
	m.standing.len = RECEIPT_LEN;
	asks_known(&rig, &m);
	m.receipts.p = (const char *)t->receipts;
	m.receipts.len = t->n_receipts * RECEIPT_LEN;
	frame = malloc(sign_message_room(&m));
	*len = sign_message_pack(&m, frame);
	return frame;
}

static struct text
send_frame(const unsigned char *frame, size_t len, struct sign_message *m)
{
	struct text	 t = { (const char *)frame, len }, got;

	got = signer_take(rig.s, t, false, &rig.now);
	RIG_MUST(sign_message_unpack(m, (const unsigned char *)got.p,
	    got.len, &rig_e));
	return got;
}

static void
test_frames(void)
{
	unsigned char		*frame, *at;
	struct sign_message	 m;
	size_t			 len, cut, bad = 0;

	check_case("every truncation of a frame, against an unmapped page");
	rig_new(&rig, SIGN_WPKH);
	asks_one(&rig, &tx, "w-1", 1, SAT_PER_BTC, 1);
	frame = pay_frame(&tx, &len);
	for (cut = 0; cut < len; cut++) {
		at = hostile_place(frame, cut);
		(void)send_frame(at, cut, &m);
		/* Its tag, where it has one. */
		bad += m.type != SIGN_REFUSED ||
		    m.tag != (cut < SIGN_FRAME_HEAD ? 0 : 77) ||
		    m.refusal != SIGN_REFUSE_MALFORMED;
		/* The same with a length that fits what is there. */
		if (cut < SIGN_FRAME_HEAD)
			continue;
		put_le32(at, (uint32_t)cut - 4);
		(void)send_frame(at, cut, &m);
		bad += m.type != SIGN_REFUSED;
	}
	CHECK_INT(bad, 0);
	(void)send_frame(frame, len, &m);
	CHECK(m.type == SIGN_DONE);
	CHECK_INT(m.tag, 77);
	free(frame);
	rig_end(&rig);
}

/* A frame of this type that can be read, whatever it is worth. */
static void
make(struct sign_message *m, enum sign_type type)
{
	static unsigned char	 zeros[512];

	sign_message_clear(m, type, 9);
	switch (type) {
	case SIGN_ADOPT:
		m->standing.p = (const char *)zeros;
		m->standing.len = RECEIPT_LEN;
		break;
	case SIGN_WRITE_OFF:
		m->id = text_of("w");
		m->outpoint.p = m->txid.p = m->block.p = (const char *)zeros;
		m->outpoint.len = 36;
		m->txid.len = m->block.len = 32;
		break;
	case SIGN_EPOCH:
		m->number = 2;
		m->key.p = (const char *)zeros;
		m->key.len = 32;
		break;
	case SIGN_PAY:
	case SIGN_COSIGN:
		m->psbt = text_of("psbt");
		return;
	case SIGN_LOAD:
	case SIGN_BURN:
		m->receipts.p = (const char *)zeros;
		m->receipts.len = RECEIPT_LEN;
		return;
	case SIGN_UNLOCK:
		m->secret = text_of("wrong");
		return;
	case SIGN_SETTINGS:
		m->body = text_of("nonsense");
		return;
	case SIGN_RESUME:
	case SIGN_REARM:
		break;
	case SIGN_STATUS:
	case SIGN_DESCRIPTORS:
	case SIGN_HALT:
	case SIGN_SIGNED:
	case SIGN_LOCK:
	case SIGN_DONE:
	case SIGN_REFUSED:
		return;
	}
	m->approvals.p = (const char *)zeros;
	m->approvals.len = SIGN_APPROVAL_LEN;
}

/* What is asked of one that is locked, broken, put back, halted. */
static const struct {
	enum sign_type		 type;
	enum sign_refusal	 locked, broken, behind, halted;
} states[] = {
	{ SIGN_STATUS, 0, 0, 0, 0 },
	{ SIGN_DESCRIPTORS, SIGN_REFUSE_LOCKED, 0, 0, 0 },
	{ SIGN_RESUME, SIGN_REFUSE_LOCKED, SIGN_REFUSE_STORE,
	    SIGN_REFUSE_BEHIND, SIGN_REFUSE_APPROVAL_BAD },
	{ SIGN_PAY, SIGN_REFUSE_LOCKED, SIGN_REFUSE_STORE,
	    SIGN_REFUSE_BEHIND, SIGN_REFUSE_HALTED },
	{ SIGN_LOAD, SIGN_REFUSE_LOCKED, SIGN_REFUSE_STORE,
	    SIGN_REFUSE_BEHIND, SIGN_REFUSE_HALTED },
	{ SIGN_COSIGN, SIGN_REFUSE_LOCKED, SIGN_REFUSE_STORE,
	    SIGN_REFUSE_BEHIND, SIGN_REFUSE_HALTED },
	{ SIGN_BURN, SIGN_REFUSE_LOCKED, SIGN_REFUSE_STORE,
	    SIGN_REFUSE_BEHIND, SIGN_REFUSE_FORKED },
	{ SIGN_WRITE_OFF, SIGN_REFUSE_LOCKED, SIGN_REFUSE_STORE,
	    SIGN_REFUSE_BEHIND, SIGN_REFUSE_NO_CONFLICT },
	{ SIGN_SIGNED, SIGN_REFUSE_LOCKED, 0, 0, 0 },
	{ SIGN_EPOCH, SIGN_REFUSE_LOCKED, SIGN_REFUSE_STORE,
	    SIGN_REFUSE_BEHIND, SIGN_REFUSE_APPROVAL_BAD },
	{ SIGN_ADOPT, SIGN_REFUSE_LOCKED, SIGN_REFUSE_STORE,
	    SIGN_REFUSE_BEHIND, SIGN_REFUSE_RECEIPT_BAD },
	{ SIGN_REARM, SIGN_REFUSE_LOCKED, SIGN_REFUSE_STORE,
	    SIGN_REFUSE_BEHIND, SIGN_REFUSE_APPROVAL_BAD },
	{ SIGN_SETTINGS, SIGN_REFUSE_LOCKED, SIGN_REFUSE_STORE,
	    SIGN_REFUSE_BEHIND, SIGN_REFUSE_SETTINGS },
	{ SIGN_HALT, 0, SIGN_REFUSE_STORE, 0, 0 },
};
#define STATES	(sizeof(states) / sizeof(states[0]))

static void
test_states(void)
{
	struct sign_message	 m;
	size_t			 i;

	check_case("what is asked, in which state");
	rig_new(&rig, SIGN_WPKH);
	ASKS_DONE(&rig, asks_halt(&rig, "once"));
	for (i = 0; i < STATES; i++) {
		make(&m, states[i].type);
		ASKS_NOT(&rig, rig_ask(&rig, &m, true), states[i].halted);
	}
	rig.s->behind = true;
	for (i = 0; i < STATES; i++) {
		make(&m, states[i].type);
		ASKS_NOT(&rig, rig_ask(&rig, &m, true), states[i].behind);
	}
	rig.s->behind = false;
	rig.s->broken = true;
	for (i = 0; i < STATES; i++) {
		make(&m, states[i].type);
		if (states[i].type == SIGN_HALT)
			m.reason = text_of("another");
		ASKS_NOT(&rig, rig_ask(&rig, &m, true), states[i].broken);
		/* Nobody knows which record is the newest. */
		CHECK(rig.answer.head.p == NULL);
	}
	rig.s->broken = false;
	make(&m, SIGN_UNLOCK);
	ASKS_DONE(&rig, rig_ask(&rig, &m, true));
	ASKS_DONE(&rig, asks_plain(&rig, SIGN_LOCK));
	for (i = 0; i < STATES; i++) {
		make(&m, states[i].type);
		ASKS_NOT(&rig, rig_ask(&rig, &m, true), states[i].locked);
		CHECK(rig.answer.head.p == NULL);
	}
	make(&m, SIGN_UNLOCK);
	ASKS_NOT(&rig, rig_ask(&rig, &m, true), SIGN_REFUSE_PASSPHRASE);
	rig_end(&rig);
}

static void
test_pipes(void)
{
	static const enum sign_type	 his[] = { SIGN_UNLOCK, SIGN_LOCK,
		SIGN_REARM, SIGN_SETTINGS };
	struct sign_message		 m;
	size_t				 i;

	check_case("what only the custodian's pipe may say");
	rig_new(&rig, SIGN_WPKH);
	for (i = 0; i < 4; i++) {
		make(&m, his[i]);
		ASKS_NOT(&rig, rig_ask(&rig, &m, false),
		    SIGN_REFUSE_PERMISSION);
		CHECK(rig.s->journal != NULL);
	}
	/* Answers are nobody's requests. */
	make(&m, SIGN_DONE);
	ASKS_NOT(&rig, rig_ask(&rig, &m, true), SIGN_REFUSE_PERMISSION);
	make(&m, SIGN_REFUSED);
	m.refusal = SIGN_REFUSE_FEE;
	ASKS_NOT(&rig, rig_ask(&rig, &m, true), SIGN_REFUSE_PERMISSION);
	rig_end(&rig);
}

/* ---- memory ---- */

/* A journal's record may be there and the answer not: asked again, it is the
 * same transaction, counted once. */
static void
test_memory(void)
{
	unsigned char		*frame;
	struct sign_message	 m;
	size_t			 len, failed = 0, i;
	unsigned long		 k;
	bool			 again;

	check_case("every allocation of a payment fails in turn");
	rig_new(&rig, SIGN_TR);
	asks_one(&rig, &tx, "w-0", 1, SAT_PER_BTC, 1);
	RIG_SIGNS(&rig, &tx);
	asks_one(&rig, &tx, "w-1", 2, SAT_PER_BTC, 1);
	/* So many inputs that the answer needs a larger buffer. */
	for (i = 0; i < 30; i++) {
		(void)rig_spend(&rig, &tx, 0, 1, 1000);
		tx.out[1].amount_sat += 1000;
	}
	for (k = 1, again = true; again; k++) {
		frame = pay_frame(&tx, &len);
		hostile_fail(k);
		(void)send_frame(frame, len, &m);
		again = hostile_end();
		free(frame);
		if (m.head.p != NULL)
			memcpy(rig.known, m.head.p, SIGN_HEAD_LEN);
		if (m.type == SIGN_DONE)
			CHECK(rig_psbt != NULL && m.psbt.p != NULL);
		else {
			failed++;
			CHECK(!rig.s->broken);
		}
	}
	CHECK(m.type == SIGN_DONE);
	CHECK(failed > 10);
	CHECK(rig.s->answer_room > 8192);
	/* Two payments and two fees, whatever happened in between. */
	CHECK_INT(rig.s->windows.short_sat, 2 * (SAT_PER_BTC +
	    RIG_FEE_SAT));
	ASKS_SAME(&rig);
	rig_end(&rig);
}

/* One frame, sent until nothing more fails; whatever the first that did come
 * through did, the state is one that a start has as well. */
static void
fail_in_turn(const struct sign_message *m, bool custodian)
{
	unsigned char	*frame = malloc(sign_message_room(m));
	struct text	 t = { (const char *)frame, 0 };
	unsigned long	 k;

	t.len = sign_message_pack(m, frame);
	for (k = 1; k < 5000; k++) {
		hostile_fail(k);
		(void)signer_take(rig.s, t, custodian, &rig.now);
		if (!hostile_end())
			break;
		CHECK(!rig.s->broken);
		/* The look-ups of new settings are many. */
		if (k > 20)
			k += 200;
	}
	CHECK(k < 5000);
	free(frame);
	(void)asks_plain(&rig, SIGN_STATUS);
}

static void
test_memory_done(void)
{
	unsigned char		 standing[RECEIPT_LEN], bytes[RECEIPT_LEN];
	static char		 text[SIGN_SETTINGS_MAX];
	struct sign_settings	 next;
	struct sign_statement	 st;
	struct asks_list	 l = { .n = 0 };
	struct sign_message	 m;
	struct receipt		 rc;

	check_case("every allocation of a burn, a load, of settings fails in "
	    "turn");
	rig_new(&rig, SIGN_WSH);
	asks_one(&rig, &tx, "w-1", 1, SAT_PER_BTC, 1);
	(void)asks_plain(&rig, SIGN_STATUS);
	rig_standing(&rig, standing);
	sign_message_clear(&m, SIGN_LOAD, 3);
	asks_known(&rig, &m);
	m.standing.p = (const char *)standing;
	m.receipts.p = (const char *)tx.receipts;
	m.standing.len = m.receipts.len = RECEIPT_LEN;
	fail_in_turn(&m, false);
	CHECK_INT(rig.s->n_loaded, 1);

	RIG_MUST(receipt_unpack(&rc, tx.receipts[0], &rig_e));
	rc.purpose = RECEIPT_BURN;
	rig_receipt_sign(&rig, &rc, bytes);
	sign_message_clear(&m, SIGN_BURN, 3);
	asks_known(&rig, &m);
	m.receipts.p = (const char *)bytes;
	m.receipts.len = RECEIPT_LEN;
	fail_in_turn(&m, false);
	CHECK_INT(rig.s->free_records, 1);

	next = rig.s->now;
	next.fee_max_sat--;
	asks_statement(&rig, &st, SIGN_FOR_SETTINGS, rig.s->settings_seq);
	sign_settings_hash(st.hash, &next);
	sign_settings_hash(st.replaces, &rig.s->now);
	asks_approve(&rig, &l, CAROL, &st);
	sign_message_clear(&m, SIGN_SETTINGS, 3);
	asks_give(&m, &l);
	m.body.p = text;
	m.body.len = sign_settings_print(&next, text, sizeof(text));
	fail_in_turn(&m, true);
	CHECK_INT(rig.s->settings.fee_max_sat, next.fee_max_sat);
	ASKS_SAME(&rig);
	rig_end(&rig);
}

static void
test_memory_rest(void)
{
	unsigned char		 frame[1024];
	struct sign_message	 m;
	unsigned long		 k;
	size_t			 i, len;
	enum rc			 rc;

	check_case("every allocation of other requests fails in turn");
	rig_new(&rig, SIGN_WPKH);
	asks_one(&rig, &tx, "w-0", 1, SAT_PER_BTC, 1);
	RIG_SIGNS(&rig, &tx);
	for (i = 0; i < STATES; i++) {
		if (states[i].type == SIGN_HALT)
			continue;
		make(&m, states[i].type);
		CHECK(sign_message_room(&m) <= sizeof(frame));
		len = sign_message_pack(&m, frame);
		for (k = 1;; k++) {
			struct text	 t = { (const char *)frame, len };

			hostile_fail(k);
			(void)signer_take(rig.s, t, true, &rig.now);
			if (!hostile_end())
				break;
			if (!CHECK(k < 100))
				break;
		}
	}
	CHECK(!rig.s->broken);
	ASKS_SAME(&rig);
	/* A start without memory leaves it locked, and is not the last. */
	for (k = 1;; k++) {
		ASKS_DONE(&rig, asks_plain(&rig, SIGN_LOCK));
		hostile_fail(k);
		rc = signer_unlock(rig.s, text_of(RIG_PASSPHRASE),
		    &rig.now, &rig_e);
		if (!hostile_end())
			break;
		CHECK(rc != RC_OK);
		CHECK(rig.s->journal == NULL && rig.s->keys == NULL);
		/* The look-ups alone are hundreds. */
		if (k > 12)
			k += 40;
		if (!CHECK(k < 20000))
			break;
	}
	CHECK(rig.s->journal != NULL);
	rig_end(&rig);
}

/* ---- a disk that fails ---- */

static void
test_disk(void)
{
	static const enum fault_how	 hows[] = { FAULT_FAILS, FAULT_FULL };
	enum sign_refusal		 why;
	unsigned			 at, reached = 0;
	char				 id[16];
	size_t				 i, n = 0;

	check_case("a disk that fails: nothing is signed, until a start");
	rig_new(&rig, SIGN_WPKH);
	for (i = 0; i < 2; i++) {
		/* Full: only writes are. */
		for (at = 1; at < (i == 0 ? 8u : 2u); at++) {
			(void)snprintf(id, sizeof(id), "w-%zu", n++);
			asks_one(&rig, &tx, id, 1, 10000, 1);
			fault_set(at, hows[i], EIO);
			why = rig_sign(&rig, &tx);
			if (!fault_end()) {
				CHECK(why == SIGN_REFUSE_NONE);
				break;
			}
			reached++;
			CHECK(why == SIGN_REFUSE_STORE);
			CHECK(rig.answer.psbt.p == NULL);
			CHECK(rig.answer.head.p == NULL);
			/* The disk is well again: too late. */
			RIG_REFUSES(&rig, &tx, SIGN_REFUSE_STORE);
			ASKS_NOT(&rig, asks_halt(&rig, "x"),
			    SIGN_REFUSE_STORE);
			rig_restart(&rig);
			RIG_SIGNS(&rig, &tx);
			CHECK_INT(rig.s->windows.short_sat,
			    (int64_t)n * (10000 + RIG_FEE_SAT));
		}
	}
	CHECK(reached >= 2);
	ASKS_SAME(&rig);
	rig_end(&rig);
}

static void
test_disk_locked(void)
{
	check_case("a disk that fails while it is locked");
	rig_new(&rig, SIGN_WPKH);
	ASKS_DONE(&rig, asks_plain(&rig, SIGN_LOCK));
	fault_set(1, FAULT_FAILS, EIO);
	ASKS_NOT(&rig, asks_halt(&rig, "x"), SIGN_REFUSE_STORE);
	CHECK(fault_end());
	CHECK(!rig.s->halted_locked);
	rig_end(&rig);
}

/* ---- time, and what it tells ---- */

/* Who owns the engine burns and halts as much as he likes. */
static void
test_flood(void)
{
	uint64_t	 seq;

	check_case("a flood of burns and of halts fills no disk");
	rig_new(&rig, SIGN_WPKH);
	ASKS_DONE(&rig, asks_burn_id(&rig, "b-1", 1, 5000, 101));
	ASKS_DONE(&rig, asks_halt(&rig, "one"));
	CHECK_INT(rig.s->free_records, 2);
	ASKS_SAME(&rig);
	CHECK_INT(rig.s->free_records, 2);
	/* As if there had been so many. */
	rig.s->free_records = FREE_RECORDS;
	ASKS_NOT(&rig, asks_burn_id(&rig, "b-2", 1, 5000, 102),
	    SIGN_REFUSE_TOO_MANY);
	/* What is burned is told all the same. */
	ASKS_DONE(&rig, asks_burn_id(&rig, "b-1", 1, 5000, 101));
	seq = journal_seq(rig.s->journal);
	ASKS_DONE(&rig, asks_halt(&rig, "two"));
	CHECK_INT(journal_seq(rig.s->journal), seq);
	ASKS_DONE(&rig, asks_resume(&rig, rig.s->halted_seq, ALICE | BOB));
	/* A halt of what runs is never refused. */
	ASKS_DONE(&rig, asks_halt(&rig, "three"));
	CHECK(rig.s->halted_seq > seq);
	/* One a second. */
	rig.now.boot_ms += 1999;
	ASKS_NOT(&rig, asks_burn_id(&rig, "b-2", 1, 5000, 102),
	    SIGN_REFUSE_TOO_MANY);
	rig.now.boot_ms += 1;
	ASKS_DONE(&rig, asks_burn_id(&rig, "b-2", 1, 5000, 102));
	ASKS_NOT(&rig, asks_burn_id(&rig, "b-3", 1, 5000, 103),
	    SIGN_REFUSE_TOO_MANY);
	rig_end(&rig);
}

static void
test_tick(void)
{
	uint64_t	 seq;

	check_case("C3: how long it ran is written down every ten minutes");
	rig_new(&rig, SIGN_WPKH);
	seq = journal_seq(rig.s->journal);
	rig.now.boot_ms += 599999;
	signer_tick(rig.s, &rig.now);
	CHECK_INT(journal_seq(rig.s->journal), seq);
	rig.now.boot_ms += 1;
	signer_tick(rig.s, &rig.now);
	CHECK_INT(journal_seq(rig.s->journal), seq + 1);
	signer_tick(rig.s, &rig.now);
	CHECK_INT(journal_seq(rig.s->journal), seq + 1);
	/* A start loses what came since. */
	rig.now.boot_ms += 300000;
	CHECK_INT(signer_running_ms(rig.s, &rig.now), 900000);
	rig_restart(&rig);
	CHECK_INT(signer_running_ms(rig.s, &rig.now), 600000);
	/* The machine's clock begins anew. */
	rig.now.boot_ms = 5;
	rig_restart(&rig);
	rig.now.boot_ms = 105;
	CHECK_INT(signer_running_ms(rig.s, &rig.now), 600100);
	/* It does not go back, and if it does, no time is lost or won. */
	rig.now.boot_ms = 0;
	CHECK_INT(signer_running_ms(rig.s, &rig.now), 600000);
	/* Not while it is locked; then at once, when it is unlocked. */
	ASKS_DONE(&rig, asks_plain(&rig, SIGN_LOCK));
	rig.now.boot_ms += 700000;
	signer_tick(rig.s, &rig.now);
	RIG_MUST(signer_unlock(rig.s, text_of(RIG_PASSPHRASE), &rig.now,
	    &rig_e));
	seq = journal_seq(rig.s->journal);
	signer_tick(rig.s, &rig.now);
	CHECK_INT(journal_seq(rig.s->journal), seq + 1);
	ASKS_SAME(&rig);
	rig_end(&rig);
}

static const char	 status_names[] =
	"version locked halted behind journal-failed signer public-key "
	"deployment network epoch engine quorum sequence journal "
	"signed-sequence height height-limit running engine-sequence floor "
	"loaded per-transaction short-spent short-max short-blocks armed "
	"armed-sequence armed-height armed-running rearm-waits long-spent "
	"long-max long-blocks fee-max approve-above settings-sequence "
	"settings settings-wait ";

static void
test_status(void)
{
	char		 names[2048] = "", value[512];
	const char	*p, *end;
	size_t		 n = 0;

	check_case("the status' lines are in their order");
	rig_new(&rig, SIGN_WPKH);
	asks_one(&rig, &tx, "w-1", 1, SAT_PER_BTC, 3);
	RIG_SIGNS(&rig, &tx);
	ASKS_DONE(&rig, asks_plain(&rig, SIGN_STATUS));
	p = rig.answer.body.p;
	end = p + rig.answer.body.len;
	while (p < end) {
		for (; *p != ' ' && *p != '\n'; p++)
			names[n++] = *p;
		names[n++] = ' ';
		p = (const char *)memchr(p, '\n', (size_t)(end - p)) + 1;
	}
	CHECK_STR(names, status_names);
	CHECK_STR(asks_status(&rig, "height", value), "3");
	CHECK_STR(asks_status(&rig, "short-spent", value), "100002000");
	CHECK_STR(asks_status(&rig, "network", value), "regtest");
	CHECK_STR(asks_status(&rig, "sequence", value), "2");
	rig_end(&rig);
}

/* Entries from here on, at most so many. */
static size_t
entries(uint64_t after, struct sign_entry *out, size_t room)
{
	struct sign_message	 m;
	size_t			 n, i;

	sign_message_clear(&m, SIGN_SIGNED, 1);
	m.number = after;
	ASKS_DONE(&rig, rig_ask(&rig, &m, false));
	n = rig.answer.body.len / SIGN_ENTRY_LEN;
	CHECK_INT(rig.answer.body.len % SIGN_ENTRY_LEN, 0);
	for (i = 0; i < n && i < room; i++)
		RIG_MUST(sign_entry_unpack(&out[i], (const unsigned char *)
		    rig.answer.body.p + i * SIGN_ENTRY_LEN, &rig_e));
	return n;
}

static void
test_signed(void)
{
	struct sign_entry	 e[8];
	struct receipt		 rc;
	struct text		 line;

	check_case("C5: what was signed is told from any record on");
	rig_new(&rig, SIGN_WPKH);
	CHECK_INT(entries(0, e, 8), 0);
	asks_one(&rig, &tx, "w-1", 1, SAT_PER_BTC, 1);
	rig_pay(&rig, &tx, "w-2", 2, 50000);
	tx.out[1].amount_sat -= 50000;
	RIG_SIGNS(&rig, &tx);
	RIG_MUST(receipt_unpack(&rc, tx.receipts[1], &rig_e));
	asks_one(&rig, &tx, "w-3", 1, SAT_PER_BTC, 1);
	RIG_SIGNS(&rig, &tx);
	CHECK_INT(entries(0, e, 8), 3);
	CHECK(text_equal(e[0].id, text_of("w-1")));
	CHECK(text_equal(e[1].id, text_of("w-2")));
	CHECK_INT(e[1].amount_sat, 50000);
	CHECK_INT(e[1].receipt_seq, rc.seq);
	CHECK(memcmp(e[0].txid, e[1].txid, 32) == 0);
	CHECK(memcmp(e[0].txid, e[2].txid, 32) != 0);
	CHECK_INT(entries(e[1].seq, e, 8), 1);
	CHECK(text_equal(e[0].id, text_of("w-3")));
	CHECK_INT(entries(e[0].seq, e, 8), 0);
	ASKS_SAME(&rig);
	CHECK_INT(entries(0, e, 8), 3);

	check_case("descriptors, a line each");
	ASKS_DONE(&rig, asks_plain(&rig, SIGN_DESCRIPTORS));
	line = rig.answer.body;
	CHECK(line.len > 20 && memcmp(line.p, "wpkh([", 6) == 0);
	CHECK(line.p[line.len - 1] == '\n');
	CHECK(memchr(line.p, '\n', line.len - 1) != NULL);
	rig_end(&rig);
}

/* More than fit into one answer: whole records, and the rest behind them. */
static void
test_signed_many(void)
{
	static struct sign_entry e[SIGN_ENTRIES_MAX];
	const size_t		 each = RIG_OUT_MAX - 1;
	const size_t		 fit = SIGN_ENTRIES_MAX / each;
	char			 id[24];
	size_t			 i, k;

	check_case("C5: more than one answer holds, in whole records");
	rig_new(&rig, SIGN_TR);
	for (i = 0; i < fit + 2; i++) {
		rig_tx_begin(&tx);
		tx.locktime = 1;
		(void)rig_spend(&rig, &tx, 0, 0, SAT_PER_BTC);
		for (k = 0; k < each; k++) {
			(void)snprintf(id, sizeof(id), "w-%zu-%zu", i, k);
			rig_pay(&rig, &tx, id, k, 1000);
		}
		rig_change(&rig, &tx, 1, 0, SAT_PER_BTC -
		    (int64_t)each * 1000 - 10 * RIG_FEE_SAT);
		RIG_SIGNS(&rig, &tx);
	}
	CHECK_INT(entries(0, e, SIGN_ENTRIES_MAX), fit * each);
	CHECK(text_equal(e[fit * each - 1].id, text_of("w-64-62")));
	CHECK_INT(entries(e[fit * each - 1].seq, e, SIGN_ENTRIES_MAX),
	    2 * each);
	CHECK(text_equal(e[0].id, text_of("w-65-0")));
	CHECK_INT(entries(e[2 * each - 1].seq, e, SIGN_ENTRIES_MAX), 0);
	rig_end(&rig);
}

int
main(void)
{
	test_frames();
	test_states();
	test_pipes();
	test_memory();
	test_memory_done();
	test_memory_rest();
	test_disk();
	test_disk_locked();
	test_flood();
	test_tick();
	test_status();
	test_signed();
	test_signed_many();
	return check_done();
}
