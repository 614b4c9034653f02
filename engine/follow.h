/*
 * What is already known to have come of an input: engine_follow().
 *
 * While e->follow is set, every place where the engine would decide asks
 * here instead.  The records are looked at one by one, in the order in which
 * they were emitted; each outcome that the engine emits must agree with the
 * next.  Whatever cannot be followed is noted with follow_fail(), and the
 * engine goes on as it would by itself until the input is over: there is no
 * way out from the middle of a decision.
 *
 * The same transitions give the same states: once the verdicts are the
 * recorded ones, states, reservations, books and lists are those of the
 * engine that judged, whatever the policy here.
 */
#ifndef ENGINE_FOLLOW_H
#define ENGINE_FOLLOW_H

#include "engine/ask.h"
#include "engine/inner.h"
#include "engine/outcome.h"

struct follow {
	const struct input *in;
	const struct outcome_record *records;
	size_t		 n;
	size_t		 i;		/* emitted so far */
	bool		 failed;
	struct err	*err;
	const struct engine_sink *sink;
};

/* Asked for: `why` is this engine's own refusal, or WHY_NONE. */
enum why follow_builtin(struct decision *d, enum why why);
/* An id that is known here was taken for new: forget what it was. */
bool follow_renew(struct engine *e, uint32_t w);
/* withdrawal_park(), unless it is recorded that there was no room. */
bool follow_park(struct decision *d);

/* Judged: what the record asks for, in place of what the rules do. */
void follow_judged(struct decision *d);
/* `own`: what it would be by that. */
enum plan follow_plan(const struct decision *d, enum plan own);
/* It waits as long as the record says. */
void follow_wait(struct decision *d, int64_t *delay_until_ms,
    int64_t *code_until_ms);
/* May people release it? */
bool follow_release(const struct decision *d);
/* Was this the moment of a halt?  The rule is this program's. */
bool follow_halts(const struct engine *e, enum cause cause, int *rule);

/* What a halt takes back, what a resume decides, what a fact changes. */
void follow_taken_back(struct engine *e);
void follow_stopped(struct engine *e);
void follow_facts(struct engine *e);

#endif
