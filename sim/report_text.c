/*
 * The report for people: what left, what was stopped, what it cost the
 * honest, and which rules did it.  It fits a screen of 40 lines and 80
 * columns; the exact numbers are in the JSON.
 */
#include "sim/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/amount.h"
#include "lib/civil.h"
#include "lib/term.h"

#define BAR		10
#define RULES_SHOWN	6
#define HALTS_SHOWN	3
#define NUMBER_MAX	40

/* A page being written. */
struct page {
	FILE		*f;
	struct term	 t;
	const struct report *r;
};

/* Small texts */

static const char *
count_text(char buf[NUMBER_MAX - 8], uint64_t n)
{
	char	 digits[24];
	int	 len = snprintf(digits, sizeof(digits), "%" PRIu64, n);
	int	 i, used = 0;

	for (i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			buf[used++] = ',';
		buf[used++] = digits[i];
	}
	buf[used] = '\0';
	return buf;
}

/* To the hundredth, rounded; what is not nothing does not look like it. */
static const char *
btc_text(char buf[NUMBER_MAX], int64_t sat)
{
	char		 whole[NUMBER_MAX - 8];
	int64_t		 hundredths = sat / 1000000 +
	    (sat % 1000000 >= 500000);

	if (sat > 0 && hundredths == 0)
		return "<0.01";
	(void)count_text(whole, (uint64_t)hundredths / 100);
	(void)snprintf(buf, NUMBER_MAX, "%s.%02u", whole,
	    (unsigned int)(hundredths % 100));
	return buf;
}

/* part / whole in per cent, two decimals. */
static const char *
share_text(char buf[NUMBER_MAX], int64_t part, int64_t whole)
{
	int64_t	 p;

	if (whole <= 0)
		return "-";
	p = muldiv(part, 20000, whole);
	p = p / 2 + p % 2;
	if (part > 0 && p == 0)
		return "<0.01 %";
	/* All but a few is not all. */
	if (part < whole && p == 10000)
		p = 9999;
	(void)snprintf(buf, NUMBER_MAX, "%" PRId64 ".%02u %%", p / 100,
	    (unsigned int)(p % 100));
	return buf;
}

/* Columns that a text takes: its characters. */
static int
columns(const char *s)
{
	int	 n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void
put_style(const struct page *p, enum term_style s)
{
	(void)fputs(term_style(&p->t, s), p->f);
}

static void
put_left(const struct page *p, const char *text, int width)
{
	(void)fprintf(p->f, "%s%*s", text,
	    width > columns(text) ? width - columns(text) : 0, "");
}

static void
put_right(const struct page *p, const char *text, int width)
{
	(void)fprintf(p->f, "%*s%s",
	    width > columns(text) ? width - columns(text) : 0, "", text);
}

static void
put_bar(const struct page *p, int64_t part, int64_t whole, int width)
{
	char	 bar[3 * 40 + 1];

	put_left(p, term_bar(&p->t, bar, width, part, whole), width);
}

static void
put_heading(const struct page *p, const char *text)
{
	(void)fputc('\n', p->f);
	put_style(p, STYLE_BOLD);
	(void)fputs(text, p->f);
	put_style(p, STYLE_PLAIN);
}

/* A text from outside, at most so many columns: its middle goes. */
static const char *
shorten(const struct page *p, char *buf, const char *text, int width)
{
	char	 safe[256];
	int	 len, head;

	(void)term_safe(&p->t, safe, sizeof(safe), text, strlen(text));
	len = (int)strlen(safe);
	if (len <= width || columns(safe) != len) {
		(void)snprintf(buf, 64, "%.*s", width, safe);
		return buf;
	}
	head = (width - 1) * 2 / 3;
	(void)snprintf(buf, 64, "%.*s%s%s", head, safe,
	    p->t.utf8 ? "\u2026" : "~", safe + len - (width - 1 - head));
	return buf;
}

/* The parts of the page */

static void
put_title(const struct page *p)
{
	const struct score	*s = p->r->score;
	char			 a[256], b[NUMBER_MAX], c[NUMBER_MAX];
	const char		*dot = p->t.utf8 ? "\u00b7" : "-";

	put_style(p, STYLE_BOLD);
	(void)fprintf(p->f, "%s", term_safe(&p->t, a, sizeof(a),
	    p->r->policy, strlen(p->r->policy)));
	put_style(p, STYLE_PLAIN);
	(void)fprintf(p->f, " on ");
	put_style(p, STYLE_BOLD);
	(void)fprintf(p->f, "%s\n", term_safe(&p->t, a, sizeof(a),
	    p->r->scenario, strlen(p->r->scenario)));
	put_style(p, STYLE_PLAIN);
	put_style(p, STYLE_DIM);
	(void)fprintf(p->f, "%s withdrawal%s", count_text(b, s->withdrawals),
	    s->withdrawals == 1 ? "" : "s");
	if (s->first_ms >= 0) {
		/* Dates are the first ten columns. */
		(void)fprintf(p->f, ", %.10s to ",
		    civil_format(a, s->first_ms));
		(void)fprintf(p->f, "%.10s", civil_format(a, s->last_ms));
	}
	(void)fprintf(p->f, " %s %s line%s in %" PRId64 ".%" PRId64 " s", dot,
	    count_text(c, s->events), s->events == 1 ? "" : "s",
	    p->r->elapsed_ms / 1000, p->r->elapsed_ms / 100 % 10);
	if (p->r->reviewer.oracle)
		(void)fprintf(p->f, " %s %s look%s", dot,
		    count_text(b, s->reviews), s->reviews == 1 ? "" : "s");
	put_style(p, STYLE_PLAIN);
	(void)fputc('\n', p->f);
}

static void
put_thief(const struct page *p)
{
	const struct score	*s = p->r->score;
	const struct score_side	*a = &s->sides[LABEL_ATTACK];
	char			 n[NUMBER_MAX], b[CIVIL_TEXT_MAX];
	int64_t			 kept = a->all.sat - a->released.sat;

	if (a->all.count == 0) {
		put_heading(p, "No theft");
		(void)fputs(" in this scenario.\n", p->f);
		return;
	}
	put_heading(p, "The thief");
	(void)fprintf(p->f, " asked for %s btc",
	    btc_text(n, a->all.sat));
	(void)fprintf(p->f, " in %s withdrawal%s\n",
	    count_text(n, a->all.count), a->all.count == 1 ? "" : "s");
	put_style(p, s->loss_sat > 0 ? STYLE_BAD : STYLE_GOOD);
	(void)fputs("  left      ", p->f);
	put_right(p, btc_text(n, a->released.sat), 12);
	(void)fputs(" btc ", p->f);
	put_bar(p, a->released.sat, a->all.sat, 20);
	put_style(p, STYLE_PLAIN);
	if (s->hot_sat > 0)
		(void)fprintf(p->f, "  %s of the hot wallet",
		    share_text(n, s->loss_sat, s->hot_sat));
	(void)fputc('\n', p->f);
	put_style(p, STYLE_GOOD);
	(void)fputs("  kept back ", p->f);
	put_right(p, btc_text(n, kept), 12);
	(void)fputs(" btc ", p->f);
	put_bar(p, kept, a->all.sat, 20);
	put_style(p, STYLE_PLAIN);
	if (s->alarm_ms < 0)
		(void)fputs("  no alarm", p->f);
	else if (s->alarm_ms == 0)
		(void)fputs("  alarm at the first", p->f);
	else if (s->alarm_ms < MS_PER_S)
		(void)fputs("  alarm within a second", p->f);
	else
		(void)fprintf(p->f, "  first alarm after %s",
		    duration_format(b, s->alarm_ms));
	(void)fputc('\n', p->f);
}

static void
put_cell(const struct page *p, const struct score_cell *c, int width)
{
	char	 n[NUMBER_MAX];

	put_right(p, c->count > 0 ? count_text(n, c->count) : "-", 9);
	put_right(p, c->count > 0 ? btc_text(n, c->sat) : "-", width);
}

static void
put_row(const struct page *p, const char *name, int key)
{
	const struct score	*s = p->r->score;
	const struct score_side	*h = &s->sides[LABEL_LEGIT];
	const struct score_side	*a = &s->sides[LABEL_ATTACK];
	const struct score_side	*u = &s->sides[LABEL_NONE];
	const struct score_cell	*c = key < 0 ? &h->all : &h->keys[key];
	char			 n[NUMBER_MAX];

	put_left(p, name, 18);
	if (u->all.count > 0) {
		put_cell(p, c, 11);
		put_cell(p, key < 0 ? &a->all : &a->keys[key], 11);
		put_cell(p, key < 0 ? &u->all : &u->keys[key], 11);
		(void)fputc('\n', p->f);
		return;
	}
	put_cell(p, c, 13);
	put_right(p, c->count == 0 || key < 0 ? "" : share_text(n,
	    (int64_t)c->count, (int64_t)h->all.count), 9);
	(void)fputc(' ', p->f);
	put_bar(p, key < 0 ? 0 : (int64_t)c->count, (int64_t)h->all.count,
	    BAR - 2);
	put_cell(p, key < 0 ? &a->all : &a->keys[key], 13);
	(void)fputc('\n', p->f);
}

static void
put_table(const struct page *p)
{
	static const char *const	 names[SCORE__KEYS] = {
		"  released at once", "  delayed", "  asked for a code",
		"  stopped (a halt)", "  held", "  denied" };
	const struct score_side		*h;
	char				 a[CIVIL_TEXT_MAX];
	char				 b[CIVIL_TEXT_MAX];
	int				 k;

	h = &p->r->score->sides[LABEL_LEGIT];
	put_heading(p, "What they met");
	put_style(p, STYLE_DIM);
	if (p->r->score->sides[LABEL_NONE].all.count > 0)
		(void)fprintf(p->f, "%14s%11s%9s%11s%9s%11s\n", "honest",
		    "btc", "thief", "btc", "no label", "btc");
	else
		(void)fprintf(p->f, "%14s%13s%9s%9s%9s%13s\n", "honest",
		    "btc", "share", "", "thief", "btc");
	put_style(p, STYLE_PLAIN);
	for (k = 0; k < SCORE__KEYS; k++)
		put_row(p, names[k], k);
	put_row(p, "  all", -1);
	put_style(p, STYLE_DIM);
	if (h->keys[SCORE_DELAYED].count > 0)
		(void)fprintf(p->f, "  A delay of an honest one: median %s, "
		    "99 of 100 within %s.\n",
		    duration_format(a, h->median_ms),
		    duration_format(b, h->p99_ms));
	put_style(p, STYLE_PLAIN);
}

static void
put_halt(const struct page *p, const struct score_halt *h)
{
	char	 when[CIVIL_TEXT_MAX], len[CIVIL_TEXT_MAX], a[64], b[64];

	(void)fprintf(p->f, "  %s  ", civil_format(when, h->t_ms));
	put_left(p, h->until_ms < 0 ? "to the end" :
	    duration_format(len, h->until_ms - h->t_ms), 11);
	if (h->rule >= 0)
		(void)fprintf(p->f, "%s  %s\n",
		    shorten(p, a, p->r->program->rules[h->rule].name, 22),
		    shorten(p, b, p->r->program->rules[h->rule].where, 22));
	else
		(void)fprintf(p->f, "by %s\n", shorten(p, a, h->by, 40));
}

static void
put_halts(const struct page *p)
{
	const struct score	*s = p->r->score;
	char			 n[NUMBER_MAX];
	size_t			 i;

	if (s->n_halts == 0)
		return;
	put_heading(p, "Halts");
	(void)fputc('\n', p->f);
	for (i = 0; i < s->n_halts && i < HALTS_SHOWN; i++)
		put_halt(p, &s->halts[i]);
	if (s->n_halts > HALTS_SHOWN)
		(void)fprintf(p->f, "  and %s more\n",
		    count_text(n, s->n_halts - HALTS_SHOWN));
}

/* A rule and its weight: stolen coins first, then honest friction. */
struct weighed {
	int		 rule;
	int64_t		 sat;
	uint64_t	 honest;
};

static int
heavier(const void *x, const void *y)
{
	const struct weighed	*a = x, *b = y;

	if (a->sat != b->sat)
		return a->sat < b->sat ? 1 : -1;
	if (a->honest != b->honest)
		return a->honest < b->honest ? 1 : -1;
	return (a->rule > b->rule) - (a->rule < b->rule);
}

static int
more_honest(const void *x, const void *y)
{
	const struct weighed	*a = x, *b = y;

	if (a->honest != b->honest)
		return a->honest < b->honest ? 1 : -1;
	return heavier(x, y);
}

/* Half by coins kept from a thief, the rest by honest friction. */
static int
pick_rules(const struct page *p, struct weighed *w)
{
	const struct program	*g = p->r->program;
	const struct score_rule	*rules = p->r->score->rules;
	int			 i, n = 0, first;

	for (i = 0; i < g->n_rules; i++) {
		if (g->rules[i].verdict == VERDICT_ALLOW ||
		    rules[i].sides[LABEL_LEGIT].count +
		    rules[i].sides[LABEL_ATTACK].count +
		    rules[i].sides[LABEL_NONE].count == 0)
			continue;
		w[n].rule = i;
		w[n].sat = rules[i].sides[LABEL_ATTACK].sat;
		w[n].honest = rules[i].sides[LABEL_LEGIT].count +
		    rules[i].sides[LABEL_NONE].count;
		n++;
	}
	qsort(w, (size_t)n, sizeof(*w), heavier);
	first = n < RULES_SHOWN / 2 ? n : RULES_SHOWN / 2;
	qsort(w + first, (size_t)(n - first), sizeof(*w), more_honest);
	return n;
}

static void
put_rule(const struct page *p, const struct weighed *w, int64_t most)
{
	const struct prog_rule	*rule = &p->r->program->rules[w->rule];
	const struct score_rule	*s = &p->r->score->rules[w->rule];
	char			 buf[64], n[NUMBER_MAX];

	(void)fputs("  ", p->f);
	put_left(p, shorten(p, buf, rule->name, 22), 23);
	put_left(p, rule->shadow ? "shadow" : verdict_text(rule->verdict), 8);
	put_right(p, s->sides[LABEL_ATTACK].count > 0 ?
	    count_text(n, s->sides[LABEL_ATTACK].count) : "-", 7);
	put_right(p, w->sat > 0 ? btc_text(n, w->sat) : "-", 13);
	(void)fputc(' ', p->f);
	put_style(p, STYLE_GOOD);
	put_bar(p, w->sat, most, BAR - 2);
	put_style(p, STYLE_PLAIN);
	put_right(p, w->honest > 0 ? count_text(n, w->honest) : "-", 10);
	put_right(p, w->honest > 0 ? share_text(n, (int64_t)w->honest,
	    (int64_t)(p->r->score->withdrawals -
	    p->r->score->sides[LABEL_ATTACK].all.count)) : "", 8);
	(void)fputc('\n', p->f);
}

static void
put_rules(const struct page *p)
{
	struct weighed	 w[RULES_MAX];
	int		 i, n = pick_rules(p, w);

	if (n == 0)
		return;
	put_heading(p, "Rules that spoke");
	put_style(p, STYLE_DIM);
	(void)fprintf(p->f, "%24s%13s%19s\n", "thief", "btc",
	    p->r->score->sides[LABEL_NONE].all.count > 0 ? "others" :
	    "honest");
	put_style(p, STYLE_PLAIN);
	for (i = 0; i < n && i < RULES_SHOWN; i++)
		put_rule(p, &w[i], w[0].sat);
	if (n > RULES_SHOWN) {
		put_style(p, STYLE_DIM);
		(void)fprintf(p->f, "  and %d more: --report json\n",
		    n - RULES_SHOWN);
		put_style(p, STYLE_PLAIN);
	}
}

/* Why it could go. */
static const char *
excuse(const struct score_loss *l, char buf[64])
{
	char	 len[CIVIL_TEXT_MAX];

	switch (l->key) {
	case SCORE_AT_ONCE:
		return "no rule spoke";
	case SCORE_DELAYED:
		(void)snprintf(buf, 64, "went out after %s",
		    duration_format(len, l->released_ms - l->asked_ms));
		return buf;
	case SCORE_STEPPED_UP:
		return "the code was right";
	case SCORE_STOPPED:
		return "went out after a halt";
	case SCORE_HELD:
		return "a person let it go";
	case SCORE_DENIED:
	case SCORE__KEYS:
		break;
	}
	return "";
}

static void
put_losses(const struct page *p)
{
	const struct score	*s = p->r->score;
	const struct score_loss	*l;
	char			 buf[64], n[NUMBER_MAX], when[CIVIL_TEXT_MAX];
	int			 i;

	if (s->n_losses == 0)
		return;
	put_heading(p, "Biggest losses");
	(void)fputc('\n', p->f);
	for (i = 0; i < s->n_losses; i++) {
		l = &s->losses[i];
		(void)fputs("  ", p->f);
		put_left(p, shorten(p, buf, l->id, 10), 11);
		put_left(p, shorten(p, buf, l->account, 10), 11);
		put_left(p, shorten(p, buf, l->address, 10), 11);
		put_style(p, STYLE_BAD);
		put_right(p, btc_text(n, l->sat), 9);
		put_style(p, STYLE_PLAIN);
		/* Month, day, hour and minute. */
		(void)fprintf(p->f, "  %.11s  ",
		    civil_format(when, l->asked_ms) + 5);
		put_style(p, STYLE_DIM);
		(void)fprintf(p->f, "%s\n", excuse(l, buf));
		put_style(p, STYLE_PLAIN);
	}
}

enum rc
report_text(const struct report *r, FILE *f, struct err *e)
{
	const struct page	 p = { f, term_of(f), r };

	put_title(&p);
	put_thief(&p);
	put_table(&p);
	put_halts(&p);
	put_rules(&p);
	put_losses(&p);
	if (fflush(f) != 0 || ferror(f))
		return err_set(e, "standard output: %s", strerror(errno));
	return RC_OK;
}
