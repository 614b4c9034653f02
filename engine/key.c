#include "engine/handlers.h"
#include "engine/records.h"

/* Is every address of `c` one that the key could be used from already? */
static bool
covered(const struct engine *e, const struct key *k, const struct cidr *c)
{
	const struct cidr_record *old;
	unsigned char	 masked[16];
	uint32_t	 n;

	for (n = k->cidrs; n != NONE; n = old->next) {
		old = store_at(&e->cidrs, n);
		if (old->cidr.bits > c->bits)
			continue;
		tables_mask(masked, c->ip, old->cidr.bits);
		if (memcmp(masked, old->cidr.ip, sizeof(masked)) == 0)
			return true;
	}
	return false;
}

/* S23: a key is young again when it may do more than before. */
static bool
loosened(const struct engine *e, const struct key *k, const struct input *in)
{
	size_t		 i;

	if (in->withdraw && (k->flags & KEY_WITHDRAW) == 0)
		return true;
	if ((k->flags & KEY_REVOKED) != 0)
		return true;
	if (k->cidrs == NONE)
		return false;
	if (in->n_cidrs == 0)
		return true;
	for (i = 0; i < in->n_cidrs; i++)
		if (!covered(e, k, &in->cidrs[i]))
			return true;
	return false;
}

static void
cidrs_drop(struct engine *e, struct key *k)
{
	uint32_t	 n, next;

	for (n = k->cidrs; n != NONE; n = next) {
		next = ((struct cidr_record *)store_at(&e->cidrs, n))->next;
		store_remove(&e->cidrs, n);
	}
	k->cidrs = NONE;
}

/* The caller has seen that there is room. */
static void
cidrs_set(struct engine *e, struct key *k, const struct input *in)
{
	struct cidr_record *c;
	uint32_t	 n;
	size_t		 i;
	bool		 good;

	cidrs_drop(e, k);
	for (i = in->n_cidrs; i > 0; i--) {
		good = store_add(&e->cidrs, &n);
		assert(good);
		c = store_at(&e->cidrs, n);
		c->next = k->cidrs;
		c->cidr.bits = in->cidrs[i - 1].bits;
		tables_mask(c->cidr.ip, in->cidrs[i - 1].ip, c->cidr.bits);
		k->cidrs = n;
	}
}

static bool
set_partner(struct engine *e, struct key *k, struct ident partner)
{
	int		 place = records_place(e, SCOPE_PARTNER);
	uint32_t	 n = NONE;

	if (place < 0)
		return true;
	if (!ident_none(partner) &&
	    (n = records_get(e, place, partner, e->v.now_ms)) == FULL)
		return false;
	records_pin(e, place, n);
	records_unpin(e, place, k->partner);
	k->partner = n;
	return true;
}

/* NONE, and the input refused, when there is no room. */
static uint32_t
get_key(struct engine *e, const struct input *in)
{
	uint32_t	 n = records_find(e, PLACE_KEY, in->key);
	struct key	*k;

	if (n != NONE)
		return n;
	if ((n = records_get(e, PLACE_KEY, in->key, e->v.now_ms)) == FULL) {
		engine_refused(e, in, WHY_FULL_KEYS);
		return NONE;
	}
	k = store_at(&e->places[PLACE_KEY].store, n);
	k->account = NONE;
	k->partner = NONE;
	k->cidrs = NONE;
	return n;
}

void
key_input(struct engine *e, const struct input *in)
{
	uint32_t	 account = records_find(e, PLACE_ACCOUNT, in->account);
	struct key	*k;
	uint32_t	 n;

	if (account == NONE) {
		engine_refused(e, in, WHY_ACCOUNT);
		return;
	}
	if (in->n_cidrs > e->cidrs.count_max - e->cidrs.live) {
		engine_refused(e, in, WHY_FULL_KEYS);
		return;
	}
	if ((n = get_key(e, in)) == NONE)
		return;
	k = store_at(&e->places[PLACE_KEY].store, n);
	/* A key never changes hands. */
	if (k->account != NONE && k->account != account) {
		engine_refused(e, in, WHY_KEY);
		return;
	}
	if (!set_partner(e, k, in->partner)) {
		engine_refused(e, in, WHY_FULL_GROUPS);
		return;
	}
	if (k->account == NONE || loosened(e, k, in))
		k->since_s = records_s_up(e->v.now_ms);
	k->account = account;
	k->flags &= KEY_FROZEN;
	if (in->withdraw)
		k->flags |= KEY_WITHDRAW;
	cidrs_set(e, k, in);
	engine_taken(e, in);
}

void
key_revoke(struct engine *e, const struct input *in)
{
	uint32_t	 n = records_find(e, PLACE_KEY, in->key);

	if (n == NONE) {
		engine_refused(e, in, WHY_KEY);
		return;
	}
	((struct key *)store_at(&e->places[PLACE_KEY].store, n))->flags |=
	    KEY_REVOKED;
	engine_taken(e, in);
}

void
key_disarm_all(struct engine *e)
{
	const struct store *s = &e->places[PLACE_KEY].store;
	uint32_t	 n;

	/* One that is free has no flags. */
	for (n = 0; n < s->top; n++)
		((struct key *)store_at(s, n))->flags &=
		    ~(uint32_t)KEY_WITHDRAW;
}
