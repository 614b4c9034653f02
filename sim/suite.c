#include "sim/suite.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/amount.h"
#include "lib/civil.h"
#include "sim/bank.h"
#include "sim/item.h"
#include "sim/simulate.h"

/* One platform of one seed. */
struct scene {
	int		 size;
	int64_t		 seed;
	bool		 made;
	struct world	 world;
	int64_t		 live_ms;	/* before it: history */
	struct bank	 traffic;
	struct bank	*attacks;	/* one a kind */
	int64_t		*fork_ms;	/* of each: see fork_time() */
	int		*order;		/* kinds, by that */
};

/* A process that plays an attack. */
struct child {
	pid_t		 pid;		/* 0: none */
	struct suite_result *result;
};

#define JOBS_MAX 64

struct suite {
	struct suite_options o;
	struct scene	*scenes;
	size_t		 n_scenes;
	size_t		 n_played;	/* suite_narrow() */
	bool		 kinds[SUITE_KINDS_MAX];
	struct suite_result *shared;	/* seen by the children */
	struct child	 children[JOBS_MAX];
	int		 n_children;
	size_t		 n_done;
	void		(*done)(void *ctx, size_t n);
	void		*ctx;
};

/* Making scenes */

static size_t
shared_bytes(const struct suite *s)
{
	return sizeof(struct suite_result) * ((size_t)s->o.n_kinds + 1);
}

static enum rc
check_options(const struct suite_options *o, struct err *e)
{
	struct params	 p;
	int		 i;

	assert(o->n_sizes <= SUITE_SIZES_MAX && o->n_kinds <=
	    SUITE_KINDS_MAX && o->n_sets <= SUITE_SETS_MAX);
	params_default(&p);
	for (i = 0; i < o->n_sizes; i++)
		if (!params_preset(&p, o->sizes[i]))
			return err_set(e, "no size `%s`: small, medium or "
			    "large", o->sizes[i]);
	for (i = 0; i < o->n_kinds; i++)
		if (attack_find(o->kinds[i]) == NULL)
			return err_set(e, "no attack `%s`; `drawbridge "
			    "simulate --list` has them", o->kinds[i]);
	for (i = 0; i < o->n_sets; i++)
		if (params_set(&p, o->sets[i], e) != RC_OK)
			return RC_FAILED;
	if (o->n_sizes == 0 || o->n_seeds < 1)
		return err_set(e, "no scenes");
	return RC_OK;
}

enum rc
suite_new(struct suite **out, const struct suite_options *o, struct err *e)
{
	struct suite	*s;
	void		*shared;
	size_t		 i;

	if (check_options(o, e) != RC_OK)
		return RC_FAILED;
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return err_set(e, "out of memory");
	s->o = *o;
	if (s->o.jobs > JOBS_MAX)
		s->o.jobs = JOBS_MAX;
	s->n_scenes = (size_t)o->n_sizes * (size_t)o->n_seeds;
	s->n_played = s->n_scenes;
	memset(s->kinds, true, sizeof(s->kinds));
	s->scenes = calloc(s->n_scenes, sizeof(*s->scenes));
	shared = mmap(NULL, shared_bytes(s), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	s->shared = shared == MAP_FAILED ? NULL : shared;
	if (s->scenes == NULL || s->shared == NULL) {
		suite_free(&s);
		return err_set(e, "out of memory");
	}
	for (i = 0; i < s->n_scenes; i++) {
		s->scenes[i].size = (int)(i / (size_t)o->n_seeds);
		s->scenes[i].seed = o->first_seed + (int64_t)(i %
		    (size_t)o->n_seeds);
	}
	*out = s;
	return RC_OK;
}

static void
scene_free(struct suite *s, struct scene *sc)
{
	int	 i;

	for (i = 0; sc->attacks != NULL && i < s->o.n_kinds; i++)
		bank_free(&sc->attacks[i]);
	free(sc->attacks);
	free(sc->fork_ms);
	free(sc->order);
	bank_free(&sc->traffic);
}

void
suite_free(struct suite **sp)
{
	struct suite	*s = *sp;
	size_t		 i;

	if (s == NULL)
		return;
	for (i = 0; s->scenes != NULL && i < s->n_scenes; i++)
		scene_free(s, &s->scenes[i]);
	if (s->shared != NULL)
		(void)munmap(s->shared, shared_bytes(s));
	free(s->scenes);
	free(s);
	*sp = NULL;
}

void
suite_narrow(struct suite *s, size_t n_scenes, const bool *kinds)
{
	assert(n_scenes >= 1 && n_scenes <= s->n_scenes);
	s->n_played = n_scenes;
	memcpy(s->kinds, kinds, (size_t)s->o.n_kinds * sizeof(*kinds));
}

size_t
suite_count(const struct suite *s)
{
	return s->n_scenes * ((size_t)s->o.n_kinds + 1);
}

struct keep {
	struct bank	*bank;
	struct err	*e;
};

static enum rc
keep_event(void *ctx, const struct scenario_event *ev)
{
	struct keep	*k = ctx;

	return bank_add(k->bank, ev, k->e);
}

static enum rc
make_attack(struct scene *sc, const struct params *p, const char *kind,
    struct bank *b, struct err *e)
{
	struct items		 items = { 0 };
	struct item_text	 text;
	struct scenario_event	 ev;
	size_t			 i;
	enum rc			 rc;

	rc = attack_make(&items, &sc->world, p, kind, e);
	for (i = 0; rc == RC_OK && i < items.n; i++) {
		item_event(&items.v[i], (enum network)p->network, &text,
		    &ev);
		rc = bank_add(b, &ev, e);
	}
	items_free(&items);
	if (rc == RC_OK && b->count == 0)
		return err_set(e, "%s: it does nothing", kind);
	return rc;
}

/*
 * Where an attack's own process begins: at its first event that is not a
 * deposit.  What is credited to a victim weeks before decides nothing until
 * he has spent what he had, and honest customers never lack coins
 * (traffic.h); so those deposits are played when the process begins.
 */
static int64_t
fork_time(const struct bank *attack)
{
	struct bank_cursor	 c;
	struct scenario_event	 ev;

	bank_begin(&c, attack);
	while (bank_next(&c, &ev))
		if (ev.type != SCENARIO_DEPOSIT)
			return ev.t_ms;
	return attack->first_ms;
}

static void
order_attacks(const struct suite *s, struct scene *sc)
{
	int	 i, k, at;

	for (i = 0; i < s->o.n_kinds; i++) {
		sc->fork_ms[i] = fork_time(&sc->attacks[i]);
		for (k = i; k > 0; k--) {
			at = sc->order[k - 1];
			if (sc->fork_ms[at] <= sc->fork_ms[i])
				break;
			sc->order[k] = at;
		}
		sc->order[k] = i;
	}
}

/* The days before go-live; see `history_days`. */
static void
prepend_history(struct params *p, int64_t days)
{
	const uint64_t	 bits = rng_hash((uint64_t)p->seed, 0x68697374, 0);

	if (days == 0)
		return;
	p->days += days;
	p->start_ms -= days * MS_PER_DAY;
	if (p->crash_day < 0 && p->crash_days > 0)
		p->crash_day = days + 23 + (int64_t)rng_scale(bits, 5);
	if (p->attack_day < 0)
		p->attack_day = days + 21 + (int64_t)rng_scale(rng_mix(bits),
		    7);
}

static enum rc
make_scene(struct suite *s, struct scene *sc, struct err *e)
{
	struct keep			 k = { &sc->traffic, e };
	const struct simulate_sink	 sink = { keep_event, &k };
	struct params			 p;
	int				 i;

	params_default(&p);
	(void)params_preset(&p, s->o.sizes[sc->size]);
	p.seed = sc->seed;
	p.attack_owners_ppm = s->o.owners_ppm;
	if (s->o.days > 0)
		p.days = s->o.days;
	for (i = 0; i < s->o.n_sets; i++)
		if (params_set(&p, s->o.sets[i], e) != RC_OK)
			return RC_FAILED;
	prepend_history(&p, s->o.history_days);
	if (world_init(&sc->world, &p, e) != RC_OK)
		return RC_FAILED;
	sc->live_ms = sc->world.start_ms + s->o.history_days * MS_PER_DAY;
	if (simulate_run(&p, NULL, &sink, e) != RC_OK)
		return RC_FAILED;
	sc->attacks = calloc((size_t)s->o.n_kinds + 1, sizeof(*sc->attacks));
	sc->fork_ms = calloc((size_t)s->o.n_kinds + 1, sizeof(*sc->fork_ms));
	sc->order = calloc((size_t)s->o.n_kinds + 1, sizeof(*sc->order));
	if (sc->attacks == NULL || sc->fork_ms == NULL || sc->order == NULL)
		return err_set(e, "out of memory");
	for (i = 0; i < s->o.n_kinds; i++)
		if (make_attack(sc, &p, s->o.kinds[i], &sc->attacks[i],
		    e) != RC_OK)
			return RC_FAILED;
	order_attacks(s, sc);
	sc->made = true;
	return RC_OK;
}

/* Results */

static struct suite_part
part_of(const struct score_cell *c)
{
	struct suite_part	 p = { (int64_t)c->count, c->sat };

	return p;
}

static void
take_price(struct suite_price *p, const struct score_side *side)
{
	p->all = part_of(&side->all);
	p->delayed = part_of(&side->keys[SCORE_DELAYED]);
	p->stepped = part_of(&side->keys[SCORE_STEPPED_UP]);
	p->stopped = part_of(&side->keys[SCORE_STOPPED]);
	p->held = part_of(&side->keys[SCORE_HELD]);
	p->denied = part_of(&side->keys[SCORE_DENIED]);
	p->delay_median_ms = side->median_ms;
}

static void
take_score(struct suite_result *r, const struct score *sc)
{
	const struct score_cell	*cells;
	size_t			 i;

	take_price(&r->honest, &sc->sides[LABEL_LEGIT]);
	r->asked_sat = sc->sides[LABEL_ATTACK].all.sat;
	r->loss_sat = sc->loss_sat;
	r->hot_sat = sc->hot_sat;
	r->loss_ppm = sc->hot_sat > 0 ?
	    muldiv(sc->loss_sat, 1000000, sc->hot_sat) : -1;
	r->alarm_ms = sc->alarm_ms;
	r->halts = (int)sc->n_halts;
	for (i = 0; i < sc->n_halts; i++)
		r->false_halts += sc->first_attack_ms < 0 ||
		    sc->halts[i].t_ms < sc->first_attack_ms;
	r->reviews = (int64_t)sc->reviews;
	r->withdrawals = (int64_t)sc->withdrawals;
	for (i = 0; i < RULES_MAX; i++) {
		cells = sc->rules[i].sides;
		r->rules[i].honest = (uint32_t)cells[LABEL_LEGIT].count;
		r->rules[i].honest_sat = cells[LABEL_LEGIT].sat;
		r->rules[i].attack = (uint32_t)cells[LABEL_ATTACK].count;
		r->rules[i].attack_sat = cells[LABEL_ATTACK].sat;
	}
	r->done = true;
}

static enum rc
finish(struct replay *r, struct suite_result *result)
{
	const struct score	*score = NULL;

	if (replay_finish(r, &score, &result->why) != RC_OK)
		return RC_FAILED;
	take_score(result, score);
	return RC_OK;
}

/* Playing */

/* The next event, but not before t_ms. */
static enum rc
play_one(struct replay *r, struct bank_cursor *c, const struct scene *sc,
    int64_t t_ms, struct err *e)
{
	struct scenario_event	 ev;
	bool			 more;

	more = bank_next(c, &ev);
	assert(more);
	if (ev.t_ms < t_ms)
		ev.t_ms = t_ms;
	return replay_event(r, &ev, (enum network)sc->world.p.network,
	    ev.t_ms < sc->live_ms, e);
}

/* The traffic up to and at a time: traffic goes first at equal times. */
static enum rc
play_until(struct replay *r, struct bank_cursor *c, const struct scene *sc,
    int64_t t_ms, struct err *e)
{
	while (c->at < c->bank->len && bank_next_ms(c) <= t_ms)
		if (play_one(r, c, sc, INT64_MIN, e) != RC_OK)
			return RC_FAILED;
	return RC_OK;
}

/* In the child: the attack, and the traffic that goes on meanwhile. */
static void
play_attack(const struct suite *s, struct replay *r, struct bank_cursor *c,
    const struct scene *sc, int kind, struct suite_result *result)
{
	const struct bank	*attack = &sc->attacks[kind];
	struct bank_cursor a;
	int64_t			 end_ms = INT64_MAX;

	bank_begin(&a, attack);
	while (a.at < attack->len)
		if (play_until(r, c, sc, bank_next_ms(&a), &result->why) !=
		    RC_OK || play_one(r, &a, sc, sc->fork_ms[kind],
		    &result->why) != RC_OK)
			return;
	if (s->o.settle_days > 0)
		end_ms = attack->last_ms + s->o.settle_days * MS_PER_DAY;
	if (play_until(r, c, sc, end_ms, &result->why) == RC_OK)
		(void)finish(r, result);
}

/* One of the children ends. */
static enum rc
reap(struct suite *s, struct err *e)
{
	int	 status, i;
	pid_t	 pid;

	do
		pid = waitpid(-1, &status, 0);
	while (pid < 0 && errno == EINTR);
	if (pid < 0)
		return err_set(e, "waiting: %s", strerror(errno));
	for (i = 0; i < JOBS_MAX; i++) {
		if (s->children[i].pid != pid)
			continue;
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
			s->children[i].result->done = false;
			(void)err_set(&s->children[i].result->why,
			    "its process died (%d)", status);
		}
		s->children[i].pid = 0;
		s->n_children--;
		s->n_done++;
		if (s->done != NULL)
			s->done(s->ctx, s->n_done);
	}
	return RC_OK;
}

static enum rc
start_child(struct suite *s, struct replay *r, struct bank_cursor *c,
    const struct scene *sc, int kind, struct err *e)
{
	struct suite_result	*result = &s->shared[kind + 1];
	int			 i;
	pid_t			 pid;

	while (s->n_children >= s->o.jobs)
		if (reap(s, e) != RC_OK)
			return RC_FAILED;
	if ((pid = fork()) < 0)
		return err_set(e, "fork: %s", strerror(errno));
	if (pid == 0) {
		play_attack(s, r, c, sc, kind, result);
		_exit(0);
	}
	for (i = 0; s->children[i].pid != 0; i++)
		continue;
	s->children[i].pid = pid;
	s->children[i].result = result;
	s->n_children++;
	return RC_OK;
}

static void
clear_results(struct suite *s, const struct scene *sc)
{
	int	 kind;

	memset(s->shared, 0, shared_bytes(s));
	for (kind = SUITE_HONEST; kind < s->o.n_kinds; kind++) {
		s->shared[kind + 1].size = sc->size;
		s->shared[kind + 1].seed = sc->seed;
		s->shared[kind + 1].kind = kind;
	}
}

static enum rc
play_scene(struct suite *s, struct scene *sc, struct replay *r, struct err *e)
{
	struct bank_cursor c;
	enum rc			 rc = RC_OK;
	int			 i, kind;

	bank_begin(&c, &sc->traffic);
	for (i = 0; rc == RC_OK && i < s->o.n_kinds; i++) {
		kind = sc->order[i];
		if (!s->kinds[kind])
			continue;
		rc = play_until(r, &c, sc, sc->fork_ms[kind], e);
		if (rc == RC_OK)
			rc = start_child(s, r, &c, sc, kind, e);
	}
	if (rc == RC_OK)
		rc = play_until(r, &c, sc, INT64_MAX, e);
	if (rc == RC_OK && (rc = finish(r, &s->shared[0])) != RC_OK)
		*e = s->shared[0].why;
	s->n_done++;
	while (s->n_children > 0)
		if (reap(s, e) != RC_OK)
			return RC_FAILED;
	return rc;
}

static enum rc
run_scene(struct suite *s, struct scene *sc, const struct program *p,
    const struct replay_reviewer *reviewer, struct err *e)
{
	struct replay_options	 o = { .program = p, .reviewer = *reviewer };
	struct replay		*r = NULL;
	enum rc			 rc;
	int			 i;

	if (!sc->made && make_scene(s, sc, e) != RC_OK)
		return err_wrap(e, RC_FAILED, "%s, seed %lld",
		    s->o.sizes[sc->size], (long long)sc->seed);
	o.lots = replay_lot_key();
	o.from_ms = sc->live_ms + s->o.warmup_days * MS_PER_DAY;
	clear_results(s, sc);
	if (replay_new(&r, &o, e) != RC_OK)
		return RC_FAILED;
	rc = play_scene(s, sc, r, e);
	replay_free(&r);
	for (i = 0; rc == RC_OK && i < s->o.n_kinds; i++)
		if (s->kinds[i] && !s->shared[i + 1].done) {
			*e = s->shared[i + 1].why;
			rc = err_wrap(e, RC_FAILED, "%s", s->o.kinds[i]);
		}
	return err_wrap(e, rc, "%s, seed %lld", s->o.sizes[sc->size],
	    (long long)sc->seed);
}

enum rc
suite_run(struct suite *s, const struct program *p,
    const struct replay_reviewer *reviewer, struct suite_result *results,
    void (*done)(void *ctx, size_t n), void *ctx, struct err *e)
{
	const size_t	 per_scene = (size_t)s->o.n_kinds + 1;
	size_t		 i;
	int		 kind;

	s->n_done = 0;
	s->done = done;
	s->ctx = ctx;
	for (i = 0; i < s->n_played; i++) {
		if (run_scene(s, &s->scenes[i], p, reviewer, e) != RC_OK)
			return RC_FAILED;
		for (kind = SUITE_HONEST; kind < s->o.n_kinds; kind++)
			if (s->shared[kind + 1].done)
				results[i * per_scene + (size_t)(kind + 1)] =
				    s->shared[kind + 1];
	}
	return RC_OK;
}

/* Sums */

static void
add_part(struct suite_part *to, const struct suite_part *p)
{
	to->count += p->count;
	to->sat = amount_add_saturate(to->sat, p->sat);
}

static void
add_price(struct suite_price *to, const struct suite_price *p)
{
	add_part(&to->all, &p->all);
	add_part(&to->delayed, &p->delayed);
	add_part(&to->stepped, &p->stepped);
	add_part(&to->stopped, &p->stopped);
	add_part(&to->held, &p->held);
	add_part(&to->denied, &p->denied);
	if (p->delay_median_ms > to->delay_median_ms)
		to->delay_median_ms = p->delay_median_ms;
}

static void
add_loss(struct suite_sum *out, const struct suite_result *r)
{
	const int64_t	 loss_ppm = r->loss_ppm > 0 ? r->loss_ppm : 0;

	out->loss_mean_ppm += loss_ppm;
	if (r->asked_sat > 0)
		out->loss_share_ppm += muldiv(r->loss_sat, 1000000,
		    r->asked_sat);
	if (r->hot_sat > 0)
		out->asked_ppm += muldiv(r->asked_sat, 1000000, r->hot_sat);
	if (loss_ppm > out->loss_worst_ppm || out->worst_kind < 0) {
		out->loss_worst_ppm = loss_ppm;
		out->worst_kind = r->kind;
		out->worst_size = r->size;
	}
	if (r->alarm_ms < 0)
		out->unalarmed++;
	else if (r->alarm_ms > out->alarm_worst_ms)
		out->alarm_worst_ms = r->alarm_ms;
}

void
suite_sum(struct suite_sum *out, const struct suite_result *results,
    size_t n, bool honest, int size, int kind)
{
	const struct suite_result	*r;
	size_t				 i;

	memset(out, 0, sizeof(*out));
	out->worst_kind = -1;
	for (i = 0; i < n; i++) {
		r = &results[i];
		if (!r->done || (r->kind == SUITE_HONEST) != honest ||
		    (size >= 0 && r->size != size) ||
		    (kind >= 0 && r->kind != kind))
			continue;
		out->scenes++;
		add_price(&out->honest, &r->honest);
		out->false_halts += r->false_halts;
		out->reviews += r->reviews;
		if (!honest)
			add_loss(out, r);
	}
	if (out->scenes > 0) {
		out->loss_mean_ppm /= out->scenes;
		out->loss_share_ppm /= out->scenes;
		out->asked_ppm /= out->scenes;
	}
}
