#include "sim/params.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/amount.h"
#include "lib/civil.h"

#define ROW(name, preset, min, max, meaning) \
	{ #name, offsetof(struct params, name), preset, min, max, meaning }
#define BTC	SAT_PER_BTC
#define BIG	INT64_MAX

/* 2019-04-16 00:00 UTC, a Tuesday. */
#define START_MS	INT64_C(1555372800000)

static const struct param table[] = {
	ROW(seed, 1, 0, BIG, "everything honest follows from it"),
	ROW(accounts, 10000, 20, 20000000, "accounts open at the start"),
	ROW(days, 35, 1, 3650, "days of traffic"),
	ROW(start_ms, START_MS, 0, INT64_C(4102444800000),
	    "first moment, ms since 1970 UTC; taken down to a midnight"),
	ROW(network, 0, 0, 3, "0 main, 1 test, 2 signet, 3 regtest"),
	ROW(history_days, 1400, 1, 7300,
	    "the oldest account was opened so many days before the start"),
	ROW(new_accounts_ppm, 1200, 0, 100000,
	    "accounts opened a day, of those open at the start"),

	ROW(hot_days_permille, 6000, 10, 1000000,
	    "hot wallet, in thousandths of an ordinary day's outflow"),
	ROW(hot_sat, 0, 0, AMOUNT_SAT_MAX, "hot wallet; 0: from the above"),
	ROW(fund_permille, 100, 0, 1000000,
	    "insurance fund, of the hot wallet"),
	ROW(treasury_per_day, 4, 1, 48,
	    "times a day that the treasury refills or sweeps"),

	ROW(dormant_ppm, 250000, 0, PARAMS_PPM,
	    "accounts that withdraw about once in 500 days"),
	ROW(regular_ppm, 190000, 0, PARAMS_PPM,
	    "accounts that withdraw about every fifth day"),
	ROW(daily_ppm, 36000, 0, PARAMS_PPM,
	    "accounts that withdraw about once a day"),
	ROW(whale_ppm, 10000, 0, PARAMS_PPM,
	    "rich people: Pareto sizes, about once a week"),
	ROW(bot_ppm, 2500, 0, PARAMS_PPM,
	    "bots and market makers: 3 to 90 a day"),
	ROW(institution_ppm, 4000, 0, PARAMS_PPM,
	    "institutions: Pareto sizes, once or twice a working day"),
	ROW(partner_clients_ppm, 40000, 0, PARAMS_PPM,
	    "accounts with a key at an intermediary"),
	ROW(book_users_ppm, 220000, 0, PARAMS_PPM,
	    "accounts that keep an address book"),

	ROW(activity_permille, 1000, 0, 100000,
	    "all rates of withdrawing, times this"),
	ROW(amount_permille, 1000, 1, 1000000, "all amounts, times this"),
	ROW(amount_sat, 4500000, 1000, 1000 * BTC,
	    "median size of ordinary accounts' withdrawals"),
	ROW(amount_between_q16, 105000, 0, 600000,
	    "spread between ordinary accounts, octaves"),
	ROW(amount_within_q16, 72000, 0, 600000,
	    "spread between one account's withdrawals, octaves"),
	ROW(whale_sat, 200000000, 1000, AMOUNT_SAT_MAX,
	    "least size of whales and institutions"),
	ROW(whale_max_sat, 0, 0, AMOUNT_SAT_MAX,
	    "largest usual size, a fourth of the largest single one; "
	    "0: 0.006 btc an account, 60 btc at most"),
	ROW(minimum_sat, 100000, 1000, BTC, "the smallest withdrawal"),
	ROW(surprise_ppm, 15000, 0, PARAMS_PPM,
	    "withdrawals 5 to 20 times as large as the account's usual"),
	ROW(round_ppm, 450000, 0, PARAMS_PPM,
	    "people's withdrawals with one or two digits only"),
	ROW(novelty_permille, 1000, 0, 2000,
	    "fresh addresses, times this; 1000 gives 30 to 45 % overall"),
	ROW(shared_ppm, 120000, 0, PARAMS_PPM,
	    "an account's addresses that others pay too"),
	ROW(weekend_permille, 720, 0, 5000, "people's weekends, of a workday"),
	ROW(taproot, 1, 0, 1,
	    "0: no p2tr addresses, as before November 2021"),

	ROW(security_ppm, 1000, 0, PARAMS_PPM,
	    "accounts that reset a credential, a day"),
	ROW(device_ppm, 20000, 0, PARAMS_PPM, "logins from a new device"),
	ROW(code_ppm, 970000, 0, PARAMS_PPM,
	    "web and mobile withdrawals with a valid code"),
	ROW(cancel_ppm, 1500, 0, PARAMS_PPM,
	    "withdrawals cancelled by a customer who changed his mind"),
	ROW(key_rotation_ppm, 3000, 0, PARAMS_PPM,
	    "keys replaced or first made, a day, of accounts with API"),
	ROW(limit_raise_ppm, 600000, 0, PARAMS_PPM,
	    "customers who meet their limit and have it raised"),
	ROW(test_payment_ppm, 120000, 0, PARAMS_PPM,
	    "large payments to a fresh address that follow a small one"),

	ROW(crash_days, 2, 0, 2,
	    "market crashes: 1 early (day 9 to 16), 2 also on day 23 to 28"),
	ROW(crash_day, -1, -1, 3650, "a crash on this day instead; -1: drawn"),
	ROW(crash_traffic_permille, 4000, 1000, 100000,
	    "withdrawals on a crash day, of an ordinary one"),
	ROW(crash_amount_permille, 1500, 100, 100000,
	    "amounts on a crash day, of ordinary ones"),
	ROW(crash_dormant_permille, 20000, 1000, 1000000,
	    "dormant accounts' rate on a crash day, of their usual"),
	ROW(promotion_days, 1, 0, 10,
	    "days of free withdrawals: many small ones"),

	ROW(attack_seed, 0, 0, BIG, "the attack's own choices follow from it"),
	ROW(attack_day, -1, -1, 3650,
	    "the attack's first main day, from 0; -1: 21 to 28, drawn"),
	ROW(attack_hot_permille, 0, 0, 1000000,
	    "asked for in all, of the hot wallet; 0: as the kind says"),
	ROW(attack_accounts_ppm, 0, 0, PARAMS_PPM,
	    "accounts robbed, of all; 0: as the kind says"),
	ROW(attack_floor_sat, 0, 0, AMOUNT_SAT_MAX,
	    "the line the thieves stay under; 0: as the kind says"),
	ROW(attack_owners_ppm, 0, 0, PARAMS_PPM,
	    "thefts that the robbed owner notices and cancels as not his"),
	ROW(attack_delay_min, 90, 1, 100000,
	    "minutes until half of those owners have noticed"),
};

const struct param *
params_table(size_t *n_out)
{
	*n_out = sizeof(table) / sizeof(table[0]);
	return table;
}

static int64_t *
field(struct params *p, const struct param *which)
{
	return (int64_t *)(void *)((char *)p + which->offset);
}

int64_t
params_get(const struct params *p, const struct param *which)
{
	int64_t	 v;

	memcpy(&v, (const char *)p + which->offset, sizeof(v));
	return v;
}

void
params_default(struct params *p)
{
	size_t	 i;

	memset(p, 0, sizeof(*p));
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		*field(p, &table[i]) = table[i].preset;
}

bool
params_preset(struct params *p, const char *name)
{
	if (strcmp(name, "small") == 0)
		p->accounts = 2000;
	else if (strcmp(name, "medium") == 0)
		p->accounts = 10000;
	else if (strcmp(name, "large") == 0)
		p->accounts = 50000;
	else
		return false;
	return true;
}

static enum rc
read_value(int64_t *out, const char *text, struct err *e)
{
	char	*end;
	size_t	 len = strlen(text);

	if (len > 3 && strcmp(text + len - 3, "btc") == 0)
		return amount_parse(out, text, len - 3, e);
	errno = 0;
	*out = strtoll(text, &end, 10);
	if (len == 0 || *end != '\0' || errno != 0)
		return err_set(e, "`%s` is not an integer", text);
	return RC_OK;
}

enum rc
params_set(struct params *p, const char *assignment, struct err *e)
{
	const char	*eq = strchr(assignment, '=');
	size_t		 i, len;
	int64_t		 v;

	if (eq == NULL)
		return err_set(e, "`%s` is not NAME=VALUE", assignment);
	len = (size_t)(eq - assignment);
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strlen(table[i].name) == len &&
		    memcmp(table[i].name, assignment, len) == 0)
			break;
	if (i == sizeof(table) / sizeof(table[0]))
		return err_set(e, "no parameter `%.*s`; see --params",
		    (int)len, assignment);
	if (read_value(&v, eq + 1, e) != RC_OK)
		return err_wrap(e, RC_FAILED, "%s", table[i].name);
	if (v < table[i].min || v > table[i].max)
		return err_set(e, "%s may be %lld to %lld", table[i].name,
		    (long long)table[i].min, (long long)table[i].max);
	*field(p, &table[i]) = v;
	return RC_OK;
}

enum rc
params_check(const struct params *p, struct err *e)
{
	if (p->dormant_ppm + p->regular_ppm + p->daily_ppm + p->whale_ppm +
	    p->bot_ppm + p->institution_ppm > PARAMS_PPM)
		return err_set(e, "the kinds of customers add up to more "
		    "than all of them");
	if (p->whale_max_sat != 0 && p->whale_max_sat < p->whale_sat)
		return err_set(e, "whale_max_sat is below whale_sat");
	if (p->start_ms < (p->history_days + 1) * MS_PER_DAY)
		return err_set(e, "the history would begin before 1970");
	if (p->accounts * (p->days + 1) / 1000 * p->new_accounts_ppm / 1000 >
	    INT64_C(40000000))
		return err_set(e, "too many new accounts");
	return RC_OK;
}
