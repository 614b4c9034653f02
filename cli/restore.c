/*
 * drawbridge restore: a journal again from a backup.  What happened since the
 * backup is unknown, so the journal that comes out is stopped (C5).
 */
#define _GNU_SOURCE	/* renameat2 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/manifest.h"
#include "db/db.h"
#include "db/file.h"
#include "engine/clock.h"
#include "engine/history.h"
#include "engine/journal.h"
#include "lib/civil.h"
#include "lib/json.h"
#include "lib/term.h"

/*
 * The work is done in PATH.restoring/, and the file DONE in it says that it
 * is complete: whoever finds that only moves what has not been moved.
 */
#define DONE	"complete"

struct options {
	const char	*backup;
	const char	*db;
	const char	*by;
	const char	*reason;
	const char	*head;
	bool		 json;
	bool		 quiet;
};

struct restore {
	const struct options *o;
	char		 work[PATH_MAX];
	char		 path[PATH_MAX];	/* the database in it */
	int		 lock;			/* -1 */
	struct manifest	 m;
	struct head	 elsewhere;		/* --head */
	bool		 elsewhere_seen;	/* its row is in the backup */
	bool		 completed;		/* an earlier one */
	uint64_t	 seq;			/* of the event RESTORED */
	int64_t		 t_ms;
	struct progress	 progress;
};

enum { OPT_DB = 256, OPT_AS, OPT_REASON, OPT_HEAD, OPT_JSON, OPT_QUIET,
	OPT_HELP };

static const struct option	 names[] = {
	{ "db", required_argument, NULL, OPT_DB },
	{ "as", required_argument, NULL, OPT_AS },
	{ "reason", required_argument, NULL, OPT_REASON },
	{ "head", required_argument, NULL, OPT_HEAD },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "quiet", no_argument, NULL, OPT_QUIET },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 }
};

static void
on_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct restore	*r = ctx;

	if (r->o->quiet)
		return;
	r->progress.total = total;
	progress_at(&r->progress, done);
}

static void
begin(struct restore *r, const char *what)
{
	if (!r->o->quiet)
		progress_begin(&r->progress, what, 0);
}

static void
end(struct restore *r)
{
	if (!r->o->quiet)
		progress_end(&r->progress);
}

static enum rc
suffixed(char buf[PATH_MAX], const char *path, const char *suffix,
    struct err *e)
{
	int	 n = snprintf(buf, PATH_MAX, "%s%s", path, suffix);

	if (n > 0 && n < PATH_MAX)
		return RC_OK;
	return err_set(e, "%.200s: the name is too long", path);
}

/* A head from elsewhere */

static enum rc
read_head(struct restore *r, struct err *e)
{
	char	 text[HEAD_TEXT_MAX + 2];
	FILE	*f;
	size_t	 n;

	if (r->o->head == NULL)
		return RC_OK;
	if ((f = fopen(r->o->head, "re")) == NULL)
		return err_set(e, "--head %s: %s", r->o->head,
		    strerror(errno));
	n = fread(text, 1, sizeof(text) - 1, f);
	(void)fclose(f);
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return err_wrap(e, head_parse(&r->elsewhere, text_of(text), e),
	    "--head %s", r->o->head);
}

/* Whose is it, and does the backup contradict it? */
static enum rc
check_elsewhere(struct restore *r, const struct genesis *g, struct err *e)
{
	const struct head	*h = &r->elsewhere;

	if (r->o->head == NULL)
		return RC_OK;
	if (memcmp(h->deployment, g->deployment, sizeof(g->deployment)) != 0)
		return err_set(e, "--head %s: is of another deployment",
		    r->o->head);
	if (!head_verify(h, g->engine_key))
		return err_set(e, "--head %s: was not signed by the engine of "
		    "this backup", r->o->head);
	if (h->seq <= r->m.head.seq && !r->elsewhere_seen)
		return err_set(e, "--head %s: the backup's event %" PRIu64
		    " is not the one that was signed: one of them is forged "
		    "or of another history", r->o->head, h->seq);
	return RC_OK;
}

/* Verifying */

static enum rc
read_rows(struct restore *r, struct history *h, struct genesis *g,
    struct err *e)
{
	struct history_event	 ev;
	struct history_row	 row;
	struct head		 last = r->m.head;
	bool			 more;
	enum rc			 rc;

	for (last.seq = 0;;) {
		if ((rc = history_row(h, &row, &more, e)) != RC_OK)
			return rc;
		if (!more)
			break;
		if (last.seq == 0) {
			if ((rc = history_event(h, &ev, &more, e)) != RC_OK)
				return rc;
			if (!more || ev.c.type != COMMAND_GENESIS)
				return err_set(e, "event 1 is not the "
				    "beginning of a journal");
			if ((rc = genesis_unpack(g, ev.c.body, e)) != RC_OK)
				return rc;
		}
		last.seq = row.head.seq + row.head.events - 1;
		memcpy(last.hash, row.hash, sizeof(last.hash));
		if (last.seq == r->elsewhere.seq && memcmp(last.hash,
		    r->elsewhere.hash, sizeof(last.hash)) == 0)
			r->elsewhere_seen = true;
		on_progress(r, last.seq, r->m.head.seq);
	}
	if (last.seq != r->m.head.seq ||
	    memcmp(last.hash, r->m.head.hash, sizeof(last.hash)) != 0)
		return err_set(e, "its rows end with event %" PRIu64
		    ", not where its head says, %" PRIu64, last.seq,
		    r->m.head.seq);
	return RC_OK;
}

static enum rc
check_head(const struct restore *r, const struct genesis *g,
    const struct keyring *keys, struct err *e)
{
	unsigned char	 tag[16];

	keyring_tag(keys, tag);
	if (memcmp(tag, g->keys_tag, sizeof(tag)) != 0)
		return err_set(e, "its keyring is of another database");
	if (memcmp(r->m.head.deployment, g->deployment, 16) != 0 ||
	    !head_verify(&r->m.head, g->engine_key))
		return err_set(e, "its head was not signed by its engine");
	return RC_OK;
}

static enum rc
verify(struct restore *r, struct err *e)
{
	struct history	*h = NULL;
	struct keyring	*keys = NULL;
	struct db	*db = NULL;
	struct genesis	 g;
	char		 path[PATH_MAX];
	enum rc		 rc;

	if ((rc = manifest_path(path, sizeof(path), r->work, MANIFEST_KEYS,
	    e)) != RC_OK || (rc = db_open(&db, r->path, DB_READ, e)) != RC_OK)
		return rc;
	begin(r, "verifying");
	if ((rc = keyring_open(&keys, path, false, e)) == RC_OK &&
	    (rc = history_new(&h, db, keys, e)) == RC_OK &&
	    (rc = history_seek(h, 1, e)) == RC_OK &&
	    (rc = read_rows(r, h, &g, e)) == RC_OK)
		rc = check_head(r, &g, keys, e);
	end(r);
	history_free(&h);
	keyring_free(&keys);
	db_close(&db);
	rc = err_wrap(e, rc, "%s", r->o->backup);
	return rc != RC_OK ? rc : check_elsewhere(r, &g, e);
}

/* Copying */

static enum rc
copy_file(struct restore *r, const struct manifest_file *want,
    struct err *e)
{
	struct manifest_file	 got;
	char			 from[PATH_MAX], to[PATH_MAX];
	enum rc			 rc;

	if ((rc = manifest_path(from, sizeof(from), r->o->backup, want->name,
	    e)) != RC_OK ||
	    (rc = manifest_path(to, sizeof(to), r->work, want->name, e)) !=
	    RC_OK)
		return rc;
	begin(r, "copying");
	rc = manifest_hash(&got, from, to, on_progress, r, e);
	end(r);
	if (rc != RC_OK)
		return rc;
	if (got.bytes != want->bytes || memcmp(got.sha256, want->sha256,
	    sizeof(got.sha256)) != 0)
		return err_set(e, "%s: is not what was written into the "
		    "backup", from);
	return RC_OK;
}

static enum rc
copy(struct restore *r, struct err *e)
{
	char	 dir[PATH_MAX];
	enum rc	 rc;
	int	 i;

	if ((rc = manifest_path(dir, sizeof(dir), r->work,
	    MANIFEST_SNAPSHOTS, e)) != RC_OK)
		return rc;
	if (mkdir(dir, 0700) == -1)
		return err_set(e, "%s: %s", dir, strerror(errno));
	for (i = 0; i < r->m.n_files && rc == RC_OK; i++)
		rc = copy_file(r, &r->m.files[i], e);
	return rc;
}

/* The event that stops everything */

static int64_t
clock_ms(clockid_t id)
{
	struct timespec	 t;

	if (clock_gettime(id, &t) == -1)
		return 0;
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
ignore(void *ctx, const struct outcome *o)
{
	(void)ctx;
	(void)o;
}

static enum rc
stop_everything(struct restore *r, struct journal *j, struct err *e)
{
	const struct engine_sink sink = { ignore, NULL };
	struct command		 c;
	struct clock		 clock;
	enum rc			 rc;

	/* A wall clock that is far ahead may be wrong: then no time has
	 * passed until somebody says so. */
	clock_start(&clock, journal_state(j)->t_ms, clock_ms(CLOCK_REALTIME),
	    clock_ms(CLOCK_BOOTTIME), -1);
	r->t_ms = clock.now_ms;
	command_clear(&c, COMMAND_RESTORED, r->t_ms);
	c.by = text_of(r->o->by);
	c.reason = text_of(r->o->reason);
	if ((rc = journal_take(j, &c, &sink, &r->seq, e)) != RC_OK)
		return rc;
	return journal_flush(j, e);
}

static enum rc
mark_restored(struct restore *r, struct err *e)
{
	const struct journal_config cfg = { .url = r->path,
		.progress = on_progress, .ctx = r };
	struct journal	*j = NULL;
	struct err	 ignored;
	enum rc		 rc;

	begin(r, "starting");
	rc = journal_open(&j, &cfg, e);
	end(r);
	if (rc != RC_OK)
		return err_wrap(e, rc, "%s", r->o->backup);
	if ((rc = stop_everything(r, j, e)) == RC_OK)
		return journal_close(&j, e);
	if (journal_close(&j, &ignored) != RC_OK)
		return rc;
	return rc;
}

/* Moving */

static enum rc
move(const struct restore *r, const char *name, const char *suffix,
    struct err *e)
{
	char	 from[PATH_MAX], to[PATH_MAX];
	enum rc	 rc;

	if ((rc = manifest_path(from, sizeof(from), r->work, name, e)) !=
	    RC_OK || (rc = suffixed(to, r->o->db, suffix, e)) != RC_OK)
		return rc;
	if (access(from, F_OK) == -1)
		return RC_OK;	/* Moved before a crash. */
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == -1)
		return err_set(e, "%s: %s", to, strerror(errno));
	return file_sync_folder(to, e);
}

/* The database last: it is there when all the rest is. */
static enum rc
move_all(const struct restore *r, struct err *e)
{
	enum rc	 rc;

	if ((rc = move(r, MANIFEST_SNAPSHOTS, ".snapshots", e)) != RC_OK ||
	    (rc = move(r, MANIFEST_KEYS, ".keys", e)) != RC_OK ||
	    (rc = move(r, MANIFEST_DB, "", e)) != RC_OK)
		return rc;
	return manifest_wipe(r->work, e);
}

static enum rc
write_done(const struct restore *r, struct err *e)
{
	char	 path[PATH_MAX], text[128], sha[65];
	int	 n, fd = -1;
	enum rc	 rc;

	n = snprintf(text, sizeof(text), "%s %" PRIu64 " %" PRId64 "\n",
	    sodium_bin2hex(sha, sizeof(sha), r->m.sha256, 32), r->seq,
	    r->t_ms);
	if ((rc = manifest_path(path, sizeof(path), r->work, DONE, e)) !=
	    RC_OK || (rc = file_begin(&fd, path, e)) != RC_OK)
		return rc;
	if ((rc = file_write(fd, text, (size_t)n, 0, path, e)) == RC_OK)
		return file_commit(&fd, path, false, e);
	file_discard(&fd, path);
	return rc;
}

/* Was it complete when something interrupted it? */
static enum rc
read_done(struct restore *r, struct err *e)
{
	char	 path[PATH_MAX], sha[66], want[65];
	FILE	*f;
	int	 n;
	enum rc	 rc;

	if ((rc = manifest_path(path, sizeof(path), r->work, DONE, e)) !=
	    RC_OK)
		return rc;
	if ((f = fopen(path, "re")) == NULL)
		return errno == ENOENT ? RC_OK : err_set(e, "%s: %s", path,
		    strerror(errno));
	n = fscanf(f, "%65s %" SCNu64 " %" SCNd64, sha, &r->seq, &r->t_ms);
	(void)fclose(f);
	if (n != 3 || strcmp(sha, sodium_bin2hex(want, sizeof(want),
	    r->m.sha256, 32)) != 0)
		return err_set(e, "%s: holds the restore of another backup, "
		    "begun and not finished: finish it with that one, or "
		    "remove the folder", r->work);
	r->completed = true;
	return RC_OK;
}

/* Beginning */

static enum rc
refuse_existing(const struct restore *r, struct err *e)
{
	static const char *const suffixes[] = { "", ".keys", ".snapshots" };
	char	 path[PATH_MAX];
	size_t	 i;
	enum rc	 rc;

	/* Interrupted when all was in place. */
	if (r->completed && access(r->path, F_OK) == -1)
		return RC_OK;
	for (i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		if ((rc = suffixed(path, r->o->db, suffixes[i], e)) != RC_OK)
			return rc;
		if (access(path, F_OK) == 0)
			return err_set(e, "%s: is there already; nothing is "
			    "put over another journal", path);
		if (r->completed)
			return RC_OK;	/* The others may be its own. */
	}
	return RC_OK;
}

static enum rc
lock_folder(struct restore *r, struct err *e)
{
	r->lock = open(r->work, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->lock == -1)
		return err_set(e, "%s: %s", r->work, strerror(errno));
	if (flock(r->lock, LOCK_EX | LOCK_NB) == 0)
		return RC_OK;
	return err_set(e, "%s: another restore is at work there", r->work);
}

static enum rc
make_folder(struct restore *r, struct err *e)
{
	enum rc	 rc;

	if ((rc = suffixed(r->work, r->o->db, ".restoring", e)) != RC_OK ||
	    (rc = manifest_path(r->path, sizeof(r->path), r->work,
	    MANIFEST_DB, e)) != RC_OK)
		return rc;
	if (access(r->work, F_OK) == 0 &&
	    ((rc = lock_folder(r, e)) != RC_OK ||
	    (rc = read_done(r, e)) != RC_OK))
		return rc;
	if ((rc = refuse_existing(r, e)) != RC_OK || r->completed)
		return rc;
	if ((rc = manifest_wipe(r->work, e)) != RC_OK)
		return rc;
	if (r->lock != -1)
		(void)close(r->lock);
	r->lock = -1;
	if (mkdir(r->work, 0700) == -1)
		return err_set(e, "%s: %s", r->work, strerror(errno));
	return lock_folder(r, e);
}

static enum rc
run(struct restore *r, struct err *e)
{
	enum rc	 rc;

	if ((rc = manifest_read(&r->m, r->o->backup, e)) != RC_OK ||
	    (rc = read_head(r, e)) != RC_OK ||
	    (rc = make_folder(r, e)) != RC_OK)
		return rc;
	if (r->completed)
		return move_all(r, e);
	if ((rc = copy(r, e)) == RC_OK && (rc = verify(r, e)) == RC_OK &&
	    (rc = mark_restored(r, e)) == RC_OK &&
	    (rc = write_done(r, e)) == RC_OK)
		return move_all(r, e);
	/* The reason counts; what is left is swept by the next one. */
	if (manifest_wipe(r->work, NULL) != RC_OK)
		return rc;
	return rc;
}

/* Saying it */

static uint64_t
lost(const struct restore *r)
{
	return r->elsewhere.seq > r->m.head.seq ?
	    r->elsewhere.seq - r->m.head.seq : 0;
}

static void
print_text(const struct restore *r)
{
	char	 when[CIVIL_TEXT_MAX];

	printf("%s: events 1 to %" PRIu64 ", to %s%s\n", r->o->db,
	    r->m.head.seq, civil_format(when, r->m.head.t_ms),
	    r->completed ? "; a restore that was interrupted is complete "
	    "now" : "");
	if (lost(r) > 0)
		printf("LOST: %" PRIu64 " events, %" PRIu64 " to %" PRIu64
		    " (%s): they were durable before they were\nanswered, so "
		    "somebody has acted on them\n", lost(r),
		    r->m.head.seq + 1, r->elsewhere.seq,
		    civil_format(when, r->elsewhere.t_ms));
	else if (r->o->head == NULL)
		printf("How much is lost since nobody can say without a "
		    "newer head (--head)\n");
	printf("Everything is stopped, and no key may withdraw. Before you "
	    "resume:\n"
	    "  1. reconcile: which withdrawals were paid since the backup? "
	    "Report each again\n     under its own id: the same id is the "
	    "same withdrawal\n"
	    "  2. correct balances, frozen accounts and address books that "
	    "changed since\n"
	    "  3. say of every key again whether it may withdraw\n"
	    "  4. `resume`, which takes a quorum\n");
}

static enum rc
print(const struct restore *r, struct err *e)
{
	struct json	 j;

	if (!r->o->json) {
		print_text(r);
		return RC_OK;
	}
	json_to_file(&j, stdout, true);
	json_open_object(&j, NULL);
	json_put_text(&j, "database", r->o->db);
	json_put_uint(&j, "last_event", r->m.head.seq);
	json_put_int(&j, "t", r->m.head.t_ms);
	json_put_uint(&j, "restored_event", r->seq);
	json_put_bool(&j, "completed_earlier", r->completed);
	if (r->o->head != NULL)
		json_put_uint(&j, "lost_events", lost(r));
	else
		json_put_null(&j, "lost_events");
	json_put_bool(&j, "halted", true);
	json_close(&j);
	return json_end(&j) == RC_OK ? RC_OK : err_set(e, "cannot be written");
}

/* False: not understood, and said so. */
static bool
take(struct options *o, int c)
{
	switch (c) {
	case OPT_DB:
		o->db = optarg;
		return true;
	case OPT_AS:
		o->by = optarg;
		return true;
	case OPT_REASON:
		o->reason = optarg;
		return true;
	case OPT_HEAD:
		o->head = optarg;
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
cmd_restore(int argc, char **argv)
{
	static struct restore	 r = { .lock = -1 };
	struct options		 o = { 0 };
	struct err		 e;
	enum rc			 rc;
	int			 c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (c == OPT_HELP)
			return help("restore");
		if (!take(&o, c))
			return usage("restore");
	}
	if (optind + 1 != argc || o.db == NULL)
		return usage("restore");
	o.backup = argv[optind];
	r.o = &o;
	if ((rc = run(&r, &e)) == RC_OK)
		rc = print(&r, &e);
	if (r.lock != -1)
		(void)close(r.lock);
	if (rc == RC_OK)
		return STATUS_DONE;
	(void)fprintf(stderr, "drawbridge restore: %s\n", e.text);
	return STATUS_FAILED;
}
