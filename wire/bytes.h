/*
 * Numbers in bytes: little-endian, and variable length where most are small
 * (LEB128: seven bits a byte, the lowest first, the top bit says that more
 * follow; signed numbers are folded so that small ones of either sign are
 * short).  Readers are strict: the shortest form only, and never past the
 * end.
 */
#ifndef WIRE_BYTES_H
#define WIRE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/text.h"

#define VARINT_MAX	10	/* bytes of the longest */

/* Writing: into memory that suffices. */
static inline unsigned char *
put_varint(unsigned char *p, uint64_t v)
{
	while (v >= 0x80) {
		*p++ = (unsigned char)(v | 0x80);
		v >>= 7;
	}
	*p++ = (unsigned char)v;
	return p;
}

static inline uint64_t
fold_sign(int64_t v)
{
	return (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0);
}

static inline int64_t
unfold_sign(uint64_t v)
{
	return (int64_t)(v >> 1 ^ ((v & 1) != 0 ? UINT64_MAX : 0));
}

static inline unsigned char *
put_signed(unsigned char *p, int64_t v)
{
	return put_varint(p, fold_sign(v));
}

static inline void
put_le32(unsigned char *p, uint32_t v)
{
	p[0] = (unsigned char)v;
	p[1] = (unsigned char)(v >> 8);
	p[2] = (unsigned char)(v >> 16);
	p[3] = (unsigned char)(v >> 24);
}

static inline void
put_le64(unsigned char *p, uint64_t v)
{
	put_le32(p, (uint32_t)v);
	put_le32(p + 4, (uint32_t)(v >> 32));
}

static inline uint32_t
get_le32(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	    (uint32_t)p[3] << 24;
}

static inline uint64_t
get_le64(const unsigned char *p)
{
	return (uint64_t)get_le32(p) | (uint64_t)get_le32(p + 4) << 32;
}

/* A length, then the bytes. */
static inline unsigned char *
put_text(unsigned char *p, struct text t)
{
	p = put_varint(p, t.len);
	if (t.len > 0)
		memcpy(p, t.p, t.len);
	return p + t.len;
}

/* Reading: `bad` is set at the first mistake and stays; what is read after
 * it is 0 and empty. */
struct bytes {
	const unsigned char *p;
	const unsigned char *end;
	bool		bad;
};

static inline struct bytes
bytes_of(const unsigned char *p, size_t len)
{
	struct bytes	 b = { p, p + len, false };

	return b;
}

static inline size_t
bytes_left(const struct bytes *b)
{
	return b->bad ? 0 : (size_t)(b->end - b->p);
}

static inline uint8_t
get_byte(struct bytes *b)
{
	if (b->bad || b->p == b->end) {
		b->bad = true;
		return 0;
	}
	return *b->p++;
}

static inline uint64_t
get_varint(struct bytes *b)
{
	uint64_t	 v = 0;
	unsigned	 shift;
	uint8_t		 c;

	for (shift = 0; shift < 64; shift += 7) {
		c = get_byte(b);
		if (b->bad)
			return 0;
		v |= (uint64_t)(c & 0x7f) << shift;
		if ((c & 0x80) != 0)
			continue;
		/* The shortest form, and nothing beyond 64 bits. */
		if ((c == 0 && shift > 0) || (shift == 63 && c > 1))
			break;
		return v;
	}
	b->bad = true;
	return 0;
}

static inline int64_t
get_signed(struct bytes *b)
{
	return unfold_sign(get_varint(b));
}

/* `len` bytes, where they lie. */
static inline struct text
get_bytes(struct bytes *b, size_t len)
{
	struct text	 t = { NULL, 0 };

	if (b->bad || (size_t)(b->end - b->p) < len) {
		b->bad = true;
		return t;
	}
	t.p = (const char *)b->p;
	t.len = len;
	b->p += len;
	return t;
}

/* A length of at most `max`, then the bytes. */
static inline struct text
get_text(struct bytes *b, size_t max)
{
	uint64_t	 len = get_varint(b);
	struct text	 none = { NULL, 0 };

	if (len > max) {
		b->bad = true;
		return none;
	}
	return get_bytes(b, (size_t)len);
}

#endif
