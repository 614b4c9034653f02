/*
 * A condition as "or" of "and"s of tests, `not` pushed down to the tests.
 */
#ifndef SIM_ALTERNATIVES_H
#define SIM_ALTERNATIVES_H

#include <stdbool.h>

#include "policy/ast.h"

#define LITERALS_MAX		32
#define ALTERNATIVES_MAX	64

struct alternative {
	const struct cond	*test[LITERALS_MAX];
	bool			 negated[LITERALS_MAX];
	int			 n;
};

struct alternatives {
	struct alternative	 alt[ALTERNATIVES_MAX];
	int			 n;
};

/* False when it does not fit; NULL is "always": one empty alternative. */
bool alternatives_of(const struct cond *cond, struct alternatives *out);

#endif
