/*
 * One set of settings after another: what may follow, and which way it goes.
 */
#include <string.h>

#include "wire/sign_settings.h"

#define REGTEST	3

int64_t
sign_block_min_ms(uint8_t network)
{
	return network == REGTEST ? 0 : 300000;
}

int64_t
sign_block_ms(uint8_t network)
{
	return network == REGTEST ? 0 : 600000;
}

static const struct sign_operator *
find_operator(const struct sign_settings *s, const struct sign_operator *o)
{
	size_t	 i;

	for (i = 0; i < s->n_operators; i++) {
		if (strcmp(s->operators[i].name, o->name) == 0 &&
		    memcmp(s->operators[i].key, o->key, 32) == 0)
			return &s->operators[i];
	}
	return NULL;
}

static bool
has_cold(const struct sign_settings *s, const char *descriptor)
{
	size_t	 i;

	for (i = 0; i < s->n_cold; i++) {
		if (strcmp(s->cold[i], descriptor) == 0)
			return true;
	}
	return false;
}

static enum rc
check_founded(const struct sign_settings *a, const struct sign_settings *b,
    struct err *e)
{
	const char	*what = NULL;
	size_t		 i;

	if (a->network != b->network)
		what = "network";
	else if (memcmp(a->deployment, b->deployment, 16) != 0)
		what = "deployment";
	else if (memcmp(a->engine_key, b->engine_key, 32) != 0)
		what = "engine";
	else if (a->epoch != b->epoch)
		what = "epoch";
	else if (a->wallet != b->wallet || a->m != b->m || a->n != b->n)
		what = "wallet";
	else if (a->n_cosigners != b->n_cosigners)
		what = "cosigner";
	for (i = 0; what == NULL && i < a->n_cosigners; i++) {
		if (strcmp(a->cosigners[i], b->cosigners[i]) != 0)
			what = "cosigner";
	}
	return what == NULL ? RC_OK : err_set(e, "`%s`: cannot be changed by "
	    "settings", what);
}

/*
 * Somebody new, somebody who may more, or a custodian less: with the others
 * gone, one who was among them could loosen all by himself.
 */
static bool
people_loosen(const struct sign_settings *now,
    const struct sign_settings *next)
{
	const struct sign_operator	*o, *was;
	size_t				 i;

	for (i = 0; i < next->n_operators; i++) {
		o = &next->operators[i];
		was = find_operator(now, o);
		if (was == NULL || (o->approve && !was->approve) ||
		    (o->custodian && !was->custodian))
			return true;
	}
	for (i = 0; i < now->n_operators; i++) {
		o = &now->operators[i];
		was = find_operator(next, o);
		if (o->custodian && (was == NULL || !was->custodian))
			return true;
	}
	return next->quorum < now->quorum;
}

static bool
numbers_loosen(const struct sign_settings *now,
    const struct sign_settings *next)
{
	return next->tx_max_sat > now->tx_max_sat ||
	    next->short_max_sat > now->short_max_sat ||
	    next->long_max_sat > now->long_max_sat ||
	    next->short_blocks < now->short_blocks ||
	    next->long_blocks < now->long_blocks ||
	    next->fee_max_sat > now->fee_max_sat ||
	    next->fee_rate_max > now->fee_rate_max ||
	    next->spike_fee_max_sat > now->spike_fee_max_sat ||
	    next->spike_rate_max > now->spike_rate_max ||
	    next->approve_above_sat > now->approve_above_sat ||
	    next->change_max > now->change_max ||
	    next->delay_blocks < now->delay_blocks ||
	    next->sequence_jump > now->sequence_jump;
}

enum rc
sign_settings_compare(const struct sign_settings *now,
    const struct sign_settings *next, bool *loosens, struct err *e)
{
	size_t	 i;

	*loosens = true;
	if (check_founded(now, next, e) != RC_OK)
		return RC_FAILED;
	*loosens = people_loosen(now, next) || numbers_loosen(now, next);
	for (i = 0; i < next->n_cold; i++) {
		if (!has_cold(now, next->cold[i]))
			*loosens = true;
	}
	return RC_OK;
}

#define TAKE_LESS(m)	(out->m = now->m < next->m ? now->m : next->m)
#define TAKE_MORE(m)	(out->m = now->m > next->m ? now->m : next->m)

static void
stricter_people(struct sign_settings *out, const struct sign_settings *now,
    const struct sign_settings *next)
{
	const struct sign_operator	*then;
	struct sign_operator		 o;
	size_t				 i;

	out->n_operators = 0;
	for (i = 0; i < now->n_operators; i++) {
		o = now->operators[i];
		then = find_operator(next, &o);
		o.approve = o.approve && then != NULL && then->approve;
		if (o.approve || o.custodian)
			out->operators[out->n_operators++] = o;
	}
}

void
sign_settings_stricter(struct sign_settings *out,
    const struct sign_settings *now, const struct sign_settings *next)
{
	size_t	 i;

	*out = *now;
	TAKE_LESS(tx_max_sat);
	TAKE_LESS(short_max_sat);
	TAKE_LESS(long_max_sat);
	TAKE_MORE(short_blocks);
	TAKE_MORE(long_blocks);
	TAKE_LESS(fee_max_sat);
	TAKE_LESS(fee_rate_max);
	TAKE_LESS(spike_fee_max_sat);
	TAKE_LESS(spike_rate_max);
	TAKE_LESS(approve_above_sat);
	TAKE_LESS(change_max);
	TAKE_MORE(delay_blocks);
	TAKE_LESS(sequence_jump);
	TAKE_MORE(quorum);
	stricter_people(out, now, next);
	out->n_cold = 0;
	for (i = 0; i < now->n_cold; i++) {
		if (has_cold(next, now->cold[i]))
			memcpy(out->cold[out->n_cold++], now->cold[i],
			    sizeof(now->cold[i]));
	}
}
