/*
 * What can be asked for, defined once: by HTTP at either door, and by the
 * command line through the local socket.  `api` routes by this table and
 * counts weights, `auth` checks by it who may.
 */
#ifndef WIRE_ENDPOINT_H
#define WIRE_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/text.h"

/* Who may ask. */
enum security {
	SECURITY_NONE,		/* anybody; `api` answers by itself */
	SECURITY_SIGNED,	/* a customer's key, Binance's way */
	SECURITY_WITHDRAW,	/* the same, with the permission to withdraw */
	SECURITY_DOOR,		/* a key of the exchange's door (/v1) */
	SECURITY_SELF,		/* the account's holder: his key over method,
				 * path and body */
	SECURITY_OPERATOR,	/* /v1 too: an operator's signature */
	SECURITY_LINK,		/* the token in a notice's link */
	SECURITY_LOCAL,		/* the local socket alone; no path */
};

enum weigh { WEIGH_IP, WEIGH_UID };

/* Binance's first, as the reference orders them. */
enum endpoint {
	ENDPOINT_NONE,
	ENDPOINT_PING,
	ENDPOINT_TIME,
	ENDPOINT_SYSTEM_STATUS,
	ENDPOINT_EXCHANGE_INFO,
	ENDPOINT_MARGIN_PAIRS,
	ENDPOINT_ISOLATED_PAIRS,
	ENDPOINT_COINS,			/* capital/config/getall */
	ENDPOINT_ACCOUNT,
	ENDPOINT_RESTRICTIONS,
	ENDPOINT_ACCOUNT_STATUS,
	ENDPOINT_APPLY,
	ENDPOINT_WITHDRAW_HISTORY,
	ENDPOINT_DEPOSIT_ADDRESS,
	ENDPOINT_DEPOSIT_HISTORY,
	ENDPOINT_USER_ASSET,
	ENDPOINT_TRADING_STATUS,
	ENDPOINT_ACCOUNT_INFO,
	ENDPOINT_WITHDRAW_ADDRESSES,
	ENDPOINT_QUOTA,
	ENDPOINT_DEPOSIT_ADDRESSES,
	ENDPOINT_FUNDING_ASSET,
	ENDPOINT_ASSET_DETAIL,
	ENDPOINT_WALLET_BALANCE,
	ENDPOINT_FAST_SWITCH_OFF,
	ENDPOINT_FAST_SWITCH_ON,
	ENDPOINT_QUESTIONNAIRE,
	ENDPOINT_FAPI_INFO,
	ENDPOINT_DAPI_INFO,
	/* The exchange's door.  `*` in a path is one part of it: an id. */
	ENDPOINT_V1_WITHDRAW,
	ENDPOINT_V1_WITHDRAWAL,
	ENDPOINT_V1_CANCEL,
	ENDPOINT_V1_OUTCOME,
	ENDPOINT_V1_FACTS,
	ENDPOINT_V1_EVENTS,
	ENDPOINT_V1_HALT,
	ENDPOINT_V1_FREEZE_ACCOUNT,
	ENDPOINT_V1_FREEZE_KEY,
	ENDPOINT_V1_HEALTH,
	ENDPOINT_V1_ACT,		/* an operator's signed command */
	/* The account holder's self-service. */
	ENDPOINT_SELF_KEYS,
	ENDPOINT_SELF_KEY_CREATE,
	ENDPOINT_SELF_KEY_CHANGE,
	ENDPOINT_SELF_KEY_REVOKE,
	ENDPOINT_SELF_TOTP,		/* begin: a secret to scan */
	ENDPOINT_SELF_TOTP_CONFIRM,
	ENDPOINT_SELF_CODE,		/* a code for a withdrawal that waits */
	ENDPOINT_SELF_SEND_CODE,	/* by mail or SMS */
	ENDPOINT_SELF_WITHDRAWAL,	/* why it waits, in full */
	ENDPOINT_SELF_CANCEL,
	ENDPOINT_SELF_ADDRESSES,
	ENDPOINT_SELF_ADDRESS_ADD,
	ENDPOINT_SELF_ADDRESS_REMOVE,
	ENDPOINT_SELF_FREEZE,
	ENDPOINT_SELF_CONTACT,
	ENDPOINT_SELF_WHY,		/* true reasons of recent refusals */
	ENDPOINT_LINK_SHOW,		/* H14: GET shows, POST acts */
	ENDPOINT_LINK_ACT,
	/* The local socket: QUERY messages, answered in JSON. */
	ENDPOINT_LOCAL_STATUS,
	ENDPOINT_LOCAL_QUEUE,
	ENDPOINT_LOCAL_EVENTS,
	ENDPOINT_LOCAL_WITHDRAWALS,
	ENDPOINT_LOCAL_WITHDRAWAL,
	ENDPOINT_LOCAL_ACCOUNTS,
	ENDPOINT_LOCAL_KEYS,
	ENDPOINT_LOCAL_OPERATORS,
	ENDPOINT_LOCAL_PROPOSALS,
	ENDPOINT_LOCAL_POLICIES,
	ENDPOINT_LOCAL_DEPOSITS,
	ENDPOINT__COUNT
};

struct endpoint_def {
	const char	*name;		/* for logs and metrics */
	const char	*method;	/* NULL: no HTTP */
	const char	*path;
	enum security	 security;
	enum weigh	 weigh;
	int		 weight;
	/* A way that nba takes by mistake to the same. */
	const char	*alias;
};
extern const struct endpoint_def endpoints[ENDPOINT__COUNT];

/*
 * Where a request goes.  ENDPOINT_NONE: nowhere; then *known_out says
 * whether the path exists under another method.  `*` matches one part that
 * is not empty and is 64 bytes at most (a link's token 256); *part_out is it.
 */
enum endpoint endpoint_find(struct text method, struct text path,
    struct text *part_out, bool *known_out);

#endif
