/*
 * Rows in, an engine out.
 */
#include "engine/rebuild.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/compare.h"
#include "engine/load.h"
#include "engine/prepare.h"
#include "policy/bundle.h"

/* How often progress is told. */
#define PROGRESS_EVERY	65536
/* As engine_prefetch() wants it. */
#define AHEAD		9
#define AHEAD_RECORDS	6
#define AHEAD_PAIR	3

struct rebuild {
	struct rebuilt	*r;
	struct db	*db;
	const struct keyring *keys;
	const struct rebuild_options *o;
	struct history	*h;
	struct compare	*compare;
	struct history_row row;
	uint64_t	 total;
};

void
rebuilt_free(struct rebuilt *r)
{
	engine_free(&r->engine);
	program_free(&r->program);
	policy_free(&r->policy);
	memset(r, 0, sizeof(*r));
}

enum rc
rebuilt_engine(struct engine **out, const struct program *p,
    const struct keyring *keys, bool receipt_at_release, struct err *e)
{
	const struct keyring_secrets	*s = keyring_secrets(keys);
	struct engine_config		 config;

	memset(&config, 0, sizeof(config));
	config.ids = s->ids;
	config.lots = s->lots;
	config.receipt_at_release = receipt_at_release;
	/* Whoever applies asks for memory first: here as far ahead as rows
	 * are read. */
	config.queued = true;
	return engine_new(out, p, &config, e);
}

/* Policies */

static enum rc
load_policy(struct rebuilt *r, const struct history_event *ev, struct err *e)
{
	const unsigned char	*body = (const unsigned char *)ev->c.body.p;
	unsigned char		 hash[32];
	struct policy		*policy = NULL;
	struct program		*program = NULL;
	enum rc			 rc;

	policy_bundle_hash(hash, body, ev->c.body.len);
	if (memcmp(hash, ev->c.hash, sizeof(hash)) != 0)
		return err_set(e, "the policy's hash is not that of its text");
	if ((rc = policy_load_bundle(&policy, body, ev->c.body.len, NULL,
	    e)) != RC_OK)
		return rc;
	if ((rc = program_new(&program, policy, e)) != RC_OK) {
		policy_free(&policy);
		return rc;
	}
	program_free(&r->program);
	policy_free(&r->policy);
	r->policy = policy;
	r->program = program;
	memcpy(r->policy_hash, hash, sizeof(hash));
	r->policy_seq = ev->seq;
	return RC_OK;
}

/*
 * Another policy came into force: the engine that goes on is made from the
 * whole journal so far, as it was when the policy was put in force.
 */
static enum rc
change_policy(struct rebuild *b, const struct history_event *ev,
    struct err *e)
{
	struct rebuild_options	 o = { .until = ev->seq - 1 };
	struct rebuilt		 before;
	struct db		*db = NULL;
	enum rc			 rc;

	/* The old engine stands on the old program. */
	engine_free(&b->r->engine);
	if ((rc = load_policy(b->r, ev, e)) != RC_OK)
		return rc;
	o.as = b->r->program;
	if ((rc = db_open(&db, db_url(b->db), DB_READ, e)) != RC_OK)
		return rc;
	rc = rebuild(&before, db, b->keys, &o, e);
	db_close(&db);
	if (rc != RC_OK)
		return rc;
	b->r->engine = before.engine;
	before.engine = NULL;
	rebuilt_free(&before);
	return RC_OK;
}

static enum rc
take_policy(struct rebuild *b, const struct history_event *ev, struct err *e)
{
	struct rebuilt	*r = b->r;
	enum rc		 rc;

	if (b->o->as != NULL) {
		if (r->engine != NULL)
			return RC_OK;
		return rebuilt_engine(&r->engine, b->o->as, b->keys,
		    r->genesis.receipt_at_release, e);
	}
	if (r->engine != NULL)
		return change_policy(b, ev, e);
	if ((rc = load_policy(r, ev, e)) != RC_OK)
		return rc;
	return rebuilt_engine(&r->engine, r->program, b->keys,
	    r->genesis.receipt_at_release, e);
}

static enum rc
take_genesis(struct rebuild *b, const struct history_event *ev,
    struct err *e)
{
	unsigned char	 tag[16];
	enum rc		 rc;

	if (ev->seq != 1)
		return err_set(e, "a second beginning");
	if ((rc = genesis_unpack(&b->r->genesis, ev->c.body, e)) != RC_OK)
		return rc;
	keyring_tag(b->keys, tag);
	if (memcmp(tag, b->r->genesis.keys_tag, sizeof(tag)) != 0)
		return err_set(e, "%s is the keyring of another database",
		    db_keyring_path(b->db));
	return RC_OK;
}

/* Events */

/* Whether this event is believed rather than judged. */
static bool
follows(const struct rebuild *b, const struct prepared *p)
{
	return b->o->as != NULL || b->r->followed > 0 || p->believed;
}

static enum rc
apply(struct rebuild *b, const struct prepared *p, struct err *e)
{
	struct rebuilt	*r = b->r;

	if (p->ev.c.type == COMMAND_GENESIS)
		return take_genesis(b, &p->ev, e);
	if (p->ev.c.type == COMMAND_POLICY)
		return take_policy(b, &p->ev, e);
	if (r->engine == NULL)
		return err_set(e, "there was no policy before it");
	if (b->o->as == NULL && memcmp(p->policy, r->policy_hash,
	    sizeof(r->policy_hash)) != 0)
		return err_set(e, "its row was decided under another policy "
		    "than the last one recorded");
	if (!p->taken)
		return RC_OK;
	if (!follows(b, p))
		return compare_judged(b->compare, r->engine, &p->in, &p->ev,
		    r->program, e);
	r->followed++;
	return compare_follow(b->compare, r->engine, &p->in, &p->ev, e);
}

static enum rc
one_event(struct rebuild *b, const struct prepared *p, struct err *e)
{
	const struct history_event *ev = &p->ev;
	struct rebuilt	*r = b->r;
	enum rc		 rc;

	if ((rc = apply(b, p, e)) != RC_OK)
		return err_wrap(e, rc, "event %ju (%s)", (uintmax_t)ev->seq,
		    command_type_text(ev->c.type));
	r->seq = ev->seq;
	if (ev->c.t_ms > r->t_ms)
		r->t_ms = ev->c.t_ms;
	if (p->row_hash != NULL)
		memcpy(r->row_hash, p->row_hash, sizeof(r->row_hash));
	if (b->o->on_event != NULL &&
	    (rc = b->o->on_event(b->o->ctx, ev, r, e)) != RC_OK)
		return rc;
	if (b->o->progress != NULL && ev->seq % PROGRESS_EVERY == 0)
		b->o->progress(b->o->ctx, ev->seq, b->total);
	return RC_OK;
}

static bool
wanted(const struct rebuild *b, uint64_t seq)
{
	return b->o->until == 0 || seq <= b->o->until;
}

/* Memory takes longer than deciding: ask for it some events ahead. */
static inline void
prefetch(const struct engine *en, const struct prepared_batch *batch,
    size_t i)
{
	if (i + AHEAD < batch->n && batch->events[i + AHEAD].taken)
		engine_prefetch(en, &batch->events[i + AHEAD].in);
	if (i + AHEAD_RECORDS < batch->n &&
	    batch->events[i + AHEAD_RECORDS].taken)
		engine_prefetch_records(en,
		    &batch->events[i + AHEAD_RECORDS].in);
	if (i + AHEAD_PAIR < batch->n && batch->events[i + AHEAD_PAIR].taken)
		engine_prefetch_pair(en, &batch->events[i + AHEAD_PAIR].in);
}

static enum rc
one_batch(struct rebuild *b, struct prepare *p,
    const struct prepared_batch *batch, struct err *e)
{
	size_t	 i;
	enum rc	 rc;

	for (i = 0; i < batch->n; i++) {
		if (b->r->engine != NULL)
			prefetch(b->r->engine, batch, i);
		if ((rc = one_event(b, &batch->events[i], e)) != RC_OK)
			return rc;
	}
	if (b->o->as == NULL)
		prepare_policy(p, b->r->policy);
	if (batch->rc != RC_OK)
		return err_set(e, "%s", prepare_why(p)->text);
	return RC_OK;
}

/* All that comes after what was done already. */
static enum rc
events(struct rebuild *b, struct err *e)
{
	const struct prepared_batch *batch;
	struct prepare	*p;
	bool		 last;
	enum rc		 rc;

	if ((rc = prepare_new(&p, b->h, b->r->seq, b->o->until,
	    &keyring_secrets(b->keys)->ids, b->o->as != NULL ?
	    b->o->as->policy : b->r->policy, e)) != RC_OK)
		return rc;
	do {
		batch = prepare_next(p);
		last = batch->last;
		rc = one_batch(b, p, batch, e);
	} while (rc == RC_OK && !last);
	prepare_free(&p);
	return rc;
}

/* Where to begin */

/* Only its first event: whose journal this is. */
static enum rc
read_genesis(struct rebuild *b, struct err *e)
{
	struct history_event	 ev;
	bool			 more;
	enum rc			 rc;

	if ((rc = history_seek(b->h, 1, e)) != RC_OK ||
	    (rc = history_row(b->h, &b->row, &more, e)) != RC_OK)
		return rc;
	if (!more)
		return err_set(e, "the journal has no rows");
	if ((rc = history_event(b->h, &ev, &more, e)) != RC_OK)
		return rc;
	if (!more || ev.c.type != COMMAND_GENESIS)
		return err_set(e, "event 1 is not the beginning of a journal");
	return err_wrap(e, take_genesis(b, &ev, e), "event 1");
}

/* The event that brought the policy of a snapshot. */
static enum rc
read_policy(struct rebuild *b, const struct snapshot_head *s, struct err *e)
{
	struct history_event	 ev;
	bool			 more;
	enum rc			 rc;

	if ((rc = history_seek(b->h, s->policy_seq, e)) != RC_OK ||
	    (rc = history_row(b->h, &b->row, &more, e)) != RC_OK)
		return rc;
	while (more) {
		if ((rc = history_event(b->h, &ev, &more, e)) != RC_OK)
			return rc;
		if (!more || ev.seq != s->policy_seq)
			continue;
		if (ev.c.type != COMMAND_POLICY ||
		    memcmp(ev.c.hash, s->policy, sizeof(s->policy)) != 0)
			break;
		return load_policy(b->r, &ev, e);
	}
	return err_set(e, "event %ju is not its policy",
	    (uintmax_t)s->policy_seq);
}

/* The row that a snapshot stands on must be this journal's. */
static enum rc
stands_on(struct rebuild *b, const struct snapshot_head *s, struct err *e)
{
	bool	 more;
	enum rc	 rc;

	if ((rc = history_seek(b->h, s->seq, e)) != RC_OK ||
	    (rc = history_row(b->h, &b->row, &more, e)) != RC_OK)
		return rc;
	if (!more || b->row.head.seq + b->row.head.events - 1 != s->seq ||
	    memcmp(b->row.hash, s->row_hash, sizeof(s->row_hash)) != 0)
		return err_set(e, "it is not of this journal");
	return RC_OK;
}

static enum rc
use_snapshot(struct rebuild *b, uint64_t seq, struct err *e)
{
	struct rebuilt		*r = b->r;
	struct snapshot_head	 s;
	enum rc			 rc;

	if ((rc = load_head(&s, b->db, seq, e)) != RC_OK ||
	    (rc = read_policy(b, &s, e)) != RC_OK ||
	    (rc = stands_on(b, &s, e)) != RC_OK ||
	    (rc = rebuilt_engine(&r->engine, r->program, b->keys,
	    r->genesis.receipt_at_release, e)) != RC_OK ||
	    (rc = load_state(r->engine, b->db, b->keys, &s, e)) != RC_OK)
		return rc;
	r->seq = r->snapshot_seq = s.seq;
	r->t_ms = s.t_ms;
	memcpy(r->row_hash, s.row_hash, sizeof(s.row_hash));
	return RC_OK;
}

/*
 * The newest that serves.  One that does not is passed over: the journal is
 * the truth, and an older one, or none, gives the same state, only later.
 */
static enum rc
find_snapshot(struct rebuild *b, struct err *e)
{
	const struct genesis	 genesis = b->r->genesis;
	uint64_t		 seqs[LOAD_MAX];
	struct err		 why;
	size_t			 n, i;
	enum rc			 rc;

	if ((rc = snapshot_list(db_snapshot_folder(b->db), seqs, LOAD_MAX,
	    &n, e)) != RC_OK)
		return rc;
	for (i = 0; i < n; i++) {
		if (!wanted(b, seqs[i]))
			continue;
		if (use_snapshot(b, seqs[i], &why) == RC_OK)
			return RC_OK;
		rebuilt_free(b->r);
		b->r->genesis = genesis;
	}
	return RC_OK;
}

static enum rc
run(struct rebuild *b, struct err *e)
{
	uint64_t	 last;
	enum rc		 rc;

	if ((rc = db_last(b->db, &last, e)) != RC_OK ||
	    (rc = read_genesis(b, e)) != RC_OK)
		return rc;
	b->total = b->o->until != 0 ? b->o->until : last;
	if (b->o->snapshots && b->o->as == NULL &&
	    (rc = find_snapshot(b, e)) != RC_OK)
		return rc;
	if ((rc = events(b, e)) != RC_OK)
		return rc;
	if (b->r->engine == NULL)
		return err_set(e, "the journal has no policy");
	return RC_OK;
}

enum rc
rebuild(struct rebuilt *out, struct db *db, const struct keyring *keys,
    const struct rebuild_options *o, struct err *e)
{
	struct rebuild	 b = { .r = out, .db = db, .keys = keys, .o = o };
	enum rc		 rc;

	assert(keys != NULL);
	memset(out, 0, sizeof(*out));
	if ((rc = history_new(&b.h, db, keys, e)) == RC_OK &&
	    (rc = compare_new(&b.compare, &keyring_secrets(keys)->ids,
	    e)) == RC_OK)
		rc = run(&b, e);
	compare_free(&b.compare);
	history_free(&b.h);
	if (rc != RC_OK)
		rebuilt_free(out);
	return rc;
}

enum rc
rebuilt_snapshot(const struct rebuilt *r, const struct db *db,
    const unsigned char *key, struct err *e)
{
	struct snapshot_head	 s = {
		.semantics = ENGINE_SEMANTICS,
		.layout = ENGINE_LAYOUT,
		.seq = r->seq,
		.t_ms = r->t_ms,
		.month = row_month(r->t_ms),
		.policy_seq = r->policy_seq,
	};

	memcpy(s.row_hash, r->row_hash, sizeof(s.row_hash));
	memcpy(s.policy, r->policy_hash, sizeof(s.policy));
	return err_wrap(e, load_write(r->engine, db, &s, key, e),
	    "snapshot %ju", (uintmax_t)r->seq);
}
