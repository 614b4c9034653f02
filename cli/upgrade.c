/*
 * drawbridge upgrade: what another version of this program would make of a
 * journal.  `check PROGRAM` runs that program's own `upgrade judge`.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/opened.h"
#include "db/snapshot.h"
#include "engine/engine.h"
#include "engine/load.h"
#include "engine/rebuild.h"
#include "lib/civil.h"
#include "lib/json.h"
#include "lib/term.h"
#include "sim/judge.h"

#define LINE_MAX_BYTES	65536
#define KINDS_MAX	64
#define EXAMPLES_MAX	3

struct options {
	const char	*program;
	const char	*db;
	bool		 json;
	bool		 quiet;
};

enum { OPT_DB = 256, OPT_JSON, OPT_QUIET, OPT_HELP };

static const struct option	 names[] = {
	{ "db", required_argument, NULL, OPT_DB },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "quiet", no_argument, NULL, OPT_QUIET },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 }
};

static int
fail(const struct err *e)
{
	(void)fprintf(stderr, "drawbridge upgrade: %s\n", e->text);
	return STATUS_FAILED;
}

/* judge */

static void
on_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct progress	*p = ctx;

	p->total = total;
	progress_at(p, done);
}

static enum rc
print_difference(void *ctx, const struct judge_difference *d, struct err *e)
{
	struct json	 j;

	(void)ctx;
	json_to_file(&j, stdout, false);
	json_open_object(&j, NULL);
	json_put_uint(&j, "seq", d->seq);
	json_put_int(&j, "t", d->t_ms);
	json_put_text(&j, "type", command_type_text(d->c->type));
	if (d->c->id.p != NULL)
		json_put_bytes(&j, "id", d->c->id.p, d->c->id.len);
	json_put_text(&j, "recorded", d->recorded);
	json_put_text(&j, "here", d->here);
	json_put_bool(&j, "after", d->after);
	json_put_bool(&j, "unsure", d->unsure);
	json_close(&j);
	return json_end(&j) == RC_OK ? RC_OK : err_set(e, "standard output "
	    "cannot be written");
}

static enum rc
put_snapshots(struct json *j, const struct opened *o, struct err *e)
{
	struct snapshot_head	 h;
	uint64_t		 seqs[LOAD_MAX];
	struct err		 why;
	size_t			 n, i;
	enum rc			 rc;

	if ((rc = snapshot_list(db_snapshot_folder(o->db), seqs, LOAD_MAX,
	    &n, e)) != RC_OK)
		return rc;
	json_open_array(j, "snapshots");
	for (i = 0; i < n; i++) {
		json_open_object(j, NULL);
		json_put_uint(j, "seq", seqs[i]);
		rc = load_head(&h, o->db, seqs[i], &why);
		json_put_bool(j, "readable", rc == RC_OK);
		if (rc != RC_OK)
			json_put_text(j, "why", why.text);
		json_close(j);
	}
	json_close(j);
	return RC_OK;
}

static enum rc
print_summary(const struct opened *o, const struct judge_result *r,
    const struct rebuilt *start, struct err *e)
{
	struct json	 j;
	enum rc		 rc;

	json_to_file(&j, stdout, false);
	json_open_object(&j, NULL);
	json_put_bool(&j, "summary", true);
	json_put_text(&j, "version", DRAWBRIDGE_VERSION);
	json_put_uint(&j, "semantics", ENGINE_SEMANTICS);
	json_put_uint(&j, "layout", ENGINE_LAYOUT);
	json_put_uint(&j, "semantics_from", r->semantics_min);
	json_put_uint(&j, "semantics_to", r->semantics_max);
	json_put_uint(&j, "events", r->events);
	json_put_uint(&j, "judged", r->judged);
	json_put_uint(&j, "followed", r->followed);
	json_put_uint(&j, "decisions", r->decisions);
	json_put_uint(&j, "differences", r->differences);
	json_put_uint(&j, "unsure", r->unsure);
	json_put_uint(&j, "after", r->after);
	json_put_uint(&j, "starts_from", start->snapshot_seq);
	json_put_uint(&j, "start_follows", start->followed);
	if ((rc = put_snapshots(&j, o, e)) != RC_OK)
		return rc;
	json_close(&j);
	return json_end(&j) == RC_OK ? RC_OK : err_set(e, "standard output "
	    "cannot be written");
}

/* The start that this program would make, as it would make it. */
static enum rc
try_start(struct rebuilt *out, const struct opened *o, struct err *e)
{
	const struct rebuild_options options = { .snapshots = true };

	return err_wrap(e, rebuild(out, o->db, o->keys, &options, e),
	    "the journal does not start");
}

static int
judge(const struct options *o)
{
	struct judge_options	 jo = { .difference = print_difference };
	struct judge_result	 r;
	struct rebuilt		 start;
	struct progress		 p;
	struct opened		 opened;
	struct err		 e;
	enum rc			 rc;

	if (opened_new(&opened, o->db, true, &e) != RC_OK)
		return fail(&e);
	if (!o->quiet) {
		progress_begin(&p, "judging", 0);
		jo.progress = on_progress;
		jo.ctx = &p;
	}
	rc = judge_run(&r, opened.db, opened.keys, &jo, &e);
	if (!o->quiet)
		progress_end(&p);
	if (rc == RC_OK && (rc = try_start(&start, &opened, &e)) == RC_OK) {
		rc = print_summary(&opened, &r, &start, &e);
		rebuilt_free(&start);
	}
	opened_free(&opened);
	return rc == RC_OK ? STATUS_DONE : fail(&e);
}

/* check */

struct kind {
	char		recorded[160];
	char		here[160];
	uint64_t	count;
	char		examples[EXAMPLES_MAX][80];
	int		n_examples;
};

struct checked {
	struct kind	kinds[KINDS_MAX + 1];	/* the last: all others */
	int		n_kinds;
	json_t		*summary;		/* owned; NULL: none came */
};

static const char *
text_of_key(const json_t *o, const char *key)
{
	const char	*s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

static uint64_t
number_of_key(const json_t *o, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(o, key));
}

static struct kind *
kind_of(struct checked *c, const char *recorded, const char *here)
{
	struct kind	*k;
	int		 i;

	for (i = 0; i < c->n_kinds; i++) {
		k = &c->kinds[i];
		if (strcmp(k->recorded, recorded) == 0 &&
		    strcmp(k->here, here) == 0)
			return k;
	}
	k = &c->kinds[c->n_kinds];
	if (c->n_kinds < KINDS_MAX) {
		c->n_kinds++;
		(void)snprintf(k->recorded, sizeof(k->recorded), "%s",
		    recorded);
		(void)snprintf(k->here, sizeof(k->here), "%s", here);
	} else {
		(void)snprintf(k->recorded, sizeof(k->recorded), "others");
		(void)snprintf(k->here, sizeof(k->here), "others");
	}
	return k;
}

static void
take_difference(struct checked *c, const json_t *o)
{
	const char	*id = text_of_key(o, "id");
	struct kind	*k;
	char		*example;

	if (json_is_true(json_object_get(o, "after")))
		return;
	k = kind_of(c, text_of_key(o, "recorded"), text_of_key(o, "here"));
	k->count++;
	if (k->n_examples == EXAMPLES_MAX)
		return;
	example = k->examples[k->n_examples++];
	if (*id != '\0')
		(void)snprintf(example, sizeof(k->examples[0]), "%.64s", id);
	else
		(void)snprintf(example, sizeof(k->examples[0]),
		    "event %" PRIu64, number_of_key(o, "seq"));
}

static enum rc
take_line(struct checked *c, const char *line, const char *program,
    struct err *e)
{
	json_t	*o = json_loads(line, JSON_REJECT_DUPLICATES, NULL);

	if (!json_is_object(o)) {
		json_decref(o);
		return err_set(e, "%s: what it says is not what `upgrade "
		    "judge` says", program);
	}
	if (json_is_true(json_object_get(o, "summary"))) {
		json_decref(c->summary);
		c->summary = o;
		return RC_OK;
	}
	take_difference(c, o);
	json_decref(o);
	return RC_OK;
}

/* Never returns. */
static void
become(const char *program, const char *db, bool quiet, int out)
{
	char	*args[8];
	int	 n = 0;

	if (dup2(out, STDOUT_FILENO) == -1)
		_exit(126);
	/* execv() does not write to them. */
	args[n++] = strdup(program);
	args[n++] = strdup("upgrade");
	args[n++] = strdup("judge");
	args[n++] = strdup("--db");
	args[n++] = strdup(db);
	args[n++] = strdup("--json");
	if (quiet)
		args[n++] = strdup("--quiet");
	args[n] = NULL;
	(void)execv(program, args);
	(void)fprintf(stderr, "drawbridge upgrade: %s: %s\n", program,
	    strerror(errno));
	_exit(127);
}

static enum rc
read_all(struct checked *c, FILE *f, const char *program, struct err *e)
{
	static char	 line[LINE_MAX_BYTES];
	enum rc		 rc = RC_OK;

	while (rc == RC_OK && fgets(line, sizeof(line), f) != NULL)
		rc = take_line(c, line, program, e);
	return rc;
}

static enum rc
ask(struct checked *c, const struct options *o, const char *db,
    struct err *e)
{
	FILE	*f;
	pid_t	 pid;
	int	 ends[2], status = 0;
	enum rc	 rc;

	if (pipe(ends) == -1 || (pid = fork()) == -1)
		return err_set(e, "%s: %s", o->program, strerror(errno));
	if (pid == 0) {
		(void)close(ends[0]);
		become(o->program, db, o->quiet, ends[1]);
	}
	(void)close(ends[1]);
	if ((f = fdopen(ends[0], "r")) == NULL) {
		(void)close(ends[0]);
		rc = err_set(e, "out of memory");
	} else {
		rc = read_all(c, f, o->program, e);
		(void)fclose(f);
	}
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	if (rc != RC_OK)
		return rc;
	if (status == 0 && c->summary == NULL)
		return err_set(e, "%s says nothing of this journal: is it a "
		    "drawbridge?", o->program);
	if (status != 0)
		return err_set(e, "%s cannot start on this journal: it %s %d",
		    o->program, WIFSIGNALED(status) ? "was killed by signal" :
		    "ended with status", WIFSIGNALED(status) ?
		    WTERMSIG(status) : WEXITSTATUS(status));
	return RC_OK;
}

static void
print_kinds(const struct checked *c)
{
	const struct term	 t = term_of(stdout);
	const struct kind	*k = c->kinds;
	char			 safe[96];
	int			 i, n;

	for (i = 0; i <= KINDS_MAX && k->count > 0; i++, k++) {
		printf("  %" PRIu64 " times: `%s` is `%s` there\n    ",
		    k->count, k->recorded, k->here);
		for (n = 0; n < k->n_examples; n++)
			printf("%s%s", n > 0 ? ", " : "such as ", term_safe(&t,
			    safe, sizeof(safe), k->examples[n],
			    strlen(k->examples[n])));
		printf("\n");
	}
}

static void
print_start(const json_t *s)
{
	const json_t	*list = json_object_get(s, "snapshots"), *one;
	size_t		 i, readable = 0, n = json_array_size(list);
	uint64_t	 from = number_of_key(s, "starts_from");
	uint64_t	 follows = number_of_key(s, "start_follows");

	json_array_foreach(list, i, one)
		readable += json_is_true(json_object_get(one, "readable"));
	printf("It reads %zu of %zu snapshots and starts %s", readable, n,
	    from == 0 ? "from the first event" : "");
	if (from != 0)
		printf("from the one at event %" PRIu64, from);
	if (follows > 0)
		printf(", following %" PRIu64 " events as recorded", follows);
	printf(".\n");
}

static void
print_text(const struct options *o, const struct checked *c)
{
	const json_t	*s = c->summary;
	uint64_t	 semantics = number_of_key(s, "semantics");
	uint64_t	 n = number_of_key(s, "differences");
	uint64_t	 unsure = number_of_key(s, "unsure");

	printf("%s: version %s, semantics %" PRIu64 ", layout %" PRIu64
	    "; here: %s, %d, %d\n", o->program, text_of_key(s, "version"),
	    semantics, number_of_key(s, "layout"), DRAWBRIDGE_VERSION,
	    ENGINE_SEMANTICS, ENGINE_LAYOUT);
	printf("%" PRIu64 " events judged there, %" PRIu64 " of them "
	    "withdrawals: %" PRIu64 " decided otherwise\n",
	    number_of_key(s, "judged"), number_of_key(s, "decisions"), n);
	print_kinds(c);
	if (number_of_key(s, "after") > 0)
		printf("  and %" PRIu64 " more that may only follow from "
		    "those\n", number_of_key(s, "after"));
	if (number_of_key(s, "followed") > 0)
		printf("%" PRIu64 " events could not be judged: their "
		    "personal data is forgotten.\n",
		    number_of_key(s, "followed"));
	if (unsure > 0)
		printf("%" PRIu64 " of the differences came after those and "
		    "may be due to what is forgotten.\n", unsure);
	print_start(s);
	if (n > unsure && semantics <= number_of_key(s, "semantics_to"))
		printf("It decides otherwise under a number of semantics "
		    "that this journal has\nalready: a start that judges "
		    "those rows again will stop there. Do not install\n"
		    "it.\n");
	else
		printf("What is recorded stays as it was decided; it decides "
		    "what comes.\n");
}

static enum rc
print_check_json(const struct options *o, const struct checked *c,
    struct err *e)
{
	static const char *const numbers[] = { "semantics", "layout",
		"semantics_from", "semantics_to", "events", "judged",
		"followed", "decisions", "differences", "unsure",
		"after", "starts_from", "start_follows" };
	const struct kind	*k = c->kinds;
	struct json		 j;
	size_t			 i;
	int			 n;

	json_to_file(&j, stdout, true);
	json_open_object(&j, NULL);
	json_put_text(&j, "program", o->program);
	json_put_text(&j, "version", text_of_key(c->summary, "version"));
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		json_put_uint(&j, numbers[i], number_of_key(c->summary,
		    numbers[i]));
	json_put_uint(&j, "own_semantics", ENGINE_SEMANTICS);
	json_put_uint(&j, "own_layout", ENGINE_LAYOUT);
	json_open_array(&j, "kinds");
	for (i = 0; i <= KINDS_MAX && k->count > 0; i++, k++) {
		json_open_object(&j, NULL);
		json_put_text(&j, "recorded", k->recorded);
		json_put_text(&j, "there", k->here);
		json_put_uint(&j, "count", k->count);
		json_open_array(&j, "examples");
		for (n = 0; n < k->n_examples; n++)
			json_put_text(&j, NULL, k->examples[n]);
		json_close(&j);
		json_close(&j);
	}
	json_close(&j);
	json_close(&j);
	return json_end(&j) == RC_OK ? RC_OK : err_set(e, "cannot be written");
}

/* What is wrong with the journal is not said of the program. */
static enum rc
look(const char *db, struct err *e)
{
	struct opened	 op;
	enum rc		 rc = opened_new(&op, db, true, e);

	if (rc == RC_OK)
		opened_free(&op);
	return rc;
}

static int
check(const struct options *o)
{
	static struct checked	 c;
	char			 buf[PATH_MAX];
	const char		*db = opened_url(o->db, buf, sizeof(buf));
	struct err		 e;
	enum rc			 rc = RC_OK;

	if (db == NULL)
		rc = err_set(&e, "which database? give --db PATH or set "
		    "DRAWBRIDGE_DATA");
	else if (access(o->program, X_OK) == -1)
		rc = err_set(&e, "%s: %s", o->program, strerror(errno));
	else if ((rc = look(db, &e)) == RC_OK)
		rc = ask(&c, o, db, &e);
	if (rc == RC_OK && o->json)
		rc = print_check_json(o, &c, &e);
	else if (rc == RC_OK)
		print_text(o, &c);
	json_decref(c.summary);
	return rc == RC_OK ? STATUS_DONE : fail(&e);
}

int
cmd_upgrade(int argc, char **argv)
{
	struct options	 o = { 0 };
	int		 c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (c == OPT_HELP)
			return help("upgrade");
		if (c == OPT_DB)
			o.db = optarg;
		else if (c == OPT_JSON)
			o.json = true;
		else if (c == OPT_QUIET)
			o.quiet = true;
		else
			return usage("upgrade");
	}
	if (optind + 1 == argc && strcmp(argv[optind], "judge") == 0)
		return judge(&o);
	if (optind + 2 != argc || strcmp(argv[optind], "check") != 0)
		return usage("upgrade");
	o.program = argv[optind + 1];
	return check(&o);
}
