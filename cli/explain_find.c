/*
 * One withdrawal's events, found without an index.
 *
 * An id stands in rows as it was given, and what happened to it without a
 * command of its own (a delay that ended, a halt) carries its fingerprint:
 * rows are searched for either before anything in them is unpacked.  From
 * the end backwards, since questions are about what is recent; where it was
 * asked for is where the search ends.
 */
#define _GNU_SOURCE		/* memmem() */
#include <stdlib.h>
#include <string.h>

#include "cli/explain.h"
#include "engine/take.h"
#include "policy/bundle.h"
#include "wire/bytes.h"

/* How much is walked at a time, about. */
#define STEP_BYTES	((uint64_t)8 << 20)
#define STEP_EVENTS	4096

struct find {
	struct story	*s;
	unsigned char	 id[COMMAND_NAME_MAX + 1];	/* with its length */
	size_t		 id_len;
	unsigned char	 print[16];
	uint64_t	*rows;		/* of this step: those that match */
	size_t		 n, room;
	uint64_t	 bytes;		/* of this step */
};

enum rc
story_open(struct story *out, struct opened *op, const char *id,
    bool personal, struct err *e)
{
	struct genesis	 g;
	enum rc		 rc;

	memset(out, 0, sizeof(*out));
	out->id = text_of(id);
	out->op = op;
	out->keys = op->keys != NULL;
	if (out->keys)
		out->fingerprint = take_ident(&keyring_secrets(op->keys)->ids,
		    out->id);
	if ((rc = told_genesis(&g, op, e)) != RC_OK)
		return rc;
	out->told.net = (enum network)g.network;
	out->told.personal = personal;
	if ((rc = db_open(&out->db, db_url(op->db), DB_READ, e)) != RC_OK)
		return rc;
	db_stop_at(out->db, db_stops_at(op->db));
	return history_new(&out->rows, out->db, op->keys, e);
}

void
story_free(struct story *s)
{
	struct story_policy	*p;
	size_t			 i;

	for (i = 0; i < s->n; i++)
		free(s->events[i].bytes);
	free(s->events);
	while ((p = s->policies) != NULL) {
		s->policies = p->next;
		program_free(&p->program);
		policy_free(&p->policy);
		free(p);
	}
	history_free(&s->rows);
	db_close(&s->db);
	memset(s, 0, sizeof(*s));
}

/* Events that are kept */

enum rc
story_command(struct command *out, struct story *s,
    const struct story_event *ev, struct err *e)
{
	const unsigned char	*sealed = ev->sealed || ev->sealed_len == 0 ?
	    ev->bytes + ev->open_len : NULL;

	return err_wrap(e, command_unpack(out, &s->lists, ev->bytes,
	    ev->open_len, sealed, ev->sealed_len, e), "event %ju",
	    (uintmax_t)ev->seq);
}

static bool
is_named(const struct story *s, const struct command *c)
{
	return c->id.p != NULL && text_equal(c->id, s->id);
}

/* The record names it, or leaves out the id that its command names. */
static bool
is_about(const struct story *s, const struct command *c,
    const struct outcome_record *r)
{
	if (r->type == OUTCOME_HALTED || r->type == OUTCOME_RESUMED)
		return false;
	if (s->keys)
		return ident_equal(r->id, s->fingerprint);
	return is_named(s, c) && ident_none(r->id);
}

enum rc
story_outcomes(struct story *s, const struct story_event *ev,
    enum rc (*tell)(void *ctx, const struct command *c,
    const struct outcome_record *r, struct err *e), void *ctx,
    struct err *e)
{
	const unsigned char	*p, *end;
	struct outcome_of	 of = { { 0, 0 }, 0, 0 };
	struct command		 c;
	enum rc			 rc;

	if ((rc = story_command(&c, s, ev, e)) != RC_OK)
		return rc;
	if (s->keys)
		of.id = take_ident(&keyring_secrets(s->op->keys)->ids, c.id);
	of.amount_sat = c.amount_sat;
	of.t_ms = c.t_ms;
	p = ev->bytes + ev->open_len + (ev->sealed ? ev->sealed_len : 0);
	end = p + ev->outcomes_len;
	while (p < end) {
		if ((rc = outcome_unpack(&s->record, &p, end, &of, e)) !=
		    RC_OK)
			return err_wrap(e, rc, "event %ju",
			    (uintmax_t)ev->seq);
		if (is_about(s, &c, &s->record) &&
		    (rc = tell(ctx, &c, &s->record, e)) != RC_OK)
			return rc;
	}
	return RC_OK;
}

static enum rc
count(void *ctx, const struct command *c, const struct outcome_record *r,
    struct err *e)
{
	size_t	*n = ctx;

	(void)e;
	++*n;
	/* An id that was taken again with other content is not the asking. */
	if (c->type == COMMAND_WITHDRAW && r->type != OUTCOME_REPEATED &&
	    r->why != WHY_CONFLICT)
		*n |= (size_t)1 << 32;
	return RC_OK;
}

static enum rc
keep(struct story *s, struct story_event *ev, const struct row_event *raw,
    struct err *e)
{
	struct story_event	*more;
	size_t			 room;

	if (s->n == s->room) {
		room = s->room * 2 + 16;
		if ((more = realloc(s->events, room * sizeof(*more))) == NULL)
			return err_set(e, "out of memory");
		s->events = more;
		s->room = room;
	}
	ev->seq = raw->seq;
	ev->open_len = raw->open_len;
	ev->sealed = raw->sealed != NULL;
	ev->sealed_len = raw->sealed_len;
	ev->outcomes_len = raw->outcomes_len;
	if ((ev->bytes = malloc(raw->open_len + raw->sealed_len +
	    raw->outcomes_len + 1)) == NULL)
		return err_set(e, "out of memory");
	memcpy(ev->bytes, raw->open, raw->open_len);
	if (ev->sealed)
		memcpy(ev->bytes + raw->open_len, raw->sealed,
		    raw->sealed_len);
	if (raw->outcomes_len > 0)
		memcpy(ev->bytes + raw->open_len + (ev->sealed ?
		    raw->sealed_len : 0), raw->outcomes, raw->outcomes_len);
	s->events[s->n++] = *ev;
	return RC_OK;
}

/* Is it about the withdrawal?  Then it stays. */
static enum rc
look_event(struct story *s, struct story_event *at,
    const struct row_event *raw, struct err *e)
{
	struct command	 c;
	size_t		 n = 0;
	bool		 named;
	enum rc		 rc;

	if ((rc = keep(s, at, raw, e)) != RC_OK ||
	    (rc = story_command(&c, s, &s->events[s->n - 1], e)) != RC_OK)
		return rc;
	named = is_named(s, &c);
	if (c.type == COMMAND_POLICY) {
		memcpy(at->policy, c.hash, sizeof(at->policy));
		at->policy_here = true;
	}
	if ((rc = story_outcomes(s, &s->events[s->n - 1], count, &n, e)) !=
	    RC_OK)
		return rc;
	if (named && n >= (size_t)1 << 32)
		s->asked = true;
	if (!named && n == 0)
		free(s->events[--s->n].bytes);
	return RC_OK;
}

/* A row that holds the pattern somewhere. */
static enum rc
look_row(struct story *s, uint64_t seq, struct err *e)
{
	struct history_row	 row;
	struct row_event	 raw;
	struct story_event	 at;
	bool			 more;
	enum rc			 rc;

	if ((rc = history_seek(s->rows, seq, e)) != RC_OK ||
	    (rc = history_row(s->rows, &row, &more, e)) != RC_OK)
		return rc;
	memset(&at, 0, sizeof(at));
	at.row = row.head.seq;
	at.semantics = row.head.semantics;
	memcpy(at.policy, row.head.policy, sizeof(at.policy));
	while (more) {
		if ((rc = history_raw(s->rows, &raw, &more, e)) != RC_OK ||
		    (more && (rc = look_event(s, &at, &raw, e)) != RC_OK))
			return rc;
	}
	return RC_OK;
}

/* Searching */

static bool
matches(const struct find *f, const unsigned char *row, size_t len)
{
	size_t	 open;

	if (len < ROW_HEAD_LEN + ROW_HASH_LEN)
		return false;
	open = get_le32(row + 64);
	if (open > len - ROW_HEAD_LEN - ROW_HASH_LEN)
		return false;
	row += ROW_HEAD_LEN;
	return memmem(row, open, f->id, f->id_len) != NULL ||
	    (f->s->keys && memmem(row, open, f->print,
	    sizeof(f->print)) != NULL);
}

static enum rc
match(struct find *f, uint64_t seq, struct err *e)
{
	uint64_t	*more;
	size_t		 room;

	if (f->n == f->room) {
		room = f->room * 2 + 16;
		if ((more = realloc(f->rows, room * sizeof(*more))) == NULL)
			return err_set(e, "out of memory");
		f->rows = more;
		f->room = room;
	}
	f->rows[f->n++] = seq;
	return RC_OK;
}

/* The rows from number `from` up to one before `end`. */
static enum rc
step(struct find *f, uint64_t from, uint64_t end, struct err *e)
{
	struct db		*db = f->s->op->db;
	const unsigned char	*row;
	uint64_t		 seq;
	size_t			 len, i;
	enum rc			 rc;

	f->n = 0;
	f->bytes = 0;
	if ((rc = db_walk(db, from, e)) != RC_OK)
		return rc;
	for (;;) {
		if ((rc = db_next(db, &seq, &row, &len, e)) != RC_OK)
			return rc;
		if (row == NULL || seq >= end)
			break;
		f->bytes += len;
		if (matches(f, row, len) && (rc = match(f, seq, e)) != RC_OK)
			return rc;
	}
	for (i = 0; i < f->n; i++)
		if ((rc = look_row(f->s, f->rows[i], e)) != RC_OK)
			return rc;
	return RC_OK;
}

static int
by_seq(const void *x, const void *y)
{
	const struct story_event	*a = x, *b = y;

	return (a->seq > b->seq) - (a->seq < b->seq);
}

/* How many events there are, as the last row says. */
static enum rc
last_event(struct story *s, uint64_t *out, struct err *e)
{
	struct history_row	 row;
	uint64_t		 last;
	bool			 more;
	enum rc			 rc;

	if ((rc = db_last(s->db, &last, e)) != RC_OK ||
	    (rc = history_seek(s->rows, last, e)) != RC_OK ||
	    (rc = history_row(s->rows, &row, &more, e)) != RC_OK)
		return rc;
	if (!more)
		return err_set(e, "the journal has no rows");
	*out = row.head.seq + row.head.events - 1;
	return RC_OK;
}

static enum rc
backwards(struct find *f, void (*progress)(void *ctx, uint64_t done,
    uint64_t total), void *ctx, struct err *e)
{
	struct story	*s = f->s;
	uint64_t	 last = 0, end, from, n = STEP_EVENTS;
	enum rc		 rc;

	if ((rc = last_event(s, &last, e)) != RC_OK)
		return rc;
	for (end = last + 1; end > 1 && !s->asked; end = from) {
		from = end > n ? end - n : 1;
		if ((rc = db_find(s->op->db, from, &from, e)) != RC_OK)
			return rc;
		if (from == 0 || from >= end)
			return err_set(e, "event %ju: it is in no row",
			    (uintmax_t)end - 1);
		if ((rc = step(f, from, end, e)) != RC_OK)
			return rc;
		s->searched = last + 1 - from;
		if (progress != NULL)
			progress(ctx, s->searched, last);
		if (f->bytes < STEP_BYTES / 2)
			n *= 2;
		else if (f->bytes > STEP_BYTES * 2 && n > STEP_EVENTS)
			n /= 2;
	}
	return RC_OK;
}

enum rc
story_find(struct story *s, void (*progress)(void *ctx, uint64_t done,
    uint64_t total), void *ctx, struct err *e)
{
	struct find	 f = { .s = s };
	struct command	 c;
	size_t		 i;
	enum rc		 rc;

	f.id[0] = (unsigned char)s->id.len;
	memcpy(f.id + 1, s->id.p, s->id.len);
	f.id_len = s->id.len + 1;
	put_le64(f.print, s->fingerprint.lo);
	put_le64(f.print + 8, s->fingerprint.hi);
	rc = backwards(&f, progress, ctx, e);
	free(f.rows);
	if (rc != RC_OK)
		return rc;
	if (s->n > 0)
		qsort(s->events, s->n, sizeof(*s->events), by_seq);
	for (i = 0; i < s->n; i++) {
		if ((rc = story_command(&c, s, &s->events[i], e)) != RC_OK)
			return rc;
		if (c.type == COMMAND_WITHDRAW && is_named(s, &c)) {
			/* Its lists are not looked at again. */
			s->first = c;
			s->first.facts = NULL;
			s->first.n_facts = 0;
			break;
		}
	}
	return RC_OK;
}

/* Policies */

static enum rc
head_at(struct db *db, uint64_t seq, uint64_t *row_out, struct row_head *out,
    struct err *e)
{
	const unsigned char	*row;
	uint64_t		 found;
	size_t			 len;
	enum rc			 rc;

	if ((rc = db_find(db, seq, row_out, e)) != RC_OK ||
	    (rc = db_walk(db, *row_out, e)) != RC_OK ||
	    (rc = db_next(db, &found, &row, &len, e)) != RC_OK)
		return rc;
	if (row == NULL)
		return err_set(e, "event %ju: it is in no row",
		    (uintmax_t)seq);
	return err_wrap(e, row_parse(out, row, len, found, e), "row %ju",
	    (uintmax_t)found);
}

/*
 * The row that brought a policy, before row `at`, which stands under it:
 * somewhere between a row that does not and one that does.
 */
static enum rc
bringing_row(struct story *s, const unsigned char hash[32], uint64_t at,
    uint64_t *out, struct err *e)
{
	uint64_t	 low = 1, high = at, row;
	struct row_head	 h;
	enum rc		 rc;

	*out = 1;
	while (low < high) {
		if ((rc = head_at(s->db, low + (high - low - 1) / 2, &row, &h,
		    e)) != RC_OK)
			return rc;
		if (memcmp(h.policy, hash, sizeof(h.policy)) == 0) {
			high = row;
		} else {
			*out = row;
			low = row + h.events;
		}
	}
	return RC_OK;
}

static enum rc
load(struct story_policy *p, const struct history_event *ev, struct err *e)
{
	const unsigned char	*body = (const unsigned char *)ev->c.body.p;

	p->seq = ev->seq;
	if (policy_load_bundle(&p->policy, body, ev->c.body.len, NULL,
	    &p->why) != RC_OK)
		return RC_OK;
	return program_new(&p->program, p->policy, e);
}

static enum rc
read_policy(struct story *s, struct story_policy *p, uint64_t row,
    struct err *e)
{
	struct history_row	 head;
	struct history_event	 ev;
	bool			 more;
	enum rc			 rc;

	if ((rc = history_seek(s->rows, row, e)) != RC_OK ||
	    (rc = history_row(s->rows, &head, &more, e)) != RC_OK)
		return rc;
	while (more) {
		if ((rc = history_event(s->rows, &ev, &more, e)) != RC_OK)
			return rc;
		if (more && ev.c.type == COMMAND_POLICY &&
		    memcmp(ev.c.hash, p->hash, sizeof(p->hash)) == 0)
			return load(p, &ev, e);
	}
	return err_set(e, "row %ju does not bring the policy that the rows "
	    "after it name", (uintmax_t)row);
}

enum rc
story_policy(const struct story_policy **out, struct story *s,
    const struct story_event *ev, struct err *e)
{
	static const unsigned char	 none[32];
	struct story_policy		*p;
	uint64_t			 row = ev->row;
	enum rc				 rc;

	*out = NULL;
	if (memcmp(ev->policy, none, sizeof(none)) == 0)
		return RC_OK;
	for (p = s->policies; p != NULL; p = p->next) {
		if (memcmp(p->hash, ev->policy, sizeof(p->hash)) == 0) {
			*out = p;
			return RC_OK;
		}
	}
	if (!ev->policy_here && (rc = bringing_row(s, ev->policy, ev->row,
	    &row, e)) != RC_OK)
		return rc;
	if ((p = calloc(1, sizeof(*p))) == NULL)
		return err_set(e, "out of memory");
	memcpy(p->hash, ev->policy, sizeof(p->hash));
	p->next = s->policies;
	s->policies = p;
	*out = p;
	return read_policy(s, p, row, e);
}
