/*
 * Addresses from outside.  The first byte chooses the network.  What is
 * taken must come out again as the same address, and no other network that
 * spells differently may take it.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "bitcoin/address.h"
#include "bitcoin/base58.h"
#include "bitcoin/bech32.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
round_trip(const struct address *a, enum network net, const char *text,
    size_t len)
{
	char		 again[ADDRESS_TEXT_MAX];
	struct address	 b;

	assert(a->len <= ADDRESS_SCRIPT_MAX);
	if (!address_encode(again, net, a->script, a->len))
		abort();
	/* Bech32 may have been in upper case; nothing else may differ. */
	if (strlen(again) != len || strncasecmp(again, text, len) != 0)
		abort();
	if (address_parse(&b, net, again, len, NULL) != RC_OK)
		abort();
	if (b.len != a->len || b.form != a->form ||
	    memcmp(b.script, a->script, a->len) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char	 bytes[BASE58_BYTES_MAX];
	char		 b58[BASE58_TEXT_MAX + 2];
	char		 b32[BECH32_TEXT_MAX + 1];
	struct bech32	 b;
	struct address	 a;
	struct err	 e;
	enum network	 net;
	const char	*text;
	size_t		 len, n;

	if (size == 0)
		return 0;
	net = (enum network)(data[0] % 4);
	text = (const char *)data + 1;
	len = size - 1;
	e.text[0] = '\0';
	if (address_parse(&a, net, text, len, &e) == RC_OK)
		round_trip(&a, net, text, len);
	else if (e.text[0] == '\0')
		abort();	/* Every refusal has a reason. */
	if (base58_decode(bytes, &n, text, len, NULL) == RC_OK &&
	    (base58_encode(b58, bytes, n) != len ||
	    memcmp(b58, text, len) != 0))
		abort();
	if (bech32_decode(&b, text, len, NULL) == RC_OK &&
	    (bech32_encode(b32, b.spec, b.hrp, b.hrp_len, b.values, b.len) !=
	    len || strncasecmp(b32, text, len) != 0))
		abort();
	return 0;
}
