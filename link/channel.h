/*
 * A channel between two processes: frames of wire/message.h over a stream
 * socket, on libuv's loop.
 *
 * Sending never blocks and never fails while the channel lives: what is sent
 * in one turn of the loop leaves in one write at its end.  What arrives is
 * unpacked, its type looked up in the table of who may say what to whom
 * (message_allowed()), and given to its handler.  A peer that breaks a rule
 * is cut off: `closed` is called with the reason.
 */
#ifndef LINK_CHANNEL_H
#define LINK_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "lib/err.h"
#include "wire/message.h"

struct channel;

/* `m` and what it points to are good until the handler returns. */
typedef void channel_handler(void *ctx, struct channel *c,
    const struct message *m);

struct channel_config {
	uv_loop_t	*loop;
	int		 fd;		/* owned from here on */
	enum room	 self;
	enum room	 peer;
	/* By type; NULL: not expected here, which cuts the peer off. */
	channel_handler	*const *handlers;	/* MESSAGE__END of them */
	/* The peer is gone or was cut off; the channel may be freed here. */
	void		(*closed)(void *ctx, struct channel *c,
			    const struct err *why);
	/* What was waiting to leave has left (after channel_waiting() was
	 * above the mark); may be NULL. */
	void		(*drained)(void *ctx, struct channel *c);
	/* After the handlers of everything that one read brought: the place
	 * for group commits.  May be NULL. */
	void		(*batch)(void *ctx, struct channel *c);
	void		*ctx;
};

/* Sends MESSAGE_SPOKEN first unless a room of it is the parent, and wants
 * the peer's first. */
enum rc channel_new(struct channel **out, const struct channel_config *c,
    struct err *e) MUST_CHECK;
/* Closes; no handler is called any more. */
void channel_free(struct channel **c);

void channel_send(struct channel *c, const struct message *m);
/* A whole frame that message_pack() made. */
void channel_send_packed(struct channel *c, const unsigned char *frame,
    size_t len);
/* Bytes that wait to leave.  Whoever produces much stops above
 * CHANNEL_MARK. */
size_t channel_waiting(const struct channel *c);
#define CHANNEL_MARK	((size_t)4 << 20)
/* Read no more for now; again. */
void channel_pause(struct channel *c, bool pause);

/* Blocking, for the command line: connect, send one, await the answer. */
struct channel_client;
enum rc channel_connect(struct channel_client **out, const char *path,
    struct err *e) MUST_CHECK;
void channel_disconnect(struct channel_client **c);
/* *out points into the client's memory until the next call.  Any type that a
 * console may send to a cli; the tag is the request's. */
enum rc channel_call(struct channel_client *c, const struct message *ask,
    struct message *out, struct err *e) MUST_CHECK;

#endif
