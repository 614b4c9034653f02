/*
 * Another master key, while the service runs.
 *
 * `drawbridge master rotate` makes the new key in a file beside the old one,
 * PATH.new, and sends its line through the local socket, sealed under the old
 * one (vault.h): so only who can read the old key can give a new one, and
 * console, which passes it on, learns nothing.  auth can open no file any
 * more.
 *
 * Every blob in force is sealed anew and journaled, some at a time; meanwhile
 * either key opens.  When the journal has all of it the program puts the new
 * file in the old one's place and says so (REKEY with number 1): the old key
 * is forgotten, and with it the links that it made.  Whatever dies before
 * that: PATH.new is read at the start, too, and rotating again goes on.
 *
 * What can be done only by hand: the journal keeps what was sealed before.
 * Who has both the old key and an old journal reads the secrets of then, so
 * after a theft of the key, the customers' keys are to be made anew as well.
 * And a new HMAC key that waits for operators meanwhile is to be asked for
 * again: what is proposed is not in force and is not sealed anew.
 */
#ifndef AUTH_REKEY_H
#define AUTH_REKEY_H

#include "auth/auth.h"

/* The engine's answer to one that was journaled. */
void rekey_answered(struct auth *a, const struct message *m);

#endif
