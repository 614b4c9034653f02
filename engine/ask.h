/*
 * A withdrawal is asked for: from the input to its first verdict.
 */
#ifndef ENGINE_ASK_H
#define ENGINE_ASK_H

#include "engine/inner.h"

enum plan { PLAN_RELEASE, PLAN_WAIT, PLAN_HOLD, PLAN_DENY };

/* In decide.c, in the order in which a decision goes through them. */
void decide_judge(struct decision *d, enum eval_when when);
/* Does the verdict bind, or is it only observed (S49)? */
bool decide_enforced(const struct decision *d);
enum plan decide_plan(const struct decision *d);
void decide_carry_out(struct decision *d, enum plan plan, int64_t from_ms);
void decide_maybe_halt(struct decision *d, enum cause cause);

/* All classes afresh, as eval() does at asking, without the rules. */
void ask_classes(struct decision *d);

/* Enter the `asked` counters; or those of classes that are new to it. */
void ask_count(struct decision *d);
void ask_count_new(struct decision *d, uint64_t before);

/* Normals and the wallet see each turn of an hour up to t. */
void ask_turn_hours(struct engine *e, int64_t t_ms);

#endif
