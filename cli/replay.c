/*
 * drawbridge replay: decide a scenario's withdrawals and score the policy.
 */
#include <errno.h>
#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/commands.h"
#include "db/keyring.h"
#include "lib/err.h"
#include "lib/term.h"
#include "policy/ast.h"
#include "policy/program.h"
#include "sim/replay.h"
#include "sim/report.h"

struct options {
	const char	*policy;
	const char	*scenario;
	const char	*history;
	const char	*decisions;
	struct replay_reviewer reviewer;
	const char	*keys;
	struct ident_key lots;
	bool		 lots_given;
	int64_t		from_ms;
	bool		json;
	bool		quiet;
	bool		help;
};

enum {
	OPT_POLICY = 256,
	OPT_REVIEWER,
	OPT_REPORT,
	OPT_JSON,
	OPT_DECISIONS,
	OPT_HISTORY,
	OPT_LOT_KEY,
	OPT_KEYS,
	OPT_FROM,
	OPT_PROGRESS,
	OPT_QUIET,
	OPT_HELP,
};

static const struct option longopts[] = {
	{ "policy", required_argument, NULL, OPT_POLICY },
	{ "reviewer", required_argument, NULL, OPT_REVIEWER },
	{ "report", required_argument, NULL, OPT_REPORT },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "decisions", required_argument, NULL, OPT_DECISIONS },
	{ "history", required_argument, NULL, OPT_HISTORY },
	{ "lot-key", required_argument, NULL, OPT_LOT_KEY },
	{ "keys", required_argument, NULL, OPT_KEYS },
	{ "from", required_argument, NULL, OPT_FROM },
	{ "progress", no_argument, NULL, OPT_PROGRESS },
	{ "quiet", no_argument, NULL, OPT_QUIET },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 }
};

static enum rc
lot_key(struct ident_key *out, const char *hex, struct err *e)
{
	size_t	 n = 0;

	if (strlen(hex) != 2 * sizeof(out->bytes) ||
	    sodium_hex2bin(out->bytes, sizeof(out->bytes), hex,
	    strlen(hex), NULL, &n, NULL) != 0 || n != sizeof(out->bytes))
		return err_set(e, "--lot-key: want %zu hex digits",
		    2 * sizeof(out->bytes));
	return RC_OK;
}

static enum rc
from(int64_t *out, const char *text, struct err *e)
{
	char	*end;

	errno = 0;
	*out = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || *out < 0)
		return err_set(e, "--from: want milliseconds since 1970");
	return RC_OK;
}

static enum rc
option(struct options *o, int c, struct err *e)
{
	switch (c) {
	case OPT_POLICY:
		o->policy = optarg;
		return RC_OK;
	case OPT_REVIEWER:
		return err_wrap(e, replay_reviewer_parse(&o->reviewer, optarg,
		    e), "--reviewer");
	case OPT_REPORT:
		o->json = strcmp(optarg, "json") == 0;
		if (!o->json && strcmp(optarg, "text") != 0)
			return err_set(e, "--report: want text or json");
		return RC_OK;
	case OPT_JSON:
		o->json = true;
		return RC_OK;
	case OPT_DECISIONS:
		o->decisions = optarg;
		return RC_OK;
	case OPT_HISTORY:
		o->history = optarg;
		return RC_OK;
	case OPT_KEYS:
		o->keys = optarg;
		return RC_OK;
	case OPT_LOT_KEY:
		o->lots_given = true;
		return lot_key(&o->lots, optarg, e);
	case OPT_FROM:
		return from(&o->from_ms, optarg, e);
	case OPT_PROGRESS:
		o->quiet = false;
		return RC_OK;
	case OPT_QUIET:
		o->quiet = true;
		return RC_OK;
	case OPT_HELP:
		o->help = true;
		return RC_OK;
	}
	/* getopt has said what is wrong. */
	return err_set(e, "%s", "");
}

static enum rc
options(struct options *o, int argc, char **argv, struct err *e)
{
	int	 c;

	memset(o, 0, sizeof(*o));
	o->lots = replay_lot_key();
	while ((c = getopt_long(argc, argv, "", longopts, NULL)) != -1) {
		if (option(o, c, e) != RC_OK)
			return RC_FAILED;
	}
	if (o->help)
		return RC_OK;
	if (o->policy == NULL)
		return err_set(e, "--policy: missing");
	if (o->keys != NULL && o->lots_given)
		return err_set(e, "--lot-key: the keyring has one already");
	if (argc - optind != 1)
		return err_set(e, argc == optind ? "no scenario" :
		    "more than one scenario");
	o->scenario = argv[optind];
	return RC_OK;
}

static int64_t
now_ms(void)
{
	struct timespec	 t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
on_progress(void *ctx, int permille, uint64_t events)
{
	struct progress	*p = ctx;

	progress_at(p, permille >= 0 ? (uint64_t)permille : events);
}

static enum rc
report(const struct options *o, const struct program *program,
    const struct score *score, int64_t elapsed_ms, struct err *e)
{
	struct report	 r = {
		.scenario = o->scenario,
		.policy = o->policy,
		.program = program,
		.score = score,
		.reviewer = o->reviewer,
		.elapsed_ms = elapsed_ms,
	};

	return o->json ? report_json(&r, stdout, e) :
	    report_text(&r, stdout, e);
}

static enum rc
play(const struct options *o, const struct program *program,
    const struct keyring *keys, struct err *e)
{
	struct replay_options	 ro = {
		.program = program,
		.reviewer = o->reviewer,
		.lots = o->lots,
		.from_ms = o->from_ms,
		.decisions = o->decisions,
	};
	struct replay		*r = NULL;
	const struct score	*score;
	struct progress		 p;
	int64_t			 start_ms = now_ms();
	enum rc			 rc;

	if (keys != NULL) {
		ro.ids = &keyring_secrets(keys)->ids;
		ro.lots = keyring_secrets(keys)->lots;
	}
	if (replay_new(&r, &ro, e) != RC_OK)
		return RC_FAILED;
	if (!o->quiet)
		progress_begin(&p, "replaying", 1000);
	rc = replay_file(r, o->scenario, o->history,
	    o->quiet ? NULL : on_progress, &p, e);
	if (!o->quiet)
		progress_end(&p);
	if (rc == RC_OK)
		rc = replay_finish(r, &score, e);
	if (rc == RC_OK)
		rc = report(o, program, score, now_ms() - start_ms, e);
	if (rc == RC_OK)
		rc = replay_keep_decisions(r, e);
	replay_free(&r);
	return rc;
}

int
cmd_replay(int argc, char **argv)
{
	struct options	 o;
	struct policy	*policy = NULL;
	struct program	*program = NULL;
	struct keyring	*keys = NULL;
	struct err	 e = { "" };
	enum rc		 rc;

	if (options(&o, argc, argv, &e) != RC_OK) {
		if (e.text[0] != '\0')
			(void)fprintf(stderr, "drawbridge replay: %s\n",
			    e.text);
		return usage("replay");
	}
	if (o.help)
		return help("replay");
	if (policy_load(&policy, o.policy, stderr, &e) != RC_OK)
		return STATUS_FAILED;
	rc = program_new(&program, policy, &e);
	if (rc == RC_OK && o.keys != NULL)
		rc = keyring_open(&keys, o.keys, false, &e);
	if (rc == RC_OK)
		rc = play(&o, program, keys, &e);
	keyring_free(&keys);
	program_free(&program);
	policy_free(&policy);
	if (rc != RC_OK) {
		(void)fprintf(stderr, "drawbridge replay: %s\n", e.text);
		return STATUS_FAILED;
	}
	return STATUS_DONE;
}
