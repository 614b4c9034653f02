/*
 * Snapshots of a running engine: a forked child has the state as it was and
 * writes it out, while the engine goes on.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "db/snapshot.h"
#include "engine/journal_inner.h"

/* Newest ones kept: a damaged one is passed over for the one before. */
#define SNAPSHOTS_KEPT	3

static void
prune(struct journal *j)
{
	struct err	 ignored;

	/* Too many snapshots do no harm. */
	if (snapshot_prune(db_snapshot_folder(j->db), SNAPSHOTS_KEPT, 0,
	    &ignored) != RC_OK)
		return;
}

/* Is the child through? */
static void
reap(struct journal *j, int flags)
{
	int	 status;
	pid_t	 pid;

	if (j->snapshot_pid == 0)
		return;
	do
		pid = waitpid(j->snapshot_pid, &status, flags);
	while (pid == -1 && errno == EINTR);
	if (pid == 0)
		return;
	j->snapshot_pid = 0;
	if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		prune(j);
}

void
journal_snapshot_wait(struct journal *j)
{
	reap(j, 0);
}

/* Never returns.  It holds the engine's lock as long as it lives, so it must
 * not outlive the engine. */
static void
child(const struct journal *j, const unsigned char *key, pid_t parent)
{
	struct err	 e;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
		_exit(1);
	(void)setpriority(PRIO_PROCESS, 0, 19);
	_exit(rebuilt_snapshot(&j->state, j->db, key, &e) == RC_OK ? 0 : 1);
}

/* All that was taken is durable. */
static enum rc
begin(struct journal *j, struct err *e)
{
	const unsigned char	*key;
	pid_t			 parent = getpid(), pid;
	enum rc			 rc;

	/* Nothing is being sealed now: what was forgotten beside us goes out
	 * of our memory, too. */
	if ((rc = keyring_reread(j->keys, e)) != RC_OK ||
	    (rc = keyring_make(j->keys, row_month(j->state.t_ms), &key,
	    e)) != RC_OK)
		return rc;
	j->snapshot_seq = j->state.seq;
	if ((pid = fork()) == -1)
		return err_set(e, "snapshot: fork: %s", strerror(errno));
	if (pid == 0)
		child(j, key, parent);
	j->snapshot_pid = pid;
	return RC_OK;
}

enum rc
journal_snapshot(struct journal *j, struct err *e)
{
	enum rc	 rc;

	if ((rc = journal_flush(j, e)) != RC_OK)
		return rc;
	reap(j, WNOHANG);
	return j->snapshot_pid != 0 ? RC_OK : begin(j, e);
}

enum rc
journal_snapshot_maybe(struct journal *j, struct err *e)
{
	enum rc	 rc;

	reap(j, WNOHANG);
	if (j->snapshot_every == 0 || j->snapshot_pid != 0 ||
	    j->state.seq - j->snapshot_seq < j->snapshot_every)
		return RC_OK;
	if ((rc = committer_flush(j->committer, j->state.row_hash, e)) !=
	    RC_OK)
		return journal_die(j, rc, e);
	return begin(j, e);
}

enum rc
journal_snapshot_last(struct journal *j, struct err *e)
{
	const unsigned char	*key;
	enum rc			 rc;

	journal_snapshot_wait(j);
	if (j->snapshot_seq == j->state.seq)
		return RC_OK;
	if ((rc = keyring_make(j->keys, row_month(j->state.t_ms), &key,
	    e)) != RC_OK ||
	    (rc = rebuilt_snapshot(&j->state, j->db, key, e)) != RC_OK)
		return rc;
	prune(j);
	return RC_OK;
}
