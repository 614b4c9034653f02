#include "sim/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/compare.h"
#include "engine/engine.h"
#include "engine/history.h"
#include "engine/outcome.h"
#include "engine/rebuild.h"
#include "engine/take.h"
#include "engine/trail.h"
#include "policy/bundle.h"

#define PROGRESS_EVERY	65536
/* Judging an event costs about as much as moving so many bytes of state. */
#define EVENT_BYTES	1024
/* The fewest events between two copies of the state. */
#define BETWEEN_MIN	64

/* A state on its way from one engine to the other. */
struct copy {
	unsigned char	*bytes;
	size_t		 len, room, at;
};

struct judge {
	struct judge_result *r;
	const struct judge_options *o;
	struct db	*db;
	const struct keyring *keys;
	struct genesis	 genesis;
	struct policy	*policy;
	struct program	*program;
	struct engine	*follows, *judges;
	struct compare	*compare;
	struct trail	 trail;
	struct history_row row;
	bool		 differs;	/* the two states may */
	uint64_t	 since;		/* events judged since they do */
	size_t		 state_len;	/* of the last copy */
};

/* Copying a state */

static enum rc
state_in(void *ctx, const void *bytes, size_t len, struct err *e)
{
	struct copy	*s = ctx;
	size_t		 room = s->room * 2 + len + 65536;
	unsigned char	*more;

	if (s->room - s->len < len) {
		if ((more = realloc(s->bytes, room)) == NULL)
			return err_set(e, "out of memory");
		s->bytes = more;
		s->room = room;
	}
	memcpy(s->bytes + s->len, bytes, len);
	s->len += len;
	return RC_OK;
}

static enum rc
state_out(void *ctx, void *bytes, size_t len, struct err *e)
{
	struct copy	*s = ctx;

	if (s->len - s->at < len)
		return err_set(e, "the state ends too early");
	memcpy(bytes, s->bytes + s->at, len);
	s->at += len;
	return RC_OK;
}

/* The one that judges becomes what the one that follows is. */
static enum rc
set_again(struct judge *j, struct err *e)
{
	struct copy	 s = { 0 };
	unsigned char	 hash[32], again[32];
	enum rc		 rc;

	engine_free(&j->judges);
	if ((rc = rebuilt_engine(&j->judges, j->program, j->keys,
	    j->genesis.receipt_at_release, e)) == RC_OK &&
	    (rc = engine_save(j->follows, state_in, &s, hash, e)) == RC_OK)
		rc = engine_load(j->judges, state_out, &s, again, e);
	if (rc == RC_OK && memcmp(hash, again, sizeof(hash)) != 0)
		rc = err_set(e, "a copy of the state is not the state");
	j->state_len = s.len;
	j->differs = false;
	j->since = 0;
	free(s.bytes);
	return rc;
}

/* Policies */

static enum rc
load_policy(struct judge *j, const struct command *c, struct err *e)
{
	enum rc	 rc;

	engine_free(&j->judges);
	engine_free(&j->follows);
	program_free(&j->program);
	policy_free(&j->policy);
	if ((rc = policy_load_bundle(&j->policy,
	    (const unsigned char *)c->body.p, c->body.len, NULL, e)) !=
	    RC_OK)
		return rc;
	j->r->policies++;
	return program_new(&j->program, j->policy, e);
}

/* As a start makes it: from the whole journal so far. */
static enum rc
engine_before(struct judge *j, uint64_t until, struct err *e)
{
	struct rebuild_options	 o = { .until = until, .as = j->program };
	struct rebuilt		 r;
	struct db		*db = NULL;
	enum rc			 rc;

	if ((rc = db_open(&db, db_url(j->db), DB_READ, e)) != RC_OK)
		return rc;
	rc = rebuild(&r, db, j->keys, &o, e);
	db_close(&db);
	if (rc != RC_OK)
		return rc;
	j->follows = r.engine;
	r.engine = NULL;
	rebuilt_free(&r);
	return RC_OK;
}

static enum rc
take_policy(struct judge *j, const struct history_event *ev, struct err *e)
{
	bool	 first = j->policy == NULL;
	enum rc	 rc;

	if ((rc = load_policy(j, &ev->c, e)) != RC_OK)
		return rc;
	rc = first ? rebuilt_engine(&j->follows, j->program, j->keys,
	    j->genesis.receipt_at_release, e) :
	    engine_before(j, ev->seq - 1, e);
	return rc != RC_OK ? rc : set_again(j, e);
}

static enum rc
tell(struct judge *j, const struct input *in, const struct history_event *ev,
    struct err *e)
{
	char			 recorded[COMPARE_TEXT_MAX];
	char			 here[COMPARE_TEXT_MAX];
	struct judge_difference	 d = { .seq = ev->seq, .t_ms = ev->c.t_ms,
				    .c = &ev->c, .recorded = recorded,
				    .here = here, .after = j->differs,
				    .unsure = j->r->followed > 0 };

	(void)compare_texts(recorded, here, in, ev, &j->trail);
	*(j->differs ? &j->r->after : &j->r->differences) += 1;
	j->r->unsure += d.unsure && !d.after;
	return j->o->difference != NULL ? j->o->difference(j->o->ctx, &d, e) :
	    RC_OK;
}

static enum rc
judge_event(struct judge *j, const struct input *in,
    const struct history_event *ev, struct err *e)
{
	enum rc	 rc;

	if (j->differs && j->since > BETWEEN_MIN &&
	    j->since > j->state_len / EVENT_BYTES &&
	    (rc = set_again(j, e)) != RC_OK)
		return rc;
	if ((rc = trail_apply(&j->trail, j->judges, in, j->program, NULL,
	    e)) != RC_OK)
		return rc;
	j->since++;
	if (!compare_same(ev, &j->trail)) {
		if ((rc = tell(j, in, ev, e)) != RC_OK)
			return rc;
		if (!j->differs)
			j->since = 0;
		j->differs = true;
	}
	j->r->judged++;
	j->r->decisions += in->type == INPUT_WITHDRAW && !in->history;
	return compare_follow(j->compare, j->follows, in, ev, e);
}

/* Nobody can judge what he cannot see: both follow. */
static enum rc
follow_event(struct judge *j, const struct input *in,
    const struct history_event *ev, struct err *e)
{
	enum rc	 rc;

	if (j->differs && (rc = set_again(j, e)) != RC_OK)
		return rc;
	j->r->followed++;
	if ((rc = compare_follow(j->compare, j->follows, in, ev, e)) != RC_OK)
		return rc;
	return compare_follow(j->compare, j->judges, in, ev, e);
}

/* Events */

static enum rc
one_event(struct judge *j, const struct history_event *ev, struct err *e)
{
	struct input_fact	 facts[COMMAND_FACTS_MAX];
	struct input		 in;
	bool			 taken;
	enum rc			 rc;

	j->r->events++;
	if (ev->c.type == COMMAND_GENESIS)
		return genesis_unpack(&j->genesis, ev->c.body, e);
	if (ev->c.type == COMMAND_POLICY)
		return take_policy(j, ev, e);
	if (j->policy == NULL)
		return err_set(e, "there was no policy before it");
	if ((rc = take(&in, &taken, facts, &ev->c, &keyring_secrets(
	    j->keys)->ids, j->policy, e)) != RC_OK || !taken)
		return rc;
	return j->row.forgotten ? follow_event(j, &in, ev, e) :
	    judge_event(j, &in, ev, e);
}

static enum rc
next_row(struct judge *j, struct history *h, bool *more, struct err *e)
{
	uint32_t	 n;
	enum rc		 rc;

	if ((rc = history_row(h, &j->row, more, e)) != RC_OK || !*more)
		return rc;
	n = j->row.head.semantics;
	if (j->r->semantics_min == 0 || n < j->r->semantics_min)
		j->r->semantics_min = n;
	if (n > j->r->semantics_max)
		j->r->semantics_max = n;
	return RC_OK;
}

static enum rc
all_rows(struct judge *j, struct history *h, uint64_t total, struct err *e)
{
	struct history_event	 ev;
	bool			 more;
	enum rc			 rc;

	for (;;) {
		if ((rc = next_row(j, h, &more, e)) != RC_OK || !more)
			return rc;
		for (;;) {
			if ((rc = history_event(h, &ev, &more, e)) != RC_OK)
				return rc;
			if (!more)
				break;
			if ((rc = one_event(j, &ev, e)) != RC_OK)
				return err_wrap(e, rc, "event %ju",
				    (uintmax_t)ev.seq);
			if (j->o->progress != NULL &&
			    ev.seq % PROGRESS_EVERY == 0)
				j->o->progress(j->o->ctx, ev.seq, total);
		}
	}
}

enum rc
judge_run(struct judge_result *out, struct db *db,
    const struct keyring *keys, const struct judge_options *o, struct err *e)
{
	struct judge	 j = { .r = out, .o = o, .db = db, .keys = keys };
	struct history	*h = NULL;
	uint64_t	 total;
	enum rc		 rc;

	memset(out, 0, sizeof(*out));
	if ((rc = db_last(db, &total, e)) == RC_OK &&
	    (rc = history_new(&h, db, keys, e)) == RC_OK &&
	    (rc = compare_new(&j.compare, &keyring_secrets(keys)->ids,
	    e)) == RC_OK &&
	    (rc = history_seek(h, 1, e)) == RC_OK)
		rc = all_rows(&j, h, total, e);
	engine_free(&j.judges);
	engine_free(&j.follows);
	program_free(&j.program);
	policy_free(&j.policy);
	trail_free(&j.trail);
	compare_free(&j.compare);
	history_free(&h);
	return rc;
}
