/*
 * The signer is started before the hub, and the hub before the door: the
 * first byte from outside is read when all three are locked in.
 *
 * When the hub ends, the signer's pipes end with it: nobody could know where
 * in a frame they were.  The signer ends by itself then, and both are started
 * anew; without a credential it is locked.  What strangers can reach is the
 * door, whose end costs nothing but its connections.
 */
#define _GNU_SOURCE
#include "signer/relay/keep.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/sandbox_inner.h"
#include "signer/relay/door.h"
#include "signer/relay/hub.h"

#define SECOND_MS	1000
#define MINUTE_MS	(60 * SECOND_MS)
#define LEAVE_MS	(5 * SECOND_MS)
#define BACK_OFF_MAX_S	30
#define NEVER_MS	INT64_MAX
#define FIRST_FD	3		/* the signer's: requests, custodian, */
#define N_FDS		5		/* journal, seed, passphrase */
#define ENV_MAX		16

extern char	**environ;

static const char *const	 names[KEEP__COUNT] = {
	[KEEP_SIGNER] = "signer", [KEEP_HUB] = "hub", [KEEP_DOOR] = "door",
};

void
keep_new(struct keep *k)
{
	memset(k, 0, sizeof(*k));
	k->journal = k->seed = k->passphrase = k->control = -1;
	k->requests = k->custodian = k->network = -1;
}

/* Starting */

static int64_t
back_off_ms(int starts)
{
	int64_t	 s = 1;

	if (starts <= 1)
		return 0;
	while (--starts > 1 && s < BACK_OFF_MAX_S)
		s *= 2;
	return (s < BACK_OFF_MAX_S ? s : BACK_OFF_MAX_S) * SECOND_MS;
}

/* In the child, first of all. */
static void
in_child(pid_t parent)
{
	sigset_t	 none;
	int		 null;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGTERM, SIG_DFL);
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	null = open("/dev/null", O_RDWR);
	if (null == -1 || dup2(null, STDIN_FILENO) == -1 ||
	    dup2(STDERR_FILENO, STDOUT_FILENO) == -1)
		_exit(1);
	if (null > 2)
		(void)close(null);
}

/*
 * These and no others, from 3 on in this order; -1: none.  First out of each
 * other's way.
 */
static void
keep_only(const int *fds, int n)
{
	int	 high[N_FDS], i, floor = FIRST_FD + N_FDS;

	for (i = 0; i < n; i++) {
		high[i] = -1;
		if (fds[i] != -1 &&
		    (high[i] = fcntl(fds[i], F_DUPFD, floor)) == -1)
			_exit(1);
	}
	for (i = 0; i < n; i++) {
		if (high[i] == -1)
			(void)close(FIRST_FD + i);
		else if (dup2(high[i], FIRST_FD + i) == -1)
			_exit(1);
	}
	(void)close_range((unsigned)(FIRST_FD + n), ~0U, 0);
}

static bool
begins(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

/* Nothing that whoever started us had lying around. */
static void
environment(char *env[ENV_MAX + 1])
{
	static const char *const	 may[] = { "JOURNAL_STREAM=",
#if SANDBOX_SANITIZED
					    "ASAN_OPTIONS=", "LSAN_OPTIONS=",
					    "UBSAN_OPTIONS=",
#endif
					    "LC_ALL=" };
	char				**e;
	size_t				  i, n = 0;

	for (e = environ; *e != NULL && n < ENV_MAX; e++) {
		for (i = 0; i < sizeof(may) / sizeof(may[0]); i++) {
			if (begins(*e, may[i])) {
				env[n++] = *e;
				break;
			}
		}
	}
	env[n] = NULL;
}

static void __attribute__((noreturn))
become_signer(const struct keep *k, int requests, int custodian)
{
	const int	 fds[N_FDS] = { requests, custodian, k->journal,
			    k->seed, k->passphrase };
	char		 name[] = "drawbridge-signer";
	char		*argv[] = { name, NULL };
	char		*env[ENV_MAX + 1];
	char		 path[4096];
	size_t		 len = strlen(k->program);

	if (len >= sizeof(path))
		_exit(1);
	memcpy(path, k->program, len + 1);
	keep_only(fds, N_FDS);
	environment(env);
	(void)execve(path, argv, env);
	log_event(LOG_BROKEN, "not-started", "program", 's', path, "why",
	    's', strerror(errno), NULL);
	_exit(1);
}

static void __attribute__((noreturn))
become_hub(const struct keep *k, int control)
{
	const int	 fds[3] = { control, k->requests, k->custodian };

	keep_only(fds, 3);
	(void)prctl(PR_SET_NAME, "dbridge:hub");
	hub_main(FIRST_FD, FIRST_FD + 1, FIRST_FD + 2);
}

static void __attribute__((noreturn))
become_door(const struct keep *k, int hub)
{
	const int	 fds[2] = { hub, k->network };

	keep_only(fds, 2);
	(void)prctl(PR_SET_NAME, "dbridge:door");
	door_main(FIRST_FD, FIRST_FD + 1, k->identity, k->pins);
}

/* In the child: 0.  In ours: RC_OK, or it is tried again later. */
static enum rc
fork_one(struct keep *k, enum keep_who who, pid_t *pid_out, int64_t now_ms,
    struct err *e)
{
	struct keep_process	*p = &k->processes[who];
	pid_t			 self = getpid(), pid;

	if ((pid = fork()) == -1)
		return err_set(e, "fork: %s", strerror(errno));
	*pid_out = pid;
	if (pid == 0) {
		in_child(self);
		return RC_OK;
	}
	p->pid = pid;
	p->started_ms = now_ms;
	p->kill_ms = 0;
	p->starts++;
	return RC_OK;
}

static enum rc
start_signer(struct keep *k, int64_t now_ms, struct err *e)
{
	int	 requests[2], custodian[2];
	pid_t	 pid = 0;
	enum rc	 rc;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, requests) != 0)
		return err_set(e, "a pipe: %s", strerror(errno));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    custodian) != 0) {
		(void)close(requests[0]);
		(void)close(requests[1]);
		return err_set(e, "a pipe: %s", strerror(errno));
	}
	rc = fork_one(k, KEEP_SIGNER, &pid, now_ms, e);
	if (rc == RC_OK && pid == 0)
		become_signer(k, requests[1], custodian[1]);
	k->ready = false;
	if (rc == RC_OK)
		rc = hub_tell(k->control, HUB_SIGNER, (const int[]){
		    requests[0], custodian[0] }, 2, e);
	(void)close(requests[0]);
	(void)close(requests[1]);
	(void)close(custodian[0]);
	(void)close(custodian[1]);
	return rc;
}

/* What the hub will be told first lies in its control before it runs. */
static enum rc
start_hub(struct keep *k, int64_t now_ms, struct err *e)
{
	int	 control[2];
	pid_t	 pid = 0;
	enum rc	 rc;

	if (k->control != -1)
		(void)close(k->control);
	k->control = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
	    control) != 0)
		return err_set(e, "a socket: %s", strerror(errno));
	k->control = control[0];
	if ((rc = start_signer(k, now_ms, e)) == RC_OK &&
	    (rc = fork_one(k, KEEP_HUB, &pid, now_ms, e)) == RC_OK &&
	    pid == 0)
		become_hub(k, control[1]);
	(void)close(control[1]);
	return rc;
}

static enum rc
start_door(struct keep *k, int64_t now_ms, struct err *e)
{
	int	 link[2];
	pid_t	 pid = 0;
	enum rc	 rc;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, link) != 0)
		return err_set(e, "a link: %s", strerror(errno));
	rc = fork_one(k, KEEP_DOOR, &pid, now_ms, e);
	if (rc == RC_OK && pid == 0)
		become_door(k, link[1]);
	if (rc == RC_OK)
		rc = hub_tell(k->control, HUB_DOOR, &link[0], 1, e);
	(void)close(link[0]);
	(void)close(link[1]);
	return rc;
}

static void
start(struct keep *k, enum keep_who who, int64_t now_ms)
{
	struct keep_process	*p = &k->processes[who];
	struct err		 e;
	enum rc			 rc = RC_OK;

	switch (who) {
	case KEEP_SIGNER:
		rc = start_signer(k, now_ms, &e);
		break;
	case KEEP_HUB:
		rc = start_hub(k, now_ms, &e);
		break;
	case KEEP_DOOR:
		rc = start_door(k, now_ms, &e);
		break;
	case KEEP__COUNT:
		assert(!"a process");
	}
	if (rc == RC_OK)
		return;
	log_event(LOG_BROKEN, "not-started", "process", 's', names[who],
	    "why", 's', e.text, NULL);
	/* Half of it may stand: the signer without a hub. */
	if (p->pid != 0)
		(void)kill(p->pid, SIGKILL);
	p->start_ms = now_ms + back_off_ms(p->starts + 2);
}

/* Ending */

static void
tell_end(enum keep_who who, int wait_status, bool wanted)
{
	enum log_level	 level = wanted ? LOG_INFO_ : LOG_BROKEN;

	if (WIFSIGNALED(wait_status))
		log_event(level, "ended", "process", 's', names[who],
		    "signal", 's', strsignal(WTERMSIG(wait_status)), NULL);
	else
		log_event(level, "ended", "process", 's', names[who],
		    "status", 'd', (int64_t)WEXITSTATUS(wait_status), NULL);
}

void
keep_ended(struct keep *k, pid_t pid, int wait_status, int64_t now_ms)
{
	struct keep_process	*p = NULL;
	int			 i;

	for (i = 0; i < KEEP__COUNT; i++) {
		if (k->processes[i].pid == pid) {
			p = &k->processes[i];
			break;
		}
	}
	if (p == NULL)
		return;
	tell_end((enum keep_who)i, wait_status, k->stopping || p->wanted);
	if (now_ms - p->started_ms >= MINUTE_MS || p->wanted)
		p->starts = 1;
	p->wanted = false;
	p->pid = 0;
	p->kill_ms = 0;
	p->start_ms = now_ms + back_off_ms(p->starts);
	if (i == KEEP_SIGNER)
		k->ready = false;
	if (i == KEEP_HUB && k->control != -1) {
		(void)close(k->control);
		k->control = -1;
		k->ready = false;
	}
	/* The first start of all: whoever sits before it wants to know. */
	if (!k->was_ready && !k->stopping && WIFEXITED(wait_status))
		keep_stop(k, 1, now_ms);
}

void
keep_heard(struct keep *k, int64_t now_ms)
{
	struct keep_process	*p = &k->processes[KEEP_SIGNER];
	char			 what = 0;
	ssize_t			 n;

	n = recv(k->control, &what, 1, MSG_DONTWAIT);
	if (n < 0)
		return;
	if (n == 0) {
		/* SIGCHLD tells. */
		(void)close(k->control);
		k->control = -1;
	} else if (what == HUB_READY) {
		if (!k->ready)
			log_event(LOG_INFO_, "ready", "process", 's',
			    names[KEEP_SIGNER], "after_ms", 'd',
			    now_ms - p->started_ms, NULL);
		k->ready = k->was_ready = true;
	} else if (what == HUB_BROKEN) {
		if (p->pid != 0)
			(void)kill(p->pid, SIGKILL);
	} else {
		log_event(LOG_BROKEN, "killed", "process", 's',
		    names[KEEP_HUB], "why", 's', "it said something else",
		    NULL);
		if (k->processes[KEEP_HUB].pid != 0)
			(void)kill(k->processes[KEEP_HUB].pid, SIGKILL);
	}
}

/* Its other side is gone: it ends by itself, or is killed. */
static int64_t
see_off(struct keep_process *p, int64_t now_ms)
{
	if (p->kill_ms == 0)
		p->kill_ms = now_ms + LEAVE_MS;
	if (now_ms < p->kill_ms)
		return p->kill_ms;
	(void)kill(p->pid, SIGKILL);
	p->kill_ms = now_ms + LEAVE_MS;
	return p->kill_ms;
}

static int64_t
due(struct keep *k, enum keep_who who, int64_t now_ms)
{
	if (k->processes[who].start_ms > now_ms)
		return k->processes[who].start_ms;
	start(k, who, now_ms);
	return k->processes[who].pid == 0 ? k->processes[who].start_ms :
	    NEVER_MS;
}

static int64_t
stop_turn(struct keep *k, int64_t now_ms)
{
	int64_t	 next = NEVER_MS, t;
	int	 i;

	for (i = 0; i < KEEP__COUNT; i++) {
		if (k->processes[i].pid == 0)
			continue;
		t = see_off(&k->processes[i], now_ms);
		if (t < next)
			next = t;
	}
	return next;
}

int64_t
keep_turn(struct keep *k, int64_t now_ms)
{
	struct keep_process	*signer = &k->processes[KEEP_SIGNER];
	struct keep_process	*hub = &k->processes[KEEP_HUB];
	struct keep_process	*door = &k->processes[KEEP_DOOR];
	int64_t			 next = NEVER_MS, t;

	if (k->stopping)
		return stop_turn(k, now_ms);
	if (hub->pid == 0) {
		if (signer->pid != 0)
			next = see_off(signer, now_ms);
		else if (signer->start_ms > now_ms)
			next = signer->start_ms;
		else
			next = due(k, KEEP_HUB, now_ms);
		t = door->pid != 0 ? see_off(door, now_ms) : NEVER_MS;
		return t < next ? t : next;
	}
	if (signer->pid == 0)
		next = due(k, KEEP_SIGNER, now_ms);
	if (k->network != -1 && door->pid == 0) {
		t = due(k, KEEP_DOOR, now_ms);
		next = t < next ? t : next;
	}
	return next;
}

void
keep_renew_door(struct keep *k)
{
	struct keep_process	*p = &k->processes[KEEP_DOOR];

	if (p->pid == 0 || k->stopping)
		return;
	p->wanted = true;
	(void)kill(p->pid, SIGTERM);
}

void
keep_stop(struct keep *k, int status, int64_t now_ms)
{
	int	 i;

	/* The second time at once. */
	for (i = 0; i < KEEP__COUNT && k->stopping; i++) {
		if (k->processes[i].pid != 0)
			(void)kill(k->processes[i].pid, SIGKILL);
	}
	if (!k->stopping)
		k->status = status;
	k->stopping = true;
	/* The signer finishes what it does, and ends with its pipes. */
	if (k->processes[KEEP_DOOR].pid != 0)
		(void)kill(k->processes[KEEP_DOOR].pid, SIGTERM);
	if (k->processes[KEEP_HUB].pid != 0)
		(void)kill(k->processes[KEEP_HUB].pid, SIGTERM);
	(void)stop_turn(k, now_ms);
}

bool
keep_empty(const struct keep *k)
{
	int	 i;

	for (i = 0; i < KEEP__COUNT; i++) {
		if (k->processes[i].pid != 0)
			return false;
	}
	return k->stopping;
}
