#include "api/rates.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "api/bounds.h"

#define WAYS		8
#define MINUTE_MS	60000

struct place {
	unsigned char	ip[16];
	int64_t		seen_ms;	/* 0: nobody's place */
	int64_t		minute;		/* that `used` counts in */
	int64_t		second;		/* that `history` counts in */
	int64_t		banned_ms;	/* until */
	int64_t		last_ban_ms;
	uint32_t	connections;
	uint32_t	refused;	/* in this minute */
	uint16_t	history;
	uint8_t		bans;		/* how often, lately */
	uint16_t	used_api;
	uint16_t	used[ENDPOINT__COUNT];
};

struct rates {
	size_t		buckets;	/* a power of two */
	unsigned char	key[crypto_shorthash_KEYBYTES];
	struct place	*places;
};

struct rates *
rates_new(int64_t places)
{
	struct rates	*r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->buckets = 1;
	while ((int64_t)(r->buckets * WAYS) < places)
		r->buckets *= 2;
	randombytes_buf(r->key, sizeof(r->key));
	r->places = calloc(r->buckets * WAYS, sizeof(*r->places));
	if (r->places == NULL)
		rates_free(&r);
	return r;
}

void
rates_free(struct rates **r)
{
	if (*r != NULL)
		free((*r)->places);
	free(*r);
	*r = NULL;
}

/* One customer has a /64 of IPv6, so it is one address here. */
static void
name(unsigned char out[16], const unsigned char ip[16])
{
	static const unsigned char	 mapped[12] = { 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0xff, 0xff };

	memcpy(out, ip, 16);
	if (memcmp(ip, mapped, sizeof(mapped)) != 0)
		memset(out + 8, 0, 8);
}

static struct place *
bucket_of(const struct rates *r, const unsigned char key[16])
{
	unsigned char	 h[crypto_shorthash_BYTES];
	uint64_t	 n;

	crypto_shorthash(h, key, 16, r->key);
	memcpy(&n, h, sizeof(n));
	return r->places + (n & (r->buckets - 1)) * WAYS;
}

static struct place *
find(const struct rates *r, const unsigned char ip[16])
{
	unsigned char	 key[16];
	struct place	*p, *end;

	name(key, ip);
	p = bucket_of(r, key);
	for (end = p + WAYS; p < end; p++) {
		if (p->seen_ms != 0 && memcmp(p->ip, key, 16) == 0)
			return p;
	}
	return NULL;
}

/* Its place, or that of the quietest; NULL: all of the bucket are needed. */
static struct place *
get(struct rates *r, const unsigned char ip[16], int64_t now_ms)
{
	struct place	*p = find(r, ip), *end, *best = NULL;
	unsigned char	 key[16];

	if (p == NULL) {
		name(key, ip);
		p = bucket_of(r, key);
		for (end = p + WAYS; p < end; p++) {
			if (p->connections == 0 && p->banned_ms <= now_ms &&
			    (best == NULL || p->seen_ms < best->seen_ms))
				best = p;
		}
		if ((p = best) == NULL)
			return NULL;
		memset(p, 0, sizeof(*p));
		memcpy(p->ip, key, 16);
	}
	p->seen_ms = now_ms + 1;
	if (p->minute != now_ms / MINUTE_MS) {
		p->minute = now_ms / MINUTE_MS;
		p->refused = 0;
		p->used_api = 0;
		memset(p->used, 0, sizeof(p->used));
	}
	return p;
}

bool
rates_enter(struct rates *r, const unsigned char ip[16], int64_t max,
    int64_t now_ms)
{
	struct place	*p = get(r, ip, now_ms);

	if (p == NULL || p->connections >= max)
		return false;
	p->connections++;
	return true;
}

void
rates_leave(struct rates *r, const unsigned char ip[16])
{
	struct place	*p = find(r, ip);

	/* Its place is not given away before. */
	assert(p != NULL && p->connections > 0);
	p->connections--;
}

/* Each ban is twice as long as the one before, until three quiet days. */
static void
ban(struct place *p, int64_t now_ms)
{
	int64_t	 ms = BAN_MIN_MS;
	int	 i;

	if (p->bans > 0 && now_ms - p->last_ban_ms > BAN_MAX_MS)
		p->bans = 0;
	for (i = 0; i < p->bans && ms < BAN_MAX_MS; i++)
		ms *= 2;
	if (ms > BAN_MAX_MS)
		ms = BAN_MAX_MS;
	if (p->bans < 16)
		p->bans++;
	p->banned_ms = p->last_ban_ms = now_ms + ms;
	p->refused = 0;
}

static void
refuse(struct place *p, struct rates_answer *out, int64_t ms, int64_t now_ms)
{
	out->rate = RATE_MUCH;
	out->retry_s = (ms + 999) / 1000;
	if (++p->refused <= BAN_AFTER)
		return;
	ban(p, now_ms);
	out->rate = RATE_BANNED;
	out->banned_now = true;
	out->retry_s = (p->banned_ms - now_ms + 999) / 1000;
}

/* The counter that this endpoint's weight goes to; NULL: not ours. */
static uint16_t *
counter(struct place *p, enum endpoint e, unsigned *limit_out)
{
	const struct endpoint_def	*d = &endpoints[e];

	*limit_out = RATE_SAPI;
	if (d->weigh == WEIGH_UID || d->security == SECURITY_DOOR)
		return NULL;
	if (e != ENDPOINT_NONE && strncmp(d->path, "/api/", 5) != 0)
		return &p->used[e];
	*limit_out = RATE_API;
	return &p->used_api;
}

static bool
too_fast(struct place *p, int64_t now_ms)
{
	if (p->second != now_ms / 1000) {
		p->second = now_ms / 1000;
		p->history = 0;
	}
	return ++p->history > RATE_HISTORY_S;
}

void
rates_take(struct rates *r, struct rates_answer *out,
    const unsigned char ip[16], enum endpoint e, int64_t now_ms)
{
	struct place	*p = get(r, ip, now_ms);
	uint16_t	*used;
	unsigned	 limit, weight = (unsigned)endpoints[e].weight;

	memset(out, 0, sizeof(*out));
	out->used = -1;
	/* No place for it: all its neighbours are banned or connected, and
	 * it is neither. */
	if (p == NULL)
		return;
	if (p->banned_ms > now_ms) {
		out->rate = RATE_BANNED;
		out->retry_s = (p->banned_ms - now_ms + 999) / 1000;
		return;
	}
	/* Mistakes count for all that nothing else counts for. */
	used = counter(p, e, &limit);
	if (used == NULL && p->used_api > RATE_API)
		refuse(p, out, MINUTE_MS - now_ms % MINUTE_MS, now_ms);
	else if (e == ENDPOINT_WITHDRAW_HISTORY && too_fast(p, now_ms))
		refuse(p, out, 1000, now_ms);
	if (used == NULL || out->rate != RATE_OK)
		return;
	if (*used + weight > limit) {
		refuse(p, out, MINUTE_MS - now_ms % MINUTE_MS, now_ms);
		out->used = *used;
		return;
	}
	*used = (uint16_t)(*used + weight);
	out->used = *used;
}

void
rates_blame(struct rates *r, const unsigned char ip[16], int64_t weight,
    int64_t now_ms)
{
	struct place	*p = get(r, ip, now_ms);

	if (p != NULL && p->used_api <= RATE_API)
		p->used_api = (uint16_t)(p->used_api + weight);
}

int64_t
rates_banned(const struct rates *r, int64_t now_ms)
{
	int64_t	 n = 0;
	size_t	 i;

	for (i = 0; i < r->buckets * WAYS; i++)
		n += r->places[i].banned_ms > now_ms;
	return n;
}

int64_t
rates_known(const struct rates *r)
{
	int64_t	 n = 0;
	size_t	 i;

	for (i = 0; i < r->buckets * WAYS; i++)
		n += r->places[i].seen_ms != 0;
	return n;
}
