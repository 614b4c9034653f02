/*
 * Trust (S30 to S34), habits and normals (S35 to S40), chance, exemptions
 * and ceilings (S41 to S45), as the engine joins them; the arithmetic has
 * its own tests.
 */
#include "engine/test/world.h"

#define ALLOW	"policy 1\ndefault allow\n"
#define TRUST	ALLOW "trust proven after 3d full at 10d used in 10d upto " \
	"300 btc\nhold \"unproven\" when not proven and amount > 0.1 btc\n"

static int	 next_number;

/* Ask under a new name; was it released at once? */
static bool
ask(const char *account, const char *address, int64_t mbtc)
{
	char		 id[24];

	(void)snprintf(id, sizeof(id), "n%d", next_number++);
	return world_ask(id, account, address, mbtc) == STATE_RELEASED;
}

/* Ask, and let people release what is held. */
static void
pay(const char *account, const char *address, int64_t mbtc)
{
	char		 id[24];

	(void)snprintf(id, sizeof(id), "n%d", next_number++);
	if (world_ask(id, account, address, mbtc) != STATE_RELEASED)
		world_about(INPUT_RELEASE, id);
	CHECK_INT(world_state(id), STATE_RELEASED);
}

static void
test_trust(void)
{
	check_case("S30 what ripened proves as much again");
	world_begin(TRUST);
	world_account("a");
	world_account("b");
	CHECK(!ask("a", "x", 5000));
	pay("a", "x", 5000);
	world_at(DAY(2));
	CHECK(!ask("a", "x", 200));
	world_at(DAY(14));
	CHECK(ask("a", "x", 4900));
	CHECK(!ask("a", "x", 1000));

	check_case("S32 trust is of the pair alone");
	CHECK(!ask("b", "x", 200));
	CHECK(!ask("a", "y", 200));

	check_case("S30 what waits on trust has used it");
	world_begin(TRUST "delay 6h when amount > 2 btc\n");
	world_account("a");
	pay("a", "x", 5000);
	world_at(DAY(14));
	CHECK_INT(world_ask("w1", "a", "x", 3000), STATE_WAITING);
	CHECK(!ask("a", "x", 2500));
	CHECK(ask("a", "x", 1900));
	world_at(DAY(14) + HOUR(6));
	CHECK_INT(world_state("w1"), STATE_RELEASED);
	CHECK(!ask("a", "x", 1000));

	check_case("S30 a cancelled one gives its trust back");
	world_begin(TRUST "delay 6h when amount > 2 btc\n");
	world_account("a");
	pay("a", "x", 5000);
	world_at(DAY(14));
	CHECK_INT(world_ask("w1", "a", "x", 4000), STATE_WAITING);
	CHECK(!ask("a", "x", 1500));
	world_about(INPUT_CANCEL, "w1");
	CHECK(ask("a", "x", 1500));

	check_case("S32 a security change ripens all anew");
	world_begin(TRUST);
	world_account("a");
	pay("a", "x", 5000);
	world_at(DAY(14));
	world_apply((struct input){ .type = INPUT_SECURITY_CHANGE,
	    .account = world_id("a") });
	CHECK(!ask("a", "x", 1000));
	world_at(DAY(28));
	CHECK(ask("a", "x", 1000));
}

static void
test_trust_lost(void)
{
	check_case("S32 a confirmed fraud ends a destination's credit for all");
	world_begin(TRUST);
	world_account("a");
	world_account("b");
	pay("a", "x", 5000);
	pay("b", "x", 1000);
	world_at(DAY(14));
	CHECK_INT(world_ask("w1", "b", "x", 3000), STATE_HELD);
	world_about(INPUT_DENY, "w1");
	CHECK(!ask("a", "x", 1000));
	world_at(DAY(28));
	CHECK(!ask("a", "x", 1000));

	check_case("S32 a denial by a person ripens the account's all anew");
	world_begin(TRUST);
	world_account("a");
	pay("a", "x", 5000);
	world_at(DAY(14));
	CHECK_INT(world_ask("w1", "a", "y", 3000), STATE_HELD);
	world_about(INPUT_DENY, "w1");
	CHECK(!ask("a", "x", 1000));
	world_at(DAY(28));
	CHECK(ask("a", "x", 1000));

	check_case("S32 reported after it was paid: the same");
	world_begin(TRUST);
	world_account("a");
	world_account("b");
	pay("a", "x", 5000);
	CHECK_INT(world_ask("w1", "b", "x", 50), STATE_RELEASED);
	world_at(DAY(14));
	world_apply((struct input){ .type = INPUT_OUTCOME,
	    .id = world_id("w1"), .paid = PAID_DENIED });
	CHECK(!ask("a", "x", 1000));

}

static void
test_pairs(void)
{
	struct engine_config c = { .accounts = 100, .pairs = 2,
		.receipt_at_release = true };

	check_case("S33 full: the pair with the least is forgotten");
	world_begin_with(TRUST, &c);
	world_account("a");
	pay("a", "x", 5000);
	pay("a", "y", 1000);
	pay("a", "z", 2000);
	world_at(DAY(14));
	CHECK(!ask("a", "y", 500));
	CHECK(ask("a", "x", 500));
	CHECK(ask("a", "z", 500));

	check_case("S33 a pair whose trust waits is not forgotten");
	world_begin_with(TRUST "delay 6h when amount > 2 btc\n", &c);
	world_account("a");
	pay("a", "x", 3000);
	pay("a", "y", 9000);
	world_at(DAY(14));
	CHECK_INT(world_ask("w1", "a", "x", 2500), STATE_WAITING);
	pay("a", "z", 1000);
	world_at(DAY(14) + HOUR(6));
	CHECK_INT(world_state("w1"), STATE_RELEASED);
	CHECK(!ask("a", "x", 2000));
	CHECK(ask("a", "x", 400));

	check_case("S33 a pair holds its destination");
	{
		struct engine_config one = { .accounts = 10, .destinations = 1,
			.receipt_at_release = true };

		world_begin_with(TRUST, &one);
		world_account("a");
		pay("a", "x", 5000);
		world_at(DAY(365));
		CHECK(!ask("a", "y", 1));
		CHECK_INT(world_last()->why, WHY_FULL_DESTINATIONS);
	}

}

static void
test_trust_taught(void)
{
	check_case("S34 history teaches trust and is not judged");
	world_begin(TRUST);
	world_account("a");
	{
		struct input in = world_withdraw("h1", "a", "x", 5000);

		in.history = true;
		world_apply(in);
		CHECK_INT(world_state("h1"), STATE_RELEASED);
	}
	world_at(DAY(14));
	CHECK(ask("a", "x", 4900));


	check_case("S34 an imported address book bridges the first weeks");
	world_begin(TRUST "set trust listed until 2019-05-20 upto 2 btc\n");
	world_account("a");
	world_apply((struct input){ .type = INPUT_ADDRESS_ADD,
	    .account = world_id("a"), .script = world_id("x"),
	    .history = true });
	world_apply((struct input){ .type = INPUT_ADDRESS_ADD,
	    .account = world_id("a"), .script = world_id("y") });
	CHECK(ask("a", "x", 1500));
	CHECK(!ask("a", "x", 1500));
	CHECK(!ask("a", "y", 1500));
	/* What was paid has ripened, the list has ended. */
	world_at(DAY(20));
	CHECK(!ask("a", "x", 1600));
}

static void
test_trust_stopped(void)
{
	check_case("S29 one credit does not prove two that were stopped");
	world_begin(TRUST);
	world_account("a");
	pay("a", "x", 5000);
	world_at(DAY(14));
	world_about(INPUT_HALT, NULL);
	CHECK_INT(world_ask("w1", "a", "x", 4000), STATE_STOPPED);
	CHECK_INT(world_ask("w2", "a", "x", 4000), STATE_STOPPED);
	world_about(INPUT_RESUME, NULL);
	CHECK_INT(world_state("w1"), STATE_RELEASED);
	CHECK_INT(world_state("w2"), STATE_HELD);

	check_case("S29 what is found in another class is counted there too");
	world_begin(TRUST "hold \"crowd\" when count asked by account in 24h "
	    "of not proven > 0 and amount > 3 btc\n");
	world_account("a");
	pay("a", "x", 5000);
	world_at(DAY(14));
	world_about(INPUT_HALT, NULL);
	CHECK_INT(world_ask("w1", "a", "x", 4000), STATE_STOPPED);
	CHECK_INT(world_ask("w2", "a", "x", 4000), STATE_STOPPED);
	world_about(INPUT_RESUME, NULL);
	CHECK(!world_spoke("w1", "crowd"));
	CHECK(world_spoke("w2", "crowd"));
	CHECK_INT(engine_read_platform(world.engine, 0), -1);
	CHECK_INT(world_ask("w3", "a", "x", 50), STATE_RELEASED);
	world_begin(TRUST "shadow hold when count asked on platform in 24h of "
	    "not proven > 9\n");
	world_account("a");
	pay("a", "x", 5000);
	world_at(DAY(14));
	world_about(INPUT_HALT, NULL);
	CHECK_INT(world_ask("w1", "a", "x", 4000), STATE_STOPPED);
	CHECK_INT(world_ask("w2", "a", "x", 4000), STATE_STOPPED);
	CHECK_INT(engine_read_platform(world.engine, 0), 0);
	world_about(INPUT_RESUME, NULL);
	CHECK_INT(engine_read_platform(world.engine, 0), 1);
}

static void
test_habit(void)
{
	int		 day;

	check_case("S36 habit: 0 while nothing is known, then the usual");
	world_begin(ALLOW "hold when amount > 3 x habit\n");
	world_account("a");
	CHECK(!ask("a", "x", 1000));
	for (day = 0; day < 8; day++) {
		world_at(DAY(day));
		pay("a", "x", 1000);
	}
	world_at(DAY(14));
	CHECK(ask("a", "x", 1500));
	CHECK(!ask("a", "x", 9000));

	check_case("S36 habit unproven leaves out what is proven");
	world_begin(TRUST "shadow hold \"u\" when amount > habit unproven\n"
	    "shadow hold \"h\" when amount > habit\n");
	world_account("a");
	pay("a", "x", 50000);
	for (day = 14; day < 24; day++) {
		world_at(DAY(day));
		CHECK(ask("a", "x", 1000));
	}
	world_at(DAY(30));
	/* Above the usual 1 btc, but not above the one unproven day. */
	CHECK(ask("a", "x", 2000));
	CHECK_INT(world.joined[world.n_out - 1].shadowed[0], 4);

	check_case("S35 a fraud found in time is not learnt as a habit");
	world_begin(ALLOW "hold when amount > 3 x habit and amount > 2 btc\n");
	world_account("a");
	for (day = 0; day < 8; day++) {
		char id[8];

		(void)snprintf(id, sizeof(id), "w%d", day);
		world_at(DAY(day));
		CHECK_INT(world_ask(id, "a", "x", 1900), STATE_RELEASED);
		world_apply((struct input){ .type = INPUT_OUTCOME,
		    .id = world_id(id), .paid = PAID_DENIED });
	}
	world_at(DAY(20));
	CHECK(!ask("a", "x", 3000));
}

/* Ten of so many accounts ask at noon of each day. */
static void
crowd(int accounts, int day_from, int day_to)
{
	char		 name[24];
	int		 day, i;

	for (day = day_from; day < day_to; day++)
		for (i = 0; i < accounts; i++) {
			(void)snprintf(name, sizeof(name), "c%d", i);
			world_at(DAY(day) + HOUR(12) + MIN(i));
			world.n_out = 0;
			world_account(name);
			(void)ask(name, name, 10);
		}
}

static void
test_normals(void)
{
	char		 id[24];
	int64_t		 clean;
	int		 day;

	check_case("S40 until learnt the fixed line");
	world_begin(ALLOW "hold \"crowd\" when distinct accounts asked on "
	    "platform in 6h > normal by 50 % until learnt 12\n");
	crowd(12, 0, 1);
	CHECK_INT(world_last()->state, STATE_RELEASED);
	CHECK_INT(engine_read_normal(world.engine, 0), -1);
	CHECK_INT(engine_read_platform(world.engine, 0), 12);
	world_account("c12");
	CHECK(!ask("c12", "x", 10));

	check_case("S37 S39 then the normal of that very counter");
	world_begin(ALLOW "hold \"crowd\" when distinct accounts asked on "
	    "platform in 6h > normal by 50 % until learnt 100\n");
	crowd(20, 0, 30);
	CHECK(engine_read_normal(world.engine, 0) > 5);
	CHECK(engine_read_normal(world.engine, 0) <= 21);
	/* 20 + 50 % + 3 isqrt(20): some 42 at most. */
	crowd(90, 30, 31);
	CHECK_INT(world_last()->state, STATE_HELD);

	check_case("S35 a day in which fraud was found is not learnt");
	world_begin(ALLOW "hold \"crowd\" when distinct accounts asked on "
	    "platform in 6h > normal by 50 % until learnt 100\n");
	crowd(20, 0, 20);
	for (day = 20; day < 40; day++) {
		crowd(40, day, day + 1);
		(void)snprintf(id, sizeof(id), "n%d", next_number - 1);
		world_apply((struct input){ .type = INPUT_OUTCOME,
		    .id = world_id(id), .paid = PAID_DENIED });
	}
	world_at(DAY(39) + HOUR(13));
	clean = engine_read_normal(world.engine, 0);
	world_begin(ALLOW "hold \"crowd\" when distinct accounts asked on "
	    "platform in 6h > normal by 50 % until learnt 100\n");
	crowd(20, 0, 20);
	crowd(40, 20, 40);
	world_at(DAY(39) + HOUR(13));
	CHECK(engine_read_normal(world.engine, 0) > clean);
	CHECK(clean > 0);
}

/* One day: so many who pay their own address, then strangers to it. */
static void
busy_day(int day, int known, int unknown)
{
	char		 name[24], address[24];
	int		 i;

	world.n_out = 0;
	for (i = 0; i < known; i++) {
		(void)snprintf(name, sizeof(name), "c%d", i);
		world_at(DAY(day) + HOUR(12));
		(void)ask(name, name, 10);
	}
	for (i = 0; i < unknown; i++) {
		(void)snprintf(name, sizeof(name), "u%d", i);
		(void)snprintf(address, sizeof(address), "u%d-%d", i, day);
		world_at(DAY(day) + HOUR(12));
		(void)ask(name, address, 10);
	}
}

static int64_t
busy_held(int known)
{
	char		 name[24];
	int		 i, day, held = 0;

	world_begin(ALLOW "trust proven after 1d full at 2d used in 1d upto "
	    "300 btc\n"
	    "hold \"crowd\" when not proven and distinct accounts asked on "
	    "platform in 6h of not proven > busy normal by 0 % until learnt "
	    "500\n");
	for (i = 0; i < 40; i++) {
		(void)snprintf(name, sizeof(name), "%c%d", i < 20 ? 'c' : 'u',
		    i % 20);
		world_account(name);
	}
	/* Every fifth day twice as many, so that those too are proven. */
	for (day = 0; day < 120; day++)
		busy_day(day, day % 5 == 0 ? 16 : 8, 4);
	busy_day(121, known, 12);
	for (i = 0; i < world.n_out; i++)
		held += world.out[i].type == OUTCOME_DECIDED &&
		    world.out[i].state == STATE_HELD;
	return held;
}

static void
test_busy(void)
{
	check_case("S38 busy widens a line when the proven crowd grows");
	CHECK(busy_held(8) > 0);
	CHECK(busy_held(16) + 3 < busy_held(8));

	check_case("S38 and never narrows it");
	CHECK(busy_held(0) < 12);
	CHECK_INT(busy_held(0), busy_held(3));
}

static void
test_lots(void)
{
	bool		 drawn[2][40];
	int		 i, run, held = 0;

	check_case("S41 one in ten, by the secret key");
	world_begin(ALLOW "hold by lot 1 in 10 \"look\" when amount > 0 btc\n");
	world_account("a");
	for (i = 0; i < 2000; i++)
		held += !ask("a", "x", 1);
	CHECK(held > 140 && held < 260);

	check_case("S41 over the number as well as the id: ids cannot be "
	    "tried until one is not drawn");
	for (run = 0; run < 2; run++) {
		world_begin(ALLOW "hold by lot 1 in 2 \"look\" when amount > "
		    "0 btc\n");
		world_account("a");
		if (run == 1)
			CHECK(ask("none", "x", 1) == false);
		for (i = 0; i < 40; i++) {
			char id[8];

			(void)snprintf(id, sizeof(id), "w%d", i);
			drawn[run][i] = world_ask(id, "a", "x", 1) ==
			    STATE_HELD;
		}
	}
	CHECK(memcmp(drawn[0], drawn[1], sizeof(drawn[0])) != 0);

	check_case("S41 one look a btc, however it is sliced");
	world_begin(ALLOW "hold by lot 1 per 1 btc \"look\" when amount > "
	    "0 btc\n");
	world_account("a");
	for (i = held = 0; i < 2000; i++)
		held += !ask("a", "x", 50);
	CHECK(held > 60 && held < 150);
	CHECK(!ask("a", "x", 1000));

	check_case("S42 a threshold is lowered, never raised");
	world_begin(ALLOW "hold when amount > 10 btc less up to 25 %\n");
	world_account("a");
	for (i = held = 0; i < 40; i++) {
		world_at(DAY(i));
		CHECK(ask("a", "x", 7500));
		CHECK(!ask("a", "x", 10001));
		held += !ask("a", "x", 8750);
	}
	CHECK(held > 5 && held < 35);
}

static void
test_exempt(void)
{
	check_case("S43 an exemption silences the named rule up to its limit");
	world_begin("policy 1\ndefault allow\nset exemptions upto 90 % of hot\n"
	    "table <makers> of accounts { \"a\" }\n"
	    "hold \"big\" when amount > 5 btc\n"
	    "hold \"huge\" when amount > 50 btc\n"
	    "exempt \"maker\" from big when account in <makers> "
	    "upto 20 btc in 24h until 2027-03-31\n");
	world_account("a");
	world_account("b");
	world_amount(INPUT_HOT_BALANCE, NULL, 1000000);
	CHECK(!ask("b", "x", 6000));
	CHECK(ask("a", "x", 10000));
	CHECK(ask("a", "x", 10000));
	CHECK(!ask("a", "x", 10000));
	world_at(DAY(2));
	CHECK(ask("a", "x", 10000));
	CHECK(!ask("a", "x", 60000));

	check_case("S45 a ceiling counts every release and denies");
	world_begin(ALLOW "ceiling 10 btc in 24h\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 9000), STATE_RELEASED);
	CHECK_INT(world_ask("w2", "a", "x", 1001), STATE_DENIED);
	CHECK_INT(world_ask("w3", "a", "x", 1000), STATE_RELEASED);
}

int
main(void)
{
	test_trust();
	test_trust_lost();
	test_pairs();
	test_trust_taught();
	test_trust_stopped();
	test_habit();
	test_normals();
	test_busy();
	test_lots();
	test_exempt();
	world_end();
	return check_done();
}
