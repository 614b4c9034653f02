/*
 * drawbridge backtest: what another policy would have decided over the
 * journal.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/backtest.h"
#include "cli/commands.h"
#include "cli/day.h"
#include "cli/opened.h"
#include "lib/term.h"
#include "policy/ast.h"

struct options {
	const char	*policy;
	const char	*db;
	struct backtest_options o;
	bool		 json;
	bool		 quiet;
};

enum { OPT_POLICY = 256, OPT_DB, OPT_FROM, OPT_UNTIL, OPT_REVIEW, OPT_JSON,
	OPT_QUIET, OPT_HELP };

static const struct option	 names[] = {
	{ "policy", required_argument, NULL, OPT_POLICY },
	{ "db", required_argument, NULL, OPT_DB },
	{ "from", required_argument, NULL, OPT_FROM },
	{ "until", required_argument, NULL, OPT_UNTIL },
	{ "review", required_argument, NULL, OPT_REVIEW },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "quiet", no_argument, NULL, OPT_QUIET },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 }
};

static int
fail(const struct err *e)
{
	(void)fprintf(stderr, "drawbridge backtest: %s\n", e->text);
	return STATUS_FAILED;
}

static int64_t
now_ms(void)
{
	struct timespec	 t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
on_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct progress	*p = ctx;

	p->total = total;
	progress_at(p, done);
}

static int
print(const struct backtested *b, bool json)
{
	struct err	 e;

	if (!json) {
		backtest_text(b);
		return STATUS_DONE;
	}
	return backtest_json(b, &e) == RC_OK ? STATUS_DONE : fail(&e);
}

static int
run_on(const struct options *o, const struct program *program,
    struct opened *opened)
{
	char			 path[4096];
	struct backtested	 b = {
		.policy = o->policy,
		.url = opened_url(o->db, path, sizeof(path)),
		.program = program,
		.o = o->o,
	};
	struct backtest		*t = NULL;
	struct progress		 p;
	struct err		 e;
	int64_t			 start_ms = now_ms();
	enum rc			 rc;
	int			 status;

	b.o.program = program;
	if (!o->quiet) {
		progress_begin(&p, "deciding again", 0);
		b.o.progress = on_progress;
		b.o.ctx = &p;
	}
	rc = backtest_run(&t, opened->db, opened->keys, &b.o, &e);
	if (!o->quiet)
		progress_end(&p);
	if (rc != RC_OK)
		return fail(&e);
	b.t = t;
	b.elapsed_ms = now_ms() - start_ms;
	status = print(&b, o->json);
	backtest_free(&t);
	return status;
}

static int
run(const struct options *o)
{
	struct policy	*policy = NULL;
	struct program	*program = NULL;
	struct opened	 opened;
	struct err	 e;
	int		 status;

	if (policy_load(&policy, o->policy, stderr, &e) != RC_OK)
		return fail(&e);
	if (program_new(&program, policy, &e) != RC_OK) {
		policy_free(&policy);
		return fail(&e);
	}
	if (opened_new(&opened, o->db, true, &e) != RC_OK) {
		status = fail(&e);
	} else {
		status = run_on(o, program, &opened);
		opened_free(&opened);
	}
	program_free(&program);
	policy_free(&policy);
	return status;
}

static bool
take_moment(int64_t *ms, uint64_t *seq, const char *name)
{
	if (day_or_event(ms, seq, optarg))
		return true;
	(void)fprintf(stderr, "drawbridge backtest: --%s %s: want a day like "
	    "2026-01-31 or the number of an event\n", name, optarg);
	return false;
}

static bool
take_minutes(int64_t *ms)
{
	char	*end;
	long	 n;

	errno = 0;
	n = strtol(optarg, &end, 10);
	if (errno == 0 && end != optarg && *end == '\0' && n >= 0 &&
	    n <= 525600) {
		*ms = n * MS_PER_MIN;
		return true;
	}
	(void)fprintf(stderr, "drawbridge backtest: --review %s: want minutes "
	    "from 0 to 525600\n", optarg);
	return false;
}

/* False: not understood, and said so. */
static bool
take(struct options *o, int c)
{
	switch (c) {
	case OPT_POLICY:
		o->policy = optarg;
		return true;
	case OPT_DB:
		o->db = optarg;
		return true;
	case OPT_FROM:
		return take_moment(&o->o.from_ms, &o->o.from_seq, "from");
	case OPT_UNTIL:
		if (!take_moment(&o->o.until_ms, &o->o.until_seq, "until"))
			return false;
		/* A day is taken with all its hours. */
		if (o->o.until_ms != 0)
			o->o.until_ms += MS_PER_DAY;
		return true;
	case OPT_REVIEW:
		return take_minutes(&o->o.review_ms);
	case OPT_JSON:
		o->json = true;
		return true;
	case OPT_QUIET:
		o->quiet = true;
		return true;
	}
	return false;
}

int
cmd_backtest(int argc, char **argv)
{
	struct options	 o = { .o.review_ms = 60 * MS_PER_MIN };
	int		 c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (c == OPT_HELP)
			return help("backtest");
		if (!take(&o, c))
			return usage("backtest");
	}
	if (o.policy == NULL || optind != argc)
		return usage("backtest");
	return run(&o);
}
