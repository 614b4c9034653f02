/*
 * drawbridge explain: what happened to one withdrawal, and why.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/explain.h"
#include "lib/term.h"

struct options {
	const char	*db;
	const char	*id;
	bool		 json, personal, quiet, help;
};

enum {
	OPT_DB = 256,
	OPT_JSON,
	OPT_PERSONAL,
	OPT_QUIET,
	OPT_HELP,
};

static const struct option longopts[] = {
	{ "db", required_argument, NULL, OPT_DB },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "personal", no_argument, NULL, OPT_PERSONAL },
	{ "quiet", no_argument, NULL, OPT_QUIET },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 }
};

static enum rc
option(struct options *o, int opt, struct err *e)
{
	switch (opt) {
	case OPT_DB:
		o->db = optarg;
		return RC_OK;
	case OPT_JSON:
		o->json = true;
		return RC_OK;
	case OPT_PERSONAL:
		o->personal = true;
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

static enum rc
options(struct options *o, int argc, char **argv, struct err *e)
{
	int	 opt;

	memset(o, 0, sizeof(*o));
	while ((opt = getopt_long(argc, argv, "", longopts, NULL)) != -1) {
		if (option(o, opt, e) != RC_OK)
			return RC_FAILED;
	}
	if (o->help)
		return RC_OK;
	if (argc - optind != 1)
		return err_set(e, argc == optind ? "which withdrawal?" :
		    "one withdrawal at a time");
	o->id = argv[optind];
	if (*o->id == '\0' || strlen(o->id) > COMMAND_NAME_MAX)
		return err_set(e, "an id has 1 to %d bytes",
		    COMMAND_NAME_MAX);
	return RC_OK;
}

static void
on_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct progress	*p = ctx;

	p->total = total;
	progress_at(p, done);
}

static enum rc
unknown(const struct story *s, const char *id, struct err *e)
{
	struct term	 t = term_of(stderr);
	char		 safe[COMMAND_NAME_MAX + 1], n[64];

	(void)snprintf(n, sizeof(n), "%ju", (uintmax_t)s->searched);
	return err_set(e, "%s: no withdrawal `%s` in its %s events",
	    db_url(s->op->db), term_safe(&t, safe, sizeof(safe), id,
	    strlen(id)), n);
}

static enum rc
tell(const struct options *o, struct story *s, struct err *e)
{
	struct progress	 p;
	enum rc		 rc;

	if (!o->quiet)
		progress_begin(&p, "searching backwards", 0);
	rc = story_find(s, o->quiet ? NULL : on_progress, &p, e);
	if (!o->quiet)
		progress_end(&p);
	if (rc != RC_OK)
		return err_wrap(e, rc, "%s", db_url(s->op->db));
	if (s->n == 0)
		return unknown(s, o->id, e);
	return o->json ? explain_json(s, stdout, e) :
	    explain_text(s, stdout, e);
}

int
cmd_explain(int argc, char **argv)
{
	struct options	 o;
	struct opened	 op;
	struct story	*s;
	struct err	 e = { "" };
	enum rc		 rc;

	if (options(&o, argc, argv, &e) != RC_OK) {
		if (e.text[0] != '\0')
			(void)fprintf(stderr, "drawbridge explain: %s\n",
			    e.text);
		return usage("explain");
	}
	if (o.help)
		return help("explain");
	if ((s = calloc(1, sizeof(*s))) == NULL) {
		(void)fputs("drawbridge explain: out of memory\n", stderr);
		return STATUS_FAILED;
	}
	if ((rc = opened_new(&op, o.db, false, &e)) == RC_OK) {
		if ((rc = story_open(s, &op, o.id, o.personal, &e)) == RC_OK)
			rc = tell(&o, s, &e);
		story_free(s);
		opened_free(&op);
	}
	free(s);
	if (rc != RC_OK) {
		(void)fprintf(stderr, "drawbridge explain: %s\n", e.text);
		return STATUS_FAILED;
	}
	return STATUS_DONE;
}
