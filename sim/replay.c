#include "sim/replay.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "lib/amount.h"
#include "sim/decisions.h"
#include "sim/feed.h"
#include "sim/idmap.h"
#include "sim/pipe.h"
#include "sim/reviewer.h"

/* A hold that wants more people than this is not released here either. */
#define PEOPLE_MAX	8
/* Inputs that the engine is asked to have room for at a time. */
#define RESERVE		4096
#define AHEAD		9
#define AHEAD_RECORDS	6
#define AHEAD_PAIR	3

/* What a reviewer must know of a withdrawal to see what belongs together. */
struct origin {
	struct ident	id;
	struct ident	script;
	struct ident	partner;
	struct ident	group;
	unsigned char	ip[16];
	bool		has_ip;
};

/* Why a rule holds: what its cases are grouped by. */
enum reason {
	REASON_NONE,		/* each withdrawal is its own case */
	REASON_DESTINATION,
	REASON_NETWORK,
	REASON_PARTNER,
	REASON_GROUP,
	REASON_CROWD,
};

struct rule_reason {
	enum reason	reason;
	int		bits;		/* NETWORK: of an IPv6 address */
	bool		v4;		/* NETWORK: IPv4 only */
};

struct replay {
	const struct program *program;
	struct ident_key ids;
	struct engine	*engine;
	struct feed	*feed;
	struct tally	*tally;
	struct reviewer	*reviewer;
	struct decisions *decisions;	/* NULL: not wanted */
	bool		 oracle;
	bool		 resumed;	/* since it was last cleared */
	size_t		 room;		/* inputs that still fit */
	uint64_t	 events;
	int64_t		 last_ms;
	const struct feed_item *item;	/* being applied */
	struct cidr	 cidrs[SCENARIO_IPS_MAX];
	bool		 failed;
	struct err	 why;
	/* For the oracle alone. */
	struct rule_reason reasons[RULES_MAX];
	struct origin	*origins;	/* by ref */
	size_t		 room_origins;
	struct idmap	 thieves;	/* value: 1 frozen by us */
	struct ident	*thief;		/* in order of their first attack */
	size_t		 n_thieves, room_thieves;
};

/* Why rules hold */

static void
better(struct rule_reason *r, const struct agg *a)
{
	enum reason	 reason = REASON_NONE;

	switch (a->scope) {
	case SCOPE_ACCOUNT:
	case SCOPE_KEY:
		break;
	case SCOPE_IP:
	case SCOPE_IP6:
		reason = REASON_NETWORK;
		break;
	case SCOPE_PARTNER:
		reason = REASON_PARTNER;
		break;
	case SCOPE_GROUP:
	case SCOPE_GROUP_TABLE:
		reason = REASON_GROUP;
		break;
	case SCOPE_DESTINATION:
		reason = REASON_DESTINATION;
		break;
	case SCOPE_PLATFORM:
		reason = REASON_CROWD;
		break;
	}
	/* The narrowest reason that a rule names. */
	if (reason == REASON_NONE ||
	    (r->reason != REASON_NONE && r->reason <= reason))
		return;
	r->reason = reason;
	r->v4 = a->scope == SCOPE_IP;
	r->bits = r->v4 ? 96 + a->prefix : a->prefix;
}

static void
look_quantity(const struct policy *p, const struct quantity *q,
    struct rule_reason *r)
{
	while (q->kind == Q_NAME)
		q = &p->lets[q->index].q;
	if (q->kind == Q_AGG)
		better(r, &q->agg);
}

/* The parser bounds how deep a condition is nested. */
static void
look_cond(const struct policy *p, const struct cond *c,
    struct rule_reason *r)
{
	int	 i;

	if (c == NULL)
		return;
	for (i = 0; i < c->n_kids; i++)
		look_cond(p, c->kids[i], r);
	if (c->kind != COND_COMPARE)
		return;
	look_quantity(p, &c->left, r);
	if (!c->is_line)
		look_quantity(p, &c->right, r);
}

static void
find_reasons(struct replay *r)
{
	const struct program	*g = r->program;
	int			 i, rule;

	for (i = 0; i < g->n_rules; i++) {
		rule = g->rules[i].ast_rule;
		if (rule >= 0)
			look_cond(g->policy, g->policy->rules[rule].cond,
			    &r->reasons[i]);
	}
}

static struct ident
masked_ip(const struct replay *r, const struct origin *o,
    const struct rule_reason *why)
{
	static const unsigned char	 v4[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0xff, 0xff };
	struct ident			 none = { 0, 0 };
	unsigned char			 ip[16];
	int				 i, keep;

	if (!o->has_ip || (memcmp(o->ip, v4, 12) == 0) != why->v4)
		return none;
	for (i = 0; i < 16; i++) {
		keep = why->bits - i * 8;
		ip[i] = keep >= 8 ? o->ip[i] : keep <= 0 ? 0 :
		    (unsigned char)(o->ip[i] & 0xff << (8 - keep));
	}
	return ident_of(&r->ids, ip, sizeof(ip));
}

/* The case's name: rule and reason; none for a case of its own. */
static struct ident
case_name(const struct replay *r, const struct origin *o, int rule)
{
	const struct rule_reason	*why = &r->reasons[rule];
	struct ident			 none = { 0, 0 };
	struct {
		uint64_t	rule;
		struct ident	of;
	} name = { (uint64_t)rule, { 0, 0 } };

	switch (why->reason) {
	case REASON_NONE:
		return none;
	case REASON_DESTINATION:
		name.of = o->script;
		break;
	case REASON_NETWORK:
		name.of = masked_ip(r, o, why);
		break;
	case REASON_PARTNER:
		name.of = o->partner;
		break;
	case REASON_GROUP:
		name.of = o->group;
		break;
	case REASON_CROWD:
		return ident_of(&r->ids, &name, sizeof(name));
	}
	/* Who has no network, partner or group is alone in his own. */
	return ident_none(name.of) ? none :
	    ident_of(&r->ids, &name, sizeof(name));
}

/* What comes out of the engine */

static void
remember_failure(struct replay *r, const char *why)
{
	if (!r->failed)
		(void)err_set(&r->why, "%s", why);
	r->failed = true;
}

/* A withdrawal was asked for: what the reviewer will want to know. */
static void
note_origin(struct replay *r, const struct outcome *o)
{
	const struct feed_item	*item = r->item;
	struct origin		*more, *to;
	size_t			 room;

	if (o->ref >= r->room_origins) {
		room = (size_t)o->ref * 2 + 1024;
		more = realloc(r->origins, room * sizeof(*more));
		if (more == NULL) {
			remember_failure(r, "out of memory");
			return;
		}
		r->origins = more;
		r->room_origins = room;
	}
	to = &r->origins[o->ref];
	memset(to, 0, sizeof(*to));
	to->id = item->in.id;
	to->script = item->in.script;
	to->partner = item->partner;
	to->group = item->group;
	to->has_ip = item->in.has_ip;
	memcpy(to->ip, item->in.ip, sizeof(to->ip));
}

/* Accounts that ask for an attack withdrawal, in order. */
static void
note_thief(struct replay *r, struct ident account)
{
	struct ident	*more;
	bool		 fresh;

	if (idmap_put(&r->thieves, account, &fresh) == NULL) {
		remember_failure(r, "out of memory");
		return;
	}
	if (!fresh)
		return;
	if (r->n_thieves == r->room_thieves) {
		more = realloc(r->thief,
		    (r->room_thieves * 2 + 64) * sizeof(*more));
		if (more == NULL) {
			remember_failure(r, "out of memory");
			return;
		}
		r->thief = more;
		r->room_thieves = r->room_thieves * 2 + 64;
	}
	r->thief[r->n_thieves++] = account;
}

/* It is held: which case is it of? */
static void
note_held(struct replay *r, const struct outcome *o)
{
	struct tally_entry	 entry = tally_entry(r->tally, o->ref);
	struct ident		 name = { 0, 0 }, own = { 0, 0 };
	int			 i;

	/* Who could say whether an unlabelled one is honest? */
	if (entry.label == LABEL_NONE)
		return;
	for (i = 0; o->joined != NULL && i < r->program->n_rules; i++) {
		if (!(o->joined->matched[i / 64] >> i % 64 & 1) ||
		    (r->program->rules[i].verdict != VERDICT_HOLD &&
		    r->program->rules[i].verdict != VERDICT_HALT))
			continue;
		own = case_name(r, &r->origins[o->ref], i);
		if (!ident_none(own)) {
			name = own;
			break;
		}
	}
	if (reviewer_held(r->reviewer, o->t_ms, o->ref, name, &r->why) !=
	    RC_OK)
		r->failed = true;
}

static void
for_the_reviewer(struct replay *r, const struct outcome *o)
{
	switch (o->type) {
	case OUTCOME_DECIDED:
		if (r->item->in.history)
			return;
		note_origin(r, o);
		if (r->item->label == LABEL_ATTACK)
			note_thief(r, o->account);
		if (o->state == STATE_HELD && !r->failed)
			note_held(r, o);
		break;
	case OUTCOME_REDECIDED:
	case OUTCOME_MOVED:
		if (o->state == STATE_HELD)
			note_held(r, o);
		break;
	case OUTCOME_HALTED:
		reviewer_halted(r->reviewer, o->t_ms);
		break;
	case OUTCOME_RESUMED:
		reviewer_resumed(r->reviewer);
		r->resumed = true;
		break;
	case OUTCOME_REPEATED:
	case OUTCOME_TAKEN:
	case OUTCOME_REFUSED:
		break;
	}
}

static void
emit(void *ctx, const struct outcome *o)
{
	struct replay	*r = ctx;

	if (r->failed)
		return;
	if (o->type == OUTCOME_DECIDED && o->ref == UINT32_MAX) {
		remember_failure(r, "more withdrawals than fit");
		return;
	}
	if (tally_outcome(r->tally, o) != RC_OK) {
		remember_failure(r, "out of memory");
		return;
	}
	if (r->decisions != NULL && o->type == OUTCOME_DECIDED &&
	    tally_entry(r->tally, o->ref).scored &&
	    decisions_asked(r->decisions, r->item, o, &r->why) != RC_OK)
		r->failed = true;
	if (r->oracle && !r->failed)
		for_the_reviewer(r, o);
}

/* What goes into the engine */

static void
apply(struct replay *r, const struct input *in)
{
	const struct engine_sink	 sink = { emit, r };

	if (r->room == 0) {
		if (engine_reserve(r->engine, RESERVE, &r->why) != RC_OK) {
			r->failed = true;
			return;
		}
		r->room = RESERVE;
	}
	r->room--;
	engine_apply(r->engine, in, &sink);
}

static void
by_reviewer(struct replay *r, enum input_type type, int64_t t_ms,
    struct ident id, struct ident account, int number)
{
	struct input	 in;
	char		 name[] = "reviewer 1";

	memset(&in, 0, sizeof(in));
	in.type = type;
	in.t_ms = t_ms;
	in.id = id;
	in.account = account;
	in.limit_sat = in.tier = -1;
	name[sizeof(name) - 2] = (char)('1' + number);
	/* The first has no number. */
	in.by = ident_of(&r->ids, name, number == 0 ? 8 : sizeof(name) - 1);
	apply(r, &in);
}

static bool
held(const struct replay *r, uint32_t ref)
{
	return tally_entry(r->tally, ref).final == FINAL_HELD;
}

/* One withdrawal of a case: what its label deserves, unless he errs.  A hold
 * that wants several people finds them. */
static void
review(struct replay *r, uint32_t ref, int64_t t_ms)
{
	struct ident	 id = r->origins[ref].id, none = { 0, 0 };
	bool		 release;
	int		 i;

	release = tally_entry(r->tally, ref).label == LABEL_LEGIT;
	if (reviewer_wrong(r->reviewer, id))
		release = !release;
	if (!release) {
		by_reviewer(r, INPUT_DENY, t_ms, id, none, 0);
		return;
	}
	for (i = 0; i < PEOPLE_MAX && held(r, ref) && !r->failed; i++)
		by_reviewer(r, INPUT_RELEASE, t_ms, id, none, i);
}

/* Freeze every account that has asked for an attack, then go on. */
static void
resume(struct replay *r, int64_t t_ms)
{
	struct ident	 none = { 0, 0 };
	size_t		 i;

	for (i = 0; i < r->n_thieves && !r->failed; i++)
		by_reviewer(r, INPUT_FREEZE, t_ms, none, r->thief[i], 0);
	/* What it lets go may stop everything again, so this does not ask
	 * whether all is stopped, but whether it was resumed. */
	r->resumed = false;
	for (i = 0; i < PEOPLE_MAX && !r->resumed && !r->failed; i++)
		by_reviewer(r, INPUT_RESUME, t_ms, none, none, (int)i);
}

static void
reviewer_acts(struct replay *r)
{
	int64_t		 t_ms = reviewer_next_ms(r->reviewer);
	const uint32_t	*refs;
	size_t		 n, i;
	bool		 looked = false;

	if (reviewer_take(r->reviewer, &refs, &n) == REVIEW_RESUME) {
		if (engine_halted(r->engine))
			resume(r, t_ms);
		return;
	}
	for (i = 0; i < n && !r->failed; i++) {
		if (!held(r, refs[i]))
			continue;
		looked = true;
		review(r, refs[i], t_ms);
	}
	if (looked)
		reviewer_looked(r->reviewer, t_ms);
}

/* Everything before the file's next line: what matures, then the reviewer,
 * in order of time. */
static void
catch_up(struct replay *r, int64_t t_ms)
{
	struct input	 tick;
	int64_t		 due_ms, look_ms;

	memset(&tick, 0, sizeof(tick));
	tick.type = INPUT_TICK;
	r->item = NULL;
	tally_item(r->tally, NULL);
	while (!r->failed) {
		due_ms = engine_next_due_ms(r->engine);
		look_ms = reviewer_next_ms(r->reviewer);
		if (due_ms <= t_ms && due_ms <= look_ms) {
			tick.t_ms = due_ms;
			apply(r, &tick);
		} else if (look_ms <= t_ms) {
			reviewer_acts(r);
		} else {
			break;
		}
	}
}

static void
apply_item(struct replay *r, const struct feed_item *item)
{
	r->events++;
	if (r->oracle)
		catch_up(r, item->in.t_ms);
	r->last_ms = item->in.t_ms;
	if (item->skip || r->failed)
		return;
	r->item = item;
	tally_item(r->tally, item);
	apply(r, &item->in);
}

/* The life of a replay */

struct ident_key
replay_lot_key(void)
{
	unsigned char		 hash[crypto_hash_sha256_BYTES];
	struct ident_key	 key;

	(void)crypto_hash_sha256(hash, (const unsigned char *)"replay", 6);
	memcpy(key.bytes, hash, sizeof(key.bytes));
	return key;
}

enum rc
replay_new(struct replay **out, const struct replay_options *o,
    struct err *e)
{
	struct replay		*r = calloc(1, sizeof(*r));
	struct engine_config	 config;

	if (r == NULL)
		return err_set(e, "out of memory");
	memset(&config, 0, sizeof(config));
	if (o->ids != NULL)
		config.ids = *o->ids;
	else
		memcpy(config.ids.bytes, "drawbridge ident", 16);
	config.lots = o->lots;
	config.receipt_at_release = true;
	config.queued = true;
	r->program = o->program;
	r->ids = config.ids;
	r->oracle = o->reviewer.oracle;
	r->last_ms = INT64_MIN;
	find_reasons(r);
	if (engine_new(&r->engine, o->program, &config, e) != RC_OK ||
	    feed_new(&r->feed, &config.ids, o->program->policy, e) !=
	    RC_OK ||
	    tally_new(&r->tally, o->from_ms, e) != RC_OK ||
	    reviewer_new(&r->reviewer, &o->reviewer, e) != RC_OK ||
	    (o->decisions != NULL && decisions_new(&r->decisions,
	    o->decisions, o->program, e) != RC_OK)) {
		replay_free(&r);
		return RC_FAILED;
	}
	*out = r;
	return RC_OK;
}

void
replay_free(struct replay **rp)
{
	struct replay	*r = *rp;

	*rp = NULL;
	if (r == NULL)
		return;
	decisions_free(&r->decisions);
	reviewer_free(&r->reviewer);
	tally_free(&r->tally);
	feed_free(&r->feed);
	engine_free(&r->engine);
	idmap_free(&r->thieves);
	free(r->thief);
	free(r->origins);
	free(r);
}

static enum rc
verdict(const struct replay *r, struct err *e)
{
	if (!r->failed)
		return RC_OK;
	return err_set(e, "%s", r->why.text);
}

enum rc
replay_event(struct replay *r, const struct scenario_event *ev,
    enum network net, bool history, struct err *e)
{
	struct feed_item	 item;

	if (feed_read(r->feed, ev, net, history, r->cidrs, &item, e) !=
	    RC_OK || feed_check(r->feed, &item, e) != RC_OK)
		return RC_FAILED;
	/* There is no queue here: all at once is better than in turn. */
	engine_prefetch(r->engine, &item.in);
	engine_prefetch_records(r->engine, &item.in);
	apply_item(r, &item);
	r->item = NULL;
	return verdict(r, e);
}

/* Memory takes longer than deciding: ask for it some items ahead. */
static inline void
prefetch(const struct replay *r, const struct pipe_batch *b, size_t i)
{
	if (i + AHEAD < b->n)
		engine_prefetch(r->engine, &b->items[i + AHEAD].in);
	if (i + AHEAD_RECORDS < b->n)
		engine_prefetch_records(r->engine,
		    &b->items[i + AHEAD_RECORDS].in);
	if (i + AHEAD_PAIR < b->n)
		engine_prefetch_pair(r->engine, &b->items[i + AHEAD_PAIR].in);
}

enum rc
replay_file(struct replay *r, const char *path, const char *history,
    void (*progress)(void *ctx, int permille, uint64_t events), void *ctx,
    struct err *e)
{
	const struct pipe_batch	*b;
	struct pipe		*p;
	enum rc			 rc;
	size_t			 i;

	if (pipe_new(&p, r->feed, path, history, e) != RC_OK)
		return RC_FAILED;
	do {
		b = pipe_next(p);
		for (i = 0; i < b->n && !r->failed; i++) {
			prefetch(r, b, i);
			apply_item(r, &b->items[i]);
		}
		r->item = NULL;
		if (progress != NULL)
			progress(ctx, b->permille, r->events);
	} while (!b->last && !r->failed);
	rc = verdict(r, e);
	if (b->rc != RC_OK)
		rc = err_set(e, "%s", pipe_why(p)->text);
	pipe_free(&p);
	return rc;
}

enum rc
replay_finish(struct replay *r, const struct score **out, struct err *e)
{
	if (r->events > 0)
		catch_up(r, r->last_ms);
	if (verdict(r, e) != RC_OK ||
	    tally_finish(r->tally, reviewer_looks(r->reviewer), r->events,
	    out, e) != RC_OK)
		return RC_FAILED;
	if (r->decisions != NULL)
		return decisions_write(r->decisions, r->tally, e);
	return RC_OK;
}

enum rc
replay_keep_decisions(struct replay *r, struct err *e)
{
	return r->decisions != NULL ? decisions_keep(r->decisions, e) : RC_OK;
}

const struct engine *
replay_engine(const struct replay *r)
{
	return r->engine;
}
