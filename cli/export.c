/*
 * drawbridge export: a journal as a scenario file.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/opened.h"
#include "lib/json.h"
#include "lib/term.h"
#include "sim/export.h"

struct options {
	const char	*db;
	struct export_options x;
	bool		 json;
	bool		 quiet;
	bool		 help;
};

enum {
	OPT_DB = 256, OPT_HISTORY_OUTPUT, OPT_DECISIONS, OPT_FROM, OPT_UNTIL,
	OPT_JSON, OPT_QUIET, OPT_HELP,
};

static const struct option longopts[] = {
	{ "db", required_argument, NULL, OPT_DB },
	{ "output", required_argument, NULL, 'o' },
	{ "history-output", required_argument, NULL, OPT_HISTORY_OUTPUT },
	{ "decisions", required_argument, NULL, OPT_DECISIONS },
	{ "from", required_argument, NULL, OPT_FROM },
	{ "until", required_argument, NULL, OPT_UNTIL },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "quiet", no_argument, NULL, OPT_QUIET },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 }
};

static enum rc
event(uint64_t *out, const char *name, struct err *e)
{
	unsigned long long	 n;
	char			*end;

	errno = 0;
	n = strtoull(optarg, &end, 10);
	if (errno != 0 || *optarg < '0' || *optarg > '9' || *end != '\0' ||
	    n < 1 || n > INT64_MAX)
		return err_set(e, "%s: want the number of an event, from 1",
		    name);
	*out = n;
	return RC_OK;
}

static enum rc
option(struct options *o, int c, struct err *e)
{
	switch (c) {
	case OPT_DB:
		o->db = optarg;
		return RC_OK;
	case 'o':
		o->x.output = optarg;
		return RC_OK;
	case OPT_HISTORY_OUTPUT:
		o->x.history = optarg;
		return RC_OK;
	case OPT_DECISIONS:
		o->x.decisions = optarg;
		return RC_OK;
	case OPT_FROM:
		return event(&o->x.from, "--from", e);
	case OPT_UNTIL:
		return event(&o->x.until, "--until", e);
	case OPT_JSON:
		o->json = true;
		return RC_OK;
	case OPT_QUIET:
		o->quiet = true;
		return RC_OK;
	case OPT_HELP:
		o->help = true;
		return RC_OK;
	}
	/* getopt has said what is wrong. */
	return err_set(e, "%s", "");
}

/* Two of them in one place would be no file at all. */
static bool
same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static enum rc
options(struct options *o, int argc, char **argv, struct err *e)
{
	int	 c;

	o->x.output = "-";
	while ((c = getopt_long(argc, argv, "o:", longopts, NULL)) != -1) {
		if (option(o, c, e) != RC_OK)
			return RC_FAILED;
	}
	if (o->help)
		return RC_OK;
	if (argc != optind)
		return err_set(e, "%s: what for? The database is given with "
		    "--db", argv[optind]);
	if (o->x.until > 0 && o->x.from > o->x.until)
		return err_set(e, "--until: it is before --from");
	if (o->x.decisions != NULL && o->x.from > 1)
		return err_set(e, "--decisions: not together with --from: the "
		    "policy that decided stands at the beginning");
	if (same(o->x.output, o->x.history) ||
	    same(o->x.output, o->x.decisions) ||
	    same(o->x.history, o->x.decisions))
		return err_set(e, "two outputs are one file");
	if (o->json && strcmp(o->x.output, "-") == 0)
		return err_set(e, "--json: the scenario goes to standard "
		    "output; -o FILE puts it elsewhere");
	return RC_OK;
}

static void
on_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct progress	*p = ctx;

	p->total = total;
	progress_at(p, done);
}

/* What a replay of the file cannot know. */
static void
warn(const struct export_counts *n, bool keys)
{
	int	 t;

	if (n->forgotten > 0)
		(void)fprintf(stderr, "drawbridge export: %" PRIu64 " events "
		    "had personal data that %s; a replay may decide "
		    "otherwise there\n", n->forgotten, keys ?
		    "was forgotten" : "cannot be read without the keyring");
	if (n->strangers > 0)
		(void)fprintf(stderr, "drawbridge export: %" PRIu64
		    " withdrawals of accounts that were never opened are left "
		    "out: a scenario may not hold them\n", n->strangers);
	if (n->policies > 0)
		(void)fprintf(stderr, "drawbridge export: event %" PRIu64
		    " put another policy in force; a replay has one\n",
		    n->policy_seq);
	for (t = COMMAND_TICK; t < COMMAND__END; t++) {
		if (n->no_line[t] == 0 || t == COMMAND_TICK ||
		    t == COMMAND_GENESIS || t == COMMAND_POLICY ||
		    t == COMMAND_CLOCK)
			continue;
		(void)fprintf(stderr, "drawbridge export: %" PRIu64 " x %s "
		    "left out: a scenario has no such line\n", n->no_line[t],
		    command_type_text((enum command_type)t));
	}
}

static enum rc
say(const struct options *o, const struct export_counts *n, struct err *e)
{
	struct json	 j;

	if (!o->json) {
		if (strcmp(o->x.output, "-") != 0)
			(void)printf("%s: %" PRIu64 " lines of %" PRIu64
			    " events, %" PRIu64 " withdrawals\n", o->x.output,
			    n->lines, n->events, n->withdrawals);
		if (o->x.history != NULL && strcmp(o->x.output, "-") != 0)
			(void)printf("%s: %" PRIu64 " lines, %" PRIu64
			    " withdrawals from before\n", o->x.history,
			    n->history_lines, n->history);
		return RC_OK;
	}
	json_to_file(&j, stdout, true);
	json_open_object(&j, NULL);
	json_put_text(&j, "output", o->x.output);
	json_put_uint(&j, "events", n->events);
	json_put_uint(&j, "lines", n->lines);
	json_put_uint(&j, "withdrawals", n->withdrawals);
	json_put_uint(&j, "history_lines", n->history_lines);
	json_put_uint(&j, "history", n->history);
	json_put_uint(&j, "refused", n->refused);
	json_put_uint(&j, "strangers", n->strangers);
	json_put_uint(&j, "forgotten", n->forgotten);
	json_put_uint(&j, "policies", n->policies);
	json_close(&j);
	if (json_end(&j) != RC_OK)
		return err_set(e, "standard output cannot be written");
	return RC_OK;
}

static enum rc
run(struct options *o, struct err *e)
{
	struct export_counts	 n;
	struct progress		 p;
	struct opened		 db;
	enum rc			 rc;
	bool			 keys;

	if ((rc = opened_new(&db, o->db, false, e)) != RC_OK)
		return rc;
	if (!o->quiet) {
		progress_begin(&p, "exporting", 0);
		o->x.progress = on_progress;
		o->x.ctx = &p;
	}
	rc = export_journal(&n, db.db, db.keys, &o->x, e);
	if (!o->quiet)
		progress_end(&p);
	keys = db.keys != NULL;
	opened_free(&db);
	if (rc != RC_OK)
		return rc;
	warn(&n, keys);
	return say(o, &n, e);
}

int
cmd_export(int argc, char **argv)
{
	struct options	 o;
	struct err	 e = { "" };

	memset(&o, 0, sizeof(o));
	if (options(&o, argc, argv, &e) != RC_OK) {
		if (e.text[0] != '\0')
			(void)fprintf(stderr, "drawbridge export: %s\n",
			    e.text);
		return usage("export");
	}
	if (o.help)
		return help("export");
	if (run(&o, &e) != RC_OK) {
		(void)fprintf(stderr, "drawbridge export: %s\n", e.text);
		return STATUS_FAILED;
	}
	return STATUS_DONE;
}
