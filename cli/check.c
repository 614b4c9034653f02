/*
 * drawbridge check: read a policy and say what is wrong with it, what it
 * costs, or what another one changes.
 *
 * The answer goes to standard output, what is wrong to standard error.
 */
#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/commands.h"
#include "lib/amount.h"
#include "lib/civil.h"
#include "policy/against.h"
#include "policy/ast.h"
#include "policy/cost.h"
#include "policy/diag.h"
#include "policy/program.h"
#include "policy/warn.h"

enum action { ACT_CHECK, ACT_PRINT, ACT_AGAINST, ACT_COST, ACT_SIGNER,
	ACT_WORDS };

struct options {
	enum action	 action;
	bool		 json;
	bool		 strict;
	int64_t		 today;		/* civil day, for what has expired */
	int64_t		 hot_sat;	/* -1: not given */
};

#define SIGNER_LINES_MAX	32

/* What the wallet holds: as given, or at most as the policy says. */
static int64_t
hot_of(const struct policy *p, const struct options *o)
{
	return o->hot_sat >= 0 ? o->hot_sat :
	    p->set.hot_max_sat > 0 ? p->set.hot_max_sat : -1;
}

static bool
in_colour(FILE *f)
{
	const char	*no = getenv("NO_COLOR");

	return isatty(fileno(f)) && (no == NULL || no[0] == '\0');
}

/* Aggregates that differ, since equal ones are one set of counters. */
static int
count_aggs(const struct policy *p)
{
	struct program	*prog = NULL;
	int		 n = -1;

	if (program_new(&prog, p, NULL) == RC_OK)
		n = prog->n_aggs;
	program_free(&prog);
	return n;
}

static void
plural(char *buf, size_t buf_len, int n, const char *what, const char *s)
{
	(void)snprintf(buf, buf_len, "%d %s%s", n, what, n == 1 ? "" : s);
}

static void
summary(const struct policy *p, const char *path, int warnings)
{
	char	 rules[32], classes[32], aggs[32], warned[32];

	plural(rules, sizeof(rules), p->n_rules, "rule", "s");
	plural(classes, sizeof(classes), p->n_classes - CLASS_FIRST, "class",
	    "es");
	plural(aggs, sizeof(aggs), count_aggs(p), "aggregate", "s");
	plural(warned, sizeof(warned), warnings, "warning", "s");
	(void)printf("%s: %s, %s, %s: %s\n", path, rules, classes, aggs,
	    warnings == 0 ? "good" : warned);
}

static json_t *
json_items(const struct policy *p, struct diag *d)
{
	const struct diag_item	*it;
	json_t			*a = json_array();
	int			 i, n = diag_errors(d) + diag_warnings(d);

	for (i = 0; i < n; i++) {
		it = diag_get(d, i);
		(void)json_array_append_new(a, json_pack(
		    "{s:s, s:i, s:i, s:s, s:s, s:s?}",
		    "file", p->files[it->pos.file], "line", it->pos.line,
		    "column", it->pos.col, "level",
		    it->level == DIAG_ERROR ? "error" : "warning",
		    "text", it->text, "hint", it->hint));
	}
	return a;
}

static void
print_json(json_t *j)
{
	(void)json_dumpf(j, stdout, JSON_INDENT(1) | JSON_ENSURE_ASCII);
	(void)putchar('\n');
	json_decref(j);
}

static int
check_json(const struct policy *p, const char *path, struct diag *d)
{
	print_json(json_pack("{s:s, s:b, s:i, s:i, s:i, s:o}",
	    "policy", path, "good", diag_warnings(d) == 0, "rules", p->n_rules,
	    "classes", p->n_classes - CLASS_FIRST, "aggregates",
	    count_aggs(p), "messages", json_items(p, d)));
	return STATUS_DONE;
}

/*
 * "FILE:LINE:COLUMN: error: TEXT" taken apart; NULL when the line is another
 * one.  The file may hold colons itself, so it is read from behind.
 */
static json_t *
json_error(char *line)
{
	char	*text = strstr(line, ": error: "), *col, *row;

	if (line[0] == ' ' || text == NULL)
		return NULL;
	*text = '\0';
	if ((col = strrchr(line, ':')) == NULL)
		return NULL;
	*col++ = '\0';
	if ((row = strrchr(line, ':')) == NULL)
		return NULL;
	*row++ = '\0';
	return json_pack("{s:s%, s:i, s:i, s:s, s:s}", "file", line,
	    strlen(line), "line", (int)strtol(row, NULL, 10), "column",
	    (int)strtol(col, NULL, 10), "level", "error", "text",
	    text + strlen(": error: "));
}

/* Nothing was loaded: what was said about it. */
static void
failed_json(const char *path, char *said, const struct err *e)
{
	json_t	*messages = json_array(), *j;
	char	*line, *rest = said;

	while ((line = strsep(&rest, "\n")) != NULL)
		if ((j = json_error(line)) != NULL)
			(void)json_array_append_new(messages, j);
	print_json(json_pack("{s:s, s:b, s:s, s:o}", "policy", path, "good",
	    0, "error", e->text, "messages", messages));
}

/* The same for people, `error` in red where there are colours. */
static void
failed_text(char *said)
{
	bool	 colour = in_colour(stderr);
	char	*line, *rest = said, *at;

	while ((line = strsep(&rest, "\n")) != NULL && rest != NULL) {
		at = colour && line[0] != ' ' ? strstr(line, ": error: ") :
		    NULL;
		if (at != NULL)
			(void)fprintf(stderr,
			    "%.*s: \033[1;31merror\033[0m%s\n",
			    (int)(at - line), line, at + strlen(": error"));
		else
			(void)fprintf(stderr, "%s\n", line);
	}
}

static int
load(struct policy **out, const char *path, const struct options *o)
{
	FILE		*text;
	char		*said = NULL;
	size_t		 said_len = 0;
	struct err	 e;
	enum rc		 rc;
	int		 status = STATUS_DONE;

	if ((text = open_memstream(&said, &said_len)) == NULL) {
		perror("drawbridge check");
		return STATUS_FAILED;
	}
	rc = policy_load(out, path, text, &e);
	(void)fclose(text);
	if (rc != RC_OK) {
		status = STATUS_FAILED;
		if (o->json)
			failed_json(path, said, &e);
		else
			failed_text(said);
	}
	free(said);
	return status;
}

static int
check(const struct policy *p, const char *path, const struct options *o)
{
	struct diag	*d = diag_new(p);
	int		 status = STATUS_DONE;

	warn_check(p, d, o->today, hot_of(p, o));
	if (o->json) {
		status = check_json(p, path, d);
	} else {
		diag_print(d, stderr, in_colour(stderr));
		(void)fflush(stderr);
		summary(p, path, diag_warnings(d));
	}
	if (o->strict && diag_warnings(d) > 0)
		status = STATUS_FAILED;
	diag_free(&d);
	return status;
}

static int
print(const struct policy *p, const struct options *o)
{
	char	*text = NULL;
	size_t	 len = 0;
	FILE	*f;

	if (!o->json) {
		policy_print(p, stdout);
		return STATUS_DONE;
	}
	if ((f = open_memstream(&text, &len)) == NULL) {
		perror("drawbridge check");
		return STATUS_FAILED;
	}
	policy_print(p, f);
	(void)fclose(f);
	print_json(json_pack("{s:s%}", "text", text, len));
	free(text);
	return STATUS_DONE;
}

static void
json_change(void *ctx, const struct against_change *c)
{
	(void)json_array_append_new(ctx, json_pack("{s:s, s:s, s:s, s:s}",
	    "direction", against_text(c->direction), "where", c->where,
	    "subject", c->subject, "reason", c->reason));
}

static int
against(const struct policy *old, const struct policy *new,
    const struct options *o)
{
	struct against_counts	 n;
	json_t			*changes;

	if (!o->json) {
		against_print(old, new, stdout, &n);
		return STATUS_DONE;
	}
	changes = json_array();
	against_compare(old, new, json_change, changes, &n);
	print_json(json_pack("{s:i, s:i, s:i, s:o}", "tightens", n.tightens,
	    "loosens", n.loosens, "neutral", n.neutral, "changes", changes));
	return STATUS_DONE;
}

static int
cost_json(const struct program *g)
{
	struct cost	 c;
	json_t		*stores = json_array();
	int		 i;

	cost_compute(g, &c);
	for (i = 0; i < c.n_stores; i++)
		(void)json_array_append_new(stores, json_pack(
		    "{s:s, s:I, s:I, s:I, s:I, s:s}", "name",
		    c.stores[i].name, "record_bytes",
		    (json_int_t)c.stores[i].record_bytes, "window_bytes",
		    (json_int_t)c.stores[i].window_bytes, "index_bytes",
		    (json_int_t)c.stores[i].index_bytes, "capacity",
		    (json_int_t)c.stores[i].capacity, "flood",
		    c.stores[i].flood));
	print_json(json_pack("{s:I, s:i, s:i, s:i, s:o}", "total_bytes",
	    (json_int_t)c.total_bytes, "tests", c.n_tests, "reads", c.n_reads,
	    "writes", c.n_writes, "stores", stores));
	return STATUS_DONE;
}

static int
cost(const struct policy *p, const struct options *o)
{
	struct program	*g = NULL;
	struct err	 e;

	if (program_new(&g, p, &e) != RC_OK) {
		(void)fprintf(stderr, "%s\n", e.text);
		return STATUS_FAILED;
	}
	if (o->json)
		(void)cost_json(g);
	else
		cost_print(g, hot_of(p, o), stdout);
	program_free(&g);
	return STATUS_DONE;
}

static int
signer(const struct policy *p, const struct options *o)
{
	struct cost_signer	 lines[SIGNER_LINES_MAX];
	json_t			*a;
	int			 i, n;

	if (!o->json) {
		cost_signer_print(p, hot_of(p, o), stdout);
		return STATUS_DONE;
	}
	a = json_array();
	n = cost_signer(p, hot_of(p, o), lines, SIGNER_LINES_MAX);
	for (i = 0; i < n; i++)
		(void)json_array_append_new(a, json_pack(
		    "{s:s, s:s, s:I, s:I, s:i}", "what", lines[i].what,
		    "text", lines[i].text, "sat", (json_int_t)lines[i].sat,
		    "blocks", (json_int_t)lines[i].blocks, "people",
		    lines[i].people));
	print_json(a);
	return STATUS_DONE;
}

static int
run(const struct options *o, const char *path, const char *new_path)
{
	struct policy	*p = NULL, *new = NULL;
	int		 status;

	status = load(&p, path, o);
	if (status == STATUS_DONE && new_path != NULL)
		status = load(&new, new_path, o);
	if (status != STATUS_DONE)
		goto done;
	switch (o->action) {
	case ACT_CHECK:
		status = check(p, path, o);
		break;
	case ACT_PRINT:
		status = print(p, o);
		break;
	case ACT_AGAINST:
		status = against(p, new, o);
		break;
	case ACT_COST:
		status = cost(p, o);
		break;
	case ACT_SIGNER:
		status = signer(p, o);
		break;
	case ACT_WORDS:
		break;
	}
done:
	policy_free(&p);
	policy_free(&new);
	return status;
}

/* The facts that a rule may ask about: what the manual's table shows. */
static int
words(bool json)
{
	static const char *const types[] = { [TYPE_AMOUNT] = "amount",
		[TYPE_COUNT] = "number", [TYPE_TIME] = "time",
		[TYPE_FLAG] = "flag" };
	static const char *const sides[] = { [SIDE_EXACT] = "exact",
		[SIDE_AGAINST] = "against", [SIDE_FOR] = "for",
		[SIDE_CHAIN] = "chain" };
	const struct word	*w;
	json_t			*a = json_array();
	int			 i;

	for (i = 0; i < FACT__COUNT; i++) {
		w = word_of((enum fact)i);
		if (json)
			(void)json_array_append_new(a, json_pack(
			    "{s:s, s:s, s:s, s:b, s:s}", "word", w->text,
			    "type", types[w->type], "side", sides[w->side],
			    "frozen", w->frozen, "help", w->help));
		else
			(void)printf("%-27s %-7s %-8s %s\n", w->text,
			    types[w->type], sides[w->side], w->help);
	}
	if (json)
		print_json(a);
	else
		json_decref(a);
	return STATUS_DONE;
}

static bool
parse_date(int64_t *day_out, const char *text)
{
	int	 y, m, d, n = 0;

	if (sscanf(text, "%4d-%2d-%2d%n", &y, &m, &d, &n) == 3 &&
	    text[n] == '\0' && civil_days(day_out, y, m, d))
		return true;
	(void)fprintf(stderr, "drawbridge check: no such day: %.40s\n", text);
	return false;
}

static bool
parse_hot(int64_t *sat_out, const char *text)
{
	struct err	 e;

	if (amount_parse(sat_out, text, strlen(text), &e) == RC_OK)
		return true;
	(void)fprintf(stderr, "drawbridge check: --hot: %s\n", e.text);
	return false;
}

static enum action
action_of(int option)
{
	return option == 'a' ? ACT_AGAINST : option == 'c' ? ACT_COST :
	    option == 'p' ? ACT_PRINT : option == 's' ? ACT_SIGNER :
	    ACT_WORDS;
}

int
cmd_check(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "against", no_argument, NULL, 'a' },
		{ "cost", no_argument, NULL, 'c' },
		{ "date", required_argument, NULL, 'd' },
		{ "hot", required_argument, NULL, 'h' },
		{ "json", no_argument, NULL, 'j' },
		{ "print", no_argument, NULL, 'p' },
		{ "signer", no_argument, NULL, 's' },
		{ "strict", no_argument, NULL, 'S' },
		{ "words", no_argument, NULL, 'w' },
		{ NULL, 0, NULL, 0 },
	};
	struct options	 o = { .action = ACT_CHECK, .hot_sat = -1,
		.today = (int64_t)time(NULL) * MS_PER_S / MS_PER_DAY };
	int		 c, actions = 0, want;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'a':
		case 'c':
		case 'p':
		case 's':
		case 'w':
			o.action = action_of(c);
			actions++;
			break;
		case 'd':
			if (!parse_date(&o.today, optarg))
				return usage("check");
			break;
		case 'h':
			if (!parse_hot(&o.hot_sat, optarg))
				return usage("check");
			break;
		case 'j':
			o.json = true;
			break;
		case 'S':
			o.strict = true;
			break;
		default:
			return usage("check");
		}
	}
	want = o.action == ACT_AGAINST ? 2 : o.action != ACT_WORDS;
	if (actions > 1 || argc - optind != want)
		return usage("check");
	if (o.action == ACT_WORDS)
		return words(o.json);
	return run(&o, argv[optind], want == 2 ? argv[optind + 1] : NULL);
}
