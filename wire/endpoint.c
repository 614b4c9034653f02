/*
 * The table, and the search in it: paths are few, and compared by length
 * first.
 */
#include "wire/endpoint.h"

#include <string.h>

#define PART_MAX	64
#define TOKEN_MAX	256	/* of a link */

#define PUBLIC(n, p, w) \
	{ n, "GET", p, SECURITY_NONE, WEIGH_IP, w, NULL }
#define READ(n, p, w) \
	{ n, "GET", p, SECURITY_SIGNED, WEIGH_IP, w, NULL }
#define READ_TOO(n, p, alias, w) \
	{ n, "GET", p, SECURITY_SIGNED, WEIGH_IP, w, alias }
#define ASK(n, p, w) \
	{ n, "POST", p, SECURITY_SIGNED, WEIGH_IP, w, NULL }
#define DOOR(n, m, p) \
	{ n, m, p, SECURITY_DOOR, WEIGH_IP, 1, NULL }
#define SELF(n, m, p) \
	{ n, m, p, SECURITY_SELF, WEIGH_IP, 10, NULL }
#define LOCAL(n) \
	{ n, NULL, NULL, SECURITY_LOCAL, WEIGH_IP, 0, NULL }

const struct endpoint_def endpoints[ENDPOINT__COUNT] = {
	[ENDPOINT_NONE] = { "none", NULL, NULL, SECURITY_NONE, WEIGH_IP, 1,
	    NULL },
	[ENDPOINT_PING] = PUBLIC("ping", "/api/v3/ping", 1),
	[ENDPOINT_TIME] = PUBLIC("time", "/api/v3/time", 1),
	[ENDPOINT_SYSTEM_STATUS] = PUBLIC("system_status",
	    "/sapi/v1/system/status", 1),
	[ENDPOINT_EXCHANGE_INFO] = PUBLIC("exchange_info",
	    "/api/v3/exchangeInfo", 20),
	[ENDPOINT_MARGIN_PAIRS] = PUBLIC("margin_pairs",
	    "/sapi/v1/margin/allPairs", 1),
	[ENDPOINT_ISOLATED_PAIRS] = PUBLIC("isolated_pairs",
	    "/sapi/v1/margin/isolated/allPairs", 10),
	[ENDPOINT_COINS] = READ_TOO("coins", "/sapi/v1/capital/config/getall",
	    "/api/v1/capital/config/getall", 10),
	[ENDPOINT_ACCOUNT] = READ("account", "/api/v3/account", 20),
	[ENDPOINT_RESTRICTIONS] = READ_TOO("restrictions",
	    "/sapi/v1/account/apiRestrictions",
	    "/api/v1/account/apiRestrictions", 1),
	[ENDPOINT_ACCOUNT_STATUS] = READ("account_status",
	    "/sapi/v1/account/status", 1),
	[ENDPOINT_APPLY] = { "apply", "POST",
	    "/sapi/v1/capital/withdraw/apply", SECURITY_WITHDRAW, WEIGH_UID,
	    900, "/api/v1/capital/withdraw/apply" },
	[ENDPOINT_WITHDRAW_HISTORY] = { "withdraw_history", "GET",
	    "/sapi/v1/capital/withdraw/history", SECURITY_SIGNED, WEIGH_UID,
	    18000, "/api/v1/capital/withdraw/history" },
	[ENDPOINT_DEPOSIT_ADDRESS] = READ_TOO("deposit_address",
	    "/sapi/v1/capital/deposit/address",
	    "/api/v1/capital/deposit/address", 10),
	[ENDPOINT_DEPOSIT_HISTORY] = READ_TOO("deposit_history",
	    "/sapi/v1/capital/deposit/hisrec",
	    "/api/v1/capital/deposit/hisrec", 1),
	[ENDPOINT_USER_ASSET] = ASK("user_asset",
	    "/sapi/v3/asset/getUserAsset", 5),
	[ENDPOINT_TRADING_STATUS] = READ("trading_status",
	    "/sapi/v1/account/apiTradingStatus", 1),
	[ENDPOINT_ACCOUNT_INFO] = READ("account_info",
	    "/sapi/v1/account/info", 1),
	[ENDPOINT_WITHDRAW_ADDRESSES] = READ("withdraw_addresses",
	    "/sapi/v1/capital/withdraw/address/list", 10),
	[ENDPOINT_QUOTA] = READ("quota", "/sapi/v1/capital/withdraw/quota",
	    10),
	[ENDPOINT_DEPOSIT_ADDRESSES] = READ_TOO("deposit_addresses",
	    "/sapi/v1/capital/deposit/address/list",
	    "/api/v1/capital/deposit/address/list", 10),
	[ENDPOINT_FUNDING_ASSET] = ASK("funding_asset",
	    "/sapi/v1/asset/get-funding-asset", 1),
	[ENDPOINT_ASSET_DETAIL] = READ("asset_detail",
	    "/sapi/v1/asset/assetDetail", 1),
	[ENDPOINT_WALLET_BALANCE] = READ("wallet_balance",
	    "/sapi/v1/asset/wallet/balance", 60),
	[ENDPOINT_FAST_SWITCH_OFF] = ASK("fast_switch_off",
	    "/sapi/v1/account/disableFastWithdrawSwitch", 1),
	[ENDPOINT_FAST_SWITCH_ON] = ASK("fast_switch_on",
	    "/sapi/v1/account/enableFastWithdrawSwitch", 1),
	[ENDPOINT_QUESTIONNAIRE] = READ("questionnaire",
	    "/sapi/v1/localentity/questionnaire-requirements", 1),
	[ENDPOINT_FAPI_INFO] = PUBLIC("fapi_info", "/fapi/v1/exchangeInfo", 1),
	[ENDPOINT_DAPI_INFO] = PUBLIC("dapi_info", "/dapi/v1/exchangeInfo", 1),
	[ENDPOINT_V1_WITHDRAW] = DOOR("v1_withdraw", "POST",
	    "/v1/withdrawals"),
	[ENDPOINT_V1_WITHDRAWAL] = DOOR("v1_withdrawal", "GET",
	    "/v1/withdrawals/*"),
	[ENDPOINT_V1_CANCEL] = DOOR("v1_cancel", "POST",
	    "/v1/withdrawals/*/cancel"),
	[ENDPOINT_V1_OUTCOME] = DOOR("v1_outcome", "POST",
	    "/v1/withdrawals/*/outcome"),
	[ENDPOINT_V1_FACTS] = DOOR("v1_facts", "POST", "/v1/facts"),
	[ENDPOINT_V1_EVENTS] = DOOR("v1_events", "GET", "/v1/events"),
	[ENDPOINT_V1_HALT] = DOOR("v1_halt", "POST", "/v1/halt"),
	[ENDPOINT_V1_FREEZE_ACCOUNT] = DOOR("v1_freeze_account", "POST",
	    "/v1/accounts/*/freeze"),
	[ENDPOINT_V1_FREEZE_KEY] = DOOR("v1_freeze_key", "POST",
	    "/v1/keys/*/freeze"),
	[ENDPOINT_V1_HEALTH] = DOOR("v1_health", "GET", "/v1/health"),
	[ENDPOINT_V1_ACT] = { "v1_act", "POST", "/v1/act",
	    SECURITY_OPERATOR, WEIGH_IP, 10, NULL },
	[ENDPOINT_SELF_KEYS] = SELF("self_keys", "GET", "/v1/self/keys"),
	[ENDPOINT_SELF_KEY_CREATE] = SELF("self_key_create", "POST",
	    "/v1/self/keys"),
	[ENDPOINT_SELF_KEY_CHANGE] = SELF("self_key_change", "POST",
	    "/v1/self/keys/*"),
	[ENDPOINT_SELF_KEY_REVOKE] = SELF("self_key_revoke", "POST",
	    "/v1/self/keys/*/revoke"),
	[ENDPOINT_SELF_TOTP] = SELF("self_totp", "POST", "/v1/self/totp"),
	[ENDPOINT_SELF_TOTP_CONFIRM] = SELF("self_totp_confirm", "POST",
	    "/v1/self/totp/confirm"),
	[ENDPOINT_SELF_CODE] = SELF("self_code", "POST",
	    "/v1/self/withdrawals/*/code"),
	[ENDPOINT_SELF_SEND_CODE] = SELF("self_send_code", "POST",
	    "/v1/self/withdrawals/*/send-code"),
	[ENDPOINT_SELF_WITHDRAWAL] = SELF("self_withdrawal", "GET",
	    "/v1/self/withdrawals/*"),
	[ENDPOINT_SELF_CANCEL] = SELF("self_cancel", "POST",
	    "/v1/self/withdrawals/*/cancel"),
	[ENDPOINT_SELF_ADDRESSES] = SELF("self_addresses", "GET",
	    "/v1/self/addresses"),
	[ENDPOINT_SELF_ADDRESS_ADD] = SELF("self_address_add", "POST",
	    "/v1/self/addresses"),
	[ENDPOINT_SELF_ADDRESS_REMOVE] = SELF("self_address_remove", "POST",
	    "/v1/self/addresses/*/remove"),
	[ENDPOINT_SELF_FREEZE] = SELF("self_freeze", "POST",
	    "/v1/self/freeze"),
	[ENDPOINT_SELF_CONTACT] = SELF("self_contact", "POST",
	    "/v1/self/contact"),
	[ENDPOINT_SELF_WHY] = SELF("self_why", "GET", "/v1/self/why"),
	[ENDPOINT_LINK_SHOW] = { "link_show", "GET", "/link/*",
	    SECURITY_LINK, WEIGH_IP, 10, NULL },
	[ENDPOINT_LINK_ACT] = { "link_act", "POST", "/link/*",
	    SECURITY_LINK, WEIGH_IP, 10, NULL },
	[ENDPOINT_LOCAL_STATUS] = LOCAL("status"),
	[ENDPOINT_LOCAL_QUEUE] = LOCAL("queue"),
	[ENDPOINT_LOCAL_EVENTS] = LOCAL("events"),
	[ENDPOINT_LOCAL_WITHDRAWALS] = LOCAL("withdrawals"),
	[ENDPOINT_LOCAL_WITHDRAWAL] = LOCAL("withdrawal"),
	[ENDPOINT_LOCAL_ACCOUNTS] = LOCAL("accounts"),
	[ENDPOINT_LOCAL_KEYS] = LOCAL("keys"),
	[ENDPOINT_LOCAL_OPERATORS] = LOCAL("operators"),
	[ENDPOINT_LOCAL_PROPOSALS] = LOCAL("proposals"),
	[ENDPOINT_LOCAL_POLICIES] = LOCAL("policies"),
	[ENDPOINT_LOCAL_DEPOSITS] = LOCAL("deposits"),
};

/* `pattern` may hold one `*`. */
static bool
matches(const char *pattern, struct text path, size_t part_max,
    struct text *part_out)
{
	const char	*star = strchr(pattern, '*');
	size_t		 before, after, i;

	if (star == NULL)
		return text_equal(text_of(pattern), path);
	before = (size_t)(star - pattern);
	after = strlen(star + 1);
	if (path.len <= before + after ||
	    path.len > before + after + part_max ||
	    memcmp(path.p, pattern, before) != 0 ||
	    memcmp(path.p + path.len - after, star + 1, after) != 0)
		return false;
	part_out->p = path.p + before;
	part_out->len = path.len - before - after;
	for (i = 0; i < part_out->len; i++) {
		if (part_out->p[i] == '/')
			return false;
	}
	return true;
}

static bool
is_path(const struct endpoint_def *d, struct text path, struct text *part)
{
	size_t	 max = d->security == SECURITY_LINK ? TOKEN_MAX : PART_MAX;

	return d->path != NULL && (matches(d->path, path, max, part) ||
	    (d->alias != NULL && matches(d->alias, path, max, part)));
}

enum endpoint
endpoint_find(struct text method, struct text path, struct text *part_out,
    bool *known_out)
{
	const struct endpoint_def	*d;
	struct text			 none = { NULL, 0 };
	struct text			 part = none;
	int				 i;

	*known_out = false;
	*part_out = none;
	for (i = 1; i < ENDPOINT__COUNT; i++) {
		d = &endpoints[i];
		if (!is_path(d, path, &part))
			continue;
		*known_out = true;
		if (text_equal(text_of(d->method), method)) {
			*part_out = part;
			return (enum endpoint)i;
		}
		part = none;
	}
	return ENDPOINT_NONE;
}
