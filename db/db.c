/*
 * The store's front: which implementation, and the promises that all make.
 */
#define _GNU_SOURCE	/* sync_file_range */

#include "db/db.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db/inner.h"

/* A transaction of db_copy. */
#define COPY_ROWS	4096
#define COPY_BYTES	((uint64_t)8 << 20)

char *
db_join(const char *path, const char *suffix, struct err *e)
{
	size_t	 a = strlen(path), b = strlen(suffix);
	char	*s = malloc(a + b + 1);

	if (s == NULL) {
		(void)err_set(e, "out of memory");
		return NULL;
	}
	memcpy(s, path, a);
	memcpy(s + a, suffix, b + 1);
	return s;
}

/* The folder of a path, malloced. */
static char *
folder_of(const char *path, struct err *e)
{
	const char	*slash = strrchr(path, '/');
	char		*s;

	s = db_join(slash == NULL ? "." : slash == path ? "/" : path, "", e);
	if (s != NULL && slash != NULL && slash != path)
		s[slash - path] = '\0';
	return s;
}

enum rc
db_sync_folder(const char *path, struct err *e)
{
	char	*folder = folder_of(path, e);
	int	 fd;
	enum rc	 rc = RC_OK;

	if (folder == NULL)
		return RC_FAILED;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 || fsync(fd) == -1)
		rc = err_set(e, "%s: %s", folder, strerror(errno));
	if (fd != -1)
		close(fd);
	free(folder);
	return rc;
}

/*
 * The path that everything beside the database is named after: two engines
 * that come by different symbolic links must meet at one lock.
 */
static char *
real_path(const char *name, struct err *e)
{
	const char	*slash = strrchr(name, '/');
	char		*folder, *real, *path = NULL;

	if ((real = realpath(name, NULL)) != NULL)
		return real;
	if (errno != ENOENT) {
		(void)err_set(e, "%s: %s", name, strerror(errno));
		return NULL;
	}
	/* It does not exist; its folder may. */
	if ((folder = folder_of(name, e)) == NULL)
		return NULL;
	real = realpath(folder, NULL);
	if (real == NULL)
		(void)err_set(e, "%s: %s", name, strerror(errno));
	free(folder);
	if (real == NULL)
		return NULL;
	folder = db_join(real, strcmp(real, "/") == 0 ? "" : "/", e);
	free(real);
	if (folder == NULL)
		return NULL;
	path = db_join(folder, slash == NULL ? name : slash + 1, e);
	free(folder);
	return path;
}

enum rc
db_open(struct db **out, const char *url, enum db_mode mode, struct err *e)
{
	struct db	 base = { .mode = mode };

	*out = NULL;
	if (strstr(url, "://") != NULL)
		return err_set(e, "%s: only databases in files are known",
		    url);
	if (*url == '\0' || url[strlen(url) - 1] == '/')
		return err_set(e, "%s: is not the name of a file", url);
	if ((base.path = real_path(url, e)) != NULL &&
	    (base.name = db_join(url, "", e)) != NULL &&
	    (base.keyring = db_join(base.path, ".keys", e)) != NULL &&
	    (base.snapshots = db_join(base.path, ".snapshots", e)) != NULL)
		return sqlite_open(out, &base, e);
	free(base.path);
	free(base.name);
	free(base.keyring);
	return RC_FAILED;
}

void
db_close(struct db **db)
{
	struct db	*d = *db;

	if (d == NULL)
		return;
	*db = NULL;
	d->ops->close(d);
}

const char *
db_keyring_path(const struct db *db)
{
	return db->keyring;
}

const char *
db_snapshot_folder(const struct db *db)
{
	return db->snapshots;
}

enum rc
db_append(struct db *db, uint64_t seq, const unsigned char *row, size_t len,
    struct err *e)
{
	enum rc	 rc;

	assert(db->mode != DB_READ);
	assert(!db->spent);
	assert(seq > db->last && seq <= INT64_MAX);
	assert(len > 0 && len <= INT_MAX);

	if ((rc = db->ops->append(db, seq, row, len, e)) != RC_OK)
		db->spent = true;
	db->last = seq;
	return rc;
}

static enum rc
clamp(const struct db *db, uint64_t *row, enum rc rc)
{
	if (rc == RC_OK && db->stop != 0 && *row > db->stop)
		*row = db->stop;
	return rc;
}

enum rc
db_last(struct db *db, uint64_t *seq_out, struct err *e)
{
	return clamp(db, seq_out, db->ops->last(db, seq_out, e));
}

enum rc
db_find(struct db *db, uint64_t seq, uint64_t *row_out, struct err *e)
{
	return clamp(db, row_out, db->ops->find(db, seq, row_out, e));
}

void
db_stop_at(struct db *db, uint64_t row)
{
	db->stop = row;
}

uint64_t
db_stops_at(const struct db *db)
{
	return db->stop;
}

enum rc
db_walk(struct db *db, uint64_t from, struct err *e)
{
	return db->ops->walk(db, from, e);
}

enum rc
db_next(struct db *db, uint64_t *seq_out, const unsigned char **row_out,
    size_t *len_out, struct err *e)
{
	enum rc	 rc = db->ops->next(db, seq_out, row_out, len_out, e);

	if (rc == RC_OK && db->stop != 0 && *row_out != NULL &&
	    *seq_out > db->stop)
		*row_out = NULL;
	return rc;
}

uint64_t
db_bytes(struct db *db)
{
	return db->ops->bytes(db);
}

void
db_stats(struct db *db, struct db_stats *out)
{
	db->ops->stats(db, out);
}

/* Where a copy goes. */
struct copy {
	sqlite3		*to;
	sqlite3_stmt	*insert;
	const char	*path;
	int		 fd;
	uint64_t	 rows, bytes;
	uint64_t	 sent;		/* bytes on their way to the disk */
};

/*
 * Begin the next transaction when it is time.  What was written goes to the
 * disk in portions: at the end in one piece it would hold up the engine's
 * own syncs for as long as that takes.
 */
static enum rc
next_portion(struct copy *c, struct err *e)
{
	enum rc	 rc;

	if (c->rows > 0 && c->rows % COPY_ROWS != 0 &&
	    c->bytes - c->sent < COPY_BYTES)
		return RC_OK;
	if ((rc = sqlite_exec(c->to, c->rows == 0 ? "BEGIN" :
	    "COMMIT; BEGIN", c->path, e)) != RC_OK)
		return rc;
	c->sent = c->bytes;
	if (sync_file_range(c->fd, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE |
	    SYNC_FILE_RANGE_WRITE) == -1 && errno != ENOSYS)
		return err_set(e, "%s: %s", c->path, strerror(errno));
	return RC_OK;
}

static enum rc
copy_row(struct copy *c, uint64_t seq, const unsigned char *row, size_t len,
    struct err *e)
{
	enum rc	 rc;

	if ((rc = next_portion(c, e)) != RC_OK)
		return rc;
	sqlite3_bind_int64(c->insert, 1, (sqlite3_int64)seq);
	sqlite3_bind_blob64(c->insert, 2, row, len, SQLITE_STATIC);
	if (sqlite3_step(c->insert) != SQLITE_DONE)
		return sqlite_err(e, c->to, sqlite3_errcode(c->to), c->path);
	sqlite3_reset(c->insert);
	c->rows++;
	c->bytes += len;
	return RC_OK;
}

/* All rows up to `last`, into a database that nobody else knows yet. */
static enum rc
copy_rows(struct db *db, struct copy *c, uint64_t last,
    void (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
    struct err *e)
{
	const unsigned char	*row;
	uint64_t		 seq, total = db_bytes(db);
	size_t			 len;
	enum rc			 rc;

	if ((rc = db_walk(db, 1, e)) != RC_OK)
		return rc;
	for (;;) {
		if ((rc = db_next(db, &seq, &row, &len, e)) != RC_OK ||
		    row == NULL || seq > last)
			break;
		if ((rc = copy_row(c, seq, row, len, e)) != RC_OK)
			break;
		if (progress != NULL && c->rows % COPY_ROWS == 0)
			progress(ctx, c->bytes, total > c->bytes ? total :
			    c->bytes);
	}
	if (rc == RC_OK && c->rows > 0)
		rc = sqlite_exec(c->to, "COMMIT", c->path, e);
	if (rc == RC_OK && progress != NULL)
		progress(ctx, c->bytes, c->bytes);
	return rc;
}

static enum rc
copy_into(struct db *db, struct copy *c, const char *tmp, uint64_t last,
    void (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
    struct err *e)
{
	enum rc	 rc;

	c->fd = open(tmp, O_WRONLY | O_CLOEXEC);
	if (c->fd == -1)
		return err_set(e, "%s: %s", tmp, strerror(errno));
	if (sqlite3_prepare_v2(c->to, "INSERT INTO journal VALUES(?1,?2)",
	    -1, &c->insert, NULL) != SQLITE_OK)
		rc = sqlite_err(e, c->to, sqlite3_errcode(c->to), tmp);
	else
		rc = copy_rows(db, c, last, progress, ctx, e);
	sqlite3_finalize(c->insert);
	/* SQLite's locks on it go with this; nobody else knows the file. */
	close(c->fd);
	return rc;
}

enum rc
db_copy(struct db *db, const char *path,
    void (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
    struct err *e)
{
	struct copy	 c = { .path = path, .fd = -1 };
	char		*tmp;
	uint64_t	 last;
	enum rc		 rc;

	if (access(path, F_OK) == 0)
		return err_set(e, "%s: is there already", path);
	if ((rc = db_last(db, &last, e)) != RC_OK)
		return rc;
	if ((tmp = db_join(path, ".new", e)) == NULL)
		return RC_FAILED;
	if ((rc = sqlite_make(&c.to, tmp, e)) == RC_OK &&
	    (rc = copy_into(db, &c, tmp, last, progress, ctx, e)) == RC_OK)
		rc = sqlite_made(&c.to, tmp, path, e);
	if (rc != RC_OK)
		sqlite_unmake(&c.to, tmp);
	free(tmp);
	return rc;
}

const char *
db_url(const struct db *db)
{
	return db->path;
}
