/*
 * The judge: every rule is asked, what each asks for is added up (S1, S2).
 *
 * This is the hot path.  A condition is a chain of tests with jumps; a value
 * is fetched when the first test wants it and kept for the others.  Nothing
 * allocates, nothing recurses, and the only calls out are those of the
 * environment.
 */
#include <assert.h>
#include <string.h>

#include "lib/amount.h"
#include "policy/program.h"

#define PPM	INT64_C(1000000)

static enum eval_error __attribute__((noinline))
slot_fetch(struct eval_env *env, int slot, int64_t *out)
{
	enum eval_error	 error;

	error = env->fetch(env->ctx, slot, out);
	if (error != EVAL_OK)
		return error;
	env->value[slot] = *out;
	env->known[slot >> 6] |= UINT64_C(1) << (slot & 63);
	return EVAL_OK;
}

static inline enum eval_error
slot_value(struct eval_env *env, int slot, int64_t *out)
{
	if ((env->known[slot >> 6] >> (slot & 63) & 1) != 0) {
		*out = env->value[slot];
		return EVAL_OK;
	}
	return slot_fetch(env, slot, out);
}

/* floor(sqrt(n)), bit by bit (Woo's abacus algorithm). */
static int64_t
isqrt(int64_t n)
{
	uint64_t	 rest = (uint64_t)n, root = 0, bit;

	if (n <= 0)
		return 0;
	bit = UINT64_C(1) << ((63 - __builtin_clzll(rest)) & ~1);
	for (; bit != 0; bit >>= 2) {
		if (rest >= root + bit) {
			rest -= root + bit;
			root = (root >> 1) + bit;
		} else
			root >>= 1;
	}
	return (int64_t)root;
}

/* A share of a reading, rounded down; nobody reported it: -1. */
static inline enum eval_error
share_value(int64_t whole_sat, int64_t ppm, int64_t *out)
{
	if (whole_sat < 0)
		return EVAL_UNKNOWN;
	*out = muldiv(whole_sat, ppm, PPM);
	return *out == INT64_MAX ? EVAL_OVERFLOW : EVAL_OK;
}

/* What an operand of a line may be: a constant or a share. */
static enum eval_error
plain_value(const struct eval_env *env, const struct operand *o, int64_t *out)
{
	switch (o->kind) {
	case OPERAND_CONST:
		*out = o->value;
		return EVAL_OK;
	case OPERAND_HOT:
		return share_value(env->hot_sat, o->value, out);
	case OPERAND_FUND:
		return share_value(env->fund_sat, o->value, out);
	case OPERAND_SLOT:
	case OPERAND_LINE:
		break;
	}
	assert(!"a line's plus and learnt are constants or shares");
	return EVAL_OVERFLOW;
}

/* S39, S40. */
static enum eval_error
line_value(const struct prog_line *l, struct eval_env *env, int64_t *out)
{
	int64_t		 n, busy, more;
	enum eval_error	 error;

	if ((error = slot_value(env, l->normal_slot, &n)) != EVAL_OK)
		return error;
	if (n < 0)
		return plain_value(env, &l->learnt, out);
	if (l->busy_slot >= 0) {
		if ((error = slot_value(env, l->busy_slot, &busy)) != EVAL_OK)
			return error;
		n = muldiv(n, busy, 1000);
	}
	if ((error = plain_value(env, &l->plus, &more)) != EVAL_OK)
		return error;
	if (l->root)
		more = amount_add_saturate(more, 3 * isqrt(n));
	*out = amount_add_saturate(muldiv(n, PPM + l->by_ppm, PPM), more);
	return *out == INT64_MAX ? EVAL_OVERFLOW : EVAL_OK;
}

static inline enum eval_error
operand_value(const struct program *p, struct eval_env *env,
    const struct operand *o, int64_t *out)
{
	enum eval_error	 error;

	if (__builtin_expect(o->kind == OPERAND_CONST, 1)) {
		*out = o->value;
		return EVAL_OK;
	}
	if (__builtin_expect(o->kind == OPERAND_SLOT, 1)) {
		error = slot_value(env, o->index, out);
		if (__builtin_expect(error != EVAL_OK, 0) || o->value == 1)
			return error;
		/* A full counter is beyond everything, times anything. */
		if (*out == INT64_MAX)
			return EVAL_OK;
		return __builtin_mul_overflow(*out, o->value, out) ?
		    EVAL_OVERFLOW : EVAL_OK;
	}
	if (o->kind == OPERAND_LINE)
		return line_value(&p->lines[o->index], env, out);
	return plain_value(env, o, out);
}

static inline bool
compare(int64_t left, enum relop rel, int64_t right)
{
	switch (rel) {
	case REL_GT:
		return left > right;
	case REL_GE:
		return left >= right;
	case REL_LT:
		return left < right;
	case REL_LE:
		return left <= right;
	case REL_EQ:
		return left == right;
	}
	return false;
}

/* S42: lowered by what nobody outside can know, never raised. */
static int64_t
shaded(const struct eval_env *env, int rule, int64_t right, int64_t less_ppm)
{
	int64_t	 most = muldiv(right, less_ppm, PPM);

	return right - muldiv(most, env->shade(env->ctx, rule),
	    INT64_C(1) << 32);
}

static inline enum eval_error
test_value(const struct program *p, struct eval_env *env,
    const struct prog_test *t, int rule, bool *out)
{
	int64_t		 left, right;
	enum eval_error	 error;

	if (t->kind == TEST_CLASS) {
		*out = (env->classes >> t->cls & 1) != 0;
		return EVAL_OK;
	}
	error = operand_value(p, env, &t->left, &left);
	if (__builtin_expect(error != EVAL_OK, 0))
		return error;
	if (t->kind == TEST_SLOT) {
		*out = left != 0;
		return EVAL_OK;
	}
	error = operand_value(p, env, &t->right, &right);
	if (__builtin_expect(error != EVAL_OK, 0))
		return error;
	if (t->less_ppm != 0)
		right = shaded(env, rule, right, t->less_ppm);
	*out = compare(left, t->rel, right);
	return EVAL_OK;
}

static bool
reads_asked(const struct program *p, const struct operand *o)
{
	return o->kind == OPERAND_SLOT && p->slots[o->index].kind == SLOT_AGG &&
	    p->aggs[p->slots[o->index].index].def.stage == STAGE_ASKED;
}

/*
 * S28: at the end of a delay, what was asked for meanwhile proves nothing
 * about this withdrawal; what was asked for around it does, and taint
 * remembers that.  Coins that left are judged afresh as well.
 */
static enum eval_error
test_matured(const struct program *p, struct eval_env *env,
    const struct prog_test *t, int rule, bool *out)
{
	*out = env->tainted(env->ctx, rule);
	if (*out || reads_asked(p, &t->left) || reads_asked(p, &t->right))
		return EVAL_OK;
	return test_value(p, env, t, rule, out);
}

/*
 * Follow the jumps.  A value that cannot be had makes its test false, goes
 * into *error (the worst of them) and leaves the rest to decide.
 */
static inline bool
run(const struct program *p, struct eval_env *env, int start, int rule,
    enum eval_error *error)
{
	bool		 matured = env->when == EVAL_MATURING && rule >= 0;
	const struct prog_test *t;
	enum eval_error	 now;
	bool		 yes;
	int		 at = start;

	while (at >= 0) {
		t = &p->tests[at];
		yes = false;
		if (__builtin_expect(matured && t->shared, 0))
			now = test_matured(p, env, t, rule, &yes);
		else
			now = test_value(p, env, t, rule, &yes);
		if (__builtin_expect(now != EVAL_OK, 0)) {
			yes = false;
			if (now > *error)
				*error = now;
		}
		at = yes ? t->if_true : t->if_false;
	}
	return at == JUMP_TRUE;
}

static inline bool
shut(const struct prog_gate *gate, uint64_t classes)
{
	return ((gate->all & ~classes) | (gate->none & classes)) != 0;
}

/* A class is true when it is true whatever the unknown value may be; an
 * exemption's condition must be known (S7). */
static bool
class_holds(const struct program *p, struct eval_env *env, int cls,
    enum eval_error *error)
{
	int	 n_written = p->n_classes - p->n_exempts;

	if (shut(&p->classes[cls].gate, env->classes))
		return false;
	return run(p, env, p->classes[cls].start, -1, error) &&
	    (cls < n_written || *error == EVAL_OK);
}

bool
eval_class(const struct program *p, struct eval_env *env, int cls)
{
	enum eval_error	 error = EVAL_OK;

	return class_holds(p, env, cls, &error);
}

/* S13, S14: in order, each bit as soon as it is known. */
static enum eval_error
eval_classes(const struct program *p, struct eval_env *env)
{
	int		 c, n_written = p->n_classes - p->n_exempts;
	enum eval_error	 error, worst = EVAL_OK;

	env->classes = 0;
	for (c = 0; c < p->n_classes; c++) {
		error = EVAL_OK;
		if (class_holds(p, env, c, &error))
			env->classes |= UINT64_C(1) << c;
		/* Inside an exemption it only means: no exemption. */
		if (c < n_written && error > worst)
			worst = error;
	}
	return worst;
}

/* Does one exemption hold, with this withdrawal in its sums? (S43) */
static bool
exempt_holds(const struct prog_exempt *x, struct eval_env *env)
{
	int64_t	 used;

	if ((env->classes >> x->cls & 1) == 0 || env->t_ms >= x->until_ms)
		return false;
	if (slot_value(env, x->sum_slot, &used) != EVAL_OK ||
	    used > x->upto_sat)
		return false;
	if (x->count_slot < 0)
		return true;
	return slot_value(env, x->count_slot, &used) == EVAL_OK &&
	    used <= x->count;
}

static bool __attribute__((noinline))
exempted(const struct program *p, struct eval_env *env, uint64_t which)
{
	for (; which != 0; which &= which - 1)
		if (exempt_holds(&p->exempts[__builtin_ctzll(which)], env))
			return true;
	return false;
}

static void
join(struct joined *out, const struct prog_rule *rule)
{
	switch (rule->verdict) {
	case VERDICT_ALLOW:
		out->allowed = true;
		break;
	case VERDICT_DELAY:
		if (rule->delay_ms > out->delay_ms)
			out->delay_ms = rule->delay_ms;
		break;
	case VERDICT_STEP_UP:
		out->code = true;
		break;
	case VERDICT_HOLD:
		if (rule->people > out->people)
			out->people = rule->people;
		break;
	case VERDICT_DENY:
		out->deny = true;
		break;
	case VERDICT_HALT:
		out->halt = true;
		break;
	case VERDICT__COUNT:
		assert(!"no verdict");
	}
}

/* The default and errors, and then the name of the whole (S2, S5, S7). */
static void
join_end(const struct program *p, const struct eval_env *env,
    struct joined *out)
{
	enum verdict	 dflt = p->policy->dflt;

	if (!out->allowed && dflt != VERDICT_ALLOW &&
	    env->when != EVAL_RELEASING) {
		out->by_default = true;
		if (dflt == VERDICT_DENY)
			out->deny = true;
		else if (out->people == 0)
			out->people = 1;
	}
	if (out->error != EVAL_OK && out->people == 0)
		out->people = 1;
	if (out->halt)
		out->called = VERDICT_HALT;
	else if (out->deny)
		out->called = VERDICT_DENY;
	else if (out->people > 0)
		out->called = VERDICT_HOLD;
	else if (out->code)
		out->called = VERDICT_STEP_UP;
	else if (out->delay_ms > 0)
		out->called = VERDICT_DELAY;
	else
		out->called = VERDICT_ALLOW;
}

static inline void
set_bit(uint64_t *bits, int i)
{
	bits[i >> 6] |= UINT64_C(1) << (i & 63);
}

void
eval(const struct program *p, struct eval_env *env, struct joined *out)
{
	const struct prog_rule *rule;
	enum eval_error	 error;
	bool		 hit;
	int		 r;

	memset(out, 0, sizeof(*out));
	if (env->when == EVAL_ASKING)
		out->error = eval_classes(p, env);
	for (r = 0; r < p->n_rules; r++) {
		rule = &p->rules[r];
		if (shut(&rule->gate, env->classes))
			continue;
		if (env->when == EVAL_RELEASING && !rule->ceiling)
			continue;
		if (env->t_ms >= rule->until_ms)
			continue;
		error = EVAL_OK;
		hit = run(p, env, rule->start, r, &error);
		if (__builtin_expect(error != EVAL_OK && !rule->shadow, 0)) {
			set_bit(out->failed, r);
			if (error > out->error)
				out->error = error;
			if (rule->verdict == VERDICT_ALLOW)
				continue;
		}
		if (!hit)
			continue;
		if (rule->lot != LOT_NONE && !env->draw(env->ctx, r))
			continue;
		if (rule->shadow)
			set_bit(out->shadowed, r);
		else if (rule->exempt != 0 && exempted(p, env, rule->exempt))
			set_bit(out->exempted, r);
		else {
			set_bit(out->matched, r);
			join(out, rule);
		}
	}
	join_end(p, env, out);
}
