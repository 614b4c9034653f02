/*
 * What each key type is: which version has it, how long its key and value
 * are, and which typed field it becomes.  What is not in the tables is not
 * ours and is only kept.
 */
#include "bitcoin/psbt_inner.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "bitcoin/cursor.h"
#include "bitcoin/hash.h"
#include "bitcoin/script.h"
#include "bitcoin/sighash.h"

#define PROPRIETARY		0xfc	/* in any map */
#define OUT_MUSIG_KEYS		0x08

#define XPUB_LEN		78
#define XPUB_DEPTH_AT		4
#define XPUB_KEY_AT		45
#define PUBLIC_KEY_LONG		65
#define SCHNORR_LEN		64
#define CONTROL_LEN_MIN		33	/* BIP341: a control block */
#define CONTROL_STEP		32
#define TAP_DEPTH_MAX		128
#define BIP32_DEPTH_MAX		255	/* it is one byte of a key */
#define MUSIG_NONCE_LEN		66

enum key_form {
	KEY_NOTHING,
	KEY_PUBLIC,		/* 33 bytes, or 65 */
	KEY_COMPRESSED,
	KEY_XONLY,
	KEY_XPUB,
	KEY_HASH20,
	KEY_HASH32,
	KEY_SCRIPT_SIG,		/* x-only key and leaf hash */
	KEY_CONTROL,
	KEY_MUSIG,		/* two keys, and maybe a leaf hash */
};

enum value_form {
	VALUE_UNKNOWN,
	VALUE_ANY,
	VALUE_LEN,		/* as many bytes as the table says */
	VALUE_COMPACT,
	VALUE_UNSIGNED_TX,
	VALUE_XPUB_PATH,
	VALUE_TX,
	VALUE_TX_OUT,
	VALUE_ECDSA,
	VALUE_SCHNORR,
	VALUE_PATH,
	VALUE_TAP_PATH,
	VALUE_WITNESS,
	VALUE_PREIMAGE,
	VALUE_LEAF,
	VALUE_TREE,
	VALUE_KEYS,
	VALUE_TIME,
	VALUE_HEIGHT,
	VALUE_AMOUNT,
	VALUE_VERSION,
};

#define V0	1
#define V2	2
#define V02	(V0 | V2)

struct field {
	enum value_form	value;
	enum key_form	key;
	uint8_t		versions;
	uint8_t		len;		/* VALUE_LEN */
};

static const struct field global_fields[] = {
	[PSBT_GLOBAL_UNSIGNED_TX] = { VALUE_UNSIGNED_TX, KEY_NOTHING, V0, 0 },
	[PSBT_GLOBAL_XPUB] = { VALUE_XPUB_PATH, KEY_XPUB, V02, 0 },
	[PSBT_GLOBAL_TX_VERSION] = { VALUE_LEN, KEY_NOTHING, V2, 4 },
	[PSBT_GLOBAL_FALLBACK_LOCKTIME] = { VALUE_LEN, KEY_NOTHING, V2, 4 },
	[PSBT_GLOBAL_INPUT_COUNT] = { VALUE_COMPACT, KEY_NOTHING, V2, 0 },
	[PSBT_GLOBAL_OUTPUT_COUNT] = { VALUE_COMPACT, KEY_NOTHING, V2, 0 },
	[PSBT_GLOBAL_TX_MODIFIABLE] = { VALUE_LEN, KEY_NOTHING, V2, 1 },
	[PSBT_GLOBAL_VERSION] = { VALUE_VERSION, KEY_NOTHING, V02, 0 },
};

static const struct field in_fields[] = {
	[PSBT_IN_NON_WITNESS_UTXO] = { VALUE_TX, KEY_NOTHING, V02, 0 },
	[PSBT_IN_WITNESS_UTXO] = { VALUE_TX_OUT, KEY_NOTHING, V02, 0 },
	[PSBT_IN_PARTIAL_SIG] = { VALUE_ECDSA, KEY_PUBLIC, V02, 0 },
	[PSBT_IN_SIGHASH_TYPE] = { VALUE_LEN, KEY_NOTHING, V02, 4 },
	[PSBT_IN_REDEEM_SCRIPT] = { VALUE_ANY, KEY_NOTHING, V02, 0 },
	[PSBT_IN_WITNESS_SCRIPT] = { VALUE_ANY, KEY_NOTHING, V02, 0 },
	[PSBT_IN_BIP32_DERIVATION] = { VALUE_PATH, KEY_PUBLIC, V02, 0 },
	[PSBT_IN_FINAL_SCRIPTSIG] = { VALUE_ANY, KEY_NOTHING, V02, 0 },
	[PSBT_IN_FINAL_SCRIPTWITNESS] = { VALUE_WITNESS, KEY_NOTHING, V02,
	    0 },
	[PSBT_IN_OWNERSHIP] = { VALUE_ANY, KEY_NOTHING, V02, 0 },
	[PSBT_IN_RIPEMD160] = { VALUE_PREIMAGE, KEY_HASH20, V02, 0 },
	[PSBT_IN_SHA256] = { VALUE_PREIMAGE, KEY_HASH32, V02, 0 },
	[PSBT_IN_HASH160] = { VALUE_PREIMAGE, KEY_HASH20, V02, 0 },
	[PSBT_IN_HASH256] = { VALUE_PREIMAGE, KEY_HASH32, V02, 0 },
	[PSBT_IN_PREVIOUS_TXID] = { VALUE_LEN, KEY_NOTHING, V2, 32 },
	[PSBT_IN_OUTPUT_INDEX] = { VALUE_LEN, KEY_NOTHING, V2, 4 },
	[PSBT_IN_SEQUENCE] = { VALUE_LEN, KEY_NOTHING, V2, 4 },
	[PSBT_IN_TIME_LOCKTIME] = { VALUE_TIME, KEY_NOTHING, V2, 0 },
	[PSBT_IN_HEIGHT_LOCKTIME] = { VALUE_HEIGHT, KEY_NOTHING, V2, 0 },
	[PSBT_IN_TAP_KEY_SIG] = { VALUE_SCHNORR, KEY_NOTHING, V02, 0 },
	[PSBT_IN_TAP_SCRIPT_SIG] = { VALUE_SCHNORR, KEY_SCRIPT_SIG, V02, 0 },
	[PSBT_IN_TAP_LEAF_SCRIPT] = { VALUE_LEAF, KEY_CONTROL, V02, 0 },
	[PSBT_IN_TAP_BIP32_DERIVATION] = { VALUE_TAP_PATH, KEY_XONLY, V02,
	    0 },
	[PSBT_IN_TAP_INTERNAL_KEY] = { VALUE_LEN, KEY_NOTHING, V02, 32 },
	[PSBT_IN_TAP_MERKLE_ROOT] = { VALUE_LEN, KEY_NOTHING, V02, 32 },
	[PSBT_IN_MUSIG_KEYS] = { VALUE_KEYS, KEY_COMPRESSED, V02, 0 },
	[PSBT_IN_MUSIG_NONCE] = { VALUE_LEN, KEY_MUSIG, V02, MUSIG_NONCE_LEN },
	[PSBT_IN_MUSIG_SIG] = { VALUE_LEN, KEY_MUSIG, V02, 32 },
};

static const struct field out_fields[] = {
	[PSBT_OUT_REDEEM_SCRIPT] = { VALUE_ANY, KEY_NOTHING, V02, 0 },
	[PSBT_OUT_WITNESS_SCRIPT] = { VALUE_ANY, KEY_NOTHING, V02, 0 },
	[PSBT_OUT_BIP32_DERIVATION] = { VALUE_PATH, KEY_PUBLIC, V02, 0 },
	[PSBT_OUT_AMOUNT] = { VALUE_AMOUNT, KEY_NOTHING, V2, 0 },
	[PSBT_OUT_SCRIPT] = { VALUE_ANY, KEY_NOTHING, V2, 0 },
	[PSBT_OUT_TAP_INTERNAL_KEY] = { VALUE_LEN, KEY_NOTHING, V02, 32 },
	[PSBT_OUT_TAP_TREE] = { VALUE_TREE, KEY_NOTHING, V02, 0 },
	[PSBT_OUT_TAP_BIP32_DERIVATION] = { VALUE_TAP_PATH, KEY_XONLY, V02,
	    0 },
	[OUT_MUSIG_KEYS] = { VALUE_KEYS, KEY_COMPRESSED, V02, 0 },
};

static const struct {
	const struct field *fields;
	size_t		 n;
} tables[] = {
	[PSBT_GLOBAL] = { global_fields,
	    sizeof(global_fields) / sizeof(global_fields[0]) },
	[PSBT_IN] = { in_fields, sizeof(in_fields) / sizeof(in_fields[0]) },
	[PSBT_OUT] = { out_fields,
	    sizeof(out_fields) / sizeof(out_fields[0]) },
};

/* A record taken apart: what is checked before anything is set. */
struct taken {
	uint8_t		type;
	struct text	data;		/* of the key */
	struct text	value;
	struct tx_out	out;		/* VALUE_TX_OUT */
	struct psbt_utxo utxo;		/* VALUE_TX */
	struct psbt_path path;		/* VALUE_PATH, VALUE_TAP_PATH */
	bool		deep;		/* deeper than we list */
};

static const struct field *
field_of(enum psbt_where where, uint8_t type)
{
	static const struct field unknown = { VALUE_UNKNOWN, KEY_NOTHING, V02,
	    0 };

	return type < tables[where].n ? &tables[where].fields[type] :
	    &unknown;
}

static bool
is_compressed(const char *p)
{
	return (p[0] & ~1) == 0x02;
}

static bool
key_fits(enum key_form form, struct text k)
{
	switch (form) {
	case KEY_NOTHING:
		return k.len == 0;
	case KEY_PUBLIC:
		return (k.len == PUBLIC_KEY_LEN && is_compressed(k.p)) ||
		    (k.len == PUBLIC_KEY_LONG && k.p[0] == 0x04);
	case KEY_COMPRESSED:
		return k.len == PUBLIC_KEY_LEN && is_compressed(k.p);
	case KEY_XONLY:
		return k.len == XONLY_LEN;
	case KEY_XPUB:
		return k.len == XPUB_LEN && is_compressed(k.p + XPUB_KEY_AT);
	case KEY_HASH20:
		return k.len == HASH160_LEN;
	case KEY_HASH32:
		return k.len == SHA256_LEN;
	case KEY_SCRIPT_SIG:
		return k.len == XONLY_LEN + SHA256_LEN;
	case KEY_CONTROL:
		return k.len >= CONTROL_LEN_MIN &&
		    (k.len - CONTROL_LEN_MIN) % CONTROL_STEP == 0 &&
		    (k.len - CONTROL_LEN_MIN) / CONTROL_STEP <= TAP_DEPTH_MAX;
	case KEY_MUSIG:
		return (k.len == 2 * PUBLIC_KEY_LEN ||
		    k.len == 2 * PUBLIC_KEY_LEN + SHA256_LEN) &&
		    is_compressed(k.p) && is_compressed(k.p + PUBLIC_KEY_LEN);
	}
	abort();
}

/* One of the two numbers of a signature: positive, shortest. */
static bool
skip_der_number(struct cursor *c)
{
	const unsigned char *n;
	uint8_t		 len;

	if (cursor_byte(c) != 0x02)
		return false;
	len = cursor_byte(c);
	n = c->p;
	if (len == 0 || cursor_bytes(c, len).p == NULL || n[0] >= 0x80)
		return false;
	return len == 1 || n[0] != 0 || n[1] >= 0x80;
}

/* BIP66's form and a byte for the type, which is not looked at. */
static bool
is_ecdsa(struct text s)
{
	struct cursor	 c;

	if (s.len < 9 || s.len > 73)
		return false;
	c = cursor_of(s.p, s.len - 1);
	return cursor_byte(&c) == 0x30 && cursor_byte(&c) == cursor_left(&c) &&
	    skip_der_number(&c) && skip_der_number(&c) &&
	    cursor_left(&c) == 0;
}

static bool
is_schnorr(struct text s)
{
	unsigned	 type;

	if (s.len == SCHNORR_LEN)
		return true;
	if (s.len != SCHNORR_LEN + 1)
		return false;
	/* BIP341: the default has no byte. */
	type = (unsigned char)s.p[SCHNORR_LEN] &
	    ~(unsigned)SIGHASH_ANYONECANPAY;
	return type >= SIGHASH_ALL && type <= SIGHASH_SINGLE;
}

/* A fingerprint and steps, to the end. */
static bool
read_path(struct taken *t, struct cursor *c)
{
	size_t		 left = cursor_left(c), i;
	struct text	 fingerprint = cursor_bytes(c, 4);

	if (fingerprint.p == NULL || left % 4 != 0 ||
	    left / 4 - 1 > BIP32_DEPTH_MAX)
		return false;
	memcpy(t->path.fingerprint, fingerprint.p, 4);
	t->path.n = left / 4 - 1;
	t->deep = t->path.n > BIP32_PATH_MAX;
	for (i = 0; i < t->path.n && !t->deep; i++)
		t->path.path[i] = cursor_le32(c);
	return true;
}

static bool
take_path(struct taken *t, bool tap)
{
	struct cursor	 c = cursor_of_text(t->value);
	uint64_t	 leaves = 0;

	if (tap) {
		leaves = cursor_compact(&c);
		if (leaves > cursor_left(&c) / SHA256_LEN)
			return false;
		(void)cursor_bytes(&c, leaves * SHA256_LEN);
	}
	t->path.key = t->data;
	t->path.n_leaves = (size_t)leaves;
	return !c.bad && read_path(t, &c);
}

/* BIP174: as many steps as the key is deep. */
static bool
is_xpub_path(struct text xpub, struct text value)
{
	return value.len == 4 + (size_t)4 *
	    (unsigned char)xpub.p[XPUB_DEPTH_AT];
}

static bool
take_tx_out(struct taken *t)
{
	struct cursor	 c = cursor_of_text(t->value);
	uint64_t	 amount_sat = cursor_le64(&c);

	t->out.script = cursor_text(&c);
	t->out.amount_sat = (int64_t)amount_sat;
	return !c.bad && cursor_left(&c) == 0 &&
	    amount_sat <= TX_MONEY_MAX_SAT;
}

/*
 * The id is the hash of what lies around marker, flags and witnesses: hashed
 * where it lies.
 */
static void
hash_where_it_lies(unsigned char out[SHA256_LEN], const struct tx *tx,
    struct text bytes)
{
	const struct text *last = &tx->out[tx->n_out - 1].script;
	const char	*begin = bytes.p + 4 + 2;
	struct sha256	 h;

	if (!tx->has_witness) {
		hash256(out, bytes.p, bytes.len);
		return;
	}
	sha256_begin(&h);
	sha256_add(&h, bytes.p, 4);
	sha256_add(&h, begin, (size_t)(last->p + last->len - begin));
	sha256_add(&h, bytes.p + bytes.len - 4, 4);
	hash256_end(&h, out);
}

static enum rc
take_tx(struct taken *t, uint32_t vout, struct err *e)
{
	struct tx	 tx;

	if (tx_parse(&tx, (const unsigned char *)t->value.p, t->value.len,
	    e) != RC_OK)
		return RC_FAILED;
	hash_where_it_lies(t->utxo.txid, &tx, t->value);
	t->utxo.has_out = vout < tx.n_out;
	if (t->utxo.has_out)
		t->utxo.out = tx.out[vout];
	tx_free(&tx);
	return RC_OK;
}

static bool
is_witness(struct text value)
{
	struct cursor	 c = cursor_of_text(value);
	uint64_t	 n = cursor_compact(&c);

	if (c.bad || n > cursor_left(&c))
		return false;
	for (; n > 0; n--)
		(void)cursor_text(&c);
	return !c.bad && cursor_left(&c) == 0;
}

static bool
is_preimage(uint8_t type, struct text key, struct text value)
{
	unsigned char	 h[SHA256_LEN];

	switch (type) {
	case PSBT_IN_RIPEMD160:
		ripemd160(h, value.p, value.len);
		break;
	case PSBT_IN_SHA256:
		sha256(h, value.p, value.len);
		break;
	case PSBT_IN_HASH160:
		hash160(h, value.p, value.len);
		break;
	case PSBT_IN_HASH256:
		hash256(h, value.p, value.len);
		break;
	}
	return memcmp(h, key.p, key.len) == 0;
}

/*
 * BIP371: leaves from left to right, each with its depth.  They are a tree
 * when every leaf that is not to the left of its sibling completes a pair,
 * up to the root: `open[d]` is a left half at depth d that waits.
 */
static bool
is_tree(struct text value)
{
	bool		 open[TAP_DEPTH_MAX + 1] = { false };
	struct cursor	 c = cursor_of_text(value);
	unsigned	 depth, deepest = 0;

	while (!c.bad && cursor_left(&c) > 0) {
		depth = cursor_byte(&c);
		/* The lowest bit of a leaf's version is not its own. */
		if ((cursor_byte(&c) & 1) != 0)
			return false;
		(void)cursor_text(&c);
		if (c.bad || open[0] || depth > TAP_DEPTH_MAX ||
		    depth < deepest)
			return false;
		for (; depth > 0 && open[depth]; depth--)
			open[depth] = false;
		open[depth] = true;
		deepest = depth;
	}
	return !c.bad && open[0];
}

static bool
is_keys(struct text v)
{
	size_t	 i;

	for (i = 0; i + PUBLIC_KEY_LEN <= v.len; i += PUBLIC_KEY_LEN)
		if (!is_compressed(v.p + i))
			return false;
	return i > 0 && i == v.len;
}

static bool
is_number(struct text v, unsigned len, uint64_t min, uint64_t max)
{
	struct cursor	 c = cursor_of_text(v);
	uint64_t	 n = cursor_le(&c, len);

	return !c.bad && cursor_left(&c) == 0 && n >= min && n <= max;
}

static bool
is_compact(struct text v)
{
	struct cursor	 c = cursor_of_text(v);

	(void)cursor_compact(&c);
	return !c.bad && cursor_left(&c) == 0;
}

static bool
value_fits(struct taken *t, const struct field *f)
{
	switch (f->value) {
	case VALUE_UNKNOWN:
	case VALUE_ANY:
	case VALUE_UNSIGNED_TX:	/* read already */
	case VALUE_TX:
		return true;
	case VALUE_LEN:
		return t->value.len == f->len;
	case VALUE_COMPACT:
		return is_compact(t->value);
	case VALUE_XPUB_PATH:
		return is_xpub_path(t->data, t->value);
	case VALUE_TX_OUT:
		return take_tx_out(t);
	case VALUE_ECDSA:
		return is_ecdsa(t->value);
	case VALUE_SCHNORR:
		return is_schnorr(t->value);
	case VALUE_PATH:
		return take_path(t, false);
	case VALUE_TAP_PATH:
		return take_path(t, true);
	case VALUE_WITNESS:
		return is_witness(t->value);
	case VALUE_PREIMAGE:
		return is_preimage(t->type, t->data, t->value);
	case VALUE_LEAF:
		return t->value.len > 0;
	case VALUE_TREE:
		return is_tree(t->value);
	case VALUE_KEYS:
		return is_keys(t->value);
	case VALUE_TIME:
		return is_number(t->value, 4, TX_LOCKTIME_TIME, UINT32_MAX);
	case VALUE_HEIGHT:
		return is_number(t->value, 4, 1, TX_LOCKTIME_TIME - 1);
	case VALUE_AMOUNT:
		return is_number(t->value, 8, 0, TX_MONEY_MAX_SAT);
	case VALUE_VERSION:
		return is_number(t->value, 4, 0, 2);
	}
	abort();
}

/* BIP174: whose, which kind of theirs, and what they like. */
static bool
is_proprietary(struct text data)
{
	struct cursor	 c = cursor_of_text(data);

	(void)cursor_text(&c);
	(void)cursor_compact(&c);
	return !c.bad;
}

/* Key types are compact sizes; all that are ours are of one byte. */
static enum rc
take_unknown(const struct psbt_record *r, struct err *e)
{
	struct cursor	 c = cursor_of_text(r->key);
	uint64_t	 type = cursor_compact(&c);

	if (c.bad)
		return err_set(e, "a key type that is no compact size");
	if (type == PROPRIETARY && !is_proprietary(cursor_bytes(&c,
	    cursor_left(&c))))
		return err_set(e, "a proprietary key without its prefix");
	return RC_OK;
}

static enum rc
take_field(struct taken *t, const struct field *f, uint32_t version,
    struct err *e)
{
	if ((f->versions & (version == 0 ? V0 : V2)) == 0)
		return err_set(e, "version %u has no such field",
		    (unsigned)version);
	if (!key_fits(f->key, t->data))
		return err_set(e, "the key has %zu bytes, or the wrong ones",
		    t->data.len);
	if (!value_fits(t, f))
		return err_set(e, "the value has %zu bytes, or the wrong "
		    "ones", t->value.len);
	return RC_OK;
}

/*
 * Where to put an entry of a list with this key: that of the one before, or
 * behind the last.  psbt_fill() made room for all; psbt_put() wants one more.
 */
static struct psbt_path *
path_slot(struct psbt *p, struct psbt_path **list, size_t *n,
    struct text key, bool put)
{
	struct psbt_path *longer;
	size_t		 i;

	for (i = 0; put && i < *n; i++)
		if (text_equal((*list)[i].key, key))
			return &(*list)[i];
	if (put) {
		longer = psbt_take(p, (*n + 1) * sizeof(*longer));
		if (longer == NULL)
			return NULL;
		if (*n > 0)
			memcpy(longer, *list, *n * sizeof(*longer));
		*list = longer;
	}
	return &(*list)[(*n)++];
}

/* It was replaced by one that is not listed. */
static void
forget_path(struct psbt_path *list, size_t *n, struct text key)
{
	size_t	 i, k = 0;

	for (i = 0; i < *n; i++)
		if (!text_equal(list[i].key, key))
			list[k++] = list[i];
	*n = k;
}

static struct psbt_sig *
sig_slot(struct psbt *p, struct psbt_in *in, struct text key, bool put)
{
	struct psbt_sig	*longer;
	size_t		 i;

	for (i = 0; put && i < in->n_sigs; i++)
		if (text_equal(in->sigs[i].key, key))
			return &in->sigs[i];
	if (put) {
		longer = psbt_take(p, (in->n_sigs + 1) * sizeof(*longer));
		if (longer == NULL)
			return NULL;
		if (in->n_sigs > 0)
			memcpy(longer, in->sigs, in->n_sigs * sizeof(*longer));
		in->sigs = longer;
	}
	return &in->sigs[in->n_sigs++];
}

static bool
set_path(struct psbt *p, struct psbt_path **list, size_t *n,
    const struct taken *t, bool put)
{
	struct psbt_path *slot;

	if (t->deep) {
		if (put)
			forget_path(*list, n, t->data);
		return true;
	}
	slot = path_slot(p, list, n, t->data, put);
	if (slot == NULL)
		return false;
	*slot = t->path;
	return true;
}

static bool
set_sig(struct psbt *p, struct psbt_in *in, const struct taken *t, bool put)
{
	struct psbt_sig	*slot = sig_slot(p, in, t->data, put);

	if (slot == NULL)
		return false;
	slot->key = t->data;
	slot->sig = t->value;
	return true;
}

/* False: no memory, and nothing was set. */
static bool
set_in(struct psbt *p, size_t at, const struct taken *t, bool put)
{
	struct psbt_in	*in = &p->in[at];
	struct cursor	 c;

	switch (t->type) {
	case PSBT_IN_NON_WITNESS_UTXO:
		in->non_witness_utxo = t->value;
		p->memory->utxos[at] = t->utxo;
		break;
	case PSBT_IN_WITNESS_UTXO:
		in->has_witness_utxo = true;
		in->witness_utxo = t->out;
		break;
	case PSBT_IN_PARTIAL_SIG:
		return set_sig(p, in, t, put);
	case PSBT_IN_SIGHASH_TYPE:
		c = cursor_of_text(t->value);
		in->has_sighash = true;
		in->sighash = cursor_le32(&c);
		break;
	case PSBT_IN_REDEEM_SCRIPT:
		in->redeem_script = t->value;
		break;
	case PSBT_IN_WITNESS_SCRIPT:
		in->witness_script = t->value;
		break;
	case PSBT_IN_BIP32_DERIVATION:
	case PSBT_IN_TAP_BIP32_DERIVATION:
		return set_path(p, &in->paths, &in->n_paths, t, put);
	case PSBT_IN_FINAL_SCRIPTSIG:
		in->final_script_sig = t->value;
		break;
	case PSBT_IN_FINAL_SCRIPTWITNESS:
		in->final_witness = t->value;
		break;
	case PSBT_IN_TAP_KEY_SIG:
		in->tap_key_sig = t->value;
		break;
	case PSBT_IN_TAP_SCRIPT_SIG:
	case PSBT_IN_TAP_LEAF_SCRIPT:
		in->has_tap_scripts = true;
		break;
	case PSBT_IN_TAP_INTERNAL_KEY:
		in->tap_internal_key = t->value;
		break;
	case PSBT_IN_TAP_MERKLE_ROOT:
		in->tap_merkle_root = t->value;
		break;
	}
	return true;
}

static bool
set_out(struct psbt *p, size_t at, const struct taken *t, bool put)
{
	struct psbt_out	*out = &p->out[at];

	switch (t->type) {
	case PSBT_OUT_REDEEM_SCRIPT:
		out->redeem_script = t->value;
		break;
	case PSBT_OUT_WITNESS_SCRIPT:
		out->witness_script = t->value;
		break;
	case PSBT_OUT_BIP32_DERIVATION:
	case PSBT_OUT_TAP_BIP32_DERIVATION:
		return set_path(p, &out->paths, &out->n_paths, t, put);
	case PSBT_OUT_TAP_INTERNAL_KEY:
		out->tap_internal_key = t->value;
		break;
	case PSBT_OUT_TAP_TREE:
		out->tap_tree = t->value;
		break;
	}
	return true;
}

enum rc
psbt_field(struct psbt *p, enum psbt_where where, size_t at,
    const struct psbt_record *r, bool put, struct err *e)
{
	const struct field *f;
	struct taken	 t;
	enum rc		 rc;
	bool		 set = true;

	assert(r->key.len > 0);
	t.type = (uint8_t)r->key.p[0];
	t.data.p = r->key.p + 1;
	t.data.len = r->key.len - 1;
	t.value = r->value;
	f = field_of(where, t.type);
	if (f->value == VALUE_UNKNOWN)
		return psbt_wrap(e, take_unknown(r, e), where, at, r->key);
	rc = take_field(&t, f, p->version, e);
	if (rc == RC_OK && f->value == VALUE_TX)
		rc = take_tx(&t, p->tx.in[at].prev.vout, e);
	if (rc != RC_OK)
		return psbt_wrap(e, rc, where, at, r->key);
	if (where == PSBT_IN)
		set = set_in(p, at, &t, put);
	else if (where == PSBT_OUT)
		set = set_out(p, at, &t, put);
	return set ? RC_OK : psbt_wrap(e, err_set(e, "no memory"), where, at,
	    r->key);
}

static size_t
count(const struct psbt_map *m, uint8_t type)
{
	size_t	 i, n = 0;

	for (i = 0; i < m->n; i++)
		n += (uint8_t)m->r[i].key.p[0] == type;
	return n;
}

/* Forget the typed fields and make room for the lists. */
static bool
clear_in(struct psbt *p, size_t at)
{
	struct psbt_in	*in = &p->in[at];
	struct psbt_map	 m = in->map;
	size_t		 paths, sigs;

	paths = count(&m, PSBT_IN_BIP32_DERIVATION) +
	    count(&m, PSBT_IN_TAP_BIP32_DERIVATION);
	sigs = count(&m, PSBT_IN_PARTIAL_SIG);
	memset(in, 0, sizeof(*in));
	in->map = m;
	return (paths == 0 || (in->paths = psbt_take(p,
	    paths * sizeof(*in->paths))) != NULL) &&
	    (sigs == 0 || (in->sigs = psbt_take(p,
	    sigs * sizeof(*in->sigs))) != NULL);
}

static bool
clear_out(struct psbt *p, size_t at)
{
	struct psbt_out	*out = &p->out[at];
	struct psbt_map	 m = out->map;
	size_t		 paths;

	paths = count(&m, PSBT_OUT_BIP32_DERIVATION) +
	    count(&m, PSBT_OUT_TAP_BIP32_DERIVATION);
	memset(out, 0, sizeof(*out));
	out->map = m;
	return paths == 0 || (out->paths = psbt_take(p,
	    paths * sizeof(*out->paths))) != NULL;
}

enum rc
psbt_fill(struct psbt *p, enum psbt_where where, size_t at, struct err *e)
{
	const struct psbt_map *m = psbt_map_of(p, where, at);
	struct text	 none = { NULL, 0 };
	size_t		 i;

	if ((where == PSBT_IN && !clear_in(p, at)) ||
	    (where == PSBT_OUT && !clear_out(p, at)))
		return psbt_wrap(e, err_set(e, "no memory"), where, at, none);
	for (i = 0; i < m->n; i++)
		if (psbt_field(p, where, at, &m->r[i], false, e) != RC_OK)
			return RC_FAILED;
	return RC_OK;
}
