/*
 * Weights that count for an account, whatever address asks: the reference's
 * UID limits.
 */
#ifndef AUTH_RATES_H
#define AUTH_RATES_H

#include <stdint.h>

#include "lib/err.h"
#include "lib/text.h"
#include "wire/endpoint.h"

#define RATES_UID_MAX		180000	/* a minute, for each endpoint */
#define RATES_HISTORY_S		10	/* withdraw/history, a second */

struct rates;

enum rc rates_new(struct rates **out, struct err *e) MUST_CHECK;
void rates_free(struct rates **r);

/*
 * Add the endpoint's weight for this account: how long to wait in seconds,
 * 0: it may.  *used_out: of this minute.
 */
int rates_take(struct rates *r, struct text account, enum endpoint e,
    int64_t mono_ms, int64_t *used_out);

#endif
