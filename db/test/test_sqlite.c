/*
 * Odd databases and failing disks: one sentence each, nothing changed.
 */
#define _GNU_SOURCE	/* nftw, setresuid */

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "db/db.h"
#include "tests/check.h"

#define NOBODY	65534

static char	 top[] = "/tmp/drawbridge-odd-XXXXXX";
static char	 folder[128];		/* the case's own */
static char	 path[256];		/* its database */
static struct err err;

/* The database's path and a suffix; a few at a time. */
static const char *
file(const char *suffix)
{
	static char	 paths[4][300];
	static int	 n;

	n = (n + 1) % 4;
	snprintf(paths[n], sizeof(paths[n]), "%s%s", path, suffix);
	return paths[n];
}

/* n bytes c into a file, which is made if need be. */
static void
put(const char *name, char c, off_t at, size_t n)
{
	char	*bytes = malloc(n + 1);
	int	 fd = open(name, O_WRONLY | O_CREAT, 0644);

	memset(bytes, c, n + 1);
	CHECK(pwrite(fd, bytes, n, at) == (ssize_t)n);
	close(fd);
	free(bytes);
}

/* FROM/NAME to the case's folder. */
static void
copy(const char *from, const char *name)
{
	char	 p[300], bytes[65536];
	ssize_t	 n;
	int	 in, out;

	snprintf(p, sizeof(p), "%s/%s", from, name);
	in = open(p, O_RDONLY);
	snprintf(p, sizeof(p), "%s/%s", folder, name);
	out = open(p, O_WRONLY | O_CREAT | O_EXCL, 0644);
	while ((n = read(in, bytes, sizeof(bytes))) > 0)
		CHECK(write(out, bytes, (size_t)n) == n);
	CHECK(n == 0 && in != -1 && out != -1);
	close(in);
	close(out);
}

/* All files of the case's folder, and then the folder. */
static void
set_modes(mode_t files, mode_t itself)
{
	char		 p[512];
	struct dirent	*d;
	DIR		*dir = opendir(folder);

	while ((d = readdir(dir)) != NULL) {
		snprintf(p, sizeof(p), "%s/%s", folder, d->d_name);
		if (d->d_name[0] != '.')
			CHECK(chmod(p, files) == 0);
	}
	closedir(dir);
	CHECK(chmod(folder, itself) == 0);
}

static int
remove_one(const char *p, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(p);
}

static void
new_case(const char *name)
{
	static int	 n;

	check_case(name);
	snprintf(folder, sizeof(folder), "%s/%d", top, n++);
	snprintf(path, sizeof(path), "%s/db", folder);
	CHECK(mkdir(folder, 0755) == 0);
}

/* A number over the names and bytes of all files of the folder. */
static uint64_t
everything(void)
{
	struct dirent	**names;
	uint64_t	  h = 14695981039346656037u;
	char		  p[512];
	int		  n = scandir(folder, &names, NULL, alphasort), i, c;
	FILE		 *f;
	char		 *s;

	for (i = 0; i < n; i++) {
		for (s = names[i]->d_name; *s != '\0'; s++)
			h = (h ^ (unsigned char)*s) * 1099511628211u;
		snprintf(p, sizeof(p), "%s/%s", folder, names[i]->d_name);
		if (names[i]->d_name[0] != '.' &&
		    (f = fopen(p, "r")) != NULL) {
			while ((c = getc(f)) != EOF)
				h = (h ^ (unsigned)c) * 1099511628211u;
			fclose(f);
		}
		free(names[i]);
	}
	free(names);
	return h;
}

/* It does not open, the sentence begins with the path and goes on so, and
 * no file changed, came or went. */
static void
refused(enum db_mode mode, const char *sentence)
{
	uint64_t	 before = everything();
	struct db	*db = NULL;
	char		 want[1024];

	snprintf(want, sizeof(want), "%s%s", path, sentence);
	CHECK(db_open(&db, path, mode, &err) == RC_FAILED);
	CHECK(db == NULL);
	err.text[strlen(want) < sizeof(err.text) ? strlen(want) : 0] = '\0';
	CHECK_STR(err.text, want);
	CHECK(everything() == before);
	db_close(&db);
}

static void
refused_both(const char *sentence)
{
	refused(DB_READ, sentence);
	refused(DB_WRITE, sentence);
}

static enum rc
add(struct db *db, uint64_t seq, size_t len, struct err *e)
{
	unsigned char	*row = malloc(len);
	enum rc		 rc;

	memset(row, (int)(seq % 251), len);
	rc = db_append(db, seq, row, len, e);
	free(row);
	return rc;
}

/* How many rows, all of them as add() made them; -1: no. */
static int
count(enum db_mode mode)
{
	const unsigned char	*row;
	struct db		*db;
	uint64_t		 seq, n = 0;
	size_t			 len, i;

	if (db_open(&db, path, mode, &err) != RC_OK ||
	    db_walk(db, 1, &err) != RC_OK) {
		db_close(&db);
		return -1;
	}
	while (db_next(db, &seq, &row, &len, &err) == RC_OK) {
		if (row == NULL) {
			db_close(&db);
			return (int)n;
		}
		for (i = 0; i < len && row[i] == seq % 251; i++)
			;
		if (i < len || seq != ++n)
			break;
	}
	db_close(&db);
	return -1;
}

/* Append rows from..to of len bytes; closed properly, or as by a crash. */
static void
fill(enum db_mode mode, uint64_t from, uint64_t to, size_t len, bool crash)
{
	struct db	*db;
	struct err	 e;
	pid_t		 pid = fork();
	uint64_t	 i;
	int		 status;

	if (pid == 0) {
		if (db_open(&db, path, mode, &e) != RC_OK) {
			printf("# %s\n", e.text);
			_exit(1);
		}
		for (i = from; i <= to; i++)
			if (add(db, i, len, &e) != RC_OK)
				_exit(1);
		if (!crash)
			db_close(&db);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

static void
sql(const char *text)
{
	sqlite3	*c;

	CHECK(sqlite3_open(path, &c) == SQLITE_OK);
	CHECK(sqlite3_exec(c, text, NULL, NULL, NULL) == SQLITE_OK);
	sqlite3_close(c);
}

static void
test_not_ours(void)
{
	new_case("no database");
	refused_both(": there is no such database");
	snprintf(path, sizeof(path), "%s/no/db", folder);
	refused_both(": No such file or directory");
	refused(DB_CREATE, ": No such file or directory");

	new_case("a folder");
	CHECK(mkdir(path, 0755) == 0);
	refused_both(": is a folder, not a database");
	refused(DB_CREATE, ": is there already");

	new_case("no regular file");
	CHECK(mkfifo(path, 0644) == 0);
	check_that(access(path, F_OK) == 0, "a pipe", __FILE__, __LINE__);
	CHECK(db_open(&(struct db *){ NULL }, path, DB_READ, &err) ==
	    RC_FAILED);
	CHECK(strstr(err.text, ": is not a regular file") != NULL);

	new_case("an empty file");
	put(path, 0, 0, 0);
	refused_both(": is empty, not a database");
	refused(DB_CREATE, ": is there already");

	new_case("a text");
	put(path, 'x', 0, 17);
	refused_both(": is not a database");
	new_case("a long text");
	put(path, 'x', 0, 50000);
	refused_both(": is not a database");

	new_case("a database of another program");
	sql("CREATE TABLE coins(a); INSERT INTO coins VALUES(1)");
	refused_both(": is a database of another program");
	new_case("a database of another program, with a log");
	sql("PRAGMA application_id=1; PRAGMA journal_mode=WAL;"
	    "CREATE TABLE coins(a); INSERT INTO coins VALUES(1)");
	refused_both(": is a database of another program");

	new_case("a database of a newer version");
	fill(DB_CREATE, 1, 3, 100, false);
	sql("PRAGMA user_version=2");
	refused_both(": made by a newer version of Drawbridge (format 2; "
	    "this one knows 1)");

	new_case("another kind of address");
	CHECK(db_open(&(struct db *){ NULL }, "postgresql://x/y", DB_READ,
	    &err) == RC_FAILED);
	CHECK_STR(err.text,
	    "postgresql://x/y: only databases in files are known");
	CHECK(db_open(&(struct db *){ NULL }, "", DB_READ, &err) ==
	    RC_FAILED);
	CHECK(db_open(&(struct db *){ NULL }, "a/", DB_CREATE, &err) ==
	    RC_FAILED);
}

static void
test_damaged(void)
{
	uint64_t	 before;

	new_case("a damaged root page");
	fill(DB_CREATE, 1, 80, 4000, false);
	put(path, 'z', 4096, 8);
	refused_both(": is damaged: ");

	new_case("a damaged first page");
	fill(DB_CREATE, 1, 80, 4000, false);
	CHECK(unlink(file(".lock")) == 0);
	put(path, 0, 100, 3900);
	refused_both(": is damaged: ");

	new_case("a table that is not ours any more");
	fill(DB_CREATE, 1, 3, 100, false);
	CHECK(unlink(file(".lock")) == 0);
	sql("DROP TABLE journal");
	refused_both(": is damaged: ");

	new_case("a file cut in the middle");
	fill(DB_CREATE, 1, 80, 4000, false);
	CHECK(unlink(file(".lock")) == 0);
	CHECK(truncate(path, 100000) == 0);
	refused_both(": is damaged: ");

	new_case("damage in the middle is found when it is read");
	fill(DB_CREATE, 1, 80, 4000, false);
	put(path, 'x', 30 * 4096, 20000);
	before = everything();
	CHECK_INT(count(DB_READ), -1);
	CHECK(strstr(err.text, ": is damaged: ") != NULL);
	CHECK(everything() == before);
}

/* What was written last of the log did not get to the disk. */
static void
tear_log(void)
{
	char	 log[300], byte = 0;
	off_t	 end;
	int	 fd;

	snprintf(log, sizeof(log), "%s-wal", path);
	fd = open(log, O_RDWR);
	end = lseek(fd, 0, SEEK_END);
	while (end > 0 && byte == 0)
		CHECK(pread(fd, &byte, 1, --end) == 1);
	byte = (char)~byte;
	CHECK(pwrite(fd, &byte, 1, end) == 1);
	close(fd);
}

static void
test_logs(void)
{
	uint64_t	 before;
	char		 other[256];

	new_case("a log of another database");
	fill(DB_CREATE, 1, 80, 4000, true);
	CHECK(rename(file("-wal"), file(".saved")) == 0);
	CHECK(unlink(path) == 0 && unlink(file("-shm")) == 0);
	fill(DB_CREATE, 1, 20, 1000, false);
	CHECK(unlink(file(".lock")) == 0);
	CHECK(rename(file(".saved"), file("-wal")) == 0);
	refused_both("-wal: belongs to another database");
	CHECK(unlink(file("-wal")) == 0);
	CHECK_INT(count(DB_READ), 20);

	new_case("a new database beside an old log");
	fill(DB_CREATE, 1, 80, 4000, true);
	CHECK(unlink(path) == 0 && unlink(file(".lock")) == 0);
	refused(DB_CREATE, "-wal: is there already");

	new_case("a torn log: what was whole counts");
	fill(DB_CREATE, 1, 10, 100, true);
	tear_log();
	CHECK_INT(count(DB_WRITE), 9);
	CHECK_INT(count(DB_READ), 9);

	new_case("noise instead of a log");
	fill(DB_CREATE, 1, 10, 100, false);
	put(file("-wal"), 'x', 0, 50000);
	CHECK_INT(count(DB_WRITE), 10);

	new_case("a copy of what a crash left");
	fill(DB_CREATE, 1, 80, 4000, true);
	snprintf(other, sizeof(other), "%s", folder);
	new_case("a copy of what a crash left, without its index");
	copy(other, "db");
	copy(other, "db-wal");
	CHECK_INT(count(DB_READ), 80);
	CHECK_INT(count(DB_WRITE), 80);

	new_case("reading changes nothing");
	fill(DB_CREATE, 1, 80, 4000, false);
	before = everything();
	CHECK_INT(count(DB_READ), 80);
	CHECK(everything() == before);
}

static void
test_create(void)
{
	struct db	*db;

	new_case("never over another");
	fill(DB_CREATE, 1, 3, 100, false);
	refused(DB_CREATE, ": is there already");

	new_case("what a crash left of a creation goes");
	put(file(".new"), 'x', 0, 100);
	put(file(".new-wal"), 'x', 0, 100);
	CHECK(db_open(&db, path, DB_CREATE, &err) == RC_OK);
	db_close(&db);
	CHECK_INT(count(DB_WRITE), 0);
	CHECK(access(file(".new"), F_OK) == -1);
	CHECK(access(file(".new-wal"), F_OK) == -1);

	new_case("a name with everything in it");
	snprintf(path, sizeof(path), "%s/a ?#%%41 \xc3\xa9'\";", folder);
	fill(DB_CREATE, 1, 3, 100, false);
	CHECK_INT(count(DB_READ), 3);
	CHECK_INT(count(DB_WRITE), 3);
	CHECK(access(path, F_OK) == 0);
}

/* As somebody without rights: in a child, for there is no way back. */
static void
as_nobody(void (*what)(void))
{
	pid_t	 pid = fork();
	int	 status;

	if (pid == 0) {
		check_case_failed = 0;
		if (getuid() == 0 && (setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
		    setresuid(NOBODY, NOBODY, NOBODY) != 0))
			_exit(1);
		what();
		fflush(stdout);
		_exit(check_case_failed != 0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

static void
may_not_be_read(void)
{
	refused_both(": may not be read: Permission denied");
}

static void
may_not_be_written(void)
{
	refused(DB_WRITE, ": may not be written: Permission denied");
	CHECK_INT(count(DB_READ), 80);
}

static void
folder_may_not_be_written(void)
{
	refused(DB_WRITE, ": its folder may not be written");
	CHECK_INT(count(DB_READ), 80);
}

static void
reads_all(void)
{
	uint64_t	 before = everything();

	CHECK_INT(count(DB_READ), 80);
	if (check_case_failed != 0)
		printf("#   %s\n", err.text);
	CHECK(everything() == before);
}

static void
may_not_be_created(void)
{
	refused(DB_CREATE, ".lock: Permission denied");
}

/*
 * An engine with 80 rows, until *fd_out is closed.  In a child: SQLite must
 * not be carried over a fork.
 */
static pid_t
engine_in_child(int *fd_out)
{
	struct db	*db;
	struct err	 e;
	uint64_t	 i;
	char		 c = 0;
	int		 up[2], down[2];
	pid_t		 pid;

	CHECK(pipe(up) == 0 && pipe(down) == 0);
	if ((pid = fork()) == 0) {
		close(down[1]);
		if (db_open(&db, path, DB_CREATE, &e) != RC_OK)
			_exit(1);
		for (i = 1; i <= 80; i++)
			if (add(db, i, 100, &e) != RC_OK)
				_exit(1);
		if (write(up[1], &c, 1) != 1 || read(down[0], &c, 1) != 0)
			_exit(1);
		db_close(&db);
		_exit(0);
	}
	close(up[1]);
	close(down[0]);
	CHECK(read(up[0], &c, 1) == 1);
	close(up[0]);
	*fd_out = down[1];
	return pid;
}

static void
test_rights(void)
{
	char	 other[256];
	pid_t	 pid;
	int	 fd, status;

	CHECK(chmod(top, 0755) == 0);
	new_case("may not be read");
	fill(DB_CREATE, 1, 80, 4000, false);
	set_modes(0, 0755);
	as_nobody(may_not_be_read);

	new_case("may not be written");
	fill(DB_CREATE, 1, 80, 4000, false);
	set_modes(0444, 0777);
	as_nobody(may_not_be_written);

	new_case("a folder that may not be written");
	fill(DB_CREATE, 1, 80, 4000, false);
	set_modes(0666, 0555);
	as_nobody(folder_may_not_be_written);

	new_case("no right to make one");
	CHECK(chmod(folder, 0555) == 0);
	as_nobody(may_not_be_created);

	new_case("a copy in a folder that may not be written");
	fill(DB_CREATE, 1, 80, 4000, true);
	snprintf(other, sizeof(other), "%s", folder);
	new_case("... with the log, without its index");
	copy(other, "db");
	copy(other, "db-wal");
	set_modes(0444, 0555);
	as_nobody(reads_all);

	new_case("... with both, nobody there");
	copy(other, "db");
	copy(other, "db-wal");
	copy(other, "db-shm");
	set_modes(0444, 0555);
	as_nobody(reads_all);

	new_case("an engine of another user runs");
	pid = engine_in_child(&fd);
	set_modes(0644, 0555);
	as_nobody(reads_all);
	close(fd);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

/* Append until it fails; which code, and how many before. */
static enum rc
append_until(struct db *db, uint64_t *n, size_t len)
{
	enum rc	 rc;

	do {
		rc = add(db, *n + 1, len, &err);
		if (rc == RC_OK)
			(*n)++;
	} while (rc == RC_OK && *n < 4000);
	return rc;
}

static void
limit_files(rlim_t bytes)
{
	struct rlimit	 l = { bytes, RLIM_INFINITY };

	signal(SIGXFSZ, SIG_IGN);
	CHECK(setrlimit(RLIMIT_FSIZE, &l) == 0);
}

static void
test_full(void)
{
	struct db	*db;
	uint64_t	 n = 0;
	pid_t		 pid;
	int		 status;

	new_case("a log that cannot grow");
	CHECK(db_open(&db, path, DB_CREATE, &err) == RC_OK);
	limit_files(1 << 20);
	CHECK(append_until(db, &n, 4000) == RC_UNCERTAIN);
	limit_files(RLIM_INFINITY);
	CHECK(n > 50 && n < 300);
	CHECK(strncmp(err.text, path, strlen(path)) == 0);

	check_case("after a failed append there is no other");
	if ((pid = fork()) == 0) {
		/* The assert's own line is not for the test's output. */
		close(STDERR_FILENO);
		(void)!add(db, n + 2, 10, &err);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) &&
	    WTERMSIG(status) == SIGABRT);
	db_close(&db);

	check_case("what was durable before it failed is there");
	CHECK_INT(count(DB_READ), n);
	CHECK_INT(count(DB_WRITE), n);

	new_case("a checkpoint that fails ends it");
	n = 40;
	fill(DB_CREATE, 1, n, 1000000, false);
	CHECK(db_open(&db, path, DB_WRITE, &err) == RC_OK);
	limit_files(34 << 20);
	CHECK(append_until(db, &n, 100000) == RC_FAILED);
	limit_files(RLIM_INFINITY);
	CHECK(n > 60 && n < 600);
	CHECK(strstr(err.text, ": checkpoint: ") != NULL);
	db_close(&db);
	CHECK(access(file("-wal"), F_OK) == 0);
	CHECK_INT(count(DB_READ), n);
	CHECK_INT(count(DB_WRITE), n);

	new_case("no room for the whole log");
	n = 0;
	CHECK(db_open(&db, path, DB_CREATE, &err) == RC_OK);
	limit_files(4 << 20);
	CHECK(append_until(db, &n, 4000) == RC_FAILED);
	limit_files(RLIM_INFINITY);
	CHECK(strstr(err.text, ": the log: File too large") != NULL);
	db_close(&db);
	CHECK_INT(count(DB_READ), n);
	CHECK_INT(count(DB_WRITE), n);

	new_case("a creation that fails leaves nothing");
	limit_files(6000);
	CHECK(db_open(&db, path, DB_CREATE, &err) == RC_FAILED);
	limit_files(RLIM_INFINITY);
	CHECK(access(path, F_OK) == -1 && access(file(".new"), F_OK) == -1);
	CHECK(db_open(&db, path, DB_CREATE, &err) == RC_OK);
	db_close(&db);
}

static void
test_busy(void)
{
	struct db	*db;
	sqlite3		*c;

	new_case("somebody else writes");
	CHECK(db_open(&db, path, DB_CREATE, &err) == RC_OK);
	CHECK(add(db, 1, 100, &err) == RC_OK);
	CHECK(sqlite3_open(path, &c) == SQLITE_OK);
	CHECK(sqlite3_exec(c, "BEGIN IMMEDIATE", NULL, NULL, NULL) ==
	    SQLITE_OK);
	CHECK(add(db, 2, 100, &err) == RC_FAILED);
	CHECK(strstr(err.text, ": another process has held it for too long")
	    != NULL);
	sqlite3_close(c);
	db_close(&db);
	CHECK_INT(count(DB_READ), 1);
}

static void
test_stuck_reader(void)
{
	struct db	*db;
	struct db_stats	 st;
	sqlite3		*c;
	sqlite3_stmt	*q;
	uint64_t	 i;

	new_case("a reader that stands in the log holds nobody up");
	CHECK(db_open(&db, path, DB_CREATE, &err) == RC_OK);
	CHECK(add(db, 1, 100, &err) == RC_OK);
	CHECK(add(db, 2, 100, &err) == RC_OK);
	CHECK(sqlite3_open(path, &c) == SQLITE_OK);
	CHECK(sqlite3_prepare_v2(c, "SELECT seq FROM journal", -1, &q,
	    NULL) == SQLITE_OK);
	CHECK(sqlite3_step(q) == SQLITE_ROW);
	for (i = 3; i <= 300; i++)
		CHECK(add(db, i, 100000, &err) == RC_OK);
	db_stats(db, &st);
	CHECK(st.log_bytes > (uint64_t)25 << 20);
	CHECK(st.checkpoints < 30);

	check_case("and when it leaves the log is short again");
	sqlite3_finalize(q);
	/* How soon is the disk's matter. */
	while (i <= 5000 && st.log_bytes >= (uint64_t)24 << 20) {
		CHECK(add(db, i++, 100000, &err) == RC_OK);
		db_stats(db, &st);
	}
	CHECK(st.log_bytes < (uint64_t)24 << 20);
	sqlite3_close(c);
	db_close(&db);
	CHECK_INT(count(DB_READ), i - 1);
}

int
main(void)
{
	int	 failed;

	/* Children must not print again what waits in a buffer. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (mkdtemp(top) == NULL) {
		perror(top);
		return 1;
	}
	test_not_ours();
	test_damaged();
	test_logs();
	test_create();
	test_rights();
	test_full();
	test_busy();
	test_stuck_reader();
	failed = check_done();
	CHECK(nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
	return failed;
}
