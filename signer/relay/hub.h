/*
 * The process that speaks with the signer: it holds the signer's two pipes and
 * the two local sockets, and knows nothing of TLS or networks.
 *
 * From whoever started it, over `control` (datagrams, in order), come the
 * signer's pipes, at the start and again whenever it was started anew, and a
 * link to the process at the network's door.  It says a byte at a time.
 */
#ifndef SIGNER_RELAY_HUB_H
#define SIGNER_RELAY_HUB_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"

#define HUB_SIGNER	's'	/* two descriptors: requests, custodian */
#define HUB_DOOR	'd'	/* one: a client like any other */
/* What it says. */
#define HUB_READY	'r'	/* the signer answers */
#define HUB_BROKEN	'k'	/* end the signer: the log says why */

/* Send one of them, with its descriptors. */
enum rc hub_tell(int control, char what, const int *fds, size_t n,
    struct err *e) MUST_CHECK;

/* Of the process: does not return. */
void hub_main(int control, int requests, int custodian)
    __attribute__((noreturn));

#endif
