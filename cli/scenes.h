/*
 * The options that `compare` and `tune` share: which scenes are played, and
 * who looks at what is held.
 */
#ifndef CLI_SCENES_H
#define CLI_SCENES_H

#include <getopt.h>
#include <stdbool.h>

#include "lib/err.h"
#include "sim/suite.h"

#define SCENES_REVIEWERS_MAX 4

struct scenes {
	struct suite_options suite;
	struct replay_reviewer reviewers[SCENES_REVIEWERS_MAX];
	const char	*reviewer_texts[SCENES_REVIEWERS_MAX];
	int		 n_reviewers;
	bool		 honest;	/* without attacks */
	bool		 json;
	char		*lists[2];	/* owned: sizes and kinds, cut up */
};

enum {
	SCENES_SIZES = 1000,
	SCENES_SEEDS,
	SCENES_SEED,
	SCENES_KINDS,
	SCENES_DAYS,
	SCENES_SETTLE,
	SCENES_WARMUP,
	SCENES_HISTORY,
	SCENES_SET,
	SCENES_OWNERS,
	SCENES_REVIEWER,
	SCENES_HONEST,
	SCENES_JOBS,
	SCENES_JSON,
};

#define SCENES_LONG_OPTIONS						\
	{ "sizes", required_argument, NULL, SCENES_SIZES },		\
	{ "seeds", required_argument, NULL, SCENES_SEEDS },		\
	{ "seed", required_argument, NULL, SCENES_SEED },		\
	{ "kinds", required_argument, NULL, SCENES_KINDS },		\
	{ "days", required_argument, NULL, SCENES_DAYS },		\
	{ "settle", required_argument, NULL, SCENES_SETTLE },		\
	{ "warmup", required_argument, NULL, SCENES_WARMUP },		\
	{ "history", required_argument, NULL, SCENES_HISTORY },		\
	{ "set", required_argument, NULL, SCENES_SET },			\
	{ "owners", required_argument, NULL, SCENES_OWNERS },		\
	{ "reviewer", required_argument, NULL, SCENES_REVIEWER },	\
	{ "honest", no_argument, NULL, SCENES_HONEST },			\
	{ "jobs", required_argument, NULL, SCENES_JOBS },		\
	{ "json", no_argument, NULL, SCENES_JSON }

/* Small, one seed, all kinds, two processes, nobody reviewing. */
void scenes_default(struct scenes *s);
void scenes_free(struct scenes *s);

/* Take one of the options above. */
enum rc scenes_option(struct scenes *s, int option, const char *arg,
    struct err *e) MUST_CHECK;

/* After the last option: all kinds when none was named. */
enum rc scenes_finish(struct scenes *s, struct err *e) MUST_CHECK;

/* "0.25 %" of millionths; "-" below 0.  Returns buf. */
#define SCENES_TEXT_MAX 32
char *scenes_percent(char buf[SCENES_TEXT_MAX], int64_t ppm);

/* part / whole in millionths; 0 when there is no whole. */
int64_t scenes_share(int64_t part, int64_t whole);

#endif
