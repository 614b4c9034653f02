/*
 * A small world for the engine's tests: one policy, one engine, inputs by
 * name, and everything that came out remembered.  Times are in minutes from
 * a Monday midnight, amounts in milli-bitcoin, so that a test reads like a
 * table.
 */
#ifndef ENGINE_TEST_WORLD_H
#define ENGINE_TEST_WORLD_H

#include <stdlib.h>

#include "engine/engine.h"
#include "lib/amount.h"
#include "lib/civil.h"
#include "policy/ast.h"
#include "tests/check.h"

/* Monday 2019-05-06 00:00 UTC. */
#define WORLD_BEGIN_MS	INT64_C(1557100800000)
#define MBTC		(SAT_PER_BTC / 1000)
#define MIN(n)		((int64_t)(n) * MS_PER_MIN)
#define HOUR(n)		((int64_t)(n) * MS_PER_HOUR)
#define DAY(n)		((int64_t)(n) * MS_PER_DAY)
#define OUTCOMES_MAX	4096

struct world {
	struct policy	*policy;
	struct program	*program;
	struct engine	*engine;
	struct engine_config config;
	int64_t		 t_ms;		/* since WORLD_BEGIN_MS */
	struct outcome	 out[OUTCOMES_MAX];	/* of all inputs so far */
	struct joined	 joined[OUTCOMES_MAX];
	bool		 judged[OUTCOMES_MAX];
	int		 n_out;
	int		 n_before;	/* where the last input began */
};

static struct world world;

static struct ident
world_id(const char *name)
{
	if (name == NULL)
		return (struct ident){ 0, 0 };
	return ident_of(&world.config.ids, name, strlen(name));
}

static void
world_emit(void *ctx, const struct outcome *o)
{
	int		 n = world.n_out;

	(void)ctx;
	if (n == OUTCOMES_MAX) {
		printf("not ok too many outcomes\n");
		exit(1);
	}
	world.out[n] = *o;
	world.judged[n] = o->joined != NULL;
	if (o->joined != NULL)
		world.joined[n] = *o->joined;
	world.out[n].joined = NULL;
	world.out[n].env = NULL;
	world.n_out++;
}

static inline void
world_end(void)
{
	engine_free(&world.engine);
	program_free(&world.program);
	policy_free(&world.policy);
}

/* A new world under this policy; `config` may be NULL. */
static void
world_begin_with(const char *text, const struct engine_config *config)
{
	struct err	 e;

	world_end();
	memset(&world.config, 0, sizeof(world.config));
	world.config.accounts = 1000;
	world.config.receipt_at_release = true;
	memcpy(world.config.ids.bytes, "the key of ids..", 16);
	memcpy(world.config.lots.bytes, "the key of lots.", 16);
	if (config != NULL) {
		struct engine_config	 c = *config;

		c.ids = world.config.ids;
		c.lots = world.config.lots;
		world.config = c;
	}
	world.t_ms = 0;
	world.n_out = world.n_before = 0;
	if (policy_load_text(&world.policy, "test.policy", text,
	    strlen(text), stdout, &e) != RC_OK ||
	    program_new(&world.program, world.policy, &e) != RC_OK ||
	    engine_new(&world.engine, world.program, &world.config, &e) !=
	    RC_OK) {
		printf("not ok world: %s\n", e.text);
		exit(1);
	}
}

static inline void
world_begin(const char *text)
{
	world_begin_with(text, NULL);
}

static void
world_apply(struct input in)
{
	struct engine_sink sink = { world_emit, NULL };

	in.t_ms = WORLD_BEGIN_MS + world.t_ms;
	world.n_before = world.n_out;
	engine_apply(world.engine, &in, &sink);
	CHECK_INT(engine_books_sum_sat(world.engine), 0);
}

/* Time goes to `t`, since the beginning of the world. */
static inline void
world_at(int64_t t_ms)
{
	world.t_ms = t_ms;
	world_apply((struct input){ .type = INPUT_TICK });
}

/* The last outcome of all. */
static inline const struct outcome *
world_last(void)
{
	return &world.out[world.n_out - 1];
}

/* The last outcome about this withdrawal; a zero one if none. */
static inline const struct outcome *
world_of(const char *id)
{
	static const struct outcome none;
	int		 i;

	for (i = world.n_out - 1; i >= 0; i--)
		if (ident_equal(world.out[i].id, world_id(id)) &&
		    world.out[i].type != OUTCOME_TAKEN &&
		    world.out[i].type != OUTCOME_REFUSED)
			return &world.out[i];
	return &none;
}

static inline enum state
world_state(const char *id)
{
	return world_of(id)->state;
}

/* Did a rule of this name speak when it was last judged? */
static inline bool
world_spoke(const char *id, const char *rule)
{
	const struct joined *j;
	int		 i, r;

	for (i = world.n_out - 1; i >= 0; i--)
		if (ident_equal(world.out[i].id, world_id(id)) &&
		    world.judged[i])
			break;
	if (i < 0)
		return false;
	j = &world.joined[i];
	for (r = 0; r < world.program->n_rules; r++)
		if (strcmp(world.program->rules[r].name, rule) == 0 &&
		    (j->matched[r / 64] >> r % 64 & 1) != 0)
			return true;
	return false;
}

static inline void
world_account(const char *name)
{
	world_apply((struct input){ .type = INPUT_ACCOUNT,
	    .account = world_id(name), .limit_sat = -1, .tier = -1 });
}

static struct input
world_withdraw(const char *id, const char *account, const char *address,
    int64_t mbtc)
{
	return (struct input){ .type = INPUT_WITHDRAW, .id = world_id(id),
		.account = world_id(account), .script = world_id(address),
		.amount_sat = mbtc * MBTC, .via = VIA_WEB,
		.form = FORM_P2WPKH };
}

/* Ask; the state it is in afterwards. */
static inline enum state
world_ask(const char *id, const char *account, const char *address,
    int64_t mbtc)
{
	world_apply(world_withdraw(id, account, address, mbtc));
	return world_state(id);
}

/* An input that names only a withdrawal, or only an operator. */
static inline void
world_about(enum input_type type, const char *id)
{
	world_apply((struct input){ .type = type, .id = world_id(id) });
}

static inline void
world_amount(enum input_type type, const char *account, int64_t mbtc)
{
	world_apply((struct input){ .type = type,
	    .account = world_id(account), .amount_sat = mbtc * MBTC });
}

#endif
