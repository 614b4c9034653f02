/*
 * wire/endpoint.h's table, found by hash where a path has no `*`.
 */
#ifndef API_ROUTE_H
#define API_ROUTE_H

#include "wire/endpoint.h"

/* As endpoint_find(), and none of the local socket's. */
enum endpoint route_find(struct text method, struct text path,
    struct text *part_out, bool *known_out);

#endif
