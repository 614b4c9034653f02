/*
 * drawbridge backup: everything that a journal needs to live again, in one
 * folder, while the engine goes on.
 */
#define _GNU_SOURCE	/* renameat2 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/manifest.h"
#include "cli/opened.h"
#include "db/file.h"
#include "db/snapshot.h"
#include "engine/history.h"
#include "engine/load.h"
#include "lib/civil.h"
#include "lib/json.h"
#include "lib/term.h"

struct options {
	const char	*db;
	const char	*folder;
	bool		 json;
	bool		 quiet;
};

struct backup {
	const struct options *o;
	struct opened	 opened;
	char		 tmp[PATH_MAX];		/* FOLDER.tmp */
	char		 path[PATH_MAX];	/* its database */
	int		 lock;			/* of tmp; -1 */
	struct manifest	 m;
	struct progress	 progress;
};

enum { OPT_DB = 256, OPT_JSON, OPT_QUIET, OPT_HELP };

static const struct option	 names[] = {
	{ "db", required_argument, NULL, OPT_DB },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "quiet", no_argument, NULL, OPT_QUIET },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 }
};

static void
on_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct backup	*b = ctx;

	if (b->o->quiet)
		return;
	b->progress.total = total;
	progress_at(&b->progress, done);
}

static void
begin(struct backup *b, const char *what)
{
	if (!b->o->quiet)
		progress_begin(&b->progress, what, 0);
}

static void
end(struct backup *b)
{
	if (!b->o->quiet)
		progress_end(&b->progress);
}

/* The working folder, ours alone; what a crash left of one goes. */
static enum rc
make_folder(struct backup *b, struct err *e)
{
	int	 n = snprintf(b->tmp, sizeof(b->tmp), "%s.tmp", b->o->folder);
	enum rc	 rc;

	if (n < 0 || (size_t)n >= sizeof(b->tmp))
		return err_set(e, "%.200s: the name is too long",
		    b->o->folder);
	if (access(b->o->folder, F_OK) == 0)
		return err_set(e, "%s: is there already; a backup gets a "
		    "folder of its own", b->o->folder);
	if (mkdir(b->tmp, 0700) == -1 && errno != EEXIST)
		return err_set(e, "%s: %s", b->tmp, strerror(errno));
	b->lock = open(b->tmp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (b->lock == -1)
		return err_set(e, "%s: %s", b->tmp, strerror(errno));
	if (flock(b->lock, LOCK_EX | LOCK_NB) == -1) {
		(void)close(b->lock);
		b->lock = -1;
		return err_set(e, "%s: another backup is being written there",
		    b->tmp);
	}
	if ((rc = manifest_wipe(b->tmp, e)) != RC_OK)
		return rc;
	(void)close(b->lock);
	b->lock = -1;
	if (mkdir(b->tmp, 0700) == -1)
		return err_set(e, "%s: %s", b->tmp, strerror(errno));
	b->lock = open(b->tmp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (b->lock == -1 || flock(b->lock, LOCK_EX | LOCK_NB) == -1)
		return err_set(e, "%s: %s", b->tmp, strerror(errno));
	return manifest_path(b->path, sizeof(b->path), b->tmp, MANIFEST_DB,
	    e);
}

/* Rows first: every key that they need is in the ring by then. */
static enum rc
copy_rows(struct backup *b, struct err *e)
{
	char	 keys[PATH_MAX];
	enum rc	 rc;

	begin(b, "copying");
	rc = db_copy(b->opened.db, b->path, on_progress, b, e);
	end(b);
	if (rc == RC_OK)
		rc = manifest_path(keys, sizeof(keys), b->tmp, MANIFEST_KEYS,
		    e);
	if (rc == RC_OK)
		rc = keyring_copy(b->opened.keys, keys, e);
	return rc;
}

/*
 * Read what was written, from the first row to the last: the chain must be
 * whole, and the keys must be those that it was sealed with.
 */
static enum rc
read_again(struct backup *b, struct history *h, uint64_t last, struct err *e)
{
	struct history_row	 row;
	bool			 more;
	enum rc			 rc;

	if ((rc = history_seek(h, 1, e)) != RC_OK)
		return rc;
	for (;;) {
		if ((rc = history_row(h, &row, &more, e)) != RC_OK)
			return rc;
		if (!more)
			break;
		b->m.head.seq = row.head.seq + row.head.events - 1;
		memcpy(b->m.head.hash, row.hash, sizeof(row.hash));
		on_progress(b, b->m.head.seq, last);
	}
	return b->m.head.seq > 0 ? RC_OK : err_set(e, "the journal has no "
	    "rows");
}

/* The time of the last event, which is no earlier than any before. */
static enum rc
read_time(struct backup *b, struct history *h, struct err *e)
{
	struct history_event	 ev;
	struct history_row	 row;
	bool			 more;
	enum rc			 rc;

	if ((rc = history_seek(h, b->m.head.seq, e)) != RC_OK ||
	    (rc = history_row(h, &row, &more, e)) != RC_OK)
		return rc;
	while (more) {
		if ((rc = history_event(h, &ev, &more, e)) != RC_OK)
			return rc;
		if (more && ev.c.t_ms > b->m.head.t_ms)
			b->m.head.t_ms = ev.c.t_ms;
	}
	return RC_OK;
}

static enum rc
verify(struct backup *b, struct err *e)
{
	struct history	*h = NULL;
	struct keyring	*keys = NULL;
	struct db	*db = NULL;
	char		 path[PATH_MAX];
	uint64_t	 last;
	enum rc		 rc;

	if ((rc = manifest_path(path, sizeof(path), b->tmp, MANIFEST_KEYS,
	    e)) != RC_OK || (rc = db_open(&db, b->path, DB_READ, e)) != RC_OK)
		return rc;
	begin(b, "verifying");
	if ((rc = keyring_open(&keys, path, false, e)) == RC_OK &&
	    (rc = db_last(db, &last, e)) == RC_OK &&
	    (rc = history_new(&h, db, keys, e)) == RC_OK &&
	    (rc = read_again(b, h, last, e)) == RC_OK)
		rc = read_time(b, h, e);
	end(b);
	history_free(&h);
	if (rc == RC_OK) {
		memcpy(b->m.head.deployment,
		    keyring_secrets(keys)->deployment, 16);
		head_sign(&b->m.head, keys);
	}
	keyring_free(&keys);
	db_close(&db);
	return err_wrap(e, rc, "the copy");
}

static enum rc
add_file(struct backup *b, const char *name, struct err *e)
{
	struct manifest_file	*f = &b->m.files[b->m.n_files];
	char			 path[PATH_MAX];
	enum rc			 rc;

	if ((rc = manifest_path(path, sizeof(path), b->tmp, name, e)) !=
	    RC_OK)
		return rc;
	begin(b, "checking");
	rc = manifest_hash(f, path, NULL, on_progress, b, e);
	end(b);
	(void)snprintf(f->name, sizeof(f->name), "%s", name);
	b->m.n_files++;
	return rc;
}

/* One that stands on a row of the copy; without, a start takes longer. */
static enum rc
copy_snapshot(struct backup *b, uint64_t seq, struct err *e)
{
	struct manifest_file	 from;
	char			 dir[PATH_MAX], to[PATH_MAX], path[PATH_MAX];
	char			 file[40], name[MANIFEST_NAME_MAX];
	enum rc			 rc;

	(void)snprintf(file, sizeof(file), "%020" PRIu64 ".snapshot", seq);
	(void)snprintf(name, sizeof(name), MANIFEST_SNAPSHOTS "/%s", file);
	if ((rc = manifest_path(dir, sizeof(dir), b->tmp, MANIFEST_SNAPSHOTS,
	    e)) != RC_OK ||
	    (rc = manifest_path(to, sizeof(to), dir, file, e)) != RC_OK ||
	    (rc = manifest_path(path, sizeof(path), db_snapshot_folder(
	    b->opened.db), file, e)) != RC_OK)
		return rc;
	if (mkdir(dir, 0700) == -1 && errno != EEXIST)
		return err_set(e, "%s: %s", dir, strerror(errno));
	if ((rc = manifest_hash(&from, path, to, NULL, NULL, e)) != RC_OK)
		return rc;
	return add_file(b, name, e);
}

static enum rc
newest_snapshot(struct backup *b, struct err *e)
{
	uint64_t		 seqs[LOAD_MAX];
	struct snapshot_head	 h;
	const unsigned char	*key;
	struct err		 why;
	size_t			 n, i;
	enum rc			 rc;

	if ((rc = snapshot_list(db_snapshot_folder(b->opened.db), seqs,
	    LOAD_MAX, &n, e)) != RC_OK)
		return rc;
	for (i = 0; i < n; i++) {
		if (seqs[i] > b->m.head.seq)
			continue;
		if (load_head(&h, b->opened.db, seqs[i], &why) != RC_OK ||
		    keyring_get(b->opened.keys, h.month, &key) != KEY_THERE)
			continue;
		/* The engine may just have removed it. */
		if (copy_snapshot(b, seqs[i], &why) == RC_OK)
			return RC_OK;
	}
	return RC_OK;
}

static enum rc
finish(struct backup *b, struct err *e)
{
	enum rc	 rc;

	if ((rc = manifest_write(&b->m, b->tmp, e)) != RC_OK)
		return rc;
	if (fsync(b->lock) == -1)
		return err_set(e, "%s: not on disk: %s", b->tmp,
		    strerror(errno));
	if (renameat2(AT_FDCWD, b->tmp, AT_FDCWD, b->o->folder,
	    RENAME_NOREPLACE) == -1)
		return err_set(e, "%s: %s", b->o->folder, strerror(errno));
	return file_sync_folder(b->o->folder, e);
}

static enum rc
make(struct backup *b, struct err *e)
{
	enum rc	 rc;

	if ((rc = make_folder(b, e)) != RC_OK)
		return rc;
	if ((rc = copy_rows(b, e)) == RC_OK &&
	    (rc = verify(b, e)) == RC_OK &&
	    (rc = add_file(b, MANIFEST_DB, e)) == RC_OK &&
	    (rc = add_file(b, MANIFEST_KEYS, e)) == RC_OK &&
	    (rc = newest_snapshot(b, e)) == RC_OK)
		return finish(b, e);
	/* What is left of it is no use; a failure to remove it is said by
	 * the next backup. */
	if (manifest_wipe(b->tmp, NULL) != RC_OK)
		return rc;
	return rc;
}

static enum rc
print(const struct backup *b, struct err *e)
{
	struct json	 j;
	uint64_t	 bytes = 0;
	char		 head[HEAD_TEXT_MAX], when[CIVIL_TEXT_MAX];
	int		 i;

	for (i = 0; i < b->m.n_files; i++)
		bytes += b->m.files[i].bytes;
	(void)head_format(head, &b->m.head);
	if (!b->o->json) {
		printf("%s: events 1 to %" PRIu64 ", to %s, %" PRIu64
		    " bytes%s\nhead: %s\nIt holds the keys: who has it reads "
		    "everything and signs as this engine.\n", b->o->folder,
		    b->m.head.seq, civil_format(when, b->m.head.t_ms), bytes,
		    b->m.n_files > 2 ? ", with a snapshot" : "", head);
		return RC_OK;
	}
	json_to_file(&j, stdout, true);
	json_open_object(&j, NULL);
	json_put_text(&j, "backup", b->o->folder);
	json_put_uint(&j, "last_event", b->m.head.seq);
	json_put_int(&j, "t", b->m.head.t_ms);
	json_put_uint(&j, "bytes", bytes);
	json_put_bool(&j, "snapshot", b->m.n_files > 2);
	json_put_text(&j, "head", head);
	json_close(&j);
	return json_end(&j) == RC_OK ? RC_OK : err_set(e, "cannot be written");
}

int
cmd_backup(int argc, char **argv)
{
	static struct backup	 b = { .lock = -1 };
	struct options		 o = { 0 };
	struct err		 e;
	size_t			 n;
	enum rc			 rc;
	int			 c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (c == OPT_HELP)
			return help("backup");
		if (c == OPT_DB)
			o.db = optarg;
		else if (c == OPT_JSON)
			o.json = true;
		else if (c == OPT_QUIET)
			o.quiet = true;
		else
			return usage("backup");
	}
	if (optind + 1 != argc)
		return usage("backup");
	for (n = strlen(argv[optind]); n > 1 && argv[optind][n - 1] == '/';)
		argv[optind][--n] = '\0';
	o.folder = argv[optind];
	b.o = &o;
	if ((rc = opened_new(&b.opened, o.db, true, &e)) == RC_OK &&
	    (rc = make(&b, &e)) == RC_OK)
		rc = print(&b, &e);
	opened_free(&b.opened);
	if (b.lock != -1)
		(void)close(b.lock);
	if (rc == RC_OK)
		return STATUS_DONE;
	(void)fprintf(stderr, "drawbridge backup: %s\n", e.text);
	return STATUS_FAILED;
}
