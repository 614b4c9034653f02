/*
 * The numbers of a policy that may be turned.
 *
 * A knob is one plain number in a policy's tree and a grid of values for it.
 * It is written NAME=FROM..TO or NAME=FROM..TO:STEPS, where NAME is
 *
 *	NAME		a `let`: its amount, share, count or time; of
 *			`let x = 3 x habit` the 3
 *	RULE/over	what the first comparison of the rule is against (the
 *	RULE/over2	second, ...), an amount, a share, a count, a time
 *	RULE/by		of its first line: the percent,
 *	RULE/plus	what it adds,
 *	RULE/learnt	and what it is until learnt
 *	RULE/lot	1 in this many, or 1 per this much
 *	RULE/delay	how long it waits
 *
 * RULE is the rule's name, with blanks or with `-`.  FROM and TO are in the
 * number's own unit: `0.5 btc`, `2 %`, `12`, `6h`.  The grid is even in the
 * logarithm when TO is at least four times FROM, else even; 7 steps when not
 * said.
 */
#ifndef SIM_KNOB_H
#define SIM_KNOB_H

#include <stdint.h>

#include "lib/err.h"
#include "policy/ast.h"

#define KNOBS_MAX	16
#define KNOB_STEPS_MAX	64
#define KNOB_TEXT_MAX	48

enum knob_unit {
	KNOB_AMOUNT,		/* sat */
	KNOB_PPM,		/* a share or a percentage */
	KNOB_COUNT,
	KNOB_TIME,		/* ms */
};

struct knob {
	char		 name[80];	/* as written */
	int64_t		*value;		/* where it stands in the policy */
	enum knob_unit	 unit;
	int64_t		 before;	/* what the file says */
	int		 steps;
	int64_t		 grid[KNOB_STEPS_MAX];	/* ascending */
};

/* The knob points into the policy and is good while that lives. */
enum rc knob_parse(struct knob *k, struct policy *p, const char *text,
    struct err *e) MUST_CHECK;

/* A value in the knob's unit: "0.5 btc", "2 %", "12", "6h".  Returns buf. */
char *knob_format(const struct knob *k, int64_t value,
    char buf[KNOB_TEXT_MAX]);

#endif
