/*
 * Its journal cut, rolled back, restored from yesterday, lost: it refuses or
 * counts everything as spent, never less (C4); burns and write-offs (C1, C6),
 * before and after a recovery.
 */
#define _GNU_SOURCE
#include "signer/test/asks.h"

static struct rig	 rig;
static struct rig_tx	 tx;

static unsigned char *
journal_bytes(size_t *len)
{
	unsigned char	*bytes;

	*len = (size_t)lseek(rig.journal_fd, 0, SEEK_END);
	bytes = malloc(*len);
	if (pread(rig.journal_fd, bytes, *len, 0) != (ssize_t)*len)
		exit(1);
	return bytes;
}

/* The signer starts on this disk. */
static void
start_on(const unsigned char *bytes, size_t len)
{
	signer_free(&rig.s);
	if (ftruncate(rig.journal_fd, 0) != 0 ||
	    pwrite(rig.journal_fd, bytes, len, 0) != (ssize_t)len)
		exit(1);
	rig_start(&rig);
}

static void
forget_head(void)
{
	rig.has_known = false;
	(void)asks_plain(&rig, SIGN_STATUS);
}

static void
test_yesterday(void)
{
	unsigned char	*yesterday, *today, newest[SIGN_HEAD_LEN];
	size_t		 yesterday_len, today_len;
	char		 value[512];

	check_case("C4: on yesterday's disk the newest head stops it for "
	    "good");
	rig_new(&rig, SIGN_WPKH);
	asks_one(&rig, &tx, "w-1", 1, SAT_PER_BTC, 1);
	RIG_SIGNS(&rig, &tx);
	yesterday = journal_bytes(&yesterday_len);
	asks_one(&rig, &tx, "w-2", 2, SAT_PER_BTC, 1);
	RIG_SIGNS(&rig, &tx);
	today = journal_bytes(&today_len);
	memcpy(newest, rig.known, sizeof(newest));
	CHECK(today_len > yesterday_len);

	start_on(yesterday, yesterday_len);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_BEHIND);
	/* What it says of itself is no head to be shown to the right one. */
	CHECK(rig.answer.head.p == NULL);
	/* Whatever head comes now, and after a start. */
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_BEHIND);
	rig.has_known = false;
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_BEHIND);
	ASKS_SAME(&rig);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_BEHIND);
	CHECK_STR(asks_status(&rig, "behind", value), "yes");
	ASKS_NOT(&rig, asks_resume(&rig, 0, ALICE | BOB),
	    SIGN_REFUSE_BEHIND);
	ASKS_NOT(&rig, asks_rearm(&rig, 1, CAROL), SIGN_REFUSE_BEHIND);
	ASKS_NOT(&rig, asks_burn_id(&rig, "w-9", 1, 5000, 1),
	    SIGN_REFUSE_BEHIND);
	ASKS_NOT(&rig, asks_adopt(&rig, 1, ALICE | BOB),
	    SIGN_REFUSE_BEHIND);
	/* Stopping and looking still work. */
	ASKS_DONE(&rig, asks_halt(&rig, "stop"));
	ASKS_DONE(&rig, asks_plain(&rig, SIGN_DESCRIPTORS));
	ASKS_DONE(&rig, asks_plain(&rig, SIGN_SIGNED));

	/* Today's disk is found after all. */
	start_on(today, today_len);
	memcpy(rig.known, newest, sizeof(newest));
	rig.has_known = true;
	asks_one(&rig, &tx, "w-3", 3, SAT_PER_BTC, 1);
	RIG_SIGNS(&rig, &tx);
	rig_end(&rig);
	free(yesterday);
	free(today);
}

static void
test_heads(void)
{
	unsigned char	 old[SIGN_HEAD_LEN], good[SIGN_HEAD_LEN];
	size_t		 i;

	check_case("C4: which heads are taken");
	rig_new(&rig, SIGN_TR);
	/* Nobody can know one yet. */
	asks_one(&rig, &tx, "w-0", 1, SAT_PER_BTC, 1);
	rig.has_known = false;
	RIG_SIGNS(&rig, &tx);
	memcpy(old, rig.known, sizeof(old));
	asks_one(&rig, &tx, "w-1", 1, SAT_PER_BTC, 1);
	rig.has_known = false;
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_FORKED);
	memcpy(rig.known, old, sizeof(old));
	RIG_SIGNS(&rig, &tx);
	memcpy(good, rig.known, sizeof(good));
	/* An older one of this journal says nothing against it. */
	memcpy(rig.known, old, sizeof(old));
	asks_one(&rig, &tx, "w-2", 1, SAT_PER_BTC, 1);
	RIG_SIGNS(&rig, &tx);
	/* A bit of it turned: nobody's word. */
	for (i = 0; i < SIGN_HEAD_LEN; i++) {
		memcpy(rig.known, good, sizeof(good));
		rig.known[i] ^= 1;
		asks_one(&rig, &tx, "w-3", 1, SAT_PER_BTC, 1);
		RIG_REFUSES(&rig, &tx, SIGN_REFUSE_FORKED);
	}
	CHECK(!rig.s->behind);
	memcpy(rig.known, good, sizeof(good));
	RIG_SIGNS(&rig, &tx);
	rig_end(&rig);
}

/* Two signers of one seed went on from the same disk. */
static void
test_two_live(void)
{
	unsigned char	*first, theirs[SIGN_HEAD_LEN];
	size_t		 len;

	check_case("C4: a second signer of the same seed is found out");
	rig_new(&rig, SIGN_WPKH);
	asks_one(&rig, &tx, "w-1", 1, SAT_PER_BTC, 1);
	RIG_SIGNS(&rig, &tx);
	first = journal_bytes(&len);
	asks_one(&rig, &tx, "w-2", 2, SAT_PER_BTC, 1);
	RIG_SIGNS(&rig, &tx);
	memcpy(theirs, rig.known, sizeof(theirs));
	start_on(first, len);
	forget_head();
	asks_one(&rig, &tx, "w-3", 3, SAT_PER_BTC, 1);
	RIG_SIGNS(&rig, &tx);
	asks_one(&rig, &tx, "w-4", 3, SAT_PER_BTC, 1);
	RIG_SIGNS(&rig, &tx);
	memcpy(rig.known, theirs, sizeof(theirs));
	asks_one(&rig, &tx, "w-5", 3, SAT_PER_BTC, 1);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_FORKED);
	/* It cannot know what the other one signed: never again. */
	forget_head();
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_BEHIND);
	ASKS_SAME(&rig);
	rig_end(&rig);
	free(first);
}

/* Every cut of the file: either a start fails, or it is an older journal and
 * the newest head says so. */
static void
test_cut(void)
{
	unsigned char	*whole, newest[SIGN_HEAD_LEN];
	size_t		 len, first, at, failed = 0, behind = 0;
	enum sign_refusal why;

	check_case("C4: cut anywhere");
	rig_new(&rig, SIGN_WPKH);
	first = (size_t)lseek(rig.journal_fd, 0, SEEK_END);
	asks_one(&rig, &tx, "w-1", 1, SAT_PER_BTC, 1);
	RIG_SIGNS(&rig, &tx);
	ASKS_DONE(&rig, asks_halt(&rig, "why"));
	ASKS_DONE(&rig, asks_resume(&rig, rig.answer.number, ALICE | BOB));
	memcpy(newest, rig.known, sizeof(newest));
	whole = journal_bytes(&len);
	for (at = 0; at < len; at += at < first ? 97 : 23) {
		signer_free(&rig.s);
		if (ftruncate(rig.journal_fd, 0) != 0 ||
		    pwrite(rig.journal_fd, whole, at, 0) != (ssize_t)at)
			exit(1);
		if (signer_new(&rig.s, rig.journal_fd, rig.seed_fd, &rig.now,
		    &rig_e) != RC_OK || signer_unlock(rig.s,
		    text_of(RIG_PASSPHRASE), &rig.now, &rig_e) != RC_OK) {
			CHECK(at < first);
			failed++;
			continue;
		}
		memcpy(rig.known, newest, sizeof(newest));
		rig.has_known = true;
		why = rig_sign(&rig, &tx);
		if (!CHECK(why == SIGN_REFUSE_BEHIND))
			printf("#   cut at %zu: %s\n", at,
			    sign_refusal_text(why));
		behind++;
	}
	CHECK(failed > 0 && behind > 0);
	rig_end(&rig);
	free(whole);
}

/* A new journal for the same seed. */
static void
recover(uint64_t floor, uint64_t first_seq)
{
	signer_free(&rig.s);
	(void)close(rig.journal_fd);
	rig.journal_fd = memfd_create("journal", 0);
	RIG_MUST(signer_recover(rig.seed_fd, rig.journal_fd,
	    text_of(RIG_PASSPHRASE), &rig.set, 5, floor, first_seq, &rig_e));
	rig_start(&rig);
	forget_head();
}

static void
test_recover(void)
{
	unsigned char	 old_head[SIGN_HEAD_LEN], by[32];
	struct rig_tx	 paid, unseen;
	struct outpoint	 coin;
	uint64_t	 armed;
	char		 value[512];

	check_case("C4: recovered, all is spent, and nothing at or below the "
	    "floor is signed");
	rig_new(&rig, SIGN_WPKH);
	armed = rig.s->windows.armed_seq;
	asks_one(&rig, &paid, "w-1", 1, SAT_PER_BTC, 1);
	RIG_SIGNS(&rig, &paid);
	memcpy(old_head, rig.known, sizeof(old_head));
	asks_one(&rig, &unseen, "w-2", 2, SAT_PER_BTC, 5);

	recover(rig.engine_seq, 1000);
	ASKS_SAME(&rig);
	CHECK_INT(rig.s->floor, rig.engine_seq);
	CHECK_INT(rig.s->windows.short_sat, rig.set.short_max_sat);
	CHECK_STR(asks_status(&rig, "armed", value), "no");
	CHECK_INT(rig.s->windows.armed_seq, 1000);
	/* Even where somebody re-arms it: with an approval of today's. */
	asks_one(&rig, &tx, "w-3", 2, SAT_PER_BTC, 5);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_UNARMED);
	ASKS_NOT(&rig, asks_rearm(&rig, armed, CAROL),
	    SIGN_REFUSE_APPROVAL_BAD);
	ASKS_DONE(&rig, asks_rearm(&rig, rig.s->windows.armed_seq, CAROL));
	ASKS_SAME(&rig);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_CEILING_SHORT);
	/* A whole short window later. */
	asks_one(&rig, &tx, "w-3", 2, SAT_PER_BTC,
	    5 + rig.set.short_blocks);
	RIG_SIGNS(&rig, &tx);
	ASKS_SAME(&rig);

	paid.locktime = unseen.locktime = 5 + rig.set.short_blocks;
	RIG_REFUSES(&rig, &paid, SIGN_REFUSE_ID_FLOOR);
	RIG_REFUSES(&rig, &unseen, SIGN_REFUSE_ID_FLOOR);
	/* Nor may it be burned: the lost journal may have signed it. */
	ASKS_NOT(&rig, asks_burn_id(&rig, "w-1", 1, SAT_PER_BTC,
	    rig.s->floor), SIGN_REFUSE_ID_FLOOR);
	ASKS_DONE(&rig, asks_burn_id(&rig, "w-8", 1, SAT_PER_BTC,
	    rig.s->floor + 1));
	/* Only after people saw that it cannot confirm. */
	coin = unseen.in[0].prev;
	rig_hash(by, "other", 1);
	ASKS_NOT(&rig, asks_write_off(&rig, "w-2", &coin, by, ALICE),
	    SIGN_REFUSE_APPROVALS);
	ASKS_DONE(&rig, asks_write_off(&rig, "w-2", &coin, by, ALICE | BOB));
	ASKS_SAME(&rig);
	RIG_SIGNS(&rig, &unseen);
	RIG_REFUSES(&rig, &paid, SIGN_REFUSE_ID_FLOOR);

	/* A head of the lost journal is not newer, and no proof of anything:
	 * whoever has it must ask for the new one. */
	memcpy(rig.known, old_head, sizeof(old_head));
	asks_one(&rig, &tx, "w-5", 2, SAT_PER_BTC, 5 + rig.set.short_blocks);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_FORKED);
	CHECK(!rig.s->behind);
	forget_head();
	RIG_SIGNS(&rig, &tx);
	rig_end(&rig);
}

static void
test_burn(void)
{
	unsigned char		 word[SIGN_BURNED_LEN];
	struct sign_burned	 b;
	struct sign_message	 m;
	struct rig_tx		 first;
	uint64_t		 seq;

	check_case("C1: burned is never signed, and signed is never burned");
	rig_new(&rig, SIGN_WPKH);
	asks_one(&rig, &tx, "w-1", 1, SAT_PER_BTC, 1);
	first = tx;
	RIG_SIGNS(&rig, &tx);
	ASKS_NOT(&rig, asks_burn_id(&rig, "w-1", 1, SAT_PER_BTC,
	    rig.engine_seq), SIGN_REFUSE_ID_SIGNED);
	/* The reason names the transaction: 64 digits of it. */
	CHECK(rig.answer.reason.len > 64);
	ASKS_DONE(&rig, asks_burn_id(&rig, "w-2", 2, SAT_PER_BTC,
	    rig.engine_seq + 1));
	CHECK_INT(rig.answer.body.len, SIGN_BURNED_LEN);
	memcpy(word, rig.answer.body.p, SIGN_BURNED_LEN);
	CHECK(sign_burned_verify(word, keys_signing_public(rig.s->keys)));
	RIG_MUST(sign_burned_unpack(&b, word, &rig_e));
	CHECK(text_equal(b.id, text_of("w-2")));
	CHECK_INT(b.t_ms, rig.now.now_ms);
	ASKS_SAME(&rig);
	asks_one(&rig, &tx, "w-2", 2, SAT_PER_BTC, 1);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_ID_BURNED);
	/* Loaded ones too. */
	ASKS_NOT(&rig, asks_load(&rig, &tx), SIGN_REFUSE_ID_BURNED);
	/* Once more: the same answer, no record. */
	seq = journal_seq(rig.s->journal);
	ASKS_DONE(&rig, asks_burn_id(&rig, "w-2", 2, SAT_PER_BTC,
	    rig.engine_seq + 1));
	CHECK_INT(journal_seq(rig.s->journal), seq);
	ASKS_NOT(&rig, asks_burn_id(&rig, "w-2", 2, SAT_PER_BTC + 1,
	    rig.engine_seq + 1), SIGN_REFUSE_ID_CHANGED);
	/* A receipt to pay is none to burn. */
	asks_one(&rig, &tx, "w-3", 3, SAT_PER_BTC, 1);
	ASKS_NOT(&rig, asks_burn(&rig, tx.receipts[0]),
	    SIGN_REFUSE_RECEIPT_PURPOSE);
	/* One at a time. */
	sign_message_clear(&m, SIGN_BURN, 3);
	asks_known(&rig, &m);
	m.receipts.p = (const char *)first.receipts;
	m.receipts.len = (size_t)2 * RECEIPT_LEN;
	ASKS_NOT(&rig, rig_ask(&rig, &m, false), SIGN_REFUSE_MALFORMED);
	RIG_SIGNS(&rig, &first);
	rig_end(&rig);
}

static void
test_write_off(void)
{
	struct rig_tx		 first, again;
	struct outpoint		 foreign;
	unsigned char		 by[32], txid[32];
	struct psbt		*p;

	check_case("C6: written off by a quorum, and only what was signed");
	rig_new(&rig, SIGN_WPKH);
	asks_one(&rig, &first, "w-1", 1, SAT_PER_BTC, 1);
	RIG_SIGNS(&rig, &first);
	p = rig_psbt(&rig, &first);
	tx_txid(&p->tx, txid);
	psbt_free(&p);
	asks_one(&rig, &again, "w-1", 1, SAT_PER_BTC, 1);
	RIG_REFUSES(&rig, &again, SIGN_REFUSE_NO_CONFLICT);
	rig_hash(by, "other", 1);
	rig_hash(foreign.txid, "foreign", 1);
	foreign.vout = 0;
	ASKS_NOT(&rig, asks_write_off(&rig, "w-1", &foreign, by,
	    ALICE | BOB), SIGN_REFUSE_NO_CONFLICT);
	ASKS_NOT(&rig, asks_write_off(&rig, "w-9", &first.in[0].prev, by,
	    ALICE | BOB), SIGN_REFUSE_NO_CONFLICT);
	/* It was spent by the very transaction that pays it. */
	ASKS_NOT(&rig, asks_write_off(&rig, "w-1", &first.in[0].prev, txid,
	    ALICE | BOB), SIGN_REFUSE_ID_SIGNED);
	ASKS_NOT(&rig, asks_write_off(&rig, "w-1", &first.in[0].prev, by,
	    BOB), SIGN_REFUSE_APPROVALS);
	RIG_REFUSES(&rig, &again, SIGN_REFUSE_NO_CONFLICT);
	ASKS_DONE(&rig, asks_write_off(&rig, "w-1", &first.in[0].prev, by,
	    ALICE | BOB));
	ASKS_SAME(&rig);
	RIG_SIGNS(&rig, &again);
	/* What it was for stays bound. */
	asks_one(&rig, &tx, "w-1", 1, SAT_PER_BTC - 1, 1);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_ID_CHANGED);
	/* And the new one binds as the old one did. */
	asks_one(&rig, &tx, "w-1", 1, SAT_PER_BTC, 1);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_NO_CONFLICT);
	ASKS_SAME(&rig);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_NO_CONFLICT);
	rig_end(&rig);
}

/* Refunded after all of it is dead. */
static void
test_write_off_burn(void)
{
	unsigned char	 by[32];

	check_case("C6: burned when everything that carried it is written "
	    "off");
	rig_new(&rig, SIGN_TR);
	asks_one(&rig, &tx, "w-1", 1, SAT_PER_BTC, 1);
	RIG_SIGNS(&rig, &tx);
	rig_hash(by, "other", 1);
	ASKS_DONE(&rig, asks_write_off(&rig, "w-1", &tx.in[0].prev, by,
	    ALICE | BOB));
	ASKS_DONE(&rig, asks_burn_id(&rig, "w-1", 1, SAT_PER_BTC,
	    rig.engine_seq));
	ASKS_SAME(&rig);
	asks_one(&rig, &tx, "w-1", 1, SAT_PER_BTC, 1);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_ID_BURNED);
	ASKS_NOT(&rig, asks_write_off(&rig, "w-1", &tx.in[0].prev, by,
	    ALICE | BOB), SIGN_REFUSE_ID_BURNED);
	rig_end(&rig);
}

int
main(void)
{
	test_yesterday();
	test_heads();
	test_two_live();
	test_cut();
	test_recover();
	test_burn();
	test_write_off();
	test_write_off_burn();
	return check_done();
}
