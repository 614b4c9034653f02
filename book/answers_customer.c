/*
 * The customers' door: what the reference says, field by field.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "book/answers.h"
#include "engine/engine.h"
#include "lib/amount.h"
#include "lib/civil.h"

#define LIMIT_MAX	1000
#define IDS_MAX		64
#define DAYS_90_MS	INT64_C(7776000000)

/* Shared by several */

static int64_t
open_sat(struct answering *a)
{
	return store_number(a->s, 0, "select sat from open where account = "
	    "?", "t", a->q->account);
}

static int64_t
free_sat(const struct answering *a)
{
	return a->now->balance_sat > 0 ? a->now->balance_sat : 0;
}

static bool
is_frozen(struct answering *a)
{
	return store_number(a->s, 0, "select frozen from account where "
	    "name = ?", "t", a->q->account) != 0;
}

/* Without the zeros at the end, as Binance writes fees. */
static void
put_zero(struct json *j, const char *key)
{
	json_put_text(j, key, "0");
}

/* Coins */

static const char *
address_regex(enum network net)
{
	switch (net) {
	case NETWORK_MAIN:
		return "^[13][a-km-zA-HJ-NP-Z1-9]{25,34}$|"
		    "^(bc1)[0-9a-z]{39,59}$";
	case NETWORK_TEST:
	case NETWORK_SIGNET:
		return "^[mn2][a-km-zA-HJ-NP-Z1-9]{25,34}$|"
		    "^(tb1)[0-9a-z]{39,59}$";
	case NETWORK_REGTEST:
		break;
	}
	return "^[mn2][a-km-zA-HJ-NP-Z1-9]{25,34}$|"
	    "^(bcrt1)[0-9a-z]{39,59}$";
}

static void
coin_network(struct answering *a)
{
	struct json	*j = a->j;
	int64_t		 limit = store_number(a->s, AMOUNT_SAT_MAX,
	    "select limit_24h from account where name = ?", "t",
	    a->q->account);

	json_open_object(j, NULL);
	json_put_text(j, "network", "BTC");
	json_put_text(j, "coin", "BTC");
	json_put_text(j, "name", "Bitcoin");
	json_put_bool(j, "isDefault", true);
	json_put_text(j, "withdrawIntegerMultiple", "0.00000001");
	json_put_bool(j, "depositEnable", true);
	json_put_bool(j, "withdrawEnable", !a->now->halted);
	json_put_text(j, "depositDesc", "");
	json_put_text(j, "withdrawDesc", a->now->halted ?
	    "Withdrawals are stopped for now." : "");
	json_put_text(j, "specialTips", "");
	json_put_text(j, "specialWithdrawTips", "");
	json_put_text(j, "addressRegex", address_regex(a->net));
	json_put_text(j, "memoRegex", "");
	put_zero(j, "withdrawFee");
	json_put_sat(j, "withdrawMin", 1000);
	json_put_sat(j, "withdrawMax", limit);
	json_put_sat(j, "withdrawInternalMin", 1000);
	json_put_sat(j, "depositDust", 1000);
	json_put_int(j, "minConfirm", 1);
	json_put_int(j, "unLockConfirm", 2);
	json_put_bool(j, "sameAddress", false);
	json_put_bool(j, "withdrawTag", false);
	json_put_int(j, "estimatedArrivalTime", 60);
	json_put_bool(j, "busy", false);
	json_put_bool(j, "resetAddressStatus", false);
	json_put_text(j, "contractAddressUrl", "");
	json_put_text(j, "contractAddress", "");
	json_put_int(j, "denomination", 1);
	json_close(j);
}

static void
coins(struct answering *a)
{
	struct json	*j = a->j;

	json_open_array(j, NULL);
	json_open_object(j, NULL);
	json_put_text(j, "coin", "BTC");
	json_put_text(j, "name", "Bitcoin");
	json_put_bool(j, "depositAllEnable", true);
	/* What is stopped waits; it is not refused. */
	json_put_bool(j, "withdrawAllEnable", true);
	json_put_sat(j, "free", free_sat(a));
	put_zero(j, "locked");
	put_zero(j, "freeze");
	json_put_sat(j, "withdrawing", open_sat(a));
	put_zero(j, "ipoing");
	put_zero(j, "ipoable");
	put_zero(j, "storage");
	json_put_bool(j, "isLegalMoney", false);
	json_put_bool(j, "trading", true);
	json_open_array(j, "networkList");
	coin_network(a);
	json_close(j);
	json_close(j);
	json_close(j);
}

/* The account */

static void
account(struct answering *a)
{
	static const char *const	 names[] = { "maker", "taker",
		"buyer", "seller" };
	struct json			*j = a->j;
	char				 name[32];
	int				 i;

	json_open_object(j, NULL);
	for (i = 0; i < 4; i++) {
		(void)snprintf(name, sizeof(name), "%sCommission", names[i]);
		json_put_int(j, name, 0);
	}
	json_open_object(j, "commissionRates");
	for (i = 0; i < 4; i++)
		put_zero(j, names[i]);
	json_close(j);
	json_put_bool(j, "canTrade", false);
	json_put_bool(j, "canWithdraw", !is_frozen(a));
	json_put_bool(j, "canDeposit", true);
	json_put_bool(j, "brokered", false);
	json_put_bool(j, "requireSelfTradePrevention", false);
	json_put_bool(j, "preventSor", false);
	json_put_int(j, "updateTime", a->now->t_ms);
	json_put_text(j, "accountType", "SPOT");
	json_open_array(j, "balances");
	json_open_object(j, NULL);
	json_put_text(j, "asset", "BTC");
	json_put_sat(j, "free", free_sat(a));
	json_put_sat(j, "locked", open_sat(a));
	json_close(j);
	json_close(j);
	json_open_array(j, "permissions");
	json_put_text(j, NULL, "SPOT");
	json_close(j);
	json_put_int(j, "uid", store_number(a->s, 0, "select uid from "
	    "account where name = ?", "t", a->q->account));
	json_close(j);
}

static void
restrictions(struct answering *a)
{
	static const char *const	 off[] = { "enableInternalTransfer",
		"enableMargin", "enableFutures", "permitsUniversalTransfer",
		"enableVanillaOptions", "enableFixApiTrade",
		"enableFixReadOnly", "enableSpotAndMarginTrading",
		"enablePortfolioMarginTrading" };
	struct json			*j = a->j;
	sqlite3_stmt			*q = store_ask(a->s, "select ips, "
	    "created, withdraw from key where id = ?", "t", a->q->key);
	size_t				 i;

	if (q == NULL) {
		answers_error(a, 401, -2015, "Invalid API-key, IP, or "
		    "permissions for action.");
		return;
	}
	json_open_object(j, NULL);
	json_put_bool(j, "ipRestrict", store_text(q, 0).len > 2);
	json_put_int(j, "createTime", sqlite3_column_int64(q, 1));
	json_put_bool(j, "enableReading", true);
	json_put_bool(j, "enableWithdrawals", sqlite3_column_int(q, 2) != 0);
	for (i = 0; i < sizeof(off) / sizeof(off[0]); i++)
		json_put_bool(j, off[i], false);
	json_close(j);
	store_done(q);
}

static void
account_status(struct answering *a)
{
	json_open_object(a->j, NULL);
	json_put_text(a->j, "data", is_frozen(a) ? "Locked" : "Normal");
	json_close(a->j);
}

static void
trading_status(struct answering *a)
{
	struct json	*j = a->j;

	json_open_object(j, NULL);
	json_open_object(j, "data");
	json_put_bool(j, "isLocked", is_frozen(a));
	json_put_int(j, "plannedRecoverTime", 0);
	json_open_object(j, "triggerCondition");
	json_put_int(j, "GCR", 150);
	json_put_int(j, "IFER", 150);
	json_put_int(j, "UFR", 300);
	json_close(j);
	json_put_int(j, "updateTime", 0);
	json_close(j);
	json_close(j);
}

static void
account_info(struct answering *a)
{
	struct json	*j = a->j;

	json_open_object(j, NULL);
	json_put_int(j, "vipLevel", 0);
	json_put_bool(j, "isMarginEnabled", false);
	json_put_bool(j, "isFutureEnabled", false);
	json_put_bool(j, "isOptionsEnabled", false);
	json_put_bool(j, "isPortfolioMarginRetailEnabled", false);
	json_close(j);
}

/* Withdrawals */

/*
 * Binance's status.  A delay is "awaiting approval" as a hold is: nothing is
 * being paid yet; what a code is awaited for is "email sent".
 */
static int
status_of(int64_t state, int64_t code)
{
	switch ((enum state)state) {
	case STATE_WAITING:
		return code == 1 ? 0 : 2;
	case STATE_STOPPED:
	case STATE_HELD:
		return 2;
	case STATE_RELEASED:
		return 4;
	case STATE_DENIED:
		return 3;
	case STATE_CANCELLED:
	case STATE_EXPIRED:
		return 1;
	case STATE_FAILED:
		return 5;
	case STATE_PAID:
		return 6;
	}
	return 2;
}

static void
put_time(struct json *j, const char *key, int64_t ms)
{
	char	 text[CIVIL_TEXT_MAX];

	json_put_text(j, key, civil_format(text, ms));
}

/* Why it is not done; what waits says until when, in UTC as all times of a
 * history. */
static void
put_info(struct json *j, enum public_reason why, int64_t due_ms)
{
	char	 time[CIVIL_TEXT_MAX], text[CIVIL_TEXT_MAX + 32];

	if (why != REASON_WAITS || due_ms < 0) {
		json_put_text(j, "info", public_reason_text(why));
		return;
	}
	(void)snprintf(text, sizeof(text), "%s %s", public_reason_text(why),
	    civil_format(time, due_ms));
	json_put_text(j, "info", text);
}

/* id, own, script, amount, asked, state, code, why, done, txid, due */
static void
withdraw_row(struct answering *a, sqlite3_stmt *q)
{
	struct json	*j = a->j;
	int64_t		 state = sqlite3_column_int64(q, 5);
	int64_t		 code = sqlite3_column_int64(q, 6);
	struct text	 txid = store_text(q, 9);

	json_open_object(j, NULL);
	answers_text(j, "id", q, 0);
	json_put_sat(j, "amount", sqlite3_column_int64(q, 3));
	put_zero(j, "transactionFee");
	json_put_text(j, "coin", "BTC");
	json_put_int(j, "status", status_of(state, code));
	answers_address(a, "address", store_bytes(q, 2));
	json_put_text(j, "addressTag", "");
	json_put_bytes(j, "txId", txid.p != NULL ? txid.p : "", txid.len);
	put_time(j, "applyTime", sqlite3_column_int64(q, 4));
	json_put_text(j, "network", "BTC");
	json_put_int(j, "transferType", 0);
	if (store_text(q, 1).p != NULL)
		answers_text(j, "withdrawOrderId", q, 1);
	put_info(j, answers_reason(state, code, sqlite3_column_int64(q, 7)),
	    sqlite3_column_type(q, 10) != SQLITE_NULL ?
	    sqlite3_column_int64(q, 10) : -1);
	json_put_int(j, "confirmNo", state == STATE_PAID ? 1 : 0);
	json_put_int(j, "walletType", 0);
	json_put_text(j, "txKey", "");
	if (sqlite3_column_type(q, 8) != SQLITE_NULL)
		put_time(j, "completeTime", sqlite3_column_int64(q, 8));
	json_close(j);
}

/* Which rows are asked for, and how many of them are still to come. */
struct window {
	int64_t	 from, to, skip, left;
};

#define H_COLUMNS							\
	"id, own, script, amount, asked, state, code, why, done, txid, due"

static void
history_rows(struct answering *a, struct window *w, sqlite3_stmt *q)
{
	int64_t	 status = a->q->state;

	for (; q != NULL && w->left > 0; q = store_next(a->s, q) ? q : NULL) {
		if ((status >= 0 && status_of(sqlite3_column_int64(q, 5),
		    sqlite3_column_int64(q, 6)) != status) || w->skip-- > 0)
			continue;
		withdraw_row(a, q);
		w->left--;
	}
	store_done(q);
}

static int
newer(const void *a, const void *b)
{
	const int64_t	*x = a, *y = b;

	return *x > *y ? -1 : *x < *y;
}

/* Some ids: each is looked for, however long the history is. */
static void
history_ids(struct answering *a, struct window *w)
{
	int64_t		 rows[IDS_MAX];
	struct text	 left = a->q->ids, one;
	struct ident	 ident;
	const char	*comma;
	int		 i, n = 0;

	while (left.len > 0 && n < IDS_MAX) {
		comma = memchr(left.p, ',', left.len);
		one.p = left.p;
		one.len = comma != NULL ? (size_t)(comma - left.p) :
		    left.len;
		rows[n] = store_number(a->s, -1, "select n from withdrawal "
		    "where ident = ? and account = ?", "bt",
		    answers_ident(&ident, a, one), a->q->account);
		n += rows[n] >= 0;
		if (comma == NULL)
			break;
		left.len -= one.len + 1;
		left.p = comma + 1;
	}
	qsort(rows, (size_t)n, sizeof(rows[0]), newer);
	for (i = 0; i < n; i++) {
		if (i == 0 || rows[i] != rows[i - 1])
			history_rows(a, w, store_ask(a->s, "select " H_COLUMNS
			    " from withdrawal where n = ?1 and listed and "
			    "asked >= ?2 and asked <= ?3 and (?4 is null or "
			    "own = ?4)", "iiit", rows[i], w->from, w->to,
			    a->q->order));
	}
}

static void
history(struct answering *a)
{
	const struct message	*m = a->q;
	struct window		 w = { .skip = m->offset > 0 ? m->offset : 0,
		.left = m->limit >= 0 && m->limit < LIMIT_MAX ? m->limit :
		LIMIT_MAX, .to = m->to_ms >= 0 ? m->to_ms : INT64_MAX };

	w.from = m->from_ms >= 0 ? m->from_ms :
	    (w.to != INT64_MAX ? w.to : a->now->t_ms) - DAYS_90_MS;
	json_open_array(a->j, NULL);
	if (m->ids.p != NULL)
		history_ids(a, &w);
	else if (m->order.p != NULL)
		history_rows(a, &w, store_ask(a->s, "select " H_COLUMNS
		    " from withdrawal indexed by withdrawal_own where account"
		    " = ? and own = ? and listed and asked >= ? and asked <= "
		    "? order by n desc",
		    "ttii", m->account, m->order, w.from, w.to));
	else
		history_rows(a, &w, store_ask(a->s, "select " H_COLUMNS
		    " from withdrawal where account = ? and listed and asked "
		    ">= ? and asked <= ? order by asked desc, n desc", "tii",
		    m->account, w.from, w.to));
	json_close(a->j);
}

/* Deposits */

static struct text
deposit_script(struct answering *a, sqlite3_stmt **q)
{
	*q = store_ask(a->s, "select script from account where name = ? and "
	    "script is not null", "t", a->q->account);
	return *q != NULL ? store_bytes(*q, 0) : text_of(NULL);
}

static void
deposit_address(struct answering *a)
{
	sqlite3_stmt	*q;
	struct text	 script = deposit_script(a, &q);

	if (script.p == NULL) {
		answers_error(a, 400, -4019, "No deposit address is assigned "
		    "to this account yet.");
		return;
	}
	json_open_object(a->j, NULL);
	answers_address(a, "address", script);
	json_put_text(a->j, "coin", "BTC");
	json_put_text(a->j, "tag", "");
	json_put_text(a->j, "url", "");
	json_close(a->j);
	store_done(q);
}

static void
deposit_addresses(struct answering *a)
{
	sqlite3_stmt	*q;
	struct text	 script = deposit_script(a, &q);

	json_open_array(a->j, NULL);
	if (script.p != NULL) {
		json_open_object(a->j, NULL);
		json_put_text(a->j, "coin", "BTC");
		answers_address(a, "address", script);
		json_put_text(a->j, "tag", "");
		json_put_int(a->j, "isDefault", 1);
		json_close(a->j);
	}
	json_close(a->j);
	store_done(q);
}

static void
deposit_row(struct answering *a, sqlite3_stmt *q, struct text script)
{
	struct json	*j = a->j;
	char		 id[24];

	(void)snprintf(id, sizeof(id), "%" PRId64,
	    (int64_t)sqlite3_column_int64(q, 0));
	json_open_object(j, NULL);
	json_put_text(j, "id", id);
	json_put_sat(j, "amount", sqlite3_column_int64(q, 2));
	json_put_text(j, "coin", "BTC");
	json_put_text(j, "network", "BTC");
	json_put_int(j, "status", 1);
	answers_address(a, "address", script);
	json_put_text(j, "addressTag", "");
	if (store_text(q, 1).p != NULL)
		answers_text(j, "txId", q, 1);
	else
		json_put_text(j, "txId", "");
	json_put_int(j, "insertTime", sqlite3_column_int64(q, 3));
	json_put_int(j, "completeTime", sqlite3_column_int64(q, 3));
	json_put_int(j, "transferType", 0);
	json_put_text(j, "confirmTimes", "1/1");
	json_put_int(j, "unlockConfirm", 1);
	json_put_int(j, "walletType", 0);
	json_put_int(j, "travelRuleStatus", 0);
	json_close(j);
}

static void
deposits(struct answering *a)
{
	const struct message	*m = a->q;
	int64_t			 limit = m->limit >= 0 ? m->limit :
	    LIMIT_MAX, skip = m->offset > 0 ? m->offset : 0;
	int64_t			 to = m->to_ms >= 0 ? m->to_ms : INT64_MAX;
	sqlite3_stmt		*q, *where;
	struct text		 script = deposit_script(a, &where);

	json_open_array(a->j, NULL);
	q = store_ask(a->s, "select n, own, amount, t from deposit where "
	    "account = ?1 and t >= ?2 and t <= ?3 and (?4 is null or own = "
	    "?4) order by n desc limit ?5 offset ?6", "tiitii", m->account,
	    m->from_ms >= 0 ? m->from_ms : INT64_C(0), to, m->order, limit,
	    skip);
	for (; q != NULL; q = store_next(a->s, q) ? q : NULL) {
		if (m->state < 0 || m->state == 1)
			deposit_row(a, q, script);
	}
	json_close(a->j);
	store_done(where);
}

/* The rest */

static void
user_asset(struct answering *a, bool ipoable)
{
	struct json	*j = a->j;
	int64_t		 locked = open_sat(a);

	json_open_array(j, NULL);
	if (free_sat(a) > 0 || locked > 0) {
		json_open_object(j, NULL);
		json_put_text(j, "asset", "BTC");
		json_put_sat(j, "free", free_sat(a));
		put_zero(j, "locked");
		put_zero(j, "freeze");
		json_put_sat(j, "withdrawing", locked);
		if (ipoable)
			put_zero(j, "ipoable");
		put_zero(j, "btcValuation");
		json_close(j);
	}
	json_close(j);
}

static void
quota(struct answering *a)
{
	int64_t	 limit = store_number(a->s, AMOUNT_SAT_MAX, "select "
	    "limit_24h from account where name = ?", "t", a->q->account);
	int64_t	 used = store_number(a->s, 0, "select sum(amount) from "
	    "withdrawal where account = ? and listed and asked > ? and state "
	    "in (0, 1, 2, 3, 8)", "ti", a->q->account, a->now->t_ms -
	    MS_PER_DAY);

	json_open_object(a->j, NULL);
	json_put_sat(a->j, "wdQuota", limit);
	json_put_sat(a->j, "usedWdQuota", used);
	json_close(a->j);
}

static void
addresses(struct answering *a)
{
	sqlite3_stmt	*q = store_ask(a->s, "select script, label from "
	    "address where account = ? order by added", "t", a->q->account);

	json_open_array(a->j, NULL);
	for (; q != NULL; q = store_next(a->s, q) ? q : NULL) {
		json_open_object(a->j, NULL);
		answers_address(a, "address", store_bytes(q, 0));
		json_put_text(a->j, "addressTag", "");
		json_put_text(a->j, "coin", "BTC");
		if (store_text(q, 1).p != NULL)
			answers_text(a->j, "name", q, 1);
		else
			json_put_text(a->j, "name", "");
		json_put_text(a->j, "network", "BTC");
		json_put_text(a->j, "origin", "");
		json_put_text(a->j, "originType", "others");
		json_put_bool(a->j, "whiteStatus", true);
		json_close(a->j);
	}
	json_close(a->j);
}

static void
asset_detail(struct answering *a)
{
	json_open_object(a->j, NULL);
	json_open_object(a->j, "BTC");
	json_put_sat(a->j, "minWithdrawAmount", 1000);
	json_put_bool(a->j, "depositStatus", true);
	put_zero(a->j, "withdrawFee");
	json_put_bool(a->j, "withdrawStatus", true);
	json_close(a->j);
	json_close(a->j);
}

static void
wallet_balance(struct answering *a)
{
	json_open_array(a->j, NULL);
	json_open_object(a->j, NULL);
	json_put_bool(a->j, "activate", true);
	json_put_sat(a->j, "balance", free_sat(a));
	json_put_text(a->j, "walletName", "Spot");
	json_close(a->j);
	json_close(a->j);
}

void
answers_customer(struct answering *a)
{
	enum endpoint	 e = a->q->endpoint;

	if (e == ENDPOINT_COINS)
		coins(a);
	else if (e == ENDPOINT_ACCOUNT)
		account(a);
	else if (e == ENDPOINT_RESTRICTIONS)
		restrictions(a);
	else if (e == ENDPOINT_ACCOUNT_STATUS)
		account_status(a);
	else if (e == ENDPOINT_TRADING_STATUS)
		trading_status(a);
	else if (e == ENDPOINT_ACCOUNT_INFO)
		account_info(a);
	else if (e == ENDPOINT_WITHDRAW_HISTORY)
		history(a);
	else if (e == ENDPOINT_DEPOSIT_ADDRESS)
		deposit_address(a);
	else if (e == ENDPOINT_DEPOSIT_ADDRESSES)
		deposit_addresses(a);
	else if (e == ENDPOINT_DEPOSIT_HISTORY)
		deposits(a);
	else if (e == ENDPOINT_USER_ASSET)
		user_asset(a, true);
	else if (e == ENDPOINT_FUNDING_ASSET) {
		json_open_array(a->j, NULL);
		json_close(a->j);
	} else if (e == ENDPOINT_QUOTA)
		quota(a);
	else if (e == ENDPOINT_WITHDRAW_ADDRESSES)
		addresses(a);
	else if (e == ENDPOINT_ASSET_DETAIL)
		asset_detail(a);
	else if (e == ENDPOINT_WALLET_BALANCE)
		wallet_balance(a);
	else if (e == ENDPOINT_QUESTIONNAIRE) {
		json_open_object(a->j, NULL);
		json_put_text(a->j, "questionnaireCountryCode", "NIL");
		json_close(a->j);
	} else if (e == ENDPOINT_FAST_SWITCH_OFF ||
	    e == ENDPOINT_FAST_SWITCH_ON) {
		json_open_object(a->j, NULL);
		json_close(a->j);
	} else
		answers_error(a, 400, -1020, "This operation is not "
		    "supported.");
}
