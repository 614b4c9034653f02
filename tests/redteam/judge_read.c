/*
 * The judge reads: PSBTs and transactions, and whether signatures are right.
 */
#include "tests/redteam/judge_inner.h"

#include <secp256k1_extrakeys.h>
#include <secp256k1_schnorrsig.h>

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

uint32_t
judge_get(const struct table *t, const void *key, size_t len)
{
	const struct entry	*e;

	if (t->room == 0)
		return NONE;
	e = &t->e[table_place(t, key, len)];
	return e->len == 0 ? NONE : e->value;
}

void
judge_put(struct table *t, const void *key, size_t len, uint32_t value)
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

/* ---- reading ---- */

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

const struct own *
judge_own_of(const struct judge *j, const unsigned char *script, size_t len)
{
	uint32_t	 n = len == 0 || len > KEY_MAX ? NONE :
		    judge_get(&j->own_by_script, script, len);

	return n == NONE ? NULL : &j->own.p[n];
}

static const struct coin *
coin_of(const struct judge *j, const unsigned char prev[36])
{
	uint32_t	 n = judge_get(&j->coin_by_outpoint, prev, 36);

	return n == NONE ? NULL : &j->coin.p[n];
}

bool
judge_read(struct judge *j, struct parsed *t, const unsigned char *psbt,
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
		return judge_no(j, "an answer that is no PSBT");
	for (i = 0; i < t->n_in; i++) {
		coin = coin_of(j, t->in[i].prev);
		own = coin == NULL ? NULL : judge_own_of(j, coin->script,
		    coin->len);
		if (!read_map(&r, t, &t->in[i], own == NULL ? NULL :
		    own->key))
			return judge_no(j, "an answer that is no PSBT");
	}
	return true;
}

/* ---- signatures ---- */

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
		return judge_no(j, "a signature of type %u",
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
		return judge_no(j, "a signature of type %u", type);
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
bool
judge_signatures(struct judge *j, struct parsed *t, bool *worthless,
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
		own = judge_own_of(j, coin->script, coin->len);
		if (own == NULL || own->branch > 1)
			return judge_no(j, "input %zu is not ours", i);
		if (t->in[i].sig_len == 0)
			return judge_no(j, "input %zu is not signed", i);
		if (!(j->rules.wallet == JUDGE_TR ?
		    schnorr_good(j, t, i, own, worthless) :
		    ecdsa_good(j, t, i, own, coin)))
			return judge_no(j, "input %zu: its signature is wrong",
			    i);
		if (own->index > j->index_max && !*worthless)
			j->index_max = own->index;
		*in_sat += coin->amount_sat;
	}
	return true;
}
