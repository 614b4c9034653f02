/*
 * A transaction is read by one walk over its bytes and written by another,
 * emit(), which also counts and hashes: what is signed, weighed and sent is
 * the same serialisation.
 */
#include "bitcoin/tx.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "bitcoin/cursor.h"
#include "bitcoin/hash.h"

/* The least that an input and an output take: counts beyond what the bytes
 * can hold are refused before anything is allocated for them. */
#define IN_LEN_MIN	(36 + 1 + 4)
#define OUT_LEN_MIN	(8 + 1)

#define WITNESS_FLAG	1
#define COMPACT_MAX	9
#define SCALE		4	/* BIP141: weight of a byte, witness aside */

size_t
compact_len(uint64_t n)
{
	return n < 0xfd ? 1 : n <= 0xffff ? 3 : n <= 0xffffffff ? 5 : 9;
}

unsigned char *
put_compact(unsigned char *p, uint64_t n)
{
	size_t	 len = compact_len(n);

	if (len == 1)
		return put_le(p, n, 1);
	*p++ = len == 3 ? 0xfd : len == 5 ? 0xfe : 0xff;
	return put_le(p, n, (unsigned)len - 1);
}

bool
outpoint_equal(const struct outpoint *a, const struct outpoint *b)
{
	return a->vout == b->vout &&
	    memcmp(a->txid, b->txid, sizeof(a->txid)) == 0;
}

static enum rc
cut_short(struct err *e)
{
	return err_set(e, "it is cut short, or a length in it is wrong");
}

static enum rc
parse_ins(struct tx *t, uint64_t n, struct cursor *c, struct err *e)
{
	size_t		 i;

	if (n > cursor_left(c) / IN_LEN_MIN)
		return cut_short(e);
	if (n == 0)
		return RC_OK;
	if ((t->in = calloc((size_t)n, sizeof(*t->in))) == NULL)
		return err_set(e, "no memory");
	t->n_in = (size_t)n;
	for (i = 0; i < t->n_in; i++) {
		cursor_copy(c, t->in[i].prev.txid,
		    sizeof(t->in[i].prev.txid));
		t->in[i].prev.vout = cursor_le32(c);
		t->in[i].script_sig = cursor_text(c);
		t->in[i].sequence = cursor_le32(c);
		if (c->bad)
			return err_wrap(e, cut_short(e), "input %zu", i);
	}
	return RC_OK;
}

static enum rc
parse_outs(struct tx *t, struct cursor *c, struct err *e)
{
	uint64_t	 n = cursor_compact(c), amount_sat, sum_sat = 0;
	size_t		 i;

	if (c->bad || n > cursor_left(c) / OUT_LEN_MIN)
		return cut_short(e);
	if (n == 0)
		return RC_OK;
	if ((t->out = calloc((size_t)n, sizeof(*t->out))) == NULL)
		return err_set(e, "no memory");
	t->n_out = (size_t)n;
	for (i = 0; i < t->n_out; i++) {
		amount_sat = cursor_le64(c);
		t->out[i].script = cursor_text(c);
		if (c->bad)
			return err_wrap(e, cut_short(e), "output %zu", i);
		if (amount_sat > TX_MONEY_MAX_SAT ||
		    (sum_sat += amount_sat) > TX_MONEY_MAX_SAT)
			return err_set(e, "output %zu: more money than there "
			    "is", i);
		t->out[i].amount_sat = (int64_t)amount_sat;
	}
	return RC_OK;
}

static enum rc
parse_witness(struct tx_in *in, struct cursor *c, struct err *e)
{
	const unsigned char *begin = c->p;
	uint64_t	 n = cursor_compact(c), k;

	/* Each item has at least its length. */
	if (c->bad || n > cursor_left(c))
		return cut_short(e);
	for (k = 0; k < n; k++)
		(void)cursor_text(c);
	if (c->bad)
		return cut_short(e);
	if (n > 0) {
		in->witness.p = (const char *)begin;
		in->witness.len = (size_t)(c->p - begin);
		in->n_witness = (uint32_t)n;
	}
	return RC_OK;
}

static enum rc
parse_witnesses(struct tx *t, struct cursor *c, struct err *e)
{
	size_t	 i;
	bool	 any = false;

	for (i = 0; i < t->n_in; i++) {
		if (parse_witness(&t->in[i], c, e) != RC_OK)
			return err_wrap(e, RC_FAILED, "witness %zu", i);
		any |= t->in[i].n_witness > 0;
	}
	if (!any)
		return err_set(e, "it says that it has witnesses and has "
		    "none");
	return RC_OK;
}

static enum rc
parse(struct tx *t, bool bare, struct cursor *c, struct err *e)
{
	uint64_t	 n;

	t->version = cursor_le32(c);
	n = cursor_compact(c);
	if (c->bad)
		return cut_short(e);
	if (n == 0 && !bare) {
		/* BIP144: where the count was, a marker; then flags. */
		if (cursor_byte(c) != WITNESS_FLAG)
			return c->bad ? cut_short(e) : err_set(e,
			    "it has no inputs, or flags nobody knows");
		t->has_witness = true;
		n = cursor_compact(c);
		if (!c->bad && n == 0)
			return err_set(e, "it has no inputs");
	}
	if (c->bad)
		return cut_short(e);
	if (parse_ins(t, n, c, e) != RC_OK || parse_outs(t, c, e) != RC_OK)
		return RC_FAILED;
	if (t->n_out == 0 && !bare)
		return err_set(e, "it has no outputs");
	if (t->has_witness && parse_witnesses(t, c, e) != RC_OK)
		return RC_FAILED;
	t->locktime = cursor_le32(c);
	return c->bad ? cut_short(e) : RC_OK;
}

enum rc
tx_parse_at(struct tx *out, size_t *used, bool bare,
    const unsigned char *bytes, size_t len, struct err *e)
{
	/* It may end before its last byte allowed; it may not reach beyond. */
	struct cursor	 c = cursor_of(bytes,
			    len > TX_BYTES_MAX ? TX_BYTES_MAX : len);

	memset(out, 0, sizeof(*out));
	*used = 0;
	if (parse(out, bare, &c, e) != RC_OK) {
		tx_free(out);
		return RC_FAILED;
	}
	*used = (size_t)(c.p - bytes);
	return RC_OK;
}

enum rc
tx_parse(struct tx *out, const unsigned char *bytes, size_t len,
    struct err *e)
{
	size_t	 used;

	if (tx_parse_at(out, &used, false, bytes, len, e) != RC_OK)
		return RC_FAILED;
	if (used == len)
		return RC_OK;
	tx_free(out);
	return err_set(e, "%zu bytes follow it", len - used);
}

void
tx_free(struct tx *t)
{
	free(t->in);
	free(t->out);
	memset(t, 0, sizeof(*t));
}

struct text
tx_witness_item(const struct tx_in *in, uint32_t k)
{
	struct cursor	 c = cursor_of_text(in->witness);
	struct text	 item = { NULL, 0 };
	uint32_t	 i;

	if (k >= in->n_witness)
		return item;
	(void)cursor_compact(&c);
	for (i = 0; i <= k; i++)
		item = cursor_text(&c);
	return item;
}

/* Where a serialisation goes: memory, a hash, or only its length. */
struct sink {
	unsigned char	*p;
	struct sha256	*h;
	size_t		 len;
};

static void
emit_bytes(struct sink *s, const void *bytes, size_t len)
{
	if (len == 0)
		return;
	if (s->p != NULL)
		memcpy(s->p + s->len, bytes, len);
	if (s->h != NULL)
		sha256_add(s->h, bytes, len);
	s->len += len;
}

static void
emit_compact(struct sink *s, uint64_t n)
{
	unsigned char	 buf[COMPACT_MAX];

	emit_bytes(s, buf, (size_t)(put_compact(buf, n) - buf));
}

static void
emit_le(struct sink *s, uint64_t v, unsigned len)
{
	unsigned char	 buf[8];

	(void)put_le(buf, v, len);
	emit_bytes(s, buf, len);
}

static void
emit_text(struct sink *s, struct text t)
{
	emit_compact(s, t.len);
	emit_bytes(s, t.p, t.len);
}

static void
emit_witnesses(struct sink *s, const struct tx *t)
{
	size_t	 i;

	for (i = 0; i < t->n_in; i++) {
		if (t->in[i].witness.p == NULL)
			emit_compact(s, 0);
		else
			emit_bytes(s, t->in[i].witness.p,
			    t->in[i].witness.len);
	}
}

static void
emit(struct sink *s, const struct tx *t, bool with_witness)
{
	size_t	 i;

	emit_le(s, t->version, 4);
	if (with_witness && t->has_witness)
		emit_le(s, WITNESS_FLAG << 8, 2);
	emit_compact(s, t->n_in);
	for (i = 0; i < t->n_in; i++) {
		emit_bytes(s, t->in[i].prev.txid,
		    sizeof(t->in[i].prev.txid));
		emit_le(s, t->in[i].prev.vout, 4);
		emit_text(s, t->in[i].script_sig);
		emit_le(s, t->in[i].sequence, 4);
	}
	emit_compact(s, t->n_out);
	for (i = 0; i < t->n_out; i++) {
		emit_le(s, (uint64_t)t->out[i].amount_sat, 8);
		emit_text(s, t->out[i].script);
	}
	if (with_witness && t->has_witness)
		emit_witnesses(s, t);
	emit_le(s, t->locktime, 4);
}

size_t
tx_size(const struct tx *t, bool with_witness)
{
	struct sink	 s = { NULL, NULL, 0 };

	emit(&s, t, with_witness);
	return s.len;
}

size_t
tx_write(const struct tx *t, bool with_witness, unsigned char *out)
{
	struct sink	 s = { out, NULL, 0 };

	emit(&s, t, with_witness);
	return s.len;
}

static void
hash_of(const struct tx *t, bool with_witness, unsigned char out[32])
{
	struct sha256	 h;
	struct sink	 s = { NULL, &h, 0 };

	sha256_begin(&h);
	emit(&s, t, with_witness);
	hash256_end(&h, out);
}

void
tx_txid(const struct tx *t, unsigned char out[32])
{
	hash_of(t, false, out);
}

void
tx_wtxid(const struct tx *t, unsigned char out[32])
{
	hash_of(t, true, out);
}

size_t
tx_weight(const struct tx *t)
{
	return (SCALE - 1) * tx_size(t, false) + tx_size(t, true);
}

size_t
tx_vsize(const struct tx *t)
{
	return (tx_weight(t) + SCALE - 1) / SCALE;
}
