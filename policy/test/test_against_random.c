/*
 * `check --against` against random worlds: when it says that nothing
 * loosens, no withdrawal in any world is treated more mildly.
 */
#include "policy/test/random.h"

#include "policy/against.h"

#define ROUNDS		3000
#define WORLDS		12

static void
change_quantity(struct quantity *q)
{
	switch (below(2)) {
	case 0:
		q->times = 1 + below(3);
		break;
	default:
		if (q->kind == Q_CONST)
			q->value = below(6);
		else if (q->kind == Q_SHARE)
			q->ppm = 100000 * below(6);
		else
			q->times = 1 + below(3);
	}
}

static void
change_test(struct cond *c)
{
	if (c->kind == COND_CLASS) {
		c->index = below(c->index + 1);
		return;
	}
	if (c->kind != COND_COMPARE) {
		c->window_ms = 1000 * (1 + below(2));
		return;
	}
	switch (below(5)) {
	case 0:
		c->rel = (enum relop)below(5);
		break;
	case 1:
		change_quantity(&c->left);
		break;
	case 2:
		if (!c->is_line)
			c->less_ppm = below(2) * 500000;
		else
			c->line.busy = !c->line.busy;
		break;
	case 3:
		if (c->is_line)
			c->line.by_ppm = 500000 * below(3);
		else
			change_quantity(&c->right);
		break;
	case 4:
		if (c->is_line && c->line.has_plus)
			c->line.plus.value = below(4);
		else if (c->is_line)
			c->line.learnt.ppm = 100000 * below(6);
		else
			change_quantity(&c->right);
		break;
	}
}

static void
change_cond(struct cond *c)
{
	if (c->n_kids == 0) {
		change_test(c);
		return;
	}
	/* Classes in the tree are only those defined above: take them all. */
	if (c->kind != COND_NOT && below(4) == 0) {
		if (c->n_kids > 2)
			c->n_kids--;
		else
			c->kids[c->n_kids++] = random_cond(0, 0, CLASS_FIRST);
		return;
	}
	change_cond(c->kids[below(c->n_kids)]);
}

static void
change_rule(struct policy *p)
{
	struct rule	*r = &p->rules[below(p->n_rules)];

	switch (below(10)) {
	case 0:
		r->verdict = (enum verdict)below(VERDICT__COUNT);
		break;
	case 1:
		r->delay_ms = 60000 * (1 + below(5));
		break;
	case 2:
		r->people = 1 + below(3);
		break;
	case 3:
		r->shadow = !r->shadow;
		break;
	case 4:
		r->lot = r->lot == LOT_NONE ? LOT_IN : LOT_NONE;
		break;
	case 5:
		r->until_day = DAY + below(3) - 1;
		break;
	case 6:
		*r = p->rules[--p->n_rules];
		break;
	case 7:
		p->n_rules = RULES + 1;
		break;
	default:
		if (r->cond != NULL)
			change_cond(r->cond);
	}
}

static void
change(struct policy *p)
{
	switch (below(6)) {
	case 0:
		change_quantity(&p->lets[below(LETS)].q);
		break;
	case 1:
	case 2:
		change_cond(p->classes[CLASS_FIRST + below(CLASSES -
		    CLASS_FIRST)].cond);
		break;
	default:
		change_rule(p);
	}
}

/* Does b owe all that a owed?  A denial owes everything but a halt, people
 * lift delays and codes (S4). */
static bool
owes_as_much(const struct joined *b, const struct joined *a)
{
	int	 people = b->halt && b->people == 0 ? 1 : b->people;

	if (a->halt && !b->halt)
		return false;
	if (b->deny)
		return true;
	if (a->deny || people < a->people)
		return false;
	return people > 0 || (b->delay_ms >= a->delay_ms &&
	    b->code >= a->code);
}

struct seen {
	int	 tightens;
	int	 loosens;
	int	 severer;
	int	 milder;
};

static bool
check_worlds(const struct policy *old, const struct policy *new, int round,
    bool loosens, struct seen *seen)
{
	struct joined	 a, b;
	int		 i;

	for (i = 0; i < WORLDS; i++) {
		struct world	 w = { .seed = mix((uint64_t)(round * 64 +
		    i)), .consistent = true };

		a = judge(old, &w, EVAL_ASKING);
		b = judge(new, &w, EVAL_ASKING);
		if (!loosens && !CHECK(owes_as_much(&b, &a)))
			return false;
		seen->severer += !loosens && !owes_as_much(&a, &b);
		seen->milder += loosens && !owes_as_much(&b, &a);
	}
	return true;
}

static void
print_change(void *ctx, const struct against_change *c)
{
	fprintf(ctx, "# %s %s: %s\n", against_text(c->direction), c->subject,
	    c->reason);
}

int
main(void)
{
	struct policy	 old, new;
	struct against_counts n;
	struct seen	 seen = { 0 };
	int		 i, k, changes;

	check_case("what does not loosen is never milder");
	for (i = 0; i < ROUNDS; i++) {
		pool_used = 0;
		rng_state = (uint64_t)i * 7127 + 5;
		random_policy(&old);
		rng_state = (uint64_t)i * 7127 + 5;
		random_policy(&new);
		changes = 1 + below(2);
		for (k = 0; k < changes; k++)
			change(&new);
		against_compare(&old, &new, NULL, NULL, &n);
		seen.tightens += n.loosens == 0 && n.tightens > 0;
		seen.loosens += n.loosens > 0;
		if (!check_worlds(&old, &new, i, n.loosens > 0, &seen)) {
			printf("# round %d\n", i);
			against_compare(&old, &new, print_change, stdout, &n);
			policy_print(&old, stdout);
			policy_print(&new, stdout);
			break;
		}
	}
	/* Else it would have shown nothing. */
	CHECK(seen.tightens > ROUNDS / 8);
	CHECK(seen.severer > 100);
	CHECK(seen.milder > 100);
	printf("# %d tighten (severer in %d worlds), %d loosen (milder in "
	    "%d)\n", seen.tightens, seen.severer, seen.loosens, seen.milder);
	return check_done();
}
