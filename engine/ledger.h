/*
 * Double entry in satoshi: the accounts' balances, what waits, what was paid
 * out, and the outside world.  Every movement takes from one book what it
 * gives to another, so that all of them together are always zero.
 *
 * With `set ledger external` the money is booked elsewhere and nothing moves
 * here.
 */
#ifndef ENGINE_LEDGER_H
#define ENGINE_LEDGER_H

#include "engine/inner.h"

/* False when the books could no longer be added up. */
bool ledger_room(const struct engine *e, int64_t amount_sat);

/* Is there enough?  True for an account whose balance is not known. */
bool ledger_covers(const struct engine *e, const struct account *a,
    int64_t amount_sat);

/* False when that would be more than all coins. */
bool ledger_deposit(struct engine *e, struct account *a, int64_t amount_sat);
bool ledger_reading(struct engine *e, struct account *a, int64_t amount_sat);

/* A withdrawal was asked for; is paid out; is not; is taken back. */
void ledger_ask(struct engine *e, struct account *a, struct withdrawal *w);
void ledger_pay(struct engine *e, struct withdrawal *w);
void ledger_unpay(struct engine *e, struct withdrawal *w);
void ledger_give_back(struct engine *e, struct account *a,
    struct withdrawal *w);

#endif
