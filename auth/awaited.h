/*
 * Commands whose answer is for us before it is for a customer: it gets
 * members that only we know (a new key's secret), or becomes a page.
 */
#ifndef AUTH_AWAITED_H
#define AUTH_AWAITED_H

#include "auth/auth.h"

struct awaited {
	uint64_t	tag;		/* of api's request */
	uint64_t	link;		/* of api, when it came */
	bool		page;		/* for a browser */
	bool		rekey;		/* for nobody: rekey.c */
	/* Members to put before the engine's, each with its comma:
	 * `"secret":"...",`; of secret_new(), owned once taken; may be NULL. */
	char		*extra;
	size_t		extra_room;
	const char	*done;		/* of a page: what was done */
};

/* Take the command and await what comes of it; whatever happens, api is
 * answered. */
void awaited_take(struct auth *a, const struct awaited *w,
    enum endpoint endpoint, struct text account, const struct command *c);

/* Take it; nobody awaits the answer.  What is taken after it is durable only
 * when this is.  False: the engine is away. */
bool awaited_tell(struct auth *a, enum endpoint endpoint, struct text account,
    const struct command *c);

/* From the engine, or that it is away. */
void awaited_answer(struct auth *a, uint64_t ticket,
    const struct message *m);

#endif
