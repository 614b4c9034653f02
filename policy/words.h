/*
 * The words of the policy language: what a rule may ask about.
 *
 * One table (words.c) gives every word its spelling, type, side and whether
 * it is frozen when the withdrawal is asked for; the parser, the checks, the
 * manual's tables and the engine all read that one.  Sn are the numbered
 * semantics in drawbridge.policy(5).
 */
#ifndef POLICY_WORDS_H
#define POLICY_WORDS_H

#include <stdbool.h>
#include <stdint.h>

/* What a quantity is.  No conversion is ever guessed between them. */
enum type {
	TYPE_AMOUNT,		/* satoshi */
	TYPE_COUNT,		/* a bare number */
	TYPE_TIME,		/* a duration, milliseconds */
	TYPE_FLAG,		/* 0 or 1 */
};

/* S22: which way a rounded value errs. */
enum side {
	SIDE_EXACT,
	SIDE_AGAINST,		/* rounded up: may accuse, never excuse */
	SIDE_FOR,		/* rounded down: may excuse, never accuse */
	SIDE_CHAIN,		/* S24: tells patience; severer rules only */
};

enum fact {
	/* The request; frozen at asking (S13, S27). */
	FACT_AMOUNT,
	FACT_VIA_API,
	FACT_VIA_WEB,
	FACT_VIA_MOBILE,
	FACT_VIA_INTERNAL,
	FACT_CODE_GIVEN,
	FACT_FORM_P2PKH,
	FACT_FORM_P2SH,
	FACT_FORM_P2WPKH,
	FACT_FORM_P2WSH,
	FACT_FORM_P2TR,
	FACT_IP_NEW_ACCOUNT,
	FACT_IP_NEW_PLATFORM,
	FACT_DEVICE_NEW,
	FACT_KEY_HAS_IP_LIST,
	FACT_HOUR,			/* 0..23 UTC */
	FACT_WEEKDAY,			/* 1 is Monday .. 7 */
	/* Ages: never seen = 0, the most suspicious (S21).  Fresh. */
	FACT_AGE_ACCOUNT,
	FACT_AGE_KEY,
	FACT_AGE_CREDENTIALS,		/* since the last security_change */
	FACT_AGE_LIMIT,			/* since the limit was last raised */
	FACT_AGE_LOGIN,
	FACT_AGE_IP,			/* since the account first used it */
	FACT_AGE_DESTINATION,		/* since we first paid it */
	FACT_AGE_LISTING,		/* in the account's address book */
	FACT_AGE_DESTINATION_CHAIN,	/* SIDE_CHAIN */
	FACT_AGE_PLATFORM,		/* since its first withdrawal */
	FACT_IDLE,			/* since the account's last release */
	/* The destination. */
	FACT_DESTINATION_NEW_ACCOUNT,
	FACT_DESTINATION_NEW_PLATFORM,
	FACT_DESTINATION_NEW_CHAIN,
	FACT_RECEIVED_DESTINATION,	/* from us, ever */
	FACT_PAYERS_DESTINATION,	/* accounts that paid it, ever */
	/* Learned. */
	FACT_PROVEN,			/* S30; a flag, frozen like a class */
	FACT_CREDIT,
	FACT_HABIT,			/* S36: usual day total, amount */
	FACT_HABIT_UNPROVEN,		/* the same of unproven outlay only */
	FACT_HABIT_COUNT,		/* usual withdrawals on a day */
	FACT_HABIT_DESTINATIONS,	/* usual new destinations on a day */
	/* State. */
	FACT_HOT,			/* S26 */
	FACT_FUND,
	FACT_LIMIT,			/* `limit of account`, 0 if unknown */
	FACT_TIER,
	FACT__COUNT
};

enum relop { REL_GT, REL_GE, REL_LT, REL_LE, REL_EQ };

enum verdict {
	VERDICT_ALLOW,
	VERDICT_DELAY,
	VERDICT_STEP_UP,
	VERDICT_HOLD,
	VERDICT_DENY,
	VERDICT_HALT,
	VERDICT__COUNT
};

enum agg_what { AGG_SUM, AGG_COUNT, AGG_DISTINCT };
enum agg_thing {
	THING_NONE,
	THING_ACCOUNTS,
	THING_DESTINATIONS,
	THING_IPS,
	THING_KEYS,
};
/* S8.  CONFIRMED: refused by a person or reported stolen, when that came. */
enum agg_stage {
	STAGE_ASKED,
	STAGE_COMMITTED,
	STAGE_RELEASED,
	STAGE_BLOCKED,
	STAGE_CONFIRMED,
};
enum agg_scope {
	SCOPE_ACCOUNT,
	SCOPE_KEY,
	SCOPE_IP,		/* agg.prefix bits of an IPv4 address */
	SCOPE_IP6,		/* agg.prefix bits of an IPv6 address */
	SCOPE_PARTNER,
	SCOPE_GROUP,
	SCOPE_GROUP_TABLE,	/* agg.table's rows */
	SCOPE_DESTINATION,
	SCOPE_PLATFORM,
};

/*
 * An aggregate's definition.  Two with equal fields are one set of
 * counters; `cls` is the index of a class, or -1 for every withdrawal.
 */
struct agg {
	enum agg_what	what;
	enum agg_thing	thing;
	int		cap;		/* distinct: 0 means the default */
	enum agg_stage	stage;
	enum agg_scope	scope;
	int		prefix;
	int		table;		/* SCOPE_GROUP_TABLE, else -1 */
	int64_t		window_ms;
	int		cls;
	bool		cls_not;	/* `of not CLASS` */
};

/* The class index that stands for `proven`: it is frozen like a class. */
#define CLASS_PROVEN	0
/* Internal: `proven` and account at least 90 days old, for `busy` (S38). */
#define CLASS_BUSY	1
/* The first class that a file defines. */
#define CLASS_FIRST	2
/* One bit a class in the withdrawal's record (S13). */
#define CLASSES_MAX	64
#define RULES_MAX	256
#define TABLES_MAX	64
#define DECLARED_MAX	16

struct word {
	const char	*text;		/* as written, "age of account" */
	enum type	 type;
	enum side	 side;
	bool		 frozen;	/* S27: kept as it was at asking */
	const char	*help;		/* one line for the manual */
};

/* Never NULL for fact < FACT__COUNT. */
const struct word *word_of(enum fact fact);
const char *verdict_text(enum verdict v);	/* "step-up" */
const char *stage_text(enum agg_stage s);
const char *thing_text(enum agg_thing t);
const char *relop_text(enum relop r);

#endif
