/*
 * Keys and secrets as strings that can be recognised.
 *
 *	dbk_	an API key of the customers' door; no secret by itself
 *	dbs_	the secret that an HMAC key signs with
 *	dbx_	a key's id at the exchange's door; no secret
 *	dbm_	the master key of auth/vault.h
 *
 * After the prefix stand digits of RFC 4648's base32 in lower case, made from
 * getrandom() (26 digits, 130 bits, for an id; 52 digits, 260 bits, for a
 * secret), then six that check them: the first 30 bits of SHA-256 over
 * "drawbridge key 1\n" and everything before.  So whoever scans files, logs
 * and repositories for a leak finds them by
 *
 *	\bdb(?:[kx]_[a-z2-7]{32}|[sm]_[a-z2-7]{58})\b
 *
 * and knows without asking anybody whether what he found is real: a random
 * string passes apikey_check() once in 2^30.  The check is no signature: it
 * proves nothing about who made the string.
 */
#ifndef AUTH_APIKEY_H
#define AUTH_APIKEY_H

#include <stddef.h>

#include "lib/text.h"

enum apikey_kind {
	APIKEY_NONE,		/* not one of ours, or mistyped */
	APIKEY_KEY,
	APIKEY_SECRET,
	APIKEY_DOOR,
	APIKEY_MASTER,
};

#define APIKEY_MAX	63	/* bytes of the longest, and NUL */

/* A new one, NUL at the end.  For secrets the caller's buffer is of
 * secret_new(), and he wipes it. */
void apikey_make(char out[APIKEY_MAX], enum apikey_kind kind);

/* What this is, exactly: prefix, length, digits and check. */
enum apikey_kind apikey_check(struct text t);

/*
 * The leak finder: the first real one in T at or after *at.  *at becomes
 * where it begins, *len_out its length; APIKEY_NONE when there is no other.
 * Neighbours that are letters, digits or `_` disqualify, as \b does.
 */
enum apikey_kind apikey_find(struct text t, size_t *at, size_t *len_out);

#endif
