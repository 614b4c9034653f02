/*
 * After a backup was put back everything stops, and no key withdraws until
 * it is given anew (C5).
 */
#include "engine/test/world.h"

static const char policy[] =
	"policy 1\n"
	"default hold\n"
	"allow when amount < 5 btc\n"
	"delay 1h when amount >= 1 btc\n"
	"hold \"young\" when age of key < 1d and amount >= 0.1 btc\n"
	"halt \"big\" when sum asked on platform in 1h >= 20 btc\n";

static void
key(const char *name, const char *account, bool withdraw)
{
	world_apply((struct input){ .type = INPUT_KEY, .key = world_id(name),
	    .account = world_id(account), .withdraw = withdraw });
}

static enum state
ask_with(const char *id, const char *account, const char *k, int64_t mbtc)
{
	struct input	 in = world_withdraw(id, account, "somewhere", mbtc);

	in.key = world_id(k);
	in.via = VIA_API;
	world_apply(in);
	return world_state(id);
}

static void
begin(void)
{
	world_begin(policy);
	world_account("ann");
	world_account("ben");
	key("k1", "ann", true);
	key("k2", "ben", true);
	key("k3", "ben", false);
	world_at(DAY(10));
}

static void
restored(void)
{
	world_apply((struct input){ .type = INPUT_RESTORED });
}

int
main(void)
{
	struct engine_withdrawal w;

	check_case("everything stops, by people");
	begin();
	CHECK(ask_with("w1", "ann", "k1", 200) == STATE_RELEASED);
	CHECK(ask_with("w2", "ann", "k1", 2000) == STATE_WAITING);
	restored();
	CHECK_INT(world.n_out - world.n_before, 2);
	CHECK(world.out[world.n_before].type == OUTCOME_HALTED);
	CHECK_INT(world.out[world.n_before].halt_rule, -1);
	CHECK(world_last()->type == OUTCOME_TAKEN);
	CHECK(engine_halted(world.engine));
	world_at(DAY(10) + HOUR(2));
	CHECK(world_state("w2") == STATE_STOPPED);
	CHECK(world_ask("w3", "ann", "elsewhere", 50) == STATE_STOPPED);

	check_case("one withdrawal, to read");
	CHECK(!engine_withdrawal(world.engine, world_id("nobody"), &w));
	CHECK(engine_withdrawal(world.engine, world_id("w2"), &w));
	CHECK(w.state == STATE_STOPPED && w.due_ms == INT64_MAX);
	CHECK_INT(w.amount_sat, 2000 * MBTC);
	CHECK(ident_equal(w.account, world_id("ann")));
	CHECK(engine_withdrawal(world.engine, world_id("w1"), &w));
	CHECK(w.state == STATE_RELEASED && w.receipt);
	CHECK_INT(w.released_ms, WORLD_BEGIN_MS + DAY(10));

	check_case("no key withdraws, after the resume neither");
	CHECK(ask_with("w4", "ann", "k1", 50) == STATE_DENIED);
	CHECK(world_of("w4")->why == WHY_KEY);
	world_apply((struct input){ .type = INPUT_RESUME });
	CHECK(world_state("w3") == STATE_RELEASED);
	CHECK(world_state("w2") == STATE_RELEASED);
	CHECK(ask_with("w5", "ann", "k1", 50) == STATE_DENIED);
	CHECK(ask_with("w6", "ben", "k2", 50) == STATE_DENIED);

	check_case("a key given anew withdraws, and is young (S23)");
	key("k1", "ann", true);
	CHECK(ask_with("w7", "ann", "k1", 50) == STATE_RELEASED);
	CHECK(ask_with("w8", "ann", "k1", 200) == STATE_HELD);
	CHECK(engine_withdrawal(world.engine, world_id("w8"), &w));
	CHECK(w.state == STATE_HELD && w.people == 1 && w.approvals == 0);
	CHECK(w.due_ms > WORLD_BEGIN_MS + world.t_ms && w.due_ms < INT64_MAX);
	CHECK(ask_with("w9", "ben", "k2", 50) == STATE_DENIED);
	world_at(DAY(12));
	CHECK(ask_with("w10", "ann", "k1", 200) == STATE_RELEASED);

	check_case("halted already: it is only taken, and stays halted");
	begin();
	CHECK(world_ask("h1", "ann", "elsewhere", 21000) == STATE_HELD);
	CHECK(engine_halted(world.engine));
	restored();
	CHECK_INT(world.n_out - world.n_before, 1);
	CHECK(world_last()->type == OUTCOME_TAKEN);
	CHECK(engine_halted(world.engine));
	CHECK(ask_with("h2", "ann", "k1", 50) == STATE_DENIED);
	world_apply((struct input){ .type = INPUT_RESUME });
	CHECK(!engine_halted(world.engine));

	check_case("what is without receipt is taken back");
	begin();
	world_begin_with(policy, &(struct engine_config){ .accounts = 100 });
	world_account("ann");
	CHECK(world_ask("r1", "ann", "elsewhere", 50) == STATE_RELEASED);
	CHECK(world_ask("r2", "ann", "elsewhere", 50) == STATE_RELEASED);
	world_about(INPUT_RECEIPT, "r1");
	restored();
	CHECK(world_state("r1") == STATE_RELEASED);
	CHECK(world_state("r2") == STATE_STOPPED);
	world_end();
	return check_done();
}
