/*
 * A library of thefts, each a function of the platform and a few numbers.
 *
 * Every kind knows the platform as a thief with time would: who is rich, who
 * is asleep, where customers usually are, what everybody's destinations are,
 * how large the wallet is and what the policy's lines are (`attack_floor_sat`
 * is the line it stays under).  It asks for a stated share of the hot wallet
 * from a stated share of the accounts; both and the day can be set.
 *
 * Coins a thief takes have been credited to the account before: by deposits
 * spread over the weeks before (the victim's own savings) or, where the kind
 * says "consolidates", shortly before (trades that move value there).  The
 * victims' own traffic goes on.
 *
 * Withdrawals carry label "attack" and ids "a-0000000" upwards.  With
 * `attack_owners_ppm` robbed owners notice and send a cancel with reason
 * "not_me": the time it takes them is exponential with the median
 * `attack_delay_min`, never under two minutes, never over three days; one
 * who is late by more is not heard.
 */
#ifndef SIM_ATTACK_H
#define SIM_ATTACK_H

#include <stddef.h>

#include "lib/err.h"
#include "sim/item.h"
#include "sim/world.h"

struct plot;

struct attack_kind {
	const char	*name;
	const char	*line;		/* for --list */
	int64_t		 hot_permille;	/* asked for; 0: it goes by others */
	int64_t		 accounts_ppm;	/* robbed accounts, at most */
	int64_t		 floor_sat;	/* the line it stays under; 0: none */
	void		(*make)(struct plot *);
	const char	*doc;		/* whole sentences, for the manual */
};

/* All kinds, in the order of the manual. */
const struct attack_kind *attack_kinds(size_t *n_out);

/* NULL when there is none of that name. */
const struct attack_kind *attack_find(const char *name);

/* The items of one, sorted, appended to *out.  p: the `attack_` ones. */
enum rc attack_make(struct items *out, const struct world *w,
    const struct params *p, const char *name, struct err *e) MUST_CHECK;

#endif
