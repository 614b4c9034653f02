/*
 * An operator's key in a file: one line,
 *	drawbridge-operator-key-1 HEX [demo]		mode 0600, the seed
 *	drawbridge-operator-public-1 HEX [demo]		FILE.pub
 * Keys marked demo are taken by no network but regtest (C7).
 */
#ifndef CLI_KEYFILE_H
#define CLI_KEYFILE_H

#include <stdbool.h>

#include "lib/err.h"

/* Ed25519, as libsodium has them. */
struct keyfile {
	unsigned char	public_key[32];
	unsigned char	secret[64];	/* zero when only the public half */
	bool		demo;
};

/* Makes PATH and PATH.pub, which must not exist. */
enum rc keyfile_make(const char *path, bool demo, struct err *e) MUST_CHECK;
/* Refused when others may read it. */
enum rc keyfile_load(struct keyfile *out, const char *path, struct err *e)
    MUST_CHECK;
/* The public half: of PATH, whichever of the two files that is; or the 64
 * hex digits themselves. */
enum rc keyfile_public(struct keyfile *out, const char *path_or_hex,
    struct err *e) MUST_CHECK;
void keyfile_wipe(struct keyfile *k);

#endif
