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
 * The command of one line.  *any_out false: none (the header).  `history` as
 * in feed.h.  Texts point into the event.  Errors begin with the key.
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
 * out.  A script without an address is an error.
 */
enum rc event_of_command(struct scenario_event *out, bool *any_out,
    struct event_room *room, const struct command *c, enum network net,
    struct err *e) MUST_CHECK;

#endif
