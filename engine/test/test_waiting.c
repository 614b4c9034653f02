/*
 * Reservations (S8 to S13), delays that mature (S27, S28), halts (S29) and
 * freezing.
 */
#include "engine/test/world.h"

#define ALLOW	"policy 1\ndefault allow\n"

static void
test_reservations(void)
{
	check_case("S9 this one is included: above the line it trips, at it "
	    "it passes");
	world_begin(ALLOW "hold when sum committed by account in 24h > "
	    "10 btc\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 6000), STATE_RELEASED);
	CHECK_INT(world_ask("w2", "a", "x", 4000), STATE_RELEASED);
	CHECK_INT(world_ask("w3", "a", "x", 1), STATE_HELD);

	check_case("S10 a held one reserves nothing");
	world_begin(ALLOW "hold when amount > 5 btc\n"
	    "deny when sum committed by account in 24h > 10 btc\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 6000), STATE_HELD);
	CHECK_INT(world_ask("w2", "a", "x", 5000), STATE_RELEASED);
	CHECK_INT(world_ask("w3", "a", "x", 5000), STATE_RELEASED);
	CHECK_INT(world_ask("w4", "a", "x", 1), STATE_DENIED);

	check_case("S10 what people release is counted then");
	world_begin(ALLOW "hold when amount > 5 btc\n"
	    "deny when sum committed by account in 24h > 10 btc\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 6000), STATE_HELD);
	world_about(INPUT_RELEASE, "w1");
	CHECK_INT(world_ask("w2", "a", "x", 5000), STATE_DENIED);
	CHECK_INT(world_ask("w3", "a", "x", 4000), STATE_RELEASED);

}

static void
test_reservations_end(void)
{
	check_case("S8 what waits is committed however long ago it was asked");
	world_begin(ALLOW "delay 48h \"slow\" when amount > 5 btc\n"
	    "deny when sum committed by account in 1h > 10 btc\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 6000), STATE_WAITING);
	world_at(HOUR(40));
	CHECK_INT(world_ask("w2", "a", "x", 4001), STATE_DENIED);
	world_about(INPUT_CANCEL, "w1");
	CHECK_INT(world_state("w1"), STATE_CANCELLED);
	CHECK_INT(world_ask("w3", "a", "x", 4001), STATE_RELEASED);

	check_case("S10 a release moves the reservation, it does not copy it");
	world_begin(ALLOW "delay 1h when amount > 5 btc\n"
	    "deny when sum committed by account in 24h > 10 btc\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 6000), STATE_WAITING);
	world_at(HOUR(1));
	CHECK_INT(world_state("w1"), STATE_RELEASED);
	CHECK_INT(world_ask("w2", "a", "x", 4000), STATE_RELEASED);
	CHECK_INT(world_ask("w3", "a", "x", 1), STATE_DENIED);

	check_case("S8 cancelling does not uncount what was asked");
	world_begin(ALLOW "delay 1h when amount > 5 btc\n"
	    "deny when sum asked by account in 24h > 10 btc\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 6000), STATE_WAITING);
	world_about(INPUT_CANCEL, "w1");
	CHECK_INT(world_ask("w2", "a", "x", 4001), STATE_DENIED);

	check_case("S8 blocked counts held and denied, each once");
	world_begin(ALLOW "hold \"h\" when amount > 5 btc\n"
	    "deny \"d\" when amount > 8 btc\n"
	    "deny \"b\" when count blocked by account in 24h > 1\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 6000), STATE_HELD);
	world_about(INPUT_DENY, "w1");
	CHECK_INT(world_ask("w2", "a", "x", 1000), STATE_RELEASED);
	CHECK_INT(world_ask("w3", "a", "x", 9000), STATE_DENIED);
	CHECK_INT(world_ask("w4", "a", "x", 1000), STATE_DENIED);

	check_case("S8 confirmed counts when it came, by people or owners");
	world_begin(ALLOW "hold \"h\" when amount > 5 btc\n"
	    "deny \"c\" when distinct accounts confirmed on platform in 24h "
	    "> 1\n");
	world_account("a");
	world_account("b");
	CHECK_INT(world_ask("w1", "a", "x", 6000), STATE_HELD);
	CHECK_INT(world_ask("w2", "b", "x", 1000), STATE_RELEASED);
	world_at(DAY(3));
	world_about(INPUT_DENY, "w1");
	CHECK_INT(world_ask("w3", "b", "x", 1000), STATE_RELEASED);
	world_apply((struct input){ .type = INPUT_OUTCOME,
	    .id = world_id("w2"), .paid = PAID_DENIED });
	CHECK_INT(world_ask("w4", "b", "x", 1000), STATE_DENIED);
	world_at(DAY(5));
	CHECK_INT(world_ask("w5", "b", "x", 1000), STATE_RELEASED);

	check_case("S11 a payment that fails stays counted");
	world_begin(ALLOW "deny when sum committed by account in 24h > "
	    "10 btc\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 10000), STATE_RELEASED);
	world_apply((struct input){ .type = INPUT_OUTCOME,
	    .id = world_id("w1"), .paid = PAID_FAILED });
	CHECK_INT(world_state("w1"), STATE_FAILED);
	CHECK_INT(world_ask("w2", "a", "x", 1), STATE_DENIED);
}

/* A thousand in one millisecond against a budget for ten. */
static void
test_thousand(void)
{
	char		 id[16], account[16];
	int		 i, released = 0;

	check_case("S12 a thousand in a millisecond: ten pass");
	world_begin(ALLOW "hold when sum committed on platform in 1h > "
	    "10 btc\n");
	for (i = 0; i < 1000; i++) {
		(void)snprintf(account, sizeof(account), "a%d", i);
		world_account(account);
	}
	for (i = 0; i < 1000; i++) {
		(void)snprintf(id, sizeof(id), "w%d", i);
		(void)snprintf(account, sizeof(account), "a%d", i);
		released += world_ask(id, account, "x", 1000) ==
		    STATE_RELEASED;
	}
	CHECK_INT(released, 10);
}

static void
test_classes(void)
{
	check_case("S13 classes are frozen at asking");
	world_begin(ALLOW
	    "class big when sum asked by account in 24h > 5 btc\n"
	    "delay 48h when not big\n"
	    "deny \"b\" when sum committed by account in 1h of not big > "
	    "4 btc\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 3000), STATE_WAITING);
	/* Big: it does not enter what is not big, nor does w1 leave it. */
	CHECK_INT(world_ask("w2", "a", "x", 3000), STATE_RELEASED);
	world_at(HOUR(30));
	CHECK_INT(world_ask("w3", "a", "x", 1001), STATE_DENIED);
	CHECK_INT(world_ask("w4", "a", "x", 1000), STATE_WAITING);

	check_case("S18 who has no group is alone in his own");
	world_begin(ALLOW "hold when sum asked by group in 24h > 5 btc\n");
	world_account("a");
	world_account("b");
	world_apply((struct input){ .type = INPUT_ACCOUNT,
	    .account = world_id("c"), .limit_sat = -1, .tier = -1,
	    .group = world_id("firm") });
	world_apply((struct input){ .type = INPUT_ACCOUNT,
	    .account = world_id("d"), .limit_sat = -1, .tier = -1,
	    .group = world_id("firm") });
	CHECK_INT(world_ask("w1", "a", "x", 3000), STATE_RELEASED);
	CHECK_INT(world_ask("w2", "b", "x", 3000), STATE_RELEASED);
	CHECK_INT(world_ask("w3", "a", "x", 3000), STATE_RELEASED);
	CHECK_INT(world_ask("w4", "a", "x", 5001), STATE_HELD);
	CHECK_INT(world_ask("w5", "c", "x", 3000), STATE_RELEASED);
	CHECK_INT(world_ask("w6", "d", "x", 3000), STATE_HELD);
}

static void
test_maturing(void)
{
	check_case("S27 at the end of a delay everything is judged again");
	world_begin(ALLOW "delay 6h \"d\" when amount > 1 btc\n"
	    "hold \"h\" when sum released on platform in 24h > 10 btc\n");
	world_account("a");
	world_account("b");
	CHECK_INT(world_ask("w1", "a", "x", 2000), STATE_WAITING);
	CHECK_INT(world_ask("w2", "b", "y", 1000), STATE_RELEASED);
	world_at(HOUR(6));
	CHECK_INT(world_state("w1"), STATE_RELEASED);
	CHECK_INT(world_of("w1")->cause, CAUSE_MATURED);
	CHECK_INT(world_ask("w3", "a", "x", 7000), STATE_WAITING);
	CHECK_INT(world_ask("w4", "b", "y", 1000), STATE_RELEASED);
	world_at(HOUR(12));
	CHECK_INT(world_state("w3"), STATE_HELD);
	CHECK(world_spoke("w3", "h"));

	check_case("S27 its own reservation is counted once");
	world_begin(ALLOW "delay 6h \"d\" when amount > 1 btc\n"
	    "hold \"h\" when sum committed on platform in 24h > 10 btc\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 6000), STATE_WAITING);
	world_at(HOUR(6));
	CHECK_INT(world_state("w1"), STATE_RELEASED);

	check_case("S27 a longer delay now due is waited for");
	world_begin(ALLOW "declare risk number unknown is 0\n"
	    "delay 6h when amount > 1 btc\n"
	    "delay 24h when risk > 5\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 2000), STATE_WAITING);
	world.t_ms = HOUR(1);
	world_apply((struct input){ .type = INPUT_FACT, .declared = 0,
	    .id = world_id("w1"), .value = 6 });
	CHECK_INT(world_of("w1")->cause, CAUSE_FACT);
	world_at(HOUR(23));
	CHECK_INT(world_state("w1"), STATE_WAITING);
	world_at(HOUR(24));
	CHECK_INT(world_state("w1"), STATE_RELEASED);

	check_case("S27 its own reservation does not make the wallet smaller");
	world_begin(ALLOW "delay 6h when amount > 1 btc\n"
	    "hold when amount > 10 % of hot\n");
	world_account("a");
	world_amount(INPUT_HOT_BALANCE, NULL, 100000);
	CHECK_INT(world_ask("w1", "a", "x", 10000), STATE_WAITING);
	world_at(HOUR(6));
	CHECK_INT(world_state("w1"), STATE_RELEASED);

	check_case("S27 the request is as it was, the wallet as it is");
	world_begin(ALLOW "delay 6h when hour < 3\n"
	    "hold when amount > 10 % of hot\n");
	world_account("a");
	world_amount(INPUT_HOT_BALANCE, NULL, 100000);
	CHECK_INT(world_ask("w1", "a", "x", 5000), STATE_WAITING);
	world.t_ms = HOUR(5);
	world_amount(INPUT_HOT_BALANCE, NULL, 40000);
	world_at(HOUR(6));
	CHECK_INT(world_state("w1"), STATE_HELD);
}

static void
test_facts_change(void)
{
	check_case("S21 a changed fact may worsen what waits");
	world_begin(ALLOW "declare risk number unknown is 0\n"
	    "delay 6h when amount > 1 btc\ndeny when risk > 5\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 2000), STATE_WAITING);
	world_apply((struct input){ .type = INPUT_FACT, .declared = 0,
	    .account = world_id("a"), .value = 6 });
	CHECK_INT(world_state("w1"), STATE_DENIED);
	CHECK_INT(world_ask("w2", "a", "x", 1), STATE_DENIED);

	check_case("S21 facts may come with the request and stay with it");
	{
		const struct input_fact fact = { 0, 6 };
		struct input in = world_withdraw("w3", "b", "x", 1);

		world_account("b");
		in.facts = &fact;
		in.n_facts = 1;
		world_apply(in);
		CHECK_INT(world_state("w3"), STATE_DENIED);
		CHECK_INT(world_ask("w4", "b", "x", 1), STATE_RELEASED);
		in = world_withdraw("w5", "b", "x", 2000);
		in.facts = &(const struct input_fact){ 0, 1 };
		in.n_facts = 1;
		world_apply(in);
		CHECK_INT(world_state("w5"), STATE_WAITING);
		/* Its own value stands before the account's. */
		world_apply((struct input){ .type = INPUT_FACT, .declared = 0,
		    .account = world_id("b"), .value = 6 });
		CHECK_INT(world_state("w5"), STATE_WAITING);
	}

	check_case("S21 and releases nothing early");
	world_begin(ALLOW "declare risk number unknown is 9\n"
	    "delay 6h when risk > 5\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 2000), STATE_WAITING);
	world_apply((struct input){ .type = INPUT_FACT, .declared = 0,
	    .account = world_id("a"), .value = 0 });
	CHECK_INT(world_state("w1"), STATE_WAITING);
	CHECK_INT(world_ask("w2", "a", "x", 1), STATE_RELEASED);
	world_at(HOUR(6) - 1);
	CHECK_INT(world_state("w1"), STATE_WAITING);
	world_at(HOUR(6));
	CHECK_INT(world_state("w1"), STATE_RELEASED);
}

static void
test_taint(void)
{
	check_case("S28 a burst older than its window is not forgotten by "
	    "its own");
	world_begin(ALLOW "delay 12h \"d\" when amount > 1 btc\n"
	    "hold \"crowd\" when distinct accounts asked on platform in 1h "
	    "> 2\n");
	world_account("a");
	world_account("b");
	world_account("c");
	CHECK_INT(world_ask("w1", "a", "x", 2000), STATE_WAITING);
	world_at(MIN(20));
	CHECK_INT(world_ask("w2", "b", "x", 2000), STATE_WAITING);
	world_at(MIN(40));
	CHECK_INT(world_ask("w3", "c", "x", 2000), STATE_HELD);
	world_at(HOUR(5));
	CHECK_INT(world_ask("w4", "a", "x", 2000), STATE_WAITING);
	world_at(HOUR(12));
	CHECK_INT(world_state("w1"), STATE_HELD);
	CHECK(world_spoke("w1", "crowd"));
	world_at(HOUR(13));
	CHECK_INT(world_state("w2"), STATE_HELD);
	world_at(HOUR(17));
	CHECK_INT(world_state("w4"), STATE_RELEASED);

	check_case("S28 taint does not feed on itself");
	world_begin(ALLOW "delay 12h \"d\" when amount > 1 btc\n"
	    "hold \"crowd\" when distinct accounts asked on platform in 1h "
	    "> 2\n");
	world_account("a");
	world_account("b");
	world_account("c");
	CHECK_INT(world_ask("w1", "a", "x", 2000), STATE_WAITING);
	CHECK_INT(world_ask("w2", "b", "x", 2000), STATE_WAITING);
	CHECK_INT(world_ask("w3", "c", "x", 2000), STATE_HELD);
	world_at(HOUR(11) + MIN(30));
	CHECK_INT(world_ask("w4", "a", "x", 2000), STATE_WAITING);
	world_at(HOUR(12));
	CHECK_INT(world_state("w1"), STATE_HELD);
	world_at(HOUR(24));
	CHECK_INT(world_state("w4"), STATE_RELEASED);

}

static void
test_taint_destination(void)
{
	check_case("S28 a destination crossed twice forgets neither");
	world_begin(ALLOW "delay 12h \"d\" when amount > 1 btc\n"
	    "hold \"many\" when distinct accounts asked to destination in "
	    "1h > 2\n");
	world_account("a");
	world_account("b");
	world_account("c");
	world_at(HOUR(1));
	CHECK_INT(world_ask("w1", "a", "x", 2000), STATE_WAITING);
	CHECK_INT(world_ask("w2", "b", "x", 100), STATE_RELEASED);
	CHECK_INT(world_ask("w3", "c", "x", 100), STATE_HELD);
	world_at(HOUR(6));
	CHECK_INT(world_ask("w4", "a", "x", 100), STATE_RELEASED);
	CHECK_INT(world_ask("w5", "b", "x", 100), STATE_RELEASED);
	CHECK_INT(world_ask("w6", "c", "x", 100), STATE_HELD);
	world_at(HOUR(13));
	CHECK_INT(world_state("w1"), STATE_HELD);

	check_case("S28 to a destination: only its own payers");
	world_begin(ALLOW "delay 12h \"d\" when amount > 1 btc\n"
	    "hold \"many\" when distinct accounts asked to destination in "
	    "1h > 2\n");
	world_account("a");
	world_account("b");
	world_account("c");
	CHECK_INT(world_ask("w1", "a", "x", 2000), STATE_WAITING);
	CHECK_INT(world_ask("w2", "b", "x", 2000), STATE_WAITING);
	CHECK_INT(world_ask("w3", "a", "y", 2000), STATE_WAITING);
	CHECK_INT(world_ask("w4", "c", "x", 2000), STATE_HELD);
	world_at(HOUR(12));
	CHECK_INT(world_state("w1"), STATE_HELD);
	CHECK_INT(world_state("w2"), STATE_HELD);
	CHECK_INT(world_state("w3"), STATE_RELEASED);
}

static void
test_taint_group(void)
{
	static const char *const names[] = { "a", "b", "c", "d" };
	int		 i;

	check_case("S28 by group: only the group that crossed it");
	world_begin(ALLOW "delay 12h \"d\" when amount > 1 btc\n"
	    "hold \"firm\" when sum asked by group in 1h > 5 btc\n");
	for (i = 0; i < 4; i++)
		world_apply((struct input){ .type = INPUT_ACCOUNT,
		    .account = world_id(names[i]), .limit_sat = -1,
		    .tier = -1, .group = world_id(i < 2 ? "g" : "h") });
	CHECK_INT(world_ask("w1", "a", "x", 3000), STATE_WAITING);
	CHECK_INT(world_ask("w2", "c", "y", 3000), STATE_WAITING);
	CHECK_INT(world_ask("w3", "b", "x", 3000), STATE_HELD);
	world_at(HOUR(12));
	CHECK_INT(world_state("w1"), STATE_HELD);
	CHECK_INT(world_state("w2"), STATE_RELEASED);
}

static void
test_halt(void)
{
	check_case("S29 the one that trips a halt is held, all else stops");
	world_begin(ALLOW "delay 2h when amount = 1 btc\n"
	    "halt \"bleeding\" when sum committed on platform in 1h > "
	    "10 btc\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 1000), STATE_WAITING);
	CHECK_INT(world_ask("w2", "a", "x", 9000), STATE_RELEASED);
	CHECK_INT(world_ask("w3", "a", "x", 2), STATE_HELD);
	CHECK_INT(world_of("w3")->verdict, VERDICT_HALT);
	CHECK(engine_halted(world.engine));
	CHECK_INT(world_last()->type, OUTCOME_HALTED);
	CHECK_STR(world.program->rules[world_last()->halt_rule].name,
	    "bleeding");
	CHECK_INT(world_ask("w4", "a", "x", 3), STATE_STOPPED);

	check_case("S29 what falls due during a halt stops");
	world_at(HOUR(2));
	CHECK_INT(world_state("w1"), STATE_STOPPED);
	CHECK_INT(world_of("w1")->cause, CAUSE_HALT);

	check_case("S29 at the resume all is decided anew, in order of asking");
	world_at(HOUR(3));
	world_about(INPUT_RESUME, NULL);
	CHECK(!engine_halted(world.engine));
	CHECK_INT(world.out[world.n_before].type, OUTCOME_RESUMED);
	CHECK(ident_equal(world.out[world.n_before + 1].id, world_id("w1")));
	CHECK(ident_equal(world.out[world.n_before + 2].id, world_id("w4")));
	CHECK_INT(world_state("w1"), STATE_RELEASED);
	CHECK_INT(world_state("w4"), STATE_RELEASED);
	CHECK_INT(world_state("w3"), STATE_HELD);

	check_case("S29 a second halt during a resume stops the rest");
	world_begin(ALLOW "halt when sum committed on platform in 1h > "
	    "10 btc\n");
	world_account("a");
	world_about(INPUT_HALT, NULL);
	CHECK_INT(world_ask("w1", "a", "x", 6000), STATE_STOPPED);
	CHECK_INT(world_ask("w2", "a", "x", 6000), STATE_STOPPED);
	CHECK_INT(world_ask("w3", "a", "x", 1000), STATE_STOPPED);
	world_about(INPUT_RESUME, NULL);
	CHECK_INT(world_state("w1"), STATE_RELEASED);
	CHECK_INT(world_state("w2"), STATE_HELD);
	CHECK_INT(world_state("w3"), STATE_STOPPED);
	CHECK(engine_halted(world.engine));
}

static void
test_halt_counters(void)
{
	check_case("S29 it enters `asked` once, at asking");
	world_begin(ALLOW "hold when count asked by account in 24h > 2\n");
	world_account("a");
	world_about(INPUT_HALT, NULL);
	CHECK_INT(world_ask("w1", "a", "x", 1000), STATE_STOPPED);
	CHECK_INT(world_ask("w2", "a", "x", 1000), STATE_STOPPED);
	world_at(HOUR(1));
	world_about(INPUT_RESUME, NULL);
	CHECK_INT(world_state("w1"), STATE_RELEASED);
	CHECK_INT(world_state("w2"), STATE_RELEASED);
	CHECK_INT(world_ask("w3", "a", "x", 1000), STATE_HELD);

	check_case("S29 stopped ones reserve nothing");
	world_begin(ALLOW "deny when sum committed by account in 24h > "
	    "10 btc\n");
	world_account("a");
	world_about(INPUT_HALT, NULL);
	CHECK_INT(world_ask("w1", "a", "x", 8000), STATE_STOPPED);
	CHECK_INT(world_ask("w2", "a", "x", 8000), STATE_STOPPED);
	world_about(INPUT_CANCEL, "w1");
	world_about(INPUT_RESUME, NULL);
	CHECK_INT(world_state("w1"), STATE_CANCELLED);
	CHECK_INT(world_state("w2"), STATE_RELEASED);

	check_case("a release by people during a halt pays at the resume");
	world_begin(ALLOW "hold when amount > 5 btc\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 6000), STATE_HELD);
	world_about(INPUT_HALT, NULL);
	world_about(INPUT_RELEASE, "w1");
	CHECK_INT(world_state("w1"), STATE_STOPPED);
	world_at(HOUR(5));
	world_about(INPUT_RESUME, NULL);
	CHECK_INT(world_state("w1"), STATE_RELEASED);
	CHECK_INT(world_of("w1")->released_ms, WORLD_BEGIN_MS + HOUR(5));

	check_case("halt while halted, resume while not, are refused");
	world_about(INPUT_RESUME, NULL);
	CHECK_INT(world_last()->why, WHY_HALTED);
	world_about(INPUT_HALT, NULL);
	world_about(INPUT_HALT, NULL);
	CHECK_INT(world_last()->why, WHY_HALTED);
}

static void
test_receipts(void)
{
	struct engine_config c = { .accounts = 100 };

	check_case("S29 C1 a halt takes back what has no receipt");
	world_begin_with(ALLOW, &c);
	world_account("a");
	world_amount(INPUT_DEPOSIT, "a", 10000);
	CHECK_INT(world_ask("w1", "a", "x", 1000), STATE_RELEASED);
	CHECK_INT(world_ask("w2", "a", "x", 2000), STATE_RELEASED);
	world_about(INPUT_RECEIPT, "w1");
	world_about(INPUT_HALT, NULL);
	CHECK_INT(world_state("w1"), STATE_RELEASED);
	CHECK_INT(world_state("w2"), STATE_STOPPED);
	world_about(INPUT_CANCEL, "w2");
	CHECK_INT(engine_account_balance_sat(world.engine, world_id("a")),
	    9000 * MBTC);

	check_case("C1 with a receipt nothing takes it back");
	world_about(INPUT_CANCEL, "w1");
	CHECK_INT(world_last()->why, WHY_STATE);
	world_amount(INPUT_FREEZE, "a", 0);
	CHECK_INT(world_state("w1"), STATE_RELEASED);

	check_case("C1 a failed payment gives nothing back, a burned one does");
	world_apply((struct input){ .type = INPUT_OUTCOME,
	    .id = world_id("w1"), .paid = PAID_FAILED });
	CHECK_INT(engine_account_balance_sat(world.engine, world_id("a")),
	    9000 * MBTC);
	world_about(INPUT_BURNED, "w1");
	CHECK_INT(engine_account_balance_sat(world.engine, world_id("a")),
	    10000 * MBTC);
	world_about(INPUT_BURNED, "w1");
	CHECK_INT(world_last()->why, WHY_STATE);
	CHECK_INT(engine_account_balance_sat(world.engine, world_id("a")),
	    10000 * MBTC);
}

static void
test_freeze(void)
{
	check_case("freezing an account denies what it has waiting");
	world_begin(ALLOW "hold when amount > 5 btc\n"
	    "delay 1h when amount > 1 btc\n"
	    "deny \"fraud\" when confirmed fraud in 48h\n");
	world_account("a");
	world_amount(INPUT_DEPOSIT, "a", 10000);
	CHECK_INT(world_ask("w1", "a", "x", 6000), STATE_HELD);
	CHECK_INT(world_ask("w2", "a", "x", 2000), STATE_WAITING);
	world_amount(INPUT_FREEZE, "a", 0);
	CHECK_INT(world_state("w1"), STATE_DENIED);
	CHECK_INT(world_state("w2"), STATE_DENIED);
	CHECK_INT(world_of("w2")->cause, CAUSE_FROZEN);
	CHECK_INT(engine_account_balance_sat(world.engine, world_id("a")),
	    10000 * MBTC);

	check_case("freezing a key denies what it has waiting, no more");
	{
		struct input in = world_withdraw("k1", "b", "x", 2000);

		world_account("b");
		world_apply((struct input){ .type = INPUT_KEY,
		    .account = world_id("b"), .key = world_id("key"),
		    .withdraw = true });
		in.key = world_id("key");
		world_apply(in);
		CHECK_INT(world_ask("k2", "b", "x", 2000), STATE_WAITING);
		world_apply((struct input){ .type = INPUT_FREEZE,
		    .key = world_id("key") });
		CHECK_INT(world_state("k1"), STATE_DENIED);
		CHECK_INT(world_state("k2"), STATE_WAITING);
		in.id = world_id("k3");
		world_apply(in);
		CHECK_INT(world_of("k3")->why, WHY_FROZEN);
		world_apply((struct input){ .type = INPUT_UNFREEZE,
		    .key = world_id("key") });
		in.id = world_id("k4");
		world_apply(in);
		CHECK_INT(world_state("k4"), STATE_WAITING);
	}

	check_case("freezing alone is not confirmed fraud");
	world_account("b");
	CHECK_INT(world_ask("w3", "b", "x", 100), STATE_RELEASED);
	CHECK(world_state("w1") == STATE_DENIED);

	check_case("a person's denial is");
	CHECK_INT(world_ask("w4", "b", "x", 6000), STATE_HELD);
	world_about(INPUT_DENY, "w4");
	CHECK_INT(world_ask("w5", "b", "x", 100), STATE_DENIED);

	check_case("not me: cancelled, frozen, fraud");
	world_begin(ALLOW "delay 1h when amount > 1 btc\n"
	    "hold \"fraud\" when confirmed fraud in 48h\n");
	world_account("a");
	world_account("b");
	CHECK_INT(world_ask("w1", "a", "x", 2000), STATE_WAITING);
	CHECK_INT(world_ask("w2", "a", "y", 2000), STATE_WAITING);
	world_apply((struct input){ .type = INPUT_CANCEL,
	    .id = world_id("w1"), .not_me = true });
	CHECK_INT(world_state("w1"), STATE_CANCELLED);
	CHECK_INT(world_state("w2"), STATE_DENIED);
	CHECK_INT(world_ask("w3", "a", "x", 100), STATE_DENIED);
	CHECK_INT(world_ask("w4", "b", "x", 100), STATE_HELD);
}

int
main(void)
{
	test_reservations();
	test_reservations_end();
	test_thousand();
	test_classes();
	test_maturing();
	test_facts_change();
	test_taint();
	test_taint_destination();
	test_taint_group();
	test_halt();
	test_halt_counters();
	test_receipts();
	test_freeze();
	world_end();
	return check_done();
}
