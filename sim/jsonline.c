#include "sim/jsonline.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

static enum rc
fail_at(const struct jsonline *j, const char *p, struct err *e,
    const char *why)
{
	return err_set(e, "column %zu: %s", (size_t)(p - j->start) + 1, why);
}

static enum rc
fail(const struct jsonline *j, struct err *e, const char *why)
{
	if (j->p >= j->end)
		return fail_at(j, j->end, e, "the object ends too early");
	return fail_at(j, j->p, e, why);
}

void
jsonline_free(struct jsonline *j)
{
	free(j->scratch);
	memset(j, 0, sizeof(*j));
}

static inline void
skip_blanks(struct jsonline *j)
{
	while (j->p < j->end && (*j->p == ' ' || *j->p == '\t' ||
	    *j->p == '\n' || *j->p == '\r'))
		j->p++;
}

/*
 * The first byte from p on that is not plain: a quote, a backslash, a
 * control character or the beginning of something beyond ASCII.  Eight bytes
 * at a time; the bit tricks are those of Hacker's Delight, chapter 6.  They
 * may raise a false alarm in a byte behind a true one, so the lowest is
 * right, and that is the first in memory when the load is little-endian.
 */
static inline const char *
plain_end(const char *p, const char *end)
{
	const uint64_t	 ones = UINT64_C(0x0101010101010101);
	uint64_t	 w, quote, slash, hit;
	unsigned char	 c;

	for (; end - p >= 8; p += 8) {
		memcpy(&w, p, 8);
		w = le64toh(w);
		quote = w ^ ones * '"';
		slash = w ^ ones * '\\';
		hit = ((quote - ones) & ~quote) | ((slash - ones) & ~slash) |
		    (w - ones * 0x20) | w;
		hit &= ones << 7;
		if (hit != 0)
			return p + (__builtin_ctzll(hit) >> 3);
	}
	for (; p < end; p++) {
		c = (unsigned char)*p;
		if (c == '"' || c == '\\' || c < 0x20 || c >= 0x80)
			break;
	}
	return p;
}

static inline bool
tail_byte(const char *p, const char *end, int i, int lo, int hi)
{
	int	 c;

	if (end - p <= i)
		return false;
	c = (unsigned char)p[i];
	return c >= lo && c <= hi;
}

/*
 * Length of the well-formed UTF-8 character at p, 0 if there is none: table
 * 3-7 of the Unicode standard.
 */
static int
utf8_len(const char *p, const char *end)
{
	int	 c = (unsigned char)*p, lo = 0x80, hi = 0xbf, len;

	if (c >= 0xc2 && c <= 0xdf) {
		len = 2;
	} else if (c >= 0xe0 && c <= 0xef) {
		len = 3;
		if (c == 0xe0)
			lo = 0xa0;
		else if (c == 0xed)
			hi = 0x9f;
	} else if (c >= 0xf0 && c <= 0xf4) {
		len = 4;
		if (c == 0xf0)
			lo = 0x90;
		else if (c == 0xf4)
			hi = 0x8f;
	} else {
		return 0;
	}
	if (!tail_byte(p, end, 1, lo, hi))
		return 0;
	if (len > 2 && !tail_byte(p, end, 2, 0x80, 0xbf))
		return 0;
	if (len > 3 && !tail_byte(p, end, 3, 0x80, 0xbf))
		return 0;
	return len;
}

/* Four hex digits at p, or -1. */
static int
hex4(const char *p, const char *end)
{
	int	 v = 0, i, c;

	if (end - p < 4)
		return -1;
	for (i = 0; i < 4; i++) {
		c = (unsigned char)p[i];
		if (c >= '0' && c <= '9')
			c -= '0';
		else if (c >= 'a' && c <= 'f')
			c -= 'a' - 10;
		else if (c >= 'A' && c <= 'F')
			c -= 'A' - 10;
		else
			return -1;
		v = v << 4 | c;
	}
	return v;
}

static char *
utf8_put(char *out, unsigned int u)
{
	if (u < 0x80) {
		*out++ = (char)u;
	} else if (u < 0x800) {
		*out++ = (char)(0xc0 | u >> 6);
		*out++ = (char)(0x80 | (u & 0x3f));
	} else if (u < 0x10000) {
		*out++ = (char)(0xe0 | u >> 12);
		*out++ = (char)(0x80 | (u >> 6 & 0x3f));
		*out++ = (char)(0x80 | (u & 0x3f));
	} else {
		*out++ = (char)(0xf0 | u >> 18);
		*out++ = (char)(0x80 | (u >> 12 & 0x3f));
		*out++ = (char)(0x80 | (u >> 6 & 0x3f));
		*out++ = (char)(0x80 | (u & 0x3f));
	}
	return out;
}

/* \uXXXX at j->p; half a pair of surrogates is no character. */
static enum rc
scan_unicode(struct jsonline *j, char **out, struct err *e)
{
	int	 u = hex4(j->p + 2, j->end), low;

	if (u < 0)
		return fail_at(j, j->p, e, "`\\u` wants four hex digits");
	if (u >= 0xdc00 && u <= 0xdfff)
		return fail_at(j, j->p, e, "half a surrogate pair");
	j->p += 6;
	if (u >= 0xd800 && u <= 0xdbff) {
		if (j->end - j->p < 6 || j->p[0] != '\\' || j->p[1] != 'u')
			return fail_at(j, j->p - 6, e, "half a surrogate pair");
		low = hex4(j->p + 2, j->end);
		if (low < 0xdc00 || low > 0xdfff)
			return fail_at(j, j->p - 6, e, "half a surrogate pair");
		u = 0x10000 + ((u - 0xd800) << 10) + (low - 0xdc00);
		j->p += 6;
	}
	*out = utf8_put(*out, (unsigned int)u);
	return RC_OK;
}

/* The escape at j->p. */
static enum rc
scan_escape(struct jsonline *j, char **out, struct err *e)
{
	static const char	 from[] = "\"\\/bfnrt";
	static const char	 to[] = "\"\\/\b\f\n\r\t";
	const char		*f;

	if (j->end - j->p < 2)
		return fail_at(j, j->p, e, "the string has no end");
	if (j->p[1] == 'u')
		return scan_unicode(j, out, e);
	if (j->p[1] == '\0' || (f = strchr(from, j->p[1])) == NULL)
		return fail_at(j, j->p, e, "no such escape");
	*(*out)++ = to[f - from];
	j->p += 2;
	return RC_OK;
}

/* The rest of a string with an escape in it; START is after the quote. */
static enum rc
scan_escaped(struct jsonline *j, const char *start, struct jsonline_text *out,
    struct err *e)
{
	char		*to = j->scratch + j->scratch_len;
	const char	*run;
	size_t		 n = (size_t)(j->p - start);
	int		 len;

	out->p = to;
	memcpy(to, start, n);
	to += n;
	for (;;) {
		run = plain_end(j->p, j->end);
		n = (size_t)(run - j->p);
		memcpy(to, j->p, n);
		to += n;
		j->p = run;
		if (j->p == j->end)
			return fail_at(j, j->p, e, "the string has no end");
		if (*j->p == '"')
			break;
		if (*j->p == '\\') {
			if (scan_escape(j, &to, e) != RC_OK)
				return RC_FAILED;
			continue;
		}
		if ((unsigned char)*j->p < 0x20)
			return fail_at(j, j->p, e,
			    "a control character in a string");
		if ((len = utf8_len(j->p, j->end)) == 0)
			return fail_at(j, j->p, e, "not UTF-8");
		memcpy(to, j->p, (size_t)len);
		to += len;
		j->p += len;
	}
	j->p++;
	out->len = (size_t)(to - out->p);
	j->scratch_len += out->len;
	return RC_OK;
}

/* A string; j->p is at its first quote. */
static inline enum rc
scan_string(struct jsonline *j, struct jsonline_text *out, struct err *e)
{
	const char	*start = ++j->p;
	int		 len;

	for (;;) {
		j->p = plain_end(j->p, j->end);
		if (j->p == j->end)
			return fail_at(j, j->p, e, "the string has no end");
		if (*j->p == '"')
			break;
		if (*j->p == '\\')
			return scan_escaped(j, start, out, e);
		if ((unsigned char)*j->p < 0x20)
			return fail_at(j, j->p, e,
			    "a control character in a string");
		if ((len = utf8_len(j->p, j->end)) == 0)
			return fail_at(j, j->p, e, "not UTF-8");
		j->p += len;
	}
	out->p = start;
	out->len = (size_t)(j->p - start);
	j->p++;
	return RC_OK;
}

static inline bool
digit(const struct jsonline *j)
{
	return j->p < j->end && *j->p >= '0' && *j->p <= '9';
}

static enum rc
scan_fraction(struct jsonline *j, struct err *e)
{
	if (j->p < j->end && *j->p == '.') {
		j->p++;
		if (!digit(j))
			return fail(j, e, "no digit after the point");
		while (digit(j))
			j->p++;
	}
	if (j->p < j->end && (*j->p == 'e' || *j->p == 'E')) {
		j->p++;
		if (j->p < j->end && (*j->p == '+' || *j->p == '-'))
			j->p++;
		if (!digit(j))
			return fail(j, e, "no digit in the exponent");
		while (digit(j))
			j->p++;
	}
	return RC_OK;
}

static enum rc
scan_number(struct jsonline *j, struct jsonline_member *m, struct err *e)
{
	bool		 minus = *j->p == '-', fits = true;
	uint64_t	 v = 0, max = (uint64_t)INT64_MAX + minus;
	const char	*start = j->p, *point;
	unsigned int	 d;

	j->p += minus;
	if (!digit(j))
		return fail(j, e, "no digit after the sign");
	if (*j->p == '0') {
		j->p++;
		if (digit(j))
			return fail(j, e, "a number may not begin with 0");
	}
	for (; digit(j); j->p++) {
		d = (unsigned int)(*j->p - '0');
		if (v > (max - d) / 10)
			fits = false;
		else
			v = v * 10 + d;
	}
	point = j->p;
	if (scan_fraction(j, e) != RC_OK)
		return RC_FAILED;
	m->text.p = start;
	m->text.len = (size_t)(j->p - start);
	if (!fits || j->p != point) {
		m->kind = JSONLINE_NUMBER;
		return RC_OK;
	}
	m->kind = JSONLINE_INTEGER;
	m->integer = (int64_t)(minus ? 0 - v : v);
	return RC_OK;
}

static enum rc
scan_word(struct jsonline *j, struct jsonline_member *m, const char *word,
    enum jsonline_kind kind, struct err *e)
{
	size_t	 n = strlen(word);

	if ((size_t)(j->end - j->p) < n || memcmp(j->p, word, n) != 0)
		return fail(j, e, "expected a value");
	m->kind = kind;
	m->text.p = j->p;
	m->text.len = n;
	j->p += n;
	return RC_OK;
}

/*
 * A name and its colon.  Names of the object that is open stand from BASE on;
 * an object that was opened later has taken its own away again.
 */
static inline enum rc
scan_name(struct jsonline *j, int base, struct jsonline_text *name,
    struct err *e)
{
	const char	*at = j->p;
	uint64_t	 tag;
	int		 i;

	if (j->p == j->end || *j->p != '"')
		return fail(j, e, "expected a name in quotes");
	if (scan_string(j, name, e) != RC_OK)
		return RC_FAILED;
	tag = jsonline_tag(*name);
	for (i = base; i < j->n_names; i++) {
		if (j->names[i].tag == tag &&
		    jsonline_same(j->names[i].text, *name))
			return err_set(e, "`%.*s`: stands twice",
			    (int)(name->len > 64 ? 64 : name->len), name->p);
	}
	if (j->n_names == JSONLINE_NAMES_MAX)
		return fail_at(j, at, e, "too many names in one line");
	j->names[j->n_names].tag = tag;
	j->names[j->n_names++].text = *name;
	skip_blanks(j);
	if (j->p == j->end || *j->p != ':')
		return fail(j, e, "expected `:` after a name");
	j->p++;
	skip_blanks(j);
	return RC_OK;
}

static enum rc scan_value(struct jsonline *j, struct jsonline_member *m,
    int depth, struct err *e);

static enum rc
scan_array(struct jsonline *j, struct jsonline_member *m, int depth,
    struct err *e)
{
	const char		*start = j->p++;
	struct jsonline_member	 item;
	bool			 strings = true;
	size_t			 n = 0;

	skip_blanks(j);
	while (j->p < j->end && (*j->p != ']' || n > 0)) {
		if (scan_value(j, &item, depth + 1, e) != RC_OK)
			return RC_FAILED;
		if (item.kind != JSONLINE_STRING || n >= JSONLINE_ITEMS_MAX)
			strings = false;
		else if (depth == 1)
			j->items[n] = item.text;
		n++;
		skip_blanks(j);
		if (j->p == j->end || *j->p != ',')
			break;
		j->p++;
		skip_blanks(j);
	}
	if (j->p == j->end || *j->p != ']')
		return fail(j, e, "expected `,` or `]`");
	j->p++;
	m->kind = strings ? JSONLINE_STRINGS : JSONLINE_ARRAY;
	m->items = j->items;
	m->n_items = strings ? n : 0;
	m->text.p = start;
	m->text.len = (size_t)(j->p - start);
	return RC_OK;
}

static enum rc
scan_object(struct jsonline *j, struct jsonline_member *m, int depth,
    struct err *e)
{
	const char		*start = j->p++;
	struct jsonline_member	 item;
	int			 base = j->n_names;

	skip_blanks(j);
	while (j->p < j->end && (*j->p != '}' || j->n_names > base)) {
		if (scan_name(j, base, &item.name, e) != RC_OK ||
		    scan_value(j, &item, depth + 1, e) != RC_OK)
			return RC_FAILED;
		skip_blanks(j);
		if (j->p == j->end || *j->p != ',')
			break;
		j->p++;
		skip_blanks(j);
	}
	if (j->p == j->end || *j->p != '}')
		return fail(j, e, "expected `,` or `}`");
	j->p++;
	j->n_names = base;
	m->kind = JSONLINE_OBJECT;
	m->text.p = start;
	m->text.len = (size_t)(j->p - start);
	return RC_OK;
}

/* Any value; DEPTH is the number of objects and arrays around it. */
static enum rc
scan_value(struct jsonline *j, struct jsonline_member *m, int depth,
    struct err *e)
{
	if (j->p == j->end)
		return fail(j, e, "expected a value");
	switch (*j->p) {
	case '"':
		m->kind = JSONLINE_STRING;
		return scan_string(j, &m->text, e);
	case '{':
		if (depth >= JSONLINE_DEPTH_MAX)
			return fail(j, e, "nested too deeply");
		return scan_object(j, m, depth, e);
	case '[':
		if (depth >= JSONLINE_DEPTH_MAX)
			return fail(j, e, "nested too deeply");
		return scan_array(j, m, depth, e);
	case 't':
		return scan_word(j, m, "true", JSONLINE_TRUE, e);
	case 'f':
		return scan_word(j, m, "false", JSONLINE_FALSE, e);
	case 'n':
		return scan_word(j, m, "null", JSONLINE_NULL, e);
	case '-': case '0': case '1': case '2': case '3': case '4':
	case '5': case '6': case '7': case '8': case '9':
		return scan_number(j, m, e);
	}
	return fail(j, e, "expected a value");
}

/*
 * What escapes become is shorter than they are, so a buffer as long as the
 * line serves all its strings without moving.
 */
static enum rc
make_room(struct jsonline *j, size_t len, struct err *e)
{
	size_t	 room = j->scratch_room > 0 ? j->scratch_room : 4096;

	while (room < len)
		room *= 2;
	free(j->scratch);
	j->scratch_room = 0;
	if ((j->scratch = malloc(room)) == NULL)
		return err_set(e, "out of memory");
	j->scratch_room = room;
	return RC_OK;
}

enum rc
jsonline_begin(struct jsonline *j, const char *line, size_t len,
    struct err *e)
{
	j->start = j->p = line;
	j->end = line + len;
	j->first = true;
	j->n_names = 0;
	j->scratch_len = 0;
	if (len > j->scratch_room || j->scratch == NULL) {
		if (make_room(j, len, e) != RC_OK)
			return RC_FAILED;
	}
	skip_blanks(j);
	if (j->p == j->end || *j->p != '{')
		return fail(j, e, "expected `{`: a line is one object");
	j->p++;
	skip_blanks(j);
	return RC_OK;
}

/* The object's end, and nothing after it. */
static enum rc
scan_end(struct jsonline *j, struct err *e)
{
	if (j->p == j->end || *j->p != '}')
		return fail(j, e, "expected `,` or `}`");
	j->p++;
	skip_blanks(j);
	if (j->p != j->end)
		return fail(j, e, "something after the object");
	return RC_OK;
}

enum rc
jsonline_next(struct jsonline *j, struct jsonline_member *m, bool *more_out,
    struct err *e)
{
	*more_out = false;
	if (!j->first) {
		skip_blanks(j);
		if (j->p == j->end || *j->p != ',')
			return scan_end(j, e);
		j->p++;
		skip_blanks(j);
	} else if (j->p < j->end && *j->p == '}') {
		return scan_end(j, e);
	}
	j->first = false;
	if (scan_name(j, 0, &m->name, e) != RC_OK ||
	    scan_value(j, m, 1, e) != RC_OK)
		return RC_FAILED;
	*more_out = true;
	return RC_OK;
}
