/*
 * Outcomes as bytes: whatever the engine says comes back as it was, takes
 * few bytes, and is the same from every engine; and bytes from elsewhere
 * are refused or are just what packing would have written.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "engine/test/outcome_check.h"
#include "engine/test/rig.h"
#include "engine/test/rng.h"
#include "lib/amount.h"
#include "lib/civil.h"
#include "wire/bytes.h"

#define BTC		SAT_PER_BTC
#define ACCOUNTS	25
#define STEPS		6000
#define BYTES_MAX	(4 << 20)

static const int64_t t0 = INT64_C(1557249324000);

/* Every verdict, and every way a rule can speak. */
#define RULES \
	"set exemptions upto 90 % of hot\n" \
	"trust proven after 3d full at 10d used in 10d upto 300 btc\n" \
	"table <makers> of accounts { \"a3\", \"a4\" }\n" \
	"declare odd flag unknown is no\n" \
	"let outlay = sum asked by account in 24h of not proven\n" \
	"class small when not proven and outlay < 0.5 btc\n" \
	"class surprising when not proven and not small and " \
	    "outlay > 3 x habit\n" \
	"allow when proven or amount < 20 btc\n" \
	"allow \"tiny\" when amount < 0.001 btc\n" \
	"step-up \"code\" when via web and not code given and " \
	    "amount >= 0.1 btc\n" \
	"delay 1h when surprising and outlay >= 2 btc\n" \
	"delay 6h \"crowd\" when small and sum asked on platform in 6h " \
	    "of small > busy normal by 100 % plus 20 btc " \
	    "until learnt 60 btc\n" \
	"hold \"fund\" when surprising and (amount > 10 % of fund " \
	    "or amount > 3 btc)\n" \
	"hold \"net\" when count asked by ip/24 in 1h > 40\n" \
	"hold \"one\" when count asked to destination in 24h > 20\n" \
	"hold \"odd\" when odd and amount > 0.01 btc\n" \
	"hold \"big\" when amount > 5 btc\n" \
	"hold \"key\" when sum committed by key in 1h > 30 btc\n" \
	"hold \"group\" when distinct accounts asked by group in 1h > 5\n" \
	"hold by 2 \"fraud\" when surprising and confirmed fraud in 48h\n" \
	"shadow hold \"share\" when amount > 5 % of fund\n" \
	"shadow deny \"few\" when count asked by account in 24h > 2\n" \
	"deny \"limit\" when sum committed by account in 24h > " \
	    "limit of account\n" \
	"deny \"many\" when count asked by account in 24h > 60\n" \
	"halt \"bleeding\" when sum committed on platform in 1h " \
	    "of not proven > 10 % of hot\n" \
	"exempt \"maker\" from big when account in <makers> " \
	    "upto 50 btc in 24h until 2027-03-31\n" \
	"ceiling 70 btc in 24h, 15 btc each\n"

static const char mixed[] = "policy 1\ndefault hold\n" RULES;
static const char observing[] = "policy 1\ndefault hold\nmode observe\n" RULES;

/* One side of a play: an engine, what it was asked, and its bytes. */
struct one_side {
	struct rig	*r;
	const struct input *in;
	unsigned char	*bytes;
	size_t		 len;
};

static void
side_emit(void *ctx, const struct outcome *o)
{
	struct one_side	*s = ctx;

	if (s->len + OUTCOME_ROOM > BYTES_MAX) {
		printf("not ok too many bytes\n");
		exit(1);
	}
	s->len += there_and_back(s->bytes + s->len, o, s->in, s->r->program);
}

/* With room for so little that everything fills. */
static void
make_small(struct rig *r)
{
	struct engine_config c = { .accounts = 22, .keys = 20, .pairs = 30,
		.destinations = 12, .waiting = 9, .withdrawals = 60,
		.networks = 2, .groups = 2 };
	struct err	 e = { "" };

	c.ids = r->ids;
	engine_free(&r->engine);
	if (engine_new(&r->engine, r->program, &c, &e) != RC_OK) {
		printf("not ok small: %s\n", e.text);
		exit(1);
	}
}

static void
side_begin(struct one_side *s, const char *policy, bool small)
{
	s->r = rig_new(policy, 7, false);
	if (small)
		make_small(s->r);
	s->r->sink = (struct engine_sink){ side_emit, s };
	s->bytes = malloc(BYTES_MAX);
	s->len = 0;
	if (s->bytes == NULL)
		exit(1);
}

static void
side_end(struct one_side *s)
{
	rig_free(s->r);
	free(s->bytes);
}

static void
side_apply(struct one_side *s, const struct input *in)
{
	s->in = in;
	rig_apply(s->r, in);
}

/* A mix of everything */

struct play {
	struct rng	 rng;
	int64_t		 t_ms;
	int64_t		 n;		/* withdrawals asked for */
	struct input	 last;
};

static struct input
play_ask(struct play *p, const struct rig *r)
{
	static const int64_t bad[] = { 0, -1, INT64_MIN, INT64_MAX };
	struct rng	*g = &p->rng;
	struct input	 in;
	int64_t		 account = (int64_t)rng_below(g, ACCOUNTS + 1);
	int64_t		 to = (int64_t)rng_below(g, 40);
	uint64_t	 most = UINT64_C(1) << (20 + rng_below(g, 12));

	/* One draw a statement: compilers order arguments as they like. */
	in = rig_withdrawal(r, p->t_ms, p->n, account, to,
	    1 + (int64_t)rng_below(g, most));
	/* Sometimes the same again, sometimes other things by its name. */
	if (rng_below(g, 20) == 0 && p->n > 0) {
		if (rng_below(g, 2) == 0)
			in = p->last;
		in.id = p->last.id;
		in.t_ms = p->t_ms;
		return in;
	}
	p->n++;
	in.via = (enum via)rng_below(g, 4);
	in.code = (enum tri)rng_below(g, 3);
	if (rng_below(g, 2) == 0)
		in.key = rig_id(r, 'k', account);
	in.has_ip = rng_below(g, 4) != 0;
	in.ip[10] = in.ip[11] = 0xff;
	in.ip[14] = (unsigned char)rng_below(g, 4);
	in.ip[15] = (unsigned char)rng_below(g, 4);
	if (rng_below(g, 60) == 0)
		in.amount_sat = bad[rng_below(g, 4)];
	in.history = rng_below(g, 50) == 0;
	p->last = in;
	return in;
}

static struct input
play_other(struct play *p, const struct rig *r)
{
	struct rng	*g = &p->rng;
	struct input	 in;
	int64_t		 account = (int64_t)rng_below(g, ACCOUNTS + 2);

	in = rig_input((enum input_type)rng_below(g, INPUT_TICK + 1),
	    p->t_ms);
	if (in.type == INPUT_WITHDRAW)
		in.type = INPUT_TICK;
	in.value = (int64_t)rng_below(g, 2);
	if ((in.type == INPUT_FREEZE || in.type == INPUT_SECURITY_CHANGE) &&
	    rng_below(g, 4) != 0)
		in.type = INPUT_UNFREEZE;
	in.account = rig_id(r, 'a', account);
	if (in.type == INPUT_KEY || in.type == INPUT_KEY_REVOKE ||
	    (in.type == INPUT_FREEZE && rng_below(g, 2) == 0))
		in.key = rig_id(r, 'k', account);
	in.withdraw = true;
	in.id = rig_id(r, 'w', p->n - 1 - (int64_t)rng_below(g, 20));
	if (in.type == INPUT_TICK && rng_below(g, 2) == 0) {
		in.type = INPUT_CODE;
		in.id = p->last.id;
	}
	in.script = rig_id(r, 'd', (int64_t)rng_below(g, 40));
	in.by = rig_id(r, 'o', (int64_t)rng_below(g, 3));
	in.group = rig_id(r, 'g', account % 4);
	in.amount_sat = (int64_t)rng_below(g, 50 * BTC);
	if (in.type == INPUT_HOT_BALANCE || in.type == INPUT_FUND)
		in.amount_sat += 800 * BTC;
	if (in.type == INPUT_ACCOUNT)
		in.limit_sat = 100 * BTC;
	/* A fund is reported only in the second half. */
	if (in.type == INPUT_FUND && p->n < STEPS / 3)
		in.type = INPUT_TICK;
	in.paid = (enum paid)rng_below(g, 4);
	in.not_me = rng_below(g, 10) == 0;
	return in;
}

static struct input
play_step(struct play *p, const struct rig *r)
{
	static const int64_t spans[] = { 1, 60000, MS_PER_HOUR, MS_PER_DAY };
	struct input	 in;

	if (rng_below(&p->rng, 2) == 0)
		p->t_ms += (int64_t)rng_below(&p->rng,
		    (uint64_t)spans[rng_below(&p->rng, 4)]);
	if (p->n == 0 || rng_below(&p->rng, 3) != 0)
		in = play_ask(p, r);
	else
		in = play_other(p, r);
	/* A clock that went wrong, either way. */
	if (rng_below(&p->rng, 100) == 0)
		in.t_ms -= 3 * MS_PER_HOUR;
	else if (rng_below(&p->rng, 500) == 0)
		in.t_ms = INT64_MAX - (int64_t)rng_below(&p->rng, 3);
	return in;
}

static void
both_apply(struct one_side *one, struct one_side *two, const struct input *in)
{
	side_apply(one, in);
	/* A queue looks ahead; that must not show. */
	engine_prefetch(two->r->engine, in);
	engine_prefetch_records(two->r->engine, in);
	engine_prefetch_pair(two->r->engine, in);
	side_apply(two, in);
}

static void
both_begin(struct one_side *one, struct one_side *two, bool hot)
{
	const struct rig *r = one->r;
	const int64_t	 t_ms = t0 - 200 * MS_PER_DAY;
	struct input	 in = rig_input(INPUT_HOT_BALANCE, t_ms);
	int		 i;

	in.amount_sat = 1000 * BTC;
	if (hot)
		both_apply(one, two, &in);
	for (i = 0; i < ACCOUNTS; i++) {
		in = rig_input(INPUT_ACCOUNT, t_ms);
		in.account = rig_id(r, 'a', i);
		in.group = rig_id(r, 'g', i % 4);
		in.limit_sat = 100 * BTC;
		both_apply(one, two, &in);
		in = rig_input(INPUT_DEPOSIT, t_ms);
		in.account = rig_id(r, 'a', i);
		in.amount_sat = 200 * BTC;
		if (i % 3 != 0)
			both_apply(one, two, &in);
		in = rig_input(INPUT_KEY, t_ms);
		in.account = rig_id(r, 'a', i);
		in.key = rig_id(r, 'k', i);
		in.withdraw = true;
		both_apply(one, two, &in);
	}
}

static void
play(const char *policy, uint64_t seed, bool small)
{
	struct play	 p = { .rng = { seed * 2 + 1 }, .t_ms = t0 };
	struct one_side	 one, two;
	struct input	 in;
	int		 i;

	side_begin(&one, policy, small);
	side_begin(&two, policy, small);
	both_begin(&one, &two, seed % 2 == 0);
	for (i = 0; i < STEPS; i++) {
		in = play_step(&p, one.r);
		both_apply(&one, &two, &in);
		if (!CHECK(one.len == two.len && memcmp(one.bytes, two.bytes,
		    one.len) == 0))
			break;
	}
	side_end(&one);
	side_end(&two);
}

static void
test_plays(void)
{
	uint64_t	 seed;

	check_case("a mix of everything comes back, and alike from two");
	for (seed = 0; seed < 4; seed++)
		play(mixed, seed, false);
	check_case("the same where nothing is enforced");
	play(observing, 9, false);
	check_case("the same where there is no room");
	play(mixed, 10, true);
}

/* Every part of the language has been there. */
static void
test_seen(void)
{
	int	 i;

	check_case("the mix has seen it all");
	for (i = 0; i < 8; i++)
		if (!CHECK(saw.type[i] > 0))
			printf("# type %d\n", i);
	for (i = 0; i <= CAUSE_PAYMENT; i++)
		if (!CHECK(saw.cause[i] > 0))
			printf("# cause %d\n", i);
	for (i = 0; i <= STATE_PAID; i++)
		if (!CHECK(saw.state[i] > 0))
			printf("# state %d\n", i);
	for (i = 0; i < VERDICT__COUNT; i++)
		if (!CHECK(saw.verdict[i] > 0))
			printf("# verdict %d\n", i);
	for (i = 0; i < WHY__COUNT; i++)
		if (!CHECK(saw.why[i] > 0 || i == WHY_FULL_ACCOUNTS ||
		    i == WHY_FULL_KEYS || i == WHY_FULL_PAIRS ||
		    i == WHY_FULL_GROUPS || i == WHY_FULL_NETWORKS ||
		    i == WHY_OVERFLOW || i == WHY_READING))
			printf("# why %d\n", i);
	for (i = 0; i < 4; i++)
		if (!CHECK(saw.did[i] > 0))
			printf("# did %d\n", i);
	CHECK(saw.failed > saw.did[RULE_FAILED]);
	CHECK(saw.unknown > 0 && saw.error > 0 && saw.n_facts > 0 &&
	    saw.classes > 0 && saw.hot > 0 && saw.fund > 0);
	CHECK(n_samples > 100);
}

/* Whatever the words may come to mean together, there and back. */
static void
test_words(void)
{
	static unsigned char p[OUTCOME_ROOM];
	struct input	 in = rig_input(INPUT_TICK, t0);
	struct outcome	 o = { .halt_rule = -1, .due_ms = INT64_MAX,
		.released_ms = -1, .t_ms = t0 };
	int		 type, cause, why, state, verdict;

	check_case("every type with every word");
	in.id.lo = 1;
	for (type = 0; type < 8; type++)
	for (cause = 0; cause <= CAUSE_PAYMENT; cause++)
	for (why = 0; why < WHY__COUNT; why++)
	for (state = 0; state <= STATE_PAID; state++)
	for (verdict = 0; verdict < VERDICT__COUNT; verdict++) {
		o.type = (enum outcome_type)type;
		o.cause = (enum cause)cause;
		o.why = (enum why)why;
		o.state = (enum state)state;
		o.verdict = (enum verdict)verdict;
		o.would = (enum verdict)((verdict + why) % VERDICT__COUNT);
		o.id.lo = (uint64_t)(why % 3);
		(void)there_and_back(p, &o, &in, NULL);
	}
}

/* Numbers at their ends. */
static void
test_ends(void)
{
	static const int64_t ends[] = { 0, 1, -1, 63, 64, -64, -65,
		INT64_MAX, INT64_MIN, INT64_MAX - 1, INT64_C(1) << 32 };
	static unsigned char p[OUTCOME_ROOM];
	const int	 n = sizeof(ends) / sizeof(ends[0]);
	struct input	 in = rig_input(INPUT_TICK, t0);
	struct outcome	 o = { .type = OUTCOME_MOVED };
	int		 i, j;

	check_case("times and amounts at their ends");
	for (i = 0; i < n; i++)
	for (j = 0; j < n; j++) {
		in.t_ms = ends[i];
		in.amount_sat = ends[j];
		o.t_ms = ends[j];
		o.amount_sat = ends[(i + j) % n];
		o.due_ms = ends[(i + 2 * j) % n];
		o.released_ms = ends[(i + 3 * j) % n];
		o.halt_rule = i % 2 == 0 ? -1 : j * 20;
		o.id.hi = (uint64_t)ends[i];
		o.state = j % 2 == 0 ? STATE_RELEASED : STATE_FAILED;
		(void)there_and_back(p, &o, &in, NULL);
	}
}

/* The most that one outcome can be. */
static void
test_largest(void)
{
	static unsigned char p[OUTCOME_ROOM];
	static struct prog_reads reads[RULES_MAX];
	static struct prog_rule rules[RULES_MAX];
	static struct prog_slot slots[SLOTS_MAX];
	static struct eval_env env;
	struct joined	 j = { .people = INT32_MAX, .delay_ms = INT64_MAX,
		.deny = true, .halt = true, .code = true, .by_default = true,
		.error = EVAL_OVERFLOW };
	struct program	 g = { .slots = slots, .n_slots = SLOTS_MAX,
		.reads = reads, .rules = rules, .n_rules = RULES_MAX,
		.amount_slot = -1 };
	struct outcome	 o = { .type = OUTCOME_REDECIDED, .t_ms = INT64_MIN,
		.amount_sat = INT64_MIN, .due_ms = 0, .released_ms = 7,
		.halt_rule = 255, .why = WHY_KEY, .joined = &j, .env = &env,
		.id = { 1, 2 } };
	struct input	 in = rig_input(INPUT_TICK, 0);
	size_t		 len;
	int		 i;

	check_case("the largest has room");
	env.hot_sat = env.fund_sat = INT64_MAX - 1;
	env.classes = UINT64_MAX;
	memset(j.matched, 0xff, sizeof(j.matched));
	memset(j.failed, 0xff, sizeof(j.failed));
	for (i = 0; i < RULES_MAX; i++) {
		rules[i].verdict = VERDICT_HOLD;
		memset(&reads[i], 0xff, sizeof(reads[i].slots));
		reads[i].classes = UINT64_MAX;
		reads[i].hot = reads[i].fund = true;
	}
	memset(env.known, 0xff, sizeof(env.known));
	for (i = 0; i < SLOTS_MAX; i++)
		env.value[i] = INT64_MAX - i;
	len = there_and_back(p, &o, &in, &g);
	CHECK(len > 2000);
	CHECK_INT(rec.n_rules, RULES_MAX);
	CHECK_INT(rec.n_facts, SLOTS_MAX);
	memset(g.fallible, 0xff, sizeof(g.fallible));
	memset(env.known, 0x55, sizeof(env.known));
	(void)there_and_back(p, &o, &in, &g);
	CHECK_INT(rec.n_facts, SLOTS_MAX);
}

static void
test_sizes(void)
{
	struct one_side	 s = { .r = NULL };
	struct input	 in;
	size_t		 before;
	int		 i;

	check_case("what is usual is short");
	side_begin(&s, mixed, false);
	in = rig_input(INPUT_TICK, t0);
	side_apply(&s, &in);
	CHECK_INT(s.len, 1);
	in = rig_input(INPUT_HOT_BALANCE, t0);
	in.amount_sat = 1000 * BTC;
	side_apply(&s, &in);
	CHECK_INT(s.len, 2);
	in = rig_input(INPUT_ACCOUNT, t0);
	in.account = rig_id(s.r, 'a', 1);
	in.limit_sat = 100 * BTC;
	side_apply(&s, &in);
	CHECK_INT(s.len, 3);
	for (i = 0; i < 2; i++) {
		before = s.len;
		in = rig_withdrawal(s.r, t0, i, 1, 1, 100000);
		side_apply(&s, &in);
		CHECK(rec.state == STATE_RELEASED && rec.n_rules == 1);
		CHECK(s.len - before <= 3);
	}
	side_end(&s);
}

/* Bytes that are not as they should be */

/* Refused, or just what packing would have written. */
static bool
refused_or_same(const unsigned char *p, size_t len,
    const struct outcome_of *of)
{
	static unsigned char again[OUTCOME_ROOM];
	const unsigned char *at = p;
	struct err	 e = { "" };
	size_t		 n;

	if (outcome_unpack(&rec, &at, p + len, of, &e) != RC_OK) {
		CHECK(at == p && e.text[0] != '\0');
		return true;
	}
	n = (size_t)(repack(&remade, again, &rec, of) - again);
	CHECK(n == (size_t)(at - p) && memcmp(again, p, n) == 0);
	return false;
}

/* What says something that no engine could. */
static void
test_refused(void)
{
	static const struct {
		const char	*why;
		const char	*bytes;
		size_t		 len;
	} bad[] = {
#define BAD(why, bytes) { why, bytes, sizeof(bytes) - 1 }
		BAD("its head is unknown", "\x80"),
		BAD("a word of its shape is unknown", "\x10\x0b\x00"),
		BAD("the usual shape is written out", "\x10\x30\x00"),
		BAD("its reason is unknown", "\x10\x40\x44\xff"),
		BAD("unknown parts", "\x46\x20"),
		BAD("what is expected is written out", "\x46\x01\x00"),
		BAD("the number of a rule is too large",
		    "\x44\x10\x80\x02"),
		BAD("this type is never judged", "\x0b\x00"),
		BAD("what a rule did is unknown", "\x08\x08\x05"),
		BAD("the number of a rule is too large",
		    "\x08\x10\xf8\x0f\x00"),
		BAD("no classes", "\x08\x09\x00\x00"),
		BAD("unknown parts of the judgement", "\x08\x0a\x00\x00"),
		BAD("the number of facts", "\x08\x0c\x00\x00"),
		BAD("a fact, and no rule that read it",
		    "\x08\x04\x01\x02"),
		BAD("a fact, and no rule that read it",
		    "\x08\x0c\x00\x01\x03"),
		BAD("a fact is not in its shortest form",
		    "\x08\x0c\x00\x01\x00\x00"),
		BAD("the number of a fact is too large",
		    "\x08\x0c\x00\x01\x82\x06"),
		BAD("facts, and no rule that read them",
		    "\x08\x02\x20\x05"),
		BAD("a rule failed, and there is no error",
		    "\x08\x08\x03"),
#undef BAD
	};
	const struct outcome_of of = { .t_ms = t0 };
	const unsigned char *p;
	char		 want[128];
	struct err	 e;
	size_t		 i;

	check_case("what no engine would say is refused, with its reason");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		p = (const unsigned char *)bad[i].bytes;
		e.text[0] = '\0';
		CHECK(outcome_unpack(&rec, &p, p + bad[i].len, &of, &e) !=
		    RC_OK);
		(void)snprintf(want, sizeof(want), "outcome: %s",
		    bad[i].why);
		CHECK_STR(e.text, want);
	}
}

/* `len` bytes just before memory that must not be touched. */
static unsigned char *
at_the_edge(size_t len)
{
	static unsigned char *map;
	size_t		 page = (size_t)sysconf(_SC_PAGESIZE);

	if (map == NULL) {
		map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (map == MAP_FAILED ||
		    mprotect(map + page, page, PROT_NONE) != 0)
			exit(1);
	}
	return map + page - len;
}

static void
test_cut(void)
{
	const struct sample *s;
	unsigned char	*p;
	size_t		 len;
	int		 i;

	check_case("cut anywhere it is refused, and nothing read beyond");
	for (i = 0; i < n_samples; i++) {
		s = &samples[i];
		for (len = 0; len < s->len; len++) {
			p = at_the_edge(len);
			memcpy(p, s->bytes, len);
			CHECK(refused_or_same(p, len, &s->of));
		}
	}
}

static void
test_flipped(void)
{
	const struct sample *s;
	unsigned char	*p;
	size_t		 at, refused = 0, taken = 0;
	int		 i, bit_no;

	check_case("a bit flipped: refused, or another outcome's bytes");
	for (i = 0; i < n_samples; i++) {
		s = &samples[i];
		p = at_the_edge(s->len);
		memcpy(p, s->bytes, s->len);
		for (at = 0; at < s->len; at++)
		for (bit_no = 0; bit_no < 8; bit_no++) {
			p[at] ^= (unsigned char)(1 << bit_no);
			if (refused_or_same(p, s->len, &s->of))
				refused++;
			else
				taken++;
			p[at] = s->bytes[at];
		}
	}
	CHECK(refused > 0 && taken > 0);
}

/* For tests/fuzz/corpus/outcome: what the fuzz target reads. */
static int
write_corpus(const char *dir)
{
	const struct sample *s;
	unsigned char	 of[32];
	char		 path[4096];
	FILE		*f;
	int		 i;

	for (i = 0; i < n_samples; i += 7) {
		s = &samples[i];
		put_le64(of, s->of.id.lo);
		put_le64(of + 8, s->of.id.hi);
		put_le64(of + 16, (uint64_t)s->of.amount_sat);
		put_le64(of + 24, (uint64_t)s->of.t_ms);
		(void)snprintf(path, sizeof(path), "%s/%03d", dir, i);
		if ((f = fopen(path, "we")) == NULL ||
		    fwrite(of, sizeof(of), 1, f) != 1 ||
		    fwrite(s->bytes, s->len, 1, f) != 1 || fclose(f) != 0) {
			perror(path);
			return 1;
		}
	}
	return 0;
}

/* test_outcome [FOLDER]: write seeds for the fuzzer there. */
int
main(int argc, char **argv)
{
	test_plays();
	test_seen();
	test_words();
	test_ends();
	test_largest();
	test_sizes();
	test_refused();
	test_cut();
	test_flipped();
	if (argc > 1 && write_corpus(argv[1]) != 0)
		return 1;
	return check_done();
}
