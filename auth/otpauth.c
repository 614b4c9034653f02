/*
 * The otpauth URI of auth/totp.h, and its base32.  The format is what Google
 * Authenticator's wiki describes, and what telephones read; ours is a strict
 * part of it.
 */
#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "auth/totp.h"

#define SCHEME	"otpauth://totp/"

static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

void
totp_base32(char *out, const unsigned char *p, size_t len)
{
	uint32_t	 bits = 0;
	int		 n = 0;
	size_t		 i;

	for (i = 0; i < len; i++) {
		bits = bits << 8 | p[i];
		for (n += 8; n >= 5; n -= 5)
			*out++ = base32[bits >> (n - 5) & 31];
		bits &= 31;
	}
	if (n > 0)
		*out++ = base32[bits << (5 - n) & 31];
	*out = '\0';
}

static int
base32_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	if (c >= '2' && c <= '7')
		return c - '2' + 26;
	return -1;
}

int
totp_unbase32(unsigned char *out, size_t room, struct text t)
{
	uint32_t	 bits = 0;
	size_t		 i, len = t.len, got = 0;
	int		 n = 0, v;

	while (len > 0 && t.p[len - 1] == '=')
		len--;
	if (len != t.len && t.len != (len + 7) / 8 * 8)
		return -1;
	/* Lengths that no number of bytes has. */
	if (len % 8 == 1 || len % 8 == 3 || len % 8 == 6)
		return -1;
	for (i = 0; i < len; i++) {
		if ((v = base32_value(t.p[i])) == -1)
			return -1;
		bits = (bits << 5 | (uint32_t)v) & 0xfff;
		if ((n += 5) < 8)
			continue;
		n -= 8;
		if (got == room)
			return -1;
		out[got++] = (unsigned char)(bits >> n);
	}
	return (bits & ((1U << n) - 1)) == 0 ? (int)got : -1;
}

/* A piece of a URI that grows in `out`. */
struct uri {
	char	*out;
	size_t	 len;
};

static void
plain(struct uri *u, const char *s)
{
	size_t	 n = strlen(s);

	assert(u->len + n < TOTP_URI_MAX);
	memcpy(u->out + u->len, s, n + 1);
	u->len += n;
}

static bool
unreserved(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
	    c == '~';
}

static void
escaped(struct uri *u, const char *s)
{
	char	 one[4];

	for (; *s != '\0'; s++) {
		(void)snprintf(one, sizeof(one),
		    unreserved((unsigned char)*s) ? "%c" : "%%%02X",
		    (unsigned char)*s);
		plain(u, one);
	}
}

static bool
label_good(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f || *s == ':')
			return false;
	return true;
}

static const char *const algorithms[] = { "", "SHA1", "SHA256", "SHA512" };

enum rc
totp_uri(char out[TOTP_URI_MAX], const struct totp *t,
    const struct totp_label *label, struct err *e)
{
	struct uri	 u = { out, 0 };
	char		 secret[TOTP_BASE32_LEN(TOTP_SEED_MAX) + 1];
	char		 rest[64];

	out[0] = '\0';
	if (label->account[0] == '\0' || !label_good(label->account) ||
	    !label_good(label->issuer))
		return err_set(e, "a name for a telephone has no colon and "
		    "no control characters");
	plain(&u, SCHEME);
	escaped(&u, label->issuer);
	if (label->issuer[0] != '\0')
		plain(&u, ":");
	escaped(&u, label->account);
	totp_base32(secret, t->seed, t->seed_len);
	plain(&u, "?secret=");
	plain(&u, secret);
	sodium_memzero(secret, sizeof(secret));
	if (label->issuer[0] != '\0') {
		plain(&u, "&issuer=");
		escaped(&u, label->issuer);
	}
	(void)snprintf(rest, sizeof(rest), "&algorithm=%s&digits=%d&period=%d",
	    algorithms[t->hash], t->digits, t->period_s);
	plain(&u, rest);
	return RC_OK;
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Decoded, NUL at the end; false: too long, badly escaped, or with what no
 * label holds. */
static bool
unescape(char out[TOTP_LABEL_MAX], struct text t)
{
	size_t	 i, n = 0;
	int	 c;

	for (i = 0; i < t.len; i++) {
		c = (unsigned char)t.p[i];
		if (c == '%') {
			if (t.len - i < 3 || hex(t.p[i + 1]) == -1 ||
			    hex(t.p[i + 2]) == -1)
				return false;
			c = hex(t.p[i + 1]) << 4 | hex(t.p[i + 2]);
			i += 2;
		} else if (!unreserved((unsigned char)c) && c != '@')
			return false;
		if (c == '\0' || n + 1 == TOTP_LABEL_MAX)
			return false;
		out[n++] = (char)c;
	}
	out[n] = '\0';
	return label_good(out);
}

/* 1 to 3 decimal digits, no leading zero; -1: not that. */
static int
number(struct text t)
{
	size_t	 i;
	int	 n = 0;

	if (t.len == 0 || t.len > 3 || t.p[0] == '0')
		return -1;
	for (i = 0; i < t.len; i++) {
		if (t.p[i] < '0' || t.p[i] > '9')
			return -1;
		n = n * 10 + t.p[i] - '0';
	}
	return n;
}

struct parsing {
	struct totp		*t;
	struct totp_label	*label;
	char			 issuer[TOTP_LABEL_MAX];
};

static bool
take_secret(struct parsing *p, struct text v)
{
	int	 n = totp_unbase32(p->t->seed, TOTP_SEED_MAX, v);

	if (n < TOTP_SEED_MIN)
		return false;
	p->t->seed_len = (size_t)n;
	return true;
}

static bool
take_issuer(struct parsing *p, struct text v)
{
	return unescape(p->issuer, v) && p->issuer[0] != '\0';
}

static bool
take_algorithm(struct parsing *p, struct text v)
{
	int	 i;

	for (i = TOTP_SHA1; i <= TOTP_SHA512; i++)
		if (text_equal(v, text_of(algorithms[i])))
			p->t->hash = (enum totp_hash)i;
	return p->t->hash != 0;
}

static bool
take_digits(struct parsing *p, struct text v)
{
	p->t->digits = number(v);
	return p->t->digits >= 6 && p->t->digits <= 8;
}

static bool
take_period(struct parsing *p, struct text v)
{
	p->t->period_s = number(v);
	return p->t->period_s >= 15 && p->t->period_s <= 300;
}

static const struct {
	const char	*name;
	bool		(*take)(struct parsing *p, struct text v);
} parameters[] = {
	{ "secret", take_secret },
	{ "issuer", take_issuer },
	{ "algorithm", take_algorithm },
	{ "digits", take_digits },
	{ "period", take_period },
};
#define PARAMETERS	(sizeof(parameters) / sizeof(*parameters))

/* The part up to `c`, which goes too, or all of it. */
static struct text
cut(struct text *rest, char c)
{
	struct text	 part = *rest;
	const char	*at = memchr(rest->p, c, rest->len);

	if (at == NULL) {
		rest->p += rest->len;
		rest->len = 0;
		return part;
	}
	part.len = (size_t)(at - rest->p);
	rest->p = at + 1;
	rest->len -= part.len + 1;
	return part;
}

static enum rc
parse_query(struct parsing *p, struct text query, struct err *e)
{
	bool		 seen[PARAMETERS] = { false };
	struct text	 value, name;
	size_t		 i;

	/* An `&` at the end, too, would begin a parameter without a name. */
	if (query.len == 0 || query.p[query.len - 1] == '&')
		return err_set(e, "otpauth: an empty parameter");
	while (query.len > 0) {
		value = cut(&query, '&');
		if (memchr(value.p, '=', value.len) == NULL)
			return err_set(e, "otpauth: a parameter without `=`");
		name = cut(&value, '=');
		for (i = 0; i < PARAMETERS; i++)
			if (text_equal(name, text_of(parameters[i].name)))
				break;
		if (i == PARAMETERS)
			return err_set(e, "otpauth: an unknown parameter");
		if (seen[i])
			return err_set(e, "otpauth: %s is there twice",
			    parameters[i].name);
		seen[i] = true;
		if (!parameters[i].take(p, value))
			return err_set(e, "otpauth: %s is not good",
			    parameters[i].name);
	}
	return seen[0] ? RC_OK : err_set(e, "otpauth: no secret");
}

/* ISSUER:ACCOUNT, the colon escaped or not, or ACCOUNT. */
static bool
parse_label(struct totp_label *label, struct text t)
{
	struct text	 issuer = t, account = t;
	size_t		 i;

	for (i = 0; i < t.len && t.p[i] != ':'; i++)
		if (t.p[i] == '%' && t.len - i >= 3 && t.p[i + 1] == '3' &&
		    (t.p[i + 2] == 'A' || t.p[i + 2] == 'a'))
			break;
	if (i == t.len)
		return unescape(label->account, t) &&
		    label->account[0] != '\0';
	issuer.len = i;
	i += t.p[i] == ':' ? 1 : 3;
	account.p += i;
	account.len -= i;
	return unescape(label->issuer, issuer) && label->issuer[0] != '\0' &&
	    unescape(label->account, account) && label->account[0] != '\0';
}

enum rc
totp_parse(struct totp *t, struct totp_label *label, struct text uri,
    struct err *e)
{
	struct parsing	 p = { .t = t, .label = label };
	struct text	 rest = uri, name;
	enum rc		 rc;

	memset(t, 0, sizeof(*t));
	memset(label, 0, sizeof(*label));
	if (uri.p == NULL || uri.len < strlen(SCHEME) ||
	    memcmp(uri.p, SCHEME, strlen(SCHEME)) != 0)
		return err_set(e, "otpauth: not " SCHEME);
	rest.p += strlen(SCHEME);
	rest.len -= strlen(SCHEME);
	if (memchr(rest.p, '?', rest.len) == NULL)
		return err_set(e, "otpauth: no parameters");
	name = cut(&rest, '?');
	if (!parse_label(label, name))
		return err_set(e, "otpauth: the name is not good");
	if ((rc = parse_query(&p, rest, e)) != RC_OK) {
		sodium_memzero(t, sizeof(*t));
		return rc;
	}
	if (p.issuer[0] != '\0' && label->issuer[0] != '\0' &&
	    strcmp(p.issuer, label->issuer) != 0)
		return err_set(e, "otpauth: two issuers");
	memcpy(label->issuer, p.issuer[0] != '\0' ? p.issuer : label->issuer,
	    sizeof(p.issuer));
	/* What the format takes for granted. */
	if (t->hash == 0)
		t->hash = TOTP_SHA1;
	if (t->digits == 0)
		t->digits = 6;
	if (t->period_s == 0)
		t->period_s = 30;
	return RC_OK;
}
