/*
 * Second factors and contacts of customers, put in by operators.
 */
#ifndef CLI_FACTOR_H
#define CLI_FACTOR_H

#include "cli/acting.h"

struct factor_ask {
	const char	*account;
	const char	*qr;		/* --qr FILE: .svg or .png */
	bool		 remove;	/* --remove */
	const char	*mail;		/* NULL: stays as it is */
	const char	*phone;
};

/* A new TOTP secret and ten recovery codes, shown once; or none any more.
 * Return the status. */
int factor_totp(const struct acting *a, const struct factor_ask *ask);
int factor_contact(const struct acting *a, const struct factor_ask *ask);

#endif
