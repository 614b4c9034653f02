/*
 * A table of fixed size: an account's counters go with its minute.  Four of
 * a bucket lie side by side; where more than four are busy in one minute, two
 * count as one.  Only endpoints that weigh by account are kept.
 */
#include "auth/weights.h"

#include <sodium.h>
#include <stdlib.h>

#include "lib/ident.h"

#define BUCKETS		32768
#define WAYS		4
#define MINUTE_MS	60000

struct slot {
	struct ident	of;		/* account and endpoint */
	uint32_t	minute;
	uint32_t	used;
	uint32_t	second;
	uint32_t	in_second;
};

struct weights {
	struct ident_key key;
	struct slot	slots[BUCKETS][WAYS];
};

enum rc
weights_new(struct weights **out, struct err *e)
{
	struct weights	*r = calloc(1, sizeof(*r));

	if (r == NULL)
		return err_set(e, "no memory");
	randombytes_buf(&r->key, sizeof(r->key));
	*out = r;
	return RC_OK;
}

void
weights_free(struct weights **r)
{
	free(*r);
	*r = NULL;
}

/* Of this minute, or cleared; or the least used of others'. */
static struct slot *
find(struct weights *r, struct text account, enum endpoint e,
    uint32_t minute)
{
	struct ident	 of = ident_of(&r->key, account.p, account.len);
	struct slot	*s, *best = NULL, *end;

	of.hi ^= (uint64_t)e * UINT64_C(0x9e3779b97f4a7c15);
	s = r->slots[(of.lo ^ of.hi) % BUCKETS];
	for (end = s + WAYS; s < end; s++) {
		if (ident_equal(s->of, of)) {
			best = s;
			break;
		}
		if (best == NULL || (best->minute == minute &&
		    (s->minute != minute || s->used < best->used)))
			best = s;
	}
	/* Another's, of this minute, counts for both: too strict is the safe
	 * side. */
	if (best->minute != minute) {
		best->used = 0;
		best->minute = minute;
	}
	if (!ident_equal(best->of, of))
		best->in_second = 0;
	best->of = of;
	return best;
}

int
weights_take(struct weights *r, struct text account, enum endpoint e,
    int64_t mono_ms, int64_t *used_out)
{
	struct slot	*s;
	uint32_t	 second = (uint32_t)(mono_ms / 1000);

	*used_out = -1;
	if (endpoints[e].weigh != WEIGH_UID)
		return 0;
	s = find(r, account, e, (uint32_t)(mono_ms / MINUTE_MS));
	if (s->second != second) {
		s->second = second;
		s->in_second = 0;
	}
	if (e == ENDPOINT_WITHDRAW_HISTORY &&
	    ++s->in_second > WEIGHTS_HISTORY_S)
		return 1;
	if (s->used <= WEIGHTS_UID_MAX)
		s->used += (uint32_t)endpoints[e].weight;
	*used_out = s->used;
	if (s->used <= WEIGHTS_UID_MAX)
		return 0;
	return (int)((MINUTE_MS - mono_ms % MINUTE_MS) / 1000) + 1;
}
