/*
 * Answers as bytes: the head of a response and the bodies of errors.
 */
#ifndef API_REPLY_H
#define API_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/text.h"
#include "wire/endpoint.h"

#define REPLY_HEAD_MAX	1536
#define REPLY_ERROR_MAX	768

struct reply {
	int		status;
	enum endpoint	endpoint;	/* whose weight headers */
	struct text	type;		/* absent: JSON */
	struct text	body;
	int64_t		used;		/* weight; -1: no header */
	int64_t		retry_s;	/* -1: no header */
	const char	*allow;		/* 405: the method; or NULL */
	bool		close;
};

/* The head, with its empty line; returns its length. */
size_t reply_head(char out[REPLY_HEAD_MAX], const struct reply *r);

/*
 * {"code":...,"msg":"..."}, in `buf`.  `why` holds no quotes or backslashes
 * and is cut at the end of the room.
 */
struct text reply_error(char buf[REPLY_ERROR_MAX], int code,
    const char *why);

/* The time of day, for Date: called when a second has passed. */
void reply_clock(int64_t t_ms);

#endif
