/*
 * drawbridge exposure: the promise as a number.  For a policy and a present
 * state (what a scenario leads to, or sizes given by hand): the most that
 * somebody with every customer's credentials can take in an hour, a day and
 * a week, and which rule bounds each part.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "engine/engine.h"
#include "engine/most.h"
#include "lib/amount.h"
#include "lib/civil.h"
#include "lib/json.h"
#include "lib/term.h"
#include "policy/program.h"
#include "sim/exposure.h"
#include "sim/replay.h"

#define HORIZONS	3
#define DAYS_MAX	36500

static const int64_t	 horizons_ms[HORIZONS] = { MS_PER_HOUR, MS_PER_DAY,
	MS_PER_WEEK };
static const char *const horizons[HORIZONS] = { "an hour", "a day", "a week" };

/* What is negative was not given. */
struct options {
	const char	*policy;
	const char	*scenario;
	int64_t		 hot_sat;
	int64_t		 fund_sat;
	int64_t		 accounts;
	int64_t		 days;		/* since the first withdrawal */
	bool		 json;
	bool		 quiet;
};

struct learned {
	const struct program	*program;
	const struct engine	*engine;
};

static int
fail(const struct err *e)
{
	(void)fprintf(stderr, "drawbridge exposure: %s\n", e->text);
	return STATUS_FAILED;
}

static int64_t
normal_most(void *ctx, const struct agg *agg, int64_t horizon_ms)
{
	const struct learned	*l = ctx;
	const struct agg	*a;
	int64_t			 n, most = -1;
	int			 i;

	for (i = 0; i < l->program->n_aggs; i++) {
		a = &l->program->aggs[i].def;
		if (!l->program->aggs[i].learn || a->what != agg->what ||
		    a->thing != agg->thing || a->stage != agg->stage ||
		    a->scope != agg->scope ||
		    a->window_ms != agg->window_ms || a->cls != agg->cls ||
		    a->cls_not != agg->cls_not)
			continue;
		n = most_normal(l->engine, i, horizon_ms);
		most = n > most ? n : most;
	}
	return most;
}

static int64_t
habits_most(void *ctx, bool unproven, int64_t horizon_ms)
{
	const struct learned	*l = ctx;

	return most_habits_sat(l->engine, unproven, horizon_ms);
}

/* For reading: a bound is rounded up, small ones to less. */
static const char *
rounded(char buf[AMOUNT_TEXT_MAX], int64_t sat)
{
	int64_t	 unit = sat >= 10 * SAT_PER_BTC ? SAT_PER_BTC / 100 :
	    SAT_PER_BTC / 10000;

	if (sat <= INT64_MAX - unit)
		sat = (sat + unit - 1) / unit * unit;
	return amount_format_short(buf, sat);
}

static void
print_part(const struct exposure_part *p)
{
	char	 amount[AMOUNT_TEXT_MAX];

	printf("    %13s  %s%s%s%s\n", rounded(amount, p->sat), p->rule,
	    p->where[0] != '\0' ? "  (" : "", p->where,
	    p->where[0] != '\0' ? ")" : "");
	if (p->what[0] != '\0')
		printf("    %13s  %s\n", "", p->what);
}

static void
print_horizon(const struct term *t, int i, const struct exposure *x,
    int64_t hot_sat)
{
	char	 amount[AMOUNT_TEXT_MAX];
	int64_t	 share;
	int	 j;

	if (x->unbounded) {
		printf("%s%-8s unbounded%s\n    %13s  nothing bounds %s\n\n",
		    term_style(t, STYLE_BAD), horizons[i],
		    term_style(t, STYLE_PLAIN), "", x->hole);
		return;
	}
	/* Rounded up, as everything here. */
	share = hot_sat > 0 ? muldiv(x->sat, 10000, hot_sat) : 0;
	if (hot_sat > 0 && muldiv(share, hot_sat, 10000) < x->sat)
		share++;
	printf("%s%-8s %8s btc%s  %" PRId64 ".%02" PRId64 " %% of hot%s\n",
	    term_style(t, STYLE_BOLD), horizons[i], rounded(amount, x->sat),
	    term_style(t, STYLE_PLAIN), share / 100, share % 100,
	    x->capped ? ": all there is, and what is filled in" : "");
	for (j = 0; j < x->n_parts; j++)
		print_part(&x->parts[j]);
	if (x->n_parts > 0 && x->door[0] != '\0')
		printf("    %13s  widest door: %s\n", "", x->door);
	printf("\n");
}

static void
print_text(const struct options *o, const struct exposure *x,
    const struct exposure_state *s)
{
	const struct term	 t = term_of(stdout);
	char			 amount[AMOUNT_TEXT_MAX];
	char			 path[256];
	int			 i;

	printf("%sThe most that leaves with every customer's credentials in a "
	    "thief's hands%s\n", term_style(&t, STYLE_BOLD),
	    term_style(&t, STYLE_PLAIN));
	printf("%s, hot wallet %s btc, %" PRId64 " accounts, %s\n\n",
	    term_safe(&t, path, sizeof(path), o->policy, strlen(o->policy)),
	    amount_format_short(amount, s->hot_sat), s->accounts,
	    s->normal != NULL ? "normals as learnt" : "nothing learnt");
	for (i = 0; i < HORIZONS; i++)
		print_horizon(&t, i, &x[i], s->hot_sat);
	printf("What people let go is not in it: ceilings alone bound that.\n");
}
static void
put_horizon(struct json *j, int i, const struct exposure *x, int64_t hot_sat)
{
	int	 k;

	json_open_object(j, NULL);
	json_put_int(j, "hours", horizons_ms[i] / MS_PER_HOUR);
	json_put_bool(j, "unbounded", x->unbounded);
	if (x->unbounded) {
		json_put_text(j, "case", x->hole);
	} else {
		json_put_sat(j, "btc", x->sat);
		json_put_ratio(j, "share_of_hot", x->sat, hot_sat, 6);
		json_put_text(j, "widest_door", x->door);
	}
	json_open_array(j, "bounded_by");
	for (k = 0; k < x->n_parts; k++) {
		json_open_object(j, NULL);
		json_put_text(j, "rule", x->parts[k].rule);
		json_put_text(j, "at", x->parts[k].where);
		json_put_text(j, "what", x->parts[k].what);
		json_put_sat(j, "btc", x->parts[k].sat);
		json_close(j);
	}
	json_close(j);
	json_close(j);
}

static int
print_json(const struct options *o, const struct exposure *x,
    const struct exposure_state *s)
{
	struct json	 j;
	struct err	 e = { "cannot be written" };
	int		 i;

	json_to_file(&j, stdout, true);
	json_open_object(&j, NULL);
	json_put_text(&j, "policy", o->policy);
	json_put_sat(&j, "hot_btc", s->hot_sat);
	json_put_int(&j, "accounts", s->accounts);
	json_put_bool(&j, "learnt", s->normal != NULL);
	json_open_array(&j, "horizons");
	for (i = 0; i < HORIZONS; i++)
		put_horizon(&j, i, &x[i], s->hot_sat);
	json_close(&j);
	json_close(&j);
	if (json_end(&j) != RC_OK)
		return fail(&e);
	return STATUS_DONE;
}

static int
answer(const struct options *o, const struct policy *p,
    const struct exposure_state *s)
{
	static struct exposure	 x[HORIZONS];
	struct err		 e;
	int			 i;

	for (i = 0; i < HORIZONS; i++)
		if (exposure_compute(&x[i], p, s, horizons_ms[i], &e) != RC_OK)
			return fail(&e);
	if (o->json)
		return print_json(o, x, s);
	print_text(o, x, s);
	return STATUS_DONE;
}

/* By hand, whatever a scenario says. */
static void
override(struct exposure_state *s, const struct options *o)
{
	if (o->hot_sat >= 0)
		s->hot_sat = o->hot_sat;
	if (o->fund_sat >= 0)
		s->fund_sat = o->fund_sat;
	if (o->accounts >= 0)
		s->accounts = o->accounts;
	if (o->days >= 0)
		s->platform_age_ms = o->days * MS_PER_DAY;
}

static void
on_progress(void *ctx, int permille, uint64_t events)
{
	struct progress	*p = ctx;

	progress_at(p, permille >= 0 ? (uint64_t)permille : events);
}

static enum rc
play(struct replay *r, const struct options *o, struct err *e)
{
	struct progress	 p;
	enum rc		 rc;

	if (o->quiet)
		return replay_file(r, o->scenario, NULL, NULL, NULL, e);
	progress_begin(&p, "replaying", 1000);
	rc = replay_file(r, o->scenario, NULL, on_progress, &p, e);
	progress_end(&p);
	return rc;
}

/* The state that the scenario ends in. */
static int
from_scenario(const struct options *o, const struct policy *p,
    const struct program *g)
{
	struct replay_options	 ro = { .program = g,
		.lots = replay_lot_key() };
	struct exposure_state	 s = { 0 };
	struct engine_usage	 u;
	struct learned		 l = { g, NULL };
	struct replay		*r = NULL;
	struct err		 e;
	int			 status;

	if (replay_new(&r, &ro, &e) != RC_OK)
		return fail(&e);
	if (play(r, o, &e) != RC_OK) {
		replay_free(&r);
		return fail(&e);
	}
	l.engine = replay_engine(r);
	engine_usage(l.engine, &u);
	s.hot_sat = most_hot_sat(l.engine);
	s.fund_sat = engine_fund_sat(l.engine);
	s.accounts = (int64_t)u.accounts;
	s.limits_sat = most_limits_sat(l.engine);
	s.platform_age_ms = most_platform_age_ms(l.engine);
	s.normal = normal_most;
	s.habits = habits_most;
	s.ctx = &l;
	override(&s, o);
	if (s.hot_sat < 0) {
		(void)err_set(&e, "%s: no `hot_balance`, so a share of it "
		    "has no size; give --hot", o->scenario);
		status = fail(&e);
	} else
		status = answer(o, p, &s);
	replay_free(&r);
	return status;
}

static int
run(const struct options *o)
{
	struct exposure_state	 s = { .hot_sat = -1, .fund_sat = -1,
		.accounts = -1, .limits_sat = -1, .platform_age_ms = -1 };
	struct policy		*p = NULL;
	struct program		*g = NULL;
	struct err		 e;
	int			 status;

	if (policy_load(&p, o->policy, stderr, &e) != RC_OK)
		return fail(&e);
	if (program_new(&g, p, &e) != RC_OK) {
		policy_free(&p);
		return fail(&e);
	}
	override(&s, o);
	status = o->scenario != NULL ? from_scenario(o, p, g) :
	    answer(o, p, &s);
	program_free(&g);
	policy_free(&p);
	return status;
}

static bool
take_amount(int64_t *out, const char *name)
{
	struct err	 e;

	if (amount_parse(out, optarg, strlen(optarg), &e) == RC_OK)
		return true;
	(void)fprintf(stderr, "drawbridge exposure: --%s %s: %s\n", name,
	    optarg, e.text);
	return false;
}

static bool
take_number(int64_t *out, const char *name, int64_t most)
{
	char	*end;

	errno = 0;
	*out = strtoll(optarg, &end, 10);
	if (errno == 0 && end != optarg && *end == '\0' && *out >= 0 &&
	    *out <= most)
		return true;
	(void)fprintf(stderr, "drawbridge exposure: --%s %s: want a number "
	    "from 0 to %" PRId64 "\n", name, optarg, most);
	return false;
}

enum { OPT_POLICY = 256, OPT_HOT, OPT_FUND, OPT_ACCOUNTS, OPT_DAYS, OPT_JSON,
	OPT_QUIET, OPT_HELP };

static const struct option	 names[] = {
	{ "policy", required_argument, NULL, OPT_POLICY },
	{ "hot", required_argument, NULL, OPT_HOT },
	{ "fund", required_argument, NULL, OPT_FUND },
	{ "accounts", required_argument, NULL, OPT_ACCOUNTS },
	{ "days", required_argument, NULL, OPT_DAYS },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "quiet", no_argument, NULL, OPT_QUIET },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 }
};

/* False: not understood, and said so. */
static bool
take(struct options *o, int c)
{
	switch (c) {
	case OPT_POLICY:
		o->policy = optarg;
		return true;
	case OPT_HOT:
		return take_amount(&o->hot_sat, "hot");
	case OPT_FUND:
		return take_amount(&o->fund_sat, "fund");
	case OPT_ACCOUNTS:
		return take_number(&o->accounts, "accounts",
		    INT64_C(1000000000));
	case OPT_DAYS:
		return take_number(&o->days, "days", DAYS_MAX);
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
cmd_exposure(int argc, char **argv)
{
	struct options	 o = { .hot_sat = -1, .fund_sat = -1, .accounts = -1,
		.days = -1 };
	int		 c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (c == OPT_HELP)
			return help("exposure");
		if (!take(&o, c))
			return usage("exposure");
	}
	if (optind + 1 == argc)
		o.scenario = argv[optind];
	else if (optind != argc || o.hot_sat <= 0 || o.accounts <= 0)
		return usage("exposure");
	if (o.policy == NULL)
		return usage("exposure");
	return run(&o);
}
