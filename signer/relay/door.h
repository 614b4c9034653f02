/*
 * The process at the network's door: TLS 1.3 with pinned keys on one side, a
 * link to the hub on the other.  What strangers can reach is in here: the
 * handshake.  It holds the relay's identity and no pipe to the signer.
 */
#ifndef SIGNER_RELAY_DOOR_H
#define SIGNER_RELAY_DOOR_H

#include "link/pinned.h"

/* Of the process: does not return.  `identity`, `pins`: paths. */
void door_main(int hub, int listener, const char *identity,
    const char *pins) __attribute__((noreturn));

#endif
