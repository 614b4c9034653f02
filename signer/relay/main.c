/*
 * drawbridge-relay: starts drawbridge-signer, and stands between it and
 * everybody else.
 *
 * This process opens what the others need, gives it to them and keeps them
 * running (keep.h).  The hub (hub.h) forwards frames from local sockets to the
 * signer's pipes; the door (door.h) speaks TLS.  None of the three can open,
 * connect or start anything; this one, which can start them, hears one byte at
 * a time from the hub alone.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/log.h"
#include "link/listen.h"
#include "link/lock.h"
#include "link/pinned.h"
#include "link/systemd.h"
#include "signer/relay/keep.h"

#define PATH_ROOM	4096
#define REQUESTS_NAME	"signer.sock"
#define CUSTODIAN_NAME	"custodian.sock"
#define CREDENTIAL	"signer-passphrase"
#define PROGRAM		"drawbridge-signer"

struct relay {
	const char	*data, *listen, *user, *group, *passphrase;
	char		 program[PATH_ROOM];
	char		 identity[PATH_ROOM];
	char		 pins[PATH_ROOM];
	char		 credential[PATH_ROOM];
	char		 text[LISTEN_TEXT_MAX];
	char		 pin[PINNED_HEX + 1];
	gid_t		 gid;		/* of the requests' socket */
	int		 dir;
	int		 signals;
	bool		 said_ready;
	int64_t		 watchdog_ms, said_alive_ms;
	struct keep	 keep;
};

static const char usage[] =
    "usage: drawbridge-relay --data DIR [--listen ADDRESS:PORT]"
    " [--signer PROGRAM]\n"
    "           [--user NAME] [--group NAME] [--passphrase FILE]\n"
    "       drawbridge-relay --make-identity DIR\n";

static int64_t
now_ms(void)
{
	struct timespec	 t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static enum rc PRINTF(3, 4)
path_of(char out[PATH_ROOM], struct err *e, const char *fmt, ...)
{
	va_list	 ap;
	int	 n;

	va_start(ap, fmt);
	n = vsnprintf(out, PATH_ROOM, fmt, ap);
	va_end(ap);
	return n >= 0 && n < PATH_ROOM ? RC_OK :
	    err_set(e, "a path that is too long");
}

/* Before anybody is started */

/* Who may: systemd's, of the service that we run in, or a file. */
static enum rc
open_passphrase(struct relay *r, struct err *e)
{
	const char	*folder = getenv("CREDENTIALS_DIRECTORY");
	struct stat	 st;

	if (r->passphrase == NULL && folder != NULL) {
		if (path_of(r->credential, e, "%s/" CREDENTIAL, folder) !=
		    RC_OK)
			return RC_FAILED;
		if (access(r->credential, F_OK) == 0)
			r->passphrase = r->credential;
	}
	if (r->passphrase == NULL)
		return RC_OK;
	r->keep.passphrase = open(r->passphrase, O_RDONLY | O_CLOEXEC |
	    O_NOCTTY);
	if (r->keep.passphrase == -1)
		return err_set(e, "%s: %s", r->passphrase, strerror(errno));
	/* It is read anew at each start of the signer: a pipe could not. */
	if (fstat(r->keep.passphrase, &st) != 0 || !S_ISREG(st.st_mode))
		return err_set(e, "%s: not a file", r->passphrase);
	/* systemd gives it to its user by an access list, whose mask stands
	 * where the group's rights would. */
	if (r->passphrase != r->credential && (st.st_mode & 077) != 0)
		return err_set(e, "%s: others may read it (mode %03o)",
		    r->passphrase, (unsigned)st.st_mode & 0777);
	return RC_OK;
}

/* Another user for good, before anything of theirs is touched. */
static enum rc
become_user(struct relay *r, struct err *e)
{
	struct passwd	*pw;
	struct group	*gr;
	gid_t		 groups[2];
	size_t		 n = 0;
	int		 death = 0;

	r->gid = LISTEN_NO_GROUP;
	if (r->group != NULL) {
		if ((gr = getgrnam(r->group)) == NULL)
			return err_set(e, "group %s: there is no such group",
			    r->group);
		r->gid = gr->gr_gid;
	}
	if (r->user == NULL)
		return RC_OK;
	if ((pw = getpwnam(r->user)) == NULL)
		return err_set(e, "user %s: there is no such user", r->user);
	if (geteuid() == pw->pw_uid)
		return RC_OK;
	if (pw->pw_uid == 0)
		return err_set(e, "user %s: that is root", r->user);
	/* The kernel forgets this one when the user changes. */
	(void)prctl(PR_GET_PDEATHSIG, &death, 0, 0, 0);
	groups[n++] = pw->pw_gid;
	if (r->gid != LISTEN_NO_GROUP)
		groups[n++] = r->gid;
	if (setgroups(n, groups) != 0 ||
	    setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) != 0 ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) != 0)
		return err_set(e, "user %s: %s", r->user, strerror(errno));
	if (setuid(0) != -1)
		return err_set(e, "root could be got back");
	if (death != 0)
		(void)prctl(PR_SET_PDEATHSIG, death, 0, 0, 0);
	return RC_OK;
}

static enum rc
open_file(int *out, struct relay *r, const char *name, int flags,
    struct err *e)
{
	struct stat	 st;
	int		 fd;

	fd = openat(r->dir, name, flags | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
	if (fd == -1 && errno == ENOENT)
		return err_set(e, "%s/%s: there is no signer in this folder: "
		    "`drawbridge signer init` founds one", r->data, name);
	if (fd == -1)
		return err_set(e, "%s/%s: %s", r->data, name,
		    strerror(errno));
	*out = fd;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return err_set(e, "%s/%s: not a file", r->data, name);
	if ((st.st_mode & 077) != 0)
		return err_set(e, "%s/%s: others may read it (mode %03o)",
		    r->data, name, (unsigned)st.st_mode & 0777);
	return RC_OK;
}

/* One seed, one live signer: the lock is the open journal's, which the
 * signer gets as it is, and ours as long as we live. */
static enum rc
open_folder(struct relay *r, struct err *e)
{
	r->dir = open(r->data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->dir == -1)
		return err_set(e, "%s: %s", r->data, strerror(errno));
	if (open_file(&r->keep.journal, r, "journal", O_RDWR, e) != RC_OK ||
	    open_file(&r->keep.seed, r, "seed", O_RDONLY, e) != RC_OK)
		return RC_FAILED;
	if (flock(r->keep.journal, LOCK_EX | LOCK_NB) != 0)
		return err_set(e, errno == EWOULDBLOCK ? "%s: another signer "
		    "runs on this journal" : "%s: it cannot be locked",
		    r->data);
	return RC_OK;
}

static enum rc
check_network(struct relay *r, struct err *e)
{
	struct pinned_keys	 keys;

	if (path_of(r->identity, e, "%s/identity.pem", r->data) != RC_OK ||
	    path_of(r->pins, e, "%s/pins", r->data) != RC_OK)
		return RC_FAILED;
	if (r->listen == NULL)
		return RC_OK;
	if (pinned_of(r->pin, r->identity, e) != RC_OK)
		return err_wrap(e, RC_FAILED, "--listen (--make-identity "
		    "makes one)");
	if (pinned_read(&keys, r->pins, e) != RC_OK)
		return err_wrap(e, RC_FAILED, "--listen");
	if (keys.n == 0)
		return err_set(e, "--listen: %s: no pins: nobody could "
		    "connect", r->pins);
	return listen_tcp(&r->keep.network, r->text, r->listen, e);
}

static enum rc
find_program(struct relay *r, const char *given, struct err *e)
{
	char	 self[PATH_ROOM], *slash;
	ssize_t	 n;

	if (given != NULL) {
		if (path_of(r->program, e, "%s", given) != RC_OK)
			return RC_FAILED;
	} else {
		n = readlink("/proc/self/exe", self, sizeof(self) - 1);
		if (n <= 0)
			return err_set(e, "/proc/self/exe: %s",
			    strerror(errno));
		self[n] = '\0';
		if ((slash = strrchr(self, '/')) != NULL)
			*slash = '\0';
		if (path_of(r->program, e, "%s/" PROGRAM, self) != RC_OK)
			return RC_FAILED;
	}
	if (access(r->program, X_OK) != 0)
		return err_set(e, "%s: %s", r->program, strerror(errno));
	r->keep.program = r->program;
	r->keep.identity = r->identity;
	r->keep.pins = r->pins;
	return RC_OK;
}

static enum rc
open_signals(struct relay *r, struct err *e)
{
	sigset_t	 set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return err_set(e, "signals: %s", strerror(errno));
	(void)signal(SIGCHLD, SIG_DFL);
	(void)signal(SIGPIPE, SIG_IGN);
	r->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (r->signals == -1)
		return err_set(e, "signals: %s", strerror(errno));
	return RC_OK;
}

static enum rc
prepare(struct relay *r, const char *program, struct err *e)
{
	struct rlimit	 l;

	/* Secrets are locked in memory: as much as we were given. */
	if (getrlimit(RLIMIT_MEMLOCK, &l) == 0) {
		l.rlim_cur = l.rlim_max;
		(void)setrlimit(RLIMIT_MEMLOCK, &l);
	}
	r->watchdog_ms = systemd_watchdog_ms();
	if (open_passphrase(r, e) != RC_OK || become_user(r, e) != RC_OK ||
	    open_folder(r, e) != RC_OK || find_program(r, program, e) !=
	    RC_OK || check_network(r, e) != RC_OK)
		return RC_FAILED;
	if (listen_local(&r->keep.requests, r->dir, r->data, REQUESTS_NAME,
	    geteuid(), r->gid, e) != RC_OK ||
	    listen_local(&r->keep.custodian, r->dir, r->data, CUSTODIAN_NAME,
	    geteuid(), LISTEN_NO_GROUP, e) != RC_OK)
		return RC_FAILED;
	if (open_signals(r, e) != RC_OK)
		return RC_FAILED;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		return err_set(e, "not dumpable: %s", strerror(errno));
	return lock_in(e);
}

/* While they run */

/* Pins that are wrong leave those that are right in force. */
static void
reload(struct relay *r)
{
	struct pinned_keys	 keys;
	struct err		 e;

	systemd_reloading();
	if (r->keep.network == -1) {
		log_event(LOG_INFO_, "reloaded", "why", 's', "there is "
		    "nothing to read again without --listen", NULL);
	} else if (pinned_read(&keys, r->pins, &e) != RC_OK ||
	    (keys.n == 0 && err_set(&e, "%s: no pins", r->pins) != RC_OK) ||
	    pinned_of(r->pin, r->identity, &e) != RC_OK) {
		log_event(LOG_ODD, "not-reloaded", "why", 's', e.text, NULL);
	} else {
		keep_renew_door(&r->keep);
		log_event(LOG_INFO_, "reloaded", "pins", 'd', (int64_t)keys.n,
		    NULL);
	}
	systemd_say("READY=1");
}

static void
take_signals(struct relay *r)
{
	struct signalfd_siginfo	 s;
	pid_t			 pid;
	int			 status;

	while (read(r->signals, &s, sizeof(s)) == (ssize_t)sizeof(s)) {
		switch (s.ssi_signo) {
		case SIGCHLD:
			while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
				keep_ended(&r->keep, pid, status, now_ms());
			break;
		case SIGHUP:
			reload(r);
			break;
		case SIGTERM:
		case SIGINT:
			systemd_say("STOPPING=1");
			log_event(LOG_INFO_, "stopping", NULL);
			keep_stop(&r->keep, 0, now_ms());
			break;
		}
	}
}

static void
say_ready(struct relay *r)
{
	if (r->said_ready || !r->keep.was_ready)
		return;
	r->said_ready = true;
	(void)printf("ready %s/" REQUESTS_NAME "\n", r->data);
	if (r->keep.network != -1)
		(void)printf("ready %s pin %s\n", r->text, r->pin);
	(void)fflush(stdout);
	systemd_say("READY=1");
}

static int64_t
say_alive(struct relay *r, int64_t now)
{
	if (r->watchdog_ms == 0)
		return INT64_MAX;
	if (now - r->said_alive_ms >= r->watchdog_ms) {
		systemd_say("WATCHDOG=1");
		r->said_alive_ms = now;
	}
	return r->said_alive_ms + r->watchdog_ms;
}

static int
supervise(struct relay *r)
{
	struct pollfd	 p[2];
	int64_t		 next, alive, left;

	while (!keep_empty(&r->keep)) {
		next = keep_turn(&r->keep, now_ms());
		if (keep_empty(&r->keep))
			break;
		say_ready(r);
		alive = say_alive(r, now_ms());
		left = (next < alive ? next : alive) - now_ms();
		left = left < 0 ? 0 : left > 60000 ? 60000 : left;
		p[0].fd = r->signals;
		p[1].fd = r->keep.control;
		p[0].events = p[1].events = POLLIN;
		p[1].revents = 0;
		if (poll(p, 2, (int)left) > 0 && p[1].revents != 0)
			keep_heard(&r->keep, now_ms());
		/* After what was said last. */
		take_signals(r);
	}
	listen_local_remove(r->dir, REQUESTS_NAME);
	listen_local_remove(r->dir, CUSTODIAN_NAME);
	log_event(LOG_INFO_, "stopped", NULL);
	return r->keep.status;
}

static int
make_identity(const char *dir)
{
	char		 path[PATH_ROOM], hex[PINNED_HEX + 1];
	struct err	 e;
	enum rc		 rc;

	rc = path_of(path, &e, "%s/identity.pem", dir);
	if (rc == RC_OK && access(path, F_OK) != 0)
		rc = pinned_make(path, &e);
	if (rc == RC_OK)
		rc = pinned_of(hex, path, &e);
	if (rc != RC_OK) {
		(void)fprintf(stderr, "drawbridge-relay: %s\n", e.text);
		return 1;
	}
	(void)printf("%s\n", hex);
	return fflush(stdout) == 0 ? 0 : 1;
}

static const struct option	 options[] = {
	{ "data", required_argument, NULL, 'd' },
	{ "listen", required_argument, NULL, 'l' },
	{ "signer", required_argument, NULL, 's' },
	{ "user", required_argument, NULL, 'u' },
	{ "group", required_argument, NULL, 'g' },
	{ "passphrase", required_argument, NULL, 'p' },
	{ "make-identity", required_argument, NULL, 'm' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int
complain(int o)
{
	(void)fputs(usage, o == 'h' ? stdout : stderr);
	return o == 'h' ? 0 : 2;
}

int
main(int argc, char *argv[])
{
	static struct relay	 r;
	const char		*program = NULL, *identity = NULL;
	struct err		 e;
	int			 o;

	while ((o = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (o) {
		case 'd':
			r.data = optarg;
			break;
		case 'l':
			r.listen = optarg;
			break;
		case 's':
			program = optarg;
			break;
		case 'u':
			r.user = optarg;
			break;
		case 'g':
			r.group = optarg;
			break;
		case 'p':
			r.passphrase = optarg;
			break;
		case 'm':
			identity = optarg;
			break;
		default:
			return complain(o);
		}
	}
	if (optind != argc || (identity == NULL) == (r.data == NULL))
		return complain('?');
	if (identity != NULL)
		return make_identity(identity);
	log_begin("signer-relay", LOG_INFO_);
	keep_new(&r.keep);
	if (prepare(&r, program, &e) != RC_OK) {
		(void)fprintf(stderr, "drawbridge-relay: %s\n", e.text);
		return 1;
	}
	return supervise(&r);
}
