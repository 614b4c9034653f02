#include "engine/outcome.h"

#include <assert.h>
#include <string.h>

#include "engine/outcome_inner.h"
#include "wire/bytes.h"

/* A change here changes what the bytes of every journal mean. */
const struct outcome_shape outcome_usual[OUTCOME_TYPES] = {
	[OUTCOME_DECIDED] = { CAUSE_ASKED, WHY_NONE, VERDICT_ALLOW,
	    VERDICT_ALLOW, STATE_RELEASED },
	[OUTCOME_REPEATED] = { CAUSE_ASKED, WHY_NONE, VERDICT_ALLOW,
	    VERDICT_ALLOW, STATE_RELEASED },
	[OUTCOME_REDECIDED] = { CAUSE_MATURED, WHY_NONE, VERDICT_DELAY,
	    VERDICT_DELAY, STATE_RELEASED },
	[OUTCOME_MOVED] = { CAUSE_PAYMENT, WHY_NONE, VERDICT_ALLOW,
	    VERDICT_ALLOW, STATE_PAID },
	[OUTCOME_HALTED] = { CAUSE_PEOPLE, WHY_NONE, VERDICT_HALT,
	    VERDICT_HALT, STATE_WAITING },
	[OUTCOME_RESUMED] = { CAUSE_PEOPLE, WHY_NONE, VERDICT_ALLOW,
	    VERDICT_ALLOW, STATE_WAITING },
	[OUTCOME_TAKEN] = { CAUSE_ASKED, WHY_NONE, VERDICT_ALLOW,
	    VERDICT_ALLOW, STATE_WAITING },
	[OUTCOME_REFUSED] = { CAUSE_ASKED, WHY_NONE, VERDICT_ALLOW,
	    VERDICT_ALLOW, STATE_WAITING },
};

/* What the rules that spoke bring with them. */
struct told {
	struct prog_reads known;	/* `hot`, `fund`: told */
	uint64_t	unknown[SLOTS_MAX / 64];
};

static bool
is_usual(const struct outcome *o)
{
	const struct outcome_shape *s = &outcome_usual[o->type];

	return o->cause == s->cause && o->why == s->why &&
	    o->verdict == s->verdict && o->would == s->would &&
	    o->state == s->state;
}

static unsigned char *
put_shape(unsigned char *p, const struct outcome *o)
{
	*p++ = (unsigned char)((unsigned)o->cause | (unsigned)o->state << 4);
	*p++ = (unsigned char)((unsigned)o->verdict |
	    (unsigned)o->would << 3 | (o->why != WHY_NONE ? SHAPE_WHY : 0));
	if (o->why != WHY_NONE)
		*p++ = (unsigned char)o->why;
	return p;
}

/* NULL: all is as expected, and nothing was written. */
static unsigned char *
put_more(unsigned char *p, const struct outcome *o, const struct input *in)
{
	unsigned char	*flags = p++;
	bool		 of_all = outcome_of_all(o->type);

	*flags = 0;
	if (o->t_ms != in->t_ms) {
		*flags |= MORE_TIME;
		p = put_signed(p, outcome_less(o->t_ms, in->t_ms));
	}
	if (o->amount_sat != (of_all ? 0 : in->amount_sat)) {
		*flags |= MORE_AMOUNT;
		p = put_signed(p, o->amount_sat);
	}
	if (o->due_ms != INT64_MAX) {
		*flags |= MORE_DUE;
		p = put_signed(p, outcome_less(o->due_ms, o->t_ms));
	}
	if (o->released_ms != outcome_expect_released_ms(o->type, o->state,
	    o->t_ms)) {
		*flags |= MORE_RELEASED;
		p = put_signed(p, outcome_less(o->released_ms, o->t_ms));
	}
	if (o->halt_rule >= 0) {
		*flags |= MORE_HALT_RULE;
		p = put_varint(p, (uint64_t)o->halt_rule);
	}
	return *flags != 0 ? p : NULL;
}

static bool
bit(const uint64_t *bits, int i)
{
	return (bits[i / 64] >> i % 64 & 1) != 0;
}

/* The facts of one rule, where they count (outcome_tells()). */
static void
tell(struct told *t, const struct program *g, const struct outcome *o, int r)
{
	const struct prog_reads *reads = &g->reads[r];
	const struct joined *j = o->joined;
	bool		 asks = g->rules[r].verdict != VERDICT_ALLOW;
	int		 i;

	if (bit(j->failed, r)) {
		for (i = 0; i < SLOTS_MAX / 64; i++)
			t->unknown[i] |= reads->slots[i] & g->fallible[i] &
			    ~o->env->known[i];
		t->known.hot |= reads->hot && o->env->hot_sat < 0;
		t->known.fund |= reads->fund && o->env->fund_sat < 0;
	}
	if (!bit(j->shadowed, r) && !bit(j->exempted, r) &&
	    (!bit(j->matched, r) || (!asks && o->would != VERDICT_ALLOW)))
		return;
	for (i = 0; i < SLOTS_MAX / 64; i++)
		t->known.slots[i] |= reads->slots[i];
	t->known.classes |= reads->classes;
	t->known.hot |= asks && reads->hot;
	t->known.fund |= asks && reads->fund;
}

/* What a rule did, as it is written. */
static unsigned
did(const struct joined *j, int r)
{
	unsigned	 how = RULE_FAILED;

	/* The others exclude each other. */
	if (bit(j->matched, r))
		how = RULE_MATCHED;
	else if (bit(j->shadowed, r))
		how = RULE_SHADOWED;
	else if (bit(j->exempted, r))
		how = RULE_EXEMPTED;
	if (how != RULE_FAILED && bit(j->failed, r))
		how |= DID_FAILED;
	return how;
}

static unsigned char *
put_rules(unsigned char *p, struct told *t, const struct program *g,
    const struct outcome *o, const uint64_t *spoke)
{
	uint64_t	 bits;
	int		 i, r, next = 0;

	for (i = 0; i < RULES_MAX / 64; i++) {
		for (bits = spoke[i]; bits != 0; bits &= bits - 1) {
			r = i * 64 + __builtin_ctzll(bits);
			p = put_varint(p, (unsigned)(r - next) << DID_SHIFT |
			    did(o->joined, r));
			next = r + 1;
			tell(t, g, o, r);
		}
	}
	return p;
}

/* NULL: there are none. */
static unsigned char *
put_extras(unsigned char *p, const struct told *t, const struct outcome *o)
{
	const struct joined *j = o->joined;
	unsigned	 which;

	which = (j->by_default ? EXTRA_DEFAULT : 0u) |
	    (j->code ? EXTRA_CODE : 0u) | (j->deny ? EXTRA_DENY : 0u) |
	    (j->people != 0 ? EXTRA_PEOPLE : 0u) |
	    (j->delay_ms != 0 ? EXTRA_DELAY : 0u) |
	    (t->known.hot ? EXTRA_HOT : 0u) |
	    (t->known.fund ? EXTRA_FUND : 0u) |
	    (j->halt ? EXTRA_HALT : 0u) |
	    (j->error != EVAL_OK ? EXTRA_ERROR : 0u);
	if (which == 0)
		return NULL;
	p = put_varint(p, which);
	if (j->people != 0)
		p = put_varint(p, (uint64_t)j->people);
	if (j->delay_ms != 0)
		p = put_varint(p, (uint64_t)j->delay_ms);
	if (t->known.hot)
		p = put_varint(p, (uint64_t)o->env->hot_sat + 1);
	if (t->known.fund)
		p = put_varint(p, (uint64_t)o->env->fund_sat + 1);
	if (j->error != EVAL_OK)
		p = put_varint(p, (uint64_t)j->error);
	return p;
}

/* NULL: there are none. */
static unsigned char *
put_facts(unsigned char *p, struct told *t, const struct outcome *o,
    int amount_slot)
{
	uint64_t	 bits[SLOTS_MAX / 64];
	enum value_as	 as;
	unsigned	 n = 0;
	int		 i, slot, next = 0;

	if (amount_slot >= 0)
		t->known.slots[amount_slot / 64] &=
		    ~(UINT64_C(1) << amount_slot % 64);
	for (i = 0; i < SLOTS_MAX / 64; i++) {
		bits[i] = (t->known.slots[i] & o->env->known[i]) |
		    t->unknown[i];
		n += (unsigned)__builtin_popcountll(bits[i]);
	}
	if (n == 0)
		return NULL;
	p = put_varint(p, n);
	for (i = 0; i < SLOTS_MAX / 64; i++) {
		for (; bits[i] != 0; bits[i] &= bits[i] - 1) {
			slot = i * 64 + __builtin_ctzll(bits[i]);
			as = bit(t->unknown, slot) ? AS_UNKNOWN :
			    outcome_value_as(o->env->value[slot],
			    o->amount_sat);
			p = put_varint(p, (unsigned)(slot - next) <<
			    AS_SHIFT | as);
			if (as == AS_VALUE)
				p = put_signed(p, o->env->value[slot]);
			next = slot + 1;
		}
	}
	return p;
}

static unsigned char *
put_judged(unsigned char *p, const struct outcome *o,
    const struct program *g)
{
	const struct joined *j = o->joined;
	uint64_t	 spoke[RULES_MAX / 64];
	struct told	 t;
	unsigned char	*flags = p, *q;
	unsigned	 n = 0;
	int		 i;

	assert(o->type == OUTCOME_DECIDED || o->type == OUTCOME_REDECIDED);
	memset(&t, 0, sizeof(t));
	for (i = 0; i < RULES_MAX / 64; i++) {
		spoke[i] = j->matched[i] | j->shadowed[i] | j->exempted[i] |
		    j->failed[i];
		n += (unsigned)__builtin_popcountll(spoke[i]);
	}
	/* The flags are in the first byte, whatever they come out as. */
	p = put_varint(p, n << JUDGED_RULES_SHIFT);
	p = put_rules(p, &t, g, o, spoke);
	t.known.classes &= o->env->classes;
	if (t.known.classes != 0) {
		*flags |= JUDGED_CLASSES;
		p = put_varint(p, t.known.classes);
	}
	if ((q = put_extras(p, &t, o)) != NULL) {
		*flags |= JUDGED_EXTRAS;
		p = q;
	}
	if ((q = put_facts(p, &t, o, g->amount_slot)) != NULL) {
		*flags |= JUDGED_FACTS;
		p = q;
	}
	return p;
}

unsigned char *
outcome_pack(unsigned char *p, const struct outcome *o,
    const struct input *in, const struct program *program)
{
	static const struct ident none;
	unsigned char	*head = p++, *q;

	assert((o->joined == NULL) == (o->env == NULL));
	*head = (unsigned char)o->type;
	if (!is_usual(o)) {
		*head |= HEAD_SHAPE;
		p = put_shape(p, o);
	}
	if (!ident_equal(o->id, outcome_of_all(o->type) ? none : in->id)) {
		*head |= HEAD_ID;
		put_le64(p, o->id.lo);
		put_le64(p + 8, o->id.hi);
		p += 16;
	}
	if ((q = put_more(p, o, in)) != NULL) {
		*head |= HEAD_MORE;
		p = q;
	}
	if (o->joined != NULL) {
		*head |= HEAD_JUDGED;
		p = put_judged(p, o, program);
	}
	return p;
}
