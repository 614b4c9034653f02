/*
 * A message is accepted once: the memory of those that were (H3).
 *
 * What is remembered is the message that verified, in its canonical form,
 * with the key and the endpoint: another spelling of it is the same message.
 * Entries go by the monotonic clock alone, when no window can still hold
 * them.
 */
#ifndef AUTH_REPEAT_H
#define AUTH_REPEAT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"

#define REPEAT_KEPT_MS	70000		/* windows are 60 s, and one ahead */
#define REPEAT_MAX	4000000		/* entries; more is refused */

struct repeat;

enum rc repeat_new(struct repeat **out, struct err *e) MUST_CHECK;
void repeat_free(struct repeat **r);

enum repeat_said { REPEAT_NEW, REPEAT_AGAIN, REPEAT_FULL };
/* It will be asked for soon: its memory is fetched meanwhile. */
void repeat_expect(const struct repeat *r, const unsigned char hash[32]);
/* Ask and remember in one step.  `hash`: of everything that counts. */
enum repeat_said repeat_take(struct repeat *r, const unsigned char hash[32],
    int64_t mono_ms);

#endif
