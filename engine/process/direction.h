/*
 * Which way a command goes, with what is in force now.
 */
#ifndef ENGINE_PROCESS_DIRECTION_H
#define ENGINE_PROCESS_DIRECTION_H

#include "engine/process/memory.h"

enum way {
	WAY_TIGHTENS,		/* whoever may open the socket */
	WAY_SIGNED,		/* neither: one operator's signature */
	WAY_LOOSENS,		/* the quorum, and time */
};

/*
 * The table of drawbridge-operator(1).  `regtest`: deposits by hand are made
 * of nothing there.  Policies are compared by whoever loads them.
 */
enum way direction_of(const struct operators *o, const struct command *c,
    bool regtest);

#endif
