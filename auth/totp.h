/*
 * One-time codes of time: RFC 6238, on RFC 4226, and the otpauth URI that
 * carries a seed into somebody's telephone.
 *
 * Nothing here reads the clock or remembers a code: the caller refuses a step
 * that is not greater than the last one used, so that a code is good once.
 */
#ifndef AUTH_TOTP_H
#define AUTH_TOTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/text.h"

/* These numbers are stored. */
enum totp_hash { TOTP_SHA1 = 1, TOTP_SHA256, TOTP_SHA512 };

#define TOTP_SEED_MIN	10	/* bytes; ours have 20, 32 or 64 */
#define TOTP_SEED_MAX	128

/* Secret: of secret_new(). */
struct totp {
	enum totp_hash	hash;
	int		digits;		/* 6 to 8 */
	int		period_s;	/* 15 to 300; telephones know 30 */
	size_t		seed_len;
	unsigned char	seed[TOTP_SEED_MAX];
};

/* A new seed, of the hash's own length (RFC 6238, appendix A). */
void totp_make(struct totp *t, enum totp_hash hash, int digits);

/* As kept in a sealed blob. */
#define TOTP_PACKED_MAX	(5 + TOTP_SEED_MAX)
size_t totp_pack(const struct totp *t, unsigned char out[TOTP_PACKED_MAX]);
enum rc totp_unpack(struct totp *t, const unsigned char *p, size_t len,
    struct err *e) MUST_CHECK;

#define TOTP_CODE_MAX	9	/* with NUL */
/* The code of a step (RFC 4226's counter). */
void totp_code(char out[TOTP_CODE_MAX], const struct totp *t, uint64_t step);
/* Which step a moment, not before 1970, lies in. */
int64_t totp_step(const struct totp *t, int64_t t_ms);

/*
 * The step whose code this is: the present one, the one before or the one
 * after; -1: none.  When more than one has it, the latest.  Takes as long
 * whatever the code.  Blanks within are left out, "123 456" being how
 * programs show it.
 */
int64_t totp_check(const struct totp *t, struct text code, int64_t t_ms);

/* Who it is for, as the telephone shows it. */
#define TOTP_LABEL_MAX	65	/* with NUL */
struct totp_label {
	char	issuer[TOTP_LABEL_MAX];		/* may be "" */
	char	account[TOTP_LABEL_MAX];
};

/*
 * "otpauth://totp/ISSUER:ACCOUNT?secret=...&issuer=...&algorithm=SHA1&
 * digits=6&period=30".  Labels hold no colon and no control characters
 * (fails).  It is a secret.
 */
#define TOTP_URI_MAX	896
enum rc totp_uri(char out[TOTP_URI_MAX], const struct totp *t,
    const struct totp_label *label, struct err *e) MUST_CHECK;

/*
 * The other way round, strictly: type totp only; every parameter known, once
 * and in range; the secret canonical base32 of TOTP_SEED_MIN bytes or more;
 * an issuer given twice is the same both times.
 */
enum rc totp_parse(struct totp *t, struct totp_label *label, struct text uri,
    struct err *e) MUST_CHECK;

/* RFC 4648 base32 without `=`, upper case; `out` has room for
 * TOTP_BASE32_LEN(len) + 1. */
#define TOTP_BASE32_LEN(len)	(((len) * 8 + 4) / 5)
void totp_base32(char *out, const unsigned char *p, size_t len);
/* Back; either case, `=` only where RFC 4648 has them or not at all, unused
 * bits 0; -1: not base32, or more than `room` bytes. */
int totp_unbase32(unsigned char *out, size_t room, struct text t);

#endif
