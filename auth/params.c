/*
 * Splitting and decoding.
 */
#include "auth/params.h"

#include <stdio.h>
#include <string.h>

#include "lib/amount.h"

static int
hex_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* application/x-www-form-urlencoded, with or without `+` for a blank. */
static int
decode(char *out, size_t room, struct text t, bool plus)
{
	size_t	 i, n = 0;
	int	 hi, lo;
	char	 c;

	for (i = 0; i < t.len; i++) {
		c = t.p[i];
		if (c == '%') {
			if (t.len - i < 3 || (hi = hex_of(t.p[i + 1])) < 0 ||
			    (lo = hex_of(t.p[i + 2])) < 0)
				return -1;
			c = (char)(hi << 4 | lo);
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		if (c == '\0' || n == room)
			return -1;
		out[n++] = c;
	}
	return (int)n;
}

int
params_unescape(char *out, size_t room, struct text t)
{
	return decode(out, room, t, false);
}

static bool
keep(struct params *p, struct text *out, struct text raw)
{
	int	 n = decode(p->bytes + p->used, PARAMS_BYTES - p->used, raw,
		    true);

	if (n < 0)
		return false;
	out->p = p->bytes + p->used;
	out->len = (size_t)n;
	p->used += (size_t)n;
	return true;
}

static bool
bad(struct params_error *e, int code, struct text name)
{
	e->code = code;
	e->name = name;
	return false;
}

static bool
one(struct params *p, struct text raw, bool body, struct params_error *e)
{
	const char	*equals = memchr(raw.p, '=', raw.len);
	struct text	 name = raw, value = { "", 0 };
	struct param	*q;
	int		 i;

	if (equals != NULL) {
		name.len = (size_t)(equals - raw.p);
		value.p = equals + 1;
		value.len = raw.len - name.len - 1;
	}
	if (text_equal(name, text_of("signature"))) {
		if (p->signature.p != NULL)
			return bad(e, -1101, name);
		p->signature = value;
		return true;
	}
	if (p->n == PARAMS_MAX)
		return bad(e, -1101, text_of(NULL));
	q = &p->p[p->n];
	q->raw = raw;
	q->asked = false;
	if (name.len == 0 || !keep(p, &q->name, name) ||
	    !keep(p, &q->value, value))
		return bad(e, -1100, text_of(NULL));
	/* Which of the two would count?  Neither. */
	for (i = 0; i < p->n; i++) {
		if (text_equal(p->p[i].name, q->name))
			return bad(e, -1101, q->name);
	}
	*(body ? &p->in_body : &p->in_query) = true;
	p->n++;
	/* Another spelling of `signature` is not one. */
	return text_equal(q->name, text_of("signature")) ?
	    bad(e, -1101, q->name) : true;
}

static bool
side(struct params *p, struct text t, bool body, struct params_error *e)
{
	const char	*at = t.p, *end = t.p + t.len, *amp;
	struct text	 raw;

	while (t.len > 0 && at <= end) {
		amp = memchr(at, '&', (size_t)(end - at));
		raw.p = at;
		raw.len = (size_t)((amp != NULL ? amp : end) - at);
		if (!one(p, raw, body, e))
			return false;
		if (amp == NULL)
			break;
		at = amp + 1;
	}
	return true;
}

bool
params_read(struct params *p, struct text query, struct text body,
    struct params_error *e)
{
	p->n = 0;
	p->used = 0;
	p->signature = text_of(NULL);
	p->in_query = p->in_body = false;
	if (query.len + body.len > PARAMS_BYTES)
		return bad(e, -1101, text_of(NULL));
	if (!side(p, query, false, e) || !side(p, body, true, e))
		return false;
	/* They are joined without anything between: bytes could be moved
	 * across with the signature intact. */
	return p->in_query && p->in_body ? bad(e, -1101, text_of(NULL)) :
	    true;
}

struct text
params_value(struct params *p, const char *name)
{
	int	 i;

	for (i = 0; i < p->n; i++) {
		if (text_equal(p->p[i].name, text_of(name))) {
			p->p[i].asked = true;
			return p->p[i].value;
		}
	}
	return text_of(NULL);
}

struct text
params_unread(const struct params *p)
{
	int	 i;

	for (i = 0; i < p->n; i++) {
		if (!p->p[i].asked)
			return p->p[i].name;
	}
	return text_of(NULL);
}

/* What may have been signed */

static bool
put(char *out, size_t room, size_t *n, const char *p, size_t len)
{
	if (len > room - *n)
		return false;
	memcpy(out + *n, p, len);
	*n += len;
	return true;
}

int
params_received(const struct params *p, char *out, size_t room)
{
	size_t	 n = 0;
	int	 i;

	for (i = 0; i < p->n; i++) {
		if ((i > 0 && !put(out, room, &n, "&", 1)) ||
		    !put(out, room, &n, p->p[i].raw.p, p->p[i].raw.len))
			return -1;
	}
	return (int)n;
}

/* encodeURIComponent's own: one bit a character. */
static bool
is_bare(unsigned char c)
{
	static const uint64_t	 bare[4] = {
		/* ! ' ( ) * - . 0 to 9 */
		UINT64_C(0x03ff678200000000),
		/* A to Z _ a to z ~ */
		UINT64_C(0x47fffffe87fffffe),
	};

	return (bare[c / 64] >> c % 64 & 1) != 0;
}

static bool
put_encoded(char *out, size_t room, size_t *n, struct text t)
{
	static const char	 digits[] = "0123456789ABCDEF";
	char			 esc[3] = { '%', 0, 0 };
	size_t			 i = 0, from;

	while (i < t.len) {
		for (from = i; i < t.len && is_bare((unsigned char)t.p[i]);
		    i++)
			continue;
		if (!put(out, room, n, t.p + from, i - from))
			return false;
		if (i == t.len)
			break;
		esc[1] = digits[(unsigned char)t.p[i] >> 4];
		esc[2] = digits[(unsigned char)t.p[i++] & 15];
		if (!put(out, room, n, esc, 3))
			return false;
	}
	return true;
}

int
params_canonical(const struct params *p, char *out, size_t room)
{
	size_t	 n = 0;
	int	 i;

	for (i = 0; i < p->n; i++) {
		if ((i > 0 && !put(out, room, &n, "&", 1)) ||
		    !put_encoded(out, room, &n, p->p[i].name) ||
		    !put(out, room, &n, "=", 1) ||
		    !put_encoded(out, room, &n, p->p[i].value))
			return -1;
	}
	return (int)n;
}

static bool
has_any(struct text t, const char *of)
{
	size_t	 i;

	for (i = 0; i < t.len; i++) {
		if (strchr(of, t.p[i]) != NULL)
			return true;
	}
	return false;
}

int
params_decoded(const struct params *p, char *out, size_t room)
{
	const struct param	*q;
	size_t			 n = 0;
	int			 i;

	for (i = 0; i < p->n; i++) {
		q = &p->p[i];
		/* "a=1%26amount=9" and "a=1&amount=9" decode alike. */
		if (has_any(q->name, "=&") || has_any(q->value, "&%+"))
			return -1;
		if ((i > 0 && !put(out, room, &n, "&", 1)) ||
		    !put(out, room, &n, q->name.p, q->name.len) ||
		    !put(out, room, &n, "=", 1) ||
		    !put(out, room, &n, q->value.p, q->value.len))
			return -1;
	}
	return (int)n;
}

/* Values */

bool
params_is_plain(struct text t)
{
	size_t	 i;

	for (i = 0; i < t.len; i++) {
		if ((unsigned char)t.p[i] <= ' ' || t.p[i] == 0x7f)
			return false;
	}
	return true;
}

static bool
is_word(struct text t, const char *word)
{
	size_t	 i;

	if (t.len != strlen(word))
		return false;
	for (i = 0; i < t.len; i++) {
		if ((t.p[i] | 0x20) != word[i])
			return false;
	}
	return true;
}

bool
params_flag(bool *out, struct text t)
{
	*out = is_word(t, "true");
	return *out || is_word(t, "false");
}

bool
params_number(int64_t *out, struct text t)
{
	size_t	 i;

	*out = 0;
	if (t.len == 0 || t.len > 18)
		return false;
	for (i = 0; i < t.len; i++) {
		if (t.p[i] < '0' || t.p[i] > '9')
			return false;
		*out = *out * 10 + (t.p[i] - '0');
	}
	return true;
}

/* Digits with at most one point, then an exponent. */
struct decimal {
	int64_t		digits;
	int		shift;		/* times ten to the power of it */
	bool		large;
};

static bool
exponent(int *out, const char *p, const char *end)
{
	bool	 minus = p < end && *p == '-';
	int	 v = 0;

	if (p < end && (*p == '-' || *p == '+'))
		p++;
	if (p == end || end - p > 2)
		return false;
	for (; p < end; p++) {
		if (*p < '0' || *p > '9')
			return false;
		v = v * 10 + (*p - '0');
	}
	*out = minus ? -v : v;
	return true;
}

static bool
decimal(struct decimal *d, struct text t)
{
	const char	*p = t.p, *end = t.p + t.len;
	bool		 point = false, any = false;
	int		 e = 0;

	memset(d, 0, sizeof(*d));
	if (t.len == 0 || t.len > 40)
		return false;
	for (; p < end && *p != 'e' && *p != 'E'; p++) {
		if (*p == '.' && !point) {
			point = true;
			continue;
		}
		if (*p < '0' || *p > '9')
			return false;
		any = true;
		if (d->digits > INT64_MAX / 100)
			d->large = true;
		else
			d->digits = d->digits * 10 + (*p - '0');
		d->shift -= point;
	}
	if (!any || (p < end && !exponent(&e, p + 1, end)))
		return false;
	d->shift += e;
	return true;
}

int
params_amount(int64_t *sat_out, struct text t)
{
	struct decimal	 d;

	if (!decimal(&d, t))
		return -1100;
	d.shift += 8;
	/* Zeros at the end are no precision. */
	while (!d.large && d.shift < 0 && d.digits % 10 == 0 &&
	    d.digits != 0) {
		d.digits /= 10;
		d.shift++;
	}
	if (d.large)
		return -1111;
	if (d.shift < 0 && d.digits != 0)
		return -1111;
	for (; d.shift > 0 && d.digits != 0; d.shift--) {
		if (d.digits > AMOUNT_SAT_MAX / 10)
			return -4023;
		d.digits *= 10;
	}
	*sat_out = d.digits;
	return d.digits > AMOUNT_SAT_MAX ? -4023 : 0;
}

bool
params_window(int64_t *us_out, struct text t)
{
	struct decimal	 d;

	if (has_any(t, "eE") || !decimal(&d, t) || d.large || d.shift < -3)
		return false;
	for (d.shift += 3; d.shift > 0; d.shift--) {
		if (d.digits > INT64_MAX / 10000)
			return false;
		d.digits *= 10;
	}
	*us_out = d.digits;
	return d.digits < INT64_MAX / 1000;
}
