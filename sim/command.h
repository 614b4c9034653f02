/*
 * Scenario lines as commands and back: what import, export and record do.
 */
#ifndef SIM_COMMAND_H
#define SIM_COMMAND_H

#include <stdbool.h>

#include "bitcoin/address.h"
#include "lib/err.h"
#include "sim/scenario.h"
#include "wire/command.h"

/* Where what a command refers to lies: addresses as scripts, networks. */
struct command_room {
	struct address	address;
	struct cidr	cidrs[SCENARIO_IPS_MAX];
};

/*
 * The command of one line.  *any_out false: none (the header; what history
 * leaves out).  `history` as in feed.h.  Texts point into the event.  What
 * comes out passes command_check(); errors begin with the key.  Left out: a
 * label, an empty reason.
 */
enum rc command_of_event(struct command *out, bool *any_out,
    struct command_room *room, const struct scenario_event *ev,
    enum network net, bool history, struct err *e) MUST_CHECK;

/* Where what a line refers to lies. */
struct event_room {
	char		address[ADDRESS_TEXT_MAX];
	char		ip[64];
	char		ips[SCENARIO_IPS_MAX][64];
	struct text	list[SCENARIO_IPS_MAX];
};

/*
 * The other way round.  *any_out false: scenario files have no such line
 * (tick, genesis, policy, code, receipt, ...).  What was forgotten is left
 * out, and so is what no line says: who sent it, facts that came with a
 * withdrawal (event_of_fact()), that it is history, an operator or a reason
 * where the type has none.  A script without an address is an error.
 */
enum rc event_of_command(struct scenario_event *out, bool *any_out,
    struct event_room *room, const struct command *c, enum network net,
    struct err *e) MUST_CHECK;

/*
 * A fact that came with a withdrawal, as a line: it stands before that of
 * the withdrawal itself.
 */
void event_of_fact(struct scenario_event *out, const struct command *c,
    size_t i);

#endif
