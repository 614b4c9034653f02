/*
 * Bytes, counters and floods, from the program alone.
 */
#include "policy/cost.h"

#include <inttypes.h>
#include <string.h>

#include "lib/amount.h"
#include "lib/civil.h"
#include "policy/print.h"

/* Sizes of engine/inner.h, trust.h, habit.h, normal.h and members.c. */
enum {
	ACCOUNT_BYTES = 36,
	HABIT_BYTES = 32,
	DESTINATION_BYTES = 64,
	KEY_BYTES = 40,
	OTHER_BYTES = 24,
	PAIR_BYTES = 56,
	WAITING_BYTES = 120,		/* and 4 a kind of place */
	PLACES = 4,			/* besides networks and groups */
	WITHDRAWAL_BYTES = 88,
	NORMAL_BYTES = 8200,
	MEMBER_BYTES = 32,		/* of a large distinct, with index */
	FEW_HEAD_WORDS = 2,
	FEW_MAX = 64,
	INDEX_BYTES = 16,		/* a record: half-full, 8 a slot */
};

static int64_t
align8(int64_t n)
{
	return (n + 7) / 8 * 8;
}

/* What one counter takes in the record of whom it belongs to. */
static int64_t
counter_bytes(const struct prog_agg *a)
{
	bool	 wide = a->def.scope == SCOPE_PLATFORM;
	bool	 waits = a->def.stage == STAGE_COMMITTED;
	int	 cap = a->cap < FEW_MAX ? a->cap : FEW_MAX;

	if (a->def.what == AGG_DISTINCT && wide)
		return (int64_t)a->cap * MEMBER_BYTES;
	if (a->def.what == AGG_DISTINCT)
		return align8((FEW_HEAD_WORDS + cap * (waits ? 3 : 2)) * 4);
	return align8(wide ? (a->buckets + 3) * 8 : (a->buckets + 2) * 4) +
	    (waits ? 8 : 0);
}

static bool
in_store(const struct agg *a, enum agg_scope scope, int prefix, int table)
{
	return a->scope == scope && (prefix < 0 || a->prefix == prefix) &&
	    (table < 0 || a->table == table);
}

static int64_t
windows(const struct program *p, enum agg_scope scope, int prefix, int table)
{
	int64_t	 sum = 0;
	int	 i;

	for (i = 0; i < p->n_aggs; i++)
		if (in_store(&p->aggs[i].def, scope, prefix, table))
			sum += counter_bytes(&p->aggs[i]);
	return sum;
}

/* How long a record stays because of its windows. */
static int64_t
keep_ms(const struct program *p, enum agg_scope scope, int prefix, int table)
{
	int64_t	 keep = 0, ms;
	int	 i;

	for (i = 0; i < p->n_aggs; i++) {
		const struct prog_agg *a = &p->aggs[i];

		if (!in_store(&a->def, scope, prefix, table))
			continue;
		ms = a->def.window_ms + a->def.window_ms / a->buckets;
		if (ms > keep)
			keep = ms;
	}
	return keep;
}

static int64_t
account_bytes(const struct program *p)
{
	static const enum fact small[] = { FACT_TIER, FACT_AGE_LIMIT,
		FACT_AGE_CREDENTIALS, FACT_AGE_LOGIN, FACT_IDLE };
	static const enum fact habits[] = { FACT_HABIT, FACT_HABIT_UNPROVEN,
		FACT_HABIT_COUNT, FACT_HABIT_DESTINATIONS };
	int64_t	 n = ACCOUNT_BYTES;
	bool	 groups = false;
	size_t	 i;

	for (i = 0; i < sizeof(small) / sizeof(small[0]); i++)
		n += p->uses_fact[small[i]] ? 4 : 0;
	for (i = 0; i < sizeof(habits) / sizeof(habits[0]); i++)
		n += p->uses_fact[habits[i]] ? HABIT_BYTES : 0;
	for (i = 0; i < (size_t)p->n_aggs; i++)
		groups = groups || p->aggs[i].def.scope == SCOPE_GROUP;
	n += (groups ? 4 : 0) + (p->policy->trust.given ? 4 : 0);
	if (p->uses_fact[FACT_LIMIT] || p->uses_fact[FACT_AGE_LIMIT])
		n = align8(n) + 8;
	if (p->policy->n_declared > 0)
		n = align8(n) + 8 + 8 * p->policy->n_declared;
	return align8(n);
}

static struct cost_store *
add(struct cost *c, const char *name, int64_t record, int64_t window,
    int64_t index, int64_t capacity)
{
	struct cost_store *s;

	if (c->n_stores == COST_STORES_MAX)
		return &c->stores[COST_STORES_MAX - 1];
	s = &c->stores[c->n_stores++];
	snprintf(s->name, sizeof(s->name), "%s", name);
	s->record_bytes = record;
	s->window_bytes = window;
	s->index_bytes = index;
	s->capacity = capacity;
	return s;
}

/* "40,000 new ones a day for 10d". */
static void
flood(struct cost_store *s, const char *of_what, int64_t keep)
{
	char	 number[64], span[64];

	if (keep <= 0) {
		snprintf(s->flood, sizeof(s->flood), "%s %s",
		    print_number(number, sizeof(number), s->capacity),
		    of_what);
		return;
	}
	snprintf(s->flood, sizeof(s->flood), "%s %s a day for %s",
	    print_number(number, sizeof(number), muldiv(s->capacity,
	    MS_PER_DAY, keep > MS_PER_DAY ? keep : MS_PER_DAY)), of_what,
	    duration_format(span, keep > MS_PER_DAY ? keep : MS_PER_DAY));
}

static int64_t
capacity(int64_t said, int64_t dflt)
{
	return said > 0 ? said : dflt;
}

/* Networks, partners and groups, one store a kind. */
static void
others(const struct program *p, struct cost *c, int64_t accounts)
{
	const struct settings *set = &p->policy->set;
	struct cost_store *s;
	char	 name[48];
	int	 i, k;

	for (i = 0; i < p->n_aggs; i++) {
		const struct agg *a = &p->aggs[i].def;
		bool	 network = a->scope == SCOPE_IP ||
		    a->scope == SCOPE_IP6;

		if (!network && a->scope != SCOPE_PARTNER &&
		    a->scope != SCOPE_GROUP && a->scope != SCOPE_GROUP_TABLE)
			continue;
		for (k = 0; k < i && !in_store(&p->aggs[k].def, a->scope,
		    a->prefix, a->table); k++)
			continue;
		if (k < i)
			continue;
		if (network)
			snprintf(name, sizeof(name), "network ip%s/%d",
			    a->scope == SCOPE_IP6 ? "6" : "", a->prefix);
		else
			snprintf(name, sizeof(name), "%s",
			    a->scope == SCOPE_PARTNER ? "partner" : "group");
		s = add(c, name, OTHER_BYTES, windows(p, a->scope, a->prefix,
		    a->table), INDEX_BYTES, network ?
		    capacity(set->cap_networks, accounts * 2) :
		    capacity(set->cap_groups, accounts / 4 + 1000));
		flood(s, network ? "networks that ask" : "of them that ask",
		    keep_ms(p, a->scope, a->prefix, a->table));
	}
}

static void
work(const struct program *p, struct cost *c)
{
	int	 i;

	c->n_tests = p->n_tests;
	for (i = 0; i < p->n_slots; i++)
		c->n_reads += p->slots[i].kind == SLOT_AGG;
	for (i = 0; i < p->n_aggs; i++)
		c->n_writes += p->aggs[i].def.stage == STAGE_ASKED ||
		    p->aggs[i].def.stage == STAGE_COMMITTED ||
		    p->aggs[i].def.stage == STAGE_RELEASED;
}

static void
platform(const struct program *p, struct cost *c)
{
	struct cost_store *s;
	int64_t	 normals = 0;
	int	 i;

	for (i = 0; i < p->n_aggs; i++)
		normals += p->aggs[i].learn ? NORMAL_BYTES : 0;
	s = add(c, "platform", normals, windows(p, SCOPE_PLATFORM, -1, -1), 0,
	    1);
	snprintf(s->flood, sizeof(s->flood), "nothing; a full `distinct` "
	    "reads more than anything");
}

void
cost_compute(const struct program *p, struct cost *out)
{
	const struct settings *set = &p->policy->set;
	int64_t	 accounts = capacity(set->cap_accounts, 100000);
	int64_t	 keep = keep_ms(p, SCOPE_DESTINATION, -1, -1), taints = 0;
	struct cost_store *s;
	int	 i, places = PLACES;

	memset(out, 0, sizeof(*out));
	s = add(out, "account", account_bytes(p), windows(p, SCOPE_ACCOUNT, -1,
	    -1), INDEX_BYTES, accounts);
	flood(s, "accounts, ever", 0);
	s = add(out, "key", KEY_BYTES, windows(p, SCOPE_KEY, -1, -1),
	    INDEX_BYTES, capacity(set->cap_keys, accounts));
	flood(s, "keys, ever", 0);
	s = add(out, "pair", PAIR_BYTES, 0, INDEX_BYTES,
	    capacity(set->cap_pairs, accounts * 4));
	flood(s, "new pairs that are paid", p->policy->trust.full_ms);
	for (i = 0; i < p->n_rules; i++)
		taints += p->rules[i].taint_ms > 0 &&
		    p->rules[i].taint_destination ? 8 : 0;
	s = add(out, "destination", DESTINATION_BYTES, taints +
	    windows(p, SCOPE_DESTINATION, -1, -1), INDEX_BYTES,
	    capacity(set->cap_destinations, accounts * 4));
	flood(s, "new addresses", keep > p->policy->trust.full_ms ? keep :
	    p->policy->trust.full_ms);
	places -= out->n_stores;
	others(p, out, accounts);
	places += out->n_stores;
	keep = 8 * p->policy->n_declared;
	for (i = 0; i < p->n_slots; i++)
		keep += p->slots[i].frozen ? 8 : 0;
	s = add(out, "waiting", WAITING_BYTES + align8(places * 4), keep, 4,
	    capacity(set->cap_waiting, accounts / 4 + 1000));
	flood(s, "that wait, are held or stopped at once", 0);
	s = add(out, "withdrawal", WITHDRAWAL_BYTES, 0, INDEX_BYTES,
	    capacity(set->cap_withdrawals, accounts * 16));
	flood(s, "ids; the oldest finished one is forgotten", 0);
	platform(p, out);
	for (i = 0; i < out->n_stores; i++) {
		s = &out->stores[i];
		out->total_bytes += (s->record_bytes + s->window_bytes +
		    s->index_bytes) * s->capacity;
	}
	work(p, out);
}
