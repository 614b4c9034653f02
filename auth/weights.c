/*
 * A table of fixed size: an account's counters go with its minute, and where
 * two share a slot the busier stays.  Only endpoints that weigh by account
 * are kept.
 */
#include "auth/weights.h"

#include <sodium.h>
#include <stdlib.h>

#include "lib/ident.h"

#define SLOTS		65536
#define MINUTE_MS	60000

struct slot {
	struct ident	of;		/* account and endpoint */
	int64_t		minute;
	int64_t		used;
	int64_t		second;
	int		in_second;
};

struct weights {
	struct ident_key key;
	struct slot	slots[SLOTS];
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

static struct slot *
find(struct weights *r, struct text account, enum endpoint e, int64_t minute)
{
	struct ident	 of = ident_of(&r->key, account.p, account.len);
	struct slot	*s;

	of.hi ^= (uint64_t)e * UINT64_C(0x9e3779b97f4a7c15);
	s = &r->slots[(of.lo ^ of.hi) % SLOTS];
	if (!ident_equal(s->of, of) || s->minute != minute) {
		/* Another's, of this minute, counts for both: too strict is
		 * the safe side, and one in 65536. */
		if (s->minute != minute) {
			s->used = 0;
			s->minute = minute;
		}
		if (!ident_equal(s->of, of))
			s->in_second = 0;
		s->of = of;
	}
	return s;
}

int
weights_take(struct weights *r, struct text account, enum endpoint e,
    int64_t mono_ms, int64_t *used_out)
{
	struct slot	*s;
	int64_t		 second = mono_ms / 1000;

	*used_out = -1;
	if (endpoints[e].weigh != WEIGH_UID)
		return 0;
	s = find(r, account, e, mono_ms / MINUTE_MS);
	if (s->second != second) {
		s->second = second;
		s->in_second = 0;
	}
	if (e == ENDPOINT_WITHDRAW_HISTORY &&
	    ++s->in_second > WEIGHTS_HISTORY_S)
		return 1;
	s->used += endpoints[e].weight;
	*used_out = s->used;
	if (s->used <= WEIGHTS_UID_MAX)
		return 0;
	return (int)((MINUTE_MS - mono_ms % MINUTE_MS) / 1000) + 1;
}
