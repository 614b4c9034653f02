/*
 * Thefts by how they disguise themselves, and mixtures.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/amount.h"
#include "lib/civil.h"
#include "sim/plot.h"

static void
customer_machine(struct plot *p)
{
	struct heist	 h = plot_default(p, 3 * MS_PER_DAY);

	h.pick = PICK_LARGE;
	h.guise = GUISE_OWNER;
	h.aim = AIM_FRESH;
	h.pace = PACE_CUSTOMERS;
	h.per_account = 3;
	h.under_sat = h.total_sat / h.accounts / 2;
	h.jitter_permille = 500;
	(void)plot_heist(p, &h);
}

static void
session_hijack(struct plot *p)
{
	struct heist	 h = plot_default(p, 2 * MS_PER_DAY);

	h.pick = PICK_BUSY;
	h.guise = GUISE_SESSION;
	h.aim = AIM_FRESH;
	h.pace = PACE_CUSTOMERS;
	h.jitter_permille = 500;
	(void)plot_heist(p, &h);
}

static void
credential_change(struct plot *p)
{
	struct victim	*v;
	struct item	*it;
	uint32_t	 n, i, k;
	int64_t		 t_ms, sat;

	v = plot_victims(p, PICK_LARGE, 0, p->accounts, &n);
	for (i = 0; i < n; i++) {
		t_ms = p->start_ms + rng_range(&p->r, 0, 24 * MS_PER_HOUR);
		for (k = 0; k < 2; k++) {
			it = plot_put(p, SCENARIO_SECURITY_CHANGE, t_ms + k *
			    2 * MS_PER_MIN, v[i].account);
			if (it != NULL)
				it->what = k == 0 ? CREDENTIAL_PASSWORD :
				    CREDENTIAL_2FA;
		}
		/* Some know that there is a lock of 24 hours. */
		t_ms += i % 3 == 0 ? 25 * MS_PER_HOUR :
		    rng_range(&p->r, 5 * MS_PER_MIN, 3 * MS_PER_HOUR);
		sat = p->total_sat / n;
		if (sat > plot_part(v[i].limit_sat, 950))
			sat = plot_part(v[i].limit_sat, 950);
		plot_take(p, &v[i], GUISE_LOGIN, t_ms, plot_address(p, 1,
		    i / 2), sat / 10000 * 10000);
		plot_provide(p, &v[i], FUNDS_SAVED, t_ms);
	}
	free(v);
}

static void
limit_raise(struct plot *p)
{
	struct victim	*v;
	struct item	*it;
	uint32_t	 n, i;
	int64_t		 t_ms, sat;
	int		 tier;

	v = plot_victims(p, PICK_LARGE, 0, p->accounts, &n);
	for (i = 0; i < n; i++) {
		t_ms = p->start_ms + rng_range(&p->r, 0, 12 * MS_PER_HOUR);
		sat = p->total_sat / n;
		for (tier = v[i].who.tier; tier < TIERS &&
		    (world_limit_sat(tier) < sat || tier == v[i].who.tier);
		    tier++)
			continue;
		it = plot_put(p, SCENARIO_ACCOUNT, t_ms - rng_range(&p->r,
		    20 * MS_PER_MIN, 30 * MS_PER_HOUR), v[i].account);
		if (it != NULL) {
			it->tier = (uint8_t)tier;
			it->amount_sat = world_limit_sat(tier);
			it->partner = (uint16_t)v[i].who.group;
		}
		if (sat > plot_part(world_limit_sat(tier), 950))
			sat = plot_part(world_limit_sat(tier), 950);
		plot_take(p, &v[i], GUISE_LOGIN, t_ms, plot_address(p, 1, i),
		    sat / 10000 * 10000);
		plot_provide(p, &v[i], FUNDS_SAVED, t_ms);
	}
	free(v);
}

static void
dormant_wake(struct plot *p)
{
	struct heist	 h = plot_default(p, 2 * MS_PER_DAY);

	h.pick = PICK_DORMANT;
	h.guise = GUISE_LOGIN;
	h.aim = AIM_FRESH;
	h.jitter_permille = 300;
	(void)plot_heist(p, &h);
}

static void
insider(struct plot *p)
{
	struct heist	 h = plot_default(p, 6 * MS_PER_HOUR);

	h.from_ms += rng_range(&p->r, 8 * MS_PER_HOUR, 14 * MS_PER_HOUR);
	h.pick = PICK_RICH;
	h.guise = GUISE_INSIDER;
	h.aim = AIM_FEW;
	h.n_addresses = 3;
	h.per_account = 2;
	h.under_sat = p->floor_sat > 0 ? p->floor_sat :
	    h.total_sat / h.accounts / 2;
	(void)plot_heist(p, &h);
}

static void
novel_hiders(struct plot *p)
{
	struct heist	 h = plot_default(p, 4 * MS_PER_DAY);

	h.pick = PICK_NOVEL;
	h.guise = GUISE_OWNER;
	h.aim = AIM_FRESH;
	h.pace = PACE_CUSTOMERS;
	h.per_account = 4;
	h.habit_permille = 5000;
	h.jitter_permille = 600;
	(void)plot_heist(p, &h);
}

static void
staged_rush(struct plot *p)
{
	struct heist	 h = plot_default(p, 50 * MS_PER_MIN);
	struct victim	*v;
	uint32_t	 n = p->accounts * 3, i, k;
	int64_t		 t_ms;

	/* Accounts a hundred days old, each with its own address that has
	 * ripened, all come in the hour of the theft. */
	h.from_ms += rng_range(&p->r, 8 * MS_PER_HOUR, 18 * MS_PER_HOUR);
	v = plot_mules(p, n, 100, 2);
	for (i = 0; i < n; i++) {
		for (k = 0; k < 4; k++) {
			t_ms = k == 3 ? h.from_ms - 20 * MS_PER_MIN +
			    rng_range(&p->r, 0, 50 * MS_PER_MIN) :
			    h.from_ms - (20 - 3 * (int64_t)k) * MS_PER_DAY +
			    rng_range(&p->r, 0, 3 * MS_PER_DAY);
			plot_take(p, &v[i], GUISE_OWNER, t_ms,
			    plot_address(p, 1, v[i].account),
			    p->w->p.minimum_sat * (k == 3 ? 8 : 10));
		}
		plot_provide(p, &v[i], FUNDS_SAVED, p->w->start_ms + 2);
	}
	free(v);
	h.pick = PICK_LARGE;
	h.guise = GUISE_NETS;
	h.aim = AIM_FRESH;
	h.per_account = 2;
	(void)plot_heist(p, &h);
}

static void
new_mules(struct plot *p)
{
	struct victim	*v;
	uint32_t	 n = p->accounts, i;
	int64_t		 t_ms, sat;

	/* What was robbed inside (bad trades) lies on fresh accounts. */
	v = plot_mules(p, n, 6, 2);
	for (i = 0; i < n; i++) {
		t_ms = p->start_ms + rng_range(&p->r, 0, 30 * MS_PER_HOUR);
		sat = p->total_sat / n;
		if (sat > plot_part(v[i].limit_sat, 950))
			sat = plot_part(v[i].limit_sat, 950);
		plot_take(p, &v[i], GUISE_OWNER, t_ms, plot_address(p, 1, i),
		    sat / 10000 * 10000);
		plot_provide(p, &v[i], FUNDS_MOVED, t_ms);
	}
	free(v);
}

static void
mixture(struct plot *p)
{
	struct heist	 h = plot_default(p, 5 * MS_PER_DAY);

	/* A drip beneath, */
	h.total_sat = p->total_sat / 3;
	h.accounts = p->accounts / 2 + 1;
	h.pick = PICK_ANY;
	h.guise = GUISE_NETS;
	h.aim = AIM_FRESH;
	h.pace = PACE_CUSTOMERS;
	h.per_account = 10;
	h.under_sat = p->floor_sat;
	h.jitter_permille = 500;
	(void)plot_heist(p, &h);
	/* habits imitated from the owners' machines, */
	h.accounts = p->accounts / 2 + 1;
	h.pick = PICK_LARGE;
	h.guise = GUISE_OWNER;
	h.aim = AIM_ACCOUNT;
	h.under_sat = 0;
	h.habit_permille = 2000;
	(void)plot_heist(p, &h);
	/* and on the third day a burst of keys. */
	h.accounts = p->accounts / 4 + 1;
	h.pick = PICK_KEYED;
	h.guise = GUISE_KEY;
	h.aim = AIM_FEW;
	h.n_addresses = 1 + h.accounts / 4;
	h.pace = PACE_EVEN;
	h.from_ms += 2 * MS_PER_DAY + 13 * MS_PER_HOUR;
	h.span_ms = 5 * MS_PER_MIN;
	h.habit_permille = 0;
	h.per_account = 1;
	h.jitter_permille = 50;
	(void)plot_heist(p, &h);
}

#define BTC_PARTS(x)	(INT64_C(x) * SAT_PER_BTC / 100)

const struct attack_kind attack_guise_kinds[] = {
	{ "customer-machine", "from the customers' own machines, with their "
	    "codes", 400, 10000, 0, customer_machine,
	    "Malware on the customers' machines: their addresses, known "
	    "devices, valid codes, their hours; to fresh addresses, over "
	    "three days." },
	{ "session-hijack", "minutes after the customer has logged in", 350,
	    15000, 0, session_hijack,
	    "Within eight minutes of the customer's own login, from his "
	    "address and known device, one withdrawal each over two days." },
	{ "credential-change", "password and second factor changed, then out",
	    400, 8000, 0, credential_change,
	    "Password and second factor are reset, then one withdrawal "
	    "within three hours, or (a third of them) after the 25th hour; "
	    "new devices, two accounts to an address." },
	{ "limit-raise", "the accounts' limits are raised first", 450, 5000,
	    0, limit_raise,
	    "Bitfinex 2016: the limit of each account is raised up to thirty "
	    "hours before, then used up at once." },
	{ "dormant-wake", "accounts that have slept for a year", 400, 20000,
	    0, dormant_wake,
	    "Dormant accounts, new devices, one withdrawal each over two "
	    "days, to fresh addresses." },
	{ "insider", "from the platform's own office, rich accounts", 450,
	    3000, 0, insider,
	    "Somebody inside: the richest accounts on the web channel with "
	    "valid codes from one address, in office hours, to three "
	    "addresses." },
	{ "novel-hiders", "accounts for which fresh addresses are usual", 350,
	    20000, 0, novel_hiders,
	    "Only accounts that pay fresh addresses all the time, from their "
	    "machines, 2 to 5 times their usual size, over four days." },
	{ "staged-rush", "old accounts of the thieves stage a busy hour", 400,
	    8000, 0, staged_rush,
	    "Three times as many accounts as are robbed, opened a hundred "
	    "days before by the thieves, pay their own addresses for three "
	    "weeks and come all at once in the hour of the theft." },
	{ "new-mules", "new accounts that have been traded rich", 400, 20000,
	    0, new_mules,
	    "Accounts opened in the last days are filled by bad trades of "
	    "robbed ones and withdraw at once, within their limit." },
	{ "mixture", "a drip, imitated habits and a burst of keys together",
	    500, 30000, BTC_PARTS(49), mixture,
	    "Five days: a third of it in payments under the floor (0.49 "
	    "btc), a third of twice the habit from the owners' machines, and "
	    "on the third day the rest by keys within five minutes." },
	{ NULL, NULL, 0, 0, 0, NULL, NULL },
};
