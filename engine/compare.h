/*
 * What comes of an event here, beside what the journal says came of it.
 */
#ifndef ENGINE_COMPARE_H
#define ENGINE_COMPARE_H

#include "engine/engine.h"
#include "engine/history.h"
#include "engine/outcome.h"
#include "engine/trail.h"
#include "lib/err.h"

struct compare;

enum rc compare_new(struct compare **out, const struct ident_key *ids,
    struct err *e) MUST_CHECK;
void compare_free(struct compare **c);

/*
 * Apply; the outcomes must be the recorded ones byte for byte.  The reason
 * says what is different: "recorded allow, released; here hold, held".
 */
enum rc compare_judged(struct compare *c, struct engine *en,
    const struct input *in, const struct history_event *ev,
    const struct program *p, struct err *e) MUST_CHECK;

/* Is what came out here what was recorded? */
bool compare_same(const struct history_event *ev, const struct trail *t);

/*
 * Where the two differ first: what was recorded, and what came out here
 * ("decided, hold, held").  Returns which outcome it is, from 1.
 */
#define COMPARE_TEXT_MAX	160
int compare_texts(char recorded[COMPARE_TEXT_MAX],
    char here[COMPARE_TEXT_MAX], const struct input *in,
    const struct history_event *ev, const struct trail *t);

/* Apply, taking what is recorded for decided (engine_follow()). */
enum rc compare_follow(struct compare *c, struct engine *en,
    const struct input *in, const struct history_event *ev, struct err *e)
    MUST_CHECK;

#endif
