#include "engine/process/again.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "db/db.h"
#include "db/keyring.h"
#include "engine/history.h"
#include "engine/take.h"
#include "wire/bytes.h"

#define NAMES_MAX	256	/* of an account; longer ones are cut */

static struct ident
fingerprint(const struct ident_key *ids, const struct command *c)
{
	unsigned char	 b[NAMES_MAX + 64], *p = b;
	struct text	 account = c->account, script = c->script;

	if (account.len > NAMES_MAX)
		account.len = NAMES_MAX;
	assert(script.len <= 48);
	put_le64(p, (uint64_t)c->amount_sat);
	p = put_text(p + 8, script);
	p = put_text(p, account);
	return take_ident(ids, (struct text){ (const char *)b,
	    (size_t)(p - b) });
}

static bool
counts(const struct command *c)
{
	return c->type == COMMAND_WITHDRAW && c->order.p == NULL &&
	    c->script.p != NULL && c->script.len <= 48 && !c->history;
}

bool
again_is(const struct again *a, const struct ident_key *ids,
    const struct command *c, int64_t t_ms)
{
	struct ident	 id;
	int64_t		 last;

	if (!counts(c))
		return false;
	id = fingerprint(ids, c);
	last = marks_get(&a->now, id, marks_get(&a->before, id, -1));
	return last >= 0 && t_ms - last <= AGAIN_MS;
}

void
again_told(struct again *a, const struct ident_key *ids,
    const struct command *c)
{
	if (!counts(c))
		return;
	if (c->t_ms - a->since_ms > AGAIN_MS) {
		marks_free(&a->before);
		a->before = a->now;
		memset(&a->now, 0, sizeof(a->now));
		a->since_ms = c->t_ms;
	}
	marks_raise(&a->now, fingerprint(ids, c), c->t_ms);
}

void
again_free(struct again *a)
{
	marks_free(&a->now);
	marks_free(&a->before);
}

static enum rc
walk(struct again *a, struct history *h, const struct ident_key *ids,
    struct err *e)
{
	struct history_event	 ev;
	struct history_row	 row;
	bool			 more, events;
	enum rc			 rc;

	for (;;) {
		if ((rc = history_row(h, &row, &more, e)) != RC_OK || !more)
			return rc;
		for (;;) {
			rc = history_event(h, &ev, &events, e);
			if (rc != RC_OK)
				return rc;
			if (!events)
				break;
			again_told(a, ids, &ev.c);
		}
	}
}

enum rc
again_load(struct again *a, const char *journal, const struct keyring *keys,
    const struct ident_key *ids, struct err *e)
{
	struct db	*db = NULL;
	struct history	*h = NULL;
	uint64_t	 last;
	enum rc		 rc;

	memset(a, 0, sizeof(*a));
	if ((rc = db_open(&db, journal, DB_READ, e)) != RC_OK)
		return rc;
	if ((rc = db_last(db, &last, e)) == RC_OK && last > 0 &&
	    (rc = history_new(&h, db, keys, e)) == RC_OK &&
	    (rc = history_seek(h, last > AGAIN_EVENTS ?
	    last - AGAIN_EVENTS : 1, e)) == RC_OK)
		rc = walk(a, h, ids, e);
	history_free(&h);
	db_close(&db);
	return err_wrap(e, rc, "%s", journal);
}
