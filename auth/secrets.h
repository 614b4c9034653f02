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
	int64_t		links_ms;	/* freezing links made until then are
					 * used up */
	/* TOTP that is being enrolled, until a code of it comes. */
	struct account_secret next_totp;
	int64_t		next_until_ms;	/* monotonic */
	int		next_tries;
	/* The contact that was replaced: it hears of that, too. */
	struct account_secret contact_before;
	/* Codes sent by mail or SMS: one at a time, for one thing. */
	char		sent[7];
	char		sent_for[COMMAND_NAME_MAX + 1];
	int64_t		sent_ms;	/* monotonic */
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
/* One that is not in force. */
int secrets_unseal(struct auth *a, struct account *acc,
    enum secret_kind kind, const struct account_secret *s,
    unsigned char *plain, size_t room);
/* Has it one? */
bool secrets_has(const struct account *acc, enum secret_kind kind);
/* Can its holder give a second factor at all? */
bool secrets_any(struct auth *a, struct account *acc);
/* A copy of a blob takes the place of what is there; false: no memory. */
bool secrets_put(struct account_secret *s, const unsigned char *blob,
    size_t len, int64_t version);
/* A true reason, for the owner of the account, if there is one. */
void secrets_why(struct auth *a, struct text account, const char *why);

enum secrets_said {
	SECRETS_GOOD,
	SECRETS_WRONG,
	SECRETS_USED,		/* good, but not for the first time */
	SECRETS_LOCKED,		/* too many wrong ones from there */
	SECRETS_NONE,		/* nothing enrolled */
};
/*
 * A code of any kind: TOTP, recovery, or one that was sent for `what`: a
 * withdrawal's id, or SECRETS_SELF.  On GOOD *kind_out and, of TOTP,
 * *step_out (else -1) say which; that a recovery code or a sent one is used
 * has been told to the engine by then, before whatever the caller sends; a
 * TOTP step goes with the command, or by secrets_used().
 *
 * `from`: the key that it came with, whose holder is locked out after five
 * wrong ones; a whole account after TRIES_ACCOUNT of them: only who has a
 * key of it can try.
 */
#define SECRETS_SELF	"account"
enum secrets_said secrets_try(struct auth *a, struct account *acc,
    struct text code, struct text what, struct text from,
    enum secret_kind *kind_out, int64_t *step_out);
/* Journal a TOTP step that was good for no withdrawal. */
void secrets_used(struct auth *a, struct account *acc, int64_t step);
/* A new code to be sent for `what`; NULL: one was sent within a minute. */
const char *secrets_new_code(struct account *acc, struct text what);

/*
 * The code that came in a header with a withdrawal: into the command.  False:
 * it was wrong, and that was answered.
 */
bool secrets_code(struct request *r, struct command *c);

#endif
