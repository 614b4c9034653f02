/*
 * The facts of a decision are the same members, whether they come from the
 * engine at the time or out of the journal's bytes later.
 */
#include <stdlib.h>

#include "engine/test/rig.h"
#include "lib/amount.h"
#include "policy/reads.h"
#include "sim/facts_json.h"

#define BTC	SAT_PER_BTC
#define ROOM	8192

static const int64_t t0 = INT64_C(1557249324000);

static const char policy[] =
	"policy 1\n"
	"default allow\n"
	"class large when amount >= 1 btc\n"
	"class odd when large and idle < 1d\n"
	"hold \"odd\" when odd and sum asked by account in 24h > 2 btc\n"
	"hold \"share\" when large and amount > 1 % of fund\n"
	"deny \"crowd\" when count asked on platform in 1h > normal by 50 % "
	    "plus 5 until learnt 20\n";

struct both {
	struct rig	*r;
	const struct input *in;
	char		 live[ROOM], journal[ROOM];
	bool		 judged;
};

static void
put_live(struct both *b, const struct outcome *o)
{
	const struct program *p = b->r->program;
	struct prog_reads reads = { .classes = 0 };
	struct json	 j;
	int		 i;

	for (i = 0; i < p->n_rules; i++)
		if ((o->joined->matched[i / 64] >> i % 64 & 1) != 0)
			reads_add(&reads, &p->reads[i]);
	json_to_memory(&j, b->live, sizeof(b->live));
	json_open_object(&j, NULL);
	facts_json_env(&j, p, &reads, o->env);
	json_close(&j);
	CHECK(json_end(&j) == RC_OK);
}

static void
put_journal(struct both *b, const struct outcome *o)
{
	static unsigned char bytes[OUTCOME_ROOM];
	static struct outcome_record rec;
	const struct outcome_of of = { b->in->id, b->in->amount_sat,
		b->in->t_ms };
	const unsigned char *p = bytes, *end;
	struct err	 e = { "" };
	struct json	 j;

	end = outcome_pack(bytes, o, b->in, b->r->program);
	CHECK(outcome_unpack(&rec, &p, end, &of, &e) == RC_OK);
	json_to_memory(&j, b->journal, sizeof(b->journal));
	json_open_object(&j, NULL);
	facts_json_record(&j, b->r->program, &rec);
	json_close(&j);
	CHECK(json_end(&j) == RC_OK);
}

static void
emit(void *ctx, const struct outcome *o)
{
	struct both	*b = ctx;

	b->judged = o->joined != NULL;
	if (o->joined == NULL)
		return;
	put_live(b, o);
	put_journal(b, o);
}

static void
apply(struct both *b, const struct input *in)
{
	b->in = in;
	b->judged = false;
	rig_apply(b->r, in);
}

static void
ask(struct both *b, int64_t id, int64_t amount_sat)
{
	struct input	 in = rig_withdrawal(b->r, t0, id, 1, 1, amount_sat);

	apply(b, &in);
	CHECK(b->judged);
}

int
main(void)
{
	struct both	 b = { .r = rig_new(policy, 7, false) };
	struct input	 in;
	int64_t		 i;

	b.r->sink = (struct engine_sink){ emit, &b };
	in = rig_input(INPUT_ACCOUNT, t0);
	in.account = rig_id(b.r, 'a', 1);
	apply(&b, &in);

	check_case("what was not known is null");
	ask(&b, 1, BTC);
	CHECK_STR(b.live, "{}");
	CHECK_STR(b.journal, "{\"fund\":null}");

	check_case("no rule, no facts");
	in = rig_input(INPUT_FUND, t0);
	in.amount_sat = 1000 * BTC;
	apply(&b, &in);
	ask(&b, 2, 1000);
	CHECK_STR(b.live, "{}");
	CHECK_STR(b.journal, "{}");

	check_case("classes, slots in order, readings");
	ask(&b, 3, 20 * BTC);
	CHECK_STR(b.live, "{\"large\":true,\"odd\":true,"
	    "\"amount\":\"20.00000000\",\"idle\":0,"
	    "\"sum asked by account in 24h\":\"21.00001000\","
	    "\"fund\":\"1000.00000000\"}");
	CHECK_STR(b.journal, b.live);

	check_case("a normal that is not learnt is null");
	for (i = 0; i < 30; i++)
		ask(&b, 10 + i, 1000);
	CHECK_STR(b.journal, b.live);
	CHECK(strstr(b.live, "\"normal of count asked on platform in 1h\":"
	    "null") != NULL);
	rig_free(b.r);
	return check_done();
}
