/*
 * drawbridge tune: the frontier between loss and friction, for an operator
 * to choose a point on it with open eyes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/tune.h"
#include "lib/term.h"

#define POINTS_UNSAID	24

static const char *const	friction_names[] = { "held", "value",
	"delayed", "code", "all" };

const char *
tune_friction_text(enum tune_friction f)
{
	return friction_names[f];
}

static enum rc
number(const char *what, const char *arg, int64_t max, int64_t *out,
    struct err *e)
{
	char	*end;

	*out = strtoll(arg, &end, 10);
	if (*arg == '\0' || *end != '\0' || *out < 0 || *out > max)
		return err_set(e, "%s: `%s` is not a number up to %" PRId64,
		    what, arg, max);
	return RC_OK;
}

static enum rc
take_friction(struct tuning *t, const char *arg, struct err *e)
{
	size_t	 i;

	for (i = 0; i < sizeof(friction_names) / sizeof(*friction_names);
	    i++) {
		if (strcmp(arg, friction_names[i]) == 0) {
			t->o.friction = (enum tune_friction)i;
			return RC_OK;
		}
	}
	return err_set(e, "--friction: held, value, delayed, code or all");
}

enum { OPT_POLICY = 1, OPT_LET, OPT_POINTS, OPT_SEARCH, OPT_FRICTION };

static enum rc
take_option(struct tuning *t, int option, const char *arg, struct err *e)
{
	int64_t	 n;

	if (option == OPT_POLICY) {
		if (t->path != NULL)
			return err_set(e, "one policy at a time");
		t->path = arg;
		return RC_OK;
	}
	if (option == OPT_LET) {
		if (t->n_knobs == KNOBS_MAX)
			return err_set(e, "more than %d --let", KNOBS_MAX);
		t->lets[t->n_knobs++] = arg;
		return RC_OK;
	}
	if (option == OPT_FRICTION)
		return take_friction(t, arg, e);
	if (option == OPT_POINTS) {
		if (number("--points", arg, TUNE_POINTS_MAX / 2, &n, e) !=
		    RC_OK)
			return RC_FAILED;
		t->o.points = n > 0 ? (int)n : 1;
		return RC_OK;
	}
	if (option == OPT_SEARCH) {
		if (number("--search-seed", arg, INT64_MAX, &n, e) != RC_OK)
			return RC_FAILED;
		t->o.seed = (uint64_t)n;
		return RC_OK;
	}
	return scenes_option(&t->scenes, option, arg, e);
}

static enum rc
take_options(struct tuning *t, int argc, char **argv, struct err *e)
{
	static const struct option	 options[] = {
		{ "policy", required_argument, NULL, OPT_POLICY },
		{ "let", required_argument, NULL, OPT_LET },
		{ "points", required_argument, NULL, OPT_POINTS },
		{ "search-seed", required_argument, NULL, OPT_SEARCH },
		{ "friction", required_argument, NULL, OPT_FRICTION },
		SCENES_LONG_OPTIONS,
		{ NULL, 0, NULL, 0 },
	};
	int				 c;

	*e->text = '\0';
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (c == '?' || take_option(t, c, optarg, e) != RC_OK)
			return RC_FAILED;
	if (optind < argc)
		return err_set(e, "`%s` is not wanted here", argv[optind]);
	if (t->path == NULL || t->n_knobs == 0)
		return err_set(e, "a --policy and a --let are needed");
	if (t->scenes.honest)
		return err_set(e, "without attacks there is no frontier");
	if (t->scenes.n_reviewers > 1)
		return err_set(e, "one reviewer at a time");
	return RC_OK;
}

static void
said(void *ctx, int n)
{
	progress_at(ctx, (uint64_t)n);
}

static enum rc
run(struct tuning *t, struct err *e)
{
	struct progress	 progress;
	size_t		 n_scenes;
	int		 i;
	enum rc		 rc;

	if (t->scenes.n_reviewers == 0 && scenes_option(&t->scenes,
	    SCENES_REVIEWER, "none", e) != RC_OK)
		return RC_FAILED;
	t->o.reviewer = t->scenes.reviewers[0];
	if (scenes_finish(&t->scenes, e) != RC_OK ||
	    policy_load(&t->policy, t->path, stderr, e) != RC_OK)
		return RC_FAILED;
	for (i = 0; i < t->n_knobs; i++)
		if (knob_parse(&t->knobs[i], t->policy, t->lets[i], e) !=
		    RC_OK)
			return RC_FAILED;
	if (suite_new(&t->suite, &t->scenes.suite, e) != RC_OK)
		return RC_FAILED;
	n_scenes = (size_t)t->scenes.suite.n_sizes *
	    (size_t)t->scenes.suite.n_seeds;
	progress_begin(&progress, "points", 0);
	rc = tune_run(&t->found, t->suite, t->policy, t->knobs, t->n_knobs,
	    t->scenes.suite.n_kinds, n_scenes, &t->o, said, &progress, e);
	progress_end(&progress);
	if (rc != RC_OK)
		return rc;
	if (t->scenes.json)
		return tune_json(t, e);
	tune_text(t);
	return RC_OK;
}

int
cmd_tune(int argc, char **argv)
{
	struct tuning	*t = calloc(1, sizeof(*t));
	struct err	 e;
	int		 status = STATUS_DONE;

	if (t == NULL)
		return STATUS_FAILED;
	scenes_default(&t->scenes);
	t->o.points = POINTS_UNSAID;
	t->o.seed = 1;
	if (take_options(t, argc, argv, &e) != RC_OK) {
		if (*e.text != '\0')
			(void)fprintf(stderr, "drawbridge tune: %s\n",
			    e.text);
		status = usage("tune");
	} else if (run(t, &e) != RC_OK) {
		(void)fprintf(stderr, "drawbridge tune: %s\n", e.text);
		status = STATUS_FAILED;
	}
	tune_free(&t->found);
	suite_free(&t->suite);
	policy_free(&t->policy);
	scenes_free(&t->scenes);
	free(t);
	return status;
}
