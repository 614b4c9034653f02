/*
 * Take, decide, write down, commit.
 */
#include "engine/journal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/head.h"
#include "engine/journal_inner.h"
#include "engine/take.h"
#include "policy/bundle.h"

/* A row that is as long as this is not made longer. */
#define ROW_FULL	((size_t)1 << 20)

enum rc
journal_die(struct journal *j, enum rc rc, struct err *e)
{
	if (!j->dead)
		j->why = *e;
	j->dead = true;
	return rc;
}

static enum rc
alive(const struct journal *j, struct err *e)
{
	return j->dead ? err_set(e, "%s", j->why.text) : RC_OK;
}

bool
journal_alive(const struct journal *j)
{
	return !j->dead;
}

const struct rebuilt *
journal_state(const struct journal *j)
{
	return &j->state;
}

const struct keyring *
journal_keyring(const struct journal *j)
{
	return j->keys;
}

void
journal_stats(const struct journal *j, struct db_stats *out)
{
	db_stats(j->db, out);
}

/* Writing down */

static void
begin_row(struct journal *j)
{
	j->first = j->state.seq + 1;
	j->key = NULL;
	row_begin(j->maker, ENGINE_SEMANTICS, j->first,
	    j->state.policy_hash);
}

/* The key of the row's month, if this is the first that needs it. */
static enum rc
need_key(struct journal *j, size_t sealed, struct err *e)
{
	if (sealed == 0 || j->key != NULL)
		return RC_OK;
	return keyring_make(j->keys, j->month, &j->key, e);
}

/* Append one event to the row; the engine has taken it. */
static enum rc
write_down(struct journal *j, const struct command *c,
    const unsigned char *outcomes, size_t outcomes_len, struct err *e)
{
	unsigned char	*open, *sealed, *out;
	size_t		 open_len, sealed_len;
	enum rc		 rc;

	if ((rc = row_room(j->maker, command_open_room(c),
	    command_sealed_room(c), outcomes_len, &open, &sealed, &out,
	    e)) != RC_OK)
		return rc;
	command_pack(c, open, &open_len, sealed, &sealed_len);
	if ((rc = need_key(j, sealed_len, e)) != RC_OK)
		return rc;
	if (outcomes_len > 0)
		memcpy(out, outcomes, outcomes_len);
	row_put(j->maker, j->state.t_ms, open_len, sealed_len, outcomes_len);
	j->state.seq++;
	return RC_OK;
}

/* Between two events: may this one stand in the row that fills? */
static enum rc
turn_row(struct journal *j, int64_t t_ms, struct err *e)
{
	uint32_t	 month = row_month(t_ms);
	enum rc		 rc;

	if (row_events(j->maker) > 0 && (month != j->month ||
	    row_events(j->maker) == ROW_EVENTS_MAX ||
	    row_len(j->maker) >= ROW_FULL) &&
	    (rc = journal_commit(j, e)) != RC_OK)
		return rc;
	j->month = month;
	return RC_OK;
}

static int64_t
time_of(const struct journal *j, const struct command *c)
{
	return c->t_ms > j->state.t_ms ? c->t_ms : j->state.t_ms;
}

enum rc
journal_take(struct journal *j, const struct command *c,
    const struct engine_sink *sink, uint64_t *seq_out, struct err *e)
{
	struct rebuilt	*s = &j->state;
	int64_t		 t_ms = time_of(j, c);
	struct input	 in;
	bool		 taken;
	enum rc		 rc;

	if ((rc = alive(j, e)) != RC_OK ||
	    (rc = command_check(c, e)) != RC_OK)
		return rc;
	if (c->type == COMMAND_GENESIS || c->type == COMMAND_POLICY)
		return err_set(e, "`%s` is not a command to take",
		    command_type_text(c->type));
	if ((rc = take(&in, &taken, j->facts, c, &keyring_secrets(
	    j->keys)->ids, s->policy, e)) != RC_OK ||
	    (rc = turn_row(j, t_ms, e)) != RC_OK)
		return rc;
	j->trail.len = 0;
	if (taken) {
		engine_prefetch(s->engine, &in);
		engine_prefetch_records(s->engine, &in);
	}
	if (taken && (rc = trail_apply(&j->trail, s->engine, &in, s->program,
	    sink, e)) != RC_OK)
		return journal_die(j, rc, e);
	s->t_ms = t_ms;
	if ((rc = write_down(j, c, j->trail.bytes, j->trail.len, e)) != RC_OK)
		return journal_die(j, rc, e);
	*seq_out = s->seq;
	return RC_OK;
}

enum rc
journal_commit(struct journal *j, struct err *e)
{
	enum rc	 rc;

	if ((rc = alive(j, e)) != RC_OK)
		return rc;
	if (row_events(j->maker) == 0)
		return RC_OK;
	if ((rc = committer_push(j->committer, &j->maker, j->key, j->first,
	    j->state.seq, e)) != RC_OK)
		return journal_die(j, rc, e);
	begin_row(j);
	return journal_snapshot_maybe(j, e);
}

enum rc
journal_flush(struct journal *j, struct err *e)
{
	enum rc	 rc;

	if ((rc = journal_commit(j, e)) != RC_OK)
		return rc;
	if ((rc = committer_flush(j->committer, j->state.row_hash, e)) !=
	    RC_OK)
		return journal_die(j, rc, e);
	return RC_OK;
}

enum rc
journal_head(struct journal *j, struct head *out, struct err *e)
{
	enum rc	 rc;

	if ((rc = journal_flush(j, e)) != RC_OK)
		return rc;
	memcpy(out->deployment, j->state.genesis.deployment,
	    sizeof(out->deployment));
	out->seq = j->state.seq;
	out->t_ms = j->state.t_ms;
	memcpy(out->hash, j->state.row_hash, sizeof(out->hash));
	head_sign(out, j->keys);
	return RC_OK;
}

void
journal_durable_hash(const struct journal *j,
    unsigned char out[ROW_HASH_LEN])
{
	committer_durable(j->committer, out);
}

/* Policies */

/* The files of a policy as an event. */
static enum rc
policy_command(struct command *c, unsigned char **bundle,
    const struct policy *p, int64_t t_ms, struct err *e)
{
	size_t	 len;
	enum rc	 rc;

	if ((rc = policy_bundle(bundle, &len, p, e)) != RC_OK)
		return rc;
	command_clear(c, COMMAND_POLICY, t_ms);
	c->body.p = (const char *)*bundle;
	c->body.len = len;
	policy_bundle_hash(c->hash, *bundle, len);
	return RC_OK;
}

/* The engine for another policy, from all that is in the journal now. */
static enum rc
engine_for(struct journal *j, const struct program *p,
    struct engine **out, struct err *e)
{
	struct rebuild_options	 o = { .as = p, .until = j->state.seq,
		.progress = j->progress, .ctx = j->ctx };
	struct rebuilt		 r;
	struct db		*db = NULL;
	enum rc			 rc;

	if ((rc = db_open(&db, j->url, DB_READ, e)) != RC_OK)
		return rc;
	rc = rebuild(&r, db, j->keys, &o, e);
	db_close(&db);
	if (rc != RC_OK)
		return rc;
	*out = r.engine;
	r.engine = NULL;
	rebuilt_free(&r);
	return RC_OK;
}

/* From here on the new one decides. */
static void
swap_policy(struct journal *j, struct policy **policy,
    struct program **program, struct engine **engine,
    const struct command *c)
{
	struct rebuilt	*s = &j->state;

	engine_free(&s->engine);
	program_free(&s->program);
	policy_free(&s->policy);
	s->engine = *engine;
	s->program = *program;
	s->policy = *policy;
	*engine = NULL;
	*program = NULL;
	*policy = NULL;
	memcpy(s->policy_hash, c->hash, sizeof(s->policy_hash));
	s->policy_seq = s->seq;
}

static enum rc
put_policy(struct journal *j, struct policy **policy, const struct command *c,
    struct err *e)
{
	struct program	*program = NULL;
	struct engine	*engine = NULL;
	enum rc		 rc;

	if ((rc = program_new(&program, *policy, e)) != RC_OK)
		return rc;
	if ((rc = journal_flush(j, e)) == RC_OK &&
	    (rc = engine_for(j, program, &engine, e)) == RC_OK &&
	    (rc = turn_row(j, c->t_ms, e)) == RC_OK) {
		j->state.t_ms = c->t_ms;
		if ((rc = write_down(j, c, NULL, 0, e)) == RC_OK)
			swap_policy(j, policy, &program, &engine, c);
		else
			rc = journal_die(j, rc, e);
	}
	engine_free(&engine);
	program_free(&program);
	/* A restart need not go through all of it again. */
	return rc == RC_OK ? journal_snapshot(j, e) : rc;
}

enum rc
journal_policy_loaded(struct journal *j, struct policy **policy,
    const struct command *by, struct err *e)
{
	unsigned char	*bundle = NULL;
	struct command	 c;
	enum rc		 rc;

	if ((rc = alive(j, e)) != RC_OK ||
	    (rc = policy_command(&c, &bundle, *policy, time_of(j, by), e)) !=
	    RC_OK)
		return rc;
	c.by = by->by;
	c.reason = by->reason;
	/* The same text again changes nothing. */
	if (memcmp(c.hash, j->state.policy_hash, sizeof(c.hash)) != 0)
		rc = put_policy(j, policy, &c, e);
	free(bundle);
	return rc;
}

enum rc
journal_policy(struct journal *j, const char *path, const struct command *by,
    struct err *e)
{
	struct policy	*policy = NULL;
	enum rc		 rc;

	if ((rc = policy_load(&policy, path, NULL, e)) == RC_OK)
		rc = journal_policy_loaded(j, &policy, by, e);
	policy_free(&policy);
	return rc;
}

/* Beginning */

static enum rc
genesis_command(struct journal *j, const struct journal_config *cfg,
    unsigned char bytes[GENESIS_LEN], struct command *c)
{
	struct genesis	*g = &j->state.genesis;

	memcpy(g->deployment, keyring_secrets(j->keys)->deployment,
	    sizeof(g->deployment));
	keyring_engine_key(j->keys, g->engine_key);
	keyring_tag(j->keys, g->keys_tag);
	g->network = cfg->network;
	g->demo = cfg->demo;
	g->receipt_at_release = cfg->receipt_at_release;
	genesis_pack(g, bytes);
	command_clear(c, COMMAND_GENESIS, cfg->t_ms);
	c->body.p = (const char *)bytes;
	c->body.len = GENESIS_LEN;
	return RC_OK;
}

/* The first row: whose journal this is, and its policy. */
static enum rc
first_row(struct journal *j, const struct journal_config *cfg,
    struct err *e)
{
	struct rebuilt	*s = &j->state;
	unsigned char	 genesis[GENESIS_LEN], *bundle = NULL;
	struct command	 c;
	enum rc		 rc;

	s->t_ms = cfg->t_ms;
	if ((rc = genesis_command(j, cfg, genesis, &c)) != RC_OK ||
	    (rc = turn_row(j, s->t_ms, e)) != RC_OK ||
	    (rc = write_down(j, &c, NULL, 0, e)) != RC_OK ||
	    (rc = policy_command(&c, &bundle, s->policy, cfg->t_ms, e)) !=
	    RC_OK)
		return rc;
	if ((rc = write_down(j, &c, NULL, 0, e)) == RC_OK) {
		memcpy(s->policy_hash, c.hash, sizeof(s->policy_hash));
		s->policy_seq = s->seq;
		rc = journal_flush(j, e);
	}
	free(bundle);
	return rc;
}

static enum rc
start_committer(struct journal *j, const struct journal_config *cfg,
    struct err *e)
{
	enum rc	 rc;

	if ((rc = committer_new(&j->committer, j->db, j->state.row_hash,
	    cfg->durable, cfg->ctx, e)) == RC_OK)
		begin_row(j);
	return rc;
}

static enum rc
make(struct journal *j, const struct journal_config *cfg, struct err *e)
{
	struct rebuilt	*s = &j->state;
	const char	*path = db_keyring_path(j->db);
	enum rc		 rc;

	if (cfg->policy_path == NULL)
		return err_set(e, "a new journal needs a policy");
	/* One without a database was left by a creation that died. */
	rc = access(path, F_OK) == 0 ? keyring_open(&j->keys, path, true, e) :
	    keyring_create(&j->keys, path, e);
	if (rc != RC_OK ||
	    (rc = policy_load(&s->policy, cfg->policy_path, NULL, e)) !=
	    RC_OK ||
	    (rc = program_new(&s->program, s->policy, e)) != RC_OK ||
	    (rc = rebuilt_engine(&s->engine, s->program, j->keys,
	    cfg->receipt_at_release, e)) != RC_OK ||
	    (rc = start_committer(j, cfg, e)) != RC_OK)
		return rc;
	return first_row(j, cfg, e);
}

static enum rc
restart(struct journal *j, const struct journal_config *cfg, struct err *e)
{
	struct rebuild_options	 o = {
		.snapshots = true,
		.progress = cfg->progress,
		.ctx = cfg->ctx,
	};
	enum rc			 rc;

	if ((rc = keyring_open(&j->keys, db_keyring_path(j->db), true, e)) !=
	    RC_OK ||
	    (rc = rebuild(&j->state, j->db, j->keys, &o, e)) != RC_OK ||
	    (rc = start_committer(j, cfg, e)) != RC_OK)
		return rc;
	j->snapshot_seq = j->state.snapshot_seq;
	/* Rows that could only be followed are not followed twice. */
	return j->state.followed > 0 ? journal_snapshot(j, e) : RC_OK;
}

static enum rc
open_db(struct journal *j, const struct journal_config *cfg, struct err *e)
{
	bool	 missing = access(cfg->url, F_OK) != 0;

	return db_open(&j->db, cfg->url, cfg->create && missing ?
	    DB_CREATE : DB_WRITE, e);
}

static void
journal_free(struct journal **jp)
{
	struct journal	*j = *jp;

	*jp = NULL;
	journal_snapshot_wait(j);
	committer_free(&j->committer);
	row_maker_free(&j->maker);
	rebuilt_free(&j->state);
	trail_free(&j->trail);
	keyring_free(&j->keys);
	db_close(&j->db);
	free(j->url);
	free(j);
}

enum rc
journal_open(struct journal **out, const struct journal_config *cfg,
    struct err *e)
{
	struct journal	*j = calloc(1, sizeof(*j));
	uint64_t	 last = 0;
	enum rc		 rc;

	if (j == NULL)
		return err_set(e, "out of memory");
	j->snapshot_every = cfg->snapshot_every;
	j->progress = cfg->progress;
	j->ctx = cfg->ctx;
	if ((j->url = strdup(cfg->url)) == NULL)
		rc = err_set(e, "out of memory");
	else if ((rc = row_maker_new(&j->maker, e)) == RC_OK &&
	    (rc = open_db(j, cfg, e)) == RC_OK &&
	    (rc = db_last(j->db, &last, e)) == RC_OK)
		rc = last == 0 && cfg->create ? make(j, cfg, e) :
		    restart(j, cfg, e);
	if (rc != RC_OK) {
		journal_free(&j);
		return rc;
	}
	*out = j;
	return RC_OK;
}

enum rc
journal_close(struct journal **jp, struct err *e)
{
	struct journal	*j = *jp;
	enum rc		 rc;

	*jp = NULL;
	if ((rc = journal_flush(j, e)) == RC_OK)
		rc = journal_snapshot_last(j, e);
	journal_free(&j);
	return rc;
}
