/*
 * The policy that comes with the program, as a file that stands in it:
 * etc/default.policy.
 */
#ifndef POLICY_SHIPPED_H
#define POLICY_SHIPPED_H

#include <stddef.h>

#define POLICY_SHIPPED_NAME	"default.policy"

extern const char policy_shipped[];	/* with a NUL behind it */
extern const size_t policy_shipped_len;

#endif
