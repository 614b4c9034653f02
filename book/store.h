/*
 * The book's database: statements made once, values bound by a format.
 */
#ifndef BOOK_STORE_H
#define BOOK_STORE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/text.h"

#define STORE_STATEMENTS	128

struct store_db {
	sqlite3		*db;
	struct {
		const char	*sql;
		sqlite3_stmt	*stmt;
	} made[STORE_STATEMENTS];
	int		 n_made;
	struct err	 why;		/* the first failure; "" none */
};

enum rc store_open(struct store_db *s, const char *path, struct err *e)
    MUST_CHECK;
void store_close(struct store_db *s);

/*
 * Run a statement; `sql` is a literal, by whose address it is remembered.
 * `fmt` binds: i an int64_t, t a struct text as text, b one as bytes, s a
 * const char *, n an int64_t that is null when negative.  Failures are kept
 * in s->why and end everything.
 */
void store_run(struct store_db *s, const char *sql, const char *fmt, ...);
/*
 * The same for a question: the statement at its first row, or NULL: there is
 * none.  Step on with sqlite3_step(); store_done() at the end.
 */
sqlite3_stmt *store_ask(struct store_db *s, const char *sql, const char *fmt,
    ...);
bool store_next(struct store_db *s, sqlite3_stmt *q);
void store_done(sqlite3_stmt *q);

/* Columns. */
struct text store_text(sqlite3_stmt *q, int column);	/* NULL: absent */
struct text store_bytes(sqlite3_stmt *q, int column);
/* One number; `none` when there is no row. */
int64_t store_number(struct store_db *s, int64_t none, const char *sql,
    const char *fmt, ...);

#endif
