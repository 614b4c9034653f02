/*
 * The state as a whole: its size, room for more of it.
 */
#include "engine/counters.h"
#include "engine/facts.h"
#include "engine/inner.h"
#include "engine/records.h"

static const char *const why_texts[WHY__COUNT] = {
	[WHY_NONE] = "none",
	[WHY_ACCOUNT] = "builtin:account",
	[WHY_KEY] = "builtin:key",
	[WHY_BALANCE] = "builtin:balance",
	[WHY_FROZEN] = "builtin:frozen",
	[WHY_CONFLICT] = "the id is known with other content",
	[WHY_UNKNOWN_ID] = "no such withdrawal",
	[WHY_STATE] = "its state does not allow that",
	[WHY_CEILING] = "a ceiling, which people may not lift",
	[WHY_FULL_ACCOUNTS] = "no room for more accounts",
	[WHY_FULL_KEYS] = "no room for more keys",
	[WHY_FULL_PAIRS] = "no room for more pairs",
	[WHY_FULL_DESTINATIONS] = "no room for more destinations",
	[WHY_FULL_WAITING] = "no room for more withdrawals that wait",
	[WHY_FULL_WITHDRAWALS] = "no room for more withdrawals",
	[WHY_FULL_NETWORKS] = "no room for more networks",
	[WHY_FULL_GROUPS] = "no room for more groups and partners",
	[WHY_CLOCK] = "the time is beyond the year 2100",
	[WHY_AMOUNT] = "not an amount",
	[WHY_OVERFLOW] = "more than all coins",
	[WHY_HALTED] = "halted already, or not halted",
	[WHY_READING] = "a share of something that was never reported",
};

const char *
why_text(enum why w)
{
	assert(w < WHY__COUNT);
	return why_texts[w];
}

const char *
state_text(enum state s)
{
	switch (s) {
	case STATE_WAITING:
		return "waiting";
	case STATE_STOPPED:
		return "stopped";
	case STATE_HELD:
		return "held";
	case STATE_RELEASED:
		return "released";
	case STATE_DENIED:
		return "denied";
	case STATE_CANCELLED:
		return "cancelled";
	case STATE_EXPIRED:
		return "expired";
	case STATE_FAILED:
		return "failed";
	case STATE_PAID:
		return "paid";
	}
	assert(0);
	return NULL;
}

void
engine_usage(const struct engine *e, struct engine_usage *out)
{
	const struct store *accounts = &e->places[PLACE_ACCOUNT].store;
	const struct store *dests = &e->places[PLACE_DESTINATION].store;
	int		 i;

	memset(out, 0, sizeof(*out));
	out->accounts = accounts->live;
	out->keys = e->places[PLACE_KEY].store.live;
	out->pairs = e->pairs.live;
	out->destinations = dests->live;
	out->waiting = e->waiting.live;
	out->withdrawals = e->withdrawals.live;
	out->bytes_account = accounts->record_size;
	out->bytes_pair = e->pairs.record_size;
	out->bytes_destination = dests->record_size;
	out->bytes_waiting = e->waiting.record_size;
	for (i = 0; i < e->n_places; i++)
		out->bytes_touched += store_bytes(&e->places[i].store);
	out->bytes_touched += store_bytes(&e->withdrawals) +
	    store_bytes(&e->waiting) + store_bytes(&e->pairs) +
	    store_bytes(&e->cidrs) + store_bytes(&e->ips) +
	    store_bytes(&e->uses);
}

int64_t
engine_read_platform(const struct engine *e, int agg)
{
	if (agg < 0 || agg >= e->p->n_aggs ||
	    e->counters[agg].place != PLACE_PLATFORM)
		return -1;
	return counters_platform(e, agg, e->v.now_ms);
}

int64_t
engine_read_normal(const struct engine *e, int agg)
{
	if (agg < 0 || agg >= e->p->n_aggs)
		return -1;
	return facts_normal(e, agg, e->v.now_ms);
}

/* What only one that waits has. */
static void
read_waiting(const struct engine *e, uint32_t n,
    struct engine_withdrawal *out)
{
	const struct waiting *k = records_waiting(e, n);

	out->script = k->script;
	if (due_has(&e->due, n))
		out->due_ms = e->due.heap[e->due.place[n] - 1].due_ms;
	if (out->state != STATE_HELD)
		return;
	out->people = (int)k->people;
	out->approvals = (int)k->n_approvals;
}

bool
engine_withdrawal(const struct engine *e, struct ident id,
    struct engine_withdrawal *out)
{
	uint32_t	 n = index_find(&e->withdrawals_ix, id);
	const struct withdrawal *w;

	memset(out, 0, sizeof(*out));
	if (n == INDEX_NONE)
		return false;
	w = records_withdrawal(e, n);
	if (w->account != NONE)
		out->account = records_account(e, w->account)->id;
	out->ref = w->ref;
	out->amount_sat = w->amount_sat;
	out->asked_ms = w->asked_ms;
	out->released_ms = w->released_ms;
	out->due_ms = INT64_MAX;
	out->state = (enum state)w->state;
	out->verdict = (enum verdict)w->verdict;
	out->would = (enum verdict)w->would;
	out->why = (enum why)w->why;
	out->receipt = (w->flags & W_RECEIPT) != 0;
	out->issued = (w->flags & W_ISSUED) != 0;
	out->burned = (w->flags & W_BURNED) != 0;
	if (w->waiting != NONE)
		read_waiting(e, w->waiting, out);
	return true;
}

int64_t
engine_fund_sat(const struct engine *e)
{
	return e->v.fund_sat;
}

/* A pool and its index with room for `more`. */
static enum rc
reserve_pool(struct store *s, struct index *ix, size_t more, struct err *err)
{
	size_t		 want = (size_t)s->live + more;
	enum rc		 rc;

	if (want <= s->count_max)
		return RC_OK;
	/* Twice as much: growing costs a look at every record. */
	want *= 2;
	if (want >= FULL)
		return err_set(err, "more records than can be numbered");
	if ((rc = store_grow(s, want, err)) != RC_OK || ix == NULL)
		return rc;
	return index_grow(ix, want, err);
}

static enum rc
reserve_waiting(struct engine *e, size_t more, struct err *err)
{
	enum rc		 rc;

	if ((rc = reserve_pool(&e->waiting, NULL, more, err)) != RC_OK)
		return rc;
	if (e->due.capacity >= e->waiting.count_max)
		return RC_OK;
	if ((rc = due_grow(&e->due, e->waiting.count_max, err)) != RC_OK ||
	    (rc = due_grow(&e->stopped, e->waiting.count_max, err)) !=
	    RC_OK)
		return rc;
	return due_grow(&e->unreceipted, e->waiting.count_max, err);
}

enum rc
engine_reserve(struct engine *e, size_t inputs, struct err *err)
{
	enum rc		 rc;
	int		 i;

	for (i = PLACE_ACCOUNT; i < e->n_places; i++)
		if ((rc = reserve_pool(&e->places[i].store,
		    &e->places[i].index, inputs, err)) != RC_OK)
			return rc;
	if ((rc = reserve_pool(&e->withdrawals, &e->withdrawals_ix, inputs,
	    err)) != RC_OK ||
	    (rc = reserve_waiting(e, inputs, err)) != RC_OK ||
	    (rc = reserve_pool(&e->cidrs, NULL, inputs * 4 + 1024,
	    err)) != RC_OK)
		return rc;
	if (e->use_pairs && (rc = reserve_pool(&e->pairs, &e->pairs_ix,
	    inputs, err)) != RC_OK)
		return rc;
	if (e->use_ips && (rc = reserve_pool(&e->ips, &e->ips_ix, inputs,
	    err)) != RC_OK)
		return rc;
	if (e->use_uses && (rc = reserve_pool(&e->uses, &e->uses_ix, inputs,
	    err)) != RC_OK)
		return rc;
	return RC_OK;
}
