/*
 * One function an input type; engine.c has the table.  Each emits what came
 * of it.
 */
#ifndef ENGINE_HANDLERS_H
#define ENGINE_HANDLERS_H

#include "engine/inner.h"

/* account.c */
void account_input(struct engine *e, const struct input *in);
void account_security_change(struct engine *e, const struct input *in);
void account_login(struct engine *e, const struct input *in);
void account_fact(struct engine *e, const struct input *in);
void account_deposit(struct engine *e, const struct input *in);
void account_balance(struct engine *e, const struct input *in);
void account_address_add(struct engine *e, const struct input *in);
void account_address_remove(struct engine *e, const struct input *in);

/* key.c */
void key_input(struct engine *e, const struct input *in);
void key_revoke(struct engine *e, const struct input *in);
/* No key may withdraw until it is given anew. */
void key_disarm_all(struct engine *e);

/* wallet.c */
void wallet_hot_balance(struct engine *e, const struct input *in);
void wallet_fund(struct engine *e, const struct input *in);
void wallet_chain_seen(struct engine *e, const struct input *in);

/* operator.c: people, customers and payments about one withdrawal */
void operator_release(struct engine *e, const struct input *in);
void operator_deny(struct engine *e, const struct input *in);
void operator_cancel(struct engine *e, const struct input *in);
void operator_code(struct engine *e, const struct input *in);
void operator_receipt(struct engine *e, const struct input *in);
void operator_burned(struct engine *e, const struct input *in);
void operator_outcome(struct engine *e, const struct input *in);

/* stop.c: freezing, halting, resuming */
void stop_freeze(struct engine *e, const struct input *in);
void stop_unfreeze(struct engine *e, const struct input *in);
void stop_halt(struct engine *e, const struct input *in);
void stop_resume(struct engine *e, const struct input *in);
void stop_tick(struct engine *e, const struct input *in);
void stop_restored(struct engine *e, const struct input *in);
/* What an account (with `key`, if not NONE) has waiting is denied. */
void stop_deny_waiting(struct engine *e, uint32_t account, uint32_t key);

/* engine.c: the input was taken, or was not and nothing has changed. */
void engine_taken(struct engine *e, const struct input *in);
void engine_refused(struct engine *e, const struct input *in, enum why why);
/* Its handler alone: what is due and the time are done with. */
void engine_handle(struct engine *e, const struct input *in);

#endif
