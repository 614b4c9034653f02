/*
 * Outputs that no receipt names: change of ours (C2, H10), or a cold
 * descriptor's, or nobody's.
 *
 * Found by the script, which the signer derives itself.  What the PSBT claims
 * about an output must then be true as well: whoever lies about his change
 * may lie about more.
 */
#include <assert.h>

#include "bitcoin/script.h"
#include "signer/inner.h"

/*
 * Does a derivation claim just this key, and none another of ours?  True when
 * nothing is claimed at all.
 */
static bool
claim_fits(const struct signer *s, const struct psbt_out *o,
    const struct key_ref *key)
{
	struct key_ref	 claimed;
	bool		 fits = o->n_paths == 0;
	size_t		 i;

	for (i = 0; i < o->n_paths; i++) {
		if (!keys_claimed(&claimed, s->keys, &o->paths[i]))
			continue;
		if (claimed.branch != key->branch ||
		    claimed.index != key->index ||
		    !keys_is(s->keys, key, o->paths[i].key))
			return false;
		fits = true;
	}
	return fits;
}

/*
 * Beyond what is looked up: a stranger's, or ours as the PSBT claims?  One
 * claim is tried: to derive takes time.
 */
static bool
claimed_ours(const struct signer *s, const struct pay *p, size_t i,
    struct key_ref *key)
{
	const struct psbt_out *o = &p->psbt->out[i];
	size_t		 c;

	for (c = 0; c < o->n_paths; c++)
		if (keys_claimed(key, s->keys, &o->paths[c]))
			return keys_matches(s->keys, key,
			    p->tx->out[i].script);
	return false;
}

static bool
comes_back(struct signer *s, struct pay *p, size_t i, struct refusal *r)
{
	const struct tx_out *out = &p->tx->out[i];
	struct pay_out	*o = &p->out[i];

	if (!keys_look_up(&o->key, s->keys, out->script) &&
	    !claimed_ours(s, p, i, &o->key))
		return refuse(r, SIGN_REFUSE_OUTPUT_UNKNOWN,
		    "output %zu: neither a receipt's nor ours", i);
	/* The look-ups may reach farther than what is signed allows. */
	if (o->key.index > (uint64_t)s->index_max + KEYS_AHEAD)
		return refuse(r, SIGN_REFUSE_CHANGE_INDEX,
		    "output %zu: change at index %u", i, o->key.index);
	if (o->key.branch >= 2) {
		o->kind = OUTPUT_COLD;
	} else {
		if (o->key.branch != 1)
			return refuse(r, SIGN_REFUSE_CHANGE_BRANCH,
			    "output %zu: change to a deposit address", i);
		if (!claim_fits(s, &p->psbt->out[i], &o->key))
			return refuse(r, SIGN_REFUSE_OUTPUT_UNKNOWN,
			    "output %zu: ours, but claimed to be another "
			    "key's", i);
		o->kind = OUTPUT_CHANGE;
	}
	/* Not above all inputs: these are at most TX_MONEY_MAX_SAT. */
	p->back_sat += out->amount_sat;
	return true;
}

bool
change_check(struct signer *s, struct pay *p, struct refusal *r)
{
	size_t	 i;
	uint32_t n = 0;

	p->back_sat = 0;
	for (i = 0; i < p->tx->n_out; i++) {
		if (p->tx->out[i].amount_sat <
		    script_dust_sat(p->tx->out[i].script))
			return refuse(r, SIGN_REFUSE_OUTPUT_DUST,
			    "output %zu: too small to be relayed", i);
		if (p->out[i].kind == OUTPUT_PAYMENT)
			continue;
		if (!comes_back(s, p, i, r))
			return false;
		/* Cold ones as well: many small ones are a hostage too. */
		if (++n > s->settings.change_max)
			return refuse(r, SIGN_REFUSE_CHANGE_MANY,
			    "more than %u outputs come back",
			    s->settings.change_max);
	}
	return true;
}
