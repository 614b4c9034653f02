/*
 * The compiled policy against a naive reading of its tree; and the promises
 * that do not depend on what a policy says: the order of rules changes
 * nothing (S1), one more rule that is not an `allow` never makes the answer
 * milder (S2).
 */
#include "policy/test/random.h"

#define ROUNDS		4000

static bool
rule_agrees(const struct joined *j, const struct rule *rule, int r,
    enum kleene k, bool drawn, bool ended)
{
	bool	 spoke = bit(rule->shadow ? j->shadowed : j->matched, r);
	bool	 want = k == YES && drawn && !ended;

	if (ended)
		return !spoke && !bit(j->failed, r);
	if (k == MAYBE && !rule->shadow && !bit(j->failed, r))
		return false;
	if (rule->verdict == VERDICT_ALLOW && !rule->shadow &&
	    bit(j->failed, r))
		return !spoke;
	return spoke == want;
}

static void
compare_once(struct policy *p, const struct program *g, struct world *w,
    enum eval_when when)
{
	struct eval_env	 env;
	struct joined	 j;
	struct reading	 reading = { .p = p, .w = w, .env = &env };
	enum kleene	 k;
	uint64_t	 classes;
	bool		 drawn;
	int		 r;

	prepare(&env, w, g, when);
	classes = naive_classes(&reading, g);
	if (when != EVAL_ASKING)
		env.classes = classes;
	eval(g, &env, &j);
	CHECK(env.classes == classes);
	for (r = 0; r < p->n_rules; r++) {
		k = p->rules[r].cond == NULL ? YES :
		    naive(&reading, p->rules[r].cond);
		drawn = p->rules[r].lot == LOT_NONE || draw(w, r);
		if (!CHECK(rule_agrees(&j, &p->rules[r], r, k, drawn,
		    p->rules[r].until_day < DAY))) {
			printf("# rule %d when %d kleene %d\n", r, when, k);
			program_dump(g, stdout);
			exit(1);
		}
		if (w->errors_per_64 == 0)
			CHECK(!bit(j.failed, r));
	}
	if (w->errors_per_64 == 0)
		CHECK(j.error == EVAL_OK);
}

/* What is asked of a withdrawal, without who asked. */
static bool
same_answer(const struct joined *x, const struct joined *y)
{
	return x->called == y->called && x->allowed == y->allowed &&
	    x->delay_ms == y->delay_ms && x->code == y->code &&
	    x->people == y->people && x->deny == y->deny &&
	    x->halt == y->halt && x->by_default == y->by_default &&
	    x->error == y->error;
}

static void
shuffle(struct rule *rules, int n)
{
	struct rule	 swap;
	int		 i, k;

	for (i = n - 1; i > 0; i--) {
		k = below(i + 1);
		swap = rules[i];
		rules[i] = rules[k];
		rules[k] = swap;
	}
}

static void
promises_once(struct policy *p, struct world *w, enum eval_when when)
{
	struct joined	 before, after;

	before = judge(p, w, when);
	shuffle(p->rules, p->n_rules);
	after = judge(p, w, when);
	CHECK(same_answer(&before, &after));
	if (p->rules[p->n_rules].verdict == VERDICT_ALLOW)
		p->rules[p->n_rules].verdict = VERDICT_STEP_UP;
	p->n_rules++;
	after = judge(p, w, when);
	CHECK(not_milder(&after, &before));
	p->n_rules--;
}

int
main(void)
{
	struct policy	 p;
	struct program	*g = NULL;
	struct world	 w;
	int		 i, when;

	for (i = 0; i < ROUNDS; i++) {
		if (i == 0)
			check_case("compiled agrees with the tree");
		if (i == ROUNDS / 2)
			check_case("S7 unknown values: compiled agrees");
		rng_state = (uint64_t)i * 7919;
		pool_used = 0;
		random_policy(&p);
		w = (struct world){ .seed = mix((uint64_t)i),
			.errors_per_64 = i < ROUNDS / 2 ? 0 : 6,
			.taint = below(2) == 0 };
		if (program_new(&g, &p, NULL) != RC_OK)
			abort();
		for (when = EVAL_ASKING; when <= EVAL_RESUMING; when++)
			compare_once(&p, g, &w, (enum eval_when)when);
		program_free(&g);
	}
	check_case("S1 order changes nothing, S2 more rules never soften");
	for (i = 0; i < ROUNDS; i++) {
		rng_state = (uint64_t)i * 104729 + 1;
		pool_used = 0;
		random_policy(&p);
		w = (struct world){ .seed = mix((uint64_t)i + 99),
			.errors_per_64 = i % 3, .taint = below(2) == 0 };
		promises_once(&p, &w, (enum eval_when)(i % 3));
	}
	return check_done();
}
