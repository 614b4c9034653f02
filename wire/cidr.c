/*
 * Addresses and networks: text, and who is within.
 */
#include "wire/cidr.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <string.h>

/* The common case without a copy: four numbers up to 255, no leading 0. */
static bool
ipv4(unsigned char ip[16], const char *p, size_t len)
{
	const char	*end = p + len;
	int		 i, v;

	memset(ip, 0, 10);
	ip[10] = ip[11] = 0xff;
	for (i = 0; i < 4; i++) {
		if (p == end || *p < '0' || *p > '9')
			return false;
		v = *p++ - '0';
		while (p < end && *p >= '0' && *p <= '9') {
			if (v == 0 || (v = v * 10 + (*p - '0')) > 255)
				return false;
			p++;
		}
		ip[12 + i] = (unsigned char)v;
		if (i < 3 && (p == end || *p++ != '.'))
			return false;
	}
	return p == end;
}

enum rc
ip_parse(unsigned char ip[16], struct text text, struct err *e)
{
	char	 copy[INET6_ADDRSTRLEN];

	if (ipv4(ip, text.p, text.len))
		return RC_OK;
	if (text.len < sizeof(copy) &&
	    memchr(text.p, '\0', text.len) == NULL) {
		memcpy(copy, text.p, text.len);
		copy[text.len] = '\0';
		if (inet_pton(AF_INET6, copy, ip) == 1)
			return RC_OK;
	}
	return err_set(e, "no IP address");
}

enum rc
cidr_parse(struct cidr *out, struct text text, struct err *e)
{
	const char		*slash = memchr(text.p, '/', text.len);
	struct text	 ip = text;
	int			 bits = -1, max, i;
	const char		*p;

	if (slash != NULL)
		ip.len = (size_t)(slash - text.p);
	if (ip_parse(out->ip, ip, e) != RC_OK)
		return err_set(e, "no network: want ADDRESS or ADDRESS/BITS");
	max = memchr(ip.p, ':', ip.len) != NULL ? 128 : 32;
	if (slash != NULL) {
		for (bits = 0, p = slash + 1; p < text.p + text.len; p++) {
			if (*p < '0' || *p > '9' || p > slash + 3)
				return err_set(e, "no number after the `/`");
			bits = bits * 10 + (*p - '0');
		}
		if (p == slash + 1)
			return err_set(e, "no number after the `/`");
		if (bits > max)
			return err_set(e, "/%d: at most /%d", bits, max);
	}
	bits = (bits < 0 ? max : bits) + 128 - max;
	for (i = 0; i < 16; i++) {
		if (bits < i * 8 + 8)
			out->ip[i] &= (unsigned char)(bits <= i * 8 ? 0 :
			    0xff << (i * 8 + 8 - bits));
	}
	out->bits = (uint8_t)bits;
	return RC_OK;
}

/* Is the whole network within what IPv4 is mapped into? */
static bool
is_v4(const unsigned char ip[16], int bits)
{
	static const unsigned char	 mapped[12] = {
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

	return bits >= 96 && memcmp(ip, mapped, sizeof(mapped)) == 0;
}

static char *
address_text(char buf[CIDR_TEXT_MAX], const unsigned char ip[16], int bits)
{
	const char	*s;

	s = is_v4(ip, bits) ? inet_ntop(AF_INET, ip + 12, buf, CIDR_TEXT_MAX) :
	    inet_ntop(AF_INET6, ip, buf, CIDR_TEXT_MAX);
	assert(s != NULL);
	return buf;
}

char *
ip_text(char buf[CIDR_TEXT_MAX], const unsigned char ip[16])
{
	return address_text(buf, ip, 128);
}

char *
cidr_text(char buf[CIDR_TEXT_MAX], const struct cidr *c)
{
	size_t	 n = strlen(address_text(buf, c->ip, c->bits));

	(void)snprintf(buf + n, CIDR_TEXT_MAX - n, "/%d",
	    is_v4(c->ip, c->bits) ? c->bits - 96 : c->bits);
	return buf;
}

bool
cidr_holds(const struct cidr *c, const unsigned char ip[16])
{
	size_t		 whole = c->bits / 8;
	unsigned	 rest = c->bits % 8;

	if (memcmp(c->ip, ip, whole) != 0)
		return false;
	return rest == 0 || ((c->ip[whole] ^ ip[whole]) >> (8 - rest)) == 0;
}

bool
cidr_covers(const struct cidr *c, const struct cidr *inner)
{
	return inner->bits >= c->bits && cidr_holds(c, inner->ip);
}
