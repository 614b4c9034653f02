/*
 * Opening and making a database.
 *
 * Everything that can be wrong with the file is found before anything is
 * written, and by reading through SQLite's own descriptor: were the file
 * opened and closed here, POSIX would drop the locks that another connection
 * of this process holds on it.
 */
#define _GNU_SOURCE	/* renameat2 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/inner.h"
#include "wire/bytes.h"

/*
 * Pages of 4 KiB: a commit of one event writes one or two, and a row of 100
 * events fills three of which the last is shared.
 */
#ifndef SQLITE_PAGE
#define SQLITE_PAGE	"4096"
#endif
#define HEAD_LEN	100		/* of an SQLite file */
#define PAGE_MAX	65536
#define LOG_HEAD_LEN	32
#define FRAME_HEAD_LEN	24
#define BUSY_MS		5000

static uint32_t
be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

static bool
exists(const char *path, const char *suffix, off_t *size_out)
{
	char		*s = db_join(path, suffix, NULL);
	struct stat	 st;
	bool		 there = s != NULL && lstat(s, &st) == 0;

	free(s);
	if (there && size_out != NULL)
		*size_out = st.st_size;
	return there;
}

/* May this process make files beside it? */
static bool
folder_writable(const char *path)
{
	char	*s = db_join(path, "", NULL), *slash;
	bool	 good;

	if (s == NULL)
		return false;
	slash = strrchr(s, '/');
	slash[slash == s] = '\0';
	good = faccessat(AT_FDCWD, s, W_OK | X_OK, AT_EACCESS) == 0;
	free(s);
	return good;
}

static enum rc
check_file(const struct db *base, struct err *e)
{
	struct stat	 st;

	if (stat(base->path, &st) == -1)
		return errno == ENOENT ? err_set(e, "%s: there is no such "
		    "database", base->name) : err_set(e, "%s: %s",
		    base->name, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return err_set(e, "%s: is a folder, not a database",
		    base->name);
	if (!S_ISREG(st.st_mode))
		return err_set(e, "%s: is not a regular file", base->name);
	if (st.st_size == 0)
		return err_set(e, "%s: is empty, not a database",
		    base->name);
	if (faccessat(AT_FDCWD, base->path, R_OK, AT_EACCESS) == -1)
		return err_set(e, "%s: may not be read: %s", base->name,
		    strerror(errno));
	if (base->mode == DB_READ)
		return RC_OK;
	if (faccessat(AT_FDCWD, base->path, W_OK, AT_EACCESS) == -1)
		return err_set(e, "%s: may not be written: %s", base->name,
		    strerror(errno));
	if (!folder_writable(base->path))
		return err_set(e, "%s: its folder may not be written",
		    base->name);
	return RC_OK;
}

/* Read from the file's start through SQLite's descriptor. */
static bool
read_start(sqlite3 *conn, unsigned char *buf, int len)
{
	sqlite3_file	*f = NULL;

	return sqlite3_file_control(conn, "main",
	    SQLITE_FCNTL_FILE_POINTER, &f) == SQLITE_OK && f != NULL &&
	    f->pMethods != NULL &&
	    f->pMethods->xRead(f, buf, len, 0) == SQLITE_OK;
}

static enum rc
check_head(sqlite3 *conn, const char *name, struct err *e)
{
	unsigned char	 h[HEAD_LEN];
	uint32_t	 format;

	if (!read_start(conn, h, sizeof(h)) ||
	    memcmp(h, "SQLite format 3", 16) != 0)
		return err_set(e, "%s: is not a database", name);
	if (be32(h + 68) != SQLITE_OURS_ID)
		return err_set(e, "%s: is a database of another program",
		    name);
	format = be32(h + 60);
	if (format > SQLITE_OURS)
		return err_set(e, "%s: made by a newer version of "
		    "Drawbridge (format %u; this one knows %d)", name,
		    (unsigned)format, SQLITE_OURS);
	if (format == 0)
		return err_set(e, "%s: is damaged: format 0", name);
	return RC_OK;
}

/* The schema, at the end of the first page, begins with the database's id. */
static const unsigned char *
page_id(const unsigned char *page, size_t len)
{
	static const char	 before[] = "CREATE TABLE journal(/*";
	const unsigned char	*p;

	p = memmem(page, len, before, sizeof(before) - 1);
	if (p == NULL || (size_t)(page + len - p) < sizeof(before) - 1 + 32)
		return NULL;
	return p + sizeof(before) - 1;
}

/* The byte order of its checksums. */
static bool
log_is_big(const unsigned char h[LOG_HEAD_LEN])
{
	return (h[3] & 1) != 0;
}

/* SQLite's checksum of a log goes on over `len` bytes, a multiple of 8. */
static void
log_sum(uint32_t sum[2], const unsigned char *p, size_t len, bool big)
{
	size_t	 i;

	for (i = 0; i < len; i += 8) {
		sum[0] += (big ? be32(p + i) : get_le32(p + i)) + sum[1];
		sum[1] += (big ? be32(p + i + 4) : get_le32(p + i + 4)) +
		    sum[0];
	}
}

/* Read one frame; false if it is torn, or was there before the log began. */
static bool
log_frame(int fd, off_t at, const unsigned char h[LOG_HEAD_LEN],
    uint32_t sum[2], unsigned char f[FRAME_HEAD_LEN], unsigned char *page,
    size_t size)
{
	if (pread(fd, f, FRAME_HEAD_LEN, at) != FRAME_HEAD_LEN ||
	    memcmp(f + 8, h + 16, 8) != 0 ||
	    pread(fd, page, size, at + FRAME_HEAD_LEN) != (ssize_t)size)
		return false;
	log_sum(sum, f, 8, log_is_big(h));
	log_sum(sum, page, size, log_is_big(h));
	return sum[0] == be32(f + 16) && sum[1] == be32(f + 20);
}

/*
 * A log left beside a database that was put in place of another would be
 * copied into it.  SQLite cannot see that; but the first page is in the log
 * whenever the database grew, and names the database.
 */
static enum rc
check_log(const struct sqlite *s, struct err *e)
{
	unsigned char		 h[LOG_HEAD_LEN], f[FRAME_HEAD_LEN];
	unsigned char		*page = NULL, *other;
	const unsigned char	*a, *b;
	char			*log = db_join(s->db.path, "-wal", e);
	off_t			 at = LOG_HEAD_LEN;
	uint32_t		 sum[2] = { 0, 0 };
	size_t			 size;
	int			 fd;
	enum rc			 rc = RC_OK;

	if (log == NULL)
		return RC_FAILED;
	fd = open(log, O_RDONLY | O_CLOEXEC);
	free(log);
	if (fd == -1)
		return RC_OK;
	if (pread(fd, h, sizeof(h), 0) != (ssize_t)sizeof(h))
		goto done;
	size = be32(h + 8);
	if ((be32(h) & 0xfffffffe) != 0x377f0682 || size > PAGE_MAX ||
	    size < 512 || (size & (size - 1)) != 0 ||
	    (page = malloc(2 * PAGE_MAX)) == NULL)
		goto done;
	other = page + PAGE_MAX;
	log_sum(sum, h, 24, log_is_big(h));
	if (sum[0] != be32(h + 24) || sum[1] != be32(h + 28))
		goto done;
	do {
		/* What SQLite does not take for a frame ends the log. */
		if (!log_frame(fd, at, h, sum, f, other, size))
			goto done;
		at += (off_t)(sizeof(f) + size);
	} while (be32(f) != 1);
	if (!read_start(s->conn, page, (int)size) ||
	    (a = page_id(page, size)) == NULL)
		goto done;
	b = page_id(other, size);
	if (b == NULL || memcmp(a, b, 32) != 0)
		rc = err_set(e, "%s-wal: belongs to another database",
		    s->db.name);
done:
	free(page);
	close(fd);
	return rc;
}

/* "file:" and the path, with what a URI would read as something else
 * escaped, and the parameters. */
static char *
uri_of(const char *path, const char *params, struct err *e)
{
	static const char	 hex[] = "0123456789abcdef";
	char			*s = malloc(3 * strlen(path) +
				    strlen(params) + 6), *p = s;

	if (s == NULL) {
		(void)err_set(e, "out of memory");
		return NULL;
	}
	memcpy(p, "file:", 5);
	p += 5;
	for (; *path != '\0'; path++) {
		if (strchr("?#%", *path) == NULL) {
			*p++ = *path;
			continue;
		}
		*p++ = '%';
		*p++ = hex[(unsigned char)*path >> 4];
		*p++ = hex[*path & 15];
	}
	memcpy(p, params, strlen(params) + 1);
	return s;
}

/*
 * How a reader opens a database in a folder that it may not write.  SQLite
 * shares an index of the log there, a file; without one:
 *  - no log either, and no engine: nothing changes while we read, and
 *    immutable=1 says so.  An engine that starts meanwhile (as another user)
 *    could make this reader see nonsense, never the other way round.
 *  - a log (a copy of what a crash left): the index is kept in memory, which
 *    SQLite does only without locks.
 */
static const char *
reader_params(const struct db *base)
{
	char	*lock;
	bool	 held;

	if (folder_writable(base->path) || exists(base->path, "-shm", NULL))
		return "?mode=ro";
	if ((lock = db_join(base->path, ".lock", NULL)) == NULL)
		return "?mode=ro";
	held = lock_held(lock);
	free(lock);
	if (held)
		return "?mode=ro";
	return exists(base->path, "-wal", NULL) ? "?mode=ro&vfs=unix-none" :
	    "?mode=ro&immutable=1";
}

static enum rc
connect(struct sqlite *s, struct err *e)
{
	const char	*params = s->db.mode == DB_READ ?
			    reader_params(&s->db) : "?mode=rw";
	char		*uri = uri_of(s->db.path, params, e);
	off_t		 log_size = 0;
	int		 code;
	enum rc		 rc;

	if (uri == NULL)
		return RC_FAILED;
	code = sqlite3_open_v2(uri, &s->conn, (s->db.mode == DB_READ ?
	    SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) |
	    SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX |
	    SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE, NULL);
	free(uri);
	if (code != SQLITE_OK)
		return sqlite_err(e, s->conn, code, s->db.name);
	if ((rc = check_head(s->conn, s->db.name, e)) != RC_OK)
		return rc;
	if (s->db.mode != DB_READ &&
	    sqlite3_db_readonly(s->conn, "main") != 0)
		return err_set(e, "%s: may not be written", s->db.name);
	if ((rc = check_log(s, e)) != RC_OK)
		return rc;
	if (strstr(params, "unix-none") != NULL)
		rc = sqlite_exec(s->conn, "PRAGMA locking_mode=EXCLUSIVE",
		    s->db.name, e);
	/* Until all is well, a log that was there stays as it is. */
	if (exists(s->db.path, "-wal", &log_size) && log_size > 0)
		sqlite3_db_config(s->conn, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE,
		    1, NULL);
	else
		s->made_log = s->db.mode == DB_READ &&
		    strcmp(params, "?mode=ro") == 0;
	sqlite3_busy_timeout(s->conn, BUSY_MS);
	return rc;
}

static enum rc
prepare(struct sqlite *s, sqlite3_stmt **out, const char *sql,
    struct err *e)
{
	int	 code = sqlite3_prepare_v3(s->conn, sql, -1,
		    SQLITE_PREPARE_PERSISTENT, out, NULL);

	if (code == SQLITE_OK)
		return RC_OK;
	/* The tables of a database of ours are not there: not ours any more.*/
	if (code == SQLITE_ERROR)
		return err_set(e, "%s: is damaged: %s", s->db.name,
		    sqlite3_errmsg(s->conn));
	return sqlite_err(e, s->conn, code, s->db.name);
}

static int
on_commit(void *ctx, sqlite3 *conn, const char *schema, int pages)
{
	struct sqlite	*s = ctx;

	(void)conn;
	(void)schema;
	atomic_store(&s->log_pages, pages);
	return SQLITE_OK;
}

static enum rc
prepare_all(struct sqlite *s, struct err *e)
{
	uint64_t	 seq;
	enum rc		 rc;

	if ((rc = sqlite_exec(s->conn, "PRAGMA synchronous=FULL;"
	    "PRAGMA wal_autocheckpoint=0;"
	    "PRAGMA cell_size_check=ON;"
	    "PRAGMA trusted_schema=OFF;"
	    "PRAGMA temp_store=MEMORY;"
	    "PRAGMA cache_size=-4096", s->db.name, e)) != RC_OK ||
	    (rc = prepare(s, &s->last, "SELECT seq FROM journal "
	    "ORDER BY seq DESC LIMIT 1", e)) != RC_OK ||
	    (rc = prepare(s, &s->find, "SELECT seq FROM journal "
	    "WHERE seq<=?1 AND seq>0 ORDER BY seq DESC LIMIT 1", e)) !=
	    RC_OK ||
	    (rc = prepare(s, &s->scan, "SELECT seq,row FROM journal "
	    "WHERE seq>=?1 ORDER BY seq", e)) != RC_OK ||
	    (rc = prepare(s, &s->pages, "PRAGMA page_count", e)) != RC_OK)
		return rc;
	if (s->db.mode != DB_READ && (rc = prepare(s, &s->insert,
	    "INSERT INTO journal(seq,row)VALUES(?1,?2)", e)) != RC_OK)
		return rc;
	return s->db.ops->last(&s->db, &seq, e);
}

/* The size of a page, for the statistics and the estimate. */
static void
read_page_size(struct sqlite *s)
{
	unsigned char	 h[HEAD_LEN];

	s->page_size = 4096;
	if (read_start(s->conn, h, sizeof(h)))
		s->page_size = h[16] == 0 && h[17] == 1 ? PAGE_MAX :
		    h[16] << 8 | h[17];
}

static enum rc
open_it(struct sqlite *s, struct err *e)
{
	enum rc	 rc;

	if ((rc = check_file(&s->db, e)) != RC_OK ||
	    (rc = connect(s, e)) != RC_OK)
		return rc;
	read_page_size(s);
	if ((rc = prepare_all(s, e)) != RC_OK || s->db.mode == DB_READ)
		return rc;
	/* The log's name must last; SQLite does not mind when it does not. */
	if ((rc = s->db.ops->last(&s->db, &s->db.last, e)) != RC_OK ||
	    (rc = db_sync_folder(s->db.path, e)) != RC_OK ||
	    (rc = checkpoint_start(&s->checkpoint, s->db.path,
	    s->page_size + FRAME_HEAD_LEN, e)) != RC_OK)
		return rc;
	sqlite3_wal_hook(s->conn, on_commit, s);
	sqlite3_db_config(s->conn, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0,
	    NULL);
	return RC_OK;
}

/* Before the lock's file is made: is there anything to lock? */
static enum rc
look_at_it(struct sqlite *s, struct err *e)
{
	enum rc	 rc;

	if ((rc = check_file(&s->db, e)) == RC_OK)
		rc = connect(s, e);
	sqlite3_close(s->conn);
	s->conn = NULL;
	return rc;
}

/* A log of a database that is gone would be taken for the new one's. */
static enum rc
check_nothing(const char *path, const char *name, struct err *e)
{
	static const char *const	 suffixes[] = { "", "-wal", "-shm",
		"-journal" };
	size_t				 i;

	for (i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (exists(path, suffixes[i], NULL))
			return err_set(e, "%s%s: is there already", name,
			    suffixes[i]);
	return RC_OK;
}

static void
remove_all(const char *tmp)
{
	static const char *const	 suffixes[] = { "-wal", "-shm",
		"-journal", "" };
	char				*s;
	size_t				 i;

	for (i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		if ((s = db_join(tmp, suffixes[i], NULL)) != NULL)
			(void)unlink(s);
		free(s);
	}
}

enum rc
sqlite_make(sqlite3 **out, const char *tmp, struct err *e)
{
	unsigned char	 id[16];
	char		 sql[512], hex[33];
	int		 fd, code;
	size_t		 i;

	*out = NULL;
	remove_all(tmp);
	/* What SQLite adds beside it takes its mode. */
	fd = open(tmp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (fd == -1)
		return err_set(e, "%s: %s", tmp, strerror(errno));
	close(fd);
	code = sqlite3_open_v2(tmp, out, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
	    SQLITE_OPEN_EXRESCODE, NULL);
	if (code != SQLITE_OK)
		return sqlite_err(e, *out, code, tmp);
	sqlite3_randomness(sizeof(id), id);
	for (i = 0; i < sizeof(id); i++)
		snprintf(hex + 2 * i, 3, "%02x", id[i]);
	/* Nobody knows it yet and a crash leaves it unknown: no journal. */
	snprintf(sql, sizeof(sql), "PRAGMA page_size=" SQLITE_PAGE ";"
	    "PRAGMA locking_mode=EXCLUSIVE;"
	    "PRAGMA journal_mode=OFF;"
	    "PRAGMA synchronous=OFF;"
	    "PRAGMA application_id=%d;"
	    "PRAGMA user_version=%d;"
	    "CREATE TABLE journal(/*%s*/seq INTEGER PRIMARY KEY,"
	    "row BLOB NOT NULL)", SQLITE_OURS_ID, SQLITE_OURS, hex);
	return sqlite_exec(*out, sql, tmp, e);
}

static enum rc
sync_file(const char *path, struct err *e)
{
	int	 fd = open(path, O_RDWR | O_CLOEXEC);
	enum rc	 rc = RC_OK;

	if (fd == -1 || fsync(fd) == -1)
		rc = err_set(e, "%s: %s", path, strerror(errno));
	if (fd != -1)
		close(fd);
	return rc;
}

enum rc
sqlite_made(sqlite3 **conn, const char *tmp, const char *path,
    struct err *e)
{
	enum rc	 rc;
	int	 code;

	if ((rc = sqlite_exec(*conn, "PRAGMA journal_mode=WAL", tmp, e)) !=
	    RC_OK)
		return rc;
	code = sqlite3_close(*conn);
	*conn = NULL;
	if (code != SQLITE_OK)
		return sqlite_err(e, NULL, code, tmp);
	if (exists(tmp, "-wal", NULL))
		return err_set(e, "%s: could not be completed", tmp);
	if ((rc = sync_file(tmp, e)) != RC_OK)
		return rc;
	/* Never over another file; where the file system cannot promise
	 * that, the engine's lock must do. */
	if (renameat2(AT_FDCWD, tmp, AT_FDCWD, path, RENAME_NOREPLACE) ==
	    -1 && (errno != EINVAL || rename(tmp, path) == -1))
		return err_set(e, "%s: %s", path, strerror(errno));
	return db_sync_folder(path, e);
}

void
sqlite_unmake(sqlite3 **conn, const char *tmp)
{
	sqlite3_close(*conn);
	*conn = NULL;
	remove_all(tmp);
}

static enum rc
create(struct sqlite *s, struct err *e)
{
	sqlite3	*conn = NULL;
	char	*tmp = db_join(s->db.path, ".new", e);
	enum rc	 rc;

	if (tmp == NULL)
		return RC_FAILED;
	if ((rc = sqlite_make(&conn, tmp, e)) == RC_OK)
		rc = sqlite_made(&conn, tmp, s->db.path, e);
	if (rc != RC_OK)
		sqlite_unmake(&conn, tmp);
	free(tmp);
	return rc;
}

static enum rc
make_and_open(struct sqlite *s, struct err *e)
{
	enum rc	 rc;

	if (s->db.mode == DB_CREATE &&
	    ((rc = check_nothing(s->db.path, s->db.name, e)) != RC_OK ||
	    (rc = create(s, e)) != RC_OK))
		return rc;
	return open_it(s, e);
}

static enum rc
lock_and_open(struct sqlite *s, struct err *e)
{
	char	*lock;
	bool	 made;
	enum rc	 rc;

	if (s->db.mode == DB_READ)
		return open_it(s, e);
	rc = s->db.mode == DB_WRITE ? look_at_it(s, e) :
	    check_nothing(s->db.path, s->db.name, e);
	if (rc != RC_OK)
		return rc;
	if ((lock = db_join(s->db.path, ".lock", e)) == NULL)
		return RC_FAILED;
	rc = lock_take(&s->lock, lock, s->db.name, &made, e);
	/* Nothing is changed where nothing was opened. */
	if (rc == RC_OK && (rc = make_and_open(s, e)) != RC_OK && made)
		(void)unlink(lock);
	free(lock);
	return rc;
}

enum rc
sqlite_open(struct db **out, const struct db *base, struct err *e)
{
	struct sqlite	*s = calloc(1, sizeof(*s));
	struct db	*d;

	if (s == NULL) {
		free(base->name);
		free(base->path);
		free(base->keyring);
		free(base->snapshots);
		return err_set(e, "out of memory");
	}
	s->db = *base;
	s->db.ops = &sqlite_ops;
	s->lock = -1;
	if (lock_and_open(s, e) != RC_OK) {
		d = &s->db;
		sqlite_close(d);
		return RC_FAILED;
	}
	*out = &s->db;
	return RC_OK;
}
