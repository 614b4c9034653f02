#include "engine/facts.h"
#include "engine/handlers.h"
#include "engine/records.h"

static bool
reading_good(struct engine *e, const struct input *in)
{
	if (in->amount_sat >= 0 && in->amount_sat <= AMOUNT_SAT_MAX)
		return true;
	engine_refused(e, in, WHY_AMOUNT);
	return false;
}

void
wallet_hot_balance(struct engine *e, const struct input *in)
{
	if (!reading_good(e, in))
		return;
	hot_set(&e->hot, e->v.now_ms, in->amount_sat);
	engine_taken(e, in);
}

void
wallet_fund(struct engine *e, const struct input *in)
{
	if (!reading_good(e, in))
		return;
	e->v.fund_sat = in->amount_sat;
	engine_taken(e, in);
}

/* A report may only make an address younger than was said before, or be the
 * first to speak of it (H1). */
void
wallet_chain_seen(struct engine *e, const struct input *in)
{
	struct destination *d;
	uint32_t	 n, seen_s;

	if (!e->p->uses_fact[FACT_AGE_DESTINATION_CHAIN] &&
	    !e->p->uses_fact[FACT_DESTINATION_NEW_CHAIN]) {
		engine_taken(e, in);
		return;
	}
	n = records_get(e, PLACE_DESTINATION, in->script, e->v.now_ms);
	if (n == FULL) {
		engine_refused(e, in, WHY_FULL_DESTINATIONS);
		return;
	}
	d = records_destination(e, n);
	seen_s = records_s_up(in->first_seen_ms < e->v.now_ms ?
	    in->first_seen_ms : e->v.now_ms);
	if (d->chain_s == 0 || seen_s > d->chain_s)
		d->chain_s = seen_s;
	d->chain_sat = in->amount_sat;
	engine_taken(e, in);
}

int64_t
engine_hot_sat(const struct engine *e)
{
	return facts_hot_sat(e, e->v.now_ms);
}
