/*
 * Bitcoin's numbers in bytes: little-endian, and compact sizes.  A reader
 * never goes past the end: `bad` is set at the first mistake and stays, and
 * what is read after it is 0 and empty.
 */
#ifndef BITCOIN_CURSOR_H
#define BITCOIN_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/text.h"

struct cursor {
	const unsigned char *p, *end;
	bool		bad;
};

static inline struct cursor
cursor_of(const void *bytes, size_t len)
{
	struct cursor	 c = { bytes, bytes, false };

	if (len > 0)
		c.end += len;
	return c;
}

/* The same of what cursor_bytes() gave. */
static inline struct cursor
cursor_of_text(struct text t)
{
	return cursor_of(t.p, t.len);
}

static inline size_t
cursor_left(const struct cursor *c)
{
	return c->bad ? 0 : (size_t)(c->end - c->p);
}

/* The next len bytes, where they lie; absent when there are fewer. */
static inline struct text
cursor_bytes(struct cursor *c, uint64_t len)
{
	struct text	 t = { NULL, 0 };

	if (c->bad || (size_t)(c->end - c->p) < len) {
		c->bad = true;
		return t;
	}
	t.p = (const char *)c->p;
	t.len = (size_t)len;
	if (len > 0)
		c->p += len;
	return t;
}

/* The same, copied; zeros when there are fewer. */
static inline void
cursor_copy(struct cursor *c, unsigned char *out, size_t len)
{
	if (c->bad || (size_t)(c->end - c->p) < len) {
		c->bad = true;
		memset(out, 0, len);
	} else {
		memcpy(out, c->p, len);
		c->p += len;
	}
}

/* A number of `len` bytes, 1 to 8. */
static inline uint64_t
cursor_le(struct cursor *c, unsigned len)
{
	struct text	 t = cursor_bytes(c, len);
	uint64_t	 v = 0;

	while (!c->bad && len-- > 0)
		v = v << 8 | (unsigned char)t.p[len];
	return v;
}

static inline uint8_t
cursor_byte(struct cursor *c)
{
	return (uint8_t)cursor_le(c, 1);
}

static inline uint32_t
cursor_le32(struct cursor *c)
{
	return (uint32_t)cursor_le(c, 4);
}

static inline uint64_t
cursor_le64(struct cursor *c)
{
	return cursor_le(c, 8);
}

/* A compact size, in the shortest of its forms only. */
static inline uint64_t
cursor_compact(struct cursor *c)
{
	uint8_t		 first = cursor_byte(c);
	uint64_t	 v, least;

	if (first < 0xfd)
		return first;
	least = first == 0xfd ? 0xfd : first == 0xfe ? 0x10000 :
	    UINT64_C(0x100000000);
	v = cursor_le(c, 1u << (first - 0xfc));
	if (v < least)
		c->bad = true;
	return c->bad ? 0 : v;
}

/* A compact size, then so many bytes. */
static inline struct text
cursor_text(struct cursor *c)
{
	return cursor_bytes(c, cursor_compact(c));
}

/* Writing: the lowest `len` bytes of v; returns what follows them. */
static inline unsigned char *
put_le(unsigned char *p, uint64_t v, unsigned len)
{
	for (; len > 0; len--, v >>= 8)
		*p++ = (unsigned char)v;
	return p;
}

#endif
