/*
 * Checkpoints, off the thread that answers.
 *
 * SQLite appends to a log (the WAL) and copies it into the database at
 * checkpoints.  A checkpoint that copied everything lets the next writer
 * begin at the log's start again; under load one that runs beside the writer
 * never quite gets there, and the log would grow for ever.  So: small passes
 * beside the writer, and once the log is long enough, a last pass over what
 * little is left while the writer waits between two rows.  The log is never
 * truncated: writing over blocks that are there makes its fdatasync cheaper.
 *
 * A checkpoint that fails is never repeated in this process: after a failed
 * fsync of the database the kernel may call pages clean that are not on the
 * disk, a second fsync would succeed, and the log, the last place that has
 * them, would be overwritten.  The next process copies the whole log again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/inner.h"

#ifndef CHECKPOINT_STEP
#define CHECKPOINT_STEP		1024	/* pages: a pass beside the writer */
#endif
/* From here on it is a log worth its full length. */
#define FILL_PAGES		256
/* How long the writer waits at most for readers to leave the log. */
#define CHECKPOINT_WAIT_MS	50

struct checkpoint {
	pthread_t	 thread;
	pthread_mutex_t	 mutex;
	pthread_cond_t	 wake;		/* the log grew, or stop */
	pthread_cond_t	 open;		/* the writer may go on */
	sqlite3		*conn;
	char		*log;		/* its file */
	int		 page_len;	/* of a page in it */
	bool		 filled;	/* has its full length */
	int		 pages;		/* of the log */
	int		 done;		/* of those, in the database */
	int		 passed;	/* `pages` at the last pass, */
	int		 ended;		/* and at the last attempt to end it:
					 * not again before it grew */
	bool		 writing;
	bool		 closed;	/* the writer must wait */
	bool		 stop;
	bool		 failed;
	bool		 started;
	char		 why[256];
	_Atomic uint64_t count;
};

/* One checkpoint, without the mutex; false when it failed for good. */
static bool
run(struct checkpoint *c, int mode, int *pages_out, int *done_out)
{
	int	 code;

	*pages_out = *done_out = 0;
	code = sqlite3_wal_checkpoint_v2(c->conn, "main", mode, pages_out,
	    done_out);
	atomic_fetch_add(&c->count, 1);
	if (code == SQLITE_OK || code == SQLITE_BUSY)
		return true;
	snprintf(c->why, sizeof(c->why), "checkpoint: %s (%s)",
	    sqlite3_errmsg(c->conn), sqlite3_errstr(code));
	return false;
}

/* The log began anew when it is shorter than it was. */
static void
set_pages(struct checkpoint *c, int pages)
{
	if (pages < c->pages)
		c->done = c->passed = c->ended = 0;
	c->pages = pages;
}

/* A pass beside the writer. */
static bool
pass(struct checkpoint *c)
{
	int	 pages, done;
	bool	 good;

	c->passed = c->pages;
	pthread_mutex_unlock(&c->mutex);
	good = run(c, SQLITE_CHECKPOINT_PASSIVE, &pages, &done);
	pthread_mutex_lock(&c->mutex);
	/* -1: another process is at it. */
	if (done > c->done)
		c->done = done;
	return good;
}

/* Between the two the writer waits; neither holds the mutex meanwhile. */
static void
stop_writer(struct checkpoint *c)
{
	c->closed = true;
	while (c->writing)
		pthread_cond_wait(&c->wake, &c->mutex);
	pthread_mutex_unlock(&c->mutex);
}

static void
let_writer(struct checkpoint *c)
{
	pthread_mutex_lock(&c->mutex);
	c->closed = false;
	pthread_cond_broadcast(&c->open);
}

/* The last pass, while the writer waits. */
static bool
finish(struct checkpoint *c)
{
	int	 pages, done;
	bool	 good;

	stop_writer(c);
	good = run(c, SQLITE_CHECKPOINT_RESTART, &pages, &done);
	let_writer(c);
	c->ended = c->pages;
	if (done > c->done)
		c->done = done;
	return good;
}

static bool
write_zeros(int fd, off_t at, off_t end)
{
	char	*zeros = calloc(1, (size_t)(end - at));
	ssize_t	 n = zeros == NULL ? -1 : 0;

	for (; n != -1 && at < end; at += n)
		n = pwrite(fd, zeros, (size_t)(end - at), at);
	free(zeros);
	return n != -1;
}

/*
 * Give the log its full length at once, in zeros, which SQLite takes for the
 * log's end.  To sync a file that grows the file system commits its own
 * journal as well: half as many commits again a second without that.
 */
static bool
fill(struct checkpoint *c)
{
	const off_t	 end = (off_t)LOG_PAGES * c->page_len;
	struct stat	 st = { .st_size = 0 };
	bool		 good;
	int		 fd;

	c->filled = true;
	stop_writer(c);
	/* Nor may another process append meanwhile; if one does, never mind. */
	if (sqlite3_exec(c->conn, "BEGIN IMMEDIATE", NULL, NULL, NULL) !=
	    SQLITE_OK) {
		let_writer(c);
		return true;
	}
	fd = open(c->log, O_WRONLY | O_CLOEXEC);
	good = fd != -1 && fstat(fd, &st) == 0 && (st.st_size >= end ||
	    (write_zeros(fd, st.st_size, end) && fdatasync(fd) == 0));
	if (!good) {
		snprintf(c->why, sizeof(c->why), "the log: %s",
		    strerror(errno));
		if (fd != -1)
			(void)!ftruncate(fd, st.st_size);
	}
	if (fd != -1)
		close(fd);
	(void)sqlite3_exec(c->conn, "ROLLBACK", NULL, NULL, NULL);
	let_writer(c);
	return good;
}

/*
 * A reader that stands in the log, stopped or slow, makes passes and ends
 * fruitless: the log grows on, for the engine must not stop for a reader, and
 * another attempt comes only when it has grown again.
 */
static bool
wants_pass(const struct checkpoint *c)
{
	return c->pages - c->done >= CHECKPOINT_STEP &&
	    c->pages - c->passed >= CHECKPOINT_STEP;
}

/* When little is left to copy; or much, where the disk cannot keep up. */
static bool
wants_end(const struct checkpoint *c)
{
	return c->pages >= LOG_PAGES &&
	    (c->pages - c->done < CHECKPOINT_STEP ||
	    c->pages >= 2 * LOG_PAGES) &&
	    (c->ended == 0 || c->pages - c->ended >= LOG_PAGES);
}

/* Whoever appends little needs no long log. */
static bool
wants_fill(const struct checkpoint *c)
{
	return !c->filled && c->pages >= FILL_PAGES;
}

static void *
loop(void *arg)
{
	struct checkpoint	*c = arg;
	bool			 good = true;

	pthread_mutex_lock(&c->mutex);
	while (!c->stop && good) {
		if (wants_fill(c))
			good = fill(c);
		else if (wants_end(c))
			good = finish(c);
		else if (wants_pass(c))
			good = pass(c);
		else
			pthread_cond_wait(&c->wake, &c->mutex);
	}
	c->failed = !good;
	pthread_mutex_unlock(&c->mutex);
	return NULL;
}

static enum rc
connect(struct checkpoint *c, const char *path, struct err *e)
{
	int	 code;

	code = sqlite3_open_v2(path, &c->conn, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL);
	if (code != SQLITE_OK)
		return sqlite_err(e, c->conn, code, path);
	sqlite3_busy_timeout(c->conn, CHECKPOINT_WAIT_MS);
	/* The first read opens the log. */
	return sqlite_exec(c->conn, "PRAGMA synchronous=FULL;"
	    "PRAGMA wal_autocheckpoint=0;"
	    "SELECT 1 FROM journal LIMIT 1", path, e);
}

enum rc
checkpoint_start(struct checkpoint **out, const char *path, int page_len,
    struct err *e)
{
	struct checkpoint	*c = calloc(1, sizeof(*c));
	int			 code;

	if (c == NULL)
		return err_set(e, "out of memory");
	pthread_mutex_init(&c->mutex, NULL);
	pthread_cond_init(&c->wake, NULL);
	pthread_cond_init(&c->open, NULL);
	c->page_len = page_len;
	c->log = db_join(path, "-wal", e);
	if (c->log == NULL || connect(c, path, e) != RC_OK) {
		(void)checkpoint_stop(&c);
		return RC_FAILED;
	}
	if ((code = pthread_create(&c->thread, NULL, loop, c)) != 0) {
		(void)err_set(e, "no thread: %s", strerror(code));
		(void)checkpoint_stop(&c);
		return RC_FAILED;
	}
	c->started = true;
	*out = c;
	return RC_OK;
}

bool
checkpoint_stop(struct checkpoint **cp)
{
	struct checkpoint	*c = *cp;
	bool			 good;

	if (c == NULL)
		return true;
	if (c->started) {
		pthread_mutex_lock(&c->mutex);
		c->stop = true;
		pthread_cond_signal(&c->wake);
		pthread_mutex_unlock(&c->mutex);
		pthread_join(c->thread, NULL);
	}
	good = !c->failed;
	/* The appending connection decides about the log, at its own end. */
	if (c->conn != NULL)
		sqlite3_db_config(c->conn, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE,
		    1, NULL);
	sqlite3_close(c->conn);
	pthread_cond_destroy(&c->open);
	pthread_cond_destroy(&c->wake);
	pthread_mutex_destroy(&c->mutex);
	free(c->log);
	free(c);
	*cp = NULL;
	return good;
}

enum rc
checkpoint_enter(struct checkpoint *c, struct err *e)
{
	enum rc	 rc = RC_OK;

	pthread_mutex_lock(&c->mutex);
	while (c->closed)
		pthread_cond_wait(&c->open, &c->mutex);
	if (c->failed)
		rc = err_set(e, "%s", c->why);
	else
		c->writing = true;
	pthread_mutex_unlock(&c->mutex);
	return rc;
}

void
checkpoint_leave(struct checkpoint *c)
{
	pthread_mutex_lock(&c->mutex);
	c->writing = false;
	if (c->closed)
		pthread_cond_signal(&c->wake);
	pthread_mutex_unlock(&c->mutex);
}

void
checkpoint_log(struct checkpoint *c, int pages)
{
	pthread_mutex_lock(&c->mutex);
	set_pages(c, pages);
	if (wants_fill(c) || wants_pass(c) || wants_end(c))
		pthread_cond_signal(&c->wake);
	pthread_mutex_unlock(&c->mutex);
}

uint64_t
checkpoint_count(struct checkpoint *c)
{
	return atomic_load(&c->count);
}
