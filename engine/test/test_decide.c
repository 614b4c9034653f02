/*
 * Verdicts and obligations (S1 to S7), the mode (S49), idempotent ids and the
 * built-in refusals; one case each, named by its number.
 */
#include "engine/test/world.h"

#define ALLOW	"policy 1\ndefault allow\n"

static void
test_join(void)
{
	check_case("S1 an allowed one is released at once");
	world_begin(ALLOW);
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 1000), STATE_RELEASED);
	CHECK_INT(world_of("w1")->verdict, VERDICT_ALLOW);
	CHECK_INT(world_of("w1")->released_ms, WORLD_BEGIN_MS);

	check_case("S1 the order of rules does not matter");
	world_begin(ALLOW "deny when amount > 5 btc\n"
	    "hold when amount > 1 btc\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 6000), STATE_DENIED);
	world_begin(ALLOW "hold when amount > 1 btc\n"
	    "deny when amount > 5 btc\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 6000), STATE_DENIED);
	CHECK_INT(world_ask("w2", "a", "x", 2000), STATE_HELD);

	check_case("S2 severities join: a code and a delay, both");
	world_begin(ALLOW "delay 6h when amount > 1 btc\n"
	    "step-up when amount > 1 btc and not code given\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 2000), STATE_WAITING);
	CHECK_INT(world_of("w1")->verdict, VERDICT_STEP_UP);
	world.t_ms = MIN(5);
	world_about(INPUT_CODE, "w1");
	CHECK_INT(world_state("w1"), STATE_WAITING);
	world_at(HOUR(6) - 1);
	CHECK_INT(world_state("w1"), STATE_WAITING);
	world_at(HOUR(6));
	CHECK_INT(world_state("w1"), STATE_RELEASED);

	check_case("S2 the longest delay counts");
	world_begin(ALLOW "delay 2h when amount > 1 btc\n"
	    "delay 1h when amount > 0.5 btc\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 2000), STATE_WAITING);
	CHECK_INT(world_of("w1")->due_ms, WORLD_BEGIN_MS + HOUR(2));
}

static void
test_codes(void)
{
	struct input	 in;

	check_case("S3 a code that does not come refuses in 15 minutes");
	world_begin(ALLOW "step-up when not code given\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 1000), STATE_WAITING);
	world_at(MIN(15) - 1);
	CHECK_INT(world_state("w1"), STATE_WAITING);
	world_at(MIN(15));
	CHECK_INT(world_state("w1"), STATE_EXPIRED);
	CHECK_INT(world_of("w1")->cause, CAUSE_EXPIRED);

	check_case("S3 `set expiry of codes` changes that");
	world_begin(ALLOW "set expiry of codes 5m\n"
	    "step-up when not code given\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 1000), STATE_WAITING);
	world_at(MIN(5));
	CHECK_INT(world_state("w1"), STATE_EXPIRED);

	check_case("S3 a code that comes releases");
	world_begin(ALLOW "step-up when not code given\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 1000), STATE_WAITING);
	world.t_ms = MIN(14);
	world_about(INPUT_CODE, "w1");
	CHECK_INT(world_state("w1"), STATE_RELEASED);
	CHECK_INT(world_of("w1")->cause, CAUSE_CODE);

	check_case("S3 a code given at once still names the verdict");
	world_begin(ALLOW "step-up when amount > 1 btc\n");
	world_account("a");
	in = world_withdraw("w1", "a", "x", 2000);
	in.code = TRI_YES;
	world_apply(in);
	CHECK_INT(world_state("w1"), STATE_RELEASED);
	CHECK_INT(world_of("w1")->verdict, VERDICT_STEP_UP);

	check_case("S3 a code never lifts a hold");
	world_begin(ALLOW "hold when amount > 1 btc\n");
	world_account("a");
	in = world_withdraw("w1", "a", "x", 2000);
	in.code = TRI_YES;
	world_apply(in);
	CHECK_INT(world_state("w1"), STATE_HELD);
	world_about(INPUT_CODE, "w1");
	CHECK_INT(world_state("w1"), STATE_HELD);
}

static void
test_people(void)
{
	check_case("S4 a release by people lifts hold, delay and code");
	world_begin(ALLOW "hold when amount > 5 btc\n"
	    "delay 6h when amount > 1 btc\n"
	    "step-up when amount > 1 btc and not code given\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 6000), STATE_HELD);
	CHECK_INT(world_ask("w2", "a", "x", 2000), STATE_WAITING);
	world_about(INPUT_RELEASE, "w1");
	CHECK_INT(world_state("w1"), STATE_RELEASED);
	CHECK_INT(world_of("w1")->cause, CAUSE_PEOPLE);
	world_about(INPUT_RELEASE, "w2");
	CHECK_INT(world_state("w2"), STATE_RELEASED);

	check_case("S4 nothing lifts a denial");
	world_begin(ALLOW "deny when amount > 5 btc\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 6000), STATE_DENIED);
	world_about(INPUT_RELEASE, "w1");
	CHECK_INT(world_last()->type, OUTCOME_REFUSED);
	CHECK_INT(world_last()->why, WHY_STATE);
	CHECK_INT(world_state("w1"), STATE_DENIED);

	check_case("S4 M different people, one alone is not enough");
	world_begin(ALLOW "hold by 2 when amount > 5 btc\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 6000), STATE_HELD);
	world_apply((struct input){ .type = INPUT_RELEASE,
	    .id = world_id("w1"), .by = world_id("alice") });
	CHECK_INT(world_state("w1"), STATE_HELD);
	world_apply((struct input){ .type = INPUT_RELEASE,
	    .id = world_id("w1"), .by = world_id("alice") });
	CHECK_INT(world_state("w1"), STATE_HELD);
	world_apply((struct input){ .type = INPUT_RELEASE,
	    .id = world_id("w1"), .by = world_id("bob") });
	CHECK_INT(world_state("w1"), STATE_RELEASED);

	check_case("S4 a hold that nobody answers ends as a refusal");
	world_begin(ALLOW "hold when amount > 5 btc\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 6000), STATE_HELD);
	world_at(DAY(7) - 1);
	CHECK_INT(world_state("w1"), STATE_HELD);
	world_at(DAY(7));
	CHECK_INT(world_state("w1"), STATE_EXPIRED);

	check_case("S45 people may not lift a ceiling");
	world_begin(ALLOW "hold when amount > 5 btc\n"
	    "ceiling 10 btc in 24h, 8 btc each\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 6000), STATE_HELD);
	CHECK_INT(world_ask("w2", "a", "x", 6000), STATE_HELD);
	CHECK_INT(world_ask("w3", "a", "x", 9000), STATE_DENIED);
	world_about(INPUT_RELEASE, "w1");
	CHECK_INT(world_state("w1"), STATE_RELEASED);
	world_about(INPUT_RELEASE, "w2");
	CHECK_INT(world_state("w2"), STATE_HELD);
	CHECK_INT(world_last()->why, WHY_CEILING);
}

static void
test_default(void)
{
	check_case("S5 a delay does not soften the default hold");
	world_begin("policy 1\ndefault hold\nallow when amount < 1 btc\n"
	    "delay 1h when amount > 2 btc\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 500), STATE_RELEASED);
	CHECK_INT(world_ask("w2", "a", "x", 3000), STATE_HELD);

	check_case("S6 a shadow rule joins nothing");
	world_begin(ALLOW "shadow deny \"idea\" when amount > 1 btc\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 2000), STATE_RELEASED);
	CHECK_INT(world.joined[world.n_out - 1].shadowed[0], 1);

	check_case("S7 a share of a wallet nobody reported holds");
	world_begin(ALLOW "deny when amount > 4 % of hot\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 10), STATE_HELD);
	world_amount(INPUT_HOT_BALANCE, NULL, 100000);
	CHECK_INT(world_ask("w2", "a", "x", 4000), STATE_RELEASED);
	CHECK_INT(world_ask("w3", "a", "x", 4001), STATE_DENIED);
}

static void
test_mode(void)
{
	check_case("S49 observe releases and says what it would have done");
	world_begin(ALLOW "mode observe\nhold when amount > 1 btc\n"
	    "halt when amount > 5 btc\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 2000), STATE_RELEASED);
	CHECK_INT(world_of("w1")->verdict, VERDICT_ALLOW);
	CHECK_INT(world_of("w1")->would, VERDICT_HOLD);
	CHECK_INT(world_ask("w2", "a", "x", 6000), STATE_RELEASED);
	CHECK(!engine_halted(world.engine));

	check_case("S49 advise is observe with an answer");
	world_begin(ALLOW "mode advise\ndeny when amount > 1 btc\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 2000), STATE_RELEASED);
	CHECK_INT(world_of("w1")->would, VERDICT_DENY);

	check_case("S49 enforce above A observes below A");
	world_begin(ALLOW "mode enforce above 3 btc\n"
	    "hold when amount > 1 btc\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 2999), STATE_RELEASED);
	CHECK_INT(world_of("w1")->would, VERDICT_HOLD);
	CHECK_INT(world_ask("w2", "a", "x", 3000), STATE_HELD);
}

static void
test_record(void)
{
	check_case("every verdict carries its rules, and only judged ones do");
	world_begin(ALLOW "hold \"big\" when amount > 1 btc\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 2000), STATE_HELD);
	CHECK(world.judged[world.n_out - 1]);
	CHECK(world_spoke("w1", "big"));
	CHECK_INT(world_ask("w2", "nobody", "x", 2000), STATE_DENIED);
	CHECK(!world.judged[world.n_out - 1]);
	world_about(INPUT_HALT, NULL);
	CHECK_INT(world_ask("w3", "a", "x", 2000), STATE_STOPPED);
	CHECK(!world.judged[world.n_out - 1]);

	check_case("withdrawals are numbered in the order of asking");
	CHECK_INT(world_of("w1")->ref, 0);
	CHECK_INT(world_of("w2")->ref, 1);
	CHECK_INT(world_of("w3")->ref, 2);

	check_case("what names no withdrawal or account is refused");
	world_about(INPUT_RELEASE, "none");
	CHECK_INT(world_last()->why, WHY_UNKNOWN_ID);
	world_amount(INPUT_DEPOSIT, "nobody", 1);
	CHECK_INT(world_last()->why, WHY_ACCOUNT);
	world_amount(INPUT_DEPOSIT, "a", 0);
	CHECK_INT(world_last()->why, WHY_AMOUNT);
	world_amount(INPUT_HOT_BALANCE, NULL, -1);
	CHECK_INT(world_last()->why, WHY_AMOUNT);
}

static void
test_ids(void)
{
	check_case("an id repeated gets the same answer and counts once");
	world_begin(ALLOW "hold when sum asked by account in 24h > 5 btc\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 3000), STATE_RELEASED);
	CHECK_INT(world_ask("w1", "a", "x", 3000), STATE_RELEASED);
	CHECK_INT(world_last()->type, OUTCOME_REPEATED);
	CHECK_INT(world_ask("w2", "a", "x", 2000), STATE_RELEASED);

	check_case("an id repeated with other content is a conflict");
	world_apply(world_withdraw("w1", "a", "x", 2999));
	CHECK_INT(world_last()->type, OUTCOME_REFUSED);
	CHECK_INT(world_last()->why, WHY_CONFLICT);
	world_apply(world_withdraw("w1", "a", "y", 3000));
	CHECK_INT(world_last()->why, WHY_CONFLICT);

	check_case("a refused id stays refused");
	world_begin(ALLOW);
	CHECK_INT(world_ask("w1", "a", "x", 3000), STATE_DENIED);
	CHECK_INT(world_of("w1")->why, WHY_ACCOUNT);
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 3000), STATE_DENIED);
	CHECK_INT(world_last()->type, OUTCOME_REPEATED);
}

static struct input
key_of(const char *key, const char *account, bool withdraw)
{
	return (struct input){ .type = INPUT_KEY, .key = world_id(key),
		.account = world_id(account), .withdraw = withdraw };
}

static enum why
ask_with_key(const char *id, const char *key, unsigned char last_byte)
{
	struct input	 in = world_withdraw(id, "a", "x", 1000);

	in.key = world_id(key);
	in.via = VIA_API;
	in.has_ip = last_byte != 0;
	in.ip[10] = in.ip[11] = 0xff;
	in.ip[12] = 10;
	in.ip[15] = last_byte;
	world_apply(in);
	return world_last()->why;
}

static void
test_builtin(void)
{
	struct cidr	 net = { .ip = { [10] = 0xff, [11] = 0xff, [12] = 10 },
		.bits = 120 };
	struct input	 in;

	check_case("builtin:key unknown, foreign, without withdraw, revoked");
	world_begin(ALLOW);
	world_account("a");
	world_account("b");
	CHECK_INT(ask_with_key("w1", "k", 1), WHY_KEY);
	world_apply(key_of("k", "b", true));
	CHECK_INT(ask_with_key("w2", "k", 1), WHY_KEY);
	world_apply(key_of("k2", "a", false));
	CHECK_INT(ask_with_key("w3", "k2", 1), WHY_KEY);
	world_apply(key_of("k2", "a", true));
	CHECK_INT(ask_with_key("w4", "k2", 1), WHY_NONE);
	world_apply((struct input){ .type = INPUT_KEY_REVOKE,
	    .key = world_id("k2") });
	CHECK_INT(ask_with_key("w5", "k2", 1), WHY_KEY);

	check_case("builtin:key outside its list of addresses");
	in = key_of("k3", "a", true);
	in.cidrs = &net;
	in.n_cidrs = 1;
	world_apply(in);
	CHECK_INT(ask_with_key("w6", "k3", 7), WHY_NONE);
	CHECK_INT(ask_with_key("w7", "k3", 0), WHY_KEY);
	net.ip[15] = 64;
	net.bits = 122;
	world_apply(in);
	CHECK_INT(ask_with_key("w8", "k3", 7), WHY_KEY);
	CHECK_INT(ask_with_key("w9", "k3", 65), WHY_NONE);

	check_case("builtin:balance only for accounts with a balance");
	world_begin(ALLOW);
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 1000), STATE_RELEASED);
	world_amount(INPUT_DEPOSIT, "a", 500);
	CHECK_INT(world_ask("w2", "a", "x", 501), STATE_DENIED);
	CHECK_INT(world_of("w2")->why, WHY_BALANCE);
	CHECK_INT(world_ask("w3", "a", "x", 500), STATE_RELEASED);
	CHECK_INT(world_ask("w4", "a", "x", 1), STATE_DENIED);

	check_case("builtin:frozen");
	world_begin(ALLOW);
	world_account("a");
	world_amount(INPUT_FREEZE, "a", 0);
	CHECK_INT(world_ask("w1", "a", "x", 1000), STATE_DENIED);
	CHECK_INT(world_of("w1")->why, WHY_FROZEN);
	world_amount(INPUT_UNFREEZE, "a", 0);
	CHECK_INT(world_ask("w2", "a", "x", 1000), STATE_RELEASED);

	check_case("an amount that is none");
	CHECK_INT(world_ask("w3", "a", "x", 0), STATE_DENIED);
	CHECK_INT(world_of("w3")->why, WHY_AMOUNT);
	CHECK_INT(world_ask("w4", "a", "x", -1), STATE_DENIED);
	CHECK_INT(world_ask("w5", "a", "x", INT64_C(21000000) * 1000 + 1),
	    STATE_DENIED);
}

int
main(void)
{
	test_join();
	test_codes();
	test_people();
	test_default();
	test_mode();
	test_record();
	test_ids();
	test_builtin();
	world_end();
	return check_done();
}
