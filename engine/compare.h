/*
 * What comes of an event here, beside what the journal says came of it.
 */
#ifndef ENGINE_COMPARE_H
#define ENGINE_COMPARE_H

#include "engine/engine.h"
#include "engine/history.h"
#include "engine/outcome.h"
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

/* Apply, taking what is recorded for decided (engine_follow()). */
enum rc compare_follow(struct compare *c, struct engine *en,
    const struct input *in, const struct history_event *ev, struct err *e)
    MUST_CHECK;

#endif
