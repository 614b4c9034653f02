/*
 * Two conditions side by side: is the new one true more often?
 */
#include <stdarg.h>
#include <string.h>

#include "lib/amount.h"
#include "policy/against_in.h"
#include "policy/print.h"

#define KIDS_MAX	64

/* A difference with its direction, as seen from the subject. */
static void __attribute__((format(printf, 4, 5)))
differs(struct against_walk *w, enum width width, bool negate,
    const char *fmt, ...)
{
	enum against	 direction = AGAINST_LOOSENS;
	char		 text[300];
	va_list		 ap;

	if (width != WIDTH_UNKNOWN && !w->unsure &&
	    ((width == WIDTH_WIDER) != negate) == w->accuses)
		direction = AGAINST_TIGHTENS;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (w->through != NULL)
		against_say(w, direction, "through `%s`: %s", w->through,
		    text);
	else
		against_say(w, direction, "%s", text);
}

static const struct quantity *
resolve(const struct policy *p, const struct quantity *q, int64_t *times)
{
	*times = q->times;
	while (q->kind == Q_NAME) {
		q = &p->lets[q->index].q;
		*times = muldiv(*times, q->times, 1);
	}
	return q;
}

/* In the spelling of its own policy. */
static const char *
spell(const struct policy *p, const struct quantity *q, char *buf,
    size_t buf_len)
{
	int64_t	 times;

	/* A let's own value says more than its name. */
	if (q->kind == Q_NAME && q->times == 1)
		q = resolve(p, q, &times);
	return print_quantity(p, buf, buf_len, q);
}

/* `up`: larger makes the condition wider. */
static enum width
by_size(bool larger, bool up)
{
	return larger == up ? WIDTH_WIDER : WIDTH_NARROWER;
}

/* --- tables ------------------------------------------------------------ */

static bool
has_row(const struct table *t, const struct table_row *row)
{
	size_t	 i;

	for (i = 0; i < t->n_rows; i++) {
		const struct table_row *r = &t->rows[i];

		if (t->kind == TABLE_ADDRESSES && r->script_len ==
		    row->script_len && memcmp(r->script, row->script,
		    (size_t)r->script_len) == 0)
			return true;
		if (t->kind == TABLE_NETWORKS && r->bits == row->bits &&
		    memcmp(r->ip, row->ip, sizeof(r->ip)) == 0)
			return true;
		if ((t->kind == TABLE_ACCOUNTS || t->kind == TABLE_GROUPS) &&
		    r->group == row->group && strcmp(r->text, row->text) == 0)
			return true;
	}
	return false;
}

/* Tables larger than this are not compared row by row. */
#define ROWS_MAX	20000

static void
compare_tables(struct against_walk *w, int old, int new, bool negate)
{
	const struct table *a = &w->old->tables[old], *b =
	    &w->new->tables[new];
	unsigned char	 bit = (unsigned char)(1 << (negate + 2 * w->unsure));
	size_t		 i, gone = 0, come = 0;

	if (a->digest == b->digest && a->kind == b->kind)
		return;
	if ((w->seen_table[new][w->accuses] & bit) != 0)
		return;
	w->seen_table[new][w->accuses] |= bit;
	if (a->kind != b->kind || a->n_rows > ROWS_MAX ||
	    b->n_rows > ROWS_MAX || a->kind == TABLE_GROUPS) {
		differs(w, WIDTH_UNKNOWN, negate, "table <%s> changed",
		    b->name);
		return;
	}
	for (i = 0; i < a->n_rows; i++)
		gone += !has_row(b, &a->rows[i]);
	for (i = 0; i < b->n_rows; i++)
		come += !has_row(a, &b->rows[i]);
	if (come != 0)
		differs(w, WIDTH_WIDER, negate, "table <%s> is longer by %zu",
		    b->name, come);
	if (gone != 0)
		differs(w, WIDTH_NARROWER, negate, "table <%s> is without "
		    "%zu", b->name, gone);
	if (come == 0 && gone == 0)
		differs(w, WIDTH_UNKNOWN, negate, "table <%s> changed",
		    b->name);
}

/* --- classes ----------------------------------------------------------- */

static void
compare_classes(struct against_walk *w, int old, int new, bool negate)
{
	const struct class *a = &w->old->classes[old], *b =
	    &w->new->classes[new];
	unsigned char	 bit = (unsigned char)(1 << (negate + 2 * w->unsure));
	const char	*outer = w->through;

	if (strcmp(a->name, b->name) != 0) {
		differs(w, WIDTH_UNKNOWN, negate, "class `%s`, was `%s`",
		    b->name, a->name);
		return;
	}
	if (old < CLASS_FIRST || new < CLASS_FIRST)
		return;
	if ((w->seen_class[new][w->accuses] & bit) != 0)
		return;
	w->seen_class[new][w->accuses] |= bit;
	w->through = b->name;
	against_cond(w, a->cond, b->cond, negate);
	w->through = outer;
}

/* --- quantities -------------------------------------------------------- */

static bool
same_counter(struct against_walk *w, const struct agg *a, const struct agg *b)
{
	if (a->what != b->what || a->thing != b->thing || a->scope != b->scope)
		return false;
	if ((a->scope == SCOPE_IP || a->scope == SCOPE_IP6) &&
	    a->prefix != b->prefix)
		return false;
	if (a->scope == SCOPE_GROUP_TABLE) {
		if (strcmp(w->old->tables[a->table].name,
		    w->new->tables[b->table].name) != 0)
			return false;
		if (w->old->tables[a->table].digest !=
		    w->new->tables[b->table].digest)
			return false;
	}
	return a->stage == b->stage || (a->stage == STAGE_RELEASED &&
	    b->stage == STAGE_COMMITTED) || (a->stage == STAGE_COMMITTED &&
	    b->stage == STAGE_RELEASED);
}

static void
compare_aggs(struct against_walk *w, const struct agg *a, const struct agg *b,
    bool up, bool negate)
{
	char	 was[PRINT_TEXT_MAX], is[PRINT_TEXT_MAX];
	bool	 inside = (a->cls >= 0 && a->cls_not) != !up;

	if (!same_counter(w, a, b)) {
		differs(w, WIDTH_UNKNOWN, negate, "%.140s, was %.140s",
		    print_agg(w->new, is, sizeof(is), b),
		    print_agg(w->old, was, sizeof(was), a));
		return;
	}
	if (a->stage != b->stage)
		differs(w, by_size(b->stage == STAGE_COMMITTED, up), negate,
		    "%s, was %s", stage_text(b->stage), stage_text(a->stage));
	if (a->window_ms != b->window_ms)
		differs(w, by_size(b->window_ms > a->window_ms, up), negate,
		    "window %s, was %s", print_duration(is, sizeof(is),
		    b->window_ms), print_duration(was, sizeof(was),
		    a->window_ms));
	/* A smaller set is full earlier and then reads without end. */
	if (a->cap != b->cap)
		differs(w, a->cap == 0 || b->cap == 0 ? WIDTH_UNKNOWN :
		    by_size(b->cap < a->cap, up), negate, "cap %d, was %d",
		    b->cap, a->cap);
	if (a->cls < 0 && b->cls < 0)
		return;
	if (a->cls < 0 || b->cls < 0)
		differs(w, by_size(b->cls < 0, up), negate, "counts %s%s, was "
		    "%s%s", b->cls < 0 ? "all" : b->cls_not ? "not " : "",
		    b->cls < 0 ? "" : w->new->classes[b->cls].name,
		    a->cls < 0 ? "all" : a->cls_not ? "not " : "",
		    a->cls < 0 ? "" : w->old->classes[a->cls].name);
	else if (a->cls_not != b->cls_not)
		differs(w, WIDTH_UNKNOWN, negate, "counts the opposite class");
	else
		/* A wider class counts more. */
		compare_classes(w, a->cls, b->cls, negate != inside);
}

/* Same kind of thing, so that only its factor may differ? */
static bool
same_base(struct against_walk *w, const struct quantity *a,
    const struct quantity *b)
{
	if (a->kind != b->kind || a->type != b->type)
		return false;
	switch (a->kind) {
	case Q_CONST:
	case Q_AGG:
		return true;
	case Q_SHARE:
		return a->of_fund == b->of_fund;
	case Q_FACT:
		return a->fact == b->fact;
	case Q_DECLARED:
		return strcmp(w->old->declared[a->index].name,
		    w->new->declared[b->index].name) == 0;
	case Q_NAME:
		return false;
	}
	return false;
}

/* `up`: a larger value makes the condition wider. */
static void
compare_quantities(struct against_walk *w, const struct quantity *a,
    const struct quantity *b, bool up, bool negate)
{
	char		 was[PRINT_TEXT_MAX], is[PRINT_TEXT_MAX];
	const struct quantity *qa, *qb;
	int64_t		 ta, tb, va, vb;

	qa = resolve(w->old, a, &ta);
	qb = resolve(w->new, b, &tb);
	if (!same_base(w, qa, qb)) {
		differs(w, WIDTH_UNKNOWN, negate, "%.140s, was %.140s",
		    spell(w->new, b, is, sizeof(is)),
		    spell(w->old, a, was, sizeof(was)));
		return;
	}
	va = muldiv(ta, qa->kind == Q_CONST ? qa->value :
	    qa->kind == Q_SHARE ? qa->ppm : 1, 1);
	vb = muldiv(tb, qb->kind == Q_CONST ? qb->value :
	    qb->kind == Q_SHARE ? qb->ppm : 1, 1);
	if (va != vb)
		differs(w, by_size(vb > va, up), negate, "%.140s, was %.140s",
		    spell(w->new, b, is, sizeof(is)),
		    spell(w->old, a, was, sizeof(was)));
	if (qa->kind == Q_AGG)
		compare_aggs(w, &qa->agg, &qb->agg, up, negate);
}

/* --- tests ------------------------------------------------------------- */

/* The direction of the line's right side: higher is `up`. */
static void
compare_lines(struct against_walk *w, const struct line *a,
    const struct line *b, bool up, bool negate)
{
	static const struct quantity nothing = { .kind = Q_CONST,
		.times = 1, .type = TYPE_AMOUNT };
	struct quantity	 pa = a->has_plus ? a->plus : nothing;
	struct quantity	 pb = b->has_plus ? b->plus : nothing;
	char		 was[PRINT_TEXT_MAX], is[PRINT_TEXT_MAX];

	if (a->busy != b->busy)
		differs(w, by_size(b->busy, up), negate, b->busy ?
		    "scaled by `busy`" : "no more scaled by `busy`");
	if (a->by_ppm != b->by_ppm)
		differs(w, by_size(b->by_ppm > a->by_ppm, up), negate,
		    "normal by %s, was %s", print_percent(is, sizeof(is),
		    b->by_ppm), print_percent(was, sizeof(was), a->by_ppm));
	/* Nothing is less than anything, of any kind. */
	if (a->has_plus != b->has_plus)
		differs(w, by_size(b->has_plus, up), negate, b->has_plus ?
		    "`plus` is new" : "`plus` is gone");
	else if (a->has_plus)
		compare_quantities(w, &pa, &pb, up, negate);
	compare_quantities(w, &a->learnt, &b->learnt, up, negate);
}

static bool
agg_differs(struct against_walk *w, const struct quantity *a,
    const struct quantity *b)
{
	int64_t	 ta, tb;

	a = resolve(w->old, a, &ta);
	b = resolve(w->new, b, &tb);
	return a->kind != Q_AGG || b->kind != Q_AGG ||
	    a->agg.window_ms != b->agg.window_ms ||
	    a->agg.stage != b->agg.stage || (a->agg.cls < 0) !=
	    (b->agg.cls < 0);
}

static void
compare_tests(struct against_walk *w, const struct cond *a,
    const struct cond *b, bool negate)
{
	bool	 up = a->rel == REL_GT || a->rel == REL_GE;
	bool	 new_up = b->rel == REL_GT || b->rel == REL_GE;
	bool	 outer = w->unsure;
	char	 was[PRINT_TEXT_MAX], is[PRINT_TEXT_MAX];

	if (a->is_line != b->is_line || (a->rel != b->rel && up != new_up) ||
	    ((a->rel == REL_EQ) != (b->rel == REL_EQ)) ||
	    (a->rel == REL_EQ && strcmp(print_cond(w->old, was, sizeof(was),
	    a), print_cond(w->new, is, sizeof(is), b)) != 0) ||
	    (a->is_line && agg_differs(w, &a->left, &b->left))) {
		/* A line's normal changes with what it counts. */
		differs(w, WIDTH_UNKNOWN, negate, "%.140s, was %.140s",
		    print_cond(w->new, is, sizeof(is), b),
		    print_cond(w->old, was, sizeof(was), a));
		return;
	}
	if (a->rel != b->rel)
		differs(w, b->rel == REL_GE || b->rel == REL_LE ?
		    WIDTH_WIDER : WIDTH_NARROWER, negate, "%s, was %s",
		    relop_text(b->rel), relop_text(a->rel));
	/* What a line counts is also what its normal is learnt from. */
	w->unsure = w->unsure || a->is_line || a->rel == REL_EQ;
	compare_quantities(w, &a->left, &b->left, up, negate);
	if (a->is_line) {
		w->unsure = outer;
		compare_lines(w, &a->line, &b->line, !up, negate);
		return;
	}
	compare_quantities(w, &a->right, &b->right, !up, negate);
	w->unsure = outer;
	if (a->less_ppm != b->less_ppm)
		differs(w, by_size(b->less_ppm < a->less_ppm, !up), negate,
		    "less up to %s, was %s", print_percent(is, sizeof(is),
		    b->less_ppm), print_percent(was, sizeof(was),
		    a->less_ppm));
}

/* --- and, or ----------------------------------------------------------- */

/* A condition as a list of kids of `kind`: itself when it is another. */
static int
kids_of(const struct cond *c, enum cond_kind kind, const struct cond **out)
{
	int	 i;

	if (c->kind != kind) {
		out[0] = c;
		return 1;
	}
	for (i = 0; i < c->n_kids; i++)
		out[i] = c->kids[i];
	return c->n_kids;
}

/*
 * Pair the kids: first those spelt alike, then the rest in their order; what
 * is left over came or went.
 */
static void
compare_kids(struct against_walk *w, const struct cond *a,
    const struct cond *b, enum cond_kind kind, bool negate)
{
	const struct cond *ka[KIDS_MAX], *kb[KIDS_MAX];
	char	 was[PRINT_TEXT_MAX], is[PRINT_TEXT_MAX];
	int	 i, k, na = kids_of(a, kind, ka), nb = kids_of(b, kind, kb);

	for (i = 0; i < na; i++) {
		for (k = 0; k < nb; k++) {
			if (ka[i] == NULL || kb[k] == NULL || strcmp(
			    print_cond(w->old, was, sizeof(was), ka[i]),
			    print_cond(w->new, is, sizeof(is), kb[k])) != 0)
				continue;
			against_cond(w, ka[i], kb[k], negate);
			ka[i] = kb[k] = NULL;
		}
	}
	for (i = 0, k = 0; ; i++, k++) {
		while (i < na && ka[i] == NULL)
			i++;
		while (k < nb && kb[k] == NULL)
			k++;
		if (i >= na || k >= nb)
			break;
		against_cond(w, ka[i], kb[k], negate);
	}
	for (; k < nb; k++)
		if (kb[k] != NULL)
			differs(w, kind == COND_OR ? WIDTH_WIDER :
			    WIDTH_NARROWER, negate, "`%s %.200s` is new",
			    kind == COND_OR ? "or" : "and",
			    print_cond(w->new, is, sizeof(is), kb[k]));
	for (; i < na; i++)
		if (ka[i] != NULL)
			differs(w, kind == COND_OR ? WIDTH_NARROWER :
			    WIDTH_WIDER, negate, "`%s %.200s` is gone",
			    kind == COND_OR ? "or" : "and",
			    print_cond(w->old, was, sizeof(was), ka[i]));
}

static void
replaced(struct against_walk *w, const struct cond *a, const struct cond *b,
    bool negate)
{
	char	 was[PRINT_TEXT_MAX], is[PRINT_TEXT_MAX];

	differs(w, WIDTH_UNKNOWN, negate, "%.140s, was %.140s",
	    print_cond(w->new, is, sizeof(is), b),
	    print_cond(w->old, was, sizeof(was), a));
}

static void
compare_in(struct against_walk *w, const struct cond *a, const struct cond *b,
    bool negate)
{
	if (a->subject != b->subject || strcmp(w->old->tables[a->index].name,
	    w->new->tables[b->index].name) != 0)
		replaced(w, a, b, negate);
	else
		compare_tables(w, a->index, b->index, negate);
}

static void
compare_fraud(struct against_walk *w, const struct cond *a,
    const struct cond *b, bool negate)
{
	if (a->window_ms != b->window_ms)
		differs(w, by_size(b->window_ms > a->window_ms, true), negate,
		    "a longer or shorter look back at fraud");
}

/* As deep as the parser allows; classes are walked once a direction. */
void
against_cond(struct against_walk *w, const struct cond *a,
    const struct cond *b, bool negate)
{
	if (a == NULL || b == NULL) {
		if (a != b)
			differs(w, a == NULL ? WIDTH_NARROWER : WIDTH_WIDER,
			    negate, a == NULL ? "a condition is new" :
			    "its condition is gone");
		return;
	}
	if (a->n_kids > KIDS_MAX || b->n_kids > KIDS_MAX) {
		replaced(w, a, b, negate);
		return;
	}
	if (a->kind == COND_AND || b->kind == COND_AND) {
		compare_kids(w, a, b, a->kind == COND_OR || b->kind ==
		    COND_OR ? COND_OR : COND_AND, negate);
		return;
	}
	if (a->kind == COND_OR || b->kind == COND_OR) {
		compare_kids(w, a, b, COND_OR, negate);
		return;
	}
	if (a->kind != b->kind) {
		replaced(w, a, b, negate);
		return;
	}
	switch (a->kind) {
	case COND_NOT:
		against_cond(w, a->kids[0], b->kids[0], !negate);
		return;
	case COND_COMPARE:
		compare_tests(w, a, b, negate);
		return;
	case COND_FLAG:
		compare_quantities(w, &a->left, &b->left, true, negate);
		return;
	case COND_IN:
		compare_in(w, a, b, negate);
		return;
	case COND_CLASS:
		compare_classes(w, a->index, b->index, negate);
		return;
	case COND_FRAUD:
		compare_fraud(w, a, b, negate);
		return;
	case COND_OR:
	case COND_AND:
		return;
	}
}

void
against_limit(struct against_walk *w, const char *what,
    const struct quantity *a, const struct quantity *b)
{
	char		 was[PRINT_TEXT_MAX], is[PRINT_TEXT_MAX];
	const struct quantity *qa, *qb;
	int64_t		 ta, tb, va, vb;

	qa = resolve(w->old, a, &ta);
	qb = resolve(w->new, b, &tb);
	va = muldiv(ta, qa->kind == Q_SHARE ? qa->ppm : qa->value, 1);
	vb = muldiv(tb, qb->kind == Q_SHARE ? qb->ppm : qb->value, 1);
	if (same_base(w, qa, qb) && va == vb)
		return;
	against_say(w, same_base(w, qa, qb) && vb < va ? AGAINST_TIGHTENS :
	    AGAINST_LOOSENS, "%s%s, was %s", what, spell(w->new, b, is,
	    sizeof(is)), spell(w->old, a, was, sizeof(was)));
}
