#include "engine/ask.h"

#include "engine/counters.h"
#include "engine/decide.h"
#include "engine/facts.h"
#include "engine/follow.h"
#include "engine/layout.h"
#include "engine/ledger.h"
#include "engine/records.h"
#include "engine/withdrawal.h"

void
ask_turn_hours(struct engine *e, int64_t t_ms)
{
	int64_t		 turn_ms = INT64_MAX, next_ms;
	int		 i;

	if (t_ms < e->turn_ms)
		return;
	counters_turn_hours(e, t_ms);
	for (i = 0; i < e->n_normals; i++) {
		next_ms = normal_turn_ms(&e->normals[i]);
		if (next_ms < turn_ms)
			turn_ms = next_ms;
	}
	/* A normal that was never observed may be by anything. */
	next_ms = (t_ms / MS_PER_HOUR + 1) * MS_PER_HOUR;
	e->turn_ms = turn_ms < next_ms ? turn_ms : next_ms;
}

void
ask_classes(struct decision *d)
{
	int		 c;

	d->env.classes = 0;
	d->env.when = EVAL_RESUMING;
	for (c = 0; c < d->e->p->n_classes; c++)
		if (eval_class(d->e->p, &d->env, c))
			d->env.classes |= UINT64_C(1) << c;
	d->w->classes = d->env.classes;
}

void
ask_count(struct decision *d)
{
	counters_add(d, STAGE_ASKED);
	d->w->flags |= W_ASKED;
	d->in_asked = true;
}

void
ask_count_new(struct decision *d, uint64_t before)
{
	counters_add_new(d, STAGE_ASKED, before);
}

/* A bijection that mixes well (the finisher of MurmurHash3, Appleby). */
static uint64_t
mix(uint64_t x)
{
	x = (x ^ x >> 33) * UINT64_C(0xff51afd7ed558ccd);
	x = (x ^ x >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return x ^ x >> 33;
}

/*
 * So that a repeated id with other content is told apart.  Account and
 * script are keyed fingerprints, which nobody outside can choose; two
 * amounts never agree for one account and script.
 */
static uint64_t
content_hash(const struct input *in)
{
	return mix(mix(mix(in->account.lo) + in->script.lo) +
	    (uint64_t)in->amount_sat);
}

static uint32_t
find_key(const struct engine *e, struct ident key)
{
	return ident_none(key) ? NONE : records_find(e, PLACE_KEY, key);
}

static bool
ip_listed(const struct engine *e, const struct key *k, const struct input *in)
{
	const struct cidr_record *c;
	unsigned char	 masked[16];
	uint32_t	 n;

	if (k->cidrs == NONE)
		return true;
	if (!in->has_ip)
		return false;
	for (n = k->cidrs; n != NONE; n = c->next) {
		c = store_at(&e->cidrs, n);
		tables_mask(masked, in->ip, c->cidr.bits);
		if (memcmp(masked, c->cidr.ip, sizeof(masked)) == 0)
			return true;
	}
	return false;
}

/* What is refused without asking the policy. */
static enum why
builtin(const struct decision *d)
{
	const struct input *in = d->in;

	if (in->amount_sat <= 0 || in->amount_sat > AMOUNT_SAT_MAX)
		return WHY_AMOUNT;
	if (d->a == NULL || d->a->opened_s == 0)
		return WHY_ACCOUNT;
	if ((d->a->flags & ACCOUNT_FROZEN) != 0)
		return WHY_FROZEN;
	if (!ident_none(in->key)) {
		if (d->key == NULL || d->key->account != d->account ||
		    (d->key->flags & KEY_REVOKED) != 0 ||
		    (d->key->flags & KEY_WITHDRAW) == 0 ||
		    !ip_listed(d->e, d->key, in))
			return WHY_KEY;
		if ((d->key->flags & KEY_FROZEN) != 0)
			return WHY_FROZEN;
	}
	if (!ledger_room(d->e, in->amount_sat))
		return WHY_OVERFLOW;
	if (!in->history && !ledger_covers(d->e, d->a, in->amount_sat))
		return WHY_BALANCE;
	return WHY_NONE;
}

static bool
is_v4(const unsigned char ip[16])
{
	static const unsigned char prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0xff, 0xff };

	return memcmp(ip, prefix, sizeof(prefix)) == 0;
}

/* The record of one of the other places, NONE for who has none (S18). */
static uint32_t
find_other(struct decision *d, int place)
{
	struct engine	*e = d->e;
	const struct place *pl = &e->places[place];
	unsigned char	 text[18];
	const uint32_t	*group;
	int		 n, bits;

	switch (pl->scope) {
	case SCOPE_IP:
	case SCOPE_IP6:
		if (!d->has_ip ||
		    is_v4(d->address) != (pl->scope == SCOPE_IP))
			return NONE;
		bits = pl->prefix + (pl->scope == SCOPE_IP ? 96 : 0);
		tables_mask(text, d->address, bits);
		return records_get(e, place, records_network_ident(e, bits,
		    text), d->t_ms);
	case SCOPE_PARTNER:
		return d->key == NULL ? NONE : d->key->partner;
	case SCOPE_GROUP:
		group = layout_u32(e, d->a, OPT_GROUP);
		return group == NULL || *group == 0 ? NONE : *group - 1;
	case SCOPE_GROUP_TABLE:
		n = tables_find(e->tables, pl->table, d->a->id);
		if (n < 0)
			return NONE;
		memset(text, 0, sizeof(text));
		memcpy(text, &n, sizeof(n));
		text[17] = 1;
		return records_get(e, place, ident_of(&e->cfg.ids, text, 18),
		    d->t_ms);
	case SCOPE_ACCOUNT:
	case SCOPE_KEY:
	case SCOPE_DESTINATION:
	case SCOPE_PLATFORM:
		break;
	}
	assert(0);
	return NONE;
}

/* All records that this withdrawal will be counted in. */
static void
find_places(struct decision *d)
{
	struct engine	*e = d->e;
	int		 i;

	d->rec[PLACE_PLATFORM] = 0;
	d->rec[PLACE_ACCOUNT] = d->account;
	d->rec[PLACE_KEY] = d->w->key;
	d->destination = records_get(e, PLACE_DESTINATION, d->script,
	    d->t_ms);
	d->rec[PLACE_DESTINATION] = d->destination;
	d->w->destination = d->destination;
	d->w->script_tag = (uint32_t)d->script.lo;
	if (d->destination != FULL) {
		d->d = records_destination(e, d->destination);
		d->d->last_s = records_s_down(d->t_ms);
	}
	if (d->has_ip && e->use_ips)
		d->ip = records_get_ip(e, NONE, d->address, d->t_ms);
	if (d->has_ip && e->use_uses) {
		d->use = records_get_ip(e, d->account, d->address, d->t_ms);
		if (d->use != FULL)
			d->ip_since_s = ((struct seen *)store_at(&e->uses,
			    d->use))->first_s;
	}
	for (i = PLACE_OTHER; i < e->n_places; i++)
		d->rec[i] = find_other(d, i);
}

/* The decision made ready; accounts, keys and addresses found. */
static struct decision *
ask_begin(struct engine *e, uint32_t n, const struct input *in)
{
	struct withdrawal *w = records_withdrawal(e, n);
	struct decision	*d;

	w->content = content_hash(in);
	w->amount_sat = in->amount_sat;
	w->asked_ms = e->v.now_ms;
	w->released_ms = -1;
	w->ref = e->v.next_ref++;
	if (e->v.first_s == 0)
		e->v.first_s = records_s_up(e->v.now_ms);
	w->account = records_find(e, PLACE_ACCOUNT, in->account);
	w->key = find_key(e, in->key);
	w->destination = NONE;
	w->waiting = NONE;
	d = withdrawal_done(e, n, e->v.now_ms);
	d->in = in;
	d->script = in->script;
	d->has_ip = in->has_ip;
	memcpy(d->address, in->ip, sizeof(d->address));
	return d;
}

/* Refused without a judgement; it enters no counter but `asked`. */
static void
refuse(struct decision *d, enum why why)
{
	d->w->why = (uint8_t)why;
	d->w->verdict = d->w->would = VERDICT_DENY;
	d->w->state = STATE_DENIED;
	withdrawal_emit(d, OUTCOME_DECIDED, CAUSE_ASKED);
}

/* It happened before go-live: nothing to judge, all to learn (S34). */
static void
ask_history(struct decision *d)
{
	find_places(d);
	ask_classes(d);
	ask_count(d);
	d->w->flags |= W_HISTORY;
	withdrawal_release(d);
	withdrawal_emit(d, OUTCOME_DECIDED, CAUSE_ASKED);
}

static bool
park(struct decision *d)
{
	return d->e->follow == NULL ? withdrawal_park(d) : follow_park(d);
}

/* Asked for while everything is stopped: it waits for the resume. */
static void
ask_stopped(struct decision *d)
{
	ask_classes(d);
	if (!park(d)) {
		ask_count(d);
		refuse(d, WHY_FULL_WAITING);
		return;
	}
	ask_count(d);
	ledger_ask(d->e, d->a, d->w);
	d->w->verdict = d->w->would = VERDICT_HOLD;
	withdrawal_stop(d);
	withdrawal_emit(d, OUTCOME_DECIDED, CAUSE_ASKED);
}

/* There is no room to remember its destination: a person may look (S7). */
static void
hold_for_room(struct decision *d)
{
	d->w->why = WHY_FULL_DESTINATIONS;
	if (d->joined.called < VERDICT_HOLD) {
		d->joined.called = VERDICT_HOLD;
		d->w->would = VERDICT_HOLD;
	}
	if (!decide_enforced(d))
		return;
	if (d->w->verdict < VERDICT_HOLD)
		d->w->verdict = VERDICT_HOLD;
	if (d->joined.people == 0)
		d->joined.people = 1;
}

static void
ask_judged(struct decision *d)
{
	struct engine	*e = d->e;
	enum plan	 plan;

	decide_judge(d, EVAL_ASKING);
	if (d->d == NULL && e->follow == NULL)
		hold_for_room(d);
	plan = decide_plan(d);
	if (plan == PLAN_WAIT || plan == PLAN_HOLD ||
	    (plan == PLAN_RELEASE && !e->cfg.receipt_at_release)) {
		if (!park(d)) {
			ask_count(d);
			refuse(d, WHY_FULL_WAITING);
			decide_maybe_halt(d, CAUSE_ASKED);
			return;
		}
	}
	ask_count(d);
	ledger_ask(e, d->a, d->w);
	decide_carry_out(d, plan, d->t_ms);
	withdrawal_emit_judged(d, OUTCOME_DECIDED, CAUSE_ASKED);
	decide_maybe_halt(d, CAUSE_ASKED);
}

/* An id that is known: the same answer, or a conflict. */
static void
ask_again(struct engine *e, uint32_t n, const struct input *in)
{
	struct decision	*d = withdrawal_done(e, n, e->v.now_ms);
	uint8_t		 why = d->w->why;

	if (d->w->content == content_hash(in)) {
		withdrawal_emit(d, OUTCOME_REPEATED, CAUSE_ASKED);
		return;
	}
	d->w->why = WHY_CONFLICT;
	withdrawal_emit(d, OUTCOME_REFUSED, CAUSE_ASKED);
	d->w->why = why;
}

static void
ask_no_room(struct engine *e, const struct input *in)
{
	struct outcome	 o = {
		.type = OUTCOME_DECIDED, .cause = CAUSE_ASKED,
		.why = WHY_FULL_WITHDRAWALS, .t_ms = e->v.now_ms,
		.id = in->id, .account = in->account, .ref = NONE,
		.amount_sat = in->amount_sat, .verdict = VERDICT_DENY,
		.would = VERDICT_DENY, .state = STATE_DENIED,
		.due_ms = INT64_MAX, .released_ms = -1, .halt_rule = -1,
	};

	e->sink->emit(e->sink->ctx, &o);
}

void
decide_ask(struct engine *e, const struct input *in)
{
	struct decision	*d;
	enum why	 why;
	uint32_t	 n;

	/* All that must come from memory is asked for at once. */
	if (!e->cfg.queued) {
		engine_prefetch(e, in);
		engine_prefetch_records(e, in);
	}
	n = withdrawal_find(e, in->id);
	if (n != NONE && (e->follow == NULL || !follow_renew(e, n))) {
		ask_again(e, n, in);
		return;
	}
	if ((n = records_new_withdrawal(e, in->id)) == NONE) {
		ask_no_room(e, in);
		return;
	}
	d = ask_begin(e, n, in);
	why = builtin(d);
	if (e->follow != NULL)
		why = follow_builtin(d, why);
	if (why != WHY_NONE) {
		refuse(d, why);
		return;
	}
	if (in->history) {
		ask_history(d);
		return;
	}
	find_places(d);
	if (e->v.halted != 0)
		ask_stopped(d);
	else
		ask_judged(d);
}
