/*
 * Where a master key comes from: of auth/vault.c, not for others.
 */
#ifndef AUTH_VAULT_KEY_H
#define AUTH_VAULT_KEY_H

#include "lib/err.h"
#include "lib/text.h"

#define VAULT_KEY_LEN	32
#define VAULT_ID_LEN	8

/* Tells which master key it is, and nothing about it. */
void vault_key_id(unsigned char id[VAULT_ID_LEN],
    const unsigned char key[VAULT_KEY_LEN]);

/* `key` is of secret_new(); `where` as in the configuration. */
enum rc vault_key_read(unsigned char key[VAULT_KEY_LEN], const char *where,
    const char *params_path, struct text passphrase, struct err *e)
    MUST_CHECK;

/* The same from the line itself. */
enum rc vault_key_line(unsigned char key[VAULT_KEY_LEN], struct text line,
    struct err *e) MUST_CHECK;

#endif
