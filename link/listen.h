/*
 * Sockets that listen, bound before anybody gives up the right to.
 */
#ifndef LINK_LISTEN_H
#define LINK_LISTEN_H

#include <sys/types.h>

#include "lib/err.h"

#define LISTEN_TEXT_MAX	72	/* "[v6 address]:65535" */

/* "127.0.0.1:8080", "[::1]:0"; *text_out the address with the real port. */
enum rc listen_tcp(int *fd_out, char text_out[LISTEN_TEXT_MAX],
    const char *where, struct err *e) MUST_CHECK;

/*
 * A local socket, NAME in the folder `dir`, for its owner alone, or for a
 * group as well; LISTEN_NO_GROUP: none.  One that is there already is replaced
 * only if nobody answers at it.
 */
#define LISTEN_NO_GROUP	((gid_t)-1)
enum rc listen_local(int *fd_out, int dir, const char *dir_name,
    const char *name, uid_t owner, gid_t group, struct err *e) MUST_CHECK;
void listen_local_remove(int dir, const char *name);

#endif
