/*
 * Golden decisions: a policy, what is known about a withdrawal in the
 * policy's own words, and the answer, byte for byte.
 *
 *	test_decide DIR		every DIR/NAME.in against DIR/NAME.ok
 *	test_decide FILE.in	print what FILE.ok should hold
 *
 * A .in file is the policy's text, then blocks that begin with a line `--`
 * and one of ask, mature, resume, release.  A block's lines:
 *
 *	WORDS = VALUE		a fact, sum, `normal of SUM`, `busy in DUR`,
 *				`hot` or `fund`; VALUE with its unit, or one
 *				of unknown, full, overflow
 *	WORDS			a flag that is true
 *	on DATE			the time, 00:00 UTC; else 2026-01-01
 *	class NAME		the withdrawal was of that class (not `ask`)
 *	tainted "NAME"		S28, for that rule
 *	drawn "NAME"		S41: the lot falls on it
 *	shade PERCENT		S42: of the share that is taken off
 *
 * A fact that is not given has its S21 value; a sum that is not given is
 * unknown.
 */
#include <dirent.h>
#include <stdlib.h>

#include "lib/amount.h"
#include "lib/civil.h"
#include "policy/print.h"
#include "policy/program.h"
#include "tests/check.h"

#define LINES_MAX	64
#define TEXT_MAX	(1 << 16)
#define WORDS_MAX	(PRINT_TEXT_MAX + 64)

struct block {
	const struct program *program;
	char		*lines[LINES_MAX];
	int		 n_lines;
};

static char *
slot_text(const struct program *g, int slot, char buf[WORDS_MAX])
{
	static const char *const subjects[] = { "destination", "account", "ip",
		"group" };
	const struct policy *p = g->policy;
	const struct prog_slot *s = &g->slots[slot];
	char		 text[PRINT_TEXT_MAX];
	struct agg	 def;

	switch (s->kind) {
	case SLOT_FACT:
		snprintf(buf, WORDS_MAX, "%s",
		    word_of((enum fact)s->index)->text);
		break;
	case SLOT_DECLARED:
		snprintf(buf, WORDS_MAX, "%s", p->declared[s->index].name);
		break;
	case SLOT_AGG:
	case SLOT_NORMAL:
		def = g->aggs[s->index].def;
		/* A cap that nobody wrote is not printed. */
		def.cap = 0;
		if (program_cap(&def) != g->aggs[s->index].def.cap)
			def.cap = g->aggs[s->index].def.cap;
		if (def.cls >= p->n_classes)
			/* What an exemption has used: no words for it. */
			snprintf(text, sizeof(text), "%s of exempt %s",
			    def.what == AGG_SUM ? "sum" : "count",
			    p->exempts[def.cls - p->n_classes].name);
		else
			print_agg(p, text, sizeof(text), &def);
		snprintf(buf, WORDS_MAX, "%s%s", s->kind == SLOT_NORMAL ?
		    "normal of " : "", text);
		break;
	case SLOT_BUSY:
		snprintf(buf, WORDS_MAX, "busy in %s", print_duration(text,
		    sizeof(text), g->busy_windows[s->index]));
		break;
	case SLOT_FRAUD:
		snprintf(buf, WORDS_MAX, "confirmed fraud in %s",
		    print_duration(text, sizeof(text),
		    g->fraud_windows[s->index]));
		break;
	case SLOT_IN_TABLE:
		snprintf(buf, WORDS_MAX, "%s in <%s>", subjects[s->index % 4],
		    p->tables[s->index / 4].name);
		break;
	}
	return buf;
}

static enum eval_error
read_value(const char *text, int64_t *out)
{
	static const struct { const char *unit; int64_t ms; } units[] = {
		{ "ms", 1 }, { "s", 1000 }, { "m", MS_PER_MIN },
		{ "h", MS_PER_HOUR }, { "d", MS_PER_DAY }, { "", 1 } };
	char		*end;
	size_t		 i, len = strcspn(text, " ");
	struct err	 e;

	*out = 0;
	if (strcmp(text, "unknown") == 0)
		return EVAL_UNKNOWN;
	if (strcmp(text, "full") == 0)
		return EVAL_FULL;
	if (strcmp(text, "overflow") == 0)
		return EVAL_OVERFLOW;
	if (strcmp(text + len, " btc") == 0) {
		if (amount_parse(out, text, len, &e) == RC_OK)
			return EVAL_OK;
	}
	*out = strtoll(text, &end, 10);
	if (strcmp(end, " sat") == 0)
		return EVAL_OK;
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].unit) == 0) {
			*out *= units[i].ms;
			return EVAL_OK;
		}
	}
	fprintf(stderr, "not a value: %s\n", text);
	exit(2);
}

/* The value a block gives to these words; NULL when it does not. */
static const char *
given(const struct block *b, const char *words)
{
	size_t	 len = strlen(words);
	int	 i;

	for (i = 0; i < b->n_lines; i++) {
		if (strncmp(b->lines[i], words, len) != 0)
			continue;
		if (b->lines[i][len] == '\0')
			return "1";
		if (strncmp(b->lines[i] + len, " = ", 3) == 0)
			return b->lines[i] + len + 3;
	}
	return NULL;
}

static enum eval_error
fetch(void *ctx, int slot, int64_t *out)
{
	const struct block *b = ctx;
	const struct prog_slot *s = &b->program->slots[slot];
	char		 words[WORDS_MAX];
	const char	*value;

	value = given(b, slot_text(b->program, slot, words));
	if (value != NULL)
		return read_value(value, out);
	*out = 0;
	switch (s->kind) {
	case SLOT_FACT:
		*out = b->program->policy->unknown[s->index];
		return EVAL_OK;
	case SLOT_DECLARED:
		*out = b->program->policy->declared[s->index].unknown;
		return EVAL_OK;
	case SLOT_FRAUD:
	case SLOT_IN_TABLE:
		return EVAL_OK;
	case SLOT_AGG:
		return EVAL_UNKNOWN;
	case SLOT_NORMAL:
		*out = -1;
		return EVAL_OK;
	case SLOT_BUSY:
		*out = 1000;
		return EVAL_OK;
	}
	return EVAL_UNKNOWN;
}

static bool
says_of(const struct block *b, const char *word, int rule)
{
	char	 line[200];

	snprintf(line, sizeof(line), "%s \"%s\"", word,
	    b->program->rules[rule].name);
	return given(b, line) != NULL;
}

static bool
draw(void *ctx, int rule)
{
	return says_of(ctx, "drawn", rule);
}

static bool
tainted(void *ctx, int rule)
{
	return says_of(ctx, "tainted", rule);
}

static uint32_t
shade(void *ctx, int rule)
{
	const struct block *b = ctx;
	int	 i;

	(void)rule;
	for (i = 0; i < b->n_lines; i++)
		if (strncmp(b->lines[i], "shade ", 6) == 0)
			return (uint32_t)(strtoull(b->lines[i] + 6, NULL, 10) *
			    UINT32_MAX / 100);
	return 0;
}

/* --- printing ---------------------------------------------------------- */

static void
print_rules(const struct program *g, const char *word, const uint64_t *bits,
    FILE *out)
{
	int	 r;

	for (r = 0; r < g->n_rules; r++)
		if ((bits[r / 64] >> (r % 64) & 1) != 0)
			fprintf(out, "  %s \"%s\" %s\n", word,
			    g->rules[r].name, g->rules[r].where);
}

static void
print_value(const struct program *g, int slot, int64_t value, FILE *out)
{
	const struct prog_slot *s = &g->slots[slot];
	char		 text[PRINT_TEXT_MAX];
	enum type	 type = TYPE_COUNT;

	if (s->kind == SLOT_FACT)
		type = word_of((enum fact)s->index)->type;
	if (s->kind == SLOT_DECLARED)
		type = g->policy->declared[s->index].type;
	if ((s->kind == SLOT_AGG || s->kind == SLOT_NORMAL) && value >= 0 &&
	    g->aggs[s->index].def.what == AGG_SUM)
		type = TYPE_AMOUNT;
	if (value == INT64_MAX)
		fprintf(out, "without end");
	else if (type == TYPE_AMOUNT)
		fprintf(out, "%s", print_amount(text, sizeof(text), value));
	else if (type == TYPE_TIME)
		fprintf(out, "%s", print_duration(text, sizeof(text), value));
	else
		fprintf(out, "%lld", (long long)value);
}

static void
print_answer(const struct program *g, const struct eval_env *env,
    const struct joined *j, FILE *out)
{
	static const char *const errors[] = { "", "unknown", "full",
		"overflow" };
	char	 text[WORDS_MAX];
	int	 i;

	fprintf(out, "%s\n", verdict_text(j->called));
	if (j->delay_ms > 0)
		fprintf(out, "  delay %s\n", print_duration(text, sizeof(text),
		    j->delay_ms));
	if (j->code)
		fprintf(out, "  code\n");
	if (j->people > 0)
		fprintf(out, "  people %d\n", j->people);
	if (j->deny)
		fprintf(out, "  deny\n");
	if (j->halt)
		fprintf(out, "  halt\n");
	if (j->by_default)
		fprintf(out, "  by default\n");
	if (j->error != EVAL_OK)
		fprintf(out, "  error %s\n", errors[j->error]);
	print_rules(g, "rule", j->matched, out);
	print_rules(g, "exempted", j->exempted, out);
	print_rules(g, "shadow", j->shadowed, out);
	print_rules(g, "failed", j->failed, out);
	for (i = 0; i < g->policy->n_classes; i++)
		if ((env->classes >> i & 1) != 0)
			fprintf(out, "  class %s\n",
			    g->policy->classes[i].name);
	for (i = 0; i < g->n_slots; i++) {
		if ((env->known[i / 64] >> (i % 64) & 1) == 0)
			continue;
		fprintf(out, "  read %s = ", slot_text(g, i, text));
		print_value(g, i, env->value[i], out);
		fprintf(out, "\n");
	}
}

/* --- reading ----------------------------------------------------------- */

static int64_t
level(const struct block *b, const char *words)
{
	const char	*value = given(b, words);
	int64_t		 sat;

	if (value == NULL || read_value(value, &sat) != EVAL_OK)
		return -1;
	return sat;
}

static void
set_classes(const struct block *b, struct eval_env *env)
{
	const struct policy *p = b->program->policy;
	char	 line[200];
	int	 i;

	for (i = 0; i < p->n_classes; i++) {
		snprintf(line, sizeof(line), "class %s", p->classes[i].name);
		if (given(b, line) != NULL)
			env->classes |= UINT64_C(1) << i;
	}
}

/* A line that the policy never asks about is a mistake in the test. */
static bool
makes_sense(const struct block *b, const char *line)
{
	static const char *const keys[] = { "ask", "mature", "resume",
		"release", "on ", "class ", "tainted \"", "drawn \"", "shade ",
		"hot = ", "fund = ", "amount = ", "via " };
	char	 words[WORDS_MAX];
	size_t	 i, len;
	int	 slot;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strncmp(line, keys[i], strlen(keys[i])) == 0)
			return true;
	for (slot = 0; slot < b->program->n_slots; slot++) {
		len = strlen(slot_text(b->program, slot, words));
		if (strncmp(line, words, len) == 0 &&
		    (line[len] == '\0' || line[len] == ' '))
			return true;
	}
	fprintf(stderr, "# nobody asks about: %s\n", line);
	return false;
}

static bool
judge(struct block *b, FILE *out)
{
	static const char *const words[] = { "ask", "mature", "resume",
		"release" };
	struct eval_env	 env = { .fetch = fetch, .draw = draw, .shade = shade,
		.tainted = tainted, .ctx = b };
	struct joined	 j;
	int64_t		 days = 0;
	bool		 good = true;
	int		 i, year, month, day;

	for (i = 0; i < b->n_lines; i++)
		good = makes_sense(b, b->lines[i]) && good;
	for (i = 0; i < 4; i++)
		if (b->n_lines > 0 && strcmp(b->lines[0], words[i]) == 0)
			env.when = (enum eval_when)i;
	(void)civil_days(&days, 2026, 1, 1);
	for (i = 0; i < b->n_lines; i++)
		if (sscanf(b->lines[i], "on %d-%d-%d", &year, &month,
		    &day) == 3)
			(void)civil_days(&days, year, month, day);
	env.t_ms = days * MS_PER_DAY;
	env.hot_sat = level(b, "hot");
	env.fund_sat = level(b, "fund");
	set_classes(b, &env);
	eval(b->program, &env, &j);
	fprintf(out, "%s: ", words[env.when]);
	print_answer(b->program, &env, &j, out);
	return good;
}

/* Cut a block into its lines, without blanks around them and comments. */
static void
cut(char *text, struct block *b)
{
	char	*line, *rest = text, *end;

	b->n_lines = 0;
	while ((line = strsep(&rest, "\n")) != NULL) {
		line += strspn(line, " \t");
		if ((end = strchr(line, '#')) != NULL)
			*end = '\0';
		for (end = line + strlen(line); end > line &&
		    (end[-1] == ' ' || end[-1] == '\t'); end--)
			end[-1] = '\0';
		if (*line != '\0' && b->n_lines < LINES_MAX)
			b->lines[b->n_lines++] = line;
	}
}

static bool
decide(char *text, const char *name, FILE *out)
{
	struct program	*g = NULL;
	struct policy	*p = NULL;
	struct block	 b;
	struct err	 e;
	char		*next = strstr(text, "\n--\n"), *at;
	bool		 good = true;

	if (next == NULL)
		return false;
	if (policy_load_text(&p, name, text, (size_t)(next - text) + 1, stdout,
	    &e) != RC_OK || program_new(&g, p, &e) != RC_OK) {
		printf("# %s\n", e.text);
		return false;
	}
	while (next != NULL) {
		at = next + 4;
		if ((next = strstr(at, "\n--\n")) != NULL)
			*next = '\0';
		cut(at, &b);
		b.program = g;
		good = judge(&b, out) && good;
	}
	program_free(&g);
	policy_free(&p);
	return good;
}

static char *
read_whole(const char *path)
{
	char	*text = calloc(1, TEXT_MAX);
	FILE	*f = fopen(path, "r");

	if (text == NULL || f == NULL) {
		fprintf(stderr, "cannot read %s\n", path);
		exit(2);
	}
	(void)fread(text, 1, TEXT_MAX - 1, f);
	fclose(f);
	return text;
}

static void
check_one(const char *dir, const char *in_name)
{
	char	 path[1024], *in, *ok, *got = NULL;
	size_t	 len = 0;
	FILE	*out;

	check_case(in_name);
	snprintf(path, sizeof(path), "%s/%s", dir, in_name);
	in = read_whole(path);
	memcpy(path + strlen(path) - 2, "ok", 2);
	ok = read_whole(path);
	out = open_memstream(&got, &len);
	CHECK(decide(in, in_name, out));
	fclose(out);
	CHECK_STR(got, ok);
	free(in);
	free(ok);
	free(got);
}

static int
is_in(const struct dirent *d)
{
	size_t	 len = strlen(d->d_name);

	return len > 3 && strcmp(d->d_name + len - 3, ".in") == 0;
}

int
main(int argc, char **argv)
{
	struct dirent	**names;
	const char	*slash;
	char		*text;
	int		 i, n;

	if (argc != 2)
		return 2;
	if (strlen(argv[1]) > 3 && strcmp(argv[1] + strlen(argv[1]) - 3,
	    ".in") == 0) {
		slash = strrchr(argv[1], '/');
		text = read_whole(argv[1]);
		i = !decide(text, slash != NULL ? slash + 1 : argv[1], stdout);
		free(text);
		return i;
	}
	if ((n = scandir(argv[1], &names, is_in, alphasort)) <= 0)
		return 2;
	for (i = 0; i < n; i++) {
		check_one(argv[1], names[i]->d_name);
		free(names[i]);
	}
	free(names);
	return check_done();
}
