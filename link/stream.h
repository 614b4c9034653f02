/*
 * A connection that bytes go through, with TLS or without: nothing blocks.
 */
#ifndef LINK_STREAM_H
#define LINK_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/err.h"

struct ssl_ctx_st;
struct ssl_st;

struct stream {
	int		 fd;		/* -1: none */
	struct ssl_st	*ssl;		/* NULL: no TLS */
	/* What the last call that could not go on waits for: POLLIN, POLLOUT;
	 * with TLS a read may wait for a write. */
	short		 wants;
};

/* The socket is the stream's from here on, also when this fails; with `ctx`
 * TLS is spoken, and stream_shake() comes first. */
enum rc stream_begin(struct stream *s, int fd, struct ssl_ctx_st *ctx,
    bool server, struct err *e) MUST_CHECK;
void stream_end(struct stream *s);

/* 1: done; 0: later, see `wants`; -1: it failed, and says why. */
int stream_shake(struct stream *s, struct err *why);
/* Bytes; 0: later; -1: the other side is gone ("gone"), or why. */
ssize_t stream_read(struct stream *s, void *buf, size_t room,
    struct err *why);
/* Bytes that were read from the socket already: poll() would not tell. */
bool stream_pending(const struct stream *s);
ssize_t stream_write(struct stream *s, const void *buf, size_t len,
    struct err *why);

#endif
