/*
 * Public keys that customers register: SubjectPublicKeyInfo (RFC 5280), in
 * PEM when they come, in DER where they are kept.
 */
#ifndef AUTH_PUBLICKEY_H
#define AUTH_PUBLICKEY_H

#include <openssl/evp.h>
#include <stdbool.h>

#include "lib/err.h"
#include "lib/text.h"

#define PUBLICKEY_DER_MAX	1024

/*
 * PEM, "BEGIN PUBLIC KEY" once and nothing else around it but blanks; `want`
 * "rsa" or "ed25519".  The DER comes canonical: what was read, written again,
 * is the same.
 */
enum rc publickey_pem(unsigned char der[PUBLICKEY_DER_MAX], size_t *len_out,
    struct text pem, bool want_rsa, struct err *e) MUST_CHECK;

/* 2048 to 4096 bits, an odd exponent from 65537 on. */
enum rc publickey_rsa(EVP_PKEY **out, struct text spki, struct err *e)
    MUST_CHECK;
/* The fixed prefix and 32 bytes, which are a point of the main subgroup. */
enum rc publickey_ed25519(unsigned char out[32], struct text spki,
    struct err *e) MUST_CHECK;

#endif
