/*
 * What `drawbridge compare` has played, and its two ways of showing it.
 */
#ifndef CLI_COMPARE_H
#define CLI_COMPARE_H

#include "cli/scenes.h"
#include "lib/err.h"
#include "lib/term.h"
#include "policy/ast.h"
#include "policy/program.h"
#include "sim/suite.h"

#define COMPARE_POLICIES_MAX 32

struct compared {
	char		 path[1024];
	char		 name[64];	/* the path's end, without .policy */
	struct policy	*policy;
	struct program	*program;
	struct suite_result *results[SCENES_REVIEWERS_MAX];
};

struct compare {
	struct scenes	 scenes;
	const char	*paths[COMPARE_POLICIES_MAX];
	char		 named[COMPARE_POLICIES_MAX][1024];
	struct compared	 policies[COMPARE_POLICIES_MAX];
	int		 n_policies;
	struct suite	*suite;
	size_t		 n_results;	/* of one policy and reviewer */
	size_t		 done;
	struct progress	 progress;
};

void compare_text(const struct compare *cmp);
enum rc compare_json(const struct compare *cmp, struct err *e) MUST_CHECK;

#endif
