/*
 * The policy's file: a proposal, at every start and reload (C7).
 */
#ifndef ENGINE_PROCESS_POLICIES_H
#define ENGINE_PROCESS_POLICIES_H

#include <stddef.h>

#include "engine/process/direction.h"
#include "engine/process/keeper.h"

/* `policy` of the configuration, or DATA/policy, which is made from the
 * shipped one where there is none. */
enum rc policies_path(const struct config *c, char *buf, size_t room,
    struct err *e) MUST_CHECK;
/* Cut a path down to its folder. */
void policies_folder(char *path);

/*
 * Read the file.  What it says already is in force: nothing.  It only
 * tightens: it comes into force.  It loosens: it becomes a proposal.  It
 * cannot be read: everything stays, and the log says why.
 */
void policies_propose(struct keeper *k);

/* Of a command that brings a policy: by comparing; of others `way`. */
enum way policies_way(struct keeper *k, const struct command *c,
    enum way way);

#endif
