/*
 * Writing JSON, to a stream or into memory.
 *
 * The caller calls in the order of the document; braces, commas, quoting and
 * escaping are kept here.  Every value takes its key first: NULL inside an
 * array and at the top.  What is not valid UTF-8 comes out as U+FFFD, so the
 * document is always valid whatever an id from outside holds.
 *
 * Errors are remembered and told once, by json_end().
 */
#ifndef LIB_JSON_H
#define LIB_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/err.h"

#define JSON_DEPTH_MAX	16
#define JSON_CHUNK	4096

/* Initialise with json_to_file() or json_to_memory(); opaque otherwise. */
struct json {
	FILE	*file;			/* NULL: into memory */
	char	*out;
	size_t	 len;
	size_t	 room;
	int	 depth;
	bool	 pretty;
	bool	 failed;
	bool	 empty[JSON_DEPTH_MAX];	/* nothing in this one yet */
	char	 ends[JSON_DEPTH_MAX];	/* '}' or ']' */
	char	 chunk[JSON_CHUNK];
};

/* `pretty` puts each value of an object on a line of its own. */
void json_to_file(struct json *j, FILE *file, bool pretty);
/* One line, with a NUL behind it; buf has room for `room` bytes in all. */
void json_to_memory(struct json *j, char *buf, size_t room);

void json_open_object(struct json *j, const char *key);
void json_open_array(struct json *j, const char *key);
/* The innermost object or array ends. */
void json_close(struct json *j);

void json_put_text(struct json *j, const char *key, const char *text);
void json_put_bytes(struct json *j, const char *key, const char *text,
    size_t len);
void json_put_int(struct json *j, const char *key, int64_t value);
void json_put_uint(struct json *j, const char *key, uint64_t value);
void json_put_bool(struct json *j, const char *key, bool value);
void json_put_null(struct json *j, const char *key);
/* Satoshi as a decimal text of BTC: "12.00000000". */
void json_put_sat(struct json *j, const char *key, int64_t sat);
/*
 * num / den as a number with `decimals` places (1..9), rounded to nearest,
 * in integers; null when den is 0.  num and den are not negative.
 */
void json_put_ratio(struct json *j, const char *key, int64_t num,
    int64_t den, int decimals);

/* End the line: between the documents of JSON Lines.  Depth must be 0. */
void json_line(struct json *j);

/*
 * End the last line and flush.  RC_FAILED when the memory did not suffice
 * or the stream failed; then what was written is not a document.
 */
enum rc json_end(struct json *j) MUST_CHECK;

#endif
