/*
 * Recovery codes: ten, shown once, each good once, for whoever lost the
 * telephone.
 *
 * A code is 80 random bits, "k3vd-2mzq-xw7a-plo4".  What is kept is a record
 * of their hashes, BLAKE2b under a key of its own in the same record, and the
 * record is sealed (auth/vault.h).  A fast hash is enough: a slow one is for
 * passwords, which people choose; 2^80 codes cannot be tried, whatever the
 * hash.  The key makes equal codes of two records differ, and keeps a table
 * made beforehand from serving for more than one.
 */
#ifndef AUTH_RECOVERY_H
#define AUTH_RECOVERY_H

#include <stddef.h>

#include "lib/text.h"

#define RECOVERY_COUNT		10
#define RECOVERY_CODE_MAX	20	/* with NUL */
#define RECOVERY_LEN		(1 + 2 + 32 + RECOVERY_COUNT * 16)

/* A new record, and the codes to show.  Both of secret_new(). */
void recovery_make(unsigned char record[RECOVERY_LEN],
    char codes[RECOVERY_COUNT][RECOVERY_CODE_MAX]);

/*
 * Which code this is, 0 to 9, if it is one that was not used; -1: none, or
 * not a record.  Case, blanks and dashes do not count.  Takes as long
 * whatever the code.
 */
int recovery_check(const unsigned char *record, size_t len, struct text code);

/* Code `which` was used; seal and journal the record before saying yes. */
void recovery_use(unsigned char record[RECOVERY_LEN], int which);
/* How many are good still; -1: not a record. */
int recovery_left(const unsigned char *record, size_t len);

#endif
