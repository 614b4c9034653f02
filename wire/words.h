/*
 * The words that commands are made of: numbers that stand in messages and in
 * the journal, so none is ever renumbered; new ones go to the end.
 */
#ifndef WIRE_WORDS_H
#define WIRE_WORDS_H

#include <stdint.h>

/* Where a withdrawal was asked for. */
enum via { VIA_API, VIA_WEB, VIA_MOBILE, VIA_INTERNAL };

enum tri { TRI_UNKNOWN, TRI_NO, TRI_YES };

/* What became of a payment. */
enum paid { PAID_PAID, PAID_FAILED, PAID_CANCELLED, PAID_DENIED };

/* Which credential was reset. */
enum credential {
	CREDENTIAL_PASSWORD, CREDENTIAL_2FA, CREDENTIAL_EMAIL, CREDENTIAL_PHONE
};

/* How the value of a declared fact was written. */
enum value_kind { VALUE_TEXT, VALUE_INTEGER, VALUE_FLAG };

/* How requests under an API key are signed. */
enum key_type { KEY_TYPE_NONE, KEY_TYPE_HMAC, KEY_TYPE_RSA,
	KEY_TYPE_ED25519 };

/* What auth keeps sealed for an account. */
enum secret_kind {
	SECRET_NONE,
	SECRET_TOTP,		/* RFC 6238 */
	SECRET_RECOVERY,	/* recovery codes, hashed */
	SECRET_CONTACT,		/* where notices and codes go */
	SECRET_PASSWORD,	/* hashed: self-service */
	SECRET_LINKS,		/* links of notices: used ones */
};

/* A network of addresses; IPv4 is mapped into ::ffff:0:0/96. */
struct cidr {
	unsigned char	ip[16];
	uint8_t		bits;		/* of 128; those beyond are 0 */
};

#endif
