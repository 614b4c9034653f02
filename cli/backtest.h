/*
 * What `drawbridge backtest` has found, and its two ways of showing it.
 */
#ifndef CLI_BACKTEST_H
#define CLI_BACKTEST_H

#include "lib/err.h"
#include "policy/program.h"
#include "sim/backtest.h"

struct backtested {
	const char	*policy;	/* as given */
	const char	*url;
	const struct program *program;
	struct backtest_options o;
	const struct backtest *t;
	int64_t		 elapsed_ms;
};

void backtest_text(const struct backtested *b);
enum rc backtest_json(const struct backtested *b, struct err *e) MUST_CHECK;

#endif
