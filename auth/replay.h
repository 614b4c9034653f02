/*
 * A message is accepted once: the memory of those that were (H3).
 *
 * What is remembered is the message that verified, in its canonical form,
 * with the key and the endpoint: another spelling of it is the same message.
 * Entries go by the monotonic clock alone, when no window can still hold
 * them.
 */
#ifndef AUTH_REPLAY_H
#define AUTH_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"

#define REPLAY_KEPT_MS	70000		/* windows are 60 s, and one ahead */
#define REPLAY_MAX	4000000		/* entries; more is refused */

struct replay;

enum rc replay_new(struct replay **out, struct err *e) MUST_CHECK;
void replay_free(struct replay **r);

enum replay_said { REPLAY_NEW, REPLAY_AGAIN, REPLAY_FULL };
/* Ask and remember in one step.  `hash`: of everything that counts. */
enum replay_said replay_take(struct replay *r, const unsigned char hash[32],
    int64_t mono_ms);

#endif
