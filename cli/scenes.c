#include "cli/scenes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/amount.h"
#include "sim/simulate.h"

void
scenes_default(struct scenes *s)
{
	memset(s, 0, sizeof(*s));
	s->suite.sizes[0] = "small";
	s->suite.n_sizes = 1;
	s->suite.first_seed = 1;
	s->suite.n_seeds = 1;
	s->suite.jobs = 2;
}

void
scenes_free(struct scenes *s)
{
	free(s->lists[0]);
	free(s->lists[1]);
	memset(s, 0, sizeof(*s));
}

/* Cut "a,b,c" into its parts; `copy` owns them. */
static enum rc
cut(const char *arg, char **copy, const char **parts, int max, int *n_out,
    struct err *e)
{
	char	*at, *save = NULL;
	int	 n = 0;

	free(*copy);
	if ((*copy = strdup(arg)) == NULL)
		return err_set(e, "out of memory");
	for (at = strtok_r(*copy, ",", &save); at != NULL;
	    at = strtok_r(NULL, ",", &save)) {
		if (n == max)
			return err_set(e, "more than %d in `%s`", max, arg);
		parts[n++] = at;
	}
	if (n == 0)
		return err_set(e, "nothing in `%s`", arg);
	*n_out = n;
	return RC_OK;
}

static enum rc
number(const char *what, const char *arg, int64_t min, int64_t max,
    int64_t *out, struct err *e)
{
	char	*end;

	errno = 0;
	*out = strtoll(arg, &end, 10);
	if (*arg == '\0' || *end != '\0' || errno != 0 || *out < min ||
	    *out > max)
		return err_set(e, "%s: `%s` is not a number from %" PRId64
		    " to %" PRId64, what, arg, min, max);
	return RC_OK;
}

/* "12.5%" or "12.5": at most four decimals. */
static enum rc
percent(const char *arg, int64_t *ppm_out, struct err *e)
{
	int64_t		 ppm = 0;
	const char	*p = arg;
	int		 decimals = -1;

	for (; (*p >= '0' && *p <= '9') || *p == '.'; p++) {
		if (*p == '.' && decimals < 0) {
			decimals = 0;
			continue;
		}
		if (*p == '.' || ppm > 100000000 ||
		    (decimals >= 0 && decimals++ == 4))
			break;
		ppm = ppm * 10 + (*p - '0');
	}
	for (decimals = decimals < 0 ? 0 : decimals; decimals < 4; decimals++)
		ppm *= 10;
	if (p == arg || ppm > 1000000 || (*p != '\0' && strcmp(p, "%") != 0))
		return err_set(e, "--owners: `%s` is not a percentage", arg);
	*ppm_out = ppm;
	return RC_OK;
}

static enum rc
reviewer(struct scenes *s, const char *arg, struct err *e)
{
	if (s->n_reviewers == SCENES_REVIEWERS_MAX)
		return err_set(e, "more than %d reviewers",
		    SCENES_REVIEWERS_MAX);
	s->reviewer_texts[s->n_reviewers] = arg;
	return replay_reviewer_parse(&s->reviewers[s->n_reviewers++], arg,
	    e);
}

static enum rc
numeric_option(struct scenes *s, int option, const char *arg, struct err *e)
{
	struct suite_options	*o = &s->suite;
	int64_t			 n = 0;
	enum rc			 rc = RC_OK;

	if (option == SCENES_SEEDS) {
		rc = number("--seeds", arg, 1, 1000, &n, e);
		o->n_seeds = (int)n;
	} else if (option == SCENES_SEED) {
		rc = number("--seed", arg, 0, INT64_MAX / 2, &o->first_seed,
		    e);
	} else if (option == SCENES_DAYS) {
		rc = number("--days", arg, 1, 3650, &o->days, e);
	} else if (option == SCENES_SETTLE) {
		rc = number("--settle", arg, 0, 3650, &o->settle_days, e);
	} else if (option == SCENES_WARMUP) {
		rc = number("--warmup", arg, 0, 3650, &o->warmup_days, e);
	} else if (option == SCENES_HISTORY) {
		rc = number("--history", arg, 0, 3650, &o->history_days, e);
	} else {
		rc = number("--jobs", arg, 1, 64, &n, e);
		o->jobs = (int)n;
	}
	return rc;
}

enum rc
scenes_option(struct scenes *s, int option, const char *arg, struct err *e)
{
	struct suite_options	*o = &s->suite;

	if (option == SCENES_SIZES)
		return cut(arg, &s->lists[0], o->sizes, SUITE_SIZES_MAX,
		    &o->n_sizes, e);
	if (option == SCENES_KINDS)
		return cut(arg, &s->lists[1], o->kinds, SUITE_KINDS_MAX,
		    &o->n_kinds, e);
	if (option == SCENES_OWNERS)
		return percent(arg, &o->owners_ppm, e);
	if (option == SCENES_REVIEWER)
		return reviewer(s, arg, e);
	if (option == SCENES_SET && o->n_sets == SUITE_SETS_MAX)
		return err_set(e, "more than %d --set", SUITE_SETS_MAX);
	if (option == SCENES_SET) {
		o->sets[o->n_sets++] = arg;
		return RC_OK;
	}
	if (option == SCENES_HONEST)
		s->honest = true;
	else if (option == SCENES_JSON)
		s->json = true;
	else
		return numeric_option(s, option, arg, e);
	return RC_OK;
}

enum rc
scenes_finish(struct scenes *s, struct err *e)
{
	const struct attack_kind	*all;
	size_t				 n, i;

	if (s->honest && s->suite.n_kinds > 0)
		return err_set(e, "--honest and --kinds exclude each other");
	if (s->honest || s->suite.n_kinds > 0)
		return RC_OK;
	all = attack_kinds(&n);
	for (i = 0; i < n && i < SUITE_KINDS_MAX; i++)
		s->suite.kinds[s->suite.n_kinds++] = all[i].name;
	return RC_OK;
}

char *
scenes_percent(char buf[SCENES_TEXT_MAX], int64_t ppm)
{
	if (ppm < 0)
		(void)snprintf(buf, SCENES_TEXT_MAX, "-");
	else if (ppm < 10000)
		(void)snprintf(buf, SCENES_TEXT_MAX, "%" PRId64 ".%03" PRId64
		    " %%", ppm / 10000, ppm % 10000 / 10);
	else if (ppm < 100000)
		(void)snprintf(buf, SCENES_TEXT_MAX, "%" PRId64 ".%02" PRId64
		    " %%", ppm / 10000, ppm % 10000 / 100);
	else
		(void)snprintf(buf, SCENES_TEXT_MAX, "%" PRId64 ".%" PRId64
		    " %%", ppm / 10000, ppm % 10000 / 1000);
	return buf;
}

int64_t
scenes_share(int64_t part, int64_t whole)
{
	return whole == 0 ? 0 : muldiv(part, 1000000, whole);
}
