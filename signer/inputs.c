/*
 * Whose inputs these are, and what they are worth (H9).
 *
 * What is claimed is believed where a lie only makes the signature worthless:
 * taproot's signatures commit to every amount and script (BIP341).  Witness
 * version 0 commits to the one input's amount alone, so that two requests
 * with different lies could be put together: there the transaction that made
 * the coin must be shown, unless it is change that this signer made.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "bitcoin/script.h"
#include "lib/sha256.h"
#include "signer/inner.h"
#include "wire/bytes.h"

static int
by_outpoint(const void *a, const void *b)
{
	const struct outpoint *const *x = a, *const *y = b;
	int	 c = memcmp((*x)->txid, (*y)->txid, sizeof((*x)->txid));

	return c != 0 ? c : ((*x)->vout > (*y)->vout) -
	    ((*x)->vout < (*y)->vout);
}

static bool
once_each(const struct tx *tx, struct refusal *r)
{
	const struct outpoint **o = calloc(tx->n_in, sizeof(const void *));
	bool	 good = true;
	size_t	 i;

	if (o == NULL)
		return refuse(r, SIGN_REFUSE_FAILED, "no memory");
	for (i = 0; i < tx->n_in; i++)
		o[i] = &tx->in[i].prev;
	qsort(o, tx->n_in, sizeof(*o), by_outpoint);
	for (i = 1; i < tx->n_in && good; i++)
		if (outpoint_equal(o[i - 1], o[i]))
			good = refuse(r, SIGN_REFUSE_INPUT_TWICE,
			    "one outpoint is spent twice");
	free(o);
	return good;
}

/* Ours by its script, or as its derivation claims beyond the look-ahead. */
static bool
whose(struct signer *s, struct pay *p, size_t i, struct refusal *r)
{
	const struct psbt_in *in = &p->psbt->in[i];
	struct key_ref	*key = &p->in[i].key;
	size_t		 c;

	if (keys_look_up(key, s->keys, p->spent[i].script))
		return key->branch < 2 ? true :
		    refuse(r, SIGN_REFUSE_INPUT_FOREIGN,
		    "input %zu: a cold descriptor's", i);
	/* One is tried: to derive takes time. */
	for (c = 0; c < in->n_paths; c++)
		if (keys_claimed(key, s->keys, &in->paths[c]))
			break;
	if (c < in->n_paths &&
	    keys_matches(s->keys, key, p->spent[i].script))
		return true;
	return refuse(r, SIGN_REFUSE_INPUT_FOREIGN,
	    "input %zu: not of our keys", i);
}

/* Witness version 0 only: change of ours tells its amount itself. */
static bool
remembered(struct signer *s, struct pay *p, size_t i)
{
	const struct record_change *c = memory_change(s->memory,
	    &p->tx->in[i].prev);

	return c != NULL && c->amount_sat == p->spent[i].amount_sat &&
	    c->branch == p->in[i].key.branch && c->index == p->in[i].key.index;
}

static bool
worth(struct signer *s, struct pay *p, size_t i, struct refusal *r)
{
	struct err	 e;
	bool		 proved;

	if (psbt_spent(&p->spent[i], &proved, p->psbt, i, &e) != RC_OK)
		return refuse(r, SIGN_REFUSE_AMOUNT_UNPROVED, "%s", e.text);
	if (!whose(s, p, i, r))
		return false;
	if (s->settings.wallet != SIGN_TR && !proved && !remembered(s, p, i))
		return refuse(r, SIGN_REFUSE_AMOUNT_UNPROVED,
		    "input %zu: the transaction that made it is missing", i);
	p->in[i].amount_sat = p->spent[i].amount_sat;
	if (__builtin_add_overflow(p->in_sat, p->in[i].amount_sat,
	    &p->in_sat) || p->in_sat > TX_MONEY_MAX_SAT)
		return refuse(r, SIGN_REFUSE_AMOUNT_UNPROVED,
		    "input %zu: more money than there is", i);
	return true;
}

/* What a co-signer put there must not be less than all (condition 1). */
static bool
foreign_signatures(const struct signer *s, const struct psbt_in *in,
    size_t i, struct refusal *r)
{
	size_t	 c;

	if (in->tap_key_sig.p != NULL ||
	    (in->n_sigs > 0 && s->settings.wallet != SIGN_WSH))
		return refuse(r, SIGN_REFUSE_MALFORMED,
		    "input %zu: signed already", i);
	for (c = 0; c < in->n_sigs; c++)
		if (in->sigs[c].sig.len == 0 || (unsigned char)
		    in->sigs[c].sig.p[in->sigs[c].sig.len - 1] != SIGHASH_ALL)
			return refuse(r, SIGN_REFUSE_SIGHASH,
			    "input %zu: a signature of another type", i);
	return true;
}

static bool
scripts_fit(const struct signer *s, struct pay *p, size_t i,
    struct refusal *r)
{
	const struct psbt_in *in = &p->psbt->in[i];
	unsigned char	 hash[SHA256_LEN];

	if (in->redeem_script.p != NULL || in->tap_merkle_root.p != NULL ||
	    in->has_tap_scripts)
		return refuse(r, SIGN_REFUSE_MALFORMED,
		    "input %zu: scripts that ours do not have", i);
	if (s->settings.wallet != SIGN_WSH)
		return in->witness_script.p == NULL ? true :
		    refuse(r, SIGN_REFUSE_MALFORMED,
		    "input %zu: scripts that ours do not have", i);
	if (in->witness_script.p == NULL)
		return refuse(r, SIGN_REFUSE_MALFORMED,
		    "input %zu: the witness script is missing", i);
	/* Ours is the program: so what hashes to it is ours. */
	sha256(hash, in->witness_script.p, in->witness_script.len);
	return memcmp(hash, p->spent[i].script.p + 2, sizeof(hash)) == 0 ?
	    true : refuse(r, SIGN_REFUSE_MALFORMED,
	    "input %zu: another witness script", i);
}

static bool
one_input(struct signer *s, struct pay *p, size_t i, struct refusal *r)
{
	const struct psbt_in *in = &p->psbt->in[i];

	if (in->final_script_sig.p != NULL || in->final_witness.p != NULL)
		return refuse(r, SIGN_REFUSE_MALFORMED,
		    "input %zu: finished already", i);
	if (in->has_sighash && in->sighash != SIGHASH_ALL &&
	    (in->sighash != SIGHASH_DEFAULT || s->settings.wallet != SIGN_TR))
		return refuse(r, SIGN_REFUSE_SIGHASH,
		    "input %zu: sighash type %#x", i, in->sighash);
	return worth(s, p, i, r) && foreign_signatures(s, in, i, r) &&
	    scripts_fit(s, p, i, r);
}

/* What the signatures depend on and the txid does not say. */
static void
spent_hash(struct pay *p)
{
	struct sha256	 h;
	unsigned char	 b[12];
	size_t		 i;

	sha256_begin(&h);
	for (i = 0; i < p->tx->n_in; i++) {
		put_le64(b, (uint64_t)p->spent[i].amount_sat);
		put_le32(b + 8, (uint32_t)p->spent[i].script.len);
		sha256_add(&h, b, sizeof(b));
		sha256_add(&h, p->spent[i].script.p, p->spent[i].script.len);
	}
	sha256_end(&h, p->spent_hash);
}

bool
inputs_check(struct signer *s, struct pay *p, struct refusal *r)
{
	size_t	 i;

	if (p->tx->version != 1 && p->tx->version != 2)
		return refuse(r, SIGN_REFUSE_TX_VERSION,
		    "a transaction of version %u", p->tx->version);
	if (!once_each(p->tx, r))
		return false;
	p->in_sat = 0;
	for (i = 0; i < p->tx->n_in; i++)
		if (!one_input(s, p, i, r))
			return false;
	spent_hash(p);
	/*
	 * A taproot amount may be made up.  If the same transaction came with
	 * other amounts, the first lie would be what was counted.
	 */
	p->again = memory_find_tx(s->memory, p->txid);
	if (p->again != NULL && memcmp(p->again->spent_hash, p->spent_hash,
	    sizeof(p->spent_hash)) != 0)
		return refuse(r, SIGN_REFUSE_TX_CHANGED, "signed before, as "
		    "spending other amounts");
	return true;
}
