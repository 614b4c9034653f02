/*
 * Proposals of the running service, as who approves them needs them.
 */
#ifndef CLI_PROPOSED_H
#define CLI_PROPOSED_H

#include "cli/acting.h"

/* The command of an open proposal, exactly as it was packed. */
struct proposed {
	unsigned char	*open, *sealed;
	struct command_lists lists;
	struct command	 c;
};
/* `id` 0: the newest open one with a policy; *id_out is its number. */
enum rc proposed_load(struct proposed *p, struct service *s, int64_t id,
    int64_t *id_out, struct err *e) MUST_CHECK;
void proposed_free(struct proposed *p);

/* Approve it: `command` is the one that the user typed. */
int proposed_approve(struct acting *a, const char *command, const char *id);
/* A proposal's number; false: it is none. */
bool proposed_number(int64_t *out, const char *text);

#endif
