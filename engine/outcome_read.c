#include <limits.h>
#include <string.h>

#include "engine/outcome_inner.h"
#include "wire/bytes.h"

/* Why it is refused; NULL: it is not, but may be short (b->bad). */
static const char *
get_shape(struct bytes *b, struct outcome_record *r, bool given)
{
	const struct outcome_shape *s = &outcome_usual[r->type];
	unsigned	 one, two;

	r->cause = s->cause;
	r->why = s->why;
	r->verdict = s->verdict;
	r->would = s->would;
	r->state = s->state;
	if (!given)
		return NULL;
	one = get_byte(b);
	two = get_byte(b);
	if ((one & 15) > CAUSE_PAYMENT || one >> 4 > STATE_PAID ||
	    (two & 7) >= VERDICT__COUNT || (two >> 3 & 7) >= VERDICT__COUNT ||
	    two >= 2 * SHAPE_WHY)
		return "a word of its shape is unknown";
	r->cause = (enum cause)(one & 15);
	r->state = (enum state)(one >> 4);
	r->verdict = (enum verdict)(two & 7);
	r->would = (enum verdict)(two >> 3 & 7);
	r->why = WHY_NONE;
	if ((two & SHAPE_WHY) != 0) {
		one = get_byte(b);
		if (!b->bad && (one == WHY_NONE || one >= WHY__COUNT))
			return "its reason is unknown";
		r->why = (enum why)one;
	}
	if (r->cause == s->cause && r->why == s->why &&
	    r->verdict == s->verdict && r->would == s->would &&
	    r->state == s->state)
		return "the usual shape is written out";
	return NULL;
}

static const char *
get_id(struct bytes *b, struct outcome_record *r, bool given,
    const struct outcome_of *of)
{
	struct ident	 expected = { 0, 0 };
	struct text	 t;

	if (!outcome_of_all(r->type))
		expected = of->id;
	r->id = expected;
	if (!given)
		return NULL;
	t = get_bytes(b, 16);
	if (b->bad)
		return NULL;
	r->id.lo = get_le64((const unsigned char *)t.p);
	r->id.hi = get_le64((const unsigned char *)t.p + 8);
	return ident_equal(r->id, expected) ? "the command's id is repeated" :
	    NULL;
}

static const char *
get_halt_rule(struct bytes *b, struct outcome_record *r)
{
	uint64_t	 rule = get_varint(b);

	if (rule >= RULES_MAX)
		return "the number of a rule is too large";
	r->halt_rule = (int)rule;
	return NULL;
}

static const char *
get_more(struct bytes *b, struct outcome_record *r, bool given,
    const struct outcome_of *of)
{
	int64_t		 amount_sat = outcome_of_all(r->type) ? 0 :
			     of->amount_sat, released_ms;
	unsigned	 which = given ? get_byte(b) : 0;

	if (given && !b->bad && (which == 0 || which > MORE__ALL))
		return "unknown parts";
	r->t_ms = of->t_ms;
	if ((which & MORE_TIME) != 0)
		r->t_ms = outcome_plus(of->t_ms, get_signed(b));
	r->amount_sat = amount_sat;
	if ((which & MORE_AMOUNT) != 0)
		r->amount_sat = get_signed(b);
	r->due_ms = INT64_MAX;
	if ((which & MORE_DUE) != 0)
		r->due_ms = outcome_plus(r->t_ms, get_signed(b));
	released_ms = outcome_expect_released_ms(r->type, r->state, r->t_ms);
	r->released_ms = released_ms;
	if ((which & MORE_RELEASED) != 0)
		r->released_ms = outcome_plus(r->t_ms, get_signed(b));
	r->halt_rule = -1;
	if (b->bad)
		return NULL;
	if (((which & MORE_TIME) != 0 && r->t_ms == of->t_ms) ||
	    ((which & MORE_AMOUNT) != 0 && r->amount_sat == amount_sat) ||
	    ((which & MORE_DUE) != 0 && r->due_ms == INT64_MAX) ||
	    ((which & MORE_RELEASED) != 0 && r->released_ms == released_ms))
		return "what is expected is written out";
	return (which & MORE_HALT_RULE) != 0 ? get_halt_rule(b, r) : NULL;
}

/* What the rules of one record may have brought with them. */
struct brought {
	bool		unknown;	/* some rule asked what nobody knows */
	bool		known;		/* some rule did not only fail */
};

static const char *
get_rules(struct bytes *b, struct outcome_record *r, uint64_t n,
    struct brought *out)
{
	uint64_t	 v, next = 0;
	int		 i;

	out->unknown = out->known = false;
	if (n > OUTCOME_RULES_MAX)
		return "too many rules";
	for (i = 0; i < (int)n; i++) {
		v = get_varint(b);
		if (b->bad)
			return NULL;
		if (v >> DID_SHIFT >= RULES_MAX - next)
			return "the number of a rule is too large";
		next += v >> DID_SHIFT;
		r->rules[i] = (uint16_t)next++;
		r->did[i] = v & DID_MASK;
		r->failed[i] = (v & DID_FAILED) != 0;
		/* A shadow rule's error is dropped with it. */
		if (r->failed[i] && (r->did[i] == RULE_FAILED ||
		    r->did[i] == RULE_SHADOWED))
			return "what a rule did is unknown";
		if (r->did[i] == RULE_FAILED)
			r->failed[i] = true;
		else
			out->known = true;
		out->unknown |= r->failed[i];
	}
	r->n_rules = (int)n;
	return NULL;
}

/* A positive number of at most `max`; else bad. */
static int64_t
get_positive(struct bytes *b, int64_t max)
{
	uint64_t	 v = get_varint(b);

	if (v == 0 || v > (uint64_t)max) {
		b->bad = true;
		return 0;
	}
	return (int64_t)v;
}

/* Satoshi, -1 for unknown. */
static int64_t
get_reading(struct bytes *b)
{
	uint64_t	 v = get_varint(b);

	if (v > (uint64_t)INT64_MAX) {
		b->bad = true;
		return -1;
	}
	return (int64_t)v - 1;
}

static const char *
get_extras(struct bytes *b, struct outcome_record *r)
{
	uint64_t	 which = get_varint(b);

	if (!b->bad && (which == 0 || which > EXTRA__ALL))
		return "unknown parts of the judgement";
	r->by_default = (which & EXTRA_DEFAULT) != 0;
	r->code = (which & EXTRA_CODE) != 0;
	r->deny = (which & EXTRA_DENY) != 0;
	r->halt = (which & EXTRA_HALT) != 0;
	r->hot_read = (which & EXTRA_HOT) != 0;
	r->fund_read = (which & EXTRA_FUND) != 0;
	if ((which & EXTRA_PEOPLE) != 0)
		r->people = (int)get_positive(b, INT_MAX);
	if ((which & EXTRA_DELAY) != 0)
		r->delay_ms = get_positive(b, INT64_MAX);
	if (r->hot_read)
		r->hot_sat = get_reading(b);
	if (r->fund_read)
		r->fund_sat = get_reading(b);
	if ((which & EXTRA_ERROR) != 0)
		r->error = (enum eval_error)get_positive(b, EVAL_OVERFLOW);
	return NULL;
}

static const char *
get_fact(struct bytes *b, struct outcome_record *r, struct outcome_fact *f,
    uint64_t *next)
{
	uint64_t	 v = get_varint(b);
	enum value_as	 as = (enum value_as)(v & AS_MASK);

	if (v >> AS_SHIFT >= SLOTS_MAX - *next)
		return "the number of a fact is too large";
	*next += v >> AS_SHIFT;
	f->slot = (uint16_t)(*next)++;
	f->known = as != AS_UNKNOWN;
	switch (as) {
	case AS_VALUE:
		f->value = get_signed(b);
		break;
	case AS_AMOUNT:
		f->value = r->amount_sat;
		break;
	case AS_ZERO:
	case AS_UNKNOWN:
		f->value = 0;
		break;
	}
	if (!b->bad && f->known &&
	    as != outcome_value_as(f->value, r->amount_sat))
		return "a fact is not in its shortest form";
	return NULL;
}

static const char *
get_facts(struct bytes *b, struct outcome_record *r,
    const struct brought *by)
{
	uint64_t	 n = get_varint(b), next = 0;
	const char	*wrong;
	int		 i;

	if (!b->bad && (n == 0 || n > OUTCOME_FACTS_MAX))
		return "the number of facts";
	for (i = 0; i < (int)n && !b->bad; i++) {
		if ((wrong = get_fact(b, r, &r->facts[i], &next)) != NULL)
			return wrong;
		if (!(r->facts[i].known ? by->known : by->unknown))
			return "a fact, and no rule that read it";
	}
	r->n_facts = (int)n;
	return NULL;
}

static const char *
get_judged(struct bytes *b, struct outcome_record *r, bool given)
{
	const char	*wrong;
	uint64_t	 which;
	struct brought	 by;

	r->hot_sat = r->fund_sat = -1;
	if (!given)
		return NULL;
	if (r->type != OUTCOME_DECIDED && r->type != OUTCOME_REDECIDED)
		return "this type is never judged";
	r->judged = true;
	which = get_varint(b);
	if ((wrong = get_rules(b, r, which >> JUDGED_RULES_SHIFT,
	    &by)) != NULL)
		return wrong;
	if ((which & JUDGED_CLASSES) != 0 &&
	    (r->classes = get_varint(b)) == 0 && !b->bad)
		return "no classes";
	if ((which & JUDGED_EXTRAS) != 0 &&
	    (wrong = get_extras(b, r)) != NULL)
		return wrong;
	if ((which & JUDGED_FACTS) != 0 &&
	    (wrong = get_facts(b, r, &by)) != NULL)
		return wrong;
	if (b->bad)
		return NULL;
	if (!by.known && (r->classes != 0 || r->hot_sat >= 0 ||
	    r->fund_sat >= 0 || (!by.unknown &&
	    (r->hot_read || r->fund_read))))
		return "facts, and no rule that read them";
	if (by.unknown && r->error == EVAL_OK)
		return "a rule failed, and there is no error";
	return NULL;
}

enum rc
outcome_unpack(struct outcome_record *out, const unsigned char **p,
    const unsigned char *end, const struct outcome_of *of, struct err *e)
{
	struct bytes	 b = bytes_of(*p, (size_t)(end - *p));
	const char	*wrong = NULL;
	unsigned	 head;

	/* What the lists do not use is left as it is. */
	memset(out, 0, offsetof(struct outcome_record, rules));
	out->n_facts = 0;
	head = get_byte(&b);
	out->type = (enum outcome_type)(head & HEAD_TYPE);
	if (head >= 2 * HEAD_MORE)
		wrong = "its head is unknown";
	if (wrong == NULL)
		wrong = get_shape(&b, out, (head & HEAD_SHAPE) != 0);
	if (wrong == NULL)
		wrong = get_id(&b, out, (head & HEAD_ID) != 0, of);
	if (wrong == NULL)
		wrong = get_more(&b, out, (head & HEAD_MORE) != 0, of);
	if (wrong == NULL)
		wrong = get_judged(&b, out, (head & HEAD_JUDGED) != 0);
	if (wrong != NULL)
		return err_set(e, "outcome: %s", wrong);
	if (b.bad)
		return err_set(e, "outcome: short, or a number out of range");
	*p = b.p;
	return RC_OK;
}

bool
outcome_tells(const struct outcome_record *r, int i, const struct program *p)
{
	switch ((enum outcome_did)r->did[i]) {
	case RULE_MATCHED:
		return r->would == VERDICT_ALLOW ||
		    p->rules[r->rules[i]].verdict != VERDICT_ALLOW;
	case RULE_SHADOWED:
	case RULE_EXEMPTED:
		return true;
	case RULE_FAILED:
		break;
	}
	return false;
}
