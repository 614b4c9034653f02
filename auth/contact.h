/*
 * Where an account's owner hears of things: sealed as SECRET_CONTACT.
 */
#ifndef AUTH_CONTACT_H
#define AUTH_CONTACT_H

#include "auth/secrets.h"

struct contact {
	char	mail[255];		/* "": none */
	char	phone[20];		/* "+" and digits; "": none */
};
#define CONTACT_PACKED_MAX	(255 + 1 + 20)

/* Put in what is given (absent: stays as it is; empty: none from now on). */
enum rc contact_set(struct contact *c, struct text mail, struct text phone,
    struct err *e) MUST_CHECK;
size_t contact_pack(const struct contact *c,
    unsigned char out[CONTACT_PACKED_MAX]);
bool contact_unpack(struct contact *c, const unsigned char *p, size_t len);
/* The account's, opened; false: it has none. */
bool contact_of(struct contact *c, struct auth *a, struct account *acc);
/* The one that was replaced last: it hears of that. */
bool contact_before(struct contact *c, struct auth *a, struct account *acc);

#endif
