/*
 * drawbridge receipt, as far as it is about our own signer: standing, issue,
 * burn, burned, head, behind.  What they print is what `drawbridge signer`
 * takes, and the other way round.
 */
#ifndef CLI_RECEIPT_OWN_H
#define CLI_RECEIPT_OWN_H

#include <stdbool.h>

struct receipt_own {
	const char	*what;
	const char	*arg;		/* id or file; NULL: none */
	const char	*head;		/* --head FILE; NULL: none */
	bool		 json;
};

/* Is it one of these, with so many arguments? */
bool receipt_own_knows(const struct receipt_own *o);
/* The program's status. */
int receipt_own_run(const struct receipt_own *o);

/* receipt_behind.c */
int receipt_behind(const struct receipt_own *o);

#endif
