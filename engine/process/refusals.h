/*
 * What a customer is told when his withdrawal is refused at once: the code of
 * Binance's that says most, and never which rule spoke or what it counts.
 */
#ifndef ENGINE_PROCESS_REFUSALS_H
#define ENGINE_PROCESS_REFUSALS_H

#include "engine/process/keeper.h"
#include "policy/program.h"

struct refusal {
	int		 status;	/* of HTTP */
	int		 code;
	const char	*msg;
};

/*
 * Of one that was denied, refused, or whose id was used for another.
 * `program` is the one that judged it: of several rules that denied, the
 * first one speaks, by the kind of thing that it looks at.
 */
const struct refusal *refusals_of(const struct program *program,
    const struct taken *t);

/* A message that was taken before. */
extern const struct refusal refusal_replayed;

#endif
