#include "engine/taint.h"

#include <stdlib.h>

#define TAINT_BUCKETS	64
#define TAINT_BITS_MAX	65536

static enum rc
ring_new(struct engine *e, int rule, struct err *err)
{
	struct taint_ring *ring = &e->taint[rule];
	const struct prog_rule *r = &e->p->rules[rule];
	int64_t		 span_ms, n_bits;
	void		*bits;

	/* A delay can be followed by a longer one: keep twice the longest. */
	span_ms = r->taint_ms + 2 * e->p->longest_delay_ms;
	ring->width_ms = (r->taint_ms + TAINT_BUCKETS - 1) / TAINT_BUCKETS;
	n_bits = span_ms / ring->width_ms + 2;
	if (n_bits > TAINT_BITS_MAX) {
		n_bits = TAINT_BITS_MAX;
		ring->width_ms = span_ms / (n_bits - 2) + 1;
	}
	n_bits = (n_bits + 63) / 64 * 64;
	ring->n_bits = (uint32_t)n_bits;
	if ((bits = calloc((size_t)n_bits / 64, 8)) == NULL)
		return err_set(err, "taint: out of memory");
	ring->bits = bits;
	return RC_OK;
}

enum rc
taint_new(struct engine *e, struct err *err)
{
	enum rc		 rc;
	int		 i;

	for (i = 0; i < e->p->n_rules; i++) {
		if (e->p->rules[i].taint_ms <= 0 ||
		    e->taint_place[i] != PLACE_PLATFORM)
			continue;
		if ((rc = ring_new(e, i, err)) != RC_OK)
			return rc;
	}
	return RC_OK;
}

void
taint_free(struct engine *e)
{
	int		 i;

	for (i = 0; i < RULES_MAX; i++)
		free(e->taint[i].bits);
}

static void
bit_set(struct taint_ring *ring, int64_t bucket, bool on)
{
	uint64_t	 i = (uint64_t)bucket % ring->n_bits;

	if (on)
		ring->bits[i / 64] |= UINT64_C(1) << i % 64;
	else
		ring->bits[i / 64] &= ~(UINT64_C(1) << i % 64);
}

static bool
bit_get(const struct taint_ring *ring, int64_t bucket)
{
	uint64_t	 i = (uint64_t)bucket % ring->n_bits;

	return ring->bits[i / 64] >> i % 64 & 1;
}

/* Forget the buckets that the ring's head runs over. */
static void
ring_advance(struct taint_ring *ring, int64_t bucket)
{
	int64_t		 b;

	if (bucket - ring->last >= (int64_t)ring->n_bits) {
		memset(ring->bits, 0, ring->n_bits / 8);
		ring->last = bucket;
	}
	for (b = ring->last + 1; b <= bucket; b++)
		bit_set(ring, b, false);
	if (bucket > ring->last)
		ring->last = bucket;
}

static uint32_t *
interval(const struct engine *e, int place, const void *record, int slot)
{
	uintptr_t	 at = (uintptr_t)record + e->places[place].off_taint +
	    (size_t)slot * 2 * sizeof(uint32_t);

	return (uint32_t *)at;
}

/* The interval of a rule for this decision, NULL for who is alone or found
 * no room. */
static uint32_t *
interval_of(const struct decision *d, int rule)
{
	int		 place = d->e->taint_place[rule];
	uint32_t	 rec = d->rec[place];

	if (rec >= FULL)
		return NULL;
	return interval(d->e, place,
	    store_at(&d->e->places[place].store, rec),
	    d->e->taint_slot[rule]);
}

/* How long an interval's end still matters. */
static int64_t
interval_keep_ms(const struct engine *e)
{
	return 2 * e->p->longest_delay_ms + MS_PER_S;
}

static void
mark_interval(struct decision *d, int rule)
{
	struct engine	*e = d->e;
	int64_t		 from_ms = d->t_ms - e->p->rules[rule].taint_ms;
	uint32_t	*at = interval_of(d, rule);
	uint32_t	 from_s, to_s;

	if (at == NULL)
		return;
	from_s = from_ms < MS_PER_S ? 1 : (uint32_t)(from_ms / MS_PER_S);
	to_s = (uint32_t)(d->t_ms / MS_PER_S + 1);
	if (at[1] != 0 && d->t_ms - (int64_t)at[1] * MS_PER_S <
	    interval_keep_ms(e) && at[0] < from_s)
		from_s = at[0];
	at[0] = from_s;
	at[1] = to_s;
}

void
taint_mark(struct decision *d, int rule)
{
	struct taint_ring *ring = &d->e->taint[rule];
	const struct prog_rule *r = &d->e->p->rules[rule];
	int64_t		 b, from, to;

	if (r->taint_ms <= 0)
		return;
	if (d->e->taint_place[rule] != PLACE_PLATFORM) {
		mark_interval(d, rule);
		return;
	}
	from = d->t_ms <= r->taint_ms ? 0 :
	    (d->t_ms - r->taint_ms) / ring->width_ms;
	to = d->t_ms / ring->width_ms;
	/* Crossed in this very bucket before: that marked as many or more. */
	if (to == ring->last && bit_get(ring, to))
		return;
	ring_advance(ring, to);
	for (b = from; b <= to; b++)
		bit_set(ring, b, true);
}

bool
taint_hit(const struct decision *d, int rule)
{
	const struct taint_ring *ring = &d->e->taint[rule];
	const struct prog_rule *r = &d->e->p->rules[rule];
	int64_t		 asked_ms = d->w->asked_ms, b;
	const uint32_t	*at;

	if (r->taint_ms <= 0)
		return false;
	if (d->e->taint_place[rule] != PLACE_PLATFORM) {
		at = interval_of(d, rule);
		return at != NULL && at[1] != 0 &&
		    asked_ms >= (int64_t)at[0] * MS_PER_S &&
		    asked_ms <= (int64_t)at[1] * MS_PER_S;
	}
	b = asked_ms / ring->width_ms;
	if (b > ring->last || ring->last - b >= (int64_t)ring->n_bits)
		return false;
	return bit_get(ring, b);
}

bool
taint_live(const struct engine *e, int place, const void *record,
    int64_t t_ms)
{
	const uint32_t	*at;
	int		 i;

	for (i = 0; i < e->places[place].n_taints; i++) {
		at = interval(e, place, record, i);
		if (at[1] != 0 && t_ms - (int64_t)at[1] * MS_PER_S <
		    interval_keep_ms(e))
			return true;
	}
	return false;
}
