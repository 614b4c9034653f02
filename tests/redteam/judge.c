#include "tests/redteam/judge.h"

#include <assert.h>
#include <secp256k1.h>
#include <secp256k1_extrakeys.h>
#include <secp256k1_schnorrsig.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MAX		64
#define SCRIPT_ROOM	64
#define INNER_ROOM	128
#define IN_MAX		64
#define OUT_MAX		128
#define RECEIPT_BYTES	307
#define NONE		UINT32_MAX

/* ---- a table: some bytes, a number ---- */

struct entry {
	unsigned char	key[KEY_MAX];
	uint32_t	len, value;
};

struct table {
	struct entry	*e;
	size_t		n, room;	/* a power of two */
};

static size_t
table_place(const struct table *t, const void *key, size_t len)
{
	const unsigned char	*p = key;
	uint64_t		 h = UINT64_C(14695981039346656037);
	size_t			 i;

	for (i = 0; i < len; i++)
		h = (h ^ p[i]) * UINT64_C(1099511628211);
	i = (h ^ h >> 29) & (t->room - 1);
	while (t->e[i].len != 0 && (t->e[i].len != len ||
	    memcmp(t->e[i].key, key, len) != 0))
		i = (i + 1) & (t->room - 1);
	return i;
}

static uint32_t
table_get(const struct table *t, const void *key, size_t len)
{
	const struct entry	*e;

	if (t->room == 0)
		return NONE;
	e = &t->e[table_place(t, key, len)];
	return e->len == 0 ? NONE : e->value;
}

static void
table_put(struct table *t, const void *key, size_t len, uint32_t value)
{
	struct table	 bigger = { NULL, 0, t->room == 0 ? 256 :
		    t->room * 2 };
	size_t		 i, at;

	assert(len > 0 && len <= KEY_MAX);
	if ((t->n + 1) * 2 > t->room) {
		bigger.e = calloc(bigger.room, sizeof(*bigger.e));
		assert(bigger.e != NULL);
		for (i = 0; i < t->room; i++) {
			if (t->e[i].len == 0)
				continue;
			at = table_place(&bigger, t->e[i].key, t->e[i].len);
			bigger.e[at] = t->e[i];
			bigger.n++;
		}
		free(t->e);
		*t = bigger;
	}
	at = table_place(t, key, len);
	t->n += t->e[at].len == 0;
	memcpy(t->e[at].key, key, len);
	t->e[at].len = (uint32_t)len;
	t->e[at].value = value;
}

/* ---- what is known ---- */

struct own {
	unsigned	branch;		/* 2: cold */
	uint32_t	index;
	unsigned char	key[33];
	unsigned char	inner[INNER_ROOM];
	size_t		inner_len;
};

struct coin {
	int64_t		amount_sat;
	unsigned char	script[SCRIPT_ROOM];
	size_t		len;
};

struct in {
	unsigned char	prev[36];	/* txid and vout, as they are */
	uint32_t	sequence;
	unsigned char	sig[80];
	size_t		sig_len;	/* 0: none of ours */
	int64_t		claimed_sat;	/* witness_utxo */
	const unsigned char *claimed_script;
	size_t		claimed_len;
};

struct out {
	int64_t		amount_sat;
	const unsigned char *script;
	size_t		len;
	uint32_t	receipt;	/* that pays it; NONE */
};

struct parsed {
	const unsigned char *tx;
	size_t		tx_len;
	uint32_t	version, locktime;
	struct in	in[IN_MAX];
	size_t		n_in;
	struct out	out[OUT_MAX];
	size_t		n_out;
	unsigned char	txid[32];
};

struct signed_tx {
	unsigned char	txid[32];
	unsigned char	(*prev)[36];
	size_t		n_in;
	unsigned char	sigs[32];	/* hash of all of them */
	unsigned char	types[32];	/* and of their lengths: with or
					 * without a type (BIP341) */
	uint32_t	*ids;
	size_t		n_ids;
	uint32_t	height;		/* highest claimed so far */
	int64_t		running_ms;
	int64_t		cost_sat;
	uint32_t	stamp;
};

struct id {
	unsigned char	bound[32];	/* hash of script and amount */
	bool		burned;
	int64_t		approved_sat;	/* 0: not */
	uint32_t	*carriers;
	size_t		n, room;
};

#define LIST(type) struct { struct type *p; size_t n, room; }
#define LIST_ADD(l) ((l)->n == (l)->room ? ((l)->room = (l)->room * 2 + 64, \
	(l)->p = realloc((l)->p, (l)->room * sizeof(*(l)->p)),	\
	assert((l)->p != NULL)) : (void)0,				\
	memset(&(l)->p[(l)->n], 0, sizeof(*(l)->p)), &(l)->p[(l)->n++])

struct judge {
	struct judge_rules rules;
	secp256k1_context *ctx;
	struct table	own_by_script, coin_by_outpoint, tx_by_txid, id_by_name;
	struct table	killed;
	LIST(own)	own;
	LIST(coin)	coin;
	LIST(signed_tx)	tx;
	LIST(id)	id;
	uint32_t	height, index_max, stamp;
	uint64_t	periods;
	int64_t		cost_sat;
	bool		halted, behind;
	char		complaint[512];
};

static bool	complain(struct judge *j, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static bool
complain(struct judge *j, const char *fmt, ...)
{
	va_list	 ap;

	if (j->complaint[0] == '\0') {
		va_start(ap, fmt);
		(void)vsnprintf(j->complaint, sizeof(j->complaint), fmt, ap);
		va_end(ap);
	}
	return false;
}

struct judge *
judge_new(const struct judge_rules *rules)
{
	struct judge	*j = calloc(1, sizeof(*j));

	assert(j != NULL);
	j->rules = *rules;
	j->height = rules->height;
	j->periods = 1;
	j->ctx = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
	return j;
}

void
judge_free(struct judge **jp)
{
	struct judge	*j = *jp;
	size_t		 i;

	if (j == NULL)
		return;
	for (i = 0; i < j->tx.n; i++) {
		free(j->tx.p[i].prev);
		free(j->tx.p[i].ids);
	}
	for (i = 0; i < j->id.n; i++)
		free(j->id.p[i].carriers);
	free(j->own_by_script.e);
	free(j->coin_by_outpoint.e);
	free(j->tx_by_txid.e);
	free(j->id_by_name.e);
	free(j->killed.e);
	free(j->own.p);
	free(j->coin.p);
	free(j->tx.p);
	free(j->id.p);
	secp256k1_context_destroy(j->ctx);
	free(j);
	*jp = NULL;
}

const char *
judge_complaint(const struct judge *j)
{
	return j->complaint[0] == '\0' ? NULL : j->complaint;
}

uint64_t
judge_count(const struct judge *j)
{
	return j->tx.n;
}

int64_t
judge_cost_sat(const struct judge *j)
{
	return j->cost_sat;
}

void
judge_own(struct judge *j, const unsigned char *script, size_t len,
    unsigned branch, uint32_t index, const unsigned char *key,
    const unsigned char *inner, size_t inner_len)
{
	struct own	*o;

	if (table_get(&j->own_by_script, script, len) != NONE)
		return;
	table_put(&j->own_by_script, script, len, (uint32_t)j->own.n);
	o = LIST_ADD(&j->own);
	o->branch = branch;
	o->index = index;
	if (key != NULL)
		memcpy(o->key, key, j->rules.wallet == JUDGE_TR ? 32 : 33);
	assert(inner_len <= INNER_ROOM);
	if (inner_len > 0)
		memcpy(o->inner, inner, inner_len);
	o->inner_len = inner_len;
}

void
judge_cold(struct judge *j, const unsigned char *script, size_t len)
{
	judge_own(j, script, len, 2, 0, NULL, NULL, 0);
}

static void
outpoint(unsigned char out[36], const unsigned char txid[32], uint32_t vout)
{
	memcpy(out, txid, 32);
	out[32] = (unsigned char)vout;
	out[33] = (unsigned char)(vout >> 8);
	out[34] = (unsigned char)(vout >> 16);
	out[35] = (unsigned char)(vout >> 24);
}

void
judge_coin(struct judge *j, const unsigned char txid[32], uint32_t vout,
    int64_t amount_sat, const unsigned char *script, size_t len)
{
	unsigned char	 key[36];
	struct coin	*c;

	outpoint(key, txid, vout);
	if (len > SCRIPT_ROOM ||
	    table_get(&j->coin_by_outpoint, key, sizeof(key)) != NONE)
		return;
	table_put(&j->coin_by_outpoint, key, sizeof(key),
	    (uint32_t)j->coin.n);
	c = LIST_ADD(&j->coin);
	c->amount_sat = amount_sat;
	memcpy(c->script, script, len);
	c->len = len;
}

void
judge_killed(struct judge *j, const unsigned char txid[32], uint32_t vout)
{
	unsigned char	 key[36];

	outpoint(key, txid, vout);
	table_put(&j->killed, key, sizeof(key), 1);
}

static struct id *
id_named(struct judge *j, const void *name, size_t len)
{
	unsigned char	 key[KEY_MAX];
	uint32_t	 n;

	memset(key, 0, sizeof(key));
	memcpy(key, name, len);
	if ((n = table_get(&j->id_by_name, key, sizeof(key))) == NONE) {
		n = (uint32_t)j->id.n;
		table_put(&j->id_by_name, key, sizeof(key), n);
		(void)LIST_ADD(&j->id);
	}
	return &j->id.p[n];
}

void
judge_approved(struct judge *j, const char *id, int64_t amount_sat)
{
	id_named(j, id, strlen(id))->approved_sat = amount_sat;
}

void
judge_burned(struct judge *j, const char *id)
{
	id_named(j, id, strlen(id))->burned = true;
}

void
judge_rearmed(struct judge *j)
{
	j->periods++;
}

void
judge_halted(struct judge *j, bool halted)
{
	j->halted = halted;
}

void
judge_behind(struct judge *j, bool behind)
{
	j->behind = behind;
}

void
judge_epoch(struct judge *j, uint32_t epoch, const unsigned char engine[32])
{
	j->rules.epoch = epoch;
	memcpy(j->rules.engine, engine, 32);
}

/* ---- reading ---- */

struct reader {
	const unsigned char *p, *end;
	bool		bad;
};

static const unsigned char *
take(struct reader *r, size_t n)
{
	const unsigned char	*p = r->p;

	if (r->bad || (size_t)(r->end - r->p) < n) {
		r->bad = true;
		return NULL;
	}
	r->p += n;
	return p;
}

static uint64_t
take_le(struct reader *r, size_t n)
{
	const unsigned char	*p = take(r, n);
	uint64_t		 v = 0;

	while (p != NULL && n-- > 0)
		v = v << 8 | p[n];
	return v;
}

static size_t
take_size(struct reader *r)
{
	uint64_t	 n = take_le(r, 1);

	return (size_t)(n < 253 ? n : take_le(r, n == 253 ? 2 : n == 254 ? 4 :
	    8));
}

static void
double_sha(unsigned char out[32], const unsigned char *p, size_t len)
{
	(void)crypto_hash_sha256(out, p, len);
	(void)crypto_hash_sha256(out, out, 32);
}

static bool
read_tx(struct parsed *t)
{
	struct reader		 r = { t->tx, t->tx + t->tx_len, false };
	const unsigned char	*p;
	size_t			 i;

	t->version = (uint32_t)take_le(&r, 4);
	t->n_in = take_size(&r);
	if (r.bad || t->n_in == 0 || t->n_in > IN_MAX)
		return false;
	for (i = 0; i < t->n_in; i++) {
		if ((p = take(&r, 36)) == NULL)
			return false;
		memcpy(t->in[i].prev, p, 36);
		if (take_size(&r) != 0)		/* never a script here */
			return false;
		t->in[i].sequence = (uint32_t)take_le(&r, 4);
	}
	t->n_out = take_size(&r);
	if (r.bad || t->n_out > OUT_MAX)
		return false;
	for (i = 0; i < t->n_out; i++) {
		t->out[i].amount_sat = (int64_t)take_le(&r, 8);
		t->out[i].len = take_size(&r);
		t->out[i].script = take(&r, t->out[i].len);
		t->out[i].receipt = NONE;
	}
	t->locktime = (uint32_t)take_le(&r, 4);
	double_sha(t->txid, t->tx, t->tx_len);
	return !r.bad && r.p == r.end;
}

/* One map's records, the wanted ones put where they belong. */
static bool
read_map(struct reader *r, struct parsed *t, struct in *in,
    const unsigned char *our_key)
{
	const unsigned char	*key, *value;
	size_t			 key_len, len;

	for (;;) {
		if ((key_len = take_size(r)) == 0)
			return !r->bad;
		key = take(r, key_len);
		len = take_size(r);
		value = take(r, len);
		if (r->bad)
			return false;
		if (in == NULL) {
			if (key[0] == 0 && key_len == 1) {
				t->tx = value;
				t->tx_len = len;
			}
			continue;
		}
		if (key[0] == 0x01 && len > 9) {
			memcpy(&in->claimed_sat, value, 8);
			in->claimed_len = len - 9;
			in->claimed_script = value + 9;
		}
		if ((key[0] == 0x02 && key_len == 34 && our_key != NULL &&
		    memcmp(key + 1, our_key, 33) == 0) ||
		    (key[0] == 0x13 && key_len == 1)) {
			if (len > sizeof(in->sig))
				return false;
			memcpy(in->sig, value, len);
			in->sig_len = len;
		}
	}
}

static const struct own *
own_of(const struct judge *j, const unsigned char *script, size_t len)
{
	uint32_t	 n = len == 0 || len > KEY_MAX ? NONE :
		    table_get(&j->own_by_script, script, len);

	return n == NONE ? NULL : &j->own.p[n];
}

static const struct coin *
coin_of(const struct judge *j, const unsigned char prev[36])
{
	uint32_t	 n = table_get(&j->coin_by_outpoint, prev, 36);

	return n == NONE ? NULL : &j->coin.p[n];
}

static bool
read_psbt(struct judge *j, struct parsed *t, const unsigned char *psbt,
    size_t len)
{
	struct reader		 r = { psbt, psbt + len, false };
	const unsigned char	*magic = take(&r, 5);
	const struct own	*own;
	const struct coin	*coin;
	size_t			 i;

	memset(t, 0, sizeof(*t));
	if (magic == NULL || memcmp(magic, "psbt\xff", 5) != 0 ||
	    !read_map(&r, t, NULL, NULL) || t->tx == NULL || !read_tx(t))
		return complain(j, "an answer that is no PSBT");
	for (i = 0; i < t->n_in; i++) {
		coin = coin_of(j, t->in[i].prev);
		own = coin == NULL ? NULL : own_of(j, coin->script,
		    coin->len);
		if (!read_map(&r, t, &t->in[i], own == NULL ? NULL :
		    own->key))
			return complain(j, "an answer that is no PSBT");
	}
	return true;
}

/* ---- signatures ---- */

struct hasher {
	crypto_hash_sha256_state s;
};

static void
add(struct hasher *h, const void *p, size_t len)
{
	(void)crypto_hash_sha256_update(&h->s, p, len);
}

static void
add_le(struct hasher *h, uint64_t v, size_t n)
{
	unsigned char	 b[8];
	size_t		 i;

	for (i = 0; i < n; i++)
		b[i] = (unsigned char)(v >> 8 * i);
	add(h, b, n);
}

static void
begin(struct hasher *h)
{
	(void)crypto_hash_sha256_init(&h->s);
}

static void
end(struct hasher *h, unsigned char out[32])
{
	(void)crypto_hash_sha256_final(&h->s, out);
}

static void
hash_parts(const struct parsed *t, unsigned char prevouts[32],
    unsigned char sequences[32], unsigned char outputs[32])
{
	struct hasher	 h;
	size_t		 i;

	begin(&h);
	for (i = 0; i < t->n_in; i++)
		add(&h, t->in[i].prev, 36);
	end(&h, prevouts);
	begin(&h);
	for (i = 0; i < t->n_in; i++)
		add_le(&h, t->in[i].sequence, 4);
	end(&h, sequences);
	begin(&h);
	for (i = 0; i < t->n_out; i++) {
		add_le(&h, (uint64_t)t->out[i].amount_sat, 8);
		add_le(&h, t->out[i].len, 1);
		add(&h, t->out[i].script, t->out[i].len);
	}
	end(&h, outputs);
}

/* BIP143, SIGHASH_ALL. */
static void
sighash_segwit(unsigned char out[32], const struct parsed *t, size_t in,
    const struct own *own, const struct coin *coin)
{
	unsigned char	 parts[3][32];
	struct hasher	 h;
	size_t		 i;

	hash_parts(t, parts[0], parts[1], parts[2]);
	for (i = 0; i < 3; i++)
		(void)crypto_hash_sha256(parts[i], parts[i], 32);
	begin(&h);
	add_le(&h, t->version, 4);
	add(&h, parts[0], 32);
	add(&h, parts[1], 32);
	add(&h, t->in[in].prev, 36);
	if (own->inner_len > 0) {
		add_le(&h, own->inner_len, 1);
		add(&h, own->inner, own->inner_len);
	} else {
		add(&h, "\x19\x76\xa9\x14", 4);
		add(&h, coin->script + 2, 20);
		add(&h, "\x88\xac", 2);
	}
	add_le(&h, (uint64_t)coin->amount_sat, 8);
	add_le(&h, t->in[in].sequence, 4);
	add(&h, parts[2], 32);
	add_le(&h, t->locktime, 4);
	add_le(&h, 1, 4);
	end(&h, out);
	(void)crypto_hash_sha256(out, out, 32);
}

/* BIP341, the key path; amounts and scripts that are true, or claimed. */
static void
sighash_taproot(unsigned char out[32], const struct judge *j,
    const struct parsed *t, size_t in, uint8_t type, bool claimed)
{
	unsigned char	 parts[5][32], tag[32];
	const struct coin *c;
	struct hasher	 h, amounts, scripts;
	size_t		 i;

	hash_parts(t, parts[0], parts[3], parts[4]);
	begin(&amounts);
	begin(&scripts);
	for (i = 0; i < t->n_in; i++) {
		c = coin_of(j, t->in[i].prev);
		if (claimed || c == NULL) {
			add_le(&amounts, (uint64_t)t->in[i].claimed_sat, 8);
			add_le(&scripts, t->in[i].claimed_len, 1);
			add(&scripts, t->in[i].claimed_script,
			    t->in[i].claimed_len);
		} else {
			add_le(&amounts, (uint64_t)c->amount_sat, 8);
			add_le(&scripts, c->len, 1);
			add(&scripts, c->script, c->len);
		}
	}
	end(&amounts, parts[1]);
	end(&scripts, parts[2]);
	(void)crypto_hash_sha256(tag, (const unsigned char *)"TapSighash", 10);
	begin(&h);
	add(&h, tag, 32);
	add(&h, tag, 32);
	add_le(&h, 0, 1);
	add_le(&h, type, 1);
	add_le(&h, t->version, 4);
	add_le(&h, t->locktime, 4);
	for (i = 0; i < 5; i++)
		add(&h, parts[i], 32);
	add_le(&h, 0, 1);
	add_le(&h, in, 4);
	end(&h, out);
}

static bool
ecdsa_good(struct judge *j, const struct parsed *t, size_t i,
    const struct own *own, const struct coin *coin)
{
	const struct in			*in = &t->in[i];
	secp256k1_ecdsa_signature	 sig;
	secp256k1_pubkey		 key;
	unsigned char			 hash[32];

	if (in->sig[in->sig_len - 1] != 1)
		return complain(j, "a signature of type %u",
		    in->sig[in->sig_len - 1]);
	sighash_segwit(hash, t, i, own, coin);
	return secp256k1_ec_pubkey_parse(j->ctx, &key, own->key, 33) == 1 &&
	    secp256k1_ecdsa_signature_parse_der(j->ctx, &sig, in->sig,
	    in->sig_len - 1) == 1 &&
	    secp256k1_ecdsa_verify(j->ctx, &sig, hash, &key) == 1;
}

/* *worthless: signed over amounts that are not true, so that no node takes
 * it. */
static bool
schnorr_good(struct judge *j, const struct parsed *t, size_t i,
    const struct own *own, bool *worthless)
{
	const struct in		*in = &t->in[i];
	secp256k1_xonly_pubkey	 key;
	unsigned char		 hash[32];
	uint8_t			 type = in->sig_len == 65 ? in->sig[64] : 0;

	if ((in->sig_len != 64 && in->sig_len != 65) || type > 1 ||
	    (in->sig_len == 65 && type == 0))
		return complain(j, "a signature of type %u", type);
	if (secp256k1_xonly_pubkey_parse(j->ctx, &key, own->key) != 1)
		return false;
	sighash_taproot(hash, j, t, i, type, false);
	if (secp256k1_schnorrsig_verify(j->ctx, in->sig, hash, 32, &key) == 1)
		return true;
	*worthless = true;
	sighash_taproot(hash, j, t, i, type, true);
	return secp256k1_schnorrsig_verify(j->ctx, in->sig, hash, 32,
	    &key) == 1;
}

/* Every input ours and signed, rightly. */
static bool
signatures(struct judge *j, struct parsed *t, bool *worthless,
    int64_t *in_sat)
{
	const struct coin	*coin;
	const struct own	*own;
	size_t			 i;

	for (i = 0; i < t->n_in; i++) {
		if ((coin = coin_of(j, t->in[i].prev)) == NULL) {
			/* Claimed and nowhere: can it confirm?  Never. */
			*worthless = true;
			continue;
		}
		own = own_of(j, coin->script, coin->len);
		if (own == NULL || own->branch > 1)
			return complain(j, "input %zu is not ours", i);
		if (t->in[i].sig_len == 0)
			return complain(j, "input %zu is not signed", i);
		if (!(j->rules.wallet == JUDGE_TR ?
		    schnorr_good(j, t, i, own, worthless) :
		    ecdsa_good(j, t, i, own, coin)))
			return complain(j, "input %zu: its signature is wrong",
			    i);
		if (own->index > j->index_max && !*worthless)
			j->index_max = own->index;
		*in_sat += coin->amount_sat;
	}
	return true;
}

/* ---- receipts ---- */

struct paper {
	const unsigned char *script, *id;
	size_t		len, id_len;
	int64_t		amount_sat;
	bool		good;
};

static int64_t
number_at(const unsigned char *p)
{
	struct reader	 r = { p, p + 8, false };

	return (int64_t)take_le(&r, 8);
}

static void
read_receipt(const struct judge *j, struct paper *out, const unsigned char *p)
{
	unsigned char	 message[21 + 243];
	uint32_t	 epoch;

	memcpy(message, "drawbridge receipt 1\n", 21);
	memcpy(message + 21, p, 243);
	epoch = (uint32_t)p[19] | (uint32_t)p[20] << 8 |
	    (uint32_t)p[21] << 16 | (uint32_t)p[22] << 24;
	out->id_len = p[95];
	out->id = p + 96;
	out->len = p[176];
	out->script = p + 177;
	out->amount_sat = number_at(p + 219);
	out->good = p[0] == 1 && p[1] == 2 &&
	    memcmp(p + 2, j->rules.deployment, 16) == 0 &&
	    p[18] == j->rules.network && epoch == j->rules.epoch &&
	    out->id_len > 0 && out->id_len <= 64 && out->len <= 42 &&
	    crypto_sign_verify_detached(p + 243, message, sizeof(message),
	    j->rules.engine) == 0;
}

/* Which output each receipt pays; what is left must come back to us. */
static bool
outputs(struct judge *j, struct parsed *t, const unsigned char *receipts,
    size_t n, bool loaded, int64_t *back_sat)
{
	const struct own	*own;
	uint32_t		 highest = j->index_max;
	struct paper		 paper;
	size_t			 i, k;

	for (k = 0; k < n; k++) {
		read_receipt(j, &paper, receipts + k * RECEIPT_BYTES);
		for (i = 0; paper.good && i < t->n_out; i++) {
			if (t->out[i].receipt != NONE ||
			    t->out[i].amount_sat != paper.amount_sat ||
			    t->out[i].len != paper.len ||
			    memcmp(t->out[i].script, paper.script,
			    paper.len) != 0)
				continue;
			t->out[i].receipt = (uint32_t)k;
			break;
		}
		if (!loaded && (!paper.good || i == t->n_out))
			return complain(j, "receipt %zu pays nothing", k);
	}
	for (i = 0; i < t->n_out; i++) {
		if (t->out[i].receipt != NONE)
			continue;
		own = own_of(j, t->out[i].script, t->out[i].len);
		if (own == NULL)
			return complain(j, "output %zu pays a script without "
			    "its receipt", i);
		if (own->branch == 0)
			return complain(j, "output %zu: change to a deposit "
			    "address", i);
		if (own->index > j->index_max + 1000)
			return complain(j, "output %zu: change at index %u",
			    i, own->index);
		if (own->index > highest)
			highest = own->index;
		*back_sat += t->out[i].amount_sat;
	}
	j->index_max = highest;
	return true;
}

static void
bind(unsigned char out[32], const struct out *o)
{
	struct hasher	 h;

	begin(&h);
	add_le(&h, (uint64_t)o->amount_sat, 8);
	add(&h, o->script, o->len);
	end(&h, out);
}

/* Each id once in it, for the same as ever, allowed by people where it must
 * be. */
static bool
ids(struct judge *j, struct parsed *t, const unsigned char *receipts,
    struct signed_tx *s)
{
	static const unsigned char	 nothing[32];
	unsigned char			 bound[32];
	const unsigned char		*p;
	struct id			*id;
	size_t				 i, k;
	uint32_t			 n;

	s->ids = calloc(t->n_out + 1, sizeof(*s->ids));
	for (i = 0; i < t->n_out; i++) {
		if (t->out[i].receipt == NONE)
			continue;
		p = receipts + t->out[i].receipt * RECEIPT_BYTES;
		id = id_named(j, p + 96, p[95]);
		n = (uint32_t)(id - j->id.p);
		for (k = 0; k < s->n_ids; k++) {
			if (s->ids[k] == n)
				return complain(j, "%.*s twice in one",
				    (int)p[95], p + 96);
		}
		s->ids[s->n_ids++] = n;
		bind(bound, &t->out[i]);
		if (memcmp(id->bound, nothing, 32) == 0)
			memcpy(id->bound, bound, 32);
		if (memcmp(id->bound, bound, 32) != 0)
			return complain(j, "%.*s pays something else than "
			    "before", (int)p[95], p + 96);
		if (id->burned)
			return complain(j, "%.*s was burned", (int)p[95],
			    p + 96);
		if (t->out[i].amount_sat > j->rules.approve_above_sat &&
		    id->approved_sat != t->out[i].amount_sat)
			return complain(j, "%.*s was approved by nobody",
			    (int)p[95], p + 96);
	}
	return true;
}

/* ---- can both confirm? ---- */

/* Puts what it and its ancestors spend into `spent`; false: two different
 * ones spend one outpoint, or one that is gone. */
static bool
confirm(struct judge *j, struct table *spent, uint32_t n, uint32_t *stack)
{
	struct signed_tx	*s;
	size_t			 depth = 0, i;
	uint32_t		 other;

	stack[depth++] = n;
	j->tx.p[n].stamp = j->stamp;
	while (depth > 0) {
		n = stack[--depth];
		s = &j->tx.p[n];
		for (i = 0; i < s->n_in; i++) {
			if (table_get(&j->killed, s->prev[i], 36) != NONE)
				return false;
			other = table_get(spent, s->prev[i], 36);
			if (other != NONE && other != n)
				return false;
			table_put(spent, s->prev[i], 36, n);
			other = table_get(&j->tx_by_txid, s->prev[i], 32);
			if (other == NONE ||
			    j->tx.p[other].stamp == j->stamp)
				continue;
			j->tx.p[other].stamp = j->stamp;
			stack[depth++] = other;
		}
	}
	return true;
}

static bool
both_confirm(struct judge *j, uint32_t a, uint32_t b)
{
	uint32_t	*stack = calloc(j->tx.n + 1, sizeof(*stack));
	struct table	 spent = { NULL, 0, 0 };
	bool		 both;

	j->stamp++;
	both = confirm(j, &spent, a, stack);
	if (both && j->tx.p[b].stamp != j->stamp)
		both = confirm(j, &spent, b, stack);
	free(spent.e);
	free(stack);
	return both;
}

static void
text_of_txid(char out[65], const unsigned char txid[32])
{
	size_t	 i;

	for (i = 0; i < 32; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", txid[31 - i]);
}

static bool
pairs(struct judge *j, uint32_t n)
{
	char		 a[65], b[65];
	struct id	*id;
	size_t		 i, k;

	for (i = 0; i < j->tx.p[n].n_ids; i++) {
		id = &j->id.p[j->tx.p[n].ids[i]];
		for (k = 0; k < id->n; k++) {
			if (!both_confirm(j, id->carriers[k], n))
				continue;
			text_of_txid(a, j->tx.p[id->carriers[k]].txid);
			text_of_txid(b, j->tx.p[n].txid);
			return complain(j, "paid twice: %s and %s can both "
			    "confirm", a, b);
		}
		if (id->n == id->room) {
			id->room = id->room * 2 + 4;
			id->carriers = realloc(id->carriers,
			    id->room * sizeof(*id->carriers));
		}
		id->carriers[id->n++] = n;
	}
	return true;
}

/* ---- money and time ---- */

static bool
money(struct judge *j, const struct parsed *t, struct signed_tx *s,
    int64_t in_sat, int64_t back_sat)
{
	const struct judge_rules	*r = &j->rules;
	int64_t				 out_sat = 0, by_height = 0;
	int64_t				 by_time = 0, period;
	size_t				 i;

	for (i = 0; i < t->n_out; i++)
		out_sat += t->out[i].amount_sat;
	s->cost_sat = in_sat - back_sat;
	if (in_sat - out_sat < 0 || in_sat - out_sat > r->fee_max_sat)
		return complain(j, "a fee of %jd", (intmax_t)(in_sat -
		    out_sat));
	if (s->cost_sat > r->tx_max_sat)
		return complain(j, "%jd in one transaction",
		    (intmax_t)s->cost_sat);
	j->cost_sat += s->cost_sat;
	period = (int64_t)r->short_blocks * r->block_ms;
	by_height = by_time = s->cost_sat;
	for (i = j->tx.n; i-- > 0;) {
		if ((uint64_t)j->tx.p[i].height + r->short_blocks > s->height)
			by_height += j->tx.p[i].cost_sat;
		if (j->tx.p[i].running_ms + period > s->running_ms)
			by_time += j->tx.p[i].cost_sat;
	}
	if (by_height > r->short_max_sat)
		return complain(j, "%jd within %u blocks",
		    (intmax_t)by_height, r->short_blocks);
	if (by_time > r->short_max_sat)
		return complain(j, "%jd within the time of %u blocks",
		    (intmax_t)by_time, r->short_blocks);
	if (j->cost_sat > (int64_t)j->periods * r->long_max_sat)
		return complain(j, "%jd in %ju periods",
		    (intmax_t)j->cost_sat, (uintmax_t)j->periods);
	return true;
}

/* C3. */
static bool
times(struct judge *j, const struct parsed *t, struct signed_tx *s,
    int64_t running_ms)
{
	size_t	 i;

	for (i = 0; i < t->n_in; i++) {
		if (t->in[i].sequence == 0xffffffff)
			return complain(j, "input %zu: without a locktime", i);
	}
	if (t->locktime >= 500000000)
		return complain(j, "locked until a time");
	if (j->rules.block_min_ms > 0 && t->locktime > j->rules.height +
	    running_ms / j->rules.block_min_ms)
		return complain(j, "locked until %u after %jd ms",
		    t->locktime, (intmax_t)running_ms);
	if (t->locktime > j->height)
		j->height = t->locktime;
	s->height = j->height;
	s->running_ms = running_ms;
	return true;
}

/* ---- all of it ---- */

static void
hash_signatures(const struct parsed *t, struct signed_tx *s)
{
	struct hasher	 sigs, types;
	size_t		 i;

	begin(&sigs);
	begin(&types);
	for (i = 0; i < t->n_in; i++) {
		add(&sigs, t->in[i].sig, t->in[i].sig_len);
		if (t->in[i].sig_len <= 65)
			add_le(&types, t->in[i].sig_len, 1);
	}
	end(&sigs, s->sigs);
	end(&types, s->types);
}

/* Signed before: the same bytes, and nothing new. */
static bool
same_again(struct judge *j, const struct parsed *t, uint32_t n)
{
	struct signed_tx	 s;

	hash_signatures(t, &s);
	if (memcmp(s.types, j->tx.p[n].types, 32) == 0 &&
	    memcmp(s.sigs, j->tx.p[n].sigs, 32) != 0)
		return complain(j, "the same transaction, other signatures");
	return true;
}

static bool
keep(struct judge *j, const struct parsed *t, struct signed_tx *s)
{
	uint32_t	 n = (uint32_t)j->tx.n;
	size_t		 i;

	s->prev = calloc(t->n_in, sizeof(*s->prev));
	for (i = 0; i < t->n_in; i++)
		memcpy(s->prev[i], t->in[i].prev, 36);
	s->n_in = t->n_in;
	memcpy(s->txid, t->txid, 32);
	hash_signatures(t, s);
	*LIST_ADD(&j->tx) = *s;
	table_put(&j->tx_by_txid, s->txid, 32, n);
	/* What it makes are coins that later ones may spend. */
	for (i = 0; i < t->n_out; i++)
		judge_coin(j, t->txid, (uint32_t)i, t->out[i].amount_sat,
		    t->out[i].script, t->out[i].len);
	return pairs(j, n);
}

bool
judge_signed(struct judge *j, const unsigned char *psbt, size_t len,
    const unsigned char *receipts, size_t n_receipts, bool loaded,
    int64_t running_ms)
{
	static struct parsed	 t;
	struct signed_tx	 s;
	int64_t			 in_sat = 0, back_sat = 0;
	bool			 worthless = false;
	uint32_t		 before;

	memset(&s, 0, sizeof(s));
	if (j->halted)
		return complain(j, "signed while it was halted");
	if (j->behind)
		return complain(j, "signed on yesterday's disk");
	if (!read_psbt(j, &t, psbt, len) ||
	    !signatures(j, &t, &worthless, &in_sat))
		return false;
	if (worthless)
		return true;
	before = table_get(&j->tx_by_txid, t.txid, 32);
	if (before != NONE)
		return same_again(j, &t, before);
	if (!times(j, &t, &s, running_ms) || !outputs(j, &t, receipts,
	    n_receipts, loaded, &back_sat) ||
	    !money(j, &t, &s, in_sat, back_sat) ||
	    !ids(j, &t, receipts, &s)) {
		free(s.ids);
		return false;
	}
	return keep(j, &t, &s);
}
