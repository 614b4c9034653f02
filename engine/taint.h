/*
 * S28: a rule about the platform, a group or a destination that is crossed
 * taints every moment then inside its window; whoever was asked for in a
 * tainted moment hears that rule again when his delay ends.
 *
 * On the platform: a ring of bits, one a bucket of 1/64 of the window.  For
 * destinations and groups: one interval a rule in their record, widened when
 * it is crossed again, which can only taint more.
 */
#ifndef ENGINE_TAINT_H
#define ENGINE_TAINT_H

#include "engine/inner.h"

enum rc taint_new(struct engine *e, struct err *err) MUST_CHECK;
void taint_free(struct engine *e);

/* This rule is crossed at d->t_ms. */
void taint_mark(struct decision *d, int rule);

/* Was the decision's withdrawal asked for in a tainted moment? */
bool taint_hit(const struct decision *d, int rule);

/* Does some interval of this destination, or group, still matter? */
bool taint_live(const struct engine *e, int place, const void *record,
    int64_t t_ms);

#endif
