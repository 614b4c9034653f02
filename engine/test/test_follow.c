/*
 * An engine that follows what another decided has its states, books and
 * money, whatever its own policy; what cannot be followed is said, and
 * nothing breaks.
 */
#include "engine/inner.h"
#include "engine/outcome.h"
#include "engine/test/play.h"

#define STEPS		3000
#define RECORDS_MAX	1024

/* What both of two policies count, to be compared. */
#define COUNTED \
	"hold \"c1\" when sum asked on platform in 6h > 100000 btc\n" \
	"hold \"c2\" when sum committed on platform in 24h > 100000 btc\n" \
	"hold \"c3\" when count released on platform in 24h > 100000\n" \
	"hold \"c4\" when distinct accounts committed on platform in 6h " \
	    "> 5000\n" \
	"hold \"c5\" when sum confirmed on platform in 7d > 100000 btc\n" \
	"hold \"c6\" when count blocked on platform in 24h > 100000\n"

static const char policy_a[] =
	"policy 1\n"
	"default hold\n"
	"declare kyc number unknown is 0\n"
	"trust proven after 3d full at 10d used in 10d upto 300 btc\n"
	"let outlay = sum asked by account in 24h of not proven\n"
	"class small when not proven and outlay < 0.5 btc\n"
	"allow when amount < 20 btc\n"
	"step-up \"code\" when not via api and not code given and "
	    "amount >= 0.1 btc\n"
	"delay 1h when not proven and amount >= 0.5 btc\n"
	"delay 6h \"crowd\" when small and sum asked on platform in 6h "
	    "of small > busy normal by 100 % plus 20 btc "
	    "until learnt 60 btc\n"
	"hold \"group\" when distinct accounts asked by group in 1h > 5\n"
	"hold \"kyc\" when kyc < 1 and amount >= 5 btc\n"
	"hold by 2 \"fraud\" when amount >= 1 btc and "
	    "confirmed fraud in 1h\n"
	"deny \"many\" when count asked by account in 24h > 20\n"
	"halt \"bleeding\" when sum committed on platform in 1h > "
	    "15 % of hot\n"
	"ceiling 500 btc in 24h, 19 btc each\n"
	COUNTED;

/* Stricter and laxer, other windows, other times, other facts. */
static const char policy_b[] =
	"policy 1\n"
	"default hold\n"
	"declare pep flag unknown is yes\n"
	"declare kyc number unknown is 0\n"
	"set expiry of codes 5m\n"
	"set expiry of holds 2h\n"
	"trust proven after 1d full at 4d used in 5d upto 100 btc\n"
	"let outlay = sum asked by account in 48h of not proven\n"
	"class tiny when not proven and outlay < 0.05 btc\n"
	"allow when amount < 200 btc\n"
	"step-up \"code\" when not via web and not code given and "
	    "amount >= 0.01 btc\n"
	"delay 3h \"slow\" when not tiny and outlay >= 0.2 btc\n"
	"delay 9h \"crowd\" when tiny and sum asked on platform in 2h "
	    "of tiny > normal by 50 % plus 2 btc until learnt 6 btc\n"
	"hold \"kyc\" when kyc < 2 and amount >= 1 btc\n"
	"deny \"pep\" when pep and amount >= 10 btc\n"
	"hold \"partner\" when sum committed by partner in 1h > 3 btc\n"
	"hold \"net\" when count asked by ip/24 in 1h > 3\n"
	"hold \"dest\" when sum committed to destination in 7d > 3 btc\n"
	"deny \"many\" when count asked by account in 24h > 6\n"
	"halt \"bleeding\" when sum committed on platform in 1h "
	    "of not proven > 1 % of hot\n"
	"ceiling 50 btc in 24h, 10 btc each\n"
	COUNTED;

static const char policy_observe[] =
	"policy 1\n"
	"default hold\n"
	"mode observe\n"
	"deny \"all\" when amount > 0.001 btc\n"
	"halt \"some\" when amount > 1 btc\n"
	COUNTED;

/* What came of the last input of the engine that decides. */
static struct outcome_record records[RECORDS_MAX];
static size_t n_records;

struct recorder {
	struct rig	*rig;
	const struct input *in;
};

/* As a journal keeps it. */
static void
record(void *ctx, const struct outcome *o)
{
	static unsigned char bytes[OUTCOME_ROOM];
	struct recorder	*rec = ctx;
	struct outcome_of of = { rec->in->id, rec->in->amount_sat,
		rec->in->t_ms };
	const unsigned char *p = bytes;
	unsigned char	*end;
	struct err	 e;

	rig_emit(rec->rig, o);
	if (n_records == RECORDS_MAX) {
		printf("not ok too many outcomes\n");
		exit(1);
	}
	end = outcome_pack(bytes, o, rec->in, rec->rig->program);
	if (outcome_unpack(&records[n_records++], &p, end, &of, &e) != RC_OK)
		printf("not ok unpack: %s\n", e.text);
}

/* The index by which a policy calls a fact, -1: it does not know it. */
static int
declared(const struct rig *r, const char *name)
{
	int		 i;

	for (i = 0; i < r->policy->n_declared; i++)
		if (strcmp(r->policy->declared[i].name, name) == 0)
			return i;
	return -1;
}

/* The same input as two policies see it. */
struct two {
	struct input	 a, b;
	struct input_fact fa, fb;
};

/* One that waits, if there is any, else whichever. */
static struct ident
some_waiting(struct play *p, const struct rig *r, struct ident other)
{
	const struct store *s = &r->engine->waiting;
	const struct waiting *k;
	const struct withdrawal *w;
	uint32_t	 n;

	if (s->live == 0)
		return other;
	n = (uint32_t)rng_below(&p->rng, s->top);
	k = store_at(s, n);
	/* A record that is free says anything. */
	if (k->w >= r->engine->withdrawals.top)
		return other;
	w = store_at(&r->engine->withdrawals, k->w);
	return w->waiting == n ? w->id : other;
}

static void
declare(struct two *x, struct play *p, const struct rig *ra,
    const struct rig *rb)
{
	static const char *const names[] = { "kyc", "pep", "nothing" };
	const char	*name = names[rng_below(&p->rng, 3)];
	int64_t		 value = (int64_t)rng_below(&p->rng, 3);

	x->fa = (struct input_fact){ declared(ra, name), value };
	x->fb = (struct input_fact){ declared(rb, name), value };
	x->b = x->a;
	if (x->a.type == INPUT_FACT) {
		x->a.value = x->b.value = value;
		x->a.declared = x->fa.declared;
		x->b.declared = x->fb.declared;
	} else if (x->a.type == INPUT_WITHDRAW && value == 2) {
		x->a.facts = &x->fa;
		x->b.facts = &x->fb;
		x->a.n_facts = x->b.n_facts = 1;
	}
}

/* More of what is rare. */
static struct input
spice(struct play *p, const struct rig *r, struct input in)
{
	static struct input before;
	struct rng	*g = &p->rng;

	if (in.type == INPUT_WITHDRAW) {
		if (rng_below(g, 40) == 0 && before.type == INPUT_WITHDRAW) {
			before.t_ms = in.t_ms;
			return before;
		}
		before = in;
		return in;
	}
	if (in.type < INPUT_WITHDRAW && rng_below(g, 3) != 0)
		in.type = rng_below(g, 3) == 0 ? INPUT_CODE : INPUT_FACT;
	if (rng_below(g, 3) != 0)
		in.id = some_waiting(p, r, in.id);
	if (in.type == INPUT_FACT && rng_below(g, 2) == 0)
		in.id = (struct ident){ 0, 0 };
	if (in.type == INPUT_HALT && rng_below(g, 3) == 0)
		in.type = INPUT_RESUME;
	return in;
}

static void
decide(struct rig *r, const struct input *in)
{
	struct recorder	 rec = { r, in };
	struct engine_sink sink = { record, &rec };

	r->n_out = n_records = 0;
	engine_apply(r->engine, in, &sink);
}

static bool
follow(struct rig *r, const struct input *in)
{
	struct err	 e = { "" };
	enum rc		 rc;

	r->n_out = 0;
	rc = engine_follow(r->engine, in, records, n_records, &r->sink, &e);
	if (rc != RC_OK)
		printf("# %s (input %d)\n", e.text, in->type);
	return CHECK(rc == RC_OK);
}

/* What came out is what was recorded, but for rules and facts. */
static bool
same_outcomes(const struct rig *a, const struct rig *b)
{
	struct outcome	 x, y;
	size_t		 i;

	if (a->n_out != b->n_out)
		return false;
	for (i = 0; i < a->n_out; i++) {
		x = a->out[i];
		y = b->out[i];
		x.joined = y.joined = NULL;
		x.env = y.env = NULL;
		x.halt_rule = y.halt_rule = 0;
		if (memcmp(&x, &y, sizeof(x)) != 0)
			return false;
	}
	return true;
}

/* Withdrawals and accounts of two engines that made them in one order. */
static void
same_states(const struct rig *ra, const struct rig *rb)
{
	const struct engine *a = ra->engine, *b = rb->engine;
	const struct withdrawal *x, *y;
	uint32_t	 i;

	CHECK(a->withdrawals.top == b->withdrawals.top);
	for (i = 0; i < a->withdrawals.top; i++) {
		x = store_at(&a->withdrawals, i);
		y = store_at(&b->withdrawals, i);
		CHECK(ident_equal(x->id, y->id));
		CHECK(x->state == y->state && x->verdict == y->verdict &&
		    x->would == y->would && x->why == y->why);
		CHECK(x->flags == y->flags && x->waiting == y->waiting &&
		    x->released_ms == y->released_ms);
	}
	for (i = 0; i < PLAY_ACCOUNTS; i++)
		CHECK_INT(engine_account_balance_sat(a, rig_id(ra, 'a', i)),
		    engine_account_balance_sat(b, rig_id(rb, 'a', i)));
	CHECK_INT(engine_books_sum_sat(b), 0);
	CHECK_INT(a->v.paid_sat, b->v.paid_sat);
	CHECK_INT(a->v.pending_sat, b->v.pending_sat);
	CHECK_INT(a->v.waiting_sat, b->v.waiting_sat);
	CHECK_INT(a->v.now_ms, b->v.now_ms);
	CHECK_INT(a->v.halted, b->v.halted);
	CHECK_INT(engine_hot_sat(a), engine_hot_sat(b));
	CHECK_INT(a->stopped.count, b->stopped.count);
	CHECK_INT(a->unreceipted.count, b->unreceipted.count);
	CHECK_INT(a->due.count, b->due.count);
}

/* The counter of a rule `name` that has one test. */
static int
counted(const struct rig *r, const char *name)
{
	const struct prog_test *t;
	int		 i;

	for (i = 0; i < r->program->n_rules; i++) {
		if (strcmp(r->program->rules[i].name, name) != 0)
			continue;
		t = &r->program->tests[r->program->rules[i].start];
		return r->program->slots[t->left.index].index;
	}
	printf("not ok no rule %s\n", name);
	exit(1);
}

static void
same_counters(const struct rig *ra, const struct rig *rb)
{
	char		 name[3] = "c1";
	int64_t		 a, b;

	for (; name[1] <= '6'; name[1]++) {
		a = engine_read_platform(ra->engine, counted(ra, name));
		b = engine_read_platform(rb->engine, counted(rb, name));
		CHECK_INT(a, b);
	}
}

static bool
same_hash(const struct rig *a, const struct rig *b)
{
	unsigned char	 ha[32], hb[32];

	engine_state_hash(a->engine, ha);
	engine_state_hash(b->engine, hb);
	return memcmp(ha, hb, sizeof(ha)) == 0;
}

/* What the traffic must have in it, or this tests nothing. */
struct met {
	int		 halts, takes_back, matured, expired, by_fact,
			 by_code, resumed, held, denied, again;
};

static void
meet(struct met *m)
{
	const struct outcome_record *r;
	size_t		 i;

	for (i = 0; i < n_records; i++) {
		r = &records[i];
		m->halts += r->type == OUTCOME_HALTED;
		m->takes_back += r->type == OUTCOME_MOVED &&
		    r->cause == CAUSE_HALT;
		m->matured += r->cause == CAUSE_MATURED;
		m->expired += r->cause == CAUSE_EXPIRED;
		m->by_fact += r->cause == CAUSE_FACT;
		m->by_code += r->cause == CAUSE_CODE;
		m->resumed += r->type == OUTCOME_REDECIDED &&
		    r->cause == CAUSE_RESUMED;
		m->held += r->state == STATE_HELD;
		m->denied += r->judged && r->state == STATE_DENIED;
		m->again += r->type == OUTCOME_REPEATED;
	}
}

static void
met_all(const struct met *m)
{
	CHECK(m->halts > 5);
	CHECK(m->takes_back > 5);
	CHECK(m->matured > 5);
	CHECK(m->expired > 5);
	CHECK(m->by_fact > 5);
	CHECK(m->by_code > 5);
	CHECK(m->resumed > 5);
	CHECK(m->held > 50);
	CHECK(m->denied > 5);
	CHECK(m->again > 5);
}

static void
followed(const char *policy, uint64_t seed, bool receipts, bool same,
    struct met *m)
{
	struct rig	*a = rig_new(policy_a, 1, false);
	struct rig	*b = rig_new(policy, 1, false);
	struct play	 p;
	struct two	 x;
	int		 i;

	a->engine->cfg.receipt_at_release = receipts;
	b->engine->cfg.receipt_at_release = receipts;
	for (i = 0; play_begin(&p, a, seed, i, &x.a); i++) {
		decide(a, &x.a);
		follow(b, &x.a);
	}
	p.dense = seed % 2 == 0;
	for (i = 0; i < STEPS && check_case_failed == 0; i++) {
		x.a = spice(&p, a, play_step(&p, a));
		declare(&x, &p, a, b);
		decide(a, &x.a);
		meet(m);
		if (!follow(b, &x.b))
			break;
		CHECK(same_outcomes(a, b));
		if (i % 50 == 0) {
			same_states(a, b);
			same_counters(a, b);
			CHECK(!same || same_hash(a, b));
		}
	}
	if (check_case_failed != 0)
		printf("# seed %d, step %d\n", (int)seed, i);
	same_states(a, b);
	rig_free(a);
	rig_free(b);
}

static void
many(const char *what, const char *policy, bool receipts, bool same)
{
	struct met	 m = { 0 };
	uint64_t	 seed;

	check_case(what);
	for (seed = 0; seed < 5; seed++)
		followed(policy, seed, receipts, same, &m);
	met_all(&m);
}

/* One thing wrong in what is recorded; all but the last may be harmless. */
static void
spoil(struct rng *g)
{
	struct outcome_record *r = &records[rng_below(g, n_records)];

	switch (rng_below(g, 12)) {
	case 0:
		r->id.lo++;
		break;
	case 1:
		r->state = (enum state)rng_below(g, STATE_PAID + 1);
		break;
	case 2:
		r->type = (enum outcome_type)rng_below(g,
		    OUTCOME_REFUSED + 1);
		break;
	case 3:
		r->cause = (enum cause)rng_below(g, CAUSE_PAYMENT + 1);
		break;
	case 4:
		r->why = (enum why)rng_below(g, WHY__COUNT);
		break;
	case 5:
		n_records--;
		break;
	case 6:
		r->judged = !r->judged;
		break;
	case 7:
		r->t_ms += 1000000000;
		break;
	case 8:
		r->delay_ms = INT64_MAX;
		break;
	case 9:
		r->due_ms = INT64_MAX - 1;
		break;
	case 10:
		records[n_records++] = *r;
		break;
	case 11:
		r->people = INT32_MAX;
		r->halt_rule = RULES_MAX - 1;
		break;
	}
}

/* Whatever is wrong with a record, it is followed or refused. */
static int
spoiled(uint64_t seed, int *taken)
{
	struct rig	*a = rig_new(policy_a, 1, false);
	struct rig	*b = rig_new(seed % 2 == 0 ? policy_a : policy_b, 1,
	    false);
	struct play	 p;
	struct two	 x;
	struct err	 e;
	struct rng	 g = { seed * 7 + 3 };
	int		 i, when = 100 + (int)rng_below(&g, 400), refused = 0;

	a->engine->cfg.receipt_at_release = false;
	b->engine->cfg.receipt_at_release = false;
	for (i = 0; play_begin(&p, a, seed, i, &x.a); i++) {
		decide(a, &x.a);
		follow(b, &x.a);
	}
	for (i = 0; i < when + 200 && refused == 0; i++) {
		x.a = spice(&p, a, play_step(&p, a));
		declare(&x, &p, a, b);
		decide(a, &x.a);
		if (i > when && rng_below(&g, 20) == 0 && n_records > 0)
			spoil(&g);
		b->n_out = 0;
		refused = engine_follow(b->engine, &x.b, records, n_records,
		    &b->sink, &e) != RC_OK;
		CHECK(!refused || i > when);
		if (refused)
			CHECK(strncmp(e.text, "outcome ", 8) == 0);
	}
	*taken += refused == 0;
	CHECK_INT(engine_books_sum_sat(b->engine), 0);
	rig_free(a);
	rig_free(b);
	return refused;
}

static void
reasons(void)
{
	struct rig	*b = rig_new(policy_a, 1, false);
	struct input	 in = rig_input(INPUT_TICK, PLAY_T0_MS);
	struct err	 e;

	memset(records, 0, sizeof(records[0]));
	records[0].type = OUTCOME_REDECIDED;
	records[0].cause = CAUSE_MATURED;
	records[0].state = STATE_RELEASED;
	records[0].id = (struct ident){ 5, 16 };
	CHECK(engine_follow(b->engine, &in, records, 1, &b->sink, &e) ==
	    RC_FAILED);
	CHECK_STR(e.text, "outcome 1 of 1, withdrawal "
	    "00000000000000100000000000000005: it is not known here");
	CHECK(engine_follow(b->engine, &in, records, 0, &b->sink, &e) ==
	    RC_FAILED);
	CHECK_STR(e.text, "outcome 1 of 0: nothing is recorded of the "
	    "input");
	rig_free(b);
}

/* Ask, decided by `a` and followed by `b`. */
static void
ask(struct rig *a, struct rig *b, int64_t t_ms, int64_t id,
    int64_t amount_sat)
{
	struct input	 in = rig_withdrawal(a, t_ms, id, 1, 1, amount_sat);

	in.via = VIA_WEB;
	in.code = TRI_NO;
	decide(a, &in);
	follow(b, &in);
}

static void
both(struct rig *a, struct rig *b, enum input_type type, int64_t t_ms,
    int64_t id)
{
	struct input	 in = rig_input(type, t_ms);

	in.account = rig_id(a, 'a', 1);
	in.id = rig_id(a, 'w', id);
	in.amount_sat = 1000 * BTC;
	decide(a, &in);
	follow(b, &in);
}

/* A code that comes while everything is stopped; and what another version
 * of the engine could decide and this one never would. */
static void
rare(void)
{
	struct rig	*a = rig_new(policy_a, 1, false);
	struct rig	*b = rig_new(policy_b, 1, false);
	struct input	 in;
	int64_t		 t_ms = PLAY_T0_MS;

	both(a, b, INPUT_ACCOUNT, t_ms, 0);
	both(a, b, INPUT_HOT_BALANCE, t_ms, 0);
	ask(a, b, t_ms, 1, BTC / 5);
	CHECK(a->out[0].state == STATE_WAITING);
	both(a, b, INPUT_HALT, t_ms + 1, 0);
	both(a, b, INPUT_CODE, t_ms + 2, 1);
	CHECK(b->n_out == 1 && b->out[0].state == STATE_STOPPED &&
	    b->out[0].cause == CAUSE_HALT);
	both(a, b, INPUT_RESUME, t_ms + 3, 0);
	same_states(a, b);

	/* Released before its delay was served, and its code is not there. */
	ask(a, b, t_ms + 4, 2, BTC);
	CHECK(b->out[0].state == STATE_WAITING);
	in = rig_input(INPUT_TICK, t_ms + MS_PER_MIN);
	decide(a, &in);
	CHECK_INT(n_records, 1);
	records[1] = records[0];
	memset(&records[0], 0, sizeof(records[0]));
	records[0].type = OUTCOME_REDECIDED;
	records[0].cause = CAUSE_MATURED;
	records[0].judged = true;
	records[0].id = rig_id(a, 'w', 2);
	records[0].t_ms = t_ms + MS_PER_S;
	records[0].due_ms = INT64_MAX;
	records[0].state = STATE_RELEASED;
	n_records = 2;
	follow(b, &in);
	CHECK(b->n_out == 2 && b->out[0].state == STATE_RELEASED);
	CHECK_INT(b->out[0].released_ms, t_ms + MS_PER_S);
	CHECK_INT(b->engine->due.count, 0);
	rig_free(a);
	rig_free(b);
}

static void
all_spoiled(void)
{
	uint64_t	 seed;
	int		 refused = 0, taken = 0;

	for (seed = 0; seed < 300; seed++)
		refused += spoiled(seed, &taken);
	CHECK(refused > 200);
}

int
main(void)
{
	many("the same policy: the same state, bit by bit", policy_a, true,
	    true);
	many("the same with receipts apart", policy_a, false, true);
	many("another policy: the same states, money and counts", policy_b,
	    true, false);
	many("another policy, receipts apart", policy_b, false, false);
	many("a policy that only observes", policy_observe, false, false);
	check_case("what is rare, and what only another version decides");
	rare();
	check_case("a wrong record is refused or harmless, and nothing breaks");
	all_spoiled();
	check_case("what cannot be followed is named");
	reasons();
	return check_done();
}
