/*
 * The exchange's door, between its files.
 */
#ifndef ENGINE_PROCESS_EXCHANGE_H
#define ENGINE_PROCESS_EXCHANGE_H

#include "engine/process/inner.h"
#include "engine/process/marks.h"

/*
 * What is remembered, and from where:
 *
 * sources	the highest `n` of each source of facts: from the book
 * ours		accounts that have a key at the customers' door: their money
 *		is in our books, not the exchange's
 * hot, fund	what operators, or nobody but them, last said: a report may
 *		not go beyond it (H1)
 */
struct exchange {
	struct marks	sources;
	struct marks	ours;
	int64_t		hot_sat;	/* -1: they said nothing */
	int64_t		fund_sat;
};

#define DOOR_BY		"door:"		/* before a key's name in `by` */

/* Does it say that a key of the door sent it?  Nothing else may be said. */
bool exchange_is_doors(const struct command *c);

/* {"error","field"}; the field is what stands in `...` at the beginning. */
void exchange_fail(struct keeper *k, struct channel *to, uint64_t tag,
    int status, const char *why);
/* May the fate of a payment be what the command says?  0, or the status and
 * why not.  200: it is what is known already. */
int exchange_outcome(struct keeper *k, const struct command *c,
    struct err *why);
/* Is one of this amount paid now?  Only in `enforce`, and nothing while
 * everything is stopped. */
bool exchange_may_pay(const struct keeper *k, int64_t amount_sat);
/* What the engine said no to, as a status and words. */
int exchange_refused(enum why w, struct err *why);

#endif
