/*
 * Whose request it is: addresses as 16 bytes, IPv4 mapped into IPv6.
 */
#ifndef API_CLIENT_H
#define API_CLIENT_H

#include <stdbool.h>
#include <sys/socket.h>

#include "lib/config.h"
#include "lib/text.h"

void client_of(unsigned char ip_out[16], const struct sockaddr_storage *a);
bool client_is_proxy(const struct config *c, const unsigned char ip[16]);
/* The last element of a list: the one that the proxy itself wrote. */
bool client_last(unsigned char ip_out[16], struct text list);

#define CLIENT_TEXT_MAX	48
/* For logs.  Returns buf. */
const char *client_text(char buf[CLIENT_TEXT_MAX],
    const unsigned char ip[16]);

#endif
