/*
 * Walking rows in steps: a step is one short read transaction that copies
 * what fits into a buffer.  A transaction left open while the caller works
 * would keep the checkpoints from the end of the log for as long.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "db/inner.h"

#ifndef WALK_BYTES
#define WALK_BYTES	((size_t)1 << 20)
#endif
#define WALK_ROWS	4096
/* A buffer that one giant row made larger is given back. */
#define WALK_BYTES_KEEP	((size_t)8 << 20)

enum rc
sqlite_walk(struct db *db, uint64_t from, struct err *e)
{
	struct walk	*w = &((struct sqlite *)db)->walk;

	if (w->rows == NULL)
		w->rows = malloc(WALK_ROWS * sizeof(*w->rows));
	if (w->rows == NULL)
		return err_set(e, "out of memory");
	w->from = from == 0 ? 1 : from;
	w->n = w->i = 0;
	w->on = true;
	return RC_OK;
}

void
sqlite_walk_free(struct walk *w)
{
	free(w->rows);
	free(w->bytes);
	memset(w, 0, sizeof(*w));
}

/* Put the statement's row into the buffer; false without memory. */
static bool
keep_row(struct walk *w, sqlite3_stmt *st)
{
	const void	*row = sqlite3_column_blob(st, 1);
	size_t		 len = (size_t)sqlite3_column_bytes(st, 1);
	size_t		 room = w->len + len;
	unsigned char	*p;

	if (row == NULL && len > 0)
		return false;
	if (room > w->room || w->bytes == NULL) {
		room = room < WALK_BYTES * 2 ? WALK_BYTES * 2 : room;
		if ((p = realloc(w->bytes, room)) == NULL)
			return false;
		w->bytes = p;
		w->room = room;
	}
	if (len > 0)
		memcpy(w->bytes + w->len, row, len);
	w->rows[w->n].seq = (uint64_t)sqlite3_column_int64(st, 0);
	w->rows[w->n].at = w->len;
	w->rows[w->n].len = len;
	w->len += len;
	w->from = w->rows[w->n].seq + 1;
	w->n++;
	return true;
}

static enum rc
fill(struct sqlite *s, struct err *e)
{
	struct walk	*w = &s->walk;
	bool		 memory = true;
	int		 code = SQLITE_DONE;

	w->n = w->i = w->len = 0;
	if (w->from > INT64_MAX)
		return RC_OK;
	if (w->room > WALK_BYTES_KEEP) {
		free(w->bytes);
		w->bytes = NULL;
		w->room = 0;
	}
	sqlite3_bind_int64(s->scan, 1, (sqlite3_int64)w->from);
	while (memory && w->n < WALK_ROWS && w->len < WALK_BYTES) {
		if ((code = sqlite3_step(s->scan)) != SQLITE_ROW)
			break;
		memory = keep_row(w, s->scan);
	}
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		code = sqlite3_extended_errcode(s->conn);
	sqlite3_reset(s->scan);
	if (!memory)
		return err_set(e, "%s: out of memory", s->db.name);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return sqlite_err(e, s->conn, code, s->db.name);
	return RC_OK;
}

enum rc
sqlite_next(struct db *db, uint64_t *seq_out, const unsigned char **row_out,
    size_t *len_out, struct err *e)
{
	struct sqlite	*s = (struct sqlite *)db;
	struct walk	*w = &s->walk;

	assert(w->on);
	*row_out = NULL;
	*seq_out = 0;
	*len_out = 0;
	if (w->i == w->n && fill(s, e) != RC_OK)
		return RC_FAILED;
	if (w->i == w->n)
		return RC_OK;
	*seq_out = w->rows[w->i].seq;
	*row_out = w->bytes + w->rows[w->i].at;
	*len_out = w->rows[w->i].len;
	w->i++;
	return RC_OK;
}
