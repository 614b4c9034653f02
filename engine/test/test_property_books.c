/*
 * Whatever comes in, in whatever order: the books sum to zero, no balance
 * that began known goes below zero, a repeated id changes nothing, the state
 * is the same for the same inputs, and neither the key of the hash tables
 * nor the size of the pools changes a decision.
 */
#include "engine/test/rig.h"
#include "engine/test/rng.h"
#include "lib/amount.h"
#include "lib/civil.h"

#define BTC		SAT_PER_BTC
#define ACCOUNTS	25
#define STEPS		4000
static const int64_t t0 = INT64_C(1557249324000);

/* Every kind of window, class, table and verdict, but no lot. */
static const char policy[] =
	"policy 1\n"
	"default hold\n"
	"trust proven after 3d full at 10d used in 10d upto 300 btc\n"
	"let outlay = sum asked by account in 24h of not proven\n"
	"class small when not proven and outlay < 0.5 btc\n"
	"class surprising when not proven and not small and "
	    "outlay > 3 x habit\n"
	"allow when proven or amount < 20 btc\n"
	"step-up \"code\" when via web and not code given and "
	    "amount >= 0.1 btc\n"
	"delay 1h when surprising and outlay >= 2 btc\n"
	"delay 6h \"crowd\" when small and sum asked on platform in 6h "
	    "of small > busy normal by 100 % plus 20 btc "
	    "until learnt 60 btc\n"
	"hold \"pile-up\" when surprising and distinct accounts asked "
	    "on platform in 6h of surprising > busy normal by 80 % plus 3 "
	    "until learnt 12\n"
	"hold \"one-address\" when not proven and sum committed to "
	    "destination in 7d of not proven > 2 % of hot\n"
	"hold \"key\" when sum committed by key in 1h > 30 btc\n"
	"hold \"group\" when distinct accounts asked by group in 1h > 5\n"
	"hold \"fresh\" when age of credentials < 7d and outlay >= 5 btc\n"
	"hold \"ip\" when ip new to account and outlay >= 3 btc\n"
	"hold by 2 \"fraud\" when surprising and confirmed fraud in 48h\n"
	"deny \"limit\" when sum committed by account in 24h > "
	    "limit of account\n"
	"deny \"many\" when count asked by account in 24h > 60\n"
	"halt \"bleeding\" when sum committed on platform in 1h "
	    "of not proven > 10 % of hot\n"
	"ceiling 500 btc in 24h, 100 btc each\n";

struct play {
	struct rng	 rng;
	int64_t		 t_ms;
	int64_t		 n;		/* withdrawals asked for */
};

static struct input
play_ask(struct play *p, const struct rig *r)
{
	struct rng	*g = &p->rng;
	struct input	 in;
	static const int64_t bad[] = { 0, -1, INT64_MIN, INT64_MAX };
	int64_t		 account = (int64_t)rng_below(g, ACCOUNTS + 1);

	in = rig_withdrawal(r, p->t_ms, p->n++, account,
	    (int64_t)rng_below(g, 40), 1 + (int64_t)rng_below(g,
	    UINT64_C(1) << (20 + rng_below(g, 12))));
	in.via = (enum via)rng_below(g, 4);
	in.code = (enum tri)rng_below(g, 3);
	if (rng_below(g, 2) == 0)
		in.key = rig_id(r, 'k', account);
	in.has_ip = rng_below(g, 4) != 0;
	in.ip[10] = in.ip[11] = 0xff;
	in.ip[12] = 10;
	in.ip[15] = (unsigned char)rng_below(g, 8);
	/* Rarely something that nobody could ask for. */
	if (rng_below(g, 60) == 0)
		in.amount_sat = bad[rng_below(g, 4)];
	in.history = rng_below(g, 50) == 0;
	return in;
}

/* Any other input, with fields that may or may not make sense. */
static struct input
play_other(struct play *p, const struct rig *r)
{
	struct rng	*g = &p->rng;
	struct input	 in;
	int64_t		 account = (int64_t)rng_below(g, ACCOUNTS);

	in = rig_input((enum input_type)rng_below(g, INPUT__COUNT), p->t_ms);
	if (in.type == INPUT_WITHDRAW || in.type == INPUT_FACT)
		in.type = INPUT_TICK;
	/* Rare enough to leave time between them. */
	if ((in.type == INPUT_HALT || in.type == INPUT_FREEZE ||
	    in.type == INPUT_SECURITY_CHANGE) && rng_below(g, 4) != 0)
		in.type = INPUT_RESUME;
	if (in.type == INPUT_FREEZE && rng_below(g, 2) == 0)
		in.type = INPUT_UNFREEZE;
	in.account = rig_id(r, 'a', account);
	if (in.type == INPUT_KEY || in.type == INPUT_KEY_REVOKE)
		in.key = rig_id(r, 'k', account);
	in.withdraw = true;
	in.id = rig_id(r, 'w', p->n - 1 - (int64_t)rng_below(g, 20));
	in.script = rig_id(r, 'd', (int64_t)rng_below(g, 40));
	in.by = rig_id(r, 'o', (int64_t)rng_below(g, 3));
	in.group = rig_id(r, 'g', account % 4);
	in.amount_sat = (int64_t)rng_below(g, 50 * BTC);
	if (in.type == INPUT_HOT_BALANCE || in.type == INPUT_FUND)
		in.amount_sat += 800 * BTC;
	if (in.type == INPUT_ACCOUNT)
		in.limit_sat = 100 * BTC;
	in.device_new = (enum tri)rng_below(g, 3);
	in.paid = (enum paid)rng_below(g, 4);
	in.first_seen_ms = p->t_ms - (int64_t)rng_below(g, 900) * MS_PER_DAY;
	in.not_me = rng_below(g, 10) == 0;
	return in;
}

static struct input
play_step(struct play *p, const struct rig *r)
{
	static const int64_t spans[] = { 1, 60000, MS_PER_HOUR, MS_PER_DAY };

	if (rng_below(&p->rng, 2) == 0)
		p->t_ms += (int64_t)rng_below(&p->rng,
		    (uint64_t)spans[rng_below(&p->rng, 4)]);
	if (p->n == 0 || rng_below(&p->rng, 3) != 0)
		return play_ask(p, r);
	return play_other(p, r);
}

static void
play_begin(struct play *p, struct rig *r, uint64_t seed)
{
	struct input	 in;
	int		 i;

	*p = (struct play){ .rng = { seed * 2 + 1 }, .t_ms = t0 };
	in = rig_input(INPUT_HOT_BALANCE, t0 - 300 * MS_PER_DAY);
	in.amount_sat = 1000 * BTC;
	rig_apply(r, &in);
	for (i = 0; i < ACCOUNTS; i++) {
		rig_account(r, t0 - 200 * MS_PER_DAY, i, i % 4);
		/* Of every third the balance is not known. */
		if (i % 3 != 0)
			rig_balance(r, INPUT_DEPOSIT, t0 -
			    200 * MS_PER_DAY, i, 200 * BTC);
		in = rig_input(INPUT_KEY, t0 - 200 * MS_PER_DAY);
		in.account = rig_id(r, 'a', i);
		in.key = rig_id(r, 'k', i);
		in.withdraw = true;
		rig_apply(r, &in);
	}
}

/* What of an outcome does not depend on keys. */
struct trace {
	enum outcome_type type;
	enum cause	cause;
	enum why	why;
	enum verdict	verdict, would;
	enum state	state;
	int64_t		t_ms, due_ms, released_ms, amount_sat;
	uint32_t	ref;
	int		halt_rule;
	size_t		step;
};

struct log {
	struct trace	*row;
	size_t		 n, max;
};

static void
log_add(struct log *l, const struct rig *r, size_t step)
{
	size_t	 i;

	for (i = 0; i < r->n_out; i++) {
		const struct outcome *o = &r->out[i];
		struct trace	*x;

		if (l->n == l->max) {
			l->max = l->max * 2 + 1000;
			l->row = realloc(l->row, l->max * sizeof(*l->row));
		}
		x = &l->row[l->n++];
		memset(x, 0, sizeof(*x));
		x->type = o->type;
		x->cause = o->cause;
		x->why = o->why;
		x->verdict = o->verdict;
		x->would = o->would;
		x->state = o->state;
		x->t_ms = o->t_ms;
		x->due_ms = o->due_ms;
		x->released_ms = o->released_ms;
		x->amount_sat = o->amount_sat;
		x->ref = o->ref;
		x->halt_rule = o->halt_rule;
		x->step = step;
	}
}

/* Two engines, the same inputs: the same outcomes. */
static void
twins(struct rig *a, struct rig *b, uint64_t seed, bool same_bytes)
{
	struct play	 p, q;
	struct log	 la = { 0 }, lb = { 0 };
	struct input	 in;
	unsigned char	 ha[32], hb[32];
	size_t		 i;

	play_begin(&p, a, seed);
	play_begin(&q, b, seed);
	for (i = 0; i < STEPS; i++) {
		in = play_step(&p, a);
		rig_apply(a, &in);
		log_add(&la, a, i);
		in = play_step(&q, b);
		rig_apply(b, &in);
		log_add(&lb, b, i);
	}
	CHECK(la.n > STEPS / 2);
	CHECK(la.n == lb.n);
	for (i = 0; i < la.n && i < lb.n; i++)
		if (!CHECK(memcmp(&la.row[i], &lb.row[i],
		    sizeof(la.row[i])) == 0)) {
			printf("# at step %zu\n", la.row[i].step);
			break;
		}
	engine_state_hash(a->engine, ha);
	engine_state_hash(b->engine, hb);
	if (same_bytes)
		CHECK(memcmp(ha, hb, sizeof(ha)) == 0);
	free(la.row);
	free(lb.row);
	rig_free(a);
	rig_free(b);
}

/* An id that came before: the same answer, and not a bit changes. */
static void
repeat(struct rig *r, const struct input *in, const struct outcome *first)
{
	unsigned char	 before[32], after[32];
	struct input	 other = *in;

	engine_state_hash(r->engine, before);
	rig_apply(r, in);
	if (CHECK(r->n_out == 1)) {
		CHECK(r->out[0].type == OUTCOME_REPEATED);
		CHECK(r->out[0].state == first->state);
		CHECK(r->out[0].verdict == first->verdict);
		CHECK(r->out[0].ref == first->ref);
	}
	engine_state_hash(r->engine, after);
	CHECK(memcmp(before, after, sizeof(before)) == 0);
	other.amount_sat ^= 1;
	rig_apply(r, &other);
	if (CHECK(r->n_out == 1)) {
		CHECK(r->out[0].why == WHY_CONFLICT);
		CHECK(r->out[0].type == OUTCOME_REFUSED);
	}
	engine_state_hash(r->engine, after);
	CHECK(memcmp(before, after, sizeof(before)) == 0);
}

static void
books(uint64_t seed)
{
	struct rig	*r = rig_new(policy, 3, true);
	struct play	 p;
	struct input	 in;
	struct outcome	 o;
	int		 i, k;
	int		 seen[VERDICT__COUNT] = { 0 };

	play_begin(&p, r, seed);
	for (i = 0; i < STEPS && check_case_failed < 10; i++) {
		in = play_step(&p, r);
		rig_apply(r, &in);
		CHECK_INT(engine_books_sum_sat(r->engine), 0);
		if (in.type == INPUT_WITHDRAW && r->n_out > 0) {
			o = r->out[r->n_out - 1];
			if (o.type == OUTCOME_DECIDED)
				seen[o.verdict]++;
			/* (A halt comes out last; then it is not it.) */
			if (i % 97 == 0 && o.type == OUTCOME_DECIDED &&
			    ident_equal(o.id, in.id))
				repeat(r, &in, &o);
		}
		for (k = 0; k < ACCOUNTS && i % 10 == 0; k++)
			CHECK(engine_account_balance_sat(r->engine,
			    rig_id(r, 'a', k)) >= 0 || k % 3 == 0);
	}
	/* Else this plays in an empty house. */
	for (i = 0; i < VERDICT_HALT; i++)
		CHECK(seen[i] > 5);
	rig_free(r);
}

int
main(void)
{
	struct err	 e;
	struct rig	*a, *b;
	uint64_t	 seed;

	check_case("balances always sum to zero, ids are asked for once");
	for (seed = 0; seed < 10; seed++)
		books(seed);
	check_case("the same inputs give the same state");
	for (seed = 0; seed < 4; seed++)
		twins(rig_new(policy, 1, false), rig_new(policy, 1, false),
		    seed, true);
	check_case("no order of a hash table matters, the ident key changes "
	    "no decision");
	for (seed = 0; seed < 6; seed++)
		twins(rig_new(policy, 1, false), rig_new(policy,
		    (unsigned char)(2 + seed), false), seed, false);
	check_case("the size of the pools changes no decision");
	for (seed = 0; seed < 2; seed++) {
		a = rig_new(policy, 1, false);
		b = rig_new(policy, 1, true);
		CHECK(engine_reserve(a->engine, STEPS * 4, &e) == RC_OK);
		twins(a, b, seed, false);
	}
	return check_done();
}
