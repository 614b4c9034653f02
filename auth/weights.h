/*
 * Weights that count for an account, whatever address asks: the reference's
 * UID limits.
 */
#ifndef AUTH_WEIGHTS_H
#define AUTH_WEIGHTS_H

#include <stdint.h>

#include "lib/err.h"
#include "lib/text.h"
#include "wire/endpoint.h"

#define WEIGHTS_UID_MAX		180000	/* a minute, for each endpoint */
#define WEIGHTS_HISTORY_S		10	/* withdraw/history, a second */

struct weights;

enum rc weights_new(struct weights **out, struct err *e) MUST_CHECK;
void weights_free(struct weights **r);

/*
 * Add the endpoint's weight for this account: how long to wait in seconds,
 * 0: it may.  *used_out: of this minute.
 */
int weights_take(struct weights *r, struct text account, enum endpoint e,
    int64_t mono_ms, int64_t *used_out);

#endif
