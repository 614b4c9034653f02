/*
 * What only the service's commands have, in one line and as JSON: secrets,
 * door keys, operators, proposals.  No secret is in them; blobs are not told.
 */
#ifndef CLI_TOLD_SERVICE_H
#define CLI_TOLD_SERVICE_H

#include <stddef.h>

#include "lib/json.h"
#include "wire/command.h"

/* Returns buf; "" for other types. */
char *told_service(char *buf, size_t room, const struct command *c);
/* Members of the object that is open. */
void told_service_json(struct json *j, const struct command *c);

#endif
