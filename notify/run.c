/*
 * posix_spawn and a pipe: no shell, so nothing in a recipient or a subject
 * means anything.
 */
#define _GNU_SOURCE		/* pipe2() */
#include "notify/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define STEP_MS	20

static enum rc
start(pid_t *pid_out, int in, const char *program, const char *to,
    const char *subject, struct err *e)
{
	posix_spawn_file_actions_t	 files;
	posix_spawnattr_t		 attr;
	sigset_t			 all;
	static char			 path[] = "PATH=/usr/bin:/bin";
	char				*const env[] = { path, NULL };
	const char			*argv[] = { program, to, subject,
		NULL };
	char				*args[4];
	int				 r;

	/* posix_spawn() does not write to them, but its type says so. */
	memcpy(args, argv, sizeof(args));
	if (posix_spawn_file_actions_init(&files) != 0 ||
	    posix_spawnattr_init(&attr) != 0)
		return err_set(e, "no memory");
	/* What a room ignores, a program may count on. */
	(void)sigfillset(&all);
	(void)posix_spawnattr_setsigdefault(&attr, &all);
	(void)sigemptyset(&all);
	(void)posix_spawnattr_setsigmask(&attr, &all);
	(void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF |
	    POSIX_SPAWN_SETSIGMASK);
	(void)posix_spawn_file_actions_adddup2(&files, in, 0);
	(void)posix_spawn_file_actions_addopen(&files, 1, "/dev/null",
	    O_WRONLY, 0);
	r = posix_spawn(pid_out, program, &files, &attr, args, env);
	(void)posix_spawn_file_actions_destroy(&files);
	(void)posix_spawnattr_destroy(&attr);
	return r == 0 ? RC_OK : err_set(e, "%s: %s", program, strerror(r));
}

/* The text, as far as it is read. */
static void
give(int out, const char *text)
{
	struct pollfd	 p = { .fd = out, .events = POLLOUT };
	size_t		 left = strlen(text);
	ssize_t		 n;

	while (left > 0 && poll(&p, 1, RUN_TIMEOUT_MS) == 1) {
		n = write(out, text, left);
		if (n <= 0 && errno != EAGAIN && errno != EINTR)
			return;
		if (n > 0) {
			text += n;
			left -= (size_t)n;
		}
	}
}

static enum rc
await(pid_t pid, const char *program, struct err *e)
{
	int	 status, waited;

	for (waited = 0; waited < RUN_TIMEOUT_MS; waited += STEP_MS) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) && WEXITSTATUS(status) == 0 ?
			    RC_OK : err_set(e, "%s: ended with status %d",
			    program, WIFEXITED(status) ?
			    WEXITSTATUS(status) : 128 + WTERMSIG(status));
		(void)poll(NULL, 0, STEP_MS);
	}
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, &status, 0);
	return err_set(e, "%s: did not end within %d s", program,
	    RUN_TIMEOUT_MS / 1000);
}

enum rc
run_program(const char *program, const char *to, const char *subject,
    const char *text, struct err *e)
{
	int	 in[2];
	pid_t	 pid;
	enum rc	 rc;

	if (pipe2(in, O_CLOEXEC | O_NONBLOCK) == -1)
		return err_set(e, "pipe: %s", strerror(errno));
	/* The program's own end blocks, as it expects. */
	(void)fcntl(in[0], F_SETFL, 0);
	rc = start(&pid, in[0], program, to, subject, e);
	(void)close(in[0]);
	if (rc == RC_OK)
		give(in[1], text);
	(void)close(in[1]);
	return rc == RC_OK ? await(pid, program, e) : rc;
}
