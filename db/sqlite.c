/*
 * The journal in SQLite: one table, a row a commit, one statement each.
 *
 * Write-ahead log, synchronous=FULL: an append is one transaction of one
 * INSERT, and returns after one fdatasync of the log.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/inner.h"

enum rc
sqlite_err(struct err *e, sqlite3 *conn, int code, const char *name)
{
	const char	*text = conn != NULL ? sqlite3_errmsg(conn) :
			    sqlite3_errstr(code);
	int		 os = conn != NULL ? sqlite3_system_errno(conn) : 0;
	int		 kind = code & 0xff;

	if (kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB)
		return err_set(e, "%s: is damaged: %s", name, text);
	if (kind == SQLITE_BUSY || kind == SQLITE_LOCKED)
		return err_set(e, "%s: another process has held it for too "
		    "long", name);
	if (kind == SQLITE_FULL)
		return err_set(e, "%s: the disk is full", name);
	if (kind == SQLITE_NOMEM)
		return err_set(e, "%s: out of memory", name);
	/* SQLite keeps the system's reason where it has one. */
	if ((kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN) && os != 0)
		return err_set(e, "%s: %s (%s)", name, strerror(os),
		    sqlite3_errstr(code));
	return err_set(e, "%s: %s", name, text);
}

enum rc
sqlite_exec(sqlite3 *conn, const char *sql, const char *name, struct err *e)
{
	int	 code = sqlite3_exec(conn, sql, NULL, NULL, NULL);

	if (code == SQLITE_OK)
		return RC_OK;
	return sqlite_err(e, conn, sqlite3_extended_errcode(conn), name);
}

static struct sqlite *
sqlite_of(struct db *db)
{
	return (struct sqlite *)db;
}

/* Is the row certainly not there? */
static bool
nothing_written(int code)
{
	int	 kind = code & 0xff;

	return kind == SQLITE_BUSY || kind == SQLITE_LOCKED ||
	    kind == SQLITE_READONLY || kind == SQLITE_TOOBIG ||
	    kind == SQLITE_CONSTRAINT || kind == SQLITE_MISUSE;
}

/*
 * Close without a checkpoint: it would sync again what could not be synced,
 * and then throw the log away.
 */
static void
keep_log(struct sqlite *s)
{
	sqlite3_db_config(s->conn, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
	    NULL);
}

static enum rc
append_failed(struct sqlite *s, int code, struct err *e)
{
	(void)sqlite_err(e, s->conn, code, s->db.name);
	keep_log(s);
	return nothing_written(code) ? RC_FAILED : RC_UNCERTAIN;
}

static enum rc
append(struct db *db, uint64_t seq, const unsigned char *row, size_t len,
    struct err *e)
{
	struct sqlite	*s = sqlite_of(db);
	int		 code;

	if (checkpoint_enter(s->checkpoint, e) != RC_OK) {
		keep_log(s);
		return err_wrap(e, RC_FAILED, "%s", db->name);
	}
	sqlite3_bind_int64(s->insert, 1, (sqlite3_int64)seq);
	sqlite3_bind_blob(s->insert, 2, row, (int)len, SQLITE_STATIC);
	code = sqlite3_step(s->insert);
	if (code == SQLITE_DONE)
		code = sqlite3_reset(s->insert);
	else
		code = sqlite3_extended_errcode(s->conn);
	checkpoint_leave(s->checkpoint);
	if (code != SQLITE_OK)
		return append_failed(s, code, e);
	checkpoint_log(s->checkpoint, atomic_load(&s->log_pages));
	s->appends++;
	return RC_OK;
}

/* The one number that a prepared statement gives; 0: none. */
static enum rc
one_number(struct sqlite *s, sqlite3_stmt *st, uint64_t *out, struct err *e)
{
	int	 code = sqlite3_step(st);

	*out = 0;
	if (code == SQLITE_ROW && sqlite3_column_int64(st, 0) > 0)
		*out = (uint64_t)sqlite3_column_int64(st, 0);
	if (code == SQLITE_ROW || code == SQLITE_DONE)
		code = sqlite3_reset(st);
	else
		code = sqlite3_reset(st) != SQLITE_OK ?
		    sqlite3_extended_errcode(s->conn) : code;
	if (code != SQLITE_OK)
		return sqlite_err(e, s->conn, code, s->db.name);
	return RC_OK;
}

static enum rc
last(struct db *db, uint64_t *seq_out, struct err *e)
{
	return one_number(sqlite_of(db), sqlite_of(db)->last, seq_out, e);
}

static enum rc
find(struct db *db, uint64_t seq, uint64_t *row_out, struct err *e)
{
	struct sqlite	*s = sqlite_of(db);

	sqlite3_bind_int64(s->find, 1, seq > INT64_MAX ? INT64_MAX :
	    (sqlite3_int64)seq);
	return one_number(s, s->find, row_out, e);
}

static uint64_t
bytes(struct db *db)
{
	struct sqlite	*s = sqlite_of(db);
	uint64_t	 pages;

	if (one_number(s, s->pages, &pages, NULL) != RC_OK)
		return 0;
	return pages * (uint64_t)s->page_size;
}

static void
stats(struct db *db, struct db_stats *out)
{
	struct sqlite	*s = sqlite_of(db);

	memset(out, 0, sizeof(*out));
	out->appends = s->appends;
	if (s->checkpoint != NULL)
		out->checkpoints = checkpoint_count(s->checkpoint);
	/* A page of the log has a header of 24 bytes. */
	out->log_bytes = (uint64_t)atomic_load(&s->log_pages) *
	    (uint64_t)(s->page_size + 24);
}

/*
 * A reader leaves an empty log behind, for it may not remove one.  Where it
 * made the log, let a connection that may write be the last to close: that
 * one removes it, if nobody else has the database open (SQLite's own locks
 * see to that).
 */
static void
remove_log(struct sqlite *s)
{
	sqlite3	*c = NULL;

	/* Only a connection that has read closes the log. */
	if (sqlite3_open_v2(s->db.path, &c, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK &&
	    sqlite3_db_readonly(c, "main") == 0)
		(void)sqlite3_exec(c, "SELECT 1 FROM journal LIMIT 1", NULL,
		    NULL, NULL);
	sqlite3_close(s->conn);
	s->conn = NULL;
	sqlite3_close(c);
}

void
sqlite_close(struct db *db)
{
	struct sqlite	*s = sqlite_of(db);

	if (!checkpoint_stop(&s->checkpoint))
		keep_log(s);
	sqlite3_finalize(s->insert);
	sqlite3_finalize(s->last);
	sqlite3_finalize(s->find);
	sqlite3_finalize(s->scan);
	sqlite3_finalize(s->pages);
	sqlite_walk_free(&s->walk);
	if (s->made_log)
		remove_log(s);
	sqlite3_close(s->conn);
	lock_give(&s->lock);
	free(db->name);
	free(db->path);
	free(db->keyring);
	free(db->snapshots);
	free(s);
}

const struct db_ops sqlite_ops = {
	.close = sqlite_close,
	.append = append,
	.last = last,
	.find = find,
	.walk = sqlite_walk,
	.next = sqlite_next,
	.bytes = bytes,
	.stats = stats,
};
