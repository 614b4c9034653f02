/*
 * Reading rows.  Nothing in a row is believed before it was compared: a row
 * comes from a file that somebody else may have had.
 */
#include "db/row.h"

#include <assert.h>
#include <inttypes.h>
#include <sodium.h>
#include <string.h>

#include "db/keyring.h"
#include "db/row_inner.h"
#include "lib/civil.h"
#include "lib/sha256.h"
#include "wire/bytes.h"

void
row_hash(unsigned char out[ROW_HASH_LEN], const unsigned char *before,
    const void *bytes, size_t len)
{
	struct sha256	 h;

	sha256_begin(&h);
	sha256_add(&h, before, ROW_HASH_LEN);
	sha256_add(&h, bytes, len);
	sha256_end(&h, out);
}

uint32_t
row_month(int64_t t_ms)
{
	int64_t	 days = t_ms / MS_PER_DAY - (t_ms % MS_PER_DAY < 0);
	int	 year, month, day;

	civil_date(days, &year, &month, &day);
	return (uint32_t)(INT64_C(12) * year + month - 1);
}

static void
head_get(struct row_head *h, const unsigned char *row)
{
	h->semantics = get_le32(row + 4);
	h->seq = get_le64(row + 8);
	h->t_ms = (int64_t)get_le64(row + 16);
	h->events = get_le32(row + 24);
	h->month = get_le32(row + 28);
	memcpy(h->policy, row + 32, sizeof(h->policy));
	h->open_len = get_le32(row + 64);
	h->sealed_len = get_le32(row + 68);
}

static enum rc
head_check(const struct row_head *h, size_t len, uint64_t seq, struct err *e)
{
	if (h->seq == 0)
		return err_set(e, "begins with event 0");
	if (seq != 0 && h->seq != seq)
		return err_set(e, "begins with event %" PRIu64
		    ", but event %" PRIu64 " comes next", h->seq, seq);
	if (h->events == 0 || h->events > ROW_EVENTS_MAX)
		return err_set(e, "has %" PRIu32 " events; 1 to %d may be "
		    "in a row", h->events, ROW_EVENTS_MAX);
	if (h->seq > UINT64_MAX - h->events)
		return err_set(e, "counts its events past the last number");
	if (h->month != row_month(h->t_ms))
		return err_set(e, "its month is not its time's");
	if (h->sealed_len != 0 && h->sealed_len <= ROW_SEAL_EXTRA)
		return err_set(e, "a sealed part of %" PRIu32 " bytes",
		    h->sealed_len);
	/* Each has three lengths, of a byte at least. */
	if (h->open_len / 3 < h->events)
		return err_set(e, "%" PRIu32 " bytes cannot hold %" PRIu32
		    " events", h->open_len, h->events);
	if ((uint64_t)ROW_HEAD_LEN + h->open_len + h->sealed_len +
	    ROW_HASH_LEN != len)
		return err_set(e, "is %zu bytes long, but says %" PRIu64,
		    len, (uint64_t)ROW_HEAD_LEN + h->open_len +
		    h->sealed_len + ROW_HASH_LEN);
	return RC_OK;
}

enum rc
row_parse(struct row_head *out, const unsigned char *row, size_t len,
    uint64_t seq, struct err *e)
{
	if (len < ROW_LEN_MIN)
		return err_set(e, "is %zu bytes long, shorter than any row",
		    len);
	if (len > ROW_LEN_MAX)
		return err_set(e, "is %zu bytes long, longer than any row",
		    len);
	if (get_le32(row) != ROW_MAGIC)
		return err_set(e, "does not begin like a row");
	head_get(out, row);
	return head_check(out, len, seq, e);
}

enum rc
row_check(const unsigned char *row, size_t len,
    unsigned char hash[ROW_HASH_LEN], struct err *e)
{
	unsigned char	 own[ROW_HASH_LEN];

	assert(len >= ROW_LEN_MIN);
	row_hash(own, hash, row, len - ROW_HASH_LEN);
	if (memcmp(own, row + len - ROW_HASH_LEN, ROW_HASH_LEN) != 0)
		return err_set(e, "its hash does not follow from the row "
		    "before and its own bytes");
	memcpy(hash, own, ROW_HASH_LEN);
	return RC_OK;
}

void
row_nonce(unsigned char out[ROW_NONCE_LEN],
    const unsigned char month_key[ROW_KEY_LEN], const unsigned char *row,
    size_t row_len, const unsigned char *plain, size_t plain_len)
{
	crypto_generichash_state	 s;
	unsigned char			 key[ROW_KEY_LEN];
	int				 bad;

	keyring_subkey(key, month_key, KEY_NONCE);
	/* The head says how long each part is: no two rows run together. */
	bad = crypto_generichash_init(&s, key, sizeof(key), ROW_NONCE_LEN);
	bad |= crypto_generichash_update(&s, row, row_len);
	bad |= crypto_generichash_update(&s, plain, plain_len);
	bad |= crypto_generichash_final(&s, out, ROW_NONCE_LEN);
	assert(bad == 0);
	sodium_memzero(key, sizeof(key));
	sodium_memzero(&s, sizeof(s));
}

enum rc
row_unseal(unsigned char *plain, const unsigned char *row, size_t len,
    const unsigned char key[ROW_KEY_LEN], struct err *e)
{
	unsigned char		 seal[ROW_KEY_LEN];
	const unsigned char	*sealed;
	struct row_head		 h;
	size_t			 open;
	int			 bad;

	assert(len >= ROW_LEN_MIN);
	head_get(&h, row);
	open = ROW_HEAD_LEN + (size_t)h.open_len;
	assert(h.sealed_len > ROW_SEAL_EXTRA);
	assert(open + h.sealed_len + ROW_HASH_LEN == len);
	sealed = row + open;
	keyring_subkey(seal, key, KEY_SEAL);
	bad = crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL,
	    sealed + ROW_NONCE_LEN, h.sealed_len - ROW_NONCE_LEN, row, open,
	    sealed, seal);
	sodium_memzero(seal, sizeof(seal));
	if (bad != 0)
		return err_set(e, "its sealed part does not open with the "
		    "key of its month");
	return RC_OK;
}

void
row_walk(struct row_walk *w, const struct row_head *h,
    const unsigned char *row, const unsigned char *plain)
{
	w->p = row + ROW_HEAD_LEN;
	w->end = w->p + h->open_len;
	w->plain = plain;
	w->sealed_left = h->sealed_len == 0 ? 0 :
	    h->sealed_len - ROW_SEAL_EXTRA;
	w->seq = h->seq;
	w->left = h->events;
}

enum rc
row_next(struct row_walk *w, struct row_event *out, bool *more_out,
    struct err *e)
{
	struct bytes	 b = bytes_of(w->p, (size_t)(w->end - w->p));
	struct text	 open, outcomes;
	uint64_t	 sealed_len;

	*more_out = w->left > 0;
	if (w->left == 0) {
		if (w->p != w->end)
			return err_set(e, "%td bytes are left over after its "
			    "last event", w->end - w->p);
		if (w->sealed_left != 0)
			return err_set(e, "%zu sealed bytes are left over "
			    "after its last event", w->sealed_left);
		return RC_OK;
	}
	open = get_text(&b, ROW_LEN_MAX);
	sealed_len = get_varint(&b);
	outcomes = get_text(&b, ROW_LEN_MAX);
	if (b.bad)
		return err_set(e, "event %" PRIu64 ": its lengths are not "
		    "those of the row", w->seq);
	if (sealed_len > w->sealed_left)
		return err_set(e, "event %" PRIu64 ": has %" PRIu64 " sealed "
		    "bytes where %zu are left", w->seq, sealed_len,
		    w->sealed_left);
	out->seq = w->seq++;
	out->open = (const unsigned char *)open.p;
	out->open_len = open.len;
	out->outcomes = (const unsigned char *)outcomes.p;
	out->outcomes_len = outcomes.len;
	out->sealed = w->plain;
	out->sealed_len = (size_t)sealed_len;
	if (w->plain != NULL)
		w->plain += sealed_len;
	w->sealed_left -= (size_t)sealed_len;
	w->p = b.p;
	w->left--;
	return RC_OK;
}
