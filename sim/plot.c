#include "sim/plot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/amount.h"
#include "lib/civil.h"

/* More accounts than this are sampled, not all looked at. */
#define LOOK_MAX	300000
/* Keys that thieves make have numbers from here on. */
#define KEY_STOLEN	1000

int64_t
plot_part(int64_t v, int64_t permille)
{
	return muldiv(v, permille, 1000);
}

int64_t
plot_under(struct plot *p, int64_t line_sat)
{
	return plot_part(line_sat, rng_range(&p->r, 920, 990));
}

static void *
need(size_t n, size_t size)
{
	void	*v = calloc(n == 0 ? 1 : n, size);

	if (v == NULL) {
		(void)fprintf(stderr, "simulate: no memory\n");
		exit(1);
	}
	return v;
}

/* ---- whom ---- */

struct wanted {
	int64_t		 score;
	uint32_t	 account;
};

/* The more the better; below 0: not this one. */
static int64_t
score(struct plot *p, enum pick pick, const struct person *who)
{
	int64_t	 lot = (int64_t)rng_below(&p->r, 1 << 20);
	bool	 keyed = who->has_key && who->key_withdraws &&
	    who->kind != PERSON_BOT;

	switch (pick) {
	case PICK_ANY:
		return who->kind == PERSON_DORMANT ||
		    who->kind == PERSON_BOT ? -1 : lot;
	case PICK_RICH:
		return who->kind == PERSON_BOT ? -1 : who->scale_q16;
	case PICK_LARGE:
		return who->kind == PERSON_BOT ||
		    who->habit_sat < 4 * p->w->p.amount_sat ? -1 : lot;
	case PICK_KEYED:
		return keyed ? lot : -1;
	case PICK_TRADE_KEY:
		return who->has_key && !who->key_withdraws ? lot : -1;
	case PICK_PARTNER:
		return who->partner == 1 && keyed ? lot : -1;
	case PICK_DORMANT:
		return who->kind == PERSON_DORMANT ? lot : -1;
	case PICK_NOVEL:
		return who->novelty_ppm < 500000 || who->kind == PERSON_BOT ||
		    who->kind == PERSON_DORMANT ? -1 : lot;
	case PICK_BUSY:
		return who->kind == PERSON_REGULAR ||
		    who->kind == PERSON_DAILY ? lot : -1;
	case PICK_RICH_KEYED:
		return who->has_key && who->key_withdraws ? who->scale_q16 :
		    -1;
	}
	return -1;
}

static int
wanted_compare(const void *a, const void *b)
{
	const struct wanted	*x = a, *y = b;

	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	return x->account < y->account ? -1 : x->account > y->account;
}

struct victim *
plot_victims(struct plot *p, enum pick pick, int64_t least_limit_sat,
    uint32_t n, uint32_t *n_out)
{
	const struct world	*w = p->w;
	uint32_t		 looks, i, found = 0, step;
	struct wanted		*list;
	struct victim		*v;
	struct person		 who;
	int64_t			 s;

	looks = w->n_old < LOOK_MAX ? w->n_old : LOOK_MAX;
	step = w->n_old / looks;
	list = need(looks, sizeof(*list));
	for (i = 0; i < looks; i++) {
		world_person(w, i * step, &who);
		s = score(p, pick, &who);
		if (s < 0 || world_limit_sat(who.tier) < least_limit_sat)
			continue;
		list[found].score = s;
		list[found++].account = i * step;
	}
	qsort(list, found, sizeof(*list), wanted_compare);
	if (found > n)
		found = n;
	v = need(found, sizeof(*v));
	for (i = 0; i < found; i++) {
		v[i].account = list[i].account;
		world_person(w, v[i].account, &v[i].who);
		v[i].limit_sat = world_limit_sat(v[i].who.tier);
	}
	free(list);
	*n_out = found;
	return v;
}

struct victim *
plot_mules(struct plot *p, uint32_t n, int64_t days_before, int tier)
{
	struct victim	*v = need(n, sizeof(*v));
	struct item	*it;
	uint32_t	 i;

	for (i = 0; i < n; i++) {
		v[i].account = ACCOUNT_MULE + p->n_mules++;
		world_person(p->w, v[i].account, &v[i].who);
		v[i].who.has_key = v[i].who.key_withdraws = false;
		v[i].limit_sat = world_limit_sat(tier);
		it = plot_put(p, SCENARIO_ACCOUNT, p->start_ms -
		    days_before * MS_PER_DAY - rng_range(&p->r, 0,
		    5 * MS_PER_DAY), v[i].account);
		if (it == NULL)
			continue;
		it->amount_sat = v[i].limit_sat;
		it->tier = (uint8_t)tier;
	}
	return v;
}

/* ---- steps ---- */

uint64_t
plot_address(const struct plot *p, uint64_t set, uint64_t i)
{
	return world_code(p->w, address_code_any(rng_hash(p->key, 1000 + set,
	    i)));
}

struct item *
plot_put(struct plot *p, enum scenario_type type, int64_t t_ms,
    uint32_t account)
{
	struct item	 it;

	if (t_ms >= p->end_ms || t_ms < MS_PER_DAY)
		return NULL;
	it = item_of(type, t_ms, account);
	items_push(p->out, &it);
	return &p->out->v[p->out->n - 1];
}

/* Where the thieves sit: six rented servers; or a home line each. */
static uint64_t
guise_ip(const struct plot *p, const struct victim *v, enum guise guise,
    int64_t day)
{
	uint64_t	 bits;

	switch (guise) {
	case GUISE_KEY:
	case GUISE_LOGIN:
		return ip_anywhere(rng_hash(p->key, 1, v->account % 6) |
		    UINT64_C(1) << 63);
	case GUISE_PARTNER:
		bits = rng_hash(p->key, 2, v->account);
		return world_partner_ip(p->w, v->who.partner, bits);
	case GUISE_NETS:
		return ip_anywhere(rng_hash(p->key, 3, v->account));
	case GUISE_OWNER:
	case GUISE_SESSION:
		return world_ip(p->w, v->account, day);
	case GUISE_INSIDER:
		return ip_anywhere(rng_hash(p->key, 4, 0) |
		    UINT64_C(1) << 63);
	}
	return 0;
}

static void
guise_login(struct plot *p, struct victim *v, enum guise guise, int64_t t_ms,
    uint64_t ip)
{
	struct item	*it;
	bool		 strange = guise == GUISE_LOGIN || guise == GUISE_NETS;
	int64_t		 lead_ms;

	lead_ms = guise == GUISE_SESSION ?
	    rng_range(&p->r, MS_PER_MIN, 8 * MS_PER_MIN) :
	    rng_range(&p->r, 20 * MS_PER_S, 20 * MS_PER_MIN);
	it = plot_put(p, SCENARIO_LOGIN, t_ms - lead_ms, v->account);
	if (it == NULL)
		return;
	it->ip = ip;
	it->device_new = strange ? TRI_YES : TRI_NO;
}

/* The owner reads his mail; or he does not, or too late. */
static void
owner_notices(struct plot *p, const struct item *theft)
{
	struct item	*it;
	int64_t		 after_ms;

	if (theft->account >= ACCOUNT_MULE || !rng_chance(&p->r,
	    p->owners_ppm))
		return;
	after_ms = muldiv(p->delay_ms, rng_exponent_q16(rng_next(&p->r)),
	    Q16);
	if (after_ms < 2 * MS_PER_MIN)
		after_ms = 2 * MS_PER_MIN;
	if (after_ms > 3 * MS_PER_DAY)
		return;
	it = plot_put(p, SCENARIO_CANCEL, theft->t_ms + after_ms,
	    theft->account);
	if (it == NULL)
		return;
	it->number = theft->number;
	it->label = LABEL_ATTACK;
	it->flags |= ITEM_NOT_ME;
}

void
plot_take(struct plot *p, struct victim *v, enum guise guise, int64_t t_ms,
    uint64_t address, int64_t sat)
{
	struct item	*it, theft;
	uint64_t	 ip;

	if (t_ms < p->w->start_ms || t_ms >= p->end_ms ||
	    sat < p->w->p.minimum_sat)
		return;
	ip = guise_ip(p, v, guise, (t_ms - p->w->start_ms) / MS_PER_DAY);
	if (guise != GUISE_KEY && guise != GUISE_PARTNER)
		guise_login(p, v, guise, t_ms, ip);
	if ((it = plot_put(p, SCENARIO_WITHDRAW, t_ms, v->account)) == NULL)
		return;
	it->amount_sat = sat;
	it->address = address;
	it->label = LABEL_ATTACK;
	it->number = p->number++;
	it->ip = ip;
	it->code = TRI_YES;
	if (guise == GUISE_KEY || guise == GUISE_PARTNER) {
		it->via = VIA_API;
		it->key = v->key > 0 ? v->key : 1;
	} else
		it->via = guise == GUISE_OWNER && v->account % 3 == 0 ?
		    VIA_MOBILE : VIA_WEB;
	v->owed_sat += sat;
	theft = *it;
	owner_notices(p, &theft);
}

void
plot_provide(struct plot *p, struct victim *v, enum funds funds, int64_t t_ms)
{
	struct item	*it;
	int64_t		 n, i, sat, before_ms, from_ms = p->w->start_ms;

	if (v->owed_sat <= 0)
		return;
	n = rng_range(&p->r, 1, 3);
	for (i = 0; i < n; i++) {
		sat = v->owed_sat / n + (i == 0 ? v->owed_sat % n : 0);
		before_ms = funds == FUNDS_MOVED ? rng_range(&p->r,
		    20 * MS_PER_MIN, 2 * MS_PER_DAY) :
		    rng_range(&p->r, MS_PER_DAY, 20 * MS_PER_DAY);
		/* After the reading of all balances on the first day. */
		if (t_ms - before_ms <= from_ms)
			before_ms = (t_ms - from_ms) / 2;
		it = plot_put(p, SCENARIO_DEPOSIT, t_ms - before_ms,
		    v->account);
		if (it != NULL)
			it->amount_sat = sat;
	}
	v->owed_sat = 0;
}

void
plot_key(struct plot *p, struct victim *v, int64_t t_ms)
{
	struct item	*it;
	int64_t		 opened_ms = world_opened_ms(p->w, v->account);

	if (t_ms < opened_ms + MS_PER_HOUR)
		t_ms = opened_ms + MS_PER_HOUR;
	v->key = KEY_STOLEN;
	it = plot_put(p, SCENARIO_KEY, t_ms, v->account);
	if (it == NULL)
		return;
	it->key = v->key;
	it->flags |= ITEM_WITHDRAW;
}

/* ---- a heist ---- */

struct theft {
	int64_t		 t_ms;
	int64_t		 sat;
	uint32_t	 victim;
};

static int
theft_compare(const void *a, const void *b)
{
	const struct theft	*x = a, *y = b;

	if (x->t_ms != y->t_ms)
		return x->t_ms < y->t_ms ? -1 : 1;
	return x->victim < y->victim ? -1 : x->victim > y->victim;
}

static int64_t
heist_amount(struct plot *p, const struct heist *h, const struct victim *v,
    uint32_t n)
{
	int64_t	 sat, j;

	if (h->under_sat > 0)
		sat = h->under_sat;
	else if (h->habit_permille > 0)
		sat = plot_part(v->who.habit_sat, h->habit_permille);
	else
		sat = h->total_sat / n;
	j = h->jitter_permille;
	sat = plot_part(sat, 1000 - rng_range(&p->r, 0, j));
	/* A customer's limit is known to whoever is logged in. */
	if (sat > plot_part(v->limit_sat, 970))
		sat = plot_part(v->limit_sat, rng_range(&p->r, 930, 970));
	if (sat < p->w->p.minimum_sat)
		sat = p->w->p.minimum_sat;
	return sat / 10000 * 10000;
}

static int64_t
heist_time(struct plot *p, const struct heist *h, const struct victim *v,
    uint32_t i, uint32_t n)
{
	int64_t	 days = (h->span_ms + MS_PER_DAY - 1) / MS_PER_DAY, day, t;

	day = h->from_ms - h->from_ms % MS_PER_DAY;
	switch (h->pace) {
	case PACE_EVEN:
		break;
	case PACE_STEADY:
		t = h->span_ms / n;
		return h->from_ms + t * i + rng_range(&p->r, 0, t / 3);
	case PACE_CUSTOMERS:
		return day + rng_range(&p->r, 0, days - 1) * MS_PER_DAY +
		    world_time_of_day(&v->who, &p->r);
	case PACE_NIGHT:
		return day + rng_range(&p->r, 0, days - 1) * MS_PER_DAY +
		    rng_range(&p->r, MS_PER_HOUR, 5 * MS_PER_HOUR);
	case PACE_CRASH:
		t = rng_exponent_q16(rng_next(&p->r)) * 3 * MS_PER_HOUR / Q16;
		if (t < h->span_ms)
			return h->from_ms + t;
		break;
	}
	return h->from_ms + (h->span_ms > 0 ? rng_range(&p->r, 0,
	    h->span_ms - 1) : 0);
}

static uint64_t
heist_address(struct plot *p, const struct heist *h, const struct victim *v,
    uint32_t i)
{
	switch (h->aim) {
	case AIM_FRESH:
		break;
	case AIM_ACCOUNT:
		return plot_address(p, 1, v->account);
	case AIM_FEW:
		return plot_address(p, 2 + h->address_seed,
		    i % h->n_addresses);
	case AIM_SHARED:
		return world_shared(p->w, rng_zipf(rng_next(&p->r),
		    p->w->n_shared));
	}
	return plot_address(p, 0, p->number);
}

/* How much of whom, in turn, until the total is reached. */
static uint32_t
heist_plan(struct plot *p, const struct heist *h, const struct victim *v,
    uint32_t n, struct theft *list, uint32_t room)
{
	int64_t		 left = h->total_sat, sat;
	uint32_t	 i, at = 0;

	for (i = 0; i < room && left >= p->w->p.minimum_sat; i++) {
		sat = heist_amount(p, h, &v[i % n], n);
		if (sat > left)
			sat = left;
		list[at].victim = i % n;
		list[at].sat = sat;
		list[at].t_ms = heist_time(p, h, &v[i % n], i, 1);
		left -= sat;
		at++;
	}
	return at;
}

/* Nobody who knows the limit asks for more: over two days, for certainty. */
static int64_t
within_limit(struct victim *v, int64_t t_ms, int64_t sat)
{
	int64_t	 day = t_ms / MS_PER_DAY, left;

	if (day != v->spent_day) {
		v->spent_sat[1] = day == v->spent_day + 1 ? v->spent_sat[0] :
		    0;
		v->spent_sat[0] = 0;
		v->spent_day = day;
	}
	left = plot_part(v->limit_sat, 990) - v->spent_sat[0] -
	    v->spent_sat[1];
	if (sat > left)
		sat = left < 0 ? 0 : left / 10000 * 10000;
	v->spent_sat[0] += sat;
	return sat;
}

int64_t
plot_heist(struct plot *p, const struct heist *h)
{
	struct victim	*v;
	struct theft	*list;
	int64_t		 sum = 0, *first;
	uint32_t	 n, i, count, room, per;

	v = plot_victims(p, h->pick, h->least_limit_sat, h->accounts, &n);
	per = h->per_account > 0 ? h->per_account : 1;
	room = n * per;
	list = need(room, sizeof(*list));
	first = need(n, sizeof(*first));
	count = n > 0 ? heist_plan(p, h, v, n, list, room) : 0;
	if (h->pace == PACE_STEADY)
		for (i = 0; i < count; i++)
			list[i].t_ms = heist_time(p, h, v, i, count);
	qsort(list, count, sizeof(*list), theft_compare);
	for (i = 0; i < count; i++) {
		struct victim	*who = &v[list[i].victim];
		int64_t		 sat = within_limit(who, list[i].t_ms,
		    list[i].sat);

		if (first[list[i].victim] == 0) {
			first[list[i].victim] = list[i].t_ms;
			if (h->guise == GUISE_KEY)
				plot_key(p, who, list[i].t_ms - rng_range(
				    &p->r, 25, 100) * MS_PER_DAY);
		}
		plot_take(p, who, h->guise, list[i].t_ms, heist_address(p, h,
		    who, i), sat);
		sum += sat;
	}
	for (i = 0; i < n; i++)
		if (first[i] > 0)
			plot_provide(p, &v[i], h->funds, first[i]);
	free(first);
	free(list);
	free(v);
	return sum;
}

struct heist
plot_default(const struct plot *p, int64_t span_ms)
{
	struct heist	 h;

	memset(&h, 0, sizeof(h));
	h.total_sat = p->total_sat;
	h.accounts = p->accounts;
	h.per_account = 1;
	h.n_addresses = 1;
	h.from_ms = p->start_ms;
	h.span_ms = span_ms;
	h.jitter_permille = 60;
	return h;
}
