#include "sim/backtest.h"

#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "engine/history.h"
#include "engine/outcome.h"
#include "engine/prepare.h"
#include "engine/rebuild.h"
#include "engine/take.h"
#include "lib/amount.h"
#include "policy/bundle.h"
#include "sim/backtest_book.h"

/* How often progress is told. */
#define PROGRESS_EVERY	65536

/* A look that is to be taken at a time. */
struct due {
	int64_t		t_ms;
	struct ident	id;
};

/* In order of time, since all wait equally long. */
struct queue {
	struct due	*ring;		/* owned */
	size_t		 room;		/* a power of two, or 0 */
	size_t		 first, n;
};

enum deed {
	DEED_RELEASE,
	DEED_DENY,
	DEED_CODE,
	DEED_PAID,
	DEED_END,		/* nothing more: it is counted */
};

struct todo {
	struct ident	id;
	enum deed	deed;
};

struct run {
	const struct backtest_options *o;
	const struct program *program;
	struct backtest	*t;		/* the book's */
	struct book	*book;
	struct engine	*engine;
	struct ident_key ids;
	struct policy	*policy;	/* that was in force */
	struct program	*was;
	struct queue	 queue;
	struct todo	*todo;		/* once the engine has returned */
	size_t		 n_todo, room_todo;
	int64_t		 now_ms;
	int64_t		 resume_ms;	/* INT64_MAX: no halt of its own */
	bool		 was_halted;	/* in reality, now */
	const struct prepared *ev;	/* being applied; NULL: time passes */
	bool		 failed;
	struct err	 why;
};

static void
fail(struct run *r)
{
	if (!r->failed)
		(void)err_set(&r->why, "out of memory");
	r->failed = true;
}

/* Queues */

static void
queue_put(struct run *r, struct ident id, int64_t t_ms)
{
	struct queue	*q = &r->queue;
	size_t		 room = q->room * 2 + (q->room == 0) * 1024, i;
	struct due	*more;

	if (q->n == q->room) {
		if ((more = calloc(room, sizeof(*more))) == NULL) {
			fail(r);
			return;
		}
		for (i = 0; i < q->n; i++)
			more[i] = q->ring[(q->first + i) & (q->room - 1)];
		free(q->ring);
		q->ring = more;
		q->room = room;
		q->first = 0;
	}
	more = &q->ring[(q->first + q->n++) & (q->room - 1)];
	more->t_ms = amount_add_saturate(t_ms, r->o->review_ms);
	more->id = id;
}

static void
todo_put(struct run *r, struct ident id, enum deed deed)
{
	size_t		 room = r->room_todo * 2 + 64;
	struct todo	*more;

	if (r->n_todo == r->room_todo) {
		more = realloc(r->todo, room * sizeof(*more));
		if (more == NULL) {
			fail(r);
			return;
		}
		r->todo = more;
		r->room_todo = room;
	}
	r->todo[r->n_todo].id = id;
	r->todo[r->n_todo++].deed = deed;
}

/* The world of the new policy */

static size_t
rules_joined(const struct program *p, const struct joined *j,
    uint16_t rules[RULES_MAX])
{
	uint64_t	 bits;
	size_t		 n = 0;
	int		 i, rule;

	for (i = 0; i < RULES_MAX / 64; i++) {
		bits = j->matched[i] | j->shadowed[i];
		for (; bits != 0; bits &= bits - 1) {
			rule = i * 64 + __builtin_ctzll(bits);
			if (p->rules[rule].verdict != VERDICT_ALLOW)
				rules[n++] = (uint16_t)rule;
		}
	}
	return n;
}

static void
is_halted(struct run *r, const struct outcome *o)
{
	struct backtest_halt	*h;

	if (o->halt_rule < 0)
		return;
	r->resume_ms = amount_add_saturate(o->t_ms, r->o->review_ms);
	if (r->t->halts++ >= BACKTEST_HALTS)
		return;
	h = &r->t->first_halts[r->t->halts - 1];
	h->t_ms = o->t_ms;
	h->until_ms = -1;
	h->rule = o->halt_rule;
}

static void
is_resumed(struct run *r, const struct outcome *o)
{
	uint64_t	 n = r->t->halts;

	r->resume_ms = INT64_MAX;
	if (n > 0 && n <= BACKTEST_HALTS &&
	    r->t->first_halts[n - 1].until_ms < 0)
		r->t->first_halts[n - 1].until_ms = o->t_ms;
}

static bool
of_full_table(enum why w)
{
	return w >= WHY_FULL_ACCOUNTS && w <= WHY_FULL_GROUPS;
}

/* The withdrawal that the event asks for, before either side knows it. */
static struct item *
asked(struct run *r, struct ident id, int64_t t_ms)
{
	const struct prepared	*ev = r->ev;
	struct item		*i;

	if (ev == NULL || !ev->taken || ev->in.type != INPUT_WITHDRAW ||
	    ev->in.history || !ident_equal(ev->in.id, id))
		return NULL;
	i = book_make(r->book, id, ev->in.account, ev->ev.seq, t_ms,
	    ev->in.amount_sat);
	if (i == NULL)
		fail(r);
	return i;
}

static void
is_new_state(struct run *r, struct item *i, const struct outcome *o,
    enum state before)
{
	const struct item_side	*was = &i->sides[SIDE_WAS];

	if (o->state == STATE_HELD && (before != STATE_HELD ||
	    o->type == OUTCOME_DECIDED))
		queue_put(r, i->id, o->t_ms);
	if (o->state == STATE_WAITING && o->joined != NULL &&
	    o->joined->code) {
		if (was->released_ms >= 0)
			todo_put(r, i->id, DEED_CODE);
		i->wants_code = !was->ended;
	}
	if (o->state == STATE_RELEASED && i->paid)
		todo_put(r, i->id, DEED_PAID);
	if (i->sides[SIDE_IS].ended && was->ended)
		todo_put(r, i->id, DEED_END);
}

static void
is_withdrawal(struct run *r, const struct outcome *o)
{
	struct happened	 h = { o->type, o->verdict, o->state, o->t_ms,
		    o->released_ms, o->joined != NULL };
	uint16_t	 rules[RULES_MAX];
	size_t		 n = 0;
	struct item	*i = o->type == OUTCOME_DECIDED ?
			    asked(r, o->id, o->t_ms) : book_find(r->book,
			    o->id);
	enum state	 before;

	if (i == NULL || r->failed)
		return;
	r->t->full += of_full_table(o->why);
	if (o->joined != NULL)
		n = rules_joined(r->program, o->joined, rules);
	before = i->sides[SIDE_IS].state;
	if (book_happened(r->book, i, SIDE_IS, &h, rules, n, &r->why) !=
	    RC_OK) {
		r->failed = true;
		return;
	}
	is_new_state(r, i, o, before);
}

static void
emit(void *ctx, const struct outcome *o)
{
	struct run	*r = ctx;

	switch (o->type) {
	case OUTCOME_DECIDED:
	case OUTCOME_REDECIDED:
	case OUTCOME_MOVED:
		is_withdrawal(r, o);
		return;
	case OUTCOME_HALTED:
		is_halted(r, o);
		return;
	case OUTCOME_RESUMED:
		is_resumed(r, o);
		return;
	case OUTCOME_REPEATED:
	case OUTCOME_TAKEN:
	case OUTCOME_REFUSED:
		return;
	}
}

static void
apply(struct run *r, const struct input *in)
{
	const struct engine_sink sink = { emit, r };

	if (in->t_ms > r->now_ms)
		r->now_ms = in->t_ms;
	engine_apply(r->engine, in, &sink);
}

/* The supposed person has no name: he counts as many as are asked for. */
static void
act(struct run *r, enum input_type type, struct ident id, int64_t t_ms)
{
	struct input	 in;

	memset(&in, 0, sizeof(in));
	in.type = type;
	in.t_ms = t_ms;
	in.id = id;
	in.paid = PAID_PAID;
	apply(r, &in);
}

/* Let go when it has ended on both sides. */
static void
maybe_end(struct run *r, struct ident id)
{
	struct item	*i = book_find(r->book, id);

	if (i == NULL || !i->sides[SIDE_WAS].ended ||
	    !i->sides[SIDE_IS].ended || r->failed)
		return;
	if (book_end(r->book, i, &r->why) != RC_OK)
		r->failed = true;
}

/* Only if it still waits for it: people may have been faster. */
static void
do_deed(struct run *r, const struct todo *t)
{
	const struct item	*i = book_find(r->book, t->id);
	enum state		 state;

	if (i == NULL)
		return;
	state = i->sides[SIDE_IS].state;
	switch (t->deed) {
	case DEED_RELEASE:
		if (state == STATE_HELD)
			act(r, INPUT_RELEASE, t->id, r->now_ms);
		return;
	case DEED_DENY:
		if (state == STATE_HELD)
			act(r, INPUT_DENY, t->id, r->now_ms);
		return;
	case DEED_CODE:
		if (state != STATE_WAITING)
			return;
		r->t->supposed_codes++;
		act(r, INPUT_CODE, t->id, r->now_ms);
		return;
	case DEED_PAID:
		act(r, INPUT_OUTCOME, t->id, r->now_ms);
		return;
	case DEED_END:
		return;
	}
}

/* A deed may bring about others. */
static void
settle(struct run *r)
{
	struct todo	 t;
	size_t		 i;

	for (i = 0; i < r->n_todo && !r->failed; i++) {
		t = r->todo[i];
		do_deed(r, &t);
		maybe_end(r, t.id);
	}
	r->n_todo = 0;
}

/* The supposed person */

/* As it ended in reality. */
static void
judge(struct run *r, const struct item *i)
{
	todo_put(r, i->id, i->sides[SIDE_WAS].released_ms >= 0 ?
	    DEED_RELEASE : DEED_DENY);
}

static void
look(struct run *r, const struct due *d)
{
	struct item	*i = book_find(r->book, d->id);

	if (i == NULL || i->sides[SIDE_IS].state != STATE_HELD)
		return;
	r->t->supposed_looks++;
	if (i->sides[SIDE_WAS].ended)
		judge(r, i);
	else
		i->wants_end = true;
}

/* While reality is stopped as well, it ends when that does: by an event. */
static void
resume(struct run *r)
{
	const struct ident	 none = { 0, 0 };
	int64_t			 t_ms = r->resume_ms;

	r->resume_ms = INT64_MAX;
	if (r->was_halted)
		return;
	act(r, INPUT_RESUME, none, t_ms);
	settle(r);
}

/* Whatever the supposed person does before this time. */
static void
catch_up(struct run *r, int64_t t_ms)
{
	const struct ident	 none = { 0, 0 };
	struct queue		*q = &r->queue;
	struct due		 d;

	r->ev = NULL;
	while (!r->failed) {
		d.t_ms = q->n > 0 ? q->ring[q->first].t_ms : INT64_MAX;
		if (d.t_ms > t_ms && r->resume_ms > t_ms)
			return;
		if (r->resume_ms < d.t_ms) {
			resume(r);
			continue;
		}
		d = q->ring[q->first];
		q->first = (q->first + 1) & (q->room - 1);
		q->n--;
		/* What matures then goes first. */
		act(r, INPUT_TICK, none, d.t_ms);
		look(r, &d);
		settle(r);
	}
}

/* Reality */

static size_t
rules_recorded(const struct program *p, const struct outcome_record *o,
    uint16_t rules[OUTCOME_RULES_MAX])
{
	size_t	 n = 0;
	int	 i;

	for (i = 0; i < o->n_rules; i++)
		if ((o->did[i] == RULE_MATCHED || o->did[i] ==
		    RULE_SHADOWED) && p != NULL && o->rules[i] < p->n_rules &&
		    p->rules[o->rules[i]].verdict != VERDICT_ALLOW)
			rules[n++] = o->rules[i];
	return n;
}

static void
was_new_state(struct run *r, struct item *i, const struct outcome_record *o)
{
	i->paid |= o->state == STATE_PAID;
	if (!i->sides[SIDE_WAS].ended)
		return;
	if (i->wants_end)
		judge(r, i);
	if (i->wants_code && i->sides[SIDE_WAS].released_ms >= 0)
		todo_put(r, i->id, DEED_CODE);
	i->wants_end = i->wants_code = false;
}

static enum rc
was_withdrawal(struct run *r, const struct outcome_record *o, struct err *e)
{
	const struct happened	 h = { o->type, o->verdict, o->state,
				    o->t_ms, o->released_ms, o->judged };
	uint16_t		 rules[OUTCOME_RULES_MAX];
	struct ident		 id = o->id;
	struct item		*i = o->type == OUTCOME_DECIDED ?
				    asked(r, id, o->t_ms) :
				    book_find(r->book, id);
	enum rc			 rc;

	if (r->failed || i == NULL)
		return RC_OK;
	if ((rc = book_happened(r->book, i, SIDE_WAS, &h, rules,
	    rules_recorded(r->was, o, rules), e)) != RC_OK)
		return rc;
	was_new_state(r, i, o);
	maybe_end(r, id);
	return RC_OK;
}

static enum rc
was(struct run *r, const struct prepared *p, struct err *e)
{
	static struct outcome_record	 o;
	const struct command		*c = &p->ev.c;
	const unsigned char		*at = p->ev.outcomes;
	const unsigned char		*end = at + p->ev.outcomes_len;
	const struct outcome_of		 of = {
		.id = p->taken ? p->in.id : take_ident(&r->ids, c->id),
		.amount_sat = c->amount_sat,
		.t_ms = c->t_ms,
	};
	enum rc				 rc = RC_OK;

	while (at < end && rc == RC_OK) {
		if ((rc = outcome_unpack(&o, &at, end, &of, e)) != RC_OK)
			break;
		switch (o.type) {
		case OUTCOME_DECIDED:
		case OUTCOME_REDECIDED:
		case OUTCOME_MOVED:
			rc = was_withdrawal(r, &o, e);
			break;
		case OUTCOME_HALTED:
			r->t->halts_was += o.halt_rule >= 0;
			r->was_halted = true;
			break;
		case OUTCOME_RESUMED:
			r->was_halted = false;
			break;
		case OUTCOME_REPEATED:
		case OUTCOME_TAKEN:
		case OUTCOME_REFUSED:
			break;
		}
	}
	return err_wrap(e, rc, "event %ju", (uintmax_t)p->ev.seq);
}

/* The policy that was put in force: its rules have names. */
static enum rc
was_policy(struct run *r, const struct command *c, struct err *e)
{
	enum rc	 rc;

	program_free(&r->was);
	policy_free(&r->policy);
	if ((rc = policy_load_bundle(&r->policy,
	    (const unsigned char *)c->body.p, c->body.len, NULL, e)) !=
	    RC_OK || (rc = program_new(&r->was, r->policy, e)) != RC_OK)
		return rc;
	return book_policy(r->book, r->was, e);
}

/* People, or an outcome, say that it was fraud. */
static bool
calls_fraud(const struct input *in)
{
	return in->type == INPUT_DENY ||
	    (in->type == INPUT_OUTCOME && in->paid == PAID_DENIED) ||
	    (in->type == INPUT_CANCEL && in->not_me);
}

/* A release fits only what is held here. */
static bool
fits(struct run *r, const struct input *in)
{
	const struct item	*i;

	if (in->type != INPUT_RELEASE)
		return true;
	i = book_find(r->book, in->id);
	return i != NULL && i->sides[SIDE_IS].state == STATE_HELD;
}

/* Events */

static enum rc
one_event(struct run *r, const struct prepared *p, struct err *e)
{
	const struct command	*c = &p->ev.c;
	enum rc			 rc;

	r->t->events++;
	r->t->forgotten += c->forgotten;
	if (c->type == COMMAND_POLICY)
		return err_wrap(e, was_policy(r, c, e), "event %ju",
		    (uintmax_t)p->ev.seq);
	catch_up(r, c->t_ms);
	r->ev = p;
	if (p->taken && fits(r, &p->in))
		apply(r, &p->in);
	if ((rc = was(r, p, e)) != RC_OK)
		return rc;
	if (p->taken && calls_fraud(&p->in))
		book_fraud(r->book, p->in.id);
	settle(r);
	if (p->taken && !ident_none(p->in.id))
		maybe_end(r, p->in.id);
	if (r->failed) {
		*e = r->why;
		return RC_FAILED;
	}
	return RC_OK;
}

static enum rc
all_events(struct run *r, struct prepare *p, uint64_t total, struct err *e)
{
	const struct prepared_batch	*b;
	const struct prepared		*ev;
	size_t				 i;
	enum rc				 rc;

	for (;;) {
		b = prepare_next(p);
		for (i = 0; i < b->n; i++) {
			ev = &b->events[i];
			if (r->o->until_ms != 0 &&
			    ev->ev.c.t_ms >= r->o->until_ms)
				return RC_OK;
			if ((rc = one_event(r, ev, e)) != RC_OK)
				return rc;
			if (r->o->progress != NULL &&
			    ev->ev.seq % PROGRESS_EVERY == 0)
				r->o->progress(r->o->ctx, ev->ev.seq, total);
		}
		if (b->rc != RC_OK) {
			*e = *prepare_why(p);
			return b->rc;
		}
		if (b->last)
			return RC_OK;
	}
}

/* Texts of the examples: they stand in their events. */
static enum rc
read_texts(struct history *h, struct backtest_example *x, struct err *e)
{
	struct history_row	 row;
	struct history_event	 ev;
	bool			 more;
	enum rc			 rc;

	if ((rc = history_seek(h, x->seq, e)) != RC_OK ||
	    (rc = history_row(h, &row, &more, e)) != RC_OK)
		return rc;
	while (more) {
		if ((rc = history_event(h, &ev, &more, e)) != RC_OK)
			return rc;
		if (!more || ev.seq != x->seq)
			continue;
		memcpy(x->id, ev.c.id.p, ev.c.id.len);
		memcpy(x->account, ev.c.account.p, ev.c.account.len);
		return RC_OK;
	}
	return RC_OK;
}

static enum rc
all_texts(struct backtest *t, struct db *db, const struct keyring *keys,
    struct err *e)
{
	struct history	*h = NULL;
	enum rc		 rc;
	int		 i;

	if ((rc = history_new(&h, db, keys, e)) != RC_OK)
		return rc;
	for (i = 0; i < t->n_sterner && rc == RC_OK; i++)
		rc = read_texts(h, &t->sterner[i], e);
	for (i = 0; i < t->n_milder && rc == RC_OK; i++)
		rc = read_texts(h, &t->milder[i], e);
	history_free(&h);
	return rc;
}

static enum rc
genesis_of(struct genesis *out, struct history *h, struct err *e)
{
	struct history_row	 row;
	struct history_event	 ev;
	bool			 more;
	enum rc			 rc;

	if ((rc = history_seek(h, 1, e)) != RC_OK ||
	    (rc = history_row(h, &row, &more, e)) != RC_OK)
		return rc;
	if (!more)
		return err_set(e, "the journal has no rows");
	if ((rc = history_event(h, &ev, &more, e)) != RC_OK)
		return rc;
	if (!more || ev.c.type != COMMAND_GENESIS)
		return err_set(e, "event 1 is not the beginning of a journal");
	return genesis_unpack(out, ev.c.body, e);
}

static enum rc
walk(struct run *r, struct db *db, const struct keyring *keys,
    struct err *e)
{
	struct history	*h = NULL;
	struct prepare	*p = NULL;
	struct genesis	 genesis;
	uint64_t	 total = r->o->until_seq;
	enum rc		 rc;

	if ((rc = history_new(&h, db, keys, e)) != RC_OK)
		return rc;
	if ((rc = genesis_of(&genesis, h, e)) == RC_OK &&
	    (rc = rebuilt_engine(&r->engine, r->program, keys,
	    genesis.receipt_at_release, e)) == RC_OK &&
	    (total != 0 || (rc = db_last(db, &total, e)) == RC_OK) &&
	    (rc = prepare_new(&p, h, 0, r->o->until_seq, &r->ids,
	    r->program->policy, e)) == RC_OK)
		rc = all_events(r, p, total, e);
	prepare_free(&p);
	history_free(&h);
	if (rc == RC_OK)
		rc = book_end_all(r->book, e);
	return rc != RC_OK ? rc : all_texts(r->t, db, keys, e);
}

enum rc
backtest_run(struct backtest **out, struct db *db,
    const struct keyring *keys, const struct backtest_options *o,
    struct err *e)
{
	struct run	 r = { .o = o, .program = o->program,
			    .resume_ms = INT64_MAX,
			    .ids = keyring_secrets(keys)->ids };
	enum rc		 rc;

	if ((rc = book_new(&r.book, o, e)) != RC_OK)
		return rc;
	r.t = book_result(r.book);
	r.t->enforces = o->program->policy->mode == MODE_ENFORCE;
	if ((rc = walk(&r, db, keys, e)) == RC_OK)
		*out = book_take(r.book);
	engine_free(&r.engine);
	book_free(&r.book);
	program_free(&r.was);
	policy_free(&r.policy);
	free(r.queue.ring);
	free(r.todo);
	return rc;
}
