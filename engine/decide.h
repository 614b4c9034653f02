/*
 * Judging: asked for, matured, resumed, a fact changed, a code came.
 */
#ifndef ENGINE_DECIDE_H
#define ENGINE_DECIDE_H

#include "engine/inner.h"

/* INPUT_WITHDRAW. */
void decide_ask(struct engine *e, const struct input *in);

/* Everything due at or before t, each at its own time. */
void decide_due(struct engine *e, int64_t t_ms);

/* A waiting one is judged again now (CAUSE_FACT, CAUSE_CODE). */
void decide_again(struct engine *e, uint32_t waiting, enum cause cause);

/* All that is stopped, in order of asking (S29); one of them. */
void decide_stopped(struct engine *e);
void decide_resume(struct engine *e, uint32_t waiting);

/* By people: only ceilings bind (S45).  False: a ceiling forbids it. */
bool decide_release(struct decision *d);

/* Everything stops. */
void decide_halt(struct engine *e, int rule, enum cause cause);

#endif
