#include "engine/facts.h"

#include "engine/counters.h"
#include "engine/layout.h"
#include "engine/records.h"
#include "engine/taint.h"

#define BUSY_ONE	1000
#define BUSY_MAX	8000

int64_t
facts_hot_sat(const struct engine *e, int64_t t_ms)
{
	return hot_read(&e->hot, t_ms, e->v.waiting_sat);
}

struct trust_pair *
facts_pair(struct decision *d)
{
	if (!d->pair_looked) {
		d->pair = records_find_pair(d->e, d->account,
		    d->destination);
		d->pair_looked = true;
	}
	return d->pair;
}

/* The terms with C resolved when it is a share of the hot wallet. */
static bool
terms_now(const struct decision *d, struct trust_terms *terms)
{
	const struct trust *t = &d->e->pol->trust;
	int64_t		 hot_sat;

	*terms = d->e->terms;
	if (t->upto_ppm == 0)
		return true;
	hot_sat = facts_hot_sat(d->e, d->t_ms);
	if (hot_sat < 0)
		return false;
	terms->upto_sat = muldiv(hot_sat, t->upto_ppm, 1000000);
	return true;
}

/*
 * `set trust listed until D upto A`: what stood in an imported address book
 * is trusted up to A until D (S34).  Only what the import brought: an entry
 * that the customer, or his thief, made himself has no time here.
 */
static bool
listed_proven(struct decision *d, const struct trust_terms *terms)
{
	const struct settings *set = &d->e->pol->set;
	const struct trust_pair *p = d->pair;
	int64_t		 used_sat, upto_sat;

	if (set->trust_listed_sat == 0 || p == NULL ||
	    (p->listed_s & LISTED_IMPORTED) == 0 ||
	    d->t_ms / MS_PER_DAY > set->trust_listed_day)
		return false;
	used_sat = trust_used_sat(terms, p, d->t_ms);
	used_sat = amount_add_saturate(used_sat, d->w->amount_sat);
	upto_sat = set->trust_listed_sat;
	if (upto_sat > terms->upto_sat)
		upto_sat = terms->upto_sat;
	return used_sat <= upto_sat;
}

bool
facts_proven(struct decision *d)
{
	struct trust_terms terms;
	struct trust_pair *p = facts_pair(d);

	/* Frozen while it waits: never asked for what is reserved (S27). */
	assert(!d->in_committed);
	if (p == NULL || !d->e->pol->trust.given || !terms_now(d, &terms))
		return false;
	if (trust_proven(&terms, p, records_resets(d->e, d->a, d->d),
	    d->t_ms, d->w->amount_sat, false))
		return true;
	return d->d != NULL && d->d->fraud_s == 0 && listed_proven(d, &terms);
}

/* S21: what an absent fact means. */
static int64_t
absent(const struct engine *e, enum fact fact, int64_t worst)
{
	return e->pol->unknown_given[fact] ? e->pol->unknown[fact] : worst;
}

static bool
ip_new(const struct decision *d, bool of_account)
{
	const struct engine *e = d->e;
	const struct seen *seen;
	uint32_t	 n = of_account ? d->use : d->ip;

	/* Found when it was asked for, or made then. */
	if (n >= FULL)
		return true;
	seen = store_at(of_account ? &e->uses : &e->ips, n);
	return !seen->known;
}

/* Facts of the request; asked for only while `in` is there. */
static int64_t
request_fact(struct decision *d, enum fact fact)
{
	const struct input *in = d->in;
	const struct engine *e = d->e;

	assert(in != NULL);
	if (fact >= FACT_VIA_API && fact <= FACT_VIA_INTERNAL)
		return (int)in->via == (int)fact - FACT_VIA_API;
	if (fact >= FACT_FORM_P2PKH && fact <= FACT_FORM_P2TR)
		return (int)in->form == (int)fact - FACT_FORM_P2PKH;
	if (fact == FACT_CODE_GIVEN)
		return in->code == TRI_UNKNOWN ? absent(e, fact, 0) :
		    in->code == TRI_YES;
	if (fact == FACT_IP_NEW_ACCOUNT)
		return !d->has_ip ? absent(e, fact, 1) : ip_new(d, true);
	if (fact == FACT_IP_NEW_PLATFORM)
		return !d->has_ip ? absent(e, fact, 1) : ip_new(d, false);
	if (fact == FACT_DEVICE_NEW)
		return (d->a->flags & ACCOUNT_DEVICE_KNOWN) == 0 ?
		    absent(e, fact, 1) :
		    (d->a->flags & ACCOUNT_DEVICE_NEW) != 0;
	assert(fact == FACT_KEY_HAS_IP_LIST);
	return d->key != NULL && d->key->cidrs != NONE;
}

/* An age of a moment in the account's record. */
static int64_t
account_age(const struct decision *d, enum fact fact, enum opt o)
{
	const uint32_t	*s = layout_u32(d->e, d->a, o);

	if (s == NULL || *s == 0)
		return absent(d->e, fact, 0);
	return records_age_ms(*s, d->t_ms);
}

/* Never changed since the account was opened is as old as the account. */
static int64_t
account_age_or_opened(const struct decision *d, enum fact fact, enum opt o)
{
	const uint32_t	*s = layout_u32(d->e, d->a, o);

	if (s != NULL && *s != 0)
		return records_age_ms(*s, d->t_ms);
	if (d->e->pol->unknown_given[fact])
		return d->e->pol->unknown[fact];
	return records_age_ms(d->a->opened_s, d->t_ms);
}

static int64_t
age_fact(struct decision *d, enum fact fact)
{
	const struct engine *e = d->e;
	struct trust_pair *p;
	uint32_t	 s = 0;

	switch ((int)fact) {
	case FACT_AGE_ACCOUNT:
		s = d->a->opened_s;
		break;
	case FACT_AGE_KEY:
		s = d->key == NULL ? 0 : d->key->since_s;
		break;
	case FACT_AGE_CREDENTIALS:
		return account_age_or_opened(d, fact, OPT_CREDENTIALS);
	case FACT_AGE_LIMIT:
		return account_age_or_opened(d, fact, OPT_LIMIT_RAISED);
	case FACT_AGE_LOGIN:
		return account_age(d, fact, OPT_LOGIN);
	case FACT_AGE_IP:
		s = d->ip_since_s;
		break;
	case FACT_AGE_DESTINATION:
		s = d->d == NULL ? 0 : d->d->first_s;
		break;
	case FACT_AGE_LISTING:
		p = facts_pair(d);
		s = p == NULL ? 0 : p->listed_s & ~LISTED_IMPORTED;
		break;
	case FACT_AGE_DESTINATION_CHAIN:
		s = d->d == NULL ? 0 : d->d->chain_s;
		break;
	case FACT_AGE_PLATFORM:
		s = e->v.first_s;
		break;
	case FACT_IDLE:
		return account_age_or_opened(d, fact, OPT_RELEASED);
	}
	if (s == 0)
		return absent(e, fact, 0);
	return records_age_ms(s, d->t_ms);
}

static int64_t
destination_fact(struct decision *d, enum fact fact)
{
	const struct engine *e = d->e;
	struct trust_pair *p;

	switch ((int)fact) {
	case FACT_DESTINATION_NEW_ACCOUNT:
		p = facts_pair(d);
		/* Taken back or not: this asks whether it was ever paid. */
		return p == NULL || trust_paid_sat(p,
		    records_resets(e, d->a, d->d)) == 0;
	case FACT_DESTINATION_NEW_PLATFORM:
		return d->d == NULL || d->d->first_s == 0;
	case FACT_DESTINATION_NEW_CHAIN:
		return d->d == NULL || d->d->chain_s == 0;
	case FACT_RECEIVED_DESTINATION:
		return d->d == NULL ? 0 : d->d->received_sat;
	case FACT_PAYERS_DESTINATION:
		return d->d == NULL ? 0 : d->d->payers;
	}
	assert(0);
	return 0;
}

static int64_t
habit_fact(struct decision *d, enum opt o, enum habit_unit unit)
{
	const unsigned char *at = (const unsigned char *)d->a + d->e->opt[o];

	if (d->e->opt[o] == 0)
		return 0;
	return habit_read((const struct habit *)(const void *)at, unit,
	    d->t_ms);
}

static int64_t
learned_fact(struct decision *d, enum fact fact)
{
	struct trust_terms terms;
	struct trust_pair *p;

	switch ((int)fact) {
	case FACT_PROVEN:
		return facts_proven(d);
	case FACT_CREDIT:
		p = facts_pair(d);
		if (p == NULL || !terms_now(d, &terms))
			return 0;
		return trust_credit_sat(&terms, p,
		    records_resets(d->e, d->a, d->d), d->t_ms);
	case FACT_HABIT:
		return habit_fact(d, OPT_HABIT, HABIT_SAT);
	case FACT_HABIT_UNPROVEN:
		return habit_fact(d, OPT_HABIT_UNPROVEN, HABIT_SAT);
	case FACT_HABIT_COUNT:
		return habit_fact(d, OPT_HABIT_COUNT, HABIT_COUNT);
	case FACT_HABIT_DESTINATIONS:
		return habit_fact(d, OPT_HABIT_DESTINATIONS, HABIT_COUNT);
	}
	assert(0);
	return 0;
}

static enum eval_error
state_fact(struct decision *d, enum fact fact, int64_t *value_out)
{
	const struct engine *e = d->e;
	const int64_t	*limit;
	const uint32_t	*tier;

	switch ((int)fact) {
	case FACT_HOT:
		*value_out = d->env.hot_sat;
		return d->env.hot_sat < 0 ? EVAL_UNKNOWN : EVAL_OK;
	case FACT_FUND:
		*value_out = e->v.fund_sat;
		return e->v.fund_sat < 0 ? EVAL_UNKNOWN : EVAL_OK;
	case FACT_LIMIT:
		limit = layout_i64(e, d->a, OPT_LIMIT);
		*value_out = (d->a->flags & ACCOUNT_LIMIT) == 0 ||
		    limit == NULL ? absent(e, fact, 0) : *limit;
		return EVAL_OK;
	case FACT_TIER:
		tier = layout_u32(e, d->a, OPT_TIER);
		*value_out = (d->a->flags & ACCOUNT_TIER) == 0 ||
		    tier == NULL ? absent(e, fact, 0) : (int64_t)*tier;
		return EVAL_OK;
	}
	assert(0);
	return EVAL_UNKNOWN;
}

static enum eval_error
fact_value(struct decision *d, enum fact fact, int64_t *value_out)
{
	if (fact == FACT_AMOUNT)
		*value_out = d->w->amount_sat;
	else if (fact == FACT_HOUR)
		*value_out = civil_hour(d->w->asked_ms);
	else if (fact == FACT_WEEKDAY)
		*value_out = civil_weekday(d->w->asked_ms);
	else if (fact < FACT_HOUR)
		*value_out = request_fact(d, fact);
	else if (fact <= FACT_IDLE)
		*value_out = age_fact(d, fact);
	else if (fact <= FACT_PAYERS_DESTINATION)
		*value_out = destination_fact(d, fact);
	else if (fact <= FACT_HABIT_DESTINATIONS)
		*value_out = learned_fact(d, fact);
	else
		return state_fact(d, fact, value_out);
	return EVAL_OK;
}

/* The withdrawal's own, else the account's, else what the policy says. */
static int64_t
declared_value(struct decision *d, int index)
{
	const struct engine *e = d->e;
	const int64_t	*own = layout_i64(e, d->a, OPT_DECLARED);
	size_t		 i;

	if (d->k != NULL && d->k->declared_known >> index & 1)
		return layout_declared(e, d->k)[index];
	for (i = 0; d->in != NULL && i < d->in->n_facts; i++)
		if (d->in->facts[i].declared == index)
			return d->in->facts[i].value;
	if (own != NULL && (uint64_t)own[0] >> index & 1)
		return own[1 + index];
	return e->pol->declared[index].unknown;
}

int64_t
facts_normal(const struct engine *e, int agg, int64_t t_ms)
{
	const struct counter *c = &e->counters[agg];

	if (c->normal < 0 || c->place != PLACE_PLATFORM)
		return -1;
	return normal_now(&e->normals[c->normal], t_ms);
}

/* S38: the crowd of the proven now, over what it usually is. */
static enum eval_error
busy_value(struct decision *d, int window, int64_t *value_out)
{
	int		 agg = d->e->p->busy_aggs[window];
	int64_t		 normal = facts_normal(d->e, agg, d->t_ms);
	int64_t		 reading, busy;
	enum eval_error	 error;

	*value_out = BUSY_ONE;
	if (normal <= 0)
		return EVAL_OK;
	if ((error = counters_value(d, agg, &reading)) != EVAL_OK)
		return error;
	/* "More than anything" means that the set is full: no crowd that we
	 * could vouch for. */
	if (reading == INT64_MAX)
		return EVAL_OK;
	busy = muldiv(reading, BUSY_ONE, normal);
	*value_out = busy < BUSY_ONE ? BUSY_ONE :
	    busy > BUSY_MAX ? BUSY_MAX : busy;
	return EVAL_OK;
}

static int64_t
table_value(struct decision *d, int index)
{
	const struct tables *t = d->e->tables;
	int		 table = index / 4;

	switch ((enum in_subject)(index % 4)) {
	case IN_DESTINATION:
		return tables_find(t, table, d->script) >= 0;
	case IN_ACCOUNT:
	case IN_GROUP:
		return tables_find(t, table, d->a->id) >= 0;
	case IN_IP:
		return d->has_ip && tables_find_ip(t, table, d->address);
	}
	assert(0);
	return 0;
}

enum eval_error
facts_fetch(void *ctx, int slot, int64_t *value_out)
{
	struct decision	*d = ctx;
	const struct engine *e = d->e;
	const struct prog_slot *s = &e->p->slots[slot];

	switch (s->kind) {
	case SLOT_FACT:
		return fact_value(d, (enum fact)s->index, value_out);
	case SLOT_DECLARED:
		*value_out = declared_value(d, s->index);
		return EVAL_OK;
	case SLOT_AGG:
		return counters_value(d, s->index, value_out);
	case SLOT_NORMAL:
		*value_out = facts_normal(e, s->index, d->t_ms);
		return EVAL_OK;
	case SLOT_BUSY:
		return busy_value(d, s->index, value_out);
	case SLOT_FRAUD:
		*value_out = e->v.confirmed_ms != 0 && d->t_ms -
		    e->v.confirmed_ms <= e->p->fraud_windows[s->index];
		return EVAL_OK;
	case SLOT_IN_TABLE:
		*value_out = table_value(d, s->index);
		return EVAL_OK;
	}
	assert(0);
	return EVAL_UNKNOWN;
}

static void
put64(unsigned char *out, uint64_t v)
{
	int		 i;

	for (i = 0; i < 8; i++)
		out[i] = (unsigned char)(v >> 8 * i);
}

/*
 * S41.  Over the withdrawal's id and its number: at the exchange's door the
 * caller chooses the id, and could try ids until one is not drawn, but not
 * the number.
 */
bool
facts_draw(void *ctx, int rule)
{
	struct decision	*d = ctx;
	const struct prog_rule *r = &d->e->p->rules[rule];
	unsigned char	 text[33];
	uint64_t	 drawn;
	int64_t		 per_sat;

	text[0] = 'L';
	put64(text + 1, r->label_hash);
	put64(text + 9, d->w->id.lo);
	put64(text + 17, d->w->id.hi);
	put64(text + 25, d->w->ref);
	drawn = ident_prf(&d->e->cfg.lots, text, sizeof(text));
	switch (r->lot) {
	case LOT_NONE:
		return true;
	case LOT_IN:
		return r->lot_in <= 1 || drawn % (uint64_t)r->lot_in == 0;
	case LOT_PER:
		break;
	}
	per_sat = r->lot_per.value;
	if (r->lot_per.kind == OPERAND_HOT)
		per_sat = d->env.hot_sat < 0 ? 0 :
		    muldiv(d->env.hot_sat, r->lot_per.value, 1000000);
	else if (r->lot_per.kind == OPERAND_FUND)
		per_sat = d->env.fund_sat < 0 ? 0 :
		    muldiv(d->env.fund_sat, r->lot_per.value, 1000000);
	if (per_sat <= d->w->amount_sat)
		return true;
	/* drawn / 2^64 < amount / per */
	return (unsigned __int128)drawn * (uint64_t)per_sat <
	    (unsigned __int128)(uint64_t)d->w->amount_sat << 64;
}

uint32_t
facts_shade(void *ctx, int rule)
{
	struct decision	*d = ctx;
	unsigned char	 text[17];

	text[0] = 'S';
	put64(text + 1, d->e->p->rules[rule].label_hash);
	put64(text + 9, (uint64_t)(d->t_ms / MS_PER_DAY));
	return (uint32_t)(ident_prf(&d->e->cfg.lots, text, sizeof(text)) >>
	    32);
}

bool
facts_tainted(void *ctx, int rule)
{
	return taint_hit(ctx, rule);
}
