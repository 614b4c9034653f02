/*
 * Searching the numbers of a policy for the frontier between what thieves
 * get and what honest customers pay.
 *
 * How.  A point is a setting of all knobs, each at one of its grid's values
 * or at what the file says.  The first points are the file itself, then each
 * knob alone at both ends of its grid, then settings drawn at random (seeded:
 * the same options give the same search).  All are played on the smallest
 * part of the scenes: the first scene, every third attack.  The better half
 * goes on to the first scene with all attacks, and of these the better half
 * to all scenes: successive halving (Jamieson and Talwalkar,
 * "Non-stochastic best arm identification and hyperparameter optimization",
 * AISTATS 2016).  "Better" is by ranks: those that no other beats in both
 * loss and friction, then those that only these beat, and so on; of the last
 * rank that fits in part, points spread evenly over its friction.  At the
 * end the neighbours of the frontier, one step of one knob away, are played
 * on all scenes, until the budget is used up.
 *
 * The policy's tree is changed in memory and compiled again for each point;
 * it is as the file says afterwards.
 */
#ifndef SIM_TUNE_H
#define SIM_TUNE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "policy/ast.h"
#include "sim/knob.h"
#include "sim/suite.h"

#define TUNE_POINTS_MAX	1000

enum tune_friction {
	FRICTION_HELD,		/* held, denied or stopped, of the number */
	FRICTION_VALUE,		/* the same of the value */
	FRICTION_DELAYED,	/* of the number */
	FRICTION_CODE,		/* asked for a code, of the number */
	FRICTION_ALL,		/* each in units of what is bearable: held
				 * 0.1 %, value 2 %, delayed 1 %, code 0.3 %,
				 * summed; 1000000 is one unit */
};

struct tune_options {
	int		 points;	/* the first round's */
	uint64_t	 seed;
	enum tune_friction friction;
	struct replay_reviewer reviewer;
};

#define TUNE_AS_FILE (-1)

struct tune_point {
	int		at[KNOBS_MAX];	/* index into the knob's grid */
	int		rounds;		/* 1: the smallest part only; 3: all */
	bool		whole;		/* played on all scenes */
	bool		frontier;	/* of those */
	int64_t		loss_ppm;
	int64_t		worst_ppm;
	int64_t		friction_ppm;
	int64_t		held_ppm;
	int64_t		value_ppm;
	int64_t		delayed_ppm;
	int64_t		code_ppm;
};

struct tune {
	struct tune_point *points;	/* owned; [0] is the file */
	int		 n_points;
};

/* `said` (may be NULL) is told of each point as it has been played. */
enum rc tune_run(struct tune *out, struct suite *s, struct policy *p,
    const struct knob *knobs, int n_knobs, int n_kinds, size_t n_scenes,
    const struct tune_options *o, void (*said)(void *ctx, int n), void *ctx,
    struct err *e) MUST_CHECK;
void tune_free(struct tune *t);

/* The value of knob k at a point. */
int64_t tune_value(const struct tune_point *pt, const struct knob *knobs,
    int k);

#endif
