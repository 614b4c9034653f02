/*
 * A program that owns a room, and says what it likes to the next.
 *
 * It starts the other rooms as drawbridged would, and keeps the owned room's
 * end of the link: whatever that room's process could send, this sends.
 */
#ifndef TESTS_REDTEAM_REDTEAM_H
#define TESTS_REDTEAM_REDTEAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "wire/message.h"

/* An end of a link. */
struct end {
	int		 fd;		/* -1: cut off */
	enum room	 as;		/* who we are */
	enum room	 to;
	unsigned char	*in;
	size_t		 in_len;
};

/* ends.c: the rooms, and the links to them. */

/* "engine", "auth": with the configuration in the file `conf`. */
void rooms_begin(const char *program, const char *conf, const char *data);
void rooms_start(enum room r);
void rooms_link(enum room a, enum room b);
/* Graceful; true when all ended with status 0. */
bool rooms_stop(void);
/* None has ended; says which did, and how. */
bool rooms_alive(void);
long rooms_rss_kb(enum room r);

/* A new link; the one before is gone.  `speak`: greet, and wait for them. */
bool end_open(struct end *d, enum room as, enum room to, bool speak);
void end_close(struct end *d);
/* All of it, unless they cut us off.  What arrives meanwhile is kept. */
bool end_send(struct end *d, const void *bytes, size_t len);
bool end_say(struct end *d, const struct message *m);
/* The next message, at most wait_ms from now; false: none, or cut off.
 * *m points into the end until the next call. */
bool end_hear(struct end *d, struct message *m, int wait_ms);
/* Until nothing more comes for wait_ms. */
void end_drain(struct end *d, int wait_ms);

/* main.c */
uint64_t roll(void);
uint64_t roll_below(uint64_t n);
void roll_bytes(void *out, size_t len);
int64_t wall_ms(void);
void outcome(const char *name, bool good, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* What the tests know. */
struct known {
	const char	*key, *secret, *account;	/* may withdraw */
	const char	*other_key;		/* of another account */
	const char	*address;
	const char	*ledger;		/* where signed orders go */
	const char	*held;			/* a withdrawal for people */
};
extern struct known known;
/* NAME=VALUE&..., signed: into `out`. */
size_t sign(char *out, size_t room, const char *params);
/* The same as a whole withdrawal under a new order, noted in the ledger. */
size_t sign_apply(char *out, size_t room, const char *more);
void clear_request(struct message *m, enum endpoint e, struct text query);

/* noise.c: bytes that are no messages, and messages of others; `sample`: a
 * good one. */
void noise(enum room as, enum room to, const struct message *sample,
    bool (*honest)(struct end *d));

void owned_api(void);
void owned_auth(void);

#endif
