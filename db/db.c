/*
 * The store's front: which implementation, and the promises that all make.
 */
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

#define COPY_ROWS	1024		/* a transaction of db_copy */

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

enum rc
db_last(struct db *db, uint64_t *seq_out, struct err *e)
{
	return db->ops->last(db, seq_out, e);
}

enum rc
db_find(struct db *db, uint64_t seq, uint64_t *row_out, struct err *e)
{
	return db->ops->find(db, seq, row_out, e);
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
	return db->ops->next(db, seq_out, row_out, len_out, e);
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

/* All rows up to `last`, into a database that nobody else knows yet. */
static enum rc
copy_rows(struct db *db, sqlite3 *to, uint64_t last, const char *path,
    void (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
    struct err *e)
{
	const char		*sql = "INSERT INTO journal VALUES(?1,?2)";
	sqlite3_stmt		*st = NULL;
	const unsigned char	*row;
	uint64_t		 seq, n = 0, done = 0, total = db_bytes(db);
	size_t			 len;
	enum rc			 rc = RC_OK;

	if (sqlite3_prepare_v2(to, sql, -1, &st, NULL) != SQLITE_OK)
		return sqlite_err(e, to, sqlite3_errcode(to), path);
	if ((rc = db_walk(db, 1, e)) != RC_OK)
		goto done;
	for (;;) {
		if ((rc = db_next(db, &seq, &row, &len, e)) != RC_OK ||
		    row == NULL || seq > last)
			break;
		if (n++ % COPY_ROWS == 0 && (rc = sqlite_exec(to, n == 1 ?
		    "BEGIN" : "COMMIT; BEGIN", path, e)) != RC_OK)
			break;
		sqlite3_bind_int64(st, 1, (sqlite3_int64)seq);
		sqlite3_bind_blob(st, 2, row, (int)len, SQLITE_STATIC);
		if (sqlite3_step(st) != SQLITE_DONE) {
			rc = sqlite_err(e, to, sqlite3_errcode(to), path);
			break;
		}
		sqlite3_reset(st);
		done += len;
		if (progress != NULL && n % COPY_ROWS == 0)
			progress(ctx, done, total > done ? total : done);
	}
	if (rc == RC_OK && n > 0)
		rc = sqlite_exec(to, "COMMIT", path, e);
	if (rc == RC_OK && progress != NULL)
		progress(ctx, done, done);
done:
	sqlite3_finalize(st);
	return rc;
}

enum rc
db_copy(struct db *db, const char *path,
    void (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
    struct err *e)
{
	sqlite3		*to = NULL;
	char		*tmp;
	uint64_t	 last;
	enum rc		 rc;

	if (access(path, F_OK) == 0)
		return err_set(e, "%s: is there already", path);
	if ((rc = db_last(db, &last, e)) != RC_OK)
		return rc;
	if ((tmp = db_join(path, ".new", e)) == NULL)
		return RC_FAILED;
	if ((rc = sqlite_make(&to, tmp, e)) == RC_OK &&
	    (rc = copy_rows(db, to, last, path, progress, ctx, e)) == RC_OK)
		rc = sqlite_made(&to, tmp, path, e);
	if (rc != RC_OK)
		sqlite_unmake(&to, tmp);
	free(tmp);
	return rc;
}

const char *
db_url(const struct db *db)
{
	return db->path;
}
