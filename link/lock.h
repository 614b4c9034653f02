/*
 * Whoever starts others, drawbridged and drawbridge-relay, keeps rights so
 * that it can start them anew; here it gives up what neither it nor any of
 * them ever does.
 */
#ifndef LINK_LOCK_H
#define LINK_LOCK_H

#include "lib/err.h"

/*
 * A list of system calls that kill whoever tries them, for this process and
 * all its children: other processes' memory, the kernel's modules and
 * programs, mounts, keys, clocks.  And no new privileges, no core dumps.
 */
enum rc lock_in(struct err *e) MUST_CHECK;

#endif
