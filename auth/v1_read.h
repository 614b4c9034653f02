/*
 * Bodies of /v1 as commands: lines of drawbridge.scenario(5), read by the
 * same strict reader as files, and small objects.
 */
#ifndef AUTH_V1_READ_H
#define AUTH_V1_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "bitcoin/address.h"
#include "lib/err.h"
#include "lib/text.h"
#include "wire/command.h"
#include "wire/endpoint.h"

#define V1_LINES_MAX	1000

/* Memory for one body; what comes out points into it and into the body until
 * the next call. */
struct v1_read;
enum rc v1_read_new(struct v1_read **out, enum network net, struct err *e)
    MUST_CHECK;
void v1_read_free(struct v1_read **r);

/*
 * Each gives a command that passes command_check(); t_ms is 0, the time is
 * the engine's.  The reason begins with the key where there is one: "`amount`:
 * 9 decimals; ...".
 */
/* A `withdraw` line with "facts": {...}; a label is refused. */
enum rc v1_read_withdraw(struct v1_read *r, struct command *out,
    struct text body, struct err *e) MUST_CHECK;
/* {"reason"}, all but `id`, `account` or `key`, of the endpoint's path, which
 * is still escaped; `by` as in the journal. */
enum rc v1_read_small(struct v1_read *r, struct command *out,
    enum endpoint endpoint, struct text part, struct text body,
    struct text by, struct err *e) MUST_CHECK;

/* The roles (wire/rights.h) that may send lines of this type; 0: none. */
uint32_t v1_read_roles(enum command_type t);
/* One line of /v1/facts with "source" and "n".  Who may send it is not looked
 * at. */
enum rc v1_read_line(struct v1_read *r, struct command *out,
    struct text line, struct err *e) MUST_CHECK;

#endif
