/*
 * What /v1 says of one withdrawal: one form, whoever writes it.  The engine's
 * process does as it decides, the book whenever somebody asks again.
 */
#ifndef BOOK_DOOR_H
#define BOOK_DOOR_H

#include <stdint.h>

#include "engine/engine.h"
#include "lib/json.h"
#include "lib/text.h"

#define DOOR_REASONS_MAX	25

struct door_reason {
	char	rule[64];
	char	text[128];
};

struct door_answer {
	struct text	id;
	uint64_t	seq;		/* of the event that asked for it */
	const char	*mode;		/* "observe", "advise", "enforce" */
	enum state	state;
	enum verdict	verdict;	/* what is in force now */
	enum verdict	would;		/* what the policy says */
	int64_t		until_ms;	/* -1: no such time */
	const char	*receipt;	/* base64; NULL: none */
	struct text	txid;		/* absent: not known */
	int64_t		vout;		/* -1 */
	int		n_reasons;
	struct door_reason reasons[DOOR_REASONS_MAX];
};

/*
 * A rule by its name in the policy and where it stands ("default.policy:42");
 * or, with NULL, "builtin:..." and what else why_text() says.  Beyond the
 * maximum: nothing.
 */
void door_reason(struct door_answer *a, struct text rule, const char *place);
/* One document. */
void door_put(struct json *j, const struct door_answer *a);
/*
 * The verdict that is in force: a released one is allowed, one that was
 * denied is denied, whatever was said when it was asked for.
 */
enum verdict door_verdict(enum state s, enum verdict decided);

#endif
