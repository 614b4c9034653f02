/*
 * Playing a scenario into a journal, line by line, as a service takes what
 * it is sent: for `record` as live, for `import` as history.
 *
 * Every command carries the file's own name as its source and its line as
 * the number, so that the journal itself knows how far it has come: after a
 * crash the same call goes on behind the last durable line and takes nothing
 * twice.
 */
#ifndef SIM_RECORD_H
#define SIM_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "bitcoin/address.h"
#include "db/db.h"
#include "engine/journal.h"
#include "lib/err.h"
#include "lib/text.h"
#include "policy/words.h"
#include "wire/command.h"

struct record;

/*
 * Open a scenario and read up to its first command, whose time and network a
 * new journal begins with.  `history`: its withdrawals happened, they are
 * learnt from and not judged, and people's decisions are left out.
 */
enum rc record_new(struct record **out, const char *path, bool history,
    struct err *e) MUST_CHECK;
void record_free(struct record **r);

/* The first command's; 0 when there is none. */
int64_t record_first_ms(const struct record *r);
enum network record_network(const struct record *r);
/* The name that goes into the journal. */
const char *record_source(const struct record *r);

/* What a journal holds of a source already. */
struct record_place {
	uint64_t	last_seq;	/* of the journal */
	uint64_t	n;		/* the last line taken; 0: none */
	int64_t		t_ms;		/* its time and type */
	enum command_type type;
};
/* Reads from the end, in growing steps, until the source is found; needs no
 * keys. */
enum rc record_place(struct record_place *out, struct db *db,
    struct text source, struct err *e) MUST_CHECK;

/*
 * The last withdrawal that was decided and not learnt from; *seq_out 0 when
 * there is none.  Reads from the end, in growing steps; needs no keys.
 */
enum rc record_live(uint64_t *seq_out, struct db *db, struct err *e)
    MUST_CHECK;

struct record_options {
	uint64_t	batch;		/* commands in one commit */
	uint64_t	from;		/* first line wanted; 0: any */
	struct record_place place;	/* where to go on */
	/* record_live(): history that the journal does not have is refused,
	 * or who may import could make any destination trusted (S34). */
	uint64_t	live_seq;
	/* Who and why: on the first command, if given. */
	struct text	by;
	struct text	reason;
	void		(*progress)(void *ctx, int permille, uint64_t taken);
	void		*ctx;
};

struct record_counts {
	uint64_t	taken;
	uint64_t	there;		/* lines that the journal had */
	uint64_t	ignored;	/* import: people's decisions */
	uint64_t	history;	/* withdrawals learnt from */
	uint64_t	verdicts[VERDICT_HALT + 1];	/* when asked */
	uint64_t	stopped;	/* while all is stopped */
	uint64_t	refused;	/* not taken by the engine */
};

/*
 * Play it, and wait until all is durable.  Whatever was taken before a bad
 * line is durable all the same; the reason names file and line.
 */
enum rc record_play(struct record *r, struct journal *j,
    const struct record_options *o, struct record_counts *out, struct err *e)
    MUST_CHECK;

#endif
