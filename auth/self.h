/*
 * The self-service from inside: for auth/self*.c.
 *
 *	self.c		the request: signature, time, once; withdrawals,
 *			address book, freezing
 *	self_keys.c	API keys
 *	self_factors.c	second factors, contacts
 *
 * What a thief with a stolen API key can do here: read what the key reads
 * anyway, cancel, freeze and revoke that very key, which all tighten; and
 * enrol a second factor on an account that has none of any kind, if the key
 * may withdraw.  That is told to the owner's contact if operators have put
 * one in, and is a change of credentials to the policy
 * (`minutes since credential change`).  Everything else wants a second
 * factor, and what loosens waits for operators on top of it.
 */
#ifndef AUTH_SELF_H
#define AUTH_SELF_H

#include <jansson.h>

#include "auth/awaited.h"
#include "auth/secrets.h"

/* One that has been verified. */
struct self {
	struct request	*r;
	struct account	*acc;
	json_t		*body;		/* an object; {} if there was none */
	char		 reason[COMMAND_NAME_MAX + 32];
};

typedef void self_handler(struct self *s);
self_handler self_key_create, self_key_change, self_key_revoke;
self_handler self_totp, self_totp_confirm, self_code, self_send_code,
    self_contact;

/* {"code":-1130,"msg":WHY}, and what it was for the owner. */
void self_refuse(const struct self *s, const char *why);
/* Is a second factor with it?  Answers if not. */
bool self_factor(struct self *s, struct text what);

/*
 * Members of the body; false: of another type, which was answered.  What is
 * not there leaves *out as it is.
 */
bool self_text(const struct self *s, const char *name, struct text *out);
bool self_flag(const struct self *s, const char *name, bool *out);
bool self_number(const struct self *s, const char *name, int64_t *out);
/* No others than these, with blanks between; answers if there are. */
bool self_only(const struct self *s, const char *names);

/* A command of this account, with who asked. */
void self_begin(struct self *s, struct command *c, enum command_type t);
/* The engine answers. */
void self_take(struct self *s, const struct command *c);
/* It is taken before what follows. */
void self_tell(struct self *s, const struct command *c);
/* The engine answers, with these members before its own: of secret_new(). */
void self_take_with(struct self *s, const struct command *c, char *extra,
    size_t room);

#endif
