#include "api/proxy.h"

#include <string.h>

#define FIXED	16	/* signature, command, family, length */

static const unsigned char signature[12] = {
	0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a
};

enum proxy_state
proxy_parse(unsigned char ip_out[16], bool *known_out, size_t *len_out,
    const unsigned char *p, size_t len)
{
	size_t	 said, least;

	if (memcmp(p, signature, len < sizeof(signature) ? len :
	    sizeof(signature)) != 0)
		return PROXY_BAD;
	if (len < FIXED)
		return PROXY_MORE;
	said = (size_t)p[14] << 8 | p[15];
	if ((p[12] >> 4) != 2 || said > PROXY_MAX - FIXED)
		return PROXY_BAD;
	*len_out = FIXED + said;
	*known_out = (p[12] & 15) == 1;
	if ((p[12] & 15) > 1)
		return PROXY_BAD;
	/* LOCAL: the address, if any, is to be ignored. */
	if (!*known_out)
		return len < *len_out ? PROXY_MORE : PROXY_DONE;
	/* A stream over IPv4 or IPv6, and nothing else. */
	if (p[13] != 0x11 && p[13] != 0x21)
		return PROXY_BAD;
	least = p[13] == 0x11 ? 12 : 36;
	if (said < least)
		return PROXY_BAD;
	if (len < *len_out)
		return PROXY_MORE;
	if (p[13] == 0x21) {
		memcpy(ip_out, p + FIXED, 16);
		return PROXY_DONE;
	}
	memset(ip_out, 0, 10);
	ip_out[10] = ip_out[11] = 0xff;
	memcpy(ip_out + 12, p + FIXED, 4);
	return PROXY_DONE;
}
