/*
 * IP addresses and networks as text and back.  IPv4 is mapped into IPv6
 * (::ffff:0:0/96) everywhere inside; people see it as IPv4.
 */
#ifndef WIRE_CIDR_H
#define WIRE_CIDR_H

#include <stdbool.h>

#include "lib/err.h"
#include "lib/text.h"
#include "wire/words.h"

#define CIDR_TEXT_MAX	64

/* "192.0.2.1" or "2001:db8::1". */
enum rc ip_parse(unsigned char ip[16], struct text text, struct err *e)
    MUST_CHECK;
/* The same with an optional /BITS; bits beyond it are cleared. */
enum rc cidr_parse(struct cidr *out, struct text text, struct err *e)
    MUST_CHECK;
/* Return buf. */
char *ip_text(char buf[CIDR_TEXT_MAX], const unsigned char ip[16]);
char *cidr_text(char buf[CIDR_TEXT_MAX], const struct cidr *c);

/* Is the address within? */
bool cidr_holds(const struct cidr *c, const unsigned char ip[16]);
/* Is all of `inner` within? */
bool cidr_covers(const struct cidr *c, const struct cidr *inner);

#endif
