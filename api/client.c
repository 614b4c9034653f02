#include "api/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static const unsigned char mapped[12] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
};

void
client_of(unsigned char ip_out[16], const struct sockaddr_storage *a)
{
	const struct sockaddr_in	*four = (const void *)a;
	const struct sockaddr_in6	*six = (const void *)a;

	memset(ip_out, 0, 16);
	if (a->ss_family == AF_INET6) {
		memcpy(ip_out, &six->sin6_addr, 16);
	} else if (a->ss_family == AF_INET) {
		memcpy(ip_out, mapped, sizeof(mapped));
		memcpy(ip_out + 12, &four->sin_addr, 4);
	}
}

static bool
in_net(const struct config_net *n, const unsigned char ip[16])
{
	unsigned	 whole = n->bits / 8, rest = n->bits % 8;
	unsigned	 mask = 0xffu << (8 - rest) & 0xffu;

	return memcmp(n->ip, ip, whole) == 0 &&
	    (rest == 0 || ((n->ip[whole] ^ ip[whole]) & mask) == 0);
}

bool
client_is_proxy(const struct config *c, const unsigned char ip[16])
{
	size_t	 i;

	for (i = 0; i < c->n_proxies; i++) {
		if (in_net(&c->proxies[i], ip))
			return true;
	}
	return false;
}

bool
client_last(unsigned char ip_out[16], struct text list)
{
	char		 text[CLIENT_TEXT_MAX];
	const char	*from = list.p + list.len;
	size_t		 len = 0;

	while (from > list.p && from[-1] != ',') {
		from--;
		len++;
	}
	while (len > 0 && (*from == ' ' || *from == '\t')) {
		from++;
		len--;
	}
	if (len == 0 || len >= sizeof(text))
		return false;
	memcpy(text, from, len);
	text[len] = '\0';
	if (inet_pton(AF_INET6, text, ip_out) == 1)
		return true;
	memcpy(ip_out, mapped, sizeof(mapped));
	return inet_pton(AF_INET, text, ip_out + 12) == 1;
}

const char *
client_text(char buf[CLIENT_TEXT_MAX], const unsigned char ip[16])
{
	bool	 four = memcmp(ip, mapped, sizeof(mapped)) == 0;

	if (inet_ntop(four ? AF_INET : AF_INET6, four ? ip + 12 : ip, buf,
	    CLIENT_TEXT_MAX) == NULL)
		buf[0] = '\0';
	return buf;
}
