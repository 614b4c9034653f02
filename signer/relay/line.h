/*
 * Many clients, and one at the other end who answers one question at a time.
 *
 * Whole frames of wire/sign.h go through, each under a tag of our own, so that
 * an answer reaches only who asked.  Of a frame only the head is looked at:
 * its length, its type, its tag.  What may not be said here is refused here.
 * A client is not read any further while its question waits: each has one in
 * the queue, and they come in order.
 */
#ifndef SIGNER_RELAY_LINE_H
#define SIGNER_RELAY_LINE_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

struct line;
struct ssl_ctx_st;

#define LINE_CLIENTS	32
#define LINE_FDS	(LINE_CLIENTS + 3)	/* and the one that joined, the
						 * listener, the other end */
/* Held for all clients; then those who have moved nothing for longest are
 * cut.  An answer has more room than questions: they cannot crowd it out. */
#define LINE_ASKED_MAX	((size_t)64 << 20)
#define LINE_BYTES_MAX	((size_t)96 << 20)

struct line_config {
	const char	*name;		/* for the log: "requests" */
	bool		 custodian;	/* what may be said: sign_allowed() */
	int		 listener;	/* -1: none */
	struct ssl_ctx_st *tls;		/* NULL: none */
	bool		 probe;		/* ask for its status first */
};

enum rc line_new(struct line **out, const struct line_config *c,
    struct err *e) MUST_CHECK;
void line_free(struct line **l);

/* The other end, ours from here on; it replaces the one before. */
void line_upstream(struct line *l, int fd, int64_t now_ms);
/* It is there, and has answered the probe. */
bool line_ready(const struct line *l);
/*
 * It does not keep to the rules, or is silent for too long; the text says
 * what.  True once: whoever started it ends it, and gives another.  That it
 * went away is not told: whoever started it knows.
 */
bool line_broken(struct line *l, struct err *why);
bool line_connected(const struct line *l);

/* A client that was not accepted: it is never sent away for another's sake,
 * and replaces the one before. */
void line_join(struct line *l, int fd, int64_t now_ms);

/* What to wait for, LINE_FDS of them; and what came. */
void line_fds(const struct line *l, struct pollfd *p);
void line_serve(struct line *l, const struct pollfd *p, int64_t now_ms);
/* Limits of time; to be called again after so many ms. */
int line_turn(struct line *l, int64_t now_ms);

#endif
