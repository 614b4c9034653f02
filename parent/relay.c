#define _GNU_SOURCE
#include "parent/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/sandbox_inner.h"

#define PROGRAM		"drawbridge-relay"
#define MINUTE_MS	60000
#define STOP_MS		20000
#define BACK_OFF_MAX_S	30
#define NEVER_MS	INT64_MAX
#define PATH_ROOM	4096
#define ENV_MAX		16

extern char	**environ;

static void
environment(char *env[ENV_MAX + 1])
{
	static const char *const	 may[] = { "JOURNAL_STREAM=",
					    "CREDENTIALS_DIRECTORY=",
#if SANDBOX_SANITIZED
					    "ASAN_OPTIONS=", "LSAN_OPTIONS=",
					    "UBSAN_OPTIONS=",
#endif
					    "LC_ALL=", "PATH=" };
	char				**e;
	size_t				  i, n = 0;

	for (e = environ; *e != NULL && n < ENV_MAX; e++) {
		for (i = 0; i < sizeof(may) / sizeof(may[0]); i++) {
			if (strncmp(*e, may[i], strlen(may[i])) == 0) {
				env[n++] = *e;
				break;
			}
		}
	}
	env[n] = NULL;
}

/* The program beside ours. */
static bool
find(char path[PATH_ROOM])
{
	ssize_t	 n = readlink("/proc/self/exe", path, PATH_ROOM - 1);
	char	*slash;

	if (n <= 0)
		return false;
	path[n] = '\0';
	slash = strrchr(path, '/');
	if (slash == NULL || (size_t)(slash - path) + sizeof(PROGRAM) + 1 >
	    PATH_ROOM)
		return false;
	memcpy(slash + 1, PROGRAM, sizeof(PROGRAM));
	return true;
}

static void __attribute__((noreturn))
become(const struct config *c, pid_t parent)
{
	char		 path[PATH_ROOM], folder[sizeof(c->signer_folder)];
	char		 user[sizeof(c->user)];
	char		 name[] = PROGRAM, data[] = "--data", as[] = "--user";
	char		*argv[6] = { name, data, folder, NULL, NULL, NULL };
	char		*env[ENV_MAX + 1];
	sigset_t	 none;
	int		 null;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	memcpy(folder, c->signer_folder, sizeof(folder));
	memcpy(user, c->user, sizeof(user));
	if (geteuid() == 0 && user[0] != '\0') {
		argv[3] = as;
		argv[4] = user;
	}
	/* Standard output is for the one line of the parent. */
	null = open("/dev/null", O_RDWR);
	if (null == -1 || dup2(null, STDIN_FILENO) == -1 ||
	    dup2(null, STDOUT_FILENO) == -1 ||
	    close_range(STDERR_FILENO + 1, ~0U, 0) != 0 || !find(path))
		_exit(1);
	environment(env);
	(void)execve(path, argv, env);
	log_event(LOG_BROKEN, "not-started", "program", 's', path, "why",
	    's', strerror(errno), NULL);
	_exit(1);
}

static int64_t
back_off_ms(int starts)
{
	int64_t	 s = 1;

	if (starts <= 1)
		return 0;
	while (--starts > 1 && s < BACK_OFF_MAX_S)
		s *= 2;
	return (s < BACK_OFF_MAX_S ? s : BACK_OFF_MAX_S) * 1000;
}

static int64_t
stop_turn(struct relay *r, int64_t now_ms)
{
	if (r->pid == 0)
		return NEVER_MS;
	if (r->kill_ms == 0) {
		(void)kill(r->pid, SIGTERM);
		r->kill_ms = now_ms + STOP_MS;
	} else if (now_ms >= r->kill_ms) {
		log_event(LOG_ODD, "killed", "program", 's', PROGRAM, "why",
		    's', "it did not stop", NULL);
		(void)kill(r->pid, SIGKILL);
		r->kill_ms = now_ms + STOP_MS;
	}
	return r->kill_ms;
}

int64_t
relay_turn(struct relay *r, const struct config *c, bool stop,
    int64_t now_ms)
{
	pid_t	 self = getpid(), pid;

	if (stop)
		return stop_turn(r, now_ms);
	if (c->signer_folder[0] == '\0' || r->pid != 0)
		return NEVER_MS;
	if (now_ms < r->start_ms)
		return r->start_ms;
	if ((pid = fork()) == 0)
		become(c, self);
	r->starts++;
	if (pid == -1) {
		log_event(LOG_BROKEN, "not-started", "program", 's', PROGRAM,
		    "why", 's', strerror(errno), NULL);
		r->start_ms = now_ms + back_off_ms(r->starts + 1);
		return r->start_ms;
	}
	r->pid = pid;
	r->started_ms = now_ms;
	r->kill_ms = 0;
	return NEVER_MS;
}

void
relay_ended(struct relay *r, pid_t pid, int wait_status, bool stop,
    int64_t now_ms)
{
	enum log_level	 level = stop && WIFEXITED(wait_status) &&
	    WEXITSTATUS(wait_status) == 0 ? LOG_INFO_ : LOG_BROKEN;

	if (r->pid == 0 || r->pid != pid)
		return;
	if (WIFSIGNALED(wait_status))
		log_event(level, "ended", "program", 's', PROGRAM, "signal",
		    's', strsignal(WTERMSIG(wait_status)), NULL);
	else
		log_event(level, "ended", "program", 's', PROGRAM, "status",
		    'd', (int64_t)WEXITSTATUS(wait_status), NULL);
	r->pid = 0;
	if (now_ms - r->started_ms >= MINUTE_MS)
		r->starts = 1;
	r->start_ms = now_ms + back_off_ms(r->starts);
}
