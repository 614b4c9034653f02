/*
 * An engine under test: a policy given as text, things named by number, and
 * the outcomes of the last input kept to be looked at.
 */
#ifndef ENGINE_TEST_RIG_H
#define ENGINE_TEST_RIG_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "tests/check.h"

#define RIG_OUTCOMES_MAX 4096

struct rig {
	struct policy		*policy;
	struct program		*program;
	struct engine		*engine;
	struct ident_key	 ids;
	struct engine_sink	 sink;
	struct outcome		 out[RIG_OUTCOMES_MAX];
	size_t			 n_out;
};

static inline void
rig_emit(void *ctx, const struct outcome *o)
{
	struct rig	*r = ctx;

	if (CHECK(r->n_out < RIG_OUTCOMES_MAX))
		r->out[r->n_out++] = *o;
}

/* `key` fills the ident key; capacities small unless `big`. */
static inline struct rig *
rig_new(const char *text, unsigned char key, bool big)
{
	struct rig		*r = calloc(1, sizeof(*r));
	struct engine_config	 c = { .receipt_at_release = true };
	struct err		 e = { "" };
	size_t			 n = big ? 100000 : 4000;

	memset(&r->ids, key, sizeof(r->ids));
	memset(&c.lots, 99, sizeof(c.lots));
	c.ids = r->ids;
	c.accounts = c.keys = c.pairs = c.destinations = c.networks =
	    c.groups = n;
	c.waiting = c.withdrawals = n * 10;
	if (policy_load_text(&r->policy, "test.policy", text, strlen(text),
	    stdout, &e) != RC_OK ||
	    program_new(&r->program, r->policy, &e) != RC_OK ||
	    engine_new(&r->engine, r->program, &c, &e) != RC_OK) {
		printf("not ok rig: %s\n", e.text);
		exit(1);
	}
	r->sink = (struct engine_sink){ rig_emit, r };
	return r;
}

static inline void
rig_free(struct rig *r)
{
	engine_free(&r->engine);
	program_free(&r->program);
	policy_free(&r->policy);
	free(r);
}

/* "a7" for ('a', 7), as the fingerprint that stands for it. */
static inline struct ident
rig_id(const struct rig *r, char kind, int64_t n)
{
	char	 text[32];
	int	 len;

	len = snprintf(text, sizeof(text), "%c%lld", kind, (long long)n);
	return ident_of(&r->ids, text, (size_t)len);
}

/* An input with everything not given. */
static inline struct input
rig_input(enum input_type type, int64_t t_ms)
{
	return (struct input){
		.type = type, .t_ms = t_ms, .limit_sat = -1, .tier = -1,
	};
}

static inline void
rig_apply(struct rig *r, const struct input *in)
{
	r->n_out = 0;
	engine_apply(r->engine, in, &r->sink);
}

static inline void
rig_account(struct rig *r, int64_t t_ms, int64_t account, int64_t group)
{
	struct input	 in = rig_input(INPUT_ACCOUNT, t_ms);

	in.account = rig_id(r, 'a', account);
	if (group >= 0)
		in.group = rig_id(r, 'g', group);
	rig_apply(r, &in);
}

static inline void
rig_balance(struct rig *r, enum input_type type, int64_t t_ms,
    int64_t account, int64_t amount_sat)
{
	struct input	 in = rig_input(type, t_ms);

	in.account = rig_id(r, 'a', account);
	in.amount_sat = amount_sat;
	rig_apply(r, &in);
}

static inline void
rig_tick(struct rig *r, int64_t t_ms)
{
	struct input	 in = rig_input(INPUT_TICK, t_ms);

	rig_apply(r, &in);
}

/* About a withdrawal: cancel, release, deny, outcome, ... */
static inline void
rig_about(struct rig *r, enum input_type type, int64_t t_ms, int64_t id)
{
	struct input	 in = rig_input(type, t_ms);

	in.id = rig_id(r, 'w', id);
	in.by = rig_id(r, 'o', 1);
	rig_apply(r, &in);
}

static inline struct input
rig_withdrawal(const struct rig *r, int64_t t_ms, int64_t id,
    int64_t account, int64_t destination, int64_t amount_sat)
{
	struct input	 in = rig_input(INPUT_WITHDRAW, t_ms);

	in.id = rig_id(r, 'w', id);
	in.account = rig_id(r, 'a', account);
	in.script = rig_id(r, 'd', destination);
	in.amount_sat = amount_sat;
	in.via = VIA_API;
	return in;
}

/* The outcome about that withdrawal in the last input, the last of them. */
static inline const struct outcome *
rig_about_id(const struct rig *r, int64_t id)
{
	struct ident	 want = rig_id(r, 'w', id);
	size_t		 i;

	for (i = r->n_out; i > 0; i--)
		if (ident_equal(r->out[i - 1].id, want))
			return &r->out[i - 1];
	return NULL;
}

#endif
