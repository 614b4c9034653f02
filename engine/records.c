#include "engine/records.h"

#include "engine/counters.h"
#include "engine/layout.h"
#include "engine/taint.h"

/* How many records a full pool looks at before it says so. */
#define SWEEP_LENGTH	16

/* A withdrawal that is done is remembered at least this long. */
#define REMEMBER_MS	(90 * MS_PER_DAY)

enum { HAND_DESTINATIONS, HAND_OTHERS, HAND_PAIRS, HAND_IPS, HAND_USES,
	HAND_WITHDRAWALS };

uint32_t
records_s_up(int64_t t_ms)
{
	int64_t		 s = (t_ms + MS_PER_S - 1) / MS_PER_S;

	return s < 1 ? 1 : s >= FULL ? FULL - 1 : (uint32_t)s;
}

uint32_t
records_s_down(int64_t t_ms)
{
	int64_t		 s = t_ms / MS_PER_S;

	return s < 1 ? 1 : s >= FULL ? FULL - 1 : (uint32_t)s;
}

int64_t
records_age_ms(uint32_t s, int64_t t_ms)
{
	int64_t		 age_ms = t_ms - (int64_t)s * MS_PER_S;

	return s == 0 || age_ms < 0 ? 0 : age_ms;
}

uint32_t
records_find(const struct engine *e, int place, struct ident id)
{
	return index_find(&e->places[place].index, id);
}

/* The next record number that the clock's hand points to. */
static uint32_t
hand_next(struct engine *e, int hand, const struct store *s)
{
	uint32_t	*h = &e->v.sweep[hand];

	if (*h >= s->top)
		*h = 0;
	return (*h)++;
}

static bool
destination_idle(const struct engine *e, const struct destination *d,
    int64_t t_ms)
{
	return d->pins == 0 && d->pairs == 0 &&
	    records_age_ms(d->last_s, t_ms) > MS_PER_S &&
	    !taint_live(e, PLACE_DESTINATION, d, t_ms) &&
	    counters_empty(e, PLACE_DESTINATION, d, t_ms);
}

/* Drop one that nothing holds; true when there is room now. */
static bool
sweep_place(struct engine *e, int place, int64_t t_ms)
{
	struct place	*pl = &e->places[place];
	const struct destination *d;
	const struct other *o;
	uint32_t	 n;
	int		 i;

	if (place != PLACE_DESTINATION && place < PLACE_OTHER)
		return false;
	for (i = 0; i < SWEEP_LENGTH; i++) {
		if (place == PLACE_DESTINATION) {
			n = hand_next(e, HAND_DESTINATIONS, &pl->store);
			d = store_at(&pl->store, n);
			if (!destination_idle(e, d, t_ms))
				continue;
			(void)index_remove(&pl->index, d->id);
		} else {
			n = hand_next(e, HAND_OTHERS, &pl->store);
			o = store_at(&pl->store, n);
			if (o->pins != 0 ||
			    taint_live(e, place, o, t_ms) ||
			    !counters_empty(e, place, o, t_ms))
				continue;
			(void)index_remove(&pl->index, o->id);
		}
		store_remove(&pl->store, n);
		return true;
	}
	return false;
}

uint32_t
records_get(struct engine *e, int place, struct ident id, int64_t t_ms)
{
	struct place	*pl = &e->places[place];
	uint32_t	 n = index_find(&pl->index, id);

	if (n != INDEX_NONE)
		return n;
	if (store_full(&pl->store) && !sweep_place(e, place, t_ms))
		return FULL;
	if (!store_add(&pl->store, &n))
		return FULL;
	memcpy(store_at(&pl->store, n), &id, sizeof(id));
	if (!index_add(&pl->index, id, n)) {
		store_remove(&pl->store, n);
		return FULL;
	}
	if (place == PLACE_DESTINATION)
		records_destination(e, n)->last_s = records_s_down(t_ms);
	return n;
}

int
records_place(const struct engine *e, enum agg_scope scope)
{
	int		 i;

	for (i = PLACE_OTHER; i < e->n_places; i++)
		if (e->places[i].scope == scope)
			return i;
	return -1;
}

static void
pin_by(struct engine *e, int place, uint32_t rec, int by)
{
	struct other	*o;

	if (rec >= FULL)
		return;
	if (place == PLACE_DESTINATION) {
		records_destination(e, rec)->pins += (uint32_t)by;
	} else if (place >= PLACE_OTHER) {
		o = store_at(&e->places[place].store, rec);
		o->pins += (uint32_t)by;
	}
}

void
records_pin(struct engine *e, int place, uint32_t rec)
{
	pin_by(e, place, rec, 1);
}

void
records_unpin(struct engine *e, int place, uint32_t rec)
{
	pin_by(e, place, rec, -1);
}

struct account *
records_account(const struct engine *e, uint32_t n)
{
	return store_at(&e->places[PLACE_ACCOUNT].store, n);
}

struct destination *
records_destination(const struct engine *e, uint32_t n)
{
	return store_at(&e->places[PLACE_DESTINATION].store, n);
}

struct withdrawal *
records_withdrawal(const struct engine *e, uint32_t n)
{
	return store_at(&e->withdrawals, n);
}

struct waiting *
records_waiting(const struct engine *e, uint32_t n)
{
	return store_at(&e->waiting, n);
}

struct trust_resets
records_resets(const struct engine *e, const struct account *a,
    const struct destination *d)
{
	struct trust_resets r = { 0, 0 };

	if (e->opt[OPT_RESTART] != 0)
		r.restart_ms = (int64_t)*(const uint32_t *)(const void *)
		    ((const unsigned char *)a + e->opt[OPT_RESTART]) *
		    MS_PER_S;
	if (d != NULL)
		r.zero_ms = (int64_t)d->fraud_s * MS_PER_S;
	return r;
}

struct trust_pair *
records_find_pair(const struct engine *e, uint32_t account,
    uint32_t destination)
{
	uint32_t	 n;

	if (!e->use_pairs || destination >= FULL)
		return NULL;
	n = index_find_pair(&e->pairs_ix, account, destination);
	return n == INDEX_NONE ? NULL : store_at(&e->pairs, n);
}

/* S33: of a small sample the pair with the least credit is forgotten. */
static bool
forget_pair(struct engine *e)
{
	struct trust_pair *p, *least = NULL;
	struct destination *d;
	struct account	*a;
	int64_t		 paid_sat, least_sat = INT64_MAX;
	uint32_t	 n, least_n = NONE;
	int		 i;

	for (i = 0; i < SWEEP_LENGTH; i++) {
		n = hand_next(e, HAND_PAIRS, &e->pairs);
		p = store_at(&e->pairs, n);
		/* What waits on trust will come back to its pair. */
		if (p->use_waiting != 0)
			continue;
		a = records_account(e, p->account);
		d = records_destination(e, p->destination);
		paid_sat = trust_paid_sat(p, records_resets(e, a, d));
		if (paid_sat < least_sat) {
			least_sat = paid_sat;
			least = p;
			least_n = n;
		}
	}
	if (least == NULL)
		return false;
	records_destination(e, least->destination)->pairs--;
	(void)index_remove_pair(&e->pairs_ix, least->account,
	    least->destination);
	store_remove(&e->pairs, least_n);
	return true;
}

struct trust_pair *
records_get_pair(struct engine *e, uint32_t account, uint32_t destination,
    int64_t t_ms)
{
	struct trust_pair *p = records_find_pair(e, account, destination);
	uint32_t	 n;

	(void)t_ms;
	if (p != NULL || !e->use_pairs || destination >= FULL)
		return p;
	if (store_full(&e->pairs) && !forget_pair(e))
		return NULL;
	if (!store_add(&e->pairs, &n))
		return NULL;
	p = store_at(&e->pairs, n);
	p->account = account;
	p->destination = destination;
	if (!index_add_pair(&e->pairs_ix, account, destination, n)) {
		store_remove(&e->pairs, n);
		return NULL;
	}
	records_destination(e, destination)->pairs++;
	return p;
}

static uint64_t
fold(uint64_t a, uint64_t b)
{
	unsigned __int128 p = (unsigned __int128)a * b;

	return (uint64_t)p ^ (uint64_t)(p >> 64);
}

static struct ident
ip_ident(const struct engine *e, uint64_t whose, const unsigned char ip[16])
{
	const uint64_t	*k = e->ip_secret;
	uint64_t	 half[2];
	struct ident	 id;

	memcpy(half, ip, sizeof(half));
	id.lo = fold(fold(half[0] ^ k[0], half[1] ^ k[1]) ^ whose, k[2]);
	id.hi = fold(fold(half[0] ^ k[3], half[1] ^ k[4]) ^ whose, k[5]);
	return id;
}

struct ident
records_ip_ident(const struct engine *e, uint32_t account,
    const unsigned char ip[16])
{
	return ip_ident(e, account, ip);
}

struct ident
records_network_ident(const struct engine *e, int bits,
    const unsigned char masked[16])
{
	return ip_ident(e, UINT64_C(1) << 32 | (uint64_t)bits, masked);
}

/* The address not used for longest in a small sample is forgotten: it will
 * be new again, which is the suspicious side. */
static void
forget_ip(struct engine *e, struct store *s, struct index *ix, int hand)
{
	struct seen	*seen, *oldest = NULL;
	uint32_t	 n, oldest_n = NONE;
	int		 i;

	for (i = 0; i < SWEEP_LENGTH; i++) {
		n = hand_next(e, hand, s);
		seen = store_at(s, n);
		if (oldest == NULL || seen->last_s < oldest->last_s) {
			oldest = seen;
			oldest_n = n;
		}
	}
	(void)index_remove(ix, oldest->id);
	store_remove(s, oldest_n);
}

uint32_t
records_get_ip(struct engine *e, uint32_t account,
    const unsigned char ip[16], int64_t t_ms)
{
	struct store	*s = account == NONE ? &e->ips : &e->uses;
	struct index	*ix = account == NONE ? &e->ips_ix : &e->uses_ix;
	struct ident	 id = records_ip_ident(e, account, ip);
	uint32_t	 n = index_find(ix, id);
	struct seen	*seen;

	if (n == INDEX_NONE) {
		if (store_full(s))
			forget_ip(e, s, ix,
			    account == NONE ? HAND_IPS : HAND_USES);
		if (!store_add(s, &n))
			return FULL;
		seen = store_at(s, n);
		seen->id = id;
		seen->first_s = records_s_up(t_ms);
		if (!index_add(ix, id, n)) {
			store_remove(s, n);
			return FULL;
		}
	}
	seen = store_at(s, n);
	seen->last_s = records_s_up(t_ms);
	return n;
}

static bool
forgettable(const struct engine *e, const struct withdrawal *w)
{
	return w->waiting == NONE &&
	    e->v.now_ms - w->asked_ms > REMEMBER_MS;
}

uint32_t
records_new_withdrawal(struct engine *e, struct ident id)
{
	struct withdrawal *w;
	uint32_t	 n;
	int		 i;

	if (store_full(&e->withdrawals)) {
		for (i = 0; i < SWEEP_LENGTH; i++) {
			n = hand_next(e, HAND_WITHDRAWALS, &e->withdrawals);
			w = store_at(&e->withdrawals, n);
			if (forgettable(e, w))
				break;
		}
		if (i == SWEEP_LENGTH)
			return NONE;
		(void)index_remove(&e->withdrawals_ix, w->id);
		store_remove(&e->withdrawals, n);
	}
	if (!store_add(&e->withdrawals, &n))
		return NONE;
	w = store_at(&e->withdrawals, n);
	w->id = id;
	if (!index_add(&e->withdrawals_ix, id, n)) {
		store_remove(&e->withdrawals, n);
		return NONE;
	}
	return n;
}
