/*
 * drawbridge exposure: the promise as a number.  For a policy and a present
 * state (what a scenario leads to, or sizes given by hand): the most that
 * somebody with every customer's credentials can take in an hour, a day and
 * a week, and which rule bounds each part.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "engine/engine.h"
#include "lib/amount.h"
#include "lib/civil.h"
#include "lib/json.h"
#include "lib/term.h"
#include "policy/program.h"
#include "sim/exposure.h"
#include "sim/replay.h"

#define HORIZONS	3

static const int64_t	 horizons_ms[HORIZONS] = { MS_PER_HOUR, MS_PER_DAY,
	MS_PER_WEEK };
static const char *const horizons[HORIZONS] = { "an hour", "a day", "a week" };

struct options {
	const char	*policy;
	const char	*scenario;
	int64_t		 hot_sat;
	int64_t		 fund_sat;
	int64_t		 accounts;
	bool		 json;
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

/* A week's highest reading, and what the level may grow meanwhile. */
static int64_t
normal_most(void *ctx, const struct agg *agg, int64_t horizon_ms)
{
	const struct learned	*l = ctx;
	const struct agg	*a;
	int			 i;

	for (i = 0; i < l->program->n_aggs; i++) {
		a = &l->program->aggs[i].def;
		if (l->program->aggs[i].learn && a->what == agg->what &&
		    a->thing == agg->thing && a->stage == agg->stage &&
		    a->scope == agg->scope &&
		    a->window_ms == agg->window_ms && a->cls == agg->cls &&
		    a->cls_not == agg->cls_not)
			return engine_read_normal_most(l->engine, i,
			    horizon_ms);
	}
	return -1;
}

static void
print_part(const struct exposure_part *p)
{
	char	 amount[AMOUNT_TEXT_MAX];

	printf("      %14s  %s  (%s)\n", amount_format_short(amount, p->sat),
	    p->rule, p->where);
	if (p->what[0] != '\0')
		printf("      %14s  %s\n", "", p->what);
}

static void
print_text(const struct options *o, const struct exposure *x,
    const struct exposure_state *s)
{
	const struct term	 t = term_of(stdout);
	char			 amount[AMOUNT_TEXT_MAX];
	int64_t			 share;
	int			 i, j;

	printf("%sWhat can leave with every customer's credentials in a "
	    "thief's hands%s\n", term_style(&t, STYLE_BOLD),
	    term_style(&t, STYLE_PLAIN));
	printf("policy %s, hot wallet %s btc, %" PRId64 " accounts\n\n",
	    o->policy, amount_format_short(amount, s->hot_sat), s->accounts);
	for (i = 0; i < HORIZONS; i++) {
		if (x[i].unbounded) {
			printf("  %s%-9sunbounded%s: nothing bounds %s\n",
			    term_style(&t, STYLE_BAD), horizons[i],
			    term_style(&t, STYLE_PLAIN), x[i].hole);
			continue;
		}
		share = s->hot_sat > 0 ? muldiv(x[i].sat, 10000, s->hot_sat) :
		    0;
		printf("  %s%-9s%13s btc%s  %" PRId64 ".%02" PRId64
		    " %% of hot%s, bounded by\n", term_style(&t, STYLE_BOLD),
		    horizons[i], amount_format_short(amount, x[i].sat),
		    term_style(&t, STYLE_PLAIN), share / 100, share % 100,
		    x[i].capped ? " (all there is)" : "");
		for (j = 0; j < x[i].n_parts; j++)
			print_part(&x[i].parts[j]);
		printf("\n");
	}
	printf("Releases by people are bounded by the ceilings alone.\n");
}

static int
print_json(const struct options *o, const struct exposure *x,
    const struct exposure_state *s)
{
	struct json	 j;
	struct err	 e = { "cannot be written" };
	int		 i, k;

	json_to_file(&j, stdout, true);
	json_open_object(&j, NULL);
	json_put_text(&j, "policy", o->policy);
	json_put_sat(&j, "hot_btc", s->hot_sat);
	json_put_int(&j, "accounts", s->accounts);
	json_open_array(&j, "horizons");
	for (i = 0; i < HORIZONS; i++) {
		json_open_object(&j, NULL);
		json_put_int(&j, "hours", horizons_ms[i] / MS_PER_HOUR);
		json_put_bool(&j, "unbounded", x[i].unbounded);
		if (x[i].unbounded)
			json_put_text(&j, "case", x[i].hole);
		json_put_sat(&j, "btc", x[i].sat);
		json_put_ratio(&j, "share_of_hot", x[i].sat, s->hot_sat, 6);
		json_open_array(&j, "bounded_by");
		for (k = 0; k < x[i].n_parts; k++) {
			json_open_object(&j, NULL);
			json_put_text(&j, "rule", x[i].parts[k].rule);
			json_put_text(&j, "at", x[i].parts[k].where);
			json_put_text(&j, "what", x[i].parts[k].what);
			json_put_sat(&j, "btc", x[i].parts[k].sat);
			json_close(&j);
		}
		json_close(&j);
		json_close(&j);
	}
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

/* The state that the scenario ends in. */
static int
from_scenario(const struct options *o, const struct policy *p,
    const struct program *g)
{
	struct replay_options	 ro = { .program = g,
		.lots = replay_lot_key() };
	struct exposure_state	 s;
	struct engine_usage	 u;
	struct learned		 l = { g, NULL };
	struct replay		*r = NULL;
	struct err		 e;
	int			 status;

	if (replay_new(&r, &ro, &e) != RC_OK)
		return fail(&e);
	if (replay_file(r, o->scenario, NULL, NULL, NULL, &e) != RC_OK) {
		replay_free(&r);
		return fail(&e);
	}
	l.engine = replay_engine(r);
	engine_usage(l.engine, &u);
	memset(&s, 0, sizeof(s));
	s.hot_sat = engine_hot_sat(l.engine);
	s.fund_sat = engine_fund_sat(l.engine);
	s.accounts = (int64_t)u.accounts;
	s.limits_sat = -1;
	s.normal = normal_most;
	s.ctx = &l;
	if (s.hot_sat < 0) {
		(void)err_set(&e, "%s: no `hot_balance`, so a share of it "
		    "has no size", o->scenario);
		status = fail(&e);
	} else
		status = answer(o, p, &s);
	replay_free(&r);
	return status;
}

static int
run(const struct options *o)
{
	struct exposure_state	 s;
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
	if (o->scenario != NULL)
		status = from_scenario(o, p, g);
	else {
		memset(&s, 0, sizeof(s));
		s.hot_sat = o->hot_sat;
		s.fund_sat = o->fund_sat;
		s.accounts = o->accounts;
		s.limits_sat = -1;
		status = answer(o, p, &s);
	}
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

int
cmd_exposure(int argc, char **argv)
{
	static const struct option	 names[] = {
		{ "policy", required_argument, NULL, 'p' },
		{ "hot", required_argument, NULL, 'h' },
		{ "fund", required_argument, NULL, 'f' },
		{ "accounts", required_argument, NULL, 'a' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, '?' + 256 },
		{ NULL, 0, NULL, 0 }
	};
	struct options	 o = { .hot_sat = -1, .fund_sat = -1, .accounts = -1 };
	int		 c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (c == 'p')
			o.policy = optarg;
		else if (c == 'h' && !take_amount(&o.hot_sat, "hot"))
			return STATUS_USAGE;
		else if (c == 'f' && !take_amount(&o.fund_sat, "fund"))
			return STATUS_USAGE;
		else if (c == 'a')
			o.accounts = strtoll(optarg, NULL, 10);
		else if (c == 'j')
			o.json = true;
		else if (c == '?' + 256)
			return help("exposure");
		else if (c == '?')
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
