#include "api/head.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "api/bounds.h"

static bool
refuse(struct refusal *no, int status, const char *why)
{
	no->status = status;
	no->why = why;
	no->forwarded = false;
	return false;
}

/* RFC 9110: tchar. */
static bool
is_token(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') ||
	    (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* Bytes, as they come */

/* One that is not CR or LF. */
static bool
take_byte(const struct head_scan *s, unsigned char c, struct refusal *no)
{
	if (c < 0x20 && c != '\t')
		return refuse(no, 400, "a control byte in the head");
	if (c == 0x7f)
		return refuse(no, 400, "a control byte in the head");
	if (s->lines == 0 && (c == '\t' || c >= 0x80))
		return refuse(no, 400, "the request line has other than "
		    "visible characters");
	if (s->at != s->line)
		return true;
	if (c == ' ' || c == '\t')
		return refuse(no, 400, s->lines == 0 ?
		    "a blank before the request line" :
		    "a header that goes on in a second line");
	if (!is_token(c))
		return refuse(no, 400, "a line that is no header");
	return true;
}

enum head_state
head_scan(struct head_scan *s, const char *p, size_t len, struct refusal *no)
{
	unsigned char	 c;

	for (; s->at < len; s->at++) {
		c = (unsigned char)p[s->at];
		if (s->at >= HEAD_MAX) {
			(void)refuse(no, 431, "the head is longer than 8192 "
			    "bytes");
			return HEAD_BAD;
		}
		if (s->cr != (c == '\n')) {
			(void)refuse(no, 400, "a line end that is not CR LF");
			return HEAD_BAD;
		}
		if (c == '\r') {
			if (s->lines == 0 && s->at == 0) {
				(void)refuse(no, 400, "an empty line before "
				    "the request line");
				return HEAD_BAD;
			}
			s->cr = true;
			continue;
		}
		if (c != '\n') {
			if (!take_byte(s, c, no))
				return HEAD_BAD;
			continue;
		}
		s->cr = false;
		if (s->at - s->line == 1) {
			s->at++;
			return HEAD_WHOLE;
		}
		s->line = s->at + 1;
		if (s->lines++ > HEAD_LINES_MAX) {
			(void)refuse(no, 431, "more than 64 headers");
			return HEAD_BAD;
		}
	}
	return HEAD_MORE;
}

/* The request line */

static bool
known_method(struct text m)
{
	static const char *const	 known[] = { "GET", "POST", "HEAD",
		"PUT", "DELETE", "PATCH", "OPTIONS" };
	size_t				 i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (text_equal(m, text_of(known[i])))
			return true;
	}
	return false;
}

static bool
take_target(struct head *h, struct refusal *no)
{
	const char	*mark;
	size_t		 i;
	unsigned char	 c;

	if (h->target.len == 0 || h->target.p[0] != '/')
		return refuse(no, 400, "the target does not begin with /");
	if (h->target.len > TARGET_MAX)
		return refuse(no, 400, "the target is longer than 6144 "
		    "bytes");
	for (i = 0; i < h->target.len; i++) {
		c = (unsigned char)h->target.p[i];
		if (c <= 0x20 || c >= 0x7f || c == '#')
			return refuse(no, 400, "the target has a character "
			    "that must be percent-encoded");
	}
	h->path = h->target;
	mark = memchr(h->target.p, '?', h->target.len);
	if (mark == NULL)
		return true;
	h->path.len = (size_t)(mark - h->target.p);
	h->query.p = mark + 1;
	h->query.len = h->target.len - h->path.len - 1;
	return true;
}

/* METHOD SP target SP HTTP/1.1, single blanks. */
static bool
take_request_line(struct head *h, const char *p, size_t len,
    struct refusal *no)
{
	const char	*a = memchr(p, ' ', len), *b;
	size_t		 left;

	if (a == NULL)
		return refuse(no, 400, "a request line of one word");
	h->method.p = p;
	h->method.len = (size_t)(a - p);
	if (!known_method(h->method))
		return refuse(no, 400, "an unknown method");
	a++;
	left = len - (size_t)(a - p);
	b = memchr(a, ' ', left);
	if (b == NULL)
		return refuse(no, 400, "a request line of two words");
	h->target.p = a;
	h->target.len = (size_t)(b - a);
	b++;
	left = len - (size_t)(b - p);
	if (left != 8 || memcmp(b, "HTTP/1.", 7) != 0 ||
	    (b[7] != '0' && b[7] != '1'))
		return refuse(no, 400, "not HTTP/1.1");
	h->old = b[7] == '0';
	return take_target(h, no);
}

/* Headers */

enum name {
	NAME_OTHER,
	NAME_HOST,
	NAME_LENGTH,
	NAME_TYPE,
	NAME_CONNECTION,
	NAME_MBX,
	NAME_KEY,
	NAME_TIME,
	NAME_SIGNATURE,
	NAME_CODE,
	NAME_OURS,		/* Drawbridge-*, another */
	NAME_CODING,		/* Transfer-Encoding, Trailer */
	NAME_EXPECT,
	NAME_UPGRADE,
	NAME_OVERRIDE,		/* another method or target than it says */
	NAME_FORWARDED,
	NAME__COUNT
};

static const struct {
	const char	*text;		/* lower case */
	enum name	 name;
} names[] = {
	{ "host", NAME_HOST },
	{ "content-length", NAME_LENGTH },
	{ "content-type", NAME_TYPE },
	{ "connection", NAME_CONNECTION },
	{ "x-mbx-apikey", NAME_MBX },
	{ "drawbridge-key", NAME_KEY },
	{ "drawbridge-time", NAME_TIME },
	{ "drawbridge-signature", NAME_SIGNATURE },
	{ "drawbridge-code", NAME_CODE },
	{ "transfer-encoding", NAME_CODING },
	{ "trailer", NAME_CODING },
	{ "expect", NAME_EXPECT },
	{ "upgrade", NAME_UPGRADE },
	{ "http2-settings", NAME_UPGRADE },
	{ "x-http-method-override", NAME_OVERRIDE },
	{ "x-http-method", NAME_OVERRIDE },
	{ "x-method-override", NAME_OVERRIDE },
	{ "x-original-url", NAME_OVERRIDE },
	{ "x-rewrite-url", NAME_OVERRIDE },
	{ "x-original-host", NAME_OVERRIDE },
	{ "forwarded", NAME_FORWARDED },
	{ "forwarded-for", NAME_FORWARDED },
	{ "x-original-forwarded-for", NAME_FORWARDED },
	{ "x-real-ip", NAME_FORWARDED },
	{ "x-client-ip", NAME_FORWARDED },
	{ "client-ip", NAME_FORWARDED },
	{ "true-client-ip", NAME_FORWARDED },
	{ "cf-connecting-ip", NAME_FORWARDED },
	{ "cf-connecting-ipv6", NAME_FORWARDED },
	{ "cf-pseudo-ipv4", NAME_FORWARDED },
	{ "fastly-client-ip", NAME_FORWARDED },
	{ "fly-client-ip", NAME_FORWARDED },
	{ "x-cluster-client-ip", NAME_FORWARDED },
	{ "x-originating-ip", NAME_FORWARDED },
	{ "x-remote-ip", NAME_FORWARDED },
	{ "x-remote-addr", NAME_FORWARDED },
	{ "x-appengine-user-ip", NAME_FORWARDED },
	{ "x-azure-clientip", NAME_FORWARDED },
	{ "x-azure-socketip", NAME_FORWARDED },
	{ "x-envoy-external-address", NAME_FORWARDED },
	{ "x-proxyuser-ip", NAME_FORWARDED },
	{ "proxy-client-ip", NAME_FORWARDED },
	{ "wl-proxy-client-ip", NAME_FORWARDED },
};

static bool
begins(struct text t, const char *with)
{
	size_t	 n = strlen(with);

	return t.len >= n && strncasecmp(t.p, with, n) == 0;
}

static bool
is(struct text t, const char *other)
{
	return begins(t, other) && t.len == strlen(other);
}

static enum name
name_of(struct text t)
{
	size_t	 i;
	char	 first = (char)(t.p[0] | 0x20);

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].text[0] == first && is(t, names[i].text))
			return names[i].name;
	}
	if (begins(t, "drawbridge-"))
		return NAME_OURS;
	/* X-Forwarded-For, -Host, -Proto and whatever comes next. */
	if (begins(t, "x-forwarded"))
		return NAME_FORWARDED;
	return NAME_OTHER;
}

/* Digits alone, no zero in front, no list. */
static bool
take_length(struct head *h, struct text v, struct refusal *no)
{
	size_t	 i;

	if (v.len == 0 || v.len > 12 || (v.len > 1 && v.p[0] == '0'))
		return refuse(no, 400, "a Content-Length that is no number");
	h->body_len = 0;
	for (i = 0; i < v.len; i++) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return refuse(no, 400, "a Content-Length that is no "
			    "number");
		h->body_len = h->body_len * 10 + (size_t)(v.p[i] - '0');
	}
	h->has_length = true;
	return true;
}

/* One word: a list could name headers that a hop takes off. */
static bool
take_connection(struct head *h, struct text v, struct refusal *no)
{
	if (is(v, "close")) {
		h->keep = false;
		return true;
	}
	if (is(v, "keep-alive"))
		return true;
	return refuse(no, 400, "a Connection that is neither keep-alive nor "
	    "close");
}

static bool
take_host(struct head *h, struct text v, struct refusal *no)
{
	size_t		 i;
	unsigned char	 c;

	if (v.len == 0 || v.len > 255)
		return refuse(no, 400, "an empty Host, or one of more than "
		    "255 bytes");
	for (i = 0; i < v.len; i++) {
		c = (unsigned char)v.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || c == '.' || c == '-' ||
		    c == ':' || c == '[' || c == ']' || c == '_'))
			return refuse(no, 400, "a Host that is no name or "
			    "address");
	}
	h->host = v;
	return true;
}

/* What somebody verifies or looks up. */
static bool
take_visible(struct text *to, struct text v, struct refusal *no)
{
	size_t	 i;

	for (i = 0; i < v.len; i++) {
		if (v.p[i] <= 0x20 || v.p[i] >= 0x7f)
			return refuse(no, 400, "a key, time, signature or "
			    "code with other than visible characters");
	}
	*to = v;
	return true;
}

static bool
take_forwarded(struct head *h, struct text name, struct text v,
    const char *proxy_header, struct refusal *no)
{
	if (proxy_header == NULL || !is(name, proxy_header)) {
		(void)refuse(no, 400, "a header that claims a client "
		    "address, method or host: such are taken from a listed "
		    "proxy only, and only the one that is configured");
		no->forwarded = true;
		return false;
	}
	if (h->client.p != NULL)
		return refuse(no, 400, "the proxy's header twice");
	h->client = v;
	return true;
}

static bool
take_value(struct head *h, enum name name, struct text text, struct text v,
    const char *proxy_header, struct refusal *no)
{
	switch (name) {
	case NAME_HOST:
		return take_host(h, v, no);
	case NAME_LENGTH:
		return take_length(h, v, no);
	case NAME_CONNECTION:
		return take_connection(h, v, no);
	case NAME_MBX:
		return take_visible(&h->mbx_key, v, no);
	case NAME_KEY:
		return take_visible(&h->key, v, no);
	case NAME_TIME:
		return take_visible(&h->when, v, no);
	case NAME_SIGNATURE:
		return take_visible(&h->signature, v, no);
	case NAME_CODE:
		return take_visible(&h->code, v, no);
	case NAME_OURS:
		return refuse(no, 400, "an unknown Drawbridge header");
	case NAME_CODING:
		return refuse(no, 400, "Transfer-Encoding is not taken: send "
		    "a Content-Length");
	case NAME_EXPECT:
		return refuse(no, 400, "Expect is not taken");
	case NAME_UPGRADE:
		return refuse(no, 400, "Upgrade is not taken");
	case NAME_OVERRIDE:
	case NAME_FORWARDED:
		return take_forwarded(h, text, v, proxy_header, no);
	case NAME_TYPE:
	case NAME_OTHER:
	case NAME__COUNT:
		return true;
	}
	assert(!"a name");
	return false;
}

static struct text
trim(const char *p, size_t len)
{
	struct text	 t = { p, len };

	while (t.len > 0 && (t.p[0] == ' ' || t.p[0] == '\t')) {
		t.p++;
		t.len--;
	}
	while (t.len > 0 && (t.p[t.len - 1] == ' ' ||
	    t.p[t.len - 1] == '\t'))
		t.len--;
	return t;
}

static bool
take_header(struct head *h, uint32_t *seen, const char *p, size_t len,
    const char *proxy_header, struct refusal *no)
{
	struct text	 name = { p, 0 }, v;
	enum name	 which;

	_Static_assert(NAME__COUNT <= 32, "a bit for each");
	while (name.len < len && is_token((unsigned char)p[name.len]))
		name.len++;
	if (name.len == 0 || name.len == len || p[name.len] != ':')
		return refuse(no, 400, "a header without a name, or with a "
		    "blank before its colon");
	v = trim(p + name.len + 1, len - name.len - 1);
	which = name_of(name);
	/* Readers differ about what may stand behind the number. */
	if (which == NAME_LENGTH && v.p + v.len != p + len)
		return refuse(no, 400, "a Content-Length that is no number");
	/* A name of the operator's choice that is not in our list. */
	if (which == NAME_OTHER && proxy_header != NULL &&
	    is(name, proxy_header))
		which = NAME_FORWARDED;
	if (which != NAME_OTHER && (*seen >> which & 1) != 0)
		return refuse(no, 400, "a header twice that may stand once");
	*seen |= UINT32_C(1) << which;
	return take_value(h, which, name, v, proxy_header, no);
}

/* What the headers say together. */
static bool
is_whole(const struct head *h, struct refusal *no)
{
	if (h->host.p == NULL)
		return refuse(no, 400, "no Host");
	if (h->body_len > 0 && (is(h->method, "GET") || is(h->method,
	    "HEAD") || is(h->method, "OPTIONS")))
		return refuse(no, 400, "a body where none belongs");
	if (h->mbx_key.p != NULL && h->key.p != NULL && h->mbx_key.len > 0)
		return refuse(no, 400, "the keys of two doors");
	return true;
}

bool
head_read(struct head *h, const char *p, size_t len,
    const char *proxy_header, struct refusal *no)
{
	const char	*end = p + len - 2, *line = p, *cr;
	uint32_t	 seen = 0;

	assert(len >= 4 && memcmp(end, "\r\n", 2) == 0);
	memset(h, 0, sizeof(*h));
	h->len = len;
	h->keep = true;
	while (line < end) {
		cr = memchr(line, '\r', (size_t)(end - line) + 1);
		assert(cr != NULL);
		if (line == p) {
			if (!take_request_line(h, p, (size_t)(cr - p), no))
				return false;
		} else {
			h->lines++;
			if (!take_header(h, &seen, line, (size_t)(cr - line),
			    proxy_header, no))
				return false;
		}
		line = cr + 2;
	}
	if (h->old)
		h->keep = false;
	return is_whole(h, no);
}
