/*
 * Between api/conn.c, one connection, and api/conns.c, all of them.
 */
#ifndef API_CONN_INNER_H
#define API_CONN_INNER_H

#include "api/conn.h"

#define LINGER_BYTES_MAX	(256 << 10)

/* To the end of this phase's ring, for so long at most. */
void conn_phase(struct conn *c, enum phase phase, int64_t ms);
void conn_start(struct conn *c);
void conn_close(struct conn *c);
void conn_flush(struct conn *c);
void conn_ready(uv_poll_t *h, int status, int events);
/* Connections that one address may have. */
int64_t conns_of_address(const struct conns *cs);

#endif
