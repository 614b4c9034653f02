/*
 * A program while it is made: what compile.c and build.c share.  Every
 * function here returns 0 or NULL and sets `failed` (and the reason, once)
 * when there is no room; the caller goes on and looks at `failed` at the end.
 */
#ifndef POLICY_BUILD_H
#define POLICY_BUILD_H

#include "policy/program.h"

struct build {
	struct program	*prog;
	const struct policy *p;
	struct err	*e;
	bool		 failed;
	bool		 uses_proven;
	/* Of the condition being compiled, for S28. */
	int64_t		 shared_ms;
	bool		 shared_wide;
	bool		 shared_destination;
};

void build_fail(struct build *b, const char *what);

/* Room for one more behind the n there are; NULL if there is none. */
void *build_grow(struct build *b, void *array, int n, size_t size);

/* The number of an aggregate, of a value, of a window; adds it. */
int build_agg(struct build *b, const struct agg *def);
int build_slot(struct build *b, enum slot_kind kind, int index);
int build_window(struct build *b, int64_t **windows, int *n,
    int64_t window_ms, bool *new_out);

/* What stands behind a name, with all its factors multiplied. */
const struct quantity *build_resolve(const struct build *b,
    const struct quantity *q, int64_t *times_out);
struct operand build_operand(struct build *b, const struct quantity *q);

/* `busy normal by P %` of the aggregate on the left (S38, S39). */
struct operand build_line(struct build *b, const struct line *line,
    const struct quantity *left);

/* S28: does this scope belong to more than one customer? */
bool build_scope_shared(enum agg_scope scope);

#endif
