#include <stdlib.h>

#include "engine/test/rng.h"
#include "engine/trust.h"
#include "lib/civil.h"
#include "tests/check.h"

static const struct trust_resets none = { 0, 0 };
#define T0 INT64_C(1557249324000)

static struct trust_terms
usual_terms(void)
{
	return trust_terms(3 * MS_PER_DAY, 10 * MS_PER_DAY, 10 * MS_PER_DAY,
	    300 * SAT_PER_BTC);
}

/* The truth: each payment by itself. */
#define PAYMENTS_MAX 2000
struct payment {
	int64_t	since_ms;	/* ripens from */
	int64_t	amount_sat;
	int64_t	used_ms;
	bool	on_trust;
};
struct exact {
	struct payment	p[PAYMENTS_MAX];
	int		n;
};

/* S30, to the satoshi, rounded down once at the end. */
static int64_t
exact_credit(const struct exact *x, const int64_t q, int64_t f, int64_t t)
{
	__int128	 sum = 0;
	int64_t		 age;
	int		 i;

	for (i = 0; i < x->n; i++) {
		age = t - x->p[i].since_ms;
		if (age >= f)
			sum += (__int128)x->p[i].amount_sat * (f - q);
		else if (age > q)
			sum += (__int128)x->p[i].amount_sat * (age - q);
	}
	return (int64_t)(sum / (f - q));
}

static int64_t
exact_used(const struct exact *x, int64_t u, int64_t t)
{
	int64_t	 sum = 0;
	int	 i;

	for (i = 0; i < x->n; i++)
		if (x->p[i].on_trust && t - x->p[i].used_ms <= u)
			sum += x->p[i].amount_sat;
	return sum;
}

static void
test_simple(void)
{
	struct trust_terms	 s = usual_terms();
	struct trust_pair	 p = { 0 };
	int64_t			 t = T0 / MS_PER_DAY * MS_PER_DAY;

	check_case("one payment: nothing before Q, all of it after F + F/3");
	trust_pay(&s, &p, none, t, 10 * SAT_PER_BTC);
	CHECK_INT(trust_credit_sat(&s, &p, none, t + 3 * MS_PER_DAY), 0);
	CHECK(!trust_proven(&s, &p, none, t + 3 * MS_PER_DAY, 1, false));
	CHECK_INT(trust_credit_sat(&s, &p, none, t + 14 * MS_PER_DAY),
	    10 * SAT_PER_BTC);
	CHECK(trust_proven(&s, &p, none, t + 14 * MS_PER_DAY,
	    10 * SAT_PER_BTC, false));
	CHECK(!trust_proven(&s, &p, none, t + 14 * MS_PER_DAY,
	    10 * SAT_PER_BTC + 1, false));
	check_case("use and what waits count against it");
	t += 14 * MS_PER_DAY;
	trust_use_reserve(&p, 4 * SAT_PER_BTC);
	CHECK(trust_proven(&s, &p, none, t, 4 * SAT_PER_BTC, true));
	CHECK(trust_proven(&s, &p, none, t, 6 * SAT_PER_BTC, false));
	CHECK(!trust_proven(&s, &p, none, t, 6 * SAT_PER_BTC + 1, false));
	trust_use_drop(&p, 4 * SAT_PER_BTC);
	trust_use(&s, &p, none, t, 4 * SAT_PER_BTC);
	CHECK_INT(trust_used_sat(&s, &p, t + 10 * MS_PER_DAY),
	    4 * SAT_PER_BTC);
	CHECK_INT(trust_used_sat(&s, &p, t + 14 * MS_PER_DAY), 0);
}

static void
test_cap(void)
{
	struct trust_terms	 s = usual_terms();
	struct trust_pair	 p = { 0 };
	int64_t			 t = T0;
	int			 i;

	check_case("never more than C, nor above what cells can hold");
	for (i = 0; i < 4; i++) {
		trust_pay(&s, &p, none, t, 30000 * SAT_PER_BTC);
		t += 20 * MS_PER_DAY;
	}
	CHECK_INT(trust_credit_sat(&s, &p, none, t), TRUST_SAT_MAX);
	CHECK(trust_proven(&s, &p, none, t, 300 * SAT_PER_BTC, false));
	CHECK(!trust_proven(&s, &p, none, t, 300 * SAT_PER_BTC + 1, false));
	trust_use(&s, &p, none, t, 50000 * SAT_PER_BTC);
	CHECK(trust_used_sat(&s, &p, t) == INT64_MAX);
	CHECK(!trust_proven(&s, &p, none, t, 1, false));
}

static void
test_resets(void)
{
	struct trust_terms	 s = usual_terms();
	struct trust_pair	 p = { 0 }, q;
	struct trust_resets	 r = none;
	int64_t			 t = T0 + 30 * MS_PER_DAY;

	check_case("a security change starts the ripening anew");
	trust_pay(&s, &p, none, T0, 10 * SAT_PER_BTC);
	r.restart_ms = t;
	q = p;
	CHECK_INT(trust_credit_sat(&s, &p, none, t), 10 * SAT_PER_BTC);
	CHECK_INT(trust_credit_sat(&s, &p, r, t), 0);
	CHECK_INT(trust_credit_sat(&s, &p, r, t + 3 * MS_PER_DAY), 0);
	CHECK_INT(trust_credit_sat(&s, &p, r, t + 14 * MS_PER_DAY),
	    10 * SAT_PER_BTC);
	/* Paid after it, in another second: not affected a second time. */
	trust_pay(&s, &p, r, t + 1000, SAT_PER_BTC);
	CHECK_INT(trust_credit_sat(&s, &p, r, t + 14 * MS_PER_DAY),
	    11 * SAT_PER_BTC);
	CHECK_INT(trust_paid_sat(&p, r), 11 * SAT_PER_BTC);
	check_case("a confirmed fraud takes all");
	r.zero_ms = t;
	CHECK_INT(trust_credit_sat(&s, &q, r, t + 60 * MS_PER_DAY), 0);
	CHECK_INT(trust_paid_sat(&q, r), 0);
	trust_pay(&s, &q, r, t + 5000, 2 * SAT_PER_BTC);
	CHECK_INT(trust_credit_sat(&s, &q, r, t + 60 * MS_PER_DAY),
	    2 * SAT_PER_BTC);
	CHECK_INT(trust_paid_sat(&q, r), 2 * SAT_PER_BTC);
	/* In the same second nobody knows what came first. */
	r.zero_ms = t + 5999;
	CHECK_INT(trust_credit_sat(&s, &q, r, t + 60 * MS_PER_DAY), 0);
	CHECK_INT(trust_paid_sat(&q, r), 0);
}

static void
reset_exact(struct exact *x, int64_t t, bool zero)
{
	int	 i;

	for (i = 0; i < x->n; i++) {
		x->p[i].since_ms = t;
		if (zero)
			x->p[i].amount_sat = 0;
	}
}

static void
against_exact(int64_t q, int64_t f, int64_t u, uint64_t seed)
{
	struct trust_terms	 s = trust_terms(q, f, u, AMOUNT_SAT_MAX);
	struct rng		 r = { seed };
	struct exact		*x = calloc(1, sizeof(*x));
	struct trust_pair	 p = { 0 };
	struct trust_resets	 rs = none;
	int64_t			 t = T0, amount, near = 0;
	bool			 on_trust;

	while (x->n < PAYMENTS_MAX) {
		t += (int64_t)rng_below(&r, (uint64_t)f / 8);
		if (rng_below(&r, 100) == 0)
			t += (int64_t)rng_below(&r, (uint64_t)f * 5);
		amount = (int64_t)rng_below(&r, 5 * SAT_PER_BTC) + 1;
		if (rng_below(&r, 60) == 0) {
			rs.restart_ms = t;
			reset_exact(x, t, false);
		}
		on_trust = rng_below(&r, 2) == 0;
		trust_pay(&s, &p, rs, t, amount);
		if (on_trust)
			trust_use(&s, &p, rs, t, amount);
		x->p[x->n++] = (struct payment){ t, amount, t, on_trust };
		t += (int64_t)rng_below(&r, (uint64_t)f / 8);
		if (!CHECK(trust_credit_sat(&s, &p, rs, t) <=
		    exact_credit(x, q, f, t)))
			break;
		if (!CHECK(trust_used_sat(&s, &p, t) >= exact_used(x, u, t)))
			break;
		/* Not absurdly low either: within F/3 of the formula. */
		near += trust_credit_sat(&s, &p, rs, t) +
		    (int64_t)x->n * TRUST_UNIT_SAT >=
		    exact_credit(x, q, f, t - s.green_s * 1000 - 2000);
	}
	CHECK(near > x->n * 9 / 10);
	free(x);
}

/*
 * S31: after one unproven payment of 0.05 btc a patient thief sends, on
 * trust alone, all that he may, every `step`.  What has gone by n F is at
 * most 0.05 * 2.4^n.
 */
static void
ladder(int64_t step_ms, int64_t phase_ms)
{
	struct trust_terms	 s = usual_terms();
	struct trust_pair	 p = { 0 };
	int64_t			 start = T0 + phase_ms, t, sent, amount, n;
	int64_t			 seed = 5 * SAT_PER_BTC / 100;
	__int128		 bound = seed;

	trust_pay(&s, &p, none, start, seed);
	sent = seed;
	for (t = start, n = 0; n < 8; t += step_ms) {
		for (; n < 8 && t >= start + (n + 1) * 10 * MS_PER_DAY; n++) {
			bound = bound * 24 / 10;
			CHECK(sent <= bound);
		}
		amount = trust_credit_sat(&s, &p, none, t) -
		    trust_used_sat(&s, &p, t);
		if (amount <= 0)
			continue;
		CHECK(trust_proven(&s, &p, none, t, amount, false));
		trust_use(&s, &p, none, t, amount);
		trust_pay(&s, &p, none, t, amount);
		sent += amount;
	}
	/* And it is a ladder, not a wall: it does grow. */
	CHECK(sent > 4 * seed);
	CHECK(sent < 100 * SAT_PER_BTC);
}

int
main(void)
{
	uint64_t	 i;

	test_simple();
	test_cap();
	test_resets();
	check_case("credit never above, use never below the formula");
	for (i = 1; i <= 4; i++) {
		against_exact(3 * MS_PER_DAY, 10 * MS_PER_DAY,
		    10 * MS_PER_DAY, i);
		against_exact(0, MS_PER_HOUR, 5 * MS_PER_HOUR, i + 10);
		against_exact(1, 7777, 3333, i + 20);
		against_exact(MS_PER_DAY, 100 * MS_PER_DAY, MS_PER_DAY,
		    i + 30);
	}
	check_case("S31: trust alone grows at most 2.4-fold per F");
	for (i = 0; i < 10; i++) {
		ladder(MS_PER_HOUR, (int64_t)i * MS_PER_DAY);
		ladder(80 * MS_PER_HOUR, (int64_t)i * 8 * MS_PER_HOUR);
		ladder(10 * MS_PER_DAY, (int64_t)i * 8 * MS_PER_HOUR);
	}
	return check_done();
}
