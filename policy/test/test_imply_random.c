/*
 * imply.h against random worlds: what it proves must hold in every one.
 */
#include "policy/test/random.h"

#include "policy/imply.h"
#include "policy/print.h"

#define ROUNDS		1500
#define WORLDS		60

static struct cond *
join(enum cond_kind kind, struct cond *a, struct cond *b)
{
	struct cond	*c = take(sizeof(*c));

	c->kind = kind;
	c->kids = take(sizeof(c->kids[0]) * 2);
	c->kids[0] = a;
	c->kids[1] = b;
	c->n_kids = b != NULL ? 2 : 1;
	return c;
}

/* A copy with one thing changed: near enough to be implied now and then. */
static struct cond *
vary(const struct cond *from)
{
	struct cond	*c = take(sizeof(*c));
	int		 i;

	*c = *from;
	if (c->n_kids > 0) {
		c->kids = take(sizeof(c->kids[0]) * (size_t)c->n_kids);
		memcpy(c->kids, from->kids, sizeof(c->kids[0]) *
		    (size_t)c->n_kids);
		i = below(c->n_kids);
		c->kids[i] = vary(c->kids[i]);
		return c;
	}
	if (c->kind == COND_COMPARE && !c->is_line) {
		if (below(2) == 0)
			c->rel = (enum relop)below(5);
		else if (c->right.kind == Q_CONST)
			c->right.value = below(6);
		else
			c->right.times = 1 + below(3);
	}
	return c;
}

static void
say(const struct policy *p, const struct cond *c)
{
	char	 text[PRINT_TEXT_MAX];
	int	 i;

	printf("# %s\n", print_cond(p, text, sizeof(text), c));
	for (i = 0; i < p->n_lets; i++)
		printf("#   %s = %s\n", p->lets[i].name, print_quantity(p, text,
		    sizeof(text), &p->lets[i].q));
	for (i = CLASS_FIRST; i < p->n_classes; i++)
		printf("#   %s when %s\n", p->classes[i].name, print_cond(p,
		    text, sizeof(text), p->classes[i].cond));
}

struct seen {
	int	 impossible;
	int	 implied;
	int	 opened;
};

static void
check_pair(const struct policy *p, const struct program *g,
    const struct cond *a, const struct cond *b, struct seen *seen)
{
	struct imply_term term = { a, false, NULL };
	bool	 possible = imply_possible(p, &term, 1);
	bool	 implied = imply_implies(p, a, b);
	int	 i;

	seen->impossible += !possible;
	seen->implied += implied && possible;
	for (i = 0; i < WORLDS && (implied || !possible); i++) {
		struct world	 w = { .seed = mix((uint64_t)i +
		    rng_state), .consistent = true };
		struct eval_env	 env;
		struct reading	 r = { .p = p, .w = &w, .env = &env };

		prepare(&env, &w, g, EVAL_ASKING);
		(void)naive_classes(&r, g);
		if (naive(&r, a) != YES)
			continue;
		seen->opened++;
		if (CHECK(possible) && CHECK(!implied || naive(&r, b) == YES))
			continue;
		say(p, a);
		say(p, b);
		return;
	}
}

int
main(void)
{
	struct policy	 p;
	struct program	*g = NULL;
	struct seen	 seen = { 0 };
	struct cond	*a, *b;
	int		 i, k;

	check_case("what is proved holds in every world");
	for (i = 0; i < ROUNDS; i++) {
		rng_state = (uint64_t)i * 6151 + 3;
		pool_used = 0;
		random_policy(&p);
		if (program_new(&g, &p, NULL) != RC_OK)
			abort();
		for (k = 0; k < 4; k++) {
			a = random_cond(3, LETS, CLASSES);
			b = below(3) == 0 ? join(COND_OR, vary(a),
			    random_cond(1, LETS, CLASSES)) : vary(a);
			if (below(4) == 0)
				a = join(COND_AND, a, random_cond(2, LETS,
				    CLASSES));
			check_pair(&p, g, a, b, &seen);
		}
		program_free(&g);
	}
	/* Else it would have proved nothing. */
	CHECK(seen.impossible > 100);
	CHECK(seen.implied > 500);
	CHECK(seen.opened > 5000);
	printf("# %d impossible, %d implied, true in %d worlds\n",
	    seen.impossible, seen.implied, seen.opened);
	return check_done();
}
