/*
 * Figures for Prometheus: counted here, printed in its text format 0.0.4.
 */
#ifndef API_FIGURES_H
#define API_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/text.h"
#include "wire/endpoint.h"

enum refused {
	REFUSED_HEAD,		/* malformed */
	REFUSED_FORWARDED,	/* a forwarding header */
	REFUSED_LONG,		/* head or body */
	REFUSED_SLOW,
	REFUSED_PROXY,		/* no PROXY header, or a wrong one */
	REFUSED_RATE,
	REFUSED_BAN,
	REFUSED_FULL,		/* connections in all */
	REFUSED_ADDRESS,	/* connections of one address */
	REFUSED_MEMORY,
	REFUSED_AWAY,		/* auth is not there, or full */
	REFUSED_LATE,		/* auth did not answer */
	REFUSED_ACCEPT,		/* no file descriptors */
	REFUSED__COUNT
};
const char *refused_text(enum refused r);

void figures_request(enum endpoint e, int status, int64_t us);
void figures_refused(enum refused r);
void figures_accepted(void);

/* What is told at the moment of printing. */
struct figures_now {
	int64_t	connections;
	int64_t	waiting;	/* requests that auth has */
	int64_t	idle;
	int64_t	long_bytes;
	int64_t	banned;
	int64_t	addresses;
	bool	auth;
	int64_t	link_bytes;
};

/* Lines of another process: kept until it sends them again. */
void figures_tell(struct text lines);
/* Does the engine say that it works?  True while it says nothing. */
bool figures_engine_up(void);
/* Auth has gone: what was told is old. */
void figures_forget(void);

/* The whole text, in memory that is good until the next call. */
struct text figures_print(const struct figures_now *now);

#endif
