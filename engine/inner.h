/*
 * The engine from inside: what its files share.  Nobody outside engine/
 * includes this.
 *
 * Everything is a record in a pool and is called by its number.  Records
 * that carry windows belong to a "place": the platform, an account, a
 * destination, a key, a network, a partner, a group.  layout.c computes from
 * the program which windows each kind of place has and where in its record
 * they stand, so that a record with all of its windows is one contiguous
 * stretch of memory.
 *
 * What an account costs under the shipped policy, in bytes (test_safety
 * holds a policy like it to 256):
 *
 *	record: id 16, balance 8, opened, list, flags 4 each	36
 *	limit raised, credentials, restart 4 each, limit 8	20
 *	habit unproven						32
 *	sum asked 24h: 10 words of 4				40
 *	sum committed 24h: what waits 8, 10 words of 4		48
 *	one pair						56
 *	two entries of an index, 8 bytes at 7/10 full each	23
 *								255
 *
 * Moments kept in records are seconds (`_s`, 0 for never).  Those from which
 * an age is taken are rounded up, so that an age is never too old.
 */
#ifndef ENGINE_INNER_H
#define ENGINE_INNER_H

#include <assert.h>
#include <string.h>

#include "engine/due.h"
#include "engine/engine.h"
#include "engine/habit.h"
#include "engine/hot.h"
#include "engine/index.h"
#include "engine/members.h"
#include "engine/normal.h"
#include "engine/store.h"
#include "engine/tables.h"
#include "engine/trust.h"
#include "engine/window.h"
#include "lib/amount.h"
#include "lib/civil.h"

#define NONE		UINT32_MAX	/* no record */
#define FULL		(UINT32_MAX - 1) /* wanted one; its pool is full */

/* 2100-01-01.  Moments are kept in 32 bits of seconds; no honest input comes
 * from beyond, and one that does must not end all delays at once. */
#define ENGINE_TIME_MAX_MS INT64_C(4102444800000)

#define PLACES_MAX	24
enum {
	PLACE_PLATFORM,
	PLACE_ACCOUNT,
	PLACE_DESTINATION,
	PLACE_KEY,
	PLACE_OTHER,		/* the first of networks, partners, groups */
};

#define APPROVALS_MAX	8
/* Bit of trust_pair.listed_s, an even number of seconds: the entry came
 * with an import (S34). */
#define LISTED_IMPORTED	UINT32_C(1)
#define AGGS_MAX	SLOTS_MAX

/* Parts of an account's record that only some policies need. */
enum opt {
	OPT_GROUP,		/* uint32_t: 1 + record of its group */
	OPT_TIER,
	OPT_LIMIT_RAISED,	/* moments */
	OPT_CREDENTIALS,
	OPT_RESTART,		/* trust ripens anew from here (S32) */
	OPT_LOGIN,
	OPT_RELEASED,
	OPT_HABIT,		/* struct habit each */
	OPT_HABIT_UNPROVEN,
	OPT_HABIT_COUNT,
	OPT_HABIT_DESTINATIONS,
	OPT_LIMIT,		/* int64_t */
	OPT_DECLARED,		/* int64_t: a mask, then the values */
	OPT__COUNT
};

enum {
	ACCOUNT_FROZEN = 1,
	ACCOUNT_BALANCE = 2,	/* a deposit or balance was ever given */
	ACCOUNT_DEVICE_KNOWN = 4,	/* the last login said which */
	ACCOUNT_DEVICE_NEW = 8,
	ACCOUNT_TIER = 16,
	ACCOUNT_LIMIT = 32,
};

struct account {
	struct ident	id;
	int64_t		balance_sat;
	uint32_t	opened_s;
	uint32_t	waiting;	/* 1 + first of its list, 0: none */
	uint32_t	flags;
	uint32_t	more[];		/* enum opt, windows */
};

struct destination {
	struct ident	id;
	int64_t		received_sat;
	int64_t		chain_sat;
	uint32_t	first_s;	/* first paid, rounded up */
	uint32_t	last_s;		/* last touched, for dropping */
	uint32_t	payers;
	uint32_t	pairs;		/* pairs that name it */
	uint32_t	pins;		/* withdrawals that wait */
	uint32_t	fraud_s;	/* confirmed fraud: no credit before */
	uint32_t	chain_s;	/* first seen on chain */
	uint32_t	pad;
	/* windows, then an interval of taint a rule */
};

enum { KEY_WITHDRAW = 1, KEY_REVOKED = 2, KEY_FROZEN = 4 };

struct key {
	struct ident	id;
	uint32_t	account;
	uint32_t	since_s;	/* made or loosened (S23) */
	uint32_t	partner;	/* in the place of partners */
	uint32_t	cidrs;		/* first in e->cidrs; NONE: any */
	uint32_t	flags;
	uint32_t	pad;
};

/* A network, partner or group. */
struct other {
	struct ident	id;
	uint32_t	last_s;
	uint32_t	pins;
};

/* An IP address, of the platform or of one account. */
struct seen {
	struct ident	id;
	uint32_t	first_s;
	uint32_t	last_s;
	uint32_t	known;		/* a withdrawal from it was released */
	uint32_t	pad;
};

struct cidr_record {
	uint32_t	next;
	struct cidr	cidr;
	unsigned char	pad[3];
};

/* Every id that was ever asked for, until its slot is used again. */
struct withdrawal {
	struct ident	id;
	uint64_t	content;	/* of account, script, amount */
	uint64_t	classes;	/* frozen at asking (S13) */
	int64_t		amount_sat;
	int64_t		asked_ms;
	int64_t		released_ms;	/* -1: not */
	uint32_t	ref;
	uint32_t	account;
	uint32_t	destination;
	uint32_t	key;
	uint32_t	waiting;
	uint8_t		state;
	uint8_t		verdict;
	uint8_t		would;
	uint8_t		why;
	uint32_t	flags;
	uint32_t	script_tag;	/* the destination's number may by
					 * now be somebody else's */
};

enum {
	W_ASKED = 1,		/* it is in the `asked` counters */
	W_BLOCKED = 2,		/* it is in the `blocked` counters */
	W_CONFIRMED = 4,	/* it is in the `confirmed` counters */
	W_LEDGER = 8,		/* it was taken from a known balance */
	W_RECEIPT = 16,
	W_BURNED = 32,
	W_HISTORY = 64,
	W_PENDING = 128,	/* it stands in the pending book */
	W_PAID_OUT = 256,	/* it stands in the paid-out book */
	W_ISSUED = 512,		/* an event of its own said so */
};

/* What is kept only while it waits, is held or stopped. */
struct waiting {
	uint32_t	w;		/* slot in e->withdrawals */
	uint32_t	prev;		/* of the same account */
	uint32_t	next;
	uint32_t	ip;		/* in e->ips */
	int64_t		delay_until_ms;
	int64_t		code_until_ms;	/* 0: no code is awaited */
	uint32_t	flags;
	uint32_t	people;		/* M of the hold */
	uint32_t	approvals[APPROVALS_MAX];
	uint32_t	n_approvals;
	uint32_t	ip_since_s;
	uint64_t	declared_known;
	struct ident	script;
	unsigned char	address[16];	/* the IP it came from */
	/* then: places[n_places] (uint32_t), declared[], frozen[] */
};

enum {
	K_CODE = 1,		/* a correct code came */
	K_RESERVED = 2,		/* it stands in the `committed` counters */
	K_PEOPLE = 4,		/* people released it during a halt */
	K_IP = 8,
	K_RECEIPT = 16,		/* released, no receipt yet */
};

/* Where the counters of one aggregate stand. */
struct counter {
	int		place;
	int		normal;		/* in e->normals, -1: none */
	uint32_t	off;		/* in the place's record */
	bool		distinct;
	bool		wide;		/* on the platform */
	bool		committed;	/* an int64_t of what waits, first */
	struct window_shape shape;
	struct members_shape members;
};

/* One of a stage's counters, and which withdrawals belong in it: those of
 * whose classes `mask` leaves `want`. */
struct member_of_stage {
	uint64_t	mask;
	uint64_t	want;
	int		agg;
};

/* A kind of thing that has windows. */
struct place {
	enum agg_scope	scope;
	int		prefix;
	int		table;
	size_t		size;		/* of a record with its windows */
	int64_t		keep_ms;	/* until its windows are empty */
	uint32_t	off_taint;	/* in a record; 0: none */
	int		n_taints;
	struct store	store;
	struct index	index;
	enum why	full;
};

/* S28: the buckets that a platform- or group-wide rule tainted. */
struct taint_ring {
	int64_t		width_ms;	/* 0: this rule taints none */
	int64_t		last;		/* the newest bucket written */
	uint32_t	n_bits;
	uint64_t	*bits;
};

/* One decision in the making. */
struct decision {
	struct engine	*e;
	const struct input *in;		/* NULL after asking */
	struct withdrawal *w;
	struct waiting	*k;		/* NULL at asking */
	struct account	*a;
	struct destination *d;		/* NULL: its pool is full */
	struct key	*key;
	struct trust_pair *pair;	/* NULL: not known */
	struct ident	script;
	uint32_t	account;
	uint32_t	destination;
	uint32_t	ip;
	uint32_t	use;		/* in e->uses, while `in` is there */
	uint32_t	ip_since_s;
	bool		has_ip;
	bool		pair_looked;
	bool		in_asked;	/* it stands in `asked` already */
	uint64_t	asked_classes;	/* and under these classes */
	bool		in_committed;
	unsigned char	address[16];
	int64_t		t_ms;
	uint32_t	rec[PLACES_MAX];
	struct eval_env	env;
	struct joined	joined;
};

struct engine {
	const struct program *p;
	const struct policy *pol;
	struct engine_config cfg;
	struct tables	*tables;
	struct place	places[PLACES_MAX];
	int		n_places;
	struct counter	counters[AGGS_MAX];
	struct member_of_stage by_stage[STAGE_CONFIRMED + 1][AGGS_MAX];
	int		n_by_stage[STAGE_CONFIRMED + 1];
	uint16_t	opt[OPT__COUNT];	/* 0: not there */
	int		frozen[SLOTS_MAX];	/* slots kept while waiting */
	int		n_frozen;
	uint32_t	off_places, off_declared, off_frozen;
	int		taint_place[RULES_MAX];	/* PLACE_PLATFORM: a ring */
	int		taint_slot[RULES_MAX];	/* else: interval's number */
	struct store	withdrawals, waiting, pairs, ips, uses, cidrs;
	struct index	withdrawals_ix, pairs_ix, ips_ix, uses_ix;
	bool		use_ips, use_uses, use_pairs;
	uint64_t	ip_secret[6];	/* see records_ip_ident(); odd */
	struct trust_terms terms;
	struct due	due;		/* waiting and held, by time */
	struct due	stopped;	/* by number */
	struct due	unreceipted;	/* by number */
	struct taint_ring taint[RULES_MAX];
	int64_t		turn_ms;	/* the next hour to observe */
	struct normal	*normals;
	int		n_normals;
	struct hot	hot;
	/* All that a snapshot needs beside the pools. */
	struct engine_vars {
		int64_t		now_ms;
		int64_t		fund_sat;
		int64_t		pending_sat;	/* books */
		int64_t		paid_sat;
		int64_t		outside_sat;
		int64_t		waiting_sat;	/* all reservations */
		int64_t		confirmed_ms;	/* last fraud, 0: never */
		uint32_t	next_ref;
		uint32_t	first_s;	/* first withdrawal, 0: none */
		uint32_t	halted;
		int32_t		halt_rule;
		uint32_t	sweep[8];	/* hands of the pools' clocks */
	} v;
	const struct engine_sink *sink;
	struct follow	*follow;	/* engine_follow(); else NULL */
	struct decision	d;
};

#endif
