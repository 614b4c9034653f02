/*
 * What operators and the custodian do: halts, resumes, periods, settings, the
 * engine's epoch and adoption (H5, H6, H7, C5); after every step the signer is
 * started again, and nothing differs.
 */
#define _GNU_SOURCE
#include "signer/test/asks.h"

static struct rig	 rig;
static struct rig_tx	 tx;

static void
test_halt(void)
{
	uint64_t	 first, second;
	char		 value[512];

	check_case("H6: a halt by anybody, a resume by the quorum that "
	    "answers it");
	rig_new(&rig, SIGN_WPKH);
	asks_one(&rig, &tx, "w-1", 1, SAT_PER_BTC, 1);
	RIG_SIGNS(&rig, &tx);
	ASKS_DONE(&rig, asks_halt(&rig, "theft"));
	first = rig.answer.number;
	CHECK(first > 0);
	ASKS_SAME(&rig);
	CHECK_STR(asks_status(&rig, "halted", value), "yes");
	CHECK_STR(asks_status(&rig, "halt-reason", value), "theft");
	asks_one(&rig, &tx, "w-2", 1, SAT_PER_BTC, 1);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_HALTED);
	/* The same reason again is the same halt. */
	ASKS_DONE(&rig, asks_halt(&rig, "theft"));
	CHECK_INT(rig.answer.number, first);

	ASKS_NOT(&rig, asks_resume(&rig, first, ALICE),
	    SIGN_REFUSE_APPROVALS);
	ASKS_NOT(&rig, asks_resume(&rig, first, 0), SIGN_REFUSE_APPROVALS);
	ASKS_NOT(&rig, asks_resume(&rig, first, ALICE | CAROL),
	    SIGN_REFUSE_APPROVAL_BAD);
	ASKS_NOT(&rig, asks_resume(&rig, first + 1, ALICE | BOB),
	    SIGN_REFUSE_APPROVAL_BAD);
	ASKS_NOT(&rig, asks_resume(&rig, 0, ALICE | BOB),
	    SIGN_REFUSE_APPROVAL_BAD);

	/* A second reason makes the consent to the first worthless. */
	ASKS_DONE(&rig, asks_halt(&rig, "and another"));
	second = rig.answer.number;
	CHECK(second > first);
	ASKS_NOT(&rig, asks_resume(&rig, first, ALICE | BOB),
	    SIGN_REFUSE_APPROVAL_BAD);
	ASKS_SAME(&rig);
	ASKS_DONE(&rig, asks_resume(&rig, second, ALICE | BOB));
	ASKS_SAME(&rig);
	CHECK_STR(asks_status(&rig, "halted", value), "no");
	RIG_SIGNS(&rig, &tx);
	ASKS_NOT(&rig, asks_resume(&rig, second, ALICE | BOB),
	    SIGN_REFUSE_HALTED);

	ASKS_DONE(&rig, asks_halt(&rig, "and another"));
	CHECK(rig.answer.number > second);
	ASKS_NOT(&rig, asks_resume(&rig, second, ALICE | BOB),
	    SIGN_REFUSE_APPROVAL_BAD);
	/* Locked, it says so still; and a halt of then is one more. */
	second = rig.s->halted_seq;
	ASKS_DONE(&rig, asks_plain(&rig, SIGN_LOCK));
	CHECK_STR(asks_status(&rig, "halted", value), "yes");
	CHECK_STR(asks_status(&rig, "halt-reason", value), "and another");
	ASKS_DONE(&rig, asks_halt(&rig, "a third"));
	CHECK(signer_unlock(rig.s, text_of("wrong"), &rig.now, &rig_e) !=
	    RC_OK);
	CHECK_STR(asks_status(&rig, "halted", value), "yes");
	RIG_MUST(signer_unlock(rig.s, text_of(RIG_PASSPHRASE), &rig.now,
	    &rig_e));
	ASKS_NOT(&rig, asks_resume(&rig, second, ALICE | BOB),
	    SIGN_REFUSE_APPROVAL_BAD);
	ASKS_DONE(&rig, asks_resume(&rig, rig.s->halted_seq, ALICE | BOB));
	ASKS_DONE(&rig, asks_plain(&rig, SIGN_LOCK));
	CHECK_STR(asks_status(&rig, "halted", value), "no");
	rig_end(&rig);
}

static void
test_halt_locked(void)
{
	uint64_t	 halt;
	char		 value[512];

	check_case("H6: a halt while locked, and after a start");
	rig_new(&rig, SIGN_WPKH);
	ASKS_DONE(&rig, asks_plain(&rig, SIGN_LOCK));
	ASKS_DONE(&rig, asks_halt(&rig, "stop\nit"));
	CHECK_STR(asks_status(&rig, "halted", value), "yes");
	CHECK_STR(asks_status(&rig, "halt-reason", value), "stop\\x0ait");
	/* Once more: nothing more to write. */
	ASKS_DONE(&rig, asks_halt(&rig, "stop it"));
	signer_free(&rig.s);
	RIG_MUST(signer_new(&rig.s, rig.journal_fd, rig.seed_fd, &rig.now,
	    &rig_e));
	CHECK_STR(asks_status(&rig, "halted", value), "yes");
	CHECK_STR(asks_status(&rig, "locked", value), "yes");
	/* A wrong passphrase forgets it not. */
	CHECK(signer_unlock(rig.s, text_of("wrong"), &rig.now, &rig_e) !=
	    RC_OK);
	CHECK_STR(asks_status(&rig, "halted", value), "yes");
	RIG_MUST(signer_unlock(rig.s, text_of(RIG_PASSPHRASE), &rig.now,
	    &rig_e));
	halt = rig.s->halted_seq;
	CHECK(halt > 0);
	CHECK(!rig.s->halted_locked);
	ASKS_SAME(&rig);
	CHECK_INT(rig.s->halted_seq, halt);
	asks_one(&rig, &tx, "w-1", 1, SAT_PER_BTC, 1);
	rig.has_known = false;
	(void)asks_plain(&rig, SIGN_STATUS);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_HALTED);
	ASKS_DONE(&rig, asks_resume(&rig, halt, ALICE | BOB));
	ASKS_SAME(&rig);
	CHECK_INT(rig.s->halted_seq, 0);
	CHECK(!rig.s->halted_locked);
	RIG_SIGNS(&rig, &tx);
	rig_end(&rig);
}

static void
test_lock(void)
{
	struct sign_message	 m;
	char			 value[512];
	int64_t			 running;

	check_case("H12: locked until somebody has the passphrase");
	rig_new(&rig, SIGN_TR);
	asks_one(&rig, &tx, "w-1", 1, SAT_PER_BTC, 1);
	RIG_SIGNS(&rig, &tx);
	rig.now.boot_ms += 5000;
	running = signer_running_ms(rig.s, &rig.now);
	CHECK_INT(running, 5000);
	ASKS_DONE(&rig, asks_plain(&rig, SIGN_LOCK));
	CHECK(rig.answer.head.p == NULL);
	CHECK(rig.s->keys == NULL && rig.s->journal == NULL);
	CHECK_STR(asks_status(&rig, "locked", value), "yes");
	CHECK_STR(asks_status(&rig, "sequence", value), "");
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_LOCKED);
	ASKS_NOT(&rig, asks_plain(&rig, SIGN_DESCRIPTORS),
	    SIGN_REFUSE_LOCKED);
	ASKS_NOT(&rig, asks_plain(&rig, SIGN_SIGNED), SIGN_REFUSE_LOCKED);
	ASKS_DONE(&rig, asks_plain(&rig, SIGN_LOCK));

	sign_message_clear(&m, SIGN_UNLOCK, 1);
	m.secret = text_of("wrong horse");
	ASKS_NOT(&rig, rig_ask(&rig, &m, true), SIGN_REFUSE_PASSPHRASE);
	m.secret = text_of(RIG_PASSPHRASE);
	ASKS_NOT(&rig, rig_ask(&rig, &m, false), SIGN_REFUSE_PERMISSION);
	/* What it ran while it was locked counts, and once. */
	rig.now.boot_ms += 700;
	ASKS_DONE(&rig, rig_ask(&rig, &m, true));
	CHECK_INT(signer_running_ms(rig.s, &rig.now), running + 700);
	ASKS_DONE(&rig, rig_ask(&rig, &m, true));
	CHECK_INT(signer_running_ms(rig.s, &rig.now), running + 700);
	ASKS_SAME(&rig);
	asks_one(&rig, &tx, "w-2", 1, SAT_PER_BTC, 1);
	RIG_SIGNS(&rig, &tx);
	rig_end(&rig);
}

/* Of the last answer's head. */
static uint64_t
head_seq(void)
{
	struct sign_head	 h;

	sign_head_unpack(&h, rig.known);
	return h.seq;
}

static void
test_rearm(void)
{
	uint64_t	 first;
	char		 value[512];

	check_case("H7: a period ends, and only a custodian begins the next");
	rig_begin(&rig, SIGN_WPKH);
	rig.set.short_blocks = 10;
	rig.set.long_blocks = 20;
	rig_found(&rig);
	first = rig.s->windows.armed_seq;
	asks_one(&rig, &tx, "w-1", 1, SAT_PER_BTC, 1);
	RIG_SIGNS(&rig, &tx);
	asks_one(&rig, &tx, "w-2", 1, SAT_PER_BTC, 19);
	RIG_SIGNS(&rig, &tx);
	asks_one(&rig, &tx, "w-3", 1, SAT_PER_BTC, 20);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_UNARMED);
	ASKS_SAME(&rig);
	/* Not yet over by what was signed: the next one waits for its end. */
	CHECK_STR(asks_status(&rig, "armed", value), "yes");
	ASKS_NOT(&rig, asks_rearm(&rig, first, ALICE),
	    SIGN_REFUSE_APPROVAL_BAD);
	ASKS_NOT(&rig, asks_rearm(&rig, first + 1, CAROL),
	    SIGN_REFUSE_APPROVAL_BAD);
	ASKS_NOT(&rig, asks_rearm(&rig, first, 0), SIGN_REFUSE_APPROVALS);
	ASKS_DONE(&rig, asks_rearm(&rig, first, CAROL));
	CHECK_INT(rig.answer.number, head_seq());
	ASKS_SAME(&rig);
	CHECK_STR(asks_status(&rig, "rearm-waits", value), "yes");
	ASKS_NOT(&rig, asks_rearm(&rig, first, CAROL),
	    SIGN_REFUSE_APPROVAL_BAD);
	RIG_SIGNS(&rig, &tx);
	ASKS_SAME(&rig);
	CHECK_STR(asks_status(&rig, "rearm-waits", value), "no");
	CHECK_STR(asks_status(&rig, "armed", value), "yes");
	CHECK_INT(rig.s->windows.armed_height, 20);
	/* Ended before anybody looked: then it begins at once. */
	asks_one(&rig, &tx, "w-4", 1, SAT_PER_BTC, 40);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_UNARMED);
	rig_end(&rig);
}

/* Where blocks take time, a period ends and begins by itself between two
 * requests, and the journal says when. */
static void
test_rearm_by_time(void)
{
	uint64_t	 seq;
	int64_t		 began;

	check_case("H7: a period that ends by time ends at one moment");
	rig_begin(&rig, SIGN_WPKH);
	rig.set.network = NETWORK_SIGNET;
	rig.set.long_blocks = 288;
	rig_found(&rig);
	CHECK(rig.s->windows.armed);
	rig.now.boot_ms += INT64_C(288) * 600000 - 1;
	ASKS_NOT(&rig, asks_rearm(&rig, 0, CAROL), SIGN_REFUSE_APPROVAL_BAD);
	CHECK(rig.s->windows.armed);
	rig.now.boot_ms += 1;
	seq = journal_seq(rig.s->journal);
	ASKS_NOT(&rig, asks_rearm(&rig, 0, CAROL), SIGN_REFUSE_APPROVAL_BAD);
	CHECK(!rig.s->windows.armed);
	CHECK_INT(journal_seq(rig.s->journal), seq + 1);
	ASKS_SAME(&rig);
	CHECK(!rig.s->windows.armed);
	began = signer_running_ms(rig.s, &rig.now);
	ASKS_DONE(&rig, asks_rearm(&rig, rig.s->windows.armed_seq, CAROL));
	CHECK(rig.s->windows.armed);
	CHECK_INT(rig.s->windows.armed_running_ms, began);
	ASKS_SAME(&rig);

	/* Also when it ends while it is locked. */
	ASKS_DONE(&rig, asks_plain(&rig, SIGN_LOCK));
	rig.now.boot_ms += INT64_C(288) * 600000;
	RIG_MUST(signer_unlock(rig.s, text_of(RIG_PASSPHRASE), &rig.now,
	    &rig_e));
	ASKS_SAME(&rig);
	ASKS_DONE(&rig, asks_plain(&rig, SIGN_LOCK));
	rig.now.boot_ms += INT64_C(288) * 600000;
	RIG_MUST(signer_unlock(rig.s, text_of(RIG_PASSPHRASE), &rig.now,
	    &rig_e));
	ASKS_NOT(&rig, asks_rearm(&rig, 0, CAROL), SIGN_REFUSE_APPROVAL_BAD);
	CHECK(!rig.s->windows.armed);
	ASKS_SAME(&rig);
	rig_end(&rig);
}

static void
test_cost_leaves(void)
{
	check_case("C9: a cost leaves the short window at one moment");
	rig_begin(&rig, SIGN_WPKH);
	rig.set.network = NETWORK_SIGNET;
	rig.set.short_blocks = 2;
	rig_found(&rig);
	rig.now.boot_ms += 600000;
	asks_one(&rig, &tx, "w-1", 1, SAT_PER_BTC, 1);
	RIG_SIGNS(&rig, &tx);
	rig.now.boot_ms += 600000;
	asks_one(&rig, &tx, "w-2", 1, SAT_PER_BTC, 3);
	RIG_SIGNS(&rig, &tx);
	CHECK_INT(rig.s->windows.n, 2);
	/* The blocks have passed; now the time has, too. */
	rig.now.boot_ms += 600000;
	RIG_SIGNS(&rig, &tx);
	CHECK_INT(rig.s->windows.n, 1);
	rig.now.boot_ms += 1000;
	ASKS_SAME(&rig);
	CHECK_INT(rig.s->windows.n, 1);
	rig_end(&rig);
}

static void
test_settings(void)
{
	struct sign_settings	 next, old;
	unsigned char		 hash[32];
	char			 value[512], hex[65];

	check_case("settings: tightening at once, loosening later, one at a "
	    "time");
	rig_begin(&rig, SIGN_WPKH);
	rig.set.delay_blocks = 6;
	rig_found(&rig);
	old = next = rig.s->now;
	next.tx_max_sat -= SAT_PER_BTC;
	ASKS_NOT(&rig, asks_settings(&rig, &next, ALICE | BOB),
	    SIGN_REFUSE_APPROVAL_BAD);
	ASKS_NOT(&rig, asks_settings(&rig, &next, 0), SIGN_REFUSE_APPROVALS);
	ASKS_DONE(&rig, asks_settings(&rig, &next, CAROL));
	CHECK_INT(rig.answer.number, head_seq());
	CHECK_INT(rig.s->settings.tx_max_sat, next.tx_max_sat);
	CHECK(!rig.s->waits);
	ASKS_SAME(&rig);
	CHECK_INT(rig.s->settings.tx_max_sat, next.tx_max_sat);
	sign_settings_hash(hash, &next);
	(void)sodium_bin2hex(hex, sizeof(hex), hash, 32);
	CHECK_STR(asks_status(&rig, "settings", value), hex);

	/* A loosening, of which one part tightens: that is in force. */
	asks_one(&rig, &tx, "w-1", 1, SAT_PER_BTC, 10);
	RIG_SIGNS(&rig, &tx);
	next.tx_max_sat = old.tx_max_sat;
	next.fee_max_sat -= 5;
	ASKS_DONE(&rig, asks_settings(&rig, &next, CAROL));
	CHECK(rig.s->waits);
	CHECK_INT(rig.s->settings.tx_max_sat, old.tx_max_sat - SAT_PER_BTC);
	CHECK_INT(rig.s->settings.fee_max_sat, old.fee_max_sat - 5);
	ASKS_SAME(&rig);
	CHECK(rig.s->waits);
	CHECK_STR(asks_status(&rig, "waiting-until-height", value), "16");
	/* Neither a second one, nor the first again. */
	ASKS_NOT(&rig, asks_settings(&rig, &next, CAROL),
	    SIGN_REFUSE_SETTINGS);

	asks_one(&rig, &tx, "w-2", 1, SAT_PER_BTC, 15);
	RIG_SIGNS(&rig, &tx);
	CHECK(rig.s->waits);
	asks_one(&rig, &tx, "w-3", 1, SAT_PER_BTC, 16);
	RIG_SIGNS(&rig, &tx);
	CHECK(!rig.s->waits);
	CHECK_INT(rig.s->settings.tx_max_sat, old.tx_max_sat);
	ASKS_SAME(&rig);
	CHECK_INT(rig.s->settings.tx_max_sat, old.tx_max_sat);

	/* Ended by giving again what is in force. */
	next = rig.s->now;
	next.short_max_sat += SAT_PER_BTC;
	ASKS_DONE(&rig, asks_settings(&rig, &next, CAROL));
	CHECK(rig.s->waits);
	next = rig.s->settings;
	ASKS_DONE(&rig, asks_settings(&rig, &next, CAROL));
	CHECK(!rig.s->waits);
	ASKS_SAME(&rig);
	CHECK_INT(rig.s->settings.short_max_sat, old.short_max_sat);
	next.network = NETWORK_SIGNET;
	ASKS_NOT(&rig, asks_settings(&rig, &next, CAROL),
	    SIGN_REFUSE_SETTINGS);
	next = rig.s->settings;
	next.epoch++;
	ASKS_NOT(&rig, asks_settings(&rig, &next, CAROL),
	    SIGN_REFUSE_SETTINGS);
	rig_end(&rig);
}

/* Everything to the first script of a cold descriptor. */
static void
to_cold(const char *text)
{
	struct descriptor_output o;
	struct descriptor	 d;

	RIG_MUST(descriptor_parse(&d, text_of(text), true, false, &rig_e));
	RIG_MUST(descriptor_derive(&o, &d, 0, 0, &rig_e));
	rig_tx_begin(&tx);
	tx.locktime = 9;
	(void)rig_spend(&rig, &tx, 0, 0, SAT_PER_BTC);
	(void)rig_output(&tx, o.script, o.script_len, SAT_PER_BTC -
	    RIG_FEE_SAT);
}

static void
test_settings_cold(void)
{
	char			 text[2][DESCRIPTOR_TEXT_MAX];
	struct sign_settings	 next;
	struct bip32_key	 master;
	unsigned char		 seed[32];
	int64_t			 spent;

	check_case("settings: a cold descriptor comes late and goes at once");
	rig_begin(&rig, SIGN_WPKH);
	rig.set.delay_blocks = 3;
	rig_found(&rig);
	rig_hash(seed, "cold", 1);
	RIG_MUST(signer_master_of_seed(&master, seed, NETWORK_REGTEST,
	    &rig_e));
	RIG_MUST(signer_descriptors(text[0], text[1], &master, &rig.set,
	    false, &rig_e));
	next = rig.s->now;
	(void)snprintf(next.cold[0], sizeof(next.cold[0]), "%.1000s",
	    text[0]);
	next.n_cold = 1;
	asks_one(&rig, &tx, "w-1", 1, SAT_PER_BTC, 6);
	RIG_SIGNS(&rig, &tx);
	ASKS_DONE(&rig, asks_settings(&rig, &next, CAROL));
	CHECK(rig.s->waits);
	to_cold(text[0]);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_OUTPUT_UNKNOWN);
	asks_one(&rig, &tx, "w-2", 1, SAT_PER_BTC, 9);
	RIG_SIGNS(&rig, &tx);
	CHECK(!rig.s->waits);
	ASKS_SAME(&rig);
	spent = rig.s->windows.short_sat;
	to_cold(text[0]);
	RIG_SIGNS(&rig, &tx);
	CHECK_INT(rig.s->windows.short_sat, spent + RIG_FEE_SAT);
	ASKS_SAME(&rig);
	next.n_cold = 0;
	ASKS_DONE(&rig, asks_settings(&rig, &next, CAROL));
	CHECK(!rig.s->waits);
	to_cold(text[0]);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_OUTPUT_UNKNOWN);
	ASKS_SAME(&rig);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_OUTPUT_UNKNOWN);
	rig_end(&rig);
}

/* The approvals of settings that were replaced meanwhile are worthless. */
static void
test_settings_replayed(void)
{
	char			 text[SIGN_SETTINGS_MAX];
	struct sign_settings	 loose, strict;
	struct sign_statement	 st;
	struct asks_list	 l = { .n = 0 };
	struct sign_message	 m;

	check_case("H6: approvals of settings are not good again");
	rig_begin(&rig, SIGN_WPKH);
	rig.set.delay_blocks = 3;
	rig_found(&rig);
	strict = loose = rig.s->now;
	loose.fee_max_sat += 7;
	strict.fee_max_sat -= 7;
	asks_statement(&rig, &st, SIGN_FOR_SETTINGS, rig.s->settings_seq);
	sign_settings_hash(st.hash, &loose);
	sign_settings_hash(st.replaces, &rig.s->now);
	asks_approve(&rig, &l, CAROL, &st);
	sign_message_clear(&m, SIGN_SETTINGS, 3);
	asks_give(&m, &l);
	m.body.p = text;
	m.body.len = sign_settings_print(&loose, text, sizeof(text));
	ASKS_DONE(&rig, rig_ask(&rig, &m, true));
	/* Thought better of. */
	ASKS_DONE(&rig, asks_settings(&rig, &strict, CAROL));
	ASKS_NOT(&rig, rig_ask(&rig, &m, true), SIGN_REFUSE_APPROVAL_BAD);
	CHECK(!rig.s->waits);
	rig_end(&rig);
}

static void
test_delay_by_time(void)
{
	struct sign_settings	 next;
	int64_t			 at;

	check_case("C3: a loosening waits for blocks and for its own time");
	rig_begin(&rig, SIGN_WPKH);
	rig.set.network = NETWORK_SIGNET;
	rig.set.delay_blocks = 4;
	rig_found(&rig);
	next = rig.s->now;
	next.fee_max_sat += 7;
	ASKS_DONE(&rig, asks_settings(&rig, &next, CAROL));
	at = rig.now.boot_ms;
	rig.now.boot_ms += INT64_C(4) * 300000;
	asks_one(&rig, &tx, "w-1", 1, SAT_PER_BTC, 4);
	RIG_SIGNS(&rig, &tx);
	/* Blocks have passed, half the time has. */
	CHECK_INT(rig.s->height, 4);
	CHECK(rig.s->waits);
	rig.now.boot_ms = at + INT64_C(4) * 600000;
	ASKS_NOT(&rig, asks_resume(&rig, 0, 0), SIGN_REFUSE_HALTED);
	CHECK(!rig.s->waits);
	CHECK_INT(rig.s->settings.fee_max_sat, next.fee_max_sat);
	ASKS_SAME(&rig);
	CHECK(!rig.s->waits);
	rig_end(&rig);
}

static void
test_epoch(void)
{
	unsigned char	 seed[32], key[32], secret[64], old[64];
	struct rig_tx	 before;

	check_case("H5: the next epoch, and its engine alone");
	rig_new(&rig, SIGN_WPKH);
	asks_one(&rig, &before, "w-1", 1, SAT_PER_BTC, 1);
	rig_hash(seed, "engine", 2);
	(void)crypto_sign_seed_keypair(key, secret, seed);
	ASKS_NOT(&rig, asks_epoch(&rig, 2, key, 0), SIGN_REFUSE_APPROVALS);
	ASKS_NOT(&rig, asks_epoch(&rig, 2, key, CAROL),
	    SIGN_REFUSE_APPROVAL_BAD);
	ASKS_NOT(&rig, asks_epoch(&rig, 1, key, ALICE), SIGN_REFUSE_EPOCH);
	ASKS_NOT(&rig, asks_epoch(&rig, 3, key, ALICE), SIGN_REFUSE_EPOCH);
	ASKS_DONE(&rig, asks_epoch(&rig, 2, key, ALICE));
	ASKS_SAME(&rig);
	CHECK_INT(rig.s->settings.epoch, 2);
	/* What the old one says counts no more, and is not made good by the
	 * number. */
	RIG_REFUSES(&rig, &before, SIGN_REFUSE_RECEIPT_EPOCH);
	rig.set.epoch = 2;
	RIG_REFUSES(&rig, &before, SIGN_REFUSE_RECEIPT_BAD);
	memcpy(old, rig.engine_secret, sizeof(old));
	memcpy(rig.engine_secret, secret, sizeof(secret));
	RIG_REFUSES(&rig, &before, SIGN_REFUSE_RECEIPT_EPOCH);
	asks_one(&rig, &tx, "w-1", 1, SAT_PER_BTC, 1);
	RIG_SIGNS(&rig, &tx);
	ASKS_NOT(&rig, asks_epoch(&rig, 2, key, ALICE), SIGN_REFUSE_EPOCH);
	rig_end(&rig);
}

static void
test_adopt(void)
{
	uint64_t	 signed_seq;

	check_case("C5: an engine that went back is let in by the quorum "
	    "when it has booked all");
	rig_new(&rig, SIGN_WPKH);
	asks_one(&rig, &tx, "w-1", 1, SAT_PER_BTC, 1);
	RIG_SIGNS(&rig, &tx);
	signed_seq = rig.s->signed_seq;
	asks_one(&rig, &tx, "w-2", 1, SAT_PER_BTC, 1);
	rig.engine_seq = 50;
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_ENGINE_BACK);
	ASKS_NOT(&rig, asks_adopt(&rig, signed_seq, ALICE),
	    SIGN_REFUSE_APPROVALS);
	ASKS_NOT(&rig, asks_adopt(&rig, signed_seq - 1, ALICE | BOB),
	    SIGN_REFUSE_ENGINE_BACK);
	ASKS_NOT(&rig, asks_adopt(&rig, signed_seq + 1, ALICE | BOB),
	    SIGN_REFUSE_ENGINE_BACK);
	ASKS_DONE(&rig, asks_adopt(&rig, signed_seq, ALICE | BOB));
	ASKS_SAME(&rig);
	CHECK_INT(rig.s->engine_seq, 50);
	/* Time that was written down meanwhile does not matter. */
	rig.now.boot_ms += 700000;
	signer_tick(rig.s, &rig.now);
	rig.engine_seq = 49;
	ASKS_DONE(&rig, asks_adopt(&rig, signed_seq, ALICE | BOB));
	/* The receipt of before says an event that is still to come. */
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_RECEIPT_AHEAD);
	asks_one(&rig, &tx, "w-2", 1, SAT_PER_BTC, 1);
	RIG_SIGNS(&rig, &tx);
	ASKS_SAME(&rig);
	rig_end(&rig);
}

/* What the adopted engine releases has numbers that the lost part of its
 * journal gave to others. */
static void
test_adopted_numbers(void)
{
	check_case("C5: an adopted engine's events are numbered anew");
	rig_new(&rig, SIGN_WPKH);
	asks_one(&rig, &tx, "w-1", 1, SAT_PER_BTC, 1);
	RIG_SIGNS(&rig, &tx);
	/* It went back by one, forgot, and went on unseen. */
	rig.engine_seq--;
	asks_one(&rig, &tx, "w-2", 1, SAT_PER_BTC, 1);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_ENGINE_BACK);
	ASKS_DONE(&rig, asks_adopt(&rig, rig.s->signed_seq, ALICE | BOB));
	ASKS_SAME(&rig);
	RIG_SIGNS(&rig, &tx);
	/* From now on they are its own. */
	rig.engine_seq--;
	asks_one(&rig, &tx, "w-3", 1, SAT_PER_BTC, 1);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_ENGINE_BACK);
	ASKS_SAME(&rig);
	RIG_REFUSES(&rig, &tx, SIGN_REFUSE_ENGINE_BACK);
	rig_end(&rig);
}

int
main(void)
{
	test_halt();
	test_halt_locked();
	test_lock();
	test_rearm();
	test_rearm_by_time();
	test_cost_leaves();
	test_settings();
	test_settings_cold();
	test_settings_replayed();
	test_delay_by_time();
	test_epoch();
	test_adopt();
	test_adopted_numbers();
	return check_done();
}
