/*
 * What every store promises, asked of the one there is.
 */
#define _GNU_SOURCE	/* nftw */

#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "db/db.h"
#include "tests/check.h"

static char	 folder[] = "/tmp/drawbridge-db-XXXXXX";
static struct err err;

/* FOLDER/NAME; a few at a time. */
static const char *
at(const char *name)
{
	static char	 paths[4][128];
	static int	 n;

	n = (n + 1) % 4;
	snprintf(paths[n], sizeof(paths[n]), "%s/%s", folder, name);
	return paths[n];
}

#define ROW_MAX	32768
static size_t	 longest = 9000;

/* The row that begins at seq: its length and bytes follow from it. */
static size_t
make_row(unsigned char *row, uint64_t seq)
{
	size_t	 len = 50 + (seq * 7919) % longest, i;

	for (i = 0; i < len; i++)
		row[i] = (unsigned char)(seq * 31 + i);
	return len;
}

static bool
is_row(const unsigned char *row, size_t len, uint64_t seq)
{
	unsigned char	 want[ROW_MAX];

	return len == make_row(want, seq) && memcmp(row, want, len) == 0;
}

static enum rc
add(struct db *db, uint64_t seq)
{
	unsigned char	 row[ROW_MAX];
	size_t		 len = make_row(row, seq);

	return db_append(db, seq, row, len, &err);
}

static struct db *
open_db(const char *name, enum db_mode mode)
{
	struct db	*db;

	if (db_open(&db, at(name), mode, &err) != RC_OK) {
		CHECK(db == NULL);
		CHECK_STR(err.text, "");
	}
	return db;
}

/* How many rows from `from` on, all as they were appended? -1: no. */
static int
walk_all(struct db *db, uint64_t from)
{
	const unsigned char	*row;
	uint64_t		 seq, before = 0;
	size_t			 len;
	int			 n = 0;

	if (db_walk(db, from, &err) != RC_OK)
		return -1;
	for (;;) {
		if (db_next(db, &seq, &row, &len, &err) != RC_OK)
			return -1;
		if (row == NULL)
			return n;
		if (seq <= before || !is_row(row, len, seq))
			return -1;
		before = seq;
		n++;
	}
}

static void
test_stop(void)
{
	struct db	*db = open_db("rows", DB_WRITE);
	struct db	*tool = open_db("rows", DB_READ);
	uint64_t	 seq;

	check_case("told to stop at a row, a tool sees none that comes");
	CHECK_INT(db_stops_at(tool), 0);
	db_stop_at(tool, 1991);
	CHECK_INT(db_stops_at(tool), 1991);
	CHECK(add(db, 2001) == RC_OK);
	CHECK(db_last(tool, &seq, &err) == RC_OK && seq == 1991);
	CHECK(db_find(tool, 2005, &seq, &err) == RC_OK && seq == 1991);
	CHECK(db_find(tool, 15, &seq, &err) == RC_OK && seq == 11);
	CHECK_INT(walk_all(tool, 1), 200);
	CHECK_INT(walk_all(tool, 2000), 0);
	db_stop_at(tool, 0);
	CHECK(db_last(tool, &seq, &err) == RC_OK && seq == 2001);
	CHECK_INT(walk_all(tool, 1), 201);
	db_close(&tool);
	db_close(&db);
}

static void
test_rows(void)
{
	struct db	*db;
	struct db_stats	 st;
	uint64_t	 seq;
	int		 i;

	check_case("rows come back as they were appended");
	db = open_db("rows", DB_CREATE);
	CHECK(db_last(db, &seq, &err) == RC_OK && seq == 0);
	CHECK_INT(walk_all(db, 1), 0);
	for (i = 0; i < 200; i++)
		CHECK(add(db, 1 + (uint64_t)i * 10) == RC_OK);
	CHECK(db_last(db, &seq, &err) == RC_OK && seq == 1991);
	CHECK_INT(walk_all(db, 1), 200);
	CHECK_INT(walk_all(db, 0), 200);
	CHECK_INT(walk_all(db, 2), 199);
	CHECK_INT(walk_all(db, 1991), 1);
	CHECK_INT(walk_all(db, 1992), 0);
	CHECK_INT(walk_all(db, UINT64_MAX), 0);
	db_stats(db, &st);
	CHECK_INT(st.appends, 200);
	CHECK(st.log_bytes > 0);

	check_case("the row of an event");
	CHECK(db_find(db, 1, &seq, &err) == RC_OK && seq == 1);
	CHECK(db_find(db, 10, &seq, &err) == RC_OK && seq == 1);
	CHECK(db_find(db, 11, &seq, &err) == RC_OK && seq == 11);
	CHECK(db_find(db, UINT64_MAX, &seq, &err) == RC_OK && seq == 1991);
	CHECK(db_find(db, 0, &seq, &err) == RC_OK && seq == 0);
	db_close(&db);
	CHECK(db == NULL);

	test_stop();

	check_case("closed and opened again");
	CHECK(access(at("rows-wal"), F_OK) == -1);
	db = open_db("rows", DB_WRITE);
	CHECK_INT(walk_all(db, 1), 201);
	CHECK(add(db, 2011) == RC_OK);
	CHECK(strcmp(db_keyring_path(db), at("rows.keys")) == 0);
	CHECK(strcmp(db_snapshot_folder(db), at("rows.snapshots")) == 0);
	db_close(&db);
	db = open_db("rows", DB_READ);
	CHECK_INT(walk_all(db, 1), 202);
	CHECK(db_bytes(db) > 200 * 4000);
	db_close(&db);
	CHECK(access(at("rows-wal"), F_OK) == -1);
	CHECK(access(at("rows-shm"), F_OK) == -1);
}

static void
test_large(void)
{
	const unsigned char	*row;
	unsigned char		*big;
	struct db		*db;
	size_t			 len = (size_t)20 << 20, got;
	uint64_t		 seq;

	check_case("one large row among small ones");
	big = malloc(len);
	memset(big, 'x', len);
	db = open_db("large", DB_CREATE);
	CHECK(add(db, 1) == RC_OK);
	CHECK(db_append(db, 2, big, len, &err) == RC_OK);
	CHECK(add(db, 3) == RC_OK);
	CHECK(db_walk(db, 1, &err) == RC_OK);
	CHECK(db_next(db, &seq, &row, &got, &err) == RC_OK && seq == 1 &&
	    is_row(row, got, 1));
	CHECK(db_next(db, &seq, &row, &got, &err) == RC_OK && seq == 2 &&
	    got == len && memcmp(row, big, len) == 0);
	CHECK(db_next(db, &seq, &row, &got, &err) == RC_OK && seq == 3 &&
	    is_row(row, got, 3));
	CHECK(db_next(db, &seq, &row, &got, &err) == RC_OK && row == NULL);
	/* Appended after the end: walked too. */
	CHECK(add(db, 4) == RC_OK);
	CHECK(db_next(db, &seq, &row, &got, &err) == RC_OK && seq == 4);
	db_close(&db);
	free(big);
}

static int	 told;
static uint64_t	 told_done, told_total;

static void
tell(void *ctx, uint64_t done, uint64_t total)
{
	(void)ctx;
	told++;
	CHECK(done <= total);
	told_done = done;
	told_total = total;
}

static void
test_copy(void)
{
	struct db	*db, *copy;
	uint64_t	 i;

	check_case("a copy");
	db = open_db("source", DB_CREATE);
	for (i = 1; i <= 1200; i++)
		CHECK(add(db, i) == RC_OK);
	CHECK(db_copy(db, at("copy"), tell, NULL, &err) == RC_OK);
	CHECK(told >= 1 && told_done == told_total);
	copy = open_db("copy", DB_READ);
	CHECK_INT(walk_all(copy, 1), 1200);
	db_close(&copy);
	CHECK(access(at("copy.new"), F_OK) == -1);
	copy = open_db("copy", DB_WRITE);
	CHECK(add(copy, 1201) == RC_OK);
	db_close(&copy);

	check_case("a copy goes over nothing");
	CHECK(db_copy(db, at("copy"), NULL, NULL, &err) == RC_FAILED);
	CHECK(strstr(err.text, "is there already") != NULL);
	CHECK(db_copy(db, at("no/copy"), NULL, NULL, &err) == RC_FAILED);
	CHECK(strstr(err.text, "No such file or directory") != NULL);
	db_close(&db);

	check_case("a copy of nothing");
	db = open_db("none", DB_CREATE);
	CHECK(db_copy(db, at("copy2"), tell, NULL, &err) == RC_OK);
	db_close(&db);
	copy = open_db("copy2", DB_READ);
	CHECK_INT(walk_all(copy, 1), 0);
	db_close(&copy);
}

/* The same sentence in this process and from another one. */
static void
test_two_engines(void)
{
	struct db	*db, *second, *reader;
	char		 want[256];
	pid_t		 pid;
	int		 status;

	check_case("a second engine is told who is first");
	db = open_db("two", DB_CREATE);
	CHECK(add(db, 1) == RC_OK);
	snprintf(want, sizeof(want), "%s: in use by another engine "
	    "(process %ld)", at("two"), (long)getpid());
	CHECK(db_open(&second, at("two"), DB_WRITE, &err) == RC_FAILED);
	CHECK_STR(err.text, want);
	CHECK(second == NULL);
	if ((pid = fork()) == 0) {
		struct err	 e;

		_exit(db_open(&second, at("two"), DB_WRITE, &e) !=
		    RC_FAILED || strcmp(e.text, want) != 0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(symlink("two", at("link")) == 0);
	CHECK(db_open(&second, at("link"), DB_WRITE, &err) == RC_FAILED);
	CHECK(strstr(err.text, "in use by another engine") != NULL);

	check_case("a reader is not an engine");
	reader = open_db("two", DB_READ);
	CHECK_INT(walk_all(reader, 1), 1);
	CHECK(add(db, 2) == RC_OK);
	CHECK_INT(walk_all(reader, 1), 2);
	db_close(&reader);
	CHECK(add(db, 3) == RC_OK);
	db_close(&db);

	check_case("the next engine");
	db = open_db("two", DB_WRITE);
	CHECK_INT(walk_all(db, 1), 3);
	db_close(&db);
}

static const char	*append_name;
static uint64_t		 append_from, append_to;
static _Atomic uint64_t	 appended;

static void *
append_thread(void *arg)
{
	struct db	*db = arg;
	uint64_t	 i;

	for (i = append_from; i <= append_to; i++) {
		if (add(db, i) != RC_OK)
			return arg;
		atomic_store(&appended, i);
	}
	return NULL;
}

static void
test_walk_beside(void)
{
	const unsigned char	*row;
	struct db		*db, *reader;
	struct db_stats		 st;
	pthread_t		 t;
	uint64_t		 seq, n = 0;
	size_t			 len;
	void			*failed;

	check_case("a walk beside an engine that appends");
	append_name = "beside";
	db = open_db(append_name, DB_CREATE);
	reader = open_db(append_name, DB_READ);
	append_from = 1;
	append_to = 1600;
	longest = 30000;
	CHECK(db_walk(reader, 1, &err) == RC_OK);
	pthread_create(&t, NULL, append_thread, db);
	while (n < append_to) {
		if (!CHECK(db_next(reader, &seq, &row, &len, &err) ==
		    RC_OK))
			break;
		if (row == NULL) {
			usleep(1000);
			continue;
		}
		n++;
		if (!CHECK(seq == n && is_row(row, len, seq)))
			break;
		/* Nothing is seen that was not made durable; one may be
		 * that the engine was not told of yet. */
		CHECK(seq <= atomic_load(&appended) + 1);
	}
	pthread_join(t, &failed);
	CHECK(failed == NULL);
	CHECK_INT(n, append_to);
	db_stats(db, &st);
	CHECK(st.checkpoints > 0);

	check_case("the log does not grow for ever");
	/* 24 MB of rows take 35 MB of log without an end. */
	CHECK(st.log_bytes < (uint64_t)24 << 20);
	db_close(&reader);
	db_close(&db);
	longest = 9000;
}

/* A child appends and tells each number once it is durable. */
static void
append_and_tell(int fd)
{
	struct db	*db;
	struct err	 e;
	uint64_t	 seq, i;

	if (db_open(&db, at("killed"), DB_WRITE, &e) != RC_OK ||
	    db_last(db, &seq, &e) != RC_OK)
		_exit(1);
	for (i = seq + 1;; i++) {
		if (add(db, i) != RC_OK)
			_exit(1);
		if (write(fd, &i, sizeof(i)) != (ssize_t)sizeof(i))
			_exit(1);
	}
}

static void
test_killed(void)
{
	struct db	*db;
	uint64_t	 seq, acked = 0, last = 0;
	int		 fds[2], status, round, n;
	pid_t		 pid;

	check_case("killed while it appends: every row that was told is there");
	db = open_db("killed", DB_CREATE);
	db_close(&db);
	for (round = 0; round < 12; round++) {
		CHECK(pipe(fds) == 0);
		if ((pid = fork()) == 0) {
			close(fds[0]);
			append_and_tell(fds[1]);
		}
		close(fds[1]);
		for (n = 0; n < 30 * round + 1 &&
		    read(fds[0], &seq, sizeof(seq)) == (ssize_t)sizeof(seq);
		    n++)
			acked = seq;
		kill(pid, SIGKILL);
		while (read(fds[0], &seq, sizeof(seq)) ==
		    (ssize_t)sizeof(seq))
			acked = seq;
		close(fds[0]);
		CHECK(waitpid(pid, &status, 0) == pid &&
		    WIFSIGNALED(status));
		db = open_db("killed", round % 2 == 0 ? DB_WRITE : DB_READ);
		CHECK(db_last(db, &last, &err) == RC_OK);
		CHECK(last == acked || last == acked + 1);
		CHECK_INT(walk_all(db, 1), last);
		db_close(&db);
	}
}

static int
remove_one(const char *p, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(p);
}

int
main(void)
{
	int	 failed;

	if (mkdtemp(folder) == NULL) {
		perror(folder);
		return 1;
	}
	test_rows();
	test_large();
	test_copy();
	test_two_engines();
	test_walk_beside();
	test_killed();
	failed = check_done();
	if (nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
		return 1;
	return failed;
}
