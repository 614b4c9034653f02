/*
 * Replaying withdrawals: events in, decisions by the engine, a reviewer who
 * works off what is held, and a score.
 *
 * At equal times comes first what matures, then the reviewer, then the file.
 * The same events, program and options give the same score.
 */
#ifndef SIM_REPLAY_H
#define SIM_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "bitcoin/address.h"
#include "lib/err.h"
#include "lib/ident.h"
#include "policy/program.h"
#include "sim/scenario.h"
#include "sim/score.h"

/* Who looks at what is held; all zero: nobody. */
struct replay_reviewer {
	bool		oracle;
	int64_t		after_ms;	/* the first look after it was held */
	int64_t		looks_per_hour;	/* 0: as many as there are */
	int64_t		wrong_ppm;	/* share decided the other way */
};

/* "none", "oracle:MINUTES[,N/h][,P%]". */
enum rc replay_reviewer_parse(struct replay_reviewer *out, const char *text,
    struct err *e) MUST_CHECK;

struct replay_options {
	const struct program *program;	/* borrowed */
	struct replay_reviewer reviewer;
	struct ident_key lots;		/* replay_lot_key() unless given */
	/* The key of fingerprints, for lots as they were drawn live; NULL:
	 * a replay's own. */
	const struct ident_key *ids;
	int64_t		from_ms;	/* score what is asked from then on */
	/* Not NULL: one JSON line a withdrawal; drawbridge.scenario(5). */
	const char	*decisions;
};

/* The lot key that a replay has when none is given. */
struct ident_key replay_lot_key(void);

struct engine;
struct replay;

enum rc replay_new(struct replay **out, const struct replay_options *o,
    struct err *e) MUST_CHECK;
/* An unfinished decisions file is removed. */
void replay_free(struct replay **r);

/*
 * One event, in order of time.  `history`: a withdrawal happened before the
 * replay and is learnt from, not judged and not scored; other events are
 * taken as usual, except what people decided (which is ignored).  Errors
 * begin with the key: "`account`: never opened".
 */
enum rc replay_event(struct replay *r, const struct scenario_event *ev,
    enum network net, bool history, struct err *e) MUST_CHECK;

/*
 * All events of a file, after and among those of a history file (NULL:
 * none) in order of time; the history first at equal times.  Reading and
 * scanning is done by a thread of its own.  `progress` (may be NULL) is
 * called now and then with 1/1000 of the file (-1: not known).
 */
enum rc replay_file(struct replay *r, const char *path, const char *history,
    void (*progress)(void *ctx, int permille, uint64_t events), void *ctx,
    struct err *e) MUST_CHECK;

/* The engine, to read its state: good until replay_free(). */
const struct engine *replay_engine(const struct replay *r);

/*
 * The events are over: what falls due at the very last moment is decided,
 * and the score is added up.  Nothing may be replayed afterwards.  *out is
 * owned by r.
 */
enum rc replay_finish(struct replay *r, const struct score **out,
    struct err *e) MUST_CHECK;

/* Put the decisions file into place, once the report is out. */
enum rc replay_keep_decisions(struct replay *r, struct err *e) MUST_CHECK;

#endif
