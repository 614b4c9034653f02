/* The PROXY header, version 2, and addresses. */
#include "api/client.h"
#include "api/proxy.h"
#include "tests/check.h"

static const unsigned char four[] = {
	0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a,
	0x21, 0x11, 0x00, 0x0c, 192, 0, 2, 7, 10, 0, 0, 1, 0x30, 0x39, 0x01,
	0xbb
};

static enum proxy_state
parse(const unsigned char *p, size_t len, unsigned char ip[16], bool *known,
    size_t *used)
{
	return proxy_parse(ip, known, used, p, len);
}

static void
test_four(void)
{
	unsigned char	 ip[16];
	char		 text[CLIENT_TEXT_MAX];
	bool		 known;
	size_t		 used, i;

	check_case("IPv4, whole and at each byte");
	for (i = 0; i < sizeof(four); i++)
		CHECK_INT(parse(four, i, ip, &known, &used), PROXY_MORE);
	CHECK_INT(parse(four, sizeof(four), ip, &known, &used), PROXY_DONE);
	CHECK(known);
	CHECK_INT(used, sizeof(four));
	CHECK_STR(client_text(text, ip), "192.0.2.7");
}

static void
test_others(void)
{
	unsigned char	 p[80] = { 0 }, ip[16];
	char		 text[CLIENT_TEXT_MAX];
	bool		 known;
	size_t		 used;

	check_case("IPv6, with more behind the address");
	memcpy(p, four, 16);
	p[13] = 0x21;
	p[15] = 36 + 4;
	p[16] = 0x20;
	p[17] = 0x01;
	p[31] = 0x09;
	CHECK_INT(parse(p, 55, ip, &known, &used), PROXY_MORE);
	CHECK_INT(parse(p, 56, ip, &known, &used), PROXY_DONE);
	CHECK_INT(used, 56);
	CHECK_STR(client_text(text, ip), "2001::9");

	check_case("LOCAL: the proxy for itself");
	p[12] = 0x20;
	p[13] = 0;
	p[15] = 0;
	CHECK_INT(parse(p, 16, ip, &known, &used), PROXY_DONE);
	CHECK(!known);
	CHECK_INT(used, 16);
}

static void
test_bad(void)
{
	static const struct { const char *why; int at; unsigned char b; }
	bad[] = {
		{ "signature", 4, 1 }, { "version", 12, 0x11 },
		{ "command", 12, 0x22 }, { "a datagram", 13, 0x12 },
		{ "a socket's path", 13, 0x31 }, { "unspecified", 13, 0 },
		{ "too short for it", 15, 11 }, { "longer than ours", 14, 9 },
	};
	unsigned char	 p[sizeof(four)], ip[16];
	bool		 known;
	size_t		 used, i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		check_case(bad[i].why);
		memcpy(p, four, sizeof(p));
		p[bad[i].at] = bad[i].b;
		CHECK_INT(parse(p, sizeof(p), ip, &known, &used), PROXY_BAD);
	}
	check_case("version 1, or none");
	CHECK_INT(parse((const unsigned char *)"PROXY TCP4", 10, ip, &known,
	    &used), PROXY_BAD);
	CHECK_INT(parse((const unsigned char *)"GET /", 5, ip, &known,
	    &used), PROXY_BAD);
}

static void
test_last(void)
{
	static const char *const	 bad[] = { "", "192.0.2.1,",
		"192.0.2.1, ", "192.0.2.1 192.0.2.2", "unknown", "192.0.2",
		"192.0.2.1:80", "192.0.2.1 :80",
		"[::1]", "192.0.2.256", "::ffff:1.2.3.4.5",
		"11111111111111111111111111111111111111111111111111111" };
	unsigned char	 ip[16];
	char		 text[CLIENT_TEXT_MAX];
	size_t		 i;

	check_case("the last of a list");
	CHECK(client_last(ip, text_of("10.1.1.1, 192.0.2.9")));
	CHECK_STR(client_text(text, ip), "192.0.2.9");
	CHECK(client_last(ip, text_of("2001:db8::1")));
	CHECK_STR(client_text(text, ip), "2001:db8::1");
	/* One address, however it is spelled. */
	CHECK(client_last(ip, text_of("::ffff:192.0.2.9")));
	CHECK_STR(client_text(text, ip), "192.0.2.9");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(!client_last(ip, text_of(bad[i])));
}

static void
test_nets(void)
{
	static struct config	 c;
	unsigned char		 ip[16];

	check_case("listed proxies");
	c.n_proxies = 1;
	CHECK(client_last(c.proxies[0].ip, text_of("10.1.2.0")));
	c.proxies[0].bits = 96 + 23;
	CHECK(client_last(ip, text_of("10.1.3.255")));
	CHECK(client_is_proxy(&c, ip));
	CHECK(client_last(ip, text_of("10.1.4.0")));
	CHECK(!client_is_proxy(&c, ip));
	c.proxies[0].bits = 128;
	CHECK(client_last(ip, text_of("10.1.2.1")));
	CHECK(!client_is_proxy(&c, ip));
	CHECK(client_last(ip, text_of("10.1.2.0")));
	CHECK(client_is_proxy(&c, ip));
}

int
main(void)
{
	test_four();
	test_others();
	test_bad();
	test_last();
	test_nets();
	return check_done();
}
