/*
 * Members that are only seen age out bucket by bucket; those with something
 * waiting stay.  When there is no room the member seen longest ago goes, and
 * `missed` remembers how lately that one was seen: until it would have aged
 * out as well, some member may be missing and the count is INT64_MAX.
 */
#include <assert.h>
#include <string.h>

#include "engine/members.h"

/*
 * Few.  Words: [0] bucket of the youngest that was missed, [1] whether there
 * is one (the top bit) and how many reservations found no room, then `cap`
 * members (number + 1, 0: free), `cap` buckets, and `cap` counts of what
 * waits.  Buckets are kept mod 2^32; see window.c.
 */
#define MISSED_FLAG	(UINT32_C(1) << 31)
#define FEW_HEAD	2

size_t
members_words(const struct members_shape *s)
{
	assert(s->cap >= 1 && s->cap <= MEMBERS_FEW_MAX);
	return FEW_HEAD + (size_t)s->cap * (s->waiting ? 3 : 2);
}

static inline uint32_t
few_waiting(const struct members_shape *s, const uint32_t *m, uint32_t i)
{
	return s->waiting ? m[FEW_HEAD + 2 * s->cap + i] : 0;
}

static inline uint32_t *
few_bucket(const struct members_shape *s, uint32_t *m, uint32_t i)
{
	return &m[FEW_HEAD + s->cap + i];
}

static inline uint32_t
few_age(const struct members_shape *s, const uint32_t *m, uint32_t i,
    uint32_t now)
{
	return now - m[FEW_HEAD + s->cap + i];
}

static inline bool
few_counts(const struct members_shape *s, const uint32_t *m, uint32_t i,
    uint32_t now)
{
	return m[FEW_HEAD + i] != 0 && (few_waiting(s, m, i) > 0 ||
	    few_age(s, m, i, now) <= s->window.buckets);
}

static inline uint32_t
now_of(const struct members_shape *s, int64_t t_ms)
{
	return (uint32_t)window_bucket(&s->window, t_ms);
}

/* The member's place, or cap. */
static uint32_t
few_find(const struct members_shape *s, const uint32_t *m, uint32_t member)
{
	uint32_t	 i;

	for (i = 0; i < s->cap; i++)
		if (m[FEW_HEAD + i] == member + 1)
			break;
	return i;
}

static void
few_miss(const struct members_shape *s, uint32_t *m, uint32_t bucket,
    uint32_t now)
{
	if ((m[1] & MISSED_FLAG) == 0 || now - bucket < now - m[0])
		m[0] = bucket;
	m[1] |= MISSED_FLAG;
	(void)s;
}

/* A place for one more: one that is free or no longer counts, else the one
 * seen longest ago; cap when all have something waiting. */
static uint32_t
few_place(const struct members_shape *s, uint32_t *m, uint32_t now)
{
	uint32_t	 i, oldest = s->cap;

	for (i = 0; i < s->cap; i++) {
		if (!few_counts(s, m, i, now))
			return i;
		if (few_waiting(s, m, i) == 0 && (oldest == s->cap ||
		    few_age(s, m, i, now) > few_age(s, m, oldest, now)))
			oldest = i;
	}
	if (oldest < s->cap)
		few_miss(s, m, *few_bucket(s, m, oldest), now);
	return oldest;
}

/* Forget a miss that has aged out, before its number comes round again. */
static void
few_settle(const struct members_shape *s, uint32_t *m, uint32_t now)
{
	if ((m[1] & MISSED_FLAG) != 0 && now - m[0] > s->window.buckets) {
		m[0] = 0;
		m[1] &= ~MISSED_FLAG;
	}
}

void
members_touch(const struct members_shape *s, uint32_t *m, uint32_t member,
    int64_t t_ms)
{
	uint32_t	 now = now_of(s, t_ms), i;

	few_settle(s, m, now);
	if ((i = few_find(s, m, member)) == s->cap) {
		if ((i = few_place(s, m, now)) == s->cap) {
			few_miss(s, m, now, now);
			return;
		}
		m[FEW_HEAD + i] = member + 1;
	}
	*few_bucket(s, m, i) = now;
}

int64_t
members_count(const struct members_shape *s, const uint32_t *m, int64_t t_ms)
{
	uint32_t	 now = now_of(s, t_ms), i;
	int64_t		 n = 0;

	if ((m[1] & ~MISSED_FLAG) != 0)
		return INT64_MAX;
	if ((m[1] & MISSED_FLAG) != 0 && now - m[0] <= s->window.buckets)
		return INT64_MAX;
	for (i = 0; i < s->cap; i++)
		n += few_counts(s, m, i, now);
	return n;
}

bool
members_contains(const struct members_shape *s, const uint32_t *m,
    uint32_t member, int64_t t_ms)
{
	uint32_t	 i = few_find(s, m, member);

	return i < s->cap && few_counts(s, m, i, now_of(s, t_ms));
}

/* One more than n; beyond the cap there is only "more than anything". */
static int64_t
one_more(const struct members_shape *s, int64_t n)
{
	return n >= s->cap ? INT64_MAX : n + 1;
}

int64_t
members_count_with(const struct members_shape *s, const uint32_t *m,
    uint32_t member, int64_t t_ms)
{
	int64_t	 n = members_count(s, m, t_ms);

	return members_contains(s, m, member, t_ms) ? n : one_more(s, n);
}

bool
members_empty(const struct members_shape *s, const uint32_t *m, int64_t t_ms)
{
	return members_count(s, m, t_ms) == 0;
}

void
members_reserve(const struct members_shape *s, uint32_t *m, uint32_t member,
    int64_t t_ms)
{
	uint32_t	 now = now_of(s, t_ms), i;

	assert(s->waiting);
	few_settle(s, m, now);
	if ((i = few_find(s, m, member)) == s->cap) {
		if ((i = few_place(s, m, now)) == s->cap) {
			m[1]++;
			return;
		}
		m[FEW_HEAD + i] = member + 1;
		/* Not seen yet: as if it had just aged out. */
		*few_bucket(s, m, i) = now - s->window.buckets - 1;
	}
	m[FEW_HEAD + 2 * s->cap + i]++;
}

void
members_drop(const struct members_shape *s, uint32_t *m, uint32_t member,
    int64_t t_ms)
{
	uint32_t	 i = few_find(s, m, member);

	assert(s->waiting);
	if (i == s->cap || few_waiting(s, m, i) == 0) {
		assert((m[1] & ~MISSED_FLAG) != 0);
		m[1]--;
		return;
	}
	m[FEW_HEAD + 2 * s->cap + i]--;
	if (!few_counts(s, m, i, now_of(s, t_ms))) {
		m[FEW_HEAD + i] = 0;
		*few_bucket(s, m, i) = 0;
	}
}

void
members_move(const struct members_shape *s, uint32_t *m, uint32_t member,
    int64_t t_ms)
{
	members_drop(s, m, member, t_ms);
	members_touch(s, m, member, t_ms);
}

/*
 * Many.  The block: this head, a list for each bucket of the window, the
 * entries, and a hash table of entry numbers + 1.  Lists hold the entries
 * without anything waiting, each in the list of the bucket in which it was
 * seen last; so a bucket leaves the window as a whole.
 */
struct many {
	int64_t		newest;		/* bucket */
	int64_t		missed;		/* bucket; valid when has_missed */
	uint32_t	has_missed;
	uint32_t	no_room;	/* reservations that found none */
	uint32_t	count;		/* entries in use */
	uint32_t	top;		/* entries ever used */
	uint32_t	free_first;	/* number + 1, chained by next */
	uint32_t	zero;
};

struct many_list {
	uint32_t	first;		/* number + 1 */
	uint32_t	count;
};

struct many_entry {
	uint32_t	member;
	uint32_t	bucket;		/* mod 2^32 */
	uint32_t	waiting;
	uint32_t	next;		/* number + 1 */
	uint32_t	prev;
};

static inline uint32_t
cells_of(const struct members_shape *s)
{
	return s->window.buckets + 1;
}

static inline uint32_t
slots_of(const struct members_shape *s)
{
	return s->cap + s->cap * 3 / 7 + 2;
}

/* Where each part of a block begins. */
struct parts {
	struct many		*head;
	struct many_list	*lists;
	struct many_entry	*entries;
	uint32_t		*slots;
};

static struct parts
parts_of(const struct members_shape *s, void *m)
{
	struct parts	 p;

	p.head = m;
	p.lists = (struct many_list *)(p.head + 1);
	p.entries = (struct many_entry *)(p.lists + cells_of(s));
	p.slots = (uint32_t *)(p.entries + s->cap);
	return p;
}

/* The parts of a block that will only be read. */
static struct parts
parts_of_const(const struct members_shape *s, const void *m)
{
	return parts_of(s, (void *)(uintptr_t)m);
}

size_t
members_many_bytes(const struct members_shape *s)
{
	assert(s->cap >= 1 && s->cap <= MEMBERS_MANY_MAX);
	return sizeof(struct many) +
	    cells_of(s) * sizeof(struct many_list) +
	    s->cap * sizeof(struct many_entry) +
	    slots_of(s) * sizeof(uint32_t);
}

static inline uint32_t
many_home(const struct members_shape *s, uint32_t member)
{
	uint32_t	 x = member;

	x = (x ^ x >> 16) * UINT32_C(0x85ebca6b);
	x = (x ^ x >> 13) * UINT32_C(0xc2b2ae35);
	x ^= x >> 16;
	return (uint32_t)((uint64_t)x * slots_of(s) >> 32);
}

static inline uint32_t
many_after(const struct members_shape *s, uint32_t slot)
{
	return slot + 1 < slots_of(s) ? slot + 1 : 0;
}

/* The slot of a member, or the free one at the end of its run. */
static uint32_t
many_slot(const struct members_shape *s, const struct parts *p,
    uint32_t member)
{
	uint32_t	 slot = many_home(s, member);

	while (p->slots[slot] != 0 &&
	    p->entries[p->slots[slot] - 1].member != member)
		slot = many_after(s, slot);
	return slot;
}

/* An entry's number + 1, 0 when there is none. */
static inline uint32_t
many_find(const struct members_shape *s, const struct parts *p,
    uint32_t member)
{
	return p->slots[many_slot(s, p, member)];
}

static void
many_unhash(const struct members_shape *s, struct parts *p, uint32_t member)
{
	uint32_t	 hole = many_slot(s, p, member), i = hole, home;

	assert(p->slots[hole] != 0);
	for (;;) {
		i = many_after(s, i);
		if (p->slots[i] == 0)
			break;
		home = many_home(s, p->entries[p->slots[i] - 1].member);
		if (hole < i ? home > hole && home <= i :
		    home > hole || home <= i)
			continue;
		p->slots[hole] = p->slots[i];
		hole = i;
	}
	p->slots[hole] = 0;
}

/* The bucket of an entry that may still count, of which 32 bits are kept. */
static inline struct many_list *
many_list_of(const struct members_shape *s, const struct parts *p,
    const struct many_entry *x)
{
	uint32_t	 age = (uint32_t)p->head->newest - x->bucket;

	assert(age <= s->window.buckets);
	return &p->lists[(p->head->newest - age) % cells_of(s)];
}

static void
many_link(const struct members_shape *s, struct parts *p, uint32_t n)
{
	struct many_entry	*x = &p->entries[n - 1];
	struct many_list	*l = many_list_of(s, p, x);

	x->prev = 0;
	x->next = l->first;
	if (l->first != 0)
		p->entries[l->first - 1].prev = n;
	l->first = n;
	l->count++;
}

static void
many_unlink(struct parts *p, struct many_list *l, uint32_t n)
{
	struct many_entry	*x = &p->entries[n - 1];

	if (x->prev != 0)
		p->entries[x->prev - 1].next = x->next;
	else
		l->first = x->next;
	if (x->next != 0)
		p->entries[x->next - 1].prev = x->prev;
	x->prev = x->next = 0;
	l->count--;
}

/* An entry that is in no list goes. */
static void
many_delete(const struct members_shape *s, struct parts *p, uint32_t n)
{
	struct many_entry	*x = &p->entries[n - 1];

	many_unhash(s, p, x->member);
	*x = (struct many_entry){ .next = p->head->free_first };
	p->head->free_first = n;
	p->head->count--;
}

static void
many_empty_list(const struct members_shape *s, struct parts *p,
    struct many_list *l)
{
	uint32_t	 n;

	while ((n = l->first) != 0) {
		many_unlink(p, l, n);
		many_delete(s, p, n);
	}
}

/* Let go of the buckets that are out of the window at t. */
static void
many_advance(const struct members_shape *s, struct parts *p, int64_t t_ms)
{
	int64_t		 now = window_bucket(&s->window, t_ms), gone;
	uint32_t	 at;

	assert(now >= p->head->newest);
	if ((gone = now - p->head->newest) == 0)
		return;
	if (gone > cells_of(s))
		gone = cells_of(s);
	/* From the oldest on: the order decides which place is used next. */
	at = (uint32_t)((now - gone + 1) % cells_of(s));
	for (; gone > 0; gone--) {
		many_empty_list(s, p, &p->lists[at]);
		at = at + 1 < cells_of(s) ? at + 1 : 0;
	}
	p->head->newest = now;
	if (p->head->has_missed != 0 &&
	    now - p->head->missed > s->window.buckets)
		p->head->has_missed = 0, p->head->missed = 0;
}

static void
many_miss(struct parts *p, int64_t bucket)
{
	if (p->head->has_missed == 0 || bucket > p->head->missed)
		p->head->missed = bucket;
	p->head->has_missed = 1;
}

/* Make the one seen longest ago go; false when all have something waiting. */
static bool
many_evict(const struct members_shape *s, struct parts *p)
{
	int64_t			 b = p->head->newest - s->window.buckets;
	struct many_list	*l;
	uint32_t		 n;

	/* Before 1970 there are no buckets. */
	for (b = b < 0 ? 0 : b; b <= p->head->newest; b++) {
		l = &p->lists[b % cells_of(s)];
		if ((n = l->first) == 0)
			continue;
		many_miss(p, b);
		many_unlink(p, l, n);
		many_delete(s, p, n);
		return true;
	}
	return false;
}

/* A new entry in no list, its number + 1; 0 when there is no room. */
static uint32_t
many_add(const struct members_shape *s, struct parts *p, uint32_t member)
{
	uint32_t	 n;

	if (p->head->count == s->cap && !many_evict(s, p))
		return 0;
	if ((n = p->head->free_first) != 0)
		p->head->free_first = p->entries[n - 1].next;
	else
		n = ++p->head->top;
	p->entries[n - 1] = (struct many_entry){ .member = member };
	p->slots[many_slot(s, p, member)] = n;
	p->head->count++;
	return n;
}

void
members_many_touch(const struct members_shape *s, void *m, uint32_t member,
    int64_t t_ms)
{
	struct parts		 p = parts_of(s, m);
	struct many_entry	*x;
	uint32_t		 n;

	many_advance(s, &p, t_ms);
	if ((n = many_find(s, &p, member)) != 0) {
		x = &p.entries[n - 1];
		if (x->waiting == 0)
			many_unlink(&p, many_list_of(s, &p, x), n);
	} else if ((n = many_add(s, &p, member)) == 0) {
		many_miss(&p, p.head->newest);
		return;
	}
	x = &p.entries[n - 1];
	x->bucket = (uint32_t)p.head->newest;
	if (x->waiting == 0)
		many_link(s, &p, n);
}

int64_t
members_many_count(const struct members_shape *s, const void *m,
    int64_t t_ms)
{
	const struct parts	 p = parts_of_const(s, m);
	int64_t			 now = window_bucket(&s->window, t_ms), gone;
	int64_t			 n = p.head->count;
	uint32_t		 at;

	assert(now >= p.head->newest);
	if (p.head->no_room != 0)
		return INT64_MAX;
	if (p.head->has_missed != 0 &&
	    now - p.head->missed <= s->window.buckets)
		return INT64_MAX;
	/* Nearly always it is this very bucket that was touched last. */
	if ((gone = now - p.head->newest) == 0)
		return n;
	if (gone > cells_of(s))
		gone = cells_of(s);
	at = (uint32_t)(now % cells_of(s));
	for (; gone > 0; gone--) {
		n -= p.lists[at].count;
		at = at == 0 ? cells_of(s) - 1 : at - 1;
	}
	return n;
}

void
members_many_forget(const struct members_shape *s, void *m, int64_t t_ms)
{
	struct parts	 p = parts_of(s, m);

	many_advance(s, &p, t_ms);
}

bool
members_many_contains(const struct members_shape *s, const void *m,
    uint32_t member, int64_t t_ms)
{
	const struct parts	 p = parts_of_const(s, m);
	uint32_t		 n = many_find(s, &p, member);

	return n != 0 && (p.entries[n - 1].waiting > 0 ||
	    now_of(s, t_ms) - p.entries[n - 1].bucket <= s->window.buckets);
}

int64_t
members_many_count_with(const struct members_shape *s, const void *m,
    uint32_t member, int64_t t_ms)
{
	int64_t	 n = members_many_count(s, m, t_ms);

	return members_many_contains(s, m, member, t_ms) ? n : one_more(s, n);
}

void
members_many_reserve(const struct members_shape *s, void *m, uint32_t member,
    int64_t t_ms)
{
	struct parts		 p = parts_of(s, m);
	struct many_entry	*x;
	uint32_t		 n;

	assert(s->waiting);
	many_advance(s, &p, t_ms);
	if ((n = many_find(s, &p, member)) != 0) {
		x = &p.entries[n - 1];
		if (x->waiting == 0)
			many_unlink(&p, many_list_of(s, &p, x), n);
	} else {
		if ((n = many_add(s, &p, member)) == 0) {
			p.head->no_room++;
			return;
		}
		x = &p.entries[n - 1];
		/* Not seen yet: as if it had just aged out. */
		x->bucket = (uint32_t)p.head->newest - cells_of(s);
	}
	x->waiting++;
}

void
members_many_drop(const struct members_shape *s, void *m, uint32_t member,
    int64_t t_ms)
{
	struct parts		 p = parts_of(s, m);
	uint32_t		 n;
	struct many_entry	*x;

	assert(s->waiting);
	many_advance(s, &p, t_ms);
	n = many_find(s, &p, member);
	if (n == 0 || p.entries[n - 1].waiting == 0) {
		assert(p.head->no_room > 0);
		p.head->no_room--;
		return;
	}
	x = &p.entries[n - 1];
	if (--x->waiting > 0)
		return;
	if ((uint32_t)p.head->newest - x->bucket <= s->window.buckets)
		many_link(s, &p, n);
	else
		many_delete(s, &p, n);
}

void
members_many_move(const struct members_shape *s, void *m, uint32_t member,
    int64_t t_ms)
{
	members_many_drop(s, m, member, t_ms);
	members_many_touch(s, m, member, t_ms);
}
