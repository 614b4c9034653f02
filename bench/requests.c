#include "bench/requests.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/amount.h"
#include "lib/civil.h"

#define BENCH_START_MS	INT64_C(1556668800000)	/* 2019-05-01 */
#define PER_ACCOUNT_DAY	8			/* hundredths */

/* splitmix64: Steele, Lea, Flood, OOPSLA 2014. */
static uint64_t
next(uint64_t *state)
{
	uint64_t	 z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

void
requests_start(struct request_stream *s, uint32_t n_accounts, uint64_t seed)
{
	memset(s, 0, sizeof(*s));
	s->state = seed;
	s->n_accounts = n_accounts;
	s->n_destinations = n_accounts * 2;
	s->n_networks = n_accounts / 8 + 16;
	s->t_us = BENCH_START_MS * 1000;
	s->step_us = MS_PER_DAY * 1000 * 100 /
	    ((int64_t)n_accounts * PER_ACCOUNT_DAY);
}

void
requests_next(struct request_stream *s, struct request *out)
{
	/* Half-octaves from 0.0016 to 26 BTC, weights falling to both ends. */
	static const uint8_t	 weight[28] = { 1, 2, 3, 5, 8, 11, 14, 17, 19,
		20, 20, 19, 17, 15, 13, 11, 9, 7, 6, 5, 4, 3, 2, 2, 1, 1, 1,
		1 };
	uint64_t	 r = next(&s->state), q = next(&s->state);
	uint32_t	 spin = (uint32_t)(r >> 40) % 237, i = 0;
	int64_t		 base;

	s->t_us += (int64_t)(next(&s->state) % (2 * (uint64_t)s->step_us + 1));
	out->t_ms = s->t_us / 1000;
	out->account = (uint32_t)(r % s->n_accounts);
	if ((r >> 36) % 2 == 0)		/* the busy tenth */
		out->account /= 10;
	if (q % 3 != 0)			/* one of its own two addresses */
		out->destination = out->account * 2 + (q >> 8) % 2;
	else
		out->destination = (uint32_t)((q >> 8) % s->n_destinations);
	while (spin >= weight[i] && i < 27)
		spin -= weight[i++];
	base = INT64_C(160000) << (i / 2);
	if (i % 2 == 1)
		base = base * 181 / 128;
	out->amount_sat = base + (int64_t)(q >> 32) % (base / 2);
	out->network = (uint32_t)(out->account / 8 % s->n_networks);
}

enum rc
requests_write(const char *path, uint32_t n_accounts, uint32_t n,
    uint64_t seed, struct err *e)
{
	struct request_stream	 s;
	struct request		 r;
	unsigned char		 rec[32];
	uint32_t		 head[4], i, zero = 0;
	double			 t, amount;
	FILE			*f;

	requests_start(&s, n_accounts, seed);
	if ((f = fopen(path, "wb")) == NULL)
		return err_set(e, "%s: %s", path, strerror(errno));
	head[0] = n_accounts;
	head[1] = s.n_destinations;
	head[2] = n;
	head[3] = s.n_networks;
	(void)fwrite(head, sizeof(head), 1, f);
	for (i = 0; i < n; i++) {
		requests_next(&s, &r);
		t = (double)r.t_ms / 1000;
		amount = (double)r.amount_sat;
		memcpy(rec, &t, 8);
		memcpy(rec + 8, &r.account, 4);
		memcpy(rec + 12, &r.destination, 4);
		memcpy(rec + 16, &amount, 8);
		memcpy(rec + 24, &r.network, 4);
		memcpy(rec + 28, &zero, 4);
		(void)fwrite(rec, sizeof(rec), 1, f);
	}
	if (ferror(f) != 0 || fclose(f) != 0)
		return err_set(e, "%s: %s", path, strerror(errno));
	return RC_OK;
}
