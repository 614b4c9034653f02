/*
 * Nothing here is put together in memory first: the messages are hashed piece
 * by piece, so that nothing is allocated and no length is a limit.
 */
#include "bitcoin/sighash.h"

#include <assert.h>
#include <string.h>

#include "bitcoin/cursor.h"
#include "bitcoin/hash.h"
#include "bitcoin/script.h"

#define OUTPOINT_LEN		36
#define COMPACT_MAX		9
#define BASE_MASK		0x1f	/* of a type before taproot */

static unsigned char *
add_bytes(unsigned char *p, const void *bytes, size_t len)
{
	memcpy(p, bytes, len);
	return p + len;
}

static unsigned char *
add_outpoint(unsigned char *p, const struct outpoint *o)
{
	return put_le(add_bytes(p, o->txid, sizeof(o->txid)), o->vout, 4);
}

static void
hash_u32(struct sha256 *h, uint32_t v)
{
	unsigned char	 b[4];

	sha256_add(h, b, (size_t)(put_le(b, v, 4) - b));
}

static void
hash_compact(struct sha256 *h, uint64_t n)
{
	unsigned char	 b[COMPACT_MAX];

	sha256_add(h, b, (size_t)(put_compact(b, n) - b));
}

static void
hash_output(struct sha256 *h, const struct tx_out *o)
{
	unsigned char	 b[8 + COMPACT_MAX], *p;

	p = put_compact(put_le(b, (uint64_t)o->amount_sat, 8), o->script.len);
	sha256_add(h, b, (size_t)(p - b));
	if (o->script.len > 0)
		sha256_add(h, o->script.p, o->script.len);
}

void
sighash_begin(struct sighash *s, const struct tx *tx,
    const struct tx_out *spent)
{
	struct sha256	 prevouts, sequences, outputs, amounts, scripts;
	unsigned char	 b[OUTPOINT_LEN];
	size_t		 i;

	s->tx = tx;
	s->spent = spent;
	sha256_begin(&prevouts);
	sha256_begin(&sequences);
	sha256_begin(&outputs);
	sha256_begin(&amounts);
	sha256_begin(&scripts);
	for (i = 0; i < tx->n_in; i++) {
		sha256_add(&prevouts, b,
		    (size_t)(add_outpoint(b, &tx->in[i].prev) - b));
		hash_u32(&sequences, tx->in[i].sequence);
		sha256_add(&amounts, b, (size_t)(put_le(b,
		    (uint64_t)spent[i].amount_sat, 8) - b));
		hash_compact(&scripts, spent[i].script.len);
		if (spent[i].script.len > 0)
			sha256_add(&scripts, spent[i].script.p,
			    spent[i].script.len);
	}
	for (i = 0; i < tx->n_out; i++)
		hash_output(&outputs, &tx->out[i]);
	sha256_end(&prevouts, s->prevouts);
	sha256_end(&sequences, s->sequences);
	sha256_end(&outputs, s->outputs);
	sha256_end(&amounts, s->amounts);
	sha256_end(&scripts, s->scripts);
	sha256(s->prevouts2, s->prevouts, SHA256_LEN);
	sha256(s->sequences2, s->sequences, SHA256_LEN);
	sha256(s->outputs2, s->outputs, SHA256_LEN);
}

static void
hash_one_output(unsigned char out[SHA256_LEN], const struct tx_out *o)
{
	struct sha256	 h;

	sha256_begin(&h);
	hash_output(&h, o);
	sha256_end(&h, out);
}

void
sighash_v0(unsigned char out[32], const struct sighash *s, size_t in,
    struct text script_code, uint32_t type)
{
	static const unsigned char zero[32];
	const struct tx	*tx = s->tx;
	bool		 anyone = (type & SIGHASH_ANYONECANPAY) != 0;
	uint32_t	 base = type & BASE_MASK;
	bool		 all = base != SIGHASH_NONE && base != SIGHASH_SINGLE;
	unsigned char	 head[4 + 32 + 32 + OUTPOINT_LEN + COMPACT_MAX];
	unsigned char	 tail[8 + 4 + 32 + 4 + 4], one[SHA256_LEN], *p;
	const unsigned char *outputs = zero;
	struct sha256	 h;

	assert(in < tx->n_in);
	if (all) {
		outputs = s->outputs2;
	} else if (base == SIGHASH_SINGLE && in < tx->n_out) {
		hash_one_output(one, &tx->out[in]);
		sha256(one, one, sizeof(one));
		outputs = one;
	}
	p = put_le(head, tx->version, 4);
	p = add_bytes(p, anyone ? zero : s->prevouts2, 32);
	p = add_bytes(p, anyone || !all ? zero : s->sequences2, 32);
	p = add_outpoint(p, &tx->in[in].prev);
	p = put_compact(p, script_code.len);
	sha256_begin(&h);
	sha256_add(&h, head, (size_t)(p - head));
	if (script_code.len > 0)
		sha256_add(&h, script_code.p, script_code.len);
	p = put_le(tail, (uint64_t)s->spent[in].amount_sat, 8);
	p = put_le(p, tx->in[in].sequence, 4);
	p = add_bytes(p, outputs, 32);
	p = put_le(p, tx->locktime, 4);
	p = put_le(p, type, 4);
	sha256_add(&h, tail, (size_t)(p - tail));
	hash256_end(&h, out);
}

bool
sighash_v1(unsigned char out[32], const struct sighash *s, size_t in,
    uint8_t type)
{
	const struct tx	*tx = s->tx;
	bool		 anyone = (type & SIGHASH_ANYONECANPAY) != 0;
	unsigned	 base = type & (uint8_t)~SIGHASH_ANYONECANPAY;
	/* Epoch, type, version, locktime, five hashes, spend type. */
	unsigned char	 m[1 + 1 + 4 + 4 + 5 * 32 + 1 + OUTPOINT_LEN];
	unsigned char	 one[SHA256_LEN], *p = m;
	struct sha256	 h;

	assert(in < tx->n_in);
	if (base > SIGHASH_SINGLE || (anyone && base == SIGHASH_DEFAULT) ||
	    (base == SIGHASH_SINGLE && in >= tx->n_out))
		return false;
	*p++ = 0;
	*p++ = type;
	p = put_le(p, tx->version, 4);
	p = put_le(p, tx->locktime, 4);
	if (!anyone) {
		p = add_bytes(p, s->prevouts, 32);
		p = add_bytes(p, s->amounts, 32);
		p = add_bytes(p, s->scripts, 32);
		p = add_bytes(p, s->sequences, 32);
	}
	if (base <= SIGHASH_ALL)
		p = add_bytes(p, s->outputs, 32);
	*p++ = 0;		/* key path, no annex */
	if (anyone)
		p = add_outpoint(p, &tx->in[in].prev);
	else
		p = put_le(p, (uint32_t)in, 4);
	tagged_begin(&h, "TapSighash");
	sha256_add(&h, m, (size_t)(p - m));
	if (anyone) {
		hash_output(&h, &s->spent[in]);
		hash_u32(&h, tx->in[in].sequence);
	}
	if (base == SIGHASH_SINGLE) {
		hash_one_output(one, &tx->out[in]);
		sha256_add(&h, one, sizeof(one));
	}
	sha256_end(&h, out);
	return true;
}

/* The script without its OP_CODESEPARATORs; h NULL: only how long it is. */
static size_t
walk_code(struct sha256 *h, struct text script)
{
	struct text	 rest = script, data;
	const char	*begin = script.p;
	size_t		 total = 0, n;
	unsigned	 op;

	if (script.len == 0)
		return 0;
	/* Where an instruction is cut short, the rest stands as it is. */
	while (script_next(&op, &data, &rest)) {
		if (op != OP_CODESEPARATOR)
			continue;
		n = (size_t)(rest.p - begin) - 1;
		if (h != NULL && n > 0)
			sha256_add(h, begin, n);
		total += n;
		begin = rest.p;
	}
	n = (size_t)(script.p + script.len - begin);
	if (h != NULL && n > 0)
		sha256_add(h, begin, n);
	return total + n;
}

static void
hash_legacy_input(struct sha256 *h, const struct tx_in *in, bool signed_here,
    struct text script_code, bool others_free)
{
	unsigned char	 b[OUTPOINT_LEN];

	sha256_add(h, b, (size_t)(add_outpoint(b, &in->prev) - b));
	if (signed_here) {
		hash_compact(h, walk_code(NULL, script_code));
		(void)walk_code(h, script_code);
	} else {
		hash_compact(h, 0);
	}
	hash_u32(h, !signed_here && others_free ? 0 : in->sequence);
}

static void
hash_legacy_outputs(struct sha256 *h, const struct tx *tx, size_t in,
    uint32_t base)
{
	static const struct tx_out	 blank = { -1, { NULL, 0 } };
	size_t				 i, n = tx->n_out;

	if (base == SIGHASH_NONE)
		n = 0;
	else if (base == SIGHASH_SINGLE)
		n = in + 1;
	hash_compact(h, n);
	for (i = 0; i < n; i++)
		hash_output(h, base == SIGHASH_SINGLE && i != in ? &blank :
		    &tx->out[i]);
}

enum rc
sighash_legacy(unsigned char out[32], const struct tx *tx, size_t in,
    struct text script_code, uint32_t type, struct err *e)
{
	uint32_t	 base = type & BASE_MASK;
	bool		 anyone = (type & SIGHASH_ANYONECANPAY) != 0;
	struct sha256	 h;
	size_t		 i;

	assert(in < tx->n_in);
	/* The network would take the number one for a hash, so that such a
	 * signature fits every transaction: nobody is to make one. */
	if (base == SIGHASH_SINGLE && in >= tx->n_out)
		return err_set(e, "input %zu: SIGHASH_SINGLE without an "
		    "output of that number", in);
	sha256_begin(&h);
	hash_u32(&h, tx->version);
	hash_compact(&h, anyone ? 1 : tx->n_in);
	for (i = 0; i < tx->n_in; i++)
		if (!anyone || i == in)
			hash_legacy_input(&h, &tx->in[i], i == in,
			    script_code, base == SIGHASH_NONE ||
			    base == SIGHASH_SINGLE);
	hash_legacy_outputs(&h, tx, in, base);
	hash_u32(&h, tx->locktime);
	hash_u32(&h, type);
	hash256_end(&h, out);
	return RC_OK;
}
