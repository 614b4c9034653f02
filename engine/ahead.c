/*
 * Memory asked for before it is needed.  A withdrawal reads some ten records
 * that lie anywhere; what stands in an index says where, so there are three
 * steps, each of which finds what the one before asked for.
 *
 * Nothing here is trusted: a guess by 32 bits of a hash costs at worst a
 * useless cache line.
 */
#include "engine/inner.h"
#include "engine/records.h"

/* The networks in which this withdrawal will be counted. */
static struct ident
network_of(const struct engine *e, int place, const struct input *in)
{
	const struct place *pl = &e->places[place];
	unsigned char	 masked[16];
	int		 bits = pl->prefix + (pl->scope == SCOPE_IP ? 96 : 0);

	tables_mask(masked, in->ip, bits);
	return records_network_ident(e, bits, masked);
}

static bool
is_network(const struct place *pl)
{
	return pl->scope == SCOPE_IP || pl->scope == SCOPE_IP6;
}

static void
prefetch_addresses(const struct engine *e, const struct input *in)
{
	int		 i;

	if (e->use_ips)
		index_prefetch(&e->ips_ix, records_ip_ident(e, NONE,
		    in->ip));
	for (i = PLACE_OTHER; i < e->n_places; i++)
		if (is_network(&e->places[i]))
			index_prefetch(&e->places[i].index,
			    network_of(e, i, in));
}

void
engine_prefetch(const struct engine *e, const struct input *in)
{
	if (!ident_none(in->account))
		index_prefetch(&e->places[PLACE_ACCOUNT].index, in->account);
	if (!ident_none(in->script))
		index_prefetch(&e->places[PLACE_DESTINATION].index,
		    in->script);
	if (in->type != INPUT_WITHDRAW)
		return;
	index_prefetch(&e->withdrawals_ix, in->id);
	if (!ident_none(in->key))
		index_prefetch(&e->places[PLACE_KEY].index, in->key);
	if (in->has_ip)
		prefetch_addresses(e, in);
}

/* Every cache line of a record. */
static void
prefetch_record(const struct store *s, uint32_t n)
{
	size_t		 i;

	if (n == NONE)
		return;
	for (i = 0; i < s->record_size; i += 64)
		__builtin_prefetch(s->base + n * s->record_size + i, 1);
	/* A record need not begin where a cache line does. */
	__builtin_prefetch(s->base + (n + UINT64_C(1)) * s->record_size - 1,
	    1);
}

static void
prefetch_address_records(const struct engine *e, const struct input *in)
{
	const struct place *pl;
	int		 i;

	if (e->use_ips)
		prefetch_record(&e->ips, index_guess(&e->ips_ix,
		    records_ip_ident(e, NONE, in->ip)));
	for (i = PLACE_OTHER; i < e->n_places; i++) {
		pl = &e->places[i];
		if (is_network(pl))
			prefetch_record(&pl->store, index_guess(&pl->index,
			    network_of(e, i, in)));
	}
}

void
engine_prefetch_records(const struct engine *e, const struct input *in)
{
	uint32_t	 account = NONE, destination = NONE;

	if (!ident_none(in->account)) {
		account = index_guess(&e->places[PLACE_ACCOUNT].index,
		    in->account);
		prefetch_record(&e->places[PLACE_ACCOUNT].store, account);
	}
	if (!ident_none(in->script)) {
		destination = index_guess(
		    &e->places[PLACE_DESTINATION].index, in->script);
		prefetch_record(&e->places[PLACE_DESTINATION].store,
		    destination);
	}
	if (account == NONE)
		return;
	if (e->use_pairs && destination != NONE)
		index_prefetch_pair(&e->pairs_ix, account, destination);
	if (in->has_ip && e->use_uses)
		index_prefetch(&e->uses_ix, records_ip_ident(e, account,
		    in->ip));
	if (in->has_ip && in->type == INPUT_WITHDRAW)
		prefetch_address_records(e, in);
}

void
engine_prefetch_pair(const struct engine *e, const struct input *in)
{
	uint32_t	 account, destination;

	if (ident_none(in->account))
		return;
	account = index_guess(&e->places[PLACE_ACCOUNT].index, in->account);
	if (account == NONE)
		return;
	if (e->use_uses && in->has_ip)
		prefetch_record(&e->uses, index_guess(&e->uses_ix,
		    records_ip_ident(e, account, in->ip)));
	if (ident_none(in->script) || !e->use_pairs)
		return;
	destination = index_guess(&e->places[PLACE_DESTINATION].index,
	    in->script);
	if (destination != NONE)
		prefetch_record(&e->pairs, index_guess_pair(&e->pairs_ix,
		    account, destination));
}
