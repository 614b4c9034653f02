/*
 * The table of words.  The scanner reads the spellings, the checks the sides,
 * the compiler what is frozen and the manual the help.
 */
#include "policy/words.h"

#include <assert.h>
#include <stddef.h>

#define FROZEN	true
#define FRESH	false

static const struct word words[FACT__COUNT] = {
	[FACT_AMOUNT] = { "amount", TYPE_AMOUNT, SIDE_EXACT, FROZEN,
	    "what this withdrawal asks for" },
	[FACT_VIA_API] = { "via api", TYPE_FLAG, SIDE_EXACT, FROZEN,
	    "it came with an API key" },
	[FACT_VIA_WEB] = { "via web", TYPE_FLAG, SIDE_EXACT, FROZEN,
	    "it came from the web site" },
	[FACT_VIA_MOBILE] = { "via mobile", TYPE_FLAG, SIDE_EXACT, FROZEN,
	    "it came from the mobile application" },
	[FACT_VIA_INTERNAL] = { "via internal", TYPE_FLAG, SIDE_EXACT, FROZEN,
	    "it came from the platform itself" },
	[FACT_CODE_GIVEN] = { "code given", TYPE_FLAG, SIDE_EXACT, FROZEN,
	    "a correct second factor came with it" },
	[FACT_FORM_P2PKH] = { "form p2pkh", TYPE_FLAG, SIDE_EXACT, FROZEN,
	    "the destination pays to a key's hash" },
	[FACT_FORM_P2SH] = { "form p2sh", TYPE_FLAG, SIDE_EXACT, FROZEN,
	    "the destination pays to a script's hash" },
	[FACT_FORM_P2WPKH] = { "form p2wpkh", TYPE_FLAG, SIDE_EXACT, FROZEN,
	    "the destination is segwit version 0, a key's hash" },
	[FACT_FORM_P2WSH] = { "form p2wsh", TYPE_FLAG, SIDE_EXACT, FROZEN,
	    "the destination is segwit version 0, a script's hash" },
	[FACT_FORM_P2TR] = { "form p2tr", TYPE_FLAG, SIDE_EXACT, FROZEN,
	    "the destination is taproot" },
	[FACT_IP_NEW_ACCOUNT] = { "ip new to account", TYPE_FLAG, SIDE_EXACT,
	    FROZEN, "the account never came from this IP address" },
	[FACT_IP_NEW_PLATFORM] = { "ip new to platform", TYPE_FLAG, SIDE_EXACT,
	    FROZEN, "nobody ever came from this IP address" },
	[FACT_DEVICE_NEW] = { "device new", TYPE_FLAG, SIDE_EXACT, FROZEN,
	    "the last login was from a device not seen before" },
	[FACT_KEY_HAS_IP_LIST] = { "key has ip list", TYPE_FLAG, SIDE_EXACT,
	    FROZEN, "the API key is bound to IP addresses" },
	[FACT_HOUR] = { "hour", TYPE_COUNT, SIDE_EXACT, FROZEN,
	    "hour of the day, 0 to 23, UTC" },
	[FACT_WEEKDAY] = { "weekday", TYPE_COUNT, SIDE_EXACT, FROZEN,
	    "1 is Monday, 7 is Sunday, UTC" },
	[FACT_AGE_ACCOUNT] = { "age of account", TYPE_TIME, SIDE_EXACT, FRESH,
	    "since the account was opened" },
	[FACT_AGE_KEY] = { "age of key", TYPE_TIME, SIDE_EXACT, FRESH,
	    "since the API key was made or loosened" },
	[FACT_AGE_CREDENTIALS] = { "age of credentials", TYPE_TIME, SIDE_EXACT,
	    FRESH, "since password, second factor or e-mail last changed" },
	[FACT_AGE_LIMIT] = { "age of limit", TYPE_TIME, SIDE_EXACT, FRESH,
	    "since the account's limit was last raised" },
	[FACT_AGE_LOGIN] = { "age of login", TYPE_TIME, SIDE_EXACT, FRESH,
	    "since the account's last login" },
	[FACT_AGE_IP] = { "age of ip", TYPE_TIME, SIDE_EXACT, FRESH,
	    "since the account first used this IP address" },
	[FACT_AGE_DESTINATION] = { "age of destination", TYPE_TIME, SIDE_EXACT,
	    FRESH, "since we first paid it" },
	[FACT_AGE_LISTING] = { "age of listing", TYPE_TIME, SIDE_EXACT, FRESH,
	    "since it stands in the account's address book" },
	[FACT_AGE_DESTINATION_CHAIN] = { "age of destination on chain",
	    TYPE_TIME, SIDE_CHAIN, FRESH, "since it was first seen on chain" },
	[FACT_AGE_PLATFORM] = { "age of platform", TYPE_TIME, SIDE_EXACT, FRESH,
	    "since the first withdrawal there is to learn from" },
	[FACT_IDLE] = { "idle", TYPE_TIME, SIDE_AGAINST, FRESH,
	    "since the account's last release" },
	[FACT_DESTINATION_NEW_ACCOUNT] = { "destination new to account",
	    TYPE_FLAG, SIDE_EXACT, FROZEN, "the account never paid it" },
	[FACT_DESTINATION_NEW_PLATFORM] = { "destination new to platform",
	    TYPE_FLAG, SIDE_EXACT, FROZEN, "we never paid it" },
	[FACT_DESTINATION_NEW_CHAIN] = { "destination new to chain", TYPE_FLAG,
	    SIDE_CHAIN, FROZEN, "it was never seen on chain" },
	[FACT_RECEIVED_DESTINATION] = { "received by destination", TYPE_AMOUNT,
	    SIDE_AGAINST, FRESH, "what we ever paid it" },
	[FACT_PAYERS_DESTINATION] = { "payers of destination", TYPE_COUNT,
	    SIDE_AGAINST, FRESH, "accounts that ever paid it" },
	[FACT_PROVEN] = { "proven", TYPE_FLAG, SIDE_FOR, FROZEN,
	    "as much left to it before and stayed unchallenged (S30)" },
	[FACT_CREDIT] = { "credit", TYPE_AMOUNT, SIDE_FOR, FRESH,
	    "what is ripe of that (S30)" },
	[FACT_HABIT] = { "habit", TYPE_AMOUNT, SIDE_FOR, FRESH,
	    "the account's usual total on a day (S36)" },
	[FACT_HABIT_UNPROVEN] = { "habit unproven", TYPE_AMOUNT, SIDE_FOR,
	    FRESH, "the same of what is not proven" },
	[FACT_HABIT_COUNT] = { "habit count", TYPE_COUNT, SIDE_FOR, FRESH,
	    "its usual number of withdrawals on a day" },
	[FACT_HABIT_DESTINATIONS] = { "habit destinations", TYPE_COUNT,
	    SIDE_FOR, FRESH, "its usual number of new destinations on a day" },
	[FACT_HOT] = { "hot", TYPE_AMOUNT, SIDE_FOR, FRESH,
	    "the hot wallet (S26)" },
	[FACT_FUND] = { "fund", TYPE_AMOUNT, SIDE_FOR, FRESH,
	    "the insurance fund" },
	[FACT_LIMIT] = { "limit of account", TYPE_AMOUNT, SIDE_EXACT, FRESH,
	    "what the account may send in 24h" },
	[FACT_TIER] = { "tier of account", TYPE_COUNT, SIDE_EXACT, FRESH,
	    "a number that the platform gives it" },
};

const struct word *
word_of(enum fact fact)
{
	assert(fact < FACT__COUNT);
	return &words[fact];
}

const char *
verdict_text(enum verdict v)
{
	static const char *const text[VERDICT__COUNT] = {
		[VERDICT_ALLOW] = "allow",
		[VERDICT_DELAY] = "delay",
		[VERDICT_STEP_UP] = "step-up",
		[VERDICT_HOLD] = "hold",
		[VERDICT_DENY] = "deny",
		[VERDICT_HALT] = "halt",
	};

	assert(v < VERDICT__COUNT);
	return text[v];
}

const char *
stage_text(enum agg_stage s)
{
	switch (s) {
	case STAGE_ASKED:
		return "asked";
	case STAGE_COMMITTED:
		return "committed";
	case STAGE_RELEASED:
		return "released";
	case STAGE_BLOCKED:
		return "blocked";
	case STAGE_CONFIRMED:
		return "confirmed";
	}
	assert(!"stage");
	return NULL;
}

const char *
thing_text(enum agg_thing t)
{
	switch (t) {
	case THING_NONE:
		return "";
	case THING_ACCOUNTS:
		return "accounts";
	case THING_DESTINATIONS:
		return "destinations";
	case THING_IPS:
		return "ips";
	case THING_KEYS:
		return "keys";
	}
	assert(!"thing");
	return NULL;
}

const char *
relop_text(enum relop r)
{
	switch (r) {
	case REL_GT:
		return ">";
	case REL_GE:
		return ">=";
	case REL_LT:
		return "<";
	case REL_LE:
		return "<=";
	case REL_EQ:
		return "=";
	}
	assert(!"relop");
	return NULL;
}
