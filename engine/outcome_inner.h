/*
 * What the packing and the unpacking of outcomes share; nobody else includes
 * this.  The bytes are told in engine/outcome.h.
 */
#ifndef ENGINE_OUTCOME_INNER_H
#define ENGINE_OUTCOME_INNER_H

#include "engine/outcome.h"

/* The head. */
enum {
	HEAD_TYPE = 7,
	HEAD_JUDGED = 8,
	HEAD_SHAPE = 16,
	HEAD_ID = 32,
	HEAD_MORE = 64,
};

enum { SHAPE_WHY = 64 };

enum {
	MORE_TIME = 1,
	MORE_AMOUNT = 2,
	MORE_DUE = 4,
	MORE_RELEASED = 8,
	MORE_HALT_RULE = 16,
	MORE__ALL = 31,
};

enum {
	JUDGED_CLASSES = 1,
	JUDGED_EXTRAS = 2,
	JUDGED_FACTS = 4,
	JUDGED_RULES_SHIFT = 3,
};

enum {
	EXTRA_DEFAULT = 1,
	EXTRA_CODE = 2,
	EXTRA_DENY = 4,
	EXTRA_PEOPLE = 8,
	EXTRA_DELAY = 16,
	EXTRA_HOT = 32,
	EXTRA_FUND = 64,
	EXTRA_HALT = 128,
	EXTRA_ERROR = 256,
	EXTRA__ALL = 511,
};

enum { DID_MASK = 3, DID_FAILED = 4, DID_SHIFT = 3 };

enum value_as { AS_VALUE, AS_AMOUNT, AS_ZERO, AS_UNKNOWN };
enum { AS_MASK = 3, AS_SHIFT = 2 };

/* The usual outcome of a type: what is written no shape for. */
struct outcome_shape {
	enum cause	cause;
	enum why	why;
	enum verdict	verdict, would;
	enum state	state;
};

#define OUTCOME_TYPES	8
extern const struct outcome_shape outcome_usual[OUTCOME_TYPES];

/* Of no withdrawal, whatever the command was about. */
static inline bool
outcome_of_all(enum outcome_type type)
{
	return type == OUTCOME_HALTED || type == OUTCOME_RESUMED;
}

static inline int64_t
outcome_expect_released_ms(enum outcome_type type, enum state state,
    int64_t t_ms)
{
	bool		 now = type == OUTCOME_DECIDED ||
			     type == OUTCOME_REDECIDED ||
			     type == OUTCOME_MOVED;

	return now && state == STATE_RELEASED ? t_ms : -1;
}

/* Which way a known value is written. */
static inline enum value_as
outcome_value_as(int64_t value, int64_t amount_sat)
{
	return value == 0 ? AS_ZERO : value == amount_sat ? AS_AMOUNT :
	    AS_VALUE;
}

/* Times from outside may be anything: their difference wraps. */
static inline int64_t
outcome_less(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a - (uint64_t)b);
}

static inline int64_t
outcome_plus(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

#endif
