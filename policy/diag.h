/*
 * What is wrong with a policy, said where it stands.
 *
 *	my.policy:7:26: error: a share needs to say of what
 *	    hold "big" when amount > 5 %
 *	                             ^~~  write `5 % of hot`
 *
 * Messages are collected and printed in the order of the file.  A second
 * error at the same place is dropped: it follows from the first.
 */
#ifndef POLICY_DIAG_H
#define POLICY_DIAG_H

#include <stdbool.h>
#include <stdio.h>

#include "lib/err.h"
#include "policy/ast.h"

struct diag;

enum diag_level { DIAG_ERROR, DIAG_WARNING };

struct diag_item {
	enum diag_level	 level;
	struct pos	 pos;
	char		*text;		/* "E-SIDE: ...", "W2: ..." */
	char		*hint;		/* NULL for none */
};

/* The policy lends the names and texts of its files; it must outlive d. */
struct diag *diag_new(const struct policy *p);
void diag_free(struct diag **d);

/*
 * Say it.  The hint stands behind the caret; NULL for none.  Both are
 * copied.  pos.len 0 shows no source line.
 */
void diag_error(struct diag *d, struct pos pos, const char *hint,
    const char *fmt, ...) PRINTF(4, 5);
void diag_warning(struct diag *d, struct pos pos, const char *hint,
    const char *fmt, ...) PRINTF(4, 5);

int diag_errors(const struct diag *d);
int diag_warnings(const struct diag *d);

/* All messages in the order of the files; item i < errors + warnings. */
const struct diag_item *diag_get(struct diag *d, int i);

/* Print them all, without a summary.  colour: with terminal escapes. */
void diag_print(struct diag *d, FILE *out, bool colour);

#endif
