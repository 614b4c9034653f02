/*
 * The parameters of a signed request: split once, decoded once, refused
 * rather than guessed.
 */
#ifndef AUTH_PARAMS_H
#define AUTH_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/text.h"

#define PARAMS_MAX	32
#define PARAMS_BYTES	8192		/* of query and body together */

struct param {
	struct text	name;		/* decoded */
	struct text	value;		/* decoded */
	struct text	raw;		/* "name=value" as received */
	bool		asked;		/* somebody read it: params_unread() */
};

struct params {
	struct param	p[PARAMS_MAX];
	int		n;
	struct text	signature;	/* as received; absent: none */
	bool		in_query, in_body;	/* others than the signature */
	size_t		used;
	char		bytes[PARAMS_BYTES];
};

/* What is wrong, as the reference has it: 0, or one of -11xx. */
struct params_error {
	int		code;
	struct text	name;		/* of the parameter; may be absent */
};

/*
 * Refused: a name twice (-1101), a bad escape or a NUL (-1100), no name
 * (-1100), too many or too long (-1101), parameters on both sides other
 * than the signature (-1101).
 */
bool params_read(struct params *out, struct text query, struct text body,
    struct params_error *e);

/* Decoded; absent when it is not there. */
struct text params_value(struct params *p, const char *name);
/* A name that nobody asked for; absent: all were read. */
struct text params_unread(const struct params *p);

/*
 * The three messages that may have been signed (reference, section 2).  Each
 * returns the length, or -1 when it does not fit.
 */
int params_received(const struct params *p, char *out, size_t room);	/* S1 */
int params_canonical(const struct params *p, char *out, size_t room);	/* S2 */
/* S3; -1 also where decoding alike would let two messages look the same. */
int params_decoded(const struct params *p, char *out, size_t room);

/* No blank or control byte. */
bool params_is_plain(struct text t);
/* "true", "False", ...; false when it is neither. */
bool params_flag(bool *out, struct text t);
/* A whole number of at most 18 digits, not negative. */
bool params_number(int64_t *out, struct text t);
/*
 * An exact decimal with an optional exponent, as satoshi: "1e-05", "0.5".
 * 0: good; -1100 not a number, -1111 more than eight decimals, -4023 too
 * large.
 */
int params_amount(int64_t *sat_out, struct text t);
/* Milliseconds with up to three decimals, as microseconds. */
bool params_window(int64_t *us_out, struct text t);

/* Percent-decoding alone, `+` kept; -1: a bad escape or no room. */
int params_unescape(char *out, size_t room, struct text t);

#endif
