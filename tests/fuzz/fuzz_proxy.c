/*
 * PROXY headers of version 2 and lists of addresses.  A header that is taken
 * whole is awaited at every byte before, and never depends on what follows.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/client.h"
#include "api/proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
in_pieces(const uint8_t *data, size_t len, const unsigned char ip[16])
{
	unsigned char	 other[16];
	bool		 known;
	size_t		 n, i;

	for (i = 0; i < len; i++) {
		if (proxy_parse(other, &known, &n, data, i) != PROXY_MORE)
			abort();
	}
	if (proxy_parse(other, &known, &n, data, len) != PROXY_DONE ||
	    n != len || (known && memcmp(ip, other, 16) != 0))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char	 ip[16], again[16];
	char		 text[CLIENT_TEXT_MAX];
	struct text	 list = { (const char *)data, size };
	bool		 known;
	size_t		 len;

	switch (proxy_parse(ip, &known, &len, data, size)) {
	case PROXY_DONE:
		if (len > size || len > PROXY_MAX)
			abort();
		in_pieces(data, len, ip);
		break;
	case PROXY_MORE:
		if (size >= PROXY_MAX)
			abort();
		break;
	case PROXY_BAD:
		break;
	}
	if (client_last(ip, list)) {
		(void)client_text(text, ip);
		if (!client_last(again, text_of(text)) ||
		    memcmp(ip, again, 16) != 0)
			abort();
	}
	return 0;
}
