/*
 * What each address has used, and who is banned.
 *
 * An address is an IPv4 address or a /64 of IPv6.  The table has a fixed
 * size: places are found by a keyed hash, eight to a bucket, and the one
 * whose address was quiet for longest is given away.  Whoever comes with
 * many addresses can so make the table forget, never grow; addresses that
 * are banned or connected now keep their places.
 */
#ifndef API_RATES_H
#define API_RATES_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/endpoint.h"

struct rates;

enum rate {
	RATE_OK,
	RATE_MUCH,		/* 429 */
	RATE_BANNED,		/* 418 */
};

struct rates_answer {
	enum rate	rate;
	int64_t		retry_s;	/* unless RATE_OK */
	int64_t		used;		/* weight in this minute; -1: none is
					 * counted here */
	bool		banned_now;	/* by this very request */
};

/* For at least `places` addresses; NULL: no memory. */
struct rates *rates_new(int64_t places);
void rates_free(struct rates **r);

/*
 * One more connection of this address, of at most `max`: false when there
 * are so many.  Every true wants a rates_leave().
 */
bool rates_enter(struct rates *r, const unsigned char ip[16], int64_t max,
    int64_t now_ms);
void rates_leave(struct rates *r, const unsigned char ip[16]);

/*
 * One more request.  Of those weighed by account (UID) and of the
 * exchange's door nothing is counted here: `auth` does.  now_ms never goes
 * back.
 */
void rates_take(struct rates *r, struct rates_answer *out,
    const unsigned char ip[16], enum endpoint e, int64_t now_ms);
/* Counts a mistake: a key that was refused, or no HTTP at all. */
void rates_blame(struct rates *r, const unsigned char ip[16],
    int64_t weight, int64_t now_ms);

int64_t rates_banned(const struct rates *r, int64_t now_ms);
int64_t rates_known(const struct rates *r);

#endif
