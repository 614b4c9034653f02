/*
 * A book made again says the same: deleted, damaged, killed in the middle, or
 * of a journal that was put back from a backup.
 */
#include "book/test/bookrig.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define BTC	INT64_C(100000000)

#define POLICY "policy 1\ndefault allow\n"				\
    "deny \"too much\" when amount >= 50 btc\n"				\
    "hold \"big\" when amount >= 3 btc\n"				\
    "delay 6h \"much\" when amount >= 1 btc\n"				\
    "step-up \"code\" when amount < 0.01 btc and not code given\n"

static json_t *
local(struct bookrig *r, const char *id)
{
	struct message	 m = rig_question(ENDPOINT_LOCAL_WITHDRAWAL, NULL);

	m.id = text_of(id);
	return rig_ask(r, &m);
}

static void
paid(struct bookrig *r, int64_t t_ms, const char *id, enum paid paid)
{
	struct command	 c;

	command_clear(&c, COMMAND_OUTCOME, t_ms);
	c.id = text_of(id);
	c.paid = paid;
	c.order = text_of("ab12");
	c.count = 1;
	(void)rig_take(r, &c);
}

/* Dumps: all tables but what only the book knows. */

static void
dump(const char *path, FILE *out)
{
	static const char *const	 tables[] = { "withdrawal", "account",
		"address", "deposit", "secret", "operator", "proposal",
		"approval", "policy", "halt", "current", "door" };
	sqlite3				*db;
	sqlite3_stmt			*q;
	char				 sql[128];
	size_t				 i;
	int				 k, n;

	CHECK(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) ==
	    SQLITE_OK);
	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		(void)snprintf(sql, sizeof(sql), "select * from \"%s\" order "
		    "by 1, 2", tables[i]);
		CHECK(sqlite3_prepare_v2(db, sql, -1, &q, NULL) ==
		    SQLITE_OK);
		while (sqlite3_step(q) == SQLITE_ROW) {
			(void)fprintf(out, "%s", tables[i]);
			for (k = 0; k < sqlite3_column_count(q); k++) {
				const unsigned char *b =
				    sqlite3_column_blob(q, k);

				(void)fprintf(out, "|");
				for (n = 0; n < sqlite3_column_bytes(q, k);
				    n++)
					(void)fprintf(out, "%02x", b[n]);
			}
			(void)fprintf(out, "\n");
		}
		(void)sqlite3_finalize(q);
	}
	(void)sqlite3_close(db);
}

static char *
dump_text(struct bookrig *r)
{
	struct message	 m = rig_question(ENDPOINT_LOCAL_STATUS, NULL);
	char		*text;
	size_t		 len;
	FILE		*f = open_memstream(&text, &len);

	json_decref(rig_ask(r, &m));
	book_close(&r->book);
	dump(r->book_path, f);
	(void)fclose(f);
	return text;
}

static uint32_t	 seed = 12345;

static uint32_t
dice(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static int64_t
any_time(int i)
{
	return T0_MS + i * 20 * MS_PER_MIN;
}

/* Event i of a journal that has a bit of everything. */
static void
anything(struct bookrig *r, int i)
{
	static const enum command_type	 about[] = { COMMAND_CODE,
		COMMAND_CANCEL, COMMAND_RELEASE, COMMAND_DENY,
		COMMAND_RECEIPT };
	static const int64_t		 sats[] = { BTC / 1000, BTC / 2, BTC,
		4 * BTC, 60 * BTC };
	char				 id[16], account[16], key[16];
	struct command			 c;
	uint32_t			 what = dice(20);

	(void)snprintf(account, sizeof(account), "a%u", dice(6));
	(void)snprintf(id, sizeof(id), "w%d", what < 9 ? i :
	    (int)dice((uint32_t)i + 1));
	(void)snprintf(key, sizeof(key), "k%u", dice(6));
	if (what < 9) {
		rig_withdraw(r, any_time(i), account, id, sats[dice(5)],
		    dice(2) == 0 ? id : NULL);
	} else if (what < 14) {
		rig_about(r, about[dice(5)], any_time(i), id);
	} else if (what == 14) {
		paid(r, any_time(i), id, (enum paid)dice(4));
	} else {
		static const enum command_type	 types[] = { COMMAND_KEY,
			COMMAND_KEY_REVOKE, COMMAND_ADDRESS_ADD,
			COMMAND_ADDRESS_REMOVE, COMMAND_FREEZE,
			COMMAND_UNFREEZE, COMMAND_HALT, COMMAND_RESUME,
			COMMAND_ACCOUNT, COMMAND_TICK, COMMAND_SECRET };

		command_clear(&c, types[dice(11)], any_time(i));
		c.by = text_of("alice");
		c.reason = text_of("a test");
		c.account = text_of(account);
		c.script = rig_script((int)dice(4));
		c.secret = SECRET_TOTP;
		c.step = i;
		if (c.type == COMMAND_KEY || c.type == COMMAND_KEY_REVOKE)
			c.key = text_of(key);
		if (c.type == COMMAND_KEY && dice(2) == 0) {
			c.key_type = KEY_TYPE_HMAC;
			c.blob = text_of("SEALED");
		}
		(void)rig_take(r, &c);
	}
}

static void
some(struct bookrig *r, int from, int to)
{
	struct err	 e;
	int		 i;

	for (i = from; i < to; i++) {
		anything(r, i);
		if (dice(7) == 0)
			CHECK(journal_commit(r->journal, &e) == RC_OK);
	}
	CHECK(journal_flush(r->journal, &e) == RC_OK);
}

/* kill -9 while it follows. */
static void
killed(struct bookrig *r)
{
	pid_t	 pid;
	int	 i, status;

	for (i = 0; i < 8; i++) {
		if ((pid = fork()) == 0) {
			rig_book_open(r);
			(void)usleep(30000000);
			_exit(0);
		}
		(void)usleep((useconds_t)(1500 * i));
		(void)kill(pid, SIGKILL);
		CHECK(waitpid(pid, &status, 0) == pid);
	}
}

static void
test_again(void)
{
	struct bookrig	*r = rig_new(POLICY);
	char		*live, *again, *cut, name[16];
	int		 i;

	check_case("again");
	for (i = 0; i < 6; i++) {
		(void)snprintf(name, sizeof(name), "a%d", i);
		rig_account(r, name, 100 * BTC);
	}
	some(r, 0, 700);
	/* Restarts in the middle, and a book that was behind. */
	book_close(&r->book);
	some(r, 700, 900);
	rig_book_open(r);
	some(r, 900, 1500);
	live = dump_text(r);
	CHECK(strlen(live) > 100000);
	CHECK(unlink(r->book_path) == 0);
	rig_book_open(r);
	again = dump_text(r);
	CHECK(strcmp(live, again) == 0);
	CHECK(unlink(r->book_path) == 0);
	killed(r);
	rig_book_open(r);
	cut = dump_text(r);
	CHECK(strcmp(live, cut) == 0);
	rig_book_open(r);
	free(live);
	free(again);
	free(cut);
	rig_free(r);
}

static void
copy_file(const char *from, const char *to)
{
	static char	 bytes[1 << 22];
	FILE		*f = fopen(from, "re"), *g = fopen(to, "we");
	size_t		 len;

	if (!CHECK(f != NULL && g != NULL))
		return;
	len = fread(bytes, 1, sizeof(bytes), f);
	CHECK(fwrite(bytes, 1, len, g) == len && fclose(g) == 0);
	(void)fclose(f);
	CHECK(chmod(to, 0600) == 0);
}

static void
copy(const char *from, const char *to)
{
	char	 a[160], b[160];

	(void)snprintf(a, sizeof(a), "%s.keys", from);
	(void)snprintf(b, sizeof(b), "%s.keys", to);
	copy_file(from, to);
	copy_file(a, b);
}

/* A journal put back from a backup: the book is ahead of it, or, when more
 * has happened since, beside it. */
static void
test_ahead(bool longer)
{
	struct bookrig	*r = rig_new(POLICY);
	struct err	 e;
	char		 kept[128], *dumped, *fresh;
	json_t		*j;
	int		 i;

	check_case(longer ? "beside" : "ahead");
	rig_account(r, "a", -1);
	rig_withdraw(r, T0_MS, "a", "w1", BTC, NULL);
	j = local(r, "w1");
	json_decref(j);
	book_close(&r->book);
	CHECK(journal_close(&r->journal, &e) == RC_OK);
	(void)snprintf(kept, sizeof(kept), "%s/kept.db", r->folder);
	copy(r->db, kept);
	rig_journal_open(r);
	rig_book_open(r);
	rig_withdraw(r, T0_MS, "a", "lost", BTC, NULL);
	json_decref(local(r, "lost"));
	book_close(&r->book);
	CHECK(journal_close(&r->journal, &e) == RC_OK);
	copy(kept, r->db);
	rig_journal_open(r);
	for (i = 0; longer && i < 5; i++) {
		(void)snprintf(kept, sizeof(kept), "n%d", i);
		rig_withdraw(r, T0_MS, "a", kept, BTC, NULL);
	}
	CHECK(journal_flush(r->journal, &e) == RC_OK);
	rig_book_open(r);
	json_decref(local(r, "lost"));
	CHECK_INT(r->status, 404);
	dumped = dump_text(r);
	CHECK(unlink(r->book_path) == 0);
	rig_book_open(r);
	fresh = dump_text(r);
	CHECK(strcmp(dumped, fresh) == 0);
	rig_book_open(r);
	free(dumped);
	free(fresh);
	rig_free(r);
}

/* Something else lies where the book should be. */
static void
test_damaged(void)
{
	struct bookrig	*r = rig_new(POLICY);
	FILE		*f;

	check_case("damaged");
	rig_account(r, "a", -1);
	rig_withdraw(r, T0_MS, "a", "w1", BTC, NULL);
	json_decref(local(r, "w1"));
	book_close(&r->book);
	f = fopen(r->book_path, "we");
	CHECK(f != NULL);
	if (f != NULL) {
		(void)fprintf(f, "this is not a database, and it is long "
		    "enough to look at\n");
		(void)fclose(f);
	}
	rig_book_open(r);
	json_decref(local(r, "w1"));
	CHECK_INT(r->status, 200);
	rig_free(r);
}

int
main(void)
{
	test_again();
	test_ahead(false);
	test_ahead(true);
	test_damaged();
	return check_done();
}
