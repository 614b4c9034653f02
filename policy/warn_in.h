/*
 * What warn.c, warn_class.c and warn_watch.c share.
 */
#ifndef POLICY_WARN_IN_H
#define POLICY_WARN_IN_H

#include "lib/amount.h"
#include "policy/diag.h"
#include "policy/watch.h"

#define NAME_MAX_TEXT	200
#define WARN_KIDS	64

struct warn {
	const struct policy *p;
	struct diag	*d;
	int64_t		 today;
	int64_t		 hot_sat;
	struct watch	*watches;
	int		 n_watches;
};

struct watch *warn_watches(const struct warn *w);

bool warn_is_dead(const struct warn *w, int rule);

/* So much in from_ms is at most so much in to_ms. */
int64_t warn_scale(int64_t sat, int64_t from_ms, int64_t to_ms);

/* A threshold in satoshi, and whether that can be told. */
int64_t warn_worth(const struct warn *w, const struct watch *t);
bool warn_known(const struct warn *w, const struct watch *t);

/* Certainly a > b, in coins or as shares of hot. */
bool warn_larger(const struct warn *w, const struct watch *a,
    const struct watch *b);

/* W11, S19: what it takes a stranger to cross t: accounts, and coins as an
 * amount or a share. */
void warn_price(const struct warn *w, const struct watch *t,
    int64_t *accounts_out, struct watch *coins_out);

/* Coins, not heads, of what leaves or asks to, that people are asked about. */
bool warn_is_budget(const struct policy *p, const struct watch *t);

/*
 * What the rule of a watch says besides: its condition without the test
 * itself where all of it must be met, else what is always true.  `out`
 * points into kids.
 */
void warn_rest(const struct policy *p, const struct watch *t,
    struct cond *out, struct cond *kids[WARN_KIDS]);

/* W5 and W6; W10 to W14. */
void warn_classes(const struct warn *w);
void warn_watched(const struct warn *w);

#endif
