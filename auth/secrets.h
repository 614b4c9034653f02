/*
 * Second factors and contacts of accounts, as the journal has them: sealed
 * until they are needed.
 */
#ifndef AUTH_SECRETS_H
#define AUTH_SECRETS_H

#include <stdbool.h>

#include "auth/auth.h"

/* Sealed blobs of one account. */
struct account_secret {
	unsigned char	*blob;		/* NULL: none */
	size_t		len;
	int64_t		version;
	uint64_t	seq;
};

struct account {
	char		name[COMMAND_NAME_MAX + 1];
	struct account_secret of[SECRET_LINKS + 1];
	int64_t		last_step;	/* of a code that was used; -1: none */
	/* Codes sent by mail or SMS: one at a time. */
	char		sent[7];
	int64_t		sent_until_ms;
	int		sent_tries;
	/* Reasons of recent refusals, for its owner. */
	char		why[8][96];
	int64_t		why_ms[8];
	int		n_why;
};

enum rc accounts_new(struct accounts **out, struct err *e) MUST_CHECK;
void accounts_free(struct accounts **a);
/* Made if it is not there; NULL: no memory. */
struct account *accounts_get(struct accounts *a, struct text name);
struct account *accounts_each(const struct accounts *a, size_t *at);

/* Open one: `plain` (of secret_new()) has room; the length, or -1. */
int secrets_open(struct auth *a, struct account *acc, enum secret_kind kind,
    unsigned char *plain, size_t room);
/* Has it one? */
bool secrets_has(const struct account *acc, enum secret_kind kind);

enum secrets_said {
	SECRETS_GOOD,
	SECRETS_WRONG,
	SECRETS_USED,		/* good, but not for the first time */
	SECRETS_LOCKED,		/* too many wrong ones from there */
	SECRETS_NONE,		/* nothing enrolled */
};
/*
 * A code of any kind: TOTP, recovery, or one that was sent.  On GOOD the
 * command gets kind and step; of a recovery code *record (RECOVERY_LEN) is
 * the record that must be journaled.  `from`: who tries, for the lock: it
 * locks him and not the account, or anybody could shut a customer out.
 */
enum secrets_said secrets_try(struct auth *a, struct account *acc,
    struct text code, struct text from, enum secret_kind *kind_out,
    int64_t *step_out);

/*
 * The code that came in a header with a withdrawal: into the command.  False:
 * it was wrong, and that was answered.
 */
bool secrets_code(struct request *r, struct command *c);

#endif
