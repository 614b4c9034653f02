/*
 * What the rules may ask: the value of every slot for one decision.
 */
#ifndef ENGINE_FACTS_H
#define ENGINE_FACTS_H

#include "engine/inner.h"

/* The callbacks of struct eval_env; ctx is the decision. */
enum eval_error facts_fetch(void *ctx, int slot, int64_t *value_out);
bool facts_draw(void *ctx, int rule);
uint32_t facts_shade(void *ctx, int rule);
bool facts_tainted(void *ctx, int rule);

/* Is it proven at this moment (S30)? */
bool facts_proven(struct decision *d);

/* The pair of this decision, or NULL. */
struct trust_pair *facts_pair(struct decision *d);

/* The normal of an aggregate now, -1 until learnt. */
int64_t facts_normal(const struct engine *e, int agg, int64_t t_ms);

/* S26 now, -1 unknown. */
int64_t facts_hot_sat(const struct engine *e, int64_t t_ms);

#endif
