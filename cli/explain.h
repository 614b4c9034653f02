/*
 * What the parts of `drawbridge explain` share: the story of one withdrawal,
 * found in a journal that has no index of ids.
 */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/opened.h"
#include "cli/told.h"
#include "engine/history.h"
#include "lib/ident.h"
#include "policy/program.h"

/* A policy out of the journal. */
struct story_policy {
	unsigned char	 hash[32];
	uint64_t	 seq;		/* the event that brought it */
	struct policy	*policy;
	struct program	*program;	/* NULL: this program cannot read it */
	struct err	 why;
	struct story_policy *next;
};

/* An event that is about it; its parts lie one after the other in bytes. */
struct story_event {
	uint64_t	 seq;
	uint64_t	 row;		/* the number of its row */
	uint32_t	 semantics;
	unsigned char	 policy[32];	/* in force when it came */
	bool		 policy_here;	/* brought by this very row */
	unsigned char	*bytes;
	size_t		 open_len, sealed_len, outcomes_len;
	bool		 sealed;	/* and could be opened */
};

struct story {
	struct text	 id;
	struct opened	*op;		/* borrowed: for walking */
	struct db	*db;		/* for looking at single rows */
	struct history	*rows;		/* of db */
	bool		 keys;
	struct ident	 fingerprint;	/* keys only */
	struct told	 told;
	struct story_event *events;	/* in order, when it is whole */
	size_t		 n, room;
	struct story_policy *policies;
	uint64_t	 searched;	/* events */
	bool		 asked;		/* how it was asked for is there */
	struct outcome_record record;
	struct command_lists lists;
	struct command	 first;		/* the asking, if asked */
};

/* explain_find.c */

/* *out needs story_free() whatever comes of it. */
enum rc story_open(struct story *out, struct opened *op, const char *id,
    bool personal, struct err *e) MUST_CHECK;
void story_free(struct story *s);
/* Search from the end backwards; n 0 when there is nothing. */
enum rc story_find(struct story *s,
    void (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
    struct err *e) MUST_CHECK;
/* The policy under which an event was decided; NULL before the first. */
enum rc story_policy(const struct story_policy **out, struct story *s,
    const struct story_event *ev, struct err *e) MUST_CHECK;

/* An event unpacked; it points into *ev and into the story. */
enum rc story_command(struct command *out, struct story *s,
    const struct story_event *ev, struct err *e) MUST_CHECK;
/* Call `tell` with every outcome that is about the withdrawal. */
enum rc story_outcomes(struct story *s, const struct story_event *ev,
    enum rc (*tell)(void *ctx, const struct command *c,
    const struct outcome_record *r, struct err *e), void *ctx,
    struct err *e) MUST_CHECK;

/* explain_rule.c: rules and facts as people read them. */

/* The rule as it is written, on one line; "" when it is not found. */
#define RULE_TEXT_MAX	2048
char *rule_text(char buf[RULE_TEXT_MAX], const struct program *p, int rule);
/* "delay 6h", "hold for 2 people". */
char *rule_asks(char buf[TOLD_MAX], const struct program *p, int rule);
/* Where the default stands; NULL when it does not. */
const char *rule_default_where(char *buf, size_t room,
    const struct program *p);
/* Did it help to make the verdict, or was it kept from it? */
bool rule_spoke(const struct outcome_record *r, int i,
    const struct program *p);
const char *rule_did_text(enum outcome_did did);

/* The facts that rules[i] of a record read, each with its value. */
void rule_facts(const struct outcome_record *r, int i,
    const struct program *p, void (*tell)(void *ctx, const char *name,
    const char *value), void *ctx);

/* explain_text.c, explain_json.c */
enum rc explain_text(struct story *s, FILE *f, struct err *e) MUST_CHECK;
enum rc explain_json(struct story *s, FILE *f, struct err *e) MUST_CHECK;

#endif
