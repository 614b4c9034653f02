#include "engine/ledger.h"

#include "engine/records.h"

static bool
external(const struct engine *e)
{
	return e->pol->set.ledger_external;
}

/*
 * All coins are 2^51 sat, but what is reported from outside need not be
 * true: a thousand accounts may each claim all coins.  No book comes near
 * the end of its 63 bits.
 */
bool
ledger_room(const struct engine *e, int64_t amount_sat)
{
	const int64_t	 most_sat = INT64_MAX / 4;

	return e->v.waiting_sat < most_sat - amount_sat &&
	    e->v.pending_sat < most_sat - amount_sat &&
	    e->v.paid_sat < most_sat - amount_sat &&
	    -e->v.outside_sat < most_sat - amount_sat;
}

bool
ledger_covers(const struct engine *e, const struct account *a,
    int64_t amount_sat)
{
	if (external(e) || (a->flags & ACCOUNT_BALANCE) == 0)
		return true;
	return amount_sat <= a->balance_sat;
}

bool
ledger_deposit(struct engine *e, struct account *a, int64_t amount_sat)
{
	if (external(e))
		return true;
	if (a->balance_sat + amount_sat > AMOUNT_SAT_MAX ||
	    !ledger_room(e, amount_sat))
		return false;
	a->flags |= ACCOUNT_BALANCE;
	a->balance_sat += amount_sat;
	e->v.outside_sat -= amount_sat;
	return true;
}

bool
ledger_reading(struct engine *e, struct account *a, int64_t amount_sat)
{
	if (external(e))
		return true;
	if (!ledger_room(e, amount_sat))
		return false;
	a->flags |= ACCOUNT_BALANCE;
	e->v.outside_sat -= amount_sat - a->balance_sat;
	a->balance_sat = amount_sat;
	return true;
}

/* The book that a withdrawal came from: the account's if it was known. */
static int64_t *
source(struct engine *e, struct account *a, const struct withdrawal *w)
{
	return (w->flags & W_LEDGER) != 0 ? &a->balance_sat :
	    &e->v.outside_sat;
}

void
ledger_ask(struct engine *e, struct account *a, struct withdrawal *w)
{
	if (external(e))
		return;
	if ((a->flags & ACCOUNT_BALANCE) != 0)
		w->flags |= W_LEDGER;
	*source(e, a, w) -= w->amount_sat;
	e->v.pending_sat += w->amount_sat;
	w->flags |= W_PENDING;
}

void
ledger_pay(struct engine *e, struct withdrawal *w)
{
	if ((w->flags & W_PENDING) == 0)
		return;
	e->v.pending_sat -= w->amount_sat;
	e->v.paid_sat += w->amount_sat;
	w->flags = (w->flags & ~(uint32_t)W_PENDING) | W_PAID_OUT;
}

void
ledger_unpay(struct engine *e, struct withdrawal *w)
{
	if ((w->flags & W_PAID_OUT) == 0)
		return;
	e->v.paid_sat -= w->amount_sat;
	e->v.pending_sat += w->amount_sat;
	w->flags = (w->flags & ~(uint32_t)W_PAID_OUT) | W_PENDING;
}

void
ledger_give_back(struct engine *e, struct account *a, struct withdrawal *w)
{
	ledger_unpay(e, w);
	if ((w->flags & W_PENDING) == 0)
		return;
	e->v.pending_sat -= w->amount_sat;
	*source(e, a, w) += w->amount_sat;
	w->flags &= ~(uint32_t)W_PENDING;
}

int64_t
engine_account_balance_sat(const struct engine *e, struct ident id)
{
	uint32_t	 n = records_find(e, PLACE_ACCOUNT, id);

	if (n == NONE ||
	    (records_account(e, n)->flags & ACCOUNT_BALANCE) == 0)
		return -1;
	return records_account(e, n)->balance_sat;
}

int64_t
engine_books_sum_sat(const struct engine *e)
{
	int64_t		 sum_sat = e->v.pending_sat + e->v.paid_sat +
	    e->v.outside_sat;
	uint32_t	 i;

	for (i = 0; i < e->places[PLACE_ACCOUNT].store.top; i++)
		sum_sat += records_account(e, i)->balance_sat;
	return sum_sat;
}
