#include "sim/export.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/history.h"
#include "policy/words.h"
#include "sim/command.h"
#include "sim/decided.h"
#include "sim/scenario.h"

#define PROGRESS_EVERY	65536

struct export {
	const struct export_options *o;
	struct export_counts *n;
	struct db	*db;
	const struct keyring *keys;
	struct history	*h;
	struct scenario_writer *out;
	struct scenario_writer *past;	/* history; NULL: not wanted */
	struct decided	*decided;	/* NULL: not wanted */
	struct event_room room;
	struct genesis	genesis;
	uint64_t	last_history;	/* its event; 0: none */
	uint64_t	total;
	int64_t		t_ms;		/* written last, to either */
	bool		begun;		/* headers are written */
	bool		any_policy;
};

/* Walking */

/* Every event in the range, until one says that it is enough. */
static enum rc
walk(struct export *x, uint64_t from, uint64_t until,
    enum rc (*on)(struct export *x, const struct history_event *ev,
    struct err *e), struct err *e)
{
	struct history_event	 ev;
	struct history_row	 row;
	bool			 more;
	enum rc			 rc;

	if ((rc = history_seek(x->h, from, e)) != RC_OK)
		return rc;
	for (;;) {
		if ((rc = history_row(x->h, &row, &more, e)) != RC_OK)
			return rc;
		if (!more || row.head.seq > until)
			return RC_OK;
		while ((rc = history_event(x->h, &ev, &more, e)) == RC_OK &&
		    more) {
			if (ev.seq < from || ev.seq > until)
				continue;
			if ((rc = on(x, &ev, e)) != RC_OK)
				return rc;
			if (x->o->progress != NULL &&
			    ev.seq % PROGRESS_EVERY == 0)
				x->o->progress(x->o->ctx, ev.seq, x->total);
		}
		if (rc != RC_OK)
			return rc;
	}
}

static enum rc
on_genesis(struct export *x, const struct history_event *ev, struct err *e)
{
	if (ev->c.type != COMMAND_GENESIS)
		return err_set(e, "event 1 is not the beginning of a "
		    "journal");
	return genesis_unpack(&x->genesis, ev->c.body, e);
}

static enum rc
on_look(struct export *x, const struct history_event *ev, struct err *e)
{
	(void)e;
	if (ev->c.history)
		x->last_history = ev->seq;
	return RC_OK;
}

/* Writing */

static enum rc
put(struct export *x, struct scenario_writer *w,
    struct scenario_event *ev, struct err *e)
{
	/* An event that came late was applied at the time it was by then. */
	if (ev->t_ms < x->t_ms)
		ev->t_ms = x->t_ms;
	x->t_ms = ev->t_ms;
	if (w == x->past)
		x->n->history_lines++;
	else
		x->n->lines++;
	if (scenario_write(w, ev) != RC_OK)
		return err_set(e, "%s cannot be written", w == x->past ?
		    x->o->history : x->o->output);
	return RC_OK;
}

/* The first line of each file: of which network it is. */
static enum rc
begin_files(struct export *x, struct err *e)
{
	struct scenario_event	 ev;
	enum rc			 rc;

	if (x->begun)
		return RC_OK;
	x->begun = true;
	scenario_event_clear(&ev, SCENARIO_HEADER, 0);
	ev.network = (enum network)x->genesis.network;
	if ((rc = put(x, x->out, &ev, e)) != RC_OK || x->past == NULL)
		return rc;
	return put(x, x->past, &ev, e);
}

static bool
by_people(enum command_type t)
{
	return t == COMMAND_CANCEL || t == COMMAND_RELEASE ||
	    t == COMMAND_DENY || t == COMMAND_HALT || t == COMMAND_RESUME;
}

/*
 * Which file.  Up to the last withdrawal of history, what came before a
 * withdrawal must come before it in the file as well, so all lines stand
 * there but those that mean something else in a history: what was decided,
 * and what people decided.
 */
static struct scenario_writer *
file_of(const struct export *x, const struct history_event *ev)
{
	if (x->past == NULL || ev->seq > x->last_history)
		return x->out;
	if (ev->c.type == COMMAND_WITHDRAW)
		return ev->c.history ? x->past : x->out;
	return by_people(ev->c.type) ? x->out : x->past;
}

/* The facts that came with a withdrawal stand before it. */
static enum rc
put_command(struct export *x, const struct history_event *from,
    struct scenario_event *ev, struct err *e)
{
	struct scenario_writer	*w = file_of(x, from);
	struct scenario_event	 fact;
	size_t			 i;
	enum rc			 rc;

	for (i = 0; i < from->c.n_facts; i++) {
		event_of_fact(&fact, &from->c, i);
		if ((rc = put(x, w, &fact, e)) != RC_OK)
			return rc;
	}
	return put(x, w, ev, e);
}

/* Is it left out? */
static enum rc
look(struct export *x, const struct history_event *ev, bool *idle_out,
    struct err *e)
{
	struct outcome_record	 r;
	enum rc			 rc;

	if ((rc = decided_own(&r, ev, e)) != RC_OK)
		return err_wrap(e, rc, "event %ju", (uintmax_t)ev->seq);
	*idle_out = r.type != OUTCOME_TAKEN;
	if (r.type == OUTCOME_DECIDED) {
		*idle_out = r.why == WHY_ACCOUNT;
		x->n->strangers += *idle_out;
	} else {
		x->n->refused += *idle_out;
	}
	return RC_OK;
}

static enum rc
count(struct export *x, const struct history_event *ev, bool idle,
    struct err *e)
{
	struct export_counts	*n = x->n;

	n->events++;
	n->forgotten += ev->c.forgotten;
	if (ev->c.type == COMMAND_POLICY) {
		if (x->any_policy && n->policies++ == 0)
			n->policy_seq = ev->seq;
		x->any_policy = true;
	}
	if (ev->c.type != COMMAND_WITHDRAW || idle)
		return RC_OK;
	n->withdrawals += !ev->c.history;
	n->history += ev->c.history;
	if (ev->c.history && x->past == NULL)
		return err_set(e, "event %ju is a withdrawal from before the "
		    "journal began, which a scenario cannot say; "
		    "--history-output FILE takes those", (uintmax_t)ev->seq);
	return RC_OK;
}

static enum rc
on_event(struct export *x, const struct history_event *ev, struct err *e)
{
	struct scenario_event	 line;
	bool			 any, idle;
	enum rc			 rc;

	if ((rc = look(x, ev, &idle, e)) != RC_OK ||
	    (rc = count(x, ev, idle, e)) != RC_OK ||
	    (rc = begin_files(x, e)) != RC_OK ||
	    (x->decided != NULL &&
	    (rc = decided_event(x->decided, ev, e)) != RC_OK))
		return rc;
	if (idle)
		return RC_OK;
	if ((rc = event_of_command(&line, &any, &x->room, &ev->c,
	    (enum network)x->genesis.network, e)) != RC_OK)
		return err_wrap(e, rc, "event %ju", (uintmax_t)ev->seq);
	if (any)
		return put_command(x, ev, &line, e);
	x->n->no_line[ev->c.type]++;
	return RC_OK;
}

static enum rc
open_files(struct export *x, struct err *e)
{
	enum rc	 rc;

	if ((rc = scenario_writer_open(&x->out, x->o->output, e)) != RC_OK)
		return rc;
	if (x->o->history != NULL && (rc = scenario_writer_open(&x->past,
	    x->o->history, e)) != RC_OK)
		return rc;
	if (x->o->decisions == NULL)
		return RC_OK;
	return decided_new(&x->decided, x->o->decisions, e);
}

static enum rc
close_files(struct export *x, struct err *e)
{
	enum rc	 rc;

	if (x->past != NULL &&
	    (rc = scenario_writer_close(&x->past, e)) != RC_OK)
		return rc;
	if (x->decided != NULL &&
	    (rc = decided_close(&x->decided, e)) != RC_OK)
		return rc;
	return scenario_writer_close(&x->out, e);
}

static enum rc
run(struct export *x, struct err *e)
{
	uint64_t	 from = x->o->from > 0 ? x->o->from : 1, last;
	uint64_t	 until = x->o->until > 0 ? x->o->until : UINT64_MAX;
	enum rc		 rc;

	if ((rc = db_last(x->db, &last, e)) != RC_OK)
		return rc;
	if (last == 0)
		return err_set(e, "the journal has no rows");
	x->total = until < last ? until : last;
	if ((rc = history_new(&x->h, x->db, x->keys, e)) != RC_OK ||
	    (rc = walk(x, 1, 1, on_genesis, e)) != RC_OK)
		return rc;
	if (x->o->history != NULL &&
	    (rc = walk(x, from, until, on_look, e)) != RC_OK)
		return rc;
	if ((rc = open_files(x, e)) != RC_OK ||
	    (rc = walk(x, from, until, on_event, e)) != RC_OK)
		return rc;
	if (x->n->events == 0)
		return err_set(e, "there is no event %ju", (uintmax_t)from);
	return close_files(x, e);
}

enum rc
export_journal(struct export_counts *out, struct db *db,
    const struct keyring *keys, const struct export_options *o,
    struct err *e)
{
	struct export	*x = calloc(1, sizeof(*x));
	enum rc		 rc;

	memset(out, 0, sizeof(*out));
	if (x == NULL)
		return err_set(e, "out of memory");
	x->o = o;
	x->n = out;
	x->db = db;
	x->keys = keys;
	rc = run(x, e);
	history_free(&x->h);
	scenario_writer_discard(&x->out);
	scenario_writer_discard(&x->past);
	decided_free(&x->decided);
	free(x);
	return rc;
}
