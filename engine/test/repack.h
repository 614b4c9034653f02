/*
 * An outcome made again from what was unpacked, so that a test can pack it
 * again: under a program made up for it, in which the rules read just what
 * stands in the record.
 */
#ifndef ENGINE_TEST_REPACK_H
#define ENGINE_TEST_REPACK_H

#include <string.h>

#include "engine/outcome.h"

struct repack {
	struct prog_reads reads[RULES_MAX];
	struct prog_rule rules[RULES_MAX];
	struct program	 program;
	struct eval_env	 env;
	struct joined	 joined;
	struct outcome	 o;
};

static inline void
repack_bit(uint64_t *bits, int i)
{
	bits[i / 64] |= UINT64_C(1) << i % 64;
}

static inline void
repack_facts(struct repack *k, const struct outcome_record *r,
    struct prog_reads *known, struct prog_reads *unknown)
{
	const struct outcome_fact *f;
	int		 i;

	memset(known, 0, sizeof(*known));
	memset(unknown, 0, sizeof(*unknown));
	for (i = 0; i < r->n_facts; i++) {
		f = &r->facts[i];
		repack_bit(f->known ? known->slots : unknown->slots, f->slot);
		if (f->known) {
			repack_bit(k->env.known, f->slot);
			k->env.value[f->slot] = f->value;
		} else
			repack_bit(k->program.fallible, f->slot);
	}
	known->classes = r->classes;
	known->hot = r->hot_read;
	known->fund = r->fund_read;
	unknown->hot = r->hot_read && r->hot_sat < 0;
	unknown->fund = r->fund_read && r->fund_sat < 0;
}

static inline void
repack_judged(struct repack *k, const struct outcome_record *r)
{
	struct joined	*j = &k->joined;
	struct prog_reads known, unknown;
	int		 i, n;

	repack_facts(k, r, &known, &unknown);
	k->env.classes = r->classes;
	k->env.hot_sat = r->hot_sat;
	k->env.fund_sat = r->fund_sat;
	j->by_default = r->by_default;
	j->code = r->code;
	j->deny = r->deny;
	j->halt = r->halt;
	j->people = r->people;
	j->delay_ms = r->delay_ms;
	j->error = r->error;
	for (i = 0; i < r->n_rules; i++) {
		n = r->rules[i];
		k->rules[n].verdict = VERDICT_HOLD;
		k->reads[n] = unknown;
		if (r->did[i] != RULE_FAILED) {
			k->reads[n] = known;
			if (r->failed[i]) {
				k->reads[n].slots[0] |= unknown.slots[0];
				k->reads[n].slots[1] |= unknown.slots[1];
				k->reads[n].slots[2] |= unknown.slots[2];
			}
		}
		if (r->did[i] == RULE_MATCHED)
			repack_bit(j->matched, n);
		else if (r->did[i] == RULE_SHADOWED)
			repack_bit(j->shadowed, n);
		else if (r->did[i] == RULE_EXEMPTED)
			repack_bit(j->exempted, n);
		if (r->failed[i])
			repack_bit(j->failed, n);
	}
	k->o.joined = j;
	k->o.env = &k->env;
}

/* `k` is large: let it be static.  Returns the end, as outcome_pack(). */
static inline unsigned char *
repack(struct repack *k, unsigned char *p, const struct outcome_record *r,
    const struct outcome_of *of)
{
	struct input	 in = { .type = INPUT_TICK, .t_ms = of->t_ms,
		.id = of->id, .amount_sat = of->amount_sat };

	memset(k, 0, sizeof(*k));
	k->program.reads = k->reads;
	k->program.rules = k->rules;
	k->program.n_rules = RULES_MAX;
	k->program.amount_slot = -1;
	k->o = (struct outcome){
		.type = r->type, .cause = r->cause, .why = r->why,
		.t_ms = r->t_ms, .id = r->id, .amount_sat = r->amount_sat,
		.verdict = r->verdict, .would = r->would, .state = r->state,
		.due_ms = r->due_ms, .released_ms = r->released_ms,
		.halt_rule = r->halt_rule,
	};
	if (r->judged)
		repack_judged(k, r);
	return outcome_pack(p, &k->o, &in, &k->program);
}

#endif
