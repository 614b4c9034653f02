/*
 * From bytes to requests, without a socket: what one connection has sent of
 * its next request.  Never two requests out of one; what follows a whole
 * request before its answer is an error.
 */
#ifndef API_INTAKE_H
#define API_INTAKE_H

#include <stdbool.h>
#include <stddef.h>

#include "api/head.h"
#include "wire/endpoint.h"

enum intake_state {
	INTAKE_HEAD,		/* more of the head is wanted */
	INTAKE_BODY,		/* the head is whole, more is wanted */
	INTAKE_WHOLE,		/* a request */
	INTAKE_BAD,		/* answer and close */
};

/* All zero at the start of each request. */
struct intake {
	enum intake_state state;
	struct head_scan scan;
	struct head	 head;		/* from INTAKE_BODY on */
	enum endpoint	 endpoint;	/* ENDPOINT_NONE: nowhere */
	bool		 known;		/* the path, with another method */
	struct text	 part;		/* what stood for `*` */
	struct refusal	 no;		/* with INTAKE_BAD */
};

/* `p` holds all `len` bytes so far. */
enum intake_state intake_read(struct intake *in, const char *p, size_t len,
    const char *proxy_header);

/* The bytes were copied to `p`, and lie at the old place still. */
void intake_moved(struct intake *in, const char *p);

/* Bytes of the whole request, known from INTAKE_BODY on. */
static inline size_t
intake_len(const struct intake *in)
{
	return in->head.len + in->head.body_len;
}

#endif
