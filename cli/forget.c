/*
 * drawbridge forget: destroy the keys of past months, so that the personal
 * data of those months is gone from the journal and from every copy that has
 * no key of its own.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/day.h"
#include "cli/opened.h"
#include "db/row.h"
#include "db/snapshot.h"
#include "engine/load.h"
#include "engine/rebuild.h"
#include "lib/civil.h"
#include "lib/json.h"
#include "lib/term.h"

/* Snapshots that are looked at: more than anybody keeps. */
#define KEEP_ALL	1024
#define MONTHS_MAX	1200

struct options {
	const char	*db;
	const char	*by;
	const char	*reason;
	const char	*before;
	int64_t		 before_ms;	/* -1: not given */
	bool		 yes;
	bool		 dry_run;
	bool		 json;
	bool		 quiet;
};

struct forget {
	const struct options *o;
	struct opened	 opened;
	uint32_t	 cutoff;	/* the first month that stays */
	uint32_t	 months[MONTHS_MAX];
	int		 n_months;
	uint64_t	 snapshot_seq;	/* that the journal can start from */
	bool		 snapshot_made;
	int		 destroyed;
};

enum { OPT_DB = 256, OPT_BEFORE, OPT_AS, OPT_REASON, OPT_YES, OPT_DRY_RUN,
	OPT_JSON, OPT_QUIET, OPT_HELP };

static const struct option	 names[] = {
	{ "db", required_argument, NULL, OPT_DB },
	{ "before", required_argument, NULL, OPT_BEFORE },
	{ "as", required_argument, NULL, OPT_AS },
	{ "reason", required_argument, NULL, OPT_REASON },
	{ "yes", no_argument, NULL, OPT_YES },
	{ "dry-run", no_argument, NULL, OPT_DRY_RUN },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "quiet", no_argument, NULL, OPT_QUIET },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 }
};

/* Which months */

/* The month of the last row: its key is in use. */
static enum rc
last_month(uint32_t *out, struct db *db, struct err *e)
{
	struct row_head		 head;
	const unsigned char	*row;
	uint64_t		 last, seq;
	size_t			 len;
	enum rc			 rc;

	if ((rc = db_last(db, &last, e)) != RC_OK)
		return rc;
	if (last == 0)
		return err_set(e, "the journal has no rows");
	if ((rc = db_walk(db, last, e)) != RC_OK ||
	    (rc = db_next(db, &seq, &row, &len, e)) != RC_OK)
		return rc;
	if (row == NULL)
		return err_set(e, "row %ju cannot be read", (uintmax_t)last);
	rc = row_parse(&head, row, len, last, e);
	*out = head.month;
	return err_wrap(e, rc, "row %ju", (uintmax_t)last);
}

static enum rc
find_months(struct forget *f, struct err *e)
{
	const unsigned char	*key;
	char			 month[DAY_MONTH_MAX];
	uint32_t		 m, last = 0;
	enum rc			 rc;

	f->cutoff = row_month(f->o->before_ms);
	if ((rc = last_month(&last, f->opened.db, e)) != RC_OK)
		return rc;
	if (f->cutoff > last)
		return err_set(e, "--before %s: %s is the journal's current "
		    "month, whose key is in use; only months before it can be "
		    "forgotten", f->o->before, day_month(month, last));
	for (m = row_month(0); m < f->cutoff; m++)
		if (keyring_get(f->opened.keys, m, &key) == KEY_THERE &&
		    f->n_months < MONTHS_MAX)
			f->months[f->n_months++] = m;
	return RC_OK;
}

/* The start afterwards */

/*
 * Can the journal start from a snapshot that stays, to the same state?  The
 * start itself is tried.
 */
static enum rc
starts(struct forget *f, const struct rebuilt *r, bool *out, struct err *e)
{
	struct snapshot_head	 h;
	enum rc			 rc;

	*out = false;
	if (r->snapshot_seq == 0)
		return RC_OK;
	if ((rc = load_head(&h, f->opened.db, r->snapshot_seq, e)) != RC_OK)
		return rc;
	*out = h.month >= f->cutoff && r->followed == 0 &&
	    r->policy_seq <= r->snapshot_seq;
	f->snapshot_seq = r->snapshot_seq;
	return RC_OK;
}

/* With the engine's lock, so that nobody appends meanwhile. */
static enum rc
write_snapshot(struct forget *f, const struct rebuilt *r, struct db *db,
    struct err *e)
{
	const char		*path = db_keyring_path(db);
	struct keyring		*keys = NULL;
	const unsigned char	*key;
	uint64_t		 last;
	enum rc			 rc;

	if ((rc = db_last(db, &last, e)) != RC_OK)
		return rc;
	if (last > r->seq)
		return err_set(e, "the journal has grown meanwhile: try "
		    "again");
	if ((rc = keyring_open(&keys, path, true, e)) != RC_OK)
		return rc;
	if ((rc = keyring_make(keys, row_month(r->t_ms), &key, e)) == RC_OK &&
	    (rc = rebuilt_snapshot(r, db, key, e)) == RC_OK) {
		f->snapshot_seq = r->seq;
		f->snapshot_made = true;
	}
	keyring_free(&keys);
	return rc;
}

static enum rc
make_snapshot(struct forget *f, const struct rebuilt *r, struct err *e)
{
	struct db	*db = NULL;
	struct err	 why;
	enum rc		 rc;

	if (db_open(&db, db_url(f->opened.db), DB_WRITE, &why) != RC_OK)
		return err_set(e, "there is no snapshot that the journal "
		    "could start from without these months, and none can be "
		    "made here; let the engine write one (it does when it "
		    "stops) and try again: %s", why.text);
	rc = write_snapshot(f, r, db, e);
	db_close(&db);
	return rc;
}

static void
on_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct progress	*p = ctx;

	p->total = total;
	progress_at(p, done);
}

static enum rc
make_sure(struct forget *f, struct err *e)
{
	struct rebuild_options	 o = { .snapshots = true };
	struct progress		 p;
	struct rebuilt		 r;
	bool			 good;
	enum rc			 rc;

	if (!f->o->quiet) {
		progress_begin(&p, "trying the start", 0);
		o.progress = on_progress;
		o.ctx = &p;
	}
	rc = rebuild(&r, f->opened.db, f->opened.keys, &o, e);
	if (!f->o->quiet)
		progress_end(&p);
	if (rc != RC_OK)
		return err_wrap(e, rc, "the journal does not start");
	rc = starts(f, &r, &good, e);
	if (rc == RC_OK && !good) {
		f->snapshot_seq = 0;
		if (!f->o->dry_run)
			rc = make_snapshot(f, &r, e);
	}
	rebuilt_free(&r);
	return rc;
}

/* Destroying */

static enum rc
destroy(struct forget *f, struct err *e)
{
	struct keyring	*keys = NULL;
	enum rc		 rc;

	if ((rc = keyring_open(&keys, db_keyring_path(f->opened.db), true,
	    e)) != RC_OK)
		return rc;
	rc = keyring_destroy_before(keys, f->cutoff, &f->destroyed, e);
	keyring_free(&keys);
	if (rc != RC_OK)
		return rc;
	return snapshot_prune(db_snapshot_folder(f->opened.db), KEEP_ALL,
	    f->cutoff, e);
}

/* Saying it */

static void
range_text(const struct forget *f, char *buf, size_t room)
{
	char	 first[DAY_MONTH_MAX], last[DAY_MONTH_MAX];

	(void)day_month(first, f->months[0]);
	(void)day_month(last, f->months[f->n_months - 1]);
	if (f->n_months == 1)
		(void)snprintf(buf, room, "%s", first);
	else
		(void)snprintf(buf, room, "%s to %s (%d months)", first,
		    last, f->n_months);
}

static void
print_text(const struct forget *f)
{
	char	 range[64], month[DAY_MONTH_MAX];

	if (f->n_months == 0) {
		printf("nothing to forget: there is no key of a month before "
		    "%s\n", day_month(month, f->cutoff));
		return;
	}
	range_text(f, range, sizeof(range));
	if (f->o->dry_run) {
		printf("would destroy the keys of %s%s\n", range,
		    f->snapshot_seq == 0 ? ", after writing a snapshot" : "");
		return;
	}
	printf("forgotten: the personal data of %s; %d keys destroyed\n",
	    range, f->destroyed);
	if (f->o->by != NULL || f->o->reason != NULL)
		printf("by %s: %s\n", f->o->by != NULL ? f->o->by : "?",
		    f->o->reason != NULL ? f->o->reason : "?");
	if (f->snapshot_made)
		printf("a snapshot was written first, at event %ju\n",
		    (uintmax_t)f->snapshot_seq);
	printf("The chain still verifies. What is over: judging those months "
	    "again (they are\nfollowed as recorded), and starting without a "
	    "snapshot to the same state.\nBackups made before hold the keys "
	    "still: make a new one and destroy them.\n");
}

static enum rc
print_json(const struct forget *f, struct err *e)
{
	struct json	 j;
	char		 month[DAY_MONTH_MAX];
	int		 i;

	json_to_file(&j, stdout, true);
	json_open_object(&j, NULL);
	json_put_bool(&j, "dry_run", f->o->dry_run);
	json_open_array(&j, "months");
	for (i = 0; i < f->n_months; i++)
		json_put_text(&j, NULL, day_month(month, f->months[i]));
	json_close(&j);
	json_put_int(&j, "keys_destroyed", f->destroyed);
	if (f->snapshot_seq != 0)
		json_put_uint(&j, "starts_from_snapshot", f->snapshot_seq);
	else
		json_put_null(&j, "starts_from_snapshot");
	json_put_bool(&j, "snapshot_written", f->snapshot_made);
	if (f->o->by != NULL)
		json_put_text(&j, "by", f->o->by);
	if (f->o->reason != NULL)
		json_put_text(&j, "reason", f->o->reason);
	json_close(&j);
	return json_end(&j) == RC_OK ? RC_OK : err_set(e, "cannot be written");
}

static enum rc
ask(const struct forget *f, struct err *e)
{
	char	 range[64], answer[16];

	if (f->o->yes || f->o->dry_run || f->n_months == 0)
		return RC_OK;
	if (!isatty(STDIN_FILENO))
		return err_set(e, "this cannot be undone: give --yes, or look "
		    "with --dry-run first");
	range_text(f, range, sizeof(range));
	(void)fprintf(stderr, "Destroy the keys of %s for good? Type yes: ",
	    range);
	if (fgets(answer, sizeof(answer), stdin) == NULL ||
	    strcmp(answer, "yes\n") != 0)
		return err_set(e, "nothing was destroyed");
	return RC_OK;
}

static enum rc
run(struct forget *f, struct err *e)
{
	enum rc	 rc;

	if ((rc = opened_new(&f->opened, f->o->db, true, e)) != RC_OK)
		return rc;
	if ((rc = find_months(f, e)) != RC_OK || (rc = ask(f, e)) != RC_OK)
		return rc;
	if (f->n_months > 0 && (rc = make_sure(f, e)) != RC_OK)
		return rc;
	/* Also with no key left: a snapshot may be, after a crash. */
	if (!f->o->dry_run && (rc = destroy(f, e)) != RC_OK)
		return rc;
	if (f->o->json)
		return print_json(f, e);
	print_text(f);
	return RC_OK;
}

/* False: not understood, and said so. */
static bool
take(struct options *o, int c)
{
	switch (c) {
	case OPT_DB:
		o->db = optarg;
		return true;
	case OPT_BEFORE:
		o->before = optarg;
		if (day_parse(&o->before_ms, optarg))
			return true;
		(void)fprintf(stderr, "drawbridge forget: --before %s: want a "
		    "day like 2026-01-31\n", optarg);
		return false;
	case OPT_AS:
		o->by = optarg;
		return true;
	case OPT_REASON:
		o->reason = optarg;
		return true;
	case OPT_YES:
		o->yes = true;
		return true;
	case OPT_DRY_RUN:
		o->dry_run = true;
		return true;
	case OPT_JSON:
		o->json = true;
		return true;
	case OPT_QUIET:
		o->quiet = true;
		return true;
	}
	return false;
}

int
cmd_forget(int argc, char **argv)
{
	static struct forget	 f;
	struct options		 o = { .before_ms = -1 };
	struct err		 e;
	enum rc			 rc;
	int			 c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (c == OPT_HELP)
			return help("forget");
		if (!take(&o, c))
			return usage("forget");
	}
	if (o.before_ms < 0 || optind != argc)
		return usage("forget");
	f.o = &o;
	rc = run(&f, &e);
	opened_free(&f.opened);
	if (rc == RC_OK)
		return STATUS_DONE;
	(void)fprintf(stderr, "drawbridge forget: %s\n", e.text);
	return STATUS_FAILED;
}
