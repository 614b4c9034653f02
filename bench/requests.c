#include "bench/requests.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/amount.h"
#include "lib/civil.h"

#define DAYS_HOT	6
/* What the mean of a request comes to, found by adding up a stream. */
#define MEAN_SAT	INT64_C(100000000)

/* splitmix64: Steele, Lea, Flood, OOPSLA 2014. */
static uint64_t
mixed(uint64_t z)
{
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static uint64_t
next(uint64_t *state)
{
	return mixed(*state += UINT64_C(0x9e3779b97f4a7c15));
}

void
requests_start(struct request_stream *s, uint32_t n_accounts, uint32_t n,
    uint32_t days, uint64_t seed)
{
	int64_t	 per_day = n < days ? 1 : n / days;

	memset(s, 0, sizeof(*s));
	s->state = seed;
	s->n_accounts = n_accounts;
	s->n_destinations = n_accounts * 2;
	s->n_networks = n_accounts / 8 + 16;
	s->per_day = (uint32_t)per_day;
	s->hot_sat = per_day * DAYS_HOT * MEAN_SAT;
	s->t_us = REQUESTS_START_MS * 1000;
	s->step_us = MS_PER_DAY * 1000 / per_day;
}

/* Half octaves from 0.0016 to 26 BTC, weights falling to both ends. */
static int64_t
draw_amount(uint64_t r)
{
	static const uint8_t	 weight[28] = { 1, 2, 3, 5, 8, 11, 14, 17, 19,
		20, 20, 19, 17, 15, 13, 11, 9, 7, 6, 5, 4, 3, 2, 2, 1, 1, 1,
		1 };
	uint32_t	 spin = (uint32_t)(r >> 40) % 237, i = 0;
	int64_t		 base;

	while (spin >= weight[i] && i < 27)
		spin -= weight[i++];
	base = INT64_C(160000) << (i / 2);
	return i % 2 == 1 ? base * 181 / 128 : base;
}

void
requests_next(struct request_stream *s, struct request *out)
{
	uint64_t	 r = next(&s->state), q = next(&s->state);
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
	base = draw_amount((r >> 20) % 50 == 0 ? r : mixed(out->account + 1));
	out->amount_sat = base / 2 + (int64_t)(q >> 32) % base;
	out->network = (uint32_t)(out->account / 8 % s->n_networks);
}

static void
write_one(FILE *f, const struct request *r)
{
	unsigned char	 rec[32] = { 0 };
	double		 t = (double)r->t_ms;
	double		 amount = (double)r->amount_sat;

	memcpy(rec, &t, 8);
	memcpy(rec + 8, &r->account, 4);
	memcpy(rec + 12, &r->destination, 4);
	memcpy(rec + 16, &amount, 8);
	memcpy(rec + 24, &r->network, 4);
	(void)fwrite(rec, sizeof(rec), 1, f);
}

enum rc
requests_write(const char *path, uint32_t n_accounts, uint32_t n,
    uint64_t seed, struct err *e)
{
	struct request_stream	 s;
	struct request		 r;
	uint32_t		 head[6] = { 0 }, i;
	double			 hot;
	FILE			*f;

	requests_start(&s, n_accounts, n, REQUESTS_DAYS, seed);
	if ((f = fopen(path, "wb")) == NULL)
		return err_set(e, "%s: %s", path, strerror(errno));
	head[0] = n_accounts;
	head[1] = s.n_destinations;
	head[2] = n;
	head[3] = s.n_networks;
	head[4] = s.per_day;
	hot = (double)s.hot_sat;
	(void)fwrite(head, sizeof(head), 1, f);
	(void)fwrite(&hot, sizeof(hot), 1, f);
	for (i = 0; i < n; i++) {
		requests_next(&s, &r);
		write_one(f, &r);
	}
	if (ferror(f) != 0 || fclose(f) != 0)
		return err_set(e, "%s: %s", path, strerror(errno));
	return RC_OK;
}
