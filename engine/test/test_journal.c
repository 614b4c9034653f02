/*
 * The engine and its memory: what was taken comes back, whatever of it was
 * snapshotted, forgotten, decided by another version or under another policy.
 */
#include "engine/journal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/snapshot.h"
#include "engine/head.h"
#include "lib/civil.h"
#include "lib/sha256.h"
#include "tests/check.h"
#include "wire/bytes.h"

#define T0_MS	INT64_C(1772323200000)	/* 2026-03-01 */

static char	 folder[64];

static const char *
path(const char *name)
{
	static char	 buf[256][128];
	static int	 turn;
	char		*p = buf[turn++ % 256];

	(void)snprintf(p, 128, "%s/%s", folder, name);
	return p;
}

static void
write_file(const char *name, const char *text)
{
	FILE	*f = fopen(path(name), "we");

	CHECK(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
}

#define POLICY_A "policy 1\ndefault allow\n"				\
    "hold \"big\" when amount >= 3 btc\n"				\
    "delay 6h \"much\" when sum asked by account in 7d >= 5 btc\n"
#define POLICY_B "policy 1\ndefault allow\n"				\
    "hold \"big\" when amount >= 2 btc\n"				\
    "hold \"many\" when count asked by account in 30d >= 6\n"

static void
ignore(void *ctx, const struct outcome *o)
{
	(void)ctx;
	(void)o;
}

static const struct engine_sink quiet = { ignore, NULL };

static bool
open_journal(struct journal **j, const char *db, bool create, struct err *e)
{
	struct journal_config	 cfg = { .url = db, .create = create,
	    .policy_path = path("a.policy"), .t_ms = T0_MS,
	    .receipt_at_release = true };

	if (journal_open(j, &cfg, e) == RC_OK)
		return true;
	(void)printf("# %s\n", e->text);
	return false;
}

/* Withdrawal i of account i % 5, i hours after the beginning. */
static bool
withdraw(struct journal *j, uint64_t i, bool ip, int64_t sat, struct err *e)
{
	struct command	 c;
	char		 account[16], id[16];
	unsigned char	 script[22] = { 0, 20, (unsigned char)(i % 3) };
	uint64_t	 seq;

	(void)snprintf(account, sizeof(account), "a%d", (int)(i % 5));
	(void)snprintf(id, sizeof(id), "w%d", (int)i);
	command_clear(&c, COMMAND_WITHDRAW, T0_MS + (int64_t)i * MS_PER_HOUR);
	c.account = text_of(account);
	c.id = text_of(id);
	c.script.p = (const char *)script;
	c.script.len = sizeof(script);
	c.amount_sat = sat;
	c.has_ip = ip;
	c.ip[10] = c.ip[11] = 0xff;
	c.ip[12] = 203;
	c.ip[15] = (unsigned char)i;
	return journal_take(j, &c, &quiet, &seq, e) == RC_OK;
}

static bool
accounts(struct journal *j, struct err *e)
{
	struct command	 c;
	char		 name[16];
	uint64_t	 seq;
	int		 i;

	for (i = 0; i < 5; i++) {
		(void)snprintf(name, sizeof(name), "a%d", i);
		command_clear(&c, COMMAND_ACCOUNT, T0_MS);
		c.account = text_of(name);
		if (journal_take(j, &c, &quiet, &seq, e) != RC_OK)
			return false;
	}
	return true;
}

/* A journal of n withdrawals in rows of four events. */
static bool
traffic(struct journal *j, uint64_t from, uint64_t n, bool ip, struct err *e)
{
	uint64_t	 i;

	for (i = from; i < from + n; i++)
		if (!withdraw(j, i, ip, (int64_t)(i % 4 + 1) * 90000000, e) ||
		    (i % 4 == 3 && journal_commit(j, e) != RC_OK))
			return false;
	return journal_flush(j, e) == RC_OK;
}

static void
hash_of(const struct journal *j, unsigned char out[32])
{
	memset(out, 0, 32);
	if (j != NULL)
		engine_state_hash(journal_state(j)->engine, out);
}

static void
remove_snapshots(const char *db)
{
	char		 cmd[300];
	struct err	 e;

	(void)snprintf(cmd, sizeof(cmd), "%s.snapshots", db);
	CHECK(snapshot_prune(cmd, 0, 0, &e) == RC_OK);
}

static bool
make(const char *db, uint64_t n, bool ip, unsigned char hash[32],
    struct err *e)
{
	struct journal	*j = NULL;
	bool		 good;

	if (!open_journal(&j, db, true, e))
		return false;
	good = accounts(j, e) && traffic(j, 0, n, ip, e);
	hash_of(j, hash);
	return journal_close(&j, e) == RC_OK && good;
}

static void
test_restart(void)
{
	const char	*db = path("restart.db");
	unsigned char	 before[32], after[32];
	struct journal	*j = NULL;
	struct err	 e = { "" };

	check_case("a restart from a snapshot gives the same state");
	CHECK(make(db, 400, true, before, &e));
	CHECK_STR(e.text, "");
	CHECK(open_journal(&j, db, false, &e));
	CHECK(journal_state(j)->snapshot_seq == 407);
	CHECK(journal_state(j)->seq == 407);
	hash_of(j, after);
	CHECK(memcmp(before, after, 32) == 0);
	CHECK(journal_close(&j, &e) == RC_OK);

	check_case("and without one, every event judged again");
	remove_snapshots(db);
	CHECK(open_journal(&j, db, false, &e));
	CHECK_STR(e.text, "");
	CHECK(journal_state(j)->snapshot_seq == 0);
	CHECK(journal_state(j)->followed == 0);
	hash_of(j, after);
	CHECK(memcmp(before, after, 32) == 0);
	/* More on top, and again. */
	CHECK(traffic(j, 400, 100, true, &e));
	hash_of(j, before);
	CHECK(journal_close(&j, &e) == RC_OK);
	remove_snapshots(db);
	CHECK(open_journal(&j, db, false, &e));
	hash_of(j, after);
	CHECK(memcmp(before, after, 32) == 0);
	CHECK(journal_close(&j, &e) == RC_OK);
}

static void
test_refusals(void)
{
	const char	*db = path("refusals.db");
	unsigned char	 hash[32], after[32];
	struct command	 c;
	struct journal	*j = NULL;
	struct err	 e = { "" };
	uint64_t	 seq;

	check_case("a bad command is refused and nothing happened");
	CHECK(make(db, 8, true, hash, &e));
	CHECK(open_journal(&j, db, false, &e));
	command_clear(&c, COMMAND_WITHDRAW, T0_MS);
	CHECK(journal_take(j, &c, &quiet, &seq, &e) != RC_OK);
	command_clear(&c, COMMAND_POLICY, T0_MS);
	CHECK(journal_take(j, &c, &quiet, &seq, &e) != RC_OK);
	CHECK(journal_alive(j) && journal_state(j)->seq == 15);
	hash_of(j, after);
	CHECK(memcmp(hash, after, 32) == 0);
	CHECK(journal_close(&j, &e) == RC_OK);

	check_case("a database that is not there is not made by itself");
	CHECK(!open_journal(&j, path("nothing.db"), false, &e));
	CHECK(access(path("nothing.db"), F_OK) != 0);

	check_case("the keyring of another database is recognised");
	CHECK(make(path("other.db"), 4, true, hash, &e));
	CHECK(rename(path("other.db.keys"), path("refusals.db.keys")) == 0);
	e.text[0] = '\0';
	CHECK(!open_journal(&j, db, false, &e));
	CHECK(strstr(e.text, "keyring of another database") != NULL);
}

static void
test_policy(void)
{
	const char	*db = path("policy.db");
	unsigned char	 before[32], after[32];
	struct command	 by;
	struct journal	*j = NULL;
	struct err	 e = { "" };

	check_case("C7: the policy in force is the journal's, not the file's");
	CHECK(make(db, 100, true, before, &e));
	write_file("a.policy", "policy 1\ndefault allow\n");
	CHECK(open_journal(&j, db, false, &e));
	CHECK(journal_state(j)->policy->n_rules == 2);

	check_case("S47: another policy's counters start from the journal");
	command_clear(&by, COMMAND_TICK, T0_MS + 101 * MS_PER_HOUR);
	by.by = text_of("alice");
	CHECK(journal_policy(j, path("b.policy"), &by, &e) == RC_OK);
	CHECK_STR(e.text, "");
	CHECK(journal_state(j)->policy_seq == 108);
	/* `many` sees what was asked for under the policy before. */
	CHECK(traffic(j, 104, 40, true, &e));
	hash_of(j, before);
	CHECK(journal_close(&j, &e) == RC_OK);

	check_case("and a restart through the change gives the same state");
	CHECK(open_journal(&j, db, false, &e));
	hash_of(j, after);
	CHECK(memcmp(before, after, 32) == 0);
	CHECK(journal_close(&j, &e) == RC_OK);
	remove_snapshots(db);
	CHECK(open_journal(&j, db, false, &e));
	CHECK_STR(e.text, "");
	CHECK(journal_state(j)->policy->n_rules == 2);
	CHECK(journal_state(j)->policy_seq == 108);
	hash_of(j, after);
	CHECK(memcmp(before, after, 32) == 0);

	check_case("the same policy again is no event");
	CHECK(journal_policy(j, path("b.policy"), &by, &e) == RC_OK);
	CHECK(journal_state(j)->policy_seq == 108);
	CHECK(journal_close(&j, &e) == RC_OK);
	write_file("a.policy", POLICY_A);
}

/* Copy a journal's rows into another, each changed by `change` and chained
 * anew; only without sealed parts, which hold to their heads. */
static bool
copy_rows(const char *from, const char *to,
    void (*change)(unsigned char *row, size_t len), struct err *e)
{
	struct db		*a = NULL, *b = NULL;
	unsigned char		 hash[32] = { 0 }, *own, *both;
	const unsigned char	*row;
	struct keyring		*keys = NULL;
	uint64_t		 seq;
	size_t			 len;
	bool			 good;
	char			 name[200];

	good = db_open(&a, from, DB_READ, e) == RC_OK &&
	    db_open(&b, to, DB_CREATE, e) == RC_OK &&
	    keyring_open(&keys, db_keyring_path(a), false, e) == RC_OK;
	(void)snprintf(name, sizeof(name), "%s.keys", to);
	good = good && keyring_copy(keys, name, e) == RC_OK &&
	    db_walk(a, 1, e) == RC_OK;
	while (good && db_next(a, &seq, &row, &len, e) == RC_OK &&
	    row != NULL) {
		both = malloc(len + 32);
		own = both + 32;
		memcpy(own, row, len);
		change(own, len);
		memcpy(both, hash, 32);
		sha256(hash, both, len);
		memcpy(own + len - 32, hash, 32);
		good = db_append(b, seq, own, len, e) == RC_OK;
		free(both);
	}
	keyring_free(&keys);
	db_close(&a);
	db_close(&b);
	return good;
}

static void
other_version(unsigned char *row, size_t len)
{
	(void)len;
	put_le32(row + 4, 77);
}

static void
test_other_version(void)
{
	unsigned char	 before[32], after[32];
	const char	*db = path("version.db");
	struct journal	*j = NULL;
	struct err	 e = { "" };

	check_case("rows of another version are followed, and it starts");
	CHECK(make(path("plain.db"), 200, false, before, &e));
	CHECK(copy_rows(path("plain.db"), db, other_version, &e));
	CHECK_STR(e.text, "");
	CHECK(open_journal(&j, db, false, &e));
	CHECK_STR(e.text, "");
	CHECK(journal_state(j)->followed > 200);
	hash_of(j, after);
	CHECK(memcmp(before, after, 32) == 0);
	/* It wrote a snapshot at once, and goes on from there. */
	CHECK(traffic(j, 200, 20, false, &e));
	hash_of(j, before);
	CHECK(journal_close(&j, &e) == RC_OK);
	CHECK(open_journal(&j, db, false, &e));
	CHECK(journal_state(j)->followed == 0);
	CHECK(journal_state(j)->snapshot_seq > 0);
	hash_of(j, after);
	CHECK(memcmp(before, after, 32) == 0);
	CHECK(journal_close(&j, &e) == RC_OK);
}

/* The outcome of the row's last event, which is an ordinary decision. */
static void
other_outcome(unsigned char *row, size_t len)
{
	/* Of one row alone: the one that begins with event 80. */
	if (get_le64(row + 8) == 80)
		row[len - 32 - 1] ^= 0x10;
}

static void
test_difference(void)
{
	unsigned char	 hash[32];
	const char	*db = path("differs.db");
	struct journal	*j = NULL;
	struct err	 e = { "" };

	check_case("an outcome that this engine would not give is named");
	CHECK(make(path("honest.db"), 100, false, hash, &e));
	CHECK(copy_rows(path("honest.db"), db, other_outcome, &e));
	CHECK(!open_journal(&j, db, false, &e));
	CHECK(strstr(e.text, "event 8") != NULL);
	if (strstr(e.text, "event 8") == NULL)
		(void)printf("# %s\n", e.text);
}

static void
test_forgotten(void)
{
	const char	*db = path("forgotten.db");
	unsigned char	 before[32], after[32];
	struct keyring	*keys = NULL;
	struct journal	*j = NULL;
	struct err	 e = { "" };
	int		 n;

	check_case("what is forgotten is followed, and the rest stays true");
	/* 1000 hours: March and a part of April. */
	CHECK(make(db, 1000, true, before, &e));
	CHECK(keyring_open(&keys, path("forgotten.db.keys"), true, &e) ==
	    RC_OK);
	CHECK(keyring_destroy_before(keys, row_month(T0_MS) + 1, &n, &e) ==
	    RC_OK);
	CHECK_INT(n, 1);
	keyring_free(&keys);
	CHECK(open_journal(&j, db, false, &e));
	CHECK(journal_state(j)->followed == 0);
	CHECK(journal_close(&j, &e) == RC_OK);
	remove_snapshots(db);
	CHECK(open_journal(&j, db, false, &e));
	CHECK_STR(e.text, "");
	CHECK(journal_state(j)->followed > 900);
	/* No rule of this policy asks for an address. */
	hash_of(j, after);
	CHECK(memcmp(before, after, 32) == 0);
	CHECK(journal_close(&j, &e) == RC_OK);
}

static void
test_head(void)
{
	const char	*db = path("head.db");
	unsigned char	 hash[32];
	struct head	 h, again;
	struct journal	*j = NULL;
	struct err	 e = { "" };
	char		 text[HEAD_TEXT_MAX];
	size_t		 i;

	check_case("H4: a head is signed, and any change of it is seen");
	CHECK(make(db, 20, true, hash, &e));
	CHECK(open_journal(&j, db, false, &e));
	CHECK(journal_head(j, &h, &e) == RC_OK);
	CHECK(h.seq == 27);
	(void)head_format(text, &h);
	CHECK(head_parse(&again, text_of(text), &e) == RC_OK);
	CHECK(memcmp(&h, &again, sizeof(h)) == 0);
	CHECK(head_verify(&again, journal_state(j)->genesis.engine_key));
	for (i = 0; text[i] != '\0'; i++) {
		text[i] ^= 1;
		if (head_parse(&again, text_of(text), &e) == RC_OK)
			CHECK(!head_verify(&again,
			    journal_state(j)->genesis.engine_key));
		text[i] ^= 1;
	}
	CHECK(journal_close(&j, &e) == RC_OK);
}

int
main(void)
{
	char	 cmd[100];

	(void)snprintf(folder, sizeof(folder), "/tmp/test_journal.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return 1;
	write_file("a.policy", POLICY_A);
	write_file("b.policy", POLICY_B);
	test_restart();
	test_refusals();
	test_policy();
	test_other_version();
	test_difference();
	test_forgotten();
	test_head();
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", folder);
	CHECK(system(cmd) == 0); /* check-source: functions: a test's folder */
	return check_done();
}
