/*
 * A simulated platform and its customers, as pure functions of the seed.
 *
 * Nothing is stored for an account: whatever does not change (how often he
 * withdraws, how much, from where, to which addresses) is computed from the
 * seed and the account's number when it is wanted.  So ten million accounts
 * cost nothing, and an attack can ask what its victims are like without the
 * traffic having been generated.
 *
 * Addresses and IPs are carried as 64-bit codes and become text only when
 * they are written: see item.h.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"
#include "lib/err.h"
#include "sim/params.h"
#include "sim/rng.h"

enum person_kind {
	PERSON_CASUAL,		/* about once a month */
	PERSON_DORMANT,
	PERSON_REGULAR,
	PERSON_DAILY,
	PERSON_WHALE,
	PERSON_BOT,
	PERSON_INSTITUTION,
	PERSON__COUNT
};

#define TIERS		5
#define CRASHES_MAX	2
#define PROMOTIONS_MAX	10
#define PARTNER_NONE	0	/* partners are counted from 1 */
/* Accounts that the thieves opened themselves have numbers from here on. */
#define ACCOUNT_MULE	UINT32_C(90000000)

struct world {
	struct params	p;
	uint64_t	key;		/* everything honest is a hash of it */
	int64_t		start_ms;	/* a midnight */
	int64_t		end_ms;
	uint32_t	n_old;		/* open at the start: 0 .. n_old - 1 */
	uint32_t	new_per_day;	/* then so many more a day */
	uint32_t	n_all;
	uint32_t	n_shared;	/* destinations that many pay */
	uint32_t	n_partners;
	uint32_t	n_nat, n_vpn, n_office;
	int64_t		whale_max_sat;	/* largest usual size */
	int64_t		mean_day_sat;	/* outflow of an ordinary day */
	int64_t		hot_sat;	/* what the treasury aims at */
	int		crash_day[CRASHES_MAX];
	int		n_crashes;
	int		promotion_day[PROMOTIONS_MAX];
	int		n_promotions;
};

/* What does not change of an account. */
struct person {
	enum person_kind kind;
	int64_t		rate_ppm;	/* withdrawals an ordinary day */
	int64_t		scale_q16;	/* log2 of the usual size in sat */
	int64_t		within_q16;	/* spread of sizes, octaves */
	int64_t		novelty_ppm;	/* chance of a fresh address */
	int64_t		habit_sat;	/* 2^scale: his median withdrawal */
	int		tier;		/* 1 .. TIERS, at first */
	int		zone_min;	/* local time minus UTC */
	int		api_percent;	/* of his withdrawals */
	int		mobile_percent;
	uint32_t	partner;	/* who holds his first key, or NONE */
	uint32_t	group;		/* 0: none */
	enum form	form;		/* of most of his addresses */
	bool		has_key;
	bool		key_withdraws;
	bool		key_has_ips;
	bool		book;
};

enum rc world_init(struct world *w, const struct params *p, struct err *e)
    MUST_CHECK;

void world_person(const struct world *w, uint32_t account,
    struct person *out);

/* limit_24h of a tier, 1 .. TIERS. */
int64_t world_limit_sat(int tier);

/* When an account was opened; n_old .. n_all - 1 open during the days. */
int64_t world_opened_ms(const struct world *w, uint32_t account);

/* What he holds on the first day. */
int64_t world_first_balance_sat(const struct world *w, uint32_t account,
    const struct person *who);

/* The k-th address an account pays to; some are everybody's. */
uint64_t world_address(const struct world *w, uint32_t account,
    const struct person *who, uint64_t k, bool *shared_out);

/* The i-th destination that many pay, 0 .. n_shared - 1; small i: most. */
uint64_t world_shared(const struct world *w, uint64_t i);

/* An address from a hash: of FORM, or of a usual mixture of forms. */
uint64_t address_code(uint64_t bits, enum form form);
uint64_t address_code_any(uint64_t bits);

/* The same, or of another form when this platform has no p2tr yet. */
uint64_t world_code(const struct world *w, uint64_t address);

/*
 * What the chain knew of an address before the first payment from here:
 * false when it was never used.
 */
bool world_chain_seen(const struct world *w, uint64_t address,
    int64_t before_ms, int64_t *first_seen_ms_out, int64_t *received_sat_out);

/* Where an account's owner is on a day, and where his own server stands. */
uint64_t world_ip(const struct world *w, uint32_t account, int64_t day);
uint64_t world_server_ip(const struct world *w, uint32_t account);
uint64_t world_partner_ip(const struct world *w, uint32_t partner,
    uint64_t bits);

/* Codes of IPs, from bits: a home line anywhere, an IPv6 host. */
uint64_t ip4_code(uint32_t ip);
uint64_t ip_anywhere(uint64_t bits);

/* When of the day, in ms since midnight UTC, somebody does something. */
int64_t world_time_of_day(const struct person *who, struct rng *r);

/* How many times as much as on an ordinary day, in thousandths. */
int64_t world_traffic_permille(const struct world *w,
    enum person_kind kind, int64_t day);
bool world_is_promotion(const struct world *w, int64_t day);
bool world_is_crash(const struct world *w, int64_t day);

/* When on a crash day it begins, ms since midnight. */
int64_t world_crash_ms(const struct world *w, int64_t day);

#endif
