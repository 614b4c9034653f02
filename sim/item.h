/*
 * Events while they are being made: 56 bytes each, no text.
 *
 * A generator makes items, sorts them and keeps or merges them; only when
 * one is handed on does it become a struct scenario_event with addresses,
 * IPs and names as text.
 */
#ifndef SIM_ITEM_H
#define SIM_ITEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bitcoin/address.h"
#include "lib/err.h"
#include "sim/scenario.h"

/*
 * What the fields mean goes by the type, as in scenario_event.  Names:
 * accounts are "u" and eight digits, keys "k", the account's digits, a dash
 * and a number; withdrawals "w-" (label legit) or "a-" (attack) and a number.
 */
struct item {
	int64_t		t_ms;
	int64_t		amount_sat;	/* account: limit_24h, or -1 */
	uint64_t	address;	/* a code, see below */
	uint64_t	ip;		/* a code, 0: none; key: its list */
	int64_t		first_seen_ms;	/* chain_seen */
	uint32_t	account;
	uint32_t	number;		/* withdraw, cancel: of the id */
	uint16_t	key;		/* from 1; 0: none */
	uint16_t	partner;	/* key; 0: none.  account: group */
	uint8_t		type;		/* enum scenario_type */
	uint8_t		via;		/* enum via */
	uint8_t		code;		/* enum tri */
	uint8_t		device_new;	/* enum tri */
	uint8_t		what;		/* enum credential */
	uint8_t		label;		/* enum scenario_label */
	uint8_t		tier;		/* account; 0: none */
	uint8_t		flags;		/* ITEM_* */
};

#define ITEM_NOT_ME	1		/* cancel: by the robbed owner */
#define ITEM_WITHDRAW	2		/* key: may withdraw */

/*
 * An address code is 61 hash bits and, in the low three, an enum form.  An
 * IP code has 4 or 6 in the top byte.  For a key's list the second byte is
 * the prefix length.
 */
uint64_t ip_prefix(uint64_t ip, int bits);

/* Room for the texts of one event. */
struct item_text {
	char	account[16];
	char	key[24];
	char	id[16];
	char	address[ADDRESS_TEXT_MAX];
	char	ip[48];
	char	group[16];
	char	partner[24];
	struct text ips;
};

/* An all-zero item of a type at a time, by an account. */
struct item item_of(enum scenario_type type, int64_t t_ms, uint32_t account);

/*
 * Spell an item out.  The texts of *ev point into *buf and into constants.
 */
void item_event(const struct item *it, enum network net,
    struct item_text *buf, struct scenario_event *ev);

/* The same address code always has the same text. */
void item_address(char buf[ADDRESS_TEXT_MAX], uint64_t address,
    enum network net);

/* A growing list of items. */
struct items {
	struct item	*v;
	size_t		 n;
	size_t		 room;
};

/* A new last one, copied from *it.  Dies when memory ends: nothing here
 * runs inside the service. */
void items_push(struct items *l, const struct item *it);
void items_free(struct items *l);

/* By time; those of one moment stay in the order they were made in. */
void items_sort(struct items *l);

#endif
