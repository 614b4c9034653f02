/*
 * bench_redis: the Redis baseline.  Sends the requests of a file to
 * limits.lua through EVALSHA over a Unix socket, 64 in flight at a time
 * (Redis at its best: no round trip is waited for), one line of JSON.
 *
 *	bench_redis SOCKET limits.lua hash|keys REQUESTS.bin
 */
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DEPTH	64

static double
now_s(void)
{
	struct timespec	 ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void
die(const char *what)
{
	fprintf(stderr, "bench_redis: %s\n", what);
	exit(1);
}

static char *
slurp(const char *path, size_t *len_out)
{
	FILE	*f = fopen(path, "rb");
	char	*buf;
	long	 n;

	if (f == NULL || fseek(f, 0, SEEK_END) != 0 || (n = ftell(f)) < 0)
		die(path);
	rewind(f);
	if ((buf = malloc((size_t)n + 1)) == NULL ||
	    fread(buf, 1, (size_t)n, f) != (size_t)n)
		die(path);
	buf[n] = '\0';
	*len_out = (size_t)n;
	(void)fclose(f);
	return buf;
}

static void
send_one(redisContext *c, const char *sha, const char *variant,
    const char *file, uint32_t number)
{
	const char	*rec = file + 32 + (size_t)number * 32;
	uint32_t	 account, dest, net, daily;
	double		 t, amount, hot;

	memcpy(&t, rec, 8);
	memcpy(&account, rec + 8, 4);
	memcpy(&dest, rec + 12, 4);
	memcpy(&amount, rec + 16, 8);
	memcpy(&net, rec + 24, 4);
	memcpy(&daily, file + 16, 4);
	memcpy(&hot, file + 24, 8);
	if (redisAppendCommand(c, "EVALSHA %s 0 %s %.0f %u %u %.0f %u %u "
	    "%.0f %u", sha, variant, t, account, dest, amount, net, number,
	    hot, daily) != REDIS_OK)
		die(c->errstr);
}

static void
take_one(redisContext *c, uint64_t count[4])
{
	redisReply	*r = NULL;

	if (redisGetReply(c, (void **)&r) != REDIS_OK || r == NULL)
		die(c->errstr);
	if (r->type != REDIS_REPLY_INTEGER || r->integer < 0 ||
	    r->integer > 3)
		die(r->type == REDIS_REPLY_ERROR ? r->str : "odd reply");
	count[r->integer]++;
	freeReplyObject(r);
}

int
main(int argc, char **argv)
{
	redisContext	*c;
	redisReply	*r;
	uint64_t	 count[4] = { 0 };
	uint32_t	 n, i, flying = 0;
	char		*script, *file, sha[64];
	size_t		 len;
	double		 t0;

	if (argc != 5)
		die("usage: SOCKET limits.lua hash|keys REQUESTS.bin");
	if ((c = redisConnectUnix(argv[1])) == NULL || c->err != 0)
		die("cannot connect");
	script = slurp(argv[2], &len);
	r = redisCommand(c, "SCRIPT LOAD %b", script, len);
	if (r == NULL || r->type != REDIS_REPLY_STRING)
		die(r != NULL ? r->str : "no answer");
	(void)snprintf(sha, sizeof(sha), "%s", r->str);
	freeReplyObject(r);
	file = slurp(argv[4], &len);
	memcpy(&n, file + 8, 4);
	t0 = now_s();
	for (i = 0; i < n; i++) {
		send_one(c, sha, argv[3], file, i);
		if (++flying == DEPTH)
			for (; flying > DEPTH / 2; flying--)
				take_one(c, count);
	}
	for (; flying > 0; flying--)
		take_one(c, count);
	printf("{\"variant\":\"%s\",\"requests\":%" PRIu32 ","
	    "\"decisions_per_second\":%.0f,\"released\":%" PRIu64 ","
	    "\"delayed\":%" PRIu64 ",\"held\":%" PRIu64 ","
	    "\"denied\":%" PRIu64 "}\n", argv[3], n,
	    (double)n / (now_s() - t0), count[0], count[1], count[2],
	    count[3]);
	redisFree(c);
	free(script);
	free(file);
	return 0;
}
