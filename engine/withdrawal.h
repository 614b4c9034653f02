/*
 * The life of a withdrawal: its record, what it holds while it waits, and
 * the steps from one state to the next.  Each step moves its counters, its
 * reservation and its money together (S10), so that no caller can forget
 * one.
 */
#ifndef ENGINE_WITHDRAWAL_H
#define ENGINE_WITHDRAWAL_H

#include "engine/inner.h"

/* The slot in e->withdrawals, or NONE. */
uint32_t withdrawal_find(const struct engine *e, struct ident id);

/* The decision made ready for a withdrawal that waits. */
struct decision *withdrawal_again(struct engine *e, uint32_t waiting,
    int64_t t_ms);

/*
 * Give it a record to wait in, with everything frozen as it is now.  False
 * when the pool is full.
 */
bool withdrawal_park(struct decision *d);

/* Each expects a parked withdrawal, but for deny and release. */
void withdrawal_wait(struct decision *d, int64_t delay_until_ms,
    int64_t code_until_ms);
void withdrawal_hold(struct decision *d, int people);
void withdrawal_stop(struct decision *d);
void withdrawal_release(struct decision *d);
/* STATE_DENIED, CANCELLED or EXPIRED. */
void withdrawal_end(struct decision *d, enum state state);

/* By people or by the owner: stage `confirmed`, trust and learning taken
 * back. */
void withdrawal_confirm_fraud(struct decision *d);

/* Entered in `blocked`, once. */
void withdrawal_blocked(struct decision *d);

/* The receipt came, or can no longer come: nothing takes it back now. */
void withdrawal_receipt(struct decision *d);

/* A halt takes back what has no receipt yet (S29). */
void withdrawal_take_back(struct decision *d);

/* A decision about no waiting record: for what is done already. */
struct decision *withdrawal_done(struct engine *e, uint32_t w, int64_t t_ms);

void withdrawal_emit(struct decision *d, enum outcome_type type,
    enum cause cause);
/* The same with the judgement that was just made. */
void withdrawal_emit_judged(struct decision *d, enum outcome_type type,
    enum cause cause);

#endif
