/*
 * No true sliding window ever exceeds its limit.  Random customers, random
 * operators and random time against an independent, exact list of what was
 * released: whatever the engine releases by itself leaves every closed
 * window at or under its limit, and whatever it holds would have broken one
 * of them, were windows as long as their buckets allow (S15).
 *
 * argv[1]: sequences of 2,000 steps for each policy, 20 unless given.
 */
#include "engine/test/rig.h"
#include "engine/test/rng.h"
#include "lib/amount.h"
#include "lib/civil.h"

#define BTC		SAT_PER_BTC
#define STEPS		2000
#define ACCOUNTS	18
#define DESTINATIONS	12
#define NETWORKS	5
#define GROUPS		6

enum what { SUM, COUNT, DISTINCT_ACCOUNTS, DISTINCT_DESTINATIONS };
enum scope { PLATFORM, ACCOUNT, DESTINATION, NETWORK, GROUP };

struct limit {
	const char	*rule;
	enum what	 what;
	enum scope	 scope;
	int64_t		 window_ms;
	int64_t		 most;
	int64_t		 buckets;
};

#define H MS_PER_HOUR
static const struct limit limits[] = {
	{ "sum committed on platform in 24h > 40 btc",
	    SUM, PLATFORM, 24 * H, 40 * BTC, 64 },
	{ "sum committed on platform in 10m > 12 btc",
	    SUM, PLATFORM, 600000, 12 * BTC, 64 },
	{ "sum committed by account in 24h > 5 btc",
	    SUM, ACCOUNT, 24 * H, 5 * BTC, 8 },
	{ "sum committed to destination in 7d > 9 btc",
	    SUM, DESTINATION, 168 * H, 9 * BTC, 8 },
	{ "count committed by account in 1h > 3",
	    COUNT, ACCOUNT, H, 3, 8 },
	{ "sum committed by ip/24 in 1h > 8 btc",
	    SUM, NETWORK, H, 8 * BTC, 8 },
	{ "sum committed by group in 6h > 7 btc",
	    SUM, GROUP, 6 * H, 7 * BTC, 16 },
	{ "distinct accounts committed to destination in 24h > 4",
	    DISTINCT_ACCOUNTS, DESTINATION, 24 * H, 4, 8 },
	{ "distinct accounts committed on platform in 1h > 9",
	    DISTINCT_ACCOUNTS, PLATFORM, H, 9, 64 },
	{ "distinct destinations committed by account in 24h > 4",
	    DISTINCT_DESTINATIONS, ACCOUNT, 24 * H, 4, 8 },
	{ "count committed on platform in 1s > 2",
	    COUNT, PLATFORM, 1000, 2, 64 },
};
#define N_LIMITS ((int)(sizeof(limits) / sizeof(limits[0])))

enum life { FRESH, WAITING, HELD, RELEASED, ENDED };

struct one {
	enum life	life;
	int64_t		account, destination, network;
	int64_t		amount_sat;
	int64_t		released_ms;
};

struct world {
	struct rig	*rig;
	struct rng	 rng;
	int64_t		 t_ms;
	int		 used[N_LIMITS];	/* which limits are in force */
	int		 n_used;
	int		 burst;
	int		 n;
	struct one	 w[STEPS];
	int		 n_released, n_held, n_matured;
};

static int64_t
group_of(int64_t account)
{
	return account % GROUPS;
}

static bool
same_place(const struct one *a, const struct one *b, enum scope scope)
{
	switch (scope) {
	case PLATFORM:
		return true;
	case ACCOUNT:
		return a->account == b->account;
	case DESTINATION:
		return a->destination == b->destination;
	case NETWORK:
		return a->network == b->network;
	case GROUP:
		return group_of(a->account) == group_of(b->account);
	}
	return false;
}

/*
 * The reading of a limit for x at t over what was released in the closed
 * span, with what waits (`waiting`) and with x itself.
 */
static int64_t
reading(const struct world *v, const struct limit *l, const struct one *x,
    int64_t from_ms, bool waiting, int64_t rounding)
{
	uint64_t	 seen = 0;
	int64_t		 sum = 0;
	int		 i;

	for (i = 0; i < v->n; i++) {
		const struct one *y = &v->w[i];

		if (y != x && !(y->life == RELEASED &&
		    y->released_ms >= from_ms) &&
		    !(waiting && y->life == WAITING))
			continue;
		if (!same_place(x, y, l->scope))
			continue;
		if (l->what == SUM)
			sum += y->amount_sat + rounding;
		else if (l->what == COUNT)
			sum++;
		else
			seen |= UINT64_C(1) << (l->what == DISTINCT_ACCOUNTS ?
			    y->account : y->destination);
	}
	return l->what == SUM || l->what == COUNT ? sum :
	    __builtin_popcountll(seen);
}

/* The engine let x go by itself: every limit holds. */
static void
check_released(struct world *v, const struct one *x)
{
	int	 i;

	for (i = 0; i < v->n_used; i++) {
		const struct limit *l = &limits[v->used[i]];

		if (!CHECK(reading(v, l, x, x->released_ms - l->window_ms,
		    false, 0) <= l->most))
			printf("# %s at %lld\n", l->rule,
			    (long long)x->released_ms);
	}
}

/*
 * The engine held x at t: some limit, generously read, does not.  At the end
 * of a delay one that was crossed in between is enough (S28), so nothing can
 * be said.
 */
static void
check_held(struct world *v, const struct one *x, int64_t t_ms, bool asked)
{
	int	 i;

	for (i = 0; i < v->n_used && !asked; i++)
		if (limits[v->used[i]].scope != ACCOUNT)
			return;

	for (i = 0; i < v->n_used; i++) {
		const struct limit *l = &limits[v->used[i]];
		int64_t	 width = (l->window_ms + l->buckets - 1) / l->buckets;

		if (reading(v, l, x, t_ms - width * (l->buckets + 1) + 1,
		    true, 999) > l->most)
			return;
	}
	CHECK(!"held although no limit was near");
}

static int
number_of(const struct world *v, struct ident id)
{
	int	 i;

	for (i = v->n - 1; i >= 0; i--)
		if (ident_equal(rig_id(v->rig, 'w', i), id))
			return i;
	return -1;
}

/* Take in what the engine said; `people`: an operator asked for it. */
static void
follow(struct world *v, bool people)
{
	const struct outcome *o;
	struct one	*x;
	size_t		 k;
	int		 i;

	for (k = 0; k < v->rig->n_out; k++) {
		o = &v->rig->out[k];
		if ((i = number_of(v, o->id)) < 0)
			continue;
		x = &v->w[i];
		if (o->state == STATE_RELEASED && x->life != RELEASED) {
			x->released_ms = o->released_ms;
			v->n_matured += o->cause == CAUSE_MATURED;
			if (o->cause != CAUSE_PEOPLE)
				check_released(v, x);
			else
				CHECK(people);
			x->life = RELEASED;
			v->n_released++;
		} else if (o->state == STATE_HELD) {
			x->life = FRESH;
			check_held(v, x, o->t_ms, o->cause == CAUSE_ASKED);
			x->life = HELD;
			v->n_held++;
		} else if (o->state == STATE_WAITING) {
			x->life = WAITING;
		} else if (o->state == STATE_DENIED ||
		    o->state == STATE_CANCELLED ||
		    o->state == STATE_EXPIRED) {
			x->life = ENDED;
		}
	}
}

static void
ask(struct world *v)
{
	struct rng	*r = &v->rng;
	struct one	*x = &v->w[v->n];
	struct input	 in;

	*x = (struct one){
		.account = (int64_t)rng_below(r, ACCOUNTS),
		.destination = (int64_t)rng_below(r, DESTINATIONS),
		.network = (int64_t)rng_below(r, NETWORKS),
		/* Some round, some not, some one satoshi. */
		.amount_sat = rng_below(r, 10) == 0 ? 1 :
		    rng_below(r, 2) == 0 ? (1 + (int64_t)rng_below(r, 4)) *
		    BTC : 1 + (int64_t)rng_below(r, 2 * BTC),
	};
	in = rig_withdrawal(v->rig, v->t_ms, v->n, x->account,
	    x->destination, x->amount_sat);
	in.has_ip = true;
	in.ip[10] = in.ip[11] = 0xff;
	in.ip[12] = 192;
	in.ip[14] = (unsigned char)x->network;
	in.ip[15] = (unsigned char)rng_below(r, 256);
	v->n++;
	rig_apply(v->rig, &in);
	follow(v, false);
}

/* Somebody does something about one that was asked for. */
static void
meddle(struct world *v)
{
	static const enum input_type types[] = { INPUT_CANCEL, INPUT_RELEASE,
	    INPUT_RELEASE, INPUT_DENY, INPUT_OUTCOME };
	enum input_type	 type = types[rng_below(&v->rng, 5)];
	struct input	 in = rig_input(type, v->t_ms);

	if (v->n == 0)
		return;
	in.id = rig_id(v->rig, 'w', v->n - 1 -
	    (int64_t)rng_below(&v->rng, v->n < 30 ? (uint64_t)v->n : 30));
	in.by = rig_id(v->rig, 'o', 1);
	in.paid = PAID_FAILED;
	rig_apply(v->rig, &in);
	follow(v, type == INPUT_RELEASE);
}

static void
pass_time(struct world *v)
{
	static const int64_t spans[] = { 1, 1000, 60000, H, 5 * H, 24 * H };
	uint64_t	 k = rng_below(&v->rng, 60);

	/* Now and then a burst, another exactly a window later. */
	if (v->burst > 0) {
		if (--v->burst % 40 == 0)
			v->t_ms += limits[v->used[0]].window_ms;
		return;
	}
	if (rng_below(&v->rng, 300) == 0) {
		v->burst = 80;
		v->t_ms += 10 * 24 * H;
		return;
	}
	/* Half of all steps share their millisecond with another. */
	if (k < 30)
		return;
	if (k < 36)
		/* Exactly on the edges of windows and buckets. */
		v->t_ms += limits[v->used[rng_below(&v->rng,
		    (uint64_t)v->n_used)]].window_ms / (k < 34 ? 64 : 1);
	else
		v->t_ms += (int64_t)rng_below(&v->rng,
		    (uint64_t)spans[k < 58 ? k % 4 : k % 6] + 1);
}

/* A policy of some of the limits. */
static void
write_policy(struct world *v, char *text, size_t size, int only)
{
	size_t	 n;
	int	 i;

	n = (size_t)snprintf(text, size, "policy 1\ndefault allow\n"
	    "delay 30m when amount >= 2 btc\n");
	for (i = 0; i < N_LIMITS; i++) {
		if (only >= 0 ? i != only : rng_below(&v->rng, 3) != 0)
			continue;
		n += (size_t)snprintf(text + n, size - n,
		    "hold \"l%d\" when %s\n", i, limits[i].rule);
		v->used[v->n_used++] = i;
	}
	CHECK(n < size);
}

static void
sequence(int only, uint64_t seed, int *released, int *held, int *matured)
{
	struct world	*v = calloc(1, sizeof(*v));
	char		 text[4096];
	int		 i;

	v->rng = (struct rng){ seed * 2 + 1 };
	v->t_ms = INT64_C(1557249324000);
	write_policy(v, text, sizeof(text), only);
	if (v->n_used == 0) {
		free(v);
		return;
	}
	v->rig = rig_new(text, (unsigned char)seed, false);
	for (i = 0; i < ACCOUNTS; i++)
		rig_account(v->rig, v->t_ms - 400 * MS_PER_DAY, i,
		    group_of(i));
	for (i = 0; i < STEPS && check_case_failed < 10; i++) {
		pass_time(v);
		if (rng_below(&v->rng, 5) == 0)
			meddle(v);
		else
			ask(v);
		CHECK_INT(engine_books_sum_sat(v->rig->engine), 0);
	}
	rig_tick(v->rig, v->t_ms + H);
	follow(v, false);
	*released += v->n_released;
	*held += v->n_held;
	*matured += v->n_matured;
	rig_free(v->rig);
	free(v);
}

int
main(int argc, char **argv)
{
	int	 rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 20;
	int	 i, k, released, held, matured;
	char	 names[2][200];

	for (i = -1; i < N_LIMITS; i++) {
		/* The name of the case before is still in use. */
		snprintf(names[i & 1], sizeof(names[0]), "S15 no true sliding "
		    "window exceeds its limit, %s", i < 0 ?
		    "several at once" : limits[i].rule);
		check_case(names[i & 1]);
		released = held = matured = 0;
		for (k = 0; k < (i < 0 ? 4 * rounds : rounds); k++)
			sequence(i, (uint64_t)(k + 100 * (i + 1)), &released,
			    &held, &matured);
		/* The test would be empty otherwise. */
		CHECK(released > 100 && held > 30 && matured > 20);
		printf("# released %d held %d matured %d\n", released, held,
		    matured);
	}
	return check_done();
}
