/*
 * The exchange's door.
 */
#include "engine/process/inner.h"

static void
not_yet(struct keeper *k, struct channel *from, const struct message *m)
{
	keeper_answer(k, from, m->tag, 503,
	    text_of("{\"error\":\"not there yet\"}"), 0);
}

void
exchange_take(struct keeper *k, struct channel *from,
    const struct message *m, struct command *c)
{
	(void)c;
	not_yet(k, from, m);
}

void
exchange_lines(struct keeper *k, struct channel *from,
    const struct message *m)
{
	not_yet(k, from, m);
}

void
exchange_health(struct keeper *k, struct channel *from,
    const struct message *m)
{
	not_yet(k, from, m);
}
