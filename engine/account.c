#include "engine/decide.h"
#include "engine/handlers.h"
#include "engine/layout.h"
#include "engine/ledger.h"
#include "engine/records.h"
#include "engine/withdrawal.h"

/* NULL, and the input refused, when it was never opened. */
static struct account *
open_account(struct engine *e, const struct input *in)
{
	uint32_t	 n = records_find(e, PLACE_ACCOUNT, in->account);

	if (n == NONE) {
		engine_refused(e, in, WHY_ACCOUNT);
		return NULL;
	}
	return records_account(e, n);
}

static void
set_moment(const struct engine *e, struct account *a, enum opt o)
{
	uint32_t	*s = layout_u32(e, a, o);

	if (s != NULL)
		*s = records_s_up(e->v.now_ms);
}

/* S23: a raised limit is young again.  Many small raises are one, since
 * each makes it young. */
static void
set_limit(const struct engine *e, struct account *a, int64_t limit_sat)
{
	int64_t		*limit = layout_i64(e, a, OPT_LIMIT);

	if (limit == NULL || limit_sat < 0)
		return;
	if ((a->flags & ACCOUNT_LIMIT) != 0 && limit_sat > *limit)
		set_moment(e, a, OPT_LIMIT_RAISED);
	a->flags |= ACCOUNT_LIMIT;
	*limit = limit_sat;
}

static bool
set_group(struct engine *e, struct account *a, struct ident group)
{
	uint32_t	*at = layout_u32(e, a, OPT_GROUP);
	int		 place = records_place(e, SCOPE_GROUP);
	uint32_t	 n;

	if (at == NULL || ident_none(group))
		return true;
	assert(place >= 0);
	if ((n = records_get(e, place, group, e->v.now_ms)) == FULL)
		return false;
	records_pin(e, place, n);
	if (*at != 0)
		records_unpin(e, place, *at - 1);
	*at = n + 1;
	return true;
}

void
account_input(struct engine *e, const struct input *in)
{
	bool		 is_new;
	uint32_t	*tier, n;
	struct account	*a;

	is_new = records_find(e, PLACE_ACCOUNT, in->account) == NONE;
	n = records_get(e, PLACE_ACCOUNT, in->account, e->v.now_ms);
	if (n == FULL) {
		engine_refused(e, in, WHY_FULL_ACCOUNTS);
		return;
	}
	a = records_account(e, n);
	if (!set_group(e, a, in->group)) {
		if (is_new) {
			(void)index_remove(&e->places[PLACE_ACCOUNT].index,
			    a->id);
			store_remove(&e->places[PLACE_ACCOUNT].store, n);
		}
		engine_refused(e, in, WHY_FULL_GROUPS);
		return;
	}
	if (is_new)
		a->opened_s = records_s_up(e->v.now_ms);
	set_limit(e, a, in->limit_sat);
	tier = layout_u32(e, a, OPT_TIER);
	if (tier != NULL && in->tier >= 0) {
		*tier = (uint32_t)in->tier;
		a->flags |= ACCOUNT_TIER;
	}
	engine_taken(e, in);
}

void
account_security_change(struct engine *e, const struct input *in)
{
	struct account	*a = open_account(e, in);

	if (a == NULL)
		return;
	set_moment(e, a, OPT_CREDENTIALS);
	set_moment(e, a, OPT_RESTART);
	engine_taken(e, in);
}

void
account_login(struct engine *e, const struct input *in)
{
	struct account	*a = open_account(e, in);
	uint32_t	 n;

	if (a == NULL)
		return;
	set_moment(e, a, OPT_LOGIN);
	a->flags &= ~(uint32_t)(ACCOUNT_DEVICE_KNOWN | ACCOUNT_DEVICE_NEW);
	if (in->device_new != TRI_UNKNOWN)
		a->flags |= ACCOUNT_DEVICE_KNOWN;
	if (in->device_new == TRI_YES)
		a->flags |= ACCOUNT_DEVICE_NEW;
	if (in->has_ip && e->use_uses) {
		n = records_find(e, PLACE_ACCOUNT, in->account);
		(void)records_get_ip(e, n, in->ip, e->v.now_ms);
	}
	engine_taken(e, in);
}

/* S21: what waits because of it is decided anew. */
static void
judge_waiting_of(struct engine *e, const struct account *a)
{
	uint32_t	 n, next;

	if (e->follow != NULL)
		return;		/* follow_facts() */
	for (n = a->waiting == 0 ? NONE : a->waiting - 1; n != NONE;
	    n = next) {
		next = records_waiting(e, n)->next;
		if (records_withdrawal(e, records_waiting(e, n)->w)->state ==
		    STATE_WAITING && e->v.halted == 0)
			decide_again(e, n, CAUSE_FACT);
	}
}

static void
fact_of_withdrawal(struct engine *e, const struct input *in)
{
	uint32_t	 n = withdrawal_find(e, in->id);
	struct withdrawal *w;
	struct waiting	*k;

	if (n == NONE) {
		engine_refused(e, in, WHY_UNKNOWN_ID);
		return;
	}
	w = records_withdrawal(e, n);
	if (w->waiting == NONE) {
		engine_refused(e, in, WHY_STATE);
		return;
	}
	k = records_waiting(e, w->waiting);
	k->declared_known |= UINT64_C(1) << in->declared;
	layout_declared(e, k)[in->declared] = in->value;
	engine_taken(e, in);
	if (w->state == STATE_WAITING && e->v.halted == 0 &&
	    e->follow == NULL)
		decide_again(e, w->waiting, CAUSE_FACT);
}

void
account_fact(struct engine *e, const struct input *in)
{
	struct account	*a;
	int64_t		*declared;

	if (in->declared < 0 || in->declared >= e->pol->n_declared) {
		/* This policy does not ask for it. */
		engine_taken(e, in);
		return;
	}
	if (!ident_none(in->id)) {
		fact_of_withdrawal(e, in);
		return;
	}
	if ((a = open_account(e, in)) == NULL)
		return;
	declared = layout_i64(e, a, OPT_DECLARED);
	declared[0] = (int64_t)((uint64_t)declared[0] |
	    UINT64_C(1) << in->declared);
	declared[1 + in->declared] = in->value;
	engine_taken(e, in);
	judge_waiting_of(e, a);
}

void
account_deposit(struct engine *e, const struct input *in)
{
	struct account	*a = open_account(e, in);

	if (a == NULL)
		return;
	if (in->amount_sat <= 0 || in->amount_sat > AMOUNT_SAT_MAX)
		engine_refused(e, in, WHY_AMOUNT);
	else if (!ledger_deposit(e, a, in->amount_sat))
		engine_refused(e, in, WHY_OVERFLOW);
	else
		engine_taken(e, in);
}

void
account_balance(struct engine *e, const struct input *in)
{
	struct account	*a = open_account(e, in);

	if (a == NULL)
		return;
	if (in->amount_sat < 0 || in->amount_sat > AMOUNT_SAT_MAX) {
		engine_refused(e, in, WHY_AMOUNT);
		return;
	}
	if (ledger_reading(e, a, in->amount_sat))
		engine_taken(e, in);
	else
		engine_refused(e, in, WHY_OVERFLOW);
}

/* An entry that is there already keeps its age; `age of listing` never
 * makes anything proven (S23). */
void
account_address_add(struct engine *e, const struct input *in)
{
	struct account	*a = open_account(e, in);
	struct trust_pair *p;
	uint32_t	 account, destination;

	if (a == NULL)
		return;
	if (!e->use_pairs) {
		engine_taken(e, in);
		return;
	}
	account = records_find(e, PLACE_ACCOUNT, in->account);
	destination = records_get(e, PLACE_DESTINATION, in->script,
	    e->v.now_ms);
	if (destination == FULL) {
		engine_refused(e, in, WHY_FULL_DESTINATIONS);
		return;
	}
	p = records_get_pair(e, account, destination, e->v.now_ms);
	if (p == NULL) {
		engine_refused(e, in, WHY_FULL_PAIRS);
		return;
	}
	if (p->listed_s == 0)
		/* Even seconds: the last bit says that it was imported. */
		p->listed_s = ((records_s_up(e->v.now_ms) + 1) &
		    ~LISTED_IMPORTED) | (in->history ? LISTED_IMPORTED : 0);
	engine_taken(e, in);
}

void
account_address_remove(struct engine *e, const struct input *in)
{
	struct account	*a = open_account(e, in);
	struct trust_pair *p = NULL;
	uint32_t	 destination;

	if (a == NULL)
		return;
	destination = records_find(e, PLACE_DESTINATION, in->script);
	if (destination != NONE)
		p = records_find_pair(e, records_find(e, PLACE_ACCOUNT,
		    in->account), destination);
	if (p != NULL)
		p->listed_s = 0;
	engine_taken(e, in);
}
