/*
 * Receipts: what reads is canonical, in bytes and as text; none verifies that
 * nobody signed.
 */
#include <stdlib.h>
#include <string.h>

#include "wire/receipt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool good)
{
	if (!good)
		abort();
}

static void
look_at(const unsigned char bytes[RECEIPT_LEN])
{
	static const unsigned char	 key[32] = { 1 };
	unsigned char			 again[RECEIPT_LEN];
	struct receipt			 r;
	struct err			 e;

	must(!receipt_verify(bytes, key));
	if (receipt_unpack(&r, bytes, &e) != RC_OK)
		return;
	if (r.purpose == RECEIPT_STANDING)
		must(r.id.len == 0 && r.script.len == 0 &&
		    r.amount_sat == 0 && r.fee_max_sat == 0 &&
		    r.expires_ms >= 0);
	else
		must(r.id.len >= 1 && r.id.len <= 64 && r.script.len >= 1 &&
		    r.script.len <= 42 && r.amount_sat > 0 &&
		    r.fee_max_sat >= 0 && r.expires_ms > 0);
	receipt_pack(&r, again);
	must(memcmp(bytes, again, RECEIPT_LEN) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char	 bytes[RECEIPT_LEN];
	char		 text[RECEIPT_BASE64_MAX];
	struct text	 t = { (const char *)data, size };
	struct err	 e;

	if (size == RECEIPT_LEN)
		look_at(data);
	if (receipt_of_text(bytes, t, &e) != RC_OK)
		return 0;
	must(size == strlen(receipt_text(text, bytes)) &&
	    memcmp(text, data, size) == 0);
	look_at(bytes);
	return 0;
}
