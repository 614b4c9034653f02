/*
 * A replay's score as a report: JSON for programs, text for people.
 */
#ifndef SIM_REPORT_H
#define SIM_REPORT_H

#include <stdint.h>
#include <stdio.h>

#include "lib/err.h"
#include "policy/program.h"
#include "sim/replay.h"
#include "sim/score.h"

struct report {
	const char	*scenario;	/* paths as given */
	const char	*policy;
	const struct program *program;
	const struct score *score;
	struct replay_reviewer reviewer;
	int64_t		elapsed_ms;	/* wall clock, for the rates */
};

/* One pretty-printed JSON object; drawbridge.scenario(5) has its keys. */
enum rc report_json(const struct report *r, FILE *f, struct err *e)
    MUST_CHECK;

/* At most 40 lines of 80 columns. */
enum rc report_text(const struct report *r, FILE *f, struct err *e)
    MUST_CHECK;

#endif
