/*
 * Facts (S15 to S26) as the engine has them.
 */
#include "engine/test/world.h"

#define ALLOW	"policy 1\ndefault allow\n"

static void
test_windows(void)
{
	check_case("S15 closed windows: exactly 24h old is inside");
	world_begin(ALLOW "hold when sum asked by account in 24h > 10 btc\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 6000), STATE_RELEASED);
	world_at(HOUR(24));
	CHECK_INT(world_ask("w2", "a", "x", 5000), STATE_HELD);

	check_case("S15 and at most W/B longer");
	world_begin(ALLOW "hold when sum asked by account in 24h > 10 btc\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 6000), STATE_RELEASED);
	world_at(HOUR(27));
	CHECK_INT(world_ask("w2", "a", "x", 5000), STATE_RELEASED);

	check_case("S16 sums are rounded up to 1,000 sat");
	world_begin(ALLOW "hold when sum asked by account in 24h > 1 btc\n");
	world_account("a");
	{
		struct input in = world_withdraw("w1", "a", "x", 0);

		in.amount_sat = SAT_PER_BTC - 999;
		world_apply(in);
		CHECK_INT(world_state("w1"), STATE_RELEASED);
		in = world_withdraw("w2", "a", "x", 0);
		in.amount_sat = 1;
		world_apply(in);
		CHECK_INT(world_state("w2"), STATE_HELD);
	}

	check_case("S17 a full set reads more than anything until one ages");
	world_begin(ALLOW "hold when distinct destinations cap 2 asked by "
	    "account in 1h > 1\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 1), STATE_RELEASED);
	CHECK_INT(world_ask("w2", "a", "x", 1), STATE_RELEASED);
	CHECK_INT(world_ask("w3", "a", "y", 1), STATE_HELD);
	CHECK_INT(world_ask("w4", "a", "z", 1), STATE_HELD);
	world_at(HOUR(3));
	CHECK_INT(world_ask("w5", "a", "z", 1), STATE_RELEASED);
}

static struct input
from_ip(const char *id, const char *account, unsigned char net,
    unsigned char host)
{
	struct input	 in = world_withdraw(id, account, "x", 1000);

	in.has_ip = true;
	in.ip[10] = in.ip[11] = 0xff;
	in.ip[12] = 192;
	in.ip[14] = net;
	in.ip[15] = host;
	return in;
}

static void
test_networks(void)
{
	check_case("S18 ip/24 masks first");
	world_begin(ALLOW "hold when distinct accounts asked by ip/24 in 1h "
	    "> 2\n");
	world_account("a");
	world_account("b");
	world_account("c");
	world_apply(from_ip("w1", "a", 7, 1));
	world_apply(from_ip("w2", "b", 7, 2));
	world_apply(from_ip("w3", "c", 8, 3));
	CHECK_INT(world_state("w3"), STATE_RELEASED);
	world_apply(from_ip("w4", "c", 7, 4));
	CHECK_INT(world_state("w4"), STATE_HELD);
	CHECK_INT(world_ask("w5", "c", "x", 1000), STATE_RELEASED);

	check_case("S7 no room for a network: held, and the others go on");
	{
		struct engine_config c = { .accounts = 10, .networks = 1,
			.receipt_at_release = true };

		world_begin_with(ALLOW "hold when distinct accounts asked by "
		    "ip/24 in 1h > 2\n", &c);
		world_account("a");
		world_apply(from_ip("w1", "a", 7, 1));
		CHECK_INT(world_state("w1"), STATE_RELEASED);
		world_apply(from_ip("w2", "a", 8, 1));
		CHECK_INT(world_state("w2"), STATE_HELD);
		CHECK_INT(world.joined[world.n_out - 1].error, EVAL_FULL);
		world_at(HOUR(3));
		world_apply(from_ip("w3", "a", 8, 1));
		CHECK_INT(world_state("w3"), STATE_RELEASED);
	}

	check_case("an address is new until something from it was released");
	world_begin(ALLOW "hold \"acc\" when ip new to account and amount > "
	    "2 btc\n"
	    "hold \"plat\" when ip new to platform and amount > 2 btc\n");
	world_account("a");
	world_account("b");
	{
		struct input in = from_ip("w1", "a", 7, 1);

		in.amount_sat = 3 * SAT_PER_BTC;
		world_apply(in);
		CHECK_INT(world_state("w1"), STATE_HELD);
		in.id = world_id("w2");
		world_apply(in);
		CHECK_INT(world_state("w2"), STATE_HELD);
		world_apply(from_ip("w3", "a", 7, 1));
		in.id = world_id("w4");
		world_apply(in);
		CHECK_INT(world_state("w4"), STATE_RELEASED);
		in.id = world_id("w5");
		in.account = world_id("b");
		world_apply(in);
		CHECK(world_spoke("w5", "acc"));
		CHECK(!world_spoke("w5", "plat"));
	}

	check_case("networks of a table are compared by prefix");
	world_begin(ALLOW "table <tor> of networks { 192.0.7.0/24 }\n"
	    "deny when ip in <tor>\n");
	world_account("a");
	world_apply(from_ip("w1", "a", 7, 9));
	CHECK_INT(world_state("w1"), STATE_DENIED);
	world_apply(from_ip("w2", "a", 8, 9));
	CHECK_INT(world_state("w2"), STATE_RELEASED);
}

static void
test_partners(void)
{
	struct input	 in;
	int		 i;
	char		 id[8];

	check_case("S18 partner: the intermediary of the key");
	world_begin(ALLOW "hold when sum committed by partner in 24h > "
	    "5 btc\nhold when sum committed by key in 24h > 4 btc\n");
	for (i = 0; i < 2; i++) {
		(void)snprintf(id, sizeof(id), "a%d", i);
		world_account(id);
		in = (struct input){ .type = INPUT_KEY,
		    .account = world_id(id), .withdraw = true,
		    .partner = world_id("broker") };
		id[0] = 'k';
		in.key = world_id(id);
		world_apply(in);
	}
	in = world_withdraw("w1", "a0", "x", 3000);
	in.key = world_id("k0");
	world_apply(in);
	CHECK_INT(world_state("w1"), STATE_RELEASED);
	in = world_withdraw("w2", "a1", "y", 3000);
	in.key = world_id("k1");
	world_apply(in);
	CHECK_INT(world_state("w2"), STATE_HELD);
	in = world_withdraw("w3", "a1", "y", 2000);
	in.key = world_id("k1");
	world_apply(in);
	CHECK_INT(world_state("w3"), STATE_RELEASED);

	check_case("S18 group of a table: its row");
	world_begin(ALLOW "table <firms> of groups { \"a b\", \"c\" }\n"
	    "hold when sum committed by group of <firms> in 24h > 5 btc\n");
	world_account("a");
	world_account("b");
	world_account("z");
	CHECK_INT(world_ask("w1", "a", "x", 3000), STATE_RELEASED);
	CHECK_INT(world_ask("w2", "b", "x", 3000), STATE_HELD);
	CHECK_INT(world_ask("w3", "z", "x", 3000), STATE_RELEASED);
	CHECK_INT(world_ask("w4", "z", "x", 3000), STATE_RELEASED);
}

/* Is the key k2 of account a called young? */
static bool
young(const char *id)
{
	struct input	 in = world_withdraw(id, "a", "x", 1);

	in.key = world_id("k2");
	in.has_ip = true;
	in.ip[10] = in.ip[11] = 0xff;
	in.ip[12] = 10;
	world_apply(in);
	return world_state(id) == STATE_HELD;
}

static void
test_ages(void)
{
	check_case("S20 ages are taken at the input's time");
	world_begin(ALLOW "hold \"c\" when age of credentials < 72h\n"
	    "hold \"a\" when age of account < 24h\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 1), STATE_HELD);
	world_at(HOUR(72));
	CHECK_INT(world_ask("w2", "a", "x", 1), STATE_RELEASED);
	world_apply((struct input){ .type = INPUT_SECURITY_CHANGE,
	    .account = world_id("a") });
	world_at(HOUR(72 + 71));
	CHECK_INT(world_ask("w3", "a", "x", 1), STATE_HELD);
	CHECK(!world_spoke("w3", "a"));
	world_at(HOUR(72 + 72));
	CHECK_INT(world_ask("w4", "a", "x", 1), STATE_RELEASED);

}

static void
test_key_age(void)
{
	struct cidr	 net = { .ip = { [10] = 0xff, [11] = 0xff,
	    [12] = 10 }, .bits = 104 };
	struct input	 in;

	check_case("S23 a key is young again when it is loosened");
	world_begin(ALLOW "hold when age of key < 7d\n");
	world_account("a");
	in = (struct input){ .type = INPUT_KEY, .key = world_id("k"),
		.account = world_id("a") };
	world_apply(in);
	world_at(DAY(8));
	in.withdraw = true;
	world_apply(in);
	in = world_withdraw("w1", "a", "x", 1);
	in.key = world_id("k");
	world_apply(in);
	CHECK_INT(world_state("w1"), STATE_HELD);
	world_at(DAY(15));
	in.id = world_id("w2");
	world_apply(in);
	CHECK_INT(world_state("w2"), STATE_RELEASED);

	check_case("S23 made wider, or valid again: young; narrower: not");
	in = (struct input){ .type = INPUT_KEY, .key = world_id("k2"),
		.account = world_id("a"), .withdraw = true };
	world_apply(in);
	world_at(DAY(30));
	in.cidrs = &net;
	in.n_cidrs = 1;
	world_apply(in);
	CHECK(!young("w3"));
	net.bits = 112;
	world_apply(in);
	CHECK(!young("w4"));
	net.bits = 104;
	world_apply(in);
	CHECK(young("w5"));
	world_at(DAY(40));
	CHECK(!young("w6"));
	in.n_cidrs = 0;
	world_apply(in);
	CHECK(young("w7"));
	world_at(DAY(50));
	world_apply((struct input){ .type = INPUT_KEY_REVOKE,
	    .key = world_id("k2") });
	world_apply(in);
	CHECK(young("w8"));

	check_case("a key never changes hands");
	world_account("b");
	in.account = world_id("b");
	world_apply(in);
	CHECK_INT(world_last()->why, WHY_KEY);
}

static void
test_limit_age(void)
{
	struct input	 in;

	check_case("S23 a limit is young again when it is raised");
	world_begin(ALLOW "hold \"young\" when age of limit < 7d\n"
	    "deny when sum committed by account in 24h > limit of account\n");
	in = (struct input){ .type = INPUT_ACCOUNT,
		.account = world_id("a"), .limit_sat = 2 * SAT_PER_BTC,
		.tier = -1 };
	world_apply(in);
	world_at(DAY(8));
	CHECK_INT(world_ask("w1", "a", "x", 1), STATE_RELEASED);
	in.limit_sat = SAT_PER_BTC;
	world_apply(in);
	CHECK_INT(world_ask("w2", "a", "x", 1), STATE_RELEASED);
	CHECK_INT(world_ask("w3", "a", "x", 1500), STATE_DENIED);
	in.limit_sat = 3 * SAT_PER_BTC;
	world_apply(in);
	CHECK_INT(world_ask("w4", "a", "x", 1500), STATE_HELD);
}

static void
test_destinations(void)
{
	check_case("destination new to account, to platform; received; payers");
	world_begin(ALLOW
	    "shadow hold \"acc\" when destination new to account\n"
	    "hold \"plat\" when destination new to platform and amount > "
	    "2 btc\n"
	    "hold \"got\" when received by destination >= 2 btc\n"
	    "hold \"payers\" when payers of destination > 1\n");
	world_account("a");
	world_account("b");
	CHECK_INT(world_ask("w1", "a", "x", 3000), STATE_HELD);
	CHECK(world_spoke("w1", "plat"));
	CHECK_INT(world_ask("w2", "a", "x", 1000), STATE_RELEASED);
	CHECK_INT(world.joined[world.n_out - 1].shadowed[0], 1);
	CHECK_INT(world_ask("w3", "b", "x", 1000), STATE_RELEASED);
	CHECK_INT(world_ask("w4", "a", "x", 1000), STATE_HELD);
	CHECK(world_spoke("w4", "got"));
	CHECK(world_spoke("w4", "payers"));
	CHECK_INT(world.joined[world.n_out - 1].shadowed[0], 0);

	check_case("age of listing: the address book");
	world_begin(ALLOW "hold when age of listing < 24h\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 1), STATE_HELD);
	world_apply((struct input){ .type = INPUT_ADDRESS_ADD,
	    .account = world_id("a"), .script = world_id("x") });
	world_at(HOUR(23));
	CHECK_INT(world_ask("w2", "a", "x", 1), STATE_HELD);
	world_at(HOUR(25));
	CHECK_INT(world_ask("w3", "a", "x", 1), STATE_RELEASED);
	world_apply((struct input){ .type = INPUT_ADDRESS_ADD,
	    .account = world_id("a"), .script = world_id("x") });
	CHECK_INT(world_ask("w3b", "a", "x", 1), STATE_RELEASED);
	world_apply((struct input){ .type = INPUT_ADDRESS_REMOVE,
	    .account = world_id("a"), .script = world_id("x") });
	CHECK_INT(world_ask("w4", "a", "x", 1), STATE_HELD);

	check_case("H1 a report makes an address younger, never older");
	world_begin(ALLOW "hold when age of destination on chain < 24h\n");
	world_account("a");
	world.t_ms = DAY(10);
	world_apply((struct input){ .type = INPUT_CHAIN_SEEN,
	    .script = world_id("x"), .first_seen_ms = WORLD_BEGIN_MS });
	CHECK_INT(world_ask("w1", "a", "x", 1), STATE_RELEASED);
	world_apply((struct input){ .type = INPUT_CHAIN_SEEN,
	    .script = world_id("x"), .first_seen_ms = WORLD_BEGIN_MS +
	    DAY(10) - 1000 });
	CHECK_INT(world_ask("w2", "a", "x", 1), STATE_HELD);
	world_apply((struct input){ .type = INPUT_CHAIN_SEEN,
	    .script = world_id("x"), .first_seen_ms = WORLD_BEGIN_MS });
	CHECK_INT(world_ask("w3", "a", "x", 1), STATE_HELD);
	CHECK_INT(world_ask("w4", "a", "never seen", 1), STATE_HELD);
}

static void
test_tables(void)
{
	/* The script of bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4 (BIP173). */
	static const unsigned char script[22] = { 0x00, 0x14, 0x75, 0x1e,
		0x76, 0xe8, 0x19, 0x91, 0x96, 0xd4, 0x54, 0x94, 0x1c, 0x45,
		0xd1, 0xb3, 0xa3, 0x23, 0xf1, 0x43, 0x3b, 0xd6 };
	struct input	 in;

	check_case("S25 addresses are compared by script, not by text");
	world_begin(ALLOW "table <bad> of addresses "
	    "{ \"BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4\" }\n"
	    "table <vip> of accounts { \"b\" }\n"
	    "deny when destination in <bad> and not account in <vip>\n");
	world_account("a");
	world_account("b");
	in = world_withdraw("w1", "a", "x", 1);
	in.script = ident_of(&world.config.ids, script, sizeof(script));
	world_apply(in);
	CHECK_INT(world_state("w1"), STATE_DENIED);
	in.id = world_id("w2");
	in.account = world_id("b");
	world_apply(in);
	CHECK_INT(world_state("w2"), STATE_RELEASED);
	CHECK_INT(world_ask("w3", "a", "x", 1), STATE_RELEASED);
}

static void
test_absent(void)
{
	struct input	 in;

	check_case("S21 a missing fact is as bad as can be");
	world_begin(ALLOW "hold \"d\" when device new\n"
	    "declare kyc number unknown is 0\n"
	    "hold \"k\" when kyc < 2\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 1), STATE_HELD);
	CHECK(world_spoke("w1", "d"));
	CHECK(world_spoke("w1", "k"));
	world_apply((struct input){ .type = INPUT_LOGIN,
	    .account = world_id("a"), .device_new = TRI_NO });
	world_apply((struct input){ .type = INPUT_FACT,
	    .account = world_id("a"), .declared = 0, .value = 2 });
	CHECK_INT(world_ask("w2", "a", "x", 1), STATE_RELEASED);

	check_case("S21 unless the file says otherwise, once, in the open");
	world_begin(ALLOW "unknown device is known\n"
	    "hold \"d\" when device new\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 1), STATE_RELEASED);
	world_apply((struct input){ .type = INPUT_LOGIN,
	    .account = world_id("a"), .device_new = TRI_YES });
	CHECK_INT(world_ask("w2", "a", "x", 1), STATE_HELD);

	check_case("via, form, key has ip list");
	world_begin(ALLOW "hold \"api\" when via api and not key has ip list\n"
	    "hold \"tr\" when form p2tr\n");
	world_account("a");
	in = world_withdraw("w1", "a", "x", 1);
	in.via = VIA_API;
	in.form = FORM_P2TR;
	world_apply(in);
	CHECK(world_spoke("w1", "api"));
	CHECK(world_spoke("w1", "tr"));
	CHECK_INT(world_ask("w2", "a", "x", 1), STATE_RELEASED);
}

static void
test_hot(void)
{
	int		 day;

	check_case("S26 hot is less what is committed");
	world_begin(ALLOW "delay 1h when amount = 20 btc\n"
	    "hold when amount > 10 % of hot and amount < 20 btc\n");
	world_account("a");
	world_amount(INPUT_HOT_BALANCE, NULL, 100000);
	CHECK_INT(engine_hot_sat(world.engine), 100000 * MBTC);
	CHECK_INT(world_ask("w1", "a", "x", 20000), STATE_WAITING);
	CHECK_INT(engine_hot_sat(world.engine), 80000 * MBTC);
	CHECK_INT(world_ask("w2", "a", "x", 8001), STATE_HELD);
	CHECK_INT(world_ask("w3", "a", "x", 8000), STATE_RELEASED);
	CHECK_INT(engine_hot_sat(world.engine), 72000 * MBTC);

	check_case("S34 what is imported does not leave the wallet now");
	{
		struct input in = world_withdraw("h1", "a", "x", 9000);

		in.history = true;
		world_apply(in);
		CHECK_INT(engine_hot_sat(world.engine), 72000 * MBTC);
	}

	check_case("S26 it falls at once and rises only over days");
	world_begin(ALLOW "hold when amount > 10 % of hot\n");
	for (day = 0; day < 7; day++) {
		world.t_ms = DAY(day);
		world_amount(INPUT_HOT_BALANCE, NULL, 100000);
	}
	world_amount(INPUT_HOT_BALANCE, NULL, 1000000);
	CHECK_INT(engine_hot_sat(world.engine), 100000 * MBTC);
	world_amount(INPUT_HOT_BALANCE, NULL, 50000);
	CHECK_INT(engine_hot_sat(world.engine), 50000 * MBTC);

	check_case("H1 and never above what the operators stated");
	world_begin("policy 1\ndefault allow\nset hot at most 30 btc\n"
	    "hold when amount > 10 % of hot\n");
	world_amount(INPUT_HOT_BALANCE, NULL, 100000);
	CHECK_INT(engine_hot_sat(world.engine), 30000 * MBTC);
}

int
main(void)
{
	test_windows();
	test_networks();
	test_partners();
	test_ages();
	test_key_age();
	test_limit_age();
	test_destinations();
	test_tables();
	test_absent();
	test_hot();
	world_end();
	return check_done();
}
