/*
 * The links in notices: a token that cancels one withdrawal or freezes one
 * account, and nothing more.
 *
 * A token says itself what it is good for and until when, under a keyed hash
 * (vault_mac()); all have one length, 248 characters of base64url.
 *
 * Scanners of mail open every link: to look (GET) does nothing, to act is a
 * POST (H14).  That a token is good once is the caller's part: it keeps the
 * nonces of those used until they expire, and the engine cancels only what
 * still waits.
 */
#ifndef AUTH_LINKS_H
#define AUTH_LINKS_H

#include <stddef.h>
#include <stdint.h>

#include "auth/vault.h"
#include "lib/err.h"
#include "lib/text.h"

enum links_what { LINKS_CANCEL = 1, LINKS_FREEZE };

#define LINKS_NAME_MAX	64	/* COMMAND_NAME_MAX */
#define LINKS_NONCE_LEN	14
#define LINKS_TOKEN_LEN	248	/* characters, without NUL */

struct links_token {
	enum links_what	what;
	int64_t		expires_ms;
	unsigned char	nonce[LINKS_NONCE_LEN];
	char		account[LINKS_NAME_MAX + 1];
	char		id[LINKS_NAME_MAX + 1];	/* cancel: the withdrawal;
						 * freeze: "" or why */
};

/*
 * A new token, NUL at the end; a fresh nonce is put into *t, whose other
 * fields the caller has set.  Fails when a name does not fit.
 */
enum rc links_make(char out[LINKS_TOKEN_LEN + 1], const struct vault *v,
    struct links_token *t, struct err *e) MUST_CHECK;

/*
 * What a token is good for, if we made it (under either master key) and it
 * has not expired at now_ms.
 */
enum rc links_check(struct links_token *t, const struct vault *v,
    struct text token, int64_t now_ms, struct err *e) MUST_CHECK;

#endif
