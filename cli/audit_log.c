/*
 * drawbridge audit log: the events of a journal, one a line.
 *
 * Asked for one account, it also tells what later became of that account's
 * withdrawals, which commands name by their ids alone: their fingerprints
 * are kept as they pass.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/audit.h"
#include "cli/told.h"
#include "engine/history.h"
#include "engine/take.h"
#include "lib/civil.h"
#include "lib/json.h"
#include "lib/term.h"

/* Fingerprints, in an open table that doubles. */
struct idents {
	struct ident	*table;
	size_t		 n, room;	/* a power of two */
};

struct logging {
	const struct audit *a;
	const struct keyring *keys;
	struct told	 told;
	struct term	 term;
	struct idents	 ids;		/* of the account asked for */
	struct outcome_record *record;
	struct json	 json;
};

/* The account's withdrawals */

static struct ident *
place(struct ident *table, size_t room, struct ident id)
{
	size_t	 i = (size_t)id.lo & (room - 1);

	while (!ident_none(table[i]) && !ident_equal(table[i], id))
		i = (i + 1) & (room - 1);
	return &table[i];
}

static bool
known(const struct idents *t, struct ident id)
{
	return t->n > 0 && !ident_none(id) &&
	    !ident_none(*place(t->table, t->room, id));
}

static enum rc
remember(struct idents *t, struct ident id, struct err *e)
{
	struct ident	*more, *at;
	size_t		 room = t->room > 0 ? 2 * t->room : 64, i;

	if (known(t, id))
		return RC_OK;
	if (2 * (t->n + 1) > t->room) {
		if ((more = calloc(room, sizeof(*more))) == NULL)
			return err_set(e, "out of memory");
		for (i = 0; i < t->room; i++)
			if (!ident_none(t->table[i]))
				*place(more, room, t->table[i]) = t->table[i];
		free(t->table);
		t->table = more;
		t->room = room;
	}
	at = place(t->table, t->room, id);
	*at = id;
	t->n++;
	return RC_OK;
}

/* One event's outcomes: its own, and how many others by what they are now. */
struct came {
	bool		 own;
	struct outcome_record *first;	/* what came of the command itself */
	unsigned	 others[STATE_PAID + 1];
	unsigned	 n_others;
	bool		 halted;
	bool		 of_account;	/* of a withdrawal remembered */
};

static struct ident
id_of(const struct logging *l, struct text name)
{
	static const struct ident	 none;

	return l->keys != NULL ?
	    take_ident(&keyring_secrets(l->keys)->ids, name) : none;
}

static enum rc
read_outcomes(struct logging *l, struct came *out,
    const struct history_event *ev, struct err *e)
{
	const unsigned char	*p = ev->outcomes;
	const unsigned char	*end = p + ev->outcomes_len;
	const struct outcome_of	 of = { id_of(l, ev->c.id),
		ev->c.amount_sat, ev->c.t_ms };
	struct outcome_record	*r = &l->record[0], *other = &l->record[1];
	enum rc			 rc;

	memset(out, 0, sizeof(*out));
	out->first = r;
	while (p < end) {
		if ((rc = outcome_unpack(out->own ? other : r, &p, end, &of,
		    e)) != RC_OK)
			return err_wrap(e, rc, "event %ju",
			    (uintmax_t)ev->seq);
		if (out->own)
			r = other;
		out->of_account |= known(&l->ids, r->id);
		out->halted |= r->type == OUTCOME_HALTED;
		/* Those that fell due come before the command's own. */
		if (!out->own && ident_equal(r->id, of.id) &&
		    (!ident_none(r->id) || r->type == OUTCOME_TAKEN ||
		    r->type == OUTCOME_REFUSED ||
		    r->type == OUTCOME_RESUMED || p == end)) {
			out->own = true;
		} else if (!ident_none(r->id)) {
			out->others[r->state]++;
			out->n_others++;
		}
	}
	return RC_OK;
}

static bool
wanted(const struct logging *l, const struct history_event *ev,
    const struct came *came)
{
	const struct audit	*a = l->a;

	if (a->by != NULL && (ev->c.by.p == NULL ||
	    !text_equal(ev->c.by, text_of(a->by))))
		return false;
	return a->account == NULL || came->of_account ||
	    (ev->c.account.p != NULL &&
	    text_equal(ev->c.account, text_of(a->account)));
}

/* Text */

static void
put_others(const struct came *came)
{
	const char	*lead = came->own ? "; others: " : "others: ";
	int		 s;

	if (came->n_others == 0)
		return;
	for (s = 0; s <= STATE_PAID; s++) {
		if (came->others[s] == 0)
			continue;
		(void)printf("%s%u %s", lead, came->others[s],
		    state_text((enum state)s));
		lead = ", ";
	}
}

static void
put_style(const struct logging *l, enum term_style s)
{
	(void)fputs(term_style(&l->term, s), stdout);
}

static enum term_style
style_of(const struct came *came)
{
	if (!came->own)
		return STYLE_PLAIN;
	if (came->first->type == OUTCOME_REFUSED)
		return STYLE_BAD;
	if (came->first->type != OUTCOME_DECIDED &&
	    came->first->type != OUTCOME_REDECIDED)
		return STYLE_PLAIN;
	switch (came->first->state) {
	case STATE_WAITING:
	case STATE_STOPPED:
	case STATE_HELD:
		return STYLE_WARN;
	case STATE_DENIED:
	case STATE_CANCELLED:
	case STATE_EXPIRED:
	case STATE_FAILED:
		return STYLE_BAD;
	case STATE_RELEASED:
	case STATE_PAID:
		return STYLE_GOOD;
	}
	return STYLE_PLAIN;
}

static void
put_name(const struct logging *l, struct text name, int width)
{
	char	 safe[COMMAND_NAME_MAX + 1];

	(void)printf("%-*s", width, name.p == NULL ? "-" : term_safe(&l->term,
	    safe, sizeof(safe), name.p, name.len));
}

static void
put_line(const struct logging *l, const struct history_event *ev,
    const struct came *came)
{
	const struct command	*c = &ev->c;
	char			 when[CIVIL_TEXT_MAX], text[TOLD_MAX];
	char			 safe[TOLD_MAX];

	put_style(l, STYLE_DIM);
	(void)printf("%s %8ju ", civil_format(when, c->t_ms),
	    (uintmax_t)ev->seq);
	put_style(l, STYLE_PLAIN);
	put_name(l, c->by.p != NULL ? c->by : c->account, 12);
	(void)printf(" %s", command_type_text(c->type));
	if (c->id.p != NULL)
		(void)printf(" %s", term_safe(&l->term, safe, sizeof(safe),
		    c->id.p, c->id.len));
	if (c->by.p != NULL && c->account.p != NULL)
		(void)printf(" %s", term_safe(&l->term, safe, sizeof(safe),
		    c->account.p, c->account.len));
	(void)told_command(text, c, &l->told);
	if (text[0] != '\0')
		(void)printf(": %s", term_safe(&l->term, safe, sizeof(safe),
		    text, strlen(text)));
	if (came->own && told_outcome(text, came->first)[0] != '\0') {
		(void)fputs(" -> ", stdout);
		put_style(l, style_of(came));
		(void)fputs(text, stdout);
		put_style(l, STYLE_PLAIN);
	} else if (came->n_others > 0) {
		(void)fputs(" -> ", stdout);
	}
	if (came->halted && came->first->type != OUTCOME_HALTED)
		(void)fputs(", EVERYTHING STOPPED", stdout);
	put_others(came);
	(void)fputc('\n', stdout);
}

static void
put_json(struct logging *l, const struct history_event *ev,
    const struct came *came)
{
	struct json	*j = &l->json;
	int		 s;

	json_open_object(j, NULL);
	json_put_uint(j, "seq", ev->seq);
	told_command_json(j, &ev->c, &l->told);
	if (came->own) {
		json_open_object(j, "came");
		told_outcome_json(j, came->first);
		json_close(j);
	}
	if (came->halted)
		json_put_bool(j, "halted", true);
	if (came->n_others > 0) {
		json_open_object(j, "others");
		for (s = 0; s <= STATE_PAID; s++)
			if (came->others[s] > 0)
				json_put_uint(j, state_text((enum state)s),
				    came->others[s]);
		json_close(j);
	}
	json_close(j);
	json_line(j);
}

static enum rc
one(struct logging *l, const struct history_event *ev, struct err *e)
{
	const struct audit	*a = l->a;
	struct came		 came;
	enum rc			 rc;

	if (a->account != NULL && ev->c.type == COMMAND_WITHDRAW &&
	    l->keys != NULL &&
	    text_equal(ev->c.account, text_of(a->account)) &&
	    (rc = remember(&l->ids, id_of(l, ev->c.id), e)) != RC_OK)
		return rc;
	if ((rc = read_outcomes(l, &came, ev, e)) != RC_OK)
		return rc;
	if (ev->seq < a->from || !wanted(l, ev, &came))
		return RC_OK;
	if (a->json)
		put_json(l, ev, &came);
	else
		put_line(l, ev, &came);
	return RC_OK;
}

static enum rc
rows(struct logging *l, struct db *db, struct history *h, struct err *e)
{
	struct history_row	 row;
	struct history_event	 ev;
	uint64_t		 until = l->a->until, last;
	bool			 more;
	enum rc			 rc;

	/* What is appended meanwhile may be sealed with a key that is not
	 * in the keyring as it was opened. */
	if ((rc = db_last(db, &last, e)) != RC_OK)
		return rc;
	/* A reader that had enough (head, less) has closed the pipe. */
	while (!ferror(stdout)) {
		if ((rc = history_row(h, &row, &more, e)) != RC_OK || !more)
			return rc;
		if (until != 0 && row.head.seq > until)
			return RC_OK;
		for (;;) {
			if ((rc = history_event(h, &ev, &more, e)) != RC_OK)
				return rc;
			if (!more || (until != 0 && ev.seq > until))
				break;
			if ((rc = one(l, &ev, e)) != RC_OK)
				return rc;
		}
		if (row.head.seq >= last)
			break;
	}
	return RC_OK;
}

enum rc
audit_log(const struct audit *a, struct opened *op, struct err *e)
{
	struct logging	 l = {
		.a = a,
		.keys = op->keys,
		.told.personal = a->personal,
		.term = term_of(stdout),
	};
	struct history	*h = NULL;
	struct genesis	 g;
	enum rc		 rc;

	if ((rc = told_genesis(&g, op, e)) != RC_OK)
		return rc;
	l.told.net = (enum network)g.network;
	if ((l.record = calloc(2, sizeof(*l.record))) == NULL)
		return err_set(e, "out of memory");
	json_to_file(&l.json, stdout, false);
	if ((rc = history_new(&h, op->db, op->keys, e)) == RC_OK &&
	    (rc = history_seek(h, a->from > 0 ? a->from : 1, e)) == RC_OK)
		rc = rows(&l, op->db, h, e);
	/* What was read before a bad row is told, too. */
	if (a->json && json_end(&l.json) != RC_OK && rc == RC_OK)
		rc = err_set(e, "standard output cannot be written");
	history_free(&h);
	free(l.record);
	free(l.ids.table);
	return rc == RC_OK ? rc : err_wrap(e, rc, "%s", db_url(op->db));
}
