/*
 * The engine's start and end, and the table of what it takes.
 */
#include "engine/engine.h"

#include <stdlib.h>

#include "engine/ask.h"
#include "engine/counters.h"
#include "engine/decide.h"
#include "engine/facts.h"
#include "engine/handlers.h"
#include "engine/layout.h"
#include "engine/records.h"
#include "engine/taint.h"

static void (*const handlers[INPUT__COUNT])(struct engine *,
    const struct input *) = {
	[INPUT_ACCOUNT] = account_input,
	[INPUT_KEY] = key_input,
	[INPUT_KEY_REVOKE] = key_revoke,
	[INPUT_SECURITY_CHANGE] = account_security_change,
	[INPUT_LOGIN] = account_login,
	[INPUT_FACT] = account_fact,
	[INPUT_DEPOSIT] = account_deposit,
	[INPUT_BALANCE] = account_balance,
	[INPUT_HOT_BALANCE] = wallet_hot_balance,
	[INPUT_FUND] = wallet_fund,
	[INPUT_CHAIN_SEEN] = wallet_chain_seen,
	[INPUT_ADDRESS_ADD] = account_address_add,
	[INPUT_ADDRESS_REMOVE] = account_address_remove,
	[INPUT_WITHDRAW] = decide_ask,
	[INPUT_CODE] = operator_code,
	[INPUT_RECEIPT] = operator_receipt,
	[INPUT_BURNED] = operator_burned,
	[INPUT_OUTCOME] = operator_outcome,
	[INPUT_CANCEL] = operator_cancel,
	[INPUT_RELEASE] = operator_release,
	[INPUT_DENY] = operator_deny,
	[INPUT_FREEZE] = stop_freeze,
	[INPUT_UNFREEZE] = stop_unfreeze,
	[INPUT_HALT] = stop_halt,
	[INPUT_RESUME] = stop_resume,
	[INPUT_TICK] = stop_tick,
	[INPUT_RESTORED] = stop_restored,
};

static void
say(struct engine *e, const struct input *in, enum outcome_type type,
    enum why why)
{
	struct outcome	 o = {
		.type = type, .why = why, .t_ms = e->v.now_ms, .id = in->id,
		.account = in->account, .ref = NONE,
		.amount_sat = in->amount_sat, .due_ms = INT64_MAX,
		.released_ms = -1, .halt_rule = -1,
	};

	e->sink->emit(e->sink->ctx, &o);
}

void
engine_taken(struct engine *e, const struct input *in)
{
	say(e, in, OUTCOME_TAKEN, WHY_NONE);
}

void
engine_refused(struct engine *e, const struct input *in, enum why why)
{
	say(e, in, OUTCOME_REFUSED, why);
}

void
engine_handle(struct engine *e, const struct input *in)
{
	handlers[in->type](e, in);
}

void
engine_apply(struct engine *e, const struct input *in,
    const struct engine_sink *sink)
{
	assert(in->type < INPUT__COUNT);
	e->sink = sink;
	if (in->t_ms > ENGINE_TIME_MAX_MS) {
		engine_refused(e, in, WHY_CLOCK);
		return;
	}
	if (in->t_ms > e->v.now_ms) {
		decide_due(e, in->t_ms);
		ask_turn_hours(e, in->t_ms);
		e->v.now_ms = in->t_ms;
	} else
		decide_due(e, e->v.now_ms);
	handlers[in->type](e, in);
	e->sink = NULL;
}

int64_t
engine_next_due_ms(const struct engine *e)
{
	return due_next_ms(&e->due);
}

static size_t
capacity(size_t given, int64_t policy, size_t dflt)
{
	size_t		 n = given != 0 ? given :
	    policy > 0 ? (size_t)policy : dflt;

	return n < FULL ? n : FULL - 1;
}

/* What the configuration leaves open, the policy says; else these. */
static void
capacities(struct engine *e)
{
	struct engine_config *c = &e->cfg;
	const struct settings *set = &e->pol->set;

	c->accounts = capacity(c->accounts, set->cap_accounts, 100000);
	c->keys = capacity(c->keys, set->cap_keys, c->accounts);
	c->pairs = capacity(c->pairs, set->cap_pairs, c->accounts * 4);
	c->destinations = capacity(c->destinations, set->cap_destinations,
	    c->accounts * 4);
	c->waiting = capacity(c->waiting, set->cap_waiting,
	    c->accounts / 4 + 1000);
	c->withdrawals = capacity(c->withdrawals, set->cap_withdrawals,
	    c->accounts * 16);
	c->networks = capacity(c->networks, set->cap_networks,
	    c->accounts * 2);
	c->groups = capacity(c->groups, set->cap_groups,
	    c->accounts / 4 + 1000);
}

static size_t
place_capacity(const struct engine *e, int place)
{
	switch (place) {
	case PLACE_PLATFORM:
		return 1;
	case PLACE_ACCOUNT:
		return e->cfg.accounts;
	case PLACE_DESTINATION:
		return e->cfg.destinations;
	case PLACE_KEY:
		return e->cfg.keys;
	}
	return e->places[place].full == WHY_FULL_NETWORKS ?
	    e->cfg.networks : e->cfg.groups;
}

/* A pool whose records begin with their id, and its index. */
static enum rc
pool_new(struct store *s, struct index *ix, size_t count, size_t size,
    struct err *err)
{
	enum rc		 rc;

	if ((rc = store_new(s, count, size, err)) != RC_OK)
		return rc;
	return index_new(ix, count, s, 0, err);
}

static enum rc
places_new(struct engine *e, struct err *err)
{
	struct place	*pl;
	uint32_t	 n;
	enum rc		 rc;
	int		 i;

	for (i = 0; i < e->n_places; i++) {
		pl = &e->places[i];
		rc = i == PLACE_PLATFORM ?
		    store_new(&pl->store, 1, pl->size, err) :
		    pool_new(&pl->store, &pl->index, place_capacity(e, i),
		    pl->size, err);
		if (rc != RC_OK)
			return rc;
	}
	if (!store_add(&e->places[PLACE_PLATFORM].store, &n))
		return err_set(err, "no room for the platform");
	return RC_OK;
}

/* Which of the optional pools this policy needs. */
static void
needs(struct engine *e)
{
	const bool	*uses = e->p->uses_fact;
	int		 i;

	e->use_uses = uses[FACT_IP_NEW_ACCOUNT] || uses[FACT_AGE_IP];
	e->use_ips = uses[FACT_IP_NEW_PLATFORM];
	for (i = 0; i < e->p->n_aggs; i++)
		e->use_ips |= e->p->aggs[i].def.thing == THING_IPS;
	e->use_pairs = e->pol->trust.given || uses[FACT_PROVEN] ||
	    uses[FACT_CREDIT] || uses[FACT_DESTINATION_NEW_ACCOUNT] ||
	    uses[FACT_PAYERS_DESTINATION] || uses[FACT_AGE_LISTING] ||
	    uses[FACT_HABIT_DESTINATIONS];
}

static enum rc
pools_new(struct engine *e, struct err *err)
{
	const struct engine_config *c = &e->cfg;
	size_t		 waiting = e->off_frozen +
	    (size_t)e->n_frozen * sizeof(int64_t);
	enum rc		 rc;

	if ((rc = places_new(e, err)) != RC_OK ||
	    (rc = pool_new(&e->withdrawals, &e->withdrawals_ix,
	    c->withdrawals, sizeof(struct withdrawal), err)) != RC_OK ||
	    (rc = store_new(&e->waiting, c->waiting, waiting, err)) !=
	    RC_OK ||
	    (rc = store_new(&e->cidrs, c->keys * 4, sizeof(
	    struct cidr_record), err)) != RC_OK ||
	    (rc = store_new(&e->pairs, e->use_pairs ? c->pairs : 1,
	    sizeof(struct trust_pair), err)) != RC_OK ||
	    (rc = index_new_pairs(&e->pairs_ix, e->pairs.count_max,
	    &e->pairs, 0, &c->ids, err)) != RC_OK ||
	    (rc = pool_new(&e->ips, &e->ips_ix, e->use_ips ? c->networks : 1,
	    sizeof(struct seen), err)) != RC_OK ||
	    (rc = pool_new(&e->uses, &e->uses_ix,
	    e->use_uses ? c->networks : 1, sizeof(struct seen), err)) !=
	    RC_OK)
		return rc;
	if ((rc = due_new(&e->due, c->waiting, err)) != RC_OK ||
	    (rc = due_new(&e->stopped, c->waiting, err)) != RC_OK ||
	    (rc = due_new(&e->unreceipted, c->waiting, err)) != RC_OK)
		return rc;
	return RC_OK;
}

static void
populate_pool(const struct store *s, const struct index *ix)
{
	store_populate(s->base, s->mapped_bytes);
	store_populate(ix->slots, ix->n_slots * sizeof(*ix->slots));
}

static void
populate(const struct engine *e)
{
	int		 i;

	for (i = 0; i < e->n_places; i++)
		populate_pool(&e->places[i].store, &e->places[i].index);
	populate_pool(&e->withdrawals, &e->withdrawals_ix);
	populate_pool(&e->pairs, &e->pairs_ix);
	populate_pool(&e->ips, &e->ips_ix);
	populate_pool(&e->uses, &e->uses_ix);
	store_populate(e->waiting.base, e->waiting.mapped_bytes);
}

static enum rc
normals_new(struct engine *e, struct err *err)
{
	int64_t		 growth_ppm = e->pol->set.growth_ppm;
	int		 i, normal;

	e->normals = calloc((size_t)e->n_normals + 1, sizeof(*e->normals));
	if (e->normals == NULL)
		return err_set(err, "normals: out of memory");
	for (i = 0; i < e->p->n_aggs; i++)
		if ((normal = e->counters[i].normal) >= 0)
			normal_init(&e->normals[normal], growth_ppm,
			    e->p->aggs[i].def.window_ms);
	return RC_OK;
}

static void
secrets(struct engine *e)
{
	char		 text[] = "engine ip 0";
	size_t		 i;

	for (i = 0; i < sizeof(e->ip_secret) / sizeof(e->ip_secret[0]); i++) {
		text[sizeof(text) - 2] = (char)('0' + i);
		e->ip_secret[i] = ident_prf(&e->cfg.ids, text,
		    sizeof(text) - 1) | 1;
	}
}

/* The policy's readings at start: nothing is known. */
static void
state_begin(struct engine *e)
{
	const struct trust *t = &e->pol->trust;

	e->v.fund_sat = -1;
	e->v.halt_rule = -1;
	hot_init(&e->hot, e->pol->set.hot_max_sat > 0 ?
	    e->pol->set.hot_max_sat : INT64_MAX);
	if (t->given)
		e->terms = trust_terms(t->after_ms, t->full_ms, t->used_ms,
		    t->upto_sat);
	else
		e->terms = trust_terms(0, MS_PER_DAY, MS_PER_DAY, 0);
}

enum rc
engine_new(struct engine **out, const struct program *p,
    const struct engine_config *c, struct err *err)
{
	struct engine	*e;
	enum rc		 rc;

	*out = NULL;
	if ((e = calloc(1, sizeof(*e))) == NULL)
		return err_set(err, "engine: out of memory");
	e->p = p;
	e->pol = p->policy;
	e->cfg = *c;
	capacities(e);
	needs(e);
	if ((rc = layout_compute(e, err)) != RC_OK ||
	    (rc = tables_new(&e->tables, e->pol, &c->ids, err)) != RC_OK ||
	    (rc = pools_new(e, err)) != RC_OK ||
	    (rc = normals_new(e, err)) != RC_OK ||
	    (rc = taint_new(e, err)) != RC_OK) {
		engine_free(&e);
		return err_wrap(err, rc, "engine");
	}
	secrets(e);
	state_begin(e);
	if (e->cfg.populate)
		populate(e);
	*out = e;
	return RC_OK;
}

void
engine_free(struct engine **ep)
{
	struct engine	*e = *ep;
	int		 i;

	*ep = NULL;
	if (e == NULL)
		return;
	for (i = 0; i < e->n_places; i++) {
		index_free(&e->places[i].index);
		store_free(&e->places[i].store);
	}
	index_free(&e->withdrawals_ix);
	index_free(&e->pairs_ix);
	index_free(&e->ips_ix);
	index_free(&e->uses_ix);
	store_free(&e->withdrawals);
	store_free(&e->waiting);
	store_free(&e->cidrs);
	store_free(&e->pairs);
	store_free(&e->ips);
	store_free(&e->uses);
	due_free(&e->due);
	due_free(&e->stopped);
	due_free(&e->unreceipted);
	taint_free(e);
	tables_free(&e->tables);
	free(e->normals);
	free(e);
}
