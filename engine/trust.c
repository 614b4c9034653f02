#include <assert.h>
#include <string.h>

#include "engine/trust.h"

#define CELLS 4

static int64_t
seconds_up(int64_t ms)
{
	return (ms + 999) / 1000;
}

static inline int64_t
seconds(int64_t ms)
{
	assert(ms >= 0 && ms / 1000 <= UINT32_MAX);
	return ms / 1000;
}

struct trust_terms
trust_terms(int64_t quiet_ms, int64_t full_ms, int64_t used_ms,
    int64_t upto_sat)
{
	struct trust_terms	 s;

	assert(quiet_ms >= 0 && quiet_ms < full_ms && used_ms > 0);
	s.quiet_s = seconds_up(quiet_ms);
	s.full_s = seconds_up(full_ms);
	if (s.full_s == s.quiet_s)
		s.full_s++;
	s.green_s = (s.full_s + 2) / 3;
	s.use_s = (seconds_up(used_ms) + 2) / 3;
	s.upto_sat = upto_sat;
	return s;
}

static inline uint32_t
units_down(int64_t sat)
{
	assert(sat >= 0);
	sat /= TRUST_UNIT_SAT;
	return sat > UINT32_MAX ? UINT32_MAX : (uint32_t)sat;
}

static inline uint32_t
units_up(int64_t sat)
{
	assert(sat >= 0);
	sat = sat / TRUST_UNIT_SAT + (sat % TRUST_UNIT_SAT != 0);
	return sat > UINT32_MAX ? UINT32_MAX : (uint32_t)sat;
}

/* Stops at the top: too little credit, or use that reads as infinite. */
static inline void
add(uint32_t *sum, uint32_t units)
{
	if (__builtin_add_overflow(*sum, units, sum))
		*sum = UINT32_MAX;
}

/* Let both grids pass on from p->at_s to to_s. */
static void
advance(const struct trust_terms *s, struct trust_pair *p, int64_t to_s)
{
	int64_t	 from, to, b;

	/* A reset is rounded up to the next second; the present is not. */
	assert(to_s + 1 >= p->at_s);
	if (to_s < p->at_s)
		return;
	from = p->at_s / s->green_s;
	to = to_s / s->green_s;
	/* The cell that is taken over held a cell of 4 widths ago, which
	 * is older than F as a whole. */
	for (b = to - from > CELLS ? to - CELLS + 1 : from + 1; b <= to; b++) {
		add(&p->ripe, p->green[b % CELLS]);
		p->green[b % CELLS] = 0;
	}
	from = p->at_s / s->use_s;
	to = to_s / s->use_s;
	for (b = to - from > CELLS ? to - CELLS + 1 : from + 1; b <= to; b++)
		p->use[b % CELLS] = 0;
	p->at_s = (uint32_t)to_s;
}

static uint32_t
total(const struct trust_pair *p)
{
	uint32_t	 sum = p->ripe;
	int		 i;

	for (i = 0; i < CELLS; i++)
		add(&sum, p->green[i]);
	return sum;
}

/*
 * Bring a pair to the present.  Within one second the order of a payment and
 * a reset is not known; then the reset is taken to have come later.
 */
static void
settle(const struct trust_terms *s, struct trust_pair *p,
    struct trust_resets r, int64_t t_ms)
{
	int64_t	 restart_s = seconds(r.restart_ms);
	int64_t	 zero_s = seconds(r.zero_ms);
	uint32_t all;

	if (zero_s > 0 && p->at_s <= zero_s) {
		memset(p->green, 0, sizeof(p->green));
		p->ripe = 0;
	}
	if (restart_s > 0 && p->at_s <= restart_s) {
		advance(s, p, restart_s);
		all = total(p);
		memset(p->green, 0, sizeof(p->green));
		p->ripe = 0;
		p->green[restart_s / s->green_s % CELLS] = all;
	}
	advance(s, p, seconds(t_ms));
}

int64_t
trust_credit_sat(const struct trust_terms *s, const struct trust_pair *p,
    struct trust_resets r, int64_t t_ms)
{
	struct trust_pair	 x = *p;
	int64_t			 now_s = seconds(t_ms), cell, age_s, sum, i;

	settle(s, &x, r, t_ms);
	sum = x.ripe;
	for (i = 0; i < CELLS; i++) {
		cell = now_s / s->green_s - i;
		if (cell < 0)
			break;
		/* As if all of it had been paid at the cell's very end. */
		age_s = now_s - (cell + 1) * s->green_s;
		if (age_s >= s->full_s)
			sum += x.green[cell % CELLS];
		else if (age_s > s->quiet_s)
			sum += muldiv(x.green[cell % CELLS],
			    age_s - s->quiet_s, s->full_s - s->quiet_s);
	}
	sum *= TRUST_UNIT_SAT;
	return sum > TRUST_SAT_MAX ? TRUST_SAT_MAX : sum;
}

int64_t
trust_used_sat(const struct trust_terms *s, const struct trust_pair *p,
    int64_t t_ms)
{
	struct trust_pair	 x = *p;
	int64_t			 sum = p->use_waiting;
	int			 i;

	if (p->use_waiting == UINT32_MAX)
		return INT64_MAX;
	advance(s, &x, seconds(t_ms));
	for (i = 0; i < CELLS; i++) {
		if (x.use[i] == UINT32_MAX)
			return INT64_MAX;
		sum += x.use[i];
	}
	return sum * TRUST_UNIT_SAT;
}

bool
trust_proven(const struct trust_terms *s, const struct trust_pair *p,
    struct trust_resets r, int64_t t_ms, int64_t amount_sat, bool waiting)
{
	int64_t	 credit = trust_credit_sat(s, p, r, t_ms);
	int64_t	 used = trust_used_sat(s, p, t_ms);

	if (credit > s->upto_sat)
		credit = s->upto_sat;
	if (!waiting)
		used = amount_add_saturate(used,
		    (int64_t)units_up(amount_sat) * TRUST_UNIT_SAT);
	return amount_sat <= credit && used <= credit;
}

void
trust_use_reserve(struct trust_pair *p, int64_t amount_sat)
{
	/* It was proven, so all of it is at most TRUST_SAT_MAX. */
	assert(units_up(amount_sat) < UINT32_MAX - p->use_waiting);
	p->use_waiting += units_up(amount_sat);
}

void
trust_use_drop(struct trust_pair *p, int64_t amount_sat)
{
	assert(p->use_waiting >= units_up(amount_sat));
	p->use_waiting -= units_up(amount_sat);
}

void
trust_use(const struct trust_terms *s, struct trust_pair *p,
    struct trust_resets r, int64_t t_ms, int64_t amount_sat)
{
	settle(s, p, r, t_ms);
	add(&p->use[p->at_s / s->use_s % CELLS], units_up(amount_sat));
}

void
trust_pay(const struct trust_terms *s, struct trust_pair *p,
    struct trust_resets r, int64_t t_ms, int64_t amount_sat)
{
	settle(s, p, r, t_ms);
	add(&p->green[p->at_s / s->green_s % CELLS], units_down(amount_sat));
}

int64_t
trust_paid_sat(const struct trust_pair *p, struct trust_resets r)
{
	int64_t	 zero_s = seconds(r.zero_ms);

	if (zero_s > 0 && p->at_s <= zero_s)
		return 0;
	return (int64_t)total(p) * TRUST_UNIT_SAT;
}
