/*
 * What the engine learns from a release, and takes back when it turns out
 * that it was theft.
 */
#ifndef ENGINE_LEARN_H
#define ENGINE_LEARN_H

#include "engine/inner.h"

/* Trust, habits, the destination, addresses; before the state changes. */
void learn_release(struct decision *d);

/* Confirmed fraud (S32, S35): its credit, its day, its destination. */
void learn_fraud(struct decision *d);

#endif
