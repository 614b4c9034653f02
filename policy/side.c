/*
 * The direction of every rounding, followed through a condition (S22, S24).
 */
#include "policy/side.h"

#include <string.h>

struct side_walk {
	const struct policy *p;
	struct diag	*d;
	const char	*what;		/* "allow" or "exempt" */
	int		 cls;		/* class we are inside of, or -1 */
	/* Bit `negate` of a class: it was walked.  Without it, classes that
	 * name one another twice would be walked 2^64 times. */
	unsigned char	 seen[CLASSES_MAX];
};

enum side
side_of(const struct policy *p, const struct quantity *q)
{
	switch (q->kind) {
	case Q_CONST:
	case Q_DECLARED:
		return SIDE_EXACT;
	case Q_SHARE:
		return SIDE_FOR;
	case Q_FACT:
		return word_of(q->fact)->side;
	case Q_AGG:
		return SIDE_AGAINST;
	case Q_NAME:
		/* A let names only what stands above it: this ends. */
		return side_of(p, &p->lets[q->index].q);
	}
	return SIDE_EXACT;
}

static void
complain(const struct side_walk *w, struct pos pos, enum side side)
{
	const char	*name = w->cls < 0 ? NULL :
	    w->p->classes[w->cls].name;
	char		 hint[200];

	switch (side) {
	case SIDE_EXACT:
		return;
	case SIDE_AGAINST:
		snprintf(hint, sizeof(hint),
		    "for trust use `credit` or `habit`%s%s%s",
		    name != NULL ? "; class `" : "", name != NULL ? name : "",
		    name != NULL ? "` excuses here" : "");
		diag_error(w->d, pos, hint, "E-SIDE: this is rounded up, so "
		    "it may accuse but not excuse: in `%s` bound it only "
		    "from above", w->what);
		return;
	case SIDE_FOR:
		diag_error(w->d, pos, name != NULL ?
		    "a class that an `allow` or `exempt` reads" : NULL,
		    "E-SIDE: this is rounded down, so its smallness may "
		    "accuse but not excuse: in `%s` bound it only from below",
		    w->what);
		return;
	case SIDE_CHAIN:
		diag_error(w->d, pos, "write it in a rule severer than allow",
		    "E-SIDE: what the chain knows tells who was patient, not "
		    "who is honest; `%s` may not read it", w->what);
		return;
	}
}

/* A quantity that excuses by being small (`above` false) or large. */
static void
check_bound(const struct side_walk *w, const struct quantity *q,
    bool from_above)
{
	enum side	 side = side_of(w->p, q);

	if (side == SIDE_CHAIN || (side == SIDE_AGAINST && !from_above) ||
	    (side == SIDE_FOR && from_above))
		complain(w, q->pos, side);
}

static void
check_compare(const struct side_walk *w, const struct cond *c, bool negate)
{
	bool	 left_small = c->rel == REL_LT || c->rel == REL_LE;

	if (c->rel == REL_EQ) {
		/* Equal bounds both ways; unequal excuses both ways. */
		check_bound(w, &c->left, true);
		check_bound(w, &c->left, false);
		if (!c->is_line) {
			check_bound(w, &c->right, true);
			check_bound(w, &c->right, false);
		} else
			complain(w, c->pos, SIDE_FOR);
		return;
	}
	if (negate)
		left_small = !left_small;
	check_bound(w, &c->left, left_small);
	if (!c->is_line)
		check_bound(w, &c->right, !left_small);
	else if (!left_small)
		complain(w, c->pos, SIDE_FOR);
}

/* Bounded by what the parser allows inside one another, and by classes
 * that name only classes above them. */
static void
check_cond(struct side_walk *w, const struct cond *c, bool negate)
{
	int	 i, outer = w->cls;

	switch (c->kind) {
	case COND_OR:
	case COND_AND:
	case COND_NOT:
		for (i = 0; i < c->n_kids; i++)
			check_cond(w, c->kids[i],
			    c->kind == COND_NOT ? !negate : negate);
		return;
	case COND_COMPARE:
		check_compare(w, c, negate);
		return;
	case COND_FLAG:
		check_bound(w, &c->left, negate);
		return;
	case COND_IN:
		return;
	case COND_CLASS:
		if (c->index == CLASS_PROVEN && negate)
			complain(w, c->pos, SIDE_FOR);
		if (c->index < CLASS_FIRST ||
		    (w->seen[c->index] & (1 << negate)) != 0)
			return;
		w->seen[c->index] |= (unsigned char)(1 << negate);
		w->cls = c->index;
		check_cond(w, w->p->classes[c->index].cond, negate);
		w->cls = outer;
		return;
	case COND_FRAUD:
		if (!negate)
			complain(w, c->pos, SIDE_AGAINST);
		return;
	}
}

void
side_check(const struct policy *p, struct diag *d)
{
	struct side_walk w = { .p = p, .d = d, .what = "allow", .cls = -1 };
	int	 i;

	for (i = 0; i < p->n_rules; i++)
		if (p->rules[i].verdict == VERDICT_ALLOW &&
		    !p->rules[i].shadow && p->rules[i].cond != NULL)
			check_cond(&w, p->rules[i].cond, false);
	w.what = "exempt";
	memset(w.seen, 0, sizeof(w.seen));
	for (i = 0; i < p->n_exempts; i++)
		if (p->exempts[i].cond != NULL)
			check_cond(&w, p->exempts[i].cond, false);
}
