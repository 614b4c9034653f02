/*
 * Reading: the bytes are walked once to count what is in them, copied, and
 * walked again to note where everything lies.  What is allocated is measured
 * by what was counted.
 */
#include "bitcoin/psbt_inner.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "bitcoin/cursor.h"
#include "bitcoin/script.h"

/* Up to here a map's keys are compared in pairs: most have four or five. */
#define PAIRS_MAX	16
/* The least that a serialised input and output take. */
#define IN_LEN_MIN	(36 + 1 + 4)
#define OUT_LEN_MIN	(8 + 1)

struct counts {
	size_t		maps;		/* whole ones */
	size_t		records;
	size_t		listed;		/* what may go into a list */
	bool		cut;		/* behind them, part of one */
};

static const struct text no_key;

/* The next record; *end of the map instead. */
static bool
next_record(struct cursor *c, struct psbt_record *r, bool *end)
{
	r->key = cursor_text(c);
	if ((*end = !c->bad && r->key.len == 0))
		return true;
	r->value = cursor_text(c);
	return !c->bad;
}

/* Everything to the end. */
static void
count_all(struct counts *n, struct cursor c)
{
	struct psbt_record r;
	bool		 end = true;
	uint8_t		 type;

	memset(n, 0, sizeof(*n));
	while (!end || cursor_left(&c) > 0) {
		if (!next_record(&c, &r, &end)) {
			n->cut = true;
			return;
		}
		if (end) {
			n->maps++;
			continue;
		}
		n->records++;
		type = (uint8_t)r.key.p[0];
		n->listed += n->maps > 0 && r.key.len > XONLY_LEN &&
		    (type == PSBT_IN_PARTIAL_SIG ||
		    type == PSBT_IN_BIP32_DERIVATION ||
		    type == PSBT_OUT_BIP32_DERIVATION ||
		    type == PSBT_IN_TAP_BIP32_DERIVATION ||
		    type == PSBT_OUT_TAP_BIP32_DERIVATION);
	}
}

int
psbt_key_order(struct text a, struct text b)
{
	int	 d = memcmp(a.p, b.p, a.len < b.len ? a.len : b.len);

	return d != 0 ? d : (a.len > b.len) - (a.len < b.len);
}

static int
compare(const void *a, const void *b)
{
	return psbt_key_order(
	    (*(const struct psbt_record *const *)a)->key,
	    (*(const struct psbt_record *const *)b)->key);
}

const struct psbt_record **
psbt_sorted(const struct psbt_map *m)
{
	const struct psbt_record **list;
	size_t		 i;

	if (m->n == 0 || (list = calloc(m->n, sizeof(*list))) == NULL)
		return NULL;
	for (i = 0; i < m->n; i++)
		list[i] = &m->r[i];
	qsort(list, m->n, sizeof(*list), compare);
	return list;
}

static bool
repeated_in_pairs(const struct psbt_map *m)
{
	size_t	 i, j;

	for (i = 1; i < m->n; i++)
		for (j = 0; j < i; j++)
			if (text_equal(m->r[i].key, m->r[j].key))
				return true;
	return false;
}

static enum rc
no_repeated_keys(const struct psbt_map *m, struct err *e)
{
	const struct psbt_record **list;
	bool		 repeated = false;
	size_t		 i;

	/* Most come sorted, and then one look is enough. */
	for (i = 1; i < m->n; i++)
		if (psbt_key_order(m->r[i - 1].key, m->r[i].key) >= 0)
			break;
	if (i >= m->n)
		return RC_OK;
	if (m->n <= PAIRS_MAX) {
		repeated = repeated_in_pairs(m);
	} else {
		if ((list = psbt_sorted(m)) == NULL)
			return err_set(e, "no memory");
		for (i = 1; i < m->n && !repeated; i++)
			repeated = compare(&list[i - 1], &list[i]) == 0;
		free(list);
	}
	return repeated ? err_set(e, "a key comes twice") : RC_OK;
}

/* One map, which was counted: it is whole. */
static enum rc
read_map(struct psbt *p, struct psbt_map *m, struct cursor *c, struct err *e)
{
	struct cursor	 ahead = *c;
	struct psbt_record r;
	size_t		 n = 0, i;
	bool		 end;

	while (next_record(&ahead, &r, &end) && !end)
		n++;
	m->n = n;
	if (n > 0 && (m->r = psbt_take(p, n * sizeof(*m->r))) == NULL)
		return err_set(e, "no memory");
	for (i = 0; i < n; i++)
		(void)next_record(c, &m->r[i], &end);
	(void)next_record(c, &r, &end);
	assert(end && !c->bad);
	return no_repeated_keys(m, e);
}

static bool
read_le32(const struct psbt_map *m, uint8_t type, uint32_t *out)
{
	struct text	 v = psbt_get(m, type, no_key);
	struct cursor	 c = cursor_of_text(v);

	if (v.len != 4)
		return false;
	*out = cursor_le32(&c);
	return true;
}

/* A count; false when there is none, or a wrong one. */
static bool
read_count(const struct psbt_map *m, uint8_t type, size_t max, size_t *out)
{
	struct text	 v = psbt_get(m, type, no_key);
	struct cursor	 c = cursor_of_text(v);
	uint64_t	 n = cursor_compact(&c);

	if (c.bad || cursor_left(&c) > 0 || n > max)
		return false;
	*out = (size_t)n;
	return true;
}

static enum rc
read_unsigned_tx(struct psbt *p, struct err *e)
{
	struct text	 v = psbt_get(&p->global, PSBT_GLOBAL_UNSIGNED_TX,
			    no_key);
	size_t		 used, i;

	if (v.p == NULL)
		return err_set(e, "version 0 without an unsigned "
		    "transaction");
	p->memory->tx_apart = true;
	if (tx_parse_at(&p->tx, &used, true, (const unsigned char *)v.p,
	    v.len, e) != RC_OK)
		return err_wrap(e, RC_FAILED, "unsigned transaction");
	if (used != v.len)
		return err_set(e, "unsigned transaction: %zu bytes follow it",
		    v.len - used);
	for (i = 0; i < p->tx.n_in; i++)
		if (p->tx.in[i].script_sig.len > 0)
			return err_set(e, "unsigned transaction: input %zu "
			    "has a scriptSig", i);
	return RC_OK;
}

/* Version 2: how many there are.  The rest of it is in their maps. */
static enum rc
read_counts(struct psbt *p, struct err *e)
{
	struct tx	*t = &p->tx;

	if (!read_le32(&p->global, PSBT_GLOBAL_TX_VERSION, &t->version))
		return err_set(e, "version 2 without the transaction's "
		    "version");
	if (!read_count(&p->global, PSBT_GLOBAL_INPUT_COUNT,
	    TX_BYTES_MAX / IN_LEN_MIN, &t->n_in) ||
	    !read_count(&p->global, PSBT_GLOBAL_OUTPUT_COUNT,
	    TX_BYTES_MAX / OUT_LEN_MIN, &t->n_out))
		return err_set(e, "version 2 without a number of inputs and "
		    "one of outputs, or a number too large");
	return RC_OK;
}

static enum rc
read_global(struct psbt *p, struct cursor *c, struct err *e)
{
	static const uint8_t	 type = PSBT_GLOBAL_VERSION;
	struct text		 key = { (const char *)&type, 1 };

	if (read_map(p, &p->global, c, e) != RC_OK)
		return psbt_wrap(e, RC_FAILED, PSBT_GLOBAL, 0, no_key);
	if (psbt_get(&p->global, type, no_key).p != NULL &&
	    !read_le32(&p->global, type, &p->version))
		return psbt_wrap(e, err_set(e, "the value is no number"),
		    PSBT_GLOBAL, 0, key);
	if (p->version != 0 && p->version != 2)
		return err_set(e, "version %u, which nobody knows",
		    (unsigned)p->version);
	if ((p->version == 0 ? read_unsigned_tx(p, e) : read_counts(p, e)) !=
	    RC_OK)
		return RC_FAILED;
	return psbt_fill(p, PSBT_GLOBAL, 0, e);
}

/* Room for all maps, which there are: so many bytes were counted. */
static enum rc
make_room(struct psbt *p, const struct counts *n, struct err *e)
{
	struct tx	*t = &p->tx;
	size_t		 size;

	if (n->maps < 1 + t->n_in + t->n_out)
		return err_set(e, "it is cut short, or a length in map %zu "
		    "of %zu is wrong", n->maps, 1 + t->n_in + t->n_out);
	if (n->maps > 1 + t->n_in + t->n_out || n->cut)
		return err_set(e, "bytes follow its last map");
	size = t->n_in * (sizeof(*p->in) + sizeof(*p->memory->utxos) +
	    sizeof(*t->in)) + t->n_out * (sizeof(*p->out) + sizeof(*t->out)) +
	    n->records * sizeof(struct psbt_record) +
	    n->listed * sizeof(struct psbt_path);
	/* Each piece may be rounded up. */
	size += 16 * (5 + 3 * n->maps);
	if (!psbt_reserve(p, size) ||
	    (p->in = psbt_take(p, t->n_in * sizeof(*p->in))) == NULL ||
	    (p->out = psbt_take(p, t->n_out * sizeof(*p->out))) == NULL ||
	    (p->memory->utxos = psbt_take(p,
	    t->n_in * sizeof(*p->memory->utxos))) == NULL)
		return err_set(e, "no memory");
	memset(p->in, 0, t->n_in * sizeof(*p->in));
	memset(p->out, 0, t->n_out * sizeof(*p->out));
	memset(p->memory->utxos, 0, t->n_in * sizeof(*p->memory->utxos));
	if (p->version == 0)
		return RC_OK;
	if ((t->in = psbt_take(p, t->n_in * sizeof(*t->in))) == NULL ||
	    (t->out = psbt_take(p, t->n_out * sizeof(*t->out))) == NULL)
		return err_set(e, "no memory");
	memset(t->in, 0, t->n_in * sizeof(*t->in));
	memset(t->out, 0, t->n_out * sizeof(*t->out));
	return RC_OK;
}

/* Version 2: the input of the transaction that a map makes. */
static enum rc
make_in(struct psbt *p, size_t at, struct err *e)
{
	const struct psbt_map *m = &p->in[at].map;
	struct tx_in	*in = &p->tx.in[at];
	struct text	 txid = psbt_get(m, PSBT_IN_PREVIOUS_TXID, no_key);

	if (txid.len != sizeof(in->prev.txid) ||
	    !read_le32(m, PSBT_IN_OUTPUT_INDEX, &in->prev.vout))
		return psbt_wrap(e, err_set(e, "it does not say, or not "
		    "rightly, which output it spends"), PSBT_IN, at, no_key);
	memcpy(in->prev.txid, txid.p, txid.len);
	if (!read_le32(m, PSBT_IN_SEQUENCE, &in->sequence))
		in->sequence = TX_SEQUENCE_FINAL;
	return RC_OK;
}

static enum rc
make_out(struct psbt *p, size_t at, struct err *e)
{
	const struct psbt_map *m = &p->out[at].map;
	struct tx_out	*out = &p->tx.out[at];
	struct text	 amount = psbt_get(m, PSBT_OUT_AMOUNT, no_key);
	struct cursor	 c = cursor_of_text(amount);

	out->script = psbt_get(m, PSBT_OUT_SCRIPT, no_key);
	if (amount.len != 8 || out->script.p == NULL)
		return psbt_wrap(e, err_set(e, "it does not say, or not "
		    "rightly, how much it pays and to what"), PSBT_OUT, at,
		    no_key);
	out->amount_sat = (int64_t)cursor_le64(&c);
	return RC_OK;
}

/*
 * BIP370: a kind of locktime that all inputs which want one can have; of the
 * two kinds, height; of each, the latest.  The fields were checked.
 */
static enum rc
make_locktime(struct psbt *p, struct err *e)
{
	uint32_t	 time, height, time_max = 0, height_max = 0;
	bool		 has_time, has_height, time_ok = true;
	bool		 height_ok = true, wanted = false;
	size_t		 i;

	for (i = 0; i < p->tx.n_in; i++) {
		has_time = read_le32(&p->in[i].map, PSBT_IN_TIME_LOCKTIME,
		    &time);
		has_height = read_le32(&p->in[i].map,
		    PSBT_IN_HEIGHT_LOCKTIME, &height);
		if (!has_time && !has_height)
			continue;
		wanted = true;
		time_ok &= has_time;
		height_ok &= has_height;
		if (has_time && time > time_max)
			time_max = time;
		if (has_height && height > height_max)
			height_max = height;
	}
	if (wanted && !time_ok && !height_ok)
		return err_set(e, "one input wants a height as locktime, "
		    "another a time");
	if (wanted)
		p->tx.locktime = height_ok ? height_max : time_max;
	else if (!read_le32(&p->global, PSBT_GLOBAL_FALLBACK_LOCKTIME,
	    &p->tx.locktime))
		p->tx.locktime = 0;
	return RC_OK;
}

/* Version 2 has its amounts in maps; each was checked, the sum was not. */
static enum rc
check_sum(const struct psbt *p, struct err *e)
{
	int64_t	 left_sat = TX_MONEY_MAX_SAT;
	size_t	 i;

	for (i = 0; i < p->tx.n_out; i++)
		if ((left_sat -= p->tx.out[i].amount_sat) < 0)
			return err_set(e, "output %zu: more money than there "
			    "is", i);
	return RC_OK;
}

static enum rc
read_ins_and_outs(struct psbt *p, struct cursor *c, struct err *e)
{
	size_t	 i;

	for (i = 0; i < p->tx.n_in; i++) {
		if (read_map(p, &p->in[i].map, c, e) != RC_OK)
			return psbt_wrap(e, RC_FAILED, PSBT_IN, i, no_key);
		if ((p->version == 2 && make_in(p, i, e) != RC_OK) ||
		    psbt_fill(p, PSBT_IN, i, e) != RC_OK)
			return RC_FAILED;
	}
	for (i = 0; i < p->tx.n_out; i++) {
		if (read_map(p, &p->out[i].map, c, e) != RC_OK)
			return psbt_wrap(e, RC_FAILED, PSBT_OUT, i, no_key);
		if ((p->version == 2 && make_out(p, i, e) != RC_OK) ||
		    psbt_fill(p, PSBT_OUT, i, e) != RC_OK)
			return RC_FAILED;
	}
	if (p->version == 0)
		return RC_OK;
	return make_locktime(p, e) == RC_OK && check_sum(p, e) == RC_OK ?
	    RC_OK : RC_FAILED;
}

static enum rc
parse(struct psbt *p, const unsigned char *bytes, size_t len, struct err *e)
{
	struct cursor	 c = cursor_of(bytes, len);
	struct counts	 n;
	unsigned char	*copy;

	(void)cursor_bytes(&c, PSBT_MAGIC_LEN);
	if (c.bad || memcmp(bytes, PSBT_MAGIC, PSBT_MAGIC_LEN) != 0)
		return err_set(e, "it does not begin as a PSBT does");
	count_all(&n, c);
	if (n.maps == 0)
		return err_set(e, "it is cut short, or a length in its first "
		    "map is wrong");
	if ((copy = psbt_take(p, len)) == NULL)
		return err_set(e, "no memory");
	memcpy(copy, bytes, len);
	c = cursor_of(copy + PSBT_MAGIC_LEN, len - PSBT_MAGIC_LEN);
	if (read_global(p, &c, e) != RC_OK || make_room(p, &n, e) != RC_OK ||
	    read_ins_and_outs(p, &c, e) != RC_OK)
		return RC_FAILED;
	assert(cursor_left(&c) == 0 && !c.bad);
	return RC_OK;
}

enum rc
psbt_parse(struct psbt **out, const unsigned char *bytes, size_t len,
    struct err *e)
{
	struct psbt	*p;

	assert(*out == NULL);
	if (len > PSBT_BYTES_MAX)
		return err_set(e, "psbt: %zu bytes; at most %zu", len,
		    PSBT_BYTES_MAX);
	if ((p = psbt_empty()) == NULL)
		return err_set(e, "psbt: no memory");
	if (parse(p, bytes, len, e) != RC_OK) {
		psbt_free(&p);
		return err_wrap(e, RC_FAILED, "psbt");
	}
	*out = p;
	return RC_OK;
}

/* libsodium reads every byte from 0x80 on as a slash. */
static bool
is_ascii(struct text t)
{
	size_t	 i;

	for (i = 0; i < t.len; i++)
		if ((unsigned char)t.p[i] >= 0x80)
			return false;
	return true;
}

enum rc
psbt_of_base64(struct psbt **out, struct text t, struct err *e)
{
	unsigned char	*bytes;
	size_t		 room = t.len / 4 * 3, len;
	enum rc		 rc;

	if (room > PSBT_BYTES_MAX)
		return err_set(e, "psbt: %zu characters are too many", t.len);
	if ((bytes = malloc(room + 1)) == NULL)
		return err_set(e, "psbt: no memory");
	if (!is_ascii(t) || sodium_base642bin(bytes, room, t.p, t.len, NULL,
	    &len, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
		rc = err_set(e, "psbt: it is no base64");
	else
		rc = psbt_parse(out, bytes, len, e);
	free(bytes);
	return rc;
}
