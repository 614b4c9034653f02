/*
 * bench_state: how fast the engine's state is hashed, saved and loaded.
 *
 *	bench_state POLICY ACCOUNTS REQUESTS		one line of JSON
 *
 * Saved into nothing and loaded from memory: what a disk and a cipher take
 * stands beside it.
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

static void
ignore(void *ctx, const struct outcome *o)
{
	(void)ctx;
	(void)o;
}

static const struct engine_sink nowhere = { ignore, NULL };

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
	fprintf(stderr, "bench_state: %s\n", e->text);
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
fill(struct engine *e, const struct engine_config *c, uint32_t accounts,
    uint32_t n)
{
	struct request_stream s;
	struct request	 r;
	struct input	 in;
	uint32_t	 i;

	memset(&in, 0, sizeof(in));
	in.type = INPUT_ACCOUNT;
	in.limit_sat = INT64_C(10000000000);
	in.tier = -1;
	for (i = 0; i < accounts; i++) {
		in.t_ms = INT64_C(1500000000000) + i;
		in.account = ident_number(c, 'a', i);
		engine_apply(e, &in, &nowhere);
	}
	requests_start(&s, accounts, n, REQUESTS_DAYS, 1);
	in.type = INPUT_HOT_BALANCE;
	in.amount_sat = s.hot_sat;
	engine_apply(e, &in, &nowhere);
	in.type = INPUT_WITHDRAW;
	for (i = 0; i < n; i++) {
		requests_next(&s, &r);
		in.t_ms = r.t_ms;
		in.account = ident_number(c, 'a', r.account);
		in.script = ident_number(c, 's', r.destination);
		in.id = ident_number(c, 'w', i);
		in.amount_sat = r.amount_sat;
		in.code = TRI_YES;
		in.has_ip = true;
		in.ip[10] = in.ip[11] = 0xff;
		in.ip[12] = 10;
		memcpy(in.ip + 13, &r.network, 3);
		engine_apply(e, &in, &nowhere);
	}
}

struct tape {
	unsigned char	*bytes;		/* NULL: only counted */
	size_t		 len, at;
};

static enum rc
tape_write(void *ctx, const void *bytes, size_t len, struct err *e)
{
	struct tape	*t = ctx;

	(void)e;
	if (t->bytes != NULL)
		memcpy(t->bytes + t->len, bytes, len);
	t->len += len;
	return RC_OK;
}

static enum rc
tape_read(void *ctx, void *bytes, size_t len, struct err *e)
{
	struct tape	*t = ctx;

	if (len > t->len - t->at)
		return err_set(e, "the end");
	memcpy(bytes, t->bytes + t->at, len);
	t->at += len;
	return RC_OK;
}

struct timed {
	double		hash_s, save_s, load_s;
	size_t		bytes;
};

static void
measure(const struct engine *from, struct engine *to, struct timed *out)
{
	unsigned char	 hash[32], saved[32], loaded[32];
	struct tape	 t = { NULL, 0, 0 };
	struct err	 e;

	out->hash_s = -now_s();
	engine_state_hash(from, hash);
	out->hash_s += now_s();
	out->save_s = -now_s();
	if (engine_save(from, tape_write, &t, saved, &e) != RC_OK)
		die(&e);
	out->save_s += now_s();
	out->bytes = t.len;
	if ((t.bytes = malloc(t.len)) == NULL)
		exit(1);
	t.len = 0;
	if (engine_save(from, tape_write, &t, saved, &e) != RC_OK)
		die(&e);
	out->load_s = -now_s();
	if (engine_load(to, tape_read, &t, loaded, &e) != RC_OK)
		die(&e);
	out->load_s += now_s();
	if (memcmp(hash, saved, 32) != 0 || memcmp(hash, loaded, 32) != 0) {
		fprintf(stderr, "bench_state: the hashes differ\n");
		exit(1);
	}
	free(t.bytes);
}

static void
run(const char *path, uint32_t accounts, uint32_t n)
{
	struct engine_config c;
	struct engine	*e = NULL, *to = NULL;
	struct program	*p = NULL;
	struct policy	*pol = NULL;
	struct timed	 t;
	struct err	 err;

	memset(&c, 0, sizeof(c));
	c.accounts = accounts;
	c.receipt_at_release = true;
	c.waiting = n / 8 + 1000;
	c.withdrawals = n + 1;
	memset(c.ids.bytes, 7, sizeof(c.ids.bytes));
	if (policy_load(&pol, path, stderr, &err) != RC_OK ||
	    program_new(&p, pol, &err) != RC_OK ||
	    engine_new(&e, p, &c, &err) != RC_OK ||
	    engine_new(&to, p, &c, &err) != RC_OK)
		die(&err);
	fill(e, &c, accounts, n);
	measure(e, to, &t);
	printf("{\"accounts\":%" PRIu32 ",\"requests\":%" PRIu32 ","
	    "\"bytes\":%zu,\"hash_s\":%.3f,\"save_s\":%.3f,"
	    "\"load_s\":%.3f}\n", accounts, n, t.bytes, t.hash_s, t.save_s,
	    t.load_s);
	engine_free(&e);
	engine_free(&to);
	program_free(&p);
	policy_free(&pol);
}

int
main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: bench_state POLICY ACCOUNTS "
		    "REQUESTS\n");
		return 2;
	}
	run(argv[1], (uint32_t)strtoul(argv[2], NULL, 10),
	    (uint32_t)strtoul(argv[3], NULL, 10));
	return 0;
}
