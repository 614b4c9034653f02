/*
 * What the signer says of its journal, and what others hand to it, in fixed
 * bytes.
 */
#include "wire/sign.h"

#include <assert.h>
#include <sodium.h>

#include "lib/amount.h"
#include "lib/sha256.h"
#include "wire/bytes.h"

#define TIME_MS_MAX	INT64_C(253402300799999)
#define ID_MAX		64
#define NAME_MAX_LEN	32
#define HEAD_SIGNED	(SIGN_HEAD_LEN - 64)
#define BURNED_SIGNED	(SIGN_BURNED_LEN - 64)

static const char	 head_prefix[] = "drawbridge signer head 1\n";
static const char	 burned_prefix[] = "drawbridge burned 1\n";
static const char	 payment_prefix[] = "drawbridge payment 1\n";

static unsigned char *
put_block(unsigned char *p, const void *bytes, size_t len)
{
	memcpy(p, bytes, len);
	return p + len;
}

static unsigned char *
put_u64(unsigned char *p, uint64_t v)
{
	put_le64(p, v);
	return p + 8;
}

/* A length, the bytes, and zeros up to `room`. */
static unsigned char *
put_filled(unsigned char *p, struct text t, size_t room)
{
	assert(t.len > 0 && t.len <= room);
	*p++ = (unsigned char)t.len;
	memcpy(p, t.p, t.len);
	memset(p + t.len, 0, room - t.len);
	return p + room;
}

static void
get_block(void *out, const unsigned char **p, size_t len)
{
	memcpy(out, *p, len);
	*p += len;
}

static uint64_t
get_u64(const unsigned char **p)
{
	*p += 8;
	return get_le64(*p - 8);
}

static enum rc
get_filled(struct text *out, const unsigned char **p, size_t room,
    const char *what, struct err *e)
{
	size_t	 len = *(*p)++;

	if (len == 0 || len > room)
		return err_set(e, "`%s`: a length that cannot be", what);
	if (!sodium_is_zero(*p + len, room - len))
		return err_set(e, "`%s`: filled up with something", what);
	out->p = (const char *)*p;
	out->len = len;
	*p += room;
	return RC_OK;
}

static enum rc
get_limited(int64_t *out, const unsigned char **p, int64_t max,
    const char *what, struct err *e)
{
	uint64_t	 v = get_u64(p);

	if (v > (uint64_t)max)
		return err_set(e, "`%s`: out of range", what);
	*out = (int64_t)v;
	return RC_OK;
}

/* Signatures over a prefix, with no NUL, and what follows it */

#define MESSAGE_LEN_MAX	256

static size_t
put_message(unsigned char out[MESSAGE_LEN_MAX], const char *prefix,
    const unsigned char *bytes, size_t len)
{
	size_t	 n = strlen(prefix);

	assert(n + len <= MESSAGE_LEN_MAX);
	memcpy(out, prefix, n);
	memcpy(out + n, bytes, len);
	return n + len;
}

static bool
verify(const char *prefix, const unsigned char *bytes, size_t len,
    const unsigned char key[32], const unsigned char signature[64])
{
	unsigned char	 message[MESSAGE_LEN_MAX];
	size_t		 n = put_message(message, prefix, bytes, len);

	return crypto_sign_verify_detached(signature, message, n, key) == 0;
}

static void
sign(unsigned char signature[64], const char *prefix,
    const unsigned char *bytes, size_t len, const unsigned char secret[64])
{
	unsigned char	 message[MESSAGE_LEN_MAX];
	size_t		 n = put_message(message, prefix, bytes, len);

	(void)crypto_sign_detached(signature, NULL, message, n, secret);
}

/* Heads */

void
sign_head_pack(const struct sign_head *h, unsigned char out[SIGN_HEAD_LEN])
{
	unsigned char	*p = out;

	p = put_block(p, h->signer, sizeof(h->signer));
	p = put_block(p, h->deployment, sizeof(h->deployment));
	p = put_u64(p, h->seq);
	p = put_block(p, h->hash, sizeof(h->hash));
	p = put_u64(p, h->height);
	p = put_u64(p, h->engine_seq);
	p = put_u64(p, h->epoch);
	assert(p == out + HEAD_SIGNED);
	memcpy(p, h->signature, sizeof(h->signature));
}

void
sign_head_unpack(struct sign_head *h, const unsigned char in[SIGN_HEAD_LEN])
{
	const unsigned char	*p = in;

	get_block(h->signer, &p, sizeof(h->signer));
	get_block(h->deployment, &p, sizeof(h->deployment));
	h->seq = get_u64(&p);
	get_block(h->hash, &p, sizeof(h->hash));
	h->height = get_u64(&p);
	h->engine_seq = get_u64(&p);
	h->epoch = get_u64(&p);
	assert(p == in + HEAD_SIGNED);
	memcpy(h->signature, p, sizeof(h->signature));
}

bool
sign_head_verify(const struct sign_head *h, const unsigned char key[32])
{
	unsigned char	 bytes[SIGN_HEAD_LEN];

	sign_head_pack(h, bytes);
	return verify(head_prefix, bytes, HEAD_SIGNED, key, h->signature);
}

void
sign_head_sign(struct sign_head *h, const unsigned char secret[64])
{
	unsigned char	 bytes[SIGN_HEAD_LEN];

	sign_head_pack(h, bytes);
	sign(h->signature, head_prefix, bytes, HEAD_SIGNED, secret);
}

void
sign_id_of_key(unsigned char out[16], const unsigned char key[32])
{
	unsigned char	 hash[SHA256_LEN];

	sha256(hash, key, 32);
	memcpy(out, hash, 16);
}

/* Burned ids */

void
sign_burned_pack(const struct sign_burned *b,
    unsigned char out[SIGN_BURNED_LEN])
{
	unsigned char	*p = out;

	assert(b->t_ms <= (uint64_t)TIME_MS_MAX);
	p = put_block(p, b->signer, sizeof(b->signer));
	p = put_block(p, b->deployment, sizeof(b->deployment));
	p = put_u64(p, b->seq);
	p = put_filled(p, b->id, ID_MAX);
	p = put_block(p, b->commitment, sizeof(b->commitment));
	p = put_block(p, b->account_tag, sizeof(b->account_tag));
	p = put_u64(p, b->t_ms);
	memset(p, 0, 16);
	p += 16;
	assert(p == out + BURNED_SIGNED);
	memcpy(p, b->signature, sizeof(b->signature));
}

enum rc
sign_burned_unpack(struct sign_burned *b,
    const unsigned char in[SIGN_BURNED_LEN], struct err *e)
{
	const unsigned char	*p = in;

	get_block(b->signer, &p, sizeof(b->signer));
	get_block(b->deployment, &p, sizeof(b->deployment));
	b->seq = get_u64(&p);
	if (get_filled(&b->id, &p, ID_MAX, "id", e) != RC_OK)
		return RC_FAILED;
	get_block(b->commitment, &p, sizeof(b->commitment));
	get_block(b->account_tag, &p, sizeof(b->account_tag));
	if ((b->t_ms = get_u64(&p)) > (uint64_t)TIME_MS_MAX)
		return err_set(e, "`time`: out of range");
	if (!sodium_is_zero(p, 16))
		return err_set(e, "sixteen bytes that must be zero");
	p += 16;
	assert(p == in + BURNED_SIGNED);
	memcpy(b->signature, p, sizeof(b->signature));
	return RC_OK;
}

bool
sign_burned_verify(const unsigned char in[SIGN_BURNED_LEN],
    const unsigned char key[32])
{
	return verify(burned_prefix, in, BURNED_SIGNED, key,
	    in + BURNED_SIGNED);
}

void
sign_burned_sign(unsigned char in_out[SIGN_BURNED_LEN],
    const unsigned char secret[64])
{
	sign(in_out + BURNED_SIGNED, burned_prefix, in_out, BURNED_SIGNED,
	    secret);
}

void
sign_commitment(unsigned char out[32], struct text script, int64_t amount_sat)
{
	unsigned char	 le[8];
	struct sha256	 h;

	assert(amount_sat >= 0);
	put_le64(le, (uint64_t)amount_sat);
	sha256_begin(&h);
	sha256_add(&h, payment_prefix, sizeof(payment_prefix) - 1);
	sha256_add(&h, le, sizeof(le));
	sha256_add(&h, script.p, script.len);
	sha256_end(&h, out);
}

/* What was signed */

void
sign_entry_pack(const struct sign_entry *n, unsigned char out[SIGN_ENTRY_LEN])
{
	unsigned char	*p = out;

	assert(n->amount_sat >= 0 && n->amount_sat <= AMOUNT_SAT_MAX);
	p = put_u64(p, n->seq);
	p = put_filled(p, n->id, ID_MAX);
	p = put_block(p, n->account_tag, sizeof(n->account_tag));
	p = put_u64(p, (uint64_t)n->amount_sat);
	p = put_u64(p, n->receipt_seq);
	p = put_block(p, n->txid, sizeof(n->txid));
	assert(p == out + SIGN_ENTRY_LEN);
}

enum rc
sign_entry_unpack(struct sign_entry *n,
    const unsigned char in[SIGN_ENTRY_LEN], struct err *e)
{
	const unsigned char	*p = in;

	n->seq = get_u64(&p);
	if (get_filled(&n->id, &p, ID_MAX, "id", e) != RC_OK)
		return RC_FAILED;
	get_block(n->account_tag, &p, sizeof(n->account_tag));
	if (get_limited(&n->amount_sat, &p, AMOUNT_SAT_MAX, "amount",
	    e) != RC_OK)
		return RC_FAILED;
	n->receipt_seq = get_u64(&p);
	get_block(n->txid, &p, sizeof(n->txid));
	assert(p == in + SIGN_ENTRY_LEN);
	return RC_OK;
}

/* Approvals */

void
sign_approval_pack(const struct sign_approval *a,
    unsigned char out[SIGN_APPROVAL_LEN])
{
	unsigned char	*p = out;

	assert(a->expires_ms >= 0 && a->expires_ms <= TIME_MS_MAX);
	p = put_filled(p, a->by, NAME_MAX_LEN);
	p = put_u64(p, (uint64_t)a->expires_ms);
	p = put_block(p, a->signature, sizeof(a->signature));
	assert(p == out + SIGN_APPROVAL_LEN);
}

enum rc
sign_approval_unpack(struct sign_approval *a,
    const unsigned char in[SIGN_APPROVAL_LEN], struct err *e)
{
	const unsigned char	*p = in;

	if (get_filled(&a->by, &p, NAME_MAX_LEN, "name", e) != RC_OK ||
	    get_limited(&a->expires_ms, &p, TIME_MS_MAX, "expires",
	    e) != RC_OK)
		return RC_FAILED;
	get_block(a->signature, &p, sizeof(a->signature));
	assert(p == in + SIGN_APPROVAL_LEN);
	return RC_OK;
}
