/*
 * What the engine promises whatever comes: books that are zero, a clock that
 * does not go back, refusals when full, no allocation and no look at a clock
 * while it decides, equal inputs to equal states.
 */
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

#include "engine/test/world.h"

#define ALLOW	"policy 1\ndefault allow\n"

/*
 * Everything that could take memory or tell the time, counted: the linker
 * finds these before the library's.
 */
static bool	 watching;
static int	 allocations;
static int	 clocks;

void *__real_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__real_realloc(void *, size_t);
void *__real_mmap(void *, size_t, int, int, int, off_t);
int __real_clock_gettime(clockid_t, struct timespec *);
int __real_gettimeofday(struct timeval *, void *);
time_t __real_time(time_t *);
void *__wrap_malloc(size_t);
void *__wrap_calloc(size_t, size_t);
void *__wrap_realloc(void *, size_t);
void *__wrap_mmap(void *, size_t, int, int, int, off_t);
int __wrap_clock_gettime(clockid_t, struct timespec *);
int __wrap_gettimeofday(struct timeval *, void *);
time_t __wrap_time(time_t *);

void *
__wrap_malloc(size_t n)
{
	allocations += watching;
	return __real_malloc(n);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	allocations += watching;
	return __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t n)
{
	allocations += watching;
	return __real_realloc(p, n);
}

void *
__wrap_mmap(void *at, size_t n, int prot, int flags, int fd, off_t off)
{
	allocations += watching;
	return __real_mmap(at, n, prot, flags, fd, off);
}

int
__wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
	clocks += watching;
	return __real_clock_gettime(id, ts);
}

int
__wrap_gettimeofday(struct timeval *tv, void *tz)
{
	clocks += watching;
	return __real_gettimeofday(tv, tz);
}

time_t
__wrap_time(time_t *t)
{
	clocks += watching;
	return __real_time(t);
}

/* A policy that uses nearly everything there is. */
static const char busy_policy[] =
    "policy 1\n"
    "default hold\n"
    "set exemptions upto 50 % of hot\n"
    "trust proven after 3d full at 10d used in 10d upto 300 btc\n"
    "let outlay = sum asked by account in 24h of not proven\n"
    "class small when not proven and outlay < 0.5 btc\n"
    "class surprising when not proven and not small and outlay > 3 x habit\n"
    "allow when amount < 200 btc\n"
    "delay 1h \"d\" when surprising and outlay >= 2 btc\n"
    "step-up when via web and not code given and amount >= 5 btc\n"
    "hold \"pile-up\" when surprising and distinct accounts asked on platform "
    "in 6h of surprising > busy normal by 80 % plus 3 until learnt 12\n"
    "delay 6h when small and sum asked on platform in 6h of small > busy "
    "normal by 100 % plus 20 btc until learnt 60 btc\n"
    "hold \"one\" when sum committed to destination in 7d of not proven > "
    "20 % of hot\n"
    "hold \"net\" when distinct accounts asked by ip/24 in 1h > 4\n"
    "hold when ip new to account and ip new to platform and amount > 90 btc\n"
    "hold by lot 1 per 50 btc \"look\" when surprising\n"
    "deny when sum committed by account in 24h > 150 btc\n"
    "halt \"bleeding\" when sum committed on platform in 1h > 2000 btc\n"
    "ceiling 5,000 btc in 24h, 500 btc each\n";

static uint64_t
next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* One input of any kind about a small world; so many were asked for. */
static struct input
random_input(uint64_t *seed, int *asked)
{
	static const enum input_type types[] = { INPUT_WITHDRAW,
		INPUT_WITHDRAW, INPUT_WITHDRAW, INPUT_WITHDRAW,
		INPUT_WITHDRAW, INPUT_WITHDRAW, INPUT_LOGIN, INPUT_DEPOSIT,
		INPUT_RELEASE, INPUT_DENY, INPUT_CANCEL, INPUT_CODE,
		INPUT_OUTCOME, INPUT_RECEIPT, INPUT_RECEIPT, INPUT_RECEIPT,
		INPUT_RECEIPT, INPUT_BURNED, INPUT_TICK,
		INPUT_ACCOUNT, INPUT_ACCOUNT, INPUT_KEY, INPUT_SECURITY_CHANGE,
		INPUT_ADDRESS_ADD, INPUT_HOT_BALANCE, INPUT_FREEZE,
		INPUT_UNFREEZE, INPUT_UNFREEZE, INPUT_HALT, INPUT_RESUME,
		INPUT_RESUME, INPUT_CHAIN_SEEN, INPUT_BALANCE };
	uint64_t	 r = next_random(seed);
	char		 name[24];
	struct input	 in = { .limit_sat = -1, .tier = -1 };

	in.type = types[r % (sizeof(types) / sizeof(types[0]))];
	(void)snprintf(name, sizeof(name), "a%d", (int)(r >> 8) & 31);
	in.account = world_id(name);
	(void)snprintf(name, sizeof(name), "x%d", (int)(r >> 13) & 63);
	in.script = world_id(name);
	(void)snprintf(name, sizeof(name), "w%d", in.type == INPUT_WITHDRAW ?
	    (*asked)++ : *asked - (int)((r >> 20) % 40));
	in.id = world_id(name);
	in.amount_sat = (int64_t)(next_random(seed) % 3000) * MBTC;
	if (in.type == INPUT_DEPOSIT || in.type == INPUT_BALANCE)
		in.amount_sat *= 20;
	if (in.type == INPUT_HOT_BALANCE)
		in.amount_sat = 30000 * SAT_PER_BTC;
	if (in.type == INPUT_KEY) {
		in.key = in.account;
		in.withdraw = true;
	}
	in.via = (enum via)(r >> 30 & 3);
	in.code = (enum tri)(r >> 32 & 1) + 1;
	in.paid = (enum paid)(r >> 34 & 3);
	/* Rare, or everything would be frozen and stopped most of the time. */
	in.not_me = (r >> 36 & 63) == 0;
	if ((in.type == INPUT_FREEZE || in.type == INPUT_HALT) &&
	    (r >> 36 & 7) != 0)
		in.type = INPUT_UNFREEZE;
	in.has_ip = (r >> 40 & 3) != 0;
	in.ip[10] = in.ip[11] = 0xff;
	in.ip[14] = (unsigned char)(r >> 42 & 7);
	in.ip[15] = (unsigned char)(r >> 45);
	in.t_ms = (int64_t)(r >> 50) * 40;
	return in;
}

static void
ignore(void *ctx, const struct outcome *o)
{
	(void)ctx;
	(void)o;
}

/* Many inputs of all kinds: the books after each, memory and clocks never. */
static void
storm(unsigned char hash[32], uint64_t seed, int n)
{
	struct engine_sink sink = { ignore, NULL };
	struct input	 in;
	int64_t		 t_ms = WORLD_BEGIN_MS;
	int		 i, asked = 0, broken = 0;

	for (i = 0; i < n; i++) {
		in = random_input(&seed, &asked);
		t_ms += in.t_ms;
		in.t_ms = t_ms;
		watching = true;
		engine_apply(world.engine, &in, &sink);
		watching = false;
		broken += engine_books_sum_sat(world.engine) != 0;
	}
	CHECK_INT(broken, 0);
	engine_state_hash(world.engine, hash);
}

static void
test_storm(void)
{
	struct engine_config c = { .accounts = 40, .destinations = 50,
		.pairs = 60, .waiting = 250, .withdrawals = 9000,
		.networks = 20 };
	unsigned char	 a[32], b[32], other[32];

	check_case("ledger: all books are zero after every input");
	world_begin_with(busy_policy, &c);
	allocations = clocks = 0;
	storm(a, 42, 8000);
	check_case("apply() takes no memory");
	CHECK_INT(allocations, 0);
	check_case("apply() looks at no clock");
	CHECK_INT(clocks, 0);

	check_case("the same where a release is its own receipt");
	c.receipt_at_release = true;
	world_begin_with(busy_policy, &c);
	storm(a, 7, 8000);
	CHECK_INT(allocations, 0);
	c.receipt_at_release = false;

	check_case("the same inputs make the same state, byte for byte");
	world_begin_with(busy_policy, &c);
	storm(a, 42, 8000);
	world_begin_with(busy_policy, &c);
	storm(b, 42, 8000);
	CHECK(memcmp(a, b, sizeof(a)) == 0);
	world_begin_with(busy_policy, &c);
	storm(other, 43, 8000);
	CHECK(memcmp(a, other, sizeof(a)) != 0);
}

static void
test_books(void)
{
	check_case("ledger: what waits is taken, what ends is given back");
	world_begin(ALLOW "delay 1h when amount > 1 btc\n");
	world_account("a");
	world_amount(INPUT_DEPOSIT, "a", 10000);
	CHECK_INT(world_ask("w1", "a", "x", 4000), STATE_WAITING);
	CHECK_INT(engine_account_balance_sat(world.engine, world_id("a")),
	    6000 * MBTC);
	CHECK_INT(world_ask("w2", "a", "x", 7000), STATE_DENIED);
	world_about(INPUT_CANCEL, "w1");
	CHECK_INT(engine_account_balance_sat(world.engine, world_id("a")),
	    10000 * MBTC);
	CHECK_INT(world_ask("w3", "a", "x", 500), STATE_RELEASED);
	CHECK_INT(engine_account_balance_sat(world.engine, world_id("a")),
	    9500 * MBTC);
	world_amount(INPUT_BALANCE, "a", 100);
	CHECK_INT(engine_account_balance_sat(world.engine, world_id("a")),
	    100 * MBTC);

	check_case("ledger external: nothing is booked here");
	world_begin(ALLOW "set ledger external\n");
	world_account("a");
	world_amount(INPUT_DEPOSIT, "a", 10);
	CHECK_INT(world_ask("w1", "a", "x", 4000), STATE_RELEASED);
	CHECK_INT(engine_account_balance_sat(world.engine, world_id("a")),
	    -1);

	check_case("a deposit beyond all coins is refused");
	world_begin(ALLOW);
	world_account("a");
	world_amount(INPUT_DEPOSIT, "a", INT64_C(20999999) * 1000);
	world_amount(INPUT_DEPOSIT, "a", 2000);
	CHECK_INT(world_last()->why, WHY_OVERFLOW);
}

static void
test_clock(void)
{
	check_case("H2 a clock that goes back holds the last value");
	world_begin(ALLOW "delay 1h when amount > 1 btc\n");
	world_account("a");
	world_at(HOUR(5));
	world.t_ms = HOUR(1);
	CHECK_INT(world_ask("w1", "a", "x", 2000), STATE_WAITING);
	CHECK_INT(world_of("w1")->t_ms, WORLD_BEGIN_MS + HOUR(5));
	CHECK_INT(world_of("w1")->due_ms, WORLD_BEGIN_MS + HOUR(6));
	CHECK_INT(engine_next_due_ms(world.engine), WORLD_BEGIN_MS + HOUR(6));

	check_case("what is due is decided at its own time, in order");
	world_begin(ALLOW "delay 1h when amount > 2 btc\n"
	    "delay 2h when amount <= 2 btc\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 1000), STATE_WAITING);
	CHECK_INT(world_ask("w2", "a", "x", 3000), STATE_WAITING);
	world_at(DAY(1));
	CHECK(ident_equal(world.out[world.n_before].id, world_id("w2")));
	CHECK_INT(world_of("w2")->released_ms, WORLD_BEGIN_MS + HOUR(1));
	CHECK_INT(world_of("w1")->released_ms, WORLD_BEGIN_MS + HOUR(2));
}

static void
test_absurd(void)
{
	char		 id[16];
	int		 i, denied = 0;

	check_case("S16 thousands who each move all coins fill the counters");
	world_begin(ALLOW "set ledger external\n"
	    "delay 1h when amount < 1 btc\n"
	    "shadow hold when sum asked on platform in 24h > 1 btc\n"
	    "shadow hold when sum released on platform in 24h > 1 btc\n"
	    "shadow hold when sum committed on platform in 24h > 1 btc\n");
	world_account("a");
	for (i = 0; i < 10000; i++) {
		(void)snprintf(id, sizeof(id), "w%d", i);
		world.n_out = 0;
		denied += world_ask(id, "a", "x", INT64_C(21000000) * 1000) ==
		    STATE_DENIED;
	}
	CHECK_INT(denied, 0);
	for (i = 0; i < 3; i++)
		CHECK_INT(engine_read_platform(world.engine, i), INT64_MAX);
	world_at(DAY(2));
	CHECK_INT(engine_read_platform(world.engine, 0), 0);

	check_case("and what waits or is booked overflows nothing");
	world_begin(ALLOW "delay 1h when amount > 1 btc\n");
	world_account("a");
	for (i = denied = 0; i < 3000; i++) {
		(void)snprintf(id, sizeof(id), "w%d", i);
		world.n_out = 0;
		denied += world_ask(id, "a", "x", INT64_C(21000000) * 1000) ==
		    STATE_DENIED;
	}
	CHECK(denied > 1000 && denied < 2500);

	check_case("a time beyond 2100 is refused");
	world_apply((struct input){ .type = INPUT_TICK });
	world.t_ms = INT64_MAX / 2;
	world_apply((struct input){ .type = INPUT_TICK });
	CHECK_INT(world_last()->why, WHY_CLOCK);
	world.t_ms = HOUR(1);
	world_apply((struct input){ .type = INPUT_TICK });
	CHECK_INT(world_last()->type, OUTCOME_TAKEN);
}

static void
test_size(void)
{
	struct engine_usage u;

	check_case("an account costs at most 256 bytes, one pair included");
	world_begin(
	    "policy 1\n"
	    "default hold\n"
	    "trust proven after 3d full at 10d used in 10d upto 3 % of hot\n"
	    "let outlay = sum asked by account in 24h of not proven\n"
	    "class small when not proven and outlay < 0.5 btc\n"
	    "class surprising when not proven and not small and outlay > "
	    "3 x habit unproven\n"
	    "allow when proven or amount < 2 % of hot\n"
	    "hold when age of credentials < 7d and surprising\n"
	    "hold when age of limit < 7d and surprising\n"
	    "deny when sum committed by account in 24h > limit of account\n");
	engine_usage(world.engine, &u);
	/* Two entries of an index that is at most 7/10 full: 8 bytes each. */
	CHECK(u.bytes_account + u.bytes_pair + 2 * 8 * 10 / 7 <= 256);
	CHECK(u.bytes_account > 150);
}

static void
test_capacity(void)
{
	struct engine_config c = { .accounts = 2, .keys = 1, .waiting = 1,
		.destinations = 2, .withdrawals = 6,
		.receipt_at_release = true };

	check_case("one account more than there is room for is refused");
	world_begin_with(ALLOW "hold when amount > 1 btc\n"
	    "hold when sum asked to destination in 24h > 100 btc\n", &c);
	world_account("a");
	world_account("b");
	world_account("c");
	CHECK_INT(world_last()->type, OUTCOME_REFUSED);
	CHECK_INT(world_last()->why, WHY_FULL_ACCOUNTS);
	CHECK_STR(why_text(world_last()->why), "no room for more accounts");

	check_case("and it keeps working");
	CHECK_INT(world_ask("w1", "a", "x", 1000), STATE_RELEASED);
	CHECK_INT(world_ask("w2", "c", "x", 1000), STATE_DENIED);
	CHECK_INT(world_of("w2")->why, WHY_ACCOUNT);

	check_case("no room to wait: denied, never released");
	CHECK_INT(world_ask("w3", "a", "x", 2000), STATE_HELD);
	CHECK_INT(world_ask("w4", "b", "x", 2000), STATE_DENIED);
	CHECK_INT(world_of("w4")->why, WHY_FULL_WAITING);

	check_case("S7 no room for a destination: held");
	world_about(INPUT_DENY, "w3");
	CHECK_INT(world_ask("w5", "b", "y", 100), STATE_RELEASED);
	CHECK_INT(world_ask("w6", "b", "z", 100), STATE_HELD);
	CHECK_INT(world_of("w6")->why, WHY_FULL_DESTINATIONS);

	check_case("no room to remember an id: denied");
	CHECK_INT(world_ask("w7", "a", "x", 100), STATE_DENIED);
	CHECK_INT(world_of("w7")->why, WHY_FULL_WITHDRAWALS);

	check_case("one key more than there is room for is refused");
	world_apply((struct input){ .type = INPUT_KEY, .key = world_id("k1"),
	    .account = world_id("a") });
	CHECK_INT(world_last()->type, OUTCOME_TAKEN);
	world_apply((struct input){ .type = INPUT_KEY, .key = world_id("k2"),
	    .account = world_id("a") });
	CHECK_INT(world_last()->why, WHY_FULL_KEYS);

	check_case("after its windows are empty a destination makes room");
	world_at(DAY(30));
	CHECK_INT(world_state("w6"), STATE_EXPIRED);
	world_at(DAY(120));
	CHECK_INT(world_ask("w8", "a", "z", 100), STATE_RELEASED);
}

static void
test_reuse(void)
{
	struct engine_config c = { .accounts = 2, .destinations = 1,
		.receipt_at_release = true };

	check_case("a destination that is gone is not taken for the next");
	world_begin_with(ALLOW "deny when count confirmed to destination in "
	    "7d > 0\n", &c);
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 1000), STATE_RELEASED);
	world_at(DAY(40));
	CHECK_INT(world_ask("w2", "a", "y", 1000), STATE_RELEASED);
	world_apply((struct input){ .type = INPUT_OUTCOME,
	    .id = world_id("w1"), .paid = PAID_DENIED });
	CHECK_INT(world_ask("w3", "a", "y", 1000), STATE_RELEASED);
	world_apply((struct input){ .type = INPUT_OUTCOME,
	    .id = world_id("w3"), .paid = PAID_DENIED });
	CHECK_INT(world_ask("w4", "a", "y", 1000), STATE_DENIED);

	check_case("a destination is kept while a withdrawal waits for it");
	world_begin_with(ALLOW "delay 6h when amount > 1 btc\n", &c);
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 2000), STATE_WAITING);
	world_at(HOUR(1));
	CHECK_INT(world_ask("w2", "a", "y", 100), STATE_HELD);
	world_at(HOUR(7));
	CHECK_INT(world_state("w1"), STATE_RELEASED);
	world_at(HOUR(8));
	CHECK_INT(world_ask("w3", "a", "y", 100), STATE_RELEASED);
}

static void
test_reserve(void)
{
	struct engine_config c = { .accounts = 1, .keys = 1, .waiting = 1,
		.destinations = 1, .withdrawals = 1, .pairs = 1,
		.receipt_at_release = true };
	char		 id[16], account[16];
	struct err	 e;
	int		 i, good = 0;

	check_case("tools can make room as they go");
	world_begin_with(ALLOW "hold when amount > 1 btc\n", &c);
	for (i = 0; i < 500; i++) {
		if (engine_reserve(world.engine, 2, &e) != RC_OK)
			break;
		(void)snprintf(account, sizeof(account), "a%d", i);
		(void)snprintf(id, sizeof(id), "w%d", i);
		world_account(account);
		good += world_ask(id, account, account,
		    i % 2 == 0 ? 2000 : 500) ==
		    (i % 2 == 0 ? STATE_HELD : STATE_RELEASED);
	}
	CHECK_INT(good, 500);
}

int
main(void)
{
	test_books();
	test_clock();
	test_absurd();
	test_size();
	test_capacity();
	test_reuse();
	test_reserve();
	test_storm();
	world_end();
	return check_done();
}
