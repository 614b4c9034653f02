/*
 * Most are kept as they were packed; proposals, a halt and the places of
 * sources are made into commands again.
 */
#include "book/load.h"

#include <stdlib.h>

#include "wire/command.h"

struct loading {
	struct store_db	*s;
	const struct book_config *c;
	uint64_t	 ticket;
};

static void
loaded(struct loading *l, uint64_t seq,
    const struct command *c)
{
	unsigned char	*open = malloc(command_open_room(c));
	unsigned char	*sealed = malloc(command_sealed_room(c));
	struct text	 a, s;
	size_t		 open_len, sealed_len;

	if (open != NULL && sealed != NULL && command_check(c, NULL) ==
	    RC_OK) {
		command_pack(c, open, &open_len, sealed, &sealed_len);
		a.p = (const char *)open;
		a.len = open_len;
		s.p = (const char *)sealed;
		s.len = sealed_len;
		l->c->loaded(l->c->ctx, l->ticket, seq, a, s);
	}
	free(open);
	free(sealed);
}

static void
load_approvals(struct loading *l, int64_t proposal)
{
	sqlite3_stmt	*rows = store_ask(l->s, "select by, t from approval "
	    "where proposal = ? order by t", "i", proposal);
	struct command	 c;

	for (; rows != NULL; rows = store_next(l->s, rows) ? rows : NULL) {
		command_clear(&c, COMMAND_APPROVAL,
		    sqlite3_column_int64(rows, 1));
		c.by = store_text(rows, 0);
		c.answers = proposal;
		loaded(l, (uint64_t)proposal, &c);
	}
}

static void
load_proposals(struct loading *l)
{
	sqlite3_stmt	*rows = store_ask(l->s, "select seq, by, reason, t, "
	    "expires, body from proposal where state = 'open' order by seq",
	    "");
	struct command	 c;

	for (; rows != NULL; rows = store_next(l->s, rows) ? rows : NULL) {
		command_clear(&c, COMMAND_PROPOSAL,
		    sqlite3_column_int64(rows, 3));
		c.by = store_text(rows, 1);
		c.reason = store_text(rows, 2);
		c.expires_ms = sqlite3_column_int64(rows, 4);
		c.body = store_bytes(rows, 5);
		loaded(l, (uint64_t)sqlite3_column_int64(rows, 0), &c);
		load_approvals(l, sqlite3_column_int64(rows, 0));
	}
}

static void
load_halt(struct loading *l)
{
	sqlite3_stmt	*row = store_ask(l->s, "select seq, t from halt "
	    "where until is null order by seq desc limit 1", "");
	struct command	 c;

	if (row == NULL)
		return;
	command_clear(&c, COMMAND_HALT, sqlite3_column_int64(row, 1));
	c.by = text_of("book");
	loaded(l, (uint64_t)sqlite3_column_int64(row, 0), &c);
	store_done(row);
}

/* As commands, for there is no other form. */
static void
load_sources(struct loading *l)
{
	sqlite3_stmt	*rows = store_ask(l->s, "select name, n from source",
	    "");
	struct command	 c;

	for (; rows != NULL; rows = store_next(l->s, rows) ? rows : NULL) {
		command_clear(&c, COMMAND_CLOCK, 0);
		c.by = text_of("book");
		c.source = store_text(rows, 0);
		c.n = (uint64_t)sqlite3_column_int64(rows, 1);
		loaded(l, 0, &c);
	}
}

void
load_in_force(struct store_db *s, const struct book_config *c,
    uint64_t ticket, uint64_t seq)
{
	struct loading	 own = { s, c, ticket }, *l = &own;

	sqlite3_stmt	*rows = store_ask(l->s, "select seq, open, sealed "
	    "from current order by seq", "");

	for (; rows != NULL; rows = store_next(l->s, rows) ? rows : NULL)
		l->c->loaded(l->c->ctx, l->ticket,
		    (uint64_t)sqlite3_column_int64(rows, 0),
		    store_bytes(rows, 1), store_bytes(rows, 2));
	load_proposals(l);
	load_halt(l);
	load_sources(l);
	l->c->loaded(l->c->ctx, l->ticket, seq, text_of(NULL),
	    text_of(NULL));
}
