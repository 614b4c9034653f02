/*
 * What `record` and `import` share: options, opening the journal, the policy
 * that is only a proposal, playing the scenario, and what is said at the end.
 */
#ifndef CLI_PLAYING_H
#define CLI_PLAYING_H

#include <stdbool.h>

/* The whole command; `history` makes it an import. */
int playing(const char *name, bool history, int argc, char **argv);

#endif
