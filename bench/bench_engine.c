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
/* As far ahead as `replay` asks for memory. */
#define AHEAD		9
#define AHEAD_RECORDS	6
#define AHEAD_PAIR	3

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

/* Seconds on the wall and of this thread. */
struct spent {
	double		wall_s;
	double		cpu_s;
};

static double
clock_s(clockid_t id)
{
	struct timespec	 ts;

	(void)clock_gettime(id, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void
add_time(struct spent *s, double sign)
{
	s->wall_s += sign * clock_s(CLOCK_MONOTONIC);
	s->cpu_s += sign * clock_s(CLOCK_THREAD_CPUTIME_ID);
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
}

/* The wallet is topped up every day. */
static void
report(struct engine *e, int64_t t_ms, int64_t hot_sat,
    const struct engine_sink *sink)
{
	struct input	 in;

	memset(&in, 0, sizeof(in));
	in.t_ms = t_ms;
	in.type = INPUT_HOT_BALANCE;
	in.amount_sat = hot_sat;
	engine_apply(e, &in, sink);
	in.type = INPUT_FUND;
	in.amount_sat = hot_sat / 10;
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

static void
apply_batch(struct engine *e, const struct input *batch, uint32_t k,
    const struct engine_sink *sink)
{
	uint32_t	 i;

	for (i = 0; i < k; i++) {
		if (i + AHEAD < k)
			engine_prefetch(e, &batch[i + AHEAD]);
		if (i + AHEAD_RECORDS < k)
			engine_prefetch_records(e, &batch[i + AHEAD_RECORDS]);
		if (i + AHEAD_PAIR < k)
			engine_prefetch_pair(e, &batch[i + AHEAD_PAIR]);
		engine_apply(e, &batch[i], sink);
	}
}

/* Only apply() is timed; making the inputs is the reader's work. */
static struct spent
timed_run(struct engine *e, const struct engine_config *c, uint32_t accounts,
    uint32_t n, const struct engine_sink *sink)
{
	static struct input	 batch[BATCH];
	struct spent		 spent = { 0, 0 };
	struct request_stream	 s;
	struct request		 r;
	uint32_t		 done, k;
	int64_t			 day = 0;

	requests_start(&s, accounts, n, REQUESTS_DAYS, 1);
	requests_next(&s, &r);
	for (done = 0; done < n; done += k) {
		if (r.t_ms / MS_PER_DAY > day) {
			day = r.t_ms / MS_PER_DAY;
			report(e, day * MS_PER_DAY, s.hot_sat, sink);
		}
		for (k = 0; k < BATCH && done + k < n &&
		    r.t_ms / MS_PER_DAY == day; k++) {
			fill(&batch[k], &r, c, done + k);
			requests_next(&s, &r);
		}
		/* The first tenth warms the tables and is not counted. */
		if (done >= n / 10)
			add_time(&spent, -1);
		apply_batch(e, batch, k, sink);
		if (done >= n / 10)
			add_time(&spent, 1);
	}
	return spent;
}

static void
print_result(const struct engine *e, uint32_t accounts, uint32_t n,
    struct spent s, const struct tally *t)
{
	struct engine_usage	 u;
	double			 timed = (double)n * 0.9;

	engine_usage(e, &u);
	printf("{\"accounts\":%" PRIu32 ",\"requests\":%" PRIu32 ","
	    "\"decisions_per_second\":%.0f,\"ns\":%.0f,\"cpu_ns\":%.0f,"
	    "\"released\":%" PRIu64 ",\"waiting\":%" PRIu64 ","
	    "\"held\":%" PRIu64 ",\"stopped\":%" PRIu64 ","
	    "\"denied\":%" PRIu64 ",\"bytes_account\":%zu}\n", accounts, n,
	    timed / s.wall_s, s.wall_s * 1e9 / timed, s.cpu_s * 1e9 / timed,
	    t->by_state[STATE_RELEASED], t->by_state[STATE_WAITING],
	    t->by_state[STATE_HELD], t->by_state[STATE_STOPPED],
	    t->by_state[STATE_DENIED], u.bytes_account + u.bytes_pair);
}

static void
run(const char *path, uint32_t accounts, uint32_t n)
{
	struct engine_config	 c;
	struct engine		*e = NULL;
	struct program		*p = NULL;
	struct policy		*pol = NULL;
	struct tally		 tally;
	struct engine_sink	 sink = { count, &tally };
	struct err		 err;
	struct spent		 s;

	memset(&c, 0, sizeof(c));
	memset(&tally, 0, sizeof(tally));
	c.accounts = accounts;
	c.withdrawals = n + 1;
	c.pairs = (size_t)n + 1;
	c.destinations = accounts < n / 2 ? (size_t)accounts * 2 + 1 : n + 1;
	c.networks = accounts < n ? accounts + 1 : n + 1;
	c.keys = c.groups = 1000;
	c.waiting = n / 8 + 1000;
	c.receipt_at_release = true;
	/* As a service would: what the kernel needs to clear memory that is
	 * new is no part of a decision. */
	c.populate = true;
	c.queued = true;
	memset(c.ids.bytes, 7, sizeof(c.ids.bytes));
	if (policy_load(&pol, path, stderr, &err) != RC_OK ||
	    program_new(&p, pol, &err) != RC_OK ||
	    engine_new(&e, p, &c, &err) != RC_OK)
		die(&err);
	open_accounts(e, &c, accounts, &sink);
	s = timed_run(e, &c, accounts, n, &sink);
	print_result(e, accounts, n, s, &tally);
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
