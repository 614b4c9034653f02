/*
 * drawbridge compare: what thieves get and what honest customers pay, under
 * several policies side by side or under one in detail.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/compare.h"
#include "lib/term.h"

/* What is compared when no policy is named, from the top of the tree or
 * from where the package puts it. */
static const char *const shipped[] = {
	"default.policy",
	"policies/compare/none.policy",
	"policies/compare/daily-limit.policy",
	"policies/compare/rolling-account.policy",
	"policies/compare/wallet-velocity.policy",
	"policies/compare/allowlist.policy",
	"policies/compare/period-allowance.policy",
	"policies/compare/hour-and-day.policy",
	"policies/compare/fraud-rules.policy",
};
#define SHIPPED (sizeof(shipped) / sizeof(shipped[0]))
#define ROOT_DEFAULT "etc"

static enum rc
load(struct compared *c, const char *path, struct err *e)
{
	const char	*base = strrchr(path, '/');
	size_t		 len;

	base = base != NULL ? base + 1 : path;
	len = strlen(base);
	if (len > 7 && strcmp(base + len - 7, ".policy") == 0)
		len -= 7;
	(void)snprintf(c->path, sizeof(c->path), "%s", path);
	(void)snprintf(c->name, sizeof(c->name), "%.*s", (int)len, base);
	if (policy_load(&c->policy, path, stderr, e) != RC_OK)
		return RC_FAILED;
	return program_new(&c->program, c->policy, e);
}

static void
unload(struct compared *c)
{
	int	 i;

	program_free(&c->program);
	policy_free(&c->policy);
	for (i = 0; i < SCENES_REVIEWERS_MAX; i++)
		free(c->results[i]);
}

static void
on_result(void *ctx, size_t n)
{
	struct compare	*cmp = ctx;

	progress_at(&cmp->progress, cmp->done + n);
}

static enum rc
play(struct compare *cmp, struct compared *c, struct err *e)
{
	int	 i;

	for (i = 0; i < cmp->scenes.n_reviewers; i++) {
		c->results[i] = calloc(cmp->n_results,
		    sizeof(*c->results[i]));
		if (c->results[i] == NULL)
			return err_set(e, "out of memory");
		if (suite_run(cmp->suite, c->program,
		    &cmp->scenes.reviewers[i], c->results[i], on_result, cmp,
		    e) != RC_OK)
			return err_wrap(e, RC_FAILED, "%s", c->path);
		cmp->done += cmp->n_results;
	}
	return RC_OK;
}

static enum rc
take_options(struct compare *cmp, int argc, char **argv, struct err *e)
{
	static const struct option	 options[] = {
		{ "policy", required_argument, NULL, 'p' },
		SCENES_LONG_OPTIONS,
		{ NULL, 0, NULL, 0 },
	};
	int				 c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'p' && cmp->n_policies < COMPARE_POLICIES_MAX) {
			cmp->paths[cmp->n_policies++] = optarg;
		} else if (c == 'p') {
			return err_set(e, "more than %d policies",
			    COMPARE_POLICIES_MAX);
		} else if (c == '?') {
			return err_set(e, "%s", "");
		} else if (scenes_option(&cmp->scenes, c, optarg, e) !=
		    RC_OK) {
			return RC_FAILED;
		}
	}
	if (optind < argc)
		return err_set(e, "`%s` is not wanted here", argv[optind]);
	return RC_OK;
}

/* Nobody named one: ours and everybody else's. */
static void
name_shipped(struct compare *cmp)
{
	const char	*root = getenv("DRAWBRIDGE_ETC");
	size_t		 i;

	for (i = 0; i < SHIPPED; i++) {
		(void)snprintf(cmp->named[i], sizeof(cmp->named[i]), "%s/%s",
		    root != NULL ? root : ROOT_DEFAULT, shipped[i]);
		cmp->paths[cmp->n_policies++] = cmp->named[i];
	}
}

/* One policy is shown in detail, unreviewed and reviewed. */
static enum rc
choose_reviewers(struct compare *cmp, struct err *e)
{
	if (cmp->scenes.n_reviewers > 0)
		return RC_OK;
	if (scenes_option(&cmp->scenes, SCENES_REVIEWER, "none", e) != RC_OK)
		return RC_FAILED;
	if (cmp->n_policies > 1 || cmp->scenes.honest)
		return RC_OK;
	return scenes_option(&cmp->scenes, SCENES_REVIEWER, "oracle:30", e);
}

static enum rc
run(struct compare *cmp, struct err *e)
{
	int	 i;

	if (choose_reviewers(cmp, e) != RC_OK ||
	    scenes_finish(&cmp->scenes, e) != RC_OK)
		return RC_FAILED;
	for (i = 0; i < cmp->n_policies; i++)
		if (load(&cmp->policies[i], cmp->paths[i], e) != RC_OK)
			return RC_FAILED;
	if (suite_new(&cmp->suite, &cmp->scenes.suite, e) != RC_OK)
		return RC_FAILED;
	cmp->n_results = suite_count(cmp->suite);
	progress_begin(&cmp->progress, "scenarios", cmp->n_results *
	    (uint64_t)cmp->n_policies * (uint64_t)cmp->scenes.n_reviewers);
	for (i = 0; i < cmp->n_policies; i++)
		if (play(cmp, &cmp->policies[i], e) != RC_OK)
			break;
	progress_end(&cmp->progress);
	if (i < cmp->n_policies)
		return RC_FAILED;
	if (cmp->scenes.json)
		return compare_json(cmp, e);
	compare_text(cmp);
	return RC_OK;
}

int
cmd_compare(int argc, char **argv)
{
	struct compare	*cmp = calloc(1, sizeof(*cmp));
	struct err	 e;
	int		 i, status = STATUS_DONE;

	if (cmp == NULL)
		return STATUS_FAILED;
	scenes_default(&cmp->scenes);
	if (take_options(cmp, argc, argv, &e) != RC_OK) {
		if (*e.text != '\0')
			(void)fprintf(stderr, "drawbridge compare: %s\n",
			    e.text);
		status = usage("compare");
	} else {
		if (cmp->n_policies == 0)
			name_shipped(cmp);
		if (run(cmp, &e) != RC_OK) {
			(void)fprintf(stderr, "drawbridge compare: %s\n",
			    e.text);
			status = STATUS_FAILED;
		}
	}
	for (i = 0; i < cmp->n_policies; i++)
		unload(&cmp->policies[i]);
	suite_free(&cmp->suite);
	scenes_free(&cmp->scenes);
	free(cmp);
	return status;
}
