#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/backtest.h"
#include "lib/amount.h"
#include "lib/civil.h"
#include "lib/json.h"
#include "lib/term.h"

#define TEXT	64
#define RULES_SHOWN	12

static const char *const key_words[SCORE__KEYS] = {
	[SCORE_AT_ONCE] = "at once",
	[SCORE_DELAYED] = "delayed",
	[SCORE_STEPPED_UP] = "code asked",
	[SCORE_STOPPED] = "stopped",
	[SCORE_HELD] = "held",
	[SCORE_DENIED] = "denied",
};

/* Small texts */

static const char *
count_text(char buf[TEXT], uint64_t n)
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

/* To the hundredth; what is not nothing does not look like it. */
static const char *
btc_text(char buf[TEXT], int64_t sat)
{
	char		 whole[TEXT];
	int64_t		 cents = sat / 1000000 + (sat % 1000000 >= 500000);

	if (sat > 0 && cents == 0)
		return "<0.01";
	(void)snprintf(buf, TEXT, "%.40s.%02u",
	    count_text(whole, (uint64_t)cents / 100),
	    (unsigned)(cents % 100));
	return buf;
}

static const char *
hours_text(char buf[TEXT], int64_t ms)
{
	char	 whole[TEXT];
	int64_t	 tenths = ms / (MS_PER_HOUR / 10);

	if (ms > 0 && tenths == 0)
		return "<0.1";
	(void)snprintf(buf, TEXT, "%.40s.%u",
	    count_text(whole, (uint64_t)tenths / 10),
	    (unsigned)(tenths % 10));
	return buf;
}

static void
cell(const char *what, const struct score_cell *c)
{
	char	 n[TEXT], btc[TEXT];

	printf("  %-50s %9s  %11s btc\n", what, count_text(n, c->count),
	    btc_text(btc, c->sat));
}

static void
heading(const struct term *t, const char *text)
{
	printf("\n%s%s%s\n", term_style(t, STYLE_BOLD), text,
	    term_style(t, STYLE_PLAIN));
}

/* Sections */

static struct score_cell
sum(const struct backtest *t, bool sterner)
{
	struct score_cell	 c = { 0, 0 };
	int			 was, is;

	for (was = 0; was < SCORE__KEYS; was++)
		for (is = 0; is < SCORE__KEYS; is++) {
			if (sterner ? is <= was : is >= was)
				continue;
			c.count += t->keys[was][is].count;
			c.sat = amount_add_saturate(c.sat,
			    t->keys[was][is].sat);
		}
	return c;
}

static void
print_matrix(const struct backtest *t)
{
	char	 n[TEXT];
	int	 was, is;

	printf("  %-12s", "was, is now");
	for (is = 0; is < SCORE__KEYS; is++)
		printf(" %10s", key_words[is]);
	printf("\n");
	for (was = 0; was < SCORE__KEYS; was++) {
		printf("  %-12s", key_words[was]);
		for (is = 0; is < SCORE__KEYS; is++)
			printf(" %10s", t->keys[was][is].count == 0 ? "-" :
			    count_text(n, t->keys[was][is].count));
		printf("\n");
	}
}

static void
print_decisions(const struct term *term, const struct backtest *t)
{
	struct score_cell	 harder = sum(t, true), milder = sum(t, false);
	char			 line[160], n[TEXT], h[TEXT];

	heading(term, "The most severe that each withdrawal met");
	print_matrix(t);
	heading(term, "What would have been different");
	(void)snprintf(line, sizeof(line), "treated more severely, %s "
	    "accounts", count_text(n, t->accounts_sterner));
	cell(line, &harder);
	(void)snprintf(line, sizeof(line), "treated less severely, %s "
	    "accounts", count_text(n, t->accounts_milder));
	cell(line, &milder);
	cell("released in reality, not under the new policy", &t->kept);
	cell("not released in reality, but under the new policy", &t->let_go);
	printf("  customers would have waited %s hours more in all, and ",
	    hours_text(h, t->added_ms));
	printf("%s hours less\n", hours_text(h, t->saved_ms));
}

static struct score_cell
caught(const struct backtest_fraud *f)
{
	struct score_cell	 c = f->keys[SCORE_DENIED];

	c.count += f->keys[SCORE_HELD].count + f->keys[SCORE_STOPPED].count;
	c.sat = amount_add_saturate(c.sat, amount_add_saturate(
	    f->keys[SCORE_HELD].sat, f->keys[SCORE_STOPPED].sat));
	return c;
}

static void
print_fraud(const struct term *term, const struct backtest *t)
{
	struct score_cell	 was = caught(&t->was), is = caught(&t->is);

	heading(term, "What people, customers or outcomes called fraud");
	if (t->fraud.count == 0) {
		printf("  nothing\n");
		return;
	}
	cell("in all", &t->fraud);
	cell("stopped for a look or denied, in reality", &was);
	cell("stopped for a look or denied, by the new policy", &is);
	cell("released in the end, in reality", &t->was.lost);
	cell("released in the end, under the new policy", &t->is.lost);
}

static void
rule_line(const struct term *term, const struct backtest_rule *r, bool is)
{
	const struct score_cell	*c = is ? &r->only_new : &r->only_old;
	char			 name[TEXT], n[TEXT], btc[TEXT], a[TEXT];
	char			 h[TEXT];

	(void)term_safe(term, name, 33, r->name, strlen(r->name));
	printf("  %-32s %9s", name, count_text(n, c->count));
	printf(" %13s %9s %11s%s\n", btc_text(btc, c->sat),
	    count_text(a, is ? r->accounts_new : r->accounts_old),
	    hours_text(h, is ? r->added_ms : r->saved_ms),
	    r->shadow && r->is_new ? "  shadow" : "");
}

/* The largest first; false: it was shown already. */
static const struct backtest_rule *
next_rule(const struct backtest *t, bool is, const struct backtest_rule *last)
{
	const struct backtest_rule	*best = NULL, *r;
	uint64_t			 n, best_n = 0, last_n;
	size_t				 i;

	last_n = last == NULL ? UINT64_MAX : is ? last->only_new.count :
	    last->only_old.count;
	for (i = 0; i < t->n_rules; i++) {
		r = &t->rules[i];
		n = is ? r->only_new.count : r->only_old.count;
		if (n == 0 || n > last_n || (n == last_n && last != NULL &&
		    r <= last))
			continue;
		if (n > best_n) {
			best = r;
			best_n = n;
		}
	}
	return best;
}

static void
print_rules(const struct term *term, const struct backtest *t, bool is)
{
	const struct backtest_rule	*r = next_rule(t, is, NULL);
	int				 n = 0;

	if (r == NULL) {
		printf("\n%s: none\n", is ? "Rules that speak more" :
		    "Rules that no longer speak");
		return;
	}
	printf("\n%s%-34s%s %9s %13s %9s %11s\n", term_style(term,
	    STYLE_BOLD), is ? "Rules that speak more" :
	    "Rules that no longer speak", term_style(term, STYLE_PLAIN),
	    "on", "btc", "accounts", is ? "hours more" : "hours less");
	for (; r != NULL && n < RULES_SHOWN; n++) {
		rule_line(term, r, is);
		r = next_rule(t, is, r);
	}
	if (r != NULL)
		printf("  and more; --json has all\n");
}

static void
print_examples(const struct term *term, const struct backtested *b,
    const char *what, const struct backtest_example *x, int n)
{
	char	 id[80], account[80], when[CIVIL_TEXT_MAX], btc[TEXT];
	int	 i;

	if (n == 0)
		return;
	heading(term, what);
	for (i = 0; i < n; i++, x++) {
		printf("  %s  %s btc, account %s, %s\n", term_safe(term, id,
		    sizeof(id), x->id, strlen(x->id)), btc_text(btc, x->sat),
		    term_safe(term, account, sizeof(account), x->account,
		    strlen(x->account)), civil_format(when, x->t_ms));
		printf("    %s, would be %s%s%s\n", key_words[x->was],
		    key_words[x->is], x->rule >= 0 ? ": " : "",
		    x->rule >= 0 ? b->t->rules[x->rule].name : "");
	}
}

static void
print_halts(const struct term *term, const struct backtested *b)
{
	const struct backtest		*t = b->t;
	const struct backtest_halt	*h = t->first_halts;
	char				 when[CIVIL_TEXT_MAX], n[TEXT];
	uint64_t			 i;

	heading(term, "Halts by rules");
	printf("  %s in reality, ", count_text(n, t->halts_was));
	printf("%s by the new policy\n", count_text(n, t->halts));
	for (i = 0; i < t->halts && i < BACKTEST_HALTS; i++, h++)
		printf("  %s  %s\n", civil_format(when, h->t_ms),
		    b->program->rules[h->rule].name);
}

static void
print_suppositions(const struct term *term, const struct backtested *b)
{
	char	 n[TEXT], wait[CIVIL_TEXT_MAX];

	heading(term, "What is supposed");
	printf("  The new policy ran free over the whole journal, and the "
	    "customers did as\n  they did. What it holds a person looks at "
	    "%s later (%s times) and decides\n", duration_format(wait,
	    b->o.review_ms), count_text(n, b->t->supposed_looks));
	printf("  as it ended in reality, no earlier than it ended; codes "
	    "that it asks for\n  come at once where that was a release "
	    "(%s). Its halts end after %s, or\n  with reality's.\n",
	    count_text(n, b->t->supposed_codes), wait);
	if (b->t->forgotten > 0)
		printf("  %s events were judged without their personal data, "
		    "which is forgotten:\n  rules about networks see less "
		    "than they would have.\n",
		    count_text(n, b->t->forgotten));
	if (!b->t->enforces)
		printf("  The new policy does not enforce: it stops "
		    "nothing.\n");
	if (b->t->full > 0)
		printf("  %s were held because a table of the new policy's "
		    "`set capacity` was full.\n", count_text(n, b->t->full));
}

void
backtest_text(const struct backtested *b)
{
	const struct term	 term = term_of(stdout);
	const struct backtest	*t = b->t;
	char			 n[TEXT], btc[TEXT], from[CIVIL_TEXT_MAX];
	char			 to[CIVIL_TEXT_MAX], name[256];

	printf("%s%s%s over %s events: ", term_style(&term, STYLE_BOLD),
	    term_safe(&term, name, sizeof(name), b->policy,
	    strlen(b->policy)), term_style(&term, STYLE_PLAIN),
	    count_text(n, t->events));
	printf("%s withdrawals, %s btc\n", count_text(n, t->all.count),
	    btc_text(btc, t->all.sat));
	if (t->all.count == 0)
		printf("nothing to compare\n");
	else {
		printf("asked for from %s to %s\n", civil_format(from,
		    t->first_ms), civil_format(to, t->last_ms));
		print_decisions(&term, t);
		print_fraud(&term, t);
		print_rules(&term, t, true);
		print_rules(&term, t, false);
		print_halts(&term, b);
		print_examples(&term, b, "The largest treated more severely",
		    t->sterner, t->n_sterner);
		print_examples(&term, b, "The largest treated less severely",
		    t->milder, t->n_milder);
	}
	print_suppositions(&term, b);
}

/* JSON */

static void
put_cell(struct json *j, const char *key, const struct score_cell *c)
{
	json_open_object(j, key);
	json_put_uint(j, "count", c->count);
	json_put_sat(j, "btc", c->sat);
	json_close(j);
}

static void
put_matrix(struct json *j, const struct backtest *t)
{
	int	 was, is;

	json_open_object(j, "recorded");
	for (was = 0; was < SCORE__KEYS; was++) {
		json_open_object(j, score_key_text((enum score_key)was));
		for (is = 0; is < SCORE__KEYS; is++)
			put_cell(j, score_key_text((enum score_key)is),
			    &t->keys[was][is]);
		json_close(j);
	}
	json_close(j);
}

static void
put_fraud(struct json *j, const char *key, const struct backtest_fraud *f)
{
	int	 k;

	json_open_object(j, key);
	for (k = 0; k < SCORE__KEYS; k++)
		put_cell(j, score_key_text((enum score_key)k), &f->keys[k]);
	put_cell(j, "released", &f->lost);
	json_close(j);
}

static void
put_rules(struct json *j, const struct backtest *t)
{
	const struct backtest_rule	*r;
	size_t				 i;

	json_open_array(j, "rules");
	for (i = 0; i < t->n_rules; i++) {
		r = &t->rules[i];
		if (r->both.count + r->only_new.count + r->only_old.count ==
		    0)
			continue;
		json_open_object(j, NULL);
		json_put_text(j, "rule", r->name);
		json_put_text(j, "at", r->where);
		json_put_bool(j, "in_new", r->is_new);
		json_put_bool(j, "in_recorded", r->is_old);
		json_put_bool(j, "shadow", r->shadow);
		put_cell(j, "both", &r->both);
		put_cell(j, "only_new", &r->only_new);
		put_cell(j, "only_recorded", &r->only_old);
		json_put_uint(j, "accounts_new", r->accounts_new);
		json_put_uint(j, "accounts_recorded", r->accounts_old);
		json_put_int(j, "added_s", r->added_ms / MS_PER_S);
		json_put_int(j, "saved_s", r->saved_ms / MS_PER_S);
		json_close(j);
	}
	json_close(j);
}

static void
put_examples(struct json *j, const struct backtest *t, const char *key,
    const struct backtest_example *x, int n)
{
	int	 i;

	json_open_array(j, key);
	for (i = 0; i < n; i++, x++) {
		json_open_object(j, NULL);
		json_put_text(j, "id", x->id);
		json_put_text(j, "account", x->account);
		json_put_uint(j, "seq", x->seq);
		json_put_int(j, "t", x->t_ms);
		json_put_sat(j, "btc", x->sat);
		json_put_text(j, "recorded", score_key_text(x->was));
		json_put_text(j, "new", score_key_text(x->is));
		if (x->rule >= 0)
			json_put_text(j, "rule", t->rules[x->rule].name);
		else
			json_put_null(j, "rule");
		json_close(j);
	}
	json_close(j);
}

static void
put_halts(struct json *j, const struct backtested *b)
{
	const struct backtest_halt	*h = b->t->first_halts;
	uint64_t			 i;

	json_put_uint(j, "halts_recorded", b->t->halts_was);
	json_put_uint(j, "halts_new", b->t->halts);
	json_open_array(j, "first_halts");
	for (i = 0; i < b->t->halts && i < BACKTEST_HALTS; i++, h++) {
		json_open_object(j, NULL);
		json_put_int(j, "t", h->t_ms);
		if (h->until_ms >= 0)
			json_put_int(j, "until", h->until_ms);
		else
			json_put_null(j, "until");
		json_put_text(j, "rule", b->program->rules[h->rule].name);
		json_close(j);
	}
	json_close(j);
}

static void
put_top(struct json *j, const struct backtested *b)
{
	const struct backtest	*t = b->t;
	struct score_cell	 harder = sum(t, true), milder = sum(t, false);

	json_put_text(j, "policy", b->policy);
	json_put_text(j, "journal", b->url);
	json_put_uint(j, "events", t->events);
	json_put_uint(j, "events_forgotten", t->forgotten);
	json_put_bool(j, "enforces", t->enforces);
	json_put_int(j, "review_s", b->o.review_ms / MS_PER_S);
	put_cell(j, "withdrawals", &t->all);
	put_cell(j, "more_severe", &harder);
	put_cell(j, "less_severe", &milder);
	json_put_uint(j, "accounts_more_severe", t->accounts_sterner);
	json_put_uint(j, "accounts_less_severe", t->accounts_milder);
	put_cell(j, "released_only_in_reality", &t->kept);
	put_cell(j, "released_only_under_new", &t->let_go);
	json_put_int(j, "waiting_added_s", t->added_ms / MS_PER_S);
	json_put_int(j, "waiting_saved_s", t->saved_ms / MS_PER_S);
}

enum rc
backtest_json(const struct backtested *b, struct err *e)
{
	const struct backtest	*t = b->t;
	struct json		 j;

	json_to_file(&j, stdout, true);
	json_open_object(&j, NULL);
	put_top(&j, b);
	put_matrix(&j, t);
	put_cell(&j, "fraud", &t->fraud);
	put_fraud(&j, "fraud_recorded", &t->was);
	put_fraud(&j, "fraud_new", &t->is);
	put_rules(&j, t);
	put_halts(&j, b);
	put_examples(&j, t, "largest_more_severe", t->sterner, t->n_sterner);
	put_examples(&j, t, "largest_less_severe", t->milder, t->n_milder);
	json_put_uint(&j, "supposed_looks", t->supposed_looks);
	json_put_uint(&j, "supposed_codes", t->supposed_codes);
	json_put_uint(&j, "full", t->full);
	if (b->elapsed_ms > 0)
		json_put_int(&j, "events_per_second", muldiv(
		    (int64_t)t->events, 1000, b->elapsed_ms));
	else
		json_put_null(&j, "events_per_second");
	json_close(&j);
	return json_end(&j) == RC_OK ? RC_OK : err_set(e, "cannot be written");
}
