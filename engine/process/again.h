/*
 * The same again: a client whose answer was lost asks anew, signs anew, and
 * without an order id of its own that is another withdrawal.
 *
 * What is remembered is account, script and amount of every withdrawal of
 * the last ten minutes that came without an order id and was not refused at
 * once.  One that repeats it carries the declared fact `asked-again`, which a
 * policy may hold; it stands in the journal with the command, so a replay
 * decides alike.
 */
#ifndef ENGINE_PROCESS_AGAIN_H
#define ENGINE_PROCESS_AGAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/process/marks.h"
#include "lib/err.h"
#include "lib/ident.h"
#include "wire/command.h"

#define AGAIN_MS	(10 * INT64_C(60000))
#define AGAIN_FACT	"asked-again"

struct keyring;

struct again {
	struct marks	now, before;	/* fingerprint: when last */
	int64_t		since_ms;	/* `now` began */
};

/* From the journal's last events, at most AGAIN_EVENTS of them: where more
 * came in ten minutes, the older ones are not remembered over a restart. */
#define AGAIN_EVENTS	200000
enum rc again_load(struct again *a, const char *journal,
    const struct keyring *keys, const struct ident_key *ids, struct err *e)
    MUST_CHECK;
void again_free(struct again *a);

bool again_is(const struct again *a, const struct ident_key *ids,
    const struct command *c, int64_t t_ms);
/* It was taken at c->t_ms. */
void again_told(struct again *a, const struct ident_key *ids,
    const struct command *c);

#endif
