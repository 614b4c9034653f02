/*
 * E-SIDE: what is rounded against a customer may not excuse him (S22, S24).
 *
 * Sums, counts and distincts are rounded up, credit, habit, normals and hot
 * down.  In an `allow` or an `exempt` the first may only be bounded from
 * above and the second only from below; `not`, names and classes carry the
 * direction along.  What only the chain knows may not stand there at all.
 */
#ifndef POLICY_SIDE_H
#define POLICY_SIDE_H

#include "policy/diag.h"

/* Says what is wrong into d, as errors.  p must be whole otherwise. */
void side_check(const struct policy *p, struct diag *d);

/* Which way a quantity is rounded, through names; for warn.c too. */
enum side side_of(const struct policy *p, const struct quantity *q);

#endif
