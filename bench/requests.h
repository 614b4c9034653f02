/*
 * One stream of withdrawals for every contestant of the engine's benchmark:
 * the engine itself, the Redis script and the Node program.
 *
 * Seeded and integer, so that each run and each machine judges the same
 * requests.  Accounts ask about every twelve days (0.08 a day, so that the
 * simulated time between two requests shrinks as accounts grow), a tenth of
 * them far more often; two thirds go to an address the account has paid
 * before; amounts spread over four decades around 0.05 BTC.
 */
#ifndef BENCH_REQUESTS_H
#define BENCH_REQUESTS_H

#include <stdint.h>

#include "lib/err.h"

struct request {
	int64_t		t_ms;
	uint32_t	account;
	uint32_t	destination;
	int64_t		amount_sat;
	uint32_t	network;	/* a /24 */
};

struct request_stream {
	uint64_t	state;
	uint32_t	n_accounts;
	uint32_t	n_destinations;
	uint32_t	n_networks;
	int64_t		t_us;
	int64_t		step_us;
};

void requests_start(struct request_stream *s, uint32_t n_accounts,
    uint64_t seed);
void requests_next(struct request_stream *s, struct request *out);

/* The binary file that limits.js and the Redis driver read. */
enum rc requests_write(const char *path, uint32_t n_accounts, uint32_t n,
    uint64_t seed, struct err *e) MUST_CHECK;

#endif
