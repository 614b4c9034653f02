/*
 * bench_journal: what durability costs.
 *
 *	bench_journal append plain|sqlite DIR BYTES ROWS
 *		rows of BYTES bytes, one after the other, each durable
 *	bench_journal decide DIR POLICY ACCOUNTS REQUESTS BATCH DAYS
 *		withdrawals through the engine and its journal
 *	bench_journal start DB yes|no
 *		the engine made again, with or without snapshots
 *
 * Each prints one line of JSON.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "bench/requests.h"
#include "db/db.h"
#include "engine/journal.h"
#include "lib/civil.h"

static void
die(const char *what)
{
	(void)fprintf(stderr, "bench_journal: %s\n", what);
	exit(1);
}

static int64_t
now_ns(void)
{
	struct timespec	 t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Latencies */

struct samples {
	int64_t		*ns;
	size_t		 n, room;
};

static void
sample(struct samples *s, int64_t ns)
{
	if (s->n == s->room) {
		s->room = s->room * 2 + 4096;
		if ((s->ns = realloc(s->ns, s->room * sizeof(*s->ns))) ==
		    NULL)
			die("out of memory");
	}
	s->ns[s->n++] = ns;
}

static int
by_size(const void *a, const void *b)
{
	int64_t	 x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

static double
at_us(const struct samples *s, double share)
{
	size_t	 i = (size_t)((double)s->n * share);

	return s->n == 0 ? 0 : (double)s->ns[i < s->n ? i : s->n - 1] / 1e3;
}

static void
print_samples(struct samples *s)
{
	qsort(s->ns, s->n, sizeof(*s->ns), by_size);
	(void)printf("\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,"
	    "\"max_us\":%.1f", at_us(s, 0.5), at_us(s, 0.99),
	    at_us(s, 0.999), at_us(s, 1));
}

/* append */

static unsigned char *
noise(size_t len)
{
	unsigned char	*p = malloc(len);
	uint64_t	 x = 88172645463325252;
	size_t		 i;

	if (p == NULL)
		die("out of memory");
	for (i = 0; i < len; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		p[i] = (unsigned char)x;
	}
	return p;
}

static void
append_plain(const char *dir, const unsigned char *row, size_t len,
    uint64_t rows, struct samples *s)
{
	char		 path[4096];
	uint64_t	 i;
	int64_t		 start_ns;
	int		 fd;

	(void)snprintf(path, sizeof(path), "%s/plain", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1)
		die(strerror(errno));
	for (i = 0; i < rows; i++) {
		start_ns = now_ns();
		if (write(fd, row, len) != (ssize_t)len ||
		    fdatasync(fd) != 0)
			die(strerror(errno));
		sample(s, now_ns() - start_ns);
	}
	(void)close(fd);
}

static void
append_sqlite(const char *dir, const unsigned char *row, size_t len,
    uint64_t rows, struct samples *s)
{
	struct db	*db = NULL;
	struct err	 e;
	char		 path[4096];
	uint64_t	 i;
	int64_t		 start_ns;

	(void)snprintf(path, sizeof(path), "%s/append.db", dir);
	if (db_open(&db, path, DB_CREATE, &e) != RC_OK)
		die(e.text);
	for (i = 0; i < rows; i++) {
		start_ns = now_ns();
		if (db_append(db, i * 100 + 1, row, len, &e) != RC_OK)
			die(e.text);
		sample(s, now_ns() - start_ns);
	}
	db_close(&db);
}

static void
append(const char *who, const char *dir, size_t len, uint64_t rows)
{
	unsigned char	*row = noise(len);
	struct samples	 s = { NULL, 0, 0 };
	int64_t		 start_ns = now_ns();

	if (strcmp(who, "plain") == 0)
		append_plain(dir, row, len, rows, &s);
	else
		append_sqlite(dir, row, len, rows, &s);
	(void)printf("{\"rows_per_second\":%.1f,", (double)rows * 1e9 /
	    (double)(now_ns() - start_ns));
	print_samples(&s);
	(void)printf("}\n");
	free(row);
	free(s.ns);
}

/* decide */

struct run {
	struct journal	*j;
	uint32_t	 batch;
	uint32_t	 in_batch;
	struct samples	 latency;	/* from the commit until durable */
	/* One row at a time is under way; its last event and its start. */
	_Atomic uint64_t asked_seq;
	_Atomic int64_t	 asked_ns;
	uint64_t	 rows;
};

static void
durable(void *ctx, uint64_t seq)
{
	struct run	*r = ctx;

	(void)seq;
	sample(&r->latency, now_ns() - atomic_load(&r->asked_ns));
	r->rows++;
}

static void
ignore(void *ctx, const struct outcome *o)
{
	(void)ctx;
	(void)o;
}

static void
take_one(struct run *r, const struct command *c)
{
	const struct engine_sink sink = { ignore, NULL };
	struct err	 e;
	uint64_t	 seq;

	if (journal_take(r->j, c, &sink, &seq, &e) != RC_OK)
		die(e.text);
	if (++r->in_batch < r->batch)
		return;
	r->in_batch = 0;
	/* So that the wait for the row before is not counted as this one's. */
	if (journal_commit(r->j, &e) != RC_OK)
		die(e.text);
	atomic_store(&r->asked_ns, now_ns());
}

static struct text
name(char *buf, size_t room, const char *format, uint32_t n)
{
	struct text	 t = { buf, 0 };

	t.len = (size_t)snprintf(buf, room, format, n);
	return t;
}

static void
open_accounts(struct run *r, uint32_t n)
{
	struct command	 c;
	char		 account[32];
	uint32_t	 i;

	for (i = 0; i < n; i++) {
		command_clear(&c, COMMAND_ACCOUNT,
		    INT64_C(1500000000000) + i);
		c.account = name(account, sizeof(account), "u%08u", i);
		c.limit_sat = INT64_C(10000000000);
		take_one(r, &c);
	}
}

static void
report(struct run *r, int64_t t_ms, int64_t hot_sat)
{
	struct command	 c;

	command_clear(&c, COMMAND_HOT_BALANCE, t_ms);
	c.amount_sat = hot_sat;
	take_one(r, &c);
	command_clear(&c, COMMAND_FUND, t_ms);
	c.amount_sat = hot_sat / 10;
	take_one(r, &c);
}

static void
withdraw(struct run *r, const struct request *q, uint32_t n)
{
	struct command	 c;
	char		 account[32], id[32];
	unsigned char	 script[22] = { 0x00, 0x14 };

	command_clear(&c, COMMAND_WITHDRAW, q->t_ms);
	c.account = name(account, sizeof(account), "u%08u", q->account);
	c.id = name(id, sizeof(id), "w%010u", n);
	memcpy(script + 2, &q->destination, 4);
	c.script.p = (const char *)script;
	c.script.len = sizeof(script);
	c.amount_sat = q->amount_sat;
	c.via = VIA_WEB;
	c.code = TRI_YES;
	c.has_ip = true;
	c.ip[10] = c.ip[11] = 0xff;
	c.ip[12] = 10;
	memcpy(c.ip + 13, &q->network, 3);
	take_one(r, &c);
}

static void
requests(struct run *r, uint32_t accounts, uint32_t n, uint32_t days)
{
	struct request_stream	 s;
	struct request		 q;
	uint32_t		 i;
	int64_t			 day = 0;

	requests_start(&s, accounts, n, days, 1);
	for (i = 0; i < n; i++) {
		requests_next(&s, &q);
		if (q.t_ms / MS_PER_DAY > day) {
			day = q.t_ms / MS_PER_DAY;
			report(r, day * MS_PER_DAY, s.hot_sat);
		}
		withdraw(r, &q, i);
	}
}

static long
memory_mib(void)
{
	struct rusage	 u;

	(void)getrusage(RUSAGE_SELF, &u);
	return u.ru_maxrss / 1024;
}

static void
decide(const char *dir, const char *policy, uint32_t accounts, uint32_t n,
    uint32_t batch, uint32_t days)
{
	char			 path[4096];
	struct run		 r = { .batch = 1000 };
	struct journal_config	 cfg = { .url = path, .create = true,
	    .policy_path = policy, .t_ms = INT64_C(1500000000000),
	    .receipt_at_release = true, .durable = durable, .ctx = &r };
	struct err		 e;
	struct db_stats		 stats;
	int64_t			 start_ns, spent_ns, stop_ns;
	uint64_t		 before;

	(void)snprintf(path, sizeof(path), "%s/journal.db", dir);
	if (journal_open(&r.j, &cfg, &e) != RC_OK)
		die(e.text);
	open_accounts(&r, accounts);
	if (journal_flush(r.j, &e) != RC_OK)
		die(e.text);
	r.batch = batch;
	r.in_batch = 0;
	r.latency.n = 0;
	before = journal_state(r.j)->seq;
	start_ns = now_ns();
	requests(&r, accounts, n, days);
	if (journal_flush(r.j, &e) != RC_OK)
		die(e.text);
	spent_ns = now_ns() - start_ns;
	journal_stats(r.j, &stats);
	(void)printf("{\"events\":%" PRIu64 ",\"events_per_second\":%.0f,",
	    journal_state(r.j)->seq, (double)(journal_state(r.j)->seq -
	    before) * 1e9 / (double)spent_ns);
	print_samples(&r.latency);
	start_ns = now_ns();
	if (journal_close(&r.j, &e) != RC_OK)
		die(e.text);
	stop_ns = now_ns() - start_ns;
	(void)printf(",\"checkpoints\":%" PRIu64 ",\"log_bytes\":%" PRIu64
	    ",\"stop_s\":%.2f,\"memory_mib\":%ld}\n", stats.checkpoints,
	    stats.log_bytes, (double)stop_ns / 1e9, memory_mib());
	free(r.latency.ns);
}

/* start */

static void
start(const char *path, bool snapshots)
{
	struct rebuild_options	 o = { .snapshots = snapshots };
	struct rebuilt		 r;
	struct db		*db = NULL;
	struct keyring		*keys = NULL;
	struct err		 e;
	int64_t			 start_ns = now_ns();

	if (db_open(&db, path, DB_READ, &e) != RC_OK ||
	    keyring_open(&keys, db_keyring_path(db), false, &e) != RC_OK ||
	    rebuild(&r, db, keys, &o, &e) != RC_OK)
		die(e.text);
	(void)printf("{\"events\":%" PRIu64 ",\"applied\":%" PRIu64
	    ",\"seconds\":%.2f,\"memory_mib\":%ld}\n", r.seq,
	    r.seq - r.snapshot_seq, (double)(now_ns() - start_ns) / 1e9,
	    memory_mib());
	rebuilt_free(&r);
	keyring_free(&keys);
	db_close(&db);
}

static uint64_t
number(const char *text)
{
	return strtoull(text, NULL, 10);
}

int
main(int argc, char **argv)
{
	if (argc == 6 && strcmp(argv[1], "append") == 0) {
		append(argv[2], argv[3], (size_t)number(argv[4]),
		    number(argv[5]));
	} else if (argc == 8 && strcmp(argv[1], "decide") == 0) {
		decide(argv[2], argv[3], (uint32_t)number(argv[4]),
		    (uint32_t)number(argv[5]), (uint32_t)number(argv[6]),
		    (uint32_t)number(argv[7]));
	} else if (argc == 4 && strcmp(argv[1], "start") == 0) {
		start(argv[2], strcmp(argv[3], "yes") == 0);
	} else {
		(void)fputs("usage: bench_journal append plain|sqlite DIR "
		    "BYTES ROWS\n"
		    "       bench_journal decide DIR POLICY ACCOUNTS REQUESTS "
		    "BATCH DAYS\n"
		    "       bench_journal start DB yes|no\n", stderr);
		return 2;
	}
	return 0;
}
