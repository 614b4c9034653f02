/*
 * Thefts that are over within a day.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/amount.h"
#include "lib/civil.h"
#include "sim/plot.h"

/*
 * The highest limit of which a dozen accounts are needed for the total: the
 * thieves of 2019 needed 71 of 100 btc.
 */
static int64_t
burst_limit(const struct plot *p, int64_t least_accounts)
{
	int	 tier;

	for (tier = TIERS - 1; tier > 1; tier--)
		if (p->total_sat / world_limit_sat(tier) >= least_accounts)
			break;
	return world_limit_sat(tier);
}

static void
binance_burst(struct plot *p)
{
	struct heist	 h = plot_default(p, 60 * MS_PER_S);

	h.pick = PICK_KEYED;
	h.guise = GUISE_KEY;
	h.aim = AIM_FEW;
	h.funds = FUNDS_MOVED;
	h.under_sat = p->floor_sat > 0 ? p->floor_sat : burst_limit(p, 12);
	h.least_limit_sat = h.under_sat;
	h.n_addresses = 1 + (uint32_t)(p->total_sat / h.under_sat / 4);
	h.from_ms += rng_range(&p->r, 12 * MS_PER_HOUR, 20 * MS_PER_HOUR);
	(void)plot_heist(p, &h);
}

static void
test_then_sweep(struct plot *p)
{
	struct heist	 h = plot_default(p, 8 * MS_PER_MIN);
	struct victim	*v;
	uint32_t	 n, i;
	int64_t		 t_ms, test_sat;

	h.from_ms += rng_range(&p->r, 0, 12 * MS_PER_HOUR);
	h.pick = PICK_RICH;
	h.guise = GUISE_LOGIN;
	h.aim = AIM_FEW;
	h.n_addresses = 6;
	h.per_account = 6;
	h.accounts = h.accounts < 6 ? 6 : h.accounts;
	h.under_sat = h.total_sat / h.accounts / 6;
	/* The test: the least there is, minutes or hours before. */
	t_ms = h.from_ms - rng_range(&p->r, 8 * MS_PER_MIN, 9 * MS_PER_HOUR);
	v = plot_victims(p, PICK_RICH, 0, h.accounts, &n);
	for (i = 0; i < n && i < 2; i++) {
		test_sat = p->w->p.minimum_sat * rng_range(&p->r, 1, 4);
		plot_take(p, &v[i], GUISE_LOGIN, t_ms + i * 3 * MS_PER_MIN,
		    plot_address(p, 2, i), test_sat);
		plot_provide(p, &v[i], FUNDS_SAVED, t_ms);
	}
	free(v);
	(void)plot_heist(p, &h);
}

static void
one_giant(struct plot *p)
{
	struct victim	*v;
	struct item	*it;
	uint32_t	 n;
	int64_t		 t_ms, limit_sat;

	v = plot_victims(p, PICK_RICH, 0, 1, &n);
	if (n == 1) {
		t_ms = p->start_ms + rng_range(&p->r, 0, MS_PER_DAY - 1);
		/* A large customer's limit was raised long ago. */
		limit_sat = (p->total_sat / SAT_PER_BTC + 1) * SAT_PER_BTC;
		it = plot_put(p, SCENARIO_ACCOUNT, p->w->start_ms -
		    rng_range(&p->r, 1, 20) * MS_PER_HOUR, v->account);
		if (it != NULL && limit_sat > v->limit_sat) {
			it->amount_sat = limit_sat;
			it->tier = TIERS;
			it->partner = (uint16_t)v->who.group;
		} else if (it != NULL)
			p->out->n--;
		plot_take(p, v, GUISE_LOGIN, t_ms, plot_address(p, 0, 0),
		    p->total_sat);
		plot_provide(p, v, FUNDS_SAVED, t_ms);
	}
	free(v);
}

static void
fresh_each(struct plot *p)
{
	struct heist	 h = plot_default(p, MS_PER_HOUR);

	h.from_ms += rng_range(&p->r, 0, 22 * MS_PER_HOUR);
	h.pick = PICK_ANY;
	h.guise = GUISE_NETS;
	h.aim = AIM_FRESH;
	h.per_account = 2;
	(void)plot_heist(p, &h);
}

static void
one_address(struct plot *p)
{
	struct heist	 h = plot_default(p, 6 * MS_PER_HOUR);

	h.from_ms += rng_range(&p->r, 0, 17 * MS_PER_HOUR);
	h.pick = PICK_ANY;
	h.guise = GUISE_NETS;
	h.aim = AIM_FEW;
	(void)plot_heist(p, &h);
}

static void
midnight(struct plot *p)
{
	struct heist	 h = plot_default(p, 20 * MS_PER_MIN);

	/* Both days' limits and counters: ten minutes before, ten after. */
	h.from_ms += MS_PER_DAY - 10 * MS_PER_MIN;
	h.pick = PICK_LARGE;
	h.guise = GUISE_LOGIN;
	h.aim = AIM_ACCOUNT;
	h.per_account = 2;
	h.under_sat = h.total_sat / h.accounts / 2;
	(void)plot_heist(p, &h);
}

static void
weekend_night(struct plot *p)
{
	struct heist	 h = plot_default(p, 4 * MS_PER_HOUR);

	while (civil_weekday(h.from_ms) != 7)
		h.from_ms += MS_PER_DAY;
	if (h.from_ms > p->start_ms + 3 * MS_PER_DAY ||
	    h.from_ms + MS_PER_DAY > p->end_ms)
		h.from_ms -= 7 * MS_PER_DAY;
	h.from_ms += MS_PER_HOUR;
	h.pick = PICK_LARGE;
	h.guise = GUISE_LOGIN;
	h.aim = AIM_FRESH;
	h.per_account = 2;
	h.under_sat = h.total_sat / h.accounts * 7 / 10;
	(void)plot_heist(p, &h);
}

static void
flood_cover(struct plot *p)
{
	struct heist	 h = plot_default(p, 2 * MS_PER_HOUR);
	struct heist	 flood = plot_default(p, 2 * MS_PER_HOUR);

	h.from_ms += rng_range(&p->r, 6 * MS_PER_HOUR, 20 * MS_PER_HOUR);
	flood.from_ms = h.from_ms;
	flood.pick = PICK_ANY;
	flood.guise = GUISE_NETS;
	flood.aim = AIM_FRESH;
	flood.accounts = p->accounts * 4;
	flood.per_account = 5;
	flood.under_sat = p->w->p.minimum_sat * 8;
	flood.jitter_permille = 850;
	flood.total_sat = INT64_C(8) * p->w->p.minimum_sat * flood.accounts *
	    flood.per_account;
	(void)plot_heist(p, &flood);
	/* The real ones begin when the queue is full. */
	h.from_ms += 30 * MS_PER_MIN;
	h.span_ms = 60 * MS_PER_MIN;
	h.pick = PICK_LARGE;
	h.guise = GUISE_NETS;
	h.aim = AIM_FRESH;
	(void)plot_heist(p, &h);
}

static void
halt_provocation(struct plot *p)
{
	struct victim	*v;
	struct item	*it;
	uint32_t	 n = p->accounts < 8 ? 8 : p->accounts, i, k;
	int64_t		 t_ms, sat, start_ms;

	/* His own coins, asked for over and over and cancelled each time. */
	v = plot_mules(p, n, 40, 3);
	start_ms = p->start_ms + rng_range(&p->r, 8 * MS_PER_HOUR,
	    14 * MS_PER_HOUR);
	sat = p->total_sat / n;
	if (sat > plot_part(v[0].limit_sat, 950))
		sat = plot_part(v[0].limit_sat, 950);
	for (i = 0; i < n; i++) {
		for (k = 0; k < 6; k++) {
			t_ms = start_ms + k * 8 * MS_PER_HOUR +
			    rng_range(&p->r, 0, 10 * MS_PER_MIN);
			plot_take(p, &v[i], GUISE_NETS, t_ms,
			    plot_address(p, 1, (uint64_t)i * 8 + k), sat);
			if (k > 0)
				v[i].owed_sat -= sat;
			it = plot_put(p, SCENARIO_CANCEL, t_ms +
			    rng_range(&p->r, MS_PER_MIN, 20 * MS_PER_MIN),
			    v[i].account);
			if (it != NULL) {
				it->number = p->number - 1;
				it->label = LABEL_ATTACK;
			}
		}
		plot_provide(p, &v[i], FUNDS_MOVED, start_ms);
	}
	free(v);
}

static void
sleeping_keys(struct plot *p)
{
	struct heist	 h = plot_default(p, 40 * MS_PER_MIN);
	struct victim	*v;
	struct item	*it;
	uint32_t	 n, i;
	int64_t		 t_ms, sat;

	h.from_ms += rng_range(&p->r, 0, 23 * MS_PER_HOUR);
	v = plot_victims(p, PICK_TRADE_KEY, 0, p->accounts, &n);
	for (i = 0; i < n; i++) {
		/* The right to withdraw, given to the key it always had,
		 * eight days before. */
		it = plot_put(p, SCENARIO_KEY, h.from_ms - 8 * MS_PER_DAY +
		    rng_range(&p->r, 0, MS_PER_HOUR), v[i].account);
		if (it != NULL) {
			it->key = 1;
			it->flags |= ITEM_WITHDRAW;
			it->partner = (uint16_t)v[i].who.partner;
		}
		t_ms = h.from_ms + rng_range(&p->r, 0, h.span_ms);
		sat = p->total_sat / n;
		if (sat > plot_part(v[i].limit_sat, 960))
			sat = plot_part(v[i].limit_sat, 960);
		plot_take(p, &v[i], GUISE_KEY, t_ms, plot_address(p, 1,
		    i / 3), sat / 10000 * 10000);
		plot_provide(p, &v[i], FUNDS_SAVED, t_ms);
	}
	free(v);
}

static void
partner_keys(struct plot *p)
{
	struct heist	 h = plot_default(p, 3 * MS_PER_HOUR);

	h.from_ms += rng_range(&p->r, 0, 20 * MS_PER_HOUR);
	h.pick = PICK_PARTNER;
	h.guise = GUISE_PARTNER;
	h.aim = AIM_FEW;
	h.n_addresses = 1 + h.accounts / 6;
	h.per_account = 3;
	h.funds = FUNDS_MOVED;
	(void)plot_heist(p, &h);
}

static void
crash_day(struct plot *p)
{
	struct heist	 h = plot_default(p, 10 * MS_PER_HOUR);
	int64_t		 day = p->day;
	int		 i;

	/* A crash after the first weeks, if there is one. */
	for (i = 0; i < p->w->n_crashes; i++)
		if (i == 0 || p->w->crash_day[i] >= 20)
			day = p->w->crash_day[i];
	h.from_ms = p->w->start_ms + day * MS_PER_DAY +
	    world_crash_ms(p->w, day) + 20 * MS_PER_MIN;
	h.pick = PICK_LARGE;
	h.guise = GUISE_NETS;
	h.aim = AIM_FRESH;
	h.pace = PACE_CRASH;
	h.per_account = 3;
	h.habit_permille = 2500;
	h.jitter_permille = 500;
	(void)plot_heist(p, &h);
}

const struct attack_kind attack_fast_kinds[] = {
	{ "binance-burst", "sleeping keys, just under the daily limit, few new "
	    "addresses, one minute", 600, 20000, 0, binance_burst,
	    "As on 7 May 2019: keys made weeks before and never used ask "
	    "within one minute for 92 to 99 % of the accounts' daily limit "
	    "each, a valid code with every request, from six servers, to a "
	    "quarter as many new addresses. Consolidates. The limit is the "
	    "highest of which a dozen accounts are needed, or the floor." },
	{ "test-then-sweep", "two tiny payments, hours later everything in "
	    "eight minutes", 400, 2000, 0, test_then_sweep,
	    "Coincheck 2018, CoinDCX 2025: the smallest payment from two rich "
	    "accounts, minutes to nine hours of waiting, then six payments "
	    "from each account within eight minutes to six addresses." },
	{ "one-giant", "one account, one withdrawal", 300, 0, 0, one_giant,
	    "The platform's richest customer: a single withdrawal of it all, "
	    "with his password and code, within a limit raised before the "
	    "file's first day." },
	{ "fresh-each", "many accounts, an address for each withdrawal, one "
	    "hour", 400, 15000, 0, fresh_each,
	    "Accounts drawn at random, one or two withdrawals each, from a "
	    "home line each, every one to an address of its own, all within "
	    "one hour." },
	{ "one-address", "many accounts to one new address", 350, 15000, 0,
	    one_address,
	    "Accounts drawn at random, one withdrawal each, from a home line "
	    "each, within six hours, all to a single new address." },
	{ "midnight", "ten minutes before midnight UTC and ten after", 400,
	    8000, 0, midnight,
	    "Two withdrawals from each account around midnight UTC, where "
	    "daily counters begin anew." },
	{ "weekend-night", "Sunday between one and five", 400, 8000, 0,
	    weekend_night,
	    "Stolen passwords and codes, new devices, on a Sunday between "
	    "01:00 and 05:00 UTC, when nobody is at his desk." },
	{ "flood-cover", "thousands of tiny requests, the real ones among "
	    "them", 400, 8000, 0, flood_cover,
	    "Four times as many accounts as are robbed send five tiny "
	    "withdrawals each within two hours; after half an hour the real "
	    "ones come, one an account." },
	{ "halt-provocation", "large requests, each cancelled, to stop "
	    "everybody", 300, 1000, 0, halt_provocation,
	    "No loss is wanted. The thieves' own accounts (at least eight, "
	    "40 days old, verified) ask for their own coins, a share of the "
	    "hot wallet in sum, and cancel within twenty minutes; six times, "
	    "eight hours apart. Whoever stops for it stops honest customers." },
	{ "sleeping-keys", "keys that get the right to withdraw and wait "
	    "eight days", 400, 15000, 0, sleeping_keys,
	    "SwissBorg 2025: keys that could only trade are given the right "
	    "to withdraw; eight days later all are used within forty "
	    "minutes, three accounts to an address." },
	{ "partner-keys", "all keys that one intermediary holds", 350, 20000,
	    0, partner_keys,
	    "3Commas 2022: the clients of the largest intermediary, from its "
	    "own servers, within three hours. Consolidates." },
	{ "crash-day", "in the rush of a market crash", 450, 15000, 0,
	    crash_day,
	    "Two and a half times the accounts' habit, to fresh addresses, "
	    "in the hours after a crash, coming as customers come. Without a "
	    "crash after day 20 it takes the first there is, without any the "
	    "attack's day. Habits bound what it asks for: about a sixth of "
	    "the wallet." },
	{ NULL, NULL, 0, 0, 0, NULL, NULL },
};
