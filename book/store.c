/*
 * A thin coat over SQLite.
 */
#include "book/store.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

static void
fail(struct store_db *s)
{
	if (s->why.text[0] == '\0')
		(void)err_set(&s->why, "the book: %s",
		    sqlite3_errmsg(s->db));
}

enum rc
store_open(struct store_db *s, const char *path, struct err *e)
{
	static const char	 set[] = "pragma journal_mode=wal;"
		"pragma synchronous=normal; pragma busy_timeout=5000;"
		/* Ids are random: their index wants to be in memory. */
		"pragma cache_size=-65536; pragma wal_autocheckpoint=8000;"
		"pragma temp_store=memory;";

	memset(s, 0, sizeof(*s));
	if (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK ||
	    sqlite3_exec(s->db, set, NULL, NULL, NULL) != SQLITE_OK) {
		(void)err_set(e, "%s: %s", path, sqlite3_errmsg(s->db));
		store_close(s);
		return RC_FAILED;
	}
	return RC_OK;
}

void
store_close(struct store_db *s)
{
	int	 i;

	for (i = 0; i < s->n_made; i++)
		(void)sqlite3_finalize(s->made[i].stmt);
	s->n_made = 0;
	(void)sqlite3_close(s->db);
	s->db = NULL;
}

static sqlite3_stmt *
statement(struct store_db *s, const char *sql)
{
	sqlite3_stmt	*q = NULL;
	int		 i;

	for (i = 0; i < s->n_made; i++) {
		if (s->made[i].sql == sql)
			return s->made[i].stmt;
	}
	assert(s->n_made < STORE_STATEMENTS);
	if (sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &q,
	    NULL) != SQLITE_OK) {
		fail(s);
		return NULL;
	}
	s->made[s->n_made].sql = sql;
	s->made[s->n_made++].stmt = q;
	return q;
}

static int
bind_text(sqlite3_stmt *q, int at, struct text t, bool bytes)
{
	if (t.p == NULL)
		return sqlite3_bind_null(q, at);
	return bytes ? sqlite3_bind_blob(q, at, t.p, (int)t.len,
	    SQLITE_STATIC) : sqlite3_bind_text(q, at, t.p, (int)t.len,
	    SQLITE_STATIC);
}

static sqlite3_stmt *
bound(struct store_db *s, const char *sql, const char *fmt, va_list ap)
{
	sqlite3_stmt	*q = statement(s, sql);
	int64_t		 v;
	int		 at = 0, r = SQLITE_OK;

	if (q == NULL)
		return NULL;
	for (; *fmt != '\0' && r == SQLITE_OK; fmt++) {
		at++;
		if (*fmt == 't' || *fmt == 'b')
			r = bind_text(q, at, va_arg(ap, struct text),
			    *fmt == 'b');
		else if (*fmt == 's')
			r = bind_text(q, at, text_of(va_arg(ap,
			    const char *)), false);
		else {
			v = va_arg(ap, int64_t);
			r = *fmt == 'n' && v < 0 ? sqlite3_bind_null(q, at) :
			    sqlite3_bind_int64(q, at, v);
		}
	}
	if (r != SQLITE_OK) {
		fail(s);
		return NULL;
	}
	return q;
}

void
store_run(struct store_db *s, const char *sql, const char *fmt, ...)
{
	sqlite3_stmt	*q;
	va_list		 ap;
	int		 r;

	va_start(ap, fmt);
	q = bound(s, sql, fmt, ap);
	va_end(ap);
	if (q == NULL)
		return;
	r = sqlite3_step(q);
	if (r != SQLITE_DONE && r != SQLITE_ROW)
		fail(s);
	store_done(q);
}

sqlite3_stmt *
store_ask(struct store_db *s, const char *sql, const char *fmt, ...)
{
	sqlite3_stmt	*q;
	va_list		 ap;

	va_start(ap, fmt);
	q = bound(s, sql, fmt, ap);
	va_end(ap);
	if (q == NULL || store_next(s, q))
		return q;
	return NULL;
}

bool
store_next(struct store_db *s, sqlite3_stmt *q)
{
	int	 r = sqlite3_step(q);

	if (r == SQLITE_ROW)
		return true;
	if (r != SQLITE_DONE)
		fail(s);
	store_done(q);
	return false;
}

void
store_done(sqlite3_stmt *q)
{
	if (q == NULL)
		return;
	(void)sqlite3_reset(q);
	(void)sqlite3_clear_bindings(q);
}

struct text
store_bytes(sqlite3_stmt *q, int column)
{
	struct text	 t = { NULL, 0 };

	if (sqlite3_column_type(q, column) == SQLITE_NULL)
		return t;
	t.p = sqlite3_column_blob(q, column);
	t.len = (size_t)sqlite3_column_bytes(q, column);
	/* SQLite has no place for no bytes. */
	if (t.p == NULL)
		t.p = "";
	return t;
}

struct text
store_text(sqlite3_stmt *q, int column)
{
	return store_bytes(q, column);
}

int64_t
store_number(struct store_db *s, int64_t none, const char *sql,
    const char *fmt, ...)
{
	sqlite3_stmt	*q;
	va_list		 ap;

	va_start(ap, fmt);
	q = bound(s, sql, fmt, ap);
	va_end(ap);
	if (q == NULL || !store_next(s, q))
		return none;
	if (sqlite3_column_type(q, 0) != SQLITE_NULL)
		none = sqlite3_column_int64(q, 0);
	store_done(q);
	return none;
}
