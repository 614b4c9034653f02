/*
 * drawbridged: starts the rooms, connects them, watches them, and does
 * almost nothing else.
 *
 * Of all processes it alone keeps the rights that it was started with, so it
 * reads no byte that comes from outside: the configuration is read by a
 * process of its own, and from the rooms it hears two words.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/log.h"
#include "link/listen.h"
#include "link/lock.h"
#include "link/systemd.h"
#include "parent/house.h"
#include "parent/relay.h"
#include "parent/settings.h"

#define LOCAL_NAME	"drawbridge.sock"

struct parent {
	struct settings	 settings;
	struct config	 config;
	struct house	 house;
	struct relay	 relay;
	int		 dir;		/* the data folder, locked */
	int		 signals;
	uid_t		 owner;
	char		 http_text[LISTEN_TEXT_MAX];
	bool		 said_ready;
	int64_t		 watchdog_ms;	/* every so often */
	int64_t		 said_alive_ms;
};

static const char usage[] =
    "usage: drawbridged [-c FILE] [--data DIR] [--listen ADDR:PORT]"
    " [--check]\n";

static int64_t
now_ms(void)
{
	struct timespec	 t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Before the rooms */

static enum rc
find_owner(struct parent *p, struct err *e)
{
	struct passwd	*pw;

	p->owner = geteuid();
	if (p->owner != 0 || p->config.user[0] == '\0')
		return RC_OK;
	if ((pw = getpwnam(p->config.user)) == NULL)
		return err_set(e, "user %s: there is no such user",
		    p->config.user);
	p->owner = pw->pw_uid;
	return RC_OK;
}

/* Ours from here on: two engines on one journal would be two truths. */
static enum rc
open_data(struct parent *p, struct err *e)
{
	const char	*data = p->config.data;
	bool		 made = mkdir(data, 0700) == 0;

	if (!made && errno != EEXIST)
		return err_set(e, "%s: %s", data, strerror(errno));
	p->dir = open(data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->dir == -1)
		return err_set(e, "%s: %s", data, strerror(errno));
	if (made && p->owner != geteuid() &&
	    fchown(p->dir, p->owner, (gid_t)-1) != 0)
		return err_set(e, "%s: %s", data, strerror(errno));
	if (flock(p->dir, LOCK_EX | LOCK_NB) != 0)
		return err_set(e, errno == EWOULDBLOCK ? "%s: another "
		    "drawbridged works in this folder" : "%s: it cannot be "
		    "locked", data);
	return RC_OK;
}

static enum rc
open_sockets(struct parent *p, struct err *e)
{
	char	 ignored[LISTEN_TEXT_MAX];

	if (listen_tcp(&p->house.http, p->http_text, p->config.listen, e) !=
	    RC_OK)
		return RC_FAILED;
	if (p->config.metrics[0] != '\0' && listen_tcp(&p->house.metrics,
	    ignored, p->config.metrics, e) != RC_OK)
		return err_wrap(e, RC_FAILED, "metrics");
	return listen_local(&p->house.local, p->dir, p->config.data,
	    LOCAL_NAME, p->owner, LISTEN_NO_GROUP, e);
}

static enum rc
open_signals(struct parent *p, struct err *e)
{
	sigset_t	 set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return err_set(e, "signals: %s", strerror(errno));
	/* Whoever started us may have had it ignored: then nobody could be
	 * waited for. */
	(void)signal(SIGCHLD, SIG_DFL);
	(void)signal(SIGPIPE, SIG_IGN);
	p->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (p->signals == -1)
		return err_set(e, "signals: %s", strerror(errno));
	return RC_OK;
}

/* As many files and as much locked memory as whoever started us allows: the
 * rooms set their own limits below. */
static void
raise_limits(void)
{
	static const int	 which[] = { RLIMIT_NOFILE, RLIMIT_MEMLOCK };
	struct rlimit		 l;
	size_t			 i;

	for (i = 0; i < sizeof(which) / sizeof(which[0]); i++) {
		if (getrlimit((__rlimit_resource_t)which[i], &l) != 0)
			continue;
		l.rlim_cur = l.rlim_max;
		(void)setrlimit((__rlimit_resource_t)which[i], &l);
	}
}

/* While they run */

/* What cannot change in a running service stays, and is said. */
static void
keep(char *mine, const char *theirs, size_t room, const char *name)
{
	if (strcmp(mine, theirs) != 0)
		log_event(LOG_ODD, "kept", "setting", 's', name, "now", 's',
		    theirs, "file", 's', mine, "why", 's',
		    "only a new start changes it", NULL);
	memcpy(mine, theirs, room);
}

static void
reload(struct parent *p)
{
	struct config	 c;
	struct err	 e;

	systemd_reloading();
	if (settings_read(&c, &p->settings, &e) != RC_OK) {
		log_event(LOG_ODD, "not-reloaded", "why", 's', e.text, NULL);
	} else {
		keep(c.listen, p->config.listen, sizeof(c.listen), "listen");
		keep(c.metrics, p->config.metrics, sizeof(c.metrics),
		    "metrics");
		keep(c.data, p->config.data, sizeof(c.data), "data");
		keep(c.user, p->config.user, sizeof(c.user), "user");
		keep(c.network, p->config.network, sizeof(c.network),
		    "network");
		keep(c.signer_folder, p->config.signer_folder,
		    sizeof(c.signer_folder), "signer-folder");
		p->config = c;
		house_reload(&p->house, &c);
		log_event(LOG_INFO_, "reloaded", "file", 's',
		    settings_file(&p->settings), NULL);
	}
	systemd_say("READY=1");
}

static void
reap(struct parent *p)
{
	pid_t	 pid;
	int	 status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		house_ended(&p->house, pid, status, now_ms());
		relay_ended(&p->relay, pid, status, house_empty(&p->house),
		    now_ms());
	}
}

static void
take_signals(struct parent *p)
{
	struct signalfd_siginfo	 s;

	while (read(p->signals, &s, sizeof(s)) == (ssize_t)sizeof(s)) {
		switch (s.ssi_signo) {
		case SIGCHLD:
			reap(p);
			break;
		case SIGHUP:
			if (p->house.stopping < 0)
				reload(p);
			break;
		case SIGTERM:
		case SIGINT:
			systemd_say("STOPPING=1");
			log_event(LOG_INFO_, "stopping", NULL);
			house_stop(&p->house, 0, now_ms());
			break;
		}
	}
}

static void
say_ready(struct parent *p)
{
	if (p->said_ready || !p->house.all_ready)
		return;
	p->said_ready = true;
	(void)printf("ready http://%s\n", p->http_text);
	(void)fflush(stdout);
	systemd_say("READY=1");
}

/* As long as our own loop turns: the rooms are watched by us. */
static int64_t
say_alive(struct parent *p, int64_t now)
{
	if (p->watchdog_ms == 0)
		return INT64_MAX;
	if (now - p->said_alive_ms >= p->watchdog_ms) {
		systemd_say("WATCHDOG=1");
		p->said_alive_ms = now;
	}
	return p->said_alive_ms + p->watchdog_ms;
}

static void
wait_for_something(struct parent *p, int64_t until_ms)
{
	struct pollfd	 fds[1 + HOUSE_ROOMS];
	int64_t		 left = until_ms - now_ms();
	int		 i, n;

	fds[0].fd = p->signals;
	fds[0].events = POLLIN;
	for (i = 0; i < HOUSE_ROOMS; i++) {
		/* One that is away has -1, which is passed over. */
		fds[1 + i].fd = p->house.rooms[i].control;
		fds[1 + i].events = POLLIN;
		fds[1 + i].revents = 0;
	}
	left = left < 0 ? 0 : left > 60000 ? 60000 : left;
	n = poll(fds, 1 + HOUSE_ROOMS, (int)left);
	for (i = 0; n > 0 && i < HOUSE_ROOMS; i++) {
		if (fds[1 + i].revents != 0)
			house_heard(&p->house, &p->house.rooms[i], now_ms());
	}
	/* After what they said last. */
	take_signals(p);
}

static int
supervise(struct parent *p)
{
	int64_t	 next, alive, relay;

	house_start(&p->house, now_ms());
	while (!house_empty(&p->house) || p->relay.pid != 0) {
		next = house_turn(&p->house, now_ms());
		/* The last of all: a room may still want something signed. */
		relay = relay_turn(&p->relay, &p->config,
		    house_empty(&p->house), now_ms());
		if (house_empty(&p->house) && p->relay.pid == 0)
			break;
		next = relay < next ? relay : next;
		say_ready(p);
		alive = say_alive(p, now_ms());
		wait_for_something(p, next < alive ? next : alive);
	}
	listen_local_remove(p->dir, LOCAL_NAME);
	log_event(LOG_INFO_, "stopped", NULL);
	return p->house.status;
}

static enum rc
prepare(struct parent *p, struct err *e)
{
	house_new(&p->house, &p->config);
	p->watchdog_ms = systemd_watchdog_ms();
	raise_limits();
	if (find_owner(p, e) != RC_OK || open_data(p, e) != RC_OK ||
	    open_sockets(p, e) != RC_OK)
		return RC_FAILED;
	if (open_signals(p, e) != RC_OK)
		return RC_FAILED;
	return lock_in(e);
}

static const struct option	 options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "data", required_argument, NULL, 'd' },
	{ "listen", required_argument, NULL, 'l' },
	{ "check", no_argument, NULL, 'k' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

int
main(int argc, char *argv[])
{
	static struct parent	 p;
	struct err		 e;
	bool			 check = false;
	int			 o;

	if (argc == 4 && strcmp(argv[1], "--room") == 0)
		return child_main(argv[2], argv[3]);
	p.settings.data = getenv("DRAWBRIDGE_DATA");
	while ((o = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		if (o == 'c')
			p.settings.file = optarg;
		else if (o == 'd')
			p.settings.data = optarg;
		else if (o == 'l')
			p.settings.listen = optarg;
		else if (o == 'k')
			check = true;
		else {
			(void)fputs(usage, o == 'h' ? stdout : stderr);
			return o == 'h' ? 0 : 2;
		}
	}
	if (optind != argc) {
		(void)fputs(usage, stderr);
		return 2;
	}
	log_begin("drawbridged", LOG_INFO_);
	if (settings_read(&p.config, &p.settings, &e) != RC_OK ||
	    (!check && prepare(&p, &e) != RC_OK)) {
		(void)fprintf(stderr, "drawbridged: %s\n", e.text);
		return 1;
	}
	return check ? 0 : supervise(&p);
}
