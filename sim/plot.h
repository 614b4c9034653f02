/*
 * What thefts are made of: whom they rob, how they look, where the coins go,
 * when, and how much at once.  Only the files attack*.c include this.
 *
 * A kind fills a struct heist (or several) and calls plot_heist(); what no
 * heist can say it does with plot_take() and the smaller steps.
 */
#ifndef SIM_PLOT_H
#define SIM_PLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/attack.h"
#include "sim/item.h"
#include "sim/rng.h"
#include "sim/world.h"

/* A robbed account. */
struct victim {
	uint32_t	account;
	uint16_t	key;		/* that the thief uses; 0: the first */
	struct person	who;
	int64_t		limit_sat;
	int64_t		owed_sat;	/* asked for and not yet provided */
	int64_t		spent_sat[2];	/* today and yesterday, by thefts */
	int64_t		spent_day;
};

struct plot {
	const struct world *w;
	const struct attack_kind *kind;
	struct items	*out;
	struct rng	 r;
	uint64_t	 key;
	int64_t		 day;		/* the first main day */
	int64_t		 start_ms;	/* its midnight */
	int64_t		 end_ms;	/* of the traffic */
	int64_t		 total_sat;	/* to ask for */
	uint32_t	 accounts;	/* to rob, at most */
	int64_t		 floor_sat;	/* to stay under; 0: no matter */
	int64_t		 owners_ppm;
	int64_t		 delay_ms;
	uint32_t	 number;	/* of the next withdrawal */
	uint32_t	 n_mules;	/* accounts of the thieves' own */
};

/* Whom. */
enum pick {
	PICK_ANY,		/* active or not, but not asleep */
	PICK_RICH,		/* the largest usual sizes */
	PICK_LARGE,		/* an upper tenth, drawn: not the very top */
	PICK_KEYED,		/* whose key may withdraw */
	PICK_TRADE_KEY,		/* whose key may not, yet */
	PICK_PARTNER,		/* clients of the largest intermediary */
	PICK_DORMANT,
	PICK_NOVEL,		/* who often pay fresh addresses */
	PICK_BUSY,		/* who withdraw often, by hand */
	PICK_RICH_KEYED,
};

/* How a withdrawal looks. */
enum guise {
	GUISE_KEY,		/* a key, from some rented servers */
	GUISE_PARTNER,		/* a key, from the intermediary's servers */
	GUISE_LOGIN,		/* stolen password and code, new device */
	GUISE_NETS,		/* the same from a home line each */
	GUISE_OWNER,		/* the customer's own machine, ip and code */
	GUISE_SESSION,		/* minutes after his own login */
	GUISE_INSIDER,		/* the platform's own office, code given */
};

/* Where to. */
enum aim {
	AIM_FRESH,		/* an address each withdrawal */
	AIM_ACCOUNT,		/* an address each account */
	AIM_FEW,		/* n_addresses for all, in turn */
	AIM_SHARED,		/* the platform's busiest destinations */
};

/* When. */
enum pace {
	PACE_EVEN,		/* at random, from from_ms on for span_ms */
	PACE_STEADY,		/* at equal distances, with some jitter */
	PACE_CUSTOMERS,		/* as the victims' own hours are */
	PACE_NIGHT,		/* 1 to 5 UTC, on the days of the span */
	PACE_CRASH,		/* as customers come after a crash */
};

enum funds {
	FUNDS_SAVED,		/* credited over weeks before */
	FUNDS_MOVED,		/* traded there within two days before */
};

struct heist {
	enum pick	 pick;
	enum guise	 guise;
	enum aim	 aim;
	enum pace	 pace;
	enum funds	 funds;
	int64_t		 total_sat;
	uint32_t	 accounts;
	uint32_t	 per_account;	/* withdrawals of one, at most */
	uint32_t	 n_addresses;	/* AIM_FEW */
	uint64_t	 address_seed;	/* AIM_FEW: another set */
	int64_t		 from_ms;
	int64_t		 span_ms;
	/* One withdrawal: under a line, or of the account's habit; neither:
	 * total / accounts. */
	int64_t		 under_sat;
	int64_t		 habit_permille;
	int64_t		 jitter_permille;	/* below it by up to this */
	int64_t		 least_limit_sat;	/* rob only above this */
};

/* Accounts that fit, most wanted first; n of them at most, fewer when there
 * are not so many.  The caller frees. */
struct victim *plot_victims(struct plot *p, enum pick pick,
    int64_t least_limit_sat, uint32_t n, uint32_t *n_out);

/* n accounts of the thieves' own, opened days before the start of the plot
 * and verified to a tier. */
struct victim *plot_mules(struct plot *p, uint32_t n, int64_t days_before,
    int tier);

/* The i-th fresh address of a set. */
uint64_t plot_address(const struct plot *p, uint64_t set, uint64_t i);

/* An item of an account; NULL when it would lie after the traffic's end or
 * before its account was opened. */
struct item *plot_put(struct plot *p, enum scenario_type type, int64_t t_ms,
    uint32_t account);

/* A withdrawal, with the login before and perhaps the owner's cancel after;
 * counted as owed. */
void plot_take(struct plot *p, struct victim *v, enum guise guise,
    int64_t t_ms, uint64_t address, int64_t sat);

/* Credit what the victim owes, before t_ms; then nothing is owed. */
void plot_provide(struct plot *p, struct victim *v, enum funds funds,
    int64_t t_ms);

/* A key of the thieves' making, asleep since then: KEY guises use it. */
void plot_key(struct plot *p, struct victim *v, int64_t t_ms);

/* All of it; what was asked for in the end. */
int64_t plot_heist(struct plot *p, const struct heist *h);

/* One that robs `accounts` of `total_sat` from start_ms on, the rest zero. */
struct heist plot_default(const struct plot *p, int64_t span_ms);

/* v * permille / 1000. */
int64_t plot_part(int64_t v, int64_t permille);

/* What is just under a line: 92 to 99 % of it. */
int64_t plot_under(struct plot *p, int64_t line_sat);

/* The kinds' own tables, one a file. */
extern const struct attack_kind attack_fast_kinds[];
extern const struct attack_kind attack_slow_kinds[];
extern const struct attack_kind attack_guise_kinds[];

#endif
