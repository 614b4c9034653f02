#include "sim/traffic.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/amount.h"
#include "lib/civil.h"
#include "sim/treasury.h"

/* Purposes of random sequences; world.c has those below 100. */
enum {
	USE_PAST = 100, USE_DAY, USE_DAY_DICE,
};

/* Sums over two days are kept in 0.0001 btc, rounded up. */
#define SPENT_UNIT_SAT	INT64_C(10000)
/* Accounts handled at once before the days; withdrawals a day of one. */
#define BLOCK	50000
#define DAY_MAX		400

#define LIFE_LISTED	1	/* his next fresh address is listed already */

/* What changes of an account. */
struct life {
	int64_t		balance_sat;
	uint32_t	rate_ppm;
	uint32_t	n_addresses;
	uint32_t	spent_today;	/* SPENT_UNIT_SAT */
	uint32_t	spent_before;
	int16_t		day;		/* of spent_today */
	uint8_t		tier;
	uint8_t		keys;		/* number of his key; 0: none */
	uint8_t		kind;		/* enum person_kind */
	uint8_t		flags;
};

/* Something that an old account does before the start. */
struct past {
	int64_t		t_ms;
	uint32_t	account;
	bool		listing;	/* an address; else a key */
};

enum phase { PHASE_PAST, PHASE_START, PHASE_DAYS, PHASE_END };

struct traffic {
	const struct world *w;
	struct life	*lives;
	struct past	*past;
	size_t		 n_past, past_at;
	enum phase	 phase;
	uint32_t	 next_old;	/* to be opened in the past */
	uint32_t	 next_balance;	/* to be read at the start */
	int64_t		 day;
	struct items	 batch;
	size_t		 at;
	uint32_t	 n_withdrawals;
	struct treasury	 treasury;
	bool		 treasury_works;	/* the days have begun */
};

/* One customer's day. */
struct visit {
	struct traffic	*tr;
	const struct world *w;
	struct life	*life;
	struct person	 who;
	struct rng	 r;
	uint32_t	 account;
	int64_t		 day;
	int64_t		 from_ms;	/* the day's midnight */
	int64_t		 till_ms;	/* its last millisecond */
	int64_t		 session_ms;	/* logged in until then */
	int64_t		 wait_ms;	/* for a higher limit, until then */
};

static struct item *
put(struct visit *v, enum scenario_type type, int64_t t_ms)
{
	struct item	 it;

	if (t_ms < v->from_ms)
		t_ms = v->from_ms;
	if (t_ms > v->till_ms)
		t_ms = v->till_ms;
	it = item_of(type, t_ms, v->account);
	items_push(&v->tr->batch, &it);
	return &v->tr->batch.v[v->tr->batch.n - 1];
}

static void
visit_start(struct visit *v, struct traffic *tr, uint32_t account,
    int64_t day)
{
	v->tr = tr;
	v->w = tr->w;
	v->life = &tr->lives[account];
	v->account = account;
	v->day = day;
	v->from_ms = tr->w->start_ms + day * MS_PER_DAY;
	v->till_ms = v->from_ms + MS_PER_DAY - 1;
	v->session_ms = -1;
	v->wait_ms = -1;
	world_person(tr->w, account, &v->who);
	rng_start(&v->r, rng_mix(tr->w->key + USE_DAY), account, (uint64_t)day);
}

static void
put_account(struct visit *v, int64_t t_ms)
{
	struct item	*it = put(v, SCENARIO_ACCOUNT, t_ms);

	it->amount_sat = world_limit_sat(v->life->tier);
	it->tier = v->life->tier;
	it->partner = (uint16_t)v->who.group;
}

static void
put_key(struct visit *v, int64_t t_ms)
{
	struct item	*it = put(v, SCENARIO_KEY, t_ms);

	it->key = v->life->keys;
	it->partner = (uint16_t)v->who.partner;
	if (v->who.key_withdraws)
		it->flags |= ITEM_WITHDRAW;
	if (!v->who.key_has_ips)
		return;
	if (v->who.partner != PARTNER_NONE)
		it->ip = ip_prefix(world_partner_ip(v->w, v->who.partner, 0) &
		    ~UINT64_C(15), 28);
	else
		it->ip = ip_prefix(world_server_ip(v->w, v->account), 32);
}

static void
put_login(struct visit *v, int64_t t_ms, int64_t device_ppm)
{
	struct item	*it = put(v, SCENARIO_LOGIN, t_ms);

	it->ip = world_ip(v->w, v->account, v->day);
	it->device_new = rng_chance(&v->r, device_ppm) ? TRI_YES : TRI_NO;
	v->session_ms = it->t_ms + 30 * MS_PER_MIN;
}

/* ---- the years before ---- */

static void
life_start(struct traffic *tr, uint32_t account)
{
	struct life	*l = &tr->lives[account];
	struct person	 who;

	world_person(tr->w, account, &who);
	l->rate_ppm = who.rate_ppm > UINT32_MAX ? UINT32_MAX :
	    (uint32_t)who.rate_ppm;
	l->tier = (uint8_t)who.tier;
	l->kind = (uint8_t)who.kind;
	l->keys = who.has_key;
	l->day = -2;
	if (who.book && account < tr->w->n_old)
		l->flags |= LIFE_LISTED;
}

static int
past_compare(const void *a, const void *b)
{
	const struct past	*x = a, *y = b;

	if (x->t_ms != y->t_ms)
		return x->t_ms < y->t_ms ? -1 : 1;
	return x->account < y->account ? -1 : x->account > y->account;
}

static void
past_add(struct traffic *tr, uint32_t account, struct rng *r, bool listing)
{
	struct past	*p = &tr->past[tr->n_past++];
	int64_t		 opened_ms = world_opened_ms(tr->w, account);

	p->account = account;
	p->listing = listing;
	/* Often soon after the opening, often years later. */
	p->t_ms = opened_ms + MS_PER_MIN + (rng_chance(r, 400000) ?
	    rng_range(r, 0, 20 * MS_PER_HOUR) :
	    rng_range(r, 0, tr->w->start_ms - opened_ms - MS_PER_DAY));
}

static enum rc
past_collect(struct traffic *tr, struct err *e)
{
	struct rng	 r;
	uint32_t	 a;
	size_t		 n = 0;

	for (a = 0; a < tr->w->n_all; a++) {
		life_start(tr, a);
		if (a < tr->w->n_old)
			n += (tr->lives[a].keys > 0) +
			    ((tr->lives[a].flags & LIFE_LISTED) != 0);
	}
	tr->past = calloc(n + 1, sizeof(*tr->past));
	if (tr->past == NULL)
		return err_set(e, "no memory for %zu events of the past", n);
	for (a = 0; a < tr->w->n_old; a++) {
		rng_start(&r, rng_mix(tr->w->key + USE_PAST), a, 0);
		if (tr->lives[a].keys > 0)
			past_add(tr, a, &r, false);
		if ((tr->lives[a].flags & LIFE_LISTED) != 0)
			past_add(tr, a, &r, true);
	}
	qsort(tr->past, tr->n_past, sizeof(*tr->past), past_compare);
	return RC_OK;
}

static void
put_past(struct visit *v, const struct past *p)
{
	struct item	*it;
	bool		 shared;

	if (!p->listing) {
		put_key(v, p->t_ms);
		return;
	}
	it = put(v, SCENARIO_ADDRESS_ADD, p->t_ms);
	it->address = world_address(v->w, v->account, &v->who,
	    v->life->n_addresses, &shared);
}

/* The next so many accounts, and what happened until the one after them. */
static void
fill_past(struct traffic *tr)
{
	struct visit	 v;
	uint32_t	 end;
	int64_t		 until_ms;

	end = tr->w->n_old - tr->next_old > BLOCK ?
	    tr->next_old + BLOCK : tr->w->n_old;
	until_ms = end == tr->w->n_old ? tr->w->start_ms :
	    world_opened_ms(tr->w, end);
	for (; tr->next_old < end; tr->next_old++) {
		visit_start(&v, tr, tr->next_old, 0);
		v.from_ms = 0;
		put_account(&v, world_opened_ms(tr->w, tr->next_old));
	}
	for (; tr->past_at < tr->n_past &&
	    tr->past[tr->past_at].t_ms < until_ms; tr->past_at++) {
		visit_start(&v, tr, tr->past[tr->past_at].account, 0);
		v.from_ms = 0;
		put_past(&v, &tr->past[tr->past_at]);
	}
	if (end == tr->w->n_old)
		tr->phase = PHASE_START;
}

/* The wallet, the fund, and what the chain knows of everybody's addresses. */
static void
fill_wallet(struct traffic *tr)
{
	const struct world *w = tr->w;
	struct item	 it;
	struct rng	 r;
	uint32_t	 i;

	it = item_of(SCENARIO_FUND, w->start_ms, 0);
	it.amount_sat = muldiv(w->hot_sat, w->p.fund_permille, 1000);
	items_push(&tr->batch, &it);
	it = item_of(SCENARIO_HOT_BALANCE, w->start_ms, 0);
	it.amount_sat = w->hot_sat;
	treasury_init(&tr->treasury, w);
	items_push(&tr->batch, &it);
	rng_start(&r, rng_mix(w->key + USE_PAST), 0, 1);
	for (i = 0; i < w->n_shared; i++) {
		it = item_of(SCENARIO_CHAIN_SEEN, w->start_ms, 0);
		it.address = world_shared(w, i);
		it.first_seen_ms = w->start_ms - rng_range(&r, 100, 1500) *
		    MS_PER_DAY;
		it.amount_sat = rng_range(&r, 10, 20000) * SAT_PER_BTC;
		items_push(&tr->batch, &it);
	}
}

/* Balances of the next so many accounts, on the first midnight. */
static void
fill_start(struct traffic *tr)
{
	const struct world *w = tr->w;
	struct person	 who;
	struct item	 it;
	uint32_t	 i, n;

	if (tr->next_balance == 0)
		fill_wallet(tr);
	n = w->n_old - tr->next_balance;
	if (n > BLOCK)
		n = BLOCK;
	for (i = tr->next_balance; i < tr->next_balance + n; i++) {
		world_person(w, i, &who);
		tr->lives[i].balance_sat = world_first_balance_sat(w, i, &who);
		it = item_of(SCENARIO_BALANCE, w->start_ms, i);
		it.amount_sat = tr->lives[i].balance_sat;
		items_push(&tr->batch, &it);
	}
	tr->next_balance += n;
	if (tr->next_balance == w->n_old)
		tr->phase = PHASE_DAYS;
}

/* ---- a customer's day ---- */

/* People like 0.05 and 1.2 better than 0.05234871. */
static int64_t
rounded(struct visit *v, int64_t sat)
{
	int64_t		 unit = 1;

	if (v->who.kind == PERSON_BOT || !rng_chance(&v->r, v->w->p.round_ppm))
		return sat;
	while (sat / unit >= 100)
		unit *= 10;
	if (sat / unit >= 20 && rng_chance(&v->r, 600000))
		unit *= 10;
	return (sat + unit / 2) / unit * unit;
}

static int64_t
draw_amount(struct visit *v)
{
	const struct params *p = &v->w->p;
	int64_t		 x, sat, most_sat;

	most_sat = muldiv(v->w->whale_max_sat, 4 * p->amount_permille, 1000);
	x = v->who.scale_q16 + rng_normal_q16(&v->r) * v->who.within_q16 /
	    Q16;
	if (rng_chance(&v->r, p->surprise_ppm))
		x += rng_range(&v->r, 152169, 283239);	/* 5 to 20 times */
	sat = x < 0 ? 0 : rng_exp2(x);
	if (world_is_crash(v->w, v->day))
		sat = muldiv(sat, p->crash_amount_permille, 1000);
	if (v->who.kind < PERSON_WHALE && world_is_promotion(v->w, v->day))
		sat = sat * 6 / 10;
	if (sat > most_sat)
		sat = most_sat;
	sat = rounded(v, sat);
	return sat < p->minimum_sat ? p->minimum_sat : sat;
}

static int64_t
limit_left_sat(const struct visit *v)
{
	const struct life *l = v->life;
	int64_t		 spent = 0;

	if (l->day == v->day)
		spent = (int64_t)l->spent_today + l->spent_before;
	else if (l->day == v->day - 1)
		spent = l->spent_today;
	return world_limit_sat(l->tier) - spent * SPENT_UNIT_SAT;
}

static void
spend(struct visit *v, int64_t sat)
{
	struct life	*l = v->life;

	if (l->day != v->day) {
		l->spent_before = l->day == v->day - 1 ? l->spent_today : 0;
		l->spent_today = 0;
		l->day = (int16_t)v->day;
	}
	l->spent_today += (uint32_t)((sat + SPENT_UNIT_SAT - 1) /
	    SPENT_UNIT_SAT);
	l->balance_sat -= sat;
}

/* Coins before they leave; at the latest just before. */
static void
provide(struct visit *v, int64_t sat, int64_t t_ms)
{
	struct item	*it;
	int64_t		 lead;

	if (v->life->balance_sat >= sat)
		return;
	lead = t_ms - v->from_ms;
	if (lead > 20 * MS_PER_HOUR)
		lead = 20 * MS_PER_HOUR;
	if (lead > 15 * MS_PER_MIN)
		lead = rng_range(&v->r, 10 * MS_PER_MIN, lead);
	it = put(v, SCENARIO_DEPOSIT, t_ms - lead);
	it->amount_sat = sat - v->life->balance_sat +
	    muldiv(sat, rng_range(&v->r, 0, 2500), 1000);
	v->life->balance_sat += it->amount_sat;
}

/* The destination; *fresh_out when he never paid it. */
static uint64_t
draw_address(struct visit *v, int64_t t_ms, bool *fresh_out)
{
	struct life	*l = v->life;
	struct item	*it;
	uint64_t	 k, address;
	int64_t		 dice, first_seen_ms, received_sat;
	bool		 shared;

	*fresh_out = l->n_addresses == 0 ||
	    rng_chance(&v->r, v->who.novelty_ppm);
	if (!*fresh_out) {
		dice = rng_range(&v->r, 0, 99);
		if (dice < 60)
			k = 0;
		else if (dice < 85)
			k = l->n_addresses - 1;
		else
			k = l->n_addresses - 1 - rng_below(&v->r,
			    l->n_addresses < 10 ? l->n_addresses : 10);
		return world_address(v->w, v->account, &v->who, k, &shared);
	}
	address = world_address(v->w, v->account, &v->who, l->n_addresses++,
	    &shared);
	if (v->who.book && (l->flags & LIFE_LISTED) == 0) {
		it = put(v, SCENARIO_ADDRESS_ADD, t_ms - rng_range(&v->r,
		    20 * MS_PER_S, 30 * MS_PER_MIN));
		it->address = address;
	}
	l->flags &= (uint8_t)~LIFE_LISTED;
	if (!shared && world_chain_seen(v->w, address, v->w->start_ms +
	    v->day * MS_PER_DAY, &first_seen_ms, &received_sat)) {
		it = put(v, SCENARIO_CHAIN_SEEN, t_ms - 10 * MS_PER_S);
		it->address = address;
		it->first_seen_ms = first_seen_ms;
		it->amount_sat = received_sat;
	}
	return address;
}

static bool
uses_api(struct visit *v)
{
	return v->life->keys > 0 && v->who.key_withdraws &&
	    rng_range(&v->r, 0, 99) < v->who.api_percent;
}

static void
channel(struct visit *v, struct item *it)
{
	const struct person *who = &v->who;
	int64_t		 dice = rng_range(&v->r, 0, 99);

	it->ip = world_ip(v->w, v->account, v->day);
	if (uses_api(v)) {
		it->via = VIA_API;
		it->key = v->life->keys;
		it->code = TRI_NO;
		if (who->partner != PARTNER_NONE)
			it->ip = world_partner_ip(v->w, who->partner,
			    rng_next(&v->r));
		else if (who->key_has_ips || dice < 75)
			it->ip = world_server_ip(v->w, v->account);
		return;
	}
	/* The first group is the platform's own desk. */
	if (who->group == 1)
		it->via = VIA_INTERNAL;
	else
		it->via = dice < who->mobile_percent ? VIA_MOBILE : VIA_WEB;
	it->code = rng_chance(&v->r, v->w->p.code_ppm) ? TRI_YES : TRI_NO;
}

static void
withdraw(struct visit *v, int64_t t_ms, uint64_t address, int64_t sat)
{
	struct item	 it = item_of(SCENARIO_WITHDRAW, t_ms, v->account);
	struct item	*cancel;

	it.amount_sat = sat;
	it.address = address;
	it.label = LABEL_LEGIT;
	it.number = v->tr->n_withdrawals++;
	channel(v, &it);
	if ((it.via == VIA_WEB || it.via == VIA_MOBILE) &&
	    t_ms > v->session_ms)
		put_login(v, t_ms - rng_range(&v->r, 20 * MS_PER_S,
		    20 * MS_PER_MIN), v->w->p.device_ppm);
	*put(v, SCENARIO_WITHDRAW, t_ms) = it;
	spend(v, sat);
	if (rng_chance(&v->r, v->w->p.cancel_ppm)) {
		cancel = put(v, SCENARIO_CANCEL, t_ms + rng_range(&v->r,
		    30 * MS_PER_S, 20 * MS_PER_MIN));
		cancel->number = it.number;
		cancel->label = LABEL_LEGIT;
	}
}

/* He meets his limit: he takes less, or has it raised and waits for that. */
static int64_t
within_limit(struct visit *v, int64_t sat, int64_t *t_ms)
{
	int64_t		 left = limit_left_sat(v), later_ms;

	if (sat <= left)
		return sat;
	later_ms = *t_ms + rng_range(&v->r, 20 * MS_PER_MIN,
	    6 * MS_PER_HOUR);
	if (v->life->tier < TIERS && later_ms < v->till_ms &&
	    rng_chance(&v->r, v->w->p.limit_raise_ppm)) {
		v->life->tier++;
		put_account(v, later_ms - rng_range(&v->r, MS_PER_MIN,
		    15 * MS_PER_MIN));
		*t_ms = v->wait_ms = later_ms;
		left = limit_left_sat(v);
	}
	return sat <= left ? sat : left / 1000000 * 1000000;
}

static void
pay(struct visit *v, int64_t t_ms)
{
	const struct params *p = &v->w->p;
	int64_t		 sat = draw_amount(v), asked_ms = t_ms, test_sat;
	uint64_t	 address;
	bool		 fresh;

	if (t_ms <= v->wait_ms)
		return;
	sat = within_limit(v, sat, &t_ms);
	if (sat < p->minimum_sat)
		return;
	provide(v, sat, asked_ms);
	address = draw_address(v, t_ms, &fresh);
	test_sat = p->minimum_sat * rng_range(&v->r, 1, 10);
	if (fresh && v->who.kind != PERSON_BOT && sat / 40 > test_sat &&
	    sat >= SAT_PER_BTC / 2 && t_ms < v->till_ms - 2 * MS_PER_HOUR &&
	    rng_chance(&v->r, p->test_payment_ppm)) {
		/* A small one first, and the rest when it has arrived. */
		withdraw(v, t_ms, address, test_sat);
		t_ms += rng_range(&v->r, 10 * MS_PER_MIN, 110 * MS_PER_MIN);
		sat -= test_sat;
	}
	withdraw(v, t_ms, address, sat);
}

static int
time_compare(const void *a, const void *b)
{
	const int64_t	*x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int64_t
draw_time(struct visit *v, int64_t factor_permille)
{
	int64_t		 t_ms, crash_ms;

	/* What a crash adds comes in the hours after it. */
	if (world_is_crash(v->w, v->day) && rng_range(&v->r, 0,
	    factor_permille) > 1000) {
		crash_ms = world_crash_ms(v->w, v->day);
		t_ms = crash_ms + rng_exponent_q16(rng_next(&v->r)) * 3 *
		    MS_PER_HOUR / Q16;
		return t_ms < MS_PER_DAY ? t_ms :
		    rng_range(&v->r, crash_ms, MS_PER_DAY - 1);
	}
	return world_time_of_day(&v->who, &v->r);
}

static void
visit_withdrawals(struct visit *v, int64_t n, int64_t factor_permille)
{
	int64_t		 times[DAY_MAX], i;

	if (n > DAY_MAX)
		n = DAY_MAX;
	for (i = 0; i < n; i++)
		times[i] = v->from_ms + draw_time(v, factor_permille);
	qsort(times, (size_t)n, sizeof(times[0]), time_compare);
	for (i = 0; i < n; i++)
		pay(v, times[i]);
}

static void
put_security(struct visit *v)
{
	static const int weights[] = { 50, 25, 15, 10 };
	int64_t		 t_ms = v->from_ms + world_time_of_day(&v->who, &v->r);

	put_login(v, t_ms - rng_range(&v->r, MS_PER_MIN, 10 * MS_PER_MIN),
	    250000);
	put(v, SCENARIO_SECURITY_CHANGE, t_ms)->what =
	    (uint8_t)rng_pick(&v->r, weights, 4);
}

static void
put_rotation(struct visit *v)
{
	int64_t		 t_ms = v->from_ms + world_time_of_day(&v->who, &v->r);
	uint16_t	 old = v->life->keys;

	if (old == UINT8_MAX)
		return;
	v->life->keys++;
	put_key(v, t_ms);
	/* Withdrawals of the day may already name the new one. */
	v->tr->batch.v[v->tr->batch.n - 1].t_ms = v->from_ms;
	if (old > 0)
		put(v, SCENARIO_KEY_REVOKE, t_ms)->key = old;
}

/* What happens besides withdrawing; bits below the sum of all chances. */
static void
visit_other(struct visit *v, int64_t dice)
{
	const struct params *p = &v->w->p;
	struct item	*it;
	bool		 shared;
	int64_t		 t_ms;

	if (dice < p->security_ppm) {
		put_security(v);
		return;
	}
	dice -= p->security_ppm;
	if (dice < p->key_rotation_ppm) {
		if (v->who.has_key)
			put_rotation(v);
		return;
	}
	dice -= p->key_rotation_ppm;
	t_ms = v->from_ms + world_time_of_day(&v->who, &v->r);
	if (v->who.book && (v->life->flags & LIFE_LISTED) == 0 &&
	    rng_chance(&v->r, 300000)) {
		v->life->flags |= LIFE_LISTED;
		/* At midnight: a payment of today may go there. */
		it = put(v, SCENARIO_ADDRESS_ADD, v->from_ms);
		it->address = world_address(v->w, v->account, &v->who,
		    v->life->n_addresses, &shared);
		return;
	}
	it = put(v, SCENARIO_DEPOSIT, t_ms);
	it->amount_sat = draw_amount(v);
	/* Not counted on: it may come after today's withdrawals. */
}

static void
open_account(struct traffic *tr, uint32_t account)
{
	struct visit	 v;
	struct item	*it;
	int64_t		 opened_ms = world_opened_ms(tr->w, account);

	visit_start(&v, tr, account, tr->day);
	put_account(&v, opened_ms);
	if (v.life->keys > 0)
		put_key(&v, opened_ms + MS_PER_MIN);
	it = put(&v, SCENARIO_DEPOSIT, opened_ms + rng_range(&v.r,
	    5 * MS_PER_MIN, 10 * MS_PER_HOUR));
	it->amount_sat = draw_amount(&v) * 2;
	v.life->balance_sat = it->amount_sat;
}

static void
visit_account(struct traffic *tr, uint32_t account, int64_t factor)
{
	const struct params *p = &tr->w->p;
	struct life	*l = &tr->lives[account];
	struct visit	 v;
	uint64_t	 bits;
	int64_t		 mean_ppm, other_ppm, dice, n;

	bits = rng_hash(rng_mix(tr->w->key + USE_DAY_DICE), account,
	    (uint64_t)tr->day);
	mean_ppm = (int64_t)l->rate_ppm * factor / 1000;
	other_ppm = p->security_ppm + p->key_rotation_ppm +
	    (int64_t)l->rate_ppm * 3 / 10;
	/* Most do nothing: decided without knowing who they are. */
	dice = (int64_t)rng_scale(bits << 32, PPM);
	if ((int64_t)rng_scale(~bits, PPM) >= mean_ppm && dice >= other_ppm)
		return;
	visit_start(&v, tr, account, tr->day);
	n = mean_ppm > 12 * PPM ? rng_poisson(&v.r, mean_ppm) :
	    rng_poisson_bits(bits, mean_ppm);
	if (dice < other_ppm)
		visit_other(&v, dice);
	if (n > 0)
		visit_withdrawals(&v, n, factor);
}

/* ---- one after the other ---- */

static void
fill_day(struct traffic *tr)
{
	const struct world *w = tr->w;
	int64_t		 factor[PERSON__COUNT];
	uint32_t	 a, n;
	int		 k;

	for (k = 0; k < PERSON__COUNT; k++)
		factor[k] = world_traffic_permille(w, (enum person_kind)k,
		    tr->day);
	n = w->n_old + w->new_per_day * (uint32_t)tr->day;
	for (a = 0; a < n; a++)
		visit_account(tr, a, factor[tr->lives[a].kind]);
	for (; a < n + w->new_per_day; a++)
		open_account(tr, a);
	items_sort(&tr->batch);
	treasury_day(&tr->treasury, w, tr->day);
	if (++tr->day == w->p.days)
		tr->phase = PHASE_END;
}

static bool
fill(struct traffic *tr)
{
	tr->batch.n = 0;
	tr->at = 0;
	switch (tr->phase) {
	case PHASE_PAST:
		fill_past(tr);
		items_sort(&tr->batch);
		return true;
	case PHASE_START:
		fill_start(tr);
		return true;
	case PHASE_DAYS:
		fill_day(tr);
		tr->treasury_works = true;
		return true;
	case PHASE_END:
		break;
	}
	return false;
}

const struct item *
traffic_next(struct traffic *tr)
{
	const struct item	*it;

	while (tr->at == tr->batch.n)
		if (!fill(tr))
			return NULL;
	if (tr->treasury_works && (it = treasury_next(
	    &tr->treasury, tr->w, &tr->batch.v[tr->at])) != NULL)
		return it;
	return &tr->batch.v[tr->at++];
}

enum rc
traffic_new(struct traffic **out, const struct world *w, struct err *e)
{
	struct traffic	*tr;

	tr = calloc(1, sizeof(*tr));
	if (tr == NULL)
		return err_set(e, "no memory");
	tr->w = w;
	tr->lives = calloc(w->n_all, sizeof(*tr->lives));
	if (tr->lives == NULL) {
		traffic_free(&tr);
		return err_set(e, "no memory for %u accounts", w->n_all);
	}
	if (past_collect(tr, e) != RC_OK) {
		traffic_free(&tr);
		return RC_FAILED;
	}
	*out = tr;
	return RC_OK;
}

void
traffic_free(struct traffic **tr)
{
	if (*tr == NULL)
		return;
	free((*tr)->lives);
	free((*tr)->past);
	items_free(&(*tr)->batch);
	free(*tr);
	*tr = NULL;
}
