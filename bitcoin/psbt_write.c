#include "bitcoin/psbt_inner.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "bitcoin/cursor.h"

static size_t
text_size(struct text t)
{
	return compact_len(t.len) + t.len;
}

static unsigned char *
put_sized(unsigned char *p, struct text t)
{
	p = put_compact(p, t.len);
	if (t.len > 0)
		memcpy(p, t.p, t.len);
	return p + t.len;
}

static size_t
map_size(const struct psbt_map *m)
{
	size_t	 i, size = 1;

	for (i = 0; i < m->n; i++)
		size += text_size(m->r[i].key) + text_size(m->r[i].value);
	return size;
}

static unsigned char *
put_map(unsigned char *p, const struct psbt_map *m)
{
	size_t	 i;

	for (i = 0; i < m->n; i++)
		p = put_sized(put_sized(p, m->r[i].key), m->r[i].value);
	*p++ = 0;
	return p;
}

size_t
psbt_size(const struct psbt *p)
{
	size_t	 i, size = PSBT_MAGIC_LEN + map_size(&p->global);

	for (i = 0; i < p->tx.n_in; i++)
		size += map_size(&p->in[i].map);
	for (i = 0; i < p->tx.n_out; i++)
		size += map_size(&p->out[i].map);
	return size;
}

size_t
psbt_write(const struct psbt *p, unsigned char *out)
{
	unsigned char	*q = out;
	size_t		 i;

	memcpy(q, PSBT_MAGIC, PSBT_MAGIC_LEN);
	q = put_map(q + PSBT_MAGIC_LEN, &p->global);
	for (i = 0; i < p->tx.n_in; i++)
		q = put_map(q, &p->in[i].map);
	for (i = 0; i < p->tx.n_out; i++)
		q = put_map(q, &p->out[i].map);
	return (size_t)(q - out);
}

char *
psbt_base64(const struct psbt *p)
{
	size_t		 len = psbt_size(p), room;
	unsigned char	*bytes = malloc(len);
	char		*text;

	if (bytes == NULL)
		return NULL;
	(void)psbt_write(p, bytes);
	room = sodium_base64_ENCODED_LEN(len, sodium_base64_VARIANT_ORIGINAL);
	if ((text = malloc(room)) != NULL)
		(void)sodium_bin2base64(text, room, bytes, len,
		    sodium_base64_VARIANT_ORIGINAL);
	free(bytes);
	return text;
}

/* A record whose key is a type alone, up to its value. */
static unsigned char *
put_key(unsigned char *p, uint8_t type, size_t value_len)
{
	*p++ = 1;
	*p++ = type;
	return put_compact(p, value_len);
}

static unsigned char *
put_number(unsigned char *p, uint8_t type, uint64_t v, unsigned len)
{
	return put_le(put_key(p, type, len), v, len);
}

static unsigned char *
put_count(unsigned char *p, uint8_t type, size_t n)
{
	return put_compact(put_key(p, type, compact_len(n)), n);
}

static unsigned char *
put_v0(unsigned char *p, const struct tx *t)
{
	size_t	 len = tx_size(t, false), maps = 1 + t->n_in + t->n_out;

	p = put_key(p, PSBT_GLOBAL_UNSIGNED_TX, len);
	p += tx_write(t, false, p);
	memset(p, 0, maps);	/* All end here. */
	return p + maps;
}

static unsigned char *
put_v2(unsigned char *p, const struct tx *t)
{
	size_t	 i;

	p = put_number(p, PSBT_GLOBAL_TX_VERSION, t->version, 4);
	if (t->locktime != 0)
		p = put_number(p, PSBT_GLOBAL_FALLBACK_LOCKTIME, t->locktime,
		    4);
	p = put_count(p, PSBT_GLOBAL_INPUT_COUNT, t->n_in);
	p = put_count(p, PSBT_GLOBAL_OUTPUT_COUNT, t->n_out);
	p = put_number(p, PSBT_GLOBAL_VERSION, 2, 4);
	*p++ = 0;
	for (i = 0; i < t->n_in; i++) {
		p = put_key(p, PSBT_IN_PREVIOUS_TXID,
		    sizeof(t->in[i].prev.txid));
		memcpy(p, t->in[i].prev.txid, sizeof(t->in[i].prev.txid));
		p += sizeof(t->in[i].prev.txid);
		p = put_number(p, PSBT_IN_OUTPUT_INDEX, t->in[i].prev.vout,
		    4);
		if (t->in[i].sequence != TX_SEQUENCE_FINAL)
			p = put_number(p, PSBT_IN_SEQUENCE,
			    t->in[i].sequence, 4);
		*p++ = 0;
	}
	for (i = 0; i < t->n_out; i++) {
		p = put_number(p, PSBT_OUT_AMOUNT,
		    (uint64_t)t->out[i].amount_sat, 8);
		p = put_key(p, PSBT_OUT_SCRIPT, 0) - 1;
		p = put_sized(p, t->out[i].script);
		*p++ = 0;
	}
	return p;
}

enum rc
psbt_new(struct psbt **out, uint32_t version, const struct tx *t,
    struct err *e)
{
	/* What a map needs beyond what a serialised transaction has: keys,
	 * lengths, its end. */
	size_t		 room, i;
	unsigned char	*bytes, *p;
	enum rc		 rc;

	assert(version == 0 || version == 2);
	if (t->has_witness)
		return err_set(e, "psbt: the transaction has witnesses");
	for (i = 0; i < t->n_in; i++)
		if (t->in[i].script_sig.len > 0)
			return err_set(e, "psbt: input %zu has a scriptSig",
			    i);
	room = 128 + tx_size(t, false) + 16 * (t->n_in + t->n_out);
	if ((bytes = malloc(room)) == NULL)
		return err_set(e, "psbt: no memory");
	memcpy(bytes, PSBT_MAGIC, PSBT_MAGIC_LEN);
	p = bytes + PSBT_MAGIC_LEN;
	p = version == 0 ? put_v0(p, t) : put_v2(p, t);
	assert((size_t)(p - bytes) <= room);
	rc = psbt_parse(out, bytes, (size_t)(p - bytes), e);
	free(bytes);
	return rc;
}
