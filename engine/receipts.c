#include "engine/receipts.h"

#include <assert.h>
#include <string.h>

#include "lib/ident.h"

#define ACCOUNT_MAX	64

/* Never the fingerprint that the engine's tables go by: whoever knew those
 * could choose names that crowd one place. */
void
receipts_tag(unsigned char out[16], struct text account,
    const struct keyring *keys)
{
	static const char	 head[] = "drawbridge receipt account 1\n";
	char			 named[sizeof(head) + ACCOUNT_MAX];
	struct ident		 tag;

	assert(account.len <= ACCOUNT_MAX);
	memcpy(named, head, sizeof(head) - 1);
	if (account.len > 0)
		memcpy(named + sizeof(head) - 1, account.p, account.len);
	tag = ident_of(&keyring_secrets(keys)->ids, named,
	    sizeof(head) - 1 + account.len);
	memcpy(out, &tag, 16);
}

char *
receipts_sign(char out[RECEIPT_BASE64_MAX], struct receipt *r,
    struct text account, const struct keyring *keys)
{
	unsigned char	 bytes[RECEIPT_LEN], message[RECEIPT_MESSAGE_LEN];

	memcpy(r->deployment, keyring_secrets(keys)->deployment,
	    sizeof(r->deployment));
	r->epoch = RECEIPTS_EPOCH;
	if (r->purpose == RECEIPT_STANDING)
		memset(r->account_tag, 0, sizeof(r->account_tag));
	else
		receipts_tag(r->account_tag, account, keys);
	memset(r->signature, 0, sizeof(r->signature));
	receipt_pack(r, bytes);
	receipt_message(message, bytes);
	keyring_sign(keys, r->signature, message, sizeof(message));
	receipt_pack(r, bytes);
	return receipt_text(out, bytes);
}
