/*
 * From events to what the engine takes: ids become fingerprints, addresses
 * scripts, networks bits, declared facts numbers.  And the checks that need
 * the lines before: no account that was never opened, no id twice, no key of
 * somebody else.
 */
#ifndef SIM_FEED_H
#define SIM_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"
#include "lib/err.h"
#include "lib/ident.h"
#include "policy/ast.h"
#include "sim/scenario.h"

/*
 * One thing to apply.  `in` refers to `cidrs` of whoever called.  The texts
 * point into the event.
 */
struct feed_item {
	struct input	in;
	bool		skip;		/* nothing to apply */
	enum scenario_label label;
	struct ident	partner;	/* withdraw: of its key */
	struct ident	group;		/* withdraw: of its account */
	struct text id;	/* withdraw */
	struct text account;
	struct text address;
	struct text by;	/* halt, resume */
};

struct feed;

/* The policy (for its declared facts) is borrowed. */
enum rc feed_new(struct feed **out, const struct ident_key *ids,
    const struct policy *policy, struct err *e) MUST_CHECK;
void feed_free(struct feed **f);

/*
 * Make the item of one event, in two steps: feed_read() takes the event
 * alone, feed_check() compares it with all that came before.  Between the two
 * a caller with a queue lets some other items pass, after feed_prefetch().
 * cidrs has room for SCENARIO_IPS_MAX and must live as long as the item.
 * Errors begin with the key, as in scenario_parse().
 */
enum rc feed_read(struct feed *f, const struct scenario_event *ev,
    enum network net, bool history, struct cidr *cidrs,
    struct feed_item *item, struct err *e) MUST_CHECK;
void feed_prefetch(const struct feed *f, const struct feed_item *item);
enum rc feed_check(struct feed *f, struct feed_item *item, struct err *e)
    MUST_CHECK;

/* Left out when `history`: people's decisions and halts of before. */
bool feed_not_in_history(enum scenario_type type);

/* A declared fact's value as the engine keeps it. */
enum rc feed_value(int64_t *out, enum type type,
    const struct scenario_event *ev, struct err *e) MUST_CHECK;

#endif
