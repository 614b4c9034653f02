#include "sim/tune.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/amount.h"
#include "policy/program.h"
#include "sim/rng.h"

#define ROUNDS	3

struct search {
	struct tune	*out;
	struct suite	*suite;
	struct policy	*policy;
	const struct knob *knobs;
	int		 n_knobs;
	int		 n_kinds;
	size_t		 n_scenes;
	const struct tune_options *o;
	struct suite_result *results;
	void		(*said)(void *ctx, int n);
	void		*ctx;
	int		 n_played;
};

int64_t
tune_value(const struct tune_point *pt, const struct knob *knobs, int k)
{
	return pt->at[k] == TUNE_AS_FILE ? knobs[k].before :
	    knobs[k].grid[pt->at[k]];
}

void
tune_free(struct tune *t)
{
	free(t->points);
	memset(t, 0, sizeof(*t));
}

/* Points */

static bool
same_point(const struct search *s, const struct tune_point *a,
    const struct tune_point *b)
{
	int	 k;

	for (k = 0; k < s->n_knobs; k++)
		if (tune_value(a, s->knobs, k) != tune_value(b, s->knobs, k))
			return false;
	return true;
}

/* False when there is no room or when it is there already. */
static bool
add_point(struct search *s, const struct tune_point *pt)
{
	struct tune	*t = s->out;
	int		 i;

	if (t->n_points == TUNE_POINTS_MAX)
		return false;
	for (i = 0; i < t->n_points; i++)
		if (same_point(s, &t->points[i], pt))
			return false;
	memset(&t->points[t->n_points], 0, sizeof(*pt));
	memcpy(t->points[t->n_points++].at, pt->at, sizeof(pt->at));
	return true;
}

static struct tune_point
as_file(void)
{
	struct tune_point	 pt;
	int			 k;

	memset(&pt, 0, sizeof(pt));
	for (k = 0; k < KNOBS_MAX; k++)
		pt.at[k] = TUNE_AS_FILE;
	return pt;
}

static void
first_points(struct search *s)
{
	struct tune_point	 pt = as_file();
	struct rng		 r;
	int			 k, tries;

	(void)add_point(s, &pt);
	for (k = 0; k < s->n_knobs; k++) {
		pt = as_file();
		pt.at[k] = 0;
		(void)add_point(s, &pt);
		pt.at[k] = s->knobs[k].steps - 1;
		(void)add_point(s, &pt);
	}
	rng_start(&r, s->o->seed, 0x74756e65, 0);
	for (tries = 0; tries < 20 * s->o->points &&
	    s->out->n_points < s->o->points; tries++) {
		pt = as_file();
		/* One in four stays as it is: not everything need move. */
		for (k = 0; k < s->n_knobs; k++)
			if (rng_below(&r, 4) != 0)
				pt.at[k] = (int)rng_below(&r,
				    (uint64_t)s->knobs[k].steps);
		(void)add_point(s, &pt);
	}
}

/* Playing */

static void
turn(const struct search *s, const struct tune_point *pt)
{
	int	 k;

	for (k = 0; k < s->n_knobs; k++)
		*s->knobs[k].value = pt != NULL ?
		    tune_value(pt, s->knobs, k) : s->knobs[k].before;
}

static int64_t
share_ppm(int64_t part, int64_t whole)
{
	return whole == 0 ? 0 : muldiv(part, 1000000, whole);
}

static int64_t
friction_of(const struct tune_point *pt, enum tune_friction f)
{
	switch (f) {
	case FRICTION_HELD:
		return pt->held_ppm;
	case FRICTION_VALUE:
		return pt->value_ppm;
	case FRICTION_DELAYED:
		return pt->delayed_ppm;
	case FRICTION_CODE:
		return pt->code_ppm;
	case FRICTION_ALL:
		return pt->held_ppm * 1000 + pt->value_ppm * 50 +
		    pt->delayed_ppm * 100 + pt->code_ppm * 333;
	}
	abort();
}

static void
take_results(struct search *s, struct tune_point *pt)
{
	const size_t			 n = suite_count(s->suite);
	struct suite_sum		 sum;
	const struct suite_price	*p = &sum.honest;

	suite_sum(&sum, s->results, n, false, -1, -1);
	pt->loss_ppm = sum.loss_mean_ppm;
	pt->worst_ppm = sum.loss_worst_ppm;
	suite_sum(&sum, s->results, n, true, -1, -1);
	/* What a false halt stops is kept back like what a rule holds. */
	pt->held_ppm = share_ppm(p->held.count + p->denied.count +
	    p->stopped.count, p->all.count);
	pt->value_ppm = share_ppm(p->held.sat + p->denied.sat +
	    p->stopped.sat, p->all.sat);
	pt->delayed_ppm = share_ppm(p->delayed.count, p->all.count);
	pt->code_ppm = share_ppm(p->stepped.count, p->all.count);
	pt->friction_ppm = friction_of(pt, s->o->friction);
}

static enum rc
play(struct search *s, struct tune_point *pt, struct err *e)
{
	struct program	*program = NULL;
	enum rc		 rc;

	turn(s, pt);
	memset(s->results, 0, suite_count(s->suite) * sizeof(*s->results));
	rc = program_new(&program, s->policy, e);
	if (rc == RC_OK)
		rc = suite_run(s->suite, program, &s->o->reviewer,
		    s->results, NULL, NULL, e);
	program_free(&program);
	turn(s, NULL);
	if (rc != RC_OK)
		return rc;
	take_results(s, pt);
	if (s->said != NULL)
		s->said(s->ctx, ++s->n_played);
	return RC_OK;
}

/* Which part of the scenes a round plays. */
static void
narrow(struct search *s, int round)
{
	bool	 kinds[SUITE_KINDS_MAX];
	int	 i;

	for (i = 0; i < s->n_kinds; i++)
		kinds[i] = round > 0 || s->n_kinds <= 3 || i % 3 == 0;
	suite_narrow(s->suite, round < ROUNDS - 1 ? 1 : s->n_scenes, kinds);
}

/* A round that would play what the next one plays is left out. */
static bool
idle(const struct search *s, int round)
{
	return (round == 0 && s->n_kinds <= 3) ||
	    (round == 1 && s->n_scenes == 1);
}

/* Ranks */

static bool
beats(const struct tune_point *a, const struct tune_point *b)
{
	return a->loss_ppm <= b->loss_ppm &&
	    a->friction_ppm <= b->friction_ppm &&
	    (a->loss_ppm < b->loss_ppm || a->friction_ppm < b->friction_ppm);
}

/* Sets rank[i] of every candidate: 0 is the frontier. */
static void
rank_points(const struct tune *t, const bool *candidate, int *rank)
{
	int	 i, k, level, left = 0;
	bool	 beaten;

	for (i = 0; i < t->n_points; i++) {
		rank[i] = -1;
		left += candidate[i];
	}
	for (level = 0; left > 0; level++) {
		for (i = 0; i < t->n_points; i++) {
			if (!candidate[i] || (rank[i] >= 0 &&
			    rank[i] < level))
				continue;
			beaten = false;
			for (k = 0; k < t->n_points && !beaten; k++)
				beaten = candidate[k] && (rank[k] < 0 ||
				    rank[k] == level) &&
				    beats(&t->points[k], &t->points[i]);
			if (!beaten) {
				rank[i] = level;
				left--;
			}
		}
	}
}

/* Of a rank that fits in part: `room` points spread over its friction. */
static void
spread(const struct tune *t, const int *rank, int level, bool *keep,
    int room)
{
	int	 in[TUNE_POINTS_MAX], n = 0, i, k, at;

	for (i = 0; i < t->n_points; i++) {
		if (rank[i] != level)
			continue;
		for (k = n++; k > 0 && t->points[in[k - 1]].friction_ppm >
		    t->points[i].friction_ppm; k--)
			in[k] = in[k - 1];
		in[k] = i;
	}
	for (i = 0; i < room; i++) {
		at = room == 1 ? 0 : (int)((int64_t)i * (n - 1) / (room - 1));
		keep[in[at]] = true;
	}
}

/* Keep the better half of the candidates; the file always goes on. */
static void
halve(const struct search *s, bool *candidate)
{
	static int	 rank[TUNE_POINTS_MAX];
	bool		 keep[TUNE_POINTS_MAX] = { false };
	int		 i, n = 0, room, level, of_level;

	rank_points(s->out, candidate, rank);
	for (i = 0; i < s->out->n_points; i++)
		n += candidate[i];
	room = (n + 1) / 2;
	for (level = 0; room > 0; level++) {
		of_level = 0;
		for (i = 0; i < s->out->n_points; i++)
			of_level += rank[i] == level;
		if (of_level > room) {
			spread(s->out, rank, level, keep, room);
			break;
		}
		for (i = 0; i < s->out->n_points; i++)
			if (rank[i] == level)
				keep[i] = true;
		room -= of_level;
	}
	keep[0] = true;
	memcpy(candidate, keep, sizeof(keep));
}

static void
mark_frontier(struct search *s)
{
	static int	 rank[TUNE_POINTS_MAX];
	bool		 whole[TUNE_POINTS_MAX];
	int		 i;

	for (i = 0; i < s->out->n_points; i++)
		whole[i] = s->out->points[i].whole;
	rank_points(s->out, whole, rank);
	for (i = 0; i < s->out->n_points; i++)
		s->out->points[i].frontier = rank[i] == 0;
}

/* One step of one knob away from the frontier, while the budget lasts. */
static enum rc
refine(struct search *s, int budget, struct err *e)
{
	struct tune_point	 pt;
	int			 i, k, d, n;

	mark_frontier(s);
	for (i = 0; i < s->out->n_points && budget > 0; i++) {
		if (!s->out->points[i].frontier)
			continue;
		for (k = 0; k < s->n_knobs; k++) {
			for (d = -1; d <= 1 && budget > 0; d += 2) {
				pt = s->out->points[i];
				if (pt.at[k] == TUNE_AS_FILE)
					continue;
				pt.at[k] += d;
				if (pt.at[k] < 0 ||
				    pt.at[k] >= s->knobs[k].steps ||
				    !add_point(s, &pt))
					continue;
				n = s->out->n_points - 1;
				if (play(s, &s->out->points[n], e) != RC_OK)
					return RC_FAILED;
				s->out->points[n].whole = true;
				s->out->points[n].rounds = ROUNDS;
				budget--;
			}
		}
	}
	mark_frontier(s);
	return RC_OK;
}

static enum rc
search(struct search *s, struct err *e)
{
	bool	 candidate[TUNE_POINTS_MAX];
	int	 round, i;

	first_points(s);
	memset(candidate, true, sizeof(candidate));
	for (round = 0; round < ROUNDS; round++) {
		if (idle(s, round))
			continue;
		narrow(s, round);
		for (i = 0; i < s->out->n_points; i++) {
			if (!candidate[i])
				continue;
			if (play(s, &s->out->points[i], e) != RC_OK)
				return RC_FAILED;
			s->out->points[i].rounds = round + 1;
			s->out->points[i].whole = round == ROUNDS - 1;
		}
		for (; i < TUNE_POINTS_MAX; i++)
			candidate[i] = false;
		if (round < ROUNDS - 1)
			halve(s, candidate);
	}
	return refine(s, s->o->points / 2, e);
}

enum rc
tune_run(struct tune *out, struct suite *suite, struct policy *p,
    const struct knob *knobs, int n_knobs, int n_kinds, size_t n_scenes,
    const struct tune_options *o, void (*said)(void *ctx, int n), void *ctx,
    struct err *e)
{
	struct search	 s = { .out = out, .suite = suite, .policy = p,
		.knobs = knobs, .n_knobs = n_knobs, .n_kinds = n_kinds,
		.n_scenes = n_scenes, .o = o, .said = said, .ctx = ctx };
	enum rc		 rc;

	assert(n_knobs >= 1 && n_knobs <= KNOBS_MAX && o->points >= 1);
	memset(out, 0, sizeof(*out));
	out->points = calloc(TUNE_POINTS_MAX, sizeof(*out->points));
	s.results = calloc(suite_count(suite), sizeof(*s.results));
	if (out->points == NULL || s.results == NULL)
		rc = err_set(e, "out of memory");
	else
		rc = search(&s, e);
	free(s.results);
	if (rc != RC_OK)
		tune_free(out);
	return rc;
}
