/*
 * `check --cost` and `check --signer` for people.
 */
#include <inttypes.h>
#include <string.h>

#include "lib/amount.h"
#include "lib/civil.h"
#include "policy/cost.h"
#include "policy/imply.h"
#include "policy/print.h"
#include "policy/warn_in.h"

/* 144 blocks are a day on the average and can last 31 hours. */
#define BLOCK_MS	(10 * MS_PER_MIN)
#define SLACK_NUM	31
#define SLACK_DEN	24

static void
print_stores(const struct cost *c, FILE *out)
{
	char	 number[64];
	int	 i;

	fprintf(out, "%-16s %7s %8s %6s %12s  %s\n", "store", "record",
	    "windows", "index", "capacity", "filled by");
	for (i = 0; i < c->n_stores; i++) {
		const struct cost_store *s = &c->stores[i];

		fprintf(out, "%-16s %7" PRId64 " %8" PRId64 " %6" PRId64
		    " %12s  %s\n", s->name, s->record_bytes, s->window_bytes,
		    s->index_bytes, print_number(number, sizeof(number),
		    s->capacity), s->flood);
	}
	fprintf(out, "bytes; with every store full %" PRId64 " MiB\n",
	    (c->total_bytes + (1 << 20) - 1) >> 20);
	fprintf(out, "a decision: %d tests, reads %d counters and writes %d, "
	    "at most\n", c->n_tests, c->n_reads, c->n_writes);
}

/* --- looks ------------------------------------------------------------- */

static void
print_looks(const struct policy *p, FILE *out)
{
	char	 name[128], text[PRINT_TEXT_MAX];
	int	 i;

	for (i = 0; i < p->n_rules; i++) {
		const struct rule *r = &p->rules[i];
		struct watch	 per = { 0 };
		const char	*n = policy_rule_name(p, i, name,
		    sizeof(name));

		if (r->lot == LOT_NONE || r->shadow)
			continue;
		if (r->lot == LOT_IN) {
			fprintf(out, "lot \"%s\": one look in %" PRId64
			    " of those that match\n", n, r->lot_in);
			continue;
		}
		(void)watch_limit(p, &r->lot_per, &per);
		fprintf(out, "lot \"%s\": one look a %s asked by those that "
		    "match", n, print_quantity(p, text, sizeof(text),
		    &r->lot_per));
		if (per.hot_ppm > 0)
			fprintf(out, ": %" PRId64 " a day when as much is "
			    "asked as the wallet holds",
			    (1000000 + per.hot_ppm - 1) / per.hot_ppm);
		fprintf(out, "\n");
	}
}

/* --- prices ------------------------------------------------------------ */

static const char *
coins_text(const struct watch *t, char *buf, size_t buf_len)
{
	char	 text[128];

	if (t->fund_ppm != 0)
		snprintf(buf, buf_len, "%s of fund", print_percent(text,
		    sizeof(text), t->fund_ppm));
	else if (t->hot_ppm != 0)
		snprintf(buf, buf_len, "%s of hot", print_percent(text,
		    sizeof(text), t->hot_ppm));
	else
		print_amount(buf, buf_len, t->limit);
	return buf;
}

/* W11, S19. */
static void
print_prices(const struct policy *p, FILE *out)
{
	static struct watch list[WATCHES_MAX];
	struct warn	 w = { .p = p, .hot_sat = -1 };
	struct watch	 coins;
	int64_t		 accounts;
	char		 name[128], text[PRINT_TEXT_MAX], number[32];
	int		 i, n = watch_list(p, list, WATCHES_MAX);

	for (i = 0; i < n; i++) {
		if (list[i].agg.scope != SCOPE_PLATFORM)
			continue;
		warn_price(&w, &list[i], &accounts, &coins);
		fprintf(out, "price of %s \"%s\": %s account%s and %s in "
		    "hand%s\n", verdict_text(p->rules[list[i].rule].verdict),
		    policy_rule_name(p, list[i].rule, name, sizeof(name)),
		    print_number(number, sizeof(number), accounts),
		    accounts == 1 ? "" : "s", coins_text(&coins, text,
		    sizeof(text)), list[i].line ? ", until it is learnt" :
		    "");
	}
}

/* --- the promise ------------------------------------------------------- */

/* W13. */
static void
print_promise(const struct policy *p, int64_t hot_sat, FILE *out)
{
	struct promise	 q;
	char		 text[PRINT_TEXT_MAX];

	watch_promise(p, hot_sat, &q);
	fprintf(out, "leaves in 24h with no line crossed and nobody asked:\n");
	fprintf(out, "  not proven: %s%s\n", watch_bound_text(p, &q.all, text,
	    sizeof(text)), q.by_line ? " (a line: it may grow)" : "");
	if (q.rest.bounded && q.gap[0] != '\0')
		fprintf(out, "  unless `%s`: %s\n", q.gap, watch_bound_text(p,
		    &q.rest, text, sizeof(text)));
	if (q.cell[0] != '\0')
		fprintf(out, "  the widest door: %s\n", q.cell);
	if (q.proven_open)
		fprintf(out, "  proven: to each address up to what is ripe, "
		    "no sum over all\n");
	if (q.has_ceiling) {
		struct promise_bound b = { .bounded = true,
			.sat = q.ceiling_sat, .hot_ppm = q.ceiling_hot_ppm };

		fprintf(out, "  all of it: %s, by the ceiling\n",
		    watch_bound_text(p, &b, text, sizeof(text)));
	}
}

void
cost_print(const struct program *p, int64_t hot_sat, FILE *out)
{
	static struct cost	 c;

	cost_compute(p, &c);
	print_stores(&c, out);
	print_looks(p->policy, out);
	print_prices(p->policy, out);
	print_promise(p->policy, hot_sat, out);
}

/* --- the signer's lines ------------------------------------------------ */

static struct cost_signer *
signer_line(struct cost_signer *out, int *n, int max, const char *what)
{
	struct cost_signer *to = &out[*n < max ? *n : max - 1];

	if (*n < max)
		(*n)++;
	memset(to, 0, sizeof(*to));
	snprintf(to->what, sizeof(to->what), "%s", what);
	to->sat = -1;
	return to;
}

static void
signer_value(const struct policy *p, const struct ceiling *c, int64_t hot_sat,
    struct cost_signer *to)
{
	struct watch	 t = { 0 };
	char		 text[128], span[64];

	(void)watch_limit(p, &c->limit, &t);
	to->blocks = (c->window_ms + BLOCK_MS - 1) / BLOCK_MS;
	duration_format(span, c->window_ms);
	if (t.hot_ppm != 0 && hot_sat < 0) {
		snprintf(to->text, sizeof(to->text), "value: at most %s of "
		    "the wallet in %" PRId64 " blocks (ceiling in %s, and "
		    "the slack of block times); give --hot for an amount",
		    print_percent(text, sizeof(text), muldiv(t.hot_ppm,
		    SLACK_NUM, SLACK_DEN)), to->blocks, span);
		return;
	}
	to->sat = muldiv(amount_add_saturate(t.limit, muldiv(
	    hot_sat >= 0 ? hot_sat : 0, t.hot_ppm, 1000000)), SLACK_NUM,
	    SLACK_DEN);
	snprintf(to->text, sizeof(to->text), "value: at most %s in %" PRId64
	    " blocks (ceiling in %s, and the slack of block times)",
	    print_amount(text, sizeof(text), to->sat), to->blocks, span);
}

struct least {
	int64_t	 sat;
	bool	 any;
};

static bool
see_least(void *ctx, const struct imply_case *c)
{
	struct quantity	 amount = { .kind = Q_FACT, .times = 1,
		.fact = FACT_AMOUNT };
	struct least	*l = ctx;
	int64_t		 lo, hi;

	imply_case_range(c, &amount, &lo, &hi);
	if (!l->any || lo < l->sat)
		l->sat = lo;
	l->any = true;
	return true;
}

/* Rules that ask for more than one person above an amount. */
static void
signer_people(const struct policy *p, int r, struct cost_signer *out, int *n,
    int max)
{
	const struct rule *rule = &p->rules[r];
	struct imply_term term = { rule->cond, false, NULL };
	struct least	 l = { 0, false };
	struct cost_signer *to;
	char		 text[128], name[128];

	if (rule->verdict != VERDICT_HOLD || rule->people < 2 ||
	    rule->shadow || rule->lot != LOT_NONE || rule->cond == NULL ||
	    !imply_cases(p, &term, 1, see_least, &l) || !l.any || l.sat <= 1)
		return;
	to = signer_line(out, n, max, "approvals");
	to->sat = l.sat;
	to->people = rule->people;
	snprintf(to->text, sizeof(to->text), "approvals: %d at or above %s "
	    "(rule \"%s\")", rule->people, print_amount(text, sizeof(text),
	    l.sat), policy_rule_name(p, r, name, sizeof(name)));
}

int
cost_signer(const struct policy *p, int64_t hot_sat,
    struct cost_signer *out, int max)
{
	struct cost_signer *to;
	char	 text[128];
	int	 i, n = 0;

	for (i = 0; i < p->n_ceilings; i++) {
		signer_value(p, &p->ceilings[i], hot_sat,
		    signer_line(out, &n, max, "value"));
		if (p->ceilings[i].each_sat == 0)
			continue;
		to = signer_line(out, &n, max, "output");
		to->sat = p->ceilings[i].each_sat;
		snprintf(to->text, sizeof(to->text), "output: at most %s each",
		    print_amount(text, sizeof(text), to->sat));
	}
	for (i = 0; i < p->n_rules; i++)
		signer_people(p, i, out, &n, max);
	return n;
}

void
cost_signer_print(const struct policy *p, int64_t hot_sat, FILE *out)
{
	struct cost_signer lines[64];
	int	 i, n = cost_signer(p, hot_sat, lines, 64);

	for (i = 0; i < n; i++)
		fprintf(out, "%s\n", lines[i].text);
	if (p->n_ceilings == 0)
		fprintf(out, "no `ceiling` in this policy: the signer has "
		    "nothing to go by\n");
}
