#include "sim/world.h"

#include <assert.h>
#include <string.h>

#include "lib/amount.h"
#include "lib/civil.h"

/* Purposes of hashes: what is drawn under one never shows in another. */
enum {
	USE_WORLD = 1, USE_KIND, USE_PERSON, USE_OPENED, USE_BALANCE,
	USE_ADDRESS, USE_ADDRESS_FORM, USE_SHARED, USE_CHAIN, USE_IP,
	USE_IP_DAY, USE_SERVER, USE_PARTNER, USE_NAT, USE_VPN, USE_OFFICE,
	USE_ISP, USE_CRASH,
};

static uint64_t
use(const struct world *w, int purpose, uint64_t a, uint64_t b)
{
	return rng_hash(rng_mix(w->key + (uint64_t)purpose), a, b);
}

int64_t
world_limit_sat(int tier)
{
	static const int64_t	 limits[TIERS] = {
		2 * SAT_PER_BTC, 10 * SAT_PER_BTC, 100 * SAT_PER_BTC,
		500 * SAT_PER_BTC, 2000 * SAT_PER_BTC,
	};

	assert(tier >= 1 && tier <= TIERS);
	return limits[tier - 1];
}

/*
 * The kind, and where in 0 .. 2^32 of its kind the account stands.  Equally
 * spaced, not drawn: two thousand accounts then have as many whales as they
 * should, and the largest as large.
 */
static enum person_kind
person_kind(const struct world *w, uint32_t account, uint64_t *place_out)
{
	const struct params *p = &w->p;
	const int64_t	 share[PERSON__COUNT] = {
		[PERSON_DORMANT] = p->dormant_ppm,
		[PERSON_REGULAR] = p->regular_ppm,
		[PERSON_DAILY] = p->daily_ppm,
		[PERSON_WHALE] = p->whale_ppm,
		[PERSON_BOT] = p->bot_ppm,
		[PERSON_INSTITUTION] = p->institution_ppm,
	};
	uint64_t	 x, at, lo = 0;
	int		 k;

	x = account * RNG_GOLDEN + use(w, USE_KIND, 0, 0);
	at = rng_scale(x, (uint64_t)PPM << 20);
	for (k = PERSON_DORMANT; k < PERSON__COUNT; k++) {
		uint64_t	 width = (uint64_t)share[k] << 20;

		if (width > 0 && at < lo + width) {
			*place_out = (uint64_t)(((unsigned __int128)
			    (at - lo) << 32) / width);
			return (enum person_kind)k;
		}
		lo += width;
	}
	*place_out = use(w, USE_KIND, 1, account) >> 32;
	return PERSON_CASUAL;
}

static int64_t
octaves(struct rng *r, int64_t spread_q16)
{
	return rng_normal_q16(r) * spread_q16 / Q16;
}

/* A rate or size around a median. */
static int64_t
around(struct rng *r, int64_t median, int64_t spread_q16)
{
	return rng_times_exp2(median, octaves(r, spread_q16));
}

static int64_t
person_rate(enum person_kind kind, uint64_t place, struct rng *r)
{
	switch (kind) {
	case PERSON_DORMANT:
		return 2000;
	case PERSON_CASUAL:
		return around(r, 28000, 72000);
	case PERSON_REGULAR:
		return around(r, 190000, 59000);
	case PERSON_DAILY:
		return around(r, 1000000, 40000);
	case PERSON_WHALE:
		return around(r, 140000, 59000);
	case PERSON_INSTITUTION:
		return around(r, 1300000, 46000);
	case PERSON_BOT:
		/* 3 to 90 a day, equally many in every octave. */
		return rng_times_exp2(3000000,
		    (int64_t)(place * 321577 >> 32));
	case PERSON__COUNT:
		break;
	}
	assert(!"kind");
	return 0;
}

/* log2 of the usual size.  Pareto with exponent 1.15 for the rich. */
static int64_t
person_scale(const struct world *w, enum person_kind kind, uint64_t place,
    struct rng *r)
{
	const struct params *p = &w->p;
	int64_t		 s, top;

	s = rng_log2((uint64_t)p->amount_sat);
	switch (kind) {
	case PERSON_DORMANT:
	case PERSON_CASUAL:
	case PERSON_REGULAR:
		s += octaves(r, p->amount_between_q16);
		break;
	case PERSON_DAILY:
		s += Q16 / 4 + octaves(r, p->amount_between_q16);
		break;
	case PERSON_BOT:
		s += Q16 + octaves(r, p->amount_between_q16 * 2 / 3);
		break;
	case PERSON_WHALE:
	case PERSON_INSTITUTION:
		s = rng_log2((uint64_t)p->whale_sat) + 100 * rng_exponent_q16(
		    (UINT64_C(0xffffffff) - place) << 32) / 115;
		top = rng_log2((uint64_t)w->whale_max_sat);
		if (s > top)
			s = top;
		break;
	case PERSON__COUNT:
		break;
	}
	s += rng_log2((uint64_t)p->amount_permille << 20) -
	    rng_log2(UINT64_C(1000) << 20);
	return s < 10 * Q16 ? 10 * Q16 : s;
}

static int64_t
person_novelty(const struct world *w, enum person_kind kind, uint64_t place,
    struct rng *r)
{
	int64_t		 ppm = 0, dice = rng_range(r, 0, 99);

	switch (kind) {
	case PERSON_BOT:
		/* Most feed their own few addresses; some pay out for a
		 * shop, to its customers. */
		ppm = place >> 30 == 1 ? 550000 : 15000;
		break;
	case PERSON_INSTITUTION:
		ppm = dice < 80 ? 60000 : 550000;
		break;
	case PERSON_CASUAL:
	case PERSON_DORMANT:
	case PERSON_REGULAR:
	case PERSON_DAILY:
	case PERSON_WHALE:
		if (dice < 24)
			ppm = 15000;
		else if (dice < 50)
			ppm = 930000;
		else
			ppm = rng_range(r, 100000, 750000);
		break;
	case PERSON__COUNT:
		break;
	}
	ppm = ppm * w->p.novelty_permille / 1000;
	return ppm > PPM ? PPM : ppm;
}

static int
person_tier(const struct person *who, struct rng *r)
{
	static const int weights[] = { 35, 40, 25 };
	int		 tier = 1 + rng_pick(r, weights, 3);
	int64_t		 need = who->habit_sat;

	/* Whoever is active has had his limit raised long ago. */
	need = amount_add_saturate(muldiv(need, 6, 1),
	    muldiv(need, 5 * who->rate_ppm, PPM));
	if (who->kind == PERSON_INSTITUTION)
		tier = 4;
	else if (who->kind == PERSON_WHALE || who->kind == PERSON_BOT)
		tier = 3;
	while (tier < TIERS && world_limit_sat(tier) < need)
		tier++;
	return tier;
}

static int
person_zone(struct rng *r)
{
	static const int16_t zones[20] = {
		480, 480, 480, 480, 540, 420, 330, 240,		/* Asia */
		0, 60, 60, 120, 120, 180,			/* Europe */
		-180, -300, -300, -360, -480, -480,		/* Americas */
	};

	return zones[rng_below(r, 20)];
}

static void
person_api(const struct world *w, struct person *who, struct rng *r)
{
	int64_t		 dice = rng_range(r, 0, PPM - 1);

	who->mobile_percent = (int)rng_range(r, 0, 70);
	if (who->kind == PERSON_BOT) {
		who->api_percent = 100;
	} else if (who->kind == PERSON_INSTITUTION) {
		who->api_percent = dice < 600000 ? 90 : 0;
	} else if (dice < w->p.partner_clients_ppm) {
		who->partner = 1 + (uint32_t)rng_zipf(rng_next(r),
		    w->n_partners);
		/* Most gave their intermediary a key that only trades. */
		who->api_percent = rng_chance(r, 250000) ? 60 : 0;
		who->has_key = true;
	} else if (dice < w->p.partner_clients_ppm + 70000) {
		who->api_percent = rng_chance(r, 500000) ? 50 : 0;
		who->has_key = true;
	}
	who->has_key = who->has_key || who->api_percent > 0;
	who->key_withdraws = who->api_percent > 0 || rng_chance(r, 200000);
	who->key_has_ips = who->partner != PARTNER_NONE ?
	    rng_chance(r, 600000) : rng_chance(r, 500000);
}

void
world_person(const struct world *w, uint32_t account, struct person *out)
{
	static const int forms[] = { 14, 20, 38, 10, 18 };
	struct rng	 r;
	uint64_t	 place;

	memset(out, 0, sizeof(*out));
	rng_start(&r, w->key, USE_PERSON, account);
	out->kind = person_kind(w, account, &place);
	out->rate_ppm = person_rate(out->kind, place, &r) *
	    w->p.activity_permille / 1000;
	out->scale_q16 = person_scale(w, out->kind, place, &r);
	out->habit_sat = rng_exp2(out->scale_q16);
	out->within_q16 = w->p.amount_within_q16;
	if (out->kind == PERSON_BOT)
		out->within_q16 /= 2;
	out->novelty_ppm = person_novelty(w, out->kind, place, &r);
	out->tier = person_tier(out, &r);
	out->zone_min = person_zone(&r);
	person_api(w, out, &r);
	out->form = (enum form)rng_pick(&r, forms, 5);
	out->book = rng_chance(&r, w->p.book_users_ppm);
	if (out->kind == PERSON_INSTITUTION)
		out->group = 1 + (uint32_t)rng_below(&r,
		    1 + (uint64_t)w->n_old / 500);
}

int64_t
world_opened_ms(const struct world *w, uint32_t account)
{
	uint64_t	 u, span, day;

	if (account >= w->n_old) {
		day = (account - w->n_old) / w->new_per_day;
		u = ((account - w->n_old) % w->new_per_day << 16) +
		    (use(w, USE_OPENED, account, 0) & 0xffff);
		return w->start_ms + (int64_t)day * MS_PER_DAY + (int64_t)
		    (u * MS_PER_DAY / ((uint64_t)w->new_per_day << 16));
	}
	/* Twice as old a platform has four times as many customers. */
	u = ((uint64_t)account << 16) + (use(w, USE_OPENED, account, 0) &
	    0xffff);
	u = (uint64_t)(((unsigned __int128)u << 46) / w->n_old);
	span = rng_isqrt(u);			/* below 2^31 */
	return w->start_ms - w->p.history_days * MS_PER_DAY +
	    (int64_t)(((unsigned __int128)span *
	    (uint64_t)(w->p.history_days * MS_PER_DAY - MS_PER_DAY)) >> 31);
}

int64_t
world_first_balance_sat(const struct world *w, uint32_t account,
    const struct person *who)
{
	struct rng	 r;

	rng_start(&r, w->key, USE_BALANCE, account);
	if (rng_chance(&r, 200000))
		return 0;
	return rng_times_exp2(who->habit_sat, 2 * Q16 +
	    octaves(&r, 100000)) / 1000 * 1000;
}

uint64_t
address_code(uint64_t bits, enum form form)
{
	return (bits & ~UINT64_C(7)) | (uint64_t)form;
}

uint64_t
address_code_any(uint64_t bits)
{
	static const uint8_t forms[16] = {
		FORM_P2PKH, FORM_P2PKH, FORM_P2PKH, FORM_P2SH, FORM_P2SH,
		FORM_P2SH, FORM_P2WPKH, FORM_P2WPKH, FORM_P2WPKH,
		FORM_P2WPKH, FORM_P2WPKH, FORM_P2WSH, FORM_P2WSH, FORM_P2TR,
		FORM_P2TR, FORM_P2TR,
	};

	return address_code(bits, (enum form)forms[bits >> 60]);
}

uint64_t
world_code(const struct world *w, uint64_t address)
{
	if (w->p.taproot == 0 && (address & 7) == FORM_P2TR)
		return address_code(address, FORM_P2WPKH);
	return address;
}

uint64_t
world_shared(const struct world *w, uint64_t i)
{
	return world_code(w, address_code_any(use(w, USE_SHARED, i, 0)));
}

uint64_t
world_address(const struct world *w, uint32_t account,
    const struct person *who, uint64_t k, bool *shared_out)
{
	uint64_t	 bits = use(w, USE_ADDRESS, account, k);
	uint64_t	 dice = use(w, USE_ADDRESS_FORM, account, k);

	*shared_out = (int64_t)rng_scale(dice, PPM) < w->p.shared_ppm;
	if (*shared_out)
		return world_shared(w, rng_zipf(bits, w->n_shared));
	if ((dice & 0xff) < 200)
		return world_code(w, address_code(bits, who->form));
	return world_code(w, address_code_any(bits));
}

bool
world_chain_seen(const struct world *w, uint64_t address, int64_t before_ms,
    int64_t *first_seen_ms_out, int64_t *received_sat_out)
{
	struct rng	 r;

	rng_start(&r, w->key, USE_CHAIN, address);
	if (!rng_chance(&r, 300000))
		return false;
	*first_seen_ms_out = before_ms - rng_range(&r, MS_PER_DAY,
	    1200 * MS_PER_DAY) / 1000 * 1000;
	*received_sat_out = around(&r, SAT_PER_BTC / 4, 200000);
	return true;
}

uint64_t
ip4_code(uint32_t ip)
{
	return UINT64_C(4) << 56 | ip;
}

/* First bytes that hold neither private nor reserved networks. */
static uint32_t
first_byte(uint64_t bits)
{
	static const uint8_t firsts[32] = {
		1, 2, 5, 14, 23, 27, 31, 37, 42, 46, 49, 58, 61, 66, 71, 73,
		77, 80, 83, 87, 91, 94, 101, 106, 113, 119, 125, 151, 178,
		186, 201, 212,
	};

	return firsts[bits & 31];
}

static uint32_t
ip4_of(uint64_t bits)
{
	return first_byte(bits) << 24 | (uint32_t)(bits >> 8 & 0xffff00) |
	    (uint32_t)(1 + (bits >> 40) % 254);
}

uint64_t
ip_anywhere(uint64_t bits)
{
	if (bits >> 61 == 0)
		return UINT64_C(6) << 56 | (bits & ((UINT64_C(1) << 56) - 1));
	return ip4_code(ip4_of(bits));
}

/* One of the addresses behind a mobile network's gateways. */
static uint64_t
ip_mobile(const struct world *w, uint64_t which, uint64_t bits)
{
	return ip4_code((ip4_of(use(w, USE_NAT, rng_scale(which, w->n_nat),
	    0)) & 0xffffff00) | (uint32_t)(1 + bits % 254));
}

uint64_t
world_ip(const struct world *w, uint32_t account, int64_t day)
{
	uint64_t	 home = use(w, USE_IP, account, 0);
	uint64_t	 today = use(w, USE_IP_DAY, account, (uint64_t)day);
	uint64_t	 lease, isp;
	int		 kind = (int)(home % 100);

	if (today % 100 < 5)			/* on the way */
		return ip_mobile(w, rng_mix(today), today >> 32);
	if (kind < 12)
		return ip_mobile(w, rng_mix(home), today >> 32);
	if (kind < 17)
		return ip4_code(ip4_of(use(w, USE_VPN,
		    rng_zipf(rng_mix(today), w->n_vpn), 0)));
	if (kind < 23)
		return ip4_code(ip4_of(use(w, USE_OFFICE,
		    rng_scale(rng_mix(home), w->n_office), 0)));
	if (kind < 38)				/* a /64 of his, a new host */
		return UINT64_C(6) << 56 | (home >> 8 &
		    UINT64_C(0xffffffffff)) << 16 | (today >> 48);
	/* A home line: a lease of some weeks within one provider's /16. */
	lease = use(w, USE_IP_DAY, account, UINT64_C(1) << 40 |
	    ((uint64_t)day + home % 30) / (7 + (home >> 8) % 40));
	isp = use(w, USE_ISP, home >> 16 & 1023, 0);
	return ip4_code((ip4_of(isp) & 0xffff0000) |
	    (uint32_t)(lease & 0xff00) | (uint32_t)(1 + (lease >> 16) % 254));
}

uint64_t
world_server_ip(const struct world *w, uint32_t account)
{
	uint64_t	 bits = use(w, USE_SERVER, account, 0);

	/* Clouds: some hundred networks for everybody. */
	return ip4_code((ip4_of(use(w, USE_SERVER, bits & 255,
	    UINT64_C(1) << 40)) & 0xffff0000) | (uint32_t)(bits >> 16 &
	    0xff00) | (uint32_t)(1 + (bits >> 32) % 254));
}

uint64_t
world_partner_ip(const struct world *w, uint32_t partner, uint64_t bits)
{
	return ip4_code((ip4_of(use(w, USE_PARTNER, partner, 0)) &
	    0xfffffff0) | (uint32_t)(1 + bits % 14));
}

int64_t
world_time_of_day(const struct person *who, struct rng *r)
{
	static const int hours[24] = { 26, 17, 11, 8, 8, 11, 19, 33, 50, 62,
		68, 66, 60, 60, 62, 64, 64, 62, 60, 62, 66, 64, 54, 40 };
	static const int office[24] = { 2, 1, 1, 1, 1, 2, 5, 15, 45, 90, 100,
		95, 70, 75, 95, 100, 95, 75, 40, 20, 12, 8, 5, 3 };
	int64_t		 t;

	if (who->kind == PERSON_BOT)
		return (int64_t)rng_below(r, MS_PER_DAY);
	t = rng_pick(r, who->kind == PERSON_INSTITUTION ? office : hours,
	    24) * MS_PER_HOUR + (int64_t)rng_below(r, MS_PER_HOUR);
	t -= who->zone_min * MS_PER_MIN;
	return (t + 2 * MS_PER_DAY) % MS_PER_DAY;
}

bool
world_is_crash(const struct world *w, int64_t day)
{
	int		 i;

	for (i = 0; i < w->n_crashes; i++)
		if (w->crash_day[i] == day)
			return true;
	return false;
}

int64_t
world_crash_ms(const struct world *w, int64_t day)
{
	return (int64_t)rng_scale(use(w, USE_CRASH, 9, (uint64_t)day),
	    14 * MS_PER_HOUR);
}

bool
world_is_promotion(const struct world *w, int64_t day)
{
	int		 i;

	for (i = 0; i < w->n_promotions; i++)
		if (w->promotion_day[i] == day)
			return true;
	return false;
}

int64_t
world_traffic_permille(const struct world *w, enum person_kind kind,
    int64_t day)
{
	int64_t		 f = 1000;
	int		 weekday;

	weekday = civil_weekday(w->start_ms + day * MS_PER_DAY);
	if (weekday >= 6 && kind == PERSON_INSTITUTION)
		f = 180;
	else if (weekday >= 6 && kind != PERSON_BOT)
		f = w->p.weekend_permille;
	if (kind < PERSON_WHALE && world_is_promotion(w, day))
		f = f * 17 / 10;
	if (world_is_crash(w, day) && kind == PERSON_DORMANT)
		return f * w->p.crash_dormant_permille / 1000;
	if (world_is_crash(w, day) && kind >= PERSON_WHALE)
		return f * (1000 + w->p.crash_traffic_permille) / 2000;
	if (world_is_crash(w, day))
		return f * w->p.crash_traffic_permille / 1000;
	/* The two days after are still lively. */
	if (world_is_crash(w, day - 1))
		return f * (2000 + w->p.crash_traffic_permille) / 3000;
	if (world_is_crash(w, day - 2))
		return f * 13 / 10;
	return f;
}

static void
world_days(struct world *w)
{
	struct rng	 r;
	int64_t		 i;

	rng_start(&r, w->key, USE_CRASH, 0);
	if (w->p.crash_day >= 0) {
		w->crash_day[w->n_crashes++] = (int)w->p.crash_day;
	} else {
		for (i = 0; i < w->p.crash_days; i++)
			w->crash_day[w->n_crashes++] = i == 0 ?
			    (int)rng_range(&r, 9, 16) :
			    (int)rng_range(&r, 23, 28);
	}
	for (i = 0; i < w->p.promotion_days; i++)
		w->promotion_day[w->n_promotions++] = (int)rng_below(&r,
		    (uint64_t)w->p.days);
}

/*
 * What leaves on an ordinary day: rate times mean size, over everybody.
 * The mean of 2^(s z) with z normal is 2^(s^2 ln 2 / 2).
 */
static void
world_mean(struct world *w)
{
	struct person	 who;
	int64_t		 spread, mean, sum = 0;
	uint32_t	 a;

	for (a = 0; a < w->n_old; a++) {
		world_person(w, a, &who);
		spread = who.within_q16 * who.within_q16 / Q16;
		mean = rng_times_exp2(who.habit_sat, spread * 22713 / Q16);
		mean = muldiv(mean, PPM + 10 * w->p.surprise_ppm, PPM);
		if (mean > world_limit_sat(who.tier) / 3)
			mean = world_limit_sat(who.tier) / 3;
		sum = amount_add_saturate(sum, muldiv(mean, who.rate_ppm,
		    PPM));
	}
	w->mean_day_sat = muldiv(sum, 880, 1000);
	w->hot_sat = w->p.hot_sat > 0 ? w->p.hot_sat :
	    muldiv(w->mean_day_sat, w->p.hot_days_permille, 1000);
	if (w->hot_sat > AMOUNT_SAT_MAX)
		w->hot_sat = AMOUNT_SAT_MAX;
}

enum rc
world_init(struct world *w, const struct params *p, struct err *e)
{
	memset(w, 0, sizeof(*w));
	if (params_check(p, e) != RC_OK)
		return RC_FAILED;
	w->p = *p;
	w->key = rng_hash((uint64_t)p->seed, USE_WORLD, 0);
	w->start_ms = p->start_ms / MS_PER_DAY * MS_PER_DAY;
	w->end_ms = w->start_ms + p->days * MS_PER_DAY;
	w->n_old = (uint32_t)p->accounts;
	w->new_per_day = (uint32_t)(p->accounts * p->new_accounts_ppm / PPM);
	if (w->new_per_day == 0 && p->new_accounts_ppm > 0)
		w->new_per_day = 1;
	w->n_all = w->n_old + w->new_per_day * (uint32_t)p->days;
	w->n_shared = 12 + w->n_old / 80;
	w->n_partners = 3 + w->n_old / 4000;
	w->n_nat = 3 + w->n_old / 250;
	w->n_vpn = 6 + w->n_old / 600;
	w->n_office = 2 + w->n_old / 150;
	w->whale_max_sat = p->whale_max_sat;
	if (w->whale_max_sat == 0) {
		w->whale_max_sat = p->accounts * (SAT_PER_BTC * 6 / 1000);
		if (w->whale_max_sat > 60 * SAT_PER_BTC)
			w->whale_max_sat = 60 * SAT_PER_BTC;
		if (w->whale_max_sat < p->whale_sat)
			w->whale_max_sat = p->whale_sat;
	}
	world_days(w);
	world_mean(w);
	return RC_OK;
}
