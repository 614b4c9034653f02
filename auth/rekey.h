/*
 * Another master key, while the service runs.
 *
 * `drawbridge master rotate` makes the new key in a file beside the old one
 * and sends its line (REKEY, body) through the local socket, which is root's
 * or ours; auth could not open a file any more.  Every blob is sealed anew
 * and journaled, a few at a time; keys go on working, for what was sealed
 * under the old one opens until the last is done.  Then the program is told,
 * and puts the new file in the old one's place.  Whatever dies before that:
 * both files are there, the journal holds blobs of both, and rotating again
 * with the same new file goes on where it ended.  A start needs both until
 * then: DATA/master.key.old, if it is there, is read as the older one.
 */
#ifndef AUTH_REKEY_H
#define AUTH_REKEY_H

#include "auth/auth.h"

/* The engine's answer to one that was journaled. */
void rekey_answered(struct auth *a, const struct message *m);

#endif
