/*
 * A fast and strict scanner of one flat JSON object.
 *
 * The whole grammar of RFC 8259 is checked, all strings are checked to be
 * UTF-8 and their escapes (pairs of surrogates too) are undone, no object,
 * nested or not, may have one name twice, nothing may follow the object.
 * Nested values are checked and skipped, to JSONLINE_DEPTH_MAX levels; an
 * array of strings is handed out as such.
 *
 * Nothing is allocated while scanning, except that the first long line makes
 * the scanner's own buffer larger.
 */
#ifndef SIM_JSONLINE_H
#define SIM_JSONLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/err.h"

/* Levels of nesting, the line's own object included. */
#define JSONLINE_DEPTH_MAX	32
/* Names in all the objects that are open at one moment. */
#define JSONLINE_NAMES_MAX	256
/* Strings of one array that are handed out. */
#define JSONLINE_ITEMS_MAX	256

enum jsonline_kind {
	JSONLINE_STRING,
	JSONLINE_INTEGER,	/* no point, no exponent, fits int64_t */
	JSONLINE_NUMBER,	/* any other number */
	JSONLINE_TRUE,
	JSONLINE_FALSE,
	JSONLINE_NULL,
	JSONLINE_STRINGS,	/* an array of strings, or an empty one */
	JSONLINE_ARRAY,		/* any other array */
	JSONLINE_OBJECT,
};

struct jsonline_text {
	const char	*p;
	size_t		 len;
};

/* Pointers are good until the next jsonline_begin(). */
struct jsonline_member {
	/* Escapes undone. */
	struct jsonline_text name;
	enum jsonline_kind kind;
	/* STRING: escapes undone; else the bytes as they stand. */
	struct jsonline_text text;
	/* INTEGER. */
	int64_t		integer;
	/* STRINGS; good until the next member. */
	const struct jsonline_text *items;
	size_t		n_items;
};

struct jsonline {
	const char	*start;
	const char	*p;
	const char	*end;
	bool		 first;
	char		*scratch;	/* owned; what escapes become */
	size_t		 scratch_len;
	size_t		 scratch_room;
	int		 n_names;
	struct jsonline_name {
		uint64_t	 tag;
		struct jsonline_text text;
	} names[JSONLINE_NAMES_MAX];
	struct jsonline_text items[JSONLINE_ITEMS_MAX];
};

/*
 * What tells a text from most others of its length: up to eight bytes of it,
 * and both ends of a longer one, read with loads that overlap, for a copy of
 * unknown length is slow.
 */
static inline uint64_t
jsonline_tag(struct jsonline_text t)
{
	const unsigned char	*p = (const unsigned char *)t.p;
	uint64_t		 head = 0, tail = 0;
	uint32_t		 a, b;

	if (t.len >= 8) {
		memcpy(&head, p, 8);
		memcpy(&tail, p + t.len - 8, 8);
		return t.len == 8 ? head : head ^ tail * 3;
	}
	if (t.len >= 4) {
		memcpy(&a, p, 4);
		memcpy(&b, p + t.len - 4, 4);
		return a | (uint64_t)b << 32;
	}
	if (t.len == 0)
		return 0;
	return (uint64_t)p[0] << 16 | (uint64_t)p[t.len / 2] << 8 |
	    p[t.len - 1];
}

/* Are two texts of equal tags the same? */
static inline bool
jsonline_same(struct jsonline_text a, struct jsonline_text b)
{
	return a.len == b.len &&
	    (a.len <= 8 || memcmp(a.p, b.p, a.len) == 0);
}

/* All zero is a scanner; free gives back its buffer and zeroes it. */
void jsonline_free(struct jsonline *j);

/*
 * Begin with LEN bytes at LINE, which are borrowed until the scanner begins
 * another.  No byte beyond them is read.  Errors name the column, in bytes
 * from 1: "column 7: ...".
 */
enum rc jsonline_begin(struct jsonline *j, const char *line, size_t len,
    struct err *e) MUST_CHECK;

/*
 * The next member.  At the object's end *more_out is false, and only then is
 * the whole line known to be good.
 */
enum rc jsonline_next(struct jsonline *j, struct jsonline_member *m,
    bool *more_out, struct err *e) MUST_CHECK;

#endif
