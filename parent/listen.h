/*
 * Sockets that listen, bound before anybody gives up the right to.
 */
#ifndef PARENT_LISTEN_H
#define PARENT_LISTEN_H

#include <sys/types.h>

#include "lib/err.h"

#define LISTEN_TEXT_MAX	72	/* "[v6 address]:65535" */

/* "127.0.0.1:8080", "[::1]:0"; *text_out the address with the real port. */
enum rc listen_tcp(int *fd_out, char text_out[LISTEN_TEXT_MAX],
    const char *where, struct err *e) MUST_CHECK;

/*
 * The local socket, DIR/drawbridge.sock, for its owner alone.  One that is
 * there already is replaced only if nobody answers at it.
 */
enum rc listen_local(int *fd_out, int dir, const char *dir_name, uid_t owner,
    struct err *e) MUST_CHECK;
void listen_local_remove(int dir);

#endif
