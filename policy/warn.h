/*
 * What is right by the grammar and still not what anybody wants: W1 to W14.
 *
 * Each is said where it stands, as a warning of its number.  They are
 * proofs, not guesses (imply.h), but for the figures, which are bounds: a
 * policy without warnings is not thereby a good one.
 */
#ifndef POLICY_WARN_H
#define POLICY_WARN_H

#include "policy/diag.h"

/*
 * today: a civil day, for `until` (W1); INT64_MIN when not known.
 * hot_sat: what the wallet holds, to weigh shares against coins; -1 when not
 * known: then shares and coins are only compared with their like.
 */
void warn_check(const struct policy *p, struct diag *d, int64_t today,
    int64_t hot_sat);

#endif
