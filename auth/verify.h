/*
 * Is this signature the key's, over what was received?
 */
#ifndef AUTH_VERIFY_H
#define AUTH_VERIFY_H

#include <stdbool.h>

#include "auth/keys.h"
#include "auth/params.h"

#define VERIFY_MAX	(3 * PARAMS_BYTES + 2 * PARAMS_MAX)
#define VERIFY_SIGNATURE_MAX	512	/* of RSA with 4096 bits */

/* What may have been signed, and with what. */
struct verify {
	/* S1, S2, S3; length -1: not a candidate. */
	char		message[3][VERIFY_MAX];
	int		len[3];
	unsigned char	signature[VERIFY_SIGNATURE_MAX];
	size_t		signature_len;
	enum key_type	type;
	unsigned char	ed25519[32];
	EVP_PKEY	*rsa;		/* a reference of its own, or NULL */
};

/*
 * From a request: false when the signature is not of the right form for the
 * type.  `decoded`: S3 is offered.
 */
bool verify_begin(struct verify *v, const struct params *p,
    const struct key *k, bool decoded);
/* For one exact message (door.md): `base64` as the header has it, or hex for
 * HMAC. */
bool verify_one(struct verify *v, const struct key *k, const char *message,
    size_t len, struct text signature);
void verify_end(struct verify *v);

/* HMAC, at once. */
bool verify_hmac(const struct verify *v, const struct key *k);
/* RSA or Ed25519, on any thread: 30 to 100 us. */
bool verify_slow(const struct verify *v);

#endif
