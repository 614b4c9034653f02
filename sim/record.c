#include "sim/record.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/history.h"
#include "lib/civil.h"
#include "sim/command.h"
#include "sim/scenario.h"

/* How much of a journal's end is looked at first for a source. */
#define TAIL		4096
#define PROGRESS_EVERY	512

struct record {
	struct scenario_reader *reader;
	struct command_room room;
	struct command	c;		/* the command in hand */
	uint64_t	line;		/* its line */
	uint64_t	ignored;	/* lines passed over up to it */
	int64_t		first_ms;
	bool		more;		/* there is one */
	bool		history;
	char		source[COMMAND_NAME_MAX + 1];
};

/* The file */

/* The next line that is a command. */
static enum rc
next(struct record *r, struct err *e)
{
	struct scenario_event	 ev;
	bool			 any = false;

	do {
		if (scenario_read(r->reader, &ev, &r->more, e) != RC_OK)
			return RC_FAILED;
		if (!r->more)
			return RC_OK;
		r->line = scenario_reader_line(r->reader);
		if (command_of_event(&r->c, &any, &r->room, &ev,
		    scenario_reader_network(r->reader), r->history, e) !=
		    RC_OK)
			return scenario_reader_blame(r->reader, r->line,
			    NULL, e);
		if (!any && ev.type != SCENARIO_HEADER)
			r->ignored++;
	} while (!any);
	r->c.source = text_of(r->source);
	r->c.n = r->line;
	return RC_OK;
}

enum rc
record_new(struct record **out, const char *path, bool history,
    struct err *e)
{
	struct record	*r = calloc(1, sizeof(*r));
	const char	*slash = strrchr(path, '/');
	const char	*name = slash != NULL ? slash + 1 : path;
	enum rc		 rc;

	*out = NULL;
	if (r == NULL)
		return err_set(e, "out of memory");
	r->history = history;
	if (strlen(name) > COMMAND_NAME_MAX)
		rc = err_set(e, "%.40s...: the journal keeps the file's name, "
		    "and it is longer than %d bytes", name, COMMAND_NAME_MAX);
	else {
		memcpy(r->source, name, strlen(name) + 1);
		rc = scenario_reader_open(&r->reader, path, e);
	}
	if (rc == RC_OK && (rc = next(r, e)) == RC_OK && r->more)
		r->first_ms = r->c.t_ms;
	if (rc != RC_OK)
		record_free(&r);
	else
		*out = r;
	return rc;
}

void
record_free(struct record **rp)
{
	struct record	*r = *rp;

	*rp = NULL;
	if (r == NULL)
		return;
	scenario_reader_free(&r->reader);
	free(r);
}

int64_t
record_first_ms(const struct record *r)
{
	return r->first_ms;
}

enum network
record_network(const struct record *r)
{
	return scenario_reader_network(r->reader);
}

const char *
record_source(const struct record *r)
{
	return r->source;
}

/* Where it had come to */

/* The last of the source among events FROM <= seq < UNTIL. */
static enum rc
look(struct record_place *out, struct history *h, struct text source,
    uint64_t from, uint64_t until, struct err *e)
{
	struct history_event	 ev;
	struct history_row	 row;
	bool			 more;
	enum rc			 rc;

	if ((rc = history_seek(h, from, e)) != RC_OK)
		return rc;
	for (;;) {
		if ((rc = history_row(h, &row, &more, e)) != RC_OK)
			return rc;
		if (!more || row.head.seq >= until)
			return RC_OK;
		if (until == UINT64_MAX)
			out->last_seq = row.head.seq + row.head.events - 1;
		while ((rc = history_event(h, &ev, &more, e)) == RC_OK &&
		    more) {
			if (!text_equal(ev.c.source, source))
				continue;
			out->n = ev.c.n;
			out->t_ms = ev.c.t_ms;
			out->type = ev.c.type;
		}
		if (rc != RC_OK)
			return rc;
	}
}

enum rc
record_place(struct record_place *out, struct db *db, struct text source,
    struct err *e)
{
	struct history		*h = NULL;
	uint64_t		 row, until, from, step = TAIL;
	enum rc			 rc;

	memset(out, 0, sizeof(*out));
	if ((rc = db_last(db, &row, e)) != RC_OK || row == 0)
		return rc;
	if ((rc = history_new(&h, db, NULL, e)) != RC_OK)
		return rc;
	for (until = UINT64_MAX, from = row; out->n == 0; step *= 4) {
		if ((rc = look(out, h, source, from, until, e)) != RC_OK ||
		    from == 1)
			break;
		/* Rows are whole: the one that holds `from` was read. */
		until = from;
		from = from > step ? from - step : 1;
	}
	history_free(&h);
	return rc;
}

static enum rc
live_in(uint64_t *seq_out, struct history *h, uint64_t from, uint64_t until,
    struct err *e)
{
	struct history_event	 ev;
	struct history_row	 row;
	bool			 more;
	enum rc			 rc;

	if ((rc = history_seek(h, from, e)) != RC_OK)
		return rc;
	for (;;) {
		if ((rc = history_row(h, &row, &more, e)) != RC_OK)
			return rc;
		if (!more || row.head.seq >= until)
			return RC_OK;
		while ((rc = history_event(h, &ev, &more, e)) == RC_OK && more)
			if (ev.c.type == COMMAND_WITHDRAW && !ev.c.history)
				*seq_out = ev.seq;
		if (rc != RC_OK)
			return rc;
	}
}

enum rc
record_live(uint64_t *seq_out, struct db *db, struct err *e)
{
	struct history		*h = NULL;
	uint64_t		 row, until, from, step = TAIL;
	enum rc			 rc;

	*seq_out = 0;
	if ((rc = db_last(db, &row, e)) != RC_OK || row == 0 ||
	    (rc = history_new(&h, db, NULL, e)) != RC_OK)
		return rc;
	for (until = UINT64_MAX, from = row; *seq_out == 0; step *= 4) {
		if ((rc = live_in(seq_out, h, from, until, e)) != RC_OK ||
		    from == 1)
			break;
		until = from;
		from = from > step ? from - step : 1;
	}
	history_free(&h);
	return rc;
}

/* Playing */

static void
count(void *ctx, const struct outcome *o)
{
	struct record_counts	*n = ctx;

	if (o->type == OUTCOME_REFUSED || o->type == OUTCOME_REPEATED)
		n->refused++;
	if (o->type != OUTCOME_DECIDED)
		return;
	if (o->state == STATE_STOPPED)
		n->stopped++;
	else
		n->verdicts[o->verdict]++;
}

static enum rc
other_file(const struct record *r, struct err *e)
{
	(void)err_set(e, "the journal took other lines from a file of this "
	    "name; give this one a name of its own");
	return scenario_reader_blame(r->reader, r->line, NULL, e);
}

/* To the first line that is wanted. */
static enum rc
go_on(struct record *r, const struct record_options *o,
    struct record_counts *n, struct err *e)
{
	const struct record_place *p = &o->place;

	while (r->more && (r->line <= p->n || r->line < o->from)) {
		/* Is the last one taken the one that the journal has? */
		if (r->line == p->n && (r->c.t_ms != p->t_ms ||
		    r->c.type != p->type))
			return other_file(r, e);
		if (r->line <= p->n)
			n->there++;
		if (next(r, e) != RC_OK)
			return RC_FAILED;
	}
	/* It has become shorter. */
	return r->line < p->n ? other_file(r, e) : RC_OK;
}

/* Time does not go back: what happened before is no news. */
static enum rc
in_time(const struct record *r, int64_t journal_ms, struct err *e)
{
	char	 line[CIVIL_TEXT_MAX], journal[CIVIL_TEXT_MAX];

	if (!r->more || r->c.t_ms >= journal_ms)
		return RC_OK;
	(void)err_set(e, "%s is before the time that the journal has come "
	    "to, %s", civil_format(line, r->c.t_ms),
	    civil_format(journal, journal_ms));
	return scenario_reader_blame(r->reader, r->line, NULL, e);
}

/* One command; a bad one is blamed on its line. */
static enum rc
take_one(struct record *r, struct journal *j, const struct record_options *o,
    struct record_counts *n, struct err *e)
{
	const struct engine_sink sink = { count, n };
	uint64_t	 seq;
	enum rc		 rc;

	if (n->taken == 0) {
		if (r->c.by.p == NULL)
			r->c.by = o->by;
		if (r->c.reason.p == NULL)
			r->c.reason = o->reason;
	}
	if (r->c.history)
		rc = journal_take(j, &r->c, NULL, &seq, e);
	else
		rc = journal_take(j, &r->c, &sink, &seq, e);
	if (rc != RC_OK && journal_alive(j))
		return scenario_reader_blame(r->reader, r->line, NULL, e);
	if (rc != RC_OK)
		return rc;
	n->taken++;
	n->history += r->c.history;
	return RC_OK;
}

static enum rc
play(struct record *r, struct journal *j, const struct record_options *o,
    struct record_counts *n, struct err *e)
{
	enum rc	 rc;

	while (r->more) {
		if ((rc = take_one(r, j, o, n, e)) != RC_OK)
			return rc;
		if (n->taken % o->batch == 0 &&
		    (rc = journal_commit(j, e)) != RC_OK)
			return rc;
		if (o->progress != NULL && n->taken % PROGRESS_EVERY == 0)
			o->progress(o->ctx, scenario_reader_permille(
			    r->reader), n->taken);
		if ((rc = next(r, e)) != RC_OK)
			return rc;
	}
	return RC_OK;
}

enum rc
record_play(struct record *r, struct journal *j,
    const struct record_options *o, struct record_counts *out, struct err *e)
{
	struct err	 second;
	enum rc		 rc;

	assert(o->batch > 0);
	memset(out, 0, sizeof(*out));
	if ((rc = go_on(r, o, out, e)) != RC_OK ||
	    (rc = in_time(r, journal_state(j)->t_ms, e)) != RC_OK)
		return rc;
	if (r->more && r->history && o->live_seq != 0) {
		(void)err_set(e, "the journal decides withdrawals already "
		    "(event %ju): what happened before is learnt from only "
		    "before the first", (uintmax_t)o->live_seq);
		return scenario_reader_blame(r->reader, r->line, NULL, e);
	}
	rc = play(r, j, o, out, e);
	out->ignored = r->ignored;
	if (rc == RC_OK)
		return journal_flush(j, e);
	/* What was good before a bad line stays. */
	if (journal_alive(j) && journal_flush(j, &second) != RC_OK)
		*e = second;
	return rc;
}
