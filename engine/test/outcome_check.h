/*
 * One outcome packed, unpacked and compared with what the engine said, every
 * field and every fact; what was seen is counted, and some of all kinds are
 * kept.
 */
#ifndef ENGINE_TEST_OUTCOME_CHECK_H
#define ENGINE_TEST_OUTCOME_CHECK_H

#include "engine/outcome.h"
#include "engine/test/repack.h"
#include "tests/check.h"

#define SAMPLES_MAX	400

/* What was seen, over everything. */
static struct {
	int	 type[8], cause[CAUSE_PAYMENT + 1], why[WHY__COUNT];
	int	 state[STATE_PAID + 1], verdict[VERDICT__COUNT];
	int	 did[4], failed, unknown, error, n_facts, classes, hot, fund;
} saw;

/* Some of all kinds, for what is done to them later. */
static struct sample {
	struct outcome_of of;
	size_t		 len;
	unsigned char	 bytes[512];
	uint32_t	 kind;
} samples[SAMPLES_MAX];
static int n_samples;

static struct outcome_record rec;
static struct repack remade;

static void
keep_sample(const unsigned char *p, size_t len, const struct outcome_of *of)
{
	uint32_t	 kind = (uint32_t)rec.type | (uint32_t)rec.cause << 3 |
	    (uint32_t)rec.state << 7 | (uint32_t)rec.why << 11 |
	    (uint32_t)rec.judged << 16 | (uint32_t)rec.n_rules << 17 |
	    (uint32_t)rec.n_facts << 22;
	int		 i;

	if (len > sizeof(samples[0].bytes) || n_samples == SAMPLES_MAX)
		return;
	for (i = 0; i < n_samples; i++)
		if (samples[i].kind == kind)
			return;
	samples[n_samples].kind = kind;
	samples[n_samples].of = *of;
	samples[n_samples].len = len;
	memcpy(samples[n_samples++].bytes, p, len);
}

static bool
bit(const uint64_t *bits, int i)
{
	return (bits[i / 64] >> i % 64 & 1) != 0;
}

static bool
has_fact(int slot, bool known, int64_t value)
{
	int	 i;

	for (i = 0; i < rec.n_facts; i++)
		if (rec.facts[i].slot == slot)
			return rec.facts[i].known == known &&
			    rec.facts[i].value == value;
	return false;
}

/* Everything that rule `i` of the record read stands in it. */
static void
check_reads(const struct outcome *o, const struct program *p, int i)
{
	const struct prog_reads *reads = &p->reads[rec.rules[i]];
	bool		 asks = p->rules[rec.rules[i]].verdict !=
			     VERDICT_ALLOW;
	int		 s;

	for (s = 0; s < p->n_slots; s++) {
		if (!bit(reads->slots, s) || s == p->amount_slot)
			continue;
		if (bit(o->env->known, s)) {
			CHECK(!outcome_tells(&rec, i, p) ||
			    has_fact(s, true, o->env->value[s]));
		} else if (bit(p->fallible, s) && rec.failed[i])
			CHECK(has_fact(s, false, 0));
	}
	if (outcome_tells(&rec, i, p)) {
		CHECK((reads->classes & (rec.classes ^ o->env->classes)) == 0);
		CHECK(!asks || !reads->hot ||
		    (rec.hot_read && rec.hot_sat == o->env->hot_sat));
		CHECK(!asks || !reads->fund ||
		    (rec.fund_read && rec.fund_sat == o->env->fund_sat));
	}
	saw.did[rec.did[i]]++;
	saw.failed += rec.failed[i];
}

static void
check_judged(const struct outcome *o, const struct program *p)
{
	const struct joined *j = o->joined;
	int		 r, i = 0;

	CHECK(rec.deny == j->deny && rec.halt == j->halt &&
	    rec.code == j->code && rec.by_default == j->by_default);
	CHECK_INT(rec.people, j->people);
	CHECK_INT(rec.delay_ms, j->delay_ms);
	CHECK_INT(rec.error, j->error);
	for (r = 0; r < p->n_rules; r++) {
		if (!bit(j->matched, r) && !bit(j->shadowed, r) &&
		    !bit(j->exempted, r) && !bit(j->failed, r))
			continue;
		if (!CHECK(i < rec.n_rules && rec.rules[i] == r))
			return;
		CHECK_INT(rec.did[i], bit(j->matched, r) ? RULE_MATCHED :
		    bit(j->shadowed, r) ? RULE_SHADOWED :
		    bit(j->exempted, r) ? RULE_EXEMPTED : RULE_FAILED);
		CHECK_INT(rec.failed[i], bit(j->failed, r));
		check_reads(o, p, i++);
	}
	CHECK_INT(rec.n_rules, i);
	for (i = 0; i < rec.n_facts; i++) {
		r = rec.facts[i].slot;
		CHECK(bit(o->env->known, r) == rec.facts[i].known);
		saw.unknown += !rec.facts[i].known;
	}
	saw.n_facts += rec.n_facts;
	saw.error += rec.error != EVAL_OK;
	saw.classes += rec.classes != 0;
	saw.hot += rec.hot_read;
	saw.fund += rec.fund_read;
}

static void
check_fields(const struct outcome *o)
{
	CHECK_INT(rec.type, o->type);
	CHECK_INT(rec.cause, o->cause);
	CHECK_INT(rec.why, o->why);
	CHECK_INT(rec.t_ms, o->t_ms);
	CHECK(ident_equal(rec.id, o->id));
	CHECK_INT(rec.amount_sat, o->amount_sat);
	CHECK_INT(rec.verdict, o->verdict);
	CHECK_INT(rec.would, o->would);
	CHECK_INT(rec.state, o->state);
	CHECK_INT(rec.due_ms, o->due_ms);
	CHECK_INT(rec.released_ms, o->released_ms);
	CHECK_INT(rec.halt_rule, o->halt_rule);
	CHECK_INT(rec.judged, o->joined != NULL);
}

/* Pack, unpack, compare, and pack again what was unpacked; the length. */
static size_t
there_and_back(unsigned char *p, const struct outcome *o,
    const struct input *in, const struct program *program)
{
	static unsigned char again[OUTCOME_ROOM];
	const struct outcome_of of = { in->id, in->amount_sat, in->t_ms };
	const unsigned char *at = p;
	size_t		 len = (size_t)(outcome_pack(p, o, in, program) - p);
	struct err	 e = { "" };

	CHECK(len > 0 && len <= OUTCOME_ROOM);
	memset(&rec, 0xa5, sizeof(rec));
	if (!CHECK(outcome_unpack(&rec, &at, p + len, &of, &e) == RC_OK)) {
		printf("# %s\n", e.text);
		return len;
	}
	CHECK(at == p + len);
	check_fields(o);
	if (o->joined != NULL)
		check_judged(o, program);
	CHECK_INT(repack(&remade, again, &rec, &of) - again, len);
	CHECK(memcmp(again, p, len) == 0);
	saw.type[o->type]++;
	saw.cause[o->cause]++;
	saw.why[o->why]++;
	saw.state[o->state]++;
	saw.verdict[o->would]++;
	keep_sample(p, len, &of);
	return len;
}

#endif
