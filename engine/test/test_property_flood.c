/*
 * A thousand requests in one millisecond against a budget for ten: ten pass,
 * whatever the scope and the order, at once or after a delay; and a flood
 * that is held takes nothing from honest customers (S10, S12).
 */
#include "engine/test/rig.h"
#include "engine/test/rng.h"
#include "lib/amount.h"
#include "lib/civil.h"

#define BTC	SAT_PER_BTC
#define N	1000
static const int64_t t0 = INT64_C(1557249324000);

struct tally {
	int	released, waiting, held, denied;
};

static struct rig *
opened(const char *text, int accounts)
{
	struct rig	*r = rig_new(text, 5, true);
	int		 i;

	for (i = 0; i < accounts; i++)
		rig_account(r, t0 - MS_PER_DAY, i, 1);
	return r;
}

static void
count(struct tally *c, const struct rig *r)
{
	size_t	 i;

	for (i = 0; i < r->n_out; i++) {
		c->released += r->out[i].state == STATE_RELEASED;
		c->waiting += r->out[i].state == STATE_WAITING;
		c->held += r->out[i].state == STATE_HELD;
		c->denied += r->out[i].state == STATE_DENIED;
	}
}

/* N withdrawals of `amount` at t, each from its own account or all from
 * account 0, each to its own destination or all to destination 0. */
static struct tally
flood(struct rig *r, int64_t t_ms, int64_t first, bool accounts,
    bool destinations, int64_t amount_sat)
{
	struct tally	 c = { 0 };
	struct input	 in;
	int64_t		 i;

	for (i = first; i < first + N; i++) {
		in = rig_withdrawal(r, t_ms, i, accounts ? i % N : 0,
		    destinations ? i : 0, amount_sat);
		rig_apply(r, &in);
		count(&c, r);
	}
	return c;
}

static void
ten_of(const char *rule, bool accounts, bool destinations)
{
	struct rig	*r;
	struct tally	 c;
	char		 text[256];
	static char	 names[2][256];
	static int	 n_names;
	char		*name = names[n_names++ % 2];

	/* The name of the case before is still in use. */
	snprintf(name, sizeof(names[0]), "S12 a thousand at once, ten go, %s",
	    rule);
	check_case(name);
	snprintf(text, sizeof(text), "policy 1\ndefault allow\n"
	    "hold \"budget\" when %s\n", rule);
	r = opened(text, N);
	c = flood(r, t0, 0, accounts, destinations, BTC);
	CHECK_INT(c.released, 10);
	CHECK_INT(c.held, N - 10);
	/* The same millisecond, once more: nothing is left, but for those
	 * who are among the ten already. */
	c = flood(r, t0, N, accounts, destinations, BTC);
	CHECK_INT(c.released, strstr(rule, "distinct accounts") == NULL ? 0 :
	    10);
	rig_free(r);
}

static void
test_delayed(void)
{
	struct rig	*r;
	struct tally	 c, late = { 0 };

	check_case("a thousand delayed: ten wait, ten go");
	r = opened("policy 1\ndefault allow\ndelay 1h when amount > 0 btc\n"
	    "hold \"budget\" when sum committed on platform in 24h > "
	    "10 btc\n", N);
	c = flood(r, t0, 0, true, true, BTC);
	CHECK_INT(c.waiting, 10);
	CHECK_INT(c.held, N - 10);
	CHECK_INT(c.released, 0);
	CHECK(engine_next_due_ms(r->engine) == t0 + MS_PER_HOUR);
	rig_tick(r, t0 + MS_PER_HOUR - 1);
	count(&late, r);
	CHECK_INT(late.released, 0);
	rig_tick(r, t0 + MS_PER_HOUR);
	count(&late, r);
	/* The rule was crossed while they waited: S28 holds what is left of
	 * the burst, and never more than ten go. */
	CHECK(late.released <= 10);
	CHECK_INT(late.released + late.held, 10);
	rig_free(r);
}

/* Exactly ten, none crossed: all ten go at the end of the delay. */
static void
test_delayed_exactly(void)
{
	struct rig	*r;
	struct tally	 late = { 0 };
	struct input	 in;
	int64_t		 i;

	check_case("ten delayed within the budget: all ten go");
	r = opened("policy 1\ndefault allow\ndelay 1h when amount > 0 btc\n"
	    "hold \"budget\" when sum committed on platform in 24h > "
	    "10 btc\n", N);
	for (i = 0; i < 10; i++) {
		in = rig_withdrawal(r, t0, i, i, i, BTC);
		rig_apply(r, &in);
	}
	rig_tick(r, t0 + MS_PER_HOUR);
	count(&late, r);
	CHECK_INT(late.released, 10);
	rig_free(r);
}

static void
test_held_starves_nobody(void)
{
	struct rig	*r;
	struct tally	 c;
	struct input	 in;

	check_case("S10 a flood that is held takes no budget");
	r = opened("policy 1\ndefault allow\n"
	    "hold \"big\" when amount >= 1 btc\n"
	    "hold \"budget\" when sum committed on platform in 24h > "
	    "10 btc\n", N);
	c = flood(r, t0, 0, true, true, 5 * BTC);
	CHECK_INT(c.held, N);
	in = rig_withdrawal(r, t0, 2 * N, 3, 3, BTC / 2);
	rig_apply(r, &in);
	CHECK(rig_about_id(r, 2 * N)->state == STATE_RELEASED);
	check_case("S10 what people release is counted then");
	/* Two of 5: 10.5 with the half. */
	rig_about(r, INPUT_RELEASE, t0, 0);
	CHECK(rig_about_id(r, 0)->state == STATE_RELEASED);
	rig_about(r, INPUT_RELEASE, t0, 1);
	CHECK(rig_about_id(r, 1)->state == STATE_RELEASED);
	in = rig_withdrawal(r, t0, 2 * N + 1, 3, 3, BTC / 2);
	rig_apply(r, &in);
	CHECK(rig_about_id(r, 2 * N + 1)->state == STATE_HELD);
	rig_free(r);
}

/* S10, S11: what is cancelled frees its room, what failed does not. */
static void
test_given_back(void)
{
	struct rig	*r;
	struct input	 in;

	check_case("S10 cancelling frees, S11 failing does not");
	r = opened("policy 1\ndefault allow\ndelay 1h when amount > 5 btc\n"
	    "hold \"budget\" when sum committed on platform in 24h > "
	    "10 btc\n", 3);
	in = rig_withdrawal(r, t0, 0, 0, 0, 9 * BTC);
	rig_apply(r, &in);
	CHECK(rig_about_id(r, 0)->state == STATE_WAITING);
	in = rig_withdrawal(r, t0 + 1, 1, 1, 1, 4 * BTC);
	rig_apply(r, &in);
	CHECK(rig_about_id(r, 1)->state == STATE_HELD);
	rig_about(r, INPUT_CANCEL, t0 + 2, 0);
	CHECK(rig_about_id(r, 0)->state == STATE_CANCELLED);
	in = rig_withdrawal(r, t0 + 3, 2, 1, 1, 5 * BTC);
	rig_apply(r, &in);
	CHECK(rig_about_id(r, 2)->state == STATE_RELEASED);
	in = rig_input(INPUT_OUTCOME, t0 + 4);
	in.id = rig_id(r, 'w', 2);
	in.paid = PAID_FAILED;
	rig_apply(r, &in);
	in = rig_withdrawal(r, t0 + 5, 3, 2, 2, 5 * BTC + 1);
	rig_apply(r, &in);
	CHECK(rig_about_id(r, 3)->state == STATE_HELD);
	in = rig_withdrawal(r, t0 + 6, 4, 2, 2, 5 * BTC);
	rig_apply(r, &in);
	CHECK(rig_about_id(r, 4)->state == STATE_RELEASED);
	rig_free(r);
}

int
main(void)
{
	ten_of("sum committed on platform in 24h > 10 btc", true, true);
	ten_of("sum released on platform in 1s > 10 btc", true, true);
	ten_of("count committed on platform in 90d > 10", true, true);
	ten_of("count asked on platform in 1m > 10", true, true);
	ten_of("sum committed by account in 24h > 10 btc", false, true);
	ten_of("sum committed to destination in 7d > 10 btc", true, false);
	ten_of("sum committed by group in 7d > 10 btc", true, true);
	ten_of("distinct accounts committed on platform in 1h > 10", true,
	    true);
	ten_of("distinct accounts cap 16 committed to destination in 1h > "
	    "10", true, false);
	ten_of("distinct destinations cap 16 asked by account in 1h > 10",
	    false, true);
	test_delayed();
	test_delayed_exactly();
	test_held_starves_nobody();
	test_given_back();
	return check_done();
}
