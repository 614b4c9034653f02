/*
 * Suites: that forking where an attack begins changes nothing, that the same
 * options give the same results, that tuning finds what is better, and that
 * knobs turn what they say.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "policy/ast.h"
#include "policy/program.h"
#include "sim/knob.h"
#include "sim/replay.h"
#include "sim/simulate.h"
#include "sim/suite.h"
#include "sim/tune.h"
#include "tests/check.h"

static const char guard[] =
    "policy 1\n"
    "default allow\n"
    "let room = 30 % of hot\n"
    "let floor = 0.5 btc\n"
    "delay 2h \"pause\" when amount > 3 btc\n"
    "hold \"much\" when sum committed on platform in 24h > room\n"
    "hold \"crowd\" when amount > floor and distinct accounts asked on\n"
    "  platform in 6h > normal by 50 % plus 3 until learnt 40\n"
    "hold by lot 1 in 50 \"glance\" when amount > floor\n";

static struct policy *
load(const char *text)
{
	struct policy	*p = NULL;
	struct err	 e;

	if (policy_load_text(&p, "guard.policy", text, strlen(text), stdout,
	    &e) != RC_OK) {
		printf("not ok load: %s\n", e.text);
		exit(1);
	}
	return p;
}

static struct program *
compile(const struct policy *policy)
{
	struct program	*p = NULL;
	struct err	 e;

	if (program_new(&p, policy, &e) != RC_OK) {
		printf("not ok compile: %s\n", e.text);
		exit(1);
	}
	return p;
}

static struct suite_options
small_options(int jobs)
{
	struct suite_options	 o = { .n_sizes = 1, .first_seed = 3,
		.n_seeds = 1, .days = 12, .jobs = jobs };
	const struct attack_kind *all;
	size_t			 n, i;

	o.sizes[0] = "small";
	o.sets[o.n_sets++] = "accounts=400";
	all = attack_kinds(&n);
	for (i = 0; i < n && o.n_kinds < 3; i += n / 3)
		o.kinds[o.n_kinds++] = all[i].name;
	return o;
}

static struct suite_result *
run(const struct suite_options *o, const struct program *p,
    const struct replay_reviewer *reviewer, size_t *n_out)
{
	struct suite		*s = NULL;
	struct suite_result	*r;
	struct err		 e;

	*e.text = '\0';
	if (!CHECK(suite_new(&s, o, &e) == RC_OK)) {
		printf("# %s\n", e.text);
		return NULL;
	}
	*n_out = suite_count(s);
	if ((r = calloc(*n_out, sizeof(*r))) == NULL)
		abort();
	if (!CHECK(suite_run(s, p, reviewer, r, NULL, NULL, &e) == RC_OK))
		printf("# %s\n", e.text);
	suite_free(&s);
	return r;
}

static void
test_same(void)
{
	const struct replay_reviewer	 reviewer = { .oracle = true,
		.after_ms = 1800000 };
	struct suite_options		 one = small_options(1);
	struct suite_options		 four = small_options(4);
	struct policy			*policy = load(guard);
	struct program			*p = compile(policy);
	struct suite_result		*a, *b;
	size_t				 n = 0, m = 0, i;

	check_case("as many processes as you like: the same results");
	a = run(&one, p, &reviewer, &n);
	b = run(&four, p, &reviewer, &m);
	CHECK_INT(n, 4);
	CHECK_INT(m, n);
	for (i = 0; i < n; i++) {
		CHECK(a[i].done && b[i].done);
		CHECK_INT(a[i].kind, (int)i - 1);
		CHECK(memcmp(&a[i], &b[i], sizeof(a[i])) == 0);
		CHECK((a[i].asked_sat > 0) == (i > 0));
	}
	CHECK(a[0].honest.held.count > 0);
	free(a);
	free(b);
	program_free(&p);
	policy_free(&policy);
}

struct straight {
	struct replay	*replay;
	struct err	*e;
};

static enum rc
take(void *ctx, const struct scenario_event *ev)
{
	struct straight	*s = ctx;

	return replay_event(s->replay, ev, NETWORK_MAIN, false, s->e);
}

/* Play a kind from the beginning, in this process. */
static void
play_straight(const struct suite_options *o, int kind,
    const struct program *program, const struct suite_result *want)
{
	struct replay_options		 ro = { .program = program };
	struct straight			 s;
	const struct simulate_sink	 sink = { take, &s };
	const struct score		*score = NULL;
	struct params			 p;
	struct err			 e;

	ro.lots = replay_lot_key();
	params_default(&p);
	CHECK(params_preset(&p, o->sizes[0]));
	p.accounts = 400;
	p.days = o->days;
	p.seed = o->first_seed;
	s.replay = NULL;
	s.e = &e;
	CHECK(replay_new(&s.replay, &ro, &e) == RC_OK);
	CHECK(simulate_run(&p, o->kinds[kind], &sink, &e) == RC_OK);
	CHECK(replay_finish(s.replay, &score, &e) == RC_OK);
	CHECK_INT(score->loss_sat, want->loss_sat);
	CHECK_INT(score->hot_sat, want->hot_sat);
	CHECK_INT(score->alarm_ms, want->alarm_ms);
	CHECK_INT(score->sides[LABEL_ATTACK].all.sat, want->asked_sat);
	CHECK_INT(score->sides[LABEL_LEGIT].keys[SCORE_HELD].count,
	    want->honest.held.count);
	CHECK_INT(score->sides[LABEL_LEGIT].keys[SCORE_DELAYED].sat,
	    want->honest.delayed.sat);
	CHECK_INT(score->withdrawals, want->withdrawals);
	replay_free(&s.replay);
}

static void
test_fork(void)
{
	const struct replay_reviewer	 nobody = { 0 };
	struct suite_options		 o = small_options(2);
	struct policy			*policy = load(guard);
	struct program			*p = compile(policy);
	struct suite_result		*r;
	size_t				 n = 0;
	int				 i;

	check_case("a fork decides what a run from the beginning decides");
	r = run(&o, p, &nobody, &n);
	for (i = 0; r != NULL && i < o.n_kinds; i++)
		play_straight(&o, i, p, &r[i + 1]);
	free(r);
	program_free(&p);
	policy_free(&policy);
}

static void
test_knobs(void)
{
	struct policy	*policy = load(guard);
	struct knob	 k;
	struct err	 e;
	char		 text[KNOB_TEXT_MAX];

	check_case("knobs stand on the numbers they name");
	CHECK(knob_parse(&k, policy, "room=1%..100 %:3", &e) == RC_OK);
	CHECK_INT(k.before, 300000);
	CHECK_INT(k.steps, 3);
	CHECK_INT(k.grid[0], 10000);
	CHECK_INT(k.grid[1], 100000);
	CHECK_INT(k.grid[2], 1000000);
	CHECK_STR(knob_format(&k, k.grid[0], text), "1 %");
	CHECK(knob_parse(&k, policy, "floor=0.1 btc..0.3btc:3", &e) ==
	    RC_OK);
	CHECK_INT(k.before, 50000000);
	CHECK_INT(k.grid[1], 20000000);
	CHECK_STR(knob_format(&k, k.grid[1], text), "0.2 btc");
	CHECK(knob_parse(&k, policy, "crowd/plus=1..9", &e) == RC_OK);
	CHECK_INT(k.before, 3);
	CHECK(knob_parse(&k, policy, "crowd/by=20%..80%", &e) == RC_OK);
	CHECK_INT(k.before, 500000);
	CHECK(knob_parse(&k, policy, "crowd/learnt=20..80", &e) == RC_OK);
	CHECK_INT(k.before, 40);
	CHECK(knob_parse(&k, policy, "glance/lot=10..80", &e) == RC_OK);
	CHECK_INT(k.before, 50);
	CHECK(knob_parse(&k, policy, "pause/delay=10m..6h", &e) == RC_OK);
	CHECK_INT(k.before, 7200000);
	CHECK(knob_parse(&k, policy, "pause/over=1..5", &e) == RC_OK);
	CHECK_INT(k.before, 300000000);
	check_case("what is no knob is refused");
	CHECK(knob_parse(&k, policy, "nothing=1..2", &e) == RC_FAILED);
	CHECK(knob_parse(&k, policy, "room", &e) == RC_FAILED);
	CHECK(knob_parse(&k, policy, "room=2%..1%", &e) == RC_FAILED);
	CHECK(knob_parse(&k, policy, "room=1%..2%:0", &e) == RC_FAILED);
	CHECK(knob_parse(&k, policy, "room=1h..2h", &e) == RC_FAILED);
	CHECK(knob_parse(&k, policy, "much/lot=1..2", &e) == RC_FAILED);
	CHECK(knob_parse(&k, policy, "pause/by=1%..2%", &e) == RC_FAILED);
	policy_free(&policy);
}

/*
 * Without rich customers no ten honest minutes come near a quarter of the
 * wallet, and thieves who want most of it at once do: less room costs
 * nothing and saves.
 */
static const char obvious[] =
    "policy 1\n"
    "default allow\n"
    "let room = 300 % of hot\n"
    "hold \"burst\" when sum committed on platform in 10m > room\n";

static void
test_tune(void)
{
	struct suite_options	 o = small_options(2);
	struct tune_options	 to = { .points = 4, .seed = 1 };
	struct policy		*policy = load(obvious);
	struct suite		*s = NULL;
	struct tune		 t;
	struct knob		 k;
	struct err		 e;
	int			 i, best = 0;

	o.sets[o.n_sets++] = "whale_ppm=0";
	o.sets[o.n_sets++] = "institution_ppm=0";
	o.sets[o.n_sets++] = "surprise_ppm=0";
	check_case("tune finds the better of two obvious settings");
	CHECK(knob_parse(&k, policy, "room=25%..300%:2", &e) == RC_OK);
	CHECK(suite_new(&s, &o, &e) == RC_OK);
	CHECK(tune_run(&t, s, policy, &k, 1, o.n_kinds, 1, &to, NULL, NULL,
	    &e) == RC_OK);
	CHECK_INT(t.n_points, 2);
	for (i = 0; i < t.n_points; i++)
		if (t.points[i].frontier)
			best = i;
	CHECK_INT(tune_value(&t.points[best], &k, 0), 250000);
	CHECK(!t.points[0].frontier);
	CHECK(t.points[best].loss_ppm < t.points[0].loss_ppm);
	CHECK_INT(t.points[best].held_ppm, 0);
	CHECK_INT(*k.value, 3000000);
	tune_free(&t);
	suite_free(&s);
	policy_free(&policy);
}

int
main(void)
{
	if (sodium_init() == -1)
		return 1;
	test_knobs();
	test_same();
	test_fork();
	test_tune();
	return check_done();
}
