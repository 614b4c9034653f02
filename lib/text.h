/*
 * Bytes that belong to somebody else: a length, no NUL, any content.
 */
#ifndef LIB_TEXT_H
#define LIB_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* p NULL: absent, which differs from empty. */
struct text {
	const char	*p;
	size_t		 len;
};

/* A text of a C string; NULL gives an absent one. */
static inline struct text
text_of(const char *s)
{
	struct text	 t = { s, s != NULL ? strlen(s) : 0 };

	return t;
}

static inline bool
text_equal(struct text a, struct text b)
{
	return (a.p == NULL) == (b.p == NULL) && a.len == b.len &&
	    (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

#endif
