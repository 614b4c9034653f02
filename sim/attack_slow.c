/*
 * Thefts that take days or weeks.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/amount.h"
#include "lib/civil.h"
#include "sim/plot.h"

static void
slow_drip(struct plot *p)
{
	struct heist	 h = plot_default(p, 14 * MS_PER_DAY);

	/* The two weeks must fit, so that all of it is asked for. */
	if (h.from_ms + h.span_ms > p->end_ms &&
	    p->end_ms - h.span_ms > p->w->start_ms)
		h.from_ms = p->end_ms - h.span_ms;
	h.pick = PICK_ANY;
	h.guise = GUISE_NETS;
	h.aim = AIM_FRESH;
	h.pace = PACE_STEADY;
	h.per_account = 60;
	h.under_sat = p->floor_sat;
	h.jitter_permille = 300;
	(void)plot_heist(p, &h);
}

static void
structuring(struct plot *p)
{
	struct heist	 h = plot_default(p, 4 * MS_PER_DAY);

	h.pick = PICK_ANY;
	h.guise = GUISE_NETS;
	h.aim = AIM_ACCOUNT;
	h.pace = PACE_CUSTOMERS;
	h.per_account = 12;
	h.under_sat = p->floor_sat;
	h.jitter_permille = 700;
	(void)plot_heist(p, &h);
}

static void
aged_destinations(struct plot *p)
{
	struct heist	 h = plot_default(p, 2 * MS_PER_DAY);
	struct victim	*mules;
	uint32_t	 n = 6, i, k;
	int64_t		 t_ms;

	/* Six accounts of the thieves pay a little to each address, weekly,
	 * and the chain has seen the addresses long before. */
	h.n_addresses = 8 + p->accounts / 8;
	mules = plot_mules(p, n, 60, 2);
	for (i = 0; i < h.n_addresses; i++) {
		struct item	*it = plot_put(p, SCENARIO_CHAIN_SEEN,
		    p->start_ms - 28 * MS_PER_DAY, 0);

		if (it != NULL) {
			it->address = plot_address(p, 2, i);
			it->first_seen_ms = p->start_ms - 60 * MS_PER_DAY;
			it->amount_sat = SAT_PER_BTC;
		}
		for (k = 0; k < 3; k++) {
			t_ms = p->start_ms - (21 - 6 * (int64_t)k) *
			    MS_PER_DAY + rng_range(&p->r, MS_PER_HOUR,
			    5 * MS_PER_DAY);
			plot_take(p, &mules[(i + k) % n], GUISE_OWNER, t_ms,
			    plot_address(p, 2, i), rng_range(&p->r, 100,
			    2000) * 10000);
		}
	}
	for (i = 0; i < n; i++)
		plot_provide(p, &mules[i], FUNDS_SAVED, p->w->start_ms + 2);
	free(mules);
	h.pick = PICK_LARGE;
	h.guise = GUISE_NETS;
	h.aim = AIM_FEW;
	h.per_account = 3;
	h.under_sat = h.total_sat / h.accounts / 2;
	(void)plot_heist(p, &h);
}

static void
book_ahead(struct plot *p)
{
	struct victim	*v;
	struct item	*it;
	uint32_t	 n, i;
	int64_t		 t_ms, sat;

	v = plot_victims(p, PICK_LARGE, 0, p->accounts, &n);
	for (i = 0; i < n; i++) {
		it = plot_put(p, SCENARIO_ADDRESS_ADD, p->start_ms -
		    rng_range(&p->r, 10, 18) * MS_PER_DAY, v[i].account);
		if (it != NULL)
			it->address = plot_address(p, 1, v[i].account);
		t_ms = p->start_ms + rng_range(&p->r, 0, 36 * MS_PER_HOUR);
		sat = p->total_sat / n;
		if (sat > plot_part(v[i].limit_sat, 950))
			sat = plot_part(v[i].limit_sat, 950);
		plot_take(p, &v[i], GUISE_NETS, t_ms, plot_address(p, 1,
		    v[i].account), sat / 10000 * 10000);
		plot_provide(p, &v[i], FUNDS_SAVED, t_ms);
	}
	free(v);
}

/* Each payment to the account's own address 2.3 times the one before. */
static void
ladder(struct plot *p)
{
	struct victim	*v;
	uint32_t	 n, i;
	int64_t		 steps, k, t_ms, sat, first_ms, span_days, weight;

	first_ms = p->w->start_ms + 3 * MS_PER_DAY;
	span_days = p->w->p.days - 5;
	steps = span_days / 4 + 1;
	for (weight = 0, sat = 1000, k = 0; k < steps; k++) {
		weight += sat;
		sat = sat * 23 / 10;
	}
	v = plot_victims(p, PICK_BUSY, 0, p->accounts, &n);
	for (i = 0; i < n; i++) {
		sat = muldiv(p->total_sat / n, 1000, weight);
		if (sat < p->w->p.minimum_sat)
			sat = p->w->p.minimum_sat;
		for (k = 0; k < steps; k++) {
			if (sat > plot_part(v[i].limit_sat, 950))
				sat = plot_part(v[i].limit_sat, 950);
			t_ms = first_ms + k * 4 * MS_PER_DAY +
			    world_time_of_day(&v[i].who, &p->r) +
			    rng_range(&p->r, 0, MS_PER_DAY);
			plot_take(p, &v[i], GUISE_OWNER, t_ms,
			    plot_address(p, 1, v[i].account),
			    sat / 1000 * 1000);
			sat = sat * 23 / 10;
		}
		plot_provide(p, &v[i], FUNDS_SAVED, first_ms);
	}
	free(v);
}

static void
whale_hourly(struct plot *p)
{
	struct heist	 h = plot_default(p, 0);
	int64_t		 n;

	h.pick = PICK_RICH;
	h.guise = GUISE_NETS;
	h.aim = AIM_FRESH;
	h.pace = PACE_STEADY;
	h.per_account = 8;
	/* One an hour for three days, of what a whale takes out. */
	h.under_sat = p->floor_sat > 0 ? p->floor_sat : p->total_sat / 72;
	n = p->total_sat / h.under_sat + 1;
	h.span_ms = n * MS_PER_HOUR;
	h.jitter_permille = 150;
	(void)plot_heist(p, &h);
}

static void
within_habit(struct plot *p)
{
	struct heist	 h = plot_default(p, 7 * MS_PER_DAY);

	h.pick = PICK_LARGE;
	h.guise = GUISE_NETS;
	h.aim = AIM_FRESH;
	h.pace = PACE_CUSTOMERS;
	h.per_account = 5;
	h.habit_permille = 1300;
	h.jitter_permille = 500;
	(void)plot_heist(p, &h);
}

static void
under_line(struct plot *p)
{
	struct heist	 h = plot_default(p, 3 * MS_PER_DAY);

	h.pick = PICK_LARGE;
	h.guise = GUISE_NETS;
	h.aim = AIM_ACCOUNT;
	h.pace = PACE_CUSTOMERS;
	h.per_account = 12;
	h.under_sat = p->floor_sat;
	h.jitter_permille = 30;
	(void)plot_heist(p, &h);
}

static void
doubling(struct plot *p)
{
	struct heist	 h = plot_default(p, 7 * MS_PER_DAY);
	int64_t		 week, weeks = p->w->p.days / 7, parts;

	if (weeks > 4)
		weeks = 4;
	parts = (INT64_C(1) << weeks) - 1;
	h.pick = PICK_ANY;
	h.guise = GUISE_NETS;
	h.aim = AIM_ACCOUNT;
	h.pace = PACE_CUSTOMERS;
	h.per_account = 6;
	h.jitter_permille = 400;
	for (week = 0; week < weeks; week++) {
		h.from_ms = p->w->end_ms - (weeks - week) * 7 * MS_PER_DAY;
		h.total_sat = muldiv(p->total_sat, INT64_C(1) << week, parts);
		h.accounts = (uint32_t)(p->accounts * (2 + week) / 5 + 1);
		h.under_sat = h.total_sat / h.accounts / 2;
		(void)plot_heist(p, &h);
	}
}

static void
medium_each(struct plot *p)
{
	struct heist	 h = plot_default(p, 2 * MS_PER_DAY);

	h.pick = PICK_ANY;
	h.guise = GUISE_NETS;
	h.aim = AIM_FRESH;
	h.pace = PACE_CUSTOMERS;
	h.under_sat = p->floor_sat;
	h.least_limit_sat = 10 * SAT_PER_BTC;
	h.jitter_permille = 600;
	(void)plot_heist(p, &h);
}

static void
hour_mimic(struct plot *p)
{
	struct heist	 h = plot_default(p, 5 * MS_PER_DAY);

	h.pick = PICK_LARGE;
	h.guise = GUISE_OWNER;
	h.aim = AIM_ACCOUNT;
	h.pace = PACE_CUSTOMERS;
	h.per_account = 8;
	h.habit_permille = 2900;
	h.jitter_permille = 300;
	(void)plot_heist(p, &h);
}

static void
shared_destinations(struct plot *p)
{
	struct heist	 h = plot_default(p, 3 * MS_PER_DAY);

	h.pick = PICK_LARGE;
	h.guise = GUISE_NETS;
	h.aim = AIM_SHARED;
	h.pace = PACE_CUSTOMERS;
	h.per_account = 4;
	h.under_sat = h.total_sat / h.accounts / 3;
	h.jitter_permille = 500;
	(void)plot_heist(p, &h);
}

#define BTC_PARTS(x)	(INT64_C(x) * SAT_PER_BTC / 100)

const struct attack_kind attack_slow_kinds[] = {
	{ "slow-drip", "small payments to fresh addresses for two weeks", 350,
	    20000, BTC_PARTS(49), slow_drip,
	    "Two weeks at a steady pace, every payment up to 30 % below the "
	    "floor (0.49 btc), each to a fresh address, from a home line "
	    "each." },
	{ "structuring", "small amounts over very many accounts, four days",
	    400, 40000, BTC_PARTS(45), structuring,
	    "Thousands of accounts (4 %) send payments of 30 to 100 % of the "
	    "floor (0.45 btc) to one address each, at the hours their owners "
	    "keep, over four days." },
	{ "aged-destinations", "addresses made old with small payments first",
	    400, 8000, 0, aged_destinations,
	    "The addresses are two months old on the chain, and for three "
	    "weeks accounts of the thieves' own pay a little to each. Then "
	    "robbed accounts pay large amounts to them, over two days." },
	{ "book-ahead", "addresses listed weeks before they are paid", 400,
	    10000, 0, book_ahead,
	    "The robbed accounts' address books get the thieves' addresses "
	    "10 to 18 days before; then one withdrawal each within a day and "
	    "a half." },
	{ "ladder", "each payment 2.3 times the one before, for weeks", 350,
	    10000, 0, ladder,
	    "From the fourth day of the file on, every four days, from the "
	    "owner's machine and to one address an account, each payment 2.3 "
	    "times the one before, up to the account's limit." },
	{ "whale-hourly", "one large withdrawal an hour for three days", 450,
	    6000, 0, whale_hourly,
	    "The richest accounts, one withdrawal an hour in all, of a "
	    "72nd of the total or under the floor, to fresh addresses." },
	{ "within-habit", "never more than the account's habit, for a week",
	    300, 30000, 0, within_habit,
	    "Accounts with an upper habit, five payments each of 65 to 130 % "
	    "of their usual size, at their usual hours, to fresh addresses." },
	{ "under-049", "just under 0.49 btc each, three days", 350, 40000,
	    BTC_PARTS(49), under_line,
	    "Every payment 97 to 100 % of the floor (0.49 btc), one address "
	    "an account, at the customers' hours, up to twelve each." },
	{ "under-190", "just under 1.9 btc each, three days", 350, 15000,
	    BTC_PARTS(190), under_line,
	    "As under-049 with a floor of 1.9 btc." },
	{ "under-1990", "just under 19.9 btc each, three days", 400, 6000,
	    BTC_PARTS(1990), under_line,
	    "As under-049 with a floor of 19.9 btc." },
	{ "doubling", "twice as much each week, for four weeks", 400, 15000,
	    0, doubling,
	    "The file's last four weeks: a fifteenth of the total, then two, "
	    "four and eight fifteenths, from more accounts each week, one "
	    "address an account." },
	{ "medium-each", "many accounts, one medium payment each, two days",
	    400, 40000, BTC_PARTS(300), medium_each,
	    "One payment of 40 to 100 % of the floor (3 btc) from each "
	    "account with a limit of at least 10 btc, to a fresh address." },
	{ "hour-mimic", "thrice the habit, at the owner's hours and from his "
	    "machine", 400, 20000, 0, hour_mimic,
	    "Five days of payments of 2 to 2.9 times the account's usual "
	    "size, when its owner usually comes, from his machine, one "
	    "address an account." },
	{ "shared-destinations", "only to destinations that many customers "
	    "pay", 400, 10000, 0, shared_destinations,
	    "Every payment goes to a destination the platform has long known "
	    "(another exchange's, a payment processor's), over three days." },
	{ NULL, NULL, 0, 0, 0, NULL, NULL },
};
