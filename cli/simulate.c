/*
 * drawbridge simulate: make a scenario.  The platform and its customers are
 * sim/world.h and sim/traffic.h, the thefts sim/attack.h; here are only the
 * options, the progress and the file.
 */
#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "lib/amount.h"
#include "lib/civil.h"
#include "sim/simulate.h"

struct options {
	struct params	 p;
	const char	*attack;
	const char	*output;
	bool		 list;
	bool		 params;
	bool		 json;
};

struct progress {
	struct scenario_writer *w;
	int64_t		 start_ms;
	int64_t		 end_ms;
	uint64_t	 n;
	bool		 shown;
};

static enum rc
take(void *ctx, const struct scenario_event *ev)
{
	struct progress	*pr = ctx;
	int64_t		 day;

	pr->n++;
	if (pr->shown && (pr->n & 0x3ffff) == 0) {
		day = (ev->t_ms - pr->start_ms) / MS_PER_DAY;
		(void)fprintf(stderr, "\r%" PRIu64 " events, day %" PRId64
		    " of %" PRId64 " ", pr->n, day < 0 ? 0 : day,
		    (pr->end_ms - pr->start_ms) / MS_PER_DAY);
	}
	return scenario_write(pr->w, ev);
}

static int
fail(const struct err *e)
{
	(void)fprintf(stderr, "drawbridge simulate: %s\n", e->text);
	return STATUS_FAILED;
}

static int
write_file(const struct options *o)
{
	struct progress		 pr = { 0 };
	struct simulate_sink	 sink = { take, &pr };
	struct err		 e = { "cannot be written" };

	if (scenario_writer_open(&pr.w, o->output, &e) != RC_OK)
		return fail(&e);
	pr.start_ms = o->p.start_ms;
	pr.end_ms = o->p.start_ms + o->p.days * MS_PER_DAY;
	pr.shown = isatty(STDERR_FILENO) == 1;
	if (simulate_run(&o->p, o->attack, &sink, &e) != RC_OK) {
		if (pr.shown)
			(void)fputc('\n', stderr);
		scenario_writer_discard(&pr.w);
		return fail(&e);
	}
	if (pr.shown)
		(void)fprintf(stderr, "\r%" PRIu64 " events%24s\n", pr.n, "");
	if (scenario_writer_close(&pr.w, &e) != RC_OK)
		return fail(&e);
	return STATUS_DONE;
}

/* Sentences, broken before column 76. */
static void
print_wrapped(const char *text)
{
	size_t	 column = 0, n;

	while (*text != '\0') {
		n = strcspn(text, " ");
		if (column > 0 && column + 1 + n > 68) {
			(void)putchar('\n');
			column = 0;
		}
		(void)printf("%s%.*s", column == 0 ? "        " : " ", (int)n,
		    text);
		column += n + (column > 0);
		text += n + (text[n] == ' ');
	}
	(void)putchar('\n');
}

static int
print_list(bool json, bool long_text)
{
	const struct attack_kind	*kinds;
	size_t				 n, i;

	kinds = attack_kinds(&n);
	for (i = 0; i < n; i++) {
		if (json) {
			(void)printf("%s{\"name\":\"%s\",\"line\":\"%s\","
			    "\"hot_permille\":%" PRId64 ",\"accounts_ppm\":%"
			    PRId64 ",\"floor_sat\":%" PRId64 ",\"doc\":\"%s\"}"
			    "%s\n", i == 0 ? "[" : " ", kinds[i].name,
			    kinds[i].line, kinds[i].hot_permille,
			    kinds[i].accounts_ppm, kinds[i].floor_sat,
			    kinds[i].doc, i + 1 == n ? "]" : ",");
			continue;
		}
		(void)printf("%-20s %s\n", kinds[i].name, kinds[i].line);
		if (long_text)
			print_wrapped(kinds[i].doc);
	}
	return STATUS_DONE;
}

static int
print_params(const struct params *p, bool json)
{
	const struct param	*table;
	size_t			 n, i;

	table = params_table(&n);
	for (i = 0; i < n; i++) {
		if (json)
			(void)printf("%s{\"name\":\"%s\",\"value\":%" PRId64
			    ",\"meaning\":\"%s\"}%s\n", i == 0 ? "[" : " ",
			    table[i].name, params_get(p, &table[i]),
			    table[i].meaning, i + 1 == n ? "]" : ",");
		else
			(void)printf("%-24s %15" PRId64 "  %s\n",
			    table[i].name, params_get(p, &table[i]),
			    table[i].meaning);
	}
	return STATUS_DONE;
}

/* Set a parameter from an option's text; the option is named on failure. */
static bool
set(struct params *p, const char *option, const char *name,
    const char *value)
{
	char		 text[256];
	struct err	 e;

	if (snprintf(text, sizeof(text), "%s%s%s", name, *name != '\0' ? "="
	    : "", value) >= (int)sizeof(text)) {
		(void)fprintf(stderr, "drawbridge simulate: --%s: too long\n",
		    option);
		return false;
	}
	if (params_set(p, text, &e) == RC_OK)
		return true;
	(void)fprintf(stderr, "drawbridge simulate: --%s: %s\n", option,
	    e.text);
	return false;
}

static bool
set_network(struct params *p, const char *text)
{
	enum network	 net;

	if (!network_of(&net, text, strlen(text))) {
		(void)fprintf(stderr, "drawbridge simulate: --network: main, "
		    "test, signet or regtest\n");
		return false;
	}
	p->network = net;
	return true;
}

/* 2019-04-16 */
static bool
set_start(struct params *p, const char *text)
{
	int	 year, month, day, n = 0;
	int64_t	 days;

	if (sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &n) != 3 ||
	    text[n] != '\0' || !civil_days(&days, year, month, day) ||
	    year < 1990 || year > 2099) {
		(void)fprintf(stderr, "drawbridge simulate: --start: a date "
		    "like 2019-04-16, of 1990 to 2099\n");
		return false;
	}
	p->start_ms = days * MS_PER_DAY;
	return true;
}

/* "25%", "2.5", at most 100. */
static bool
set_owners(struct params *p, const char *text)
{
	int64_t		 sat;
	size_t		 len = strlen(text);
	struct err	 e;

	if (len > 0 && text[len - 1] == '%')
		len--;
	/* Decimals are read as those of an amount are: never as a float. */
	if (amount_parse(&sat, text, len, &e) != RC_OK ||
	    sat > 100 * SAT_PER_BTC) {
		(void)fprintf(stderr, "drawbridge simulate: --owners: a "
		    "percentage, 0 to 100\n");
		return false;
	}
	p->attack_owners_ppm = sat / (SAT_PER_BTC / 10000);
	return true;
}

enum long_option {
	OPT_SEED = 256, OPT_PRESET, OPT_ATTACK, OPT_OWNERS, OPT_DAYS,
	OPT_ACCOUNTS, OPT_CRASH_DAY, OPT_NETWORK, OPT_START, OPT_SET,
	OPT_PARAMS, OPT_LIST, OPT_JSON,
};

static const struct option long_options[] = {
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "preset", required_argument, NULL, OPT_PRESET },
	{ "attack", required_argument, NULL, OPT_ATTACK },
	{ "owners", required_argument, NULL, OPT_OWNERS },
	{ "days", required_argument, NULL, OPT_DAYS },
	{ "accounts", required_argument, NULL, OPT_ACCOUNTS },
	{ "crash-day", required_argument, NULL, OPT_CRASH_DAY },
	{ "network", required_argument, NULL, OPT_NETWORK },
	{ "start", required_argument, NULL, OPT_START },
	{ "set", required_argument, NULL, OPT_SET },
	{ "params", no_argument, NULL, OPT_PARAMS },
	{ "list", no_argument, NULL, OPT_LIST },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "output", required_argument, NULL, 'o' },
	{ NULL, 0, NULL, 0 },
};

static bool
set_preset(struct params *p, const char *name)
{
	if (params_preset(p, name))
		return true;
	(void)fprintf(stderr, "drawbridge simulate: --preset: small, medium "
	    "or large\n");
	return false;
}

static bool
set_attack(struct options *o, const char *name)
{
	if (attack_find(name) == NULL && strcmp(name, "none") != 0) {
		(void)fprintf(stderr, "drawbridge simulate: no attack "
		    "`%.40s`; --list shows them\n", name);
		return false;
	}
	o->attack = strcmp(name, "none") != 0 ? name : NULL;
	return true;
}

static bool
set_option(struct options *o, int c, char *arg)
{
	struct params	*p = &o->p;

	switch (c) {
	case OPT_SEED:
		return set(p, "seed", "seed", arg);
	case OPT_PRESET:
		return set_preset(p, arg);
	case OPT_ATTACK:
		return set_attack(o, arg);
	case OPT_OWNERS:
		return set_owners(p, arg);
	case OPT_DAYS:
		return set(p, "days", "days", arg);
	case OPT_ACCOUNTS:
		return set(p, "accounts", "accounts", arg);
	case OPT_CRASH_DAY:
		return set(p, "crash-day", "crash_day", arg);
	case OPT_NETWORK:
		return set_network(p, arg);
	case OPT_START:
		return set_start(p, arg);
	case OPT_SET:
		return set(p, "set", "", arg);
	case OPT_PARAMS:
		return o->params = true;
	case OPT_LIST:
		return o->list = true;
	case OPT_JSON:
		return o->json = true;
	case 'o':
		o->output = arg;
		return true;
	}
	return false;
}

int
cmd_simulate(int argc, char **argv)
{
	struct options	 o;
	struct err	 e;
	int		 c;

	memset(&o, 0, sizeof(o));
	params_default(&o.p);
	optind = 1;
	while ((c = getopt_long(argc, argv, "o:", long_options, NULL)) != -1)
		if (!set_option(&o, c, optarg))
			return c == '?' ? usage("simulate") : STATUS_USAGE;
	if (optind != argc || (o.output == NULL && !o.list && !o.params))
		return usage("simulate");
	if (params_check(&o.p, &e) != RC_OK) {
		(void)fprintf(stderr, "drawbridge simulate: %s\n", e.text);
		return STATUS_USAGE;
	}
	if (o.list)
		return print_list(o.json, o.params);
	if (o.params)
		return print_params(&o.p, o.json);
	return write_file(&o);
}
