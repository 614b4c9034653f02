/*
 * PROXY protocol, version 2: the client's address, in bytes, before the
 * first request of a connection.
 * Source: https://www.haproxy.org/download/2.8/doc/proxy-protocol.txt
 */
#ifndef API_PROXY_H
#define API_PROXY_H

#include <stdbool.h>
#include <stddef.h>

#define PROXY_MAX	2048	/* bytes, with what may follow the address */

enum proxy_state {
	PROXY_MORE,
	PROXY_DONE,
	PROXY_BAD,
};

/*
 * *len_out: bytes to skip.  *known_out: ip_out (IPv4 mapped into IPv6) is
 * the client's; false: the proxy speaks for itself (a health check).
 */
enum proxy_state proxy_parse(unsigned char ip_out[16], bool *known_out,
    size_t *len_out, const unsigned char *p, size_t len);

#endif
