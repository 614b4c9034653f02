/*
 * What `drawbridge tune` has found, and its two ways of showing it.
 */
#ifndef CLI_TUNE_H
#define CLI_TUNE_H

#include "cli/scenes.h"
#include "lib/err.h"
#include "policy/ast.h"
#include "sim/knob.h"
#include "sim/suite.h"
#include "sim/tune.h"

struct tuning {
	struct scenes	 scenes;
	const char	*path;
	struct policy	*policy;
	const char	*lets[KNOBS_MAX];
	struct knob	 knobs[KNOBS_MAX];
	int		 n_knobs;
	struct tune_options o;
	struct suite	*suite;
	struct tune	 found;
};

const char *tune_friction_text(enum tune_friction f);
void tune_text(const struct tuning *t);
enum rc tune_json(const struct tuning *t, struct err *e) MUST_CHECK;

#endif
