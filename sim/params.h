/*
 * What a simulated platform is like: every number that traffic.c and the
 * attacks go by, with its name, its default and its meaning in one table.
 *
 * All are integers.  Units end the name: `_ppm` millionths, `_permille`
 * thousandths, `_sat`, `_ms`, `_min`, `_days`, `_q16` (times 65536; for
 * sizes a logarithm to base 2, so that 65536 is an octave).
 */
#ifndef SIM_PARAMS_H
#define SIM_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

#define PARAMS_PPM	INT64_C(1000000)

struct params {
	/* the platform */
	int64_t	seed;
	int64_t	accounts;
	int64_t	days;
	int64_t	start_ms;
	int64_t	network;
	int64_t	history_days;
	int64_t	new_accounts_ppm;
	/* the wallet */
	int64_t	hot_days_permille;
	int64_t	hot_sat;
	int64_t	fund_permille;
	int64_t	treasury_per_day;
	/* who the customers are */
	int64_t	dormant_ppm;
	int64_t	regular_ppm;
	int64_t	daily_ppm;
	int64_t	whale_ppm;
	int64_t	bot_ppm;
	int64_t	institution_ppm;
	int64_t	partner_clients_ppm;
	int64_t	book_users_ppm;
	/* how often and how much */
	int64_t	activity_permille;
	int64_t	amount_permille;
	int64_t	amount_sat;
	int64_t	amount_between_q16;
	int64_t	amount_within_q16;
	int64_t	whale_sat;
	int64_t	whale_max_sat;
	int64_t	minimum_sat;
	int64_t	surprise_ppm;
	int64_t	round_ppm;
	int64_t	novelty_permille;
	int64_t	shared_ppm;
	int64_t	weekend_permille;
	int64_t	taproot;
	/* what goes with it */
	int64_t	security_ppm;
	int64_t	device_ppm;
	int64_t	code_ppm;
	int64_t	cancel_ppm;
	int64_t	key_rotation_ppm;
	int64_t	limit_raise_ppm;
	int64_t	test_payment_ppm;
	/* special days */
	int64_t	crash_days;
	int64_t	crash_day;
	int64_t	crash_traffic_permille;
	int64_t	crash_amount_permille;
	int64_t	crash_dormant_permille;
	int64_t	promotion_days;
	/* attacks; 0 or -1: as the kind says */
	int64_t	attack_seed;
	int64_t	attack_day;
	int64_t	attack_hot_permille;
	int64_t	attack_accounts_ppm;
	int64_t	attack_floor_sat;
	int64_t	attack_owners_ppm;
	int64_t	attack_delay_min;
};

struct param {
	const char	*name;
	size_t		 offset;
	int64_t		 preset;	/* the default */
	int64_t		 min;
	int64_t		 max;
	const char	*meaning;
};

/* All of them; the count goes to *n_out. */
const struct param *params_table(size_t *n_out);

/* The defaults, those of the preset "medium". */
void params_default(struct params *p);

/* "small", "medium", "large"; false when there is none of that name. */
bool params_preset(struct params *p, const char *name);

/* "name=value"; amounts (`_sat`) may also be written "0.5btc". */
enum rc params_set(struct params *p, const char *assignment, struct err *e)
    MUST_CHECK;

/* What may not be together; e names it. */
enum rc params_check(const struct params *p, struct err *e) MUST_CHECK;

int64_t params_get(const struct params *p, const struct param *which);

#endif
