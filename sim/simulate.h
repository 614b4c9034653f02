/*
 * Scenarios in process: parameters in, events out.
 *
 * Honest traffic is a function of the parameters without the `attack_` ones;
 * an attack is a function of all of them and of its name, and is merged over
 * the traffic by time.  So one platform and seed can be generated once and
 * played with every attack:
 *
 *	params_default(&p);
 *	(void)params_preset(&p, "small");
 *	p.seed = 7;
 *	simulate_base_new(&base, &p, &e);
 *	for (each kind of attack)
 *		simulate_base_run(base, kind->name, &p, &sink, &e);
 *
 * The same parameters give the same events, from every compiler.
 */
#ifndef SIM_SIMULATE_H
#define SIM_SIMULATE_H

#include <stddef.h>

#include "lib/err.h"
#include "sim/attack.h"
#include "sim/params.h"
#include "sim/scenario.h"
#include "sim/world.h"

/*
 * Takes the events in order, the header first.  Texts are good until it
 * returns.  Anything but RC_OK ends the run, which returns RC_FAILED and
 * leaves e as it was.
 */
struct simulate_sink {
	enum rc	(*take)(void *ctx, const struct scenario_event *ev);
	void	*ctx;
};

/* Generate and forget: memory does not grow with the number of days.
 * attack NULL: none. */
enum rc simulate_run(const struct params *p, const char *attack,
    const struct simulate_sink *sink, struct err *e) MUST_CHECK;

/* Honest traffic that is kept: 72 bytes an event. */
struct simulate_base;
enum rc simulate_base_new(struct simulate_base **out, const struct params *p,
    struct err *e) MUST_CHECK;
void simulate_base_free(struct simulate_base **b);
size_t simulate_base_events(const struct simulate_base *b);
const struct world *simulate_base_world(const struct simulate_base *b);

/* Play it, with an attack over it or none (NULL).  Only the `attack_`
 * parameters of p count; p may be NULL for the defaults. */
enum rc simulate_base_run(const struct simulate_base *b, const char *attack,
    const struct params *p, const struct simulate_sink *sink,
    struct err *e) MUST_CHECK;

#endif
