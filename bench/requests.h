/*
 * One stream of withdrawals for every contestant of the engine's benchmark:
 * the engine itself, the Redis script and the Node program.
 *
 * Seeded and integer, so that each run and each machine judges the same
 * requests.  They are spread over the same number of days whatever the number
 * of accounts, so that every run meets a platform that has settled and has
 * learnt its normals; half of them come from a tenth of the accounts.  Each
 * account has its own usual amount, spread over four decades around 0.05 BTC,
 * and stays within an octave of it but for one payment in fifty; a third of
 * all go to an address that is new to it.
 */
#ifndef BENCH_REQUESTS_H
#define BENCH_REQUESTS_H

#include <stdint.h>

#include "lib/err.h"

#define REQUESTS_START_MS INT64_C(1556668800000)	/* 2019-05-01 */

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
	uint32_t	per_day;	/* requests, on average */
	int64_t		hot_sat;	/* six usual days; re-reported daily */
	int64_t		t_us;
	int64_t		step_us;
};

#define REQUESTS_DAYS	120	/* usually */

/* Of n requests in all, over so many days. */
void requests_start(struct request_stream *s, uint32_t n_accounts,
    uint32_t n, uint32_t days, uint64_t seed);
void requests_next(struct request_stream *s, struct request *out);

/*
 * The binary file that limits.js and the Redis driver read, little-endian:
 * u32 accounts, destinations, requests, networks, requests a day, 0, f64 hot
 * in sat; then for each f64 ms, u32 account, u32 destination, f64 sat,
 * u32 network, 0.
 */
enum rc requests_write(const char *path, uint32_t n_accounts, uint32_t n,
    uint64_t seed, struct err *e) MUST_CHECK;

#endif
