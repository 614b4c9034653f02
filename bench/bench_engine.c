/*
 * bench_engine: decisions a second in process, with the shipped policy, and
 * the stream of requests for the baselines.
 *
 *	bench_engine run POLICY ACCOUNTS REQUESTS	one line of JSON
 *	bench_engine write FILE ACCOUNTS REQUESTS	requests for the others
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/requests.h"
#include "engine/engine.h"
#include "lib/civil.h"
#include "policy/program.h"

#define BATCH	4096

struct tally {
	uint64_t	by_state[16];
};

static void
count(void *ctx, const struct outcome *o)
{
	struct tally	*t = ctx;

	if (o->type == OUTCOME_DECIDED)
		t->by_state[o->state]++;
}

static double
now_s(void)
{
	struct timespec	 ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void
die(const struct err *e)
{
	fprintf(stderr, "bench_engine: %s\n", e->text);
	exit(1);
}

static struct ident
ident_number(const struct engine_config *c, char kind, uint32_t n)
{
	unsigned char	 b[5] = { (unsigned char)kind, (unsigned char)n,
		(unsigned char)(n >> 8), (unsigned char)(n >> 16),
		(unsigned char)(n >> 24) };

	return ident_of(&c->ids, b, sizeof(b));
}

static void
open_accounts(struct engine *e, const struct engine_config *c, uint32_t n,
    const struct engine_sink *sink)
{
	struct input	 in;
	uint32_t	 i;

	for (i = 0; i < n; i++) {
		memset(&in, 0, sizeof(in));
		in.type = INPUT_ACCOUNT;
		in.t_ms = INT64_C(1500000000000) + i;
		in.account = ident_number(c, 'a', i);
		in.limit_sat = INT64_C(10000000000);
		in.tier = -1;
		engine_apply(e, &in, sink);
	}
	memset(&in, 0, sizeof(in));
	in.t_ms = INT64_C(1556668800000);
	in.type = INPUT_HOT_BALANCE;
	in.amount_sat = INT64_C(1000000000000);
	engine_apply(e, &in, sink);
	in.type = INPUT_FUND;
	in.amount_sat = INT64_C(100000000000);
	engine_apply(e, &in, sink);
}

static void
fill(struct input *in, const struct request *r, const struct engine_config *c,
    uint32_t n)
{
	memset(in, 0, sizeof(*in));
	in->type = INPUT_WITHDRAW;
	in->t_ms = r->t_ms;
	in->account = ident_number(c, 'a', r->account);
	in->script = ident_number(c, 's', r->destination);
	in->id = ident_number(c, 'w', n);
	in->amount_sat = r->amount_sat;
	in->via = VIA_WEB;
	in->form = FORM_P2WPKH;
	in->code = TRI_YES;
	in->has_ip = true;
	in->ip[10] = in->ip[11] = 0xff;
	in->ip[12] = 10;
	memcpy(in->ip + 13, &r->network, 3);
}

/* Only apply() is timed; making the inputs is the reader's work. */
static double
timed_run(struct engine *e, const struct engine_config *c, uint32_t accounts,
    uint32_t n, const struct engine_sink *sink)
{
	static struct input	 batch[BATCH];
	struct request_stream	 s;
	struct request		 r;
	double			 spent = 0, t0;
	uint32_t		 done, k, i;

	requests_start(&s, accounts, 1);
	for (done = 0; done < n; done += k) {
		k = n - done < BATCH ? n - done : BATCH;
		for (i = 0; i < k; i++) {
			requests_next(&s, &r);
			fill(&batch[i], &r, c, done + i);
		}
		t0 = now_s();
		for (i = 0; i < k; i++)
			engine_apply(e, &batch[i], sink);
		/* The first tenth warms the tables and is not counted. */
		if (done >= n / 10)
			spent += now_s() - t0;
	}
	return spent;
}

static void
run(const char *path, uint32_t accounts, uint32_t n)
{
	struct engine_config	 c;
	struct engine_usage	 u;
	struct engine		*e = NULL;
	struct program		*p = NULL;
	struct policy		*pol = NULL;
	struct tally		 tally;
	struct engine_sink	 sink = { count, &tally };
	struct err		 err;
	double			 s;

	memset(&c, 0, sizeof(c));
	memset(&tally, 0, sizeof(tally));
	c.accounts = accounts;
	c.withdrawals = n + 1;
	c.pairs = (size_t)n + 1;
	c.destinations = (size_t)accounts * 2 + 1;
	c.waiting = n + 1;
	c.receipt_at_release = true;
	memset(c.ids.bytes, 7, sizeof(c.ids.bytes));
	if (policy_load(&pol, path, stderr, &err) != RC_OK ||
	    program_new(&p, pol, &err) != RC_OK ||
	    engine_new(&e, p, &c, &err) != RC_OK)
		die(&err);
	open_accounts(e, &c, accounts, &sink);
	s = timed_run(e, &c, accounts, n, &sink);
	engine_usage(e, &u);
	printf("{\"accounts\":%" PRIu32 ",\"requests\":%" PRIu32 ","
	    "\"decisions_per_second\":%.0f,\"ns\":%.0f,"
	    "\"released\":%" PRIu64 ",\"waiting\":%" PRIu64 ","
	    "\"held\":%" PRIu64 ",\"denied\":%" PRIu64 ","
	    "\"bytes_account\":%zu}\n", accounts, n, (double)n * 0.9 / s,
	    s * 1e9 / ((double)n * 0.9), tally.by_state[STATE_RELEASED],
	    tally.by_state[STATE_WAITING], tally.by_state[STATE_HELD],
	    tally.by_state[STATE_DENIED], u.bytes_account + u.bytes_pair);
	engine_free(&e);
	program_free(&p);
	policy_free(&pol);
}

int
main(int argc, char **argv)
{
	struct err	 err;

	if (argc == 5 && strcmp(argv[1], "run") == 0) {
		run(argv[2], (uint32_t)strtoul(argv[3], NULL, 10),
		    (uint32_t)strtoul(argv[4], NULL, 10));
		return 0;
	}
	if (argc == 5 && strcmp(argv[1], "write") == 0) {
		if (requests_write(argv[2],
		    (uint32_t)strtoul(argv[3], NULL, 10),
		    (uint32_t)strtoul(argv[4], NULL, 10), 1, &err) != RC_OK)
			die(&err);
		return 0;
	}
	fprintf(stderr, "usage: bench_engine run POLICY ACCOUNTS REQUESTS\n"
	    "       bench_engine write FILE ACCOUNTS REQUESTS\n");
	return 2;
}
