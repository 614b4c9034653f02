/*
 * The Finalizer (BIP174): from signatures and scripts, what stands in the
 * transaction.  A signature that does not verify is not one: what somebody
 * else's signer sent may be anything.
 */
#include "bitcoin/psbt_inner.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "bitcoin/cursor.h"
#include "bitcoin/curve.h"
#include "bitcoin/hash.h"
#include "bitcoin/script.h"
#include "bitcoin/sighash.h"

#define SIG_MAX		73	/* with its type */
#define KEY_MAX		65
#define PUSH_MAX	520	/* consensus: of one element */
/* The largest is a witness of 16 signatures and their script. */
#define FINAL_MAX	(1 + 1 + MULTISIG_MAX * (3 + SIG_MAX) + 3 +	\
			    MULTISIG_SCRIPT_MAX)
#define SCHNORR_LEN	64

_Static_assert(FINAL_MAX > 3 + SIG_MAX + 3 + KEY_MAX, "so for P2PKH");

/* One input on its way. */
struct ending {
	const struct psbt *p;
	const struct sighash *s;	/* of a transaction all whose coins
					 * are known, if all_known */
	bool		all_known;
	size_t		at;
	const struct psbt_in *in;
	struct text	script;		/* what has to be satisfied */
	unsigned char	script_sig[FINAL_MAX];
	size_t		script_sig_len;
	unsigned char	witness[FINAL_MAX];
	size_t		witness_len;
};

static enum rc
lacks(const struct ending *n, struct err *e)
{
	return err_set(e, "input %zu lacks a signature that verifies", n->at);
}

static enum rc
not_ours(const struct ending *n, const char *what, struct err *e)
{
	return err_set(e, "input %zu: %s", n->at, what);
}

/* A push, in the shortest form for so many bytes. */
static unsigned char *
put_push(unsigned char *p, struct text t)
{
	assert(t.len > 1 && t.len <= PUSH_MAX);
	if (t.len >= OP_PUSHDATA1) {
		*p++ = t.len <= 0xff ? OP_PUSHDATA1 : OP_PUSHDATA2;
		p = put_le(p, t.len, t.len <= 0xff ? 1 : 2);
	} else {
		*p++ = (unsigned char)t.len;
	}
	memcpy(p, t.p, t.len);
	return p + t.len;
}

static unsigned char *
put_item(unsigned char *p, struct text t)
{
	p = put_compact(p, t.len);
	memcpy(p, t.p, t.len);
	return p + t.len;
}

/* Of a signature with its type; SIGHASH_ALL and others alike, but only the
 * one that the input asks for, if it asks. */
static bool
ecdsa_verifies(const struct ending *n, const struct psbt_sig *g,
    struct text code, bool witness)
{
	struct curve_point point;
	unsigned char	 hash[32];
	uint32_t	 type = (unsigned char)g->sig.p[g->sig.len - 1];
	struct text	 der = { g->sig.p, g->sig.len - 1 };

	if ((n->in->has_sighash && n->in->sighash != type) ||
	    !curve_point_parse(&point, (const unsigned char *)g->key.p,
	    g->key.len))
		return false;
	if (witness)
		sighash_v0(hash, n->s, n->at, code, type);
	else if (sighash_legacy(hash, &n->p->tx, n->at, code, type, NULL) !=
	    RC_OK)
		return false;
	return curve_ecdsa_verify(der, hash, &point);
}

/* The signature of the key with this hash; NULL: none that verifies. */
static const struct psbt_sig *
sig_of_hash(const struct ending *n, const unsigned char hash[HASH160_LEN],
    bool witness)
{
	unsigned char	 of_key[HASH160_LEN], code[ADDRESS_SCRIPT_MAX];
	struct text	 t = { (char *)code, script_p2pkh(code, hash) };
	size_t		 i;

	for (i = 0; i < n->in->n_sigs; i++) {
		const struct psbt_sig *g = &n->in->sigs[i];

		/* BIP143: compressed keys only. */
		if (witness && g->key.len != PUBLIC_KEY_LEN)
			continue;
		hash160(of_key, g->key.p, g->key.len);
		if (memcmp(of_key, hash, HASH160_LEN) == 0)
			return ecdsa_verifies(n, g, t, witness) ? g : NULL;
	}
	return NULL;
}

static enum rc
end_p2pkh(struct ending *n, struct err *e)
{
	const struct psbt_sig *g = sig_of_hash(n,
	    (const unsigned char *)n->script.p + 3, false);

	if (g == NULL)
		return lacks(n, e);
	n->script_sig_len = (size_t)(put_push(put_push(n->script_sig,
	    g->sig), g->key) - n->script_sig);
	return RC_OK;
}

static enum rc
end_p2wpkh(struct ending *n, struct text program, struct err *e)
{
	const struct psbt_sig *g = sig_of_hash(n,
	    (const unsigned char *)program.p, true);

	if (g == NULL)
		return lacks(n, e);
	n->witness[0] = 2;
	n->witness_len = (size_t)(put_item(put_item(n->witness + 1, g->sig),
	    g->key) - n->witness);
	return RC_OK;
}

/* The first m signatures in the order of the script's keys; how many. */
static unsigned
pick_sigs(struct text out[MULTISIG_MAX], const struct ending *n,
    const struct multisig *m, struct text code, bool witness)
{
	struct text	 key;
	unsigned	 k, found = 0;
	size_t		 i;

	for (k = 0; k < m->n && found < m->m; k++) {
		key.p = (const char *)m->keys[k];
		key.len = PUBLIC_KEY_LEN;
		for (i = 0; i < n->in->n_sigs; i++)
			if (text_equal(n->in->sigs[i].key, key))
				break;
		if (i < n->in->n_sigs && ecdsa_verifies(n, &n->in->sigs[i],
		    code, witness))
			out[found++] = n->in->sigs[i].sig;
	}
	return found;
}

static enum rc
end_multisig(struct ending *n, struct text code, bool witness, struct err *e)
{
	struct text	 sigs[MULTISIG_MAX];
	struct multisig	 m;
	unsigned char	*p;
	unsigned	 i;

	if (!script_is_multisig(&m, code))
		return not_ours(n, "its script is no multisig of compressed "
		    "keys", e);
	if (pick_sigs(sigs, n, &m, code, witness) < m.m)
		return lacks(n, e);
	if (!witness) {
		/* CHECKMULTISIG takes one element too many. */
		p = n->script_sig;
		*p++ = OP_0;
		for (i = 0; i < m.m; i++)
			p = put_push(p, sigs[i]);
		n->script_sig_len = (size_t)(put_push(p, code) -
		    n->script_sig);
		return RC_OK;
	}
	p = put_compact(n->witness, (uint64_t)m.m + 2);
	*p++ = 0;
	for (i = 0; i < m.m; i++)
		p = put_item(p, sigs[i]);
	n->witness_len = (size_t)(put_item(p, code) - n->witness);
	return RC_OK;
}

static enum rc
end_p2wsh(struct ending *n, struct text program, struct err *e)
{
	unsigned char	 hash[SHA256_LEN];
	struct text	 code = n->in->witness_script;

	if (code.len == 0)
		return not_ours(n, "it has no witness script", e);
	sha256(hash, code.p, code.len);
	if (memcmp(hash, program.p, sizeof(hash)) != 0)
		return not_ours(n, "its witness script is another than the "
		    "one paid to", e);
	return end_multisig(n, code, true, e);
}

static enum rc
end_p2tr(struct ending *n, struct text program, struct err *e)
{
	struct text	 sig = n->in->tap_key_sig;
	unsigned char	 hash[32];
	uint8_t		 type;

	if (sig.p == NULL)
		return lacks(n, e);
	/* BIP341 commits to what all inputs spend. */
	if (!n->all_known)
		return not_ours(n, "another input does not say what it "
		    "spends", e);
	type = sig.len == SCHNORR_LEN ? SIGHASH_DEFAULT :
	    (uint8_t)sig.p[SCHNORR_LEN];
	if ((n->in->has_sighash && n->in->sighash != type) ||
	    !sighash_v1(hash, n->s, n->at, type) ||
	    !curve_schnorr_verify((const unsigned char *)sig.p, hash,
	    sizeof(hash), (const unsigned char *)program.p))
		return lacks(n, e);
	n->witness[0] = 1;
	n->witness_len = (size_t)(put_item(n->witness + 1, sig) - n->witness);
	return RC_OK;
}

static bool
is_p2sh(struct text s)
{
	unsigned char	 form[ADDRESS_SCRIPT_MAX];

	return s.len == 2 + HASH160_LEN + 1 &&
	    s.len == script_p2sh(form, (const unsigned char *)s.p + 2) &&
	    memcmp(form, s.p, s.len) == 0;
}

static bool
is_p2pkh(struct text s)
{
	unsigned char	 form[ADDRESS_SCRIPT_MAX];

	return s.len == 3 + HASH160_LEN + 2 &&
	    s.len == script_p2pkh(form, (const unsigned char *)s.p + 3) &&
	    memcmp(form, s.p, s.len) == 0;
}

/* What is behind a script hash. */
static enum rc
open_p2sh(struct ending *n, struct err *e)
{
	struct text	 redeem = n->in->redeem_script;
	unsigned char	 hash[HASH160_LEN];

	if (redeem.len < 2 || redeem.len > PUSH_MAX)
		return not_ours(n, "it has no redeem script, or one that "
		    "cannot be spent", e);
	hash160(hash, redeem.p, redeem.len);
	if (memcmp(hash, n->script.p + 2, sizeof(hash)) != 0)
		return not_ours(n, "its redeem script is another than the "
		    "one paid to", e);
	n->script = redeem;
	return RC_OK;
}

static enum rc
end_one(struct ending *n, struct err *e)
{
	struct text	 program;
	unsigned	 version;
	bool		 nested = is_p2sh(n->script);

	if (nested && open_p2sh(n, e) != RC_OK)
		return RC_FAILED;
	if (!script_is_witness(&version, &program, n->script)) {
		if (nested)
			return end_multisig(n, n->script, false, e);
		if (is_p2pkh(n->script))
			return end_p2pkh(n, e);
		return not_ours(n, "it spends a script of no kind that is "
		    "finalized here", e);
	}
	if (nested)
		n->script_sig_len = (size_t)(put_push(n->script_sig,
		    n->script) - n->script_sig);
	if (version == 0 && program.len == HASH160_LEN)
		return end_p2wpkh(n, program, e);
	if (version == 0 && program.len == SHA256_LEN)
		return end_p2wsh(n, program, e);
	if (version == 1 && program.len == XONLY_LEN && !nested)
		return end_p2tr(n, program, e);
	return not_ours(n, "it spends a witness program of no kind that is "
	    "finalized here", e);
}

/* BIP174: only the UTXO, what is final, and what is not known stay. */
static bool
stays(const struct psbt_record *r)
{
	uint8_t	 type = (uint8_t)r->key.p[0];

	return !((type >= PSBT_IN_PARTIAL_SIG &&
	    type <= PSBT_IN_BIP32_DERIVATION) ||
	    (type >= PSBT_IN_RIPEMD160 && type <= PSBT_IN_HASH256) ||
	    (type >= PSBT_IN_TAP_KEY_SIG &&
	    type <= PSBT_IN_TAP_MERKLE_ROOT) ||
	    (type >= PSBT_IN_MUSIG_KEYS && type <= PSBT_IN_MUSIG_SIG));
}

/* In front of the first that comes after it, where most expect it. */
static void
insert(struct psbt_map *m, const struct psbt_record *r)
{
	size_t	 i, k;

	for (i = 0; i < m->n; i++)
		if (psbt_key_order(m->r[i].key, r->key) > 0)
			break;
	for (k = m->n++; k > i; k--)
		m->r[k] = m->r[k - 1];
	m->r[i] = *r;
}

/* The final fields in the place of what they were made of. */
static enum rc
seal(struct psbt *p, const struct ending *n, struct err *e)
{
	struct psbt_map	*m = &p->in[n->at].map, new = { NULL, 0 };
	struct text	 sig = { (const char *)n->script_sig,
			    n->script_sig_len };
	struct text	 witness = { (const char *)n->witness,
			    n->witness_len };
	const struct text none = { NULL, 0 };
	struct psbt_record made[2];
	size_t		 i;

	new.r = psbt_take(p, (m->n + 2) * sizeof(*new.r));
	if (new.r == NULL ||
	    !psbt_copy(p, &made[0], PSBT_IN_FINAL_SCRIPTSIG, none, sig) ||
	    !psbt_copy(p, &made[1], PSBT_IN_FINAL_SCRIPTWITNESS, none,
	    witness))
		return err_set(e, "input %zu: no memory", n->at);
	for (i = 0; i < m->n; i++)
		if (stays(&m->r[i]))
			new.r[new.n++] = m->r[i];
	if (sig.len > 0)
		insert(&new, &made[0]);
	if (witness.len > 0)
		insert(&new, &made[1]);
	*m = new;
	return psbt_fill(p, PSBT_IN, n->at, e);
}

/* Those that are complete, whatever the others are. */
static enum rc
finalize_all(struct psbt *p, const struct sighash *s, const bool *known,
    bool all_known, struct err *e)
{
	struct ending	 n;
	struct err	 mine;
	enum rc		 rc = RC_OK, first = RC_OK;
	size_t		 i;

	for (i = 0; i < p->tx.n_in; i++) {
		if (p->in[i].final_script_sig.p != NULL ||
		    p->in[i].final_witness.p != NULL)
			continue;
		n.p = p;
		n.s = s;
		n.all_known = all_known;
		n.at = i;
		n.in = &p->in[i];
		n.script = s->spent[i].script;
		n.script_sig_len = n.witness_len = 0;
		rc = !known[i] ? not_ours(&n, "it does not say, or not "
		    "rightly, what it spends", &mine) : end_one(&n, &mine);
		if (rc == RC_OK)
			rc = seal(p, &n, &mine);
		if (rc != RC_OK && first == RC_OK) {
			first = rc;
			(void)err_set(e, "psbt: %s", mine.text);
		}
	}
	return first;
}

enum rc
psbt_finalize(struct psbt *p, struct err *e)
{
	struct tx_out	*spent;
	struct sighash	 s;
	bool		*known, proved, all = true;
	enum rc		 rc;
	size_t		 i;

	if (p->tx.n_in == 0)
		return RC_OK;
	spent = calloc(p->tx.n_in, sizeof(*spent));
	known = calloc(p->tx.n_in, sizeof(*known));
	if (spent == NULL || known == NULL) {
		rc = err_set(e, "psbt: no memory");
	} else {
		for (i = 0; i < p->tx.n_in; i++) {
			known[i] = psbt_spent(&spent[i], &proved, p, i,
			    NULL) == RC_OK;
			all &= known[i];
		}
		sighash_begin(&s, &p->tx, spent);
		rc = finalize_all(p, &s, known, all, e);
	}
	free(spent);
	free(known);
	return rc;
}
