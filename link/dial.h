/*
 * The other end of drawbridge-relay: one question to the signer at a time,
 * over a local socket or TLS with pinned keys.  Blocking, with limits.
 */
#ifndef LINK_DIAL_H
#define LINK_DIAL_H

#include <stdint.h>

#include "lib/err.h"
#include "wire/sign.h"

struct dial;

struct dial_config {
	/* A path (it has a `/`): a local socket.  HOST:PORT, [v6]:PORT: TLS,
	 * which needs both of what follows. */
	const char	*where;
	const char	*identity;	/* our own: a file of pinned_make() */
	const char	*pin;		/* the relay's: 64 hexadecimal digits */
	int64_t		 connect_ms;	/* 0: 10 s */
	int64_t		 answer_ms;	/* 0: 150 s, more than a signer takes */
};

/* With TLS the process ignores SIGPIPE from here on. */
enum rc dial_open(struct dial **out, const struct dial_config *c,
    struct err *e) MUST_CHECK;
void dial_close(struct dial **d);

/*
 * Sends `ask` under a tag of its own and waits for the answer, whose texts
 * point into the dial's memory until the next call (and `ask` may not point
 * there).  RC_FAILED: nothing was
 * sent, or a frame too large.  RC_UNCERTAIN: it may have been heard and
 * counted; ask the same again over a new dial.  Either way this dial is
 * closed for further questions.
 */
enum rc dial_call(struct dial *d, const struct sign_message *ask,
    struct sign_message *out, struct err *e) MUST_CHECK;

#endif
