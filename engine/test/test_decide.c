/*
 * The engine's own semantics, one case each, named by their number.
 */
#include "engine/test/world.h"

#define ALLOW	"policy 1\ndefault allow\n"

static void
test_verdicts(void)
{
	check_case("an allowed one is released at once");
	world_begin(ALLOW);
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 1000), STATE_RELEASED);
	CHECK_INT(world_of("w1")->verdict, VERDICT_ALLOW);
	CHECK_INT(world_of("w1")->released_ms, WORLD_BEGIN_MS);

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

	check_case("S3 a code that does not come refuses in 15 minutes");
	world_begin(ALLOW "step-up when not code given\n");
	world_account("a");
	CHECK_INT(world_ask("w1", "a", "x", 1000), STATE_WAITING);
	world_at(MIN(15));
	CHECK_INT(world_state("w1"), STATE_EXPIRED);
	CHECK_INT(world_of("w1")->cause, CAUSE_EXPIRED);
}

int
main(void)
{
	test_verdicts();
	world_end();
	return check_done();
}
