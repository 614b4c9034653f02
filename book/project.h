/*
 * From the journal's events to the book's tables.
 */
#ifndef BOOK_PROJECT_H
#define BOOK_PROJECT_H

#include "bitcoin/address.h"
#include "book/store.h"
#include "db/keyring.h"
#include "engine/history.h"
#include "policy/program.h"

struct project {
	struct store_db	*s;
	struct ident_key ids;
	struct policy	*policy;	/* in force where the book is */
	struct program	*program;
	struct err	 why;
};

/* What the book may say to a customer of a withdrawal that is not done. */
enum public_reason {
	REASON_NONE,
	REASON_WAITS,		/* waits until */
	REASON_CODE,		/* needs a code */
	REASON_REVIEW,		/* under review */
	REASON_INFORMATION,	/* more information */
	REASON_ADDRESS,		/* refused address */
	REASON_ACCOUNT,		/* refused account */
	REASON_STOPPED,		/* all stopped */
	REASON_CANCELLED,
	REASON_EXPIRED,
};
const char *public_reason_text(enum public_reason r);

/* Tables; made if they are not there. */
void project_tables(struct store_db *s);
/* The policy that was in force at the book's place. */
enum rc project_begin(struct project *p, struct store_db *s,
    const struct keyring *keys, struct err *e) MUST_CHECK;
void project_end(struct project *p);
/* What rule a number was when event `seq` was decided; false: unknown. */
#define PROJECT_RULE_MAX	128
bool project_rule(struct store_db *s, uint64_t seq, int rule,
    char name[PROJECT_RULE_MAX]);
/* One event; within a transaction. */
enum rc project_event(struct project *p, const struct history_event *ev,
    struct err *e) MUST_CHECK;

#endif
