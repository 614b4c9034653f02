/*
 * Heads and bodies from strangers, through the reader of api's connections.
 *
 * Input: a byte of flags (1: a listed proxy's header is configured; the rest
 * how large the pieces are that the bytes come in), then the bytes.
 *
 * A second, plainer reader below says whether that is one request.  Api
 * takes it if and only if this one does, in one piece or in many; one byte
 * more than a request is none.
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/intake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char	*proxy_header;

/* The plain reader: it sees all bytes at once, and reads lines. */

struct line {
	const char	*p;
	size_t		 len;
};

static bool
good_bytes(const char *p, size_t len)
{
	size_t	 i;

	for (i = 0; i < len; i++) {
		if (p[i] == '\n' && (i == 0 || p[i - 1] != '\r'))
			return false;
		if (p[i] == '\r' && (i + 1 == len || p[i + 1] != '\n'))
			return false;
		if ((p[i] >= 0 && p[i] < ' ' && strchr("\r\n\t", p[i]) == NULL)
		    || p[i] == 0x7f || p[i] == '\0')
			return false;
	}
	return true;
}

static bool
all_of(const char *p, size_t len, const char *set)
{
	size_t	 i;

	for (i = 0; i < len; i++) {
		if (p[i] == '\0' || strchr(set, p[i]) == NULL)
			return false;
	}
	return true;
}

#define ALNUM	"abcdefghijklmnopqrstuvwxyz" \
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define VISIBLE	ALNUM "!\"$%&'()*+,-./:;<=>?@[\\]^_`{|}~"

static bool
good_first(struct line l)
{
	static const char *const	 methods[] = { "GET ", "POST ", "PUT ",
		"HEAD ", "DELETE ", "PATCH ", "OPTIONS " };
	size_t				 i, n;

	if (l.len < 9 || (memcmp(l.p + l.len - 9, " HTTP/1.1", 9) != 0 &&
	    memcmp(l.p + l.len - 9, " HTTP/1.0", 9) != 0))
		return false;
	l.len -= 9;
	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		n = strlen(methods[i]);
		if (l.len > n && memcmp(l.p, methods[i], n) == 0)
			return l.p[n] == '/' && l.len - n <= 6144 &&
			    all_of(l.p + n, l.len - n, VISIBLE);
	}
	return false;
}

static bool
named(struct line name, const char *what)
{
	return name.len == strlen(what) &&
	    strncasecmp(name.p, what, name.len) == 0;
}

static bool
one_of(struct line name, const char *const *set, int *which)
{
	for (*which = 0; set[*which] != NULL; (*which)++) {
		if (named(name, set[*which]))
			return true;
	}
	return false;
}

struct seen {
	int	 n[16];
	bool	 get, host, mbx, ours;
	size_t	 body;
};

static const char *const once[] = { "host", "content-length", "content-type",
	"connection", "x-mbx-apikey", "drawbridge-key", "drawbridge-time",
	"drawbridge-signature", "drawbridge-code", NULL };

static const char *const never[] = { "transfer-encoding", "trailer",
	"expect", "upgrade", "http2-settings", "x-http-method-override",
	"x-http-method", "x-method-override", "x-original-url",
	"x-rewrite-url", "x-original-host", "forwarded", "forwarded-for",
	"x-original-forwarded-for", "x-real-ip", "x-client-ip", "client-ip",
	"true-client-ip", "cf-connecting-ip", "cf-connecting-ipv6",
	"cf-pseudo-ipv4", "fastly-client-ip", "fly-client-ip",
	"x-cluster-client-ip", "x-originating-ip", "x-remote-ip",
	"x-remote-addr", "x-appengine-user-ip", "x-azure-clientip",
	"x-azure-socketip", "x-envoy-external-address", "x-proxyuser-ip",
	"proxy-client-ip", "wl-proxy-client-ip", NULL };

static bool
good_once(struct seen *s, int which, struct line v)
{
	switch (which) {
	case 0:
		s->host = true;
		return v.len > 0 && v.len < 256 &&
		    all_of(v.p, v.len, ALNUM ".-:[]_");
	case 1:
		if (v.len == 0 || v.len > 12 || (v.p[0] == '0' && v.len > 1)
		    || !all_of(v.p, v.len, "0123456789"))
			return false;
		for (s->body = 0; v.len > 0; v.p++, v.len--)
			s->body = s->body * 10 + (size_t)(*v.p - '0');
		return true;
	case 2:
		return true;
	case 3:
		return named(v, "close") || named(v, "keep-alive");
	}
	s->mbx = s->mbx || (which == 4 && v.len > 0);
	s->ours = s->ours || which == 5;
	return all_of(v.p, v.len, VISIBLE "#");
}

static bool
good_header(struct seen *s, struct line l)
{
	const char	*colon = memchr(l.p, ':', l.len);
	struct line	 name = { l.p, 0 }, v;
	int		 which;

	if (colon == NULL || colon == l.p)
		return false;
	name.len = (size_t)(colon - l.p);
	if (!all_of(name.p, name.len, ALNUM "!#$%&'*+-.^_`|~"))
		return false;
	v.p = colon + 1;
	v.len = l.len - name.len - 1;
	for (; v.len > 0 && strchr(" \t", v.p[0]) != NULL; v.len--)
		v.p++;
	while (v.len > 0 && strchr(" \t", v.p[v.len - 1]) != NULL) {
		if (named(name, "content-length"))
			return false;
		v.len--;
	}
	if (proxy_header != NULL && named(name, proxy_header))
		return s->n[15]++ == 0;
	if (one_of(name, once, &which))
		return s->n[which]++ == 0 && good_once(s, which, v);
	return !one_of(name, never, &which) && (name.len < 11 ||
	    (strncasecmp(name.p, "drawbridge-", 11) != 0 &&
	    strncasecmp(name.p, "x-forwarded", 11) != 0));
}

/* Is it one request, and nothing else? */
static bool
is_request(const char *p, size_t len)
{
	const char	*end = memmem(p, len, "\r\n\r\n", 4), *cr;
	struct seen	 s = { .get = false };
	struct line	 l = { p, 0 };
	size_t		 most = 65536;
	int		 lines;

	if (end == NULL || end + 4 - p > 8192 ||
	    !good_bytes(p, (size_t)(end + 4 - p)))
		return false;
	for (lines = 0; l.p < end + 2; l.p = cr + 2, lines++) {
		cr = memchr(l.p, '\r', (size_t)(end + 1 - l.p));
		l.len = (size_t)(cr - l.p);
		if (lines == 0 ? !good_first(l) : !good_header(&s, l))
			return false;
	}
	if (len > 15 && memcmp(p, "POST /v1/facts", 14) == 0 &&
	    (p[14] == ' ' || p[14] == '?'))
		most = 1 << 20;
	s.get = p[0] == 'G' || p[0] == 'H' || p[0] == 'O';
	return lines <= 65 && s.host && !(s.mbx && s.ours) &&
	    !(s.get && s.body > 0) && s.body <= most &&
	    len == (size_t)(end + 4 - p) + s.body;
}

/* What was taken means what it says. */
static void
check_meaning(const struct intake *in, const char *p, size_t len)
{
	const struct head	*h = &in->head;

	if (intake_len(in) != len || h->method.p != p ||
	    h->target.p != p + h->method.len + 1 ||
	    h->path.p != h->target.p || (h->query.p != NULL &&
	    h->query.p + h->query.len != h->target.p + h->target.len))
		abort();
	if (in->endpoint != ENDPOINT_NONE &&
	    (endpoints[in->endpoint].method == NULL || !text_equal(h->method,
	    text_of(endpoints[in->endpoint].method))))
		abort();
	if (in->part.p != NULL && memchr(in->part.p, '/', in->part.len) !=
	    NULL)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct intake	 one = { .state = INTAKE_HEAD };
	struct intake	 many = { .state = INTAKE_HEAD };
	const char	*p;
	char		*more;
	size_t		 len, step, at;
	bool		 wanted;

	if (size < 2)
		return 0;
	proxy_header = (data[0] & 1) != 0 ? "X-Real-IP" : NULL;
	step = (size_t)(data[0] >> 1) + 1;
	p = (const char *)data + 1;
	len = size - 1;
	wanted = is_request(p, len);
	if ((intake_read(&one, p, len, proxy_header) == INTAKE_WHOLE) !=
	    wanted)
		abort();
	for (at = step < len ? step : len; ; at += step) {
		if (at > len)
			at = len;
		(void)intake_read(&many, p, at, proxy_header);
		if (at == len || many.state == INTAKE_BAD)
			break;
	}
	if (many.state != one.state)
		abort();
	if (one.state == INTAKE_BAD && one.no.why == NULL)
		abort();
	if (!wanted)
		return 0;
	check_meaning(&one, p, len);
	/* Never two: what follows is refused, whatever it is. */
	if ((more = malloc(len + 1)) == NULL)
		abort();
	memcpy(more, p, len);
	more[len] = (char)data[0];
	intake_moved(&one, more);
	if (intake_read(&one, more, len + 1, proxy_header) != INTAKE_BAD)
		abort();
	free(more);
	return 0;
}
