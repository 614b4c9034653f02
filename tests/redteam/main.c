/*
 * redteam ROOM DRAWBRIDGED CONF DATA SEED KEY SECRET ACCOUNT OTHER-KEY
 *     ADDRESS LEDGER HELD: owns ROOM (api or auth) and attacks the next.
 *
 * Prints `ok` and `not ok`, and appends every order that a customer signed
 * to LEDGER: what is in the journal and not there, was invented.
 */
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/redteam/redteam.h"

struct known	 known;

static uint64_t	 seed;
static int	 failed;
static int	 orders;

/* splitmix64 */
uint64_t
roll(void)
{
	uint64_t	 z = seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint64_t
roll_below(uint64_t n)
{
	return roll() % n;
}

void
roll_bytes(void *out, size_t len)
{
	unsigned char	*p = out;

	while (len-- > 0)
		*p++ = (unsigned char)roll();
}

int64_t
wall_ms(void)
{
	struct timespec	 t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void
outcome(const char *name, bool good, const char *fmt, ...)
{
	va_list	 ap;

	(void)printf("%s %s", good ? "ok" : "not ok", name);
	if (!good) {
		(void)printf(": ");
		va_start(ap, fmt);
		(void)vprintf(fmt, ap);
		va_end(ap);
		failed = 1;
	}
	(void)printf("\n");
	(void)fflush(stdout);
}

size_t
sign(char *out, size_t room, const char *params)
{
	crypto_auth_hmacsha256_state	 h;
	unsigned char			 mac[32];
	char				 hex[65];

	(void)crypto_auth_hmacsha256_init(&h,
	    (const unsigned char *)known.secret, strlen(known.secret));
	(void)crypto_auth_hmacsha256_update(&h,
	    (const unsigned char *)params, strlen(params));
	(void)crypto_auth_hmacsha256_final(&h, mac);
	(void)sodium_bin2hex(hex, sizeof(hex), mac, sizeof(mac));
	return (size_t)snprintf(out, room, "%s&signature=%s", params, hex);
}

size_t
sign_apply(char *out, size_t room, const char *more)
{
	char	 params[1024];
	FILE	*f = fopen(known.ledger, "a");

	orders++;
	if (f == NULL)
		exit(1);
	(void)fprintf(f, "signed-%d\n", orders);
	(void)fclose(f);
	(void)snprintf(params, sizeof(params), "coin=BTC&network=BTC&"
	    "address=%s&amount=0.01&withdrawOrderId=signed-%d&recvWindow="
	    "60000&timestamp=%lld%s", known.address, orders,
	    (long long)wall_ms(), more);
	return sign(out, room, params);
}

void
clear_request(struct message *m, enum endpoint e, struct text query)
{
	static const unsigned char	 ip[16] = { [10] = 0xff, 0xff, 127, 0,
		    0, 1 };

	message_clear(m, MESSAGE_REQUEST, 1 + roll_below(1000000));
	m->endpoint = e;
	m->has_ip = true;
	memcpy(m->ip, ip, sizeof(ip));
	m->key = text_of(known.key);
	m->query = query;
}

int
main(int argc, char *argv[])
{
	if (argc != 13 || sodium_init() == -1) {
		(void)fprintf(stderr, "usage: redteam ROOM ...\n");
		return 2;
	}
	seed = strtoull(argv[5], NULL, 10);
	known.key = argv[6];
	known.secret = argv[7];
	known.account = argv[8];
	known.other_key = argv[9];
	known.address = argv[10];
	known.ledger = argv[11];
	known.held = argv[12];
	rooms_begin(argv[2], argv[3], argv[4]);
	if (strcmp(argv[1], "api") == 0)
		owned_api();
	else
		owned_auth();
	outcome("the rooms end when told, with status 0", rooms_stop(),
	    "they do not");
	return failed;
}
