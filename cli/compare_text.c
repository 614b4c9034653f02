#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/compare.h"
#include "lib/amount.h"
#include "lib/civil.h"

/* Widths of names; figures take eight, so that a line fits a terminal. */
#define NAME_W	24
#define KIND_W	20
#define FILE_W	16

static void
heading(const char *text)
{
	const struct term	 t = term_of(stdout);

	(void)printf("\n%s%s%s\n", term_style(&t, STYLE_BOLD), text,
	    term_style(&t, STYLE_PLAIN));
}

static void
percent_column(int64_t ppm)
{
	char	 text[SCENES_TEXT_MAX];

	(void)printf(" %7s", scenes_percent(text, ppm));
}

static void
time_column(int64_t ms)
{
	char	 text[CIVIL_TEXT_MAX];

	if (ms < 0)
		(void)printf(" %8s", "never");
	else
		(void)printf(" %8s", duration_format(text, ms));
}

/* "small, medium; seeds 1 to 3; 24 kinds of attack; owners 10.0 %" */
static void
print_scenes(const struct compare *cmp)
{
	const struct suite_options	*o = &cmp->scenes.suite;
	char				 text[SCENES_TEXT_MAX];
	int				 i;

	for (i = 0; i < o->n_sizes; i++)
		(void)printf("%s%s", i > 0 ? ", " : "", o->sizes[i]);
	if (o->n_seeds > 1)
		(void)printf("; seeds %" PRId64 " to %" PRId64, o->first_seed,
		    o->first_seed + o->n_seeds - 1);
	else
		(void)printf("; seed %" PRId64, o->first_seed);
	(void)printf("; %d kind%s of attack", o->n_kinds,
	    o->n_kinds == 1 ? "" : "s");
	if (o->owners_ppm > 0)
		(void)printf("; %s of the owners notice",
		    scenes_percent(text, o->owners_ppm));
	(void)printf("\n");
}

/* What honest customers met: shares of count, held also of value. */
static void
price_columns(const struct suite_sum *s)
{
	const struct suite_price	*p = &s->honest;

	percent_column(scenes_share(p->held.count + p->denied.count,
	    p->all.count));
	percent_column(scenes_share(p->held.sat + p->denied.sat,
	    p->all.sat));
	percent_column(scenes_share(p->delayed.count, p->all.count));
	time_column(p->delay_median_ms);
	percent_column(scenes_share(p->stepped.count, p->all.count));
	percent_column(scenes_share(p->stopped.count, p->all.count));
	(void)printf(" %5" PRId64 "\n", s->false_halts);
}

static void
price_heading(const char *first)
{
	(void)printf("%-*s %7s %7s %7s %8s %7s %7s %5s\n", NAME_W, first,
	    "held", "value", "delayed", "median", "code", "stopped",
	    "halts");
}

/* Many policies */

/* Which attack each policy fears most. */
static void
print_worst(const struct compare *cmp, int reviewer)
{
	const struct suite_options	*o = &cmp->scenes.suite;
	const struct compared		*c;
	struct suite_sum		 loss;
	int				 i;

	if (o->n_kinds < 2)
		return;
	(void)printf("\n%-*s the worst of them\n", FILE_W, "");
	for (i = 0; i < cmp->n_policies; i++) {
		c = &cmp->policies[i];
		suite_sum(&loss, c->results[reviewer], cmp->n_results, false,
		    -1, -1);
		if (loss.worst_kind >= 0 && loss.loss_worst_ppm > 0)
			(void)printf("%-*.*s %s\n", FILE_W, FILE_W, c->name,
			    o->kinds[loss.worst_kind]);
	}
}

static void
print_side_by_side(const struct compare *cmp, int reviewer)
{
	const struct compared		*c;
	struct suite_sum		 loss, price;
	int				 i;

	(void)printf("\nreviewer %s\n",
	    cmp->scenes.reviewer_texts[reviewer]);
	(void)printf("%-*s %7s %7s %7s", FILE_W, "", "lost", "worst", "got");
	(void)printf(" %7s %7s %7s %7s %7s\n", "held", "value", "delayed",
	    "code", "stopped");
	for (i = 0; i < cmp->n_policies; i++) {
		c = &cmp->policies[i];
		suite_sum(&loss, c->results[reviewer], cmp->n_results, false,
		    -1, -1);
		suite_sum(&price, c->results[reviewer], cmp->n_results, true,
		    -1, -1);
		(void)printf("%-*.*s", FILE_W, FILE_W, c->name);
		percent_column(loss.loss_mean_ppm);
		percent_column(loss.loss_worst_ppm);
		percent_column(loss.loss_share_ppm);
		percent_column(scenes_share(price.honest.held.count +
		    price.honest.denied.count, price.honest.all.count));
		percent_column(scenes_share(price.honest.held.sat +
		    price.honest.denied.sat, price.honest.all.sat));
		percent_column(scenes_share(price.honest.delayed.count,
		    price.honest.all.count));
		percent_column(scenes_share(price.honest.stepped.count,
		    price.honest.all.count));
		percent_column(scenes_share(price.honest.stopped.count,
		    price.honest.all.count));
		(void)printf("\n");
	}
	print_worst(cmp, reviewer);
}

static void
print_legend(void)
{
	(void)printf("\n"
	    "lost, worst: what left with the thieves, of the hot wallet, mean "
	    "and worst of\n"
	    "all attacks; got: of what they asked for.  held, value: honest "
	    "withdrawals\n"
	    "held or denied when nobody attacks, of their number and of their "
	    "value;\n"
	    "delayed, asked for a code, stopped by a halt: of their number.\n");
}

/* One policy */

static void
print_kind(const struct compare *cmp, const struct compared *c, int size,
    int kind, const char *name)
{
	struct suite_sum	 s;
	int			 i;

	(void)printf("%-*.*s", KIND_W, KIND_W, name);
	for (i = 0; i < cmp->scenes.n_reviewers; i++) {
		suite_sum(&s, c->results[i], cmp->n_results, false, size,
		    kind);
		if (i == 0)
			percent_column(s.asked_ppm);
		percent_column(s.loss_mean_ppm);
		percent_column(s.loss_worst_ppm);
		time_column(s.unalarmed > 0 ? -1 : s.alarm_worst_ms);
	}
	(void)printf("\n");
}

static void
print_kinds(const struct compare *cmp, const struct compared *c, int size)
{
	const struct suite_options	*o = &cmp->scenes.suite;
	int				 i;

	heading(o->sizes[size]);
	(void)printf("%-*s %7s", KIND_W, "", "");
	for (i = 0; i < cmp->scenes.n_reviewers; i++)
		(void)printf(" %24.24s", cmp->scenes.reviewer_texts[i]);
	(void)printf("\n%-*s %7s", KIND_W, "attack", "asked");
	for (i = 0; i < cmp->scenes.n_reviewers; i++)
		(void)printf(" %7s %7s %8s", "lost", "worst", "alarm");
	(void)printf("\n");
	for (i = 0; i < o->n_kinds; i++)
		print_kind(cmp, c, size, i, o->kinds[i]);
	print_kind(cmp, c, size, -1, "all");
}

static void
print_prices(const struct compare *cmp, const struct compared *c)
{
	const struct suite_options	*o = &cmp->scenes.suite;
	struct suite_sum		 s;
	char				 name[80];
	int				 i, k;

	heading("the price: honest withdrawals");
	price_heading("without an attack");
	for (i = 0; i < o->n_sizes; i++) {
		for (k = 0; k < cmp->scenes.n_reviewers; k++) {
			suite_sum(&s, c->results[k], cmp->n_results, true, i,
			    -1);
			(void)snprintf(name, sizeof(name), "%s, %s",
			    o->sizes[i], cmp->scenes.reviewer_texts[k]);
			(void)printf("%-*.*s", NAME_W, NAME_W, name);
			price_columns(&s);
		}
	}
	if (o->n_kinds == 0)
		return;
	price_heading("\nduring an attack");
	for (i = 0; i < o->n_sizes; i++) {
		for (k = 0; k < cmp->scenes.n_reviewers; k++) {
			suite_sum(&s, c->results[k], cmp->n_results, false,
			    i, -1);
			(void)snprintf(name, sizeof(name), "%s, %s",
			    o->sizes[i], cmp->scenes.reviewer_texts[k]);
			(void)printf("%-*.*s", NAME_W, NAME_W, name);
			price_columns(&s);
		}
	}
}

/* What each rule spoke on, of the first reviewer's runs. */
static void
sum_rules(const struct compare *cmp, const struct compared *c, int rule,
    struct suite_hits *quiet, int64_t *attacked_out)
{
	const struct suite_result	*r;
	size_t				 i;

	memset(quiet, 0, sizeof(*quiet));
	*attacked_out = 0;
	for (i = 0; i < cmp->n_results; i++) {
		r = &c->results[0][i];
		if (!r->done)
			continue;
		if (r->kind == SUITE_HONEST) {
			quiet->honest += r->rules[rule].honest;
			quiet->honest_sat += r->rules[rule].honest_sat;
		} else {
			quiet->attack += r->rules[rule].attack;
			quiet->attack_sat += r->rules[rule].attack_sat;
			*attacked_out += r->rules[rule].attack > 0;
		}
	}
}

static void
print_rules(const struct compare *cmp, const struct compared *c)
{
	const struct prog_rule	*rule;
	struct suite_sum	 all;
	struct suite_hits	 h;
	int64_t			 attacks;
	char			 sat[AMOUNT_TEXT_MAX];
	int			 i;

	suite_sum(&all, c->results[0], cmp->n_results, true, -1, -1);
	heading("what the rules spoke on");
	(void)printf("%-*s %-7s %7s %7s %7s %7s %14s\n", NAME_W, "rule",
	    "", "honest", "value", "attacks", "stolen", "btc");
	for (i = 0; i < c->program->n_rules; i++) {
		rule = &c->program->rules[i];
		sum_rules(cmp, c, i, &h, &attacks);
		if (rule->verdict == VERDICT_ALLOW ||
		    (h.honest == 0 && h.attack == 0))
			continue;
		(void)printf("%-*.*s %-7s", NAME_W, NAME_W, rule->name,
		    verdict_text(rule->verdict));
		percent_column(scenes_share(h.honest,
		    all.honest.all.count));
		percent_column(scenes_share(h.honest_sat,
		    all.honest.all.sat));
		(void)printf(" %7" PRId64 " %7" PRIu32 " %14s\n", attacks,
		    h.attack, amount_format_short(sat, h.attack_sat));
	}
}

/* Where everything stands still nothing is stolen: that is no merit. */
static void
warn_of_halts(const struct compare *cmp, const struct compared *c)
{
	const struct term	 t = term_of(stdout);
	struct suite_sum	 s;
	int			 i;

	for (i = 0; i < cmp->scenes.n_reviewers; i++) {
		suite_sum(&s, c->results[i], cmp->n_results, true, -1, -1);
		if (s.false_halts == 0)
			continue;
		(void)printf("\n%sreviewer %s: honest customers alone stop "
		    "everything %" PRId64 " times;\nwhat is lost and held "
		    "after that means little%s\n", term_style(&t,
		    STYLE_BAD), cmp->scenes.reviewer_texts[i],
		    s.false_halts, term_style(&t, STYLE_PLAIN));
	}
}

static void
print_detail(const struct compare *cmp)
{
	const struct compared	*c = &cmp->policies[0];
	int			 i;

	(void)printf("%s\n", c->path);
	for (i = 0; cmp->scenes.suite.n_kinds > 0 &&
	    i < cmp->scenes.suite.n_sizes; i++)
		print_kinds(cmp, c, i);
	if (cmp->scenes.suite.n_kinds > 0 && cmp->scenes.suite.n_sizes > 1) {
		heading("all sizes");
		print_kind(cmp, c, -1, -1, "all");
	}
	print_prices(cmp, c);
	warn_of_halts(cmp, c);
	print_rules(cmp, c);
}

void
compare_text(const struct compare *cmp)
{
	int	 i;

	print_scenes(cmp);
	if (cmp->n_policies == 1) {
		print_detail(cmp);
		return;
	}
	for (i = 0; i < cmp->scenes.n_reviewers; i++)
		print_side_by_side(cmp, i);
	print_legend();
}
