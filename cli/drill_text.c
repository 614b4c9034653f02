/*
 * A drill as people read it: each request as it comes, and what left.
 */
#include "cli/drill.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/civil.h"
#include "lib/json.h"
#include "lib/term.h"

/* What became of a request, in the order of the report. */
enum fate { LEFT, WAITS, HELD, STOPPED, REFUSED, FATES };

static const char *const	 fate_text[FATES] = {
	"left", "waits", "held for people", "stopped", "refused"
};
static const char *const	 fate_json[FATES] = {
	"left", "waiting", "held", "stopped", "refused"
};
static const enum term_style	 thief_style[FATES] = {
	STYLE_BAD, STYLE_WARN, STYLE_GOOD, STYLE_GOOD, STYLE_GOOD
};
static const enum term_style	 honest_style[FATES] = {
	STYLE_GOOD, STYLE_WARN, STYLE_WARN, STYLE_WARN, STYLE_BAD
};

static enum fate
fate_of(const struct drill_asked *a)
{
	if (strcmp(a->state, "released") == 0 || strcmp(a->state, "paid") ==
	    0)
		return LEFT;
	if (strcmp(a->state, "waiting") == 0)
		return WAITS;
	if (strcmp(a->state, "held") == 0)
		return HELD;
	return strcmp(a->state, "stopped") == 0 ? STOPPED : REFUSED;
}

struct sums {
	int64_t		n[FATES];
	int64_t		sat[FATES];
	int64_t		n_all;
	int64_t		sat_all;
};

static void
sum(struct sums *s, const struct drill_asked *a, size_t n, bool attack)
{
	enum fate	 f;
	size_t		 i;

	memset(s, 0, sizeof(*s));
	for (i = 0; i < n; i++) {
		if (a[i].attack != attack)
			continue;
		f = fate_of(&a[i]);
		s->n[f]++;
		s->sat[f] += a[i].amount_sat;
		s->n_all++;
		s->sat_all += a[i].amount_sat;
	}
}

/* Whose credentials the thief has. */
static int64_t
keys_of_thief(const struct drill_asked *a, size_t n)
{
	int64_t	 count = 0;
	size_t	 i, k;

	for (i = 0; i < n; i++) {
		for (k = 0; k < i && (!a[k].attack || a[k].key != a[i].key);)
			k++;
		count += a[i].attack && k == i;
	}
	return count;
}

void
drill_begin(const struct drill_asked *a, size_t n, const char *url, bool again)
{
	struct sums	 thief, honest;
	char		 btc[AMOUNT_TEXT_MAX];

	sum(&thief, a, n, true);
	sum(&honest, a, n, false);
	(void)printf("%" PRId64 " withdrawals of the thief, %s BTC, with %"
	    PRId64 " valid keys and\ntheir codes; %" PRId64 " of ordinary "
	    "customers in the same minutes; to %s\n%s\n", thief.n_all,
	    amount_format_short(btc, thief.sat_all), keys_of_thief(a, n),
	    honest.n_all, url, again ? "What an earlier drill asked for "
	    "counts: limits and balances are used up.\n" : "");
	(void)fflush(stdout);
}

void
drill_line(const struct drill_asked *a, int64_t start_ms, int64_t now_ms)
{
	struct term	 t = term_of(stdout);
	enum fate	 f = fate_of(a);
	char		 btc[AMOUNT_TEXT_MAX], safe[sizeof(a->why)];
	const char	*why = a->id[0] == '\0' ? a->why : f == WAITS ?
	    a->verdict : "";

	(void)printf("%6.1f s  %-8s %12s BTC  %.20s...  %s%s%s%s%s\n",
	    (double)(now_ms - start_ms) / 1000, a->attack ? "thief" :
	    "customer", amount_format_short(btc, a->amount_sat), a->address,
	    term_style(&t, a->attack ? thief_style[f] : honest_style[f]),
	    fate_text[f], term_style(&t, STYLE_PLAIN), why[0] != '\0' ?
	    ": " : "", term_safe(&t, safe, sizeof(safe), why, strlen(why)));
	(void)fflush(stdout);
}

static void
json_of(struct json *j, const char *name, const struct sums *s)
{
	int	 f;

	json_open_object(j, name);
	json_put_int(j, "count", s->n_all);
	json_put_sat(j, "btc", s->sat_all);
	for (f = 0; f < FATES; f++) {
		json_open_object(j, fate_json[f]);
		json_put_int(j, "count", s->n[f]);
		json_put_sat(j, "btc", s->sat[f]);
		json_close(j);
	}
	json_close(j);
}

static void
report_json(const struct sums *thief, const struct sums *honest)
{
	struct json	 j;

	json_to_file(&j, stdout, true);
	json_open_object(&j, NULL);
	json_of(&j, "attack", thief);
	json_of(&j, "legit", honest);
	json_close(&j);
	if (json_end(&j) != RC_OK)
		(void)fputs("drawbridge drill: the report was not written\n",
		    stderr);
}

static void
rows(const struct term *t, const char *who, const struct sums *s,
    const enum term_style *style)
{
	char	 btc[AMOUNT_TEXT_MAX], bar[3 * 30 + 1];
	int	 f;

	(void)printf("%s%s%s\n", term_style(t, STYLE_BOLD), who,
	    term_style(t, STYLE_PLAIN));
	for (f = 0; f < FATES; f++) {
		if (s->n[f] == 0 && f != LEFT)
			continue;
		(void)printf("  %-16s %4" PRId64 "  %12s BTC  %s%s%s\n",
		    fate_text[f], s->n[f], amount_format_short(btc,
		    s->sat[f]), term_style(t, style[f]), term_bar(t, bar, 30,
		    s->sat[f], s->sat_all), term_style(t, STYLE_PLAIN));
	}
}

void
drill_report(const struct drill_asked *a, size_t n, bool real, bool json)
{
	struct term	 t = term_of(stdout);
	struct sums	 thief, honest;
	char		 btc[AMOUNT_TEXT_MAX], all[AMOUNT_TEXT_MAX];

	sum(&thief, a, n, true);
	sum(&honest, a, n, false);
	if (json) {
		report_json(&thief, &honest);
		return;
	}
	(void)putchar('\n');
	rows(&t, "the thief", &thief, thief_style);
	rows(&t, "ordinary customers", &honest, honest_style);
	(void)printf("\nOf %s BTC the thief got %s%s BTC%s.",
	    amount_format_short(all, thief.sat_all), term_style(&t,
	    thief.sat[LEFT] > 0 ? STYLE_BAD : STYLE_GOOD),
	    amount_format_short(btc, thief.sat[LEFT]), term_style(&t,
	    STYLE_PLAIN));
	(void)puts(real ? "  In May 2019 he got all of it." : "");
	(void)puts("`drawbridge queue` shows what waits for people, "
	    "`drawbridge explain` why.");
}
