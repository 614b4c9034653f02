#include "wire/receipt.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "lib/amount.h"
#include "wire/bytes.h"

#define VERSION		1
#define ID_MAX		64
#define SCRIPT_MAX	42
#define TIME_MS_MAX	INT64_C(253402300799999)

static const char	 prefix[] = "drawbridge receipt 1\n";

/* A length, the bytes, and zeros up to `room`. */
static unsigned char *
put_padded(unsigned char *p, struct text t, size_t room)
{
	assert(t.len <= room);
	*p++ = (unsigned char)t.len;
	if (t.len > 0)
		memcpy(p, t.p, t.len);
	memset(p + t.len, 0, room - t.len);
	return p + room;
}

static unsigned char *
put_block(unsigned char *p, const void *bytes, size_t len)
{
	memcpy(p, bytes, len);
	return p + len;
}

static unsigned char *
put_number(unsigned char *p, int64_t v)
{
	assert(v >= 0);
	put_le64(p, (uint64_t)v);
	return p + 8;
}

void
receipt_pack(const struct receipt *r, unsigned char out[RECEIPT_LEN])
{
	unsigned char	*p = out;

	assert(r->purpose >= RECEIPT_PAY && r->purpose <= RECEIPT_STANDING);
	/* Whoever stands somewhere pays nobody. */
	assert(r->purpose == RECEIPT_STANDING ? r->id.len == 0 &&
	    r->script.len == 0 && r->amount_sat == 0 && r->fee_max_sat == 0 :
	    r->id.len > 0 && r->script.len > 0 && r->amount_sat > 0);
	*p++ = VERSION;
	*p++ = (unsigned char)r->purpose;
	p = put_block(p, r->deployment, sizeof(r->deployment));
	*p++ = r->network;
	put_le32(p, r->epoch);
	put_le64(p + 4, r->seq);
	p = put_block(p + 12, r->head, sizeof(r->head));
	p = put_block(p, r->policy, sizeof(r->policy));
	p = put_padded(p, r->id, ID_MAX);
	p = put_block(p, r->account_tag, sizeof(r->account_tag));
	p = put_padded(p, r->script, SCRIPT_MAX);
	p = put_number(p, r->amount_sat);
	p = put_number(p, r->fee_max_sat);
	p = put_number(p, r->expires_ms);
	assert(p == out + RECEIPT_SIGNED);
	memcpy(p, r->signature, sizeof(r->signature));
}

/* `none`: there must be nothing instead. */
static enum rc
get_padded(struct text *out, const unsigned char **p, size_t room, bool none,
    const char *what, struct err *e)
{
	size_t	 len = *(*p)++, i;

	if ((len == 0) != none || len > room)
		return err_set(e, "`%s`: a length that cannot be", what);
	for (i = len; i < room; i++) {
		if ((*p)[i] != 0)
			return err_set(e, "`%s`: filled up with something",
			    what);
	}
	out->p = (const char *)*p;
	out->len = len;
	*p += room;
	return RC_OK;
}

static enum rc
get_number(int64_t *out, const unsigned char **p, int64_t min, int64_t max,
    const char *what, struct err *e)
{
	uint64_t	 v = get_le64(*p);

	*p += 8;
	if (v < (uint64_t)min || v > (uint64_t)max)
		return err_set(e, "`%s`: out of range", what);
	*out = (int64_t)v;
	return RC_OK;
}

static void
get_block(void *out, const unsigned char **p, size_t len)
{
	memcpy(out, *p, len);
	*p += len;
}

/* Up to the policy's hash. */
static enum rc
get_first(struct receipt *out, const unsigned char **p, struct err *e)
{
	uint8_t	 purpose;

	if (*(*p)++ != VERSION)
		return err_set(e, "`version`: not one that is known");
	purpose = *(*p)++;
	if (purpose < RECEIPT_PAY || purpose > RECEIPT_STANDING)
		return err_set(e, "`purpose`: not one that is known");
	out->purpose = (enum receipt_purpose)purpose;
	get_block(out->deployment, p, sizeof(out->deployment));
	if ((out->network = *(*p)++) > 3)
		return err_set(e, "`network`: not one that is known");
	out->epoch = get_le32(*p);
	out->seq = get_le64(*p + 4);
	*p += 12;
	get_block(out->head, p, sizeof(out->head));
	get_block(out->policy, p, sizeof(out->policy));
	return RC_OK;
}

/* The amounts and the expiry; a standing has only that, and may not. */
static enum rc
get_numbers(struct receipt *out, const unsigned char **p, bool standing,
    struct err *e)
{
	int64_t	 least = standing ? 0 : 1, most = standing ? 0 : AMOUNT_SAT_MAX;

	if (get_number(&out->amount_sat, p, least, most, "amount",
	    e) != RC_OK || get_number(&out->fee_max_sat, p, 0, most, "fee",
	    e) != RC_OK)
		return RC_FAILED;
	return get_number(&out->expires_ms, p, least, TIME_MS_MAX, "expires",
	    e);
}

enum rc
receipt_unpack(struct receipt *out, const unsigned char in[RECEIPT_LEN],
    struct err *e)
{
	const unsigned char	*p = in;
	bool			 standing;

	if (get_first(out, &p, e) != RC_OK)
		return RC_FAILED;
	standing = out->purpose == RECEIPT_STANDING;
	if (get_padded(&out->id, &p, ID_MAX, standing, "id", e) != RC_OK)
		return RC_FAILED;
	get_block(out->account_tag, &p, sizeof(out->account_tag));
	if (standing && !sodium_is_zero(out->account_tag,
	    sizeof(out->account_tag)))
		return err_set(e, "`account tag`: where there is no account");
	if (get_padded(&out->script, &p, SCRIPT_MAX, standing, "script",
	    e) != RC_OK || get_numbers(out, &p, standing, e) != RC_OK)
		return RC_FAILED;
	assert(p == in + RECEIPT_SIGNED);
	memcpy(out->signature, p, sizeof(out->signature));
	return RC_OK;
}

const char *
receipt_purpose_text(enum receipt_purpose p)
{
	switch (p) {
	case RECEIPT_PAY:
		return "pay";
	case RECEIPT_PAY_OWN:
		return "pay-own";
	case RECEIPT_BURN:
		return "burn";
	case RECEIPT_STANDING:
		return "standing";
	}
	return "unknown";
}

void
receipt_message(unsigned char out[RECEIPT_MESSAGE_LEN],
    const unsigned char in[RECEIPT_LEN])
{
	_Static_assert(sizeof(prefix) - 1 + RECEIPT_SIGNED ==
	    RECEIPT_MESSAGE_LEN, "as the header says");
	memcpy(out, prefix, sizeof(prefix) - 1);
	memcpy(out + sizeof(prefix) - 1, in, RECEIPT_SIGNED);
}

bool
receipt_verify(const unsigned char in[RECEIPT_LEN],
    const unsigned char engine_key[32])
{
	unsigned char	 message[RECEIPT_MESSAGE_LEN];

	receipt_message(message, in);
	return crypto_sign_verify_detached(in + RECEIPT_SIGNED, message,
	    sizeof(message), engine_key) == 0;
}

char *
receipt_text(char out[RECEIPT_BASE64_MAX], const unsigned char in[RECEIPT_LEN])
{
	return sodium_bin2base64(out, RECEIPT_BASE64_MAX, in, RECEIPT_LEN,
	    sodium_base64_VARIANT_ORIGINAL);
}

enum rc
receipt_of_text(unsigned char out[RECEIPT_LEN], struct text t, struct err *e)
{
	char	 again[RECEIPT_BASE64_MAX];
	size_t	 len = 0;

	/* Written again it is the same: one receipt has one text. */
	if (t.p == NULL || sodium_base642bin(out, RECEIPT_LEN, t.p, t.len,
	    NULL, &len, NULL, sodium_base64_VARIANT_ORIGINAL) != 0 ||
	    len != RECEIPT_LEN || t.len != strlen(receipt_text(again, out)) ||
	    memcmp(again, t.p, t.len) != 0)
		return err_set(e, "not a receipt: %d bytes in base64 are",
		    RECEIPT_LEN);
	return RC_OK;
}
