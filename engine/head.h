/*
 * The head of a journal: how far it goes, and the hash that all of it hangs
 * from, signed by the engine's key.
 *
 * A chain of hashes finds what was changed inside; that its end was cut off,
 * or that it is yesterday's copy, is not in it to be found (H4).  A head
 * that lies elsewhere (with the signer, in a log on another host, on paper)
 * proves both.
 */
#ifndef ENGINE_HEAD_H
#define ENGINE_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "db/keyring.h"
#include "lib/err.h"
#include "lib/text.h"

struct head {
	unsigned char	deployment[16];
	uint64_t	seq;		/* the last event of its row */
	int64_t		t_ms;
	unsigned char	hash[32];	/* the row's */
	unsigned char	signature[64];	/* Ed25519 */
};

/* Sign: all but the signature must be there. */
void head_sign(struct head *h, const struct keyring *keys);
/* By this engine's public key? */
bool head_verify(const struct head *h, const unsigned char engine_key[32]);

/*
 * One line, without a newline:
 * "drawbridge-head-1 DEPLOYMENT SEQ T_MS HASH SIGNATURE", numbers decimal,
 * bytes in hex.
 */
#define HEAD_TEXT_MAX	320
char *head_format(char buf[HEAD_TEXT_MAX], const struct head *h);
enum rc head_parse(struct head *out, struct text t, struct err *e)
    MUST_CHECK;

#endif
