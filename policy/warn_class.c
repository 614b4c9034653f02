/*
 * W5 and W6: what is watched by half, and what nobody watches.
 *
 * What is proven stands apart, as in the promise (watch.h): of a class that
 * may hold it only the rest is asked about.  A class that no withdrawal of
 * itself decides, such as "a shop of two weeks" or "a rush", is not a share
 * of what leaves and is passed over.
 */
#include <string.h>

#include "policy/imply.h"
#include "policy/warn_in.h"

#define NAMED		5		/* in one warning */
#define ASKED_MAX	2		/* watches of one kind of one class */

/* A list of classes for one warning. */
struct found {
	struct pos	 pos;
	int		 n;
	char		 names[NAMED * 64];
};

bool
warn_is_budget(const struct policy *p, const struct watch *t)
{
	return !t->line && t->agg.what == AGG_SUM &&
	    t->agg.stage != STAGE_BLOCKED && t->agg.stage != STAGE_CONFIRMED &&
	    p->rules[t->rule].verdict >= VERDICT_HOLD;
}

void
warn_rest(const struct policy *p, const struct watch *t, struct cond *out,
    struct cond *kids[WARN_KIDS])
{
	const struct cond *c = p->rules[t->rule].cond;
	int	 i;

	*out = (struct cond){ .kind = COND_AND, .kids = kids };
	for (i = 0; c->kind == COND_AND && i < c->n_kids; i++)
		if (c->kids[i] != t->atom && out->n_kids < WARN_KIDS)
			kids[out->n_kids++] = c->kids[i];
}

static void
find(struct found *f, const struct class *c)
{
	size_t	 at = strlen(f->names);

	if (f->n == 0)
		f->pos = c->pos;
	if (f->n < NAMED)
		snprintf(f->names + at, sizeof(f->names) - at, "%s`%.50s`",
		    f->n > 0 ? ", " : "", c->name);
	f->n++;
}

/* "class `c`", "7 classes (`a`, `b`, ...)" */
static const char *
subject(const struct found *f, char *buf, size_t buf_len)
{
	if (f->n == 1)
		snprintf(buf, buf_len, "class %s", f->names);
	else
		snprintf(buf, buf_len, "%d classes (%s%s)", f->n, f->names,
		    f->n > NAMED ? ", ..." : "");
	return buf;
}

/* --- a region to ask about --------------------------------------------- */

struct region {
	struct cond	 all;
	struct cond	*kids[WARN_KIDS + 2];
	struct cond	 cls;
	struct cond	 proven;
	struct cond	 not_proven;
	struct cond	*not_kid[1];
	struct cond	 rest;
	struct cond	*rest_kids[WARN_KIDS];
};

/* The class, not proven, and where t is given under its rule's condition. */
static const struct cond *
region_of(const struct policy *p, int cls, const struct watch *t,
    struct region *r)
{
	memset(r, 0, sizeof(*r));
	r->all = (struct cond){ .kind = COND_AND, .kids = r->kids };
	r->cls = (struct cond){ .kind = COND_CLASS, .index = cls };
	r->kids[r->all.n_kids++] = &r->cls;
	if (p->trust.given) {
		r->proven = (struct cond){ .kind = COND_CLASS,
			.index = CLASS_PROVEN };
		r->not_kid[0] = &r->proven;
		r->not_proven = (struct cond){ .kind = COND_NOT,
			.kids = r->not_kid, .n_kids = 1 };
		r->kids[r->all.n_kids++] = &r->not_proven;
	}
	if (t != NULL) {
		warn_rest(p, t, &r->rest, r->rest_kids);
		r->kids[r->all.n_kids++] = &r->rest;
	}
	return &r->all;
}

/* Nothing of it leaves, or there is nothing in it. */
static bool
is_shut(const struct policy *p, const struct cond *region)
{
	struct imply_term term = { region, false, NULL };

	return !imply_possible(p, &term, 1) || watch_held(p, region);
}

enum want { WANT_LINE, WANT_BUDGET, WANT_SUM };

static bool
is_wanted(const struct policy *p, const struct watch *t, enum want want)
{
	if (t->agg.scope != SCOPE_PLATFORM)
		return false;
	switch (want) {
	case WANT_LINE:
		return t->line;
	case WANT_BUDGET:
		return warn_is_budget(p, t);
	case WANT_SUM:
		return t->agg.what == AGG_SUM;
	}
	return false;
}

static bool
is_watched(const struct warn *w, const struct cond *region, enum want want)
{
	int	 i;

	for (i = 0; i < w->n_watches; i++)
		if (is_wanted(w->p, &w->watches[i], want) &&
		    watch_covers(w->p, &w->watches[i], region))
			return true;
	/* Who could not look has not seen that nobody watches. */
	return imply_spent();
}

/* --- W5 ---------------------------------------------------------------- */

/* Where `has` watches the class, is there one that is wanted besides? */
static bool
lacks(const struct warn *w, int cls, enum want has, enum want want)
{
	const struct cond *region;
	struct region	 r;
	int		 i, asked = 0;

	for (i = 0; i < w->n_watches && asked < ASKED_MAX; i++) {
		const struct watch *t = &w->watches[i];

		if (t->agg.cls != cls || t->agg.cls_not ||
		    !is_wanted(w->p, t, has))
			continue;
		asked++;
		region = region_of(w->p, cls, t, &r);
		if (!is_shut(w->p, region) && !is_watched(w, region, want))
			return true;
	}
	return false;
}

static void
w5_half(const struct warn *w)
{
	struct found	 line = { .n = 0 }, budget = { .n = 0 };
	char		 text[sizeof(line.names) + 64];
	int		 i;

	for (i = CLASS_FIRST; i < w->p->n_classes; i++) {
		if (lacks(w, i, WANT_LINE, WANT_BUDGET))
			find(&line, &w->p->classes[i]);
		if (lacks(w, i, WANT_BUDGET, WANT_LINE))
			find(&budget, &w->p->classes[i]);
	}
	if (line.n > 0)
		diag_warning(w->d, line.pos, NULL, "W5: a line but no budget "
		    "for %s: whoever raises the line slowly is never stopped",
		    subject(&line, text, sizeof(text)));
	if (budget.n > 0)
		diag_warning(w->d, budget.pos, NULL, "W5: a budget but no "
		    "line for %s: a busy day starves it, and a theft below "
		    "it rings no bell", subject(&budget, text, sizeof(text)));
}

/* --- W6 ---------------------------------------------------------------- */

/* What no single withdrawal decides. */
static bool
is_shared(const struct policy *p, const struct quantity *q)
{
	while (q->kind == Q_NAME)
		q = &p->lets[q->index].q;
	if (q->kind == Q_FACT)
		return q->fact == FACT_AGE_PLATFORM || q->fact == FACT_HOT ||
		    q->fact == FACT_FUND || q->fact == FACT_HOUR ||
		    q->fact == FACT_WEEKDAY;
	return q->kind != Q_DECLARED && (q->kind != Q_AGG ||
	    q->agg.scope == SCOPE_PLATFORM);
}

/* `shared`: the classes above that are.  As deep as the parser allows. */
static bool
is_circumstance(const struct policy *p, const struct cond *c, uint64_t shared)
{
	int	 i;

	switch (c->kind) {
	case COND_AND:
	case COND_OR:
	case COND_NOT:
		for (i = 0; i < c->n_kids; i++)
			if (!is_circumstance(p, c->kids[i], shared))
				return false;
		return true;
	case COND_COMPARE:
		return is_shared(p, &c->left) &&
		    (c->is_line || is_shared(p, &c->right));
	case COND_FRAUD:
		return true;
	case COND_CLASS:
		return (shared >> c->index & 1) != 0;
	case COND_FLAG:
	case COND_IN:
		return false;
	}
	return false;
}

/* Classes that some rule reads and that are a share of what may leave. */
static uint64_t
shares_of(const struct warn *w)
{
	const struct policy *p = w->p;
	uint64_t	 shared = 0, read = 0;
	int		 i;

	for (i = CLASS_FIRST; i < p->n_classes; i++)
		if (p->classes[i].cond != NULL &&
		    is_circumstance(p, p->classes[i].cond, shared))
			shared |= UINT64_C(1) << i;
	for (i = 0; i < p->n_rules; i++)
		if (!p->rules[i].shadow)
			read |= watch_classes(p->rules[i].cond);
	for (i = 0; i < w->n_watches; i++)
		if (w->watches[i].agg.cls >= 0)
			read |= UINT64_C(1) << w->watches[i].agg.cls;
	return read & ~shared & ~((UINT64_C(1) << CLASS_FIRST) - 1);
}

static void
w6_nobody(const struct warn *w)
{
	const struct cond *region;
	struct found	 none = { .n = 0 };
	struct region	 r;
	struct pos	 pos = { 0, 1, 1, 0 };
	uint64_t	 shares = shares_of(w);
	char		 text[sizeof(none.names) + 64];
	int		 i;

	if (w->p->n_ceilings > 0)
		return;
	for (i = CLASS_FIRST; i < w->p->n_classes; i++) {
		if ((shares >> i & 1) == 0)
			continue;
		region = region_of(w->p, i, NULL, &r);
		if (!is_shut(w->p, region) &&
		    !is_watched(w, region, WANT_SUM))
			find(&none, &w->p->classes[i]);
	}
	if (shares == 0 && !watch_held(w->p, NULL) &&
	    !is_watched(w, NULL, WANT_SUM))
		diag_warning(w->d, pos, NULL, "W6: nobody watches the "
		    "platform: no sum over all accounts bounds what leaves");
	if (none.n > 0)
		diag_warning(w->d, none.pos, NULL, "W6: nobody watches %s on "
		    "the platform: no sum over all accounts bounds what "
		    "leaves", subject(&none, text, sizeof(text)));
}

void
warn_classes(const struct warn *w)
{
	w5_half(w);
	w6_nobody(w);
}
