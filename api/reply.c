#include "api/reply.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/civil.h"

#define DATE_LEN	29	/* "Sun, 06 Nov 1994 08:49:37 GMT" */

static char	 date[DATE_LEN + 1] = "Thu, 01 Jan 1970 00:00:00 GMT";

static const struct {
	int		 status;
	const char	*line;
} lines[] = {
	{ 200, "200 OK" }, { 400, "400 Bad Request" },
	{ 401, "401 Unauthorized" }, { 403, "403 Forbidden" },
	{ 404, "404 Not Found" }, { 405, "405 Method Not Allowed" },
	{ 408, "408 Request Timeout" }, { 409, "409 Conflict" },
	{ 410, "410 Gone" }, { 413, "413 Content Too Large" },
	{ 418, "418 I'm a teapot" }, { 422, "422 Unprocessable Content" },
	{ 423, "423 Locked" }, { 429, "429 Too Many Requests" },
	{ 431, "431 Request Header Fields Too Large" },
	{ 500, "500 Internal Server Error" },
	{ 503, "503 Service Unavailable" },
};

void
reply_clock(int64_t t_ms)
{
	static const char	 days[] = "MonTueWedThuFriSatSun";
	static const char	 months[] = "JanFebMarAprMayJunJulAugSepOct"
		"NovDec";
	int			 y, m, d, n, s;

	civil_date(t_ms / MS_PER_DAY, &y, &m, &d);
	s = (int)(t_ms % MS_PER_DAY / MS_PER_S);
	n = snprintf(date, sizeof(date), "%.3s, %02d %.3s %04d "
	    "%02d:%02d:%02d GMT", days + 3 * (civil_weekday(t_ms) - 1),
	    d % 100, months + 3 * (m - 1), y % 10000, s / 3600,
	    s / 60 % 60, s % 60);
	assert(n == DATE_LEN);
}

/* Writing without formats: one of these a request. */

static char *
put(char *to, const char *text, size_t len)
{
	memcpy(to, text, len);
	return to + len;
}

#define PUT(to, literal)	put((to), literal, sizeof(literal) - 1)

static char *
put_number(char *to, int64_t n)
{
	char	 digits[20];
	int	 i = 20;

	assert(n >= 0);
	do {
		digits[--i] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	return put(to, digits + i, (size_t)(20 - i));
}

static char *
put_status(char *to, int status)
{
	size_t	 i;

	to = PUT(to, "HTTP/1.1 ");
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (lines[i].status == status)
			return put(to, lines[i].line, strlen(lines[i].line));
	}
	to = put_number(to, status);
	return PUT(to, " Other");
}

/* One that may stand in a header. */
static bool
is_type(struct text t)
{
	size_t	 i;

	if (t.len == 0 || t.len > 100)
		return false;
	for (i = 0; i < t.len; i++) {
		if (t.p[i] < 0x20 || t.p[i] >= 0x7f)
			return false;
	}
	return true;
}

/* A page is opened by a browser, from a mail: it loads nothing, is framed
 * by nobody, sends its token nowhere. */
static char *
put_page_rules(char *to)
{
	return PUT(to, "\r\nX-Content-Type-Options: nosniff"
	    "\r\nX-Frame-Options: DENY"
	    "\r\nReferrer-Policy: no-referrer"
	    "\r\nCross-Origin-Opener-Policy: same-origin"
	    "\r\nCross-Origin-Resource-Policy: same-origin"
	    "\r\nContent-Security-Policy: default-src 'none'; "
	    "style-src 'unsafe-inline'; form-action 'self'; "
	    "base-uri 'none'; frame-ancestors 'none'");
}

static char *
put_used(char *to, enum endpoint e, int64_t used)
{
	const char	*path = endpoints[e].path;

	if (used < 0 || path == NULL)
		return to;
	if (endpoints[e].weigh == WEIGH_UID)
		return put_number(PUT(to,
		    "\r\nX-SAPI-USED-UID-WEIGHT-1M: "), used);
	if (strncmp(path, "/sapi/", 6) == 0)
		return put_number(PUT(to,
		    "\r\nX-SAPI-USED-IP-WEIGHT-1M: "), used);
	if (strncmp(path, "/api/", 5) != 0)
		return to;
	to = put_number(PUT(to, "\r\nX-MBX-USED-WEIGHT: "), used);
	return put_number(PUT(to, "\r\nX-MBX-USED-WEIGHT-1M: "), used);
}

size_t
reply_head(char out[REPLY_HEAD_MAX], const struct reply *r)
{
	char	*to = put_status(out, r->status);

	to = PUT(to, "\r\nContent-Type: ");
	if (is_type(r->type))
		to = put(to, r->type.p, r->type.len);
	else
		to = PUT(to, "application/json;charset=UTF-8");
	to = put_number(PUT(to, "\r\nContent-Length: "),
	    (int64_t)r->body.len);
	to = put(PUT(to, "\r\nDate: "), date, DATE_LEN);
	to = PUT(to, "\r\nCache-Control: no-store");
	to = put_used(to, r->endpoint, r->used);
	if (r->retry_s >= 0)
		to = put_number(PUT(to, "\r\nRetry-After: "), r->retry_s);
	if (r->allow != NULL) {
		to = PUT(to, "\r\nAllow: ");
		to = put(to, r->allow, strlen(r->allow));
	}
	if (is_type(r->type))
		to = put_page_rules(to);
	if (r->close)
		to = PUT(to, "\r\nConnection: close");
	to = PUT(to, "\r\n\r\n");
	assert(to - out <= REPLY_HEAD_MAX);
	return (size_t)(to - out);
}

struct text
reply_error(char buf[REPLY_ERROR_MAX], int code, const char *why)
{
	struct text	 t = { buf, 0 };
	int		 n;

	n = snprintf(buf, REPLY_ERROR_MAX, "{\"code\":%d,\"msg\":\"%.600s\"}",
	    code, why);
	assert(n > 0 && n < REPLY_ERROR_MAX);
	t.len = (size_t)n;
	return t;
}
