/* Heads: what is taken, and what is refused, whole and byte by byte. */
#include "api/bounds.h"
#include "api/intake.h"
#include "tests/check.h"

#define H	"Host: a\r\n"
#define GOOD	"GET /api/v3/ping HTTP/1.1\r\n"
#define LONG	(3 * HEAD_MAX)

static enum intake_state
read_all(struct intake *in, const char *p, size_t len, const char *header)
{
	memset(in, 0, sizeof(*in));
	return intake_read(in, p, len, header);
}

/* What comes byte by byte must end the same. */
static enum intake_state
read_slowly(struct intake *in, const char *p, size_t len,
    const char *header)
{
	size_t	 i;

	memset(in, 0, sizeof(*in));
	for (i = 1; i <= len; i++) {
		if (intake_read(in, p, i, header) == INTAKE_BAD)
			break;
	}
	return in->state;
}

static void
test_good(void)
{
	static const char	 post[] = "POST /sapi/v1/capital/withdraw/"
		"apply?a=1&b=%20 HTTP/1.1\r\nHost: api.example:8080\r\n"
		"X-MBX-APIKEY:\t dbk_1 \t\r\nuser-agent: caf\xc3\xa9\r\n"
		"content-length: 4\r\nConnection: Keep-Alive\r\n\r\nx=\n\0";
	struct intake		 in;
	size_t			 len = sizeof(post) - 1;

	check_case("a request with all that belongs to one");
	CHECK_INT(read_all(&in, post, len, NULL), INTAKE_WHOLE);
	CHECK_INT(in.endpoint, ENDPOINT_APPLY);
	CHECK(text_equal(in.head.query, text_of("a=1&b=%20")));
	CHECK(text_equal(in.head.mbx_key, text_of("dbk_1")));
	CHECK(text_equal(in.head.host, text_of("api.example:8080")));
	CHECK_INT(in.head.body_len, 4);
	CHECK_INT(in.head.lines, 5);
	CHECK(in.head.keep && !in.head.old);
	CHECK_INT(read_slowly(&in, post, len, NULL), INTAKE_WHOLE);
	CHECK_INT(read_all(&in, post, len - 1, NULL), INTAKE_BODY);

	check_case("an empty body, with its length and without");
	CHECK_INT(read_all(&in, "POST / HTTP/1.1\r\n" H
	    "Content-Length: 0\r\n\r\n", 17 + 9 + 19 + 2, NULL), INTAKE_WHOLE);
	CHECK_INT(read_all(&in, "POST / HTTP/1.1\r\n" H "\r\n", 17 + 9 + 2,
	    NULL), INTAKE_WHOLE);

	check_case("an id in the path");
	CHECK_INT(read_all(&in, "GET /v1/withdrawals/w-1 HTTP/1.1\r\n" H
	    "\r\n", 34 + 9 + 2, NULL), INTAKE_WHOLE);
	CHECK_INT(in.endpoint, ENDPOINT_V1_WITHDRAWAL);
	CHECK(text_equal(in.part, text_of("w-1")));

	check_case("HTTP/1.0 is answered and closed");
	CHECK_INT(read_all(&in, "GET / HTTP/1.0\r\n" H "\r\n", 16 + 9 + 2,
	    NULL), INTAKE_WHOLE);
	CHECK(!in.head.keep);
	CHECK_INT(in.endpoint, ENDPOINT_NONE);

	check_case("a proxy's header, from whom it may come");
	CHECK_INT(read_all(&in, GOOD H "X-Real-IP: 192.0.2.1\r\n\r\n",
	    27 + 9 + 22 + 2, "x-real-ip"), INTAKE_WHOLE);
	CHECK(text_equal(in.head.client, text_of("192.0.2.1")));
}

struct bad {
	const char	*name;
	const char	*text;
	int		 status;
	size_t		 len;		/* 0: up to the NUL */
};

static const struct bad bads[] = {
	{ "two Content-Lengths", "POST / HTTP/1.1\r\n" H
	    "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400, 0 },
	{ "a list of lengths", "POST / HTTP/1.1\r\n" H
	    "Content-Length: 1, 1\r\n\r\nx", 400, 0 },
	{ "a length with a sign", "POST / HTTP/1.1\r\n" H
	    "Content-Length: +1\r\n\r\nx", 400, 0 },
	{ "a length in hexadecimals", "POST / HTTP/1.1\r\n" H
	    "Content-Length: 0x1\r\n\r\nx", 400, 0 },
	{ "a length with a zero in front", "POST / HTTP/1.1\r\n" H
	    "Content-Length: 01\r\n\r\nx", 400, 0 },
	{ "a length with a blank inside", "POST / HTTP/1.1\r\n" H
	    "Content-Length: 1 1\r\n\r\nx", 400, 0 },
	{ "a length with a tab behind", "POST / HTTP/1.1\r\n" H
	    "Content-Length: 1\t\r\n\r\nx", 400, 0 },
	{ "an empty length", "POST / HTTP/1.1\r\n" H
	    "Content-Length:\r\n\r\n", 400, 0 },
	{ "an endless length", "POST / HTTP/1.1\r\n" H
	    "Content-Length: 18446744073709551617\r\n\r\nx", 400, 0 },
	{ "a long body", "POST / HTTP/1.1\r\n" H
	    "Content-Length: 65537\r\n\r\nx", 413, 0 },
	{ "Transfer-Encoding", "POST / HTTP/1.1\r\n" H
	    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, 0 },
	{ "Transfer-Encoding: identity", "POST / HTTP/1.1\r\n" H
	    "Transfer-Encoding: identity\r\n\r\n", 400, 0 },
	{ "both", "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\n"
	    "transfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400, 0 },
	{ "Transfer-Encoding with a blank", "POST / HTTP/1.1\r\n" H
	    "Transfer-Encoding : chunked\r\n\r\n", 400, 0 },
	{ "a bare LF in the request line", "GET / HTTP/1.1\n" H "\r\n", 400,
	    0 },
	{ "a bare LF in a header", GOOD "Host: a\n\r\n", 400, 0 },
	{ "a bare LF at the end", GOOD H "\n", 400, 0 },
	{ "a bare CR", GOOD "Host: a\rX: b\r\n\r\n", 400, 0 },
	{ "CR CR LF", GOOD "Host: a\r\r\n\r\n", 400, 0 },
	{ "an empty line first", "\r\n" GOOD H "\r\n", 400, 0 },
	{ "a blank first", " " GOOD H "\r\n", 400, 0 },
	{ "obs-fold", GOOD H "X: a\r\n b\r\n\r\n", 400, 0 },
	{ "obs-fold with a tab", GOOD H "X: a\r\n\tb\r\n\r\n", 400, 0 },
	{ "a fold of the first header", GOOD " Host: a\r\n\r\n", 400, 0 },
	{ "a NUL in a value", GOOD H "X: a\0b\r\n\r\n", 400,
	    27 + 9 + 8 + 2 },
	{ "a NUL in a name", GOOD H "X\0: a\r\n\r\n", 400, 27 + 9 + 7 + 2 },
	{ "a NUL in the target", "GET /\0 HTTP/1.1\r\n" H "\r\n", 400,
	    17 + 9 + 2 },
	{ "a control byte in a value", GOOD H "X: a\001\r\n\r\n", 400, 0 },
	{ "DEL in a value", GOOD H "X: a\177\r\n\r\n", 400, 0 },
	{ "a blank before the colon", GOOD "Host : a\r\n\r\n", 400, 0 },
	{ "a tab before the colon", GOOD "Host\t: a\r\n\r\n", 400, 0 },
	{ "a header without a colon", GOOD H "X\r\n\r\n", 400, 0 },
	{ "a header without a name", GOOD H ": x\r\n\r\n", 400, 0 },
	{ "a name in UTF-8", GOOD H "X\xc3\xa9: x\r\n\r\n", 400, 0 },
	{ "no Host", GOOD "\r\n", 400, 0 },
	{ "two Hosts", GOOD H H "\r\n", 400, 0 },
	{ "an empty Host", GOOD "Host:\r\n\r\n", 400, 0 },
	{ "a Host with a path", GOOD "Host: a/b\r\n\r\n", 400, 0 },
	{ "HTTP/2.0", "GET / HTTP/2.0\r\n" H "\r\n", 400, 0 },
	{ "HTTP/1.2", "GET / HTTP/1.2\r\n" H "\r\n", 400, 0 },
	{ "HTTP/0.9", "GET /\r\n\r\n", 400, 0 },
	{ "HTTP/1.10", "GET / HTTP/1.10\r\n" H "\r\n", 400, 0 },
	{ "http/1.1", "GET / http/1.1\r\n" H "\r\n", 400, 0 },
	{ "the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\n", 400, 0 },
	{ "two blanks", "GET  / HTTP/1.1\r\n" H "\r\n", 400, 0 },
	{ "a tab for a blank", "GET\t/ HTTP/1.1\r\n" H "\r\n", 400, 0 },
	{ "a third word", "GET / a HTTP/1.1\r\n" H "\r\n", 400, 0 },
	{ "a blank behind", "GET / HTTP/1.1 \r\n" H "\r\n", 400, 0 },
	{ "an absolute target", "GET http://a/ HTTP/1.1\r\n" H "\r\n", 400,
	    0 },
	{ "an authority", "CONNECT a:80 HTTP/1.1\r\n" H "\r\n", 400, 0 },
	{ "an asterisk", "OPTIONS * HTTP/1.1\r\n" H "\r\n", 400, 0 },
	{ "a fragment", "GET /#a HTTP/1.1\r\n" H "\r\n", 400, 0 },
	{ "UTF-8 in the target", "GET /\xc3\xa9 HTTP/1.1\r\n" H "\r\n", 400,
	    0 },
	{ "an unknown method", "BREW / HTTP/1.1\r\n" H "\r\n", 400, 0 },
	{ "a method in lower case", "get / HTTP/1.1\r\n" H "\r\n", 400, 0 },
	{ "TRACE", "TRACE / HTTP/1.1\r\n" H "\r\n", 400, 0 },
	{ "Expect", "POST / HTTP/1.1\r\n" H "Expect: 100-continue\r\n"
	    "Content-Length: 1\r\n\r\n", 400, 0 },
	{ "Upgrade", GOOD H "Upgrade: h2c\r\n\r\n", 400, 0 },
	{ "Connection: upgrade", GOOD H "Connection: upgrade\r\n\r\n", 400,
	    0 },
	{ "a header taken off by a hop", GOOD H
	    "Connection: close, X-MBX-APIKEY\r\n\r\n", 400, 0 },
	{ "two keys", GOOD H "X-MBX-APIKEY: a\r\nx-mbx-apikey: a\r\n\r\n",
	    400, 0 },
	{ "two signatures", GOOD H "Drawbridge-Signature: a\r\n"
	    "Drawbridge-Signature: b\r\n\r\n", 400, 0 },
	{ "keys of two doors", GOOD H "X-MBX-APIKEY: a\r\n"
	    "Drawbridge-Key: b\r\n\r\n", 400, 0 },
	{ "two content types", GOOD H "Content-Type: a\r\n"
	    "Content-Type: b\r\n\r\n", 400, 0 },
	{ "an unknown header of ours", GOOD H "Drawbridge-Ip: a\r\n\r\n",
	    400, 0 },
	{ "a key with a blank", GOOD H "X-MBX-APIKEY: a b\r\n\r\n", 400, 0 },
	{ "a body of a GET", GOOD H "Content-Length: 1\r\n\r\nx", 400, 0 },
	{ "a second request", GOOD H "\r\n" GOOD H "\r\n", 400, 0 },
	{ "a byte behind the body", "POST / HTTP/1.1\r\n" H
	    "Content-Length: 1\r\n\r\nxy", 400, 0 },
	{ "a method to be overridden", GOOD H
	    "X-HTTP-Method-Override: POST\r\n\r\n", 400, 0 },
	{ "X-Forwarded-For", GOOD H "X-Forwarded-For: 1.2.3.4\r\n\r\n", 400,
	    0 },
	{ "X-Forwarded-Host", GOOD H "X-forwarded-host: b\r\n\r\n", 400, 0 },
	{ "Forwarded", GOOD H "Forwarded: for=1.2.3.4\r\n\r\n", 400, 0 },
	{ "X-Real-IP", GOOD H "X-Real-IP: 1.2.3.4\r\n\r\n", 400, 0 },
	{ "CF-Connecting-IP", GOOD H "CF-Connecting-IP: 1.2.3.4\r\n\r\n", 400,
	    0 },
	{ "True-Client-IP", GOOD H "True-Client-IP: 1.2.3.4\r\n\r\n", 400,
	    0 },
	{ "X-Client-IP", GOOD H "X-Client-IP: 1.2.3.4\r\n\r\n", 400, 0 },
};

static void
test_bad(void)
{
	const struct bad	*b;
	struct intake		 in;
	size_t			 i, len;

	for (i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
		b = &bads[i];
		check_case(b->name);
		len = b->len != 0 ? b->len : strlen(b->text);
		CHECK_INT(read_all(&in, b->text, len, NULL), INTAKE_BAD);
		CHECK_INT(in.no.status, b->status);
		CHECK(in.no.why != NULL && strpbrk(in.no.why, "\"\\") == NULL);
		CHECK_INT(read_slowly(&in, b->text, len, NULL), INTAKE_BAD);
	}
}

static void
test_long(void)
{
	static char	 p[LONG];
	struct intake	 in;
	int		 n, i;

	check_case("a head of 8192 bytes, and of one more");
	n = snprintf(p, sizeof(p), GOOD H "X: %0*d\r\n\r\n",
	    HEAD_MAX - 27 - 9 - 7, 0);
	CHECK_INT(n, HEAD_MAX);
	CHECK_INT(read_all(&in, p, (size_t)n, NULL), INTAKE_WHOLE);
	n = snprintf(p, sizeof(p), GOOD H "X: %0*d\r\n\r\n",
	    HEAD_MAX - 27 - 9 - 6, 0);
	CHECK_INT(read_all(&in, p, (size_t)n, NULL), INTAKE_BAD);
	CHECK_INT(in.no.status, 431);

	check_case("64 headers, and one more");
	n = snprintf(p, sizeof(p), GOOD H);
	for (i = 1; i < HEAD_LINES_MAX; i++)
		n += snprintf(p + n, sizeof(p) - (size_t)n, "X: a\r\n");
	(void)snprintf(p + n, sizeof(p) - (size_t)n, "\r\n");
	CHECK_INT(read_all(&in, p, (size_t)n + 2, NULL), INTAKE_WHOLE);
	n += snprintf(p + n, sizeof(p) - (size_t)n, "X: a\r\n\r\n");
	CHECK_INT(read_all(&in, p, (size_t)n, NULL), INTAKE_BAD);
	CHECK_INT(in.no.status, 431);

	check_case("facts may be longer");
	n = snprintf(p, sizeof(p), "POST /v1/facts HTTP/1.1\r\n" H
	    "Content-Length: %d\r\n\r\n", BODY_FACTS_MAX);
	CHECK_INT(read_all(&in, p, (size_t)n, NULL), INTAKE_BODY);
	n = snprintf(p, sizeof(p), "POST /v1/facts HTTP/1.1\r\n" H
	    "Content-Length: %d\r\n\r\n", BODY_FACTS_MAX + 1);
	CHECK_INT(read_all(&in, p, (size_t)n, NULL), INTAKE_BAD);
	CHECK_INT(in.no.status, 413);
}

static void
test_forwarded(void)
{
	static const char	 two[] = GOOD H "X-Real-IP: 1.2.3.4\r\n"
		"x-real-ip: 1.2.3.5\r\n\r\n";
	static const char	 other[] = GOOD H "Via-Client: 1.2.3.4\r\n"
		"Via-Client: 1.2.3.4\r\n\r\n";
	struct intake		 in;

	check_case("a proxy's header twice, or another one of it");
	CHECK_INT(read_all(&in, two, sizeof(two) - 1, "x-real-ip"),
	    INTAKE_BAD);
	CHECK_INT(read_all(&in, two, sizeof(two) - 1, "x-forwarded-for"),
	    INTAKE_BAD);
	CHECK(in.no.forwarded);
	CHECK_INT(read_all(&in, other, sizeof(other) - 1, "via-client"),
	    INTAKE_BAD);
	CHECK_INT(read_all(&in, other, sizeof(other) - 1, NULL),
	    INTAKE_WHOLE);
}

int
main(void)
{
	test_good();
	test_bad();
	test_long();
	test_forwarded();
	return check_done();
}
