#include "sim/alternatives.h"

#include <stdlib.h>

#define NESTING_MAX	64

static bool
push(struct alternatives *out, const struct alternative *a)
{
	if (out->n == ALTERNATIVES_MAX)
		return false;
	out->alt[out->n++] = *a;
	return true;
}

/* out = every pair of one of `out` and one of `more`, joined. */
static bool
multiply(struct alternatives *out, const struct alternatives *more)
{
	struct alternatives	*was;
	struct alternative	 a;
	int			 i, j, l;
	bool			 good = true;

	if ((was = malloc(sizeof(*was))) == NULL)
		return false;
	*was = *out;
	out->n = 0;
	for (i = 0; i < was->n && good; i++)
		for (j = 0; j < more->n && good; j++) {
			a = was->alt[i];
			good = a.n + more->alt[j].n <= LITERALS_MAX;
			for (l = 0; good && l < more->alt[j].n; l++) {
				a.test[a.n] = more->alt[j].test[l];
				a.negated[a.n++] = more->alt[j].negated[l];
			}
			good = good && push(out, &a);
		}
	free(was);
	return good;
}

static bool
expand(const struct cond *t, bool negate, struct alternatives *out, int depth)
{
	struct alternatives	*one;
	bool			 good = true, conj;
	int			 i, j;

	if (depth > NESTING_MAX)
		return false;
	if (t->kind == COND_NOT)
		return expand(t->kids[0], !negate, out, depth + 1);
	if (t->kind != COND_AND && t->kind != COND_OR) {
		out->n = 1;
		out->alt[0].n = 1;
		out->alt[0].test[0] = t;
		out->alt[0].negated[0] = negate;
		return true;
	}
	if ((one = malloc(sizeof(*one))) == NULL)
		return false;
	conj = (t->kind == COND_AND) != negate;
	out->n = conj ? 1 : 0;
	out->alt[0].n = 0;
	for (i = 0; i < t->n_kids && good; i++) {
		good = expand(t->kids[i], negate, one, depth + 1);
		if (good && conj)
			good = multiply(out, one);
		else
			for (j = 0; good && j < one->n; j++)
				good = push(out, &one->alt[j]);
	}
	free(one);
	return good;
}

bool
alternatives_of(const struct cond *cond, struct alternatives *out)
{
	if (cond != NULL)
		return expand(cond, false, out, 0);
	out->n = 1;
	out->alt[0].n = 0;
	return true;
}
